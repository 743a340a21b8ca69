/* SPDX-License-Identifier: Apache-2.0 */
/* Net: connections, listeners and conversations of the moment T, one by one or in groups. */
#include <stdlib.h>

#include "base/clock.h"
#include "tui/command_line.h"
#include "tui/filter.h"
#include "tui/net_model.h"
#include "tui/pane.h"

#define SYNC_NS 50000000ull /* of many sockets, before they are shown as far as it goes */

struct net {
	struct tui_view base;
	struct tui_net model;
	struct tui_table *sockets, *groups;
	struct buf inside; /* name of the group that is looked into */
};

static struct net *of(struct tui_view *v)
{
	return (struct net *)v;
}

static bool shows_groups(const struct net *n)
{
	return n->model.by != TUI_NET_BY_NONE && !n->model.inside;
}

static void close_net(struct tui_view *v)
{
	struct net *n = of(v);

	tui_table_free(n->sockets);
	tui_table_free(n->groups);
	tui_net_done(&n->model);
	buf_done(&n->inside);
	free(n);
}

static int open_net(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		    struct error *err)
{
	struct net *n = calloc(1, sizeof(*n));
	int rc;

	if (!n)
		return error_nomem(err);
	tui_net_init(&n->model, app, t->pid);
	rc = tui_table_new(app, tui_net_columns, TUI_NET_COLUMNS, &tui_list_ops, &n->model.list,
			   &n->sockets, err);
	if (rc == 0)
		rc = tui_table_new(app, tui_net_sum_columns, TUI_NET_SUM_COLUMNS, &tui_list_ops,
				   &n->model.groups, &n->groups, err);
	if (rc < 0)
		close_net(&n->base);
	else
		*out = &n->base;
	return rc;
}

/* --- bringing it to T */

/* Return: as tui_net_work(). */
static int go_on(struct net *n, uint64_t deadline_ns, struct error *err)
{
	int more = tui_net_work(&n->model, deadline_ns, err), rc = more < 0 ? more : 0;

	if (rc == 0)
		rc = tui_pane_update(&n->model.list, n->sockets, err);
	if (rc == 0)
		rc = tui_pane_update(&n->model.groups, n->groups, err);
	return rc < 0 ? rc : more;
}

static int sync_net(struct tui_view *v, unsigned news, struct error *err)
{
	struct net *n = of(v);
	int rc;

	if (news & TUI_NEWS_CASE)
		tui_net_forget_names(&n->model);
	if (!(news & ~(unsigned)TUI_NEWS_PROGRESS))
		return 0;
	rc = tui_net_begin(&n->model, err);
	if (rc == 0)
		rc = go_on(n, clock_ns(CLOCK_MONOTONIC) + SYNC_NS, err);
	return rc < 0 ? rc : 0;
}

static bool work_net(struct tui_view *v, uint64_t deadline_ns)
{
	struct error err = {0};
	int rc = of(v)->model.at == SIZE_MAX ? 0 : go_on(of(v), deadline_ns, &err);

	if (rc < 0)
		tui_app_fail(v->app, &err);
	return rc > 0;
}

/* --- drawing */

static const char *kinds_text(const struct tui_net *m)
{
	return m->closed ? (m->unix_sockets ? "with closed and UNIX ones" : "with closed ones")
			 : (m->unix_sockets ? "with UNIX ones" : "in use");
}

static const char *why_empty(const struct net *n)
{
	const struct tui_net *m = &n->model;

	if (m->at != SIZE_MAX || m->list.shown)
		return NULL;
	if (n->base.filter.len)
		return "no socket passes the filter; an empty filter shows all";
	return m->closed ? "no socket was used until this moment; go on in time"
			 : "no socket is in use at this moment; 'dead' (X) shows closed ones, too";
}

static void title_of(const struct net *n, struct buf *b)
{
	const struct tui_net *m = &n->model;

	if (shows_groups(n)) {
		tui_count(b, m->groups.shown);
		buf_addf(b, " groups by %s of ", tui_net_group_names[m->by]);
	}
	tui_count(b, shows_groups(n) ? m->list.count : m->list.shown);
	buf_addf(b, " sockets %s", kinds_text(m));
	if (m->inside) {
		buf_addf(b, "   %s ", tui_net_group_names[m->by]);
		buf_sv(b, buf_view(&n->inside));
	}
	if (m->from_case)
		buf_lit(b, "   as the case has them");
	if (m->pid)
		buf_addf(b, "   process %lld", (long long)m->pid);
	if (m->at != SIZE_MAX)
		buf_lit(b, "   ...");
}

static struct tui_table *table_of_net(struct tui_view *v)
{
	return shows_groups(of(v)) ? of(v)->groups : of(v)->sockets;
}

static void draw_net(struct tui_view *v, const struct tui_area *a)
{
	struct buf title = {0};

	title_of(of(v), &title);
	tui_pane_draw(table_of_net(v), a, buf_view(&title), why_empty(of(v)));
	buf_done(&title);
}

static void click_net(struct tui_view *v, const struct tui_input *in, const struct tui_area *a)
{
	tui_pane_click(table_of_net(v), in, a);
}

/* --- doing */

static void look_into(struct net *n, uint64_t group, struct sv name)
{
	struct error err = {0};

	n->model.inside = group;
	buf_reset(&n->inside);
	buf_sv(&n->inside, name);
	if (tui_pane_update(&n->model.list, n->sockets, &err) < 0)
		tui_app_fail(n->base.app, &err);
}

