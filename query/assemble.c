/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One case of many parts. First all parts are looked at: then the number that everything gets is
 * known, and parts can be copied one after the other. Two connections, so that what is wrong with a
 * part can be told from what is wrong with the case.
 */
#include "query/assemble.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct qry_assembler {
	sqlite3 *db; /* the case */
	char *path;
	const char **parts; /* paths of those that were surveyed */
	size_t part_count, part_room;
	struct qry_trace *traces;
	size_t trace_count, trace_room;
	bool numbered;
	struct qry_plan plans[QRY_PLANS_MAX];
	size_t plan_count;
	bool has_run;		   /* the first part that was copied gave it, and the rules */
	int64_t started, finished; /* of the runs of all */
};

/* --- the case */

int qry_assembler_new(const char *path, const char *version, struct qry_assembler **out,
		      struct error *err)
{
	struct qry_assembler *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return error_nomem(err);
	a->path = strdup(path);
	rc = a->path ? qry_db_open(path, version, QRY_BUSY_MS, &a->db, err) : error_nomem(err);
	/* Nobody has the file under its name before it is complete, and then it is synced once. */
	if (rc == 0)
		rc = qry_db_exec(a->db, path,
				 "PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF;"
				 "PRAGMA foreign_keys = OFF",
				 err);
	if (rc == 0)
		rc = qry_part_tables(a->db, path, err);
	if (rc == 0)
		rc = qry_plan_all(a->db, path, a->plans, &a->plan_count, err);
	if (rc < 0) {
		qry_assembler_free(a);
		return rc;
	}
	*out = a;
	return 0;
}

void qry_assembler_free(struct qry_assembler *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->plan_count; i++)
		qry_plan_done(&a->plans[i]);
	sqlite3_close(a->db);
	free(a->traces);
	free(a->parts);
	free(a->path);
	free(a);
}

/* --- looking at parts */

/* Room for one more of what has @size bytes. */
static void *grow(void *list, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 64;
	void *p;

	if (count < *room)
		return list;
	p = reallocarray(list, more, size);
	if (p)
		*room = more;
	return p;
}

static bool is_sound(const struct qry_trace *t)
{
	return t->seq > 0 && t->reading > 0 && t->reading <= QRY_READING_MAX && t->capture > 0 &&
	       t->alerts >= 0 && t->alerts <= UINT32_MAX && t->execs >= 0 && t->execs <= UINT32_MAX;
}

static int take_trace(struct qry_assembler *a, const char *path, sqlite3_stmt *stmt,
		      struct error *err)
{
	struct qry_trace *t = grow(a->traces, a->trace_count, &a->trace_room, sizeof(*t));

	if (!t)
		return error_nomem(err);
	a->traces = t;
	t += a->trace_count;
	*t = (struct qry_trace){
	    .seq = sqlite3_column_int64(stmt, 0),
	    .part = a->part_count,
	    .reading = sqlite3_column_int64(stmt, 1),
	    .capture = sqlite3_column_int64(stmt, 2),
	    .alerts = sqlite3_column_int64(stmt, 3),
	    .execs = sqlite3_column_int64(stmt, 4),
	    .first_exec = sqlite3_column_int64(stmt, 5),
	};
	if (!is_sound(t))
		return error_set(err, ERR_FORMAT, "'%s' makes no sense: trace %lld", path,
				 (long long)t->seq);
	a->trace_count++;
	return 0;
}

static int read_all_traces(struct qry_assembler *a, const char *path, sqlite3 *db,
			   struct error *err)
{
	static const char sql[] =
	    "WITH r AS (SELECT j.trace, c.run_capture_id AS id, c.capture_id FROM jobs j"
	    " JOIN run_captures c USING (run_capture_id))"
	    " SELECT r.trace, r.id, r.capture_id,"
	    " (SELECT ifnull(sum(k.alerts), 0) FROM alert_counts k WHERE k.run_capture_id = r.id),"
	    " count(x.rowid), ifnull(min(x.rowid), 0)"
	    " FROM r LEFT JOIN execs x ON x.process_id >= r.id << 32"
	    " AND x.process_id < (r.id + 1) << 32 GROUP BY r.trace ORDER BY r.trace";
	sqlite3_stmt *stmt = NULL;
	int rc = 0, step = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (step == SQLITE_OK)
		while (rc == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW)
			rc = take_trace(a, path, stmt, err);
	sqlite3_finalize(stmt);
	return rc == 0 && step != SQLITE_DONE ? qry_db_error(db, path, step, "reading", err) : rc;
}

