/* SPDX-License-Identifier: Apache-2.0 */
/* New processes and threads, told by the parent and by the child; in and out of pid namespaces. */
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/truth_task.h"

#define CALLS	"clone,clone3,fork,vfork"
#define TICK_NS 10000000ll /* of times in /proc/PID/stat */

struct clone_facts { /* in the shared bytes */
	struct truth_task parent, child;
	long ret;
	uint64_t before_ns, after_ns; /* since boot */
	int64_t init_ns;
	char exe[256];
};

static uint64_t boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* When the first process of our pid namespace started. */
static int64_t init_start(void)
{
	char line[1024], *at;
	unsigned long long ticks;
	FILE *f = fopen("/proc/1/stat", "r");

	LIVE_NEED(f && fgets(line, sizeof(line), f));
	fclose(f);
	at = strrchr(line, ')') + 2;
	for (unsigned i = 3; i < 22; i++)
		at = strchr(at, ' ') + 1;
	LIVE_NEED(sscanf(at, "%llu", &ticks) == 1);
	return (int64_t)ticks * TICK_NS;
}

static void parent_facts(struct clone_facts *f)
{
	FILE *cmdline = fopen("/proc/self/cmdline", "r");

	LIVE_NEED(cmdline && fgets(f->exe, sizeof(f->exe), cmdline));
	fclose(cmdline);
	f->init_ns = init_start();
	truth_task(&f->parent);
	f->before_ns = boot_ns();
}

/* In the child of a call that returned @ret; in the parent the child has ended after this. */
static void child_part(struct clone_facts *f, long ret)
{
	if (ret == 0) {
		truth_task(&f->child);
		/* As the host sees them, whatever namespaces the child is in. */
		f->child.uid = f->parent.uid;
		f->child.gid = f->parent.gid;
		f->child.cgroups_len = f->parent.cgroups_len;
		memcpy(f->child.cgroups, f->parent.cgroups, sizeof(f->child.cgroups));
		live_call(SYS_exit_group, 0);
	}
	f->ret = ret;
	f->after_ns = boot_ns();
	if (ret > 0)
		waitpid((pid_t)ret, NULL, __WALL);
}

static void expect_ids(struct live_event *e, const struct truth_task *t)
{
	expect_i64(e, "vtid", t->vtid);
	expect_i64(e, "vpid", t->vpid);
}

static void expect_command(struct live_event *e, const struct clone_facts *f)
{
	expect_str(e, "exe", f->exe);
	expect_empty(e, "args"); /* tests are called without */
}

static void expect_parent(struct live *l, const struct clone_facts *f, unsigned type,
			  const char *flags)
{
	struct live_event *e = expect_event(l, type);

	expect_i64(e, "res", f->ret);
	if (f->ret > 0) {
		expect_command(e, f);
	} else {
		expect_empty(e, "exe");
		expect_empty(e, "args");
	}
	expect_task(e, &f->parent, true);
	expect_flags(e, "flags", flags);
	expect_ids(e, &f->parent);
	expect_i64(e, "pidns_init_start_ts", 0);
	expect_end(l);
}

static struct live_event *expect_child(struct live *l, const struct clone_facts *f, unsigned type,
				       const char *flags)
{
	struct live_event *e = expect_event_of(l, f->child.tid, type);

	expect_i64(e, "res", 0);
	expect_command(e, f);
	expect_task(e, &f->child, false);
	expect_flags(e, "flags", flags);
	expect_ids(e, &f->child);
	expect_end_of(l, f->child.tid);
	return e;
}

/* The child is a process of its own in the pid namespace of its parent. */
static void expect_process(struct live *l, const struct clone_facts *f, unsigned type,
			   const char *flags)
{
	struct live_event *e;

	assert_true(f->ret > 0);
	assert_int_equal(f->child.tid, f->ret);
	assert_int_equal(f->child.ptid, f->parent.tid);
	expect_parent(l, f, type, flags);
	e = expect_child(l, f, type, flags);
	expect_range(e, "pidns_init_start_ts", f->init_ns, f->init_ns + TICK_NS);
}

static void do_fork(void *shared)
{
	parent_facts(shared);
	child_part(shared, live_call(SYS_fork));
}

