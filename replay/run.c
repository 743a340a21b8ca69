/* SPDX-License-Identifier: Apache-2.0 */
/* The loop that serves every replay: source -> state -> filter -> rules -> sinks. */
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "replay/replay.h"

struct capture { /* one capture being replayed */
	struct run *run;
	struct sf_reader *reader; /* NULL: not a file */
	struct ev_source *source;
	struct sf_stats own_stats; /* of what is not a file */
	struct sf_gap *own_gaps;
	struct state *state;
	struct flt_ctx *ctx;
	struct sv hostname;
	uint64_t file_size;
	uint64_t items;
	struct run_span span;
	enum run_end end;
};

struct run {
	struct rule_engine *engine;
	struct run_options opt;
	struct run_sink *const *sinks;
	size_t sink_count;
	const struct rule *rules;
	size_t rule_count;
	const struct flt_format **field_formats; /* per rule: its output with the time in front */
	const struct rule **hits;		 /* room for all rules */
	bool has_filter;
	unsigned filter_id;
	struct run_processes *processes;
	struct run_totals totals;
	struct capture capture; /* the current or last one */
	struct buf message, line, fields;
	bool broken;
	volatile sig_atomic_t stop;
};

/* --- one alert --- */

static void build_line(struct run *r, const struct rule *rule, uint64_t ts)
{
	buf_reset(&r->line);
	if (r->opt.iso_time) {
		flt_time_iso8601(&r->line, ts);
		buf_lit(&r->line, "+0000");
	} else {
		flt_time_of_day(&r->line, ts, r->opt.tz_offset_s);
	}
	buf_lit(&r->line, ": ");
	buf_str(&r->line, rule_priority_name(rule->priority));
	buf_char(&r->line, ' ');
	buf_sv(&r->line, buf_view(&r->message));
}

static int emit(struct capture *c, const struct rule *rule, const struct state_binding *b,
		struct error *err)
{
	struct run *r = c->run;
	const struct state_thread *t =
	    b->thread ? b->thread : state_thread_find(c->state, b->ev->tid);
	struct run_alert a = {
	    .rule = rule,
	    .ts = b->ev->ts,
	    .evt_num = b->ev->num,
	    .evt_offset = b->ev->offset,
	    .tid = b->ev->tid,
	    .pid = t ? t->pid : -1,
	    .source = rule->source,
	    .hostname = c->hostname,
	};
	int rc;

