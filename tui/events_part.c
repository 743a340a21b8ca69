/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/events_part.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SPAN_MIN    1024 /* events looked at anew at the lower end, at least */
#define SPAN_FACTOR 16
#define LOOK_AROUND 512 /* events between two looks at the clock */
#define SPARSE	    16	/* events a row, at least, when it is looked on from where it was */

static void drop_rows(struct tui_rows_found *r, size_t from, size_t n)
{
	for (size_t i = from; i < from + n; i++)
		free(r->at[i]);
	memmove(r->at + from, r->at + from + n, (r->count - from - n) * sizeof(*r->at));
	r->count -= n;
}

void tui_events_part_rest(struct tui_events_part *p)
{
	flt_ctx_free(p->ctx);
	p->ctx = NULL;
	tui_walk_done(&p->walk);
}

int tui_events_part_init(struct tui_events_part *p, struct tui_data *d, size_t capture,
			 struct tui_events_look *look, struct error *err)
{
	p->d = d;
	p->capture = capture;
	p->look = look;
	p->lo = p->hi = 1;
	p->span = SPAN_MIN;
	p->rows.at = calloc(2 * TUI_ROWS_MAX, sizeof(struct tui_row *));
	p->back.at = calloc(2 * TUI_ROWS_MAX, sizeof(struct tui_row *));
	return p->rows.at && p->back.at ? 0 : error_nomem(err);
}

void tui_events_part_done(struct tui_events_part *p)
{
	tui_events_part_rest(p);
	if (p->rows.at)
		drop_rows(&p->rows, 0, p->rows.count);
	if (p->back.at)
		drop_rows(&p->back, 0, p->back.count);
	free(p->rows.at);
	free(p->back.at);
}

/* --- walking */

static const struct sf_index *index_of(const struct tui_events_part *p)
{
	return p->d->files[p->capture].index;
}

static uint64_t version_of(const struct tui_events_part *p)
{
	return p->d->files[p->capture].index_version;
}

static void forget_gaps(struct tui_events_part *p)
{
	p->gap = p->damaged = false;
	p->lost = p->skipped = 0;
}

static int enter(struct tui_events_part *p, size_t chunk, struct error *err)
{
	const struct tui_file *f = &p->d->files[p->capture];
	int rc;

	tui_events_part_rest(p);
	forget_gaps(p);
	rc = tui_walk_enter(&p->walk, f->path, f->index, chunk, TUI_TRACK_NONE, err);
	if (rc == 0)
		rc = flt_ctx_new(p->look->program, p->walk.state, &p->ctx, err);
	if (rc < 0)
		tui_events_part_rest(p);
	p->by = version_of(p);
	return rc;
}

/* The walk came to the end, and that of a file as it was when it began is not that of now. */
static bool is_at_end(const struct tui_events_part *p)
{
	return p->walk.over && p->by == version_of(p);
}

/*
 * To where @num has just happened. Return: 1, 0: the deadline came before, or the end of the
 * capture, or ERR_*.
 */
static int go_to(struct tui_events_part *p, uint64_t num, uint64_t deadline_ns, struct error *err)
{
	const struct sf_index *x = index_of(p);
	uint64_t here = tui_walk_num(&p->walk), begins = 0;
	const struct sf_chunk *chunks;
	size_t chunk = 0, n;
	int rc = 0;

	if (x) {
		chunks = sf_index_chunks(x, &n);
		chunk = tui_walk_chunk(x, sf_index_find_event(x, num + 1), TUI_TRACK_NONE);
		begins = chunks[chunk].events;
	}
	if (!p->walk.state || p->walk.over || here > num || here < begins)
		rc = enter(p, chunk, err);
	if (rc == 0)
		rc = tui_walk_pass_to(&p->walk, num, deadline_ns, err);
	if (rc || !p->walk.over || is_at_end(p))
		return rc;
	rc = enter(p, chunk, err);
	return rc < 0 ? rc : tui_walk_pass_to(&p->walk, num, deadline_ns, err);
}

