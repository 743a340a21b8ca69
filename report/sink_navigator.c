/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer for the ATT&CK Navigator: techniques that the tags of rules name, scored by how many
 * alerts these rules gave. A technique is told once however many rules name it; what is remembered
 * grows with their number, not with that of alerts. Source: "ATT&CK Navigator Layer File Format
 * Definition", version 4.5.
 */
#include <stdlib.h>
#include <string.h>

#include "report/subject.h"

#define LAYER_VERSION	  "4.5"
#define NAVIGATOR_VERSION "4.9.0" /* the first that reads this version of layers */
#define COMMENT_MAX	  2000	  /* bytes of names of rules that are listed for a technique */

struct technique {
	char id[12];
	int64_t alerts, rules;
	int64_t first_ts, last_ts;
	int severity; /* the gravest */
	const struct rep_tactic *tactic[REP_TECHNIQUES_MAX];
	size_t tactics;
	struct buf comment;
	int64_t unlisted; /* rules that have no room in it */
};

struct layer {
	struct technique **items; /* in the order of their ids */
	size_t count, room;
	int64_t most;
	int64_t rules, alerts, untagged; /* @untagged: alerts of rules that name no technique */
};

/* --- what is counted */

/* Where @id is or belongs. */
static size_t search(const struct layer *l, const char *id)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(l->items[mid]->id, id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int make_room(struct layer *l, struct error *err)
{
	size_t room = l->room ? 2 * l->room : 64;
	struct technique **more;

	if (l->count < l->room)
		return 0;
	more = realloc(l->items, room * sizeof(*more));
	if (!more)
		return error_nomem(err);
	l->items = more;
	l->room = room;
	return 0;
}

static int find(struct layer *l, const char *id, struct technique **out, struct error *err)
{
	size_t at = search(l, id);
	struct technique *t;

	if (at < l->count && strcmp(l->items[at]->id, id) == 0) {
		*out = l->items[at];
		return 0;
	}
	t = calloc(1, sizeof(*t));
	if (!t || make_room(l, err) < 0) {
		free(t);
		return error_nomem(err);
	}
	memcpy(t->id, id, strlen(id) + 1);
	t->severity = REP_SEVERITIES - 1;
	memmove(&l->items[at + 1], &l->items[at], (l->count - at) * sizeof(*l->items));
	l->items[at] = t;
	l->count++;
	*out = t;
	return 0;
}

static int64_t sum(int64_t a, int64_t b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* "Rule (12), another (3)". */
static void comment(struct technique *t, const struct rep_rule *r)
{
	if (t->comment.len + r->name.n > COMMENT_MAX) {
		t->unlisted++;
		return;
	}
	if (t->comment.len)
		buf_lit(&t->comment, ", ");
	buf_sv(&t->comment, r->name);
	buf_addf(&t->comment, " (%lld)", (long long)r->alerts);
}

static void add_tactics(struct technique *t, const struct rep_attack *a)
{
	for (size_t i = 0; i < a->tactics; i++) {
		bool told = false;

		for (size_t k = 0; k < t->tactics && !told; k++)
			told = t->tactic[k] == a->tactic[i];
		if (!told && t->tactics < REP_TECHNIQUES_MAX)
			t->tactic[t->tactics++] = a->tactic[i];
	}
}

static void count(struct layer *l, struct technique *t, const struct rep_rule *r,
		  const struct rep_attack *a)
{
	t->alerts = sum(t->alerts, r->alerts);
	t->rules++;
	if (r->severity < t->severity)
		t->severity = r->severity;
	if (r->first_ts && (!t->first_ts || r->first_ts < t->first_ts))
		t->first_ts = r->first_ts;
	if (r->last_ts > t->last_ts)
		t->last_ts = r->last_ts;
	if (t->alerts > l->most)
		l->most = t->alerts;
	add_tactics(t, a);
	comment(t, r);
}

static int add_rule(struct layer *l, const struct rep_rule *r, struct error *err)
{
	struct rep_attack a;
	int rc = 0;

	rep_attack_of(r->tags, &a);
	l->rules++;
	l->alerts = sum(l->alerts, r->alerts);
	if (!a.techniques)
		l->untagged = sum(l->untagged, r->alerts);
	for (size_t i = 0; rc == 0 && i < a.techniques; i++) {
		struct technique *t;

		rc = find(l, a.technique[i], &t, err);
		if (rc == 0)
			count(l, t, r, &a);
	}
	return rc;
}

static int add_rules(struct layer *l, struct rep_case *c, struct error *err)
{
	struct rep_rows *rows = NULL;
	struct rep_rule r;
	int rc = rep_rules_open(c, false, &rows, err);

	while (rc >= 0 && (rc = rep_rule_next(rows, &r, err)) == 1)
		rc = add_rule(l, &r, err);
	rep_rows_close(rows);
	return rc;
}

static void layer_done(struct layer *l)
{
	for (size_t i = 0; i < l->count; i++) {
		buf_done(&l->items[i]->comment);
		free(l->items[i]);
	}
	free(l->items);
}

/* --- what is written */

static void put_metadata(struct rep_js *j, const char *name, struct sv value)
{
	if (!value.n)
		return;
	rep_js_object(j, NULL);
	rep_js_str(j, "name", name);
	rep_js_text(j, "value", value);
	rep_js_end(j);
}

static void put_number(struct rep_js *j, const char *name, int64_t v)
{
	rep_js_object(j, NULL);
	rep_js_str(j, "name", name);
	rep_js_id(j, "value", v);
	rep_js_end(j);
}

static void put_moment(struct rep_js *j, const char *name, int64_t ts)
{
	if (!ts)
		return;
	rep_js_object(j, NULL);
	rep_js_str(j, "name", name);
	rep_js_time(j, "value", ts);
	rep_js_end(j);
}

static void put_technique(struct rep_js *j, const struct technique *t)
{
	static const char *const priorities[REP_SEVERITIES] = {
	    "Emergency", "Alert",  "Critical",	    "Error",
	    "Warning",	 "Notice", "Informational", "Debug"};
	struct buf text = {0};

	buf_sv(&text, buf_view(&t->comment));
	if (t->unlisted)
		buf_addf(&text, "%s and %lld more", t->comment.len ? "" : "rules",
			 (long long)t->unlisted);
	rep_js_object(j, NULL);
	rep_js_str(j, "techniqueID", t->id);
	rep_js_int(j, "score", t->alerts);
	rep_js_text(j, "comment", buf_view(&text));
	rep_js_bool(j, "enabled", true);
	rep_js_bool(j, "showSubtechniques", !strchr(t->id, '.'));
	rep_js_array(j, "metadata");
	put_number(j, "rules", t->rules);
	put_metadata(j, "highest priority", sv_of(priorities[t->severity]));
	for (size_t i = 0; i < t->tactics; i++)
		put_metadata(j, "tactic", sv_of(t->tactic[i]->name));
	put_moment(j, "first alert", t->first_ts);
	put_moment(j, "last alert", t->last_ts);
	rep_js_end(j);
	rep_js_end(j);
	if (text.failed || t->comment.failed)
		j->b->failed = true;
	buf_done(&text);
}

static void put_head(struct rep_js *j, const struct rep_options *opt)
{
	rep_js_str(j, "name", opt->title ? opt->title : "Alerts of a case");
	rep_js_object(j, "versions");
	rep_js_str(j, "navigator", NAVIGATOR_VERSION);
	rep_js_str(j, "layer", LAYER_VERSION);
	rep_js_end(j);
	rep_js_str(j, "domain", "enterprise-attack");
	rep_js_str(j, "description",
		   opt->question ? opt->question
				 : "Techniques that the rules' tags name, scored by alerts.");
	rep_js_int(j, "sorting", 3); /* by score, from the highest on */
	rep_js_object(j, "layout");
	rep_js_str(j, "layout", "side");
	rep_js_bool(j, "showID", true);
	rep_js_bool(j, "showName", true);
	rep_js_bool(j, "showAggregateScores", true);
	rep_js_bool(j, "countUnscored", false);
	rep_js_str(j, "aggregateFunction", "sum");
	rep_js_str(j, "expandedSubtechniques", "annotated");
	rep_js_end(j);
	rep_js_bool(j, "hideDisabled", false);
}

static void put_gradient(struct rep_js *j, const struct layer *l)
{
	rep_js_object(j, "gradient");
	rep_js_array(j, "colors");
	rep_js_str(j, NULL, "#ffe766");
	rep_js_str(j, NULL, "#ff6666");
	rep_js_end(j);
	rep_js_int(j, "minValue", 0);
	rep_js_int(j, "maxValue", l->most > 0 ? l->most : 1);
	rep_js_end(j);
}

/* What the layer says as a whole; captures are those of the selection. */
static int put_case(struct rep_js *j, const struct layer *l, const struct rep_options *opt,
		    struct rep_case *c, struct rep_out *out, struct error *err)
{
	struct rep_rows *rows = NULL;
	struct rep_capture capture;
	int rc = rep_captures_open(c, &rows, err);

	rep_js_array(j, "metadata");
	put_metadata(j, "made by", sv_of("Scapula"));
	put_metadata(j, "version", sv_of(opt->version));
	put_metadata(j, "author", sv_of(opt->author));
	put_number(j, "alerts", l->alerts);
	put_number(j, "rules that gave alerts", l->rules);
	put_number(j, "alerts of rules that name no technique", l->untagged);
	while (rc >= 0 && (rc = rep_capture_next(rows, &capture, err)) == 1) {
		put_metadata(j, "capture", capture.path);
		put_metadata(j, "capture sha256", capture.sha256);
		rc = rep_out_row(out, err);
	}
	rep_js_end(j);
	rep_rows_close(rows);
	return rc;
}

static int put_layer(const struct layer *l, struct rep_case *c, const struct rep_options *opt,
		     struct rep_out *out, struct error *err)
{
	struct rep_js j;
	int rc = 0;

	rep_js_begin(&j, &out->b);
	rep_js_object(&j, NULL);
	put_head(&j, opt);
	rep_js_array(&j, "techniques");
	for (size_t i = 0; rc >= 0 && i < l->count; i++) {
		put_technique(&j, l->items[i]);
		rc = rep_out_row(out, err);
	}
	rep_js_end(&j);
	put_gradient(&j, l);
	rep_js_bool(&j, "selectTechniquesAcrossTactics", true);
	rep_js_bool(&j, "selectSubtechniquesWithParent", false);
	if (rc >= 0)
		rc = put_case(&j, l, opt, c, out, err);
	rep_js_end(&j);
	buf_char(&out->b, '\n');
	return rc;
}

int rep_write_navigator(struct rep_case *c, const struct rep_options *opt, struct rep_out *out,
			struct error *err)
{
	struct layer l = {0};
	int rc = add_rules(&l, c, err);

	if (rc >= 0)
		rc = put_layer(&l, c, opt, out, err);
	if (l.alerts > 0)
		out->told = (uint64_t)l.alerts;
	layer_done(&l);
	return rc < 0 ? rc : rep_out_end(out, err);
}
