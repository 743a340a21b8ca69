/* SPDX-License-Identifier: Apache-2.0 */
/* Going through a capture, past what is of no interest where there is an index. */
#include "replay/checkpoint.h"
#include "replay/index_cache.h"
#include "sqlext/internal.h"

static const struct state_options state_opt = {.host_names = true};

void vtab_walk_close(struct vtab_walk *w)
{
	state_free(w->state);
	sf_reader_close(w->reader);
	sf_index_close(w->index);
	*w = (struct vtab_walk){0};
}

/* The first chunk from @i on that is of interest; their count if none is. */
static size_t next_chunk(const struct vtab_walk *w, size_t i)
{
	const struct sf_chunk *chunks;
	size_t n;

	chunks = sf_index_chunks(w->index, &n);
	while (w->skip && i < n && !run_skip_may_pass(w->skip, &chunks[i]))
		i++;
	return i;
}

static void is_in_chunk(struct vtab_walk *w, size_t i)
{
	const struct sf_chunk *chunks;
	size_t n;

	chunks = sf_index_chunks(w->index, &n);
	w->chunk = i;
	w->chunk_end = w->skip && i + 1 < n ? chunks[i + 1].offset : UINT64_MAX;
}

/* Reader and state at the beginning of chunk @i; what the walk had before is freed. */
static int enter(struct vtab_walk *w, size_t i, struct error *err)
{
	const struct sf_options opt = {.read_ahead = true};
	struct sf_reader *reader = NULL;
	struct state *st = NULL;
	int rc = sf_reader_open(w->path, &opt, &reader, err);

	if (rc == 0 && i)
		rc = run_index_enter(w->index, i, reader, &state_opt, &st, err);
	if (rc == 0 && !st)
		rc = state_new(&state_opt, &st, err);
	if (rc < 0) {
		state_free(st);
		sf_reader_close(reader);
		return rc;
	}
	state_free(w->state);
	sf_reader_close(w->reader);
	w->state = st;
	w->reader = w->passing.reader = reader;
	w->jumps++;
	return 0;
}

static size_t first_chunk(struct vtab_walk *w, const struct vtab_scope *scope)
{
	size_t by_time, by_event;
	uint64_t ts = 0;

	if (scope->at)
		return run_moment_chunk(scope->at, w->index, &ts);
	by_time = scope->from_ts ? sf_index_find_time(w->index, scope->from_ts) : 0;
	by_event = scope->first_num ? sf_index_find_event(w->index, scope->first_num) : 0;
	w->stop_at = sf_index_end_of_time(w->index, scope->to_ts);
	return next_chunk(w, by_time > by_event ? by_time : by_event);
}

/* Is somebody to look at events of @type? */
static bool is_of_interest(const void *arg, unsigned type)
{
	const struct vtab_scope *scope = arg;

	return !scope->skip || flt_types_has(&scope->skip->types, type);
}

int vtab_walk_open(struct vtab_walk *w, struct vtab_conn *conn, const char *path,
		   const struct vtab_scope *scope, struct error *err)
{
	struct error why;
	size_t n, i = 0;

	*w = (struct vtab_walk){.conn = conn,
				.path = path,
				.skip = scope->skip,
				.passes = scope->passes,
				.last_num = scope->last_num,
				.chunk_end = UINT64_MAX,
				.stop_at = UINT64_MAX};
	state_passing_init(&w->passing, is_of_interest, scope);
	w->passing.show = scope->show;
	w->passing.refuses = scope->refuses;
	w->passing.arg = scope->arg;
	for (unsigned type = 0; type < EV_TYPE_COUNT && scope->gates; type++)
		w->passing.ways[type].asks = flt_program_has_gate(scope->gates, type);
	if (!conn->opt.no_index)
		(void)!run_index_find(path, &w->index, NULL);
	if (w->index) {
		i = first_chunk(w, scope);
		(void)sf_index_chunks(w->index, &n);
		if (i == n) {
			w->stop_at = 0;
			i = 0;
		}
		is_in_chunk(w, run_index_with(w->index, i, 1u << RUN_PART_STATE));
		if (w->chunk && enter(w, w->chunk, &why) == 0)
			return 0;
	}
	if (w->chunk) { /* an index that leads nowhere only costs time */
		sf_index_close(w->index);
		w->index = NULL;
		w->chunk_end = w->stop_at = UINT64_MAX;
	}
	return enter(w, 0, err);
}

