/* SPDX-License-Identifier: Apache-2.0 */
/* Statements over the case, for views. Threads: that of the program. */
#ifndef TUI_CASE_SQL_H
#define TUI_CASE_SQL_H

#include <sqlite3.h>

#include "base/arena.h"
#include "tui/data.h"

/* @out is the caller's to finalize, before the data is closed. Return: 0 or ERR_*. */
MUST_CHECK int tui_sql_prepare(struct tui_data *d, const char *sql, sqlite3_stmt **out,
			       struct error *err);
/* Begin it anew with @count numbers as ?1, ?2 ... Return: 0 or ERR_*. */
MUST_CHECK int tui_sql_begin(struct tui_data *d, sqlite3_stmt *stmt, const int64_t *numbers,
			     size_t count, struct error *err);
/* The next row. Return: 1, 0 (no more), or ERR_*. */
MUST_CHECK int tui_sql_step(struct tui_data *d, sqlite3_stmt *stmt, struct error *err);
/* The number that @sql yields, 0 if none. Return: 0 or ERR_*. */
MUST_CHECK int tui_sql_number(struct tui_data *d, const char *sql, int64_t *out, struct error *err);
/* SQLite's result @rc put into words. Return: ERR_*. */
int tui_sql_fail(struct tui_data *d, int rc, struct error *err);

/* Column @i: a number, @none if it is NULL; a text in @arena, none if it is NULL or there is no
 * memory, which latches @failed. */
int64_t tui_sql_int(sqlite3_stmt *stmt, int i, int64_t none);
struct sv tui_sql_text(sqlite3_stmt *stmt, int i, struct arena *arena, bool *failed);
/* Borrowed until the next step. */
struct sv tui_sql_view(sqlite3_stmt *stmt, int i);

/* "scapula query CASE 'SQL'", with the values of @stmt's parameters in it; nothing for a case that
 * has no name. */
void tui_sql_command(struct tui_data *d, sqlite3_stmt *stmt, struct buf *out);

#endif
