/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Screens of cells, which views draw into and which only tui/term.c brings to a terminal. Whatever
 * text is put into cells is made harmless on the way: control characters, characters that turn the
 * direction of text, and bytes that are no UTF-8 appear as visible escapes (base/escape.h), so no
 * screen ever holds raw control bytes. So do characters that have no shape of their own (joiners,
 * selectors, what is not assigned): nothing is hidden, and terminals agree on the widths of the
 * rest. Nothing is drawn outside of an area.
 * Units: columns and lines, from 0. Threads: a screen belongs to one thread.
 */
#ifndef TUI_CELL_H
#define TUI_CELL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/defs.h"
#include "base/error.h"
#include "base/sv.h"

#define TUI_WIDTH_MAX  1000 /* columns and lines of a screen; a larger terminal is used in part */
#define TUI_HEIGHT_MAX 500
#define TUI_MARKS_MAX  2 /* combining marks of a cell; more of them are shown as escapes */

/* What a piece of text is, from which a theme makes colours and attributes. */
enum tui_role {
#define ROLE(sym, name, letter, help) TUI_ROLE_##sym,
#include "tui/roles.def"
#undef ROLE
	TUI_ROLE_COUNT
};

struct tui_cell {
	uint32_t ch;		       /* a character; 0: the right half of a wide one */
	uint32_t marks[TUI_MARKS_MAX]; /* combining marks over it, or 0 */
	uint8_t role;
	bool selected; /* under the cursor: in reverse video, in every theme */
};

struct tui_screen {
	int height, width;
	bool ascii; /* glyphs have their form in ASCII; other characters beyond it become '?' */
	struct tui_cell *cells;
};

struct tui_area { /* a rectangle of a screen; may be empty */
	struct tui_screen *screen;
	int y, x, height, width;
};

/* Storage that is zeroed becomes a screen of that size, blank. Return: 0 or ERR_NOMEM. */
MUST_CHECK int tui_screen_resize(struct tui_screen *s, int height, int width, struct error *err);
void tui_screen_done(struct tui_screen *s);
void tui_screen_clear(struct tui_screen *s);
struct tui_area tui_screen_area(struct tui_screen *s);
/* The screen as text: lines with trailing blanks removed, each ended by a line feed. @roles: each
 * line is followed by one that has a letter per cell for its role (golden screens): that of
 * roles.def, in upper case if it is selected. */
void tui_screen_dump(const struct tui_screen *s, bool roles, struct buf *out);

/* The part of @a that is also in the given rectangle of it, which may reach beyond it. */
struct tui_area tui_area_part(const struct tui_area *a, int y, int x, int height, int width);
void tui_fill(const struct tui_area *a, enum tui_role role);
/*
 * @text from @x on in line @y, in at most @width columns (of those that are there); what is longer
 * ends in an ellipsis. Where there is no such place nothing is drawn. Return: columns used.
 */
int tui_put(const struct tui_area *a, int y, int x, int width, enum tui_role role, struct sv text);
/* The same of a text of ours. */
int tui_puts(const struct tui_area *a, int y, int x, enum tui_role role, const char *text);
PRINTF_LIKE(5, 6)
int tui_printf(const struct tui_area *a, int y, int x, enum tui_role role, const char *fmt, ...);
/* At the right end of @width columns. */
void tui_put_right(const struct tui_area *a, int y, int x, int width, enum tui_role role,
		   struct sv text);
/* The line is the one under the cursor; or some columns of it. */
void tui_select(const struct tui_area *a, int y, int x, int width);
void tui_line_across(const struct tui_area *a, int y);
void tui_line_down(const struct tui_area *a, int x);
/* A frame round the area, with a title in its upper edge. Return: what is inside. */
struct tui_area tui_frame(const struct tui_area *a, const char *title);

/* Columns that @text takes once it is harmless. */
int tui_width(struct sv text);
/* A path in at most @width columns: its middle is left out. For tui_put(), not harmless yet. */
void tui_shorten_path(struct buf *out, struct sv path, int width);

/* --- characters of ours that have a form in ASCII --- */

enum tui_glyph {
#define GLYPH(sym, utf8, ascii) TUI_GLYPH_##sym,
#include "tui/glyphs.def"
#undef GLYPH
	TUI_GLYPH_COUNT
};
/* For texts that are put into @s. */
const char *tui_glyph(const struct tui_screen *s, enum tui_glyph g);
/* A bar of eight heights, 0 to 8 (0: blank), and a density of four, 0 to 4. */
const char *tui_bar(const struct tui_screen *s, unsigned eighths);
const char *tui_density(const struct tui_screen *s, unsigned quarters);
/* @count values as bars in the line; the greatest is the highest. Any value above 0 shows. */
void tui_sparkline(const struct tui_area *a, int y, int x, enum tui_role role,
		   const uint64_t *values, size_t count);

#endif
