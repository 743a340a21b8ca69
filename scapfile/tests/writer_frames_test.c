/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of the writer: each whole in itself, whatever happens to the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scapfile/strict.h"
#include "scapfile/tests/capture_builder.h"
#include "scapfile/tests/place.h"

/* Where the frames of a zstd file end, from its seek table. Return: how many. */
static size_t seek_table(const struct buf *file, size_t *ends, size_t max, uint64_t *total)
{
	const uint8_t *p = (const uint8_t *)file->p, *foot = p + file->len - 9, *at;
	uint32_t n = load_u32(foot);
	size_t end = 0;

	assert_int_equal(load_u32(foot + 5), 0x8f92eab1);
	assert_int_equal(foot[4], 0);
	at = foot - 8 * (size_t)n;
	assert_int_equal(load_u32(at - 8), 0x184d2a5e);
	assert_int_equal(load_u32(at - 4), 8 * n + 9);
	assert_in_range(n, 1, max);
	*total = 0;
	for (uint32_t i = 0; i < n; i++, at += 8) {
		end += load_u32(at);
		*total += load_u32(at + 4);
		ends[i] = end;
	}
	assert_int_equal(end + 8 + 8 * (size_t)n + 9, file->len);
	return n;
}

static void a_file_cut_behind_any_frame_is_whole_up_to_there(void **state)
{
	const struct sf_writer_options opt = {.frame_bytes = 28 + 56 * 10};
	const char *path = in_place(*state, "a", ".scap.zst");
	struct sf_writer *w = open_writer(path, &opt);
	struct buf file = {0};
	size_t ends[64], n;
	uint64_t total, gaps;

	add_stats(w, 1, 105);
	close_writer(w);
	slurp(&file, path);
	n = seek_table(&file, ends, COUNT_OF(ends), &total);
	assert_int_equal(total, 28 + 56 * 105);
	for (size_t i = 0; i < n; i++) {
		uint64_t whole = i + 1 < n ? 10 + 11 * i : 105;

		assert_int_equal(events_in(file.p, ends[i], &gaps), whole);
		assert_int_equal(gaps, 0);
		if (i + 1 == n)
			break;
		/* Inside the next frame: what was complete before is all there, and the cut is
		 * noted. */
		assert_true(events_in(file.p, ends[i] + 9, &gaps) >= whole);
		assert_int_equal(gaps, 1);
	}
	buf_done(&file);
}

static void each_frame_but_the_first_can_be_read_by_itself(void **state)
{
	const struct sf_writer_options opt = {.frame_bytes = 600};
	struct capture head = {0};
	struct buf file = {0}, joined = {0};
	size_t ends[64], n;
	uint64_t total, gaps;

	for (size_t i = 1; i < COUNT_OF(suffix); i++) {
		struct sf_writer *w = open_writer(in_place(*state, "a", suffix[i]), &opt);

		add_stats(w, 1, 100);
		close_writer(w);
	}
	slurp(&file, in_place(*state, "a", ".scap.zst"));
	n = seek_table(&file, ends, COUNT_OF(ends), &total);
	cb_section(&head);
	for (size_t i = 1; i < n; i++) {
		buf_reset(&joined);
		cb_zstd(&joined, head.out.p, head.out.len);
		buf_add(&joined, file.p + ends[i - 1], ends[i] - ends[i - 1]);
		assert_true(events_in(joined.p, joined.len, &gaps) > 0);
		assert_int_equal(gaps, 0);
	}
	slurp(&file, in_place(*state, "a", ".scap.gz"));
	n = 0;
	for (size_t i = 0; i + 3 < file.len; i++)
		n += memcmp(file.p + i, "\x1f\x8b\x08\0", 4) == 0;
	assert_true(n >= 9);
	buf_done(&file);
	buf_done(&joined);
	cb_done(&head);
}

