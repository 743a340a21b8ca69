/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first state from the kernel's own lists: one program is called for each task, one for each
 * descriptor of each table. Facts: live capture specification, "BPF iterators instead of procfs".
 * When a record does not fit into what is left of the kernel's buffer, the program is called again
 * for the same object: nothing may be remembered before the record was taken.
 */
#include "capture/bpf/kernel.h"

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "capture/bpf/file.h"
#include "capture/bpf/iter.h"
#include "capture/bpf/proc.h"
#include "capture/bpf/socket.h"
#include "capture/bpf/task.h"

#define SESSION		3 /* PIDTYPE_SID */
#define ITER_SCRATCH	65536
#define TEXT_MASK	32767 /* where a text may begin; it ends before ITER_SCRATCH */
#define CGROUP_SETS_MAX 8192
#define PIPE_MAGIC	0x50495045
#define PIPE_MODE	0010000
#define CLOSE_ON_EXEC	02000000
#define SOCKET_NAME_MAX 108

/* Set before each run. */
__s32 only_pid, skip_pid; /* 0: all, none */
__u32 want_environment;
__u32 run;
/* Of processes whose leader ended: the text and the table that were delivered last. */
__u64 text_of, table_of;
__s32 table_tid;

struct iter_scratch {
	u64 pos; /* of the next text; in memory, so that the verifier forgets its range */
	u8 data[ITER_SCRATCH];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct iter_scratch);
} iter_scratches SEC(".maps");
/* Sets of cgroups whose text was delivered in run VALUE. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CGROUP_SETS_MAX);
	__type(key, u64);
	__type(value, u32);
} cgroup_sets SEC(".maps");

static __always_inline struct iter_scratch *text_scratch(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&iter_scratches, &zero);
}

static __always_inline bool wants(struct task_struct *task)
{
	s32 pid = task->tgid;

	return (!only_pid || pid == only_pid) && pid != skip_pid;
}

static __always_inline void fill_head(struct iter_head *h, u32 kind, struct task_struct *task)
{
	h->kind = kind;
	h->stamp = bpf_ktime_get_boot_ns();
	h->start = task->start_boottime;
	h->tid = task->pid;
	h->pid = task->tgid;
	h->files = (u64)BPF_CORE_READ(task, files);
}

/* --- text --- */

static __always_inline u8 *text_at(struct iter_scratch *s)
{
	return s->data + (*(volatile u64 *)&s->pos & TEXT_MASK);
}

/* The path of the mount tree, from its top. Return: its length. */
static __always_inline u32 add_path(struct iter_scratch *s, struct path *path)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	struct dentry *dentry = BPF_CORE_READ(path, dentry);
	u64 pos, n;

	if (!w || !dentry)
		return 0;
	walk_path(w, cpu, path, (u64)dentry);
	if (walk_is_empty(w)) {
		long len = bpf_probe_read_kernel_str(text_at(s), WALK_NAME_MAX,
						     BPF_CORE_READ(dentry, d_name.name));

		n = len > 1 ? len - 1 : 0;
	} else {
		pos = *(volatile u64 *)&w->pos & (WALK_MAX - 1);
		n = (WALK_MAX - 1 - pos) & (WALK_MAX - 1);
		bpf_probe_read_kernel(text_at(s), n, w->buf + pos);
	}
	*(volatile u64 *)&s->pos += n;
	return n;
}

/* Not to be found by its name any more. Roots of file systems are never found so. */
static __always_inline bool is_deleted(struct path *path)
{
	struct dentry *d = BPF_CORE_READ(path, dentry);

	return d && !BPF_CORE_READ(d, d_hash.pprev) && d != BPF_CORE_READ(d, d_parent);
}

static __always_inline u32 add_cgroup(struct iter_scratch *s, u32 cpu, u32 id, const char *label,
				      u32 label_len)
{
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	u64 pos, n;

	if (!w || !walk_cgroup(w, cpu, id))
		return 0;
	__builtin_memcpy(text_at(s), label, label_len);
	*(volatile u64 *)&s->pos += label_len;
	pos = *(volatile u64 *)&w->pos & (WALK_MAX - 1);
	n = (WALK_MAX - pos) & (2 * WALK_MAX - 1);
	bpf_probe_read_kernel(text_at(s), n, w->buf + pos);
	*(volatile u64 *)&s->pos += n;
	return label_len + n;
}

#define ADD_CGROUP(id, label, len)                                                                 \
	do {                                                                                       \
		if (total < ITER_LIST_MAX)                                                         \
			total += add_cgroup(s, cpu, id, label, len);                               \
	} while (0)

