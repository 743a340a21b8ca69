/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that empties the rings: merges them, checks each record, copies it into the queue, and
 * puts what was lost where it was lost. The kernel wakes it when a ring has filled by another
 * WIRE_WAKEUP_BYTES; else it looks on its own a few dozen times a second.
 */
#include "capture/internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/hasher.h"
#include "scapfile/output.h"

#define WAIT_BUSY_MS	  20
#define WAIT_IDLE_MS	  50
#define READING_NS	  1000000000u /* how often counters are read */
#define READING_FULL_NS	  100000000u  /* and when a ring was nearly full */
#define FULL_PERCENT	  75
#define PUBLISH_BYTES	  (64u << 10)
#define DRAIN_NICE	  (-10)
#define CPUS_PRESENT_FILE "/sys/devices/system/cpu/present"

uint64_t drain_now(const struct drain *d)
{
	return d->boot_ns + clock_ns(CLOCK_BOOTTIME);
}

/* --- rings --- */

static int watch(struct drain *d, int fd, uint32_t events, struct error *err)
{
	struct epoll_event e = {.events = events, .data.fd = fd};

	if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		return error_sys(err, errno, "cannot wait for a ring buffer");
	return 0;
}

static int add_ring(struct drain *d, int cpu, uint64_t size, struct error *err)
{
	struct ring *r;
	int fd, rc;

	r = calloc(1, sizeof(*r));
	if (!r)
		return error_nomem(err);
	r->fd = -1;
	fd = load_ring(d->load, cpu, err);
	if (fd < 0) {
		free(r);
		return fd;
	}
	rc = ring_map(r, fd, size, (int16_t)cpu, err);
	if (rc < 0) {
		close(fd);
		free(r);
		return rc;
	}
	rc = cpu < 0 ? watch(d, fd, EPOLLIN | EPOLLET, err) : 0; /* the others wake by it */
	if (rc >= 0 && merge_add(&d->merge, r) < 0)
		rc = error_nomem(err);
	if (rc < 0) {
		ring_unmap(r);
		free(r);
		return rc;
	}
	if (cpu >= 0)
		d->has_ring[cpu] = true;
	return 0;
}

/* Which of the possible CPUs are there: only they get rings from the start ("0-3,8"). */
static void present_cpus(bool *present, unsigned cpus)
{
	FILE *f = fopen(CPUS_PRESENT_FILE, "re");
	unsigned from, to;
	int n;

	while (f && fscanf(f, "%u%n", &from, &n) == 1) {
		int c = fgetc(f);

		to = from;
		if (c == '-') {
			if (fscanf(f, "%u", &to) != 1)
				break;
			c = fgetc(f);
		}
		for (unsigned cpu = from; cpu <= to && cpu < cpus; cpu++)
			present[cpu] = true;
		if (c != ',')
			break;
	}
	if (f)
		fclose(f);
	present[0] = true;
}

static int add_rings(struct drain *d, const bool *given, struct error *err)
{
	unsigned cpus = load_cpus(d->load);
	bool *present = calloc(cpus, sizeof(bool));
	int rc = 0;

	if (!present)
		return error_nomem(err);
	if (given)
		memcpy(present, given, cpus * sizeof(bool));
	else
		present_cpus(present, cpus);
	for (unsigned cpu = 0; cpu < cpus && rc >= 0; cpu++)
		if (present[cpu])
			rc = add_ring(d, (int)cpu, d->ring_bytes, err);
	free(present);
	return rc < 0 ? rc : add_ring(d, -1, load_priority_bytes(d->load), err);
}

/* CPUs that were plugged in since: until now they used the ring that all share. */
static void add_late_rings(struct drain *d)
{
	for (unsigned cpu = 0; cpu < d->losses.cpus; cpu++)
		if (d->late_cpus[cpu] && !d->has_ring[cpu] &&
		    add_ring(d, (int)cpu, d->ring_bytes, NULL) < 0)
			d->has_ring[cpu] = true; /* they go on like that */
	d->wants_ring = false;
}

/* --- one round --- */

