/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of a /proc made of files, with all that processes may put into theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/state_internal.h"
#include "capture/tests/fake_proc.h"

#define TICK_NS 10000000ull

static void every_member_of_a_thread_is_filled_in(void **state)
{
	struct fake_proc *f = *state;
	const struct ev_thread_entry *t;
	struct rec_state *s;

	fake_process(f, 50);
	s = fake_take(f);
	t = host_find_thread(s, 50);
	assert_non_null(t);
	assert_int_equal(t->pid, 50);
	assert_int_equal(t->ptid, 1);
	assert_int_equal(t->sid, 40);
	assert_int_equal(t->pgid, 50);
	assert_int_equal(t->vpgid, 5);
	assert_int_equal(t->vtid, 4);
	assert_int_equal(t->vpid, 3);
	assert_text(t->comm, "work");
	assert_text(t->exe, "./work");
	assert_text(t->exepath, "/usr/bin/work");
	assert_text(t->cwd, "/home/work");
	assert_text(t->root, "/");
	assert_text(t->args, "-a\0long option\0");
	assert_text(t->env, "HOME=/root\0LANG=C\0");
	assert_int_equal(t->fdlimit, 1024);
	assert_int_equal(t->flags, 0);
	assert_int_equal(t->uid, 1001);
	assert_int_equal(t->gid, 101);
	assert_int_equal(t->loginuid, 1000);
	assert_int_equal(t->vmsize_kb, 8888);
	assert_int_equal(t->vmrss_kb, 777);
	assert_int_equal(t->vmswap_kb, 66);
	assert_int_equal(t->tty, 1025);
	assert_int_equal(t->pfminor, 11);
	assert_int_equal(t->pfmajor, 13);
	assert_int_equal(t->cap_inheritable, 1);
	assert_int_equal(t->cap_permitted, 0x1ffffffffff);
	assert_int_equal(t->cap_effective, 0xff);
	assert_true(t->has_clone_ts);
	assert_int_equal(t->clone_ts, f->opt.boot_ns + 12345 * TICK_NS);
	rec_state_free(s);
}

static void the_executable_is_looked_up_through_the_link_of_the_process(void **state)
{
	struct fake_proc *f = *state;
	const struct ev_thread_entry *t;
	struct rec_state *s;
	char path[128];
	struct stat st;

	fake_process(f, 50);
	fake_file(f, SV_LIT("ELF"), "usr/bin/work");
	snprintf(path, sizeof(path), "%s/usr/bin/work", f->root);
	fake_link(f, path, "proc/50/exe");
	assert_int_equal(stat(path, &st), 0);
	s = fake_take(f);
	t = host_find_thread(s, 50);
	assert_int_equal(t->exe_ino, st.st_ino);
	assert_int_equal(t->exe_ino_mtime,
			 st.st_mtim.tv_sec * 1000000000ull + (uint64_t)st.st_mtim.tv_nsec);
	assert_int_equal(t->exe_ino_ctime,
			 st.st_ctim.tv_sec * 1000000000ull + (uint64_t)st.st_ctim.tv_nsec);
	assert_true(t->exe_writable); /* capabilities 0xff are enough */
	rec_state_free(s);
}

static bool is_writable(struct fake_proc *f, mode_t mode, const char *effective)
{
	char path[128], status[512];
	struct rec_state *s;
	bool writable;

	fake_file(f, SV_LIT("ELF"), "bin/x");
	snprintf(path, sizeof(path), "%s/bin/x", f->root);
	assert_int_equal(chmod(path, mode), 0);
	assert_int_equal(chown(path, 700, 27), 0);
	fake_link(f, path, "proc/50/exe");
	snprintf(status, sizeof(status),
		 "Tgid:\t50\nPid:\t50\nUid:\t1 1 1 1000\nGid:\t1 1 1 1000\nGroups:\t4 27 30\n"
		 "CapEff:\t%s\n",
		 effective);
	fake_file(f, sv_of(status), "proc/50/status");
	s = fake_take(f);
	writable = host_find_thread(s, 50)->exe_writable;
	rec_state_free(s);
	return writable;
}

