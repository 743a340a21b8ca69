/* SPDX-License-Identifier: Apache-2.0 */
/* The methods SQLite calls: what all tables have in common. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sqlext/internal.h"

/* Put what went wrong where SQLite finds it. Return: SQLITE_*. */
static int fail(sqlite3_vtab *base, const struct error *err)
{
	if (err->code == ERR_NOMEM)
		return SQLITE_NOMEM;
	if (err->code == ERR_INTERRUPTED)
		return SQLITE_INTERRUPT;
	sqlite3_free(base->zErrMsg);
	base->zErrMsg = sqlite3_mprintf("%s", err->msg);
	return SQLITE_ERROR;
}

/* --- connecting --- */

/* An argument of CREATE VIRTUAL TABLE without its quotes; NULL when out of memory. */
static const char *unquoted(struct arena *a, struct sv s)
{
	char *out = arena_strndup(a, s.p, s.n), *to = out, quote;

	if (!out || s.n < 2 || (s.p[0] != '\'' && s.p[0] != '"') || s.p[s.n - 1] != s.p[0])
		return out;
	quote = s.p[0];
	for (size_t i = 1; i + 1 < s.n; i++) {
		*to++ = s.p[i];
		if (s.p[i] == quote && s.p[i + 1] == quote && i + 2 < s.n)
			i++;
	}
	*to = '\0';
	return out;
}

