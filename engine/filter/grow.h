/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays of pointers that grow in an arena, for things whose number is not known beforehand. */
#ifndef ENGINE_FILTER_GROW_H
#define ENGINE_FILTER_GROW_H

#include <stdint.h>

#include "base/arena.h"
#include "base/defs.h"

/* Make room for one more pointer after the @count in *@items: capacity is 4, then each power of
 * two. */
MUST_CHECK static inline bool grow_pointers(struct arena *arena, void *items, uint32_t count)
{
	void *more, *old;

	if (count && (count < 4 || (count & (count - 1))))
		return true;
	more = arena_alloc(arena, (count ? 2 * (size_t)count : 4) * sizeof(void *));
	if (!more)
		return false;
	memcpy(&old, items, sizeof(old)); /* @items points to some kind of pointer */
	if (count)
		memcpy(more, old, count * sizeof(void *));
	memcpy(items, &more, sizeof(more));
	return true;
}

#endif
