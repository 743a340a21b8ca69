/* SPDX-License-Identifier: Apache-2.0 */
/* One socket: all that is known of it at T. */
#include <stdlib.h>

#include "engine/activity/words.h"
#include "engine/filter/filter.h"
#include "tui/command_line.h"
#include "tui/filter.h"
#include "tui/lines.h"
#include "tui/net_model.h"
#include "tui/pane.h"

#define NAME_WIDTH  12
#define EDGES	    3 /* columns of a table that hold no text */
#define WIDTH_FIRST 76

struct socket {
	struct tui_view base;
	struct tui_net net; /* for names, and for what only the case has */
	uint64_t id;
	struct tui_lines lines;
	struct tui_table *table;
	struct buf title, filter;
	struct tui_target follow;
	bool there, can_follow;
};

static struct socket *of(struct tui_view *v)
{
	return (struct socket *)v;
}

/* Return: 0 with @c (NULL: not there yet) and @m (NULL: as the case has it), or ERR_*. */
static int find(struct socket *s, const struct act_conn **c, const struct tui_moment **m,
		struct error *err)
{
	struct tui_data *d = tui_app_data(s->base.app);
	const struct tui_capture *capture = tui_data_capture(d);
	int rc;

	*c = NULL;
	*m = NULL;
	if (capture && !capture->there) {
		rc = tui_net_begin(&s->net, err);
		if (rc == 0)
			*c = tui_net_find(&s->net, (struct tui_row_key){s->id, 0});
		return rc;
	}
	rc = tui_data_moment(d, m, err);
	for (size_t at = 0; rc == 0 && act_net_next((*m)->net, &at, c);)
		if ((*c)->id == s->id)
			return 0;
	*c = NULL;
	return rc;
}

/* --- its lines */

static void say(struct socket *s, uint64_t pid, const char *name, struct buf *text)
{
	if (text->len)
		tui_lines_add(&s->lines, pid, TUI_ROLE_DIM, sv_of(name),
			      pid ? TUI_ROLE_LINK : TUI_ROLE_NORMAL, buf_view(text));
	s->lines.failed |= text->failed;
	buf_reset(text);
}

static void say_ends(struct socket *s, const struct act_conn *c, struct buf *b)
{
	static const char *const directions[] = {"", ", called from here", ", called from there"};

	buf_addf(b, "%s ", act_net_proto_name(c));
	act_conn_state_text(b, c);
	buf_str(b, directions[c->direction]);
	say(s, 0, "state", b);
	buf_sv(b, c->path);
	say(s, 0, "path", b);
	if (c->family == ACT_UNIX)
		return;
	act_end_text(b, c->family, &c->local);
	say(s, 0, "local", b);
	if (c->waits)
		return;
	act_end_text(b, c->family, &c->remote);
	say(s, 0, "remote", b);
	tui_net_name_text(&s->net, c, b);
	say(s, 0, "looked up", b);
}

static void say_traffic(struct socket *s, const struct act_conn *c, struct buf *b)
{
	const char *name = c->error ? flt_errno_name(c->error) : NULL;

	if (!c->waits)
		buf_addf(b, "%llu received, %llu sent", (unsigned long long)c->bytes_in,
			 (unsigned long long)c->bytes_out);
	say(s, 0, "bytes", b);
	if (c->attempts > 1)
		buf_addf(b, "%u calls to connect", c->attempts);
	say(s, 0, "attempts", b);
	if (c->error && name)
		buf_str(b, name);
	else if (c->error)
		buf_addf(b, "%d", c->error);
	say(s, 0, "error", b);
}

static void say_times(struct socket *s, const struct act_conn *c, struct buf *b)
{
	if (c->from_start)
		buf_lit(b, "before the capture began");
	else if (c->first_ts)
		tui_time_full(s->base.app, b, c->first_ts, 6);
	if (c->first_evt)
		buf_addf(b, ", event %llu", (unsigned long long)c->first_evt);
	say(s, 0, "first", b);
	if (c->last_ts)
		tui_time_full(s->base.app, b, c->last_ts, 6);
	say(s, 0, "last", b);
	if (c->end_ts)
		tui_time_full(s->base.app, b, c->end_ts, 6);
	if (c->end_ts && c->first_ts && c->end_ts > c->first_ts) {
		buf_lit(b, ", after ");
		tui_duration(b, c->end_ts - c->first_ts);
	}
	say(s, 0, "ended", b);
}

