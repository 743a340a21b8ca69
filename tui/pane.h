/* SPDX-License-Identifier: Apache-2.0 */
/* A table with a line of its own above it. Threads: that of the program. */
#ifndef TUI_PANE_H
#define TUI_PANE_H

#include "tui/table.h"

/* The part of @a that the table is drawn into: for clicks. */
struct tui_area tui_pane_table(const struct tui_area *a);
/* @title and where the cursor is, then the table; @empty: why there are no rows, NULL: there are.
 */
void tui_pane_draw(struct tui_table *t, const struct tui_area *a, struct sv title,
		   const char *empty);
/* A click anywhere in @a. */
void tui_pane_click(struct tui_table *t, const struct tui_input *in, const struct tui_area *a);
/* The rows of @l have changed: @t shows them. Return: 0 or ERR_*. */
MUST_CHECK int tui_pane_update(struct tui_list *l, struct tui_table *t, struct error *err);
/* A cell with a number; 0: nothing, so that what is there stands out. */
void tui_pane_number(struct tui_rows *r, uint64_t n);
/* "1.2k"; nothing for 0. */
void tui_pane_size(struct tui_rows *r, uint64_t n);
/* The time as the user wants it. */
void tui_pane_time(const struct tui_app *app, struct tui_rows *r, uint64_t ts, int decimals);

#endif
