/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter/compare.h"

#include "base/json.h"
#include "engine/filter/glob.h"
#include "engine/filter/pmatch.h"
#include "engine/filter/regex.h"

#define SHORT_TEXT_MAX 256

/* --- numbers --- */

#define NUMBER_COMPARISONS(name, member)                                                           \
	COMPARISON(name##_eq, v->member == c->value.member)                                        \
	COMPARISON(name##_ne, v->member != c->value.member)                                        \
	COMPARISON(name##_lt, v->member < c->value.member)                                         \
	COMPARISON(name##_le, v->member <= c->value.member)                                        \
	COMPARISON(name##_gt, v->member > c->value.member)                                         \
	COMPARISON(name##_ge, v->member >= c->value.member)

#define COMPARISON(name, result)                                                                   \
	static bool name(struct flt_ctx *cx, const struct flt_datum *v, const struct flt_const *c) \
	{                                                                                          \
		(void)cx;                                                                          \
		return result;                                                                     \
	}

NUMBER_COMPARISONS(signed, i)
NUMBER_COMPARISONS(unsigned, u)
NUMBER_COMPARISONS(double, d)

/* --- texts --- */

/* The value up to its first NUL. */
static struct sv c_text(const struct flt_datum *v)
{
	return sv_make(v->p, v->n ? strnlen(v->p, v->n) : 0);
}

static struct sv sv_of_datum(const struct flt_datum *v)
{
	return sv_make(v->p, v->n);
}

/* Most values differ in the first byte already. */
static bool starts_with(const struct flt_datum *v, struct sv prefix)
{
	if (v->n < prefix.n)
		return false;
	return !prefix.n || (v->p[0] == prefix.p[0] && memcmp(v->p, prefix.p, prefix.n) == 0);
}

/*
 * Constants contain no NUL, so what follows a matching prefix decides, without searching the
 * value.
 */
static bool text_equals(const struct flt_datum *v, struct sv want)
{
	return starts_with(v, want) && (v->n == want.n || v->p[want.n] == '\0');
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static bool starts_ignoring_case(struct sv s, struct sv prefix)
{
	for (size_t i = 0; i < prefix.n; i++)
		if (lower(s.p[i]) != lower(prefix.p[i]))
			return false;
	return true;
}

static bool contains_ignoring_case(struct sv s, struct sv part)
{
	for (; s.n >= part.n; s = sv_drop(s, 1)) {
		if (starts_ignoring_case(s, part))
			return true;
		if (!s.n)
			break;
	}
	return false;
}

/*
 * As memmem(), which has to prepare a table first: values are mostly paths and names, short enough
 * that looking for one byte is faster. Not for a slash, which paths are full of.
 */
static const char *find_part(struct sv value, struct sv part)
{
	size_t anchor = part.n > 1 && part.p[0] == '/' ? 1 : 0;
	const char *at = value.p + anchor, *last = at + (value.n - part.n);

	if (value.n > SHORT_TEXT_MAX)
		return memmem(value.p, value.n, part.p, part.n);
	for (; at <= last; at++) {
		at = memchr(at, part.p[anchor], (size_t)(last - at) + 1);
		if (!at)
			return NULL;
		if (memcmp(at - anchor, part.p, part.n) == 0)
			return at - anchor;
	}
	return NULL;
}

static bool text_contains(struct sv value, struct sv part)
{
	const char *at;

	if (!part.n)
		return true;
	if (value.n < part.n)
		return false;
	at = find_part(value, part);
	/* Whether a NUL ends the value earlier matters only for what was found. */
	return at && !memchr(value.p, '\0', (size_t)(at - value.p));
}

static bool matches_regex(struct flt_ctx *cx, struct sv text, const struct flt_regex *re)
{
	text = flt_utf8_repair(text, &cx->text);
	return flt_regex_matches(re, text.p, text.n);
}

COMPARISON(text_eq, text_equals(v, sv_of_datum(&c->value)))
COMPARISON(text_ne, !text_equals(v, sv_of_datum(&c->value)))
COMPARISON(text_eq_whole, sv_eq(flt_whole_text(v), flt_whole_text(&c->value)))
COMPARISON(text_ne_whole, !sv_eq(flt_whole_text(v), flt_whole_text(&c->value)))
COMPARISON(text_lt, sv_cmp(c_text(v), c_text(&c->value)) < 0)
COMPARISON(text_le, sv_cmp(c_text(v), c_text(&c->value)) <= 0)
COMPARISON(text_gt, sv_cmp(c_text(v), c_text(&c->value)) > 0)
COMPARISON(text_ge, sv_cmp(c_text(v), c_text(&c->value)) >= 0)
COMPARISON(text_contains_text, text_contains(sv_of_datum(v), sv_of_datum(&c->value)))
COMPARISON(text_icontains, contains_ignoring_case(c_text(v), sv_of_datum(&c->value)))
COMPARISON(text_startswith, starts_with(v, sv_of_datum(&c->value)))
COMPARISON(text_endswith, sv_ends(c_text(v), sv_of_datum(&c->value)))
COMPARISON(text_glob, flt_glob_matches(sv_of_datum(&c->value), c_text(v), false))
COMPARISON(text_iglob, flt_glob_matches(sv_of_datum(&c->value), c_text(v), true))
COMPARISON(text_regex, matches_regex(cx, flt_whole_text(v), c->regex))
COMPARISON(text_pmatch, flt_path_matches(sv_of_datum(&c->value), c_text(v)))

/* --- buffers, addresses, networks --- */

COMPARISON(bytes_eq, sv_eq(sv_of_datum(v), sv_of_datum(&c->value)))
COMPARISON(bytes_ne, !sv_eq(sv_of_datum(v), sv_of_datum(&c->value)))
COMPARISON(bytes_contains, sv_contains(sv_of_datum(v), sv_of_datum(&c->value)))
COMPARISON(bytes_startswith, sv_starts(sv_of_datum(v), sv_of_datum(&c->value)))

/* An address of the other family is outside. */
static bool is_inside(const struct flt_datum *v, const struct flt_const *net)
{
	size_t whole = net->prefix / 8, rest = net->prefix % 8;
	unsigned mask = 0xffu << (8 - rest) & 0xffu;

	if (v->n != net->value.n || memcmp(v->p, net->value.p, whole) != 0)
		return false;
	return !rest ||
	       (((unsigned char)v->p[whole] ^ (unsigned char)net->value.p[whole]) & mask) == 0;
}

COMPARISON(net_eq, is_inside(v, c))
COMPARISON(net_ne, !is_inside(v, c))

/* --- which one --- */

static const flt_compare_fn signed_fns[FLT_OP_COUNT] = {
    [FLT_OP_EQ] = signed_eq, [FLT_OP_NE] = signed_ne, [FLT_OP_LT] = signed_lt,
    [FLT_OP_LE] = signed_le, [FLT_OP_GT] = signed_gt, [FLT_OP_GE] = signed_ge,
};

static const flt_compare_fn unsigned_fns[FLT_OP_COUNT] = {
    [FLT_OP_EQ] = unsigned_eq, [FLT_OP_NE] = unsigned_ne, [FLT_OP_LT] = unsigned_lt,
    [FLT_OP_LE] = unsigned_le, [FLT_OP_GT] = unsigned_gt, [FLT_OP_GE] = unsigned_ge,
};

static const flt_compare_fn double_fns[FLT_OP_COUNT] = {
    [FLT_OP_EQ] = double_eq, [FLT_OP_NE] = double_ne, [FLT_OP_LT] = double_lt,
    [FLT_OP_LE] = double_le, [FLT_OP_GT] = double_gt, [FLT_OP_GE] = double_ge,
};

static const flt_compare_fn bool_fns[FLT_OP_COUNT] = {
    [FLT_OP_EQ] = unsigned_eq,
    [FLT_OP_NE] = unsigned_ne,
};

static const flt_compare_fn text_fns[FLT_OP_COUNT] = {
    [FLT_OP_EQ] = text_eq,
    [FLT_OP_NE] = text_ne,
    [FLT_OP_LT] = text_lt,
    [FLT_OP_LE] = text_le,
    [FLT_OP_GT] = text_gt,
    [FLT_OP_GE] = text_ge,
    [FLT_OP_CONTAINS] = text_contains_text,
    [FLT_OP_ICONTAINS] = text_icontains,
    [FLT_OP_STARTSWITH] = text_startswith,
    [FLT_OP_ENDSWITH] = text_endswith,
    [FLT_OP_GLOB] = text_glob,
    [FLT_OP_IGLOB] = text_iglob,
    [FLT_OP_REGEX] = text_regex,
    [FLT_OP_PMATCH] = text_pmatch,
};

static const flt_compare_fn bytes_fns[FLT_OP_COUNT] = {
    [FLT_OP_EQ] = bytes_eq,
    [FLT_OP_NE] = bytes_ne,
    [FLT_OP_CONTAINS] = bytes_contains,
    [FLT_OP_BCONTAINS] = bytes_contains,
    [FLT_OP_STARTSWITH] = bytes_startswith,
    [FLT_OP_BSTARTSWITH] = bytes_startswith,
};

static const flt_compare_fn addr_fns[FLT_OP_COUNT] = {
    [FLT_OP_EQ] = bytes_eq,
    [FLT_OP_NE] = bytes_ne,
};

static const flt_compare_fn net_fns[FLT_OP_COUNT] = {
    [FLT_OP_EQ] = net_eq,
    [FLT_OP_NE] = net_ne,
};

static const flt_compare_fn *const class_fns[] = {
    [FLT_CLASS_SIGNED] = signed_fns, [FLT_CLASS_UNSIGNED] = unsigned_fns,
    [FLT_CLASS_BOOL] = bool_fns,     [FLT_CLASS_DOUBLE] = double_fns,
    [FLT_CLASS_TEXT] = text_fns,     [FLT_CLASS_BYTES] = bytes_fns,
    [FLT_CLASS_ADDR] = addr_fns,     [FLT_CLASS_NET] = net_fns,
};

flt_compare_fn flt_compare_find(enum flt_class class, enum flt_op op, bool whole)
{
	if ((unsigned)class >= COUNT_OF(class_fns))
		return NULL;
	if (op == FLT_OP_IN || op == FLT_OP_INTERSECTS) {
		op = FLT_OP_EQ;
		whole = true;
	}
	if (whole && class == FLT_CLASS_TEXT && op == FLT_OP_EQ)
		return text_eq_whole;
	if (whole && class == FLT_CLASS_TEXT && op == FLT_OP_NE)
		return text_ne_whole;
	return class_fns[class][op];
}

/* --- UTF-8 --- */

/* Bytes at the start of @s that are valid. */
static size_t valid_utf8(struct sv s)
{
	size_t n = 0;

	while (n < s.n) {
		uint32_t cp;
		unsigned bad,
		    len = (unsigned char)s.p[n] < 0x80 ? 1 : utf8_decode(sv_drop(s, n), &cp, &bad);

		if (!len)
			break;
		n += len;
	}
	return n;
}

struct sv flt_utf8_repair(struct sv s, struct buf *tmp)
{
	size_t n = valid_utf8(s);

	if (n == s.n)
		return s;
	buf_reset(tmp);
	while (s.n) {
		uint32_t cp;
		unsigned bad;

		buf_add(tmp, s.p, n);
		s = sv_drop(s, n);
		if (!s.n)
			break;
		buf_lit(tmp, "\xef\xbf\xbd");
		utf8_decode(s, &cp, &bad);
		s = sv_drop(s, bad);
		n = valid_utf8(s);
	}
	return buf_view(tmp);
}
