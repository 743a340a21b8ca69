/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters that come from a task, whichever it is: memory, ids, credentials, command line,
 * cgroups. Facts: live capture specification, "Event content rules". The long searches are global
 * functions of one step each, with their state in a map: the verifier sees each step once.
 */
#ifndef CAPTURE_BPF_TASK_H
#define CAPTURE_BPF_TASK_H

#include "capture/bpf/event.h"

#define WALK_MAX	  4096
#define WALK_NAME_MAX	  256
#define CGROUP_LEVELS	  16
#define CL_CHILD_IN_PIDNS (1u << 29)
#define PAGE_KIB_SHIFT	  2
#define SMALLEST_PAGE	  4096 /* larger pages begin and end at multiples of it, too */
#define CAPS_KNOWN	  ((1ull << 41) - 1)
#define NSEC_BITS	  0x7fffffff /* since 6.13 the top bit of ctime is a mark */
#define NO_ID		  0xffffffffu
#define TASK_EXITING	  0x4
#define TASK_KTHREAD	  0x200000

struct walk { /* a path under construction, from its end, or another search; one per CPU */
	u64 dentry, mount, node, pos;
	u64 task;		/* whose cgroups; the ancestor the reaper search has reached */
	u64 cgroup;		/* the node whose path stands in @buf */
	u64 base, low, high;	/* a sorted array and what is left of it */
	u32 key, width, offset; /* of its elements */
	u32 level;
	s64 found;
	char name[WALK_NAME_MAX];
	char buf[2 * WALK_MAX];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* the possible CPUs, set before load */
	__type(key, u32);
	__type(value, struct walk);
} walks SEC(".maps");

static __always_inline struct walk *this_walk(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&walks, &cpu);
}

/* --- memory --- */

static __always_inline u32 vm_size(struct task_struct *task)
{
	return BPF_CORE_READ(task, mm, total_vm) << PAGE_KIB_SHIFT;
}

/* Since 6.2 without what single CPUs have not added yet: up to 2 x CPUs pages each, at least 32. */
#define rss_pages(mm, kind)                                                                        \
	(bpf_core_field_exists(((struct mm_struct___before_6_2 *)0)->rss_stat.count)               \
	     ? BPF_CORE_READ((struct mm_struct___before_6_2 *)(mm), rss_stat.count[kind].counter)  \
	     : BPF_CORE_READ(mm, rss_stat[kind].count))

static __always_inline u32 pages_kib(s64 pages)
{
	return pages > 0 ? (u32)(pages << PAGE_KIB_SHIFT) : 0;
}

static __always_inline u32 vm_rss(struct task_struct *task) /* file, anonymous, shared */
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	return pages_kib(rss_pages(mm, 0) + rss_pages(mm, 1) + rss_pages(mm, 3));
}

static __always_inline u32 vm_swap(struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	return pages_kib(rss_pages(mm, 2));
}

/* --- ids --- */

static __always_inline s64 pid_in_ns(struct pid *pid) /* the innermost one */
{
	u32 level = BPF_CORE_READ(pid, level) & 31;
	s32 nr = 0;

	bpf_probe_read_kernel(&nr, sizeof(nr),
			      (u8 *)pid + bpf_core_field_offset(struct pid, numbers) +
				  level * bpf_core_type_size(struct upid) +
				  bpf_core_field_offset(struct upid, nr));
	return nr;
}

/* Where a namespace @level deep sees it, of those it is in; 0: nowhere. */
static __always_inline s32 pid_at(struct pid *pid, u32 level)
{
	s32 nr = 0;

	level &= 31;
	if (level > BPF_CORE_READ(pid, level))
		return 0;
	bpf_probe_read_kernel(&nr, sizeof(nr),
			      (u8 *)pid + bpf_core_field_offset(struct pid, numbers) +
				  level * bpf_core_type_size(struct upid) +
				  bpf_core_field_offset(struct upid, nr));
	return nr;
}

static __always_inline s64 pid_in_root(struct pid *pid)
{
	return BPF_CORE_READ(pid, numbers[0].nr);
}

