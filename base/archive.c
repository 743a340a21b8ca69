/* SPDX-License-Identifier: Apache-2.0 */
#include "base/archive.h"

#include <string.h>

#define TOO_SHORT   "it ends too early"
#define VARINT_BITS 64u
#define VARINT_MAX  10u /* bytes */

void archive_complain(struct archive *a, const char *what)
{
	if (!a->trouble)
		a->trouble = what;
	a->in.left = 0;
	a->in.failed = true;
}

/* @p has room for VARINT_MAX bytes. Return: behind what was written. */
static inline char *put_at(char *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (char)(v | 0x80);
	*p++ = (char)v;
	return p;
}

static inline void put(struct buf *out, uint64_t v)
{
	if (UNLIKELY(out->cap - out->len < VARINT_MAX)) {
		if (!buf_room(out, VARINT_MAX))
			return;
	}
	out->len = (size_t)(put_at(out->p + out->len, v) - out->p);
}

static uint64_t get(struct archive *a)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < VARINT_BITS; shift += 7) {
		uint8_t b = cursor_u8(&a->in);

		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			break;
	}
	if (!a->in.failed)
		return v;
	archive_complain(a, TOO_SHORT);
	return 0;
}

uint64_t archive_u64(struct archive *a, uint64_t v)
{
	if (!archive_saves(a))
		return get(a);
	put(a->out, v);
	return v;
}

static inline uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

int64_t archive_i64(struct archive *a, int64_t v)
{
	uint64_t z = archive_u64(a, zigzag(v));

	return (int64_t)(z >> 1 ^ (0 - (z & 1)));
}

bool archive_bool(struct archive *a, bool v)
{
	return archive_u64(a, v) != 0;
}

uint64_t archive_count(struct archive *a, uint64_t n)
{
	n = archive_u64(a, n);
	if (archive_saves(a) || n <= a->in.left)
		return n;
	archive_complain(a, "it counts more than it holds");
	return 0;
}

void archive_bytes(struct archive *a, void *p, size_t n)
{
	const uint8_t *from;

	if (archive_saves(a)) {
		buf_add(a->out, p, n);
		return;
	}
	from = cursor_bytes(&a->in, n);
	if (from)
		memcpy(p, from, n);
	else
		archive_complain(a, TOO_SHORT);
}

struct sv archive_text(struct archive *a, struct sv s)
{
	const uint8_t *from;
	size_t n = archive_count(a, s.n);

	if (archive_saves(a)) {
		buf_sv(a->out, s);
		return s;
	}
	from = cursor_bytes(&a->in, n);
	return from ? sv_make(from, n) : SV_NONE;
}

/* ---- fields ---- */

static inline uint64_t load(const uint8_t *p, size_t size)
{
	uint64_t v8;
	uint32_t v4;
	uint16_t v2;

	switch (size) {
	case 1:
		return *p;
	case 2:
		memcpy(&v2, p, 2);
		return v2;
	case 4:
		memcpy(&v4, p, 4);
		return v4;
	default:
		memcpy(&v8, p, 8);
		return v8;
	}
}

static void store(uint8_t *p, size_t size, uint64_t v)
{
	uint32_t v4 = (uint32_t)v;
	uint16_t v2 = (uint16_t)v;

	switch (size) {
	case 1:
		*p = (uint8_t)v;
		break;
	case 2:
		memcpy(p, &v2, 2);
		break;
	case 4:
		memcpy(p, &v4, 4);
		break;
	default:
		memcpy(p, &v, 8);
		break;
	}
}

static inline int64_t extend(uint64_t v, size_t size)
{
	unsigned unused = 64 - 8 * (unsigned)size;

	return (int64_t)(v << unused) >> unused;
}

static inline uint64_t encoded(uint64_t v, const struct archive_field *f)
{
	if (f->kind == ARCHIVE_SIGNED)
		return zigzag(extend(v, f->size));
	return f->kind == ARCHIVE_BOOL ? v != 0 : v;
}

/* There are many of them: room is made for all at once. */
static void save_fields(struct buf *out, const uint8_t *record, const struct archive_field *f,
			size_t n)
{
	char *p = buf_room(out, n * VARINT_MAX);

	if (!p)
		return;
	for (; n; n--, f++)
		p = put_at(p, encoded(load(record + f->at, f->size), f));
	out->len = (size_t)(p - out->p);
}

static uint64_t restored(struct archive *a, const struct archive_field *f)
{
	switch (f->kind) {
	case ARCHIVE_SIGNED:
		return (uint64_t)archive_i64(a, 0);
	case ARCHIVE_BOOL:
		return archive_bool(a, false);
	default:
		return archive_u64(a, 0);
	}
}

static bool fits(uint64_t v, const struct archive_field *f)
{
	unsigned bits = 8 * (unsigned)f->size;

	if (f->kind == ARCHIVE_SIGNED)
		return extend(v, f->size) == (int64_t)v;
	return bits == 64 || v >> bits == 0;
}

void archive_fields(struct archive *a, void *record, const struct archive_field *f, size_t n)
{
	if (archive_saves(a)) {
		save_fields(a->out, record, f, n);
		return;
	}
	for (; n; n--, f++) {
		uint64_t v = restored(a, f);

		if (!fits(v, f))
			archive_complain(a, "a number is too large for its field");
		store((uint8_t *)record + f->at, f->size, a->trouble ? 0 : v);
	}
}
