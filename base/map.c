/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"

#define MAP_FIRST_CAPACITY 16

/* A seed per process: it only has to be unknown to whoever wrote the input. */
static uint64_t new_seed(void)
{
	static uint64_t base;
	uint64_t seed = __atomic_load_n(&base, __ATOMIC_RELAXED);

	if (seed)
		return seed;
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = (uint64_t)(uintptr_t)&seed;
	seed |= 1;
	__atomic_store_n(&base, seed, __ATOMIC_RELAXED);
	return seed;
}

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed)
{
	const unsigned char *b = p;
	uint64_t h = seed ^ n * 0x9e3779b97f4a7c15u;
	uint64_t word;

	for (; n >= 8; n -= 8, b += 8) {
		memcpy(&word, b, 8);
		h = hash_u64(h ^ word);
	}
	if (n) {
		word = 0;
		memcpy(&word, b, n);
		h = hash_u64(h ^ word);
	}
	return h;
}

void map_done(struct map *m)
{
	free(m->slots);
	*m = (struct map){0};
}

static void map_place(struct map *m, uint64_t key, void *value)
{
	size_t i = hash_u64(key ^ m->seed) & m->mask;

	while (m->slots[i].value)
		i = (i + 1) & m->mask;
	m->slots[i] = (struct map_slot){key, value};
}

