/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/table.h"

#include <stdlib.h>

#include "base/clock.h"
#include "tui/table_internal.h"

int tui_table_new(struct tui_app *app, const struct tui_column *columns, size_t count,
		  const struct tui_model_ops *ops, void *model, struct tui_table **out,
		  struct error *err)
{
	struct tui_table *t;

	if (!count || count > TABLE_COLUMNS_MAX)
		return error_set(err, ERR_LIMIT, "a table has 1 to %d columns, not %zu",
				 TABLE_COLUMNS_MAX, count);
	t = calloc(1, sizeof(*t));
	if (!t)
		return error_nomem(err);
	t->app = app;
	t->columns = columns;
	t->count = (unsigned)count;
	t->ops = ops;
	t->model = model;
	t->page.columns = t->scratch.columns = t->job.columns = t->count;
	t->height = TABLE_HEIGHT;
	t->width = TABLE_WIDTH;
	t->current = t->sorted = -1;
	*out = t;
	return 0;
}

void tui_table_free(struct tui_table *t)
{
	if (!t)
		return;
	tui_rows_done(&t->page);
	tui_rows_done(&t->scratch);
	tui_rows_done(&t->job);
	tui_keys_done(&t->tags);
	buf_done(&t->find.text);
	buf_done(&t->find.room);
	table_values_free(t->values);
	table_file_free(t->file);
	free(t);
}

/* --- rows that are known */

int table_ask(struct tui_table *t, enum tui_where where, struct tui_row_key key, size_t n,
	      struct tui_rows *out, struct error *err)
{
	const size_t before = out->count;
	int rc = t->ops->page(t->model, where, key, n, out, err);

	if (rc >= 0 && out->text.failed)
		rc = error_nomem(err);
	if (rc < 0) {
		tui_rows_cut(out, before);
		out->text.failed = false;
	}
	return rc;
}

void table_put_cursor(struct tui_table *t, size_t i)
{
	t->cursor = i;
	t->has_key = true;
	t->key = t->page.rows[i].key;
	if (t->load_again && t->wanted == TUI_FROM_KEY)
		t->wanted_key = t->key;
}

static void swap_pages(struct tui_table *t)
{
	struct tui_rows page = t->page;

	t->page = t->scratch;
	t->scratch = page;
}

/* All rows anew, with the cursor there. What cannot be found in time comes later; what was shown
 * stays until then. */
static int load(struct tui_table *t, enum tui_where where, struct tui_row_key key,
		struct error *err)
{
	size_t n = (size_t)t->height + TABLE_AHEAD;
	bool short_of;
	int rc;

	t->steps = 0;
	t->load_again = false;
	tui_rows_reset(&t->scratch);
	rc = table_ask(t, where, key, n, &t->scratch, err);
	if (rc == 0 && !t->scratch.count && where == TUI_FROM_KEY) {
		where = TUI_FROM_LAST; /* it would be behind all others */
		rc = table_ask(t, where, key, n, &t->scratch, err);
	}
	if (rc < 0)
		return rc;
	t->again = rc == 1;
	if (rc == 1 && !t->scratch.count) {
		t->load_again = true;
		t->wanted = where;
		t->wanted_key = key;
		return 0;
	}
	swap_pages(t);
	short_of = rc == 0 && t->page.count < n;
	t->first = where == TUI_FROM_FIRST || (where == TUI_FROM_LAST && short_of);
	t->last = where == TUI_FROM_LAST || short_of;
	if (t->page.count)
		table_put_cursor(t, where == TUI_FROM_LAST ? t->page.count - 1 : 0);
	else
		t->cursor = 0;
	return 0;
}

/* Up to @n rows more behind the last one. */
static int fetch_after(struct tui_table *t, size_t n, struct error *err)
{
	const size_t before = t->page.count;
	int rc = table_ask(t, TUI_AFTER_KEY, t->page.rows[before - 1].key, n, &t->page, err);

	if (rc < 0)
		return rc;
	t->last = rc == 0 && t->page.count - before < n;
	t->again = t->again || rc == 1;
	return 0;
}

