/* SPDX-License-Identifier: Apache-2.0 */
/* Operands: compiled from expressions, evaluated per event. */
#include "engine/filter/operand.h"

#include "engine/filter/program.h"

/* --- compiling --- */

struct compiler {
	struct flt_program *program;
	enum flt_purpose purpose;
	struct error *err;
};

static int compile(struct compiler *c, const struct flt_expr *e, struct flt_operand **out);

static int new_operand(struct compiler *c, enum flt_operand_kind kind, struct flt_operand **out)
{
	struct flt_operand *o = arena_zalloc(flt_program_arena(c->program), 1, sizeof(*o));

	if (!o)
		return error_nomem(c->err);
	o->kind = kind;
	o->type = PT_CHARBUF;
	o->format = PF_NA;
	o->flags = FLT_FIELD_PROCESS | FLT_FIELD_TYPE_ONLY;
	*out = o;
	return 0;
}

static int compile_field(struct compiler *c, const struct flt_expr *e, struct flt_operand **out)
{
	struct flt_operand *o;
	int rc = new_operand(c, FLT_OPERAND_FIELD, &o);

	if (rc == 0)
		rc = flt_program_field(c->program, e, c->purpose, &o->field, c->err);
	if (rc < 0)
		return rc;
	o->type = o->field->type;
	o->format = o->field->format;
	o->is_list = o->field->is_list;
	o->stateful = flt_field_is_stateful(o->field);
	o->flags &= o->field->info->flags;
	*out = o;
	return 0;
}

static int compile_text(struct compiler *c, const struct flt_expr *e, struct flt_operand **out)
{
	struct flt_operand *o;
	int rc = new_operand(c, FLT_OPERAND_TEXT, &o);

	if (rc < 0)
		return rc;
	if (e->text.n && memchr(e->text.p, '\0', e->text.n))
		return error_set(c->err, ERR_COMPILE, "constant with a NUL byte");
	o->text = arena_sv(flt_program_arena(c->program), e->text);
	if (!o->text.p)
		return error_nomem(c->err);
	*out = o;
	return 0;
}

static int compile_items(struct compiler *c, const struct flt_expr *e, struct flt_operand *o)
{
	o->items = arena_zalloc(flt_program_arena(c->program), e->count, sizeof(*o->items));
	if (!o->items)
		return error_nomem(c->err);
	o->count = e->count;
	for (uint32_t i = 0; i < e->count; i++) {
		struct flt_operand *item;
		int rc = compile(c, e->items[i], &item);

		if (rc < 0)
			return rc;
		if (item->kind == FLT_OPERAND_FIELD &&
		    item->field->info->flags & FLT_FIELD_NO_TRANSFORMER)
			return error_set(c->err, ERR_COMPILE, "field '%s' cannot be transformed",
					 item->field->info->name);
		o->items[i] = item;
		o->stateful |= item->stateful;
		o->flags &= item->flags;
	}
	return 0;
}

static bool becomes_text(const struct flt_operand *o)
{
	return 1u << flt_type_class(o->type) &
	       (1u << FLT_CLASS_TEXT | 1u << FLT_CLASS_SIGNED | 1u << FLT_CLASS_UNSIGNED);
}

static int compile_list(struct compiler *c, const struct flt_expr *e, struct flt_operand **out)
{
	struct flt_operand *o;
	int rc = new_operand(c, FLT_OPERAND_LIST, &o);

	if (rc == 0)
		rc = compile_items(c, e, o);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < o->count; i++)
		if (!becomes_text(o->items[i]))
			return error_set(c->err, ERR_COMPILE,
					 "element %u of the list is neither a text nor an integer",
					 i + 1);
	o->is_list = true;
	*out = o;
	return 0;
}

/* "[c]" after the call: only getopt has it. */
static int compile_option(struct compiler *c, const struct flt_expr *e, struct flt_operand *o)
{
	if (!e->has_arg)
		return 0;
	if (o->transform != FLT_TRANSFORM_GETOPT)
		return error_set(c->err, ERR_COMPILE,
				 "transformer '%.*s' takes no argument in brackets", (int)e->text.n,
				 e->text.p);
	if (e->arg.n != 1)
		return error_set(c->err, ERR_COMPILE,
				 "the argument in brackets of 'getopt' must be one character");
	o->has_option = true;
	o->option = e->arg.p[0];
	return 0;
}

static int compile_call(struct compiler *c, const struct flt_expr *e, struct flt_operand **out)
{
	const struct flt_transform_info *info = flt_transform_find(e->text);
	struct flt_operand *o;
	int rc = new_operand(c, FLT_OPERAND_CALL, &o);

	if (rc < 0)
		return rc;
	if (!info)
		return error_set(c->err, ERR_COMPILE, "'%.*s' takes no argument in brackets",
				 (int)e->text.n, e->text.p);
	o->transform = (enum flt_transform)(info - flt_transform_table);
	rc = compile_option(c, e, o);
	if (rc == 0)
		rc = compile_items(c, e, o);
	if (rc == 0)
		rc = info->check(o, c->err);
	*out = o;
	return rc;
}

