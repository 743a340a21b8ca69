/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/buf.h"
#include "engine/rules/yaml.h"

struct read {
	struct arena arena;
	const struct rule_yaml_node *docs;
	struct rule_pos pos;
	struct error err;
	int rc;
};

static struct read read_text(struct sv text)
{
	struct read r = {0};

	r.rc = rule_yaml_read(text, &r.arena, &r.docs, &r.pos, &r.err);
	return r;
}

static struct read read_yaml(const char *text)
{
	return read_text(sv_of(text));
}

/* Entry @i of a collection. */
static const struct rule_yaml_entry *entry(const struct rule_yaml_node *n, unsigned i)
{
	const struct rule_yaml_entry *e = n->first;

	while (i--)
		e = e->next;
	return e;
}

static const struct rule_yaml_node *item(const struct rule_yaml_node *n, unsigned i)
{
	return entry(n, i)->value;
}

static void nodes_know_where_they_stand(void **state)
{
	struct read r = read_yaml("\n- rule: some rule\n  condition: |\n    a\n- [x, 'y']\n");
	const struct rule_yaml_node *doc, *rule;

	(void)state;
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.docs->count, 1);
	doc = item(r.docs, 0);
	assert_int_equal(doc->count, 2);
	rule = item(doc, 0);
	assert_int_equal(rule->pos.line, 1);
	assert_int_equal(rule->pos.column, 2);
	assert_int_equal(rule->pos.offset, 3);
	assert_string_equal(rule_yaml_get(rule, "rule")->text.p, "some rule");
	assert_int_equal(rule_yaml_get(rule, "rule")->pos.column, 8);
	assert_string_equal(rule_yaml_get(rule, "condition")->text.p, "a\n");
	assert_int_equal(rule_yaml_get(rule, "condition")->pos.line, 2);
	assert_int_equal(item(item(doc, 1), 1)->pos.line, 4);
	assert_int_equal(item(item(doc, 1), 1)->pos.column, 6);
	assert_null(rule_yaml_get(rule, "output"));
	assert_null(rule_yaml_get(item(doc, 1), "x"));
	arena_done(&r.arena);
}

static void plain_null_words_are_null_and_quoted_ones_are_text(void **state)
{
	struct read r = read_yaml("[~, null, Null, NULL, '', '~', \"null\", !!null x, !!str null]");
	const struct rule_yaml_node *doc = item(r.docs, 0);

	(void)state;
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(item(doc, i)->kind,
				 i < 4 || i == 7 ? RULE_YAML_NULL : RULE_YAML_SCALAR);
	arena_done(&r.arena);
}

static void an_unquoted_exclamation_mark_is_a_tag_on_empty_text(void **state)
{
	struct read r = read_yaml("- !=\n- '!='\n");
	struct read flow = read_yaml("[!=]");

	(void)state;
	assert_int_equal(item(item(r.docs, 0), 0)->kind, RULE_YAML_SCALAR);
	assert_int_equal(item(item(r.docs, 0), 0)->text.n, 0);
	assert_string_equal(item(item(r.docs, 0), 1)->text.p, "!=");
	arena_done(&r.arena);
	assert_int_equal(flow.rc, ERR_SYNTAX);
	assert_non_null(strstr(flow.err.msg, "must be quoted"));
	arena_done(&flow.arena);
}

static void of_equal_keys_the_first_counts(void **state)
{
	struct read r = read_yaml("a: 1\nb: 2\na: 3\n");

	(void)state;
	assert_string_equal(rule_yaml_get(item(r.docs, 0), "a")->text.p, "1");
	assert_int_equal(item(r.docs, 0)->count, 3);
	arena_done(&r.arena);
}

static void every_document_is_an_entry(void **state)
{
	struct read r = read_yaml("--- a\n--- [b]\n---\n...\n--- {c: d}\n");
	struct read empty = read_yaml("# nothing\n");

	(void)state;
	assert_int_equal(r.docs->count, 4);
	assert_int_equal(item(r.docs, 2)->kind, RULE_YAML_NULL);
	assert_int_equal(item(r.docs, 3)->kind, RULE_YAML_MAP);
	assert_int_equal(empty.rc, 0);
	assert_int_equal(empty.docs->count, 0);
	arena_done(&r.arena);
	arena_done(&empty.arena);
}

