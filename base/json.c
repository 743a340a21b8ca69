/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/plain.h"

unsigned utf8_decode(struct sv s, uint32_t *cp, unsigned *bad)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned need, i;
	uint32_t v;

	*bad = 1;
	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] < 0xe0) {
		need = 2;
		v = p[0] & 0x1fu;
	} else if ((p[0] & 0xf0) == 0xe0) {
		need = 3;
		v = p[0] & 0x0fu;
	} else if (p[0] >= 0xf0 && p[0] < 0xf5) {
		need = 4;
		v = p[0] & 0x07u;
	} else {
		return 0;
	}
	for (i = 1; i < need; i++) {
		if (i >= s.n || (p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3fu);
		/* After the second byte an overlong form, surrogate or too large value shows: one
		 * bad byte, as the second then starts a new (also bad) sequence. */
		if (i == 1) {
			uint32_t lo = v << 6 * (need - 2);
			uint32_t hi = lo | ((1u << 6 * (need - 2)) - 1);

			if (hi < least[need] || lo > 0x10ffff || (lo >= 0xd800 && hi <= 0xdfff))
				return 0;
		}
		*bad = i + 1;
	}
	*cp = v;
	return need;
}

static void escape_unit(struct buf *b, uint32_t unit)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = {
	    '\\',	   'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15],
	    hex[unit & 15]};

	buf_add(b, text, sizeof(text));
}

static void escape_char(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"':
		buf_lit(b, "\\\"");
		break;
	case '\\':
		buf_lit(b, "\\\\");
		break;
	case '\b':
		buf_lit(b, "\\b");
		break;
	case '\f':
		buf_lit(b, "\\f");
		break;
	case '\n':
		buf_lit(b, "\\n");
		break;
	case '\r':
		buf_lit(b, "\\r");
		break;
	case '\t':
		buf_lit(b, "\\t");
		break;
	default:
		escape_unit(b, c);
	}
}

/* One character that cannot be copied as it is. Return: how many bytes of @s it takes. */
static size_t escape_one(struct buf *b, struct sv s, bool ascii)
{
	uint32_t cp;
	unsigned n, bad;

	if ((unsigned char)s.p[0] < 0x80) {
		escape_char(b, (unsigned char)s.p[0]);
		return 1;
	}
	n = utf8_decode(s, &cp, &bad);
	if (!n) {
		if (ascii)
			escape_unit(b, 0xfffd);
		else
			buf_lit(b, "\xef\xbf\xbd");
		return bad;
	}
	if (!ascii && !utf8_is_harmful(cp)) {
		buf_add(b, s.p, n);
	} else if (cp >= 0x10000) {
		escape_unit(b, 0xd800 + ((cp - 0x10000) >> 10));
		escape_unit(b, 0xdc00 + ((cp - 0x10000) & 0x3ff));
	} else {
		escape_unit(b, cp);
	}
	return n;
}

static void escape(struct buf *b, struct sv s, bool ascii)
{
	for (;;) {
		size_t run = plain_json_run(s);

		buf_add(b, s.p, run);
		s = sv_drop(s, run);
		if (LIKELY(s.n == 0))
			return;
		s = sv_drop(s, escape_one(b, s, ascii));
	}
}

void json_escape(struct buf *b, struct sv s)
{
	escape(b, s, false);
}

void json_string(struct buf *b, struct sv s)
{
	buf_char(b, '"');
	escape(b, s, false);
	buf_char(b, '"');
}

void json_string_ascii(struct buf *b, struct sv s)
{
	buf_char(b, '"');
	escape(b, s, true);
	buf_char(b, '"');
}
