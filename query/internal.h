/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared inside query/: values and rows on their way to SQLite, the queue they travel in, opening a
 * case, and the store that applies rows to it. The caller's thread encodes and queues; one writer
 * thread takes, decodes and executes (writer.c starts it).
 */
#ifndef QUERY_INTERNAL_H
#define QUERY_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/map.h"
#include "query/facts.h"
#include "query/query.h"

#define QRY_APPLICATION_ID 0x5363706c  /* "Scpl": what PRAGMA application_id says of a case */
#define QRY_READING_MAX	   INT32_MAX   /* run_capture_id is the upper half of process_id */
#define QRY_TEXT_MAX	   (1u << 20)  /* bytes of one text from a capture; longer ones are cut */
#define QRY_WAKE_BYTES	   (64u << 10) /* queued bytes that end the writer's pause early */
#define QRY_WAL_MOST	   32000 /* pages of the log, at most, that are not in the case yet, */
#define QRY_WAL_PAUSE	   256	 /* and in a pause */
#define QRY_IDLE_MS	   100	 /* how long rows may wait for company before they are committed */
#define QRY_BUSY_MS	   10000 /* how long to wait for another program's lock on the case */

/* --- rows (row.c) */

/* What a queued row is, in the order the protocol allows (store.c). */
enum qry_op {
	QRY_OP_RULE_FILE,
	QRY_OP_RULE,
	QRY_OP_CAPTURE_BEGIN,
	QRY_OP_PROCESS,
	QRY_OP_EXEC,
	QRY_OP_PROCESS_END,
	QRY_OP_ALERT,
	QRY_OP_GAP,
	QRY_OP_CAPTURE_END,
	QRY_OP_FINISH,
	QRY_OP_FACTS, /* and one for each kind of fact */
	QRY_OPS = QRY_OP_FACTS + QRY_FACT_COUNT
};

struct qry_row { /* decoded; texts borrow from the queue */
	enum qry_op op;
	unsigned count;
	struct qry_value value[QRY_VALUES_MAX];
};

/* Are all texts under QRY_TEXT_MAX? */
bool qry_row_is_limited(const struct qry_value *v, unsigned n);
/* Bring them there. Return: how many had to be cut or dropped. */
unsigned qry_row_limit(struct qry_value *v, unsigned n);
/* It takes at most so many bytes. */
size_t qry_row_room(const struct qry_value *v, unsigned n);
/* @to has qry_row_room() bytes. Return: how many it took. */
size_t qry_row_encode(uint8_t *to, enum qry_op op, const struct qry_value *v, unsigned n);
/* Of the row at @p: its kind, and where the next one begins. */
enum qry_op qry_row_op(const uint8_t *p);
const uint8_t *qry_row_end(const uint8_t *p);
void qry_row_decode(const uint8_t *p, struct qry_row *row);
/*
 * Text as SQLite may hold it: valid UTF-8 without NUL; each byte that is neither becomes U+FFFD.
 * Return: @s itself if it already is, else a view into @scratch (which may have failed).
 */
struct sv qry_clean_text(struct sv s, struct buf *scratch);

/* --- the queue (queue.c): two buffers, one being filled while the other is drained */

struct qry_half {
	uint8_t *p;
	size_t len, cap;
};

struct qry_queue {
	pthread_mutex_t lock;
	pthread_cond_t rows;  /* for the writer thread: enough is queued, or somebody waits */
	pthread_cond_t space; /* for the caller: a buffer was taken, rows are settled, or failure */
	struct qry_half fill, drain;
	size_t wake_at; /* the writer sleeps until this much is queued; SIZE_MAX: it is awake */
	bool hurry;	/* the caller waits: take and commit now */
	bool closed;
	uint64_t pushed, taken, settled; /* rows */
	int failed;			 /* ERR_* of the first failure */
	struct error error;
};

struct qry_batch { /* borrowed until the next take */
	struct sv rows;
	bool commit; /* commit after these rows: nobody should wait longer */
	bool end;    /* closed: nothing comes after these */
};

MUST_CHECK int qry_queue_init(struct qry_queue *q, size_t bytes, struct error *err);
void qry_queue_done(struct qry_queue *q);
/* Caller's thread. Waits while the queue is full. Return: 0, or the writer's first failure. */
MUST_CHECK int qry_queue_push(struct qry_queue *q, enum qry_op op, const struct qry_value *v,
			      unsigned n, struct error *err);
/* Caller's thread: wait until all that was pushed is committed. */
MUST_CHECK int qry_queue_flush(struct qry_queue *q, struct error *err);
void qry_queue_close(struct qry_queue *q);
/*
 * Writer's thread: wait for rows; with @idle_ms >= 0 at most that long. @settled: all rows taken
 * before are committed.
 */
void qry_queue_take(struct qry_queue *q, bool settled, int idle_ms, struct qry_batch *out);
/* Writer's thread: would it have to wait for rows? */
bool qry_queue_is_idle(struct qry_queue *q);
/* Writer's thread: latch the first failure; later pushes return it and rows are dropped. */
void qry_queue_fail(struct qry_queue *q, const struct error *e);

