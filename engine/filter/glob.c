/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter/glob.h"

#include <stdint.h>

#include "base/defs.h"

static bool is_upper(unsigned char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(unsigned char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(unsigned char c)
{
	return is_upper(c) || is_lower(c);
}

static bool is_alnum(unsigned char c)
{
	return is_alpha(c) || is_digit(c);
}

static bool is_graph(unsigned char c)
{
	return c > ' ' && c < 0x7f;
}

static bool is_punct(unsigned char c)
{
	return is_graph(c) && !is_alnum(c);
}

static bool is_print(unsigned char c)
{
	return c == ' ' || is_graph(c);
}

static bool is_cntrl(unsigned char c)
{
	return c < ' ' || c == 0x7f;
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_xdigit(unsigned char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static const struct {
	const char *name;
	bool (*has)(unsigned char c);
} classes[] = {
    {"alnum", is_alnum}, {"alpha", is_alpha}, {"blank", is_blank}, {"cntrl", is_cntrl},
    {"digit", is_digit}, {"graph", is_graph}, {"lower", is_lower}, {"print", is_print},
    {"punct", is_punct}, {"space", is_space}, {"upper", is_upper}, {"xdigit", is_xdigit},
};

static unsigned char fold(unsigned char c, bool ignore_case)
{
	return ignore_case && is_upper(c) ? (unsigned char)(c | 0x20) : c;
}

/* "[:alpha:]" at the start of @s. Return: its length, 0 if it is none; *in tells whether @c belongs
 * to it. */
static size_t match_class(struct sv s, unsigned char c, bool *in)
{
	for (size_t i = 0; i < COUNT_OF(classes); i++) {
		struct sv name = sv_of(classes[i].name);

		if (s.n >= name.n + 4 && sv_starts(sv_drop(s, 2), name) &&
		    sv_starts(sv_drop(s, 2 + name.n), SV_LIT(":]"))) {
			*in = classes[i].has(c);
			return name.n + 4;
		}
	}
	return 0;
}

/*
 * One character of a bracket expression: itself, quoted by a backslash, or as "[.x.]" or "[=x=]".
 * Return: how many bytes it takes, 0 if the expression is malformed.
 */
static size_t bracket_char(struct sv s, unsigned char *out)
{
	if (!s.n)
		return 0;
	*out = (unsigned char)s.p[0];
	if (s.p[0] == '\\') {
		if (s.n < 2)
			return 0;
		*out = (unsigned char)s.p[1];
		return 2;
	}
	if (s.p[0] == '[' && s.n >= 5 && (s.p[1] == '.' || s.p[1] == '=') && s.p[3] == s.p[1] &&
	    s.p[4] == ']') {
		*out = (unsigned char)s.p[2];
		return 5;
	}
	return 1;
}

/*
 * A bracket expression; @s starts after the "[". Return: its length with the "]", or 0 if there is
 * no end: then the
 * "[" is an ordinary character.
 */
static size_t match_bracket(struct sv s, unsigned char c, bool ignore_case, bool *matches)
{
	bool negated = s.n && (s.p[0] == '!' || s.p[0] == '^'), found = false;
	unsigned char folded = fold(c, ignore_case);
	size_t first = negated ? 1 : 0, at = first;

	while (at < s.n && (s.p[at] != ']' || at == first)) {
		unsigned char low, high;
		bool in = false;
		size_t used = 0;

		if (s.p[at] == '[' && at + 1 < s.n && s.p[at + 1] == ':')
			used = match_class(sv_drop(s, at), c, &in);
		if (used) {
			at += used;
			found |= in;
			continue;
		}
		used = bracket_char(sv_drop(s, at), &low);
		if (!used)
			return 0;
		at += used;
		high = low;
		if (at + 1 < s.n && s.p[at] == '-' && s.p[at + 1] != ']') {
			used = bracket_char(sv_drop(s, at + 1), &high);
			if (!used)
				return 0;
			at += 1 + used;
		}
		found |= fold(low, ignore_case) <= folded && folded <= fold(high, ignore_case);
	}
	if (at >= s.n)
		return 0;
	*matches = found != negated;
	return at + 1;
}

/*
 * Match one character @c with the pattern element at the start of @s, which is not "*".
 * Return: the element's length, or 0 if it does not match.
 */
static size_t match_one(struct sv s, unsigned char c, bool ignore_case)
{
	unsigned char want = (unsigned char)s.p[0];
	size_t used = 1;

	if (want == '?')
		return 1;
	if (want == '[') {
		bool matches;
		size_t n = match_bracket(sv_drop(s, 1), c, ignore_case, &matches);

		if (n)
			return matches ? 1 + n : 0;
	}
	if (want == '\\') {
		if (s.n < 2)
			return 0;
		want = (unsigned char)s.p[1];
		used = 2;
	}
	return fold(want, ignore_case) == fold(c, ignore_case) ? used : 0;
}

static bool is_plain(char c)
{
	return c != '*' && c != '?' && c != '[' && c != '\\';
}

struct sv flt_glob_beginning(struct sv pattern)
{
	size_t n = 0;

	while (n < pattern.n && is_plain(pattern.p[n]))
		n++;
	return sv_make(pattern.p, n);
}

/* Where in @text, from @at on, the rest of the pattern behind a "*" may begin. */
static size_t find_start(struct sv rest, struct sv text, size_t at, bool ignore_case)
{
	const char *found;

	if (ignore_case || !rest.n || !is_plain(rest.p[0]) || at >= text.n)
		return at;
	found = memchr(text.p + at, rest.p[0], text.n - at);
	return found ? (size_t)(found - text.p) : text.n;
}

bool flt_glob_matches(struct sv pattern, struct sv text, bool ignore_case)
{
	/* After a mismatch only the last "*" needs to take one more character. */
	size_t p = 0, t = 0, star = SIZE_MAX, star_text = 0;

	/* Most texts differ before the first special character. */
	for (; p < pattern.n && t < text.n && is_plain(pattern.p[p]); p++, t++)
		if (fold((unsigned char)pattern.p[p], ignore_case) !=
		    fold((unsigned char)text.p[t], ignore_case))
			return false;
	while (t < text.n) {
		size_t used;

		if (p < pattern.n && pattern.p[p] == '*') {
			star = ++p;
			t = star_text = find_start(sv_drop(pattern, p), text, t, ignore_case);
			continue;
		}
		used = p < pattern.n
			   ? match_one(sv_drop(pattern, p), (unsigned char)text.p[t], ignore_case)
			   : 0;
		if (used) {
			p += used;
			t++;
		} else if (star != SIZE_MAX) {
			p = star;
			t = star_text =
			    find_start(sv_drop(pattern, p), text, star_text + 1, ignore_case);
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

bool flt_glob_is_pattern(struct sv text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '*' || text.p[i] == '?' || text.p[i] == '[')
			return true;
	return false;
}
