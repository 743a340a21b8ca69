/* SPDX-License-Identifier: Apache-2.0 */
/* Files, directories and the tables of descriptors, beyond the scenarios. */
#include "engine/state/tests/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Process 20 in /tmp, with fds. */
static void world_in_tmp(struct world *w)
{
	world_with_20(w);
	EVENT(w, 20, EV_CHDIR_X, I(0), S("/tmp"));
}

static void directory_and_name_at_enter_win(void **arg)
{
	struct world w;

	(void)arg;
	world_in_tmp(&w);
	EVENT(&w, 20, EV_OPENAT_2_E, I(-100), S("rel"), I(0), I(0));
	assert_false(w.bind.visible);
	assert_int_equal(w.rc, 1);
	EVENT(&w, 20, EV_OPENAT_2_X, I(6), I(99), S("rel"), I(0), I(0));
	assert_text(F(&w, 20, 6)->name, "/tmp/rel");
	EVENT(&w, 20, EV_OPENAT_2_E, I(-100), S("rel"), I(0), I(0));
	EVENT(&w, 20, EV_OPENAT_2_X, I(6), NONE, S("rel"), I(0), I(0));
	assert_text(F(&w, 20, 6)->name, "/tmp/rel");
	/* Not stored without its first parameter. */
	EVENT(&w, 20, EV_OPENAT_2_E, NONE, S("/good"), I(0), I(0));
	EVENT(&w, 20, EV_OPENAT_2_X, I(7), I(-100), S("/exit"), I(0), I(0));
	assert_text(F(&w, 20, 7)->name, "/exit");
	EVENT(&w, 20, EV_OPEN_E, S("/good"), I(0), I(0));
	EVENT(&w, 20, EV_OPEN_X, I(8), S("/evil"), I(0), I(0));
	assert_text(F(&w, 20, 8)->name, "/good");
	EVENT(&w, 20, EV_CREAT_E, S("/made"), I(0));
	EVENT(&w, 20, EV_CREAT_X, I(9), S("/evil"), I(0), I(1), I(2), I(1));
	assert_text(F(&w, 20, 9)->name, "/made");
	assert_int_equal(F(&w, 20, 9)->flags, STATE_FD_OVERLAY_UPPER);
	EVENT(&w, 20, EV_CREAT_X, I(0), S("rel"), I(0), I(1), I(2), I(2));
	assert_text(F(&w, 20, 0)->name, "/tmp/rel");
	assert_int_equal(F(&w, 20, 0)->flags, STATE_FD_OVERLAY_LOWER);
	world_done(&w);
}

static void other_ways_to_open_have_their_own_names(void **arg)
{
	struct world w;

	(void)arg;
	world_in_tmp(&w);
	EVENT(&w, 20, EV_OPENAT2_X, I(3), I(-100), S("a"), I(STATE_O_LOWER_LAYER), I(0), I(0), I(5),
	      I(6));
	assert_text(F(&w, 20, 3)->name, "/tmp/a");
	assert_int_equal(F(&w, 20, 3)->dev, 5);
	assert_int_equal(F(&w, 20, 3)->ino, 6);
	assert_true(F(&w, 20, 3)->flags & STATE_FD_OVERLAY_LOWER);
	EVENT(&w, 20, EV_OPEN_BY_HANDLE_AT_X, I(4), I(3), I(0), S("/h"), I(1), I(2));
	assert_text(F(&w, 20, 4)->name, "/h");
	/* Old captures lack the directory: the base is unknown, and empty. */
	EVENT(&w, 20, EV_OPENAT_2_X, I(5), NONE, S("rel"), I(0), I(0));
	assert_text(F(&w, 20, 5)->name, "rel");
	world_done(&w);
}

static void a_thread_closes_in_the_table_of_its_process(void **arg)
{
	struct world w;

	(void)arg;
	world_with_21(&w);
	world_open(&w, 20, 4, "/a", 0);
	EVENT(&w, 21, EV_CLOSE_X, I(0), I(4));
	assert_text(w.bind.fd->name, "/a");
	world_tick(&w);
	assert_null(F(&w, 20, 4));
	world_done(&w);
}

static void a_close_that_fails_closes_nothing(void **arg)
{
	struct world w;

	(void)arg;
	world_in_tmp(&w);
	world_open(&w, 20, 3, "/a", 0);
	EVENT(&w, 20, EV_CLOSE_X, I(-9), I(3));
	world_tick(&w);
	assert_non_null(F(&w, 20, 3));
	world_done(&w);
}

