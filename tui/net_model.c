/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/net_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/activity/words.h"
#include "engine/filter/filter.h"
#include "tui/pane.h"

#define LOOK_EVERY 1024 /* sockets between two looks at the clock */
#define BOTH_WIDTH 60	/* narrower screens show one end of each */

const struct tui_column tui_net_columns[TUI_NET_COLUMNS] = {
    [TUI_NET_COL_PROTO] = {"proto", "PROTO", 5, 100, 0, "protocol"},
    [TUI_NET_COL_STATE] = {"state", "STATE", 11, 60, 0,
			   "bound: waits for datagrams; open: datagrams went to that peer"},
    [TUI_NET_COL_LOCAL] = {"local", "LOCAL", 18, BOTH_WIDTH, 0, "address and port at this end"},
    [TUI_NET_COL_DIR] = {"dir", "", 1, BOTH_WIDTH, 0, "who began it"},
    [TUI_NET_COL_REMOTE] = {"remote", "REMOTE", 14, BOTH_WIDTH, TUI_COLUMN_REST,
			    "address and port of the peer; path of a UNIX socket"},
    [TUI_NET_COL_END] = {"end", "END", 14, BOTH_WIDTH, TUI_COLUMN_REST | TUI_COLUMN_NARROW,
			 "the peer, and who began it; · the end here, of what waits for peers"},
    [TUI_NET_COL_NAME] = {"name", "NAME", 22, 145, TUI_COLUMN_NO_SORT,
			  "what somebody had looked up when the address was the answer"},
    [TUI_NET_COL_IN] = {"in", "IN", 5, 70, TUI_COLUMN_RIGHT, "bytes received"},
    [TUI_NET_COL_OUT] = {"out", "OUT", 5, 70, TUI_COLUMN_RIGHT, "bytes sent"},
    [TUI_NET_COL_PROCESS] = {"process", "PROCESS", 15, 0, 0, "who made it"},
    [TUI_NET_COL_CHAIN] = {"chain", "STARTED BY", 28, 170, 0, "its ancestors, nearest last"},
    [TUI_NET_COL_FIRST] = {"first", "FIRST", 12, 110, 0, "when it appeared"},
    [TUI_NET_COL_LAST] = {"last", "LAST", 12, 190, 0, "when it was used last"},
    [TUI_NET_COL_USER] = {"user", "USER", 9, 120, 0, "of who made it"},
    [TUI_NET_COL_ERROR] = {"error", "ERROR", 12, 135, 0, "of the last call that failed"},
    [TUI_NET_COL_CONTAINER] = {"container", "CONTAINER", 14, 200, 0, "empty: on the host"},
};

const struct tui_column tui_net_sum_columns[TUI_NET_SUM_COLUMNS] = {
    [TUI_NET_SUM_NAME] = {"group", "GROUP", 20, 0, TUI_COLUMN_REST, "what they have in common"},
    [TUI_NET_SUM_SOCKETS] = {"sockets", "SOCKETS", 7, 0, TUI_COLUMN_RIGHT, "how many there are"},
    [TUI_NET_SUM_IN_USE] = {"in_use", "IN USE", 7, 50, TUI_COLUMN_RIGHT,
			    "those that are not closed"},
    [TUI_NET_SUM_IN] = {"in", "IN", 6, 0, TUI_COLUMN_RIGHT, "bytes received"},
    [TUI_NET_SUM_OUT] = {"out", "OUT", 6, 0, TUI_COLUMN_RIGHT, "bytes sent"},
    [TUI_NET_SUM_FIRST] = {"first", "FIRST", 12, 70, 0, "when the first one appeared"},
    [TUI_NET_SUM_LAST] = {"last", "LAST", 12, 70, 0, "when one was used last"},
};

static const struct tui_moment *moment_of(const struct tui_net *n)
{
	struct tui_data *d = tui_app_data(n->app);
	const struct tui_moment *m;
	struct error err;

	return tui_moment_is(d, n->serial) && tui_data_moment(d, &m, &err) == 0 ? m : NULL;
}

/* May rows be looked at? */
static bool is_there(const struct tui_net *n)
{
	return n->from_case || moment_of(n);
}

/* --- a socket's row */

static void state_cell(const struct act_conn *c, struct tui_rows *out)
{
	tui_rows_cell(out,
		      c->state == ACT_NET_FAILED       ? TUI_ROLE_ERROR
		      : c->state == ACT_NET_CONNECTING ? TUI_ROLE_WARNING
						       : TUI_ROLE_NORMAL,
		      sv_of(act_net_state_name(c->state)));
}

static void error_cell(const struct act_conn *c, struct tui_rows *out)
{
	const char *name = c->error ? flt_errno_name(c->error) : "";

	if (name)
		tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(name));
	else
		tui_rows_printf(out, "%d", c->error);
}

