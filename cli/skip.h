/* SPDX-License-Identifier: Apache-2.0 */
/* Which chunks of an index can hold an event that passes a condition. */
#ifndef CLI_SKIP_H
#define CLI_SKIP_H

#include "engine/filter/filter.h"
#include "scapfile/index.h"

struct cli_skip {
	struct flt_types types; /* that can pass */
	bool one_thread;
	int64_t tid; /* that can */
};

/* What can be told of @n without an event. Return: 0 or ERR_COMPILE: nothing. */
MUST_CHECK int cli_skip_of(const struct flt_node *n, struct cli_skip *out);
bool cli_skip_may_pass(const struct cli_skip *s, const struct sf_chunk *c);

#endif