static void who_may_write_to_the_executable_follows_the_kernels_rules(void **state)
{
	struct fake_proc *f = *state;

	if (getuid() != 0)
		skip();
	fake_process(f, 50);
	assert_false(is_writable(f, 0700, "0"));
	assert_true(is_writable(f, 0702, "0"));
	assert_true(is_writable(f, 0720, "0"));	 /* group 27 is one of its own */
	assert_true(is_writable(f, 0500, "2"));	 /* CAP_DAC_OVERRIDE */
	assert_true(is_writable(f, 0500, "8"));	 /* CAP_FOWNER */
	assert_false(is_writable(f, 0500, "4")); /* CAP_DAC_READ_SEARCH */
	fake_file(f, SV_LIT("0 1000 10\n"), "proc/50/uid_map");
	assert_false(is_writable(f, 0500, "a")); /* the owner has no number there */
	fake_file(f, SV_LIT("0 1000 10\n10 690 20\n"), "proc/50/uid_map");
	assert_true(is_writable(f, 0500, "a"));
	fake_file(f, SV_LIT("0 1000 10\n"), "proc/50/gid_map");
	assert_false(is_writable(f, 0500, "2"));
	assert_true(is_writable(f, 0500, "8"));
}

static void zombies_and_kernel_threads_are_counted_and_left_out(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state *s;

	fake_process(f, 50);
	fake_process(f, 51);
	fake_stat(f, "51", 51, (struct fake_stat){"dead", 'Z', 0, 1, 5});
	fake_stat(f, "51/task/51", 51, (struct fake_stat){"dead", 'Z', 0, 1, 5});
	fake_process(f, 52);
	fake_stat(f, "52", 52, (struct fake_stat){"kworker", 'I', 0x208040, 1, 5});
	fake_stat(f, "52/task/52", 52, (struct fake_stat){"kworker", 'I', 0x208040, 1, 5});
	s = fake_take(f);
	assert_non_null(host_find_thread(s, 50));
	assert_null(host_find_thread(s, 51));
	assert_null(host_find_thread(s, 52));
	assert_int_equal(rec_state_stats(s)->zombies, 1);
	assert_int_equal(rec_state_stats(s)->kernel_threads, 1);
	rec_state_free(s);
}

static void a_command_may_contain_anything(void **state)
{
	static const char *const comms[] = {"a b",   ") R 1",	    "x) S 9 9 9", "((",
					    "\n1 (", "a\nTgid:\t7", "",		  ")"};
	struct fake_proc *f = *state;

	fake_process(f, 50);
	for (size_t i = 0; i < COUNT_OF(comms); i++) {
		const struct fake_stat st = {comms[i], 'S', 0, 1, 77};
		const struct ev_thread_entry *t;
		struct rec_state *s;
		char file[64];

		snprintf(file, sizeof(file), "%s\n", comms[i]);
		fake_stat(f, "50", 50, st);
		fake_stat(f, "50/task/50", 50, st);
		fake_file(f, sv_of(file), "proc/50/comm");
		s = fake_take(f);
		t = host_find_thread(s, 50);
		if (!t)
			fail_msg("'%s' hides its process", comms[i]);
		assert_true(sv_is(t->comm, comms[i]));
		assert_int_equal(t->ptid, 1);
		assert_int_equal(t->sid, 40);
		assert_int_equal(t->clone_ts, f->opt.boot_ns + 77 * TICK_NS);
		rec_state_free(s);
	}
}

static void a_deleted_executable_keeps_its_mark(void **state)
{
	struct fake_proc *f = *state;
	const struct ev_thread_entry *t;
	struct rec_state *s;

	fake_process(f, 50);
	fake_link(f, "/usr/bin/work (deleted)", "proc/50/exe");
	s = fake_take(f);
	t = host_find_thread(s, 50);
	assert_text(t->exepath, "/usr/bin/work (deleted)");
	assert_int_equal(t->exe_ino, 0);
	assert_false(t->exe_from_memfd);
	rec_state_free(s);
}

