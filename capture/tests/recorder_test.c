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

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/internal.h"
#include "capture/tests/recording.h"

static void the_calls_of_a_process_come_whole_and_in_order(void **state)
{
	struct rec_options opt = recording_options("openat,close,procexit");
	struct worker w = worker_start(work_open_and_close, 500);
	struct tally t = {.tid = w.pid};
	struct rec *r = recording_open(&opt);
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
	tally_check(&t, &stats);
}

static void what_several_cpus_do_comes_in_one_order(void **state)
{
	const long calls = 50000;
	struct rec_options opt = recording_options("getppid");
	struct tally t = {0};
	struct worker w[3];
	struct rec_stats stats;
	struct rec *r;

	(void)state;
	opt.ring_bytes = 16 << 20;
	for (size_t i = 0; i < COUNT_OF(w); i++) {
		w[i] = worker_start(work_ask_parent, calls);
		opt.pids[opt.npids++] = w[i].pid;
	}
	r = recording_open(&opt);
	for (size_t i = 0; i < COUNT_OF(w); i++)
		worker_go(&w[i]);
	for (size_t i = 0; i < COUNT_OF(w); i++)
		worker_wait(&w[i]);
	tally_finish(r, &t, &stats);
	tally_check(&t, &stats);
	assert_int_equal(t.of_type[EV_GENERIC_X] + t.lost, COUNT_OF(w) * (size_t)calls);
	assert_in_range(t.disorder, 0, calls / 1000); /* a CPU that is taken away in between */
}

static void a_ring_that_is_too_small_loses_and_every_loss_is_told(void **state)
{
	const long calls = 100000;
	struct rec_options opt = recording_options("getppid,procexit");
	struct worker w = worker_start(work_ask_parent, calls);
	struct tally t;
	struct rec_stats stats;

	(void)state;
	opt.ring_bytes = REC_RING_BYTES_MIN;
	opt.pids[opt.npids++] = w.pid;
	t = record_worker(&opt, &w, &stats);
	tally_check(&t, &stats);
	assert_int_equal(t.foreign, 0);
	assert_true(t.by_reason[EV_LOSS_RING_FULL] > 0);
	assert_int_equal(t.of_type[EV_GENERIC_X] + t.lost_of_type[EV_GENERIC_X], calls);
	assert_int_equal(t.of_type[EV_PROCEXIT_1_E], 1); /* it has a ring of its own */
	assert_int_equal(stats.seen, calls + 1);
}

static void without_memory_bulk_goes_first_and_the_life_of_processes_stays(void **state)
{
	const long calls = 200000;
	struct rec_options opt = recording_options("write,procexit");
	struct worker w = worker_start(work_write_much, calls);
	struct tally t;
	struct rec_stats stats;

	(void)state;
	opt.ring_bytes = 8 << 20;
	opt.memory_bytes = 1; /* the least there is */
	opt.pids[opt.npids++] = w.pid;
	t = record_worker(&opt, &w, &stats); /* nobody takes anything meanwhile */
	tally_check(&t, &stats);
	assert_true(t.by_reason[EV_LOSS_MEMORY] + t.by_reason[EV_LOSS_SHED] > 0);
	assert_int_equal(t.of_type[EV_WRITE_X] + t.lost_of_type[EV_WRITE_X], calls);
	assert_int_equal(t.of_type[EV_PROCEXIT_1_E], 1);
}

static void what_is_shed_is_counted(void **state)
{
	struct rec_options opt = recording_options("getppid,openat,procexit");
	struct worker w = worker_start(work_have_a_child, 10);
	struct tally t = {.tid = w.pid};
	struct rec_stats stats;
	struct rec *r;

	(void)state;
	opt.pids[opt.npids++] = w.pid;
	r = recording_open(&opt);
	rec_shed(r, WIRE_SHED_GENERIC);
	worker_run(&w);
	tally_finish(r, &t, &stats);
	tally_check(&t, &stats);
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
	struct rec_options opt = recording_options("openat,procexit");
	unsigned before = open_files();

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct worker w = worker_start(work_open_and_close, 100);
		struct rec *r;

		opt.first_state = i == 2;
		r = recording_open(&opt);
		worker_run(&w);
		if (i)
			rec_stop(r);
		rec_close(r); /* nobody took anything */
	}
	assert_int_equal(open_files(), before);
}

