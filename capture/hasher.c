/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that hashes executed files, and its two queues: of execs from the drain, of results to
 * it. Each has one end that puts and one that takes, so nobody holds a lock. A file may be on a
 * file system that does not answer: a thread that hangs there is left to itself at the end.
 */
#include "capture/hasher.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "capture/internal.h"

#define HASHER_NICE   19
#define IOPRIO_LOWEST (2 << 13 | 7) /* of the usual class */
#define ATTEMPTS      2		    /* a file may be deleted, which changes it, while it is read */

enum { EXEC_RES, EXEC_PID = 4, EXEC_INO = 23, EXEC_CTIME, EXEC_MTIME, EXEC_PATH = 27 };

enum { WORKING, PUTTING, ABANDONED };

struct hasher {
	atomic_int owners; /* the drain and the thread: the last one frees it */
	uint64_t boot_ns;
	sem_t work, finished;
	pthread_t thread;
	atomic_bool stopping, give_up, ended, forget;
	atomic_int phase;
	_Atomic uint64_t cpu_ns;
	_Atomic uint32_t put, taken;		     /* of @queue */
	_Atomic uint32_t results_put, results_taken; /* of @results */
	_Atomic uint64_t results_lost;
	struct hash_exec queue[HASH_QUEUE_MAX];
	struct hash_result results[HASH_QUEUE_MAX];
	/* the thread's */
	struct hash_known known;
	struct hash_rate rate;
	uint8_t buffer[HASH_BUFFER_BYTES];
	/* the drain's */
	uint64_t skipped, left; /* for lack of room; at the end */
	uint64_t tell_at;
	bool telling; /* @told is next */
	struct hash_result told;
};

static uint64_t hasher_now(const struct hasher *h)
{
	return h->boot_ns + clock_ns(CLOCK_BOOTTIME);
}

static void release(struct hasher *h)
{
	if (atomic_fetch_sub(&h->owners, 1) != 1)
		return;
	hash_known_done(&h->known);
	sem_destroy(&h->work);
	sem_destroy(&h->finished);
	free(h);
}

/* --- the thread --- */

static enum ev_hash_status read_file(struct hasher *h, int fd, const struct stat *sb,
				     uint8_t *sha256)
{
	if (sb->st_size > HASH_SIZE_MAX)
		return EV_HASH_SIZE;
	if (!hash_rate_take(&h->rate, clock_ns(CLOCK_MONOTONIC), (uint64_t)sb->st_size))
		return EV_HASH_RATE;
	return hash_read(fd, sb, &h->give_up, h->buffer, sha256);
}

/* What @fd has, unless that was told. Return: whether there is something to tell. */
static bool hash_opened(struct hasher *h, const struct hash_exec *x, int fd, const struct stat *sb,
			struct hash_result *out)
{
	struct hash_file file = {sb->st_dev, sb->st_ino, x->ctime, (uint64_t)sb->st_size};
	uint64_t path = hash_bytes(x->path, x->path_n, 0);
	const struct hash_entry *known = hash_known_find(&h->known, &file, path, false);

	if (known)
		return false;
	out->hash.dev = (uint32_t)sb->st_dev;
	out->hash.size = file.size;
	known = hash_known_find(&h->known, &file, 0, true); /* by another name */
	if (known) {
		out->hash.status = known->status;
		memcpy(out->sha256, known->sha256, sizeof(out->sha256));
	} else {
		out->hash.status = read_file(h, fd, sb, out->sha256);
	}
	if (out->hash.status == EV_HASH_DONE || out->hash.status == EV_HASH_SIZE)
		hash_known_add(&h->known, &file, path, out->hash.status, out->sha256);
	return true;
}

static bool hash_one(struct hasher *h, const struct hash_exec *x, struct hash_result *out)
{
	bool tell = true;

	for (int i = 0; i < ATTEMPTS; i++) {
		enum ev_hash_status status;
		struct stat sb;
		int fd = hash_open(x, &sb, &status);

		out->hash.status = status;
		if (fd < 0)
			return status != EV_HASH_GONE ||
			       !hash_known_has(&h->known, x->ino, x->ctime,
					       hash_bytes(x->path, x->path_n, 0));
		tell = hash_opened(h, x, fd, &sb, out);
		close(fd);
		if (out->hash.status != EV_HASH_CHANGED)
			break;
	}
	return tell;
}

