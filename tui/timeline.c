/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes over time, and calls by how long they took or what they moved: columns are buckets of time,
 * one of them has T in it. What is one above the other is a line, the cursor is on one of them.
 */
#include <stdlib.h>
#include <string.h>

#include "tui/command_line.h"
#include "tui/scrubber.h"
#include "tui/spectrogram.h"
#include "tui/table.h"

#define LABEL_WIDTH  10
#define TOTAL_WIDTH  7
#define LEAST_WIDTH  10 /* columns of a graph that says anything */
#define AXIS_HEIGHT  2
#define TITLE_LINE   TUI_LANE_COUNT   /* of the spectrogram, where the cursor never is; then its */
#define FIRST_LINE   (TITLE_LINE + 1) /* rows, the last of them first */
#define LINES_MAX    (FIRST_LINE + TUI_SPECTRUM_ROWS)
#define NS_PER_S     1000000000ull
#define NO_SELECTION SIZE_MAX

struct timeline {
	struct tui_view base;
	struct tui_list list; /* buckets as rows, to be exported and sorted */
	struct tui_table *table;
	struct tui_counts kept;		 /* of the last look */
	const struct tui_counts *counts; /* those, or NULL: there are none */
	uint64_t from, to;
	int width, height; /* of the graphs; of the body */
	unsigned line;	   /* where the cursor is */
	unsigned top;	   /* the first line that is shown */
	struct spectrogram spectrogram;
	size_t chosen; /* the other end of a selection that T is one end of */
};

/* What Enter looks for in a lane. */
static const char *const lane_filters[TUI_LANE_COUNT] = {
    [TUI_LANE_EXECS] = "evt.type in (execve, execveat)",
    [TUI_LANE_CONNECTS] = "evt.type in (connect, accept, accept4)",
    [TUI_LANE_OPENS] = "evt.type in (open, openat, openat2, creat)",
    [TUI_LANE_ERRORS] = "evt.failed = true",
    [TUI_LANE_BYTES] = "evt.is_io_write = true",
};

/* --- buckets as rows */

static const struct tui_column columns[] = {
    {"time", "TIME", 30, 0, TUI_COLUMN_NO_SORT, "where the bucket begins"},
#define LANE(sym, name, help) {name, name, 10, 0, TUI_COLUMN_RIGHT, help},
#include "tui/lanes.def"
#undef LANE
};

static struct tui_row_key bucket_key(void *arg, size_t i)
{
	(void)arg;
	return (struct tui_row_key){i, 0};
}

static uint64_t bucket_time(const struct timeline *t, size_t i)
{
	return t->from +
	       (uint64_t)((double)(t->to - t->from) * (double)i / (double)t->counts->buckets);
}

static void bucket_row(void *arg, size_t i, struct tui_rows *out)
{
	const struct timeline *t = arg;

	if (tui_rows_add(out, bucket_key(arg, i), TUI_ROLE_NORMAL) < 0)
		return;
	tui_time_full(t->base.app, tui_rows_begin_cell(out), bucket_time(t, i), 9);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	for (size_t lane = 0; lane < TUI_LANE_COUNT; lane++)
		tui_rows_printf(out, "%llu", (unsigned long long)t->counts->lanes[lane][i]);
}

/* --- opening, counting */

static void close_timeline(struct tui_view *v)
{
	struct timeline *t = (struct timeline *)v;

	tui_table_free(t->table);
	tui_list_done(&t->list);
	tui_counts_done(&t->kept);
	free(t);
}

static int open_timeline(struct tui_app *app, const struct tui_target *target,
			 struct tui_view **out, struct error *err)
{
	struct timeline *t = calloc(1, sizeof(*t));
	int rc;

	(void)target;
	if (!t)
		return error_nomem(err);
	t->chosen = NO_SELECTION;
	t->line = TUI_LANE_EVENTS;
	t->list = (struct tui_list){.row = bucket_row, .key = bucket_key, .arg = t};
	rc =
	    tui_table_new(app, columns, COUNT_OF(columns), &tui_list_ops, &t->list, &t->table, err);
	if (rc < 0) {
		close_timeline(&t->base);
		return rc;
	}
	*out = &t->base;
	return 0;
}

/* Nothing is known of the buckets any more. */
static void forget(struct timeline *t)
{
	t->counts = NULL;
	t->list.count = 0;
	(void)!tui_list_update(&t->list, NULL); /* no rows need no memory */
}

