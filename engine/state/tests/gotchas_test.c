/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is easy to get wrong about the state, where no other test has it. The numbers are those of
 * tests/state_index.py, which also names the tests of the others.
 */
#include "engine/state/internal.h"
#include "engine/state/tests/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define APPEND 8

static void g02_what_a_duplicate_replaces_is_gone_at_once(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_OPEN_X, I(3), S("/a"), I(0), I(0));
	EVENT(&w, 20, EV_OPEN_X, I(4), S("/b"), I(0), I(0));
	EVENT(&w, 20, EV_DUP2_X, I(4), I(3), I(4));
	assert_text(F(&w, 20, 4)->name, "/a");
	/* What was pending for the replaced one does not hit the new one. */
	EVENT(&w, 20, EV_CLOSE_X, I(0), I(4));
	EVENT(&w, 20, EV_DUP2_X, I(4), I(3), I(4));
	world_tick(&w);
	assert_text(F(&w, 20, 4)->name, "/a");
	world_done(&w);
}

static void g04_any_success_of_bpf_makes_a_descriptor(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	EVENT(&w, 1, EV_BPF_2_X, I(-1), I(5));
	assert_text(F(&w, 1, 0)->name, "/dev/null");
	EVENT(&w, 1, EV_BPF_2_X, I(0), I(2));
	assert_int_equal(F(&w, 1, 0)->type, EV_FD_BPF);
	/* A failed pidfd_getfd adds as well, where nobody looks. */
	EVENT(&w, 1, EV_PIDFD_OPEN_X, I(5), I(1), I(0));
	EVENT(&w, 1, EV_PIDFD_GETFD_X, I(-1), I(5), I(0), I(0));
	assert_null(F(&w, 1, -1));
	assert_int_equal(state_fd_count(T(&w, 1)), 3);
	world_done(&w);
}

static void g06_the_caller_makes_no_sibling_of_its_own(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	CLONE(&w, 20, .ret = 30, .flags = STATE_CL_PARENT);
	assert_null(T(&w, 30));
	CLONE(&w, 30, .pid = 30, .ptid = 1, .flags = STATE_CL_PARENT);
	assert_int_equal(T(&w, 30)->ptid, 1);
	/* A caller whose virtual id is not known may be in a namespace. */
	CLONE(&w, 50, .pid = 50, .ptid = 1);
	world_alone(&w);
	T(&w, 50)->vtid = -1;
	CLONE(&w, 50, .ret = 51);
	assert_null(T(&w, 51));
	world_done(&w);
}

static void g09_after_an_exec_only_the_numbers_tell_of_a_namespace(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 30, .pid = 30, .ptid = 1, .vtid = 5, .vpid = 5, .flags = STATE_CL_CHILD_IN_PIDNS);
	CLONE(&w, 31, .pid = 31, .ptid = 1, .flags = STATE_CL_CHILD_IN_PIDNS);
	assert_true(state_thread_in_pidns(T(&w, 30)));
	assert_true(state_thread_in_pidns(T(&w, 31)));
	EXEC(&w, 30, .ret = 0);
	EXEC(&w, 31, .ret = 0);
	assert_false(T(&w, 30)->flags & STATE_CL_CHILD_IN_PIDNS);
	assert_true(state_thread_in_pidns(T(&w, 30)));
	assert_false(state_thread_in_pidns(T(&w, 31)));
	world_done(&w);
}

static void g12_a_parent_that_appears_later_is_no_parent(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 70, .pid = 70, .ptid = 69);
	assert_int_equal(T(&w, 70)->ptid, 0);
	CLONE(&w, 69, .pid = 69, .ptid = 1);
	assert_false(state_thread_is_invalid(T(&w, 69)));
	assert_int_equal(T(&w, 70)->ptid, 0);
	assert_null(state_thread_ancestor(w.st, T(&w, 70), 1));
	world_done(&w);
}

