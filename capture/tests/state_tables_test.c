/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, sockets, mounts, cgroups, users of a /proc made of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/tests/fake_proc.h"

static int setup(void **state)
{
	if (fake_proc_setup(state) < 0)
		return -1;
	fake_process(*state, 50);
	return 0;
}

/* --- descriptors --- */

static void kinds_follow_from_what_the_kernel_calls_a_descriptor(void **state)
{
	static const struct {
		const char *link;
		int type;
		uint64_t ino;
		const char *name;
	} cases[] = {
	    {"/nonexistent/file", EV_FD_FILE_V2, 0, "/nonexistent/file"},
	    {"/gone (deleted)", EV_FD_FILE_V2, 0, "/gone (deleted)"},
	    {"pipe:[4242]", EV_FD_FIFO, 4242, "pipe:[4242]"},
	    {"anon_inode:[eventfd]", EV_FD_EVENT, 0, ""},
	    {"anon_inode:[signalfd]", EV_FD_SIGNALFD, 0, ""},
	    {"anon_inode:[eventpoll]", EV_FD_EVENTPOLL, 0, ""},
	    {"anon_inode:inotify", EV_FD_INOTIFY, 0, ""},
	    {"anon_inode:[timerfd]", EV_FD_TIMERFD, 0, ""},
	    {"anon_inode:bpf-map", EV_FD_BPF, 0, ""},
	    {"anon_inode:bpf-prog", EV_FD_BPF, 0, ""},
	    {"anon_inode:bpf-link", EV_FD_BPF, 0, ""},
	    {"anon_inode:bpf_link", EV_FD_BPF, 0, ""},
	    {"anon_inode:bpf_iter", EV_FD_BPF, 0, ""},
	    {"anon_inode:[userfaultfd]", EV_FD_USERFAULTFD, 0, ""},
	    {"anon_inode:[io_uring]", EV_FD_IOURING, 0, ""},
	    {"anon_inode:[pidfd]", EV_FD_PIDFD, 0, ""},
	    {"anon_inode:[perf_event]", EV_FD_UNSUPPORTED, 0, "anon_inode:[perf_event]"},
	    {"anon_inode:", EV_FD_UNSUPPORTED, 0, "anon_inode:"},
	    {"socket:[x]", EV_FD_UNSUPPORTED, 0, "socket:[x]"},
	    {"strange", EV_FD_UNSUPPORTED, 0, "strange"},
	    {"mnt:[4026531841]", EV_FD_UNSUPPORTED, 0, "mnt:[4026531841]"},
	};
	struct fake_proc *f = *state;
	struct rec_state *s;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		fake_fd(f, 50, (int)i + 10, cases[i].link);
	s = fake_take(f);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct ev_fd_entry *fd = host_find_fd(s, 50, (int64_t)i + 10);

		if (!fd || fd->type != cases[i].type || fd->ino != cases[i].ino ||
		    !sv_is(fd->name, cases[i].name))
			fail_msg("'%s' became type %d, '%.*s'", cases[i].link, fd ? fd->type : -2,
				 fd ? (int)fd->name.n : 0, fd ? fd->name.p : "");
	}
	rec_state_free(s);
}

static void files_have_inode_flags_and_the_device_of_their_mount(void **state)
{
	struct fake_proc *f = *state;
	const struct ev_fd_entry *fd;
	struct rec_state *s;
	char path[128];
	struct stat st;

	fake_file(f, SV_LIT("x"), "data");
	snprintf(path, sizeof(path), "%s/data", f->root);
	assert_int_equal(stat(path, &st), 0);
	fake_fd(f, 50, 7, path);
	fake_file(f, SV_LIT("pos:\t7\nflags:\t02104001\nmnt_id:\t31\nino:\t9\n"),
		  "proc/50/fdinfo/7");
	fake_file(f,
		  SV_LIT("29 1 8:1 / / rw - ext4 /dev/sda rw\n"
			 "31 29 0:700 / /mnt\\040x ro,noatime shared:4 - tmpfs tmpfs ro,size=1k\n"),
		  "proc/50/mountinfo");
	s = fake_take(f);
	fd = host_find_fd(s, 50, 7);
	assert_int_equal(fd->type, EV_FD_FILE_V2);
	assert_int_equal(fd->ino, st.st_ino);
	assert_int_equal(fd->dev, 0xbc | 0x200 << 12);
	/* O_WRONLY, O_NONBLOCK, O_LARGEFILE, O_CLOEXEC */
	assert_int_equal(fd->openflags, 2 | 1 << 6 | 1 << 11 | 1 << 12);
	assert_int_equal(host_find_fd(s, 50, 0)->dev, 0x801);
	rec_state_free(s);
}

