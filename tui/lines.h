/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of any length as rows of a table: a name, and what is to be read, cut into as many lines as
 * the screen needs; and bytes in hex. Threads: that of the program.
 */
#ifndef TUI_LINES_H
#define TUI_LINES_H

#include "base/arena.h"
#include "tui/table.h"

#define TUI_LINES_MAX 200000 /* rows; what is more is left out, the last row says so */
#define TUI_HEX_BYTES 16     /* in a row */

struct tui_line {
	struct tui_row_key key; /* what it belongs to, and the number of the row */
	enum tui_role name_role, role;
	struct sv name, text;
};

struct tui_lines {	      /* zeroed: empty */
	struct tui_list list; /* the table's model, with tui_list_ops */
	struct arena texts;
	struct tui_line *all;
	size_t count, cap;
	bool failed; /* out of memory: latched */
	int width;   /* columns of a text; set before anything is added */
};

void tui_lines_init(struct tui_lines *l);
void tui_lines_done(struct tui_lines *l);
/* Without rows. */
void tui_lines_reset(struct tui_lines *l);
/* @text in as many rows as it takes; the first has the name. @key: kept in key.a; key.b counts. */
void tui_lines_add(struct tui_lines *l, uint64_t key, enum tui_role name_role, struct sv name,
		   enum tui_role role, struct sv text);
/* @bytes in hex and as characters; names are offsets. The first row has @name instead, if it is
 * not empty. */
void tui_lines_add_hex(struct tui_lines *l, uint64_t key, enum tui_role role, struct sv name,
		       struct sv bytes);
/* @bytes as text: a row for each line of it, cut where it is too long. */
void tui_lines_add_text(struct tui_lines *l, uint64_t key, enum tui_role role, struct sv name,
			struct sv bytes);
/* All are there. Return: 0 or ERR_NOMEM. */
MUST_CHECK int tui_lines_end(struct tui_lines *l, struct error *err);

#endif
