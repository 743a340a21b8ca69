/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GROUP BY without sorting. SQLite sorts all rows by the keys before it groups them, which takes
 * minutes where there are many millions. A statement of the usual form
 *
 *   SELECT keys and aggregates FROM ... WHERE ... GROUP BY keys HAVING ... ORDER BY ... LIMIT ...
 *
 * is replaced by one that gathers the groups in a hash table (tally.h) and, where all alerts are
 * looked at through v_alert, without joins (alert_scan.h); ->> is what json_field.h makes of it in
 * any case. It gives the same rows in the same
 * order, or it gives up before the first one; then the statement as it was is the one to use.
 * Threads: those of the connection.
 */
#ifndef QUERY_REGROUP_H
#define QUERY_REGROUP_H

#include "query/tally.h"

struct sqlite3;
struct sqlite3_stmt;
struct qry_regroup;

/* For statements of @db. Return: 0, ERR_NOMEM, ERR_DB. */
MUST_CHECK int qry_regroup_new(struct sqlite3 *db, const struct qry_tally_options *opt,
			       struct qry_regroup **out, struct error *err);
/* Before @db is closed; NULL is fine. */
void qry_regroup_free(struct qry_regroup *r);
/*
 * Return: a statement to be used instead of @stmt, with the same parameters by name, owned by the
 * caller; NULL: @stmt is as good as it gets. Names of columns are those of @stmt.
 */
struct sqlite3_stmt *qry_regroup(struct qry_regroup *r, struct sqlite3_stmt *stmt);
/* After the first step of such a statement failed: is the one it stands for to be used after all?
 */
bool qry_regroup_gave_up(struct qry_regroup *r);

#endif
