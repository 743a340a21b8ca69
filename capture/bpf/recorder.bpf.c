/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/bpf/kernel.h"

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "capture/bpf/event.h"
#include "capture/bpf/file.h"
#include "capture/bpf/task.h"

#include "capture/programs.h" /* generated */

/* The hot path of every traced call: nothing before the first return may be added. */
SEC("tp_btf/sys_exit")
int BPF_PROG(dispatch, struct pt_regs *regs, long ret)
{
	struct task_struct *task;
	u32 nr = (u32)regs->orig_ax;

	if (nr >= WIRE_SYSCALLS || !(settings.interesting[(nr >> 6) & 7] >> (nr & 63) & 1))
		return 0;
	task = bpf_get_current_task_btf();
	if (task->tgid == cfg_own_tgid)
		return 0;
	if (task->thread_info.status & TS_COMPAT)
		return 0;
	if (measure_tiny)
		return tiny_event();
	bpf_tail_call(ctx, &exits, nr);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
