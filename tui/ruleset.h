/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that explanations, coverage and costs are about: those the program was started with,
 * else those of the case: its rule files if they are there, else the texts it keeps (lists and
 * macros filled in). And one event at a time, as rules see it. Ownership: what is handed out
 * belongs to the set. Threads: that of the program.
 */
#ifndef TUI_RULESET_H
#define TUI_RULESET_H

#include "engine/rules/explain.h"
#include "tui/data.h"

enum tui_rules_origin {
	TUI_RULES_NONE,	 /* there are no rules */
	TUI_RULES_GIVEN, /* with the command line */
	TUI_RULES_FILES, /* named by the case */
	TUI_RULES_TEXTS, /* kept by the case */
};

#define TUI_RULES_KEPT "the case" /* the file of rules whose texts the case keeps */

struct tui_ruleset;

/* Return: 0 (also if there are none), ERR_RULES, ERR_DB, ERR_NOMEM. */
MUST_CHECK int tui_ruleset_new(struct tui_data *d, struct tui_ruleset **out, struct error *err);
void tui_ruleset_free(struct tui_ruleset *s); /* NULL is fine */
enum tui_rules_origin tui_ruleset_origin(const struct tui_ruleset *s);
/* What to keep in mind of where they come from, for people; "": nothing. */
const char *tui_ruleset_doubt(const struct tui_ruleset *s);
const struct rule *tui_ruleset_rules(const struct tui_ruleset *s, size_t *count);
/* NULL: there is none. */
const struct rule *tui_ruleset_find(const struct tui_ruleset *s, struct sv name);
/* NULL if there are none; it is sealed. */
struct rule_engine *tui_ruleset_engine(const struct tui_ruleset *s);
struct rule_loader *tui_ruleset_loader(const struct tui_ruleset *s);
/* Is only the first rule reported that matches? */
bool tui_ruleset_is_first_only(const struct tui_ruleset *s);
/* Is the rule on, and severe enough? */
bool tui_ruleset_is_on(const struct tui_ruleset *s, const struct rule *r);

/* --- one event */

/* Look at event @num of the current capture. Return: 0, ERR_USAGE (there is none), ERR_UNSUPPORTED
 * (not now: the message says why), ERR_*. */
MUST_CHECK int tui_ruleset_look(struct tui_ruleset *s, uint64_t num, struct error *err);
/* What it is about, borrowed until the next look. */
const struct state_binding *tui_ruleset_event(const struct tui_ruleset *s);
/* "kd (2240) execve res=0 ...": who did what. */
void tui_ruleset_describe(struct tui_ruleset *s, struct buf *out);
/* The first enabled rule that matches it; NULL: none does. */
const struct rule *tui_ruleset_first(struct tui_ruleset *s);

struct tui_judged { /* one rule and the event; borrowed until the next look */
	const struct rule_explanation *x;
	const struct flt_finding *findings; /* until the next one is judged */
	bool matches;
	uint32_t failing; /* conjuncts that do not hold */
};
/* Return: 0, ERR_RULES (a rule for events of another source), ERR_NOMEM. */
MUST_CHECK int tui_ruleset_judge(struct tui_ruleset *s, const struct rule *r,
				 enum flt_detail detail, struct tui_judged *out, struct error *err);
/* Why is the event not reported although the rule matches it? A phrase, appended to @out; for
 * *@at = 0 at first, until it returns false. */
bool tui_ruleset_obstacle(struct tui_ruleset *s, const struct rule *r, bool matches, unsigned *at,
			  struct buf *out);

#endif
