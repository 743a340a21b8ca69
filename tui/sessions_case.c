/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and commands as the case has them, up to T. */
#include "engine/activity/words.h"
#include "tui/case_sql.h"
#include "tui/sessions_model.h"

static const char sessions_sql[] =
    "SELECT v.session_id, v.parent_id, v.leader_pid, v.tty, v.uid, v.user, v.loginuid,"
    " v.login_user, v.shell, v.start_ts, v.end_ts, v.from_start, v.container_id, v.origin,"
    " v.remote, v.via, v.via_pid,"
    " (SELECT count(*) FROM session_commands c WHERE c.session_id = v.session_id"
    "  AND (c.ts IS NULL OR c.ts <= ?2))"
    " FROM v_session v WHERE v.capture_id = ?1 AND (v.start_ts IS NULL OR v.start_ts <= ?2)"
    " AND (?3 = 0 OR v.session_id = ?3) ORDER BY v.session_id";
enum {
	S_ID,
	S_PARENT,
	S_LEADER,
	S_TTY,
	S_UID,
	S_USER,
	S_LOGINUID,
	S_LOGIN,
	S_SHELL,
	S_START,
	S_END,
	S_FROM_START,
	S_CONTAINER,
	S_ORIGIN,
	S_REMOTE,
	S_VIA,
	S_VIA_PID,
	S_COMMANDS
};

static const char commands_sql[] =
    "SELECT c.ts, c.end_ts, c.evt_num, c.background, c.status, c.pid, c.uid, c.euid, c.cwd,"
    " c.comm, c.exepath, c.cmdline,"
    " (SELECT name FROM users u WHERE u.run_capture_id = s.run_capture_id"
    "  AND u.container_id = ifnull(s.container_id, '') AND u.uid = c.uid),"
    " (SELECT name FROM users u WHERE u.run_capture_id = s.run_capture_id"
    "  AND u.container_id = ifnull(s.container_id, '') AND u.uid = c.euid)"
    " FROM session_commands c JOIN sessions s USING (session_id) WHERE c.session_id = ?1"
    " AND (c.ts IS NULL OR c.ts <= ?2) ORDER BY c.seq";
enum {
	C_TS,
	C_END,
	C_EVT,
	C_BACKGROUND,
	C_STATUS,
	C_PID,
	C_UID,
	C_EUID,
	C_CWD,
	C_COMM,
	C_EXE,
	C_LINE,
	C_USER,
	C_EUSER
};

static enum act_origin origin_of(struct sv text)
{
	return sv_is(text, "remote")		? ACT_ORIGIN_REMOTE
	       : sv_is(text, "socket")		? ACT_ORIGIN_SOCKET
	       : sv_is(text, "container-entry") ? ACT_ORIGIN_CONTAINER_ENTRY
	       : sv_is(text, "container-start") ? ACT_ORIGIN_CONTAINER_START
						: ACT_ORIGIN_UNKNOWN;
}

/* Of what ends later than T nothing is known yet. */
static uint64_t end_by(sqlite3_stmt *s, int column, uint64_t ts)
{
	uint64_t end = (uint64_t)tui_sql_int(s, column, 0);

	return end <= ts ? end : 0;
}

static int take_session(struct arena *arena, sqlite3_stmt *s, uint64_t ts,
			struct tui_session_row *r)
{
	struct buf b = {0};
	bool failed = false;

	r->id = (uint64_t)sqlite3_column_int64(s, S_ID);
	r->parent = (uint64_t)tui_sql_int(s, S_PARENT, 0);
	r->leader = tui_sql_int(s, S_LEADER, -1);
	r->tty = (uint32_t)tui_sql_int(s, S_TTY, 0);
	r->uid = (uint32_t)tui_sql_int(s, S_UID, EV_NO_ID);
	r->loginuid = (uint32_t)tui_sql_int(s, S_LOGINUID, EV_NO_ID);
	r->user = tui_sql_text(s, S_USER, arena, &failed);
	r->login = tui_sql_text(s, S_LOGIN, arena, &failed);
	r->shell = tui_sql_text(s, S_SHELL, arena, &failed);
	r->container = r->container_id = tui_sql_text(s, S_CONTAINER, arena, &failed);
	r->start_ts = (uint64_t)tui_sql_int(s, S_START, 0);
	r->end_ts = end_by(s, S_END, ts);
	r->from_start = sqlite3_column_int(s, S_FROM_START);
	r->commands = (uint64_t)sqlite3_column_int64(s, S_COMMANDS);
	r->remote = sv_is(tui_sql_view(s, S_ORIGIN), "remote");
	tui_session_from(origin_of(tui_sql_view(s, S_ORIGIN)), tui_sql_view(s, S_REMOTE),
			 tui_sql_view(s, S_VIA), tui_sql_int(s, S_VIA_PID, -1), &b);
	failed |= !tui_sessions_keep(arena, &b, &r->from);
	buf_done(&b);
	return failed ? ERR_NOMEM : 0;
}

