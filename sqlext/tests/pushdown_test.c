/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a query asks for, the rows are those that SQLite picks from all of them: random
 * conditions over every column, with values that occur and such that nearly do, compared with the
 * same over a copy of all rows, of which the tables know nothing, with an index of the capture and
 * without.
 */
#include "sqlext/tests/db_helper.h"

#include <unistd.h>

#include "replay/checkpoint.h"
#include "replay/index_cache.h"
#include "sqlext/internal.h"

#define CLAUSES	     150 /* per capture */
#define TERMS_MAX    3
#define CHUNK_EVENTS 100 /* of the index: most queries can pass over some */
#define COLUMNS_MAX  2000
#define NAMED	     24 /* the first ones, by short names */

struct world {
	sqlite3 *db;
	char *columns[COLUMNS_MAX];
	int count;
	int64_t rows;
	uint64_t seed;
	int64_t found; /* rows over all clauses */
};

static uint64_t next_random(struct world *w)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return w->seed;
}

static unsigned pick(struct world *w, unsigned n)
{
	return (unsigned)(next_random(w) % n);
}

static void learn_columns(struct world *w)
{
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_prepare_v2(w->db,
					    "SELECT name FROM pragma_table_xinfo('events') WHERE "
					    "name NOT IN ('capture', 'filter')",
					    -1, &stmt, NULL),
			 SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW && w->count < COLUMNS_MAX)
		w->columns[w->count++] =
		    sqlite3_mprintf("\"%w\"", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
}

/* A table of all rows with all columns, each with @sign before it. */
static void copy_as(struct world *w, const char *name, const char *sign)
{
	sqlite3_str *s = sqlite3_str_new(NULL);
	char *sql;

	sqlite3_str_appendf(s, "CREATE TEMP TABLE %s AS SELECT", name);
	for (int i = 0; i < w->count; i++)
		sqlite3_str_appendf(s, "%s%s%s AS %s", i ? ", " : " ", sign, w->columns[i],
				    w->columns[i]);
	sqlite3_str_appendall(s, " FROM events");
	sql = sqlite3_str_finish(s);
	run(w->db, sql);
	sqlite3_free(sql);
}

/*
 * Of a copy SQLite knows no more than its values. That with the types of the columns, which decide
 * how they compare, may have changed what it stores: large numbers.
 */
static void copy_rows(struct world *w)
{
	copy_as(w, "copy", "");
	copy_as(w, "plain", "+");
	w->rows = number_of(w->db, "SELECT count(*) FROM copy");
}

/* A value of the column in some row, as SQL; "NULL" among them. */
static char *value_of(struct world *w, const char *column)
{
	char *sql = sqlite3_mprintf("SELECT quote(%s) FROM copy WHERE %s IS NOT NULL OR num %% 16 "
				    "= %u LIMIT 1 OFFSET %u",
				    column, column, pick(w, 16), pick(w, (unsigned)w->rows));
	char *text = rows_of(w->db, sql);

	sqlite3_free(sql);
	if (!*text) {
		sqlite3_free(text);
		return sqlite3_mprintf("0");
	}
	text[strlen(text) - 1] = '\0';
	return text;
}

/* What a person might mean by the value: itself, what is beside it, or something else. */
static char *changed(struct world *w, const char *value)
{
	switch (pick(w, 12)) {
	case 0:
		return sqlite3_mprintf("CAST(%s AS TEXT)", value);
	case 1:
		return sqlite3_mprintf("CAST(%s AS REAL)", value);
	case 2:
		return sqlite3_mprintf("(%s + 1)", value);
	case 3:
		return sqlite3_mprintf("(%s - 0.5)", value);
	case 4:
		return sqlite3_mprintf("upper(%s)", value);
	case 5:
		return sqlite3_mprintf("substr(%s, 1, %u)", value, pick(w, 32));
	case 6:
		return sqlite3_mprintf("(%s * 100000)", value);
	case 7:
		return sqlite3_mprintf("-(%s)", value);
	default:
		return sqlite3_mprintf("%s", value);
	}
}

