/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and arguments of system calls, whoever made them. Facts: live capture specification,
 * "32-bit callers (x86) and socketcall". The dispatcher translates a 32-bit call once and leaves
 * what it found in `ia32_calls`; a 64-bit call pays one test of the task's status for that.
 */
#ifndef CAPTURE_BPF_ARGS_H
#define CAPTURE_BPF_ARGS_H

#include "capture/bpf/kernel.h"

#include <bpf/bpf_helpers.h>

#include "capture/tables.h" /* generated */

/*
 * @nr as an index of tables by call: where the compiler knows the bound it drops a plain mask, and
 * the verifier of 6.1 does not know.
 */
static __always_inline u64 call_index(u32 nr)
{
	u64 i = nr;

	asm volatile("%0 &= %1" : "+r"(i) : "i"(WIRE_SYSCALLS - 1));
	return i;
}

/* Is the bit of call @nr set? */
static __always_inline bool has_call(const volatile u64 *words, u32 nr)
{
	u64 i = call_index(nr);

	return words[i >> 6] >> (i & 63) & 1;
}
#include "capture/wire.h"

#define TS_COMPAT	  2
#define NO_CALL		  WIRE_SYSCALLS
#define IA32_OLD_MMAP	  90
#define IA32_SOCKETCALL	  102
#define IA32_IPC	  117
#define IA32_PREAD	  180
#define IA32_PWRITE	  181
#define IA32_SETRESUID16  164
#define IA32_GETRESUID16  165
#define IA32_SETRESGID16  170
#define IA32_GETRESGID16  171
#define IA32_PREADV	  333
#define IA32_PWRITEV	  334
#define IA32_PPOLL_TIME64 414
#define IA32_EXECVE64	  59  /* x86_64 numbers: seen with a 32-bit mark */
#define IA32_EXECVEAT64	  322 /* when a 64-bit task became a 32-bit one */

struct args {
	u64 v[6];
};

struct ia32_call { /* of this CPU's task, filled by the dispatcher */
	struct args args;
	u32 number; /* as the caller gave it */
	u32 native; /* what it means */
};

#ifdef __TARGET_ARCH_x86

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct ia32_call);
} ia32_calls SEC(".maps");

static __always_inline struct ia32_call *this_ia32_call(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&ia32_calls, &zero);
}

/* Does the current call come from 32-bit code? Its structs in user memory differ, too. */
static __always_inline bool is_narrow(void)
{
	return bpf_get_current_task_btf()->thread_info.status & TS_COMPAT;
}

static __always_inline struct args read_args(struct pt_regs *regs)
{
	struct args a = {};

	if (is_narrow()) {
		struct ia32_call *c = this_ia32_call();

		if (c) /* volatile: not to be merged with the loads of registers */
			for (u32 i = 0; i < 6; i++)
				a.v[i] = *(volatile u64 *)&c->args.v[i];
	} else {
		a.v[0] = regs->di;
		a.v[1] = regs->si;
		a.v[2] = regs->dx;
		a.v[3] = regs->r10;
		a.v[4] = regs->r8;
		a.v[5] = regs->r9;
	}
	return a;
}

/* The 32-bit number, 0 for 64-bit callers. */
static __always_inline u32 ia32_number(void)
{
	struct ia32_call *c = is_narrow() ? this_ia32_call() : 0;

	return c ? c->number : 0;
}

static __always_inline u32 native_number(struct pt_regs *regs)
{
	struct ia32_call *c = is_narrow() ? this_ia32_call() : 0;

	return c ? c->native : (u32)regs->orig_ax;
}

/* @n numbers of an argument block in user memory take the place of the arguments. */
static __always_inline void read_block(struct args *a, u64 block, u32 n)
{
	u32 words[6] = {};

	if (n > 6)
		n = 6;
	if (bpf_probe_read_user(words, 4 * n, (void *)block))
		__builtin_memset(words, 0, sizeof(words));
	for (u32 i = 0; i < 6; i++)
		a->v[i] = words[i];
}