static void deliver(struct drain *d, const struct ring *r, const struct ring_record *rec)
{
	uint32_t room = rec->len, len;
	int cpu = r->cpu;
	struct queued *q;
	unsigned type;

	if (cpu < 0 && room >= 2) {
		room -= 2;
		cpu = load_u16(rec->p + room);
		if ((unsigned)cpu < d->losses.cpus && UNLIKELY(!d->has_ring[cpu]))
			d->wants_ring = d->late_cpus[cpu] = true;
	}
	if (UNLIKELY(record_check(rec->p, room, &type, &len) != NULL)) {
		losses_count(&d->losses, LOSS_INVALID, cpu, type);
		return;
	}
	if (rec->ts >= atomic_load_explicit(&d->from, memory_order_relaxed)) {
		q = segments_room(&d->queue, len, event_is_lifecycle(type));
		if (UNLIKELY(!q)) {
			losses_count(&d->losses, LOSS_MEMORY, cpu, type);
			return;
		}
		q->cpu = (int16_t)cpu;
		q->kind = QUEUED_EVENT;
		memcpy(q->body, rec->p, len);
		if (UNLIKELY(d->hasher != NULL))
			hasher_offer(d->hasher, rec->p);
		if (d->queue.put - atomic_load_explicit(&d->queue.published, memory_order_relaxed) >
		    PUBLISH_BYTES)
			segments_publish(&d->queue);
	}
	d->delivered++;
	d->bytes += len;
}

static void take_until(struct drain *d, uint64_t until)
{
	struct ring *r;

	while ((r = merge_next(&d->merge, until))) {
		deliver(d, r, ring_head(r));
		merge_take(&d->merge);
	}
}

static void queue_hash(struct drain *d, const struct hash_result *r)
{
	struct queued *q = segments_room(&d->queue, WIRE_HEADER_LEN + EV_HASH_ROOM, false);
	uint32_t len;
	uint8_t *p;

	if (!q) {
		losses_count(&d->losses, LOSS_MEMORY, 0, EV_TYPE_HASH);
		return;
	}
	q->cpu = 0;
	q->kind = QUEUED_EVENT;
	p = q->body + WIRE_HEADER_LEN;
	len = WIRE_HEADER_LEN + (uint32_t)ev_hash_encode(&r->hash, p);
	p = put_u64(q->body, r->ts);
	p = put_u64(p, (uint64_t)r->tid);
	p = put_u32(p, len);
	p = put_u16(p, EV_TYPE_HASH);
	put_u32(p, EV_HASH_PARAMS);
}

/* Events up to @until that may go, and hashes in their places among them. */
static void take_items(struct drain *d, uint64_t now, uint64_t until)
{
	uint64_t limit = d->merge.limit < until ? d->merge.limit : until;
	const struct hash_result *r;

	while (UNLIKELY(d->hasher != NULL) && (r = hasher_next(d->hasher, now, limit))) {
		take_until(d, r->ts);
		queue_hash(d, r);
		hasher_taken(d->hasher, r);
	}
	take_until(d, until);
}

static void queue_loss(void *arg, const struct ev_loss *loss)
{
	struct drain *d = arg;
	uint32_t kinds = loss->nkinds * (uint32_t)sizeof(*loss->kinds);
	struct queued *q = segments_room(&d->queue, (uint32_t)sizeof(*loss) + kinds, true);

	if (!q)
		return; /* the totals have it */
	q->cpu = loss->cpu;
	q->kind = QUEUED_LOSS;
	memcpy(q->body, loss, sizeof(*loss));
	memcpy(q->body + sizeof(*loss), loss->kinds, kinds);
}

static void update_stats(struct drain *d)
{
	unsigned fill = 0;

	for (unsigned i = 0; i < d->merge.nrings; i++)
		if (ring_fill(d->merge.rings[i]) > fill)
			fill = ring_fill(d->merge.rings[i]);
	pthread_mutex_lock(&d->lock);
	d->stats.delivered = d->delivered;
	d->stats.bytes = d->bytes;
	d->stats.late = d->merge.late;
	d->stats.ring_fill = fill;
	d->stats.ring_fill_max = d->merge.fill_max;
	d->stats.drain_cpu_ns =
	    clock_ns(CLOCK_THREAD_CPUTIME_ID) + (d->hasher ? hasher_cpu_ns(d->hasher) : 0);
	memcpy(d->stats.lost, d->losses.lost, sizeof(d->stats.lost));
	pthread_mutex_unlock(&d->lock);
}

static void adjust_shed(struct drain *d)
{
	unsigned wanted = atomic_load_explicit(&d->shed_wanted, memory_order_relaxed);
	unsigned own = shed_level(d->shed, segments_fill(&d->queue));
	unsigned level = own > wanted ? own : wanted;

	atomic_store_explicit(&d->shed, own, memory_order_relaxed);
	if (d->shed_told != level)
		load_shed(d->load, level);
	d->shed_told = level;
}

static void read_counters(struct drain *d, uint64_t now)
{
	if (load_counters(d->load, &d->losses, NULL) < 0)
		return;
	losses_read_done(&d->losses, now);
}