static int look(struct timeline *t, uint64_t deadline_ns, struct error *err)
{
	struct tui_data *d = tui_app_data(t->base.app);
	const struct tui_capture *c = tui_data_capture(d);
	uint64_t from = t->from, to = t->to;
	const struct tui_counts *counts;
	int rc;

	forget(t);
	if (!c || !c->there || t->width < LEAST_WIDTH ||
	    !tui_time_axis(t->base.app, &t->from, &t->to))
		return 0;
	if (from != t->from || to != t->to)
		t->chosen = NO_SELECTION; /* it was of other buckets */
	rc = tui_data_counts(d, t->from, t->to, (size_t)t->width, deadline_ns, &counts, err);
	if (rc == 0)
		rc = tui_counts_copy(&t->kept, counts, err);
	if (rc < 0)
		return rc;
	t->counts = &t->kept;
	t->list.count = t->counts->buckets;
	rc = tui_list_update(&t->list, err);
	return rc < 0 ? rc : tui_table_refresh(t->table, err);
}

static int sync_timeline(struct tui_view *v, unsigned news, struct error *err)
{
	struct timeline *t = (struct timeline *)v;

	if (news & TUI_NEWS_CAPTURE)
		t->chosen = NO_SELECTION;
	return look(t, 1, err);
}

static bool work_timeline(struct tui_view *v, uint64_t deadline_ns)
{
	struct timeline *t = (struct timeline *)v;
	struct error err = {0};

	if (t->counts && t->counts->complete)
		return false;
	if (look(t, deadline_ns, &err) < 0) {
		tui_app_fail(v->app, &err);
		return false;
	}
	return t->counts && !t->counts->complete;
}

/* --- where T is */

static size_t here(const struct timeline *t)
{
	uint64_t ts = tui_data_time(tui_app_data(t->base.app), NULL);
	double at;

	if (ts <= t->from)
		return 0;
	if (ts >= t->to)
		return t->counts->buckets - 1;
	at = (double)(ts - t->from) / (double)(t->to - t->from) * (double)t->counts->buckets;
	return at >= (double)t->counts->buckets ? t->counts->buckets - 1 : (size_t)at;
}

/* T into the middle of a bucket. */
static void go_to_bucket(struct timeline *t, size_t i)
{
	uint64_t begin = bucket_time(t, i), end = bucket_time(t, i + 1);

	tui_app_goto_time(t->base.app, begin + (end - begin) / 2);
}

static void selection(const struct timeline *t, size_t *first, size_t *last)
{
	*first = *last = here(t);
	if (t->chosen == NO_SELECTION || t->chosen >= t->counts->buckets)
		return;
	if (t->chosen < *first)
		*first = t->chosen;
	else
		*last = t->chosen;
}

/* --- where the cursor is */

static unsigned line_count(const struct timeline *t)
{
	enum tui_measure m;

	return spectrogram_measure(&t->spectrogram, t->counts, &m) ? LINES_MAX : TITLE_LINE;
}

static bool is_lane(const struct timeline *t, enum tui_lane lane)
{
	return t->line == (unsigned)lane;
}

/* In the spectrogram: in which row? */
static bool is_cell(const struct timeline *t, unsigned *row)
{
	if (t->line < FIRST_LINE)
		return false;
	*row = LINES_MAX - 1 - t->line;
	return true;
}

static void move_line(struct timeline *t, int by)
{
	int last = (int)line_count(t) - 1, line = (int)t->line;

	/* Over the title. */
	line -= line > TITLE_LINE;
	last -= last > TITLE_LINE;
	line = line + by < 0 ? 0 : by > last - line ? last : line + by;
	t->line = (unsigned)line + (line >= TITLE_LINE);
}

/* --- drawing */

static void add_sum(const struct timeline *t, struct buf *b, enum tui_lane lane, size_t first,
		    size_t last)
{
	uint64_t n = 0;

	for (size_t i = first; i <= last; i++)
		n += t->counts->lanes[lane][i];
	tui_count(b, n);
	buf_addf(b, " %s", tui_lane_names[lane]);
}

static void add_time(const struct timeline *t, struct buf *b, size_t first, size_t last)
{
	tui_app_time(t->base.app, b, bucket_time(t, first), 0, 3);
	buf_lit(b, " +");
	tui_duration(b, bucket_time(t, last + 1) - bucket_time(t, first));
}

