/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of work (regress/shard.h) as files, for commands: what is wrong is told. */
#ifndef CLI_WORKLIST_H
#define CLI_WORKLIST_H

#include "cli/cli.h"
#include "regress/shard.h"

/* All of a text that is to have at most @most bytes; "-": standard input. Return: 0 or an exit
 * status. */
int cli_read_text(const char *path, size_t most, struct buf *out);
/* @out is to be freed by reg_list_done(). Return: 0 or an exit status. */
int cli_read_worklist(const char *path, struct reg_list *out);

#endif
