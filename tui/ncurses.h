/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ncurses, loaded when there is a terminal to take over (base/library.h says why). It is included
 * without its macros: they would call functions that are not linked.
 */
#ifndef TUI_NCURSES_H
#define TUI_NCURSES_H

#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1
#include <curses.h>

#include "base/error.h"

#define NCURSES_SONAME "libncursesw.so.6"

#define NCURSES_FUNCTIONS(X)                                                                       \
	X(COLOR_PAIR)                                                                              \
	X(PAIR_NUMBER)                                                                             \
	X(clearok)                                                                                 \
	X(curs_set)                                                                                \
	X(curses_version)                                                                          \
	X(define_key)                                                                              \
	X(delscreen)                                                                               \
	X(delwin)                                                                                  \
	X(doupdate)                                                                                \
	X(endwin)                                                                                  \
	X(getmouse)                                                                                \
	X(has_colors)                                                                              \
	X(init_pair)                                                                               \
	X(keypad)                                                                                  \
	X(meta)                                                                                    \
	X(mouseinterval)                                                                           \
	X(mousemask)                                                                               \
	X(mvwadd_wchnstr)                                                                          \
	X(newpad)                                                                                  \
	X(newterm)                                                                                 \
	X(noecho)                                                                                  \
	X(nonl)                                                                                    \
	X(raw)                                                                                     \
	X(resize_term)                                                                             \
	X(set_escdelay)                                                                            \
	X(setcchar)                                                                                \
	X(start_color)                                                                             \
	X(tigetstr)                                                                                \
	X(typeahead)                                                                               \
	X(ungetch)                                                                                 \
	X(use_default_colors)                                                                      \
	X(use_env)                                                                                 \
	X(use_tioctl)                                                                              \
	X(wbkgd)                                                                                   \
	X(werase)                                                                                  \
	X(wgetch)                                                                                  \
	X(wmove)                                                                                   \
	X(wnoutrefresh)                                                                            \
	X(wtimeout)

#define NCURSES_OBJECTS(X)                                                                         \
	X(COLORS)                                                                                  \
	X(COLOR_PAIRS)                                                                             \
	X(COLS)                                                                                    \
	X(LINES)                                                                                   \
	X(curscr)                                                                                  \
	X(stdscr)

/* Functions, and where variables are, by the names they have there. */
struct ncurses {
#define X(name) __typeof__(name) *name;
	NCURSES_FUNCTIONS(X)
	NCURSES_OBJECTS(X)
#undef X
};

/* Return: 0, or ERR_UNSUPPORTED: the message says what to install, and what works without it. */
MUST_CHECK int ncurses_load(struct ncurses *lib, struct error *err);

#endif