static __always_inline struct pid_namespace *pid_ns(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	u32 level = BPF_CORE_READ(pid, level) & 31;
	struct pid_namespace *ns = 0;

	bpf_probe_read_kernel(&ns, sizeof(ns),
			      (u8 *)pid + bpf_core_field_offset(struct pid, numbers) +
				  level * bpf_core_type_size(struct upid) +
				  bpf_core_field_offset(struct upid, ns));
	return ns;
}

/* Since boot; that of the first process, too, goes on counting while the machine sleeps. */
static __always_inline u64 pidns_start(struct task_struct *task)
{
	return BPF_CORE_READ(pid_ns(task), child_reaper, start_boottime);
}

static __always_inline u32 child_in_pidns(struct task_struct *task)
{
	struct pid_namespace *own = pid_ns(task);

	if (BPF_CORE_READ(own, level) || BPF_CORE_READ(task, nsproxy, pid_ns_for_children) != own)
		return CL_CHILD_IN_PIDNS;
	return 0;
}

static __always_inline u32 loginuid(struct task_struct *task)
{
	struct task_struct___audit *vendor = (void *)task;

	if (bpf_core_field_exists(task->loginuid))
		return BPF_CORE_READ(task, loginuid.val);
	if (bpf_core_field_exists(vendor->audit) &&
	    bpf_core_field_exists(((struct audit_task_info *)0)->loginuid))
		return BPF_CORE_READ(vendor, audit, loginuid.val);
	return NO_ID;
}

