/* SPDX-License-Identifier: Apache-2.0 */
#include "query/tokens.h"

#include <sqlite3.h>
#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_of_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       c == '$' || (unsigned char)c >= 0x80;
}

/* Behind blanks and comments. */
static const char *skip(const char *p)
{
	for (;;) {
		const char *from = p;

		while (is_space(*p))
			p++;
		if (p[0] == '-' && p[1] == '-') {
			p += strcspn(p, "\n");
		} else if (p[0] == '/' && p[1] == '*') {
			const char *end = strstr(p + 2, "*/");

			p = end ? end + 2 : p + strlen(p);
		}
		if (p == from)
			return p;
	}
}

/* Behind what begins with the quote at @p; NULL: it does not end. */
static const char *behind_quote(const char *p)
{
	char end = *p == '[' ? ']' : *p;

	for (p++; *p; p++) {
		if (*p != end)
			continue;
		if (end == ']' || p[1] != end)
			return p + 1;
		p++;
	}
	return NULL;
}

static const char *behind_number(const char *p)
{
	bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');

	for (;; p++) {
		bool exponent =
		    !hex && (p[0] == 'e' || p[0] == 'E') && (p[1] == '+' || p[1] == '-');

		if (exponent)
			p++;
		else if (!is_of_word(*p) && *p != '.')
			return p;
	}
}

static const char *behind_sign(const char *p)
{
	static const char *const longer[] = {"->>", "->", "||", "<<", ">>",
					     "<=",  ">=", "==", "!=", "<>"};

	for (size_t i = 0; i < COUNT_OF(longer); i++)
		if (strncmp(p, longer[i], strlen(longer[i])) == 0)
			return p + strlen(longer[i]);
	return p + 1;
}

/* Return: behind the token, or NULL. */
static const char *take(const char *p, enum qry_token_kind *kind)
{
	if ((*p == 'x' || *p == 'X') && p[1] == '\'') {
		*kind = QRY_STRING;
		return behind_quote(p + 1);
	}
	if (*p == '\'') {
		*kind = QRY_STRING;
		return behind_quote(p);
	}
	if (*p == '"' || *p == '`' || *p == '[') {
		*kind = QRY_QUOTED;
		return behind_quote(p);
	}
	if (is_digit(*p) || (*p == '.' && is_digit(p[1]))) {
		*kind = QRY_NUMBER;
		return behind_number(p);
	}
	if (strchr(":@$", *p) && is_of_word(p[1])) {
		*kind = QRY_PARAMETER;
		p++;
	} else if (is_of_word(*p)) {
		*kind = QRY_WORD;
	} else {
		*kind = QRY_SIGN;
		return strchr("?#:@", *p) ? NULL : behind_sign(p);
	}
	while (is_of_word(*p))
		p++;
	return p;
}

bool qry_tokens_of(const char *sql, struct qry_tokens *out)
{
	out->count = 0;
	for (const char *p = skip(sql), *end; *p; p = skip(end)) {
		enum qry_token_kind kind;

		end = take(p, &kind);
		if (!end || out->count == QRY_TOKENS_MAX)
			return false;
		out->list[out->count++] = (struct qry_token){kind, sv_make(p, (size_t)(end - p))};
	}
	return true;
}

bool qry_token_is(const struct qry_tokens *t, size_t at, const char *text)
{
	const struct qry_token *k = &t->list[at];

	return at < t->count && (k->kind == QRY_WORD || k->kind == QRY_SIGN) &&
	       k->text.n == strlen(text) && sqlite3_strnicmp(k->text.p, text, (int)k->text.n) == 0;
}

bool qry_tokens_equal(const struct qry_token *a, const struct qry_token *b)
{
	if (a->kind != b->kind || a->text.n != b->text.n)
		return false;
	return a->kind == QRY_WORD ? sqlite3_strnicmp(a->text.p, b->text.p, (int)a->text.n) == 0
				   : memcmp(a->text.p, b->text.p, a->text.n) == 0;
}

bool qry_token_is_keyword(const struct qry_token *t)
{
	return t->kind == QRY_WORD && sqlite3_keyword_check(t->text.p, (int)t->text.n);
}

size_t qry_token_closing(const struct qry_tokens *t, size_t at, size_t end)
{
	unsigned depth = 0;

	for (; at < end; at++) {
		if (qry_token_is(t, at, "("))
			depth++;
		else if (qry_token_is(t, at, ")") && --depth == 0)
			return at;
	}
	return end;
}

size_t qry_token_comma(const struct qry_tokens *t, struct qry_range r)
{
	for (; r.from < r.to && !qry_token_is(t, r.from, ","); r.from++)
		if (qry_token_is(t, r.from, "("))
			r.from = qry_token_closing(t, r.from, r.to - 1);
	return r.from;
}

void qry_tokens_add(struct buf *to, const struct qry_tokens *t, struct qry_range r)
{
	for (; r.from < r.to; r.from++) {
		buf_sv(to, t->list[r.from].text);
		buf_char(to, ' ');
	}
}