/* Of the walk's task. Return: how many bytes were added; of them, up to ITER_LIST_MAX count. */
__noinline int add_cgroups(u32 cpu)
{
	struct iter_scratch *s = text_scratch();
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	u32 total = 0;

	if (!s || !w)
		return 0;
	w->cgroup = 0;
	EACH_CGROUP(ADD_CGROUP);
	return total;
}

static __always_inline void add_new_cgroups(struct iter_scratch *s, struct iter_task *r,
					    struct task_struct *task)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	u32 *seen = bpf_map_lookup_elem(&cgroup_sets, &r->cgroup_set);
	u64 begin = *(volatile u64 *)&s->pos;
	u32 n;

	if (!w || (seen && *seen == run))
		return;
	w->task = (u64)task;
	n = add_cgroups(cpu);
	r->cgroups = n > ITER_LIST_MAX ? ITER_LIST_MAX : n;
	*(volatile u64 *)&s->pos = begin + r->cgroups;
}

/* --- tasks --- */

static __always_inline void fill_ids(struct iter_task *r, struct task_struct *task)
{
	struct pid *group = BPF_CORE_READ(task, signal, pids[PROCESS_GROUP]);
	struct pid *own = BPF_CORE_READ(task, thread_pid);
	u32 level = BPF_CORE_READ(own, level);

	r->ptid = BPF_CORE_READ(task, real_parent, pid);
	r->sid = pid_in_root(BPF_CORE_READ(task, signal, pids[SESSION]));
	r->pgid = pid_in_root(group);
	r->vpgid = pid_at(group, level);
	r->vtid = pid_at(own, level);
	r->vpid = pid_at(BPF_CORE_READ(task, signal, pids[PROCESS]), level);
	r->uid = BPF_CORE_READ(task, cred, euid.val);
	r->gid = BPF_CORE_READ(task, cred, egid.val);
	r->loginuid = loginuid(task);
	r->tty = tty(task);
	bpf_probe_read_kernel_str(r->comm, sizeof(r->comm), task->comm);
}

static __always_inline void fill_figures(struct iter_task *r, struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);

	r->vmsize = vm_size(task);
	r->vmrss = vm_rss(task);
	r->vmswap = vm_swap(task);
	r->pfminor = task->min_flt;
	r->pfmajor = task->maj_flt;
	r->fdlimit = BPF_CORE_READ(task, signal, rlim[LIMIT_OPEN_FILES].rlim_cur);
	r->pidns_start = pidns_start(task);
	r->cap_inheritable = caps(&cred->cap_inheritable);
	r->cap_permitted = caps(&cred->cap_permitted);
	r->cap_effective = caps(&cred->cap_effective);
	r->cgroup_set = (u64)BPF_CORE_READ(task, cgroups);
}

static __always_inline void fill_executable(struct iter_scratch *s, struct iter_task *r,
					    struct task_struct *task)
{
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);
	struct inode *inode;

	if (!exe)
		return;
	inode = BPF_CORE_READ(exe, f_inode);
	r->exe_ino = BPF_CORE_READ(inode, i_ino);
	r->exe_ctime = inode_ctime(inode);
	r->exe_mtime = inode_mtime(inode);
	r->exe_flags = exe_flags(task, exe);
	if (is_deleted(&exe->f_path))
		r->flags |= ITER_EXE_DELETED;
	r->exe = add_path(s, &exe->f_path);
}

static __always_inline void fill_place(struct iter_scratch *s, struct iter_task *r,
				       struct task_struct *task)
{
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	struct fs_struct *leader = BPF_CORE_READ(task, group_leader, fs);

	if (!fs || (r->head.tid != r->head.pid && fs == leader))
		return;
	r->flags |= ITER_HAS_PLACE;
	if (is_deleted(&fs->pwd))
		r->flags |= ITER_CWD_DELETED;
	r->cwd = add_path(s, &fs->pwd);
	if (is_deleted(&fs->root))
		r->flags |= ITER_ROOT_DELETED;
	r->root = add_path(s, &fs->root);
}

/*
 * Is the program to be told with this task? Threads have that of their leader; if it ended, one of
 * them tells it.
 */
static __always_inline bool tells_program(struct iter_task *r, struct task_struct *task)
{
	u64 mm = (u64)BPF_CORE_READ(task, mm);

	if (r->head.tid == r->head.pid)
		return mm;
	return mm && mm != (u64)BPF_CORE_READ(task, group_leader, mm) && mm != text_of;
}

