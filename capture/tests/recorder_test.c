/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder as a whole, on this host: processes of the test's own make calls, and what is
 * recorded of them is counted. Skipped where BPF is not permitted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/internal.h"


/* --- a process that waits, works, and ends --- */

struct worker {
	pid_t pid;
	int go, done; /* pipes */
};

/* @work runs in a new process once worker_run() is called. */
static struct worker worker_start(void (*work)(long n), long n)
{
	int go[2], done[2];
	char c;
	struct worker w;

	assert_int_equal(pipe2(go, O_CLOEXEC) | pipe2(done, O_CLOEXEC), 0);
	w = (struct worker){.go = go[1], .done = done[0]};
	w.pid = fork();
	assert_true(w.pid >= 0);
	if (w.pid == 0) {
		close(go[1]);
		close(done[0]);
		if (read(go[0], &c, 1) == 1)
			work(n);
		_exit(42);
	}
	close(go[0]);
	close(done[1]);
	return w;
}

static void worker_run(struct worker *w)
{
	int status;

	assert_int_equal(write(w->go, "x", 1), 1);
	assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
	assert_int_equal(WEXITSTATUS(status), 42);
	close(w->go);
	close(w->done);
}

static void open_and_close(long n)
{
	for (long i = 0; i < n; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/nowhere/file-%ld", i);
		close(openat(AT_FDCWD, path, O_RDONLY));
	}
}

static void ask_parent(long n)
{
	while (n-- > 0)
		syscall(SYS_getppid);
}

static void write_much(long n)
{
	static char data[1000];
	int fd = open("/dev/null", O_WRONLY);

	while (n-- > 0)
		if (write(fd, data, sizeof(data)) != sizeof(data))
			_exit(1);
}

/* --- a recording --- */

static struct rec_options options(const char *set)
{
	struct rec_options opt;
	struct error err = {0};

	rec_options_init(&opt);
	memset(&opt.set, 0, sizeof(opt.set));
	if (rec_set_parse(&opt.set, sv_of(set), &err) < 0)
		fail_msg("%s", err.msg);
	opt.exact_set = true;
	opt.first_state = false;
	opt.ring_bytes = 1 << 20;
	opt.memory_bytes = 64 << 20;
	return opt;
}

static struct rec *open_recorder(const struct rec_options *opt)
{
	struct error err = {0};
	struct rec *r = NULL;
	int rc = rec_open(opt, &r, &err);

	if (rc == ERR_PERMISSION || (rc == ERR_UNSUPPORTED && strstr(err.msg, "recording needs"))) {
		print_message("%s\n", err.msg);
		skip();
	}
	if (rc < 0)
		fail_msg("%d: %s", rc, err.msg);
	return r;
}

struct tally {
	uint64_t events, losses, lost, disorder;
	uint64_t of_type[EV_TYPE_COUNT], lost_of_type[EV_TYPE_COUNT];
	uint64_t by_reason[EV_LOSS_REASONS];
	uint64_t foreign; /* of other threads than @tid */
	uint64_t last_ts;
	int64_t tid; /* 0: any */
	unsigned last_type;
};

static void tally_add(struct tally *t, const struct ev_item *item)
{
	if (item->kind == EV_ITEM_LOSS) {
		t->losses++;
		t->lost += item->loss->count;
		t->by_reason[item->loss->reason] += item->loss->count;
		assert_true(item->loss->from <= item->loss->to);
		for (unsigned i = 0; i < item->loss->nkinds; i++)
			t->lost_of_type[item->loss->kinds[i].type] += item->loss->kinds[i].count;
		return;
	}
	if (item->kind != EV_ITEM_EVENT)
		return;
	t->events++;
	t->disorder += item->ev->ts < t->last_ts;
	t->last_ts = item->ev->ts;
	t->foreign += t->tid && item->ev->tid != t->tid;
	if (!t->tid || item->ev->tid == t->tid) {
		t->of_type[item->ev->type]++;
		t->last_type = item->ev->type;
	}
}