/* Return: how many bytes of events came. */
static uint64_t drain_round(struct drain *d, bool final)
{
	uint64_t before = d->bytes, now = drain_now(d);

	merge_look(&d->merge, now, final);
	if (d->losses.due) {
		take_items(d, now, d->losses.to);
		if (d->merge.limit >= d->losses.to)
			losses_emit(&d->losses, queue_loss, d);
	}
	if (!d->losses.due)
		take_items(d, now, UINT64_MAX);
	if (!d->losses.due && (now >= d->next_reading || (d->merge.fill_now > FULL_PERCENT &&
							  now >= d->losses.to + READING_FULL_NS))) {
		read_counters(d, now);
		d->next_reading = now + READING_NS;
	}
	for (unsigned i = 0; i < d->merge.nrings; i++)
		ring_release(d->merge.rings[i]);
	if (d->wants_ring)
		add_late_rings(d);
	segments_publish(&d->queue);
	adjust_shed(d);
	update_stats(d);
	return d->bytes - before;
}

static bool any_busy(const struct drain *d)
{
	for (unsigned i = 0; i < d->merge.nrings; i++)
		if (d->merge.rings[i]->busy)
			return true;
	return false;
}

/* No program runs any more, or none will in a moment: take what is left, then the last losses. */
static void drain_rest(struct drain *d)
{
	uint64_t give_up = drain_now(d) + MERGE_HOLD_NS;

	do {
		struct timespec moment = {.tv_nsec = 2000000};

		nanosleep(&moment, NULL);
		drain_round(d, false);
	} while (any_busy(d) && drain_now(d) < give_up);
	do
		drain_round(d, true);
	while (d->losses.due);
	if (d->hasher) {
		hasher_finish(d->hasher, HASH_FINISH_NS);
		take_items(d, drain_now(d), UINT64_MAX);
	}
	read_counters(d, drain_now(d));
	losses_emit(&d->losses, queue_loss, d);
	update_stats(d);
}

static void *drain_main(void *arg)
{
	struct drain *d = arg;
	struct epoll_event events[8];

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), DRAIN_NICE); /* if we may */
	caps_keep_for_drain();
	while (!atomic_load(&d->stopping)) {
		uint64_t came = drain_round(d, false);

		if (came < WIRE_WAKEUP_BYTES &&
		    epoll_wait(d->epoll, events, (int)COUNT_OF(events),
			       came ? WAIT_BUSY_MS : WAIT_IDLE_MS) < 0 &&
		    errno != EINTR)
			break;
	}
	load_detach(d->load);
	drain_rest(d);
	segments_end(&d->queue);
	return NULL;
}

/* --- life --- */

int drain_init(struct drain *d, const struct rec_options *opt, struct load *load, uint64_t boot_ns,
	       const bool *present, struct error *err)
{
	unsigned cpus = load_cpus(load);
	int rc;

	d->load = load;
	d->boot_ns = boot_ns;
	d->ring_bytes = load_ring_bytes(load);
	d->epoll = d->wake = -1;
	pthread_mutex_init(&d->lock, NULL);
	atomic_init(&d->from, opt->first_state ? UINT64_MAX : 0);
	rc = segments_init(&d->queue, opt->memory_bytes, err);
	if (rc >= 0)
		rc = losses_init(&d->losses, cpus, drain_now(d), err);
	if (rc < 0)
		return rc;
	d->has_ring = calloc(2 * (size_t)cpus, sizeof(bool));
	d->late_cpus = d->has_ring ? d->has_ring + cpus : NULL;
	if (!d->has_ring)
		return error_nomem(err);
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->epoll < 0 || d->wake < 0)
		return error_sys(err, errno, "cannot wait for ring buffers");
	rc = watch(d, d->wake, EPOLLIN, err);
	if (rc >= 0 && opt->hash_execs)
		rc = hasher_start(&d->hasher, boot_ns, err);
	return rc < 0 ? rc : add_rings(d, present, err);
}

int drain_start(struct drain *d, struct error *err)
{
	sigset_t all, before;
	int sys;

	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	sys = pthread_create(&d->thread, NULL, drain_main, d);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (sys)
		return error_sys(err, sys, "cannot start the recorder's thread");
	d->started = true;
	return 0;
}

void drain_stop(struct drain *d)
{
	uint64_t one = 1;
	int sys = errno;

	atomic_store(&d->stopping, true);
	if (write(d->wake, &one, sizeof(one)) < 0)
		errno = sys; /* full: it wakes anyway */
}

void drain_done(struct drain *d)
{
	if (d->started) {
		drain_stop(d);
		pthread_join(d->thread, NULL);
	}
	hasher_close(d->hasher);
	merge_done(&d->merge);
	segments_done(&d->queue);
	losses_done(&d->losses);
	free(d->has_ring);
	if (d->epoll >= 0)
		close(d->epoll);
	if (d->wake >= 0)
		close(d->wake);
	pthread_mutex_destroy(&d->lock);
}