static void fill_result(struct hasher *h, const struct hash_exec *x, struct hash_result *out)
{
	memcpy(out->path, x->path, x->path_n);
	out->hash.ino = x->ino;
	out->hash.ctime = x->ctime;
	out->hash.pid = x->pid;
	out->hash.path = sv_make(out->path, x->path_n);
	out->hash.sha256 = out->hash.status == EV_HASH_DONE ? out->sha256 : NULL;
	out->tid = x->tid;
	out->ts = hasher_now(h);
}

/* Take the next exec off the queue. Return: false when nobody waits for it any more. */
static bool work_off(struct hasher *h)
{
	uint32_t at = atomic_load(&h->taken), to = atomic_load(&h->results_put);
	const struct hash_exec *x = &h->queue[at % HASH_QUEUE_MAX];
	struct hash_result *out = &h->results[to % HASH_QUEUE_MAX];
	bool room = to - atomic_load(&h->results_taken) < HASH_QUEUE_MAX, tell = false;
	int working = WORKING;

	if (atomic_exchange(&h->forget, false))
		hash_known_clear(&h->known);
	if (room) {
		out->hash = (struct ev_hash){0};
		tell = hash_one(h, x, out);
	}
	if (!atomic_compare_exchange_strong(&h->phase, &working, PUTTING))
		return false;
	if (tell) {
		fill_result(h, x, out);
		atomic_store(&h->results_put, to + 1);
	}
	if (!room)
		atomic_fetch_add(&h->results_lost, 1);
	atomic_store(&h->taken, at + 1);
	atomic_store(&h->cpu_ns, clock_ns(CLOCK_THREAD_CPUTIME_ID));
	atomic_store(&h->phase, WORKING);
	return true;
}

static void *hasher_main(void *arg)
{
	struct hasher *h = arg;
	pid_t tid = (pid_t)syscall(SYS_gettid);

	setpriority(PRIO_PROCESS, (id_t)tid, HASHER_NICE);
	syscall(SYS_ioprio_set, 1, tid, IOPRIO_LOWEST);
	caps_keep_for_hasher();
	for (;;) {
		bool stopping = atomic_load(&h->stopping);

		if (atomic_load(&h->taken) != atomic_load(&h->put)) {
			if (!work_off(h))
				break;
		} else if (stopping) {
			break;
		} else {
			while (sem_wait(&h->work) < 0 && errno == EINTR)
				;
		}
	}
	atomic_store(&h->ended, true);
	sem_post(&h->finished);
	release(h);
	return NULL;
}

/* --- the drain's side --- */

static struct sv path_of(struct ev *ev)
{
	struct ev_value v = ev_param(ev, EXEC_PATH);

	/* No path fits that is too long, and the state could not find it by a shorter one. */
	return v.n > 1 && v.n <= EV_HASH_PATH_MAX ? sv_make((const char *)v.p, v.n - 1) : SV_NONE;
}

static bool read_exec(struct ev *ev, struct hash_exec *x)
{
	struct sv path = path_of(ev);
	int64_t res;

	if (!ev_i64(ev, EXEC_RES, &res) || res != 0)
		return false;
	x->tid = ev->tid;
	if (!ev_i64(ev, EXEC_PID, &x->pid))
		x->pid = ev->tid;
	if (!ev_u64(ev, EXEC_INO, &x->ino))
		x->ino = 0;
	if (!ev_u64(ev, EXEC_CTIME, &x->ctime))
		x->ctime = 0;
	if (!ev_u64(ev, EXEC_MTIME, &x->mtime))
		x->mtime = 0;
	x->path_n = path.n;
	if (path.n)
		memcpy(x->path, path.p, path.n);
	x->path[path.n] = '\0';
	return true;
}