/* The depth is limited by the parser. */
static int compile(struct compiler *c, const struct flt_expr *e, struct flt_operand **out)
{
	switch (e->kind) {
	case FLT_EXPR_FIELD:
		return compile_field(c, e, out);
	case FLT_EXPR_TRANSFORM:
		return compile_call(c, e, out);
	case FLT_EXPR_LIST:
		return compile_list(c, e, out);
	case FLT_EXPR_VALUE:
		break;
	}
	return compile_text(c, e, out);
}

int flt_program_operand(struct flt_program *p, const struct flt_expr *e, enum flt_purpose purpose,
			const struct flt_operand **out, struct error *err)
{
	struct compiler c = {.program = p, .purpose = purpose, .err = err};
	struct flt_operand *o;
	int rc = compile(&c, e, &o);

	if (rc == 0)
		*out = o;
	return rc;
}

void flt_operand_fields(const struct flt_operand *o,
			void (*fn)(void *arg, const struct flt_field *f), void *arg)
{
	if (o->field)
		fn(arg, o->field);
	for (uint32_t i = 0; i < o->count; i++)
		flt_operand_fields(o->items[i], fn, arg);
}

const struct flt_field *flt_operand_base(const struct flt_operand *o)
{
	while (o->kind == FLT_OPERAND_CALL && o->count == 1)
		o = o->items[0];
	return o->field;
}

static void key_text(struct buf *key, char kind, struct sv text)
{
	buf_char(key, kind);
	buf_u64(key, text.n);
	buf_char(key, ':');
	buf_sv(key, text);
}

void flt_expr_key(struct buf *key, const struct flt_expr *e)
{
	key_text(key, "ftvl"[e->kind], e -> text);
	if (e->has_arg)
		key_text(key, 'a', e->arg);
	buf_char(key, '(');
	for (uint32_t i = 0; i < e->count; i++)
		flt_expr_key(key, e->items[i]);
	buf_char(key, ')');
}

/* --- evaluating --- */

static bool decimal_text(struct flt_ctx *cx, unsigned type, struct flt_datum *d)
{
	const char *p;

	buf_reset(&cx->text);
	if (flt_type_class(type) == FLT_CLASS_SIGNED)
		buf_i64(&cx->text, d->i);
	else
		buf_u64(&cx->text, d->u);
	p = arena_strndup(&cx->scratch, cx->text.p, cx->text.len);
	*d = (struct flt_datum){.p = p, .n = cx->text.len};
	return p && !cx->text.failed;
}

bool flt_texts_of(struct flt_ctx *cx, struct flt_value *v)
{
	struct flt_datum *items;

	if (flt_type_class(v->type) == FLT_CLASS_TEXT)
		return true;
	items = arena_alloc(&cx->scratch, v->count * sizeof(*items));
	if (!items)
		return false;
	for (uint32_t i = 0; i < v->count; i++) {
		items[i] = v->items[i];
		if (!decimal_text(cx, v->type, &items[i]))
			return false;
	}
	v->items = items;
	v->type = PT_CHARBUF;
	return true;
}

/* The elements, with those of lists spliced in. */
static bool eval_list(struct flt_ctx *cx, const struct flt_operand *o, struct flt_value *out)
{
	struct flt_value *values = arena_alloc(&cx->scratch, o->count * sizeof(*values));
	struct flt_datum *items;
	uint32_t n = 0;

	if (!values)
		return false;
	for (uint32_t i = 0; i < o->count; i++) {
		if (!flt_operand_eval(cx, o->items[i], &values[i]) || !flt_texts_of(cx, &values[i]))
			return false;
		n += values[i].count;
	}
	items = arena_alloc(&cx->scratch, n * sizeof(*items));
	if (!items)
		return false;
	out->items = items;
	out->count = n;
	for (uint32_t i = 0; i < o->count; i++)
		for (uint32_t k = 0; k < values[i].count; k++)
			*items++ = values[i].items[k];
	return true;
}

bool flt_operand_eval(struct flt_ctx *cx, const struct flt_operand *o, struct flt_value *out)
{
	if (o->kind == FLT_OPERAND_FIELD)
		return flt_field_get(cx, o->field, out);
	out->type = o->type;
	out->format = o->format;
	out->match = o->is_list ? FLT_MATCH_LIST : FLT_MATCH_SCALAR;
	out->count = 1;
	out->items = &out->one;
	switch (o->kind) {
	case FLT_OPERAND_TEXT:
		return flt_yield_text(out, o->text);
	case FLT_OPERAND_LIST:
		return eval_list(cx, o, out);
	default:
		return flt_transform_table[o->transform].apply(cx, o, out);
	}
}
