/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads behind the writer: some compress frames, one stores them in the order in which they were
 * finished. While the disk stands still, frames wait compressed, up to a limit; then they
 * wait as they are, and then the writer does. The queue swaps storage with the writer, so that no
 * frame of events is allocated after the first few.
 */
#include "scapfile/output.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "scapfile/frame_ring.h"

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_BEST_EFFORT (2 << 13)
#define IOPRIO_LOWEST	   7

/* ---- where frames end ---- */

int sf_sink_take(const struct sf_sink *s, struct sf_packed *f, struct error *err)
{
	int rc;

	if (s->ring)
		return sf_ring_take(s->ring, f, err);
	if (f->note.clock)
		rc = sf_output_clock(s->out, f->note.clock, err);
	else
		rc = sf_output_write(s->out, f->bytes, f->n, f->size, &f->note, err);
	free(f);
	return rc;
}

uint64_t sf_sink_stored(const struct sf_sink *s)
{
	return s->ring ? s->ring->kept.written : s->out->stored;
}

/* ---- the threads ---- */

/* Of this thread alone: 0 is the one that asks. That it is refused is no failure. */
static void be_nice(int niceness)
{
	if (!niceness)
		return;
	(void)setpriority(PRIO_PROCESS, 0, niceness);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_BEST_EFFORT | IOPRIO_LOWEST);
}

/* Called with the lock held. */
static void note_failure(struct sf_queue *q, int rc, const struct error *err)
{
	if (rc >= 0 || q->rc < 0)
		return;
	q->rc = rc;
	q->err = *err;
}

/* Is there room for one more that is packed? It waits for that of @cost alone, if need be. */
static bool has_room(const struct sf_queue *q, uint64_t cost)
{
	return !q->waiting || q->waiting + cost <= q->limit || q->rc < 0;
}

static void append(struct sf_queue *q, struct sf_packed *f)
{
	uint64_t cost = sf_packed_cost(f);

	while (!has_room(q, cost))
		pthread_cond_wait(&q->changed, &q->lock);
	*q->packed_end = f;
	q->packed_end = &f->next;
	q->waiting += cost;
	if (!q->sink.ring)
		q->stored += f->n;
}

/*
 * Compress the first frame that no thread has, whose storage is this thread's own until it is
 * counted out, which happens in the order of the frames.
 */
static void pack_next(struct sf_queue *q, struct sf_packer *packer)
{
	unsigned slot = (q->first + q->taken++) % q->slots;
	struct sf_frame *f = &q->frames[slot];
	struct sf_packed *packed = NULL;
	struct error err = {0};
	int rc = q->rc;

	pthread_mutex_unlock(&q->lock);
	if (rc >= 0)
		rc = sf_packed_new(packer, f, &packed, &err);
	f->len = 0;
	pthread_mutex_lock(&q->lock);
	while (q->first != slot)
		pthread_cond_wait(&q->changed, &q->lock);
	note_failure(q, rc, &err);
	if (packed)
		append(q, packed);
	q->first = (q->first + 1) % q->slots;
	q->count--;
	q->taken--;
	pthread_cond_broadcast(&q->changed);
}

