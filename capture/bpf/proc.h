/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of processes: what only clone, exec and exit events need. Facts: live capture
 * specification, "Overlay layers and exec flags", "PROCEXIT: who adopts the children".
 */
#ifndef CAPTURE_BPF_PROC_H
#define CAPTURE_BPF_PROC_H

#include "capture/bpf/file.h"
#include "capture/bpf/task.h"

#define ARGV_MAX	  16
#define REAPER_THREADS	  30
#define REAPER_ANCESTORS  60
#define SEARCH_STEPS	  17 /* halvings of NGROUPS_MAX groups */
#define INLINE_EXTENTS	  5
#define CAP_DAC_OVERRIDE_ (1u << 1)
#define CAP_FOWNER_	  (1u << 3)
#define SB_RDONLY_	  1
#define INODE_IMMUTABLE	  8
#define MODE_TYPE	  0170000
#define MODE_DIRECTORY	  0040000
#define MODE_REGULAR	  0100000
#define MODE_LINK	  0120000
#define MODE_GROUP_WRITE  0020
#define MODE_OTHERS_WRITE 0002
#define EXE_WRITABLE	  1
#define EXE_UPPER_LAYER	  2
#define EXE_FROM_MEMFD	  4
#define EXE_LOWER_LAYER	  8
#define PROCESS_GROUP	  2 /* PIDTYPE_PGID */
#define PROCESS		  1 /* PIDTYPE_TGID */
#define LIMIT_OPEN_FILES  7
#define REAPER_NOT_FOUND  (-1)
#define CLONE_VM_	  0x100
#define TASK_WORKER	  (0x10 | 0x4000) /* threads of a process that never leave the kernel */

enum search { SEARCH_ON, SEARCH_FOUND, SEARCH_END };

/*
 * x86_64: the child returns from the call, too, and that is its first event. Elsewhere it does not
 * pass the tracepoint, and its event comes from task_newtask.
 */
#ifdef __TARGET_ARCH_x86
#define told_here(ret) true
#else
#define told_here(ret) ((ret) != 0)
#endif

/*
 * Flags of clone3 stand in user memory. When a child that shares it returns, the parent may have
 * put something else there; so they are kept from where the kernel had them.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, u64);
} clone_flags_of SEC(".maps");

SEC("tp_btf/task_newtask")
int BPF_PROG(on_clone_flags, struct task_struct *task, u64 flags)
{
	u32 tid = task->pid;

	if (flags & CLONE_VM_)
		bpf_map_update_elem(&clone_flags_of, &tid, &flags, BPF_ANY);
	else
		bpf_map_delete_elem(&clone_flags_of, &tid); /* the number was another's before */
	return 0;
}

static __always_inline u64 clone3_flags(struct task_struct *task, long ret, u64 args)
{
	u32 tid = task->pid;
	u64 *kept = ret ? 0 : bpf_map_lookup_elem(&clone_flags_of, &tid), flags;

	if (!kept)
		return user(u64, args);
	flags = *kept;
	bpf_map_delete_elem(&clone_flags_of, &tid);
	return flags;
}

/* The record is the child's, though its parent is running: told at task_newtask. */
static __always_inline void put_child_exe(struct scratch *s, u32 i, struct task_struct *child)
{
	STORE(u64, s->data + 8, child->pid);
	put_exe(s, i, child, true);
}

/* --- arrays of strings that a failed exec left in user memory --- */

static __always_inline u64 user_pointer(u64 array, u32 k, bool narrow)
{
	u64 p = 0;

	if (narrow)
		bpf_probe_read_user(&p, 4, (void *)(array + 4 * k));
	else
		bpf_probe_read_user(&p, 8, (void *)(array + 8 * k));
	return p;
}

static __always_inline void put_argv_exe(struct scratch *s, u32 i, u64 argv)
{
	if (!argv) {
		*scratch_at(s) = 0;
		put_len(s, i, 1);
		return;
	}
	put_str(s, i, user_pointer(argv, 0, is_narrow()));
}

