/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <string.h>

#include "cli/table.h"

#define TIME 1700000000220481093u /* 2023-11-14T22:13:20.220481093Z */

enum { COL_NAME, COL_COUNT, COL_ON, COL_WHEN, COL_LIST, COL_LAST };

static const struct table_column columns[] = {
    [COL_NAME] = {"name", "NAME", TABLE_STRING, IN_ALL, 0},
    [COL_COUNT] = {"count", "N", TABLE_NUMBER, IN_ALL, 0},
    [COL_ON] = {"on", "ON", TABLE_BOOL, IN_ALL, 0},
    [COL_WHEN] = {"when", "WHEN", TABLE_TIME, IN_ALL, 0},
    [COL_LIST] = {"list", "", TABLE_RAW, IN_JSON, 0},
    [COL_LAST] = {"last", "LAST", TABLE_STRING, IN_ALL, 0},
    {NULL, NULL, 0, 0, 0},
};

static struct table *table_of(enum table_format format, unsigned width, bool color)
{
	const struct table_look look = {.format = format, .width = width, .color = color};
	struct table *t = table_new(columns, &look);

	assert_non_null(t);
	table_set_day(t, TIME);
	return t;
}

static void row(struct table *t, const char *name, uint64_t n, bool on, uint64_t when,
		const char *last)
{
	table_string(t, COL_NAME, sv_of(name));
	table_u64(t, COL_COUNT, n);
	table_bool(t, COL_ON, on);
	table_time(t, COL_WHEN, when);
	table_raw(t, COL_LIST, SV_LIT("[1,2]"));
	if (last)
		table_string(t, COL_LAST, sv_of(last));
	table_end_row(t);
}

static void expect(struct table *t, const char *text)
{
	struct buf out = {0};

	table_print(t, &out);
	assert_false(out.failed);
	assert_string_equal(buf_cstr(&out), text);
	buf_done(&out);
	table_free(t);
}

static void text_is_aligned_and_absent_values_are_marked(void **state)
{
	struct table *t = table_of(TABLE_TEXT, 0, false);

	(void)state;
	row(t, "a", 5, true, TIME, "x y");
	row(t, "longer", 12345, false, TIME - 86400000000000u, NULL);
	row(t, "no time", 0, false, 0, "");
	expect(t, "NAME         N  ON  WHEN                 LAST\n"
		  "a            5  ON  22:13:20.220         x y\n"
		  "longer   12345      2023-11-13 22:13:20  -\n"
		  "no time      0      -\n");
}

static void wide_and_combining_characters_count_as_they_show(void **state)
{
	struct table *t = table_of(TABLE_TEXT, 0, false);

	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	row(t, "\xe6\xbc\xa2\xe5\xad\x97", 1, false, 0, "two wide"); /* 4 columns */
	row(t, "e\xcc\x81te\xcc\x81", 1, false, 0, "combining");     /* 3 columns */
	row(t, "abcd", 1, false, 0, "plain");
	expect(t, "NAME  N  ON  WHEN  LAST\n"
		  "\xe6\xbc\xa2\xe5\xad\x97  1      -     two wide\n"
		  "e\xcc\x81te\xcc\x81   1      -     combining\n"
		  "abcd  1      -     plain\n");
}

static void control_characters_never_reach_a_terminal(void **state)
{
	struct table *t = table_of(TABLE_TEXT, 0, false);

	(void)state;
	row(t, "\033[2Jx", 1, false, 0, "a\nb\xff");
	expect(t, "NAME      N  ON  WHEN  LAST\n"
		  "\\x1b[2Jx  1      -     a\\x0ab\\xff\n");
}

static void lines_end_at_the_width_of_the_terminal(void **state)
{
	struct table *t = table_of(TABLE_TEXT, 24, false);

	(void)state;
	row(t, "a", 1, false, 0, "0123456789");
	row(t, "b", 1, false, 0, "0123");
	expect(t, "NAME  N  ON  WHEN  LAST\n"
		  "a     1      -     0123>\n"
		  "b     1      -     0123\n");
}

