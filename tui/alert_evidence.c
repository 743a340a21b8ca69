/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alert_evidence.h"

#include <stdlib.h>

#include "tui/filter.h"

#define NEAREST	       6   /* processes of the line whose events are shown: not those of init */
#define DEFAULT_HEIGHT 12  /* before it was drawn */
#define LOSS_BUCKETS   200 /* places of losses in the time that is shown */

const char *const tui_around_names[TUI_AROUNDS] = {"chain", "process", "descriptor", "all"};

enum {
	COLUMN_HERE,
	COLUMN_TIME,
	COLUMN_PROCESS,
	COLUMN_TYPE,
	COLUMN_INFO,
	COLUMN_TID,
	COLUMN_EVENT,
	COLUMNS
};

/* clang-format off */
static const struct tui_column columns[COLUMNS] = {
	[COLUMN_HERE]    = {"here", "", 1, 0, TUI_COLUMN_NO_SORT, "the event of the alert"},
	[COLUMN_TIME]    = {"time", "TIME", 10, 0, TUI_COLUMN_RIGHT | TUI_COLUMN_NO_SORT, "seconds before or after the alert"},
	[COLUMN_PROCESS] = {"process", "PROCESS", 8, 48, TUI_COLUMN_NO_SORT, "name of the process"},
	[COLUMN_TYPE]    = {"type", "EVENT", 9, 0, TUI_COLUMN_NO_SORT, "what was done"},
	[COLUMN_INFO]    = {"info", "", 12, 0, TUI_COLUMN_REST | TUI_COLUMN_NO_SORT, "arguments"},
	[COLUMN_TID]     = {"tid", "TID", 8, 0, TUI_COLUMN_RIGHT | TUI_COLUMN_HIDDEN | TUI_COLUMN_NO_SORT, "number of the thread"},
	[COLUMN_EVENT]   = {"event", "#", 10, 0, TUI_COLUMN_RIGHT | TUI_COLUMN_HIDDEN | TUI_COLUMN_NO_SORT, "number of the event"},
};
/* clang-format on */

/* --- rows */

/* "-0.402113", "+1302.250": with microseconds as long as there is room for them. */
static void put_distance(struct buf *b, uint64_t ts, uint64_t from)
{
	uint64_t us = (ts >= from ? ts - from : from - ts) / 1000, s = us / 1000000;

	buf_addf(b, "%c%llu.", ts >= from ? '+' : '-', (unsigned long long)s);
	if (s < 100)
		buf_u64_padded(b, us % 1000000, 6);
	else
		buf_u64_padded(b, us / 1000 % 1000, 3);
}

static struct tui_row_key row_key(void *arg, size_t i)
{
	const struct tui_evidence *e = arg;

	return (struct tui_row_key){e->rows[i].num, e->rows[i].lost ? e->rows[i].ts : 0};
}

static void put_loss(const struct tui_evidence *e, const struct tui_evidence_row *r,
		     struct tui_rows *out)
{
	const char *gap = tui_app_glyph(e->app, TUI_GLYPH_GAP);

	tui_rows_cell(out, TUI_ROLE_LOSS, SV_NONE);
	tui_rows_cell(out, TUI_ROLE_LOSS, sv_of(gap));
	tui_rows_printf(out, "%s%s", gap, gap);
	tui_rows_printf(out, "%llu lost", (unsigned long long)r->lost);
	tui_rows_printf(out, "%s%s events were lost about here %s%s", gap, gap, gap, gap);
	tui_rows_cell(out, TUI_ROLE_LOSS, SV_NONE);
	tui_rows_cell(out, TUI_ROLE_LOSS, SV_NONE);
}

static void put_row(void *arg, size_t i, struct tui_rows *out)
{
	const struct tui_evidence *e = arg;
	const struct tui_evidence_row *r = &e->rows[i];
	const bool here = r->num == e->about->facts.num && !r->lost;

	if (tui_rows_add(out, row_key(arg, i),
			 r->lost     ? TUI_ROLE_LOSS
			 : here	     ? TUI_ROLE_TIME
			 : r->failed ? TUI_ROLE_ERROR
				     : TUI_ROLE_NORMAL) < 0)
		return; /* @out knows */
	if (r->lost) {
		put_loss(e, r, out);
		return;
	}
	tui_rows_cell(out, TUI_ROLE_NORMAL,
		      here ? sv_of(tui_app_glyph(e->app, TUI_GLYPH_HERE)) : SV_NONE);
	put_distance(tui_rows_begin_cell(out), r->ts, e->about->facts.ts);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	tui_rows_cell(out, TUI_ROLE_NORMAL, r->proc);
	tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(r->type));
	tui_rows_cell(out, TUI_ROLE_NORMAL, r->info);
	tui_rows_printf(out, "%lld", (long long)r->tid);
	tui_rows_printf(out, "%llu", (unsigned long long)r->num);
}

/* --- which events */

