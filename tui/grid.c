/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void grid_row(void *arg, size_t i, struct tui_rows *out)
{
	const struct tui_grid *g = arg;
	const struct tui_grid_row *r = &g->rows[i];

	if (tui_rows_add(out, r->key, r->role) < 0)
		return;
	for (unsigned c = 0; c < g->columns; c++)
		tui_rows_cell(out, r->cells[c].role, r->cells[c].text);
}

static struct tui_row_key grid_key(void *arg, size_t i)
{
	const struct tui_grid *g = arg;

	return g->rows[i].key;
}

void tui_grid_init(struct tui_grid *g, unsigned columns)
{
	*g = (struct tui_grid){.columns =
				   columns < TUI_GRID_COLUMNS_MAX ? columns : TUI_GRID_COLUMNS_MAX};
	g->list.row = grid_row;
	g->list.key = grid_key;
	g->list.arg = g;
}

void tui_grid_done(struct tui_grid *g)
{
	tui_list_done(&g->list);
	free(g->rows);
	arena_done(&g->arena);
	buf_done(&g->cell);
	g->rows = NULL;
	g->count = g->cap = 0;
}

void tui_grid_clear(struct tui_grid *g)
{
	g->count = 0;
	g->list.count = 0;
	g->filled = g->columns;
	g->failed = g->cut = false;
	arena_reset(&g->arena);
}

bool tui_grid_add(struct tui_grid *g, struct tui_row_key key, enum tui_role role)
{
	struct tui_grid_cell *cells;

	g->filled = g->columns; /* until there is a row */
	if (g->count == TUI_GRID_ROWS_MAX) {
		g->cut = true;
		return false;
	}
	if (g->count == g->cap) {
		size_t cap = g->cap ? g->cap * 2 : 64;
		struct tui_grid_row *rows = reallocarray(g->rows, cap, sizeof(*rows));

		g->failed = g->failed || !rows;
		if (!rows)
			return false;
		g->rows = rows;
		g->cap = cap;
	}
	cells = arena_zalloc(&g->arena, g->columns, sizeof(*cells));
	g->failed = g->failed || !cells;
	if (!cells)
		return false;
	g->rows[g->count++] = (struct tui_grid_row){key, role, cells};
	g->filled = 0;
	return true;
}

void tui_grid_cell(struct tui_grid *g, enum tui_role role, struct sv text)
{
	struct sv kept = text.n ? arena_sv(&g->arena, text) : SV_NONE;

	if (g->filled == g->columns)
		return;
	g->failed = g->failed || (text.n && !kept.p);
	g->rows[g->count - 1].cells[g->filled++] =
	    (struct tui_grid_cell){kept.p ? kept : SV_NONE, role};
}

void tui_grid_str(struct tui_grid *g, const char *text)
{
	tui_grid_cell(g, TUI_ROLE_NORMAL, sv_of(text));
}

void tui_grid_printf(struct tui_grid *g, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tui_grid_str(g, text);
}

struct buf *tui_grid_begin(struct tui_grid *g)
{
	buf_reset(&g->cell);
	return &g->cell;
}

void tui_grid_end(struct tui_grid *g, enum tui_role role)
{
	g->failed = g->failed || g->cell.failed;
	tui_grid_cell(g, role, buf_view(&g->cell));
}

int tui_grid_done_adding(struct tui_grid *g, struct error *err)
{
	if (g->failed) {
		tui_grid_clear(g);
		return error_nomem(err);
	}
	g->list.count = g->count;
	return tui_list_update(&g->list, err);
}
