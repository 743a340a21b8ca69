/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/table_keys.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"

#define FIRST_KEYS 16

static size_t place_of(const struct tui_keys *k, struct tui_row_key key)
{
	return hash_u64(hash_u64(key.a ^ k->seed) + key.b) & k->mask;
}

/* The slot that has @key, or the free one where it belongs. */
static size_t slot_of(const struct tui_keys *k, struct tui_row_key key)
{
	size_t i = place_of(k, key);

	while (k->slots[i] && !tui_key_eq(k->keys[k->slots[i] - 1], key))
		i = (i + 1) & k->mask;
	return i;
}

/* All keys into slots that are empty; of equal ones the first counts. */
static void fill_slots(struct tui_keys *k)
{
	for (size_t i = 0; i < k->count; i++) {
		size_t slot = slot_of(k, k->keys[i]);

		if (!k->slots[slot])
			k->slots[slot] = (uint32_t)(i + 1);
	}
}

static int grow(struct tui_keys *k)
{
	size_t cap = k->cap ? k->cap * 2 : FIRST_KEYS;
	struct tui_row_key *keys;
	uint32_t *slots;

	if (cap > TUI_KEYS_MAX)
		return ERR_LIMIT;
	keys = realloc(k->keys, cap * sizeof(*keys));
	if (!keys)
		return ERR_NOMEM;
	k->keys = keys;
	slots = calloc(cap * 2, sizeof(*slots));
	if (!slots)
		return ERR_NOMEM;
	if (!k->seed)
		k->seed = clock_ns(CLOCK_MONOTONIC) ^ (uintptr_t)slots;
	free(k->slots);
	k->slots = slots;
	k->mask = cap * 2 - 1;
	k->cap = cap;
	fill_slots(k);
	return 0;
}

int tui_keys_add(struct tui_keys *k, struct tui_row_key key)
{
	size_t slot;
	int rc;

	if (k->count == k->cap) {
		rc = grow(k);
		if (rc < 0)
			return rc;
	}
	slot = slot_of(k, key);
	k->keys[k->count++] = key;
	if (!k->slots[slot])
		k->slots[slot] = (uint32_t)k->count;
	return 0;
}

size_t tui_keys_find(const struct tui_keys *k, struct tui_row_key key)
{
	uint32_t number;

	if (!k->slots)
		return SIZE_MAX;
	number = k->slots[slot_of(k, key)];
	return number ? number - 1 : SIZE_MAX;
}

/* People remove one key at a time, so that all are counted anew. */
bool tui_keys_remove(struct tui_keys *k, struct tui_row_key key)
{
	size_t i = tui_keys_find(k, key);

	if (i == SIZE_MAX)
		return false;
	k->count--;
	memmove(k->keys + i, k->keys + i + 1, (k->count - i) * sizeof(*k->keys));
	memset(k->slots, 0, (k->mask + 1) * sizeof(*k->slots));
	fill_slots(k);
	return true;
}

void tui_keys_clear(struct tui_keys *k)
{
	k->count = 0;
	if (k->slots)
		memset(k->slots, 0, (k->mask + 1) * sizeof(*k->slots));
}

void tui_keys_done(struct tui_keys *k)
{
	free(k->keys);
	free(k->slots);
	*k = (struct tui_keys){0};
}
