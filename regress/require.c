/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules have tests: one that expects alerts, and one that expects none. */
#include <stdlib.h>

#include "base/escape.h"
#include "base/map.h"
#include "regress/internal.h"

struct tested { /* a rule, by its name */
	const struct rule *rule;
	bool positive, negative;
};

struct requiring {
	struct smap rules;   /* name -> struct tested */
	struct tested **all; /* in the order of the files */
	size_t count;
};

static int note_rules(struct requiring *q, const struct reg_ruleset *set)
{
	size_t n;
	const struct rule *rules = reg_ruleset_rules(set, &n);
	struct tested **all = realloc(q->all, (q->count + n + 1) * sizeof(*all));

	if (!all)
		return ERR_NOMEM;
	q->all = all;
	for (size_t i = 0; i < n; i++) {
		struct tested *t;

		if (!rules[i].enabled || smap_get(&q->rules, rules[i].name))
			continue;
		t = calloc(1, sizeof(*t));
		if (!t || smap_put(&q->rules, rules[i].name, t) < 0) {
			free(t);
			return ERR_NOMEM;
		}
		t->rule = &rules[i];
		q->all[q->count++] = t;
	}
	return 0;
}

/* A broken or skipped test shows nothing. */
static int note_suite(struct requiring *q, const struct reg_suite *s)
{
	int rc = 0;

	for (size_t i = 0; i < s->count && rc == 0; i++) {
		const struct reg_result *r = &s->results[i];

		if (r->verdict.outcome == REG_BROKEN || r->verdict.outcome == REG_SKIPPED)
			continue;
		rc = note_rules(q, r->rules);
		for (size_t k = 0; k < r->test.expect_count && rc == 0; k++) {
			const struct reg_expect *e = &r->test.expect[k];
			struct tested *t = smap_get(&q->rules, e->rule);

			if (t) {
				t->positive |= e->min > 0;
				t->negative |= e->max == 0;
			}
		}
	}
	return rc;
}

static int add_check(struct reg_verdict *v, const struct tested *t)
{
	struct reg_check *c = &v->checks[v->count++];
	struct buf b = {0};

	*c = (struct reg_check){
	    .kind = REG_CHECK_TESTS,
	    .outcome = t->positive && t->negative ? REG_PASSED : REG_FAILED,
	    .file = t->rule->file,
	    .line = t->rule->line,
	    .rule = t->rule->name,
	};
	buf_lit(&b, "tests of ");
	escape_text(&b, t->rule->name);
	c->name = arena_sv(&v->arena, buf_view(&b));
	buf_reset(&b);
	if (!t->positive)
		buf_lit(&b, "no test expects alerts of it\n");
	if (!t->negative)
		buf_lit(&b, "no test expects that there are none\n");
	if (b.len)
		c->text = arena_sv(&v->arena, buf_view(&b));
	if (c->outcome > v->outcome)
		v->outcome = c->outcome;
	buf_done(&b);
	return c->name.p && (c->outcome == REG_PASSED || c->text.p) ? 0 : ERR_NOMEM;
}

static int add_result(struct reg_suite *s, const struct requiring *q)
{
	struct reg_result *r = reg_suite_add(s);
	int rc = 0;

	if (!r)
		return ERR_NOMEM;
	r->test.name = "every rule has tests";
	r->test.path = "";
	r->verdict.checks =
	    arena_zalloc(&r->verdict.arena, q->count + 1, sizeof(*r->verdict.checks));
	if (!r->verdict.checks)
		return ERR_NOMEM;
	for (size_t i = 0; i < q->count && rc == 0; i++)
		rc = add_check(&r->verdict, q->all[i]);
	return rc;
}

int reg_suite_require(struct reg_suite *s, struct error *err)
{
	struct requiring q = {0};
	int rc = note_suite(&q, s);

	if (rc == 0)
		rc = add_result(s, &q);
	for (size_t i = 0; i < q.count; i++)
		free(q.all[i]);
	free(q.all);
	smap_done(&q.rules);
	return rc < 0 ? error_nomem(err) : 0;
}
