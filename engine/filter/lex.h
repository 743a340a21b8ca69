/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of conditions (docs/conditions.md, "Tokens"). A lexer is a position in a text; each
 * function consumes one token if it is there, and a copy of the lexer is all that is needed to come
 * back. Tokens are views into the text; only quoted strings are unescaped into an arena.
 */
#ifndef ENGINE_FILTER_LEX_H
#define ENGINE_FILTER_LEX_H

#include "engine/filter/ast.h"

struct flt_lexer {
	struct sv text;
	struct flt_pos at;
};

struct flt_lexer flt_lex_start(struct sv text);
/* What has not been consumed yet. */
struct sv flt_lex_rest(const struct flt_lexer *l);
bool flt_lex_at_end(const struct flt_lexer *l);

bool flt_is_word_byte(char c); /* letter, digit or "_" */

/* One or more blanks: space, TAB, BS, CR, LF. */
bool flt_lex_blanks(struct flt_lexer *l);
/* One or more of what ends a bare value: space, TAB, LF, VT, FF, CR. */
bool flt_lex_spaces(struct flt_lexer *l);
/* Exactly @word, whatever follows. */
bool flt_lex_word(struct flt_lexer *l, const char *word);
bool flt_lex_identifier(struct flt_lexer *l, struct sv *out);
bool flt_lex_field_name(struct flt_lexer *l, struct sv *out);
bool flt_lex_bare_argument(struct flt_lexer *l, struct sv *out);
bool flt_lex_hex(struct flt_lexer *l, struct sv *out);
bool flt_lex_number(struct flt_lexer *l, struct sv *out);
bool flt_lex_bare(struct flt_lexer *l, struct sv *out);
/* Return: 1 with the unescaped text, 0 if this is no quoted string, ERR_SYNTAX for a bad escape,
 * ERR_NOMEM. */
MUST_CHECK int flt_lex_quoted(struct flt_lexer *l, struct arena *arena, struct sv *out,
			      struct error *err);

#endif
