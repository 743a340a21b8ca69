/* SPDX-License-Identifier: Apache-2.0 */
#include "query/tally_sql.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "base/buf.h"

#define OFFERED 4 /* tables that nobody has looked at yet; then the oldest is gone */

struct offer {
	struct qry_tally *tally; /* NULL: free */
	int64_t id;
};

struct qry_tallies {
	struct qry_tally *current;
	struct offer offers[OFFERED];
	int64_t last_id;
};

/* --- the aggregate */

static void step(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	struct qry_tallies *all = sqlite3_user_data(ctx);

	if (!all->current || !qry_tally_add(all->current, v, (unsigned)n))
		sqlite3_result_error(ctx, "these groups cannot be gathered without sorting", -1);
}

static void final(sqlite3_context *ctx)
{
	(void)ctx;
}

/* --- the table */

#define COLUMN_ID (QRY_TALLY_KEYS + QRY_TALLY_VALUES)

struct table {
	sqlite3_vtab base;
	struct qry_tallies *all;
};

struct cursor_row {
	sqlite3_vtab_cursor base;
	struct qry_tally *tally; /* its own; NULL: no rows */
	size_t at;
};

static int table_connect(sqlite3 *db, void *arg, int argc, const char *const *argv,
			 sqlite3_vtab **out, char **message)
{
	struct buf sql = {0};
	struct table *t;
	int rc;

	(void)argc, (void)argv, (void)message;
	buf_str(&sql, "CREATE TABLE x(");
	for (unsigned i = 0; i < QRY_TALLY_KEYS; i++)
		buf_addf(&sql, "_k%u, ", i);
	for (unsigned i = 0; i < QRY_TALLY_VALUES; i++)
		buf_addf(&sql, "_v%u, ", i);
	buf_str(&sql, "id HIDDEN)");
	rc = sql.failed ? SQLITE_NOMEM : sqlite3_declare_vtab(db, buf_cstr(&sql));
	buf_done(&sql);
	t = rc == SQLITE_OK ? sqlite3_malloc64(sizeof(*t)) : NULL;
	if (!t)
		return rc == SQLITE_OK ? SQLITE_NOMEM : rc;
	*t = (struct table){.all = arg};
	sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	*out = &t->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *v)
{
	sqlite3_free(v);
	return SQLITE_OK;
}

static int table_best_index(sqlite3_vtab *v, sqlite3_index_info *info)
{
	(void)v;
	for (int i = 0; i < info->nConstraint; i++) {
		if (info->aConstraint[i].iColumn != COLUMN_ID || !info->aConstraint[i].usable ||
		    info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		info->aConstraintUsage[i].argvIndex = 1;
		info->aConstraintUsage[i].omit = 1;
		info->estimatedRows = 100000;
		info->estimatedCost = 100000;
		return SQLITE_OK;
	}
	return SQLITE_CONSTRAINT;
}

static int cursor_open(sqlite3_vtab *v, sqlite3_vtab_cursor **out)
{
	struct cursor_row *c = sqlite3_malloc64(sizeof(*c));

	(void)v;
	if (!c)
		return SQLITE_NOMEM;
	*c = (struct cursor_row){0};
	*out = &c->base;
	return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
	struct cursor_row *c = (struct cursor_row *)(void *)base;

	qry_tally_free(c->tally);
	sqlite3_free(c);
	return SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int number, const char *text, int n,
			 sqlite3_value **v)
{
	struct cursor_row *c = (struct cursor_row *)(void *)base;
	struct offer *offers = ((struct table *)(void *)base->pVtab)->all->offers;
	int64_t id = n ? sqlite3_value_int64(v[0]) : 0;

	(void)number, (void)text;
	qry_tally_free(c->tally);
	c->tally = NULL;
	c->at = 0;
	for (unsigned i = 0; i < OFFERED; i++) {
		if (offers[i].tally && offers[i].id == id) {
			c->tally = offers[i].tally;
			offers[i].tally = NULL;
		}
	}
	return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
	((struct cursor_row *)(void *)base)->at++;
	return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
	const struct cursor_row *c = (const struct cursor_row *)(const void *)base;

	return !c->tally || c->at >= qry_tally_count(c->tally);
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int column)
{
	const struct cursor_row *c = (const struct cursor_row *)(const void *)base;

	if (column < QRY_TALLY_KEYS)
		qry_tally_give_key(c->tally, c->at, (unsigned)column, ctx);
	else
		qry_tally_give_value(c->tally, c->at, (unsigned)column - QRY_TALLY_KEYS, ctx);
	return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)((const struct cursor_row *)(const void *)base)->at;
	return SQLITE_OK;
}

static const sqlite3_module table_module = {
    .xConnect = table_connect,
    .xBestIndex = table_best_index,
    .xDisconnect = table_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_eof,
    .xColumn = cursor_column,
    .xRowid = cursor_rowid,
};

/* --- life */

static void tallies_free(void *arg)
{
	struct qry_tallies *all = arg;

	for (unsigned i = 0; i < OFFERED; i++)
		qry_tally_free(all->offers[i].tally);
	free(all);
}

int qry_tallies_register(sqlite3 *db, struct qry_tallies **out, struct error *err)
{
	struct qry_tallies *all = calloc(1, sizeof(*all));

	if (!all)
		return error_nomem(err);
	/* The connection owns it from here on, whether or not this succeeds. */
	if (sqlite3_create_module_v2(db, "scapula_tallied", &table_module, all, tallies_free) !=
		SQLITE_OK ||
	    sqlite3_create_function(db, "scapula_tally", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, all,
				    NULL, step, final) != SQLITE_OK)
		return error_set(err, ERR_DB, "%s", sqlite3_errmsg(db));
	*out = all;
	return 0;
}

void qry_tallies_direct(struct qry_tallies *all, struct qry_tally *t)
{
	all->current = t;
}

int64_t qry_tallies_offer_take(struct qry_tallies *all, struct qry_tally *t)
{
	struct offer *o = &all->offers[++all->last_id % OFFERED];

	qry_tally_free(o->tally);
	*o = (struct offer){t, all->last_id};
	return o->id;
}
