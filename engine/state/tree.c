/* SPDX-License-Identifier: Apache-2.0 */
/* How threads hang together: groups, parents, what happens to the children of the dead. */
#include "engine/state/internal.h"

/* --- groups --- */

static struct state_group *group_new(struct state *st, const struct state_thread *t)
{
	struct state_group *g = pool_zalloc(&st->pool, sizeof(*g));

	if (!g || map_put(&st->groups, (uint64_t)t->pid, g) < 0) {
		pool_release(&st->pool, g, sizeof(*g));
		st->nomem = true;
		return NULL;
	}
	g->pid = t->pid;
	g->listed = true;
	g->reaper = t->pid == 1 || t->vpid == 1;
	return g;
}

static void group_unlist(struct state *st, struct state_group *g)
{
	if (g->listed)
		map_take(&st->groups, (uint64_t)g->pid);
	g->listed = false;
}

static void group_free_if_empty(struct state *st, struct state_group *g)
{
	if (g->first)
		return;
	group_unlist(st, g);
	pool_release(&st->pool, g, sizeof(*g));
}

static void group_add(struct state_group *g, struct state_thread *t)
{
	t->group = g;
	g->alive++;
	if (state_is_main(t)) {
		t->group_prev = NULL;
		t->group_next = g->first;
		if (g->first)
			g->first->group_prev = t;
		else
			g->last = t;
		g->first = t;
	} else {
		t->group_next = NULL;
		t->group_prev = g->last;
		if (g->last)
			g->last->group_next = t;
		else
			g->first = t;
		g->last = t;
	}
}

static void group_remove(struct state *st, struct state_thread *t)
{
	struct state_group *g = t->group;

	if (!g)
		return;
	if (t->group_prev)
		t->group_prev->group_next = t->group_next;
	else
		g->first = t->group_next;
	if (t->group_next)
		t->group_next->group_prev = t->group_prev;
	else
		g->last = t->group_prev;
	t->group = NULL;
	t->group_next = t->group_prev = NULL;
	group_free_if_empty(st, g);
}

/* --- parents and children --- */

static void child_add(struct state_thread *parent, struct state_thread *t)
{
	t->linked_parent = parent;
	t->prev_sibling = NULL;
	t->next_sibling = parent->first_child;
	if (parent->first_child)
		parent->first_child->prev_sibling = t;
	parent->first_child = t;
	parent->had_children = true;
}

static void child_cut(struct state_thread *t)
{
	struct state_thread *parent = t->linked_parent;

	if (!parent)
		return;
	if (t->prev_sibling)
		t->prev_sibling->next_sibling = t->next_sibling;
	else
		parent->first_child = t->next_sibling;
	if (t->next_sibling)
		t->next_sibling->prev_sibling = t->prev_sibling;
	t->linked_parent = NULL;
	t->prev_sibling = t->next_sibling = NULL;
}

void state_tree_link(struct state *st, struct state_thread *t)
{
	struct state_thread *parent;
	struct state_group *g;

	if (state_is_invalid(t) || t->group)
		return;
	g = map_get(&st->groups, (uint64_t)t->pid);
	if (!g)
		g = group_new(st, t);
	if (!g)
		return;
	group_add(g, t);
	if (t->pid == 1)
		return;
	parent = state_find(st, t->ptid);
	if (!parent || state_is_invalid(parent))
		t->ptid = 0;
	else
		child_add(parent, t);
}

void state_tree_unlink(struct state *st, struct state_thread *t)
{
	while (t->first_child)
		child_cut(t->first_child);
	child_cut(t);
	group_remove(st, t);
}

/* --- reaping --- */

static struct state_thread *first_alive(const struct state_group *g, const struct state_thread *but)
{
	unsigned left = STATE_REAPER_SCAN_MAX;

	for (struct state_thread *t = g->first; t && left; t = t->group_next, left--)
		if (t != but && !(t->flags & STATE_CL_CLOSED))
			return t;
	return NULL;
}

/* A living thread of the own group, else of the next ancestor's that reaps, in the same pid
 * namespace. */
static struct state_thread *find_new_reaper(struct state *st, const struct state_thread *t)
{
	struct state_climb climb = state_climb_start(st, t);
	struct state_thread *found, *a;

	found = t->group->alive ? first_alive(t->group, t) : NULL;
	if (found)
		return found;
	while ((a = state_climb_next(&climb))) {
		if (a == t || state_thread_in_pidns(a) != state_thread_in_pidns(t))
			return NULL;
		if (!a->group || !a->group->reaper || !a->group->alive)
			continue;
		found = first_alive(a->group, NULL);
		if (found)
			return found;
	}
	return NULL;
}

static void hand_over_children(struct state *st, struct state_thread *t,
			       struct state_thread *reaper)
{
	struct state_thread *child;

	while ((child = t->first_child)) {
		child_cut(child);
		child->ptid = reaper ? reaper->tid : 0;
		if (reaper)
			child_add(reaper, child);
		state_touch(st, child);
	}
	t->had_children = false;
}

static void reap_children(struct state *st, struct state_thread *t)
{
	struct state_thread *reaper = NULL;

	/* Children that are gone already count, too: the reference keeps their places in its list.
	 */
	if (!t->had_children)
		return;
	if (t->reaper_tid > 0)
		reaper = state_get(st, t->reaper_tid);
	if (!reaper || state_is_invalid(reaper))
		reaper = find_new_reaper(st, t);
	if (reaper == t)
		reaper = NULL;
	if (reaper) {
		t->reaper_tid = reaper->tid;
		if (reaper->pid != t->pid && reaper->group)
			reaper->group->reaper = true;
	}
	hand_over_children(st, t, reaper);
}

void state_tree_mark_dead(struct state_thread *t)
{
	if (t->flags & STATE_CL_CLOSED)
		return;
	t->flags |= STATE_CL_CLOSED;
	if (t->group && t->group->alive)
		t->group->alive--;
}

/* The last one of its group is gone: the main thread's record, kept until now, goes too. */
static void remove_group(struct state *st, const struct state_thread *t)
{
	struct state_group *g = map_get(&st->groups, (uint64_t)t->pid);
	struct state_thread *main = state_find(st, t->pid);

	if (g)
		group_unlist(st, g);
	if (main)
		state_thread_erase(st, main);
}

void state_tree_remove(struct state *st, int64_t tid)
{
	struct state_thread *t = state_find(st, tid);
	bool was_main;

	if (!t)
		return;
	if (state_is_invalid(t) || !t->group) {
		state_thread_erase(st, t);
		return;
	}
	state_tree_mark_dead(t);
	reap_children(st, t);
	was_main = state_is_main(t);
	if (t->group->alive == 0) {
		remove_group(st, t);
		t = state_find(st, tid);
	}
	if (!was_main && t)
		state_thread_erase(st, t);
}
