/* SPDX-License-Identifier: Apache-2.0 */
/* The ancestors of a process, up to the first: each by who started it, living or not. */
#include <stdlib.h>

#include "base/map.h"
#include "engine/activity/words.h"
#include "tui/command_line.h"
#include "tui/process.h"

#define ANCESTORS_MAX STATE_CLIMB_MAX

struct ancestry_view {
	struct tui_view base;
	struct process p;
	struct tui_grid grid;
	struct tui_table *table;
	struct map dead; /* act_proc.key -> those that have ended */
	uint64_t alerts; /* that rows show */
};

static struct ancestry_view *of(struct tui_view *v)
{
	return (struct ancestry_view *)v;
}

static void close_ancestry(struct tui_view *base)
{
	struct ancestry_view *v = of(base);

	tui_table_free(v->table);
	tui_grid_done(&v->grid);
	tui_known_free(v->p.known);
	map_done(&v->dead);
	free(v);
}

static int open_ancestry(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
			 struct error *err)
{
	struct ancestry_view *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return error_nomem(err);
	v->p = (struct process){
	    .app = app, .pid = t->pid, .key = t->proc_key, .glyphs.ascii = tui_app_is_ascii(app)};
	tui_grid_init(&v->grid, PROCESS_COLUMNS);
	rc = tui_known_new(tui_app_data(app), &v->p.known, err);
	if (rc == 0)
		rc = tui_table_new(app, process_columns, PROCESS_COLUMNS, &tui_list_ops,
				   &v->grid.list, &v->table, err);
	if (rc < 0)
		close_ancestry(&v->base);
	else
		*out = &v->base;
	return rc;
}

/* Who started it; who has it now, where that is not known. False: nobody is known. */
static bool parent_of(const struct ancestry_view *v, const struct act_node *n, struct act_node *out)
{
	const struct process *p = &v->p;
	uint64_t key = n->p ? n->p->parent_key : 0;
	struct state_thread *t = key ? state_thread_find(p->m->state, n->p->ppid) : NULL;
	const struct act_proc *proc = t ? act_procs_find(p->m->procs, t->tid) : NULL;

	*out = (struct act_node){0};
	if (proc && proc->key == key)
		*out = (struct act_node){.t = t, .p = proc};
	else if (key)
		out->p = map_get(&v->dead, key);
	if (!out->p && n->t && (t = state_thread_ancestor(p->m->state, n->t, 1)) && t != n->t)
		*out = (struct act_node){.t = t, .p = act_procs_find(p->m->procs, t->tid)};
	out->pid = out->t ? act_pid(out->t) : out->p ? out->p->pid : 0;
	return out->t || out->p;
}

static int index_dead(struct ancestry_view *v, struct error *err)
{
	const struct act_proc *p;

	map_clear(&v->dead);
	for (size_t at = 0; (p = act_procs_next_dead(v->p.m->procs, &at));)
		if (map_put(&v->dead, p->key, (void *)p) < 0)
			return error_nomem(err);
	return 0;
}

static int sync_ancestry(struct tui_view *base, unsigned news, struct error *err)
{
	struct ancestry_view *v = of(base);
	struct act_node n, parent;
	int rc;

	tui_known_news(v->p.known, news);
	v->alerts = tui_known_alerts(v->p.known);
	rc = process_find(&v->p, err);
	if (rc == 0)
		rc = index_dead(v, err);
	if (rc < 0)
		return rc;
	tui_grid_clear(&v->grid);
	n = v->p.node;
	for (unsigned i = 0; i < ANCESTORS_MAX && (n.t || n.p); i++) {
		process_add_row(&v->p, &v->grid, &n);
		if (!parent_of(v, &n, &parent))
			break;
		n = parent;
	}
	rc = tui_grid_done_adding(&v->grid, err);
	return rc == 0 ? tui_table_refresh(v->table, err) : rc;
}

static bool work_ancestry(struct tui_view *base, uint64_t deadline_ns)
{
	struct ancestry_view *v = of(base);
	bool more = tui_known_work(v->p.known, deadline_ns);

	if (!more && v->alerts != tui_known_alerts(v->p.known))
		base->news |= TUI_NEWS_PROGRESS;
	return more;
}

static void draw_ancestry(struct tui_view *base, const struct tui_area *a)
{
	struct ancestry_view *v = of(base);

	tui_table_draw(v->table, a, true);
	if (!v->grid.count)
		tui_table_draw_why(v->table, a, "the process is not there at T");
}

static enum tui_result act_ancestry(struct tui_view *base, const struct tui_command *c)
{
	struct ancestry_view *v = of(base);
	struct tui_target t = {0};
	struct tui_row_key key;

	if (c->action != TUI_DO_ENTER || tui_table_is_asking(v->table) ||
	    !tui_table_cursor(v->table, &key))
		return TUI_NOT_MINE;
	t.proc_key = key.a;
	t.pid = (int64_t)key.b;
	tui_app_push(base->app, &tui_process_ops, &t);
	return TUI_DONE;
}

static void crumb_ancestry(struct tui_view *base, struct buf *out)
{
	const struct process *p = &of(base)->p;

	buf_addf(out, "Ancestors of %s(%lld)", p->name, (long long)p->pid);
}

static void command_ancestry(struct tui_view *base, struct buf *out)
{
	tui_command_at(base->app, "tree", out);
	buf_addf(out, " --dead --pid %lld", (long long)of(base)->p.pid);
	tui_command_capture(base->app, out);
}

static struct tui_table *table_of_ancestry(struct tui_view *base)
{
	return of(base)->table;
}

static const uint8_t ancestry_actions[] = {TUI_DO_ENTER, TUI_DO_SORT, TUI_DO_EXPORT, TUI_NO_ACTION};

const struct tui_view_ops tui_ancestry_ops = {
    .name = "ancestry",
    .title = "Ancestors",
    .help = "The process, who started it, who started that, and so on: also those that have ended. "
	    "Where it is not known who started one, it is followed by whose child it is now. Enter "
	    "opens the process under the cursor.",
    .actions = ancestry_actions,
    .open = open_ancestry,
    .close = close_ancestry,
    .sync = sync_ancestry,
    .draw = draw_ancestry,
    .act = act_ancestry,
    .work = work_ancestry,
    .crumb = crumb_ancestry,
    .command = command_ancestry,
    .table = table_of_ancestry,
};
