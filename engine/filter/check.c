/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a parsed check to a test: types, operators and constants are verified here, so that nothing
 * can fail later.
 */
#include "engine/filter/program.h"

#include "engine/filter/grow.h"
#include "engine/filter/ops.h"
#include "engine/filter/regex.h"

struct checker {
	struct flt_program *program;
	const struct flt_node *node;
	struct flt_test *test;
	struct flt_pos pos; /* of what is being looked at */
	struct error *err;
};

static int refuse(struct checker *c, const char *why)
{
	const struct flt_expr *left = c->node->left;

	return error_set(c->err, ERR_COMPILE, "operator '%s' %s '%.*s'", flt_op_text(c->node->op),
			 why, (int)left->text.n, left->text.p);
}

/* --- what is compared --- */

static bool is_field(const struct flt_operand *o, const char *name)
{
	return o->kind == FLT_OPERAND_FIELD && strcmp(o->field->info->name, name) == 0;
}

/* Fields that take fewer operators than their type. */
static int check_special_fields(struct checker *c)
{
	enum flt_op op = c->node->op;

	if (is_field(c->test->left, "evt.around") && op != FLT_OP_EQ)
		return refuse(c, "is not defined for");
	if (is_field(c->test->left, "fd.ip") && op != FLT_OP_EQ && op != FLT_OP_NE &&
	    op != FLT_OP_IN && op != FLT_OP_EXISTS)
		return refuse(c, "is not defined for");
	return 0;
}

static int check_left(struct checker *c)
{
	const struct flt_operand *left;
	int rc;

	c->pos = c->node->left->pos;
	rc = flt_program_operand(c->program, c->node->left, FLT_FOR_FILTER, &left, c->err);
	if (rc < 0)
		return rc;
	c->test->left = left;
	c->test->class = flt_type_class(left->type);
	c->test->flags = left->flags;
	c->test->stateful = left->stateful;
	if (!flt_op_takes(c->node->op, left->type, left->is_list))
		return refuse(c, left->is_list ? "is not defined for lists like"
					       : "is not defined for values of the type of");
	return check_special_fields(c);
}

static bool refuses_fields(const struct flt_operand *o)
{
	const struct flt_field *f = flt_operand_base(o);

	return f && f->info->flags & FLT_FIELD_NO_RHS;
}

static int check_right_field(struct checker *c)
{
	const struct flt_operand *right, *left = c->test->left;
	enum flt_op op = c->node->op;
	int rc;

	c->pos = c->node->right->pos;
	rc = flt_program_operand(c->program, c->node->right, FLT_FOR_FILTER, &right, c->err);
	if (rc < 0)
		return rc;
	if (op == FLT_OP_REGEX || op == FLT_OP_PMATCH || c->test->class == FLT_CLASS_NET)
		return refuse(c, "cannot compare with a field the value of");
	if (refuses_fields(left) || refuses_fields(right))
		return error_set(c->err, ERR_COMPILE,
				 "'%.*s' and '%.*s' cannot be compared with each other",
				 (int)c->node->left->text.n, c->node->left->text.p,
				 (int)c->node->right->text.n, c->node->right->text.p);
	if (left->type != right->type || left->is_list != right->is_list)
		return error_set(c->err, ERR_COMPILE, "'%.*s' and '%.*s' are of different types",
				 (int)c->node->left->text.n, c->node->left->text.p,
				 (int)c->node->right->text.n, c->node->right->text.p);
	c->test->right = right;
	c->test->flags &= right->flags;
	c->test->stateful |= right->stateful;
	return 0;
}

/* --- constants --- */

static int own_regex(struct checker *c, struct flt_const *constant)
{
	struct flt_owned_regex *owned = arena_zalloc(&c->program->arena, 1, sizeof(*owned));
	struct sv pattern = constant->text;
	char why[128];

	if (!owned)
		return error_nomem(c->err);
	owned->regex = flt_regex_new(pattern.p, pattern.n, why, sizeof(why));
	if (!owned->regex && !why[0])
		return error_nomem(c->err);
	if (!owned->regex)
		return error_set(c->err, ERR_COMPILE, "invalid regular expression '%s': %s",
				 pattern.p, why);
	owned->next = c->program->regexes;
	c->program->regexes = owned;
	constant->regex = owned->regex;
	return 0;
}

