/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explanations: what each part of a condition comes from, and that the evaluator without shortcuts
 * finds what the fast one does, for every rule and event of the captures. Ordinarily every
 * STRIDEth event; with the argument --full all of them, the large capture included.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "engine/rules/explain.h"
#include "engine/rules/tests/rules_test.h"
#include "scapfile/scapfile.h"

#define STRIDE	   2
#define FAR_STRIDE 101	 /* of events that a rule is not about */
#define CHAIN	   30000 /* lists */
#define CHAIN_END  "l29999"
#define SHARED	   SOURCE_DIR "/../shared/"

static bool full;

/* --- what parts come from --- */

static const char lists[] = "- list: inner\n"
			    "  items: [c]\n"
			    "- list: shells\n"
			    "  items:\n"
			    "    - bash\n"
			    "    - inner\n"
			    "    - \"two words\"\n"
			    "- macro: is_shell\n"
			    "  condition: >\n"
			    "    evt.type = openat and\n"
			    "    proc.name in (shells)\n";
static const char rule[] = "- rule: r\n"
			   "  desc: d\n"
			   "  output: o\n"
			   "  priority: INFO\n"
			   "  condition: >\n"
			   "    is_shell and\n"
			   "\n"
			   "    (fd.num > 3 or\n"
			   "     not proc.name in (sh, shells))\n"
			   "  exceptions:\n"
			   "    - name: pairs\n"
			   "      fields: [proc.name, fd.name]\n"
			   "      comps: [=, startswith]\n"
			   "      values:\n"
			   "        - [x, /a]\n"
			   "        - [y, /b]\n"
			   "    - name: names\n"
			   "      fields: proc.pname\n"
			   "      values: [cron,\n"
			   "        inner]\n";
static const char more[] = "- list: shells\n"
			   "  items: [zsh]\n"
			   "  override: {items: append}\n"
			   "- rule: r\n"
			   "  condition: and evt.num > 0\n"
			   "  exceptions:\n"
			   "    - name: pairs\n"
			   "      values:\n"
			   "        - [z, /c]\n"
			   "  override: {condition: append, exceptions: append}\n";

static struct rule_explanation *explained(struct loaded *x, struct rule_engine **e)
{
	struct rule_explanation *out = NULL;
	const struct rule *rules;
	size_t n;

	expect_ok(x);
	assert_int_equal(rule_engine_new(x->l, NULL, 0, e, NULL), 0);
	rules = rule_engine_rules(*e, &n);
	assert_int_equal(n, 1);
	assert_int_equal(rule_explanation_new(x->l, rules, &out, NULL), 0);
	return out;
}

static void expect_place(struct rule_place at, const char *file, uint32_t line)
{
	assert_non_null(at.file);
	assert_string_equal(at.file, file);
	assert_int_equal(at.line, line);
}

static void expect_constant(const struct rule_part *check, uint32_t i, const char *text,
			    const char *list, const char *file, uint32_t line)
{
	assert_true(i < check->constant_count);
	assert_true(sv_is(check->constants[i].text, text));
	assert_true(sv_is(check->constants[i].list, list));
	expect_place(check->constants[i].at, file, line);
}