static void aliases_stand_for_what_they_name(void **state)
{
	struct read r = read_yaml("- &x [1, 2]\n- *x\n- &x 3\n- *x\n");
	const struct rule_yaml_node *doc = item(r.docs, 0);

	(void)state;
	assert_int_equal(r.rc, 0);
	assert_ptr_equal(item(doc, 0), item(doc, 1));
	assert_string_equal(item(doc, 3)->text.p, "3");
	arena_done(&r.arena);
}

static void bad_aliases_are_refused(void **state)
{
	static const char *const bad[] = {"- *x\n", "- &x [*x]\n", "- &x {a: [1, *x]}\n",
					  "--- &x a\n--- *x\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct read r = read_yaml(bad[i]);

		assert_int_equal(r.rc, ERR_SYNTAX);
		assert_non_null(strstr(r.err.msg, "alias 'x'"));
		arena_done(&r.arena);
	}
}

static void a_billion_laughs_are_counted_at_full_weight(void **state)
{
	struct buf b = {0};
	struct read r;

	(void)state;
	buf_lit(&b, "- &a0 [x, x]\n");
	for (unsigned i = 1; i < 60; i++)
		buf_addf(&b, "- &a%u [*a%u, *a%u]\n", i, i - 1, i - 1);
	r = read_text(buf_view(&b));
	assert_int_equal(r.rc, ERR_LIMIT);
	assert_non_null(strstr(r.err.msg, "nodes"));
	arena_done(&r.arena);
	buf_done(&b);
}

static void depth_is_limited_with_aliases_included(void **state)
{
	struct buf b = {0};
	struct read r;

	(void)state;
	for (unsigned i = 0; i < RULE_YAML_DEPTH_MAX; i++)
		buf_char(&b, '[');
	r = read_text(buf_view(&b)); /* not closed, but not too deep */
	assert_int_equal(r.rc, ERR_SYNTAX);
	arena_done(&r.arena);
	buf_char(&b, '[');
	r = read_text(buf_view(&b));
	assert_int_equal(r.rc, ERR_LIMIT);
	assert_int_equal(r.pos.column, RULE_YAML_DEPTH_MAX);
	arena_done(&r.arena);
	for (unsigned i = 0; i < 100000; i++)
		buf_char(&b, '[');
	r = read_text(buf_view(&b));
	assert_int_equal(r.rc, ERR_LIMIT);
	arena_done(&r.arena);

	buf_reset(&b);
	buf_lit(&b, "- &a0 [x]\n");
	for (unsigned i = 1; i <= RULE_YAML_DEPTH_MAX; i++)
		buf_addf(&b, "- &a%u [*a%u]\n", i, i - 1);
	r = read_text(buf_view(&b));
	assert_int_equal(r.rc, ERR_LIMIT);
	assert_non_null(strstr(r.err.msg, "deep"));
	arena_done(&r.arena);
	buf_done(&b);
}

static void too_many_bytes_or_nodes_are_refused(void **state)
{
	struct buf b = {0};
	struct read r;

	(void)state;
	for (unsigned i = 0; i < RULE_YAML_NODES_MAX; i++)
		buf_lit(&b, "- a\n");
	r = read_text(buf_view(&b));
	assert_int_equal(r.rc, ERR_LIMIT);
	arena_done(&r.arena);
	while (b.len <= RULE_YAML_BYTES_MAX)
		buf_lit(&b, "- a\n");
	r = read_text(buf_view(&b));
	assert_int_equal(r.rc, ERR_LIMIT);
	assert_non_null(strstr(r.err.msg, "bytes"));
	arena_done(&r.arena);
	buf_done(&b);
}

