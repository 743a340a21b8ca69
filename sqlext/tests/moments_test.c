/* SPDX-License-Identifier: Apache-2.0 */
/* States at moments, several cursors at once, queries that are stopped. */
#include "sqlext/tests/db_helper.h"

#include <stdlib.h>

#include "engine/state/state.h"

#define REPEATED 60 /* times the capture is in one table */

struct counts {
	int64_t threads, processes, fds;
};

/* The same by a walk up to and with event @num. */
static struct counts counts_after(const char *path, uint64_t num)
{
	const struct state_options opt = {.host_names = true};
	struct counts n = {0};
	struct sf_reader *r = NULL;
	struct state *st = NULL;
	struct state_thread *t;
	struct state_binding b;
	struct error err = {0};
	struct ev_item item;

	assert_int_equal(sf_reader_open(path, NULL, &r, &err), 0);
	assert_int_equal(state_new(&opt, &st, &err), 0);
	while (state_stats(st)->events < num &&
	       ev_source_next(sf_reader_source(r), &item, &err) > 0)
		assert_true(state_feed(st, &item, &b, &err) >= 0);
	state_settle(st, state_stats(st)->last_ts);
	for (size_t at = 0; (t = state_thread_next(st, &at));) {
		bool invalid = state_thread_is_invalid(t), main = state_thread_is_main(t);

		n.threads += !invalid;
		n.processes += main && !invalid;
		for (size_t k = 0; (main || invalid) && state_fd_next(t, &k);)
			n.fds++;
	}
	state_free(st);
	sf_reader_close(r);
	return n;
}

static void tables_hold_the_state_of_their_moment(void **state)
{
	static const unsigned moments[] = {1, 300, 900, 2000, 100000};
	sqlite3 *db = open_capture(INTRUSION);
	char sql[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(moments); i++) {
		struct counts want = counts_after(INTRUSION, moments[i]);

		snprintf(sql, sizeof(sql), "SELECT count(*) FROM threads WHERE at = 'evt:%u'",
			 moments[i]);
		assert_int_equal(number_of(db, sql), want.threads);
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM processes WHERE at = 'evt:%u'",
			 moments[i]);
		assert_int_equal(number_of(db, sql), want.processes);
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM fds WHERE at = 'evt:%u'",
			 moments[i]);
		assert_int_equal(number_of(db, sql), want.fds);
	}
	sqlite3_close(db);
}

static void a_moment_is_a_time_a_number_or_an_event(void **state)
{
	sqlite3 *db = open_capture(NETWORK);

	(void)state;
	run(db, "CREATE TEMP TABLE m AS SELECT num, ts, time FROM events WHERE num = 500");
	assert_rows(db,
		    "SELECT count(*) > 0, (SELECT count(*) FROM fds, m WHERE at = ts) = count(*), "
		    "(SELECT count(*) FROM fds, m WHERE at = time) = count(*) "
		    "FROM fds WHERE at = 'evt:500'",
		    "1|1|1\n");
	assert_rows(db, "SELECT count(*) FROM fds WHERE at IS NULL", "0\n");
	assert_rows(db,
		    "SELECT count(*) = 2 * (SELECT count(*) FROM fds WHERE at = 'evt:500') "
		    "FROM fds WHERE at IN ('evt:500', '+1000s') OR at = 'evt:500'",
		    "0\n");
	assert_rows(db, "SELECT count(DISTINCT at) FROM fds WHERE at IN ('evt:100', 'evt:500')",
		    "2\n");
	sqlite3_close(db);
}

static void a_process_is_found_by_its_number(void **state)
{
	sqlite3 *db = open_capture(NETWORK);

	(void)state;
	assert_rows(db,
		    "SELECT name, fd, path FROM processes p JOIN fds f USING (pid, at, name) "
		    "WHERE at = 'evt:500' ORDER BY pid, fd",
		    "bash|255|/opt/w/network.sh\npython3|0|NULL\n");
	assert_rows(db,
		    "SELECT sum(n = (SELECT count(*) FROM fds g WHERE g.at = 'evt:400' AND "
		    "g.pid = h.pid)) = count(*) FROM (SELECT pid, count(*) n FROM fds WHERE at = "
		    "'evt:400' GROUP BY pid) h",
		    "1\n");
	assert_rows(db, "SELECT count(*) FROM fds WHERE pid = 1.5 AND at = 'evt:400'", "0\n");
	assert_rows(db, "SELECT count(*) = 1 FROM processes WHERE pid = '14431' AND at = 'evt:400'",
		    "1\n");
	sqlite3_close(db);
}