/* --- rows of a batch, one kind behind the other (order.c) */

struct qry_rows { /* of one kind, in the order in which they came */
	const char *base;
	const uint32_t *at; /* where in @base each begins */
	uint32_t left;
};

struct qry_order {
	uint32_t *at;
	size_t cap;
	struct qry_rows rows[QRY_OPS];
};

/*
 * Sort the rows at the start of @batch, which are taken, up to one that stays behind all others.
 * @o refers to @batch. Return: 0 or ERR_NOMEM.
 */
MUST_CHECK int qry_order_take(struct qry_order *o, struct sv *batch, struct error *err);
void qry_order_done(struct qry_order *o); /* zeroed storage is fine */
/* Return: the next one, which is taken; NULL: there is none. */
static inline const uint8_t *qry_rows_next(struct qry_rows *r)
{
	if (!r->left)
		return NULL;
	r->left--;
	return (const uint8_t *)r->base + *r->at++;
}

/* --- opening a case (db.c, schema.c) */

struct qry_migration { /* statements that lead from one schema version to the next */
	const char *const *sql, *const *views; /* NULL-terminated; no views: NULL */
};

extern const char *const qry_schema_2[], *const qry_schema_2_views[], *const qry_schema_3[];
/* Step n leads from version n to n + 1; the first creates everything. */
extern const struct qry_migration qry_migrations[QRY_SCHEMA_VERSION];

/* A fingerprint as people see it. */
#define QRY_FINGERPRINT_SQL(key) "printf('%016x', " key ")"
/* What people say of alert a, of the capture with hash @sha256 and of @rule: of the one rather than
 * of all that look like it. */
#define QRY_VERDICT_SQL(sha256, rule)                                                              \
	"(SELECT v.verdict FROM verdicts v WHERE (v.fingerprint = " QRY_FINGERPRINT_SQL(           \
	    "a.fingerprint") ")\n"                                                                 \
			     "   OR (v.capture_sha256 = " sha256                                   \
			     " AND v.evt_offset = a.evt_offset\n"                                  \
			     "       AND ifnull(v.rule, " rule ") = " rule ")\n"                   \
			     "   ORDER BY v.fingerprint IS NULL DESC, v.verdict_id DESC LIMIT 1)"

/* Create the file (0600) if it is missing; recognise, upgrade and configure. ERR_* as for
 * qry_writer_open(). */
MUST_CHECK int qry_db_open(const char *path, const char *program_version, int busy_ms,
			   sqlite3 **out, struct error *err);
/* The first half of that. Return: 1, 0: the file was there, or ERR_IO. */
MUST_CHECK int qry_db_create(const char *path, struct error *err);
/* The second half; a file that was @created and cannot be set up is removed. */
MUST_CHECK int qry_db_set_up(const char *path, bool created, const char *program_version,
			     int busy_ms, sqlite3 **out, struct error *err);
/* An existing case, which stays as it is; @out is to be closed also on failure. */
MUST_CHECK int qry_db_open_readonly(const char *path, sqlite3 **out, struct error *err);
/* Nothing in the file is to run by itself. */
MUST_CHECK int qry_db_distrust(sqlite3 *db, const char *path, struct error *err);
/* Recognise what @db is and bring it to @version with @steps, in one transaction. */
MUST_CHECK int qry_schema_upgrade(sqlite3 *db, const char *path, const char *program_version,
				  const struct qry_migration *steps, int version,
				  struct error *err);
/* Translate SQLite's result @rc into ERR_*; @doing completes "case 'x': ...: SQLite's message". */
int qry_db_error(sqlite3 *db, const char *path, int rc, const char *doing, struct error *err);
MUST_CHECK int qry_db_exec(sqlite3 *db, const char *path, const char *sql, struct error *err);
/* The integer a one-row statement yields. */
MUST_CHECK int qry_db_int(sqlite3 *db, const char *path, const char *sql, int64_t *out,
			  struct error *err);

/* --- the store (store.c): applies rows; one transaction per batch */

enum qry_stmt {
#define STMT(sym, doing, sql) QRY_STMT_##sym,
#include "query/statements.def"
#undef STMT
	QRY_STMT_FACTS, /* and one for each kind of fact */
	QRY_STMT_COUNT = QRY_STMT_FACTS + QRY_FACT_COUNT
};

#define QRY_BULK_ROWS QRY_BATCH_LEAST /* at most, by one statement */

struct qry_bulk {	       /* rows that a statement takes itself */
	struct qry_rows *from; /* NULL: none does */
	struct qry_row row;    /* where it is */
	unsigned taken;
	bool over;
	int failed; /* ERR_* */
	struct error error;
};