static const char *arrow_of(const struct tui_net *n, const struct act_conn *c)
{
	return c->direction == ACT_DIR_OUT  ? tui_app_glyph(n->app, TUI_GLYPH_ARROW)
	       : c->direction == ACT_DIR_IN ? tui_app_glyph(n->app, TUI_GLYPH_BACK_ARROW)
					    : "";
}

/* What it is known by where there is room for one end only. */
static const struct act_end *one_end(const struct act_conn *c)
{
	return c->waits ? &c->local : &c->remote;
}

static void end_cells(const struct tui_net *n, const struct act_conn *c, struct tui_rows *out)
{
	bool is_unix = c->family == ACT_UNIX, here = c->waits || c->direction == ACT_DIR_IN;
	const char *arrow = arrow_of(n, c);
	struct buf *b = tui_rows_begin_cell(out);

	if (!is_unix)
		act_end_text(b, c->family, &c->local);
	else if (here)
		buf_sv(b, c->path);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(arrow));
	b = tui_rows_begin_cell(out);
	if (is_unix && !here)
		buf_sv(b, c->path);
	else if (!is_unix && !c->waits)
		act_end_text(b, c->family, &c->remote);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	b = tui_rows_begin_cell(out);
	buf_addf(b, "%s ", c->waits ? tui_app_glyph(n->app, TUI_GLYPH_DOT) : *arrow ? arrow : " ");
	if (is_unix)
		buf_sv(b, c->path);
	else
		act_end_text(b, c->family, one_end(c));
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
}

static void time_cells(const struct tui_net *n, const struct act_conn *c, struct tui_rows *out)
{
	if (c->from_start && !c->first_ts)
		tui_rows_cell(out, TUI_ROLE_NORMAL, SV_LIT("before"));
	else
		tui_pane_time(n->app, out, c->first_ts, 3);
	tui_pane_time(n->app, out, c->last_ts, 3);
}

static struct tui_row_key row_key(void *arg, size_t i)
{
	return (struct tui_row_key){((const struct tui_net *)arg)->rows[i].id, 0};
}

static void row(void *arg, size_t i, struct tui_rows *out)
{
	struct tui_net *n = arg;
	const struct tui_moment *m = moment_of(n);
	const struct act_conn *c = m || n->from_case ? n->rows[i].c : NULL;
	struct buf *b;

	if (tui_rows_add(out, row_key(arg, i),
			 c && act_conn_is_over(c) ? TUI_ROLE_DIM : TUI_ROLE_NORMAL) < 0 ||
	    !c)
		return;
	tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(act_net_proto_name(c)));
	state_cell(c, out);
	end_cells(n, c, out);
	tui_net_name_text(n, c, tui_rows_begin_cell(out));
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	tui_pane_size(out, c->bytes_in);
	tui_pane_size(out, c->bytes_out);
	b = tui_rows_begin_cell(out);
	if (c->chain_len)
		act_who_text(b, &c->chain[0]);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	act_chain_text(tui_rows_begin_cell(out), c, 1);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	time_cells(n, c, out);
	b = tui_rows_begin_cell(out);
	if (m)
		act_user_text(b, m->state, NULL, c->uid);
	else if (c->uid != EV_NO_ID)
		buf_u64(b, c->uid);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	tui_rows_cell(out, TUI_ROLE_NORMAL,
		      m ? act_container_name(m->state, c->container) : c->container);
	error_cell(c, out);
}

