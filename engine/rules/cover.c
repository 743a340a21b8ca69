/* SPDX-License-Identifier: Apache-2.0 */
/* Counting what rules find, check by check. */
#include "engine/rules/cover.h"

#include <stdlib.h>

/* --- what there is to cover --- */

static int add_check(struct cover *c, struct cover_rule *r, const struct rule_part *p,
		     struct error *err)
{
	struct cover_check *k = &r->checks[p->check];

	if (p->constant_count < 2)
		return 0; /* the check itself tells about a single one */
	k->count = p->constant_count;
	k->met = arena_zalloc(&c->arena, k->count, sizeof(*k->met));
	return k->met ? 0 : error_nomem(err);
}

static uint32_t count_tuples(const struct rule_part *p)
{
	uint32_t n = p->kind == RULE_PART_TUPLE;

	for (uint32_t i = 0; i < p->count; i++)
		n += count_tuples(p->kids[i]);
	return n;
}

static int add_part(struct cover *c, struct cover_rule *r, const struct rule_part *p,
		    struct error *err)
{
	int rc = p->kind == RULE_PART_CHECK ? add_check(c, r, p, err) : 0;

	if (p->kind == RULE_PART_TUPLE)
		r->tuples[r->tuple_count++] = p;
	for (uint32_t i = 0; i < p->count && rc == 0; i++)
		rc = add_part(c, r, p->kids[i], err);
	return rc;
}

static int add_rule(struct cover *c, struct cover_rule *r, struct rule_loader *l, struct error *err)
{
	uint32_t tuples;
	int rc;

	if (r->disabled || !r->rule->types)
		return 0;
	rc = rule_explanation_new(l, r->rule, &r->x, err);
	if (rc < 0)
		return rc;
	tuples = count_tuples(r->x->root);
	r->checks = arena_zalloc(&c->arena, r->x->checks, sizeof(*r->checks));
	r->tuples = arena_zalloc(&c->arena, tuples, sizeof(*r->tuples));
	r->tuple_met = arena_zalloc(&c->arena, tuples, sizeof(*r->tuple_met));
	if (!r->checks || !r->tuples || !r->tuple_met)
		return error_nomem(err);
	return add_part(c, r, r->x->root, err);
}

static int init(struct cover *c, const struct rule *rules, size_t n, struct error *err)
{
	*c = (struct cover){.count = n};
	c->rules = calloc(n + 1, sizeof(*c->rules));
	if (!c->rules)
		return error_nomem(err);
	for (size_t i = 0; i < n; i++)
		c->rules[i].rule = &rules[i];
	return 0;
}

int cover_init(struct cover *c, struct rule_loader *l, const struct rule_engine *e,
	       enum rule_priority min, struct error *err)
{
	size_t n;
	const struct rule *rules = rule_engine_rules(e, &n);
	int rc = init(c, rules, n, err);

	for (size_t i = 0; i < n && rc == 0; i++) {
		c->rules[i].disabled = !rules[i].enabled || rules[i].priority > min;
		rc = add_rule(c, &c->rules[i], l, err);
	}
	return rc;
}

int cover_init_rule(struct cover *c, struct rule_loader *l, const struct rule *rule,
		    struct error *err)
{
	int rc = init(c, rule, 1, err);

	return rc == 0 ? add_rule(c, c->rules, l, err) : rc;
}

void cover_done(struct cover *c)
{
	for (size_t i = 0; c->rules && i < c->count; i++) {
		flt_explainer_free(c->rules[i].explainer);
		rule_explanation_free(c->rules[i].x);
		cover_order_free(c->rules[i].order);
	}
	free(c->rules);
	arena_done(&c->arena);
	*c = (struct cover){0};
}

/* --- events --- */

int cover_begin(struct cover *c, struct flt_ctx *cx, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->count && rc == 0; i++) {
		struct cover_rule *r = &c->rules[i];

		if (!r->x)
			continue;
		flt_explainer_free(r->explainer);
		r->explainer = NULL;
		rc = flt_explainer_new(cx, r->rule->condition_id, &r->explainer, err);
		if (rc == 0 && flt_explainer_checks(r->explainer) != r->x->checks)
			rc = error_set(err, ERR_FORMAT, "the condition of '%.*s' has %zu checks",
				       (int)r->rule->name.n, r->rule->name.p,
				       flt_explainer_checks(r->explainer));
	}
	return rc;
}

static void count_check(struct cover_check *k, const struct flt_finding *f)
{
	switch (f->truth) {
	case FLT_YES:
		k->yes++;
		if (f->item >= 0 && (uint32_t)f->item < k->count)
			k->met[f->item]++;
		break;
	case FLT_NO:
		k->no++;
		break;
	case FLT_GONE:
		k->absent++;
		break;
	case FLT_UNASKED:
		break;
	}
}

static void count_rule(struct cover_rule *r)
{
	const struct flt_finding *f;

	r->evaluated++;
	r->matched += flt_explain(r->explainer, FLT_ITEMS, &f);
	for (uint32_t i = 0; i < r->x->checks; i++)
		count_check(&r->checks[i], &f[i]);
	for (uint32_t i = 0; i < r->tuple_count; i++)
		r->tuple_met[i] += rule_part_truth(r->tuples[i], f) == FLT_YES;
	if (r->order)
		cover_order_count(r, f);
}

void cover_event(struct cover *c, unsigned type)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->rules[i].x && flt_types_has(c->rules[i].rule->types, type))
			count_rule(&c->rules[i]);
}

/* --- sums --- */

enum cover_state cover_state_of(const struct cover_rule *r)
{
	if (!r->rule->types)
		return COVER_FOREIGN;
	if (r->disabled)
		return COVER_DISABLED;
	if (!r->evaluated)
		return COVER_UNEVALUATED;
	return r->matched ? COVER_MATCHED : COVER_UNMATCHED;
}

bool cover_is_untested(const struct cover_rule *r)
{
	return r->x && !r->expect_alerts;
}

const char *cover_state_name(enum cover_state s)
{
	static const char *const names[] = {
	    [COVER_DISABLED] = "disabled",
	    [COVER_FOREIGN] = "other source",
	    [COVER_UNEVALUATED] = "never evaluated",
	    [COVER_UNMATCHED] = "never true",
	    [COVER_MATCHED] = "matched",
	};

	return names[s];
}

struct cover_sums cover_sums_of(const struct cover_rule *r)
{
	struct cover_sums s = {0};

	for (uint32_t i = 0; r->x && i < r->x->checks; i++) {
		const struct cover_check *k = &r->checks[i];

		s.sides.all += 2;
		s.sides.seen += (k->yes != 0) + (k->no || k->absent);
		s.items.all += k->count;
		for (uint32_t n = 0; n < k->count; n++)
			s.items.seen += k->met[n] != 0;
	}
	s.tuples.all = r->tuple_count;
	for (uint32_t i = 0; i < r->tuple_count; i++)
		s.tuples.seen += r->tuple_met[i] != 0;
	return s;
}
