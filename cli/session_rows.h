/* SPDX-License-Identifier: Apache-2.0 */
/* Printing sessions with their commands; a session below the command that started it. */
#ifndef CLI_SESSION_ROWS_H
#define CLI_SESSION_ROWS_H

#include "cli/views.h"
#include "engine/activity/sessions.h"

enum session_column {
	SES_CAPTURE,
	SES_ID,
	SES_PARENT,
	SES_VIA,
	SES_LOGIN_USER,
	SES_LOGINUID,
	SES_USER,
	SES_UID,
	SES_TTY,
	SES_CONTAINER,
	SES_CONTAINER_ID,
	SES_ORIGIN,
	SES_FROM,
	SES_BY,
	SES_BY_PID,
	SES_LEADER,
	SES_SHELL,
	SES_SID,
	SES_START,
	SES_END,
	SES_FROM_START,
	SES_IMPLIED,
	SES_PROCESSES,
	SES_COMMANDS,
	CMD_TIME,
	CMD_RESULT,
	CMD_USER,
	CMD_UID,
	CMD_EUSER,
	CMD_PID,
	CMD_CWD,
	CMD_END,
	CMD_BACKGROUND,
	CMD_KIND,
	CMD_EVT,
	CMD_COMMAND,
};

#define SESSION_DEPTH_MAX 16 /* deeper ones are shown beside that */

struct session_node {
	const struct act_session *s;
	struct session_node *next;     /* below the same command or session */
	const struct act_command *via; /* shown command it hangs below; NULL: below the session */
	struct session_node *up;       /* shown session it hangs below; NULL: none */
	bool printed;
};

struct session_view {
	struct view *view;
	struct cli_walk *walk;
	bool all_execs;
	/* At work: */
	struct session_node *nodes;
	size_t count, cap;
	struct map by_session; /* struct act_session -> its node */
	struct map below;      /* struct act_command or act_session -> first node below it */
};

/* Room for @count sessions. Return: 0 or ERR_NOMEM. */
MUST_CHECK int session_view_begin(struct session_view *v, size_t count);
void session_view_add(struct session_view *v, const struct act_session *s);
void session_view_print(struct session_view *v);
void session_view_done(struct session_view *v);

#endif
