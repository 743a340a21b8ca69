/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for SQLite in fuzz targets: blocks whose sizes are powers of two, used again. Much of the
 * time that an input takes would go to what sanitizers do for each malloc(), and it is not SQLite
 * that is tested. In front of each block is its class, or, while it is spare, in it the next one.
 * One thread; for the whole program.
 */
#ifndef TESTS_FUZZ_SPARE_MEMORY_H
#define TESTS_FUZZ_SPARE_MEMORY_H

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define SPARE_HEAD 16 /* bytes in front of a block, which is aligned like that of malloc() */
#define SPARE_MAX  (1 << 29)

static void *spare[32];

static int spare_class(int n)
{
	int k = 5;

	while ((1 << k) < n + SPARE_HEAD && k < 30)
		k++;
	return k;
}

static void *spare_malloc(int n)
{
	int k = n <= SPARE_MAX ? spare_class(n) : 0;
	char *p = spare[k];

	if (!k)
		return NULL;
	if (p)
		spare[k] = *(void **)(void *)(p + SPARE_HEAD);
	else
		p = malloc((size_t)1 << k);
	if (!p)
		return NULL;
	*(int *)(void *)p = k;
	return p + SPARE_HEAD;
}

static void spare_free(void *p)
{
	int k;

	if (!p)
		return;
	k = *(int *)(void *)((char *)p - SPARE_HEAD);
	*(void **)p = spare[k];
	spare[k] = (char *)p - SPARE_HEAD;
}

static int spare_size(void *p)
{
	return p ? (1 << *(int *)(void *)((char *)p - SPARE_HEAD)) - SPARE_HEAD : 0;
}

static int spare_roundup(int n)
{
	return (1 << spare_class(n)) - SPARE_HEAD;
}

static void *spare_realloc(void *p, int n)
{
	void *to;

	if (n <= spare_size(p))
		return p;
	to = spare_malloc(n);
	if (to && p) {
		memcpy(to, p, (size_t)spare_size(p));
		spare_free(p);
	}
	return to;
}

static int spare_begin(void *arg)
{
	(void)arg;
	return SQLITE_OK;
}

static void spare_end(void *arg)
{
	(void)arg;
}

static const sqlite3_mem_methods spare_memory = {
    .xMalloc = spare_malloc,
    .xFree = spare_free,
    .xRealloc = spare_realloc,
    .xSize = spare_size,
    .xRoundup = spare_roundup,
    .xInit = spare_begin,
    .xShutdown = spare_end,
};

#endif
