/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenarios of the state engine about descriptors, identity, containers and limits, S19 to S32,
 * step by step. Their numbers are those of tests/state_index.py.
 */
#include "engine/state/tests/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define H "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void s19_opened_files_have_full_names(void **arg)
{
	char name[1101];
	struct state_fd *fd;
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_CHDIR_X, I(0), S("/tmp"));
	world_open(&w, 20, 3, "../x//y/", STATE_O_RDONLY);
	fd = F(&w, 20, 3);
	assert_ptr_equal(w.bind.fd, fd);
	assert_true(w.bind.fd_name_changed);
	assert_int_equal(w.bind.thread->lastevent_fd, 3);
	assert_int_equal(fd->type, EV_FD_FILE_V2);
	assert_int_equal(fd->ino, 77);
	assert_int_equal(state_dev_major(fd->dev), 0xfe);
	assert_text(fd->name, "/x/y");
	assert_text(fd->name_raw, "../x//y/");
	world_openat(&w, 20, 4, 3, "z");
	assert_text(F(&w, 20, 4)->name, "/x/y/z");
	world_openat(&w, 20, 5, 99, "q");
	assert_text(F(&w, 20, 5)->name, "<UNKNOWN>q");
	world_openat(&w, 20, 5, 99, "/abs");
	assert_text(F(&w, 20, 5)->name, "/abs");
	world_openat(&w, 20, 5, EV_FD_CWD, "here");
	assert_text(F(&w, 20, 5)->name, "/tmp/here");
	world_open(&w, 20, 8, "/dir/", STATE_O_DIRECTORY);
	assert_int_equal(F(&w, 20, 8)->type, EV_FD_DIRECTORY);
	assert_text(F(&w, 20, 8)->name, "/dir");
	world_open(&w, 20, -2, "nf", 0);
	assert_null(w.bind.fd);
	assert_int_equal(w.bind.errcode, 2);
	assert_int_equal(T(&w, 20)->lastevent_fd, -1);
	EVENT(&w, 20, EV_OPENAT_2_E, I(EV_FD_CWD), S("/good"), I(STATE_O_RDONLY), I(0));
	EVENT(&w, 20, EV_OPENAT_2_X, I(6), I(EV_FD_CWD), S("/evil"),
	      I(STATE_O_RDONLY | STATE_O_F_CREATED), I(0), I(0), I(0));
	assert_text(F(&w, 20, 6)->name, "/good");
	assert_int_equal(F(&w, 20, 6)->openflags, STATE_O_RDONLY | STATE_O_F_CREATED);
	memset(name, 'n', 1100);
	name[1100] = '\0';
	world_open(&w, 20, 7, name, 0);
	assert_text(F(&w, 20, 7)->name, "/DIR_TOO_LONG/FILENAME_TOO_LONG");
	world_done(&w);
}

static void s20_a_closed_descriptor_is_gone_with_the_next_event(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_open(&w, 20, 3, "/a", 0);
	world_open(&w, 20, 4, "/b", 0);
	EVENT(&w, 20, EV_CLOSE_X, I(0), I(3));
	assert_text(w.bind.fd->name, "/a");
	assert_false(w.bind.fd_name_changed);
	world_tick(&w);
	assert_null(F(&w, 20, 3));
	EVENT(&w, 20, EV_CLOSE_X, I(-9), I(4));
	world_tick(&w);
	assert_non_null(F(&w, 20, 4));
	world_open(&w, 20, 3, "/a", 0);
	EVENT(&w, 20, EV_CLOSE_X, I(0), I(3));
	world_open(&w, 20, 3, "/again", 0);
	world_tick(&w);
	assert_text(F(&w, 20, 3)->name, "/again");
	world_open(&w, 20, 5, "/c", 0);
	EVENT(&w, 20, EV_CLOSE_RANGE_X, I(0), I(3), I(5), I(0));
	for (int num = 3; num <= 5; num++)
		assert_null(F(&w, 20, num));
	for (int num = 3; num <= 5; num++)
		world_open(&w, 20, num, "/d", 0);
	EVENT(&w, 20, EV_CLOSE_RANGE_X, I(0), I(3), I(5), I(4));
	for (int num = 3; num <= 5; num++)
		assert_true(F(&w, 20, num)->openflags & STATE_O_CLOEXEC);
	EXEC(&w, 20, .ret = -2);
	assert_non_null(F(&w, 20, 3));
	EXEC(&w, 20, .ret = 0);
	for (int num = 3; num <= 5; num++)
		assert_null(F(&w, 20, num));
	world_done(&w);
}

