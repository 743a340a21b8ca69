/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of this host: of processes whose state is known, from the iterators and from /proc, and
 * both compared. They differ, for reasons, in:
 *   starts         /proc counts clock ticks
 *   ptid           /proc names the parent process, the kernel the parent thread
 *   vmrss_kb       counters of single CPUs are not added up by the iterator
 *   exe_*_layer    /proc does not tell
 *   unix_*         /proc hides kernel addresses, and does not tell the other end
 *   local address  of a TCP socket that is bound, but neither listens nor is connected: in no table
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/state.h"
#include "capture/tests/fake_proc.h"
#include "capture/tests/population.h"
#include "capture/tests/state_helpers.h"
#include "scapfile/scapfile.h"
#include "scapfile/writer.h"

#define TICK_NS 10000000ull

static char dir[] = "/tmp/state_live_test.XXXXXX";
static struct rec_state *from_proc, *from_kernel; /* NULL: no iterators here */

static struct rec_state *take(enum rec_state_iterators how)
{
	struct rec_state_reader *reader = NULL;
	struct rec_state_options opt;
	struct rec_state *s = NULL;
	struct error err;

	rec_state_options_init(&opt);
	opt.iterators = how;
	if (rec_state_open(&opt, &reader, &err) < 0 || rec_state_take(reader, &s, &err) < 0)
		printf("%s\n", err.msg);
	rec_state_close(reader);
	return s;
}