static void say_user(struct socket *s, const struct tui_moment *m, const char *name, uint32_t uid,
		     struct buf *b)
{
	if (m)
		act_user_text(b, m->state, NULL, uid);
	else if (uid != EV_NO_ID)
		buf_u64(b, uid);
	say(s, 0, name, b);
}

static void say_people(struct socket *s, const struct tui_moment *m, const struct act_conn *c,
		       struct buf *b)
{
	for (unsigned i = 0; i < c->chain_len; i++) {
		act_who_text(b, &c->chain[i]);
		say(s, (uint64_t)c->chain[i].pid, i ? "started by" : "made by", b);
	}
	buf_sv(b, c->exe);
	say(s, 0, "image", b);
	if (c->user.pid >= 0 && (!c->chain_len || c->user.pid != c->chain[0].pid)) {
		act_who_text(b, &c->user);
		say(s, (uint64_t)c->user.pid, "used by", b);
	}
	say_user(s, m, "user", c->uid, b);
	say_user(s, m, "login", c->loginuid, b);
	buf_sv(b, m ? act_container_name(m->state, c->container) : c->container);
	say(s, 0, "container", b);
}

static void say_holders(struct socket *s, const struct tui_moment *m, const struct act_conn *c,
			struct buf *b)
{
	unsigned n = c->holder_count < ACT_HOLDERS_MAX ? c->holder_count : ACT_HOLDERS_MAX;

	for (unsigned i = 0; i < n; i++) {
		const struct state_thread *t =
		    m ? state_thread_find(m->state, c->holders[i].pid) : NULL;

		buf_sv(b, t ? state_sv(t->comm) : SV_LIT("?"));
		buf_addf(b, "(%lld), descriptor %lld", (long long)c->holders[i].pid,
			 (long long)c->holders[i].fd);
		say(s, (uint64_t)c->holders[i].pid, "held by", b);
	}
	if (c->holder_count > n)
		buf_addf(b, "%u more descriptors", c->holder_count - n);
	say(s, 0, "held by", b);
}

/* The events that are about it: by who called and who was called, since which end is the local one
 * is not always known. */
static void condition_of(const struct act_conn *c, struct buf *out)
{
	bool in = c->waits || c->direction == ACT_DIR_IN;
	const struct act_end *client = in ? &c->remote : &c->local;
	const struct act_end *server = in ? &c->local : &c->remote;

	buf_reset(out);
	if (c->family == ACT_UNIX) {
		buf_lit(out, "fd.name contains ");
		tui_filter_quote(out, c->path);
		return;
	}
	buf_addf(out, "fd.sport=%u", server->port);
	if (c->waits)
		return;
	buf_lit(out, " and fd.sip=");
	act_ip_text(out, c->family, server);
	buf_addf(out, " and fd.cport=%u and fd.cip=", client->port);
	act_ip_text(out, c->family, client);
}

static int fill(struct socket *s, struct error *err)
{
	const struct act_conn *c;
	const struct tui_moment *m;
	struct buf b = {0};
	int rc = find(s, &c, &m, err);

	tui_lines_reset(&s->lines);
	s->there = s->can_follow = false;
	if (rc < 0)
		return rc;
	if (c) {
		s->there = true;
		s->can_follow = tui_net_follow_target(c, &s->follow);
		buf_reset(&s->title);
		act_socket_text(&s->title, c);
		condition_of(c, &s->filter);
		say_ends(s, c, &b);
		say_traffic(s, c, &b);
		say_times(s, c, &b);
		say_people(s, m, c, &b);
		say_holders(s, m, c, &b);
	}
	buf_done(&b);
	rc = tui_lines_end(&s->lines, err);
	return rc < 0 ? rc : tui_table_refresh(s->table, err);
}

/* --- the view */

static void close_socket(struct tui_view *v)
{
	struct socket *s = of(v);

	tui_table_free(s->table);
	tui_lines_done(&s->lines);
	tui_net_done(&s->net);
	buf_done(&s->title);
	buf_done(&s->filter);
	free(s);
}