static void two_recorders_see_the_same(void **state)
{
	struct rec_options opt = recording_options("openat,getppid,procexit"),
			   other = recording_options("openat");
	struct worker w = worker_start(work_open_and_close, 100);
	struct tally t = {.tid = w.pid}, u = {.tid = w.pid};
	struct rec *r = recording_open(&opt), *s = recording_open(&other);
	struct rec_stats stats;

	(void)state;
	worker_run(&w);
	tally_finish(r, &t, &stats);
	tally_check(&t, &stats);
	tally_finish(s, &u, &stats);
	tally_check(&u, &stats);
	assert_int_equal(t.of_type[EV_OPENAT_2_X], 100);
	assert_int_equal(u.of_type[EV_OPENAT_2_X], 100);
	assert_int_equal(u.of_type[EV_PROCEXIT_1_E], 0);
}

static void unless_told_otherwise_what_changes_state_is_recorded_too(void **state)
{
	struct rec_options opt = recording_options("getppid");
	struct worker w = worker_start(work_open_and_close, 10);
	struct tally t;
	struct rec_stats stats;

	(void)state;
	opt.exact_set = false;
	opt.pids[opt.npids++] = w.pid;
	t = record_worker(&opt, &w, &stats);
	assert_int_equal(t.of_type[EV_OPENAT_2_X], 10);
	assert_int_equal(t.of_type[EV_PROCEXIT_1_E], 1);
}

