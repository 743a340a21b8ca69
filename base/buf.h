/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer for building text, reused across events so that steady state allocates
 * nothing. Appending after an allocation failure does nothing and latches @failed: check it once at
 * the end. Zero-initialised storage is a valid empty buffer.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/defs.h"
#include "base/sv.h"

struct buf {
	char *p; /* @len bytes and, after buf_cstr(), a NUL */
	size_t len;
	size_t cap;
	bool failed;
};

void buf_done(struct buf *b); /* frees the storage; the buffer is empty and usable again */
/* Make room for @n more bytes. Return: where they go (not yet counted in len), or NULL. */
char *buf_room(struct buf *b, size_t n);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_u64(struct buf *b, uint64_t v); /* decimal */
void buf_i64(struct buf *b, int64_t v);	 /* decimal */
/* Decimal, padded with zeros on the left to at least @width digits. */
void buf_u64_padded(struct buf *b, uint64_t v, unsigned width);
void buf_hex(struct buf *b, uint64_t v);   /* upper case, no prefix */
void buf_octal(struct buf *b, uint64_t v); /* no prefix */
/* NUL-terminate and return the text; "" if the buffer failed. Valid until the next append. */
const char *buf_cstr(struct buf *b);

static inline void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

/* For the inline functions below: when there is no room. */
void buf_add_slowly(struct buf *b, const void *p, size_t n);

static inline void buf_char(struct buf *b, char c)
{
	if (LIKELY(b->len < b->cap))
		b->p[b->len++] = c;
	else
		buf_add_slowly(b, &c, 1);
}

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
	if (LIKELY(n && n <= b->cap - b->len)) {
		memcpy(b->p + b->len, p, n);
		b->len += n;
	} else if (n) {
		buf_add_slowly(b, p, n);
	}
}

static inline void buf_sv(struct buf *b, struct sv s)
{
	buf_add(b, s.p, s.n);
}

static inline void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

/* The length of @s, and @s: texts one behind the other that mean one thing only. */
static inline void buf_counted(struct buf *b, struct sv s)
{
	buf_u64(b, s.n);
	buf_char(b, ' ');
	buf_sv(b, s);
}

#define buf_lit(b, literal) buf_add((b), "" literal "", sizeof(literal) - 1)

static inline struct sv buf_view(const struct buf *b)
{
	return sv_make(b->p, b->len);
}

#endif
