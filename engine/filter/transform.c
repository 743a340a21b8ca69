/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter/transform.h"

const struct flt_transform_info flt_transform_table[FLT_TRANSFORM_COUNT] = {
#define TRANSFORM(sym, text, about) [FLT_TRANSFORM_##sym] = {.name = (text), .help = (about)},
#include "engine/filter/transforms.def"
#undef TRANSFORM
};
