/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/lines.h"

#define KEY 7

static void begin(struct tui_lines *l, int width)
{
	*l = (struct tui_lines){.width = width};
	tui_lines_init(l);
}

static void check_line(const struct tui_lines *l, size_t i, const char *name, const char *text)
{
	assert_true(i < l->count);
	if (!sv_is(l->all[i].name, name) || !sv_is(l->all[i].text, text))
		fail_msg("line %zu: '%.*s' '%.*s'", i, (int)l->all[i].name.n, l->all[i].name.p,
			 (int)l->all[i].text.n, l->all[i].text.p);
	assert_int_equal(l->all[i].key.a, KEY);
	assert_int_equal(l->all[i].key.b, i);
}

static void test_long_texts_take_more_lines(void **state)
{
	struct tui_lines l;

	(void)state;
	begin(&l, 5);
	tui_lines_add(&l, KEY, TUI_ROLE_DIM, SV_LIT("name"), TUI_ROLE_NORMAL,
		      SV_LIT("abcdefgh ij"));
	tui_lines_add(&l, KEY, TUI_ROLE_DIM, SV_LIT("none"), TUI_ROLE_NORMAL, SV_NONE);
	assert_int_equal(l.count, 4);
	check_line(&l, 0, "name", "abcde");
	check_line(&l, 1, "", "fgh ");
	check_line(&l, 2, "", "ij");
	check_line(&l, 3, "none", "");
	tui_lines_done(&l);
}

static void test_words_stay_whole_if_they_are_short(void **state)
{
	struct tui_lines l;

	(void)state;
	begin(&l, 40);
	tui_lines_add(&l, KEY, TUI_ROLE_DIM, SV_NONE, TUI_ROLE_NORMAL,
		      SV_LIT("Password hashes read (file=/etc/shadow command=cat)"));
	check_line(&l, 0, "", "Password hashes read (file=/etc/shadow ");
	check_line(&l, 1, "", "command=cat)");
	tui_lines_done(&l);
}

/* Bytes that are shown as escapes take their columns; nothing is lost, whatever they are. */
static void test_nothing_is_lost(void **state)
{
	static const char hostile[] = "\x1b[31m\xff\xfe\xe2\x80\xae\xf0\x9f\x92\xa9wide\xcc\x81";
	struct tui_lines l;
	struct buf all = {0};

	(void)state;
	for (int width = -1; width < 12; width++) {
		begin(&l, width);
		buf_reset(&all);
		tui_lines_add(&l, KEY, TUI_ROLE_DIM, SV_NONE, TUI_ROLE_NORMAL,
			      sv_make(hostile, sizeof(hostile) - 1));
		for (size_t i = 0; i < l.count; i++) {
			assert_true(l.all[i].text.n > 0);
			buf_sv(&all, l.all[i].text);
		}
		assert_true(sv_eq(buf_view(&all), sv_make(hostile, sizeof(hostile) - 1)));
		tui_lines_done(&l);
	}
	buf_done(&all);
}

static void test_bytes_in_hex(void **state)
{
	struct tui_lines l;

	(void)state;
	begin(&l, 70);
	tui_lines_add_hex(&l, KEY, TUI_ROLE_NORMAL, SV_NONE,
			  SV_LIT("GET / HTTP/1.1\r\nab\x00\xff"));
	assert_int_equal(l.count, 2);
	check_line(&l, 0, "000000",
		   "47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  GET / HTTP/1.1..");
	check_line(&l, 1, "000010", "61 62 00 ff                                       ab..");
	tui_lines_done(&l);
}

static void test_bytes_as_text(void **state)
{
	struct tui_lines l;

	(void)state;
	begin(&l, 70);
	tui_lines_add_text(&l, KEY, TUI_ROLE_NORMAL, SV_LIT("x"), SV_LIT("one\r\n\ntwo\nthree"));
	assert_int_equal(l.count, 4);
	check_line(&l, 0, "x", "one");
	check_line(&l, 1, "", "");
	check_line(&l, 2, "", "two");
	check_line(&l, 3, "", "three");
	tui_lines_done(&l);
}

static void test_too_many_lines_are_told(void **state)
{
	struct tui_lines l;

	(void)state;
	begin(&l, 1);
	for (int i = 0; i < TUI_LINES_MAX / 100 + 2; i++) {
		char text[100];

		memset(text, 'a', sizeof(text));
		tui_lines_add(&l, KEY, TUI_ROLE_DIM, SV_NONE, TUI_ROLE_NORMAL,
			      sv_make(text, sizeof(text)));
	}
	assert_int_equal(l.count, TUI_LINES_MAX + 1);
	assert_true(sv_is(l.all[TUI_LINES_MAX].text, "there is more than is shown"));
	assert_false(l.failed);
	tui_lines_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_long_texts_take_more_lines),
	    cmocka_unit_test(test_words_stay_whole_if_they_are_short),
	    cmocka_unit_test(test_nothing_is_lost),
	    cmocka_unit_test(test_bytes_in_hex),
	    cmocka_unit_test(test_bytes_as_text),
	    cmocka_unit_test(test_too_many_lines_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
