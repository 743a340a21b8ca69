/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding ahead of the reader in a thread of its own: a codec around another one. While the thread
 * is at work, input and inner codec are its own; it stops where the data ends, is cut or damaged,
 * and both are the stream's again when that place has been reached.
 */
#include "scapfile/stream.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PIECES	     8
#define PIECE_WAKE   4 /* so many are worth waking a thread that waits for one */
#define PIECE_BYTES  (256u << 10)
#define PIECE_ROOM   (SF_WINDOW_FIRST - PIECE_BYTES) /* before them, for what came before */
#define DIRECT_CALLS 4 /* decoded without a thread: small captures need none */

struct piece {		  /* what one call of the inner codec gave */
	uint8_t *storage; /* SF_WINDOW_FIRST bytes: room, and what was decoded */
	size_t n;
	int flow;	 /* enum sf_flow, or ERR_* */
	uint64_t stored; /* size of the input then */
	struct error err;
};

struct ahead_codec {
	struct sf_codec codec;
	struct sf_codec *inner;
	struct sf_input input; /* the thread's */
	pthread_t thread;
	bool works; /* there is a thread, and the input is with it */
	unsigned direct;
	size_t at; /* consumed of the oldest piece */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Locked: */
	struct piece pieces[PIECES];
	size_t filled, taken; /* so many ever */
	bool stop;
	bool ended;		  /* the last piece is filled */
	bool starves, is_stuffed; /* the reader, the thread wait */
};

/* ---- the thread ---- */

/* A piece to fill, or NULL: nothing is wanted any more. */
static struct piece *free_piece(struct ahead_codec *a)
{
	struct piece *p = NULL;

	pthread_mutex_lock(&a->lock);
	a->is_stuffed = a->filled - a->taken == PIECES;
	while (!a->stop && a->is_stuffed)
		pthread_cond_wait(&a->changed, &a->lock);
	if (!a->stop)
		p = &a->pieces[a->filled % PIECES];
	pthread_mutex_unlock(&a->lock);
	return p;
}

static void fill(struct ahead_codec *a, struct piece *p)
{
	uint8_t *to = p->storage + PIECE_ROOM;

	p->flow = a->inner->ops->decode(a->inner, &a->input, to, PIECE_BYTES, &p->n, &p->err);
	if (p->flow < 0)
		p->n = 0;
	a->inner->made += p->n;
	p->stored = a->input.size;
}

static void *decode_ahead(void *arg)
{
	struct ahead_codec *a = arg;
	struct piece *p;
	bool ended = false;

	while (!ended && (p = free_piece(a))) {
		fill(a, p);
		ended = p->flow != SF_FLOW_MORE;
		pthread_mutex_lock(&a->lock);
		a->filled++;
		a->ended = ended;
		if (a->starves && (ended || a->filled - a->taken >= PIECE_WAKE)) {
			a->starves = false;
			pthread_cond_signal(&a->changed);
		}
		pthread_mutex_unlock(&a->lock);
	}
	return NULL;
}

/* Return: false if there cannot be a thread. */
static bool start(struct ahead_codec *a, struct sf_input *in)
{
	sigset_t all, before;
	int rc;

	a->input = *in;
	a->filled = a->taken = a->at = 0;
	a->stop = a->ended = a->starves = a->is_stuffed = false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&a->thread, NULL, decode_ahead, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	a->works = rc == 0;
	if (a->works)
		*in = (struct sf_input){.fd = -1, .name = in->name, .size = in->size};
	return a->works;
}

/* What was decoded and not taken is lost. */
static void settle(struct sf_codec *c, struct sf_input *in)
{
	struct ahead_codec *a = CONTAINER_OF(c, struct ahead_codec, codec);

	if (!a->works)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	a->works = false;
	*in = a->input;
}

/* ---- the codec ---- */

static struct piece *oldest_piece(struct ahead_codec *a)
{
	pthread_mutex_lock(&a->lock);
	a->starves = a->filled == a->taken && !a->ended;
	while (a->starves)
		pthread_cond_wait(&a->changed, &a->lock);
	pthread_mutex_unlock(&a->lock);
	return &a->pieces[a->taken % PIECES];
}

