/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this host can do: each feature is tried with a map or a program of a few instructions, not
 * guessed from the kernel's version; capabilities are asked for. Kernel facts: kernel/bpf/ of Linux
 * 5.11 to 6.18.
 */
#include "capture/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#ifndef CAP_BPF
#define CAP_PERFMON 38
#define CAP_BPF	    39
#endif

#define KERNEL_TYPES "/sys/kernel/btf/vmlinux"
#define FIRST_PIDNS  0xeffffffcu /* inode number, since 3.8 */

/* --- probes: 0, or a negative errno --- */

static int probe_types(void)
{
	return access(KERNEL_TYPES, R_OK) < 0 ? -errno : 0;
}

static int probe_map(enum bpf_map_type type)
{
	int rc = libbpf_probe_bpf_map_type(type, NULL);

	return rc > 0 ? 0 : rc < 0 ? rc : -EINVAL;
}

static int probe_ring(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, NULL, 0, 0, (uint32_t)getpagesize(), NULL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/*
 * A program for one hook of the kernel that is known by its type. It only asks for the current
 * task, which all of ours do; kernels have that since 5.11.
 */
static int probe_hook(const char *name, enum bpf_attach_type attach, uint32_t flags)
{
	/* call; r0 = 0; exit */
	static const struct bpf_insn ask[] = {
	    {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_task_btf},
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K},
	    {.code = BPF_JMP | BPF_EXIT}};
	struct bpf_prog_load_opts opts = {
	    .sz = sizeof(opts), .expected_attach_type = attach, .prog_flags = flags};
	int fd, id = libbpf_find_vmlinux_btf_id(name, attach);

	if (id < 0)
		return id;
	opts.attach_btf_id = (uint32_t)id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", ask, COUNT_OF(ask), &opts);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int probe_calls(void)
{
	return probe_hook("sys_exit", BPF_TRACE_RAW_TP, 0);
}

static int probe_processes(void)
{
	int rc = probe_hook("sched_process_exec", BPF_TRACE_RAW_TP, 0);

	return rc < 0 ? rc : probe_hook("sched_process_exit", BPF_TRACE_RAW_TP, 0);
}

static int probe_scheduler(void)
{
	int rc = probe_hook("sched_switch", BPF_TRACE_RAW_TP, 0);

	return rc < 0 ? rc : probe_hook("signal_deliver", BPF_TRACE_RAW_TP, 0);
}

static int probe_faults(void)
{
	return probe_hook("page_fault_user", BPF_TRACE_RAW_TP, 0);
}

static int probe_new_tasks(void)
{
	return probe_hook("task_newtask", BPF_TRACE_RAW_TP, 0);
}

static int probe_uring(void)
{
	int rc = probe_hook("io_uring_submit_req", BPF_TRACE_RAW_TP, 0);

	if (rc >= 0)
		rc = probe_hook("io_uring_req_failed", BPF_TRACE_RAW_TP, 0);
	return rc < 0 ? rc : probe_hook("io_uring_complete", BPF_TRACE_RAW_TP, 0);
}

static int probe_task_iterator(void)
{
	return probe_hook("task", BPF_TRACE_ITER, 0);
}

static int probe_sleepable_iterator(void)
{
	return probe_hook("task", BPF_TRACE_ITER, BPF_F_SLEEPABLE);
}

static int probe_file_iterator(void)
{
	return probe_hook("task_file", BPF_TRACE_ITER, 0);
}

static int probe_storage(void)
{
	return probe_map(BPF_MAP_TYPE_TASK_STORAGE);
}

static int probe_loop(void)
{
	int rc = libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_loop, NULL);

	return rc > 0 ? 0 : rc < 0 ? rc : -EINVAL;
}

/* --- the list --- */

#define AS_ROOT                                                                                    \
	"run as root, or: setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search+ep "       \
	"PROGRAM"
#define NEWER_KERNEL "a kernel of version 5.11 or newer with CONFIG_DEBUG_INFO_BTF is needed"

static const struct {
	const char *name, *needed_for;
	const char *advice; /* only of those required */
	int (*probe)(void);
	cap_value_t cap, or_cap; /* without a probe */
} features[] = {
    {"CAP_BPF", "loading programs", AS_ROOT, NULL, CAP_BPF, CAP_SYS_ADMIN},
    {"CAP_PERFMON", "reading kernel memory", AS_ROOT, NULL, CAP_PERFMON, CAP_SYS_ADMIN},
    {"kernel type information", "finding the kernel's fields", NEWER_KERNEL, probe_types, 0, 0},
    {"ring buffers", "taking events out of the kernel", NEWER_KERNEL, probe_ring, 0, 0},
    {"system call tracepoints", "every system call", NEWER_KERNEL, probe_calls, 0, 0},
    {"process tracepoints", "programs that begin and processes that end", NEWER_KERNEL,
     probe_processes, 0, 0},
    {"CAP_SYS_PTRACE", "the first state of processes of others", NULL, NULL, CAP_SYS_PTRACE,
     CAP_SYS_PTRACE},
    {"CAP_DAC_READ_SEARCH", "the first state: paths and /proc of others", NULL, NULL,
     CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE},
    {"task iterator", "the first state in one pass", NULL, probe_task_iterator, 0, 0},
    {"sleepable task iterator", "command lines in the first state", NULL, probe_sleepable_iterator,
     0, 0},
    {"file iterator", "open files in the first state", NULL, probe_file_iterator, 0, 0},
    {"task tracepoints", "following the children of a process", NULL, probe_new_tasks, 0, 0},
    {"scheduler tracepoints", "switches and signals", NULL, probe_scheduler, 0, 0},
    {"page fault tracepoints", "page faults", NULL, probe_faults, 0, 0},
    {"io_uring tracepoints", "operations through io_uring", NULL, probe_uring, 0, 0},
    {"task storage", "arguments kept until a call ends", NULL, probe_storage, 0, 0},
    {"loops", "all messages of one call", NULL, probe_loop, 0, 0},
};

