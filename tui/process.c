/* SPDX-License-Identifier: Apache-2.0 */
/* The page of one process: what it is at T, in tabs. */
#include "tui/process.h"

#include <stdlib.h>

#include "tui/command_line.h"
#include "tui/kill.h"
#include "tui/step.h"
#include "tui/tree_model.h"

#define CHAIN_HEIGHT 6 /* lines of a body that has room for the line of ancestors */

struct process_view {
	struct tui_view base;
	struct process p;
	enum process_tab_id tab;
	struct tui_grid grids[PROCESS_TABS];
	struct tui_table *tables[PROCESS_TABS]; /* NULL: not opened yet */
	bool fresh[PROCESS_TABS];		/* as of T */
	struct tui_view *events;		/* in its tab; NULL: not opened yet */
	struct tui_step step;
	uint64_t alerts; /* that were known when tabs were filled */
};

static struct process_view *of(struct tui_view *v)
{
	return (struct process_view *)v;
}

static void close_events(struct process_view *v)
{
	if (!v->events)
		return;
	buf_done(&v->events->filter);
	v->events->ops->close(v->events);
	v->events = NULL;
}

static void close_process(struct tui_view *base)
{
	struct process_view *v = of(base);

	close_events(v);
	tui_step_end(&v->step);
	for (unsigned i = 0; i < PROCESS_TABS; i++) {
		tui_table_free(v->tables[i]);
		tui_grid_done(&v->grids[i]);
	}
	tui_known_free(v->p.known);
	free(v);
}

static int open_process(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
			struct error *err)
{
	struct process_view *v;
	int rc;

	if (!t->pid && !t->proc_key)
		return error_set(err, ERR_USAGE, "no process is meant; the tree has all of them");
	v = calloc(1, sizeof(*v));
	if (!v)
		return error_nomem(err);
	v->p = (struct process){
	    .app = app, .pid = t->pid, .key = t->proc_key, .glyphs.ascii = tui_app_is_ascii(app)};
	for (unsigned i = 0; i < PROCESS_TABS; i++)
		tui_grid_init(&v->grids[i], process_tabs[i].count);
	rc = tui_known_new(tui_app_data(app), &v->p.known, err);
	if (rc < 0)
		close_process(&v->base);
	else
		*out = &v->base;
	return rc;
}

/* --- bringing it to T --- */

/* The tab that is looked at, if it is not as of T. */
static int fill(struct process_view *v, struct error *err)
{
	const struct process_tab *tab = &process_tabs[v->tab];
	struct tui_grid *g = &v->grids[v->tab];
	int rc = 0;

	if (v->tab == PROCESS_EVENTS || v->fresh[v->tab])
		return 0;
	if (!v->tables[v->tab])
		rc = tui_table_new(v->base.app, tab->columns, tab->count, &tui_list_ops, &g->list,
				   &v->tables[v->tab], err);
	if (rc < 0)
		return rc;
	tui_grid_clear(g);
	rc = tab->fill(&v->p, g, err);
	if (rc == 0)
		rc = tui_table_refresh(v->tables[v->tab], err);
	v->fresh[v->tab] = rc == 0;
	return rc;
}

static int open_events(struct process_view *v, struct error *err)
{
	const struct tui_target t = {.pid = v->p.pid, .proc_key = v->p.key};
	int rc;

	if (v->events)
		return 0;
	rc = tui_events_ops.open(v->base.app, &t, &v->events, err);
	if (rc < 0)
		return rc;
	v->events->ops = &tui_events_ops;
	v->events->app = v->base.app;
	v->events->news = ~0u;
	return 0;
}

/* The view in the tab lives like one of its own. */
static int sync_events(struct process_view *v, struct error *err)
{
	unsigned news;
	int rc = open_events(v, err);

	if (rc < 0 || !v->events->news)
		return rc;
	news = v->events->news;
	v->events->news = 0;
	return v->events->ops->sync(v->events, news, err);
}

/* Records of the state are as of T, which moves before the view is told. */
static int to_moment(struct process_view *v, struct error *err)
{
	int rc = process_find(&v->p, err);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < PROCESS_TABS; i++)
		v->fresh[i] = false;
	return 0;
}

static int sync_process(struct tui_view *base, unsigned news, struct error *err)
{
	struct process_view *v = of(base);
	int rc = 0;

	tui_known_news(v->p.known, news);
	if (news & TUI_NEWS_CAPTURE)
		tui_step_end(&v->step);
	if (news & ~(unsigned)TUI_NEWS_PROGRESS || !v->p.m ||
	    v->alerts != tui_known_alerts(v->p.known)) {
		v->alerts = tui_known_alerts(v->p.known);
		rc = to_moment(v, err);
	}
	if (v->events)
		v->events->news |= news;
	if (rc == 0)
		rc = v->tab == PROCESS_EVENTS ? sync_events(v, err) : fill(v, err);
	return rc;
}