static void g19_a_name_changes_against_the_name_at_binding(void **arg)
{
	struct bytes first = tuple4("10.0.0.1", 4000, "10.0.0.2", 80),
		     second = tuple4("10.0.0.1", 4000, "10.0.0.3", 80);
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 3, INET, STREAM, 0);
	assert_false(w.bind.fd_name_changed);
	world_connect(&w, 0, 3, first);
	assert_true(w.bind.fd_name_changed);
	world_connect(&w, 0, 3, first);
	assert_false(w.bind.fd_name_changed);
	world_connect(&w, 0, 3, second);
	assert_true(w.bind.fd_name_changed);
	EVENT(&w, 1, EV_READ_X, I(1), NONE, I(3));
	assert_false(w.bind.fd_name_changed);
	/* A new record under an old number has no name to compare with. */
	EVENT(&w, 1, EV_OPEN_X, I(4), S("/a"), I(0), I(0));
	EVENT(&w, 1, EV_OPEN_X, I(4), S("/a"), I(0), I(0));
	assert_true(w.bind.fd_name_changed);
	world_done(&w);
}

static void g20_a_duplicate_keeps_its_other_flags(void **arg)
{
	const uint32_t flags = STATE_O_RDONLY | STATE_O_WRONLY | APPEND;
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_OPEN_X, I(3), S("/a"), I(flags | STATE_O_CLOEXEC), I(0));
	EVENT(&w, 20, EV_DUP_1_X, I(4), I(3));
	assert_int_equal(F(&w, 20, 4)->openflags, STATE_O_WRONLY | APPEND);
	EVENT(&w, 20, EV_DUP3_X, I(5), I(3), I(5), I(STATE_O_CLOEXEC));
	assert_int_equal(F(&w, 20, 5)->openflags, STATE_O_WRONLY | APPEND | STATE_O_CLOEXEC);
	assert_int_equal(F(&w, 20, 3)->openflags, flags | STATE_O_CLOEXEC);
	world_done(&w);
}

static void g21_both_ends_of_a_pipe_have_its_flags(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_PIPE2_X, I(0), I(3), I(4), I(7), I(STATE_O_CLOEXEC));
	assert_int_equal(F(&w, 20, 3)->openflags, STATE_O_CLOEXEC);
	assert_int_equal(F(&w, 20, 4)->openflags, STATE_O_CLOEXEC);
	assert_int_equal(T(&w, 20)->lastevent_fd, 4);
	EXEC(&w, 20, .ret = 0);
	assert_null(F(&w, 20, 3));
	assert_null(F(&w, 20, 4));
	world_done(&w);
}

static void g21_an_image_found_by_descriptor_is_not_the_events_number(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_OPEN_X, I(6), S("/opt/bin/x"), I(0), I(0));
	EVENT(&w, 20, EV_EXECVEAT_E, I(6), S(""), I(1));
	EXEC(&w, 20, .ret = 0);
	assert_text(T(&w, 20)->exepath, "/opt/bin/x");
	assert_int_equal(T(&w, 20)->lastevent_fd, -1);
	world_done(&w);
}

static void g23_bound_ipv6_sockets_never_swap_their_ends(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 3, INET6, DGRAM, 0);
	world_bind(&w, 3, addr6("fe80::1", 53));
	world_connect(&w, 0, 3, tuple6("fe80::1", 53, "fe80::2", 999));
	assert_text(F(&w, 1, 3)->name, "fe80::1:53->fe80::2:999");
	assert_true(F(&w, 1, 3)->flags & STATE_FD_ROLE_SERVER);
	assert_false(F(&w, 1, 3)->flags & STATE_FD_ROLE_CLIENT);
	world_done(&w);
}

static void g24_a_role_once_taken_stays(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 3, INET, STREAM, 0);
	world_bind(&w, 3, addr4("10.0.0.1", 80));
	world_connect(&w, 0, 3, tuple4("10.0.0.1", 80, "10.0.0.2", 999));
	/* TCP: no swap, and no second role. */
	assert_text(F(&w, 1, 3)->name, "10.0.0.1:80->10.0.0.2:999");
	assert_true(F(&w, 1, 3)->flags & STATE_FD_ROLE_SERVER);
	assert_false(F(&w, 1, 3)->flags & STATE_FD_ROLE_CLIENT);
	world_socket(&w, 4, INET, DGRAM, 0);
	world_bind(&w, 4, addr4("10.0.0.1", 53));
	world_connect(&w, 0, 4, tuple4("10.0.0.1", 53, "10.0.0.2", 999));
	assert_text(F(&w, 1, 4)->name, "10.0.0.2:999->10.0.0.1:53");
	assert_false(F(&w, 1, 4)->flags & STATE_FD_ROLE_CLIENT);
	world_done(&w);
}

