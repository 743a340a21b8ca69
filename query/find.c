/* SPDX-License-Identifier: Apache-2.0 */
#include "query/find.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "query/internal.h"

static const char find_alert[] =
    "SELECT a.ts, a.evt_num, u.name, r.path, c.sha256 FROM alerts a"
    " JOIN rules u USING (rule_id) JOIN run_captures r USING (run_capture_id)"
    " JOIN captures c USING (capture_id) WHERE a.alert_id = ?";

static int nibble(char c)
{
	const char digits[] = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool take_sha256(struct qry_found_alert *a, const char *hex)
{
	if (!hex || strlen(hex) != 2 * sizeof(a->sha256))
		return false;
	for (size_t i = 0; i < sizeof(a->sha256); i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		a->sha256[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static void take_text(char *to, size_t size, const unsigned char *text)
{
	snprintf(to, size, "%s", text ? (const char *)text : "");
}

static void take_row(sqlite3_stmt *stmt, struct qry_found_alert *out)
{
	*out = (struct qry_found_alert){
	    .ts = (uint64_t)sqlite3_column_int64(stmt, 0),
	    .evt_num = (uint64_t)sqlite3_column_int64(stmt, 1),
	};
	take_text(out->rule, sizeof(out->rule), sqlite3_column_text(stmt, 2));
	take_text(out->path, sizeof(out->path), sqlite3_column_text(stmt, 3));
	out->has_sha256 = take_sha256(out, (const char *)sqlite3_column_text(stmt, 4));
}

static int look_up(sqlite3 *db, const char *path, uint64_t id, struct qry_found_alert *out,
		   struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, find_alert, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 1, (int64_t)id);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		take_row(stmt, out);
	sqlite3_finalize(stmt);
	if (rc == SQLITE_ROW)
		return 0;
	if (rc == SQLITE_DONE)
		return error_set(err, ERR_USAGE, "case '%s' has no alert %" PRIu64, path, id);
	return qry_db_error(db, path, rc, "looking for an alert", err);
}

int qry_find_alert(const char *path, uint64_t id, struct qry_found_alert *out, struct error *err)
{
	sqlite3 *db = NULL;
	int rc = qry_db_open_readonly(path, &db, err);

	if (rc == 0)
		rc = look_up(db, path, id, out, err);
	sqlite3_close(db);
	return rc;
}
