/* SPDX-License-Identifier: Apache-2.0 */
/* The words of one SQL statement as SQLite divides it, without blanks and comments. */
#ifndef QUERY_TOKENS_H
#define QUERY_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/sv.h"

#define QRY_TOKENS_MAX 2000

enum qry_token_kind {
	QRY_WORD,
	QRY_QUOTED, /* "name", `name`, [name] */
	QRY_STRING, /* 'text', x'00' */
	QRY_NUMBER,
	QRY_PARAMETER, /* :name, @name, $name */
	QRY_SIGN,
};

struct qry_token {
	enum qry_token_kind kind;
	struct sv text;
};

struct qry_range { /* of tokens, @to excluded */
	size_t from, to;
};

struct qry_tokens {
	struct qry_token list[QRY_TOKENS_MAX];
	size_t count;
};

/* Return: false if @sql has something else, or more. */
bool qry_tokens_of(const char *sql, struct qry_tokens *out);
/* Is token @at that sign or, whatever the case, that word? Not if there is none. */
bool qry_token_is(const struct qry_tokens *t, size_t at, const char *text);
bool qry_tokens_equal(const struct qry_token *a, const struct qry_token *b);
/* A keyword of SQLite. */
bool qry_token_is_keyword(const struct qry_token *t);
/* The place of the parenthesis that closes the one at @at; @end if none does. */
size_t qry_token_closing(const struct qry_tokens *t, size_t at, size_t end);
/* Where the first comma outside of parentheses is, or @r.to. */
size_t qry_token_comma(const struct qry_tokens *t, struct qry_range r);
/* With a blank between any two. */
void qry_tokens_add(struct buf *to, const struct qry_tokens *t, struct qry_range r);

#endif
