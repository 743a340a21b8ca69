/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SARIF 2.1.0: what became of each alert of the baseline, and each check that does not hold.
 * Source: sections 3.27.24 (baselineState), 3.27.17 (partialFingerprints), 3.29 (locations).
 */
#include "regress/sarif.h"

#include "regress/json.h"
#include "regress/output.h"

void reg_sarif_begin(struct rep_js *j, struct buf *b, const char *version)
{
	rep_js_begin(j, b);
	rep_js_object(j, NULL);
	rep_js_str(j, "$schema", REP_SARIF_SCHEMA);
	rep_js_str(j, "version", "2.1.0");
	rep_js_array(j, "runs");
	rep_js_object(j, NULL);
	rep_js_object(j, "tool");
	rep_js_object(j, "driver");
	rep_js_str(j, "name", "Scapula");
	rep_js_str(j, "version", version);
	rep_js_end(j);
	rep_js_end(j);
	rep_js_array(j, "results");
}

void reg_sarif_end(struct rep_js *j)
{
	rep_js_end(j); /* results */
	rep_js_end(j); /* run */
	rep_js_end(j); /* runs */
	rep_js_end(j);
	buf_char(j->b, '\n');
}

static void put_place(struct rep_js *j, struct buf *scratch, const char *file, const char *member,
		      int64_t value)
{
	rep_js_array(j, "locations");
	rep_js_object(j, NULL);
	rep_js_object(j, "physicalLocation");
	rep_js_object(j, "artifactLocation");
	rep_sarif_uri(j, scratch, "uri", sv_of(file));
	rep_js_end(j);
	if (value) {
		rep_js_object(j, "region");
		rep_js_int(j, member, value);
		rep_js_end(j);
	}
	rep_js_end(j);
	rep_js_end(j);
	rep_js_end(j);
}

static const char *const states[REG_TIER_COUNT] = {
    [REG_UNCHANGED] = "unchanged", [REG_CHANGED] = "updated", [REG_MOVED] = "updated",
    [REG_MISSING] = "absent",	   [REG_NEW] = "new",
};

static void pair_message(struct rep_js *j, struct buf *scratch, const struct reg_pair *p,
			 struct sv cause)
{
	const struct reg_alert *a = p->b ? p->b : p->a;
	struct buf text = {0};

	buf_addf(&text, "%s: ", reg_tier_names[p->tier]);
	buf_sv(&text, a->rule);
	if (a->evt)
		buf_addf(&text, ", event %llu", (unsigned long long)a->evt);
	if (cause.n) {
		buf_lit(&text, ": ");
		buf_sv(&text, cause);
	}
	rep_sarif_message(j, scratch, "message", buf_view(&text));
	j->b->failed |= text.failed;
	buf_done(&text);
}

void reg_sarif_pair(struct rep_js *j, struct buf *scratch, const struct reg_pair *p,
		    const struct reg_ignore *ignore, const char *trace, bool failure,
		    struct sv cause)
{
	const struct reg_alert *a = p->b ? p->b : p->a;
	bool same = p->tier == REG_UNCHANGED || p->tier == REG_MOVED;

	rep_js_object(j, NULL);
	rep_js_text(j, "ruleId", a->rule);
	rep_js_str(j, "kind", same ? "informational" : "fail");
	rep_js_str(j, "level", same ? "none" : failure ? "error" : "warning");
	pair_message(j, scratch, p, cause);
	if (trace)
		put_place(j, scratch, trace, "byteOffset", (int64_t)a->offset);
	buf_reset(scratch);
	reg_alert_fields(scratch, a, ignore, false);
	rep_js_object(j, "partialFingerprints");
	rep_js_text(j, "outputFields/v1", buf_view(scratch));
	rep_js_end(j);
	rep_js_str(j, "baselineState", states[p->tier]);
	rep_js_object(j, "properties");
	reg_js_pair_members(j, p, ignore);
	rep_js_text(j, "cause", cause);
	rep_js_end(j);
	rep_js_end(j);
}

void reg_sarif_finding(struct rep_js *j, struct buf *scratch, const char *rule, const char *level,
		       struct sv text, const char *file, uint32_t line)
{
	rep_js_object(j, NULL);
	rep_js_str(j, "ruleId", rule);
	rep_js_str(j, "level", level);
	rep_sarif_message(j, scratch, "message", text);
	put_place(j, scratch, file, "startLine", line);
	rep_js_end(j);
}

/* --- of a suite --- */

static void put_check(struct rep_js *j, struct buf *scratch, const struct reg_test *t,
		      const struct reg_check *c)
{
	struct buf text = {0};

	if (c->outcome != REG_FAILED && c->outcome != REG_WARNED)
		return;
	if (c->kind == REG_CHECK_BASELINE || c->kind == REG_CHECK_UNEXPECTED)
		return; /* its alerts are results themselves */
	buf_sv(&text, c->name);
	buf_lit(&text, ": ");
	buf_sv(&text, reg_first_line(c->text));
	reg_sarif_finding(j, scratch, reg_check_kinds[c->kind],
			  c->outcome == REG_FAILED ? "error" : "warning", buf_view(&text),
			  c->file ? c->file : t->path, c->line);
	j->b->failed |= text.failed;
	buf_done(&text);
}

static void put_result(struct rep_js *j, struct buf *scratch, const struct reg_result *r)
{
	const struct reg_ignore ignore = {r->test.ignore, r->test.ignore_count};
	const struct reg_verdict *v = &r->verdict;
	const struct reg_pair *pairs = r->has_baseline ? v->diff.pairs : v->surprises;
	size_t n = r->has_baseline ? v->diff.count : v->surprise_count;

	if (v->outcome == REG_BROKEN) {
		reg_sarif_finding(j, scratch, "broken", "error", sv_of(r->err.msg), r->test.path,
				  0);
		return;
	}
	for (size_t i = 0; i < v->count; i++)
		put_check(j, scratch, &r->test, &v->checks[i]);
	for (size_t i = 0; i < n; i++)
		reg_sarif_pair(j, scratch, &pairs[i], &ignore, r->trace,
			       pairs[i].tier != REG_NEW || r->test.unexpected == REG_FAIL, SV_NONE);
}

void reg_sarif(struct buf *b, struct reg_suite *s, const struct reg_output_options *opt)
{
	struct reg_result *all;
	struct buf scratch = {0};
	struct rep_js j;
	size_t n;

	all = reg_suite_results(s, &n);
	reg_sarif_begin(&j, b, opt->version);
	for (size_t i = 0; i < n; i++)
		put_result(&j, &scratch, &all[i]);
	reg_sarif_end(&j);
	b->failed |= scratch.failed;
	buf_done(&scratch);
}