/* Stop and take all that is left. */
static void finish(struct rec *r, struct tally *t, struct rec_stats *stats)
{
	struct error err = {0};
	struct ev_item item;
	int rc;

	rec_stop(r);
	while ((rc = rec_next(r, &item, 2000, &err)) == 1)
		tally_add(t, &item);
	assert_int_equal(rc, 0);
	rec_stats(r, stats);
	rec_close(r);
}

static void assert_sums_match(const struct tally *t, const struct rec_stats *s)
{
	uint64_t lost = 0;

	for (unsigned i = 0; i < EV_LOSS_REASONS; i++) {
		lost += s->lost[i];
		assert_int_equal(s->lost[i], t->by_reason[i]);
	}
	assert_int_equal(s->delivered, t->events);
	assert_int_equal(lost, t->lost);
	assert_int_equal(s->seen, s->delivered + lost);
	assert_int_equal(s->lost[EV_LOSS_INVALID], 0);
}

static void the_calls_of_a_process_come_whole_and_in_order(void **state)
{
	struct rec_options opt = options("openat,close,procexit");
	struct worker w = worker_start(open_and_close, 500);
	struct tally t = {.tid = w.pid};
	struct rec *r = open_recorder(&opt);
	struct rec_stats stats;
	struct ev_item item;
	struct error err = {0};
	long n = 0;
	int rc;

	(void)state;
	worker_run(&w);
	rec_stop(r);
	while ((rc = rec_next(r, &item, 2000, &err)) == 1) {
		char path[64];

		tally_add(&t, &item);
		if (item.kind != EV_ITEM_EVENT || item.ev->tid != w.pid ||
		    item.ev->type != EV_OPENAT_2_X)
			continue;
		snprintf(path, sizeof(path), "/nowhere/file-%ld", n++);
		assert_true(sv_is(ev_str(item.ev, 2), path));
		assert_int_equal(ev_param(item.ev, 0).n, 8);
	}
	assert_int_equal(rc, 0);
	rec_stats(r, &stats);
	rec_close(r);
	assert_int_equal(n, 500);
	assert_in_range(t.of_type[EV_CLOSE_X], 500, 505); /* and its pipes */
	assert_int_equal(t.of_type[EV_PROCEXIT_1_E], 1);
	assert_int_equal(t.last_type, EV_PROCEXIT_1_E);
	assert_int_equal(t.disorder, 0);
	assert_int_equal(stats.late, 0);
	assert_sums_match(&t, &stats);
}

static void a_ring_that_is_too_small_loses_and_every_loss_is_told(void **state)
{
	const long calls = 100000;
	struct rec_options opt = options("getppid,procexit");
	struct worker w = worker_start(ask_parent, calls);
	struct tally t = {.tid = w.pid};
	struct rec_stats stats;
	struct rec *r;

	(void)state;
	opt.ring_bytes = REC_RING_BYTES_MIN;
	opt.pids[opt.npids++] = w.pid;
	r = open_recorder(&opt);
	worker_run(&w);
	finish(r, &t, &stats);
	assert_sums_match(&t, &stats);
	assert_int_equal(t.foreign, 0);
	assert_true(t.by_reason[EV_LOSS_RING_FULL] > 0);
	assert_int_equal(t.of_type[EV_GENERIC_X] + t.lost_of_type[EV_GENERIC_X], calls);
	assert_int_equal(t.of_type[EV_PROCEXIT_1_E], 1); /* it has a ring of its own */
	assert_int_equal(stats.seen, calls + 1);
}

static void without_memory_bulk_goes_first_and_the_life_of_processes_stays(void **state)
{
	const long calls = 200000;
	struct rec_options opt = options("write,procexit");
	struct worker w = worker_start(write_much, calls);
	struct tally t = {.tid = w.pid};
	struct rec_stats stats;
	struct rec *r;

	(void)state;
	opt.ring_bytes = 8 << 20;
	opt.memory_bytes = 1; /* the least there is */
	opt.pids[opt.npids++] = w.pid;
	r = open_recorder(&opt);
	worker_run(&w); /* nobody takes anything meanwhile */
	finish(r, &t, &stats);
	assert_sums_match(&t, &stats);
	assert_true(t.by_reason[EV_LOSS_MEMORY] + t.by_reason[EV_LOSS_SHED] > 0);
	assert_int_equal(t.of_type[EV_WRITE_X] + t.lost_of_type[EV_WRITE_X], calls);
	assert_int_equal(t.of_type[EV_PROCEXIT_1_E], 1);
}