static void add_cell(const struct timeline *t, struct buf *b, unsigned row, size_t first,
		     size_t last)
{
	uint64_t n = spectrogram_cell(&t->spectrogram, t->counts, row, first, last).n;

	tui_count(b, n);
	buf_str(b, n == 1 ? " call of " : " calls of ");
	spectrogram_range(&t->spectrogram, t->counts, row, b);
	buf_lit(b, "   ");
	add_time(t, b, first, last);
}

static void add_lanes(const struct timeline *t, struct buf *b, size_t first, size_t last)
{
	buf_lit(b, "bucket ");
	tui_duration(b, (t->to - t->from) / t->counts->buckets);
	buf_str(b, first == last ? "   here " : "   select ");
	add_time(t, b, first, last);
	buf_lit(b, ": ");
	add_sum(t, b, TUI_LANE_EVENTS, first, last);
	if (!is_lane(t, TUI_LANE_EVENTS)) {
		buf_lit(b, ", ");
		add_sum(t, b, (enum tui_lane)t->line, first, last);
	}
	if (!is_lane(t, TUI_LANE_ALERTS)) {
		buf_lit(b, ", ");
		add_sum(t, b, TUI_LANE_ALERTS, first, last);
	}
}

static void draw_heading(const struct timeline *t, const struct tui_area *a)
{
	size_t first, last;
	struct buf b = {0};
	unsigned row;

	selection(t, &first, &last);
	if (is_cell(t, &row))
		add_cell(t, &b, row, first, last);
	else
		add_lanes(t, &b, first, last);
	if (!t->counts->complete)
		buf_addf(&b, "   counting %d %%", (int)(t->counts->done * 100));
	tui_put(a, 0, 1, a->width - 2, TUI_ROLE_NORMAL, buf_view(&b));
	buf_done(&b);
}

static enum tui_role role_of(unsigned lane)
{
	if (lane == TUI_LANE_ALERTS)
		return TUI_ROLE_WARNING;
	return lane == TUI_LANE_LOST ? TUI_ROLE_LOSS : TUI_ROLE_BAR;
}

static void draw_lane(const struct timeline *t, const struct tui_area *a, int y, unsigned lane)
{
	const struct tui_counts *c = t->counts;
	struct buf b = {0};
	uint64_t all = 0;

	for (size_t i = 0; i < c->buckets; i++)
		all += c->lanes[lane][i];
	tui_puts(a, y, 1, lane == t->line ? TUI_ROLE_TITLE : TUI_ROLE_DIM, tui_lane_names[lane]);
	if (lane == t->line)
		tui_select(a, y, 1, LABEL_WIDTH - 2);
	if (lane == TUI_LANE_LOST)
		for (size_t i = 0; i < c->buckets; i++)
			tui_puts(a, y, LABEL_WIDTH + (int)i,
				 c->lanes[lane][i] ? TUI_ROLE_LOSS : TUI_ROLE_DIM,
				 tui_glyph(a->screen,
					   c->lanes[lane][i] ? TUI_GLYPH_GAP : TUI_GLYPH_DOT));
	else
		tui_sparkline(a, y, LABEL_WIDTH, role_of(lane), c->lanes[lane], c->buckets);
	tui_count(&b, all);
	tui_put_right(a, y, a->width - TOTAL_WIDTH, TOTAL_WIDTH - 1, TUI_ROLE_NORMAL, buf_view(&b));
	buf_done(&b);
}

static void draw_title(const struct timeline *t, const struct tui_area *a, int y, uint64_t most)
{
	struct buf b = {0};
	int end;

	spectrogram_title(&t->spectrogram, t->counts, &b);
	end = 1 + tui_put(a, y, 1, a->width - 2, TUI_ROLE_HEADER, buf_view(&b));
	buf_reset(&b);
	spectrogram_legend(a, most, &b);
	if (end + 1 + tui_width(buf_view(&b)) < a->width)
		tui_put_right(a, y, end, a->width - end - 1, TUI_ROLE_DIM, buf_view(&b));
	buf_done(&b);
}

