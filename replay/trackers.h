/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trackers of engine/activity/ side by side on one state, as an index follows them: what they
 * know at the beginning of a chunk becomes parts of its checkpoint.
 * Threads: as the state they follow.
 */
#ifndef REPLAY_TRACKERS_H
#define REPLAY_TRACKERS_H

#include "engine/activity/net.h"
#include "engine/activity/procs.h"
#include "engine/activity/sessions.h"
#include "scapfile/index.h"

#define RUN_OBSERVED 2 /* trackers that observe the state, at most */

struct run_trackers {
	struct act_procs *procs;
	struct act_net *net;
	struct act_sessions *sessions; /* NULL: not followed */
	struct state_observer observers[RUN_OBSERVED];
	unsigned observed;
	bool started;		     /* both that take events know what was there */
	bool wants[EV_TYPE_COUNT];   /* by one of them */
	uint8_t tell[EV_TYPE_COUNT]; /* which of those, once they have started: enum state_tell */
	struct buf parts[5];	     /* of the checkpoint being written */
};

/* @t must be zero and stay where it is. Return: 0 or ERR_NOMEM; run_trackers_done() must follow. */
MUST_CHECK int run_trackers_init(struct run_trackers *t, struct state *st, struct error *err);
/*
 * The same as of the beginning of chunk @i, which has their parts, to go on with @st, the state of
 * run_index_enter(). @gone: with processes and sockets that ended before. Sessions are followed if
 * the chunk has that part. Return: as run_index_procs(); run_trackers_done() must follow.
 */
MUST_CHECK int run_trackers_enter(struct run_trackers *t, const struct sf_index *x, size_t i,
				  bool gone, struct state *st, struct error *err);
void run_trackers_done(struct run_trackers *t);
/* Before the state takes @item. */
void run_trackers_item(struct run_trackers *t, const struct ev_item *item);
/* The state was saved: add what they know to the checkpoint. @room: bytes that what grows with the
 * capture's length may take. */
MUST_CHECK int run_trackers_save(struct run_trackers *t, const struct state *st,
				 struct sf_index_writer *w, uint64_t room, struct error *err);
void run_trackers_take(struct run_trackers *t, const struct state *st,
		       const struct state_binding *b);
/* After state_feed() or state_pass() returned 1. */
static inline void run_trackers_event(struct run_trackers *t, const struct state *st,
				      const struct state_binding *b)
{
	if (!t->started || t->wants[b->ev->type])
		run_trackers_take(t, st, b);
}

#endif
