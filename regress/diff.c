/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/diff.h"

#include <stdlib.h>

#include "base/escape.h"
#include "scapfile/files.h"

/* --- captures that both have --- */

static bool same_capture(const struct reg_trace *x, const struct reg_trace *y)
{
	if (x->sha256.n && y->sha256.n)
		return sv_eq(x->sha256, y->sha256);
	return sv_eq(x->path, y->path); /* one was not read to its end: all there is is its name */
}

static struct sv trace_key(const struct reg_trace *t, bool by_hash)
{
	return by_hash ? t->sha256 : t->path;
}

/* Give captures of both sides equal ids, by hash first. */
static int match_by(struct reg_diff *d, bool by_hash)
{
	struct smap seen = {0};
	int rc = 0;

	for (size_t i = 0; i < d->a->trace_count && rc == 0; i++) {
		struct reg_trace *t = &d->a->traces[i];

		if (!t->shared && trace_key(t, by_hash).n &&
		    !smap_get(&seen, trace_key(t, by_hash)))
			rc = smap_put(&seen, trace_key(t, by_hash), t);
	}
	for (size_t i = 0; i < d->b->trace_count && rc == 0; i++) {
		struct reg_trace *y = &d->b->traces[i];
		struct reg_trace *x = y->shared || !trace_key(y, by_hash).n
					  ? NULL
					  : smap_get(&seen, trace_key(y, by_hash));

		if (x && !x->shared && same_capture(x, y)) {
			x->shared = y->shared = true;
			y->id = x->id;
		}
	}
	smap_done(&seen);
	return rc;
}

/* A file of alerts says nothing of captures: then all of the other side count as one. */
static int match_captures(struct reg_diff *d)
{
	bool both = d->a->is_case && d->b->is_case;
	int rc;

	for (size_t i = 0; i < d->a->trace_count; i++) {
		d->a->traces[i].shared = !both;
		d->a->traces[i].id = both ? (uint32_t)i : 0;
	}
	for (size_t i = 0; i < d->b->trace_count; i++)
		d->b->traces[i].shared = !both;
	rc = both ? match_by(d, true) : 0;
	return rc == 0 && both ? match_by(d, false) : rc;
}

static int select_alerts(const struct reg_side *s, struct reg_alerts *to)
{
	for (size_t i = 0; i < s->alerts.count; i++) {
		struct reg_alert a = s->alerts.items[i];
		const struct reg_trace *t = s->is_case ? &s->traces[a.trace] : NULL;

		if (t && !t->shared)
			continue;
		a.trace = t ? t->id : 0;
		if (reg_alerts_borrow(to, &a, NULL) < 0)
			return ERR_NOMEM;
	}
	return 0;
}

static const struct reg_trace *trace_of(const struct reg_side *s, uint32_t id)
{
	for (size_t i = 0; i < s->trace_count; i++)
		if (s->traces[i].shared && s->traces[i].id == id)
			return &s->traces[i];
	return NULL;
}

const char *reg_diff_trace(const struct reg_diff *d, const struct reg_alert *a)
{
	const struct reg_trace *t = trace_of(d->b, a->trace);

	if (!t)
		t = trace_of(d->a, a->trace);
	return t ? t->path.p : NULL;
}

/* --- what changed of a rule --- */

static void put_place(struct buf *b, const struct reg_side_rule *r)
{
	buf_lit(b, " (");
	escape_text(b, sv_of(sf_file_base(r->file.p)));
	buf_addf(b, ":%lld)", (long long)r->line);
}

static void put_rule(struct buf *b, const struct reg_side_rule *r)
{
	buf_lit(b, "rule ");
	escape_text(b, r->name);
	put_place(b, r);
}

/* Of the conditions with everything filled in, what is between the same beginning and end. */
static void put_compiled(struct buf *b, struct sv x, struct sv y)
{
	reg_changed_part(&x, &y);
	buf_lit(b, ": its condition, with macros and lists filled in: '");
	escape_text(b, x);
	buf_lit(b, "' -> '");
	escape_text(b, y);
	buf_lit(b, "'\n");
}

static void put_value(struct buf *b, const struct reg_side_rule *r, const char *what, struct sv x,
		      struct sv y)
{
	put_rule(b, r);
	buf_addf(b, ": %s: '", what);
	escape_text(b, x);
	buf_lit(b, "' -> '");
	escape_text(b, y);
	buf_lit(b, "'\n");
}

/* Only where both are known they can be compared. */
static bool know_texts(const struct reg_diff *d)
{
	return d->a->files && d->a->files_found == d->a->files && d->b->files &&
	       d->b->files_found == d->b->files;
}

