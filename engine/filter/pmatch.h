/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path prefixes: a path matches a constant if the constant's parts are the first parts of the path.
 * Parts are what stands between slashes; empty ones do not count. A part with "*", "?" or "[" is a
 * pattern for that one part. Ownership: a tree lives in the arena it is built in and points into
 * the constants.
 */
#ifndef ENGINE_FILTER_PMATCH_H
#define ENGINE_FILTER_PMATCH_H

#include "base/arena.h"

struct flt_path_tree;

/* NULL: out of memory. */
struct flt_path_tree *flt_path_tree_new(struct arena *arena);
/* Release what is not in the arena; NULL is fine. */
void flt_path_tree_done(struct flt_path_tree *tree);
/* False: out of memory. */
bool flt_path_tree_add(struct flt_path_tree *tree, struct sv prefix, struct arena *arena);
/* Does @path match any of the constants? */
bool flt_path_tree_matches(const struct flt_path_tree *tree, struct sv path);
/* The same for one constant, directly. */
bool flt_path_matches(struct sv prefix, struct sv path);

#endif