static int map_grow(struct map *m)
{
	size_t cap = m->slots ? (m->mask + 1) * 2 : MAP_FIRST_CAPACITY;
	struct map bigger = {.count = m->count, .mask = cap - 1};

	bigger.seed = m->seed ? m->seed : new_seed();
	bigger.slots = calloc(cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return ERR_NOMEM;
	for (size_t i = 0; m->slots && i <= m->mask; i++)
		if (m->slots[i].value)
			map_place(&bigger, m->slots[i].key, m->slots[i].value);
	free(m->slots);
	*m = bigger;
	return 0;
}

int map_put(struct map *m, uint64_t key, void *value)
{
	size_t i;
	int rc;

	if (m->slots) {
		for (i = hash_u64(key ^ m->seed) & m->mask; m->slots[i].value;
		     i = (i + 1) & m->mask) {
			if (m->slots[i].key == key) {
				m->slots[i].value = value;
				return 0;
			}
		}
	}
	if (!m->slots || (m->count + 1) * 4 > (m->mask + 1) * 3) {
		rc = map_grow(m);
		if (rc < 0)
			return rc;
	}
	map_place(m, key, value);
	m->count++;
	return 0;
}

void *map_take(struct map *m, uint64_t key)
{
	size_t i, gap;
	void *value;

	if (!m->slots)
		return NULL;
	for (i = hash_u64(key ^ m->seed) & m->mask; m->slots[i].value; i = (i + 1) & m->mask)
		if (m->slots[i].key == key)
			break;
	value = m->slots[i].value;
	if (!value)
		return NULL;
	/* Close the gap: move back each later entry of the run that may legally stand in it. */
	gap = i;
	for (;;) {
		size_t home;

		i = (i + 1) & m->mask;
		if (!m->slots[i].value)
			break;
		home = hash_u64(m->slots[i].key ^ m->seed) & m->mask;
		if (((i - home) & m->mask) >= ((i - gap) & m->mask)) {
			m->slots[gap] = m->slots[i];
			gap = i;
		}
	}
	m->slots[gap].value = NULL;
	m->count--;
	return value;
}

void map_clear(struct map *m)
{
	if (m->slots)
		memset(m->slots, 0, (m->mask + 1) * sizeof(*m->slots));
	m->count = 0;
}

struct map_slot *map_next(const struct map *m, size_t *at)
{
	while (m->slots && *at <= m->mask) {
		struct map_slot *s = &m->slots[(*at)++];

		if (s->value)
			return s;
	}
	return NULL;
}

void smap_done(struct smap *m)
{
	free(m->slots);
	*m = (struct smap){0};
}

/* The slot that holds @key, or the free one where it would go. Needs storage. */
static size_t smap_find(const struct smap *m, struct sv key, uint64_t hash)
{
	size_t i = hash & m->mask;

	while (m->slots[i].value && !(m->slots[i].hash == hash && sv_eq(m->slots[i].key, key)))
		i = (i + 1) & m->mask;
	return i;
}

void *smap_get(const struct smap *m, struct sv key)
{
	if (!m->slots)
		return NULL;
	return m->slots[smap_find(m, key, hash_bytes(key.p, key.n, m->seed))].value;
}

static int smap_grow(struct smap *m)
{
	size_t cap = m->slots ? (m->mask + 1) * 2 : MAP_FIRST_CAPACITY;
	struct smap bigger = {.count = m->count, .mask = cap - 1};

	bigger.seed = m->seed ? m->seed : new_seed();
	bigger.slots = calloc(cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return ERR_NOMEM;
	for (size_t i = 0; m->slots && i <= m->mask; i++) {
		struct smap_slot *s = &m->slots[i];

		if (s->value)
			bigger.slots[smap_find(&bigger, s->key, s->hash)] = *s;
	}
	free(m->slots);
	*m = bigger;
	return 0;
}

/* The slot of @key, with room for it if it is free; NULL: out of memory. */
static struct smap_slot *smap_slot_for(struct smap *m, struct sv key, uint64_t *hash)
{
	if ((!m->slots || (m->count + 1) * 4 > (m->mask + 1) * 3) && smap_grow(m) < 0)
		return NULL;
	*hash = hash_bytes(key.p, key.n, m->seed);
	return &m->slots[smap_find(m, key, *hash)];
}

int smap_put(struct smap *m, struct sv key, void *value)
{
	uint64_t hash;
	struct smap_slot *s = smap_slot_for(m, key, &hash);

	if (!s)
		return ERR_NOMEM;
	m->count += !s->value;
	/* Of two equal keys the newer text stays: the older value, and with it the older text, may
	 * go away. */
	*s = (struct smap_slot){key, hash, value};
	return 0;
}

void *smap_get_or_put(struct smap *m, struct sv key, void *value)
{
	uint64_t hash;
	struct smap_slot *s = smap_slot_for(m, key, &hash);

	if (s && !s->value) {
		*s = (struct smap_slot){key, hash, value};
		m->count++;
	}
	return s ? s->value : NULL;
}

void *smap_take(struct smap *m, struct sv key)
{
	size_t i, gap;
	void *value;

	if (!m->slots)
		return NULL;
	i = smap_find(m, key, hash_bytes(key.p, key.n, m->seed));
	value = m->slots[i].value;
	if (!value)
		return NULL;
	gap = i;
	for (;;) {
		size_t home;

		i = (i + 1) & m->mask;
		if (!m->slots[i].value)
			break;
		home = m->slots[i].hash & m->mask;
		if (((i - home) & m->mask) >= ((i - gap) & m->mask)) {
			m->slots[gap] = m->slots[i];
			gap = i;
		}
	}
	m->slots[gap].value = NULL;
	m->count--;
	return value;
}

void smap_clear(struct smap *m)
{
	if (m->slots)
		memset(m->slots, 0, (m->mask + 1) * sizeof(*m->slots));
	m->count = 0;
}

struct smap_slot *smap_next(const struct smap *m, size_t *at)
{
	while (m->slots && *at <= m->mask) {
		struct smap_slot *s = &m->slots[(*at)++];

		if (s->value)
			return s;
	}
	return NULL;
}

/* --- in order --- */

#define DIGIT_BITS 11
#define DIGITS	   (1u << DIGIT_BITS)

/* Which bits differ? 0 also if they are in order already. */
static uint64_t bits_to_sort(const struct map_slot *slots, size_t n)
{
	uint64_t differ = 0;
	bool in_order = true;

	for (size_t i = 1; i < n; i++) {
		differ |= slots[i].key ^ slots[0].key;
		in_order = in_order && slots[i - 1].key <= slots[i].key;
	}
	return in_order ? 0 : differ;
}

static void sort_digit(const struct map_slot *from, struct map_slot *to, size_t n, unsigned shift)
{
	size_t at[DIGITS] = {0}, sum = 0;

	for (size_t i = 0; i < n; i++)
		at[from[i].key >> shift & (DIGITS - 1)]++;
	for (size_t d = 0; d < DIGITS; d++) {
		size_t count = at[d];

		at[d] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[at[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
}

static void sort_few(struct map_slot *slots, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct map_slot one = slots[i];
		size_t k = i;

		for (; k && slots[k - 1].key > one.key; k--)
			slots[k] = slots[k - 1];
		slots[k] = one;
	}
}

/* From the lowest digit up, leaving out those that are the same everywhere. */
int map_sort(struct map_slot *slots, size_t n)
{
	uint64_t differ = bits_to_sort(slots, n);
	struct map_slot *from = slots, *to, *other;

	if (n <= 32)
		sort_few(slots, n);
	if (n <= 32 || !differ)
		return 0;
	other = to = malloc(n * sizeof(*to));
	if (!to)
		return ERR_NOMEM;
	for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
		struct map_slot *swap = from;

		if (!(differ >> shift & (DIGITS - 1)))
			continue;
		sort_digit(from, to, n, shift);
		from = to;
		to = swap;
	}
	if (from != slots)
		memcpy(slots, from, n * sizeof(*slots));
	free(other);
	return 0;
}

/* @flip: bits of the keys that count the other way round. */
static struct map_slot *sorted(const struct map *m, uint64_t flip)
{
	struct map_slot *all = m->count ? malloc(m->count * sizeof(*all)) : NULL;
	const struct map_slot *slot;
	size_t n = 0;

	if (!all)
		return NULL;
	for (size_t at = 0; (slot = map_next(m, &at));)
		all[n++] = (struct map_slot){slot->key ^ flip, slot->value};
	if (map_sort(all, n) < 0) {
		free(all);
		return NULL;
	}
	for (size_t i = 0; flip && i < n; i++)
		all[i].key ^= flip;
	return all;
}

struct map_slot *map_sorted(const struct map *m)
{
	return sorted(m, 0);
}

struct map_slot *map_sorted_signed(const struct map *m)
{
	return sorted(m, 1ull << 63);
}

static int by_text(const void *a, const void *b)
{
	const struct smap_slot *x = a, *y = b;

	return sv_cmp(x->key, y->key);
}

struct smap_slot *smap_sorted(const struct smap *m)
{
	struct smap_slot *all = m->count ? malloc(m->count * sizeof(*all)) : NULL;
	const struct smap_slot *slot;
	size_t n = 0;

	if (!all)
		return NULL;
	for (size_t at = 0; (slot = smap_next(m, &at));)
		all[n++] = *slot;
	qsort(all, n, sizeof(*all), by_text);
	return all;
}
