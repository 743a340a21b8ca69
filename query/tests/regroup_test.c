/* SPDX-License-Identifier: Apache-2.0 */
/* Statements that are replaced, and those that are not: each gives the rows that SQLite alone
 * gives. */
#include "query/tests/case_helper.h"

#include <pthread.h>
#include <stdatomic.h>

#include "query/alert_scan.h"
#include "query/ask.h"
#include "query/regroup.h"
#include "query/tests/many_alerts.h"

#define ALERTS	3000u
#define CHANGES 150u

static char path[64];

static int make(void **state)
{
	struct error err = {0};

	(void)state;
	snprintf(path, sizeof(path), P_tmpdir "/scapula-regroup.%d.db", (int)getpid());
	unlink(path);
	if (many_make(path, ALERTS, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	/* Processes with several images, out of order, too; alerts that are not shown. */
	sql_run(
	    path,
	    "UPDATE captures SET sha256 = 'ab';"
	    "INSERT INTO execs (process_id, seq, ts, evt_num, evt_offset, uid, comm, exepath,"
	    " cmdline) SELECT process_id, 1, 1, process_id % 5 * 300, 1, 0, 'one', '/one', NULL"
	    " FROM processes WHERE process_id % 3;"
	    "INSERT INTO execs (process_id, seq, ts, evt_num, evt_offset, uid, comm, exepath)"
	    " SELECT process_id, 2, 1, process_id % 7 * 300, 1, 0, 'two', '/two'"
	    " FROM processes WHERE process_id % 4 = 0;"
	    "INSERT INTO execs (process_id, seq, ts, evt_num, evt_offset, uid, comm, exepath)"
	    " SELECT process_id, 3, 1, 900, 1, 0, NULL, '/three' FROM processes"
	    " WHERE process_id % 8 = 0;"
	    "UPDATE processes SET container_id = 'c' || process_id % 5 WHERE process_id % 2;"
	    "UPDATE processes SET pid = NULL WHERE process_id % 11 = 0;"
	    "UPDATE alerts SET pid = NULL WHERE process_id % 11 = 0 AND alert_id % 2;"
	    "UPDATE alerts SET process_id = NULL WHERE alert_id % 13 = 0;"
	    "UPDATE alerts SET process_id = 4294967296 + 5 WHERE alert_id % 41 = 0;"
	    "UPDATE alerts SET process_id = 4294967296 + 65536 + 5 WHERE alert_id % 37 = 0;"
	    "INSERT INTO processes (process_id, run_capture_id, pid, origin, uid, loginuid, tty,"
	    " comm) VALUES (4294967296 + 65536 + 5, 1, 77, 'list', 0, 0, 0, 'far away');"
	    "UPDATE alerts SET pid = process_id & 4294967295 WHERE process_id & 4294967295 IN (5, "
	    "65541);"
	    "UPDATE processes SET pid = process_id & 4294967295 WHERE process_id & 4294967295 IN "
	    "(5, 65541);"
	    "UPDATE alerts SET ts = -ts WHERE alert_id % 23 = 0;"
	    "UPDATE alerts SET ts = alert_id WHERE alert_id % 29 = 0;"
	    "UPDATE alerts SET ts = 9223372036854775807 WHERE alert_id = 31;"
	    "UPDATE alerts SET repeats = 1 WHERE alert_id % 17 = 0;"
	    "INSERT INTO run_captures (run_id, capture_id, seq, path) VALUES (1, 1, 2, 'x');"
	    "UPDATE alerts SET run_capture_id = 2 WHERE alert_id % 19 = 0;"
	    "INSERT INTO verdicts (author, fingerprint, verdict, reason)"
	    " SELECT 'ada', printf('%016x', fingerprint), 'benign', 'b' FROM alert_groups"
	    " WHERE fingerprint % 4 = 0;"
	    "INSERT INTO verdicts (author, capture_sha256, evt_offset, verdict, reason)"
	    " SELECT 'bob', 'ab', evt_offset, 'true positive', 'seen' FROM alerts"
	    " WHERE alert_id % 7 = 0;"
	    "CREATE TABLE odd (a, b TEXT COLLATE NOCASE, c, d INTEGER);"
	    "INSERT INTO odd VALUES (1, 'x', NULL, 5), ('1', 'X', 7, 6), (NULL, 'y', x'00ff', 7),"
	    " (x'31', 'Y', 'text', NULL), (NULL, NULL, '', 9223372036854775807),"
	    " ('a', 'x', 'zz', 1), ('a', 'x', 3, 9223372036854775807), ('', 'z', x'', 4),"
	    " (1, 'x', 3, -5), ('ab', 'q', 1.5, 3), (9223372036854775807, 'w', 2, 2),"
	    " (-9223372036854775807, 'w', NULL, 2);"
	    "CREATE TABLE real (a, b); INSERT INTO real VALUES (1, 2), (1.0, 3), (1.5, 4), (2, "
	    "5.5);"
	    "CREATE TABLE mixed (a, b); INSERT INTO mixed VALUES (1, 1), (1, 1.0), (2, 0.5), (2, "
	    "3),"
	    " (3, -1.5), (3, -1), (4, 2.5), (4, -9e300), (5, 9e300), (5, 9223372036854775807);"
	    "CREATE TABLE zeros (z); INSERT INTO zeros VALUES (0.0), (-0.0);"
	    "CREATE TABLE sums (k, v); INSERT INTO sums VALUES (1, 9007199254740992), (1, 1), (1, "
	    "1),"
	    " (1, 0.5), (2, 3);");
	return 0;
}

static int remove_all(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char name[80];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	return 0;
}

struct setting {
	sqlite3 *db;
	struct qry_regroup *r;
};

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static struct setting open_as(const struct qry_regroup_options *opt)
{
	struct setting s = {0};

	OK(qry_db_open_readonly(path, &s.db, err));
	OK(qry_regroup_new(s.db, opt, &s.r, err));
	return s;
}

static struct setting open_with(uint64_t memory, bool (*stop)(void *))
{
	const struct qry_regroup_options opt = {.tally = {.memory = memory, .stop = stop}};

	return open_as(&opt);
}

/* With several threads, however few the rows are. */
static struct setting open_many(uint64_t memory)
{
	static const struct qry_ask_options ask = {.stop = never};
	const struct qry_regroup_options opt = {
	    .tally = {.memory = memory}, .path = path, .ask = &ask, .threads = 3, .many = 2};

	return open_as(&opt);
}

static void close_all(struct setting *s)
{
	qry_regroup_free(s->r);
	assert_int_equal(sqlite3_close(s->db), SQLITE_OK);
}

static int bind(void *arg, sqlite3_stmt *stmt)
{
	(void)arg;
	for (int i = 1; i <= sqlite3_bind_parameter_count(stmt); i++)
		sqlite3_bind_int(stmt, i, 3);
	return 0;
}

/* All rows with types; the last line is how it ended. */
static void rows(sqlite3_stmt *stmt, struct buf *out)
{
	int rc;

	bind(NULL, stmt);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const char *text = (const char *)sqlite3_column_text(stmt, i);

			buf_addf(out, "%d:", sqlite3_column_type(stmt, i));
			buf_add(out, text ? text : "", (size_t)sqlite3_column_bytes(stmt, i));
			buf_char(out, '|');
		}
		buf_char(out, '\n');
	}
	buf_addf(out, "%d\n", rc & 0xff);
}

