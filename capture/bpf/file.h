/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters that come from open files: what a call that opens found, and paths. Facts: live
 * capture specification, "Overlay layers and exec flags", "Path of a kernel file".
 */
#ifndef CAPTURE_BPF_FILE_H
#define CAPTURE_BPF_FILE_H

#include "capture/bpf/task.h"

#define FMODE_CREATED	  0x100000
#define OVERLAY_MAGIC	  0x794c7630
#define PATH_STEPS	  96
#define PPM_O_F_CREATED	  (1u << 14)
#define FD_UPPER_LAYER	  (1u << 15)
#define FD_LOWER_LAYER	  (1u << 16)
#define CREAT_UPPER_LAYER 1
#define CREAT_LOWER_LAYER 2
#define O_CREAT_	  0100
#ifdef __TARGET_ARCH_arm64
#define O_TMPFILE_ 020040000
#else
#define O_TMPFILE_ 020200000 /* with O_DIRECTORY, as everywhere */
#endif

enum layer { LAYER_NONE, LAYER_UPPER, LAYER_LOWER }; /* of an overlay */

static __always_inline struct file *fd_file(struct task_struct *task, s64 fd)
{
	struct fdtable *t = BPF_CORE_READ(task, files, fdt);
	struct file **slots = BPF_CORE_READ(t, fd), *file = 0;

	if (fd < 0 || (u64)fd >= BPF_CORE_READ(t, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), slots + fd);
	return file;
}

/* The word behind an overlay's inode is the dentry of the upper layer, if the file is there. */
static __always_inline enum layer overlay_layer(struct inode *inode)
{
	struct dentry *upper = 0;

	if (BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAY_MAGIC)
		return LAYER_NONE;
	bpf_probe_read_kernel(&upper, sizeof(upper),
			      (u8 *)inode + bpf_core_type_size(struct inode));
	return upper && BPF_CORE_READ(upper, d_inode, i_ino) ? LAYER_UPPER : LAYER_LOWER;
}

/* --- opening --- */

struct opened {
	u64 ino;
	u32 dev;
	u32 flags, creat_flags; /* that the caller did not ask for */
};

/* What a call that returned @fd opened; zeros if it failed. */
static __always_inline struct opened open_result(struct task_struct *task, s64 fd)
{
	struct opened o = {};
	struct file *file = fd_file(task, fd);
	struct inode *inode;
	u32 dev;

	if (!file)
		return o;
	inode = BPF_CORE_READ(file, f_inode);
	dev = BPF_CORE_READ(inode, i_sb, s_dev);
	o.dev = encode_dev(dev >> 20, dev & 0xfffff);
	o.ino = BPF_CORE_READ(inode, i_ino);
	if (BPF_CORE_READ(file, f_mode) & FMODE_CREATED)
		o.flags |= PPM_O_F_CREATED;
	switch (overlay_layer(inode)) {
	case LAYER_UPPER:
		o.flags |= FD_UPPER_LAYER;
		o.creat_flags = CREAT_UPPER_LAYER;
		break;
	case LAYER_LOWER:
		o.flags |= FD_LOWER_LAYER;
		o.creat_flags = CREAT_LOWER_LAYER;
		break;
	default:
		break;
	}
	return o;
}

/* The mode counts only if a file may be created. */
static __always_inline u32 open_mode(u64 flags, u64 mode)
{
	return flags & (O_CREAT_ | O_TMPFILE_) ? map_open_mode(mode) : 0;
}

struct open_how { /* openat2(2); the kernel takes other sizes, too: what is missing is 0 */
	u64 flags, mode, resolve;
};

static __always_inline struct open_how read_open_how(u64 ptr, u64 size)
{
	struct open_how how = {};
	u32 n = size < sizeof(how) ? size : sizeof(how);

	if (n && bpf_probe_read_user(&how, n, (void *)ptr))
		__builtin_memset(&how, 0, sizeof(how));
	return how;
}

/* --- paths --- */

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

/* Let the walk's buffer end with the path from the top of the mount tree; empty: it is in none. */
static __always_inline void walk_path(struct walk *w, u32 cpu, struct path *path, u64 dentry)
{
	w->dentry = dentry;
	w->mount = (u64)BPF_CORE_READ(path, mnt) - bpf_core_field_offset(struct mount, mnt);
	walk_begin(w);
	for (u32 k = 0; k < PATH_STEPS; k++)
		if (path_step(cpu))
			break;
}

/* From the top of the mount tree; of what is in none, the name alone. */
static __always_inline void put_path(struct scratch *s, u32 i, struct path *path)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct walk *w = this_walk();
	u64 total = 0, dentry = path ? (u64)BPF_CORE_READ(path, dentry) : 0;

	if (!w || !dentry) {
		put_empty(s, i);
		return;
	}
	walk_path(w, cpu, path, dentry);
	if (walk_is_empty(w)) {
		put_kstr(s, i, BPF_CORE_READ((struct dentry *)dentry, d_name.name));
		return;
	}
	put_walked(s, w, &total);
	STORE(u16, s->data + WIRE_HEADER_LEN + 2 * i, total);
}

static __always_inline void put_fd_path(struct scratch *s, u32 i, struct task_struct *task, s64 fd)
{
	struct file *file = fd_file(task, fd);

	put_path(s, i, file ? &file->f_path : 0);
}

#endif
