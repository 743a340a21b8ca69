/* SPDX-License-Identifier: Apache-2.0 */
#include "query/json_field.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/sv.h"

static const char too_large[] = "9223372036854775807"; /* and more digits are, too */

enum outcome {
	ODD, /* whatever it is, SQLite knows */
	MISSING,
	FOUND,
};

struct original { /* SQLite's own operator */
	sqlite3 *db;
	sqlite3_stmt *stmt;
};

/* --- reading */

struct text {
	const char *p, *end;
};

static bool take(struct text *t, char c)
{
	if (t->p == t->end || *t->p != c)
		return false;
	t->p++;
	return true;
}

static void skip_blank(struct text *t)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\t' || *t->p == '\n' || *t->p == '\r'))
		t->p++;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Behind the first quote, to behind the last. */
static bool skip_string(struct text *t, bool *escapes)
{
	for (*escapes = false; t->p < t->end && (unsigned char)*t->p >= ' '; t->p++) {
		if (*t->p == '"')
			return take(t, '"');
		if (*t->p != '\\')
			continue;
		*escapes = true;
		/* \u has digits, which only SQLite looks at. */
		if (++t->p == t->end || !*t->p || !strchr("\"\\/bfnrt", *t->p))
			return false;
	}
	return false;
}

/* What follows a number tells whether it was one: a comma, or the end. */
static bool skip_integer(struct text *t)
{
	bool negative = take(t, '-');
	const char *digits = t->p;
	size_t n;

	while (t->p < t->end && is_digit(*t->p))
		t->p++;
	n = (size_t)(t->p - digits);
	return n && (*digits != '0' || (n == 1 && !negative));
}

/* Are these the digits of a number that is whole for SQLite? */
static bool fits(struct sv v)
{
	const size_t most = sizeof(too_large) - 1, sign = v.p[0] == '-', n = v.n - sign;

	return n < most || (n == most && memcmp(v.p + sign, too_large, most) < 0);
}

static bool skip_word(struct text *t, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(t->end - t->p) < n || memcmp(t->p, word, n) != 0)
		return false;
	t->p += n;
	return true;
}

/* No object and no list. */
static bool skip_value(struct text *t, bool *escapes)
{
	*escapes = false;
	if (take(t, '"'))
		return skip_string(t, escapes);
	return skip_integer(t) || skip_word(t, "null") || skip_word(t, "true") ||
	       skip_word(t, "false");
}

/* "name": value. @value: the text of the value, with quotes. */
static enum outcome take_member(struct text *t, struct sv name, struct sv *value)
{
	const char *from;
	bool escapes, same;

	if (!take(t, '"'))
		return ODD;
	from = t->p;
	if (!skip_string(t, &escapes) || escapes)
		return ODD;
	same = sv_eq(sv_make(from, (size_t)(t->p - 1 - from)), name);
	skip_blank(t);
	if (!take(t, ':'))
		return ODD;
	skip_blank(t);
	from = t->p;
	if (!skip_value(t, &escapes))
		return ODD;
	*value = sv_make(from, (size_t)(t->p - from));
	if (!same)
		return MISSING;
	return escapes || ((*from == '-' || is_digit(*from)) && !fits(*value)) ? ODD : FOUND;
}

/* The first member @name of the object @json, all of which is looked at: it may be faulty. */
static enum outcome find_member(struct sv json, struct sv name, struct sv *value)
{
	struct text t = {json.p, json.p + json.n};
	enum outcome found = MISSING, one;
	struct sv v;

	skip_blank(&t);
	if (!take(&t, '{'))
		return ODD;
	do {
		skip_blank(&t);
		one = take_member(&t, name, &v);
		if (one == ODD)
			return ODD;
		if (one == FOUND && found == MISSING) {
			found = FOUND;
			*value = v;
		}
		skip_blank(&t);
	} while (take(&t, ','));
	if (!take(&t, '}'))
		return ODD;
	skip_blank(&t);
	return t.p == t.end ? found : ODD;
}

/* --- the path: NAME, $.NAME or $."NAME" */

