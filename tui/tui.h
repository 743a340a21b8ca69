/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal interface: cases and captures, browsed on a terminal or, for tests and scripts,
 * without one. Threads: tui_run() belongs to one thread and runs others of its own.
 */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include "tui/data.h"
#include "tui/term.h"

struct tui_options {
	struct tui_data_options data;
	const char *view;    /* opened first: a name of ':NAME'; NULL: overview */
	const char *at;	     /* T at the start, as ':goto' takes it; NULL: the end */
	const char *keymap;  /* a file of keys; NULL: none */
	const char *version; /* of the program */
	enum tui_theme theme;
	bool mouse, ascii, plain;
	bool allow_actions; /* live only */
	bool motion;	    /* what moves by itself may */
	int tz_offset_s;
	/* Without a terminal: a screen of this size, keys or a command log, then the screen is
	 * printed. */
	int height, width; /* 0: a terminal */
	const char *keys;  /* "2jj<Enter>"; "<40x10>" is a resize; NULL: none */
	const char *play;  /* a command log; "-": standard input; NULL: none */
	bool dump_screen, dump_roles;
	bool timings;	      /* print how long each key took, instead */
	const char *save_log; /* the command log goes there at the end; NULL: nowhere */
	void (*print)(void *arg, struct sv text);
	void *print_arg;
	bool (*interrupted)(void); /* asked now and then: end; NULL: never */
};

/*
 * Return: 0, ERR_UNSUPPORTED (no terminal), ERR_USAGE (keys, log, view, time), or what opening
 * fails with.
 */
MUST_CHECK int tui_run(const struct tui_options *opt, struct error *err);
/* Of ncurses, for people; NULL: it is not there. */
const char *tui_library_version(void);

#endif