static void a_huge_command_line_is_cut_to_the_formats_limit(void **state)
{
	struct fake_proc *f = *state;
	const struct ev_thread_entry *t;
	struct rec_state *s;
	char *huge = malloc(100000);

	assert_non_null(huge);
	memset(huge, 'x', 100000);
	for (size_t i = 6; i < 100000; i += 7)
		huge[i] = 0;
	fake_process(f, 50);
	fake_file(f, sv_make(huge, 100000), "proc/50/cmdline");
	fake_file(f, sv_make(huge, 100000), "proc/50/environ");
	s = fake_take(f);
	t = host_find_thread(s, 50);
	assert_text(t->exe, "xxxxxx");
	assert_int_equal(t->exe.n + 1 + t->args.n, 4096);
	assert_int_equal(t->args.p[t->args.n - 1], 0);
	assert_int_equal(t->env.n, 4096);
	assert_int_equal(t->env.p[4095], 0);
	rec_state_free(s);
	free(huge);
}

static void a_command_line_that_does_not_end_is_ended(void **state)
{
	struct fake_proc *f = *state;
	const struct ev_thread_entry *t;
	struct rec_state *s;

	fake_process(f, 50);
	fake_file(f, SV_LIT("a title instead"), "proc/50/cmdline");
	fake_file(f, SV_LIT("A=1\0B=2"), "proc/50/environ");
	s = fake_take(f);
	t = host_find_thread(s, 50);
	assert_text(t->exe, "a title instead");
	assert_int_equal(t->args.n, 0);
	assert_text(t->env, "A=1\0B=2\0");
	rec_state_free(s);
}

static void a_thread_is_kept_whatever_else_is_missing(void **state)
{
	static const char *const files[] = {
	    "comm", "cmdline", "environ", "cgroup", "loginuid", "limits",      "exe",
	    "cwd",  "root",    "ns/pid",  "ns/net", "ns/mnt",	"task/50/stat"};
	struct fake_proc *f = *state;
	struct rec_state *s;

	for (size_t i = 0; i < COUNT_OF(files); i++) {

		fake_process(f, 50);
		fake_delete(f, "proc/50/%s", files[i]);
		s = fake_take(f);
		if (!host_find_thread(s, 50))
			fail_msg("without %s there is no process", files[i]);
		rec_state_free(s);
	}
	fake_process(f, 50);
	fake_delete(f, "proc/50/environ");
	fake_file(f, SV_LIT(""), "proc/50/environ/a directory cannot be read");
	s = fake_take(f);
	assert_non_null(host_find_thread(s, 50));
	rec_state_free(s);
}

static void without_its_stat_or_status_there_is_no_thread(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state *s;

	fake_process(f, 50);
	fake_process(f, 51);
	fake_delete(f, "proc/50/stat");
	fake_delete(f, "proc/50/task/50/stat");
	fake_delete(f, "proc/51/status");
	s = fake_take(f);
	assert_null(host_find_thread(s, 50));
	assert_null(host_find_thread(s, 51));
	assert_int_equal(rec_state_stats(s)->vanished, 2);
	rec_state_free(s);
}

/* A thread from a file cut at each byte is whole, or not there. */
static void cut_at_each_byte(struct fake_proc *f, const char *path, size_t from)
{
	char name[128], text[1024];
	FILE *file;
	size_t n;

	snprintf(name, sizeof(name), "%s/%s", f->root, path);
	file = fopen(name, "r");
	assert_non_null(file);
	n = fread(text, 1, sizeof(text), file);
	fclose(file);
	assert_in_range(n, 10, sizeof(text) - 1);
	for (size_t cut = from; cut <= n; cut++) {
		char *exact = malloc(cut ? cut : 1);
		struct rec_state *s;
		const struct ev_thread_entry *t;

		assert_non_null(exact);
		memcpy(exact, text, cut);
		fake_file(f, sv_make(exact, cut), "%s", path);
		s = fake_take(f);
		t = host_find_thread(s, 50);
		if (t)
			assert_int_equal(t->pid, 50);
		else
			assert_int_equal(rec_state_stats(s)->vanished, 1);
		if (cut == n)
			assert_non_null(t);
		rec_state_free(s);
		free(exact);
	}
}