static void settling_carries_out_what_is_pending(void **arg)
{
	struct world w;

	(void)arg;
	world_in_tmp(&w);
	world_open(&w, 20, 3, "/a", 0);
	EVENT(&w, 20, EV_CLOSE_X, I(0), I(3));
	state_settle(w.st, world_ns(w.now));
	assert_null(F(&w, 20, 3));
	world_exit(&w, 20);
	state_settle(w.st, world_ns(w.now));
	assert_null(T(&w, 20));
	world_done(&w);
}

static void a_closed_range_leaves_the_numbers_around_it(void **arg)
{
	struct world w;

	(void)arg;
	world_in_tmp(&w);
	for (int i = 2; i < 7; i++)
		world_open(&w, 20, i, "/a", 0);
	EVENT(&w, 20, EV_CLOSE_RANGE_X, I(0), I(3), I(5), I(0));
	assert_non_null(F(&w, 20, 2));
	assert_non_null(F(&w, 20, 6));
	EVENT(&w, 20, EV_CLOSE_RANGE_X, I(0), I(6), I(UINT32_MAX), I(4));
	assert_true(F(&w, 20, 6)->openflags & STATE_O_CLOEXEC);
	EVENT(&w, 20, EV_CLOSE_RANGE_X, I(-22), I(0), I(UINT32_MAX), I(0));
	EXEC(&w, 20, .ret = 0);
	assert_null(F(&w, 20, 6));
	assert_non_null(F(&w, 20, 2));
	world_done(&w);
}

static void other_ways_to_duplicate_and_calls_that_do_not(void **arg)
{
	struct world w;

	(void)arg;
	world_in_tmp(&w);
	world_open(&w, 20, 3, "/a", STATE_O_RDONLY | STATE_O_CLOEXEC);
	EVENT(&w, 20, EV_DUP_1_X, I(1), I(3));
	assert_true(T(&w, 20)->flags & STATE_CL_PIPE_SRC);
	EVENT(&w, 20, EV_FCNTL_X, I(7), I(3), I(1), I(0));
	assert_int_equal(F(&w, 20, 7)->openflags, 0);
	EVENT(&w, 20, EV_FCNTL_X, I(0), I(7), I(3), I(1));
	assert_true(F(&w, 20, 7)->openflags & STATE_O_CLOEXEC);
	EVENT(&w, 20, EV_DUP2_X, I(3), I(3), I(3));
	assert_text(F(&w, 20, 3)->name, "/a");
	EVENT(&w, 20, EV_DUP2_X, I(-9), I(3), I(4));
	assert_null(F(&w, 20, 4));
	assert_int_equal(T(&w, 20)->lastevent_fd, 3);
	assert_ptr_equal(w.bind.fd, F(&w, 20, 3));
	EVENT(&w, 20, EV_DUP_1_X, I(4), I(55));
	assert_null(F(&w, 20, 4));
	world_done(&w);
}

