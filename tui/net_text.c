/* SPDX-License-Identifier: Apache-2.0 */
/* What a socket is counted under, whether it passes a filter, what its peer is called. */
#include <string.h>

#include "tui/case_sql.h"
#include "tui/net_model.h"

const char *const tui_net_group_names[TUI_NET_GROUPINGS] = {"none", "remote", "port", "process"};

/* The port that says what it is about: that of who waits. */
static uint16_t service_port(const struct act_conn *c)
{
	return c->waits || c->direction == ACT_DIR_IN ? c->local.port : c->remote.port;
}

void tui_net_group_text(enum tui_net_group by, const struct act_conn *c, struct buf *out)
{
	switch (by) {
	case TUI_NET_BY_REMOTE:
		if (c->family == ACT_UNIX)
			buf_sv(out, c->path.n ? c->path : SV_LIT("(unnamed UNIX sockets)"));
		else if (c->waits || !c->remote.known)
			buf_lit(out, "(no peer)");
		else
			act_ip_text(out, c->family, &c->remote);
		break;
	case TUI_NET_BY_PORT:
		buf_str(out, act_net_proto_name(c));
		if (c->family != ACT_UNIX)
			buf_addf(out, "/%u", service_port(c));
		break;
	case TUI_NET_BY_PROCESS:
		if (c->chain_len)
			act_who_text(out, &c->chain[0]);
		else
			buf_lit(out, "(not known)");
		break;
	default:
		break;
	}
}

/* --- filters */

static struct state_fd past_fd(struct tui_state_filter *f, const struct act_conn *c)
{
	struct state_fd fd = {.num = -1};
	bool in = c->direction == ACT_DIR_IN;
	const struct act_end *client = in ? &c->remote : &c->local;
	const struct act_end *server = in ? &c->local : &c->remote;
	struct buf name = {0};

	if (c->family == ACT_UNIX) {
		fd.type = EV_FD_UNIX_SOCK;
		fd.name = tui_state_filter_keep(f, c->path);
		return fd;
	}
	if (c->waits) {
		fd.type = c->family == ACT_IPV4 ? EV_FD_IPV4_SERVSOCK : EV_FD_IPV6_SERVSOCK;
	} else {
		fd.type = c->family == ACT_IPV4 ? EV_FD_IPV4_SOCK : EV_FD_IPV6_SOCK;
		fd.flags = in ? STATE_FD_ROLE_SERVER : STATE_FD_ROLE_CLIENT;
	}
	memcpy(fd.sock.sip, client->ip, sizeof(fd.sock.sip));
	memcpy(fd.sock.dip, server->ip, sizeof(fd.sock.dip));
	fd.sock.sport = client->port;
	fd.sock.dport = server->port;
	fd.sock.l4proto = (uint8_t)c->proto;
	act_end_text(&name, c->family, client);
	if (!c->waits) {
		buf_lit(&name, "->");
		act_end_text(&name, c->family, server);
	}
	fd.name = tui_state_filter_keep(f, buf_view(&name));
	buf_done(&name);
	return fd;
}

static bool past_passes(struct tui_state_filter *f, const struct act_conn *c)
{
	struct act_proc p = {.pid = c->chain_len ? c->chain[0].pid : -1,
			     .exe = c->exe,
			     .exepath = c->exe,
			     .container = c->container,
			     .uid = c->uid,
			     .gid = EV_NO_ID,
			     .loginuid = c->loginuid};
	struct state_fd fd = past_fd(f, c);

	p.vpid = p.pid;
	if (c->chain_len)
		p.comm = c->chain[0].name;
	return tui_state_filter_passes_past(f, &p, &fd);
}

bool tui_net_passes(struct tui_state_filter *f, const struct tui_moment *m,
		    const struct act_conn *c)
{
	bool asked = false;

	if (!f)
		return true;
	for (unsigned i = 0; i < c->holder_count && i < ACT_HOLDERS_MAX; i++) {
		struct state_thread *t = state_thread_find(m->state, c->holders[i].pid);
		struct state_fd *fd = t ? state_fd_find(t, c->holders[i].fd) : NULL;

		if (!fd)
			continue;
		asked = true;
		if (tui_state_filter_passes(f, t, fd))
			return true;
	}
	return !asked && past_passes(f, c);
}

/* --- names */

static int prepare_names(struct tui_net *n)
{
	static const char sql[] =
	    "SELECT name FROM dns_addresses WHERE run_capture_id = (SELECT reading_id FROM captures"
	    " WHERE capture_id = ?1) AND address = ?3 AND first_ts <= ?2"
	    " ORDER BY last_ts DESC LIMIT 1";

	return n->names ? 0 : tui_sql_prepare(tui_app_data(n->app), sql, &n->names, NULL);
}

void tui_net_name_text(struct tui_net *n, const struct act_conn *c, struct buf *out)
{
	struct tui_data *d = tui_app_data(n->app);
	const struct tui_capture *capture = tui_data_capture(d);
	struct buf ip = {0};
	uint64_t num, ts = tui_data_time(d, &num);
	int64_t numbers[2] = {capture ? capture->capture_id : 0, (int64_t)ts};

	if (c->family == ACT_UNIX || !c->remote.known || prepare_names(n) < 0)
		return;
	act_ip_text(&ip, c->family, &c->remote);
	if (tui_sql_begin(d, n->names, numbers, COUNT_OF(numbers), NULL) == 0 &&
	    sqlite3_bind_text(n->names, 3, ip.p, (int)ip.len, SQLITE_TRANSIENT) == SQLITE_OK &&
	    tui_sql_step(d, n->names, NULL) > 0)
		buf_sv(out, tui_sql_view(n->names, 0));
	sqlite3_reset(n->names);
	buf_done(&ip);
}

void tui_net_forget_names(struct tui_net *n)
{
	sqlite3_finalize(n->names);
	n->names = NULL;
}

/* --- */

bool tui_net_follow_target(const struct act_conn *c, struct tui_target *out)
{
	*out = (struct tui_target){.num = c->first_evt};
	if (c->holder_count)
		*out = (struct tui_target){
		    .pid = c->holders[0].pid, .fd = c->holders[0].fd, .has_fd = true};
	return c->holder_count || c->first_evt;
}
