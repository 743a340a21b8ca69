/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/converter.h"

#include <stdlib.h>
#include <string.h>

#include "scapfile/output.h"
#include "scapfile/row.h"

void conv_done(struct converter *c)
{
	conv_enters_done(&c->enters);
	free(c->plans);
	c->plans = NULL;
}

void conv_reset(struct converter *c)
{
	conv_enters_reset(&c->enters);
}

/* Let @ev be an event of @type with @n parameters, their bytes gathered in the converter: pieces
 * that lie one behind the other are copied as one. */
static void gather(struct converter *c, unsigned type, const struct ev_value *params, unsigned n,
		   struct ev *ev)
{
	const uint8_t *run = NULL, *end = NULL;
	uint8_t *lens = c->lens;
	uint32_t at = 0, from = 0;

	ev->type = (uint16_t)type;
	ev->nparams = (uint16_t)n;
	ev->wide = ev_table[type].flags & EF_LARGE_PAYLOAD;
	for (unsigned i = 0; i < n; i++) {
		const struct ev_value v = params[i];

		ev->at[i] = at;
		lens = ev->wide ? put_u32(lens, v.n) : put_u16(lens, v.n);
		if (!v.n)
			continue;
		if (v.p != end) {
			if (run)
				memcpy(c->data + from, run, at - from);
			run = end = v.p;
			from = at;
		}
		end += v.n;
		at += v.n;
	}
	if (run)
		memcpy(c->data + from, run, at - from);
	ev->at[n] = at;
	ev->located = (uint8_t)n;
	ev->lens = c->lens;
	ev->data = c->data;
}

/* @ev is not wide: the table stores none that is. */
static int keep(struct converter *c, const struct ev *ev)
{
	const struct conv_params p = conv_params_of(ev);

	return conv_enters_keep(&c->enters, ev->tid, &p, ev->at[ev->nparams]);
}

/* ---- checkpoints ---- */

static void save_enter(struct archive *a, const struct conv_enter *e)
{
	const struct conv_params p = conv_enter_params(e);

	archive_i64(a, e->tid);
	archive_u64(a, e->type);
	archive_u64(a, e->nparams);
	for (unsigned i = 0; i < p.nparams; i++) {
		struct ev_value v = conv_param(&p, i);

		archive_text(a, sv_make(v.p, v.n));
	}
}

static int restore_enter(struct converter *c, struct archive *a)
{
	struct ev_value params[EV_PARAMS_MAX];
	struct ev ev = {.tid = archive_i64(a, 0)};
	uint64_t type = archive_u64(a, 0), n = archive_u64(a, 0);
	size_t bytes = 0;

	if (type >= EV_TYPE_COUNT || n > EV_PARAMS_MAX || (ev_table[type].flags & EF_LARGE_PAYLOAD))
		archive_complain(a, "a stored event is of no known type");
	for (unsigned i = 0; !a->trouble && i < n; i++) {
		struct sv value = archive_text(a, SV_NONE);

		params[i] = (struct ev_value){(const uint8_t *)value.p, (uint32_t)value.n};
		bytes += value.n;
	}
	if (!a->trouble && conv_event_size((unsigned)type, (unsigned)n, bytes) > CONV_EVENT_MAX)
		archive_complain(a, "a stored event is too large");
	if (a->trouble)
		return 0;
	gather(c, (unsigned)type, params, (unsigned)n, &ev);
	return keep(c, &ev);
}

int conv_archive(struct converter *c, struct archive *a)
{
	uint64_t n = archive_count(a, c->enters.waiting);
	int rc = 0;

	if (archive_saves(a)) {
		for (struct conv_enter *e = c->enters.oldest; e; e = e->newer)
			if (e->waits)
				save_enter(a, e);
		return 0;
	}
	for (uint64_t i = 0; i < n && !a->trouble && rc >= 0; i++)
		rc = restore_enter(c, a);
	return rc;
}

/* ---- conversion ---- */

/*
 * One by one, for what no plan is made for, and for what is wrong. @enter: of the thread's enter
 * event, or NULL; @e: what that is kept in, or NULL.
 */
static NOINLINE int convert_by_steps(struct converter *c, struct ev *ev,
				     const struct conv_params *enter, struct conv_enter *e,
				     const char **why)
{
	struct conv_work w = {
	    .type = ev->type, .nparams = ev->nparams, .enter = enter, .json = c->json};
	enum conv_result result;

	for (unsigned i = 0; i < ev->nparams; i++)
		w.params[i] = ev_param(ev, i);
	result = conv_walk(&w, why);
	if (w.steps && (result == CONV_DELIVER || result == CONV_DROP_STORED))
		gather(c, w.type, w.params, w.nparams, ev);
	if (w.used && e)
		conv_enters_use(&c->enters, e);
	if (w.stores && keep(c, ev) < 0)
		return ERR_NOMEM;
	return result;
}

/* Let @ev be what is due, each run copied as one. Return: false if a parameter has to be cut; @ev
 * is then as it was, but nothing of it located. */
static bool gather_runs(struct converter *c, struct ev *ev)
{
	const struct conv_form *form = c->due.form;
	const bool wide = ev_table[form->type].flags & EF_LARGE_PAYLOAD;
	uint8_t *lens = c->lens;
	uint32_t end = 0;
	unsigned i = 0;

	ev->located = 0;

	for (unsigned r = 0; r < form->nruns; r++) {
		const struct conv_run *run = &form->runs[r];
		const struct conv_params *source = &c->due.from[run->origin];
		const uint8_t *from = source->lens + 2u * run->first;
		const uint32_t start = end;

		for (unsigned last = i + run->count; i < last; i++) {
			uint16_t n = load_u16(from);

			if (UNLIKELY(n > form->most[i]))
				return false;
			lens = wide ? put_u32(lens, n) : put_u16(lens, n);
			ev->at[i] = end;
			end += n;
			from += 2;
		}
		if (end > start)
			memcpy(c->data + start, conv_param(source, run->first).p, end - start);
	}
	ev->at[i] = end;
	ev->type = form->type;
	ev->nparams = form->nparams;
	ev->wide = wide;
	ev->located = form->nparams;
	ev->lens = c->lens;
	ev->data = c->data;
	return true;
}

