/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets as the case has them, for captures that are elsewhere. */
#include <arpa/inet.h>
#include <string.h>

#include "tui/case_sql.h"
#include "tui/net_model.h"

#define SOCKETS_MAX 200000 /* of the case that are listed */

static const char sql[] =
    "SELECT connection_id, family, proto, state, direction, waits, from_start, local_ip,"
    " local_port, remote_ip, remote_port, path, bytes_in, bytes_out, first_ts, last_ts, end_ts,"
    " first_evt, attempts, error, pid, comm, exepath, uid, loginuid, container_id"
    " FROM connections WHERE run_capture_id = (SELECT reading_id FROM captures WHERE"
    " capture_id = ?1) AND (first_ts IS NULL OR first_ts <= ?2) ORDER BY connection_id LIMIT ?3";
enum {
	ID,
	FAMILY,
	PROTO,
	STATE,
	DIRECTION,
	WAITS,
	FROM_START,
	LOCAL_IP,
	LOCAL_PORT,
	REMOTE_IP,
	REMOTE_PORT,
	PATH,
	IN,
	OUT,
	FIRST,
	LAST,
	END,
	FIRST_EVT,
	ATTEMPTS,
	ERROR,
	PID,
	COMM,
	EXE,
	UID,
	LOGINUID,
	CONTAINER
};

static enum ev_l4proto proto_of(struct sv text)
{
	return sv_starts(text, SV_LIT("tcp"))	 ? EV_L4_TCP
	       : sv_starts(text, SV_LIT("udp"))	 ? EV_L4_UDP
	       : sv_starts(text, SV_LIT("icmp")) ? EV_L4_ICMP
	       : sv_starts(text, SV_LIT("raw"))	 ? EV_L4_RAW
						 : EV_L4_NA;
}

static void end_of(sqlite3_stmt *s, int ip, int port, enum act_family family, struct act_end *out)
{
	const char *text = (const char *)sqlite3_column_text(s, ip);

	out->port = (uint16_t)tui_sql_int(s, port, 0);
	out->known = text && inet_pton(family == ACT_IPV4 ? AF_INET : AF_INET6, text, out->ip) == 1;
}

/* The state that it had at @ts, as far as it can be told: its last one is what is known. */
static enum act_net_state state_at(sqlite3_stmt *s, const struct act_conn *c)
{
	struct sv text = tui_sql_view(s, STATE);
	bool udp = c->proto == EV_L4_UDP;

	if (tui_sql_int(s, END, 0) && !c->end_ts) /* it ended later */
		return c->waits ? (udp ? ACT_NET_BOUND : ACT_NET_LISTENING)
				: (udp ? ACT_NET_OPEN : ACT_NET_ESTABLISHED);
	for (int i = ACT_NET_LISTENING; i <= ACT_NET_FAILED; i++)
		if (sv_is(text, act_net_state_name((enum act_net_state)i)))
			return (enum act_net_state)i;
	return ACT_NET_CLOSED;
}

static enum act_family family_of(struct sv text)
{
	return sv_is(text, "ipv4") ? ACT_IPV4 : sv_is(text, "ipv6") ? ACT_IPV6 : ACT_UNIX;
}

/* NULL: no memory. */
static const struct act_conn *take(struct arena *arena, sqlite3_stmt *s, uint64_t ts)
{
	struct act_conn *c = arena_zalloc(arena, 1, sizeof(*c));
	struct sv direction = tui_sql_view(s, DIRECTION);
	bool failed = false;

	if (!c)
		return NULL;
	c->id = (uint64_t)sqlite3_column_int64(s, ID);
	c->family = family_of(tui_sql_view(s, FAMILY));
	c->proto = proto_of(tui_sql_view(s, PROTO));
	c->direction = sv_is(direction, "out")	? ACT_DIR_OUT
		       : sv_is(direction, "in") ? ACT_DIR_IN
						: ACT_DIR_NONE;
	c->waits = sqlite3_column_int(s, WAITS);
	c->from_start = sqlite3_column_int(s, FROM_START);
	end_of(s, LOCAL_IP, LOCAL_PORT, c->family, &c->local);
	end_of(s, REMOTE_IP, REMOTE_PORT, c->family, &c->remote);
	c->path = tui_sql_text(s, PATH, arena, &failed);
	c->bytes_in = (uint64_t)sqlite3_column_int64(s, IN);
	c->bytes_out = (uint64_t)sqlite3_column_int64(s, OUT);
	c->first_ts = (uint64_t)tui_sql_int(s, FIRST, 0);
	c->last_ts = (uint64_t)tui_sql_int(s, LAST, 0);
	c->end_ts = (uint64_t)tui_sql_int(s, END, 0);
	if (c->end_ts > ts)
		c->end_ts = 0;
	c->state = state_at(s, c);
	c->first_evt = (uint64_t)tui_sql_int(s, FIRST_EVT, 0);
	c->attempts = (uint32_t)sqlite3_column_int(s, ATTEMPTS);
	c->error = (int)tui_sql_int(s, ERROR, 0);
	c->user.pid = -1;
	c->chain[0].pid = tui_sql_int(s, PID, -1);
	c->chain[0].name = tui_sql_text(s, COMM, arena, &failed);
	c->chain_len = c->chain[0].pid >= 0;
	c->exe = tui_sql_text(s, EXE, arena, &failed);
	c->uid = (uint32_t)tui_sql_int(s, UID, EV_NO_ID);
	c->loginuid = (uint32_t)tui_sql_int(s, LOGINUID, EV_NO_ID);
	c->container = tui_sql_text(s, CONTAINER, arena, &failed);
	return failed ? NULL : c;
}

int tui_net_of_case(struct tui_net *n, int (*add)(struct tui_net *n, const struct act_conn *c),
		    struct error *err)
{
	struct tui_data *d = tui_app_data(n->app);
	const struct tui_capture *capture = tui_data_capture(d);
	uint64_t num, ts = tui_data_time(d, &num);
	const int64_t numbers[] = {capture ? capture->capture_id : 0, (int64_t)ts, SOCKETS_MAX};
	sqlite3_stmt *s = NULL;
	int rc = tui_sql_prepare(d, sql, &s, err);

	if (rc == 0)
		rc = tui_sql_begin(d, s, numbers, COUNT_OF(numbers), err);
	while (rc == 0 && (rc = tui_sql_step(d, s, err)) > 0) {
		const struct act_conn *c = take(&n->arena, s, ts);

		rc = c && add(n, c) == 0 ? 0 : error_nomem(err);
	}
	sqlite3_finalize(s);
	return rc;
}