static void the_recorders_own_calls_are_left_out_unless_wanted(void **state)
{
	struct rec_options opt = recording_options("getppid");

	(void)state;
	for (int self = 0; self < 2; self++) {
		struct tally t = {.tid = getpid()};
		struct rec_stats stats;
		struct rec *r;

		opt.with_self = self;
		r = recording_open(&opt);
		work_ask_parent(7);
		tally_finish(r, &t, &stats);
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
	struct rec_options opt = recording_options("procexit");
	struct rec *r = recording_open(&opt);
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
	struct rec_options opt = recording_options("getppid");
	struct worker w = worker_start(work_ask_parent, 5);
	struct tally t = {.tid = w.pid};
	struct idle idle = {0};
	struct error err = {0};
	struct ev_source *source;
	struct ev_item item;
	int rc;

	(void)state;
	opt.pids[opt.npids++] = w.pid;
	idle.rec = recording_open(&opt);
	source = rec_source(idle.rec, on_idle, &idle);
	worker_run(&w);
	while ((rc = ev_source_next(source, &item, &err)) == 1)
		tally_add(&t, &item);
	assert_int_equal(rc, 0);
	assert_true(idle.calls >= 2); /* it takes a moment to stop */
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
	struct rec_options opt = recording_options("getppid");
	struct worker w = worker_start(work_ask_parent, 50);
	struct order first = {0}, again = {0};
	struct error err = {0};
	struct rec_stats stats;
	struct ev_item item;
	struct rec *r;
	uint64_t of_worker = 0;
	int rc;

	(void)state;
	opt.first_state = true;
	r = recording_open(&opt);
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

static void the_state_may_be_asked_for_though_it_did_not_come_first(void **state)
{
	struct rec_options opt = recording_options("getppid");
	struct worker w = worker_start(work_ask_parent, 50);
	struct order order = {0};
	struct error err = {0};
	struct ev_item item;
	struct rec *r;
	int rc;

	(void)state;
	opt.pids[opt.npids++] = w.pid;
	r = recording_open(&opt);
	assert_int_equal(rec_next(r, &item, 0, &err), REC_IDLE);
	assert_int_equal(rec_state_again(r, &err), 0);
	worker_run(&w);
	rec_stop(r);
	while ((rc = rec_next(r, &item, 2000, &err)) == 1)
		note(&order, &item, w.pid);
	assert_int_equal(rc, 0);
	assert_false(order.wrong);
	assert_true(order.worker_seen);
	assert_int_equal(order.events, 50);
	rec_close(r);
}

static void what_a_thread_did_before_it_was_read_is_contained_in_the_state(void **state)
{
	static const uint8_t lens[64] = {8};
	struct rec_state_mark mark;
	struct rec_state_reader *reader;
	struct rec_state *s;
	int64_t res = 0;
	struct ev ev = {.tid = getpid(), .type = EV_CHDIR_X, .nparams = 1, .lens = lens};

	(void)state;
	ev.data = (const uint8_t *)&res;
	assert_int_equal(rec_state_open(NULL, &reader, NULL), 0);
	assert_int_equal(rec_state_take_process(reader, getpid(), &s, NULL), 0);
	assert_true(rec_state_find(s, getpid(), &mark));
	ev.ts = 1000 + mark.stamp_ns; /* if the boot was at 1000 */
	assert_false(event_is_contained(s, 1000, &ev));
	ev.ts--;
	assert_true(event_is_contained(s, 1000, &ev));
	ev.type = EV_PROCEXIT_1_E; /* it was still there */
	assert_false(event_is_contained(s, 1000, &ev));
	ev.type = EV_CLONE_20_X;
	res = getpid();
	ev.located = 0;
	assert_true(event_is_contained(s, 1000, &ev));
	res = 1; /* a child that is not in this state */
	assert_false(event_is_contained(s, 1000, &ev));
	ev.tid = 1;
	ev.type = EV_CHDIR_X;
	assert_false(event_is_contained(s, 1000, &ev));
	rec_state_free(s);
	rec_state_close(reader);
}

/* --- what can go wrong --- */

static void options_that_make_no_sense_are_named(void **state)
{
	struct rec_options opt = recording_options("openat");
	struct error err = {0};
	struct rec *r;

	(void)state;
	opt.ring_bytes = 3 << 20;
	assert_int_equal(rec_open(&opt, &r, &err), ERR_USAGE);
	assert_non_null(strstr(err.msg, "3145728"));
	opt = recording_options("openat");
	opt.snaplen = 70000;
	assert_int_equal(rec_open(&opt, &r, &err), ERR_USAGE);
	assert_non_null(strstr(err.msg, "70000"));
	opt = recording_options("openat");
	opt.nports = REC_FILTER_MAX + 1;
	assert_int_equal(rec_open(&opt, &r, &err), ERR_LIMIT);
}

/* In a process of its own, without capability @cap. Its exit code tells. */
static int without(cap_value_t cap, cap_value_t or_cap, const char *named)
{
	const cap_value_t caps[] = {cap, or_cap};
	struct rec_options opt = recording_options("openat");
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
	struct rec_options opt = recording_options("procexit");

	(void)state;
	rec_close(recording_open(&opt)); /* or skip */
	assert_int_equal(without(CAP_BPF, CAP_SYS_ADMIN, "CAP_BPF"), 0);
	assert_int_equal(without(CAP_PERFMON, CAP_SYS_ADMIN, "CAP_PERFMON"), 0);
}

static void features_are_tried_and_told(void **state)
{
	struct rec_feature f[REC_FEATURES_MAX];
	struct rec_options opt = recording_options("procexit");
	unsigned n;

	(void)state;
	rec_close(recording_open(&opt)); /* or skip */
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
	struct rec_options opt = recording_options("getppid");
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
	    cmocka_unit_test(what_several_cpus_do_comes_in_one_order),
	    cmocka_unit_test(a_ring_that_is_too_small_loses_and_every_loss_is_told),
	    cmocka_unit_test(without_memory_bulk_goes_first_and_the_life_of_processes_stays),
	    cmocka_unit_test(what_is_shed_is_counted),
	    cmocka_unit_test(recorders_that_are_closed_leave_nothing_behind),
	    cmocka_unit_test(two_recorders_see_the_same),
	    cmocka_unit_test(unless_told_otherwise_what_changes_state_is_recorded_too),
	    cmocka_unit_test(the_recorders_own_calls_are_left_out_unless_wanted),
	    cmocka_unit_test(a_signal_handler_may_stop_it),
	    cmocka_unit_test(a_source_waits_and_calls_when_nothing_comes),
	    cmocka_unit_test(the_state_comes_before_the_events_and_once_more_when_asked_for),
	    cmocka_unit_test(the_state_may_be_asked_for_though_it_did_not_come_first),
	    cmocka_unit_test(what_a_thread_did_before_it_was_read_is_contained_in_the_state),
	    cmocka_unit_test(options_that_make_no_sense_are_named),
	    cmocka_unit_test(a_missing_capability_is_named),
	    cmocka_unit_test(features_are_tried_and_told),
	    cmocka_unit_test(privileges_are_given_up_when_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
