/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capture in segments that can be replayed side by side, each from a checkpoint of its index to
 * the beginning of the next; and one of them from there to its end. For files of replay/ only.
 * Threads: a plan is constant once made; who replays a segment fills it, and who passes on its log
 * looks at it when the log has ended.
 */
#ifndef REPLAY_SEGMENTS_H
#define REPLAY_SEGMENTS_H

#include <stdatomic.h>

#include "replay/internal.h"

#define RUN_SEGMENTS_PER_JOB 16 /* at least, so that all threads end at about the same time */
#define RUN_SEGMENT_CHUNKS   4	/* but no longer than that: who is stopped has little to lose */

#define RUN_IMAGE 32 /* bytes of a digest */

struct run_plan {
	const struct run_setup *setup;
	const char *path;
	const struct sf_index *index;
	const atomic_bool *stop;
	struct run_span span; /* as the index has it; unless the window is relative it is right */
	size_t *firsts;	      /* the chunk that a segment begins with, */
	size_t *ends;	      /* and the one it ends before; SIZE_MAX: with the capture */
	size_t count;
};

/* @p: setup, path, index and stop are set. Return: 0 or ERR_NOMEM; run_plan_done() in any case. */
MUST_CHECK int run_plan_make(struct run_plan *p, struct error *err);
void run_plan_done(struct run_plan *p);

struct run_tail { /* of a segment */
	size_t number;
	struct run_span span;
	uint8_t image[RUN_IMAGE]; /* as that of a beginning */
};

struct run_segment {
	const struct run_plan *plan;
	size_t number;
	bool anew; /* from the start of the capture, in silence up to its own; to the end */
	struct run_log log;
	struct run_out *out; /* what is found goes there: the log, unless somebody changed that */
	atomic_uint_fast64_t events; /* so far */
	atomic_bool unwanted;	     /* the replay ends before it */
	bool entered;		     /* whoever makes threads work together looks after it */
	/* Then: */
	bool useless;		      /* the index does not lead there */
	uint8_t begins_as[RUN_IMAGE]; /* reader and state, and the processes */
	/* When the log has ended: */
	int rc;
	struct error err;
	enum run_end end;
	bool last;	      /* the replay ends with it */
	struct run_tail tail; /* unless it is the last */
	struct state *state;  /* if it is */
	struct sf_stats stats;
	struct sf_gap *gaps;
	size_t gap_count;
	size_t peak_state_memory;
};

/* Return: 0 or ERR_NOMEM. */
MUST_CHECK int run_segment_init(struct run_segment *s, const struct run_plan *plan,
				struct error *err);
void run_segment_done(struct run_segment *s); /* zeroed storage is fine */
/* It is segment @number from now on; whatever it was before is forgotten. */
void run_segment_begin(struct run_segment *s, size_t number);
/* Events up to where it is, and up to where it begins. */
uint64_t run_segment_events(const struct run_segment *s);
uint64_t run_segment_start(const struct run_segment *s);
/* Replay it and close its log; @entered is called on the way. */
void run_segment_replay(struct run_segment *s, void (*entered)(void *arg, struct run_segment *s),
			void *arg);
/* Does @s, which has been entered, begin where, and as, the one before it ended? */
bool run_segment_follows(const struct run_segment *s, const struct run_tail *before);

#endif
