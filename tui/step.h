/* SPDX-License-Identifier: Apache-2.0 */
/*
 * T on to the next event of a process, or back to the one before: what takes long goes on in
 * work(). Threads: that of the program.
 */
#ifndef TUI_STEP_H
#define TUI_STEP_H

#include "tui/app.h"

struct tui_step { /* zeroed: nothing is being looked for */
	struct tui_events *events;
	bool back;
	uint64_t at;
};

/* From event @num, which does not count, to one of process @pid that passes @filter (NULL: any).
 * T moves when it is found, at once or later; what fails is told. */
void tui_step_begin(struct tui_step *s, struct tui_app *app, int64_t pid, const char *filter,
		    uint64_t num, bool back);
/* The same from T on, if @c is about that: false if not. @pid: below 0: there is none to follow. */
bool tui_step_act(struct tui_step *s, struct tui_app *app, const struct tui_command *c,
		  int64_t pid);
/* True: there is more to do. */
bool tui_step_work(struct tui_step *s, struct tui_app *app, uint64_t deadline_ns);
/* Leave it at that. */
void tui_step_end(struct tui_step *s);

#endif
