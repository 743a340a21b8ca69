/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters that come from a task: memory, ids, credentials, command line, cgroups. */
#ifndef CAPTURE_BPF_TASK_H
#define CAPTURE_BPF_TASK_H

#include "capture/bpf/event.h"

#define WALK_MAX	  4096
#define CGROUP_LEVELS	  16
#define ARGV_MAX	  16
#define CL_CHILD_IN_PIDNS (1u << 29)
#define PAGE_KIB_SHIFT	  2

struct walk { /* a path under construction, from its end; one per CPU */
	u64 dentry, mount, node, pos;
	char name[256];
	char buf[2 * WALK_MAX];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct walk);
} walks SEC(".maps");

static __always_inline u32 vm_size(struct task_struct *task)
{
	return BPF_CORE_READ(task, mm, total_vm) << PAGE_KIB_SHIFT;
}

static __always_inline u32 counter_kib(s64 pages)
{
	return pages > 0 ? (u32)(pages << PAGE_KIB_SHIFT) : 0;
}

static __always_inline u32 vm_rss(struct task_struct *task) /* file, anonymous, shared */
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	return counter_kib(BPF_CORE_READ(mm, rss_stat[0].count) +
			   BPF_CORE_READ(mm, rss_stat[1].count) +
			   BPF_CORE_READ(mm, rss_stat[3].count));
}

static __always_inline u32 vm_swap(struct task_struct *task)
{
	return counter_kib(BPF_CORE_READ(task, mm, rss_stat[2].count));
}

static __always_inline s64 pid_in_ns(struct pid *pid)
{
	u32 level = BPF_CORE_READ(pid, level) & 31;
	s32 nr = 0;

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

static __always_inline u64 caps(const void *set)
{
	u64 bits = 0;

	bpf_probe_read_kernel(&bits, sizeof(bits), set);
	return bits & ((1ull << 41) - 1);
}

static __always_inline void put_comm(struct scratch *s, u32 i, struct task_struct *task)
{
	put_kstr(s, i, task->comm);
}

/* The first string of the command line; put_args() takes what follows it. */
static __always_inline void put_exe(struct scratch *s, u32 i, struct task_struct *task, bool wanted)
{
	if (wanted)
		put_str(s, i, BPF_CORE_READ(task, mm, arg_start));
	else
		put_empty(s, i);
}

static __always_inline void put_region(struct scratch *s, u32 i, u64 from, u64 to, u64 max)
{
	u64 n = to - from;
	u8 *at = scratch_at(s);

	if (from >= to) {
		put_empty(s, i);
		return;
	}
	n = n > max ? max : n;
	n &= WIRE_STRING_MAX * 2 - 1;
	if (!n || bpf_probe_read_user(at, n, (void *)from)) {
		put_empty(s, i);
		return;
	}
	at[(n - 1) & (WIRE_STRING_MAX * 2 - 1)] = 0;
	put_len(s, i, n);
}

static __always_inline void put_args(struct scratch *s, u32 i, struct task_struct *task,
				     bool wanted)
{
	u64 exe_len = *(volatile u16 *)(s->data + WIRE_HEADER_LEN + 2 * (i - 1));

	if (wanted && exe_len < WIRE_STRING_MAX)
		put_region(s, i, BPF_CORE_READ(task, mm, arg_start) + exe_len,
			   BPF_CORE_READ(task, mm, arg_end), WIRE_STRING_MAX - exe_len);
	else
		put_empty(s, i);
}

static __always_inline void put_env(struct scratch *s, u32 i, struct task_struct *task)
{
	put_region(s, i, BPF_CORE_READ(task, mm, env_start), BPF_CORE_READ(task, mm, env_end),
		   WIRE_STRING_MAX);
}

static __always_inline void put_argv_exe(struct scratch *s, u32 i, u64 argv)
{
	u64 p = 0;

	if (!argv) {
		*scratch_at(s) = 0;
		put_len(s, i, 1);
		return;
	}
	bpf_probe_read_user(&p, sizeof(p), (void *)argv);
	put_str(s, i, p);
}

static __always_inline void put_argv(struct scratch *s, u32 i, u64 argv, u32 first)
{
	u64 start = *(volatile u64 *)&s->pos, total;

	for (u32 k = first; k < ARGV_MAX && argv; k++) {
		u64 p = 0;
		long n;

		if (bpf_probe_read_user(&p, sizeof(p), (void *)(argv + 8 * k)) || !p)
			break;
		n = bpf_probe_read_user_str(scratch_at(s), WIRE_STRING_MAX, (void *)p);
		if (n <= 0 || *(volatile u64 *)&s->pos + n - start > WIRE_STRING_MAX)
			break;
		*(volatile u64 *)&s->pos += n;
	}
	total = *(volatile u64 *)&s->pos - start;
	STORE(u16, s->data + WIRE_HEADER_LEN + 2 * i, total);
}

static __always_inline struct walk *this_walk(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&walks, &cpu);
}