static void directories_and_named_pipes_are_told_by_their_mode(void **state)
{
	struct fake_proc *f = *state;
	const struct ev_fd_entry *fd;
	struct rec_state *s;
	char path[128];
	struct stat st;

	fake_fd(f, 50, 7, f->root);
	snprintf(path, sizeof(path), "%s/fifo", f->root);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(stat(path, &st), 0);
	fake_fd(f, 50, 8, path);
	s = fake_take(f);
	assert_int_equal(host_find_fd(s, 50, 7)->type, EV_FD_DIRECTORY);
	fd = host_find_fd(s, 50, 8);
	assert_int_equal(fd->type, EV_FD_FIFO);
	assert_int_equal(fd->ino, st.st_ino);
	assert_true(sv_is(fd->name, path));
	rec_state_free(s);
}

static void a_mount_that_is_not_listed_leaves_the_files_own_device(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state *s;
	struct stat st;

	assert_int_equal(stat("/dev/null", &st), 0);
	fake_file(f, SV_LIT("x\n29\n29 1\n29 1 x:y\n29 1 8\n"), "proc/50/mountinfo");
	s = fake_take(f);
	assert_int_equal(host_find_fd(s, 50, 0)->dev, st.st_dev);
	rec_state_free(s);
}

static void descriptors_over_the_limit_are_counted(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state *s;

	for (int i = 1; i < 30; i++)
		fake_fd(f, 50, i, "/dev/null");
	f->opt.max_fds = 10;
	s = fake_take(f);
	assert_int_equal(rec_state_stats(s)->fds, 10);
	assert_int_equal(rec_state_stats(s)->fds_limit, 20);
	rec_state_free(s);
}

static void descriptors_come_table_by_table_in_order(void **state)
{
	struct fake_proc *f = *state;
	int64_t tid = 0, number = -1;
	struct ev_item item;
	struct rec_state *s;
	unsigned n = 0;

	fake_process(f, 9);
	for (int i = 20; i > 0; i -= 3) {
		fake_fd(f, 50, i, "/dev/null");
		fake_fd(f, 9, i, "/dev/null");
	}
	s = fake_take(f);
	while (rec_state_next(s, &item, NULL)) {
		if (item.kind != EV_ITEM_FD)
			continue;
		assert_true(item.fd->tid > tid || (item.fd->tid == tid && item.fd->fd > number));
		tid = item.fd->tid;
		number = item.fd->fd;
		n++;
	}
	assert_int_equal(n, 16);
	rec_state_free(s);
}

/* --- sockets --- */

static const char head[] = "sl local_address rem_address st ...\n";

static void a_table(struct fake_proc *f, const char *name, const char *lines)
{
	char text[2048];

	snprintf(text, sizeof(text), "%s%s", head, lines);
	fake_file(f, sv_of(text), "proc/50/net/%s", name);
}