/* Lines that say how @x became @y, as far as it bears on which alerts there are. */
static int tell_rule(struct reg_diff *d, const struct reg_side_rule *x,
		     const struct reg_side_rule *y, struct buf *b)
{
	int n = 0;

	if ((!x && !y) || !d->a->is_case || !d->b->is_case)
		return 0; /* a file of alerts says nothing of rules */
	if (!x || !y) {
		put_rule(b, x ? x : y);
		buf_str(b, x ? ": is gone\n" : ": is new\n");
		return 0;
	}
	if (x->enabled != y->enabled) {
		put_rule(b, y);
		buf_str(b, y->enabled ? ": was switched on\n" : ": was switched off\n");
	}
	if (know_texts(d) && (!sv_eq(x->compiled, y->compiled) || !sv_eq(x->output, y->output) ||
			      !sv_eq(x->priority, y->priority)))
		n = reg_definitions_compare(&d->a->texts, &d->b->texts, y->name, b);
	if (n != 0)
		return n < 0 ? n : 0;
	/* without the texts, what the case has of the rule says it */
	if (!sv_eq(x->compiled, y->compiled)) {
		put_rule(b, y);
		put_compiled(b, x->compiled, y->compiled);
	}
	if (!sv_eq(x->priority, y->priority))
		put_value(b, y, "priority", x->priority, y->priority);
	if (!sv_eq(x->output, y->output))
		put_value(b, y, "output", x->output, y->output);
	return 0;
}

/* The same, once per rule; SV_NONE with p set to "" if nothing changed. */
static int rule_change(struct reg_diff *d, struct sv rule, struct sv *out)
{
	struct sv *kept = smap_get(&d->by_rule, rule);
	struct buf b = {0};
	int rc;

	if (!kept) {
		rc = tell_rule(d, reg_side_rule(d->a, rule), reg_side_rule(d->b, rule), &b);
		kept = arena_zalloc(&d->arena, 1, sizeof(*kept));
		if (rc < 0 || b.failed || !kept)
			goto nomem;
		*kept = arena_sv(&d->arena, buf_view(&b));
		if (!kept->p || smap_put(&d->by_rule, rule, kept) < 0)
			goto nomem;
	}
	*out = *kept;
	buf_done(&b);
	return 0;
nomem:
	buf_done(&b);
	return ERR_NOMEM;
}

/* --- why --- */

static const struct reg_alert *alert_of(const struct reg_pair *p)
{
	return p->b ? p->b : p->a;
}

static bool same_event(const struct reg_alert *x, const struct reg_alert *y)
{
	return x->trace == y->trace && x->ts == y->ts && x->offset == y->offset;
}

/* A difference of the other kind about the same event as pair @at, which are neighbours. */
static const struct reg_alert *instead(const struct reg_diff *d, size_t at, enum reg_tier tier)
{
	const struct reg_pair *all = d->pairs.pairs;
	size_t i = at;

	while (i && same_event(alert_of(&all[i - 1]), alert_of(&all[at])))
		i--;
	for (; i < d->pairs.count && same_event(alert_of(&all[i]), alert_of(&all[at])); i++)
		if (all[i].tier == tier)
			return alert_of(&all[i]);
	return NULL;
}

/*
 * With matching "first", the first rule hides all later ones: what is missing may be hidden now,
 * and what is new may have been hidden before.
 */
static int tell_shadow(struct reg_diff *d, size_t at, struct buf *b)
{
	const struct reg_pair *p = &d->pairs.pairs[at];
	const struct reg_side *hides = p->tier == REG_MISSING ? d->b : d->a;
	const struct reg_side *shows = p->tier == REG_MISSING ? d->a : d->b;
	const struct reg_alert *own = alert_of(p);
	const struct reg_alert *other =
	    sv_is(hides->matching, "first")
		? instead(d, at, p->tier == REG_MISSING ? REG_NEW : REG_MISSING)
		: NULL;
	const struct reg_side_rule *mine, *its, *was_mine, *was_its;
	struct sv change;
	int rc;

	if (!other)
		return 0;
	mine = reg_side_rule(hides, own->rule);
	its = reg_side_rule(hides, other->rule);
	was_mine = reg_side_rule(shows, own->rule);
	was_its = reg_side_rule(shows, other->rule);
	if (!mine || !its || !mine->enabled || its->seq >= mine->seq)
		return 0;
	buf_str(b, p->tier == REG_MISSING ? "hidden by " : "no longer hidden by ");
	put_rule(b, its);
	if (was_mine && was_its && was_its->seq > was_mine->seq) {
		buf_str(b, p->tier == REG_MISSING ? ", which comes first now\n"
						  : ", which came first\n");
		return 1;
	}
	buf_char(b, '\n');
	rc = rule_change(d, other->rule, &change);
	buf_sv(b, change);
	return rc < 0 ? rc : 1;
}

