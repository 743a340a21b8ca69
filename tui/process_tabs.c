/* SPDX-License-Identifier: Apache-2.0 */
/* Tables about a process: its descriptors, sockets, files, children, alerts. */
#include <sqlite3.h>

#include "engine/activity/words.h"
#include "tui/process.h"
#include "tui/tree_model.h"

static const struct tui_column fact_columns[] = {
    {"fact", "FACT", 16, 0, TUI_COLUMN_NO_SORT, "what it is"},
    {"value", "VALUE", 40, 0, TUI_COLUMN_REST | TUI_COLUMN_NO_SORT, "as of T"},
};
static const struct tui_column env_columns[] = {
    {"name", "NAME", 20, 0, 0, "of the variable"},
    {"value", "VALUE", 40, 0, TUI_COLUMN_REST, "as of its last exec"},
};
static const struct tui_column fd_columns[] = {
    {"fd", "FD", 5, 0, TUI_COLUMN_RIGHT, "number of the descriptor"},
    {"type", "TYPE", 8, 0, 0, "what it leads to"},
    {"name", "NAME", 24, 0, TUI_COLUMN_REST | TUI_COLUMN_PATH, "path or addresses"},
    {"mode", "MODE", 4, 60, 0, "r, w: how it was opened"},
    {"by", "BY", 12, 100, 0, "who made the socket"},
    {"since", "SINCE", 12, 72, 0, "first time it was used; empty: not recorded"},
    {"in", "IN", 5, 80, TUI_COLUMN_RIGHT, "bytes received through the socket so far"},
    {"out", "OUT", 5, 80, TUI_COLUMN_RIGHT, "bytes sent through the socket so far"},
};
static const struct tui_column net_columns[] = {
    {"proto", "PROTO", 5, 0, 0, "tcp, udp, unix ..."},
    {"direction", "DIR", 3, 60, 0, "out: it began; in: the peer did"},
    {"local", "LOCAL", 21, 90, 0, "address at this end"},
    {"remote", "REMOTE", 16, 0, TUI_COLUMN_REST, "address of the peer; of a listener, its own"},
    {"state", "STATE", 11, 0, 0, "at T"},
    {"in", "IN", 5, 60, TUI_COLUMN_RIGHT, "bytes received so far"},
    {"out", "OUT", 5, 60, TUI_COLUMN_RIGHT, "bytes sent so far"},
    {"first", "FIRST", 12, 72, 0, "first time it was seen"},
    {"role", "ROLE", 6, 100, 0, "made it, used it, or holds it"},
};
static const struct tui_column file_columns[] = {
    {"path", "PATH", 24, 0, TUI_COLUMN_REST | TUI_COLUMN_PATH, "full path"},
    {"did", "DID", 8, 0, 0,
     "o open, c create, r read, w write, m rename, d delete, x execute, ! refused"},
    {"read", "READ", 5, 60, TUI_COLUMN_RIGHT, "bytes, in all its life"},
    {"written", "WRITTEN", 7, 60, TUI_COLUMN_RIGHT, "bytes, in all its life"},
    {"first", "FIRST", 12, 72, 0, "first time"},
    {"last", "LAST", 12, 100, 0, "last time"},
};
const struct tui_column process_columns[PROCESS_COLUMNS] = {
    {"pid", "PID", 7, 0, 0, "number of the process"},
    {"user", "USER", 10, 60, 0, "whose rights it has"},
    {"started", "STARTED", 12, 72, 0, "when"},
    {"state", "STATE", 12, 0, 0, "alive, or how it ended"},
    {"command", "COMMAND", 24, 0, TUI_COLUMN_REST, "name and arguments"},
    {"alerts", "ALERTS", 6, 0, 0, "the worst alert about it so far"},
};
static const struct tui_column alert_columns[] = {
    {"severity", "P", 8, 0, 0, "of the rule"},
    {"time", "TIME", 12, 0, 0, "when it was raised; dim: behind T"},
    {"rule", "RULE", 24, 0, 0, "that fired"},
    {"output", "OUTPUT", 24, 60, TUI_COLUMN_REST, "what it says"},
};

