/* SPDX-License-Identifier: Apache-2.0 */
/* What a socket is counted under, and what its peer is called. */
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
