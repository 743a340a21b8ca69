/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows over the events of a capture. What was looked at last stays: all events that pass between
 * two numbers, as rows. A window is cut out of it, or it is made longer at one of its ends: at the
 * lower one from some way before it, since state goes forward only.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "replay/skip.h"
#include "tui/data_internal.h"

#define ROWS_MAX    4096 /* rows that stay */
#define WINDOW_MAX  1000 /* rows asked for at a time */
#define CELL_MAX    4096 /* bytes of one; the rest is cut */
#define SPAN_MIN    1024 /* events looked at anew at the lower end, at least */
#define SPAN_FACTOR 16
#define LOOK_AROUND 512 /* events between two looks at the clock */
#define COLUMNS_MAX 64

struct row {
	struct tui_event ev;
	struct sv cells[]; /* and their texts behind them */
};

struct rows {
	struct row **at; /* room for 2 * ROWS_MAX */
	size_t count;
};

struct tui_events {
	struct tui_data *d;
	size_t capture;
	int64_t pid;
	struct flt_program *program;
	bool has_filter, skips;
	unsigned filter;
	struct run_skip skip;
	struct flt_format **columns;
	size_t column_count;
	struct tui_walk walk;
	bool gap; /* the walk came by one after the last row, of so many events: */
	uint64_t lost;
	bool damaged; /* and by damage, */
	uint64_t skipped;
	struct flt_ctx *ctx;	   /* on the walk's state */
	const struct sf_index *by; /* the walk was begun by it */
	struct rows rows;	   /* of all events from @lo on, before @hi, that pass */
	uint64_t lo, hi;
	uint64_t events;    /* of the capture, once its end was seen; 0: not yet */
	bool at_end;	    /* nothing is behind @hi */
	struct rows back;   /* found before @lo, and */
	uint64_t back_from; /* from which number on; 0: nothing is being looked for there */
	uint64_t back_at;   /* where the walk stood then, if it */
	bool back_began;
	uint64_t span;
	struct tui_event *out;
	struct buf text;
};

static void drop_rows(struct rows *r, size_t from, size_t n)
{
	for (size_t i = from; i < from + n; i++)
		free(r->at[i]);
	memmove(r->at + from, r->at + from + n, (r->count - from - n) * sizeof(*r->at));
	r->count -= n;
}

/* --- opening */

static int add_filter(struct tui_events *e, const char *text, struct flt_pos *pos,
		      struct error *err)
{
	struct arena arena = {0};
	struct flt_node *node;
	int rc = flt_parse(sv_of(text), FLT_DEPTH_DEFAULT, &arena, &node, pos, err);

	if (rc == 0)
		rc = flt_program_add(e->program, node, NULL, NULL, &e->filter, pos, err);
	if (rc == 0) {
		e->has_filter = true;
		e->skips = run_skip_of(node, &e->skip) == 0;
	}
	arena_done(&arena);
	return rc;
}

/* What an event does not have is left empty. */
static int add_column(struct tui_events *e, const char *text, struct error *err)
{
	struct buf format = {0};
	int rc;

	buf_char(&format, '*');
	buf_str(&format, text);
	rc = format.failed
		 ? error_nomem(err)
		 : flt_format_new(e->program, buf_view(&format), &e->columns[e->column_count], err);
	e->column_count += rc == 0;
	buf_done(&format);
	return rc;
}

static int compile(struct tui_events *e, const struct tui_events_options *opt, struct flt_pos *pos,
		   struct error *err)
{
	const struct flt_options flt = {0};
	int rc = flt_program_new(&flt, &e->program, err);

	if (rc == 0 && opt->column_count > COLUMNS_MAX)
		rc = error_set(err, ERR_USAGE, "%zu columns are too many", opt->column_count);
	if (rc == 0 && opt->filter)
		rc = add_filter(e, opt->filter, pos, err);
	e->columns = calloc(opt->column_count + 1, sizeof(struct flt_format *));
	e->rows.at = calloc(2 * ROWS_MAX, sizeof(struct row *));
	e->back.at = calloc(2 * ROWS_MAX, sizeof(struct row *));
	e->out = calloc(WINDOW_MAX, sizeof(*e->out));
	if (rc == 0 && (!e->columns || !e->rows.at || !e->back.at || !e->out))
		rc = error_nomem(err);
	for (size_t i = 0; rc == 0 && i < opt->column_count; i++)
		rc = add_column(e, opt->columns[i], err);
	return rc < 0 ? rc : flt_program_seal(e->program, err);
}

