/* SPDX-License-Identifier: Apache-2.0 */
/* Searching: in the text of cells as it is seen. Small and capital letters of ASCII are the same.
 */
#include "base/clock.h"
#include "base/escape.h"
#include "base/json.h"
#include "base/plain.h"
#include "tui/table_internal.h"

#define TEXT_MAX 256 /* bytes that are searched for */

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool begins_with(const char *p, struct sv needle)
{
	for (size_t i = 0; i < needle.n; i++)
		if (small(p[i]) != needle.p[i])
			return false;
	return true;
}

/* @needle is in small letters. */
static bool contains(struct sv text, struct sv needle)
{
	for (size_t i = 0; i + needle.n <= text.n; i++)
		if (begins_with(text.p + i, needle))
			return true;
	return false;
}

static bool row_has(struct tui_table *t, size_t row, const uint8_t *shown, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct sv text = tui_rows_text(&t->job, row, shown[i]);

		if (text.n && plain_run(text) < text.n) {
			buf_reset(&t->find.room);
			escape_text(&t->find.room, text);
			text = buf_view(&t->find.room);
		}
		if (contains(text, buf_view(&t->find.text)))
			return true;
	}
	return false;
}

void table_find_stop(struct tui_table *t)
{
	t->find.active = false;
}

static void found(struct tui_table *t, struct tui_row_key key)
{
	t->find.active = false;
	if (t->find.wrapped)
		tui_app_say(t->app, TUI_ROLE_NOTICE, "went on at the %s",
			    t->find.back ? "end" : "start");
	tui_table_seek(t, key);
}

static void not_found(struct tui_table *t)
{
	struct buf text = {0};

	t->find.active = false;
	escape_text(&text, buf_view(&t->find.text));
	tui_app_say(t->app, TUI_ROLE_WARNING, "not found: %s", buf_cstr(&text));
	buf_done(&text);
}

/* The rows of a page. False: the search has ended. */
static bool look_at_page(struct tui_table *t)
{
	struct table_find *f = &t->find;
	uint8_t shown[TABLE_COLUMNS_MAX];
	unsigned n = table_shown(t, t->width, shown);

	for (size_t i = 0; i < t->job.count; i++) {
		const size_t row = f->back ? t->job.count - 1 - i : i;
		const struct tui_row_key key = t->job.rows[row].key;

		if (f->skip && !f->wrapped && tui_key_eq(key, f->start))
			continue;
		if (row_has(t, row, shown, n)) {
			found(t, key);
			return false;
		}
		if (f->wrapped && tui_key_eq(key, f->start)) {
			not_found(t);
			return false;
		}
	}
	return true;
}

bool table_find_work(struct tui_table *t, uint64_t deadline_ns)
{
	struct table_find *f = &t->find;
	struct error err = {0};

	while (f->active) {
		int rc = table_walk_next(t, &f->walk, &err);

		if (rc < 0) {
			f->active = false;
			tui_app_fail(t->app, &err);
		} else if (!look_at_page(t)) {
			break;
		} else if (f->walk.ended && f->wrapped) {
			not_found(t); /* the row where it began is gone */
		} else if (f->walk.ended) {
			f->wrapped = true;
			table_walk_begin(&f->walk, f->back ? TUI_FROM_LAST : TUI_FROM_FIRST,
					 f->start);
		}
		if (f->active && clock_ns(CLOCK_MONOTONIC) >= deadline_ns) {
			tui_app_say(t->app, TUI_ROLE_DIM, "searching: %llu rows",
				    (unsigned long long)f->walk.seen);
			break;
		}
	}
	return f->active;
}

/* From the cursor on; back: the rows before it. */
static void begin(struct tui_table *t, bool back, bool skip)
{
	struct table_find *f = &t->find;

	if (!t->page.count)
		return;
	f->active = true;
	f->back = back;
	f->skip = skip;
	f->wrapped = false;
	f->start = t->key;
	table_walk_begin(&f->walk, back ? TUI_BEFORE_KEY : TUI_FROM_KEY, t->key);
	(void)table_find_work(t, clock_ns(CLOCK_MONOTONIC) + TABLE_SLICE_NS);
}

static void take_text(struct table_find *f, struct sv text)
{
	if (text.n > TEXT_MAX)
		text.n = TEXT_MAX;
	buf_reset(&f->text);
	for (size_t i = 0; i < text.n; i++)
		buf_char(&f->text, small(text.p[i]));
}

enum tui_result table_find_act(struct tui_table *t, const struct tui_command *c)
{
	struct table_find *f = &t->find;

	if (c->action == TUI_DO_SEARCH)
		take_text(f, c->arg);
	if (!f->text.len || f->text.failed) {
		f->active = false;
		if (c->action != TUI_DO_SEARCH) /* an empty text ends the marks, too */
			tui_app_say(t->app, TUI_ROLE_NOTICE, "nothing was searched for");
		return TUI_DONE;
	}
	begin(t, c->action == TUI_DO_PREV_FOUND, c->action != TUI_DO_SEARCH);
	return TUI_DONE;
}

/* --- marks */

static uint32_t small_letter(uint32_t ch)
{
	return ch >= 'A' && ch <= 'Z' ? ch - 'A' + 'a' : ch;
}

/* How many of @n cells the text takes that begins there; 0: it does not. Marks over characters are
 * left out of the comparison. */
static int match_at(const struct tui_cell *cells, int n, struct sv needle)
{
	int at = 0;

	while (needle.n) {
		uint32_t ch = 0;
		unsigned bad, len = utf8_decode(needle, &ch, &bad);

		if (!len)
			return 0;
		needle = sv_drop(needle, len);
		while (at < n && at > 0 && cells[at].ch == 0)
			at++; /* the right half of a wide one */
		if (at >= n || small_letter(cells[at].ch) != ch)
			return 0;
		at++;
	}
	while (at < n && cells[at].ch == 0)
		at++;
	return at;
}

void table_find_mark(const struct tui_table *t, const struct tui_area *a, int y, int x, int width)
{
	const struct sv needle = buf_view(&t->find.text);
	struct tui_cell *cells;

	if (!needle.n || y < 0 || y >= a->height || x < 0)
		return;
	if (width > a->width - x)
		width = a->width - x;
	cells = a->screen->cells + (ptrdiff_t)(a->y + y) * a->screen->width + a->x + x;
	for (int i = 0; i < width;) {
		int n = match_at(cells + i, width - i, needle);

		for (int k = 0; k < n; k++)
			cells[i + k].role = TUI_ROLE_MATCH;
		i += n ? n : 1;
	}
}
