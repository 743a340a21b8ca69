/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by find_*.c: an open case, and what a filter leaves of it (find_filter.c), which pages and
 * counts are made of (find_page.c).
 */
#ifndef QUERY_FIND_INTERNAL_H
#define QUERY_FIND_INTERNAL_H

#include <stdatomic.h>

#include "base/arena.h"
#include "query/find.h"
#include "query/internal.h"

enum find_way { BY_TIME, BY_RULE, BY_PROCESS, BY_FINGERPRINT, BY_ALERT, FIND_WAYS };

struct find_keys {
	int64_t *list;
	size_t count, cap;
};

struct qry_browse {
	sqlite3 *db;
	char *path;
	atomic_bool stop;
	struct arena texts;
	struct qry_listed rows[QRY_PAGE_MAX];
	struct qry_place places[QRY_PAGE_MAX];
	/* Of the list at hand: */
	const struct qry_alert_filter *filter;
	struct find_keys rules, processes; /* the only ones that pass */
	bool some_rules, some_processes, some_verdicts;
	struct find_keys source[FIND_WAYS]; /* the streams */
	struct buf residue;		    /* SQL: what each row is asked for */
	struct buf pattern;		    /* ?7 in it; the filter has what comes then */
	int64_t all, alerts;		    /* of the case; in the streams, about */
	uint64_t search_ns;		    /* after which a search ends */
};

int find_fail(struct qry_browse *b, int rc, struct error *err);
MUST_CHECK int find_prepare(struct qry_browse *b, const char *sql, sqlite3_stmt **out,
			    struct error *err);
/* " AND COLUMN IN (1, 2)" */
void find_add_list(struct buf *sql, const char *column, const struct find_keys *k);
/* The number that @sql yields. */
MUST_CHECK int find_number(struct qry_browse *b, const char *sql, int64_t *out, struct error *err);
/* Rules, processes, and the condition on rows. @f stays until the next call. */
MUST_CHECK int find_resolve(struct qry_browse *b, const struct qry_alert_filter *f,
			    struct error *err);
/* The streams. */
MUST_CHECK int find_choose(struct qry_browse *b, struct error *err);
/* Does the filter ask for what no index knows? */
bool find_searches(const struct qry_alert_filter *f);

#endif
