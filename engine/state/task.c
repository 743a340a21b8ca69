/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters common to clone and exec, and what they set. */
#include "engine/state/task.h"

bool state_task_read(struct state_event *e, struct state_task *task)
{
	*task = (struct state_task){
	    .exe = ev_str(e->ev, 1),
	    .args = state_bytes(e, 2),
	    .cgroups = state_bytes(e, 14),
	    .has_cgroups = ev_param(e->ev, 14).n != 0,
	    .has_memory = ev_param(e->ev, 12).n != 0,
	};
	task->comm = ev_param(e->ev, 13).n ? ev_str(e->ev, 13) : task->exe;
	state_need_i64(e, 4, &task->pid);
	state_need_i64(e, 5, &task->ptid);
	state_need_i64(e, 7, &task->fdlimit);
	if (task->has_memory) {
		state_need_u64(e, 8, &task->pfmajor);
		state_need_u64(e, 9, &task->pfminor);
		state_need_u32(e, 10, &task->vmsize);
		state_need_u32(e, 11, &task->vmrss);
		state_need_u32(e, 12, &task->vmswap);
	}
	return !e->malformed;
}

void state_task_set_names(struct state *st, struct state_thread *t, const struct state_task *task,
			  bool comm_first, const struct state_thread *like)
{
	struct state_str *exe = state_str_like(st, task->exe, like ? like->exe : NULL);

	state_str_unref(st, t->exe);
	t->exe = exe;
	if (comm_first)
		state_thread_set_comm(st, t, task->comm, like);
	state_thread_set_args(st, t, task->args, like);
	if (!comm_first)
		state_thread_set_comm(st, t, task->comm, like);
}

void state_task_set_figures(struct state *st, struct state_thread *t, const struct state_task *task,
			    const struct state_thread *like)
{
	t->fdlimit = task->fdlimit;
	if (task->has_memory) {
		t->pfmajor = task->pfmajor;
		t->pfminor = task->pfminor;
		t->vmsize_kb = task->vmsize;
		t->vmrss_kb = task->vmrss;
		t->vmswap_kb = task->vmswap;
	}
	if (task->has_cgroups)
		state_thread_set_cgroups(st, t, task->cgroups, like);
}
