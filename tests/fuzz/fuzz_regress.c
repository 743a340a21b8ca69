/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of rules are read from. The input is a test.yaml, a NUL, a baseline, a NUL, and the
 * alerts that there are; the latter two as lines. What is read is written and read once more,
 * and is the same; the test judges it; a comparison with itself finds no difference. The first two
 * are taken for rule files, too, which are compared.
 */
#include <stdlib.h>

#include "base/json.h"
#include "regress/definitions.h"
#include "regress/judge.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sv take_part(struct sv *all)
{
	const char *end = all->n ? memchr(all->p, 0, all->n) : NULL;
	struct sv part = sv_make(all->p, end ? (size_t)(end - all->p) : all->n);

	*all = sv_drop(*all, part.n + 1);
	return part;
}

static void write_all(struct buf *b, const struct reg_alerts *l)
{
	for (size_t i = 0; i < l->count; i++)
		reg_alert_line(b, &l->items[i], NULL);
}

static void read_again(const struct reg_alerts *l)
{
	struct reg_alerts again = {0};
	struct reg_comparison c;
	struct buf first = {0}, second = {0};

	write_all(&first, l);
	CHECK(reg_alerts_parse(&again, "again", buf_view(&first), NULL) == 0);
	write_all(&second, &again);
	CHECK(sv_eq(buf_view(&first), buf_view(&second)));
	CHECK(reg_compare(l, &again, NULL, &c, NULL) == 0);
	CHECK(!reg_differs(&c) && c.count == l->count);
	reg_comparison_done(&c);
	reg_alerts_done(&again);
	buf_done(&first);
	buf_done(&second);
}

/* Texts for people hold nothing that does anything to a terminal. */
static void check_text(struct sv text)
{
	while (text.n) {
		uint32_t cp;
		unsigned bad, n = utf8_decode(text, &cp, &bad);

		CHECK(n && (cp == '\n' || !utf8_is_harmful(cp)));
		text = sv_drop(text, n);
	}
}

static void judge(const struct reg_test *t, const struct reg_alerts *baseline,
		  const struct reg_alerts *got)
{
	const struct reg_run_facts facts = {.got = got, .baseline = baseline};
	struct reg_verdict v;
	uint64_t pairs = 0;

	CHECK(reg_judge(t, &facts, &v, NULL) == 0);
	for (size_t i = 0; i < v.count; i++) {
		check_text(v.checks[i].name);
		check_text(v.checks[i].text);
		CHECK(v.checks[i].outcome <= v.outcome);
	}
	if (baseline) {
		pairs = v.diff.tiers[REG_UNCHANGED] + v.diff.tiers[REG_CHANGED] +
			v.diff.tiers[REG_MOVED];
		CHECK(pairs + v.diff.tiers[REG_MISSING] == baseline->count);
		CHECK(pairs + v.diff.tiers[REG_NEW] == got->count);
	}
	reg_verdict_done(&v);
}

/* Of one set of rules and itself there is no difference, of two as many as lines. */
static void compare_rules(struct sv one, struct sv two)
{
	struct reg_definitions a = {0}, b = {0};
	struct buf out = {0};
	struct smap_slot *slot;

	CHECK(reg_definitions_add(&a, "a/a.yaml", one) == 0);
	CHECK(reg_definitions_add(&b, "b.yaml", two) == 0);
	for (size_t at = 0; (slot = smap_next(&a.names[REG_RULE], &at));) {
		int n, lines = 0;

		CHECK(reg_definitions_compare(&a, &a, slot->key, &out) == 0 && !out.len);
		n = reg_definitions_compare(&a, &b, slot->key, &out);
		for (size_t i = 0; i < out.len; i++)
			lines += out.p[i] == '\n';
		CHECK(n == lines);
		check_text(buf_view(&out));
		buf_reset(&out);
	}
	reg_definitions_done(&a);
	reg_definitions_done(&b);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv left = sv_make(data, size), yaml = take_part(&left);
	struct sv rules = left;
	struct reg_alerts baseline = {0}, got = {0};
	struct reg_test t = {0};
	bool test = reg_test_parse(&t, "t/test.yaml", "t", yaml, NULL) == 0;
	bool known = reg_alerts_parse(&baseline, "b", take_part(&left), NULL) == 0;

	compare_rules(yaml, take_part(&rules));
	if (known)
		read_again(&baseline);
	if (reg_alerts_parse(&got, "g", take_part(&left), NULL) == 0) {
		read_again(&got);
		if (test)
			judge(&t, known ? &baseline : NULL, &got);
	}
	reg_alerts_done(&baseline);
	reg_alerts_done(&got);
	reg_test_done(&t);
	return 0;
}
