/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passed through a descriptor: the transfers of it around T, with the bytes the capture has of
 * each. Bounded: so many transfers and bytes before T, and as many behind it. Threads: that of the
 * program.
 */
#ifndef TUI_PAYLOAD_H
#define TUI_PAYLOAD_H

#include "base/arena.h"
#include "tui/app.h"

#define TUI_TRANSFERS_MAX 2000	     /* on either side of T */
#define TUI_PAYLOAD_MAX	  (8u << 20) /* bytes of all of them */

struct tui_transfer {
	uint64_t num, ts;  /* @num: the key of the event */
	int64_t fd, count; /* @count: of the call; below 0: it failed */
	bool out;	   /* written, sent */
	bool looked;	   /* @data is known */
	struct sv data;	   /* recorded */
};

struct tui_payload { /* zeroed: nothing */
	struct tui_events *events;
	struct arena texts;
	struct tui_transfer *all; /* in order */
	size_t count, cap, bytes;
	uint64_t t;		/* the event they are around */
	uint64_t at;		/* where the search goes on */
	bool back_done, done;	/* searching */
	bool more_before, more; /* than are kept */
	size_t looked;
	struct buf condition; /* for a command line */
	int64_t pid;
	struct error trouble; /* code 0: none */
};

/* "80 bytes of 631: the rest was not recorded" */
void tui_recorded_bytes(struct buf *out, struct ev *ev, size_t recorded);
/*
 * Begin anew, around the event with key @num: transfers of process @pid (-1: any) that pass
 * @condition. What was there is gone. Return: 0 or ERR_*.
 */
MUST_CHECK int tui_payload_begin(struct tui_payload *p, struct tui_app *app, struct sv condition,
				 int64_t pid, uint64_t num, struct error *err);
/* True: there is more to do. */
bool tui_payload_work(struct tui_payload *p, struct tui_app *app, uint64_t deadline_ns);
/* The captures grew: what is behind the last transfer is looked for. */
void tui_payload_go_on(struct tui_payload *p);
void tui_payload_done(struct tui_payload *p);

#endif
