/* SPDX-License-Identifier: Apache-2.0 */
/* One thread's way through a capture, or a part of one: item -> state -> filter -> rules -> out. */
#include <stdlib.h>

#include "replay/checkpoint.h"
#include "replay/gather.h"

/* --- one alert --- */

static int emit(struct run_lane *l, const struct rule *rule, const struct state_binding *b,
		struct error *err)
{
	const struct state_thread *t =
	    b->thread ? b->thread : state_thread_find(l->state, b->ev->tid);
	struct run_alert a = {
	    .rule = rule,
	    .ts = b->ev->ts,
	    .evt_num = b->ev->num,
	    .evt_offset = b->ev->offset,
	    .tid = b->ev->tid,
	    .pid = t ? t->pid : -1,
	    .source = rule->source,
	    .hostname = l->hostname,
	};

	buf_reset(&l->message);
	flt_format_text(l->ctx, rule->format, &l->message);
	buf_reset(&l->line);
	run_alert_line(&l->line, &l->setup->opt, rule, a.ts, buf_view(&l->message));
	buf_reset(&l->fields);
	flt_format_json(l->ctx, l->setup->field_formats[rule->index], &l->fields);
	if (l->message.failed || l->line.failed || l->fields.failed)
		return error_nomem(err);
	a.message = buf_view(&l->message);
	a.line = buf_view(&l->line);
	a.fields = buf_view(&l->fields);
	if (l->processes && t)
		a.process_key = run_processes_key(l->processes, l->state, t);
	return l->out->ops->alert(l->out, &a, err);
}

/* --- one event --- */

struct run_span run_window_from(const struct run_window *w, uint64_t first)
{
	return (struct run_span){
	    .known = true,
	    .from = w->from_relative ? first + w->from : w->from,
	    .to = w->to_relative ? first + w->to
		  : w->to	 ? w->to
				 : UINT64_MAX,
	};
}

