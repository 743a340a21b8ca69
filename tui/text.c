/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/text.h"

#include <limits.h>
#include <stdio.h>

#include "base/json.h"
#include "base/plain.h"

enum kind { WIDE = 2, MARK = 0, UNSEEN = -1 };

static const struct range {
	uint32_t first, last;
	int kind;
} ranges[] = {
#define W(first, last, kind) {(first), (last), (kind)},
#include "tui/widths.def"
#undef W
};

int tui_char_width(uint32_t ch)
{
	size_t lo = 0, hi = COUNT_OF(ranges);

	if (ch < ranges[0].first)
		return utf8_is_harmful(ch) ? UNSEEN : 1;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ch > ranges[mid].last)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == COUNT_OF(ranges))
		return UNSEEN; /* beyond Unicode */
	return ch < ranges[lo].first ? 1 : ranges[lo].kind;
}

void tui_char_utf8(struct buf *out, uint32_t ch)
{
	char s[4];
	size_t n = 0;

	if (ch < 0x80) {
		s[n++] = (char)ch;
	} else if (ch < 0x800) {
		s[n++] = (char)(0xc0 | ch >> 6);
	} else if (ch < 0x10000) {
		s[n++] = (char)(0xe0 | ch >> 12);
		s[n++] = (char)(0x80 | (ch >> 6 & 0x3f));
	} else {
		s[n++] = (char)(0xf0 | ch >> 18);
		s[n++] = (char)(0x80 | (ch >> 12 & 0x3f));
		s[n++] = (char)(0x80 | (ch >> 6 & 0x3f));
	}
	if (ch >= 0x80)
		s[n++] = (char)(0x80 | (ch & 0x3f));
	buf_add(out, s, n);
}

/* As base/escape.h does it. */
static void escape_bytes(struct tui_unit *u, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		u->width += snprintf(u->escape + u->width, sizeof(u->escape) - (size_t)u->width,
				     "\\x%02x", (unsigned char)p[i]);
}

/* Marks that follow belong to the character, as far as a cell has room for them. */
static void take_marks(struct sv *text, struct tui_unit *u)
{
	for (size_t i = 0; i < TUI_MARKS_MAX && text->n && (text->p[0] & 0x80); i++) {
		uint32_t ch;
		unsigned bad, n = utf8_decode(*text, &ch, &bad);

		if (!n || tui_char_width(ch) != MARK)
			return;
		u->marks[i] = ch;
		*text = sv_drop(*text, n);
	}
}

void tui_unit_take(struct sv *text, struct tui_unit *out)
{
	uint32_t ch;
	unsigned bad, n = utf8_decode(*text, &ch, &bad);

	*out = (struct tui_unit){0};
	if (!n) {
		escape_bytes(out, text->p, bad);
		*text = sv_drop(*text, bad);
		return;
	}
	*text = sv_drop(*text, n);
	out->width = tui_char_width(ch);
	if (out->width <= 0 && ch < 0x100) {
		out->width = 0;
		escape_bytes(out, text->p - n, n);
		return;
	}
	if (out->width <= 0) { /* a mark without a character, too */
		out->width = snprintf(out->escape, sizeof(out->escape), "\\u{%x}", (unsigned)ch);
		return;
	}
	out->ch = ch;
	take_marks(text, out);
}

int tui_width(struct sv text)
{
	size_t width = 0;

	while (text.n && width < INT_MAX / 2) {
		size_t run = plain_run(text);
		struct tui_unit u;

		width += run;
		text = sv_drop(text, run);
		if (!text.n)
			break;
		/* A mark may follow the last plain character: it needs that one. */
		if (run && (text.p[0] & 0x80)) {
			text = sv_make(text.p - 1, text.n + 1);
			width--;
		}
		tui_unit_take(&text, &u);
		width += (size_t)u.width;
	}
	return width < INT_MAX / 2 ? (int)width : INT_MAX / 2;
}

/* Behind the last '/' at or before @from, or 0. */
static size_t component_before(struct sv path, size_t from)
{
	while (from > 0 && path.p[from - 1] != '/')
		from--;
	return from;
}

/* The part of @text at its end that has @width columns at most. */
static struct sv last_columns(struct sv text, int width)
{
	for (int have = tui_width(text); have > width && text.n;) {
		struct tui_unit u;

		tui_unit_take(&text, &u);
		have -= u.width;
	}
	return text;
}

/* How many bytes at the start of @path, whole components, have @width columns at most. */
static size_t first_components(struct sv path, int width)
{
	size_t end = 0;

	for (size_t at = 0; at < path.n; at++) {
		if (path.p[at] != '/')
			continue;
		width -= tui_width(sv_make(path.p + end, at + 1 - end));
		if (width < 0)
			break;
		end = at + 1;
	}
	return end;
}

void tui_shorten_path(struct buf *out, struct sv path, int width)
{
	size_t tail, head;
	int left;

	if (width <= 0)
		return;
	if (tui_width(path) <= width) {
		buf_sv(out, path);
		return;
	}
	width--; /* for the ellipsis */
	tail = component_before(path, path.n);
	tail -= tail > 0;
	left = width - tui_width(sv_drop(path, tail));
	if (left < 0) {
		buf_lit(out, "…");
		buf_sv(out, last_columns(sv_drop(path, tail), width));
		return;
	}
	head = first_components(sv_make(path.p, tail), left);
	left -= tui_width(sv_make(path.p, head));
	while (tail > head) { /* what is left is given to the components before the last one */
		size_t before = component_before(path, tail);
		int more;

		before -= before > 0;
		more = tui_width(sv_make(path.p + before, tail - before));
		if (before <= head || more > left)
			break;
		left -= more;
		tail = before;
	}
	buf_add(out, path.p, head);
	buf_lit(out, "…");
	buf_sv(out, sv_drop(path, tail));
}
