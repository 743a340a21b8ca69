/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, page faults, switches between tasks, and copies of arguments at the entry of calls. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/truth_calls.h"
#include "capture/tests/truth_task.h"

#define ENTRIES "enter:open,enter:creat,enter:openat,enter:openat2,enter:connect"

/* --- signals --- */

struct sent { /* in the shared bytes */
	int64_t sender, receiver;
	int sig;
	bool queue;
};

static void ignore(int sig)
{
	(void)sig;
}

/* A child of the caller sends it a signal. */
static void be_sent_to(void *shared)
{
	struct sent *s = shared;
	sigset_t mask;
	pid_t pid;

	signal(s->sig, s->sig == SIGTRAP ? SIG_DFL : ignore);
	sigfillset(&mask);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	s->receiver = getpid();
	pid = fork();
	if (!pid) {
		s->sender = getpid();
		if (s->queue)
			sigqueue(getppid(), s->sig, (union sigval){.sival_int = 5});
		else
			kill(getppid(), s->sig);
		live_call(SYS_exit_group, 0);
	}
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	waitpid(pid, NULL, 0);
	sigprocmask(SIG_SETMASK, &mask, NULL); /* here it comes */
}

static void expect_signal(struct live *l, int64_t sender, int sig)
{
	struct live_event *e = expect_event(l, EV_SIGNALDELIVER_E);

	expect_i64(e, "spid", sender);
	expect_i64(e, "dpid", live_tid(l));
	expect_i64(e, "sig", sig);
	expect_end(l);
}

static void signals_name_their_sender_where_the_kind_of_signal_has_one(void **state)
{
	const struct {
		int sig;
		bool queue, told;
	} rows[] = {
	    {SIGTERM, false, true}, {SIGHUP, true, true},	{SIGINT, false, true},
	    {SIGTSTP, false, true}, {SIGQUIT, true, true},	{SIGUSR1, false, false},
	    {SIGALRM, true, false}, {SIGRTMIN + 3, true, true}, {SIGRTMAX, false, true},
	};
	struct live *l = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sent in = {.sig = rows[i].sig, .queue = rows[i].queue};
		struct sent *s = live_run_with(l, "signal_deliver", be_sent_to, &in, sizeof(in));

		expect_signal(l, rows[i].told ? s->sender : 0, rows[i].sig);
	}
}

static void lose_a_child(void *shared)
{
	struct sent *s = shared;
	pid_t pid;

	signal(SIGCHLD, ignore);
	pid = fork();
	if (!pid)
		live_call(SYS_exit_group, 0);
	while (waitpid(pid, NULL, 0) < 0)
		;
	s->sender = pid;
}

static void the_end_of_a_child_names_it(void **state)
{
	struct live *l = *state;
	struct sent *s = live_run(l, "signal_deliver", lose_a_child);

	expect_signal(l, s->sender, SIGCHLD);
}

static void be_killed(void *shared)
{
	(void)shared;
	live_call(SYS_kill, getpid(), SIGKILL);
}

static void a_kill_has_no_sender_any_more_when_it_takes_effect(void **state)
{
	struct live *l = *state;

	live_run(l, "signal_deliver", be_killed);
	assert_int_equal(WTERMSIG(live_status(l)), SIGKILL);
	expect_signal(l, 0, SIGKILL);
}

static void fault_badly(void *shared)
{
	(void)shared;
	signal(SIGSEGV, SIG_DFL);
	*(volatile int *)(uintptr_t)16 = 0;
}

static void a_signal_of_the_kernel_has_no_sender(void **state)
{
	struct live *l = *state;

	live_run(l, "signal_deliver", fault_badly);
	expect_signal(l, 0, SIGSEGV);
}

/* --- page faults --- */

struct faults { /* in the shared bytes */
	uintptr_t user_write, user_read, kernel_write, code, code_end;
};

__attribute__((noinline)) static void touch(volatile char *p, bool write)
{
	if (write)
		*p = 1;
	else
		(void)*p;
}