_Static_assert(COUNT_OF(features) <= REC_FEATURES_MAX, "the caller's array is that large");

static bool has_cap(cap_value_t cap)
{
	cap_t now = cap_get_proc();
	cap_flag_value_t has = CAP_CLEAR;

	if (!now || cap_get_flag(now, cap, CAP_EFFECTIVE, &has) < 0)
		has = CAP_CLEAR;
	if (now)
		cap_free(now);
	return has == CAP_SET;
}

static void check(unsigned i, struct rec_feature *f)
{
	int rc;

	*f = (struct rec_feature){.name = features[i].name,
				  .needed_for = features[i].needed_for,
				  .required = features[i].advice != NULL};
	if (!features[i].probe) {
		f->present = has_cap(features[i].cap) || has_cap(features[i].or_cap);
		if (!f->present)
			snprintf(f->why, sizeof(f->why), "this process does not have it");
		return;
	}
	rc = features[i].probe();
	f->present = rc >= 0;
	if (rc < 0)
		snprintf(f->why, sizeof(f->why), "%s", strerror(-rc));
}

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

unsigned rec_check(struct rec_feature out[REC_FEATURES_MAX])
{
	libbpf_print_fn_t before = libbpf_set_print(silent);

	for (unsigned i = 0; i < COUNT_OF(features); i++)
		check(i, &out[i]);
	libbpf_set_print(before);
	return COUNT_OF(features);
}

int check_explain(int code, struct error *err)
{
	struct rec_feature f;
	libbpf_print_fn_t before = libbpf_set_print(silent);

	for (unsigned i = 0; i < COUNT_OF(features) && features[i].advice; i++) {
		check(i, &f);
		if (f.present)
			continue;
		code = error_set(err, features[i].probe ? ERR_UNSUPPORTED : ERR_PERMISSION,
				 "recording needs %s (%s), but: %s; %s", f.name, f.needed_for,
				 f.why, features[i].advice);
		break;
	}
	libbpf_set_print(before);
	return code;
}

int check_uring(struct error *err)
{
	libbpf_print_fn_t before = libbpf_set_print(silent);
	int rc = probe_uring();

	libbpf_set_print(before);
	if (rc == 0)
		return 0;
	return error_set(
	    err, ERR_UNSUPPORTED,
	    "operations of io_uring cannot be recorded: %s; a kernel of version 6.4 or "
	    "newer is needed",
	    strerror(-rc));
}

/* The type of the tracepoint's handlers says it: one parameter of ours, ring, request, result. */
bool check_uring_cqe(void)
{
	struct btf *types = btf__load_vmlinux_btf();
	const struct btf_type *t;
	bool one = true;
	int id;

	if (!types)
		return one;
	id = btf__find_by_name_kind(types, "btf_trace_io_uring_complete", BTF_KIND_TYPEDEF);
	t = id > 0 ? btf__type_by_id(types, btf__type_by_id(types, (uint32_t)id)->type) : NULL;
	if (t && btf_is_ptr(t))
		t = btf__type_by_id(types, t->type);
	if (t && btf_is_func_proto(t))
		one = btf_vlen(t) == 4;
	btf__free(types);
	return one;
}

/* --- who we are --- */

bool check_first_pidns(void)
{
	struct stat sb;

	return stat("/proc/self/ns/pid", &sb) == 0 && sb.st_ino == FIRST_PIDNS;
}

int check_own_tgid(void)
{
	/* call bpf_get_current_pid_tgid; r0 >>= 32; exit */
	static const struct bpf_insn ask[] = {
	    {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_pid_tgid},
	    {.code = BPF_ALU64 | BPF_RSH | BPF_K, .imm = 32},
	    {.code = BPF_JMP | BPF_EXIT}};
	struct bpf_test_run_opts run = {.sz = sizeof(run)};
	int fd, rc, tgid = getpid();

	fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL, "GPL", ask, COUNT_OF(ask), NULL);
	if (fd < 0)
		return tgid;
	rc = bpf_prog_test_run_opts(fd, &run);
	if (rc >= 0 && run.retval)
		tgid = (int)run.retval;
	close(fd);
	return tgid;
}

const char *rec_library_version(void)
{
	return libbpf_version_string();
}
