/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applies queued rows to the case: prepared statements only, many rows to a transaction, and of
 * some kinds many to a statement (bulk.c). Rows point at the reading (run_captures) rather than at
 * the capture, because which capture it is shows only at its end, with the SHA-256: then one row is
 * redirected instead of all.
 */
#include "query/internal.h"

#include <stdlib.h>

#include "base/clock.h"

static const struct {
	const char *doing, *sql;
} statements[QRY_STMT_COUNT] = {
#define STMT(sym, doing, sql) [QRY_STMT_##sym] = {doing, sql},
#include "query/statements.def"
#undef STMT
#define FACT(sym, doing, sql) [QRY_STMT_FACTS + QRY_FACT_##sym] = {doing, sql},
#include "query/facts.def"
#undef FACT
};

static int fail(struct qry_store *s, int rc, unsigned which, struct error *err)
{
	return qry_db_error(s->db, s->path, rc, statements[which].doing, err);
}

int64_t qry_store_process_id(const struct qry_store *s, int64_t key)
{
	return key + (s->run_capture_id << 32);
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
	case QRY_KEY:
	case QRY_ID:
		return sqlite3_bind_int64(stmt, at, qry_store_process_id(s, v->i));
	case QRY_TEXT:
	case QRY_JSON:
		return bind_text(s, stmt, at, v->s);
	case QRY_NULL:
		break;
	}
	return sqlite3_bind_null(stmt, at);
}

