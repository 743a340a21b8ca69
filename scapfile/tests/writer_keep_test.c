/* SPDX-License-Identifier: Apache-2.0 */
/* Frames kept in memory: what is dropped, what a dump holds, and that nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scapfile/strict.h"
#include "scapfile/tests/place.h"

#define START 1700000000000000000u

/* ---- recording ---- */

static const struct ev_machine machine = {.num_cpus = 1,
					  .memory_bytes = 1u << 30,
					  .max_pid = 32768,
					  .hostname = {"box", 3},
					  .boot_ts = START - 1000};

/* The state as a recorder delivers it: one thread, and @files of its descriptors. */
static void give_state(struct sf_writer *w, unsigned files)
{
	const struct ev_thread_entry thread = {
	    .tid = 7, .pid = 7, .ptid = 1, .comm = {"seven", 5}, .exe = {"seven", 5}};
	const struct ev_item section = {.kind = EV_ITEM_SECTION};

	assert_int_equal(sf_writer_item(w, &section, NULL), 0);
	assert_int_equal(sf_writer_machine(w, &machine, NULL), 0);
	assert_int_equal(sf_writer_thread(w, &thread, NULL), 0);
	for (unsigned i = 0; i < files; i++) {
		char name[64];
		struct ev_fd_entry fd = {.tid = 7, .fd = i, .type = EV_FD_FIFO, .name.p = name};

		fd.name.n = (size_t)snprintf(name, sizeof(name), "pipe:[%u]", i * 2654435761u);
		assert_int_equal(sf_writer_fd(w, &fd, NULL), 0);
	}
}

/* A call on a path that does not compress. */
static int one_event(struct sf_writer *w, uint64_t ts, struct error *err)
{
	static uint32_t random = 1;
	static const uint8_t lens[] = {8, 0, 255, 0};
	uint8_t data[8 + 255] = {0};
	struct ev ev = {.ts = ts, .tid = 7, .type = EV_STAT_X, .nparams = 2};

	for (unsigned i = 8; i < sizeof(data) - 1; i++) {
		random = random * 1664525 + 1013904223;
		data[i] = (uint8_t)('A' + (random >> 24) % 64);
	}
	ev.lens = lens;
	ev.data = data;
	return sf_writer_event(w, &ev, err);
}

/* @n events, a nanosecond apart from @from on; the state again when it is due. */
static void record(struct sf_writer *w, uint64_t from, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		if (sf_writer_state_due(w))
			give_state(w, 2);
		assert_int_equal(one_event(w, from + i, NULL), 0);
	}
}

static struct sf_writer *begin(struct place *p, const char *end,
			       const struct sf_writer_options *opt)
{
	struct sf_writer *w = open_writer(in_place(p, "a", end), opt);

	give_state(w, 2);
	return w;
}

static struct sf_dump dump(struct sf_writer *w)
{
	struct sf_dump d = {0};
	struct error err = {0};

	if (sf_writer_dump(w, &err) < 0 || sf_writer_flush(w, &err) < 0 ||
	    sf_writer_dumped(w, &d, &err) != 1)
		fail_msg("%s", err.msg);
	assert_int_equal(sf_writer_dumped(w, &d, &err), 0); /* told once */
	return d;
}

/* ---- looking ---- */

struct contents {
	unsigned sections, threads, fds, losses;
	uint64_t lost, events, first, last;
	bool whole; /* each event is a nanosecond later than the one before */
};

static struct contents read_back(const char *path)
{
	struct contents c = {.whole = true};
	struct sf_reader *r;
	struct ev_item item;
	struct error err = {0};

	if (sf_reader_open(path, NULL, &r, &err) < 0)
		fail_msg("%s", err.msg);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0) {
		c.sections += item.kind == EV_ITEM_SECTION;
		c.threads += item.kind == EV_ITEM_THREAD;
		c.fds += item.kind == EV_ITEM_FD;
		if (item.kind == EV_ITEM_LOSS) {
			c.losses++;
			c.lost += item.loss->count;
			assert_int_equal(item.loss->reason, EV_LOSS_MEMORY);
			assert_int_equal(item.loss->cpu, -1);
		}
		if (item.kind != EV_ITEM_EVENT)
			continue;
		if (!c.events++)
			c.first = item.ev->ts;
		else if (item.ev->ts != c.last + 1)
			c.whole = false;
		c.last = item.ev->ts;
	}
	assert_int_equal(sf_reader_stats(r)->gaps, c.losses); /* but for those none */
	sf_reader_close(r);
	return c;
}

