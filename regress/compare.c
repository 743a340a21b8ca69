/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/compare.h"

#include <stdlib.h>

#include "base/json.h"

const char *const reg_tier_names[REG_TIER_COUNT] = {
    [REG_UNCHANGED] = "unchanged", [REG_CHANGED] = "changed", [REG_MOVED] = "moved",
    [REG_MISSING] = "missing",	   [REG_NEW] = "new",
};

/* By what both lists say where an alert is. */
enum place_kind { PLACE_OFFSET, PLACE_EVT, PLACE_TIME };

struct one { /* an alert while it is compared */
	const struct reg_alert *alert;
	uint64_t place;
	struct sv fields; /* as JSON, without places; of those that found no partner only */
};

struct work {
	struct reg_comparison *out;
	const struct reg_ignore *ignore;
	struct arena arena;
	struct one *a, *b;
	size_t a_count, b_count; /* shrink to those without a partner */
	struct buf scratch;
};

static enum place_kind place_of(const struct reg_alerts *a, const struct reg_alerts *b)
{
	bool offset = true, evt = true;

	for (size_t i = 0; i < a->count + b->count; i++) {
		const struct reg_alert *x = i < a->count ? &a->items[i] : &b->items[i - a->count];

		offset &= x->offset != 0;
		evt &= x->evt != 0;
	}
	return offset ? PLACE_OFFSET : evt ? PLACE_EVT : PLACE_TIME;
}

static struct one *list_of(const struct reg_alerts *l, enum place_kind kind)
{
	struct one *all = calloc(l->count + 1, sizeof(*all));

	for (size_t i = 0; all && i < l->count; i++) {
		const struct reg_alert *x = &l->items[i];

		all[i].alert = x;
		all[i].place = kind == PLACE_OFFSET ? x->offset
			       : kind == PLACE_EVT  ? x->evt
						    : x->ts;
	}
	return all;
}

/* --- the same place --- */

static int cmp_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Trace, place, rule. */
static int cmp_identity(const struct one *x, const struct one *y)
{
	int rc = cmp_u64(x->alert->trace, y->alert->trace);

	if (rc == 0)
		rc = cmp_u64(x->place, y->place);
	return rc ? rc : sv_cmp(x->alert->rule, y->alert->rule);
}

static int by_identity(const void *a, const void *b)
{
	const struct one *x = a, *y = b;
	int rc = cmp_identity(x, y);

	return rc ? rc : cmp_u64(x->alert->ord, y->alert->ord);
}

static int count_change(void *arg, const struct reg_change *c)
{
	(void)c;
	++*(unsigned *)arg;
	return 1; /* one is enough */
}

static void add_pair(struct work *w, enum reg_tier tier, const struct reg_alert *a,
		     const struct reg_alert *b)
{
	w->out->pairs[w->out->count++] = (struct reg_pair){tier, a, b};
	w->out->tiers[tier]++;
}

static int pair_exactly(struct work *w)
{
	size_t i = 0, k = 0, a_left = 0, b_left = 0;

	qsort(w->a, w->a_count, sizeof(*w->a), by_identity);
	qsort(w->b, w->b_count, sizeof(*w->b), by_identity);
	while (i < w->a_count || k < w->b_count) {
		int order = i == w->a_count   ? 1
			    : k == w->b_count ? -1
					      : cmp_identity(&w->a[i], &w->b[k]);
		unsigned changes = 0;
		int rc;

		if (order < 0) {
			w->a[a_left++] = w->a[i++];
			continue;
		}
		if (order > 0) {
			w->b[b_left++] = w->b[k++];
			continue;
		}
		rc = reg_changes(w->a[i].alert, w->b[k].alert, w->ignore, count_change, &changes);
		if (rc < 0)
			return rc;
		add_pair(w, changes ? REG_CHANGED : REG_UNCHANGED, w->a[i++].alert,
			 w->b[k++].alert);
	}
	w->a_count = a_left;
	w->b_count = b_left;
	return 0;
}

