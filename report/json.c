/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in rows of a case: flat objects and arrays, read member by member. */
#include "base/json.h"

#include <string.h>

#include "report/report.h"

#define DEPTH_MAX 64 /* of values in values */

static void skip_blanks(struct sv *s)
{
	while (s->n && memchr(" \t\r\n", s->p[0], 4))
		*s = sv_drop(*s, 1);
}

static bool take(struct sv *s, char c)
{
	skip_blanks(s);
	if (!s->n || s->p[0] != c)
		return false;
	*s = sv_drop(*s, 1);
	return true;
}

/* --- strings */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex4(struct sv *s, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		int digit = s->n ? hex_digit(s->p[0]) : -1;

		if (digit < 0)
			return false;
		*out = *out << 4 | (uint32_t)digit;
		*s = sv_drop(*s, 1);
	}
	return true;
}

static void add_utf8(struct buf *b, uint32_t cp)
{
	if (cp < 0x80) {
		buf_char(b, (char)cp);
	} else if (cp < 0x800) {
		buf_char(b, (char)(0xc0 | cp >> 6));
		buf_char(b, (char)(0x80 | (cp & 0x3f)));
	} else if (cp < 0x10000) {
		buf_char(b, (char)(0xe0 | cp >> 12));
		buf_char(b, (char)(0x80 | (cp >> 6 & 0x3f)));
		buf_char(b, (char)(0x80 | (cp & 0x3f)));
	} else {
		buf_char(b, (char)(0xf0 | cp >> 18));
		buf_char(b, (char)(0x80 | (cp >> 12 & 0x3f)));
		buf_char(b, (char)(0x80 | (cp >> 6 & 0x3f)));
		buf_char(b, (char)(0x80 | (cp & 0x3f)));
	}
}

/* What follows "\u"; two of them make a character above U+FFFF, one half alone is U+FFFD. */
static bool take_unicode(struct sv *s, struct buf *b)
{
	uint32_t high, low;
	struct sv after;

	if (!take_hex4(s, &high))
		return false;
	after = *s;
	if (high >= 0xd800 && high < 0xdc00 && sv_starts(after, SV_LIT("\\u"))) {
		after = sv_drop(after, 2);
		if (take_hex4(&after, &low) && low >= 0xdc00 && low < 0xe000) {
			*s = after;
			add_utf8(b, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
			return true;
		}
	}
	add_utf8(b, high >= 0xd800 && high < 0xe000 ? 0xfffd : high);
	return true;
}

static bool take_escape(struct sv *s, struct buf *b)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	char c;

	if (!s->n)
		return false;
	c = s->p[0];
	*s = sv_drop(*s, 1);
	if (c == 'u')
		return take_unicode(s, b);
	at = memchr(from, c, sizeof(from) - 1);
	if (at)
		buf_char(b, to[at - from]);
	return at != NULL;
}

/* A string, its opening quotation mark included. */
static bool take_string(struct sv *s, struct buf *b)
{
	buf_reset(b);
	if (!take(s, '"'))
		return false;
	while (s->n) {
		size_t n = 0;

		while (n < s->n && s->p[n] != '"' && s->p[n] != '\\')
			n++;
		buf_add(b, s->p, n);
		*s = sv_drop(*s, n);
		if (!s->n)
			return false;
		*s = sv_drop(*s, 1);
		if (s->p[-1] == '"')
			return !b->failed;
		if (!take_escape(s, b))
			return false;
	}
	return false;
}

/* --- other values */

