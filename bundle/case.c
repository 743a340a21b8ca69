/* SPDX-License-Identifier: Apache-2.0 */
/* Cases, as far as bundling them needs to know: what they were made from, and whether they are
 * whole. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/internal.h"
#include "query/ask.h"

#define BUSY_MS 10000
#define STEPS	100000 /* of SQLite, after which it is asked whether to stop */

int bag_case_failed(sqlite3 *db, const char *path, const char *doing, struct error *err)
{
	int rc = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;

	return qry_ask_error(db, path, rc, doing, err);
}

static int look(void *arg)
{
	const struct bag_checking *opt = arg;

	return opt->stop(opt->arg);
}

int bag_case_open(const char *path, const struct bag_checking *opt, sqlite3 **db, struct error *err)
{
	int rc = qry_ask_connect(path, db, err);

	if (rc < 0)
		return rc;
	sqlite3_busy_timeout(*db, BUSY_MS);
	if (opt && opt->stop)
		sqlite3_progress_handler(*db, STEPS, look, (void *)(uintptr_t)opt);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	return 0;
}

bool bag_is_database(const char *path)
{
	static const char magic[] = "SQLite format 3";
	char head[sizeof(magic)] = "";
	struct arc_file *f;
	bool is;

	if (arc_open_stored(path, &f, NULL) < 0)
		return false;
	is = arc_read(f, head, sizeof(head), NULL) == sizeof(head) &&
	     memcmp(head, magic, sizeof(magic)) == 0;
	arc_close(f);
	return is;
}

/* ---- what it was made from ---- */

static int read_files(struct bag_case *c, sqlite3 *db, const char *path, const char *sql,
		      struct bag_case_file **out, size_t *count, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	struct bag_case_file *list = NULL;
	size_t cap = 0;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *file = (const char *)sqlite3_column_text(stmt, 0);
		const char *hash = (const char *)sqlite3_column_text(stmt, 1);
		struct bag_case_file f = {0};

		if (*count == cap) {
			struct bag_case_file *more =
			    arena_zalloc(&c->arena, cap ? 2 * cap : 16, sizeof(*more));

			if (!more)
				break;
			memcpy(more, list ? list : more, *count * sizeof(*more));
			list = more;
			cap = cap ? 2 * cap : 16;
		}
		f.path = arena_strdup(&c->arena, file ? file : "");
		f.hashed = hash && bag_parse_hex(sv_of(hash), f.sha256);
		if (!f.path)
			break;
		list[(*count)++] = f;
		rc = SQLITE_OK;
	}
	*out = list;
	if (rc == SQLITE_ROW)
		rc = error_nomem(err);
	else
		rc = rc == SQLITE_DONE
			 ? 0
			 : bag_case_failed(db, path, "reading what it was made from", err);
	sqlite3_finalize(stmt);
	return rc;
}

int bag_case_read(const char *path, struct bag_case *out, struct error *err)
{
	sqlite3 *db;
	int rc;

	*out = (struct bag_case){0};
	rc = bag_case_open(path, NULL, &db, err);
	if (rc == 0)
		rc = read_files(out, db, path,
				"SELECT path, sha256 FROM captures ORDER BY capture_id",
				&out->captures, &out->ncaptures, err);
	if (rc == 0)
		rc = read_files(out, db, path,
				"SELECT name, sha256 FROM rule_files GROUP BY name, sha256 "
				"ORDER BY min(run_id), min(seq)",
				&out->rules, &out->nrules, err);
	sqlite3_close(db);
	return rc;
}

void bag_case_done(struct bag_case *c)
{
	arena_done(&c->arena);
}

/* ---- copies ---- */

int bag_case_copy(const char *path, const char *to, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db;
	int rc = bag_case_open(path, NULL, &db, err);

	if (rc == 0 && (sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &stmt, NULL) != SQLITE_OK ||
			sqlite3_bind_text(stmt, 1, to, -1, SQLITE_STATIC) != SQLITE_OK ||
			sqlite3_step(stmt) != SQLITE_DONE))
		rc = sqlite3_errcode(db) == SQLITE_FULL
			 ? error_set(err, ERR_IO, "disk full: no room for the copy '%s' of '%s'",
				     to, path)
			 : bag_case_failed(db, path, "copying it", err);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return rc;
}

/* Return: what SQLite found, "ok" if nothing; or NULL if it was stopped. */
static const char *first_trouble(sqlite3 *db, sqlite3_stmt **stmt)
{
	int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, stmt, NULL);
	const char *text;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(*stmt);
	if (rc == SQLITE_INTERRUPT)
		return NULL;
	text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(*stmt, 0) : sqlite3_errmsg(db);
	return text ? text : "no answer";
}

/* A database that cannot say what it is is for the check of its integrity to judge. */
static int expect_case(sqlite3 *db, const char *path, struct error *err)
{
	int version;

	if (qry_ask_version(db, path, &version, err) < 0 || version)
		return 0;
	return error_set(err, ERR_DB, "'%s' is a SQLite database, but not a case", path);
}

int bag_case_check(const char *path, const struct bag_checking *opt, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	const char *text;
	sqlite3 *db;
	int rc = bag_case_open(path, opt, &db, err);

	if (rc == 0)
		rc = expect_case(db, path, err);
	if (rc == 0) {
		text = first_trouble(db, &stmt);
		if (!text) {
			rc = error_set(err, ERR_INTERRUPTED, "stopped");
		} else if (strcmp(text, "ok") != 0) {
			char plain[160];

			arc_plain_text(plain, sizeof(plain), text);
			rc = error_set(err, ERR_FORMAT, "case '%s' is damaged: %s", path, plain);
		}
		sqlite3_finalize(stmt);
	}
	sqlite3_close(db);
	return rc;
}
