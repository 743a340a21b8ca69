/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions as text: the canonical printed form, and the place of an error. */
#include "engine/filter/ast.h"

#define CONTEXT_WIDTH 160

/* Escapes inside double quotes, and what they stand for. */
static const char escaped[] = "\b\f\n\r\t\\\"", letters[] = "bfnrt\\\"";

static bool is_plain(char c)
{
	switch (c) {
	case '\0':
	case '\b':
	case '\f':
	case '\n':
	case '\r':
	case '\t':
	case ' ':
	case '=':
	case '\\':
	case '"':
	case '\'':
		return false;
	default:
		return true;
	}
}

static bool needs_quotes(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_plain(s.p[i]))
			return true;
	return false;
}

static void print_text(struct buf *b, struct sv s)
{
	if (!needs_quotes(s)) {
		buf_sv(b, s);
		return;
	}
	buf_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		const char *special = s.p[i] ? strchr(escaped, s.p[i]) : NULL;

		if (special)
			buf_char(b, '\\');
		buf_char(b, special ? letters[special - escaped] : s.p[i]);
	}
	buf_char(b, '"');
}

static void print_items(struct buf *b, const struct flt_expr *e, const char *separator)
{
	buf_char(b, '(');
	for (uint32_t i = 0; i < e->count; i++) {
		if (i)
			buf_str(b, separator);
		if (e->items[i]->kind == FLT_EXPR_LIST)
			print_items(b, e->items[i], separator);
		else
			flt_print_expr(b, e->items[i]);
	}
	buf_char(b, ')');
}

static void print_argument(struct buf *b, const struct flt_expr *e)
{
	if (!e->has_arg)
		return;
	buf_char(b, '[');
	if (e->arg.n)
		print_text(b, e->arg);
	else
		buf_lit(b, "\"\"");
	buf_char(b, ']');
}

void flt_print_expr(struct buf *b, const struct flt_expr *e)
{
	switch (e->kind) {
	case FLT_EXPR_VALUE:
		print_text(b, e->text);
		break;
	case FLT_EXPR_LIST:
		print_items(b, e, ", ");
		break;
	case FLT_EXPR_TRANSFORM:
		buf_sv(b, e->text);
		print_items(b, e, ",");
		print_argument(b, e);
		break;
	case FLT_EXPR_FIELD:
		buf_sv(b, e->text);
		print_argument(b, e);
		break;
	}
}

static void print_check(struct buf *b, const struct flt_node *n)
{
	flt_print_expr(b, n->left);
	buf_char(b, ' ');
	buf_str(b, n->op == FLT_OP_EQ && n->double_equals ? "==" : flt_op_text(n->op));
	if (n->modifier != FLT_MOD_NONE) {
		buf_char(b, ' ');
		buf_str(b, flt_modifier_text(n->modifier));
	}
	if (!n->right)
		return;
	buf_char(b, ' ');
	if (n->right->kind == FLT_EXPR_FIELD)
		buf_lit(b, "val(");
	flt_print_expr(b, n->right);
	if (n->right->kind == FLT_EXPR_FIELD)
		buf_char(b, ')');
}

static void print_chain(struct buf *b, const struct flt_node *n, const char *word)
{
	buf_char(b, '(');
	for (uint32_t i = 0; i < n->count; i++) {
		if (i)
			buf_str(b, word);
		flt_print(b, n->kids[i]);
	}
	buf_char(b, ')');
}

void flt_print(struct buf *b, const struct flt_node *n)
{
	switch (n->kind) {
	case FLT_AND:
		print_chain(b, n, " and ");
		break;
	case FLT_OR:
		print_chain(b, n, " or ");
		break;
	case FLT_NOT:
		buf_lit(b, "not ");
		flt_print(b, n->kids[0]);
		break;
	case FLT_MACRO:
		buf_sv(b, n->name);
		break;
	case FLT_CHECK:
		print_check(b, n);
		break;
	}
}

/* The line around byte @index, without its end. */
static struct sv line_around(struct sv text, size_t index)
{
	size_t from = index, to = index;

	while (from && text.p[from - 1] != '\n' && text.p[from - 1] != '\r')
		from--;
	while (to < text.n && text.p[to] != '\n' && text.p[to] != '\r')
		to++;
	return sv_make(text.p + from, to - from);
}

static bool is_utf8_tail(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void flt_error_context(struct buf *b, struct sv text, struct flt_pos pos)
{
	size_t index = pos.index < text.n ? pos.index : text.n, at;
	struct sv line = line_around(text, index);

	at = (size_t)(text.p + index - line.p);
	if (line.n > CONTEXT_WIDTH) {
		size_t drop = at > CONTEXT_WIDTH / 2 ? at - CONTEXT_WIDTH / 2 : 0;

		if (drop > line.n - CONTEXT_WIDTH)
			drop = line.n - CONTEXT_WIDTH;
		line = sv_make(line.p + drop, CONTEXT_WIDTH);
		at -= drop;
	}
	buf_sv(b, line);
	buf_char(b, '\n');
	for (size_t i = 0; i < at; i++)
		if (!is_utf8_tail(line.p[i]))
			buf_char(b, line.p[i] == '\t' ? '\t' : ' ');
	buf_lit(b, "^\n");
}
