/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the fuzz targets of reports: a small case in memory whose texts are pieces of the fuzzer's
 * input, which the byte 0x1e separates. When there are no more pieces they begin again, so every
 * text of the case is hostile. The rows stay the same, only texts change.
 * Most of the time would go to SQLite's reading of its schema and to malloc(): so rows are taken
 * out again by statements, since undoing a transaction in which a sink made a table makes SQLite
 * read the schema anew; and SQLite has memory of its own.
 */
#ifndef TESTS_FUZZ_REPORT_CASE_H
#define TESTS_FUZZ_REPORT_CASE_H

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "query/internal.h"
#include "report/report.h"
#include "tests/fuzz/spare_memory.h"

#define PIECES_MAX 64
#define SMALL	   1200 /* bytes of what SQLite takes from its own memory */
#define SMALLS	   4000 /* how many of these there are */

struct report_case {
	sqlite3 *db;
	struct sv pieces[PIECES_MAX];
	size_t count, at;
	struct buf json;
};

static void report_must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

/* An empty case; made once. */
static sqlite3 *report_db(void)
{
	sqlite3 *db = NULL;
	struct error err = {0};

	report_must(sqlite3_config(SQLITE_CONFIG_MALLOC, &spare_memory) == SQLITE_OK &&
			sqlite3_open(":memory:", &db) == SQLITE_OK &&
			sqlite3_db_config(db, SQLITE_DBCONFIG_LOOKASIDE, NULL, SMALL, SMALLS) ==
			    SQLITE_OK &&
			qry_fingerprint_register(db) == SQLITE_OK,
		    "no database");
	report_must(qry_schema_upgrade(db, "fuzz", "0", qry_migrations, QRY_SCHEMA_VERSION, &err) ==
			0,
		    err.msg);
	/* Who makes a case to do harm keeps no rules; and rows that people added are to go, too. */
	report_must(sqlite3_exec(db, "PRAGMA ignore_check_constraints = ON", NULL, NULL, NULL) ==
			    SQLITE_OK &&
			sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL) == SQLITE_OK,
		    "no settings");
	return db;
}

/* Take out what report_insert() put in: tables that are referred to behind those that refer. */
static void report_empty(sqlite3 *db)
{
	static const char *const tables[] = {
	    "verdicts", "bookmarks",   "notes",	       "alert_groups", "alert_counts",
	    "alerts",	"connections", "files",	       "containers",   "users",
	    "execs",	"processes",   "run_rules",    "rules",	       "rule_files",
	    "losses",	"damage",      "run_captures", "captures",     "runs"};
	static sqlite3_stmt *stmts[COUNT_OF(tables)];

	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		char sql[64];

		snprintf(sql, sizeof(sql), "DELETE FROM %s", tables[i]);
		report_must(
		    (stmts[i] || sqlite3_prepare_v2(db, sql, -1, &stmts[i], NULL) == SQLITE_OK) &&
			sqlite3_step(stmts[i]) == SQLITE_DONE,
		    sqlite3_errmsg(db));
		sqlite3_reset(stmts[i]);
	}
}

static void report_cut(struct report_case *c, const uint8_t *p, size_t n)
{
	c->count = c->at = 0;
	while (c->count < PIECES_MAX) {
		const uint8_t *end = n ? memchr(p, 0x1e, n) : NULL;
		size_t len = end ? (size_t)(end - p) : n;

		c->pieces[c->count++] = sv_make(len ? (const char *)p : "", len);
		if (!end)
			break;
		p = end + 1;
		n -= len + 1;
	}
}

static struct sv report_piece(struct report_case *c)
{
	return c->pieces[c->at++ % c->count];
}

/* A JSON array of some pieces, or an object of them under the names of fields. */
static struct sv report_json(struct report_case *c, bool object)
{
	static const char *const names[] = {"fd.name", "fd.sip", "evt.arg.path", "user.name"};

	buf_reset(&c->json);
	buf_char(&c->json, object ? '{' : '[');
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (i)
			buf_char(&c->json, ',');
		if (object) {
			json_string(&c->json, i < 3 ? sv_of(names[i]) : report_piece(c));
			buf_char(&c->json, ':');
		}
		json_string(&c->json, report_piece(c));
	}
	buf_char(&c->json, object ? '}' : ']');
	return buf_view(&c->json);
}

