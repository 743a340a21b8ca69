/* SPDX-License-Identifier: Apache-2.0 */
/* One event and all rules: which match it, and how much the others lack. */
#ifndef CLI_EXPLAIN_ALL_H
#define CLI_EXPLAIN_ALL_H

#include "cli/cover.h"
#include "cli/rule_run.h"

struct explain_all {
	/* Set by the caller: */
	const struct cli_common *common;
	struct cli_rule_run *rules; /* loaded; the engine is not sealed yet */
	uint64_t evt;
	size_t limit; /* rules that are told */
	bool json;
};

/* For each capture in turn, on standard output. Return: an exit status. */
int cli_explain_all(const struct explain_all *o, char **paths, int count);

#endif
