/* SPDX-License-Identifier: Apache-2.0 */
/* scapula sessions: who was logged in by a moment, and what they ran. */
#include <stdlib.h>
#include <string.h>

#include "cli/session_rows.h"
#include "replay/checkpoint.h"

enum {
	OPT_ALL = OPT_VIEW_FIRST,
	OPT_ALL_EXECS,
	OPT_USER,
	OPT_TTY,
};

static const struct cli_option sessions_options[] = {
    VIEW_OPTION_AT,
    VIEW_OPTION_FORMAT,
    {OPT_USER, "user", "NAME|UID", "sessions of that login user, or led by that user"},
    {OPT_TTY, "tty", "NAME", "sessions on that terminal: pts/1, tty1"},
    {'F', "filter", "CONDITION", "sessions whose leader passes (proc., user., container. fields)"},
    {OPT_ALL, "all", NULL, "also sessions without a terminal: cron, remote commands, services"},
    {OPT_ALL_EXECS, "all-execs", NULL, "also what the commands ran themselves"},
    VIEW_OPTION_NO_CONTAINERS,
    CLI_OPTION_NO_INDEX,
    {0, NULL, NULL, NULL},
};

static const char *const sessions_examples[] = {
    "sessions capture.scap",
    "sessions --all --all-execs capture.scap",
    "sessions --user root -f json capture.scap",
    "sessions --all -F 'container.id != host' capture.scap",
    NULL,
};

static const struct table_column sessions_columns[] = {
    [SES_CAPTURE] = {"capture", "CAPTURE", TABLE_STRING, IN_DATA, 0},
    [SES_ID] = {"session", "", TABLE_NUMBER, IN_DATA, 0},
    [SES_PARENT] = {"parent_session", "", TABLE_NUMBER, IN_DATA, 0},
    [SES_VIA] = {"started_by_pid", "", TABLE_NUMBER, IN_DATA, 0},
    [SES_LOGIN_USER] = {"login_user", "", TABLE_STRING, IN_DATA, 0},
    [SES_LOGINUID] = {"loginuid", "", TABLE_NUMBER, IN_DATA, 0},
    [SES_USER] = {"session_user", "", TABLE_STRING, IN_DATA, 0},
    [SES_UID] = {"session_uid", "", TABLE_NUMBER, IN_DATA, 0},
    [SES_TTY] = {"tty", "", TABLE_STRING, IN_DATA, 0},
    [SES_CONTAINER] = {"container", "", TABLE_STRING, IN_DATA, 0},
    [SES_CONTAINER_ID] = {"container_id", "", TABLE_STRING, IN_DATA, 0},
    [SES_ORIGIN] = {"origin", "", TABLE_STRING, IN_DATA, 0},
    [SES_FROM] = {"from", "", TABLE_STRING, IN_DATA, 0},
    [SES_BY] = {"by", "", TABLE_STRING, IN_DATA, 0},
    [SES_BY_PID] = {"by_pid", "", TABLE_NUMBER, IN_DATA, 0},
    [SES_LEADER] = {"leader_pid", "", TABLE_NUMBER, IN_DATA, 0},
    [SES_SHELL] = {"leader", "", TABLE_STRING, IN_DATA, 0},
    [SES_SID] = {"sid", "", TABLE_NUMBER, IN_DATA, 0},
    [SES_START] = {"start", "", TABLE_TIME, IN_DATA, 0},
    [SES_END] = {"end", "", TABLE_TIME, IN_DATA, 0},
    [SES_FROM_START] = {"from_start", "", TABLE_BOOL, IN_DATA, 0},
    [SES_IMPLIED] = {"implied", "", TABLE_BOOL, IN_DATA, 0},
    [SES_PROCESSES] = {"processes", "", TABLE_NUMBER, IN_DATA, 0},
    [SES_COMMANDS] = {"commands", "", TABLE_RAW, IN_JSON, 0},
    [CMD_TIME] = {"time", "TIME", TABLE_TIME, IN_TEXT | IN_CSV, 0},
    [CMD_RESULT] = {"result", "RESULT", TABLE_STRING, IN_TEXT | IN_CSV, 0},
    [CMD_USER] = {"user", "USER", TABLE_STRING, IN_TEXT | IN_CSV, 0},
    [CMD_UID] = {"uid", "", TABLE_NUMBER, IN_CSV, 0},
    [CMD_EUSER] = {"ran_as", "", TABLE_STRING, IN_CSV, 0},
    [CMD_PID] = {"pid", "PID", TABLE_NUMBER, IN_TEXT | IN_CSV, 1},
    [CMD_CWD] = {"cwd", "DIRECTORY", TABLE_STRING, IN_TEXT | IN_CSV, 2},
    [CMD_END] = {"command_end", "", TABLE_TIME, IN_CSV, 0},
    [CMD_BACKGROUND] = {"background", "", TABLE_BOOL, IN_CSV, 0},
    [CMD_KIND] = {"kind", "", TABLE_STRING, IN_CSV, 0},
    [CMD_EVT] = {"evt", "", TABLE_NUMBER, IN_CSV, 0},
    [CMD_COMMAND] = {"command", "COMMAND", TABLE_STRING, IN_TEXT | IN_CSV, 0},
    {NULL, NULL, 0, 0, 0},
};

