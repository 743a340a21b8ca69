/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel fields the BPF programs read, and no others: libbpf moves each access to where the
 * running kernel has the field, so the order and the size of these structs mean nothing. Where the
 * field: include/linux/sched.h, fs.h, dcache.h, fs/mount.h, kernfs.h, cred.h of Linux 5.8 to 6.18.
 */
#ifndef CAPTURE_BPF_KERNEL_H
#define CAPTURE_BPF_KERNEL_H

#include <linux/bpf.h>

typedef _Bool bool;
enum { false, true };
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#ifdef __TARGET_ARCH_arm64
struct pt_regs {
	u64 regs[31], sp, pc, pstate, orig_x0;
	s32 syscallno;
};
struct thread_info {
	unsigned long flags;
};
#else
struct pt_regs {
	unsigned long bx, cx, dx, si, di, bp, r8, r9, r10, orig_ax, ip;
};
struct thread_info {
	u32 status;
};
#endif
struct qstr {
	u32 len;
	const unsigned char *name;
};
struct super_block {
	u32 s_dev;
	unsigned long s_flags, s_magic;
};
struct k_id {
	u32 val;
};
struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};
struct inode {
	u16 i_mode;
	unsigned int i_flags, i_nlink;
	struct k_id i_uid, i_gid;
	unsigned long i_ino;
	struct super_block *i_sb;
	s64 i_ctime_sec, i_mtime_sec;
	u32 i_ctime_nsec, i_mtime_nsec;
};
struct inode___since_6_6 { /* 13bc24457850 for ctime, 12cd44023651 (6.7) for mtime */
	struct timespec64 __i_ctime, __i_mtime;
};
struct inode___before_6_6 {
	struct timespec64 i_ctime, i_mtime;
};
struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};
struct dentry {
	struct hlist_bl_node d_hash; /* not in it: unlinked */
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};
struct vfsmount {
	struct dentry *mnt_root;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct fs_struct {
	struct path root, pwd;
};
struct file {
	u32 f_mode, f_flags;
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
};
struct fdtable {
	u32 max_fds;
	struct file **fd;
	unsigned long *close_on_exec; /* a bit each */
};
struct files_struct {
	struct fdtable *fdt;
};
struct percpu_counter {
	s64 count;
};
struct atomic {
	int counter;
};
struct atomic_long {
	long counter;
};
struct mm_rss_stat {
	struct atomic_long count[4];
};
struct mm_struct___before_6_2 { /* f1a7941243c1 made them per-CPU counters */
	struct mm_rss_stat rss_stat;
};
struct mm_struct {
	unsigned long total_vm, arg_start, arg_end, env_start, env_end;
	struct percpu_counter rss_stat[4];
	struct file *exe_file;
};
struct kernel_caps {
	u64 bits; /* u32 cap[2] before 6.3: the same bytes on a little-endian machine */
};
struct uid_gid_extent {
	u32 first, lower_first, count;
};
struct uid_gid_map {
	u32 nr_extents;
	struct uid_gid_extent extent[5];
	struct uid_gid_extent *reverse; /* instead, sorted, if there are more */
};
struct user_namespace {
	struct uid_gid_map uid_map, gid_map;
};
struct group_info {
	int ngroups;
	struct k_id gid[1];
};
struct cred {
	struct k_id euid, egid, fsuid, fsgid;
	struct kernel_caps cap_inheritable, cap_permitted, cap_effective;
	struct user_namespace *user_ns;
	struct group_info *group_info;
};
struct pid_namespace;
struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	u32 level;
	struct upid numbers[1];
};
struct tty_driver {
	int major, minor_start;
};
struct tty_struct {
	struct tty_driver *driver;
	int index;
};
struct rlimit {
	unsigned long rlim_cur, rlim_max;
};
struct list_head {
	struct list_head *next, *prev;
};
struct signal_struct {
	struct atomic live;
	struct list_head thread_head;
	unsigned int is_child_subreaper : 1, has_child_subreaper : 1;
	struct pid *pids[4]; /* PIDTYPE_PID, TGID, PGID, SID since 4.19 */
	struct tty_struct *tty;
	struct rlimit rlim[16];
};
struct kernfs_node {
	struct kernfs_node *parent;
	const char *name;
};
struct kernfs_node___since_6_15 { /* 633488947ef6 renamed the field */
	struct kernfs_node *__parent;
};
struct cgroup {
	struct kernfs_node *kn;
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
};
struct css_set {
	struct cgroup_subsys_state *subsys[16];
};
struct task_struct;
struct pid_namespace {
	struct task_struct *child_reaper;
	u32 level;
};
struct nsproxy {
	struct pid_namespace *pid_ns_for_children;
};
struct task_struct {
	struct thread_info thread_info;
	int pid, tgid, exit_code;
	u32 flags;
	unsigned long min_flt, maj_flt;
	u64 start_boottime;
	struct task_struct *real_parent, *group_leader;
	struct list_head children, thread_node;
	struct mm_struct *mm;
	struct cred *cred;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct pid *thread_pid;
	struct nsproxy *nsproxy;
	struct css_set *cgroups;
	struct k_id loginuid;
	char comm[16];
};
struct audit_task_info {
	struct k_id loginuid;
};
struct task_struct___audit { /* of some vendors: the login behind a pointer */
	struct audit_task_info *audit;
};
struct kernel_siginfo {
	int si_signo, si_errno, si_code;
	union sifields {
		struct {
			int _pid;
		} _kill;
	} _sifields;
};
/* The folder io_uring: what an operation was given stands at the beginning of its request. */
struct io_ring_ctx;
struct io_uring_cqe {
	u64 user_data;
	s32 res;
	u32 flags;
};
struct io_uring_sqe {
	u8 opcode, flags;
};
struct io_kiocb {
	u8 opcode;
	u64 flags; /* below 256 those of the submission */
	struct io_cqe {
		u64 user_data;
		int fd;
	} cqe;
	struct io_ring_ctx *ctx;
	void *async_data;
};
struct filename {
	const char *name;
};
struct io_open {
	int dfd;
	struct filename *filename;
	struct io_open_how {
		u64 flags, mode, resolve;
	} how;
	u32 file_slot;
};
struct io_close {
	int fd;
	u32 file_slot;
};
struct io_rw {
	struct kiocb {
		s64 ki_pos;
	} kiocb;
	u64 addr;
	u32 len;
	int flags;
};
struct io_sr_msg {
	void *buf;
	int len;
	u32 msg_flags;
	u16 flags;
};
struct io_async_msghdr {
	struct io_address {
		u16 family;
	} addr;
};
struct io_connect {
	void *addr;
	int addr_len;
};
struct io_bind { /* since 6.11 */
	int addr_len;
};
struct io_accept {
	void *addr;
	int flags, iou_flags;
	u32 file_slot;
};
struct io_socket {
	int domain, type, protocol;
	u32 file_slot;
};
struct io_pipe { /* since 6.16 */
	int *fds;
	int flags, file_slot;
};
struct io_unlink {
	int dfd, flags;
	struct filename *filename;
};
struct io_rename {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
	int flags;
};
struct io_link {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
	int flags;
};
struct io_mkdir {
	int dfd;
	u16 mode;
	struct filename *filename;
};
struct io_statx {
	int dfd;
	u32 mask, flags;
	struct filename *filename;
};
struct io_shutdown {
	int how;
};
struct io_splice {
	u64 len;
	int splice_fd_in;
	u32 flags;
};
struct linux_binprm {
	const char *filename;
};
struct sock_common {
	u16 skc_family, skc_num, skc_dport;
	u32 skc_daddr, skc_rcv_saddr;
	u8 skc_state;
	struct in6 {
		u8 b[16];
	} skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock {
	struct sock_common __sk_common;
	u32 sk_ack_backlog, sk_max_ack_backlog;
	u16 sk_type, sk_protocol;
};
struct ipv6_pinfo {
	struct in6 saddr;
};
struct inet_sock {
	struct ipv6_pinfo *pinet6;
	u32 inet_saddr;
	u16 inet_sport;
};
struct socket {
	struct sock *sk;
};
struct sockaddr_un {
	u16 sun_family;
};
struct unix_address {
	int len;
	struct sockaddr_un name[1];
};
struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};
struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

#pragma clang attribute pop

enum cgroup_subsys_id { cpuset_cgrp_id, cpu_cgrp_id, cpuacct_cgrp_id, io_cgrp_id, memory_cgrp_id };

#endif
