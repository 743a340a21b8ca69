/* SPDX-License-Identifier: Apache-2.0 */
/* What is recorded when only certain processes, cgroups, commands or ports are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "capture/tests/recording.h"

static void a_process_is_followed_with_its_descendants(void **state)
{
	struct rec_options opt = recording_options("getppid,clone,fork,vfork,clone3,procexit");
	struct worker w = worker_start(work_have_a_child, 10),
		      other = worker_start(work_have_a_child, 10);
	struct tally t = {.tid = w.pid};
	struct rec_stats stats;
	struct rec *r;

	(void)state;
	opt.pids[opt.npids++] = w.pid;
	r = recording_open(&opt);
	worker_run(&other);
	worker_run(&w);
	tally_finish(r, &t, &stats);
	tally_check(&t, &stats);
	assert_int_equal(t.of_type[EV_GENERIC_X], 10);
	assert_int_equal(t.of_type[EV_PROCEXIT_1_E], 1);
	assert_int_equal(
	    t.of_type[EV_CLONE_20_X] + t.of_type[EV_CLONE3_X] + t.of_type[EV_FORK_20_X], 1);
	assert_int_equal(t.foreign, 10 + 2); /* the child's calls, beginning and end */
}

static void children_there_before_are_followed_too(void **state)
{
	struct rec_options opt = recording_options("getppid");
	struct worker w = worker_start(work_ask_parent, 10); /* a child of this process */
	struct tally t;
	struct rec_stats stats;

	(void)state;
	opt.pids[opt.npids++] = getpid();
	t = record_worker(&opt, &w, &stats);
	assert_int_equal(t.of_type[EV_GENERIC_X], 10);
	assert_int_equal(t.foreign, 0);
}

static void *end_at_once(void *arg)
{
	snprintf(arg, 64, "/proc/self/task/%d", (int)gettid());
	return NULL;
}

static void lose_a_thread_and_ask(long n)
{
	char path[64];
	pthread_t thread;

	if (pthread_create(&thread, NULL, end_at_once, path) || pthread_join(thread, NULL))
		_exit(1);
	while (access(path, F_OK) == 0) /* the join returns before the thread is quite gone */
		sched_yield();
	work_ask_parent(n);
}

static void a_process_that_loses_a_thread_is_still_followed(void **state)
{
	struct rec_options opt = recording_options("getppid");
	struct worker w = worker_start(lose_a_thread_and_ask, 10);
	struct tally t;
	struct rec_stats stats;

	(void)state;
	opt.pids[opt.npids++] = w.pid;
	t = record_worker(&opt, &w, &stats);
	assert_int_equal(t.of_type[EV_GENERIC_X], 10);
}

static void rename_and_ask(long n)
{
	work_ask_parent(n);
	prctl(PR_SET_NAME, "scapula-renamed");
	work_ask_parent(n + 1);
}

static void commands_are_told_by_their_name(void **state)
{
	struct rec_options opt = recording_options("getppid");
	struct worker w = worker_start(rename_and_ask, 10);
	struct tally t;
	struct rec_stats stats;

	(void)state;
	strcpy(opt.comms[opt.ncomms++], "scapula-renamed");
	t = record_worker(&opt, &w, &stats);
	assert_int_equal(t.of_type[EV_GENERIC_X], 11);
	assert_int_equal(t.foreign, 0);
}

