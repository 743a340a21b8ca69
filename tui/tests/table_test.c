/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tui/table_internal.h"
#include "tui/tests/fake_app.h"
#include "tui/tests/table_model.h"

struct fixture {
	struct tui_app app;
	struct model m;
	struct tui_table *t;
	struct tui_screen s;
	struct buf dump;
};

static void begin(struct fixture *f, size_t rows, int height, int width)
{
	*f = (struct fixture){.m.count = rows};
	assert_int_equal(
	    tui_table_new(&f->app, model_columns, MODEL_COLUMNS, &model_ops, &f->m, &f->t, NULL),
	    0);
	assert_int_equal(tui_screen_resize(&f->s, height, width, NULL), 0);
}

static void end(struct fixture *f)
{
	tui_table_free(f->t);
	tui_screen_done(&f->s);
	buf_done(&f->dump);
}

static void act_on(struct fixture *f, enum tui_action action, int count, const char *arg)
{
	struct tui_command c = fake_command(action, arg);

	c.count = count;
	assert_int_equal(tui_table_act(f->t, &c), TUI_DONE);
}

static void work(struct fixture *f)
{
	for (int i = 0; tui_table_work(f->t, clock_ns(CLOCK_MONOTONIC) + 1000000); i++)
		assert_true(i < 100000);
}

static const char *draw(struct fixture *f)
{
	struct tui_area a = tui_screen_area(&f->s);

	tui_table_draw(f->t, &a, true);
	buf_reset(&f->dump);
	tui_screen_dump(&f->s, false, &f->dump);
	return buf_cstr(&f->dump);
}

static uint64_t cursor(const struct fixture *f)
{
	struct tui_row_key key = {0};

	assert_true(tui_table_cursor(f->t, &key));
	assert_true(key.b == ~key.a);
	return key.a;
}

/* The number behind "row-" in line @y; UINT64_MAX: the line is empty. */
static uint64_t id_of_line(const struct fixture *f, int y)
{
	uint64_t id = 0;
	int x = 5;

	if (f->s.cells[y * f->s.width + 1].ch != 'r')
		return UINT64_MAX;
	for (; f->s.cells[y * f->s.width + x].ch != ' '; x++)
		id = id * 10 + (f->s.cells[y * f->s.width + x].ch - '0');
	return id;
}

/* Lines are rows that follow one another, the cursor's among them, and the screen is full if there
 * are as many rows. */
static void check_screen(struct fixture *f, size_t at)
{
	const int lines = f->s.height - 1;
	size_t first, shown = f->m.count < (size_t)lines ? f->m.count : (size_t)lines;
	int selected = 0;

	draw(f);
	assert_int_equal(f->app.failures, 0);
	if (!f->m.count) {
		assert_int_equal(id_of_line(f, 1), UINT64_MAX);
		return;
	}
	assert_int_equal(cursor(f), model_id(&f->m, at));
	first = model_place(&f->m, id_of_line(f, 1));
	for (size_t i = 0; i < (size_t)lines; i++) {
		const struct tui_cell *cells = &f->s.cells[(i + 1) * (size_t)f->s.width];

		assert_int_equal(id_of_line(f, (int)i + 1),
				 i < shown ? model_id(&f->m, first + i) : UINT64_MAX);
		if (cells[0].selected) {
			assert_int_equal(first + i, at);
			selected++;
		}
	}
	assert_int_equal(selected, 1);
}

static void a_table_shows_rows_below_a_header(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1000000, 5, 40);
	assert_string_equal(draw(&f), " NAME            VALUE PATH\n"
				      " row-0               0 /usr/…/of/0/names\n"
				      " row-3               3 /usr/…/of/3/names\n"
				      " row-6               6 /usr/…/of/6/names\n"
				      " row-9               2 /usr/…/of/9/names\n");
	assert_true(f.m.rows < 100);
	end(&f);
}

