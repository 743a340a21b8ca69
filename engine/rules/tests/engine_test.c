/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules take part, and matching events against them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/rules/tests/rules_test.h"

#define RULE(name, priority, condition, more)                                                      \
	"- rule: " name "\n  desc: d\n  output: o\n  priority: " priority                          \
	"\n  condition: " condition "\n" more

static const char text[] = RULE("on open", "INFO", "evt.type=open", "  tags: [file, x]\n")
    RULE("off", "ERROR", "evt.type in (open, close)", "  enabled: false\n  tags: [file]\n")
	RULE("on both", "ALERT", "evt.type in (close, open)", "")
	    RULE("never", "ALERT", "evt.type=open and evt.num=0", "")
		RULE("elsewhere", "ALERT", "ka.verb=get", "  source: k8s_audit\n");

struct running {
	struct rule_engine *e;
	struct flt_ctx *cx;
};

static struct rule_engine *select_rules(const struct rule_options *opt,
					const struct rule_select *select, size_t n)
{
	struct loaded x = loaded_new(opt);
	struct rule_engine *e = NULL;

	loaded_add(&x, "t.yaml", text);
	expect_ok(&x);
	assert_int_equal(rule_engine_new(x.l, select, n, &e, NULL), 0);
	unload(&x); /* engines do not need their loader */
	return e;
}

static struct running start(const struct rule_options *opt, const struct rule_select *select,
			    size_t n)
{
	struct running r = {.e = select_rules(opt, select, n)};

	assert_int_equal(rule_engine_seal(r.e, NULL), 0);
	assert_int_equal(flt_ctx_new(rule_engine_program(r.e), NULL, &r.cx, NULL), 0);
	return r;
}

static void stop(struct running *r)
{
	flt_ctx_free(r->cx);
	rule_engine_free(r->e);
}

/* Names of the rules that match an event of @type, joined by ';'. */
static void expect_hits(struct running *r, unsigned type, bool all, const char *expected)
{
	struct ev ev = {.type = (uint16_t)type, .num = 5, .tid = -1};
	struct state_binding bind = {.ev = &ev};
	const struct rule *hits[8];
	struct buf b = {0};
	size_t n;

	flt_ctx_event(r->cx, &bind);
	n = rule_engine_match(r->e, r->cx, all, hits, COUNT_OF(hits));
	assert_true(n <= COUNT_OF(hits));
	for (size_t i = 0; i < n; i++) {
		buf_sv(&b, hits[i]->name);
		buf_char(&b, ';');
	}
	assert_string_equal(buf_cstr(&b), expected);
	buf_done(&b);
}

static void expect_enabled(const struct rule_select *select, size_t n, const char *expected)
{
	struct rule_engine *e = select_rules(NULL, select, n);
	const struct rule *rules;
	struct buf b = {0};
	size_t count;

	rules = rule_engine_rules(e, &count);
	assert_int_equal(count, 5);
	for (size_t i = 0; i < count; i++)
		buf_char(&b, rules[i].enabled ? '1' : '0');
	assert_string_equal(buf_cstr(&b), expected);
	buf_done(&b);
	rule_engine_free(e);
}

static void events_meet_the_rules_of_their_type_in_definition_order(void **state)
{
	struct running r = start(NULL, NULL, 0);

	(void)state;
	assert_true(rule_engine_wants(r.e, EV_OPEN_X));
	assert_true(rule_engine_wants(r.e, EV_CLOSE_X));
	assert_false(rule_engine_wants(r.e, EV_PROCEXIT_1_E));
	assert_false(rule_engine_wants(r.e, EV_TYPE_COUNT));
	assert_false(rule_engine_wants(r.e, EV_TYPE_LOSS));
	expect_hits(&r, EV_OPEN_X, true, "on open;on both;");
	expect_hits(&r, EV_OPEN_X, false, "on open;");
	expect_hits(&r, EV_CLOSE_X, true, "on both;");
	expect_hits(&r, EV_PROCEXIT_1_E, true, "");
	expect_hits(&r, EV_TYPE_LOSS, true, "");
	stop(&r);
}

static void hits_beyond_the_room_are_counted(void **state)
{
	struct running r = start(NULL, NULL, 0);
	struct ev ev = {.type = EV_OPEN_X, .num = 5, .tid = -1};
	struct state_binding bind = {.ev = &ev};
	const struct rule *hits[1];

	(void)state;
	flt_ctx_event(r.cx, &bind);
	assert_int_equal(rule_engine_match(r.e, r.cx, true, hits, 1), 2);
	assert_sv(hits[0]->name, "on open");
	assert_int_equal(rule_engine_match(r.e, r.cx, true, NULL, 0), 2);
	stop(&r);
}

static void rules_below_the_least_severity_never_match(void **state)
{
	struct rule_options opt = {.min_priority = RULE_ERROR};
	struct rule_select all = {RULE_ENABLE_NAME, "*"};
	struct running r = start(&opt, &all, 1);

	(void)state;
	assert_true(find_rule(r.e, "on open")->enabled);
	expect_hits(&r, EV_OPEN_X, true, "off;on both;");
	stop(&r);
}