static void truncated_files_do_no_harm(void **state)
{
	struct fake_proc *f = *state;

	fake_process(f, 50);
	fake_delete(f, "proc/50/task/50/stat");
	cut_at_each_byte(f, "proc/50/stat", 0);
	cut_at_each_byte(f, "proc/50/status", 0);
	cut_at_each_byte(f, "proc/50/limits", 0);
}

static void another_process_under_the_same_id_is_not_mixed_in(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state *s;

	fake_process(f, 50);
	fake_thread(f, 50, 60);
	fake_file(f, SV_LIT("Tgid:\t99\nPid:\t60\n"), "proc/50/task/60/status");
	fake_thread(f, 50, 61);
	s = fake_take(f);
	assert_non_null(host_find_thread(s, 50));
	assert_null(host_find_thread(s, 60));
	assert_non_null(host_find_thread(s, 61));
	assert_int_equal(rec_state_stats(s)->vanished, 1);
	rec_state_free(s);
}

static void threads_follow_their_leader_and_have_its_program(void **state)
{
	static const int64_t order[] = {50, 7, 61, 52};
	struct fake_proc *f = *state;
	const struct ev_thread_entry *t;
	struct ev_item item;
	struct rec_state *s;
	size_t n = 0;

	fake_process(f, 52);
	fake_process(f, 50);
	fake_thread(f, 50, 61);
	fake_thread(f, 50, 7);
	fake_file(f, SV_LIT("other\n"), "proc/50/task/61/comm");
	fake_link(f, "/elsewhere", "proc/50/task/61/cwd");
	s = fake_take(f);
	while (rec_state_next(s, &item, NULL))
		if (item.kind == EV_ITEM_THREAD)
			assert_int_equal(item.thread->tid, order[n++]);
	assert_int_equal(n, 4);
	t = host_find_thread(s, 61);
	assert_int_equal(t->pid, 50);
	assert_int_equal(t->flags, 0x2001);
	assert_text(t->comm, "other");
	assert_text(t->cwd, "/elsewhere");
	assert_text(t->args, "-a\0long option\0");
	assert_ptr_equal(t->args.p, host_find_thread(s, 50)->args.p);
	assert_int_equal(t->fdlimit, 1024);
	assert_int_equal(rec_state_stats(s)->processes, 2);
	assert_int_equal(rec_state_stats(s)->threads, 4);
	rec_state_free(s);
}

static void a_leader_that_ended_before_its_threads_is_told_by_them(void **state)
{
	struct fake_proc *f = *state;
	const struct ev_thread_entry *t;
	struct rec_state *s;

	fake_process(f, 50);
	fake_stat(f, "50", 50, (struct fake_stat){"work", 'Z', 0, 2, 5});
	fake_delete(f, "proc/50/task/50/stat");
	fake_file(f, SV_LIT(""), "proc/50/cmdline");
	fake_delete(f, "proc/50/exe");
	fake_delete(f, "proc/50/fd/0");
	fake_thread(f, 50, 61);
	fake_link(f, "/dev/tty", "proc/50/task/61/fd/4");
	s = fake_take(f);
	t = host_find_thread(s, 50);
	assert_non_null(t);
	assert_text(t->exepath, "/usr/bin/work");
	assert_text(t->args, "-a\0long option\0");
	assert_text(host_find_thread(s, 61)->exe, "./work");
	assert_non_null(host_find_fd(s, 50, 4));
	assert_null(host_find_fd(s, 61, 4));
	rec_state_free(s);
}

