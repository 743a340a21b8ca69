/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One side of a comparison of two runs: a run of a case, or a file of alerts (alerts.h).
 * Ownership: everything in a side lives in its arena and in its list of alerts.
 */
#ifndef REGRESS_SIDE_H
#define REGRESS_SIDE_H

#include "regress/alerts.h"
#include "regress/definitions.h"

#define REG_SIDE_TRACES_MAX 1000000u
#define REG_SIDE_RULES_MAX  1000000u

struct reg_trace { /* a reading of a capture */
	struct sv sha256, path;
	int64_t gaps;
	bool interrupted;
	uint64_t alerts;
	bool shared; /* the other side has it, too; else its alerts are not compared */
	uint32_t id; /* equal for both sides' readings of one capture */
};

struct reg_side_rule {
	struct sv name, condition, compiled, output, tags, file, priority;
	int64_t line, seq;
	bool enabled;
};

struct reg_side {
	struct arena arena;
	const char *name; /* as it was given */
	bool is_case;
	int64_t run_id;
	struct sv version, matching, command;
	bool finished;
	struct reg_trace *traces;
	size_t trace_count;
	struct reg_side_rule *rules; /* in the order of definition */
	size_t rule_count;
	struct smap by_name; /* rule -> struct reg_side_rule */
	struct reg_alerts alerts;
	struct reg_definitions texts; /* of its rule files, as far as they were found */
	size_t files, files_found;
};

/**
 * reg_side_open() - read one side
 * @name: a file of alerts, a case, or CASE#RUN; without a run, the newest one
 * @where: files and directories in which the texts of its rule files are looked for, by their
 *	hash, if the case does not have them, besides where the run had them; may be empty
 * Return: 0 with @out for reg_side_done(), or ERR_IO, ERR_FORMAT, ERR_DB, ERR_USAGE (no such run),
 * ERR_LIMIT, ERR_NOMEM.
 */
MUST_CHECK int reg_side_open(struct reg_side *out, const char *name, const struct reg_paths *where,
			     struct error *err);
void reg_side_done(struct reg_side *s);
/* NULL: it has no such rule. */
const struct reg_side_rule *reg_side_rule(const struct reg_side *s, struct sv name);

#endif
