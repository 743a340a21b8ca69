/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the overview says of a case and of the capture at hand. Counts come from the rows that the
 * writer of the case keeps; which processes alerts are about is counted in slices. Threads: that of
 * the program.
 */
#ifndef TUI_OVERVIEW_MODEL_H
#define TUI_OVERVIEW_MODEL_H

#include "engine/rules/rules.h"
#include "tui/app.h"

#define OVERVIEW_RULES_MAX  200	    /* listed */
#define OVERVIEW_CHAINS_MAX 200	    /* listed */
#define OVERVIEW_ALERTS_MAX 200000  /* looked at for chains */
#define OVERVIEW_DEPTH	    4	    /* processes of a chain */
#define OVERVIEW_COUNT_MAX  1000000 /* rows counted one by one */

struct overview_rule {
	char *name;
	int severity;
	uint64_t count;
};

struct overview_chain {	    /* processes whose names and those of their ancestors are the same */
	char *names;	    /* "sshd>bash>curl" */
	int severity;	    /* the worst of their alerts */
	uint64_t count;	    /* alerts */
	int64_t process_id; /* one of them */
	uint64_t evt_num;   /* of an alert of it */
	int64_t capture_id;
};

struct overview_model {
	struct tui_app *app;
	uint64_t by_severity[RULE_PRIORITY_COUNT], alerts;
	uint64_t groups, verdicts, notes;
	uint64_t processes, execs, connections,
	    placeholders; /* of the capture; up to OVERVIEW_COUNT_MAX */
	struct overview_rule *rules;
	size_t rule_count;
	struct overview_chain *chains;
	size_t chain_count;
	/* Counting chains: */
	struct overview_found *found; /* processes with alerts */
	int64_t last_alert;
	uint64_t looked_at;
	bool chains_done;
	struct buf watch; /* lines */
};

/* Ask the case anew. Return: 0 or ERR_*. */
MUST_CHECK int overview_load(struct overview_model *m, struct error *err);
/* Go on counting chains. True: there is more to do. */
bool overview_work(struct overview_model *m, uint64_t deadline_ns);
/* What to keep in mind, a line each, into m->watch. @counts: may be NULL. */
void overview_watch(struct overview_model *m, const struct tui_counts *counts);
void overview_done(struct overview_model *m);

#endif
