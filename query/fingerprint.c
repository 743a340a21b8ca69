/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What alerts have in common that tell of the same thing: the rule, and the fields of its output
 * without what differs from one time to the next. People give verdicts on fingerprints, so that
 * finding another text with the same one must be hard: a cryptographic hash.
 */
#include "query/internal.h"

#include <ctype.h>

#include "scapfile/stream.h"

#define DIGITS_MIN 4	  /* runs of so many digits are numbers of something: left out */
#define TEXT_MAX   65536u /* bytes of fields that count */

/* Is the field's value another one each time? */
static bool is_volatile(struct sv key)
{
	static const char *const words[] = {"time", "pid", "tid", "duration", "latency", "cport"};

	if (sv_starts(key, SV_LIT("evt.num")) || sv_starts(key, SV_LIT("evt.cpu")) ||
	    sv_starts(key, SV_LIT("container.id")) || sv_starts(key, SV_LIT("fd.num")) ||
	    sv_ends(key, SV_LIT(".ts")))
		return true;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (key.n && memmem(key.p, key.n, words[i], strlen(words[i])))
			return true;
	return false;
}

/* A string of JSON, from its quote on; without its quotes. */
static struct sv take_string(struct sv *left)
{
	struct sv s;
	size_t i = 1;

	while (i < left->n && left->p[i] != '"')
		i += left->p[i] == '\\' ? 2 : 1;
	if (i >= left->n) /* it has no end */
		i = left->n - 1;
	s = sv_make(left->p + 1, i ? i - 1 : 0);
	*left = sv_drop(*left, i + 1);
	return s;
}

/* A value up to the comma or brace behind it, as it stands. */
static struct sv take_value(struct sv *left)
{
	struct sv start = *left;
	int depth = 0;

	while (left->n) {
		char c = left->p[0];

		if (c == '"') {
			take_string(left);
			continue;
		}
		depth += c == '[' || c == '{';
		if (depth == 0 && (c == ',' || c == '}'))
			break;
		depth -= c == ']' || c == '}';
		*left = sv_drop(*left, 1);
	}
	return sv_make(start.p, start.n - left->n);
}

static void add_value(struct buf *b, struct sv v)
{
	for (size_t i = 0; i < v.n;) {
		size_t n = 0;

		while (i + n < v.n && isdigit((unsigned char)v.p[i + n]))
			n++;
		if (n >= DIGITS_MIN)
			buf_char(b, '#');
		else
			buf_add(b, v.p + i, n ? n : 1);
		i += n ? n : 1;
	}
}

static void add_fields(struct buf *b, struct sv left)
{
	while (left.n && b->len < TEXT_MAX) {
		struct sv key, value;

		if (left.p[0] != '"') {
			left = sv_drop(left, 1);
			continue;
		}
		key = take_string(&left);
		while (left.n && (left.p[0] == ':' || left.p[0] == ' '))
			left = sv_drop(left, 1);
		value = take_value(&left);
		if (is_volatile(key))
			continue;
		buf_char(b, '\n');
		buf_sv(b, key);
		buf_char(b, '=');
		add_value(b, value);
	}
}

int64_t qry_fingerprint(struct sv rule, struct sv fields)
{
	struct buf b = {0};
	uint8_t digest[32] = {0};
	uint64_t out = 0;

	buf_sv(&b, rule);
	add_fields(&b, fields);
	if (!b.failed && sf_hash_once(b.p, b.len, digest))
		for (unsigned i = 0; i < 8; i++)
			out = out << 8 | digest[i];
	buf_done(&b);
	return (int64_t)out;
}

static struct sv text_of(sqlite3_value *v)
{
	const unsigned char *p = sqlite3_value_text(v);

	return p ? sv_make((const char *)p, (size_t)sqlite3_value_bytes(v)) : SV_NONE;
}

static void in_sql(sqlite3_context *cx, int n, sqlite3_value **v)
{
	(void)n;
	sqlite3_result_int64(cx, qry_fingerprint(text_of(v[0]), text_of(v[1])));
}

int qry_fingerprint_register(sqlite3 *db)
{
	return sqlite3_create_function_v2(db, "scapula_fingerprint", 2,
					  SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
					  NULL, in_sql, NULL, NULL, NULL);
}