static int check_integrity(sqlite3 *db, const char *path, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
	const char *text;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	if (text && strcmp(text, "ok") == 0)
		rc = 0;
	else if (text)
		rc = error_set(err, ERR_DB, "part '%s' is damaged: %s", path, text);
	else
		rc = qry_db_error(db, path, rc, "checking", err);
	sqlite3_finalize(stmt);
	return rc;
}

int qry_assembler_survey(struct qry_assembler *a, const char *path, struct error *err)
{
	const char **parts = grow(a->parts, a->part_count, &a->part_room, sizeof(*parts));
	size_t before = a->trace_count;
	sqlite3 *db = NULL;
	int rc;

	if (!parts)
		return error_nomem(err);
	a->parts = parts;
	rc = qry_db_open_readonly(path, &db, err);
	if (rc == 0)
		rc = check_integrity(db, path, err);
	if (rc == 0)
		rc = read_all_traces(a, path, db, err);
	sqlite3_close(db);
	if (rc < 0)
		a->trace_count = before;
	else
		a->parts[a->part_count++] = path;
	return rc;
}

/* --- numbers */

static int by_seq(const void *a, const void *b)
{
	const struct qry_trace *x = a, *y = b;

	return x->seq != y->seq ? (x->seq > y->seq) - (x->seq < y->seq)
				: (x->part > y->part) - (x->part < y->part);
}

static int number(struct qry_assembler *a, struct error *err)
{
	int64_t alerts = 0, execs = 0;

	if (a->trace_count > QRY_READING_MAX)
		return error_set(err, ERR_LIMIT, "more captures than a case can hold");
	if (a->trace_count)
		qsort(a->traces, a->trace_count, sizeof(*a->traces), by_seq);
	for (size_t i = 0; i < a->trace_count; i++) {
		struct qry_trace *t = &a->traces[i];

		if (i && t->seq == t[-1].seq)
			return error_set(err, ERR_FORMAT, "trace %lld is in '%s' and in '%s'",
					 (long long)t->seq, a->parts[t[-1].part],
					 a->parts[t->part]);
		t->new_reading = t->new_capture = (int64_t)i + 1;
		t->alerts_before = alerts;
		t->execs_before = execs;
		alerts += t->alerts;
		execs += t->execs;
	}
	a->numbered = true;
	return 0;
}

static int find_numbers(struct qry_assembler *a, size_t part, struct qry_numbers *n,
			struct error *err)
{
	for (size_t i = 0; i < a->trace_count; i++) {
		struct qry_trace *t = &a->traces[i];

		if (t->part == part && (map_put(&n->readings, (uint64_t)t->reading, t) < 0 ||
					map_put(&n->captures, (uint64_t)t->capture, t) < 0))
			return error_nomem(err);
	}
	return 0;
}

/* --- copying */

struct copying {
	struct qry_assembler *a;
	struct qry_copying c;
};

/* --- rules and runs, which all parts have the same of */

#define RULE_COLUMNS                                                                               \
	"digest, name, description, source, priority, condition, compiled, output, tags"

static int map_rules(struct copying *c, struct error *err)
{
	return qry_copy_map_rules(&c->c, true, err);
}

/* Tables of the first part as they are; the newest of its runs is the one that completed it. */
static int copy_rules(struct copying *c, struct error *err)
{
#define NEWEST "(SELECT max(run_id) FROM runs)"
	struct qry_plan plans[] = {
	    {.select = "SELECT " RULE_COLUMNS " FROM rules ORDER BY rule_id",
	     .insert = "INSERT INTO rules (" RULE_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	     .columns = 9},
	    {.select = "SELECT 1, version, command, matching, started_ts, 'finished' FROM runs"
		       " WHERE run_id = " NEWEST,
	     .insert = "INSERT INTO runs (run_id, version, command, matching, started_ts, state)"
		       " VALUES (?, ?, ?, ?, ?, ?)",
	     .columns = 6},
	    {.select = "SELECT 1, seq, name, sha256, ok FROM rule_files WHERE run_id = " NEWEST,
	     .insert = "INSERT INTO rule_files (run_id, seq, name, sha256, ok)"
		       " VALUES (?, ?, ?, ?, ?)",
	     .columns = 5},
	    {.select = "SELECT sha256, text FROM rule_texts WHERE sha256 IN"
		       " (SELECT sha256 FROM rule_files WHERE run_id = " NEWEST ") ORDER BY rowid",
	     .insert = "INSERT INTO rule_texts (sha256, text) VALUES (?, ?)",
	     .columns = 2},
	    {.select = "SELECT 1, seq, enabled, file, line, rule_id FROM run_rules"
		       " WHERE run_id = " NEWEST,
	     .insert = "INSERT INTO run_rules (run_id, seq, enabled, file, line, rule_id)"
		       " VALUES (?, ?, ?, ?, ?, ?)",
	     .columns = 6,
	     .kind = {[5] = QRY_COLUMN_RULE}},
	};
#undef NEWEST
	int rc = qry_copy_table(&c->c, &plans[0], plans[0].select, err);

	if (rc == 0)
		rc = map_rules(c, err);
	for (size_t i = 1; i < COUNT_OF(plans) && rc == 0; i++)
		rc = qry_copy_table(&c->c, &plans[i], plans[i].select, err);
	return rc;
}

