/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by grouping*.c: what SQLite says of a statement. */
#ifndef QUERY_GROUPING_PLAN_H
#define QUERY_GROUPING_PLAN_H

#include <stdbool.h>

#include "base/buf.h"

struct sqlite3;
struct sqlite3_stmt;

struct grouping_plan {
	bool sorts;	  /* all rows, by the keys */
	bool jumps;	  /* looks rows up one by one in the order of an index */
	bool alerts;	  /* looks at all of v_alert */
	bool scans;	  /* all rows of the first table, as they lie in it */
	struct buf lines; /* but for what puts rows in order */
};

/* @p->lines is to be done away with in any case. */
void grouping_plan_of(struct sqlite3 *db, const char *sql, struct grouping_plan *p);
/* Are all texts compared by their bytes? */
bool grouping_is_binary(struct sqlite3 *db, const char *sql);
/* Are only tables of the case itself looked at? */
bool grouping_is_of_main(struct sqlite3 *db, const char *sql);

#endif
