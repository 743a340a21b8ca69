/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/skip.h"

#include <string.h>

#include "base/human.h"

/* "thread.tid = 1234", by itself or among what must all hold. */
static const struct flt_expr *tid_of(const struct flt_node *n)
{
	const struct flt_expr *found = NULL;

	if (n->kind == FLT_CHECK && n->op == FLT_OP_EQ && n->modifier == FLT_MOD_NONE &&
	    n->left->kind == FLT_EXPR_FIELD && sv_is(n->left->text, "thread.tid") &&
	    !n->left->has_arg && n->right->kind == FLT_EXPR_VALUE)
		return n->right;
	for (uint32_t i = 0; n->kind == FLT_AND && i < n->count && !found; i++)
		if (n->kids[i]->kind == FLT_CHECK)
			found = tid_of(n->kids[i]);
	return found;
}

int run_skip_of(const struct flt_node *n, struct run_skip *out)
{
	const struct flt_expr *tid = tid_of(n);
	char text[24] = "";
	uint64_t number;

	*out = (struct run_skip){0};
	if (tid && tid->text.n < sizeof(text))
		memcpy(text, tid->text.p, tid->text.n);
	out->one_thread = human_u64(text, &number) && number <= INT64_MAX;
	out->tid = out->one_thread ? (int64_t)number : 0;
	return flt_types_of(n, &out->types, NULL);
}

bool run_skip_may_pass(const struct run_skip *s, const struct sf_chunk *c)
{
	uint8_t any = 0;

	if (s->one_thread && !sf_chunk_may_have(c, s->tid))
		return false;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		any |= flt_types_has(&s->types, type) && sf_chunk_has_type(c, type);
	return any;
}
