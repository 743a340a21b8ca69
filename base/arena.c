/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/poison.h"

#define ARENA_CHUNK_SIZE 16384
#define ARENA_ALIGN	 16

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	_Alignas(ARENA_ALIGN) char data[];
};

void arena_done(struct arena *a)
{
	struct arena_chunk *c = a->first;

	while (c) {
		struct arena_chunk *next = c->next;

		unpoison(c->data, c->size);
		free(c);
		c = next;
	}
	*a = (struct arena){0};
}

void arena_reset(struct arena *a)
{
	for (struct arena_chunk *c = a->first; c; c = c->next)
		poison(c->data, c->size);
	a->at = a->first;
	a->used = 0;
}

/* Continue in the next chunk that can hold @n bytes, making one if none is left. */
static struct arena_chunk *chunk_for(struct arena *a, size_t n)
{
	size_t size = n > ARENA_CHUNK_SIZE ? n : ARENA_CHUNK_SIZE;
	struct arena_chunk *c;

	while (a->at && a->at->next) {
		a->at = a->at->next;
		a->used = 0;
		if (a->at->size >= n)
			return a->at;
	}
	c = malloc(sizeof(*c) + size);
	if (!c)
		return NULL;
	c->next = NULL;
	c->size = size;
	poison(c->data, size);
	if (a->at)
		a->at->next = c;
	else
		a->first = c;
	a->at = c;
	a->used = 0;
	a->total += sizeof(*c) + size;
	return c;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct arena_chunk *c = a->at;
	void *p;

	if (n > SIZE_MAX - ARENA_CHUNK_SIZE)
		return NULL;
	n = n ? (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1) : ARENA_ALIGN;
	if (!c || c->size - a->used < n) {
		c = chunk_for(a, n);
		if (!c)
			return NULL;
	}
	p = c->data + a->used;
	a->used += n;
	unpoison(p, n);
	return p;
}

void *arena_zalloc(struct arena *a, size_t count, size_t size)
{
	size_t n;
	void *p;

	if (__builtin_mul_overflow(count, size, &n))
		return NULL;
	p = arena_alloc(a, n);
	if (p)
		memset(p, 0, n);
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;

	if (!p)
		return NULL;
	if (n)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}