static void parts_know_where_they_were_written(void **state)
{
	struct loaded x = loaded_new(NULL);
	const struct rule_part *p, *check;
	struct rule_explanation *ex;
	struct rule_engine *e;

	(void)state;
	loaded_add(&x, "lists.yaml", lists);
	loaded_add(&x, "rule.yaml", rule);
	loaded_add(&x, "more.yaml", more);
	ex = explained(&x, &e);
	/* The condition, then two exceptions. */
	assert_int_equal(ex->root->kind, RULE_PART_AND);
	assert_int_equal(ex->root->count, 3);
	p = ex->root->kids[0];
	assert_int_equal(p->kind, RULE_PART_AND);
	assert_int_equal(p->count, 3);
	expect_place(p->kids[0]->at, "rule.yaml", 6);
	expect_place(p->kids[1]->at, "rule.yaml", 8);
	expect_place(p->kids[1]->kids[1]->at, "rule.yaml", 9);
	expect_place(p->kids[2]->at, "more.yaml", 5);
	/* The macro. */
	assert_int_equal(p->kids[0]->kind, RULE_PART_MACRO);
	expect_place(p->kids[0]->defined, "lists.yaml", 8);
	check = p->kids[0]->kids[0]->kids[1];
	expect_place(check->at, "lists.yaml", 11);
	assert_true(sv_is(check->text, "proc.name in (shells)"));
	assert_int_equal(check->constant_count, 4);
	expect_constant(check, 0, "bash", "shells", "lists.yaml", 5);
	expect_constant(check, 1, "c", "inner", "lists.yaml", 2);
	expect_constant(check, 2, "two words", "shells", "lists.yaml", 7);
	expect_constant(check, 3, "zsh", "shells", "more.yaml", 2);
	check = p->kids[1]->kids[1]->kids[0];
	expect_constant(check, 0, "sh", "", "rule.yaml", 9);
	expect_constant(check, 4, "zsh", "shells", "more.yaml", 2);
	/* Exceptions. */
	p = ex->root->kids[1];
	assert_int_equal(p->kind, RULE_PART_EXCEPTION);
	assert_true(sv_is(p->text, "pairs"));
	expect_place(p->at, "rule.yaml", 11);
	assert_int_equal(p->count, 3);
	assert_int_equal(p->kids[0]->kind, RULE_PART_TUPLE);
	expect_place(p->kids[1]->at, "rule.yaml", 16);
	expect_place(p->kids[1]->kids[1]->at, "rule.yaml", 16);
	expect_place(p->kids[2]->at, "more.yaml", 9);
	p = ex->root->kids[2];
	assert_int_equal(p->count, 1);
	expect_constant(p->kids[0]->kids[0], 0, "cron", "", "rule.yaml", 19);
	expect_constant(p->kids[0]->kids[0], 1, "c", "inner", "rule.yaml", 20);
	/* What must hold together: below macros and ANDs, too. */
	assert_int_equal(ex->conjunct_count, 6);
	rule_explanation_free(ex);
	rule_engine_free(e);
	unload(&x);
}

/* What names itself is replaced once. */
static void lists_in_circles_end(void **state)
{
	struct loaded x = loaded_new(NULL);
	struct rule_explanation *ex;
	const struct rule_part *check;
	struct rule_engine *e;

	(void)state;
	loaded_add(&x, "t.yaml",
		   "- list: a\n"
		   "  items: [x]\n"
		   "- list: b\n"
		   "  items: [a]\n"
		   "- list: a\n"
		   "  items: [b]\n"
		   "  override: {items: append}\n"
		   "- rule: r\n"
		   "  desc: d\n"
		   "  output: o\n"
		   "  priority: INFO\n"
		   "  condition: evt.type = open and proc.name in (a)\n");
	ex = explained(&x, &e);
	check = ex->root->kids[1];
	assert_int_equal(check->constant_count, 2);
	expect_constant(check, 0, "x", "a", "t.yaml", 2);
	expect_constant(check, 1, "a", "b", "t.yaml", 4);
	rule_explanation_free(ex);
	rule_engine_free(e);
	unload(&x);
}

/* However long they are; what comes out of them is then not known to be from a list. */
static void chains_of_lists_do_not_fill_the_stack(void **state)
{
	struct loaded x = loaded_new(NULL);
	struct rule_explanation *ex;
	struct rule_engine *e;
	struct buf text = {0};

	(void)state;
	for (unsigned i = 0; i < CHAIN; i++)
		buf_addf(&text, "- list: l%u\n  items: [l%u]\n", i, i + 1);
	buf_addf(&text,
		 "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n"
		 "  condition: evt.type = open and proc.name in (l0) and proc.pname in (l%u, x)\n",
		 CHAIN - 20);
	loaded_add(&x, "t.yaml", buf_cstr(&text));
	ex = explained(&x, &e);
	assert_null(ex->root->kids[1]->constants);
	assert_int_equal(ex->root->kids[2]->constant_count, 2);
	assert_true(sv_is(ex->root->kids[2]->constants[0].list, CHAIN_END));
	rule_explanation_free(ex);
	rule_engine_free(e);
	buf_done(&text);
	unload(&x);
}

/* A condition whose text, with its exceptions, means something else than it seems. */
static void conditions_that_break_out_of_their_parentheses_are_explained_as_parsed(void **state)
{
	struct loaded x = load("- rule: r\n"
			       "  desc: d\n"
			       "  output: o\n"
			       "  priority: INFO\n"
			       "  condition: evt.type = open) or (evt.num = 1\n"
			       "  exceptions:\n"
			       "    - name: n\n"
			       "      fields: [proc.name]\n"
			       "      values: [[a]]\n");
	struct rule_explanation *ex;
	struct rule_engine *e;

	(void)state;
	ex = explained(&x, &e);
	assert_int_equal(ex->root->kind, RULE_PART_OR);
	assert_int_equal(ex->checks, 3);
	rule_explanation_free(ex);
	rule_engine_free(e);
	unload(&x);
}