static size_t digits(struct sv s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

/* As the grammar has it, so that a number may be passed on as it stands. */
static bool take_number(struct sv *s)
{
	struct sv t = *s;
	size_t n;

	if (t.n && t.p[0] == '-')
		t = sv_drop(t, 1);
	n = digits(t);
	if (!n || (n > 1 && t.p[0] == '0'))
		return false;
	t = sv_drop(t, n);
	if (t.n && t.p[0] == '.') {
		n = digits(sv_drop(t, 1));
		if (!n)
			return false;
		t = sv_drop(t, n + 1);
	}
	if (t.n && (t.p[0] | 0x20) == 'e') {
		t = sv_drop(t, 1);
		if (t.n && (t.p[0] == '+' || t.p[0] == '-'))
			t = sv_drop(t, 1);
		n = digits(t);
		if (!n)
			return false;
		t = sv_drop(t, n);
	}
	*s = t;
	return true;
}

static bool take_word(struct sv *s, const char *word)
{
	if (!sv_starts(*s, sv_of(word)))
		return false;
	*s = sv_drop(*s, strlen(word));
	return true;
}

/* An object or array as it stands: up to the bracket that closes it. */
static bool take_nested(struct sv *s)
{
	unsigned depth = 0;
	bool quoted = false;

	while (s->n) {
		char c = s->p[0];

		*s = sv_drop(*s, 1);
		if (quoted && c == '\\')
			*s = sv_drop(*s, 1);
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']'))
			depth--;
		if (!quoted && depth == 0)
			return true;
		if (depth > DEPTH_MAX)
			return false;
	}
	return false;
}

static bool take_value(struct rep_json *j)
{
	struct sv start;
	bool ok;

	skip_blanks(&j->rest);
	start = j->rest;
	if (!start.n)
		return false;
	if (start.p[0] == '"') {
		j->kind = REP_JSON_STRING;
		ok = take_string(&j->rest, &j->value_text);
		j->value = sv_make(j->value_text.p ? j->value_text.p : "", j->value_text.len);
		return ok;
	}
	if (start.p[0] == '{' || start.p[0] == '[') {
		j->kind = REP_JSON_OTHER;
		ok = take_nested(&j->rest);
	} else if (take_word(&j->rest, "null")) {
		j->kind = REP_JSON_NULL;
		ok = true;
	} else if (take_word(&j->rest, "true") || take_word(&j->rest, "false")) {
		j->kind = REP_JSON_BOOL;
		ok = true;
	} else {
		j->kind = REP_JSON_NUMBER;
		ok = take_number(&j->rest);
	}
	j->value = sv_make(start.p, (size_t)(j->rest.p - start.p));
	return ok;
}

/* --- walking */

void rep_json_open(struct rep_json *j, struct sv text)
{
	memset(j, 0, sizeof(*j));
	j->rest = text;
	j->object = take(&j->rest, '{');
	if (!j->object && !take(&j->rest, '['))
		j->rest = SV_NONE;
}

/* Is what is left the bracket that ends it, and blanks? */
static bool take_end(struct rep_json *j)
{
	if (!take(&j->rest, j->object ? '}' : ']'))
		return false;
	skip_blanks(&j->rest);
	j->whole = j->rest.n == 0;
	return true;
}

bool rep_json_next(struct rep_json *j)
{
	bool ok = j->rest.n && !take_end(j) && (!j->begun || take(&j->rest, ','));

	if (ok && j->object) {
		ok = take_string(&j->rest, &j->name_text) && take(&j->rest, ':');
		j->name = sv_make(j->name_text.p ? j->name_text.p : "", j->name_text.len);
	}
	if (ok)
		ok = take_value(j);
	j->begun = true;
	if (!ok)
		j->rest = SV_NONE;
	return ok;
}

void rep_json_done(struct rep_json *j)
{
	buf_done(&j->name_text);
	buf_done(&j->value_text);
}

bool rep_json_find(struct sv text, const char *name, struct buf *scratch, struct sv *out)
{
	struct rep_json j;
	bool found = false;

	rep_json_open(&j, text);
	while (!found && j.object && rep_json_next(&j))
		found =
		    sv_is(j.name, name) && (j.kind == REP_JSON_STRING || j.kind == REP_JSON_NUMBER);
	if (found) {
		buf_reset(scratch);
		buf_sv(scratch, j.value);
		*out = sv_make(scratch->p ? scratch->p : "", scratch->len);
	}
	rep_json_done(&j);
	return found && !scratch->failed;
}
