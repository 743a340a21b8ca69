/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of this folder. A query meets four things: the module a table is of, with
 * what its connection shares; the table, whose columns are known; the plan that xBestIndex makes
 * and xFilter gets back as a text; and the cursor with its walk through a capture.
 */
#ifndef SQLEXT_INTERNAL_H
#define SQLEXT_INTERNAL_H

#include <limits.h>

#include "base/arena.h"
#include "engine/filter/filter.h"
#include "replay/moment.h"
#include "replay/skip.h"
#include "sqlext/sqlite.h"
#include "sqlext/vtab.h"

#define VTAB_CAPTURES_MAX  4096	     /* of one table */
#define VTAB_FIELDS_MAX	   256	     /* additional columns of one table */
#define VTAB_ARGUMENTS_MAX 1024	     /* constraints a plan takes */
#define VTAB_VALUES_MAX	   4096	     /* of IN that are looked at; more are left to SQLite */
#define VTAB_SNAPSHOTS_MAX 4	     /* moments whose state is kept, of a connection */
#define VTAB_POLL_EVENTS   8192	     /* between two looks at the clock, */
#define VTAB_POLL_NS	   20000000u /* that between two whether the query was interrupted */
#define VTAB_FILTER_MAX	   65536     /* bytes of the text of a filter column */

/* --- what a connection shares --- */

struct vtab_snapshot;

struct vtab_conn {
	sqlite3 *db;
	unsigned refs; /* modules */
	struct vtab_options opt;
	struct vtab_snapshot *snapshots[VTAB_SNAPSHOTS_MAX];
	uint64_t clock;	 /* of their use */
	uint64_t items;	 /* read by all cursors */
	uint64_t polled; /* when, CLOCK_MONOTONIC */
	struct arena texts;
	struct smap told; /* paths whose damage was */
};

enum vtab_table_id { VTAB_EVENTS, VTAB_THREADS, VTAB_PROCESSES, VTAB_FDS, VTAB_GAPS, VTAB_TABLES };

struct vtab_rows;

struct vtab_module {
	struct vtab_conn *conn;
	const char *name;
	enum vtab_table_id id;
	const struct vtab_rows *rows;
};

int vtab_look_around(struct vtab_conn *conn, const struct state *st, struct error *err);
/* That many items may be read before the next look around. */
static inline uint64_t vtab_until_poll(const struct vtab_conn *conn)
{
	return VTAB_POLL_EVENTS - conn->items % VTAB_POLL_EVENTS;
}
/*
 * For @n items that were read, at most vtab_until_poll(): now and then, see whether the query is to
 * end. @st: or NULL. Return: 0, ERR_INTERRUPTED, or ERR_NOMEM: @st holds more than is allowed.
 */
static inline int vtab_poll(struct vtab_conn *conn, uint64_t n, const struct state *st,
			    struct error *err)
{
	bool now = n == vtab_until_poll(conn);

	conn->items += n;
	return UNLIKELY(now) ? vtab_look_around(conn, st, err) : 0;
}
/* Tell what @r and @st lost, if there is anything and that of @path was not told yet. */
void vtab_tell_losses(struct vtab_conn *conn, const char *path, const struct sf_reader *r,
		      const struct state *st);

/* --- columns --- */

enum vtab_kind {
	VTAB_FIELD,
	VTAB_FIELD_NA, /* the texts "<NA>" and "" are NULL */
	VTAB_FIELD_0,  /* 0 is NULL */
	VTAB_ERRNAME,  /* "SUCCESS" is NULL */
	VTAB_TYPE,     /* of an event, which mostly is known without looking closely */
	VTAB_NONE,     /* not there after all */
	VTAB_NUM,
	VTAB_TS,
	VTAB_TIME,
	VTAB_OFFSET,
	VTAB_MODE,
	VTAB_GAP,
	VTAB_CAPTURE,
	VTAB_AT,
	VTAB_FILTER,
};

struct vtab_column {
	const char *name, *type; /* as declared */
	enum vtab_kind kind;
	const char *field;
};

/* Columns that colUsed tells apart; what is behind them is used together. */
#define VTAB_COLUMNS_TOLD 63

struct vtab_set { /* columns as values: all, or those that are told apart */
	struct flt_program *program;
	const struct flt_column **values; /* by column; NULL: it is no field */
};