static void a_fork_is_told_by_both(void **state)
{
	struct live *l = *state;

	expect_process(l, live_run(l, CALLS, do_fork), EV_FORK_20_X, "");
}

static void do_vfork(void *shared)
{
	struct clone_facts *f = shared;
	long ret;

	parent_facts(f);
	ret = vfork();
	if (!ret) {
		f->child = f->parent; /* it has borrowed our memory: nothing but calls */
		f->child.tid = f->child.vtid = live_call(SYS_gettid);
		f->child.pid = f->child.vpid = live_call(SYS_getpid);
		f->child.ptid = live_call(SYS_getppid);
		live_call(SYS_exit_group, 0);
	}
	child_part(f, ret);
}

static void a_vfork_is_told_by_both(void **state)
{
	struct live *l = *state;

	expect_process(l, live_run(l, CALLS, do_vfork), EV_VFORK_20_X, "");
}

static void do_clone(void *shared)
{
	int ids[2];

	parent_facts(shared);
	child_part(shared,
		   live_call(SYS_clone,
			     CLONE_FILES | CLONE_FS | CLONE_IO | CLONE_SYSVSEM | CLONE_UNTRACED |
				 CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
				 CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP | SIGCHLD,
			     0, &ids[0], &ids[1]));
}

static void a_clone_is_told_by_both_with_its_flags(void **state)
{
	struct live *l = *state;

	expect_process(l, live_run(l, CALLS, do_clone), EV_CLONE_20_X,
		       "CLONE_FILES|CLONE_FS|CLONE_IO|CLONE_SYSVSEM|CLONE_UNTRACED|"
		       "CLONE_PARENT_SETTID|CLONE_CHILD_SETTID|CLONE_CHILD_CLEARTID|CLONE_NEWUTS|"
		       "CLONE_NEWNET|CLONE_NEWCGROUP");
}

static void do_clone3(void *shared)
{
	struct clone_args a = {.flags = CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWUSER,
			       .exit_signal = SIGCHLD};

	parent_facts(shared);
	child_part(shared, live_call(SYS_clone3, &a, sizeof(a)));
}

static void a_clone3_is_told_by_both_with_its_flags(void **state)
{
	struct live *l = *state;

	expect_process(l, live_run(l, CALLS, do_clone3), EV_CLONE3_X,
		       "CLONE_NEWIPC|CLONE_NEWNS|CLONE_NEWUSER");
}

static void *thread(void *shared)
{
	struct clone_facts *f = shared;

	f->child = f->parent;
	f->child.tid = f->child.vtid = live_call(SYS_gettid);
	return NULL;
}

static void make_thread(void *shared)
{
	struct clone_facts *f = shared;
	pthread_t t;

	parent_facts(f);
	LIVE_NEED(!pthread_create(&t, NULL, thread, f));
	pthread_join(t, NULL);
	f->ret = f->child.tid;
}

static void a_thread_has_the_parent_and_the_process_of_its_creator(void **state)
{
	struct live *l = *state;
	struct clone_facts *f = live_run(l, CALLS, make_thread);
	struct live_event *e = expect_event(l, EV_CLONE3_X);
	const char *flags =
	    "CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|"
	    "CLONE_SETTLS|CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID";

	expect_i64(e, "res", f->child.tid);
	expect_flags(e, "flags", flags);
	expect_end(l);
	assert_int_not_equal(f->child.tid, f->parent.tid);
	e = expect_child(l, f, EV_CLONE3_X, flags);
	expect_i64(e, "pid", f->parent.pid);
	expect_i64(e, "ptid", f->parent.ptid);
}

static void do_clone_into_namespace(void *shared)
{
	parent_facts(shared);
	child_part(shared, live_call(SYS_clone, CLONE_NEWPID | SIGCHLD));
}