static void selection_steps_are_taken_in_order(void **state)
{
	static const struct rule_select steps[] = {
	    {RULE_DISABLE_NAME, "*"},	  {RULE_ENABLE_TAG, "file"},	  {RULE_DISABLE_TAG, "x"},
	    {RULE_ENABLE_NAME, "*both"},  {RULE_ENABLE_NAME, "ever"},	  {RULE_ENABLE_TAG, "fil"},
	    {RULE_ENABLE_NAME, "n*ev*r"}, {RULE_DISABLE_SUBSTRING, "bot"}};
	static const char *const after[] = {"10111", "00000", "11000", "01000", "01100",
					    "01100", "01100", "01110", "01010"};

	(void)state;
	for (size_t n = 0; n <= COUNT_OF(steps); n++)
		expect_enabled(steps, n, after[n]);
}

static void rules_enabled_again_keep_their_place(void **state)
{
	static const struct rule_select steps[] = {
	    {RULE_DISABLE_NAME, "*"}, {RULE_ENABLE_NAME, "on both"}, {RULE_ENABLE_NAME, "*"}};
	struct running r = start(NULL, steps, COUNT_OF(steps));

	(void)state;
	expect_hits(&r, EV_OPEN_X, true, "on open;off;on both;");
	stop(&r);
}

static void patterns_match_whole_names(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool match;
	} cases[] = {
	    {"", "", true},
	    {"", "a", false},
	    {"*", "", true},
	    {"*", "abc", true},
	    {"**", "abc", true},
	    {"a", "A", false},
	    {"abc", "abc", true},
	    {"abc", "abcd", false},
	    {"a*", "abc", true},
	    {"*c", "abc", true},
	    {"*abc", "xabcabc", true},
	    {"*b*b*", "abab", true},
	    {"a*b*c", "aXbYc", true},
	    {"a*b*c", "acb", false},
	    {"a?c", "abc", false},
	    {"*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (rule_pattern_match(sv_of(cases[i].pattern), sv_of(cases[i].name)) !=
		    cases[i].match)
			fail_msg("'%s' on '%s'", cases[i].pattern, cases[i].name);
}

static void priorities_have_their_names_in_any_case(void **state)
{
	enum rule_priority p;

	(void)state;
	for (unsigned i = 0; i < RULE_PRIORITY_COUNT; i++) {
		assert_true(rule_priority_parse(sv_of(rule_priority_name(i)), &p) && p == i);
		assert_true(rule_priority_parse(sv_of(rule_priority_upper(i)), &p) && p == i);
	}
	assert_true(rule_priority_parse(SV_LIT("iNfO"), &p) && p == RULE_INFORMATIONAL);
	assert_false(rule_priority_parse(SV_LIT(""), &p));
	assert_false(rule_priority_parse(SV_LIT("inform"), &p));
	assert_string_equal(rule_priority_upper(RULE_INFORMATIONAL), "INFO");
}

static void required_plugins_must_be_there(void **state)
{
	static const struct rule_plugin plugins[] = {{"json", "0.7.2"}, {"other", "1.0.0"}};
	static const struct {
		const char *text;
		bool ok;
	} cases[] = {
	    {"[{name: container, version: 0.4.0}]", true},
	    {"[{name: container, version: 0.7.0}]", true},
	    {"[{name: container, version: 0.8.0}]", false},
	    {"[{name: container, version: 1.0.0}]", false},
	    {"[{name: json, version: 0.7.2}]", true},
	    {"[{name: json, version: 0.7.3}]", false},
	    {"[{name: k8saudit, version: 0.1.0}]", false},
	    {"[{name: k8saudit, version: 0.1.0, alternatives: [{name: json, version: 0.1.0}]}]",
	     true},
	    /* The first loaded one that is named decides. */
	    {"[{name: other, version: 1.0.0, alternatives: [{name: json, version: 0.8.0}]}]",
	     false},
	    {"[{name: json, version: 0.1.0}, {name: none, version: 0.1.0}]", false},
	};
	struct rule_options opt = {
	    .min_priority = RULE_DEBUG, .plugins = plugins, .plugin_count = COUNT_OF(plugins)};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct loaded x = loaded_new(&opt);
		struct rule_engine *e = NULL;
		struct buf b = {0};

		buf_addf(&b, "- required_plugin_versions: %s\n", cases[i].text);
		loaded_add(&x, "t.yaml", buf_cstr(&b));
		expect_clean(&x);
		assert_int_equal(rule_loader_check_plugins(x.l, &x.err),
				 cases[i].ok ? 0 : ERR_RULES);
		assert_int_equal(rule_engine_new(x.l, NULL, 0, &e, &x.err),
				 cases[i].ok ? 0 : ERR_RULES);
		rule_engine_free(e);
		buf_done(&b);
		unload(&x);
	}
}

static void no_files_make_an_empty_engine(void **state)
{
	struct loaded x = loaded_new(NULL);
	struct rule_engine *e;
	size_t count;

	(void)state;
	assert_int_equal(rule_engine_new(x.l, NULL, 0, &e, NULL), 0);
	rule_engine_rules(e, &count);
	assert_int_equal(count, 0);
	assert_false(rule_engine_wants(e, EV_OPEN_X));
	rule_engine_free(e);
	rule_engine_free(NULL);
	unload(&x);
	rule_loader_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(events_meet_the_rules_of_their_type_in_definition_order),
	    cmocka_unit_test(hits_beyond_the_room_are_counted),
	    cmocka_unit_test(rules_below_the_least_severity_never_match),
	    cmocka_unit_test(selection_steps_are_taken_in_order),
	    cmocka_unit_test(rules_enabled_again_keep_their_place),
	    cmocka_unit_test(patterns_match_whole_names),
	    cmocka_unit_test(priorities_have_their_names_in_any_case),
	    cmocka_unit_test(required_plugins_must_be_there),
	    cmocka_unit_test(no_files_make_an_empty_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