/* --- filters --- */

static void have_a_child(long n)
{
	pid_t pid = fork();

	if (pid == 0) {
		ask_parent(n);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	ask_parent(n);
}

static void a_process_is_followed_with_its_descendants(void **state)
{
	struct rec_options opt = options("getppid,clone,fork,vfork,clone3,procexit");
	struct worker w = worker_start(have_a_child, 10), other = worker_start(have_a_child, 10);
	struct tally t = {.tid = w.pid};
	struct rec_stats stats;
	struct rec *r;

	(void)state;
	opt.pids[opt.npids++] = w.pid;
	r = open_recorder(&opt);
	worker_run(&other);
	worker_run(&w);
	finish(r, &t, &stats);
	assert_sums_match(&t, &stats);
	assert_int_equal(t.of_type[EV_GENERIC_X], 10);
	assert_int_equal(t.of_type[EV_PROCEXIT_1_E], 1);
	assert_int_equal(t.of_type[EV_CLONE_20_X] + t.of_type[EV_CLONE3_X] +
			     t.of_type[EV_FORK_20_X],
			 1);
	assert_int_equal(t.foreign, 10 + 2); /* the child's calls, beginning and end */
}

static void children_there_before_are_followed_too(void **state)
{
	struct rec_options opt = options("getppid");
	struct worker w = worker_start(ask_parent, 10); /* a child of this process */
	struct tally t = {.tid = w.pid};
	struct rec_stats stats;
	struct rec *r;

	(void)state;
	opt.pids[opt.npids++] = getpid();
	r = open_recorder(&opt);
	worker_run(&w);
	finish(r, &t, &stats);
	assert_int_equal(t.of_type[EV_GENERIC_X], 10);
	assert_int_equal(t.foreign, 0);
}

static void rename_and_ask(long n)
{
	ask_parent(n);
	prctl(PR_SET_NAME, "scapula-renamed");
	ask_parent(n + 1);
}

static void commands_are_told_by_their_name(void **state)
{
	struct rec_options opt = options("getppid");
	struct worker w = worker_start(rename_and_ask, 10);
	struct tally t = {.tid = w.pid};
	struct rec_stats stats;
	struct rec *r;

	(void)state;
	strcpy(opt.comms[opt.ncomms++], "scapula-renamed");
	r = open_recorder(&opt);
	worker_run(&w);
	finish(r, &t, &stats);
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
	ask_parent(n);
	enter_cgroup("/scapula-test/below");
	ask_parent(n + 1);
	enter_cgroup("");
	ask_parent(n + 2);
}

static void a_cgroup_stands_for_those_below_it(void **state)
{
	struct rec_options opt = options("getppid");
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
	r = open_recorder(&opt);
	worker_run(&w);
	rmdir(below);
	rmdir(dir);
	finish(r, &t, &stats);
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
	write_much(n + 2);
}

static void of_sockets_only_certain_ports_and_of_files_all(void **state)
{
	struct rec_options opt = options("socket,sendto,write");
	struct worker w = worker_start(talk, 10);
	struct tally t = {.tid = w.pid};
	struct rec_stats stats;
	struct rec *r;

	(void)state;
	opt.ports[opt.nports++] = 40002;
	opt.pids[opt.npids++] = w.pid;
	r = open_recorder(&opt);
	worker_run(&w);
	finish(r, &t, &stats);
	assert_int_equal(t.of_type[EV_SENDTO_X], 11);
	assert_int_equal(t.of_type[EV_SOCKET_X], 1); /* no data: not filtered */
	assert_int_equal(t.of_type[EV_WRITE_X], 12);
}

static void fail_and_connect(long n)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(9),
				 .sin_addr.s_addr = htonl(0x0a000001)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	open_and_close(n);
	connect(fd, (struct sockaddr *)&to, sizeof(to));
	connect(-1, (struct sockaddr *)&to, sizeof(to));
	_exit(errno == EBADF ? 42 : 1);
}

