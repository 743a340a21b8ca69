/* SPDX-License-Identifier: Apache-2.0 */
#include "base/escape.h"
#include "tui/table_internal.h"

#define EDGE  1 /* columns before the first one: the mark of tagged rows */
#define BLANK 1 /* between columns */
#define FRAME 4 /* columns that may lie around a table that still has the screen's width */

struct span { /* a column of the table on the screen */
	unsigned column;
	int x, width;
};

struct layout {
	struct span spans[TABLE_COLUMNS_MAX];
	unsigned count;
};

/* @from to @n of @shown beside one another; those that take the rest share it. */
static void lay_out(const struct tui_table *t, const uint8_t *shown, unsigned n, unsigned from,
		    int width, struct layout *l)
{
	int rest = width - EDGE, takers = 0, x = EDGE;

	l->count = 0;
	for (unsigned i = from; i < n; i++) {
		rest -= t->columns[shown[i]].width + (i + 1 < n ? BLANK : 0);
		takers += (t->columns[shown[i]].flags & TUI_COLUMN_REST) != 0;
	}
	for (unsigned i = from; i < n && x < width; i++) {
		const struct tui_column *c = &t->columns[shown[i]];
		int own = c->width;

		if (c->flags & TUI_COLUMN_REST && rest > 0) {
			own += rest / takers;
			rest -= rest / takers;
			takers--;
		}
		if (own > width - x)
			own = width - x;
		l->spans[l->count++] = (struct span){.column = shown[i], .x = x, .width = own};
		x += own + BLANK;
	}
}

/* Columns are scrolled so that the current one is seen as far as it fits. */
static void lay_out_table(struct tui_table *t, const struct tui_area *a, struct layout *l)
{
	const int screen = a->screen->width;
	uint8_t shown[TABLE_COLUMNS_MAX];
	unsigned n, at = 0;

	t->width = a->width >= screen - FRAME ? screen : a->width;
	n = table_shown(t, t->width, shown);
	while (at < n && shown[at] != t->current)
		at++;
	if (at == n) { /* there is none, or not any more */
		t->current = -1;
		t->shift = 0;
		at = 0;
	}
	if (t->left > (int)at)
		t->left = (int)at;
	for (;; t->left++) {
		const struct span *s;

		lay_out(t, shown, n, (unsigned)t->left, a->width, l);
		if (t->left >= (int)at)
			break;
		s = at - (unsigned)t->left < l->count ? &l->spans[at - (unsigned)t->left] : NULL;
		if (s && s->width >= t->columns[s->column].width)
			break;
	}
}

static void draw_header(const struct tui_table *t, const struct tui_area *a, const struct layout *l)
{
	for (unsigned i = 0; i < l->count; i++) {
		const struct span *s = &l->spans[i];
		const struct tui_column *c = &t->columns[s->column];
		const bool sorted = t->sorted == (int)s->column;
		int width = s->width - sorted, used;

		if (width < 0)
			continue;
		used = tui_width(sv_of(c->title));
		if (used > width)
			used = width;
		if (c->flags & TUI_COLUMN_RIGHT) {
			tui_put_right(a, 0, s->x, width, TUI_ROLE_HEADER, sv_of(c->title));
			used = width;
		} else {
			tui_put(a, 0, s->x, width, TUI_ROLE_HEADER, sv_of(c->title));
		}
		if (sorted)
			tui_puts(a, 0, s->x + used, TUI_ROLE_HEADER,
				 tui_glyph(a->screen, t->reverse ? TUI_GLYPH_LOW : TUI_GLYPH_UP));
		if (t->current == (int)s->column)
			tui_select(a, 0, s->x, s->width);
	}
}

/* Without its first @n characters. */
static struct sv without(struct sv text, int n)
{
	while (text.n && n > 0) {
		do
			text = sv_drop(text, 1);
		while (text.n && ((unsigned char)text.p[0] & 0xc0) == 0x80);
		n--;
	}
	return text;
}

static void draw_cell(struct tui_table *t, const struct tui_area *a, int y, const struct span *s,
		      enum tui_role role, struct sv text, struct buf *room)
{
	const unsigned flags = t->columns[s->column].flags;

