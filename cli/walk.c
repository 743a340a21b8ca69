/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/walk.h"

#include "base/clock.h"
#include "cli/index.h"
#include "replay/checkpoint.h"

#define WALK_AGAIN (-1) /* reading from the start takes long: an index is to be made */

/* Times of one walk, CLOCK_MONOTONIC; 0: none. */
struct limits {
	uint64_t deadline;
	uint64_t patience; /* until then, reading from the start is fine */
};

/* Return: 0, the exit status of a limit that was hit, or WALK_AGAIN. */
static int check_limits(struct cli_walk *w, const char *path, const struct limits *l)
{
	const struct state_stats *ss = state_stats(w->state);
	struct run_progress p = {.events = ss->events,
				 .file_done = sf_reader_stats(w->reader)->file_size};

	if (w->common->mem_limit && ss->memory > w->common->mem_limit) {
		cli_log(CLI_WARNING, "%s: stopped by --mem-limit: the state holds %zu bytes", path,
			ss->memory);
		return CLI_PARTIAL;
	}
	if (l->patience && !w->reached && clock_ns(CLOCK_MONOTONIC) > l->patience)
		return WALK_AGAIN;
	if (l->deadline && clock_ns(CLOCK_MONOTONIC) > l->deadline) {
		cli_log(CLI_WARNING, "%s: stopped by --timeout after %llu events", path,
			(unsigned long long)ss->events);
		return CLI_PARTIAL;
	}
	cli_progress(NULL, &p);
	return 0;
}

/* --- a moment --- */

int cli_take_moment(const char *option, const char *value, struct run_moment *out)
{
	if (run_moment_parse(value, out))
		return 0;
	cli_log(CLI_ERROR,
		"--%s %s: expected a time such as 2026-11-22T03:02:21Z, @1795316541.5 or +30s, or "
		"an event such as evt:1234",
		option, value);
	return CLI_USAGE;
}

/* The state as of the moment, also when no event came. */
static void finish_moment(struct cli_walk *w, const char *path, bool past)
{
	const struct state_stats *ss = state_stats(w->state);

	if (w->at->kind == RUN_AT_EVENT && !past && ss->events < w->at->value)
		cli_log(CLI_WARNING, "%s: --at evt:%llu is after the last event, number %llu", path,
			(unsigned long long)w->at->value, (unsigned long long)ss->events);
	if (w->at->kind == RUN_AT_TIME && !past && w->moment > ss->last_ts)
		cli_log(CLI_WARNING, "%s: --at is after the last event: the end of the capture",
			path);
	if (w->at->kind == RUN_AT_TIME && past && !ss->first_event_ts)
		cli_log(CLI_WARNING, "%s: --at is before the first event: the initial state", path);
	if (w->at->kind == RUN_AT_TIME && past && ss->events && !state_is_complete(w->state))
		cli_log(CLI_WARNING,
			"%s: --at is between two sections: the initial state of the later one",
			path);
	if (!w->moment || w->at->kind != RUN_AT_TIME)
		w->moment = ss->last_ts;
	state_complete(w->state);
	state_settle(w->state, w->moment);
}

static int on_event(struct cli_walk *w, const struct state_binding *b)
{
	if (!w->reached)
		w->reached = state_stats(w->state)->events >= w->first_event;
	return w->event(w->arg, w, b);
}

static void on_operation(struct cli_walk *w, const struct state_binding *b)
{
	if (!w->span.known || run_span_has(&w->span, b->ev->ts))
		w->reached = true;
	w->operation(w->arg, w, b);
}

/* --- chunks of no interest --- */

static struct state_options state_options_of(const struct cli_walk *w)
{
	return (struct state_options){.host_names = !w->as_rules,
				      .no_containers = w->no_containers,
				      .suppressed_comms = w->suppressed};
}

