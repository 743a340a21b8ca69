/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed piece of text or bytes: pointer and length, not NUL-terminated. */
#ifndef BASE_SV_H
#define BASE_SV_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct sv {
	const char *p;
	size_t n;
};

#define SV_LIT(literal) ((struct sv){"" literal "", sizeof(literal) - 1})
#define SV_NONE		((struct sv){NULL, 0})

static inline struct sv sv_of(const char *s)
{
	return (struct sv){s, s ? strlen(s) : 0};
}

static inline struct sv sv_make(const void *p, size_t n)
{
	return (struct sv){p, n};
}

static inline bool sv_eq(struct sv a, struct sv b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool sv_is(struct sv a, const char *s)
{
	return sv_eq(a, sv_of(s));
}

static inline bool sv_starts(struct sv a, struct sv prefix)
{
	return a.n >= prefix.n && (prefix.n == 0 || memcmp(a.p, prefix.p, prefix.n) == 0);
}

static inline bool sv_ends(struct sv a, struct sv suffix)
{
	return a.n >= suffix.n &&
	       (suffix.n == 0 || memcmp(a.p + (a.n - suffix.n), suffix.p, suffix.n) == 0);
}

static inline bool sv_contains(struct sv a, struct sv needle)
{
	return needle.n == 0 || (a.n >= needle.n && memmem(a.p, a.n, needle.p, needle.n) != NULL);
}

/* @a without its first @n bytes (all of them if it has fewer). */
static inline struct sv sv_drop(struct sv a, size_t n)
{
	if (n > a.n)
		n = a.n;
	return n ? (struct sv){a.p + n, a.n - n} : a; /* of nothing there is no byte to go to */
}

/* Byte order, then length: like strcmp() but for views. */
static inline int sv_cmp(struct sv a, struct sv b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int rc = n ? memcmp(a.p, b.p, n) : 0;

	if (rc)
		return rc;
	return (a.n > b.n) - (a.n < b.n);
}

#endif
