/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs name the program that writes them: start of the machine, number and start of the process. So
 * a run that is not finished can be told from one that never will be.
 */
#include "query/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool read_line(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok = f && fgets(out, (int)size, f);

	if (f)
		fclose(f);
	return ok;
}

/* Start of process @pid in clock ticks after that of the machine; 0: there is none. */
static unsigned long long start_of(long pid)
{
	char path[64], line[1024], *p;
	unsigned long long start = 0;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	p = read_line(path, line, sizeof(line)) ? strrchr(line, ')') : NULL;
	/* The start is the 22nd field; the 2nd ends here. */
	for (unsigned i = 0; p && i < 20; i++)
		p = strchr(p + 1, ' ');
	if (p)
		start = strtoull(p + 1, NULL, 10);
	return start;
}

static bool boot_id(char out[64])
{
	if (!read_line("/proc/sys/kernel/random/boot_id", out, 64))
		return false;
	out[strcspn(out, "\n")] = '\0';
	return true;
}

void qry_owner_self(char out[QRY_OWNER_MAX])
{
	unsigned long long start = start_of(getpid());
	char boot[64];

	out[0] = '\0';
	if (start && boot_id(boot))
		snprintf(out, QRY_OWNER_MAX, "%s %ld %llu", boot, (long)getpid(), start);
}

bool qry_owner_is_alive(const char *owner)
{
	char boot[64], *end;
	const char *pid = owner ? strchr(owner, ' ') : NULL;
	long number;

	if (!pid || !boot_id(boot) || strncmp(owner, boot, (size_t)(pid - owner)) != 0)
		return false;
	number = strtol(pid + 1, &end, 10);
	return number > 0 && start_of(number) == strtoull(end, NULL, 10);
}

int qry_reading_is_abandoned(sqlite3 *db, const char *path, int64_t reading, struct error *err)
{
	static const char sql[] =
	    "SELECT r.owner FROM run_captures c JOIN runs r USING (run_id)"
	    " WHERE c.run_capture_id = ?1 AND r.state = 'running' AND c.state = 'reading'";
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), gone = 0;

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 1, reading);
	if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *owner = (const char *)sqlite3_column_text(stmt, 0);

		gone = !qry_owner_is_alive(owner);
		rc = SQLITE_DONE;
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? gone : qry_db_error(db, path, rc, "looking at a run", err);
}

int qry_reading_drop(sqlite3 *db, const char *path, int64_t reading, struct error *err)
{
	/* Whatever refers to a table stands before it. */
	static const struct {
		const char *table, *key;
	} parts[] = {
	    {"alerts", "run_capture_id"},
	    {"alert_counts", "run_capture_id"},
	    {"alert_groups", "run_capture_id"},
	    {"file_changes", "run_capture_id"},
	    {"connections", "run_capture_id"},
	    {"dns_addresses", "run_capture_id"},
	    {"users", "run_capture_id"},
	    {"containers", "run_capture_id"},
	    {"container_mounts", "run_capture_id"},
	    {"mounts", "run_capture_id"},
	    {"modules", "run_capture_id"},
	    {"losses", "run_capture_id"},
	    {"damage", "run_capture_id"},
	    {"files", "process_id"},
	    {"dns_names", "process_id"},
	    {"execs", "process_id"},
	    {"session_commands", "session_id"},
	    {"sessions", "run_capture_id"},
	    {"processes", "run_capture_id"},
	    {"run_captures", "run_capture_id"},
	};
	int rc = 0;

	for (size_t i = 0; i < COUNT_OF(parts) && rc == 0; i++) {
		bool own = strcmp(parts[i].key, "run_capture_id") == 0;
		char *sql = sqlite3_mprintf(
		    "DELETE FROM %s WHERE %s >= %lld AND %s < %lld", parts[i].table, parts[i].key,
		    own ? (long long)reading : (long long)reading << 32, parts[i].key,
		    own ? (long long)reading + 1 : (long long)(reading + 1) << 32);

		rc = sql ? qry_db_exec(db, path, sql, err) : error_nomem(err);
		sqlite3_free(sql);
	}
	return rc;
}
