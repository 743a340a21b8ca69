/* SPDX-License-Identifier: Apache-2.0 */
/* One session: what was typed in it until T. */
#include <stdlib.h>

#include "engine/activity/words.h"
#include "tui/command_line.h"
#include "tui/filter.h"
#include "tui/pane.h"
#include "tui/sessions_view.h"

#define TERMINAL_FD 0 /* of a shell: what was typed, and its answers */

struct session {
	struct tui_sessions_view view;
	struct tui_commands model;
	uint64_t id;
};

enum {
	COL_TIME,
	COL_USER,
	COL_CWD,
	COL_COMMAND,
	COL_RESULT,
	COL_ALERT,
	COL_DURATION,
	COL_PID,
	COL_RAN_AS
};

static const struct tui_column columns[] = {
    [COL_TIME] = {"time", "TIME", 12, 0, 0, "when it began"},
    [COL_USER] = {"user", "USER", 8, 60, 0, "who typed it"},
    [COL_CWD] = {"directory", "DIRECTORY", 14, 70, TUI_COLUMN_PATH, "where"},
    [COL_COMMAND] = {"command", "COMMAND", 20, 0, TUI_COLUMN_REST,
		     "as it ran; # was typed by root, $ by others"},
    [COL_RESULT] = {"result", "RESULT", 8, 50, 0,
		    "rc: exit status; bg: the shell went on before it ended"},
    [COL_ALERT] = {"alert", "!", 2, 0, 0, "the worst alert about it"},
    [COL_DURATION] = {"duration", "FOR", 6, 110, TUI_COLUMN_RIGHT, "how long it ran"},
    [COL_PID] = {"pid", "PID", 7, 100, TUI_COLUMN_RIGHT, "its process"},
    [COL_RAN_AS] = {"ran_as", "RAN AS", 8, 120, 0, "user of the process once it ran"},
};

static struct session *of(struct tui_view *v)
{
	return (struct session *)v;
}

/* --- a row */

static struct tui_row_key row_key(void *arg, size_t i)
{
	const struct tui_command_row *r = &((const struct session *)arg)->model.rows[i];

	return (struct tui_row_key){r->evt, (uint64_t)r->pid};
}

static void result_cell(const struct tui_command_row *r, struct tui_rows *out)
{
	act_result_text(tui_rows_begin_cell(out), r->background, r->ended, r->status);
	tui_rows_end_cell(out, r->ended && r->status > 0 ? TUI_ROLE_WARNING : TUI_ROLE_NORMAL);
}

static void row(void *arg, size_t i, struct tui_rows *out)
{
	const struct session *s = arg;
	const struct tui_command_row *r = &s->model.rows[i];
	struct buf *b;

	if (tui_rows_add(out, row_key(arg, i), TUI_ROLE_NORMAL) < 0)
		return;
	if (r->ts)
		tui_pane_time(s->view.base.app, out, r->ts, 3);
	else
		tui_rows_cell(out, TUI_ROLE_NORMAL, SV_LIT("before"));
	tui_rows_cell(out, TUI_ROLE_NORMAL, r->user);
	tui_rows_cell(out, TUI_ROLE_NORMAL, r->cwd);
	b = tui_rows_begin_cell(out);
	buf_str(b, r->uid == 0 ? "# " : "$ ");
	buf_sv(b, r->line);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	result_cell(r, out);
	tui_sessions_worst(out, r->worst);
	b = tui_rows_begin_cell(out);
	if (r->ended && r->ts && r->end_ts >= r->ts)
		tui_duration(b, r->end_ts - r->ts);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	tui_pane_number(out, r->pid > 0 ? (uint64_t)r->pid : 0);
	tui_rows_cell(out, TUI_ROLE_NORMAL, r->euser);
}

/* --- opening, closing */

static void close_session(struct tui_view *v)
{
	struct session *s = of(v);

	tui_sessions_view_done(&s->view);
	tui_commands_done(&s->model);
	free(s);
}

static int open_session(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
			struct error *err)
{
	struct session *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return error_nomem(err);
	s->view.source = &s->model.source;
	s->view.list = (struct tui_list){.row = row, .key = row_key, .arg = s};
	rc = tui_number(t->text, &s->id) ? 0 : error_set(err, ERR_USAGE, "no session was chosen");
	if (rc == 0)
		rc = tui_sessions_view_open(&s->view, app, columns, COUNT_OF(columns), err);
	if (rc < 0)
		close_session(&s->view.base);
	else
		*out = &s->view.base;
	return rc;
}

/* --- bringing it to T */

static int sync_session(struct tui_view *v, unsigned news, struct error *err)
{
	struct session *s = of(v);
	int rc;

	if (!tui_sessions_view_is_old(&s->view, news))
		return 0;
	rc = tui_commands_load(&s->model, s->id, err);
	return tui_sessions_view_made(&s->view, rc, s->model.count, err);
}

/* --- drawing */

static void add_place(const struct session *s, struct buf *b)
{
	const struct tui_session_row *r = &s->model.session;
	size_t start;

	tui_session_who(s->view.base.app, r, b);
	buf_char(b, '@');
	start = b->len;
	act_tty_text(b, r->tty);
	if (b->len == start)
		buf_lit(b, "no terminal");
}