static void aliased_text_is_counted_at_full_length(void **state)
{
	struct buf b = {0};
	struct read r;

	(void)state;
	buf_lit(&b, "- &x ");
	while (b.len < 1 << 20)
		buf_char(&b, 'a');
	for (unsigned i = 0; i < 70; i++)
		buf_lit(&b, "\n- *x");
	r = read_text(buf_view(&b));
	assert_int_equal(r.rc, ERR_LIMIT);
	assert_non_null(strstr(r.err.msg, "bytes of text"));
	arena_done(&r.arena);
	buf_done(&b);
}

static void a_syntax_error_says_where(void **state)
{
	struct read r = read_yaml("- a: b\n- c: [d\n- e: f\n");

	(void)state;
	assert_int_equal(r.rc, ERR_SYNTAX);
	assert_int_equal(r.pos.line, 2);
	assert_true(r.err.msg[0] != '\0');
	arena_done(&r.arena);
	r = read_text(sv_make("- a\xff", 4));
	assert_int_equal(r.rc, ERR_SYNTAX);
	arena_done(&r.arena);
}

static void every_beginning_of_a_text_is_read_or_refused(void **state)
{
	static const char text[] =
	    "- &a {k: [1, 'two', \"three\"], ? x : *b}\n- >\n  folded\n--- |\n a\n";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		struct read r = read_text(sv_make(text, n));

		assert_true(r.rc == 0 || r.rc == ERR_SYNTAX);
		arena_done(&r.arena);
	}
}

static void booleans_are_the_words_of_yaml_1_1(void **state)
{
	static const char *const yes[] = {"y",	  "Y",	  "yes", "Yes", "YES", "true",
					  "True", "TRUE", "on",	 "On",	"ON"};
	static const char *const no[] = {"n",	  "N",	   "no",  "No",	 "NO", "false",
					 "False", "FALSE", "off", "Off", "OFF"};
	static const char *const neither[] = {"", "yEs", "tRUE", "1", "0", "maybe", "yes "};
	bool b;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(yes); i++)
		assert_true(rule_yaml_bool(sv_of(yes[i]), &b) && b);
	for (size_t i = 0; i < COUNT_OF(no); i++)
		assert_true(rule_yaml_bool(sv_of(no[i]), &b) && !b);
	for (size_t i = 0; i < COUNT_OF(neither); i++)
		assert_false(rule_yaml_bool(sv_of(neither[i]), &b));
}

static void numbers_are_whole_and_not_negative(void **state)
{
	static const char *const bad[] = {"",
					  "-1",
					  " 1",
					  "1 ",
					  "1.0",
					  "x",
					  "0x",
					  "+1",
					  "99999999999999999999",
					  "18446744073709551616"};
	uint64_t n;

	(void)state;
	assert_true(rule_yaml_u64(SV_LIT("26"), &n) && n == 26);
	assert_true(rule_yaml_u64(SV_LIT("0x1f"), &n) && n == 31);
	assert_true(rule_yaml_u64(SV_LIT("18446744073709551615"), &n) && n == UINT64_MAX);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(rule_yaml_u64(sv_of(bad[i]), &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nodes_know_where_they_stand),
	    cmocka_unit_test(plain_null_words_are_null_and_quoted_ones_are_text),
	    cmocka_unit_test(an_unquoted_exclamation_mark_is_a_tag_on_empty_text),
	    cmocka_unit_test(of_equal_keys_the_first_counts),
	    cmocka_unit_test(every_document_is_an_entry),
	    cmocka_unit_test(aliases_stand_for_what_they_name),
	    cmocka_unit_test(bad_aliases_are_refused),
	    cmocka_unit_test(a_billion_laughs_are_counted_at_full_weight),
	    cmocka_unit_test(depth_is_limited_with_aliases_included),
	    cmocka_unit_test(too_many_bytes_or_nodes_are_refused),
	    cmocka_unit_test(aliased_text_is_counted_at_full_length),
	    cmocka_unit_test(a_syntax_error_says_where),
	    cmocka_unit_test(every_beginning_of_a_text_is_read_or_refused),
	    cmocka_unit_test(booleans_are_the_words_of_yaml_1_1),
	    cmocka_unit_test(numbers_are_whole_and_not_negative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
