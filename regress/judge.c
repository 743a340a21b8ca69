/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/judge.h"

#include "base/escape.h"

const char *const reg_outcome_names[REG_OUTCOME_COUNT] = {
    [REG_PASSED] = "passed", [REG_SKIPPED] = "skipped", [REG_WARNED] = "warning",
    [REG_FAILED] = "failed", [REG_BROKEN] = "broken",
};

struct judge {
	const struct reg_test *t;
	const struct reg_run_facts *run;
	struct reg_verdict *out;
	struct reg_ignore ignore;
	struct buf name, text;
};

#define CHECKS_BESIDE_EXPECT 5

/* What is in name and text becomes a check. */
static int add_check(struct judge *j, enum reg_check_kind kind, enum reg_outcome outcome)
{
	struct reg_check *c = &j->out->checks[j->out->count];

	*c = (struct reg_check){
	    .kind = kind,
	    .outcome = outcome,
	    .name = arena_sv(&j->out->arena, buf_view(&j->name)),
	};
	if (j->text.len)
		c->text = arena_sv(&j->out->arena, buf_view(&j->text));
	if (j->name.failed || j->text.failed || !c->name.p || (j->text.len && !c->text.p))
		return ERR_NOMEM;
	j->out->count++;
	if (outcome > j->out->outcome)
		j->out->outcome = outcome;
	buf_reset(&j->name);
	buf_reset(&j->text);
	return 0;
}

/* --- texts --- */

static void tell_alert(struct buf *b, const struct reg_alert *a)
{
	if (a->evt)
		buf_addf(b, "event %llu, ", (unsigned long long)a->evt);
	flt_time_iso8601(b, a->ts);
	buf_addf(b, "Z, %s: ", rule_priority_name(a->priority));
	escape_text(b, a->rule);
}

struct telling {
	struct buf *b;
	const char *indent;
};

static int tell_change(void *arg, const struct reg_change *c)
{
	struct telling *t = arg;

	buf_addf(t->b, "%s  ", t->indent);
	escape_text(t->b, c->field);
	buf_lit(t->b, ": ");
	buf_sv(t->b, c->from.p ? c->from : SV_LIT("(none)"));
	buf_lit(t->b, " -> ");
	buf_sv(t->b, c->to.p ? c->to : SV_LIT("(none)"));
	buf_char(t->b, '\n');
	return 0;
}

int reg_pair_text(struct buf *b, const struct reg_pair *p, const struct reg_ignore *ignore,
		  const char *indent)
{
	struct telling t = {b, indent};
	const struct reg_alert *a = p->b ? p->b : p->a;

	buf_addf(b, "%s%s: ", indent, reg_tier_names[p->tier]);
	tell_alert(b, a);
	if (p->tier == REG_MOVED && p->a->evt && p->a->evt != a->evt)
		buf_addf(b, " (was event %llu)", (unsigned long long)p->a->evt);
	buf_char(b, '\n');
	if (p->tier == REG_CHANGED)
		return reg_changes(p->a, p->b, ignore, tell_change, &t);
	if (p->tier == REG_NEW || p->tier == REG_MISSING) {
		buf_addf(b, "%s  ", indent);
		reg_alert_fields(b, a, ignore, true);
		buf_char(b, '\n');
	}
	return 0;
}

static void tell_more(struct buf *b, uint64_t all)
{
	if (all > REG_TOLD_MAX)
		buf_addf(b, "and %llu more\n", (unsigned long long)(all - REG_TOLD_MAX));
}

/* Those of some tiers: a bit each. */
static int tell_pairs(struct judge *j, const struct reg_pair *pairs, size_t n, unsigned tiers)
{
	uint64_t all = 0;

	for (size_t i = 0; i < n; i++) {
		if (!(tiers & 1u << pairs[i].tier) || all++ >= REG_TOLD_MAX)
			continue;
		if (reg_pair_text(&j->text, &pairs[i], &j->ignore, "") < 0)
			return ERR_NOMEM;
	}
	tell_more(&j->text, all);
	return 0;
}

/* --- expectations --- */

static bool shows(const struct reg_alert *a, const struct reg_match *m)
{
	const struct reg_field *f = reg_alert_field(a, m->field);

	if (!f)
		return false;
	if (m->absent)
		return f->kind == REP_JSON_NULL;
	return m->glob ? rule_pattern_match(m->value, reg_field_text(f))
		       : sv_eq(m->value, reg_field_text(f));
}

static bool names(const struct reg_expect *e, const struct reg_alert *a)
{
	return sv_eq(e->rule, a->rule) && (!e->evt || e->evt == a->evt);
}

bool reg_expect_covers(const struct reg_expect *e, const struct reg_alert *a)
{
	if (!names(e, a))
		return false;
	for (size_t i = 0; i < e->match_count; i++)
		if (!shows(a, &e->match[i]))
			return false;
	return true;
}

