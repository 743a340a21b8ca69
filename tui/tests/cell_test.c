/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include "base/json.h"
#include "tui/text.h"

static struct tui_screen screen_of(int height, int width)
{
	struct tui_screen s = {0};

	assert_int_equal(tui_screen_resize(&s, height, width, NULL), 0);
	return s;
}

/* Does a screen of one line and @width columns that @text is put into show @expected? */
static void check_put(int width, bool ascii, struct sv text, int used, const char *expected)
{
	struct tui_screen s = screen_of(1, width);
	struct tui_area a = tui_screen_area(&s);
	struct buf dump = {0};

	s.ascii = ascii;
	assert_int_equal(tui_put(&a, 0, 0, TUI_WIDTH_MAX, TUI_ROLE_NORMAL, text), used);
	tui_screen_dump(&s, false, &dump);
	assert_true(dump.len > 0);
	dump.len--;
	assert_string_equal(buf_cstr(&dump), expected);
	buf_done(&dump);
	tui_screen_done(&s);
}

static void glyphs_have_the_same_width_in_both_forms(void **state)
{
	const struct tui_screen utf8 = {0}, ascii = {.ascii = true};

	(void)state;
	for (int g = 0; g < TUI_GLYPH_COUNT; g++) {
		struct sv a = sv_of(tui_glyph(&utf8, g)), b = sv_of(tui_glyph(&ascii, g));

		assert_true(tui_width(a) > 0);
		assert_int_equal(tui_width(a), tui_width(b));
		for (size_t i = 0; i < b.n; i++)
			assert_true(b.p[i] >= ' ' && b.p[i] < 0x7f);
	}
	for (unsigned i = 0; i <= 9; i++) { /* one too many, too */
		assert_int_equal(tui_width(sv_of(tui_bar(&utf8, i))), 1);
		assert_int_equal(strlen(tui_bar(&ascii, i)), 1);
		assert_int_equal(strlen(tui_density(&utf8, i)), 1);
	}
}

static void widths_are_those_of_the_system_where_it_has_utf_8(void **state)
{
	size_t compared = 0;
	int differ = 0;

	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	for (uint32_t ch = 1; ch < 0x110000; ch++) {
		int width = tui_char_width(ch), system = wcwidth((wchar_t)ch);

		if (width < 0 || system < 0)
			continue; /* another version of Unicode knows more */
		compared++;
		differ += width != system;
	}
	setlocale(LC_CTYPE, "C");
	assert_true(compared > 280000);
	assert_int_equal(differ, 0);
	assert_int_equal(tui_char_width(0x110000), -1);
	assert_int_equal(tui_char_width(0x7fffffff), -1);
}

static void text_is_harmless_in_cells(void **state)
{
	(void)state;
	check_put(40, false, SV_LIT("a\033[31m\tb\r\n"), 22, "a\\x1b[31m\\x09b\\x0d\\x0a");
	check_put(40, false, SV_LIT("\0\x7f\xc2\x9b"), 16, "\\x00\\x7f\\xc2\\x9b");
	check_put(40, false,
		  SV_LIT("ab\xe2\x80\xae"
			 "cd"),
		  12, "ab\\u{202e}cd");
	check_put(40, false, SV_LIT("\xff\xe2\x82z"), 13, "\\xff\\xe2\\x82z");
	check_put(40, false, SV_LIT("\xed\xa0\x80"), 12, "\\xed\\xa0\\x80");
	check_put(40, false,
		  SV_LIT("a\xe2\x80\x8b"
			 "b"),
		  10, "a\\u{200b}b");					     /* no width */
	check_put(40, false, SV_LIT("\xf4\x8f\xbf\xbf"), 10, "\\u{10ffff}"); /* no character */
	check_put(40, true, SV_LIT("\xc3\xa9\xe4\xb8\xad\xe2\x80\xa6\xe2\x86\x92"), 5, "???~>");
}

