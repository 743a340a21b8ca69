/* SPDX-License-Identifier: Apache-2.0 */
/* Connections for people's own SQL. */
#include "query/ask.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive.h"
#include "query/internal.h"
#include "query/member.h"

/* --- what is allowed */

static bool is_kept(const char *table)
{
	return table &&
	       (sqlite3_stricmp(table, "notes") == 0 || sqlite3_stricmp(table, "bookmarks") == 0 ||
		sqlite3_stricmp(table, "verdicts") == 0);
}

static bool is_harmless_pragma(const char *name, const char *value)
{
	static const char *const names[] = {
	    "table_info",     "table_xinfo",	   "table_list",       "index_list",
	    "index_info",     "index_xinfo",	   "database_list",    "function_list",
	    "collation_list", "compile_options",   "foreign_key_list", "integrity_check",
	    "quick_check",    "foreign_key_check", "module_list",      "pragma_list"};
	static const char *const values[] = {"user_version", "application_id", "page_count",
					     "page_size",    "freelist_count", "encoding",
					     "journal_mode", "schema_version", "data_version"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (sqlite3_stricmp(name, names[i]) == 0)
			return true;
	for (size_t i = 0; i < COUNT_OF(values) && !value; i++)
		if (sqlite3_stricmp(name, values[i]) == 0)
			return true;
	return false;
}

/* What changes a database: only one's own temporary one, unless writing was asked for. */
static bool may_change(const struct qry_ask_options *opt, int action, const char *table,
		       const char *database)
{
	if (database && sqlite3_stricmp(database, "temp") == 0)
		return true;
	if (!opt->write || !database || sqlite3_stricmp(database, "main") != 0)
		return false;
	return action == SQLITE_INSERT || !is_kept(table);
}

static int authorize(void *arg, int action, const char *a, const char *b, const char *database,
		     const char *trigger)
{
	const struct qry_ask_options *opt = arg;

	(void)trigger;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
	case SQLITE_CREATE_TEMP_INDEX:
	case SQLITE_CREATE_TEMP_TABLE:
	case SQLITE_CREATE_TEMP_VIEW:
	case SQLITE_DROP_TEMP_INDEX:
	case SQLITE_DROP_TEMP_TABLE:
	case SQLITE_DROP_TEMP_VIEW:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return b && sqlite3_stricmp(b, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
	case SQLITE_PRAGMA:
		return is_harmless_pragma(a, b) ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		return SQLITE_OK;
	case SQLITE_INSERT:
	case SQLITE_UPDATE:
	case SQLITE_DELETE:
		return may_change(opt, action, a, database) ? SQLITE_OK : SQLITE_DENY;
	default: /* among them ATTACH, and everything that alters tables */
		return SQLITE_DENY;
	}
}

static int look(void *arg)
{
	const struct qry_ask_options *opt = arg;

	return opt->stop(opt->arg);
}

/*
 * Tables that are functions are declared when they are first named, which looks to the authorizer
 * as if a table was made: so that happens before.
 */
static void declare_functions(sqlite3 *db)
{
	static const char *const names[] = {"json_each",
					    "json_tree",
					    "pragma_table_info",
					    "pragma_table_xinfo",
					    "pragma_table_list",
					    "pragma_index_list",
					    "pragma_index_info",
					    "pragma_index_xinfo",
					    "pragma_database_list",
					    "pragma_function_list",
					    "pragma_module_list",
					    "pragma_foreign_key_list",
					    "pragma_integrity_check",
					    "pragma_user_version",
					    "pragma_application_id",
					    "scapula_events",
					    "scapula_threads",
					    "scapula_processes",
					    "scapula_fds",
					    "scapula_gaps",
					    "scapula_tallied"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char sql[96];
		sqlite3_stmt *stmt = NULL;

		sqlite3_snprintf(sizeof(sql), sql, "SELECT 1 FROM %s", names[i]);
		sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
		sqlite3_finalize(stmt);
	}
}

void qry_ask_guard(sqlite3 *db, const struct qry_ask_options *opt)
{
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, QRY_ASK_LENGTH);
	sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, QRY_ASK_SQL);
	sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
	declare_functions(db);
	if (opt->stop)
		sqlite3_progress_handler(db, QRY_ASK_STEPS, look, (void *)opt);
	sqlite3_set_authorizer(db, authorize, (void *)opt);
}

/* --- opening */

/* Does something wait in the file @path with @suffix that belongs to the case? */
static bool waits(const char *path, const char *suffix)
{
	char *name = sqlite3_mprintf("%s%s", path, suffix);
	struct stat sb;
	bool is = !name || (stat(name, &sb) == 0 && sb.st_size > 0);

	sqlite3_free(name);
	return is;
}