/* --- nearby --- */

static int note_fields(struct work *w, struct one *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_reset(&w->scratch);
		reg_alert_fields(&w->scratch, all[i].alert, w->ignore, false);
		all[i].fields = arena_sv(&w->arena, buf_view(&w->scratch));
		if (w->scratch.failed || !all[i].fields.p)
			return ERR_NOMEM;
	}
	return 0;
}

/* Trace, rule, priority, what it says. */
static int cmp_content(const struct one *x, const struct one *y)
{
	int rc = cmp_u64(x->alert->trace, y->alert->trace);

	if (rc == 0)
		rc = sv_cmp(x->alert->rule, y->alert->rule);
	if (rc == 0)
		rc = cmp_u64(x->alert->priority, y->alert->priority);
	return rc ? rc : sv_cmp(x->fields, y->fields);
}

static int by_content(const void *a, const void *b)
{
	const struct one *x = a, *y = b;
	int rc = cmp_content(x, y);

	if (rc == 0)
		rc = cmp_u64(x->place, y->place);
	return rc ? rc : cmp_u64(x->alert->ord, y->alert->ord);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static bool is_near(const struct reg_alert *a, const struct reg_alert *b)
{
	return (a->evt && b->evt && distance(a->evt, b->evt) <= REG_MOVED_EVENTS) ||
	       distance(a->ts, b->ts) <= REG_MOVED_NS;
}

/* Equal ones follow each other in both lists, so that the first near ones belong together. */
static void pair_moved(struct work *w)
{
	size_t i = 0, k = 0, a_left = 0, b_left = 0;

	qsort(w->a, w->a_count, sizeof(*w->a), by_content);
	qsort(w->b, w->b_count, sizeof(*w->b), by_content);
	while (i < w->a_count || k < w->b_count) {
		int order = i == w->a_count   ? 1
			    : k == w->b_count ? -1
					      : cmp_content(&w->a[i], &w->b[k]);

		if (order == 0 && is_near(w->a[i].alert, w->b[k].alert)) {
			add_pair(w, REG_MOVED, w->a[i++].alert, w->b[k++].alert);
			continue;
		}
		if (order == 0)
			order = w->a[i].place < w->b[k].place ? -1 : 1;
		if (order < 0)
			w->a[a_left++] = w->a[i++];
		else
			w->b[b_left++] = w->b[k++];
	}
	w->a_count = a_left;
	w->b_count = b_left;
}

/* --- all --- */

static int by_event(const void *a, const void *b)
{
	const struct reg_pair *x = a, *y = b;
	const struct reg_alert *p = x->b ? x->b : x->a, *q = y->b ? y->b : y->a;
	int rc = cmp_u64(p->trace, q->trace);

	if (rc == 0)
		rc = cmp_u64(p->ts, q->ts);
	if (rc == 0)
		rc = cmp_u64(p->offset, q->offset);
	if (rc == 0)
		rc = sv_cmp(p->rule, q->rule);
	return rc ? rc : cmp_u64(x->tier, y->tier);
}

static int compare(struct work *w)
{
	int rc = pair_exactly(w);

	if (rc == 0)
		rc = note_fields(w, w->a, w->a_count);
	if (rc == 0)
		rc = note_fields(w, w->b, w->b_count);
	if (rc < 0)
		return rc;
	pair_moved(w);
	for (size_t i = 0; i < w->a_count; i++)
		add_pair(w, REG_MISSING, w->a[i].alert, NULL);
	for (size_t i = 0; i < w->b_count; i++)
		add_pair(w, REG_NEW, NULL, w->b[i].alert);
	if (w->out->count)
		qsort(w->out->pairs, w->out->count, sizeof(*w->out->pairs), by_event);
	return 0;
}

int reg_compare(const struct reg_alerts *a, const struct reg_alerts *b,
		const struct reg_ignore *ignore, struct reg_comparison *out, struct error *err)
{
	enum place_kind kind = place_of(a, b);
	struct work w = {
	    .out = out,
	    .ignore = ignore,
	    .a = list_of(a, kind),
	    .b = list_of(b, kind),
	    .a_count = a->count,
	    .b_count = b->count,
	};
	int rc = ERR_NOMEM;

	*out = (struct reg_comparison){
	    .pairs = calloc(a->count + b->count + 1, sizeof(*out->pairs)),
	};
	if (w.a && w.b && out->pairs)
		rc = compare(&w);
	free(w.a);
	free(w.b);
	buf_done(&w.scratch);
	arena_done(&w.arena);
	if (rc == 0)
		return 0;
	reg_comparison_done(out);
	return error_nomem(err);
}

void reg_comparison_done(struct reg_comparison *c)
{
	free(c->pairs);
	*c = (struct reg_comparison){0};
}

/* --- changes of one alert --- */

struct changes {
	int (*each)(void *arg, const struct reg_change *c);
	void *arg;
	struct buf from, to;
};

static struct sv json_of(struct buf *b, const struct reg_field *f)
{
	buf_reset(b);
	if (!f)
		return SV_NONE;
	reg_field_json(b, f);
	return buf_view(b);
}

static int tell(struct changes *c, struct sv name, const struct reg_field *a,
		const struct reg_field *b)
{
	struct reg_change change = {
	    .field = name, .from = json_of(&c->from, a), .to = json_of(&c->to, b)};

	if (c->from.failed || c->to.failed)
		return ERR_NOMEM;
	return c->each(c->arg, &change);
}

static int field_changes(struct changes *c, const struct reg_alert *a, const struct reg_alert *b,
			 const struct reg_ignore *ignore)
{
	size_t i = 0, k = 0;
	int rc = 0;

	while ((i < a->field_count || k < b->field_count) && rc == 0) {
		const struct reg_field *x = i < a->field_count ? &a->fields[i] : NULL;
		const struct reg_field *y = k < b->field_count ? &b->fields[k] : NULL;
		int order = !x ? 1 : !y ? -1 : sv_cmp(x->name, y->name);
		struct sv name = order <= 0 ? x->name : y->name;

		x = order <= 0 ? x : NULL;
		y = order >= 0 ? y : NULL;
		i += x != NULL;
		k += y != NULL;
		if (reg_field_is_repeated(name) || reg_ignores(ignore, name) ||
		    (x && y && x->kind == y->kind && sv_eq(x->value, y->value)))
			continue;
		rc = tell(c, name, x, y);
	}
	return rc;
}

static int own_change(struct changes *c, const char *name, const char *from, const char *to)
{
	const struct reg_field a = {.value = sv_of(from), .kind = REP_JSON_STRING};
	const struct reg_field b = {.value = sv_of(to), .kind = REP_JSON_STRING};

	return strcmp(from, to) == 0 ? 0 : tell(c, sv_of(name), &a, &b);
}

static int time_change(struct changes *c, uint64_t a, uint64_t b)
{
	struct buf from = {0}, to = {0};
	int rc;

	if (a == b)
		return 0;
	flt_time_iso8601(&from, a);
	flt_time_iso8601(&to, b);
	rc = from.failed || to.failed ? ERR_NOMEM
				      : own_change(c, "time", buf_cstr(&from), buf_cstr(&to));
	buf_done(&from);
	buf_done(&to);
	return rc;
}

int reg_changes(const struct reg_alert *a, const struct reg_alert *b,
		const struct reg_ignore *ignore, int (*each)(void *arg, const struct reg_change *c),
		void *arg)
{
	struct changes c = {.each = each, .arg = arg};
	int rc = own_change(&c, "priority", rule_priority_name(a->priority),
			    rule_priority_name(b->priority));

	if (rc == 0)
		rc = time_change(&c, a->ts, b->ts);
	if (rc == 0)
		rc = field_changes(&c, a, b, ignore);
	buf_done(&c.from);
	buf_done(&c.to);
	return rc;
}
