/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a moment as a tree: the living from the state, the dead from their tracker. */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include "cli/views.h"
#include "engine/activity/procs.h"

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

struct tree_node {
	struct state_thread *t;	  /* living; else NULL */
	const struct act_proc *p; /* what the tracker knows; NULL: nothing */
	uint64_t key;		  /* order among siblings */
	int64_t pid;
	size_t last_shown;	    /* of its children */
	size_t parent, first, next; /* TREE_NONE: none; children in order */
	unsigned depth;
	bool matched, shown, placed;
	bool in_branch; /* of the process that --pid names */
};

#define TREE_NONE SIZE_MAX

struct tree {
	struct tree_node *nodes;
	size_t count, cap;
	size_t *order; /* parents before children, siblings together */
	size_t order_count;
};

/* Return: 0 or ERR_NOMEM. */
MUST_CHECK int tree_build(struct tree *tree, const struct view *v, struct cli_walk *w,
			  const struct act_procs *procs, const struct tree_options *opt);
void tree_done(struct tree *tree);
/* Fill the view's table. Return: how many processes are shown. */
size_t tree_print(const struct tree *tree, struct view *v, struct cli_walk *w,
		  const struct tree_options *opt);
struct sv tree_container_id(const struct tree_node *n);

#endif