/* Strings @first and up of @argv, in what the parameter before leaves of WIRE_STRING_MAX bytes. */
static __always_inline void put_argv(struct scratch *s, u32 i, u64 argv, u32 first)
{
	u64 begin = *(volatile u64 *)&s->pos, end = begin + WIRE_STRING_MAX, pos;
	bool narrow = is_narrow();

	if (first) {
		end -= *(volatile u16 *)(s->data + WIRE_HEADER_LEN + 2 * (i - 1));
		if (argv && !user_pointer(argv, 0, narrow))
			argv = 0; /* it is empty: nothing behind its end is an argument */
	}
	for (u32 k = first; k < ARGV_MAX && argv; k++) {
		u64 p = user_pointer(argv, k, narrow), room;
		long n;

		pos = *(volatile u64 *)&s->pos;
		room = end - pos;
		if (!p || !room || room > WIRE_STRING_MAX)
			break;
		room &= 2 * WIRE_STRING_MAX - 1;
		n = read_user_str(scratch_at(s), room, p);
		if (n < 0)
			break;
		*(volatile u64 *)&s->pos = pos + n;
	}
	STORE(u16, s->data + WIRE_HEADER_LEN + 2 * i, *(volatile u64 *)&s->pos - begin);
}

/* --- may the task write its executable? --- */

/* Halves what is left of the walk's array: of ids, or of ranges {., first, count}. */
__noinline int search_step(u32 cpu)
{
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	u32 first = 0, count = 1;
	u64 middle;

	if (!w || w->low >= w->high)
		return SEARCH_END;
	middle = (w->low + w->high) / 2;
	if (w->width == sizeof(u32)) {
		bpf_probe_read_kernel(&first, sizeof(first), (void *)(w->base + 4 * middle));
	} else {
		struct uid_gid_extent *e =
		    (void *)(w->base + middle * bpf_core_type_size(struct uid_gid_extent));

		first = BPF_CORE_READ(e, lower_first);
		count = BPF_CORE_READ(e, count);
	}
	if (w->key < first)
		w->high = middle;
	else if (w->key - first < count)
		return SEARCH_FOUND;
	else
		w->low = middle + 1;
	return SEARCH_ON;
}

static __always_inline bool search(struct walk *w, u32 cpu, u64 base, u64 n, u32 width, u32 key)
{
	int rc = SEARCH_ON;

	w->base = base;
	w->low = 0;
	w->high = n;
	w->width = width;
	w->key = key;
	for (u32 k = 0; k < SEARCH_STEPS && rc == SEARCH_ON; k++)
		rc = search_step(cpu);
	return rc == SEARCH_FOUND;
}

/* Does the user namespace of @map know the host's @id? */
static __always_inline bool is_mapped(struct walk *w, u32 cpu, struct uid_gid_map *map, u32 id)
{
	u32 n = BPF_CORE_READ(map, nr_extents);

	if (n > INLINE_EXTENTS)
		return search(w, cpu, (u64)BPF_CORE_READ(map, reverse), n, 0, id);
	for (u32 k = 0; k < INLINE_EXTENTS; k++) {
		if (k < n && id - BPF_CORE_READ(map, extent[k].lower_first) <
				 BPF_CORE_READ(map, extent[k].count))
			return true;
	}
	return false;
}

/* The walk's task and inode. The owner counts as a writer: it may change the mode. */
__noinline int walk_writable(u32 cpu)
{
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	struct task_struct *task;
	const struct cred *cred;
	struct inode *inode;
	struct user_namespace *ns;
	u32 uid, gid, mode, type;
	u64 effective;

	if (!w)
		return 0;
	task = (void *)w->task;
	cred = BPF_CORE_READ(task, cred);
	inode = (void *)w->node;
	uid = BPF_CORE_READ(inode, i_uid.val);
	gid = BPF_CORE_READ(inode, i_gid.val);
	mode = BPF_CORE_READ(inode, i_mode);
	type = mode & MODE_TYPE;
	if (BPF_CORE_READ(inode, i_sb, s_flags) & SB_RDONLY_ &&
	    (type == MODE_REGULAR || type == MODE_DIRECTORY || type == MODE_LINK))
		return 0;
	if (BPF_CORE_READ(inode, i_flags) & INODE_IMMUTABLE || uid == NO_ID || gid == NO_ID)
		return 0;
	if (uid == BPF_CORE_READ(cred, fsuid.val) || mode & MODE_OTHERS_WRITE)
		return 1;
	if (mode & MODE_GROUP_WRITE) {
		struct group_info *groups = BPF_CORE_READ(cred, group_info);
		u64 list = (u64)groups + bpf_core_field_offset(struct group_info, gid);

		if (gid == BPF_CORE_READ(cred, fsgid.val) ||
		    search(w, cpu, list, (u32)BPF_CORE_READ(groups, ngroups), sizeof(u32), gid))
			return 1;
	}
	effective = caps(&cred->cap_effective);
	if (!(effective & (CAP_DAC_OVERRIDE_ | CAP_FOWNER_)))
		return 0;
	ns = BPF_CORE_READ(cred, user_ns);
	if (!is_mapped(w, cpu, &ns->uid_map, uid))
		return 0;
	return effective & CAP_FOWNER_ || is_mapped(w, cpu, &ns->gid_map, gid);
}

