/* SPDX-License-Identifier: Apache-2.0 */
/* How often each event type occurred; calls without a type of their own count by their names. */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include "cli/cli.h"

struct cli_summary { /* zero-initialised storage is a valid empty one */
	struct cli_summary_row {
		struct sv name;	    /* a constant */
		uint64_t counts[2]; /* of enter and exit events */
	} rows[EV_TYPE_COUNT + EV_SYSCALL_COUNT];
	size_t count;
	struct smap by_name;
};

void cli_summary_done(struct cli_summary *s);
/* Return: 0 or ERR_NOMEM. */
MUST_CHECK int cli_summary_add(struct cli_summary *s, struct ev *ev);
/* Append the table, most frequent first; the rows are sorted and nothing can be added any more. */
void cli_summary_print(struct cli_summary *s, struct buf *out);

#endif
