/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/recorder.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/hasher.h"
#include "capture/internal.h"
#include "capture/state.h"

#define IDLE_NS		     100000000u /* between two calls of a source's idle function */
#define REC_RING_BYTES_LEAST (1u << 20) /* of those chosen here */
#define IDLE_EVENTS	     256	/* the clock is read this often */

struct rec {
	struct load *load;
	struct drain drain;
	uint64_t boot_ns, load_ns;
	/* The state that is being delivered, or that later events may be contained in. */
	struct rec_state_reader *reader;
	struct rec_state *state;
	bool with_self, delivering; /* its entries */
	uint64_t contained_to;	    /* events from here on are not in it */
	struct rec_state *again;    /* one that was asked for later and waits for its place */
	const struct queued *held;  /* the event that comes after it */
	struct rec_stats of_state;  /* what rec_stats() says of it */
	/* what an item points to */
	struct ev ev;
	struct ev_loss loss;
};

struct rec_stream { /* rec_source() */
	struct ev_source source;
	struct rec *rec;
	void (*idle)(void *arg);
	void *arg;
	unsigned events;
	uint64_t idle_at;
};

/* Up to 8 CPUs the default for each; the same for all together from there on. */
static uint64_t default_ring_bytes(void)
{
	uint64_t bytes = REC_RING_BYTES_DEFAULT, all = 8 * bytes;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	while (cpus > 0 && bytes * (uint64_t)cpus > all && bytes > REC_RING_BYTES_LEAST)
		bytes /= 2;
	return bytes;
}

void rec_options_init(struct rec_options *opt)
{
	memset(opt, 0, sizeof(*opt));
	rec_set_add_preset(&opt->set, REC_SET_ALL);
	opt->snaplen = REC_SNAPLEN_DEFAULT;
	opt->ring_bytes = default_ring_bytes();
	opt->memory_bytes = REC_MEMORY_BYTES_DEFAULT;
	opt->first_state = true;
}

static int check_options(const struct rec_options *opt, struct error *err)
{
	if (opt->ring_bytes < REC_RING_BYTES_MIN || opt->ring_bytes > REC_RING_BYTES_MAX ||
	    opt->ring_bytes & (opt->ring_bytes - 1))
		return error_set(
		    err, ERR_USAGE, "a ring of %llu bytes: it must be a power of two from %u to %u",
		    (unsigned long long)opt->ring_bytes, REC_RING_BYTES_MIN, REC_RING_BYTES_MAX);
	if (opt->snaplen > WIRE_SNAPLEN_MAX)
		return error_set(err, ERR_USAGE, "a snaplen of %u: at most %u", opt->snaplen,
				 WIRE_SNAPLEN_MAX);
	if (opt->npids > REC_FILTER_MAX || opt->ncgroups > REC_FILTER_MAX ||
	    opt->ncomms > REC_FILTER_MAX || opt->nports > REC_FILTER_MAX)
		return error_set(err, ERR_LIMIT, "more than %d of one kind to filter by",
				 REC_FILTER_MAX);
	return 0;
}

/* --- the first state --- */

static int open_reader(struct rec *r, struct error *err)
{
	struct rec_state_options opt;

	rec_state_options_init(&opt);
	opt.boot_ns = r->boot_ns;
	opt.skip_process = r->with_self ? 0 : check_own_tgid();
	return rec_state_open(&opt, &r->reader, err);
}

/* The entries of @state come next. */
static void deliver_state(struct rec *r, struct rec_state *state)
{
	const struct rec_state_stats *stats = rec_state_stats(state);

	rec_state_free(r->state);
	r->state = state;
	r->delivering = true;
	r->of_state = (struct rec_stats){.state_ns = stats->end_ns - stats->begin_ns,
					 .threads = stats->threads,
					 .fds = stats->fds,
					 .state_from_iterators = stats->threads_from_iterator &&
								 stats->fds_from_iterator};
}

/*
 * The hooks are attached and events wait. Those from before the state are contained in it as a
 * whole; those from while it was taken, in so far as their thread had not been read yet.
 */
static int take_first_state(struct rec *r, struct error *err)
{
	struct rec_state *state;
	int rc;

	atomic_store(&r->drain.from, drain_now(&r->drain));
	rc = rec_state_take(r->reader, &state, err);
	if (rc < 0)
		return rc;
	deliver_state(r, state);
	r->contained_to = r->boot_ns + rec_state_stats(state)->end_ns;
	return 0;
}

