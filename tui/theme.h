/* SPDX-License-Identifier: Apache-2.0 */
/* What themes make of roles, without knowing how a terminal is told. Internal to tui/. */
#ifndef TUI_THEME_H
#define TUI_THEME_H

#include "tui/term.h"

enum tui_attribute { TUI_BOLD = 1, TUI_DIM = 2, TUI_UNDERLINE = 4, TUI_REVERSE = 8 };

struct tui_color {
	short of_256, of_16; /* below 0: the terminal's own */
};

struct tui_style {
	struct tui_color front, back;
	unsigned attributes; /* enum tui_attribute */
};

const struct tui_style *tui_theme_style(enum tui_theme theme, enum tui_role role);
/* The same under the cursor: in reverse video, and the same in all of a row but where it has a
 * background of its own. */
struct tui_style tui_theme_selected(enum tui_theme theme, enum tui_role role);

#endif