static void sockets_are_found_in_the_tables(void **state)
{
	static const uint8_t local4[] = {127, 0, 0, 1}, remote4[] = {10, 0, 0, 2};
	static const uint8_t local6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
	struct fake_proc *f = *state;
	const struct ev_fd_entry *fd;
	struct rec_state *s;

	for (int i = 1; i <= 9; i++) {
		char link[32];

		snprintf(link, sizeof(link), "socket:[%d]", 1000 + i);
		fake_fd(f, 50, i, link);
	}
	a_table(f, "tcp",
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 "
		"       0 1001 1 0 100 0 0 10 0\n"
		"   1: 0100007F:1F90 0200000A:C001 01 00000000:00000000 00:00000000 00000000  1000 "
		"       0 1002 1 0\n"
		"   2: 0100007F:1F90 0200000A:C001 06 00000000:00000000 00:00000000 00000000  1000 "
		"       0 0 1 0\n");
	a_table(
	    f, "tcp6",
	    "   0: B80D0120000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A "
	    "0:0 0:0 0 0 0 1003 1\n");
	a_table(f, "udp",
		"  11: 00000000:0035 00000000:0000 07 0:0 0:0 0 0 0 1004 2\n"
		"  12: 0100007F:9C40 0100007F:0035 01 0:0 0:0 0 0 0 1005 2\n");
	a_table(f, "raw", "   1: 00000000:0001 00000000:0000 07 0:0 0:0 0 0 0 1006 2\n");
	a_table(f, "unix",
		"00000000a9a0df28: 00000002 00000000 00010000 0001 01  1007 /run/my socket\n"
		"00000000a9a0df29: 00000003 00000000 00000000 0001 03  1008\n");
	a_table(f, "netlink", "000000003e0767f5 0   0 00000000 0 0 0 2 0 1009\n");
	s = fake_take(f);

	fd = host_find_fd(s, 50, 1);
	assert_int_equal(fd->type, EV_FD_IPV4_SERVSOCK);
	assert_int_equal(fd->ino, 1001);
	assert_int_equal(fd->sport, 8080);
	assert_int_equal(fd->l4proto, EV_L4_TCP);
	assert_memory_equal(fd->sip, local4, 4);
	fd = host_find_fd(s, 50, 2);
	assert_int_equal(fd->type, EV_FD_IPV4_SOCK);
	assert_memory_equal(fd->sip, local4, 4);
	assert_memory_equal(fd->dip, remote4, 4);
	assert_int_equal(fd->sport, 8080);
	assert_int_equal(fd->dport, 49153);
	fd = host_find_fd(s, 50, 3);
	assert_int_equal(fd->type, EV_FD_IPV6_SERVSOCK);
	assert_memory_equal(fd->sip, local6, 16);
	assert_int_equal(fd->sport, 443);
	fd = host_find_fd(s, 50, 4);
	assert_int_equal(fd->type, EV_FD_IPV4_SERVSOCK);
	assert_int_equal(fd->sport, 53);
	assert_int_equal(fd->l4proto, EV_L4_UDP);
	assert_int_equal(host_find_fd(s, 50, 5)->type, EV_FD_IPV4_SOCK);
	assert_int_equal(host_find_fd(s, 50, 6)->l4proto, EV_L4_RAW);
	fd = host_find_fd(s, 50, 7);
	assert_int_equal(fd->type, EV_FD_UNIX_SOCK);
	assert_text(fd->name, "/run/my socket");
	assert_int_equal(fd->unix_source, 0xa9a0df28);
	assert_int_equal(host_find_fd(s, 50, 8)->name.n, 0);
	assert_int_equal(host_find_fd(s, 50, 8)->type, EV_FD_UNIX_SOCK);
	assert_int_equal(host_find_fd(s, 50, 9)->type, EV_FD_NETLINK);
	assert_int_equal(rec_state_stats(s)->sockets, 9);
	rec_state_free(s);
}

static void a_socket_in_no_table_is_kept(void **state)
{
	struct fake_proc *f = *state;
	const struct ev_fd_entry *fd;
	struct rec_state *s;

	fake_fd(f, 50, 5, "socket:[77]");
	s = fake_take(f);
	fd = host_find_fd(s, 50, 5);
	assert_non_null(fd);
	assert_int_equal(fd->type, EV_FD_UNSUPPORTED);
	assert_int_equal(fd->ino, 77);
	assert_text(fd->name, "socket:[77]");
	rec_state_free(s);
	f->opt.sockets = false;
	s = fake_take(f);
	assert_null(host_find_fd(s, 50, 5));
	rec_state_free(s);
}

static void a_socket_of_another_namespace_is_found_in_its_table(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state *s;

	fake_process(f, 60);
	fake_link(f, "net:[4026532999]", "proc/60/ns/net");
	fake_fd(f, 50, 5, "socket:[77]"); /* was handed over */
	fake_file(f, SV_LIT("head\n 0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 77 1\n"),
		  "proc/60/net/tcp");
	s = fake_take(f);
	assert_int_equal(host_find_fd(s, 50, 5)->type, EV_FD_IPV4_SERVSOCK);
	rec_state_free(s);
}

