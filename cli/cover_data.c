/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage for programs: JSON, and a layer for the ATT&CK Navigator. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/cover.h"
#include "report/json_out.h"
#include "report/report.h"

#define LAYER_VERSION	  "4.5"
#define NAVIGATOR_VERSION "4.9.0" /* the first that reads this version of layers */

static void put_u64(struct rep_js *j, const char *name, uint64_t v)
{
	rep_js_int(j, name, v < INT64_MAX ? (int64_t)v : INT64_MAX);
}

static void put_place(struct rep_js *j, struct rule_place at)
{
	if (!at.file)
		return;
	rep_js_str(j, "file", at.file);
	put_u64(j, "line", at.line);
}

static void put_part(struct rep_js *j, const char *name, struct cover_part p)
{
	rep_js_object(j, name);
	put_u64(j, "seen", p.seen);
	put_u64(j, "all", p.all);
	rep_js_end(j);
}

static void put_items(struct rep_js *j, const struct rule_part *p, const struct cover_check *k)
{
	if (!k->count)
		return;
	rep_js_array(j, "items");
	for (uint32_t i = 0; i < k->count; i++) {
		rep_js_object(j, NULL);
		rep_js_text(j, "text", p->constants[i].text);
		if (p->constants[i].list.n)
			rep_js_text(j, "list", p->constants[i].list);
		put_place(j, p->constants[i].at);
		put_u64(j, "met", k->met[i]);
		rep_js_end(j);
	}
	rep_js_end(j);
}

static void put_checks(struct rep_js *j, const struct cover_rule *r, const struct rule_part *p,
		       const struct rule_part *macro)
{
	if (p->kind == RULE_PART_CHECK) {
		const struct cover_check *k = &r->checks[p->check];

		rep_js_object(j, NULL);
		rep_js_text(j, "text", p->text);
		if (macro)
			rep_js_text(j, "macro", macro->text);
		put_place(j, p->at);
		put_u64(j, "true", k->yes);
		put_u64(j, "false", k->no);
		put_u64(j, "absent", k->absent);
		put_items(j, p, k);
		rep_js_end(j);
	}
	for (uint32_t i = 0; i < p->count; i++)
		put_checks(j, r, p->kids[i], p->kind == RULE_PART_MACRO ? p : macro);
}

static void put_tuples(struct rep_js *j, const struct cover_rule *r)
{
	rep_js_array(j, "exceptions");
	for (uint32_t i = 0; i < r->tuple_count; i++) {
		rep_js_object(j, NULL);
		put_place(j, r->tuples[i]->at);
		put_u64(j, "met", r->tuple_met[i]);
		rep_js_end(j);
	}
	rep_js_end(j);
}

static void put_rule(struct rep_js *j, const struct cover_rule *r, bool tests)
{
	struct cover_sums s = cover_sums_of(r);

	rep_js_object(j, NULL);
	rep_js_text(j, "rule", r->rule->name);
	put_place(j, (struct rule_place){r->rule->file, r->rule->line});
	rep_js_str(j, "state", cover_state_name(cover_state_of(r)));
	put_u64(j, "evaluated", r->evaluated);
	put_u64(j, "matched", r->matched);
	if (tests) {
		rep_js_object(j, "tests");
		put_u64(j, "expect_alerts", r->expect_alerts);
		put_u64(j, "expect_none", r->expect_none);
		rep_js_end(j);
	}
	if (r->x) {
		put_part(j, "sides", s.sides);
		put_part(j, "items_met", s.items);
		put_part(j, "exceptions_met", s.tuples);
		rep_js_array(j, "checks");
		put_checks(j, r, r->x->root, NULL);
		rep_js_end(j);
		put_tuples(j, r);
	}
	rep_js_end(j);
}

void cover_json(struct buf *b, const struct cover *c)
{
	struct rep_js j;

	rep_js_begin(&j, b);
	rep_js_object(&j, NULL);
	rep_js_array(&j, "captures");
	for (uint64_t i = 0; i < c->captures; i++)
		rep_js_str(&j, NULL, c->paths[i]);
	rep_js_end(&j);
	put_u64(&j, "events", c->events);
	put_u64(&j, "tests", c->tests);
	rep_js_array(&j, "rules");
	for (size_t i = 0; i < c->count; i++)
		put_rule(&j, &c->rules[i], c->tests != 0);
	rep_js_end(&j);
	rep_js_end(&j);
	buf_char(b, '\n');
}

/* --- orders --- */

static void put_order(struct rep_js *j, const struct cover_rule *r)
{
	const struct cover_suggestion s = cover_suggestion_of(r);

	rep_js_object(j, NULL);
	rep_js_text(j, "rule", r->rule->name);
	put_place(j, (struct rule_place){r->rule->file, r->rule->line});
	put_u64(j, "evaluated", r->evaluated);
	put_u64(j, "checks_written", (uint64_t)(s.written * (double)r->evaluated + 0.5));
	put_u64(j, "checks_then", (uint64_t)(s.then * (double)r->evaluated + 0.5));
	rep_js_array(j, "parts");
	for (uint32_t i = 0; i < s.count; i++) {
		const struct rule_part *p = r->x->conjuncts[s.parts[i]];

		rep_js_object(j, NULL);
		put_u64(j, "was", s.parts[i] + 1u);
		if (p->text.n)
			rep_js_text(j, "text", p->text);
		put_place(j, p->at);
		rep_js_end(j);
	}
	rep_js_end(j);
	rep_js_end(j);
}