static int by_value(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_end(const struct act_conn *a, const struct act_end *x, const struct act_conn *b,
		  const struct act_end *y)
{
	int rc = (int)a->family - (int)b->family;

	if (rc == 0)
		rc = a->family == ACT_UNIX ? sv_cmp(a->path, b->path)
					   : memcmp(x->ip, y->ip, sizeof(x->ip));
	return rc ? rc : (int)x->port - (int)y->port;
}

static int by_who(const struct act_conn *a, const struct act_conn *b, unsigned i)
{
	int rc;

	if (a->chain_len <= i || b->chain_len <= i)
		return (a->chain_len > i) - (b->chain_len > i);
	rc = sv_cmp(a->chain[i].name, b->chain[i].name);
	return rc ? rc : (a->chain[i].pid > b->chain[i].pid) - (a->chain[i].pid < b->chain[i].pid);
}

static int compare(void *arg, size_t i, size_t j, int column)
{
	const struct tui_net *n = arg;
	const struct act_conn *a, *b;

	if (!is_there(n))
		return 0; /* a sync is to come */
	a = n->rows[i].c;
	b = n->rows[j].c;
	switch (column) {
	case TUI_NET_COL_PROTO:
		return strcmp(act_net_proto_name(a), act_net_proto_name(b));
	case TUI_NET_COL_STATE:
		return (int)a->state - (int)b->state;
	case TUI_NET_COL_LOCAL:
		return by_end(a, &a->local, b, &b->local);
	case TUI_NET_COL_DIR:
		return (int)a->direction - (int)b->direction;
	case TUI_NET_COL_REMOTE:
		return by_end(a, &a->remote, b, &b->remote);
	case TUI_NET_COL_END:
		return by_end(a, one_end(a), b, one_end(b));
	case TUI_NET_COL_IN:
		return by_value(a->bytes_in, b->bytes_in);
	case TUI_NET_COL_OUT:
		return by_value(a->bytes_out, b->bytes_out);
	case TUI_NET_COL_PROCESS:
		return by_who(a, b, 0);
	case TUI_NET_COL_CHAIN:
		return by_who(a, b, 1);
	case TUI_NET_COL_FIRST:
		return by_value(a->first_ts, b->first_ts);
	case TUI_NET_COL_LAST:
		return by_value(a->last_ts, b->last_ts);
	case TUI_NET_COL_ERROR:
		return a->error - b->error;
	case TUI_NET_COL_USER:
		return by_value(a->uid, b->uid);
	default:
		return sv_cmp(a->container, b->container);
	}
}

static bool passes(void *arg, size_t i)
{
	const struct tui_net *n = arg;

	return !n->inside || n->rows[i].group == n->inside;
}

/* --- a group's row */

static struct tui_row_key sum_key(void *arg, size_t i)
{
	return (struct tui_row_key){((const struct tui_net *)arg)->sums[i].hash, 1};
}

static void sum_row(void *arg, size_t i, struct tui_rows *out)
{
	const struct tui_net *n = arg;
	const struct tui_net_sum *s = &n->sums[i];

	if (tui_rows_add(out, sum_key(arg, i), s->in_use ? TUI_ROLE_NORMAL : TUI_ROLE_DIM) < 0)
		return;
	tui_rows_cell(out, TUI_ROLE_NORMAL, s->name);
	tui_pane_number(out, s->sockets);
	tui_pane_number(out, s->in_use);
	tui_pane_size(out, s->bytes_in);
	tui_pane_size(out, s->bytes_out);
	tui_pane_time(n->app, out, s->first_ts, 3);
	tui_pane_time(n->app, out, s->last_ts, 3);
}

static int compare_sums(void *arg, size_t i, size_t j, int column)
{
	const struct tui_net_sum *a = &((const struct tui_net *)arg)->sums[i];
	const struct tui_net_sum *b = &((const struct tui_net *)arg)->sums[j];

	switch (column) {
	case TUI_NET_SUM_NAME:
		return sv_cmp(a->name, b->name);
	case TUI_NET_SUM_SOCKETS:
		return by_value(a->sockets, b->sockets);
	case TUI_NET_SUM_IN_USE:
		return by_value(a->in_use, b->in_use);
	case TUI_NET_SUM_IN:
		return by_value(a->bytes_in, b->bytes_in);
	case TUI_NET_SUM_OUT:
		return by_value(a->bytes_out, b->bytes_out);
	case TUI_NET_SUM_FIRST:
		return by_value(a->first_ts, b->first_ts);
	default:
		return by_value(a->last_ts, b->last_ts);
	}
}

/* --- all of them */

void tui_net_init(struct tui_net *n, struct tui_app *app, int64_t pid)
{
	*n = (struct tui_net){.app = app, .pid = pid, .at = SIZE_MAX};
	n->list = (struct tui_list){
	    .row = row, .key = row_key, .compare = compare, .passes = passes, .arg = n};
	n->groups =
	    (struct tui_list){.row = sum_row, .key = sum_key, .compare = compare_sums, .arg = n};
}

void tui_net_done(struct tui_net *n)
{
	tui_net_forget_names(n);
	tui_list_done(&n->list);
	tui_list_done(&n->groups);
	tui_state_filter_free(n->filter);
	smap_done(&n->by_name);
	arena_done(&n->arena);
	free(n->rows);
	free(n->sums);
}

static bool is_wanted(const struct tui_net *n, const struct act_conn *c)
{
	if (!n->closed && act_conn_is_over(c))
		return false;
	if (!n->unix_sockets && c->family == ACT_UNIX)
		return false;
	return !n->pid || act_conn_is_of(c, n->pid);
}

static struct tui_net_sum *sum_of(struct tui_net *n, struct sv name)
{
	uintptr_t i = (uintptr_t)smap_get(&n->by_name, name);
	struct tui_net_sum *s;

	if (i)
		return &n->sums[i - 1];
	if (n->groups.count == n->sum_cap) {
		size_t cap = n->sum_cap ? 2 * n->sum_cap : 64;

		s = realloc(n->sums, cap * sizeof(*s));
		if (!s)
			return NULL;
		n->sums = s;
		n->sum_cap = cap;
	}
	name = arena_sv(&n->arena, name);
	if (!name.p || smap_put(&n->by_name, name, (void *)(n->groups.count + 1)) < 0)
		return NULL;
	s = &n->sums[n->groups.count++];
	*s = (struct tui_net_sum){.name = name, .hash = hash_bytes(name.p, name.n, 0) | 1};
	return s;
}

/* Return: the group's hash, 0: no memory. */
static uint64_t add_to_group(struct tui_net *n, const struct act_conn *c)
{
	struct buf name = {0};
	struct tui_net_sum *s;

	tui_net_group_text(n->by, c, &name);
	s = name.failed ? NULL : sum_of(n, buf_view(&name));
	buf_done(&name);
	if (!s)
		return 0;
	s->sockets++;
	s->in_use += !act_conn_is_over(c);
	s->bytes_in += c->bytes_in;
	s->bytes_out += c->bytes_out;
	if (c->first_ts && (!s->first_ts || c->first_ts < s->first_ts))
		s->first_ts = c->first_ts;
	if (c->last_ts > s->last_ts)
		s->last_ts = c->last_ts;
	return s->hash;
}

static int add(struct tui_net *n, const struct act_conn *c)
{
	uint64_t group = 0;

	if (n->by != TUI_NET_BY_NONE) {
		group = add_to_group(n, c);
		if (!group)
			return ERR_NOMEM;
	}
	if (n->list.count == n->cap) {
		size_t cap = n->cap ? 2 * n->cap : 256;
		struct tui_net_row *rows = realloc(n->rows, cap * sizeof(*rows));

		if (!rows)
			return ERR_NOMEM;
		n->rows = rows;
		n->cap = cap;
	}
	n->rows[n->list.count++] = (struct tui_net_row){c, c->id, group};
	return 0;
}

/* What waits for others first, then by time, which is the order of their numbers. */
static int in_order(const void *a, const void *b)
{
	const struct act_conn *x = ((const struct tui_net_row *)a)->c;
	const struct act_conn *y = ((const struct tui_net_row *)b)->c;
	bool wx = x->state <= ACT_NET_BOUND, wy = y->state <= ACT_NET_BOUND;

	if (wx != wy)
		return wx ? -1 : 1;
	return by_value(x->id, y->id);
}

static int add_of_case(struct tui_net *n, const struct act_conn *c)
{
	return is_wanted(n, c) ? add(n, c) : 0;
}

/* All rows are there, unless @rc says that something went wrong. Return: @rc. */
static int finish(struct tui_net *n, int rc)
{
	n->at = SIZE_MAX;
	if (rc == 0 && n->list.count)
		qsort(n->rows, n->list.count, sizeof(*n->rows), in_order);
	return rc;
}

int tui_net_begin(struct tui_net *n, struct error *err)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(n->app));
	const struct tui_moment *m;
	int rc;

	n->list.count = n->groups.count = 0;
	n->serial = 0;
	n->at = SIZE_MAX;
	smap_clear(&n->by_name);
	arena_reset(&n->arena);
	n->from_case = c && !c->there;
	if (n->from_case && n->filter)
		return error_set(err, ERR_UNSUPPORTED,
				 "without its capture, sockets cannot be filtered");
	if (n->from_case)
		return finish(n, tui_net_of_case(n, add_of_case, err));
	rc = tui_data_moment(tui_app_data(n->app), &m, err);
	if (rc == 0)
		rc = tui_state_filter_at(n->filter, m, err);
	if (rc < 0)
		return rc;
	n->serial = m->serial;
	n->at = 0;
	return 0;
}