struct qry_store {
	sqlite3 *db;
	sqlite3_stmt *stmt[QRY_STMT_COUNT];
	const char *path; /* borrowed */
	int64_t run_id;
	int64_t capture_id, run_capture_id; /* of the capture being read; 0: none */
	int64_t capture_seq, rule_file_seq, alert_seq;
	struct qry_rule_ref {
		int64_t rule_id; /* 0: not added */
		int priority;
		size_t same;		     /* the first index that has this rule_id */
		int64_t evt_num, evt_offset; /* of its last alert; by @same only */
		/* Alerts that are not in alert_counts yet: */
		int64_t alerts, first_ts, last_ts;
	} * rules; /* by index in the run */
	size_t rule_cap;
	uint64_t *started; /* a bit for each process of the reading */
	size_t started_cap;
	struct map groups; /* of alert_groups, likewise: by rule and fingerprint */
	unsigned pending;  /* rows in the open transaction */
	int wal_pages;	   /* of the log, as of the last commit */
	bool in_transaction;
	uint64_t began; /* that, CLOCK_MONOTONIC */
	struct buf scratch;
	struct qry_bulk bulk;
};

/* Takes over @db (also on failure) and adds the run. @s stays where it is. */
MUST_CHECK int qry_store_init(struct qry_store *s, sqlite3 *db, const char *path,
			      const struct qry_run *run, struct error *err);
void qry_store_done(struct qry_store *s); /* rolls back what is not committed */
/* A row of a kind that comes one by one. */
MUST_CHECK int qry_store_apply(struct qry_store *s, struct qry_row *row, struct error *err);
/* Some of @rows, which are of kind @op. */
MUST_CHECK int qry_store_take(struct qry_store *s, enum qry_op op, struct qry_rows *rows,
			      struct error *err);
MUST_CHECK int qry_store_commit(struct qry_store *s, struct error *err);
/* All rows up to some are stored, whatever their order: commit if that is due. */
MUST_CHECK int qry_store_pace(struct qry_store *s, struct error *err);
/* Nothing is to be done: do what else would remain for the end. */
MUST_CHECK int qry_store_use_pause(struct qry_store *s, struct error *err);

/* Run statement @which with @n values to completion. */
MUST_CHECK int qry_store_run(struct qry_store *s, unsigned which, const struct qry_value *v,
			     unsigned n, struct error *err);
/* The id in the case of process @key of the reading at hand. */
int64_t qry_store_process_id(const struct qry_store *s, int64_t key);
/* A row for a statement of many: check it and add what only the store knows. Return: 1, 0 if it is
 * there already, or ERR_*. */
MUST_CHECK int qry_store_complete(struct qry_store *s, struct qry_row *row, struct error *err);

/* --- many rows by one statement (bulk.c) */

/* Return: SQLite's result. */
int qry_bulk_register(struct qry_store *s);
/* Run @which, which selects from queued_rows, on some of @rows. */
MUST_CHECK int qry_bulk_run(struct qry_store *s, unsigned which, struct qry_rows *rows,
			    unsigned *taken, struct error *err);

/* --- counts of alerts (counts.c): gathered while a transaction is open, stored at its end */

#define QRY_GROUPS_MAX 65536 /* gathered at a time */

struct qry_group {
	int64_t rule_id, fingerprint, alerts, first_ts, last_ts, first_seq;
};

MUST_CHECK int qry_counts_add(struct qry_store *s, struct qry_rule_ref *rule, int64_t fingerprint,
			      int64_t ts);
MUST_CHECK int qry_counts_store(struct qry_store *s, struct error *err);
/* @rule is about to be forgotten. */
MUST_CHECK int qry_counts_rule(struct qry_store *s, struct qry_rule_ref *rule, struct error *err);
void qry_counts_done(struct qry_store *s);

/* --- what an alert looks like, whenever and wherever it happens (fingerprint.c) */

/* @fields: a JSON object, or none. The first 8 bytes of a SHA-256; docs/case-schema.md. */
int64_t qry_fingerprint(struct sv rule, struct sv fields);
/* scapula_fingerprint(rule, fields) in SQL. Return: SQLite's result. */
int qry_fingerprint_register(sqlite3 *db);

/* --- who writes a run, and what is left of one that was killed (owner.c) */

#define QRY_OWNER_MAX 128

/* This program's name for itself; "" if the system does not tell. */
void qry_owner_self(char out[QRY_OWNER_MAX]);
/* Does the program that has this name still run, on this machine? NULL: not known, so no. */
bool qry_owner_is_alive(const char *owner);
/* Return: 1: whoever made the reading did not finish it and is gone, 0: else, or ERR_*. */
MUST_CHECK int qry_reading_is_abandoned(sqlite3 *db, const char *path, int64_t reading,
					struct error *err);
/* Remove all rows of the reading. */
MUST_CHECK int qry_reading_drop(sqlite3 *db, const char *path, int64_t reading, struct error *err);

/* --- pages of alerts (find_page.c) */

struct qry_browse;
struct qry_alert_filter;
/* What SQLite says of how it finds the alerts of a page, a line for each step; indented are steps
 * of what is asked of each row. */
MUST_CHECK int qry_browse_plan(struct qry_browse *b, const struct qry_alert_filter *f, bool back,
			       struct buf *out, struct error *err);

/* --- the writer (writer.c) */

struct qry_writer_options {
	size_t queue_bytes;
	int busy_ms, idle_ms;
};

MUST_CHECK int qry_writer_open_with(const char *path, const struct qry_run *run,
				    const struct qry_writer_options *opt, struct qry_writer **out,
				    struct error *err);

#endif
