/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions that people type in the words of rules that were loaded: which macros and lists there
 * are, and such a condition with all of them written out, as it is understood without the rules.
 * Lists are named where they can stand: "proc.name in (nginx, shells)", "proc.name in shells".
 * Units: lines are 1-based. Ownership: names borrow the loader's files. Threads: one at a time with
 * the loader.
 */
#ifndef ENGINE_RULES_WORDS_H
#define ENGINE_RULES_WORDS_H

#include "base/buf.h"
#include "engine/rules/explain.h"

struct rule_word { /* a macro or a list; no name: neither */
	struct sv name;
	bool is_list;
	size_t items; /* of a list, those of lists in it not counted */
	struct rule_place at;
};

/* Macros, then lists, in definition order: @i from 0 on. False: there are no more. */
bool rule_word_at(const struct rule_loader *l, size_t i, struct rule_word *out);
bool rule_has_macro(const struct rule_loader *l, struct sv name);
/* May there be a list on the right of a check? */
bool rule_takes_list(const struct flt_node *n);

struct rule_stretch {	       /* of a condition that was written out */
	size_t from;	       /* its first byte there */
	size_t given;	       /* what it comes from in the text that was given: a byte of it */
	struct rule_word word; /* what was named there, the innermost; no name: it is as given */
};

struct rule_in_full {
	struct buf text;
	struct rule_stretch *stretches; /* in order, the first one from 0 */
	size_t count, cap;
};

/*
 * Write out @text. @l NULL: no macro is known, lists are left alone. Return: 0, ERR_SYNTAX,
 * ERR_COMPILE (a macro there is not), ERR_RULES (the words cannot be used), ERR_LIMIT; all of them
 * with *pos, a byte of @text; ERR_NOMEM.
 */
MUST_CHECK int rule_write_in_full(struct rule_loader *l, struct sv text, struct rule_in_full *out,
				  size_t *pos, struct error *err);
void rule_in_full_done(struct rule_in_full *f);
/* What byte @at of the text comes from. */
const struct rule_stretch *rule_in_full_at(const struct rule_in_full *f, size_t at);

#endif
