/* SPDX-License-Identifier: Apache-2.0 */
/* What the passes of a slice share: replay/slice*.c only. */
#ifndef REPLAY_SLICE_INTERNAL_H
#define REPLAY_SLICE_INTERNAL_H

#include "replay/slice.h"

/* What tick() returned, apart from our own results. */
#define RUN_SLICE_STOPPED 2

struct run_part_of_slice { /* of one section: offsets of the first and last item to be written */
	uint64_t first, last;
	bool any;
	uint64_t loss_first, loss_last; /* of records of losses; last 0: none */
};

struct run_slice {
	const struct run_slice_options *opt;
	struct run_lives lives;
	struct run_part_of_slice *parts; /* by section */
	uint32_t nparts, parts_cap;
	bool surveyed;
	struct run_slice_found found;
	/* The pass in progress. */
	struct sf_reader *reader;
	struct state *state;
	struct flt_ctx *ctx;
	struct run_span span;
	uint64_t stop_at; /* offset behind which nothing is of interest */
	uint64_t items;
	bool matched; /* the process that is meant was found */
	bool cut_seen;
	struct sf_writer *writer;
	bool began; /* the state of this section was written */
	int stopped;
};

/* Was an event asked for, by its place? @num: its own, or that of the last one before an operation.
 */
bool run_slice_in_window(const struct run_slice *s, const struct ev *ev, uint64_t num);
bool run_slice_loss_in_window(const struct run_slice *s, const struct ev_loss *l);
/* Times that count from the first event are known once it came. */
void run_slice_note_first(struct run_slice *s, const struct state_binding *b);
/* A pass: @r was just opened, and is the caller's. */
MUST_CHECK int run_slice_begin(struct run_slice *s, struct sf_reader *r, const struct sf_index *x,
			       struct error *err);
void run_slice_end(struct run_slice *s);
/* Once for each item. Return: 0 to go on, RUN_SLICE_STOPPED, or ERR_*. */
MUST_CHECK int run_slice_limits(struct run_slice *s, struct error *err);
/* NULL: no memory (latched). */
struct run_part_of_slice *run_slice_part(struct run_slice *s, uint32_t section);
/* Is it shown, and does it pass the condition? */
bool run_slice_passes(struct run_slice *s, const struct state_binding *b);
/* Whose event it is; NULL: of no thread, or not known. */
const struct state_thread *run_slice_thread(const struct run_slice *s,
					    const struct state_binding *b);
/* Is nothing of interest in @item and behind it? */
bool run_slice_is_behind(const struct run_slice *s, const struct ev_item *item);

#endif
