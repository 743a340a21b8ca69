/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the writer: how they come to be, fill up, and make room for the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scapfile/strict.h"
#include "scapfile/tests/place.h"

static void files_are_private_and_never_overwrite_or_follow(void **state)
{
	const char *path = in_place(*state, "a", ".scap");
	struct place other = *(struct place *)*state;
	struct sf_writer *w = NULL;
	struct error err;
	struct stat st;
	mode_t mask = umask(0);

	close_writer(open_writer(path, NULL));
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sf_writer_open(path, NULL, &w, &err), ERR_IO);
	assert_int_equal(err.sys, EEXIST);
	assert_int_equal(symlink("nowhere", in_place(&other, "link", ".scap")), 0);
	assert_int_equal(sf_writer_open(other.path, NULL, &w, &err), ERR_IO);
	assert_int_equal(stat(in_place(&other, "nowhere", ""), &st), -1);
	assert_null(w);
}

static void a_replaced_file_stays_until_the_new_one_is_complete(void **state)
{
	const struct sf_writer_options opt = {.replace = true};
	const char *path = in_place(*state, "a", ".scap");
	struct place other = *(struct place *)*state;
	struct buf file = {0};
	struct sf_writer *w;
	uint64_t gaps;
	char command[256];

	w = open_writer(path, NULL);
	add_stats(w, 1, 3);
	close_writer(w);
	w = open_writer(path, &opt);
	add_stats(w, 1, 5);
	slurp(&file, path);
	assert_int_equal(events_in(file.p, file.len, &gaps), 3);
	sf_writer_abandon(w);
	slurp(&file, path);
	assert_int_equal(events_in(file.p, file.len, &gaps), 3);
	w = open_writer(path, &opt);
	add_stats(w, 1, 5);
	close_writer(w);
	slurp(&file, path);
	assert_int_equal(events_in(file.p, file.len, &gaps), 5);
	snprintf(command, sizeof(command), "test $(ls '%s' | wc -l) = 1", other.dir);
	assert_int_equal(system(command), 0);
	buf_done(&file);
}

/* A limit on the size of files makes writing fail as a full disk does, for anyone. */
static void a_full_disk_leaves_what_can_be_read(void **state)
{
	for (size_t i = 0; i < COUNT_OF(suffix) * 2; i++) {
		struct sf_writer_options opt = {.frame_bytes = 28 + 56 * 10};
		const char *path = in_place(*state, i < 3 ? "a" : "b", suffix[i % 3]);
		struct rlimit old, full;
		struct sf_writer *w;
		struct error err = {0};
		struct buf file = {0};
		uint64_t gaps, events;
		int rc = 0;

		opt.background = i >= 3;
		getrlimit(RLIMIT_FSIZE, &old);
		full = (struct rlimit){2000, old.rlim_max};
		signal(SIGXFSZ, SIG_IGN);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
		w = open_writer(path, &opt);
		for (uint64_t k = 0; k < 100000 && rc >= 0; k++)
			rc = add_stat(w, k * 7919, (int64_t)(k * k), &err);
		assert_int_equal(rc, ERR_IO);
		assert_int_equal(err.sys, EFBIG);
		assert_non_null(strstr(err.msg, path));
		assert_int_equal(add_stat(w, 1, 1, &err), ERR_IO);
		assert_int_equal(sf_writer_close(w, &err), ERR_IO);
		setrlimit(RLIMIT_FSIZE, &old);
		slurp(&file, path);
		assert_in_range(file.len, 1, 2000);
		events = events_in(file.p, file.len, &gaps);
		assert_int_equal(gaps, 0);
		if (i % 3 == SF_PLAIN) /* not compressed, so that single events can be kept */
			assert_int_equal(events, (2000 - 28) / 56);
		else
			assert_int_equal((events - 10) % 11, 0);
		buf_done(&file);
	}
}

#define TMPFS_BYTES 200000

