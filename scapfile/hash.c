/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/stream.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define ASIDE_BYTES  (32u << 10) /* less is not worth waking the thread for */
#define ASIDE_PIECES 4		 /* small files need no thread */

struct sf_hash {
	EVP_MD_CTX *ctx;
	bool failed;
	bool wants_thread, has_thread;
	unsigned pieces; /* large enough for it, until there is one */
	/* Its own: */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	const void *p; /* what the thread is to add, or adds */
	size_t n;      /* 0: nothing */
	bool over;     /* nothing follows */
};

int sf_hash_new(struct sf_hash **out, struct error *err)
{
	struct sf_hash *h = calloc(1, sizeof(*h));

	if (!h)
		return error_nomem(err);
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1) {
		sf_hash_free(h);
		return error_set(err, ERR_NOMEM, "cannot set up SHA-256");
	}
	*out = h;
	return 0;
}

static void add(struct sf_hash *h, const void *p, size_t n)
{
	if (EVP_DigestUpdate(h->ctx, p, n) != 1)
		h->failed = true;
}

static void *add_aside(void *arg)
{
	struct sf_hash *h = arg;

	pthread_mutex_lock(&h->lock);
	for (;;) {
		while (!h->n && !h->over)
			pthread_cond_wait(&h->changed, &h->lock);
		if (!h->n)
			break;
		pthread_mutex_unlock(&h->lock);
		add(h, h->p, h->n);
		pthread_mutex_lock(&h->lock);
		h->n = 0;
		pthread_cond_signal(&h->changed);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

void sf_hash_aside(struct sf_hash *h)
{
	h->wants_thread = true;
}

/* Signals are for those who were there before. */
static void start_thread(struct sf_hash *h)
{
	sigset_t all, before;

	h->wants_thread = false;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	h->has_thread = pthread_create(&h->thread, NULL, add_aside, h) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (h->has_thread)
		return;
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
}

void sf_hash_wait(struct sf_hash *h)
{
	if (!h->has_thread)
		return;
	pthread_mutex_lock(&h->lock);
	while (h->n)
		pthread_cond_wait(&h->changed, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

static void hand_over(struct sf_hash *h, const void *p, size_t n)
{
	pthread_mutex_lock(&h->lock);
	h->p = p;
	h->n = n;
	pthread_cond_signal(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

void sf_hash_add(struct sf_hash *h, const void *p, size_t n)
{
	sf_hash_wait(h);
	if (h->wants_thread && n >= ASIDE_BYTES && ++h->pieces == ASIDE_PIECES)
		start_thread(h);
	if (h->has_thread && n >= ASIDE_BYTES)
		hand_over(h, p, n);
	else
		add(h, p, n);
}

static void end_thread(struct sf_hash *h)
{
	if (!h->has_thread)
		return;
	pthread_mutex_lock(&h->lock);
	h->over = true;
	pthread_cond_signal(&h->changed);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
	h->has_thread = false;
}

bool sf_hash_end(struct sf_hash *h, uint8_t digest[32])
{
	end_thread(h);
	return !h->failed && EVP_DigestFinal_ex(h->ctx, digest, NULL) == 1;
}

void sf_hash_free(struct sf_hash *h)
{
	if (!h)
		return;
	end_thread(h);
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

bool sf_hash_once(const void *p, size_t n, uint8_t digest[32])
{
	return EVP_Digest(p, n, digest, NULL, EVP_sha256(), NULL) == 1;
}
