/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage for people: a line per rule, or one rule check by check. */
#include <stdlib.h>

#include "cli/cover.h"
#include "cli/table.h"

#define CHECK_MAX 120 /* bytes of a check on a line */
#define UNMET_MAX 20  /* items that are named */

static enum table_style style_of(enum cover_state s)
{
	static const enum table_style styles[] = {
	    [COVER_DISABLED] = STYLE_DIM,    [COVER_FOREIGN] = STYLE_DIM,
	    [COVER_UNEVALUATED] = STYLE_BAD, [COVER_UNMATCHED] = STYLE_WARN,
	    [COVER_MATCHED] = STYLE_GOOD,
	};

	return styles[s];
}

static void put_part(struct buf *b, struct cover_part p, int width)
{
	char text[48];

	snprintf(text, sizeof(text), "%llu/%llu", (unsigned long long)p.seen,
		 (unsigned long long)p.all);
	buf_addf(b, "%*s", width, p.all ? text : "-");
}

static void header(struct buf *b, bool tests)
{
	buf_lit(b, "STATE            EVALUATED    MATCHED   CHECKS    ITEMS EXCEPTIONS");
	buf_str(b, tests ? "  TESTS  RULE\n" : "  RULE\n");
}

/* "2+1": two tests expect alerts, one expects none. */
static void put_tests(struct buf *b, const struct cover_rule *r)
{
	char text[48] = "-";

	if (r->expect_alerts || r->expect_none)
		snprintf(text, sizeof(text), "%llu+%llu", (unsigned long long)r->expect_alerts,
			 (unsigned long long)r->expect_none);
	buf_addf(b, "%7s", text);
}

static void rule_line(struct buf *b, const struct cover_rule *r, bool tests, bool color)
{
	enum cover_state state = cover_state_of(r);
	struct cover_sums s = cover_sums_of(r);

	table_style_begin(b, color, style_of(state));
	buf_addf(b, "%-15s", cover_state_name(state));
	table_style_end(b, color, style_of(state));
	buf_addf(b, " %10llu %10llu", (unsigned long long)r->evaluated,
		 (unsigned long long)r->matched);
	put_part(b, s.sides, 9);
	put_part(b, s.items, 9);
	put_part(b, s.tuples, 11);
	if (tests)
		put_tests(b, r);
	buf_lit(b, "  ");
	cli_safe(b, r->rule->name);
	buf_char(b, '\n');
}

static void add_sum(struct cover_part *to, struct cover_part p)
{
	to->seen += p.seen;
	to->all += p.all;
}

/* What tests expect, and whether the captures bear it out. */
static void test_totals(struct buf *b, const struct cover *c)
{
	uint64_t could = 0, alerts = 0, none = 0, never[COVER_MATCHED + 1] = {0};

	for (size_t i = 0; i < c->count; i++) {
		const struct cover_rule *r = &c->rules[i];

		if (!r->x)
			continue;
		could++;
		alerts += r->expect_alerts != 0;
		none += r->expect_none != 0;
		never[cover_state_of(r)] += r->expect_alerts != 0;
	}
	buf_addf(
	    b, "%llu tests expect alerts of %llu of %llu rules, and of %llu that there are none\n",
	    (unsigned long long)c->tests, (unsigned long long)alerts, (unsigned long long)could,
	    (unsigned long long)none);
	if (never[COVER_UNEVALUATED] || never[COVER_UNMATCHED])
		buf_addf(b,
			 "of rules whose alerts are expected, %llu were never evaluated and %llu "
			 "never true\n",
			 (unsigned long long)never[COVER_UNEVALUATED],
			 (unsigned long long)never[COVER_UNMATCHED]);
}

static void totals(struct buf *b, const struct cover *c)
{
	uint64_t by_state[COVER_MATCHED + 1] = {0};
	struct cover_sums sums = {0};

	for (size_t i = 0; i < c->count; i++) {
		struct cover_sums s = cover_sums_of(&c->rules[i]);

		by_state[cover_state_of(&c->rules[i])]++;
		add_sum(&sums.sides, s.sides);
		add_sum(&sums.items, s.items);
		add_sum(&sums.tuples, s.tuples);
	}
	buf_addf(b, "%zu rules, %llu capture%s, ", c->count, (unsigned long long)c->captures,
		 c->captures == 1 ? "" : "s");
	cli_grouped(b, c->events);
	buf_lit(b, " events\n");
	for (int s = COVER_MATCHED; s >= 0; s--)
		if (by_state[s])
			buf_addf(b, "%6llu %s\n", (unsigned long long)by_state[s],
				 cover_state_name((enum cover_state)s));
	buf_lit(b, "checks seen true and seen not true: ");
	put_part(b, sums.sides, 0);
	buf_lit(b, "; items met: ");
	put_part(b, sums.items, 0);
	buf_lit(b, "; values of exceptions met: ");
	put_part(b, sums.tuples, 0);
	buf_char(b, '\n');
	if (c->tests)
		test_totals(b, c);
}

