/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: wherever it runs out, loading, building an engine and explaining fail with ERR_NOMEM and
 * lose nothing; matching allocates nothing. The allocator is wrapped by the linker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/tests/alloc_wrap.h"
#include "engine/rules/explain.h"
#include "engine/rules/tests/rules_test.h"

static const char text[] =
    "- required_plugin_versions: [{name: container, version: 0.4.0}]\n"
    "- list: l\n  items: [a, b c]\n- list: odd name\n  items: [l]\n"
    "- macro: m\n  condition: proc.name in (l) or evt.dir = <\n"
    "- rule: r\n  desc: d\n  output: '%container.info %proc.name'\n  priority: INFO\n"
    "  condition: evt.type=open and m\n  tags: [y, x]\n"
    "  exceptions: [{name: e, fields: [proc.name, fd.name], comps: [in, glob], values: [[[a, b], "
    "'/x y*']]}]\n"
    "- rule: r\n  condition: and proc.pid > 1\n  exceptions: [{name: e, values: [[c, d]]}]\n"
    "  append: true\n"
    "- foo: bar\n";

static const struct flt_static statics[] = {{"site", "here"}, {0}};
static const char *const tags[] = {"x", NULL};
static const struct rule_append_output append = {
    .source = "syscall", .tags = tags, .extra_output = "more", .suggested = true};
static const struct rule_options options = {.min_priority = RULE_DEBUG,
					    .filter.statics = statics,
					    .append_output = &append,
					    .append_count = 1};

/* What is known of the checks of the rule on an event without parameters. */
static int explain(struct rule_loader *l, struct rule_engine *e)
{
	struct ev ev = {.type = EV_OPEN_X, .num = 5, .tid = -1};
	struct state_binding bind = {.ev = &ev};
	struct rule_explanation *x = NULL;
	struct flt_explainer *explainer = NULL;
	struct flt_ctx *cx = NULL;
	const struct flt_finding *f;
	size_t count;
	int rc = rule_explanation_new(l, rule_engine_rules(e, &count), &x, NULL);

	if (rc == 0)
		rc = flt_ctx_new(rule_engine_program(e), NULL, &cx, NULL);
	if (rc == 0)
		rc = flt_explainer_new(cx, x->rule->condition_id, &explainer, NULL);
	if (rc == 0) {
		flt_ctx_event(cx, &bind);
		assert_int_equal(flt_explainer_checks(explainer), x->checks);
		assert_false(flt_explain(explainer, FLT_VALUES, &f));
	}
	flt_explainer_free(explainer);
	flt_ctx_free(cx);
	rule_explanation_free(x);
	return rc;
}

/* Return: 0 or the first failure. */
static int load_and_build(struct rule_engine **e)
{
	struct rule_loader *l = NULL;
	struct error err;
	struct buf b = {0};
	size_t count;
	int rc;

	*e = NULL;
	rc = rule_loader_new(&options, &l, &err);
	if (rc == 0)
		rc = rule_loader_text(l, "t.yaml", sv_of(text), &err);
	if (rc == 0)
		rc = rule_engine_new(l, NULL, 0, e, &err);
	if (rc == 0)
		rc = rule_engine_seal(*e, &err);
	if (rc == 0)
		rc = explain(l, *e);
	if (rc == 0) {
		rule_result_json(&b, rule_loader_results(l, &count));
		rc = b.failed ? ERR_NOMEM : 0;
	}
	buf_done(&b);
	rule_loader_free(l);
	return rc;
}

static void running_out_of_memory_anywhere_is_an_error_and_no_leak(void **state)
{
	unsigned n = 0;
	int rc = ERR_NOMEM;

	(void)state;
	while (rc) {
		struct rule_engine *e;

		alloc.calls = 0;
		alloc.fail_at = ++n;
		alloc.counting = true;
		rc = load_and_build(&e);
		alloc.counting = false;
		rule_engine_free(e);
		if (rc && rc != ERR_NOMEM)
			fail_msg("allocation %u: %d", n, rc);
	}
	alloc.fail_at = 0;
	assert_true(n > 50);
}

static void matching_allocates_nothing(void **state)
{
	struct ev ev = {.type = EV_OPEN_X, .num = 5, .tid = -1};
	struct state_binding bind = {.ev = &ev};
	const struct rule *hits[4];
	struct rule_engine *e;
	struct flt_ctx *cx;

	(void)state;
	assert_int_equal(load_and_build(&e), 0);
	assert_int_equal(flt_ctx_new(rule_engine_program(e), NULL, &cx, NULL), 0);
	alloc.calls = 0;
	alloc.counting = true;
	for (unsigned i = 0; i < 100; i++) {
		flt_ctx_event(cx, &bind);
		rule_engine_match(e, cx, true, hits, COUNT_OF(hits));
	}
	alloc.counting = false;
	assert_int_equal(alloc.calls, 0);
	flt_ctx_free(cx);
	rule_engine_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(running_out_of_memory_anywhere_is_an_error_and_no_leak),
	    cmocka_unit_test(matching_allocates_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
