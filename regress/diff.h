/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two runs compared: their alerts in tiers (compare.h), and for each difference why it is so, as
 * far as rules, captures and options of the runs tell. Equal causes are one.
 * Ownership: a difference borrows both sides.
 */
#ifndef REGRESS_DIFF_H
#define REGRESS_DIFF_H

#include "regress/compare.h"
#include "regress/side.h"

struct reg_cause {
	struct sv text; /* safe to show; lines with ends */
	uint64_t tiers[REG_TIER_COUNT];
};

struct reg_diff {
	struct arena arena;
	struct reg_side *a, *b;
	struct reg_ignore ignore;
	struct reg_comparison pairs;
	struct reg_cause **causes; /* of each pair; NULL: unchanged */
	struct reg_cause **kinds;  /* each cause once, in the order of the pairs */
	size_t kind_count;
	/* at work */
	struct smap by_text, by_rule;
	struct reg_alerts left, right; /* what is compared: of captures that both have */
};

/* Return: 0 with @out for reg_diff_done(), or ERR_NOMEM. */
MUST_CHECK int reg_diff(struct reg_side *a, struct reg_side *b, const struct reg_ignore *ignore,
			struct reg_diff *out, struct error *err);
void reg_diff_done(struct reg_diff *d);

/* Where an alert of @d is, for people: the path of its capture in @b, else in @a; NULL: not known.
 */
const char *reg_diff_trace(const struct reg_diff *d, const struct reg_alert *a);

/* --- formats --- */

struct reg_diff_format {
	const char *name;
	void (*write)(struct buf *b, const struct reg_diff *d, const char *version);
};
extern const struct reg_diff_format reg_diff_formats[]; /* ends with a NULL name */

#endif