bool event_is_contained(const struct rec_state *state, uint64_t boot_ns, struct ev *ev)
{
	struct rec_state_mark mark;
	int64_t res = 0;

	if (ev->type == EV_PROCEXIT_1_E || !rec_state_find(state, ev->tid, &mark) ||
	    ev->ts >= boot_ns + mark.stamp_ns)
		return false;
	if (event_is_lifecycle(ev->type) && ev_i64(ev, 0, &res) && res > 0)
		return rec_state_find(state, res, &mark);
	return true;
}

/* --- life --- */

static int start(struct rec *r, const struct rec_options *opt, struct error *err)
{
	int rc;

	rc = drain_init(&r->drain, opt, r->load, r->boot_ns, NULL, err);
	if (rc >= 0 && opt->first_state)
		rc = open_reader(r, err);
	if (rc >= 0)
		rc = load_attach(r->load, opt, err);
	if (rc >= 0)
		rc = drain_start(&r->drain, err);
	if (rc >= 0 && opt->first_state)
		rc = take_first_state(r, err);
	if (rc >= 0 && (opt->drop_privileges || opt->no_new_privs))
		rc = caps_keep_for_recording(opt->drop_privileges, opt->no_new_privs, err);
	return rc;
}

int rec_open(const struct rec_options *given, struct rec **out, struct error *err)
{
	struct rec_options opt = *given;
	uint64_t begin = clock_ns(CLOCK_MONOTONIC);
	struct rec *r;
	int rc;

	rc = check_options(&opt, err);
	if (rc < 0)
		return rc;
	if (!opt.exact_set)
		rec_set_add_preset(&opt.set, REC_SET_STATE);
	r = calloc(1, sizeof(*r));
	if (!r)
		return error_nomem(err);
	r->boot_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
	r->with_self = opt.with_self;
	rc = load_open(&opt, r->boot_ns, &r->load, err);
	r->load_ns = clock_ns(CLOCK_MONOTONIC) - begin;
	if (rc < 0) {
		free(r);
		return rc;
	}
	rc = start(r, &opt, err);
	if (rc < 0) {
		rec_close(r);
		return rc;
	}
	*out = r;
	return 0;
}

void rec_close(struct rec *r)
{
	if (!r)
		return;
	drain_done(&r->drain);
	load_close(r->load);
	rec_state_free(r->state);
	rec_state_free(r->again);
	rec_state_close(r->reader);
	free(r);
}

/* What waits to be taken happened before: the state comes where its time is. */
int rec_state_again(struct rec *r, struct error *err)
{
	int rc = r->reader ? 0 : open_reader(r, err);

	if (rc < 0 || r->again)
		return rc;
	if (r->drain.hasher)
		hasher_forget(r->drain.hasher);
	return rec_state_take(r->reader, &r->again, err);
}

/* --- items --- */

static void fill_event(struct ev *ev, const struct queued *q)
{
	const uint8_t *p = q->body;

	ev->ts = load_u64(p);
	ev->tid = (int64_t)load_u64(p + 8);
	ev->type = load_u16(p + 20);
	ev->nparams = (uint16_t)load_u32(p + 22);
	ev->lens = p + WIRE_HEADER_LEN;
	ev->data = ev->lens + 2 * ev->nparams;
	ev->cpu = q->cpu;
	ev->offset = 0;
	ev->num = 0;
	ev->block_flags = 0;
	ev->wide = false;
	ev->located = 0;
	ev->at[0] = 0;
}

static void fill_loss(struct ev_loss *loss, const struct queued *q)
{
	memcpy(loss, q->body, sizeof(*loss));
	loss->kinds = (const struct ev_loss_kind *)(const void *)(q->body + sizeof(*loss));
}

static void drop_state(struct rec *r)
{
	rec_state_free(r->state);
	r->state = NULL;
	r->contained_to = 0;
}

/* Return: 1, or 0 when all of it was delivered. */
static int next_of_state(struct rec *r, struct ev_item *item)
{
	r->delivering = rec_state_next(r->state, item, NULL) == 1;
	if (!r->delivering && !r->contained_to)
		drop_state(r);
	return r->delivering;
}

static void fill_item(struct rec *r, const struct queued *q, struct ev_item *item)
{
	item->offset = 0;
	if (LIKELY(q->kind == QUEUED_EVENT)) {
		fill_event(&r->ev, q);
		item->kind = r->ev.type == EV_TYPE_URING  ? EV_ITEM_URING
			     : r->ev.type == EV_TYPE_HASH ? EV_ITEM_HASH
							  : EV_ITEM_EVENT;
		item->ev = &r->ev;
	} else {
		fill_loss(&r->loss, q);
		item->kind = EV_ITEM_LOSS;
		item->loss = &r->loss;
	}
}

