/* SPDX-License-Identifier: Apache-2.0 */
/* What an earlier case has of a worker's captures (query/reuse.h): which of them need not be
 * replayed. */
#ifndef CLI_SHARD_REUSE_H
#define CLI_SHARD_REUSE_H

#include "cli/rule_run.h"
#include "query/reuse.h"
#include "regress/shard.h"

struct cli_reuse {
	struct qry_reuse *r; /* NULL: there is nothing */
	struct cli_rule_run *rules;
	struct rule_engine *engine; /* of the new rules alone; NULL: there are none */
	struct run *probe;
};

/* @path NULL: nothing is to be taken over. Return: 0 (it may be told why there is nothing), or an
 * exit status (told). */
int cli_reuse_open(struct cli_reuse *u, const char *path, struct cli_rule_run *rules,
		   struct qry_part *into, const struct qry_job *job);
/*
 * Take over what there is of a trace that began, if that is what replaying it would give; a signal
 * stops the looking. Return: 1 with @out, 0: it is to be replayed, or ERR_*.
 */
int cli_reuse_trace(struct cli_reuse *u, const struct reg_trace *t, struct qry_trace_result *out,
		    struct error *err);
void cli_reuse_done(struct cli_reuse *u);

#endif