/* socketcall(2): the call, and how many arguments its block holds; SEND and RECV have no address.
 */
static const struct {
	u16 native;
	u16 args;
} socketcalls[32] = {
    {0, 0},  {41, 3}, {49, 3}, {42, 3}, {50, 2},  {43, 3},  {51, 3},
    {52, 3}, {53, 4}, {44, 4}, {45, 4}, {44, 6},  {45, 6},  {48, 2},
    {54, 5}, {55, 5}, {46, 3}, {47, 3}, {288, 4}, {299, 5}, {307, 4},
};

static __always_inline u32 from_socketcall(struct args *a)
{
	u32 call = a->v[0] & 31;

	if (a->v[0] > 20 || !call)
		return NO_CALL;
	read_block(a, a->v[1], socketcalls[call].args);
	return socketcalls[call].native;
}

/* ipc(2): (call, first, second, third, pointer), for semaphores, messages and shared memory. */
static const u16 ipc_calls[32] = {0,  65, 64, 66, 220, 0, 0, 0, 0,  0,	0,  69, 70,
				  68, 71, 0,  0,  0,   0, 0, 0, 30, 67, 29, 31};
#define IPC_SEMOP  1
#define IPC_SEMCTL 3

static __always_inline u32 from_ipc(struct args *a)
{
	u64 call = a->v[0] & 0xffff, first = a->v[1], second = a->v[2], third = a->v[3];
	u64 pointer = a->v[4];
	u32 value = 0;

	a->v[0] = first;
	a->v[1] = call == IPC_SEMOP ? pointer : second;
	a->v[2] = call == IPC_SEMOP ? second : third;
	if (call == IPC_SEMCTL)
		bpf_probe_read_user(&value, sizeof(value), (void *)pointer);
	a->v[3] = value;
	return call < 32 && ipc_calls[call & 31] ? ipc_calls[call & 31] : NO_CALL;
}

/* The first calls had ids of 16 bits, the largest of which stood for "leave it". */
static __always_inline u64 wide_id(u64 id)
{
	return (u16)id == 0xffff ? 0xffffffff : (u16)id;
}

static __always_inline void widen_ids(struct args *a, u32 number)
{
	u32 first = 0, n = 0;

	switch (number) {
	case 16:  /* lchown */
	case 95:  /* fchown */
	case 182: /* chown */
		first = 1;
		n = 2;
		break;
	case 23: /* setuid */
	case 46: /* setgid */
		n = 1;
		break;
	case 70: /* setreuid */
	case 71: /* setregid */
		n = 2;
		break;
	case IA32_SETRESUID16:
	case IA32_SETRESGID16:
		n = 3;
		break;
	}
	for (u32 i = 0; i < 3; i++)
		if (i >= first && i < first + n)
			a->v[i] = wide_id(a->v[i]);
}

/*
 * Fills in the call of this CPU. Return: the native number, one of the slots behind them for calls
 * with other arguments, the last slot for calls without an equivalent, NO_CALL for none at all.
 */
static __always_inline u32 translate_ia32(struct pt_regs *regs, u32 number, long ret)
{
	struct ia32_call *c = this_ia32_call();
	u32 native;

	if (!c)
		return NO_CALL;
	if ((number == IA32_EXECVE64 || number == IA32_EXECVEAT64) && ret == 0)
		return number;
	c->number = number;
	c->args.v[0] = (u32)regs->bx;
	c->args.v[1] = (u32)regs->cx;
	c->args.v[2] = (u32)regs->dx;
	c->args.v[3] = (u32)regs->si;
	c->args.v[4] = (u32)regs->di;
	c->args.v[5] = (u32)regs->bp;
	native = ia32_numbers[number & (WIRE_SYSCALLS - 1)];
	native = number < WIRE_SYSCALLS && native ? native - 1 : NO_CALL;
	if (number == IA32_SOCKETCALL)
		native = from_socketcall(&c->args);
	else if (number == IA32_IPC)
		native = from_ipc(&c->args);
	else if (number == IA32_OLD_MMAP)
		read_block(&c->args, c->args.v[0], 6);
	else if (number == IA32_PREAD || number == IA32_PWRITE || number == IA32_PREADV ||
		 number == IA32_PWRITEV)
		c->args.v[3] |= c->args.v[4] << 32;
	else
		widen_ids(&c->args, number);
	c->native = native == NO_CALL ? number | WIRE_NATIVE_IA32 : native;
	return native == NO_CALL ? WIRE_SYSCALLS - 1 : native;
}

