/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser: recursive descent over the grammar of docs/conditions.md, one function per rule.
 * Alternatives are chosen by their first token; there is no backtracking but for modifiers
 * (parse_modifier_operand()). Functions return NULL after recording the failure in struct parser.
 */
#include "engine/filter/ast.h"

#include "engine/filter/grow.h"
#include "engine/filter/lex.h"
#include "engine/filter/ops.h"
#include "engine/filter/transform.h"

struct parser {
	struct flt_lexer lex;
	struct arena *arena;
	struct error *err;
	unsigned depth, limit; /* grammar rules being parsed at the moment */
	int rc;
};

static struct flt_node *parse_or(struct parser *p);
static struct flt_expr *parse_transform(struct parser *p, const char *name, struct flt_pos pos);

static void *fail_nomem(struct parser *p)
{
	p->rc = error_nomem(p->err);
	return NULL;
}

/* The usual complaint: what comes next in the text, and what could stand there. */
static void *fail_expecting(struct parser *p, const char *what)
{
	struct sv rest = flt_lex_rest(&p->lex);

	if (!rest.n)
		p->rc = error_set(p->err, ERR_SYNTAX, "unexpected end of text, expecting %s", what);
	else
		p->rc = error_set(p->err, ERR_SYNTAX, "unexpected token at '%.*s', expecting %s",
				  (int)(rest.n < 24 ? rest.n : 24), rest.p, what);
	return NULL;
}

/* The last word, parenthesis or the like before what has not been consumed. */
static struct sv last_token(const struct parser *p)
{
	const char *text = p->lex.text.p;
	size_t end = p->lex.at.index, start;

	while (end && strchr(" \t\b\r\n", text[end - 1]))
		end--;
	start = end;
	while (start && !strchr(" \t\b\r\n()=,", text[start - 1]))
		start--;
	if (start == end && start)
		start--;
	return sv_make(text + start, end - start);
}

/* The expression could end here, but the text goes on. */
static void *fail_leftover(struct parser *p)
{
	struct sv last = last_token(p);

	p->rc =
	    error_set(p->err, ERR_SYNTAX, "unexpected token after '%.*s', expecting 'or', 'and'",
		      (int)(last.n < 64 ? last.n : 64), last.p);
	return NULL;
}

/* Entering a grammar rule; false if the nesting limit is reached. */
static bool enter(struct parser *p)
{
	if (p->depth + 1 >= p->limit) {
		p->rc = error_set(p->err, ERR_LIMIT, "exceeded max depth limit of %u", p->limit);
		return false;
	}
	p->depth++;
	return true;
}

static void *leave(struct parser *p, void *result)
{
	p->depth--;
	return result;
}

/* --- operands --- */

static struct flt_expr *new_expr(struct parser *p, enum flt_expr_kind kind, struct flt_pos pos,
				 struct sv text)
{
	struct flt_expr *e = arena_zalloc(p->arena, 1, sizeof(*e));

	if (!e)
		return fail_nomem(p);
	e->kind = kind;
	e->pos = pos;
	e->text = arena_sv(p->arena, text);
	return e->text.p ? e : fail_nomem(p);
}

static bool add_item(struct parser *p, struct flt_expr *list, struct flt_expr *item)
{
	if (!item)
		return false;
	if (!grow_pointers(p->arena, &list->items, list->count)) {
		fail_nomem(p);
		return false;
	}
	list->items[list->count++] = item;
	return true;
}

/* A quoted string, if there is one: 1, 0, or a failure already recorded. */
static int lex_quoted(struct parser *p, struct sv *out)
{
	int rc = flt_lex_quoted(&p->lex, p->arena, out, p->err);

	if (rc < 0)
		p->rc = rc;
	return rc;
}

/* "[...]" touching what precedes it, if it is there. */
static struct flt_expr *parse_argument(struct parser *p, struct flt_expr *e)
{
	struct sv arg;
	int rc;

	if (!flt_lex_word(&p->lex, "["))
		return e;
	rc = lex_quoted(p, &arg);
	if (rc < 0)
		return NULL;
	if (!rc && !flt_lex_bare_argument(&p->lex, &arg))
		return fail_expecting(p, "a quoted string or a text without blanks inside '[]'");
	if (!flt_lex_word(&p->lex, "]"))
		return fail_expecting(p, "']'");
	e->has_arg = true;
	e->arg = arena_sv(p->arena, arg);
	return e->arg.p ? e : fail_nomem(p);
}

