/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries that are loaded when they are needed, as loading them would cost every start of the
 * program. Their functions are called through a table:
 *
 *     #define ZOO(X) X(zoo_open) X(zoo_close)
 *     struct zoo {
 *     #define X(name) __typeof__(name) *name;
 *             ZOO(X)
 *     #undef X
 *     };
 *
 * Threads: any may load one; tables are their owners'.
 */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include <stddef.h>

#include "base/error.h"

struct library_symbol {
	const char *name;
	size_t at; /* of the member of the table that is its address */
};

/*
 * Load @soname and fill @table with the addresses of @n functions or objects. Loaded once, the
 * library stays to the end. Return: 0, or ERR_UNSUPPORTED: there is none, or one that lacks some;
 * the message says which library and why, not what for.
 */
MUST_CHECK int library_load(const char *soname, const struct library_symbol *symbols, size_t n,
			    void *table, struct error *err);

#endif
