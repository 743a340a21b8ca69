/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/activity/forest.h"

#include <stdlib.h>

#include "base/map.h"

void act_forest_done(struct act_forest *f)
{
	free(f->nodes);
	free(f->order);
	*f = (struct act_forest){0};
}

/* --- nodes --- */

static struct act_node *add_node(struct act_forest *f)
{
	size_t cap = f->cap ? f->cap * 2 : 256;
	struct act_node *nodes;

	if (f->count == f->cap) {
		nodes = reallocarray(f->nodes, cap, sizeof(*nodes));
		if (!nodes)
			return NULL;
		f->nodes = nodes;
		f->cap = cap;
	}
	f->nodes[f->count] = (struct act_node){.parent = ACT_NO_NODE,
					       .first = ACT_NO_NODE,
					       .next = ACT_NO_NODE,
					       .last_shown = ACT_NO_NODE};
	return &f->nodes[f->count++];
}

static bool matches(const struct act_forest_options *opt, const struct act_node *n)
{
	return !opt->matches || opt->matches(opt->arg, n);
}

static int add_living(struct act_forest *f, const struct state *st, const struct act_procs *procs,
		      const struct act_forest_options *opt)
{
	struct state_thread *t;

	for (size_t at = 0; (t = state_thread_next(st, &at));) {
		struct act_node *n;

		if (!state_thread_is_main(t) && !state_thread_is_invalid(t))
			continue;
		n = add_node(f);
		if (!n)
			return ERR_NOMEM;
		n->t = t;
		n->p = act_procs_find(procs, t->tid);
		n->pid = t->pid > 0 ? t->pid : t->tid;
		n->key = n->p ? n->p->key : UINT64_MAX;
		n->matched = matches(opt, n);
	}
	return 0;
}

static int add_dead(struct act_forest *f, const struct act_procs *procs,
		    const struct act_forest_options *opt)
{
	const struct act_proc *p;

	for (size_t at = 0; (p = act_procs_next_dead(procs, &at));) {
		struct act_node *n;

		/* Without an exit, a record that made way for another of its number. */
		if (!p->end_ts || p->end_ts < opt->dead_since)
			continue;
		n = add_node(f);
		if (!n)
			return ERR_NOMEM;
		n->p = p;
		n->pid = p->pid;
		n->key = p->key;
		n->matched = matches(opt, n);
	}
	return 0;
}

static int compare(const struct act_node *n, uint64_t key, int64_t pid)
{
	if (n->key != key)
		return n->key < key ? -1 : 1;
	return (n->pid > pid) - (n->pid < pid);
}

/* By key and number, with what is small: sorting by the second first keeps its order. */
static int rank(const struct act_forest *f, struct map_slot *ranks)
{
	int rc;

	for (size_t i = 0; i < f->count; i++)
		ranks[i] = (struct map_slot){(uint64_t)f->nodes[i].pid ^ 1ull << 63, &f->nodes[i]};
	rc = map_sort(ranks, f->count);
	for (size_t i = 0; rc == 0 && i < f->count; i++)
		ranks[i].key = ((const struct act_node *)ranks[i].value)->key;
	return rc < 0 ? rc : map_sort(ranks, f->count);
}

static int sort_nodes(struct act_forest *f)
{
	struct map_slot *ranks = calloc(f->count + 1, sizeof(*ranks));
	struct act_node *nodes = malloc((f->count + 1) * sizeof(*nodes));

	if (!ranks || !nodes || rank(f, ranks) < 0) {
		free(ranks);
		free(nodes);
		return ERR_NOMEM;
	}
	for (size_t i = 0; i < f->count; i++)
		nodes[i] = *(const struct act_node *)ranks[i].value;
	free(ranks);
	free(f->nodes);
	f->nodes = nodes;
	f->cap = f->count + 1;
	return 0;
}

size_t act_forest_place(const struct act_forest *f, uint64_t key, int64_t pid)
{
	size_t from = 0, to = f->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (compare(&f->nodes[middle], key, pid) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

size_t act_forest_find(const struct act_forest *f, uint64_t key, int64_t pid)
{
	size_t i = act_forest_place(f, key, key == UINT64_MAX ? pid : INT64_MIN);

	if (i == f->count || f->nodes[i].key != key)
		return ACT_NO_NODE;
	return key != UINT64_MAX || f->nodes[i].pid == pid ? i : ACT_NO_NODE;
}

/* --- parents --- */

/* Positions are stored plus one: a map holds no NULL. */
static int index_threads(const struct act_forest *f, struct map *by_tid)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct act_node *n = &f->nodes[i];

		if (n->t && map_put(by_tid, (uint64_t)n->t->tid, (void *)(uintptr_t)(i + 1)) < 0)
			return ERR_NOMEM;
	}
	return 0;
}

