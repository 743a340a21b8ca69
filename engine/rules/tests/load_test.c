/* SPDX-License-Identifier: Apache-2.0 */
/* Each code of a verdict, with the place it names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/rules/tests/rules_test.h"

#define RULE_HEAD "- rule: r\n  desc: d\n  output: o %proc.name\n  priority: INFO\n"

/* The innermost location. */
static void assert_at(const struct rule_message *m, const char *type, const char *name,
		      uint32_t line, uint32_t column)
{
	const struct rule_location *at = &m->where[m->where_count - 1];

	assert_string_equal(at->item_type, type);
	assert_string_equal(at->item_name, name);
	assert_int_equal(at->line, line);
	assert_int_equal(at->column, column);
	assert_string_equal(m->where[0].item_type, "rules content");
	assert_string_equal(m->where[0].file, "t.yaml");
	assert_int_equal(m->where[0].line, 0);
}

struct bad { /* a text that must not load */
	const char *text;
	enum rule_code code;
	const char *part; /* of the message */
	const char *type, *name;
	uint32_t line, column;
};

static void expect_all_bad(const struct bad *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct loaded x = load(list[i].text);

		assert_at(expect_error(&x, list[i].code, list[i].part), list[i].type, list[i].name,
			  list[i].line, list[i].column);
		assert_int_equal(x.err.code, ERR_RULES);
		unload(&x);
	}
}

static void a_missing_file_is_a_verdict_and_an_io_error(void **state)
{
	struct loaded x = loaded_new(NULL);
	struct rule_engine *e;
	size_t count;

	(void)state;
	assert_int_equal(rule_loader_file(x.l, "/nonexistent/rules.yaml", &x.err), ERR_IO);
	assert_non_null(strstr(x.err.msg, "/nonexistent/rules.yaml"));
	x.result = rule_loader_results(x.l, &count);
	assert_int_equal(count, 1);
	assert_int_equal(x.result->errors[0].code, LOAD_ERR_FILE_READ);
	assert_string_equal(x.result->name, "/nonexistent/rules.yaml");
	assert_int_equal(rule_engine_new(x.l, NULL, 0, &e, &x.err), ERR_RULES);
	assert_int_equal(rule_loader_file(x.l, "/", &x.err), ERR_IO);
	unload(&x);
}

static void text_that_is_no_yaml_is_a_parse_error(void **state)
{
	static const struct bad bad[] = {
	    {"- a: b\n- c: [d\n- e: f\n", LOAD_ERR_YAML_PARSE, "", "rules content", "", 2, 3},
	    {"- rule: *x\n", LOAD_ERR_YAML_PARSE, "alias 'x' has no anchor", "rules content", "", 0,
	     8},
	    {"- a: %b\n", LOAD_ERR_YAML_PARSE, "", "rules content", "", 0, 5},
	};

	(void)state;
	expect_all_bad(bad, COUNT_OF(bad));
}