/* A leader may end before its threads; the process goes on. */
static __always_inline bool has_threads(struct task_struct *task)
{
	return task->pid == task->tgid && BPF_CORE_READ(task, signal, live.counter) > 0;
}

/* Return: whether there is more to tell of @task than that it has no program. */
static __always_inline bool fill_task(struct iter_scratch *s, struct task_struct *task)
{
	struct iter_task *r = (void *)s->data;
	bool of_kernel = task->flags & TASK_KTHREAD;

	__builtin_memset(r, 0, sizeof(*r));
	s->pos = sizeof(*r);
	fill_head(&r->head, ITER_TASK, task);
	if (of_kernel || !BPF_CORE_READ(task, mm)) {
		if (of_kernel || !has_threads(task)) {
			r->head.kind = ITER_NO_PROGRAM;
			r->head.files = of_kernel;
			s->pos = sizeof(r->head);
			return false;
		}
		r->flags |= ITER_LEADER_ENDED;
	}
	fill_ids(r, task);
	fill_figures(r, task);
	if (tells_program(r, task)) {
		r->flags |= ITER_HAS_PROGRAM;
		fill_executable(s, r, task);
	}
	fill_place(s, r, task);
	add_new_cgroups(s, r, task);
	return true;
}

static __always_inline int write_task(struct iter_scratch *s, struct bpf_iter__task *ctx,
				      struct task_struct *task)
{
	struct iter_task *r = (void *)s->data;
	u64 len = (*(volatile u64 *)&s->pos + 7) & TEXT_MASK & ~7ull;

	r->head.len = len;
	if (bpf_seq_write(ctx->meta->seq, s->data, len))
		return 0;
	if (r->cgroups)
		bpf_map_update_elem(&cgroup_sets, &r->cgroup_set, &run, BPF_ANY);
	if (r->flags & ITER_HAS_PROGRAM)
		text_of = (u64)BPF_CORE_READ(task, mm);
	return 0;
}

/* Memory of another task, from the first page of it on that is there. */
static __always_inline u32 add_list(struct iter_scratch *s, struct task_struct *task, u64 from,
				    u64 to)
{
	u64 n = to - from, head = to_page_end(from);

	if (from >= to)
		return 0;
	n = n > ITER_LIST_MAX ? ITER_LIST_MAX : n;
	n &= 2 * ITER_LIST_MAX - 1;
	if (bpf_copy_from_user_task(text_at(s), n, (void *)from, task, 0)) {
		n = head < n ? head : 0;
		n &= 2 * ITER_LIST_MAX - 1;
		if (!n || bpf_copy_from_user_task(text_at(s), n, (void *)from, task, 0))
			return 0;
	}
	*(volatile u64 *)&s->pos += n;
	return n;
}

SEC("?iter.s/task")
int tasks_with_lists(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct iter_scratch *s = text_scratch();
	struct iter_task *r;

	if (!task || !s || !wants(task))
		return 0;
	r = (void *)s->data;
	if (fill_task(s, task) && r->flags & ITER_HAS_PROGRAM) {
		u64 end = BPF_CORE_READ(task, mm, arg_end);
		u64 next = BPF_CORE_READ(task, mm, env_start);

		r->flags |= ITER_HAS_LISTS | (end == next ? ITER_LISTS_ADJOIN : 0);
		r->args = add_list(s, task, BPF_CORE_READ(task, mm, arg_start), end);
		if (want_environment)
			r->env = add_list(s, task, next, BPF_CORE_READ(task, mm, env_end));
	}
	return write_task(s, ctx, task);
}

/* Before 5.18: the memory of other tasks is left to /proc. */
SEC("?iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct iter_scratch *s = text_scratch();

	if (!task || !s || !wants(task))
		return 0;
	fill_task(s, task);
	return write_task(s, ctx, task);
}

/* --- descriptors --- */

static __always_inline bool closes_on_exec(struct task_struct *task, u32 fd)
{
	unsigned long *bits = BPF_CORE_READ(task, files, fdt, close_on_exec), word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), bits + fd / 64);
	return word >> (fd & 63) & 1;
}

