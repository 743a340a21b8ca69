/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule documents with known verdicts, and the public rule files, where the shared material lies
 * beside the source tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "engine/rules/tests/rules_test.h"

#define SHARED SOURCE_DIR "/../shared/"

static const char *text_of(const cJSON *o, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
}

static const cJSON *member(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static const cJSON *first(const cJSON *list)
{
	return list ? list->child : NULL;
}

static enum rule_code code_of(const char *name)
{
	unsigned c = 0;

	while (c < RULE_CODE_COUNT && strcmp(rule_code_name(c), name))
		c++;
	assert_int_not_equal(c, RULE_CODE_COUNT);
	return c;
}

static bool names_item(const struct rule_message *m, const char *type, const char *name)
{
	if (!type)
		return true;
	for (size_t i = 0; i < m->where_count; i++)
		if (!strcmp(m->where[i].item_type, type) &&
		    (!name || !strcmp(m->where[i].item_name, name)))
			return true;
	return false;
}

static bool has_expected(const struct rule_message *list, size_t count, const cJSON *expected)
{
	const char *part = text_of(expected, "message_contains");
	enum rule_code code = code_of(text_of(expected, "code"));

	if (!part)
		part = text_of(expected, "message");
	for (size_t i = 0; i < count; i++)
		if (list[i].code == code && (!part || strstr(list[i].text, part)) &&
		    names_item(&list[i], text_of(expected, "item_type"),
			       text_of(expected, "item_name")))
			return true;
	return false;
}

/* --- options of a record --- */

struct options {
	struct rule_options opt;
	struct rule_append_output append[8];
	const char *tags[8][8];
	struct rule_plugin plugins[8];
};

static void read_append_output(struct options *o, const cJSON *list)
{
	for (const cJSON *entry = first(list); entry; entry = entry->next) {
		struct rule_append_output *a = &o->append[o->opt.append_count];
		const cJSON *match = member(entry, "match");
		size_t n = 0;

		a->extra_output = text_of(entry, "extra_output");
		a->source = text_of(match, "source");
		a->rule = text_of(match, "rule");
		for (const cJSON *t = first(member(match, "tags")); t; t = t->next)
			o->tags[o->opt.append_count][n++] = cJSON_GetStringValue(t);
		a->tags = o->tags[o->opt.append_count++];
	}
	o->opt.append_output = o->append;
}

static void read_plugins(struct options *o, const cJSON *list)
{
	for (const cJSON *p = first(list); p; p = p->next)
		o->plugins[o->opt.plugin_count++] =
		    (struct rule_plugin){text_of(p, "name"), text_of(p, "version")};
	o->opt.plugins = o->plugins;
}

/* --- records --- */

static unsigned check_warnings_absent(const struct rule_result *r, const cJSON *list)
{
	unsigned bad = 0;

	for (const cJSON *m = first(list); m; m = m->next)
		for (size_t i = 0; i < r->warning_count; i++)
			bad += strstr(r->warnings[i].text, cJSON_GetStringValue(m)) != NULL;
	return bad;
}

static unsigned check_messages(const struct rule_result *r, const cJSON *record)
{
	unsigned bad = check_warnings_absent(r, member(record, "warnings_absent"));

	for (const cJSON *m = first(member(record, "errors")); m; m = m->next)
		bad += !has_expected(r->errors, r->error_count, m);
	for (const cJSON *m = first(member(record, "warnings")); m; m = m->next)
		bad += !has_expected(r->warnings, r->warning_count, m);
	if (member(record, "has_warnings"))
		bad += cJSON_IsTrue(member(record, "has_warnings")) != (r->warning_count > 0);
	if (member(record, "schema"))
		bad += !strcmp(text_of(record, "schema"), "ok") != r->schema_valid;
	return bad;
}

static unsigned check_texts(const struct rule_engine *e, const cJSON *expected, bool output)
{
	unsigned bad = 0;

	for (const cJSON *t = first(expected); t; t = t->next) {
		const struct rule *r = find_rule(e, t->string);
		struct sv got = !r ? SV_NONE : output ? r->output : r->compiled;

		if (sv_is(got, cJSON_GetStringValue(t)))
			continue;
		print_message("got      %.*s\nexpected %s\n", (int)got.n, got.p,
			      cJSON_GetStringValue(t));
		bad++;
	}
	return bad;
}

static unsigned check_info(const struct rule_engine *e, const cJSON *info)
{
	const struct rule *r = info ? find_rule(e, text_of(info, "rule")) : NULL;
	unsigned bad = info && !r;

	for (const cJSON *v = first(r ? member(info, "info") : NULL); v; v = v->next) {
		if (!strcmp(v->string, "capture"))
			bad += r->capture != cJSON_IsTrue(v);
		else if (!strcmp(v->string, "capture_duration"))
			bad += r->capture_duration_ms != (uint64_t)cJSON_GetNumberValue(v);
		else
			fail_msg("info '%s' is not compared", v->string);
	}
	return bad;
}

static size_t count_enabled(struct rule_loader *l, const struct rule_select *s, size_t n)
{
	struct rule_engine *e;
	const struct rule *rules;
	size_t count, enabled = 0;

	assert_int_equal(rule_engine_new(l, s, n, &e, NULL), 0);
	rules = rule_engine_rules(e, &count);
	for (size_t i = 0; i < count; i++)
		enabled += rules[i].enabled;
	rule_engine_free(e);
	return enabled;
}

/* A step enables or disables in a rule set of its own, which starts with no rule enabled. */
static unsigned check_selection(struct rule_loader *l, const cJSON *steps)
{
	unsigned bad = 0;

	for (const cJSON *s = first(steps); s; s = s->next) {
		const char *pattern = text_of(s, "pattern");
		bool enable = !strcmp(text_of(s, "op"), "enable");
		struct rule_select select[] = {
		    {enable ? RULE_DISABLE_NAME : RULE_ENABLE_NAME, "*"},
		    {enable ? RULE_ENABLE_NAME : RULE_DISABLE_NAME, *pattern ? pattern : "*"}};
		size_t got = count_enabled(l, select, 2);

		bad += got != (size_t)cJSON_GetNumberValue(member(s, "enabled_count"));
	}
	return bad;
}

static unsigned check_engine(struct rule_loader *l, const cJSON *record)
{
	struct rule_engine *e;
	struct error err;
	unsigned bad = 0;

	if (rule_engine_new(l, NULL, 0, &e, &err)) {
		print_message("%s\n", err.msg);
		return 1;
	}
	bad += check_texts(e, member(record, "condition_compiled"), false);
	bad += check_texts(e, member(record, "output_compiled"), true);
	bad += check_info(e, member(record, "rule_info"));
	rule_engine_free(e);
	bad += check_selection(l, member(record, "selection_steps"));
	if (member(record, "enabled_rules"))
		bad += count_enabled(l, NULL, 0) !=
		       (size_t)cJSON_GetNumberValue(member(record, "enabled_rules"));
	return bad;
}

static unsigned check_docs(const cJSON *record)
{
	struct options o = {.opt.min_priority = RULE_DEBUG};
	const cJSON *success = member(record, "success");
	struct loaded x;
	bool ok = true;
	unsigned bad = 0;

	read_append_output(&o, member(member(record, "config"), "append_output"));
	read_plugins(&o, member(record, "loaded_plugins"));
	x = loaded_new(&o.opt);
	for (const cJSON *doc = first(member(record, "docs")); doc; doc = doc->next) {
		loaded_add(&x, "rules.yaml", cJSON_GetStringValue(doc));
		ok = ok && x.rc == 0;
	}
	if (success)
		bad += ok != cJSON_IsTrue(success);
	else
		bad += (ok && rule_loader_check_plugins(x.l, NULL) == 0) !=
		       cJSON_IsTrue(member(record, "plugin_requirements_ok"));
	bad += check_messages(x.result, record);
	if (bad == 0 && cJSON_IsTrue(success))
		bad += check_engine(x.l, record);
	if (bad)
		print_result(x.result);
	unload(&x);
	return bad;
}

static unsigned check_pattern(const cJSON *record)
{
	return rule_pattern_match(sv_of(text_of(record, "pattern")),
				  sv_of(text_of(record, "string"))) !=
	       cJSON_IsTrue(member(record, "expected"));
}

/* Doubts about a condition are voiced even where its fields do not exist. */
static unsigned check_doubts(const cJSON *record)
{
	struct loaded x = loaded_new(NULL);
	struct buf text = {0};
	size_t doubts = 0;

	buf_addf(&text,
		 "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n"
		 "  warn_evttypes: false\n  condition: '%s'\n",
		 text_of(record, "filter"));
	loaded_add(&x, "rules.yaml", buf_cstr(&text));
	for (size_t i = 0; i < x.result->warning_count; i++)
		doubts += x.result->warnings[i].code == LOAD_UNSAFE_NA_CHECK ||
			  x.result->warnings[i].code == LOAD_DEPRECATED_ITEM;
	buf_done(&text);
	unload(&x);
	return cJSON_IsTrue(member(record, "has_warnings")) != (doubts > 0);
}

static cJSON *next_record(FILE *f, char **line, size_t *room)
{
	return getline(line, room, f) > 0 ? cJSON_Parse(*line) : NULL;
}

static void rule_documents_get_their_known_verdicts(void **state)
{
	FILE *f = fopen(SHARED "spec/rules-cases-sample.jsonl", "re");
	unsigned bad = 0, count = 0;
	char *line = NULL;
	size_t room = 0;
	cJSON *record;

	(void)state;
	if (!f)
		skip();
	while ((record = next_record(f, &line, &room))) {
		unsigned wrong = 0;

		if (member(record, "docs"))
			wrong = check_docs(record);
		else if (member(record, "filter"))
			wrong = check_doubts(record);
		else if (member(record, "pattern"))
			wrong = check_pattern(record);
		if (wrong)
			print_message("record '%s' differs\n", text_of(record, "name"));
		bad += wrong;
		count++;
		cJSON_Delete(record);
	}
	free(line);
	fclose(f);
	assert_true(count > 50);
	assert_int_equal(bad, 0);
}

/* --- files --- */

static void all_load(const char *const *paths, size_t n, size_t rules_min, size_t warnings_max)
{
	struct loaded x = loaded_new(NULL);
	struct rule_engine *e;
	size_t count;

	for (size_t i = 0; i < n; i++) {
		x.rc = rule_loader_file(x.l, paths[i], &x.err);
		x.result = rule_loader_results(x.l, &count) + i;
		expect_ok(&x);
		for (size_t k = 0; k < x.result->warning_count; k++)
			assert_int_equal(x.result->warnings[k].code, LOAD_NO_EVTTYPE);
		assert_true(x.result->warning_count <= warnings_max);
		if (!x.result->schema_valid)
			print_result(x.result);
		assert_true(x.result->schema_valid);
	}
	e = engine_of(&x);
	unload(&x);
	rule_engine_rules(e, &count);
	assert_true(count >= rules_min);
	assert_int_equal(rule_engine_seal(e, NULL), 0);
	rule_engine_free(e);
}

static bool absent(const char *path)
{
	FILE *f = fopen(path, "re");

	if (f)
		fclose(f);
	return !f;
}

static const char *const peer_rules[] = {SHARED "peer-rules/falco_rules.yaml",
					 SHARED "peer-rules/falco-incubating_rules.yaml",
					 SHARED "peer-rules/falco-sandbox_rules.yaml"};

static void the_public_rule_files_load_alone(void **state)
{
	(void)state;
	if (absent(peer_rules[0]))
		skip();
	for (size_t i = 0; i < COUNT_OF(peer_rules); i++)
		all_load(&peer_rules[i], 1, 20, 0);
}

static void the_public_rule_files_load_together(void **state)
{
	(void)state;
	if (absent(peer_rules[0]))
		skip();
	all_load(peer_rules, COUNT_OF(peer_rules), 93, 0);
}

static void the_coverage_rules_load(void **state)
{
	const char *path = SHARED "golden/coverage-rules.yaml";

	(void)state;
	if (absent(path))
		skip();
	all_load(&path, 1, 50, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rule_documents_get_their_known_verdicts),
	    cmocka_unit_test(the_public_rule_files_load_alone),
	    cmocka_unit_test(the_public_rule_files_load_together),
	    cmocka_unit_test(the_coverage_rules_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
