/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of tasks: with which status, and who adopts the children. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/truth_calls.h"
#include "capture/tests/truth_task.h"

#define CALLS "procexit"

struct family { /* in the shared bytes */
	volatile int64_t child, reaper, orphan;
	volatile int64_t adopted_by; /* as the orphan sees it */
};

static void expect_exit(struct live *l, int64_t tid, int status, int64_t reaper)
{
	struct live_event *e = expect_event_of(l, tid, EV_PROCEXIT_1_E);

	expect_i64(e, "status", status);
	expect_i64(e, "ret", status >> 8 & 0xff);
	expect_i64(e, "sig", status & 0x7f);
	expect_i64(e, "core", status >> 7 & 1);
	expect_i64(e, "reaper_tid", reaper);
	expect_end_of(l, tid);
}

static void end_with_7(void *shared)
{
	(void)shared;
	live_call(SYS_exit_group, 0x107); /* the low byte counts */
}

static void an_exit_code_is_told(void **state)
{
	struct live *l = *state;

	live_run(l, CALLS, end_with_7);
	assert_int_equal(live_status(l), 7 << 8);
	expect_exit(l, live_tid(l), 7 << 8, 0);
}

static void end_by_signal(void *shared)
{
	const int *sig = shared;
	struct rlimit core = {1 << 20, 1 << 20};

	truth_enter_directory(); /* where a core may fall */
	setrlimit(RLIMIT_CORE, &core);
	signal(*sig, SIG_DFL);
	live_call(SYS_kill, getpid(), *sig);
}

static void a_signal_that_kills_is_told_and_whether_there_is_a_core(void **state)
{
	const int signals[] = {SIGTERM, SIGKILL, SIGRTMAX, SIGTRAP};
	struct live *l = *state;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		live_run_with(l, CALLS, end_by_signal, &signals[i], sizeof(int));
		assert_true(WIFSIGNALED(live_status(l)));
		assert_int_equal(WTERMSIG(live_status(l)), signals[i]);
		expect_exit(l, live_tid(l), live_status(l), 0);
	}
}

/* --- orphans --- */

static int64_t host_parent(void)
{
	return truth_status("PPid:", 0, 10);
}

/* Lives until it has another parent, and tells which. */
static void be_orphan(struct family *f)
{
	f->orphan = truth_status("Pid:", 0, 10);
	while (host_parent() == f->child)
		sched_yield();
	f->adopted_by = host_parent();
	live_call(SYS_exit_group, 0);
}

/* Ends with a child. */
static void leave_orphan(struct family *f)
{
	long pid;

	f->child = truth_status("Pid:", 0, 10);
	pid = live_call(SYS_fork);
	if (!pid)
		be_orphan(f);
	while (!f->orphan)
		sched_yield();
	live_call(SYS_exit_group, 3);
}

/* Let a child leave an orphan to us, or to whoever it is. */
static void bereave(struct family *f)
{
	long pid = live_call(SYS_fork);

	if (!pid)
		leave_orphan(f);
	waitpid((pid_t)pid, NULL, 0);
	while (!f->adopted_by)
		sched_yield();
}

static void expect_adoption(struct live *l, const struct family *f)
{
	assert_int_equal(f->adopted_by, f->reaper);
	expect_exit(l, f->child, 3 << 8, f->reaper);
}

static void leave_orphan_to_init(void *shared)
{
	struct family *f = shared;

	live_call(SYS_setsid);
	bereave(f);
	f->reaper = f->adopted_by;
}

static void nobody_near_takes_orphans_but_the_first_process(void **state)
{
	struct live *l = *state;
	struct family *f = live_run(l, CALLS, leave_orphan_to_init);

	assert_int_not_equal(f->reaper, live_tid(l));
	expect_adoption(l, f);
}

static void leave_orphan_to_subreaper(void *shared)
{
	struct family *f = shared;

	LIVE_NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	f->reaper = truth_status("Pid:", 0, 10);
	bereave(f);
}

static void a_subreaper_takes_the_orphans_below_it(void **state)
{
	struct live *l = *state;
	struct family *f = live_run(l, CALLS, leave_orphan_to_subreaper);

	assert_int_equal(f->reaper, live_tid(l));
	expect_adoption(l, f);
}

static void leave_orphan_far_below(void *shared)
{
	struct family *f = shared;

	LIVE_NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	f->reaper = truth_status("Pid:", 0, 10);
	for (int level = 0; level < 40; level++) {
		long pid = live_call(SYS_fork);

		if (pid) {
			waitpid((pid_t)pid, NULL, 0);
			return;
		}
	}
	bereave(f);
	live_call(SYS_exit_group, 0);
}

