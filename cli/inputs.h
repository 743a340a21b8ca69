/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs that several commands take: rule files and directories, command lines. */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

#include "cli/cli.h"

/*
 * Load @paths in order; a directory gives its .yaml and .yml files, sorted, not recursive. Errors
 * and warnings are told. Return: 0 or an exit status.
 */
int cli_load_rules(struct rule_loader *l, const char *const *paths, size_t count);
/* The files @path stands for; the caller frees each and the array. Return: 0 or an exit status. */
int cli_rule_paths(const char *path, char ***files, size_t *count);
/* "scapula replay 'a b'": quoted for a shell. */
void cli_quote_command(struct buf *b, int argc, char **argv);

#endif