static void the_first_process_of_a_pid_namespace_has_two_names(void **state)
{
	struct live *l = *state;
	struct clone_facts *f = live_run(l, CALLS, do_clone_into_namespace);
	struct live_event *e;

	expect_parent(l, f, EV_CLONE_20_X, "CLONE_NEWPID");
	assert_int_equal(f->child.tid, f->ret);
	assert_int_equal(f->child.vtid, 1);
	assert_int_equal(f->child.vpid, 1);
	e = expect_child(l, f, EV_CLONE_20_X, "CLONE_NEWPID|CLONE_CHILD_IN_PIDNS");
	expect_range(e, "pidns_init_start_ts", f->before_ns, f->after_ns);
}

static void fork_for_namespace(void *shared)
{
	struct clone_facts *f = shared;

	LIVE_NEED(!unshare(CLONE_NEWPID));
	parent_facts(f);
	child_part(f, live_call(SYS_fork));
}

static void a_parent_whose_children_go_into_a_namespace_says_so(void **state)
{
	struct live *l = *state;
	struct clone_facts *f = live_run(l, CALLS, fork_for_namespace);

	expect_parent(l, f, EV_FORK_20_X, "CLONE_CHILD_IN_PIDNS");
	assert_int_equal(f->child.vtid, 1);
	expect_child(l, f, EV_FORK_20_X, "CLONE_CHILD_IN_PIDNS");
}

static void fork_in_namespace(void *shared)
{
	long init;

	live_pause();
	init = live_call(SYS_clone, CLONE_NEWPID | SIGCHLD);
	if (!init) {
		struct timespec tick = {0, 30000000};

		nanosleep(&tick, NULL); /* the namespace is older than the child by this */
		parent_facts(shared);
		live_resume();
		child_part(shared, live_call(SYS_fork));
		live_call(SYS_exit_group, 0);
	}
	LIVE_NEED(waitpid((pid_t)init, NULL, 0) == init);
}

static void inside_a_namespace_both_are_told_with_their_inner_and_outer_names(void **state)
{
	struct live *l = *state;
	struct clone_facts *f = live_run(l, CALLS, fork_in_namespace);
	struct live_event *e = expect_event_of(l, f->parent.tid, EV_FORK_20_X);

	assert_int_equal(f->ret, 2); /* as the parent knows it */
	expect_i64(e, "res", 2);
	expect_task(e, &f->parent, true);
	expect_flags(e, "flags", "CLONE_CHILD_IN_PIDNS");
	expect_i64(e, "vtid", 1);
	expect_i64(e, "vpid", 1);
	assert_int_equal(f->child.vtid, 2);
	e = expect_child(l, f, EV_FORK_20_X, "CLONE_CHILD_IN_PIDNS");
	expect_range(e, "pidns_init_start_ts", f->before_ns - 5000 * TICK_NS,
		     f->before_ns - 30000000);
	expect_end_of(l, f->parent.tid);
}

static void fail_to_clone(void *shared)
{
	struct clone_facts *f = shared;
	struct rlimit none = {0, 0};

	LIVE_NEED(!setrlimit(RLIMIT_NPROC, &none));
	parent_facts(&f[0]);
	f[0].ret = live_call(SYS_clone, CLONE_THREAD | CLONE_NEWUTS | SIGCHLD);
	f[1].ret = live_call(SYS_clone3, 16, sizeof(struct clone_args));
	LIVE_NEED(!setresuid(4321, 4321, 4321));
	truth_task(&f[2].parent);
	f[2].ret = live_call(SYS_fork);
	f[3].ret = live_call(SYS_vfork);
}

static void failures_have_no_command_line(void **state)
{
	struct live *l = *state;
	struct clone_facts *f = live_run(l, CALLS, fail_to_clone);
	struct {
		unsigned type;
		int64_t ret;
		const char *flags;
		const struct truth_task *task;
	} rows[] = {
	    {EV_CLONE_20_X, -EINVAL, "CLONE_THREAD|CLONE_NEWUTS", &f[0].parent},
	    {EV_CLONE3_X, -EFAULT, "", &f[0].parent},
	    {EV_FORK_20_X, -EAGAIN, "", &f[2].parent},
	    {EV_VFORK_20_X, -EAGAIN, "", &f[2].parent},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct live_event *e = expect_event(l, rows[i].type);

		expect_i64(e, "res", rows[i].ret);
		assert_int_equal(f[i].ret, rows[i].ret);
		expect_empty(e, "exe");
		expect_empty(e, "args");
		expect_task(e, rows[i].task, true);
		expect_flags(e, "flags", rows[i].flags);
		expect_ids(e, rows[i].task);
		expect_i64(e, "pidns_init_start_ts", 0);
	}
	expect_end(l);
}

