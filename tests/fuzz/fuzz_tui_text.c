/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes put anywhere into any area of a screen: first ten bytes that say where, then the
 * text. Nothing outside of the area changes, every cell holds something that can be shown, wide
 * characters are whole, and what a screen is dumped as has no control characters.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tui/text.h"

#define HEAD	   10
#define HEIGHT_MAX 6
#define WIDTH_MAX  64
#define OUTSIDE	   '#'

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static bool is_inside(const struct tui_area *a, int y, int x)
{
	return y >= a->y && y < a->y + a->height && x >= a->x && x < a->x + a->width;
}

static void look_at_cell(const struct tui_area *a, int y, int x)
{
	const struct tui_cell *c = &a->screen->cells[y * a->screen->width + x];
	int width = tui_char_width(c->ch);

	if (!is_inside(a, y, x)) {
		demand(c->ch == OUTSIDE && !c->marks[0] && !c->selected);
		return;
	}
	if (!c->ch) {
		demand(x > a->x && tui_char_width(c[-1].ch) == 2);
	} else {
		demand(width == 1 || width == 2);
		demand(width == 1 || (x + 1 < a->x + a->width && c[1].ch == 0));
		demand(!a->screen->ascii || c->ch < 0x80);
	}
	for (size_t i = 0; i < TUI_MARKS_MAX && c->marks[i]; i++)
		demand(tui_char_width(c->marks[i]) == 0);
}

static void look_at_dump(const struct tui_screen *s)
{
	struct buf dump = {0};
	struct sv rest;
	int lines = 0;

	tui_screen_dump(s, false, &dump);
	for (rest = buf_view(&dump); rest.n; lines++) {
		size_t n = (size_t)((const char *)memchr(rest.p, '\n', rest.n) - rest.p);

		demand(tui_width(sv_make(rest.p, n)) <= s->width);
		rest = sv_drop(rest, n + 1);
	}
	demand(lines == s->height);
	rest = buf_view(&dump);
	while (rest.n) {
		uint32_t ch;
		unsigned bad, n = utf8_decode(rest, &ch, &bad);

		demand(n && (ch == '\n' || !utf8_is_harmful(ch)));
		rest = sv_drop(rest, n);
	}
	buf_done(&dump);
}

static void look_at_path(struct sv text, int width)
{
	struct buf out = {0};

	tui_shorten_path(&out, text, width);
	demand(tui_width(buf_view(&out)) <= width);
	if (tui_width(text) <= width && width)
		demand(sv_eq(buf_view(&out), text));
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tui_screen s = {0};
	struct tui_area whole, a;
	struct sv text;
	int y, x, width, used, needed;
	bool right;

	if (size < HEAD)
		return 0;
	demand(tui_screen_resize(&s, data[0] % HEIGHT_MAX, data[1] % WIDTH_MAX, NULL) == 0);
	s.ascii = data[2] & 0x80;
	right = data[2] & 0x40;
	whole = tui_screen_area(&s);
	for (int i = 0; i < s.height * s.width; i++)
		s.cells[i].ch = OUTSIDE;
	a = tui_area_part(&whole, (int8_t)data[3], (int8_t)data[4], (int8_t)data[5],
			  (int8_t)data[6]);
	tui_fill(&a, TUI_ROLE_DIM);
	y = (int8_t)data[7];
	x = (int8_t)data[8];
	width = (int8_t)data[9];
	/* A copy of its own, so that reading behind it is noticed. */
	size -= HEAD;
	char *copy = malloc(size + !size);
	if (!copy)
		abort();
	memcpy(copy, data + HEAD, size);
	text = sv_make(copy, size);
	for (int i = 0; i < 2; i++) { /* the second time half of it, over what is there */
		struct sv part = sv_make(copy, size >> i);

		needed = tui_width(part);
		if (right) {
			tui_put_right(&a, y, x, width, TUI_ROLE_LINK, part);
			continue;
		}
		used = tui_put(&a, y, x + i, width, TUI_ROLE_LINK, part);
		demand(used >= 0 && used <= (width < 0 ? 0 : width) && used <= a.width);
		if (y >= 0 && y < a.height && x + i >= 0 && needed <= width &&
		    x + i + needed <= a.width)
			demand(used == needed || (x + i == a.width && used == 0));
	}
	for (int i = 0; i < s.height * s.width; i++)
		look_at_cell(&a, i / s.width, i % s.width);
	look_at_dump(&s);
	look_at_path(text, width < 0 ? 0 : width);
	free(copy);
	tui_screen_done(&s);
	return 0;
}