/* Bind @n values from parameter @first on, those before it are bound; run to completion. */
static int run_from(struct qry_store *s, unsigned which, int first, const struct qry_value *v,
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

int qry_store_run(struct qry_store *s, unsigned which, const struct qry_value *v, unsigned n,
		  struct error *err)
{
	return run_from(s, which, 1, v, n, err);
}

/* As run(), with the reading's id in front. */
static int run_row(struct qry_store *s, unsigned which, const struct qry_value *v, unsigned n,
		   struct error *err)
{
	int rc = sqlite3_bind_int64(s->stmt[which], 1, s->run_capture_id);

	return rc == SQLITE_OK ? run_from(s, which, 2, v, n, err) : fail(s, rc, which, err);
}

/* --- which processes there are: SQLite would look up each one that a row refers to */

static int note_started(struct qry_store *s, int64_t key, struct error *err)
{
	size_t at = (size_t)key / 64, cap = s->started_cap ? s->started_cap : 64;
	uint64_t *p;

	while (cap <= at)
		cap *= 2;
	if (cap > s->started_cap) {
		p = reallocarray(s->started, cap, sizeof(*p));
		if (!p)
			return error_nomem(err);
		memset(p + s->started_cap, 0, (cap - s->started_cap) * sizeof(*p));
		s->started = p;
		s->started_cap = cap;
	}
	s->started[at] |= 1ull << (key % 64);
	return 0;
}

static int expect_started(const struct qry_store *s, const struct qry_value *key, struct error *err)
{
	size_t at = (size_t)key->i / 64;

	if (key->kind == QRY_NULL)
		return 0;
	if (LIKELY(at < s->started_cap && s->started[at] >> (key->i % 64) & 1))
		return 0;
	return error_set(err, ERR_DB,
			 "case '%s': a row refers to process %lld, which was not started", s->path,
			 (long long)key->i);
}

static int expect_all_started(const struct qry_store *s, const struct qry_row *row,
			      struct error *err)
{
	for (unsigned i = 0; i < row->count; i++)
		if (row->value[i].kind == QRY_KEY && expect_started(s, &row->value[i], err) < 0)
			return ERR_DB;
	return 0;
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
	rc = qry_store_run(s, QRY_STMT_BEGIN, NULL, 0, err);
	if (rc == 0) {
		s->in_transaction = true;
		s->began = clock_ns(CLOCK_MONOTONIC);
	}
	return rc;
}

static int count_wal_pages(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct qry_store *s = arg;

	(void)db;
	(void)name;
	s->wal_pages = pages;
	return SQLITE_OK;
}

/* Bring what is committed from the log, if it is longer than @most, to its place; what others still
 * read from it stays there for the next time. */
static int checkpoint(struct qry_store *s, int most, struct error *err)
{
	int rc;

	if (s->wal_pages <= most)
		return 0;
	s->wal_pages = 0;
	rc = sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return rc == SQLITE_OK || rc == SQLITE_BUSY
		   ? 0
		   : qry_db_error(s->db, s->path, rc, "bringing what is committed to its place",
				  err);
}

int qry_store_commit(struct qry_store *s, struct error *err)
{
	int rc;

	if (!s->in_transaction)
		return 0;
	rc = qry_counts_store(s, err);
	if (rc == 0)
		rc = qry_store_run(s, QRY_STMT_COMMIT, NULL, 0, err);
	if (rc < 0)
		return rc;
	s->in_transaction = false;
	s->pending = 0;
	return checkpoint(s, QRY_WAL_MOST, err);
}

int qry_store_use_pause(struct qry_store *s, struct error *err)
{
	int rc;

	/* The run's end is near: who is killed before it should not leave a reading that is done.
	 */
	if (!s->run_capture_id)
		return 0;
	rc = s->pending >= QRY_BATCH_PAUSE ? qry_store_commit(s, err) : 0;
	return rc < 0 || s->in_transaction ? rc : checkpoint(s, QRY_WAL_PAUSE, err);
}

static int add_run(struct qry_store *s, const struct qry_run *r, struct error *err)
{
	char owner[QRY_OWNER_MAX];
	struct qry_value v[] = {
	    qry_text(sv_of(r->version ? r->version : "")),
	    qry_text(sv_of(r->command ? r->command : "")),
	    qry_text(sv_of(r->matching ? r->matching : "")),
	    qry_u64(r->started_ts),
	    {0},
	};
	int rc = begin(s, err);

	qry_owner_self(owner);
	v[4] = qry_text_known(sv_of(owner));
	if (rc == 0)
		rc = qry_store_run(s, QRY_STMT_ADD_RUN, v, COUNT_OF(v), err);
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
	sqlite3_wal_hook(db, count_wal_pages, s);
	rc = qry_bulk_register(s);
	if (rc != SQLITE_OK) {
		rc = qry_db_error(db, path, rc, "setting up", err);
		goto out;
	}
	for (int i = 0; i < QRY_STMT_COUNT; i++) {
		rc = sqlite3_prepare_v3(db, statements[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
					&s->stmt[i], NULL);
		if (rc != SQLITE_OK) {
			rc = fail(s, rc, (unsigned)i, err);
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
	qry_counts_done(s);
	free(s->rules);
	free(s->started);
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

/* The first index that has the rule of @index, which is added. */
static size_t first_same(const struct qry_store *s, size_t index)
{
	size_t i = 0;

	while (s->rules[i].rule_id != s->rules[index].rule_id)
		i++;
	return i;
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
		rc = qry_store_run(s, QRY_STMT_ADD_RULE, digest, row->count - 4, err);
	if (rc == 0)
		rc = find(s, QRY_STMT_FIND_RULE, digest, &id, err);
	if (rc < 0)
		return rc;
	rc = qry_counts_rule(s, &s->rules[index], err);
	if (rc < 0)
		return rc;
	s->rules[index] = (struct qry_rule_ref){
	    .rule_id = id, .priority = (int)priority->i, .same = index, .evt_num = -1};
	for (size_t i = 0; i < s->rule_cap; i++)
		if (s->rules[i].rule_id && s->rules[i].same == index)
			s->rules[i].same = first_same(s, i);
	used[2] = qry_int(id);
	return qry_store_run(s, QRY_STMT_ADD_RUN_RULE, used, COUNT_OF(used), err);
}

static int add_rule_file(struct qry_store *s, struct qry_row *row, struct error *err)
{
	const struct qry_value v[] = {qry_int(s->run_id), qry_int(++s->rule_file_seq),
				      row->value[0], row->value[1], row->value[2]};

	const struct qry_value text[] = {row->value[1], row->value[3]};
	int rc = qry_store_run(s, QRY_STMT_ADD_RULE_FILE, v, COUNT_OF(v), err);

	return rc < 0 || text[1].kind == QRY_NULL
		   ? rc
		   : qry_store_run(s, QRY_STMT_ADD_RULE_TEXT, text, COUNT_OF(text), err);
}

/* The row's value @at is a process's number in the reading, or NULL; make it the one in the case.
 */
static void globalise(const struct qry_store *s, struct qry_row *row, unsigned at)
{
	if (row->value[at].kind == QRY_INT)
		row->value[at].i += s->run_capture_id << 32;
}

/*
 * The row: index of the rule in the run, then columns of ADD_ALERTS. An event comes once, with all
 * rules that match it, two of which may be the same.
 */
static int complete_alert(struct qry_store *s, struct qry_row *row, struct error *err)
{
	struct qry_value *v = row->value;
	struct qry_rule_ref *rule = &s->rules[v[0].i], *same = &s->rules[rule->same];
	int rc = expect_started(s, &v[7], err);

	if (rc < 0)
		return rc;
	if (same->evt_num == v[3].i && same->evt_offset == v[4].i)
		return 0;
	same->evt_num = v[3].i;
	same->evt_offset = v[4].i;
	globalise(s, row, 7);
	v[0] = qry_int(rule->rule_id);
	v[11] = qry_int(s->run_capture_id);
	v[12] = qry_int(++s->alert_seq);
	v[13] = qry_int(rule->priority);
	row->count = 14;
	return qry_counts_add(s, rule, v[1].i, v[2].i) < 0 ? error_nomem(err) : 1;
}

int qry_store_complete(struct qry_store *s, struct qry_row *row, struct error *err)
{
	if (row->op == QRY_OP_ALERT)
		return complete_alert(s, row, err);
	if (row->op != QRY_OP_FACTS + QRY_FACT_FILE)
		row->value[row->count++] = qry_int(s->run_capture_id);
	return expect_all_started(s, row, err) < 0 ? ERR_DB : 1;
}

/* --- captures */

/* Return: 0 with @id of the capture that has this quick_id, or 0. */
static int known_by_ends(struct qry_store *s, const struct qry_value *quick_id, int64_t *id,
			 struct error *err)
{
	int rc = 0;

	*id = 0;
	if (quick_id->kind == QRY_TEXT)
		rc = find(s, QRY_STMT_FIND_BY_ENDS, quick_id, id, err);
	return rc < 0 ? rc : 0;
}

/* What a run that was killed left of the capture: reading it again gives all of it. */
static int drop_abandoned(struct qry_store *s, struct error *err)
{
	const struct qry_value capture = qry_int(s->capture_id);
	int64_t id = 0, last = 0;
	int rc;

	for (;;) {
		sqlite3_stmt *stmt = s->stmt[QRY_STMT_NEXT_UNFINISHED];

		sqlite3_bind_int64(stmt, 2, last);
		rc = find(s, QRY_STMT_NEXT_UNFINISHED, &capture, &id, err);
		if (rc <= 0)
			return rc;
		rc = qry_reading_is_abandoned(s->db, s->path, id, err);
		if (rc > 0)
			rc = qry_reading_drop(s->db, s->path, id, err);
		if (rc < 0)
			return rc;
		last = id;
	}
}

/* The row: path, then what ADD_CAPTURE takes, quick_id first. */
static int begin_capture(struct qry_store *s, struct qry_row *row, struct error *err)
{
	const struct qry_value *path = &row->value[0];
	struct qry_value v[] = {qry_int(s->run_id), {0}, qry_int(++s->capture_seq), *path};
	int rc = known_by_ends(s, &row->value[1], &s->capture_id, err);

	if (rc == 0 && s->capture_id)
		rc = drop_abandoned(s, err);
	else if (rc == 0)
		rc = qry_store_run(s, QRY_STMT_ADD_CAPTURE, row->value, row->count, err);
	if (rc < 0)
		return rc;
	if (!s->capture_id)
		s->capture_id = sqlite3_last_insert_rowid(s->db);
	v[1] = qry_int(s->capture_id);
	rc = qry_store_run(s, QRY_STMT_ADD_READING, v, COUNT_OF(v), err);
	if (rc < 0)
		return rc;
	s->run_capture_id = sqlite3_last_insert_rowid(s->db);
	s->alert_seq = 0;
	for (size_t i = 0; i < s->rule_cap; i++)
		s->rules[i].evt_num = -1;
	if (s->started_cap)
		memset(s->started, 0, s->started_cap * sizeof(*s->started));
	if (s->run_capture_id > QRY_READING_MAX)
		return error_set(err, ERR_LIMIT, "case '%s' is full: it holds %lld readings",
				 s->path, (long long)s->run_capture_id);
	v[0] = qry_int(s->capture_id);
	return run_row(s, QRY_STMT_SHOW_FIRST_READING, v, 1, err);
}

/* The reading is of another capture than its row's: of @known, or of none the case has (0). */
static int move_reading(struct qry_store *s, int64_t known, struct error *err)
{
	struct qry_value from = qry_int(s->capture_id), to;
	int rc = 0;

	if (!known) {
		rc = run_row(s, QRY_STMT_COPY_CAPTURE, NULL, 0, err);
		known = sqlite3_last_insert_rowid(s->db);
	}
	to = qry_int(known);
	if (rc == 0)
		rc = run_row(s, QRY_STMT_MOVE_READING, &to, 1, err);
	if (rc == 0)
		rc = run_row(s, QRY_STMT_UNSHOW_READING, &from, 1, err);
	if (rc == 0)
		rc = qry_store_run(s, QRY_STMT_DROP_CAPTURE, &from, 1, err);
	if (rc == 0)
		s->capture_id = known;
	return rc;
}

/* Which row of captures the reading is of, now that the hash is known. */
static int settle_identity(struct qry_store *s, const struct qry_value *sha256, struct error *err)
{
	const struct qry_value own = qry_int(s->capture_id);
	int64_t known = 0, other = 0;
	int rc;

	if (sha256->kind != QRY_TEXT)
		return 0;
	rc = find(s, QRY_STMT_FIND_CAPTURE, sha256, &known, err);
	if (rc < 0 || known == s->capture_id)
		return rc < 0 ? rc : 0;
	if (!known) {
		rc = find(s, QRY_STMT_HAS_OTHER_HASH, &own, &other, err);
		if (rc <= 0)
			return rc;
	}
	return move_reading(s, known, err);
}

/* Alerts that an earlier reading of the capture had already. */
static int mark_repeats(struct qry_store *s, struct error *err)
{
	const struct qry_value capture = qry_int(s->capture_id);
	int64_t other = 0;
	int rc;

	sqlite3_bind_int64(s->stmt[QRY_STMT_HAS_OTHER_READING], 2, s->run_capture_id);
	rc = find(s, QRY_STMT_HAS_OTHER_READING, &capture, &other, err);
	if (rc <= 0)
		return rc;
	rc = qry_counts_store(s, err);
	if (rc == 0)
		rc = run_row(s, QRY_STMT_MARK_REPEATS, &capture, 1, err);
	if (rc == 0)
		rc = run_row(s, QRY_STMT_COUNT_REPEATS, NULL, 0, err);
	return rc < 0 ? rc : run_row(s, QRY_STMT_GROUP_REPEATS, NULL, 0, err);
}

/* The row: END_READING's four parameters, then SET_CAPTURE's, SHA-256 first. */
static int end_capture(struct qry_store *s, struct qry_row *row, struct error *err)
{
	const struct qry_value *sha256 = &row->value[4];
	struct qry_value set[QRY_VALUES_MAX], capture;
	int rc = settle_identity(s, sha256, err);

	if (rc == 0)
		rc = run_row(s, QRY_STMT_END_READING, row->value, 4, err);
	if (rc == 0)
		rc = mark_repeats(s, err);
	if (rc < 0)
		return rc;
	set[0] = qry_int(s->capture_id);
	set[1] = qry_int(s->run_capture_id);
	memcpy(set + 2, sha256, (row->count - 4) * sizeof(*set));
	rc = qry_store_run(s, QRY_STMT_SET_CAPTURE, set, row->count - 2, err);
	capture = qry_int(s->capture_id);
	if (rc == 0)
		rc = qry_store_run(s, QRY_STMT_SHOW_READING, &capture, 1, err);
	if (rc == 0)
		rc = qry_counts_store(s, err);
	s->capture_id = s->run_capture_id = 0;
	return rc;
}

static int add_process(struct qry_store *s, struct qry_row *row, struct error *err)
{
	int rc = note_started(s, row->value[0].i, err);

	if (rc < 0)
		return rc;
	globalise(s, row, 0);
	globalise(s, row, 1);
	return run_row(s, QRY_STMT_ADD_PROCESS, row->value, row->count, err);
}

static int add_exec(struct qry_store *s, struct qry_row *row, struct error *err)
{
	int rc = expect_started(s, &row->value[0], err);

	if (rc < 0)
		return rc;
	globalise(s, row, 0);
	return qry_store_run(s, QRY_STMT_ADD_EXEC, row->value, row->count, err);
}

static int end_process(struct qry_store *s, struct qry_row *row, struct error *err)
{
	int64_t key = row->value[0].i;
	int rc;

	globalise(s, row, 0);
	rc = qry_store_run(s, QRY_STMT_END_PROCESS, row->value, row->count, err);
	if (rc == 0 && sqlite3_changes(s->db) == 0)
		return error_set(err, ERR_DB,
				 "case '%s': process %lld ends without having been started",
				 s->path, (long long)key);
	return rc;
}

static int add_fact(struct qry_store *s, struct qry_row *row, struct error *err)
{
	int rc = expect_all_started(s, row, err);

	return rc < 0 ? rc
		      : run_row(s, QRY_STMT_FACTS + (row->op - QRY_OP_FACTS), row->value,
				row->count, err);
}

static int finish_run(struct qry_store *s, struct qry_row *row, struct error *err)
{
	const struct qry_value v[] = {qry_int(s->run_id), row->value[0], row->value[1]};

	return qry_store_run(s, QRY_STMT_FINISH_RUN, v, COUNT_OF(v), err);
}

static int apply(struct qry_store *s, struct qry_row *row, struct error *err)
{
	if (row->op >= QRY_OP_FACTS)
		return add_fact(s, row, err);
	switch (row->op) {
	case QRY_OP_RULE_FILE:
		return add_rule_file(s, row, err);
	case QRY_OP_RULE:
		return add_rule(s, row, err);
	case QRY_OP_CAPTURE_BEGIN:
		return begin_capture(s, row, err);
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
	case QRY_OP_ALERT: /* always in bulk */
	case QRY_OP_FACTS:
	case QRY_OPS:
		break;
	}
	return error_set(err, ERR_DB, "%s: a row of kind %d cannot be stored alone", s->path,
			 (int)row->op);
}

/* Large transactions write a page once that many rows change; but rows should be seen soon. */
static bool is_due(const struct qry_store *s)
{
	return s->pending >= QRY_BATCH_ROWS ||
	       (s->pending >= QRY_BATCH_LEAST &&
		clock_ns(CLOCK_MONOTONIC) >= s->began + QRY_BATCH_MS * 1000000ull);
}

int qry_store_pace(struct qry_store *s, struct error *err)
{
	return s->in_transaction && is_due(s) ? qry_store_commit(s, err) : 0;
}

int qry_store_apply(struct qry_store *s, struct qry_row *row, struct error *err)
{
	int rc = 0;

	/* A capture's end is committed with the run's, or with its own transaction. */
	if (row->op == QRY_OP_CAPTURE_BEGIN)
		rc = qry_store_commit(s, err);
	if (rc == 0)
		rc = begin(s, err);
	if (rc == 0)
		rc = apply(s, row, err);
	s->pending += rc == 0;
	return rc;
}

/* Which statement takes many rows of kind @op at a time; QRY_STMT_COUNT: none. */
static unsigned bulk_statement(enum qry_op op)
{
	switch ((unsigned)op) {
	case QRY_OP_ALERT:
		return QRY_STMT_ADD_ALERTS;
	case QRY_OP_FACTS + QRY_FACT_FILE:
	case QRY_OP_FACTS + QRY_FACT_FILE_CHANGE:
	case QRY_OP_FACTS + QRY_FACT_CONNECTION:
		return QRY_STMT_FACTS + (op - QRY_OP_FACTS);
	default:
		return QRY_STMT_COUNT;
	}
}

static int apply_many(struct qry_store *s, unsigned which, struct qry_rows *rows, struct error *err)
{
	unsigned taken;
	int rc = begin(s, err);

	/* Not while the statement runs. */
	if (rc == 0 && s->groups.count + QRY_BULK_ROWS > QRY_GROUPS_MAX)
		rc = qry_counts_store(s, err);
	if (rc == 0)
		rc = qry_bulk_run(s, which, rows, &taken, err);
	s->pending += rc == 0 ? taken : 0;
	return rc;
}

int qry_store_take(struct qry_store *s, enum qry_op op, struct qry_rows *rows, struct error *err)
{
	unsigned which = bulk_statement(op);
	struct qry_row row;

	if (which < QRY_STMT_COUNT)
		return apply_many(s, which, rows, err);
	qry_row_decode(qry_rows_next(rows), &row);
	return qry_store_apply(s, &row, err);
}
