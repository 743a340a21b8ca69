/* SPDX-License-Identifier: Apache-2.0 */
/* scapula tree: processes at a moment. */
#include <stdlib.h>
#include <string.h>

#include "cli/tree.h"
#include "replay/checkpoint.h"

enum {
	OPT_THREADS = OPT_VIEW_FIRST,
	OPT_DEAD,
	OPT_FLAT,
};

static const struct cli_option tree_options[] = {
    VIEW_OPTION_AT,
    VIEW_OPTION_FORMAT,
    {OPT_PID, "pid", "N", "that process, its ancestors and descendants"},
    {'F', "filter", "CONDITION",
     "processes that pass, and their ancestors; proc., user. and such fields"},
    {OPT_THREADS, "threads", NULL, "threads, too"},
    {OPT_DEAD, "dead", NULL, "also processes that ended before, with their status"},
    {OPT_FLAT, "flat", NULL, "by process number, without the lines of the tree"},
    VIEW_OPTION_NO_CONTAINERS,
    CLI_OPTION_NO_INDEX,
    {0, NULL, NULL, NULL},
};

static const char *const tree_examples[] = {
    "tree capture.scap",
    "tree --at +500ms --dead capture.scap",
    "tree -F 'proc.name = python3' -f json capture.scap",
    NULL,
};

static const struct table_column tree_columns[] = {
    [TREE_CAPTURE] = {"capture", "CAPTURE", TABLE_STRING, IN_DATA, 0},
    [TREE_PID] = {"pid", "PID", TABLE_NUMBER, IN_ALL, 0},
    [TREE_TID] = {"tid", "TID", TABLE_NUMBER, IN_DATA, 0},
    [TREE_PPID] = {"ppid", "PPID", TABLE_NUMBER, IN_DATA, 0},
    [TREE_STARTED_BY] = {"started_by_pid", "", TABLE_NUMBER, IN_DATA, 0},
    [TREE_STARTED_BY_NAME] = {"started_by", "", TABLE_STRING, IN_DATA, 0},
    [TREE_DEPTH] = {"depth", "", TABLE_NUMBER, IN_DATA, 0},
    [TREE_ALIVE] = {"alive", "", TABLE_BOOL, IN_DATA, 0},
    [TREE_KIND] = {"kind", "", TABLE_STRING, IN_DATA, 0},
    [TREE_MATCHED] = {"matched", "", TABLE_BOOL, IN_DATA, 0},
    [TREE_USERS] = {"users", "USER", TABLE_STRING, IN_TEXT, 0},
    [TREE_UID] = {"uid", "", TABLE_NUMBER, IN_DATA, 0},
    [TREE_USER] = {"user", "", TABLE_STRING, IN_DATA, 0},
    [TREE_GID] = {"gid", "", TABLE_NUMBER, IN_DATA, 0},
    [TREE_LOGINUID] = {"loginuid", "", TABLE_NUMBER, IN_DATA, 0},
    [TREE_LOGIN_USER] = {"login_user", "", TABLE_STRING, IN_DATA, 0},
    [TREE_START] = {"start", "STARTED", TABLE_TIME, IN_ALL, 5},
    [TREE_EXEC] = {"exec", "", TABLE_TIME, IN_DATA, 0},
    [TREE_EXIT] = {"exit", "ENDED", TABLE_TIME, IN_DATA, 2},
    [TREE_EXEC_COUNT] = {"exec_count", "", TABLE_NUMBER, IN_DATA, 0},
    [TREE_STATUS] = {"status", "RESULT", TABLE_STRING, IN_DATA, 0},
    [TREE_TTY_NAME] = {"tty", "TTY", TABLE_STRING, IN_ALL, 4},
    [TREE_TTY] = {"tty_nr", "", TABLE_NUMBER, IN_DATA, 0},
    [TREE_SID] = {"sid", "SID", TABLE_NUMBER, IN_ALL, 1},
    [TREE_PGID] = {"pgid", "", TABLE_NUMBER, IN_DATA, 0},
    [TREE_VPGID] = {"vpgid", "", TABLE_NUMBER, IN_DATA, 0},
    [TREE_VPID] = {"vpid", "", TABLE_NUMBER, IN_DATA, 0},
    [TREE_CONTAINER] = {"container", "CONTAINER", TABLE_STRING, IN_ALL, 3},
    [TREE_CONTAINER_ID] = {"container_id", "", TABLE_STRING, IN_DATA, 0},
    [TREE_NAME] = {"name", "", TABLE_STRING, IN_DATA, 0},
    [TREE_EXE] = {"exe", "", TABLE_STRING, IN_DATA, 0},
    [TREE_EXEPATH] = {"exepath", "", TABLE_STRING, IN_DATA, 0},
    [TREE_CWD] = {"cwd", "", TABLE_STRING, IN_DATA, 0},
    [TREE_THREADS] = {"threads", "", TABLE_NUMBER, IN_DATA, 0},
    [TREE_CAPS_EFFECTIVE] = {"cap_effective", "", TABLE_STRING, IN_DATA, 0},
    [TREE_CAPS_PERMITTED] = {"cap_permitted", "", TABLE_STRING, IN_DATA, 0},
    [TREE_CAPS_INHERITABLE] = {"cap_inheritable", "", TABLE_STRING, IN_DATA, 0},
    [TREE_COMMAND] = {"command", "COMMAND", TABLE_STRING, IN_ALL, 0},
    [TREE_ARGS] = {"args", "", TABLE_RAW, IN_JSON, 0},
    {NULL, NULL, 0, 0, 0},
};