static char *pattern(struct world *w, const char *value, bool glob)
{
	const char *any = glob ? "*" : "%";

	switch (pick(w, 9)) {
	case 0:
		return sqlite3_mprintf("%s", value);
	case 7: /* the end of the pattern */
		return sqlite3_mprintf("'%s' || substr(%s, 2) || char(0) || 'longest part'", any,
				       value);
	case 1:
		return sqlite3_mprintf("'%s' || substr(%s, 2)", glob ? "?" : "_", value);
	case 3:
		return sqlite3_mprintf("'%s' || upper(substr(%s, %u, %u)) || '%s'", any, value,
				       pick(w, 9), pick(w, 9), any);
	case 4:
	case 5:
		return sqlite3_mprintf("'%s' || substr(%s, %u, %u) || '%s' || substr(%s, -%u)", any,
				       value, pick(w, 9), pick(w, 9), any, value, pick(w, 5));
	case 6:
		return sqlite3_mprintf("'%s' || substr(%s, 1, 2) || '[a-z]%s'", any, value, any);
	case 2:
		return sqlite3_mprintf("upper(substr(%s, 1, %u)) || '%s'", value, pick(w, 9), any);
	default:
		return sqlite3_mprintf("substr(%s, 1, %u) || '%s'", value, pick(w, 9), any);
	}
}

static char *term(struct world *w)
{
	static const char *const ops[] = {"=", "=", "=", "<", "<=", ">", ">=", "!=", "IS", "=="};
	/* The first ones are asked for more often, and mean more to the tables. */
	const char *column = w->columns[pick(w, 2) ? pick(w, NAMED) : pick(w, (unsigned)w->count)];
	char *value = value_of(w, column), *other = value_of(w, column), *a, *b, *out;

	a = changed(w, value);
	b = changed(w, other);
	switch (pick(w, 10)) {
	case 0:
		out = sqlite3_mprintf("%s IN (%s, %s, %s)", column, a, b, value);
		break;
	case 1:
		out = sqlite3_mprintf("%s BETWEEN %s AND %s", column, a, b);
		break;
	case 2:
		out = sqlite3_mprintf(pick(w, 2) ? "%s IS NULL" : "%s IS NOT NULL", column);
		break;
	case 3:
	case 4: {
		bool glob = pick(w, 2);
		char *p = pattern(w, value, glob);

		out = sqlite3_mprintf("%s %s %s", column, glob ? "GLOB" : "LIKE", p);
		sqlite3_free(p);
		break;
	}
	case 5:
		out = sqlite3_mprintf("%s %s upper(%s) COLLATE NOCASE", column,
				      pick(w, 4) ? "=" : ">", value);
		break;
	case 6:
		out = sqlite3_mprintf("%s IN (SELECT %s FROM copy WHERE num %% 7 = 1)", column,
				      column);
		break;
	default:
		out = sqlite3_mprintf("%s %s %s", column, ops[pick(w, COUNT_OF(ops))], a);
	}
	sqlite3_free(a);
	sqlite3_free(b);
	sqlite3_free(value);
	sqlite3_free(other);
	return out;
}

static char *clause(struct world *w)
{
	char *out = term(w);

	for (unsigned n = pick(w, TERMS_MAX); n; n--) {
		char *more = term(w), *both;

		both = sqlite3_mprintf(pick(w, 3) ? "%s AND %s" : "(%s) OR (%s)", out, more);
		sqlite3_free(out);
		sqlite3_free(more);
		out = both;
	}
	return out;
}

/* Numbers alone, or with values: what was passed over must have left the state as it does. */
static char *asked(struct world *w)
{
	if (pick(w, 4) == 0)
		return sqlite3_mprintf("num");
	return sqlite3_mprintf("num, quote(%s), quote(%s), quote(%s)", w->columns[pick(w, NAMED)],
			       w->columns[pick(w, NAMED)],
			       w->columns[pick(w, pick(w, 2) ? NAMED : (unsigned)w->count)]);
}

static char *rows_where(struct world *w, const char *columns, const char *from, const char *where)
{
	char *sql =
	    sqlite3_mprintf("SELECT %s FROM %s WHERE %s ORDER BY num", columns, from, where);
	char *out = rows_of(w->db, sql);

	sqlite3_free(sql);
	return out;
}

static void compare(struct world *w, char *where)
{
	char *columns = asked(w);
	char *picked = sqlite3_mprintf("num IN (SELECT num FROM copy WHERE %s)", where);
	char *got = rows_where(w, columns, "events", where);
	char *want = rows_where(w, columns, "plain", picked);

	if (strcmp(got, want) != 0)
		fail_msg("SELECT %s WHERE %s\n%zu and %zu bytes of rows:\n%.200s\nnot:\n%.200s",
			 columns, where, strlen(got), strlen(want), got, want);
	for (const char *p = got; *p; p++)
		w->found += *p == '\n';
	sqlite3_free(where);
	sqlite3_free(columns);
	sqlite3_free(picked);
	sqlite3_free(got);
	sqlite3_free(want);
}