static void s21_duplicates_are_copies(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_open(&w, 20, 3, "/a", STATE_O_RDONLY | STATE_O_CLOEXEC);
	EVENT(&w, 20, EV_DUP2_X, I(0), I(3), I(0));
	assert_text(F(&w, 20, 0)->name, "/a");
	assert_ptr_equal(w.bind.fd, F(&w, 20, 0));
	assert_false(w.bind.fd_name_changed);
	/* The reference also loses the lowest flag, that of read-only files. */
	assert_int_equal(F(&w, 20, 0)->openflags, 0);
	assert_true(T(&w, 20)->flags & STATE_CL_PIPE_DST);
	assert_int_equal(T(&w, 20)->lastevent_fd, 0);
	EVENT(&w, 20, EV_FCNTL_X, I(7), I(3), I(26), I(0));
	assert_true(F(&w, 20, 7)->openflags & STATE_O_CLOEXEC);
	EVENT(&w, 20, EV_FCNTL_X, I(0), I(7), I(3), I(0));
	assert_false(F(&w, 20, 7)->openflags & STATE_O_CLOEXEC);
	EVENT(&w, 20, EV_DUP3_X, I(9), I(3), I(9), I(STATE_O_CLOEXEC));
	assert_true(F(&w, 20, 9)->openflags & STATE_O_CLOEXEC);
	world_done(&w);
}

static void s22_pairs_show_their_second_number(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_PIPE_X, I(0), I(3), I(4), I(77));
	assert_true(F(&w, 20, 3)->type == EV_FD_FIFO && F(&w, 20, 4)->type == EV_FD_FIFO);
	assert_true(F(&w, 20, 3)->ino == 77 && F(&w, 20, 4)->ino == 77);
	assert_int_equal(T(&w, 20)->lastevent_fd, 4);
	assert_ptr_equal(w.bind.fd, F(&w, 20, 4));
	assert_string_equal(state_fd_typename(w.bind.fd), "pipe");
	EVENT(&w, 20, EV_SOCKETPAIR_X, I(0), I(5), I(6), I(0xa), I(0xb));
	for (int num = 5; num <= 6; num++)
		assert_true(F(&w, 20, num)->un.source == 0xa && F(&w, 20, num)->un.dest == 0xb);
	assert_ptr_equal(w.bind.fd, F(&w, 20, 5));
	assert_int_equal(T(&w, 20)->lastevent_fd, 6);
	EVENT(&w, 20, EV_SOCKETPAIR_X, I(0), I(8), I(8), I(0xa), I(0xb));
	assert_null(w.bind.fd);
	assert_null(F(&w, 20, 8));
	EVENT(&w, 20, EV_PIPE2_X, I(-24), I(3), I(4), I(1), I(0));
	assert_int_equal(F(&w, 20, 3)->ino, 77);
	world_done(&w);
}

static void s23_directories_are_those_of_the_process(void **arg)
{
	struct world w;

	(void)arg;
	world_with_21(&w);
	EVENT(&w, 20, EV_CHDIR_X, I(0), S("dir1"));
	assert_sv(state_thread_cwd(T(&w, 20)), "/root/dir1/");
	EVENT(&w, 20, EV_CHDIR_X, I(0), S(".."));
	assert_sv(state_thread_cwd(T(&w, 20)), "/root/");
	EVENT(&w, 20, EV_CHDIR_X, I(-2), S("gone"));
	assert_sv(state_thread_cwd(T(&w, 20)), "/root/");
	/* Resolved against the thread's own directory, which it does not have. */
	EVENT(&w, 21, EV_CHDIR_X, I(0), S("sub"));
	assert_sv(state_thread_cwd(T(&w, 20)), "sub/");
	EVENT(&w, 21, EV_CHDIR_X, I(0), S("/"));
	assert_sv(state_thread_cwd(T(&w, 20)), "/");
	world_open(&w, 20, 3, "/usr", STATE_O_DIRECTORY);
	EVENT(&w, 20, EV_FCHDIR_X, I(0), I(3));
	assert_sv(state_thread_cwd(T(&w, 21)), "/usr/");
	EVENT(&w, 20, EV_GETCWD_X, I(0), S("/var/x"));
	assert_sv(state_thread_cwd(T(&w, 20)), "/var/x/");
	world_done(&w);
}

