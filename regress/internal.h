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
	atomic_bool stop;
};

/* Room for one more result, empty. NULL: out of memory. */
struct reg_result *reg_suite_add(struct reg_suite *s);
/* Judge what is in @r, whose verdict is empty. Return: 0 or ERR_NOMEM. */
MUST_CHECK int reg_judge_result(struct reg_result *r, struct error *err);

#endif