/* A dump is a capture like any other, to the letter. */
static struct contents check_dump(const struct sf_dump *d)
{
	struct contents c = read_back(d->path);
	struct sf_strict_report report;
	struct error err;

	assert_int_equal(sf_strict_check(d->path, &report, &err), 0);
	assert_int_equal(report.count, 0);
	sf_strict_done(&report);
	assert_int_equal(c.threads, 1);
	assert_int_equal(c.fds, 2);
	assert_true(c.whole);
	assert_int_equal(c.events, d->events);
	assert_int_equal(c.first, d->from);
	assert_int_equal(c.last, d->to);
	assert_int_equal(c.lost, d->missing);
	return c;
}

static unsigned files_in(const struct place *p)
{
	DIR *d = opendir(p->dir);
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static struct sf_kept kept(struct sf_writer *w)
{
	struct sf_kept k;

	sf_writer_kept(w, &k);
	return k;
}

/* ---- what is kept ---- */

static void the_events_of_the_last_seconds_are_kept(void **state)
{
	const struct sf_writer_options opt = {.keep_ns = 1000, .frame_bytes = 8192};
	struct sf_writer *w = begin(*state, ".scap.zst", &opt);
	struct sf_dump d;

	for (uint64_t n = 500; n < 6000; n += 777) {
		uint64_t last = START + n - 1;

		record(w, last + 1 - (n == 500 ? 500 : 777), n == 500 ? 500 : 777);
		d = dump(w);
		assert_int_equal(d.to, last);
		if (n < 1000)
			assert_int_equal(d.from, START);
		else
			assert_in_range(d.from, last - 1000 - 260, last - 1000);
		assert_int_equal(d.missing, 0);
		check_dump(&d);
	}
	assert_in_range(kept(w).sections, 20, 28); /* not taken more often than needed */
	close_writer(w);
}

static void the_bytes_kept_never_exceed_their_limit(void **state)
{
	for (size_t i = 0; i < 2 * COUNT_OF(suffix); i++) {
		struct sf_writer_options opt = {.keep_bytes = 100000, .frame_bytes = 4096};
		struct sf_writer *w;
		struct sf_dump d;

		opt.background = i & 1;
		w = begin(*state, suffix[i / 2], &opt);
		for (uint64_t n = 0; n < 3000; n += 10) {
			record(w, START + n, 10);
			assert_true(kept(w).bytes <= opt.keep_bytes);
		}
		d = dump(w);
		/* What waits for the thread counts uncompressed, and may push out more than half.
		 */
		assert_in_range(kept(w).bytes, opt.background ? 1 : opt.keep_bytes / 2,
				opt.keep_bytes);
		assert_int_equal(kept(w).events, d.events);
		assert_int_equal(kept(w).dropped_events + d.events, 3000);
		assert_true(kept(w).dropped_frames > 10);
		assert_true(kept(w).dropped_bytes > opt.keep_bytes);
		assert_int_equal(kept(w).written, d.bytes);
		assert_int_equal(sf_writer_stats(w)->stored, d.bytes);
		assert_int_equal(d.to, START + 2999);
		check_dump(&d);
		close_writer(w);
	}
}

static void a_limit_of_bytes_is_there_in_any_case(void **state)
{
	const struct sf_writer_options opt = {.keep_ns = 1};
	struct sf_writer *w = begin(*state, ".scap", &opt);

	/* Four times the default within a nanosecond: time drops none of it. */
	for (unsigned i = 0; i < 4 * (SF_KEEP_BYTES_DEFAULT / 300); i++)
		assert_int_equal(one_event(w, START, NULL), 0);
	assert_in_range(kept(w).bytes, SF_KEEP_BYTES_DEFAULT / 2, SF_KEEP_BYTES_DEFAULT);
	close_writer(w);
}

/* Whoever does not deliver the state when it is due has holes, and knows it. */
static void what_has_no_room_behind_the_state_is_a_loss(void **state)
{
	const struct sf_writer_options opt = {.keep_bytes = 100000, .frame_bytes = 4096};
	const struct ev_loss loss = {
	    .from = START, .to = START, .cpu = 0, .reason = EV_LOSS_SHED, .count = 42};
	struct sf_writer *w = begin(*state, ".scap.zst", &opt);
	struct contents c;
	struct sf_dump d;

	assert_int_equal(sf_writer_loss(w, &loss, NULL), 0);
	for (uint64_t n = 0; n < 1000; n++)
		assert_int_equal(one_event(w, START + n, NULL), 0);
	assert_true(sf_writer_state_due(w));
	d = dump(w);
	assert_int_equal(d.events + d.missing, 1000 + 42);
	c = check_dump(&d);
	assert_int_equal(c.losses, 1);
	assert_int_equal(c.last, START + 999);
	/* With the next state it is as if nothing had happened. */
	record(w, START + 1000, 1000);
	d = dump(w);
	assert_int_equal(d.missing, 0);
	assert_true(d.events > 50);
	check_dump(&d);
	close_writer(w);
}

/* The state has become most of what there is room for: there is less of the events. */
static void a_state_that_grows_leaves_less_of_the_events(void **state)
{
	const struct sf_writer_options opt = {.keep_bytes = 100000, .frame_bytes = 4096};
	struct sf_writer *w = begin(*state, ".scap", &opt);
	struct sf_dump d;

	for (uint64_t n = 0; n < 250; n++) /* nearly all of the limit */
		assert_int_equal(one_event(w, START + n, NULL), 0);
	give_state(w, 1400); /* without an event the section before it must not go */
	assert_int_equal(sf_writer_flush(w, NULL), 0);
	d = dump(w);
	assert_int_equal(d.events + d.missing, 250);
	assert_in_range(d.events, 1, 249);
	check_dump(&d);
	for (uint64_t n = 250; n < 300; n++)
		assert_int_equal(one_event(w, START + n, NULL), 0);
	assert_false(sf_writer_state_due(w));
	for (uint64_t n = 300; n < 500; n++)
		assert_int_equal(one_event(w, START + n, NULL), 0);
	assert_true(sf_writer_state_due(w));
	assert_true(kept(w).bytes <= opt.keep_bytes);
	close_writer(w);
}

static void a_state_that_is_most_of_the_limit_is_refused(void **state)
{
	const struct sf_writer_options opt = {.keep_bytes = 65536, .frame_bytes = 4096};
	struct sf_writer *w = open_writer(in_place(*state, "a", ".scap"), &opt);
	struct error err = {0};

	give_state(w, 400);
	assert_int_equal(one_event(w, START, &err), 0); /* ends the state */
	assert_int_equal(sf_writer_dump(w, &err), ERR_LIMIT);
	assert_non_null(strstr(err.msg, "65536 bytes to keep are too few"));
	assert_int_equal(sf_writer_close(w, &err), ERR_LIMIT);
	w = open_writer(in_place(*state, "a", ".scap"), &opt);
	give_state(w, 2000);
	assert_int_equal(one_event(w, START, &err), ERR_LIMIT);
	assert_int_equal(sf_writer_close(w, &err), ERR_LIMIT);
	assert_int_equal(files_in(*state), 0);
}

/* ---- dumps ---- */

static void dumps_are_numbered_and_go_on(void **state)
{
	for (size_t i = 0; i < 2 * COUNT_OF(suffix); i++) {
		struct sf_writer_options opt = {.keep_ns = 1000, .frame_bytes = 4096};
		struct place *p = *state, other = *p;
		struct sf_writer *w;
		struct sf_dump d;

		opt.background = i & 1;
		w = begin(p, suffix[i / 2], &opt);
		for (unsigned k = 1; k <= 3; k++) {
			char name[32];

			record(w, START + (k - 1) * 300, 300);
			d = dump(w);
			snprintf(name, sizeof(name), "a.%04u", k + (unsigned)(i & 1) * 3);
			assert_string_equal(d.path, in_place(&other, name, suffix[i / 2]));
			assert_int_equal(d.events, k * 300);
			check_dump(&d);
			assert_int_equal(kept(w).dumps, k);
		}
		close_writer(w);
	}
	assert_int_equal(files_in(*state), 18);
}

static void a_dump_asked_for_twice_is_written_once(void **state)
{
	const struct sf_writer_options opt = {.keep_ns = 1000, .background = true};
	struct sf_writer *w = begin(*state, ".scap.zst", &opt);
	struct sf_dump d;
	struct error err;

	record(w, START, 10);
	assert_int_equal(sf_writer_dump(w, &err), 0);
	assert_int_equal(sf_writer_dump(w, &err), ERR_USAGE);
	record(w, START + 10, 10); /* comes too late for it */
	assert_int_equal(sf_writer_flush(w, &err), 0);
	assert_int_equal(sf_writer_dumped(w, &d, &err), 1);
	assert_int_equal(d.events, 10);
	check_dump(&d);
	assert_int_equal(files_in(*state), 1);
	d = dump(w);
	assert_int_equal(d.events, 20);
	close_writer(w);
}

static void names_that_are_taken_are_left_alone(void **state)
{
	const struct sf_writer_options opt = {.keep_ns = 1000};
	struct place *p = *state, other = *p;
	struct sf_writer *w = begin(p, ".scap.zst", &opt);
	const char *taken = in_place(&other, "a.0001", ".scap.zst");
	FILE *f = fopen(taken, "w");
	struct buf b = {0};
	struct sf_dump d;

	fputs("evidence", f);
	fclose(f);
	assert_int_equal(symlink("nowhere", in_place(p, "a.0002", ".scap.zst")), 0);
	record(w, START, 5);
	d = dump(w);
	assert_string_equal(d.path, in_place(p, "a.0003", ".scap.zst"));
	check_dump(&d);
	slurp(&b, taken);
	assert_string_equal(buf_cstr(&b), "evidence");
	assert_int_equal(access(in_place(p, "nowhere", ""), F_OK), -1);
	buf_done(&b);
	close_writer(w);
}

static void without_an_event_there_is_nothing_to_dump(void **state)
{
	const struct sf_writer_options opt = {.keep_ns = 1000, .frame_bytes = 64};
	struct sf_writer *w = open_writer(in_place(*state, "a", ".scap"), &opt);
	struct sf_dump d;
	struct error err = {0};

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(sf_writer_dump(w, &err), 0);
		assert_int_equal(sf_writer_dumped(w, &d, &err), ERR_USAGE);
		assert_non_null(strstr(err.msg, "nothing is kept yet"));
		give_state(w, 2); /* alone it is no capture that others read */
	}
	assert_int_equal(files_in(*state), 0);
	record(w, START, 1);
	d = dump(w);
	assert_int_equal(d.events, 1);
	check_dump(&d); /* with one of the states */
	close_writer(w);
}

