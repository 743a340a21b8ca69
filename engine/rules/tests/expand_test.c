/* SPDX-License-Identifier: Apache-2.0 */
/* Lists in conditions, macros in conditions, exceptions, and additions to outputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/rules/tests/rules_test.h"

#define HEAD "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: "

static void assert_condition(const char *text, const char *compiled)
{
	struct loaded x = load(text);
	struct rule_engine *e = engine_of(&x);

	assert_sv(find_rule(e, "r")->compiled, compiled);
	rule_engine_free(e);
	unload(&x);
}

static void expect_bad(const char *text, enum rule_code code, const char *part)
{
	struct loaded x = load(text);

	expect_error(&x, code, part);
	unload(&x);
}

static void lists_are_replaced_by_their_items(void **state)
{
	(void)state;
	assert_condition("- list: l\n  items: [a, 'b c', '\"q u\"', 0x10, /x/*]\n" HEAD
			 "evt.type=open and proc.name in (l,z)\n",
			 "(evt.type = open and proc.name in (a, \"b c\", \"q u\", 0x10, /x/*, z))");
	assert_condition("- list: one\n  items: [x]\n" HEAD "proc.name=one and evt.type=open\n",
			 "(proc.name = x and evt.type = open)");
	assert_condition("- list: l\n  items: [a]\n" HEAD "evt.type=open and proc.name in ( l )\n",
			 "(evt.type = open and proc.name in (a))");
	assert_condition("- list: l\n  items: [a]\n" HEAD "evt.type=open and proc.name in l\n",
			 "(evt.type = open and proc.name in a)");
}

static void only_whole_words_are_list_names(void **state)
{
	(void)state;
	assert_condition("- list: l\n  items: [a]\n" HEAD
			 "evt.type=open and proc.name in (ll, l-l, /l, l, '-l')\n",
			 "(evt.type = open and proc.name in (ll, l-l, /l, a, -l))");
}

static void substitution_reaches_into_quoted_strings(void **state)
{
	(void)state;
	assert_condition("- list: l\n  items: [a]\n" HEAD "evt.type=open and proc.name = 'x l y'\n",
			 "(evt.type = open and proc.name = \"x a y\")");
	expect_bad("- list: l\n  items: [a, b]\n" HEAD "evt.type=open and proc.name = l\n",
		   LOAD_ERR_COMPILE_CONDITION, "expecting 'or', 'and'");
}

static void an_empty_list_takes_one_comma_with_it(void **state)
{
	static const char *const in[] = {"(l, a)", "(a, l)", "(a, l, b)", "(a,l,b)", "(l)"};
	static const char *const out[] = {"(a)", "(a)", "(a, b)", "(a, b)", "()"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(in); i++) {
		struct buf text = {0}, expected = {0};

		buf_addf(&text,
			 "- list: l\n  items: []\n" HEAD "evt.type=open and proc.name in %s\n",
			 in[i]);
		buf_addf(&expected, "(evt.type = open and proc.name in %s)", out[i]);
		assert_condition(buf_cstr(&text), buf_cstr(&expected));
		buf_done(&text);
		buf_done(&expected);
	}
}

static void lists_in_lists_go_one_level_and_then_by_definition_order(void **state)
{
	(void)state;
	assert_condition("- list: a1\n  items: [x, y]\n- list: b1\n  items: [a1, z]\n"
			 "- list: c1\n  items: [b1, w]\n" HEAD
			 "evt.type=open and proc.name in (c1)\n",
			 "(evt.type = open and proc.name in (a1, z, w))");
	assert_condition("- list: c1\n  items: [b1, w]\n- list: b1\n  items: [a1, z]\n"
			 "- list: a1\n  items: [x, y]\n" HEAD
			 "evt.type=open and proc.name in (c1)\n",
			 "(evt.type = open and proc.name in (x, y, z, w))");
	assert_condition("- list: a1\n  items: [x, y]\n- list: b1\n  items: [a1, z]\n" HEAD
			 "evt.type=open and proc.name in (b1)\n",
			 "(evt.type = open and proc.name in (x, y, z))");
}

static void a_list_that_names_itself_adds_nothing(void **state)
{
	(void)state;
	assert_condition("- list: l\n  items: [a]\n- list: l\n  items: [l, b]\n"
			 "  override: {items: append}\n" HEAD
			 "evt.type=open and proc.name in (l)\n",
			 "(evt.type = open and proc.name in (a, b))");
	/* Without an append its name is just a word. */
	assert_condition("- list: l\n  items: [l, a]\n" HEAD "evt.type=open and proc.name in (l)\n",
			 "(evt.type = open and proc.name in (l, a))");
}

