/* SPDX-License-Identifier: Apache-2.0 */
/* Walking a capture without rules: what 'events' and 'info' share. */
#ifndef CLI_WALK_H
#define CLI_WALK_H

#include "cli/cli.h"
#include "replay/moment.h"
#include "scapfile/index.h"

struct cli_walk {
	/* Set by the caller: */
	const struct cli_common *common;
	const struct flt_program *program; /* sealed; NULL: no context is made */
	struct run_window window;
	bool want_hash;
	bool no_containers;	       /* threads belong to the host whatever their cgroups say */
	bool as_rules;		       /* users are named as in a replay with rules */
	bool internal;		       /* also events that only describe the state */
	const char *const *suppressed; /* commands to ignore, NULL-terminated; or NULL */
	/* What lies outside the window, before event @first_event, and before what the state at
	 * @at needs is of no interest: an index may spare reading it. @begin then goes on from
	 * these parts (1 << RUN_PART_*) of the checkpoint. */
	bool may_enter;
	unsigned parts;
	uint64_t first_event;
	/* Of no interest is also what lies in a chunk of an index for which this is false; NULL: it
	 * is. Not together with @begin and @fed. */
	bool (*matters)(void *arg, const struct sf_chunk *c);
	/* The walk ends at that moment; @end then sees the state with pending removals carried out.
	 */
	const struct run_moment *at; /* NULL: all events, the state as the last one left it */
	/* When the state is there, before the first item; may be NULL. */
	int (*begin)(void *arg, struct cli_walk *w, struct error *err);
	/* Each event the state took, shown or not; may be NULL. */
	void (*fed)(void *arg, struct cli_walk *w, const struct state_binding *b);
	/* Each visible event within the window; may be NULL. Return: 0 to go on, 1 to stop the
	 * walk, or an exit status below 0. */
	int (*event)(void *arg, struct cli_walk *w, const struct state_binding *b);
	/* The types of events that are of interest; of others it is enough to count them in
	 * @unseen, if @event is not called for them. NULL: all. Not together with @fed, @item, @at
	 * and @first_event. */
	const struct flt_types *looked_at;
	/* Each item of the capture, before the state takes it; may be NULL. */
	void (*item)(void *arg, struct cli_walk *w, const struct ev_item *item);
	/* Each operation through io_uring the state took; may be NULL. */
	void (*operation)(void *arg, struct cli_walk *w, const struct state_binding *b);
	/* After the last event, while reader and state are still there; may be NULL. */
	void (*end)(void *arg, struct cli_walk *w);
	void *arg;
	/* For the callbacks: */
	struct sf_reader *reader;
	struct state *state;
	struct flt_ctx *ctx;
	const struct sf_index *index; /* in @begin: the state is that of its chunk @chunk */
	size_t chunk;		      /* 0: the walk begins at the start */
	uint64_t chunk_end;	      /* with @matters: the offset at which another one begins */
	struct run_span span;
	struct state_passing passing; /* with @looked_at */
	uint64_t unseen;	      /* visible events within the window that are not looked at */
	uint64_t stop_at;	      /* offset behind which nothing is of interest; 0: not known */
	uint64_t gaps;		      /* of the whole capture, if an index knows them */
	uint64_t moment;	      /* the time of @at, once known; 0: not known */
	bool past;		      /* stopped at the moment */
	bool reached;		      /* something of interest came */
	bool cut;		      /* stopped before the end, on request or by a limit */
};

/* The value of --at: a time as cli_take_time() takes it, or evt:N. Return: 0 or CLI_USAGE (told).
 */
int cli_take_moment(const char *option, const char *value, struct run_moment *out);
/* Walk one capture and tell what is wrong with it. Return: an exit status. */
int cli_walk_capture(struct cli_walk *w, const char *path);

#endif
