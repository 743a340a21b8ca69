/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an event costs at least: 46 bytes with a header for each read and write, no parameter looked
 * at. The measure for the recorder's own programs; only record_bench loads it.
 */
#include "capture/bpf/kernel.h"

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_tracing.h>

#define EVENT_LEN  46
#define RING_BYTES (8 * 1024 * 1024)

#ifdef __TARGET_ARCH_x86
#define NUMBER(regs) ((regs)->orig_ax)
#define NR_READ	     0
#define NR_WRITE     1
#else
#define NUMBER(regs) ((regs)->syscallno)
#define NR_READ	     63
#define NR_WRITE     64
#endif

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} bare_ring SEC(".maps");

SEC("tp_btf/sys_exit")
int BPF_PROG(bare, struct pt_regs *regs, long ret)
{
	u64 nr = NUMBER(regs);
	u64 *e;

	if (nr != NR_READ && nr != NR_WRITE)
		return 0;
	e = bpf_ringbuf_reserve(&bare_ring, EVENT_LEN, 0);
	if (!e)
		return 0;
	e[0] = bpf_ktime_get_boot_ns();
	e[1] = bpf_get_current_pid_tgid();
	e[2] = EVENT_LEN;
	e[3] = nr;
	e[4] = ret;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
