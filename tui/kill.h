/* SPDX-License-Identifier: Apache-2.0 */
/* Signals to processes of this host: live, if that was allowed, and to nobody else than is meant.
 */
#ifndef TUI_KILL_H
#define TUI_KILL_H

#include "engine/activity/forest.h"
#include "tui/app.h"

/* Seconds that the recording and the kernel may disagree about when a process was started. */
#define TUI_KILL_SLACK_S 1

struct tui_kill {    /* what ":kill PID [SIGNAL]" says */
	int64_t pid; /* 0: none was given */
	int signal;
};

/* "1234", "1234 KILL", "1234 SIGHUP", "1234 9". Return: 0 or ERR_USAGE. */
MUST_CHECK int tui_kill_parse(struct sv text, struct tui_kill *out, struct error *err);
/*
 * May processes of what is looked at get signals? Never those of recordings. Return: 0 or
 * ERR_USAGE.
 */
MUST_CHECK int tui_kill_allowed(const struct tui_data *d, bool allowed, struct error *err);
/*
 * Send @signal to process @pid of this host if it is the one that is called @comm and was started
 * at @began, or (@listed: it was there then) before. Return: 0, ERR_USAGE (it is another one, or
 * gone), ERR_UNSUPPORTED, ERR_PERMISSION.
 */
MUST_CHECK int tui_kill_send(int64_t pid, struct sv comm, uint64_t began, bool listed, int signal,
			     struct error *err);
/* KILL about the process @n. */
enum tui_result tui_kill_act(struct tui_app *app, const struct act_node *n,
			     const struct tui_command *c);

#endif
