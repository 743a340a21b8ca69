/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST_SIZE 256

void buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

/* With no room left, the inline functions that append come here, too. */
static char *fail(struct buf *b)
{
	b->failed = true;
	b->cap = b->len;
	return NULL;
}

char *buf_room(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST_SIZE;
	char *p;

	if (b->failed)
		return NULL;
	if (b->cap - b->len >= n && b->p)
		return b->p + b->len;
	if (n > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
		return fail(b);
	while (cap - b->len < n)
		cap *= 2;
	p = realloc(b->p, cap);
	if (!p)
		return fail(b);
	b->p = p;
	b->cap = cap;
	return p + b->len;
}

void buf_add_slowly(struct buf *b, const void *p, size_t n)
{
	char *to = buf_room(b, n);

	if (!to)
		return;
	memcpy(to, p, n);
	b->len += n;
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	to = buf_room(b, (size_t)n + 1);
	if (!to)
		return;
	va_start(ap, fmt);
	vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

#define U64_DIGITS_MAX 20

/* Write @v so that it ends before @end. Return: where it starts. */
static char *digits_before(char *end, uint64_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";

	while (v >= 100) {
		end -= 2;
		memcpy(end, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (v >= 10) {
		end -= 2;
		memcpy(end, pairs + v * 2, 2);
	} else {
		*--end = (char)('0' + v);
	}
	return end;
}

void buf_u64_padded(struct buf *b, uint64_t v, unsigned width)
{
	char digits[2 * U64_DIGITS_MAX];
	char *end = digits + sizeof(digits), *at = digits_before(end, v);

	if (width > sizeof(digits))
		width = sizeof(digits);
	while ((unsigned)(end - at) < width)
		*--at = '0';
	buf_add(b, at, (size_t)(end - at));
}

void buf_u64(struct buf *b, uint64_t v)
{
	char digits[U64_DIGITS_MAX];
	char *end = digits + sizeof(digits), *at = digits_before(end, v);

	buf_add(b, at, (size_t)(end - at));
}

/* Digits of @bits bits each. */
static void power_of_two_base(struct buf *b, uint64_t v, unsigned bits)
{
	char digits[64 / 3 + 1];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789ABCDEF"[v & ((1u << bits) - 1)];
		v >>= bits;
	} while (v);
	buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_hex(struct buf *b, uint64_t v)
{
	power_of_two_base(b, v, 4);
}

void buf_octal(struct buf *b, uint64_t v)
{
	power_of_two_base(b, v, 3);
}

void buf_i64(struct buf *b, int64_t v)
{
	if (v < 0) {
		buf_char(b, '-');
		buf_u64(b, 0 - (uint64_t)v);
	} else {
		buf_u64(b, (uint64_t)v);
	}
}

const char *buf_cstr(struct buf *b)
{
	char *end = buf_room(b, 1);

	if (!end)
		return "";
	*end = '\0';
	return b->p;
}
