/* SPDX-License-Identifier: Apache-2.0 */
/* Which columns a table shows, which one is meant, and what it is sorted by. */
#include "tui/table_internal.h"

#define SHIFT_STEP 16 /* characters of the last column that one key scrolls */

static bool has_room(const struct tui_column *c, int width)
{
	bool wide = width == TABLE_ANY_WIDTH || c->from <= width;

	return c->flags & TUI_COLUMN_NARROW ? !wide : wide;
}

unsigned table_shown(const struct tui_table *t, int width, uint8_t out[TABLE_COLUMNS_MAX])
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->chosen_count; i++)
		out[n++] = t->chosen[i];
	for (unsigned i = 0; i < t->count && !t->chosen_count; i++) {
		const struct tui_column *c = &t->columns[i];

		if (!(c->flags & TUI_COLUMN_HIDDEN) && has_room(c, width))
			out[n++] = (uint8_t)i;
	}
	if (!n) /* none is for screens that small */
		out[n++] = 0;
	return n;
}

/* Where it stands among @n columns; -1: it is not there. */
static int place_of(const uint8_t *shown, unsigned n, int column)
{
	for (unsigned i = 0; i < n; i++)
		if (shown[i] == column)
			return (int)i;
	return -1;
}

static bool find_name(const struct tui_table *t, struct sv name, unsigned *out)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (sv_is(name, t->columns[i].name)) {
			*out = i;
			return true;
		}
	}
	return false;
}

static void no_such_column(struct tui_table *t, struct sv name)
{
	struct buf names = {0}, text = {0};
	struct error err;

	for (unsigned i = 0; i < t->count; i++)
		buf_addf(&names, "%s%s", i ? ", " : "", t->columns[i].name);
	buf_sv(&text, name);
	error_set(&err, ERR_USAGE, "no column '%s'; there are: %s", buf_cstr(&text),
		  buf_cstr(&names));
	tui_app_fail(t->app, &err);
	buf_done(&names);
	buf_done(&text);
}

bool table_column_of(struct tui_table *t, struct sv name, unsigned *out)
{
	uint8_t shown[TABLE_COLUMNS_MAX];

	if (name.n) {
		if (find_name(t, name, out))
			return true;
		no_such_column(t, name);
		return false;
	}
	if (t->current >= 0) {
		*out = (unsigned)t->current;
	} else if (t->sorted >= 0) {
		*out = (unsigned)t->sorted;
	} else {
		(void)table_shown(t, t->width, shown);
		*out = shown[0];
	}
	return true;
}

/* --- left and right */

static void go_left(struct tui_table *t)
{
	uint8_t shown[TABLE_COLUMNS_MAX];
	unsigned n = table_shown(t, t->width, shown);
	int at = place_of(shown, n, t->current);

	if (t->shift > 0) {
		t->shift -= SHIFT_STEP;
		return;
	}
	t->current = at > 0 ? shown[at - 1] : -1;
	if (at <= 0)
		t->left = 0;
}

static void go_right(struct tui_table *t)
{
	uint8_t shown[TABLE_COLUMNS_MAX];
	unsigned n = table_shown(t, t->width, shown);
	int at = place_of(shown, n, t->current);

	if (at + 1 < (int)n) {
		t->current = shown[at + 1];
		t->shift = 0;
	} else if (t->hidden > 0) {
		t->shift += SHIFT_STEP;
	}
}

/* --- sorting */

void table_sort_by(struct tui_table *t, int column, bool reverse)
{
	struct error err = {0};
	int rc = 0;

	if (!t->ops->sort)
		rc = error_set(&err, ERR_USAGE, "these rows have one order only");
	else if (column >= 0 && t->columns[column].flags & TUI_COLUMN_NO_SORT)
		rc = error_set(&err, ERR_USAGE, "rows cannot be sorted by '%s'",
			       t->columns[column].name);
	else if (t->file)
		rc = error_set(&err, ERR_USAGE, "rows are being written: not sorted");
	if (rc == 0) {
		table_find_stop(t);
		table_count_stop(t);
		rc = t->ops->sort(t->model, column, reverse, &err);
	}
	if (rc == 0) {
		t->sorted = column;
		t->reverse = reverse;
		rc = tui_table_refresh(t, &err);
	}
	if (rc < 0)
		tui_app_fail(t->app, &err);
}

/* The next column that is shown and can be sorted by; -1 behind the last one. */
static int next_sortable(const struct tui_table *t)
{
	uint8_t shown[TABLE_COLUMNS_MAX];
	unsigned n = table_shown(t, t->width, shown);

	for (int i = place_of(shown, n, t->sorted) + 1; i < (int)n; i++)
		if (!(t->columns[shown[i]].flags & TUI_COLUMN_NO_SORT))
			return shown[i];
	return -1;
}

static void sort(struct tui_table *t, struct sv name)
{
	unsigned column;

	if (!name.n)
		table_sort_by(t, next_sortable(t), false);
	else if (table_column_of(t, name, &column))
		table_sort_by(t, (int)column, false);
}

/* --- choosing */

