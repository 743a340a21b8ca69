/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tests/truth_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * Arguments of 32 bits, one bit for each: the kernel does not look at what is above them in the
 * register, and neither may the programs.
 */
static const struct {
	long nr;
	unsigned args;
} narrow[] = {
    /* clang-format off */
	{SYS_bind, 1}, {SYS_bpf, 1}, {SYS_chown, 6}, {SYS_close, 1}, {SYS_connect, 1},
	{SYS_copy_file_range, 5}, {SYS_dup, 1}, {SYS_dup2, 3}, {SYS_dup3, 3},
	{SYS_epoll_create, 1}, {SYS_epoll_wait, 4}, {SYS_fchdir, 1}, {SYS_fchmod, 1},
	{SYS_fchmodat, 1}, {SYS_fchown, 7}, {SYS_fchownat, 13}, {SYS_fcntl, 1},
	{SYS_finit_module, 1}, {SYS_flock, 1}, {SYS_fsconfig, 17}, {SYS_fstat, 1},
	{SYS_getdents, 1}, {SYS_getdents64, 1}, {SYS_getsockopt, 1}, {SYS_io_uring_enter, 1},
	{SYS_io_uring_register, 1}, {SYS_ioctl, 1}, {SYS_kill, 1}, {SYS_lchown, 6},
	{SYS_linkat, 5}, {SYS_listen, 3}, {SYS_lseek, 1}, {SYS_mkdirat, 1}, {SYS_mknodat, 1},
	{SYS_mmap, 16}, {SYS_newfstatat, 1}, {SYS_open_by_handle_at, 1}, {SYS_openat, 1},
	{SYS_openat2, 1}, {SYS_pidfd_getfd, 3}, {SYS_pidfd_open, 1}, {SYS_poll, 4},
	{SYS_pread64, 1}, {SYS_preadv, 1}, {SYS_prlimit64, 1}, {SYS_ptrace, 2},
	{SYS_pwrite64, 1}, {SYS_pwritev, 1}, {SYS_read, 1}, {SYS_readv, 1}, {SYS_recvfrom, 1},
	{SYS_recvmsg, 1}, {SYS_renameat, 5}, {SYS_renameat2, 5}, {SYS_semctl, 11},
	{SYS_semget, 3}, {SYS_semop, 1}, {SYS_sendfile, 3}, {SYS_sendmsg, 1}, {SYS_sendto, 1},
	{SYS_setgid, 1}, {SYS_setns, 1}, {SYS_setpgid, 3}, {SYS_setregid, 3},
	{SYS_setresgid, 7}, {SYS_setresuid, 7}, {SYS_setreuid, 3}, {SYS_setsockopt, 1},
	{SYS_setuid, 1}, {SYS_shutdown, 1}, {SYS_signalfd, 1}, {SYS_signalfd4, 1},
	{SYS_splice, 5}, {SYS_symlinkat, 2}, {SYS_tgkill, 3}, {SYS_tkill, 1},
	{SYS_unlinkat, 1}, {SYS_write, 1}, {SYS_writev, 1},
    /* clang-format on */
};
#define ABOVE 0x5a5a5a5a00000000

struct job { /* for the child, which is a copy of this process */
	void (*prepare)(void);
	void (*facts)(int64_t *fact, const long *ret);
	const struct truth_call *calls;
	size_t n;
};

struct outcome { /* in the shared bytes */
	long ret[TRUTH_CALLS_MAX];
	int64_t fact[TRUTH_CALLS_MAX];
};

static struct job job;

static bool has_param(const struct truth_call *c, unsigned i)
{
	return i < sizeof(c->p) / sizeof(*c->p) && c->p[i].name;
}

static void prepare_call(const struct truth_call *c)
{
	for (unsigned i = 0; has_param(c, i); i++) {
		if (c->p[i].how != TRUTH_BEFORE)
			continue;
		live_pause();
		((void (*)(void))c->p[i].v)();
		live_resume();
	}
}

static void follow_call(const struct truth_call *c, int64_t *fact, long ret)
{
	for (unsigned i = 0; has_param(c, i); i++) {
		if (c->p[i].how != TRUTH_AFTER)
			continue;
		live_pause();
		((void (*)(int64_t *, long))c->p[i].v)(fact, ret);
		live_resume();
	}
}

/*
 * The programs read only memory that is there. Of arguments that a failing call never looked at,
 * and that were only in the image of the program so far, the kernel has to be asked: a call that
 * takes a path reads what an address holds, or refuses it.
 */
static void touch_arguments(void)
{
	for (size_t i = 0; i < job.n; i++)
		for (size_t k = 0; k < 6; k++)
			if ((unsigned long)job.calls[i].a[k] > 4096)
				access((const char *)job.calls[i].a[k], F_OK);
}

