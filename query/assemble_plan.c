/* SPDX-License-Identifier: Apache-2.0 */
#include "query/assemble.h"

#include <stdlib.h>

bool qry_table_is_own(const char *table)
{
	static const char *const names[] = {"meta",	  "priorities", "runs",	 "rules",
					    "rule_files", "run_rules",	"notes", "bookmarks",
					    "verdicts",	  "rule_texts"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(table, names[i]) == 0)
			return true;
	return strncmp(table, "sqlite_", 7) == 0;
}

static const struct {
	const char *table, *column; /* no table: in all others */
	enum qry_column_kind kind;
	const char *ask; /* what is asked for instead; NULL: the column itself */
} rules[] = {
    {"run_captures", "seq", QRY_COLUMN_SEQ, "t.run_capture_id"},
    {"alerts", "alert_id", QRY_COLUMN_ALERT, "t.run_capture_id << 32 | t.seq"},
    {"alerts", "repeats", QRY_COLUMN_ALERT,
     "(SELECT o.run_capture_id << 32 | o.seq FROM alerts o WHERE o.alert_id = t.repeats)"},
    {NULL, "run_id", QRY_COLUMN_RUN, NULL},
    {NULL, "run_capture_id", QRY_COLUMN_READING, NULL},
    {NULL, "reading_id", QRY_COLUMN_READING, NULL},
    {NULL, "capture_id", QRY_COLUMN_CAPTURE, NULL},
    {NULL, "rule_id", QRY_COLUMN_RULE, NULL},
    {NULL, "process_id", QRY_COLUMN_IN_READING, NULL},
    {NULL, "parent_id", QRY_COLUMN_IN_READING, NULL},
    {NULL, "last_parent_id", QRY_COLUMN_IN_READING, NULL},
    {NULL, "user_process_id", QRY_COLUMN_IN_READING, NULL},
    {NULL, "connection_id", QRY_COLUMN_IN_READING, NULL},
    {NULL, "session_id", QRY_COLUMN_IN_READING, NULL},
    {NULL, "quick_id", QRY_COLUMN_PLAIN, NULL},
    {NULL, "container_id", QRY_COLUMN_PLAIN, NULL},
    {NULL, "full_id", QRY_COLUMN_PLAIN, NULL},
};

/* Return: the row of rules, or -1. */
static int rule_of(const char *table, const char *column)
{
	for (size_t i = 0; i < COUNT_OF(rules); i++)
		if (strcmp(column, rules[i].column) == 0 &&
		    (!rules[i].table || strcmp(table, rules[i].table) == 0))
			return (int)i;
	return -1;
}

static int add_column(struct qry_plan *p, struct buf text[2], const char *column, const char *ask,
		      enum qry_column_kind kind, struct error *err)
{
	if (p->columns == QRY_COLUMNS_MAX)
		return error_set(err, ERR_LIMIT, "a table has more than %d columns",
				 QRY_COLUMNS_MAX);
	buf_str(&text[0], p->columns ? ", " : "SELECT ");
	if (ask)
		buf_str(&text[0], ask);
	else
		buf_addf(&text[0], "t.%s", column);
	buf_addf(&text[1], "%s%s", p->columns ? ", " : "", column);
	p->kind[p->columns++] = kind;
	return 0;
}

static int add_any(struct qry_plan *p, struct buf text[2], const char *table, const char *column,
		   struct error *err)
{
	int rule = rule_of(table, column);

	if (rule >= 0)
		return add_column(p, text, column, rules[rule].ask, rules[rule].kind, err);
	if (sv_ends(sv_of(column), SV_LIT("_id")))
		return error_set(err, ERR_UNSUPPORTED, "nobody says what %s of %s numbers", column,
				 table);
	return add_column(p, text, column, NULL, QRY_COLUMN_PLAIN, err);
}

static int add_columns(sqlite3 *db, const char *path, const char *table, struct qry_plan *p,
		       struct buf text[2], struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc, step = sqlite3_prepare_v2(db, "SELECT name FROM pragma_table_info(?1)", -1, &stmt,
					  NULL);

	rc = 0;
	if (step == SQLITE_OK)
		step = sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
	if (step == SQLITE_OK)
		while (rc == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW)
			rc = add_any(p, text, table, (const char *)sqlite3_column_text(stmt, 0),
				     err);
	sqlite3_finalize(stmt);
	return rc == 0 && step != SQLITE_DONE
		   ? qry_db_error(db, path, step, "looking at tables", err)
		   : rc;
}

/* Rows of execs have numbers that nobody sees, but that say in which order they are given. */
static int add_row_number(const char *table, struct qry_plan *p, struct buf text[2],
			  struct error *err)
{
	if (strcmp(table, "execs") != 0)
		return 0;
	return add_column(p, text, "rowid", NULL, QRY_COLUMN_EXEC, err);
}

