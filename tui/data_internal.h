/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that implement tui/data.h. */
#ifndef TUI_DATA_INTERNAL_H
#define TUI_DATA_INTERNAL_H

#include <pthread.h>

#include "query/query.h"
#include "replay/moment.h"
#include "tui/data.h"
#include "tui/walk.h"

#define TUI_EVENTS_WITHOUT_INDEX 50000	   /* what may be read of a capture to get to a moment */
#define TUI_PATIENCE_NS		 200000000 /* and for how long at a time */
#define TUI_COUNTS_KEPT		 8	   /* answers that are remembered */

struct sqlite3;

/* One capture, beside its struct tui_capture. */
struct tui_file {
	char *path;
	char *sha256;	/* as the case has it; NULL: not known */
	char *quick_id; /* of the file that is there, else of the case; NULL: not known */
	struct sf_index *index;
	uint64_t index_version; /* another one whenever the index is */
	struct run_facts facts;
	bool has_facts;
	bool no_index; /* it could not be made */
	bool no_totals;
	struct tui_totals *totals; /* counts over the whole of it; NULL: not yet */
};

/* What goes on in a thread of its own. The lock is for everything behind it. */
struct tui_work {
	pthread_t thread;
	bool began;	    /* it is to be freed */
	bool started;	    /* and its thread joined */
	volatile bool stop; /* by tui_work_stop() */
	struct tui_data *d; /* what does not change of it */
	char **paths;	    /* of the captures; NULL: it is not there */
	size_t count, first;
	bool replays;		  /* it fills the nameless case */
	const struct sf_index *x; /* of capture @first, whose totals are wanted; NULL: indexes */
	pthread_mutex_t lock;
	const char *doing;	   /* "indexing"; NULL: nothing */
	uint64_t done, all;	   /* of that; @all 0: not known */
	char **indexes;		   /* made, by capture; taken over by tui_work_poll() */
	bool *missing;		   /* captures that have none yet; false in the end if it failed */
	struct tui_totals *totals; /* taken over likewise */
	struct buf trouble;
};

struct tui_place { /* a moment and how it is reached */
	struct tui_moment m;
	struct tui_walk walk;
	struct run_moment at; /* where the walk stands; of capture @capture */
	size_t capture;
	bool there;   /* it does */
	bool goes_on; /* and may go on from there */
	uint64_t by;  /* version of the index that it was entered by */
};

struct tui_data {
	struct tui_data_options opt;
	char *case_path; /* also of a nameless one */
	char *dir;	 /* of what has no name; removed at the end. NULL: not needed yet */
	bool nameless;
	struct sqlite3 *db;
	struct qry_browse *browse;
	int64_t version; /* of the case: PRAGMA data_version */
	struct tui_capture *captures;
	struct tui_file *files;
	size_t count, current;
	struct run_moment want; /* T */
	bool without_gone;	/* of what ended long before T nobody wants to know */
	struct tui_place place;
	uint64_t serial;      /* of the last moment that was reached */
	uint64_t versions;    /* of indexes, given out so far */
	struct tui_walk look; /* of tui_data_event() */
	size_t look_capture;
	struct tui_work work;	/* indexes, then the nameless case */
	struct tui_work counts; /* totals of the current capture */
	uint64_t told;		/* how far @work was when that was told */
	bool replayed;		/* the nameless case has what was found, or soon will */
	unsigned news;		/* to be told */
	struct tui_answer *answers[TUI_COUNTS_KEPT];
	unsigned next_answer;
	uint64_t changes;	    /* of the case */
	struct tui_following *live; /* NULL: recordings */
};

/* --- data.c */

/* A file @name where nobody else looks, gone at the end; freed by the caller. NULL: @err. */
char *tui_data_scratch(struct tui_data *d, const char *name, struct error *err);
/* If @path is one of those: it is needed no longer under its name. */
void tui_data_drop_scratch(const struct tui_data *d, const char *path);
/* Room for @n captures. */
MUST_CHECK int tui_data_room(struct tui_data *d, size_t n, struct error *err);
/* The current capture, if its file can be read. Return: 0, or ERR_UNSUPPORTED. */
MUST_CHECK int tui_data_readable(struct tui_data *d, struct error *err);
/* The index of capture @i is at @path. */
void tui_data_take_index(struct tui_data *d, size_t i, const char *path);

/* --- data_case.c */

