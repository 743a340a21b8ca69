/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter/lex.h"

#include "base/json.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool flt_is_word_byte(char c)
{
	return is_letter(c) || is_digit(c) || c == '_';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\b' || c == '\r' || c == '\n';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

struct flt_lexer flt_lex_start(struct sv text)
{
	return (struct flt_lexer){.text = text, .at = {.index = 0, .line = 1, .column = 1}};
}

struct sv flt_lex_rest(const struct flt_lexer *l)
{
	return sv_drop(l->text, l->at.index);
}

bool flt_lex_at_end(const struct flt_lexer *l)
{
	return l->at.index >= l->text.n;
}

static void advance(struct flt_lexer *l, size_t n)
{
	for (; n; n--) {
		char c = l->text.p[l->at.index++];

		if (c == '\n' || c == '\r') {
			l->at.line++;
			l->at.column = 1;
		} else {
			l->at.column++;
		}
	}
}

/* Consume the first @n bytes of the rest as a token; none: not there. */
static bool take(struct flt_lexer *l, size_t n, struct sv *out)
{
	if (!n)
		return false;
	*out = sv_make(l->text.p + l->at.index, n);
	advance(l, n);
	return true;
}

static size_t span(struct sv s, bool (*belongs)(char))
{
	size_t n = 0;

	while (n < s.n && belongs(s.p[n]))
		n++;
	return n;
}

bool flt_lex_blanks(struct flt_lexer *l)
{
	struct sv ignored;

	return take(l, span(flt_lex_rest(l), is_blank), &ignored);
}

bool flt_lex_spaces(struct flt_lexer *l)
{
	struct sv ignored;

	return take(l, span(flt_lex_rest(l), is_space), &ignored);
}

bool flt_lex_word(struct flt_lexer *l, const char *word)
{
	struct sv w = sv_of(word);

	if (!sv_starts(flt_lex_rest(l), w))
		return false;
	advance(l, w.n);
	return true;
}

static size_t identifier_length(struct sv s)
{
	return s.n && is_letter(s.p[0]) ? span(s, flt_is_word_byte) : 0;
}

bool flt_lex_identifier(struct flt_lexer *l, struct sv *out)
{
	return take(l, identifier_length(flt_lex_rest(l)), out);
}

bool flt_lex_field_name(struct flt_lexer *l, struct sv *out)
{
	struct sv s = flt_lex_rest(l);
	size_t n = identifier_length(s), segments = n ? 1 : 0;

	while (n && n < s.n && s.p[n] == '.') {
		size_t more = identifier_length(sv_drop(s, n + 1));

		if (!more)
			break;
		n += 1 + more;
		segments++;
	}
	return segments >= 2 && take(l, n, out);
}

/* The longest run of valid UTF-8 characters without spaces and without those in @excluded. */
static size_t characters(struct sv s, struct sv excluded)
{
	size_t n = 0;

	while (n < s.n) {
		bool ascii = (unsigned char)s.p[n] < 0x80;
		uint32_t cp;
		unsigned bad, len = ascii ? 1 : utf8_decode(sv_drop(s, n), &cp, &bad);

		if (!len || is_space(s.p[n]) || memchr(excluded.p, s.p[n], excluded.n))
			break;
		n += len;
	}
	return n;
}

bool flt_lex_bare_argument(struct flt_lexer *l, struct sv *out)
{
	return take(l, characters(flt_lex_rest(l), SV_LIT("[]\"'")), out);
}

bool flt_lex_bare(struct flt_lexer *l, struct sv *out)
{
	return take(l, characters(flt_lex_rest(l), SV_LIT("()\"'=,")), out);
}

bool flt_lex_hex(struct flt_lexer *l, struct sv *out)
{
	struct sv s = flt_lex_rest(l);
	size_t n = 2;

	if (s.n < 3 || s.p[0] != '0' || (s.p[1] != 'x' && s.p[1] != 'X'))
		return false;
	while (n < s.n && hex_value(s.p[n]) >= 0)
		n++;
	return n > 2 && take(l, n, out);
}

/* "e+5": the sign is mandatory, else the number ends before the "e". */
static size_t exponent_length(struct sv s)
{
	size_t n;

	if (s.n < 3 || (s.p[0] != 'e' && s.p[0] != 'E') || (s.p[1] != '+' && s.p[1] != '-'))
		return 0;
	n = span(sv_drop(s, 2), is_digit);
	return n ? 2 + n : 0;
}

bool flt_lex_number(struct flt_lexer *l, struct sv *out)
{
	struct sv s = flt_lex_rest(l);
	size_t sign = s.n && (s.p[0] == '+' || s.p[0] == '-');
	size_t n = sign + span(sv_drop(s, sign), is_digit);

	if (n == sign)
		return false;
	if (n < s.n && s.p[n] == '.')
		n += 1 + span(sv_drop(s, n + 1), is_digit);
	n += exponent_length(sv_drop(s, n));
	return take(l, n, out);
}

/*
 * The end of a quoted string is the first same quote whose previous byte is not a backslash, even
 * if that backslash is itself escaped: existing rules are written for this. Return: index of the
 * closing quote in @s, which starts with the opening one; 0: there is none.
 */
static size_t closing_quote(struct sv s)
{
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] == s.p[0] && s.p[i - 1] != '\\')
			return i;
	return 0;
}

/*
 * Decode the escape after a backslash at the start of @s.
 * Return: how many bytes it takes after the backslash; 0: not a valid escape.
 */
static size_t unescape_one(struct sv s, char quote, char *out)
{
	static const char letters[] = "bfnrt\\/", meanings[] = "\b\f\n\r\t\\/";
	const char *known = s.n && s.p[0] ? strchr(letters, s.p[0]) : NULL;
	int high, low;

	if (known) {
		*out = meanings[known - letters];
		return 1;
	}
	if (s.n && s.p[0] == quote) {
		*out = quote;
		return 1;
	}
	if (s.n && is_blank(s.p[0])) { /* a mistake that old rules contain: the blank vanishes */
		*out = '\\';
		return 1;
	}
	if (s.n < 3 || s.p[0] != 'x')
		return 0;
	high = hex_value(s.p[1]);
	low = hex_value(s.p[2]);
	if (high < 0 || low < 0)
		return 0;
	*out = (char)(high << 4 | low);
	return 3;
}

int flt_lex_quoted(struct flt_lexer *l, struct arena *arena, struct sv *out, struct error *err)
{
	struct sv s = flt_lex_rest(l);
	size_t end, n = 0;
	char *text;

	if (!s.n || (s.p[0] != '"' && s.p[0] != '\''))
		return 0;
	end = closing_quote(s);
	if (!end)
		return 0;
	text = arena_alloc(arena, end);
	if (!text)
		return error_nomem(err);
	for (size_t i = 1; i < end; i++) {
		size_t used;

		if (s.p[i] != '\\') {
			text[n++] = s.p[i];
			continue;
		}
		used = unescape_one(sv_make(s.p + i + 1, end - i - 1), s.p[0], &text[n]);
		if (!used) {
			advance(l, i);
			return error_set(err, ERR_SYNTAX,
					 "invalid escape sequence in a quoted string");
		}
		n++;
		i += used;
	}
	text[n] = '\0';
	advance(l, end + 1);
	*out = sv_make(text, n);
	return 1;
}

bool flt_is_identifier(struct sv text)
{
	return text.n && identifier_length(text) == text.n;
}

bool flt_is_bare(struct sv text)
{
	struct flt_lexer l = flt_lex_start(text);
	struct sv ignored;

	return flt_lex_bare(&l, &ignored) && flt_lex_at_end(&l);
}
