/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls whose arguments mean different things by the operation asked for, and the structs that
 * calls without a header of their own read from user memory. Facts: live capture specification,
 * "Dynamic values"; include/uapi/linux of the kernel.
 */
#ifndef CAPTURE_BPF_SELECT_H
#define CAPTURE_BPF_SELECT_H

#include "capture/bpf/event.h"

/* --- poll(2) --- */

#define POLLFDS_MAX 16

struct user_pollfd {
	s32 fd;
	s16 events, revents;
};

/* The first of them: count, then {s64 fd, s16 what happened} each. */
static __always_inline void put_pollfds(struct scratch *s, u32 i, u64 ptr, u64 n)
{
	struct user_pollfd fds[POLLFDS_MAX] = {};
	u8 *at = scratch_at(s);
	u32 count = (u32)n < POLLFDS_MAX ? n : POLLFDS_MAX;

	if (count && bpf_probe_read_user(fds, count * sizeof(fds[0]), (void *)ptr)) {
		s->fault = 1;
		count = 0;
	}
	STORE(u16, at, count);
	for (u32 k = 0; k < POLLFDS_MAX && k < count; k++) {
		STORE(s64, at + 2 + 10 * k, fds[k].fd);
		STORE(s16, at + 10 + 10 * k, map_poll_events((u16)fds[k].revents));
	}
	put_len(s, i, 2 + 10 * count);
}

/* --- mount(2), fsconfig(2) --- */

#define MOUNT_MAGIC	     0xc0ed0000u /* of old programs; the kernel ignores it, too */
#define FSCONFIG_SET_STRING_ 1
#define FSCONFIG_SET_BINARY_ 2
#define FSCONFIG_SET_PATH_   3
#define FSCONFIG_PATH_EMPTY  4
#define FSCONFIG_BINARY_MAX  60000 /* with a key of full length it is still an event */

static __always_inline u32 mount_flags(u32 flags)
{
	return (flags & 0xffff0000u) == MOUNT_MAGIC ? flags & 0xffff : flags;
}

static __always_inline bool fsconfig_has_string(u32 cmd)
{
	return cmd == FSCONFIG_SET_STRING_ || cmd == FSCONFIG_SET_PATH_ ||
	       cmd == FSCONFIG_PATH_EMPTY;
}

static __always_inline u64 fsconfig_len(u64 aux)
{
	return (u32)aux < FSCONFIG_BINARY_MAX ? (u32)aux : FSCONFIG_BINARY_MAX;
}

/* --- quotactl(2) --- */

#define Q_QUOTAON_    0x800002
#define Q_GETFMT_     0x800004
#define Q_GETINFO_    0x800005
#define Q_SETINFO_    0x800006
#define Q_GETQUOTA_   0x800007
#define Q_SETQUOTA_   0x800008
#define Q_XGETQUOTA_  0x5803
#define Q_XSETQLIM_   0x5804
#define QFMT_NOT_USED 1

struct quota { /* struct if_dqblk */
	u64 bhardlimit, bsoftlimit, curspace, ihardlimit, isoftlimit, curinodes, btime, itime;
	u32 valid, pad;
};
struct quota_info { /* struct if_dqinfo */
	u64 bgrace, igrace;
	u32 flags, valid;
};

#define KEEP(field, bit) field = valid & (bit) ? field : 0

/* Zeros where the struct does not say that the field is valid, or the operation has no such. */
static __always_inline struct quota read_quota(u32 cmd, u64 ptr)
{
	struct quota q = {};
	u32 valid;

	if ((cmd != Q_GETQUOTA_ && cmd != Q_SETQUOTA_) ||
	    bpf_probe_read_user(&q, __builtin_offsetof(struct quota, pad), (void *)ptr))
		__builtin_memset(&q, 0, sizeof(q));
	valid = q.valid;
	KEEP(q.bhardlimit, 1);
	KEEP(q.bsoftlimit, 1);
	KEEP(q.curspace, 2);
	KEEP(q.ihardlimit, 4);
	KEEP(q.isoftlimit, 4);
	KEEP(q.btime, 16);
	KEEP(q.itime, 32);
	return q;
}

static __always_inline struct quota_info read_quota_info(u32 cmd, u64 ptr)
{
	struct quota_info q = {};
	u32 valid;

	if ((cmd != Q_GETINFO_ && cmd != Q_SETINFO_) ||
	    bpf_probe_read_user(&q, sizeof(q), (void *)ptr))
		__builtin_memset(&q, 0, sizeof(q));
	valid = q.valid;
	KEEP(q.bgrace, 1);
	KEEP(q.igrace, 2);
	KEEP(q.flags, 4);
	return q;
}

static __always_inline bool quota_has_id(u32 cmd)
{
	return cmd == Q_GETQUOTA_ || cmd == Q_SETQUOTA_ || cmd == Q_XGETQUOTA_ ||
	       cmd == Q_XSETQLIM_;
}

/* --- limits --- */

struct limit {
	s64 cur, max;
};
#define NO_LIMIT ((struct limit){-1, -1})

/* Zeros when it is not there. Without limit is -1 for callers of any width. */
static __always_inline struct limit read_limit(u64 ptr, bool narrow)
{
	struct limit l = {};
	u32 words[2];

	if (narrow && !bpf_probe_read_user(words, sizeof(words), (void *)ptr)) {
		l.cur = words[0] == 0xffffffffu ? -1 : (s64)words[0];
		l.max = words[1] == 0xffffffffu ? -1 : (s64)words[1];
	}
	if (!narrow && bpf_probe_read_user(&l, sizeof(l), (void *)ptr))
		__builtin_memset(&l, 0, sizeof(l));
	return l;
}

/* --- semaphores --- */

#define SETVAL_ 16
#define IPC_64_ 0x100 /* a mark of 32-bit C libraries */

