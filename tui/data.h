/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is looked at: a case, its captures, and one moment T of one capture. A moment is "after
 * event number N"; the state, the lives of processes, sockets and sessions as of then are brought
 * there from the nearest checkpoint of the capture's index. A capture that is opened without a case
 * gets one of its own in a nameless place; index and case are made in the background. Units:
 * nanoseconds since the epoch, event numbers from 1. Ownership: what is handed out is borrowed
 * until the next call that moves or polls, unless it says otherwise. Threads: used by one thread;
 * it runs threads of its own, whose results tui_data_poll() takes over.
 */
#ifndef TUI_DATA_H
#define TUI_DATA_H

#include "engine/activity/net.h"
#include "engine/activity/procs.h"
#include "engine/activity/sessions.h"
#include "engine/rules/rules.h"
#include "query/find.h"
#include "replay/facts.h"
#include "scapfile/index.h"
#include "tui/live.h"

struct sqlite3;
struct tui_data;

struct tui_given_rules { /* that the program was started with; borrowed */
	struct rule_loader *loader;
	struct rule_engine *engine; /* not sealed yet */
	enum rule_priority min_priority;
	bool match_all; /* each rule that matches is reported, not only the first */
};

struct tui_data_options {
	const char *case_path;	     /* NULL: none */
	const char *const *captures; /* @capture_count paths */
	size_t capture_count;
	/*
	 * Fill the case @db with what rules find in the capture at @path; called in a thread. @stop
	 * becomes true when it is to end. NULL: there are no rules (the case then has what needs
	 * none). Return: 0 or ERR_*.
	 */
	int (*replay)(void *arg, const char *path, const char *db, const volatile bool *stop,
		      struct error *err);
	void *arg;
	const struct tui_given_rules *rules; /* NULL: none */
	/* What happens now: its segments are the captures, and @case_path is the case that who
	 * records fills; NULL: recordings. */
	const struct tui_live *live;
	bool wait; /* for tests: nothing goes on in the background, it is done before the first poll
		      returns */
};

MUST_CHECK int tui_data_open(const struct tui_data_options *opt, struct tui_data **out,
			     struct error *err);
void tui_data_close(
    struct tui_data *d); /* NULL is fine; waits for its threads, which are told to stop */

enum tui_news {			       /* bits */
		TUI_NEWS_PROGRESS = 1, /* of index or replay */
		TUI_NEWS_INDEX = 2,    /* there is one now: any moment is near */
		TUI_NEWS_CASE = 4,     /* rows were added to the case */
		TUI_NEWS_TIME = 8,     /* the moment is another one */
		TUI_NEWS_CAPTURE = 16, /* another capture, or it grew */
};
/* What is new since the call before; takes over what threads have finished. */
unsigned tui_data_poll(struct tui_data *d);
/* Is something going on? @what: a short text for people ("indexing 34 %"). */
bool tui_data_is_busy(struct tui_data *d, struct buf *what);
/* What went wrong in the background since the last call; empty: nothing. */
void tui_data_trouble(struct tui_data *d, struct buf *out);
/* End what goes on in the background. */
void tui_data_cancel(struct tui_data *d);

/* --- captures */

struct tui_capture {
	const char *path;	       /* as in the case, or where it was found */
	int64_t capture_id;	       /* in the case; 0: not there yet */
	bool there;		       /* the file can be read; else there is the case only */
	const struct sf_index *index;  /* NULL: not yet */
	const struct run_facts *facts; /* of the index; NULL: not yet */
	uint64_t events;	       /* known so far */
	uint64_t first_ts, last_ts;    /* of the whole capture as far as known; 0: not known */
};
/* @out may be NULL. */
size_t tui_data_captures(const struct tui_data *d, const struct tui_capture **out);
const struct tui_capture *
tui_data_capture(const struct tui_data *d); /* the current one; NULL: the case has none */
/* Look at another one: at its end. Return: 0, ERR_USAGE, or why its index cannot be begun. */
MUST_CHECK int tui_data_use(struct tui_data *d, size_t i, struct error *err);
/* The capture of the case that has this id; SIZE_MAX: none. */
size_t tui_data_capture_of(const struct tui_data *d, int64_t capture_id);
/* The file of the current capture is elsewhere: it must be the one the case knows. Return: 0,
 * ERR_USAGE, ERR_IO. */
