/* SPDX-License-Identifier: Apache-2.0 */
/* One value against one constant: what each operator means for each class of value. */
#ifndef ENGINE_FILTER_COMPARE_H
#define ENGINE_FILTER_COMPARE_H

#include "engine/filter/constant.h"

typedef bool (*flt_compare_fn)(struct flt_ctx *cx, const struct flt_datum *v,
			       const struct flt_const *c);

/*
 * NULL: not defined. Texts are C strings to most operators: a NUL byte in the value ends it. With
 * @whole, and for in, intersects and regex, they are full length but for trailing NULs. FLT_OP_IN
 * and FLT_OP_INTERSECTS compare as "=" with @whole does.
 */
flt_compare_fn flt_compare_find(enum flt_class class, enum flt_op op, bool whole);

/* The value's text as in, intersects and regex see it. */
static inline struct sv flt_whole_text(const struct flt_datum *v)
{
	size_t n = v->n;

	while (n && v->p[n - 1] == '\0')
		n--;
	return sv_make(v->p, n);
}

/* @s if it is valid UTF-8, else a copy in @tmp with each invalid sequence replaced by U+FFFD. */
struct sv flt_utf8_repair(struct sv s, struct buf *tmp);

#endif