static void s24_a_tcp_client_takes_its_name_from_connect(void **arg)
{
	struct bytes first = tuple4("172.40.111.222", 54321, "142.251.111.147", 443),
		     other = tuple4("172.40.111.222", 54321, "9.9.9.9", 9),
		     second = tuple4("172.40.111.222", 54321, "1.1.1.1", 53),
		     enter = addr4("8.8.8.8", 53), exit = addr4("1.1.1.1", 53);
	struct state_fd *fd;
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 7, INET, STREAM, 0);
	fd = F(&w, 1, 7);
	assert_int_equal(fd->type, EV_FD_IPV4_SOCK);
	assert_null(fd->name);
	assert_int_equal(state_fd_l4proto(fd), EV_L4_NA);
	world_connect(&w, -115, 7, first);
	assert_text(fd->name, "172.40.111.222:54321->142.251.111.147:443");
	assert_int_equal(fd->flags, STATE_FD_ROLE_CLIENT | STATE_FD_CONNECTED);
	assert_int_equal(state_fd_l4proto(fd), EV_L4_TCP);
	world_connect(&w, -111, 7, other);
	assert_text(fd->name, "172.40.111.222:54321->142.251.111.147:443");
	world_connect(&w, 0, 7, second);
	assert_text(fd->name, "172.40.111.222:54321->1.1.1.1:53");
	EVENT(&w, 1, EV_CONNECT_E, I(7), RAW(enter));
	EVENT(&w, 1, EV_CONNECT_X, I(0), RAW(second), I(7), RAW(exit));
	assert_text(fd->name, "172.40.111.222:54321->8.8.8.8:53");
	world_done(&w);
}

static void s25_sending_makes_an_unknown_descriptor_a_udp_socket(void **arg)
{
	struct bytes out = tuple4("10.0.0.5", 40000, "8.8.8.8", 53),
		     in = tuple4("8.8.8.8", 53, "10.0.0.5", 40000);
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_send(&w, 5, out);
	assert_int_equal(F(&w, 1, 5)->type, EV_FD_IPV4_SOCK);
	assert_int_equal(state_fd_l4proto(F(&w, 1, 5)), EV_L4_UDP);
	assert_true(F(&w, 1, 5)->flags & STATE_FD_ROLE_CLIENT);
	assert_text(F(&w, 1, 5)->name, "10.0.0.5:40000->8.8.8.8:53");
	world_recv(&w, 5, in);
	assert_text(F(&w, 1, 5)->name, "10.0.0.5:40000->8.8.8.8:53");
	assert_false(w.bind.fd_name_changed);
	world_recv(&w, 6, in);
	assert_null(F(&w, 1, 6));
	world_done(&w);
}

static void s26_a_server_knows_its_clients(void **arg)
{
	struct bytes in = tuple4("10.0.0.9", 5000, "10.0.0.5", 8080);
	struct state_fd *fd;
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 4, INET, STREAM, 0);
	world_bind(&w, 4, addr4("0.0.0.0", 8080));
	fd = F(&w, 1, 4);
	assert_int_equal(fd->type, EV_FD_IPV4_SERVSOCK);
	assert_true(fd->flags & STATE_FD_ROLE_SERVER);
	assert_text(fd->name, "0.0.0.0:8080");
	assert_int_equal(state_fd_l4proto(fd), EV_L4_TCP);
	EVENT(&w, 1, EV_ACCEPT_5_X, I(6), RAW(in), I(0), I(0), I(0));
	fd = F(&w, 1, 6);
	assert_ptr_equal(w.bind.fd, fd);
	assert_text(fd->name, "10.0.0.9:5000->10.0.0.5:8080");
	assert_true(fd->flags & STATE_FD_ROLE_SERVER);
	assert_true(fd->sock.sport == 5000 && fd->sock.dport == 8080);
	assert_true(fd->sock.sip[3] == 9 && fd->sock.dip[3] == 5);
	assert_int_equal(state_fd_l4proto(fd), EV_L4_TCP);
	assert_int_equal(T(&w, 1)->lastevent_fd, 6);
	world_socket(&w, 8, INET, STREAM, 0);
	EVENT(&w, 1, EV_RECVMSG_X, I(5), I(5), NONE, RAW(in), NONE, I(8));
	assert_true(F(&w, 1, 8)->flags & STATE_FD_ROLE_SERVER);
	assert_text(F(&w, 1, 8)->name, "10.0.0.9:5000->10.0.0.5:8080");
	world_done(&w);
}

