/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement that groups, taken apart: one that gathers rows in a tally (tally.h), and one that
 * makes of the groups what was asked for.
 *
 *   SELECT keys and aggregates FROM ... WHERE ... GROUP BY keys HAVING ... ORDER BY ... LIMIT ...
 *
 *   SELECT scapula_tally(keys, arguments) FROM ... WHERE ...
 *   SELECT keys and aggregates by name FROM scapula_tallied(ID) WHERE having ORDER BY ... LIMIT ...
 *
 * Where all alerts are looked at through v_alert, rows come without joins (alert_scan.h).
 */
#ifndef QUERY_GROUPING_H
#define QUERY_GROUPING_H

#include "base/buf.h"
#include "query/tally.h"

struct sqlite3;
struct sqlite3_stmt;

struct qry_grouping {
	struct qry_tally_shape shape; /* in_order: of all rows by one statement */
	struct buf all;		      /* SQL: gathers all rows */
	/*
	 * The same for rows whose numbers are from scapula_from() to scapula_to(), in no order, on
	 * any connection to the case; and what gives the first and the last number. Empty: there is
	 * no such statement.
	 */
	struct buf part, bounds;
	struct buf before_id, behind_id; /* of the statement that makes the rows */
};

/* Return: is it worth it? @out is to be done away with in any case. */
bool qry_grouping_of(struct sqlite3 *db, const char *sql, struct qry_grouping *out);
void qry_grouping_done(struct qry_grouping *g);
/* Does it compile? Names in double quotes are not texts while that is asked. */
struct sqlite3_stmt *qry_grouping_prepare(struct sqlite3 *db, const char *sql);

#endif
