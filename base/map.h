/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open-addressing hash maps: struct map from a 64-bit number, struct smap from text, to a pointer.
 * Values are never NULL; the maps do not own them. Hashes are seeded, so that hostile keys cannot
 * be chosen to collide. Iteration order is unspecified: sort before showing anything.
 * Zero-initialised storage is a valid empty map. Threads: one map belongs to one thread at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/defs.h"
#include "base/sv.h"

struct map_slot {
	uint64_t key;
	void *value; /* NULL: free slot */
};

struct map {
	struct map_slot *slots;
	size_t count;
	size_t mask; /* capacity - 1, or 0 without storage */
	uint64_t seed;
};

/* Mixes all bits of @x; a bijection. */
static inline uint64_t hash_u64(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	return x ^ x >> 32;
}

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);

void map_done(struct map *m);
/* Return: the value under @key, or NULL. */
static inline void *map_get(const struct map *m, uint64_t key)
{
	size_t i;

	if (UNLIKELY(!m->slots))
		return NULL;
	for (i = hash_u64(key ^ m->seed) & m->mask; m->slots[i].value; i = (i + 1) & m->mask)
		if (m->slots[i].key == key)
			return m->slots[i].value;
	return NULL;
}
/* Insert or replace. Return: 0, or ERR_NOMEM with the map unchanged. */
MUST_CHECK int map_put(struct map *m, uint64_t key, void *value);
/* Return: the value that was removed, or NULL. Invalidates running iterations. */
void *map_take(struct map *m, uint64_t key);
void map_clear(struct map *m);
/* for (size_t at = 0; (slot = map_next(&m, &at));) visits every entry once; no insert or remove
 * meanwhile. */
struct map_slot *map_next(const struct map *m, size_t *at);
/* Put @slots in order of their keys; those of equal keys stay in theirs. Far cheaper for many than
 * comparing. Return: 0 or ERR_NOMEM. */
MUST_CHECK int map_sort(struct map_slot *slots, size_t n);
/* Copies of all entries in order of their keys, for the caller to free; NULL: there are none, or no
 * memory. */
struct map_slot *map_sorted(const struct map *m);
/* The same where keys are int64_t. */
struct map_slot *map_sorted_signed(const struct map *m);

struct smap_slot {
	struct sv key; /* borrowed from the caller: must live as long as the entry */
	uint64_t hash;
	void *value;
};

struct smap {
	struct smap_slot *slots;
	size_t count;
	size_t mask;
	uint64_t seed;
};

void smap_done(struct smap *m);
void *smap_get(const struct smap *m, struct sv key);
MUST_CHECK int smap_put(struct smap *m, struct sv key, void *value);
/* Return: the value under @key, which is @value if there was none; NULL: out of memory. */
void *smap_get_or_put(struct smap *m, struct sv key, void *value);
void *smap_take(struct smap *m, struct sv key);
void smap_clear(struct smap *m);
struct smap_slot *smap_next(const struct smap *m, size_t *at);
struct smap_slot *smap_sorted(const struct smap *m); /* as map_sorted() */

#endif
