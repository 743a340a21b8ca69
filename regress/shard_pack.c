/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Longest processing time first: at most 4/3 of the best distribution there is. The shard that has
 * least is on top of a heap; of two that have the same it is the one with the lower number.
 */
#include <stdlib.h>

#include "regress/shard.h"

struct item {
	uint64_t weight;
	size_t index;
};

struct load {
	uint64_t sum;
	unsigned shard;
};

static int heavier_first(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

static bool before(const struct load *a, const struct load *b)
{
	return a->sum != b->sum ? a->sum < b->sum : a->shard < b->shard;
}

/* The top of the heap became heavier. */
static void sift(struct load *heap, size_t n)
{
	size_t at = 0;

	for (;;) {
		size_t least = at;

		for (size_t kid = 2 * at + 1; kid <= 2 * at + 2 && kid < n; kid++)
			if (before(&heap[kid], &heap[least]))
				least = kid;
		if (least == at)
			return;
		struct load moved = heap[at];

		heap[at] = heap[least];
		heap[least] = moved;
		at = least;
	}
}

int reg_pack(const uint64_t *weight, size_t n, unsigned into, unsigned *shard, struct error *err)
{
	struct item *items = calloc(n + 1, sizeof(*items));
	struct load *heap = calloc(into, sizeof(*heap));
	int rc = items && heap ? 0 : error_nomem(err);

	for (size_t i = 0; i < n && rc == 0; i++)
		items[i] = (struct item){weight[i] ? weight[i] : 1, i};
	for (unsigned i = 0; i < into && rc == 0; i++)
		heap[i].shard = i;
	if (rc == 0)
		qsort(items, n, sizeof(*items), heavier_first);
	for (size_t i = 0; i < n && rc == 0; i++) {
		shard[items[i].index] = heap[0].shard;
		if (__builtin_add_overflow(heap[0].sum, items[i].weight, &heap[0].sum))
			heap[0].sum = UINT64_MAX;
		sift(heap, into);
	}
	free(items);
	free(heap);
	return rc;
}