/* Is the place of the state that waits before @item? Before an event, so that every file has one.
 */
static bool is_place_of_state(const struct rec *r, const struct ev_item *item)
{
	return item->kind == EV_ITEM_EVENT &&
	       item->ev->ts >= r->boot_ns + rec_state_stats(r->again)->begin_ns;
}

/* What happened while it was taken is not left out, unlike with the first one: what comes twice
 * does less harm than a gap between two files. */
static int begin_state_again(struct rec *r, struct ev_item *item)
{
	r->contained_to = 0;
	deliver_state(r, r->again);
	r->again = NULL;
	*item = (struct ev_item){.kind = EV_ITEM_SECTION};
	return 1;
}

static int next_queued(struct rec *r, const struct queued **q, int timeout_ms)
{
	if (LIKELY(!r->held))
		return segments_next(&r->drain.queue, q, timeout_ms);
	*q = r->held;
	r->held = NULL;
	return 1;
}

int rec_next(struct rec *r, struct ev_item *item, int timeout_ms, struct error *err)
{
	const struct queued *q;
	int rc;

	(void)err;
	if (UNLIKELY(r->delivering) && next_of_state(r, item))
		return 1;
	for (;;) {
		rc = next_queued(r, &q, timeout_ms);
		if (rc != 1)
			return rc;
		fill_item(r, q, item);
		if (UNLIKELY(r->again) && is_place_of_state(r, item)) {
			r->held = q;
			return begin_state_again(r, item);
		}
		if (LIKELY(!r->contained_to) || item->kind != EV_ITEM_EVENT)
			return 1;
		if (item->ev->ts >= r->contained_to)
			drop_state(r);
		else if (event_is_contained(r->state, r->boot_ns, item->ev))
			continue;
		return 1;
	}
}

void rec_shed(struct rec *r, unsigned level)
{
	level = level < WIRE_SHED_ALL ? level : WIRE_SHED_ALL;
	atomic_store(&r->drain.shed_wanted, level);
	if (level > atomic_load(&r->drain.shed))
		load_shed(r->load, level);
}

void rec_stop(struct rec *r)
{
	drain_stop(&r->drain);
}

void rec_stats(struct rec *r, struct rec_stats *out)
{
	struct drain *d = &r->drain;

	pthread_mutex_lock(&d->lock);
	*out = d->stats;
	pthread_mutex_unlock(&d->lock);
	out->seen = load_total(r->load, WIRE_SEEN);
	out->faults = load_total(r->load, WIRE_FAULT);
	out->memory_used = atomic_load(&d->queue.published) - atomic_load(&d->queue.taken);
	out->programs = load_programs(r->load);
	out->load_ns = r->load_ns;
	out->state_ns = r->of_state.state_ns;
	out->threads = r->of_state.threads;
	out->fds = r->of_state.fds;
	out->state_from_iterators = r->of_state.state_from_iterators;
}

/* --- as a source --- */

static int stream_next(struct ev_source *source, struct ev_item *item, struct error *err)
{
	struct rec_stream *s = CONTAINER_OF(source, struct rec_stream, source);

	for (;;) {
		int rc;

		if (s->idle && ++s->events >= IDLE_EVENTS) {
			uint64_t now = clock_ns(CLOCK_MONOTONIC);

			s->events = 0;
			if (now - s->idle_at >= IDLE_NS) {
				s->idle_at = now;
				s->idle(s->arg);
			}
		}
		rc = rec_next(s->rec, item, (int)(IDLE_NS / 1000000), err);
		if (rc != REC_IDLE)
			return rc;
		s->events = IDLE_EVENTS;
		s->idle_at = 0;
	}
}

static void stream_close(struct ev_source *source)
{
	free(CONTAINER_OF(source, struct rec_stream, source));
}

static const struct ev_source_ops stream_ops = {.next = stream_next, .close = stream_close};

struct ev_source *rec_source(struct rec *r, void (*idle)(void *arg), void *arg)
{
	struct rec_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->source.ops = &stream_ops;
	s->rec = r;
	s->idle = idle;
	s->arg = arg;
	s->idle_at = clock_ns(CLOCK_MONOTONIC);
	return &s->source;
}