/* --- a command line that the process moved --- */

static unsigned long long stat_number(unsigned field)
{
	static char line[4096];
	char *at;
	FILE *f = fopen("/proc/self/stat", "r");

	LIVE_NEED(f && fgets(line, sizeof(line), f));
	fclose(f);
	at = strrchr(line, ')') + 2;
	for (unsigned i = 3; i < field; i++)
		at = strchr(at, ' ') + 1;
	return strtoull(at, NULL, 10);
}

static long move_arguments(const char *from, const char *to)
{
	struct prctl_mm_map map = {.start_code = stat_number(26),
				   .end_code = stat_number(27),
				   .start_stack = stat_number(28),
				   .start_data = stat_number(45),
				   .end_data = stat_number(46),
				   .start_brk = stat_number(47),
				   .brk = (uintptr_t)sbrk(0),
				   .env_start = stat_number(50),
				   .env_end = stat_number(51),
				   .arg_start = (uintptr_t)from,
				   .arg_end = (uintptr_t)to,
				   .exe_fd = UINT32_MAX};

	return prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0);
}

static void fork_with_arguments_at_a_border(void *shared)
{
	static const char text[] = "name\0first\0second one";
	const size_t n = sizeof(text) - 1;
	long *ret = shared, pid;
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *border = p + 4096;

	LIVE_NEED(p != MAP_FAILED && !munmap(border, 4096));
	memcpy(border - n, text, n);
	ret[0] = move_arguments(border - n, border + 50);
	if (ret[0])
		return;
	ret[1] = live_call(SYS_clone, CLONE_THREAD); /* fails, but for the event that is all one */
	for (int i = 0; i < 3; i++) {
		static const int tail[] = {21, 6, -7};

		LIVE_NEED(!move_arguments(border - tail[i], border + 50));
		pid = live_call(SYS_fork);
		if (!pid)
			live_call(SYS_exit_group, 0);
		ret[i] = pid;
		waitpid((pid_t)pid, NULL, 0);
	}
}

static void arguments_before_a_page_that_is_gone_are_kept(void **state)
{
	static const struct {
		const char *exe;
		size_t exe_len;
		const char *args;
		size_t args_len;
	} rows[] = {
	    {"name", 5, "first\0second on", 16},
	    {"nd on", 6, "", 0}, /* the end of it is not there */
	    {"", 0, "", 0},
	};
	struct live *l = *state;
	long *ret = live_run(l, CALLS, fork_with_arguments_at_a_border);
	struct live_event *e;

	if (ret[0] < 0)
		skip(); /* this kernel lets nobody move the command line */
	e = expect_event(l, EV_CLONE_20_X);
	expect_empty(e, "exe");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		e = expect_event(l, EV_FORK_20_X);
		expect_i64(e, "res", ret[i]);
		expect_bytes(e, "exe", rows[i].exe, rows[i].exe_len);
		expect_bytes(e, "args", rows[i].args, rows[i].args_len);
	}
	expect_end(l);
}

LIVE_MAIN("truth_clone", CALLS, cmocka_unit_test(a_fork_is_told_by_both),
	  cmocka_unit_test(a_vfork_is_told_by_both),
	  cmocka_unit_test(a_clone_is_told_by_both_with_its_flags),
	  cmocka_unit_test(a_clone3_is_told_by_both_with_its_flags),
	  cmocka_unit_test(a_thread_has_the_parent_and_the_process_of_its_creator),
	  cmocka_unit_test(the_first_process_of_a_pid_namespace_has_two_names),
	  cmocka_unit_test(a_parent_whose_children_go_into_a_namespace_says_so),
	  cmocka_unit_test(inside_a_namespace_both_are_told_with_their_inner_and_outer_names),
	  cmocka_unit_test(failures_have_no_command_line),
	  cmocka_unit_test(arguments_before_a_page_that_is_gone_are_kept))