/* --- rows */

static bool passes(struct tui_events_part *p, const struct state_binding *b)
{
	if (!b->visible)
		return false;
	if (p->look->pid >= 0 && (!b->thread || b->thread->pid != p->look->pid))
		return false;
	flt_ctx_event(p->ctx, b);
	return !p->look->has_filter || flt_match(p->ctx, p->look->filter);
}

/* The parts of a format, those that are absent left out. */
static void render(struct tui_events_part *p, const struct flt_format *f, struct buf *out)
{
	struct flt_part part;

	for (size_t i = 0; flt_format_part(f, i, &part); i++)
		(void)flt_format_part_text(p->ctx, f, i, out);
}

/* All texts, one behind the other, into p->look->text; where each ends into @ends. */
static void render_all(struct tui_events_part *p, size_t *ends)
{
	buf_reset(&p->look->text);
	for (size_t i = 0; i < p->look->column_count; i++) {
		size_t from = p->look->text.len;

		render(p, p->look->columns[i], &p->look->text);
		if (p->look->text.len > from + TUI_CELL_MAX)
			p->look->text.len = from + TUI_CELL_MAX;
		ends[i] = p->look->text.len;
	}
}

static struct tui_row *new_row(struct tui_events_part *p, const struct state_binding *b)
{
	size_t ends[TUI_COLUMNS_MAX], from = 0;
	const struct ev *ev = b->ev;
	struct tui_row *row;
	char *text;

	render_all(p, ends);
	if (p->look->text.failed)
		return NULL;
	row = malloc(sizeof(*row) + p->look->column_count * sizeof(struct sv) + p->look->text.len);
	if (!row)
		return NULL;
	text = (char *)(row->cells + p->look->column_count);
	if (p->look->text.len)
		memcpy(text, p->look->text.p, p->look->text.len);
	for (size_t i = 0; i < p->look->column_count; i++) {
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
	    .gap = p->gap,
	    .lost = p->lost,
	    .damaged = p->damaged,
	    .skipped = p->skipped,
	    .cells = row->cells,
	};
	forget_gaps(p);
	return row;
}

/* Can only an event of another type pass? */
static bool is_passed_by(const struct tui_events_part *p)
{
	const struct ev_item *item = &p->walk.item;

	return p->look->skips && item->kind == EV_ITEM_EVENT &&
	       !flt_types_has(&p->look->skip.types, item->ev->type);
}

/* What the reader stepped over between the last event and the next one. */
static void note_damage(struct tui_events_part *p)
{
	const struct sf_gap *gaps;
	size_t n;

	gaps = sf_reader_gaps(p->walk.reader, &n);
	while (n-- && gaps[n].offset > p->walk.last_offset) {
		if (gaps[n].reason == SF_GAP_RECORDED || gaps[n].offset >= p->walk.item.ev->offset)
			continue;
		p->damaged = true;
		p->skipped += gaps[n].bytes;
	}
}

/* Take the next item; if it is an event that passes, it is added to @r. Return: 0 or ERR_*. */
static int take(struct tui_events_part *p, struct tui_rows_found *r, struct error *err)
{
	bool pass = is_passed_by(p);
	struct state_binding b;
	int rc;

	if (p->walk.item.kind == EV_ITEM_LOSS) {
		p->gap = true;
		p->lost += p->walk.item.loss->count;
	}
	if (p->walk.item.kind == EV_ITEM_EVENT)
		note_damage(p);
	rc = tui_walk_take(&p->walk, pass, &b, err);
	if (rc <= 0 || pass || !passes(p, &b))
		return rc < 0 ? rc : 0;
	r->at[r->count] = new_row(p, &b);
	if (!r->at[r->count])
		return error_nomem(err);
	r->count++;
	return 0;
}

/* Take up to event @to, until there are @n rows. Return: 1, 0: @deadline_ns, or the end, or ERR_*.
 */
