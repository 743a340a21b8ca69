/* SPDX-License-Identifier: Apache-2.0 */
/* Socket address and tuple parameters of events, decoded (docs/format.md, "Socket addresses"). */
#ifndef ENGINE_ACTIVITY_ENDS_H
#define ENGINE_ACTIVITY_ENDS_H

#include "engine/activity/net.h"

struct act_ends {
	enum act_family family;
	/* In the order of the parameter: outbound calls name the local end first, inbound ones the
	 * remote end. An address parameter has only the first. */
	struct act_end first, second;
	uint64_t source, dest; /* UNIX sockets: kernel addresses */
	struct sv path;
};

/* Return: false if the parameter is empty, of another family, or too short. */
bool act_tuple_decode(struct ev_value v, struct act_ends *out);
bool act_addr_decode(struct ev_value v, struct act_ends *out);
/* The ends of a descriptor's record: the client's first. */
bool act_ends_of_fd(const struct state_fd *fd, struct act_ends *out);

#endif
