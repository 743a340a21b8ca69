/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The case of a shard while a worker writes it: which of its traces came to an end. This is a
 * second connection beside the writer's, which is at rest whenever something is written here.
 */
#include "query/part.h"

#include <stdlib.h>

#include "query/ask.h"
#include "query/part_internal.h"

struct qry_part {
	sqlite3 *db;
	char *path;
	uint32_t shard;
	int64_t readings; /* the highest number of one when the trace began */
};

static const struct {
	const char *name;
	bool kept;
} statuses[] = {
#define X(sym, name, kept) {name, kept},
    QRY_TRACE_STATUS(X)
#undef X
};

const char *qry_trace_status_name(enum qry_trace_status s)
{
	return statuses[s].name;
}

bool qry_trace_is_kept(enum qry_trace_status s)
{
	return statuses[s].kept;
}

static bool name_is_kept(const char *name)
{
	for (size_t i = 0; name && i < COUNT_OF(statuses); i++)
		if (strcmp(name, statuses[i].name) == 0)
			return statuses[i].kept;
	return false;
}

/* --- the tables */

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS job_parts ( -- one row per shard that is in this file\n"
    "  shard    INTEGER PRIMARY KEY, -- from 0\n"
    "  shards   INTEGER NOT NULL, -- of the job\n"
    "  job      TEXT NOT NULL, -- digest of the list of all traces\n"
    "  traces   INTEGER NOT NULL, -- of the job\n"
    "  holds    INTEGER NOT NULL, -- of the shard\n"
    "  version  TEXT NOT NULL, -- of the program\n"
    "  ruleset  TEXT NOT NULL, -- digest of the rules, in order\n"
    "  options  TEXT NOT NULL, -- what else results depend on\n"
    "  complete INTEGER NOT NULL -- 1: all traces ended\n"
    ") STRICT;"
    "CREATE TABLE IF NOT EXISTS jobs ( -- one row per trace that was begun\n"
    "  trace          INTEGER PRIMARY KEY, -- place in the list, from 1\n"
    "  shard          INTEGER NOT NULL,\n"
    "  sha256         TEXT NOT NULL, -- as the list has it\n"
    "  path           TEXT NOT NULL,\n"
    "  run_capture_id INTEGER, -- NULL: nothing came of it\n"
    "  status         TEXT NOT NULL,\n"
    "  exit_status    INTEGER,\n"
    "  events         INTEGER,\n"
    "  wall_ms        INTEGER,\n"
    "  cpu_ms         INTEGER,\n"
    "  rss_kb         INTEGER, -- of the worker so far, at most\n"
    "  retries        INTEGER NOT NULL,\n"
    "  node           TEXT\n"
    ") STRICT";

int qry_part_tables(sqlite3 *db, const char *path, struct error *err)
{
	return qry_db_exec(db, path, tables, err);
}

int qry_part_drop_captures(sqlite3 *db, const char *path, struct error *err)
{
	return qry_db_exec(db, path,
			   "DELETE FROM captures WHERE NOT EXISTS (SELECT 1 FROM run_captures r"
			   " WHERE r.capture_id = captures.capture_id)",
			   err);
}

/* --- statements */

/* Prepare @sql and bind @n values. */
static int prepare(sqlite3 *db, const char *path, const char *sql, const struct qry_value *v,
		   unsigned n, sqlite3_stmt **out, struct error *err)
{
	int rc = sqlite3_prepare_v2(db, sql, -1, out, NULL);

	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++)
		switch (v[i].kind) {
		case QRY_NULL:
			rc = sqlite3_bind_null(*out, (int)i + 1);
			break;
		case QRY_TEXT:
			rc = sqlite3_bind_text(*out, (int)i + 1, v[i].s.p, (int)v[i].s.n,
					       SQLITE_TRANSIENT);
			break;
		default:
			rc = sqlite3_bind_int64(*out, (int)i + 1, v[i].i);
		}
	return rc == SQLITE_OK ? 0 : qry_db_error(db, path, rc, "preparing", err);
}

