/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules over the whole of the current capture, in slices: what each costs, how often it matches and
 * how often an earlier one is reported instead; or how often each check of one rule holds. The same
 * as 'scapula replay --stats' and 'scapula cover' count. Threads: that of the program.
 */
#ifndef TUI_RULES_PASS_H
#define TUI_RULES_PASS_H

#include "engine/rules/cover.h"
#include "replay/profile.h"
#include "tui/ruleset.h"

struct tui_rules_pass;

struct tui_rule_count {
	uint64_t matched, shadowed;
};

/* @only: count the checks of this rule; NULL: costs of all. Return: 0, ERR_UNSUPPORTED, ERR_*. */
MUST_CHECK int tui_rules_pass_new(struct tui_data *d, struct tui_ruleset *s,
				  const struct rule *only, struct tui_rules_pass **out,
				  struct error *err);
void tui_rules_pass_free(struct tui_rules_pass *p); /* NULL is fine */
/* Go on until @deadline_ns (0: to the end). Return: 1: there is more, 0: it is over, or ERR_*. */
MUST_CHECK int tui_rules_pass_work(struct tui_rules_pass *p, uint64_t deadline_ns,
				   struct error *err);
/* From 0 to 1. */
double tui_rules_pass_done(const struct tui_rules_pass *p);
/* Of all: by rule. */
const struct tui_rule_count *tui_rules_pass_counts(const struct tui_rules_pass *p);
struct run_profile *tui_rules_pass_profile(const struct tui_rules_pass *p);
/* Of one. */
const struct cover_rule *tui_rules_pass_cover(const struct tui_rules_pass *p);

#endif
