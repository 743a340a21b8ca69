/* SPDX-License-Identifier: Apache-2.0 */
/* Building the tree: nodes, parents, what the filter leaves, and the order of rows. */
#include "cli/tree.h"

#include <stdlib.h>
#include <string.h>

struct sv tree_container_id(const struct tree_node *n)
{
	return n->t ? state_sv(n->t->container_id) : n->p->container;
}

void tree_done(struct tree *tree)
{
	free(tree->nodes);
	free(tree->order);
	*tree = (struct tree){0};
}

/* --- nodes --- */

static struct tree_node *add_node(struct tree *tree)
{
	size_t cap = tree->cap ? tree->cap * 2 : 256;
	struct tree_node *nodes;

	if (tree->count == tree->cap) {
		nodes = reallocarray(tree->nodes, cap, sizeof(*nodes));
		if (!nodes)
			return NULL;
		tree->nodes = nodes;
		tree->cap = cap;
	}
	tree->nodes[tree->count] = (struct tree_node){
	    .parent = TREE_NONE, .first = TREE_NONE, .next = TREE_NONE, .last_shown = TREE_NONE};
	return &tree->nodes[tree->count++];
}

static bool is_process(const struct state_thread *t)
{
	return state_thread_is_main(t) || state_thread_is_invalid(t);
}

static int add_living(struct tree *tree, const struct view *v, struct cli_walk *w,
		      const struct act_procs *procs)
{
	struct state_thread *t;

	for (size_t at = 0; (t = state_thread_next(w->state, &at));) {
		struct tree_node *n;

		if (!is_process(t))
			continue;
		n = add_node(tree);
		if (!n)
			return ERR_NOMEM;
		n->t = t;
		n->p = act_procs_find(procs, t->tid);
		n->pid = act_pid(t);
		n->key = n->p ? n->p->key : UINT64_MAX;
		n->matched = view_match(v, w, t, NULL);
	}
	return 0;
}

