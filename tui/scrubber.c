/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/scrubber.h"

#define STEPS	 10 /* of the time axis, when it is zoomed */
#define LEAST	 10 /* columns of a strip that says anything */
#define NS_PER_S 1000000000ull
#define NO_TIME	 1 /* a deadline that is over */

bool tui_time_axis(struct tui_app *app, uint64_t *from, uint64_t *to)
{
	uint64_t step = tui_app_step(app), length, now, half = step * STEPS / 2;
	struct tui_span all;

	if (!tui_data_span(tui_app_data(app), &all) || all.to <= all.from)
		return false;
	length = all.to - all.from;
	*from = all.from;
	*to = all.to;
	if (step > length / STEPS - length / (4 * STEPS))
		return true;
	now = tui_data_time(tui_app_data(app), NULL);
	if (now > all.from + half)
		*from += (now - half - all.from) / step * step;
	if (*from + step * STEPS < *to)
		*to = *from + step * STEPS;
	else
		*from = *to - step * STEPS;
	return true;
}

static const struct tui_counts *counts_of(struct tui_scrubber *s, struct tui_app *app,
					  uint64_t deadline_ns)
{
	const struct tui_counts *counts;

	if (s->width < LEAST || tui_data_counts(tui_app_data(app), s->from, s->to, (size_t)s->width,
						deadline_ns, &counts, NULL) < 0)
		return NULL;
	s->complete = counts->complete;
	return counts;
}

static void draw_strip(const struct tui_scrubber *s, const struct tui_area *a,
		       const struct tui_counts *c)
{
	const uint64_t *alerts = c->lanes[TUI_LANE_ALERTS], *lost = c->lanes[TUI_LANE_LOST];

	tui_sparkline(a, 1, s->x, TUI_ROLE_BAR, c->lanes[TUI_LANE_EVENTS], c->buckets);
	for (size_t i = 0; i < c->buckets; i++) {
		int x = s->x + (int)i;

		if (lost[i])
			tui_puts(a, 1, x, TUI_ROLE_LOSS, tui_glyph(a->screen, TUI_GLYPH_GAP));
		if (alerts[i])
			tui_puts(a, 1, x, TUI_ROLE_CRITICAL, "!");
	}
}

static int column_of(const struct tui_scrubber *s, uint64_t ts)
{
	double at;

	if (ts <= s->from)
		return 0;
	if (ts >= s->to)
		return s->width - 1;
	at = (double)(ts - s->from) / (double)(s->to - s->from + 1);
	return (int)(at * s->width);
}

static void add_key(const struct tui_keymap *keys, enum tui_action a, struct buf *b)
{
	tui_keymap_label(keys, a, b);
	buf_char(b, ' ');
}

static void draw_mark(const struct tui_scrubber *s, struct tui_app *app, const struct tui_area *a)
{
	static const struct {
		enum tui_action from, to;
		const char *word;
	} hints[] = {{TUI_DO_STEP_BACK, TUI_DO_STEP_ON, "move"},
		     {TUI_DO_PREV_EVENT, TUI_DO_NEXT_EVENT, "event"},
		     {TUI_DO_PREV_ALERT, TUI_DO_NEXT_ALERT, "alert"}};
	const struct tui_keymap *keys = tui_app_keymap(app);
	int x = s->x + column_of(s, tui_data_time(tui_app_data(app), NULL));
	struct buf b = {0};

	tui_printf(a, 2, x, TUI_ROLE_TIME, "%sT", tui_glyph(a->screen, TUI_GLYPH_TIME_MARK));
	for (size_t i = 0; i < COUNT_OF(hints); i++) {
		add_key(keys, hints[i].from, &b);
		add_key(keys, hints[i].to, &b);
		buf_addf(&b, "%s  ", hints[i].word);
	}
	/* On the side that has more room. */
	if (x + 4 + tui_width(buf_view(&b)) < a->width)
		tui_put(a, 2, x + 4, a->width, TUI_ROLE_DIM, buf_view(&b));
	else if (tui_width(buf_view(&b)) + 1 < x)
		tui_put(a, 2, 1, x - 2, TUI_ROLE_DIM, buf_view(&b));
	buf_done(&b);
}

void tui_scrubber_draw(struct tui_scrubber *s, struct tui_app *app, const struct tui_area *a)
{
	const struct tui_counts *counts;
	struct buf from = {0}, to = {0};
	int decimals;

	tui_line_across(a, 0);
	s->width = 0;
	if (!tui_time_axis(app, &s->from, &s->to))
		return;
	decimals = s->to - s->from < 10 * NS_PER_S ? 3 : 0;
	tui_app_time(app, &from, s->from, 0, decimals);
	tui_app_time(app, &to, s->to, 0, decimals);
	s->x = 1 + tui_width(buf_view(&from)) + 2;
	s->width = a->width - s->x - tui_width(buf_view(&to)) - 3;
	counts = counts_of(s, app, NO_TIME);
	if (s->width >= LEAST) {
		tui_put(a, 1, 1, a->width, TUI_ROLE_DIM, buf_view(&from));
		tui_puts(a, 1, s->x - 1, TUI_ROLE_BORDER,
			 tui_glyph(a->screen, TUI_GLYPH_EDGE_LEFT));
		if (counts)
			draw_strip(s, a, counts);
		tui_puts(a, 1, s->x + s->width, TUI_ROLE_BORDER,
			 tui_glyph(a->screen, TUI_GLYPH_EDGE_RIGHT));
		tui_put_right(a, 1, 0, a->width - 1, TUI_ROLE_DIM, buf_view(&to));
		draw_mark(s, app, a);
	}
	buf_done(&from);
	buf_done(&to);
}

bool tui_scrubber_work(struct tui_scrubber *s, struct tui_app *app, uint64_t deadline_ns)
{
	if (s->width < LEAST || !tui_time_axis(app, &s->from, &s->to))
		return false;
	return counts_of(s, app, deadline_ns) && !s->complete;
}

void tui_scrubber_click(const struct tui_scrubber *s, struct tui_app *app, int x)
{
	if (s->width < LEAST || x < s->x || x >= s->x + s->width)
		return;
	tui_app_goto_time(
	    app, s->from + (uint64_t)((double)(s->to - s->from) * (x - s->x) / (double)s->width));
}