static void marks_stay_with_their_character(void **state)
{
	(void)state;
	check_put(9, false, SV_LIT("e\xcc\x82\xcc\x81!"), 2, "e\xcc\x82\xcc\x81!");
	check_put(9, false,
		  SV_LIT("\xcc\x81"
			 "a"),
		  8, "\\u{301}a"); /* nothing to stand over */
	check_put(9, false, SV_LIT("a\xcc\x81\xcc\x81\xcc\x81"), 8,
		  "a\xcc\x81\xcc\x81\\u{301}"); /* one too many */
	check_put(3, false, SV_LIT("abc\xcc\x81"), 3, "abc\xcc\x81");
	check_put(2, false, SV_LIT("abc\xcc\x81"), 2, "a…");
	check_put(2, false,
		  SV_LIT("a\xcc\x81"
			 "bc"),
		  2, "a\xcc\x81…");
}

static void what_is_too_long_ends_in_an_ellipsis(void **state)
{
	(void)state;
	check_put(5, false, SV_LIT("abcde"), 5, "abcde");
	check_put(5, false, SV_LIT("abcdef"), 5, "abcd…");
	check_put(5, true, SV_LIT("abcdef"), 5, "abcd~");
	check_put(1, false, SV_LIT("ab"), 1, "…");
	check_put(5, false, SV_LIT("中中中"), 5, "中中…");
	check_put(4, false, SV_LIT("中中中"), 3, "中…");
	check_put(4, false, SV_LIT("a中中"), 4, "a中…");
	check_put(1, false, SV_LIT("中"), 1, "…");
	check_put(6, false, SV_LIT("abc\x01"), 4, "abc…"); /* escapes are not cut */
	check_put(0, false, SV_LIT("abc"), 0, "");
}

static void writing_over_half_of_a_wide_character_removes_the_other(void **state)
{
	struct tui_screen s = screen_of(1, 8);
	struct tui_area a = tui_screen_area(&s);
	struct buf dump = {0};

	(void)state;
	tui_puts(&a, 0, 0, TUI_ROLE_NORMAL, "中中中中");
	tui_puts(&a, 0, 1, TUI_ROLE_NORMAL, "x");
	tui_puts(&a, 0, 4, TUI_ROLE_NORMAL, "y");
	tui_screen_dump(&s, false, &dump);
	assert_string_equal(buf_cstr(&dump), " x中y 中\n");
	buf_reset(&dump);
	a = tui_area_part(&a, 0, 3, 1, 4);
	tui_fill(&a, TUI_ROLE_NORMAL);
	tui_screen_dump(&s, false, &dump);
	assert_string_equal(buf_cstr(&dump), " x\n");
	buf_done(&dump);
	tui_screen_done(&s);
}

static void areas_are_parts_of_areas(void **state)
{
	static const int values[] = {INT32_MIN, -3, -1, 0, 1, 2, 4, 9, 10, 11, INT32_MAX};
	struct tui_screen s = screen_of(10, 10);
	struct tui_area whole = tui_screen_area(&s), a = tui_area_part(&whole, 2, 3, 5, 4);

	(void)state;
	assert_int_equal(a.y, 2);
	assert_int_equal(a.width, 4);
	for (size_t i = 0; i < COUNT_OF(values) * COUNT_OF(values); i++) {
		for (size_t j = 0; j < COUNT_OF(values) * COUNT_OF(values); j++) {
			struct tui_area p = tui_area_part(
			    &a, values[i / COUNT_OF(values)], values[i % COUNT_OF(values)],
			    values[j / COUNT_OF(values)], values[j % COUNT_OF(values)]);

			assert_true(p.height >= 0 && p.width >= 0);
			assert_true(p.y >= a.y && p.y + p.height <= a.y + a.height);
			assert_true(p.x >= a.x && p.x + p.width <= a.x + a.width);
		}
	}
	a = tui_area_part(&a, -1, -1, 3, 3);
	assert_int_equal(a.height, 2);
	assert_int_equal(a.width, 2);
	tui_screen_done(&s);
}