struct cmd {
	struct view view;
	bool threads, dead, flat;
	struct act_procs *procs;
	struct state_observer inner; /* the tracker's */
	struct cli_walk *walk;
	struct act_forest forest;
};

static int take_option(void *arg, int id, const char *value)
{
	struct cmd *o = arg;
	int rc = view_take(&o->view, id, value);

	if (rc >= 0)
		return rc;
	switch (id) {
	case OPT_THREADS:
		o->threads = true;
		return 0;
	case OPT_DEAD:
		o->dead = true;
		return 0;
	case OPT_FLAT:
		o->flat = true;
		return 0;
	default:
		return CLI_USAGE;
	}
}

/* --- following --- */

static void on_added(void *arg, const struct state *st, const struct state_thread *t,
		     const struct ev *ev)
{
	struct cmd *o = arg;

	o->inner.thread_added(o->inner.arg, st, t, ev);
}

static void on_exec(void *arg, const struct state *st, const struct state_thread *t,
		    const struct ev *ev)
{
	struct cmd *o = arg;

	o->inner.thread_exec(o->inner.arg, st, t, ev);
}

static void on_exit_of(void *arg, const struct state *st, const struct state_thread *t,
		       const struct ev *ev, int64_t status)
{
	struct cmd *o = arg;

	o->inner.thread_exit(o->inner.arg, st, t, ev, status);
}

/* The last chance to ask whether it passes the filter. */
static void on_removed(void *arg, const struct state *st, const struct state_thread *t)
{
	struct cmd *o = arg;
	struct act_proc *dead;
	bool match;

	match = o->dead && o->view.filter &&
		view_match(&o->view, o->walk, (struct state_thread *)t, NULL);
	o->inner.thread_removed(o->inner.arg, st, t);
	dead = act_procs_last_dead(o->procs);
	if (dead)
		dead->tag = match;
}

static int begin(void *arg, struct cli_walk *w, struct error *err)
{
	struct cmd *o = arg;
	struct state_observer obs = {o, on_added, on_exec, on_exit_of, on_removed};
	int rc;

	act_procs_free(o->procs);
	o->procs = NULL;
	o->walk = w;
	rc = w->chunk ? run_index_procs(w->index, w->chunk, o->dead, &o->procs, err)
		      : act_procs_new(o->dead, &o->procs, err);
	if (rc < 0)
		return rc;
	o->inner = act_procs_observer(o->procs);
	state_observe(w->state, &obs);
	return 0;
}

/* What ended can be judged by the filter only when it ends. */
static bool parts(void *arg, unsigned *out)
{
	const struct cmd *o = arg;

	*out |= 1u << RUN_PART_PROCS | (o->dead ? 1u << RUN_PART_DEAD : 0);
	return !o->dead || !o->view.filter;
}

/* --- showing --- */

static bool any_in_container(const struct act_forest *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->nodes[i].shown && act_node_identity(&f->nodes[i]).container_id.n)
			return true;
	return false;
}

/* Columns that say nothing of any process are left out of the text. */
static void choose_columns(struct cmd *o)
{
	table_show(o->view.table, TREE_CONTAINER, any_in_container(&o->forest) ? IN_ALL : IN_DATA);
	table_show(o->view.table, TREE_EXIT, o->dead ? IN_ALL : IN_DATA);
	table_show(o->view.table, TREE_STATUS, o->dead ? IN_ALL : IN_DATA);
}

static void show(void *arg, struct cli_walk *w)
{
	struct cmd *o = arg;
	const struct tree_options opt = {
	    .dead = o->dead, .threads = o->threads, .flat = o->flat, .pid = o->view.pid};
	size_t shown;
	char what[64];

	state_observe(w->state, NULL);
	if (tree_build(&o->forest, &o->view, w, o->procs, &opt) < 0) {
		view_out_of_memory(&o->view);
		return;
	}
	choose_columns(o);
	shown = tree_print(&o->forest, &o->view, w, &opt);
	snprintf(what, sizeof(what), "%zu process%s", shown, shown == 1 ? "" : "es");
	view_heading(&o->view, w, what);
	act_forest_done(&o->forest);
	if (!act_procs_stats(o->procs)->dropped)
		return;
	cli_log(CLI_WARNING, "%s: %llu processes that ended are left out: more than %u",
		o->view.path, (unsigned long long)act_procs_stats(o->procs)->dropped, ACT_DEAD_MAX);
	o->view.status = cli_worse(o->view.status, CLI_PARTIAL);
}

static void done(void *arg)
{
	struct cmd *o = arg;

	act_procs_free(o->procs);
}

int cmd_tree(int argc, char **argv)
{
	struct cmd o = {.view = {.columns = tree_columns,
				 .filter_classes = "proc thread user group container k8s",
				 .pid = -1,
				 .begin = begin,
				 .show = show,
				 .done = done,
				 .parts = parts}};
	const struct cli_parser parser = {"tree", tree_options, tree_examples, take_option, &o};

	return view_main(&o.view, &parser, argc, argv);
}
