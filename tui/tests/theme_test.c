/* SPDX-License-Identifier: Apache-2.0 */
/* Themes can be read: contrasts as WCAG 2 defines them, of the colours of the palette of 256, which
 * are the same everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "tui/theme.h"

#define TEXT_LEAST     4.5  /* on what is behind it; on black where that is the terminal's own */
#define ON_WHITE_LEAST 3.75 /* of the latter on white: no colour has more than 4.58 on both */
#define DIM_LEAST      3.0  /* of context and lines */
#define HIGH_LEAST     7.0  /* in the theme for it */

enum { BLACK = 16, WHITE = 231 };

static double linear(int level)
{
	double c = level / 255.0;

	return c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(short color)
{
	static const int levels[] = {0, 95, 135, 175, 215, 255};
	int n = color - 16, grey = 8 + 10 * (color - 232);

	assert_in_range(color, 16, 255); /* what the first 16 look like is up to the terminal */
	if (color >= 232)
		return linear(grey);
	return 0.2126 * linear(levels[n / 36]) + 0.7152 * linear(levels[n / 6 % 6]) +
	       0.0722 * linear(levels[n % 6]);
}

static double contrast(short a, short b)
{
	double x = luminance(a) + 0.05, y = luminance(b) + 0.05;

	return x > y ? x / y : y / x;
}

static void check(enum tui_theme theme, enum tui_role role, short front, short back, double least)
{
	double got = contrast(front, back);

	if (got < least)
		fail_msg("theme %s, role %d: %d on %d has contrast %.2f, less than %.2f",
			 tui_theme_names[theme], role, front, back, got, least);
}

static void check_role(enum tui_theme theme, enum tui_role role)
{
	const struct tui_style *s = tui_theme_style(theme, role);
	bool dim = role == TUI_ROLE_DIM || role == TUI_ROLE_BORDER;

	if (s->back.of_256 >= 0) {
		assert_true(s->front.of_256 >= 0); /* else it is not known what it reads like */
		check(theme, role, s->front.of_256, s->back.of_256,
		      theme == TUI_THEME_HIGH_CONTRAST ? HIGH_LEAST : TEXT_LEAST);
	} else if (s->front.of_256 >= 0) {
		check(theme, role, s->front.of_256, BLACK, dim ? DIM_LEAST : TEXT_LEAST);
		check(theme, role, s->front.of_256, WHITE, dim ? DIM_LEAST : ON_WHITE_LEAST);
	}
}

static void roles_can_be_read(void **state)
{
	(void)state;
	assert_float_equal(contrast(BLACK, WHITE), 21.0, 0.001);
	assert_float_equal(contrast(244, WHITE), 3.95, 0.005);
	for (int theme = 0; theme < TUI_THEME_COUNT; theme++)
		for (int role = 0; role < TUI_ROLE_COUNT; role++)
			check_role((enum tui_theme)theme, (enum tui_role)role);
}

static bool same_color(struct tui_color a, struct tui_color b)
{
	return a.of_256 == b.of_256 && a.of_16 == b.of_16;
}

/* A row under the cursor is of one colour, except for what has a background of its own, which stays
 * as it is. */
static void the_cursor_is_a_bar(void **state)
{
	(void)state;
	for (int theme = 0; theme < TUI_THEME_COUNT; theme++) {
		const struct tui_style *normal =
		    tui_theme_style((enum tui_theme)theme, TUI_ROLE_NORMAL);

		for (int role = 0; role < TUI_ROLE_COUNT; role++) {
			const struct tui_style *own =
			    tui_theme_style((enum tui_theme)theme, (enum tui_role)role);
			struct tui_style under =
			    tui_theme_selected((enum tui_theme)theme, (enum tui_role)role);
			bool chip = own->back.of_256 != normal->back.of_256;

			assert_true(same_color(under.front, chip ? own->front : normal->front));
			assert_true(same_color(under.back, chip ? own->back : normal->back));
			assert_true(chip || under.attributes & TUI_REVERSE);
			assert_true(!(under.attributes & TUI_DIM));
		}
	}
	assert_true(tui_theme_selected(TUI_THEME_MONO, TUI_ROLE_LINK).attributes & TUI_UNDERLINE);
	assert_int_equal(tui_theme_selected(TUI_THEME_DEFAULT, TUI_ROLE_CRITICAL).back.of_256, 160);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(roles_can_be_read),
	    cmocka_unit_test(the_cursor_is_a_bar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
