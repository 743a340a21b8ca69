/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of rows in the order in which they came, found in one step: tags, and places of rows in
 * lists. Zeroed storage is empty. Threads: plain values.
 */
#ifndef TUI_TABLE_KEYS_H
#define TUI_TABLE_KEYS_H

#include "tui/table.h"

#define TUI_KEYS_MAX (1u << 30) /* keys of a set: their numbers have 32 bits */

struct tui_keys {
	struct tui_row_key *keys;
	size_t count, cap;
	uint32_t *slots; /* number of a key + 1; 0: free */
	size_t mask;	 /* slots - 1, or 0 without them */
	uint64_t seed;	 /* so that keys that come from captures cannot be made to collide */
};

static inline bool tui_key_eq(struct tui_row_key a, struct tui_row_key b)
{
	return a.a == b.a && a.b == b.b;
}

/* Behind the others, whether it is there or not (then the first one is found). Return: 0,
 * ERR_NOMEM, ERR_LIMIT. */
MUST_CHECK int tui_keys_add(struct tui_keys *k, struct tui_row_key key);
/* Its number; SIZE_MAX: it is not there. */
size_t tui_keys_find(const struct tui_keys *k, struct tui_row_key key);
/* Those behind it move up. False: it was not there. */
bool tui_keys_remove(struct tui_keys *k, struct tui_row_key key);
void tui_keys_clear(struct tui_keys *k);
void tui_keys_done(struct tui_keys *k);

#endif