static void time_ends_frames_also_without_events(void **state)
{
	const struct sf_writer_options opt = {.frame_ns = 100};
	struct sf_writer *w = open_writer(in_place(*state, "a", ".scap.zst"), &opt);
	struct error err;

	add_stats(w, 1000, 100);
	assert_int_equal(sf_writer_stats(w)->frames, 0);
	add_stats(w, 1100, 1);
	assert_int_equal(sf_writer_stats(w)->frames, 1);
	assert_int_equal(add_stat(w, UINT64_MAX, 1, &err), 0);
	assert_int_equal(add_stat(w, 5, 1, &err), 0);
	assert_int_equal(sf_writer_tick(w, 1120, &err), 0);
	assert_int_equal(sf_writer_tick(w, 1219, &err), 0);
	assert_int_equal(sf_writer_stats(w)->frames, 1);
	assert_int_equal(sf_writer_tick(w, 1220, &err), 0);
	assert_int_equal(sf_writer_stats(w)->frames, 2);
	assert_int_equal(sf_writer_tick(w, 5000, &err), 0);
	assert_int_equal(sf_writer_stats(w)->frames, 2);
	close_writer(w);
}

/* Events that come late are not worth a frame each. */
static void a_writer_that_is_behind_makes_no_small_frames(void **state)
{
	const struct sf_writer_options opt = {.frame_ns = 100};
	struct sf_writer *w = open_writer(in_place(*state, "a", ".scap.zst"), &opt);
	struct error err;

	for (uint64_t now = 5000; now < 5400; now++) {
		add_stats(w, 1000 + (now - 5000) / 5, 1);
		assert_int_equal(sf_writer_tick(w, now, &err), 0);
	}
	assert_in_range(sf_writer_stats(w)->frames, 3, 4);
	close_writer(w);
}

static void the_state_alone_is_written_when_time_passes(void **state)
{
	const struct sf_writer_options opt = {.frame_ns = 100, .background = true};
	const char *path = in_place(*state, "a", ".scap");
	struct ev_thread_entry thread = {.tid = 7, .pid = 7};
	struct ev_fd_entry fd = {.tid = 7, .fd = 1, .type = EV_FD_EVENTPOLL};
	struct sf_writer *w = open_writer(path, &opt);
	struct buf file = {0};
	struct error err;
	uint64_t gaps;

	assert_int_equal(sf_writer_thread(w, &thread, &err), 0);
	assert_int_equal(sf_writer_fd(w, &fd, &err), 0);
	assert_int_equal(sf_writer_tick(w, 5000, &err), 0);
	assert_int_equal(sf_writer_tick(w, 5099, &err), 0);
	assert_int_equal(sf_writer_stats(w)->frames, 0);
	assert_int_equal(sf_writer_tick(w, 5100, &err), 0);
	assert_int_equal(sf_writer_stats(w)->frames, 1);
	fd.fd = 2; /* its list goes on in the next frame */
	assert_int_equal(sf_writer_fd(w, &fd, &err), 0);
	add_stats(w, 6000, 1);
	close_writer(w);
	slurp(&file, path);
	assert_int_equal(events_in(file.p, file.len, &gaps), 1);
	assert_int_equal(gaps, 0);
	buf_done(&file);
}

static void a_tick_tells_what_failed_behind_the_writer(void **state)
{
	const struct sf_writer_options opt = {.frame_bytes = 1, .background = true};
	struct error err = {0};
	struct sf_writer *w;
	int ends[2], out, rc = 0;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	out = dup(STDOUT_FILENO);
	dup2(ends[1], STDOUT_FILENO);
	w = open_writer("-", &opt);
	rc = add_stat(w, 1, 1, &err);
	for (int i = 0; i < 100000000 && rc == 0; i++)
		rc = sf_writer_tick(w, 1, &err);
	assert_int_equal(sf_writer_close(w, NULL), ERR_IO);
	dup2(out, STDOUT_FILENO);
	close(out);
	close(ends[1]);
	assert_int_equal(rc, ERR_IO);
	assert_int_equal(err.sys, EPIPE);
}