static void the_other_kinds_of_descriptors_are_known(void **arg)
{
	static const struct descriptor_case {
		unsigned type;
		int fd_type;
		struct arg args[5];
		uint32_t openflags;
		char letter;
	} cases[] = {
	    {EV_SOCKET_X, EV_FD_IPV4_SOCK, {I(9), I(INET), I(STREAM), I(0), I(0)}, 0, '4'},
	    {EV_EVENTFD_X, EV_FD_EVENT, {I(9), I(1), I(5)}, 0, 'e'},
	    {EV_EVENTFD2_X, EV_FD_EVENT, {I(9), I(4096), I(0)}, 4096, 'e'},
	    {EV_SIGNALFD_X, EV_FD_SIGNALFD, {I(9), I(-1), I(0)}, 0, 's'},
	    {EV_SIGNALFD4_X, EV_FD_SIGNALFD, {I(9), I(4096), I(-1)}, 4096, 's'},
	    {EV_TIMERFD_CREATE_X, EV_FD_TIMERFD, {I(9), I(1), I(2)}, 2, 't'},
	    {EV_INOTIFY_INIT_X, EV_FD_INOTIFY, {I(9), I(1)}, 0, 'i'},
	    {EV_INOTIFY_INIT1_X, EV_FD_INOTIFY, {I(9), I(4096)}, 4096, 'i'},
	    {EV_EPOLL_CREATE_X, EV_FD_EVENTPOLL, {I(9), I(1)}, 0, 'l'},
	    {EV_EPOLL_CREATE1_X, EV_FD_EVENTPOLL, {I(9), I(1)}, STATE_O_CLOEXEC, 'l'},
	    {EV_BPF_2_X, EV_FD_BPF, {I(9), I(1)}, 0, 'b'},
	    {EV_USERFAULTFD_X, EV_FD_USERFAULTFD, {I(9), I(1)}, 0, 'u'},
	    {EV_IO_URING_SETUP_X, EV_FD_IOURING, {I(9), I(1)}, 0, 'r'},
	    {EV_MEMFD_CREATE_X, EV_FD_MEMFD, {I(9), S("m"), I(1)}, 1, 'm'},
	    {EV_PIDFD_OPEN_X, EV_FD_PIDFD, {I(9), I(1), I(64)}, 64, 'P'},
	};
	struct world w;

	(void)arg;
	world_in_tmp(&w);
	/* Zero is a descriptor like any other. */
	for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
		const struct descriptor_case *c = &cases[i / 2];
		size_t n = ev_table[c->type].nparams;
		int64_t num = i % 2 ? 9 : 0;
		struct arg args[COUNT_OF(c->args)];

		memcpy(args, c->args, sizeof(args));
		args[0].i = num;
		world_event(&w, 20, c->type, args, n < COUNT_OF(args) ? n : COUNT_OF(args));
		assert_non_null(w.bind.fd);
		assert_ptr_equal(w.bind.fd, F(&w, 20, num));
		assert_int_equal(T(&w, 20)->lastevent_fd, num);
		assert_int_equal(w.bind.fd->num, num);
		assert_int_equal(w.bind.fd->type, c->fd_type);
		assert_int_equal(w.bind.fd->openflags, c->openflags);
		assert_int_equal(state_fd_typechar(w.bind.fd), c->letter);
		/* The next kind does not find this one in its place. */
		world_open(&w, 20, num, "/a", 0);
	}
	EVENT(&w, 20, EV_PIDFD_OPEN_X, I(9), I(1), I(64));
	assert_text(F(&w, 20, 9)->name, "/proc/1");
	/* A descriptor of process 1, through the pidfd. */
	EVENT(&w, 20, EV_PIDFD_GETFD_X, I(10), I(9), I(0), I(0));
	assert_text(F(&w, 20, 10)->name, "/dev/null");
	assert_true(F(&w, 20, 10)->openflags & STATE_O_CLOEXEC);
	EVENT(&w, 20, EV_PIDFD_GETFD_X, I(11), I(9), I(55), I(0));
	assert_null(F(&w, 20, 11));
	world_done(&w);
}

static void a_failed_memfd_takes_a_place_nobody_finds(void **arg)
{
	struct world w;
	uint64_t n;

	(void)arg;
	world_in_tmp(&w);
	n = state_fd_count(T(&w, 20));
	EVENT(&w, 20, EV_MEMFD_CREATE_X, I(-24), S("m"), I(0));
	assert_int_equal(state_fd_count(T(&w, 20)), n + 1);
	assert_int_equal(state_fd_typechar(w.bind.fd), '?');
	assert_string_equal(state_fd_typename(w.bind.fd), "<NA>");
	assert_null(F(&w, 20, -24));
	world_done(&w);
}

static void a_placeholder_has_no_directory_to_change(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	EVENT(&w, 60, EV_CHDIR_X, I(0), S("/x"));
	assert_sv(state_thread_cwd(T(&w, 60)), "./");
	EVENT(&w, 60, EV_OPEN_X, I(3), S("n"), I(0), I(0));
	assert_text(F(&w, 60, 3)->name, "./n");
	world_done(&w);
}

static void chroot_sets_the_root_of_one_thread(void **arg)
{
	struct world w;

	(void)arg;
	world_in_tmp(&w);
	EVENT(&w, 20, EV_CHROOT_X, I(0), S("jail/./x"));
	assert_text(T(&w, 20)->root, "/tmp/jail/x");
	EVENT(&w, 20, EV_CHROOT_X, I(0), S("/a//b"));
	assert_text(T(&w, 20)->root, "/a//b");
	EVENT(&w, 20, EV_CHROOT_X, I(-1), S("/c"));
	assert_text(T(&w, 20)->root, "/a//b");
	assert_sv(state_thread_cwd(T(&w, 20)), "/tmp/");
	world_done(&w);
}

