/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of cases and the alerts they gave, on small cases that are made here. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bundle/bundle.h"

static char dir[] = "/tmp/runs_test.XXXXXX";
static char first[64], second[64];

/* The tables that are read, with the columns that are. */
static const char tables[] =
    "CREATE TABLE runs (run_id INTEGER PRIMARY KEY, version, command, state);"
    "CREATE TABLE rule_files (run_id, seq, name, sha256);"
    "CREATE TABLE captures (capture_id INTEGER PRIMARY KEY, path, sha256);"
    "CREATE TABLE run_captures (run_capture_id INTEGER PRIMARY KEY, run_id, capture_id, seq, path,"
    "  events, interrupted);"
    "CREATE TABLE rules (rule_id INTEGER PRIMARY KEY, name);"
    "CREATE TABLE alerts (alert_id INTEGER PRIMARY KEY, run_capture_id, rule_id, ts, evt_num,"
    "  evt_offset, priority, output, output_fields);"
    "INSERT INTO rules VALUES (1, 'a'), (2, 'b');";

static void make(const char *path, const char *sql)
{
	sqlite3 *db;
	char *message = NULL;

	unlink(path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, tables, NULL, NULL, &message), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	sqlite3_close(db);
}

/* One alert: reading, rule, offset, text. */
#define ALERT(reading, rule, at, text)                                                             \
	"INSERT INTO alerts VALUES (NULL, " #reading ", " #rule ", 5, " #at ", " #at               \
	"00, 4, '" text "', '{}');"

static void compare(const char *a, const char *b, struct bag_comparison *c)
{
	struct error err = {0};

	make(first, a);
	make(second, b);
	*c = (struct bag_comparison){0};
	if (bag_compare(first, 1, second, 1, NULL, c, &err) < 0)
		fail_msg("%s", err.msg);
}

static void equal_alerts_are_the_same_in_any_order_of_their_rows(void **state)
{
	struct bag_comparison c;

	(void)state;
	compare(ALERT(1, 1, 3, "x") ALERT(1, 2, 3, "y") ALERT(1, 1, 9, "z") ALERT(2, 1, 9, "other"),
		ALERT(1, 1, 9, "z") ALERT(1, 2, 3, "y") ALERT(1, 1, 3, "x"), &c);
	assert_int_equal(c.same, 3);
	assert_int_equal(c.missing + c.added + c.changed, 0);
	bag_comparison_done(&c);
	compare("", "", &c);
	assert_int_equal(c.same + c.missing + c.added + c.changed, 0);
	bag_comparison_done(&c);
}

static void each_difference_is_told_with_its_event_and_rule(void **state)
{
	struct bag_comparison c;

	(void)state;
	compare(ALERT(1, 1, 3, "x") ALERT(1, 1, 4, "was") ALERT(1, 2, 4, "w") ALERT(1, 1, 8, "v"),
		ALERT(1, 1, 4, "is") ALERT(1, 2, 4, "w") ALERT(1, 2, 8, "new") ALERT(1, 1, 9, "u"),
		&c);
	assert_int_equal(c.same, 1);
	assert_int_equal(c.missing, 2);
	assert_int_equal(c.added, 2);
	assert_int_equal(c.changed, 1);
	assert_int_equal(c.ntold, 5);
	assert_int_equal(c.first[0].kind, BAG_ALERT_MISSING);
	assert_int_equal(c.first[0].evt_num, 3);
	assert_string_equal(c.first[0].rule, "a");
	assert_int_equal(c.first[1].kind, BAG_ALERT_CHANGED);
	assert_string_equal(c.first[1].what, "was");
	assert_int_equal(c.first[2].kind, BAG_ALERT_MISSING);
	assert_int_equal(c.first[3].kind, BAG_ALERT_ADDED);
	assert_string_equal(c.first[3].rule, "b");
	assert_int_equal(c.first[4].evt_num, 9);
	bag_comparison_done(&c);
}

static void differences_beyond_the_first_are_counted(void **state)
{
	struct bag_comparison c;

	(void)state;
	compare(
	    "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
	    "INSERT INTO alerts SELECT NULL, 1, 1, 5, i, i, 4, hex(zeroblob(1000)), '{}' FROM n",
	    "", &c);
	assert_int_equal(c.missing, 1000);
	assert_int_equal(c.ntold, BAG_DIFFERENCES_MAX);
	assert_true(strlen(c.first[0].what) < 1000);
	bag_comparison_done(&c);
}