static void content_of_the_wrong_shape_is_a_structure_error(void **state)
{
	static const struct bad bad[] = {
	    {"hello", LOAD_ERR_YAML_VALIDATE, "not yaml", "rules content", "", 0, 0},
	    {"a: b", LOAD_ERR_YAML_VALIDATE, "not yaml array", "rules content", "", 0, 0},
	    {"- a\n", LOAD_ERR_YAML_VALIDATE, "not a map", "rules content item", "", 0, 2},
	    {"- list:\n  items: [a]", LOAD_ERR_YAML_VALIDATE, "Mapping for key 'list' is empty",
	     "value for", "list", 0, 7},
	    {"- list: ''\n  items: [a]", LOAD_ERR_YAML_VALIDATE, "must be non-empty", "value for",
	     "list", 0, 8},
	    {"- list: [a]\n  items: [a]", LOAD_ERR_YAML_VALIDATE, "not a scalar", "value for",
	     "list", 0, 8},
	    {"- list: l\n", LOAD_ERR_YAML_VALIDATE, "has no mapping for key 'items'", "list", "l",
	     0, 2},
	    {"- list: l\n  items: a", LOAD_ERR_YAML_VALIDATE, "not a sequence", "value for",
	     "items", 1, 9},
	    {"- list: l\n  items: [a, [b]]", LOAD_ERR_YAML_VALIDATE, "not a scalar", "value for",
	     "items", 1, 13},
	    {"- list: l\n  items:", LOAD_ERR_YAML_VALIDATE, "Mapping for key 'items' is empty",
	     "value for", "items", 1, 8},
	    {"- macro: m\n", LOAD_ERR_YAML_VALIDATE, "has no mapping for key 'condition'", "macro",
	     "m", 0, 2},
	    {"- rule: r\n  condition: a\n  desc: d\n  output: o", LOAD_ERR_YAML_VALIDATE,
	     "has no mapping for key 'priority'", "rule", "r", 0, 2},
	    {RULE_HEAD "  condition: evt.num=0\n  enabled: maybe\n", LOAD_ERR_YAML_VALIDATE,
	     "can't decode 'maybe'", "value for", "enabled", 5, 11},
	    {RULE_HEAD "  condition: evt.num=0\n  capture_duration: -1\n", LOAD_ERR_YAML_VALIDATE,
	     "can't decode '-1'", "value for", "capture_duration", 5, 20},
	    {RULE_HEAD "  condition: evt.num=0\n  source:\n", LOAD_ERR_YAML_VALIDATE,
	     "Mapping for key 'source' is empty", "value for", "source", 5, 9},
	    {RULE_HEAD "  condition: evt.num=0\n  tags: x\n", LOAD_ERR_YAML_VALIDATE,
	     "not a sequence", "value for", "tags", 5, 8},
	    {"- rule: r\n  condition: a\n  desc: d\n  output: o\n  priority: urgent\n",
	     LOAD_ERR_YAML_VALIDATE, "Invalid priority", "rule priority", "", 4, 12},
	    {"- rule: r\n", LOAD_ERR_YAML_VALIDATE, "has no mapping for key 'enabled'", "rule", "r",
	     0, 2},
	};

	(void)state;
	expect_all_bad(bad, COUNT_OF(bad));
}

static void versions_the_engine_does_not_have_are_errors(void **state)
{
	static const struct bad bad[] = {
	    {"- required_engine_version: seven\n", LOAD_ERR_YAML_VALIDATE,
	     "Unable to parse engine version", "required_engine_version", "", 0, 2},
	    {"- required_engine_version: 0.64\n", LOAD_ERR_YAML_VALIDATE,
	     "Unable to parse engine version", "required_engine_version", "", 0, 2},
	    {"- required_engine_version: 64\n", LOAD_ERR_VALIDATE, "Rules require engine version",
	     "required_engine_version", "", 0, 2},
	    {"- required_engine_version: 1.0.0\n", LOAD_ERR_VALIDATE,
	     "Rules require engine version 1.0.0", "required_engine_version", "", 0, 2},
	    {"- required_plugin_versions: [{name: a, version: 1.0}]\n", LOAD_ERR_VALIDATE,
	     "'1.0' is not of the form", "required plugin versions entry", "a", 0, 29},
	    {"- required_plugin_versions: [{name: a}]\n", LOAD_ERR_YAML_VALIDATE,
	     "has no mapping for key 'version'", "required plugin versions entry", "a", 0, 29},
	    {"- required_plugin_versions: [a]\n", LOAD_ERR_YAML_VALIDATE, "is not a map",
	     "required plugin versions entry", "", 0, 29},
	    {"- required_plugin_versions: a\n", LOAD_ERR_YAML_VALIDATE, "not a sequence",
	     "required plugin versions", "", 0, 2},
	    {"- required_plugin_versions:\n  - name: a\n    version: 1.0.0\n    alternatives:\n"
	     "    - {name: a, version: 2.0.0}\n",
	     LOAD_ERR_VALIDATE, "named twice", "required plugin versions alternative", "a", 4, 6},
	};

	(void)state;
	expect_all_bad(bad, COUNT_OF(bad));
}

