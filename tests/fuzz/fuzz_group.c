/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GROUP BY without sorting beside GROUP BY as SQLite has it, over a small table with values of all
 * types. The input is the statement: a first byte of 0xff says that text follows, which is taken as
 * it is; else each byte chooses the next piece of one, and whether threads gather the groups. Where
 * a statement is replaced, rows must be the same, in the same order.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "query/ask.h"
#include "query/regroup.h"

#define STEPS_MAX  2000 /* calls of the progress handler */
#define ITEMS_MAX  4
#define INPUTS_MAX 20000 /* then the connection is made anew */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = {"a",	    "b",	 "c",		"t.a", "a % 3",
				   "1",	    "2",	 "upper(b)",	"x",   "substr(b, 1, 1)",
				   "\"a\"", "(a)",	 "a || b",	"-a",  "ifnull(c, a)",
				   "y",	    "length(c)", "a /* */ + 1", "c",   "c * 0.5"};
static const char *const items[] = {"a",
				    "b",
				    "c",
				    "t.a",
				    "a % 3",
				    "count(*)",
				    "count(c)",
				    "min(b)",
				    "max(c)",
				    "sum(a)",
				    "avg(a)",
				    "sum(b)",
				    "upper(b)",
				    "substr(b, 1, 1)",
				    "count(*) * 2 + max(a)",
				    "max(a, 1)",
				    "a || b",
				    "(a) + 1",
				    "iif(a > 2, 'p', 'q')",
				    "length(c)",
				    "CASE count(*) WHEN 1 THEN 'one' END",
				    "ifnull(c, a)",
				    "printf('%d', a)",
				    "2 * a % 3",
				    "a = '1'",
				    "min(a + b)",
				    "group_concat(a)",
				    "count(DISTINCT a)",
				    "max(length(b))",
				    "total(a)",
				    "avg(c)",
				    "sum(c)",
				    "total(b)",
				    "count(DISTINCT c)",
				    "count(DISTINCT b)",
				    "min(c)",
				    "a > '1'",
				    "CASE WHEN a > 1 THEN b ELSE 'q' END",
				    "c BETWEEN 1 AND 3",
				    "-a",
				    "'text'",
				    "7"};
static const char *const names[] = {"", "", "", " AS x", " y", " AS a", " AS \"b\"", " x"};
static const char *const tables[] = {"t",
				     "t",
				     "t AS t",
				     "t, u",
				     "t JOIN u ON t.a = u.k",
				     "(SELECT * FROM t WHERE a) t",
				     "t NOT INDEXED",
				     "t LEFT JOIN u ON u.k = t.a"};
static const char *const wheres[] = {"",
				     "",
				     " WHERE a > 1",
				     " WHERE b IS NOT NULL -- all\n",
				     " WHERE x = 1",
				     " WHERE \"x\" = 'x'",
				     " WHERE a IN (1, 2, '3') OR c > b",
				     " WHERE 0"};
static const char *const havings[] = {"",
				      "",
				      " HAVING count(*) > 1",
				      " HAVING x > 1",
				      " HAVING a = 1",
				      " HAVING max(c) IS NOT NULL AND min(a) < 5",
				      " HAVING y",
				      " HAVING a > 1 AND count(*) > 1 AND b <> 'x'",
				      " HAVING sum(a) BETWEEN 1 AND 9"};
static const char *const orders[] = {"",
				     "",
				     " ORDER BY 1",
				     " ORDER BY 2 DESC, 1",
				     " ORDER BY count(*) DESC",
				     " ORDER BY x, y DESC",
				     " ORDER BY a DESC NULLS LAST",
				     " ORDER BY max(c), b",
				     " ORDER BY a + 0",
				     " ORDER BY -x"};
static const char *const limits[] = {"", "", " LIMIT 3", " LIMIT 2 OFFSET 1", ";"};

static const char *one_of(struct cursor *c, const char *const *list, size_t n)
{
	return list[cursor_u8(c) % n];
}
#define ONE_OF(c, list) one_of(c, list, COUNT_OF(list))

static void write_statement(struct cursor *c, struct buf *sql)
{
	unsigned n = 1 + cursor_u8(c) % ITEMS_MAX;

	for (unsigned i = 0; i < n; i++) {
		buf_str(sql, i ? ", " : "SELECT ");
		buf_str(sql, ONE_OF(c, items));
		buf_str(sql, ONE_OF(c, names));
	}
	buf_lit(sql, " FROM ");
	buf_str(sql, ONE_OF(c, tables));
	buf_str(sql, ONE_OF(c, wheres));
	n = 1 + cursor_u8(c) % 3;
	for (unsigned i = 0; i < n; i++) {
		buf_str(sql, i ? ", " : " GROUP BY ");
		buf_str(sql, ONE_OF(c, keys));
	}
	buf_str(sql, ONE_OF(c, havings));
	buf_str(sql, ONE_OF(c, orders));
	buf_str(sql, ONE_OF(c, limits));
}

struct subject {
	bool threads; /* over a file, with several connections */
	sqlite3 *db;
	struct qry_regroup *r;
	unsigned inputs, steps;
};

static int authorize(void *arg, int action, const char *a, const char *b, const char *c,
		     const char *d)
{
	(void)arg, (void)a, (void)c, (void)d;
	if (action == SQLITE_FUNCTION)
		return b && (strcmp(b, "random") == 0 || strcmp(b, "randomblob") == 0 ||
			     strcmp(b, "zeroblob") == 0 || strcmp(b, "load_extension") == 0)
			   ? SQLITE_DENY
			   : SQLITE_OK;
	return action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE ||
		       action == SQLITE_PRAGMA
		   ? SQLITE_OK
		   : SQLITE_DENY;
}

