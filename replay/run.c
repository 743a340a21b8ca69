/* SPDX-License-Identifier: Apache-2.0 */
/* Runs: one capture after the other, by one thread or several, into the sinks and the case. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "replay/internal.h"

struct capture {		   /* one capture being replayed */
	struct sf_stats own_stats; /* where the lane has no reader */
	struct sf_gap *own_gaps;
	size_t own_gap_count;
	const struct sf_index *index; /* several threads replay it; NULL: one */
	const char *alone;	      /* why only one */
	bool index_failed;	      /* one had to begin anew */
	uint64_t file_size;
	enum run_end end;
};

struct run {
	struct run_setup setup;
	struct run_out out; /* to the sinks and the case */
	struct run_lane lane;
	struct run_sink *const *sinks;
	size_t sink_count;
	struct run_totals totals;
	struct capture capture; /* the current or last one */
	bool broken;
	bool borrows_setup; /* made by run_again() */
	atomic_bool stop;   /* set by a signal handler, looked at by all threads */
};

/* --- what is found --- */

static int out_alert(struct run_out *o, const struct run_alert *a, struct error *err)
{
	struct run *r = CONTAINER_OF(o, struct run, out);

	r->totals.alerts++;
	r->totals.by_priority[a->rule->priority]++;
	r->totals.by_rule[a->rule->index]++;
	for (size_t i = 0; i < r->sink_count; i++) {
		struct run_sink *s = r->sinks[i];
		int rc = s->ops->alert ? s->ops->alert(s, a, err) : 0;

		if (rc < 0) {
			r->broken = true;
			return rc;
		}
	}
	return 0;
}

static int out_process_start(struct run_out *o, const struct qry_process *p, struct error *err)
{
	return qry_process_start(CONTAINER_OF(o, struct run, out)->setup.opt.writer, p, err);
}

static int out_process_exec(struct run_out *o, const struct qry_exec *x, struct error *err)
{
	return qry_process_exec(CONTAINER_OF(o, struct run, out)->setup.opt.writer, x, err);
}

static int out_process_end(struct run_out *o, const struct run_process_end *e, struct error *err)
{
	return qry_process_end(CONTAINER_OF(o, struct run, out)->setup.opt.writer, e->key, e->ts,
			       e->evt_num, e->status, err);
}

static int out_fact(struct run_out *o, const struct qry_fact *f, struct error *err)
{
	return qry_add_fact(CONTAINER_OF(o, struct run, out)->setup.opt.writer, f, err);
}

static const struct run_out_ops out_ops = {
    .alert = out_alert,
    .process_start = out_process_start,
    .process_exec = out_process_exec,
    .process_end = out_process_end,
    .fact = out_fact,
};

/* --- what is known of the source --- */

static const struct sf_stats *stats_of(const struct run *r)
{
	return r->lane.reader ? sf_reader_stats(r->lane.reader) : &r->capture.own_stats;
}

static const struct sf_gap *gaps_of(const struct run *r, size_t *n)
{
	if (r->lane.reader)
		return sf_reader_gaps(r->lane.reader, n);
	*n = r->capture.own_gap_count;
	return r->capture.own_gaps;
}

/* A reader keeps losses as gaps itself. */
static int note_loss(struct run *r, const struct ev_item *item, struct error *err)
{
	struct capture *c = &r->capture;

	if (r->lane.reader)
		return 0;
	if (!c->own_gaps)
		c->own_gaps = calloc(SF_GAPS_MAX, sizeof(*c->own_gaps));
	if (!c->own_gaps)
		return error_nomem(err);
	if (c->own_gap_count < SF_GAPS_MAX)
		sf_gap_of_loss(&c->own_gaps[c->own_gap_count++], item->loss, item->offset);
	c->own_stats.gaps++;
	c->own_stats.losses++;
	return 0;
}

/* --- one thread --- */

