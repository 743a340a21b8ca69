/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/cell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/plain.h"
#include "tui/text.h"

#define PRINTF_MAX (4 * TUI_WIDTH_MAX)

static const char role_letters[TUI_ROLE_COUNT] = {
#define ROLE(sym, name, letter, help) [TUI_ROLE_##sym] = (letter),
#include "tui/roles.def"
#undef ROLE
};

static int clamp(int64_t v, int64_t lo, int64_t hi)
{
	return (int)(v < lo ? lo : v > hi ? hi : v);
}

/* --- screens */

int tui_screen_resize(struct tui_screen *s, int height, int width, struct error *err)
{
	struct tui_cell *cells;

	height = clamp(height, 0, TUI_HEIGHT_MAX);
	width = clamp(width, 0, TUI_WIDTH_MAX);
	cells = realloc(s->cells, ((size_t)height * (size_t)width + 1) * sizeof(*cells));
	if (!cells)
		return error_nomem(err);
	s->cells = cells;
	s->height = height;
	s->width = width;
	tui_screen_clear(s);
	return 0;
}

void tui_screen_done(struct tui_screen *s)
{
	free(s->cells);
	s->cells = NULL;
	s->height = s->width = 0;
}

static void blank(struct tui_cell *cells, size_t n, uint8_t role)
{
	for (size_t i = 0; i < n; i++)
		cells[i] = (struct tui_cell){.ch = ' ', .role = role};
}

void tui_screen_clear(struct tui_screen *s)
{
	blank(s->cells, (size_t)s->height * (size_t)s->width, TUI_ROLE_NORMAL);
}

struct tui_area tui_screen_area(struct tui_screen *s)
{
	return (struct tui_area){.screen = s, .height = s->height, .width = s->width};
}

static void dump_text(const struct tui_cell *row, int width, struct buf *out)
{
	while (width > 0 && row[width - 1].ch == ' ' && !row[width - 1].marks[0])
		width--;
	for (int x = 0; x < width; x++) {
		if (row[x].ch)
			tui_char_utf8(out, row[x].ch);
		for (size_t i = 0; i < TUI_MARKS_MAX && row[x].marks[i]; i++)
			tui_char_utf8(out, row[x].marks[i]);
	}
	buf_char(out, '\n');
}

static char role_letter(const struct tui_cell *c)
{
	char letter = role_letters[c->role];

	if (!c->selected)
		return letter;
	return letter == ' ' ? '#' : (char)(letter - 'a' + 'A');
}

static void dump_roles(const struct tui_cell *row, int width, struct buf *out)
{
	while (width > 0 && role_letter(&row[width - 1]) == ' ')
		width--;
	for (int x = 0; x < width; x++)
		buf_char(out, role_letter(&row[x]));
	buf_char(out, '\n');
}

void tui_screen_dump(const struct tui_screen *s, bool roles, struct buf *out)
{
	for (int y = 0; y < s->height; y++) {
		const struct tui_cell *row = s->cells + (size_t)y * (size_t)s->width;

		dump_text(row, s->width, out);
		if (roles)
			dump_roles(row, s->width, out);
	}
}

/* --- areas */

struct tui_area tui_area_part(const struct tui_area *a, int y, int x, int height, int width)
{
	struct tui_area part = {.screen = a->screen};
	int bottom = clamp((int64_t)y + clamp(height, 0, TUI_HEIGHT_MAX), 0, a->height);
	int right = clamp((int64_t)x + clamp(width, 0, TUI_WIDTH_MAX), 0, a->width);

	y = clamp(y, 0, bottom);
	x = clamp(x, 0, right);
	part.y = a->y + y;
	part.x = a->x + x;
	part.height = bottom - y;
	part.width = right - x;
	return part;
}

struct span { /* columns of a line of the screen; none: @width is 0 */
	struct tui_cell *row;
	int x, width;
};

/* An area that was made before the screen became smaller is cut, too. */
static struct span span_of(const struct tui_area *a, int y, int x, int width)
{
	struct tui_area whole = tui_screen_area(a->screen);
	struct tui_area now = tui_area_part(&whole, a->y, a->x, a->height, a->width);
	struct span s = {0};

	if (y < 0 || y >= now.height || x < 0 || x >= now.width || width <= 0)
		return s;
	s.row = a->screen->cells + (size_t)(now.y + y) * (size_t)a->screen->width;
	s.x = now.x + x;
	s.width = width < now.width - x ? width : now.width - x;
	return s;
}

/* Columns are written over: no half of a wide character stays alone on either side of them. */
static void mend_left(struct tui_cell *row, int x)
{
	if (x > 0 && row[x].ch == 0)
		blank(row + x - 1, 1, row[x - 1].role);
}