static void a_thread_behind_the_writer_changes_no_byte(void **state)
{
	struct sf_writer_options opt = {.frame_bytes = 4096};
	struct buf here = {0}, there = {0};

	for (size_t i = 0; i < COUNT_OF(suffix); i++) {
		struct sf_writer *w;

		opt.background = false;
		w = open_writer(in_place(*state, "here", suffix[i]), &opt);
		add_stats(w, 1, 5000);
		close_writer(w);
		slurp(&here, ((struct place *)*state)->path);
		opt.background = true;
		w = open_writer(in_place(*state, "there", suffix[i]), &opt);
		add_stats(w, 1, 5000);
		close_writer(w);
		slurp(&there, ((struct place *)*state)->path);
		assert_int_equal(here.len, there.len);
		assert_memory_equal(here.p, there.p, here.len);
	}
	buf_done(&here);
	buf_done(&there);
}

static void a_killed_process_loses_the_frame_in_progress_only(void **state)
{
	for (size_t i = 0; i < COUNT_OF(suffix); i++) {
		const struct sf_writer_options opt = {.frame_bytes = 28 + 56 * 10};
		const char *path = in_place(*state, "a", suffix[i]);
		struct buf file = {0};
		uint64_t gaps;
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			add_stats(open_writer(path, &opt), 1, 10 + 11 * 3 + 5);
			kill(getpid(), SIGKILL);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		slurp(&file, path);
		assert_int_equal(events_in(file.p, file.len, &gaps), 10 + 11 * 3);
		assert_int_equal(gaps, 0);
		buf_done(&file);
	}
}

/* ---- a process that is killed at any moment ---- */

#define KILLS 50

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

/* Write for ever, one event each nanosecond. */
static _Noreturn void write_for_ever(const char *path)
{
	const struct sf_writer_options opt = {.frame_bytes = 3000, .background = true};
	struct sf_writer *w = open_writer(path, &opt);

	for (uint64_t ts = 1;; ts++)
		add_stats(w, ts, 1);
}

/*
 * What is left of it: the events from the first on without a gap, at least those of the frames that
 * were complete; and at most the frame that was being written is cut.
 */
static void check_remains(const char *path)
{
	struct sf_strict_report report;
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	uint64_t events = 0, tail;

	if (sf_reader_open(path, NULL, &r, &err) < 0)
		fail_msg("%s", err.msg);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		if (item.kind == EV_ITEM_EVENT)
			assert_int_equal(item.ev->ts, ++events);
	assert_true(events > 0);
	assert_in_range(sf_reader_stats(r)->gaps, 0, 1);
	sf_reader_close(r);
	assert_int_equal(sf_strict_check(path, &report, &err), 0);
	tail = report.by_rule[SF_STRICT_TRUNCATED] + report.by_rule[SF_STRICT_CONTAINER_CUT] +
	       report.by_rule[SF_STRICT_SEEK_TABLE];
	assert_int_equal(report.count, tail);
	assert_int_equal(report.events, events);
	sf_strict_done(&report);
}

static void a_process_killed_at_any_moment_leaves_a_capture(void **state)
{
	unsigned random = 20231122;

	for (size_t i = 0; i < KILLS; i++) {
		const char *path = in_place(*state, "killed", suffix[i % COUNT_OF(suffix)]);
		off_t enough;
		pid_t pid;
		int status;

		random = random * 1103515245 + 12345;
		enough = 3100 + (random >> 8) % (i % 3 ? 20000 : 300000);
		pid = fork();
		if (pid == 0)
			write_for_ever(path);
		while (size_of(path) < enough)
			sched_yield();
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		check_remains(path);
		unlink(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(a_file_cut_behind_any_frame_is_whole_up_to_there),
	    in_a_place(each_frame_but_the_first_can_be_read_by_itself),
	    in_a_place(time_ends_frames_also_without_events),
	    in_a_place(a_writer_that_is_behind_makes_no_small_frames),
	    in_a_place(the_state_alone_is_written_when_time_passes),
	    cmocka_unit_test(a_tick_tells_what_failed_behind_the_writer),
	    in_a_place(a_thread_behind_the_writer_changes_no_byte),
	    in_a_place(a_killed_process_loses_the_frame_in_progress_only),
	    in_a_place(a_process_killed_at_any_moment_leaves_a_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
