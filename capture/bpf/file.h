/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters that come from open files, executables and sockets. */
#ifndef CAPTURE_BPF_FILE_H
#define CAPTURE_BPF_FILE_H

#include "capture/bpf/task.h"

#define FMODE_CREATED	0x100000
#define OVERLAY_MAGIC	0x794c7630
#define PPM_O_F_CREATED (1u << 14)
#define FD_UPPER_LAYER	(1u << 15)
#define FD_LOWER_LAYER	(1u << 16)
#define EXEC_WRITABLE	1
#define EXEC_UPPER	2
#define EXEC_MEMFD	4
#define EXEC_LOWER	8
#define PATH_STEPS	96
#define AF_UNIX_	1
#define AF_INET_	2
#define AF_INET6_	10
#define S_IFMT_		0170000
#define S_IFSOCK_	0140000
#define EINPROGRESS_	115

struct opened {
	u64 ino;
	u32 dev, flags;
};

static __always_inline struct file *fd_file(struct task_struct *task, s64 fd)
{
	struct fdtable *t = BPF_CORE_READ(task, files, fdt);
	struct file **slots = BPF_CORE_READ(t, fd), *file = 0;

	if (fd < 0 || (u64)fd >= BPF_CORE_READ(t, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), slots + fd);
	return file;
}

/* 0 not on an overlay, 1 upper layer, 2 lower: the word behind the inode is the upper dentry. */
static __always_inline u32 overlay_layer(struct inode *inode)
{
	struct dentry *upper = 0;

	if (BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAY_MAGIC)
		return 0;
	bpf_probe_read_kernel(&upper, sizeof(upper),
			      (u8 *)inode + bpf_core_type_size(struct inode));
	return upper && BPF_CORE_READ(upper, d_inode, i_ino) ? 1 : 2;
}

static __always_inline struct opened open_result(struct task_struct *task, s64 fd)
{
	struct opened o = {};
	struct file *file = fd_file(task, fd);
	struct inode *inode;
	u32 dev, layer;

	if (!file)
		return o;
	inode = BPF_CORE_READ(file, f_inode);
	dev = BPF_CORE_READ(inode, i_sb, s_dev);
	o.dev = encode_dev(dev >> 20, dev & 0xfffff);
	o.ino = BPF_CORE_READ(inode, i_ino);
	if (BPF_CORE_READ(file, f_mode) & FMODE_CREATED)
		o.flags |= PPM_O_F_CREATED;
	layer = overlay_layer(inode);
	o.flags |= layer == 1 ? FD_UPPER_LAYER : layer == 2 ? FD_LOWER_LAYER : 0;
	return o;
}

static __always_inline u32 map_open_mode(u32 v);

static __always_inline u32 open_mode(u64 flags, u64 mode)
{
	return flags & (0100 | 020200000) ? map_open_mode(mode) : 0;
}

static __always_inline u64 io_len(u64 fd, s64 ret, u32 requested)
{
	u64 n = ret > 0 ? (u64)ret : requested;

	return n < settings.snaplen ? n : settings.snaplen;
}

static __always_inline bool connected(s64 ret)
{
	return ret == 0 || ret == -EINPROGRESS_;
}

static __always_inline u16 swap16(u16 v)
{
	return (u16)(v << 8 | v >> 8);
}

static __always_inline void put_sockaddr(struct scratch *s, u32 i, u64 ptr, u16 len)
{
	u8 a[28] = {};
	u8 *at = scratch_at(s);
	u16 family;
	long n;

	if (len < 2 || bpf_probe_read_user(a, len < sizeof(a) ? 2 : sizeof(a), (void *)ptr)) {
		if (len < 2 || bpf_probe_read_user(a, 2, (void *)ptr)) {
			put_empty(s, i);
			return;
		}
	}
	family = *(u16 *)a;
	if (family == AF_INET_ && len >= 8 && !bpf_probe_read_user(a, 8, (void *)ptr)) {
		at[0] = AF_INET_;
		STORE(u32, at + 1, *(u32 *)(a + 4));
		STORE(u16, at + 5, swap16(*(u16 *)(a + 2)));
		put_len(s, i, 7);
	} else if (family == AF_INET6_ && len >= 24 && !bpf_probe_read_user(a, 24, (void *)ptr)) {
		at[0] = AF_INET6_;
		__builtin_memcpy(at + 1, a + 8, 16);
		STORE(u16, at + 17, swap16(*(u16 *)(a + 2)));
		put_len(s, i, 19);
	} else if (family == AF_UNIX_) {
		u32 room = (len - 2) & 127;

		if (room > 108)
			room = 108;
		at[0] = AF_UNIX_;
		__builtin_memset(at + 1, 0, 112);
		if (room)
			bpf_probe_read_user(at + 1, room, (void *)(ptr + 2));
		if (room && !at[1])
			n = bpf_probe_read_kernel_str(at + 1, 109, at + 2);
		else
			n = bpf_probe_read_kernel_str(at + 1, 109, at + 1);
		put_len(s, i, 1 + (n > 0 ? n : 0));
	} else {
		put_empty(s, i);
	}
}