static const char *const report_rows[] = {
    "INSERT INTO runs (run_id, version, command, matching, started_ts, finished_ts, state,"
    " exit_status) VALUES (1, ?, ?, 'first', 1000000000, 2000000000, 'finished', 0)",
    "INSERT INTO captures (capture_id, sha256, path, hostname, boot_ts, first_ts, last_ts,"
    " compression, events, gaps, lost_events, interrupted, reading_id, seal, seal_origin,"
    " seal_sha256, seal_made_ts)"
    " VALUES (1, ?, ?, ?, 1, 1700000000000000000, 1700000009000000000, ?, 9, 1, 2, 0, 1, ?, ?, ?, "
    "5)",
    "INSERT INTO run_captures (run_capture_id, run_id, capture_id, seq, path, events, gaps,"
    " cut_values, interrupted, state) VALUES (1, 1, 1, 1, ?, 9, 1, 1, 0, 'done')",
    "INSERT INTO damage VALUES (1, 1, 77, 5, ?, ?)",
    "INSERT INTO losses VALUES (1, ?, 5, ?)",
    "INSERT INTO rule_files VALUES (1, 1, ?, ?, 1)",
    "INSERT INTO rules (rule_id, digest, name, description, source, priority, condition, output,"
    " tags) VALUES (1, ?, ?, ?, ?, 2, ?, ?, :list)",
    "INSERT INTO rules (rule_id, digest, name, description, source, priority, condition, output,"
    " tags) VALUES (2, 'other', ?, ?, ?, 7, ?, ?, '[\"T1059.004\",\"mitre_execution\"]')",
    "INSERT INTO run_rules VALUES (1, 0, 1, 1, ?, 7), (1, 1, 2, 0, ?, 9)",
    "INSERT INTO processes (process_id, run_capture_id, pid, ppid, origin, uid, loginuid, tty, "
    "comm,"
    " exe, exepath, cmdline, cwd) VALUES (4294967297, 1, 1, 0, 'list', 0, 4294967295, 0, ?, ?, ?, "
    "?,"
    " ?)",
    "INSERT INTO processes (process_id, run_capture_id, parent_id, pid, ppid, origin, start_ts, "
    "uid,"
    " loginuid, tty, comm, exe, exepath, cmdline, cwd, container_id, exe_sha256)"
    " VALUES (4294967298, 1, 4294967297, 77, 1, 'clone', 1700000001000000000, 5, 5, 1, ?, ?, ?, ?, "
    "?,"
    " 'c0ffee', ?)",
    "INSERT INTO execs (process_id, seq, ts, evt_num, evt_offset, uid, comm, exe, exepath, cmdline,"
    " cwd, args) VALUES (4294967298, 1, 1700000002000000000, 3, 30, 5, ?, ?, ?, ?, ?, :list)",
    "INSERT INTO users VALUES (1, 'c0ffee', 5, ?, 5, ?, ?)",
    "INSERT INTO containers (run_capture_id, container_id, type, name, image)"
    " VALUES (1, 'c0ffee', ?, ?, ?)",
    "INSERT INTO files (process_id, path, opens, refused, creates, reads, writes, bytes_read,"
    " bytes_written, renames, deletes, execs, first_ts, last_ts, first_evt, first_write_ts)"
    " VALUES (4294967298, ?, 3, 0, 1, 0, 4, 0, 99, 0, 2, 1, 1700000003000000000,"
    " 1700000004000000000, 4, 1700000003000000000)",
    "INSERT INTO connections (connection_id, run_capture_id, process_id, family, proto, state,"
    " direction, waits, from_start, local_ip, local_port, remote_ip, remote_port, bytes_in,"
    " bytes_out, attempts, first_ts, pid, comm, exepath, uid) VALUES (4294967297, 1, 4294967298, "
    "'ipv4', ?, "
    "?,"
    " ?, 0, 0, ?, 1, ?, 2, 3, 4, 1, 1700000005000000000, 77, ?, ?, 5)",
    "INSERT INTO alerts (alert_id, run_capture_id, seq, rule_id, ts, evt_num, evt_offset, tid, pid,"
    " process_id, priority, source, output, output_fields, fingerprint) VALUES (1, 1, 1, 1,"
    " 1700000006000000000, 6, 60, 77, 77, 4294967298, 2, ?, ?, :object, 1)",
    "INSERT INTO alerts (alert_id, run_capture_id, seq, rule_id, ts, evt_num, evt_offset, tid, pid,"
    " process_id, priority, source, output, output_fields, fingerprint) VALUES (2, 1, 2, 2,"
    " 1700000007000000000, 7, 70, 77, 77, 4294967298, 7, ?, ?, ?, 2)",
    "INSERT INTO alert_counts VALUES (1, 1, 1, 0, 1700000006000000000, 1700000006000000000),"
    " (1, 2, 1, 0, 1700000007000000000, 1700000007000000000)",
    "INSERT INTO alert_groups VALUES (1, 1, 1, 1, 0, 1700000006000000000, 1700000006000000000, 1),"
    " (1, 2, 2, 1, 0, 1700000007000000000, 1700000007000000000, 2)",
    "INSERT INTO notes (note_id, written, author, text, process_uid) VALUES (1, ?, ?, ?, ?)",
    "INSERT INTO bookmarks (bookmark_id, written, author, label, capture_sha256, ts)"
    " VALUES (1, ?, ?, ?, ?, 9)",
    "INSERT INTO verdicts (verdict_id, written, author, fingerprint, verdict, reason)"
    " VALUES (1, ?, ?, '0000000000000001', 'benign', ?)",
};

