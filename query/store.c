/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applies queued rows to the case: prepared statements only, one transaction per QRY_BATCH_ROWS.
 * Rows point at the reading (run_captures) rather than at the capture, because which capture it is
 * shows only at its end, with the SHA-256: then one row is redirected instead of all.
 */
#include "query/internal.h"

#include <stdlib.h>

static const struct {
	const char *doing, *sql;
} statements[QRY_STMT_COUNT] = {
#define STMT(sym, doing, sql) [QRY_STMT_##sym] = {doing, sql},
#include "query/statements.def"
#undef STMT
};

static int fail(struct qry_store *s, int rc, enum qry_stmt which, struct error *err)
{
	return qry_db_error(s->db, s->path, rc, statements[which].doing, err);
}

/* SQLITE_STATIC: the text outlives the step, and every parameter is bound anew for the next one. */
static int bind_text(struct qry_store *s, sqlite3_stmt *stmt, int at, struct sv text)
{
	struct sv clean = qry_clean_text(text, &s->scratch);

	if (s->scratch.failed)
		return SQLITE_NOMEM;
	return sqlite3_bind_text(stmt, at, clean.p, (int)clean.n,
				 clean.p == text.p ? SQLITE_STATIC : SQLITE_TRANSIENT);
}

static int bind(struct qry_store *s, sqlite3_stmt *stmt, int at, const struct qry_value *v)
{
	switch (v->kind) {
	case QRY_INT:
		return sqlite3_bind_int64(stmt, at, v->i);
	case QRY_TEXT:
	case QRY_JSON:
		return bind_text(s, stmt, at, v->s);
	case QRY_NULL:
		break;
	}
	return sqlite3_bind_null(stmt, at);
}

/* Bind @n values from parameter @first on, those before it are bound; run to completion. */
static int run_from(struct qry_store *s, enum qry_stmt which, int first, const struct qry_value *v,
		    unsigned n, struct error *err)
{
	sqlite3_stmt *stmt = s->stmt[which];
	int rc = SQLITE_OK;

	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++)
		rc = bind(s, stmt, first + (int)i, &v[i]);
	if (rc != SQLITE_OK)
		return fail(s, rc, which, err);
	sqlite3_step(stmt);
	rc = sqlite3_reset(stmt);
	return rc == SQLITE_OK ? 0 : fail(s, rc, which, err);
}

static int run(struct qry_store *s, enum qry_stmt which, const struct qry_value *v, unsigned n,
	       struct error *err)
{
	return run_from(s, which, 1, v, n, err);
}

/* As run(), with the reading's id in front. */
static int run_row(struct qry_store *s, enum qry_stmt which, const struct qry_value *v, unsigned n,
		   struct error *err)
{
	int rc = sqlite3_bind_int64(s->stmt[which], 1, s->run_capture_id);

	return rc == SQLITE_OK ? run_from(s, which, 2, v, n, err) : fail(s, rc, which, err);
}

/* Return: 1 with the id found, 0 when there is none, or an error. */
static int find(struct qry_store *s, enum qry_stmt which, const struct qry_value *key, int64_t *id,
		struct error *err)
{
	sqlite3_stmt *stmt = s->stmt[which];
	int rc = bind(s, stmt, 1, key);
	bool found = false;

	if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
		*id = sqlite3_column_int64(stmt, 0);
		found = true;
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_reset(stmt);
	return rc == SQLITE_OK ? found : fail(s, rc, which, err);
}

static int begin(struct qry_store *s, struct error *err)
{
	int rc;

	if (s->in_transaction)
		return 0;
	rc = run(s, QRY_STMT_BEGIN, NULL, 0, err);
	if (rc == 0)
		s->in_transaction = true;
	return rc;
}

int qry_store_commit(struct qry_store *s, struct error *err)
{
	int rc;

	if (!s->in_transaction)
		return 0;
	rc = run(s, QRY_STMT_COMMIT, NULL, 0, err);
	if (rc == 0) {
		s->in_transaction = false;
		s->pending = 0;
	}
	return rc;
}

static int add_run(struct qry_store *s, const struct qry_run *r, struct error *err)
{
	const struct qry_value v[] = {
	    qry_text(sv_of(r->version ? r->version : "")),
	    qry_text(sv_of(r->command ? r->command : "")),
	    qry_text(sv_of(r->matching ? r->matching : "")),
	    qry_u64(r->started_ts),
	};
	int rc = begin(s, err);

	if (rc == 0)
		rc = run(s, QRY_STMT_ADD_RUN, v, COUNT_OF(v), err);
	if (rc == 0) {
		s->run_id = sqlite3_last_insert_rowid(s->db);
		rc = qry_store_commit(s, err);
	}
	return rc;
}

