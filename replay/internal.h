/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared inside replay/: what a replay finds on its way (run_out), one thread's way through a
 * capture or a part of it (run_lane), what it found waiting for its turn (run_log), and the parts
 * of a capture that are replayed side by side (run_plan).
 */
#ifndef REPLAY_INTERNAL_H
#define REPLAY_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/state/tally.h"
#include "query/facts.h"
#include "replay/replay.h"
#include "scapfile/index.h"

/* --- what is found --- */

struct run_out;

struct run_process_end { /* as for qry_process_end() */
	uint64_t key, ts, evt_num;
	int64_t status;
};

struct run_out_ops { /* in the order of the events; each returns 0 or ERR_* */
	int (*alert)(struct run_out *o, const struct run_alert *a, struct error *err);
	int (*process_start)(struct run_out *o, const struct qry_process *p, struct error *err);
	int (*process_exec)(struct run_out *o, const struct qry_exec *x, struct error *err);
	int (*process_end)(struct run_out *o, const struct run_process_end *e, struct error *err);
	int (*fact)(struct run_out *o, const struct qry_fact *f, struct error *err);
};

struct run_out { /* first member of every implementation */
	const struct run_out_ops *ops;
};

struct run_gather; /* replay/gather.h */

/* --- processes.c: processes for the case --- */

struct run_processes;
struct run_processes *run_processes_new(struct run_out *out); /* NULL when out of memory */
void run_processes_free(struct run_processes *p);
/* Observe @st from now on; call before its first item. Forgets all processes of an earlier state.
 */
void run_processes_attach(struct run_processes *p, struct state *st);
/*
 * The same for a state that goes on from a checkpoint, of which act_procs_archive() made @bytes.
 * Which processes known by number only have been written already is not known: they are started
 * again when it matters. Return: 0, ERR_FORMAT, ERR_NOMEM.
 */
MUST_CHECK int run_processes_restore(struct run_processes *p, struct state *st, struct sv bytes,
				     struct error *err);
/* Key of the process @t belongs to, 0: not known. */
uint64_t run_processes_key(struct run_processes *p, const struct state *st,
			   const struct state_thread *t);
/* At the end of a capture, before its state goes: write what is still unwritten, and stop
 * observing. */
void run_processes_finish(struct run_processes *p, struct state *st);
/* What is known of them as bytes: equal ones for equal knowledge. */
MUST_CHECK int run_processes_image(struct run_processes *p, struct buf *out, struct error *err);
/* From now on they go to @out; NULL: nowhere. */
void run_processes_redirect(struct run_processes *p, struct run_out *out);
/* Around a section's start, which removes all threads in any order: before with @ends, then
 * without.
 */
void run_processes_section(struct run_processes *p, const struct state *st, bool ends);
/* Another observer of the state, borrowed; NULL: none. */
void run_processes_also(struct run_processes *p, const struct state_observer *more);
/* Tell @g, which is borrowed, which processes ended; NULL: nobody. */
void run_processes_gather(struct run_processes *p, struct run_gather *g);
/* The first failure to write, or 0. */
int run_processes_error(const struct run_processes *p, struct error *err);

/* --- lane.c: one thread's way --- */

struct run_setup { /* what all threads of a run share; constant once made */
	struct rule_engine *engine;
	struct run_options opt;
	const struct rule *rules;
	size_t rule_count;
	const struct flt_format **field_formats; /* per rule: its output with the time in front */
	bool has_filter;
	bool asks_first; /* before rules see an event: there is a filter, or a profile */
	unsigned filter_id;
};

struct run_lane {
	const struct run_setup *setup;
	struct run_out *out;	  /* not owned */
	struct sf_reader *reader; /* NULL: the source is no file, and somebody else's */
	struct ev_source *source;
	struct state *state;
	struct flt_ctx *ctx;
	struct run_processes *processes; /* NULL: nobody wants them */
	struct run_gather *gather;	 /* likewise */
	struct sv hostname;
	struct run_span span;
	struct state_passing passing;
	struct state_tally tally;  /* of what is passed, with @gather */
	bool gates[EV_TYPE_COUNT]; /* do rules refuse threads, of types that @gather wants? */
	const struct rule **hits;  /* room for all rules */
	struct buf message, line, fields;
};

