/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/walk.h"

#include <time.h>

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void resolve_window(struct cli_walk *w, uint64_t first)
{
	w->from = w->window.from_relative ? first + w->window.from : w->window.from;
	w->to = w->window.to_relative ? first + w->window.to
		: w->window.to	      ? w->window.to
				      : UINT64_MAX;
	w->window_known = true;
}

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
	if (deadline && monotonic_ns() > deadline) {
		cli_log(CLI_WARNING, "%s: stopped by --timeout after %llu events", path,
			(unsigned long long)ss->events);
		return CLI_PARTIAL;
	}
	cli_progress(NULL, &p);
	return 0;
}

static int walk_items(struct cli_walk *w, const char *path)
{
	uint64_t deadline = w->common->timeout_ns ? monotonic_ns() + w->common->timeout_ns : 0;
	struct ev_source *src = sf_reader_source(w->reader);
	struct state_binding b;
	struct error err = {0};
	struct ev_item item;
	uint64_t n = 0;
	int rc;

	while ((rc = ev_source_next(src, &item, &err)) > 0) {
		if (w->item)
			w->item(w->arg, w, &item);
		rc = state_feed(w->state, &item, &b, &err);
		if (rc < 0)
			break;
		if (rc > 0 && b.visible) {
			if (!w->window_known)
				resolve_window(w, b.ev->ts);
			rc = b.ev->ts < w->from || b.ev->ts > w->to ? 0 : w->event(w->arg, w, &b);
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

int cli_walk_capture(struct cli_walk *w, const char *path)
{
	const struct sf_options opt = {.want_hash = w->want_hash};
	const struct state_options state_opt = {.host_names = true,
						.no_containers = w->no_containers};
	const struct sf_gap *gaps;
	struct error err = {0};
	size_t n;
	int rc, status;

	w->reader = NULL;
	w->state = NULL;
	w->ctx = NULL;
	w->window_known = w->cut = false;
	rc = sf_reader_open(path, &opt, &w->reader, &err);
	if (rc == 0)
		rc = state_new(&state_opt, &w->state, &err);
	if (rc == 0 && w->program)
		rc = flt_ctx_new(w->program, w->state, &w->ctx, &err);
	status = rc < 0 ? cli_fail(&err) : walk_items(w, path);
	cli_progress_done();
	if (rc == 0) {
		const struct sf_stats *stats = sf_reader_stats(w->reader);

		if (w->end)
			w->end(w->arg, w);
		gaps = sf_reader_gaps(w->reader, &n);
		status = cli_worse(status, cli_tell_gaps(path, gaps, n, stats->gaps));
		if (!w->cut && stats->events == 0 && stats->gaps == 0) {
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
