/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the database file of a case, and SQLite's failures in words. A case may come from
 * somebody else: SQLite is told to trust nothing in it (no triggers, no functions with side
 * effects).
 */
#include "query/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "query/ask.h"

static bool no_space(int sys)
{
	return sys == ENOSPC || sys == EDQUOT || sys == EFBIG;
}

/* SQLite does not always pass on why a write failed; the file that failed knows. */
static int io_errno(sqlite3 *db)
{
	sqlite3_file *wal = NULL;
	int sys = sqlite3_system_errno(db);

	if (!sys)
		sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &sys);
	if (!sys)
		sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
	if (wal && wal->pMethods)
		wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &sys);
	return sys;
}

static int io_error(sqlite3 *db, const char *path, int rc, const char *doing, struct error *err)
{
	const char *text = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
	int sys = db ? io_errno(db) : 0;

	if ((rc & 0xff) == SQLITE_FULL || no_space(sys))
		return error_set(err, ERR_IO,
				 "disk full: case '%s' cannot grow (%s: %s); what was written "
				 "before stays",
				 path, doing, text);
	if (sys)
		return error_sys(err, sys, "case '%s': %s: %s", path, doing, text);
	return error_set(err, ERR_IO, "case '%s': %s: %s", path, doing, text);
}

int qry_db_error(sqlite3 *db, const char *path, int rc, const char *doing, struct error *err)
{
	const char *text = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
	int sys = db ? sqlite3_system_errno(db) : 0;

	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return error_nomem(err);
	case SQLITE_FULL:
	case SQLITE_IOERR:
		return io_error(db, path, rc, doing, err);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(err, ERR_DB,
				 "case '%s' is locked by another program (%s): end that program "
				 "or its transaction and try again",
				 path, doing);
	case SQLITE_NOTADB:
		return error_set(err, ERR_DB,
				 "'%s' is not a case: it is no SQLite database: choose another "
				 "file name",
				 path);
	case SQLITE_CORRUPT:
		return error_set(err, ERR_DB,
				 "case '%s' is damaged (%s: %s): save what is readable with "
				 "sqlite3's .recover",
				 path, doing, text);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return error_set(err, ERR_DB,
				 "case '%s' is read-only (%s): make the file and its directory "
				 "writable, or choose another file name",
				 path, text);
	case SQLITE_CANTOPEN:
		return sys ? error_sys(err, sys, "cannot open case '%s'", path)
			   : error_set(err, ERR_IO, "cannot open case '%s': %s", path, text);
	default:
		return error_set(err, ERR_DB, "case '%s': %s: %s", path, doing, text);
	}
}

int qry_db_exec(sqlite3 *db, const char *path, const char *sql, struct error *err)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : qry_db_error(db, path, rc, "setting up", err);
}

int qry_db_int(sqlite3 *db, const char *path, const char *sql, int64_t *out, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	if (rc == SQLITE_ROW)
		return 0;
	return qry_db_error(db, path, rc, "looking at it", err);
}

int qry_db_create(const char *path, struct error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0) {
		close(fd);
		return 1;
	}
	if (errno == EEXIST)
		return 0;
	return error_sys(err, errno, "cannot create case '%s'", path);
}

/* A relative path gets "./" in front: SQLite gives ":memory:" and "file:..." other meanings. */
static int connect_file(const char *path, sqlite3 **db, struct error *err)
{
	char *name = sqlite3_mprintf("%s%s", path[0] == '/' ? "" : "./", path);
	int rc;

	if (!name)
		return error_nomem(err);
	rc = sqlite3_open_v2(
	    name, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	sqlite3_free(name);
	return rc == SQLITE_OK ? 0 : qry_db_error(*db, path, rc, "opening", err);
}

/* Nothing in the file is to run by itself. */
int qry_db_distrust(sqlite3 *db, const char *path, struct error *err)
{
	int rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	return rc == SQLITE_OK ? 0 : qry_db_error(db, path, rc, "setting up", err);
}

static int configure(sqlite3 *db, const char *path, int busy_ms, struct error *err)
{
	int rc = sqlite3_busy_timeout(db, busy_ms);

	if (rc != SQLITE_OK)
		return qry_db_error(db, path, rc, "setting up", err);
	rc = qry_db_distrust(db, path, err);
	if (rc < 0)
		return rc;
	return qry_db_exec(db, path,
			   "PRAGMA cell_size_check = ON;"
			   "PRAGMA foreign_keys = ON;"
			   "PRAGMA synchronous = NORMAL;"
			   "PRAGMA temp_store = MEMORY;"
			   "PRAGMA page_size = 8192;" /* of a new case */
			   "PRAGMA cache_size = -" QRY_CACHE_KIB ";",
			   err);
}

static int open_connection(const char *path, const char *program_version, int busy_ms, sqlite3 **db,
			   struct error *err)
{
	int rc = connect_file(path, db, err);

	if (rc == 0)
		rc = configure(*db, path, busy_ms, err);
	if (rc == 0 && qry_fingerprint_register(*db) != SQLITE_OK)
		rc = error_nomem(err);
	if (rc == 0)
		rc = qry_schema_upgrade(*db, path, program_version, qry_migrations,
					QRY_SCHEMA_VERSION, err);
	/* Only now is it known to be ours to change. */
	if (rc == 0)
		rc = qry_db_exec(*db, path, "PRAGMA journal_mode = WAL", err);
	return rc;
}

int qry_db_set_up(const char *path, bool created, const char *program_version, int busy_ms,
		  sqlite3 **out, struct error *err)
{
	sqlite3 *db = NULL;
	int rc = open_connection(path, program_version, busy_ms, &db, err);

	if (rc < 0) {
		sqlite3_close(db);
		if (created)
			unlink(path);
		return rc;
	}
	*out = db;
	return 0;
}

int qry_db_open(const char *path, const char *program_version, int busy_ms, sqlite3 **out,
		struct error *err)
{
	int created = qry_db_create(path, err);

	return created < 0 ? created
			   : qry_db_set_up(path, created, program_version, busy_ms, out, err);
}

int qry_db_open_readonly(const char *path, sqlite3 **out, struct error *err)
{
	int rc = qry_ask_connect(path, out, err);

	return rc < 0 ? rc : qry_db_distrust(*out, path, err);
}