static void several_cursors_walk_at_once(void **state)
{
	sqlite3 *db = open_capture(NETWORK);
	sqlite3_stmt *a, *b;
	int64_t n = 0;

	(void)state;
	run(db, "CREATE TEMP TABLE copy AS SELECT num, type, pid FROM events");
	assert_int_equal(
	    number_of(db, "SELECT count(*) FROM events a JOIN events b ON b.num = a.num + 1 AND "
			  "b.pid = a.pid WHERE a.type = 'openat'"),
	    number_of(db, "SELECT count(*) FROM copy a JOIN copy b ON b.num = a.num + 1 AND "
			  "b.pid = a.pid WHERE a.type = 'openat'"));
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT num, args FROM events", -1, &a, NULL), 0);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT num, args FROM events", -1, &b, NULL), 0);
	assert_int_equal(sqlite3_step(b), SQLITE_ROW);
	for (; sqlite3_step(a) == SQLITE_ROW && sqlite3_step(b) == SQLITE_ROW; n++)
		assert_int_equal(sqlite3_column_int64(a, 0) + 1, sqlite3_column_int64(b, 0));
	assert_true(n > 100);
	sqlite3_finalize(a);
	sqlite3_finalize(b);
	sqlite3_close(db);
}

/* --- stopping --- */

static sqlite3 *open_long(void)
{
	const char *paths[REPEATED];

	for (size_t i = 0; i < REPEATED; i++)
		paths[i] = INTRUSION;
	return open_captures(paths, REPEATED);
}

static int interrupt_once(void *arg)
{
	sqlite3 **db = arg;

	if (*db)
		sqlite3_interrupt(*db);
	*db = NULL;
	return 0;
}

static int stop_at_once(void *arg)
{
	++*(int *)arg;
	return 1;
}

static void assert_interrupted(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_INTERRUPT);
	sqlite3_finalize(stmt);
}

/* No row comes, so that only the tables can notice. */
static const char *const long_queries[] = {
    "SELECT count(*) FROM events WHERE type = 'reboot'",
    "SELECT count(*) FROM events WHERE filter = 'evt.num < 0'",
    "WITH RECURSIVE m(n) AS (VALUES(15000) UNION ALL SELECT n + 1 FROM m WHERE n < 15020) "
    "SELECT count(*) FROM m, fds WHERE at = 'evt:' || n AND pid = 1 AND capture = '" INTRUSION "'",
    "SELECT count(*) FROM gaps",
};

static void an_interrupt_ends_a_walk(void **state)
{
	sqlite3 *db = open_long(), *other;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(long_queries); i++) {
		other = db;
		/* More than a statement has outside of walks. */
		sqlite3_progress_handler(db, 3000, interrupt_once, &other);
		assert_interrupted(db, long_queries[i]);
		assert_null(other);
		sqlite3_progress_handler(db, 0, NULL, NULL);
		/* And the connection is as good as before. */
		assert_true(number_of(db, "SELECT count(*) FROM (SELECT 1 FROM events LIMIT 5)") ==
			    5);
	}
	sqlite3_close(db);
}

static void a_progress_handler_ends_a_walk(void **state)
{
	sqlite3 *db = open_long();
	int called = 0;

	(void)state;
	sqlite3_progress_handler(db, 3000, stop_at_once, &called);
	for (size_t i = 0; i < COUNT_OF(long_queries); i++)
		assert_interrupted(db, long_queries[i]);
	assert_int_equal(called, (int)COUNT_OF(long_queries));
	sqlite3_close(db);
}

static void a_state_over_its_limit_ends_a_walk(void **state)
{
	const struct vtab_options opt = {.memory = 1000}, enough = {.memory = 100u << 20};
	const char *path = INTRUSION, *sql = "SELECT count(*) FROM events WHERE type = 'reboot'";
	struct error err;
	sqlite3 *db = open_db(&opt);

	(void)state;
	assert_int_equal(vtab_attach(db, &path, 1, NULL, &err), 0);
	assert_fails(db, sql, "out of memory");
	assert_fails(db, "SELECT count(*) FROM fds", "out of memory");
	assert_rows(db, "SELECT count(*) FROM gaps", "0\n");
	sqlite3_close(db);
	db = open_db(&enough);
	assert_int_equal(vtab_attach(db, &path, 1, NULL, &err), 0);
	assert_rows(db, sql, "0\n");
	sqlite3_close(db);
}

static void a_limit_reads_no_further(void **state)
{
	sqlite3 *db = open_captures((const char *const[]){NETWORK, "/nonexistent"}, 2);

	(void)state;
	assert_rows(db, "SELECT num FROM events LIMIT 3", "1\n2\n3\n");
	assert_fails(db, "SELECT max(num) FROM events", "/nonexistent");
	sqlite3_close(db);
}

int main(void)
{
	setenv("XDG_CACHE_HOME", "/nonexistent",
	       1); /* an index of somebody would spare the walks */
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tables_hold_the_state_of_their_moment),
	    cmocka_unit_test(a_moment_is_a_time_a_number_or_an_event),
	    cmocka_unit_test(a_process_is_found_by_its_number),
	    cmocka_unit_test(several_cursors_walk_at_once),
	    cmocka_unit_test(an_interrupt_ends_a_walk),
	    cmocka_unit_test(a_progress_handler_ends_a_walk),
	    cmocka_unit_test(a_state_over_its_limit_ends_a_walk),
	    cmocka_unit_test(a_limit_reads_no_further),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