/* Another chunk begins. Return: 1 if the walk went on elsewhere, 0 if it stays, -1: at the end. */
static int skip(struct vtab_walk *w, uint64_t offset)
{
	const struct sf_chunk *chunks;
	size_t n, here = w->chunk, next;
	struct error why;

	chunks = sf_index_chunks(w->index, &n);
	while (here + 1 < n && chunks[here + 1].offset <= offset)
		here++;
	next = next_chunk(w, here);
	if (next == n)
		return -1;
	is_in_chunk(w, here);
	if (next == here)
		return 0;
	if (enter(w, next, &why) == 0) {
		is_in_chunk(w, next);
		return 1;
	}
	w->chunk_end = UINT64_MAX;
	return 0;
}

/*
 * The next item that nobody was shown and that may be of interest; events that cannot be are passed
 * where they lie. Return: 1, 0 at the end, VTAB_ENOUGH, or ERR_*.
 */
static int read_on(struct vtab_walk *w, struct ev_item *item, struct error *err)
{
	const uint64_t *events = &state_stats(w->state)->events;
	struct state_passing *p = &w->passing;
	int rc, polled;

	if (*events >= w->last_num)
		return 0;
	if (!p->show) /* each item may be that of the moment */
		return ev_source_next(sf_reader_source(w->reader), item, err);
	p->end = w->stop_at < w->chunk_end ? w->stop_at : w->chunk_end;
	p->max = vtab_until_poll(w->conn);
	if (w->last_num - *events < p->max)
		p->max = w->last_num - *events;
	rc = state_pass_on(w->state, p, item, err);
	if (p->passed == 0 || (rc < 0 && rc != VTAB_ENOUGH))
		return rc;
	polled = vtab_poll(w->conn, p->passed, w->state, err);
	return polled < 0 ? polled : rc;
}

/* The next item within what is of interest. Return: 1, 0 at the end, VTAB_ENOUGH, or ERR_*. */
static int next_item(struct vtab_walk *w, struct ev_item *item, struct error *err)
{
	int rc;

	do {
		rc = read_on(w, item, err);
		if (rc <= 0)
			return rc;
		if (UNLIKELY(item->offset >= w->stop_at))
			return 0;
		rc = UNLIKELY(item->offset >= w->chunk_end) ? skip(w, item->offset) : 0;
	} while (rc > 0);
	if (rc < 0)
		return 0;
	rc = vtab_poll(w->conn, 1, w->state, err);
	return rc < 0 ? rc : 1;
}

int vtab_walk_next(struct vtab_walk *w, struct state_binding *b, struct error *err)
{
	struct ev_item item;
	int rc;

	do {
		rc = next_item(w, &item, err);
		if (UNLIKELY(rc <= 0))
			return rc;
		rc = w->passes ? state_pass(w->state, &item, b, err)
			       : state_feed(w->state, &item, b, err);
	} while (rc == 0);
	return rc;
}

int vtab_walk_to(struct vtab_walk *w, const struct run_moment *m, uint64_t *ts, struct error *err)
{
	struct state_binding b;
	struct ev_item item;
	uint64_t moment = 0;
	int rc;

	while ((rc = next_item(w, &item, err)) > 0) {
		if (run_moment_is_before(m, w->state, &item, &moment))
			break;
		rc = state_feed(w->state, &item, &b, err);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	if (!moment || m->kind != RUN_AT_TIME)
		moment = state_stats(w->state)->last_ts;
	state_complete(w->state);
	state_settle(w->state, moment);
	*ts = moment;
	return 0;
}
