/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A moment of a capture to look at its state: what comes after is not applied.
 * Threads: plain values.
 */
#ifndef REPLAY_MOMENT_H
#define REPLAY_MOMENT_H

#include "engine/state/state.h"
#include "scapfile/index.h"

enum run_moment_kind { RUN_AT_END, RUN_AT_TIME, RUN_AT_EVENT };

struct run_moment {
	enum run_moment_kind kind;
	uint64_t value; /* nanoseconds or event number */
	bool relative;	/* a time after the first event */
};

/* "evt:1234", or a time as human_time() takes it. False: neither. */
bool run_moment_parse(const char *text, struct run_moment *out);
/*
 * Does @item lie behind the moment? Events without a time of their own never do. @ts: the time of
 * the moment, 0 as long as it is not known; to be kept from one call to the next.
 */
bool run_moment_is_before(const struct run_moment *m, const struct state *st,
			  const struct ev_item *item, uint64_t *ts);
/* The chunk in which the moment is. @ts: receives its time, if it has one. */
size_t run_moment_chunk(const struct run_moment *m, const struct sf_index *x, uint64_t *ts);

#endif
