/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries over arbitrary bytes as a capture. The input begins with a query, its length first (two
 * bytes), and the capture follows. A query is a condition as SQL has it, under an authorizer that
 * lets it read only, or terms made of bytes, whose rows must be those that SQLite picks from a copy
 * of all rows.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cursor.h"
#include "sqlext/vtab.h"

#define TERMS_MAX 4
#define COLUMNS	  100	/* so that little time goes into those nobody asks for */
#define STEPS_MAX 20000 /* calls of the progress handler */
#define NAME_KIND 255	/* of values: the name of a type of events */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const tables[] = {"events", "threads", "processes", "fds", "gaps"};

static int authorize(void *arg, int action, const char *a, const char *b, const char *c,
		     const char *d)
{
	(void)arg, (void)a, (void)c, (void)d;
	if (action == SQLITE_FUNCTION)
		return b && (strcmp(b, "load_extension") == 0 || strcmp(b, "randomblob") == 0 ||
			     strcmp(b, "zeroblob") == 0)
			   ? SQLITE_DENY
			   : SQLITE_OK;
	return action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE
		   ? SQLITE_OK
		   : SQLITE_DENY;
}

static int count_steps(void *arg)
{
	return ++*(unsigned *)arg > STEPS_MAX;
}

static void step_through(sqlite3_stmt *stmt)
{
	while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(stmt); i++)
			(void)sqlite3_column_bytes(stmt, i);
	sqlite3_finalize(stmt);
}

/* @text as a condition on the table that its first byte names. */
static void ask(sqlite3 *db, const uint8_t *text, size_t n)
{
	unsigned steps = 0;
	sqlite3_stmt *stmt = NULL;
	char *sql;

	if (!n)
		return;
	sql = sqlite3_mprintf("SELECT *, rowid, capture FROM %s WHERE %.*s LIMIT 1000",
			      tables[text[0] % COUNT_OF(tables)], (int)n - 1, text + 1);
	sqlite3_set_authorizer(db, authorize, NULL);
	sqlite3_progress_handler(db, 1000, count_steps, &steps);
	if (sql && sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK)
		step_through(stmt);
	sqlite3_free(sql);
}

/* --- terms --- */

static const char *const columns[] = {
    "num",
    "ts",
    "time",
    "type",
    "dir",
    "category",
    "tid",
    "pid",
    "name",
    "exe",
    "user",
    "uid",
    "fd",
    "fd_type",
    "fd_name",
    "res",
    "error",
    "args",
    "cpu",
    "container",
    "\"evt.failed\"",
    "\"fd.dev\"",
    "\"proc.aname[1]\"",
    "\"proc.cmdnargs\"",
    "\"evt.buflen\"",
    "\"evt.rawarg.flags\"",
    "\"evt.arg.name\"",
    "\"fd.cip\"",
    "\"proc.is_exe_writable\"",
    "\"evt.time\"",
    "\"evt.is_io\"",
    "\"thread.cpu\"",
};
/* What of them has no column by name. */
static const char *const fields[] = {"evt.failed",
				     "fd.dev",
				     "proc.aname[1]",
				     "proc.cmdnargs",
				     "evt.buflen",
				     "evt.rawarg.flags",
				     "evt.arg.name",
				     "fd.cip",
				     "proc.is_exe_writable",
				     "evt.time",
				     "evt.is_io",
				     "thread.cpu",
				     NULL};
static const char *const operators[] = {"= ?",	     "< ?",	"<= ?",	       "> ?",
					">= ?",	     "!= ?",	"LIKE ?",      "GLOB ?",
					"IN (?, ?)", "IS NULL", "IS NOT NULL", "IS ?"};

static int64_t number(struct cursor *c)
{
	static const uint8_t widths[] = {1, 2, 4, 8};
	uint8_t width = widths[cursor_u8(c) % COUNT_OF(widths)];
	uint64_t u = 0;

	for (unsigned i = 0; i < width; i++)
		u |= (uint64_t)cursor_u8(c) << 8 * i;
	return (int64_t)u;
}