static int run(struct qry_part *p, const char *sql, const struct qry_value *v, unsigned n,
	       struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = prepare(p->db, p->path, sql, v, n, &stmt, err), step;

	if (rc == 0 && (step = sqlite3_step(stmt)) != SQLITE_DONE)
		rc = qry_db_error(p->db, p->path, step, "noting what became of a trace", err);
	sqlite3_finalize(stmt);
	return rc;
}

/* A path of a capture is bytes; in the case it is a text, as everywhere there. */
static int clean(struct qry_value *v, unsigned n, struct buf *scratch, struct error *err)
{
	for (unsigned i = 0; i < n; i++)
		if (v[i].kind == QRY_TEXT)
			v[i].s = qry_clean_text(v[i].s, &scratch[i]);
	for (unsigned i = 0; i < n; i++)
		if (scratch[i].failed)
			return error_nomem(err);
	return 0;
}

/* --- which job it is of */

const char *qry_job_difference(const struct qry_job *a, const struct qry_job *b)
{
	if (strcmp(a->job, b->job) != 0 || a->shards != b->shards || a->traces != b->traces)
		return "list of captures";
	if (strcmp(a->version, b->version) != 0)
		return "version of the program";
	if (strcmp(a->ruleset, b->ruleset) != 0)
		return "rules";
	return strcmp(a->options, b->options) != 0 ? "options" : NULL;
}

static const char *keep_text(char **at, sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	char *to = *at;

	*at = stpcpy(to, text ? text : "") + 1;
	return to;
}

/* The row of job_parts, of which there is one. Return: 1, 0: there is none, or ERR_*. */
static int read_part(sqlite3 *db, const char *path, struct qry_part_facts *f, struct error *err)
{
	static const char sql[] = "SELECT shard, shards, traces, holds, complete, job, version,"
				  " ruleset, options FROM job_parts ORDER BY shard LIMIT 2";
	sqlite3_stmt *stmt = NULL;
	size_t room = 0;
	char *at;
	int rc = prepare(db, path, sql, NULL, 0, &stmt, err), step;

	if (rc < 0)
		goto out;
	step = sqlite3_step(stmt);
	if (step != SQLITE_ROW) {
		rc = step == SQLITE_DONE ? 0 : qry_db_error(db, path, step, "reading", err);
		goto out;
	}
	for (int i = 5; i < 9; i++)
		room += (size_t)sqlite3_column_bytes(stmt, i) + 1;
	f->text = at = malloc(room);
	if (!at) {
		rc = error_nomem(err);
		goto out;
	}
	f->job.shard = (uint32_t)sqlite3_column_int64(stmt, 0);
	f->job.shards = (uint32_t)sqlite3_column_int64(stmt, 1);
	f->job.traces = (uint64_t)sqlite3_column_int64(stmt, 2);
	f->job.holds = (uint64_t)sqlite3_column_int64(stmt, 3);
	f->complete = sqlite3_column_int(stmt, 4) == 1;
	f->job.job = keep_text(&at, stmt, 5);
	f->job.version = keep_text(&at, stmt, 6);
	f->job.ruleset = keep_text(&at, stmt, 7);
	f->job.options = keep_text(&at, stmt, 8);
	rc = sqlite3_step(stmt) == SQLITE_DONE
		 ? 1
		 : error_set(err, ERR_FORMAT, "'%s' is of several shards: it is no part", path);
out:
	sqlite3_finalize(stmt);
	return rc;
}

