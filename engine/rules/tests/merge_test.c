/* SPDX-License-Identifier: Apache-2.0 */
/* Defining again, appending and overriding; within a file and across files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/rules/tests/rules_test.h"

#define BASE                                                                                       \
	"- rule: r\n  desc: d\n  output: ' o '\n  priority: INFO\n  tags: [b, a, b]\n"             \
	"  condition: evt.type=open\n"

struct bad { /* appended to BASE, must not load */
	const char *text;
	enum rule_code code;
	const char *part;
};

static void expect_all_bad(const struct bad *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct loaded x = load(BASE);

		expect_clean(&x);
		loaded_add(&x, "more.yaml", list[i].text);
		expect_error(&x, list[i].code, list[i].part);
		assert_non_null(strstr(x.err.msg, "more.yaml:"));
		unload(&x);
	}
}

static void assert_condition(struct loaded *x, const char *name, const char *compiled)
{
	struct rule_engine *e = engine_of(x);

	assert_non_null(find_rule(e, name));
	assert_sv(find_rule(e, name)->compiled, compiled);
	rule_engine_free(e);
}

static void a_rule_has_the_defaults_of_the_language(void **state)
{
	struct loaded x = load(BASE);
	struct rule_engine *e = engine_of(&x);
	const struct rule *r = find_rule(e, "r");

	(void)state;
	assert_true(r->enabled);
	assert_false(r->capture);
	assert_int_equal(r->capture_duration_ms, 0);
	assert_int_equal(r->priority, RULE_INFORMATIONAL);
	assert_sv(r->source, "syscall");
	assert_sv(r->output, "o");
	assert_sv(r->condition, "evt.type=open");
	assert_int_equal(r->tag_count, 2);
	assert_sv(r->tags[0], "a");
	assert_sv(r->tags[1], "b");
	assert_string_equal(r->file, "t.yaml");
	assert_int_equal(r->line, 1);
	assert_int_equal(r->index, 0);
	assert_non_null(r->format);
	rule_engine_free(e);
	unload(&x);
}

static void defining_again_replaces_all_but_the_place_in_the_order(void **state)
{
	struct loaded x = load(BASE "- rule: s\n  desc: d\n  output: o\n  priority: debug\n"
				    "  condition: evt.type=close\n");
	const struct rule *rules;
	struct rule_engine *e;
	size_t count;

	(void)state;
	loaded_add(&x, "more.yaml",
		   "\n- rule: r\n  desc: d2\n  output: o2\n  priority: Alert\n"
		   "  condition: evt.type=openat\n  enabled: false\n");
	e = engine_of(&x);
	rules = rule_engine_rules(e, &count);
	assert_int_equal(count, 2);
	assert_sv(rules[0].name, "r");
	assert_sv(rules[0].desc, "d2");
	assert_sv(rules[0].compiled, "evt.type = openat");
	assert_int_equal(rules[0].tag_count, 0);
	assert_int_equal(rules[0].priority, RULE_ALERT);
	assert_false(rules[0].enabled);
	assert_string_equal(rules[0].file, "more.yaml");
	assert_int_equal(rules[0].line, 2);
	assert_sv(rules[1].name, "s");
	assert_int_equal(rules[1].index, 1);
	rule_engine_free(e);
	unload(&x);
}

static void overrides_append_and_replace_what_they_name(void **state)
{
	struct loaded x = load(BASE);
	struct rule_engine *e;
	const struct rule *r;

	(void)state;
	loaded_add(&x, "more.yaml",
		   "- rule: r\n  condition: and proc.pid=1\n  output: '  more '\n  desc: longer\n"
		   "  tags: [c, a]\n  priority: critical\n  enabled: off\n  capture: on\n"
		   "  capture_duration: 5\n  warn_evttypes: false\n  skip-if-unknown-filter: true\n"
		   "  source: syscall\n"
		   "  override: {condition: append, output: append, desc: replace, tags: append,\n"
		   "    priority: replace, enabled: replace, capture: replace,\n"
		   "    capture_duration: replace, warn_evttypes: replace,\n"
		   "    skip-if-unknown-filter: replace}\n");
	expect_clean(&x);
	e = engine_of(&x);
	r = find_rule(e, "r");
	assert_sv(r->condition, "evt.type=open and proc.pid=1");
	assert_sv(r->output, "o   more ");
	assert_sv(r->desc, "longer");
	assert_int_equal(r->tag_count, 3);
	assert_sv(r->tags[2], "c");
	assert_int_equal(r->priority, RULE_CRITICAL);
	assert_false(r->enabled);
	assert_true(r->capture);
	assert_int_equal(r->capture_duration_ms, 5);
	rule_engine_free(e);
	unload(&x);
}

static void an_append_of_old_takes_only_condition_and_exceptions(void **state)
{
	struct loaded x = load(BASE "- rule: r\n  condition: and proc.pid=1\n  enabled: false\n"
				    "  output: other\n  append: true\n");
	struct rule_engine *e = engine_of(&x);

	(void)state;
	assert_sv(find_rule(e, "r")->compiled, "(evt.type = open and proc.pid = 1)");
	assert_true(find_rule(e, "r")->enabled);
	assert_sv(find_rule(e, "r")->output, "o");
	rule_engine_free(e);
	unload(&x);
}

