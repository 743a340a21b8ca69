/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter/pmatch.h"

#include "engine/filter/glob.h"

/*
 * One node per part of the constants. A node is reached at one part of the path only, so a match
 * visits each node at most once, patterns included; constants are short, which limits the depth.
 */
struct flt_path_tree {
	struct sv part;
	bool is_pattern;
	bool ends; /* a constant ends here: everything below matches */
	struct flt_path_tree *kids, *next;
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

static struct flt_path_tree *kid_for(struct flt_path_tree *node, struct sv part,
				     struct arena *arena)
{
	struct flt_path_tree *kid = node->kids;

	while (kid && !sv_eq(kid->part, part))
		kid = kid->next;
	if (kid)
		return kid;
	kid = arena_zalloc(arena, 1, sizeof(*kid));
	if (!kid)
		return NULL;
	kid->part = part;
	kid->is_pattern = flt_glob_is_pattern(part);
	kid->next = node->kids;
	node->kids = kid;
	return kid;
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

static bool part_matches(struct sv want, bool is_pattern, struct sv part)
{
	return is_pattern ? flt_glob_matches(want, part, false) : sv_eq(want, part);
}

bool flt_path_tree_matches(const struct flt_path_tree *tree, struct sv path)
{
	struct sv part;

	if (tree->ends)
		return true;
	if (!next_part(&path, &part))
		return false;
	for (const struct flt_path_tree *kid = tree->kids; kid; kid = kid->next)
		if (part_matches(kid->part, kid->is_pattern, part) &&
		    flt_path_tree_matches(kid, path))
			return true;
	return false;
}

bool flt_path_matches(struct sv prefix, struct sv path)
{
	struct sv want, part;

	while (next_part(&prefix, &want)) {
		if (!next_part(&path, &part) ||
		    !part_matches(want, flt_glob_is_pattern(want), part))
			return false;
	}
	return true;
}
