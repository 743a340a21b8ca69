/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v_alert for who looks at all alerts: the same rows and columns, but what an alert refers to
 * (rule, reading, process and its image at that moment) comes from caches through functions, not
 * from joins, which look it up in B-trees for each alert anew. Conditions find no index in it.
 * Threads: those of the connection.
 */
#ifndef QUERY_ALERT_SCAN_H
#define QUERY_ALERT_SCAN_H

#include "base/error.h"

struct sqlite3;

struct qry_alert_scan; /* of a connection, which owns it */

extern const char qry_alert_scan_sql[]; /* SELECT ... */

/* Return: 0, ERR_NOMEM, ERR_DB. */
MUST_CHECK int qry_alert_scan_register(struct sqlite3 *db, struct qry_alert_scan **out,
				       struct error *err);
/* What is remembered is true while nobody changes the case: to be called before each statement. */
void qry_alert_scan_forget(struct qry_alert_scan *s);
/* Before the connection is closed, which statements of it would prevent. */
void qry_alert_scan_end(struct qry_alert_scan *s);

#endif
