/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines around one event, in one pass over the capture: lines before it wait in a ring, which
 * holds at most CLI_AROUND_BYTES. Units: nanoseconds.
 */
#ifndef CLI_AROUND_H
#define CLI_AROUND_H

#include "cli/cli.h"

#define CLI_AROUND_BYTES   (64u << 20)
#define CLI_AROUND_DEFAULT 10 /* shown events before and after */

struct cli_around_spec {
	uint64_t event;
	bool by_time;
	uint64_t span; /* nanoseconds, or shown events */
};

/* "1234", "1234±20", "1234+-20", "1234±500ms": a plain number counts events, a unit makes a time.
 */
bool cli_parse_around(const char *text, struct cli_around_spec *out);

struct cli_around {
	struct cli_around_spec spec; /* set by the caller */
	/* Implementation. */
	struct buf text; /* the waiting lines, from @head on */
	size_t head;
	struct cli_waiting {
		uint64_t ts;
		size_t len;
	} * waiting; /* of them from @first on, round the end; @room is 0 or a power of two */
	size_t first, count, room;
	uint64_t before;   /* lines that were given to wait */
	uint64_t first_ts; /* of the first of them */
	uint64_t cut_ts;   /* of the last one that had to go for want of room, else 0 */
	uint64_t after;	   /* lines shown since the event */
	uint64_t event_ts; /* once it came */
	bool found;
};

void cli_around_done(struct cli_around *a);
/*
 * A line before the event came: @line waits, unless or until it cannot belong to what will be
 * shown. Return: 0 or ERR_NOMEM.
 */
MUST_CHECK int cli_around_wait(struct cli_around *a, uint64_t ts, struct sv line);
/*
 * The event comes: append the lines before it to @out. Return: true, or false if lines are missing
 * for want of room; @why then receives how many.
 */
bool cli_around_found(struct cli_around *a, uint64_t ts, struct buf *out, struct buf *why);
/* After the event: may an event of time @ts still be shown? */
bool cli_around_goes_on(const struct cli_around *a, uint64_t ts);

#endif
