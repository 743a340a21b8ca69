/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "tui/text.h"

#define BAR_EIGHTHS	 8
#define DENSITY_QUARTERS 4

static const struct {
	const char *utf8, *ascii;
} glyphs[TUI_GLYPH_COUNT] = {
#define GLYPH(sym, utf8, ascii) [TUI_GLYPH_##sym] = {(utf8), (ascii)},
#include "tui/glyphs.def"
#undef GLYPH
};

const char *tui_glyph(const struct tui_screen *s, enum tui_glyph g)
{
	return s->ascii ? glyphs[g].ascii : glyphs[g].utf8;
}

uint32_t tui_char_in_ascii(uint32_t ch)
{
	for (int i = 0; i < TUI_GLYPH_COUNT; i++) {
		uint32_t first = 0;
		unsigned bad, n = utf8_decode(sv_of(glyphs[i].utf8), &first, &bad);

		if (n && first == ch && !glyphs[i].utf8[n])
			return (unsigned char)glyphs[i].ascii[0];
	}
	return '?';
}

const char *tui_bar(const struct tui_screen *s, unsigned eighths)
{
	static const char *const utf8[BAR_EIGHTHS + 1] = {" ", "▁", "▂", "▃", "▄",
							  "▅", "▆", "▇", "█"};
	static const char *const ascii[BAR_EIGHTHS + 1] = {" ", "_", ".", "-", "=",
							   "+", "*", "#", "@"};

	return (s->ascii ? ascii : utf8)[eighths < BAR_EIGHTHS ? eighths : BAR_EIGHTHS];
}

/* In ASCII always: shades are not told apart where they are next to each other. */
const char *tui_density(const struct tui_screen *s, unsigned quarters)
{
	static const char *const signs[DENSITY_QUARTERS + 1] = {" ", ".", ":", "#", "@"};

	(void)s;
	return signs[quarters < DENSITY_QUARTERS ? quarters : DENSITY_QUARTERS];
}

void tui_sparkline(const struct tui_area *a, int y, int x, enum tui_role role,
		   const uint64_t *values, size_t count)
{
	uint64_t most = 0;
	int shift = 0;

	if (x >= a->width)
		return;
	for (size_t i = 0; i < count; i++)
		most = values[i] > most ? values[i] : most;
	while (most >> shift > UINT64_MAX / (2 * BAR_EIGHTHS))
		shift++;
	most >>= shift;
	for (size_t i = 0; i < count && i < TUI_WIDTH_MAX; i++) {
		uint64_t v = values[i] >> shift;
		uint64_t eighths = most ? (v * BAR_EIGHTHS + most - 1) / most : 0;

		eighths += values[i] && !eighths; /* any value shows */
		tui_puts(a, y, x + (int)i, role, tui_bar(a->screen, (unsigned)eighths));
	}
}

void tui_line_across(const struct tui_area *a, int y)
{
	const char *glyph = tui_glyph(a->screen, TUI_GLYPH_ACROSS);

	for (int x = 0; x < a->width; x++)
		tui_puts(a, y, x, TUI_ROLE_BORDER, glyph);
}

void tui_line_down(const struct tui_area *a, int x)
{
	const char *glyph = tui_glyph(a->screen, TUI_GLYPH_DOWN);

	for (int y = 0; y < a->height; y++)
		tui_puts(a, y, x, TUI_ROLE_BORDER, glyph);
}

struct tui_area tui_frame(const struct tui_area *a, const char *title)
{
	static const struct {
		enum tui_glyph glyph;
		bool lower, right;
	} corners[] = {{TUI_GLYPH_CORNER_UL, false, false},
		       {TUI_GLYPH_CORNER_UR, false, true},
		       {TUI_GLYPH_CORNER_LL, true, false},
		       {TUI_GLYPH_CORNER_LR, true, true}};
	int bottom = a->height - 1, right = a->width - 1;

	if (bottom < 1 || right < 1)
		return tui_area_part(a, 0, 0, 0, 0);
	tui_line_across(a, 0);
	tui_line_across(a, bottom);
	tui_line_down(a, 0);
	tui_line_down(a, right);
	for (size_t i = 0; i < COUNT_OF(corners); i++)
		tui_puts(a, corners[i].lower ? bottom : 0, corners[i].right ? right : 0,
			 TUI_ROLE_BORDER, tui_glyph(a->screen, corners[i].glyph));
	if (title && *title && right > 4) {
		int used = tui_put(a, 0, 2, right - 3, TUI_ROLE_TITLE, sv_of(title));

		tui_puts(a, 0, 1, TUI_ROLE_TITLE, " ");
		tui_puts(a, 0, 2 + used, TUI_ROLE_TITLE, " ");
	}
	return tui_area_part(a, 1, 1, a->height - 2, a->width - 2);
}