/* The state that begins the next section is half there. */
static void a_dump_may_come_while_the_state_is_taken(void **state)
{
	const struct sf_writer_options opt = {.keep_ns = 1000};
	const struct ev_item section = {.kind = EV_ITEM_SECTION};
	const struct ev_thread_entry thread = {
	    .tid = 7, .pid = 7, .ptid = 1, .comm = {"seven", 5}, .exe = {"seven", 5}};
	struct ev_fd_entry fd = {.tid = 7, .type = EV_FD_EVENTPOLL};
	struct sf_writer *w = begin(*state, ".scap.zst", &opt);
	struct sf_dump d;

	record(w, START, 100);
	assert_int_equal(sf_writer_item(w, &section, NULL), 0);
	assert_int_equal(sf_writer_machine(w, &machine, NULL), 0);
	assert_int_equal(sf_writer_thread(w, &thread, NULL), 0);
	assert_int_equal(sf_writer_fd(w, &fd, NULL), 0);
	assert_int_equal(sf_writer_dump(w, NULL), 0);
	assert_int_equal(sf_writer_dumped(w, &d, NULL), 1);
	assert_int_equal(check_dump(&d).events, 100);
	fd.fd = 1;
	assert_int_equal(sf_writer_fd(w, &fd, NULL), 0);
	record(w, START + 100, 100);
	d = dump(w);
	assert_int_equal(check_dump(&d).events, 200);
	record(w, START + 200, 1000); /* what was half there is the first one now */
	d = dump(w);
	assert_int_equal(d.from, START + 100);
	check_dump(&d);
	close_writer(w);
}

