/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/wrap.h"

#include "tui/text.h"

static struct sv without_blanks(struct sv s)
{
	while (s.n && *s.p == ' ')
		s = sv_drop(s, 1);
	return s;
}

struct sv tui_wrap_take(struct sv *rest, int width)
{
	struct sv left = without_blanks(*rest), line = sv_make(left.p, 0), at = left;
	size_t blank = 0; /* where the last one is that can be a break */
	int used = 0;

	while (at.n) {
		struct sv before = at;
		struct tui_unit u;

		tui_unit_take(&at, &u);
		if (used + u.width > width && line.n)
			break;
		if (*before.p == ' ')
			blank = line.n;
		used += u.width;
		line.n = left.n - at.n;
		if (!at.n)
			blank = line.n;
	}
	if (line.n < left.n && left.p[line.n] != ' ' && blank)
		line.n = blank;
	*rest = without_blanks(sv_drop(left, line.n));
	while (line.n && line.p[line.n - 1] == ' ')
		line.n--;
	return line;
}

int tui_wrap_put(const struct tui_area *a, int y, int x, int width, enum tui_role role,
		 struct sv text)
{
	int lines = 0;

	while (text.n && y + lines < a->height && width > 0) {
		struct sv rest = text, line;

		if (y + lines + 1 == a->height) { /* the last one: the rest, cut */
			tui_put(a, y + lines++, x, width, role, without_blanks(text));
			break;
		}
		line = tui_wrap_take(&rest, width);
		tui_put(a, y + lines++, x, width, role, line);
		text = rest;
	}
	return lines;
}