static void tell_progress(struct run *r, uint64_t events, uint64_t file_done)
{
	struct run_progress p = {
	    .events = r->totals.events + events,
	    .file_done = file_done,
	    .file_size = r->capture.file_size,
	    .alerts = r->totals.alerts,
	};

	if (r->setup.opt.progress)
		r->setup.opt.progress(r->setup.opt.progress_arg, &p);
}

static void note_memory(struct run *r, size_t memory)
{
	if (memory > r->totals.peak_state_memory)
		r->totals.peak_state_memory = memory;
}

/* What need not be looked at for each event. Return: false to stop. */
static bool now_and_then(struct run *r)
{
	const struct state_stats *ss = state_stats(r->lane.state);
	const struct run_options *opt = &r->setup.opt;

	note_memory(r, ss->memory);
	if (opt->memory_limit && ss->memory > opt->memory_limit) {
		r->capture.end = RUN_END_MEMORY;
		return false;
	}
	if (opt->stop && atomic_load_explicit(opt->stop, memory_order_relaxed)) {
		r->capture.end = RUN_END_INTERRUPTED;
		return false;
	}
	if (opt->deadline_ns && clock_ns(CLOCK_MONOTONIC) > opt->deadline_ns) {
		r->capture.end = RUN_END_TIMEOUT;
		return false;
	}
	tell_progress(r, ss->events, stats_of(r)->file_size);
	return true;
}

static int replay_items(struct run *r, struct error *err)
{
	struct run_lane *l = &r->lane;
	struct ev_item item;
	uint64_t n = 0;
	int rc;

	while ((rc = run_lane_next(l, run_until_progress(n), &item, &n, err)) > 0) {
		if (UNLIKELY(atomic_load_explicit(&r->stop, memory_order_relaxed))) {
			r->capture.end = RUN_END_INTERRUPTED;
			return 0;
		}
		rc = run_lane_take(l, &item, err);
		if (UNLIKELY(rc < 0)) {
			r->broken |= l->processes && run_processes_error(l->processes, NULL);
			return rc;
		}
		if (UNLIKELY(item.kind == EV_ITEM_LOSS)) {
			rc = note_loss(r, &item, err);
			if (rc < 0)
				return rc;
		}
		if (UNLIKELY(++n % RUN_PROGRESS_EVENTS == 0) && !now_and_then(r))
			return 0;
	}
	return rc;
}

static int replay_alone(struct run *r, struct error *err)
{
	int rc = state_new(NULL, &r->lane.state, err);

	if (rc == 0)
		rc = run_lane_begin(&r->lane, NULL, err);
	if (rc == 0)
		rc = run_lane_follow(&r->lane, NULL, 0, err);
	if (rc == 0)
		rc = replay_items(r, err);
	return r->lane.ctx ? run_lane_finish(&r->lane, rc, err) : rc;
}

/* --- several --- */

static void tick(void *arg, uint64_t events)
{
	struct run *r = arg;
	uint64_t all = sf_index_facts(r->capture.index)->events;
	double done = all ? (double)events / (double)all : 1;

	tell_progress(r, events, (uint64_t)(done * (double)r->capture.file_size));
}

static int replay_together(struct run *r, const char *path, struct error *err)
{
	struct capture *c = &r->capture;
	struct run_parallel p = {
	    .setup = &r->setup,
	    .path = path,
	    .index = c->index,
	    .stop = &r->stop,
	    .out = &r->out,
	    .tick = tick,
	    .arg = r,
	};
	int rc = run_parallel_replay(&p, err);

	r->broken |= p.out_failed;
	c->index_failed = p.index_failed;
	r->lane.state = p.state;
	c->end = p.end;
	c->own_stats = p.stats;
	c->own_gaps = p.gaps;
	c->own_gap_count = p.gap_count;
	note_memory(r, p.peak_state_memory);
	if (!r->lane.state && state_new(NULL, &r->lane.state, NULL) < 0)
		return rc < 0 ? rc : error_nomem(err);
	return rc;
}

