/* SPDX-License-Identifier: Apache-2.0 */
#include "query/grouping_plan.h"

#include <sqlite3.h>
#include <string.h>

static sqlite3_stmt *explain(sqlite3 *db, const char *how, const char *sql)
{
	char *text = sqlite3_mprintf("%s %s", how, sql);
	sqlite3_stmt *stmt = NULL;

	if (text)
		sqlite3_prepare_v2(db, text, -1, &stmt, NULL);
	sqlite3_free(text);
	return stmt;
}

static const char *text_of(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text ? (const char *)text : "";
}

void grouping_plan_of(sqlite3 *db, const char *sql, struct grouping_plan *p)
{
	sqlite3_stmt *stmt = explain(db, "EXPLAIN QUERY PLAN", sql);

	*p = (struct grouping_plan){0};
	while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
		const char *line = text_of(stmt, 3);
		bool scan = strncmp(line, "SCAN ", 5) == 0;

		p->sorts |= strstr(line, "TEMP B-TREE FOR GROUP BY") != NULL;
		if (strncmp(line, "USE TEMP B-TREE FOR ", 20) == 0)
			continue;
		p->scans |= scan && !p->lines.len && !strchr(line + 5, ' ');
		p->jumps |= scan && strstr(line, " USING INDEX ") != NULL;
		p->alerts |= scan && line[5] == 'a' && (!line[6] || line[6] == ' ');
		buf_addf(&p->lines, "%s\n", line);
	}
	sqlite3_finalize(stmt);
}

bool grouping_is_binary(sqlite3 *db, const char *sql)
{
	static const char *const keyed[] = {"Compare", "SorterOpen", "OpenEphemeral"};
	sqlite3_stmt *stmt = explain(db, "EXPLAIN", sql);
	bool binary = stmt != NULL;

	while (binary && sqlite3_step(stmt) == SQLITE_ROW) {
		const char *what = text_of(stmt, 1), *p4 = text_of(stmt, 5);

		if (strcmp(what, "CollSeq") == 0)
			binary = !*p4 || strncmp(p4, "BINARY", 6) == 0;
		for (size_t i = 0; i < COUNT_OF(keyed); i++)
			if (*p4 && strcmp(what, keyed[i]) == 0)
				binary = strncmp(p4, "k(", 2) == 0 &&
					 p4[2 + strspn(p4 + 2, "0123456789,-.BN)")] == '\0';
	}
	sqlite3_finalize(stmt);
	return binary;
}

bool grouping_is_of_main(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = explain(db, "EXPLAIN", sql);
	bool good = stmt != NULL;

	while (good && sqlite3_step(stmt) == SQLITE_ROW) {
		const char *what = text_of(stmt, 1);

		if (strcmp(what, "OpenRead") == 0 || strcmp(what, "ReopenIdx") == 0)
			good = sqlite3_column_int(stmt, 4) == 0;
		else if (strcmp(what, "VOpen") == 0)
			good = false;
	}
	sqlite3_finalize(stmt);
	return good;
}