static int count_steps(void *arg)
{
	return ++((struct subject *)arg)->steps > STEPS_MAX;
}

static int bind_nothing(void *arg, sqlite3_stmt *stmt)
{
	(void)arg, (void)stmt;
	return 0;
}

/* The other connections are made now: the file is about to lose its name. */
static void open_others(struct subject *s)
{
	sqlite3_stmt *stmt = NULL, *faster = NULL;

	if (sqlite3_prepare_v2(s->db, "SELECT a, count(*) FROM t GROUP BY a", -1, &stmt, NULL) ==
	    SQLITE_OK)
		faster = qry_regroup(s->r, stmt, bind_nothing, NULL);
	if (!faster || qry_regroup_threads(s->r) != 2)
		abort();
	sqlite3_finalize(faster);
	sqlite3_finalize(stmt);
}

static void open_subject(struct subject *s)
{
	static const struct qry_ask_options ask = {0};
	char path[64];
	const struct qry_regroup_options opt = {.tally = {.memory = 4 << 20},
						.path = s->threads ? path : NULL,
						.ask = &ask,
						.threads = 2,
						.many = 1};
	struct error err;

	snprintf(path, sizeof(path), P_tmpdir "/scapula-fuzz-group.%d.db", (int)getpid());
	unlink(path);
	if (sqlite3_open(s->threads ? path : ":memory:", &s->db) != SQLITE_OK ||
	    sqlite3_exec(s->db,
			 "CREATE TABLE t (a INTEGER, b TEXT, c);"
			 "INSERT INTO t VALUES (1, 'x', 1), (1, 'x', '1'), (2, 'y', NULL),"
			 " (3, NULL, x'00'), (NULL, 'x', 'text'), (1, 'z', 5), (4, 'Y', 2.5),"
			 " (5, 'xy', -7), (9223372036854775807, 'x', 1), (2, '', ''),"
			 " (3, 'x', x''), (NULL, NULL, NULL), (1, 'x', 2), (2, 'y', 'Text'),"
			 " (4, 'Y', 0.1), (4, 'Y', 1e300), (7, '12', 3.0), (-2, '0.5x', 3);"
			 "CREATE TABLE u (k INTEGER, n TEXT COLLATE NOCASE);"
			 "INSERT INTO u VALUES (1, 'A'), (2, 'a'), (3, 'b');",
			 NULL, NULL, NULL) != SQLITE_OK ||
	    qry_regroup_new(s->db, &opt, &s->r, &err) < 0 ||
	    sqlite3_exec(s->db,
			 "SELECT 1 FROM pragma_function_list; SELECT 1 FROM scapula_tallied(0)",
			 NULL, NULL, NULL) != SQLITE_OK)
		abort();
	if (s->threads)
		open_others(s);
	unlink(path);
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, 1 << 20);
	sqlite3_limit(s->db, SQLITE_LIMIT_EXPR_DEPTH, 50);
	sqlite3_set_authorizer(s->db, authorize, NULL);
	sqlite3_progress_handler(s->db, 1000, count_steps, s);
}

static void close_subject(struct subject *s)
{
	qry_regroup_free(s->r);
	sqlite3_close(s->db);
	*s = (struct subject){.threads = s->threads};
}

/* Return: how it ended. */
static int rows(sqlite3_stmt *stmt, struct buf *out)
{
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && out->len < 1 << 20) {
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const void *p = sqlite3_column_blob(stmt, i);

			buf_addf(out, "%d:", sqlite3_column_type(stmt, i));
			buf_add(out, p, p ? (size_t)sqlite3_column_bytes(stmt, i) : 0);
			buf_char(out, '|');
		}
		buf_char(out, '\n');
	}
	return rc & 0xff;
}

/* Text may ask for what is different each time, or for rows in no order: it is only run. */
static void ask(struct subject *s, const char *sql, bool compare)
{
	sqlite3_stmt *stmt = NULL, *faster = NULL;
	struct buf want = {0}, got = {0};
	int rc;

	s->steps = 0;
	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) == SQLITE_OK && stmt)
		faster = qry_regroup(s->r, stmt, bind_nothing, NULL);
	if (faster) {
		rc = rows(faster, &got);
		sqlite3_finalize(faster);
		if (compare &&
		    (rows(stmt, &want) != rc || !sv_eq(buf_view(&want), buf_view(&got)))) {
			fprintf(stderr, "%s\n%s\nnot\n%s\n", sql, buf_cstr(&got), buf_cstr(&want));
			abort();
		}
	}
	sqlite3_finalize(stmt);
	buf_done(&want);
	buf_done(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct subject subjects[2] = {{.threads = false}, {.threads = true}};
	struct cursor c = cursor_of(data, size);
	struct buf sql = {0};
	bool text = size && data[0] == 0xff;
	struct subject *s = &subjects[!text && size && data[0] & 0x10];

	if (!s->db)
		open_subject(s);
	if (text)
		buf_add(&sql, data + 1, size - 1);
	else
		write_statement(&c, &sql);
	ask(s, buf_cstr(&sql), !text);
	buf_done(&sql);
	if (++s->inputs == INPUTS_MAX)
		close_subject(s);
	return 0;
}