/* "amy@pts/1 from 203.0.113.9:51234 (sshd 2190)   loginuid 1004   10:58:15→11:09:02" */
static void title_of(const struct session *s, struct buf *b)
{
	const struct tui_session_row *r = &s->model.session;

	add_place(s, b);
	if (r->container.n) {
		buf_lit(b, " in ");
		buf_sv(b, r->container);
	}
	if (r->from.n) {
		buf_str(b, r->remote ? " from " : ", ");
		buf_sv(b, r->from);
	}
	if (r->loginuid != EV_NO_ID)
		buf_addf(b, "   loginuid %u", r->loginuid);
	buf_lit(b, "   ");
	if (r->start_ts)
		tui_app_time(s->view.base.app, b, r->start_ts, 0, 0);
	else
		buf_lit(b, "before");
	buf_str(b, tui_app_glyph(s->view.base.app, TUI_GLYPH_ARROW));
	if (r->end_ts)
		tui_app_time(s->view.base.app, b, r->end_ts, 0, 0);
	else
		buf_lit(b, "open");
}

static void draw_session(struct tui_view *v, const struct tui_area *a)
{
	struct session *s = of(v);
	const char *empty = NULL;
	struct buf title = {0};

	if (!s->model.session.id)
		empty = "the session is not there yet at this moment; go on in time";
	else if (!s->view.list.shown && v->filter.len)
		empty = "no command passes the filter; an empty filter shows all";
	else if (!s->view.list.shown)
		empty = s->model.session.tty
			    ? "nothing was typed in it until this moment; go on in time"
			    : "it has no terminal that something could have been typed at";
	if (s->model.session.id)
		title_of(s, &title);
	tui_pane_draw(s->view.table, a, buf_view(&title), empty);
	buf_done(&title);
}

/* --- doing */

void tui_session_follow(struct tui_app *app, const struct tui_session_row *r)
{
	if (r->leader <= 0 || !r->tty)
		tui_app_say(app, TUI_ROLE_NOTICE, "there is no terminal that could be followed");
	else
		tui_app_push(
		    app, &tui_follow_ops,
		    &(struct tui_target){.pid = r->leader, .fd = TERMINAL_FD, .has_fd = true});
}

static void enter(struct session *s)
{
	struct tui_row_key key;
	struct tui_target t = {0};

	if (!tui_table_cursor(s->view.table, &key) || (int64_t)key.b <= 0)
		return;
	t.pid = (int64_t)key.b;
	t.num = key.a;
	tui_app_push(s->view.base.app, &tui_process_ops, &t);
}

/* To the moment at which the command began: what was there then. */
static void go_there(struct session *s)
{
	struct tui_row_key key;

	if (tui_table_cursor(s->view.table, &key) && key.a)
		tui_app_push(s->view.base.app, &tui_events_ops,
			     &(struct tui_target){.pid = (int64_t)key.b, .num = key.a});
}

static enum tui_result act_session(struct tui_view *v, const struct tui_command *c)
{
	struct session *s = of(v);

	switch (c->action) {
	case TUI_DO_ENTER:
		enter(s);
		return TUI_DONE;
	case TUI_DO_EVIDENCE:
		go_there(s);
		return TUI_DONE;
	case TUI_DO_FOLLOW_FD:
		tui_session_follow(v->app, &s->model.session);
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

static void crumb_session(struct tui_view *v, struct buf *out)
{
	if (of(v)->model.session.id)
		add_place(of(v), out);
	else
		buf_lit(out, "Session");
}

static void command_session(struct tui_view *v, struct buf *out)
{
	const struct tui_session_row *r = &of(v)->model.session;

	tui_command_at(v->app, "sessions", out);
	if (!r->tty) {
		buf_lit(out, " --all");
	} else {
		buf_lit(out, " --tty ");
		act_tty_text(out, r->tty);
	}
	tui_command_capture(v->app, out);
}

static const uint8_t session_actions[] = {TUI_DO_ENTER,	 TUI_DO_EVIDENCE, TUI_DO_FOLLOW_FD,
					  TUI_DO_FILTER, TUI_DO_SEARCH,	  TUI_NO_ACTION};

static const struct tui_filter_language language = {
    .word = "(proc.name icontains $ or proc.cmdline icontains $ or proc.exepath icontains $)",
    .classes = ACT_SESSION_CLASSES,
};

const struct tui_view_ops tui_session_ops = {
    .name = "session",
    .title = "Session",
    .help = "What was typed in one session until T, rebuilt from processes: when, by whom, where, "
	    "the command as it ran, how it ended, and the worst alert about it. What a shell does "
	    "by itself starts no process and is not seen here. Enter opens the process, 'evidence' "
	    "its events, 'follow' shows what the terminal carried.",
    .actions = session_actions,
    .open = open_session,
    .close = close_session,
    .sync = sync_session,
    .draw = draw_session,
    .act = act_session,
    .work = tui_sessions_view_work,
    .crumb = crumb_session,
    .command = command_session,
    .click = tui_sessions_view_click,
    .table = tui_sessions_view_table,
    .filter = tui_sessions_view_filter,
    .language = &language,
};