	if (t->current == (int)s->column) {
		const int width = tui_width(text);

		if (width - t->shift - s->width > t->hidden)
			t->hidden = width - t->shift - s->width;
		if (t->shift > 0) {
			buf_reset(room);
			escape_text(room, text);
			tui_put(a, y, s->x, s->width, role, without(buf_view(room), t->shift));
			return;
		}
	}
	if (flags & TUI_COLUMN_PATH && tui_width(text) > s->width) {
		buf_reset(room);
		tui_shorten_path(room, text, s->width);
		text = buf_view(room);
	}
	if (flags & TUI_COLUMN_RIGHT)
		tui_put_right(a, y, s->x, s->width, role, text);
	else
		tui_put(a, y, s->x, s->width, role, text);
}

static void draw_row(struct tui_table *t, const struct tui_area *a, int y, size_t i,
		     const struct layout *l, struct buf *room)
{
	const bool tagged = tui_table_is_tagged(t, t->page.rows[i].key);

	if (tagged)
		tui_puts(a, y, 0, TUI_ROLE_TAGGED, tui_glyph(a->screen, TUI_GLYPH_TAG));
	for (unsigned k = 0; k < l->count; k++) {
		const struct span *s = &l->spans[k];
		enum tui_role role = tui_rows_role(&t->page, i, s->column);

		if (tagged && role == t->page.rows[i].role)
			role = TUI_ROLE_TAGGED;
		draw_cell(t, a, y, s, role, tui_rows_text(&t->page, i, s->column), room);
		table_find_mark(t, a, y, s->x, s->width);
	}
}

/* All of the row but its bars, which would look like none in reverse. */
static void select_row(const struct tui_table *t, const struct tui_area *a, int y, size_t i,
		       const struct layout *l)
{
	int from = 0;

	for (unsigned k = 0; k < l->count; k++) {
		const struct span *s = &l->spans[k];

		if (tui_rows_role(&t->page, i, s->column) != TUI_ROLE_BAR ||
		    !tui_rows_text(&t->page, i, s->column).n)
			continue;
		tui_select(a, y, from, s->x - from);
		from = s->x + s->width;
	}
	tui_select(a, y, from, a->width - from);
}

static void draw_rows(struct tui_table *t, const struct tui_area *a, const struct layout *l,
		      bool focus)
{
	struct buf room = {0};
	const size_t top = t->cursor - (size_t)t->line;

	t->hidden = 0;
	for (int y = 0; y < a->height && top + (size_t)y < t->page.count; y++) {
		draw_row(t, a, y, top + (size_t)y, l, &room);
		if (focus && y == t->line)
			select_row(t, a, y, top + (size_t)y, l);
	}
	buf_done(&room);
}

void tui_table_draw(struct tui_table *t, const struct tui_area *a, bool focus)
{
	struct tui_area rows = tui_area_part(a, 1, 0, a->height - 1, a->width);
	struct error err = {0};
	struct layout l;
	int rc = 0;

	if (a->height <= 0 || a->width <= 0)
		return;
	tui_fill(a, TUI_ROLE_NORMAL);
	lay_out_table(t, a, &l);
	draw_header(t, a, &l);
	if (!t->loaded)
		rc = tui_table_refresh(t, &err);
	if (rc == 0)
		rc = table_fit(t, rows.height, &err);
	if (rc < 0) /* what is there is shown */
		tui_app_fail(t->app, &err);
	if (t->page.count)
		draw_rows(t, &rows, &l, focus);
	else
		tui_puts(&rows, 0, EDGE, TUI_ROLE_DIM, t->again ? "..." : "nothing");
	if (t->choosing)
		table_draw_choice(t, a);
}

void tui_table_draw_why(const struct tui_table *t, const struct tui_area *a, const char *why)
{
	const struct tui_area line = tui_area_part(a, 1, 0, 1, a->width);

	if (t->choosing) /* columns, there */
		return;
	tui_fill(&line, TUI_ROLE_NORMAL);
	tui_puts(&line, 0, EDGE, TUI_ROLE_DIM, why);
}

int table_clicked(struct tui_table *t, int y, int x, const struct tui_area *a, struct error *err)
{
	struct layout l;
	size_t row;

	if (y < 0 || x < 0 || y >= a->height || x >= a->width || t->choosing)
		return 0;
	if (y == 0) {
		lay_out_table(t, a, &l);
		for (unsigned i = 0; i < l.count; i++) {
			const struct span *s = &l.spans[i];
			const int column = (int)s->column;

			if (x >= s->x && x < s->x + s->width)
				table_sort_by(t, column, t->sorted == column && !t->reverse);
		}
		return 0;
	}
	row = t->cursor - (size_t)t->line + (size_t)(y - 1);
	if (t->page.count && row < t->page.count) {
		table_put_cursor(t, row);
		t->line = y - 1;
		return table_fit(t, t->height, err);
	}
	return 0;
}
