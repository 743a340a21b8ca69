/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/table_internal.h"

void table_walk_begin(struct table_walk *w, enum tui_where where, struct tui_row_key key)
{
	*w = (struct table_walk){.where = where, .key = key};
}

static bool is_back(const struct table_walk *w)
{
	return w->where == TUI_BEFORE_KEY || w->where == TUI_FROM_LAST;
}

int table_walk_next(struct tui_table *t, struct table_walk *w, struct error *err)
{
	const bool back = is_back(w);
	size_t n;
	int rc;

	tui_rows_reset(&t->job);
	if (w->ended)
		return 0;
	rc = table_ask(t, w->where, w->key, TABLE_PAGE, &t->job, err);
	if (rc < 0)
		return rc;
	n = t->job.count;
	w->seen += n;
	w->ended = rc == 0 && n < TABLE_PAGE;
	if (n) {
		w->where = back ? TUI_BEFORE_KEY : TUI_AFTER_KEY;
		w->key = t->job.rows[back ? 0 : n - 1].key;
	}
	return n || !w->ended;
}

/* If the row is gone up to which it went, it goes on where that would be. */
int table_walk_anchor(struct tui_table *t, struct table_walk *w, struct error *err)
{
	int rc;

	if (w->ended || (w->where != TUI_AFTER_KEY && w->where != TUI_BEFORE_KEY))
		return 0;
	tui_rows_reset(&t->job);
	rc = table_ask(t, TUI_FROM_KEY, w->key, 1, &t->job, err);
	if (rc < 0)
		return rc;
	if (!t->job.count) {
		if (rc == 0 && is_back(w))
			w->where = TUI_FROM_LAST;
		else
			w->ended = rc == 0;
	} else if (!tui_key_eq(t->job.rows[0].key, w->key)) {
		w->key = t->job.rows[0].key;
		if (!is_back(w))
			w->where = TUI_FROM_KEY;
	}
	return 0;
}