/* What became of its traces. */
static int read_traces(sqlite3 *db, const char *path, struct qry_part_facts *f, struct error *err)
{
	static const char sql[] = "SELECT status, ifnull(exit_status, 0), run_capture_id FROM jobs"
				  " WHERE status NOT IN ('running', 'interrupted')";
	sqlite3_stmt *stmt = NULL;
	int rc = prepare(db, path, sql, NULL, 0, &stmt, err), step = SQLITE_DONE;

	f->exits = 0;
	f->ended = f->lost = 0;
	while (rc == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
		f->ended++;
		f->lost += !name_is_kept((const char *)sqlite3_column_text(stmt, 0));
		f->exits |= 1u << (sqlite3_column_int(stmt, 1) & 7);
	}
	sqlite3_finalize(stmt);
	return rc == 0 && step != SQLITE_DONE ? qry_db_error(db, path, step, "reading", err) : rc;
}

void qry_part_facts_done(struct qry_part_facts *f)
{
	free(f->text);
	*f = (struct qry_part_facts){0};
}

static int look(sqlite3 *db, const char *path, struct qry_part_facts *f, struct error *err)
{
	int64_t tables_there = 0;
	int version = 0, rc = qry_ask_version(db, path, &version, err);

	if (rc == 0 && version != QRY_SCHEMA_VERSION)
		return error_set(err, ERR_FORMAT,
				 version ? "'%s' is a case of another version of the schema"
					 : "'%s' is no case",
				 path);
	if (rc == 0)
		rc = qry_db_int(db, path,
				"SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
				" AND name IN ('job_parts', 'jobs')",
				&tables_there, err);
	if (rc < 0)
		return rc;
	rc = tables_there == 2 ? read_part(db, path, f, err) : 0;
	if (rc == 0)
		return error_set(
		    err, ERR_FORMAT,
		    "'%s' is a case, but no part: 'scapula replay --shard' makes parts", path);
	return rc < 0 ? rc : read_traces(db, path, f, err);
}

int qry_part_look(const char *path, struct qry_part_facts *out, struct error *err)
{
	struct qry_part_facts f = {0};
	sqlite3 *db = NULL;
	int rc = qry_db_open_readonly(path, &db, err);

	if (rc == 0)
		rc = look(db, path, &f, err);
	sqlite3_close(db);
	if (rc < 0) {
		qry_part_facts_done(&f);
		return rc;
	}
	*out = f;
	return 0;
}

/* --- a worker's part */

static int add_part(struct qry_part *p, const struct qry_job *j, struct error *err)
{
	const struct qry_value v[] = {
	    qry_int(j->shard),		 qry_int(j->shards),	      qry_text(sv_of(j->job)),
	    qry_u64(j->traces),		 qry_u64(j->holds),	      qry_text(sv_of(j->version)),
	    qry_text(sv_of(j->ruleset)), qry_text(sv_of(j->options)),
	};

	return run(p,
		   "INSERT INTO job_parts (shard, shards, job, traces, holds, version, ruleset,"
		   " options, complete) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
		   v, COUNT_OF(v), err);
}

static int check_part(struct qry_part *p, const struct qry_job *j, struct error *err)
{
	struct qry_part_facts f = {0};
	const char *other;
	int rc = read_part(p->db, p->path, &f, err);

	if (rc == 0)
		return add_part(p, j, err);
	if (rc > 0) {
		other = qry_job_difference(&f.job, j);
		if (!other && f.job.shard != j->shard)
			other = "shard";
		rc = other ? error_set(err, ERR_USAGE,
				       "'%s' differs in: %s; remove it to begin anew, or "
				       "choose another name",
				       p->path, other)
			   : 0;
	}
	qry_part_facts_done(&f);
	return rc;
}

int qry_part_open(const char *path, const struct qry_job *job, struct qry_part **out,
		  struct error *err)
{
	struct qry_part *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return error_nomem(err);
	p->shard = job->shard;
	p->path = strdup(path);
	rc = p->path ? qry_db_open(path, job->version, QRY_BUSY_MS, &p->db, err) : error_nomem(err);
	if (rc == 0)
		rc = qry_part_tables(p->db, p->path, err);
	if (rc == 0)
		rc = check_part(p, job, err);
	if (rc < 0) {
		qry_part_close(p);
		return rc;
	}
	*out = p;
	return 0;
}