static void narrow_terminals_spare_columns_before_the_last_is_cut(void **state)
{
	static const struct table_column spare[] = {
	    {"a", "AAAA", TABLE_STRING, IN_ALL, 2},
	    {"b", "BBBB", TABLE_STRING, IN_ALL, 0},
	    {"c", "CCCC", TABLE_STRING, IN_ALL, 1},
	    {"last", "LAST", TABLE_STRING, IN_ALL, 0},
	    {NULL, NULL, 0, 0, 0},
	};
	static const char *const expected[] = {
	    [36] = "AAAA  BBBB  CCCC  LAST\n1     2     3     0123456789abcdefgh\n",
	    [30] = "AAAA  BBBB  CCCC  LAST\n1     2     3     0123456789a>\n",
	    [27] = "AAAA  BBBB  CCCC  LAST\n1     2     3     01234567>\n",
	    [26] = "AAAA  BBBB  CCCC  LAST\n1     2     3     0123456>\n",
	    [25] = "AAAA  BBBB  LAST\n1     2     0123456789ab>\n",
	    [14] = "BBBB  LAST\n2     0123456>\n",
	};

	(void)state;
	for (unsigned width = 0; width < COUNT_OF(expected); width++) {
		const struct table_look look = {.width = width};
		struct table *t;

		if (!expected[width])
			continue;
		t = table_new(spare, &look);
		assert_non_null(t);
		table_string(t, 0, SV_LIT("1"));
		table_string(t, 1, SV_LIT("2"));
		table_string(t, 2, SV_LIT("3"));
		table_string(t, 3, SV_LIT("0123456789abcdefgh"));
		table_end_row(t);
		expect(t, expected[width]);
	}
}

static void every_width_is_kept_at_whole_characters(void **state)
{
	(void)state;
	for (unsigned width = 1; width < 60; width++) {
		struct table *t = table_of(TABLE_TEXT, width, false);
		struct buf out = {0};
		const char *at;

		row(t, "n\xc3\xa4me", 1, true, TIME, "tr\xc3\xa4ns\xc3\xa4tlantisch");
		table_print(t, &out);
		for (at = buf_cstr(&out); *at;) {
			size_t n = strcspn(at, "\n");

			assert_true(table_width(sv_make(at, n)) <= width);
			/* A character cut in two would be invalid and be counted byte by byte. */
			assert_false(n && ((unsigned char)at[n - 1] & 0xc0) == 0xc0);
			at += n + 1;
		}
		buf_done(&out);
		table_free(t);
	}
}

static void json_is_typed_and_complete(void **state)
{
	struct table *t = table_of(TABLE_JSON, 0, true);

	(void)state;
	row(t, "q\"\n\xff", 5, true, TIME, NULL);
	expect(t, "{\"name\":\"q\\\"\\n\xef\xbf\xbd\",\"count\":5,\"on\":true,"
		  "\"when\":\"2023-11-14T22:13:20.220481093Z\",\"list\":[1,2],\"last\":null}\n");
}

static void csv_quotes_and_disarms(void **state)
{
	struct table *t = table_of(TABLE_CSV, 0, true);

	(void)state;
	row(t, "a,b", 5, false, TIME, "say \"x\"");
	row(t, "=1+1", 5, true, 0, "-5");
	row(t, "@x", 5, true, 0, "-5x");
	row(t, "a\nb", 5, true, 0, NULL);
	expect(t, "name,count,on,when,last\n"
		  "\"a,b\",5,false,2023-11-14T22:13:20.220481093Z,\"say \"\"x\"\"\"\n"
		  "'=1+1,5,true,,-5\n"
		  "'@x,5,true,,'-5x\n"
		  "a\\x0ab,5,true,,\n");
}

static void csv_has_its_header_without_rows_and_once(void **state)
{
	struct table *t = table_of(TABLE_CSV, 0, false);
	struct buf out = {0};

	(void)state;
	table_print(t, &out);
	row(t, "a", 1, false, 0, NULL);
	table_print(t, &out);
	assert_string_equal(buf_cstr(&out), "name,count,on,when,last\na,1,false,,\n");
	buf_done(&out);
	table_free(t);
}

static void columns_can_be_hidden_and_lines_put_between(void **state)
{
	struct table *t = table_of(TABLE_TEXT, 0, true);

	(void)state;
	table_show(t, COL_ON, IN_DATA);
	table_show(t, COL_WHEN, 0);
	table_line(t, SV_LIT("a heading longer than the columns"), STYLE_PLAIN);
	table_style_cell(t, COL_COUNT, STYLE_BAD);
	row(t, "a", 1, true, TIME, "z");
	expect(t, "\033[1mNAME\033[0m  \033[1mN\033[0m  \033[1mLAST\033[0m\n"
		  "a heading longer than the columns\n"
		  "a     \033[31m1\033[0m  z\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_aligned_and_absent_values_are_marked),
	    cmocka_unit_test(wide_and_combining_characters_count_as_they_show),
	    cmocka_unit_test(control_characters_never_reach_a_terminal),
	    cmocka_unit_test(lines_end_at_the_width_of_the_terminal),
	    cmocka_unit_test(narrow_terminals_spare_columns_before_the_last_is_cut),
	    cmocka_unit_test(every_width_is_kept_at_whole_characters),
	    cmocka_unit_test(json_is_typed_and_complete),
	    cmocka_unit_test(csv_quotes_and_disarms),
	    cmocka_unit_test(csv_has_its_header_without_rows_and_once),
	    cmocka_unit_test(columns_can_be_hidden_and_lines_put_between),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
