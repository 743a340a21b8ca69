/* SPDX-License-Identifier: Apache-2.0 */
/* scapula net: connections, listeners and conversations at a moment. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/views.h"
#include "engine/activity/net.h"

enum {
	OPT_ALL = OPT_VIEW_FIRST,
	OPT_UNIX,
};

static const struct cli_option net_options[] = {
    VIEW_OPTION_AT,
    VIEW_OPTION_FORMAT,
    {OPT_ALL, "all", NULL, "also what is closed or failed by then"},
    {OPT_UNIX, "unix", NULL, "UNIX sockets, too"},
    {OPT_PID, "pid", "N", "sockets that process N made, used last, or holds"},
    {'F', "filter", "CONDITION", "sockets that pass (fd., proc., user., container. fields)"},
    VIEW_OPTION_NO_CONTAINERS,
    CLI_OPTION_NO_INDEX,
    {0, NULL, NULL, NULL},
};

static const char *const net_examples[] = {
    "net capture.scap",
    "net --all --at +1s capture.scap",
    "net --all -F 'fd.sport = 443 and proc.name = curl' capture.scap",
    NULL,
};

enum {
	COL_CAPTURE,
	COL_ID,
	COL_PROTO,
	COL_STATE,
	COL_DIRECTION,
	COL_LOCAL,
	COL_REMOTE,
	COL_LOCAL_IP,
	COL_LOCAL_PORT,
	COL_REMOTE_IP,
	COL_REMOTE_PORT,
	COL_PATH,
	COL_IN,
	COL_OUT,
	COL_BYTES_IN,
	COL_BYTES_OUT,
	COL_FIRST,
	COL_LAST,
	COL_END,
	COL_DURATION,
	COL_DURATION_NS,
	COL_FROM_START,
	COL_LISTENER,
	COL_ATTEMPTS,
	COL_ERROR,
	COL_PID,
	COL_NAME,
	COL_EXE,
	COL_UID,
	COL_USER,
	COL_LOGINUID,
	COL_CONTAINER,
	COL_CONTAINER_ID,
	COL_USED_BY_PID,
	COL_USED_BY,
	COL_PROCESS,
	COL_ANCESTRY,
	COL_CHAIN,
	COL_ANCESTORS,
	COL_HOLDERS,
	COL_HOLDER_COUNT,
	COL_EVT,
	COL_OFFSET,
};

static const struct table_column net_columns[] = {
    [COL_CAPTURE] = {"capture", "CAPTURE", TABLE_STRING, IN_DATA, 0},
    [COL_ID] = {"id", "ID", TABLE_NUMBER, IN_DATA, 0},
    [COL_PROTO] = {"proto", "PROTO", TABLE_STRING, IN_ALL, 0},
    [COL_STATE] = {"state", "STATE", TABLE_STRING, IN_ALL, 0},
    [COL_DIRECTION] = {"direction", "DIR", TABLE_STRING, IN_ALL, 0},
    [COL_LOCAL] = {"local", "LOCAL", TABLE_STRING, IN_TEXT, 0},
    [COL_REMOTE] = {"remote", "REMOTE", TABLE_STRING, IN_TEXT, 0},
    [COL_LOCAL_IP] = {"local_ip", "", TABLE_STRING, IN_DATA, 0},
    [COL_LOCAL_PORT] = {"local_port", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_REMOTE_IP] = {"remote_ip", "", TABLE_STRING, IN_DATA, 0},
    [COL_REMOTE_PORT] = {"remote_port", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_PATH] = {"path", "", TABLE_STRING, IN_DATA, 0},
    [COL_IN] = {"in", "IN", TABLE_NUMBER, IN_TEXT, 0},
    [COL_OUT] = {"out", "OUT", TABLE_NUMBER, IN_TEXT, 0},
    [COL_BYTES_IN] = {"bytes_in", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_BYTES_OUT] = {"bytes_out", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_FIRST] = {"first", "FIRST", TABLE_TIME, IN_ALL, 2},
    [COL_LAST] = {"last", "", TABLE_TIME, IN_DATA, 0},
    [COL_END] = {"end", "", TABLE_TIME, IN_DATA, 0},
    [COL_DURATION] = {"duration", "FOR", TABLE_NUMBER, IN_TEXT, 1},
    [COL_DURATION_NS] = {"duration_ns", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_FROM_START] = {"from_start", "", TABLE_BOOL, IN_DATA, 0},
    [COL_LISTENER] = {"listener", "", TABLE_BOOL, IN_DATA, 0},
    [COL_ATTEMPTS] = {"attempts", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_ERROR] = {"error", "", TABLE_STRING, IN_DATA, 0},
    [COL_PID] = {"pid", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_NAME] = {"name", "", TABLE_STRING, IN_DATA, 0},
    [COL_EXE] = {"exepath", "", TABLE_STRING, IN_DATA, 0},
    [COL_UID] = {"uid", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_USER] = {"user", "", TABLE_STRING, IN_DATA, 0},
    [COL_LOGINUID] = {"loginuid", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_CONTAINER] = {"container", "", TABLE_STRING, IN_DATA, 0},
    [COL_CONTAINER_ID] = {"container_id", "", TABLE_STRING, IN_DATA, 0},
    [COL_USED_BY_PID] = {"used_by_pid", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_USED_BY] = {"used_by", "", TABLE_STRING, IN_DATA, 0},
    [COL_PROCESS] = {"process", "PROCESS", TABLE_STRING, IN_TEXT, 0},
    [COL_ANCESTRY] = {"ancestry", "ANCESTORS", TABLE_STRING, IN_TEXT, 0},
    [COL_CHAIN] = {"chain", "", TABLE_STRING, IN_CSV, 0},
    [COL_ANCESTORS] = {"ancestors", "", TABLE_RAW, IN_JSON, 0},
    [COL_HOLDERS] = {"holders", "", TABLE_RAW, IN_JSON, 0},
    [COL_HOLDER_COUNT] = {"holder_count", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_EVT] = {"first_evt", "", TABLE_NUMBER, IN_DATA, 0},
    [COL_OFFSET] = {"first_offset", "", TABLE_NUMBER, IN_DATA, 0},
    {NULL, NULL, 0, 0, 0},
};

struct net {
	struct view view;
	bool all;
	struct act_net_options opt;
};

static int take_option(void *arg, int id, const char *value)
{
	struct net *o = arg;
	int rc = view_take(&o->view, id, value);

	if (rc >= 0)
		return rc;
	switch (id) {
	case OPT_ALL:
		o->all = true;
		o->opt.drop_closed = false;
		return 0;
	case OPT_UNIX:
		o->opt.unix_sockets = true;
		return 0;
	default:
		return CLI_USAGE;
	}
}

/* --- which ones --- */