sqlite3 *qry_part_db(struct qry_part *p, const char **path)
{
	*path = p->path;
	return p->db;
}

/* Return: 1: a run older than ours goes on, 0: none does, or ERR_*. */
static int is_taken(struct qry_part *p, struct error *err)
{
	char self[QRY_OWNER_MAX];
	struct qry_value v[1];
	sqlite3_stmt *stmt = NULL;
	int rc, step = SQLITE_DONE, taken = 0;

	qry_owner_self(self);
	v[0] = qry_text(sv_of(self));
	rc = prepare(p->db, p->path,
		     "SELECT owner FROM runs WHERE state = 'running' AND run_id <"
		     " (SELECT max(run_id) FROM runs WHERE owner = ?1)",
		     v, COUNT_OF(v), &stmt, err);
	while (rc == 0 && !taken && (step = sqlite3_step(stmt)) == SQLITE_ROW)
		taken = qry_owner_is_alive((const char *)sqlite3_column_text(stmt, 0));
	if (rc == 0 && !taken && step != SQLITE_DONE)
		rc = qry_db_error(p->db, p->path, step, "looking at runs", err);
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : taken;
}

/* Return: 1 with the next reading whose trace is not kept, 0: there is none, or ERR_*. */
static int next_unfinished(struct qry_part *p, int64_t *reading, struct error *err)
{
	static const char sql[] =
	    "SELECT c.run_capture_id, j.status FROM run_captures c LEFT JOIN jobs j"
	    " ON j.run_capture_id = c.run_capture_id WHERE c.run_capture_id > ?1"
	    " ORDER BY c.run_capture_id";
	const struct qry_value v[] = {qry_int(*reading)};
	sqlite3_stmt *stmt = NULL;
	int rc = prepare(p->db, p->path, sql, v, COUNT_OF(v), &stmt, err), step = SQLITE_DONE;

	while (rc == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (name_is_kept((const char *)sqlite3_column_text(stmt, 1)))
			continue;
		*reading = sqlite3_column_int64(stmt, 0);
		rc = 1;
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = qry_db_error(p->db, p->path, step, "looking at readings", err);
	sqlite3_finalize(stmt);
	return rc;
}

static int drop_unfinished(struct qry_part *p, struct error *err)
{
	int64_t reading = 0;
	int rc;

	while ((rc = next_unfinished(p, &reading, err)) > 0) {
		rc = qry_reading_drop(p->db, p->path, reading, err);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : qry_part_drop_captures(p->db, p->path, err);
}

/* All of @work or nothing. */
static int together(struct qry_part *p, int (*work)(struct qry_part *p, struct error *err),
		    struct error *err)
{
	int rc = qry_db_exec(p->db, p->path, "BEGIN IMMEDIATE", err);

	if (rc < 0)
		return rc;
	rc = work(p, err);
	if (rc == 0)
		rc = qry_db_exec(p->db, p->path, "COMMIT", err);
	if (rc < 0)
		sqlite3_exec(p->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

int qry_part_claim(struct qry_part *p, struct error *err)
{
	int rc = is_taken(p, err);

	if (rc > 0)
		return error_set(err, ERR_DB, "another program is writing '%s'", p->path);
	return rc < 0 ? rc : together(p, drop_unfinished, err);
}

int qry_part_wants(struct qry_part *p, uint64_t seq, struct error *err)
{
	const struct qry_value v[] = {qry_u64(seq)};
	sqlite3_stmt *stmt = NULL;
	int rc = prepare(p->db, p->path, "SELECT status FROM jobs WHERE trace = ?1", v, COUNT_OF(v),
			 &stmt, err),
	    step;

	if (rc == 0) {
		step = sqlite3_step(stmt);
		if (step == SQLITE_ROW)
			rc = !name_is_kept((const char *)sqlite3_column_text(stmt, 0));
		else
			rc = step == SQLITE_DONE
				 ? 1
				 : qry_db_error(p->db, p->path, step, "looking at traces", err);
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int last_reading(struct qry_part *p, int64_t *out, struct error *err)
{
	return qry_db_int(p->db, p->path, "SELECT ifnull(max(run_capture_id), 0) FROM run_captures",
			  out, err);
}

int qry_part_begin(struct qry_part *p, uint64_t seq, const char *sha256, const char *path,
		   const char *node, struct error *err)
{
	struct buf scratch[5] = {{0}};
	struct qry_value v[] = {qry_u64(seq), qry_int(p->shard), qry_text(sv_of(sha256)),
				qry_text(sv_of(path)), qry_text(sv_of(node))};
	int rc = clean(v, COUNT_OF(v), scratch, err);

	if (rc == 0)
		rc = run(
		    p,
		    "INSERT INTO jobs (trace, shard, sha256, path, status, retries, node)"
		    " VALUES (?1, ?2, ?3, ?4, 'running', 0, ?5) ON CONFLICT (trace) DO UPDATE"
		    " SET run_capture_id = NULL, status = excluded.status, path = excluded.path,"
		    " retries = retries + 1, node = excluded.node",
		    v, COUNT_OF(v), err);
	for (size_t i = 0; i < COUNT_OF(scratch); i++)
		buf_done(&scratch[i]);
	return rc < 0 ? rc : last_reading(p, &p->readings, err);
}

static int drop_new(struct qry_part *p, struct error *err)
{
	int rc = qry_reading_drop(p->db, p->path, p->readings + 1, err);

	return rc < 0 ? rc : qry_part_drop_captures(p->db, p->path, err);
}

int qry_part_end(struct qry_part *p, uint64_t seq, const struct qry_trace_result *r,
		 struct error *err)
{
	struct qry_value v[] = {
	    qry_u64(seq),
	    {0},
	    qry_text(sv_of(qry_trace_status_name(r->status))),
	    qry_int(r->exit_status),
	    qry_u64(r->events),
	    qry_u64(r->wall_ms),
	    qry_u64(r->cpu_ms),
	    qry_u64(r->rss_kb),
	};
	int64_t last = 0;
	int rc = last_reading(p, &last, err);

	if (rc == 0 && last > p->readings && qry_trace_is_kept(r->status))
		v[1] = qry_int(last);
	else if (rc == 0 && last > p->readings)
		rc = together(p, drop_new, err);
	return rc < 0 ? rc
		      : run(p,
			    "UPDATE jobs SET run_capture_id = ?2, status = ?3, exit_status = ?4,"
			    " events = ?5, wall_ms = ?6, cpu_ms = ?7, rss_kb = ?8 WHERE trace = ?1",
			    v, COUNT_OF(v), err);
}

int qry_part_finish(struct qry_part *p, unsigned *exits, struct error *err)
{
	struct qry_part_facts f = {0};
	int64_t one_file = 0;
	int rc = read_traces(p->db, p->path, &f, err);

	*exits = f.exits;
	if (rc == 0)
		rc = run(p, "UPDATE job_parts SET complete = 1", NULL, 0, err);
	/* One file, nothing beside it: it can be renamed and carried elsewhere. */
	if (rc == 0)
		rc = qry_db_exec(p->db, p->path,
				 "PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE);"
				 "PRAGMA journal_mode = DELETE",
				 err);
	if (rc == 0)
		rc = qry_db_int(p->db, p->path,
				"SELECT journal_mode = 'delete' FROM pragma_journal_mode",
				&one_file, err);
	if (rc == 0 && !one_file)
		rc = error_set(err, ERR_DB, "'%s' is open in another program", p->path);
	qry_part_close(p);
	return rc;
}

void qry_part_close(struct qry_part *p)
{
	if (!p)
		return;
	sqlite3_close(p->db);
	free(p->path);
	free(p);
}
