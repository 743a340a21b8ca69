/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For live tests of the recorder: processes that make calls when told to, and a tally of what was
 * recorded of them.
 */
#ifndef CAPTURE_TESTS_RECORDING_H
#define CAPTURE_TESTS_RECORDING_H

#include <sys/types.h>

#include "capture/recorder.h"

struct worker {
	pid_t pid;
	int go; /* a pipe */
};

/* @work runs in a new process once worker_run() is called, which waits for its end. */
struct worker worker_start(void (*work)(long n), long n);
void worker_run(struct worker *w);
/* Or in two steps. */
void worker_go(struct worker *w);
void worker_wait(struct worker *w);

void work_open_and_close(long n);
void work_ask_parent(long n);
void work_write_much(long n);
void work_have_a_child(long n); /* both ask for their parent @n times */

/* Exactly the calls in the list @set, no first state, little memory. */
struct rec_options recording_options(const char *set);
/* Skips the test where it is not permitted. */
struct rec *recording_open(const struct rec_options *opt);

struct tally {
	uint64_t events, losses, lost, disorder;
	uint64_t of_type[EV_TYPE_COUNT], lost_of_type[EV_TYPE_COUNT];
	uint64_t by_reason[EV_LOSS_REASONS];
	uint64_t foreign; /* of other threads than @tid */
	uint64_t last_ts; /* the latest */
	int64_t tid;	  /* 0: any */
	unsigned last_type;
};

void tally_add(struct tally *t, const struct ev_item *item);
/* Stop the recorder, take all that is left, close it. */
void tally_finish(struct rec *r, struct tally *t, struct rec_stats *stats);
/* Record while @w does its work; all that came, with those of others as foreign. */
struct tally record_worker(const struct rec_options *opt, struct worker *w,
			   struct rec_stats *stats);
/* What was seen was delivered or is told to be lost. */
void tally_check(const struct tally *t, const struct rec_stats *stats);

#endif
