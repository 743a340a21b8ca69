/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run loop: source -> state -> rules -> sinks, for one capture after another.
 * Units: times are nanoseconds since the Unix epoch, offsets bytes of the uncompressed stream.
 * Ownership: a run borrows the engine and the sinks, which must outlive it.
 * Threads: a run belongs to one thread; run_stop() may be called from a signal handler.
 */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

#include <stdatomic.h>

#include "engine/rules/rules.h"
#include "query/query.h"
#include "scapfile/index.h"
#include "scapfile/scapfile.h"

/* --- alerts --- */

struct run_alert { /* borrowed for the call */
	const struct rule *rule;
	uint64_t ts, evt_num, evt_offset;
	int64_t tid, pid;     /* pid -1: not known */
	uint64_t process_key; /* of the case; 0: not known or no case */
	struct sv source;     /* "syscall" */
	struct sv hostname;   /* of the recorded machine */
	struct sv message;    /* the rule's output */
	struct sv line;	      /* time, priority and message: Falco's text line before escaping */
	struct sv fields;     /* members of output_fields, without braces */
};

struct run_sink;

struct run_sink_ops { /* each returns 0 or ERR_*; NULL members are skipped */
	int (*capture_begin)(struct run_sink *s, const char *path, struct error *err);
	int (*alert)(struct run_sink *s, const struct run_alert *a, struct error *err);
	int (*flush)(struct run_sink *s, struct error *err);
	int (*capture_end)(struct run_sink *s, const struct qry_capture_end *e, struct error *err);
	void (*free)(struct run_sink *s);
};

struct run_sink { /* first member of every sink */
	const struct run_sink_ops *ops;
};

/* Falco's output properties. */
struct run_alert_format {
	bool json;
	bool iso_time;	      /* time_format_iso_8601 */
	bool include_message; /* json_include_message_property */
	bool no_output, no_tags,
	    no_fields;	 /* the include properties that are on by default, switched off */
	bool color;	 /* text only */
	int tz_offset_s; /* text lines; seconds east of UTC */
};

/* One alert as Falco prints it, with the final newline. */
void run_alert_text(struct buf *b, const struct run_alert_format *f, const struct run_alert *a);
void run_alert_json(struct buf *b, const struct run_alert_format *f, const struct run_alert *a);

/* A sink that writes lines to a descriptor through a buffer; flushed at the end of each capture. */
struct run_sink *run_lines_sink_new(int fd, const char *name, const struct run_alert_format *f);
/* A sink that fills a case. */
struct run_sink *run_case_sink_new(struct qry_writer *w);
void run_sink_free(struct run_sink *s); /* of either kind; NULL is fine */

/* --- runs --- */

struct run_window {	   /* which events rules see; the state is always built from the start */
	uint64_t from, to; /* absolute; to 0: no end */
	bool from_relative, to_relative; /* nanoseconds after the capture's first event */
};

struct run_span { /* a window once the capture's first event is known */
	bool known;
	uint64_t from, to; /* absolute */
};
struct run_span run_window_from(const struct run_window *w, uint64_t first);
static inline bool run_span_has(const struct run_span *s, uint64_t ts)
{
	return ts >= s->from && ts <= s->to;
}

struct run_progress {
	uint64_t events;
	uint64_t file_done, file_size; /* compressed bytes; size 0: not known */
	uint64_t alerts;
};

struct run_options {
	bool match_all;
	bool iso_time; /* evt.time.iso8601 instead of evt.time among the output fields */
	int tz_offset_s;
	const char *filter; /* only events that pass are shown to rules; NULL: all */
	struct run_window window;
	uint64_t memory_limit;	   /* bytes of state; 0: none */
	uint64_t deadline_ns;	   /* CLOCK_MONOTONIC; 0: none */
	struct qry_writer *writer; /* receives the processes; NULL: nobody wants them */
	bool want_hash;
	const atomic_bool *stop; /* if it becomes true, a run of one thread stops soon; or NULL */
	unsigned jobs; /* threads for one capture, where its index allows several; 0: one */
	void (*progress)(void *arg,
			 const struct run_progress *p); /* every RUN_PROGRESS_EVENTS, or NULL */
	void *progress_arg;
};

#define RUN_PROGRESS_EVENTS 65536

/* How many events after the first @n may pass before the one after which progress is told. */
static inline uint64_t run_until_progress(uint64_t n)
{
	return RUN_PROGRESS_EVENTS - 1 - n % RUN_PROGRESS_EVENTS;
}

enum run_end { RUN_END_CLEAN, RUN_END_INTERRUPTED, RUN_END_TIMEOUT, RUN_END_MEMORY };

struct run_totals { /* over all captures of the run */
	uint64_t events, alerts;
	uint64_t by_priority[RULE_PRIORITY_COUNT];
	uint64_t *by_rule; /* indexed like rule_engine_rules() */
	uint64_t gaps;
	uint64_t malformed;	    /* events whose parameters had wrong sizes */
	uint64_t suppressed_limits; /* threads and fds not stored because a table was full */
	size_t peak_state_memory;
};

struct run_capture_report { /* borrowed until the next capture */
	enum run_end end;
	const struct sf_stats *stats;
	const struct sf_gap *gaps;
	size_t gap_count;
	const struct state_stats *state;
	bool index_failed; /* the index led nowhere, or not to where it should: one thread began
			      anew */
	const char *alone; /* why one thread replayed it, if several were wanted; or NULL */
};

struct run;

/*
 * Seals @engine's program, so one run per engine; more of them by run_again(). @sinks: @sink_count
 * of them, called in order. Return: 0, ERR_COMPILE or ERR_SYNTAX for the filter, ERR_NOMEM.
 */
MUST_CHECK int run_new(struct rule_engine *engine, const struct run_options *opt,
		       struct run_sink *const *sinks, size_t sink_count, struct run **out,
		       struct error *err);
/*
 * A run like @r, over the same engine with the same options, for another thread; @r must outlive
 * it. Both may be at work at the same time.
 */
MUST_CHECK int run_again(const struct run *r, struct run_sink *const *sinks, size_t sink_count,
			 struct run **out, struct error *err);
void run_free(struct run *r); /* NULL is fine */
/*
 * Replay one capture. @x: its index, which several threads need; NULL: there is none. Results do
 * not depend on it. Return: 0 (look at @report for damage), or ERR_* when it cannot be opened or a
 * sink failed.
 */
MUST_CHECK int run_capture(struct run *r, const char *path, const struct sf_index *x,
			   struct run_capture_report *report, struct error *err);
/*
 * The same over @src, which is not a file: what happens now. Sinks know it as @name. Losses among
 * its items are the gaps. It stays the caller's.
 */
MUST_CHECK int run_source(struct run *r, const char *name, struct ev_source *src,
			  struct run_capture_report *report, struct error *err);
/* Have the sinks pass on what they hold back: nobody should wait for an alert of now. */
MUST_CHECK int run_flush(struct run *r, struct error *err);
const struct run_totals *run_totals(const struct run *r);
/* Did a sink fail? Then further captures are pointless. */
bool run_is_broken(const struct run *r);
/* Stop at the next event; async-signal-safe. */
void run_stop(struct run *r);

#endif
