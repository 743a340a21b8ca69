/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/tests/alloc_wrap.h"
#include "tui/table_internal.h"
#include "tui/tests/fake_app.h"

#define THINGS_MAX 400

struct thing {
	uint64_t id;
	const char *text;
};

struct things {
	struct thing t[THINGS_MAX];
	size_t count;
	const char *without; /* things with this text do not pass */
};

static void row(void *arg, size_t i, struct tui_rows *out)
{
	const struct thing *t = &((struct things *)arg)->t[i];

	if (tui_rows_add(out, (struct tui_row_key){.a = t->id}, TUI_ROLE_NORMAL) < 0)
		return;
	tui_rows_printf(out, "%llu", (unsigned long long)t->id);
	tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(t->text));
}

static struct tui_row_key key(void *arg, size_t i)
{
	return (struct tui_row_key){.a = ((struct things *)arg)->t[i].id};
}

static bool passes(void *arg, size_t i)
{
	const struct things *things = arg;

	return strcmp(things->t[i].text, things->without) != 0;
}

static const struct tui_column columns[] = {
    {.name = "id", .title = "ID", .width = 8, .flags = TUI_COLUMN_RIGHT},
    {.name = "text", .title = "TEXT", .width = 8},
};

/* Identifiers of all rows from there on, as "1 2 3 ". */
static const char *ids(struct tui_list *l, enum tui_where where, uint64_t id, size_t n)
{
	struct tui_rows rows = {.columns = 2};
	static char text[4096];
	size_t at = 0;

	text[0] = 0;
	assert_int_equal(tui_list_ops.page(l, where, (struct tui_row_key){.a = id}, n, &rows, NULL),
			 0);
	for (size_t i = 0; i < rows.count; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%llu ",
				       (unsigned long long)rows.rows[i].key.a);
	tui_rows_done(&rows);
	return text;
}

static struct things some = {.t = {{1, "10"},
				   {2, "9"},
				   {3, "b"},
				   {4, ""},
				   {5, "a"},
				   {6, "9"},
				   {7, "1,000"},
				   {8, "2K"},
				   {9, "-1"}},
			     .count = 9};

static void rows_are_sorted_numbers_first_and_equal_ones_stay(void **state)
{
	struct tui_list l = {.count = 9, .row = row, .key = key, .arg = &some};

	(void)state;
	assert_int_equal(tui_list_update(&l, NULL), 0);
	assert_string_equal(ids(&l, TUI_FROM_FIRST, 0, 100), "1 2 3 4 5 6 7 8 9 ");
	assert_int_equal(tui_list_ops.sort(&l, 1, false, NULL), 0);
	assert_string_equal(ids(&l, TUI_FROM_FIRST, 0, 100), "9 2 6 1 7 8 5 3 4 ");
	assert_int_equal(tui_list_ops.sort(&l, 1, true, NULL), 0);
	assert_string_equal(ids(&l, TUI_FROM_FIRST, 0, 100), "4 3 5 8 7 1 2 6 9 ");
	assert_int_equal(tui_list_ops.sort(&l, -1, true, NULL), 0);
	assert_string_equal(ids(&l, TUI_FROM_FIRST, 0, 100), "9 8 7 6 5 4 3 2 1 ");
	tui_list_done(&l);
}

static void texts_with_one_beginning_and_negative_numbers_are_sorted(void **state)
{
	struct things things = {
	    .t = {{1, "xb1"}, {2, "xa2"}, {3, "-5"}, {4, "xa"}, {5, "2"}, {6, "-7"}, {7, "-0.5"}},
	    .count = 7};
	struct tui_list l = {.count = 7, .row = row, .key = key, .arg = &things};

	(void)state;
	assert_int_equal(tui_list_update(&l, NULL), 0);
	assert_int_equal(tui_list_ops.sort(&l, 1, false, NULL), 0);
	assert_string_equal(ids(&l, TUI_FROM_FIRST, 0, 100), "6 3 7 5 4 2 1 ");
	tui_list_done(&l);
}

static void pages_begin_and_end_where_they_are_asked_to(void **state)
{
	struct tui_list l = {.count = 9, .row = row, .key = key, .arg = &some};

	(void)state;
	assert_int_equal(tui_list_update(&l, NULL), 0);
	assert_string_equal(ids(&l, TUI_FROM_FIRST, 0, 2), "1 2 ");
	assert_string_equal(ids(&l, TUI_FROM_LAST, 0, 2), "8 9 ");
	assert_string_equal(ids(&l, TUI_FROM_KEY, 4, 2), "4 5 ");
	assert_string_equal(ids(&l, TUI_AFTER_KEY, 4, 2), "5 6 ");
	assert_string_equal(ids(&l, TUI_BEFORE_KEY, 4, 2), "2 3 ");
	assert_string_equal(ids(&l, TUI_BEFORE_KEY, 2, 2), "1 ");
	assert_string_equal(ids(&l, TUI_AFTER_KEY, 9, 2), "");
	assert_int_equal(tui_list_ops.before(&l, (struct tui_row_key){.a = 4}), 3);
	tui_list_done(&l);
}