static __always_inline void fill_addresses(struct iter_socket *r, struct sock *sk)
{
	if (r->family == AF_INET_) {
		*(u32 *)r->local = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		*(u32 *)r->remote = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	} else if (r->family == AF_INET6_ && bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
		bpf_core_read(r->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(r->remote, 16, &sk->__sk_common.skc_v6_daddr);
	}
	r->lport = swap16(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	r->rport = swap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

static __always_inline void fill_unix(struct iter_scratch *s, struct iter_socket *r,
				      struct sock *sk)
{
	struct unix_address *addr = BPF_CORE_READ((struct unix_sock *)sk, addr);
	s32 len = addr ? BPF_CORE_READ(addr, len) - 2 : 0;
	u32 n = len > 0 ? len : 0;

	r->self = (u64)sk;
	r->peer = (u64)BPF_CORE_READ((struct unix_sock *)sk, peer);
	if (n > SOCKET_NAME_MAX)
		n = SOCKET_NAME_MAX;
	n &= 127;
	if (n && !bpf_probe_read_kernel(s->data + sizeof(*r), n,
					(u8 *)addr +
					    bpf_core_field_offset(struct unix_address, name) + 2))
		r->name = n;
}

static __always_inline int write_socket(struct iter_scratch *s, struct bpf_iter__task_file *ctx,
					struct task_struct *task, struct inode *inode,
					struct sock *sk)
{
	struct iter_socket *r = (void *)s->data;

	__builtin_memset(r, 0, sizeof(*r));
	fill_head(&r->head, ITER_SOCKET, task);
	r->fd = ctx->fd;
	r->ino = BPF_CORE_READ(inode, i_ino);
	r->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	r->type = BPF_CORE_READ(sk, sk_type);
	r->protocol = BPF_CORE_READ(sk, sk_protocol);
	r->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (r->family == AF_UNIX_)
		fill_unix(s, r, sk);
	else if (r->family == AF_INET_ || r->family == AF_INET6_)
		fill_addresses(r, sk);
	r->head.len = (sizeof(*r) + r->name + 7) & 1023 & ~7u;
	return bpf_seq_write(ctx->meta->seq, r, r->head.len);
}

static __always_inline int write_file(struct iter_scratch *s, struct bpf_iter__task_file *ctx,
				      struct task_struct *task, struct file *file,
				      struct inode *inode)
{
	struct iter_file *r = (void *)s->data;
	u32 dev = BPF_CORE_READ(inode, i_sb, s_dev);
	u64 len = sizeof(*r);
	long n;

	__builtin_memset(r, 0, sizeof(*r));
	fill_head(&r->head, ITER_FILE, task);
	r->fd = ctx->fd;
	r->ino = BPF_CORE_READ(inode, i_ino);
	r->mode = BPF_CORE_READ(inode, i_mode);
	r->nlink = BPF_CORE_READ(inode, i_nlink);
	r->dev = encode_dev(dev >> 20, dev & 0xfffff);
	r->flags = file->f_flags & ~CLOSE_ON_EXEC;
	if (closes_on_exec(task, r->fd))
		r->flags |= CLOSE_ON_EXEC;
	r->pipe =
	    (r->mode & MODE_TYPE) == PIPE_MODE && BPF_CORE_READ(inode, i_sb, s_magic) == PIPE_MAGIC;
	if (!r->pipe) {
		n = bpf_d_path(&file->f_path, (char *)s->data + sizeof(*r), ITER_PATH_MAX);
		r->name = n > 1 && n <= ITER_PATH_MAX ? n - 1 : 0;
	}
	len = (len + r->name + 7) & (2 * ITER_PATH_MAX - 1) & ~7ull;
	r->head.len = len;
	return bpf_seq_write(ctx->meta->seq, s->data, len);
}

/*
 * Threads that share the table of their leader are left out, by the kernel, too. Those of a leader
 * that ended share it among each other.
 */
static __always_inline bool is_repeated(struct task_struct *task)
{
	u64 files = (u64)BPF_CORE_READ(task, files);
	u64 leaders = (u64)BPF_CORE_READ(task, group_leader, files);
	s32 tid = task->pid;

	if (tid == task->tgid)
		return false;
	return files == leaders || (!leaders && files == table_of && tid != table_tid);
}

SEC("?iter/task_file")
int files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct iter_scratch *s = text_scratch();
	struct inode *inode;
	struct sock *sk;
	int rc;

	if (!task || !file || !s || !wants(task) || is_repeated(task))
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	sk = file_sock(file);
	if (sk)
		rc = write_socket(s, ctx, task, inode, sk);
	else
		rc = write_file(s, ctx, task, file, inode);
	if (!rc) {
		table_of = (u64)BPF_CORE_READ(task, files);
		table_tid = task->pid;
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