static void open_world(struct world *w, const char *path, const char *encoding)
{
	*w = (struct world){.db = open_encoded(&path, 1, encoding)};
	learn_columns(w);
	copy_rows(w);
}

static void close_world(struct world *w)
{
	for (int i = 0; i < w->count; i++)
		sqlite3_free(w->columns[i]);
	sqlite3_close(w->db);
}

static void compare_all(const char *path, uint64_t seed)
{
	struct world w;

	open_world(&w, path, "");
	w.seed = seed;
	for (unsigned i = 0; i < CLAUSES; i++)
		compare(&w, i < 10 ? sqlite3_mprintf("1") : clause(&w));
	assert_true(w.found > w.rows); /* they do find something */
	close_world(&w);
}

/* --- types by name, at which SQLite does not look again --- */

/* Of a table and a type. */
static const char *const of_type[] = {
    "SELECT num, type, ts, time, offset FROM %s WHERE type = '%q' ORDER BY num",
    "SELECT num, type, name, error FROM %s WHERE type = '%q' ORDER BY num",
    "SELECT count(*), min(type), max(num) FROM %s WHERE '%q' = type AND num > 200",
    "SELECT count(*), min(type), max(num) FROM %s WHERE type = '%q' AND fd_name LIKE '/%%'",
    "SELECT num, type, cpu FROM %s WHERE type = '%q' OR num BETWEEN 10 AND 20 ORDER BY num",
    "SELECT count(*), min(type) FROM %s WHERE type = '%q' AND type = 'close'",
    "SELECT count(*), min(type) FROM %s WHERE type = upper('%q') COLLATE NOCASE",
    "SELECT count(*), min(type) FROM %s WHERE type <> '%q'",
    ("SELECT a.n, e.num, e.type FROM (SELECT 1 AS n UNION SELECT 2) a LEFT JOIN %s e ON e.type = "
     "'%q' AND e.num > a.n * 100 ORDER BY 1, 2"),
    "SELECT num, type FROM %s WHERE type = '%q' LIMIT 3 OFFSET 2",
};

/* @format: with a table and @value. */
static void compare_with(struct world *w, const char *format, const char *value)
{
	char *to_events = sqlite3_mprintf(format, "events", value);
	char *to_copy = sqlite3_mprintf(format, "copy", value);
	char *want = rows_of(w->db, to_copy);

	assert_rows(w->db, to_events, want);
	sqlite3_free(to_events);
	sqlite3_free(to_copy);
	sqlite3_free(want);
}

static void compare_type(struct world *w, const char *type)
{
	for (size_t i = 0; i < COUNT_OF(of_type); i++)
		compare_with(w, of_type[i], type);
}

static void compare_types(const char *path)
{
	/* Never there, of no event, of some as text, nearly one, and nothing. */
	static const char *const others[] = {"mlockall", "nonsense", "container", "opena", "close ",
					     "CLOSE",	 "<NA>",     "7",	  ""};
	struct world w;
	sqlite3_stmt *types;

	open_world(&w, path, "");
	assert_int_equal(
	    sqlite3_prepare_v2(w.db, "SELECT DISTINCT type FROM copy", -1, &types, NULL),
	    SQLITE_OK);
	while (sqlite3_step(types) == SQLITE_ROW)
		compare_type(&w, (const char *)sqlite3_column_text(types, 0));
	sqlite3_finalize(types);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		compare_type(&w, others[i]);
	assert_rows(w.db, "SELECT sum(rowid = num) = count(*) FROM events WHERE type = 'close'",
		    "1\n");
	close_world(&w);
}

static void a_type_by_name_picks_the_rows_that_sqlite_picks(void **state)
{
	(void)state;
	compare_types(NETWORK);
	compare_types(SESSIONS);
}

/* --- the same of numbers and times --- */

static void compare_column(struct world *w, const char *column, const char *value)
{
	static const char *const ops[] = {"<", "<=", "=", ">", ">=", "IS NOT"};
	char *format;

	for (size_t i = 0; i < COUNT_OF(ops); i++) {
		format = sqlite3_mprintf("SELECT count(*), min(num), max(ts), max(type) FROM %%s "
					 "WHERE %s %s %%s",
					 column, ops[i]);
		compare_with(w, format, value);
		sqlite3_free(format);
	}
}

