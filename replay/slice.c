/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/slice_internal.h"

#include <stdlib.h>
#include <string.h>

#include "replay/checkpoint.h"

int run_slice_new(const struct run_slice_options *opt, struct run_slice **out, struct error *err)
{
	struct run_slice *s = calloc(1, sizeof(*s));

	if (!s || run_lives_init(&s->lives, err) < 0) {
		free(s);
		return error_nomem(err);
	}
	s->opt = opt;
	*out = s;
	return 0;
}

void run_slice_end(struct run_slice *s)
{
	flt_ctx_free(s->ctx);
	state_free(s->state);
	s->ctx = NULL;
	s->state = NULL;
	s->reader = NULL;
}

void run_slice_free(struct run_slice *s)
{
	if (!s)
		return;
	run_slice_end(s);
	run_lives_done(&s->lives);
	free(s->parts);
	free(s);
}

bool run_slice_is_single_pass(const struct run_slice_options *opt)
{
	return opt->subject == RUN_OF_ALL && !opt->window.to;
}

const struct run_slice_found *run_slice_found(const struct run_slice *s)
{
	return &s->found;
}

/* --- the window --- */

static bool is_timed(const struct run_slice_options *o)
{
	return o->window.from || o->window.to;
}

/* @num: the event's own, or that of the last event before an operation. */
bool run_slice_in_window(const struct run_slice *s, const struct ev *ev, uint64_t num)
{
	const struct run_slice_options *o = s->opt;

	if (o->first_event && num < o->first_event)
		return false;
	if (o->last_event && num > o->last_event)
		return false;
	if (!is_timed(o))
		return true;
	return s->span.known && ev->ts != UINT64_MAX && run_span_has(&s->span, ev->ts);
}

bool run_slice_loss_in_window(const struct run_slice *s, const struct ev_loss *l)
{
	const struct run_slice_options *o = s->opt;
	uint64_t num = state_stats(s->state)->events;

	if (is_timed(o) && !(s->span.known && l->from <= s->span.to && l->to >= s->span.from))
		return false;
	return (!o->first_event || num + 1 >= o->first_event) &&
	       (!o->last_event || num <= o->last_event);
}

/* Times that count from the first event are known once it came. */
void run_slice_note_first(struct run_slice *s, const struct state_binding *b)
{
	if (UNLIKELY(!s->span.known) && b->visible)
		s->span = run_window_from(&s->opt->window, b->ev->ts);
}

/* --- passes --- */

/*
 * Whose child a process was is known from the start of the capture on only: with @descendants the
 * survey, and then the second pass, cannot begin anywhere else.
 */
static bool may_enter(const struct run_slice_options *o)
{
	return o->subject != RUN_OF_EVENT && !o->descendants && !o->at_event && !o->at_ts;
}

/* Where an index lets a pass begin and end. */
static int enter(struct run_slice *s, const struct sf_index *x, struct error *err)
{
	const struct run_slice_options *o = s->opt;
	const struct state_options opt = {.host_names = true};
	size_t by_time = 0, by_event = 0;
	uint64_t end;

	if (!x)
		return 0;
	s->span = run_window_from(&o->window, sf_index_facts(x)->first_ts);
	if (o->window.from)
		by_time = sf_index_find_time(x, s->span.from);
	if (o->first_event)
		by_event = sf_index_find_event(x, o->first_event);
	end = sf_index_end_of_time(x, s->span.to);
	if (end)
		s->stop_at = end;
	if ((!by_time && !by_event) || !may_enter(o))
		return 0;
	return run_index_enter(x, by_time > by_event ? by_time : by_event, s->reader, &opt,
			       &s->state, err);
}

int run_slice_begin(struct run_slice *s, struct sf_reader *r, const struct sf_index *x,
		    struct error *err)
{
	const struct state_options opt = {.host_names = true};
	const struct run_window *w = &s->opt->window;
	int rc;

	s->reader = r;
	s->stop_at = UINT64_MAX;
	s->items = 0;
	s->cut_seen = s->began = false;
	s->span = (struct run_span){0};
	if (!w->from_relative && !w->to_relative)
		s->span = run_window_from(w, 0);
	run_lives_rewind(&s->lives);
	rc = enter(s, x, err);
	if (rc == 0 && !s->state)
		rc = state_new(&opt, &s->state, err);
	if (rc == 0 && s->opt->program)
		rc = flt_ctx_new(s->opt->program, s->state, &s->ctx, err);
	return rc;
}

/* Return: 0 to go on, RUN_SLICE_STOPPED, or ERR_*. */
int run_slice_limits(struct run_slice *s, struct error *err)
{
	const struct run_slice_options *o = s->opt;

	if (o->tick) {
		s->stopped = o->tick(o->tick_arg, s->reader);
		if (s->stopped)
			return RUN_SLICE_STOPPED;
	}
	if (UNLIKELY(++s->items % RUN_PROGRESS_EVENTS == 0) && o->memory_limit &&
	    state_stats(s->state)->memory > o->memory_limit)
		return error_set(
		    err, ERR_LIMIT, "the state holds %zu bytes, over the limit of %llu",
		    state_stats(s->state)->memory, (unsigned long long)o->memory_limit);
	return s->lives.nomem ? error_nomem(err) : 0;
}

/* --- what both passes ask --- */

struct run_part_of_slice *run_slice_part(struct run_slice *s, uint32_t section)
{
	while (s->nparts <= section) {
		if (s->nparts == s->parts_cap) {
			uint32_t cap = s->parts_cap ? s->parts_cap * 2 : 4;
			struct run_part_of_slice *parts =
			    reallocarray(s->parts, cap, sizeof(*parts));

			if (!parts) {
				s->lives.nomem = true;
				return NULL;
			}
			s->parts = parts;
			s->parts_cap = cap;
		}
		s->parts[s->nparts++] = (struct run_part_of_slice){0};
	}
	return &s->parts[section];
}

bool run_slice_passes(struct run_slice *s, const struct state_binding *b)
{
	if (!b->visible)
		return false;
	flt_ctx_event(s->ctx, b);
	return flt_match(s->ctx, s->opt->filter_id);
}

const struct state_thread *run_slice_thread(const struct run_slice *s,
					    const struct state_binding *b)
{
	return b->thread ? b->thread : state_thread_find(s->state, b->ev->tid);
}

/* Has the last event of the range been read? */
bool run_slice_is_behind(const struct run_slice *s, const struct ev_item *item)
{
	uint64_t last = s->opt->last_event;
	uint64_t events = state_stats(s->state)->events;

	if (s->opt->subject == RUN_OF_EVENT && !s->matched)
		return false;
	if (item->offset >= s->stop_at)
		return true;
	if (!last || events < last || s->opt->at_event > events)
		return false;
	return item->kind == EV_ITEM_EVENT || item->kind == EV_ITEM_SECTION;
}
