/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules cost in two runs, by counts, which are the same in each replay: how often a rule was
 * evaluated, and how many tests that were. Read from the profiles of 'replay --profile FILE.json'.
 */
#ifndef REGRESS_COSTS_H
#define REGRESS_COSTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#define REG_PROFILE_MAX (64u << 20) /* bytes of a profile */

struct reg_cost {
	struct sv rule;
	uint64_t evaluated, sampled;
	double tests; /* that an evaluation looks at, of @sampled ones; 0 if none was sampled */
};

struct reg_costs {
	struct arena arena;
	struct reg_cost *items; /* @count of them, sorted by rule */
	size_t count;
};

/* Return: 0 with @out for reg_costs_done(); ERR_IO, ERR_FORMAT, ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int reg_costs_read(const char *path, struct reg_costs *out, struct error *err);
void reg_costs_done(struct reg_costs *c);

/*
 * Append a line for each rule of both that costs more than @percent more in @b, and one for all
 * rules if they do, each safe to show. Return: how many.
 */
size_t reg_costs_grown(struct buf *out, const struct reg_costs *a, const struct reg_costs *b,
		       double percent);

#endif