static void stop(struct cli_walk *w)
{
	flt_ctx_free(w->ctx);
	state_free(w->state);
	sf_reader_close(w->reader);
	w->ctx = NULL;
	w->state = NULL;
	w->reader = NULL;
}

/* The first one from @i on that is of interest; their count if none is. */
static size_t next_chunk(const struct cli_walk *w, size_t i)
{
	const struct sf_chunk *chunks;
	size_t n;

	chunks = sf_index_chunks(w->index, &n);
	while (w->matters && i < n && !w->matters(w->arg, &chunks[i]))
		i++;
	return i;
}

static void is_in_chunk(struct cli_walk *w, size_t i)
{
	const struct sf_chunk *chunks;
	size_t n;

	chunks = sf_index_chunks(w->index, &n);
	w->chunk = i;
	w->chunk_end = w->matters && i + 1 < n ? chunks[i + 1].offset : UINT64_MAX;
}

/* Go on at chunk @i. Return: 0, or ERR_*: the walk is where it was. */
static int jump(struct cli_walk *w, const char *path, size_t i, struct error *err)
{
	const struct state_options opt = state_options_of(w);
	struct sf_reader *reader = NULL;
	struct flt_ctx *ctx = NULL;
	struct state *st = NULL;
	int rc = sf_reader_open(path, NULL, &reader, err);

	if (rc == 0)
		rc = run_index_enter(w->index, i, reader, &opt, &st, err);
	if (rc == 0 && !st)
		rc = error_set(err, ERR_FORMAT, "the checkpoint of chunk %zu is missing", i);
	if (rc == 0 && w->program)
		rc = flt_ctx_new(w->program, st, &ctx, err);
	if (rc < 0) {
		state_free(st);
		sf_reader_close(reader);
		return rc;
	}
	stop(w);
	w->reader = reader;
	w->state = st;
	w->ctx = ctx;
	is_in_chunk(w, i);
	return 0;
}

/* Another chunk begins. Return: true if the walk went on elsewhere, which may be the end. */
static bool skip(struct cli_walk *w, const char *path, uint64_t offset)
{
	const struct sf_chunk *chunks;
	struct error err = {0};
	size_t n, here = w->chunk, next;

	chunks = sf_index_chunks(w->index, &n);
	while (here + 1 < n && chunks[here + 1].offset <= offset)
		here++;
	next = next_chunk(w, here);
	if (next == n) {
		w->past = true;
		return true;
	}
	is_in_chunk(w, here);
	if (next == here)
		return false;
	if (jump(w, path, next, &err) == 0)
		return true;
	cli_log(CLI_WARNING, "the index of '%s': %s; going on without", path, err.msg);
	w->chunk_end = UINT64_MAX;
	return false;
}

static inline bool is_within(struct cli_walk *w, const struct ev *ev)
{
	if (UNLIKELY(!w->span.known))
		w->span = run_window_from(&w->window, ev->ts);
	return run_span_has(&w->span, ev->ts);
}

/* The state takes @item, and the callbacks what came of it. Return: as state_feed(). */
static int look(struct cli_walk *w, const struct ev_item *item, int *status, struct error *err)
{
	struct state_binding b;
	int rc = state_feed(w->state, item, &b, err);

	if (rc < 0)
		return rc;
	if (UNLIKELY(item->kind == EV_ITEM_URING) && w->operation &&
	    !(item->ev->block_flags & EV_STATE_ONLY))
		on_operation(w, &b);
	if (rc > 0 && w->fed)
		w->fed(w->arg, w, &b);
	if (rc > 0 && w->event && (b.visible || w->internal) && is_within(w, b.ev)) {
		*status = on_event(w, &b);
		w->cut = *status != 0;
	}
	return rc;
}

static bool looks_at(const void *arg, unsigned type)
{
	return flt_types_has(arg, type);
}

/*
 * Pass events that are not looked at, until something else comes or it is time to look around: @n,
 * of which that depends, counts them. Return: as ev_source_next(): 1 with an item to be taken.
 */
