/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/defs.h"
#include "base/poison.h"

#define POOL_SLAB_SIZE 65536
#define POOL_ALIGN     16

struct pool_slab {
	struct pool_slab *next;
	_Alignas(POOL_ALIGN) char data[POOL_SLAB_SIZE];
};

struct pool_large {
	struct pool_large *prev, *next;
	_Alignas(POOL_ALIGN) char data[];
};

struct pool_free {
	struct pool_free *next;
};

/* Four classes to a doubling, from 16 bytes up; the waste is at most a quarter. */
static unsigned class_of(size_t n, size_t *size)
{
	static const uint16_t sizes[POOL_CLASSES] = {16,  32,  48,  64,	  80,	96,   112,  128,
						     160, 192, 224, 256,  320,	384,  448,  512,
						     640, 768, 896, 1024, 1536, 2048, 3072, 4096};
	unsigned c;

	if (n <= 128)
		c = n ? (unsigned)((n - 1) / 16) : 0;
	else
		for (c = 8; sizes[c] < n; c++)
			;
	*size = sizes[c];
	return c;
}

void pool_done(struct pool *p)
{
	for (struct pool_slab *s = p->slabs; s;) {
		struct pool_slab *next = s->next;

		unpoison(s->data, sizeof(s->data));
		free(s);
		s = next;
	}
	for (struct pool_large *l = p->large; l;) {
		struct pool_large *next = l->next;

		free(l);
		l = next;
	}
	*p = (struct pool){0};
}

static void *alloc_large(struct pool *p, size_t n)
{
	struct pool_large *l;

	if (n > SIZE_MAX - sizeof(*l))
		return NULL;
	l = malloc(sizeof(*l) + n);
	if (!l)
		return NULL;
	l->prev = NULL;
	l->next = p->large;
	if (p->large)
		p->large->prev = l;
	p->large = l;
	p->total += n;
	return l->data;
}

static void release_large(struct pool *p, void *obj, size_t n)
{
	struct pool_large *l = CONTAINER_OF(obj, struct pool_large, data);

	if (l->prev)
		l->prev->next = l->next;
	else
		p->large = l->next;
	if (l->next)
		l->next->prev = l->prev;
	p->total -= n;
	free(l);
}

void *pool_alloc(struct pool *p, size_t n)
{
	struct pool_free *f;
	size_t size;
	unsigned c;
	void *obj;

	if (n > POOL_LARGE)
		return alloc_large(p, n);
	c = class_of(n, &size);
	f = p->free[c];
	if (f) {
		unpoison(f, size);
		p->free[c] = f->next;
		return f;
	}
	if (!p->slabs || POOL_SLAB_SIZE - p->slab_used < size) {
		struct pool_slab *s = malloc(sizeof(*s));

		if (!s)
			return NULL;
		s->next = p->slabs;
		p->slabs = s;
		p->slab_used = 0;
		p->total += sizeof(*s);
		poison(s->data, sizeof(s->data));
	}
	obj = p->slabs->data + p->slab_used;
	p->slab_used += size;
	unpoison(obj, size);
	return obj;
}

void *pool_zalloc(struct pool *p, size_t n)
{
	void *obj = pool_alloc(p, n);

	if (obj)
		memset(obj, 0, n);
	return obj;
}

void pool_release(struct pool *p, void *obj, size_t n)
{
	struct pool_free *f = obj;
	size_t size;
	unsigned c;

	if (!obj)
		return;
	if (n > POOL_LARGE) {
		release_large(p, obj, n);
		return;
	}
	c = class_of(n, &size);
	f->next = p->free[c];
	p->free[c] = f;
	poison(f, size);
}
