/* SPDX-License-Identifier: Apache-2.0 */
/* What a process is: facts and their values, two columns. */
#include <sqlite3.h>
#include <stdio.h>

#include "engine/activity/words.h"
#include "engine/filter/filter.h"
#include "tui/process.h"
#include "tui/tree_model.h"

#define CHAIN_MAX 12 /* ancestors that are named */

struct facts {
	struct process *p;
	struct tui_grid *g;
	uint64_t next; /* key of the next row */
};

static struct buf *begin(struct facts *f, const char *name)
{
	(void)tui_grid_add(f->g, (struct tui_row_key){++f->next, 0}, TUI_ROLE_NORMAL);
	tui_grid_cell(f->g, TUI_ROLE_DIM, sv_of(name));
	return tui_grid_begin(f->g);
}

static void end(struct facts *f)
{
	tui_grid_end(f->g, TUI_ROLE_NORMAL);
}

static void fact(struct facts *f, const char *name, struct sv value)
{
	if (!value.n)
		return;
	buf_sv(begin(f, name), value);
	end(f);
}

static void fact_time(struct facts *f, const char *name, uint64_t ts, const char *otherwise)
{
	struct buf *b = begin(f, name);

	if (ts)
		tui_time_full(f->p->app, b, ts, 6);
	else
		buf_str(b, otherwise);
	end(f);
}

static void fact_user(struct facts *f, const char *name, uint32_t uid)
{
	struct buf *b;

	if (uid == EV_NO_ID)
		return;
	b = begin(f, name);
	buf_u64(b, uid);
	buf_char(b, ' ');
	act_user_text(b, f->p->m->state, f->p->id.container, uid);
	end(f);
}

/* --- finding it --- */

const struct act_proc *process_find_dead(const struct act_procs *procs, int64_t pid, uint64_t key)
{
	const struct act_proc *p, *found = NULL;

	for (size_t at = 0; (p = act_procs_next_dead(procs, &at));)
		if (key ? p->key == key : p->pid == pid && p->end_ts)
			found = p;
	return found;
}

static void find(struct process *p)
{
	struct state_thread *t = state_thread_find(p->m->state, p->pid);
	const struct act_proc *proc = t ? act_procs_find(p->m->procs, t->tid) : NULL;

	p->node = (struct act_node){.pid = p->pid};
	p->id = (struct act_identity){0};
	if (t && (!p->key || (proc && proc->key == p->key))) {
		p->node.t = t;
		p->node.p = proc;
	} else {
		p->node.p = process_find_dead(p->m->procs, p->pid, p->key);
	}
	if (p->node.p) {
		p->key = p->node.p->key;
		p->pid = p->node.p->pid;
		p->process_id = tui_known_id(p->known, p->pid, p->node.p);
	} else if (!p->process_id) {
		p->process_id = tui_known_id(p->known, p->pid, NULL);
	}
	p->ppid = p->node.p ? p->node.p->ppid : -1;
	p->parent_key = p->node.p ? p->node.p->parent_key : 0;
	if (!p->node.t && !p->node.p)
		return;
	p->id = act_node_identity(&p->node);
	snprintf(p->name, sizeof(p->name), "%.*s", (int)p->id.comm.n, p->id.comm.p);
}

int process_find(struct process *p, struct error *err)
{
	int rc = tui_data_moment(tui_app_data(p->app), &p->m, err);

	if (rc < 0)
		return rc;
	p->ts = tui_data_time(tui_app_data(p->app), &p->num);
	find(p);
	return 0;
}

/* --- where it comes from --- */

void process_chain(const struct process *p, struct buf *out)
{
	const struct state_thread *chain[CHAIN_MAX];
	const struct state_thread *t = p->node.t;
	size_t n = 0;

	if (!t && p->node.p && p->node.p->ppid >= 0) {
		buf_sv(out, p->node.p->parent_name);
		buf_addf(out, "(%lld)>", (long long)p->node.p->ppid);
	}
	for (unsigned i = 1; t && n < CHAIN_MAX; i++) {
		const struct state_thread *a = state_thread_ancestor(p->m->state, t, i);

		if (!a || a == t || (n && a == chain[n - 1]))
			break;
		chain[n++] = a;
	}
	if (n == CHAIN_MAX)
		buf_addf(out, "%s>", tui_glyph(&p->glyphs, TUI_GLYPH_ELLIPSIS));
	while (n--) {
		buf_sv(out, state_sv(chain[n]->comm));
		buf_addf(out, "(%lld)>", (long long)act_pid(chain[n]));
	}
	buf_sv(out, p->id.comm);
	buf_addf(out, "(%lld)", (long long)p->pid);
}