static void enter(struct net *n)
{
	const struct tui_net_sum *sum;
	struct tui_row_key key;
	struct buf id = {0};

	if (!tui_table_cursor(table_of_net(&n->base), &key))
		return;
	if (shows_groups(n)) {
		sum = tui_net_find_sum(&n->model, key);
		if (sum)
			look_into(n, sum->hash, sum->name);
		return;
	}
	buf_u64(&id, key.a);
	tui_app_push(n->base.app, &tui_socket_ops, &(struct tui_target){.text = buf_view(&id)});
	buf_done(&id);
}

static void follow(struct net *n)
{
	const struct act_conn *c;
	struct tui_target t = {0};
	struct tui_row_key key;

	if (shows_groups(n) || !tui_table_cursor(n->sockets, &key))
		return;
	c = tui_net_find(&n->model, key);
	if (c && tui_net_follow_target(c, &t))
		tui_app_push(n->base.app, &tui_follow_ops, &t);
	else
		tui_app_say(n->base.app, TUI_ROLE_NOTICE,
			    "the capture does not say which descriptor it had");
}

static void regroup(struct net *n, struct sv by)
{
	unsigned i = 0;

	if (!by.n) {
		i = (n->model.by + 1) % TUI_NET_GROUPINGS;
	} else {
		while (i < TUI_NET_GROUPINGS && !sv_is(by, tui_net_group_names[i]))
			i++;
		if (i == TUI_NET_GROUPINGS) {
			tui_app_say(n->base.app, TUI_ROLE_ERROR,
				    "regroup: expected remote, port, process or none");
			return;
		}
	}
	n->model.by = (enum tui_net_group)i;
	n->model.inside = 0;
	n->base.news |= TUI_NEWS_TIME;
	tui_app_say(n->base.app, TUI_ROLE_NORMAL, i ? "grouped by %s" : "one by one",
		    tui_net_group_names[i]);
}

/* In use, with closed ones, with UNIX sockets, all. */
static void show_others(struct net *n)
{
	struct tui_net *m = &n->model;

	m->closed = !m->closed;
	if (!m->closed)
		m->unix_sockets = !m->unix_sockets;
	n->base.news |= TUI_NEWS_TIME;
	tui_app_say(n->base.app, TUI_ROLE_NORMAL, "sockets %s", kinds_text(m));
}

static enum tui_result act_net(struct tui_view *v, const struct tui_command *c)
{
	struct net *n = of(v);

	switch (c->action) {
	case TUI_DO_ENTER:
		enter(n);
		return TUI_DONE;
	case TUI_DO_BACK:
		if (!n->model.inside)
			return TUI_NOT_MINE;
		look_into(n, 0, SV_NONE);
		return TUI_DONE;
	case TUI_DO_FOLLOW_FD:
		follow(n);
		return TUI_DONE;
	case TUI_DO_REGROUP:
		regroup(n, c->arg);
		return TUI_DONE;
	case TUI_DO_DEAD:
		show_others(n);
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

static int filter_net(struct tui_view *v, struct sv text, size_t *pos, struct error *err)
{
	struct tui_state_filter *f = NULL;
	int rc = tui_state_filter_new(text, ACT_SOCKET_CLASSES, &f, pos, err);

	if (rc < 0)
		return rc;
	tui_state_filter_free(of(v)->model.filter);
	of(v)->model.filter = f;
	return 0;
}

static void command_net(struct tui_view *v, struct buf *out)
{
	const struct tui_net *m = &of(v)->model;

	tui_command_at(v->app, "net", out);
	if (m->closed)
		buf_lit(out, " --all");
	if (m->unix_sockets)
		buf_lit(out, " --unix");
	if (m->pid)
		buf_addf(out, " --pid %lld", (long long)m->pid);
	tui_command_filter(v, out);
	tui_command_capture(v->app, out);
}

static void crumb_net(struct tui_view *v, struct buf *out)
{
	buf_lit(out, "Net");
	if (!of(v)->model.inside)
		return;
	buf_addf(out, " %s ", tui_app_glyph(v->app, TUI_GLYPH_CRUMB));
	buf_sv(out, buf_view(&of(v)->inside));
}

static const uint8_t net_actions[] = {
    TUI_DO_ENTER,  TUI_DO_DEAD,	     TUI_DO_REGROUP, TUI_DO_FOLLOW_FD,
    TUI_DO_FILTER, TUI_DO_FREQUENCY, TUI_NO_ACTION,
};

static const struct tui_filter_language language = {
    .word = "(fd.name icontains $ or proc.name icontains $ or proc.exepath icontains $)",
    .classes = ACT_SOCKET_CLASSES,
};

const struct tui_view_ops tui_net_ops = {
    .name = "net",
    .title = "Net",
    .help = "Listeners, connections and conversations over datagram sockets as of T: state, ends "
	    "(the arrow points to who was called), bytes, and the processes behind. Enter shows "
	    "all that is known of a socket, 'follow' what passed through it. 'dead' adds closed "
	    "ones, then UNIX sockets, then both. 'regroup' counts by remote address, port or "
	    "process; Enter looks into a group. Filters are conditions over fd., proc., user. and "
	    "container. fields; of sockets that are closed the record answers them.",
    .actions = net_actions,
    .open = open_net,
    .close = close_net,
    .sync = sync_net,
    .draw = draw_net,
    .act = act_net,
    .work = work_net,
    .crumb = crumb_net,
    .command = command_net,
    .click = click_net,
    .table = table_of_net,
    .filter = filter_net,
    .language = &language,
};