/* After the field's name. */
static struct flt_expr *parse_field(struct parser *p, struct flt_pos pos, struct sv name)
{
	struct flt_expr *e;

	if (!enter(p))
		return NULL;
	e = new_expr(p, FLT_EXPR_FIELD, pos, name);
	if (e)
		e = parse_argument(p, e);
	return leave(p, e);
}

/* "NAME(" of a transformer; NULL: it is something else. */
static const char *lex_transform(struct parser *p)
{
	for (unsigned t = 0; t < FLT_TRANSFORM_COUNT; t++) {
		struct flt_lexer ahead = p->lex;

		if (flt_lex_word(&ahead, flt_transform_table[t].name) &&
		    flt_lex_word(&ahead, "(")) {
			p->lex = ahead;
			return flt_transform_table[t].name;
		}
	}
	return NULL;
}

static bool lex_literal_number(struct parser *p, struct sv *out)
{
	return flt_lex_hex(&p->lex, out) || flt_lex_number(&p->lex, out);
}

static struct flt_expr *parse_transform_list(struct parser *p, struct flt_pos pos);

/* An argument of a transformer, or an element of a list in one (then lists do not nest). */
static struct flt_expr *parse_transform_item(struct parser *p, bool lists)
{
	struct flt_pos pos = p->lex.at;
	const char *transform;
	struct sv text;
	int rc;

	if (lex_literal_number(p, &text))
		return new_expr(p, FLT_EXPR_VALUE, pos, text);
	rc = lex_quoted(p, &text);
	if (rc < 0)
		return NULL;
	if (rc)
		return new_expr(p, FLT_EXPR_VALUE, pos, text);
	if (lists && flt_lex_word(&p->lex, "("))
		return parse_transform_list(p, pos);
	transform = lex_transform(p);
	if (transform)
		return parse_transform(p, transform, pos);
	if (flt_lex_field_name(&p->lex, &text))
		return parse_field(p, pos, text);
	return fail_expecting(p, "a field, a transformer, a number or a quoted string");
}

/* Items up to the closing parenthesis, which is consumed; the opening one has been. */
static struct flt_expr *parse_items(struct parser *p, struct flt_expr *list,
				    struct flt_expr *(*parse_item)(struct parser *p))
{
	do {
		flt_lex_blanks(&p->lex);
		if (!add_item(p, list, parse_item(p)))
			return NULL;
		flt_lex_blanks(&p->lex);
	} while (flt_lex_word(&p->lex, ","));
	return flt_lex_word(&p->lex, ")") ? list : fail_expecting(p, "',' or ')'");
}

static struct flt_expr *parse_list_element(struct parser *p)
{
	return parse_transform_item(p, false);
}

static struct flt_expr *parse_transform_list(struct parser *p, struct flt_pos pos)
{
	struct flt_expr *list = new_expr(p, FLT_EXPR_LIST, pos, SV_LIT(""));

	if (!list)
		return NULL;
	flt_lex_blanks(&p->lex);
	return flt_lex_word(&p->lex, ")") ? list : parse_items(p, list, parse_list_element);
}

static struct flt_expr *parse_transform_argument(struct parser *p)
{
	return enter(p) ? leave(p, parse_transform_item(p, true)) : NULL;
}

/* After "NAME(". */
static struct flt_expr *parse_transform(struct parser *p, const char *name, struct flt_pos pos)
{
	struct flt_expr *e;

	if (!enter(p))
		return NULL;
	e = new_expr(p, FLT_EXPR_TRANSFORM, pos, sv_of(name));
	if (e)
		e = parse_items(p, e, parse_transform_argument);
	if (e)
		e = parse_argument(p, e);
	return leave(p, e);
}

/* After "val(": one plain field. An argument after the parenthesis parses, but means nothing:
 * compiling refuses it. */
static struct flt_expr *parse_val(struct parser *p, struct flt_pos pos)
{
	struct flt_expr *field, *e;
	struct sv name;

	flt_lex_blanks(&p->lex);
	if (!flt_lex_field_name(&p->lex, &name))
		return fail_expecting(p, "a field inside 'val()'");
	field = parse_field(p, pos, name);
	if (!field)
		return NULL;
	flt_lex_blanks(&p->lex);
	if (!flt_lex_word(&p->lex, ")"))
		return fail_expecting(p, "')'");
	if (!sv_starts(flt_lex_rest(&p->lex), SV_LIT("[")))
		return field;
	e = new_expr(p, FLT_EXPR_TRANSFORM, pos, SV_LIT("val"));
	return e && add_item(p, e, field) ? parse_argument(p, e) : NULL;
}

