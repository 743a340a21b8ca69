/* SPDX-License-Identifier: Apache-2.0 */
/* execve, execveat: a new image; and the end of a thread. */
#include "engine/state/task.h"

struct exec {
	struct state_task task;
	struct sv env, trusted_exepath;
	bool has_env, has_tty, has_vpgid, has_loginuid, has_flags, has_caps, has_ino, has_uid,
	    has_gid;
	uint32_t tty, loginuid, flags, uid, gid;
	int64_t vpgid, pgid; /* pgid: -1 if not recorded */
	uint64_t cap_inheritable, cap_permitted, cap_effective;
	uint64_t ino, ctime, mtime;
};

enum { /* the flags parameter */
       EXE_WRITABLE = 1u << 0,
       EXE_UPPER_LAYER = 1u << 1,
       EXE_FROM_MEMFD = 1u << 2,
       EXE_LOWER_LAYER = 1u << 3,
};

static bool exec_read(struct state_event *e, struct exec *x)
{
	*x = (struct exec){.env = state_bytes(e, 15), .pgid = -1};
	state_task_read(e, &x->task);
	x->has_env = x->env.n != 0;
	x->has_tty = state_opt_u32(e, 16, &x->tty);
	x->has_vpgid = state_opt_i64(e, 17, &x->vpgid);
	x->has_loginuid = state_opt_u32(e, 18, &x->loginuid);
	x->has_flags = state_opt_u32(e, 19, &x->flags);
	x->has_caps = state_opt_u64(e, 22, &x->cap_effective);
	if (x->has_caps) {
		state_need_u64(e, 20, &x->cap_inheritable);
		state_need_u64(e, 21, &x->cap_permitted);
	}
	x->has_ino = state_opt_u64(e, 25, &x->mtime);
	if (x->has_ino) {
		state_need_u64(e, 23, &x->ino);
		state_need_u64(e, 24, &x->ctime);
	}
	x->has_uid = state_opt_u32(e, 26, &x->uid);
	if (ev_param(e->ev, 27).n)
		x->trusted_exepath = ev_str(e->ev, 27);
	state_opt_i64(e, 28, &x->pgid);
	x->has_gid = state_opt_u32(e, 29, &x->gid);
	return !e->malformed;
}

/* Captures before the trusted path: rebuild it from what the enter event asked for. */
static struct sv exepath_of_enter(struct state_event *e, const struct state_stored *enter,
				  char out[STATE_PATH_MAX])
{
	const struct sv unknown = SV_LIT("<NA>");
	struct sv name = sv_make(enter->text, enter->len);
	bool no_name = sv_eq(name, unknown);
	bool empty_path = enter->flags & 1u;
	char base[STATE_PATH_MAX];
	struct sv dir;

	if (enter->type == EV_EXECVE_19_E)
		return no_name ? unknown : state_path_concat(out, state_thread_cwd(e->t), name);
	dir = state_dirfd_base(e, enter->dirfd, name, base);
	if ((!empty_path && no_name) || sv_is(dir, "<UNKNOWN>"))
		return unknown;
	if (empty_path)
		return state_path_concat(out, SV_NONE, dir);
	return state_path_concat(out, dir, name);
}

static void set_exepath(struct state_event *e, const struct exec *x)
{
	const struct state_stored *enter = state_retrieve_enter(e);
	char path[STATE_PATH_MAX];

	if (x->trusted_exepath.n)
		state_thread_set_exepath(e->st, e->t, x->trusted_exepath);
	else if (enter)
		state_thread_set_exepath(e->st, e->t, exepath_of_enter(e, enter, path));
}

static void set_image_file(struct state_thread *t, const struct exec *x)
{
	t->exe_ino = x->ino;
	t->exe_ino_ctime = x->ctime;
	t->exe_ino_mtime = x->mtime;
	if (t->clone_ts)
		t->exe_ino_ctime_duration_clone_ts = t->clone_ts - x->ctime;
	if (t->pidns_init_start_ts && x->ctime > t->pidns_init_start_ts)
		t->exe_ino_ctime_duration_pidns_start = x->ctime - t->pidns_init_start_ts;
}

