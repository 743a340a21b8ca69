/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/segments.h"

#include <stdlib.h>

#include "base/clock.h"
#include "replay/checkpoint.h"
#include "scapfile/stream.h"

/* ---- planning ---- */

/* The last segment needs all the index knows of sockets and sessions: where that is not in its
 * checkpoint, it begins earlier. */
static void extend_last_segment(struct run_plan *p)
{
	static const unsigned parts = 1u << RUN_PART_NET | 1u << RUN_PART_SESSIONS;

	while (p->count > 1 && (sf_index_parts(p->index, p->firsts[p->count - 1]) & parts) != parts)
		p->count--;
	p->ends[p->count - 1] = SIZE_MAX;
}

static void add_segment(struct run_plan *p, size_t first, size_t end)
{
	p->firsts[p->count] = first;
	p->ends[p->count++] = end;
}

/*
 * What lies outside of the window is only counted, unless processes are wanted, or damage that
 * would have to be told: the last checkpoint has the counts.
 */
static void choose_chunks(const struct run_plan *p, size_t *first, size_t *end)
{
	const struct sf_index_facts *facts = sf_index_facts(p->index);
	const struct sf_chunk *chunks = sf_index_chunks(p->index, end);
	uint64_t over = sf_index_end_of_time(p->index, p->span.to);

	*first = 0;
	if (p->setup->opt.writer || facts->gaps || !p->span.known)
		return;
	*first = p->span.from ? sf_index_find_time(p->index, p->span.from) : 0;
	while (*end - 1 > *first && chunks[*end - 1].offset >= over)
		--*end;
}

int run_plan_make(struct run_plan *p, struct error *err)
{
	size_t n, first, end, step;

	(void)sf_index_chunks(p->index, &n);
	p->firsts = calloc(n + 1, sizeof(*p->firsts));
	p->ends = calloc(n + 1, sizeof(*p->ends));
	if (!p->firsts || !p->ends)
		return error_nomem(err);
	if (sf_index_facts(p->index)->first_ts)
		p->span =
		    run_window_from(&p->setup->opt.window, sf_index_facts(p->index)->first_ts);
	choose_chunks(p, &first, &end);
	step = (end - first) / (RUN_SEGMENTS_PER_JOB * (size_t)p->setup->opt.jobs);
	if (step > RUN_SEGMENT_CHUNKS)
		step = RUN_SEGMENT_CHUNKS;
	step += !step;
	for (; end - first > step; first += step)
		add_segment(p, first, first + step);
	add_segment(p, first, end < n ? end : SIZE_MAX);
	if (end < n)
		add_segment(p, n - 1, SIZE_MAX);
	if (p->setup->opt.writer)
		extend_last_segment(p);
	return 0;
}

void run_plan_done(struct run_plan *p)
{
	free(p->firsts);
	free(p->ends);
}

/* ---- entering ---- */

static int open_reader(struct run_lane *l, const struct run_plan *p, struct error *err)
{
	int rc = sf_reader_open(p->path, NULL, &l->reader, err);

	if (rc == 0)
		l->source = sf_reader_source(l->reader);
	return rc;
}

static int begin_at_start(struct run_lane *l, const struct run_plan *p, struct error *err)
{
	int rc = open_reader(l, p, err);

	if (rc == 0)
		rc = state_new(NULL, &l->state, err);
	return rc < 0 ? rc : run_lane_begin(l, NULL, err);
}

static int begin_at_chunk(struct run_lane *l, const struct run_plan *p, size_t chunk,
			  struct error *err)
{
	struct buf procs = {0};
	struct sv view;
	int rc = open_reader(l, p, err);

	if (rc == 0)
		rc = run_index_enter(p->index, chunk, l->reader, NULL, &l->state, err);
	if (rc == 0 && l->processes)
		rc = sf_index_part(p->index, chunk, RUN_PART_PROCS, &procs, err);
	if (rc == 0 && !l->state)
		rc = error_set(err, ERR_FORMAT, "chunk %zu has no checkpoint", chunk);
	view = buf_view(&procs);
	if (rc == 0)
		rc = run_lane_begin(l, &view, err);
	l->span = p->span;
	buf_done(&procs);
	return rc;
}

