/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the steps make of an event depends on its type and number of parameters, and on those of the
 * stored enter event: on nothing that is in them, but for their lengths where they are near a
 * limit. So the steps are walked once with samples whose parameters are told by where they are, and
 * where those of the result point to is the plan for all events of the kind.
 */
#include "scapfile/converter.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLE 32 /* bytes of a parameter: more than any width, so that a cut shows */

_Static_assert(SF_HEADER_V2 + EV_PARAMS_MAX * (4 + CONV_PLANNED_MAX) <= CONV_EVENT_MAX,
	       "events that are planned for are within the limit in each step");

struct sample {
	uint8_t lens[2 * EV_PARAMS_MAX], data[EV_PARAMS_MAX * SAMPLE];
};

static void sample_init(struct sample *s)
{
	*s = (struct sample){0};
	for (unsigned i = 0; i < EV_PARAMS_MAX; i++)
		s->lens[2 * i] = SAMPLE;
}

/* Which of @s's parameters is @v? Return: false if none is. */
static bool find_in(const struct sample *s, struct ev_value v, uint8_t *index)
{
	for (unsigned i = 0; i < EV_PARAMS_MAX; i++) {
		if (v.p == s->data + i * SAMPLE) {
			*index = (uint8_t)i;
			return true;
		}
	}
	return false;
}

/* Widths there are, and the id. */
static const uint32_t default_at[] = {0, 0, 1, 3, 7, 15, CONV_ZEROS, CONV_ZEROS + CONV_ID};

static const uint8_t default_lens[] = {0, 0, 1, 0, 2, 0, 4, 0, 8, 0, 16, 0, CONV_ID, 0};

const struct conv_params conv_default_params = {
    .nparams = COUNT_OF(default_at) - 1, .lens = default_lens, .data = conv_defaults};
_Static_assert(COUNT_OF(default_lens) == 2 * (COUNT_OF(default_at) - 1), "a length for each");

/* Which default is @v? Return: false if none is. */
static bool find_default(struct ev_value v, uint8_t *index)
{
	bool is_id = v.p == conv_defaults + CONV_ZEROS;

	for (unsigned i = 0; i < conv_default_params.nparams; i++) {
		if (default_at[i + 1] - default_at[i] == v.n &&
		    (default_at[i] == CONV_ZEROS) == is_id) {
			*index = (uint8_t)i;
			return true;
		}
	}
	return false;
}

/* Let @v be the next parameter of @f. Return: false if it cannot be. */
static bool add_param(struct conv_form *f, struct ev_value v, const struct sample *old,
		      const struct sample *enter)
{
	struct conv_run *last = f->nruns ? &f->runs[f->nruns - 1] : NULL, run = {.count = 1};

	if (find_in(old, v, &run.first))
		run.origin = CONV_FROM_OLD;
	else if (find_in(enter, v, &run.first))
		run.origin = CONV_FROM_ENTER;
	else if (find_default(v, &run.first))
		run.origin = CONV_FROM_DEFAULTS;
	else
		return false;
	f->places[f->nparams] = (struct conv_place){run.origin, run.first};
	f->most[f->nparams++] = v.n == SAMPLE ? UINT16_MAX : (uint16_t)v.n;
	if (last && last->origin == run.origin && last->first + last->count == run.first)
		last->count++;
	else
		f->runs[f->nruns++] = run;
	return true;
}

/* @enter_type: of the stored event, or EV_TYPE_COUNT for none. */
static void make_form(struct conv_form *f, const struct conv_row *row, unsigned enter_type)
{
	struct conv_work w = {.type = row->type, .nparams = row->nparams_in};
	struct sample old, enter;
	const struct conv_params stored = {.type = (uint16_t)enter_type,
					   .nparams = EV_PARAMS_MAX,
					   .lens = enter.lens,
					   .data = enter.data};
	const char *why;

	sample_init(&old);
	sample_init(&enter);
	for (unsigned i = 0; i < w.nparams; i++)
		w.params[i] = (struct ev_value){old.data + i * SAMPLE, SAMPLE};
	if (enter_type != EV_TYPE_COUNT)
		w.enter = &stored;
	if (conv_walk(&w, &why) != CONV_DELIVER || w.stores || w.depends_on_bytes)
		return;
	f->uses_enter = w.used;
	f->type = (uint16_t)w.type;
	f->known = true;
	for (unsigned i = 0; i < w.nparams && f->known; i++)
		f->known = add_param(f, w.params[i], &old, &enter);
}

/* The step in which an event that starts at @row takes from its enter event; NULL: none does. */
static const struct conv_row *enter_step(const struct conv_row *row)
{
	for (int n = 0; row && n < CONV_STEPS_MAX; n++) {
		if (row->action != CONV_ADD_PARAMS && row->action != CONV_CHANGE_TYPE)
			return NULL;
		if (conv_row_uses_enter(row))
			return row;
		row = conv_find_row(row->result, row->nparams_out);
	}
	return NULL;
}

/* How many parameters the step of @row wants an enter event to have. */
static uint8_t needed(const struct conv_row *row)
{
	const struct conv_source *src = conv_sources + row->first_source;
	uint8_t most = 0;

	for (unsigned i = 0; i < row->nparams_out; i++)
		if ((src[i].from == CONV_ENTER_OR_DEFAULT || src[i].from == CONV_ENTER_OR_EMPTY) &&
		    src[i].index >= most)
			most = src[i].index + 1;
	return most;
}

const struct conv_plan conv_plan_as_is = {.made = true, .as_is = true};

struct conv_plans *conv_plans_new(void)
{
	const unsigned n = conv_first_row[EV_TYPE_COUNT];
	struct conv_plans *p = calloc(1, sizeof(*p) + n * sizeof(p->list[0]));

	if (!p)
		return NULL;
	for (unsigned i = 0; i < n && i < UINT8_MAX; i++) {
		const struct conv_row *row = &conv_rows[i];

		if (conv_judge(row->type, row->nparams_in) == CONV_FATE_CONVERT)
			p->which[row->type][row->nparams_in] = (uint8_t)(i + 1);
	}
	return p;
}

void conv_plan_make(struct conv_plan *p, const struct conv_row *row)
{
	const struct conv_row *step = enter_step(row);

	*p = (struct conv_plan){
	    .made = true, .stores = row->action == CONV_STORE, .wants_enter = step};
	make_form(&p->alone, row, EV_TYPE_COUNT);
	if (!step)
		return;
	p->enter_type = step->type - 1;
	p->enter_needs = needed(step);
	make_form(&p->behind_enter, row, p->enter_type);
	p->pairs = p->behind_enter.known && p->behind_enter.uses_enter;
}