int tui_events_open(struct tui_data *d, const struct tui_events_options *opt,
		    struct tui_events **out, struct flt_pos *pos, struct error *err)
{
	struct tui_events *e;
	int rc = tui_data_readable(d, err);

	if (rc < 0)
		return rc;
	e = calloc(1, sizeof(*e));
	if (!e)
		return error_nomem(err);
	e->d = d;
	e->capture = d->current;
	e->pid = opt->pid;
	e->lo = e->hi = 1;
	e->span = SPAN_MIN;
	rc = compile(e, opt, pos, err);
	if (rc < 0)
		tui_events_close(e);
	else
		*out = e;
	return rc;
}

static void leave(struct tui_events *e)
{
	flt_ctx_free(e->ctx);
	e->ctx = NULL;
	tui_walk_done(&e->walk);
}

void tui_events_close(struct tui_events *e)
{
	if (!e)
		return;
	leave(e);
	if (e->rows.at)
		drop_rows(&e->rows, 0, e->rows.count);
	if (e->back.at)
		drop_rows(&e->back, 0, e->back.count);
	free(e->rows.at);
	free(e->back.at);
	flt_program_free(e->program);
	free(e->columns);
	free(e->out);
	buf_done(&e->text);
	free(e);
}

/* --- walking */

static const struct sf_index *index_of(const struct tui_events *e)
{
	return e->d->files[e->capture].index;
}

static void forget_gaps(struct tui_events *e)
{
	e->gap = e->damaged = false;
	e->lost = e->skipped = 0;
}

static int enter(struct tui_events *e, size_t chunk, struct error *err)
{
	const struct sf_index *x = index_of(e);
	int rc;

	leave(e);
	forget_gaps(e);
	rc = tui_walk_enter(&e->walk, e->d->files[e->capture].path, x, chunk, TUI_TRACK_NONE, err);
	e->by = x;
	return rc < 0 ? rc : flt_ctx_new(e->program, e->walk.state, &e->ctx, err);
}

/*
 * To where @num has just happened. Return: 1, 0: the deadline came before, or the end of the
 * capture (then the walk is over), or ERR_*.
 */
static int go_to(struct tui_events *e, uint64_t num, uint64_t deadline_ns, struct error *err)
{
	const struct sf_index *x = index_of(e);
	uint64_t here = tui_walk_num(&e->walk), begins = 0;
	const struct sf_chunk *chunks;
	size_t chunk = 0, n;
	int rc = 0;

	if (x) {
		chunks = sf_index_chunks(x, &n);
		chunk = tui_walk_chunk(x, sf_index_find_event(x, num + 1), TUI_TRACK_NONE);
		begins = chunks[chunk].events;
	}
	if (!e->walk.state || e->by != x || here > num || here < begins)
		rc = enter(e, chunk, err);
	if (rc < 0) {
		leave(e);
		return rc;
	}
	return tui_walk_pass_to(&e->walk, num, deadline_ns, err);
}

/* --- rows */

static bool passes(struct tui_events *e, const struct state_binding *b)
{
	if (!b->visible)
		return false;
	if (e->pid >= 0 && (!b->thread || b->thread->pid != e->pid))
		return false;
	flt_ctx_event(e->ctx, b);
	return !e->has_filter || flt_match(e->ctx, e->filter);
}

/* The parts of a format, those that are absent left out. */
static void render(struct tui_events *e, const struct flt_format *f, struct buf *out)
{
	struct flt_part part;

	for (size_t i = 0; flt_format_part(f, i, &part); i++)
		(void)flt_format_part_text(e->ctx, f, i, out);
}

/* All texts, one behind the other, into e->text; where each ends into @ends. */
static void render_all(struct tui_events *e, size_t *ends)
{
	buf_reset(&e->text);
	for (size_t i = 0; i < e->column_count; i++) {
		size_t from = e->text.len;

		render(e, e->columns[i], &e->text);
		if (e->text.len > from + CELL_MAX)
			e->text.len = from + CELL_MAX;
		ends[i] = e->text.len;
	}
}