/* The first of its columns that says of which reading a row is. */
static char *condition(const struct qry_plan *p, const struct buf *columns)
{
	struct sv rest = buf_view(columns);

	for (unsigned i = 0; i < p->columns; i++) {
		const char *end = rest.n ? memchr(rest.p, ',', rest.n) : NULL;
		struct sv name = sv_make(rest.p, end ? (size_t)(end - rest.p) : rest.n);

		if (p->kind[i] == QRY_COLUMN_READING)
			return sqlite3_mprintf("t.%.*s = ?1", (int)name.n, name.p);
		if (p->kind[i] == QRY_COLUMN_CAPTURE)
			return sqlite3_mprintf("t.%.*s = ?2", (int)name.n, name.p);
		if (p->kind[i] == QRY_COLUMN_IN_READING)
			return sqlite3_mprintf("t.%.*s >= ?1 << 32 AND t.%.*s < (?1 + 1) << 32",
					       (int)name.n, name.p, (int)name.n, name.p);
		rest = sv_drop(rest, name.n + 2);
	}
	return sqlite3_mprintf("0"); /* of no reading */
}

static int write_statements(struct qry_plan *p, const char *table, struct buf text[2],
			    struct error *err)
{
	struct buf marks = {0};

	for (unsigned i = 0; i < p->columns; i++)
		buf_str(&marks, i ? ", ?" : "?");
	p->select = sqlite3_mprintf("%s FROM %s t", buf_cstr(&text[0]), table);
	p->insert = sqlite3_mprintf("INSERT INTO %s (%s) VALUES (%s)", table, buf_cstr(&text[1]),
				    buf_cstr(&marks));
	p->of_reading = condition(p, &text[1]);
	bool failed = marks.failed || text[0].failed || text[1].failed || !p->select ||
		      !p->insert || !p->of_reading;

	buf_done(&marks);
	return failed ? error_nomem(err) : 0;
}

int qry_plan_make(sqlite3 *db, const char *path, const char *table, struct qry_plan *out,
		  struct error *err)
{
	struct qry_plan p = {0};
	struct buf text[2] = {{0}};
	int rc = add_columns(db, path, table, &p, text, err);

	if (rc == 0)
		rc = add_row_number(table, &p, text, err);
	if (rc == 0)
		rc = write_statements(&p, table, text, err);
	buf_done(&text[0]);
	buf_done(&text[1]);
	if (rc < 0)
		qry_plan_done(&p);
	else
		*out = p;
	return rc;
}

void qry_plan_done(struct qry_plan *p)
{
	sqlite3_free(p->select);
	sqlite3_free(p->insert);
	sqlite3_free(p->of_reading);
	*p = (struct qry_plan){0};
}

int qry_plan_all(sqlite3 *db, const char *path, struct qry_plan plans[QRY_PLANS_MAX], size_t *count,
		 struct error *err)
{
	static const char sql[] =
	    "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid";
	sqlite3_stmt *stmt = NULL;
	int rc = 0, step = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	*count = 0;
	while (rc == 0 && (step == SQLITE_OK || step == SQLITE_ROW) &&
	       (step = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *table = (const char *)sqlite3_column_text(stmt, 0);

		if (qry_table_is_own(table))
			continue;
		if (*count == QRY_PLANS_MAX)
			rc = error_set(err, ERR_LIMIT, "more than %d tables", QRY_PLANS_MAX);
		else
			rc = qry_plan_make(db, path, table, &plans[*count], err);
		*count += rc == 0;
	}
	sqlite3_finalize(stmt);
	return rc == 0 && step != SQLITE_DONE
		   ? qry_db_error(db, path, step, "looking at tables", err)
		   : rc;
}

bool qry_plan_map(const struct qry_numbers *n, enum qry_column_kind kind, int64_t value,
		  int64_t first, int64_t *out)
{
	uint64_t upper = (uint64_t)value >> 32, lower = (uint32_t)value;
	const struct qry_trace *t = NULL;

	switch (kind) {
	case QRY_COLUMN_PLAIN:
		*out = value;
		return true;
	case QRY_COLUMN_RUN:
		*out = n->run;
		return true;
	case QRY_COLUMN_RULE:
		*out = (int64_t)(uintptr_t)map_get(&n->rules, (uint64_t)value);
		return *out != 0;
	case QRY_COLUMN_CAPTURE:
		t = map_get(&n->captures, (uint64_t)value);
		*out = t ? t->new_capture : 0;
		return t != NULL;
	case QRY_COLUMN_READING:
		t = map_get(&n->readings, (uint64_t)value);
		*out = t ? t->new_reading : 0;
		return t != NULL;
	case QRY_COLUMN_SEQ:
		t = map_get(&n->readings, (uint64_t)value);
		*out = t ? t->new_reading + n->seq_base : 0;
		return t != NULL;
	case QRY_COLUMN_IN_READING:
		t = map_get(&n->readings, upper);
		*out = t ? t->new_reading << 32 | (int64_t)lower : 0;
		return t != NULL;
	case QRY_COLUMN_ALERT:
		t = map_get(&n->readings, upper);
		*out = t ? t->alerts_before + (int64_t)lower : 0;
		return t && lower >= 1 && lower <= (uint64_t)t->alerts;
	case QRY_COLUMN_EXEC:
		t = map_get(&n->readings, (uint64_t)first >> 32);
		if (!t || value < t->first_exec || value - t->first_exec >= t->execs)
			return false;
		*out = t->execs_before + 1 + (value - t->first_exec);
		return true;
	}
	return false;
}