static void tell_reading(const struct reg_diff *d, const struct reg_alert *a, struct buf *b)
{
	const struct reg_trace *x = trace_of(d->a, a->trace), *y = trace_of(d->b, a->trace);

	if (!x || !y)
		return;
	if (x->interrupted != y->interrupted)
		buf_addf(b, "the capture was not read to its end by the %s run\n",
			 x->interrupted ? "first" : "second");
	if (x->gaps != y->gaps)
		buf_addf(b, "gaps found in the capture: %lld -> %lld\n", (long long)x->gaps,
			 (long long)y->gaps);
}

static void tell_run(const struct reg_diff *d, struct buf *b)
{
	if (!d->a->is_case || !d->b->is_case)
		return;
	if (!sv_eq(d->a->matching, d->b->matching)) {
		buf_lit(b, "matching: ");
		escape_text(b, d->a->matching);
		buf_lit(b, " -> ");
		escape_text(b, d->b->matching);
		buf_char(b, '\n');
	}
	if (!sv_eq(d->a->version, d->b->version)) {
		buf_lit(b, "version of the program: ");
		escape_text(b, d->a->version);
		buf_lit(b, " -> ");
		escape_text(b, d->b->version);
		buf_char(b, '\n');
	}
}

static int tell_cause(struct reg_diff *d, size_t at, struct buf *b)
{
	const struct reg_pair *p = &d->pairs.pairs[at];
	const struct reg_alert *own = alert_of(p);
	struct sv change = SV_NONE;
	int rc = rule_change(d, own->rule, &change);

	if (rc < 0)
		return rc;
	buf_sv(b, change);
	if (!b->len && (p->tier == REG_MISSING || p->tier == REG_NEW))
		rc = tell_shadow(d, at, b);
	if (!b->len)
		tell_reading(d, own, b);
	if (!b->len)
		tell_run(d, b);
	if (!b->len && d->a->is_case && d->b->is_case && !sv_eq(d->a->command, d->b->command))
		buf_lit(b, "not known; the command lines of the runs differ\n");
	if (!b->len)
		buf_lit(b, "not known\n");
	return rc < 0 ? rc : 0;
}

static struct reg_cause *keep_cause(struct reg_diff *d, struct sv text)
{
	struct reg_cause *c = smap_get(&d->by_text, text);

	if (c)
		return c;
	c = arena_zalloc(&d->arena, 1, sizeof(*c));
	if (!c)
		return NULL;
	c->text = arena_sv(&d->arena, text);
	if (!c->text.p || smap_put(&d->by_text, c->text, c) < 0)
		return NULL;
	d->kinds[d->kind_count++] = c;
	return c;
}

static int find_causes(struct reg_diff *d)
{
	struct buf b = {0};
	int rc = 0;

	d->causes = calloc(d->pairs.count + 1, sizeof(struct reg_cause *));
	d->kinds = calloc(d->pairs.count + 1, sizeof(struct reg_cause *));
	if (!d->causes || !d->kinds)
		return ERR_NOMEM;
	for (size_t i = 0; i < d->pairs.count && rc == 0; i++) {
		const struct reg_pair *p = &d->pairs.pairs[i];

		if (p->tier == REG_UNCHANGED)
			continue;
		buf_reset(&b);
		rc = tell_cause(d, i, &b);
		d->causes[i] = rc == 0 && !b.failed ? keep_cause(d, buf_view(&b)) : NULL;
		if (!d->causes[i])
			rc = ERR_NOMEM;
		else
			d->causes[i]->tiers[p->tier]++;
	}
	buf_done(&b);
	return rc;
}

int reg_diff(struct reg_side *a, struct reg_side *b, const struct reg_ignore *ignore,
	     struct reg_diff *out, struct error *err)
{
	int rc;

	*out = (struct reg_diff){.a = a, .b = b, .ignore = *ignore};
	rc = match_captures(out);
	if (rc == 0)
		rc = select_alerts(a, &out->left);
	if (rc == 0)
		rc = select_alerts(b, &out->right);
	if (rc == 0)
		rc = reg_compare(&out->left, &out->right, ignore, &out->pairs, NULL);
	if (rc == 0)
		rc = find_causes(out);
	if (rc == 0)
		return 0;
	reg_diff_done(out);
	return error_nomem(err);
}

void reg_diff_done(struct reg_diff *d)
{
	reg_comparison_done(&d->pairs);
	reg_alerts_done(&d->left);
	reg_alerts_done(&d->right);
	smap_done(&d->by_text);
	smap_done(&d->by_rule);
	free(d->causes);
	free(d->kinds);
	arena_done(&d->arena);
	*d = (struct reg_diff){0};
}