/* Up to where the segment begins nothing is passed on: that was done. */
static int skip_to_start(struct run_segment *s, struct run_lane *l, struct error *err)
{
	const struct run_setup *setup = s->plan->setup;
	const struct state_stats *ss = state_stats(l->state);
	uint64_t start = run_segment_start(s);
	struct ev_item item;
	int rc = 0;

	run_lane_redirect(l, NULL);
	while (ss->events < start && (rc = ev_source_next(l->source, &item, err)) > 0) {
		struct state_binding bind;

		rc = run_lane_skip(l, &item, &bind, err);
		if (rc > 0 && bind.visible && !l->span.known)
			l->span = run_window_from(&setup->opt.window, bind.ev->ts);
		if (rc < 0 || atomic_load_explicit(s->plan->stop, memory_order_relaxed))
			break;
	}
	l->hostname = state_sv(state_machine(l->state)->hostname);
	run_lane_redirect(l, s->out);
	return rc < 0 ? rc : 0;
}

/* Everything that decides how it goes on from here, as a digest. */
static int image_of(struct run_lane *l, uint8_t digest[RUN_IMAGE], struct error *err)
{
	struct sf_hash *hash = NULL;
	struct buf bytes = {0};
	int rc = sf_reader_save(l->reader, &bytes, err);

	if (rc == 0)
		rc = state_image(l->state, &bytes, err);
	if (rc == 0 && l->processes)
		rc = run_processes_image(l->processes, &bytes, err);
	if (rc == 0)
		rc = sf_hash_new(&hash, err);
	if (rc == 0) {
		sf_hash_add(hash, bytes.p, bytes.len);
		if (!sf_hash_end(hash, digest))
			rc = error_nomem(err);
	}
	sf_hash_free(hash);
	buf_done(&bytes);
	return rc;
}

static int enter(struct run_segment *s, struct run_lane *l, struct error *err)
{
	size_t chunk = s->plan->firsts[s->number];
	int rc;

	if (s->anew) {
		rc = begin_at_start(l, s->plan, err);
		if (rc == 0)
			rc = run_lane_follow(l, NULL, 0, err);
		return rc < 0 ? rc : skip_to_start(s, l, err);
	}
	if (!chunk)
		rc = begin_at_start(l, s->plan, err);
	else
		rc = begin_at_chunk(l, s->plan, chunk, err);
	/* The index has followed sockets and sessions this far: one goes on with that. */
	if (rc == 0 && s->number == s->plan->count - 1)
		rc = run_lane_follow(l, s->plan->index, chunk, err);
	if (!chunk)
		return rc;
	if (rc == 0)
		rc = image_of(l, s->begins_as, err);
	s->useless = rc < 0;
	return rc;
}

/* A window that counts from the first event is where the index says that event is. */
static bool same_window(const struct run_plan *p, const struct run_span *true_one)
{
	const struct run_window *w = &p->setup->opt.window;

	return (!w->from_relative && !w->to_relative) ||
	       (p->span.known && true_one->known && p->span.from == true_one->from &&
		p->span.to == true_one->to);
}

bool run_segment_follows(const struct run_segment *s, const struct run_tail *before)
{
	const struct run_plan *p = s->plan;

	if (s->useless)
		return false;
	if (p->ends[before->number] != p->firsts[s->number])
		return true; /* what is between is of no interest */
	return memcmp(before->image, s->begins_as, RUN_IMAGE) == 0 && same_window(p, &before->span);
}

/* ---- going on ---- */

/* Return: false to stop. */
static bool now_and_then(struct run_segment *s, const struct run_lane *l)
{
	const struct state_stats *ss = state_stats(l->state);
	const struct run_options *opt = &s->plan->setup->opt;

	if (ss->memory > s->peak_state_memory)
		s->peak_state_memory = ss->memory;
	atomic_store_explicit(&s->events, ss->events, memory_order_relaxed);
	if (atomic_load_explicit(&s->unwanted, memory_order_relaxed))
		s->end = RUN_END_INTERRUPTED;
	else if (opt->deadline_ns && clock_ns(CLOCK_MONOTONIC) > opt->deadline_ns)
		s->end = RUN_END_TIMEOUT;
	return s->end == RUN_END_CLEAN;
}

/* Event @until is always delivered. */
static int next_item(struct run_lane *l, uint64_t until, struct ev_item *item, uint64_t *n,
		     struct error *err)
{
	uint64_t max = run_until_progress(*n), left = until - state_stats(l->state)->events - 1;

	return run_lane_next(l, left < max ? left : max, item, n, err);
}

