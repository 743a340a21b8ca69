/* SPDX-License-Identifier: Apache-2.0 */
/* What a person reads of sessions and commands. */
#include "engine/activity/sessions.h"
#include "engine/activity/words.h"

const char *act_origin_name(enum act_origin o)
{
	static const char *const names[] = {
	    [ACT_ORIGIN_UNKNOWN] = "unknown",
	    [ACT_ORIGIN_REMOTE] = "remote",
	    [ACT_ORIGIN_SOCKET] = "socket",
	    [ACT_ORIGIN_CONTAINER_ENTRY] = "container_entry",
	    [ACT_ORIGIN_CONTAINER_START] = "container_start",
	};

	return names[o];
}

void act_result_text(struct buf *b, bool background, bool ended, int64_t status)
{
	if (background)
		buf_str(b, ended ? "bg " : "bg");
	else if (!ended)
		buf_lit(b, "running");
	if (!ended)
		return;
	if (status < 0)
		buf_lit(b, "ended");
	else if ((status & 0x7f) == 0)
		buf_addf(b, "rc %u", (unsigned)(status >> 8 & 0xff));
	else
		act_status_text(b, status);
}