static struct sv trimmed(struct sv s)
{
	while (s.n && isspace((unsigned char)s.p[0]))
		s = sv_drop(s, 1);
	while (s.n && isspace((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

/* "field = TEXT"; false: it is no such argument. */
static bool is_field_argument(struct sv *s)
{
	struct sv rest;

	if (!sv_starts(*s, SV_LIT("field")))
		return false;
	rest = trimmed(sv_drop(*s, strlen("field")));
	if (!rest.n || rest.p[0] != '=')
		return false;
	*s = trimmed(sv_drop(rest, 1));
	return true;
}

struct arguments {
	const char *fields[VTAB_FIELDS_MAX];
	size_t field_count;
};

static int take_arguments(struct vtab_table *t, struct arguments *args, int argc,
			  const char *const *argv, struct error *err)
{
	if (argc > VTAB_CAPTURES_MAX + VTAB_FIELDS_MAX)
		return error_set(err, ERR_LIMIT, "over %d arguments",
				 VTAB_CAPTURES_MAX + VTAB_FIELDS_MAX);
	t->captures = arena_zalloc(&t->arena, (size_t)argc + 1, sizeof(*t->captures));
	for (int i = 3; t->captures && i < argc; i++) {
		struct sv s = trimmed(sv_of(argv[i]));
		bool field = is_field_argument(&s);
		const char *text = unquoted(&t->arena, s);

		if (!text)
			return error_nomem(err);
		if (!*text)
			return error_set(err, ERR_USAGE, "argument %d is empty", i - 2);
		if (!field)
			t->captures[t->capture_count++] = text;
		else if (args->field_count < VTAB_FIELDS_MAX)
			args->fields[args->field_count++] = text;
		else
			return error_set(err, ERR_LIMIT, "over %d fields", VTAB_FIELDS_MAX);
	}
	return t->captures ? 0 : error_nomem(err);
}

static void table_free(struct vtab_table *t)
{
	vtab_set_done(&t->told);
	vtab_set_done(&t->all);
	arena_done(&t->arena);
	sqlite3_free(t);
}

static int make_table(struct vtab_table *t, sqlite3 *db, int argc, const char *const *argv,
		      struct error *err)
{
	int most = sqlite3_limit(db, SQLITE_LIMIT_COLUMN, -1);
	struct arguments args = {.field_count = 0};
	struct buf schema = {0};
	int rc;

	rc = take_arguments(t, &args, argc, argv, err);
	if (rc == 0)
		rc = vtab_columns_make(t, args.fields, args.field_count, (size_t)most, err);
	if (rc < 0)
		return rc;
	vtab_columns_declare(t, &schema);
	if (schema.failed)
		rc = error_nomem(err);
	else if (sqlite3_declare_vtab(db, buf_cstr(&schema)) != SQLITE_OK)
		rc = error_set(err, ERR_DB, "%s", sqlite3_errmsg(db));
	buf_done(&schema);
	return rc;
}

static int on_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out,
		      char **message)
{
	struct vtab_table *t = sqlite3_malloc64(sizeof(*t));
	struct error err = {0};
	int rc;

	if (!t)
		return SQLITE_NOMEM;
	*t = (struct vtab_table){.module = aux};
	rc = make_table(t, db, argc, argv, &err);
	if (rc < 0) {
		table_free(t);
		*message = sqlite3_mprintf("%s", err.msg);
		return rc == ERR_NOMEM ? SQLITE_NOMEM : SQLITE_ERROR;
	}
	if (!t->capture_count) /* views and triggers of a database from elsewhere name no files */
		(void)sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	*out = &t->base;
	return SQLITE_OK;
}

static int on_disconnect(sqlite3_vtab *base)
{
	table_free((struct vtab_table *)base);
	return SQLITE_OK;
}

/* --- cursors --- */

static int on_open(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
	const struct vtab_table *t = (struct vtab_table *)base;
	struct vtab_cursor *c = sqlite3_malloc64(sizeof(*c));

	if (!c)
		return SQLITE_NOMEM;
	*c = (struct vtab_cursor){.eof = true, .rows = calloc(1, t->module->rows->size)};
	if (!c->rows) {
		sqlite3_free(c);
		return SQLITE_NOMEM;
	}
	*out = &c->base;
	return SQLITE_OK;
}

static void forget(struct vtab_cursor *c)
{
	vtab_table_of(c)->module->rows->done(c);
	flt_ctx_free(c->values);
	c->values = NULL;
	c->path = NULL;
}

static int on_close(sqlite3_vtab_cursor *base)
{
	struct vtab_cursor *c = (struct vtab_cursor *)base;

	forget(c);
	vtab_request_done(&c->q);
	free(c->rows);
	sqlite3_free(c);
	return SQLITE_OK;
}

/* The next capture that is asked for; NULL: there is none. */
static const char *next_capture(struct vtab_cursor *c)
{
	const struct vtab_table *t = vtab_table_of(c);

	if (!t->capture_count)
		return c->capture++ ? NULL : c->q.capture;
	while (c->capture < t->capture_count) {
		const char *path = t->captures[c->capture++];

		if (!c->q.capture || strcmp(path, c->q.capture) == 0)
			return path;
	}
	return NULL;
}

static int next_row(struct vtab_cursor *c)
{
	const struct vtab_rows *rows = vtab_table_of(c)->module->rows;
	struct error err;
	int rc = 0;

	err.code = 0; /* clearing all of it would cost more than finding a row */
	err.msg[0] = '\0';
	while (rc == 0) {
		if (c->path)
			rc = rows->next(c, &err);
		if (rc != 0)
			break;
		forget(c);
		c->path = next_capture(c);
		if (!c->path) {
			c->eof = true;
			return SQLITE_OK;
		}
		rc = rows->begin(c, &err);
	}
	return rc > 0 ? SQLITE_OK : fail(c->base.pVtab, &err);
}

static int on_filter(sqlite3_vtab_cursor *base, int number, const char *plan, int argc,
		     sqlite3_value **argv)
{
	struct vtab_cursor *c = (struct vtab_cursor *)base;
	struct vtab_table *t = vtab_table_of(c);
	struct error err = {0};
	int rc;

	forget(c);
	vtab_request_done(&c->q);
	c->capture = 0;
	c->eof = true;
	rc = vtab_set_get(t, number & VTAB_PLAN_ALL, &c->set, &err);
	if (rc == 0)
		rc = vtab_request_read(&c->q, t, plan, argv, argc, &err);
	if (rc < 0)
		return fail(base->pVtab, &err);
	c->q.no_fields = number & VTAB_PLAN_NO_FIELDS;
	if (c->q.nothing)
		return SQLITE_OK;
	c->eof = false;
	return next_row(c);
}

static int on_next(sqlite3_vtab_cursor *base)
{
	return next_row((struct vtab_cursor *)base);
}

static int on_eof(sqlite3_vtab_cursor *base)
{
	return ((struct vtab_cursor *)base)->eof;
}

/* --- values --- */

/* How many of the first bytes are plain ASCII; a few less, maybe. */
static size_t ascii_prefix(struct sv s)
{
	size_t n = 0;

	for (uint64_t word; n + sizeof(word) <= s.n; n += sizeof(word)) {
		memcpy(&word, s.p + n, sizeof(word));
		if (word & 0x8080808080808080u)
			return n;
	}
	while (n < s.n && (unsigned char)s.p[n] < 0x80)
		n++;
	return n;
}

void vtab_result_text(sqlite3_context *out, struct sv text)
{
	struct buf valid = {0};
	struct sv s = text.n ? sv_drop(text, ascii_prefix(text)) : text;
	bool whole = true;

	while (s.n) {
		uint32_t cp;
		unsigned bad, n = utf8_decode(s, &cp, &bad);

		if (!n && whole) {
			whole = false;
			buf_add(&valid, text.p, text.n - s.n);
		}
		if (!n)
			buf_lit(&valid, "\xef\xbf\xbd");
		else if (!whole)
			buf_add(&valid, s.p, n);
		s = sv_drop(s, n ? n : bad);
	}
	if (valid.failed)
		sqlite3_result_error_nomem(out);
	else if (whole)
		sqlite3_result_text64(out, text.n ? text.p : "", text.n, SQLITE_TRANSIENT,
				      SQLITE_UTF8);
	else
		sqlite3_result_text64(out, valid.p, valid.len, SQLITE_TRANSIENT, SQLITE_UTF8);
	buf_done(&valid);
}

void vtab_result_u64(sqlite3_context *out, uint64_t u)
{
	char text[24];

	if (u <= INT64_MAX) {
		sqlite3_result_int64(out, (sqlite3_int64)u);
		return;
	}
	sqlite3_snprintf(sizeof(text), text, "%llu", u);
	sqlite3_result_text(out, text, -1, SQLITE_TRANSIENT);
}

static void field_text(sqlite3_context *out, enum vtab_kind kind, struct sv text)
{
	if ((kind == VTAB_FIELD_NA && (!text.n || sv_is(text, "<NA>"))) ||
	    (kind == VTAB_ERRNAME && sv_is(text, "SUCCESS")))
		return;
	vtab_result_text(out, text);
}

void vtab_result_field(struct vtab_cursor *c, sqlite3_context *out, int column)
{
	enum vtab_kind kind = vtab_table_of(c)->columns[column].kind;
	const struct flt_column *value = c->set->values[column];
	struct flt_cell cell;

	if (!value)
		return;
	flt_column_get(c->values, value, &cell);
	switch (cell.kind) {
	case FLT_CELL_NONE:
		return;
	case FLT_CELL_SIGNED:
		if (cell.i || kind != VTAB_FIELD_0)
			sqlite3_result_int64(out, cell.i);
		return;
	case FLT_CELL_UNSIGNED:
		if (cell.u || kind != VTAB_FIELD_0)
			vtab_result_u64(out, cell.u);
		return;
	case FLT_CELL_REAL:
		sqlite3_result_double(out, cell.d);
		return;
	case FLT_CELL_TEXT:
		field_text(out, kind, cell.text);
		return;
	case FLT_CELL_BYTES:
		sqlite3_result_blob64(out, cell.text.n ? cell.text.p : "", cell.text.n,
				      SQLITE_TRANSIENT);
		return;
	}
}

static int on_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column)
{
	struct vtab_cursor *c = (struct vtab_cursor *)base;

	switch (vtab_table_of(c)->columns[column].kind) {
	case VTAB_CAPTURE:
		sqlite3_result_text(out, c->path, -1, SQLITE_TRANSIENT);
		break;
	case VTAB_FILTER:
		if (c->q.filter)
			sqlite3_result_text(out, c->q.filter, -1, SQLITE_TRANSIENT);
		break;
	default:
		vtab_table_of(c)->module->rows->column(c, out, column);
	}
	return SQLITE_OK;
}

static int on_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
	const struct vtab_cursor *c = (struct vtab_cursor *)base;

	*out = vtab_table_of(c)->module->rows->rowid(c) + (int64_t)(c->capture - 1) * (1ll << 48);
	return SQLITE_OK;
}

const sqlite3_module vtab_sqlite_module = {
    .iVersion = 0,
    .xCreate = on_connect, /* the same: the modules are table-valued functions, too */
    .xConnect = on_connect,
    .xBestIndex = vtab_best_index,
    .xDisconnect = on_disconnect,
    .xDestroy = on_disconnect,
    .xOpen = on_open,
    .xClose = on_close,
    .xFilter = on_filter,
    .xNext = on_next,
    .xEof = on_eof,
    .xColumn = on_column,
    .xRowid = on_rowid,
};
