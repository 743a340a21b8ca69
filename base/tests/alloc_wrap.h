/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of memory: allocations are counted and can be made to fail. Link the library
 * alloc_wrap; the linker then routes the binary's malloc, calloc and realloc here.
 */
#ifndef BASE_TESTS_ALLOC_WRAP_H
#define BASE_TESTS_ALLOC_WRAP_H

#include <stdbool.h>

struct alloc_wrap {
	bool counting;	       /* otherwise allocations are neither counted nor refused */
	bool once;	       /* only call @fail_at fails, not those after it */
	unsigned long calls;   /* so far, while counting */
	unsigned long fail_at; /* from which call on allocations fail, counted from 1; 0: never */
};

extern struct alloc_wrap alloc;

#endif