static struct sv field_of(const struct tui_alert_preview *p, const char *name)
{
	for (size_t i = 0; i < p->field_count; i++)
		if (sv_is(p->fields[i].name, name))
			return p->fields[i].value;
	return SV_NONE;
}

bool tui_evidence_has(const struct tui_evidence *e, enum tui_around around)
{
	switch (around) {
	case TUI_AROUND_CHAIN:
		return e->about->chain_count > 0;
	case TUI_AROUND_PROCESS:
		return e->about->facts.pid >= 0;
	case TUI_AROUND_FD:
		return field_of(e->about, "fd.name").n > 0;
	default:
		return true;
	}
}

static void add_same_name(struct buf *out, struct sv name)
{
	buf_lit(out, "fd.name = ");
	tui_filter_quote(out, name);
}

/* The processes, and who else had to do with the file they run or that the alert is about. */
static void add_chain(const struct tui_alert_preview *p, struct buf *out)
{
	const struct sv file = field_of(p, "fd.name");
	size_t from = p->chain_count > NEAREST ? p->chain_count - NEAREST : 0, n = 0;

	buf_lit(out, "proc.pid in (");
	for (size_t i = from; i < p->chain_count; i++)
		if (p->chain[i].pid > 1 || i + 1 == p->chain_count)
			buf_addf(out, "%s%lld", n++ ? ", " : "", (long long)p->chain[i].pid);
	buf_char(out, ')');
	if (sv_starts(p->facts.exepath, SV_LIT("/"))) {
		buf_lit(out, " or ");
		add_same_name(out, p->facts.exepath);
	}
	if (sv_starts(file, SV_LIT("/"))) {
		buf_lit(out, " or ");
		add_same_name(out, file);
	}
}

static void make_filter(struct tui_evidence *e)
{
	buf_reset(&e->filter);
	if (e->around == TUI_AROUND_CHAIN)
		add_chain(e->about, &e->filter);
	else if (e->around == TUI_AROUND_PROCESS)
		buf_addf(&e->filter, "proc.pid = %lld", (long long)e->about->facts.pid);
	else if (e->around == TUI_AROUND_FD)
		add_same_name(&e->filter, field_of(e->about, "fd.name"));
}

static void forget(struct tui_evidence *e)
{
	free(e->rows);
	e->rows = NULL;
	e->count = e->before = e->list.count = 0;
	arena_reset(&e->texts);
	e->has_before = e->has_after = e->has_losses = false;
}

static int show_rows(struct tui_evidence *e, struct error *err)
{
	int rc;

	e->list.count = e->count;
	rc = tui_list_update(&e->list, err);
	return rc == 0 ? tui_table_refresh(e->table, err) : rc;
}

void tui_evidence_begin(struct tui_evidence *e, enum tui_around around, size_t each)
{
	static const char *const cells[] = {"%proc.name", "%evt.args"};
	struct tui_events_options opt = {
	    .columns = cells, .column_count = COUNT_OF(cells), .pid = -1};
	const struct tui_capture *c = tui_data_capture(e->d);
	int rc = 0;

	tui_events_close(e->events);
	e->events = NULL;
	e->around = around;
	e->each = each;
	e->trouble = (struct error){0};
	forget(e);
	make_filter(e);
	if (e->filter.len)
		opt.filter = buf_cstr(&e->filter);
	if (!c || !c->there || c->capture_id != e->about->facts.capture_id)
		rc = error_set(&e->trouble, ERR_UNSUPPORTED,
			       "the capture is not here: ':capture PATH' says where it is");
	else
		rc = tui_events_open(e->d, &opt, &e->events, NULL, &e->trouble);
	if (rc == 0)
		rc = show_rows(e, &e->trouble);
	if (rc < 0)
		e->has_before = e->has_after = e->has_losses = true;
}

/* --- work */

static int copy_rows(struct tui_evidence *e, size_t at, const struct tui_event *events, size_t n,
		     struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct tui_event *ev = &events[i];
		struct tui_evidence_row *r = &e->rows[at + i];

		*r = (struct tui_evidence_row){.num = ev->num,
					       .ts = ev->ts,
					       .tid = ev->tid,
					       .type = ev->type,
					       .failed = ev->failed,
					       .proc = arena_sv(&e->texts, ev->cells[0]),
					       .info = arena_sv(&e->texts, ev->cells[1])};
		if (!r->proc.p || !r->info.p)
			return error_nomem(err);
	}
	return 0;
}

/* @n events at the end, or (@front) in front of those that are there. */
static int add_rows(struct tui_evidence *e, const struct tui_event *events, size_t n, bool front,
		    struct error *err)
{
	struct tui_evidence_row *rows = reallocarray(e->rows, e->count + n + 1, sizeof(*rows));
	int rc;