static void calls_that_failed_are_left_out_but_not_those_in_progress(void **state)
{
	struct rec_options opt = options("openat,connect");
	struct worker w = worker_start(fail_and_connect, 10);
	struct tally t = {.tid = w.pid};
	struct rec_stats stats;
	struct rec *r;

	(void)state;
	opt.drop_failed = true;
	r = open_recorder(&opt);
	worker_run(&w);
	finish(r, &t, &stats);
	assert_int_equal(t.of_type[EV_OPENAT_2_X], 0);
	assert_in_range(t.of_type[EV_CONNECT_X], 0, 1); /* without a network it fails at once */
	assert_sums_match(&t, &stats);
}

static void what_is_shed_is_counted(void **state)
{
	struct rec_options opt = options("getppid,openat,procexit");
	struct worker w = worker_start(have_a_child, 10);
	struct tally t = {.tid = w.pid};
	struct rec_stats stats;
	struct rec *r;

	(void)state;
	opt.pids[opt.npids++] = w.pid;
	r = open_recorder(&opt);
	rec_shed(r, WIRE_SHED_GENERIC);
	worker_run(&w);
	finish(r, &t, &stats);
	assert_sums_match(&t, &stats);
	assert_int_equal(t.of_type[EV_GENERIC_X], 0);
	assert_int_equal(t.lost_of_type[EV_GENERIC_X], 20);
	assert_int_equal(t.by_reason[EV_LOSS_SHED], 20);
	assert_int_equal(t.of_type[EV_PROCEXIT_1_E], 1);
}

/* --- life --- */

static unsigned open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void recorders_that_are_closed_leave_nothing_behind(void **state)
{
	struct rec_options opt = options("openat,procexit");
	unsigned before = open_files();

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct worker w = worker_start(open_and_close, 100);
		struct rec *r;

		opt.first_state = i == 2;
		r = open_recorder(&opt);
		worker_run(&w);
		if (i)
			rec_stop(r);
		rec_close(r); /* nobody took anything */
	}
	assert_int_equal(open_files(), before);
}

static void two_recorders_see_the_same(void **state)
{
	struct rec_options opt = options("openat,getppid,procexit"), other = options("openat");
	struct worker w = worker_start(open_and_close, 100);
	struct tally t = {.tid = w.pid}, u = {.tid = w.pid};
	struct rec *r = open_recorder(&opt), *s = open_recorder(&other);
	struct rec_stats stats;

	(void)state;
	worker_run(&w);
	finish(r, &t, &stats);
	assert_sums_match(&t, &stats);
	finish(s, &u, &stats);
	assert_sums_match(&u, &stats);
	assert_int_equal(t.of_type[EV_OPENAT_2_X], 100);
	assert_int_equal(u.of_type[EV_OPENAT_2_X], 100);
	assert_int_equal(u.of_type[EV_PROCEXIT_1_E], 0);
}

static void the_recorders_own_calls_are_left_out_unless_wanted(void **state)
{
	struct rec_options opt = options("getppid");

	(void)state;
	for (int self = 0; self < 2; self++) {
		struct tally t = {.tid = getpid()};
		struct rec_stats stats;
		struct rec *r;

		opt.with_self = self;
		r = open_recorder(&opt);
		ask_parent(7);
		finish(r, &t, &stats);
		assert_int_equal(t.of_type[EV_GENERIC_X], self ? 7 : 0);
	}
}

static struct rec *to_stop;

static void on_signal(int sig)
{
	(void)sig;
	rec_stop(to_stop);
}

static void a_signal_handler_may_stop_it(void **state)
{
	struct rec_options opt = options("procexit");
	struct rec *r = open_recorder(&opt);
	struct error err = {0};
	struct ev_item item;
	int rc;

	(void)state;
	assert_int_equal(rec_next(r, &item, 0, &err) == REC_IDLE, true);
	to_stop = r;
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
	while ((rc = rec_next(r, &item, 2000, &err)) == 1)
		;
	assert_int_equal(rc, 0);
	assert_int_equal(rec_next(r, &item, 0, &err), 0); /* and again */
	rec_close(r);
}

struct idle {
	struct rec *rec;
	unsigned calls;
};

static void on_idle(void *arg)
{
	struct idle *idle = arg;

	if (++idle->calls == 2)
		rec_stop(idle->rec);
}