static long make_call(const struct truth_call *c)
{
	long a[6];

	memcpy(a, c->a, sizeof(a));
	for (size_t i = 0; i < sizeof(narrow) / sizeof(*narrow); i++)
		for (unsigned k = 0; narrow[i].nr == c->nr && k < 6; k++)
			if (narrow[i].args >> k & 1)
				a[k] = (long)((uint32_t)a[k] | ABOVE);
	return live_call_(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void make_calls(void *shared)
{
	struct outcome *out = shared;

	live_pause();
	touch_arguments();
	if (job.prepare)
		job.prepare();
	live_resume();
	for (size_t i = 0; i < job.n; i++) {
		const struct truth_call *c = &job.calls[i];

		prepare_call(c);
		out->ret[i] = make_call(c);
		follow_call(c, out->fact, out->ret[i]);
	}
	live_pause();
	if (job.facts)
		job.facts(out->fact, out->ret);
}

static const char *name_of(long nr)
{
	for (unsigned code = 1; code < EV_SYSCALL_COUNT; code++)
		if (ev_syscalls[code].x86_64 == nr)
			return ev_syscalls[code].name;
	fail_msg("%ld is not the number of a system call", nr);
	return NULL;
}

/* The names of all calls of the table, each once. */
static char *names(const struct truth_call *calls, size_t n)
{
	size_t room = 32 * n + 1, at = 0;
	char *list = calloc(1, room);

	assert_non_null(list);
	for (size_t i = 0; i < n; i++) {
		bool before = false;

		for (size_t k = 0; k < i && !before; k++)
			before = calls[k].nr == calls[i].nr;
		if (!before)
			at += (size_t)snprintf(list + at, room - at, "%s%s", at ? "," : "",
					       name_of(calls[i].nr));
	}
	return list;
}

static void compare(struct live_event *e, const struct truth_param *p, long ret,
		    const int64_t *fact, const char *row)
{
	switch (p->how) {
	case TRUTH_INT:
		live_i64_(e, p->name, p->v, p->v2, row, 0);
		break;
	case TRUTH_BEFORE:
	case TRUTH_AFTER:
		break;
	case TRUTH_FACT:
		live_i64_(e, p->name, fact[p->v] - p->v2, fact[p->v] + p->v2, row, 0);
		break;
	case TRUTH_RESULT:
		live_i64_(e, p->name, ret, ret, row, 0);
		break;
	case TRUTH_FLAGS:
		live_flags_(e, p->name, p->text, row, 0);
		break;
	case TRUTH_STR:
		live_str_(e, p->name, p->text, row, 0);
		break;
	case TRUTH_BYTES:
		live_bytes_(e, p->name, p->text, (size_t)p->v, row, 0);
		break;
	case TRUTH_DYN:
		live_dyn_(e, p->name, (unsigned)p->v2 >> 8, p->v, (unsigned)p->v2 & 255, row, 0);
		break;
	case TRUTH_DYN_STR:
		live_dyn_str_(e, p->name, (unsigned)p->v, p->text, row, 0);
		break;
	}
}

static void compare_call(struct live *l, const struct truth_call *c, long ret, const int64_t *fact,
			 const char *row)
{
	struct live_event *e = live_expect_(l, live_tid(l), c->type, row, 0);
	unsigned n = 0;

	if (c->ret == TRUTH_ANY ? ret < 0 && ret > -4096
				: ret != c->ret && c->ret != TRUTH_EVEN_FAILED)
		live_fail_(e, NULL, row, 0, "the call returned %ld, not what the table says", ret);
	for (unsigned i = 0; has_param(c, i); i++) {
		if (!*c->p[i].name)
			continue;
		compare(e, &c->p[i], ret, fact, row);
		n++;
	}
	if (n != ev_table[c->type].nparams)
		live_fail_(e, NULL, row, 0, "the table compares %u of %u parameters", n,
			   ev_table[c->type].nparams);
}

void truth_calls(struct live *l, void (*prepare)(void), const struct truth_call *calls, size_t n,
		 void (*facts)(int64_t *fact, const long *ret))
{
	char *list = names(calls, n), row[64];
	struct outcome *out;

	assert_in_range(n, 1, TRUTH_CALLS_MAX);
	job = (struct job){prepare, facts, calls, n};
	out = live_run(l, list, make_calls);
	free(list);
	for (size_t i = 0; i < n; i++) {
		snprintf(row, sizeof(row), "row %zu, %s", i, name_of(calls[i].nr));
		compare_call(l, &calls[i], out->ret[i], out->fact, row);
	}
	expect_end(l);
}

void truth_enter_directory(void)
{
	LIVE_NEED(!unshare(CLONE_NEWNS));
	LIVE_NEED(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	LIVE_NEED(!mount("none", "/tmp", "tmpfs", 0, NULL));
	LIVE_NEED(!chdir("/tmp"));
	umask(022);
}

void truth_move_fd(int fd, int to)
{
	LIVE_NEED(fd >= 0);
	LIVE_NEED(dup3(fd, to, fcntl(fd, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0) == to);
	close(fd);
}