static __always_inline bool is_memfd(struct dentry *dentry)
{
	char name[8] = {};

	if (dentry != BPF_CORE_READ(dentry, d_parent))
		return false;
	bpf_probe_read_kernel(name, 6, BPF_CORE_READ(dentry, d_name.name));
	return *(u64 *)name == 0x3a64666d656dull; /* "memfd:" */
}

static __always_inline u32 exe_flags(struct task_struct *task, struct file *exe)
{
	struct walk *w = this_walk();
	struct inode *inode = BPF_CORE_READ(exe, f_inode);
	u32 layer, flags = 0;

	if (!w || !inode)
		return 0;
	w->task = (u64)task;
	w->node = (u64)inode;
	if (walk_writable(bpf_get_smp_processor_id()))
		flags |= EXE_WRITABLE;
	layer = overlay_layer(inode);
	if (layer)
		flags |= layer == 1 ? EXE_UPPER_LAYER : EXE_LOWER_LAYER;
	if (is_memfd(BPF_CORE_READ(exe, f_path.dentry)))
		flags |= EXE_FROM_MEMFD;
	return flags;
}

static __always_inline void put_exe_path(struct scratch *s, u32 i, struct file *exe)
{
	if (exe)
		put_path(s, i, &exe->f_path);
	else
		put_empty(s, i);
}

/* --- who adopts the children of a task that ends --- */

__noinline int thread_step(u32 cpu)
{
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	struct task_struct *t;
	struct list_head *node;

	if (!w || w->node == w->base)
		return SEARCH_END;
	node = (void *)w->node;
	t = (void *)(w->node - bpf_core_field_offset(struct task_struct, thread_node));
	w->node = (u64)BPF_CORE_READ(node, next);
	if (BPF_CORE_READ(t, flags) & TASK_EXITING)
		return SEARCH_ON;
	w->found = BPF_CORE_READ(t, pid);
	return SEARCH_FOUND;
}

/* The first thread of @task's group that is not ending. Return: its id, 0: none, -1: not found. */
static __always_inline s64 live_thread(struct walk *w, u32 cpu, struct task_struct *task)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	int rc = SEARCH_ON;

	if (!BPF_CORE_READ(signal, live.counter))
		return 0;
	w->base = (u64)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	w->node = (u64)BPF_CORE_READ(signal, thread_head.next);
	for (u32 k = 0; k < REAPER_THREADS && rc == SEARCH_ON; k++)
		rc = thread_step(cpu);
	if (rc == SEARCH_FOUND)
		return w->found;
	return rc == SEARCH_END ? 0 : REAPER_NOT_FOUND;
}

/* Looks at the walk's task, and goes on to its parent. */
__noinline int ancestor_step(u32 cpu)
{
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	struct task_struct *t;
	struct signal_struct *signal;

	if (!w)
		return SEARCH_END;
	t = (void *)w->task;
	signal = BPF_CORE_READ(t, signal);
	if (!BPF_CORE_READ(t, pid) || BPF_CORE_READ(t, thread_pid, level) != w->level)
		return SEARCH_END;
	if (BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper) && live_thread(w, cpu, t) > 0)
		return SEARCH_FOUND;
	w->task = (u64)BPF_CORE_READ(t, real_parent);
	return SEARCH_ON;
}

/* As the kernel's find_new_reaper(). Return: a thread id, 0 nobody, or -1: the search gave up. */
static __always_inline s64 reaper(struct task_struct *task)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct walk *w = this_walk();
	u64 children = (u64)task + bpf_core_field_offset(struct task_struct, children);
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct task_struct *init;
	int rc = SEARCH_ON;
	s64 thread;

	if (!w || (u64)BPF_CORE_READ(task, children.next) == children)
		return 0;
	thread = live_thread(w, cpu, task);
	if (thread)
		return thread;
	init = BPF_CORE_READ(pid_ns(task), child_reaper);
	if (init == task)
		return 0;
	if (!BPF_CORE_READ_BITFIELD_PROBED(signal, has_child_subreaper))
		return BPF_CORE_READ(init, pid);
	w->task = (u64)BPF_CORE_READ(task, real_parent);
	w->level = BPF_CORE_READ(task, thread_pid, level);
	for (u32 k = 0; k < REAPER_ANCESTORS && rc == SEARCH_ON; k++)
		rc = ancestor_step(cpu);
	if (rc == SEARCH_FOUND)
		return w->found;
	return rc == SEARCH_END ? BPF_CORE_READ(init, pid) : REAPER_NOT_FOUND;
}

#endif