static void a_subreaper_is_found_over_forty_generations(void **state)
{
	struct live *l = *state;

	expect_adoption(l, live_run(l, CALLS, leave_orphan_far_below));
}

static bool leader_is_dead(void)
{
	char line[512], *at;
	FILE *f = fopen("/proc/self/stat", "r");

	LIVE_NEED(f && fgets(line, sizeof(line), f));
	fclose(f);
	at = strrchr(line, ')');
	return at && at[2] == 'Z';
}

static void *bereave_after_the_leader(void *shared)
{
	struct family *f = shared;

	while (!leader_is_dead())
		sched_yield();
	f->reaper = live_call(SYS_gettid);
	bereave(f);
	live_call(SYS_exit_group, 0);
	return NULL;
}

static void leave_orphan_to_thread(void *shared)
{
	pthread_t t;

	LIVE_NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	LIVE_NEED(!pthread_create(&t, NULL, bereave_after_the_leader, shared));
	live_call(SYS_exit, 0); /* this thread only */
}

static void a_subreaper_takes_orphans_with_a_thread_that_lives(void **state)
{
	struct live *l = *state;
	struct family *f = live_run(l, CALLS, leave_orphan_to_thread);

	assert_int_not_equal(f->reaper, live_tid(l));
	assert_int_equal(f->adopted_by, live_tid(l)); /* processes see the process */
	expect_exit(l, f->child, 3 << 8, f->reaper);
	expect_exit(l, live_tid(l), 0, 0);
}

static void *leave_child_to_leader(void *shared)
{
	struct family *f = shared;
	long pid = live_call(SYS_fork);

	if (!pid) {
		while (!f->adopted_by)
			sched_yield();
		live_call(SYS_exit_group, 0);
	}
	f->child = live_call(SYS_gettid);
	live_call(SYS_exit, 5);
	return NULL;
}

static void leave_orphan_within(void *shared)
{
	struct family *f = shared;
	pthread_t t;

	LIVE_NEED(!pthread_create(&t, NULL, leave_child_to_leader, f));
	pthread_join(t, NULL);
	f->adopted_by = 1;
	LIVE_NEED(wait(NULL) > 0);
}

static void children_of_a_thread_go_to_another_thread(void **state)
{
	struct live *l = *state;
	struct family *f = live_run(l, CALLS, leave_orphan_within);

	expect_exit(l, f->child, 5 << 8, live_tid(l));
	expect_exit(l, live_tid(l), 0, 0);
}

static void leave_orphan_in_namespace(void *shared)
{
	struct family *f = shared;
	long pid;

	LIVE_NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1)); /* but we are outside */
	pid = live_call(SYS_clone, CLONE_NEWPID | SIGCHLD);
	if (!pid) {
		f->reaper = truth_status("Pid:", 0, 10);
		bereave(f);
		live_call(SYS_exit_group, 0);
	}
	waitpid((pid_t)pid, NULL, 0);
}

static void a_pid_namespace_keeps_its_orphans(void **state)
{
	struct live *l = *state;

	expect_adoption(l, live_run(l, CALLS, leave_orphan_in_namespace));
}

static void end_namespace_with_child(void *shared)
{
	struct family *f = shared;
	long pid = live_call(SYS_clone, CLONE_NEWPID | SIGCHLD);

	if (!pid) {
		f->child = truth_status("Pid:", 0, 10);
		pid = live_call(SYS_fork);
		while (!pid)
			sched_yield();
		live_call(SYS_exit_group, 3);
	}
	waitpid((pid_t)pid, NULL, 0);
}

static void nobody_takes_the_children_of_a_namespace_that_ends(void **state)
{
	struct live *l = *state;
	struct family *f = live_run(l, CALLS, end_namespace_with_child);

	expect_exit(l, f->child, 3 << 8, 0);
}

LIVE_MAIN("truth_exit", CALLS, cmocka_unit_test(an_exit_code_is_told),
	  cmocka_unit_test(a_signal_that_kills_is_told_and_whether_there_is_a_core),
	  cmocka_unit_test(nobody_near_takes_orphans_but_the_first_process),
	  cmocka_unit_test(a_subreaper_takes_the_orphans_below_it),
	  cmocka_unit_test(a_subreaper_is_found_over_forty_generations),
	  cmocka_unit_test(a_subreaper_takes_orphans_with_a_thread_that_lives),
	  cmocka_unit_test(children_of_a_thread_go_to_another_thread),
	  cmocka_unit_test(a_pid_namespace_keeps_its_orphans),
	  cmocka_unit_test(nobody_takes_the_children_of_a_namespace_that_ends))
