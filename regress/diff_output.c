/* SPDX-License-Identifier: Apache-2.0 */
/* Differences between two runs, by their causes: text, JSON, Markdown, SARIF. */
#include <string.h>

#include "base/escape.h"
#include "regress/diff.h"
#include "regress/json.h"
#include "regress/judge.h"
#include "regress/output.h"
#include "regress/sarif.h"

#define MARKDOWN_ALERTS 100u /* told one by one */

static void text(struct buf *b, const struct reg_diff *d, const char *version);
static void json(struct buf *b, const struct reg_diff *d, const char *version);
static void markdown(struct buf *b, const struct reg_diff *d, const char *version);
static void sarif(struct buf *b, const struct reg_diff *d, const char *version);

const struct reg_diff_format reg_diff_formats[] = {
    {"text", text}, {"json", json}, {"markdown", markdown}, {"sarif", sarif}, {NULL, NULL},
};

/* "3 missing, 1 new" of a cause, or of all with unchanged ones. */
static void counts(struct buf *b, const uint64_t tiers[REG_TIER_COUNT], bool all)
{
	bool any = false;

	for (int i = all ? REG_UNCHANGED : REG_CHANGED; i < REG_TIER_COUNT; i++) {
		if (!tiers[i] && !all)
			continue;
		buf_addf(b, "%s%llu %s", any ? ", " : "", (unsigned long long)tiers[i],
			 reg_tier_names[i]);
		any = true;
	}
}

static void side_name(struct buf *b, const struct reg_side *s,
		      void (*escape)(struct buf *b, struct sv s))
{
	escape(b, sv_of(s->name));
	if (s->is_case)
		buf_addf(b, ", run %lld%s", (long long)s->run_id,
			 s->finished ? "" : " (unfinished)");
}

/* --- text --- */

static void lonely(struct buf *b, const struct reg_side *s, const char *which)
{
	for (size_t i = 0; i < s->trace_count; i++) {
		const struct reg_trace *t = &s->traces[i];

		if (t->shared)
			continue;
		buf_addf(b, "only in the %s run, not compared: ", which);
		escape_text(b, t->path);
		buf_addf(b, " with %llu alerts\n", (unsigned long long)t->alerts);
	}
}

/* Without the texts of both a cause is told from what the cases hold. */
static void texts_found(struct buf *b, const struct reg_side *s)
{
	if (!s->is_case || s->files_found == s->files)
		return;
	buf_addf(b, "%zu of %zu rule files of ", s->files - s->files_found, s->files);
	escape_text(b, sv_of(s->name));
	buf_lit(b, " are not there any more as they were; --rules-from says where\n");
}

static void text(struct buf *b, const struct reg_diff *d, const char *version)
{
	(void)version;
	buf_lit(b, "first   ");
	side_name(b, d->a, escape_text);
	buf_addf(b, ": %zu alerts\nsecond  ", d->left.count);
	side_name(b, d->b, escape_text);
	buf_addf(b, ": %zu alerts\n", d->right.count);
	counts(b, d->pairs.tiers, true);
	buf_char(b, '\n');
	lonely(b, d->a, "first");
	lonely(b, d->b, "second");
	if (d->kind_count) {
		texts_found(b, d->a);
		texts_found(b, d->b);
	}
	for (size_t k = 0; k < d->kind_count; k++) {
		const struct reg_cause *c = d->kinds[k];

		buf_char(b, '\n');
		counts(b, c->tiers, false);
		buf_lit(b, ", because of\n");
		reg_lines(b, c->text, "  ", buf_sv);
		for (size_t i = 0; i < d->pairs.count; i++)
			if (d->causes[i] == c &&
			    reg_pair_text(b, &d->pairs.pairs[i], &d->ignore, "    ") < 0)
				b->failed = true;
	}
}

/* --- JSON --- */

static void put_side(struct rep_js *j, const char *key, const struct reg_side *s, size_t compared)
{
	rep_js_object(j, key);
	rep_js_str(j, "name", s->name);
	if (s->is_case) {
		rep_js_int(j, "run", s->run_id);
		rep_js_bool(j, "finished", s->finished);
		rep_js_text(j, "version", s->version);
		rep_js_text(j, "matching", s->matching);
		rep_js_text(j, "command", s->command);
	}
	rep_js_int(j, "alerts", (int64_t)compared);
	rep_js_array(j, "not_compared");
	for (size_t i = 0; i < s->trace_count; i++) {
		if (s->traces[i].shared)
			continue;
		rep_js_object(j, NULL);
		rep_js_text(j, "capture", s->traces[i].path);
		rep_js_int(j, "alerts", (int64_t)s->traces[i].alerts);
		rep_js_end(j);
	}
	rep_js_end(j);
	rep_js_end(j);
}