static int pass_many(struct cli_walk *w, uint64_t *n, struct ev_item *item, struct error *err)
{
	struct state_passing *p = &w->passing;
	int rc;

	p->reader = w->reader;
	p->internal = w->internal;
	p->end = w->stop_at && w->stop_at < w->chunk_end ? w->stop_at : w->chunk_end;
	p->from = w->span.from;
	p->to = w->span.to;
	/* The first event that is looked at says when the window begins. */
	p->max = w->span.known ? run_until_progress(*n) : 0;
	rc = state_pass_on(w->state, p, item, err);
	*n += p->passed;
	w->unseen += p->seen;
	w->reached |= p->seen != 0;
	return rc;
}

/* Return: an exit status, or WALK_AGAIN. */
static int walk_items(struct cli_walk *w, const char *path, const struct limits *l)
{
	struct error err = {0};
	struct ev_item item;
	int rc, status = 0;
	uint64_t n = 0;

	if (w->past)
		return 0;
	while ((rc = w->looked_at ? pass_many(w, &n, &item, &err)
				  : ev_source_next(sf_reader_source(w->reader), &item, &err)) > 0) {
		if (UNLIKELY(item.offset >= w->chunk_end) && skip(w, path, item.offset)) {
			if (w->past)
				return 0;
			continue;
		}
		if ((w->at && run_moment_is_before(w->at, w->state, &item, &w->moment)) ||
		    (w->stop_at && item.offset >= w->stop_at)) {
			w->past = true;
			return 0;
		}
		if (w->item)
			w->item(w->arg, w, &item);
		rc = look(w, &item, &status, &err);
		if (rc < 0)
			break;
		if (w->cut)
			return status < 0 ? -status : 0;
		if (UNLIKELY(++n % RUN_PROGRESS_EVENTS == 0))
			rc = check_limits(w, path, l);
		else
			rc = 0;
		w->cut = rc || cli_interrupted();
		if (w->cut)
			return rc ? rc : cli_interrupted();
	}
	return rc < 0 ? cli_fail(&err) : 0;
}

/* --- the start --- */

/* The chunk before which nothing is of interest. */
static size_t first_chunk(struct cli_walk *w, const struct sf_index *x)
{
	size_t by_time, by_event;

	if (w->at)
		return run_moment_chunk(w->at, x, &w->moment);
	w->span = run_window_from(&w->window, sf_index_facts(x)->first_ts);
	by_time = w->span.from ? sf_index_find_time(x, w->span.from) : 0;
	by_event = w->first_event ? sf_index_find_event(x, w->first_event) : 0;
	w->stop_at = sf_index_end_of_time(x, w->span.to);
	w->gaps = sf_index_facts(x)->gaps;
	return by_time > by_event ? by_time : by_event;
}

/* Is some of the capture of no interest? */
static bool asks_for_part(const struct cli_walk *w)
{
	return w->may_enter && !w->common->no_index &&
	       (w->at || w->window.from || w->window.to || w->first_event || w->matters);
}

/* Is what comes first? */
static bool skips(const struct cli_walk *w)
{
	if (w->at)
		return w->at->kind != RUN_AT_END;
	return w->window.from || w->first_event > 1;
}

/* Begin where an index says. Return: 0 with or without w->state, or ERR_*. */
static int enter(struct cli_walk *w, const struct sf_index *x, const struct state_options *opt,
		 struct error *err)
{
	size_t n, i = next_chunk(w, first_chunk(w, x));

	(void)sf_index_chunks(x, &n);
	w->past = i == n;
	is_in_chunk(w, run_index_with(x, i < n ? i : n - 1, w->parts | 1u << RUN_PART_STATE));
	if (!w->chunk) {
		w->moment = 0;
		return 0;
	}
	return run_index_enter(x, w->chunk, w->reader, opt, &w->state, err);
}