static bool is_plain(struct sv name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!(name.p[i] == '_' || (name.p[i] >= 'a' && name.p[i] <= 'z') ||
		      (name.p[i] >= 'A' && name.p[i] <= 'Z') || (i && is_digit(name.p[i]))))
			return false;
	return name.n > 0;
}

/* Return: false if it is another. */
static bool name_of_path(struct sv path, struct sv *name)
{
	bool quoted = path.n > 4 && memcmp(path.p, "$.\"", 3) == 0 && path.p[path.n - 1] == '"';
	size_t skip = path.n > 2 && memcmp(path.p, "$.", 2) == 0 ? 2 : 0;

	if (!quoted) {
		*name = sv_make(path.p + skip, path.n - skip);
		return is_plain(*name);
	}
	*name = sv_make(path.p + 3, path.n - 4);
	return !memchr(name->p, '"', name->n) && !memchr(name->p, '\\', name->n) &&
	       !memchr(name->p, '\0', name->n);
}

/* --- the function */

static void give(sqlite3_context *ctx, struct sv v)
{
	sqlite3_int64 n = 0;

	switch (v.p[0]) {
	case '"':
		sqlite3_result_text(ctx, v.p + 1, (int)v.n - 2, SQLITE_TRANSIENT);
		break;
	case 'n':
		break;
	case 't':
	case 'f':
		sqlite3_result_int(ctx, v.p[0] == 't');
		break;
	default:
		for (size_t i = v.p[0] == '-'; i < v.n; i++)
			n = 10 * n + (v.p[i] - '0');
		sqlite3_result_int64(ctx, v.p[0] == '-' ? -n : n);
		break;
	}
}

static int open_original(struct original *o)
{
	int rc = SQLITE_OK;

	if (!o->db)
		rc = sqlite3_open_v2(":memory:", &o->db,
				     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(o->db, "SELECT ?1 ->> ?2", -1, &o->stmt, NULL);
	return rc;
}

static void ask_original(sqlite3_context *ctx, struct original *o, sqlite3_value **v)
{
	int rc = o->stmt ? SQLITE_OK : open_original(o);

	for (int i = 0; i < 2 && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_value(o->stmt, i + 1, v[i]);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(o->stmt);
	if (rc == SQLITE_ROW)
		sqlite3_result_value(ctx, sqlite3_column_value(o->stmt, 0));
	else if (rc == SQLITE_ERROR)
		sqlite3_result_error(ctx, sqlite3_errmsg(o->db), -1);
	else
		sqlite3_result_error_code(ctx, rc);
	if (o->stmt) {
		sqlite3_reset(o->stmt);
		sqlite3_clear_bindings(o->stmt);
	}
}

/* Not through sqlite3_value_text(), which would copy it for the NUL. */
static struct sv text_of(sqlite3_value *v)
{
	const char *p = sqlite3_value_blob(v);

	return sv_make(p ? p : "", p ? (size_t)sqlite3_value_bytes(v) : 0);
}

static void extract(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	struct sv name, value;
	enum outcome found = ODD;

	(void)n;
	if (sqlite3_value_type(v[0]) == SQLITE_TEXT && sqlite3_value_type(v[1]) == SQLITE_TEXT &&
	    name_of_path(text_of(v[1]), &name))
		found = find_member(text_of(v[0]), name, &value);
	if (found == FOUND)
		give(ctx, value);
	else if (found == ODD)
		ask_original(ctx, sqlite3_user_data(ctx), v);
}

static void original_free(void *arg)
{
	struct original *o = arg;

	sqlite3_finalize(o->stmt);
	sqlite3_close(o->db);
	free(o);
}

int qry_json_field_register(sqlite3 *db, struct error *err)
{
	struct original *o = calloc(1, sizeof(*o));

	if (!o)
		return error_nomem(err);
	/* What it is owns it, whether or not this succeeds. */
	if (sqlite3_create_function_v2(db, "->>", 2,
				       SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, o,
				       extract, NULL, NULL, original_free) != SQLITE_OK)
		return error_set(err, ERR_DB, "%s", sqlite3_errmsg(db));
	return 0;
}
