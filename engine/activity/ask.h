/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions over state: there is no event, so fields of some classes only make sense. Threads: as
 * the context.
 */
#ifndef ENGINE_ACTIVITY_ASK_H
#define ENGINE_ACTIVITY_ASK_H

#include "engine/filter/filter.h"

/* The first field of @n that is of none of @classes ("proc fd user"); NULL: all are. */
const struct flt_expr *act_foreign_field(const struct flt_node *n, const char *classes);
/* Does @t, or its descriptor @fd (may be NULL), pass as of @ts? */
bool act_passes(struct flt_ctx *cx, unsigned condition, const struct state *st,
		struct state_thread *t, struct state_fd *fd, uint64_t ts);

#endif