static int open_socket(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		       struct error *err)
{
	static const struct tui_column columns[] = {
	    {"what", "WHAT", NAME_WIDTH, 0, TUI_COLUMN_NO_SORT, "what is said"},
	    {"value", "VALUE", 20, 0, TUI_COLUMN_NO_SORT | TUI_COLUMN_REST, "and how it is"},
	};
	struct socket *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return error_nomem(err);
	tui_net_init(&s->net, app, 0);
	s->net.closed = s->net.unix_sockets = true;
	tui_lines_init(&s->lines);
	s->lines.width = WIDTH_FIRST - NAME_WIDTH - EDGES;
	rc = tui_number(t->text, &s->id) ? 0 : error_set(err, ERR_USAGE, "no socket was chosen");
	if (rc == 0)
		rc = tui_table_new(app, columns, COUNT_OF(columns), &tui_list_ops, &s->lines.list,
				   &s->table, err);
	if (rc < 0)
		close_socket(&s->base);
	else
		*out = &s->base;
	return rc;
}

static int sync_socket(struct tui_view *v, unsigned news, struct error *err)
{
	if (news & TUI_NEWS_CASE)
		tui_net_forget_names(&of(v)->net);
	return fill(of(v), err);
}

static void draw_socket(struct tui_view *v, const struct tui_area *a)
{
	struct socket *s = of(v);
	int width = a->width - NAME_WIDTH - EDGES;

	if (width > 0 && width != s->lines.width) {
		s->lines.width = width;
		if (fill(s, &v->trouble) < 0)
			return;
	}
	tui_pane_draw(s->table, a, buf_view(&s->title),
		      s->there ? NULL : "it is not there yet at this moment; go on in time");
}

static void click_socket(struct tui_view *v, const struct tui_input *in, const struct tui_area *a)
{
	tui_pane_click(of(v)->table, in, a);
}

static enum tui_result act_socket(struct tui_view *v, const struct tui_command *c)
{
	struct socket *s = of(v);
	struct tui_row_key key;

	switch (c->action) {
	case TUI_DO_ENTER:
		if (!tui_table_cursor(s->table, &key) || !key.a)
			return TUI_NOT_MINE;
		tui_app_push(v->app, &tui_process_ops, &(struct tui_target){.pid = (int64_t)key.a});
		return TUI_DONE;
	case TUI_DO_EVIDENCE:
		tui_app_push(v->app, &tui_events_ops,
			     &(struct tui_target){.text = buf_view(&s->filter)});
		return TUI_DONE;
	case TUI_DO_FOLLOW_FD:
		if (s->can_follow)
			tui_app_push(v->app, &tui_follow_ops, &s->follow);
		else
			tui_app_say(v->app, TUI_ROLE_NOTICE,
				    "the capture does not say which descriptor it had");
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

static void command_socket(struct tui_view *v, struct buf *out)
{
	tui_command_at(v->app, "net --all --unix", out);
	tui_command_capture(v->app, out);
}

static void crumb_socket(struct tui_view *v, struct buf *out)
{
	buf_addf(out, "Socket %llu", (unsigned long long)of(v)->id);
}

static struct tui_table *table_of_socket(struct tui_view *v)
{
	return of(v)->table;
}

static const uint8_t socket_actions[] = {TUI_DO_ENTER, TUI_DO_FOLLOW_FD, TUI_DO_EVIDENCE,
					 TUI_DO_EXPORT, TUI_NO_ACTION};

const struct tui_view_ops tui_socket_ops = {
    .name = "socket",
    .title = "Socket",
    .help = "All that is known of one socket at T: its ends, what went through it, when, who made "
	    "it and who holds it. Enter on a process opens its page, 'follow' shows what passed, "
	    "'evidence' the events about it.",
    .actions = socket_actions,
    .open = open_socket,
    .close = close_socket,
    .sync = sync_socket,
    .draw = draw_socket,
    .act = act_socket,
    .crumb = crumb_socket,
    .command = command_socket,
    .click = click_socket,
    .table = table_of_socket,
};