static void engine_versions_up_to_our_own_are_served(void **state)
{
	struct loaded x = load("- required_engine_version: 63\n- required_engine_version: 0.63.0\n"
			       "- required_engine_version: 0.1.9\n- required_engine_version: 0\n");

	(void)state;
	expect_clean(&x);
	unload(&x);
}

static void conditions_that_do_not_compile_are_errors_at_their_token(void **state)
{
	static const struct bad bad[] = {
	    {"- macro: m\n  condition: evt.type=\n", LOAD_ERR_COMPILE_CONDITION, "",
	     "condition expression", "", 2, 23},
	    {RULE_HEAD "  condition: evt.type=open and foo.bar = 1\n", LOAD_ERR_COMPILE_CONDITION,
	     "nonexistent field foo.bar", "condition expression", "", 5, 32},
	    {RULE_HEAD "  condition: evt.type = opem\n", LOAD_ERR_COMPILE_CONDITION,
	     "unknown event type opem", "condition expression", "", 5, 25},
	    {RULE_HEAD "  condition: proc.pid contains x\n", LOAD_ERR_COMPILE_CONDITION, "",
	     "condition expression", "", 5, 14},
	};

	(void)state;
	expect_all_bad(bad, COUNT_OF(bad));
}

static void the_snippet_shows_the_condition_with_lists_expanded(void **state)
{
	struct loaded x =
	    load("- list: l\n  items: [a, b]\n" RULE_HEAD
		 "  condition: evt.type = open and proc.name in (l) and foo.bar = 1\n");
	const struct rule_message *m = expect_error(&x, LOAD_ERR_COMPILE_CONDITION, "foo.bar");

	(void)state;
	assert_string_equal(m->snippet,
			    "------\n"
			    "evt.type = open and proc.name in ( a, b ) and foo.bar = 1\n"
			    "                                              ^\n"
			    "------\n");
	assert_string_equal(m->where[m->where_count - 1].file, "\"evt.type = open a...\"");
	assert_string_equal(m->where[m->where_count - 2].item_type, "rule condition");
	assert_int_equal(m->where[m->where_count - 2].line, 6);
	assert_non_null(strstr(x.err.msg, "t.yaml:7:14: LOAD_ERR_COMPILE_CONDITION: "));
	unload(&x);
}

static void long_lines_are_cut_around_the_place(void **state)
{
	struct loaded x = loaded_new(NULL);
	const struct rule_message *m;
	const char *line, *caret;
	struct buf b = {0};

	(void)state;
	buf_lit(&b, RULE_HEAD "  condition: evt.type = open");
	for (unsigned i = 0; i < 40; i++)
		buf_lit(&b, " and proc.pid > 1");
	buf_lit(&b, " and fo\xc3\xb6 = 1");
	for (unsigned i = 0; i < 40; i++)
		buf_lit(&b, " and proc.pid > 1");
	loaded_add(&x, "t.yaml", buf_cstr(&b));
	m = expect_error(&x, LOAD_ERR_COMPILE_CONDITION, "");
	line = strchr(m->snippet, '\n') + 1;
	caret = strchr(line, '\n') + 1;
	assert_int_equal(strncmp(line, "...", 3), 0);
	assert_int_equal(strncmp(caret - 4, "...\n", 4), 0);
	assert_true(caret - line < 180);
	assert_int_equal(strspn(caret, " "), strstr(line, "\xc3\xb6") - line);
	buf_done(&b);
	unload(&x);
}

