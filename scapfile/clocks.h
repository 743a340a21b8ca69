/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the clocks of the host say at one moment, for seals: so that it can be told later whether
 * times of events are comparable. Facts: clock_gettime(2), adjtimex(2).
 */
#ifndef SCAPFILE_CLOCKS_H
#define SCAPFILE_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#define SF_CLOCK_EVERY_NS 10000000000u /* a record that often */
#define SF_CLOCK_LOOK_NS  1000000000u  /* was a clock set? */
#define SF_CLOCK_STEP_NS  10000000     /* from here on it was; slewing makes 0.5 ms a second */

enum sf_clock_why {
	SF_CLOCK_NONE,
	SF_CLOCK_START,
	SF_CLOCK_INTERVAL,
	SF_CLOCK_STEP,
	SF_CLOCK_END,
};

struct sf_clock {
	enum sf_clock_why why;
	uint64_t realtime, monotonic, boottime, tai; /* read within a few microseconds */
	bool disciplined; /* the kernel tells how well the clock is kept; else the rest is 0 */
	bool synchronized;
	int status;	     /* STA_* */
	int64_t offset_ns;   /* that is being corrected */
	int64_t maxerror_us; /* as the kernel estimates it */
};

const char *sf_clock_why_name(enum sf_clock_why why); /* "start", ... */

void sf_clock_read(struct sf_clock *c, enum sf_clock_why why);
/* By how much the time of day went further than the time since boot did. */
int64_t sf_clock_step(const struct sf_clock *from, const struct sf_clock *to);
/* Is that so much that the clock was set? */
bool sf_clock_stepped(const struct sf_clock *from, const struct sf_clock *to);
/* For how long the host was suspended between. */
int64_t sf_clock_slept(const struct sf_clock *from, const struct sf_clock *to);

/* Is it time for another record? */
struct sf_clock_watch {
	struct sf_clock looked;
	uint64_t next; /* CLOCK_MONOTONIC: the next one comes then, whatever happens */
};

void sf_clock_watch_start(struct sf_clock_watch *w);
/* To be called often. Return: why, or SF_CLOCK_NONE. */
enum sf_clock_why sf_clock_watch_look(struct sf_clock_watch *w);

#endif