static int fetch_before(struct tui_table *t, size_t n, struct error *err)
{
	size_t added;
	int rc;

	tui_rows_reset(&t->scratch);
	rc = table_ask(t, TUI_BEFORE_KEY, t->page.rows[0].key, n, &t->scratch, err);
	if (rc < 0)
		return rc;
	added = t->scratch.count;
	if (added) {
		if (tui_rows_copy(&t->scratch, &t->page, 0, t->page.count) < 0)
			return error_nomem(err);
		swap_pages(t);
		t->cursor += added;
	}
	t->first = rc == 0 && added < n;
	t->again = t->again || rc == 1;
	return 0;
}

/* Rows far from what is seen are forgotten. Without memory for that they stay. */
static void trim(struct tui_table *t)
{
	size_t ahead = (size_t)t->height + TABLE_AHEAD, from, to;

	if (t->page.count <= 4 * ahead)
		return;
	from = t->cursor > ahead ? t->cursor - ahead : 0;
	to = t->page.count - t->cursor > 2 * ahead ? t->cursor + 2 * ahead : t->page.count;
	tui_rows_reset(&t->scratch);
	if (tui_rows_copy(&t->scratch, &t->page, from, to) < 0)
		return;
	t->first = t->first && from == 0;
	t->last = t->last && to == t->page.count;
	swap_pages(t);
	t->cursor -= from;
}

/* Rows above the cursor for @line lines, if there are as many. */
static int fit_above(struct tui_table *t, int line, struct error *err)
{
	size_t n = (size_t)line;

	if (t->cursor >= n || t->first)
		return 0;
	return fetch_before(t, n - t->cursor + TABLE_AHEAD, err);
}

static int line_within(const struct tui_table *t, int line)
{
	if (line >= t->height)
		line = t->height - 1;
	if (line < 0)
		line = 0;
	return (size_t)line > t->cursor ? (int)t->cursor : line;
}

int table_fit(struct tui_table *t, int height, struct error *err)
{
	size_t below;
	int rc, line;

	t->height = height > 0 ? height : 1;
	if (!t->page.count)
		return 0;
	line = t->line < t->height ? t->line : t->height - 1;
	rc = fit_above(t, line < 0 ? 0 : line, err);
	if (rc < 0)
		return rc;
	t->line = line_within(t, line);
	below = t->page.count - t->cursor;
	if (!t->last && below < (size_t)(t->height - t->line)) {
		rc = fetch_after(t, (size_t)(t->height - t->line) - below + TABLE_AHEAD, err);
		if (rc < 0)
			return rc;
		below = t->page.count - t->cursor;
	}
	/* No empty lines at the end while there are rows above. */
	if (t->last && below < (size_t)(t->height - t->line)) {
		line = t->height - (int)below;
		rc = fit_above(t, line, err);
		if (rc < 0)
			return rc;
		t->line = line_within(t, line);
	}
	trim(t);
	return 0;
}

/* --- moving */

static int go_on(struct tui_table *t, size_t *room, struct error *err)
{
	int rc = 0;

	if (!*room && !t->last) {
		rc = fetch_after(t, (size_t)t->height + TABLE_AHEAD, err);
		trim(t);
		*room = t->page.count - 1 - t->cursor;
	}
	return rc;
}

static int go_back(struct tui_table *t, size_t *room, struct error *err)
{
	int rc = 0;

	if (!*room && !t->first) {
		rc = fetch_before(t, (size_t)t->height + TABLE_AHEAD, err);
		trim(t);
		*room = t->cursor;
	}
	return rc;
}

/* @scroll: the cursor's line stays, as far as there are rows. */
static int move(struct tui_table *t, long long steps, bool scroll, struct error *err)
{
	t->steps = 0;
	if (!t->page.count)
		return 0;
	if (steps > TABLE_STEPS_MAX)
		steps = TABLE_STEPS_MAX;
	if (steps < -TABLE_STEPS_MAX)
		steps = -TABLE_STEPS_MAX;
	while (steps) {
		size_t room = steps > 0 ? t->page.count - 1 - t->cursor : t->cursor;
		int rc = steps > 0 ? go_on(t, &room, err) : go_back(t, &room, err);
		long long n = steps > 0 ? steps : -steps;

		if (rc < 0)
			return rc;
		if (!room) {
			if (t->again)
				t->steps = steps;
			break;
		}
		if ((size_t)n > room)
			n = (long long)room;
		n = steps > 0 ? n : -n;
		table_put_cursor(t, (size_t)((long long)t->cursor + n));
		if (!scroll)
			t->line += (int)n;
		steps -= n;
	}
	if (t->line < 0)
		t->line = 0;
	return table_fit(t, t->height, err);
}