static void a_forged_line_gives_no_other_socket_a_name(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state *s;

	for (int i = 1; i <= 3; i++) {
		char link[32];

		snprintf(link, sizeof(link), "socket:[%d]", 1000 + i);
		fake_fd(f, 50, i, link);
	}
	a_table(f, "tcp", " 0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 1003 1\n");
	/* The name of 1001 contains line breaks, and what looks like a line after each. */
	a_table(f, "unix",
		"00000000a9a0df28: 00000002 00000000 00010000 0001 01  1001 @x\n"
		"00000000a9a0df28: 00000002 00000000 00010000 0001 01  1002 /run/docker.sock\n"
		"00000000a9a0df28: 00000002 00000000 00010000 0001 01  1003 /run/docker.sock\n"
		"00000000a9a0df30: 00000002 00000000 00010000 0001 01  1002 /home/me\n");
	s = fake_take(f);
	assert_text(host_find_fd(s, 50, 1)->name, "@x");
	assert_int_equal(host_find_fd(s, 50, 2)->name.n, 0);
	assert_int_equal(host_find_fd(s, 50, 2)->type, EV_FD_UNIX_SOCK);
	assert_int_equal(host_find_fd(s, 50, 3)->type, EV_FD_IPV4_SERVSOCK);
	rec_state_free(s);
}

static void tables_with_nonsense_in_them_do_no_harm(void **state)
{
	static const char nonsense[] =
	    "\n\n0\n0:\n0: 0\n0: 0100007F\n0: 0100007F:\n0: 0100007F:FFFFF 0100007F:1 0A\n"
	    "0: XXXXXXXX:1F90 00000000:0000 0A 0:0 0:0 0 0 0 77 1\n"
	    "0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0\n"
	    "0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 99999999999999999999999 1\n"
	    "0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 -77 1";
	static const char *const names[] = {"tcp", "tcp6", "udp", "udp6", "raw", "raw6", "unix"};
	struct fake_proc *f = *state;
	struct rec_state *s;

	fake_fd(f, 50, 5, "socket:[77]");
	for (size_t i = 0; i < COUNT_OF(names); i++)
		a_table(f, names[i], nonsense);
	s = fake_take(f);
	assert_int_equal(host_find_fd(s, 50, 5)->type, EV_FD_UNSUPPORTED);
	rec_state_free(s);
}

static void a_line_longer_than_the_buffer_hides_only_itself(void **state)
{
	static const char last[] = "\n 0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 77 1\n";
	const size_t n = 300000;
	struct fake_proc *f = *state;
	char *text = malloc(n + sizeof(last));
	struct rec_state *s;

	assert_non_null(text);
	memset(text, ' ', n);
	text[10] = '\n';
	memcpy(text + n, last, sizeof(last));
	fake_fd(f, 50, 5, "socket:[77]");
	fake_file(f, sv_make(text, n + sizeof(last) - 1), "proc/50/net/tcp");
	s = fake_take(f);
	assert_int_equal(host_find_fd(s, 50, 5)->type, EV_FD_IPV4_SERVSOCK);
	rec_state_free(s);
	free(text);
}

/* --- cgroups --- */

static void cgroups_of_old_and_unified_hierarchies_are_joined(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state *s;

	fake_file(f,
		  SV_LIT("29 1 0:26 / / rw - ext4 /dev/sda rw\n"
			 "40 29 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"),
		  "proc/1/mountinfo");
	fake_file(f, SV_LIT("cpu io memory\n"), "sys/fs/cgroup/unified/cgroup.controllers");
	fake_file(f, SV_LIT("cpu memory\n"), "sys/fs/cgroup/unified/a/cgroup.controllers");
	fake_file(f, SV_LIT("memory\n"), "sys/fs/cgroup/unified/a/b/cgroup.controllers");
	fake_file(f, SV_LIT("\n"), "sys/fs/cgroup/unified/a/b/c/cgroup.controllers");
	fake_file(f,
		  SV_LIT("9:name=systemd:/user.slice\n4:cpuset,pids:/x:y\n"
			 "no colon\n3:bad\n2:freezer:relative\n0::/a/b/c\n"),
		  "proc/50/cgroup");
	s = fake_take(f);
	assert_text(
	    host_find_thread(s, 50)->cgroups,
	    "name=systemd=/user.slice\0cpuset=/x:y\0pids=/x:y\0memory=/a/b\0cpu=/a\0io=/\0");
	rec_state_free(s);
}

static void without_a_unified_hierarchy_its_line_says_nothing(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state *s;

	fake_file(f, SV_LIT("4:memory:/docker/abc\n0::/docker/abc\n"), "proc/50/cgroup");
	s = fake_take(f);
	assert_text(host_find_thread(s, 50)->cgroups, "memory=/docker/abc\0");
	rec_state_free(s);
}

