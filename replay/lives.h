/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a capture as lives: from appearance to removal, so that a number that is used
 * again is another life; and who is needed to tell about whom. Two passes over the same events from
 * the same place give the same lives the same numbers.
 * Threads: one object, one thread.
 */
#ifndef REPLAY_LIVES_H
#define REPLAY_LIVES_H

#include "engine/state/state.h"

#define RUN_LIVES_MAX (1u << 24)
#define RUN_NO_LIFE   UINT32_MAX

enum run_want { /* of a process */
		RUN_WANT_NOTHING,
		RUN_WANT_LIFE,	  /* that it began and ended: others count it */
		RUN_WANT_CONTEXT, /* what changes it: others refer to it, or come from it */
		RUN_WANT_ALL,
};

struct run_life {
	int64_t pid;
	uint32_t parent; /* who made it; RUN_NO_LIFE: not known */
	uint32_t section;
	uint64_t first, last; /* offsets of its events of interest; last 0: none */
	uint64_t generation;  /* of the thread whose references were noted last */
	uint8_t want;	      /* enum run_want */
	bool refers;	      /* it is shown with those it refers to */
	bool judged;	      /* @want takes its parent into account */
};

struct run_lives {
	struct run_life *list;
	uint32_t count, cap;
	uint32_t next; /* the one that begins next: below @count in a second pass */
	uint32_t section;
	struct map by_pid;    /* number -> index + 1 of the present life */
	struct map edges;     /* (who, of whom, as what) */
	bool enumerated;      /* those that were there before the first event */
	bool nomem;	      /* or over the limit: nothing can be said any more */
	uint32_t *pid_params; /* by event type: which parameters are numbers of processes */
};

MUST_CHECK int run_lives_init(struct run_lives *l, struct error *err);
void run_lives_done(struct run_lives *l);
/* The same events come again: lives begin anew, and are still wanted as they were. */
void run_lives_rewind(struct run_lives *l);
/* Watch @st from now on, from its first item or as restored. */
void run_lives_attach(struct run_lives *l, struct state *st);
/* A section begins: nobody lives on. */
void run_lives_section(struct run_lives *l);

/* The present life of @t's process, or RUN_NO_LIFE. */
uint32_t run_lives_of(const struct run_lives *l, const struct state_thread *t);
/* That of process @pid, or RUN_NO_LIFE. */
uint32_t run_lives_find(const struct run_lives *l, int64_t pid);
/* An event of interest of @t: note it, and whom fields of it may look at. */
void run_lives_note(struct run_lives *l, const struct state *st, const struct state_thread *t,
		    struct ev *ev, uint64_t offset);
/* Who is whose child now. */
void run_lives_note_parents(struct run_lives *l, const struct state *st);

/*
 * Those that are wanted are marked: mark what follows from it. @descendants: of those with
 * RUN_WANT_ALL, too. Return: 0 or ERR_NOMEM.
 */
MUST_CHECK int run_lives_close(struct run_lives *l, bool descendants, struct error *err);

#endif
