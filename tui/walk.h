/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking through a capture from any place an index knows, item by item: what moments, windows of
 * events and counts share. Threads: a walk belongs to one thread; the index may be shared.
 */
#ifndef TUI_WALK_H
#define TUI_WALK_H

#include "replay/checkpoint.h"
#include "replay/trackers.h"

#define TUI_WALK_STEP 16384 /* events that are passed between two looks at the clock */

enum tui_track { /* what follows the state */
		 TUI_TRACK_NONE,
		 TUI_TRACK_THERE, /* trackers that know nothing of what ended before the checkpoint
				   */
		 TUI_TRACK_ALL,
};

struct tui_walk { /* zeroed: nowhere */
	struct sf_reader *reader;
	struct state *state;
	struct run_trackers *trackers; /* NULL: none follow the state */
	struct ev_item item;	       /* the next one, if it is known: not taken yet */
	bool waiting;		       /* it is */
	bool over;		       /* there is no next one */
	uint64_t last_ts, last_offset; /* of the last event taken; 0: none, or entered behind it */
	uint16_t last_type;
	int64_t last_tid;
	struct state_passing passing;
};

/*
 * To the beginning of chunk @i; of the capture if @x is NULL. If something is tracked the
 * checkpoint must have its parts (tui_walk_chunk()). What the walk had before is freed. Return: 0
 * or ERR_*: it is nowhere then.
 */
MUST_CHECK int tui_walk_enter(struct tui_walk *w, const char *path, const struct sf_index *x,
			      size_t i, enum tui_track track, struct error *err);
/* The same with nothing tracked, and users named as rules see them. */
MUST_CHECK int tui_walk_enter_for_rules(struct tui_walk *w, const char *path,
					const struct sf_index *x, size_t i, struct error *err);
/* The same with nothing tracked, and times of calls (tui_walk_call_began()). */
MUST_CHECK int tui_walk_enter_timed(struct tui_walk *w, const char *path, const struct sf_index *x,
				    size_t i, struct error *err);
/* When the call began that the last event ends; 0: not known. A call that began before where @w was
 * entered is not known. */
static inline uint64_t tui_walk_call_began(const struct tui_walk *w)
{
	return sf_reader_call_began(w->reader);
}
void tui_walk_done(struct tui_walk *w);
/* The chunk to enter for what is in chunk @i. */
size_t tui_walk_chunk(const struct sf_index *x, size_t i, enum tui_track track);
/* Number of the last event that was taken; 0: none. */
static inline uint64_t tui_walk_num(const struct tui_walk *w)
{
	return w->state ? state_stats(w->state)->events : 0;
}
/* Make @w->item known. Return: 1, 0 at the end, or ERR_*. */
MUST_CHECK int tui_walk_peek(struct tui_walk *w, struct error *err);
/* Take @w->item. @b: what it is about; not all of it if @pass (state_pass()). Return: as
 * state_feed(). */
MUST_CHECK int tui_walk_take(struct tui_walk *w, bool pass, struct state_binding *b,
			     struct error *err);
/*
 * On to after event @num without a closer look; until @deadline_ns (0: none).
 * Return: 1, 0 when it is later than the deadline or the capture ends before, or ERR_*.
 */
MUST_CHECK int tui_walk_pass_to(struct tui_walk *w, uint64_t num, uint64_t deadline_ns,
				struct error *err);
/* Is event @num best reached by going on, or from a place the index knows? */
bool tui_walk_is_near(const struct tui_walk *w, const struct sf_index *x, uint64_t num);
/* Take event @num, which is yet to come: @b is what it is about. Return: 1, 0: there is no such
 * event, or ERR_*. */
MUST_CHECK int tui_walk_event(struct tui_walk *w, uint64_t num, struct state_binding *b,
			      struct error *err);

#endif