static void a_thread_behind_the_writer_changes_no_byte_of_a_dump(void **state)
{
	struct sf_writer_options opt = {.keep_ns = 500, .frame_bytes = 4096};
	struct buf bytes[2] = {{0}};

	for (int i = 0; i < 2; i++) {
		struct sf_writer *w;
		struct sf_dump d;

		opt.background = i;
		w = begin(*state, i ? ".scap.zst" : ".b.scap.zst", &opt);
		for (uint64_t k = 0; k < 2000; k++) {
			if (sf_writer_state_due(w))
				give_state(w, 2);
			assert_int_equal(add_stat(w, START + k, 7, NULL), 0);
		}
		d = dump(w);
		slurp(&bytes[i], d.path);
		close_writer(w);
	}
	assert_int_equal(bytes[0].len, bytes[1].len);
	assert_memory_equal(bytes[0].p, bytes[1].p, bytes[0].len);
	buf_done(&bytes[0]);
	buf_done(&bytes[1]);
}

/* A limit on the size of files makes writing fail as a full disk does, for anyone. */
static void a_full_disk_leaves_nothing_and_what_is_kept_stays(void **state)
{
	for (size_t i = 0; i < 2 * COUNT_OF(suffix); i++) {
		struct sf_writer_options opt = {.keep_ns = 1000, .frame_bytes = 4096};
		struct rlimit old, full;
		struct sf_writer *w;
		struct sf_dump d;
		struct error err = {0};

		opt.background = i & 1;
		w = begin(*state, suffix[i / 2], &opt);
		record(w, START, 200);
		getrlimit(RLIMIT_FSIZE, &old);
		full = (struct rlimit){20000, old.rlim_max};
		signal(SIGXFSZ, SIG_IGN);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
		assert_int_equal(sf_writer_dump(w, &err), 0);
		assert_int_equal(sf_writer_flush(w, &err), 0);
		assert_int_equal(sf_writer_dumped(w, &d, &err), ERR_IO);
		setrlimit(RLIMIT_FSIZE, &old);
		assert_int_equal(err.sys, EFBIG);
		assert_int_equal(files_in(*state), i);
		assert_int_equal(kept(w).dumps, 0);
		record(w, START + 200, 200);
		d = dump(w);
		assert_int_equal(d.events, 400);
		check_dump(&d);
		close_writer(w);
	}
}

