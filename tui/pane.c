/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/pane.h"

#include "engine/activity/words.h"
#include "tui/app.h"

#define TITLE_HEIGHT 6 /* lower bodies have no line above the table */

struct tui_area tui_pane_table(const struct tui_area *a)
{
	int above = a->height >= TITLE_HEIGHT ? 1 : 0;

	return tui_area_part(a, above, 0, a->height - above, a->width);
}

void tui_pane_draw(struct tui_table *t, const struct tui_area *a, struct sv title,
		   const char *empty)
{
	struct tui_area table = tui_pane_table(a);
	struct buf right = {0};

	tui_table_draw(t, &table, true);
	if (empty)
		tui_table_draw_why(t, &table, empty);
	if (table.height < a->height) {
		tui_table_position(t, &right);
		tui_put(a, 0, 1, a->width - tui_width(buf_view(&right)) - 4, TUI_ROLE_TITLE, title);
		tui_put_right(a, 0, 0, a->width - 1, TUI_ROLE_DIM, buf_view(&right));
	}
	buf_done(&right);
}

void tui_pane_click(struct tui_table *t, const struct tui_input *in, const struct tui_area *a)
{
	struct tui_area table = tui_pane_table(a);

	if (in->y >= table.y && in->y < table.y + table.height)
		tui_table_click(t, in, &table);
}

int tui_pane_update(struct tui_list *l, struct tui_table *t, struct error *err)
{
	int rc = tui_list_update(l, err);

	return rc < 0 ? rc : tui_table_refresh(t, err);
}

void tui_pane_number(struct tui_rows *r, uint64_t n)
{
	struct buf *b = tui_rows_begin_cell(r);

	if (n)
		buf_u64(b, n);
	tui_rows_end_cell(r, TUI_ROLE_NORMAL);
}

void tui_pane_size(struct tui_rows *r, uint64_t n)
{
	struct buf *b = tui_rows_begin_cell(r);

	if (n)
		act_size_text(b, n);
	tui_rows_end_cell(r, TUI_ROLE_NORMAL);
}

void tui_pane_time(const struct tui_app *app, struct tui_rows *r, uint64_t ts, int decimals)
{
	tui_app_time(app, tui_rows_begin_cell(r), ts, 0, decimals);
	tui_rows_end_cell(r, TUI_ROLE_NORMAL);
}
