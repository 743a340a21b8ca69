/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows as bytes between two threads of this process, hence in its own byte order: u32 length of the
 * rest, u8 op, u8 number of values; per value u8 kind and an i64, or a u32 length and the text.
 */
#include "query/internal.h"

#include <assert.h>

#include "base/json.h"

#define ROW_HEAD  6
#define INT_SIZE  (1 + sizeof(int64_t))
#define TEXT_HEAD (1 + sizeof(uint32_t))

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

unsigned qry_row_limit(struct qry_value *v, unsigned n)
{
	unsigned hit = 0;

	for (unsigned i = 0; i < n; i++) {
		if (LIKELY(!qry_is_text(&v[i]) || v[i].s.n <= QRY_TEXT_MAX))
			continue;
		hit++;
		if (v[i].kind == QRY_TEXT)
			v[i].s = cut(v[i].s);
		else
			v[i].kind = QRY_NULL;
	}
	return hit;
}

size_t qry_row_size(const struct qry_value *v, unsigned n)
{
	size_t size = ROW_HEAD;

	for (unsigned i = 0; i < n; i++)
		size += v[i].kind == QRY_NULL ? 1
			: qry_is_text(&v[i])  ? TEXT_HEAD + v[i].s.n
					      : INT_SIZE;
	return size;
}

static uint8_t *put(uint8_t *to, const void *from, size_t n)
{
	if (n)
		memcpy(to, from, n);
	return to + n;
}

void qry_row_encode(uint8_t *to, enum qry_op op, const struct qry_value *v, unsigned n)
{
	uint32_t len = (uint32_t)(qry_row_size(v, n) - sizeof(len));

	assert(n <= QRY_VALUES_MAX);
	to = put(to, &len, sizeof(len));
	*to++ = (uint8_t)op;
	*to++ = (uint8_t)n;
	for (unsigned i = 0; i < n; i++) {
		*to++ = (uint8_t)v[i].kind;
		if (v[i].kind == QRY_INT || qry_is_number(&v[i])) {
			to = put(to, &v[i].i, sizeof(v[i].i));
		} else if (v[i].kind != QRY_NULL) {
			len = (uint32_t)v[i].s.n;
			to = put(to, &len, sizeof(len));
			to = put(to, v[i].s.p, v[i].s.n);
		}
	}
}

static uint32_t take_u32(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, sizeof(uint32_t));
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return v;
}

static void take_value(struct cursor *c, struct qry_value *v)
{
	const uint8_t *p;
	size_t n;

	*v = (struct qry_value){.kind = (enum qry_kind)cursor_u8(c)};
	if (v->kind == QRY_INT || qry_is_number(v)) {
		p = cursor_bytes(c, sizeof(v->i));
		if (p)
			memcpy(&v->i, p, sizeof(v->i));
	} else if (v->kind != QRY_NULL) {
		n = take_u32(c);
		v->s = sv_make(cursor_bytes(c, n), n);
	}
}

enum qry_op qry_row_op(const struct cursor *c)
{
	assert(c->left >= ROW_HEAD);
	return (enum qry_op)c->p[sizeof(uint32_t)];
}

bool qry_row_decode(struct cursor *c, struct qry_row *row)
{
	struct cursor one;
	uint32_t len;

	if (c->left == 0)
		return false;
	len = take_u32(c);
	one = cursor_of(cursor_bytes(c, len), len);
	assert(!c->failed); /* we wrote it ourselves */
	row->op = (enum qry_op)cursor_u8(&one);
	row->count = cursor_u8(&one);
	assert(row->count <= QRY_VALUES_MAX);
	for (unsigned i = 0; i < row->count; i++)
		take_value(&one, &row->value[i]);
	assert(!one.failed && one.left == 0);
	return true;
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