/* Where the unified hierarchy is; NULL if nowhere. */
static const char *cgroup_root(void)
{
	static const char *const dirs[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	struct statfs fs;

	for (size_t i = 0; i < COUNT_OF(dirs); i++)
		if (statfs(dirs[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return dirs[i];
	return NULL;
}

static void enter_cgroup(const char *below)
{
	char path[256], text[32];
	int fd, n = snprintf(text, sizeof(text), "%d", getpid());

	snprintf(path, sizeof(path), "%s%s/cgroup.procs", cgroup_root(), below);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)n) != n)
		_exit(1);
	close(fd);
}

static void move_and_ask(long n)
{
	work_ask_parent(n);
	enter_cgroup("/scapula-test/below");
	work_ask_parent(n + 1);
	enter_cgroup("");
	work_ask_parent(n + 2);
}

static void a_cgroup_stands_for_those_below_it(void **state)
{
	struct rec_options opt = recording_options("getppid");
	struct tally t = {0};
	struct rec_stats stats;
	struct worker w;
	char dir[128], below[160];
	struct stat st;
	struct rec *r;

	(void)state;
	if (!cgroup_root())
		skip();
	snprintf(dir, sizeof(dir), "%s/scapula-test", cgroup_root());
	snprintf(below, sizeof(below), "%s/below", dir);
	if ((mkdir(dir, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(below, 0755) < 0 && errno != EEXIST) || stat(dir, &st) < 0)
		skip();
	opt.cgroups[opt.ncgroups++] = st.st_ino;
	w = worker_start(move_and_ask, 10);
	t.tid = w.pid;
	r = recording_open(&opt);
	worker_run(&w);
	rmdir(below);
	rmdir(dir);
	tally_finish(r, &t, &stats);
	assert_int_equal(t.of_type[EV_GENERIC_X], 11);
	assert_int_equal(t.foreign, 0);
}

static void send_to(int fd, uint16_t port, long n)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	while (n-- > 0)
		if (sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1)
			_exit(1);
}

static void talk(long n)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), files[2];

	send_to(fd, 40001, n);
	send_to(fd, 40002, n + 1);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, files) < 0)
		_exit(1);
	if (write(files[0], "x", 1) != 1)
		_exit(1);
	work_write_much(n + 2);
}

static void of_sockets_only_certain_ports_and_of_files_all(void **state)
{
	struct rec_options opt = recording_options("socket,sendto,write");
	struct worker w = worker_start(talk, 10);
	struct tally t;
	struct rec_stats stats;

	(void)state;
	opt.ports[opt.nports++] = 40002;
	opt.pids[opt.npids++] = w.pid;
	t = record_worker(&opt, &w, &stats);
	assert_int_equal(t.of_type[EV_SENDTO_X], 11);
	assert_int_equal(t.of_type[EV_SOCKET_X], 1); /* no data: not filtered */
	assert_int_equal(t.of_type[EV_WRITE_X], 12);
}

/* To a socket of its own: the answer waits until the call is over. */
static void fail_and_connect(long n)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(to);
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	work_open_and_close(n);
	if (bind(server, (struct sockaddr *)&to, len) || listen(server, 1) ||
	    getsockname(server, (struct sockaddr *)&to, &len) ||
	    connect(fd, (struct sockaddr *)&to, len) == 0 || errno != EINPROGRESS)
		_exit(1);
	_exit(connect(-1, (struct sockaddr *)&to, len) < 0 && errno == EBADF ? 42 : 1);
}

static void calls_that_failed_are_left_out_but_not_those_in_progress(void **state)
{
	struct rec_options opt = recording_options("openat,connect");
	struct worker w = worker_start(fail_and_connect, 10);
	struct tally t;
	struct rec_stats stats;

	(void)state;
	opt.drop_failed = true;
	t = record_worker(&opt, &w, &stats);
	assert_int_equal(t.of_type[EV_OPENAT_2_X], 0);
	assert_int_equal(t.of_type[EV_CONNECT_X], 1);
	tally_check(&t, &stats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_process_is_followed_with_its_descendants),
	    cmocka_unit_test(children_there_before_are_followed_too),
	    cmocka_unit_test(a_process_that_loses_a_thread_is_still_followed),
	    cmocka_unit_test(commands_are_told_by_their_name),
	    cmocka_unit_test(a_cgroup_stands_for_those_below_it),
	    cmocka_unit_test(of_sockets_only_certain_ports_and_of_files_all),
	    cmocka_unit_test(calls_that_failed_are_left_out_but_not_those_in_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