static int go_first(struct tui_table *t, struct error *err)
{
	t->line = 0;
	return load(t, TUI_FROM_FIRST, t->key, err);
}

static int go_last(struct tui_table *t, struct error *err)
{
	int rc;

	t->line = t->height - 1;
	rc = load(t, TUI_FROM_LAST, t->key, err);
	return rc < 0 ? rc : table_fit(t, t->height, err);
}

static bool moving(struct tui_table *t, const struct tui_command *c, int *rc, struct error *err)
{
	const long long count = c->count > 0 ? c->count : 1, page = count * t->height;

	switch (c->action) {
	case TUI_DO_UP:
		*rc = move(t, -count, false, err);
		return true;
	case TUI_DO_DOWN:
		*rc = move(t, count, false, err);
		return true;
	case TUI_DO_PAGE_UP:
		*rc = move(t, -page, true, err);
		return true;
	case TUI_DO_PAGE_DOWN:
		*rc = move(t, page, true, err);
		return true;
	case TUI_DO_FIRST:
		*rc = go_first(t, err);
		return true;
	case TUI_DO_LAST:
		*rc = go_last(t, err);
		return true;
	default:
		return false;
	}
}

int tui_table_refresh(struct tui_table *t, struct error *err)
{
	int rc = 0;

	if (t->find.active)
		rc = table_walk_anchor(t, &t->find.walk, err);
	if (rc == 0)
		rc = table_count_anchor(t, err);
	if (rc == 0)
		rc = table_export_anchor(t, err);
	if (rc == 0)
		rc = load(t, t->has_key ? TUI_FROM_KEY : TUI_FROM_FIRST, t->key, err);
	t->loaded = true;
	return rc < 0 ? rc : table_fit(t, t->height, err);
}

bool tui_table_cursor(const struct tui_table *t, struct tui_row_key *key)
{
	if (!t->page.count)
		return false;
	*key = t->page.rows[t->cursor].key;
	return true;
}

struct sv tui_table_cell(const struct tui_table *t, unsigned column)
{
	return tui_rows_text(&t->page, t->cursor, column);
}

void tui_table_seek(struct tui_table *t, struct tui_row_key key)
{
	size_t i = tui_rows_find(&t->page, key);
	struct error err = {0};
	int rc = 0;

	if (i != SIZE_MAX) {
		long long line = (long long)i - (long long)t->cursor + t->line;

		t->line = line >= 0 && line < t->height ? (int)line : t->height / 2;
		t->steps = 0;
		table_put_cursor(t, i);
	} else {
		t->line = t->height / 2;
		t->loaded = true;
		t->key = key;
		t->has_key = true;
		rc = load(t, TUI_FROM_KEY, key, &err);
	}
	if (rc == 0)
		rc = table_fit(t, t->height, &err);
	if (rc < 0)
		tui_app_fail(t->app, &err);
}

void tui_table_position(const struct tui_table *t, struct buf *out)
{
	uint64_t count, before;
	bool exact = false;

	if (!t->page.count)
		return;
	count = t->ops->count(t->model, &exact);
	before = t->ops->before(t->model, t->key);
	if (exact) {
		buf_u64(out, before < count ? before + 1 : count);
		buf_char(out, '/');
		buf_u64(out, count);
	} else {
		if (before > count)
			before = count;
		buf_addf(out, "~%u%%",
			 count ? (unsigned)((double)before / (double)count * 100) : 0);
	}
}

/* --- tags */

bool tui_table_is_tagged(const struct tui_table *t, struct tui_row_key key)
{
	return tui_keys_find(&t->tags, key) != SIZE_MAX;
}

size_t tui_table_tagged(const struct tui_table *t)
{
	return t->tags.count;
}

bool tui_table_next_tag(const struct tui_table *t, size_t *at, struct tui_row_key *key)
{
	if (*at >= t->tags.count)
		return false;
	*key = t->tags.keys[(*at)++];
	return true;
}

void tui_table_tag(struct tui_table *t, struct tui_row_key key)
{
	struct error err;

	if (!tui_table_is_tagged(t, key) && tui_keys_add(&t->tags, key) < 0) {
		error_nomem(&err);
		tui_app_fail(t->app, &err);
	}
}

