/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text as cells see it: one thing after the other that is either a character with its marks, or an
 * escape for what is not to be shown as it is. The widths of characters are a table of ours, so
 * that a screen is the same in every locale. Internal to tui/.
 */
#ifndef TUI_TEXT_H
#define TUI_TEXT_H

#include "tui/cell.h"

#define TUI_ESCAPE_MAX 12 /* "\xNN" for the three bytes of a character that was cut */

struct tui_unit {
	uint32_t ch; /* 0: it is an escape */
	uint32_t marks[TUI_MARKS_MAX];
	int width; /* columns */
	char escape[TUI_ESCAPE_MAX + 1];
};

/* The first of @text (not empty) is taken off it. */
void tui_unit_take(struct sv *text, struct tui_unit *out);
/* Columns of a character: 2, 1, 0 (a mark over the one before), -1 (it has no shape). */
int tui_char_width(uint32_t ch);
/* Append in UTF-8. */
void tui_char_utf8(struct buf *out, uint32_t ch);
/* The form in ASCII of a character of ours (glyphs.def), '?' for others. */
uint32_t tui_char_in_ascii(uint32_t ch);

#define TUI_ELLIPSIS 0x2026

#endif
