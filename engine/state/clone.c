/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone, fork, vfork, clone3: seen from the caller (ret is the child) or from the child (ret is 0),
 * in either order, possibly only one of them. The parameters always describe the emitting task.
 */
#include "engine/state/task.h"

struct clone {
	struct state_task task;
	uint32_t flags, uid, gid;
	bool has_vpid, has_pidns_start;
	int64_t vtid, vpid;
	uint64_t pidns_start;
};

static bool clone_read(struct state_event *e, struct clone *c)
{
	*c = (struct clone){0};
	state_task_read(e, &c->task);
	state_need_u32(e, 15, &c->flags);
	state_need_u32(e, 16, &c->uid);
	state_need_u32(e, 17, &c->gid);
	c->has_vpid = state_opt_i64(e, 19, &c->vpid);
	if (c->has_vpid)
		state_need_i64(e, 18, &c->vtid);
	c->has_pidns_start = state_opt_u64(e, 20, &c->pidns_start);
	return !e->malformed;
}

/* What a child takes from the record of its parent (a thread: of its main thread). */
static void inherit(struct state *st, struct state_thread *child, const struct state_thread *from)
{
	state_str_share(st, &child->exepath, from->exepath);
	state_str_share(st, &child->root, from->root);
	child->exe_writable = from->exe_writable;
	child->exe_upper_layer = from->exe_upper_layer;
	child->exe_lower_layer = from->exe_lower_layer;
	child->exe_from_memfd = from->exe_from_memfd;
	child->sid = from->sid;
	child->vpgid = from->vpgid;
	child->pgid = from->pgid;
	child->tty = from->tty;
	child->loginuid = from->loginuid;
	child->cap_inheritable = from->cap_inheritable;
	child->cap_permitted = from->cap_permitted;
	child->cap_effective = from->cap_effective;
	child->exe_ino = from->exe_ino;
	child->exe_ino_ctime = from->exe_ino_ctime;
	child->exe_ino_mtime = from->exe_ino_mtime;
	child->exe_ino_ctime_duration_clone_ts = from->exe_ino_ctime_duration_clone_ts;
}

/* A new process also gets descriptors, directory and environment; a thread uses those of its
 * process. */
static void inherit_process(struct state *st, struct state_thread *child,
			    const struct state_thread *from)
{
	struct state_fds *const *table = state_fds_of(from);
	const struct state_thread *main = state_main(from);

	if (table)
		child->fds = state_fds_clone(st, *table);
	if (main)
		state_str_share(st, &child->cwd, main->cwd);
	else
		state_str_set(st, &child->cwd, SV_LIT("./"));
	state_list_share(st, &child->env, &from->env);
}

/* @t was only known by its number: take what this event tells about its process. */
static void repair_names(struct state *st, struct state_thread *t, const struct state_thread *child)
{
	state_str_share(st, &t->exe, child->exe);
	state_str_share(st, &t->comm, child->comm);
	state_list_share(st, &t->args, &child->args);
	if (!t->cmdline_cached)
		state_str_share(st, &t->cmdline, child->cmdline);
	state_touch(st, t);
}

static void repair_caller(struct state *st, struct state_thread *caller, const struct clone *c)
{
	caller->pid = c->task.pid;
	caller->ptid = c->task.ptid;
	caller->vtid = c->has_vpid ? c->vtid : caller->tid;
	caller->vpid = c->has_vpid ? c->vpid : -1;
	state_tree_link(st, caller);
	state_touch(st, caller);
}

/* The caller cannot name its child, or the child's own event is the better source, or it is gone
 * already. */
static bool caller_must_not_create(const struct state_event *e, const struct clone *c, int64_t tid)
{
	const uint32_t elsewhere = STATE_CL_CHILD_IN_PIDNS | STATE_CL_NEWPID | STATE_CL_PARENT;

	return (c->flags & elsewhere) || e->t->tid != e->t->vtid || (c->flags & STATE_CL_VFORK) ||
	       e->ev->type == EV_VFORK_20_X ||
	       state_exited_recently(&e->st->exited, e->ev->tid, tid, e->ev->ts);
}

/* Everything but the names, which the two sides set in different order. */
static void set_common(struct state_event *e, struct state_thread *child, const struct clone *c,
		       const struct state_thread *like)
{
	state_task_set_figures(e->st, child, &c->task, like);
	child->uid = c->uid;
	child->gid = c->gid;
	child->clone_ts = e->ev->ts;
}