/* A field or transformer on the right-hand side; NULL with rc 0: it is something else. */
static struct flt_expr *try_operand(struct parser *p)
{
	struct flt_pos pos = p->lex.at;
	struct flt_expr *e = NULL;
	const char *transform;

	if (!enter(p))
		return NULL;
	if (flt_lex_word(&p->lex, "val("))
		e = parse_val(p, pos);
	else if ((transform = lex_transform(p)) != NULL)
		e = parse_transform(p, transform, pos);
	return leave(p, e);
}

/* --- right-hand sides --- */

static struct flt_expr *parse_value(struct parser *p)
{
	struct flt_pos pos = p->lex.at;
	struct sv text;
	int rc = lex_quoted(p, &text);

	if (rc < 0)
		return NULL;
	if (rc || flt_lex_bare(&p->lex, &text))
		return new_expr(p, FLT_EXPR_VALUE, pos, text);
	return fail_expecting(p, "a value");
}

static struct flt_expr *parse_value_item(struct parser *p)
{
	return enter(p) ? leave(p, parse_value(p)) : NULL;
}

/* After "(". */
static struct flt_expr *parse_value_list(struct parser *p, struct flt_pos pos)
{
	struct flt_expr *list = new_expr(p, FLT_EXPR_LIST, pos, SV_LIT(""));

	if (!list)
		return NULL;
	flt_lex_blanks(&p->lex);
	return flt_lex_word(&p->lex, ")") ? list : parse_items(p, list, parse_value_item);
}

static struct flt_expr *parse_number_operand(struct parser *p)
{
	struct flt_pos pos;
	struct flt_expr *e;
	struct sv text;

	flt_lex_blanks(&p->lex);
	e = try_operand(p);
	if (e || p->rc)
		return e;
	pos = p->lex.at;
	if (lex_literal_number(p, &text))
		return new_expr(p, FLT_EXPR_VALUE, pos, text);
	return fail_expecting(p, "a number");
}

static struct flt_expr *parse_list_operand(struct parser *p)
{
	struct flt_pos pos;
	struct flt_expr *e;
	struct sv text;

	flt_lex_blanks(&p->lex);
	pos = p->lex.at;
	if (flt_lex_word(&p->lex, "("))
		return parse_value_list(p, pos);
	e = try_operand(p);
	if (e || p->rc)
		return e;
	if (flt_lex_identifier(&p->lex, &text))
		return new_expr(p, FLT_EXPR_VALUE, pos, text);
	return fail_expecting(p, "a list in parentheses or the name of a list");
}

/* "and", "or" or "not" that is not the beginning of a longer word; "_" does not make it longer
 * here. */
static bool is_boolean_keyword(struct sv text)
{
	static const char *const keywords[] = {"and", "or", "not"};

	for (size_t i = 0; i < COUNT_OF(keywords); i++) {
		struct sv word = sv_of(keywords[i]), rest = sv_drop(text, word.n);

		if (sv_starts(text, word))
			return !rest.n || rest.p[0] == '_' || !flt_is_word_byte(rest.p[0]);
	}
	return false;
}

/*
 * "oneof (a, b)", "anyof NAME", ...: NULL with rc 0 and nothing consumed if what follows is an
 * ordinary value
 * ("oneof" may be one).
 */
static struct flt_expr *parse_modifier_operand(struct parser *p, enum flt_modifier *mod)
{
	struct flt_lexer ahead = p->lex;
	struct flt_pos pos;
	struct sv text;

	for (*mod = FLT_MOD_ONEOF; *mod <= FLT_MOD_ALLOF; ++*mod)
		if (flt_lex_word(&ahead, flt_modifier_text(*mod)))
			break;
	if (*mod > FLT_MOD_ALLOF || !flt_lex_blanks(&ahead))
		goto ordinary_value;
	pos = ahead.at;
	if (flt_lex_word(&ahead, "(")) {
		p->lex = ahead;
		return parse_value_list(p, pos);
	}
	if (!is_boolean_keyword(flt_lex_rest(&ahead)) && flt_lex_identifier(&ahead, &text)) {
		p->lex = ahead;
		return new_expr(p, FLT_EXPR_VALUE, pos, text);
	}
ordinary_value:
	*mod = FLT_MOD_NONE;
	return NULL;
}

static struct flt_expr *parse_text_operand(struct parser *p, struct flt_node *check)
{
	bool blanks = flt_lex_blanks(&p->lex);
	struct flt_expr *e;