/* --- one capture --- */

static uint64_t size_of_file(const char *path)
{
	struct stat sb;

	return stat(path, &sb) == 0 && S_ISREG(sb.st_mode) ? (uint64_t)sb.st_size : 0;
}

static int open_file(struct run *r, const char *path, struct error *err)
{
	const struct sf_options opt = {
	    .want_hash = r->setup.opt.want_hash,
	    .hash_aside = true,
	    .read_ahead = r->setup.opt.jobs > 1,
	};
	int rc = sf_reader_open(path, &opt, &r->lane.reader, err);

	if (rc < 0)
		return rc;
	r->lane.source = sf_reader_source(r->lane.reader);
	r->capture.file_size = size_of_file(path);
	return 0;
}

static int tell_begin(struct run *r, const char *name, struct error *err)
{
	for (size_t i = 0; i < r->sink_count; i++) {
		struct run_sink *s = r->sinks[i];
		int rc = s->ops->capture_begin ? s->ops->capture_begin(s, name, err) : 0;

		if (rc < 0) {
			r->broken = true;
			return rc;
		}
	}
	return 0;
}

/* Tell the sinks what the capture was; @rc is how the replay ended, and the first failure is kept.
 */
static int tell_end(struct run *r, const struct qry_capture_end *e, int rc, struct error *err)
{
	for (size_t i = 0; i < r->sink_count; i++) {
		struct run_sink *s = r->sinks[i];
		struct error second = {0};
		int rc2 = s->ops->capture_end ? s->ops->capture_end(s, e, &second) : 0;

		if (rc2 < 0) {
			r->broken = true;
			if (rc >= 0 && err)
				*err = second;
			rc = rc < 0 ? rc : rc2;
		}
	}
	return rc;
}

static int end_capture(struct run *r, int rc, struct run_capture_report *report, struct error *err)
{
	struct capture *c = &r->capture;
	const struct state_machine *m = state_machine(r->lane.state);
	const struct state_stats *ss = state_stats(r->lane.state);
	struct qry_capture_end e = {
	    .stats = stats_of(r),
	    .hostname = state_sv(m->hostname),
	    .num_cpus = m->num_cpus,
	    .boot_ts = m->boot_ts,
	    .first_ts = ss->first_ts,
	    .last_ts = ss->last_ts,
	    .events = ss->events,
	    .interrupted = rc < 0 || c->end != RUN_END_CLEAN,
	};

	c->own_stats.events = ss->events;
	e.gaps = gaps_of(r, &e.gap_count);
	note_memory(r, ss->memory);
	r->totals.events += ss->events;
	r->totals.gaps += e.stats->gaps;
	r->totals.malformed += ss->malformed;
	r->totals.suppressed_limits += ss->threads_dropped + ss->fds_dropped;
	*report = (struct run_capture_report){
	    .end = c->end,
	    .stats = e.stats,
	    .gaps = e.gaps,
	    .gap_count = e.gap_count,
	    .state = ss,
	    .alone = c->alone,
	    .index_failed = c->index_failed,
	};
	return tell_end(r, &e, rc, err);
}

static void close_capture(struct run *r)
{
	run_lane_close(&r->lane);
	free(r->capture.own_gaps);
	r->capture = (struct capture){0};
}

/* From an open source to the report. */
static int replay_capture(struct run *r, const char *name, struct run_capture_report *report,
			  struct error *err)
{
	int rc = tell_begin(r, name, err);

	if (rc < 0)
		return rc;
	if (r->capture.index)
		rc = replay_together(r, name, err);
	else
		rc = replay_alone(r, err);
	return r->lane.state ? end_capture(r, rc, report, err) : rc;
}

int run_capture(struct run *r, const char *path, const struct sf_index *x,
		struct run_capture_report *report, struct error *err)
{
	int rc;

