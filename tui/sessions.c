/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: who was at the machine until T. */
#include <stdlib.h>

#include "engine/activity/words.h"
#include "tui/command_line.h"
#include "tui/filter.h"
#include "tui/pane.h"
#include "tui/sessions_view.h"

struct sessions {
	struct tui_sessions_view view;
	struct tui_sessions model;
};

enum {
	COL_WHO,
	COL_TTY,
	COL_FROM,
	COL_LOGINUID,
	COL_LEADER,
	COL_SHELL,
	COL_CONTAINER,
	COL_START,
	COL_END,
	COL_COMMANDS,
	COL_ALERT
};

static const struct tui_column columns[] = {
    [COL_WHO] = {"who", "WHO", 16, 0, 0,
		 "who logged in, and whose the session is; those that began in another hang below"},
    [COL_TTY] = {"tty", "TTY", 6, 0, 0, "terminal"},
    [COL_FROM] = {"from", "FROM", 16, 0, TUI_COLUMN_REST,
		  "where it came from, or the command that began it; else what it runs"},
    [COL_LOGINUID] = {"loginuid", "LOGIN", 6, 100, TUI_COLUMN_RIGHT,
		      "user id of the login, whatever came behind it"},
    [COL_LEADER] = {"leader", "LEADER", 7, 110, TUI_COLUMN_RIGHT, "process that leads it"},
    [COL_SHELL] = {"shell", "SHELL", 16, 120, 0, "what that runs"},
    [COL_CONTAINER] = {"container", "CONTAINER", 14, 150, 0, "empty: on the host"},
    [COL_START] = {"start", "START", 12, 50, 0, "when it began"},
    [COL_END] = {"end", "END", 12, 70, 0, "when its leader ended; open: not by T"},
    [COL_COMMANDS] = {"commands", "CMDS", 5, 0, TUI_COLUMN_RIGHT, "commands typed by T"},
    [COL_ALERT] = {"alert", "!", 2, 0, 0, "the worst alert about one of its commands"},
};

static struct sessions *of(struct tui_view *v)
{
	return (struct sessions *)v;
}

/* --- a row */

static struct tui_row_key row_key(void *arg, size_t i)
{
	return (struct tui_row_key){((const struct sessions *)arg)->model.rows[i].id, 0};
}

static void time_cell(const struct sessions *s, struct tui_rows *out, uint64_t ts, const char *none)
{
	if (ts)
		tui_pane_time(s->view.base.app, out, ts, 3);
	else
		tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(none));
}

static void row(void *arg, size_t i, struct tui_rows *out)
{
	const struct sessions *s = arg;
	const struct tui_session_row *r = &s->model.rows[i];
	struct buf *b;

	if (tui_rows_add(out, row_key(arg, i), r->end_ts ? TUI_ROLE_DIM : TUI_ROLE_NORMAL) < 0)
		return;
	b = tui_rows_begin_cell(out);
	for (unsigned k = 1; k < r->depth; k++)
		buf_lit(b, "  ");
	if (r->depth)
		buf_str(b, tui_app_glyph(s->view.base.app, TUI_GLYPH_TREE_LAST));
	tui_session_who(s->view.base.app, r, b);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	act_tty_text(tui_rows_begin_cell(out), r->tty);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	b = tui_rows_begin_cell(out);
	if (r->from.n)
		buf_sv(b, r->from);
	else if (r->shell.n)
		buf_addf(b, "(%.*s)", (int)r->shell.n, r->shell.p);
	tui_rows_end_cell(out, r->from.n ? TUI_ROLE_NORMAL : TUI_ROLE_DIM);
	b = tui_rows_begin_cell(out);
	if (r->loginuid != EV_NO_ID)
		buf_u64(b, r->loginuid);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	tui_pane_number(out, r->leader > 0 ? (uint64_t)r->leader : 0);
	tui_rows_cell(out, TUI_ROLE_NORMAL, r->shell);
	tui_rows_cell(out, TUI_ROLE_NORMAL, r->container);
	time_cell(s, out, r->start_ts, "before");
	time_cell(s, out, r->end_ts, "open");
	tui_pane_number(out, r->commands);
	tui_sessions_worst(out, r->worst);
}

/* --- opening, closing */

static void close_sessions(struct tui_view *v)
{
	struct sessions *s = of(v);

	tui_sessions_view_done(&s->view);
	tui_sessions_done(&s->model);
	free(s);
}

static int open_sessions(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
			 struct error *err)
{
	struct sessions *s = calloc(1, sizeof(*s));
	int rc;

