/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/table_rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tui/table_keys.h"

#define FIRST_ROWS 64

void tui_rows_reset(struct tui_rows *r)
{
	r->count = 0;
	r->filled = 0;
	r->begun = 0;
	buf_reset(&r->text);
}

void tui_rows_done(struct tui_rows *r)
{
	unsigned columns = r->columns;

	free(r->rows);
	free(r->cells);
	buf_done(&r->text);
	*r = (struct tui_rows){.columns = columns};
}

void tui_rows_cut(struct tui_rows *r, size_t count)
{
	if (count >= r->count)
		return;
	/* Cells of a row stand in order, and each row has at least its first one's place. */
	r->text.len = r->columns ? r->cells[count * r->columns].at : 0;
	r->text.failed = false;
	r->count = count;
	r->filled = r->columns;
}

static int grow(struct tui_rows *r)
{
	size_t cap = r->cap ? r->cap * 2 : FIRST_ROWS;
	struct tui_row_cell *cells;
	struct tui_row *rows;

	rows = realloc(r->rows, cap * sizeof(*rows));
	if (!rows)
		return ERR_NOMEM;
	r->rows = rows;
	cells = realloc(r->cells, cap * (r->columns ? r->columns : 1) * sizeof(*cells));
	if (!cells)
		return ERR_NOMEM;
	r->cells = cells;
	r->cap = cap;
	return 0;
}

int tui_rows_add(struct tui_rows *r, struct tui_row_key key, enum tui_role role)
{
	if (r->count == r->cap && grow(r) < 0) {
		r->text.failed = true;
		return ERR_NOMEM;
	}
	for (unsigned c = 0; c < r->columns; c++)
		r->cells[r->count * r->columns + c] =
		    (struct tui_row_cell){.at = r->text.len, .role = TUI_ROLE_NORMAL};
	r->rows[r->count++] = (struct tui_row){.key = key, .role = role};
	r->filled = 0;
	return 0;
}

struct buf *tui_rows_begin_cell(struct tui_rows *r)
{
	r->begun = r->text.len;
	return &r->text;
}

void tui_rows_end_cell(struct tui_rows *r, enum tui_role role)
{
	if (r->filled >= r->columns || !r->count) {
		r->text.len = r->begun; /* there is no such column */
		return;
	}
	r->cells[(r->count - 1) * r->columns + r->filled++] =
	    (struct tui_row_cell){.at = r->begun, .n = r->text.len - r->begun, .role = role};
}

void tui_rows_cell(struct tui_rows *r, enum tui_role role, struct sv text)
{
	buf_sv(tui_rows_begin_cell(r), text);
	tui_rows_end_cell(r, role);
}

void tui_rows_printf(struct tui_rows *r, const char *fmt, ...)
{
	struct buf *b = tui_rows_begin_cell(r);
	va_list ap;
	char *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	to = n < 0 ? NULL : buf_room(b, (size_t)n + 1);
	if (to) {
		va_start(ap, fmt);
		vsnprintf(to, (size_t)n + 1, fmt, ap);
		va_end(ap);
		b->len += (size_t)n;
	}
	tui_rows_end_cell(r, TUI_ROLE_NORMAL);
}

int tui_rows_copy(struct tui_rows *r, const struct tui_rows *of, size_t from, size_t to)
{
	const size_t count = r->count;

	for (size_t i = from; i < to; i++) {
		if (tui_rows_add(r, of->rows[i].key, of->rows[i].role) < 0)
			break;
		for (unsigned c = 0; c < r->columns; c++)
			tui_rows_cell(r, of->cells[i * of->columns + c].role,
				      tui_rows_text(of, i, c));
	}
	if (!r->text.failed)
		return 0;
	tui_rows_cut(r, count);
	r->text.failed = false;
	return ERR_NOMEM;
}

struct sv tui_rows_text(const struct tui_rows *r, size_t row, unsigned column)
{
	const struct tui_row_cell *cell;

	if (row >= r->count || column >= r->columns)
		return SV_NONE;
	cell = &r->cells[row * r->columns + column];
	return cell->n ? sv_make(r->text.p + cell->at, cell->n) : SV_NONE;
}

enum tui_role tui_rows_role(const struct tui_rows *r, size_t row, unsigned column)
{
	enum tui_role role = r->cells[row * r->columns + column].role;

	return role == TUI_ROLE_NORMAL ? r->rows[row].role : role;
}

size_t tui_rows_find(const struct tui_rows *r, struct tui_row_key key)
{
	for (size_t i = 0; i < r->count; i++)
		if (tui_key_eq(r->rows[i].key, key))
			return i;
	return SIZE_MAX;
}