/* ?1 is @first, ?2 T, ?3 @third if there is one. Return: 0 or ERR_*. */
static int ask(struct tui_app *app, const char *sql, int64_t first, const int64_t *third,
	       sqlite3_stmt **out, uint64_t *ts, struct error *err)
{
	struct tui_data *d = tui_app_data(app);
	int64_t numbers[3] = {first, 0, third ? *third : 0};
	uint64_t num;
	int rc = tui_sql_prepare(d, sql, out, err);

	*ts = tui_data_time(d, &num);
	numbers[1] = (int64_t)*ts;
	return rc < 0 ? rc : tui_sql_begin(d, *out, numbers, third ? 3 : 2, err);
}

static int64_t capture_id(struct tui_app *app)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(app));

	return c ? c->capture_id : 0;
}

int tui_sessions_of_case(struct tui_sessions *s, struct error *err)
{
	const int64_t any = 0;
	sqlite3_stmt *stmt = NULL;
	uint64_t ts;
	int rc = ask(s->source.app, sessions_sql, capture_id(s->source.app), &any, &stmt, &ts, err);

	while (rc == 0 && (rc = tui_sql_step(tui_app_data(s->source.app), stmt, err)) > 0) {
		struct tui_session_row *r = tui_sessions_room(s);

		rc = r && take_session(&s->source.arena, stmt, ts, r) == 0 ? 0 : error_nomem(err);
		if (rc == 0)
			r->worst = tui_known_worst(s->source.known, r->leader, r->start_ts,
						   r->end_ts ? r->end_ts : UINT64_MAX, ts);
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* The name, else the number. */
static bool keep_user(struct arena *arena, sqlite3_stmt *s, int column, uint32_t uid,
		      struct sv *out)
{
	struct buf b = {0};
	bool ok;

	buf_sv(&b, tui_sql_view(s, column));
	if (!b.len && uid != EV_NO_ID)
		buf_u64(&b, uid);
	ok = tui_sessions_keep(arena, &b, out);
	buf_done(&b);
	return ok;
}

static int take_command(struct tui_commands *c, sqlite3_stmt *s, uint64_t ts)
{
	struct tui_command_row *r = tui_commands_room(c);
	bool failed = false;

	if (!r)
		return ERR_NOMEM;
	r->ts = (uint64_t)tui_sql_int(s, C_TS, 0);
	r->from_start = !r->ts;
	r->end_ts = end_by(s, C_END, ts);
	r->ended = r->end_ts != 0;
	r->status = r->ended ? tui_sql_int(s, C_STATUS, -1) : -1;
	r->evt = (uint64_t)tui_sql_int(s, C_EVT, 0);
	r->background = sqlite3_column_int(s, C_BACKGROUND);
	r->pid = tui_sql_int(s, C_PID, -1);
	r->uid = (uint32_t)tui_sql_int(s, C_UID, EV_NO_ID);
	r->euid = (uint32_t)tui_sql_int(s, C_EUID, EV_NO_ID);
	r->cwd = act_directory(tui_sql_text(s, C_CWD, &c->source.arena, &failed));
	r->comm = tui_sql_text(s, C_COMM, &c->source.arena, &failed);
	r->exe = tui_sql_text(s, C_EXE, &c->source.arena, &failed);
	r->line = tui_sql_text(s, C_LINE, &c->source.arena, &failed);
	failed |= !keep_user(&c->source.arena, s, C_USER, r->uid, &r->user);
	failed |= !keep_user(&c->source.arena, s, C_EUSER, r->euid, &r->euser);
	return failed ? ERR_NOMEM : 0;
}

int tui_commands_of_case(struct tui_commands *c, uint64_t id, struct error *err)
{
	struct tui_data *d = tui_app_data(c->source.app);
	const int64_t wanted = (int64_t)id;
	sqlite3_stmt *stmt = NULL;
	uint64_t ts;
	int rc =
	    ask(c->source.app, sessions_sql, capture_id(c->source.app), &wanted, &stmt, &ts, err);

	if (rc == 0)
		rc = tui_sql_step(d, stmt, err);
	if (rc > 0)
		rc = take_session(&c->source.arena, stmt, ts, &c->session) < 0 ? error_nomem(err)
									       : 0;
	sqlite3_finalize(stmt);
	stmt = NULL;
	if (rc < 0 || !c->session.id)
		return rc;
	rc = ask(c->source.app, commands_sql, wanted, NULL, &stmt, &ts, err);
	while (rc == 0 && (rc = tui_sql_step(d, stmt, err)) > 0)
		rc = take_command(c, stmt, ts) < 0 ? error_nomem(err) : 0;
	sqlite3_finalize(stmt);
	return rc;
}
