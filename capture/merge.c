/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One order out of many rings: a heap of the rings by the time of their heads, and a limit up to
 * which nothing earlier can come any more.
 */
#include "capture/internal.h"

#include <stdlib.h>

static uint64_t key(const struct ring *r)
{
	return ring_head(r)->ts;
}

static void sift_down(struct merge *m, unsigned i)
{
	struct ring *r = m->heap[i];
	uint64_t ts = key(r);

	for (;;) {
		unsigned child = 2 * i + 1;

		if (child >= m->nheap)
			break;
		if (child + 1 < m->nheap && key(m->heap[child + 1]) < key(m->heap[child]))
			child++;
		if (key(m->heap[child]) >= ts)
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	m->heap[i] = r;
}

static int grow(struct merge *m)
{
	unsigned cap = m->cap ? 2 * m->cap : 8;
	struct ring **rings = realloc(m->rings, cap * sizeof(struct ring *));
	struct ring **heap;

	if (!rings)
		return ERR_NOMEM;
	m->rings = rings;
	heap = realloc(m->heap, cap * sizeof(struct ring *));
	if (!heap)
		return ERR_NOMEM;
	m->heap = heap;
	m->cap = cap;
	return 0;
}

int merge_add(struct merge *m, struct ring *r)
{
	if (m->nrings == m->cap && grow(m) < 0)
		return ERR_NOMEM;
	m->rings[m->nrings++] = r;
	return 0;
}

void merge_done(struct merge *m)
{
	for (unsigned i = 0; i < m->nrings; i++) {
		ring_unmap(m->rings[i]);
		free(m->rings[i]);
	}
	free(m->rings);
	free(m->heap);
	*m = (struct merge){0};
}

void merge_look(struct merge *m, uint64_t now, bool final)
{
	uint64_t bound = UINT64_MAX;

	m->nheap = m->fill_now = 0;
	for (unsigned i = 0; i < m->nrings; i++) {
		struct ring *r = m->rings[i];
		uint64_t b;

		ring_look(r, now);
		b = ring_bound(r, now);
		bound = b < bound ? b : bound;
		if (ring_fill(r) > m->fill_now)
			m->fill_now = ring_fill(r);
		if (ring_head(r))
			m->heap[m->nheap++] = r;
	}
	if (m->fill_now > m->fill_max)
		m->fill_max = m->fill_now;
	for (unsigned i = m->nheap / 2; i-- > 0;)
		sift_down(m, i);
	/* Not even rings that are full decide alone: now is later than what they hold. */
	if (bound > now - MERGE_SLACK_NS)
		bound = now - MERGE_SLACK_NS;
	if (bound < now - MERGE_HOLD_NS)
		bound = now - MERGE_HOLD_NS;
	m->limit = final ? UINT64_MAX : bound;
}

struct ring *merge_next(struct merge *m, uint64_t until)
{
	uint64_t limit = m->limit < until ? m->limit : until;
	struct ring *r;

	if (!m->nheap || key(m->heap[0]) > limit)
		return NULL;
	r = m->heap[0];
	if (key(r) < m->last_ts)
		m->late++;
	else
		m->last_ts = key(r);
	return r;
}

void merge_take(struct merge *m)
{
	struct ring *r = m->heap[0];

	ring_take(r);
	if (!ring_head(r))
		m->heap[0] = m->heap[--m->nheap];
	if (m->nheap)
		sift_down(m, 0);
}
