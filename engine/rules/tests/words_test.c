/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions in the words of rules: written out, and where each part of that comes from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/rules/tests/rules_test.h"
#include "engine/rules/words.h"

static const char rules[] = "- list: inner\n"
			    "  items: [c]\n"
			    "- list: none\n"
			    "  items: []\n"
			    "- list: shells\n"
			    "  items:\n"
			    "    - bash\n"
			    "    - inner\n"
			    "    - \"two words\"\n"
			    "- macro: is_shell\n"
			    "  condition: >\n"
			    "    evt.type = openat and\n"
			    "    proc.name in (shells)\n"
			    "- macro: deep\n"
			    "  condition: (not is_shell or proc.name = \"a  b\")\n";

static void expect_full(const char *text, const char *expected)
{
	struct loaded x = load(rules);
	struct rule_in_full f;
	struct error err = {0};
	size_t pos;

	if (rule_write_in_full(x.l, sv_of(text), &f, &pos, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	assert_string_equal(buf_cstr(&f.text), expected);
	rule_in_full_done(&f);
	unload(&x);
}

static void test_macros_and_lists_are_written_out(void **state)
{
	(void)state;
	expect_full("proc.name  =  sh", "proc.name  =  sh");
	expect_full("is_shell", "(evt.type = openat and proc.name in (bash, c, \"two words\" ))");
	expect_full("fd.num > 3 and not is_shell",
		    "fd.num > 3 and not (evt.type = openat and proc.name in (bash, c, \"two "
		    "words\" ))");
	expect_full("deep or deep",
		    "((not (evt.type = openat and proc.name in (bash, c, \"two words\" )) or "
		    "proc.name = \"a  b\")) or ((not (evt.type = openat and proc.name in (bash, "
		    "c, \"two words\" )) or proc.name = \"a  b\"))");
	expect_full("proc.name in (x, shells,y)", "proc.name in (x, bash, c, \"two words\",y)");
	expect_full("proc.name in shells", "proc.name in (bash, c, \"two words\")");
	expect_full("proc.name in inner", "proc.name in (c)");
}

static void test_an_empty_list_takes_a_comma_along(void **state)
{
	(void)state;
	expect_full("proc.name in none", "proc.name in ()");
	expect_full("proc.name in (none)", "proc.name in ()");
	expect_full("proc.name in (a, none)", "proc.name in (a)");
	expect_full("proc.name in (none, a)", "proc.name in ( a)");
	expect_full("proc.name in (a, none, b)", "proc.name in (a, b)");
}

static void test_values_stay_values(void **state)
{
	(void)state;
	expect_full("proc.name = shells", "proc.name = shells");
	expect_full("proc.name in (\"shells\")", "proc.name in (\"shells\")");
	expect_full("proc.name contains 'is_shell and shells'",
		    "proc.name contains 'is_shell and shells'");
}

static void test_what_is_written_out_says_the_same_again(void **state)
{
	struct loaded x = load(rules);
	struct rule_in_full f, again;
	struct error err;
	size_t pos;

	(void)state;
	assert_int_equal(
	    rule_write_in_full(x.l, SV_LIT("deep and proc.name in (shells)"), &f, &pos, &err), 0);
	assert_int_equal(rule_write_in_full(NULL, buf_view(&f.text), &again, &pos, &err), 0);
	assert_string_equal(buf_cstr(&f.text), buf_cstr(&again.text));
	rule_in_full_done(&f);
	rule_in_full_done(&again);
	unload(&x);
}

static void test_each_byte_knows_what_it_comes_from(void **state)
{
	const struct sv text = SV_LIT("fd.num > 3 and deep and proc.name in (shells, z)");
	struct loaded x = load(rules);
	const struct rule_stretch *s;
	struct rule_in_full f;
	struct error err;
	size_t pos;

	(void)state;
	assert_int_equal(rule_write_in_full(x.l, text, &f, &pos, &err), 0);
	s = rule_in_full_at(&f, 4);
	assert_true(s->given == 0 && !s->word.name.n);
	s = rule_in_full_at(&f, (size_t)(strstr(buf_cstr(&f.text), "openat") - f.text.p));
	assert_int_equal(s->given, 15);
	assert_true(sv_is(s->word.name, "is_shell") && !s->word.is_list);
	assert_string_equal(s->word.at.file, "t.yaml");
	assert_int_equal(s->word.at.line, 10);
	s = rule_in_full_at(&f, (size_t)(strstr(buf_cstr(&f.text), "\"a  b") - f.text.p));
	assert_int_equal(s->given, 15);
	assert_true(sv_is(s->word.name, "deep"));
	s = rule_in_full_at(&f, (size_t)(strstr(buf_cstr(&f.text), ", z)") - f.text.p));
	assert_int_equal(s->given, text.n - 4);
	assert_int_equal(s->word.name.n, 0);
	s = rule_in_full_at(&f, s->from - 1);
	assert_int_equal(s->given, 38);
	assert_true(sv_is(s->word.name, "shells") && s->word.is_list && s->word.items == 3);
	rule_in_full_done(&f);
	unload(&x);
}

static void test_stretches_are_in_order(void **state)
{
	struct loaded x = load(rules);
	struct rule_in_full f;
	struct error err;
	size_t pos;

	(void)state;
	assert_int_equal(
	    rule_write_in_full(x.l, SV_LIT("proc.name in (a, none) and deep"), &f, &pos, &err), 0);
	for (size_t i = 1; i < f.count; i++)
		assert_true(f.stretches[i - 1].from <= f.stretches[i].from);
	rule_in_full_done(&f);
	unload(&x);
}

static void test_what_cannot_be_written_out_is_told_where(void **state)
{
	static const struct {
		const char *text;
		int code;
		size_t pos;
	} rows[] = {
	    {"proc.name = a and nosuch", ERR_COMPILE, 18},
	    {"is_shell and", ERR_SYNTAX, 12},
	    {"shells", ERR_COMPILE, 0},
	};
	struct loaded x = load(rules);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct rule_in_full f;
		struct error err = {0};
		size_t pos = 99;
		int rc = rule_write_in_full(x.l, sv_of(rows[i].text), &f, &pos, &err);

		if (rc != rows[i].code || pos != rows[i].pos || !err.msg[0])
			fail_msg("%s: %d at %zu: %s", rows[i].text, rc, pos, err.msg);
	}
	unload(&x);
}

/* Each names the one before twice. */
static void test_what_would_grow_too_large_is_left(void **state)
{
	struct buf text = {0};
	struct rule_in_full f;
	struct error err = {0};
	struct loaded x;
	size_t pos;

	(void)state;
	buf_addf(&text, "- macro: m0\n  condition: proc.name = %0400d\n", 0);
	for (int i = 1; i < 15; i++)
		buf_addf(&text, "- macro: m%d\n  condition: m%d or m%d\n", i, i - 1, i - 1);
	x = load(buf_cstr(&text));
	assert_int_equal(x.rc, 0);
	assert_int_equal(rule_write_in_full(x.l, SV_LIT("evt.num > 3 and m14"), &f, &pos, &err),
			 ERR_LIMIT);
	assert_int_equal(pos, 16);
	unload(&x);
	buf_done(&text);
}

static void test_words_are_told(void **state)
{
	static const char *const names[] = {"is_shell", "deep", "inner", "none", "shells"};
	struct loaded x = load(rules);
	struct rule_word word;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		assert_true(rule_word_at(x.l, i, &word));
		assert_true(sv_is(word.name, names[i]));
		assert_int_equal(word.is_list, i > 1);
	}
	assert_false(rule_word_at(x.l, COUNT_OF(names), &word));
	assert_true(rule_has_macro(x.l, SV_LIT("deep")));
	assert_false(rule_has_macro(x.l, SV_LIT("shells")));
	unload(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_macros_and_lists_are_written_out),
	    cmocka_unit_test(test_an_empty_list_takes_a_comma_along),
	    cmocka_unit_test(test_values_stay_values),
	    cmocka_unit_test(test_what_is_written_out_says_the_same_again),
	    cmocka_unit_test(test_each_byte_knows_what_it_comes_from),
	    cmocka_unit_test(test_stretches_are_in_order),
	    cmocka_unit_test(test_what_cannot_be_written_out_is_told_where),
	    cmocka_unit_test(test_what_would_grow_too_large_is_left),
	    cmocka_unit_test(test_words_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
