/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays that begin in the middle: building the index of a capture in one pass over it, and going
 * on from one of its checkpoints. A checkpoint is where the reader is and what the state holds
 * there; what conditions and formats remember from event to event begins anew.
 * Threads: as for replay.h.
 */
#ifndef REPLAY_CHECKPOINT_H
#define REPLAY_CHECKPOINT_H

#include "engine/state/state.h"
#include "replay/replay.h"
#include "scapfile/index.h"

struct run_index_options {
	uint64_t chunk_events; /* from one checkpoint to the next; 0: RUN_CHUNK_EVENTS */
	void (*progress)(void *arg, const struct run_progress *p);
	void *progress_arg;
	/* Asked every RUN_PROGRESS_EVENTS; true ends it without an index. May be NULL. */
	bool (*stop)(void *arg);
};

#define RUN_CHUNK_EVENTS 262144u
#define RUN_ACCESS_SPAN	 (4u << 20)

struct run_index_report {
	uint64_t events, gaps;
	size_t chunks;
	uint64_t raw_size, index_size; /* bytes */
};

/*
 * Read @capture once and write its index to @path, in place of any that is there. Damage ends
 * nothing: the index is of what can be read.
 * Return: 0, ERR_INTERRUPTED, or what reading and writing fail with.
 */
MUST_CHECK int run_index_build(const char *capture, const char *path,
			       const struct run_index_options *opt, struct run_index_report *report,
			       struct error *err);

/*
 * Let @r, just opened, and a new state go on at chunk @i of the index. *@st is NULL for the first
 * chunk: then the replay begins as one without index.
 * @opt: as for state_new(); suppressed commands are not possible.
 */
MUST_CHECK int run_index_enter(const struct sf_index *x, size_t i, struct sf_reader *r,
			       const struct state_options *opt, struct state **st,
			       struct error *err);

#endif