static void wide_screens_have_more_columns_and_chosen_ones_stay(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 10, 3, 120);
	assert_non_null(strstr(draw(&f), "WIDE"));
	assert_int_equal(tui_screen_resize(&f.s, 3, 99, NULL), 0);
	assert_null(strstr(draw(&f), "WIDE"));
	assert_null(strstr(draw(&f), "NARROW"));
	assert_int_equal(tui_screen_resize(&f.s, 3, 8, NULL), 0);
	draw(&f);
	for (int i = 0; i < 4; i++)
		act_on(&f, TUI_DO_RIGHT, 1, "");
	assert_non_null(strstr(draw(&f), "NARROW"));
	assert_int_equal(tui_screen_resize(&f.s, 3, 99, NULL), 0);
	act_on(&f, TUI_DO_COLUMNS, 1, "wide, name");
	assert_string_equal(draw(&f), " WIDE   NAME\n        row-0\n        row-3\n");
	act_on(&f, TUI_DO_COLUMNS, 1, "name,nothing");
	assert_string_equal(f.app.failed.msg,
			    "no column 'nothing'; there are: name, value, path, narrow, wide");
	assert_non_null(strstr(draw(&f), " WIDE   NAME"));
	act_on(&f, TUI_DO_COLUMNS, 1, "default");
	assert_non_null(strstr(draw(&f), "PATH"));
	end(&f);
}

static void columns_are_chosen_in_a_frame(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 10, 8, 50);
	draw(&f);
	assert_false(tui_table_is_asking(f.t));
	act_on(&f, TUI_DO_COLUMNS, 1, "");
	assert_true(tui_table_is_asking(f.t));
	assert_non_null(strstr(draw(&f), "[✓] name             name of the row"));
	act_on(&f, TUI_DO_DOWN, 1, "");
	act_on(&f, TUI_DO_PLAY, 1, ""); /* value: off */
	act_on(&f, TUI_DO_DOWN, 9, "");
	act_on(&f, TUI_DO_ENTER, 1, ""); /* wide: on */
	act_on(&f, TUI_DO_BACK, 1, "");
	assert_false(tui_table_is_asking(f.t));
	draw(&f);
	assert_memory_equal(f.dump.p, " NAME         PATH ", 19);
	assert_non_null(strstr(f.dump.p, " WIDE"));
	act_on(&f, TUI_DO_COLUMNS, 1, "path");
	act_on(&f, TUI_DO_COLUMNS, 1, "");
	act_on(&f, TUI_DO_FIRST, 1, "");
	act_on(&f, TUI_DO_DOWN, 2, "");
	act_on(&f, TUI_DO_ENTER, 1, ""); /* the last one */
	assert_string_equal(f.app.said, "one column has to stay");
	end(&f);
}

static void columns_out_of_sight_are_scrolled_to(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 10, 3, 24);
	assert_null(strstr(draw(&f), "PATH"));
	for (int i = 0; i < 3; i++)
		act_on(&f, TUI_DO_RIGHT, 1, "");
	assert_memory_equal(draw(&f), "    VALUE PATH\n", 15);
	act_on(&f, TUI_DO_LEFT, 1, "");
	act_on(&f, TUI_DO_LEFT, 1, "");
	assert_memory_equal(draw(&f), " NAME ", 6);
	/* A narrow last column: its text is scrolled. */
	assert_int_equal(tui_screen_resize(&f.s, 3, 10, NULL), 0);
	draw(&f);
	for (int i = 0; i < 3; i++) {
		act_on(&f, TUI_DO_RIGHT, 1, "");
		draw(&f);
	}
	assert_memory_equal(draw(&f), " PATH\n names\n", 13);
	end(&f);
}

static void the_end_and_the_start_are_near(void **state)
{
	struct fixture f;
	struct buf text = {0};

	(void)state;
	begin(&f, 1000000, 24, 80);
	check_screen(&f, 0);
	act_on(&f, TUI_DO_LAST, 1, "");
	check_screen(&f, 999999);
	tui_table_position(f.t, &text);
	assert_string_equal(buf_cstr(&text), "1000000/1000000");
	act_on(&f, TUI_DO_PAGE_UP, 1, "");
	check_screen(&f, 999999 - 23);
	tui_table_seek(f.t, (struct tui_row_key){.a = 1500000, .b = ~UINT64_C(1500000)});
	check_screen(&f, 500000);
	f.m.inexact = true;
	buf_reset(&text);
	tui_table_position(f.t, &text);
	assert_string_equal(buf_cstr(&text), "~50%");
	act_on(&f, TUI_DO_FIRST, 1, "");
	check_screen(&f, 0);
	assert_true(f.m.rows < 1000);
	buf_done(&text);
	end(&f);
}