static void fault(void *shared)
{
	struct faults *f = shared;
	char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int zero = open("/dev/zero", O_RDONLY);

	LIVE_NEED(p != MAP_FAILED && zero >= 0);
	madvise(p, 3 * 4096, MADV_NOHUGEPAGE);
	f->user_write = (uintptr_t)p + 17;
	f->user_read = (uintptr_t)p + 4096 + 5;
	f->kernel_write = (uintptr_t)p + 8192;
	f->code = (uintptr_t)&touch;
	touch((char *)f->user_write, true);
	touch((char *)f->user_read, false);
	live_call(SYS_read, zero, f->kernel_write, 1);
}

/* The one at @addr; whatever else the child touched comes before. */
static void expect_fault(struct live *l, uint64_t addr, int64_t ip_low, int64_t ip_high,
			 const char *flags)
{
	struct live_event *e;

	do
		e = expect_event(l, EV_PAGE_FAULT_E);
	while (live_number(e, "addr") != (int64_t)addr);
	expect_i64(e, "addr", addr);
	expect_range(e, "ip", ip_low, ip_high);
	expect_flags(e, "error", flags);
}

static void page_faults_tell_where_the_instruction_is(void **state)
{
	struct live *l = *state;
	struct faults *f = live_run(l, "page_fault_user,page_fault_kernel", fault);
	int64_t code = (int64_t)f->code;

	expect_fault(l, f->user_write, code, code + 400,
		     "PAGE_NOT_PRESENT|WRITE_ACCESS|USER_FAULT");
	expect_fault(l, f->user_read, code, code + 400, "PAGE_NOT_PRESENT|READ_ACCESS|USER_FAULT");
	expect_fault(l, f->kernel_write, INT64_MIN, -1, /* in the kernel's half */
		     "PAGE_NOT_PRESENT|WRITE_ACCESS|SUPERVISOR_FAULT");
}

/* --- switches --- */

static void let_others_run(void *shared)
{
	struct truth_task *t = shared;
	int in[2], out[2];
	char c;
	pid_t pid;

	LIVE_NEED(!pipe(in) && !pipe(out));
	pid = fork();
	if (!pid) {
		close(in[1]);
		close(out[0]);
		while (read(in[0], &c, 1) == 1)
			if (write(out[1], &c, 1) != 1)
				break;
		live_call(SYS_exit_group, 0);
	}
	close(in[0]);
	close(out[1]);
	for (int i = 0; i < 20; i++) /* both on one CPU: each read waits for the other */
		LIVE_NEED(write(in[1], "x", 1) == 1 && read(out[0], &c, 1) == 1);
	truth_task(&t[0]);
	t[1].tid = pid;
	live_pause();
	close(in[1]);
	waitpid(pid, NULL, 0);
}

static void switches_tell_who_is_next(void **state)
{
	struct live *l = *state;
	struct truth_task *t = live_run(l, "sched_switch", let_others_run);
	struct live_event *all, *e;
	unsigned n = live_events(l, &all), to = 0, back = 0, others = 0;

	for (unsigned i = 0; i < n; i++)
		back += all[i].tid == t[1].tid && live_number(&all[i], "next") == t[0].tid;
	assert_in_range(back, 10, 100);
	while (to < 10) {
		e = expect_event(l, EV_SCHEDSWITCH_6_E);
		expect_range(e, "pgft_maj", 0, 100000);
		expect_range(e, "pgft_min", 1, 10000000);
		expect_range(e, "vm_size", (uint32_t)t[0].vm_kib - 4096,
			     (uint32_t)t[0].vm_kib + 4096);
		expect_range(e, "vm_rss", 1000, t[0].rss_kib + 4096);
		expect_i64(e, "vm_swap", 0);
		if (live_number(e, "next") == t[1].tid)
			to++;
		else
			assert_in_range(++others, 0, 1000);
	}
}

/* --- copies at the entry --- */

