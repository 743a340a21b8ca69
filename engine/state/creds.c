/* SPDX-License-Identifier: Apache-2.0 */
/* Identity, capabilities, sessions, limits and memory figures. */
#include "engine/state/internal.h"

/* The effective id is parameter @i; "keep" (all ones) is stored as it is. */
static void set_id(struct state_event *e, unsigned i, uint32_t *id)
{
	uint32_t new;

	if (e->ret != 0 || !state_opt_u32(e, i, &new))
		return;
	*id = new;
	state_touch(e->st, e->t);
}

void state_on_setuid(struct state_event *e)
{
	if (e->t)
		set_id(e, 1, &e->t->uid);
}

void state_on_setgid(struct state_event *e)
{
	if (e->t)
		set_id(e, 1, &e->t->gid);
}

void state_on_setreuid(struct state_event *e)
{
	if (e->t)
		set_id(e, 2, &e->t->uid);
}

void state_on_setregid(struct state_event *e)
{
	if (e->t)
		set_id(e, 2, &e->t->gid);
}

void state_on_capset(struct state_event *e)
{
	uint64_t inheritable, permitted, effective;

	if (!e->t || e->ret < 0 || !state_need_u64(e, 1, &inheritable) ||
	    !state_need_u64(e, 2, &permitted) || !state_need_u64(e, 3, &effective))
		return;
	e->t->cap_inheritable = inheritable;
	e->t->cap_permitted = permitted;
	e->t->cap_effective = effective;
	state_touch(e->st, e->t);
}

/* Whoever enters a new user namespace has every capability in it. */
static void enter_namespace(struct state_event *e, unsigned flags_param)
{
	uint32_t flags;

	if (!e->t || e->ret < 0 || !state_opt_u32(e, flags_param, &flags) ||
	    !(flags & STATE_CL_NEWUSER))
		return;
	e->t->cap_inheritable = STATE_ALL_CAPS;
	e->t->cap_permitted = STATE_ALL_CAPS;
	e->t->cap_effective = STATE_ALL_CAPS;
	state_touch(e->st, e->t);
}

void state_on_unshare(struct state_event *e)
{
	enter_namespace(e, 1);
}

void state_on_setns(struct state_event *e)
{
	enter_namespace(e, 2);
}

void state_on_setsid(struct state_event *e)
{
	if (!e->t || e->ret < 0)
		return;
	e->t->sid = e->ret;
	state_touch(e->st, e->t);
}

void state_on_prctl(struct state_event *e)
{
	enum { SET_CHILD_SUBREAPER = 36, GET_CHILD_SUBREAPER = 37 };
	uint32_t option;
	int64_t arg;

	if (!e->t || e->ret < 0 || !e->t->group || !state_need_u32(e, 1, &option) ||
	    (option != SET_CHILD_SUBREAPER && option != GET_CHILD_SUBREAPER))
		return;
	if (state_need_i64(e, 3, &arg))
		e->t->group->reaper = arg != 0;
}

static void set_fdlimit(struct state *st, struct state_thread *t, int64_t limit)
{
	struct state_thread *main = state_main(t);

	if (!main || limit == -1)
		return;
	main->fdlimit = limit;
	state_touch(st, main);
}

enum { RLIMIT_NUMBER_OF_FILES = 7 };

void state_on_rlimit(struct state_event *e)
{
	uint8_t resource;
	int64_t limit;

	if (!e->t || e->ret < 0 || !state_need_u8(e, 3, &resource) ||
	    resource != RLIMIT_NUMBER_OF_FILES || !state_need_i64(e, 1, &limit))
		return;
	set_fdlimit(e->st, e->t, limit);
}

void state_on_prlimit(struct state_event *e)
{
	struct state_thread *target;
	int64_t limit, pid;
	uint8_t resource;

	if (!e->t || e->ret != 0 || ev_param(e->ev, 6).n == 0 || !state_need_u8(e, 6, &resource) ||
	    resource != RLIMIT_NUMBER_OF_FILES || !state_need_i64(e, 1, &limit) || limit == -1 ||
	    !state_opt_i64(e, 5, &pid))
		return;
	target = state_get(e->st, pid ? pid : e->ev->tid);
	if (target && !state_is_invalid(target))
		set_fdlimit(e->st, target, limit);
}

/* brk, mmap, munmap tell the sizes even when they fail. */
void state_on_memory(struct state_event *e)
{
	uint32_t size, rss, swap;

	if (!e->t || !state_opt_u32(e, 1, &size))
		return;
	e->t->vmsize_kb = size;
	if (!state_opt_u32(e, 3, &swap) || !state_need_u32(e, 2, &rss))
		return;
	e->t->vmrss_kb = rss;
	e->t->vmswap_kb = swap;
}

void state_on_switch(struct state_event *e)
{
	uint32_t size, rss, swap;
	struct state_thread *main;
	uint64_t major, minor;

	if (!e->t || !state_opt_u32(e, 5, &swap) || !state_need_u64(e, 1, &major) ||
	    !state_need_u64(e, 2, &minor) || !state_need_u32(e, 3, &size) ||
	    !state_need_u32(e, 4, &rss))
		return;
	e->t->pfmajor = major;
	e->t->pfminor = minor;
	main = state_main(e->t);
	if (!main)
		return;
	main->vmsize_kb = size;
	main->vmrss_kb = rss;
	main->vmswap_kb = swap;
}
