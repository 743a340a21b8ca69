/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a condition with its exceptions: "(C) and not X and not Y". */
#include "engine/rules/internal.h"

struct expansion {
	struct rule_compiler *c;
	const struct rule_exception *x;
	struct buf *b;
};

static int value_error(struct expansion *e, const struct rule_yaml_node *value, const char *what)
{
	return rule_fail(
	    e->c->v, LOAD_ERR_VALIDATE,
	    rule_where_node(e->c->v->arena, e->x->where, "exception value", sv_of(""), value), "%s",
	    what);
}

static int check_room(struct expansion *e)
{
	if (e->b->failed)
		return ERR_NOMEM;
	if (e->b->len <= RULE_TEXT_MAX)
		return 0;
	return rule_fail(e->c->v, LOAD_ERR_VALIDATE, e->x->where,
			 "Condition is longer than %u bytes with its exceptions", RULE_TEXT_MAX);
}

static int put_quoted(struct expansion *e, struct sv value)
{
	struct sv q = rule_quote(e->c->arena, value);

	if (!q.p)
		return ERR_NOMEM;
	buf_sv(e->b, q);
	return check_room(e);
}

/* (v1, v2, ...) */
static int put_sequence(struct expansion *e, const struct rule_yaml_node *values)
{
	int rc = 0;

	buf_char(e->b, '(');
	for (const struct rule_yaml_entry *v = values->first; v && rc == 0; v = v->next) {
		buf_str(e->b, v == values->first ? "" : ", ");
		rc = put_quoted(e, v->value->text);
	}
	buf_char(e->b, ')');
	return rc;
}

/* "field comp " */
static void put_test(struct expansion *e, size_t i)
{
	buf_sv(e->b, e->x->fields.p[i]);
	buf_char(e->b, ' ');
	buf_sv(e->b, e->x->comps.p[i]);
	buf_char(e->b, ' ');
}

/* (field comp (v1, v2, ...)) */
static int put_scalar_form(struct expansion *e)
{
	int rc = 0;

	buf_char(e->b, '(');
	put_test(e, 0);
	buf_char(e->b, '(');
	for (size_t i = 0; i < e->x->value_count && rc == 0; i++) {
		const struct rule_yaml_node *v = e->x->values[i];

		if (v->kind != RULE_YAML_SCALAR)
			return value_error(e, v,
					   "Value of an exception with one field is a sequence; "
					   "expected a scalar");
		buf_str(e->b, i ? ", " : "");
		rc = put_quoted(e, v->text);
	}
	buf_lit(e->b, "))");
	return rc;
}

static int put_cell(struct expansion *e, size_t i, const struct rule_yaml_node *v)
{
	bool brackets;

	put_test(e, i);
	if (v->kind == RULE_YAML_SEQUENCE)
		return put_sequence(e, v);
	if (!rule_comp_takes_list(e->x->comps.p[i]))
		return put_quoted(e, v->text);
	brackets = !sv_starts(v->text, SV_LIT("("));
	buf_str(e->b, brackets ? "(" : "");
	buf_sv(e->b, v->text);
	buf_str(e->b, brackets ? ")" : "");
	return check_room(e);
}

/* (f1 op1 a1 and f2 op2 a2) */
static int put_row(struct expansion *e, const struct rule_yaml_node *row)
{
	size_t i = 0;
	int rc = 0;

	if (row->kind != RULE_YAML_SEQUENCE || row->count != e->x->fields.n)
		return value_error(e, row,
				   "Exception fields and values lists must have equal length");
	buf_char(e->b, '(');
	for (const struct rule_yaml_entry *v = row->first; v && rc == 0; v = v->next) {
		buf_str(e->b, i ? " and " : "");
		rc = put_cell(e, i++, v->value);
	}
	buf_char(e->b, ')');
	return rc;
}

static int put_rows(struct expansion *e)
{
	int rc = 0;

	buf_char(e->b, '(');
	for (size_t i = 0; i < e->x->value_count && rc == 0; i++) {
		buf_str(e->b, i ? " or " : "");
		rc = put_row(e, e->x->values[i]);
	}
	buf_char(e->b, ')');
	return rc;
}

int rule_exceptions_expand(struct rule_compiler *c, const struct rule_def *def, struct sv *out)
{
	struct expansion e = {.c = c, .b = &c->text};
	int rc = 0;

	*out = def->condition.s;
	if (!def->exception_count)
		return 0;
	buf_reset(e.b);
	buf_char(e.b, '(');
	buf_sv(e.b, def->condition.s);
	buf_char(e.b, ')');
	for (size_t i = 0; i < def->exception_count && rc == 0; i++) {
		e.x = &def->exceptions[i];
		if (!e.x->value_count)
			continue;
		buf_lit(e.b, " and not ");
		rc = e.x->scalar ? put_scalar_form(&e) : put_rows(&e);
	}
	if (rc)
		return rc;
	if (e.b->failed)
		return ERR_NOMEM;
	*out = arena_sv(c->arena, buf_view(e.b));
	return out->p ? 0 : ERR_NOMEM;
}
