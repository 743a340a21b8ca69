/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tasks and calls are recorded: those of certain processes and their descendants, cgroups,
 * commands, those on sockets with certain ports, those that did not fail; and what is left out
 * under pressure. What is not asked for is constant and vanishes when the programs are loaded.
 * Values of one kind are alternatives; of several kinds, each must let an event pass.
 */
#ifndef CAPTURE_BPF_FILTER_H
#define CAPTURE_BPF_FILTER_H

#include "capture/bpf/event.h"
#include "capture/bpf/socket.h"
#include "capture/bpf/task.h"

#define CGROUP_DEPTH_MAX 32

const volatile __u32 cfg_only_followed, cfg_only_cgroups, cfg_only_comms, cfg_only_ports;
const volatile __u32 cfg_drop_failed;
/* As the recorder's pid namespace numbers them; 0: no more. */
const volatile __s32 cfg_followed[WIRE_FOLLOWED];
/* By native number: what a call is reported as, and whether it moves data through a descriptor. */
const volatile __u16 cfg_call_types[WIRE_SYSCALLS];
const volatile __u64 cfg_io_calls[WIRE_SYSCALLS / 64];

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* enlarged when wanted */
	__type(key, u32);	/* process */
	__type(value, u8);
} followed SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u64); /* id of a directory of the unified hierarchy */
	__type(value, u8);
} only_cgroups SEC(".maps");
struct comm {
	char text[16];
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct comm);
	__type(value, u8);
} only_comms SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u16);
	__type(value, u8);
} only_ports SEC(".maps");

/* --- tasks --- */

static __always_inline bool is_followed(u32 tgid)
{
	return bpf_map_lookup_elem(&followed, &tgid) != 0;
}

/* Is the current task in one of the cgroups, or below? */
static __always_inline bool in_cgroups(void)
{
	for (int level = 0; level < CGROUP_DEPTH_MAX; level++) {
		u64 id = bpf_get_current_ancestor_cgroup_id(level);

		if (!id)
			return false;
		if (bpf_map_lookup_elem(&only_cgroups, &id))
			return true;
	}
	return false;
}

static __always_inline bool has_comm(void)
{
	struct comm comm = {};

	bpf_get_current_comm(comm.text, sizeof(comm.text));
	return bpf_map_lookup_elem(&only_comms, &comm) != 0;
}

/* @task is the current one, in all hooks but that of a new task. */
static __always_inline bool passes_task(struct task_struct *task)
{
	if (cfg_only_followed && !is_followed(task->tgid))
		return false;
	if (cfg_only_cgroups && !in_cgroups())
		return false;
	if (cfg_only_comms && !has_comm())
		return false;
	return true;
}

/* --- pressure --- */

static __always_inline bool is_lifecycle(u32 type)
{
	switch (type) {
#define LIFECYCLE(type) case type:
#include "capture/lifecycle.def"
#undef LIFECYCLE
		return true;
	default:
		return false;
	}
}

static __always_inline bool is_io(u32 nr)
{
	return has_call(cfg_io_calls, nr);
}

/* Counted like an event that was begun, and lost on purpose. */
static __always_inline bool shed(u32 type)
{
	count(WIRE_SEEN, type);
	count(WIRE_SHED, type);
	return true;
}

static __always_inline bool sheds_call(u32 level, u32 nr, u32 type)
{
	return (level >= WIRE_SHED_GENERIC && type == EV_GENERIC_X) ||
	       (level >= WIRE_SHED_IO && is_io(nr)) ||
	       (level >= WIRE_SHED_ALL && !is_lifecycle(type));
}

static __always_inline bool sheds_tracepoint(u32 level, u32 type)
{
	return (level >= WIRE_SHED_SCHEDULER &&
		(type == EV_SCHEDSWITCH_6_E || type == EV_PAGE_FAULT_E)) ||
	       (level >= WIRE_SHED_IO && type >= WIRE_EVENT_TYPES) || /* of io_uring */
	       (level >= WIRE_SHED_ALL && !is_lifecycle(type));
}

/* --- sockets --- */

static __always_inline bool is_wanted_port(u16 port)
{
	return port && bpf_map_lookup_elem(&only_ports, &port) != 0;
}