static void a_row_that_is_gone_leaves_its_place(void **state)
{
	struct things things = some;
	struct tui_list l = {.count = 9, .row = row, .key = key, .passes = passes, .arg = &things};

	(void)state;
	things.without = "";
	assert_int_equal(tui_list_update(&l, NULL), 0);
	assert_int_equal(tui_list_ops.sort(&l, 1, false, NULL), 0);
	assert_string_equal(ids(&l, TUI_FROM_FIRST, 0, 100), "9 2 6 1 7 8 5 3 ");
	things.without = "9";
	assert_int_equal(tui_list_update(&l, NULL), 0);
	assert_string_equal(ids(&l, TUI_FROM_FIRST, 0, 100), "9 1 7 8 5 3 4 ");
	assert_string_equal(ids(&l, TUI_FROM_KEY, 2, 2), "1 7 ");
	assert_string_equal(ids(&l, TUI_AFTER_KEY, 2, 2), "1 7 ");
	assert_string_equal(ids(&l, TUI_BEFORE_KEY, 6, 2), "9 ");
	tui_list_done(&l);
}

/* --- beside a plain array, under a table */

static uint64_t random_state;

static size_t any(size_t below)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return below ? (size_t)(random_state >> 33) % below : 0;
}

static void change(struct things *things)
{
	static const char *const texts[] = {"", "a", "b", "7", "70", "8", "\x1b[2J", "1.5K"};
	size_t n = 0;

	for (size_t i = 0; i < things->count; i++)
		if (any(10))
			things->t[n++] = things->t[i];
	for (size_t add = any(20); add && n < THINGS_MAX; add--) {
		things->t[n].id = random_state >> 8;
		things->t[n++].text = texts[any(COUNT_OF(texts))];
	}
	things->count = n;
}

/* The next row of @before, from the cursor's on, that is in the list now. */
static uint64_t expected(const uint64_t *before, size_t count, uint64_t id,
			 const struct things *things)
{
	size_t i = 0;

	while (i < count && before[i] != id)
		i++;
	for (; i < count; i++)
		for (size_t k = 0; k < things->count; k++)
			if (things->t[k].id == before[i])
				return before[i];
	return 0;
}

static size_t all_ids(struct tui_list *l, uint64_t *out)
{
	for (size_t i = 0; i < l->shown; i++)
		out[i] = key(l->arg, l->order[i]).a;
	return l->shown;
}

static void the_cursor_stays_with_its_row_whatever_comes_and_goes(void **state)
{
	static const enum tui_action moves[] = {TUI_DO_DOWN, TUI_DO_UP, TUI_DO_PAGE_DOWN,
						TUI_DO_PAGE_UP, TUI_DO_LAST};

	(void)state;
	for (unsigned seed = 1; seed <= 40; seed++) {
		struct things things = {.count = 0};
		struct tui_list l = {.row = row, .key = key, .arg = &things};
		struct tui_row_key now = {0};
		struct tui_app app = {0};
		struct tui_table *t;

		random_state = seed;
		assert_int_equal(tui_table_new(&app, columns, 2, &tui_list_ops, &l, &t, NULL), 0);
		for (int i = 0; i < 200; i++) {
			uint64_t before[THINGS_MAX], want;
			size_t count = all_ids(&l, before);
			struct tui_row_key was = {0};
			bool had = tui_table_cursor(t, &was);

			change(&things);
			l.count = things.count;
			assert_int_equal(tui_list_update(&l, NULL), 0);
			assert_int_equal(tui_table_refresh(t, NULL), 0);
			want = had ? expected(before, count, was.a, &things) : 0;
			assert_true(tui_table_cursor(t, &now) == (things.count > 0));
			if (want)
				assert_int_equal(now.a, want);
			else if (had && things.count)
				assert_int_equal(now.a, key(&things, l.order[l.shown - 1]).a);
			if (!any(5)) {
				struct tui_command c =
				    fake_command(any(2) ? TUI_DO_SORT : TUI_DO_REVERSE, "");

				was = now;
				tui_table_act(t, &c);
				assert_int_equal(tui_table_cursor(t, &now), things.count > 0);
				if (things.count)
					assert_int_equal(now.a, was.a);
			}
			for (size_t n = any(4); n; n--) {
				struct tui_command c = fake_command(moves[any(5)], "");

				c.count = (int)any(30) + 1;
				tui_table_act(t, &c);
			}
		}
		assert_int_equal(app.failures, 0);
		tui_table_free(t);
		tui_list_done(&l);
	}
}

