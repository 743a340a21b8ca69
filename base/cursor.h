/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading untrusted little-endian bytes: a cursor that knows what is left. A read past the end
 * returns zero (or NULL) and latches @failed; check it once after a group of reads.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/defs.h"
#include "base/sv.h"

struct cursor {
	const uint8_t *p;
	size_t left;
	bool failed;
};

/* Little-endian loads from unaligned memory the caller has checked. */
/* Copied at once: put together byte by byte they would look so large to the compiler that it makes
 * functions of them, and of what uses them. */
static ALWAYS_INLINE uint16_t load_u16(const void *p)
{
	uint16_t n;

	memcpy(&n, p, sizeof(n));
	return le16toh(n);
}

static ALWAYS_INLINE uint32_t load_u32(const void *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return le32toh(n);
}

static ALWAYS_INLINE uint64_t load_u64(const void *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return le64toh(n);
}

static inline struct cursor cursor_of(const void *p, size_t n)
{
	return (struct cursor){p, n, false};
}

/* The next @n bytes, or NULL (and @failed) if fewer are left. */
static inline const uint8_t *cursor_bytes(struct cursor *c, size_t n)
{
	const uint8_t *p = c->p;

	if (c->failed || c->left < n) {
		c->failed = true;
		return NULL;
	}
	c->p += n;
	c->left -= n;
	return p;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 1);

	return p ? *p : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 2);

	return p ? load_u16(p) : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 4);

	return p ? load_u32(p) : 0;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 8);

	return p ? load_u64(p) : 0;
}

/* A u16 length and that many bytes; empty on failure. */
static inline struct sv cursor_str16(struct cursor *c)
{
	size_t n = cursor_u16(c);
	const uint8_t *p = cursor_bytes(c, n);

	return p ? sv_make(p, n) : SV_NONE;
}

#endif