struct semops { /* the first two */
	u16 num[2], op[2], flags[2];
};

static __always_inline struct semops read_semops(u64 ptr, u64 n)
{
	struct semops ops = {};
	u16 first[3] = {}, second[3] = {};

	if (n && !bpf_probe_read_user(first, sizeof(first), (void *)ptr)) {
		ops.num[0] = first[0];
		ops.op[0] = first[1];
		ops.flags[0] = first[2];
	}
	if (n > 1 && !bpf_probe_read_user(second, sizeof(second), (void *)(ptr + sizeof(first)))) {
		ops.num[1] = second[0];
		ops.op[1] = second[1];
		ops.flags[1] = second[2];
	}
	return ops;
}

/* --- values that say what they are: a selector byte comes first --- */

#define PTRACE_UINT64	   0
#define PTRACE_SIGNAL	   1
#define PTRACE_PEEKTEXT_   1
#define PTRACE_PEEKUSR_	   3 /* 2: PEEKDATA */
#define PTRACE_CONT_	   7
#define PTRACE_SINGLESTEP_ 9
#define PTRACE_DETACH_	   17
#define PTRACE_SYSCALL_	   24

static __always_inline void put_u64_choice(struct scratch *s, u32 i, u8 selector, u64 value)
{
	u8 *at = scratch_at(s);

	at[0] = selector;
	STORE(u64, at + 1, value);
	put_len(s, i, 9);
}

static __always_inline void put_ptrace_data(struct scratch *s, u32 i, s64 ret, u32 request,
					    u64 data)
{
	u8 *at = scratch_at(s);

	if (ret < 0) {
		data = 0;
	} else if (request >= PTRACE_PEEKTEXT_ && request <= PTRACE_PEEKUSR_) {
		data = is_narrow() ? user(u32, data) : user(u64, data);
	} else if (request == PTRACE_CONT_ || request == PTRACE_SINGLESTEP_ ||
		   request == PTRACE_DETACH_ || request == PTRACE_SYSCALL_) {
		at[0] = PTRACE_SIGNAL;
		at[1] = data;
		put_len(s, i, 2);
		return;
	}
	put_u64_choice(s, i, PTRACE_UINT64, data);
}

#define PR_SET_NAME_		15
#define PR_GET_NAME_		16
#define PR_GET_CHILD_SUBREAPER_ 37

#define KEY_INT64   0
#define KEY_CHARBUF 1

/* The kinds of four arguments: bit n, number n is an integer; bit 4 + n, it is a string. */
#define KINDS(a, b, c, d) KIND(a, 0) | KIND(b, 1) | KIND(c, 2) | KIND(d, 3)
#define KIND(kind, n)	  ((kind) == 'i' ? 1 << (n) : (kind) == 's' ? 16 << (n) : 0)

/* By operation of keyctl(2), from GET_KEYRING_ID to WATCH_KEY. */
static const u8 keyctl_table[64] = {
    KINDS('i', 'i', 0, 0),     KINDS('s', 0, 0, 0),	  KINDS('i', 'i', 'i', 0),
    KINDS('i', 0, 0, 0),       KINDS('i', 'i', 'i', 0),	  KINDS('i', 'i', 0, 0),
    KINDS('i', 'i', 'i', 0),   KINDS('i', 0, 0, 0),	  KINDS('i', 'i', 0, 0),
    KINDS('i', 'i', 0, 0),     KINDS('i', 's', 's', 'i'), KINDS('i', 'i', 'i', 0),
    KINDS('i', 'i', 'i', 'i'), KINDS('i', 'i', 'i', 0),	  KINDS('i', 0, 0, 0),
    KINDS('i', 'i', 0, 0),     KINDS('i', 0, 0, 0),	  KINDS('i', 'i', 'i', 0),
    KINDS(0, 0, 0, 0),	       KINDS('i', 'i', 'i', 'i'), KINDS('i', 'i', 'i', 'i'),
    KINDS('i', 0, 0, 0),       KINDS('i', 'i', 0, 0),	  KINDS('i', 'i', 'i', 'i'),
    KINDS('i', 'i', 's', 0),   KINDS('i', 's', 'i', 'i'), KINDS('i', 's', 'i', 'i'),
    KINDS('i', 's', 'i', 'i'), KINDS('i', 's', 'i', 'i'), KINDS('i', 's', 's', 0),
    KINDS('i', 'i', 'i', 'i'), KINDS('i', 'i', 0, 0),	  KINDS('i', 'i', 'i', 0),
};

static __always_inline u32 keyctl_kinds(u64 operation)
{
	return (u32)operation < sizeof(keyctl_table)
		   ? keyctl_table[operation & (sizeof(keyctl_table) - 1)]
		   : 0;
}

static __always_inline void put_key_arg(struct scratch *s, u32 i, u32 kinds, u32 n, u64 value)
{
	u8 *at = scratch_at(s);
	long len;

	if (kinds >> (4 + n) & 1) {
		at[0] = KEY_CHARBUF;
		len = read_user_str(at + 1, WIRE_STRING_MAX, value);
		s->fault |= len < 0 && value;
		put_len(s, i, 1 + (len > 0 ? len : 0));
		return;
	}
	if (is_narrow())
		value = s32(value);
	put_u64_choice(s, i, KEY_INT64, kinds >> n & 1 ? value : 0);
}

/* --- io_uring_setup(2) --- */

struct uring_params { /* the head of struct io_uring_params */
	u32 sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features;
};

static __always_inline struct uring_params read_uring_params(u64 ptr)
{
	struct uring_params p;

	if (bpf_probe_read_user(&p, sizeof(p), (void *)ptr))
		__builtin_memset(&p, 0, sizeof(p));
	return p;
}

#endif
