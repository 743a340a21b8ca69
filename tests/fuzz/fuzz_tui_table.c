/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random actions on a table whose rows come and go, over a list or a model that finds rows late.
 * Each byte does something; after each, the cursor is on a row that the model has, once nothing is
 * left to do, and what is drawn stays in its place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tui/table_internal.h"
#include "tui/tests/fake_app.h"
#include "tui/tests/table_model.h"

#define STEPS_MAX 300
#define ROWS_MAX  200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum tui_action actions[] = {
    TUI_DO_UP,	     TUI_DO_DOWN,   TUI_DO_PAGE_UP,    TUI_DO_PAGE_DOWN,  TUI_DO_FIRST,
    TUI_DO_LAST,     TUI_DO_LEFT,   TUI_DO_RIGHT,      TUI_DO_SORT,	  TUI_DO_REVERSE,
    TUI_DO_COLUMNS,  TUI_DO_SEARCH, TUI_DO_NEXT_FOUND, TUI_DO_PREV_FOUND, TUI_DO_FREQUENCY,
    TUI_DO_DESCRIBE, TUI_DO_TAG,    TUI_DO_UNTAG,      TUI_DO_ENTER,	  TUI_DO_BACK,
    TUI_DO_CANCEL,   TUI_DO_EXPORT};
static const char *const arguments[] = {"",	 "name", "value", "path,wide",
					"row-1", "\x1b", "7",	  ","};
static const char *const texts[] = {"",	    "a\x1b[31m", "-3",	     "12",
				    "1.5K", "\xff\xfe",	 "漢字漢字", "é"};

struct world {
	struct tui_app app;
	struct tui_table *t;
	struct tui_screen s;
	struct model m;
	uint64_t ids[ROWS_MAX];
	struct tui_list l;
	bool listed;
};

static void fail(const char *what)
{
	fprintf(stderr, "fuzz_tui_table: %s\n", what);
	abort();
}

static void row(void *arg, size_t i, struct tui_rows *out)
{
	const uint64_t id = ((struct world *)arg)->ids[i];

	if (tui_rows_add(out, (struct tui_row_key){.a = id}, TUI_ROLE_WARNING) < 0)
		return;
	tui_rows_printf(out, "row-%llu", (unsigned long long)id);
	tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(texts[id % COUNT_OF(texts)]));
}

static struct tui_row_key key(void *arg, size_t i)
{
	return (struct tui_row_key){.a = ((struct world *)arg)->ids[i]};
}

static bool passes(void *arg, size_t i)
{
	return ((struct world *)arg)->ids[i] % 5 != 0;
}

/* Rows of a certain kind go, some come. */
static void change(struct world *w, uint8_t how)
{
	uint64_t ids[ROWS_MAX], next = how % 16;
	size_t n = 0;

	for (size_t i = 0; i < w->m.count && n < ROWS_MAX; i++) {
		for (; how & 0x80 && next < w->ids[i] && n < ROWS_MAX; next += 1 + how % 8)
			ids[n++] = next;
		if (n < ROWS_MAX && (w->ids[i] + how) % 4)
			ids[n++] = w->ids[i];
		next = w->ids[i] + 1;
	}
	for (unsigned add = how % 32; how & 0x80 && add && n < ROWS_MAX; add--)
		ids[n++] = next++;
	memcpy(w->ids, ids, n * sizeof(*ids));
	w->m.count = w->l.count = n;
	w->l.passes = how & 0x40 ? passes : NULL;
	if ((w->listed && tui_list_update(&w->l, NULL) < 0) || tui_table_refresh(w->t, NULL) < 0)
		fail("rows cannot be shown");
}

static void draw(struct world *w)
{
	struct tui_area a = tui_screen_area(&w->s);

	a = tui_area_part(&a, 1, 2, a.height - 2, a.width - 4);
	tui_table_draw(w->t, &a, true);
	for (int y = 0; y < w->s.height; y++) {
		for (int x = 0; x < w->s.width; x++) {
			const struct tui_cell *c = &w->s.cells[y * w->s.width + x];
			const bool inside =
			    y >= a.y && y < a.y + a.height && x >= a.x && x < a.x + a.width;

			if (utf8_is_harmful(c->ch) && c->ch)
				fail("a control character");
			if (!inside && (c->selected || (c->ch && c->ch != ' ')))
				fail("drawn outside");
		}
	}
}

static void check(struct world *w)
{
	struct tui_row_key now = {0};
	bool there = false;

	for (int i = 0; tui_table_work(w->t, 0); i++)
		if (i > 10000)
			fail("the work has no end");
	draw(w);
	if (tui_table_cursor(w->t, &now)) {
		for (size_t i = 0; i < w->m.count; i++)
			there |= w->ids[i] == now.a;
		if (!there)
			fail("the cursor is on a row that is gone");
	} else if (w->listed ? w->l.shown : w->m.count) {
		fail("no row is shown");
	}
}

static void step(struct world *w, uint8_t what, uint8_t more)
{
	struct tui_command c = {.count = 1 + more % 50};
	struct tui_input in = {.kind = TUI_INPUT_MOUSE, .mouse = (enum tui_mouse)(more % 6)};
	struct tui_area a = tui_screen_area(&w->s);

	if (what < 200) {
		c.action = actions[what % COUNT_OF(actions)];
		c.arg = sv_of(arguments[more % COUNT_OF(arguments)]);
		(void)tui_table_act(w->t, &c);
	} else if (what < 230) {
		change(w, more);
	} else if (what < 245) {
		in.y = more / 8;
		in.x = more % 32;
		tui_table_click(w->t, &in, &a);
	} else if (tui_screen_resize(&w->s, 1 + more % 24, 1 + more, NULL) < 0) {
		fail("no screen");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {0};

	if (size < 2)
		return 0;
	w.listed = data[0] & 1;
	w.m.ids = w.ids;
	w.m.slow = data[0] / 2 % 8;
	if (w.m.slow == 1)
		w.m.slow = 0; /* it would never have found all */
	w.m.count = w.l.count = data[1] % ROWS_MAX;
	for (size_t i = 0; i < w.m.count; i++)
		w.ids[i] = i * (1 + data[0] / 16);
	w.l.row = row;
	w.l.key = key;
	w.l.arg = &w;
	if (tui_screen_resize(&w.s, 24, 80, NULL) < 0 ||
	    tui_table_new(&w.app, model_columns, MODEL_COLUMNS,
			  w.listed ? &tui_list_ops : &model_ops, w.listed ? (void *)&w.l : &w.m,
			  &w.t, NULL) < 0)
		fail("no table");
	change(&w, 0);
	for (size_t i = 2; i + 1 < size && i < STEPS_MAX * 2; i += 2) {
		step(&w, data[i], data[i + 1]);
		draw(&w);
		if (data[i + 1] & 1)
			check(&w);
	}
	check(&w);
	tui_table_free(w.t);
	tui_list_done(&w.l);
	tui_screen_done(&w.s);
	return 0;
}