static void g28_what_a_suppressed_thread_did_is_unknown_to_its_process(void **arg)
{
	struct world w;

	(void)arg;
	world_suppressing(&w, "noisy");
	CLONE(&w, 1, .ret = 20);
	CLONE(&w, 21, .pid = 20, .ptid = 1, .flags = THREAD_FLAGS, .comm = "noisy");
	EVENT(&w, 21, EV_OPEN_X, I(3), S("/a"), I(0), I(0));
	EVENT(&w, 20, EV_READ_X, I(1), NONE, I(3));
	assert_int_equal(w.rc, 1);
	assert_null(w.bind.fd);
	CLONE(&w, 20, .ret = 22);
	assert_null(F(&w, 22, 3));
	world_done(&w);
}

/* An enter event of up to 4096 bytes is kept for its exit: here 26 of header, 6 of lengths, 8 of
 * numbers and the path with its NUL. */
static void g30_an_enter_event_too_big_to_keep_is_not_missed(void **arg)
{
	char path[4097];
	struct world w;

	(void)arg;
	world_with_20(&w);
	memset(path, 'p', sizeof(path));
	for (size_t n = 4055; n <= 4056; n++) {
		path[n] = '\0';
		EVENT(&w, 20, EV_OPEN_E, S(path), I(0), I(0));
		EVENT(&w, 20, EV_OPEN_X, I(3), S("/exit"), I(0), I(0));
		assert_text(F(&w, 20, 3)->name,
			    n == 4055 ? "/DIR_TOO_LONG/FILENAME_TOO_LONG" : "/exit");
		path[n] = 'p';
	}
	world_done(&w);
}

static void g32_removing_a_user_nobody_added_is_nothing(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_tick(&w);
	EVENT(&w, -1, EV_USER_ADDED_E, I(7), I(7), S("seven"), S("/"), S("sh"), S(""));
	EVENT(&w, -1, EV_USER_DELETED_E, I(8), I(8), S("eight"), S("/"), S("sh"), S(""));
	EVENT(&w, -1, EV_USER_DELETED_E, I(7), I(7), S("seven"), S("/"), S("sh"), S("box"));
	EVENT(&w, -1, EV_GROUP_DELETED_E, I(7), S("seven"), S(""));
	assert_text(state_user_find(w.st, NULL, 7)->name, "seven");
	assert_int_equal(w.st->users, 1);
	world_done(&w);
}

static void g37_only_children_of_the_caller_are_remembered_as_gone(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	/* The parent of a thread is that of its process: its exit is filed there. */
	CLONE(&w, 21, .pid = 20, .ptid = 1, .flags = THREAD_FLAGS);
	world_exit(&w, 21);
	CLONE(&w, 20, .ret = 21, .flags = THREAD_FLAGS);
	assert_non_null(T(&w, 21));
	/* And so is that of an orphan: under who reaped it. */
	CLONE(&w, 30, .pid = 30, .ptid = 20);
	CLONE(&w, 31, .pid = 31, .ptid = 30);
	world_exit_reaper(&w, 30, 1);
	world_exit(&w, 31);
	CLONE(&w, 30, .ret = 31, .pid = 30, .ptid = 20);
	assert_non_null(T(&w, 31));
	world_done(&w);
}

static void g39_a_new_name_alone_changes_no_command_line(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	EXEC(&w, 20, .comm = "prog", ARGS("-x"));
	EVENT(&w, 20, EV_PRCTL_X, I(0), I(15), S("other"), I(0));
	assert_text(T(&w, 20)->comm, "prog");
	assert_sv(state_thread_cmdline(T(&w, 20)), "prog -x");
	world_done(&w);
}

static void g40_an_empty_directory_in_a_process_list_is_the_root(void **arg)
{
	struct ev_thread_entry t = world_entry(20, 20, 1);
	struct world w;

	(void)arg;
	world_init_base(&w);
	t.cwd = SV_LIT("");
	world_add(&w, &t);
	world_tick(&w);
	assert_sv(state_thread_cwd(T(&w, 20)), "/");
	world_done(&w);
}

/* --- and the edges of the rules themselves --- */