static void s27_unix_sockets_are_named_by_address_and_path(void **arg)
{
	struct bytes tuple = tuple_unix(0x9c758d0f, 0x9c758d0a, "/tmp/stream.sock");
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 9, UNIX, STREAM, 0);
	world_connect(&w, 0, 9, tuple);
	assert_text(F(&w, 1, 9)->name, "9c758d0f->9c758d0a /tmp/stream.sock");
	assert_true(F(&w, 1, 9)->flags & STATE_FD_ROLE_CLIENT);
	assert_true(F(&w, 1, 9)->un.source == 0x9c758d0f);
	assert_true(F(&w, 1, 9)->un.dest == 0x9c758d0a);
	world_done(&w);
}

static void s28_credentials_and_limits_follow_their_calls(void **arg)
{
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_with_20(&w);
	t = T(&w, 20);
	EVENT(&w, 20, EV_SETRESUID_X, I(0), I(1), I(2), I(3));
	assert_int_equal(t->uid, 2);
	EVENT(&w, 20, EV_SETRESUID_X, I(-1), I(7), I(8), I(9));
	assert_int_equal(t->uid, 2);
	EVENT(&w, 20, EV_UNSHARE_X, I(0), I(STATE_CL_NEWUSER));
	assert_true(t->cap_inheritable == 0x1ffffffffff && t->cap_permitted == 0x1ffffffffff &&
		    t->cap_effective == 0x1ffffffffff);
	EVENT(&w, 20, EV_CAPSET_X, I(0), I(1), I(2), I(3));
	assert_true(t->cap_inheritable == 1 && t->cap_permitted == 2 && t->cap_effective == 3);
	EVENT(&w, 20, EV_SETSID_X, I(30));
	assert_int_equal(t->sid, 30);
	EVENT(&w, 1, EV_PRLIMIT_X, I(0), I(500), I(0), I(0), I(0), I(20), I(7));
	assert_int_equal(t->fdlimit, 500);
	world_done(&w);
}

static void s29_suppressed_commands_leave_no_trace(void **arg)
{
	struct world w;

	(void)arg;
	world_suppressing(&w, "noisy");
	CLONE(&w, 20, .pid = 20, .ptid = 1, .comm = "noisy");
	assert_int_equal(w.rc, 0);
	assert_null(T(&w, 20));
	world_open(&w, 20, 3, "/a", 0);
	assert_int_equal(w.rc, 0);
	CLONE(&w, 21, .pid = 21, .ptid = 20, .comm = "x");
	assert_int_equal(w.rc, 0);
	EVENT(&w, 21, EV_READ_X, I(0), NONE, I(3));
	assert_int_equal(w.rc, 0);
	world_exit(&w, 20);
	assert_int_equal(w.rc, 1);
	world_open(&w, 20, 3, "/a", 0);
	assert_int_equal(w.rc, 1);
	assert_true(state_thread_is_invalid(T(&w, 20)));
	assert_int_equal(state_stats(w.st)->suppressed, 4);
	assert_int_equal(w.bind.ev->num, 2);
	world_done(&w);
}

static void s30_a_container_is_described_from_its_own_event_on(void **arg)
{
	static const char json[] =
	    "{\"container\":{\"id\":\"0123456789ab\",\"name\":\"web\",\"type\":0}}";
	const struct state_container *c;
	struct world w;

	(void)arg;
	world_init_base(&w);
	EXEC(&w, 40, .pid = 40, CGROUPS("cpuset=/docker/" H));
	assert_text(T(&w, 40)->container_id, "0123456789ab");
	assert_null(state_container_find(w.st, SV_LIT("0123456789ab")));
	EVENT(&w, -1, EV_ASYNCEVENT_E, I(0), S("container"), BYTES(json, sizeof(json)));
	assert_true(w.bind.visible);
	assert_text(state_container_of_event(w.st, w.bind.ev)->name, "web");
	world_tick(&w);
	assert_null(state_container_of_event(w.st, w.bind.ev));
	c = state_container_find(w.st, state_sv(T(&w, 40)->container_id));
	assert_text(c->id, "0123456789ab");
	assert_text(c->name, "web");
	assert_string_equal(state_container_type_name(c->type), "docker");
	c = state_container_find(w.st, state_sv(T(&w, 1)->container_id));
	assert_text(c->id, "host");
	assert_text(c->name, "host");
	assert_string_equal(state_container_type_name(c->type), "host");
	/* A child belongs to the host until it reports itself. */
	CLONE(&w, 40, .ret = 41, .pid = 40, CGROUPS("cpuset=/docker/" H));
	assert_null(T(&w, 41)->container_id);
	CLONE(&w, 41, .pid = 41, .ptid = 40, CGROUPS("cpuset=/docker/" H));
	assert_text(T(&w, 41)->container_id, "0123456789ab");
	world_done(&w);
}