/* Return: was it replaced, and did it give the rows of SQLite? It must not give others. */
static bool is_replaced(struct setting *s, const char *sql)
{
	struct buf want = {0}, got = {0};
	sqlite3_stmt *stmt = NULL, *faster;

	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(s->db));
	faster = qry_regroup(s->r, stmt, bind, NULL);
	if (faster) {
		rows(faster, &got);
		rows(stmt, &want);
		if (!sv_eq(buf_view(&want), buf_view(&got)))
			fail_msg("%s\n%s\nnot\n%s", sql, buf_cstr(&got), buf_cstr(&want));
	}
	sqlite3_finalize(faster);
	sqlite3_finalize(stmt);
	buf_done(&want);
	buf_done(&got);
	return faster != NULL;
}

/* --- tests */

static const char *const usual[] = {
    "SELECT process_id, rule_id, count(*), max(ts) FROM alerts GROUP BY 1, 2 ORDER BY 3"
    " DESC LIMIT 50",
    "SELECT ts / 3600000000000, priority, count(*) FROM alerts GROUP BY 1, 2",
    "select substr(output, 20, 12) part, count ( * ) n from alerts group by part order by n"
    " desc, part limit 5 offset 2;",
    "SELECT pid, min(output), max(output), sum(ts % 1000), avg(priority), count(pid),"
    " count() FROM alerts GROUP BY pid",
    "SELECT count(*) AS n, process_id AS p FROM alerts WHERE priority < :most GROUP BY p"
    " HAVING n > 1 ORDER BY p DESC",
    "SELECT a.pid, count(*) * 100 / (1 + max(a.priority)) FROM alerts a GROUP BY pid"
    " ORDER BY count(*) DESC, a.pid",
    "SELECT pid, printf('%d-%s', pid, 'x'), upper('q') FROM alerts GROUP BY alerts.pid",
    "SELECT output_fields ->> '$.\"fd.name\"' AS file, count(*) FROM alerts GROUP BY file",
    "SELECT iif(max(ts) > 5, 'late', 'early'), priority % 3 FROM alerts GROUP BY"
    " priority % 3, source -- the end",
    "SELECT /* a ) comment */ pid, max(seq) FROM alerts -- one\n WHERE pid > 5 GROUP BY pid"
    " HAVING max(seq) - min(seq) > 2 AND count(*) IN (1, 2, 3, 4) ORDER BY 2 DESC NULLS"
    " LAST, 1 ASC",
    "SELECT p.comm, count(*) FROM alerts a JOIN processes p USING (process_id) GROUP BY"
    " p.comm",
    "SELECT x.n % 3, count(*) FROM (SELECT pid AS n, seq FROM alerts WHERE seq > 7) x"
    " GROUP BY x.n % 3",
    "SELECT a, count(*), min(d), max(d), count(d) FROM odd GROUP BY a",
    "SELECT d, min(a), max(a) FROM odd GROUP BY d",
    "SELECT a, d, count(*), max(d) FROM odd WHERE d < 100 GROUP BY a, d",
    "SELECT a, sum(d), avg(d) FROM odd WHERE d IS NULL OR d < 100 GROUP BY 1",
    "SELECT a, count(*) FROM odd WHERE 0 GROUP BY a",
    "SELECT rule, comm, count(*) FROM v_alert GROUP BY rule, comm ORDER BY 3 DESC",
    "SELECT rule, count(*), max(time) FROM v_alert WHERE severity < 3 GROUP BY rule",
    "SELECT verdict, count(*) FROM v_alert GROUP BY verdict",
    "SELECT v.hostname, v.priority, min(v.ts) FROM v_alert AS v GROUP BY hostname,"
    " v.priority HAVING count(*) > 3",
    "SELECT substr(time, 1, 13) hour, container_id, count(*) FROM v_alert GROUP BY hour,"
    " container_id",
    "SELECT exepath, cmdline, fingerprint, count(*) FROM v_alert WHERE comm = 'two' GROUP "
    "BY"
    " 1, 2, 3",
    "SELECT pid, count(DISTINCT rule_id), count(DISTINCT output) AS n FROM alerts GROUP BY pid"
    " HAVING n > 1 ORDER BY n DESC, pid",
    "SELECT a, count(DISTINCT d), count(DISTINCT a) FROM odd GROUP BY a",
    "SELECT pid = '107', count(*) FROM alerts GROUP BY pid", /* pid has a type */
    "SELECT pid, count(*) FROM alerts GROUP BY pid HAVING pid > '5'",
    "SELECT rule, CASE WHEN rule LIKE 'Shell%' THEN 'shell' WHEN rule < 'P' THEN 'other' END,"
    " count(*) FROM v_alert GROUP BY rule HAVING count(*) > 10 AND rule <> 'Seldom seen'"
    " ORDER BY rule = 'Write below etc 1' DESC, count(*)",
    "SELECT CASE WHEN priority < 4 THEN 'high' ELSE 'low' END AS how, count(*) FROM alerts"
    " GROUP BY how",
    "SELECT pid, avg(ts), sum(ts / 9000), total(seq), total(NULL) FROM alerts GROUP BY pid",
    "SELECT pid, avg(seq / 3.0), sum(seq * 0.1), min(seq / 2.0), max(seq / 2.0) FROM alerts GROUP"
    " BY pid",
    "SELECT pid, sum(output), avg(substr(output, 35, 3)) FROM alerts GROUP BY pid",
    "SELECT ts / 1e9 - 1.7e9, count(*) FROM alerts GROUP BY 1 ORDER BY 1 DESC",
    "SELECT round(seq / 7.0), count(*) FROM alerts GROUP BY 1",
    "SELECT b / 4.0, count(*) FROM real GROUP BY b / 4.0",
    "SELECT c, max(d), min(c), max(c) FROM odd WHERE c <> '' GROUP BY c",
    "SELECT count(*), min(ts), max(output), avg(pid), count(DISTINCT rule_id), total(pid) FROM"
    " alerts WHERE output LIKE '%dir-1%'",
    "SELECT count(*), count(DISTINCT rule), sum(pid), avg(pid), total(pid) FROM v_alert WHERE comm"
    " = 'nobody'",
    "SELECT count(*) AS n FROM v_alert WHERE exepath LIKE '/t%' HAVING n > 3",
    "SELECT p.comm, v.rule, count(*) FROM v_alert v JOIN processes p USING (process_id) WHERE"
    " p.pid > 500 GROUP BY 1, 2",
    "SELECT p.comm, count(*), sum(a.pid * 0.3) FROM alerts a LEFT JOIN processes p ON"
    " p.process_id = a.process_id + 1 WHERE a.seq > 5 OR a.seq < 2 GROUP BY p.comm",
    "SELECT count(*) FROM odd WHERE a > 5",
    "SELECT a, min(b), max(b) FROM mixed GROUP BY a ORDER BY a DESC",
    "SELECT pid, count(*) FROM alerts GROUP BY pid ORDER BY count(*) DESC",
    "SELECT output, count(*) FROM alerts GROUP BY output ORDER BY count(*) DESC",
    "SELECT b, count(*) FROM mixed WHERE a > 1 GROUP BY b",
    "SELECT b, a, count(*) FROM mixed WHERE a > 1 GROUP BY b, a ORDER BY b DESC, a DESC",
    "SELECT k, avg(v), total(v) FROM sums GROUP BY k",
    "SELECT r.name, count(p.pid) FROM alerts a JOIN processes p USING (process_id) RIGHT JOIN rules"
    " r ON r.rule_id = a.rule_id AND p.pid > 9000 GROUP BY 1",
    "SELECT ts < strftime('%s', 'now'), count(*) FROM alerts GROUP BY 1",
    "SELECT date() > 'x', ts < strftime('%s'), count(*) FROM alerts GROUP BY 1, 2",
    "SELECT pid, count(*) FROM alerts WHERE date(ts / 1000000000, 'unixepoch') > :day GROUP BY 1",
    "SELECT a, avg(d * 2) FROM odd WHERE d < 100 OR a = 'a' GROUP BY a",
    "SELECT date(ts / 1000000000, 'unixepoch'), count(*) FROM alerts GROUP BY 1",
    "SELECT pid, count(*) FROM main.alerts NOT INDEXED WHERE rule_id > :rule GROUP BY pid",
};