static void compare_numbers(const char *path, const char *encoding)
{
	static const char *const numbers[] = {"-9223372036854775808",
					      "-1",
					      "0",
					      "1",
					      "57",
					      "57.5",
					      "57.0",
					      "'57'",
					      "'x'",
					      "1000000",
					      "9223372036854775807",
					      "9223372036854775808",
					      "NULL",
					      "x'3537'"};
	static const char *const of_a_row[] = {"ts", "ts - 1", "ts + 1", "quote(time)",
					       "quote(substr(time, 1, 22))"};
	struct world w;

	open_world(&w, path, encoding);
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		compare_column(&w, "num", numbers[i]);
		compare_column(&w, "ts", numbers[i]);
		compare_column(&w, "time", numbers[i]);
	}
	for (size_t i = 0; i < COUNT_OF(of_a_row); i++) {
		char *sql = sqlite3_mprintf("SELECT %s FROM copy WHERE num = 57", of_a_row[i]);
		char *value = rows_of(w.db, sql);

		compare_column(&w, "ts", value);
		compare_column(&w, "time", value);
		sqlite3_free(value);
		sqlite3_free(sql);
	}
	/* Before digits, in an encoding that has low bytes first: */
	compare_column(&w, "time", "'2\xe2\xbc\x80'");
	compare_with(&w, "SELECT count(*) FROM %s WHERE num > 20 AND num < 10 AND type <> '%s'",
		     "x");
	close_world(&w);
}

static void numbers_and_times_pick_the_rows_that_sqlite_picks(void **state)
{
	(void)state;
	compare_numbers(NETWORK, "");
	compare_numbers(SESSIONS, "PRAGMA encoding = 'UTF-16le'");
}

/* --- patterns, of which parts are looked for --- */

static void patterns_pick_the_rows_that_sqlite_picks(void **state)
{
	static const char *const columns[] = {"name", "fd_name", "exe", "args"};
	static const char *const patterns[] = {"%ASH%",
					       "%a_h",
					       "b%s%h",
					       "*a[a-z]h*",
					       "*a?h",
					       "*[!a-z]*/*",
					       "*[etc-]*passwd",
					       "%*%",
					       "*%*",
					       "%[%",
					       "*[[]*",
					       "%",
					       "*",
					       "",
					       "%_%_%",
					       "%.so%",
					       "*/l*.s*",
					       "%\xef\xbf\xbd%",
					       "%/etc%_%"};
	struct world w;

	(void)state;
	open_world(&w, NETWORK, "");
	for (size_t i = 0; i < COUNT_OF(columns) * COUNT_OF(patterns) * 2; i++) {
		const char *pattern = patterns[i / 2 % COUNT_OF(patterns)];
		char *where = sqlite3_mprintf("%s %s '%q'", columns[i / 2 / COUNT_OF(patterns)],
					      i % 2 ? "LIKE" : "GLOB", pattern);

		compare_with(&w, "SELECT count(*), min(num), max(num) FROM %s WHERE %s", where);
		sqlite3_free(where);
	}
	close_world(&w);
}

static void conditions_pick_the_rows_that_sqlite_picks(void **state)
{
	(void)state;
	compare_all(NETWORK, 0x9e3779b97f4a7c15);
	compare_all(SESSIONS, 0xdeadbeefcafe);
}