MUST_CHECK int tui_data_locate(struct tui_data *d, const char *path, struct error *err);

/* --- what happens now */

struct tui_live_now {
	bool follows; /* T is the end, and stays there; else it stands still */
	bool over;    /* nothing more comes */
	uint64_t events, lost, per_second;
	uint64_t kept; /* bytes */
};
/* False: these are recordings, and @out is untouched. */
bool tui_data_live(const struct tui_data *d, struct tui_live_now *out);
/* Follow the end, or stay. Going to another moment is staying, going to the end following. */
void tui_data_follow(struct tui_data *d, bool follow);
/*
 * Write what is kept to the new capture @path, in the background; what became of it is told by
 * tui_data_trouble() or tui_data_saved(). Return: 0, or ERR_USAGE: this is not live, or another one
 * is being written.
 */
MUST_CHECK int tui_data_save_window(struct tui_data *d, struct sv path, struct error *err);
/* Was one written since the last call? Its path is borrowed until the next one is asked for. */
const char *tui_data_saved(struct tui_data *d);

/* What views of time are about: the current capture; of what happens now, all that is kept. */
struct tui_span {
	uint64_t from, to, events; /* as far as known */
};
/* False: no times are known yet. */
bool tui_data_span(const struct tui_data *d, struct tui_span *out);

/* --- the case */

/* A connection for reading (and, by tui_data_add_*(), for what people say); never NULL after
 * opening. */
struct sqlite3 *tui_data_case(struct tui_data *d);
const char *
tui_data_case_path(const struct tui_data *d); /* NULL: it has no name, and goes with the program */
struct qry_browse *tui_data_alerts(struct tui_data *d);
/* Append to what people say; author: $USER. @offset, @num: of an event of the current capture, 0:
 * of the capture. */
MUST_CHECK int tui_data_add_note(struct tui_data *d, uint64_t offset, uint64_t ts, struct sv text,
				 struct error *err);
MUST_CHECK int tui_data_add_bookmark(struct tui_data *d, uint64_t offset, uint64_t ts,
				     struct sv label, struct error *err);
MUST_CHECK int tui_data_add_verdict(struct tui_data *d, int64_t alert_id, bool whole_group,
				    struct sv state, struct sv reason, struct error *err);
/* Named texts kept in the case (saved filters): set, replace, list through SQL: table per
 * docs/case-schema.md. */
MUST_CHECK int tui_data_save_filter(struct tui_data *d, struct sv name, struct sv text,
				    struct error *err);

/* --- the moment */

struct tui_moment {
	uint64_t num, ts;    /* the last event that has happened; 0: none */
	uint64_t offset;     /* of that event */
	int64_t pid;	     /* of its process if T was set to it; 0: it was not, or not known */
	struct state *state; /* with removals carried out */
	struct act_procs *procs; /* living and dead; but see tui_data_want_gone() */
	struct act_net *net;
	struct act_sessions *sessions; /* NULL: too many to be kept at hand; the case has them */
	uint64_t serial; /* another one whenever what was borrowed of the moment may be gone */
};
/* T as it is wanted: cheap, also before the state is there. */
uint64_t tui_data_time(const struct tui_data *d, uint64_t *num);
/* False: what tui_data_time() says is an estimate, until tui_data_moment() was there. */
bool tui_data_time_is_exact(const struct tui_data *d);
/* Set T after event @num, which may be a key (0: before the first, beyond the last: the last), or
 * at time @ts (the last event that is not later). */
