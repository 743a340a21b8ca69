/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tests/fake_proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAKE_PATH 512

int fake_proc_make(struct fake_proc *f)
{
	snprintf(f->root, sizeof(f->root), "/tmp/fake_proc.XXXXXX");
	if (!mkdtemp(f->root))
		return -1;
	rec_state_options_init(&f->opt);
	f->opt.host_root = f->root;
	f->opt.hostname = "fake";
	f->opt.iterators = REC_ITERATORS_NEVER;
	f->opt.boot_ns = 1000000000000000000;
	f->opt.timeout_ms = 0;
	fake_file(f, SV_LIT("4194304\n"), "proc/sys/kernel/pid_max");
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void fake_proc_remove(struct fake_proc *f)
{
	nftw(f->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int fake_proc_setup(void **state)
{
	struct fake_proc *f = calloc(1, sizeof(*f));

	*state = f;
	return f ? fake_proc_make(f) : -1;
}

int fake_proc_teardown(void **state)
{
	fake_proc_remove(*state);
	free(*state);
	return 0;
}

PRINTF_LIKE(3, 0)
static void full_path(const struct fake_proc *f, char out[FAKE_PATH], const char *path, va_list ap)
{
	int n = snprintf(out, FAKE_PATH, "%s/", f->root);

	vsnprintf(out + n, FAKE_PATH - (size_t)n, path, ap);
}

static void make_parents(char *path)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = 0;
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
		*p = '/';
	}
}

void fake_file(struct fake_proc *f, struct sv contents, const char *path, ...)
{
	char name[FAKE_PATH];
	va_list ap;
	FILE *file;

	va_start(ap, path);
	full_path(f, name, path, ap);
	va_end(ap);
	make_parents(name);
	unlink(name);
	file = fopen(name, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(contents.p, 1, contents.n, file), contents.n);
	assert_int_equal(fclose(file), 0);
}

void fake_link(struct fake_proc *f, const char *target, const char *path, ...)
{
	char name[FAKE_PATH];
	va_list ap;

	va_start(ap, path);
	full_path(f, name, path, ap);
	va_end(ap);
	make_parents(name);
	unlink(name);
	assert_int_equal(symlink(target, name), 0);
}

void fake_delete(struct fake_proc *f, const char *path, ...)
{
	char name[FAKE_PATH];
	va_list ap;

	va_start(ap, path);
	full_path(f, name, path, ap);
	va_end(ap);
	assert_int_equal(remove(name), 0);
}

void fake_stat(struct fake_proc *f, const char *dir, int id, struct fake_stat st)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "%d (%s) %c 1 %d 40 1025 -1 %u 11 12 13 14 15 16 17 18 20 0 %u 0 %lu 9437184 "
		 "512 18446744073709551615 0 0 0 0 0\n",
		 id, st.comm, st.state, 50, st.flags, st.threads, st.start);
	fake_file(f, sv_of(text), "proc/%s/stat", dir);
}

static void fill(struct fake_proc *f, const char *dir, int pid, int tid)
{
	const struct fake_stat st = {.comm = "work", .state = 'S', .threads = 1, .start = 12345};
	char text[1024];

	fake_stat(f, dir, tid, st);
	snprintf(text, sizeof(text),
		 "Name:\twork\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\n"
		 "PPid:\t1\nTracerPid:\t0\nUid:\t1000\t1001\t1002\t1003\nGid:\t100\t101\t102\t103\n"
		 "FDSize:\t64\nGroups:\t4 24 27 \nNStgid:\t%d\t7\t3\nNSpid:\t%d\t8\t4\n"
		 "NSpgid:\t%d\t9\t5\nNSsid:\t%d\t0\t0\nVmPeak:\t 9000 kB\nVmSize:\t 8888 kB\n"
		 "VmRSS:\t 777 kB\nVmSwap:\t 66 kB\nCapInh:\t0000000000000001\n"
		 "CapPrm:\t000001ffffffffff\nCapEff:\t00000000000000ff\nCapBnd:\t0\n",
		 pid, tid, pid, tid, 50, 40);
	fake_file(f, sv_of(text), "proc/%s/status", dir);
	fake_file(f, SV_LIT("work\n"), "proc/%s/comm", dir);
	fake_file(f, SV_LIT("./work\0-a\0long option\0"), "proc/%s/cmdline", dir);
	fake_file(f, SV_LIT("HOME=/root\0LANG=C\0"), "proc/%s/environ", dir);
	fake_file(f, SV_LIT("0::/\n"), "proc/%s/cgroup", dir);
	fake_file(f, SV_LIT("1000\n"), "proc/%s/loginuid", dir);
	fake_file(f,
		  SV_LIT("Limit Soft Hard Units\n"
			 "Max cpu time              unlimited            unlimited   seconds\n"
			 "Max open files            1024                 4096        files\n"),
		  "proc/%s/limits", dir);
	fake_link(f, "/usr/bin/work", "proc/%s/exe", dir);
	fake_link(f, "/home/work", "proc/%s/cwd", dir);
	fake_link(f, "/", "proc/%s/root", dir);
	fake_link(f, "pid:[4026531836]", "proc/%s/ns/pid", dir);
	fake_link(f, "net:[4026531840]", "proc/%s/ns/net", dir);
	fake_link(f, "mnt:[4026531841]", "proc/%s/ns/mnt", dir);
}

void fake_process(struct fake_proc *f, int pid)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "%d", pid);
	fill(f, dir, pid, pid);
	fake_fd(f, pid, 0, "/dev/null");
	fake_thread(f, pid, pid);
}

void fake_thread(struct fake_proc *f, int pid, int tid)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "%d/task/%d", pid, tid);
	fill(f, dir, pid, tid);
}

void fake_fd(struct fake_proc *f, int pid, int fd, const char *target)
{
	fake_link(f, target, "proc/%d/fd/%d", pid, fd);
	fake_file(f, SV_LIT("pos:\t0\nflags:\t0100002\nmnt_id:\t29\n"), "proc/%d/fdinfo/%d", pid,
		  fd);
}

struct rec_state *fake_take(struct fake_proc *f)
{
	struct rec_state_reader *reader = NULL;
	struct rec_state *s = NULL;
	struct error err;

	if (rec_state_open(&f->opt, &reader, &err) < 0 || rec_state_take(reader, &s, &err) < 0)
		fail_msg("%s", err.msg);
	rec_state_close(reader);
	return s;
}

const struct ev_thread_entry *host_find_thread(struct rec_state *s, int64_t tid)
{
	struct ev_item item;

	rec_state_rewind(s);
	while (rec_state_next(s, &item, NULL))
		if (item.kind == EV_ITEM_THREAD && item.thread->tid == tid)
			return item.thread;
	return NULL;
}

const struct ev_fd_entry *host_find_fd(struct rec_state *s, int64_t tid, int64_t fd)
{
	struct ev_item item;

	rec_state_rewind(s);
	while (rec_state_next(s, &item, NULL))
		if (item.kind == EV_ITEM_FD && item.fd->tid == tid && item.fd->fd == fd)
			return item.fd;
	return NULL;
}