static void what_is_usual_is_replaced(void **state)
{
	struct setting s = open_with(0, never);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(usual); i++) {
		if (!is_replaced(&s, usual[i]))
			fail_msg("not replaced: %s", usual[i]);
		assert_int_equal(qry_regroup_threads(s.r), 1);
	}
	close_all(&s);
}

/* By several threads, unless it depends on the order of rows; and twice with the same connections.
 */
static void threads_find_the_same_groups(void **state)
{
	struct setting s = open_many(0);
	unsigned by_many = 0;

	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(usual); i++) {
		const char *sql = usual[i % COUNT_OF(usual)];

		if (!is_replaced(&s, sql))
			fail_msg("not replaced: %s", sql);
		by_many += qry_regroup_threads(s.r) == 3;
	}
	assert_int_equal(by_many, 2 * 43);
	close_all(&s);
}

static void what_is_not_understood_stays(void **state)
{
	static const char *const sql[] = {
	    "SELECT pid FROM alerts LIMIT 1",
	    "SELECT count(*) FROM alerts", /* an index is smaller */
	    "SELECT pid, sum(DISTINCT rule_id) FROM alerts GROUP BY pid",
	    "SELECT a, sum(b) FROM real GROUP BY a", /* 1 or 1.0? */
	    "SELECT count(DISTINCT a) FROM real GROUP BY b / 10",
	    "SELECT z, count(*) FROM zeros GROUP BY z",
	    "SELECT k, sum(v) FROM sums GROUP BY k",
	    "SELECT a, count(DISTINCT b) FROM odd GROUP BY a",
	    "SELECT rule_id, sum(pid * 0.1) FROM alerts GROUP BY rule_id", /* in the order of ts */
	    "SELECT pid > 5 AND count(*) > 1, count(*) FROM alerts GROUP BY pid",
	    "SELECT random() = pid, count(*) FROM alerts GROUP BY pid",
	    "SELECT -pid AS n, count(*) FROM alerts GROUP BY n HAVING n > -200",
	    "SELECT pid, output, count(*) FROM alerts GROUP BY pid", /* of which alert? */
	    "SELECT pid, group_concat(rule_id) FROM alerts GROUP BY pid",
	    "SELECT pid, total(1), group_concat('x') FROM alerts GROUP BY pid",
	    "SELECT pid, count(*) FILTER (WHERE seq > 5) FROM alerts GROUP BY pid",
	    "SELECT pid, max(seq), max(seq, ts) FROM alerts GROUP BY pid",
	    "SELECT pid, rank() OVER (ORDER BY pid) FROM alerts GROUP BY pid",
	    "SELECT 2 * priority / 3, count(*) FROM alerts GROUP BY priority / 3",
	    "SELECT DISTINCT pid, count(*) FROM alerts GROUP BY pid",
	    "SELECT pid, count(*) FROM alerts GROUP BY pid UNION SELECT 1, 2",
	    "WITH x AS (SELECT 1) SELECT pid, count(*) FROM alerts GROUP BY pid",
	    "SELECT b, count(*) FROM odd GROUP BY b", /* x and X are equal */
	    "SELECT a, max(b) FROM odd GROUP BY a",   /* and here */
	    "SELECT a, count(*) FROM odd GROUP BY a COLLATE NOCASE",
	    "SELECT (SELECT 1) + pid, count(*) FROM alerts GROUP BY pid",
	    "SELECT a, sum(d) FROM odd GROUP BY a",		     /* too large */
	    "SELECT rule_id, count(*) FROM alerts GROUP BY rule_id", /* an index has the order */
	};
	struct setting s = open_with(0, never);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sql); i++)
		if (is_replaced(&s, sql[i]))
			fail_msg("replaced: %s", sql[i]);
	close_all(&s);
}