	if (blanks || flt_op_table[check->op].form == FLT_FORM_WORD) {
		e = parse_modifier_operand(p, &check->modifier);
		if (e || p->rc)
			return e;
	}
	e = try_operand(p);
	return e || p->rc ? e : parse_value(p);
}

/* --- checks --- */

/* The operator with the longest spelling that fits; word operators only with a blank after them. */
static bool lex_operator(struct parser *p, struct flt_node *check)
{
	struct flt_lexer best = p->lex;

	for (enum flt_op op = 0; op < FLT_OP_COUNT; op++) {
		struct flt_lexer ahead = p->lex;

		if (!flt_lex_word(&ahead, flt_op_table[op].spelling))
			continue;
		if (flt_op_table[op].form == FLT_FORM_WORD && !flt_lex_blanks(&ahead))
			continue;
		if (ahead.at.index > best.at.index) {
			best = ahead;
			check->op = op;
		}
	}
	if (best.at.index == p->lex.at.index)
		return false;
	p->lex = best;
	if (check->op == FLT_OP_EQ)
		check->double_equals = flt_lex_word(&p->lex, "=");
	return true;
}

static struct flt_expr *parse_right(struct parser *p, struct flt_node *check)
{
	struct flt_expr *e;

	if (!enter(p))
		return NULL;
	switch (flt_op_table[check->op].form) {
	case FLT_FORM_NUMBER:
		e = parse_number_operand(p);
		break;
	case FLT_FORM_LIST:
		e = parse_list_operand(p);
		break;
	default:
		e = parse_text_operand(p, check);
	}
	return leave(p, e);
}

static struct flt_node *new_node(struct parser *p, enum flt_node_kind kind, struct flt_pos pos)
{
	struct flt_node *n = arena_zalloc(p->arena, 1, sizeof(*n));

	if (!n)
		return fail_nomem(p);
	n->kind = kind;
	n->pos = pos;
	return n;
}

/* After the left-hand side. */
static struct flt_node *parse_condition(struct parser *p, struct flt_expr *left)
{
	struct flt_node *n = NULL;

	if (!left || !enter(p))
		return NULL;
	flt_lex_blanks(&p->lex);
	n = new_node(p, FLT_CHECK, left->pos);
	if (!n)
		return NULL;
	n->left = left;
	if (!lex_operator(p, n))
		return fail_expecting(p, "a comparison operator or 'exists'");
	if (n->op != FLT_OP_EXISTS) {
		n->right = parse_right(p, n);
		if (!n->right)
			return NULL;
	}
	return leave(p, n);
}

/* After "(". */
static struct flt_node *parse_parentheses(struct parser *p)
{
	struct flt_node *n;

	if (!enter(p))
		return NULL;
	flt_lex_blanks(&p->lex);
	n = parse_or(p);
	if (!n)
		return NULL;
	flt_lex_blanks(&p->lex);
	if (!flt_lex_word(&p->lex, ")"))
		return fail_expecting(p, "')', 'or' or 'and'");
	return leave(p, n);
}

static struct flt_node *parse_macro(struct parser *p, struct flt_pos pos, struct sv name)
{
	struct flt_node *n = new_node(p, FLT_MACRO, pos);

	if (!n)
		return NULL;
	n->name = arena_sv(p->arena, name);
	return n->name.p ? n : fail_nomem(p);
}

static struct flt_node *parse_check(struct parser *p)
{
	const char *transform;
	struct flt_node *n;
	struct flt_pos pos;
	struct sv text;

	if (!enter(p))
		return NULL;
	flt_lex_blanks(&p->lex);
	pos = p->lex.at;
	if (flt_lex_word(&p->lex, "("))
		n = parse_parentheses(p);
	else if (flt_lex_field_name(&p->lex, &text))
		n = parse_condition(p, parse_field(p, pos, text));
	else if ((transform = lex_transform(p)) != NULL)
		n = parse_condition(p, parse_transform(p, transform, pos));
	else if (flt_lex_identifier(&p->lex, &text))
		n = parse_macro(p, pos, text);
	else
		n = fail_expecting(p, "a field, a macro name or '('");
	return leave(p, n);
}

/* --- and, or, not --- */

static struct flt_node *add_kid(struct parser *p, struct flt_node *parent, struct flt_node *kid)
{
	if (!grow_pointers(p->arena, &parent->kids, parent->count))
		return fail_nomem(p);
	parent->kids[parent->count++] = kid;
	return parent;
}

