/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging the alerts of one test: each expectation, alerts nobody expects, the baseline and the
 * budget are a check of its own, with a text that says what is wrong. Texts are safe to show
 * (base/escape.h) and may have several lines.
 */
#ifndef REGRESS_JUDGE_H
#define REGRESS_JUDGE_H

#include "regress/compare.h"
#include "regress/testfile.h"

#define REG_TOLD_MAX 20u /* alerts that a text tells one by one */

enum reg_outcome { /* the graver the larger */
		   REG_PASSED,
		   REG_SKIPPED,
		   REG_WARNED,
		   REG_FAILED,
		   REG_BROKEN, /* it could not be run, or not to its end */
		   REG_OUTCOME_COUNT
};
extern const char *const reg_outcome_names[REG_OUTCOME_COUNT];

enum reg_check_kind {
	REG_CHECK_EXPECT,
	REG_CHECK_UNEXPECTED,
	REG_CHECK_BASELINE,
	REG_CHECK_ALERTS, /* budget */
	REG_CHECK_COST,	  /* budget */
	REG_CHECK_TRACE,  /* it is damaged */
	REG_CHECK_NEEDS,  /* requirements that are not met */
	REG_CHECK_TESTS,  /* reg_suite_require() */
};

struct reg_check {
	enum reg_check_kind kind;
	enum reg_outcome outcome;
	struct sv name, text; /* what is demanded; what is wrong, lines with ends, or SV_NONE */
	const char *file;     /* where @line is; borrowed from the test or its rules */
	uint32_t line;	      /* 0: none */
	struct sv rule;	      /* an expectation's */
};

struct reg_verdict {
	struct arena arena;
	enum reg_outcome outcome; /* the gravest of its checks */
	struct reg_check *checks; /* @count of them */
	size_t count;
	struct reg_comparison diff; /* with the baseline, if there is one */
	struct reg_pair *surprises; /* alerts that nobody expects, as new ones */
	size_t surprise_count;
};

struct reg_run_facts {				 /* what was run */
	const struct reg_alerts *got, *baseline; /* @baseline: NULL if there is none */
	uint64_t events, gaps, cpu_ns;
};

/* Return: 0 with @out for reg_verdict_done(), or ERR_NOMEM. */
MUST_CHECK int reg_judge(const struct reg_test *t, const struct reg_run_facts *run,
			 struct reg_verdict *out, struct error *err);
void reg_verdict_done(struct reg_verdict *v);

/* Is @a one of the alerts that @e speaks of? */
bool reg_expect_covers(const struct reg_expect *e, const struct reg_alert *a);

/* "changed: event 12 ... " and a line for each change; what a difference is, safe to show. */
MUST_CHECK int reg_pair_text(struct buf *b, const struct reg_pair *p,
			     const struct reg_ignore *ignore, const char *indent);

#endif