void cover_text(struct buf *b, const struct cover *c, bool color)
{
	header(b, c->tests != 0);
	for (size_t i = 0; i < c->count; i++)
		rule_line(b, &c->rules[i], c->tests != 0, color);
	buf_char(b, '\n');
	totals(b, c);
}

/* --- one rule --- */

static void clipped(struct buf *b, struct sv s)
{
	size_t n = s.n < CHECK_MAX ? s.n : CHECK_MAX;

	while (n && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	cli_safe(b, sv_make(s.p, n));
	if (n < s.n)
		buf_lit(b, "...");
}

static void put_place(struct buf *b, const struct rule_part *p)
{
	buf_lit(b, "  [");
	cli_safe(b, sv_of(p->at.file ? p->at.file : "?"));
	buf_addf(b, ":%u]\n", p->at.line);
}

static void unmet(struct buf *b, const struct rule_part *p, const struct cover_check *k)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < k->count; i++) {
		if (k->met[i])
			continue;
		if (n < UNMET_MAX) {
			buf_str(b, n ? ", " : "          never met: ");
			clipped(b, p->constants[i].text);
		}
		n++;
	}
	if (n > UNMET_MAX)
		buf_addf(b, " and %u more", n - UNMET_MAX);
	buf_str(b, n ? "\n" : "");
}

static void check_line(struct buf *b, const struct cover_rule *r, const struct rule_part *p,
		       bool color)
{
	const struct cover_check *k = &r->checks[p->check];
	bool both = k->yes && (k->no || k->absent);

	table_style_begin(b, color, both ? STYLE_GOOD : STYLE_WARN);
	buf_addf(b, "%10llu %10llu %10llu", (unsigned long long)k->yes, (unsigned long long)k->no,
		 (unsigned long long)k->absent);
	table_style_end(b, color, STYLE_GOOD);
	buf_lit(b, "  ");
	clipped(b, p->text);
	put_place(b, p);
	unmet(b, p, k);
}

static void exception_lines(struct buf *b, const struct cover_rule *r)
{
	for (uint32_t i = 0; i < r->tuple_count; i++) {
		buf_addf(b, "%10llu  exception values", (unsigned long long)r->tuple_met[i]);
		put_place(b, r->tuples[i]);
	}
}

static void check_lines(struct buf *b, const struct cover_rule *r, const struct rule_part *p,
			bool color)
{
	if (p->kind == RULE_PART_CHECK)
		check_line(b, r, p, color);
	for (uint32_t i = 0; i < p->count; i++)
		check_lines(b, r, p->kids[i], color);
}

void cover_rule_text(struct buf *b, const struct cover_rule *r, bool color)
{
	header(b, false);
	rule_line(b, r, false, color);
	if (!r->x)
		return;
	buf_lit(b, "\n      TRUE      FALSE     ABSENT  CHECK\n");
	check_lines(b, r, r->x->root, color);
	exception_lines(b, r);
}

/* --- orders --- */

/* A macro, or what else the part is, in one line. */
static void put_conjunct(struct buf *b, const struct rule_part *p)
{
	switch (p->kind) {
	case RULE_PART_CHECK:
	case RULE_PART_MACRO:
		clipped(b, p->text);
		break;
	case RULE_PART_EXCEPTION:
		buf_lit(b, "exception ");
		clipped(b, p->text);
		break;
	case RULE_PART_NOT:
		buf_lit(b, "not ");
		put_conjunct(b, p->kids[0]);
		break;
	case RULE_PART_AND:
	case RULE_PART_OR:
	case RULE_PART_TUPLE:
		buf_str(b,
			p->kind == RULE_PART_OR ? "any of several parts" : "all of several parts");
		break;
	}
}

static void order_lines(struct buf *b, const struct cover_rule *r)
{
	const struct cover_suggestion s = cover_suggestion_of(r);
	uint32_t moved = s.count; /* those behind stay */

	buf_addf(b, "%10llu %8.2f %8.2f %6.0f %%  ", (unsigned long long)r->evaluated, s.written,
		 s.then, 100 * (s.written - s.then) / s.written);
	cli_safe(b, r->rule->name);
	buf_char(b, '\n');
	while (moved && s.parts[moved - 1] == moved - 1)
		moved--;
	for (uint32_t i = 0; i < moved; i++) {
		buf_addf(b, "%14u. (was %u) ", i + 1, s.parts[i] + 1u);
		put_conjunct(b, r->x->conjuncts[s.parts[i]]);
		put_place(b, r->x->conjuncts[s.parts[i]]);
	}
}

int cover_orders_text(struct buf *b, struct cover *c, struct error *err)
{
	struct cover_rule **rules;
	size_t n;
	int rc = cover_orders(c, &rules, &n, err);

	if (rc < 0)
		return rc;
	buf_lit(b, "\nparts of conditions that would decide sooner in another order; checks per "
		   "evaluation, from left to right\n");
	buf_str(b, n ? " EVALUATED  WRITTEN     THEN   SAVING  RULE\n" : "    none\n");
	for (size_t i = 0; i < n; i++)
		order_lines(b, rules[i]);
	free(rules);
	return 0;
}