void process_state(const struct process *p, struct buf *out)
{
	const struct act_proc *proc = p->node.p;
	uint64_t start = p->id.start_ts ? p->id.start_ts : proc ? proc->start_ts : 0;

	if (p->node.t) {
		buf_lit(out, "alive");
		if (start && start <= p->ts) {
			buf_char(out, ' ');
			tui_duration(out, p->ts - start);
		}
	} else if (proc) {
		buf_addf(out, "%s ended ", tui_glyph(&p->glyphs, TUI_GLYPH_DEAD));
		tui_duration(out, p->ts > proc->end_ts ? p->ts - proc->end_ts : 0);
		buf_lit(out, " before T");
		if (proc->status >= 0)
			buf_lit(out, ": ");
		act_status_text(out, proc->status);
	} else {
		buf_lit(out, "not there at T");
	}
}

/* --- the summary --- */

static void add_command(struct facts *f)
{
	act_node_command(begin(f, "command"), &f->p->node);
	end(f);
	fact(f, "name", f->p->id.comm);
	fact(f, "program", f->p->id.exepath);
	fact(f, "cwd", f->p->id.cwd);
}

static void add_life(struct facts *f)
{
	const struct act_proc *p = f->p->node.p;
	uint64_t start = f->p->id.start_ts ? f->p->id.start_ts : p ? p->start_ts : 0;
	struct buf *b;

	fact_time(f, "started", start, "before the capture");
	if (p && p->from_start && start)
		fact(f, "", SV_LIT("(as its list of processes says: before the capture)"));
	if (f->p->id.exec_ts)
		fact_time(f, "last exec", f->p->id.exec_ts, "");
	if (p && !f->p->node.t) { /* of the living, the last thread that ended */
		fact_time(f, "ended", p->end_ts, "");
		b = begin(f, "result");
		act_status_text(b, p->status);
		if (p->status < 0)
			buf_lit(b, "not recorded");
		end(f);
	}
	if (p && p->ppid >= 0) {
		b = begin(f, "started by");
		buf_sv(b, p->parent_name);
		buf_addf(b, " (%lld)", (long long)p->ppid);
		end(f);
	}
}

/* The path of its first cgroup that is not the root. */
static struct sv cgroup_of(const struct state_thread *t)
{
	struct sv item;

	for (size_t at = 0; state_list_next(&t->cgroups, &at, &item);) {
		const char *path = memchr(item.p, '=', item.n);

		if (path && item.n - (size_t)(path - item.p) > 2)
			return item;
	}
	return SV_NONE;
}

static void add_place(struct facts *f)
{
	const struct act_identity *id = &f->p->id;
	const struct state_thread *t = f->p->node.t;
	struct sv container = act_container_name(f->p->m->state, id->container_id);
	struct buf *b = begin(f, "container");

	if (id->container_id.n)
		buf_sv(b, container);
	else
		buf_lit(b, "none: the host");
	if (id->container_id.n && !sv_eq(container, id->container_id)) {
		buf_lit(b, " (");
		buf_sv(b, id->container_id);
		buf_char(b, ')');
	}
	end(f);
	b = begin(f, "session");
	buf_addf(b, "sid %lld   pgid %lld   tty ", (long long)id->sid, (long long)id->pgid);
	if (id->tty)
		act_tty_text(b, id->tty);
	else
		buf_lit(b, "none");
	if (id->vpid > 0 && id->vpid != f->p->pid)
		buf_addf(b, "   pid in its namespace %lld", (long long)id->vpid);
	end(f);
	if (t)
		fact(f, "cgroup", cgroup_of(t));
}

static void add_size(struct facts *f)
{
	const struct state_thread *t = f->p->node.t;
	struct buf *b;

	if (!t)
		return;
	b = begin(f, "threads");
	buf_u64(b, state_thread_count(t));
	buf_lit(b, "   descriptors ");
	buf_u64(b, state_fd_count(t));
	if (t->vmrss_kb) {
		buf_lit(b, "   memory ");
		act_size_text(b, (uint64_t)t->vmrss_kb * 1024);
	}
	end(f);
}

/* Sums over its rows of the case: of its whole life, also behind T. */
static void add_totals(struct facts *f)
{
	static const char sql[] =
	    "SELECT count(*), ifnull(sum(bytes_read), 0), ifnull(sum(bytes_written), 0),"
	    " (SELECT count(*) FROM connections WHERE process_id = ?1 AND NOT waits),"
	    " (SELECT count(*) FROM alerts WHERE process_id = ?1)"
	    " FROM files WHERE process_id = ?1";
	sqlite3_stmt *s;
	struct buf *b;

	if (!f->p->process_id)
		return;
	s = tui_ask(tui_app_data(f->p->app), sql, NULL);
	sqlite3_bind_int64(s, 1, f->p->process_id);
	if (tui_ask_next(s)) {
		b = begin(f, "in all its life");
		buf_addf(b, "files %lld   read ", (long long)sqlite3_column_int64(s, 0));
		act_size_text(b, (uint64_t)sqlite3_column_int64(s, 1));
		buf_lit(b, "   written ");
		act_size_text(b, (uint64_t)sqlite3_column_int64(s, 2));
		buf_addf(b, "   connections %lld   alerts %lld",
			 (long long)sqlite3_column_int64(s, 3),
			 (long long)sqlite3_column_int64(s, 4));
		end(f);
	}
	sqlite3_finalize(s);
}

