/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the recorder's own use of the CPU below a limit: what is recorded becomes less, step by
 * step, while the use is over it, and more again after a while of calm. Each return makes the next
 * one wait longer, so that it does not go to and fro.
 */
#ifndef CLI_PACE_H
#define CLI_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct cli_pace {
	unsigned limit;	  /* percent of one CPU; 0: none */
	unsigned level;	  /* enum wire_shed: what is left out */
	unsigned percent; /* used in the last interval */
	/* own */
	unsigned over, calm, patience;
	uint64_t wall, cpu;
	bool started;
};

/* To be called about once a second. @wall, @cpu: ns that have passed and that were used. Return:
 * did the level change? */
bool cli_pace_step(struct cli_pace *p, uint64_t wall, uint64_t cpu);
/* "switches and page faults": what a level leaves out, with those below it. */
const char *cli_pace_left_out(unsigned level);

#endif
