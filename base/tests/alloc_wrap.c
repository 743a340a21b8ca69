/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tests/alloc_wrap.h"

#include <stddef.h>

struct alloc_wrap alloc;

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool refused(void)
{
	if (!alloc.counting)
		return false;
	alloc.calls++;
	return alloc.fail_at &&
	       (alloc.once ? alloc.calls == alloc.fail_at : alloc.calls >= alloc.fail_at);
}

void *__wrap_malloc(size_t n)
{
	return refused() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return refused() ? NULL : __real_realloc(p, n);
}
