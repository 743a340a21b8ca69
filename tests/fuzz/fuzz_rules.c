/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a rule file: it loads, or there is exactly one error with a place; the verdict can be
 * written down; twice the same text gives twice the same verdict; what loads makes an engine, whose
 * index finds what looking at every rule finds, and can be explained.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/rules/explain.h"

#define HITS_MAX 64

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_messages(const struct rule_message *list, size_t count, bool errors)
{
	for (size_t i = 0; i < count; i++) {
		CHECK((list[i].code <= LOAD_ERR_EXTENSION) == errors);
		CHECK(list[i].text && list[i].snippet && list[i].where_count > 0);
		CHECK(!strcmp(list[i].where[0].item_type, "rules content"));
	}
}

/* Load @text and write the verdict to @out. */
static struct rule_loader *load(struct sv text, struct buf *out, int *rc)
{
	const struct rule_options opt = {.min_priority = RULE_DEBUG};
	const struct rule_result *r;
	struct rule_loader *l;
	struct error err = {0};
	size_t count;

	CHECK(rule_loader_new(&opt, &l, NULL) == 0);
	*rc = rule_loader_text(l, "fuzz.yaml", text, &err);
	CHECK(*rc == 0 || (*rc == ERR_RULES && err.msg[0]));
	r = rule_loader_results(l, &count);
	CHECK(count == 1 && r->ok == (*rc == 0) && r->error_count == (*rc != 0));
	check_messages(r->errors, r->error_count, true);
	check_messages(r->warnings, r->warning_count, false);
	rule_result_json(out, r);
	rule_result_text(out, r, true);
	CHECK(!out->failed);
	return l;
}

/* An event without parameters meets the rules of its type, in order, and no others. */
static void check_matching(struct rule_engine *e, struct flt_ctx *cx, unsigned type)
{
	struct ev ev = {.type = (uint16_t)type, .num = 1, .tid = -1};
	struct state_binding bind = {.ev = &ev};
	const struct rule *hits[HITS_MAX], *rules;
	size_t count, n, found = 0;

	flt_ctx_event(cx, &bind);
	n = rule_engine_match(e, cx, true, hits, HITS_MAX);
	rules = rule_engine_rules(e, &count);
	for (size_t i = 0; i < count; i++) {
		if (!rules[i].enabled || !rules[i].types || !flt_types_has(rules[i].types, type))
			continue;
		if (!flt_match(cx, rules[i].condition_id))
			continue;
		CHECK(found >= HITS_MAX || hits[found] == &rules[i]);
		found++;
	}
	CHECK(found == n && (n == 0 || rule_engine_wants(e, type)));
}

static void check_part(const struct rule_part *p, uint32_t *checks, uint32_t lines)
{
	CHECK(p->at.file && p->at.line > 0 && p->at.line <= lines);
	if (p->kind == RULE_PART_CHECK)
		CHECK(p->check == (*checks)++ && p->count == 0 && p->text.p);
	for (uint32_t i = 0; i < p->constant_count; i++)
		CHECK(p->constants[i].text.p && p->constants[i].at.line <= lines);
	for (uint32_t i = 0; i < p->count; i++)
		check_part(p->kids[i], checks, lines);
}

/* Its checks are those of the program, and say of an event what that says. */
static void check_explanation(struct rule_loader *l, struct flt_ctx *cx, const struct rule *r,
			      uint32_t lines)
{
	struct ev ev = {.type = EV_OPENAT_2_X, .num = 1, .tid = -1};
	struct state_binding bind = {.ev = &ev};
	const struct flt_finding *findings;
	struct rule_explanation *ex;
	struct flt_explainer *x;
	uint32_t checks = 0;
	bool matches;

	CHECK(rule_explanation_new(l, r, &ex, NULL) == 0);
	check_part(ex->root, &checks, lines);
	CHECK(flt_explainer_new(cx, r->condition_id, &x, NULL) == 0);
	CHECK(checks == ex->checks && checks == flt_explainer_checks(x));
	flt_ctx_event(cx, &bind);
	if (!flt_explainer_has_memory(x)) {
		matches = flt_match(cx, r->condition_id);
		CHECK(flt_explain(x, FLT_VALUES, &findings) == matches);
		CHECK((rule_part_truth(ex->root, findings) == FLT_YES) == matches);
		CHECK((rule_failing(ex, findings) == 0) == matches);
	}
	flt_explainer_free(x);
	rule_explanation_free(ex);
}

/* Lines as YAML counts them: line ends are \n, \r, and two bytes or three that are neither. */
static uint32_t count_lines(struct sv text)
{
	uint32_t n = 2;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n' || text.p[i] == '\r' || (unsigned char)text.p[i] >= 0x80;
	return n;
}

static void check_engine(struct rule_loader *l, struct sv text)
{
	const struct rule *rules;
	size_t count;

	struct rule_engine *e = NULL;
	struct flt_ctx *cx = NULL;
	struct error err;

	if (rule_loader_check_plugins(l, &err))
		return;
	CHECK(rule_engine_new(l, NULL, 0, &e, &err) == 0);
	CHECK(rule_engine_seal(e, &err) == 0);
	CHECK(flt_ctx_new(rule_engine_program(e), NULL, &cx, &err) == 0);
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		if (rule_engine_wants(e, type))
			check_matching(e, cx, type);
	rules = rule_engine_rules(e, &count);
	for (size_t i = 0; i < count; i++)
		if (rules[i].types)
			check_explanation(l, cx, &rules[i], count_lines(text));
	flt_ctx_free(cx);
	rule_engine_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv text = sv_make(data, size);
	struct buf first = {0}, second = {0};
	struct rule_loader *l;
	int rc, again;

	l = load(text, &first, &rc);
	if (rc == 0)
		check_engine(l, text);
	rule_loader_free(l);
	rule_loader_free(load(text, &second, &again));
	CHECK(rc == again && sv_eq(buf_view(&first), buf_view(&second)));
	buf_done(&first);
	buf_done(&second);
	return 0;
}