static void an_area_of_a_screen_that_became_smaller_draws_nothing_beyond_it(void **state)
{
	struct tui_screen s = screen_of(10, 40);
	struct tui_area a = tui_screen_area(&s), low = tui_area_part(&a, 5, 30, 5, 10);

	(void)state;
	assert_int_equal(tui_screen_resize(&s, 3, 12, NULL), 0);
	tui_fill(&a, TUI_ROLE_BAR);
	tui_fill(&low, TUI_ROLE_BAR);
	assert_int_equal(tui_puts(&a, 2, 10, TUI_ROLE_NORMAL, "abc"), 2);
	assert_int_equal(tui_puts(&a, 3, 0, TUI_ROLE_NORMAL, "abc"), 0);
	assert_int_equal(tui_puts(&low, 0, 0, TUI_ROLE_NORMAL, "abc"), 0);
	tui_screen_done(&s);
	tui_screen_done(&s);
	assert_int_equal(tui_puts(&a, 0, 0, TUI_ROLE_NORMAL, "abc"), 0);
}

/* A text of letters, wide ones, marks, controls and bytes that are nothing. */
static size_t make_text(unsigned *seed, char *out, size_t max)
{
	static const char *const parts[] = {"a",	"/",	     "bc",	     "中",
					    "é",	"e\xcc\x81", "\n",	     "\xff",
					    "\xe2\x80", "…",	     "\xe2\x80\xae", "🙂"};
	size_t n = 0;

	while (n + 4 < max && rand_r(seed) % 30) {
		const char *part = parts[(unsigned)rand_r(seed) % COUNT_OF(parts)];

		memcpy(out + n, part, strlen(part));
		n += strlen(part);
	}
	return n;
}

/* Each cell of an area holds something that can be shown, those outside what was there before. */
static void check_cells(const struct tui_screen *s, const struct tui_area *a)
{
	for (int y = 0; y < s->height; y++) {
		for (int x = 0; x < s->width; x++) {
			const struct tui_cell *c = &s->cells[y * s->width + x];
			bool inside =
			    y >= a->y && y < a->y + a->height && x >= a->x && x < a->x + a->width;

			if (!inside) {
				assert_int_equal(c->ch, '#');
				continue;
			}
			assert_false(c->ch && tui_char_width(c->ch) < 1);
			if (!c->ch)
				assert_true(x > a->x && tui_char_width(c[-1].ch) == 2);
			else if (tui_char_width(c->ch) == 2)
				assert_true(x + 1 < a->x + a->width && c[1].ch == 0);
			for (int i = 0; i < TUI_MARKS_MAX; i++)
				assert_int_equal(c->marks[i] ? tui_char_width(c->marks[i]) : 0, 0);
		}
	}
}

static void nothing_is_drawn_outside_of_an_area(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct tui_screen s = screen_of(3, 24);
		struct tui_area whole = tui_screen_area(&s), a;
		char text[64];
		size_t n = make_text(&seed, text, sizeof(text));
		int width = rand_r(&seed) % 26, x = rand_r(&seed) % 6 - 1, used;

		for (int i = 0; i < 3 * 24; i++)
			s.cells[i].ch = '#';
		a = tui_area_part(&whole, 1, rand_r(&seed) % 24, 1, rand_r(&seed) % 26);
		tui_fill(&a, TUI_ROLE_DIM);
		used = tui_put(&a, 0, x, width, TUI_ROLE_LINK, sv_make(text, n));
		assert_true(used >= 0 && used <= width && used <= a.width);
		if (x >= 0 && tui_width(sv_make(text, n)) <= width && x + width <= a.width)
			assert_int_equal(used, tui_width(sv_make(text, n)));
		check_cells(&s, &a);
		tui_screen_done(&s);
	}
}

static void check_path(const char *path, int width, const char *expected)
{
	struct buf out = {0};

	tui_shorten_path(&out, sv_of(path), width);
	assert_string_equal(buf_cstr(&out), expected);
	buf_done(&out);
}

static void the_middle_of_a_path_is_left_out(void **state)
{
	(void)state;
	check_path("/usr/bin/kd", 11, "/usr/bin/kd");
	check_path("/usr/lib/x86_64/foo/kd", 12, "/usr/…/kd");
	check_path("/usr/lib/x86_64/foo/kd", 13, "/usr/lib/…/kd");
	check_path("/usr/lib/x86_64/foo/kd", 17, "/usr/lib/…/foo/kd");
	check_path("/usr/lib/x86_64/foo/kd", 7, "/…/kd");
	check_path("/usr/lib/x86_64/foo/kd", 4, "…/kd");
	check_path("/usr/lib/x86_64/foo/kd", 3, "…kd");
	check_path("/usr/lib/x86_64/foo/kd", 1, "…");
	check_path("/usr/lib/x86_64/foo/kd", 0, "");
	check_path("a-very-long-name.log", 8, "…ame.log");
	check_path("/tmp/中中中", 6, "…中中");
}

