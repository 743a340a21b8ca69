/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts as text and as JSON, and the verdict of the schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/rules/tests/rules_test.h"

#define BAD                                                                                        \
	"\n\n- rule: some rule\n  desc: some desc\n  condition: evt.type=open and foo.bar = 1\n"   \
	"  output: o\n  priority: INFO\n"

static void assert_text(const char *yaml, bool verbose, const char *expected)
{
	struct loaded x = loaded_new(NULL);
	struct buf b = {0};

	loaded_add(&x, "f0", yaml);
	rule_result_text(&b, x.result, verbose);
	assert_string_equal(buf_cstr(&b), expected);
	buf_done(&b);
	unload(&x);
}

static void assert_json(const char *yaml, const char *expected)
{
	struct loaded x = loaded_new(NULL);
	struct buf b = {0};

	loaded_add(&x, "f0", yaml);
	rule_result_json(&b, x.result);
	assert_string_equal(buf_cstr(&b), expected);
	buf_done(&b);
	unload(&x);
}

static void a_bad_condition_reads_as_in_the_reference(void **state)
{
	(void)state;
	assert_text(BAD, true,
		    "f0: Invalid\n"
		    "1 Errors:\n"
		    "In rules content: (f0:0:0)\n"
		    "    rule 'some rule': (f0:2:2)\n"
		    "    rule condition: (f0:4:13)\n"
		    "    condition expression: (\"evt.type=open and...\":5:32)\n"
		    "------\n"
		    "evt.type=open and foo.bar = 1\n"
		    "                  ^\n"
		    "------\n"
		    "LOAD_ERR_COMPILE_CONDITION (Error compiling condition): nonexistent field "
		    "foo.bar\n");
	assert_text(BAD, false,
		    "f0: Invalid 1 errors: [LOAD_ERR_COMPILE_CONDITION (Error compiling "
		    "condition)]\n");
}

static void good_files_are_ok_with_or_without_warnings(void **state)
{
	(void)state;
	assert_text("[]", true, "f0: Ok\n");
	assert_text("[]", false, "f0: Ok\n");
	assert_text("- list: l\n  items: []\n- foo: bar\n", false,
		    "f0: Ok, with warnings 2 warnings: [LOAD_UNKNOWN_ITEM (item of unknown kind) "
		    "LOAD_UNUSED_LIST (list is never used)]\n");
	assert_text("- list: \"\\e[2J\\x9b\"\n  items: []\n", true,
		    "f0: Ok, with warnings\n"
		    "1 Warnings:\n"
		    "In rules content: (f0:0:0)\n"
		    "    list '\\x1b[2J\\x9b': (f0:0:2)\n"
		    "------\n"
		    "- list: \"\\e[2J\\x9b\"\n"
		    "  ^\n"
		    "------\n"
		    "LOAD_UNUSED_LIST (list is never used): No rule, macro or other list uses this "
		    "list\n");
}

static void the_json_form_has_the_keys_of_the_reference(void **state)
{
	(void)state;
	assert_json("[]", "{\"errors\":[],\"name\":\"f0\",\"schema_valid\":true,"
			  "\"schema_warnings\":[],\"successful\":true,\"warnings\":[]}");
	assert_json("# empty", "{\"errors\":[],\"name\":\"f0\",\"successful\":true,"
			       "\"warnings\":[]}");
	assert_json(
	    "hello",
	    "{\"errors\":[{\"code\":\"LOAD_ERR_YAML_VALIDATE\",\"codedesc\":\"structure "
	    "error\",\"context\":{\"locations\":[{\"item_name\":\"\",\"item_type\":\"rules "
	    "content\",\"position\":{\"column\":0,\"line\":0,\"name\":\"f0\",\"offset\":0}}],"
	    "\"snippet\":\"------\\nhello\\n^\\n------\\n\"},\"message\":\"Rules content is "
	    "not yaml\"}],\"name\":\"f0\",\"schema_valid\":false,\"schema_warnings\":["
	    "\"failed for <root>: expected a sequence\"],\"successful\":false,"
	    "\"warnings\":[]}");
}

static void deprecated_fields_have_a_key_of_their_own(void **state)
{
	struct loaded x = loaded_new(NULL);
	struct buf b = {0};

	(void)state;
	loaded_add(&x, "f0",
		   "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n"
		   "  condition: evt.type=open and evt.dir=<\n");
	rule_result_json(&b, x.result);
	assert_non_null(strstr(buf_cstr(&b), "\"deprecated_field\":\"evt.dir\""));
	buf_done(&b);
	unload(&x);
}

static void the_schema_names_the_first_thing_it_does_not_know(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
	    {"- rule: r\n  priority: Info\n",
	     "failed for <root>[0][priority]: expected a priority in capital letters: 'Info'"},
	    {"- list: a\n- colour: b\n", "failed for <root>[1]: the key is not known: 'colour'"},
	    {"- rule: r\n  enabled: yes\n",
	     "failed for <root>[0][enabled]: expected true or false: 'yes'"},
	    {"- rule: r\n  tags: [a, [b]]\n", "failed for <root>[0][tags][1]: expected a scalar"},
	    {"- rule: r\n  exceptions: [{fields: a}]\n",
	     "failed for <root>[0][exceptions][0]: a required key is missing: 'name'"},
	    {"- rule: r\n  exceptions: [{name: a, value: a}]\n",
	     "failed for <root>[0][exceptions][0]: the key is not known: 'value'"},
	    {"- rule: r\n  override: {desc: x}\n",
	     "failed for <root>[0][override][desc]: expected append or replace: 'x'"},
	    {"- required_plugin_versions: [{name: a, version: 1, alternatives: [{name: a}]}]\n",
	     "failed for <root>[0][required_plugin_versions][0][alternatives][0]: a required key "
	     "is missing: 'version'"},
	    {"- rule: r\n  capture_duration: 1.5\n",
	     "failed for <root>[0][capture_duration]: expected a whole number: '1.5'"},
	    {"a: b\n", "failed for <root>: expected a sequence"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct loaded x = load(cases[i].text);

		assert_false(x.result->schema_valid);
		assert_int_equal(x.result->schema_warning_count, 1);
		assert_string_equal(x.result->schema_warnings[0], cases[i].expected);
		unload(&x);
	}
}

static void every_code_has_a_name_and_a_text(void **state)
{
	(void)state;
	for (unsigned c = 0; c < RULE_CODE_COUNT; c++) {
		assert_int_equal(strncmp(rule_code_name(c), "LOAD_", 5), 0);
		assert_true(*rule_code_text(c));
	}
	assert_string_equal(rule_code_name(LOAD_ERR_YAML_VALIDATE), "LOAD_ERR_YAML_VALIDATE");
	assert_string_equal(rule_code_text(LOAD_ERR_VALIDATE), "object error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_bad_condition_reads_as_in_the_reference),
	    cmocka_unit_test(good_files_are_ok_with_or_without_warnings),
	    cmocka_unit_test(the_json_form_has_the_keys_of_the_reference),
	    cmocka_unit_test(deprecated_fields_have_a_key_of_their_own),
	    cmocka_unit_test(the_schema_names_the_first_thing_it_does_not_know),
	    cmocka_unit_test(every_code_has_a_name_and_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
