/* SPDX-License-Identifier: Apache-2.0 */
/* A few alerts that filters are tried on. */
#ifndef TUI_TESTS_ALERT_ROWS_H
#define TUI_TESTS_ALERT_ROWS_H

#include <sqlite3.h>

#include "tui/alert_filter.h"

#define ALERT_ROWS	  3
#define ALERT_ROWS_FAILED (~0u)

/* As much of v_alert as filters ask for. */
static const char alert_rows[] =
    "CREATE TABLE v (alert_id, ts, rule, severity, tags, source, hostname, capture, fingerprint,"
    " verdict, capture_sha256, evt_offset, output, output_fields, process_id, evt_num, comm,"
    " exepath, cmdline, pid, tid, container_id);"
    "CREATE TABLE notes (capture_sha256, evt_offset);"
    "INSERT INTO notes VALUES ('ab', 300);"
    "INSERT INTO v VALUES (1, 1772449457000000000, 'Exec from /tmp', 2, '[\"T1059\",\"mitre\"]',"
    " 'syscall', 'web7', '/c/a.scap', '00ff', NULL, 'ab', 100, 'ran /tmp/.x/kd (100%)',"
    " '{\"proc.name\":\"kd\",\"fd.num\":4,\"evt.arg.res\":\"0\",\"proc.aname[2]\":\"sshd\"}', 11, "
    "10, 'sh', '/bin/sh', 'sh -c kd', 40, 41, NULL);"
    "INSERT INTO v VALUES (2, 1772453057000000000, 'Read shadow', 4, '[]', 'syscall', 'web8',"
    " '/c/b.scap', '00fe', 'benign', 'ab', 200, 'read /etc/shadow by ''cat''',"
    " '{\"fd.name\":\"/etc/shadow\",\"fd.num\":12}', 12, 20, 'cat', '/bin/cat', 'cat', 50, 50,"
    " 'c0ffee');"
    "INSERT INTO v VALUES (3, 1772456657000000000, 'Outbound', 5, '[\"mitre\"]', 'k8s', 'web7',"
    " '/c/a.scap', '00fd', NULL, 'ab', 300, NULL, NULL, NULL, 30, NULL, NULL, NULL, NULL, NULL,"
    " NULL);";

/* A condition for what indexes know of @f. */
static inline void alert_rows_learned(const struct tui_alert_filter *f, struct buf *out)
{
	buf_addf(out, " AND (v.rule = ?1 OR ?1 IS NULL) AND v.ts >= %llu",
		 (unsigned long long)f->from);
	if (f->severities)
		buf_addf(out, " AND (1 << v.severity) & %u", f->severities);
	if (f->to)
		buf_addf(out, " AND v.ts <= %llu", (unsigned long long)f->to);
}

/* A bit for each alert that passes, @learned: and is among those that indexes find. */
static inline unsigned alert_rows_passing(sqlite3 *db, const struct tui_alert_filter *f,
					  bool learned)
{
	unsigned bits = 0;
	struct buf sql = {0};
	sqlite3_stmt *stmt = NULL;
	int rc;

	buf_addf(&sql, "SELECT alert_id FROM v WHERE %s", f->sql.len ? f->sql.p : "1");
	if (learned)
		alert_rows_learned(f, &sql);
	rc = sqlite3_prepare_v2(db, buf_cstr(&sql), -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = qry_bind_arguments(stmt, f->values, f->value_count);
	if (rc == SQLITE_OK && learned && f->rule)
		rc = sqlite3_bind_text(stmt, 1, f->rule, -1, SQLITE_STATIC);
	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		bits |= 1u << (sqlite3_column_int(stmt, 0) - 1);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	buf_done(&sql);
	return rc == SQLITE_DONE ? bits : ALERT_ROWS_FAILED;
}

#endif
