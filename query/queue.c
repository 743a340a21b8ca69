/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded queue between the thread that replays and the thread that writes. Two buffers swap
 * roles, so that rows are copied once and nothing is allocated per row. The writer is not woken for
 * each row: while rows are few it looks every idle_ms, and early once QRY_WAKE_BYTES are there.
 */
#include "query/internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static int cond_init_monotonic(pthread_cond_t *c)
{
	pthread_condattr_t attr;
	int rc = pthread_condattr_init(&attr);

	if (rc)
		return rc;
	rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (!rc)
		rc = pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
	return rc;
}

static int sync_init(struct qry_queue *q)
{
	int rc = pthread_mutex_init(&q->lock, NULL);

	if (rc)
		return rc;
	rc = cond_init_monotonic(&q->rows);
	if (rc)
		goto no_rows;
	rc = cond_init_monotonic(&q->space);
	if (rc)
		goto no_space;
	return 0;
no_space:
	pthread_cond_destroy(&q->rows);
no_rows:
	pthread_mutex_destroy(&q->lock);
	return rc;
}

int qry_queue_init(struct qry_queue *q, size_t bytes, struct error *err)
{
	int rc;

	*q = (struct qry_queue){.wake_at = SIZE_MAX};
	q->fill.cap = q->drain.cap = bytes / 2;
	q->fill.p = malloc(q->fill.cap);
	q->drain.p = malloc(q->drain.cap);
	rc = q->fill.p && q->drain.p ? sync_init(q) : ENOMEM;
	if (!rc)
		return 0;
	free(q->fill.p);
	free(q->drain.p);
	return error_sys(err, rc, "cannot set up the queue of the case writer");
}

void qry_queue_done(struct qry_queue *q)
{
	free(q->fill.p);
	free(q->drain.p);
	pthread_cond_destroy(&q->space);
	pthread_cond_destroy(&q->rows);
	pthread_mutex_destroy(&q->lock);
}

static int failure(const struct qry_queue *q, struct error *err)
{
	if (q->failed && err)
		*err = q->error;
	return q->failed;
}

/* With the lock held. A row larger than a buffer gets an empty one that is grown for it. */
static int make_room(struct qry_queue *q, size_t n, struct error *err)
{
	uint8_t *p;

	while (!q->failed && q->fill.len && q->fill.cap - q->fill.len < n) {
		q->hurry = true;
		pthread_cond_signal(&q->rows);
		pthread_cond_wait(&q->space, &q->lock);
	}
	if (q->failed)
		return failure(q, err);
	if (LIKELY(q->fill.cap - q->fill.len >= n))
		return 0;
	p = realloc(q->fill.p, n);
	if (!p)
		return error_nomem(err);
	q->fill.p = p;
	q->fill.cap = n;
	return 0;
}

int qry_queue_push(struct qry_queue *q, enum qry_op op, const struct qry_value *v, unsigned n,
		   struct error *err)
{
	size_t room = qry_row_room(v, n);
	int rc;

	pthread_mutex_lock(&q->lock);
	rc = make_room(q, room, err);
	if (rc == 0) {
		q->fill.len += qry_row_encode(q->fill.p + q->fill.len, op, v, n);
		q->pushed++;
		if (q->fill.len >= q->wake_at)
			pthread_cond_signal(&q->rows);
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}

int qry_queue_flush(struct qry_queue *q, struct error *err)
{
	int rc;

	pthread_mutex_lock(&q->lock);
	while (!q->failed && q->settled < q->pushed) {
		q->hurry = true;
		pthread_cond_signal(&q->rows);
		pthread_cond_wait(&q->space, &q->lock);
	}
	rc = failure(q, err);
	pthread_mutex_unlock(&q->lock);
	return rc;
}

void qry_queue_close(struct qry_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_signal(&q->rows);
	pthread_mutex_unlock(&q->lock);
}

static struct timespec deadline_after(int ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += ms % 1000 * 1000000L;
	if (ts.tv_nsec >= 1000000000L) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000L;
	}
	return ts;
}

/* With the lock held. Return: true when the time is up. */
static bool wait_for_rows(struct qry_queue *q, int idle_ms)
{
	struct timespec until = {0};
	int rc = 0;

	if (idle_ms >= 0)
		until = deadline_after(idle_ms);
	q->wake_at = idle_ms >= 0 ? QRY_WAKE_BYTES : 1;
	while (!q->closed && !q->hurry && q->fill.len < q->wake_at && rc != ETIMEDOUT) {
		if (idle_ms >= 0)
			rc = pthread_cond_timedwait(&q->rows, &q->lock, &until);
		else
			pthread_cond_wait(&q->rows, &q->lock);
	}
	q->wake_at = SIZE_MAX;
	return rc == ETIMEDOUT;
}

void qry_queue_take(struct qry_queue *q, bool settled, int idle_ms, struct qry_batch *out)
{
	struct qry_half taken;
	bool late;

	pthread_mutex_lock(&q->lock);
	if (settled && q->settled != q->taken) {
		q->settled = q->taken;
		pthread_cond_signal(&q->space);
	}
	late = wait_for_rows(q, idle_ms);
	taken = q->fill;
	q->fill = q->drain;
	q->fill.len = 0;
	q->drain = taken;
	q->taken = q->pushed;
	out->rows = sv_make(taken.p, taken.len);
	out->commit = late || q->hurry || q->closed;
	out->end = q->closed;
	q->hurry = false;
	pthread_cond_signal(&q->space);
	pthread_mutex_unlock(&q->lock);
}

bool qry_queue_is_idle(struct qry_queue *q)
{
	bool idle;

	pthread_mutex_lock(&q->lock);
	idle = !q->failed && !q->closed && !q->hurry && q->fill.len < QRY_WAKE_BYTES;
	pthread_mutex_unlock(&q->lock);
	return idle;
}

void qry_queue_fail(struct qry_queue *q, const struct error *e)
{
	assert(e->code < 0);
	pthread_mutex_lock(&q->lock);
	if (!q->failed) {
		q->failed = e->code;
		q->error = *e;
	}
	pthread_cond_signal(&q->space);
	pthread_mutex_unlock(&q->lock);
}
