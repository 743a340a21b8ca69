/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals, page faults, switches, and copies of arguments made before the kernel reads them. The
 * first three may happen inside any other program: fixed size only, no scratch buffer, no walk.
 */
#ifndef CAPTURE_BPF_HOOKS_H
#define CAPTURE_BPF_HOOKS_H

#include "capture/bpf/event.h"

struct k_sigaction;

#define SIGHUP_	  1
#define SIGINT_	  2
#define SIGQUIT_  3
#define SIGKILL_  9
#define SIGTERM_  15
#define SIGCHLD_  17
#define SIGTSTP_  20
#define SIGRTMIN_ 32
#define SIGRTMAX_ 64

/* Who sent the signal, as its own siginfo names it; 0: the kernel, or not told. */
static __always_inline s64 sender(int sig, struct kernel_siginfo *info)
{
	int code;

	if ((u64)info <= 2) /* marks of the kernel instead of a siginfo */
		return 0;
	code = BPF_CORE_READ(info, si_code);
	switch (sig) {
	case SIGTERM_:
	case SIGHUP_:
	case SIGINT_:
	case SIGTSTP_:
	case SIGQUIT_:
		if (code > 0)
			return 0;
		break;
	case SIGKILL_:
	case SIGCHLD_:
		break;
	default:
		if (sig < SIGRTMIN_ || sig > SIGRTMAX_)
			return 0;
	}
	/* At the same place in all forms of siginfo that are meant here. */
	return BPF_CORE_READ(info, _sifields._kill._pid);
}

#ifdef __TARGET_ARCH_x86
#define fault_ip(regs) ((regs)->ip)
#else
#define fault_ip(regs) 0 /* other machines lack the tracepoints */
#endif

/* Bits of the processor's error code; the first three each have a flag for "not". */
static __always_inline u32 page_fault_flags(u64 error)
{
	u32 flags = error & 1 ? 1 : 2;

	flags |= error & 2 ? 4 : 8;
	flags |= error & 4 ? 16 : 32;
	if (error & 8)
		flags |= 64;
	if (error & 16)
		flags |= 128;
	return flags;
}

/* Those of struct open_how, at its beginning; none if it cannot be read. */
static __always_inline u32 how_flags(u64 how)
{
	u64 flags;

	if (bpf_probe_read_user(&flags, sizeof(flags), (void *)how))
		return 0;
	return map_open_flags((u32)flags);
}

#endif
