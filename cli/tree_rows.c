/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the tree: one per process, and per thread if asked for. */
#include <string.h>

#include "cli/tree.h"

struct rows { /* one printing */
	const struct act_forest *forest;
	struct view *v;
	struct cli_walk *w;
	const struct tree_options *opt;
	struct table *table;
	bool more[TREE_DRAW_DEPTH]; /* does a line go on at that depth? */
};

/* --- lines --- */

static unsigned draw_depth(const struct act_node *n)
{
	return n->depth < TREE_DRAW_DEPTH ? n->depth : TREE_DRAW_DEPTH - 1;
}

static void draw(struct rows *r, const struct act_node *n, struct buf *b)
{
	unsigned depth = draw_depth(n);
	bool later;

	if (r->opt->flat)
		return;
	for (unsigned i = 1; i < depth; i++)
		buf_str(b, !r->more[i] ? "  " : r->v->utf8 ? "│ " : "| ");
	if (depth == 0)
		return;
	later = r->forest->nodes[n->parent].last_shown != (size_t)(n - r->forest->nodes);
	r->more[depth] = later;
	if (r->v->utf8)
		buf_str(b, later ? "├─" : "└─");
	else
		buf_str(b, later ? "|-" : "`-");
}

/* --- cells --- */

static const char *kind_of(const struct act_node *n)
{
	if (act_node_is_placeholder(n))
		return "unknown";
	return act_node_is_kernel(n) ? "kernel" : "process";
}

/* The lines are ours, the command is not: it must be harmless before they meet. */
static void command_text(struct rows *r, const struct act_node *n)
{
	struct buf raw = {0}, *b = &r->v->scratch;

	buf_reset(b);
	draw(r, n, b);
	if (!n->t)
		buf_str(b, r->v->utf8 ? "† " : "+ ");
	act_node_command(&raw, n);
	cli_safe(b, buf_view(&raw));
	if (act_node_is_moved(r->forest, n)) {
		buf_lit(b, "  [started by ");
		cli_safe(b, n->p->parent_name);
		buf_addf(b, "(%lld)]", (long long)n->p->ppid);
	}
	b->failed |= raw.failed;
	buf_done(&raw);
	table_trusted(r->table, TREE_COMMAND, buf_view(b));
}

static void command_cell(struct rows *r, const struct act_node *n)
{
	struct buf *b = &r->v->scratch;

	if (r->v->format == TABLE_TEXT) {
		command_text(r, n);
		return;
	}
	buf_reset(b);
	act_node_command(b, n);
	table_string(r->table, TREE_COMMAND, buf_view(b));
	buf_reset(b);
	if (n->t)
		act_args_json(b, state_sv(n->t->args.block), n->t->args.count);
	else
		act_args_json(b, n->p->args, n->p->arg_count);
	table_raw(r->table, TREE_ARGS, buf_view(b));
}

static void user_cells(struct rows *r, const struct act_identity *id)
{
	struct buf *b = &r->v->scratch;
	size_t login;

	buf_reset(b);
	if (id->loginuid != EV_NO_ID) {
		table_u64(r->table, TREE_LOGINUID, id->loginuid);
		act_user_text(b, r->w->state, id->container, id->loginuid);
		table_string(r->table, TREE_LOGIN_USER, buf_view(b));
	}
	if (id->uid == EV_NO_ID)
		return;
	if (id->loginuid != EV_NO_ID && id->loginuid != id->uid)
		buf_str(b, r->v->utf8 ? "→" : "->");
	else
		buf_reset(b);
	login = b->len;
	act_user_text(b, r->w->state, id->container, id->uid);
	table_string(r->table, TREE_USERS, buf_view(b));
	table_string(r->table, TREE_USER, sv_drop(buf_view(b), login));
	table_u64(r->table, TREE_UID, id->uid);
	if (id->gid != EV_NO_ID)
		table_u64(r->table, TREE_GID, id->gid);
}

static void caps(struct rows *r, unsigned column, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)v);
	table_trusted(r->table, column, sv_of(text));
}

static void session_cells(struct rows *r, const struct act_identity *id)
{
	struct buf *b = &r->v->scratch;

	buf_reset(b);
	act_tty_text(b, id->tty);
	table_text(r->table, TREE_TTY_NAME, buf_view(b));
	if (id->tty)
		table_u64(r->table, TREE_TTY, id->tty);
	table_id(r->table, TREE_SID, id->sid);
	table_id(r->table, TREE_PGID, id->pgid);
	table_id(r->table, TREE_VPGID, id->vpgid);
	table_id(r->table, TREE_VPID, id->vpid);
}

static void time_cells(struct rows *r, const struct act_node *n, const struct act_identity *id)
{
	struct buf *b = &r->v->scratch;
	uint64_t start = id->start_ts ? id->start_ts : n->p ? n->p->start_ts : 0;

	if (!start && n->p && n->p->from_start && r->v->format == TABLE_TEXT)
		table_trusted(r->table, TREE_START, SV_LIT("before"));
	table_time(r->table, TREE_START, start);
	table_time(r->table, TREE_EXEC, id->exec_ts);
	table_u64(r->table, TREE_EXEC_COUNT, id->exec_count);
	if (n->t)
		return;
	table_time(r->table, TREE_EXIT, n->p->end_ts);
	buf_reset(b);
	act_status_text(b, n->p->status);
	table_text(r->table, TREE_STATUS, buf_view(b));
}