/* Puts "/name" in front of what is there. Return: 0, or -1 when it does not fit. */
static __always_inline int prepend(struct walk *w, u64 name)
{
	long n = bpf_probe_read_kernel_str(w->name, sizeof(w->name), (void *)name);
	u64 pos = *(volatile u64 *)&w->pos;

	if (n <= 0 || pos < (u64)n)
		return -1;
	n = (n - 1) & 0xff;
	pos -= n;
	if (n)
		bpf_probe_read_kernel(w->buf + (pos & (WALK_MAX - 1)), n, w->name);
	pos--;
	w->buf[pos & (WALK_MAX - 1)] = '/';
	*(volatile u64 *)&w->pos = pos;
	return 0;
}

static __always_inline void put_walked(struct scratch *s, struct walk *w, u64 *total)
{
	u64 pos = *(volatile u64 *)&w->pos & (WALK_MAX - 1);
	u64 n = (WALK_MAX - pos) & (2 * WALK_MAX - 1);

	bpf_probe_read_kernel(scratch_at(s), n, w->buf + pos);
	*(volatile u64 *)&s->pos += n;
	*total += n;
}

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

static __always_inline void put_cgroup(struct scratch *s, struct task_struct *task, u32 id,
				       const char *label, u32 label_len, u64 *total)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct walk *w = this_walk();
	u8 *at = scratch_at(s);

	if (!w)
		return;
	w->node = (u64)BPF_CORE_READ(task, cgroups, subsys[id], cgroup, kn);
	if (!w->node)
		return;
	w->buf[WALK_MAX - 1] = 0;
	w->pos = WALK_MAX - 1;
	for (u32 k = 0; k < CGROUP_LEVELS; k++)
		if (cgroup_step(cpu))
			break;
	if (*(volatile u64 *)&w->pos == WALK_MAX - 1) {
		w->buf[WALK_MAX - 2] = '/';
		w->pos = WALK_MAX - 2;
	}
	__builtin_memcpy(at, label, label_len);
	*(volatile u64 *)&s->pos += label_len;
	*total += label_len;
	put_walked(s, w, total);
}

#define PUT_CGROUP(name)                                                                           \
	do {                                                                                       \
		if (bpf_core_enum_value_exists(enum cgroup_subsys_id, name##_cgrp_id))             \
			put_cgroup(s, task,                                                        \
				   bpf_core_enum_value(enum cgroup_subsys_id, name##_cgrp_id),     \
				   #name "=", sizeof(#name "=") - 1, &total);                      \
	} while (0)

/* Global, so that it is verified once and not in each program that has the parameter. */
__noinline int current_cgroups(u32 cpu)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct scratch *s = bpf_map_lookup_elem(&scratches, &cpu);
	u64 total = 0;

	if (!s)
		return 0;
	PUT_CGROUP(cpuset);
	PUT_CGROUP(cpu);
	PUT_CGROUP(cpuacct);
	PUT_CGROUP(io);
	PUT_CGROUP(memory);
	return total;
}

static __always_inline void put_cgroups(struct scratch *s, u32 i, struct task_struct *task)
{
	u32 total = current_cgroups(bpf_get_smp_processor_id());

	STORE(u16, s->data + WIRE_HEADER_LEN + 2 * i, total);
}

/* Who adopts the children of a task that ends: the first rule only, see the design. */
static __always_inline s64 reaper(struct task_struct *task)
{
	struct task_struct *init;

	if (task->children.next == &task->children)
		return 0;
	init = BPF_CORE_READ(pid_ns(task), child_reaper);
	return init == task ? 0 : BPF_CORE_READ(init, pid);
}

#endif