static bool work_process(struct tui_view *base, uint64_t deadline_ns)
{
	struct process_view *v = of(base);
	bool more = tui_step_work(&v->step, base->app, deadline_ns);
	struct tui_table *t;

	more |= tui_known_work(v->p.known, deadline_ns);
	if (!more && v->alerts != tui_known_alerts(v->p.known))
		base->news |= TUI_NEWS_PROGRESS;
	if (v->tab != PROCESS_EVENTS || !v->events)
		return more;
	if (v->events->ops->work)
		more |= v->events->ops->work(v->events, deadline_ns);
	if (v->events->news)
		base->news |= TUI_NEWS_PROGRESS;
	t = v->events->ops->table ? v->events->ops->table(v->events) : NULL;
	return (t && tui_table_work(t, deadline_ns)) || more;
}

/* --- drawing --- */

static void draw_tabs(const struct process_view *v, const struct tui_area *a)
{
	int x = 1;

	for (unsigned i = 0; i < PROCESS_TABS; i++) {
		bool here = i == (unsigned)v->tab;

		if (a->width < 60 && !here)
			continue; /* one name is what fits */
		x += tui_printf(a, 0, x, here ? TUI_ROLE_TITLE : TUI_ROLE_DIM, here ? "[%s]" : "%s",
				process_tabs[i].title) +
		     1;
	}
	if (a->width < 60)
		tui_printf(a, 0, x + 1, TUI_ROLE_DIM, "%d/%d", v->tab + 1, PROCESS_TABS);
}

static void draw_chain(const struct process_view *v, const struct tui_area *a)
{
	struct buf chain = {0}, now = {0};
	int width;

	process_state(&v->p, &now);
	process_chain(&v->p, &chain);
	width = tui_width(buf_view(&now));
	tui_put_right(a, 1, 0, a->width - 1,
		      v->p.node.t   ? TUI_ROLE_GOOD
		      : v->p.node.p ? TUI_ROLE_DIM
				    : TUI_ROLE_WARNING,
		      buf_view(&now));
	tui_put(a, 1, 1, a->width - width - 4, TUI_ROLE_NORMAL, buf_view(&chain));
	buf_done(&chain);
	buf_done(&now);
}

static struct tui_area tab_area(const struct tui_area *a)
{
	int above = a->height >= CHAIN_HEIGHT ? 2 : 1;

	return tui_area_part(a, above, 0, a->height - above, a->width);
}

static void draw_process(struct tui_view *base, const struct tui_area *a)
{
	struct process_view *v = of(base);
	struct tui_area inner = tab_area(a);

	draw_tabs(v, a);
	if (a->height >= CHAIN_HEIGHT)
		draw_chain(v, a);
	if (v->tab == PROCESS_EVENTS) {
		if (v->events)
			v->events->ops->draw(v->events, &inner);
		return;
	}
	if (!v->tables[v->tab])
		return;
	tui_table_draw(v->tables[v->tab], &inner, true);
	if (!v->grids[v->tab].count)
		tui_table_draw_why(v->tables[v->tab], &inner, process_tabs[v->tab].empty);
}

static void click_process(struct tui_view *base, const struct tui_input *in,
			  const struct tui_area *a)
{
	struct process_view *v = of(base);
	struct tui_area inner = tab_area(a);

	if (in->y < inner.y)
		return;
	if (v->tab != PROCESS_EVENTS && v->tables[v->tab])
		tui_table_click(v->tables[v->tab], in, &inner);
	else if (v->tab == PROCESS_EVENTS && v->events && v->events->ops->click)
		v->events->ops->click(v->events, in, &inner);
}

static void crumb_process(struct tui_view *base, struct buf *out)
{
	const struct process *p = &of(base)->p;

	buf_addf(out, "%s(%lld)", p->name, (long long)p->pid);
}

/* --- doing --- */

static struct tui_table *table_of_process(struct tui_view *base)
{
	struct process_view *v = of(base);

	if (v->tab != PROCESS_EVENTS)
		return v->tables[v->tab];
	return v->events && v->events->ops->table ? v->events->ops->table(v->events) : NULL;
}

static void go_to_tab(struct process_view *v, bool back)
{
	struct error err = {0};
	int rc = v->base.news ? to_moment(v, &err) : 0;

	v->tab = (v->tab + (back ? PROCESS_TABS - 1 : 1)) % PROCESS_TABS;
	if (rc == 0)
		rc = v->tab == PROCESS_EVENTS ? sync_events(v, &err) : fill(v, &err);
	if (rc < 0)
		tui_app_fail(v->base.app, &err);
}

/* Into what is under the cursor. */
static enum tui_result enter(struct process_view *v)
{
	struct tui_target t = {0};
	struct tui_row_key key;

