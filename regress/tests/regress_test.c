/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rules: reading them, comparing alerts, judging; and each allocation failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/tests/alloc_wrap.h"
#include "regress/definitions.h"
#include "regress/judge.h"

static void versions_are_compared_by_number(void **state)
{
	static const struct {
		const char *have, *want;
		int meets;
	} rows[] = {
	    {"0.63.0", ">=0.40", 1},
	    {"0.63.0", ">=0.63.0", 1},
	    {"0.63.0", ">= 0.63.1", 0},
	    {"0.63.0", ">0.63", 0},
	    {"0.63.0", "<0.100", 1},
	    {"0.9", ">=0.10", 0},
	    {"0.63.0", "=0.63", 1},
	    {"0.63.0", "==0.63.1", 0},
	    {"0.63.0", "<=0.63", 1},
	    {"0.63.0", "1", 0},
	    {"2", "1.9.9", 1},
	    {"0.63.0", "~0.63", ERR_SYNTAX},
	    {"0.63.0", "", ERR_SYNTAX},
	    {"0.63.0", ">=", ERR_SYNTAX},
	    {"0.63.0", "1.", ERR_SYNTAX},
	    {"0.63.0", "1.2.3.4", ERR_SYNTAX},
	    {"0.63.0", "=>1", ERR_SYNTAX},
	    {"0.63.0", "99999999999999", ERR_SYNTAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (reg_version_meets(rows[i].have, rows[i].want) != rows[i].meets)
			fail_msg("%s %s", rows[i].have, rows[i].want);
}

/* --- comparing --- */

static void add(struct reg_alerts *l, uint64_t evt, const char *rule, const char *fields)
{
	const struct reg_alert a = {
	    .evt = evt, .offset = evt * 100, .ts = evt * 1000000000u, .rule = sv_of(rule)};

	assert_int_equal(reg_alerts_add(l, &a, sv_of(fields), NULL), 0);
}

/* "unchanged 5, new 7, ...": tiers with the event, of the second list where there is one. */
static void assert_pairs(const struct reg_alerts *a, const struct reg_alerts *b, const char *want)
{
	struct reg_comparison c;
	struct buf got = {0};

	assert_int_equal(reg_compare(a, b, NULL, &c, NULL), 0);
	for (size_t i = 0; i < c.count; i++) {
		const struct reg_pair *p = &c.pairs[i];

		buf_addf(&got, "%s%s %llu", i ? ", " : "", reg_tier_names[p->tier],
			 (unsigned long long)(p->b ? p->b->evt : p->a->evt));
	}
	assert_string_equal(buf_cstr(&got), want);
	buf_done(&got);
	reg_comparison_done(&c);
}

static void alerts_are_paired_in_tiers(void **state)
{
	struct reg_alerts a = {0}, b = {0};

	(void)state;
	add(&a, 10, "r", "{\"x\":1}");
	add(&a, 20, "r", "{\"x\":1}");
	add(&a, 30, "r", "{\"x\":1}");
	add(&a, 30, "q", "{}");
	add(&b, 10, "r", "{\"x\":1}");
	add(&b, 20, "r", "{\"x\":2}");
	add(&b, 40, "r", "{\"x\":1}");
	add(&b, 30, "p", "{}");
	assert_pairs(&a, &b, "unchanged 10, changed 20, new 30, missing 30, moved 40");
	assert_pairs(&a, &a, "unchanged 10, unchanged 20, unchanged 30, unchanged 30");
	reg_alerts_clear(&b);
	assert_pairs(&a, &b, "missing 10, missing 20, missing 30, missing 30");
	assert_pairs(&b, &a, "new 10, new 20, new 30, new 30");
	assert_pairs(&b, &b, "");
	reg_alerts_done(&a);
	reg_alerts_done(&b);
}

/* Each alert has one partner at most, and the nearest in order. */
static void moved_alerts_keep_their_order(void **state)
{
	struct reg_alerts a = {0}, b = {0};

	(void)state;
	for (uint64_t i = 0; i < 5; i++) {
		add(&a, 100 + 10 * i, "r", "{\"x\":1}");
		add(&b, 103 + 10 * i, "r", "{\"evt.num\":7,\"x\":1}");
	}
	add(&b, 300, "r", "{\"x\":1}");
	assert_pairs(&a, &b, "moved 103, moved 113, moved 123, moved 133, moved 143, new 300");
	assert_pairs(&b, &a, "moved 100, moved 110, moved 120, moved 130, moved 140, missing 300");
	reg_alerts_done(&a);
	reg_alerts_done(&b);
}

static void two_equal_alerts_of_one_event_are_two(void **state)
{
	struct reg_alerts a = {0}, b = {0};

	(void)state;
	add(&a, 1, "r", "{}");
	add(&a, 1, "r", "{}");
	add(&b, 1, "r", "{}");
	assert_pairs(&a, &b, "unchanged 1, missing 1");
	assert_pairs(&b, &a, "unchanged 1, new 1");
	reg_alerts_done(&a);
	reg_alerts_done(&b);
}

/* --- lines --- */

static void lines_are_read_back_as_they_were_written(void **state)
{
	static const char line[] =
	    "{\"evt\":3,\"offset\":18446744073709551615,\"time\":\"2026-11-22T03:02:21."
	    "000000007Z\","
	    "\"rule\":\"a \\\"b\\\"\",\"priority\":\"Informational\",\"fields\":{\"a\":null,"
	    "\"b\":18446744073709551615,\"c\":\"\\u0007\xc3\xa4\",\"d\":true,\"e\":-1.5e3}}\n";
	struct reg_alerts l = {0};
	struct buf b = {0};

	(void)state;
	assert_int_equal(reg_alerts_parse(&l, "x", sv_of(line), NULL), 0);
	assert_int_equal(l.count, 1);
	reg_alert_line(&b, &l.items[0], NULL);
	assert_string_equal(buf_cstr(&b), line);
	for (size_t n = 1; n < sizeof(line) - 2; n++) { /* each cut is an error, not a crash */
		reg_alerts_clear(&l);
		if (reg_alerts_parse(&l, "x", sv_make(line, n), NULL) == 0)
			fail_msg("cut at %zu", n);
	}
	buf_done(&b);
	reg_alerts_done(&l);
}

/* --- memory --- */

static const char test_text[] =
    "requires: {engine: \">=0.40\", fields: [proc.name]}\nrules: [a, b]\ntrace: t\n"
    "ignore: [x*]\nbudget: {max_alerts: 1, max_ns_per_evt: 1}\nexpect:\n"
    "  - {rule: r, exactly: 1, match: {x: 1, y: {glob: a*}}}\n  - {rule: q, at: {evt: 3}}\n";

static const char old_rules[] =
    "- list: l\n  items: [a, b c, d]\n- macro: m\n  condition: x in (l)\n- macro: other\n"
    "  condition: x\n- rule: r\n  desc: d\n  condition: >\n    m and\n    y = 1\n  priority: INFO\n"
    "- list: l\n  items: [z]\n  append: true\n";
static const char new_rules[] =
    "\n- list: l\n  items: [a, d, e]\n- macro: m\n  condition: x in (l) or n\n- macro: n\n  "
    "condition: y\n"
    "- macro: other\n  condition: y\n- rule: r\n  desc: another\n  condition: m and y = 12\n"
    "  priority: INFO\n";

/* Return: 0 or ERR_NOMEM. */
static int compare_rules(struct buf *out)
{
	struct reg_definitions a = {0}, b = {0};
	int rc = reg_definitions_add(&a, "old/x.yaml", sv_of(old_rules));

	if (rc == 0)
		rc = reg_definitions_add(&b, "y.yaml", sv_of(new_rules));
	if (rc == 0)
		rc = reg_definitions_compare(&a, &b, SV_LIT("r"), out);
	reg_definitions_done(&a);
	reg_definitions_done(&b);
	return rc < 0 ? rc : 0;
}

static void a_rule_is_compared_with_all_it_uses(void **state)
{
	struct buf out = {0};

	(void)state;
	assert_int_equal(compare_rules(&out), 0);
	assert_string_equal(buf_cstr(&out), "rule r (y.yaml:12): condition: '1' -> '12'\n"
					    "macro m (y.yaml:5): condition: '' -> ' or n'\n"
					    "list l (y.yaml:3): removed b c, z; added e\n"
					    "macro n (y.yaml:6): is new\n");
	buf_done(&out);
}

/* Read, compare and judge. Return: 0 or ERR_NOMEM. */
static int work(void)
{
	static const char before[] =
	    "{\"evt\":1,\"offset\":1,\"time\":\"2026-11-22T03:02:21Z\",\"rule\":\"r\","
	    "\"priority\":\"Info\",\"fields\":{\"y\":\"ab\"}}\n";
	static const char after[] =
	    "{\"evt\":1,\"offset\":1,\"time\":\"2026-11-22T03:02:22Z\",\"rule\":\"r\","
	    "\"priority\":\"Error\",\"fields\":{\"y\":\"b\"}}\n"
	    "{\"evt\":9,\"offset\":9,\"time\":\"2026-11-22T03:02:22Z\",\"rule\":\"s\","
	    "\"priority\":\"Error\",\"fields\":{}}\n";
	struct reg_alerts baseline = {0}, got = {0};
	struct reg_verdict verdict = {0};
	struct buf changes = {0};
	struct reg_test t = {0};
	const struct reg_run_facts facts = {
	    .got = &got, .baseline = &baseline, .events = 1, .gaps = 1, .cpu_ns = 9};
	int rc = reg_test_parse(&t, "t/test.yaml", "t", sv_of(test_text), NULL);

	if (rc == 0)
		rc = reg_alerts_parse(&baseline, "b", sv_of(before), NULL);
	if (rc == 0)
		rc = reg_alerts_parse(&got, "g", sv_of(after), NULL);
	if (rc == 0)
		rc = reg_judge(&t, &facts, &verdict, NULL);
	if (rc == 0)
		rc = compare_rules(&changes);
	buf_done(&changes);
	if (rc == 0) {
		assert_int_equal(verdict.outcome, REG_FAILED);
		assert_int_equal(verdict.count, 7);
		assert_int_equal(verdict.diff.tiers[REG_CHANGED], 1);
		assert_int_equal(verdict.diff.tiers[REG_NEW], 1);
	}
	reg_verdict_done(&verdict);
	reg_alerts_done(&baseline);
	reg_alerts_done(&got);
	reg_test_done(&t);
	return rc;
}

static void each_allocation_may_fail(void **state)
{
	unsigned long n = 0;
	int rc;

	(void)state;
	do {
		alloc = (struct alloc_wrap){.counting = true, .fail_at = ++n};
		rc = work();
		alloc.counting = false;
		if (rc != 0 && rc != ERR_NOMEM)
			fail_msg("allocation %lu: %d", n, rc);
	} while (rc != 0);
	assert_true(n > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(versions_are_compared_by_number),
	    cmocka_unit_test(alerts_are_paired_in_tiers),
	    cmocka_unit_test(moved_alerts_keep_their_order),
	    cmocka_unit_test(two_equal_alerts_of_one_event_are_two),
	    cmocka_unit_test(lines_are_read_back_as_they_were_written),
	    cmocka_unit_test(a_rule_is_compared_with_all_it_uses),
	    cmocka_unit_test(each_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
