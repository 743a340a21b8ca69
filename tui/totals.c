/* SPDX-License-Identifier: Apache-2.0 */
/* Counts by time, and those of a whole capture, from which coarse ones are made at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tui/data_internal.h"

#define LOOK_AROUND 65536 /* events between two looks at who waits */

/* --- which lane */

static bool is_named(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* Of a call that succeeded; TUI_LANE_EVENTS: no further one. */
static enum tui_lane lane_of(unsigned type)
{
	static const char *const execs[] = {"execve", "execveat", NULL};
	static const char *const connects[] = {"connect", "accept", "accept4", NULL};
	static const char *const opens[] = {
	    "open", "openat", "openat2", "creat", "open_by_handle_at", NULL};
	const char *name = ev_table[type].name;

	if (!ev_type_is_exit(type))
		return TUI_LANE_EVENTS;
	if (is_named(name, execs))
		return TUI_LANE_EXECS;
	if (is_named(name, connects))
		return TUI_LANE_CONNECTS;
	return is_named(name, opens) ? TUI_LANE_OPENS : TUI_LANE_EVENTS;
}

void tui_bins_init(struct tui_bins *b, uint64_t *memory, uint64_t from, uint64_t to, size_t n)
{
	*b = (struct tui_bins){.from = from, .n = n, .width = (to - from) / n + 1};
	for (unsigned lane = 0; lane < TUI_LANE_COUNT; lane++)
		b->lanes[lane] = memory + lane * n;
	b->number = memory + TUI_LANE_COUNT * n;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		b->of[type] = (uint8_t)lane_of(type);
}

static void count_event(struct tui_bins *b, const struct state_binding *bind)
{
	struct ev *ev = bind->ev;
	size_t i = tui_bins_of(b, ev->ts);
	unsigned lane;
	int64_t ret;

	if (i == b->n)
		return;
	b->lanes[TUI_LANE_EVENTS][i]++;
	if (!b->number[i] || ev->num < b->number[i])
		b->number[i] = ev->num;
	lane = b->of[ev->type];
	if (bind->errcode) {
		b->lanes[TUI_LANE_ERRORS][i]++;
		/* A connection may still come. */
		if (lane != TUI_LANE_CONNECTS || bind->errcode != EINPROGRESS)
			return;
	}
	if (lane != TUI_LANE_EVENTS)
		b->lanes[lane][i]++;
	if (ev_info(ev)->flags & EF_WRITES_TO_FD && ev_return_value(ev, &ret) && ret > 0)
		b->lanes[TUI_LANE_BYTES][i] += (uint64_t)ret;
}

/* What is known is how many between when and when. */
static void count_loss(struct tui_bins *b, const struct ev_loss *l)
{
	size_t from = tui_bins_of(b, l->from), to = tui_bins_of(b, l->to);
	uint64_t count = l->count ? l->count : 1, each;

	if (from == b->n)
		return;
	if (to == b->n || to < from)
		to = from;
	each = count / (to - from + 1);
	b->lanes[TUI_LANE_LOST][from] += count - each * (to - from);
	for (size_t i = from + 1; i <= to; i++)
		b->lanes[TUI_LANE_LOST][i] += each;
}

int tui_bins_take(struct tui_bins *b, struct tui_walk *w, struct error *err)
{
	struct state_binding bind;
	int rc;

	if (w->item.kind == EV_ITEM_LOSS)
		count_loss(b, w->item.loss);
	rc = tui_walk_take(w, false, &bind, err);
	if (rc > 0 && bind.visible)
		count_event(b, &bind);
	return rc;
}

/* --- a whole capture */

static int count_all(struct tui_work *w, struct tui_totals *t, struct tui_walk *walk,
		     struct error *err)
{
	const uint64_t all = sf_index_facts(w->x)->events;
	uint64_t n = 0;
	int rc = tui_walk_enter(walk, w->paths[w->first], NULL, 0, TUI_TRACK_NONE, err);

	while (rc >= 0 && (rc = tui_walk_peek(walk, err)) > 0) {
		rc = tui_bins_take(&t->bins, walk, err);
		if (++n % LOOK_AROUND)
			continue;
		if (tui_work_is_stopped(w))
			return error_set(err, ERR_INTERRUPTED, "stopped");
		tui_work_say(w, "counting", tui_walk_num(walk), all);
	}
	return rc;
}

static void range_of(const struct sf_index *x, uint64_t *from, uint64_t *to)
{
	const struct sf_chunk *chunks;
	size_t n;

	chunks = sf_index_chunks(x, &n);
	*from = UINT64_MAX;
	*to = 0;
	for (size_t i = 0; i < n; i++) {
		if (chunks[i].first_ts < *from)
			*from = chunks[i].first_ts;
		if (chunks[i].last_ts > *to)
			*to = chunks[i].last_ts;
	}
	if (*from > *to)
		*from = *to;
}

int tui_totals_make(struct tui_work *w, struct tui_totals **out, struct error *err)
{
	const size_t memory = (TUI_LANE_COUNT + 1) * (size_t)TUI_TOTALS_BINS;
	struct tui_totals *t = calloc(1, sizeof(*t) + memory * sizeof(t->memory[0]));
	struct tui_walk walk = {0};
	uint64_t from, to;
	int rc;

	if (!t)
		return error_nomem(err);
	range_of(w->x, &from, &to);
	tui_bins_init(&t->bins, t->memory, from, to, TUI_TOTALS_BINS);
	tui_work_say(w, "counting", 0, 0);
	rc = count_all(w, t, &walk, err);
	tui_walk_done(&walk);
	if (rc < 0)
		free(t);
	else
		*out = t;
	return rc;
}
