/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows whose cells are texts in memory, for tables of up to some ten thousand rows that are made
 * anew when T moves. Use: tui_grid_clear(), then for each row tui_grid_add() and its cells in order
 * (those left out are empty), then tui_grid_done_adding(). As a model: tui_list_ops with @list.
 * Threads: that of the program.
 */
#ifndef TUI_GRID_H
#define TUI_GRID_H

#include "base/arena.h"
#include "tui/table.h"

#define TUI_GRID_COLUMNS_MAX 16
#define TUI_GRID_ROWS_MAX    200000

struct tui_grid_cell {
	struct sv text;
	enum tui_role role;
};

struct tui_grid_row {
	struct tui_row_key key;
	enum tui_role role;
	struct tui_grid_cell *cells;
};

struct tui_grid {
	struct tui_list list;
	unsigned columns, filled;
	struct tui_grid_row *rows;
	size_t count, cap;
	struct arena arena;
	struct buf cell; /* that is being made */
	bool failed;	 /* out of memory since it was cleared */
	bool cut;	 /* there would be more than TUI_GRID_ROWS_MAX */
};

void tui_grid_init(struct tui_grid *g, unsigned columns);
void tui_grid_done(struct tui_grid *g);
void tui_grid_clear(struct tui_grid *g);
/* Begin a row. False: there is no room; its cells are ignored. */
bool tui_grid_add(struct tui_grid *g, struct tui_row_key key, enum tui_role role);
/* The next cell; TUI_ROLE_NORMAL: that of the row. */
void tui_grid_cell(struct tui_grid *g, enum tui_role role, struct sv text);
void tui_grid_str(struct tui_grid *g, const char *text);
PRINTF_LIKE(2, 3)
void tui_grid_printf(struct tui_grid *g, const char *fmt, ...);
/* The buffer to append the next cell's text to, ended by tui_grid_end(). */
struct buf *tui_grid_begin(struct tui_grid *g);
void tui_grid_end(struct tui_grid *g, enum tui_role role);
/* Return: 0 or ERR_NOMEM. */
MUST_CHECK int tui_grid_done_adding(struct tui_grid *g, struct error *err);

#endif
