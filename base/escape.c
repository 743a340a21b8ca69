/* SPDX-License-Identifier: Apache-2.0 */
#include "base/escape.h"

#include "base/json.h"
#include "base/plain.h"

/* One character that is no printable ASCII. Return: how many bytes of @s it takes. */
static size_t text_one(struct buf *b, struct sv s)
{
	uint32_t cp = 0;
	unsigned bad, n = utf8_decode(s, &cp, &bad);

	if (n && !utf8_is_harmful(cp)) {
		buf_add(b, s.p, n);
	} else if (n && cp >= 0x100) {
		buf_addf(b, "\\u{%x}", (unsigned)cp);
	} else {
		n = n ? n : bad;
		for (unsigned i = 0; i < n; i++)
			buf_addf(b, "\\x%02x", (unsigned char)s.p[i]);
	}
	return n ? n : bad;
}

static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7f;
}

void escape_text(struct buf *b, struct sv s)
{
	while (s.n) { /* it may be SV_NONE */
		size_t run = plain_run(s);

		buf_add(b, s.p, run);
		s = sv_drop(s, run);
		if (UNLIKELY(s.n != 0))
			s = sv_drop(s, text_one(b, s));
	}
}

/* --- CSV */

static size_t count_digits(struct sv s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

/* "-12", "+1.5", "-2.5e-7" */
static bool is_number(struct sv s)
{
	size_t n;

	if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
		s = sv_drop(s, 1);
	n = count_digits(s);
	if (!n)
		return false;
	s = sv_drop(s, n);
	if (s.n && s.p[0] == '.') {
		n = count_digits(sv_drop(s, 1));
		s = sv_drop(s, n + 1);
		if (!n)
			return false;
	}
	if (s.n && (s.p[0] == 'e' || s.p[0] == 'E')) {
		s = sv_drop(s, 1 + (s.n > 1 && (s.p[1] == '-' || s.p[1] == '+')));
		n = count_digits(s);
		return n && n == s.n;
	}
	return s.n == 0;
}

static bool is_formula(struct sv s)
{
	return s.n && memchr("=+-@\t\r", s.p[0], 6) && !is_number(s);
}

static void csv_cell(struct buf *b, struct sv s, bool apostrophe)
{
	bool quoted = s.n && (memchr(s.p, '"', s.n) || memchr(s.p, ',', s.n));

	if (quoted)
		buf_char(b, '"');
	if (apostrophe)
		buf_char(b, '\'');
	for (const char *q; quoted && (q = memchr(s.p, '"', s.n));) {
		size_t n = (size_t)(q - s.p) + 1;

		escape_text(b, sv_make(s.p, n));
		buf_char(b, '"');
		s = sv_drop(s, n);
	}
	escape_text(b, s);
	if (quoted)
		buf_char(b, '"');
}

void escape_csv(struct buf *b, struct sv s)
{
	csv_cell(b, s, is_formula(s));
}

void escape_csv_plain(struct buf *b, struct sv s)
{
	csv_cell(b, s, false);
}

/* --- Markdown */

static void markdown_plain(struct buf *b, struct sv s)
{
	while (s.n) {
		if (sv_starts(s, SV_LIT("www."))) {
			buf_lit(b, "www\\.");
			s = sv_drop(s, 4);
			continue;
		}
		if (sv_starts(s, SV_LIT("://")) || strchr("\\`*_[]<>|~&#!$@(){}", s.p[0]))
			buf_char(b, '\\');
		buf_char(b, s.p[0]);
		s = sv_drop(s, 1);
	}
}

void escape_markdown(struct buf *b, struct sv s)
{
	struct buf odd = {0};

	while (s.n) {
		size_t run = plain_run(s);

		markdown_plain(b, sv_make(s.p, run));
		s = sv_drop(s, run);
		if (!s.n)
			break;
		buf_reset(&odd);
		s = sv_drop(s, text_one(&odd, s));
		if (odd.len && odd.p[0] == '\\')
			markdown_plain(b, buf_view(&odd));
		else
			buf_sv(b, buf_view(&odd));
		b->failed |= odd.failed;
	}
	buf_done(&odd);
}

/* --- HTML */

static const char *html_entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void escape_html(struct buf *b, struct sv s)
{
	while (s.n) {
		const char *entity = html_entity(s.p[0]);
		size_t n = 0;

		while (n < s.n && is_plain(s.p[n]) && !html_entity(s.p[n]))
			n++;
		buf_add(b, s.p, n);
		if (entity)
			buf_str(b, entity);
		else if (!n)
			n = text_one(b, s);
		s = sv_drop(s, n ? n : 1);
	}
}

/* --- base64 */

void escape_base64(struct buf *b, struct sv s)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = (const uint8_t *)s.p;

	for (size_t left = s.n; left; p += left < 3 ? left : 3, left -= left < 3 ? left : 3) {
		uint32_t v = (uint32_t)p[0] << 16;
		char text[4];

		if (left > 1)
			v |= (uint32_t)p[1] << 8;
		if (left > 2)
			v |= p[2];
		text[0] = digits[v >> 18];
		text[1] = digits[v >> 12 & 63];
		text[2] = left > 1 ? digits[v >> 6 & 63] : '=';
		text[3] = left > 2 ? digits[v & 63] : '=';
		buf_add(b, text, sizeof(text));
	}
}

/* --- shells */

void escape_shell_always(struct buf *b, struct sv s)
{
	buf_char(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_lit(b, "'\\''");
		else
			buf_char(b, s.p[i]);
	}
	buf_char(b, '\'');
}

void escape_shell(struct buf *b, struct sv s)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
	bool bare = s.n != 0;

	for (size_t i = 0; i < s.n && bare; i++)
		bare = memchr(plain, s.p[i], sizeof(plain) - 1) != NULL;
	if (bare)
		buf_sv(b, s);
	else
		escape_shell_always(b, s);
}