static void saved_questions_about_all_alerts_are_replaced(void **state)
{
	static const char *const names[] = {"alerts-by-process", "alerts-by-hour"};
	struct setting s = open_with(0, never);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const struct qry_saved *q = qry_saved_find(names[i]);

		assert_non_null(q);
		if (!is_replaced(&s, q->text))
			fail_msg("not replaced: %s", names[i]);
	}
	close_all(&s);
}

/* A name that is a column and that of an item means one thing in GROUP BY and another in ORDER BY.
 */
static void names_mean_what_they_mean_to_sqlite(void **state)
{
	static const char *const sql[] = {
	    "SELECT -priority AS pid, count(*) FROM alerts GROUP BY pid",
	    "SELECT -pid AS pid, count(*) AS n FROM alerts GROUP BY 1 ORDER BY pid LIMIT 9",
	    "SELECT -pid AS pid, count(*) AS n FROM alerts GROUP BY -pid ORDER BY pid + 0 LIMIT 9",
	    "SELECT pid % 3 AS x, count(*) AS seq FROM alerts GROUP BY x HAVING seq > 5 ORDER BY "
	    "seq",
	    "SELECT pid % 3 AS x, count(*) FROM alerts WHERE \"x\" = 1 GROUP BY x",
	    "SELECT pid % 3 AS \"x y\", count(*) FROM alerts GROUP BY \"x y\"",
	    "SELECT pid % 3 AS x, count(*) FROM alerts GROUP BY \"x\"",
	    "SELECT pid % 3 AS x, count(*) FROM alerts GROUP BY 'x'",
	    "SELECT pid AS _k1, seq % 2 AS _k0, count(*) AS _v1, max(ts) AS _v0 FROM alerts GROUP "
	    "BY"
	    " 2, 1 ORDER BY _v0, _k0, _v1",
	    "SELECT pid isnull, count(*) FROM alerts GROUP BY pid",
	    "SELECT CAST(pid AS TEXT), count(*) FROM alerts GROUP BY CAST(pid AS TEXT)",
	    "SELECT CAST(pid AS TEXT) || '', count(*) FROM alerts GROUP BY pid",
	    "SELECT pid, count(*) FROM alerts GROUP BY +1, pid",
	    "SELECT max(pid), count(*) FROM alerts GROUP BY seq % 4 ORDER BY seq % 4 DESC",
	    "SELECT case pid when 107 then 'x' end, count(*) FROM alerts GROUP BY pid",
	};
	struct setting s = open_with(0, never);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sql); i++)
		is_replaced(&s, sql[i]); /* or not, but then the same */
	close_all(&s);
}

