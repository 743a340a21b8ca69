/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements about many rows, sooner. GROUP BY without sorting: SQLite sorts all rows by the keys
 * before it groups them, which takes minutes where there are many millions. A statement of the
 * usual form (grouping.h) is replaced by one whose groups were gathered in a hash table (tally.h),
 * by several threads if the rows are many: each has a connection of its own, all see the same state
 * of the case, and each takes the next part of the rows. It gives the same rows in the same order,
 * or there is none. And ->> is what json_field.h makes of it. Threads: those of the connection, and
 * its own while they gather.
 */
#ifndef QUERY_REGROUP_H
#define QUERY_REGROUP_H

#include "base/error.h"
#include "query/tally.h"

struct sqlite3;
struct sqlite3_stmt;
struct qry_ask_options;
struct qry_regroup;

#define QRY_REGROUP_THREADS 4	   /* at most */
#define QRY_REGROUP_MANY    100000 /* rows that are worth a thread */

struct qry_regroup_options {
	struct qry_tally_options tally; /* @stop is asked by all threads */
	/* How further connections are opened (qry_ask_open(), then qry_ask_guard()); NULL: there
	 * are none. */
	const char *path;
	const struct qry_ask_options *ask;
	unsigned threads;
	uint64_t many; /* 0: QRY_REGROUP_MANY */
};

/* For statements of @db; what @opt points to outlives it. Return: 0, ERR_NOMEM, ERR_DB. */
MUST_CHECK int qry_regroup_new(struct sqlite3 *db, const struct qry_regroup_options *opt,
			       struct qry_regroup **out, struct error *err);
/* Before @db is closed; NULL is fine. */
void qry_regroup_free(struct qry_regroup *r);
/*
 * Gathers the groups of @stmt, which takes its time.
 * @bind: gives the parameters of a statement their values; Return: 0, or what says that it cannot
 * Return: a statement to be used instead of @stmt, with the same parameters by name, owned by the
 * caller; NULL: @stmt is as good as it gets. Names of columns are those of @stmt.
 */
struct sqlite3_stmt *qry_regroup(struct qry_regroup *r, struct sqlite3_stmt *stmt,
				 int (*bind)(void *arg, struct sqlite3_stmt *stmt), void *arg);
/* How many threads gathered the groups of the last statement that was replaced. */
unsigned qry_regroup_threads(const struct qry_regroup *r);

#endif
