/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs that several commands take: rule files and directories, conditions, command lines. */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

#include "cli/cli.h"

/*
 * Load @paths in order; a directory gives its .yaml and .yml files, sorted, not recursive; both
 * may be inside of archives. Errors
 * and warnings are told. Return: 0 or an exit status.
 */
int cli_load_rules(struct rule_loader *l, const char *const *paths, size_t count);
/* The files @path stands for; the caller frees each and the array. Return: 0 or an exit status. */
int cli_rule_paths(const char *path, char ***files, size_t *count);
/* Call @each for every file that @paths stand for, until it returns something. Return: that, or an
 * exit status. */
int cli_each_rule_file(const char *const *paths, size_t count,
		       int (*each)(void *arg, const char *path), void *arg);
/* Tell what is wrong with condition @text: where, with the line and a caret under the place. */
void cli_tell_condition(const char *name, const char *text, struct flt_pos pos,
			const char *message);
/*
 * Add condition @text to @p; errors are told, @name says what it was given as ("--filter"). @node,
 * if not NULL, receives it as parsed, in @arena. Return: 0, CLI_USAGE or CLI_INTERNAL.
 */
int cli_add_condition(struct flt_program *p, const char *name, const char *text,
		      struct arena *arena, struct flt_node **node, unsigned *id);
/* "scapula replay 'a b'": quoted for a shell. */
void cli_quote_command(struct buf *b, int argc, char **argv);

#endif
