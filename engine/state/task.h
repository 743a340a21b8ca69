/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters that the clone and exec families have in common. */
#ifndef ENGINE_STATE_TASK_H
#define ENGINE_STATE_TASK_H

#include "engine/state/internal.h"

struct state_task {
	struct sv exe, comm; /* comm: exe if the event lacks it */
	struct sv args, cgroups;
	bool has_cgroups;
	int64_t pid, ptid, fdlimit;
	bool has_memory;
	uint64_t pfmajor, pfminor;
	uint32_t vmsize, vmrss, vmswap;
};

/* Parameters 1 to 14. Return: false if one is malformed. */
bool state_task_read(struct state_event *e, struct state_task *task);
/* comm, exe and arguments; a comm before the arguments gives a cached command line. */
void state_task_set_names(struct state *st, struct state_thread *t, const struct state_task *task,
			  bool comm_first, const struct state_thread *like);
/* Limits, memory, cgroups. */
void state_task_set_figures(struct state *st, struct state_thread *t, const struct state_task *task,
			    const struct state_thread *like);
static inline struct sv state_bytes(struct state_event *e, unsigned i)
{
	struct ev_value v = ev_param(e->ev, i);

	return sv_make(v.p, v.n);
}

#endif