static bool lex_not(struct parser *p)
{
	struct flt_lexer ahead = p->lex;

	if (!flt_lex_word(&ahead, "not") || !flt_lex_spaces(&ahead))
		return false;
	p->lex = ahead;
	return true;
}

static struct flt_node *parse_not(struct parser *p)
{
	struct flt_pos pos;
	struct flt_node *kid, *n;
	bool negated = false;

	if (!enter(p))
		return NULL;
	flt_lex_blanks(&p->lex);
	pos = p->lex.at;
	while (lex_not(p))
		negated = !negated;
	if (flt_lex_word(&p->lex, "not(")) {
		negated = !negated;
		kid = parse_parentheses(p);
	} else {
		kid = parse_check(p);
	}
	if (!kid || !negated)
		return leave(p, kid);
	n = new_node(p, FLT_NOT, pos);
	return leave(p, n ? add_kid(p, n, kid) : NULL);
}

/*
 * "X and Y and(Z)": a chain of what @parse_link parses. After the word comes either a blank and a
 * link, or at once a parenthesis, which then is the whole link.
 */
static struct flt_node *parse_chain(struct parser *p, enum flt_node_kind kind, const char *word,
				    struct flt_node *(*parse_link)(struct parser *p))
{
	struct flt_node *first, *chain = NULL;
	struct flt_pos pos;

	if (!enter(p))
		return NULL;
	flt_lex_blanks(&p->lex);
	pos = p->lex.at;
	first = parse_link(p);
	if (!first)
		return NULL;
	flt_lex_blanks(&p->lex);
	while (flt_lex_word(&p->lex, word)) {
		struct flt_node *kid;

		if (!chain) {
			chain = new_node(p, kind, pos);
			if (!chain || !add_kid(p, chain, first))
				return NULL;
		}
		if (flt_lex_blanks(&p->lex))
			kid = parse_link(p);
		else if (flt_lex_word(&p->lex, "("))
			kid = parse_parentheses(p);
		else
			kid = fail_expecting(p, "a blank or '('");
		if (!kid || !add_kid(p, chain, kid))
			return NULL;
		flt_lex_blanks(&p->lex);
	}
	return leave(p, chain ? chain : first);
}

static struct flt_node *parse_and(struct parser *p)
{
	return parse_chain(p, FLT_AND, "and", parse_not);
}

static struct flt_node *parse_or(struct parser *p)
{
	return parse_chain(p, FLT_OR, "or", parse_and);
}

/* --- entry points --- */

static int parser_start(struct parser *p, struct sv text, unsigned limit, struct arena *arena,
			struct error *err)
{
	*p =
	    (struct parser){.lex = flt_lex_start(text), .arena = arena, .err = err, .limit = limit};
	if (text.n > FLT_TEXT_MAX)
		return error_set(err, ERR_LIMIT, "condition of %zu bytes, at most %d are allowed",
				 text.n, FLT_TEXT_MAX);
	return 0;
}

int flt_parse(struct sv text, unsigned depth_limit, struct arena *arena, struct flt_node **out,
	      struct flt_pos *pos, struct error *err)
{
	struct flt_node *n;
	struct parser p;
	int rc = parser_start(&p, text, depth_limit, arena, err);

	if (pos)
		*pos = p.lex.at;
	if (rc < 0)
		return rc;
	n = parse_or(&p);
	if (n) {
		flt_lex_blanks(&p.lex);
		if (!flt_lex_at_end(&p.lex))
			n = fail_leftover(&p);
	}
	if (pos)
		*pos = p.lex.at;
	if (!n)
		return p.rc;
	*out = n;
	return 0;
}

int flt_parse_operand(struct sv text, bool transforms, struct arena *arena, struct flt_expr **out,
		      size_t *used, struct error *err)
{
	const char *transform;
	struct flt_expr *e;
	struct parser p;
	struct sv name;
	int rc = parser_start(&p, text, FLT_DEPTH_DEFAULT, arena, err);

	if (rc < 0)
		return rc;
	if (flt_lex_field_name(&p.lex, &name))
		e = parse_field(&p, (struct flt_pos){0, 1, 1}, name);
	else if (transforms && (transform = lex_transform(&p)) != NULL)
		e = parse_transform(&p, transform, (struct flt_pos){0, 1, 1});
	else
		e = fail_expecting(&p, transforms ? "a field or a transformer" : "a field");
	if (!e)
		return p.rc;
	*out = e;
	*used = p.lex.at.index;
	return 0;
}