void conv_set_due(struct converter *c, const struct conv_form *form, const struct conv_params *p,
		  const struct conv_params *enter, struct conv_enter *e)
{
	c->due.form = form;
	c->due.enter = e;
	c->due.from[CONV_FROM_OLD] = *p;
	if (form->uses_enter)
		c->due.from[CONV_FROM_ENTER] = *enter;
}

/*
 * What was looked at last is the measure of what is usual. Two types were written with other
 * lengths than they have.
 */
static void remember(struct converter *c, const struct conv_plan *plan, const struct ev *ev)
{
	if (ev->wide || ev->nparams > SF_ROW_ATONCE || ev->nparams > ev_info(ev)->nparams ||
	    ev->type == EV_NOTIFICATION_E || ev->type == EV_INFRASTRUCTURE_EVENT_E)
		return;
	c->plans->usual[ev->type] = (struct conv_usual){
	    .plan = plan, .type = ev->type, .nparams = ev->nparams, .total = UINT32_MAX};
}

/* Return: as conv_start(). */
static int start_planned(struct converter *c, const struct conv_plan *plan, struct ev *ev,
			 const char **why)
{
	const struct conv_params params = conv_params_of(ev);
	const struct conv_form *form;
	struct conv_params enter;
	struct conv_enter *e;

	if (plan->stores)
		return keep(c, ev) < 0 ? ERR_NOMEM : CONV_DROP_STORED;
	e = plan->wants_enter ? conv_enters_find(&c->enters, ev->tid) : NULL;
	form = e ? &plan->behind_enter : &plan->alone;
	if (e)
		enter = conv_enter_params(e);
	if (UNLIKELY(!form->known || (e && (!conv_is_planned(plan, e->type, e->nparams) ||
					    e->bytes > CONV_PLANNED_MAX))))
		return convert_by_steps(c, ev, e ? &enter : NULL, e, why);
	conv_set_due(c, form, &params, &enter, e);
	return CONV_DELIVER;
}

/* What no plan is for, large events, and what is wrong. Return: as conv_start(). */
static NOINLINE int start_unplanned(struct converter *c, struct ev *ev, const char **why)
{
	struct conv_params enter;
	struct conv_enter *e;

	switch (conv_judge(ev->type, ev->nparams)) {
	case CONV_FATE_PASS:
		remember(c, &conv_plan_as_is, ev);
		return CONV_DELIVER;
	case CONV_FATE_DROP:
		return CONV_DROP;
	case CONV_FATE_ERROR:
		*why = "more parameters than this event type has";
		return CONV_ERROR;
	case CONV_FATE_CONVERT:
		break;
	}
	*why = "more parameters than any event type has";
	if (ev->nparams > EV_PARAMS_MAX)
		return CONV_ERROR;
	*why = "event over 65536 bytes";
	if (conv_event_size(ev->type, ev->nparams, ev->at[ev->nparams]) > CONV_EVENT_MAX)
		return CONV_ERROR;
	e = conv_enters_find(&c->enters, ev->tid);
	if (e)
		enter = conv_enter_params(e);
	return convert_by_steps(c, ev, e ? &enter : NULL, e, why);
}

/* Return: false without memory. */
static NOINLINE bool begin_planning(struct converter *c)
{
	c->plans = conv_plans_new();
	c->due.from[CONV_FROM_DEFAULTS] = conv_default_params;
	return c->plans;
}

int conv_start(struct converter *c, struct ev *ev, const char **why)
{
	unsigned n = ev->nparams <= EV_PARAMS_MAX ? ev->nparams : 0, which;
	struct conv_plan *plan;

	if (UNLIKELY(!c->plans && !begin_planning(c)))
		return ERR_NOMEM;
	ev->at[0] = 0;
	if (UNLIKELY(ev->located < n))
		ev_locate(ev, n - 1);
	which = c->plans->which[ev->type][n];
	if (UNLIKELY(!which || n != ev->nparams || ev->wide || ev->at[n] > CONV_PLANNED_MAX))
		return start_unplanned(c, ev, why);
	plan = &c->plans->list[which - 1];
	if (UNLIKELY(!plan->made))
		conv_plan_make(plan, &conv_rows[which - 1]);
	remember(c, plan, ev);
	return start_planned(c, plan, ev, why);
}

void conv_skip(struct converter *c)
{
	if (c->due.form && c->due.form->uses_enter && c->due.enter)
		conv_enters_use(&c->enters, c->due.enter);
	c->due.form = NULL;
}

void conv_finish(struct converter *c, struct ev *ev)
{
	const struct conv_form *form = c->due.form;
	const char *why;

	if (!form)
		return;
	if (LIKELY(gather_runs(c, ev))) {
		conv_skip(c);
		return;
	}
	c->due.form = NULL;
	/* Parameters are cut, but it is the same way: it ends with an event to deliver. */
	(void)!convert_by_steps(c, ev, form->uses_enter ? &c->due.from[CONV_FROM_ENTER] : NULL,
				c->due.enter, &why);
}

int conv_apply(struct converter *c, struct ev *ev, const char **why)
{
	int rc = conv_start(c, ev, why);

	if (rc == CONV_DELIVER)
		conv_finish(c, ev);
	return rc;
}