/*
 * Of calls that move data: is it a file, or a socket with one of the ports? Messages of local
 * sockets pass when descriptors may come with them.
 */
static __always_inline bool passes_ports(struct task_struct *task, struct pt_regs *regs, u32 type)
{
	struct args a = read_args(regs);
	struct sock *sk = fd_sock(task, s32(a.v[0]));
	u16 to[2] = {}; /* family and port, of both kinds of addresses */
	struct ports p;

	if (!sk)
		return true;
	p = sock_ports(sk);
	if (!p.remote && type == EV_SENDTO_X && a.v[5] >= sizeof(to) &&
	    !bpf_probe_read_user(to, sizeof(to), (void *)a.v[4]) &&
	    (to[0] == AF_INET_ || to[0] == AF_INET6_))
		p.remote = swap16(to[1]);
	if (!p.local && !p.remote)
		return type == EV_RECVMSG_X || type == EV_RECVMMSG_X;
	return is_wanted_port(p.local) || is_wanted_port(p.remote);
}

/* --- what the programs ask --- */

/* A tracepoint that concerns @task. */
static __always_inline bool keep_task(struct task_struct *task, u32 type)
{
	u32 level = settings.shed;

	if (!passes_task(task))
		return false;
	return !(level && sheds_tracepoint(level, type) && shed(type));
}

/* The system call @nr of the current task, which returns @ret. */
static __always_inline bool keep_event(struct task_struct *task, struct pt_regs *regs, u32 nr,
				       long ret)
{
	u32 level = settings.shed;
	u32 type = cfg_call_types[call_index(nr)];

	if (cfg_drop_failed && ret < 0 && ret >= -4095 && ret != -EINPROGRESS_)
		return false;
	if (!passes_task(task))
		return false;
	if (cfg_only_ports && is_io(nr) && !passes_ports(task, regs, type))
		return false;
	return !(level && sheds_call(level, nr, type) && shed(type));
}

/* The same before the call: its copy has the type before that of its exit. */
static __always_inline bool keep_entry(struct task_struct *task, u32 nr)
{
	u32 type = cfg_call_types[call_index(nr)] & ~1u;

	if (!passes_task(task))
		return false;
	return !(settings.shed >= WIRE_SHED_ALL && shed(type));
}

/* --- following processes --- */

static __always_inline bool is_asked_for(s32 number)
{
	for (int i = 0; i < WIRE_FOLLOWED && cfg_followed[i]; i++)
		if (cfg_followed[i] == number)
			return true;
	return false;
}

/*
 * Those that are there already: the recorder reads this list until nothing is new. The kernel shows
 * it the processes of its own pid namespace, where descendants are as well.
 */
SEC("iter/task")
int follow_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *me = (void *)bpf_get_current_task(), *task = ctx->task;
	u32 level = BPF_CORE_READ(me, thread_pid, level), tgid;
	struct wire_followed found = {};
	u8 yes = 1;

	if (!task || task->pid != task->tgid)
		return 0;
	tgid = task->tgid;
	found.number = pid_at(BPF_CORE_READ(task, thread_pid), level);
	if (is_followed(tgid) ||
	    !(is_asked_for(found.number) || is_followed(BPF_CORE_READ(task, real_parent, tgid))))
		return 0;
	found.error = bpf_map_update_elem(&followed, &tgid, &yes, BPF_ANY);
	if (bpf_seq_write(ctx->meta->seq, &found, sizeof(found)))
		bpf_map_delete_elem(&followed, &tgid); /* no room: the kernel asks again */
	return 0;
}

/* In the creator's context, before the child runs. */
SEC("tp_btf/task_newtask")
int BPF_PROG(follow_newtask, struct task_struct *child)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32, new = child->tgid;
	u8 yes = 1;

	if (new != tgid && is_followed(tgid))
		bpf_map_update_elem(&followed, &new, &yes, BPF_ANY);
	return 0;
}

/* Attached behind the program that reports the end. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(follow_exit, struct task_struct *task)
{
	u32 tgid = task->tgid;

	if (BPF_CORE_READ(task, signal, live.counter) == 0)
		bpf_map_delete_elem(&followed, &tgid);
	return 0;
}

#endif