int qry_store_init(struct qry_store *s, sqlite3 *db, const char *path, const struct qry_run *run,
		   struct error *err)
{
	int rc;

	*s = (struct qry_store){.db = db, .path = path};
	for (int i = 0; i < QRY_STMT_COUNT; i++) {
		rc = sqlite3_prepare_v3(db, statements[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
					&s->stmt[i], NULL);
		if (rc != SQLITE_OK) {
			rc = fail(s, rc, (enum qry_stmt)i, err);
			goto out;
		}
	}
	rc = add_run(s, run, err);
out:
	if (rc < 0)
		qry_store_done(s);
	return rc;
}

void qry_store_done(struct qry_store *s)
{
	for (int i = 0; i < QRY_STMT_COUNT; i++)
		sqlite3_finalize(s->stmt[i]);
	sqlite3_close(s->db); /* rolls back an open transaction */
	free(s->rules);
	buf_done(&s->scratch);
	*s = (struct qry_store){0};
}

/* --- rules */

static int rule_slot(struct qry_store *s, size_t index, struct error *err)
{
	size_t cap = s->rule_cap ? s->rule_cap : 64;
	struct qry_rule_ref *p;

	if (index < s->rule_cap)
		return 0;
	while (cap <= index)
		cap *= 2;
	p = reallocarray(s->rules, cap, sizeof(*p));
	if (!p)
		return error_nomem(err);
	memset(p + s->rule_cap, 0, (cap - s->rule_cap) * sizeof(*p));
	s->rules = p;
	s->rule_cap = cap;
	return 0;
}

/* The row: index in the run, enabled, file, line, then ADD_RULE's parameters, digest first. */
static int add_rule(struct qry_store *s, struct qry_row *row, struct error *err)
{
	const struct qry_value *v = row->value;
	struct qry_value used[] = {qry_int(s->run_id), v[0], {0}, v[1], v[2], v[3]};
	const struct qry_value *digest = &v[4], *priority = &v[8];
	size_t index = (size_t)v[0].i;
	int64_t id = 0;
	int rc;

	rc = rule_slot(s, index, err);
	if (rc == 0)
		rc = run(s, QRY_STMT_ADD_RULE, digest, row->count - 4, err);
	if (rc == 0)
		rc = find(s, QRY_STMT_FIND_RULE, digest, &id, err);
	if (rc < 0)
		return rc;
	s->rules[index] = (struct qry_rule_ref){id, (int)priority->i};
	used[2] = qry_int(id);
	return run(s, QRY_STMT_ADD_RUN_RULE, used, COUNT_OF(used), err);
}

static int add_rule_file(struct qry_store *s, struct qry_row *row, struct error *err)
{
	const struct qry_value v[] = {qry_int(s->run_id), qry_int(++s->rule_file_seq),
				      row->value[0], row->value[1], row->value[2]};

	return run(s, QRY_STMT_ADD_RULE_FILE, v, COUNT_OF(v), err);
}

/* The row's value @at is a process's number in the reading, or NULL; make it the one in the case.
 */
static void globalise(const struct qry_store *s, struct qry_row *row, unsigned at)
{
	if (row->value[at].kind == QRY_INT)
		row->value[at].i += s->run_capture_id << 32;
}

/* The row: index of the rule in the run, then ADD_ALERT's parameters from the time on. */
static int add_alert(struct qry_store *s, struct qry_row *row, struct error *err)
{
	const struct qry_rule_ref *rule = &s->rules[row->value[0].i];
	const struct qry_value v[] = {qry_int(s->run_capture_id), qry_int(++s->alert_seq),
				      qry_int(rule->rule_id), qry_int(rule->priority)};
	sqlite3_stmt *stmt = s->stmt[QRY_STMT_ADD_ALERT];

	globalise(s, row, 6);
	for (unsigned i = 0; i < COUNT_OF(v); i++) {
		int rc = bind(s, stmt, (int)i + 1, &v[i]);

		if (rc != SQLITE_OK)
			return fail(s, rc, QRY_STMT_ADD_ALERT, err);
	}
	return run_from(s, QRY_STMT_ADD_ALERT, COUNT_OF(v) + 1, row->value + 1, row->count - 1,
			err);
}

/* --- captures */

static int begin_capture(struct qry_store *s, struct qry_row *row, struct error *err)
{
	struct qry_value v[] = {qry_int(s->run_id), {0}, qry_int(++s->capture_seq), row->value[0]};
	int rc = run(s, QRY_STMT_ADD_CAPTURE, row->value, 1, err);

	if (rc < 0)
		return rc;
	s->capture_id = sqlite3_last_insert_rowid(s->db);
	v[1] = qry_int(s->capture_id);
	rc = run(s, QRY_STMT_ADD_READING, v, COUNT_OF(v), err);
	if (rc < 0)
		return rc;
	s->run_capture_id = sqlite3_last_insert_rowid(s->db);
	s->alert_seq = 0;
	if (s->run_capture_id > QRY_READING_MAX)
		return error_set(err, ERR_LIMIT, "case '%s' is full: it holds %lld readings",
				 s->path, (long long)s->run_capture_id);
	return 0;
}

/* The case has this file already: let the reading point there. */
static int join_known_capture(struct qry_store *s, int64_t known, struct error *err)
{
	const struct qry_value to = qry_int(known), from = qry_int(s->capture_id);
	int rc = run_row(s, QRY_STMT_MOVE_READING, &to, 1, err);

	if (rc == 0)
		rc = run(s, QRY_STMT_DROP_CAPTURE, &from, 1, err);
	if (rc == 0)
		s->capture_id = known;
	return rc;
}

/* The row: END_READING's four parameters, then SET_CAPTURE's, SHA-256 first. */
static int end_capture(struct qry_store *s, struct qry_row *row, struct error *err)
{
	const struct qry_value *sha256 = &row->value[4];
	struct qry_value set[QRY_VALUES_MAX];
	int64_t known = 0;
	int rc = 0;

	if (sha256->kind == QRY_TEXT)
		rc = find(s, QRY_STMT_FIND_CAPTURE, sha256, &known, err);
	if (rc == 1 && known != s->capture_id)
		rc = join_known_capture(s, known, err);
	if (rc >= 0)
		rc = run_row(s, QRY_STMT_END_READING, row->value, 4, err);
	if (rc < 0)
		return rc;
	set[0] = qry_int(s->capture_id);
	set[1] = qry_int(s->run_capture_id);
	memcpy(set + 2, sha256, (row->count - 4) * sizeof(*set));
	rc = run(s, QRY_STMT_SET_CAPTURE, set, row->count - 2, err);
	s->capture_id = s->run_capture_id = 0;
	return rc == 0 ? qry_store_commit(s, err) : rc;
}

static int add_process(struct qry_store *s, struct qry_row *row, struct error *err)
{
	globalise(s, row, 0);
	globalise(s, row, 1);
	return run_row(s, QRY_STMT_ADD_PROCESS, row->value, row->count, err);
}

static int add_exec(struct qry_store *s, struct qry_row *row, struct error *err)
{
	globalise(s, row, 0);
	return run(s, QRY_STMT_ADD_EXEC, row->value, row->count, err);
}

static int end_process(struct qry_store *s, struct qry_row *row, struct error *err)
{
	int64_t key = row->value[0].i;
	int rc;

	globalise(s, row, 0);
	rc = run(s, QRY_STMT_END_PROCESS, row->value, row->count, err);
	if (rc == 0 && sqlite3_changes(s->db) == 0)
		return error_set(err, ERR_DB,
				 "case '%s': process %lld ends without having been started",
				 s->path, (long long)key);
	return rc;
}

static int finish_run(struct qry_store *s, struct qry_row *row, struct error *err)
{
	const struct qry_value v[] = {qry_int(s->run_id), row->value[0], row->value[1]};

	return run(s, QRY_STMT_FINISH_RUN, v, COUNT_OF(v), err);
}

static int apply(struct qry_store *s, struct qry_row *row, struct error *err)
{
	switch (row->op) {
	case QRY_OP_RULE_FILE:
		return add_rule_file(s, row, err);
	case QRY_OP_RULE:
		return add_rule(s, row, err);
	case QRY_OP_CAPTURE_BEGIN:
		return begin_capture(s, row, err);
	case QRY_OP_ALERT:
		return add_alert(s, row, err);
	case QRY_OP_PROCESS:
		return add_process(s, row, err);
	case QRY_OP_EXEC:
		return add_exec(s, row, err);
	case QRY_OP_PROCESS_END:
		return end_process(s, row, err);
	case QRY_OP_GAP:
		return run_row(s, QRY_STMT_ADD_DAMAGE, row->value, row->count, err);
	case QRY_OP_CAPTURE_END:
		return end_capture(s, row, err);
	case QRY_OP_FINISH:
		return finish_run(s, row, err);
	}
	return 0;
}

int qry_store_apply(struct qry_store *s, struct qry_row *row, struct error *err)
{
	int rc = begin(s, err);

	if (rc == 0)
		rc = apply(s, row, err);
	if (rc == 0 && ++s->pending >= QRY_BATCH_ROWS)
		rc = qry_store_commit(s, err);
	return rc;
}
