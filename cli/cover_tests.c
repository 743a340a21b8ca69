/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of rules say of the rules that are covered. */
#include "cli/cover.h"

static struct cover_rule *find_rule(struct cover *c, struct sv name)
{
	for (size_t i = 0; i < c->count; i++)
		if (sv_eq(c->rules[i].rule->name, name))
			return &c->rules[i];
	return NULL;
}

/* A test counts once for a rule, however many of its expectations name it. */
static void note_test(struct cover *c, const struct reg_test *t)
{
	for (size_t i = 0; i < t->expect_count; i++) {
		const struct reg_expect *e = &t->expect[i];
		struct cover_rule *r = find_rule(c, e->rule);
		bool alerts = e->min > 0, none = e->max == 0;

		for (size_t k = 0; k < i; k++) {
			if (!sv_eq(t->expect[k].rule, e->rule))
				continue;
			alerts &= t->expect[k].min == 0;
			none &= t->expect[k].max != 0;
		}
		if (!r)
			continue;
		r->expect_alerts += alerts;
		r->expect_none += none;
	}
}

void cover_tests(struct cover *c, struct reg_suite *s)
{
	size_t n;
	const struct reg_result *all = reg_suite_results(s, &n);

	for (size_t i = 0; i < n; i++) {
		if (all[i].verdict.outcome == REG_BROKEN)
			continue;
		note_test(c, &all[i].test);
		c->tests++;
	}
}
