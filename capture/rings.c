/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The consumer's side of a BPF ring buffer: two pages with the positions and the data, mapped twice
 * in a row. Each record has a header of 8 bytes, {u32 length and two bits, u32}, and is padded
 * to 8. Facts: kernel/bpf/ringbuf.c, include/uapi/linux/bpf.h (BPF_RINGBUF_*_BIT) of Linux 5.8
 * to 6.18.
 */
#include "capture/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RECORD_BUSY    (1u << 31)
#define RECORD_DISCARD (1u << 30)
#define RECORD_HEADER  8u

/* Nothing of the ring is trusted to be right, only to be inside the mapping. */
_Static_assert((RING_AHEAD & (RING_AHEAD - 1)) == 0, "indices are masked");

void ring_attach(struct ring *r, _Atomic uint64_t *consumer, const _Atomic uint64_t *producer,
		 const uint8_t *data, uint64_t size, int16_t cpu)
{
	memset(r, 0, sizeof(*r));
	r->consumer = consumer;
	r->producer = producer;
	r->data = data;
	r->size = size;
	r->cpu = cpu;
	r->fd = -1;
	r->scan = r->released = atomic_load_explicit(consumer, memory_order_relaxed);
	r->produced = r->scan;
}

int ring_map(struct ring *r, int fd, uint64_t size, int16_t cpu, struct error *err)
{
	size_t page = cpu < 0 ? (size_t)sysconf(_SC_PAGESIZE) : WIRE_LANE_PAGE;
	size_t behind = cpu < 0 ? size : WIRE_LANE_SLACK;
	void *consumer, *rest;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED)
		return error_sys(err, errno, "cannot map a ring buffer");
	rest = mmap(NULL, page + size + behind, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (rest == MAP_FAILED) {
		int sys = errno;

		munmap(consumer, page);
		return error_sys(err, sys, "cannot map a ring buffer of %llu bytes",
				 (unsigned long long)size);
	}
	ring_attach(r, consumer, rest, (const uint8_t *)rest + page, size, cpu);
	r->fd = fd;
	r->page = page;
	r->mapped = page + size + behind;
	return 0;
}

void ring_unmap(struct ring *r)
{
	if (r->fd < 0)
		return;
	munmap((void *)(uintptr_t)r->consumer, r->page);
	munmap((void *)(uintptr_t)r->producer, r->mapped);
	close(r->fd);
	r->fd = -1;
}

static struct ring_record *slot(struct ring *r, unsigned i)
{
	return &r->ahead[(r->first + i) & (RING_AHEAD - 1)];
}

/* Insert by time; among equals the one that came first stays first. */
static void keep(struct ring *r, const struct ring_record *rec)
{
	unsigned i = r->count++;

	while (i > 0 && slot(r, i - 1)->ts > rec->ts) {
		*slot(r, i) = *slot(r, i - 1);
		i--;
	}
	*slot(r, i) = *rec;
}

/* Look at records up to the kernel's last known position, as many as there is room to remember. */
static void scan_records(struct ring *r)
{
	r->busy = false;
	while (r->count < RING_AHEAD && r->scan < r->produced) {
		const uint8_t *p = r->data + (r->scan & (r->size - 1));
		uint32_t head = atomic_load_explicit((const _Atomic uint32_t *)(const void *)p,
						     memory_order_acquire);
		uint32_t len = head & ~(RECORD_BUSY | RECORD_DISCARD);
		struct ring_record rec = {.p = p + RECORD_HEADER, .len = len, .at = r->scan};

		if (head & RECORD_BUSY) {
			r->busy = true;
			return;
		}
		if (len > r->size - RECORD_HEADER) { /* cannot be: give up what was produced */
			r->scan = r->produced;
			return;
		}
		r->scan += (len + RECORD_HEADER + 7) & ~7ull;
		if (head & RECORD_DISCARD)
			continue;
		rec.ts = len >= sizeof(uint64_t) ? load_u64(rec.p) : r->last_ts;
		r->last_ts = rec.ts;
		keep(r, &rec);
	}
}

void ring_look(struct ring *r, uint64_t now)
{
	r->produced = atomic_load_explicit(r->producer, memory_order_acquire);
	scan_records(r);
	if (r->scan >= r->produced)
		r->even_at = now;
}

/* The first byte that is still needed. */
static uint64_t first_needed(struct ring *r)
{
	uint64_t at = r->scan;

	for (unsigned i = 0; i < r->count; i++)
		if (slot(r, i)->at < at)
			at = slot(r, i)->at;
	return at;
}

void ring_release(struct ring *r)
{
	uint64_t at = first_needed(r);

	if (at == r->released)
		return;
	r->released = at;
	atomic_store_explicit(r->consumer, at, memory_order_release);
}

void ring_take(struct ring *r)
{
	r->first++;
	r->count--;
	/* Refill early enough for records that are out of order, not for each one. */
	if (r->count < RING_AHEAD / 2 && r->scan < r->produced && !r->busy)
		scan_records(r);
	if (r->scan - r->released >= RING_RELEASE_BYTES)
		ring_release(r);
}

uint64_t ring_bound(const struct ring *r, uint64_t now)
{
	uint64_t bound;

	if (r->scan >= r->produced)
		return now - MERGE_SLACK_NS;
	if (!r->busy)
		return UINT64_MAX; /* what is behind the records looked at is later than they */
	bound = r->even_at > r->last_ts ? r->even_at : r->last_ts;
	return bound > MERGE_SLACK_NS ? bound - MERGE_SLACK_NS : 0;
}

unsigned ring_fill(const struct ring *r)
{
	return (unsigned)((r->produced - r->released) * 100 / r->size);
}