static void misused_overrides_are_errors(void **state)
{
	static const struct bad bad[] = {
	    {"- rule: r\n  priority: INFO\n  override: {priority: append}\n",
	     LOAD_ERR_YAML_VALIDATE, "Key 'priority' cannot be appended to, use 'replace' instead"},
	    {"- rule: r\n  source: x\n  override: {source: append}\n", LOAD_ERR_YAML_VALIDATE,
	     "cannot be appended to"},
	    {"- rule: r\n  source: x\n  override: {source: replace}\n", LOAD_ERR_YAML_VALIDATE,
	     "cannot be replaced"},
	    {"- rule: r\n  desc: x\n  override: {desc: prepend}\n", LOAD_ERR_YAML_VALIDATE,
	     "Invalid override operation"},
	    {"- rule: r\n  desc: x\n  override: {desc: {}}\n", LOAD_ERR_VALIDATE, "'append' or"},
	    {"- rule: r\n  desc: x\n  override: [desc]\n", LOAD_ERR_VALIDATE, "not a map"},
	    {"- rule: r\n  desc: x\n  override: {desc: append, tags: append}\n",
	     LOAD_ERR_YAML_VALIDATE, "override for 'tags' was specified but 'tags' is not defined"},
	    {"- rule: r\n  desc: x\n  tags: [x]\n  override: {desc: append}\n",
	     LOAD_ERR_YAML_VALIDATE, "Unexpected key 'tags'"},
	    {"- rule: r\n  desc: x\n  append: true\n  override: {desc: append}\n",
	     LOAD_ERR_YAML_VALIDATE, "'override' and 'append: true' cannot be used together"},
	    {"- rule: q\n  desc: x\n  override: {desc: append}\n", LOAD_ERR_VALIDATE,
	     "An 'override.<key>: append' to a rule was requested but no rule by that name "
	     "already exists"},
	    {"- rule: q\n  desc: x\n  override: {desc: replace}\n", LOAD_ERR_VALIDATE,
	     "An 'override.<key>: replace' to a rule was requested but no rule by that name "
	     "already exists"},
	    {"- rule: q\n  condition: x\n  append: true\n", LOAD_ERR_VALIDATE,
	     "no rule by that name already exists"},
	    {"- rule: r\n  desc: x\n  append: true\n", LOAD_ERR_VALIDATE, "neither condition nor"},
	    {"- rule: q\n  enabled: true\n", LOAD_ERR_VALIDATE,
	     "no rule by that name already exists"},
	    {"- rule: r\n  condition: x\n  source: y\n  append: true\n", LOAD_ERR_VALIDATE,
	     "re-defined with a different source"},
	    {"- rule: r\n  condition: x\n  source: y\n  override: {condition: replace}\n",
	     LOAD_ERR_VALIDATE, "re-defined with a different source"},
	    {"- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: x\n  source: y\n",
	     LOAD_ERR_VALIDATE, "re-defined with a different source"},
	    {"- macro: q\n  condition: x\n  append: true\n", LOAD_ERR_VALIDATE,
	     "Macro uses 'append' or 'override.condition: append' but no macro by that name "
	     "already exists"},
	    {"- macro: q\n  condition: x\n  override: {condition: append}\n", LOAD_ERR_VALIDATE,
	     "no macro by that name already exists"},
	    {"- macro: q\n  condition: x\n  override: {items: append}\n", LOAD_ERR_YAML_VALIDATE,
	     "cannot be appended to"},
	    {"- list: q\n  items: [x]\n  override: {items: append}\n", LOAD_ERR_VALIDATE,
	     "List uses 'append' or 'override.items: append' but no list by that name already "
	     "exists"},
	};

	(void)state;
	expect_all_bad(bad, COUNT_OF(bad));
}

static void an_empty_override_is_none(void **state)
{
	struct loaded x = load(BASE "  override: {}\n- rule: r\n  condition: and proc.pid=1\n"
				    "  append: true\n  override: {}\n");

	(void)state;
	assert_condition(&x, "r", "(evt.type = open and proc.pid = 1)");
	unload(&x);
}

static void lists_and_macros_may_be_replaced_before_they_exist(void **state)
{
	struct loaded x =
	    load("- list: l\n  items: [a]\n  override: {items: replace}\n"
		 "- macro: m\n  condition: evt.type=open\n  override: {condition: replace}\n"
		 "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n"
		 "  condition: m and proc.name in (l)\n");

	(void)state;
	assert_condition(&x, "r", "(evt.type = open and proc.name in (a))");
	unload(&x);
}

static void lists_and_macros_grow_by_appending(void **state)
{
	struct loaded x = load("- list: l\n  items: [a]\n- macro: m\n  condition: evt.type=open\n"
			       "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n"
			       "  condition: (m) and proc.name in (l)\n");

	(void)state;
	loaded_add(&x, "2",
		   "- list: l\n  items: [b, c d]\n  append: true\n"
		   "- macro: m\n  condition: or evt.type=openat\n  append: true\n");
	loaded_add(&x, "3",
		   "- list: l\n  items: [e]\n  override: {items: append}\n"
		   "- macro: m\n  condition: or evt.type=openat2\n"
		   "  override: {condition: append}\n");
	expect_clean(&x);
	assert_condition(&x, "r",
			 "((evt.type = open or evt.type = openat or evt.type = openat2) and "
			 "proc.name in (a, b, \"c d\", e))");
	unload(&x);
}

