/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two lists of alerts side by side, in tiers: the same alert at the same event is unchanged, or
 * changed if it says something else; the same alert a few events away is moved; what is left is
 * missing from the second list or new in it.
 * Ownership: a comparison points into both lists, which must outlive it.
 */
#ifndef REGRESS_COMPARE_H
#define REGRESS_COMPARE_H

#include "regress/alerts.h"

#define REG_MOVED_EVENTS 16	  /* so many events away, */
#define REG_MOVED_NS	 1000000u /* or so much time, it is still the same alert */

enum reg_tier { REG_UNCHANGED, REG_CHANGED, REG_MOVED, REG_MISSING, REG_NEW, REG_TIER_COUNT };
extern const char *const reg_tier_names[REG_TIER_COUNT];

struct reg_pair {
	enum reg_tier tier;
	const struct reg_alert *a, *b; /* NULL: new; missing */
};

struct reg_comparison {
	struct reg_pair *pairs; /* by trace, time, offset, rule */
	size_t count;
	uint64_t tiers[REG_TIER_COUNT];
};

/* Return: 0 with @out for reg_comparison_done(), or ERR_NOMEM. */
MUST_CHECK int reg_compare(const struct reg_alerts *a, const struct reg_alerts *b,
			   const struct reg_ignore *ignore, struct reg_comparison *out,
			   struct error *err);
void reg_comparison_done(struct reg_comparison *c);
/* Is anything not as it was? */
static inline bool reg_differs(const struct reg_comparison *c)
{
	return c->tiers[REG_UNCHANGED] != c->count;
}

/* One difference of a changed alert; texts are JSON, SV_NONE where the field is not there. */
struct reg_change {
	struct sv field; /* "priority" and "time" are the alert's own */
	struct sv from, to;
};
/*
 * Tell each change between @a and @b, which are one pair, sorted by field. Return: what @each
 * returned if that was not 0; ERR_NOMEM.
 */
MUST_CHECK int reg_changes(const struct reg_alert *a, const struct reg_alert *b,
			   const struct reg_ignore *ignore,
			   int (*each)(void *arg, const struct reg_change *c), void *arg);

#endif