/* Small numbers are indexed, large ones sorted, and numbers change sides as the index grows. */
static void any_numbers_live_together_in_a_table(void **arg)
{
	static const int64_t numbers[] = {70000, 5,   1000000000000, 63,  64, 300, 255,
					  16,	 700, INT64_MAX,     701, 15, 17,  65535};
	int64_t last = -1;
	struct state_fd *fd;
	struct world w;
	unsigned n = 0;

	(void)arg;
	world_in_tmp(&w);
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		world_open(&w, 20, numbers[i], "/a", 0);
		world_check(&w);
	}
	for (int64_t i = 0; i < 300; i++)
		world_open(&w, 20, i, "/b", 0);
	world_check(&w);
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		assert_non_null(F(&w, 20, numbers[i]));
	for (size_t at = 0; (fd = state_fd_next(T(&w, 20), &at)); n++) {
		assert_true(fd->num > last);
		last = fd->num;
	}
	assert_int_equal(n, state_fd_count(T(&w, 20)));
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		EVENT(&w, 20, EV_CLOSE_X, I(0), I(numbers[i]));
	world_tick(&w);
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		assert_null(F(&w, 20, numbers[i]));
	CLONE(&w, 20, .ret = 22);
	world_done(&w);
}

static void the_exit_events_own_fd_wins_over_a_stale_one(void **arg)
{
	struct world w;

	(void)arg;
	world_in_tmp(&w);
	world_open(&w, 20, 3, "/a", 0);
	world_open(&w, 20, 4, "/b", 0);
	EVENT(&w, 20, EV_READ_X, I(1), NONE, I(4));
	assert_text(w.bind.fd->name, "/b");
	EVENT(&w, 20, EV_MMAP_X, I(0), I(1), I(2), I(3), I(0), I(0), I(0), I(0), I(3));
	assert_text(w.bind.fd->name, "/a");
	EVENT(&w, 20, EV_READ_X, I(1), NONE, NONE);
	assert_null(w.bind.fd);
	assert_int_equal(T(&w, 20)->lastevent_fd, -1);
	world_done(&w);
}

static void long_directories_leave_room_for_their_separator(void **arg)
{
	char name[STATE_PATH_MAX];
	struct world w;

	(void)arg;
	world_in_tmp(&w);
	memset(name, 'd', sizeof(name));
	name[0] = '/';
	for (size_t n = STATE_PATH_MAX - 5; n < STATE_PATH_MAX - 1; n++) {
		name[n] = '\0';
		world_openat(&w, 20, 3, EV_FD_CWD, name);
		world_openat(&w, 20, 0, 3, "f");
		/* The directory, its separator, one character and a NUL have to fit. */
		if (n + 3 <= STATE_PATH_MAX)
			assert_int_equal(F(&w, 20, 0)->name->len, n + 2);
		else
			assert_text(F(&w, 20, 0)->name, "/DIR_TOO_LONG/FILENAME_TOO_LONG");
		name[n] = 'd';
	}
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(directory_and_name_at_enter_win),
	    cmocka_unit_test(other_ways_to_open_have_their_own_names),
	    cmocka_unit_test(long_directories_leave_room_for_their_separator),
	    cmocka_unit_test(a_thread_closes_in_the_table_of_its_process),
	    cmocka_unit_test(a_close_that_fails_closes_nothing),
	    cmocka_unit_test(settling_carries_out_what_is_pending),
	    cmocka_unit_test(a_closed_range_leaves_the_numbers_around_it),
	    cmocka_unit_test(other_ways_to_duplicate_and_calls_that_do_not),
	    cmocka_unit_test(the_other_kinds_of_descriptors_are_known),
	    cmocka_unit_test(a_failed_memfd_takes_a_place_nobody_finds),
	    cmocka_unit_test(a_placeholder_has_no_directory_to_change),
	    cmocka_unit_test(chroot_sets_the_root_of_one_thread),
	    cmocka_unit_test(any_numbers_live_together_in_a_table),
	    cmocka_unit_test(the_exit_events_own_fd_wins_over_a_stale_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
