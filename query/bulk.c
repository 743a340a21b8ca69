/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queued rows as a table, queued_rows, for the kinds that come in numbers: one statement takes many
 * of one kind, which costs half of what one for each does. Column v0 is a row's first value. The
 * table is there for the statement that is run from here, and nobody else.
 */
#include <stdlib.h>

#include "query/internal.h"

struct table {
	sqlite3_vtab base;
	struct qry_store *store; /* not owned */
};

static struct qry_store *store_of(sqlite3_vtab_cursor *c)
{
	return ((struct table *)c->pVtab)->store;
}

static int table_connect(sqlite3 *db, void *store, int argc, const char *const *argv,
			 sqlite3_vtab **out, char **msg)
{
	struct table *t;
	char sql[32 + 8 * QRY_VALUES_MAX] = "CREATE TABLE x (v0";
	size_t n = strlen(sql);
	int rc;

	(void)argc;
	(void)argv;
	(void)msg;
	for (int i = 1; i < QRY_VALUES_MAX; i++, n = strlen(sql))
		sqlite3_snprintf((int)(sizeof(sql) - n), sql + n, ", v%d", i);
	sqlite3_snprintf((int)(sizeof(sql) - n), sql + n, ")");
	rc = sqlite3_declare_vtab(db, sql);
	if (rc != SQLITE_OK)
		return rc;
	t = calloc(1, sizeof(*t));
	if (!t)
		return SQLITE_NOMEM;
	t->store = store;
	*out = &t->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *t)
{
	free(t);
	return SQLITE_OK;
}

static int table_plan(sqlite3_vtab *t, sqlite3_index_info *plan)
{
	(void)t;
	plan->estimatedRows = QRY_BULK_ROWS;
	return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
	(void)t;
	*out = calloc(1, sizeof(**out));
	return *out ? SQLITE_OK : SQLITE_NOMEM;
}

static int cursor_close(sqlite3_vtab_cursor *c)
{
	free(c);
	return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *c)
{
	struct qry_store *s = store_of(c);
	struct qry_bulk *b = &s->bulk;
	int rc = 0;

	do {
		b->over = !b->from || b->taken == QRY_BULK_ROWS || !b->from->left;
		if (b->over)
			return SQLITE_OK;
		qry_row_decode(qry_rows_next(b->from), &b->row);
		b->taken++;
		rc = qry_store_complete(s, &b->row, &b->error);
	} while (rc == 0);
	b->failed = rc < 0 ? rc : 0;
	return rc < 0 ? SQLITE_ERROR : SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *c, int how, const char *text, int argc,
			 sqlite3_value **argv)
{
	(void)how;
	(void)text;
	(void)argc;
	(void)argv;
	return cursor_next(c);
}

static int cursor_eof(sqlite3_vtab_cursor *c)
{
	return store_of(c)->bulk.over;
}

static int text_column(struct qry_store *s, sqlite3_context *cx, struct sv text)
{
	struct sv clean = qry_clean_text(text, &s->scratch);

	if (s->scratch.failed)
		return SQLITE_NOMEM;
	sqlite3_result_text(cx, clean.p, (int)clean.n,
			    clean.p == text.p ? SQLITE_STATIC : SQLITE_TRANSIENT);
	return SQLITE_OK;
}

static int cursor_column(sqlite3_vtab_cursor *c, sqlite3_context *cx, int i)
{
	struct qry_store *s = store_of(c);
	const struct qry_row *row = &s->bulk.row;

	if ((unsigned)i >= row->count)
		return SQLITE_OK;
	switch (row->value[i].kind) {
	case QRY_INT:
		sqlite3_result_int64(cx, row->value[i].i);
		break;
	case QRY_KEY:
	case QRY_ID:
		sqlite3_result_int64(cx, qry_store_process_id(s, row->value[i].i));
		break;
	case QRY_TEXT:
	case QRY_JSON:
		return text_column(s, cx, row->value[i].s);
	case QRY_NULL:
		break;
	}
	return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *c, sqlite3_int64 *out)
{
	*out = store_of(c)->bulk.taken;
	return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = table_connect,
    .xBestIndex = table_plan,
    .xDisconnect = table_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_eof,
    .xColumn = cursor_column,
    .xRowid = cursor_rowid,
};

int qry_bulk_register(struct qry_store *s)
{
	return sqlite3_create_module(s->db, "queued_rows", &module, s);
}

int qry_bulk_run(struct qry_store *s, unsigned which, struct qry_rows *rows, unsigned *taken,
		 struct error *err)
{
	struct qry_bulk *b = &s->bulk;
	int rc;

	b->from = rows;
	b->taken = 0;
	b->failed = 0;
	rc = qry_store_run(s, which, NULL, 0, err);
	b->from = NULL;
	*taken = b->taken;
	if (!b->failed)
		return rc;
	*err = b->error;
	return b->failed;
}
