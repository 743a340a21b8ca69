/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the case and those that are known now, with what they found and what they cost.
 * Threads: that of the program.
 */
#ifndef TUI_RULES_MODEL_H
#define TUI_RULES_MODEL_H

#include "base/map.h"
#include "tui/app.h"
#include "tui/rules_pass.h"

#define RULES_VERDICTS_MAX 10000 /* that are looked at */

enum rules_state {
	RULES_FIRED,
	RULES_SHADOWED, /* it matches, but an earlier rule is reported each time */
	RULES_SILENT,
	RULES_NO_EVENTS, /* of its types are in the capture */
	RULES_DISABLED,
	RULES_FOREIGN, /* for events of another source */
	RULES_STATES
};

enum rules_verdict { RULES_TRUE, RULES_FALSE, RULES_BENIGN, RULES_UNDECIDED, RULES_VERDICTS };

struct rules_row {
	char *name, *tags, *file; /* @tags: with blanks between */
	uint32_t line;
	int severity;
	bool enabled;
	const struct rule *rule; /* of those that are known now; or NULL */
	uint64_t fired, last_ts;
	uint32_t verdicts[RULES_VERDICTS];
	/* Of the pass: */
	uint64_t evaluated, sampled, matched, shadowed;
	double ns, share; /* of one evaluation; of all costs */
};

struct rules_model {
	struct tui_app *app;
	struct tui_ruleset *rules; /* NULL: they cannot be used */
	struct error why;	   /* why not */
	struct rules_row *rows;
	size_t count, cap;
	struct smap by_name; /* row + 1 */
	struct tui_rules_pass *pass;
	const char *path; /* of the capture that was gone through */
	bool counted;	  /* @pass is over */
	bool timed;	  /* there are costs */
	struct buf filter;
};

/* Ask the case and the rules anew. Return: 0 or ERR_*. */
MUST_CHECK int rules_load(struct rules_model *m, struct error *err);
void rules_done(struct rules_model *m);
/* Begin to count and to measure. Return: 0 or ERR_*. */
MUST_CHECK int rules_begin_pass(struct rules_model *m, struct error *err);
void rules_end_pass(struct rules_model *m);
/* True: there is more to do. */
bool rules_work(struct rules_model *m, uint64_t deadline_ns);
enum rules_state rules_state_of(const struct rules_model *m, const struct rules_row *r);
const char *rules_state_word(enum rules_state s);
/* Does the row pass the filter: words that are all in it; '!' in front: not? */
bool rules_pass_filter(const struct rules_model *m, const struct rules_row *r);

#endif