static void a_source_waits_and_calls_when_nothing_comes(void **state)
{
	struct rec_options opt = options("getppid");
	struct worker w = worker_start(ask_parent, 5);
	struct tally t = {.tid = w.pid};
	struct idle idle = {0};
	struct error err = {0};
	struct ev_source *source;
	struct ev_item item;
	int rc;

	(void)state;
	opt.pids[opt.npids++] = w.pid;
	idle.rec = open_recorder(&opt);
	source = rec_source(idle.rec, on_idle, &idle);
	worker_run(&w);
	while ((rc = ev_source_next(source, &item, &err)) == 1)
		tally_add(&t, &item);
	assert_int_equal(rc, 0);
	assert_int_equal(idle.calls, 2);
	assert_int_equal(t.of_type[EV_GENERIC_X], 5);
	ev_source_close(source);
	rec_close(idle.rec);
}

/* --- the first state --- */

struct order {
	unsigned machines, threads, fds, events;
	bool worker_seen, wrong;
};

static void note(struct order *o, const struct ev_item *item, pid_t worker)
{
	switch (item->kind) {
	case EV_ITEM_MACHINE:
		o->wrong |= o->threads || o->events;
		o->machines++;
		break;
	case EV_ITEM_THREAD:
		o->wrong |= !o->machines || o->fds || o->events;
		o->threads++;
		o->worker_seen |= item->thread->tid == worker;
		break;
	case EV_ITEM_FD:
		o->wrong |= !o->threads || o->events;
		o->fds++;
		break;
	case EV_ITEM_EVENT:
		o->events++;
		break;
	default:
		break;
	}
}

static void the_state_comes_before_the_events_and_once_more_when_asked_for(void **state)
{
	struct rec_options opt = options("getppid");
	struct worker w = worker_start(ask_parent, 50);
	struct order first = {0}, again = {0};
	struct error err = {0};
	struct rec_stats stats;
	struct ev_item item;
	struct rec *r;
	uint64_t of_worker = 0;
	int rc;

	(void)state;
	opt.first_state = true;
	r = open_recorder(&opt);
	while (rec_next(r, &item, 0, &err) == 1)
		note(&first, &item, w.pid);
	assert_false(first.wrong);
	assert_true(first.worker_seen);
	assert_int_equal(first.machines, 1);
	rec_stats(r, &stats);
	assert_int_equal(stats.threads, first.threads);
	assert_int_equal(stats.fds, first.fds);
	assert_true(stats.state_ns > 0);

	assert_int_equal(rec_state_again(r, &err), 0);
	worker_run(&w);
	rec_stop(r);
	while ((rc = rec_next(r, &item, 2000, &err)) == 1) {
		note(&again, &item, w.pid);
		of_worker += item.kind == EV_ITEM_EVENT && item.ev->tid == w.pid;
	}
	assert_int_equal(rc, 0);
	assert_false(again.wrong);
	assert_true(again.worker_seen);
	assert_int_equal(again.machines, 1);
	assert_int_equal(of_worker, 50);
	rec_close(r);
}

/* --- what can go wrong --- */

static void options_that_make_no_sense_are_named(void **state)
{
	struct rec_options opt = options("openat");
	struct error err = {0};
	struct rec *r;

	(void)state;
	opt.ring_bytes = 3 << 20;
	assert_int_equal(rec_open(&opt, &r, &err), ERR_USAGE);
	assert_non_null(strstr(err.msg, "3145728"));
	opt = options("openat");
	opt.snaplen = 70000;
	assert_int_equal(rec_open(&opt, &r, &err), ERR_USAGE);
	assert_non_null(strstr(err.msg, "70000"));
	opt = options("openat");
	opt.nports = REC_FILTER_MAX + 1;
	assert_int_equal(rec_open(&opt, &r, &err), ERR_LIMIT);
}

