/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strip of time for the bottom of a view: how much happened when, alerts, losses, and where T
 * is. It shows the whole capture, or ten steps of the time axis around T when that is zoomed.
 * Threads: that of the program.
 */
#ifndef TUI_SCRUBBER_H
#define TUI_SCRUBBER_H

#include "tui/app.h"

#define TUI_SCRUBBER_LINES 3

struct tui_scrubber { /* zeroed: not drawn yet */
	uint64_t from, to;
	int x, width; /* of the strip */
	bool complete;
};

/*
 * The part of time that axes show: the whole capture, or ten steps around T when that is zoomed;
 * steady while T moves within a step. False: there is none.
 */
bool tui_time_axis(struct tui_app *app, uint64_t *from, uint64_t *to);
/* Into the area's first TUI_SCRUBBER_LINES lines. */
void tui_scrubber_draw(struct tui_scrubber *s, struct tui_app *app, const struct tui_area *a);
/* Count until @deadline_ns. True: there is more to count. */
bool tui_scrubber_work(struct tui_scrubber *s, struct tui_app *app, uint64_t deadline_ns);
/* T goes where it was clicked at column @x of the screen. */
void tui_scrubber_click(const struct tui_scrubber *s, struct tui_app *app, int x);

#endif