/* Insert a row. For each '?': a piece; for ":list" an array of them, for ":object" an object. */
static void report_insert(struct report_case *c, size_t row)
{
	static sqlite3_stmt *stmts[COUNT_OF(report_rows)];
	sqlite3_stmt *stmt;
	int rc = stmts[row] ? SQLITE_OK
			    : sqlite3_prepare_v2(c->db, report_rows[row], -1, &stmts[row], NULL);

	report_must(rc == SQLITE_OK, sqlite3_errmsg(c->db));
	stmt = stmts[row];
	for (int i = 1; i <= sqlite3_bind_parameter_count(stmt); i++) {
		const char *name = sqlite3_bind_parameter_name(stmt, i);
		struct sv s = !name		     ? report_piece(c)
			      : strstr(name, "list") ? report_json(c, false)
						     : report_json(c, true);

		sqlite3_bind_text(stmt, i, s.p ? s.p : "", (int)s.n, SQLITE_TRANSIENT);
	}
	rc = sqlite3_step(stmt);
	report_must(rc == SQLITE_DONE, sqlite3_errmsg(c->db));
	sqlite3_reset(stmt);
}

static int report_collect(void *arg, const void *p, size_t n, struct error *err)
{
	(void)err;
	buf_add(arg, p, n);
	return 0;
}

/* The report of a case with the texts in @data, appended to @out. */
static void report_of(const uint8_t *data, size_t size, const struct rep_options *opt,
		      int (*sink)(struct rep_case *, const struct rep_options *, struct rep_out *,
				  struct error *),
		      struct buf *out)
{
	static sqlite3 *db;
	struct report_case c = {0};
	struct rep_out o = {.write = report_collect, .arg = out};
	struct rep_case *rc = NULL;
	struct error err = {0};

	if (!db)
		db = report_db();
	c.db = db;
	report_cut(&c, data, size);
	report_must(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK, "no transaction");
	for (size_t i = 0; i < COUNT_OF(report_rows); i++)
		report_insert(&c, i);
	report_must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
	report_must(rep_case_over(db, "fuzz.db", opt, &rc, &err) == 0, err.msg);
	report_must(sink(rc, opt, &o, &err) == 0, err.msg);
	rep_case_close(rc);
	report_empty(db);
	buf_done(&o.b);
	buf_done(&c.json);
}

/* @text with no character that means something in markup: what a report must look like anyway. */
static inline void report_tame(const uint8_t *text, size_t n, const char *wild, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		buf_char(out, memchr(wild, text[i], strlen(wild)) ? 'x' : (char)text[i]);
}

/* All of @s is valid UTF-8 without harmful characters but line ends. */
static void report_check_text(struct sv s)
{
	while (s.n) {
		uint32_t cp = 0;
		unsigned bad, n = utf8_decode(s, &cp, &bad);

		report_must(n != 0, "invalid UTF-8");
		report_must(cp == '\n' || !utf8_is_harmful(cp), "a harmful character");
		s = sv_drop(s, n);
	}
}

#endif