static int note_times(struct copying *c, int64_t *started, int64_t *finished, struct error *err)
{
	int rc =
	    qry_db_int(c->c.from, c->c.from_path, "SELECT min(started_ts) FROM runs", started, err);

	return rc < 0 ? rc
		      : qry_db_int(c->c.from, c->c.from_path,
				   "SELECT ifnull(max(finished_ts), 0) FROM runs", finished, err);
}

static int copy_all(struct copying *c, struct error *err)
{
	struct qry_assembler *a = c->a;
	int64_t started = 0, finished = 0;
	int rc = note_times(c, &started, &finished, err);

	if (rc == 0)
		rc = a->has_run ? map_rules(c, err) : copy_rules(c, err);
	for (size_t i = 0; i < a->plan_count && rc == 0; i++)
		rc = qry_copy_table(&c->c, &a->plans[i], a->plans[i].select, err);
	if (rc < 0)
		return rc;
	a->started = !a->has_run || started < a->started ? started : a->started;
	a->finished = finished > a->finished ? finished : a->finished;
	return 0;
}

/* All of the part or nothing. */
static int copy_part(struct copying *c, struct error *err)
{
	struct qry_assembler *a = c->a;
	int rc = qry_db_exec(a->db, a->path, "BEGIN", err);

	if (rc == 0) {
		rc = copy_all(c, err);
		if (rc < 0) {
			sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
			c->c.broken |= rc == ERR_NOMEM;
			return rc;
		}
		rc = qry_db_exec(a->db, a->path, "COMMIT", err);
	}
	c->c.broken = rc < 0;
	a->has_run |= rc == 0;
	return rc;
}

int qry_assembler_copy(struct qry_assembler *a, const char *path, bool *broken, struct error *err)
{
	struct copying c = {
	    .a = a,
	    .c = {.from_path = path, .to = a->db, .to_path = a->path, .numbers = {.run = 1}}};
	size_t part = 0;
	int rc = a->numbered ? 0 : number(a, err);

	*broken = rc < 0;
	while (part < a->part_count && strcmp(a->parts[part], path) != 0)
		part++;
	if (rc == 0)
		rc = find_numbers(a, part, &c.c.numbers, err);
	if (rc == 0)
		rc = qry_db_open_readonly(path, &c.c.from, err);
	if (rc == 0) {
		rc = copy_part(&c, err);
		*broken = c.c.broken;
	}
	sqlite3_close(c.c.from);
	qry_numbers_done(&c.c.numbers);
	return rc;
}

/* --- the end */

static int finish_run(struct qry_assembler *a, int exit_status, struct error *err)
{
	char *sql = sqlite3_mprintf("UPDATE runs SET exit_status = %d, started_ts = %lld,"
				    " finished_ts = nullif(%lld, 0)",
				    exit_status, (long long)a->started, (long long)a->finished);
	int rc = sql ? qry_db_exec(a->db, a->path, sql, err) : error_nomem(err);

	sqlite3_free(sql);
	return rc;
}

static int sync_file(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0 || fsync(fd) != 0)
		rc = error_sys(err, errno, "cannot write '%s'", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

int qry_assembler_finish(struct qry_assembler *a, int exit_status, struct error *err)
{
	int rc = finish_run(a, exit_status, err);

	sqlite3_close(a->db);
	a->db = NULL;
	if (rc == 0)
		rc = sync_file(a->path, err);
	qry_assembler_free(a);
	return rc;
}