static size_t origin_of(const struct act_forest *f, const struct act_node *n)
{
	return n->p && n->p->parent_key ? act_forest_find(f, n->p->parent_key, 0) : ACT_NO_NODE;
}

static size_t parent_of(const struct act_forest *f, const struct act_node *n,
			const struct state *st, const struct map *by_tid, bool by_origin)
{
	const struct state_thread *parent;
	size_t origin = !n->t || by_origin ? origin_of(f, n) : ACT_NO_NODE;

	if (!n->t || origin != ACT_NO_NODE)
		return origin;
	parent = state_thread_ancestor(st, n->t, 1);
	return parent && parent != n->t ? (uintptr_t)map_get(by_tid, (uint64_t)parent->tid) - 1
					: ACT_NO_NODE;
}

static int find_parents(struct act_forest *f, const struct state *st, bool by_origin)
{
	struct map by_tid = {0};
	int rc = index_threads(f, &by_tid);

	/* Backwards, so that the lists of children come out in order. */
	for (size_t i = f->count; rc == 0 && i-- > 0;) {
		struct act_node *n = &f->nodes[i];

		n->parent = parent_of(f, n, st, &by_tid, by_origin);
		if (n->parent == ACT_NO_NODE)
			continue;
		n->next = f->nodes[n->parent].first;
		f->nodes[n->parent].first = i;
	}
	map_done(&by_tid);
	return rc;
}

/* --- order --- */

/* Node @root and all below it, without recursion. Return: places taken in the order so far. */
static size_t place(struct act_forest *f, size_t root, size_t placed)
{
	size_t i = root;
	unsigned depth = 0;

	for (;;) {
		struct act_node *n = &f->nodes[i];

		if (!n->placed) {
			n->placed = true;
			n->depth = depth;
			f->order[placed++] = i;
			if (n->first != ACT_NO_NODE && !f->nodes[n->first].placed) {
				i = n->first;
				depth++;
				continue;
			}
		}
		while (i != root && f->nodes[i].next == ACT_NO_NODE) {
			i = f->nodes[i].parent;
			depth--;
		}
		if (i == root)
			return placed;
		i = f->nodes[i].next;
	}
}

/* Whatever hangs in a loop is in no tree: its first member is taken for a root. */
static int place_all(struct act_forest *f)
{
	size_t placed = 0;

	f->order = calloc(f->count + 1, sizeof(*f->order));
	if (!f->order)
		return ERR_NOMEM;
	for (size_t i = 0; i < f->count; i++)
		if (f->nodes[i].parent == ACT_NO_NODE)
			placed = place(f, i, placed);
	for (size_t i = 0; i < f->count; i++) {
		struct act_node *n = &f->nodes[i];
		size_t *link;

		if (n->placed)
			continue;
		for (link = &f->nodes[n->parent].first; *link != i;)
			link = &f->nodes[*link].next;
		*link = n->next;
		n->next = ACT_NO_NODE;
		n->parent = ACT_NO_NODE;
		placed = place(f, i, placed);
	}
	return 0;
}

int act_forest_build(struct act_forest *f, const struct state *st, const struct act_procs *procs,
		     const struct act_forest_options *opt)
{
	int rc;

	act_forest_done(f);
	rc = add_living(f, st, procs, opt);
	if (rc == 0 && opt->dead)
		rc = add_dead(f, procs, opt);
	if (rc == 0)
		rc = sort_nodes(f);
	if (rc == 0)
		rc = find_parents(f, st, opt->by_origin);
	if (rc == 0)
		rc = place_all(f);
	if (rc < 0)
		act_forest_done(f);
	return rc;
}

/* --- what is shown --- */

/* Parents come before children in the order. */
static void mark_branches(struct act_forest *f, int64_t pid, bool children)
{
	for (size_t i = 0; i < f->count; i++) {
		struct act_node *n = &f->nodes[f->order[i]];
		const struct act_node *parent =
		    n->parent == ACT_NO_NODE ? NULL : &f->nodes[n->parent];

		n->in_branch = pid < 0 || n->pid == pid || (parent && parent->in_branch);
		n->matched = n->matched && n->in_branch;
		n->shown = n->matched || (children && parent && parent->shown);
		n->last_shown = ACT_NO_NODE;
	}
}

void act_forest_choose(struct act_forest *f, int64_t pid, bool children)
{
	mark_branches(f, pid, children);
	for (size_t i = f->count; i-- > 0;) {
		struct act_node *n = &f->nodes[f->order[i]];

		if (!n->shown || n->parent == ACT_NO_NODE)
			continue;
		f->nodes[n->parent].shown = true;
		if (f->nodes[n->parent].last_shown == ACT_NO_NODE)
			f->nodes[n->parent].last_shown = f->order[i];
	}
}
