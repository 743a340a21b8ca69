/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays that begin in the middle: building the index of a capture in one pass over it, and going
 * on from one of its checkpoints. A checkpoint is where the reader is, what the state holds there,
 * and what the trackers of engine/activity/ know; what conditions and formats remember from event
 * to event begins anew.
 * Threads: as for replay.h.
 */
#ifndef REPLAY_CHECKPOINT_H
#define REPLAY_CHECKPOINT_H

#include "engine/activity/net.h"
#include "engine/activity/procs.h"
#include "engine/activity/sessions.h"
#include "engine/state/state.h"
#include "replay/facts.h"
#include "replay/replay.h"
#include "scapfile/index.h"

/* The parts of a checkpoint. Their numbers are part of the file: new ones go to the end. */
enum run_part {
	RUN_PART_READER,
	RUN_PART_STATE,
	RUN_PART_PROCS, /* the living: act_procs_archive() */
	RUN_PART_DEAD,	/* processes that ended since the checkpoint before */
	RUN_PART_NET,	/* sockets that are there */
	RUN_PART_ENDED, /* sockets that are gone since the checkpoint before */
	RUN_PART_SESSIONS,
};

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

/*
 * The last chunk at or before @i whose checkpoint has all parts of @parts (bits 1 << RUN_PART_*);
 * 0: begin at the start. Trackers have none where they had to leave something out.
 */
size_t run_index_with(const struct sf_index *x, size_t i, unsigned parts);

/*
 * What the index says of the whole capture. @out is storage, and run_facts_done() must follow,
 * whatever is returned. Return: 0, ERR_FORMAT, ERR_NOMEM.
 */
MUST_CHECK int run_index_facts(const struct sf_index *x, struct run_facts *out, struct error *err);

/*
 * Trackers as of the beginning of chunk @i, which must have their parts, to go on with the state of
 * run_index_enter(); they are the caller's. @keep_dead: with all that ended before; so are sockets
 * unless @opt drops what is closed. Sessions are those of a tracker without options.
 * Return: 0, or ERR_FORMAT, ERR_LIMIT, ERR_IO, ERR_NOMEM: do without.
 */
MUST_CHECK int run_index_procs(const struct sf_index *x, size_t i, bool keep_dead,
			       struct act_procs **out, struct error *err);
MUST_CHECK int run_index_net(const struct sf_index *x, size_t i, const struct act_net_options *opt,
			     struct act_net **out, struct error *err);
MUST_CHECK int run_index_sessions(const struct sf_index *x, size_t i, struct act_sessions **out,
				  struct error *err);

#endif