/* @l is storage. Return: 0 or ERR_NOMEM; run_lane_done() in any case. */
MUST_CHECK int run_lane_init(struct run_lane *l, const struct run_setup *setup, struct run_out *out,
			     struct error *err);
void run_lane_done(struct run_lane *l);
/* @l has a state from now on, new or restored; @procs: as for run_processes_restore(), NULL when
 * it is new. */
MUST_CHECK int run_lane_begin(struct run_lane *l, const struct sv *procs, struct error *err);
/* Follow sockets and sessions, too: from here on, or from checkpoint @chunk of @x. */
MUST_CHECK int run_lane_follow(struct run_lane *l, const struct sf_index *x, size_t chunk,
			       struct error *err);
/* Take one item without telling anybody. Return: as state_feed(). */
MUST_CHECK int run_lane_skip(struct run_lane *l, const struct ev_item *item,
			     struct state_binding *bind, struct error *err);
/* From now on what is found goes to @out. */
void run_lane_redirect(struct run_lane *l, struct run_out *out);
/* Pass on what is gathered; it ends here, but not the capture. */
MUST_CHECK int run_lane_pause(struct run_lane *l, struct error *err);
/*
 * The next item to be taken. Up to @max events may be taken before; they are added to @n. Return:
 * as ev_source_next(), or what run_lane_take() fails with.
 */
MUST_CHECK int run_lane_next(struct run_lane *l, uint64_t max, struct ev_item *item, uint64_t *n,
			     struct error *err);
/* Take one item: feed the state, show the event to the rules. */
MUST_CHECK int run_lane_take(struct run_lane *l, const struct ev_item *item, struct error *err);
/* After the last item; @rc is how that ended. Return: @rc, or the first failure. */
int run_lane_finish(struct run_lane *l, int rc, struct error *err);
/* Forget the capture. */
void run_lane_close(struct run_lane *l);

/* --- log.c: what was found, until its turn comes --- */

#define RUN_LOG_BLOCK (64u << 10)
#define RUN_LOG_MAX   (4u << 20) /* bytes of one log that may wait */

struct run_log_block;

/*
 * Filled by one thread, emptied by another. Who fills a log that is full waits until there is room;
 * so it must be emptied, or given up.
 */
struct run_log {
	struct run_out out; /* where to put things */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct run_log_block *first, *last; /* full ones, to be taken */
	struct run_log_block *filling;	    /* of who fills; not locked */
	size_t waiting;			    /* bytes of full ones */
	bool closed, given_up;
};

MUST_CHECK int run_log_init(struct run_log *l, struct error *err);
void run_log_done(struct run_log *l); /* zeroed storage is fine */
/* Empty, and open again; nobody uses it meanwhile. */
void run_log_reopen(struct run_log *l);
/* By who fills it: nothing follows. */
void run_log_close(struct run_log *l);
/* Nobody will take from it any more: putting fails with ERR_INTERRUPTED from now on. */
void run_log_give_up(struct run_log *l);
/*
 * Pass on to @to what is there, waiting for something for at most @ns. Return: 1 if more may
 * follow, 0 if that was all, or what @to fails with.
 */
MUST_CHECK int run_log_pass_on(struct run_log *l, struct run_out *to, uint64_t ns,
			       struct error *err);

/* --- parallel.c --- */

/*
 * Why a capture whose index is @x cannot be replayed by several threads with the same results;
 * NULL: it can be.
 */
const char *run_parallel_obstacle(const struct run_setup *s, const struct sf_index *x,
				  enum sf_compression compression);

struct run_parallel {
	const struct run_setup *setup;
	const char *path;
	const struct sf_index *index;
	const atomic_bool *stop; /* end soon */
	struct run_out *out;	 /* receives what is found, in the order of the events */
	void (*tick)(void *arg, uint64_t events); /* now and then: how many events are done */
	void *arg;
	/* Filled: */
	bool out_failed;
	bool index_failed; /* it is of no use: one thread began anew */
	enum run_end end;
	struct state *state; /* as the replay left it; the caller's; NULL: it did not begin */
	struct sf_stats stats;
	struct sf_gap *gaps; /* the caller's */
	size_t gap_count;
	size_t peak_state_memory; /* of one thread's */
};

/*
 * Replay a capture with so many threads as the options say. Return: 0, what the capture cannot be
 * read with, what @out fails with.
 */
MUST_CHECK int run_parallel_replay(struct run_parallel *p, struct error *err);

#endif