int cover_orders_json(struct buf *b, struct cover *c, struct error *err)
{
	struct cover_rule **rules;
	struct rep_js j;
	size_t n;
	int rc = cover_orders(c, &rules, &n, err);

	if (rc < 0)
		return rc;
	rep_js_begin(&j, b);
	rep_js_object(&j, NULL);
	rep_js_array(&j, "orders");
	for (size_t i = 0; i < n; i++)
		put_order(&j, rules[i]);
	rep_js_end(&j);
	rep_js_end(&j);
	buf_char(b, '\n');
	free(rules);
	return 0;
}

/* --- ATT&CK --- */

struct technique { /* as one rule names it */
	char id[12];
	const struct cover_rule *r;
};

struct techniques {
	struct technique *p;
	size_t n, cap;
};

static int by_id(const void *a, const void *b)
{
	const struct technique *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	if (order)
		return order;
	return x->r->rule->index < y->r->rule->index ? -1 : x->r->rule->index > y->r->rule->index;
}

static int add_technique(struct techniques *t, const char *id, const struct cover_rule *r)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 64;
		struct technique *p = realloc(t->p, cap * sizeof(*p));

		if (!p)
			return ERR_NOMEM;
		t->p = p;
		t->cap = cap;
	}
	memcpy(t->p[t->n].id, id, strlen(id) + 1);
	t->p[t->n++].r = r;
	return 0;
}

/* The techniques of an enabled rule, from its tags as the case has them. */
static int add_rule(struct techniques *t, const struct cover_rule *r, struct buf *tags)
{
	struct rep_attack a;

	if (!r->x)
		return 0;
	buf_reset(tags);
	buf_char(tags, '[');
	for (size_t i = 0; i < r->rule->tag_count; i++) {
		buf_str(tags, i ? "," : "");
		json_string(tags, r->rule->tags[i]);
	}
	buf_char(tags, ']');
	if (tags->failed)
		return ERR_NOMEM;
	rep_attack_of(buf_view(tags), &a);
	for (size_t i = 0; i < a.techniques; i++)
		if (add_technique(t, a.technique[i], r) < 0)
			return ERR_NOMEM;
	return 0;
}

/* All rows of one technique, @n of them. */
static void put_technique(struct rep_js *j, const struct technique *t, size_t n, struct buf *text)
{
	size_t matched = 0;

	buf_reset(text);
	for (size_t i = 0; i < n; i++) {
		enum cover_state s = cover_state_of(t[i].r);

		matched += s == COVER_MATCHED;
		buf_str(text, i ? ", " : "");
		buf_sv(text, t[i].r->rule->name);
		buf_addf(text, " (%s)", cover_state_name(s));
	}
	rep_js_object(j, NULL);
	rep_js_str(j, "techniqueID", t->id);
	put_u64(j, "score", 100 * matched / n);
	rep_js_text(j, "comment", buf_view(text));
	rep_js_bool(j, "enabled", true);
	rep_js_bool(j, "showSubtechniques", !strchr(t->id, '.'));
	rep_js_end(j);
}

static void put_layer(struct rep_js *j, const struct techniques *t, struct buf *text)
{
	rep_js_object(j, NULL);
	rep_js_str(j, "name", "Coverage of rules");
	rep_js_object(j, "versions");
	rep_js_str(j, "navigator", NAVIGATOR_VERSION);
	rep_js_str(j, "layer", LAYER_VERSION);
	rep_js_end(j);
	rep_js_str(j, "domain", "enterprise-attack");
	rep_js_str(j, "description",
		   "Techniques that the rules' tags name, scored by how many in a hundred of these "
		   "rules matched something.");
	rep_js_array(j, "techniques");
	for (size_t i = 0, n; i < t->n; i += n) {
		for (n = 1; i + n < t->n && strcmp(t->p[i].id, t->p[i + n].id) == 0; n++)
			;
		put_technique(j, &t->p[i], n, text);
	}
	rep_js_end(j);
	rep_js_object(j, "gradient");
	rep_js_array(j, "colors");
	rep_js_str(j, NULL, "#ff6666");
	rep_js_str(j, NULL, "#ffe766");
	rep_js_str(j, NULL, "#8ec843");
	rep_js_end(j);
	rep_js_int(j, "minValue", 0);
	rep_js_int(j, "maxValue", 100);
	rep_js_end(j);
	rep_js_end(j);
}

int cover_navigator(struct buf *b, const struct cover *c, struct error *err)
{
	struct techniques t = {0};
	struct buf text = {0};
	struct rep_js j;
	int rc = 0;

	for (size_t i = 0; i < c->count && rc == 0; i++)
		rc = add_rule(&t, &c->rules[i], &text);
	if (rc == 0) {
		if (t.n)
			qsort(t.p, t.n, sizeof(*t.p), by_id);
		rep_js_begin(&j, b);
		put_layer(&j, &t, &text);
		buf_char(b, '\n');
	}
	b->failed |= text.failed;
	buf_done(&text);
	free(t.p);
	return rc < 0 ? error_nomem(err) : 0;
}