struct cmd {
	struct view view;
	bool all;
	struct act_sessions_options opt;
	const char *user, *tty;
	struct act_sessions *tracker;
};

static int take_option(void *arg, int id, const char *value)
{
	struct cmd *o = arg;
	int rc = view_take(&o->view, id, value);

	if (rc >= 0)
		return rc;
	switch (id) {
	case OPT_ALL:
		o->all = o->opt.without_tty = true;
		return 0;
	case OPT_ALL_EXECS:
		o->opt.all_execs = true;
		return 0;
	case OPT_USER:
		o->user = value;
		return 0;
	case OPT_TTY:
		o->tty = strncmp(value, "/dev/", 5) == 0 ? value + 5 : value;
		return 0;
	default:
		return CLI_USAGE;
	}
}

static int begin(void *arg, struct cli_walk *w, struct error *err)
{
	struct cmd *o = arg;
	struct state_observer obs;
	int rc;

	act_sessions_free(o->tracker);
	o->tracker = NULL;
	rc = w->chunk ? run_index_sessions(w->index, w->chunk, &o->tracker, err)
		      : act_sessions_new(&o->opt, &o->tracker, err);
	if (rc < 0)
		return rc;
	obs = act_sessions_observer(o->tracker);
	state_observe(w->state, &obs);
	return 0;
}

static void on_fed(void *arg, struct cli_walk *w, const struct state_binding *b)
{
	struct cmd *o = arg;

	act_sessions_event(o->tracker, w->state, b);
}

/* The state announces the end of the old threads when it takes the item, after this. */
static void on_item(void *arg, struct cli_walk *w, const struct ev_item *item)
{
	struct cmd *o = arg;

	(void)w;
	if (item->kind == EV_ITEM_SECTION)
		act_sessions_section(o->tracker);
}

/* Checkpoints have what is shown without options: the rest grows with each command of a service. */
static bool parts(void *arg, unsigned *out)
{
	const struct cmd *o = arg;

	*out |= 1u << RUN_PART_SESSIONS;
	return !o->opt.without_tty && !o->opt.all_execs;
}

/* --- which ones --- */

static bool is_user(const char *wanted, struct sv name, uint32_t id)
{
	uint64_t n;

	if (sv_is(name, wanted))
		return true;
	return id != EV_NO_ID && cli_parse_u64(wanted, &n) && n == id;
}

static bool is_shown(const struct cmd *o, struct act_question *q, const struct act_session *s)
{
	struct buf b = {0};
	bool same_tty;

	if (!s->tty && !(o->all && s->commands))
		return false;
	if (o->user && !is_user(o->user, s->login_user, s->loginuid) &&
	    !is_user(o->user, s->user, s->uid))
		return false;
	if (o->view.filter && !act_session_passes(q, s))
		return false;
	if (!o->tty)
		return true;
	act_tty_text(&b, s->tty);
	same_tty = sv_is(buf_view(&b), o->tty);
	buf_done(&b);
	return same_tty;
}

static void show(void *arg, struct cli_walk *w)
{
	struct cmd *o = arg;
	const struct act_sessions_stats *stats = act_sessions_stats(o->tracker);
	struct session_view sv = {.view = &o->view, .walk = w, .all_execs = o->opt.all_execs};
	struct act_question q = view_question(&o->view, w);
	char what[64];
	size_t n = 0;

	act_sessions_settle(o->tracker, w->state);
	state_observe(w->state, NULL);
	for (const struct act_session *s = act_sessions_first(o->tracker); s; s = s->next)
		n += is_shown(o, &q, s);
	snprintf(what, sizeof(what), "%zu session%s", n, n == 1 ? "" : "s");
	view_heading(&o->view, w, what);
	if (q.failed || session_view_begin(&sv, n) < 0) {
		act_question_done(&q);
		view_out_of_memory(&o->view);
		return;
	}
	for (const struct act_session *s = act_sessions_first(o->tracker); s; s = s->next)
		if (is_shown(o, &q, s))
			session_view_add(&sv, s);
	act_question_done(&q);
	session_view_print(&sv);
	if (!n && !o->all && o->view.format == TABLE_TEXT)
		cli_log(CLI_NOTE, "%s: no session on a terminal%s; --all shows the others, too",
			o->view.path, o->view.filter ? " passes the filter" : "");
	session_view_done(&sv);
	cli_log(CLI_DEBUG, "%zu bytes held for sessions", stats->memory);
	if (!stats->dropped)
		return;
	cli_log(CLI_WARNING, "%s: %llu sessions, processes or commands are left out: too many",
		o->view.path, (unsigned long long)stats->dropped);
	o->view.status = cli_worse(o->view.status, CLI_PARTIAL);
}

static void done(void *arg)
{
	struct cmd *o = arg;

	act_sessions_free(o->tracker);
}

int cmd_sessions(int argc, char **argv)
{
	struct cmd o = {.view = {.columns = sessions_columns,
				 .filter_classes = ACT_SESSION_CLASSES,
				 .pid = -1,
				 .begin = begin,
				 .item = on_item,
				 .fed = on_fed,
				 .show = show,
				 .done = done,
				 .parts = parts}};
	const struct cli_parser parser = {"sessions", sessions_options, sessions_examples,
					  take_option, &o};

	return view_main(&o.view, &parser, argc, argv);
}
