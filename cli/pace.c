/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pace.h"

#include "base/defs.h"
#include "capture/wire.h"

#define OVER_INTERVALS	 2   /* in a row, before less is recorded */
#define CALM_INTERVALS	 10  /* in a row, before more is */
#define PATIENCE_MAX	 320 /* intervals */
#define CALM_OF_LIMIT(x) ((x)*6 / 10)

const char *cli_pace_left_out(unsigned level)
{
	static const char *const names[] = {
	    [WIRE_SHED_NOTHING] = "nothing",
	    [WIRE_SHED_SCHEDULER] = "switches and page faults",
	    [WIRE_SHED_GENERIC] = "calls without parameters of their own",
	    [WIRE_SHED_DATA] = "the data of reads and writes",
	    [WIRE_SHED_IO] = "reads and writes",
	    [WIRE_SHED_ALL] = "everything but the life of processes",
	};

	return names[level < COUNT_OF(names) ? level : WIRE_SHED_ALL];
}

static void measure(struct cli_pace *p, uint64_t wall, uint64_t cpu)
{
	uint64_t passed = wall - p->wall, used = cpu - p->cpu;

	p->percent = passed ? (unsigned)(used * 100 / passed) : 0;
	p->wall = wall;
	p->cpu = cpu;
}

bool cli_pace_step(struct cli_pace *p, uint64_t wall, uint64_t cpu)
{
	bool fresh = !p->started;

	measure(p, wall, cpu);
	p->started = true;
	if (fresh || !p->limit)
		return false;
	if (!p->patience)
		p->patience = CALM_INTERVALS;
	p->over = p->percent > p->limit ? p->over + 1 : 0;
	p->calm = p->percent <= CALM_OF_LIMIT(p->limit) ? p->calm + 1 : 0;
	if (p->over >= OVER_INTERVALS && p->level < WIRE_SHED_ALL) {
		p->level++;
		p->over = 0;
		return true;
	}
	if (p->calm >= p->patience && p->level > WIRE_SHED_NOTHING) {
		p->level--;
		p->calm = 0;
		p->patience = p->patience * 2 > PATIENCE_MAX ? PATIENCE_MAX : p->patience * 2;
		return true;
	}
	return false;
}
