/* SPDX-License-Identifier: Apache-2.0 */
/* Fields without an idea of their own, and what all extractors share. */
#include "engine/filter/fields.h"

struct sv flt_keep_text(struct flt_ctx *cx)
{
	char *copy = arena_alloc(&cx->scratch, cx->text.len + 1);

	if (!copy || cx->text.failed)
		return SV_LIT("");
	if (cx->text.len)
		memcpy(copy, cx->text.p, cx->text.len);
	copy[cx->text.len] = '\0';
	return sv_make(copy, cx->text.len);
}

bool flt_yield_built(struct flt_ctx *cx, struct flt_value *out)
{
	return flt_yield_text(out, flt_keep_text(cx));
}

void flt_join_list(struct buf *out, const struct state_list *list)
{
	struct sv item;
	bool first = true;

	for (size_t at = 0; state_list_next(list, &at, &item); first = false) {
		if (!first)
			buf_char(out, ' ');
		buf_sv(out, item);
	}
}

bool flt_x_never(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)cx;
	(void)f;
	(void)out;
	return false;
}

bool flt_x_zero(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)cx;
	(void)f;
	return flt_yield_u64(out, 0);
}

bool flt_x_one(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)cx;
	(void)f;
	return flt_yield_u64(out, 1);
}

bool flt_x_static(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)cx;
	return flt_yield_text(out, sv_of(f->data));
}

bool flt_x_util_cnt(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	return flt_yield_u64(out, ++cx->privates[f->id].a);
}
