/* SPDX-License-Identifier: Apache-2.0 */
/* Operations through io_uring among the events of a capture: lines and JSON objects of their own.
 */
#ifndef CLI_OPERATIONS_H
#define CLI_OPERATIONS_H

#include "cli/show.h"

/* What stands in the place of an event's number, and in that of its type. */
#define CLI_OPERATION_START "*- %evt.outputtime %evt.cpu "
#define CLI_OPERATION_END   " < io_uring "

/*
 * Append the operation @ev with a line end. @head: how lines begin, a format of CLI_OPERATION_START
 * and CLI_OPERATION_END; not used for JSON. @cx looks at it until its next event.
 */
void cli_show_operation(struct cli_show *head, struct flt_ctx *cx, const struct state *st,
			struct ev *ev, struct buf *out);

#endif