static void outputs_that_do_not_compile_are_errors_before_conditions(void **state)
{
	static const struct bad bad[] = {
	    {"- rule: r\n  desc: d\n  output: '%foo.bar'\n  priority: INFO\n  condition: (((\n",
	     LOAD_ERR_COMPILE_OUTPUT, "unknown filter:", "rule output expression", "", 3, 11},
	    {"- rule: r\n  desc: d\n  output: 100% sure\n  priority: INFO\n  condition: (((\n",
	     LOAD_ERR_COMPILE_OUTPUT, "", "rule output expression", "", 3, 11},
	    {"- rule: r\n  desc: d\n  output: ' '\n  priority: INFO\n  condition: evt.num=0\n",
	     LOAD_ERR_COMPILE_OUTPUT, "", "rule output expression", "", 3, 11},
	};

	(void)state;
	expect_all_bad(bad, COUNT_OF(bad));
}

static void macros_that_are_not_there_or_loop_are_object_errors(void **state)
{
	static const struct bad bad[] = {
	    {RULE_HEAD "  condition: evt.type=open and (foo)\n", LOAD_ERR_VALIDATE,
	     "Undefined macro 'foo' used in filter", "condition expression", "", 5, 33},
	    {"- macro: a\n  condition: b\n- macro: b\n  condition: evt.num=0\n", LOAD_ERR_VALIDATE,
	     "Undefined macro 'b' used in filter", "condition expression", "", 2, 14},
	    {"- macro: a\n  condition: a\n", LOAD_ERR_VALIDATE, "Undefined macro 'a'",
	     "condition expression", "", 2, 14},
	    {"- macro: a\n  condition: evt.num=0\n- macro: a\n  condition: or a\n"
	     "  override: {condition: append}\n",
	     LOAD_ERR_VALIDATE, "reference loop in macro 'a'", "condition expression", "", 2, 27},
	    {"- macro: a\n  condition: evt.num=0\n- macro: b\n  condition: a\n- macro: a\n"
	     "  condition: or b\n  override: {condition: append}\n",
	     LOAD_ERR_VALIDATE, "reference loop in macro 'a'", "condition expression", "", 2, 27},
	};

	(void)state;
	expect_all_bad(bad, COUNT_OF(bad));
}

static void all_good_macro_references_resolve(void **state)
{
	struct loaded x = load("- macro: a\n  condition: evt.type=open\n"
			       "- macro: b\n  condition: a and proc.name=x\n"
			       "- macro: a\n  condition: or c\n  override: {condition: append}\n"
			       "- macro: c\n  condition: evt.type=openat\n");

	(void)state;
	/* c is younger than a's last change: not visible to it. */
	expect_error(&x, LOAD_ERR_VALIDATE, "Undefined macro 'c'");
	unload(&x);
	x = load("- macro: a\n  condition: evt.type=open\n"
		 "- macro: c\n  condition: evt.type=openat\n"
		 "- macro: a\n  condition: or c\n  override: {condition: append}\n" RULE_HEAD
		 "  condition: a and c\n");
	expect_clean(&x);
	unload(&x);
}

static void unused_macros_and_lists_come_last_and_in_order(void **state)
{
	struct loaded x = load(
	    "- list: l1\n  items: []\n- macro: m1\n  condition: m0_is_not_here_but_a_value.x=1\n"
	    "- list: l2\n  items: [l1]\n- macro: m2\n  condition: proc.name in (l2)\n"
	    "- macro: m3\n  condition: m2\n- list: l3\n  items: []\n");

	(void)state;
	expect_ok(&x);
	assert_int_equal(x.result->warning_count, 3);
	assert_int_equal(x.result->warnings[0].code, LOAD_UNUSED_MACRO);
	assert_at(&x.result->warnings[0], "macro", "m1", 2, 2);
	assert_int_equal(x.result->warnings[1].code, LOAD_UNUSED_MACRO);
	assert_at(&x.result->warnings[1], "macro", "m3", 8, 2);
	assert_int_equal(x.result->warnings[2].code, LOAD_UNUSED_LIST);
	assert_at(&x.result->warnings[2], "list", "l3", 10, 2);
	unload(&x);
}