	if (!v->tables[v->tab] || !tui_table_cursor(v->tables[v->tab], &key))
		return TUI_NOT_MINE;
	switch (v->tab) {
	case PROCESS_CHILDREN:
		t.proc_key = key.a;
		t.pid = (int64_t)key.b;
		tui_app_push(v->base.app, &tui_process_ops, &t);
		return TUI_DONE;
	case PROCESS_ALERTS:
		t.alert_id = (int64_t)key.a;
		tui_app_push(v->base.app, &tui_alert_ops, &t);
		return TUI_DONE;
	case PROCESS_FILES: /* where it came across the file */
		tui_app_goto_event(v->base.app, key.b);
		tui_app_say(v->base.app, TUI_ROLE_NORMAL, "T is where it first used the file");
		return TUI_DONE;
	case PROCESS_FDS:
		t.pid = v->p.pid;
		t.proc_key = v->p.key;
		t.fd = (int64_t)key.a;
		t.has_fd = true;
		tui_app_push(v->base.app, &tui_follow_ops, &t);
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

static void go_to_parent(struct process_view *v)
{
	const struct tui_target t = {.proc_key = v->p.parent_key, .pid = v->p.ppid};

	if (t.pid > 0 || t.proc_key)
		tui_app_push(v->base.app, &tui_process_ops, &t);
	else
		tui_app_say(v->base.app, TUI_ROLE_NOTICE, "no parent of it is known");
}

static enum tui_result act_process(struct tui_view *base, const struct tui_command *c)
{
	struct process_view *v = of(base);
	const struct tui_target t = {.pid = v->p.pid, .proc_key = v->p.key};
	struct tui_table *table = table_of_process(base);
	enum tui_result r;

	if (table && tui_table_is_asking(table))
		return TUI_NOT_MINE;
	if (c->action == TUI_DO_NEXT_PANE || c->action == TUI_DO_PREV_PANE) {
		go_to_tab(v, c->action == TUI_DO_PREV_PANE);
		return TUI_DONE;
	}
	if (v->tab == PROCESS_EVENTS && v->events && v->events->ops->act) {
		r = v->events->ops->act(v->events, c);
		if (r != TUI_NOT_MINE)
			return r;
	}
	if (tui_step_act(&v->step, base->app, c, v->p.pid))
		return TUI_DONE;
	switch (c->action) {
	case TUI_DO_ENTER:
	case TUI_DO_FOLLOW_FD:
		return c->action == TUI_DO_ENTER || v->tab == PROCESS_FDS ? enter(v) : TUI_NOT_MINE;
	case TUI_DO_PARENT:
		go_to_parent(v);
		return TUI_DONE;
	case TUI_DO_ANCESTRY:
		tui_app_push(base->app, &tui_ancestry_ops, &t);
		return TUI_DONE;
	case TUI_DO_KILL:
		return tui_kill_act(base->app, &v->p.node, c);
	default:
		return TUI_NOT_MINE;
	}
}

static int filter_process(struct tui_view *base, struct sv text, size_t *pos, struct error *err)
{
	struct process_view *v = of(base);

	if (v->tab == PROCESS_EVENTS && v->events && v->events->ops->filter)
		return v->events->ops->filter(v->events, text, pos, err);
	*pos = 0;
	return error_set(err, ERR_USAGE, "only its events can be filtered; search the other tabs");
}

static void command_process(struct tui_view *base, struct buf *out)
{
	struct process_view *v = of(base);

	if (v->tab == PROCESS_EVENTS && v->events && v->events->ops->command) {
		v->events->ops->command(v->events, out);
		return;
	}
	tui_command_at(base->app,
		       v->tab == PROCESS_FDS   ? "fds"
		       : v->tab == PROCESS_NET ? "net"
					       : "tree",
		       out);
	buf_addf(out, " --pid %lld", (long long)v->p.pid);
	if (!v->p.node.t && v->tab != PROCESS_FDS && v->tab != PROCESS_NET)
		buf_lit(out, " --dead");
	tui_command_capture(base->app, out);
}

static const uint8_t process_actions[] = {
    TUI_DO_NEXT_PANE,	    TUI_DO_ENTER,     TUI_DO_PARENT,
    TUI_DO_ANCESTRY,	    TUI_DO_FOLLOW_FD, TUI_DO_NEXT_OF_PROCESS,
    TUI_DO_PREV_OF_PROCESS, TUI_DO_PREV_PANE, TUI_NO_ACTION,
};

const struct tui_view_ops tui_process_ops = {
    .name = "process",
    .title = "Process",
    .help = "One process at T: what it is, its events, descriptors, sockets, files (from the case, "
	    "over all its life), environment, rights, children and alerts. Tab goes from one to "
	    "the next; '(' and ')' move T to its event before and after. Enter opens a child or "
	    "an alert, follows what went through a descriptor, goes to the time of a file's first "
	    "use. What lies behind T is dim.",
    .actions = process_actions,
    .open = open_process,
    .close = close_process,
    .sync = sync_process,
    .draw = draw_process,
    .act = act_process,
    .work = work_process,
    .crumb = crumb_process,
    .command = command_process,
    .click = click_process,
    .table = table_of_process,
    .filter = filter_process,
};
