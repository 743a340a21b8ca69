/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a moment as a tree: the living from the state, the dead from their tracker. */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include "cli/views.h"
#include "engine/activity/forest.h"

enum tree_column {
	TREE_CAPTURE,
	TREE_PID,
	TREE_TID,
	TREE_PPID,
	TREE_STARTED_BY,
	TREE_STARTED_BY_NAME,
	TREE_DEPTH,
	TREE_ALIVE,
	TREE_KIND,
	TREE_MATCHED,
	TREE_USERS,
	TREE_UID,
	TREE_USER,
	TREE_GID,
	TREE_LOGINUID,
	TREE_LOGIN_USER,
	TREE_START,
	TREE_EXEC,
	TREE_EXIT,
	TREE_EXEC_COUNT,
	TREE_STATUS,
	TREE_SID,
	TREE_TTY_NAME,
	TREE_TTY,
	TREE_PGID,
	TREE_VPGID,
	TREE_VPID,
	TREE_CONTAINER,
	TREE_CONTAINER_ID,
	TREE_NAME,
	TREE_EXE,
	TREE_EXEPATH,
	TREE_CWD,
	TREE_THREADS,
	TREE_CAPS_EFFECTIVE,
	TREE_CAPS_PERMITTED,
	TREE_CAPS_INHERITABLE,
	TREE_COMMAND,
	TREE_ARGS,
};

#define TREE_DRAW_DEPTH 64 /* deeper ones are drawn as deep as this */

struct tree_options {
	bool dead, threads, flat;
	int64_t pid; /* -1: all */
};

/* The processes and what the filter leaves of them, in the order of rows. Return: 0 or ERR_NOMEM.
 */
MUST_CHECK int tree_build(struct act_forest *f, const struct view *v, struct cli_walk *w,
			  const struct act_procs *procs, const struct tree_options *opt);
/* Fill the view's table. Return: how many processes are shown. */
size_t tree_print(const struct act_forest *f, struct view *v, struct cli_walk *w,
		  const struct tree_options *opt);

#endif