static void set_attributes(struct state_thread *t, const struct exec *x)
{
	if (x->has_tty)
		t->tty = x->tty;
	if (x->has_vpgid)
		t->vpgid = x->vpgid;
	t->pgid = x->pgid;
	if (x->has_loginuid)
		t->loginuid = x->loginuid;
	if (x->has_flags) {
		t->exe_writable = x->flags & EXE_WRITABLE;
		t->exe_upper_layer = x->flags & EXE_UPPER_LAYER;
		t->exe_lower_layer = x->flags & EXE_LOWER_LAYER;
		t->exe_from_memfd = x->flags & EXE_FROM_MEMFD;
	}
	if (x->has_caps) {
		t->cap_inheritable = x->cap_inheritable;
		t->cap_permitted = x->cap_permitted;
		t->cap_effective = x->cap_effective;
	}
	if (x->has_ino)
		set_image_file(t, x);
	if (x->has_uid)
		t->uid = x->uid;
	if (x->has_gid)
		t->gid = x->gid;
}

static bool closes_on_exec(const struct state_fd *fd, const void *arg)
{
	(void)arg;
	return state_fd_is_cloexec(fd);
}

/* An exec leaves only the calling thread, under the main thread's id: the others are gone. */
static void remove_siblings(struct state_event *e)
{
	struct state *st = e->st;
	const struct state_thread *t = e->t, *at, *next;
	int64_t next_tid = -1;

	if (!t->group || t->group->alive <= 1)
		return;
	for (at = t->group->first; at; at = next) {
		next = at->group_next;
		if (state_is_main(at) || at == t)
			continue;
		next_tid = next ? next->tid : -1;
		state_tree_remove(st, at->tid);
		/* With counts gone wrong, the group may have gone as a whole. */
		if (state_find(st, e->ev->tid) != t) {
			e->t = NULL;
			return;
		}
		if (next && state_find(st, next_tid) != next)
			next = t->group ? t->group->first : NULL;
	}
}

static void revive(struct state_thread *t)
{
	if (!(t->flags & STATE_CL_CLOSED))
		return;
	t->flags &= ~(uint32_t)STATE_CL_CLOSED;
	if (t->group)
		t->group->alive++;
}

void state_on_exec(struct state_event *e)
{
	const uint32_t kept =
	    STATE_CL_PIPE_SRC | STATE_CL_PIPE_DST | STATE_CL_IS_MAIN_THREAD | STATE_CL_INVERTED;
	struct state_thread *t = e->t;
	struct state *st = e->st;
	struct state_fds *const *table;
	struct exec x;

	if (e->ret < 0 || !t || !exec_read(e, &x))
		return;
	revive(t);
	t->lastexec_ts = e->ev->ts;
	t->exec_count++;
	state_task_set_names(st, t, &x.task, true, t);
	t->pid = x.task.pid;
	if (state_is_invalid(t)) {
		t->ptid = x.task.ptid;
		if (!(t->flags & STATE_CL_CHILD_IN_PIDNS)) {
			t->vtid = t->tid;
			t->vpid = t->pid;
		}
		state_tree_link(st, t);
	}
	state_task_set_figures(st, t, &x.task, t);
	if (x.has_env)
		state_list_set(st, &t->env, x.env);
	set_exepath(e, &x);
	set_attributes(t, &x);
	table = state_fds_of(t);
	if (table && *table)
		state_fds_remove_if(st, *table, closes_on_exec, NULL);
	t->flags = STATE_CL_ACTIVE | STATE_CL_NAME_CHANGED | (t->flags & kept);
	state_touch(st, t);
	remove_siblings(e);
}

/* The record stays until the next event, so that rules see it. */
void state_on_exit(struct state_event *e)
{
	struct state_thread *t = e->t;
	int64_t reaper = -1;

	if (!t)
		return;
	state_opt_i64(e, 4, &reaper);
	if (e->malformed)
		return;
	state_tree_mark_dead(t);
	e->st->pending_exit = true;
	e->st->pending_tid = e->ev->tid;
	if (t->had_children)
		t->reaper_tid = reaper;
}
