/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/theme.h"

const char *const tui_theme_names[TUI_THEME_COUNT] = {
#define THEME(sym, name, help) [TUI_THEME_##sym] = (name),
#include "tui/themes.def"
#undef THEME
};

enum { BOLD = TUI_BOLD, DIM = TUI_DIM, UNDERLINE = TUI_UNDERLINE, REVERSE = TUI_REVERSE };

static const struct row {
	bool given;
	struct tui_style style;
} styles[TUI_THEME_COUNT][TUI_ROLE_COUNT] = {
#define C(of_256, of_16)                                                                           \
	{                                                                                          \
		(of_256), (of_16)                                                                  \
	}
#define STYLE(theme, role, front, back, attributes)                                                \
	[TUI_THEME_##theme][TUI_ROLE_##role] = {true, {front, back, (attributes)}},
#include "tui/styles.def"
#undef STYLE
#undef C
};

bool tui_theme_find(struct sv name, enum tui_theme *out)
{
	for (int t = 0; t < TUI_THEME_COUNT; t++) {
		if (sv_is(name, tui_theme_names[t])) {
			*out = (enum tui_theme)t;
			return true;
		}
	}
	return false;
}

const struct tui_style *tui_theme_style(enum tui_theme theme, enum tui_role role)
{
	static const struct tui_style own = {{-1, -1}, {-1, -1}, 0};

	if (styles[theme][role].given)
		return &styles[theme][role].style;
	return styles[theme][TUI_ROLE_NORMAL].given ? &styles[theme][TUI_ROLE_NORMAL].style : &own;
}

struct tui_style tui_theme_selected(enum tui_theme theme, enum tui_role role)
{
	struct tui_style normal = *tui_theme_style(theme, TUI_ROLE_NORMAL);
	const struct tui_style *own = tui_theme_style(theme, role);

	if (own->back.of_256 != normal.back.of_256)
		return *own;
	normal.attributes |= TUI_REVERSE | (own->attributes & (TUI_BOLD | TUI_UNDERLINE));
	return normal;
}