static bool is_shown(const struct net *o, struct act_question *q, const struct act_conn *c)
{
	if (!o->all && act_conn_is_over(c))
		return false;
	if (o->view.pid >= 0 && !act_conn_is_of(c, o->view.pid))
		return false;
	return !o->view.filter || act_conn_passes(q, c);
}

/* What waits for others first, then by time, which is the order of their numbers. */
static int compare(const void *a, const void *b)
{
	const struct act_conn *x = *(const struct act_conn *const *)a;
	const struct act_conn *y = *(const struct act_conn *const *)b;
	bool wx = x->state <= ACT_NET_BOUND, wy = y->state <= ACT_NET_BOUND;

	if (wx != wy)
		return wx ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* Return: NULL: out of memory. */
static const struct act_conn **collect(struct net *o, struct cli_walk *w, size_t *count)
{
	struct act_question q = view_question(&o->view, w);
	const struct act_conn **all, *c;
	size_t max = 0, n = 0;

	for (size_t at = 0; act_net_next(o->view.net, &at, &c);)
		max++;
	all = calloc(max + 1, sizeof(const struct act_conn *));
	*count = 0;
	if (!all)
		return NULL;
	for (size_t at = 0; act_net_next(o->view.net, &at, &c);)
		if (is_shown(o, &q, c))
			all[n++] = c;
	act_question_done(&q);
	if (q.failed) {
		free(all);
		return NULL;
	}
	if (n)
		qsort(all, n, sizeof(const struct act_conn *), compare);
	*count = n;
	return all;
}

/* --- a row --- */

static void ancestry_text(struct buf *b, const struct act_conn *c)
{
	act_chain_text(b, c, 1);
	if (!c->chain_len || c->user.pid < 0 || c->user.pid == c->chain[0].pid)
		return;
	buf_str(b, b->len ? ", used by " : "used by ");
	act_who_text(b, &c->user);
}

static void ancestors_json(struct buf *b, const struct act_conn *c)
{
	buf_char(b, '[');
	for (unsigned i = 1; i < c->chain_len; i++) {
		buf_addf(b, "%s{\"pid\":%lld,\"name\":", i > 1 ? "," : "",
			 (long long)c->chain[i].pid);
		json_string(b, c->chain[i].name);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void holders_json(struct buf *b, const struct act_conn *c)
{
	buf_char(b, '[');
	for (unsigned i = 0; i < c->holder_count && i < ACT_HOLDERS_MAX; i++)
		buf_addf(b, "%s{\"pid\":%lld,\"fd\":%lld}", i ? "," : "",
			 (long long)c->holders[i].pid, (long long)c->holders[i].fd);
	buf_char(b, ']');
}

static void ip_cell(struct net *o, unsigned ip, unsigned port, const struct act_conn *c,
		    const struct act_end *e)
{
	struct buf *b = &o->view.scratch;

	if (c->family == ACT_UNIX || !e->known)
		return;
	buf_reset(b);
	act_ip_text(b, c->family, e);
	table_string(o->view.table, ip, buf_view(b));
	if (e->port)
		table_u64(o->view.table, port, e->port);
}

static void end_cell(struct net *o, unsigned column, const struct act_conn *c,
		     const struct act_end *e)
{
	struct buf *b = &o->view.scratch;

	if (c->waits && e == &c->remote)
		return;
	buf_reset(b);
	act_end_text(b, c->family, e);
	table_string(o->view.table, column, buf_view(b));
}

static void ends(struct net *o, const struct act_conn *c)
{
	struct table *t = o->view.table;

	ip_cell(o, COL_LOCAL_IP, COL_LOCAL_PORT, c, &c->local);
	ip_cell(o, COL_REMOTE_IP, COL_REMOTE_PORT, c, &c->remote);
	table_text(t, COL_PATH, c->path);
	if (c->family != ACT_UNIX) {
		end_cell(o, COL_LOCAL, c, &c->local);
		end_cell(o, COL_REMOTE, c, &c->remote);
	} else if (c->waits || c->direction == ACT_DIR_IN) {
		table_string(t, COL_LOCAL, c->path);
	} else {
		table_string(t, COL_REMOTE, c->path);
	}
}

static uint64_t duration(const struct act_conn *c, uint64_t now)
{
	uint64_t end = c->end_ts ? c->end_ts : act_conn_is_over(c) ? c->last_ts : now;

	return c->first_ts && end > c->first_ts ? end - c->first_ts : 0;
}

static void times(struct net *o, const struct act_conn *c, uint64_t now)
{
	struct table *t = o->view.table;
	struct buf *b = &o->view.scratch;

	if (c->from_start && o->view.format == TABLE_TEXT)
		table_trusted(t, COL_FIRST, SV_LIT("before"));
	table_time(t, COL_FIRST, c->first_ts);
	table_time(t, COL_LAST, c->last_ts);
	table_time(t, COL_END, c->end_ts);
	table_bool(t, COL_FROM_START, c->from_start);
	table_bool(t, COL_LISTENER, c->waits);
	if (!c->first_ts)
		return;
	table_u64(t, COL_DURATION_NS, duration(c, now));
	buf_reset(b);
	act_duration_text(b, duration(c, now));
	table_trusted(t, COL_DURATION, buf_view(b));
}

static void traffic(struct net *o, const struct act_conn *c)
{
	struct table *t = o->view.table;
	struct buf *b = &o->view.scratch;

	table_u64(t, COL_BYTES_IN, c->bytes_in);
	table_u64(t, COL_BYTES_OUT, c->bytes_out);
	if (c->attempts)
		table_u64(t, COL_ATTEMPTS, c->attempts);
	if (c->waits)
		return;
	buf_reset(b);
	act_size_text(b, c->bytes_in);
	table_trusted(t, COL_IN, buf_view(b));
	buf_reset(b);
	act_size_text(b, c->bytes_out);
	table_trusted(t, COL_OUT, buf_view(b));
}

static void people(struct net *o, struct cli_walk *w, const struct act_conn *c)
{
	struct table *t = o->view.table;
	struct buf *b = &o->view.scratch;

	if (c->chain_len) {
		table_i64(t, COL_PID, c->chain[0].pid);
		table_string(t, COL_NAME, c->chain[0].name);
		buf_reset(b);
		act_who_text(b, &c->chain[0]);
		table_string(t, COL_PROCESS, buf_view(b));
	}
	table_text(t, COL_EXE, c->exe);
	if (c->uid != EV_NO_ID) {
		table_u64(t, COL_UID, c->uid);
		buf_reset(b);
		act_user_text(b, w->state, NULL, c->uid);
		table_string(t, COL_USER, buf_view(b));
	}
	if (c->loginuid != EV_NO_ID)
		table_u64(t, COL_LOGINUID, c->loginuid);
	if (c->container.n) {
		table_string(t, COL_CONTAINER_ID, c->container);
		table_string(t, COL_CONTAINER, act_container_name(w->state, c->container));
	}
	if (c->user.pid >= 0) {
		table_i64(t, COL_USED_BY_PID, c->user.pid);
		table_string(t, COL_USED_BY, c->user.name);
	}
	buf_reset(b);
	act_chain_text(b, c, 0);
	table_string(t, COL_CHAIN, buf_view(b));
	buf_reset(b);
	ancestry_text(b, c);
	if (b->len)
		table_string(t, COL_ANCESTRY, buf_view(b));
	buf_reset(b);
	ancestors_json(b, c);
	table_raw(t, COL_ANCESTORS, buf_view(b));
	buf_reset(b);
	holders_json(b, c);
	table_raw(t, COL_HOLDERS, buf_view(b));
	table_u64(t, COL_HOLDER_COUNT, c->holder_count);
}

static void state_cells(struct net *o, const struct act_conn *c)
{
	static const char *const directions[] = {NULL, "out", "in"};
	static const enum table_style styles[] = {
	    [ACT_NET_ESTABLISHED] = STYLE_GOOD, [ACT_NET_OPEN] = STYLE_GOOD,
	    [ACT_NET_CONNECTING] = STYLE_WARN,	[ACT_NET_CLOSED] = STYLE_DIM,
	    [ACT_NET_FAILED] = STYLE_BAD,
	};
	struct table *t = o->view.table;
	struct buf *b = &o->view.scratch;
	const char *name = c->error ? flt_errno_name(c->error) : NULL;

	table_trusted(t, COL_PROTO, sv_of(act_net_proto_name(c)));
	buf_reset(b);
	if (o->view.format == TABLE_TEXT)
		act_conn_state_text(b, c);
	else
		buf_str(b, act_net_state_name(c->state));
	table_trusted(t, COL_STATE, buf_view(b));
	table_style_cell(t, COL_STATE, styles[c->state]);
	if (directions[c->direction])
		table_trusted(t, COL_DIRECTION, sv_of(directions[c->direction]));
	if (!c->error)
		return;
	buf_reset(b);
	if (name)
		buf_str(b, name);
	else
		buf_addf(b, "%d", c->error);
	table_trusted(t, COL_ERROR, buf_view(b));
}

static void row(struct net *o, struct cli_walk *w, const struct act_conn *c)
{
	struct table *t = o->view.table;

	table_string(t, COL_CAPTURE, sv_of(o->view.path));
	table_u64(t, COL_ID, c->id);
	state_cells(o, c);
	ends(o, c);
	traffic(o, c);
	times(o, c, w->moment);
	people(o, w, c);
	if (c->first_evt) {
		table_u64(t, COL_EVT, c->first_evt);
		table_u64(t, COL_OFFSET, c->first_offset);
	}
	table_end_row(t);
}

static void show(void *arg, struct cli_walk *w)
{
	struct net *o = arg;
	const struct act_net_stats *stats;
	const struct act_conn **all;
	char what[64];
	size_t n;

	all = collect(o, w, &n);
	if (!all) {
		view_out_of_memory(&o->view);
		return;
	}
	snprintf(what, sizeof(what), "%zu socket%s%s", n, n == 1 ? "" : "s",
		 o->all ? "" : " in use");
	view_heading(&o->view, w, what);
	for (size_t i = 0; i < n; i++)
		row(o, w, all[i]);
	free(all);
	if (!n && !o->all && o->view.format == TABLE_TEXT)
		cli_log(CLI_NOTE, "%s: no socket in use then%s; --all shows closed ones, too",
			o->view.path, o->view.filter ? " passes the filter" : "");
	stats = act_net_stats(o->view.net);
	cli_log(CLI_DEBUG, "%llu sockets and conversations followed in %zu bytes",
		(unsigned long long)stats->conns, stats->memory);
	if (!stats->dropped)
		return;
	cli_log(CLI_WARNING,
		"%s: %llu sockets or conversations are left out: more than %u at a time",
		o->view.path, (unsigned long long)stats->dropped, ACT_CONNS_MAX);
	o->view.status = CLI_PARTIAL;
}

int cmd_net(int argc, char **argv)
{
	struct net o = {.opt = {.drop_closed = true},
			.view = {.columns = net_columns,
				 .filter_classes = ACT_SOCKET_CLASSES,
				 .pid = -1,
				 .show = show}};
	const struct cli_parser parser = {"net", net_options, net_examples, take_option, &o};

	o.view.sockets = &o.opt;
	return view_main(&o.view, &parser, argc, argv);
}