static void image_cells(struct rows *r, const struct act_identity *id)
{
	table_text(r->table, TREE_CONTAINER_ID, id->container_id);
	table_text(r->table, TREE_CONTAINER, act_container_name(r->w->state, id->container_id));
	table_text(r->table, TREE_NAME, id->comm);
	table_text(r->table, TREE_EXE, id->exe);
	table_text(r->table, TREE_EXEPATH, id->exepath);
	table_text(r->table, TREE_CWD, id->cwd);
	caps(r, TREE_CAPS_EFFECTIVE, id->cap_effective);
	caps(r, TREE_CAPS_PERMITTED, id->cap_permitted);
	caps(r, TREE_CAPS_INHERITABLE, id->cap_inheritable);
}

static void place_cells(struct rows *r, const struct act_node *n)
{
	struct table *t = r->table;

	table_i64(t, TREE_PID, n->pid);
	table_i64(t, TREE_TID, n->t ? n->t->tid : n->pid);
	if (n->parent != ACT_NO_NODE)
		table_i64(t, TREE_PPID, r->forest->nodes[n->parent].pid);
	if (n->p && n->p->ppid >= 0) {
		table_i64(t, TREE_STARTED_BY, n->p->ppid);
		table_string(t, TREE_STARTED_BY_NAME, n->p->parent_name);
	}
	table_u64(t, TREE_DEPTH, n->depth);
	table_bool(t, TREE_ALIVE, n->t != NULL);
	table_trusted(t, TREE_KIND, sv_of(kind_of(n)));
	table_bool(t, TREE_MATCHED, n->matched);
	if (n->t)
		table_u64(t, TREE_THREADS, state_thread_count(n->t));
}

static void row(struct rows *r, const struct act_node *n)
{
	struct act_identity id = act_node_identity(n);

	table_string(r->table, TREE_CAPTURE, sv_of(r->v->path));
	place_cells(r, n);
	user_cells(r, &id);
	time_cells(r, n, &id);
	session_cells(r, &id);
	image_cells(r, &id);
	command_cell(r, n);
	if (!n->t || act_node_is_placeholder(n) || !n->matched)
		table_style_row(r->table, STYLE_DIM);
	else if (r->v->filter || r->opt->pid == n->pid)
		table_style_row(r->table, STYLE_BOLD);
	table_end_row(r->table);
}

/* --- threads --- */

static void thread_row(struct rows *r, const struct act_node *n, const struct state_thread *t)
{
	const struct act_node fake = {.t = (struct state_thread *)t};
	struct act_identity id = act_identity_of_thread(t);
	struct buf *b = &r->v->scratch;
	unsigned depth = draw_depth(n);

	table_string(r->table, TREE_CAPTURE, sv_of(r->v->path));
	table_i64(r->table, TREE_PID, r->v->format == TABLE_TEXT ? t->tid : n->pid);
	table_i64(r->table, TREE_TID, t->tid);
	table_u64(r->table, TREE_DEPTH, n->depth + 1);
	table_bool(r->table, TREE_ALIVE, true);
	table_trusted(r->table, TREE_KIND, SV_LIT("thread"));
	table_bool(r->table, TREE_MATCHED, n->matched);
	user_cells(r, &id);
	time_cells(r, &fake, &id);
	session_cells(r, &id);
	image_cells(r, &id);
	buf_reset(b);
	for (unsigned i = 1; !r->opt->flat && r->v->format == TABLE_TEXT && i <= depth + 1; i++)
		buf_str(b, i > depth || !r->more[i] ? "  " : r->v->utf8 ? "│ " : "| ");
	if (r->v->format == TABLE_TEXT) {
		buf_char(b, '{');
		cli_safe(b, state_sv(t->comm));
		buf_char(b, '}');
		table_trusted(r->table, TREE_COMMAND, buf_view(b));
	}
	table_style_row(r->table, STYLE_DIM);
	table_end_row(r->table);
}

/* The main thread is the first of its group. */
static void thread_rows(struct rows *r, const struct act_node *n)
{
	if (!n->t || act_node_is_placeholder(n))
		return;
	for (const struct state_thread *t = n->t->group_next; t; t = t->group_next)
		thread_row(r, n, t);
}

size_t tree_print(const struct act_forest *f, struct view *v, struct cli_walk *w,
		  const struct tree_options *opt)
{
	struct rows r = {.forest = f, .v = v, .w = w, .opt = opt, .table = v->table};
	size_t shown = 0;

	for (size_t i = 0; i < f->count; i++) {
		const struct act_node *n = &f->nodes[f->order[i]];

		if (!n->shown || (opt->flat && !n->matched))
			continue;
		row(&r, n);
		shown++;
		if (opt->threads)
			thread_rows(&r, n);
	}
	return shown;
}