static int take_many(struct tui_events_part *p, struct tui_rows_found *r, size_t n, uint64_t to,
		     uint64_t deadline_ns, struct error *err)
{
	uint64_t looked = 0;
	int rc;

	while (tui_walk_num(&p->walk) < to && r->count < n) {
		rc = tui_walk_peek(&p->walk, err);
		if (rc <= 0)
			return rc;
		rc = take(p, r, err);
		if (rc < 0)
			return rc;
		if (++looked % LOOK_AROUND == 0 && deadline_ns &&
		    clock_ns(CLOCK_MONOTONIC) > deadline_ns)
			return 0;
	}
	return 1;
}

/* --- longer at the upper end */

/*
 * Events up to *@to are of @p->hi's chunk; chunks in which nothing can pass are jumped over, and
 * what its index does not know is not looked at: it may be half of an event.
 */
static void jump(struct tui_events_part *p, uint64_t *to)
{
	const struct sf_index *x = index_of(p);
	const struct sf_chunk *chunks;
	size_t n, i;

	*to = UINT64_MAX;
	if (!x)
		return;
	*to = sf_index_facts(x)->events;
	if (p->look->skips && p->hi <= *to) {
		chunks = sf_index_chunks(x, &n);
		i = sf_index_find_event(x, p->hi);
		if (chunks[i].events + 1 == p->hi) {
			while (i < n && !run_skip_may_pass(&p->look->skip, &chunks[i]))
				i++;
			p->hi = i == n ? *to + 1 : chunks[i].events + 1;
		}
		if (i + 1 < n)
			*to = chunks[i + 1].events;
	}
	p->at_end = p->hi > sf_index_facts(x)->events;
}

static void make_room(struct tui_events_part *p)
{
	if (p->rows.count < TUI_ROWS_MAX)
		return;
	drop_rows(&p->rows, 0, TUI_ROWS_MAX / 2);
	p->lo = p->rows.at[0]->ev.num;
}

/*
 * From @p->hi on some way towards event @to, until there are @count rows. Return: 1, 0:
 * @deadline_ns came before, or ERR_*.
 */
static int go_on(struct tui_events_part *p, size_t count, uint64_t to, uint64_t deadline_ns,
		 struct error *err)
{
	uint64_t end;
	int rc;

	jump(p, &end);
	if (p->at_end || p->hi > to)
		return 1;
	rc = go_to(p, p->hi - 1, deadline_ns, err);
	if (rc > 0)
		rc = take_many(p, &p->rows, count, end < to ? end : to, deadline_ns, err);
	if (rc >= 0 && tui_walk_num(&p->walk) >= p->hi)
		p->hi = tui_walk_num(&p->walk) + 1;
	if (rc || !p->walk.over)
		return rc;
	p->at_end = is_at_end(p);
	return 1;
}

/* Until @n rows more are there, or the end. Return: 1, 0: @deadline_ns came before, or ERR_*. */
static int extend(struct tui_events_part *p, size_t n, uint64_t deadline_ns, struct error *err)
{
	size_t want;
	int rc = 1;

	make_room(p);
	for (want = p->rows.count + n; rc > 0 && p->rows.count < want && !p->at_end;)
		rc = go_on(p, want, UINT64_MAX, deadline_ns, err);
	return rc;
}

/* --- longer at the lower end */

/* Nothing that passes is in the chunks right before @p->lo: the number where the rest begins. */
static uint64_t chunk_before(struct tui_events_part *p)
{
	const struct sf_index *x = index_of(p);
	const struct sf_chunk *chunks;
	size_t n, i;

	if (!x)
		return 1;
	chunks = sf_index_chunks(x, &n);
	i = sf_index_find_event(x, p->lo - 1);
	while (p->look->skips && !run_skip_may_pass(&p->look->skip, &chunks[i])) {
		p->lo = chunks[i].events + 1;
		if (!i)
			break;
		i--;
	}
	return chunks[i].events + 1;
}