/* "a,b,c"; "default": as the screen is wide. */
static void choose(struct tui_table *t, struct sv names)
{
	uint8_t chosen[TABLE_COLUMNS_MAX];
	unsigned n = 0, column;

	if (sv_is(names, "default")) {
		t->chosen_count = 0;
		t->left = 0;
		return;
	}
	while (names.n) {
		const char *comma = memchr(names.p, ',', names.n);
		struct sv name = sv_make(names.p, comma ? (size_t)(comma - names.p) : names.n);

		names = sv_drop(names, name.n + 1);
		while (name.n && name.p[0] == ' ')
			name = sv_drop(name, 1);
		while (name.n && name.p[name.n - 1] == ' ')
			name.n--;
		if (!name.n)
			continue;
		if (!find_name(t, name, &column)) {
			no_such_column(t, name);
			return;
		}
		if (place_of(chosen, n, (int)column) < 0)
			chosen[n++] = (uint8_t)column;
	}
	if (n) {
		memcpy(t->chosen, chosen, n);
		t->chosen_count = n;
		t->left = 0;
	}
}

static void toggle(struct tui_table *t, unsigned column)
{
	unsigned n = table_shown(t, t->width, t->chosen), i;
	int at = place_of(t->chosen, n, (int)column);

	if (at >= 0 && n == 1) {
		tui_app_say(t->app, TUI_ROLE_NOTICE, "one column has to stay");
	} else if (at >= 0) {
		memmove(t->chosen + at, t->chosen + at + 1, n - 1 - (unsigned)at);
		n--;
	} else {
		for (i = 0; i < n && t->chosen[i] < column; i++)
			;
		memmove(t->chosen + i + 1, t->chosen + i, n - i);
		t->chosen[i] = (uint8_t)column;
		n++;
	}
	t->chosen_count = n;
	t->left = 0;
}

static void move_choice(struct tui_table *t, long long by)
{
	long long to = (long long)t->choice + by;

	if (to >= (long long)t->count)
		to = (long long)t->count - 1;
	t->choice = to < 0 ? 0 : (unsigned)to;
}

enum tui_result table_choose_act(struct tui_table *t, const struct tui_command *c)
{
	switch (c->action) {
	case TUI_DO_UP:
		move_choice(t, -(long long)c->count);
		return TUI_DONE;
	case TUI_DO_DOWN:
		move_choice(t, c->count);
		return TUI_DONE;
	case TUI_DO_PAGE_UP:
	case TUI_DO_FIRST:
		t->choice = 0;
		return TUI_DONE;
	case TUI_DO_PAGE_DOWN:
	case TUI_DO_LAST:
		t->choice = t->count - 1;
		return TUI_DONE;
	case TUI_DO_ENTER:
	case TUI_DO_PLAY:
	case TUI_DO_TAG:
		toggle(t, t->choice);
		return TUI_DONE;
	case TUI_DO_COLUMNS:
		choose(t, c->arg);
		t->choosing = false;
		return TUI_DONE;
	case TUI_DO_BACK:
		t->choosing = false;
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

/* A line per column, in a frame in the middle of the table. */
void table_draw_choice(const struct tui_table *t, const struct tui_area *a)
{
	const int height = a->height < (int)t->count + 2 ? a->height : (int)t->count + 2,
		  width = a->width < 64 ? a->width : 64;
	struct tui_area box =
	    tui_area_part(a, (a->height - height) / 2, (a->width - width) / 2, height, width);
	uint8_t shown[TABLE_COLUMNS_MAX];
	unsigned n = table_shown(t, t->width, shown), top;

	tui_fill(&box, TUI_ROLE_NORMAL);
	box = tui_frame(&box, "columns: Enter on or off, Esc done");
	if (box.height <= 0)
		return;
	top = t->choice >= (unsigned)box.height ? t->choice - (unsigned)box.height + 1 : 0;
	for (int y = 0; y < box.height && top + (unsigned)y < t->count; y++) {
		const unsigned i = top + (unsigned)y;
		const struct tui_column *c = &t->columns[i];
		const bool on = place_of(shown, n, (int)i) >= 0;

		tui_printf(&box, y, 0, on ? TUI_ROLE_NORMAL : TUI_ROLE_DIM, "[%s] %-16s %s",
			   on ? tui_glyph(box.screen, TUI_GLYPH_YES) : " ", c->name,
			   c->help ? c->help : "");
		if (i == t->choice)
			tui_select(&box, y, 0, box.width);
	}
}

enum tui_result table_columns_act(struct tui_table *t, const struct tui_command *c)
{
	switch (c->action) {
	case TUI_DO_LEFT:
		go_left(t);
		break;
	case TUI_DO_RIGHT:
		go_right(t);
		break;
	case TUI_DO_SORT:
		sort(t, c->arg);
		break;
	case TUI_DO_REVERSE:
		table_sort_by(t, t->sorted, !t->reverse);
		break;
	default:
		if (c->arg.n)
			choose(t, c->arg);
		else
			t->choosing = true;
		break;
	}
	return TUI_DONE;
}

size_t tui_table_columns(const struct tui_table *t, const struct tui_column **out)
{
	*out = t->columns;
	return t->count;
}
