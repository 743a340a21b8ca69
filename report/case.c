/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a case for a report, and statements over it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "query/query.h"
#include "report/internal.h"

int rep_db_error(struct rep_case *c, int rc, const char *doing, struct error *err)
{
	char text[80];

	snprintf(text, sizeof(text), "reading %s", doing);
	return qry_ask_error(c->db, c->name, rc, text, err);
}

/* --- rows */

static int prepare(struct rep_case *c, const char *doing, sqlite3_stmt **out, struct error *err,
		   const char *sql)
{
	int rc = sql ? sqlite3_prepare_v2(c->db, sql, -1, out, NULL) : SQLITE_NOMEM;

	return rc == SQLITE_OK ? 0 : rep_db_error(c, rc, doing, err);
}

int rep_rows_open(struct rep_case *c, const char *doing, struct rep_rows **out, struct error *err,
		  const char *fmt, ...)
{
	struct rep_rows *r = calloc(1, sizeof(*r));
	va_list ap;
	char *sql;
	int rc;

	va_start(ap, fmt);
	sql = sqlite3_vmprintf(fmt, ap);
	va_end(ap);
	rc = r && sql ? prepare(c, doing, &r->stmt, err, sql) : error_nomem(err);
	sqlite3_free(sql);
	if (rc < 0) {
		free(r);
		return rc;
	}
	r->c = c;
	r->doing = doing;
	*out = r;
	return 0;
}

int rep_rows_step(struct rep_rows *r, struct error *err)
{
	int rc = sqlite3_step(r->stmt);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : rep_db_error(r->c, rc, r->doing, err);
}

void rep_take_fields(sqlite3_stmt *stmt, const struct rep_field *fields, size_t n, void *out)
{
	struct rep_columns k = {.stmt = stmt};

	for (size_t i = 0; i < n; i++) {
		void *to = (char *)out + fields[i].offset;

		switch (fields[i].kind) {
		case REP_FIELD_INT:
			*(int64_t *)to = rep_int(&k);
			break;
		case REP_FIELD_ZERO:
			*(int64_t *)to = rep_zero(&k);
			break;
		case REP_FIELD_TEXT:
			*(struct sv *)to = rep_text(&k);
			break;
		case REP_FIELD_BOOL:
			*(bool *)to = rep_zero(&k) != 0;
			break;
		case REP_FIELD_SEVERITY:
			*(int *)to = rep_severity(&k);
			break;
		case REP_FIELD_FINGERPRINT:
			snprintf(to, REP_FINGERPRINT_SIZE, "%016llx",
				 (unsigned long long)rep_zero(&k));
			break;
		}
	}
}

int rep_rows_next(struct rep_rows *r, const struct rep_field *fields, size_t n, void *out,
		  struct error *err)
{
	int rc = rep_rows_step(r, err);

	if (rc > 0)
		rep_take_fields(r->stmt, fields, n, out);
	return rc;
}

void rep_rows_close(struct rep_rows *r)
{
	if (!r)
		return;
	sqlite3_finalize(r->stmt);
	free(r);
}

/* --- processes with selected alerts */

int rep_who(struct rep_case *c, struct error *err)
{
	char *sql;
	int rc;

	if (c->who)
		return 0;
	sql = sqlite3_mprintf("CREATE TEMP TABLE rep_who AS SELECT %s AS id, count(*) AS n, "
			      "min(a.priority) AS severity %s WHERE a.process_id IS NOT NULL%s "
			      "GROUP BY 1",
			      REP_SHOWN_PROCESS, REP_ALERTS, c->alerts);
	if (!sql)
		return error_nomem(err);
	rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
	sqlite3_free(sql);
	c->who = rc == SQLITE_OK;
	return c->who ? 0 : rep_db_error(c, rc, "processes with alerts", err);
}

static void forget_who(struct rep_case *c)
{
	if (c->who)
		sqlite3_exec(c->db, "DROP TABLE temp.rep_who", NULL, NULL, NULL);
	c->who = false;
}

/* --- opening */

static int check_version(struct rep_case *c, struct error *err)
{
	int version, rc = qry_ask_version(c->db, c->name, &version, err);

	if (rc < 0 || version == QRY_SCHEMA_VERSION)
		return rc;
	if (version == 0)
		return error_set(err, ERR_DB, "'%s' is a SQLite database, but not a case", c->name);
	if (version > QRY_SCHEMA_VERSION)
		return error_set(err, ERR_DB,
				 "case '%s' has schema version %d, this program knows versions up "
				 "to %d: use a newer program",
				 c->name, version, QRY_SCHEMA_VERSION);
	return error_set(err, ERR_DB,
			 "case '%s' has schema version %d, reports need %d: 'scapula query --write "
			 "%s \"SELECT 1\"' upgrades it",
			 c->name, version, QRY_SCHEMA_VERSION, c->name);
}

static struct rep_case *case_new(const char *name, const struct rep_options *opt, uint64_t memory)
{
	struct rep_case *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->name = opt->copy_of ? opt->copy_of : name;
	c->told = opt->name ? opt->name : name;
	c->select = opt->select;
	c->run_id = opt->select.run_id;
	c->ask = (struct qry_ask_options){.memory = memory, .stop = opt->stop, .arg = opt->arg};
	return c;
}

/* One transaction, so that all rows are of one moment even if a run goes on writing. */
static int begin(struct rep_case *c, struct error *err)
{
	int rc = sqlite3_exec(c->db, "BEGIN", NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		return rep_db_error(c, rc, "the beginning", err);
	return rep_select_build(c, err);
}

int rep_case_open(const char *path, const struct rep_options *opt, uint64_t memory,
		  struct rep_case **out, struct error *err)
{
	struct rep_case *c = case_new(path, opt, memory);
	int rc;

	if (!c)
		return error_nomem(err);
	c->owned = true;
	rc = qry_ask_open(path, &c->ask, &c->db, err);
	if (rc == 0)
		rc = check_version(c, err);
	if (rc == 0) {
		qry_ask_guard(c->db, &c->ask);
		rc = begin(c, err);
	}
	if (rc < 0) {
		rep_case_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

int rep_case_over(sqlite3 *db, const char *name, const struct rep_options *opt,
		  struct rep_case **out, struct error *err)
{
	struct rep_case *c = case_new(name, opt, 0);
	int rc;

	if (!c)
		return error_nomem(err);
	c->db = db;
	rc = rep_select_build(c, err);
	if (rc < 0) {
		rep_case_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

int rep_case_narrow(struct rep_case *c, int64_t run_id, struct error *err)
{
	forget_who(c);
	c->select.run_id = run_id ? run_id : c->run_id;
	return rep_select_build(c, err);
}

void rep_case_close(struct rep_case *c)
{
	if (!c)
		return;
	sqlite3_finalize(c->process);
	sqlite3_finalize(c->connection);
	forget_who(c);
	if (c->owned)
		sqlite3_close(c->db);
	arena_done(&c->lineage);
	arena_done(&c->ends);
	arena_done(&c->arena);
	free(c);
}

const char *rep_case_name(const struct rep_case *c)
{
	return c->told;
}
