/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool for objects that come and go (threads, fds, strings): size-class free lists over slabs, so
 * that replacing one object by another of similar size costs no malloc. Everything is released by
 * pool_done(). Freed objects are poisoned under ASan. Requests over POOL_LARGE go to malloc and are
 * tracked. Threads: one pool belongs to one thread at a time.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#define POOL_CLASSES 24
#define POOL_LARGE   4096

struct pool_slab;
struct pool_large;
struct pool_free;

struct pool {
	struct pool_free *free[POOL_CLASSES];
	struct pool_slab *slabs;
	struct pool_large *large;
	size_t slab_used; /* bytes used in the newest slab */
	size_t total;	  /* bytes obtained from the system */
};

void pool_done(struct pool *p);
/* @n bytes aligned to 16, uninitialised; NULL when out of memory. */
void *pool_alloc(struct pool *p, size_t n);
void *pool_zalloc(struct pool *p, size_t n);
/* @n must be the size given to pool_alloc(); @obj may be NULL. */
void pool_release(struct pool *p, void *obj, size_t n);

#endif