/* The number by which a call is selected, or NO_CALL. */
static __always_inline u32 call_number(struct task_struct *task, struct pt_regs *regs, long ret)
{
	u32 number = (u32)regs->orig_ax;

	if (number == (u32)-1)
		return NO_CALL;
	if (task->thread_info.status & TS_COMPAT)
		return translate_ia32(regs, number, ret);
	return number < WIRE_SYSCALLS - WIRE_IA32_SLOTS ? number : NO_CALL;
}

#else

#define TIF_32BIT 22

static __always_inline bool is_narrow(void)
{
	return false;
}

static __always_inline struct args read_args(struct pt_regs *regs)
{
	struct args a;

	a.v[0] = regs->orig_x0;
	a.v[1] = regs->regs[1];
	a.v[2] = regs->regs[2];
	a.v[3] = regs->regs[3];
	a.v[4] = regs->regs[4];
	a.v[5] = regs->regs[5];
	return a;
}

static __always_inline u32 ia32_number(void)
{
	return 0;
}

static __always_inline u32 native_number(struct pt_regs *regs)
{
	return (u32)regs->syscallno;
}

/* 32-bit calls have numbers of another machine: they are left out. */
static __always_inline u32 call_number(struct task_struct *task, struct pt_regs *regs, long ret)
{
	u32 number = (u32)regs->syscallno;

	if (task->thread_info.flags >> TIF_32BIT & 1)
		return NO_CALL;
	return number < WIRE_SYSCALLS - WIRE_IA32_SLOTS ? number : NO_CALL;
}

#endif

/* The code of a call; 0: it has none. */
static __always_inline u16 call_code(u32 native)
{
	return native < WIRE_SYSCALLS ? syscall_codes[native & (WIRE_SYSCALLS - 1)] : 0;
}

#define s32(v) ((s64)(int)(v))

/* A number in user memory; @otherwise when it cannot be read. */
#define user_or(type, ptr, otherwise)                                                              \
	({                                                                                         \
		type user_value;                                                                   \
		if (bpf_probe_read_user(&user_value, sizeof(user_value), (void *)(ptr)))           \
			user_value = (type)(otherwise);                                            \
		user_value;                                                                        \
	})
#define user(type, ptr) user_or(type, ptr, 0)

/* A user or group id in user memory; 0 when it cannot be read. */
static __always_inline u32 user_id(u64 ptr)
{
	u32 number = ia32_number();

	return number == IA32_GETRESUID16 || number == IA32_GETRESGID16 ? user(u16, ptr)
									: user(u32, ptr);
}

/* A time in user memory as nanoseconds: struct timespec of the caller's width. */
static __always_inline u64 user_timespec(u64 ptr)
{
	s64 wide[2];
	s32 narrow[2];

	if (is_narrow() && ia32_number() != IA32_PPOLL_TIME64) {
		if (bpf_probe_read_user(narrow, sizeof(narrow), (void *)ptr))
			return 0;
		return (s64)narrow[0] * 1000000000ll + narrow[1];
	}
	if (bpf_probe_read_user(wide, sizeof(wide), (void *)ptr))
		return 0;
	return wide[0] * 1000000000ll + wide[1];
}

#endif