static void a_way_through_all_rows_goes_on_when_its_row_is_gone(void **state)
{
	struct things things = {.count = THINGS_MAX};
	struct tui_list l = {.row = row, .key = key, .arg = &things, .count = THINGS_MAX};
	struct table_walk on, back;
	struct tui_app app = {0};
	struct tui_table *t;

	(void)state;
	for (size_t i = 0; i < THINGS_MAX; i++)
		things.t[i] = (struct thing){.id = i, .text = ""};
	assert_int_equal(tui_table_new(&app, columns, 2, &tui_list_ops, &l, &t, NULL), 0);
	assert_int_equal(tui_list_update(&l, NULL), 0);
	table_walk_begin(&on, TUI_FROM_FIRST, (struct tui_row_key){0});
	table_walk_begin(&back, TUI_FROM_LAST, (struct tui_row_key){0});
	assert_int_equal(table_walk_next(t, &back, NULL), 1);
	assert_int_equal(t->job.rows[0].key.a, THINGS_MAX - TABLE_PAGE);
	assert_int_equal(table_walk_next(t, &on, NULL), 1);
	assert_int_equal(t->job.count, TABLE_PAGE);
	/* Both where they are, one after the other, twice: only neighbours of then know. */
	for (int i = 0; i < 2; i++) {
		memmove(&things.t[TABLE_PAGE - 1], &things.t[TABLE_PAGE],
			(things.count - TABLE_PAGE) * sizeof(things.t[0]));
		l.count = --things.count;
		assert_int_equal(tui_list_update(&l, NULL), 0);
		assert_int_equal(table_walk_anchor(t, &on, NULL), 0);
	}
	assert_int_equal(table_walk_next(t, &on, NULL), 1);
	assert_int_equal(t->job.rows[0].key.a, TABLE_PAGE + 1);
	assert_true(on.ended);
	/* All from there on are gone. */
	l.count = things.count = 50;
	assert_int_equal(tui_list_update(&l, NULL), 0);
	assert_int_equal(table_walk_anchor(t, &back, NULL), 0);
	assert_int_equal(table_walk_next(t, &back, NULL), 1);
	assert_int_equal(t->job.count, 50);
	tui_table_free(t);
	tui_list_done(&l);
}

static void amounts_are_told_from_other_texts(void **state)
{
	static const struct {
		const char *text;
		long double value;
	} amounts[] = {
	    {"0", 0},	   {"-12", -12},    {"+7", 7},
	    {"1.5", 1.5L}, {"3,410", 3410}, {"41.2M", 41.2e6L},
	    {"2k", 2000},  {"12%", 12},	    {"18446744073709551615", 18446744073709551615.0L}};
	static const char *const texts[] = {"",		"-",	 "1,2", "1234,567", "1,2345",
					    "10.0.0.5", "12:03", "1.",	"0x10",	    "7 ",
					    "5KB",	",100",	 "/1"};
	long double v;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(amounts); i++) {
		assert_true(table_number(sv_of(amounts[i].text), &v));
		v -= amounts[i].value;
		assert_true(v < 1e-6L && v > -1e-6L);
	}
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (table_number(sv_of(texts[i]), &v))
			fail_msg("'%s' is taken for a number", texts[i]);
}

static void out_of_memory_is_an_error_and_the_list_stays_usable(void **state)
{
	struct things things = some;
	unsigned long n;

	(void)state;
	for (n = 1;; n++) {
		struct tui_list l = {.count = 9, .row = row, .key = key, .arg = &things};
		struct error err = {0};
		int rc;

		alloc = (struct alloc_wrap){.counting = true, .fail_at = n};
		rc = tui_list_update(&l, &err);
		if (rc == 0)
			rc = tui_list_ops.sort(&l, 1, false, &err);
		alloc.counting = false;
		if (rc == 0 && alloc.calls < n) {
			tui_list_done(&l);
			break;
		}
		if (rc < 0)
			assert_int_equal(err.code, ERR_NOMEM);
		things.count = 0; /* nothing of what is gone may be looked at */
		l.count = 0;
		assert_int_equal(tui_list_update(&l, NULL), 0);
		assert_string_equal(ids(&l, TUI_FROM_FIRST, 0, 100), "");
		tui_list_done(&l);
		things.count = 9;
	}
	assert_true(n > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_sorted_numbers_first_and_equal_ones_stay),
	    cmocka_unit_test(texts_with_one_beginning_and_negative_numbers_are_sorted),
	    cmocka_unit_test(pages_begin_and_end_where_they_are_asked_to),
	    cmocka_unit_test(a_row_that_is_gone_leaves_its_place),
	    cmocka_unit_test(the_cursor_stays_with_its_row_whatever_comes_and_goes),
	    cmocka_unit_test(a_way_through_all_rows_goes_on_when_its_row_is_gone),
	    cmocka_unit_test(amounts_are_told_from_other_texts),
	    cmocka_unit_test(out_of_memory_is_an_error_and_the_list_stays_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
