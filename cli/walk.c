/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/walk.h"

#include <string.h>

#include "base/clock.h"
#include "cli/index.h"
#include "replay/checkpoint.h"

/* Return: 0, or the exit status of a limit that was hit. */
static int check_limits(struct cli_walk *w, const char *path, uint64_t deadline)
{
	const struct state_stats *ss = state_stats(w->state);
	struct run_progress p = {.events = ss->events,
				 .file_done = sf_reader_stats(w->reader)->file_size};

	if (w->common->mem_limit && ss->memory > w->common->mem_limit) {
		cli_log(CLI_WARNING, "%s: stopped by --mem-limit: the state holds %zu bytes", path,
			ss->memory);
		return CLI_PARTIAL;
	}
	if (deadline && clock_ns(CLOCK_MONOTONIC) > deadline) {
		cli_log(CLI_WARNING, "%s: stopped by --timeout after %llu events", path,
			(unsigned long long)ss->events);
		return CLI_PARTIAL;
	}
	cli_progress(NULL, &p);
	return 0;
}

/* --- a moment --- */

int cli_take_moment(const char *option, const char *value, struct cli_moment *out)
{
	*out = (struct cli_moment){.kind = CLI_AT_TIME};
	if (strncmp(value, "evt:", 4) == 0) {
		out->kind = CLI_AT_EVENT;
		if (cli_parse_u64(value + 4, &out->value))
			return 0;
	} else if (cli_parse_time(value, &out->value, &out->relative)) {
		return 0;
	}
	cli_log(CLI_ERROR,
		"--%s %s: expected a time such as 2026-11-22T03:02:21Z, @1795316541.5 or +30s, or "
		"an event such as evt:1234",
		option, value);
	return CLI_USAGE;
}

/* Does @item lie behind the moment? Events without a time of their own never do. */
static bool is_past(struct cli_walk *w, const struct ev_item *item)
{
	const struct cli_moment *at = w->at;
	bool operation = item->kind == EV_ITEM_URING;

	if (item->kind != EV_ITEM_EVENT && item->kind != EV_ITEM_SECTION && !operation)
		return false;
	if (at->kind == CLI_AT_EVENT)
		return state_stats(w->state)->events >= at->value &&
		       (item->kind != EV_ITEM_SECTION || at->value);
	if (at->kind == CLI_AT_END || item->kind == EV_ITEM_SECTION ||
	    (!operation && ev_info(item->ev)->category & EC_METAEVENT))
		return false;
	if (!w->moment && operation && at->relative)
		return false;
	if (!w->moment)
		w->moment = at->relative ? item->ev->ts + at->value : at->value;
	return item->ev->ts > w->moment;
}

/* The state as of the moment, also when no event came. */
static void finish_moment(struct cli_walk *w, const char *path, bool past)
{
	const struct state_stats *ss = state_stats(w->state);

	if (w->at->kind == CLI_AT_EVENT && !past && ss->events < w->at->value)
		cli_log(CLI_WARNING, "%s: --at evt:%llu is after the last event, number %llu", path,
			(unsigned long long)w->at->value, (unsigned long long)ss->events);
	if (w->at->kind == CLI_AT_TIME && !past && w->moment > ss->last_ts)
		cli_log(CLI_WARNING, "%s: --at is after the last event: the end of the capture",
			path);
	if (w->at->kind == CLI_AT_TIME && past && !ss->first_event_ts)
		cli_log(CLI_WARNING, "%s: --at is before the first event: the initial state", path);
	if (w->at->kind == CLI_AT_TIME && past && ss->events && !state_is_complete(w->state))
		cli_log(CLI_WARNING,
			"%s: --at is between two sections: the initial state of the later one",
			path);
	if (!w->moment || w->at->kind != CLI_AT_TIME)
		w->moment = ss->last_ts;
	state_complete(w->state);
	state_settle(w->state, w->moment);
}