static void s31_full_tables_take_no_more(void **arg)
{
	struct state_options threads = {.threads_max = 2}, fds = {.fds_max = 2};
	struct world w;

	(void)arg;
	world_init(&w, &threads);
	world_process(&w, 1, 0);
	world_process(&w, 20, 1);
	world_process(&w, 22, 1);
	CLONE(&w, 1, .ret = 21);
	assert_null(T(&w, 21));
	EVENT(&w, 99, EV_OPEN_X, I(3), S("/a"), I(0), I(0));
	assert_null(w.bind.thread);
	for (int64_t ptid = 1; ptid <= 77; ptid += 76) {
		CLONE(&w, 30, .pid = 30, .ptid = ptid);
		assert_null(w.bind.thread);
	}
	assert_non_null(T(&w, 20));
	assert_int_equal(state_threads(w.st), 2);
	assert_int_equal(state_stats(w.st)->threads_dropped, 5);
	world_done(&w);
	world_init(&w, &fds);
	world_process(&w, 1, 0);
	world_file(&w, 1, 0, "/a");
	world_file(&w, 1, 1, "/b");
	EVENT(&w, 1, EV_OPEN_X, I(5000), S("/c"), I(0), I(0));
	assert_null(F(&w, 1, 5000));
	assert_int_equal(T(&w, 1)->lastevent_fd, 5000);
	assert_null(w.bind.fd);
	assert_int_equal(state_stats(w.st)->fds_dropped, 1);
	/* Replacing always works. */
	EVENT(&w, 1, EV_OPEN_X, I(1), S("/c"), I(0), I(0));
	assert_text(F(&w, 1, 1)->name, "/c");
	world_done(&w);
}

static void s32_users_come_and_go(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_SETUID_X, I(0), I(1000));
	EVENT(&w, -1, EV_USER_ADDED_E, I(1000), I(100), S("bob"), S("/home/bob"), S("/bin/sh"),
	      S(""));
	assert_text(state_user_find(w.st, NULL, T(&w, 20)->uid)->name, "bob");
	assert_text(state_user_find(w.st, NULL, 1000)->home, "/home/bob");
	assert_text(state_user_find(w.st, NULL, 1000)->shell, "/bin/sh");
	EVENT(&w, -1, EV_USER_ADDED_E, I(1000), I(7), S("rob"), S("/home/bob"), S("/bin/sh"),
	      S(""));
	assert_text(state_user_find(w.st, NULL, 1000)->name, "rob");
	assert_int_equal(state_user_find(w.st, NULL, 1000)->gid, 100);
	EVENT(&w, -1, EV_USER_DELETED_E, I(1000), I(1000), S("rob"), S(""), S(""), S(""));
	assert_null(state_user_find(w.st, NULL, 1000));
	/* Of user 0 the capture says nothing: fields call it root all the same. */
	assert_null(state_user_find(w.st, NULL, T(&w, 1)->uid));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(s19_opened_files_have_full_names),
	    cmocka_unit_test(s20_a_closed_descriptor_is_gone_with_the_next_event),
	    cmocka_unit_test(s21_duplicates_are_copies),
	    cmocka_unit_test(s22_pairs_show_their_second_number),
	    cmocka_unit_test(s23_directories_are_those_of_the_process),
	    cmocka_unit_test(s24_a_tcp_client_takes_its_name_from_connect),
	    cmocka_unit_test(s25_sending_makes_an_unknown_descriptor_a_udp_socket),
	    cmocka_unit_test(s26_a_server_knows_its_clients),
	    cmocka_unit_test(s27_unix_sockets_are_named_by_address_and_path),
	    cmocka_unit_test(s28_credentials_and_limits_follow_their_calls),
	    cmocka_unit_test(s29_suppressed_commands_leave_no_trace),
	    cmocka_unit_test(s30_a_container_is_described_from_its_own_event_on),
	    cmocka_unit_test(s31_full_tables_take_no_more),
	    cmocka_unit_test(s32_users_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