static struct state_thread *child_of_caller(struct state_event *e, const struct clone *c,
					    int64_t tid, bool valid_caller)
{
	struct state_thread *caller = e->t;
	struct state_thread *child = state_thread_new(e->st, tid);
	bool is_thread = c->flags & STATE_CL_THREAD;

	if (!child)
		return NULL;
	child->flags = c->flags;
	if (is_thread) {
		child->flags |= STATE_CL_FILES;
		child->pid = caller->pid;
		child->ptid = caller->ptid;
		child->lastexec_ts = caller->lastexec_ts;
	} else {
		child->pid = tid;
		child->ptid = caller->tid;
	}
	child->vtid = child->tid;
	child->vpid = child->pid;
	state_task_set_names(e->st, child, &c->task, false, caller);
	set_common(e, child, c, caller);
	if (!valid_caller)
		return child;
	inherit(e->st, child, caller);
	if (!is_thread)
		inherit_process(e->st, child, caller);
	return child;
}

static void clone_in_caller(struct state_event *e, const struct clone *c)
{
	struct state *st = e->st;
	int64_t tid = e->ret;
	struct state_thread *child;
	bool valid, collision;

	e->t = state_get(st, e->ev->tid);
	if (!e->t)
		return;
	valid = !state_is_invalid(e->t);
	if (!valid)
		repair_caller(st, e->t, c);
	if (caller_must_not_create(e, c, tid))
		return;
	child = state_find(st, tid);
	if (child && (child->flags & STATE_CL_INVERTED))
		return;
	collision = child != NULL;
	if (collision) {
		state_tree_remove(st, tid);
		/* The caller may have been part of what was removed. */
		e->t = state_find(st, e->ev->tid);
		if (!e->t)
			return;
	}
	child = child_of_caller(e, c, tid, valid);
	if (!child)
		return;
	if (!valid)
		repair_names(st, e->t, child);
	state_thread_insert_take(st, child, true);
	if (collision)
		state_bind_event(e);
}

/* An unknown main thread of a thread that reports itself. */
static void repair_leader(struct state *st, struct state_thread *leader,
			  const struct state_thread *child)
{
	leader->pid = child->pid;
	leader->ptid = child->ptid;
	leader->vpid = child->vpid;
	leader->vtid = child->vpid;
	state_tree_link(st, leader);
	state_touch(st, leader);
}

/*
 * The start of the pid namespace stays as recorded, relative to the boot: the reference has no boot
 * time to add when it reads captures, and shows nothing for tasks of the first namespace.
 */
static void set_pidns_start(struct state_thread *child, const struct clone *c)
{
	const uint32_t in_pidns = STATE_CL_CHILD_IN_PIDNS | STATE_CL_NEWPID;

	if (c->has_pidns_start && ((child->flags & in_pidns) || child->tid != child->vtid))
		child->pidns_init_start_ts = c->pidns_start;
}

static struct state_thread *child_of_itself(struct state_event *e, const struct clone *c)
{
	struct state *st = e->st;
	struct state_thread *child = state_thread_new(st, e->ev->tid);
	struct state_thread *from;
	bool is_thread = c->flags & STATE_CL_THREAD;

	if (!child)
		return NULL;
	child->pid = c->task.pid;
	child->ptid = c->task.ptid;
	child->vtid = c->has_vpid ? c->vtid : child->tid;
	child->vpid = c->has_vpid ? c->vpid : -1;
	child->flags = c->flags | STATE_CL_INVERTED | (is_thread ? STATE_CL_FILES : 0);
	from = state_get(st, is_thread ? child->pid : child->ptid);
	if (!from) {
		state_thread_free(st, child);
		return NULL;
	}
	state_task_set_names(st, child, &c->task, true, from);
	set_common(e, child, c, from);
	set_pidns_start(child, c);
	if (!state_is_invalid(from)) {
		inherit(st, child, from);
		if (is_thread)
			child->lastexec_ts = from->lastexec_ts;
		else
			inherit_process(st, child, from);
	} else if (is_thread) {
		repair_leader(st, from, child);
		repair_names(st, from, child);
	}
	return child;
}

static void clone_in_child(struct state_event *e, const struct clone *c)
{
	struct state *st = e->st;
	struct state_thread *child;
	bool collision = false;

	if (e->t && e->t->clone_ts) {
		if (e->ev->ts - e->t->clone_ts < STATE_STALE_CLONE_NS)
			return;
		state_tree_remove(st, e->ev->tid);
		collision = true;
	}
	e->t = NULL;
	e->fd = NULL;
	child = child_of_itself(e, c);
	if (!child || !state_thread_insert_take(st, child, true))
		return;
	e->t = child;
	if (collision)
		state_bind_event(e);
}

void state_on_clone(struct state_event *e)
{
	struct clone c;

	if (e->ret < 0 || !clone_read(e, &c))
		return;
	if (e->ret > 0)
		clone_in_caller(e, &c);
	else
		clone_in_child(e, &c);
}
