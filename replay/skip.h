/* SPDX-License-Identifier: Apache-2.0 */
/* Which chunks of an index can hold an event that passes a condition. */
#ifndef REPLAY_SKIP_H
#define REPLAY_SKIP_H

#include "engine/filter/filter.h"
#include "scapfile/index.h"

struct run_skip {
	struct flt_types types; /* that can pass */
	bool one_thread;
	int64_t tid; /* that can */
};

/* What can be told of @n without an event. Return: 0 or ERR_COMPILE: nothing. */
MUST_CHECK int run_skip_of(const struct flt_node *n, struct run_skip *out);
bool run_skip_may_pass(const struct run_skip *s, const struct sf_chunk *c);

#endif
