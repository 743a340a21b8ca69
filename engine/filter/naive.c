/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The oracle: a condition evaluated as it is written. Every check extracts its fields anew, looks
 * at its constants one after the other, and remembers nothing.
 */
#include "engine/filter/program.h"

static bool check(struct flt_ctx *cx, const struct flt_test *t)
{
	struct flt_value left, right;

	cx->epoch++; /* forget what is remembered */
	if (!flt_operand_eval(cx, t->left, &left))
		return false;
	if (t->op == FLT_OP_EXISTS)
		return true;
	if (t->run == flt_is_around)
		return flt_is_around(cx, t);
	if (!t->right)
		return flt_value_satisfies(cx, t, &left, flt_satisfies_slowly);
	return flt_operand_eval(cx, t->right, &right) &&
	       flt_value_satisfies_field(cx, t, &left, &right);
}

static bool walk(struct flt_ctx *cx, const struct flt_logic *l)
{
	bool is_or = l->kind == FLT_OR;

	if (l->kind == FLT_CHECK)
		return check(cx, l->test);
	if (l->kind == FLT_NOT)
		return !walk(cx, l->kids[0]);
	for (uint32_t i = 0; i < l->count; i++)
		if (walk(cx, l->kids[i]) == is_or)
			return is_or;
	return !is_or;
}

bool flt_match_naive(struct flt_ctx *cx, unsigned condition)
{
	struct flt_private *privates = cx->privates;
	bool result;

	cx->privates = cx->naive_privates; /* as if nothing else had been evaluated */
	result = walk(cx, cx->program->conditions[condition]);
	cx->privates = privates;
	return result;
}