static void all_of_v_alert_is_there_without_joins(void **state)
{
	struct setting s = open_with(0, never);
	struct buf want = {0}, got = {0};
	sqlite3_stmt *stmt = NULL;

	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *names[2] = {"v_alert", qry_alert_scan_sql};
		char *q = sqlite3_mprintf("SELECT * FROM (%s%s) ORDER BY alert_id",
					  i ? "" : "SELECT * FROM ", names[i]);

		assert_int_equal(sqlite3_prepare_v2(s.db, q, -1, &stmt, NULL), SQLITE_OK);
		for (int c = 0; c < sqlite3_column_count(stmt); c++)
			buf_addf(i ? &got : &want, "%s\n", sqlite3_column_name(stmt, c));
		rows(stmt, i ? &got : &want);
		sqlite3_finalize(stmt);
		sqlite3_free(q);
	}
	assert_true(want.len > (size_t)ALERTS * 100);
	assert_true(sv_eq(buf_view(&want), buf_view(&got)));
	buf_done(&want);
	buf_done(&got);
	close_all(&s);
}

/* What a name means on this connection alone, others do not know. */
static void tables_of_the_connection_are_its_own(void **state)
{
	struct setting s = open_many(0);

	(void)state;
	assert_true(is_replaced(&s, "SELECT pid, count(*) FROM alerts GROUP BY pid"));
	assert_int_equal(qry_regroup_threads(s.r), 3);
	assert_int_equal(
	    sqlite3_exec(s.db,
			 "CREATE TEMP TABLE alerts AS SELECT * FROM main.alerts WHERE seq % 3",
			 NULL, NULL, NULL),
	    SQLITE_OK);
	assert_true(is_replaced(&s, "SELECT pid, count(*) FROM alerts GROUP BY pid"));
	assert_int_equal(qry_regroup_threads(s.r), 1);
	assert_int_equal(sqlite3_exec(s.db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
	assert_true(is_replaced(&s, "SELECT pid, count(*) FROM main.alerts GROUP BY pid"));
	assert_int_equal(qry_regroup_threads(s.r), 1);
	assert_int_equal(sqlite3_exec(s.db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	close_all(&s);
}

struct changer {
	atomic_bool stop;
	unsigned changes;
};

static void *change_all_rows(void *arg)
{
	struct changer *c = arg;
	sqlite3 *db = NULL;

	sqlite3_open(path, &db);
	sqlite3_busy_timeout(db, 10000);
	sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
	while (!atomic_load(&c->stop)) {
		c->changes += sqlite3_exec(db, "UPDATE changing SET a = a + 1", NULL, NULL, NULL) ==
			      SQLITE_OK;
		usleep(1000); /* now and then nothing changes */
	}
	sqlite3_close(db);
	return NULL;
}

/* A value that changes is the same for all rows, whoever reads them. */
static void threads_see_the_same_state(void **state)
{
	struct setting s;
	struct changer c = {0};
	pthread_t thread;
	unsigned by_many = 0;

	(void)state;
	sql_run(path, "CREATE TABLE changing (a); INSERT INTO changing VALUES (1);"
		      "CREATE TABLE many (a); INSERT INTO many SELECT 1 FROM alerts, rules"
		      " WHERE rules.rule_id < 8");
	s = open_many(0);
	sqlite3_busy_timeout(s.db, 10000);
	assert_int_equal(pthread_create(&thread, NULL, change_all_rows, &c), 0);
	for (unsigned i = 0; i < CHANGES; i++) {
		sqlite3_stmt *stmt = NULL, *faster;
		unsigned groups = 0;

		assert_int_equal(
		    sqlite3_prepare_v2(
			s.db, "SELECT (SELECT a FROM changing) AS a, count(*) FROM many GROUP BY 1",
			-1, &stmt, NULL),
		    SQLITE_OK);
		faster = qry_regroup(s.r, stmt, bind, NULL);
		while (faster && sqlite3_step(faster) == SQLITE_ROW)
			groups++;
		assert_true(!faster || groups == 1);
		by_many += faster && qry_regroup_threads(s.r) == 3;
		sqlite3_finalize(faster);
		sqlite3_finalize(stmt);
	}
	atomic_store(&c.stop, true);
	pthread_join(thread, NULL);
	close_all(&s);
	assert_true(c.changes > 5 && by_many > 5);
}

/* Without memory for all groups the statement as it was is to be used. */
static void too_many_groups_are_left_to_sqlite(void **state)
{
	const char *sql = "SELECT seq, max(output) FROM alerts GROUP BY seq";
	struct setting s = open_with(1200 << 10, never);

	(void)state;
	assert_false(is_replaced(&s, sql));
	assert_true(is_replaced(&s, "SELECT priority, max(output) FROM alerts GROUP BY priority"));
	/* What is no longer the largest is given back. */
	assert_true(is_replaced(&s,
				"SELECT priority, max(printf('%04d%.900c', seq, 'x')) FROM alerts"
				" GROUP BY priority"));
	close_all(&s);
	s = open_with(4 << 20, never);
	assert_true(is_replaced(&s, sql));
	close_all(&s);
}

static bool always(void *arg)
{
	(void)arg;
	return true;
}

static void ordering_groups_can_be_stopped(void **state)
{
	struct setting s = open_with(0, always);

	(void)state;
	assert_false(is_replaced(&s, "SELECT seq, max(output) FROM alerts GROUP BY seq"));
	close_all(&s);
}

/* What is not for people, and groups that nobody takes. */
static void misuse_is_an_error_at_most(void **state)
{
	struct setting s = open_with(0, never);

	(void)state;
	assert_int_equal(
	    sqlite3_exec(s.db, "SELECT scapula_tally(1) FROM alerts", NULL, NULL, NULL),
	    SQLITE_ERROR);
	assert_false(is_replaced(&s, "SELECT pid, count(*) FROM alerts WHERE seq > ifnull((SELECT"
				     " scapula_tally(1, 2, 3) FROM rules), 5) GROUP BY pid"));
	assert_int_equal(sqlite3_exec(s.db,
				      "SELECT * FROM scapula_tallied(77);"
				      "SELECT * FROM scapula_tallied(NULL)",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_not_equal(sqlite3_exec(s.db, "SELECT * FROM scapula_tallied", NULL, NULL, NULL),
			     SQLITE_OK);
	close_all(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_usual_is_replaced),
	    cmocka_unit_test(threads_find_the_same_groups),
	    cmocka_unit_test(tables_of_the_connection_are_its_own),
	    cmocka_unit_test(threads_see_the_same_state),
	    cmocka_unit_test(what_is_not_understood_stays),
	    cmocka_unit_test(saved_questions_about_all_alerts_are_replaced),
	    cmocka_unit_test(names_mean_what_they_mean_to_sqlite),
	    cmocka_unit_test(all_of_v_alert_is_there_without_joins),
	    cmocka_unit_test(too_many_groups_are_left_to_sqlite),
	    cmocka_unit_test(ordering_groups_can_be_stopped),
	    cmocka_unit_test(misuse_is_an_error_at_most),
	};

	return cmocka_run_group_tests(tests, make, remove_all);
}