static void first_processes_of_namespaces_say_when_these_began(void **state)
{
	static const char first[] = "Tgid:\t70\nPid:\t70\nNStgid:\t70\t1\nNSpid:\t70\t1\n";
	struct fake_proc *f = *state;
	struct rec_state *s;

	fake_process(f, 50);
	fake_process(f, 70);
	fake_process(f, 71);
	fake_file(f, sv_of(first), "proc/70/status");
	fake_stat(f, "70/task/70", 70, (struct fake_stat){"init", 'S', 0, 1, 999});
	fake_link(f, "pid:[4026532900]", "proc/70/ns/pid");
	fake_link(f, "pid:[4026532900]", "proc/71/ns/pid");
	s = fake_take(f);
	assert_int_equal(host_find_thread(s, 70)->pidns_init_start_ts,
			 f->opt.boot_ns + 999 * TICK_NS);
	assert_int_equal(host_find_thread(s, 71)->pidns_init_start_ts,
			 f->opt.boot_ns + 999 * TICK_NS);
	assert_int_equal(host_find_thread(s, 50)->pidns_init_start_ts, 0);
	rec_state_free(s);
}

static void in_the_first_namespace_ids_are_the_same_inside(void **state)
{
	struct fake_proc *f = *state;
	const struct ev_thread_entry *t;
	struct rec_state *s;

	fake_process(f, 50);
	fake_file(f, SV_LIT("Tgid:\t50\nPid:\t50\nNStgid:\t50\nNSpid:\t50\nNSpgid:\t44\n"),
		  "proc/50/status");
	fake_process(f, 51); /* a kernel without these lines */
	fake_file(f, SV_LIT("Tgid:\t51\nPid:\t51\n"), "proc/51/status");
	s = fake_take(f);
	t = host_find_thread(s, 50);
	assert_int_equal(t->vtid, 50);
	assert_int_equal(t->vpid, 50);
	assert_int_equal(t->pgid, 44);
	assert_int_equal(t->vpgid, 44);
	t = host_find_thread(s, 51);
	assert_int_equal(t->vtid, 51);
	assert_int_equal(t->pgid, 50); /* from D/stat */
	assert_int_equal(t->vpgid, 50);
	rec_state_free(s);
}

static void names_that_are_not_ids_are_not_processes(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state *s;

	fake_process(f, 50);
	fake_file(f, SV_LIT(""), "proc/0/stat");
	fake_file(f, SV_LIT(""), "proc/00x/stat");
	fake_file(f, SV_LIT(""), "proc/99999999999999999999/stat");
	fake_file(f, SV_LIT(""), "proc/50/task/bogus/stat");
	fake_file(f, SV_LIT("not a directory"), "proc/51");
	s = fake_take(f);
	assert_int_equal(rec_state_stats(s)->threads, 1);
	rec_state_free(s);
}

static void limits_that_are_not_numbers_are_unknown(void **state)
{
	static const struct {
		const char *text;
		int64_t limit;
	} cases[] = {{"Max open files            unlimited            unlimited\n", -1},
		     {"Max open files            524288   524288   files\n", 524288},
		     {"Max open filesystems 3\n", -1},
		     {"Max open files            99999999999999999999999\n", -1},
		     {"", -1}};
	struct fake_proc *f = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct rec_state *s;

		fake_process(f, 50);
		fake_file(f, sv_of(cases[i].text), "proc/50/limits");
		s = fake_take(f);
		assert_int_equal(host_find_thread(s, 50)->fdlimit, cases[i].limit);
		rec_state_free(s);
	}
}

static void the_recorder_and_environments_can_be_left_out(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state *s;

	fake_process(f, 50);
	fake_process(f, 51);
	f->opt.skip_process = 51;
	f->opt.environment = false;
	s = fake_take(f);
	assert_null(host_find_thread(s, 51));
	assert_int_equal(host_find_thread(s, 50)->env.n, 0);
	rec_state_free(s);
}

static void memory_is_limited_and_what_did_not_fit_is_counted(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state *s;

	for (int pid = 100; pid < 400; pid++)
		fake_process(f, pid);
	f->opt.max_bytes = 100000;
	s = fake_take(f);
	assert_in_range(rec_state_stats(s)->threads, 10, 299);
	assert_in_range(rec_state_stats(s)->bytes, 1, 100000 + 70000);
	assert_true(rec_state_stats(s)->over_memory > 0);
	rec_state_free(s);
}

