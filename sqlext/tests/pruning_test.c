/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a query does not ask for is not worked out: that changes no row, so the functions that would
 * work it out are counted here.
 */
#include "sqlext/tests/db_helper.h"

#include "engine/filter/filter.h"
#include "sqlext/internal.h"

int __real_flt_column_new(struct flt_program *p, struct sv text, const struct flt_column **out,
			  struct error *err);
int __wrap_flt_column_new(struct flt_program *p, struct sv text, const struct flt_column **out,
			  struct error *err);
void __real_flt_ctx_event(struct flt_ctx *cx, const struct state_binding *b);
void __wrap_flt_ctx_event(struct flt_ctx *cx, const struct state_binding *b);

int __real_state_pass_on(struct state *st, struct state_passing *p, struct ev_item *item,
			 struct error *err);
int __wrap_state_pass_on(struct state *st, struct state_passing *p, struct ev_item *item,
			 struct error *err);

static int64_t columns, looked, batches;

int __wrap_flt_column_new(struct flt_program *p, struct sv text, const struct flt_column **out,
			  struct error *err)
{
	columns++;
	return __real_flt_column_new(p, text, out, err);
}

void __wrap_flt_ctx_event(struct flt_ctx *cx, const struct state_binding *b)
{
	looked++;
	__real_flt_ctx_event(cx, b);
}

int __wrap_state_pass_on(struct state *st, struct state_passing *p, struct ev_item *item,
			 struct error *err)
{
	batches++;
	return __real_state_pass_on(st, p, item, err);
}

/* In a connection of its own, because what was compiled once stays. Return: the first number. */
static int64_t ask(const char *sql)
{
	sqlite3 *db = open_capture(NETWORK);
	int64_t n;

	columns = looked = batches = 0;
	n = number_of(db, sql);
	sqlite3_close(db);
	return n;
}

static void the_first_columns_are_compiled_without_the_others(void **state)
{
	(void)state;
	ask("SELECT num, exe FROM events LIMIT 3");
	assert_in_range(columns, 1, VTAB_COLUMNS_TOLD);
	ask("SELECT num, \"proc.aname[7]\" FROM events LIMIT 3");
	assert_true(columns > 5 * VTAB_COLUMNS_TOLD);
}

static void events_are_not_looked_at_when_no_field_is_asked_for(void **state)
{
	(void)state;
	ask("SELECT count(*), min(num), max(ts) FROM events");
	assert_int_equal(looked, 0);
	assert_true(ask("SELECT count(exe) FROM events") > 1000);
	assert_true(looked > 1000);
	assert_true(ask("SELECT count(*), count(\"proc.aname[7]\") FROM events") > 1000);
	assert_true(looked > 1000);
}

/* Does SQLite ask for columns to carry out @sql? */
static bool asks_for_columns(const char *sql)
{
	sqlite3 *db = open_capture(NETWORK);
	char *steps = rows_of(db, sql);
	bool asks = strstr(steps, "VColumn");

	assert_non_null(strstr(steps, "VNext"));
	sqlite3_free(steps);
	sqlite3_close(db);
	return asks;
}

/* And that is all there is to do about them. */
static void events_of_a_type_are_looked_at_once(void **state)
{
	int64_t compiling, items, n;

	(void)state;
	assert_int_equal(ask("SELECT count(*) FROM events WHERE type = 'mlockall'"), 0);
	compiling = looked;
	items = batches; /* not of events */
	n = ask("SELECT count(*), min(type) FROM events WHERE type = 'close'");
	assert_true(n > 100);
	assert_int_equal(looked, compiling + n);
	assert_true(batches < items + n / 2);
	assert_false(asks_for_columns("EXPLAIN SELECT count(*) FROM events WHERE type = 'close'"));
	/* For other comparisons SQLite looks again, and for other columns there is more to do. */
	assert_true(asks_for_columns("EXPLAIN SELECT count(*) FROM events WHERE type > 'close'"));
	assert_int_equal(ask("SELECT count(pid) FROM events WHERE type = 'close'"), n);
	assert_int_equal(looked, compiling + 2 * n);
	assert_true(batches >= items + n);
}

static void a_number_ends_the_reading(void **state)
{
	int64_t compiling;

	(void)state;
	assert_int_equal(ask("SELECT count(*) FROM events WHERE cpu = 99 AND num <= 0"), 0);
	compiling = looked;
	assert_int_equal(ask("SELECT count(*) FROM events WHERE cpu = 99 AND num <= 50"), 0);
	assert_in_range(looked - compiling, 50, 51); /* the next one may be seen, too */
}

static void most_events_of_other_processes_are_not_looked_at(void **state)
{
	int64_t compiling, all = ask("SELECT count(*) FROM events");

	(void)state;
	assert_int_equal(ask("SELECT count(*) FROM events WHERE pid = 1 AND num <= 0"), 0);
	compiling = looked;
	assert_int_equal(ask("SELECT count(*) FROM events WHERE pid = 1"), 0);
	assert_in_range(looked - compiling, 1, all / 2);
}

/* Each of two tables of one query has columns of its own. */
static void each_table_is_asked_for_its_own(void **state)
{
	(void)state;
	ask("SELECT a.n, b.exe FROM (SELECT count(*) AS n FROM events) a, events b LIMIT 1");
	assert_int_equal(looked, 1);
	assert_in_range(columns, 1, VTAB_COLUMNS_TOLD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_columns_are_compiled_without_the_others),
	    cmocka_unit_test(events_are_not_looked_at_when_no_field_is_asked_for),
	    cmocka_unit_test(events_of_a_type_are_looked_at_once),
	    cmocka_unit_test(a_number_ends_the_reading),
	    cmocka_unit_test(most_events_of_other_processes_are_not_looked_at),
	    cmocka_unit_test(each_table_is_asked_for_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
