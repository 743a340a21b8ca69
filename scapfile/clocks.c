/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/clocks.h"

#include <sys/timex.h>

#include "base/clock.h"

#define TRIES	 5
#define CLOSE_NS 20000u /* clocks read within that belong together */

const char *sf_clock_why_name(enum sf_clock_why why)
{
	static const char *const names[] = {
	    [SF_CLOCK_NONE] = "none", [SF_CLOCK_START] = "start", [SF_CLOCK_INTERVAL] = "interval",
	    [SF_CLOCK_STEP] = "step", [SF_CLOCK_END] = "end",
	};

	return names[why];
}

/* Between two readings the process may have to wait: the closest of a few counts. */
static void read_times(struct sf_clock *c)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < TRIES && best > CLOSE_NS; i++) {
		uint64_t before = clock_ns(CLOCK_MONOTONIC);
		uint64_t realtime = clock_ns(CLOCK_REALTIME), boottime = clock_ns(CLOCK_BOOTTIME);
		uint64_t tai = clock_ns(CLOCK_TAI), after = clock_ns(CLOCK_MONOTONIC);

		if (after - before >= best)
			continue;
		best = after - before;
		c->realtime = realtime;
		c->boottime = boottime;
		c->tai = tai;
		c->monotonic = before;
	}
}

void sf_clock_read(struct sf_clock *c, enum sf_clock_why why)
{
	struct timex tx = {.modes = 0};

	*c = (struct sf_clock){.why = why};
	read_times(c);
	if (adjtimex(&tx) < 0)
		return;
	c->disciplined = true;
	c->synchronized = !(tx.status & STA_UNSYNC);
	c->status = tx.status;
	c->offset_ns = tx.status & STA_NANO ? tx.offset : tx.offset * 1000;
	c->maxerror_us = tx.maxerror;
}

/* Readings may come from a file: differences of any two are taken as they are. */
static int64_t difference(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b);
}

static int64_t minus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

int64_t sf_clock_step(const struct sf_clock *from, const struct sf_clock *to)
{
	return minus(difference(to->realtime, from->realtime),
		     difference(to->boottime, from->boottime));
}

static bool is_step(int64_t ns)
{
	return ns >= SF_CLOCK_STEP_NS || ns <= -SF_CLOCK_STEP_NS;
}

bool sf_clock_stepped(const struct sf_clock *from, const struct sf_clock *to)
{
	return is_step(sf_clock_step(from, to));
}

int64_t sf_clock_slept(const struct sf_clock *from, const struct sf_clock *to)
{
	return minus(difference(to->boottime, from->boottime),
		     difference(to->monotonic, from->monotonic));
}

void sf_clock_watch_start(struct sf_clock_watch *w)
{
	w->looked = (struct sf_clock){.why = SF_CLOCK_START};
	read_times(&w->looked);
	w->next = w->looked.monotonic + SF_CLOCK_EVERY_NS;
}

enum sf_clock_why sf_clock_watch_look(struct sf_clock_watch *w)
{
	struct sf_clock was = w->looked;
	bool stepped;

	if (clock_ns(CLOCK_MONOTONIC) - was.monotonic < SF_CLOCK_LOOK_NS)
		return SF_CLOCK_NONE;
	read_times(&w->looked);
	stepped = sf_clock_stepped(&was, &w->looked) || is_step(sf_clock_slept(&was, &w->looked));
	if (!stepped && w->looked.monotonic < w->next)
		return SF_CLOCK_NONE;
	w->next = w->looked.monotonic + SF_CLOCK_EVERY_NS;
	return stepped ? SF_CLOCK_STEP : SF_CLOCK_INTERVAL;
}