static int check_constant(struct checker *c, const struct flt_expr *value, struct flt_const *out)
{
	enum flt_op op = c->node->op;
	struct flt_types types;
	struct sv text;
	int rc;

	c->pos = value->pos;
	text = arena_sv(&c->program->arena, value->text);
	if (!text.p)
		return error_nomem(c->err);
	if (op == FLT_OP_BCONTAINS || op == FLT_OP_BSTARTSWITH)
		return flt_const_parse_hex(out, text, &c->program->arena, c->err);
	rc = flt_const_parse(out, c->test->left->type, text, c->err);
	if (rc < 0)
		return rc;
	if (is_field(c->test->left, "evt.type") && !flt_types_named(text, &types))
		return error_set(c->err, ERR_COMPILE, "unknown event type %s", text.p);
	return op == FLT_OP_REGEX ? own_regex(c, out) : 0;
}

static int check_constants(struct checker *c)
{
	struct flt_expr *right = c->node->right, **values = &right;
	uint32_t count = 1;

	if (right->kind == FLT_EXPR_LIST) {
		values = right->items;
		count = right->count;
	}
	c->test->consts = arena_zalloc(&c->program->arena, count, sizeof(struct flt_const));
	if (!c->test->consts)
		return error_nomem(c->err);
	c->test->count = count;
	for (uint32_t i = 0; i < count; i++) {
		int rc = check_constant(c, values[i], &c->test->consts[i]);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- one test for equal checks --- */

static int compile(struct checker *c)
{
	int rc;

	c->test = arena_zalloc(&c->program->arena, 1, sizeof(*c->test));
	if (!c->test)
		return error_nomem(c->err);
	c->test->op = c->node->op;
	c->test->modifier = c->node->modifier;
	rc = check_left(c);
	if (rc < 0)
		return rc;
	if (c->node->right) {
		enum flt_expr_kind kind = c->node->right->kind;

		rc = kind == FLT_EXPR_VALUE || kind == FLT_EXPR_LIST ? check_constants(c)
								     : check_right_field(c);
		if (rc < 0)
			return rc;
	}
	return flt_test_prepare(c->program, c->test, c->err);
}

static void check_key(struct buf *key, const struct flt_node *n)
{
	buf_char(key, (char)('A' + (int)n->op));
	buf_char(key, (char)('0' + (int)n->modifier));
	flt_expr_key(key, n->left);
	if (n->right)
		flt_expr_key(key, n->right);
}

/* Checks with stateful fields are never the same. */
int flt_program_share(struct flt_program *p, struct flt_test *t, struct sv key, struct error *err)
{
	if (!grow_pointers(&p->arena, &p->tests, p->test_count))
		return error_nomem(err);
	t->id = p->test_count;
	p->tests[p->test_count++] = t;
	if (t->stateful)
		return 0;
	key = arena_sv(&p->arena, key);
	if (!key.p || smap_put(&p->test_map, key, t) < 0)
		return error_nomem(err);
	return 0;
}

int flt_program_check(struct flt_program *p, const struct flt_node *n, struct flt_test **out,
		      struct flt_pos *pos, struct error *err)
{
	struct checker c = {.program = p, .node = n, .pos = n->pos, .err = err};
	struct buf key = {0};
	int rc = 0;

	check_key(&key, n);
	if (key.failed) {
		rc = error_nomem(err);
		goto out;
	}
	*out = smap_get(&p->test_map, buf_view(&key));
	if (*out)
		goto out;
	rc = compile(&c);
	if (rc == 0)
		rc = flt_program_share(p, c.test, buf_view(&key), err);
	*out = c.test;
	if (rc < 0) {
		*pos = c.pos;
		if (c.test)
			flt_test_done(c.test);
	}
out:
	buf_done(&key);
	return rc;
}
