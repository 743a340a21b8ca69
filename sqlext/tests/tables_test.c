/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables hold, how they are named, and what they say when something is wrong. */
#include "sqlext/tests/db_helper.h"

#include <unistd.h>

#include "engine/filter/filter.h"

static void events_are_those_that_a_walk_shows(void **state)
{
	struct sf_reader *r = NULL;
	struct state *st = NULL;
	struct state_binding b;
	struct error err = {0};
	struct ev_item item;
	int64_t shown = 0, opens = 0;
	sqlite3 *db = open_capture(INTRUSION);

	(void)state;
	assert_int_equal(sf_reader_open(INTRUSION, NULL, &r, &err), 0);
	assert_int_equal(state_new(NULL, &st, &err), 0);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		if (state_feed(st, &item, &b, &err) > 0 && b.visible) {
			shown++;
			opens += b.ev->type == EV_OPENAT_2_X;
		}
	assert_true(shown > 1000 && opens > 100);
	assert_int_equal(number_of(db, "SELECT count(*) FROM events"), shown);
	assert_int_equal(number_of(db, "SELECT count(*) FROM events WHERE type = 'openat'"), opens);
	state_free(st);
	sf_reader_close(r);
	sqlite3_close(db);
}

static void columns_have_the_types_of_their_values(void **state)
{
	sqlite3 *db = open_capture(NETWORK);

	(void)state;
	assert_rows(db,
		    "SELECT num, ts, time, type, dir, pid, name, exe, user, fd, fd_name, res, "
		    "error FROM events WHERE num IN (4, 5)",
		    "4|1795316552366287253|2026-11-22T03:02:32.366287253Z|access|<|14431|bash|"
		    "/usr/bin/bash|root|NULL|NULL|-2|ENOENT\n"
		    "5|1795316552366297508|2026-11-22T03:02:32.366297508Z|openat|<|14431|bash|"
		    "/usr/bin/bash|root|3|/etc/ld.so.cache|3|NULL\n");
	assert_rows(db,
		    "SELECT typeof(num), typeof(ts), typeof(time), typeof(res), typeof(error), "
		    "typeof(\"evt.failed\"), typeof(\"proc.cwd\"), typeof(\"evt.buffer\") "
		    "FROM events WHERE num = 5",
		    "integer|integer|text|integer|null|integer|text|null\n");
	assert_rows(db, "SELECT DISTINCT typeof(\"evt.buffer\") FROM events WHERE type = 'sendto'",
		    "blob\n");
	sqlite3_close(db);
}

static void every_field_is_a_hidden_column(void **state)
{
	sqlite3 *db = open_capture(NETWORK);
	size_t missing = 0;
	char sql[256];

	(void)state;
	for (size_t i = 0; i < flt_field_count; i++) {
		const struct flt_field_info *f = &flt_field_table[i];

		if (f->flags & FLT_FIELD_FILTER_ONLY || f->arg == FLT_ARG_REQUIRED)
			continue;
		snprintf(sql, sizeof(sql),
			 "SELECT count(*) FROM pragma_table_xinfo('events') WHERE name = '%s' AND "
			 "hidden = 1",
			 f->name);
		missing += number_of(db, sql) != 1;
	}
	assert_int_equal(missing, 0);
	assert_rows(db,
		    "SELECT \"evt.arg.name\", \"evt.rawarg.flags\", \"proc.env[PATH]\" LIKE "
		    "'/usr%', \"evt.arg[0]\" FROM events WHERE num = 5",
		    "/etc/ld.so.cache|4097|1|<f>/etc/ld.so.cache\n");
	sqlite3_close(db);
}

static void modules_are_functions_and_tables(void **state)
{
	sqlite3 *db = open_db(NULL);
	int64_t n;

	(void)state;
	n = number_of(db, "SELECT count(*) FROM scapula_events('" NETWORK "')");
	assert_true(n > 100);
	run(db, "CREATE VIRTUAL TABLE e USING scapula_events('" NETWORK "', '" SESSIONS "', "
		"field = 'proc.env[HOME]')");
	assert_int_equal(number_of(db, "SELECT count(*) FROM e WHERE capture = '" NETWORK "'"), n);
	assert_true(number_of(db, "SELECT count(*) FROM e") > n);
	assert_rows(db, "SELECT count(DISTINCT capture), count(*) = count(DISTINCT rowid) FROM e",
		    "2|1\n");
	assert_rows(db, "SELECT count(*) FROM e WHERE capture = 'another'", "0\n");
	assert_rows(db, "SELECT count(*) FROM scapula_events(NULL)", "0\n");
	/* Files can come from a table. */
	run(db,
	    "CREATE TABLE files(path); INSERT INTO files VALUES('" NETWORK "'), ('" SESSIONS "')");
	assert_rows(db,
		    "SELECT count(*) = (SELECT count(*) FROM e) FROM files, scapula_events(path)",
		    "1\n");
	run(db, "DROP TABLE e");
	sqlite3_close(db);
}

