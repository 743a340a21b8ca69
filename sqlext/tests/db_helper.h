/* SPDX-License-Identifier: Apache-2.0 */
/* Connections with the tables, and queries whose one answer is compared. */
#ifndef SQLEXT_TESTS_DB_HELPER_H
#define SQLEXT_TESTS_DB_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlext/vtab.h"

#define CAPTURES  SOURCE_DIR "/tests/captures/"
#define NETWORK	  CAPTURES "network.scap"
#define INTRUSION CAPTURES "intrusion.scap"
#define SESSIONS  CAPTURES "sessions.scap"

static inline sqlite3 *open_db(const struct vtab_options *opt)
{
	struct error err = {0};
	sqlite3 *db;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	if (vtab_register(db, opt, &err) < 0)
		fail_msg("%s", err.msg);
	return db;
}

static inline void run(sqlite3 *db, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
}

/* @encoding: a statement that sets that of texts, or nothing. */
static inline sqlite3 *open_encoded(const char *const *paths, size_t n, const char *encoding)
{
	static const char *const fields[] = {"proc.env[PATH]", "evt.arg[0]", NULL};
	sqlite3 *db = open_db(NULL);
	struct error err = {0};

	run(db, encoding);
	if (vtab_attach(db, paths, n, fields, &err) < 0)
		fail_msg("%s", err.msg);
	return db;
}

static inline sqlite3 *open_captures(const char *const *paths, size_t n)
{
	return open_encoded(paths, n, "");
}

static inline sqlite3 *open_capture(const char *path)
{
	return open_captures(&path, 1);
}

/* Columns with bars between, rows with line ends behind; the caller frees it. */
static inline char *rows_of(sqlite3 *db, const char *sql)
{
	sqlite3_str *s = sqlite3_str_new(NULL);
	sqlite3_stmt *stmt;
	int rc;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		for (int i = 0, n = sqlite3_column_count(stmt); i < n; i++) {
			const char *text = (const char *)sqlite3_column_text(stmt, i);

			sqlite3_str_appendf(s, "%s%s", text ? text : "NULL",
					    i + 1 < n ? "|" : "\n");
		}
	if (rc != SQLITE_DONE)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_finalize(stmt);
	return sqlite3_str_length(s) ? sqlite3_str_finish(s)
				     : (sqlite3_free(sqlite3_str_finish(s)), sqlite3_mprintf(""));
}

static inline void assert_rows(sqlite3 *db, const char *sql, const char *want)
{
	char *got = rows_of(db, sql);

	if (strcmp(got, want) != 0)
		fail_msg("%s\ngave:\n%s\nnot:\n%s", sql, got, want);
	sqlite3_free(got);
}

static inline int64_t number_of(sqlite3 *db, const char *sql)
{
	char *text = rows_of(db, sql);
	int64_t n = atoll(text);

	sqlite3_free(text);
	return n;
}

/* The query fails, and says @words. */
static inline void assert_fails(sqlite3 *db, const char *sql, const char *words)
{
	char *message = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &message) == SQLITE_OK)
		fail_msg("%s: no error, expected: %s", sql, words);
	if (!strstr(message, words))
		fail_msg("%s\nfailed with: %s\nexpected: %s", sql, message, words);
	sqlite3_free(message);
}

#endif