static void *packing_thread(void *arg)
{
	struct sf_queue *q = arg;
	struct sf_packer *packer;

	be_nice(q->niceness);
	pthread_mutex_lock(&q->lock);
	packer = q->started ? &q->others[q->started - 1] : q->packer;
	q->started++;
	while (q->count > q->taken || !q->stop) {
		if (q->count > q->taken)
			pack_next(q, packer);
		else
			pthread_cond_wait(&q->changed, &q->lock);
	}
	q->packed_all = !q->count;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

static void store_first(struct sf_queue *q)
{
	struct sf_packed *f = q->packed;
	uint64_t cost = sf_packed_cost(f);
	struct error err = {0};
	int rc = q->rc;

	q->packed = f->next;
	if (!q->packed)
		q->packed_end = &q->packed;
	f->next = NULL;
	pthread_mutex_unlock(&q->lock);
	if (rc >= 0)
		rc = sf_sink_take(&q->sink, f, &err);
	else
		free(f);
	pthread_mutex_lock(&q->lock);
	note_failure(q, rc, &err);
	if (q->sink.ring)
		q->stored = sf_sink_stored(&q->sink);
	q->waiting -= cost;
	pthread_cond_broadcast(&q->changed);
}

static void *storing_thread(void *arg)
{
	struct sf_queue *q = arg;

	be_nice(q->niceness);
	pthread_mutex_lock(&q->lock);
	while (q->packed || !q->packed_all) {
		if (q->packed)
			store_first(q);
		else
			pthread_cond_wait(&q->changed, &q->lock);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

/* ---- the writer's side ---- */

static int init_packers(struct sf_queue *q, unsigned n, struct error *err)
{
	int rc = 0;

	for (q->packers = 1; q->packers < n && rc >= 0; q->packers++)
		rc = sf_packer_init(&q->others[q->packers - 1], q->packer->compression,
				    q->packer->level, err);
	return rc;
}

int sf_queue_start(struct sf_queue *q, const struct sf_sink *sink, struct sf_packer *packer,
		   unsigned packers, uint64_t limit, int niceness, struct error *err)
{
	sigset_t all, before;
	int rc = 0;

	*q = (struct sf_queue){
	    .sink = *sink,
	    .packer = packer,
	    .slots = SF_QUEUE_FRAMES + (packers > 1 ? packers : 0),
	    .limit = limit,
	    .niceness = niceness,
	    .stored = sf_sink_stored(sink),
	};
	q->packed_end = &q->packed;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->changed, NULL);
	rc = init_packers(q, packers, err);
	if (rc < 0) {
		sf_queue_stop(q);
		return rc;
	}
	/* Signals are the program's business, not these threads'. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (q->running <= q->packers && rc == 0) {
		rc = pthread_create(&q->threads[q->running], NULL,
				    q->running < q->packers ? packing_thread : storing_thread, q);
		q->running += rc == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!rc)
		return 0;
	sf_queue_stop(q);
	return error_sys(err, rc, "cannot start a thread that writes");
}

/* What became of the frames so far. Called with the lock held. */
static int queue_result(const struct sf_queue *q, uint64_t *stored, struct error *err)
{
	*stored = q->stored;
	if (q->rc < 0 && err)
		*err = q->err;
	return q->rc;
}

int sf_queue_push(struct sf_queue *q, struct sf_frame *f, uint64_t *stored, struct error *err)
{
	struct sf_frame *slot, empty;
	int rc;

	pthread_mutex_lock(&q->lock);
	while (q->count == q->slots)
		pthread_cond_wait(&q->changed, &q->lock);
	slot = &q->frames[(q->first + q->count) % q->slots];
	empty = *slot;
	*slot = *f;
	*f = empty;
	q->count++;
	pthread_cond_broadcast(&q->changed);
	rc = queue_result(q, stored, err);
	pthread_mutex_unlock(&q->lock);
	return rc;
}

int sf_queue_look(struct sf_queue *q, uint64_t *stored, struct error *err)
{
	int rc;

	pthread_mutex_lock(&q->lock);
	rc = queue_result(q, stored, err);
	pthread_mutex_unlock(&q->lock);
	return rc;
}

int sf_queue_drain(struct sf_queue *q, uint64_t *stored, struct error *err)
{
	int rc;

	pthread_mutex_lock(&q->lock);
	while (q->count || q->waiting)
		pthread_cond_wait(&q->changed, &q->lock);
	rc = queue_result(q, stored, err);
	pthread_mutex_unlock(&q->lock);
	return rc;
}

void sf_queue_stop(struct sf_queue *q)
{
	if (!q->packed_end) /* never started */
		return;
	pthread_mutex_lock(&q->lock);
	q->stop = true;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
	while (q->running)
		pthread_join(q->threads[--q->running], NULL);
	pthread_cond_destroy(&q->changed);
	pthread_mutex_destroy(&q->lock);
	for (unsigned i = 0; i < q->slots; i++)
		sf_frame_done(&q->frames[i]);
	for (unsigned i = 1; i < q->packers; i++)
		sf_packer_done(&q->others[i - 1]);
	q->packed_end = NULL;
}