static struct row *new_row(struct tui_events *e, const struct state_binding *b)
{
	size_t ends[COLUMNS_MAX], from = 0;
	const struct ev *ev = b->ev;
	struct row *row;
	char *text;

	render_all(e, ends);
	if (e->text.failed)
		return NULL;
	row = malloc(sizeof(*row) + e->column_count * sizeof(struct sv) + e->text.len);
	if (!row)
		return NULL;
	text = (char *)(row->cells + e->column_count);
	if (e->text.len)
		memcpy(text, e->text.p, e->text.len);
	for (size_t i = 0; i < e->column_count; i++) {
		row->cells[i] = sv_make(text + from, ends[i] - from);
		from = ends[i];
	}
	row->ev = (struct tui_event){
	    .num = ev->num,
	    .offset = ev->offset,
	    .ts = ev->ts,
	    .tid = ev->tid,
	    .type = ev_info(ev)->name,
	    .enter = !ev_type_is_exit(ev->type),
	    .failed = b->errcode != 0,
	    .gap = e->gap,
	    .lost = e->lost,
	    .damaged = e->damaged,
	    .skipped = e->skipped,
	    .cells = row->cells,
	};
	forget_gaps(e);
	return row;
}

/* Can only an event of another type pass? */
static bool is_passed_by(const struct tui_events *e)
{
	const struct ev_item *item = &e->walk.item;

	return e->skips && item->kind == EV_ITEM_EVENT &&
	       !flt_types_has(&e->skip.types, item->ev->type);
}

/* What the reader stepped over between the last event and the next one. */
static void note_damage(struct tui_events *e)
{
	const struct sf_gap *gaps;
	size_t n;

	gaps = sf_reader_gaps(e->walk.reader, &n);
	while (n-- && gaps[n].offset > e->walk.last_offset) {
		if (gaps[n].reason == SF_GAP_RECORDED || gaps[n].offset >= e->walk.item.ev->offset)
			continue;
		e->damaged = true;
		e->skipped += gaps[n].bytes;
	}
}

/* Take the next item; if it is an event that passes, it is added to @r. Return: 0 or ERR_*. */
static int take(struct tui_events *e, struct rows *r, struct error *err)
{
	bool pass = is_passed_by(e);
	struct state_binding b;
	int rc;

	if (e->walk.item.kind == EV_ITEM_LOSS) {
		e->gap = true;
		e->lost += e->walk.item.loss->count;
	}
	if (e->walk.item.kind == EV_ITEM_EVENT)
		note_damage(e);
	rc = tui_walk_take(&e->walk, pass, &b, err);
	if (rc <= 0 || pass || !passes(e, &b))
		return rc < 0 ? rc : 0;
	r->at[r->count] = new_row(e, &b);
	if (!r->at[r->count])
		return error_nomem(err);
	r->count++;
	return 0;
}

/* Take up to event @to, until there are @n rows. Return: 1, 0: @deadline_ns, or the end, or ERR_*.
 */
static int take_many(struct tui_events *e, struct rows *r, size_t n, uint64_t to,
		     uint64_t deadline_ns, struct error *err)
{
	uint64_t looked = 0;
	int rc;

	while (tui_walk_num(&e->walk) < to && r->count < n) {
		rc = tui_walk_peek(&e->walk, err);
		if (rc <= 0)
			return rc;
		rc = take(e, r, err);
		if (rc < 0)
			return rc;
		if (++looked % LOOK_AROUND == 0 && deadline_ns &&
		    clock_ns(CLOCK_MONOTONIC) > deadline_ns)
			return 0;
	}
	return 1;
}

/* --- longer at the upper end */

/* Events up to *@to are of @e->hi's chunk; chunks in which nothing can pass are jumped over. */
static void jump(struct tui_events *e, uint64_t *to)
{
	const struct sf_index *x = index_of(e);
	const struct sf_chunk *chunks;
	size_t n, i;

	*to = UINT64_MAX;
	if (!x || !e->skips)
		return;
	chunks = sf_index_chunks(x, &n);
	i = sf_index_find_event(x, e->hi);
	if (chunks[i].events + 1 == e->hi) {
		while (i < n && !run_skip_may_pass(&e->skip, &chunks[i]))
			i++;
		e->at_end = i == n;
		e->hi = e->at_end ? sf_index_facts(x)->events + 1 : chunks[i].events + 1;
	}
	if (i + 1 < n)
		*to = chunks[i + 1].events;
}