static void places_survive_quotes_and_folding(void **state)
{
	struct loaded x = load("- rule: r\n"
			       "  desc: d\n"
			       "  output: o\n"
			       "  priority: INFO\n"
			       "  condition: \"evt.type = open and\n"
			       "    evt.num = 1 and\n"
			       "    proc.name = \\\"a\\\" and\n"
			       "    evt.num = 2\"\n");
	struct rule_explanation *ex;
	struct rule_engine *e;

	(void)state;
	ex = explained(&x, &e);
	expect_place(ex->root->kids[0]->at, "t.yaml", 5);
	expect_place(ex->root->kids[1]->at, "t.yaml", 6);
	expect_place(ex->root->kids[2]->at, "t.yaml", 7);
	expect_place(ex->root->kids[3]->at, "t.yaml", 7); /* behind an escape: the last sure line */
	rule_explanation_free(ex);
	rule_engine_free(e);
	unload(&x);
}

static void the_selection_that_decided_is_named(void **state)
{
	static const struct rule_select select[] = {
	    {RULE_DISABLE_NAME, "*"}, {RULE_ENABLE_TAG, "t"}, {RULE_DISABLE_SUBSTRING, "zzz"}};
	struct sv tag = SV_LIT("t"), name = SV_LIT("some rule");
	struct rule tagged = {.name = name, .tags = &tag, .tag_count = 1}, bare = {.name = name};

	(void)state;
	assert_ptr_equal(rule_decided_by(&tagged, select, 3), &select[1]);
	assert_ptr_equal(rule_decided_by(&bare, select, 3), &select[0]);
	assert_null(rule_decided_by(&bare, select + 1, 2));
}

/* --- both evaluators --- */

struct pairs { /* rules and a capture */
	struct loaded x;
	struct rule_engine *e;
	const struct rule *rules;
	size_t count;
	struct rule_explanation **explanations;
	struct flt_explainer **explainers;
	uint64_t compared, matching, shown;
};

static void compare(struct pairs *p, struct flt_ctx *cx, size_t i, enum flt_detail detail)
{
	const struct rule_explanation *ex = p->explanations[i];
	bool fast = flt_match(cx, p->rules[i].condition_id), slow;
	const struct flt_finding *f;

	slow = flt_explain(p->explainers[i], detail, &f);
	if (fast != slow || fast != (rule_part_truth(ex->root, f) == FLT_YES) ||
	    fast != (rule_failing(ex, f) == 0))
		fail_msg("event %u: '%.*s': fast %d, explained %d", flt_ctx_type(cx),
			 (int)p->rules[i].name.n, p->rules[i].name.p, fast, slow);
	p->compared++;
	p->matching += fast;
	p->shown += detail == FLT_VALUES;
}

static void look(struct pairs *p, struct flt_ctx *cx, const struct state_binding *b)
{
	uint64_t num = b->ev->num;

	flt_ctx_event(cx, b);
	for (size_t i = 0; i < p->count; i++) {
		bool near = p->explanations[i] && flt_types_has(p->rules[i].types, b->ev->type);

		if (!p->explanations[i] || (!near && (num + i) % FAR_STRIDE))
			continue;
		if (near && !full && (num + i) % STRIDE)
			continue;
		compare(p, cx, i, (num + i) % (16 * STRIDE) == 0 ? FLT_VALUES : FLT_TRUTHS);
	}
}

static void replay(struct pairs *p, const char *path)
{
	struct sf_reader *r;
	struct flt_ctx *cx;
	struct ev_item item;
	struct state *st;

	assert_int_equal(sf_reader_open(path, NULL, &r, NULL), 0);
	assert_int_equal(state_new(NULL, &st, NULL), 0);
	assert_int_equal(flt_ctx_new(rule_engine_program(p->e), st, &cx, NULL), 0);
	for (size_t i = 0; i < p->count; i++)
		if (p->explanations[i])
			assert_int_equal(flt_explainer_new(cx, p->rules[i].condition_id,
							   &p->explainers[i], NULL),
					 0);
	while (ev_source_next(sf_reader_source(r), &item, NULL) > 0) {
		struct state_binding b;

		if (state_feed(st, &item, &b, NULL) > 0 && b.visible)
			look(p, cx, &b);
	}
	for (size_t i = 0; i < p->count; i++)
		flt_explainer_free(p->explainers[i]);
	flt_ctx_free(cx);
	state_free(st);
	sf_reader_close(r);
}

