/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs at the entry and the exit of system calls. A dispatcher decides whether a call is
 * recorded and leaves the rest to the program of the call, which the generator made from a recipe
 * or which is written by hand in one of the headers. Facts: live capture specification,
 * "Dispatcher (sys_exit), exact order".
 */
#include "capture/bpf/kernel.h"

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "capture/bpf/args.h"
#include "capture/bpf/event.h"
#include "capture/bpf/task.h"

#include "capture/bpf/file.h"
#include "capture/bpf/proc.h"
#include "capture/bpf/socket.h"

#include "capture/bpf/filter.h"
#include "capture/bpf/io.h"

/* Of tracepoints other than those of system calls. What has a type of our own is not attached if it
 * is not wanted. */
static __always_inline bool skip_task(struct task_struct *task, u32 type)
{
	if (type < WIRE_EVENT_TYPES &&
	    !(settings.interesting_events[type / 64 & 7] >> (type & 63) & 1))
		return true;
	return task->tgid == cfg_own_tgid || !keep_task(task, type);
}

#include "capture/bpf/hooks.h"
#include "capture/bpf/select.h"
#include "capture/bpf/uring.h"

#include "capture/programs.h" /* generated */

/*
 * The calls that are made most. A jump to a constant slot is a direct one; where the slot is a
 * variable it goes through a retpoline, on machines that need those.
 */
#if defined(__TARGET_ARCH_x86)
enum { NR_READ = 0, NR_WRITE = 1, NR_CLOSE = 3, NR_SENDTO = 44, NR_RECVFROM = 45, NR_OPENAT = 257 };
#else
enum {
	NR_READ = 63,
	NR_WRITE = 64,
	NR_CLOSE = 57,
	NR_SENDTO = 206,
	NR_RECVFROM = 207,
	NR_OPENAT = 56
};
#endif

#define JUMP(number)                                                                               \
	case number:                                                                               \
		bpf_tail_call_static(ctx, &exits, number);                                         \
		break

/* The hot path of every call of the machine: add nothing before the first return. */
SEC("tp_btf/sys_exit")
int BPF_PROG(dispatch, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 nr = call_number(task, regs, ret);

	if (nr >= WIRE_SYSCALLS || !has_call(settings.interesting, nr))
		return 0;
	if (task->tgid == cfg_own_tgid || !keep_event(task, regs, nr, ret))
		return 0;
	switch (nr) {
		JUMP(NR_READ);
		JUMP(NR_WRITE);
		JUMP(NR_CLOSE);
		JUMP(NR_SENDTO);
		JUMP(NR_RECVFROM);
		JUMP(NR_OPENAT);
	default:
		bpf_tail_call(ctx, &exits, nr);
	}
	return 0;
}

/* Only attached when copies of arguments are wanted before the kernel reads them. */
SEC("tp_btf/sys_enter")
int BPF_PROG(dispatch_enter, struct pt_regs *regs, long id)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 nr = call_number(task, regs, 1);

	if (nr >= WIRE_SYSCALLS || !has_call(settings.interesting_entries, nr))
		return 0;
	if (task->tgid == cfg_own_tgid || !keep_entry(task, nr))
		return 0;
	bpf_tail_call(ctx, &entries, nr);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