static int tag(struct tui_table *t, int count, struct error *err)
{
	int rc = 0;

	if (count > TABLE_STEPS_MAX)
		count = TABLE_STEPS_MAX;
	for (int i = 0; rc == 0 && (i == 0 || i < count) && t->page.count; i++) {
		const struct tui_row_key key = t->key;

		if (!tui_keys_remove(&t->tags, key))
			tui_table_tag(t, key);
		rc = move(t, 1, false, err);
		if (rc == 0 && tui_key_eq(t->key, key))
			break; /* the last one */
	}
	return rc;
}

/* --- actions */

static enum tui_result cancel(struct tui_table *t)
{
	const bool finding = t->find.active, counting = table_count_stop(t);

	if (!finding && !counting && !t->file)
		return TUI_NOT_MINE;
	table_find_stop(t);
	table_file_free(t->file);
	t->file = NULL;
	tui_app_say(t->app, TUI_ROLE_NORMAL, "cancelled");
	return TUI_DONE;
}

enum tui_result tui_table_act(struct tui_table *t, const struct tui_command *c)
{
	struct error err = {0};
	int rc = 0;

	if (t->choosing)
		return table_choose_act(t, c);
	switch (c->action) {
	case TUI_DO_LEFT:
	case TUI_DO_RIGHT:
	case TUI_DO_SORT:
	case TUI_DO_REVERSE:
	case TUI_DO_COLUMNS:
		return table_columns_act(t, c);
	case TUI_DO_SEARCH:
	case TUI_DO_NEXT_FOUND:
	case TUI_DO_PREV_FOUND:
		return table_find_act(t, c);
	case TUI_DO_FREQUENCY:
	case TUI_DO_DESCRIBE:
		return table_count_act(t, c);
	case TUI_DO_EXPORT:
		return table_export_act(t, c);
	case TUI_DO_CANCEL:
		return cancel(t);
	case TUI_DO_UNTAG:
		tui_keys_clear(&t->tags);
		break;
	case TUI_DO_TAG:
		rc = tag(t, c->count, &err);
		break;
	default:
		if (!moving(t, c, &rc, &err))
			return TUI_NOT_MINE;
		table_find_stop(t); /* or it would move the cursor once more */
		break;
	}
	if (rc < 0)
		tui_app_fail(t->app, &err);
	return TUI_DONE;
}

#define WHEEL_ROWS 3

void tui_table_click(struct tui_table *t, const struct tui_input *in, const struct tui_area *a)
{
	struct error err = {0};
	int rc = 0;

	table_find_stop(t);
	if (in->mouse == TUI_MOUSE_WHEEL_UP || in->mouse == TUI_MOUSE_WHEEL_DOWN)
		rc = move(t, in->mouse == TUI_MOUSE_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS, false,
			  &err);
	else if (in->mouse == TUI_MOUSE_CLICK || in->mouse == TUI_MOUSE_DOUBLE)
		rc = table_clicked(t, in->y - a->y, in->x - a->x, a, &err);
	if (rc < 0)
		tui_app_fail(t->app, &err);
}

bool tui_table_is_asking(const struct tui_table *t)
{
	return t->choosing;
}

/* --- what takes long */

/* What the model could not find in time before. */
static int once_more(struct tui_table *t, struct error *err)
{
	const long long steps = t->steps;
	int rc = 0;

	if (!t->again)
		return 0;
	t->again = false;
	if (t->load_again)
		rc = load(t, t->wanted, t->wanted_key, err);
	else if (steps)
		rc = move(t, steps, false, err);
	return rc < 0 ? rc : table_fit(t, t->height, err);
}

bool tui_table_work(struct tui_table *t, uint64_t deadline_ns)
{
	struct error err = {0};
	bool more;

	do {
		if (once_more(t, &err) < 0) {
			t->again = false;
			tui_app_fail(t->app, &err);
		}
	} while (t->again && clock_ns(CLOCK_MONOTONIC) < deadline_ns);
	more = t->again;
	if (t->find.active)
		more |= table_find_work(t, deadline_ns);
	if (t->values)
		more |= table_count_work(t, deadline_ns);
	if (t->file)
		more |= table_export_work(t, deadline_ns);
	return more;
}