int tui_net_work(struct tui_net *n, uint64_t deadline_ns, struct error *err)
{
	const struct tui_moment *m = moment_of(n);
	const struct act_conn *c;
	unsigned looked = 0;

	if (n->at == SIZE_MAX || !m)
		return 0; /* if it is another moment, a sync is to come, which begins anew */
	while (act_net_next(m->net, &n->at, &c)) {
		if (is_wanted(n, c) && tui_state_filter_passes_conn(n->filter, c) && add(n, c) < 0)
			return error_nomem(err);
		if (++looked % LOOK_EVERY == 0 && deadline_ns &&
		    clock_ns(CLOCK_MONOTONIC) >= deadline_ns)
			return 1;
	}
	return finish(n, 0);
}

const struct act_conn *tui_net_find(struct tui_net *n, struct tui_row_key key)
{
	if (!is_there(n))
		return NULL;
	for (size_t i = 0; i < n->list.count; i++)
		if (n->rows[i].id == key.a)
			return n->rows[i].c;
	return NULL;
}

const struct tui_net_sum *tui_net_find_sum(const struct tui_net *n, struct tui_row_key key)
{
	for (size_t i = 0; i < n->groups.count; i++)
		if (n->sums[i].hash == key.a)
			return &n->sums[i];
	return NULL;
}