MUST_CHECK int tui_case_open(struct tui_data *d, struct error *err);
/* Captures of the case into d->captures. */
MUST_CHECK int tui_case_captures(struct tui_data *d, struct error *err);
/* Find captures in the case whose ids are not known yet. */
void tui_case_learn_ids(struct tui_data *d);
/* Was it changed since the last call? */
bool tui_case_changed(struct tui_data *d);
void tui_case_close(struct tui_data *d);

/* --- data_work.c */

/* Start making what is missing; with opt.wait: make it. */
MUST_CHECK int tui_work_begin(struct tui_data *d, struct error *err);
/* The index of the current capture is missing, and nobody makes it: begin anew. */
MUST_CHECK int tui_work_go_on(struct tui_data *d, struct error *err);
/* Count capture @i, which has an index. */
MUST_CHECK int tui_work_count(struct tui_data *d, size_t i, struct error *err);
void tui_work_done(struct tui_work *w); /* waits */
bool tui_work_is_stopped(const struct tui_work *w);
void tui_work_say(struct tui_work *w, const char *doing, uint64_t done, uint64_t all);
/* Take over what was finished. Return: enum tui_news. */
unsigned tui_work_poll(struct tui_data *d);

/* --- data_live.c */

/* With opt.live: begin with the captures there are. */
MUST_CHECK int tui_live_begin(struct tui_data *d, struct error *err);
void tui_live_end(struct tui_data *d); /* waits */
/* New segments, new indexes, what goes. */
void tui_live_poll(struct tui_data *d);
/* T is to be event @num, or time @ts if that is NULL: which may be in another capture. */
void tui_live_moved(struct tui_data *d, uint64_t *num, uint64_t ts);
bool tui_live_is_busy(struct tui_data *d, struct buf *what);
void tui_live_trouble(struct tui_data *d, struct buf *out);

/* --- moment.c */

void tui_place_done(struct tui_place *p);
/* Why a moment cannot be reached now. Return: ERR_UNSUPPORTED. */
int tui_data_not_yet(struct tui_data *d, struct error *err);

/* --- totals.c */

struct tui_bins { /* counts by time, in steps of @width from @from on */
	uint64_t from, width;
	size_t n;
	uint64_t *lanes[TUI_LANE_COUNT];
	uint64_t *number; /* of the first event; 0: none */
	struct tui_spectrum *spectra[TUI_MEASURES];
	bool has[TUI_MEASURES];
	uint64_t key; /* of event 0, if events are known by their keys; 0: by numbers */
	uint8_t of[EV_TYPE_COUNT]; /* the lane of a call that succeeds; EVENTS: no further one */
};
struct tui_totals { /* over a whole capture */
	struct tui_bins bins;
	uint64_t memory[]; /* of @bins */
};
/* Each takes 648 bytes, 288 of them only of captures that have latencies: 11 MB, or 6. */
#define TUI_TOTALS_BINS 16384
#define TUI_LIVE_BINS	2048 /* of one capture of what happens now: there are many */
size_t tui_totals_bins(const struct tui_data *d);

/* Numbers in the memory of a bin. */
#define TUI_BIN_WORDS                                                                              \
	(TUI_LANE_COUNT + 1 + TUI_MEASURES * sizeof(struct tui_spectrum) / sizeof(uint64_t))

/* Where @ts belongs; @b->n: nowhere. */
static inline size_t tui_bins_of(const struct tui_bins *b, uint64_t ts)
{
	uint64_t i = ts >= b->from ? (ts - b->from) / b->width : b->n;

	return i < b->n ? (size_t)i : b->n;
}
/* Only where its @n bins lie: in TUI_BIN_WORDS * @n numbers. */
void tui_bins_place(struct tui_bins *b, uint64_t *memory, size_t n);
/* @memory is zeroed. */
void tui_bins_init(struct tui_bins *b, uint64_t *memory, uint64_t from, uint64_t to, size_t n);
/* Take the next item of @w, which is there and was entered timed, and count it. Return: as
 * state_feed(). */
MUST_CHECK int tui_bins_take(struct tui_bins *b, struct tui_walk *w, struct error *err);
/* Add what is in bin @i of @from to bin @to of @b. */
void tui_bins_add(struct tui_bins *b, size_t to, const struct tui_bins *from, size_t i);
/* Return: 0, ERR_INTERRUPTED (@w is to stop), or ERR_*. */
MUST_CHECK int tui_totals_make(struct tui_work *w, struct tui_totals **out, struct error *err);

/* --- counts.c */

void tui_counts_forget(struct tui_data *d);

#endif