static void make_room(struct tui_events *e)
{
	if (e->rows.count < ROWS_MAX)
		return;
	drop_rows(&e->rows, 0, ROWS_MAX / 2);
	e->lo = e->rows.at[0]->ev.num;
}

/* Until @n rows more are there, or the end. Return: 1, 0: @deadline_ns came before, or ERR_*. */
static int extend(struct tui_events *e, size_t n, uint64_t deadline_ns, struct error *err)
{
	size_t want;
	uint64_t to;
	int rc = 1;

	make_room(e);
	for (want = e->rows.count + n; rc > 0 && e->rows.count < want && !e->at_end;) {
		jump(e, &to);
		if (e->at_end)
			break;
		rc = go_to(e, e->hi - 1, deadline_ns, err);
		if (rc > 0)
			rc = take_many(e, &e->rows, want, to, deadline_ns, err);
		if (rc >= 0 && tui_walk_num(&e->walk) >= e->hi)
			e->hi = tui_walk_num(&e->walk) + 1;
		e->at_end = rc == 0 && e->walk.over;
	}
	return e->at_end ? 1 : rc;
}

/* --- longer at the lower end */

/* Nothing that passes is in the chunks right before @e->lo: the number where the rest begins. */
static uint64_t chunk_before(struct tui_events *e)
{
	const struct sf_index *x = index_of(e);
	const struct sf_chunk *chunks;
	size_t n, i;

	if (!x)
		return 1;
	chunks = sf_index_chunks(x, &n);
	i = sf_index_find_event(x, e->lo - 1);
	while (e->skips && !run_skip_may_pass(&e->skip, &chunks[i])) {
		e->lo = chunks[i].events + 1;
		if (!i)
			break;
		i--;
	}
	return chunks[i].events + 1;
}

/* What was found becomes part of the rows; those at the upper end give way. */
static void prepend(struct tui_events *e)
{
	struct rows *r = &e->rows, *b = &e->back;

	if (r->count + b->count > ROWS_MAX && r->count > ROWS_MAX / 2) {
		e->hi = r->at[ROWS_MAX / 2]->ev.num;
		e->at_end = false;
		drop_rows(r, ROWS_MAX / 2, r->count - ROWS_MAX / 2);
	}
	memmove(r->at + b->count, r->at, r->count * sizeof(*r->at));
	memcpy(r->at, b->at, b->count * sizeof(*b->at));
	r->count += b->count;
	b->count = 0;
	e->lo = e->back_from;
	e->back_from = 0;
	e->back_began = false;
}

/* Where to look next: not far at first, further if that gave little. */
static void begin_back(struct tui_events *e)
{
	uint64_t from = chunk_before(e);

	if (e->lo <= from) {
		e->back_from = 0;
		return;
	}
	e->back_from = e->lo - from > e->span ? e->lo - e->span : from;
}

/* What was found last is asked for: of many, the first ones are not. */
static void limit_back(struct tui_events *e)
{
	struct rows *b = &e->back;

	if (b->count < ROWS_MAX / 2)
		return;
	drop_rows(b, 0, ROWS_MAX / 4);
	e->back_from = b->at[0]->ev.num;
}

/* All from @e->back_from up to @e->lo. Return: 1, 0: @deadline_ns came before, or ERR_*. */
static int look_back(struct tui_events *e, uint64_t deadline_ns, struct error *err)
{
	int rc = 1;

	if (!e->back_began || tui_walk_num(&e->walk) != e->back_at) {
		drop_rows(&e->back, 0, e->back.count);
		e->back_began = false;
		rc = go_to(e, e->back_from - 1, deadline_ns, err);
		e->back_began = rc > 0;
	}
	while (rc > 0 && tui_walk_num(&e->walk) + 1 < e->lo) {
		limit_back(e);
		rc = take_many(e, &e->back, ROWS_MAX / 2, e->lo - 1, deadline_ns, err);
	}
	e->back_at = tui_walk_num(&e->walk);
	return rc;
}