struct vtab_table {
	sqlite3_vtab base; /* first member */
	const struct vtab_module *module;
	struct arena arena;
	struct vtab_column *columns;
	int column_count;
	const char **captures; /* of CREATE VIRTUAL TABLE; none: they are arguments */
	size_t capture_count;
	struct vtab_set told, all;
};

static inline bool vtab_is_field(enum vtab_kind kind)
{
	return kind <= VTAB_TYPE;
}

/*
 * The columns of @t, which has its module: by name, one for each of @fields, and hidden ones for
 * all fields, as many as @most leaves room for. Return: 0, ERR_LIMIT, ERR_USAGE, ERR_NOMEM.
 */
MUST_CHECK int vtab_columns_make(struct vtab_table *t, const char *const *fields, size_t count,
				 size_t most, struct error *err);
/* As text for sqlite3_declare_vtab(). */
void vtab_columns_declare(const struct vtab_table *t, struct buf *out);
/* The set for a query that uses columns beyond those told apart, or not. Return: 0 or ERR_*. */
MUST_CHECK int vtab_set_get(struct vtab_table *t, bool all, struct vtab_set **out,
			    struct error *err);
void vtab_set_done(struct vtab_set *set);

/* --- plans --- */

/* Of idxNum: */
#define VTAB_PLAN_ALL	    1 /* all columns may be used */
#define VTAB_PLAN_NO_FIELDS 2 /* none that is a field but the type */

int vtab_best_index(sqlite3_vtab *base, sqlite3_index_info *info);

struct vtab_argument { /* a constraint with its value, which is borrowed */
	int column;
	int op; /* SQLITE_INDEX_CONSTRAINT_* */
	bool is_list;
	bool is_exact; /* SQLite does not look again */
	sqlite3_value *value;
};

struct vtab_request {		    /* what a query asks a cursor for */
	struct vtab_argument *args; /* those that are conditions on fields */
	int arg_count;
	const char *capture; /* constraint on it, or NULL */
	bool nothing;	     /* no row can be */
	bool no_fields;	     /* rows are counted, or their numbers, times and types are asked for */
	sqlite3_value *at;   /* owned; or NULL */
	struct run_moment moment;
	char *filter; /* owned; or NULL */
	uint64_t from_ts, to_ts;
	uint64_t first_num, last_num;
	int64_t pid, tid; /* -1: any */
};

/* Return: 0 or ERR_*; vtab_request_done() in any case. */
MUST_CHECK int vtab_request_read(struct vtab_request *q, const struct vtab_table *t,
				 const char *plan, sqlite3_value **argv, int argc,
				 struct error *err);
void vtab_request_done(struct vtab_request *q);

struct vtab_condition {		     /* of a query, as far as it is for us to look at */
	struct flt_program *program; /* NULL: there is none */
	unsigned id;
	bool skips; /* chunks, and events of types that cannot pass: */
	struct run_skip skip;
};

/*
 * What @q asks of fields, as one condition that holds for all rows of the result and may hold for
 * others: SQLite looks at all constraints again but those that are exact. The text of its filter
 * column counts as it is.
 * Return: 0 or ERR_*; vtab_condition_done() in any case.
 */
MUST_CHECK int vtab_condition_make(struct vtab_condition *c, const struct vtab_table *t,
				   const struct vtab_request *q, struct error *err);
void vtab_condition_done(struct vtab_condition *c);

struct sv vtab_text_of(sqlite3_value *v); /* which is one; SV_NONE when out of memory */

void vtab_time_text(struct buf *out, uint64_t ts); /* as the column time has it */
/* Does SQLite order @s among such texts by its bytes, whatever the encoding of the database? */
bool vtab_time_is_ordered(struct sv s);
/* The times whose texts are @op @s. Return: 1, 0: none, or ERR_NOMEM. */
MUST_CHECK int vtab_time_range(struct sv s, int op, uint64_t *from, uint64_t *to);

/* --- walks --- */

struct vtab_walk { /* through one capture */
	struct vtab_conn *conn;
	const char *path;
	struct sf_reader *reader;
	struct state *state;
	struct sf_index *index;
	uint64_t chunk_end, stop_at; /* offsets */
	uint64_t last_num;
	const struct run_skip *skip;
	bool passes;
	struct state_passing passing;
	size_t chunk;
	unsigned jumps; /* @state is another one after each */
};

