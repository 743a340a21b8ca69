/* SPDX-License-Identifier: Apache-2.0 */
/* Shared inside regress/. */
#ifndef REGRESS_INTERNAL_H
#define REGRESS_INTERNAL_H

#include "regress/suite.h"

struct reg_suite {
	struct reg_suite_options opt;
	struct reg_result *results;
	size_t count, room;
	struct reg_ruleset **sets; /* each once */
	size_t set_count;
	struct reg_keeper *keeper; /* NULL: no results are kept */
	atomic_bool stop;
};

/* Room for one more result, empty. NULL: out of memory. */
struct reg_result *reg_suite_add(struct reg_suite *s);
/* Judge what is in @r, whose verdict is empty. Return: 0 or ERR_NOMEM. */
MUST_CHECK int reg_judge_result(struct reg_result *r, struct error *err);

/* Is @sha256 (NULL: not known) the trace that was asked for? Return: 0 or ERR_FORMAT. */
MUST_CHECK int reg_check_hash(const struct reg_result *r, const uint8_t *sha256, struct error *err);
/* Did a run that came to @rep see all that it was to see? How it ended goes into the result. */
MUST_CHECK int reg_check_replay(struct reg_result *r, const struct run_capture_report *rep,
				struct error *err);

#endif
