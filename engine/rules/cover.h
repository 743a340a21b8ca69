/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coverage of rules by captures: which checks were ever true and ever not, which items of lists and
 * values of exceptions were ever met. A rule none of whose event types occurs was never evaluated,
 * which is something else than evaluated and never true.
 * Ownership: explanations borrow the loader's files. Threads: one.
 */
#ifndef ENGINE_RULES_COVER_H
#define ENGINE_RULES_COVER_H

#include "engine/rules/explain.h"

enum cover_state {
	COVER_DISABLED,	   /* off, or below the least priority */
	COVER_FOREIGN,	   /* for events of another source */
	COVER_UNEVALUATED, /* no event of its types */
	COVER_UNMATCHED,   /* evaluated, never true */
	COVER_MATCHED,
};

struct cover_check {
	uint64_t yes, no, absent;
	uint64_t *met;	/* by constant: how often it decided that the check is true */
	uint32_t count; /* of constants that the explanation knows, if there are two or more */
};

struct cover_rule {
	const struct rule *rule;
	bool disabled;
	struct rule_explanation *x; /* NULL: not evaluated */
	struct flt_explainer *explainer;
	uint64_t evaluated, matched;
	struct cover_check *checks;
	const struct rule_part **tuples; /* of exceptions */
	uint64_t *tuple_met;
	uint32_t tuple_count;
	uint64_t expect_alerts, expect_none; /* tests that do; the caller's to count */
	struct cover_order *order;	     /* NULL: it was not asked for, or has one part */
};

struct cover_part { /* of what there is */
	uint64_t seen, all;
};

struct cover_sums {
	struct cover_part sides;  /* of each check: true, and not true */
	struct cover_part items;  /* of lists and other constants */
	struct cover_part tuples; /* of exceptions */
};

struct cover {
	struct cover_rule *rules;
	size_t count;
	struct arena arena;
	uint64_t events, captures;
	uint64_t tests;		  /* of rules, that were found beside captures */
	const char *const *paths; /* @captures of them */
};

/* All rules of @e. Return: 0 or ERR_*; cover_done() in either case. */
MUST_CHECK int cover_init(struct cover *c, struct rule_loader *l, const struct rule_engine *e,
			  enum rule_priority min, struct error *err);
/* The same about one rule of it, which need not be on. */
MUST_CHECK int cover_init_rule(struct cover *c, struct rule_loader *l, const struct rule *rule,
			       struct error *err);
void cover_done(struct cover *c);
/* From now on events are those of @cx. Return: 0 or ERR_*. */
MUST_CHECK int cover_begin(struct cover *c, struct flt_ctx *cx, struct error *err);
/* The event that the context looks at. */
void cover_event(struct cover *c, unsigned type);

enum cover_state cover_state_of(const struct cover_rule *r);
const char *cover_state_name(enum cover_state s); /* "matched", ... */
struct cover_sums cover_sums_of(const struct cover_rule *r);

/* Is it expected by no test to alert, although it could? */
bool cover_is_untested(const struct cover_rule *r);

/* --- orders of the parts that must hold together (cover_order.c) --- */

/* After cover_init(), so that orders are looked for. Return: 0 or ERR_NOMEM. */
MUST_CHECK int cover_order_init(struct cover *c, struct error *err);
void cover_order_free(struct cover_order *o); /* NULL is fine */
/* What was found about an event. */
void cover_order_count(struct cover_rule *r, const struct flt_finding *f);
/* Rules for which another order saves checks, those that save most first; the caller frees *@out.
 * Return: 0 or ERR_NOMEM. */
MUST_CHECK int cover_orders(struct cover *c, struct cover_rule ***out, size_t *count,
			    struct error *err);

struct cover_suggestion {     /* for one of them */
	double written, then; /* checks per evaluation, as written and as suggested */
	const uint8_t *parts; /* conjuncts of the explanation, @count of them, in that order */
	uint32_t count;
};
struct cover_suggestion cover_suggestion_of(const struct cover_rule *r);

#endif