static void bind(sqlite3_stmt *stmt, int i, struct cursor *c)
{
	uint8_t kind = cursor_u8(c);
	size_t n;

	if (kind == NAME_KIND) {
		n = (size_t)number(c) % EV_TYPE_COUNT;
		sqlite3_bind_text(stmt, i, ev_table[n].name, -1, SQLITE_STATIC);
	} else if (kind % 4 == 0) {
		sqlite3_bind_int64(stmt, i, number(c));
	} else if (kind % 4 == 1) {
		sqlite3_bind_double(stmt, i, (double)number(c) / 4);
	} else {
		n = kind / 4 < c->left ? kind / 4 : c->left;
		sqlite3_bind_text(stmt, i, n ? (const char *)cursor_bytes(c, n) : "", (int)n,
				  SQLITE_STATIC);
	}
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;

	if (!sql || sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		abort();
	return stmt;
}

/* @stmt with its values in its text, where they are known before it runs. */
static sqlite3_stmt *written_out(sqlite3 *db, sqlite3_stmt *stmt)
{
	char *sql = sqlite3_expanded_sql(stmt);

	sqlite3_finalize(stmt);
	stmt = prepare(db, sql);
	sqlite3_free(sql);
	return stmt;
}

/* The numbers of the rows of @table, to @out. @literal: values are written out. */
static void numbers(sqlite3 *db, const char *table, const char *where, struct cursor values,
		    bool literal, struct buf *out)
{
	char *sql = sqlite3_mprintf("SELECT num FROM %s WHERE %s ORDER BY num", table, where);
	sqlite3_stmt *stmt = prepare(db, sql);

	for (int i = 1; i <= sqlite3_bind_parameter_count(stmt); i++)
		bind(stmt, i, &values);
	if (literal)
		stmt = written_out(db, stmt);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		buf_addf(out, "%lld ", sqlite3_column_int64(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
}

static void compare(sqlite3 *db, const uint8_t *p, size_t n)
{
	struct buf where = {0}, list = {0}, got = {0}, want = {0};
	struct cursor c = cursor_of(p, n);
	uint8_t head = cursor_u8(&c), terms = 1 + head % TERMS_MAX;
	bool literal = head & 0x80;
	char *sql;

	for (unsigned i = 0; i < terms; i++) {
		size_t k = cursor_u8(&c) % COUNT_OF(columns);
		uint8_t op = cursor_u8(&c);

		buf_addf(&where, "%s%s %s",
			 i == 0	     ? ""
			 : op & 0x80 ? " OR "
				     : " AND ",
			 columns[k], operators[op % COUNT_OF(operators)]);
		if (k) /* that one is there anyway */
			buf_addf(&list, ", %s AS %s", columns[k], columns[k]);
	}
	sql =
	    sqlite3_mprintf("CREATE TEMP TABLE copy AS SELECT num%s FROM events", buf_cstr(&list));
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK) {
		numbers(db, "events", buf_cstr(&where), c, literal, &got);
		numbers(db, "copy", buf_cstr(&where), c, literal, &want);
		if (!sv_eq(buf_view(&got), buf_view(&want))) {
			fprintf(stderr, "WHERE %s\n%s\nnot\n%s\n", buf_cstr(&where), buf_cstr(&got),
				buf_cstr(&want));
			abort();
		}
	}
	sqlite3_free(sql);
	buf_done(&where);
	buf_done(&list);
	buf_done(&got);
	buf_done(&want);
}

/* --- the capture --- */

/*
 * One file and one connection for many inputs, because making tables of so many columns takes
 * longer than all that is asked of them. What the tables remember of a capture they find by its
 * content.
 */
#define INPUTS_MAX 2000 /* then the connection is made anew */

struct subject {
	int fd;
	sqlite3 *db;
	unsigned inputs;
};

static void open_subject(struct subject *s)
{
	const struct vtab_options opt = {.no_index = true};
	struct error err = {0};
	char path[32];
	const char *paths[] = {path};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->fd);
	if (sqlite3_open(":memory:", &s->db) != SQLITE_OK || vtab_register(s->db, &opt, &err) < 0)
		abort();
	sqlite3_limit(s->db, SQLITE_LIMIT_COLUMN, COLUMNS);
	if (vtab_attach(s->db, paths, 1, fields, &err) < 0)
		abort();
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, 1 << 20);
	sqlite3_limit(s->db, SQLITE_LIMIT_EXPR_DEPTH, 50);
}

static void close_subject(struct subject *s)
{
	sqlite3_close(s->db);
	s->db = NULL;
	s->inputs = 0;
}

static void use(struct subject *s, const uint8_t *query, size_t n)
{
	if (!s->db)
		open_subject(s);
	if (n && query[0] % 2)
		compare(s->db, query + 1, n - 1);
	else if (n)
		ask(s->db, query + 1, n - 1);
	sqlite3_set_authorizer(s->db, NULL, NULL);
	sqlite3_progress_handler(s->db, 0, NULL, NULL);
	if (sqlite3_exec(s->db, "DROP TABLE IF EXISTS temp.copy", NULL, NULL, NULL) != SQLITE_OK)
		abort();
	if (++s->inputs == INPUTS_MAX)
		close_subject(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct subject subject = {.fd = -1};
	size_t n, capture;

	if (size < 2)
		return 0;
	n = load_u16(data);
	if (n > size - 2)
		return 0;
	capture = size - 2 - n;
	if (subject.fd < 0)
		subject.fd = memfd_create("fuzz_vtab", MFD_CLOEXEC);
	if (subject.fd < 0 || ftruncate(subject.fd, 0) != 0)
		abort();
	if (pwrite(subject.fd, data + 2 + n, capture, 0) == (ssize_t)capture)
		use(&subject, data + 2, n);
	return 0;
}
