/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers: functions over operands, checked when a program is built and applied per event. */
#ifndef ENGINE_FILTER_TRANSFORM_H
#define ENGINE_FILTER_TRANSFORM_H

#include "engine/filter/internal.h"

enum flt_transform {
#define TRANSFORM(sym, name, check, apply, help) FLT_TRANSFORM_##sym,
#include "engine/filter/transforms.def"
#undef TRANSFORM
	FLT_TRANSFORM_COUNT
};

struct flt_operand;

struct flt_transform_info {
	const char *name, *help;
	/* Check the arguments in @o and set its type, format and is_list. Return: 0 or ERR_COMPILE.
	 */
	int (*check)(struct flt_operand *o, struct error *err);
	/* Return: false if the result is absent. New texts and items go to cx->scratch. */
	bool (*apply)(struct flt_ctx *cx, const struct flt_operand *o, struct flt_value *out);
};

/* NULL: no such transformer. */
const struct flt_transform_info *flt_transform_find(struct sv name);

extern const struct flt_transform_info flt_transform_table[FLT_TRANSFORM_COUNT];

#endif
