/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/walk.h"

#include <stdlib.h>

#include "base/clock.h"

static bool looks_at_none(const void *arg, unsigned type)
{
	(void)arg;
	(void)type;
	return false;
}

void tui_walk_done(struct tui_walk *w)
{
	state_free(w->state);
	sf_reader_close(w->reader);
	if (w->trackers)
		run_trackers_done(w->trackers);
	free(w->trackers);
	*w = (struct tui_walk){0};
}

size_t tui_walk_chunk(const struct sf_index *x, size_t i, enum tui_track track)
{
	const unsigned parts = 1u << RUN_PART_PROCS | 1u << RUN_PART_NET;

	return run_index_with(x, i, 1u << RUN_PART_STATE | (track ? parts : 0));
}

static int add_trackers(struct tui_walk *w, const struct sf_index *x, size_t i, bool gone,
			struct error *err)
{
	w->trackers = calloc(1, sizeof(*w->trackers));
	if (!w->trackers)
		return error_nomem(err);
	return x && i ? run_trackers_enter(w->trackers, x, i, gone, w->state, err)
		      : run_trackers_init(w->trackers, w->state, err);
}

/* As the commands that show states name users. */
static const struct state_options as_shown = {.host_names = true};

static int enter(struct tui_walk *w, const char *path, const struct sf_index *x, size_t i,
		 enum tui_track track, bool timed, const struct state_options *state_opt,
		 struct error *err)
{
	const struct sf_options opt = {.read_ahead = true, .call_times = timed};
	int rc;

	tui_walk_done(w);
	state_passing_init(&w->passing, looks_at_none, NULL);
	rc = sf_reader_open(path, &opt, &w->reader, err);
	if (rc == 0 && x && i)
		rc = run_index_enter(x, i, w->reader, state_opt, &w->state, err);
	else if (rc == 0)
		rc = state_new(state_opt, &w->state, err);
	if (rc == 0 && !w->state)
		rc = error_set(err, ERR_FORMAT, "the checkpoint of chunk %zu is missing", i);
	if (rc == 0 && track)
		rc = add_trackers(w, x, i, track == TUI_TRACK_ALL, err);
	w->passing.reader = w->reader;
	if (rc < 0)
		tui_walk_done(w);
	return rc;
}

int tui_walk_enter(struct tui_walk *w, const char *path, const struct sf_index *x, size_t i,
		   enum tui_track track, struct error *err)
{
	return enter(w, path, x, i, track, false, &as_shown, err);
}

int tui_walk_enter_timed(struct tui_walk *w, const char *path, const struct sf_index *x, size_t i,
			 struct error *err)
{
	return enter(w, path, x, i, TUI_TRACK_NONE, true, &as_shown, err);
}

int tui_walk_enter_for_rules(struct tui_walk *w, const char *path, const struct sf_index *x,
			     size_t i, struct error *err)
{
	const struct state_options opt = {0};

	return enter(w, path, x, i, TUI_TRACK_NONE, false, &opt, err);
}

int tui_walk_peek(struct tui_walk *w, struct error *err)
{
	int rc;

	if (w->waiting)
		return 1;
	if (w->over || !w->reader)
		return 0;
	rc = ev_source_next(sf_reader_source(w->reader), &w->item, err);
	w->waiting = rc > 0;
	w->over = rc <= 0;
	return rc;
}

int tui_walk_take(struct tui_walk *w, bool pass, struct state_binding *b, struct error *err)
{
	int rc;

	w->waiting = false;
	if (w->trackers)
		run_trackers_item(w->trackers, &w->item);
	rc = pass ? state_pass(w->state, &w->item, b, err) : state_feed(w->state, &w->item, b, err);
	if (rc > 0) {
		w->last_ts = b->ev->ts;
		w->last_offset = b->ev->offset;
		w->last_tid = b->ev->tid;
		w->last_type = b->ev->type;
		if (w->trackers)
			run_trackers_event(w->trackers, w->state, b);
	}
	w->over |= rc < 0;
	return rc;
}

/* As tui_walk_peek(), but events before @num may have been passed where they lie. */
static int pass_some(struct tui_walk *w, uint64_t num, struct error *err)
{
	uint64_t max = num - tui_walk_num(w) - 1;
	int rc;

	if (w->waiting || w->over || w->trackers || !w->reader)
		return tui_walk_peek(w, err);
	w->passing.max = max < TUI_WALK_STEP ? max : TUI_WALK_STEP;
	rc = state_pass_on(w->state, &w->passing, &w->item, err);
	w->waiting = rc > 0;
	w->over = rc <= 0;
	return rc;
}

int tui_walk_pass_to(struct tui_walk *w, uint64_t num, uint64_t deadline_ns, struct error *err)
{
	uint64_t look = tui_walk_num(w) + TUI_WALK_STEP;
	struct state_binding b;
	int rc;

	while (tui_walk_num(w) < num) {
		rc = pass_some(w, num, err);
		if (rc <= 0)
			return rc;
		rc = tui_walk_take(w, true, &b, err);
		if (rc < 0)
			return rc;
		if (deadline_ns && tui_walk_num(w) >= look) {
			if (clock_ns(CLOCK_MONOTONIC) > deadline_ns)
				return tui_walk_num(w) >= num;
			look = tui_walk_num(w) + TUI_WALK_STEP;
		}
	}
	return 1;
}

bool tui_walk_is_near(const struct tui_walk *w, const struct sf_index *x, uint64_t num)
{
	const uint64_t here = tui_walk_num(w);
	size_t n;

	if (!w->state || here >= num)
		return false;
	return !x ||
	       here >= sf_index_chunks(
			   x, &n)[tui_walk_chunk(x, sf_index_find_event(x, num), TUI_TRACK_NONE)]
			   .events;
}

int tui_walk_event(struct tui_walk *w, uint64_t num, struct state_binding *b, struct error *err)
{
	int rc = tui_walk_pass_to(w, num - 1, 0, err);

	/* What is no event may come before it. */
	while (rc > 0 && tui_walk_num(w) < num) {
		rc = tui_walk_peek(w, err);
		if (rc > 0 && tui_walk_take(w, false, b, err) < 0)
			rc = error_nomem(err);
	}
	return rc;
}