	if (!rows)
		return error_nomem(err);
	e->rows = rows;
	if (front && e->count)
		memmove(rows + n, rows, e->count * sizeof(*rows));
	rc = copy_rows(e, front ? 0 : e->count, events, n, err);
	if (rc < 0) { /* what is half there */
		e->count = 0;
		return rc;
	}
	e->count += n;
	e->before += front ? n : 0;
	return 0;
}

/* One side, whole. Return: 1: it is there, 0: not yet, or ERR_*. */
static int take_side(struct tui_evidence *e, bool front, uint64_t deadline_ns, struct error *err)
{
	const struct tui_event *events = NULL;
	size_t n = e->each + !front; /* the event itself is on the later side */
	bool more = false;
	uint64_t at;
	int rc = tui_events_window(e->events, e->about->facts.num, front, n, deadline_ns, &events,
				   &more, &at, err);

	if (rc < 0)
		return rc;
	if ((size_t)rc < n && more)
		return 0;
	rc = add_rows(e, events, (size_t)rc, front, err);
	return rc < 0 ? rc : 1;
}

static int by_time(const void *x, const void *y)
{
	const struct tui_evidence_row *a = x, *b = y;

	if (a->ts != b->ts)
		return a->ts < b->ts ? -1 : 1;
	return (a->num > b->num) - (a->num < b->num);
}

/* Return: 1: they are there, 0: not yet, or ERR_*. */
static int take_losses(struct tui_evidence *e, uint64_t deadline_ns, struct error *err)
{
	const struct tui_counts *c = NULL;
	struct tui_evidence_row *rows;
	int rc;

	if (e->count < 2 || e->rows[0].ts >= e->rows[e->count - 1].ts)
		return 1;
	rc = tui_data_counts(e->d, e->rows[0].ts, e->rows[e->count - 1].ts, LOSS_BUCKETS,
			     deadline_ns, &c, err);
	if (rc < 0 || !c->complete)
		return rc;
	rows = reallocarray(e->rows, e->count + c->buckets + 1, sizeof(*rows));
	if (!rows)
		return error_nomem(err);
	e->rows = rows;
	for (size_t i = 0; i < c->buckets; i++)
		if (c->lanes[TUI_LANE_LOST][i])
			rows[e->count++] = (struct tui_evidence_row){
			    .ts = c->from + (c->to - c->from) / c->buckets * i,
			    .num = c->number ? c->number[i] : 0,
			    .lost = c->lanes[TUI_LANE_LOST][i]};
	qsort(rows, e->count, sizeof(*rows), by_time);
	return 1;
}

/* The later side first: it begins with the event itself. */
static int step(struct tui_evidence *e, uint64_t deadline_ns, struct error *err)
{
	int rc;

	if (!e->has_after) {
		rc = take_side(e, false, deadline_ns, err);
		e->has_after = rc != 0;
	} else if (!e->has_before) {
		rc = take_side(e, true, deadline_ns, err);
		e->has_before = rc != 0;
	} else {
		rc = take_losses(e, deadline_ns, err);
		e->has_losses = rc != 0;
	}
	if (rc > 0)
		rc = show_rows(e, err);
	return rc;
}

bool tui_evidence_is_done(const struct tui_evidence *e)
{
	return e->has_before && e->has_after && e->has_losses;
}

/* The cursor is on the alert's event, or where it would be, in the middle of the screen. */
static void show_middle(struct tui_evidence *e)
{
	struct tui_command c = {.action = TUI_DO_FIRST, .count = 1};
	int below = (e->height > 2 ? e->height : DEFAULT_HEIGHT) / 2;

	(void)tui_table_act(e->table, &c);
	c = (struct tui_command){.action = TUI_DO_DOWN, .count = (int)e->before + below};
	(void)tui_table_act(e->table, &c);
	tui_table_seek(e->table, (struct tui_row_key){e->about->facts.num, 0});
}

bool tui_evidence_work(struct tui_evidence *e, uint64_t deadline_ns)
{
	bool placed = e->has_before;

	if (tui_evidence_is_done(e))
		return false;
	if (step(e, deadline_ns, &e->trouble) < 0) {
		e->has_before = e->has_after = e->has_losses = true;
		return false;
	}
	if (!placed && e->has_before)
		show_middle(e);
	return !tui_evidence_is_done(e);
}

/* --- beginning and end */

int tui_evidence_init(struct tui_evidence *e, struct tui_app *app,
		      const struct tui_alert_preview *about, struct error *err)
{
	*e = (struct tui_evidence){.app = app,
				   .d = tui_app_data(app),
				   .about = about,
				   .list = {.row = put_row, .key = row_key, .arg = e}};
	return tui_table_new(app, columns, COLUMNS, &tui_list_ops, &e->list, &e->table, err);
}

void tui_evidence_done(struct tui_evidence *e)
{
	tui_events_close(e->events);
	tui_table_free(e->table);
	tui_list_done(&e->list);
	forget(e);
	arena_done(&e->texts);
	buf_done(&e->filter);
}