static void cgroups_over_the_formats_limit_are_left_out_whole(void **state)
{
	struct fake_proc *f = *state;
	char text[12000] = "";
	struct rec_state *s;
	struct sv cgroups;

	for (int i = 0; i < 10; i++) {
		size_t n = strlen(text);

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%d:c%d:/", i, i);
		memset(text + n, 'x', 1000);
		text[n + 1000] = '\n';
	}
	fake_file(f, sv_of(text), "proc/50/cgroup");
	s = fake_take(f);
	cgroups = host_find_thread(s, 50)->cgroups;
	assert_int_equal(cgroups.n, 4 * (3 + 1001 + 1));
	assert_int_equal(cgroups.p[cgroups.n - 1], 0);
	rec_state_free(s);
}

/* --- machine, users, groups --- */

static void users_and_groups_of_the_hosts_files_come_before_its_threads(void **state)
{
	struct fake_proc *f = *state;
	enum ev_item_kind last = EV_ITEM_MACHINE;
	unsigned users = 0, groups = 0;
	struct ev_item item;
	struct rec_state *s;

	fake_file(f,
		  SV_LIT("root:x:0:0:root:/root:/bin/sh\nbroken line\n"
			 "me:x:1000:1000:Me,,,:/home/me:/bin/zsh\n"),
		  "etc/passwd");
	fake_file(f, SV_LIT("root:x:0:\nwheel:x:10:me,root\n"), "etc/group");
	s = fake_take(f);
	while (rec_state_next(s, &item, NULL)) {
		if (item.kind == EV_ITEM_USER && ++users == 2) {
			assert_int_equal(last, EV_ITEM_USER);
			assert_int_equal(item.user->uid, 1000);
			assert_int_equal(item.user->gid, 1000);
			assert_text(item.user->name, "me");
			assert_text(item.user->home, "/home/me");
			assert_text(item.user->shell, "/bin/zsh");
		}
		if (item.kind == EV_ITEM_GROUP && ++groups == 2) {
			assert_int_equal(last, EV_ITEM_GROUP);
			assert_int_equal(item.user->gid, 10);
			assert_text(item.user->name, "wheel");
		}
		if (item.kind == EV_ITEM_MACHINE) {
			assert_text(item.machine->hostname, "fake");
			assert_int_equal(item.machine->max_pid, 4194304);
			assert_int_equal(item.machine->boot_ts, f->opt.boot_ns);
			assert_true(item.machine->num_cpus > 0);
			assert_true(item.machine->memory_bytes > 0);
		}
		last = item.kind;
	}
	assert_int_equal(users, 2);
	assert_int_equal(groups, 2);
	assert_int_equal(last, EV_ITEM_FD);
	rec_state_free(s);
}

static void a_line_of_a_megabyte_ends_the_list_of_groups(void **state)
{
	const size_t n = 3000000;
	struct fake_proc *f = *state;
	char *text = malloc(n);
	struct rec_state *s;

	assert_non_null(text);
	memset(text, 'x', n);
	memcpy(text, "root:x:0:\nbig:x:1:", 18);
	fake_file(f, sv_make(text, n), "etc/group");
	s = fake_take(f);
	assert_in_range(rec_state_stats(s)->groups, 1, 2);
	rec_state_free(s);
	free(text);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, fake_proc_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(kinds_follow_from_what_the_kernel_calls_a_descriptor),
	    T(files_have_inode_flags_and_the_device_of_their_mount),
	    T(directories_and_named_pipes_are_told_by_their_mode),
	    T(a_mount_that_is_not_listed_leaves_the_files_own_device),
	    T(descriptors_over_the_limit_are_counted),
	    T(descriptors_come_table_by_table_in_order),
	    T(sockets_are_found_in_the_tables),
	    T(a_socket_in_no_table_is_kept),
	    T(a_socket_of_another_namespace_is_found_in_its_table),
	    T(a_forged_line_gives_no_other_socket_a_name),
	    T(tables_with_nonsense_in_them_do_no_harm),
	    T(a_line_longer_than_the_buffer_hides_only_itself),
	    T(cgroups_of_old_and_unified_hierarchies_are_joined),
	    T(without_a_unified_hierarchy_its_line_says_nothing),
	    T(cgroups_over_the_formats_limit_are_left_out_whole),
	    T(users_and_groups_of_the_hosts_files_come_before_its_threads),
	    T(a_line_of_a_megabyte_ends_the_list_of_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
