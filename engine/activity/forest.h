/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a moment as trees: the living from the state, the dead from their tracker; and
 * what each of them is, whichever it comes from. Ownership: nodes borrow from state and tracker,
 * until either changes. Threads: as the state.
 */
#ifndef ENGINE_ACTIVITY_FOREST_H
#define ENGINE_ACTIVITY_FOREST_H

#include "base/buf.h"
#include "engine/activity/procs.h"

#define ACT_NO_NODE SIZE_MAX

struct act_node {
	struct state_thread *t;	  /* living; else NULL */
	const struct act_proc *p; /* what the tracker knows; NULL: nothing */
	uint64_t key;		  /* order among siblings; UINT64_MAX: not known to the tracker */
	int64_t pid;
	size_t parent, first, next; /* ACT_NO_NODE: none; children in order */
	size_t last_shown;	    /* of its children, after act_forest_choose() */
	unsigned depth;
	bool placed;
	bool matched, shown, in_branch; /* see act_forest_choose() */
};

struct act_forest {		/* zeroed: empty */
	struct act_node *nodes; /* by @key, then by number */
	size_t count, cap;
	size_t *order; /* @count of them: parents before children, siblings together */
};

struct act_forest_options {
	bool dead;	     /* also those that ended */
	uint64_t dead_since; /* then or later; 0: whenever */
	/* Under who started it while that is there; else under whose child it is now. */
	bool by_origin;
	/* Does it match? NULL: all do. */
	bool (*matches)(void *arg, const struct act_node *n);
	void *arg;
};

/* What was built before is freed. Whatever hangs in a loop of parents begins a tree of its own.
 * Return: 0 or ERR_NOMEM (it is empty then). */
MUST_CHECK int act_forest_build(struct act_forest *f, const struct state *st,
				const struct act_procs *procs,
				const struct act_forest_options *opt);
void act_forest_done(struct act_forest *f);
/*
 * Set @shown of what matches and of its ancestors, and @last_shown accordingly. @pid: only that
 * process and what is below it matches (@in_branch); -1: all. @children: what is below something
 * that matches is shown, too.
 */
void act_forest_choose(struct act_forest *f, int64_t pid, bool children);
/* The node with that @key, or (UINT64_MAX) of that number; ACT_NO_NODE: none. */
size_t act_forest_find(const struct act_forest *f, uint64_t key, int64_t pid);
/* The first that does not come before that one; @count: all do. */
size_t act_forest_place(const struct act_forest *f, uint64_t key, int64_t pid);

/* --- what a process is */

struct act_identity {
	uint32_t uid, gid, loginuid, tty, exec_count;
	int64_t vpid, sid, pgid, vpgid;
	uint64_t start_ts, exec_ts, cap_inheritable, cap_permitted, cap_effective;
	const struct state_str *container; /* of the living */
	struct sv comm, exe, exepath, cwd, container_id;
};
struct act_identity act_identity_of_thread(const struct state_thread *t);
/* Of the living as they are, of the dead as they were at last. */
struct act_identity act_node_identity(const struct act_node *n);
/* Known by its number only. */
bool act_node_is_placeholder(const struct act_node *n);
/* A task of the kernel: no image, no arguments. */
bool act_node_is_kernel(const struct act_node *n);
/* It was started by another process than the one it hangs under. */
bool act_node_is_moved(const struct act_forest *f, const struct act_node *n);
/* The command as a person typed it; "[kthreadd]"; "(not described)". */
void act_node_command(struct buf *b, const struct act_node *n);

#endif
