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
int __real_state_pass(struct state *st, const struct ev_item *item, struct state_binding *bind,
		      struct error *err);
int __wrap_state_pass(struct state *st, const struct ev_item *item, struct state_binding *bind,
		      struct error *err);

static int64_t columns, passed;

int __wrap_flt_column_new(struct flt_program *p, struct sv text, const struct flt_column **out,
			  struct error *err)
{
	columns++;
	return __real_flt_column_new(p, text, out, err);
}

int __wrap_state_pass(struct state *st, const struct ev_item *item, struct state_binding *bind,
		      struct error *err)
{
	passed++;
	return __real_state_pass(st, item, bind, err);
}

/* In a connection of its own, because what was compiled once stays. */
static void ask(const char *sql)
{
	sqlite3 *db = open_capture(NETWORK);
	char *rows;

	columns = passed = 0;
	rows = rows_of(db, sql);
	assert_true(rows && *rows);
	sqlite3_free(rows);
	sqlite3_close(db);
}

static void the_first_columns_are_compiled_without_the_others(void **state)
{
	(void)state;
	ask("SELECT num, exe FROM events LIMIT 3");
	assert_in_range(columns, 1, VTAB_COLUMNS_TOLD);
	ask("SELECT num, \"proc.aname[7]\" FROM events LIMIT 3");
	assert_true(columns > 5 * VTAB_COLUMNS_TOLD);
}

static void events_are_passed_when_no_field_is_asked_for(void **state)
{
	(void)state;
	ask("SELECT count(*), min(num), max(ts) FROM events");
	assert_true(passed > 1000);
	ask("SELECT count(exe) FROM events");
	assert_int_equal(passed, 0);
	ask("SELECT count(\"proc.aname[7]\"), count(*) FROM events");
	assert_int_equal(passed, 0);
}

/* Each of two tables of one query has columns of its own. */
static void each_table_is_asked_for_its_own(void **state)
{
	(void)state;
	ask("SELECT a.n, b.exe FROM (SELECT count(*) AS n FROM events) a, events b LIMIT 1");
	assert_true(passed > 1000);
	assert_in_range(columns, 1, VTAB_COLUMNS_TOLD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_columns_are_compiled_without_the_others),
	    cmocka_unit_test(events_are_passed_when_no_field_is_asked_for),
	    cmocka_unit_test(each_table_is_asked_for_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