/* What was found becomes part of the rows; those at the upper end give way. */
static void prepend(struct tui_events_part *p)
{
	struct tui_rows_found *r = &p->rows, *b = &p->back;

	if (r->count + b->count > TUI_ROWS_MAX && r->count > TUI_ROWS_MAX / 2) {
		p->hi = r->at[TUI_ROWS_MAX / 2]->ev.num;
		p->at_end = false;
		drop_rows(r, TUI_ROWS_MAX / 2, r->count - TUI_ROWS_MAX / 2);
	}
	memmove(r->at + b->count, r->at, r->count * sizeof(*r->at));
	memcpy(r->at, b->at, b->count * sizeof(*b->at));
	r->count += b->count;
	b->count = 0;
	p->lo = p->back_from;
	p->back_from = 0;
	p->back_began = false;
}

/* Where to look next: not far at first, further if that gave little. */
static void begin_back(struct tui_events_part *p)
{
	uint64_t from = chunk_before(p);

	if (p->lo <= from) {
		p->back_from = 0;
		return;
	}
	p->back_from = p->lo - from > p->span ? p->lo - p->span : from;
}

/* What was found last is asked for: of many, the first ones are not. */
static void limit_back(struct tui_events_part *p)
{
	struct tui_rows_found *b = &p->back;

	if (b->count < TUI_ROWS_MAX / 2)
		return;
	drop_rows(b, 0, TUI_ROWS_MAX / 4);
	p->back_from = b->at[0]->ev.num;
}

/* All from @p->back_from up to @p->lo. Return: 1, 0: @deadline_ns came before, or ERR_*. */
static int look_back(struct tui_events_part *p, uint64_t deadline_ns, struct error *err)
{
	int rc = 1;

	if (!p->back_began || tui_walk_num(&p->walk) != p->back_at ||
	    (p->walk.over && !is_at_end(p))) {
		drop_rows(&p->back, 0, p->back.count);
		p->back_began = false;
		rc = go_to(p, p->back_from - 1, deadline_ns, err);
		p->back_began = rc > 0;
	}
	while (rc > 0 && tui_walk_num(&p->walk) + 1 < p->lo) {
		limit_back(p);
		rc = take_many(p, &p->back, TUI_ROWS_MAX / 2, p->lo - 1, deadline_ns, err);
	}
	p->back_at = tui_walk_num(&p->walk);
	return rc;
}

/* There is less than was thought. */
static void end_here(struct tui_events_part *p)
{
	p->events = tui_walk_num(&p->walk);
	p->hi = p->events + 1;
	if (p->lo > p->hi)
		p->lo = p->hi;
	p->at_end = true;
	if (p->back_from > p->lo)
		p->back_from = 0;
}

/* Until @n rows more are there, or the start. Return: 1, 0: @deadline_ns came before, or ERR_*. */
static int extend_back(struct tui_events_part *p, size_t n, uint64_t deadline_ns, struct error *err)
{
	size_t found;
	int rc;

	for (size_t got = 0; got < n && p->lo > 1; got += found) {
		found = 0;
		if (!p->back_from)
			begin_back(p);
		if (!p->back_from)
			continue;
		rc = look_back(p, deadline_ns, err);
		if (rc == 0 && is_at_end(p)) {
			end_here(p);
			if (!p->back_from)
				continue;
			rc = 1;
		}
		if (rc <= 0)
			return rc;
		found = p->back.count;
		prepend(p);
		if (found < n)
			p->span *= p->span < UINT32_MAX ? SPAN_FACTOR : 1;
		else if (found > 8 * n && p->span > SPAN_MIN)
			p->span /= SPAN_FACTOR;
	}
	return 1;
}

/* --- windows */