static __always_inline void put_tuple(struct scratch *s, u32 i, bool wanted, u64 fd, u64 addr,
				      u16 len)
{
	struct file *file = wanted ? fd_file(bpf_get_current_task_btf(), s32(fd)) : 0;
	u8 *at = scratch_at(s);
	struct socket *so;
	struct sock *sk;
	struct inet_sock *inet;
	struct ipv6_pinfo *six;
	u16 family;

	(void)addr;
	(void)len;
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT_) != S_IFSOCK_) {
		put_empty(s, i);
		return;
	}
	so = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(so, sk);
	inet = (struct inet_sock *)sk;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	at[0] = (u8)family;
	if (family == AF_INET_) {
		STORE(u32, at + 1, BPF_CORE_READ(inet, inet_saddr));
		STORE(u16, at + 5, swap16(BPF_CORE_READ(inet, inet_sport)));
		STORE(u32, at + 7, BPF_CORE_READ(sk, __sk_common.skc_daddr));
		STORE(u16, at + 11, swap16(BPF_CORE_READ(sk, __sk_common.skc_dport)));
		put_len(s, i, 13);
	} else if (family == AF_INET6_) {
		six = BPF_CORE_READ(inet, pinet6);
		bpf_core_read(at + 1, 16, &six->saddr);
		STORE(u16, at + 17, swap16(BPF_CORE_READ(inet, inet_sport)));
		bpf_core_read(at + 19, 16, &sk->__sk_common.skc_v6_daddr);
		STORE(u16, at + 35, swap16(BPF_CORE_READ(sk, __sk_common.skc_dport)));
		put_len(s, i, 37);
	} else if (family == AF_UNIX_) {
		struct sock *peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
		struct unix_address *ua = BPF_CORE_READ((struct unix_sock *)peer, addr);
		long n = 0;

		STORE(u64, at + 1, peer);
		STORE(u64, at + 9, sk);
		if (ua)
			n = bpf_probe_read_kernel_str(
			    at + 17, 109,
			    (u8 *)ua + bpf_core_field_offset(struct unix_address, name) + 2);
		put_len(s, i, 17 + (n > 0 ? n : 0));
	} else {
		put_empty(s, i);
	}
}

/* One step of a path from its end. Return: 1 when the top of the mount tree is reached. */
__noinline int path_step(u32 cpu)
{
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	struct dentry *d, *parent;
	struct mount *m, *up;

	if (!w)
		return 1;
	d = (void *)w->dentry;
	m = (void *)w->mount;
	parent = BPF_CORE_READ(d, d_parent);
	if (d == BPF_CORE_READ(m, mnt.mnt_root)) {
		up = BPF_CORE_READ(m, mnt_parent);
		if (up == m)
			return 1;
		w->dentry = (u64)BPF_CORE_READ(m, mnt_mountpoint);
		w->mount = (u64)up;
		return 0;
	}
	if (d == parent || prepend(w, (u64)BPF_CORE_READ(d, d_name.name)))
		return 1;
	w->dentry = (u64)parent;
	return 0;
}

static __always_inline void put_path(struct scratch *s, u32 i, struct path *path)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct walk *w = this_walk();
	u64 total = 0, dentry = (u64)BPF_CORE_READ(path, dentry);

	if (!w || !dentry) {
		put_empty(s, i);
		return;
	}
	w->dentry = dentry;
	w->mount = (u64)BPF_CORE_READ(path, mnt) - bpf_core_field_offset(struct mount, mnt);
	w->buf[WALK_MAX - 1] = 0;
	w->pos = WALK_MAX - 1;
	for (u32 k = 0; k < PATH_STEPS; k++)
		if (path_step(cpu))
			break;
	if (*(volatile u64 *)&w->pos == WALK_MAX - 1) {
		put_kstr(s, i, BPF_CORE_READ((struct dentry *)dentry, d_name.name));
		return;
	}
	put_walked(s, w, &total);
	STORE(u16, s->data + WIRE_HEADER_LEN + 2 * i, total);
}

static __always_inline u64 inode_time(s64 sec, u32 nsec)
{
	return sec < 0 ? 0 : sec * 1000000000ull + (nsec & 0x7fffffff);
}

static __always_inline u64 exe_ctime(struct task_struct *task)
{
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);

	return inode_time(BPF_CORE_READ(inode, i_ctime_sec), BPF_CORE_READ(inode, i_ctime_nsec));
}

static __always_inline u64 exe_mtime(struct task_struct *task)
{
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);

	return inode_time(BPF_CORE_READ(inode, i_mtime_sec), BPF_CORE_READ(inode, i_mtime_nsec));
}

static __always_inline u32 exec_flags(struct task_struct *task)
{
	struct file *file = BPF_CORE_READ(task, mm, exe_file);
	struct dentry *d = BPF_CORE_READ(file, f_path.dentry);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	u32 layer = overlay_layer(inode), flags = layer == 1   ? EXEC_UPPER
						  : layer == 2 ? EXEC_LOWER
							       : 0;
	char name[6] = {};

	if (BPF_CORE_READ(inode, i_uid.val) == BPF_CORE_READ(task, cred, fsuid.val))
		flags |= EXEC_WRITABLE;
	if (d == BPF_CORE_READ(d, d_parent)) {
		bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(d, d_name.name));
		if (name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' &&
		    name[4] == 'd' && name[5] == ':')
			flags |= EXEC_MEMFD;
	}
	return flags;
}

#endif