static int walk_items(struct cli_walk *w, const char *path)
{
	uint64_t deadline =
	    w->common->timeout_ns ? clock_ns(CLOCK_MONOTONIC) + w->common->timeout_ns : 0;
	struct ev_source *src = sf_reader_source(w->reader);
	struct state_binding b;
	struct error err = {0};
	struct ev_item item;
	uint64_t n = 0;
	int rc;

	while ((rc = ev_source_next(src, &item, &err)) > 0) {
		if ((w->at && is_past(w, &item)) || (w->stop_at && item.offset >= w->stop_at)) {
			w->past = true;
			return 0;
		}
		if (w->item)
			w->item(w->arg, w, &item);
		rc = state_feed(w->state, &item, &b, &err);
		if (rc < 0)
			break;
		if (UNLIKELY(item.kind == EV_ITEM_URING) && w->operation)
			w->operation(w->arg, w, &b);
		if (rc > 0 && w->fed)
			w->fed(w->arg, w, &b);
		if (rc > 0 && w->event && (b.visible || w->internal)) {
			if (UNLIKELY(!w->span.known))
				w->span = run_window_from(&w->window, b.ev->ts);
			rc = run_span_has(&w->span, b.ev->ts) ? w->event(w->arg, w, &b) : 0;
			w->cut = rc != 0;
			if (rc)
				return rc < 0 ? -rc : 0;
		}
		if (UNLIKELY(++n % RUN_PROGRESS_EVENTS == 0))
			rc = check_limits(w, path, deadline);
		else
			rc = 0;
		w->cut = rc || cli_interrupted();
		if (w->cut)
			return rc ? rc : cli_interrupted();
	}
	return rc < 0 ? cli_fail(&err) : 0;
}

/* --- the start --- */

static int open_reader(struct cli_walk *w, const char *path, struct error *err)
{
	const struct sf_options opt = {.want_hash = w->want_hash};

	sf_reader_close(w->reader);
	w->reader = NULL;
	return sf_reader_open(path, &opt, &w->reader, err);
}

/* The chunk before which nothing is of interest. */
static size_t first_chunk(struct cli_walk *w, const struct sf_index *x)
{
	size_t by_time, by_event;

	w->span = run_window_from(&w->window, sf_index_facts(x)->first_ts);
	by_time = w->span.from ? sf_index_find_time(x, w->span.from) : 0;
	by_event = w->first_event ? sf_index_find_event(x, w->first_event) : 0;
	w->stop_at = sf_index_end_of_time(x, w->span.to);
	w->gaps = sf_index_facts(x)->gaps;
	return by_time > by_event ? by_time : by_event;
}

/* Begin where an index says, if there is one. Return: 0 with or without w->state, or ERR_*. */
static int enter(struct cli_walk *w, const char *path, const struct state_options *opt,
		 struct error *err)
{
	struct sf_index *x;
	int rc;

	if (!w->may_enter || !(w->window.from || w->window.to || w->first_event))
		return 0;
	x = cli_index_open(path);
	if (!x)
		return 0;
	rc = run_index_enter(x, first_chunk(w, x), w->reader, opt, &w->state, err);
	sf_index_close(x);
	if (rc == 0)
		return 0;
	cli_log(CLI_WARNING, "the index of '%s': %s; going on without", path, err->msg);
	w->span.known = false;
	w->stop_at = w->gaps = 0;
	return open_reader(w, path, err);
}

int cli_walk_capture(struct cli_walk *w, const char *path)
{
	const struct state_options state_opt = {.host_names = true,
						.no_containers = w->no_containers,
						.suppressed_comms = w->suppressed};
	const struct sf_gap *gaps;
	struct error err = {0};
	uint64_t total;
	size_t n;
	int rc, status;

	w->reader = NULL;
	w->state = NULL;
	w->ctx = NULL;
	w->span = (struct run_span){0};
	w->cut = w->past = false;
	w->stop_at = w->gaps = 0;
	w->moment = 0;
	rc = open_reader(w, path, &err);
	if (rc == 0)
		rc = enter(w, path, &state_opt, &err);
	if (rc == 0 && !w->state)
		rc = state_new(&state_opt, &w->state, &err);
	if (rc == 0 && w->program)
		rc = flt_ctx_new(w->program, w->state, &w->ctx, &err);
	if (rc == 0 && w->begin)
		rc = w->begin(w->arg, w, &err);
	status = rc < 0 ? cli_fail(&err) : walk_items(w, path);
	cli_progress_done();
	if (rc == 0) {
		const struct sf_stats *stats = sf_reader_stats(w->reader);

		if (w->at)
			finish_moment(w, path, w->past);
		if (w->end)
			w->end(w->arg, w);
		gaps = sf_reader_gaps(w->reader, &n);
		/* What was not read has damage, too; unless it was not read on request. */
		total = w->gaps > stats->gaps && !w->cut ? w->gaps : stats->gaps;
		status = cli_worse(status, cli_tell_gaps(path, gaps, n, total));
		cli_tell_state(path, state_stats(w->state));
		if (!w->cut && !w->past && stats->events == 0 && stats->gaps == 0) {
			cli_log(CLI_WARNING, "%s: holds no events", path);
			status = cli_worse(status, CLI_PARTIAL);
		}
	}
	flt_ctx_free(w->ctx);
	state_free(w->state);
	sf_reader_close(w->reader);
	w->ctx = NULL;
	w->state = NULL;
	w->reader = NULL;
	return status;
}
