/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter/pmatch.h"

#include "base/map.h"
#include "engine/filter/glob.h"

#define KIDS_LISTED 8 /* with more, kids are found by a map */

/*
 * One node per part of the constants. A node is reached at one part of the path only, so a match
 * visits each node at most once, patterns included; constants are short, which limits the depth.
 */
struct flt_path_tree {
	struct sv part;
	bool ends;				/* a constant ends here: everything below matches */
	struct flt_path_tree *next;		/* in one of its parent's lists */
	struct flt_path_tree *exact, *patterns; /* kids */
	uint32_t exact_count;
	struct smap by_part; /* the exact kids, if there are many */
};

/* The next non-empty part of *@rest; false: there is none. */
static bool next_part(struct sv *rest, struct sv *part)
{
	size_t n = 0;

	while (rest->n && rest->p[0] == '/')
		*rest = sv_drop(*rest, 1);
	while (n < rest->n && rest->p[n] != '/')
		n++;
	*part = sv_make(rest->p, n);
	*rest = sv_drop(*rest, n);
	return n != 0;
}

struct flt_path_tree *flt_path_tree_new(struct arena *arena)
{
	return arena_zalloc(arena, 1, sizeof(struct flt_path_tree));
}

void flt_path_tree_done(struct flt_path_tree *tree)
{
	if (!tree)
		return;
	for (struct flt_path_tree *kid = tree->exact; kid; kid = kid->next)
		flt_path_tree_done(kid);
	for (struct flt_path_tree *kid = tree->patterns; kid; kid = kid->next)
		flt_path_tree_done(kid);
	smap_done(&tree->by_part);
}

static struct flt_path_tree *find_exact(const struct flt_path_tree *node, struct sv part)
{
	struct flt_path_tree *kid = node->exact;

	if (node->exact_count > KIDS_LISTED)
		return smap_get(&node->by_part, part);
	while (kid && !sv_eq(kid->part, part))
		kid = kid->next;
	return kid;
}

static struct flt_path_tree *find_pattern(const struct flt_path_tree *node, struct sv part)
{
	struct flt_path_tree *kid = node->patterns;

	while (kid && !sv_eq(kid->part, part))
		kid = kid->next;
	return kid;
}

/* @kid is new in the list; once there are many, all go to the map, too. */
static bool map_exact(struct flt_path_tree *node, struct flt_path_tree *kid)
{
	struct flt_path_tree *last = node->exact_count == KIDS_LISTED ? NULL : kid->next;

	if (++node->exact_count <= KIDS_LISTED)
		return true;
	for (; kid != last; kid = kid->next)
		if (smap_put(&node->by_part, kid->part, kid) < 0)
			return false;
	return true;
}

/* The kid of @node for @part, made if there is none. NULL: out of memory. */
static struct flt_path_tree *kid_for(struct flt_path_tree *node, struct sv part,
				     struct arena *arena)
{
	bool is_pattern = flt_glob_is_pattern(part);
	struct flt_path_tree *kid = is_pattern ? find_pattern(node, part) : find_exact(node, part);
	struct flt_path_tree **list = is_pattern ? &node->patterns : &node->exact;

	if (kid)
		return kid;
	kid = arena_zalloc(arena, 1, sizeof(*kid));
	if (!kid)
		return NULL;
	kid->part = part;
	kid->next = *list;
	*list = kid;
	return is_pattern || map_exact(node, kid) ? kid : NULL;
}

bool flt_path_tree_add(struct flt_path_tree *tree, struct sv prefix, struct arena *arena)
{
	struct sv part;

	while (tree && next_part(&prefix, &part))
		tree = kid_for(tree, part, arena);
	if (tree)
		tree->ends = true;
	return tree != NULL;
}

bool flt_path_tree_matches(const struct flt_path_tree *tree, struct sv path)
{
	const struct flt_path_tree *kid;
	struct sv part;

	if (tree->ends)
		return true;
	if (!next_part(&path, &part))
		return false;
	kid = find_exact(tree, part);
	if (kid && flt_path_tree_matches(kid, path))
		return true;
	for (kid = tree->patterns; kid; kid = kid->next)
		if (flt_glob_matches(kid->part, part, false) && flt_path_tree_matches(kid, path))
			return true;
	return false;
}

static bool part_matches(struct sv want, struct sv part)
{
	return flt_glob_is_pattern(want) ? flt_glob_matches(want, part, false) : sv_eq(want, part);
}

bool flt_path_matches(struct sv prefix, struct sv path)
{
	struct sv want, part;

	while (next_part(&prefix, &want))
		if (!next_part(&path, &part) || !part_matches(want, part))
			return false;
	return true;
}
