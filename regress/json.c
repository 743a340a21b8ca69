/* SPDX-License-Identifier: Apache-2.0 */
/* Results as one JSON object (docs/regression.md, "Outputs"). */
#include "base/json.h"
#include "regress/json.h"
#include "regress/output.h"

void reg_js_alert(struct rep_js *j, const char *key, const struct reg_alert *a,
		  const struct reg_ignore *ignore)
{
	struct buf fields = {0};

	rep_js_object(j, key);
	rep_js_int(j, "evt", (int64_t)a->evt);
	rep_js_int(j, "offset", (int64_t)a->offset);
	rep_js_time(j, "time", (int64_t)a->ts);
	rep_js_text(j, "rule", a->rule);
	rep_js_str(j, "priority", rule_priority_name(a->priority));
	reg_alert_fields(&fields, a, ignore, true);
	rep_js_copy(j, "fields", buf_view(&fields), false);
	j->b->failed |= fields.failed;
	buf_done(&fields);
	rep_js_end(j);
}

/* A value of a field as a change has it: JSON, or nothing. */
static void put_value(struct rep_js *j, const char *key, struct sv json)
{
	struct rep_json text;
	struct buf array = {0};

	if (!json.p)
		return;
	buf_char(&array, '[');
	buf_sv(&array, json);
	buf_char(&array, ']');
	rep_json_open(&text, buf_view(&array));
	if (rep_json_next(&text) && text.kind == REP_JSON_STRING)
		rep_js_some(j, key, text.value);
	else
		rep_js_some(j, key, json); /* a number and the like: its text */
	rep_json_done(&text);
	j->b->failed |= array.failed;
	buf_done(&array);
}

static int put_change(void *arg, const struct reg_change *c)
{
	struct rep_js *j = arg;

	rep_js_object(j, NULL);
	rep_js_text(j, "field", c->field);
	put_value(j, "from", c->from);
	put_value(j, "to", c->to);
	rep_js_end(j);
	return 0;
}

void reg_js_pair(struct rep_js *j, const struct reg_pair *p, const struct reg_ignore *ignore)
{
	rep_js_object(j, NULL);
	reg_js_pair_members(j, p, ignore);
	rep_js_end(j);
}

void reg_js_pair_members(struct rep_js *j, const struct reg_pair *p,
			 const struct reg_ignore *ignore)
{
	rep_js_str(j, "tier", reg_tier_names[p->tier]);
	if (p->a)
		reg_js_alert(j, "was", p->a, ignore);
	if (p->b)
		reg_js_alert(j, "is", p->b, ignore);
	if (p->tier != REG_CHANGED)
		return;
	rep_js_array(j, "changes");
	if (reg_changes(p->a, p->b, ignore, put_change, j) < 0)
		j->b->failed = true;
	rep_js_end(j);
}

static void put_check(struct rep_js *j, const struct reg_check *c)
{
	rep_js_object(j, NULL);
	rep_js_str(j, "kind", reg_check_kinds[c->kind]);
	rep_js_text(j, "name", c->name);
	rep_js_str(j, "outcome", reg_outcome_names[c->outcome]);
	if (c->line)
		rep_js_int(j, "line", c->line);
	rep_js_text(j, "text", c->text);
	rep_js_end(j);
}

static void put_verdict(struct rep_js *j, const struct reg_result *r)
{
	const struct reg_ignore ignore = {r->test.ignore, r->test.ignore_count};
	const struct reg_verdict *v = &r->verdict;
	const struct reg_pair *pairs = r->has_baseline ? v->diff.pairs : v->surprises;
	size_t n = r->has_baseline ? v->diff.count : v->surprise_count;

	rep_js_array(j, "checks");
	for (size_t i = 0; i < v->count; i++)
		put_check(j, &v->checks[i]);
	rep_js_end(j);
	rep_js_array(j, "differences");
	for (size_t i = 0; i < n; i++)
		if (pairs[i].tier != REG_UNCHANGED)
			reg_js_pair(j, &pairs[i], &ignore);
	rep_js_end(j);
}

static void put_result(struct rep_js *j, const struct reg_result *r,
		       const struct reg_output_options *opt)
{
	rep_js_object(j, NULL);
	rep_js_str(j, "name", r->test.name);
	rep_js_str(j, "file", r->test.path);
	rep_js_str(j, "outcome", reg_outcome_names[r->verdict.outcome]);
	if (r->verdict.outcome == REG_BROKEN)
		rep_js_str(j, "error", r->err.msg);
	rep_js_str(j, "trace", r->trace);
	if (r->verdict.outcome != REG_SKIPPED && r->verdict.outcome != REG_BROKEN) {
		rep_js_int(j, "events", (int64_t)r->events);
		rep_js_int(j, "alerts", (int64_t)(r->got.count + r->got.dropped));
		rep_js_int(j, "gaps", (int64_t)r->gaps);
		rep_js_bool(j, "has_baseline", r->has_baseline);
		if (opt->timing)
			rep_js_int(j, "cpu_ns", (int64_t)r->cpu_ns);
	}
	if (r->verdict.outcome != REG_BROKEN)
		put_verdict(j, r);
	rep_js_end(j);
}

void reg_json(struct buf *b, struct reg_suite *s, const struct reg_output_options *opt)
{
	const struct reg_totals t = reg_suite_totals(s);
	struct reg_result *all;
	struct rep_js j;
	size_t n;

	all = reg_suite_results(s, &n);
	rep_js_begin(&j, b);
	rep_js_object(&j, NULL);
	rep_js_str(&j, "scapula", opt->version);
	rep_js_str(&j, "engine", RULE_ENGINE_VERSION);
	rep_js_object(&j, "totals");
	rep_js_int(&j, "tests", (int64_t)n);
	for (int i = 0; i < REG_OUTCOME_COUNT; i++)
		rep_js_int(&j, reg_outcome_names[i], (int64_t)t.outcomes[i]);
	rep_js_end(&j);
	rep_js_array(&j, "tests");
	for (size_t i = 0; i < n; i++)
		put_result(&j, &all[i], opt);
	rep_js_end(&j);
	rep_js_end(&j);
	buf_char(b, '\n');
}
