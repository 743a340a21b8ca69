/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a page: keys, and texts of cells one after the other. Zeroed storage is empty, but for
 * how many columns there are. */
#ifndef TUI_TABLE_ROWS_H
#define TUI_TABLE_ROWS_H

#include "tui/table.h"

struct tui_row {
	struct tui_row_key key;
	enum tui_role role;
};

struct tui_row_cell {
	size_t at, n; /* of the text */
	enum tui_role role;
};

struct tui_rows {
	unsigned columns;
	struct tui_row *rows;
	struct tui_row_cell *cells; /* @columns of each row */
	size_t count, cap;
	struct buf text; /* latches that memory ran out */
	unsigned filled; /* cells of the last row */
	size_t begun;	 /* where the cell begins that is being made */
};

void tui_rows_reset(struct tui_rows *r);
void tui_rows_done(struct tui_rows *r);
/* Without those from @count on. */
void tui_rows_cut(struct tui_rows *r, size_t count);
/* Append rows @from to @to of @of. Return: 0, or ERR_NOMEM with @r as it was. */
MUST_CHECK int tui_rows_copy(struct tui_rows *r, const struct tui_rows *of, size_t from, size_t to);
/* Its text; empty beyond the last column. */
struct sv tui_rows_text(const struct tui_rows *r, size_t row, unsigned column);
enum tui_role tui_rows_role(const struct tui_rows *r, size_t row, unsigned column);
/* The row with that key, SIZE_MAX: none. */
size_t tui_rows_find(const struct tui_rows *r, struct tui_row_key key);

#endif