static NOINLINE int emit_hits(struct run_lane *l, size_t n, const struct state_binding *b,
			      struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = emit(l, l->hits[i], b, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What comes between an event and the rules. Return: may they see it? */
static NOINLINE bool passes(struct run_lane *l, const struct state_binding *b)
{
	const struct run_setup *s = l->setup;

	if (s->has_filter && !flt_match(l->ctx, s->filter_id))
		return false;
	if (s->opt.profile)
		run_profile_event(s->opt.profile, l->ctx, b);
	return true;
}

/* Show an event to the rules that want its type. */
static ALWAYS_INLINE int show(struct run_lane *l, const struct state_binding *b, struct error *err)
{
	const struct run_setup *s = l->setup;
	size_t n;

	if (UNLIKELY(!l->span.known))
		l->span = run_window_from(&s->opt.window, b->ev->ts);
	if (!rule_engine_wants(s->engine, b->ev->type) || !run_span_has(&l->span, b->ev->ts))
		return 0;
	flt_ctx_event(l->ctx, b);
	if (UNLIKELY(s->asks_first) && !passes(l, b))
		return 0;
	n = rule_engine_match(s->engine, l->ctx, s->opt.match_all, l->hits, s->rule_count);
	return UNLIKELY(n) ? emit_hits(l, n, b, err) : 0;
}

/* A section: what is known of the one before is told while it is there. */
static int feed_section(struct run_lane *l, const struct ev_item *item, struct state_binding *bind,
			struct error *err)
{
	int rc = run_gather_item(l->gather, l->state, item, err);

	if (rc < 0)
		return rc;
	run_processes_section(l->processes, l->state, true);
	rc = state_feed(l->state, item, bind, err);
	run_processes_section(l->processes, l->state, false);
	return rc;
}

/* @passes: nobody but the case is going to look at it. */
static int feed(struct run_lane *l, const struct ev_item *item, bool passes,
		struct state_binding *bind, struct error *err)
{
	int rc, rc2 = 0;

	if (UNLIKELY(l->gather && item->kind == EV_ITEM_SECTION))
		return feed_section(l, item, bind, err);
	if (passes)
		rc = state_pass(l->state, item, bind, err);
	else
		rc = state_feed(l->state, item, bind, err);
	if (l->gather && rc > 0 && run_gather_wants(l->gather, item->ev->type))
		rc2 = run_gather_event(l->gather, l->state, bind, err);
	return rc2 < 0 ? rc2 : rc;
}

int run_lane_skip(struct run_lane *l, const struct ev_item *item, struct state_binding *bind,
		  struct error *err)
{
	return feed(l, item, false, bind, err);
}

static bool is_wanted(const void *arg, unsigned type)
{
	const struct run_lane *l = arg;

	return rule_engine_wants(l->setup->engine, type);
}

static void gather_passed(void *arg, const struct state_passed *e, unsigned why)
{
	struct run_lane *l = arg;

	if (why & STATE_WHY_ASKED)
		run_gather_passed(l->gather, l->state, e);
}

/* Is it known that no rule matches an event of @type by @t? */
static bool refuses_in_row(void *arg, unsigned type, struct state_thread *t)
{
	struct run_lane *l = arg;

	return !rule_engine_may_match(l->setup->engine, l->ctx, type, t);
}

/* The same of an event that the case had to see first. */
static inline bool is_refused(struct run_lane *l, const struct state_binding *b)
{
	return l->gates[b->ev->type] && b->thread && refuses_in_row(l, b->ev->type, b->thread);
}

/* A usual event in a file that a rule wants, of which the state knows. */
static int take_in_row(void *arg, const struct state_binding *b, struct error *err)
{
	struct run_lane *l = arg;
	int rc = 0;

	if (l->gather && run_gather_wants(l->gather, b->ev->type))
		rc = run_gather_event(l->gather, l->state, b, err);
	if (rc >= 0 && b->visible && !is_refused(l, b))
		rc = show(l, b, err);
	return UNLIKELY(rc >= 0 && l->processes) ? run_processes_error(l->processes, err) : rc;
}

static void begin_passing(struct run_lane *l)
{
	struct state_passing *p = &l->passing;

	state_passing_init(p, is_wanted, l);
	p->reader = l->reader;
	p->tally = l->gather ? &l->tally : NULL;
	p->show = take_in_row;
	p->refuses = refuses_in_row;
	p->arg = l;
	l->tally.told = gather_passed;
	l->tally.arg = l;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		bool gathered = l->gather && l->gather->wants[type];
		bool gated = rule_engine_looks_at_thread(l->setup->engine, type);

		p->ways[type].asks = gated && !gathered;
		l->gates[type] = gated && gathered;
		p->ways[type].tell = (uint8_t)(gathered ? run_gather_tell(type) : 0);
	}
}

/* Does the case want the next event, whatever it is? */
static bool gathers_all(const struct run_lane *l)
{
	return l->gather && run_gather_wants_all(l->gather);
}

/*
 * Once it is known when the window begins, events are taken where they lie in a file: what no rule
 * wants is passed, and the case told of what it wants of that; the rest is shown.
 */
int run_lane_next(struct run_lane *l, uint64_t max, struct ev_item *item, uint64_t *n,
		  struct error *err)
{
	int rc;

	if (!l->reader || UNLIKELY(!l->span.known || gathers_all(l)))
		return ev_source_next(l->source, item, err);
	l->passing.max = max;
	rc = state_pass_on(l->state, &l->passing, item, err);
	*n += l->passing.passed;
	if (l->gather && rc >= 0 && UNLIKELY(run_gather_error(l->gather, err) < 0))
		return run_gather_error(l->gather, err);
	return rc;
}

/* Is @item an event that no rule wants? The first one shown says when the window begins. */
static inline bool is_unwanted(const struct run_lane *l, const struct ev_item *item)
{
	return item->kind == EV_ITEM_EVENT && l->span.known &&
	       !rule_engine_wants(l->setup->engine, item->ev->type);
}

int run_lane_take(struct run_lane *l, const struct ev_item *item, struct error *err)
{
	bool unwanted = is_unwanted(l, item);
	struct state_binding bind;
	int rc;

	rc = feed(l, item, unwanted, &bind, err);
	if (UNLIKELY(rc < 0))
		return rc;
	if (rc > 0 && !unwanted && bind.visible) {
		rc = show(l, &bind, err);
		if (UNLIKELY(rc < 0))
			return rc;
	}
	if (UNLIKELY(item->kind == EV_ITEM_MACHINE || item->kind == EV_ITEM_SECTION))
		l->hostname = state_sv(state_machine(l->state)->hostname);
	return UNLIKELY(l->processes) ? run_processes_error(l->processes, err) : 0;
}

/* --- from begin to end --- */

int run_lane_init(struct run_lane *l, const struct run_setup *setup, struct run_out *out,
		  struct error *err)
{
	*l = (struct run_lane){.setup = setup, .out = out};
	l->hits = calloc(setup->rule_count + 1, sizeof(*l->hits));
	if (!l->hits)
		return error_nomem(err);
	if (!setup->opt.writer)
		return 0;
	l->processes = run_processes_new(out);
	l->gather = calloc(1, sizeof(*l->gather));
	if (!l->processes || !l->gather)
		return error_nomem(err);
	return run_gather_init(l->gather, out, l->processes, err);
}

int run_lane_follow(struct run_lane *l, const struct sf_index *x, size_t chunk, struct error *err)
{
	static const struct act_net_options all = {.unix_sockets = true};
	struct act_sessions *sessions = NULL;
	struct act_net *net = NULL;
	int rc;

	if (!l->gather)
		return 0;
	if (!chunk)
		return run_gather_follow(l->gather, err);
	rc = run_index_net(x, chunk, &all, &net, err);
	if (rc == 0)
		rc = run_index_sessions(x, chunk, &sessions, err);
	if (rc < 0) {
		act_net_free(net);
		return rc;
	}
	run_gather_go_on(l->gather, net, sessions);
	return 0;
}

void run_lane_redirect(struct run_lane *l, struct run_out *out)
{
	if (l->processes)
		run_processes_redirect(l->processes, out);
	if (l->gather)
		l->gather->out = out;
}

int run_lane_pause(struct run_lane *l, struct error *err)
{
	return l->gather ? run_gather_pass_on(l->gather, err) : 0;
}

void run_lane_done(struct run_lane *l)
{
	run_lane_close(l);
	if (l->gather)
		run_gather_done(l->gather);
	free(l->gather);
	run_processes_free(l->processes);
	buf_done(&l->message);
	buf_done(&l->line);
	buf_done(&l->fields);
	free(l->hits);
	*l = (struct run_lane){0};
}

int run_lane_begin(struct run_lane *l, const struct sv *procs, struct error *err)
{
	int rc = flt_ctx_new(rule_engine_program(l->setup->engine), l->state, &l->ctx, err);

	if (rc < 0)
		return rc;
	l->hostname = state_sv(state_machine(l->state)->hostname);
	begin_passing(l);
	if (l->processes && procs)
		return run_processes_restore(l->processes, l->state, *procs, err);
	if (l->processes)
		run_processes_attach(l->processes, l->state);
	return 0;
}

int run_lane_finish(struct run_lane *l, int rc, struct error *err)
{
	if (rc >= 0)
		state_settle(l->state, state_stats(l->state)->last_ts);
	if (!l->processes)
		return rc;
	run_processes_finish(l->processes, l->state);
	if (rc >= 0)
		rc = run_processes_error(l->processes, err);
	return rc >= 0 ? run_gather_end(l->gather, l->state, err) : rc;
}

void run_lane_close(struct run_lane *l)
{
	flt_ctx_free(l->ctx);
	if (l->gather)
		run_gather_forget(l->gather);
	state_free(l->state);
	sf_reader_close(l->reader);
	l->ctx = NULL;
	l->state = NULL;
	l->reader = NULL;
	l->source = NULL;
	l->hostname = SV_NONE;
	l->span = (struct run_span){0};
}
