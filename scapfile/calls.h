/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When calls began, for this folder's files and tests: captures of before have an event for the
 * beginning of a call (enter) and one for its end (exit), of which only the latter is delivered.
 * What is remembered is bounded: of many threads that wait at once some are forgotten, those first
 * that have waited longest. Units: nanoseconds since the epoch. Threads: one table belongs to one
 * thread at a time.
 */
#ifndef SCAPFILE_CALLS_H
#define SCAPFILE_CALLS_H

#include "scapfile/event.h"

#define SF_CALLS_SETS 4096 /* a power of two; threads share a set by their number, and */
#define SF_CALLS_WAYS 4	   /* of each set as many may be within a call */

struct sf_call { /* that has begun */
	int64_t tid;
	uint64_t ts;
	uint16_t end; /* type of the event that ends it; 0: there is none here */
};

struct sf_calls { /* zeroed: none has begun */
	struct sf_call sets[SF_CALLS_SETS][SF_CALLS_WAYS];
	size_t count; /* of calls that have begun */
};

/* The slow half of sf_calls_see(). */
uint64_t sf_calls_look(struct sf_calls *c, unsigned type, int64_t tid, uint64_t ts);
/*
 * The next event is, as recorded, of @type. Return: when the call that it ends began; 0: it ends
 * none, or that is not known: there was no enter event for it, or none that can be its own.
 */
static inline uint64_t sf_calls_see(struct sf_calls *c, unsigned type, int64_t tid, uint64_t ts)
{
	return !c->count && ev_type_is_exit(type) ? 0 : sf_calls_look(c, type, tid, ts);
}
/* What has begun may have ended unseen. */
void sf_calls_forget(struct sf_calls *c);

#endif
