/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that compresses and writes frames in the order they were finished. The queue swaps
 * storage with the writer, so a recording allocates no frame after the first few.
 */
#include "scapfile/output.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_BEST_EFFORT (2 << 13)
#define IOPRIO_LOWEST	   7

/* Write the queue's first frame, whose storage is the thread's own until it is counted out. */
static void write_first(struct sf_queue *q)
{
	struct sf_frame *f = &q->ring[q->first];
	struct error err = {0};
	int rc = q->rc;

	pthread_mutex_unlock(&q->lock);
	if (rc >= 0)
		rc = sf_output_frame(q->out, f, &err);
	f->len = 0;
	pthread_mutex_lock(&q->lock);
	if (rc < 0 && q->rc >= 0) {
		q->rc = rc;
		q->err = err;
	}
	q->stored = q->out->stored;
	q->first = (q->first + 1) % SF_QUEUE_FRAMES;
	q->count--;
	pthread_cond_broadcast(&q->changed);
}

/* Of this thread alone: 0 is the one that asks. That it is refused is no failure. */
static void be_nice(int niceness)
{
	if (!niceness)
		return;
	(void)setpriority(PRIO_PROCESS, 0, niceness);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_BEST_EFFORT | IOPRIO_LOWEST);
}

static void *queue_thread(void *arg)
{
	struct sf_queue *q = arg;

	be_nice(q->niceness);
	pthread_mutex_lock(&q->lock);
	while (q->count || !q->stop) {
		if (q->count)
			write_first(q);
		else
			pthread_cond_wait(&q->changed, &q->lock);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

int sf_queue_start(struct sf_queue *q, struct sf_output *out, int niceness, struct error *err)
{
	sigset_t all, before;
	int rc;

	*q = (struct sf_queue){.out = out, .stored = out->stored, .niceness = niceness};
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->changed, NULL);
	/* Signals are the program's business, not this thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&q->thread, NULL, queue_thread, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	q->running = rc == 0;
	return rc ? error_sys(err, rc, "cannot start a thread for '%s'", out->path) : 0;
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
	while (q->count == SF_QUEUE_FRAMES)
		pthread_cond_wait(&q->changed, &q->lock);
	slot = &q->ring[(q->first + q->count) % SF_QUEUE_FRAMES];
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
	while (q->count)
		pthread_cond_wait(&q->changed, &q->lock);
	rc = queue_result(q, stored, err);
	pthread_mutex_unlock(&q->lock);
	return rc;
}

void sf_queue_stop(struct sf_queue *q)
{
	if (!q->running)
		return;
	pthread_mutex_lock(&q->lock);
	q->stop = true;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
	pthread_join(q->thread, NULL);
	pthread_cond_destroy(&q->changed);
	pthread_mutex_destroy(&q->lock);
	for (unsigned i = 0; i < SF_QUEUE_FRAMES; i++)
		sf_frame_done(&q->ring[i]);
	q->running = false;
}