void tui_data_goto_event(struct tui_data *d, uint64_t num);
void tui_data_goto_time(struct tui_data *d, uint64_t ts);
/*
 * Are processes and sockets wanted that ended before (at first: yes)? Without those that are gone
 * longer than the nearest checkpoint, a moment is reached sooner.
 */
void tui_data_want_gone(struct tui_data *d, bool gone);
/*
 * The moment T; brought there if it is not. Return: 0, ERR_UNSUPPORTED (there is no capture to be
 * read, or it is not indexed yet and T is far: the message says so), ERR_*.
 */
MUST_CHECK int tui_data_moment(struct tui_data *d, const struct tui_moment **out,
			       struct error *err);
/* Is T still the moment of @serial, with what was borrowed of it? */
bool tui_moment_is(const struct tui_data *d, uint64_t serial);
/* A moment of its own (to compare two), to be freed. */
MUST_CHECK int tui_moment_at(struct tui_data *d, uint64_t ts, struct tui_moment **out,
			     struct error *err);
void tui_moment_free(struct tui_moment *m);

/* --- events */

/*
 * Of what happens now, numbers of events begin anew in each of its captures. The key of an event
 * names its capture, too; a number without one is of the current capture.
 */
#define TUI_KEY_BITS	40
#define TUI_KEY_NUM_MAX ((1ull << TUI_KEY_BITS) - 1)
static inline uint64_t tui_key(size_t capture, uint64_t num)
{
	return ((uint64_t)capture + 1) << TUI_KEY_BITS |
	       (num < TUI_KEY_NUM_MAX ? num : TUI_KEY_NUM_MAX);
}
static inline uint64_t tui_key_num(uint64_t key)
{
	return key & TUI_KEY_NUM_MAX;
}
/* The capture that @key is of; the last one, if it is of one that is not there yet. */
size_t tui_key_capture(const struct tui_data *d, uint64_t key);
/* T as a key; of recordings, its number. */
uint64_t tui_data_time_key(const struct tui_data *d);
/* The end of the capture before the current one, if what is there goes on there. */
bool tui_data_before(const struct tui_data *d, uint64_t *key);

struct tui_event {		  /* one that is shown */
	uint64_t num, offset, ts; /* @num: the key, if it is of a way through all captures */
	int64_t tid;
	const char *type; /* constant */
	bool enter, failed;
	bool gap;		/* something was lost since the event before that was looked at: */
	uint64_t lost;		/* so many events, 0: not known how many */
	bool damaged;		/* the file is, since that event: */
	uint64_t skipped;	/* so many bytes of it, 0: not known how many */
	const struct sv *cells; /* one per column of the walk; borrowed until the next window */
};

struct tui_events; /* a way through the events of the current capture, with condition and columns */
struct tui_events_options {
	const char *filter; /* a condition; NULL: all */
	const char *const
	    *columns; /* fields as formats have them ("%proc.name"), @column_count of them */
	size_t column_count;
	int64_t pid; /* of this process only; -1: all */
	/* Of what happens now: through all captures that are kept, and events have keys. */
	bool through_all;
};
/* Return: 0, ERR_COMPILE or ERR_SYNTAX (@pos: the place in the condition), ERR_UNSUPPORTED, ERR_*.
 */
MUST_CHECK int tui_events_open(struct tui_data *d, const struct tui_events_options *opt,
			       struct tui_events **out, struct flt_pos *pos, struct error *err);
void tui_events_close(struct tui_events *e);
/*
 * Up to @n events at or behind (@back: before) @num that pass, in order; @num 0 is the first of
 * all, UINT64_MAX behind the last. Works until
 * @deadline_ns (CLOCK_MONOTONIC; 0: to the end): *@more says that there may be others, from *@at on
 * (before it), to be asked for with the next call. Return: how many, or ERR_*.
 */