static int add_dead(struct tree *tree, const struct view *v, const struct act_procs *procs)
{
	const struct act_proc *p;

	for (size_t at = 0; (p = act_procs_next_dead(procs, &at));) {
		struct tree_node *n;

		/* Without an exit, a record that made way for another of its number. */
		if (!p->end_ts)
			continue;
		n = add_node(tree);
		if (!n)
			return ERR_NOMEM;
		n->p = p;
		n->pid = p->pid;
		n->key = p->key;
		n->matched = p->tag || !v->filter;
	}
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct tree_node *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* --- parents --- */

/* Positions are stored plus one: a map holds no NULL. */
static int index_nodes(const struct tree *tree, struct map *by_tid, struct map *by_key_map)
{
	for (size_t i = 0; i < tree->count; i++) {
		const struct tree_node *n = &tree->nodes[i];
		void *value = (void *)(uintptr_t)(i + 1);

		if (n->t && map_put(by_tid, (uint64_t)n->t->tid, value) < 0)
			return ERR_NOMEM;
		if (n->p && map_put(by_key_map, n->p->key, value) < 0)
			return ERR_NOMEM;
	}
	return 0;
}

static size_t found(const struct map *m, uint64_t key)
{
	return (uintptr_t)map_get(m, key) - 1;
}

static size_t parent_of(const struct tree_node *n, const struct cli_walk *w,
			const struct map *by_tid, const struct map *by_key_map)
{
	const struct state_thread *parent;

	if (!n->t)
		return n->p->parent_key ? found(by_key_map, n->p->parent_key) : TREE_NONE;
	parent = state_thread_ancestor(w->state, n->t, 1);
	return parent && parent != n->t ? found(by_tid, (uint64_t)parent->tid) : TREE_NONE;
}

static int find_parents(struct tree *tree, const struct cli_walk *w)
{
	struct map by_tid = {0}, by_key_map = {0};
	int rc = index_nodes(tree, &by_tid, &by_key_map);

	/* Backwards, so that the lists of children come out in order. */
	for (size_t i = tree->count; rc == 0 && i-- > 0;) {
		struct tree_node *n = &tree->nodes[i];

		n->parent = parent_of(n, w, &by_tid, &by_key_map);
		if (n->parent == TREE_NONE)
			continue;
		n->next = tree->nodes[n->parent].first;
		tree->nodes[n->parent].first = i;
	}
	map_done(&by_tid);
	map_done(&by_key_map);
	return rc;
}

/* --- order --- */

/* Node @i and all below it, without recursion. */
static void place(struct tree *tree, size_t root)
{
	size_t i = root;
	unsigned depth = 0;

	for (;;) {
		struct tree_node *n = &tree->nodes[i];

		if (!n->placed) {
			n->placed = true;
			n->depth = depth;
			tree->order[tree->order_count++] = i;
			if (n->first != TREE_NONE && !tree->nodes[n->first].placed) {
				i = n->first;
				depth++;
				continue;
			}
		}
		while (i != root && tree->nodes[i].next == TREE_NONE) {
			i = tree->nodes[i].parent;
			depth--;
		}
		if (i == root)
			return;
		i = tree->nodes[i].next;
	}
}

/* Whatever hangs in a loop is in no tree: its first member is taken for a root. */
static int place_all(struct tree *tree)
{
	tree->order = calloc(tree->count + 1, sizeof(*tree->order));
	if (!tree->order)
		return ERR_NOMEM;
	for (size_t i = 0; i < tree->count; i++)
		if (tree->nodes[i].parent == TREE_NONE)
			place(tree, i);
	for (size_t i = 0; i < tree->count; i++) {
		struct tree_node *n = &tree->nodes[i];
		size_t *link;

		if (n->placed)
			continue;
		for (link = &tree->nodes[n->parent].first; *link != i;)
			link = &tree->nodes[*link].next;
		*link = n->next;
		n->next = TREE_NONE;
		n->parent = TREE_NONE;
		place(tree, i);
	}
	return 0;
}

/* --- what is shown --- */

/* Of --pid: the process and what is below it. Parents come before children in the order. */
static void mark_branches(struct tree *tree, int64_t pid)
{
	for (size_t i = 0; i < tree->order_count; i++) {
		struct tree_node *n = &tree->nodes[tree->order[i]];

		n->in_branch = pid < 0 || n->pid == pid ||
			       (n->parent != TREE_NONE && tree->nodes[n->parent].in_branch);
	}
}

/* What matches, and the ancestors of that. */
static void choose(struct tree *tree, int64_t pid)
{
	mark_branches(tree, pid);
	for (size_t i = tree->order_count; i-- > 0;) {
		struct tree_node *n = &tree->nodes[tree->order[i]];

		n->matched = n->matched && n->in_branch;
		n->shown = n->shown || n->matched;
		if (!n->shown || n->parent == TREE_NONE)
			continue;
		tree->nodes[n->parent].shown = true;
		if (tree->nodes[n->parent].last_shown == TREE_NONE)
			tree->nodes[n->parent].last_shown = tree->order[i];
	}
}

static int by_pid(const void *a, const void *b, void *arg)
{
	const struct tree *tree = arg;
	const struct tree_node *x = &tree->nodes[*(const size_t *)a];
	const struct tree_node *y = &tree->nodes[*(const size_t *)b];

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->key > y->key) - (x->key < y->key);
}

int tree_build(struct tree *tree, const struct view *v, struct cli_walk *w,
	       const struct act_procs *procs, const struct tree_options *opt)
{
	int rc = add_living(tree, v, w, procs);

	if (rc == 0 && opt->dead)
		rc = add_dead(tree, v, procs);
	if (rc == 0 && tree->count)
		qsort(tree->nodes, tree->count, sizeof(*tree->nodes), by_key);
	if (rc == 0)
		rc = find_parents(tree, w);
	if (rc == 0)
		rc = place_all(tree);
	if (rc < 0) {
		tree_done(tree);
		return rc;
	}
	choose(tree, opt->pid);
	if (opt->flat)
		qsort_r(tree->order, tree->order_count, sizeof(*tree->order), by_pid, tree);
	return 0;
}
