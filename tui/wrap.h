/* SPDX-License-Identifier: Apache-2.0 */
/* Text in lines: broken at blanks where it can be, by the columns it takes once it is harmless. */
#ifndef TUI_WRAP_H
#define TUI_WRAP_H

#include "tui/cell.h"

/* What of @rest goes into one line of @width columns (at least a character) is taken off it; blanks
 * around a break belong to no line. */
struct sv tui_wrap_take(struct sv *rest, int width);
/* @text in the lines of @a from @y on; what does not fit ends in an ellipsis. Return: lines used.
 */
int tui_wrap_put(const struct tui_area *a, int y, int x, int width, enum tui_role role,
		 struct sv text);

#endif
