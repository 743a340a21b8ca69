/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers: functions over operands, checked when a program is built and applied per event. */
#ifndef ENGINE_FILTER_TRANSFORM_H
#define ENGINE_FILTER_TRANSFORM_H

#include "engine/filter/internal.h"

enum flt_transform {
#define TRANSFORM(sym, name, help) FLT_TRANSFORM_##sym,
#include "engine/filter/transforms.def"
#undef TRANSFORM
	FLT_TRANSFORM_COUNT
};

struct flt_transform_info {
	const char *name, *help;
};

extern const struct flt_transform_info flt_transform_table[FLT_TRANSFORM_COUNT];

#endif