/* A file system of the test's own on @dir, in a name space of its own. */
static bool mount_small(const char *dir)
{
	char size[32];

	snprintf(size, sizeof(size), "size=%d", TMPFS_BYTES);
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", dir, "tmpfs", 0, size) == 0;
}

/* In a process of its own. Return: its exit status; 2: it cannot mount. */
static int fill_small(struct place *p, const char *end)
{
	const struct sf_writer_options opt = {.frame_bytes = 20000, .background = true};
	const char *path = in_place(p, "full", end);
	struct sf_strict_report report;
	struct sf_writer *w;
	struct error err = {0};
	int rc = 0;

	if (!mount_small(p->dir))
		return 2;
	w = open_writer(path, &opt);
	for (uint64_t k = 1; k < 10000000 && rc >= 0; k++)
		rc = add_stat(w, k * 7919, (int64_t)(k * k % 4000000), &err);
	if (rc != ERR_IO || err.sys != ENOSPC || sf_writer_close(w, &err) != ERR_IO)
		return 3;
	if (sf_strict_check(path, &report, &err) < 0)
		return 4;
	/* What is there is whole; compressed, only the table of frames may not have fitted. */
	rc =
	    report.count == report.by_rule[SF_STRICT_CONTAINER_CUT] && report.events > 1000 ? 0 : 5;
	sf_strict_done(&report);
	return rc;
}