static void draw_spectrum(const struct timeline *t, const struct tui_area *a, int y, unsigned line,
			  uint64_t most)
{
	unsigned row = LINES_MAX - 1 - line;
	struct buf b = {0};

	spectrogram_label(&t->spectrogram, t->counts, row, &b);
	tui_put_right(a, y, 0, LABEL_WIDTH - 1, line == t->line ? TUI_ROLE_TITLE : TUI_ROLE_DIM,
		      buf_view(&b));
	if (line == t->line)
		tui_select(a, y, 1, LABEL_WIDTH - 2);
	spectrogram_draw(&t->spectrogram, t->counts, row, most, a, y, LABEL_WIDTH);
	buf_reset(&b);
	tui_count(&b,
		  spectrogram_cell(&t->spectrogram, t->counts, row, 0, t->counts->buckets - 1).n);
	tui_put_right(a, y, a->width - TOTAL_WIDTH, TOTAL_WIDTH - 1, TUI_ROLE_NORMAL, buf_view(&b));
	buf_done(&b);
}

static void draw_axis(const struct timeline *t, const struct tui_area *a, int y)
{
	int x = LABEL_WIDTH + (int)here(t), decimals = t->to - t->from < 100 * NS_PER_S ? 3 : 0;
	struct buf b = {0};
	int room = t->width;

	tui_app_time(t->base.app, &b, t->from, 0, decimals);
	room -= tui_put(a, y, LABEL_WIDTH, room, TUI_ROLE_DIM, buf_view(&b));
	buf_reset(&b);
	tui_app_time(t->base.app, &b, t->to, 0, decimals);
	if (tui_width(buf_view(&b)) >= room) { /* how long it is takes less */
		buf_reset(&b);
		buf_char(&b, '+');
		tui_duration(&b, t->to - t->from);
	}
	if (tui_width(buf_view(&b)) < room)
		tui_put_right(a, y, LABEL_WIDTH, t->width, TUI_ROLE_DIM, buf_view(&b));
	tui_printf(a, y + 1, x, TUI_ROLE_TIME, "%sT", tui_glyph(a->screen, TUI_GLYPH_TIME_MARK));
	buf_done(&b);
}

/* The cursor's line is among those of which @height fit; with the title, beside that. */
static void scroll(struct timeline *t, unsigned height)
{
	unsigned upper = t->line == FIRST_LINE && height > 1 ? TITLE_LINE : t->line;
	unsigned count = line_count(t);

	if (t->line >= count)
		t->line = upper = TITLE_LINE - 1;
	if (t->top > upper)
		t->top = upper;
	if (t->line >= t->top + height)
		t->top = t->line - height + 1;
	if (t->top + height > count)
		t->top = count > height ? count - height : 0;
}

static void draw_line(const struct timeline *t, const struct tui_area *a, int y, unsigned line,
		      uint64_t most)
{
	if (line < TITLE_LINE)
		draw_lane(t, a, y, line);
	else if (line == TITLE_LINE)
		draw_title(t, a, y, most);
	else
		draw_spectrum(t, a, y, line, most);
}

static void draw_graphs(struct timeline *t, const struct tui_area *a)
{
	int height = a->height - 1 - AXIS_HEIGHT, y = 1;
	unsigned count = line_count(t), row;
	uint64_t most = spectrogram_most(&t->spectrogram, t->counts);
	size_t first, last;

	if (height < 1)
		return;
	scroll(t, (unsigned)height);
	selection(t, &first, &last);
	for (unsigned line = t->top; line < count && y <= height; line++, y++) {
		draw_line(t, a, y, line, most);
		/* A cell alone, or what is in all lanes at that time. */
		if (is_cell(t, &row) ? line == t->line : line < TITLE_LINE)
			tui_select(a, y, LABEL_WIDTH + (int)first, (int)(last - first + 1));
	}
	draw_axis(t, a, y);
}

static void draw_timeline(struct tui_view *v, const struct tui_area *a)
{
	struct timeline *t = (struct timeline *)v;
	int width = a->width - LABEL_WIDTH - TOTAL_WIDTH - 1;
	const struct tui_capture *c = tui_data_capture(tui_app_data(v->app));

	t->height = a->height;
	if (width != t->width) { /* counted anew with the next sync */
		t->width = width;
		forget(t);
		v->news |= TUI_NEWS_PROGRESS;
	}
	if (t->counts) {
		draw_heading(t, a);
		draw_graphs(t, a);
	} else if (!c || !c->there) {
		tui_puts(a, 1, 2, TUI_ROLE_DIM,
			 "the capture is not here: ':capture PATH' says where it is");
	} else if (c->last_ts <= c->first_ts) {
		tui_puts(a, 1, 2, TUI_ROLE_DIM, "the capture has no two events of different times");
	}
}