static void a_directory_that_is_gone_is_told_each_time(void **state)
{
	const struct sf_writer_options opt = {.keep_ns = 1000};
	struct place *p = *state, inner = *p;
	struct sf_writer *w;
	struct sf_dump d;
	struct error err;

	snprintf(inner.dir, sizeof(inner.dir), "%.50s/d", p->dir);
	w = begin(&inner, ".scap", &opt);
	record(w, START, 10);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sf_writer_dump(w, &err), 0);
		assert_int_equal(sf_writer_dumped(w, &d, &err), ERR_IO);
		assert_int_equal(err.sys, ENOENT);
		record(w, START + 10 + i, 1);
	}
	close_writer(w);
}

/* What is in memory is lost with the process: that is what keeping means. */
static void a_killed_process_leaves_nothing(void **state)
{
	const struct sf_writer_options opt = {.keep_ns = 1000, .background = true};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct sf_writer *w = begin(*state, ".scap.zst", &opt);

		record(w, START, 5000);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(files_in(*state), 0);
}

static void options_that_make_no_sense_are_refused(void **state)
{
	const struct sf_writer_options wrong[] = {
	    {.keep_bytes = SF_KEEP_BYTES_MIN - 1},
	    {.keep_ns = 1, .replace = true},
	    {.keep_ns = 1, .rotation = {.events = 1}},
	};
	const struct sf_writer_options right = {.keep_ns = 1};
	struct sf_writer *w = NULL;
	struct error err;

	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(
		    sf_writer_open(in_place(*state, "a", ".scap"), &wrong[i], &w, &err), ERR_USAGE);
	assert_int_equal(sf_writer_open("-", &right, &w, &err), ERR_USAGE);
	assert_null(w);
	w = open_writer(in_place(*state, "a", ".scap"), NULL);
	assert_int_equal(sf_writer_dump(w, &err), ERR_USAGE);
	assert_false(sf_writer_state_due(w));
	assert_int_equal(kept(w).events, 0);
	close_writer(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(the_events_of_the_last_seconds_are_kept),
	    in_a_place(the_bytes_kept_never_exceed_their_limit),
	    in_a_place(a_limit_of_bytes_is_there_in_any_case),
	    in_a_place(what_has_no_room_behind_the_state_is_a_loss),
	    in_a_place(a_state_that_grows_leaves_less_of_the_events),
	    in_a_place(a_state_that_is_most_of_the_limit_is_refused),
	    in_a_place(dumps_are_numbered_and_go_on),
	    in_a_place(a_dump_asked_for_twice_is_written_once),
	    in_a_place(names_that_are_taken_are_left_alone),
	    in_a_place(without_an_event_there_is_nothing_to_dump),
	    in_a_place(a_dump_may_come_while_the_state_is_taken),
	    in_a_place(a_thread_behind_the_writer_changes_no_byte_of_a_dump),
	    in_a_place(a_full_disk_leaves_nothing_and_what_is_kept_stays),
	    in_a_place(a_directory_that_is_gone_is_told_each_time),
	    in_a_place(a_killed_process_leaves_nothing),
	    in_a_place(options_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
