/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A terminal: the only part that knows ncurses. It shows screens of cells, in the colours of a
 * theme, and reads keys. Threads: one terminal per process, used by one thread.
 */
#ifndef TUI_TERM_H
#define TUI_TERM_H

#include "tui/cell.h"
#include "tui/keys.h"

enum tui_theme {
#define THEME(sym, name, help) TUI_THEME_##sym,
#include "tui/themes.def"
#undef THEME
	TUI_THEME_COUNT
};
extern const char *const tui_theme_names[TUI_THEME_COUNT];
/* False: no such theme. */
bool tui_theme_find(struct sv name, enum tui_theme *out);

struct tui_term_options {
	enum tui_theme theme; /* MONO: no colours at all, also what NO_COLOR makes of any */
	bool mouse;
	bool plain; /* no cursor addressing: screens as numbered lines, one prompt */
};

#define TUI_COPY_MAX (64 << 10) /* bytes for the clipboard */

struct tui_term;
/*
 * Take over the terminal that standard input and output are. A signal that ends the process
 * restores it first; one that the program handles itself makes tui_term_read() return. The thread
 * that opens it is the one that uses it: its locale becomes that of the environment.
 * Return: 0, ERR_UNSUPPORTED (no terminal, or one that can not do it: the message says what to do
 * instead), ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int tui_term_open(const struct tui_term_options *opt, struct tui_term **out,
			     struct error *err);
/* The terminal as it was. NULL is fine. */
void tui_term_close(struct tui_term *t);
void tui_term_size(struct tui_term *t, int *height, int *width);
/* Only ASCII can be shown. */
bool tui_term_is_ascii(const struct tui_term *t);
void tui_term_theme(struct tui_term *t, enum tui_theme theme);
void tui_term_mouse(struct tui_term *t, bool on);
/* Bring @s to the terminal, as few bytes as that takes. @y, @x: where the terminal's cursor is
 * shown; below 0: nowhere. */
void tui_term_show(struct tui_term *t, const struct tui_screen *s, int y, int x);
/* All of it anew with the next tui_term_show(). */
void tui_term_redraw(struct tui_term *t);
/* Wait for input, @timeout_ms at most (below 0: as long as it takes). Kind NONE: nothing came, or
 * nothing that is known. Return: 0, ERR_IO: the terminal is gone, ERR_INTERRUPTED: a signal that
 * the program handles asks for the end. */
MUST_CHECK int tui_term_read(struct tui_term *t, int timeout_ms, struct tui_input *out,
			     struct error *err);
/* The shell's turn; comes back with 'fg'. */
void tui_term_suspend(struct tui_term *t);
/* Put @text into the clipboard the terminal leads to (OSC 52); it is harmless text, cut to what
 * terminals take. */
void tui_term_copy(struct tui_term *t, struct sv text);

#endif
