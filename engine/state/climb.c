/* SPDX-License-Identifier: Apache-2.0 */
/* Walking the process tree: main threads, ancestors, leaders. */
#include "engine/state/internal.h"

bool state_thread_is_main(const struct state_thread *t)
{
	return state_is_main(t);
}

bool state_thread_is_invalid(const struct state_thread *t)
{
	return state_is_invalid(t);
}

bool state_thread_in_pidns(const struct state_thread *t)
{
	return (t->flags & STATE_CL_CHILD_IN_PIDNS) || (t->vtid >= 0 && t->vtid != t->tid);
}

struct state_thread *state_thread_main(const struct state_thread *t)
{
	return state_main(t);
}

uint64_t state_thread_count(const struct state_thread *t)
{
	return t->group ? t->group->alive : 0;
}

uint64_t state_thread_count_children(const struct state_thread *t)
{
	const struct state_thread *main = state_main(t);
	uint64_t n = state_thread_count(t);

	if (n && main && !(main->flags & STATE_CL_CLOSED))
		n--;
	return n;
}

struct state_thread *state_thread_ancestor(const struct state *st, const struct state_thread *t,
					   unsigned n)
{
	struct state_thread *a = state_main(t);

	if (n > STATE_CLIMB_MAX)
		return NULL;
	while (a && n--) {
		a = state_thread_find(st, a->ptid);
		if (a)
			a = state_main(a);
	}
	return a;
}

/*
 * Two pointers run up the chain, one twice as fast: where they meet is a loop. An element that is
 * its own parent ends the chain, too.
 */
struct state_climb state_climb_start(const struct state *st, const struct state_thread *t)
{
	struct state_climb c = {.st = st};

	c.slow = state_thread_find(st, t->ptid);
	if (c.slow)
		c.fast = state_thread_find(st, c.slow->ptid);
	return c;
}

static void climb_fast(struct state_climb *c)
{
	const struct state_thread *s = c->slow;

	for (int i = 0; i < 2 && c->fast; i++) {
		c->fast = state_thread_find(c->st, c->fast->ptid);
		if (s && (s == c->fast || s->tid == s->ptid))
			c->done = true;
	}
}

struct state_thread *state_climb_next(struct state_climb *c)
{
	struct state_thread *a = c->slow;

	if (c->done || !a || a->tid == -1 || c->steps++ >= STATE_CLIMB_MAX)
		return NULL;
	c->slow = state_thread_find(c->st, a->ptid);
	climb_fast(c);
	return a;
}

static int64_t leader_id(const struct state_thread *t, enum state_leader which)
{
	switch (which) {
	case STATE_LEADER_SESSION:
		return t->sid;
	case STATE_LEADER_VPGID:
		return t->vpgid;
	case STATE_LEADER_PGID:
		break;
	}
	return t->pgid;
}

struct state_thread *state_thread_leader(const struct state *st, const struct state_thread *t,
					 enum state_leader which)
{
	int64_t id = leader_id(t, which);
	struct state_thread *leader = NULL, *a;
	struct state_climb climb;

	if (id == -1)
		return NULL;
	if (which == STATE_LEADER_PGID || !state_thread_in_pidns(t)) {
		leader = state_thread_find(st, id);
		if (leader)
			return leader;
	}
	climb = state_climb_start(st, t);
	while ((a = state_climb_next(&climb)) && leader_id(a, which) == id)
		leader = a;
	return leader;
}
