/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: the captures of one list (regress/shard.h) through the rules, into the part of a case
 * (query/part.h). The part has a name of its own until all captures came to an end; whoever gives
 * the command again completes what is there.
 */
#ifndef CLI_SHARD_RUN_H
#define CLI_SHARD_RUN_H

#include "cli/rule_run.h"

struct cli_replayed { /* how a capture was */
	bool read;    /* it could be opened */
	enum run_end end;
	uint64_t events;
	bool hashed;
	uint8_t sha256[32];
};

struct cli_worker {
	const char *list;  /* path */
	const char *reuse; /* path of an earlier case, or NULL */
	struct cli_rule_run *rules;
	/* Replay one capture, tell what is wrong with it. Return: an exit status. */
	int (*replay)(void *arg, const char *path, struct cli_replayed *out);
	void *arg;
};

/* --db of @w->rules is the name of the part. Return: 0 or an exit status (told). */
int cli_worker_run(struct cli_worker *w, int argc, char **argv);
/* The gravest of exit statuses, of which a bit each is set. */
int cli_worst_of(unsigned exits);

#endif
