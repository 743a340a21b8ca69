/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions up to T and the commands of one of them, copied from the tracker of the moment
 * (sessions_model.c) or, where the moment has none, from the case (sessions_case.c). Threads: that
 * of the program.
 */
#ifndef TUI_SESSIONS_MODEL_H
#define TUI_SESSIONS_MODEL_H

#include "base/arena.h"
#include "tui/app.h"
#include "tui/known.h"
#include "tui/state_filter.h"
#include "tui/table.h"

#define TUI_SESSION_DEPTH_MAX 12 /* of indentation; deeper ones stand beside that */

struct tui_session_row {
	uint64_t id, parent; /* @parent 0: none known */
	uint64_t start_ts, end_ts, commands;
	bool from_start, remote, passes, shown;
	int64_t leader; /* process number, -1: not known */
	uint32_t tty, uid, loginuid;
	struct sv user, login, from, shell, container, container_id;
	unsigned depth;			/* below others that are shown */
	int worst;			/* priority of an alert about it, -1: none */
	size_t first_below, next_below; /* while they are put in order; SIZE_MAX: none */
};

struct tui_command_row {
	uint64_t ts, end_ts, evt;
	bool from_start, background, ended, below;
	int64_t pid, status;
	uint32_t uid, euid;
	struct sv user, euser, cwd, line, comm, exe;
	int worst;
};

struct tui_sessions_source { /* what both kinds of rows are made with */
	struct tui_app *app;
	struct tui_known *known;
	struct tui_state_filter *filter;
	struct arena arena; /* of their texts */
};

struct tui_sessions { /* rows in the order in which they are shown, those that hang below others
			 behind them */
	struct tui_sessions_source source;
	bool all;	/* without a terminal, too */
	bool from_case; /* the moment has none of its own */
	struct tui_session_row *rows;
	size_t count, cap;
	uint64_t hidden; /* have no terminal */
};

struct tui_commands { /* of one session, by time */
	struct tui_sessions_source source;
	struct tui_command_row *rows;
	size_t count, cap;
	struct tui_session_row session; /* id 0: it is not there at T */
};

/* Return: 0 or ERR_*. */
MUST_CHECK int tui_sessions_load(struct tui_sessions *s, struct error *err);
void tui_sessions_done(struct tui_sessions *s);
/* Of session @id, as rows of tui_sessions_load() have it. Return: 0 or ERR_*. */
MUST_CHECK int tui_commands_load(struct tui_commands *c, uint64_t id, struct error *err);
void tui_commands_done(struct tui_commands *c);
/* "amy→root": who logged in, and whose session it is. */
void tui_session_who(const struct tui_app *app, const struct tui_session_row *r, struct buf *out);
/* session.c: a view of what its terminal carried. */
void tui_session_follow(struct tui_app *app, const struct tui_session_row *r);

/* Shared by the two sources. A row to be filled; NULL: no memory. */
struct tui_session_row *tui_sessions_room(struct tui_sessions *s);
struct tui_command_row *tui_commands_room(struct tui_commands *c);
/* Text of @b in @arena, and @b is empty then. False: no memory. */
MUST_CHECK bool tui_sessions_keep(struct arena *arena, struct buf *b, struct sv *out);
/* Where it comes from: "203.0.113.9:51234 (sshd 2190)". */
void tui_session_from(enum act_origin origin, struct sv from, struct sv by, int64_t by_pid,
		      struct buf *out);

/* sessions_case.c. Return: 0 or ERR_*. */
MUST_CHECK int tui_sessions_of_case(struct tui_sessions *s, struct error *err);
MUST_CHECK int tui_commands_of_case(struct tui_commands *c, uint64_t id, struct error *err);

#endif