static void a_filter_is_a_condition_of_the_engine(void **state)
{
	sqlite3 *db = open_capture(NETWORK);

	(void)state;
	assert_int_equal(
	    number_of(db, "SELECT count(*) FROM events WHERE filter = 'evt.type = openat'"),
	    number_of(db, "SELECT count(*) FROM events WHERE type = 'openat'"));
	assert_true(
	    number_of(db, "SELECT count(*) FROM events WHERE filter = 'fd.net = 127.0.0.0/8'") > 0);
	assert_rows(db, "SELECT count(*) FROM events WHERE filter = 'evt.num > 3' AND filter = 'x'",
		    "0\n");
	assert_fails(db, "SELECT * FROM events WHERE filter = 'evt.num > 3 and fd.nme = x'",
		     "filter, column 17: nonexistent field fd.nme; did you mean fd.name?");
	assert_fails(db, "SELECT * FROM events WHERE filter = 'evt.num >'", "filter, column ");
	sqlite3_close(db);
}

static void what_is_wrong_is_told_in_our_words(void **state)
{
	sqlite3 *db = open_capture(NETWORK);

	(void)state;
	assert_fails(db, "SELECT * FROM scapula_events",
		     "no capture is named: write scapula_events('FILE')");
	assert_fails(db, "SELECT * FROM scapula_events('/nonexistent.scap')", "/nonexistent.scap");
	assert_fails(db, "SELECT * FROM scapula_events('" SOURCE_DIR "/README.md')", "README.md");
	assert_fails(db, "SELECT * FROM threads WHERE at = 'yesterday'",
		     "at 'yesterday': expected nanoseconds, a time such as");
	assert_fails(db, "SELECT * FROM threads WHERE at = 1.5", "at: expected nanoseconds");
	assert_fails(db, "SELECT * FROM threads WHERE at = -5", "at: -5 is before 1970");
	assert_fails(db, "CREATE VIRTUAL TABLE x USING scapula_events('a', field = 'proc.nme')",
		     "'proc.nme' is not a field with a value");
	assert_fails(db, "CREATE VIRTUAL TABLE x USING scapula_fds('a', field = 'evt.type')",
		     "'evt.type' is not about what this table holds");
	assert_fails(db, "CREATE VIRTUAL TABLE x USING scapula_events('')", "argument 1 is empty");
	assert_fails(db, "INSERT INTO events(num) VALUES(1)", "may not be modified");
	sqlite3_close(db);
}

static void functions_name_no_files_for_views(void **state)
{
	sqlite3 *db = open_db(NULL);

	(void)state;
	run(db, "CREATE VIEW v AS SELECT * FROM scapula_events('" NETWORK "')");
	assert_fails(db, "SELECT count(*) FROM v", "unsafe use of virtual table");
	run(db, "CREATE VIRTUAL TABLE e USING scapula_events('" NETWORK "')");
	run(db, "CREATE VIEW w AS SELECT num FROM e");
	assert_true(number_of(db, "SELECT count(*) FROM w") > 0);
	sqlite3_close(db);
}

struct told {
	unsigned times;
	uint64_t gaps;
};

static void count_notice(void *arg, const struct vtab_notice *n)
{
	struct told *t = arg;

	assert_true(n->count > 0);
	t->times++;
	t->gaps += n->total;
}

/* The first @n bytes of the capture, unpacked or not. */
static void cut_file(const char *from, const char *to, size_t n)
{
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	char *p = malloc(n);

	assert_true(in && out && p);
	assert_int_equal(fread(p, 1, n, in), n);
	assert_int_equal(fwrite(p, 1, n, out), n);
	fclose(in);
	fclose(out);
	free(p);
}

static void damage_is_told_once_and_listed(void **state)
{
	char path[] = "/tmp/vtab-cut-XXXXXX", sql[256];
	struct told told = {0};
	const struct vtab_options opt = {.notice = count_notice, .notice_arg = &told};
	sqlite3 *db = open_db(&opt);
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	cut_file(INTRUSION, path, 150000);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM scapula_events('%s')", path);
	assert_true(number_of(db, sql) > 100);
	assert_true(number_of(db, sql) > 100);
	assert_int_equal(told.times, 1);
	assert_true(told.gaps > 0);
	snprintf(sql, sizeof(sql),
		 "SELECT count(*), sum(offset > 0), max(reason) FROM scapula_gaps('%s')", path);
	assert_rows(db, sql, "1|1|truncated\n");
	assert_rows(db, "SELECT count(*) FROM scapula_gaps('" INTRUSION "')", "0\n");
	unlink(path);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(events_are_those_that_a_walk_shows),
	    cmocka_unit_test(columns_have_the_types_of_their_values),
	    cmocka_unit_test(every_field_is_a_hidden_column),
	    cmocka_unit_test(modules_are_functions_and_tables),
	    cmocka_unit_test(a_filter_is_a_condition_of_the_engine),
	    cmocka_unit_test(what_is_wrong_is_told_in_our_words),
	    cmocka_unit_test(functions_name_no_files_for_views),
	    cmocka_unit_test(damage_is_told_once_and_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
