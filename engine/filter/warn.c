/* SPDX-License-Identifier: Apache-2.0 */
/* Constants that are legal, but probably not what was meant. */
#include "engine/filter/lex.h"
#include "engine/filter/program.h"

/* @s without its blanks, in @room; longer texts are neither fields nor transformers. */
static struct sv without_blanks(struct sv s, char room[FLT_CONSTANT_MAX])
{
	size_t n = 0;

	if (s.n > FLT_CONSTANT_MAX)
		return SV_LIT("");
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && (s.p[i] < '\t' || s.p[i] > '\r'))
			room[n++] = s.p[i];
	return sv_make(room, n);
}

static bool is_repeat(char c)
{
	return c == '+' || c == '*' || c == '?';
}

/* Anchors and "anything" at the ends only say what other operators say, too. */
static bool needs_no_regex(struct sv s)
{
	if (s.n && s.p[0] == '^')
		s = sv_drop(s, 1);
	if (s.n && s.p[s.n - 1] == '$')
		s.n--;
	if (s.n >= 2 && s.p[0] == '.' && is_repeat(s.p[1]))
		s = sv_drop(s, 2);
	if (s.n >= 2 && s.p[s.n - 2] == '.' && is_repeat(s.p[s.n - 1]))
		s.n -= 2;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] && strchr(".+*?^$()[]{}|\\", s.p[i]))
			return false;
	return true;
}

static bool looks_like_field(struct sv s)
{
	struct flt_lexer l = flt_lex_start(s);
	struct sv name;

	/* Most constants are not even shaped like one. */
	return flt_lex_field_name(&l, &name) && flt_field_find(s);
}

static bool looks_like_transformer(struct sv s)
{
	if (!s.n || s.p[s.n - 1] != ')')
		return false;
	if (sv_starts(s, SV_LIT("val(")))
		return true;
	for (size_t i = 0; i < FLT_TRANSFORM_COUNT; i++) {
		struct sv name = sv_of(flt_transform_table[i].name);

		if (sv_starts(s, name) && sv_starts(sv_drop(s, name.n), SV_LIT("(")))
			return true;
	}
	return false;
}

static void warn_about_value(const struct flt_node *check, const struct flt_expr *value,
			     flt_warning_fn warn, void *arg)
{
	char room[FLT_CONSTANT_MAX];
	struct sv s = without_blanks(value->text, room);

	/* Texts of the tree are NUL-terminated. */
	if (check->op == FLT_OP_REGEX && needs_no_regex(value->text))
		warn(arg, FLT_WARN_REGEX_NOT_NEEDED, value->pos, value->text.p);
	if (looks_like_field(s))
		warn(arg, FLT_WARN_VALUE_IS_FIELD, value->pos, value->text.p);
	if (looks_like_transformer(s))
		warn(arg, FLT_WARN_VALUE_IS_TRANSFORMER, value->pos, value->text.p);
}

void flt_warn_about(const struct flt_node *check, flt_warning_fn warn, void *arg)
{
	const struct flt_expr *right = check->right;

	if (!right)
		return;
	if (right->kind == FLT_EXPR_VALUE)
		warn_about_value(check, right, warn, arg);
	if (right->kind == FLT_EXPR_LIST)
		for (uint32_t i = 0; i < right->count; i++)
			warn_about_value(check, right->items[i], warn, arg);
}