static void odd_list_names_work_as_text(void **state)
{
	(void)state;
	assert_condition("- list: a b\n  items: [open, openat]\n" HEAD "evt.type in (a b)\n",
			 "evt.type in (open, openat)");
	assert_condition("- list: openat\n  items: [close]\n- list: (q)\n"
			 "  items: ['(open,openat)']\n- list: y\n  items: [none]\n" HEAD
			 "evt.type in (q)\n",
			 "evt.type in (open, openat)");
}

static void inner_quotes_are_escaped_where_an_item_gets_quoted(void **state)
{
	(void)state;
	assert_condition(
	    "- list: l\n  items: ['say \"hi\"', 'say \\\"ho\\\"']\n" HEAD
	    "evt.type=open and proc.name in (l)\n",
	    "(evt.type = open and proc.name in (\"say \\\"hi\\\"\", \"say \\\"ho\\\"\"))");
}

static void macros_are_put_in_as_groups(void **state)
{
	(void)state;
	assert_condition("- macro: m\n  condition: evt.type=open or evt.type=openat\n"
			 "- macro: n\n  condition: m and proc.pid=1\n" HEAD "not m and n\n",
			 "(not (evt.type = open or evt.type = openat) and ((evt.type = open or "
			 "evt.type = openat) and proc.pid = 1))");
	/* A rule sees macros that come after it. */
	assert_condition(HEAD "m\n- macro: m\n  condition: evt.type=open\n", "evt.type = open");
	/* List substitution comes first. */
	assert_condition("- macro: m\n  condition: evt.type=open\n- list: m\n  items: [n]\n"
			 "- macro: n\n  condition: evt.type=close\n" HEAD "m or n\n",
			 "(evt.type = close or evt.type = close)");
}

static void short_macros_cannot_make_endless_conditions(void **state)
{
	struct loaded x = loaded_new(NULL);
	struct buf b = {0};

	(void)state;
	buf_lit(&b, "- macro: m0\n  condition: evt.num=0\n");
	for (unsigned i = 1; i < 64; i++)
		buf_addf(&b, "- macro: m%u\n  condition: m%u or m%u\n", i, i - 1, i - 1);
	loaded_add(&x, "t.yaml", buf_cstr(&b));
	expect_error(&x, LOAD_ERR_COMPILE_CONDITION, "macros are expanded");
	unload(&x);

	x = loaded_new(NULL);
	buf_reset(&b);
	buf_lit(&b, "- macro: m0\n  condition: evt.num=0\n");
	for (unsigned i = 1; i < 5000; i++)
		buf_addf(&b, "- macro: m%u\n  condition: not m%u\n", i, i - 1);
	loaded_add(&x, "t.yaml", buf_cstr(&b));
	expect_error(&x, LOAD_ERR_COMPILE_CONDITION, "macros are expanded");
	unload(&x);
	buf_done(&b);
}

static void unresolved_macro_chains_are_limited_too(void **state)
{
	struct loaded x = loaded_new(NULL);
	struct buf b = {0};

	(void)state;
	/* m0 becomes the youngest, so that it looks through macros that are not resolved yet. */
	buf_lit(&b, "- macro: m0\n  condition: evt.num=0\n");
	for (unsigned i = 5000; i > 1; i--)
		buf_addf(&b, "- macro: m%u\n  condition: m%u or m%u\n", i, i + 1, i + 1);
	buf_lit(&b, "- macro: m0\n  condition: m2\n");
	loaded_add(&x, "t.yaml", buf_cstr(&b));
	assert_int_equal(x.rc, ERR_RULES);
	unload(&x);
	buf_done(&b);
}

