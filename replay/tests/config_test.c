/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "replay/config.h"
#include "replay/config_tree.h"

static struct run_config load(const char *const *overrides, size_t n)
{
	struct run_config c;
	struct error err = {0};

	assert_int_equal(run_config_init(&c, &err), 0);
	if (run_config_load(&c, NULL, overrides, n, &err) != 0)
		fail_msg("%s", err.msg);
	return c;
}

static void the_defaults_are_those_falco_ships(void **state)
{
	struct run_config c = load(NULL, 0);

	(void)state;
	assert_int_equal(c.append_count, 1);
	assert_true(c.append[0].suggested);
	assert_true(c.stdout_enabled);
	assert_int_equal(c.priority, RULE_DEBUG);
	assert_false(c.match_all);
	run_config_done(&c);
}

static void overrides_set_append_and_index(void **state)
{
	static const char *const overrides[] = {
	    "json_output=yes",
	    "rule_matching=ALL",
	    "priority=warning",
	    "rules[].disable.rule=*",
	    "rules[].enable.tag=network",
	    "append_output[0].extra_output=a=%evt.num",
	    "append_output[]={match: {tags: [x, y], rule: R}, suggested_output: true}",
	    "file_output.enabled=true",
	    "file_output.filename=/x/y",
	    "static_fields.site=here",
	};
	struct run_config c = load(overrides, COUNT_OF(overrides));

	(void)state;
	assert_true(c.json_output && c.match_all);
	assert_int_equal(c.priority, RULE_WARNING);
	assert_int_equal(c.select_count, 2);
	assert_int_equal(c.select[0].kind, RULE_DISABLE_NAME);
	assert_string_equal(c.select[0].text, "*");
	assert_int_equal(c.select[1].kind, RULE_ENABLE_TAG);
	assert_string_equal(c.select[1].text, "network");
	assert_int_equal(c.append_count, 2);
	assert_string_equal(c.append[0].extra_output, "a=%evt.num");
	assert_string_equal(c.append[1].rule, "R");
	assert_string_equal(c.append[1].tags[1], "y");
	assert_null(c.append[1].tags[2]);
	assert_true(c.append[1].suggested);
	assert_string_equal(c.file_name, "/x/y");
	assert_string_equal(c.statics[0].name, "site");
	run_config_done(&c);
}

static void bad_values_are_refused_with_their_key(void **state)
{
	static const struct {
		const char *override, *message;
	} cases[] = {
	    {"nothing", "KEY=VALUE"},
	    {"=x", "KEY=VALUE"},
	    {"a[x]=1", "KEY=VALUE"},
	    {"priority=loud", "priority"},
	    {"rule_matching=some", "rule_matching"},
	    {"rules[].disable=x", "rules"},
	    {"rules[]=x", "rules"},
	    {"file_output.enabled=true", "file_output.filename"},
	    {"x={a: [", "option"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct run_config c;
		struct error err = {0};

		assert_int_equal(run_config_init(&c, &err), 0);
		assert_int_equal(run_config_load(&c, NULL, &cases[i].override, 1, &err), ERR_USAGE);
		if (!strstr(err.msg, cases[i].message))
			fail_msg("%s: %s", cases[i].override, err.msg);
		run_config_done(&c);
	}
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void included_files_are_merged_by_their_strategy(void **state)
{
	char dir[] = "/tmp/config-test-XXXXXX", path[256], text[1024];
	struct run_config c;
	struct error err = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(text, sizeof(text),
		 "config_files:\n  - %s/a.yaml\n  - path: %s/b.yaml\n    strategy: add-only\n  - "
		 "%s/missing.yaml\n"
		 "rules_files: [one.yaml]\njson_output: false\npriority: ${CONFIG_TEST_PRIORITY}\n",
		 dir, dir, dir);
	write_file(dir, "main.yaml", text);
	write_file(dir, "a.yaml", "rules_files: [two.yaml]\njson_output: true\n");
	write_file(dir, "b.yaml", "json_output: false\nrule_matching: all\n");
	setenv("CONFIG_TEST_PRIORITY", "error", 1);
	snprintf(path, sizeof(path), "%s/main.yaml", dir);
	assert_int_equal(run_config_init(&c, &err), 0);
	if (run_config_load(&c, path, NULL, 0, &err) != 0)
		fail_msg("%s", err.msg);
	assert_int_equal(c.rules_count, 2);
	assert_string_equal(c.rules_files[1], "two.yaml");
	assert_true(c.json_output);
	assert_true(c.match_all);
	assert_int_equal(c.priority, RULE_ERROR);
	run_config_done(&c);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir,
			 (const char *[]){"main.yaml", "a.yaml", "b.yaml"}[i]);
		unlink(path);
	}
	rmdir(dir);
}

static void a_file_that_is_no_map_is_refused_with_its_place(void **state)
{
	char dir[] = "/tmp/config-test-XXXXXX", path[256];
	struct run_config c;
	struct error err = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.yaml", dir);
	write_file(dir, "x.yaml", "a: [1\nb: 2\n");
	assert_int_equal(run_config_init(&c, &err), 0);
	assert_int_equal(run_config_load(&c, path, NULL, 0, &err), ERR_USAGE);
	assert_non_null(strstr(err.msg, "x.yaml:2:"));
	write_file(dir, "x.yaml", "- a\n");
	assert_int_equal(run_config_load(&c, path, NULL, 0, &err), ERR_USAGE);
	assert_non_null(strstr(err.msg, "expected a map"));
	run_config_done(&c);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_defaults_are_those_falco_ships),
	    cmocka_unit_test(overrides_set_append_and_index),
	    cmocka_unit_test(bad_values_are_refused_with_their_key),
	    cmocka_unit_test(included_files_are_merged_by_their_strategy),
	    cmocka_unit_test(a_file_that_is_no_map_is_refused_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
