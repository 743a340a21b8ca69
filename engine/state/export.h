/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state as the items a capture begins with: machine, interfaces, users and groups, threads,
 * descriptors; then, as events, containers, their users, hashes of executables, and at last what
 * lists have no room for. A state that takes them goes on as this one, but for:
 * - numbers of events, the time that evt.reltime counts from, and ports of listeners that the
 *   capture's own lists had;
 * - the order of a thread's children and of the threads of a process, which is that of their ids;
 * - executables of which two with different contents are known; members of a container's
 *   description that no field shows;
 * - placeholders, threads of which little more than the id is known: only names, times, flags and
 *   descriptors.
 * Units: nanoseconds. Threads: as for state.h.
 */
#ifndef ENGINE_STATE_EXPORT_H
#define ENGINE_STATE_EXPORT_H

#include "engine/state/state.h"

enum state_part { STATE_PART_NONE, STATE_PART_THREAD, STATE_PART_ALL /* with descriptors */ };

struct state_export {
	/* How much of a thread is wanted; NULL: all of each. */
	enum state_part (*part)(void *arg, const struct state_thread *t);
	/* Takes one item, borrowed for the call. Return: 0 or ERR_*. */
	int (*put)(void *arg, const struct ev_item *item, struct error *err);
	void *arg;
	uint64_t ts; /* of events that are made up: the time of the state */
};

/* @st is complete, and no removal is pending: state_settle(). Return: 0, ERR_NOMEM, what put()
 * returns. */
MUST_CHECK int state_export(const struct state *st, const struct state_export *x,
			    struct error *err);

#endif