/* --- commands */

/* The condition for what the cursor is on, where there is one. False: it is for more than that. */
static bool condition(const struct timeline *t, struct buf *out)
{
	unsigned row;

	if (is_cell(t, &row))
		return spectrogram_condition(&t->spectrogram, t->counts, row, out);
	if (lane_filters[t->line])
		buf_str(out, lane_filters[t->line]);
	return true;
}

/* Nothing of other buckets. */
static void add_time_condition(const struct timeline *t, size_t first, size_t last, struct buf *out)
{
	buf_addf(out, "%sevt.rawtime >= %llu and evt.rawtime < %llu", out->len ? " and " : "",
		 (unsigned long long)tui_counts_begin(t->counts, first),
		 (unsigned long long)tui_counts_begin(t->counts, last + 1));
}

static uint64_t first_event(const struct timeline *t, size_t first, size_t last)
{
	unsigned row;
	size_t i = first;

	if (is_cell(t, &row))
		return spectrogram_cell(&t->spectrogram, t->counts, row, first, last).first;
	while (i < last && !t->counts->number[i])
		i++;
	return t->counts->number[i];
}

static void say_inexact(const struct timeline *t, unsigned row)
{
	struct buf range = {0};

	spectrogram_range(&t->spectrogram, t->counts, row, &range);
	tui_app_say(t->base.app, TUI_ROLE_NOTICE,
		    "this is the first of %.*s: no condition says how long calls took",
		    (int)range.len, range.p);
	buf_done(&range);
}

static void enter(struct timeline *t)
{
	struct tui_target target = {0};
	struct buf text = {0};
	size_t first, last;
	unsigned row = 0;
	bool exact;

	selection(t, &first, &last);
	target.num = first_event(t, first, last);
	if (!target.num) {
		tui_app_say(t->base.app, TUI_ROLE_NOTICE, "no %s is here",
			    is_cell(t, &row) ? "call" : "event");
		return;
	}
	exact = condition(t, &text);
	if (is_cell(t, &row))
		add_time_condition(t, first, last, &text);
	target.text = buf_view(&text);
	tui_app_goto_event(t->base.app, target.num);
	tui_app_push(t->base.app, is_lane(t, TUI_LANE_ALERTS) ? &tui_alerts_ops : &tui_events_ops,
		     &target);
	if (!exact)
		say_inexact(t, row);
	buf_done(&text);
}

static void choose(struct timeline *t, const struct tui_command *c)
{
	bool found = c->action == TUI_DO_CALLS
			 ? spectrogram_choose_calls(&t->spectrogram, c->arg)
			 : spectrogram_choose(&t->spectrogram, t->counts, c->arg);

	if (!found)
		tui_app_say(t->base.app, TUI_ROLE_ERROR, "'%.*s' is none of %s", (int)c->arg.n,
			    c->arg.p, tui_actions[c->action].arg);
	else if (t->line >= line_count(t))
		t->line = TITLE_LINE - 1;
}

static enum tui_result act_timeline(struct tui_view *v, const struct tui_command *c)
{
	struct timeline *t = (struct timeline *)v;
	size_t at, by = (size_t)c->count;