/* A directory of its own with a copy of the capture and an index beside it. */
static void with_index(const char *name, void (*fn)(const char *path))
{
	const struct run_index_options opt = {.chunk_events = CHUNK_EVENTS};
	char dir[] = "/tmp/vtab-index-XXXXXX", *path, *index, *command;
	struct run_index_report report;
	struct error err = {0};

	assert_non_null(mkdtemp(dir));
	path = sqlite3_mprintf("%s/c.scap", dir);
	index = run_index_path(path);
	command = sqlite3_mprintf("cp '%s' '%s'", name, path);
	assert_int_equal(system(command), 0);
	if (run_index_build(path, index, &opt, &report, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(report.chunks > 5);
	fn(path);
	unlink(path);
	unlink(index);
	rmdir(dir);
	sqlite3_free(path);
	sqlite3_free(command);
	free(index);
}

static void compare_network(const char *path)
{
	compare_all(path, 0x123456789abcdef);
}

static void an_index_changes_no_rows(void **state)
{
	(void)state;
	with_index(NETWORK, compare_network);
}

/* What is asked for by time, number, type or thread does not have to be read from the start. */
static void ask_for_parts(const char *path)
{
	sqlite3 *db = open_capture(path);
	int64_t last = number_of(db, "SELECT max(num) FROM events");
	char sql[512];

	snprintf(sql, sizeof(sql), "SELECT e.num, e.type, e.fd_name FROM events e WHERE num > %lld",
		 (long long)last - 3);
	assert_true(number_of(db, sql) == last - 2);
	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM events WHERE time >= (SELECT time FROM events WHERE num = "
		 "%lld)",
		 (long long)last);
	assert_true(number_of(db, sql) >= 1);
	sqlite3_close(db);
}

static void the_end_is_found_by_the_index(void **state)
{
	(void)state;
	with_index(NETWORK, ask_for_parts);
}

/* --- times as texts --- */

static bool holds(int order, int op)
{
	switch (op) {
	case SQLITE_INDEX_CONSTRAINT_LT:
		return order < 0;
	case SQLITE_INDEX_CONSTRAINT_LE:
		return order <= 0;
	case SQLITE_INDEX_CONSTRAINT_GT:
		return order > 0;
	case SQLITE_INDEX_CONSTRAINT_GE:
		return order >= 0;
	default:
		return order == 0;
	}
}

static void assert_is_in_range(uint64_t ts, struct sv bound, int op)
{
	struct buf text = {0};
	uint64_t from, to;
	int found = vtab_time_range(bound, op, &from, &to);
	bool in = found > 0 && ts >= from && ts <= to;

	assert_true(found >= 0);
	vtab_time_text(&text, ts);
	if (in != holds(sv_cmp(buf_view(&text), bound), op))
		fail_msg("%.30s %d '%.*s': %d from %llu to %llu", buf_cstr(&text), op, (int)bound.n,
			 bound.p, found, (unsigned long long)from, (unsigned long long)to);
	buf_done(&text);
}

/* A time's text or nearly one, whole or the beginning. */
static void make_bound(struct world *w, struct buf *bound, uint64_t ts)
{
	buf_reset(bound);
	vtab_time_text(bound, ts);
	if (pick(w, 2))
		bound->len = pick(w, 31);
	if (bound->len && pick(w, 3) == 0)
		bound->p[pick(w, (unsigned)bound->len)] = "0123456789 T:Z/"[pick(w, 15)];
	if (pick(w, 16) == 0)
		buf_char(bound, "0 ~"[pick(w, 3)]);
}

static void texts_of_times_bound_the_times(void **state)
{
	static const int ops[] = {SQLITE_INDEX_CONSTRAINT_EQ, SQLITE_INDEX_CONSTRAINT_LT,
				  SQLITE_INDEX_CONSTRAINT_LE, SQLITE_INDEX_CONSTRAINT_GT,
				  SQLITE_INDEX_CONSTRAINT_GE};
	struct world w = {.seed = 0xfeedface};
	struct buf bound = {0};

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		/* The bound itself, beside it, some minutes or days off, or any there is. */
		uint64_t base = pick(&w, 8)
				    ? 1767225600000000000u + next_random(&w) % 86400000000000u
				    : next_random(&w);
		uint64_t ts = pick(&w, 8) ? base : next_random(&w);

		make_bound(&w, &bound, base);
		ts += (next_random(&w) % 3 - 1) << pick(&w, 58);
		for (size_t k = 0; k < COUNT_OF(ops); k++)
			assert_is_in_range(ts, buf_view(&bound), ops[k]);
	}
	for (size_t k = 0; k < COUNT_OF(ops); k++) {
		assert_is_in_range(0, SV_LIT("1970-01-01T00:00:00.000000000Z"), ops[k]);
		assert_is_in_range(UINT64_MAX, SV_LIT("2554-07-21T23:34:33.709551615Z"), ops[k]);
		assert_is_in_range(UINT64_MAX, SV_LIT("9"), ops[k]);
	}
	buf_done(&bound);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_of_times_bound_the_times),
	    cmocka_unit_test(a_type_by_name_picks_the_rows_that_sqlite_picks),
	    cmocka_unit_test(numbers_and_times_pick_the_rows_that_sqlite_picks),
	    cmocka_unit_test(patterns_pick_the_rows_that_sqlite_picks),
	    cmocka_unit_test(conditions_pick_the_rows_that_sqlite_picks),
	    cmocka_unit_test(an_index_changes_no_rows),
	    cmocka_unit_test(the_end_is_found_by_the_index),
	};

	setenv("XDG_CACHE_HOME", "/nonexistent", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
