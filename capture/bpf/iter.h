/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the iterators write: records back to back, each a head and what its kind says. Included by
 * both sides: fixed-size types of <linux/types.h> only. A record must fit into the 32 KiB the
 * kernel gives an iterator for one object.
 */
#ifndef CAPTURE_BPF_ITER_H
#define CAPTURE_BPF_ITER_H

#include <linux/types.h>

#define ITER_PATH_MAX 4096
#define ITER_LIST_MAX 4096 /* arguments, environment, cgroups: the format's limit */

enum iter_kind {
	ITER_TASK = 1,
	ITER_NO_PROGRAM, /* a task of the kernel, or one that ended: the head alone */
	ITER_FILE,
	ITER_SOCKET
};

struct iter_head {
	__u32 len; /* of the whole record; a multiple of 8 */
	__u32 kind;
	__u64 stamp; /* boot clock: now */
	__u64 start; /* and when the task began */
	__s32 tid, pid;
	__u64 files; /* whose descriptors: the address of the table; NO_PROGRAM: 1 of the kernel */
};

enum iter_task_flag {
	ITER_LEADER_ENDED = 1, /* before its threads; of a leader: has no memory any more */
	ITER_HAS_PROGRAM = 2,  /* executable, arguments, environment are in the record */
	ITER_HAS_PLACE = 4,    /* directory and root are in the record */
	ITER_EXE_DELETED = 8,
	ITER_CWD_DELETED = 16,
	ITER_ROOT_DELETED = 32,
	ITER_HAS_LISTS = 64,	 /* arguments and environment were read, even if they are empty */
	ITER_LISTS_ADJOIN = 128, /* nothing is between them: a title may go from one to the other */
};

struct iter_task {
	struct iter_head head;
	__u64 fdlimit, pfminor, pfmajor, pidns_start;
	__u64 cap_inheritable, cap_permitted, cap_effective;
	__u64 exe_ino, exe_ctime, exe_mtime;
	__u64 cgroup_set; /* the same address: the same cgroups */
	__s32 ptid, sid, pgid, vpgid, vtid, vpid;
	__u32 uid, gid, loginuid, tty, vmsize, vmrss, vmswap;
	__u32 exe_flags; /* as in exec events */
	__u32 flags;	 /* enum iter_task_flag */
	char comm[16];
	/* Lengths of the texts that follow, in this order. */
	__u16 exe, cwd, root, cgroups, args, env;
};

struct iter_file {
	struct iter_head head;
	__u64 ino;
	__s32 fd;
	__u32 flags; /* O_*, with O_CLOEXEC if the descriptor has it */
	__u32 dev;   /* as the format has it */
	__u32 nlink;
	__u16 mode;
	__u16 name; /* length of the path that follows */
	__u16 pipe; /* it has no path: one without a name */
	__u16 unused;
};

struct iter_socket {
	struct iter_head head;
	__u64 ino;
	__u64 self, peer; /* unix: the kernel's objects */
	__s32 fd;
	__u16 family, type, protocol, state;
	__u16 lport, rport; /* host order */
	__u16 name;	    /* unix: length of the address that follows, without the family */
	__u16 unused;
	__u8 local[16], remote[16];
};

#endif