static void names_that_cannot_be_referred_to_are_warned_about(void **state)
{
	struct loaded x = load("- macro: a-b\n  condition: evt.num=0\n- list: a b\n  items: [x]\n"
			       "- list: a-b\n  items: [x]\n");

	(void)state;
	expect_ok(&x);
	assert_at(expect_warning(&x, LOAD_INVALID_MACRO_NAME, "invalid name"), "macro", "a-b", 0,
		  2);
	assert_at(expect_warning(&x, LOAD_INVALID_LIST_NAME, "invalid name"), "list", "a b", 2, 2);
	assert_int_equal(x.result->warning_count, 5); /* with three unused ones */
	unload(&x);
}

static void unknown_items_and_keys_are_ignored_with_a_warning(void **state)
{
	struct loaded x = load("- foo: bar\n- null\n" RULE_HEAD
			       "  condition: evt.num=0\n  colour: red\n  desc: again\n"
			       "  [x]: y\n");
	struct rule_engine *e = engine_of(&x);

	(void)state;
	assert_at(expect_warning(&x, LOAD_UNKNOWN_ITEM, ""), "rules content item", "", 0, 2);
	assert_at(expect_warning(&x, LOAD_UNKNOWN_KEY, "Unknown key 'colour'"), "value for",
		  "colour", 7, 2);
	assert_at(expect_warning(&x, LOAD_UNKNOWN_KEY, "'desc' is given twice"), "value for",
		  "desc", 8, 2);
	expect_warning(&x, LOAD_UNKNOWN_KEY, "not a scalar");
	assert_int_equal(x.result->warning_count, 4);
	assert_false(x.result->schema_valid);
	assert_sv(find_rule(e, "r")->desc, "d");
	rule_engine_free(e);
	unload(&x);
}

static void deprecated_things_are_named(void **state)
{
	struct loaded x = load(
	    "- rule: r\n  desc: d\n  priority: INFO\n  condition: evt.dir = < and evt.type=open\n"
	    "  output: '%container.info x %evt.latency.s %container.info'\n"
	    "- rule: r\n  enabled: false\n"
	    "- rule: r\n  condition: and proc.pid=1\n  append: true\n");
	struct rule_engine *e = engine_of(&x);
	const struct rule_message *m;

	(void)state;
	assert_int_equal(x.result->warning_count, 5);
	assert_at(expect_warning(&x, LOAD_DEPRECATED_ITEM, "'enabled'"), "rule", "r", 5, 2);
	assert_at(expect_warning(&x, LOAD_DEPRECATED_ITEM, "'append' key is deprecated"), "rule",
		  "r", 7, 2);
	assert_at(expect_warning(&x, LOAD_DEPRECATED_ITEM, "%container.info"), "rule output", "", 4,
		  10);
	m = expect_warning(&x, LOAD_DEPRECATED_ITEM, "'evt.latency.s'");
	assert_string_equal(m->deprecated_field, "evt.latency.s");
	m = expect_warning(&x, LOAD_DEPRECATED_ITEM, "'evt.dir'");
	assert_string_equal(m->deprecated_field, "evt.dir");
	assert_sv(find_rule(e, "r")->output, " x %evt.latency.s ");
	assert_false(find_rule(e, "r")->enabled);
	assert_sv(find_rule(e, "r")->compiled,
		  "(evt.dir = < and evt.type = open and proc.pid = 1)");
	rule_engine_free(e);
	unload(&x);
}

static void rules_of_other_sources_are_kept_but_not_compiled(void **state)
{
	struct loaded x = load("- rule: r\n  desc: d\n  priority: INFO\n  condition: ((\n"
			       "  output: '%nothing'\n  source: k8s_audit\n"
			       "  exceptions: [{name: e, fields: [no.such]}]\n"
			       "- rule: r\n  condition: or ka.verb=get\n"
			       "  override: {condition: append}\n");
	struct rule_engine *e = engine_of(&x);
	const struct rule *r = find_rule(e, "r");

	(void)state;
	assert_int_equal(x.result->warning_count, 1);
	assert_at(expect_warning(&x, LOAD_UNKNOWN_SOURCE, "Unknown source k8s_audit, skipping"),
		  "rule", "r", 0, 2);
	assert_non_null(r);
	assert_null(r->format);
	assert_null(r->types);
	assert_sv(r->condition, "(( or ka.verb=get");
	assert_sv(r->source, "k8s_audit");
	rule_engine_free(e);
	unload(&x);
}