static void put_tiers(struct rep_js *j, const char *key, const uint64_t tiers[REG_TIER_COUNT])
{
	rep_js_object(j, key);
	for (int i = 0; i < REG_TIER_COUNT; i++)
		rep_js_int(j, reg_tier_names[i], (int64_t)tiers[i]);
	rep_js_end(j);
}

static void put_lines(struct rep_js *j, const char *key, struct sv lines)
{
	rep_js_array(j, key);
	while (lines.n) {
		struct sv line = reg_first_line(lines);

		rep_js_text(j, NULL, line);
		lines = sv_drop(lines, line.n + 1);
	}
	rep_js_end(j);
}

static void put_cause(struct rep_js *j, const struct reg_diff *d, const struct reg_cause *c)
{
	rep_js_object(j, NULL);
	put_lines(j, "because", c->text);
	put_tiers(j, "counts", c->tiers);
	rep_js_array(j, "differences");
	for (size_t i = 0; i < d->pairs.count; i++) {
		if (d->causes[i] != c)
			continue;
		rep_js_object(j, NULL);
		rep_js_str(j, "capture",
			   reg_diff_trace(d, d->pairs.pairs[i].b ? d->pairs.pairs[i].b
								 : d->pairs.pairs[i].a));
		reg_js_pair_members(j, &d->pairs.pairs[i], &d->ignore);
		rep_js_end(j);
	}
	rep_js_end(j);
	rep_js_end(j);
}

static void json(struct buf *b, const struct reg_diff *d, const char *version)
{
	struct rep_js j;

	rep_js_begin(&j, b);
	rep_js_object(&j, NULL);
	rep_js_str(&j, "scapula", version);
	put_side(&j, "first", d->a, d->left.count);
	put_side(&j, "second", d->b, d->right.count);
	put_tiers(&j, "counts", d->pairs.tiers);
	rep_js_array(&j, "causes");
	for (size_t k = 0; k < d->kind_count; k++)
		put_cause(&j, d, d->kinds[k]);
	rep_js_end(&j);
	rep_js_end(&j);
	buf_char(b, '\n');
}

/* --- Markdown --- */

static void markdown_alert(struct buf *b, const struct reg_pair *p)
{
	const struct reg_alert *a = p->b ? p->b : p->a;

	buf_addf(b, "| %s | ", reg_tier_names[p->tier]);
	if (a->evt)
		buf_addf(b, "%llu", (unsigned long long)a->evt);
	buf_lit(b, " | ");
	flt_time_iso8601(b, a->ts);
	buf_addf(b, "Z | %s | ", rule_priority_name(a->priority));
	escape_markdown(b, a->rule);
	buf_lit(b, " |\n");
}

static void markdown(struct buf *b, const struct reg_diff *d, const char *version)
{
	unsigned left = MARKDOWN_ALERTS;

	buf_lit(b, "# Alerts of two runs\n\n- first: ");
	side_name(b, d->a, escape_markdown);
	buf_addf(b, ": %zu alerts\n- second: ", d->left.count);
	side_name(b, d->b, escape_markdown);
	buf_addf(b, ": %zu alerts\n- ", d->right.count);
	counts(b, d->pairs.tiers, true);
	buf_addf(b, "\n\nScapula %s\n", version);
	for (size_t k = 0; k < d->kind_count; k++) {
		const struct reg_cause *c = d->kinds[k];

		buf_lit(b, "\n## ");
		counts(b, c->tiers, false);
		buf_lit(b, "\n\n");
		for (struct sv lines = c->text, line; lines.n; lines = sv_drop(lines, line.n + 1)) {
			line = reg_first_line(lines);
			buf_lit(b, "- ");
			escape_markdown(b, line);
			buf_char(b, '\n');
		}
		if (!left)
			continue;
		buf_lit(b, "\n| | event | time | priority | rule |\n| --- | ---: | --- | --- | "
			   "--- |\n");
		for (size_t i = 0; i < d->pairs.count && left; i++) {
			if (d->causes[i] != c)
				continue;
			markdown_alert(b, &d->pairs.pairs[i]);
			left--;
		}
	}
	if (!left)
		buf_lit(b, "\nFurther alerts are left out here.\n");
}

/* --- SARIF --- */

static void sarif(struct buf *b, const struct reg_diff *d, const char *version)
{
	struct buf scratch = {0};
	struct rep_js j;

	reg_sarif_begin(&j, b, version);
	for (size_t i = 0; i < d->pairs.count; i++) {
		const struct reg_pair *p = &d->pairs.pairs[i];

		reg_sarif_pair(&j, &scratch, p, &d->ignore, reg_diff_trace(d, p->b ? p->b : p->a),
			       p->tier == REG_MISSING,
			       d->causes[i] ? reg_first_line(d->causes[i]->text) : SV_NONE);
	}
	reg_sarif_end(&j);
	b->failed |= scratch.failed;
	buf_done(&scratch);
}
