/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of a capture as a capture of its own: of a time, of a range of events, of some processes.
 * It begins with the state there, as lists and what they cannot say; a replay of it shows what a
 * replay of the whole shows of that part.
 *
 * Two passes: the survey finds where the part begins and ends and who is needed; the second writes.
 * Events that are needed and were not asked for are marked as changing the state only: those of
 * processes that others come from or refer to, and those out of order at the ends.
 * Units: nanoseconds; offsets of the uncompressed stream. Threads: one slice, one thread.
 */
#ifndef REPLAY_SLICE_H
#define REPLAY_SLICE_H

#include "engine/filter/filter.h"
#include "replay/lives.h"
#include "replay/replay.h"
#include "scapfile/index.h"
#include "scapfile/writer.h"

enum run_subject {
	RUN_OF_ALL,
	RUN_OF_PROCESS,	  /* @pid, as of @at */
	RUN_OF_EVENT,	  /* the process of event @event */
	RUN_OF_CONTAINER, /* all processes that are ever in it */
	RUN_OF_FILTER,	  /* events that pass */
};

struct run_slice_options {
	struct run_window window;
	uint64_t first_event, last_event; /* numbers; 0: no limit */
	enum run_subject subject;
	int64_t pid;
	uint64_t at_event, at_ts; /* when @pid is meant; 0: the first of that number */
	bool at_relative;	  /* @at_ts: after the first event */
	uint64_t event;
	const char *container;		   /* its id, the beginning of it, or its name */
	const struct flt_program *program; /* sealed */
	unsigned filter_id;
	bool descendants;      /* with the process: all it made, and what they made */
	bool group;	       /* and the others of its process group, likewise */
	unsigned up;	       /* not the process, but so many ancestors up */
	uint64_t memory_limit; /* of the state, bytes; 0: none */
	/* Asked for each item. Not 0: stop; the call returns it. */
	int (*tick)(void *arg, const struct sf_reader *r);
	void *tick_arg;
};

struct run_slice_found {
	uint64_t processes;  /* shown */
	uint64_t context;    /* others that are needed */
	uint64_t others;     /* further processes of the same number, which are not */
	uint64_t events;     /* written as they were */
	uint64_t state_only; /* written as changing the state only */
};

struct run_slice;

/* @opt is borrowed. Return: 0 or ERR_NOMEM. */
MUST_CHECK int run_slice_new(const struct run_slice_options *opt, struct run_slice **out,
			     struct error *err);
void run_slice_free(struct run_slice *s); /* NULL is fine */
/* Can it be done in one pass? Then the survey may be left out. */
bool run_slice_is_single_pass(const struct run_slice_options *opt);
/*
 * Look for the part in @path. @x: its index, or NULL.
 * Return: 1, 0: nothing of it is there; ERR_*; a positive value above 1 is tick()'s.
 */
MUST_CHECK int run_slice_survey(struct run_slice *s, const char *path, const struct sf_index *x,
				struct error *err);
/*
 * Write the part to @w, from @r, which was just opened on the same capture. Without a survey, the
 * whole of it is looked through. Return: as run_slice_survey().
 */
MUST_CHECK int run_slice_write(struct run_slice *s, struct sf_reader *r, const struct sf_index *x,
			       struct sf_writer *w, struct error *err);
const struct run_slice_found *run_slice_found(const struct run_slice *s);

#endif