void hasher_offer(struct hasher *h, const uint8_t *body)
{
	uint32_t at = atomic_load(&h->put);
	struct ev ev = {.tid = (int64_t)load_u64(body + 8),
			.type = load_u16(body + 20),
			.nparams = (uint16_t)load_u32(body + 22),
			.lens = body + WIRE_HEADER_LEN};

	if (ev.type != EV_EXECVE_19_X && ev.type != EV_EXECVEAT_X)
		return;
	ev.data = ev.lens + 2 * ev.nparams;
	if (at - atomic_load(&h->taken) >= HASH_QUEUE_MAX) {
		h->skipped++;
		return;
	}
	if (!read_exec(&ev, &h->queue[at % HASH_QUEUE_MAX]))
		return;
	atomic_store(&h->put, at + 1);
	sem_post(&h->work);
}

/* Executions nobody looked at. */
static void tell_skipped(struct hasher *h, uint64_t now, enum ev_hash_status status, uint64_t *n)
{
	if (h->telling || !*n)
		return;
	h->told =
	    (struct hash_result){.ts = now, .tid = -1, .hash = {.status = status, .skipped = *n}};
	*n = 0;
	h->telling = true;
}

const struct hash_result *hasher_next(struct hasher *h, uint64_t now, uint64_t until)
{
	uint32_t at = atomic_load_explicit(&h->results_taken, memory_order_relaxed);
	const struct hash_result *r = NULL;

	if (at != atomic_load_explicit(&h->results_put, memory_order_acquire))
		r = &h->results[at % HASH_QUEUE_MAX];
	if (now >= h->tell_at || atomic_load(&h->stopping)) {
		h->skipped += atomic_exchange(&h->results_lost, 0);
		h->tell_at = now + HASH_TELL_NS;
		tell_skipped(h, now, EV_HASH_QUEUE, &h->skipped);
		tell_skipped(h, now, EV_HASH_STOPPED, &h->left);
	}
	if (h->telling && (!r || h->told.ts < r->ts))
		r = &h->told;
	return r && r->ts <= until ? r : NULL;
}

void hasher_taken(struct hasher *h, const struct hash_result *r)
{
	if (r == &h->told)
		h->telling = false;
	else
		atomic_fetch_add(&h->results_taken, 1);
}

void hasher_forget(struct hasher *h)
{
	atomic_store(&h->forget, true);
}

uint64_t hasher_cpu_ns(const struct hasher *h)
{
	return atomic_load(&h->cpu_ns);
}

/* --- life --- */

static void abandon(struct hasher *h)
{
	int working = WORKING;

	atomic_store(&h->give_up, true);
	while (!atomic_compare_exchange_weak(&h->phase, &working, ABANDONED)) {
		working = WORKING; /* it is putting, which takes no time */
		sched_yield();
	}
	h->left = atomic_load(&h->put) - atomic_load(&h->taken);
}

void hasher_finish(struct hasher *h, uint64_t wait_ns)
{
	uint64_t until = clock_ns(CLOCK_MONOTONIC) + wait_ns;
	struct timespec t = {.tv_sec = (time_t)(until / 1000000000u),
			     .tv_nsec = (long)(until % 1000000000u)};
	int rc;

	if (atomic_exchange(&h->stopping, true))
		return;
	sem_post(&h->work);
	do
		rc = sem_clockwait(&h->finished, CLOCK_MONOTONIC, &t);
	while (rc < 0 && errno == EINTR);
	if (rc < 0)
		abandon(h);
}

void hasher_close(struct hasher *h)
{
	if (!h)
		return;
	hasher_finish(h, 0);
	if (atomic_load(&h->ended))
		pthread_join(h->thread, NULL);
	else
		pthread_detach(h->thread);
	release(h);
}

static int start_thread(struct hasher *h, struct error *err)
{
	sigset_t all, before;
	int sys;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	sys = pthread_create(&h->thread, NULL, hasher_main, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return sys ? error_sys(err, sys, "cannot start the thread that hashes files") : 0;
}

int hasher_start(struct hasher **out, uint64_t boot_ns, struct error *err)
{
	struct hasher *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return error_nomem(err);
	atomic_init(&h->owners, 2);
	h->boot_ns = boot_ns;
	sem_init(&h->work, 0, 0);
	sem_init(&h->finished, 0, 0);
	rc = hash_known_init(&h->known, HASH_KNOWN_MAX, err);
	if (rc >= 0)
		rc = start_thread(h, err);
	if (rc < 0) {
		atomic_store(&h->owners, 1);
		release(h);
		return rc;
	}
	*out = h;
	return 0;
}
