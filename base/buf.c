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

char *buf_room(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST_SIZE;
	char *p;

	if (b->failed)
		return NULL;
	if (b->cap - b->len >= n && b->p)
		return b->p + b->len;
	if (n > SIZE_MAX / 4 || b->len > SIZE_MAX / 4) {
		b->failed = true;
		return NULL;
	}
	while (cap - b->len < n)
		cap *= 2;
	p = realloc(b->p, cap);
	if (!p) {
		b->failed = true;
		return NULL;
	}
	b->p = p;
	b->cap = cap;
	return p + b->len;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	char *to;

	if (n == 0)
		return;
	to = buf_room(b, n);
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

void buf_u64_padded(struct buf *b, uint64_t v, unsigned width)
{
	char digits[40];
	size_t at = sizeof(digits);

	if (width > 39)
		width = 39;
	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (sizeof(digits) - at < width)
		digits[--at] = '0';
	buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_u64(struct buf *b, uint64_t v)
{
	buf_u64_padded(b, v, 1);
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