static void a_later_definition_reaches_the_rules_before_it(void **state)
{
	struct loaded x = load("- list: l\n  items: [a]\n- macro: m\n  condition: evt.type=open\n"
			       "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n"
			       "  condition: m and proc.name in (l)\n");

	(void)state;
	loaded_add(&x, "2", "- list: l\n  items: [z]\n- macro: m\n  condition: evt.type=close\n");
	expect_clean(&x);
	assert_condition(&x, "r", "(evt.type = close and proc.name in (z))");
	unload(&x);
}

static void every_file_is_judged_with_all_before_it(void **state)
{
	struct loaded x = load("- macro: m\n  condition: evt.type=open\n");
	struct rule_engine *e;
	size_t count;

	(void)state;
	expect_warning(&x, LOAD_UNUSED_MACRO, "");
	loaded_add(&x, "2",
		   "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: m\n");
	expect_clean(&x);
	loaded_add(&x, "3", "- macro: n\n  condition: nothing\n");
	expect_error(&x, LOAD_ERR_VALIDATE, "Undefined macro 'nothing'");
	assert_int_equal(rule_engine_new(x.l, NULL, 0, &e, &x.err), ERR_RULES);
	/* What a bad file has added stays: its error is also that of the next file. */
	loaded_add(&x, "4", "[]");
	expect_error(&x, LOAD_ERR_VALIDATE, "Undefined macro 'nothing'");
	loaded_add(&x, "5", "- macro: n\n  condition: m\n");
	expect_ok(&x);
	rule_loader_results(x.l, &count);
	assert_int_equal(count, 5);
	unload(&x);
}

static void tags_and_exceptions_have_a_limit(void **state)
{
	struct loaded x = load(BASE);
	struct buf b = {0};

	(void)state;
	for (unsigned i = 0; i < 999; i++)
		buf_addf(&b, "- rule: r\n  tags: [t%u, a]\n  override: {tags: append}\n", i);
	loaded_add(&x, "more.yaml", buf_cstr(&b));
	expect_error(&x, LOAD_ERR_VALIDATE, "more than 1000 tags");
	unload(&x);

	x = load(BASE);
	buf_reset(&b);
	buf_lit(&b, "- rule: r\n  override: {exceptions: append}\n  exceptions:\n");
	for (unsigned i = 0; i < 1001; i++)
		buf_addf(&b, "  - {name: e%u, fields: proc.name, values: [a]}\n", i);
	loaded_add(&x, "more.yaml", buf_cstr(&b));
	expect_error(&x, LOAD_ERR_VALIDATE, "more than 1000 exceptions");
	unload(&x);

	x = loaded_new(NULL);
	buf_reset(&b);
	buf_lit(&b, "- required_plugin_versions:\n  - name: x\n    version: 1.0.0\n"
		    "    alternatives:\n");
	for (unsigned i = 0; i < 101; i++)
		buf_addf(&b, "    - {name: p%u, version: 1.0.0}\n", i);
	loaded_add(&x, "t.yaml", buf_cstr(&b));
	expect_error(&x, LOAD_ERR_VALIDATE, "more than 100 alternatives");
	unload(&x);
	buf_done(&b);
}

static void appending_many_times_takes_no_time(void **state)
{
	struct loaded x = loaded_new(NULL);
	struct buf b = {0};

	(void)state;
	buf_lit(&b, "- list: l\n  items: [a]\n- macro: m\n  condition: evt.num=0\n");
	for (unsigned i = 0; i < 20000; i++)
		buf_lit(&b, "- list: l\n  items: [a]\n  override: {items: append}\n"
			    "- macro: m\n  condition: or evt.num=0\n"
			    "  override: {condition: append}\n");
	loaded_add(&x, "t.yaml", buf_cstr(&b));
	expect_ok(&x);
	buf_done(&b);
	unload(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rule_has_the_defaults_of_the_language),
	    cmocka_unit_test(defining_again_replaces_all_but_the_place_in_the_order),
	    cmocka_unit_test(overrides_append_and_replace_what_they_name),
	    cmocka_unit_test(an_append_of_old_takes_only_condition_and_exceptions),
	    cmocka_unit_test(misused_overrides_are_errors),
	    cmocka_unit_test(an_empty_override_is_none),
	    cmocka_unit_test(lists_and_macros_may_be_replaced_before_they_exist),
	    cmocka_unit_test(lists_and_macros_grow_by_appending),
	    cmocka_unit_test(a_later_definition_reaches_the_rules_before_it),
	    cmocka_unit_test(every_file_is_judged_with_all_before_it),
	    cmocka_unit_test(tags_and_exceptions_have_a_limit),
	    cmocka_unit_test(appending_many_times_takes_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