/* In a process of its own, without capability @cap. Its exit code tells. */
static int without(cap_value_t cap, cap_value_t or_cap, const char *named)
{
	const cap_value_t caps[] = {cap, or_cap};
	struct rec_options opt = options("openat");
	struct error err = {0};
	struct rec *r;
	int status;
	pid_t pid = fork();

	if (pid) {
		waitpid(pid, &status, 0);
		return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
	}
	cap_t set = cap_get_proc();

	cap_set_flag(set, CAP_EFFECTIVE, 2, caps, CAP_CLEAR);
	cap_set_flag(set, CAP_PERMITTED, 2, caps, CAP_CLEAR);
	if (cap_set_proc(set) < 0)
		_exit(1);
	cap_free(set);
	if (rec_open(&opt, &r, &err) != ERR_PERMISSION)
		_exit(2);
	_exit(strstr(err.msg, named) && strstr(err.msg, "run as root") ? 0 : 3);
}

static void a_missing_capability_is_named(void **state)
{
	struct rec_options opt = options("procexit");

	(void)state;
	rec_close(open_recorder(&opt)); /* or skip */
	assert_int_equal(without(CAP_BPF, CAP_SYS_ADMIN, "CAP_BPF"), 0);
	assert_int_equal(without(CAP_PERFMON, CAP_SYS_ADMIN, "CAP_PERFMON"), 0);
}

static void features_are_tried_and_told(void **state)
{
	struct rec_feature f[REC_FEATURES_MAX];
	struct rec_options opt = options("procexit");
	unsigned n;

	(void)state;
	rec_close(open_recorder(&opt)); /* or skip */
	n = rec_check(f);
	assert_in_range(n, 10, REC_FEATURES_MAX);
	for (unsigned i = 0; i < n; i++) {
		assert_true(f[i].name && f[i].needed_for);
		assert_true(f[i].present || !f[i].required); /* it records, after all */
		assert_int_equal(f[i].present, f[i].why[0] == '\0');
	}
}

/* In a process of its own: what it gives up it does not get back. */
static void privileges_are_given_up_when_asked_for(void **state)
{
	struct rec_options opt = options("getppid");
	int status;
	pid_t pid;

	(void)state;
	opt.drop_privileges = opt.no_new_privs = true;
	opt.first_state = true;
	pid = fork();
	if (pid == 0) {
		struct error err = {0};
		struct rec *r;
		cap_flag_value_t has;
		int rc = rec_open(&opt, &r, &err);
		cap_t now = cap_get_proc();

		if (rc < 0)
			_exit(rc == ERR_PERMISSION || rc == ERR_UNSUPPORTED ? 77 : 1);
		cap_get_flag(now, CAP_SYS_ADMIN, CAP_PERMITTED, &has);
		if (has == CAP_SET || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
			_exit(2);
		cap_free(now);
		if (rec_state_again(r, &err) < 0)
			_exit(3);
		rec_close(r);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_calls_of_a_process_come_whole_and_in_order),
	    cmocka_unit_test(a_ring_that_is_too_small_loses_and_every_loss_is_told),
	    cmocka_unit_test(without_memory_bulk_goes_first_and_the_life_of_processes_stays),
	    cmocka_unit_test(a_process_is_followed_with_its_descendants),
	    cmocka_unit_test(children_there_before_are_followed_too),
	    cmocka_unit_test(commands_are_told_by_their_name),
	    cmocka_unit_test(a_cgroup_stands_for_those_below_it),
	    cmocka_unit_test(of_sockets_only_certain_ports_and_of_files_all),
	    cmocka_unit_test(calls_that_failed_are_left_out_but_not_those_in_progress),
	    cmocka_unit_test(what_is_shed_is_counted),
	    cmocka_unit_test(recorders_that_are_closed_leave_nothing_behind),
	    cmocka_unit_test(two_recorders_see_the_same),
	    cmocka_unit_test(the_recorders_own_calls_are_left_out_unless_wanted),
	    cmocka_unit_test(a_signal_handler_may_stop_it),
	    cmocka_unit_test(a_source_waits_and_calls_when_nothing_comes),
	    cmocka_unit_test(the_state_comes_before_the_events_and_once_more_when_asked_for),
	    cmocka_unit_test(options_that_make_no_sense_are_named),
	    cmocka_unit_test(a_missing_capability_is_named),
	    cmocka_unit_test(features_are_tried_and_told),
	    cmocka_unit_test(privileges_are_given_up_when_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
