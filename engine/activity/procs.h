/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lives of processes: who started each, when, how it ended; and what those that are gone were.
 * Fed by the state's observer: install act_procs_observer(), or call its functions from one's own.
 * Units: nanoseconds since the epoch, 0: not known. Threads: as the state.
 */
#ifndef ENGINE_ACTIVITY_PROCS_H
#define ENGINE_ACTIVITY_PROCS_H

#include "base/archive.h"
#include "engine/state/state.h"

#define ACT_DEAD_MAX 200000 /* processes remembered after their end */

struct act_proc {
	uint64_t key;	     /* running number: by time of appearance; never used again */
	uint64_t parent_key; /* of the process that started it; 0: not known */
	int64_t pid, ppid;   /* @ppid: of who started it; -1: not known */
	struct sv parent_name;
	bool from_start;  /* it was there when the capture began */
	bool placeholder; /* known by its number only */
	bool dead, tag;	  /* @tag: the caller's, false at first */
	uint32_t execs;	  /* since it appeared */
	uint64_t start_ts, start_evt;
	uint64_t end_ts, end_evt; /* its last thread's exit */
	int64_t status;		  /* as of wait(2); -1: not known */
	/* Of the dead only: what they were at last. Texts live as long as the tracker. */
	struct sv comm, exe, exepath, cwd, container;
	struct sv args; /* NUL-terminated strings back to back, the last one without its NUL */
	uint32_t arg_count;
	int64_t vpid, sid, pgid, vpgid;
	uint32_t uid, gid, loginuid, tty, exec_count;
	uint64_t exec_ts, cap_inheritable, cap_permitted, cap_effective;
};

struct act_procs_stats {
	uint64_t dropped; /* dead ones not remembered, living ones not followed */
	size_t memory;
};

struct act_procs;

/* @keep_dead: remember those that ended. */
MUST_CHECK int act_procs_new(bool keep_dead, struct act_procs **out, struct error *err);
void act_procs_free(struct act_procs *p); /* NULL is fine */
struct state_observer act_procs_observer(struct act_procs *p);
/* The living process whose main thread has this number; NULL: not followed. */
struct act_proc *act_procs_find(const struct act_procs *p, int64_t tid);
/* The living process that @t belongs to, or NULL. */
struct act_proc *act_procs_of(const struct act_procs *p, const struct state_thread *t);
/* for (size_t at = 0; (d = act_procs_next_dead(p, &at));) in order of their ends */
const struct act_proc *act_procs_next_dead(const struct act_procs *p, size_t *at);
/* The one whose removal was observed last if it was kept, to set its @tag; else NULL. */
struct act_proc *act_procs_last_dead(struct act_procs *p);
const struct act_procs_stats *act_procs_stats(const struct act_procs *p);
/*
 * The living and the numbering, to bytes or from them into a new tracker; tags are left out: of
 * what is restored they are false. Equal trackers give equal bytes, whether or not they remember
 * the dead. What makes no sense is trouble of the archive. Return: 0 or ERR_NOMEM.
 */
MUST_CHECK int act_procs_archive(struct act_procs *p, struct archive *a);
/*
 * The same for the dead, without the first @from of them when saving; what is restored is added.
 */
MUST_CHECK int act_procs_archive_dead(struct act_procs *p, size_t from, struct archive *a);
/* They are kept elsewhere: room for others. */
void act_procs_forget_dead(struct act_procs *p);

#endif