static void runs_have_their_rules_and_readings_in_order(void **state)
{
	struct bag_runs r;
	struct error err = {0};

	(void)state;
	make(first,
	     "INSERT INTO runs VALUES (1, '0.1', 'scapula replay x', 'finished'), (2, NULL, 'y', "
	     "'running');"
	     "INSERT INTO rule_files VALUES (1, 2, 'b', 'nonsense'), (1, 1, 'a', "
	     "'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff');"
	     "INSERT INTO captures VALUES (7, 'c', NULL);"
	     "INSERT INTO run_captures VALUES (4, 1, 7, 2, 'two', 9, 0), (5, 1, 7, 1, 'one', NULL, "
	     "1)");
	if (bag_runs_read(first, NULL, &r, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(r.count, 2);
	assert_true(r.list[0].finished);
	assert_false(r.list[1].finished);
	assert_string_equal(r.list[0].command, "scapula replay x");
	assert_string_equal(r.list[1].version, "");
	assert_int_equal(r.list[0].nrules, 2);
	assert_string_equal(r.list[0].rules[0].path, "a");
	assert_true(r.list[0].rules[0].hashed && r.list[0].rules[0].sha256[31] == 0xff);
	assert_false(r.list[0].rules[1].hashed);
	assert_int_equal(r.list[0].nreadings, 2);
	assert_string_equal(r.list[0].readings[0].capture.path, "one");
	assert_false(r.list[0].readings[0].complete);
	assert_int_equal(r.list[0].readings[1].id, 4);
	assert_int_equal(r.list[0].readings[1].events, 9);
	bag_runs_done(&r);
}

static void too_many_runs_are_refused(void **state)
{
	struct bag_runs r;
	struct error err = {0};

	(void)state;
	make(first,
	     "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 10001)"
	     " INSERT INTO runs SELECT i, '', '', 'finished' FROM n");
	assert_int_equal(bag_runs_read(first, NULL, &r, &err), ERR_LIMIT);
	assert_non_null(strstr(err.msg, "BAG_RUNS_MAX"));
	bag_runs_done(&r);
}

static bool stop_at_once(void *arg)
{
	++*(int *)arg;
	return true;
}

static void a_case_that_never_ends_can_be_stopped(void **state)
{
	int asked = 0;
	const struct bag_checking how = {.stop = stop_at_once, .arg = &asked};
	struct bag_comparison c = {0};
	struct error err = {0};

	(void)state;
	make(first, "DROP TABLE alerts; CREATE VIEW alerts AS WITH RECURSIVE n(i) AS (VALUES (1) "
		    "UNION ALL SELECT i + 1 FROM n) SELECT i AS evt_offset, 1 AS evt_num, 1 AS ts, "
		    "1 AS rule_id, 4 AS priority, '' AS output, '' AS output_fields, "
		    "1 AS run_capture_id FROM n");
	make(second, "");
	assert_int_equal(bag_compare(first, 1, second, 1, &how, &c, &err), ERR_INTERRUPTED);
	assert_int_not_equal(asked, 0);
	bag_comparison_done(&c);
}

static void what_is_no_case_is_an_error(void **state)
{
	struct bag_runs r;
	struct bag_comparison c = {0};
	struct error err = {0};
	FILE *f;

	(void)state;
	make(first, "DROP TABLE runs; DROP TABLE alerts");
	assert_int_equal(bag_runs_read(first, NULL, &r, &err), ERR_DB);
	bag_runs_done(&r);
	assert_int_equal(bag_compare(first, 1, first, 1, NULL, &c, &err), ERR_DB);
	f = fopen(first, "w");
	fputs("no database", f);
	fclose(f);
	assert_int_equal(bag_runs_read(first, NULL, &r, &err), ERR_DB);
	bag_runs_done(&r);
	assert_int_not_equal(bag_case_check(first, NULL, &err), 0);
	bag_comparison_done(&c);
}

static int clean_up(void **state)
{
	(void)state;
	unlink(first);
	unlink(second);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_alerts_are_the_same_in_any_order_of_their_rows),
	    cmocka_unit_test(each_difference_is_told_with_its_event_and_rule),
	    cmocka_unit_test(differences_beyond_the_first_are_counted),
	    cmocka_unit_test(runs_have_their_rules_and_readings_in_order),
	    cmocka_unit_test(too_many_runs_are_refused),
	    cmocka_unit_test(a_case_that_never_ends_can_be_stopped),
	    cmocka_unit_test(what_is_no_case_is_an_error),
	};

	if (!mkdtemp(dir))
		return 1;
	snprintf(first, sizeof(first), "%s/first.db", dir);
	snprintf(second, sizeof(second), "%s/second.db", dir);
	return cmocka_run_group_tests(tests, NULL, clean_up);
}