static void name_expect(struct buf *b, const struct reg_expect *e)
{
	if (e->min == e->max)
		buf_addf(b, "exactly %llu", (unsigned long long)e->min);
	else if (e->max == UINT64_MAX)
		buf_addf(b, "at least %llu", (unsigned long long)e->min);
	else if (!e->min)
		buf_addf(b, "at most %llu", (unsigned long long)e->max);
	else
		buf_addf(b, "%llu to %llu", (unsigned long long)e->min, (unsigned long long)e->max);
	buf_lit(b, " of ");
	escape_text(b, e->rule);
	if (e->evt)
		buf_addf(b, " at event %llu", (unsigned long long)e->evt);
	for (size_t i = 0; i < e->match_count; i++) {
		const struct reg_match *m = &e->match[i];

		buf_str(b, i ? ", " : " with ");
		escape_text(b, m->field);
		buf_str(b, m->glob ? " like " : " = ");
		escape_text(b, m->absent ? SV_LIT("null") : m->value);
	}
}

/* The first alert of the rule that does not match, and by what: why there are too few. */
static void tell_near_miss(struct judge *j, const struct reg_expect *e)
{
	for (size_t i = 0; i < j->run->got->count; i++) {
		const struct reg_alert *a = &j->run->got->items[i];

		if (!sv_eq(a->rule, e->rule) || reg_expect_covers(e, a))
			continue;
		buf_lit(&j->text, "not: ");
		tell_alert(&j->text, a);
		buf_char(&j->text, '\n');
		for (size_t k = 0; k < e->match_count; k++) {
			const struct reg_field *f = reg_alert_field(a, e->match[k].field);

			if (shows(a, &e->match[k]))
				continue;
			buf_lit(&j->text, "  ");
			escape_text(&j->text, e->match[k].field);
			buf_lit(&j->text, " is ");
			escape_text(&j->text, f ? reg_field_text(f) : SV_LIT("not in the output"));
			buf_char(&j->text, '\n');
		}
		return;
	}
}

static int judge_expect(struct judge *j, const struct reg_expect *e)
{
	const struct reg_alerts *got = j->run->got;
	struct reg_check *c;
	uint64_t n = 0;
	bool ok;
	int rc;

	for (size_t i = 0; i < got->count; i++)
		n += reg_expect_covers(e, &got->items[i]);
	ok = n >= e->min && n <= e->max;
	name_expect(&j->name, e);
	if (!ok)
		buf_addf(&j->text, "there %s %llu\n", n == 1 ? "is" : "are", (unsigned long long)n);
	if (n < e->min)
		tell_near_miss(j, e);
	for (size_t i = 0, told = 0; n > e->max && i < got->count; i++) {
		if (!reg_expect_covers(e, &got->items[i]) || told++ >= REG_TOLD_MAX)
			continue;
		buf_lit(&j->text, "got: ");
		tell_alert(&j->text, &got->items[i]);
		buf_lit(&j->text, "\n  ");
		reg_alert_fields(&j->text, &got->items[i], &j->ignore, true);
		buf_char(&j->text, '\n');
	}
	if (n > e->max)
		tell_more(&j->text, n);
	rc = add_check(j, REG_CHECK_EXPECT, ok ? REG_PASSED : REG_FAILED);
	if (rc < 0)
		return rc;
	c = &j->out->checks[j->out->count - 1];
	c->file = j->t->path;
	c->line = e->line;
	c->rule = e->rule;
	return 0;
}

/* --- the baseline, and what nobody expects --- */

static bool is_expected(const struct reg_test *t, const struct reg_alert *a)
{
	for (size_t i = 0; i < t->expect_count; i++)
		if (reg_expect_covers(&t->expect[i], a))
			return true;
	return false;
}

/* With a baseline it says what is expected, without one the expectations do. */
static int find_surprises(struct judge *j)
{
	const struct reg_alerts *got = j->run->got;
	struct reg_verdict *v = j->out;
	size_t n = j->run->baseline ? v->diff.count : got->count;

	v->surprises = arena_zalloc(&v->arena, n + 1, sizeof(*v->surprises));
	if (!v->surprises)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		struct reg_pair p = {REG_NEW, NULL, NULL};

		if (j->run->baseline)
			p = v->diff.pairs[i];
		else if (!is_expected(j->t, &got->items[i]))
			p.b = &got->items[i];
		if (p.tier == REG_NEW && p.b)
			v->surprises[v->surprise_count++] = p;
	}
	return 0;
}