/* There is less than was thought. */
static void end_here(struct tui_events *e)
{
	e->events = tui_walk_num(&e->walk);
	e->hi = e->events + 1;
	if (e->lo > e->hi)
		e->lo = e->hi;
	e->at_end = true;
	if (e->back_from > e->lo)
		e->back_from = 0;
}

/* Until @n rows more are there, or the start. Return: 1, 0: @deadline_ns came before, or ERR_*. */
static int extend_back(struct tui_events *e, size_t n, uint64_t deadline_ns, struct error *err)
{
	size_t found;
	int rc;

	for (size_t got = 0; got < n && e->lo > 1; got += found) {
		found = 0;
		if (!e->back_from)
			begin_back(e);
		if (!e->back_from)
			continue;
		rc = look_back(e, deadline_ns, err);
		if (rc == 0 && e->walk.over) {
			end_here(e);
			if (!e->back_from)
				continue;
			rc = 1;
		}
		if (rc <= 0)
			return rc;
		found = e->back.count;
		prepend(e);
		if (found < n)
			e->span *= e->span < UINT32_MAX ? SPAN_FACTOR : 1;
		else if (found > 8 * n && e->span > SPAN_MIN)
			e->span /= SPAN_FACTOR;
	}
	return 1;
}

/* --- windows */

/* The first row at or behind @num. */
static size_t row_at(const struct tui_events *e, uint64_t num)
{
	size_t from = 0, to = e->rows.count;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (e->rows.at[mid]->ev.num < num)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static void begin_at(struct tui_events *e, uint64_t num)
{
	drop_rows(&e->rows, 0, e->rows.count);
	drop_rows(&e->back, 0, e->back.count);
	e->back_from = 0;
	e->back_began = e->at_end = false;
	e->lo = e->hi = num;
}

static size_t cut_out(struct tui_events *e, size_t from, size_t n, const struct tui_event **out)
{
	for (size_t i = 0; i < n; i++)
		e->out[i] = e->rows.at[from + i]->ev;
	*out = e->out;
	return n;
}

static int window(struct tui_events *e, uint64_t num, size_t n, uint64_t deadline_ns,
		  const struct tui_event **out, bool *more, uint64_t *at, struct error *err)
{
	size_t i = row_at(e, num), have = e->rows.count - i;
	int rc = 1;

	if (have < n)
		rc = extend(e, n - have, deadline_ns, err);
	if (rc < 0)
		return rc;
	i = row_at(e, num);
	have = e->rows.count - i;
	*more = have > n || !e->at_end;
	if (have > n)
		have = n;
	*at = have == n && n ? e->rows.at[i + n - 1]->ev.num + 1 : e->hi;
	return (int)cut_out(e, i, have, out);
}

static int window_back(struct tui_events *e, uint64_t num, size_t n, uint64_t deadline_ns,
		       const struct tui_event **out, bool *more, uint64_t *at, struct error *err)
{
	size_t have = row_at(e, num);
	int rc = 1;

	if (have < n)
		rc = extend_back(e, n - have, deadline_ns, err);
	if (rc < 0)
		return rc;
	have = row_at(e, num);
	*more = have > n || e->lo > 1;
	*at = have >= n && n ? e->rows.at[have - n]->ev.num : e->lo;
	if (have > n)
		return (int)cut_out(e, have - n, n, out);
	return (int)cut_out(e, 0, have, out);
}

int tui_events_window(struct tui_events *e, uint64_t num, bool back, size_t n, uint64_t deadline_ns,
		      const struct tui_event **out, bool *more, uint64_t *at, struct error *err)
{
	const struct sf_index *x = index_of(e);
	uint64_t events = x ? sf_index_facts(x)->events : e->events;
	uint64_t most = events ? events + 1 : UINT64_MAX - 1;
	int rc;

	if (num > most)
		num = most;
	if (num < 1)
		num = 1;
	if (n > WINDOW_MAX)
		n = WINDOW_MAX;
	if (num < e->lo || num > e->hi)
		begin_at(e, num);
	rc = back ? window_back(e, num, n, deadline_ns, out, more, at, err)
		  : window(e, num, n, deadline_ns, out, more, at, err);
	if (rc < 0) {
		begin_at(e, num);
		leave(e);
	}
	return rc;
}
