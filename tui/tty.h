/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal device under standard input and output: what it was set to, and that it is so again
 * however the process ends. Signals that concern it wake who waits for input. One per process, used
 * by one thread. Internal to tui/.
 */
#ifndef TUI_TTY_H
#define TUI_TTY_H

#include <stdbool.h>

#include "base/error.h"
#include "base/sv.h"

#define TUI_RESTORE_MAX 512 /* bytes that restore a terminal */

/* Return: 0, ERR_UNSUPPORTED (they are no terminal), ERR_IO. */
MUST_CHECK int tui_tty_open(struct error *err);
/* The settings as they were; signals do what they did. Without open nothing happens. */
void tui_tty_close(void);
/* What else to send when the process is ended by a signal: at most TUI_RESTORE_MAX bytes. */
void tui_tty_on_end(struct sv bytes);

enum tui_tty_event { /* bits */
		     TUI_TTY_INPUT = 1,
		     TUI_TTY_RESIZED = 2,
		     TUI_TTY_CONTINUED = 4, /* after a stop: nothing is as it was */
		     TUI_TTY_STOP = 8,	    /* asked for by a signal */
		     TUI_TTY_END = 16,	    /* asked for by a signal that the program handles */
		     TUI_TTY_GONE = 32,
};
/* Wait for any of them; 0: @timeout_ms have passed (below 0: never). */
unsigned tui_tty_wait(int timeout_ms);
/* Stop the job, as control-Z does; returns when it goes on. */
void tui_tty_stop(void);
void tui_tty_write(struct sv bytes);
/* Lines and columns; false: not known. */
bool tui_tty_size(int *height, int *width);

#endif