	buf_reset(&r->message);
	flt_format_text(c->ctx, rule->format, &r->message);
	build_line(r, rule, a.ts);
	buf_reset(&r->fields);
	flt_format_json(c->ctx, r->field_formats[rule->index], &r->fields);
	if (r->message.failed || r->line.failed || r->fields.failed)
		return error_nomem(err);
	a.message = buf_view(&r->message);
	a.line = buf_view(&r->line);
	a.fields = buf_view(&r->fields);
	if (r->processes && t)
		a.process_key = run_processes_key(r->processes, c->state, t);
	r->totals.alerts++;
	r->totals.by_priority[rule->priority]++;
	r->totals.by_rule[rule->index]++;
	for (size_t i = 0; i < r->sink_count; i++) {
		rc = r->sinks[i]->ops->alert ? r->sinks[i]->ops->alert(r->sinks[i], &a, err) : 0;
		if (rc < 0) {
			r->broken = true;
			return rc;
		}
	}
	return 0;
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

static int show(struct capture *c, const struct state_binding *b, struct error *err)
{
	struct run *r = c->run;
	size_t n;
	int rc;

	if (UNLIKELY(!c->span.known))
		c->span = run_window_from(&r->opt.window, b->ev->ts);
	if (!rule_engine_wants(r->engine, b->ev->type) || !run_span_has(&c->span, b->ev->ts))
		return 0;
	flt_ctx_event(c->ctx, b);
	if (r->has_filter && !flt_match(c->ctx, r->filter_id))
		return 0;
	n = rule_engine_match(r->engine, c->ctx, r->opt.match_all, r->hits, r->rule_count);
	for (size_t i = 0; i < n; i++) {
		rc = emit(c, r->hits[i], b, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- what is known of the source --- */

static const struct sf_stats *stats_of(const struct capture *c)
{
	return c->reader ? sf_reader_stats(c->reader) : &c->own_stats;
}

static const struct sf_gap *gaps_of(const struct capture *c, size_t *n)
{
	if (c->reader)
		return sf_reader_gaps(c->reader, n);
	*n = c->own_stats.gaps < SF_GAPS_MAX ? (size_t)c->own_stats.gaps : SF_GAPS_MAX;
	return c->own_gaps;
}

/* A reader keeps losses as gaps itself. */
static int note_loss(struct capture *c, const struct ev_item *item, struct error *err)
{
	uint64_t n = c->own_stats.gaps;

	if (c->reader)
		return 0;
	if (!c->own_gaps)
		c->own_gaps = calloc(SF_GAPS_MAX, sizeof(*c->own_gaps));
	if (!c->own_gaps)
		return error_nomem(err);
	if (n < SF_GAPS_MAX)
		sf_gap_of_loss(&c->own_gaps[n], item->loss, item->offset);
	c->own_stats.gaps++;
	c->own_stats.losses++;
	return 0;
}

/* What need not be looked at for each event. Return: false to stop. */
static bool now_and_then(struct capture *c)
{
	struct run *r = c->run;
	const struct state_stats *ss = state_stats(c->state);

	if (ss->memory > r->totals.peak_state_memory)
		r->totals.peak_state_memory = ss->memory;
	if (r->opt.memory_limit && ss->memory > r->opt.memory_limit) {
		c->end = RUN_END_MEMORY;
		return false;
	}
	if (r->opt.deadline_ns && clock_ns(CLOCK_MONOTONIC) > r->opt.deadline_ns) {
		c->end = RUN_END_TIMEOUT;
		return false;
	}
	if (r->opt.progress) {
		struct run_progress p = {
		    .events = r->totals.events + ss->events,
		    .file_done = stats_of(c)->file_size,
		    .file_size = c->file_size,
		    .alerts = r->totals.alerts,
		};

		r->opt.progress(r->opt.progress_arg, &p);
	}
	return true;
}

static int replay_items(struct capture *c, struct error *err)
{
	struct run *r = c->run;
	struct state_binding bind;
	struct ev_item item;
	int rc;

	while ((rc = ev_source_next(c->source, &item, err)) > 0) {
		if (UNLIKELY(r->stop)) {
			c->end = RUN_END_INTERRUPTED;
			return 0;
		}
		rc = state_feed(c->state, &item, &bind, err);
		if (UNLIKELY(rc < 0))
			return rc;
		if (rc > 0 && bind.visible) {
			rc = show(c, &bind, err);
			if (UNLIKELY(rc < 0))
				return rc;
		}
		if (UNLIKELY(item.kind == EV_ITEM_MACHINE))
			c->hostname = state_sv(state_machine(c->state)->hostname);
		if (UNLIKELY(item.kind == EV_ITEM_LOSS)) {
			rc = note_loss(c, &item, err);
			if (rc < 0)
				return rc;
		}
		if (UNLIKELY(++c->items % RUN_PROGRESS_EVENTS == 0) && !now_and_then(c))
			return 0;
		if (UNLIKELY(r->processes && run_processes_error(r->processes, err))) {
			r->broken = true;
			return run_processes_error(r->processes, err);
		}
	}
	return rc;
}

/* --- one capture --- */

static uint64_t size_of_file(const char *path)
{
	struct stat sb;

	return stat(path, &sb) == 0 && S_ISREG(sb.st_mode) ? (uint64_t)sb.st_size : 0;
}

static int open_file(struct capture *c, const char *path, struct error *err)
{
	const struct sf_options opt = {.want_hash = c->run->opt.want_hash};
	int rc = sf_reader_open(path, &opt, &c->reader, err);

	if (rc < 0)
		return rc;
	c->source = sf_reader_source(c->reader);
	c->file_size = size_of_file(path);
	return 0;
}

static int begin_capture(struct capture *c, const char *path, struct error *err)
{
	struct run *r = c->run;
	int rc;

	rc = state_new(NULL, &c->state, err);
	if (rc < 0)
		return rc;
	rc = flt_ctx_new(rule_engine_program(r->engine), c->state, &c->ctx, err);
	if (rc < 0)
		return rc;
	if (r->processes)
		run_processes_attach(r->processes, c->state);
	for (size_t i = 0; i < r->sink_count; i++) {
		if (!r->sinks[i]->ops->capture_begin)
			continue;
		rc = r->sinks[i]->ops->capture_begin(r->sinks[i], path, err);
		if (rc < 0) {
			r->broken = true;
			return rc;
		}
	}
	return 0;
}

/* Tell the sinks what the capture was; @rc is how the replay ended, and the first failure is kept.
 */
static int end_capture(struct capture *c, int rc, struct run_capture_report *report,
		       struct error *err)
{
	struct run *r = c->run;
	const struct state_machine *m = state_machine(c->state);
	const struct state_stats *ss = state_stats(c->state);
	struct qry_capture_end e = {
	    .stats = stats_of(c),
	    .hostname = state_sv(m->hostname),
	    .num_cpus = m->num_cpus,
	    .boot_ts = m->boot_ts,
	    .first_ts = ss->first_ts,
	    .last_ts = ss->last_ts,
	    .events = ss->events,
	    .interrupted = rc < 0 || c->end != RUN_END_CLEAN,
	};

	c->own_stats.events = ss->events;
	e.gaps = gaps_of(c, &e.gap_count);
	if (ss->memory > r->totals.peak_state_memory)
		r->totals.peak_state_memory = ss->memory;
	r->totals.events += ss->events;
	r->totals.gaps += e.stats->gaps;
	r->totals.malformed += ss->malformed;
	r->totals.suppressed_limits += ss->threads_dropped + ss->fds_dropped;
	*report = (struct run_capture_report){c->end, e.stats, e.gaps, e.gap_count, ss};
	for (size_t i = 0; i < r->sink_count; i++) {
		struct error second = {0};
		int rc2 = 0;

		if (r->sinks[i]->ops->capture_end)
			rc2 = r->sinks[i]->ops->capture_end(r->sinks[i], &e, &second);
		if (rc2 < 0) {
			r->broken = true;
			if (rc >= 0 && err)
				*err = second;
			rc = rc < 0 ? rc : rc2;
		}
	}
	return rc;
}

static void close_capture(struct capture *c)
{
	flt_ctx_free(c->ctx);
	state_free(c->state);
	sf_reader_close(c->reader);
	free(c->own_gaps);
	*c = (struct capture){0};
}

/* From an open source to the report. */
static int replay_capture(struct capture *c, const char *name, struct run_capture_report *report,
			  struct error *err)
{
	struct run *r = c->run;
	int rc = begin_capture(c, name, err);

	if (rc < 0)
		return rc;
	rc = replay_items(c, err);
	if (rc >= 0)
		state_settle(c->state, state_stats(c->state)->last_ts);
	if (r->processes) {
		run_processes_finish(r->processes, c->state);
		if (rc >= 0)
			rc = run_processes_error(r->processes, err);
	}
	return end_capture(c, rc, report, err);
}

int run_capture(struct run *r, const char *path, struct run_capture_report *report,
		struct error *err)
{
	struct capture *c = &r->capture;
	int rc;

	close_capture(c);
	c->run = r;
	rc = open_file(c, path, err);
	return rc < 0 ? rc : replay_capture(c, path, report, err);
}

int run_source(struct run *r, const char *name, struct ev_source *src,
	       struct run_capture_report *report, struct error *err)
{
	struct capture *c = &r->capture;

	close_capture(c);
	c->run = r;
	c->source = src;
	return replay_capture(c, name, report, err);
}

int run_flush(struct run *r, struct error *err)
{
	for (size_t i = 0; i < r->sink_count; i++) {
		int rc = r->sinks[i]->ops->flush ? r->sinks[i]->ops->flush(r->sinks[i], err) : 0;

		if (rc < 0) {
			r->broken = true;
			return rc;
		}
	}
	return 0;
}

/* --- the run --- */

static int compile_filter(struct run *r, struct error *err)
{
	struct arena arena = {0};
	struct flt_node *node;
	struct flt_pos pos;
	int rc;

	if (!r->opt.filter)
		return 0;
	rc = flt_parse(sv_of(r->opt.filter), FLT_DEPTH_DEFAULT, &arena, &node, &pos, err);
	if (rc == 0)
		rc = flt_program_add(rule_engine_program(r->engine), node, NULL, NULL,
				     &r->filter_id, &pos, err);
	arena_done(&arena);
	r->has_filter = rc == 0;
	return rc;
}

/* The fields of an alert are those of its output, and the time. */
static int compile_field_formats(struct run *r, struct error *err)
{
	struct buf text = {0};
	int rc = 0;

	for (size_t i = 0; i < r->rule_count && rc == 0; i++) {
		struct flt_format *f = NULL;

		if (!r->rules[i].format)
			continue;
		buf_reset(&text);
		buf_str(&text, r->opt.iso_time ? "*%evt.time.iso8601 " : "*%evt.time ");
		buf_sv(&text, r->rules[i].output);
		rc = text.failed
			 ? error_nomem(err)
			 : flt_format_new(rule_engine_program(r->engine), buf_view(&text), &f, err);
		r->field_formats[i] = f;
	}
	buf_done(&text);
	return rc;
}

int run_new(struct rule_engine *engine, const struct run_options *opt,
	    struct run_sink *const *sinks, size_t sink_count, struct run **out, struct error *err)
{
	struct run *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return error_nomem(err);
	r->engine = engine;
	r->opt = *opt;
	r->sinks = sinks;
	r->sink_count = sink_count;
	r->rules = rule_engine_rules(engine, &r->rule_count);
	r->field_formats = calloc(r->rule_count + 1, sizeof(*r->field_formats));
	r->hits = calloc(r->rule_count + 1, sizeof(*r->hits));
	r->totals.by_rule = calloc(r->rule_count + 1, sizeof(*r->totals.by_rule));
	if (opt->writer)
		r->processes = run_processes_new(opt->writer);
	if (!r->field_formats || !r->hits || !r->totals.by_rule || (opt->writer && !r->processes)) {
		rc = error_nomem(err);
		goto out;
	}
	rc = compile_filter(r, err);
	if (rc < 0)
		goto out;
	rc = compile_field_formats(r, err);
	if (rc < 0)
		goto out;
	rc = rule_engine_seal(engine, err);
	if (rc < 0)
		goto out;
	*out = r;
	r = NULL;
out:
	run_free(r);
	return rc;
}

void run_free(struct run *r)
{
	if (!r)
		return;
	close_capture(&r->capture);
	run_processes_free(r->processes);
	buf_done(&r->message);
	buf_done(&r->line);
	buf_done(&r->fields);
	free(r->field_formats);
	free(r->hits);
	free(r->totals.by_rule);
	free(r);
}

const struct run_totals *run_totals(const struct run *r)
{
	return &r->totals;
}

bool run_is_broken(const struct run *r)
{
	return r->broken;
}

void run_stop(struct run *r)
{
	r->stop = 1;
}