static void comparing_audit_fields_with_na_is_unsafe(void **state)
{
	struct loaded x = load(RULE_HEAD "  condition: not ka.verb in (a, <NA>)\n");

	(void)state;
	expect_warning(&x, LOAD_UNSAFE_NA_CHECK, "ka.verb");
	expect_error(&x, LOAD_ERR_COMPILE_CONDITION, "nonexistent field ka.verb");
	unload(&x);
}

static void rules_for_nearly_all_events_are_warned_about_unless_they_say_so(void **state)
{
	struct loaded x = load(RULE_HEAD "  condition: proc.name = a\n");

	(void)state;
	assert_at(expect_warning(&x, LOAD_NO_EVTTYPE, "Rule matches too many evt.type values"),
		  "condition expression", "", 5, 14);
	assert_int_equal(x.result->warning_count, 1);
	unload(&x);
	x = load(RULE_HEAD "  condition: proc.name = a\n  warn_evttypes: no\n");
	expect_clean(&x);
	unload(&x);
	x = load(RULE_HEAD "  condition: evt.num=0\n");
	expect_clean(&x);
	unload(&x);
	x = load(RULE_HEAD "  condition: evt.type in (open, openat) and proc.name = a\n");
	expect_clean(&x);
	unload(&x);
}

static void unknown_filters_leave_a_rule_out_only_on_request(void **state)
{
	static const char *const skipped[] = {
	    RULE_HEAD "  condition: evt.num=0 and foo.bar=1\n  skip-if-unknown-filter: true\n",
	    RULE_HEAD "  condition: evt.type=opem\n  skip-if-unknown-filter: true\n",
	    ("- rule: r\n  desc: d\n  output: '%foo.bar'\n  priority: INFO\n"
	     "  condition: evt.num=0\n  skip-if-unknown-filter: true\n"),
	};
	static const char *const refused[] = {
	    RULE_HEAD "  condition: foo\n  skip-if-unknown-filter: true\n",
	    RULE_HEAD "  condition: ((\n  skip-if-unknown-filter: true\n",
	    RULE_HEAD "  condition: proc.pid=x\n  skip-if-unknown-filter: true\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(skipped); i++) {
		struct loaded x = load(skipped[i]);
		struct rule_engine *e = engine_of(&x);

		expect_warning(&x, LOAD_UNKNOWN_FILTER, "");
		assert_null(find_rule(e, "r"));
		rule_engine_free(e);
		unload(&x);
	}
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		struct loaded x = load(refused[i]);

		assert_int_equal(x.rc, ERR_RULES);
		unload(&x);
	}
}

static void doubtful_constants_are_compiler_warnings(void **state)
{
	struct loaded x = load(RULE_HEAD "  condition: evt.type=open and (proc.name=proc.pname or "
					 "proc.name regex ^abc$ or proc.name = 'toupper(x)')\n");

	(void)state;
	expect_ok(&x);
	assert_int_equal(x.result->warning_count, 3);
	expect_warning(&x, LOAD_COMPILE_CONDITION, "'proc.pname' may be a valid field misused");
	expect_warning(&x, LOAD_COMPILE_CONDITION,
		       "'toupper(x)' may be a valid field transformer misused");
	expect_warning(&x, LOAD_COMPILE_CONDITION, "'^abc$' needs no regular expression");
	unload(&x);
}

static void warnings_before_an_error_stay_and_what_follows_is_not_read(void **state)
{
	struct loaded x = load("- foo: bar\n- list: l\n- bar: foo\n");

	(void)state;
	expect_error(&x, LOAD_ERR_YAML_VALIDATE, "'items'");
	assert_int_equal(x.result->warning_count, 1);
	unload(&x);
}

