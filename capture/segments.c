/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue between the drain and the caller: a chain of segments of fixed size, reused, within a
 * budget. One thread puts, one takes; both hold the lock only to change segments or to tell the
 * other how far they are.
 */
#include "capture/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

struct segment {
	struct segment *next;
	size_t filled;	 /* the drain's */
	size_t readable; /* under the lock */
	_Alignas(8) uint8_t data[SEGMENT_BYTES];
};

int segments_init(struct segments *s, uint64_t bytes, struct error *err)
{
	pthread_condattr_t attr;
	uint64_t limit = bytes / SEGMENT_BYTES;

	*s = (struct segments){.limit = limit < SEGMENTS_MIN	 ? SEGMENTS_MIN
					: limit > UINT32_MAX / 2 ? UINT32_MAX / 2
								 : (unsigned)limit};
	s->first = s->last = malloc(sizeof(struct segment));
	if (!s->first)
		return error_nomem(err);
	s->first->next = NULL;
	s->first->filled = s->first->readable = 0;
	s->used = 1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->ready, &attr);
	pthread_condattr_destroy(&attr);
	return 0;
}

static void free_chain(struct segment *seg)
{
	while (seg) {
		struct segment *next = seg->next;

		free(seg);
		seg = next;
	}
}

void segments_done(struct segments *s)
{
	if (!s->first)
		return;
	free_chain(s->first);
	free_chain(s->spare);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->ready);
	*s = (struct segments){0};
}

/* Begin a new segment behind the last. Return: false if the budget or the memory is used up. */
static bool add_segment(struct segments *s, bool essential)
{
	unsigned limit = essential ? s->limit + s->limit / 8 + 1 : s->limit;
	struct segment *seg;

	pthread_mutex_lock(&s->lock);
	seg = s->used < limit ? s->spare : NULL;
	if (seg) {
		s->spare = seg->next;
		s->nspare--;
	} else if (s->used < limit) {
		seg = malloc(sizeof(*seg));
	}
	if (seg) {
		seg->next = NULL;
		seg->filled = seg->readable = 0;
		s->last->readable = s->last->filled;
		s->last->next = seg;
		s->last = seg;
		s->used++;
	}
	pthread_mutex_unlock(&s->lock);
	return seg != NULL;
}

struct queued *segments_room(struct segments *s, uint32_t len, bool essential)
{
	size_t need = (sizeof(struct queued) + len + 7) & ~(size_t)7;
	struct queued *q;

	if (need > SEGMENT_BYTES - s->last->filled &&
	    (need > SEGMENT_BYTES || !add_segment(s, essential)))
		return NULL;
	q = (struct queued *)(void *)(s->last->data + s->last->filled);
	s->last->filled += need;
	s->put += need;
	q->len = len;
	return q;
}

void segments_publish(struct segments *s)
{
	if (atomic_load_explicit(&s->published, memory_order_relaxed) == s->put)
		return;
	pthread_mutex_lock(&s->lock);
	s->last->readable = s->last->filled;
	atomic_store_explicit(&s->published, s->put, memory_order_relaxed);
	pthread_cond_signal(&s->ready);
	pthread_mutex_unlock(&s->lock);
}

void segments_end(struct segments *s)
{
	segments_publish(s);
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	pthread_cond_broadcast(&s->ready);
	pthread_mutex_unlock(&s->lock);
}

/* The first segment is read and others follow. */
static void drop_first(struct segments *s)
{
	struct segment *seg = s->first;

	s->first = seg->next;
	s->at = s->readable = 0;
	s->used--;
	if (s->nspare < SEGMENTS_SPARE) {
		seg->next = s->spare;
		s->spare = seg;
		s->nspare++;
	} else {
		free(seg);
	}
}

static struct timespec deadline(int timeout_ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += timeout_ms / 1000;
	t.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

/* Wait until there is more to read in the first segment. Return: as segments_next(). */
static int wait_for_more(struct segments *s, int timeout_ms)
{
	struct timespec until = {0};
	bool waited = false;
	int rc = 1;

	if (timeout_ms > 0)
		until = deadline(timeout_ms);
	pthread_mutex_lock(&s->lock);
	for (;;) {
		if (s->at == s->first->readable && s->first->next)
			drop_first(s);
		s->readable = s->first->readable;
		if (s->at < s->readable)
			break;
		if (s->first->next)
			continue;
		if (s->ended) {
			rc = 0;
			break;
		}
		if (timeout_ms <= 0 || waited) {
			rc = REC_IDLE;
			break;
		}
		waited = pthread_cond_timedwait(&s->ready, &s->lock, &until) == ETIMEDOUT;
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int segments_next(struct segments *s, const struct queued **out, int timeout_ms)
{
	const struct queued *q;
	size_t need;

	if (s->at == s->readable) {
		int rc = wait_for_more(s, timeout_ms);

		if (rc != 1)
			return rc;
	}
	q = (const struct queued *)(const void *)(s->first->data + s->at);
	need = (sizeof(struct queued) + q->len + 7) & ~(size_t)7;
	s->at += need;
	atomic_fetch_add_explicit(&s->taken, need, memory_order_relaxed);
	*out = q;
	return 1;
}

unsigned segments_fill(struct segments *s)
{
	unsigned used;

	pthread_mutex_lock(&s->lock);
	used = s->used - 1;
	pthread_mutex_unlock(&s->lock);
	return (unsigned)((uint64_t)used * 100 / s->limit);
}

unsigned shed_level(unsigned level, unsigned fill)
{
	/* Where each level begins, in percent, and how far below it ends again. */
	static const unsigned char begins[] = {0, 50, 60, 70, 80, 95};
	const unsigned gap = 25;

	while (level < WIRE_SHED_ALL && fill >= begins[level + 1])
		level++;
	while (level > WIRE_SHED_NOTHING && fill + gap < begins[level])
		level--;
	return level;
}
