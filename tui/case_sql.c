/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/case_sql.h"

#include "base/escape.h"
#include "query/ask.h"

int tui_sql_fail(struct tui_data *d, int rc, struct error *err)
{
	const char *path = tui_data_case_path(d);

	return qry_ask_error(tui_data_case(d), path ? path : "without a name", rc, "reading", err);
}

int tui_sql_prepare(struct tui_data *d, const char *sql, sqlite3_stmt **out, struct error *err)
{
	int rc = sqlite3_prepare_v2(tui_data_case(d), sql, -1, out, NULL);

	return rc == SQLITE_OK ? 0 : tui_sql_fail(d, rc, err);
}

int tui_sql_begin(struct tui_data *d, sqlite3_stmt *stmt, const int64_t *numbers, size_t count,
		  struct error *err)
{
	int rc;

	(void)sqlite3_reset(stmt); /* what the run before failed with was told */
	rc = SQLITE_OK;
	for (size_t i = 0; i < count && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_int64(stmt, (int)i + 1, numbers[i]);
	return rc == SQLITE_OK ? 0 : tui_sql_fail(d, rc, err);
}

int tui_sql_step(struct tui_data *d, sqlite3_stmt *stmt, struct error *err)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : tui_sql_fail(d, rc, err);
}

int tui_sql_number(struct tui_data *d, const char *sql, int64_t *out, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = tui_sql_prepare(d, sql, &stmt, err);

	*out = 0;
	if (rc == 0)
		rc = tui_sql_step(d, stmt, err);
	if (rc > 0)
		*out = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}

int64_t tui_sql_int(sqlite3_stmt *stmt, int i, int64_t none)
{
	return sqlite3_column_type(stmt, i) == SQLITE_NULL ? none : sqlite3_column_int64(stmt, i);
}

struct sv tui_sql_view(sqlite3_stmt *stmt, int i)
{
	const void *text = sqlite3_column_text(stmt, i);

	return text ? sv_make(text, (size_t)sqlite3_column_bytes(stmt, i)) : SV_NONE;
}

struct sv tui_sql_text(sqlite3_stmt *stmt, int i, struct arena *arena, bool *failed)
{
	struct sv text = tui_sql_view(stmt, i);

	if (!text.p)
		return SV_NONE;
	text = arena_sv(arena, text);
	if (!text.p)
		*failed = true;
	return text.p ? text : SV_NONE;
}

void tui_sql_command(struct tui_data *d, sqlite3_stmt *stmt, struct buf *out)
{
	const char *path = tui_data_case_path(d);
	char *sql = path ? sqlite3_expanded_sql(stmt) : NULL;

	if (sql) {
		buf_lit(out, "scapula query ");
		escape_shell(out, sv_of(path));
		buf_char(out, ' ');
		escape_shell(out, sv_of(sql));
	}
	sqlite3_free(sql);
}