static __always_inline u32 encode_dev(u32 major, u32 minor)
{
	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

static __always_inline u32 tty(struct task_struct *task)
{
	struct tty_struct *t = BPF_CORE_READ(task, signal, tty);

	if (!t)
		return 0;
	return encode_dev(BPF_CORE_READ(t, driver, major),
			  BPF_CORE_READ(t, driver, minor_start) + BPF_CORE_READ(t, index));
}

/* Two u32 before 6.3, one u64 since: the same bytes on the little-endian machines we run on. */
static __always_inline u64 caps(const void *set)
{
	u64 bits = 0;

	bpf_probe_read_kernel(&bits, sizeof(bits), set);
	return bits & CAPS_KNOWN;
}

/* --- times of an inode; where they stand changed three times --- */

static __always_inline u64 nanoseconds(s64 sec, u64 nsec)
{
	return sec < 0 ? 0 : (u64)sec * 1000000000u + (nsec & NSEC_BITS);
}

static __always_inline u64 inode_ctime(struct inode *inode)
{
	struct inode___since_6_6 *middle = (void *)inode;
	struct inode___before_6_6 *old = (void *)inode;

	if (bpf_core_field_exists(inode->i_ctime_sec))
		return nanoseconds(BPF_CORE_READ(inode, i_ctime_sec),
				   BPF_CORE_READ(inode, i_ctime_nsec));
	if (bpf_core_field_exists(middle->__i_ctime))
		return nanoseconds(BPF_CORE_READ(middle, __i_ctime.tv_sec),
				   BPF_CORE_READ(middle, __i_ctime.tv_nsec));
	return nanoseconds(BPF_CORE_READ(old, i_ctime.tv_sec), BPF_CORE_READ(old, i_ctime.tv_nsec));
}

static __always_inline u64 inode_mtime(struct inode *inode)
{
	struct inode___since_6_6 *middle = (void *)inode;
	struct inode___before_6_6 *old = (void *)inode;

	if (bpf_core_field_exists(inode->i_mtime_sec))
		return nanoseconds(BPF_CORE_READ(inode, i_mtime_sec),
				   BPF_CORE_READ(inode, i_mtime_nsec));
	if (bpf_core_field_exists(middle->__i_mtime))
		return nanoseconds(BPF_CORE_READ(middle, __i_mtime.tv_sec),
				   BPF_CORE_READ(middle, __i_mtime.tv_nsec));
	return nanoseconds(BPF_CORE_READ(old, i_mtime.tv_sec), BPF_CORE_READ(old, i_mtime.tv_nsec));
}

/* --- command line and environment --- */

static __always_inline void put_comm(struct scratch *s, u32 i, struct task_struct *task)
{
	put_kstr(s, i, task->comm);
}

static __always_inline u64 to_page_end(u64 ptr)
{
	return SMALLEST_PAGE - (ptr & (SMALLEST_PAGE - 1));
}

/*
 * User memory, its last byte replaced by NUL. What stands before a page that is not there is kept.
 * Regions are not longer than the smallest page, so there is at most one such border inside.
 */
static __always_inline void put_region(struct scratch *s, u32 i, u64 from, u64 to, u64 max)
{
	u8 *at = scratch_at(s);
	u64 n = to - from, head = to_page_end(from);

	if (from >= to || !max) {
		put_empty(s, i);
		return;
	}
	n = n > max ? max : n;
	n &= 2 * WIRE_STRING_MAX - 1;
	if (bpf_probe_read_user(at, n, (void *)from)) {
		s->fault = 1;
		n = head < n ? head : n;
		n &= 2 * WIRE_STRING_MAX - 1;
		if (!n || bpf_probe_read_user(at, n, (void *)from)) {
			put_empty(s, i);
			return;
		}
	}
	at[(n - 1) & (2 * WIRE_STRING_MAX - 1)] = 0;
	put_len(s, i, n);
}

/* The first string of the command line; put_args() takes what follows it. */
static __always_inline void put_exe(struct scratch *s, u32 i, struct task_struct *task, bool wanted)
{
	u64 from = wanted ? BPF_CORE_READ(task, mm, arg_start) : 0;
	long n;

	if (!from) {
		put_empty(s, i);
		return;
	}
	n = read_user_str(scratch_at(s), WIRE_STRING_MAX, from);
	if (n > 0)
		put_len(s, i, n);
	else /* it runs into a page that is not there */
		put_region(s, i, from, from + to_page_end(from), WIRE_STRING_MAX);
}

static __always_inline void put_args(struct scratch *s, u32 i, struct task_struct *task,
				     bool wanted)
{
	u64 exe = *(volatile u16 *)(s->data + WIRE_HEADER_LEN + 2 * (i - 1));

	if (wanted && exe && exe < WIRE_STRING_MAX)
		put_region(s, i, BPF_CORE_READ(task, mm, arg_start) + exe,
			   BPF_CORE_READ(task, mm, arg_end), WIRE_STRING_MAX - exe);
	else
		put_empty(s, i);
}

static __always_inline void put_env(struct scratch *s, u32 i, struct task_struct *task)
{
	put_region(s, i, BPF_CORE_READ(task, mm, env_start), BPF_CORE_READ(task, mm, env_end),
		   WIRE_STRING_MAX);
}

/* --- walks --- */

/* Puts "/name" in front of what is there. Return: 0, or -1 when it does not fit. */
static __always_inline int prepend(struct walk *w, u64 name)
{
	long n = bpf_probe_read_kernel_str(w->name, sizeof(w->name), (void *)name);
	u64 pos = *(volatile u64 *)&w->pos;

	if (n <= 0 || pos < (u64)n)
		return -1;
	n = (n - 1) & (WALK_NAME_MAX - 1);
	pos -= n;
	if (n)
		bpf_probe_read_kernel(w->buf + (pos & (WALK_MAX - 1)), n, w->name);
	pos--;
	w->buf[pos & (WALK_MAX - 1)] = '/';
	*(volatile u64 *)&w->pos = pos;
	return 0;
}

static __always_inline void walk_begin(struct walk *w)
{
	w->buf[WALK_MAX - 1] = 0;
	*(volatile u64 *)&w->pos = WALK_MAX - 1;
}

static __always_inline bool walk_is_empty(struct walk *w)
{
	return *(volatile u64 *)&w->pos == WALK_MAX - 1;
}

static __always_inline void put_walked(struct scratch *s, struct walk *w, u64 *total)
{
	u64 pos = *(volatile u64 *)&w->pos & (WALK_MAX - 1);
	u64 n = (WALK_MAX - pos) & (2 * WALK_MAX - 1);

	bpf_probe_read_kernel(scratch_at(s), n, w->buf + pos);
	*(volatile u64 *)&s->pos += n;
	*total += n;
}

/* --- cgroups --- */

/* One step from a cgroup's kernfs node towards the root. Return: 1 when there is no further one. */
__noinline int cgroup_step(u32 cpu)
{
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	struct kernfs_node *kn, *parent;

	if (!w)
		return 1;
	kn = (void *)w->node;
	if (bpf_core_field_exists(kn->parent))
		parent = BPF_CORE_READ(kn, parent);
	else
		parent = BPF_CORE_READ((struct kernfs_node___since_6_15 *)kn, __parent);
	if (!parent || prepend(w, (u64)BPF_CORE_READ(kn, name)))
		return 1;
	w->node = (u64)parent;
	return 0;
}

/*
 * Let the walk's buffer end with the path of its task's cgroup. Controllers of one hierarchy mostly
 * share the cgroup: its path is built once. Return: false if the task is in none.
 */
static __always_inline bool walk_cgroup(struct walk *w, u32 cpu, u32 id)
{
	struct task_struct *task = (void *)w->task;
	u64 node = (u64)BPF_CORE_READ(task, cgroups, subsys[id], cgroup, kn);

	if (!node)
		return false;
	if (node == w->cgroup)
		return true;
	w->node = w->cgroup = node;
	walk_begin(w);
	for (u32 k = 0; k < CGROUP_LEVELS; k++)
		if (cgroup_step(cpu))
			break;
	if (walk_is_empty(w)) {
		w->buf[WALK_MAX - 2] = '/';
		w->pos = WALK_MAX - 2;
	}
	return true;
}

/* ADD(id, label, length of the label) for each controller that the kernel has and events show. */
#define IF_CGROUP(ADD, name)                                                                       \
	do {                                                                                       \
		if (bpf_core_enum_value_exists(enum cgroup_subsys_id, name##_cgrp_id))             \
			ADD(bpf_core_enum_value(enum cgroup_subsys_id, name##_cgrp_id), #name "=", \
			    sizeof(#name "=") - 1);                                                \
	} while (0)
#define EACH_CGROUP(ADD)                                                                           \
	do {                                                                                       \
		IF_CGROUP(ADD, cpuset);                                                            \
		IF_CGROUP(ADD, cpu);                                                               \
		IF_CGROUP(ADD, cpuacct);                                                           \
		IF_CGROUP(ADD, io);                                                                \
		IF_CGROUP(ADD, memory);                                                            \
	} while (0)

static __always_inline void put_cgroup(struct scratch *s, struct walk *w, u32 cpu, u32 id,
				       const char *label, u32 label_len, u64 *total)
{
	u8 *at = scratch_at(s);

	if (!walk_cgroup(w, cpu, id))
		return;
	__builtin_memcpy(at, label, label_len);
	*(volatile u64 *)&s->pos += label_len;
	*total += label_len;
	put_walked(s, w, total);
}

#define PUT_CGROUP(id, label, len) put_cgroup(s, w, cpu, id, label, len, &total)

/* Those of the walk's task, at the scratch buffer's position. Return: how many bytes. */
__noinline int walk_cgroups(u32 cpu)
{
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	struct scratch *s = bpf_map_lookup_elem(&scratches, &cpu);
	u64 total = 0;

	if (!s || !w)
		return 0;
	w->cgroup = 0;
	EACH_CGROUP(PUT_CGROUP);
	return total;
}

static __always_inline void put_cgroups(struct scratch *s, u32 i, struct task_struct *task)
{
	struct walk *w = this_walk();
	u32 total = 0;

	if (w) {
		w->task = (u64)task;
		total = walk_cgroups(bpf_get_smp_processor_id());
	}
	STORE(u16, s->data + WIRE_HEADER_LEN + 2 * i, total);
}

#endif
