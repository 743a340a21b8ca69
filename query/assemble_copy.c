/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows from one case to another, with other numbers. Two connections, so that what is wrong with
 * where they come from can be told from what is wrong with where they go.
 */
#include "query/assemble.h"

void qry_numbers_done(struct qry_numbers *n)
{
	map_done(&n->readings);
	map_done(&n->captures);
	map_done(&n->rules);
}

int qry_copy_part_failed(struct qry_copying *c, int rc, struct error *err)
{
	return qry_db_error(c->from, c->from_path, rc, "reading", err);
}

/* SQLite did not take what the part has, or could not write. */
int qry_copy_case_failed(struct qry_copying *c, int rc, struct error *err)
{
	int kind = rc & 0xff;

	if (kind == SQLITE_CONSTRAINT || kind == SQLITE_MISMATCH || kind == SQLITE_TOOBIG)
		return error_set(err, ERR_FORMAT, "part '%s' makes no sense: %s", c->from_path,
				 sqlite3_errmsg(c->to));
	c->broken = true;
	return qry_db_error(c->to, c->to_path, rc, "adding rows", err);
}

static int bind_number(struct qry_copying *c, const struct qry_plan *p, sqlite3_stmt *from,
		       sqlite3_stmt *to, int at)
{
	int64_t value;

	if (sqlite3_column_type(from, at) != SQLITE_INTEGER ||
	    !qry_plan_map(&c->numbers, p->kind[at], sqlite3_column_int64(from, at),
			  sqlite3_column_int64(from, 0), &value))
		return SQLITE_MISMATCH;
	return sqlite3_bind_int64(to, at + 1, value);
}

static int copy_row(struct qry_copying *c, const struct qry_plan *p, sqlite3_stmt *from,
		    sqlite3_stmt *to, struct error *err)
{
	int rc = SQLITE_OK;

	for (int i = 0; i < (int)p->columns && rc == SQLITE_OK; i++) {
		if (p->kind[i] == QRY_COLUMN_PLAIN || sqlite3_column_type(from, i) == SQLITE_NULL)
			rc = sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
		else
			rc = bind_number(c, p, from, to, i);
	}
	if (rc == SQLITE_MISMATCH)
		return error_set(err, ERR_FORMAT,
				 "part '%s' makes no sense: a row refers to what is not there",
				 c->from_path);
	if (rc == SQLITE_OK) {
		sqlite3_step(to);
		rc = sqlite3_reset(to);
	}
	return rc == SQLITE_OK ? 0 : qry_copy_case_failed(c, rc, err);
}

/* Parameters that a statement has not are left out. */
static int bind_numbers(sqlite3_stmt *stmt, int64_t reading, int64_t capture)
{
	const int64_t numbers[] = {reading, capture};
	int rc = SQLITE_OK;

	for (int i = 0; i < sqlite3_bind_parameter_count(stmt) && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_int64(stmt, i + 1, numbers[i]);
	return rc;
}

int qry_copy_rows(struct qry_copying *c, const struct qry_plan *p, const char *select,
		  int64_t reading, int64_t capture, struct error *err)
{
	sqlite3_stmt *from = NULL, *to = NULL;
	int rc = 0, made, step = sqlite3_prepare_v2(c->from, select, -1, &from, NULL);

	if (step == SQLITE_OK)
		step = bind_numbers(from, reading, capture);
	if (step != SQLITE_OK)
		rc = qry_copy_part_failed(c, step, err);
	made = rc == 0 ? sqlite3_prepare_v2(c->to, p->insert, -1, &to, NULL) : SQLITE_OK;
	if (made != SQLITE_OK)
		rc = qry_copy_case_failed(c, made, err);
	while (rc == 0 && (step = sqlite3_step(from)) == SQLITE_ROW)
		rc = copy_row(c, p, from, to, err);
	if (rc == 0 && step != SQLITE_DONE)
		rc = qry_copy_part_failed(c, step, err);
	sqlite3_finalize(from);
	sqlite3_finalize(to);
	return rc;
}

int qry_copy_table(struct qry_copying *c, const struct qry_plan *p, const char *select,
		   struct error *err)
{
	return qry_copy_rows(c, p, select, 0, 0, err);
}

/* Its number in the case, 0: the case has none of that digest. */
static int find_rule(struct qry_copying *c, sqlite3_value *digest, int64_t *id, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(c->to, "SELECT rule_id FROM rules WHERE digest = ?1", -1, &stmt,
				    NULL);

	*id = 0;
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_value(stmt, 1, digest);
	if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		*id = sqlite3_column_int64(stmt, 0);
		rc = SQLITE_DONE;
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : qry_copy_case_failed(c, rc, err);
}

static int map_rule(struct qry_copying *c, sqlite3_stmt *stmt, bool all, struct error *err)
{
	int64_t id;
	int rc = find_rule(c, sqlite3_column_value(stmt, 1), &id, err);

	if (rc == 0 && !id)
		return all ? error_set(err, ERR_FORMAT,
				       "part '%s' makes no sense: it has a rule that the others "
				       "have not",
				       c->from_path)
			   : 0;
	if (rc == 0 && map_put(&c->numbers.rules, (uint64_t)sqlite3_column_int64(stmt, 0),
			       (void *)(uintptr_t)id) < 0)
		rc = error_nomem(err);
	return rc;
}

int qry_copy_map_rules(struct qry_copying *c, bool all, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = 0, step = sqlite3_prepare_v2(c->from, "SELECT rule_id, digest FROM rules", -1,
					      &stmt, NULL);

	if (step == SQLITE_OK)
		while (rc == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW)
			rc = map_rule(c, stmt, all, err);
	sqlite3_finalize(stmt);
	return rc == 0 && step != SQLITE_DONE ? qry_copy_part_failed(c, step, err) : rc;
}