static void enter(void *shared)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x7f000001)};
	struct open_how how = {.flags = O_RDWR | O_CREAT, .mode = 0640, .resolve = RESOLVE_BENEATH};

	(void)shared;
	live_call(SYS_open, "/nothing", O_RDONLY | O_CLOEXEC, 0777);
	live_call(SYS_open, 16, O_WRONLY | O_CREAT, 0600);
	live_call(SYS_creat, "/no/such/dir", 0644);
	live_call(SYS_openat, AT_FDCWD, "relative", O_RDONLY | O_DIRECTORY, 0);
	live_call(SYS_openat, 512, "", O_WRONLY | O_TRUNC, 0777);
	live_call(SYS_openat, -7, NULL, O_RDWR | O_CREAT, 0751);
	live_call(SYS_openat2, -7, "beneath", &how, sizeof(how));
	live_call(SYS_openat2, 512, "beneath", 16, sizeof(how));
	live_call(SYS_connect, 512, &in, sizeof(in));
	live_call(SYS_connect, -7, NULL, 0);
}

static void arguments_are_copied_before_the_kernel_reads_them(void **state)
{
	static const uint8_t in[] = {AF_INET, 127, 0, 0, 1, 9, 0};
	struct live *l = *state;
	struct live_event *e;

	live_run(l, ENTRIES, enter);
	e = expect_event(l, EV_OPEN_E);
	expect_str(e, "name", "/nothing");
	expect_flags(e, "flags", "O_RDONLY|O_CLOEXEC");
	expect_i64(e, "mode", 0);
	e = expect_event(l, EV_OPEN_E);
	expect_empty(e, "name");
	expect_flags(e, "flags", "O_WRONLY|O_CREAT");
	expect_i64(e, "mode", 0600);
	e = expect_event(l, EV_CREAT_E);
	expect_str(e, "name", "/no/such/dir");
	expect_i64(e, "mode", 0644);
	e = expect_event(l, EV_OPENAT_2_E);
	expect_i64(e, "dirfd", -100);
	expect_str(e, "name", "relative");
	expect_flags(e, "flags", "O_RDONLY|O_DIRECTORY|O_TMPFILE"); /* as the reference */
	expect_i64(e, "mode", 0);
	e = expect_event(l, EV_OPENAT_2_E);
	expect_i64(e, "dirfd", 512);
	expect_str(e, "name", "");
	expect_flags(e, "flags", "O_WRONLY|O_TRUNC");
	expect_i64(e, "mode", 0);
	e = expect_event(l, EV_OPENAT_2_E);
	expect_i64(e, "dirfd", -7);
	expect_empty(e, "name");
	expect_flags(e, "flags", "O_RDWR|O_CREAT");
	expect_i64(e, "mode", 0751);
	e = expect_event(l, EV_OPENAT2_E);
	expect_i64(e, "dirfd", -7);
	expect_str(e, "name", "beneath");
	expect_flags(e, "flags", "O_RDWR|O_CREAT");
	expect_i64(e, "mode", 0640);
	expect_flags(e, "resolve", "RESOLVE_BENEATH");
	e = expect_event(l, EV_OPENAT2_E);
	expect_i64(e, "dirfd", 512);
	expect_str(e, "name", "beneath");
	expect_i64(e, "flags", 0);
	expect_i64(e, "mode", 0);
	expect_i64(e, "resolve", 0);
	e = expect_event(l, EV_CONNECT_E);
	expect_i64(e, "fd", 512);
	expect_bytes(e, "addr", in, sizeof(in));
	e = expect_event(l, EV_CONNECT_E);
	expect_i64(e, "fd", -7);
	expect_empty(e, "addr");
	expect_end(l);
}

LIVE_MAIN("truth_hooks", "signal_deliver,page_fault_user,page_fault_kernel,sched_switch," ENTRIES,
	  cmocka_unit_test(signals_name_their_sender_where_the_kind_of_signal_has_one),
	  cmocka_unit_test(the_end_of_a_child_names_it),
	  cmocka_unit_test(a_kill_has_no_sender_any_more_when_it_takes_effect),
	  cmocka_unit_test(a_signal_of_the_kernel_has_no_sender),
	  cmocka_unit_test(page_faults_tell_where_the_instruction_is),
	  cmocka_unit_test(switches_tell_who_is_next),
	  cmocka_unit_test(arguments_are_copied_before_the_kernel_reads_them))
