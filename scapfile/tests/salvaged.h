/* SPDX-License-Identifier: Apache-2.0 */
/* A small capture to damage, and what its salvage gives. */
#ifndef SCAPFILE_TESTS_SALVAGED_H
#define SCAPFILE_TESTS_SALVAGED_H

#include "scapfile/salvage.h"
#include "scapfile/tests/capture_builder.h"
#include "scapfile/tests/place.h"

#define EVENTS 40
#define HEAD   (28 + 192) /* section header and machine */
#define BLOCK  56	  /* of an event */

struct salvaged {
	struct sf_salvage_report report;
	struct buf out;		    /* the new capture */
	uint64_t times[2 * EVENTS]; /* of its events, which are no marks */
	size_t events, marks;
};

/* Of event @i of the clean capture. */
uint64_t time_of(size_t i);
void make_capture(struct capture *c);
char *event_at(struct buf *b, size_t i);

/* @opt: may be NULL. salvaged_done() must follow. What comes out passes the strict check. */
void salvage(struct place *place, const struct buf *damaged, const struct sf_salvage_options *opt,
	     struct salvaged *s);
/* The same, but it need not. */
void salvage_odd(struct place *place, const struct buf *damaged,
		 const struct sf_salvage_options *opt, struct salvaged *s);
void salvaged_done(struct salvaged *s);

/* The events [@from, @to) of the clean capture, in order, from position @at on. */
void expect_events(const struct salvaged *s, size_t at, size_t from, size_t to);

#endif