static void a_byte_order_mark_and_crlf_are_no_trouble(void **state)
{
	struct loaded x = load("\xef\xbb\xbf- rule: r\r\n  desc: d\r\n  output: o\r\n"
			       "  priority: info\r\n  condition: foo\r\n");
	const struct rule_message *m = expect_error(&x, LOAD_ERR_VALIDATE, "Undefined macro 'foo'");

	(void)state;
	assert_int_equal(m->where[1].line, 0);
	assert_int_equal(m->where[1].column, 2);
	unload(&x);
}

static void empty_files_load(void **state)
{
	static const char *const empty[] = {"", "# comment\n", "---\n---\n", "[]", "- ~\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(empty); i++) {
		struct loaded x = load(empty[i]);

		expect_clean(&x);
		assert_int_equal(x.result->schema_valid, i < 4); /* null is no item */
		assert_int_equal(x.result->schema_applied, i > 1);
		unload(&x);
	}
}

static void the_digest_is_of_the_text_as_read(void **state)
{
	static const uint8_t empty[] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14};
	struct loaded x = load("");
	uint8_t digest[32];

	(void)state;
	rule_result_digest(x.result, digest);
	assert_memory_equal(digest, empty, sizeof(empty));
	unload(&x);
}

static void a_flood_of_warnings_is_counted_not_kept(void **state)
{
	struct loaded x = loaded_new(NULL);
	const struct rule_message *last;
	struct buf b = {0};

	(void)state;
	for (unsigned i = 0; i < 10050; i++)
		buf_lit(&b, "- a: b\n");
	loaded_add(&x, "t.yaml", buf_cstr(&b));
	expect_ok(&x);
	assert_int_equal(x.result->warning_count, 10001);
	last = &x.result->warnings[10000];
	assert_string_equal(last->text, "50 further warnings are not shown");
	buf_done(&b);
	unload(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_missing_file_is_a_verdict_and_an_io_error),
	    cmocka_unit_test(text_that_is_no_yaml_is_a_parse_error),
	    cmocka_unit_test(content_of_the_wrong_shape_is_a_structure_error),
	    cmocka_unit_test(versions_the_engine_does_not_have_are_errors),
	    cmocka_unit_test(engine_versions_up_to_our_own_are_served),
	    cmocka_unit_test(conditions_that_do_not_compile_are_errors_at_their_token),
	    cmocka_unit_test(the_snippet_shows_the_condition_with_lists_expanded),
	    cmocka_unit_test(long_lines_are_cut_around_the_place),
	    cmocka_unit_test(outputs_that_do_not_compile_are_errors_before_conditions),
	    cmocka_unit_test(macros_that_are_not_there_or_loop_are_object_errors),
	    cmocka_unit_test(all_good_macro_references_resolve),
	    cmocka_unit_test(unused_macros_and_lists_come_last_and_in_order),
	    cmocka_unit_test(names_that_cannot_be_referred_to_are_warned_about),
	    cmocka_unit_test(unknown_items_and_keys_are_ignored_with_a_warning),
	    cmocka_unit_test(deprecated_things_are_named),
	    cmocka_unit_test(rules_of_other_sources_are_kept_but_not_compiled),
	    cmocka_unit_test(comparing_audit_fields_with_na_is_unsafe),
	    cmocka_unit_test(rules_for_nearly_all_events_are_warned_about_unless_they_say_so),
	    cmocka_unit_test(unknown_filters_leave_a_rule_out_only_on_request),
	    cmocka_unit_test(doubtful_constants_are_compiler_warnings),
	    cmocka_unit_test(warnings_before_an_error_stay_and_what_follows_is_not_read),
	    cmocka_unit_test(a_byte_order_mark_and_crlf_are_no_trouble),
	    cmocka_unit_test(empty_files_load),
	    cmocka_unit_test(the_digest_is_of_the_text_as_read),
	    cmocka_unit_test(a_flood_of_warnings_is_counted_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
