/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What 'explain' finds out about one rule and one capture, and the forms it is told in: text, JSON,
 * HTML. All texts may be hostile; each form makes them harmless itself.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "cli/cli.h"
#include "engine/rules/explain.h"

enum cli_obstacle { /* why an event for which the condition holds is not reported */
		    CLI_NOT_DISABLED = 1 << 0,
		    CLI_NOT_PRIORITY = 1 << 1,
		    CLI_NOT_TYPE = 1 << 2,   /* of the event is not one of the rule's */
		    CLI_NOT_FILTER = 1 << 3, /* of --filter lets it through */
		    CLI_NOT_FIRST = 1 << 4,  /* an earlier rule matches, too */
};

struct explained_event { /* owns its texts */
	uint64_t num, offset, ts;
	int64_t tid;
	struct sv type, process, args;
	bool has_thread;    /* its process is known */
	bool matches;	    /* the condition holds */
	unsigned obstacles; /* CLI_NOT_*; of an event that does not match those that are sure */
	const struct rule *first; /* the earlier rule */
	uint32_t failing;	  /* conjuncts that do not hold */
	struct flt_finding *findings;
	struct arena arena;
};

struct explained { /* one rule, one capture */
	const struct rule_explanation *x;
	const struct rule *other; /* the survey is of the events that this rule matches; or NULL */
	const char *path;
	const struct rule_select *decided_by; /* that the rule is off; NULL: its definition */
	bool by_config;			      /* that selection stands in the configuration */
	enum rule_priority min_priority;
	bool match_all;
	uint64_t wanted; /* the event asked for; 0: a survey */
	/* survey: */
	uint64_t events, of_types, matching, reported, shadowed, filtered;
	uint64_t *present; /* by check: events of its types in which its left side had a value */
	/* gaps of what was read: */
	size_t gaps, gaps_before; /* before the event asked for */
	struct sf_gap last_gap;	  /* of those before it */
	struct explained_event *shown;
	size_t count, cap;
};

/* "disabled by --disable shell", ...: a phrase for each obstacle of @e in turn; NULL after the last
 * one. @at: 0 at first. */
const char *cli_obstacle_text(const struct explained *x, const struct explained_event *e,
			      unsigned *at, struct buf *room);
/* Was the left side of check @i never there? */
bool cli_never_present(const struct explained *x, uint32_t i);
/* "true", "false", "absent", "not asked" */
const char *cli_truth_name(enum flt_truth t);

void cli_explain_text(struct buf *b, const struct explained *x, bool color, bool brief);
void cli_explain_json(struct buf *b, const struct explained *x);
/* A page: head, any number of captures, end. */
void cli_explain_html_begin(struct buf *b, const struct rule *rule);
void cli_explain_html(struct buf *b, const struct explained *x);
void cli_explain_html_end(struct buf *b);

#endif