static void a_full_file_system_leaves_a_clean_capture(void **state)
{
	for (size_t i = 0; i < COUNT_OF(suffix); i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(fill_small(*state, suffix[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
			skip(); /* not allowed to mount here */
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

/* Who removes or renames what is being written keeps, or loses, just that. */
static void files_that_are_taken_away_do_no_harm(void **state)
{
	struct sf_writer_options opt = {.frame_bytes = 600, .rotation = {.events = 10, .keep = 1}};
	struct sf_writer *w = open_writer(in_place(*state, "a", ".scap"), &opt);
	struct place other = *(struct place *)*state;
	struct buf file = {0};
	struct error err;
	uint64_t gaps;

	add_stats(w, 1, 5);
	in_place(*state, "a.0001", ".scap");
	in_place(&other, "mine", ".scap");
	assert_int_equal(rename(((struct place *)*state)->path, other.path), 0);
	add_stats(w, 6, 5);
	assert_int_equal(sf_writer_rotate(w, &err), 0); /* and a.0001 is not there to delete */
	slurp(&file, other.path);
	assert_int_equal(events_in(file.p, file.len, &gaps), 10);
	assert_int_equal(gaps, 0);
	add_stats(w, 11, 5);
	assert_int_equal(unlink(sf_writer_path(w)), 0);
	add_stats(w, 16, 5);
	assert_int_equal(sf_writer_rotate(w, &err), 0);
	add_stats(w, 21, 5);
	close_writer(w);
	slurp(&file, in_place(&other, "a.0003", ".scap"));
	assert_int_equal(events_in(file.p, file.len, &gaps), 5);
	buf_done(&file);
}

static void a_directory_that_is_removed_ends_the_files_not_the_process(void **state)
{
	struct sf_writer_options opt = {.frame_bytes = 600, .rotation = {.events = 10}};
	struct place *p = *state, inner = *p;
	struct sf_writer *w;
	struct error err;
	char command[128];

	for (int replace = 0; replace < 2; replace++) {
		snprintf(inner.dir, sizeof(inner.dir), "%.50s/d", p->dir);
		assert_int_equal(mkdir(inner.dir, 0700), 0);
		opt.replace = replace;
		w = open_writer(in_place(&inner, "a", ".scap"), &opt);
		add_stats(w, 1, 10);
		snprintf(command, sizeof(command), "rm -rf '%s'", inner.dir);
		assert_int_equal(system(command), 0);
		add_stats(w, 11, 10);
		assert_int_equal(sf_writer_rotate(w, &err), ERR_IO);
		assert_int_equal(err.sys, ENOENT);
		assert_int_equal(add_stat(w, 30, 1, &err), ERR_IO);
		assert_int_equal(sf_writer_close(w, &err), ERR_IO);
	}
}

static const struct ev_thread_entry one_thread = {.tid = 7, .pid = 7};

static void each_rotated_file_is_complete_in_itself(void **state)
{
	struct sf_writer_options opt = {.rotation = {.events = 10, .keep = 2}};
	struct sf_writer *w = open_writer(in_place(*state, "a", ".scap.zst"), &opt);
	struct place other = *(struct place *)*state;
	struct buf file = {0};
	struct error err;
	uint64_t gaps;

	assert_int_equal(sf_writer_thread(w, &one_thread, &err), 0);
	for (uint64_t i = 0; i < 35; i++) {
		if (sf_writer_rotation_due(w)) {
			assert_int_equal(sf_writer_rotate(w, &err), 0);
			assert_int_equal(sf_writer_thread(w, &one_thread, &err), 0);
		}
		add_stats(w, i, 1);
	}
	assert_string_equal(sf_writer_path(w), in_place(&other, "a.0004", ".scap.zst"));
	close_writer(w);
	assert_int_equal(access(in_place(&other, "a.0002", ".scap.zst"), F_OK), -1);
	slurp(&file, in_place(&other, "a.0003", ".scap.zst"));
	assert_int_equal(events_in(file.p, file.len, &gaps), 10);
	slurp(&file, in_place(&other, "a.0004", ".scap.zst"));
	assert_int_equal(events_in(file.p, file.len, &gaps), 5);
	sf_reader_close(find_item(other.path, EV_ITEM_THREAD, &(struct ev_item){0}));
	buf_done(&file);
}

static void size_and_time_make_rotation_due(void **state)
{
	struct sf_writer_options opt = {.rotation = {.bytes = 28 + 56 * 4}};
	struct sf_writer *w = open_writer(in_place(*state, "a", ".scap"), &opt);

	add_stats(w, 1, 3);
	assert_false(sf_writer_rotation_due(w));
	add_stats(w, 4, 1);
	assert_true(sf_writer_rotation_due(w));
	close_writer(w);
	opt.rotation = (struct sf_rotation){.ns = 100};
	w = open_writer(in_place(*state, "b", ".scap.gz"), &opt);
	add_stats(w, 50, 100);
	assert_false(sf_writer_rotation_due(w));
	add_stats(w, 150, 1);
	assert_true(sf_writer_rotation_due(w));
	close_writer(w);
}

static void wrong_options_are_refused(void **state)
{
	struct sf_writer_options opt = {.level = 99};
	struct sf_writer *w = NULL;
	struct error err;

	assert_int_equal(sf_writer_open(in_place(*state, "a", ".scap.zst"), &opt, &w, &err),
			 ERR_USAGE);
	assert_int_equal(sf_writer_open(in_place(*state, "a", ".scap.gz"), &opt, &w, &err),
			 ERR_USAGE);
	opt = (struct sf_writer_options){.frame_bytes = UINT32_MAX};
	assert_int_equal(sf_writer_open(in_place(*state, "a", ".scap"), &opt, &w, &err), ERR_USAGE);
	opt = (struct sf_writer_options){.rotation = {.events = 1}};
	assert_int_equal(sf_writer_open("-", &opt, &w, &err), ERR_USAGE);
	assert_null(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(files_are_private_and_never_overwrite_or_follow),
	    in_a_place(a_replaced_file_stays_until_the_new_one_is_complete),
	    in_a_place(a_full_disk_leaves_what_can_be_read),
	    in_a_place(a_full_file_system_leaves_a_clean_capture),
	    in_a_place(files_that_are_taken_away_do_no_harm),
	    in_a_place(a_directory_that_is_removed_ends_the_files_not_the_process),
	    in_a_place(each_rotated_file_is_complete_in_itself),
	    in_a_place(size_and_time_make_rotation_due),
	    in_a_place(wrong_options_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