static void done_with_piece(struct ahead_codec *a)
{
	pthread_mutex_lock(&a->lock);
	a->taken++;
	if (a->is_stuffed && a->filled - a->taken <= PIECES - PIECE_WAKE) {
		a->is_stuffed = false;
		pthread_cond_signal(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	a->at = 0;
}

/* The piece is used up, and nothing follows it. Return: its flow. */
static int end_of_work(struct ahead_codec *a, struct piece *p, struct sf_input *in,
		       struct error *err)
{
	int flow = p->flow;

	if (flow < 0 && err)
		*err = p->err;
	settle(&a->codec, in);
	a->codec.trouble = a->inner->trouble;
	return flow;
}

static int take(struct ahead_codec *a, struct sf_input *in, uint8_t *to, size_t room, size_t *made,
		struct error *err)
{
	while (*made < room) {
		struct piece *p = oldest_piece(a);
		size_t n = p->n - a->at < room - *made ? p->n - a->at : room - *made;

		memcpy(to + *made, p->storage + PIECE_ROOM + a->at, n);
		*made += n;
		a->at += n;
		in->size = p->stored;
		if (a->at < p->n)
			break;
		if (p->flow != SF_FLOW_MORE)
			return end_of_work(a, p, in, err);
		done_with_piece(a);
		if (*made)
			break;
	}
	return SF_FLOW_MORE;
}

/* The oldest piece becomes the window, and the window's storage the piece's. */
static int exchange(struct sf_codec *c, struct sf_stream *s, size_t *made, struct error *err)
{
	struct ahead_codec *a = CONTAINER_OF(c, struct ahead_codec, codec);
	size_t left = sf_stream_left(s);
	uint8_t *storage;
	struct piece *p;

	if (!a->works || a->at || left > PIECE_ROOM || s->cap < SF_WINDOW_FIRST)
		return SF_FLOW_NONE;
	p = oldest_piece(a);
	storage = p->storage;
	p->storage = s->buf;
	s->buf = storage;
	s->cap = SF_WINDOW_FIRST;
	s->end = storage + PIECE_ROOM;
	if (left)
		memcpy(storage + PIECE_ROOM - left, s->at, left);
	s->at = s->end - left;
	s->in.size = p->stored;
	*made = p->n;
	if (p->flow != SF_FLOW_MORE)
		return end_of_work(a, p, &s->in, err);
	done_with_piece(a);
	return SF_FLOW_MORE;
}

static int ahead_decode(struct sf_codec *c, struct sf_input *in, uint8_t *to, size_t room,
			size_t *made, struct error *err)
{
	struct ahead_codec *a = CONTAINER_OF(c, struct ahead_codec, codec);
	int flow;

	*made = 0;
	if (a->works || (a->direct++ >= DIRECT_CALLS && start(a, in)))
		return take(a, in, to, room, made, err);
	flow = a->inner->ops->decode(a->inner, in, to, room, made, err);
	if (flow >= 0)
		a->inner->made += *made;
	a->codec.trouble = a->inner->trouble;
	return flow;
}

static int ahead_resume(struct sf_codec *c, struct sf_input *in, struct error *err)
{
	struct ahead_codec *a = CONTAINER_OF(c, struct ahead_codec, codec);

	return a->inner->ops->resume(a->inner, in, err);
}

static int ahead_enter(struct sf_codec *c, struct sf_input *in, const struct sf_access *at,
		       struct error *err)
{
	struct ahead_codec *a = CONTAINER_OF(c, struct ahead_codec, codec);
	int rc = a->inner->ops->enter(a->inner, in, at, err);

	a->inner->made = at->raw;
	return rc;
}

static void ahead_free(struct sf_codec *c)
{
	struct ahead_codec *a = CONTAINER_OF(c, struct ahead_codec, codec);

	if (a->inner)
		a->inner->ops->free(a->inner);
	for (unsigned i = 0; i < PIECES; i++)
		free(a->pieces[i].storage);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->changed);
	free(a);
}

static const struct sf_codec_ops ahead_ops = {
    .decode = ahead_decode,
    .exchange = exchange,
    .resume = ahead_resume,
    .enter = ahead_enter,
    .settle = settle,
    .free = ahead_free,
};

static struct ahead_codec *ahead_new(void)
{
	struct ahead_codec *a = calloc(1, sizeof(*a));
	bool complete = true;

	if (!a)
		return NULL;
	a->codec.ops = &ahead_ops;
	if (pthread_mutex_init(&a->lock, NULL) != 0 || pthread_cond_init(&a->changed, NULL) != 0) {
		free(a);
		return NULL;
	}
	for (unsigned i = 0; i < PIECES; i++) {
		a->pieces[i].storage = malloc(SF_WINDOW_FIRST);
		complete &= a->pieces[i].storage != NULL;
	}
	if (complete)
		return a;
	ahead_free(&a->codec);
	return NULL;
}

/* Another processor to work on, and an input that never keeps the thread waiting for long. */
static bool is_worthwhile(const struct sf_stream *s)
{
	cpu_set_t cpus;
	struct stat sb;

	return s->codec && (s->in.inside || (fstat(s->in.fd, &sb) == 0 && S_ISREG(sb.st_mode))) &&
	       sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) > 1;
}

void sf_stream_read_ahead(struct sf_stream *s)
{
	struct ahead_codec *a = is_worthwhile(s) ? ahead_new() : NULL;

	if (!a)
		return;
	a->inner = s->codec;
	a->codec.made = s->codec->made;
	a->codec.trouble = s->codec->trouble; /* it may have met damage already */
	a->codec.log = s->codec->log;
	s->codec = &a->codec;
}