/* --- random walks beside an array */

static uint64_t random_state;

static size_t any(size_t below)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return below ? (size_t)(random_state >> 33) % below : 0;
}

#define IDS_MAX 600

/* Some rows go, others come. */
static void change(uint64_t *ids, size_t *count)
{
	size_t n = 0, want = any(4) ? *count : any(IDS_MAX);
	uint64_t id = 0;
	uint64_t was[IDS_MAX];
	size_t was_count = *count, w = 0;

	memcpy(was, ids, was_count * sizeof(*ids));
	while (n < want) {
		/* Most of those that were there stay. */
		if (w < was_count && any(8)) {
			if (was[w] >= id && any(10)) {
				ids[n++] = was[w];
				id = was[w] + 1;
			}
			w++;
		} else {
			id += any(3);
			ids[n++] = id++;
		}
	}
	*count = n;
}

static size_t down(const struct fixture *f, size_t at, size_t n)
{
	return n > f->m.count - 1 - at ? f->m.count - 1 : at + n;
}

static size_t up(size_t at, size_t n)
{
	return n > at ? 0 : at - n;
}

static size_t step(struct fixture *f, size_t at)
{
	const int count = any(5) ? 1 : (int)any(80) + 1;
	const size_t page = (size_t)f->s.height - 1;

	switch (any(7)) {
	case 0:
		act_on(f, TUI_DO_UP, count, "");
		return up(at, (size_t)count);
	case 1:
		act_on(f, TUI_DO_PAGE_UP, count, "");
		return up(at, (size_t)count * page);
	case 2:
		act_on(f, TUI_DO_PAGE_DOWN, count, "");
		return down(f, at, (size_t)count * page);
	case 3:
		if (any(4))
			return at;
		act_on(f, TUI_DO_FIRST, 1, "");
		return 0;
	case 4:
		if (any(4))
			return at;
		act_on(f, TUI_DO_LAST, 1, "");
		return f->m.count - 1;
	default:
		act_on(f, TUI_DO_DOWN, count, "");
		return down(f, at, (size_t)count);
	}
}

static void walk(unsigned seed, unsigned slow)
{
	uint64_t ids[IDS_MAX];
	struct fixture f;
	size_t at = 0;

	random_state = seed;
	begin(&f, any(3) * 100, 4 + (int)any(20), 40);
	for (size_t i = 0; i < f.m.count; i++)
		ids[i] = i;
	f.m.ids = ids;
	f.m.slow = slow;
	draw(&f);
	work(&f);
	for (int i = 0; i < 300; i++) {
		if (!any(6)) {
			uint64_t id = f.m.count ? model_id(&f.m, at) : f.t->key.a;

			change(ids, &f.m.count);
			assert_int_equal(tui_table_refresh(f.t, NULL), 0);
			at = model_place(&f.m, id);
			if (at == f.m.count)
				at = at ? at - 1 : 0;
		} else if (!any(10)) {
			assert_int_equal(tui_screen_resize(&f.s, 2 + (int)any(30), 40, NULL), 0);
			draw(&f);
		} else if (f.m.count) {
			at = step(&f, at);
		}
		draw(&f);
		work(&f);
		check_screen(&f, at);
		work(&f);
	}
	end(&f);
}

static void random_keys_lead_where_they_do_in_an_array(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 60; seed++)
		walk(seed, 0);
}

static void random_keys_lead_there_also_when_rows_take_long_to_find(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 60; seed++)
		walk(seed, 2 + seed % 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_table_shows_rows_below_a_header),
	    cmocka_unit_test(wide_screens_have_more_columns_and_chosen_ones_stay),
	    cmocka_unit_test(columns_are_chosen_in_a_frame),
	    cmocka_unit_test(columns_out_of_sight_are_scrolled_to),
	    cmocka_unit_test(the_end_and_the_start_are_near),
	    cmocka_unit_test(random_keys_lead_where_they_do_in_an_array),
	    cmocka_unit_test(random_keys_lead_there_also_when_rows_take_long_to_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