/* May SQLite make files beside @path, and take them away again? */
static bool may_put_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? sqlite3_mprintf("%.*s", (int)(slash - path + 1), path) : NULL;
	bool may = access(path, W_OK) == 0 && access(dir ? dir : ".", W_OK) == 0;

	sqlite3_free(dir);
	return may;
}

/*
 * Nothing is written to a case that is read. SQLite makes files beside one all the same, to agree
 * with others that have it open, and takes them away only if it may write: so it may, and what
 * keeps it from writing is the authorizer, or that we ask it for nothing else. Where a log waits,
 * taking that away would change the case; where nothing can be made, nobody else writes, either.
 */
static const char *reading_mode(const char *path)
{
	if (waits(path, "-wal") || waits(path, "-journal"))
		return "?mode=ro";
	return may_put_beside(path) ? "?mode=rw" : "?immutable=1";
}

/* "file:" with everything but plain characters as %XX: SQLite gives some names other meanings. */
static void reading_uri(struct buf *b, const char *path)
{
	buf_lit(b, "file:");
	if (path[0] != '/')
		buf_lit(b, "./");
	for (const char *p = path; *p; p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		    (*p >= '0' && *p <= '9') || strchr("/._-", *p))
			buf_char(b, *p);
		else
			buf_addf(b, "%%%02x", (unsigned char)*p);
	}
	buf_str(b, reading_mode(path));
}

int qry_ask_connect(const char *path, sqlite3 **db, struct error *err)
{
	struct buf uri = {0};
	int rc;

	*db = NULL;
	if (arc_is_inside(path))
		return qry_open_member(path, 0, db, err);
	reading_uri(&uri, path);
	if (uri.failed)
		return error_nomem(err);
	rc = sqlite3_open_v2(buf_cstr(&uri), db,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
				 SQLITE_OPEN_EXRESCODE,
			     NULL);
	buf_done(&uri);
	return rc == SQLITE_OK ? 0 : qry_db_error(*db, path, rc, "opening", err);
}

static int open_any(const char *path, const struct qry_ask_options *opt, sqlite3 **db,
		    struct error *err)
{
	int rc;

	if (path && opt->write)
		return access(path, F_OK) == 0
			   ? qry_db_open(path, opt->version, QRY_BUSY_MS, db, err)
			   : error_sys(err, ENOENT, "cannot open case '%s'", path);
	if (path)
		return qry_ask_connect(path, db, err);
	rc = sqlite3_open_v2(":memory:", db,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
			     NULL);
	return rc == SQLITE_OK ? 0 : qry_db_error(*db, "in memory", rc, "opening", err);
}

int qry_ask_open(const char *path, const struct qry_ask_options *opt, sqlite3 **out,
		 struct error *err)
{
	sqlite3 *db = NULL;
	int rc;

	sqlite3_hard_heap_limit64((sqlite3_int64)(opt->memory ? opt->memory : QRY_ASK_MEMORY));
	rc = open_any(path, opt, &db, err);
	if (rc == 0)
		rc = qry_db_distrust(db, path ? path : "in memory", err);
	if (rc == 0)
		rc = qry_db_exec(db, path ? path : "in memory",
				 "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY", err);
	if (rc < 0) {
		sqlite3_close(db);
		return rc;
	}
	sqlite3_busy_timeout(db, QRY_BUSY_MS);
	*out = db;
	return 0;
}

int qry_ask_attach(sqlite3 *db, const char *name, const char *path, struct error *err)
{
	struct buf uri = {0};
	enum arc_kind kind;
	uint64_t size;
	char *sql = NULL;
	int rc = arc_look(path, &kind, &size, err);

	if (rc == 0 && arc_is_inside(path))
		rc = qry_member_uri(&uri, path, 0, err);
	else if (rc == 0)
		reading_uri(&uri, path);
	if (rc == 0 && !uri.failed)
		sql = sqlite3_mprintf("ATTACH %Q AS \"%w\"", buf_cstr(&uri), name);
	if (rc == 0)
		rc = sql ? qry_db_exec(db, path, sql, err) : error_nomem(err);
	sqlite3_free(sql);
	buf_done(&uri);
	return rc;
}

int qry_ask_error(sqlite3 *db, const char *path, int rc, const char *doing, struct error *err)
{
	if ((rc & 0xff) == SQLITE_INTERRUPT)
		return error_set(err, ERR_INTERRUPTED, "case '%s': stopped while %s", path, doing);
	return qry_db_error(db, path, rc, doing, err);
}

int qry_ask_version(sqlite3 *db, const char *path, int *out, struct error *err)
{
	int64_t id = 0, version = 0;
	int rc = qry_db_int(db, path, "PRAGMA application_id", &id, err);

	if (rc == 0)
		rc = qry_db_int(db, path, "PRAGMA user_version", &version, err);
	*out = id == QRY_APPLICATION_ID ? (int)version : 0;
	return rc;
}