/* The first row at or behind @num. */
static size_t row_at(const struct tui_events_part *p, uint64_t num)
{
	size_t from = 0, to = p->rows.count;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (p->rows.at[mid]->ev.num < num)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static void begin_at(struct tui_events_part *p, uint64_t num)
{
	drop_rows(&p->rows, 0, p->rows.count);
	drop_rows(&p->back, 0, p->back.count);
	p->back_from = 0;
	p->back_began = p->at_end = false;
	p->lo = p->hi = num;
}

static int window(struct tui_events_part *p, uint64_t num, size_t n, uint64_t deadline_ns,
		  struct tui_row *const **out, bool *more, uint64_t *at, struct error *err)
{
	size_t i = row_at(p, num), have = p->rows.count - i;
	int rc = 1;

	if (have < n)
		rc = extend(p, n - have, deadline_ns, err);
	if (rc < 0)
		return rc;
	i = row_at(p, num);
	have = p->rows.count - i;
	*more = have > n || !p->at_end;
	if (have > n)
		have = n;
	*at = have == n && n ? p->rows.at[i + n - 1]->ev.num + 1 : p->hi;
	*out = p->rows.at + i;
	return (int)have;
}

static int window_back(struct tui_events_part *p, uint64_t num, size_t n, uint64_t deadline_ns,
		       struct tui_row *const **out, bool *more, uint64_t *at, struct error *err)
{
	size_t have = row_at(p, num);
	int rc = 1;

	if (have < n)
		rc = extend_back(p, n - have, deadline_ns, err);
	if (rc < 0)
		return rc;
	have = row_at(p, num);
	*more = have > n || p->lo > 1;
	*at = have >= n && n ? p->rows.at[have - n]->ev.num : p->lo;
	if (have < n)
		n = have;
	*out = p->rows.at + have - n;
	return (int)n;
}

/* --- captures that grow */

/* Was everything looked at up to what was the end, so that only what came since is to be? With many
 * rows among it, what is before @num is found sooner by looking back from there. */
static bool is_grown(const struct tui_events_part *p, uint64_t num)
{
	return num > p->hi && p->lo < p->hi && p->hi >= p->edge &&
	       p->rows.count < (p->hi - p->lo) / SPARSE;
}

/* Return: 1: all events before @num were looked at, 0: @deadline_ns came before, or ERR_*. */
static int catch_up(struct tui_events_part *p, uint64_t num, uint64_t deadline_ns,
		    struct error *err)
{
	int rc = 1;

	while (rc > 0 && p->hi < num && !p->at_end) {
		make_room(p);
		rc = go_on(p, 2 * TUI_ROWS_MAX, num - 1, deadline_ns, err);
	}
	return rc;
}

/* What is behind the end that was known is looked for anew. */
static void look_at_index(struct tui_events_part *p)
{
	if (p->known == version_of(p))
		return;
	p->known = version_of(p);
	p->events = 0;
	p->at_end = false;
}

int tui_events_part_window(struct tui_events_part *p, uint64_t num, bool back, size_t n,
			   uint64_t deadline_ns, struct tui_row *const **out, bool *more,
			   uint64_t *at, struct error *err)
{
	const struct sf_index *x = index_of(p);
	uint64_t most;
	int rc = 1;

	look_at_index(p);
	if (x)
		p->events = sf_index_facts(x)->events;
	most = p->events ? p->events + 1 : UINT64_MAX - 1;
	if (p->hi > most) /* what grows may have more than its index knows */
		most = p->hi;
	if (num > most)
		num = most;
	if (num < 1)
		num = 1;
	if (is_grown(p, num))
		rc = catch_up(p, num, deadline_ns, err);
	else if (num < p->lo || num > p->hi)
		begin_at(p, num);
	if (rc > 0) {
		p->edge = most;
		rc = back ? window_back(p, num, n, deadline_ns, out, more, at, err)
			  : window(p, num, n, deadline_ns, out, more, at, err);
	} else if (rc == 0) {
		*more = true;
		*at = num;
		*out = p->rows.at;
	}
	if (rc < 0) {
		begin_at(p, num);
		tui_events_part_rest(p);
	}
	return rc;
}