	if (!t->counts)
		return TUI_NOT_MINE;
	at = here(t);
	switch (c->action) {
	case TUI_DO_LEFT:
		go_to_bucket(t, at > by ? at - by : 0);
		return TUI_DONE;
	case TUI_DO_RIGHT:
		go_to_bucket(t, at + by < t->counts->buckets ? at + by : t->counts->buckets - 1);
		return TUI_DONE;
	case TUI_DO_FIRST:
		go_to_bucket(t, 0);
		return TUI_DONE;
	case TUI_DO_LAST:
		go_to_bucket(t, t->counts->buckets - 1);
		return TUI_DONE;
	case TUI_DO_UP:
		move_line(t, -c->count);
		return TUI_DONE;
	case TUI_DO_DOWN:
		move_line(t, c->count);
		return TUI_DONE;
	case TUI_DO_TAG:
		t->chosen = t->chosen == NO_SELECTION ? at : NO_SELECTION;
		return TUI_DONE;
	case TUI_DO_UNTAG:
		t->chosen = NO_SELECTION;
		return TUI_DONE;
	case TUI_DO_ENTER:
		enter(t);
		return TUI_DONE;
	case TUI_DO_SPECTROGRAM:
	case TUI_DO_CALLS:
		choose(t, c);
		return TUI_DONE;
	case TUI_DO_PAGE_UP:
	case TUI_DO_PAGE_DOWN:
	case TUI_DO_SEARCH:
	case TUI_DO_SORT:
	case TUI_DO_REVERSE:
	case TUI_DO_COLUMNS: /* of the table that is written, not seen */
		tui_app_say(v->app, TUI_ROLE_NOTICE, "'%s' does nothing here",
			    tui_actions[c->action].name);
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

static void click_timeline(struct tui_view *v, const struct tui_input *in, const struct tui_area *a)
{
	struct timeline *t = (struct timeline *)v;
	int x = in->x - a->x - LABEL_WIDTH, y = in->y - a->y - 1;

	if (!t->counts || x < 0 || x >= (int)t->counts->buckets)
		return;
	if (in->mouse == TUI_MOUSE_CLICK) {
		t->chosen = NO_SELECTION;
		if (y >= 0 && y < t->height - 1 - AXIS_HEIGHT &&
		    t->top + (unsigned)y < line_count(t) && t->top + (unsigned)y != TITLE_LINE)
			t->line = t->top + (unsigned)y;
	} else if (in->mouse == TUI_MOUSE_DRAG && t->chosen == NO_SELECTION) {
		t->chosen = here(t);
	}
	if (in->mouse == TUI_MOUSE_CLICK || in->mouse == TUI_MOUSE_DRAG)
		go_to_bucket(t, (size_t)x);
}

static struct tui_table *table_of_timeline(struct tui_view *v)
{
	return ((struct timeline *)v)->table;
}

/* The events of the selection, of the kind that Enter shows. */
static void command_of_timeline(struct tui_view *v, struct buf *out)
{
	struct timeline *t = (struct timeline *)v;
	const struct tui_capture *c = tui_data_capture(tui_app_data(v->app));
	struct buf text = {0};
	size_t first, last;

	if (!t->counts || !c)
		return;
	selection(t, &first, &last);
	buf_lit(out, "scapula events --count");
	(void)condition(t, &text);
	if (text.len) {
		buf_lit(out, " --filter");
		tui_command_word(out, buf_view(&text));
	}
	buf_done(&text);
	for (int end = 0; end < 2; end++) {
		uint64_t ts = end ? tui_counts_begin(t->counts, last + 1) - 1
				  : tui_counts_begin(t->counts, first);

		buf_addf(out, " --%s @%llu.%09llu", end ? "to" : "from",
			 (unsigned long long)(ts / NS_PER_S), (unsigned long long)(ts % NS_PER_S));
	}
	tui_command_word(out, sv_of(c->path));
}

static const uint8_t timeline_actions[] = {TUI_DO_ENTER,   TUI_DO_LEFT,	       TUI_DO_RIGHT,
					   TUI_DO_TAG,	   TUI_DO_SPECTROGRAM, TUI_DO_CALLS,
					   TUI_DO_ZOOM_IN, TUI_DO_ZOOM_OUT,    TUI_NO_ACTION};

const struct tui_view_ops tui_timeline_ops = {
    .name = "timeline",
    .title = "Timeline",
    .help = "How much happened when: each lane is as high as its own greatest bucket. Left and "
	    "right move T by a bucket, up and down choose a lane; "
	    "zooming shows ten steps around T. 'tag' begins a selection that reaches to T, and the "
	    "first line sums it up. Enter shows the events (of the lane's kind) from there on. "
	    "Below, the spectrogram: calls on files by how long they took, or, where beginnings of "
	    "calls are not recorded, by how many bytes they moved; each row up to where the one "
	    "above begins, and the denser, the more: '.' few, then ':' '#' '@', from as many on as "
	    "its first line says. 'spectrogram' shows the other, or none, 'calls' those on the "
	    "network, or all. Enter on one of its cells shows the events of that cell.",
    .actions = timeline_actions,
    .open = open_timeline,
    .close = close_timeline,
    .sync = sync_timeline,
    .work = work_timeline,
    .draw = draw_timeline,
    .act = act_timeline,
    .click = click_timeline,
    .command = command_of_timeline,
    .table = table_of_timeline,
};
