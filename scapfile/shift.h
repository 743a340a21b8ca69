/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items of one capture made fit to stand among those of others: thread ids of another machine get
 * numbers of their own, times are moved. Which parameters are ids or times follows from the event
 * tables; those of the thread's own namespace (vtid, vpid, vpgid, sid) are compared with each other
 * only and stay as they are, and so do 0 and negative numbers, which are no ids.
 * Units: nanoseconds. Ownership: items are borrowed; a shifted one is valid until the next call.
 * Threads: a plan is constant once made; a shift belongs to one thread at a time.
 */
#ifndef SCAPFILE_SHIFT_H
#define SCAPFILE_SHIFT_H

#include "base/buf.h"
#include "scapfile/source.h"

struct sf_shift_params { /* bit i: parameter i; 64-bit unless it is one of @narrow */
	uint32_t ids, narrow, times;
	uint32_t boot_times; /* since the machine was started */
};

struct sf_shift_plan { /* made of the tables, once */
	struct sf_shift_params events[EV_TYPE_COUNT];
	struct sf_shift_params uring, hash, thread_facts, fd_facts;
};

struct sf_shift {
	const struct sf_shift_plan *plan;
	int64_t ids;	 /* added to thread ids */
	int64_t ns;	 /* added to times */
	int64_t boot_ns; /* added to times since the machine was started */
	/* Implementation: */
	struct buf bytes;
	struct ev ev;
	union {
		struct ev_thread_entry thread;
		struct ev_fd_entry fd;
		struct ev_machine machine;
		struct ev_loss loss;
	};
};

void sf_shift_plan_init(struct sf_shift_plan *p);
/* Shift @item. Return: 0, or ERR_NOMEM. */
MUST_CHECK int sf_shift_item(struct sf_shift *s, struct ev_item *item, struct error *err);
void sf_shift_done(struct sf_shift *s);

#endif
