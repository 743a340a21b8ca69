/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows over the events of one capture. What was looked at last stays: all events that pass
 * between two numbers, as rows. A window is cut out of it, or it is made longer at one of its ends:
 * at the lower one from some way before it, since state goes forward only. Shared by the files that
 * implement tui_events of tui/data.h.
 */
#ifndef TUI_EVENTS_PART_H
#define TUI_EVENTS_PART_H

#include "replay/skip.h"
#include "tui/data_internal.h"

#define TUI_ROWS_MAX	4096 /* rows that stay */
#define TUI_WINDOW_MAX	1000 /* rows asked for at a time */
#define TUI_CELL_MAX	4096 /* bytes of one; the rest is cut */
#define TUI_COLUMNS_MAX 64

struct tui_row {
	struct tui_event ev;
	struct sv cells[]; /* and their texts behind them */
};

struct tui_rows_found {
	struct tui_row **at; /* room for 2 * TUI_ROWS_MAX */
	size_t count;
};

struct tui_events_look { /* what is looked for and shown; the same for all parts */
	struct flt_program *program;
	int64_t pid; /* -1: of any */
	bool has_filter, skips;
	unsigned filter;
	struct run_skip skip;
	struct flt_format **columns;
	size_t column_count;
	struct buf text; /* of the row in progress */
};

struct tui_events_part {
	struct tui_data *d;
	size_t capture;
	struct tui_events_look *look;
	struct tui_walk walk;
	bool gap; /* the walk came by one after the last row, of so many events: */
	uint64_t lost;
	bool damaged; /* and by damage, */
	uint64_t skipped;
	struct flt_ctx *ctx;	    /* on the walk's state */
	uint64_t by;		    /* version of the index that the walk was begun by */
	struct tui_rows_found rows; /* of all events from @lo on, before @hi, that pass */
	uint64_t lo, hi;
	uint64_t events;	    /* of the capture, once its end was seen; 0: not yet */
	bool at_end;		    /* nothing is behind @hi */
	uint64_t known;		    /* version of the index when that was found */
	uint64_t edge;		    /* number behind the last event known at the last window */
	struct tui_rows_found back; /* found before @lo, and */
	uint64_t back_from;	    /* from which number on; 0: nothing is being looked for there */
	uint64_t back_at;	    /* where the walk stood then, if it */
	bool back_began;
	uint64_t span;
};

/* @p is zeroed storage; @look stays the caller's. Return: 0 or ERR_NOMEM. */
MUST_CHECK int tui_events_part_init(struct tui_events_part *p, struct tui_data *d, size_t capture,
				    struct tui_events_look *look, struct error *err);
void tui_events_part_done(struct tui_events_part *p);
/* Give back what walking needs; rows stay, and it may be walked on. */
void tui_events_part_rest(struct tui_events_part *p);
/* As tui_events_window(), with numbers of the capture; @out: rows, borrowed until the next window.
 */
MUST_CHECK int tui_events_part_window(struct tui_events_part *p, uint64_t num, bool back, size_t n,
				      uint64_t deadline_ns, struct tui_row *const **out, bool *more,
				      uint64_t *at, struct error *err);

#endif