static void add_images(struct facts *f)
{
	const struct tui_image *images;
	size_t n;

	if (!tui_tree_has_images(&f->p->node))
		return;
	n = tui_known_images(f->p->known, f->p->pid, f->p->node.p, f->p->num, &images);
	for (size_t i = 0; i < n; i++) {
		struct buf *b = begin(f, i ? "" : "images");

		if (images[i].ts)
			tui_app_time(f->p->app, b, images[i].ts, 0, 3);
		buf_lit(b, "  ");
		buf_sv(b, images[i].cmdline.n ? images[i].cmdline : images[i].comm);
		end(f);
	}
}

/* It is not there at T: what the case has. */
static void add_of_case(struct facts *f)
{
	static const char sql[] = "SELECT cmdline, comm, exepath, cwd, start_ts, end_ts"
				  " FROM processes WHERE process_id = ?1";
	sqlite3_stmt *s;

	if (!f->p->process_id)
		return;
	s = tui_ask(tui_app_data(f->p->app), sql, NULL);
	sqlite3_bind_int64(s, 1, f->p->process_id);
	if (tui_ask_next(s)) {
		fact(f, "first command", tui_ask_text(s, 0));
		fact(f, "name", tui_ask_text(s, 1));
		fact(f, "program", tui_ask_text(s, 2));
		fact(f, "cwd", tui_ask_text(s, 3));
		fact_time(f, "starts", (uint64_t)sqlite3_column_int64(s, 4), "before the capture");
		fact_time(f, "ends", (uint64_t)sqlite3_column_int64(s, 5), "after the capture");
	}
	sqlite3_finalize(s);
}

int process_fill_summary(struct process *p, struct tui_grid *g, struct error *err)
{
	struct facts f = {.p = p, .g = g};

	if (p->node.t || p->node.p) {
		add_command(&f);
		add_life(&f);
		fact_user(&f, "uid", p->id.uid);
		fact_user(&f, "loginuid", p->id.loginuid);
		add_place(&f);
		add_size(&f);
		add_images(&f);
	} else {
		add_of_case(&f);
	}
	add_totals(&f);
	return tui_grid_done_adding(g, err);
}

/* --- rights --- */

static void add_capabilities(struct facts *f, const char *name, uint64_t bits)
{
	struct buf *b = begin(f, name);
	unsigned n = 0;

	for (unsigned i = 0; i < 64; i++)
		n += flt_capability_name(i) && bits >> i & 1;
	buf_addf(b, "0x%llx  ", (unsigned long long)bits);
	if (n == 0)
		buf_lit(b, "none");
	else if (!flt_capability_name(n)) /* as many as there are */
		buf_lit(b, "all");
	for (unsigned i = 0; i < 64 && flt_capability_name(n); i++)
		if (flt_capability_name(i) && bits >> i & 1)
			buf_addf(b, "%s ", flt_capability_name(i));
	end(f);
}

static void fact_group(struct facts *f, uint32_t gid)
{
	const struct state_user *g = state_group_find(f->p->m->state, f->p->id.container, gid);
	struct buf *b;

	if (gid == EV_NO_ID)
		return;
	b = begin(f, "gid");
	buf_addf(b, "%u ", gid);
	buf_sv(b, state_sv(g ? g->name : NULL));
	end(f);
}

int process_fill_creds(struct process *p, struct tui_grid *g, struct error *err)
{
	struct facts f = {.p = p, .g = g};

	if (p->node.t || p->node.p) {
		fact_user(&f, "uid", p->id.uid);
		fact_group(&f, p->id.gid);
		fact_user(&f, "loginuid", p->id.loginuid);
		add_capabilities(&f, "effective", p->id.cap_effective);
		add_capabilities(&f, "permitted", p->id.cap_permitted);
		add_capabilities(&f, "inheritable", p->id.cap_inheritable);
	}
	return tui_grid_done_adding(g, err);
}

int process_fill_env(struct process *p, struct tui_grid *g, struct error *err)
{
	struct facts f = {.p = p, .g = g};
	struct sv item;

	if (p->node.t)
		for (size_t at = 0; state_list_next(&p->node.t->env, &at, &item);) {
			const char *is = item.n ? memchr(item.p, '=', item.n) : NULL;
			size_t n = is ? (size_t)(is - item.p) : item.n;

			(void)tui_grid_add(g, (struct tui_row_key){++f.next, 0}, TUI_ROLE_NORMAL);
			tui_grid_cell(g, TUI_ROLE_DIM, sv_make(item.p, n));
			tui_grid_cell(g, TUI_ROLE_NORMAL, sv_drop(item, n + 1));
		}
	return tui_grid_done_adding(g, err);
}