static void nested_lists_cannot_make_endless_conditions(void **state)
{
	struct loaded x = loaded_new(NULL);
	struct buf b = {0};

	(void)state;
	for (char c = 'a'; c < 'z'; c++) {
		buf_addf(&b, "- list: l%c\n  items: [", c);
		for (unsigned i = 0; i < 100; i++)
			buf_addf(&b, "%sl%c", i ? ", " : "", c + 1);
		buf_lit(&b, "]\n");
	}
	buf_lit(&b, HEAD "evt.type in (la)\n");
	loaded_add(&x, "t.yaml", buf_cstr(&b));
	expect_error(&x, LOAD_ERR_COMPILE_CONDITION, "once its lists are expanded");
	unload(&x);
	buf_done(&b);
}

/* --- exceptions --- */

#define EXC HEAD "evt.type=open\n  exceptions:\n  - "

static void exceptions_become_negated_terms(void **state)
{
	(void)state;
	assert_condition(HEAD "evt.type=open or evt.type=close\n  exceptions:\n"
			      "  - {name: none, fields: proc.name}\n"
			      "  - {name: empty, fields: proc.name, values: []}\n",
			 "(evt.type = open or evt.type = close)");
	assert_condition(EXC "{name: e, fields: proc.name, values: [a, b c]}\n",
			 "(evt.type = open and not proc.name in (a, \"b c\"))");
	assert_condition(EXC "{name: e, fields: fd.name, comps: ' pmatch ', values: [/etc]}\n",
			 "(evt.type = open and not fd.name pmatch (/etc))");
	assert_condition(EXC
			 "{name: e, fields: proc.name, comps: startswith anyof, values: [a, b]}\n",
			 "(evt.type = open and not proc.name startswith anyof (a, b))");
	assert_condition(EXC "{name: e, fields: [proc.name, proc.pid], values: [[a, 1], [b, 2]]}\n",
			 "(evt.type = open and not ((proc.name = a and proc.pid = 1) or "
			 "(proc.name = b and proc.pid = 2)))");
	assert_condition(EXC "{name: e, fields: [proc.name, fd.name], comps: [in, startswith],\n"
			     "     values: [[[a, b c], /x], [d, /y z], [\"(e, f)\", '\"/q\"']]}\n",
			 "(evt.type = open and not ((proc.name in (a, \"b c\") and fd.name "
			 "startswith /x) or (proc.name in (d) and fd.name startswith \"/y z\") or "
			 "(proc.name in (e, f) and fd.name startswith /q)))");
	assert_condition(
	    EXC "{name: e, fields: ['proc.aname[2]', tolower(proc.name)],\n"
		"     comps: [=, '!='], values: [[a, b]]}\n",
	    "(evt.type = open and not (proc.aname[2] = a and tolower(proc.name) != b))");
}

static void exception_values_are_raw_text(void **state)
{
	(void)state;
	assert_condition("- list: l\n  items: [a, b]\n" EXC
			 "{name: e, fields: proc.name, values: [l]}\n",
			 "(evt.type = open and not proc.name in (a, b))");
	assert_condition(EXC "{name: e, fields: [proc.name], values: [[toupper(proc.pname)]]}\n",
			 "(evt.type = open and not proc.name = toupper(proc.pname))");
	expect_bad(EXC "{name: e, fields: [proc.name], comps: [in], values: [[a b]]}\n",
		   LOAD_ERR_COMPILE_CONDITION, "");
}