	(void)t;
	if (!s)
		return error_nomem(err);
	s->view.source = &s->model.source;
	s->view.list = (struct tui_list){.row = row, .key = row_key, .arg = s};
	rc = tui_sessions_view_open(&s->view, app, columns, COUNT_OF(columns), err);
	if (rc < 0)
		close_sessions(&s->view.base);
	else
		*out = &s->view.base;
	return rc;
}

/* --- bringing it to T */

static int sync_sessions(struct tui_view *v, unsigned news, struct error *err)
{
	struct sessions *s = of(v);
	int rc;

	if (!tui_sessions_view_is_old(&s->view, news))
		return 0;
	rc = tui_sessions_load(&s->model, err);
	return tui_sessions_view_made(&s->view, rc, s->model.count, err);
}

/* --- drawing */

static const char *why_empty(const struct sessions *s)
{
	if (s->view.list.shown)
		return NULL;
	if (s->view.base.filter.len)
		return "no session passes the filter; an empty filter shows all";
	if (s->model.hidden)
		return "no session on a terminal until this moment; 'dead' (X) shows the others";
	return "no session was seen until this moment; go on in time";
}

static void draw_sessions(struct tui_view *v, const struct tui_area *a)
{
	struct sessions *s = of(v);
	struct buf title = {0};

	tui_count(&title, s->view.list.shown);
	buf_str(&title,
		s->model.all ? " sessions, also without terminal" : " sessions on terminals");
	if (s->model.hidden)
		buf_addf(&title, "   %llu others", (unsigned long long)s->model.hidden);
	if (s->model.from_case)
		buf_lit(&title, "   as the case has them");
	tui_pane_draw(s->view.table, a, buf_view(&title), why_empty(s));
	buf_done(&title);
}

/* --- doing */

static const struct tui_session_row *under_cursor(struct sessions *s)
{
	struct tui_row_key key;

	if (!tui_table_cursor(s->view.table, &key))
		return NULL;
	for (size_t i = 0; i < s->model.count; i++)
		if (s->model.rows[i].id == key.a)
			return &s->model.rows[i];
	return NULL;
}

static void enter(struct sessions *s)
{
	const struct tui_session_row *r = under_cursor(s);
	struct buf id = {0};

	if (!r)
		return;
	buf_u64(&id, r->id);
	tui_app_push(s->view.base.app, &tui_session_ops,
		     &(struct tui_target){.text = buf_view(&id)});
	buf_done(&id);
}

static enum tui_result act_sessions_view(struct tui_view *v, const struct tui_command *c)
{
	struct sessions *s = of(v);
	const struct tui_session_row *r;

	switch (c->action) {
	case TUI_DO_ENTER:
		enter(s);
		return TUI_DONE;
	case TUI_DO_FOLLOW_FD:
		r = under_cursor(s);
		if (r)
			tui_session_follow(v->app, r);
		return TUI_DONE;
	case TUI_DO_DEAD:
		s->model.all = !s->model.all;
		v->news |= TUI_NEWS_TIME;
		tui_app_say(v->app, TUI_ROLE_NORMAL,
			    s->model.all ? "sessions without a terminal are shown, too"
					 : "sessions on terminals only");
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

static void command_sessions(struct tui_view *v, struct buf *out)
{
	tui_command_at(v->app, "sessions", out);
	if (of(v)->model.all)
		buf_lit(out, " --all");
	tui_command_filter(v, out);
	tui_command_capture(v->app, out);
}

static const uint8_t sessions_actions[] = {TUI_DO_ENTER,  TUI_DO_DEAD,	 TUI_DO_FOLLOW_FD,
					   TUI_DO_FILTER, TUI_DO_SEARCH, TUI_NO_ACTION};

static const struct tui_filter_language language = {
    .word = "(proc.cmdline icontains $ or user.name icontains $)",
    .classes = ACT_SESSION_CLASSES,
};

const struct tui_view_ops tui_sessions_ops = {
    .name = "sessions",
    .title = "Sessions",
    .help = "Sessions of people until T: who logged in (and, behind the arrow, whose the session "
	    "is), on which terminal, from where, when, how many commands were typed, and the worst "
	    "alert about one of them. Sessions that began in another one, by su, ssh or an entry "
	    "into a container, hang below it. Dim ones have ended. Enter shows what was typed, "
	    "'follow' the terminal itself, 'dead' also sessions without a terminal.",
    .actions = sessions_actions,
    .open = open_sessions,
    .close = close_sessions,
    .sync = sync_sessions,
    .draw = draw_sessions,
    .act = act_sessions_view,
    .work = tui_sessions_view_work,
    .command = command_sessions,
    .click = tui_sessions_view_click,
    .table = tui_sessions_view_table,
    .filter = tui_sessions_view_filter,
    .language = &language,
};