#define VTAB_ENOUGH INT_MIN /* what vtab_scope.show() returns to stop, no ERR_* */

struct vtab_scope { /* what of a capture is of interest */
	uint64_t from_ts, to_ts, first_num, last_num;
	const struct run_skip *skip; /* or NULL */
	bool passes; /* events are not looked at closely: they count, and have numbers and times */
	const struct run_moment *at; /* the state there, instead; or NULL */
	/* Without @at: takes events of interest that lie in rows, as state_passing.show() does. */
	int (*show)(void *arg, const struct state_binding *b, struct error *err);
	/* Is asked before, of the types for which @gates has an answer: state_passing.refuses(). */
	bool (*refuses)(void *arg, unsigned type, struct state_thread *t);
	const struct flt_program *gates; /* or NULL: it is not asked */
	void *arg;
};

/* Return: 0 or ERR_*. @w is to be closed in any case. */
MUST_CHECK int vtab_walk_open(struct vtab_walk *w, struct vtab_conn *conn, const char *path,
			      const struct vtab_scope *scope, struct error *err);
/*
 * On to an event that counts and that nobody was shown, or until VTAB_ENOUGH were.
 * Return: 1 with @b, 0 at the end, VTAB_ENOUGH, ERR_INTERRUPTED, ERR_*.
 */
MUST_CHECK int vtab_walk_next(struct vtab_walk *w, struct state_binding *b, struct error *err);
/* On to a moment; *@ts receives its time, 0 if it has none. Return: 0 or ERR_*. */
MUST_CHECK int vtab_walk_to(struct vtab_walk *w, const struct run_moment *m, uint64_t *ts,
			    struct error *err);
void vtab_walk_close(struct vtab_walk *w);

struct vtab_snapshot { /* the state of a capture at a moment */
	unsigned refs;
	uint64_t used;
	char *path;
	struct run_moment moment;
	struct sf_identity identity;
	bool identified;
	struct vtab_walk walk;
	uint64_t ts, num; /* of the moment, and of the last event before it */
};

/* Kept ones are used again. Return: 0 or ERR_*; vtab_snapshot_release() follows. */
MUST_CHECK int vtab_snapshot_get(struct vtab_conn *conn, const char *path,
				 const struct run_moment *m, struct vtab_snapshot **out,
				 struct error *err);
void vtab_snapshot_release(struct vtab_snapshot *s); /* NULL is fine */
void vtab_snapshots_drop(struct vtab_conn *conn);    /* all of them */

/* --- rows --- */

struct vtab_cursor {
	sqlite3_vtab_cursor base; /* first member */
	struct vtab_request q;
	struct vtab_set *set;
	struct flt_ctx *values; /* of @set, on the state of the row */
	const char *path;	/* of the capture the row is of */
	size_t capture;		/* that many were begun */
	bool eof;
	void *rows; /* of vtab_rows */
};

struct vtab_rows {   /* what tables differ in */
	size_t size; /* bytes of vtab_cursor.rows, zero at first */
	/* @c->path is to be read. Return: 0 or ERR_*; done() follows. */
	int (*begin)(struct vtab_cursor *c, struct error *err);
	/* Return: 1: there is another row, 0: the capture has no more, or ERR_*. */
	int (*next)(struct vtab_cursor *c, struct error *err);
	void (*column)(struct vtab_cursor *c, sqlite3_context *out, int column);
	int64_t (*rowid)(const struct vtab_cursor *c);
	void (*done)(struct vtab_cursor *c);
};

extern const struct vtab_rows vtab_event_rows, vtab_state_rows, vtab_gap_rows;

static inline struct vtab_table *vtab_table_of(const struct vtab_cursor *c)
{
	return (struct vtab_table *)c->base.pVtab;
}

/* A field's value as result; the context looks at the row. */
void vtab_result_field(struct vtab_cursor *c, sqlite3_context *out, int column);
/* Text that may hold anything: invalid sequences become U+FFFD. */
void vtab_result_text(sqlite3_context *out, struct sv text);
/* Numbers over INT64_MAX are texts of their digits. */
void vtab_result_u64(sqlite3_context *out, uint64_t u);

extern const sqlite3_module vtab_sqlite_module;

#endif