static int judge_surprises(struct judge *j)
{
	static const enum reg_outcome outcomes[] = {
	    [REG_FAIL] = REG_FAILED, [REG_WARN] = REG_WARNED, [REG_IGNORE] = REG_PASSED};
	struct reg_verdict *v = j->out;
	int rc = find_surprises(j);

	if (rc < 0)
		return rc;
	buf_lit(&j->name, "no unexpected alerts");
	if (v->surprise_count && j->t->unexpected != REG_IGNORE)
		rc = tell_pairs(j, v->surprises, v->surprise_count, 1u << REG_NEW);
	if (rc < 0)
		return rc;
	return add_check(j, REG_CHECK_UNEXPECTED,
			 v->surprise_count ? outcomes[j->t->unexpected] : REG_PASSED);
}

/* New alerts are judged as unexpected ones. Moved ones are told, and are no failure. */
static int judge_baseline(struct judge *j)
{
	const uint64_t *tiers = j->out->diff.tiers;
	enum reg_outcome outcome = REG_PASSED;
	int rc;

	if (tiers[REG_CHANGED] || tiers[REG_MISSING])
		outcome = REG_FAILED;
	else if (tiers[REG_MOVED])
		outcome = REG_WARNED;
	buf_lit(&j->name, "alerts as in the baseline");
	rc = tell_pairs(j, j->out->diff.pairs, j->out->diff.count,
			1u << REG_CHANGED | 1u << REG_MOVED | 1u << REG_MISSING);
	if (rc < 0)
		return rc;
	return add_check(j, REG_CHECK_BASELINE, outcome);
}

/* --- budget and trace --- */

static int judge_alerts(struct judge *j)
{
	uint64_t n = j->run->got->count + j->run->got->dropped;
	bool ok = n <= j->t->max_alerts;

	buf_addf(&j->name, "at most %llu alerts", (unsigned long long)j->t->max_alerts);
	if (!ok)
		buf_addf(&j->text, "there are %llu\n", (unsigned long long)n);
	return add_check(j, REG_CHECK_ALERTS, ok ? REG_PASSED : REG_FAILED);
}

static int judge_cost(struct judge *j)
{
	uint64_t per = j->run->events ? j->run->cpu_ns / j->run->events : 0;
	bool ok = per <= j->t->max_ns_per_evt;

	buf_addf(&j->name, "at most %llu ns of CPU time per event",
		 (unsigned long long)j->t->max_ns_per_evt);
	if (!ok)
		buf_addf(&j->text, "it takes %llu ns\n", (unsigned long long)per);
	return add_check(j, REG_CHECK_COST, ok ? REG_PASSED : REG_FAILED);
}

static int judge_trace(struct judge *j)
{
	uint64_t dropped = j->run->got->dropped;

	buf_lit(&j->name, "the trace is whole");
	if (j->run->gaps)
		buf_addf(&j->text, "%llu gaps: damage, or events that were lost\n",
			 (unsigned long long)j->run->gaps);
	if (dropped)
		buf_addf(&j->text, "%llu alerts beyond %u were counted only\n",
			 (unsigned long long)dropped, REG_ALERTS_MAX);
	return add_check(j, REG_CHECK_TRACE, dropped ? REG_FAILED : REG_WARNED);
}

static int judge(struct judge *j)
{
	const struct reg_run_facts *run = j->run;
	int rc = 0;

	for (size_t i = 0; i < j->t->expect_count && rc == 0; i++)
		rc = judge_expect(j, &j->t->expect[i]);
	if (rc == 0 && run->baseline)
		rc = reg_compare(run->baseline, run->got, &j->ignore, &j->out->diff, NULL);
	if (rc == 0 && run->baseline)
		rc = judge_baseline(j);
	if (rc == 0)
		rc = judge_surprises(j);
	if (rc == 0 && j->t->max_alerts != UINT64_MAX)
		rc = judge_alerts(j);
	if (rc == 0 && j->t->max_ns_per_evt != UINT64_MAX)
		rc = judge_cost(j);
	if (rc == 0 && (run->gaps || run->got->dropped))
		rc = judge_trace(j);
	return rc;
}

int reg_judge(const struct reg_test *t, const struct reg_run_facts *run, struct reg_verdict *out,
	      struct error *err)
{
	struct judge j = {
	    .t = t,
	    .run = run,
	    .out = out,
	    .ignore = {t->ignore, t->ignore_count},
	};
	int rc = ERR_NOMEM;

	*out = (struct reg_verdict){0};
	out->checks =
	    arena_zalloc(&out->arena, t->expect_count + CHECKS_BESIDE_EXPECT, sizeof(*out->checks));
	if (out->checks)
		rc = judge(&j);
	buf_done(&j.name);
	buf_done(&j.text);
	if (rc == 0)
		return 0;
	reg_verdict_done(out);
	return error_nomem(err);
}

void reg_verdict_done(struct reg_verdict *v)
{
	reg_comparison_done(&v->diff);
	arena_done(&v->arena);
	*v = (struct reg_verdict){0};
}
