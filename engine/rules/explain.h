/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule's condition as a person wrote it: macros, lists and exceptions by name, each part with the
 * file and line it stands in. Together with what flt_explain() finds about its checks that says why
 * the rule matched an event, or did not.
 * Units: lines are 1-based; 0: not known. Ownership: an explanation borrows the loader's files, so
 * the loader must live longer. Threads: constant once made.
 */
#ifndef ENGINE_RULES_EXPLAIN_H
#define ENGINE_RULES_EXPLAIN_H

#include "engine/filter/explain.h"
#include "engine/rules/rules.h"

struct rule_place {
	const char *file; /* NULL: not known */
	uint32_t line;
};

enum rule_part_kind {
	RULE_PART_AND,
	RULE_PART_OR,
	RULE_PART_NOT,
	RULE_PART_CHECK,
	RULE_PART_MACRO,     /* one kid: what it stands for */
	RULE_PART_EXCEPTION, /* holds if none of its kids does */
	RULE_PART_TUPLE,     /* of values of an exception: holds if all of its kids do */
};

struct rule_constant { /* one on the right of a check */
	struct sv text;
	struct sv list;	      /* the list it is an item of; empty: none */
	struct rule_place at; /* of the item, or of the check */
};

struct rule_part {
	enum rule_part_kind kind;
	struct sv text;		   /* CHECK: as written, lists by name; MACRO, EXCEPTION: name */
	struct rule_place at;	   /* where it stands */
	struct rule_place defined; /* MACRO: where it is defined */
	const struct rule_part **kids;
	uint32_t count;
	uint32_t check; /* CHECK: its number */
	/* CHECK: one for each constant, or NULL. */
	const struct rule_constant *constants;
	uint32_t constant_count;
};

struct rule_explanation {
	const struct rule *rule;
	const struct rule_part *root;
	uint32_t checks;
	/* The root, or what must hold together: the kids of an AND and of the ANDs in it, also
	 * below macros. */
	const struct rule_part **conjuncts;
	uint32_t conjunct_count;
};

/*
 * @rule: of an engine made from what @l holds now. Return: 0, ERR_RULES (it has no condition here:
 * rules of other sources are not compiled), ERR_NOMEM.
 */
MUST_CHECK int rule_explanation_new(struct rule_loader *l, const struct rule *rule,
				    struct rule_explanation **out, struct error *err);
void rule_explanation_free(struct rule_explanation *x); /* NULL is fine */

/* Does a part hold, given what was found about the checks? FLT_GONE is told of checks only. */
enum flt_truth rule_part_truth(const struct rule_part *p, const struct flt_finding *findings);
/* What a part is about: "not" belongs to what it negates. */
const struct rule_part *rule_part_subject(const struct rule_part *p);
/* Does a kid of @p that has the truth @kid make @p what it is, @t? */
bool rule_part_decides(const struct rule_part *p, enum flt_truth t, enum flt_truth kid);
/* What stands in front of its text: "all of", "exception values", "". */
const char *rule_part_word(enum rule_part_kind kind);
/* A reason in words, without values; "": the value says it all. @never: events of the types the
 * rule is about never had the value. */
const char *rule_reason_words(enum flt_reason r, bool never);
/* How many conjuncts do not hold. */
uint32_t rule_failing(const struct rule_explanation *x, const struct flt_finding *findings);

/* Which of @select, applied in order, decided that @r is on or off; NULL: its definition did. */
const struct rule_select *rule_decided_by(const struct rule *r, const struct rule_select *select,
					  size_t count);
/* Is there a rule of that name that was left out (skip-if-unknown-filter)? */
bool rule_is_left_out(const struct rule_loader *l, const struct rule_engine *e, struct sv name);

#endif
