/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows as bytes between two threads of this process, hence in its own byte order: u32 length, u8
 * op, u8 number of values; per value u8 kind and an i64, or a u32 length and the text.
 */
#include "query/internal.h"

#include <assert.h>

#include "base/json.h"

#define ROW_HEAD   6
#define VALUE_MOST (1 + sizeof(int64_t)) /* without its text */

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static struct sv cut(struct sv s)
{
	size_t n = QRY_TEXT_MAX;

	for (unsigned back = 0; back < 3 && is_continuation(s.p[n]); back++)
		n--;
	return sv_make(s.p, n);
}

static bool is_limited(const struct qry_value *v)
{
	return LIKELY(!qry_is_text(v) || v->s.n <= QRY_TEXT_MAX);
}

bool qry_row_is_limited(const struct qry_value *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!is_limited(&v[i]))
			return false;
	return true;
}

unsigned qry_row_limit(struct qry_value *v, unsigned n)
{
	unsigned hit = 0;

	for (unsigned i = 0; i < n; i++) {
		if (is_limited(&v[i]))
			continue;
		hit++;
		if (v[i].kind == QRY_TEXT)
			v[i].s = cut(v[i].s);
		else
			v[i].kind = QRY_NULL;
	}
	return hit;
}

size_t qry_row_room(const struct qry_value *v, unsigned n)
{
	size_t room = ROW_HEAD + n * VALUE_MOST;

	for (unsigned i = 0; i < n; i++)
		if (qry_is_text(&v[i]))
			room += v[i].s.n;
	return room;
}

static uint8_t *put(uint8_t *to, const void *from, size_t n)
{
	if (n)
		memcpy(to, from, n);
	return to + n;
}

size_t qry_row_encode(uint8_t *to, enum qry_op op, const struct qry_value *v, unsigned n)
{
	uint8_t *p = to + sizeof(uint32_t);
	uint32_t len;

	assert(n <= QRY_VALUES_MAX);
	*p++ = (uint8_t)op;
	*p++ = (uint8_t)n;
	for (unsigned i = 0; i < n; i++) {
		*p++ = (uint8_t)v[i].kind;
		if (qry_is_text(&v[i])) {
			len = (uint32_t)v[i].s.n;
			p = put(p, &len, sizeof(len));
			p = put(p, v[i].s.p, v[i].s.n);
		} else if (v[i].kind != QRY_NULL) {
			p = put(p, &v[i].i, sizeof(v[i].i));
		}
	}
	len = (uint32_t)(p - to);
	memcpy(to, &len, sizeof(len));
	return len;
}

enum qry_op qry_row_op(const uint8_t *p)
{
	return (enum qry_op)p[sizeof(uint32_t)];
}

const uint8_t *qry_row_end(const uint8_t *p)
{
	uint32_t len;

	memcpy(&len, p, sizeof(len));
	assert(len >= ROW_HEAD); /* we wrote it ourselves */
	return p + len;
}

static const uint8_t *take_value(const uint8_t *p, struct qry_value *v)
{
	uint32_t n;

	*v = (struct qry_value){.kind = (enum qry_kind) * p++};
	if (qry_is_text(v)) {
		memcpy(&n, p, sizeof(n));
		p += sizeof(n);
		v->s = sv_make(p, n);
		return p + n;
	}
	if (v->kind == QRY_NULL)
		return p;
	memcpy(&v->i, p, sizeof(v->i));
	return p + sizeof(v->i);
}

void qry_row_decode(const uint8_t *p, struct qry_row *row)
{
	const uint8_t *end = qry_row_end(p);

	row->op = qry_row_op(p);
	row->count = p[ROW_HEAD - 1];
	assert(row->count <= QRY_VALUES_MAX);
	p += ROW_HEAD;
	for (unsigned i = 0; i < row->count; i++)
		p = take_value(p, &row->value[i]);
	assert(p == end);
	(void)end;
}

/* How many bytes at the start of @s are ASCII without NUL. */
static size_t plain_run(struct sv s)
{
	size_t i = 0;
	uint64_t w;

	for (; s.n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, s.p + i, sizeof(w));
		if (((w - 0x0101010101010101u) | w) & 0x8080808080808080u)
			break;
	}
	while (i < s.n && (signed char)s.p[i] > 0)
		i++;
	return i;
}

struct sv qry_clean_text(struct sv s, struct buf *scratch)
{
	size_t at = plain_run(s), copied = 0;
	bool dirty = false;

	while (at < s.n) {
		unsigned bad = 1, n = 0;
		uint32_t cp;

		if (s.p[at])
			n = utf8_decode(sv_drop(s, at), &cp, &bad);
		if (!n) {
			if (!dirty)
				buf_reset(scratch);
			dirty = true;
			buf_add(scratch, s.p + copied, at - copied);
			buf_lit(scratch, "\xef\xbf\xbd");
			n = bad;
			copied = at + n;
		}
		at += n;
		at += plain_run(sv_drop(s, at));
	}
	if (!dirty)
		return s;
	buf_add(scratch, s.p + copied, s.n - copied);
	return buf_view(scratch);
}