MUST_CHECK int tui_events_window(struct tui_events *e, uint64_t num, bool back, size_t n,
				 uint64_t deadline_ns, const struct tui_event **out, bool *more,
				 uint64_t *at, struct error *err);
/*
 * Event @key, or number of the current capture, with its state, for a closer look (all arguments,
 * hex, explain):
 * @look is called once with the binding as rules see it. Return: 0, ERR_USAGE (no such event),
 * ERR_*.
 */
MUST_CHECK int tui_data_event(struct tui_data *d, uint64_t key,
			      void (*look)(void *arg, const struct state *st,
					   const struct state_binding *b),
			      void *arg, struct error *err);

/* --- over time */

enum tui_lane {
#define LANE(sym, name, help) TUI_LANE_##sym,
#include "tui/lanes.def"
#undef LANE
	TUI_LANE_COUNT
};
extern const char *const tui_lane_names[TUI_LANE_COUNT];

/* The spectrogram: calls by how long they took, or by how many bytes they moved, in powers of ten:
 * each row up to where the next begins, the last has no end. */
enum tui_measure {
	TUI_LATENCY, /* of calls whose beginning is recorded, too: captures of now have none */
	TUI_BYTES,   /* of calls that read or write and succeed */
	TUI_MEASURES
};
enum tui_calls {		 /* whose call it is: that reads or writes */
		 TUI_CALLS_FILE, /* a file, */
		 TUI_CALLS_NET,	 /* an IPv4 or IPv6 socket, */
		 TUI_CALLS_REST, /* something else; or it does not, and has a latency only */
		 TUI_CALLS_KINDS
};
#define TUI_SPECTRUM_ROWS 8
/* Where row @row begins, nanoseconds or bytes; the first at 0. */
uint64_t tui_spectrum_from(enum tui_measure m, unsigned row);
unsigned tui_spectrum_row(enum tui_measure m, uint64_t value);

struct tui_spectrum { /* of one bucket */
	uint64_t first[TUI_CALLS_KINDS]
		      [TUI_SPECTRUM_ROWS]; /* number or key of the first one; 0: none */
	uint32_t n[TUI_CALLS_KINDS][TUI_SPECTRUM_ROWS]; /* UINT32_MAX: or more */
};

struct tui_counts {	   /* per bucket; @buckets of each */
	uint64_t from, to; /* times */
	size_t buckets;
	uint64_t *lanes[TUI_LANE_COUNT];
	struct tui_spectrum *spectra[TUI_MEASURES];
	bool has[TUI_MEASURES]; /* any of it, in this time or at another */
	uint64_t *number;	/* of the first event in the bucket, or its key; 0: none */
	bool complete;
	double done;		/* 0 to 1 */
	uint64_t width;		/* of a bucket; for tui_counts_begin() only: */
	uint64_t grid, grid_at; /* what was counted before in steps of @grid, of which one begins
				   at @grid_at; 0: in none */
};
/* When what is counted in bucket @i begins: to the nanosecond. @buckets: when it ends. */
uint64_t tui_counts_begin(const struct tui_counts *c, size_t i);
/*
 * Counts over [@from, @to] in @buckets, of what tui_data_span() is about; worked on until
 * @deadline_ns, to be asked for again until it is complete. The last few answers are remembered:
 * @out is borrowed until others are asked for. Return: 0 or ERR_*.
 */
MUST_CHECK int tui_data_counts(struct tui_data *d, uint64_t from, uint64_t to, size_t buckets,
			       uint64_t deadline_ns, const struct tui_counts **out,
			       struct error *err);

/* A copy that stays while others are asked for; zeroed storage is an empty one. Return: 0 or
 * ERR_NOMEM: it is as it was. */
MUST_CHECK int tui_counts_copy(struct tui_counts *to, const struct tui_counts *from,
			       struct error *err);
void tui_counts_done(struct tui_counts *c); /* of a copy */

#endif