static void long_paths_fit_whatever_the_width(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 300; round++) {
		char text[1200];
		size_t n = make_text(&seed, text, 40);
		struct buf out = {0};

		while (n < 1000 && round % 2)
			n += make_text(&seed, text + n, sizeof(text) - n);
		for (int width = 0; width < 60; width++) {
			buf_reset(&out);
			tui_shorten_path(&out, sv_make(text, n), width);
			assert_true(tui_width(buf_view(&out)) <= width);
		}
		buf_done(&out);
	}
}

static void numbers_stand_at_the_right_end(void **state)
{
	struct tui_screen s = screen_of(3, 10);
	struct tui_area a = tui_screen_area(&s);
	struct buf dump = {0};

	(void)state;
	tui_put_right(&a, 0, 2, 5, TUI_ROLE_NORMAL, SV_LIT("123"));
	tui_put_right(&a, 1, 2, 5, TUI_ROLE_NORMAL, SV_LIT("1234567"));
	tui_put_right(&a, 2, 7, 5, TUI_ROLE_NORMAL, SV_LIT("12"));
	tui_screen_dump(&s, false, &dump);
	assert_string_equal(buf_cstr(&dump), "    123\n  1234…\n        12\n");
	buf_done(&dump);
	tui_screen_done(&s);
}

static void frames_and_bars_and_roles_are_seen_in_a_dump(void **state)
{
	static const uint64_t values[] = {0, 1, UINT64_MAX / 2, UINT64_MAX};
	struct tui_screen s = screen_of(3, 12);
	struct tui_area a = tui_screen_area(&s), in = tui_frame(&a, "title");
	struct buf dump = {0};

	(void)state;
	assert_int_equal(in.width, 10);
	assert_int_equal(in.height, 1);
	tui_sparkline(&in, 0, 1, TUI_ROLE_BAR, values, COUNT_OF(values));
	tui_select(&in, 0, 3, 4);
	tui_screen_dump(&s, true, &dump);
	assert_string_equal(buf_cstr(&dump), "┌ title ───┐\nbtttttttbbbb\n"
					     "│  ▁▄█     │\nb ssSS##   b\n"
					     "└──────────┘\nbbbbbbbbbbbb\n");
	buf_done(&dump);
	tui_screen_done(&s);
}

static void frames_need_room(void **state)
{
	(void)state;
	for (int height = 0; height < 4; height++) {
		for (int width = 0; width < 9; width++) {
			struct tui_screen s = screen_of(height, width);
			struct tui_area a = tui_screen_area(&s), in = tui_frame(&a, "title");

			assert_int_equal(in.height, height < 2 || width < 2 ? 0 : height - 2);
			assert_int_equal(in.width, height < 2 || width < 2 ? 0 : width - 2);
			tui_screen_done(&s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(glyphs_have_the_same_width_in_both_forms),
	    cmocka_unit_test(widths_are_those_of_the_system_where_it_has_utf_8),
	    cmocka_unit_test(text_is_harmless_in_cells),
	    cmocka_unit_test(marks_stay_with_their_character),
	    cmocka_unit_test(what_is_too_long_ends_in_an_ellipsis),
	    cmocka_unit_test(writing_over_half_of_a_wide_character_removes_the_other),
	    cmocka_unit_test(areas_are_parts_of_areas),
	    cmocka_unit_test(an_area_of_a_screen_that_became_smaller_draws_nothing_beyond_it),
	    cmocka_unit_test(nothing_is_drawn_outside_of_an_area),
	    cmocka_unit_test(the_middle_of_a_path_is_left_out),
	    cmocka_unit_test(long_paths_fit_whatever_the_width),
	    cmocka_unit_test(numbers_stand_at_the_right_end),
	    cmocka_unit_test(frames_and_bars_and_roles_are_seen_in_a_dump),
	    cmocka_unit_test(frames_need_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