	close_capture(r);
	rc = open_file(r, path, err);
	if (rc < 0)
		return rc;
	if (r->setup.opt.jobs > 1)
		r->capture.alone = run_parallel_obstacle(
		    &r->setup, x, sf_reader_stats(r->lane.reader)->compression);
	if (r->setup.opt.jobs > 1 && !r->capture.alone) {
		r->capture.index = x;
		sf_reader_close(r->lane.reader);
		r->lane.reader = NULL;
	}
	return replay_capture(r, path, report, err);
}

int run_source(struct run *r, const char *name, struct ev_source *src,
	       struct run_capture_report *report, struct error *err)
{
	close_capture(r);
	r->lane.source = src;
	return replay_capture(r, name, report, err);
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

	if (!r->setup.opt.filter)
		return 0;
	rc = flt_parse(sv_of(r->setup.opt.filter), FLT_DEPTH_DEFAULT, &arena, &node, &pos, err);
	if (rc == 0)
		rc = flt_program_add(rule_engine_program(r->setup.engine), node, NULL, NULL,
				     &r->setup.filter_id, &pos, err);
	arena_done(&arena);
	r->setup.has_filter = rc == 0;
	return rc;
}

/* The fields of an alert are those of its output, and the time. */
static int compile_field_formats(struct run *r, struct error *err)
{
	struct buf text = {0};
	int rc = 0;

	for (size_t i = 0; i < r->setup.rule_count && rc == 0; i++) {
		struct flt_format *f = NULL;

		if (!r->setup.rules[i].format)
			continue;
		buf_reset(&text);
		buf_str(&text, r->setup.opt.iso_time ? "*%evt.time.iso8601 " : "*%evt.time ");
		buf_sv(&text, r->setup.rules[i].output);
		rc = text.failed ? error_nomem(err)
				 : flt_format_new(rule_engine_program(r->setup.engine),
						  buf_view(&text), &f, err);
		r->setup.field_formats[i] = f;
	}
	buf_done(&text);
	return rc;
}

static struct run *alloc_run(size_t rules, struct run_sink *const *sinks, size_t sink_count)
{
	struct run *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->out.ops = &out_ops;
	r->sinks = sinks;
	r->sink_count = sink_count;
	r->totals.by_rule = calloc(rules + 1, sizeof(*r->totals.by_rule));
	if (r->totals.by_rule)
		return r;
	free(r);
	return NULL;
}

int run_new(struct rule_engine *engine, const struct run_options *opt,
	    struct run_sink *const *sinks, size_t sink_count, struct run **out, struct error *err)
{
	size_t rule_count;
	const struct rule *rules = rule_engine_rules(engine, &rule_count);
	struct run *r = alloc_run(rule_count, sinks, sink_count);
	int rc;

	if (!r)
		return error_nomem(err);
	r->setup.engine = engine;
	r->setup.opt = *opt;
	r->setup.rules = rules;
	r->setup.rule_count = rule_count;
	r->setup.field_formats = calloc(rule_count + 1, sizeof(*r->setup.field_formats));
	if (!r->setup.field_formats) {
		rc = error_nomem(err);
		goto out;
	}
	rc = run_lane_init(&r->lane, &r->setup, &r->out, err);
	if (rc < 0)
		goto out;
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

int run_again(const struct run *like, struct run_sink *const *sinks, size_t sink_count,
	      struct run **out, struct error *err)
{
	struct run *r = alloc_run(like->setup.rule_count, sinks, sink_count);
	int rc;

	if (!r)
		return error_nomem(err);
	r->setup = like->setup;
	r->borrows_setup = true;
	rc = run_lane_init(&r->lane, &r->setup, &r->out, err);
	if (rc < 0)
		run_free(r);
	else
		*out = r;
	return rc;
}

void run_free(struct run *r)
{
	if (!r)
		return;
	close_capture(r);
	run_lane_done(&r->lane);
	if (!r->borrows_setup)
		free(r->setup.field_formats);
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
	atomic_store_explicit(&r->stop, true, memory_order_relaxed);
}