static struct pairs open_rules(const char *const *files)
{
	struct pairs p = {.x = loaded_new(NULL)};
	struct error err;

	for (; *files; files++)
		assert_int_equal(rule_loader_file(p.x.l, *files, &err), 0);
	assert_int_equal(rule_engine_new(p.x.l, NULL, 0, &p.e, &err), 0);
	assert_int_equal(rule_engine_seal(p.e, &err), 0);
	p.rules = rule_engine_rules(p.e, &p.count);
	p.explanations = calloc(p.count, sizeof(*p.explanations));
	p.explainers = calloc(p.count, sizeof(*p.explainers));
	assert_non_null(p.explanations);
	assert_non_null(p.explainers);
	for (size_t i = 0; i < p.count; i++)
		if (p.rules[i].types)
			assert_int_equal(
			    rule_explanation_new(p.x.l, &p.rules[i], &p.explanations[i], &err), 0);
	return p;
}

static void close_rules(struct pairs *p)
{
	for (size_t i = 0; i < p->count; i++)
		rule_explanation_free(p->explanations[i]);
	free(p->explanations);
	free(p->explainers);
	rule_engine_free(p->e);
	unload(&p->x);
}

static void replay_all(const char *const *rules, const char *const *captures)
{
	struct pairs p = open_rules(rules);

	for (; *captures; captures++)
		if (access(*captures, R_OK) == 0)
			replay(&p, *captures);
	print_message("%llu pairs of rule and event, %llu of them match, %llu with values shown\n",
		      (unsigned long long)p.compared, (unsigned long long)p.matching,
		      (unsigned long long)p.shown);
	assert_true(p.compared > 0);
	close_rules(&p);
}

static void both_evaluators_agree_on_our_captures(void **state)
{
	static const char *const rules[] = {SOURCE_DIR "/rules/starter.yaml", NULL};
	static const char *const captures[] = {SOURCE_DIR "/tests/captures/intrusion.scap",
					       SOURCE_DIR "/tests/captures/network.scap",
					       SOURCE_DIR "/tests/captures/sessions.scap",
					       SOURCE_DIR "/tests/captures/uring.scap", NULL};

	(void)state;
	replay_all(rules, captures);
}

static void both_evaluators_agree_on_the_corpus(void **state)
{
	static const char *const rules[] = {SHARED "peer-rules/falco_rules.yaml",
					    SHARED "peer-rules/falco-incubating_rules.yaml",
					    SHARED "peer-rules/falco-sandbox_rules.yaml", NULL};
	static const char *captures[] = {SHARED "corpus/public/cat_write.scap",
					 SHARED "corpus/public/connect_localhost.scap",
					 SHARED "corpus/public/curl_google.scap",
					 SHARED "corpus/public/curl_google_comments.scap",
					 SHARED "corpus/public/ping_sendto.scap",
					 SHARED "corpus/public/psp_run_as_user_0_container.scap",
					 SHARED "corpus/public/sample.scap",
					 SHARED "corpus/public/single_ipv6_conn.scap",
					 SHARED "corpus/recorded/build.scap",
					 SHARED "corpus/recorded/container.scap",
					 SHARED "corpus/recorded/intrusion.scap",
					 SHARED "corpus/recorded/network.scap",
					 SHARED "corpus/recorded/persist.scap",
					 SHARED "corpus/recorded/busy.scap.zst",
					 NULL};

	(void)state;
	if (access(rules[0], R_OK) != 0)
		skip();
	if (!full)
		captures[COUNT_OF(captures) - 2] = NULL;
	replay_all(rules, captures);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parts_know_where_they_were_written),
	    cmocka_unit_test(lists_in_circles_end),
	    cmocka_unit_test(chains_of_lists_do_not_fill_the_stack),
	    cmocka_unit_test(
		conditions_that_break_out_of_their_parentheses_are_explained_as_parsed),
	    cmocka_unit_test(places_survive_quotes_and_folding),
	    cmocka_unit_test(the_selection_that_decided_is_named),
	    cmocka_unit_test(both_evaluators_agree_on_our_captures),
	    cmocka_unit_test(both_evaluators_agree_on_the_corpus),
	};

	full = argc > 1 && strcmp(argv[1], "--full") == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
