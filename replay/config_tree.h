/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Falco configuration files as one tree: environment expansion, included files, overrides by path.
 * Nodes live in the caller's arena and are never changed in place: an update makes new ones along
 * its path.
 */
#ifndef REPLAY_CONFIG_TREE_H
#define REPLAY_CONFIG_TREE_H

#include "engine/rules/yaml.h"

/* Read @path with the files its config_files key names. *out is a map. */
MUST_CHECK int run_tree_read(const char *path, struct arena *arena,
			     const struct rule_yaml_node **out, struct error *err);
/* Apply "a.b[0].c=value"; "[]" appends to a sequence; a value "{...}" is a YAML flow map. @tree may
 * be NULL. */
MUST_CHECK int run_tree_override(const char *assignment, struct arena *arena,
				 const struct rule_yaml_node *tree,
				 const struct rule_yaml_node **out, struct error *err);
/* @text with ${NAME} replaced by environment variables (unset: empty); $${NAME} stays ${NAME}. */
struct sv run_tree_expand(struct arena *arena, struct sv text);

#endif
