/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: allocations that die together. arena_reset() keeps the memory for reuse, so a per-event
 * arena stops allocating once it has grown to the largest event. Released memory is poisoned under
 * ASan. Zero-initialised storage is a valid empty arena. Threads: one arena belongs to one thread
 * at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/sv.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *first, *at;
	size_t used;  /* bytes used in @at */
	size_t total; /* bytes obtained from the system */
};

void arena_done(struct arena *a);
void arena_reset(struct arena *a);
/* @n bytes aligned for any type, uninitialised; NULL when out of memory. */
void *arena_alloc(struct arena *a, size_t n);
/* The same, zeroed; @count * @size must not overflow (NULL if it would). */
void *arena_zalloc(struct arena *a, size_t count, size_t size);
/* A NUL-terminated copy of @s; NULL when out of memory. */
char *arena_strndup(struct arena *a, const char *s, size_t n);

static inline char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

static inline struct sv arena_sv(struct arena *a, struct sv s)
{
	return sv_make(arena_strndup(a, s.p, s.n), s.n);
}

#endif