static void exceptions_of_the_wrong_shape_are_errors(void **state)
{
	static const struct {
		const char *text;
		enum rule_code code;
		const char *part;
	} bad[] = {
	    {EXC "x\n", LOAD_ERR_YAML_VALIDATE, "not a map"},
	    {EXC "{fields: proc.name}\n", LOAD_ERR_YAML_VALIDATE, "no mapping for key 'name'"},
	    {EXC "{name: e}\n", LOAD_ERR_YAML_VALIDATE, "no mapping for key 'fields'"},
	    {EXC "{name: e, fields: []}\n", LOAD_ERR_VALIDATE, "fields property"},
	    {EXC "{name: e, fields: proc.name, values: }\n", LOAD_ERR_YAML_VALIDATE,
	     "not a sequence"},
	    {EXC "{name: e, fields: proc.name, values: a}\n", LOAD_ERR_YAML_VALIDATE,
	     "not a sequence"},
	    {EXC "{name: e, fields: proc.name, values: [{a: b}]}\n", LOAD_ERR_YAML_VALIDATE,
	     "neither a scalar nor"},
	    {EXC "{name: e, fields: [proc.name], values: [[[[a]]]]}\n", LOAD_ERR_YAML_VALIDATE,
	     "neither a scalar nor"},
	    {EXC "{name: e, fields: [proc.name, proc.pid], comps: [=]}\n", LOAD_ERR_VALIDATE,
	     "must have equal length"},
	    {EXC "{name: e, fields: [proc.name], comps: =}\n", LOAD_ERR_VALIDATE,
	     "must have equal length"},
	    {EXC "{name: e, fields: proc.name, comps: [in]}\n", LOAD_ERR_VALIDATE,
	     "one comparison"},
	    {EXC "{name: e, fields: proc.name, comps: '='}\n", LOAD_ERR_VALIDATE,
	     "comps must be one of"},
	    {EXC "{name: e, fields: proc.name, comps: frobulate oneof}\n", LOAD_ERR_VALIDATE,
	     "comps must be one of"},
	    {EXC "{name: e, fields: [proc.name], comps: [oneof]}\n", LOAD_ERR_VALIDATE,
	     "'oneof' is not a supported comparison operator"},
	    {EXC "{name: e, fields: [proc.name], comps: [in oneof]}\n", LOAD_ERR_VALIDATE,
	     "is not a supported comparison operator"},
	    {EXC "{name: e, fields: [not.exist]}\n", LOAD_ERR_VALIDATE,
	     "'not.exist' is not a supported filter field"},
	    {EXC "{name: e, fields: proc.name, values: [[a]]}\n", LOAD_ERR_VALIDATE,
	     "expected a scalar"},
	    {EXC "{name: e, fields: [proc.name, proc.pid], values: [[a]]}\n", LOAD_ERR_VALIDATE,
	     "must have equal length"},
	    {EXC "{name: e, fields: [proc.name], values: [a]}\n", LOAD_ERR_VALIDATE,
	     "must have equal length"},
	    {HEAD "evt.num=0\n  exceptions: x\n", LOAD_ERR_YAML_VALIDATE, "not a sequence"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		expect_bad(bad[i].text, bad[i].code, bad[i].part);
}

static void exceptions_name_themselves_in_locations(void **state)
{
	struct loaded x = load(EXC "{name: e, fields: [proc.name], values: [[a], [b, c]]}\n");
	const struct rule_message *m = expect_error(&x, LOAD_ERR_VALIDATE, "equal length");
	size_t n = m->where_count;

	(void)state;
	assert_string_equal(m->where[n - 1].item_type, "exception value");
	assert_int_equal(m->where[n - 1].column, 49);
	assert_string_equal(m->where[n - 2].item_type, "exception");
	assert_string_equal(m->where[n - 2].item_name, "e");
	assert_string_equal(m->where[n - 3].item_type, "exceptions");
	assert_string_equal(m->where[n - 4].item_type, "rule");
	unload(&x);
}

static void repeated_exception_names_are_kept_with_a_warning(void **state)
{
	struct loaded x = load(EXC "{name: e, fields: proc.name, values: [a]}\n"
				   "  - {name: e, fields: proc.name, values: [b]}\n");
	struct rule_engine *e = engine_of(&x);

	(void)state;
	expect_warning(&x, LOAD_EXCEPTION_NAME_NOT_UNIQUE, "'e'");
	assert_sv(find_rule(e, "r")->compiled,
		  "(evt.type = open and not proc.name in (a) and not proc.name in (b))");
	rule_engine_free(e);
	unload(&x);
}

#define MORE "- rule: r\n  override: {exceptions: append}\n  exceptions:\n  - "

static void appended_exceptions_add_values_or_themselves(void **state)
{
	struct loaded x;

	(void)state;
	assert_condition(EXC "{name: e, fields: proc.name}\n" MORE "{name: e, values: [a]}\n"
			     "  - {name: f, fields: [proc.pid], values: [[1]]}\n" MORE
			     "{name: e, values: [b]}\n",
			 "(evt.type = open and not proc.name in (a, b) and not proc.pid = 1)");
	x = load(EXC "{name: e, fields: proc.name}\n" MORE "{name: e}\n");
	expect_ok(&x);
	expect_warning(&x, LOAD_APPEND_NO_VALUES, "Overriding/appending exception with no values");
	unload(&x);
	expect_bad(EXC "{name: e, fields: proc.name}\n" MORE
		       "{name: e, fields: proc.name, values: [a]}\n",
		   LOAD_ERR_VALIDATE, "not fields");
	expect_bad(EXC "{name: e, fields: proc.name}\n" MORE "{name: e, comps: in, values: [a]}\n",
		   LOAD_ERR_VALIDATE, "not comps");
	expect_bad(EXC "{name: e, fields: proc.name}\n" MORE "{name: f, values: [a]}\n",
		   LOAD_ERR_VALIDATE, "must have fields property with a list of fields");
	expect_bad(EXC "{name: e, fields: proc.name}\n" MORE
		       "{name: f, fields: proc.name, values: []}\n",
		   LOAD_ERR_VALIDATE, "must have values");
	assert_condition(EXC "{name: e, fields: proc.name, values: [a]}\n- rule: r\n"
			     "  override: {exceptions: replace}\n"
			     "  exceptions: [{name: f, fields: proc.pid, values: [1]}]\n",
			 "(evt.type = open and not proc.pid in (1))");
}

/* --- outputs --- */

static void append_output_goes_to_matching_rules_in_order(void **state)
{
	static const char *const both[] = {"a", "b", NULL};
	static const struct rule_append_output append[] = {
	    {.extra_output = "1"},
	    {.rule = "other", .extra_output = "2"},
	    {.source = "k8s_audit", .extra_output = "3"},
	    {.source = "syscall", .tags = both, .extra_output = "4=%proc.name"},
	    {.rule = "r", .suggested = true},
	};
	static const struct flt_static statics[] = {{"site", "x"}, {0}};
	struct rule_options opt = {.min_priority = RULE_DEBUG,
				   .append_output = append,
				   .append_count = COUNT_OF(append),
				   .filter.statics = statics};
	struct loaded x = loaded_new(&opt);
	struct rule_engine *e;

	(void)state;
	loaded_add(&x, "t.yaml",
		   HEAD "evt.num=0\n  tags: [b, a, c]\n- rule: other\n  desc: d\n  output: p\n"
			"  priority: INFO\n  condition: evt.num=0\n  tags: [a]\n");
	e = engine_of(&x);
	assert_sv(find_rule(e, "other")->output, "p 1 2");
	assert_sv(find_rule(e, "r")->output,
		  "o 1 4=%proc.name container_id=%container.id container_name=%container.name "
		  "container_image_repository=%container.image.repository "
		  "container_image_tag=%container.image.tag k8s_pod_name=%k8s.pod.name "
		  "k8s_ns_name=%k8s.ns.name static_site=%static.site");
	rule_engine_free(e);
	unload(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_are_replaced_by_their_items),
	    cmocka_unit_test(only_whole_words_are_list_names),
	    cmocka_unit_test(substitution_reaches_into_quoted_strings),
	    cmocka_unit_test(an_empty_list_takes_one_comma_with_it),
	    cmocka_unit_test(lists_in_lists_go_one_level_and_then_by_definition_order),
	    cmocka_unit_test(a_list_that_names_itself_adds_nothing),
	    cmocka_unit_test(odd_list_names_work_as_text),
	    cmocka_unit_test(inner_quotes_are_escaped_where_an_item_gets_quoted),
	    cmocka_unit_test(macros_are_put_in_as_groups),
	    cmocka_unit_test(short_macros_cannot_make_endless_conditions),
	    cmocka_unit_test(unresolved_macro_chains_are_limited_too),
	    cmocka_unit_test(nested_lists_cannot_make_endless_conditions),
	    cmocka_unit_test(exceptions_become_negated_terms),
	    cmocka_unit_test(exception_values_are_raw_text),
	    cmocka_unit_test(exceptions_of_the_wrong_shape_are_errors),
	    cmocka_unit_test(exceptions_name_themselves_in_locations),
	    cmocka_unit_test(repeated_exception_names_are_kept_with_a_warning),
	    cmocka_unit_test(appended_exceptions_add_values_or_themselves),
	    cmocka_unit_test(append_output_goes_to_matching_rules_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