#define process_columns_SUMMARY	 fact_columns
#define process_columns_FDS	 fd_columns
#define process_columns_NET	 net_columns
#define process_columns_FILES	 file_columns
#define process_columns_ENV	 env_columns
#define process_columns_CREDS	 fact_columns
#define process_columns_CHILDREN process_columns
#define process_columns_ALERTS	 alert_columns
/* Another view shows them. */
static const struct tui_column process_columns_EVENTS[] = {{"", "", 1, 0, 0, ""}};

const struct process_tab process_tabs[PROCESS_TABS] = {
#define TAB(sym, title, fill, empty)                                                               \
	[PROCESS_##                                                                                \
	    sym] = {title, process_columns_##sym, COUNT_OF(process_columns_##sym), fill, empty},
#include "tui/process_tabs.def"
#undef TAB
};

int process_fill_events(struct process *p, struct tui_grid *g, struct error *err)
{
	(void)p;
	return tui_grid_done_adding(g, err);
}

static void time_cell(struct process *p, struct tui_grid *g, uint64_t ts)
{
	if (ts)
		tui_app_time(p->app, tui_grid_begin(g), ts, 0, 3);
	else
		(void)tui_grid_begin(g);
	tui_grid_end(g, TUI_ROLE_NORMAL);
}

static void size_cell(struct tui_grid *g, uint64_t n)
{
	act_size_text(tui_grid_begin(g), n);
	tui_grid_end(g, TUI_ROLE_NORMAL);
}

/* --- descriptors --- */

/* When the case first saw it do something to that path. */
static uint64_t first_use(sqlite3_stmt *s, int64_t process_id, struct sv path)
{
	uint64_t ts = 0;

	if (!s || !process_id || !path.n)
		return 0;
	sqlite3_reset(s);
	sqlite3_bind_int64(s, 1, process_id);
	sqlite3_bind_text(s, 2, path.p, (int)path.n, SQLITE_STATIC);
	if (tui_ask_next(s))
		ts = (uint64_t)sqlite3_column_int64(s, 0);
	return ts;
}

static void fd_row(struct process *p, struct tui_grid *g, const struct state_fd *fd,
		   sqlite3_stmt *first)
{
	const struct act_conn *c = act_net_of_fd(p->m->net, fd);
	const char *mode = state_fd_mode(fd);
	uint64_t since = c ? c->first_ts : first_use(first, p->process_id, state_sv(fd->name));
	struct buf *b;

	if (!tui_grid_add(g, (struct tui_row_key){(uint64_t)fd->num, 0}, TUI_ROLE_NORMAL))
		return;
	tui_grid_printf(g, "%lld", (long long)fd->num);
	tui_grid_str(g, c ? act_net_proto_name(c) : state_fd_typename(fd));
	tui_grid_cell(g, TUI_ROLE_NORMAL, state_sv(fd->name));
	tui_grid_str(g, mode ? mode : "");
	b = tui_grid_begin(g);
	if (c && c->chain_len && c->chain[0].pid >= 0) {
		if (c->chain[0].pid == p->pid)
			buf_lit(b, "self");
		else
			buf_sv(b, c->chain[0].name);
	}
	tui_grid_end(g, TUI_ROLE_NORMAL);
	time_cell(p, g, since <= p->ts ? since : 0);
	if (c) {
		size_cell(g, c->bytes_in);
		size_cell(g, c->bytes_out);
	}
}

int process_fill_fds(struct process *p, struct tui_grid *g, struct error *err)
{
	sqlite3_stmt *first =
	    tui_ask(tui_app_data(p->app),
		    "SELECT first_ts FROM files WHERE process_id = ?1 AND path = ?2", NULL);
	const struct state_fd *fd;

	for (size_t at = 0; p->node.t && (fd = state_fd_next(p->node.t, &at));)
		fd_row(p, g, fd, first);
	sqlite3_finalize(first);
	return tui_grid_done_adding(g, err);
}

/* --- sockets --- */

/* What it has to do with the socket; NULL: nothing. */
static const char *role_in(const struct process *p, const struct act_conn *c)
{
	const struct act_proc *proc = p->node.p;

	for (uint32_t i = 0; i < c->holder_count && i < ACT_HOLDERS_MAX; i++)
		if (c->holders[i].pid == p->pid && p->node.t)
			return c->chain_len && c->chain[0].pid == p->pid ? "made" : "holds";
	/* A number may have been another process's. */
	if (!proc || (c->last_ts && c->last_ts < proc->start_ts) ||
	    (!p->node.t && c->first_ts > proc->end_ts))
		return NULL;
	if (c->chain_len && c->chain[0].pid == p->pid)
		return "made";
	return c->user.pid == p->pid ? "used" : NULL;
}

static void end_cell(struct tui_grid *g, const struct act_conn *c, const struct act_end *e)
{
	struct buf *b = tui_grid_begin(g);

	if (c->family == ACT_UNIX)
		buf_sv(b, c->path);
	else
		act_end_text(b, c->family, e);
	tui_grid_end(g, TUI_ROLE_NORMAL);
}

static void net_row(struct process *p, struct tui_grid *g, const struct act_conn *c,
		    const char *role)
{
	bool over = c->state == ACT_NET_CLOSED || c->state == ACT_NET_FAILED;

	if (!tui_grid_add(g, (struct tui_row_key){c->id, 1}, over ? TUI_ROLE_DIM : TUI_ROLE_NORMAL))
		return;
	tui_grid_str(g, act_net_proto_name(c));
	tui_grid_str(g, c->direction == ACT_DIR_OUT  ? "out"
			: c->direction == ACT_DIR_IN ? "in"
						     : "");
	end_cell(g, c, &c->local);
	end_cell(g, c, c->waits ? &c->local : &c->remote);
	tui_grid_str(g, act_net_state_name(c->state));
	size_cell(g, c->bytes_in);
	size_cell(g, c->bytes_out);
	time_cell(p, g, c->first_ts);
	tui_grid_str(g, role);
}

int process_fill_net(struct process *p, struct tui_grid *g, struct error *err)
{
	const struct act_conn *c;
	const char *role;

	for (size_t at = 0; act_net_next(p->m->net, &at, &c);)
		if ((role = role_in(p, c)) != NULL)
			net_row(p, g, c, role);
	return tui_grid_done_adding(g, err);
}

/* --- files --- */

static void add_deeds(struct buf *b, sqlite3_stmt *s)
{
	static const char letters[] = "ocrwmdx!"; /* columns 1 to 8 */

	for (int i = 0; letters[i]; i++)
		if (sqlite3_column_int64(s, i + 1) > 0)
			buf_char(b, letters[i]);
}

int process_fill_files(struct process *p, struct tui_grid *g, struct error *err)
{
	static const char sql[] = "SELECT path, opens, creates, reads, writes, renames, deletes,"
				  " execs, refused, bytes_read, bytes_written, first_ts, last_ts,"
				  " first_evt FROM files WHERE process_id = ?1"
				  " ORDER BY first_ts, path LIMIT ?2";
	sqlite3_stmt *s = p->process_id ? tui_ask(tui_app_data(p->app), sql, err) : NULL;
	uint64_t n = 0;

	sqlite3_bind_int64(s, 1, p->process_id);
	sqlite3_bind_int64(s, 2, PROCESS_FILES_MAX);
	while (tui_ask_next(s)) {
		uint64_t first = (uint64_t)sqlite3_column_int64(s, 11);
		uint64_t evt = (uint64_t)sqlite3_column_int64(s, 13);

		if (!tui_grid_add(g, (struct tui_row_key){++n, evt},
				  first > p->ts ? TUI_ROLE_DIM : TUI_ROLE_NORMAL))
			break;
		tui_grid_cell(g, TUI_ROLE_NORMAL, tui_ask_text(s, 0));
		add_deeds(tui_grid_begin(g), s);
		tui_grid_end(g, TUI_ROLE_NORMAL);
		size_cell(g, (uint64_t)sqlite3_column_int64(s, 9));
		size_cell(g, (uint64_t)sqlite3_column_int64(s, 10));
		time_cell(p, g, first);
		time_cell(p, g, (uint64_t)sqlite3_column_int64(s, 12));
	}
	sqlite3_finalize(s);
	return tui_grid_done_adding(g, err);
}

/* --- children --- */

void process_add_row(struct process *p, struct tui_grid *g, const struct act_node *n)
{
	struct act_identity id = act_node_identity(n);
	uint64_t start = n->p && n->p->start_ts ? n->p->start_ts : id.start_ts;
	int worst = tui_known_worst_of(p->known, n, p->ts);
	struct buf *b;

	if (!tui_grid_add(g, (struct tui_row_key){n->p ? n->p->key : 0, (uint64_t)n->pid},
			  n->t ? TUI_ROLE_NORMAL : TUI_ROLE_DIM))
		return;
	tui_grid_printf(g, "%lld", (long long)n->pid);
	tui_tree_user(tui_grid_begin(g), &p->glyphs, p->m->state, &id);
	tui_grid_end(g, TUI_ROLE_NORMAL);
	time_cell(p, g, start);
	b = tui_grid_begin(g);
	if (n->t) {
		buf_lit(b, "alive");
	} else {
		buf_str(b, tui_glyph(&p->glyphs, TUI_GLYPH_DEAD));
		act_status_text(b, n->p->status);
	}
	tui_grid_end(g, TUI_ROLE_NORMAL);
	act_node_command(tui_grid_begin(g), n);
	tui_grid_end(g, TUI_ROLE_NORMAL);
	tui_grid_cell(g, worst < 0 ? TUI_ROLE_NORMAL : tui_severity_role(worst),
		      worst < 0 ? SV_NONE : sv_of(tui_severity_glyph(worst)));
}

/* It started them, or they have become its children. */
static bool is_child(const struct process *p, struct state_thread *t, const struct act_proc *proc)
{
	const struct state_thread *parent;

	if (p->key && proc && proc->parent_key == p->key)
		return true;
	if (!t || !p->node.t)
		return false;
	parent = state_thread_ancestor(p->m->state, t, 1);
	return parent == p->node.t && parent != t;
}

int process_fill_children(struct process *p, struct tui_grid *g, struct error *err)
{
	struct act_node n = {0};

	for (size_t at = 0; (n.p = act_procs_next_dead(p->m->procs, &at));) {
		n.pid = n.p->pid;
		if (n.p->end_ts && is_child(p, NULL, n.p))
			process_add_row(p, g, &n);
	}
	for (size_t at = 0; (n.t = state_thread_next(p->m->state, &at));) {
		if (!state_thread_is_main(n.t))
			continue;
		n.p = act_procs_find(p->m->procs, n.t->tid);
		n.pid = act_pid(n.t);
		if (is_child(p, n.t, n.p))
			process_add_row(p, g, &n);
	}
	return tui_grid_done_adding(g, err);
}

/* --- alerts --- */

static void alert_row(struct process *p, struct tui_grid *g, const struct qry_listed *a)
{
	if (!tui_grid_add(g, (struct tui_row_key){(uint64_t)a->place.alert_id, a->evt_num},
			  a->evt_num > p->num ? TUI_ROLE_DIM : TUI_ROLE_NORMAL))
		return;
	tui_grid_cell(g, a->evt_num > p->num ? TUI_ROLE_DIM : tui_severity_role(a->severity),
		      sv_of(tui_severity(a->severity)));
	time_cell(p, g, (uint64_t)a->place.ts);
	tui_grid_str(g, a->rule ? a->rule : "");
	tui_grid_str(g, a->output ? a->output : "");
}

int process_fill_alerts(struct process *p, struct tui_grid *g, struct error *err)
{
	const struct qry_alert_filter f = {.process_id = p->process_id};
	struct qry_browse *browse = tui_data_alerts(tui_app_data(p->app));
	struct qry_place after = {0};
	struct qry_page page = {.count = QRY_PAGE_MAX};
	int rc = 0;

	while (p->process_id && rc == 0 && page.count == QRY_PAGE_MAX &&
	       g->count < PROCESS_ALERTS_MAX) {
		rc = qry_browse_page(browse, &f, &after, false, QRY_PAGE_MAX, &page, err);
		for (size_t i = 0; rc == 0 && i < page.count; i++) {
			alert_row(p, g, &page.alerts[i]);
			after = page.alerts[i].place;
		}
	}
	return rc < 0 ? rc : tui_grid_done_adding(g, err);
}