/* Up to event @until. Return: 1 if it came, 0 if what there is ends before, or ERR_*. */
static int replay_until(struct run_segment *s, struct run_lane *l, uint64_t until,
			struct error *err)
{
	const struct state_stats *ss = state_stats(l->state);
	struct ev_item item;
	uint64_t n = 0;
	int rc;

	if (ss->events >= until)
		return 1;
	while ((rc = next_item(l, until, &item, &n, err)) > 0) {
		if (UNLIKELY(atomic_load_explicit(s->plan->stop, memory_order_relaxed))) {
			s->end = RUN_END_INTERRUPTED;
			return 0;
		}
		rc = run_lane_take(l, &item, err);
		if (UNLIKELY(rc < 0))
			return rc;
		if (UNLIKELY(ss->events >= until))
			return 1;
		if (UNLIKELY(++n % RUN_PROGRESS_EVENTS == 0) && !now_and_then(s, l))
			return 0;
	}
	return rc;
}

/* ---- the results ---- */

static int keep_gaps(struct run_segment *s, const struct run_lane *l, struct error *err)
{
	const struct sf_gap *gaps = sf_reader_gaps(l->reader, &s->gap_count);

	if (!s->gap_count)
		return 0;
	s->gaps = malloc(s->gap_count * sizeof(*gaps));
	if (!s->gaps) {
		s->gap_count = 0;
		return error_nomem(err);
	}
	memcpy(s->gaps, gaps, s->gap_count * sizeof(*gaps));
	return 0;
}

/* What the replay looks like from outside when it ends here. */
static void keep_end(struct run_segment *s, struct run_lane *l)
{
	s->last = true;
	s->stats = *sf_reader_stats(l->reader);
	s->state = l->state;
	l->state = NULL;
}

static int replay(struct run_segment *s, struct run_lane *l, struct error *err)
{
	size_t n, end = s->plan->ends[s->number];
	const struct sf_chunk *chunks = sf_index_chunks(s->plan->index, &n);
	uint64_t until = end < n && !s->anew ? chunks[end].events : UINT64_MAX;
	int rc = replay_until(s, l, until, err);

	(void)now_and_then(s, l);
	s->tail.span = l->span;
	if (rc > 0) {
		(void)image_of(l, s->tail.image, NULL); /* without, it is not that of the next */
		rc = run_lane_pause(l, err);
		return rc < 0 ? rc : keep_gaps(s, l, err);
	}
	rc = run_lane_finish(l, rc, err);
	if (keep_gaps(s, l, rc < 0 ? NULL : err) < 0 && rc == 0)
		rc = ERR_NOMEM;
	keep_end(s, l);
	return rc;
}

void run_segment_replay(struct run_segment *s, void (*entered)(void *arg, struct run_segment *s),
			void *arg)
{
	struct run_lane l;
	int rc = run_lane_init(&l, s->plan->setup, s->out, &s->err);

	if (rc == 0)
		rc = enter(s, &l, &s->err);
	entered(arg, s);
	if (rc == 0)
		rc = replay(s, &l, &s->err);
	s->rc = rc;
	s->last |= rc < 0;
	run_lane_done(&l);
	run_log_close(&s->log);
}

/* ---- life ---- */

int run_segment_init(struct run_segment *s, const struct run_plan *plan, struct error *err)
{
	*s = (struct run_segment){.plan = plan};
	return run_log_init(&s->log, err);
}

static void forget_results(struct run_segment *s)
{
	state_free(s->state);
	free(s->gaps);
	s->state = NULL;
	s->gaps = NULL;
	s->gap_count = 0;
}

void run_segment_begin(struct run_segment *s, size_t number)
{
	forget_results(s);
	run_log_reopen(&s->log);
	s->number = number;
	s->anew = s->entered = s->useless = s->last = false;
	s->out = &s->log.out;
	s->rc = 0;
	s->end = RUN_END_CLEAN;
	s->peak_state_memory = 0;
	memset(s->begins_as, 0, sizeof(s->begins_as));
	s->tail = (struct run_tail){.number = number, .image = {0xff}};
	atomic_store(&s->unwanted, false);
	atomic_store(&s->events, run_segment_start(s));
}

void run_segment_done(struct run_segment *s)
{
	run_log_done(&s->log);
	forget_results(s);
}

uint64_t run_segment_start(const struct run_segment *s)
{
	size_t n;

	return sf_index_chunks(s->plan->index, &n)[s->plan->firsts[s->number]].events;
}

uint64_t run_segment_events(const struct run_segment *s)
{
	return atomic_load_explicit(&s->events, memory_order_relaxed);
}