static void mend_right(struct tui_cell *row, int x, int width)
{
	if (x < width && row[x].ch == 0)
		blank(row + x, 1, row[x].role);
}

void tui_fill(const struct tui_area *a, enum tui_role role)
{
	for (int y = 0; y < a->height; y++) {
		struct span s = span_of(a, y, 0, a->width);

		if (!s.width)
			return;
		mend_left(s.row, s.x);
		blank(s.row + s.x, (size_t)s.width, (uint8_t)role);
		mend_right(s.row, s.x + s.width, a->screen->width);
	}
}

void tui_select(const struct tui_area *a, int y, int x, int width)
{
	struct span s = span_of(a, y, x, width);

	for (int i = 0; i < s.width; i++)
		s.row[s.x + i].selected = true;
}

/* --- text */

struct pen {
	struct tui_cell *cells; /* @width of them */
	int width, used;
	int whole; /* columns of the characters before which there is room for an ellipsis, too */
	bool ascii;
	uint8_t role;
};

static struct tui_cell *pen_cells(struct pen *p, int n)
{
	struct tui_cell *c = p->cells + p->used;

	p->used += n;
	if (p->used < p->width)
		p->whole = p->used;
	return c;
}

static void pen_ascii(struct pen *p, const char *s, int n)
{
	struct tui_cell *c = p->cells + p->used;

	for (int i = 0; i < n; i++)
		c[i] = (struct tui_cell){.ch = (unsigned char)s[i], .role = p->role};
	p->used += n;
	if (n)
		p->whole = p->used < p->width ? p->used : p->width - 1;
}

/* False: there is no room for it. */
static bool pen_unit(struct pen *p, const struct tui_unit *u)
{
	struct tui_cell *c;

	if (u->width > p->width - p->used)
		return false;
	if (!u->ch) {
		struct tui_cell *at = pen_cells(p, u->width);

		for (int i = 0; i < u->width; i++)
			at[i] =
			    (struct tui_cell){.ch = (unsigned char)u->escape[i], .role = p->role};
		return true;
	}
	c = pen_cells(p, u->width);
	if (p->ascii && u->ch >= 0x80) {
		for (int i = 0; i < u->width; i++)
			c[i] = (struct tui_cell){.ch = tui_char_in_ascii(u->ch), .role = p->role};
		return true;
	}
	*c = (struct tui_cell){.ch = u->ch, .role = p->role};
	memcpy(c->marks, u->marks, sizeof(c->marks));
	if (u->width > 1)
		c[1] = (struct tui_cell){.role = p->role};
	return true;
}

/* False: @text is longer than there is room. */
static bool pen_write(struct pen *p, struct sv text)
{
	while (text.n) {
		size_t room = (size_t)(p->width - p->used);
		size_t run = plain_run(sv_make(text.p, text.n <= room ? text.n : room + 1));
		struct tui_unit u;

		if (run && run < text.n && (text.p[run] & 0x80))
			run--; /* there may be marks over it */
		pen_ascii(p, text.p, (int)(run < room ? run : room));
		if (run > room)
			return false;
		text = sv_drop(text, run);
		if (!text.n)
			break;
		tui_unit_take(&text, &u);
		if (!pen_unit(p, &u))
			return false;
	}
	return true;
}

int tui_put(const struct tui_area *a, int y, int x, int width, enum tui_role role, struct sv text)
{
	struct span s = span_of(a, y, x, width);
	struct pen p = {.width = s.width, .ascii = a->screen->ascii, .role = (uint8_t)role};
	struct tui_unit ellipsis = {.ch = TUI_ELLIPSIS, .width = 1};

	if (!s.width || !text.n)
		return 0;
	p.cells = s.row + s.x;
	mend_left(s.row, s.x);
	if (!pen_write(&p, text)) {
		blank(p.cells + p.whole, (size_t)(p.used - p.whole), p.role);
		p.used = p.whole;
		pen_unit(&p, &ellipsis);
	}
	mend_right(s.row, s.x + p.used, a->screen->width);
	return p.used;
}

int tui_puts(const struct tui_area *a, int y, int x, enum tui_role role, const char *text)
{
	return tui_put(a, y, x, TUI_WIDTH_MAX, role, sv_of(text));
}

int tui_printf(const struct tui_area *a, int y, int x, enum tui_role role, const char *fmt, ...)
{
	char text[PRINTF_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return tui_puts(a, y, x, role, text);
}

void tui_put_right(const struct tui_area *a, int y, int x, int width, enum tui_role role,
		   struct sv text)
{
	int needed = tui_width(text);

	width = span_of(a, y, x, width).width;
	if (needed < width) {
		x += width - needed;
		width = needed;
	}
	tui_put(a, y, x, width, role, text);
}
