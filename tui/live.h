/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens now, as the interface is given it: a recording in segments, each a capture complete
 * in itself, of which the last one grows. Who records implements this; tui/data_live.c makes
 * captures of it. Threads: all calls but save() come from the thread of the interface.
 */
#ifndef TUI_LIVE_H
#define TUI_LIVE_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tui_live_state {
	size_t segments; /* begun so far; all but the last are complete */
	uint64_t events, lost;
	bool over; /* nothing more comes */
};

struct tui_live {
	/* Where segments and the case are, if that has no name: private, removed by who records. */
	const char *dir;
	bool nameless;	 /* the case goes with the program */
	uint64_t window; /* bytes that are kept of the stream */
	void (*look)(void *arg, struct tui_live_state *out);
	/* The path of segment @i; the caller frees it. NULL when out of memory. */
	char *(*path)(void *arg, size_t i);
	/* Complete the segment in progress soon, and begin the next one. */
	void (*cut)(void *arg);
	/* Make one capture, @out, of the complete segments @paths; takes long, called in a thread.
	 * Return: 0 or ERR_*; then there is no @out. */
	int (*save)(void *arg, char **paths, size_t n, const char *out, struct error *err);
	void *arg;
};

#endif