/* To where the callbacks can be called. Return: 0 or ERR_*. */
static int start(struct cli_walk *w, const char *path, const struct sf_index *x, struct error *err)
{
	const struct sf_options opt = {.want_hash = w->want_hash, .read_ahead = true};
	const struct state_options state_opt = state_options_of(w);
	int rc;

	stop(w);
	w->span = (struct run_span){0};
	w->cut = w->past = w->reached = false;
	w->stop_at = w->gaps = w->moment = w->chunk = w->unseen = 0;
	if (w->looked_at)
		state_passing_init(&w->passing, looks_at, w->looked_at);
	w->chunk_end = UINT64_MAX;
	w->index = x;
	rc = sf_reader_open(path, &opt, &w->reader, err);
	if (rc == 0 && x)
		rc = enter(w, x, &state_opt, err);
	if (rc == 0 && !w->state)
		rc = state_new(&state_opt, &w->state, err);
	if (rc == 0 && w->program)
		rc = flt_ctx_new(w->program, w->state, &w->ctx, err);
	if (rc == 0 && w->begin)
		rc = w->begin(w->arg, w, err);
	return rc;
}

static int start_anywhere(struct cli_walk *w, const char *path, struct sf_index **x,
			  struct error *err)
{
	int rc = start(w, path, *x, err);

	if (rc == 0 || !*x || !w->chunk)
		return rc;
	cli_log(rc == ERR_LIMIT ? CLI_DEBUG : CLI_WARNING,
		"the index of '%s': %s; going on without", path, err->msg);
	sf_index_close(*x);
	*x = NULL;
	return start(w, path, NULL, err);
}

/* What is to be told when the walk is over. */
static int finish(struct cli_walk *w, const char *path)
{
	const struct sf_stats *stats = sf_reader_stats(w->reader);
	const struct sf_gap *gaps;
	uint64_t total;
	int status;
	size_t n;

	if (w->at)
		finish_moment(w, path, w->past);
	if (w->end)
		w->end(w->arg, w);
	gaps = sf_reader_gaps(w->reader, &n);
	/* What was not read has damage, too; unless it was not read on request. */
	total = w->gaps > stats->gaps && !w->cut ? w->gaps : stats->gaps;
	status = cli_tell_gaps(path, gaps, n, total);
	cli_tell_state(path, state_stats(w->state));
	if (!w->cut && !w->past && stats->events == 0 && stats->gaps == 0) {
		cli_log(CLI_WARNING, "%s: holds no events", path);
		status = cli_worse(status, CLI_PARTIAL);
	}
	return status;
}

static struct limits limits_of(const struct cli_walk *w, const char *path, bool has_index)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	struct limits l = {0};

	if (w->common->timeout_ns)
		l.deadline = now + w->common->timeout_ns;
	if (!has_index && asks_for_part(w) && skips(w) && !w->common->mem_limit &&
	    cli_index_is_possible(path))
		l.patience = now + cli_index_patience();
	return l;
}

int cli_walk_capture(struct cli_walk *w, const char *path)
{
	struct sf_index *x = asks_for_part(w) ? cli_index_open(path) : NULL;
	struct limits l = limits_of(w, path, x != NULL);
	struct error err = {0};
	int rc = start_anywhere(w, path, &x, &err), status = 0;

	if (rc == 0)
		status = l.patience && !cli_index_patience() ? WALK_AGAIN : walk_items(w, path, &l);
	if (status == WALK_AGAIN) {
		x = cli_index_make(path, l.deadline);
		l.patience = 0;
		rc = start_anywhere(w, path, &x, &err);
		status = rc == 0 ? walk_items(w, path, &l) : 0;
	}
	cli_progress_done();
	status = rc < 0 ? cli_fail(&err) : cli_worse(status, finish(w, path));
	stop(w);
	sf_index_close(x);
	w->index = NULL;
	return status;
}