static void sending_nothing_makes_a_socket_as_well(void **arg)
{
	struct bytes out = tuple4("10.0.0.5", 40000, "8.8.8.8", 53);
	struct world w;

	(void)arg;
	world_init_base(&w);
	EVENT(&w, 1, EV_SENDTO_X, I(0), NONE, I(5), I(0), RAW(out));
	assert_text(F(&w, 1, 5)->name, "10.0.0.5:40000->8.8.8.8:53");
	EVENT(&w, 1, EV_SENDTO_X, I(-1), NONE, I(6), I(0), RAW(out));
	assert_null(F(&w, 1, 6));
	/* No address, no socket. */
	EVENT(&w, 1, EV_SENDTO_X, I(20), NONE, I(6), I(20), NONE);
	assert_null(F(&w, 1, 6));
	world_done(&w);
}

static void a_descriptor_taken_from_another_process_keeps_its_flags(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_OPEN_X, I(3), S("/a"), I(STATE_O_WRONLY | APPEND), I(0));
	EVENT(&w, 1, EV_PIDFD_OPEN_X, I(5), I(20), I(0));
	EVENT(&w, 1, EV_PIDFD_GETFD_X, I(6), I(5), I(3), I(0));
	assert_text(F(&w, 1, 6)->name, "/a");
	assert_int_equal(F(&w, 1, 6)->openflags, STATE_O_WRONLY | APPEND | STATE_O_CLOEXEC);
	world_done(&w);
}

static void a_path_without_end_is_no_address(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 3, UNIX, DGRAM, 0);
	EVENT(&w, 1, EV_BIND_X, I(0), BYTES("\x01/x", 3), I(3));
	assert_null(F(&w, 1, 3)->name);
	EVENT(&w, 1, EV_BIND_X, I(0), BYTES("\x01", 1), I(3));
	assert_null(F(&w, 1, 3)->name);
	EVENT(&w, 1, EV_BIND_X, I(0), BYTES("\x01/x\0", 4), I(3));
	assert_text(F(&w, 1, 3)->name, "/x");
	world_done(&w);
}

static void roles_of_ipv6_are_judged_by_other_bytes(void **arg)
{
	struct bytes out = tuple6("fe80:0:0:0:5000:3500:0:1", 1, "fe80::2", 2);
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 3, INET, STREAM, 0);
	world_bind(&w, 3, addr4("10.0.0.1", 80));
	world_socket(&w, 4, INET, STREAM, 0);
	world_bind(&w, 4, addr4("10.0.0.1", 53));
	/* Bytes 8 to 11 of the address are taken for the ports 80 and 53: one listens there, none
	 * sends from there. */
	world_socket(&w, 5, INET6, DGRAM, 0);
	EVENT(&w, 1, EV_SENDTO_X, I(1), NONE, I(5), I(1), RAW(out));
	assert_true(F(&w, 1, 5)->flags & STATE_FD_ROLE_SERVER);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(g02_what_a_duplicate_replaces_is_gone_at_once),
	    cmocka_unit_test(g04_any_success_of_bpf_makes_a_descriptor),
	    cmocka_unit_test(g06_the_caller_makes_no_sibling_of_its_own),
	    cmocka_unit_test(g09_after_an_exec_only_the_numbers_tell_of_a_namespace),
	    cmocka_unit_test(g12_a_parent_that_appears_later_is_no_parent),
	    cmocka_unit_test(g19_a_name_changes_against_the_name_at_binding),
	    cmocka_unit_test(g20_a_duplicate_keeps_its_other_flags),
	    cmocka_unit_test(g21_both_ends_of_a_pipe_have_its_flags),
	    cmocka_unit_test(g21_an_image_found_by_descriptor_is_not_the_events_number),
	    cmocka_unit_test(g23_bound_ipv6_sockets_never_swap_their_ends),
	    cmocka_unit_test(g24_a_role_once_taken_stays),
	    cmocka_unit_test(g28_what_a_suppressed_thread_did_is_unknown_to_its_process),
	    cmocka_unit_test(g30_an_enter_event_too_big_to_keep_is_not_missed),
	    cmocka_unit_test(g32_removing_a_user_nobody_added_is_nothing),
	    cmocka_unit_test(g37_only_children_of_the_caller_are_remembered_as_gone),
	    cmocka_unit_test(g39_a_new_name_alone_changes_no_command_line),
	    cmocka_unit_test(g40_an_empty_directory_in_a_process_list_is_the_root),
	    cmocka_unit_test(sending_nothing_makes_a_socket_as_well),
	    cmocka_unit_test(a_descriptor_taken_from_another_process_keeps_its_flags),
	    cmocka_unit_test(a_path_without_end_is_no_address),
	    cmocka_unit_test(roles_of_ipv6_are_judged_by_other_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