static int setup(void **state)
{
	(void)state;
	if (getuid() != 0 || !mkdtemp(dir))
		return getuid() == 0 ? -1 : 0;
	if (helpers_start(dir) < 0)
		return -1;
	from_proc = take(REC_ITERATORS_NEVER);
	from_kernel = take(REC_ITERATORS_ONLY);
	return from_proc ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	helpers_end();
	rec_state_free(from_proc);
	rec_state_free(from_kernel);
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

#define need_both()                                                                                \
	do {                                                                                       \
		if (!from_proc || !from_kernel)                                                    \
			skip();                                                                    \
	} while (0)

/* The helpers and their descendants. */
static bool is_ours(struct rec_state *s, const struct ev_thread_entry *t)
{
	for (int depth = 0; t && depth < 5; depth++) {
		for (unsigned i = 0; i < nhelpers; i++)
			if (t->pid == helpers[i].pid)
				return true;
		t = host_find_thread(s, t->ptid);
	}
	return false;
}

/* --- both ways agree --- */

static void same_text(const struct ev_thread_entry *t, const char *what, struct sv a, struct sv b)
{
	if (!sv_eq(a, b))
		fail_msg(
		    "thread %lld (%.*s): %s is '%.*s' (%zu) by iterator, '%.*s' (%zu) in /proc",
		    (long long)t->tid, (int)t->comm.n, t->comm.p, what, (int)a.n, a.p, a.n,
		    (int)b.n, b.p, b.n);
}

static void same_number(const struct ev_thread_entry *t, const char *what, uint64_t a, uint64_t b,
			uint64_t tolerance)
{
	if (a > b ? a - b > tolerance : b - a > tolerance)
		fail_msg("thread %lld (%.*s): %s is %llu by iterator, %llu in /proc",
			 (long long)t->tid, (int)t->comm.n, t->comm.p, what, (unsigned long long)a,
			 (unsigned long long)b);
}

static void same_thread(const struct ev_thread_entry *a, const struct ev_thread_entry *b)
{
#define TEXT(member)	      same_text(a, #member, a->member, b->member)
#define NUMBER(member)	      same_number(a, #member, (uint64_t)a->member, (uint64_t)b->member, 0)
#define ABOUT(member, within) same_number(a, #member, a->member, b->member, within)
	TEXT(comm);
	TEXT(exe);
	TEXT(exepath);
	TEXT(cwd);
	TEXT(root);
	TEXT(args);
	TEXT(env);
	TEXT(cgroups);
	NUMBER(pid);
	NUMBER(sid);
	NUMBER(vpgid);
	NUMBER(pgid);
	NUMBER(vtid);
	NUMBER(vpid);
	NUMBER(fdlimit);
	NUMBER(flags);
	NUMBER(uid);
	NUMBER(gid);
	NUMBER(loginuid);
	NUMBER(vmsize_kb);
	NUMBER(vmswap_kb);
	ABOUT(vmrss_kb, 4096);
	NUMBER(tty);
	NUMBER(pfmajor);
	NUMBER(pfminor);
	NUMBER(cap_inheritable);
	NUMBER(cap_permitted);
	NUMBER(cap_effective);
	NUMBER(exe_ino);
	NUMBER(exe_ino_ctime);
	NUMBER(exe_ino_mtime);
	NUMBER(exe_writable);
	NUMBER(exe_from_memfd);
	ABOUT(clone_ts, TICK_NS + 1000000);
	ABOUT(pidns_init_start_ts, TICK_NS + 1000000);
#undef TEXT
#undef NUMBER
#undef ABOUT
}

static unsigned compare_threads(struct rec_state *a, struct rec_state *b)
{
	const struct ev_thread_entry *found[4096];
	struct ev_item item;
	unsigned n = 0;

	rec_state_rewind(a);
	while (rec_state_next(a, &item, NULL))
		if (item.kind == EV_ITEM_THREAD && n < COUNT_OF(found))
			found[n++] = item.thread;
	for (unsigned i = 0, all = n; i < all; i++) {
		const struct ev_thread_entry *other;

		if (!is_ours(a, found[i])) {
			n--;
			continue;
		}
		other = host_find_thread(b, found[i]->tid);
		if (!other)
			fail_msg("thread %lld is in one state only", (long long)found[i]->tid);
		same_thread(found[i], other);
	}
	return n;
}

static void threads_are_the_same_by_iterator_and_in_proc(void **state)
{
	unsigned n;

	(void)state;
	need_both();
	n = compare_threads(from_kernel, from_proc);
	assert_int_equal(n, nhelpers + 3 + 1 + 2); /* threads, left over, in namespaces */
	assert_int_equal(n, compare_threads(from_proc, from_kernel));
}

static void same_fd(const struct ev_fd_entry *a, const struct ev_fd_entry *b)
{
	bool same = a->type == b->type && a->ino == b->ino && sv_eq(a->name, b->name) &&
		    a->openflags == b->openflags && a->dev == b->dev && a->l4proto == b->l4proto &&
		    a->dport == b->dport && memcmp(a->sip, b->sip, 16) == 0 &&
		    memcmp(a->dip, b->dip, 16) == 0 && a->sport == b->sport;

	if (!same)
		fail_msg(
		    "fd %lld of %lld: type %d ino %llu '%.*s' flags %x dev %x l4 %u port %u-%u "
		    "by iterator; type %d ino %llu '%.*s' flags %x dev %x l4 %u port %u-%u "
		    "in /proc",
		    (long long)a->fd, (long long)a->tid, a->type, (unsigned long long)a->ino,
		    (int)a->name.n, a->name.p, a->openflags, a->dev, a->l4proto, a->sport, a->dport,
		    b->type, (unsigned long long)b->ino, (int)b->name.n, b->name.p, b->openflags,
		    b->dev, b->l4proto, b->sport, b->dport);
}

static unsigned compare_fds(struct rec_state *a, struct rec_state *b)
{
	const struct ev_fd_entry *found[16384];
	struct ev_item item;
	unsigned n = 0, compared = 0;

	rec_state_rewind(a);
	while (rec_state_next(a, &item, NULL))
		if (item.kind == EV_ITEM_FD && n < COUNT_OF(found))
			found[n++] = item.fd;
	for (unsigned i = 0; i < n; i++) {
		const struct ev_fd_entry *other;

		if (!is_ours(a, host_find_thread(a, found[i]->tid)))
			continue;
		other = host_find_fd(b, found[i]->tid, found[i]->fd);
		if (!other)
			fail_msg("fd %lld of %lld (type %d, '%.*s') is in one state only",
				 (long long)found[i]->fd, (long long)found[i]->tid, found[i]->type,
				 (int)found[i]->name.n, found[i]->name.p);
		same_fd(found[i], other);
		compared++;
	}
	return compared;
}

static void descriptors_are_the_same_by_iterator_and_in_proc(void **state)
{
	unsigned n;

	(void)state;
	need_both();
	n = compare_fds(from_kernel, from_proc);
	assert_in_range(n, 120, 16384);
	assert_int_equal(n, compare_fds(from_proc, from_kernel));
}

/* --- and say what is so --- */

static struct rec_state *states(unsigned i)
{
	return i ? from_kernel : from_proc;
}

#define for_each_state(s)                                                                          \
	for (unsigned i_ = 0; i_ < 2; i_++)                                                        \
		if (((s) = states(i_)))

static const struct ev_thread_entry *helper_thread(struct rec_state *s, const char *name)
{
	const struct ev_thread_entry *t = host_find_thread(s, helper_pid(name));

	if (!t)
		fail_msg("'%s' is not there", name);
	return t;
}

static void a_process_is_told_with_its_identity(void **state)
{
	struct rec_state *s;

	(void)state;
	if (!from_proc)
		skip();
	for_each_state(s)
	{
		const struct ev_thread_entry *t = helper_thread(s, "modest");

		assert_int_equal(t->ptid, getpid());
		assert_int_equal(t->sid, t->pid);
		assert_int_equal(t->pgid, t->pid);
		assert_int_equal(t->vpgid, t->pid);
		assert_int_equal(t->uid, 2346);
		assert_int_equal(t->gid, 1235);
		assert_int_equal(t->fdlimit, 333);
		assert_true(sv_is(t->comm, "x y (z)"));
		assert_int_equal(t->cap_effective, 0);
	}
}

static void programs_without_a_file_keep_their_names(void **state)
{
	struct rec_state *s;

	(void)state;
	if (!from_proc)
		skip();
	for_each_state(s)
	{
		const struct ev_thread_entry *t = helper_thread(s, "deleted");

		assert_true(sv_ends(t->exepath, SV_LIT("/deleted/program (deleted)")));
		assert_true(sv_is(t->exe, "a title"));
		assert_int_equal(t->env.n, 0);
		t = helper_thread(s, "memfd");
		assert_true(sv_is(t->exepath, "/memfd:program (deleted)"));
		assert_true(t->exe_from_memfd);
		assert_true(sv_eq(t->env, SV_LIT("A=1\0B=\0")));
		assert_true(sv_eq(t->args, SV_LIT("1000\0")));
		t = helper_thread(s, "large");
		assert_int_equal(t->exe.n, 1499);
		assert_int_equal(t->exe.n + 1 + t->args.n, 4096);
		assert_int_equal(t->env.n, 3000);
	}
}

static void places_are_told_from_the_top_of_the_mounts(void **state)
{
	struct rec_state *s;

	(void)state;
	if (!from_proc)
		skip();
	for_each_state(s)
	{
		assert_true(sv_ends(helper_thread(s, "jailed")->root, SV_LIT("/jailed/jail")));
		assert_true(sv_ends(helper_thread(s, "jailed")->cwd, SV_LIT("/jailed/jail")));
		assert_true(sv_ends(helper_thread(s, "homeless")->cwd, SV_LIT("/home (deleted)")));
		assert_true(sv_is(helper_thread(s, "homeless")->root, "/"));
	}
}

static void a_leader_that_ended_keeps_its_program_and_descriptors(void **state)
{
	struct rec_state *s;

	(void)state;
	if (!from_proc)
		skip();
	for_each_state(s)
	{
		const struct ev_thread_entry *t = helper_thread(s, "leaderless");

		assert_true(sv_ends(t->exepath, SV_LIT("state_live_test")));
		assert_true(t->vmsize_kb > 0);
		assert_non_null(host_find_fd(s, t->tid, 1));
	}
}

static unsigned count_type(struct rec_state *s, int64_t tid, int type)
{
	struct ev_item item;
	unsigned n = 0;

	rec_state_rewind(s);
	while (rec_state_next(s, &item, NULL))
		n += item.kind == EV_ITEM_FD && item.fd->tid == tid && item.fd->type == type;
	return n;
}

static void every_kind_of_descriptor_is_recognised(void **state)
{
	static const int kinds[] = {EV_FD_FILE_V2,  EV_FD_DIRECTORY, EV_FD_FIFO,    EV_FD_EVENT,
				    EV_FD_SIGNALFD, EV_FD_EVENTPOLL, EV_FD_INOTIFY, EV_FD_TIMERFD,
				    EV_FD_MEMFD,    EV_FD_PIDFD};
	struct rec_state *s;

	(void)state;
	if (!from_proc)
		skip();
	for_each_state(s)
	{
		for (size_t i = 0; i < COUNT_OF(kinds); i++)
			if (!count_type(s, helper_pid("files"), kinds[i]))
				fail_msg("no descriptor of type %d", kinds[i]);
		assert_int_equal(count_type(s, helper_pid("sockets"), EV_FD_NETLINK), 1);
		assert_int_equal(count_type(s, helper_pid("sockets"), EV_FD_IPV4_SERVSOCK), 3);
		/* 2 x 2 ends, connected UDP, without any address: TCP, UDP, ICMP */
		assert_int_equal(count_type(s, helper_pid("sockets"), EV_FD_IPV4_SOCK), 7);
	}
}

static void both_ends_of_a_unix_connection_name_each_other(void **state)
{
	unsigned connected = 0;
	struct ev_item item;

	(void)state;
	need_both();
	rec_state_rewind(from_kernel);
	for (unsigned at = 0; rec_state_next(from_kernel, &item, NULL); at++) {
		const struct ev_fd_entry *fd = item.kind == EV_ITEM_FD ? item.fd : NULL;
		struct ev_item other;
		bool found = false;

		if (!fd || fd->tid != helper_pid("sockets") || fd->type != EV_FD_UNIX_SOCK)
			continue;
		assert_int_not_equal(fd->unix_source, 0);
		if (!fd->unix_dest)
			continue;
		connected++;
		rec_state_rewind(from_kernel);
		while (rec_state_next(from_kernel, &other, NULL))
			found |= other.kind == EV_ITEM_FD && other.fd->type == EV_FD_UNIX_SOCK &&
				 other.fd->unix_source == fd->unix_dest &&
				 other.fd->unix_dest == fd->unix_source;
		assert_true(found);
		rec_state_rewind(from_kernel);
		for (unsigned i = 0; i <= at; i++)
			assert_int_equal(rec_state_next(from_kernel, &other, NULL), 1);
	}
	assert_int_equal(connected, 6); /* two connections and a pair */
}

static void marks_are_of_the_time_of_reading(void **state)
{
	struct rec_state *s;

	(void)state;
	if (!from_proc)
		skip();
	for_each_state(s)
	{
		const struct rec_state_stats *st = rec_state_stats(s);
		struct rec_state_mark mark, of_thread;
		struct ev_item item;

		rec_state_rewind(s);
		while (rec_state_next(s, &item, &mark)) {
			if (item.kind != EV_ITEM_THREAD && item.kind != EV_ITEM_FD) {
				assert_int_equal(mark.stamp_ns, 0);
				continue;
			}
			assert_in_range(mark.stamp_ns, st->begin_ns, st->end_ns);
			assert_true(mark.start_ns <= mark.stamp_ns);
			if (item.kind == EV_ITEM_FD) {
				assert_true(rec_state_find(s, item.fd->tid, &of_thread));
				assert_int_equal(of_thread.start_ns, mark.start_ns);
			}
		}
	}
}

static void one_process_is_the_same_alone(void **state)
{
	struct rec_state_reader *reader = NULL;
	struct rec_state_options opt;
	struct rec_state *s = NULL;
	struct error err;

	(void)state;
	need_both();
	rec_state_options_init(&opt);
	opt.iterators = REC_ITERATORS_ONLY;
	assert_int_equal(rec_state_open(&opt, &reader, &err), 0);
	assert_int_equal(rec_state_take_process(reader, helper_pid("threads"), &s, &err), 0);
	assert_int_equal(rec_state_stats(s)->threads, 4);
	assert_int_equal(rec_state_stats(s)->processes, 1);
	assert_true(compare_fds(s, from_kernel) > 6);
	rec_state_free(s);
	rec_state_close(reader);
}

/* --- a capture of it --- */

static void write_capture(struct rec_state *s, const char *path)
{
	struct sf_writer *w = NULL;
	struct ev_item item;
	struct error err;

	assert_int_equal(sf_writer_open(path, NULL, &w, &err), 0);
	rec_state_rewind(s);
	while (rec_state_next(s, &item, NULL))
		if (sf_writer_item(w, &item, &err) < 0)
			fail_msg("%s", err.msg);
	assert_int_equal(sf_writer_close(w, &err), 0);
}

static void same_item(const struct ev_item *a, const struct ev_item *b)
{
	assert_int_equal(a->kind, b->kind);
	if (a->kind == EV_ITEM_THREAD) {
		assert_int_equal(a->thread->tid, b->thread->tid);
		assert_int_equal(a->thread->ptid, b->thread->ptid);
		assert_int_equal(a->thread->pidns_init_start_ts, b->thread->pidns_init_start_ts);
		same_text(a->thread, "cwd", a->thread->cwd, b->thread->cwd);
		same_text(a->thread, "args", a->thread->args, b->thread->args);
		same_text(a->thread, "cgroups", a->thread->cgroups, b->thread->cgroups);
	} else if (a->kind == EV_ITEM_FD) {
		assert_int_equal(a->fd->tid, b->fd->tid);
		assert_int_equal(a->fd->fd, b->fd->fd);
		same_fd(a->fd, b->fd);
	} else if (a->kind == EV_ITEM_MACHINE) {
		assert_int_equal(a->machine->boot_ts, b->machine->boot_ts);
	}
}

static void a_state_is_the_same_after_it_was_written_and_read(void **state)
{
	struct rec_state *s = from_kernel ? from_kernel : from_proc;
	struct ev_source *source;
	struct sf_reader *reader;
	struct ev_item read, item;
	struct error err;
	char path[128];
	size_t n = 0;

	(void)state;
	if (!s)
		skip();
	snprintf(path, sizeof(path), "%s/state.scap", dir);
	write_capture(s, path);
	assert_int_equal(sf_reader_open(path, NULL, &reader, &err), 0);
	source = sf_reader_source(reader);
	rec_state_rewind(s);
	while (ev_source_next(source, &read, &err) == 1) {
		if (read.kind == EV_ITEM_SECTION || read.kind == EV_ITEM_LISTS_RESET)
			continue;
		assert_int_equal(rec_state_next(s, &item, NULL), 1);
		same_item(&item, &read);
		n++;
	}
	assert_int_equal(rec_state_next(s, &item, NULL), 0);
	assert_true(n > 200);
	ev_source_close(source);
}

/* --- many --- */

static void thousands_of_threads_and_descriptors_fit_into_little_memory(void **state)
{
	struct population crowd;

	(void)state;
	if (!from_proc)
		skip();
	if (population_start(&crowd, 10, 2000, 200) == 0) {
		for (unsigned i = 0; i < 2; i++) {
			struct rec_state *s = take(i ? REC_ITERATORS_AUTO : REC_ITERATORS_NEVER);

			assert_non_null(s);
			assert_in_range(rec_state_stats(s)->threads, 2000, 1000000);
			assert_in_range(rec_state_stats(s)->fds, 20000, 1000000);
			assert_in_range(rec_state_stats(s)->bytes, 1, 64 << 20);
			rec_state_free(s);
		}
	}
	population_end(&crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(threads_are_the_same_by_iterator_and_in_proc),
	    cmocka_unit_test(descriptors_are_the_same_by_iterator_and_in_proc),
	    cmocka_unit_test(a_process_is_told_with_its_identity),
	    cmocka_unit_test(programs_without_a_file_keep_their_names),
	    cmocka_unit_test(places_are_told_from_the_top_of_the_mounts),
	    cmocka_unit_test(a_leader_that_ended_keeps_its_program_and_descriptors),
	    cmocka_unit_test(every_kind_of_descriptor_is_recognised),
	    cmocka_unit_test(both_ends_of_a_unix_connection_name_each_other),
	    cmocka_unit_test(marks_are_of_the_time_of_reading),
	    cmocka_unit_test(one_process_is_the_same_alone),
	    cmocka_unit_test(a_state_is_the_same_after_it_was_written_and_read),
	    cmocka_unit_test(thousands_of_threads_and_descriptors_fit_into_little_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
