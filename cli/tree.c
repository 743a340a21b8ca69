/* SPDX-License-Identifier: Apache-2.0 */
/* Building the tree: what the filter leaves, and the order of rows. */
#include "cli/tree.h"

#include <stdlib.h>

struct asked { /* whether processes match */
	const struct view *v;
	struct cli_walk *w;
};

static bool matches(void *arg, const struct act_node *n)
{
	const struct asked *a = arg;

	if (n->t)
		return view_match(a->v, a->w, n->t, NULL);
	return n->p->tag || !a->v->filter;
}

static int by_pid(const void *a, const void *b, void *arg)
{
	const struct act_forest *f = arg;
	const struct act_node *x = &f->nodes[*(const size_t *)a];
	const struct act_node *y = &f->nodes[*(const size_t *)b];

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->key > y->key) - (x->key < y->key);
}

int tree_build(struct act_forest *f, const struct view *v, struct cli_walk *w,
	       const struct act_procs *procs, const struct tree_options *opt)
{
	struct asked asked = {v, w};
	const struct act_forest_options how = {
	    .dead = opt->dead, .matches = matches, .arg = &asked};
	int rc = act_forest_build(f, w->state, procs, &how);

	if (rc < 0)
		return rc;
	act_forest_choose(f, opt->pid, false);
	if (opt->flat)
		qsort_r(f->order, f->count, sizeof(*f->order), by_pid, f);
	return 0;
}