static void one_process_can_be_read_alone(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state_reader *reader;
	struct rec_state *s;
	struct error err;

	fake_process(f, 50);
	fake_process(f, 51);
	fake_thread(f, 51, 52);
	assert_int_equal(rec_state_open(&f->opt, &reader, &err), 0);
	assert_int_equal(rec_state_take_process(reader, 51, &s, &err), 0);
	assert_int_equal(rec_state_stats(s)->threads, 2);
	assert_int_equal(rec_state_stats(s)->fds, 1);
	rec_state_free(s);
	assert_int_equal(rec_state_take_process(reader, 77, &s, &err), 0);
	assert_int_equal(rec_state_stats(s)->threads, 0);
	rec_state_free(s);
	rec_state_close(reader);
}

static void marks_say_when_a_thread_was_read(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state_mark mark;
	const struct rec_state_stats *st;
	struct rec_state *s;

	fake_process(f, 50);
	s = fake_take(f);
	st = rec_state_stats(s);
	assert_true(rec_state_find(s, 50, &mark));
	assert_int_equal(mark.start_ns, 12345 * TICK_NS);
	assert_in_range(mark.stamp_ns, st->begin_ns, st->end_ns);
	assert_false(rec_state_find(s, 51, &mark));
	rec_state_free(s);
}

static void descriptors_of_a_process_that_was_not_listed_are_dropped(void **state)
{
	static const struct {
		int64_t tid;
		uint64_t start;
	} cases[] = {{5, 100}, {5, 200}, {6, 100}}; /* its own, of a later one, of nobody */
	struct rec_state *s = host_new(0);
	struct host_thread *t;
	struct host_fd *fd;

	(void)state;
	assert_non_null(s);
	assert_int_equal(host_add_thread(s, &t), 0);
	t->e.tid = t->e.pid = 5;
	t->mark.start_ns = 100;
	assert_int_equal(host_index_thread(s, t), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(host_add_fd(s, &fd), 0);
		fd->e.tid = cases[i].tid;
		fd->e.fd = (int64_t)i;
		fd->mark.start_ns = cases[i].start;
	}
	host_finish(s);
	assert_int_equal(rec_state_stats(s)->fds, 1);
	assert_int_equal(rec_state_stats(s)->fds_vanished, 2);
	assert_non_null(host_find_fd(s, 5, 0));
	rec_state_free(s);
}

static void a_host_without_proc_is_an_error(void **state)
{
	struct fake_proc *f = *state;
	struct rec_state_reader *reader = NULL;
	struct error err;

	f->opt.host_root = "/nonexistent/root";
	assert_int_equal(rec_state_open(&f->opt, &reader, &err), ERR_IO);
	assert_non_null(strstr(err.msg, "/nonexistent/root"));
	assert_null(reader);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fake_proc_setup, fake_proc_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(every_member_of_a_thread_is_filled_in),
	    T(the_executable_is_looked_up_through_the_link_of_the_process),
	    T(who_may_write_to_the_executable_follows_the_kernels_rules),
	    T(zombies_and_kernel_threads_are_counted_and_left_out),
	    T(a_command_may_contain_anything),
	    T(a_deleted_executable_keeps_its_mark),
	    T(a_huge_command_line_is_cut_to_the_formats_limit),
	    T(a_command_line_that_does_not_end_is_ended),
	    T(a_thread_is_kept_whatever_else_is_missing),
	    T(without_its_stat_or_status_there_is_no_thread),
	    T(truncated_files_do_no_harm),
	    T(another_process_under_the_same_id_is_not_mixed_in),
	    T(threads_follow_their_leader_and_have_its_program),
	    T(a_leader_that_ended_before_its_threads_is_told_by_them),
	    T(first_processes_of_namespaces_say_when_these_began),
	    T(in_the_first_namespace_ids_are_the_same_inside),
	    T(names_that_are_not_ids_are_not_processes),
	    T(limits_that_are_not_numbers_are_unknown),
	    T(the_recorder_and_environments_can_be_left_out),
	    T(memory_is_limited_and_what_did_not_fit_is_counted),
	    T(one_process_can_be_read_alone),
	    T(marks_say_when_a_thread_was_read),
	    T(descriptors_of_a_process_that_was_not_listed_are_dropped),
	    T(a_host_without_proc_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
