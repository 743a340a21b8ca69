/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings over a recorder that follows a script: files, limits, memory, losses, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/keeping.h"
#include "cli/recorder.h"
#include "cli/tests/fake_recorder.h"
#include "scapfile/scapfile.h"

static char dir[64];
static struct cli_recorder rec;

static const char *in_dir(const char *name)
{
	static char path[4][128];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static int setup(void **unused)
{
	(void)unused;
	snprintf(dir, sizeof(dir), "/tmp/recording-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	fake_reset();
	cli_recorder_init(&rec);
	rec.file.fill_disk = true; /* the machine's own is nothing to depend on */
	cli_log_setup("record", false, true, 0);
	return 0;
}

static int teardown(void **unused)
{
	char command[128];

	(void)unused;
	cli_recorder_done(&rec);
	assert_false(fake.open);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void option(int id, const char *value)
{
	assert_int_equal(cli_recording_take(&rec.file, id, value), 0);
}

static int record(const char *name)
{
	int rc;

	rec.file.path = name;
	rc = cli_recorder_open(&rec, NULL);
	return rc ? rc : cli_recorder_run(&rec);
}

struct contents {
	unsigned machines, threads, events, losses;
	uint64_t gaps;
	uint64_t first_ts;
};

static struct contents read_back(const char *path)
{
	struct contents c = {0};
	struct sf_reader *r;
	struct ev_item item;
	struct error err = {0};

	if (sf_reader_open(path, NULL, &r, &err) != 0)
		fail_msg("%s", err.msg);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0) {
		c.machines += item.kind == EV_ITEM_MACHINE;
		c.threads += item.kind == EV_ITEM_THREAD;
		c.losses += item.kind == EV_ITEM_LOSS;
		if (item.kind == EV_ITEM_EVENT && !c.events++)
			c.first_ts = item.ev->ts;
	}
	c.gaps = sf_reader_stats(r)->gaps;
	sf_reader_close(r);
	return c;
}

/* The captures, each of which has its seal, and nothing else is there. */
static unsigned files_in_dir(uint64_t *bytes)
{
	DIR *d = opendir(dir);
	unsigned n = 0, seals = 0;
	struct dirent *e;

	*bytes = 0;
	assert_non_null(d);
	while ((e = readdir(d))) {
		struct sf_seal_status seal;
		struct stat sb;

		if (e->d_name[0] == '.')
			continue;
		if (sv_ends(sv_of(e->d_name), SV_LIT(SF_SEAL_SUFFIX))) {
			seals++;
			continue;
		}
		assert_int_equal(stat(in_dir(e->d_name), &sb), 0);
		assert_int_equal(sf_seal_status(in_dir(e->d_name), &seal, NULL), 0);
		assert_int_equal(seal.verdict, SF_SEAL_INTACT);
		assert_int_equal(seal.origin, SF_SEAL_RECORDING);
		*bytes += (uint64_t)sb.st_size;
		n++;
	}
	closedir(d);
	assert_int_equal(seals, n);
	return n;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* --- files --- */

static void a_recording_can_be_read_back(void **unused)
{
	struct contents c;
	struct stat sb;

	(void)unused;
	fake.events = 1000;
	fake.losses = 2;
	assert_int_equal(record(in_dir("a.scap.zst")), 0);
	c = read_back(in_dir("a.scap.zst"));
	assert_int_equal(c.machines, 1);
	assert_int_equal(c.threads, 1);
	assert_int_equal(c.events, 1000);
	assert_int_equal(c.losses, 2);
	assert_int_equal(rec.meter.lost[EV_LOSS_RING_FULL], 20);
	assert_int_equal(rec.file.stats.events, 1000);
	assert_int_equal(stat(in_dir("a.scap.zst"), &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	assert_int_equal(rec.file.stored, sb.st_size);
}

static void an_existing_file_stays_unless_forced(void **unused)
{
	const char *path = in_dir("a.scap");
	FILE *f = fopen(path, "w");

	(void)unused;
	fputs("evidence", f);
	fclose(f);
	fake.events = 10;
	assert_int_equal(record(path), CLI_INPUT);
	assert_false(fake.open);
	assert_true(exists(path));
	cli_recorder_done(&rec);
	cli_recorder_init(&rec);
	rec.file.fill_disk = true;
	option(OPT_FORCE, NULL);
	assert_int_equal(record(path), 0);
	assert_int_equal(read_back(path).events, 10);
}

static void a_recorder_that_does_not_start_leaves_no_file(void **unused)
{
	(void)unused;
	fake.open_rc = ERR_PERMISSION;
	assert_int_equal(record(in_dir("a.scap.zst")), CLI_INPUT);
	assert_false(exists(in_dir("a.scap.zst")));
}

static int refuse(void *arg)
{
	(void)arg;
	return 127;
}

static void neither_does_a_command_that_does_not_start(void **unused)
{
	(void)unused;
	rec.begin = refuse;
	assert_int_equal(record(in_dir("a.scap.zst")), 127);
	assert_false(exists(in_dir("a.scap.zst")));
}

static void files_are_rotated_and_each_is_complete(void **unused)
{
	uint64_t bytes;
	unsigned events = 0, n;

	(void)unused;
	fake.events = 5000;
	option(OPT_ROTATE, "200K");
	assert_int_equal(record(in_dir("a.scap.zst")), 0);
	n = files_in_dir(&bytes);
	assert_true(n >= 4);
	assert_int_equal(fake.states, n);
	for (unsigned i = 1; i <= n; i++) {
		char name[32];
		struct contents c;

		snprintf(name, sizeof(name), "a.%04u.scap.zst", i);
		c = read_back(in_dir(name));
		assert_int_equal(c.machines, 1);
		assert_int_equal(c.threads, 1);
		assert_int_equal(c.gaps, 0);
		events += c.events;
	}
	assert_int_equal(events, 5000);
	assert_int_equal(rec.file.stored, bytes);
}

static void files_are_rotated_by_time_and_the_oldest_go(void **unused)
{
	uint64_t bytes;

	(void)unused;
	fake.events = 1000;
	fake.step_ns = 1000000000;
	option(OPT_ROTATE, "100s:3");
	assert_int_equal(record(in_dir("a.scap.gz")), 0);
	assert_int_equal(files_in_dir(&bytes), 3);
	assert_false(exists(in_dir("a.0001.scap.gz")));
	assert_int_equal(read_back(in_dir("a.0008.scap.gz")).events, 101);
	assert_int_equal(read_back(in_dir("a.0008.scap.gz")).first_ts,
			 FAKE_FIRST_TS + 7 * 101 * 1000000000ull);
}

/* --- limits --- */

static void a_recording_stops_at_its_size(void **unused)
{
	uint64_t bytes;

	(void)unused;
	fake.events = 1000000;
	option(OPT_MAX_SIZE, "1M");
	assert_int_equal(record(in_dir("a.scap.zst")), 0);
	assert_int_equal(files_in_dir(&bytes), 1);
	assert_in_range(bytes, 1000 << 10, 1200 << 10);
	assert_int_equal(read_back(in_dir("a.scap.zst")).gaps, 0);
}

static void with_a_count_the_oldest_make_room(void **unused)
{
	uint64_t bytes;

	(void)unused;
	fake.events = 20000;
	option(OPT_MAX_SIZE, "1M");
	option(OPT_ROTATE, "1h:4");
	assert_int_equal(record(in_dir("a.scap.zst")), 0);
	assert_int_equal(fake.delivered, 20000);
	assert_int_equal(files_in_dir(&bytes), 4);
	assert_in_range(bytes, 700 << 10, 1250 << 10);
}

static void without_a_count_all_files_together_have_a_size(void **unused)
{
	uint64_t bytes;

	(void)unused;
	fake.events = 1000000;
	option(OPT_MAX_SIZE, "1M");
	option(OPT_ROTATE, "200K");
	assert_int_equal(record(in_dir("a.scap.zst")), 0);
	assert_in_range(files_in_dir(&bytes), 4, 6);
	assert_in_range(bytes, 1000 << 10, 1250 << 10);
	assert_true(exists(in_dir("a.0001.scap.zst")));
}

static void a_recording_ends_after_its_duration(void **unused)
{
	(void)unused;
	fake.events = 5;
	fake.ends = false;
	rec.duration_ns = 20000000;
	assert_int_equal(record(in_dir("a.scap")), 0);
	assert_true(fake.stopped);
	assert_int_equal(read_back(in_dir("a.scap")).events, 5);
}

static void a_time_out_is_a_partial_result(void **unused)
{
	(void)unused;
	fake.ends = false;
	rec.timeout_ns = 1000000;
	assert_int_equal(record(in_dir("a.scap")), CLI_PARTIAL);
}

static bool all_has_come(void *arg)
{
	(void)arg;
	return fake.delivered == fake.events;
}

static void a_recording_ends_with_what_it_records(void **unused)
{
	(void)unused;
	fake.events = 700;
	fake.ends = false;
	rec.has_ended = all_has_come;
	assert_int_equal(record(in_dir("a.scap")), 0);
	assert_int_equal(read_back(in_dir("a.scap")).events, 700);
}

/* A limit on the size of files fails like a disk that is full. */
static void a_full_disk_leaves_what_was_written(void **unused)
{
	struct rlimit was, limit;
	struct contents c;
	uint64_t bytes;

	(void)unused;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	limit = was;
	limit.rlim_cur = 3 << 20;
	fake.events = 1000000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(record(in_dir("a.scap.zst")), CLI_INPUT);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_true(fake.delivered < fake.events);
	assert_int_equal(files_in_dir(&bytes), 1);
	assert_in_range(bytes, 1 << 20, 3 << 20);
	c = read_back(in_dir("a.scap.zst"));
	assert_int_equal(c.gaps, 0);
	assert_true(c.events > 4000);
}

static const char *deleted;

static void delete_it(unsigned i)
{
	if (i == 300)
		unlink(deleted);
}

static void a_deleted_file_ends_the_recording(void **unused)
{
	(void)unused;
	deleted = in_dir("a.scap");
	fake.events = 1000000;
	fake.on_event = delete_it;
	assert_int_equal(record(deleted), CLI_INPUT);
	assert_true(fake.delivered < 100000); /* a frame, or a tenth of a second */
}

static void rename_it(unsigned i)
{
	if (i == 300)
		assert_int_equal(rename(in_dir("a.scap"), in_dir("b.scap")), 0);
}

static void a_renamed_file_is_written_to_its_end(void **unused)
{
	(void)unused;
	fake.events = 5000;
	fake.on_event = rename_it;
	assert_int_equal(record(in_dir("a.scap")), 0);
	assert_int_equal(read_back(in_dir("b.scap")).events, 5000);
}

/* --- in memory --- */

static void what_is_kept_leaves_no_file(void **unused)
{
	uint64_t bytes;

	(void)unused;
	fake.events = 5000;
	option(OPT_KEEP, "256K");
	rec.file.opt.background = false; /* what is dropped when does not depend on a thread */
	assert_int_equal(record(in_dir("a.scap.zst")), 0);
	assert_int_equal(files_in_dir(&bytes), 0);
	assert_int_equal(rec.file.stored, 0);
	assert_in_range(fake.states, 8, 25); /* or old events could not be dropped */
	assert_in_range(rec.file.kept.events, 300, 1100);
	assert_in_range(rec.file.kept.bytes, 80000, 256 << 10);
	assert_in_range(rec.file.kept.dropped_events, 3900, 5000 - rec.file.kept.events);
}

static void ask_for_it(unsigned i)
{
	if (i % 2000 != 1999)
		return;
	cli_recording_dump(&rec.file, "the test");
	rec.file.wanted_at = FAKE_FIRST_TS + i * fake.step_ns; /* the fake's now */
}

static void it_is_written_when_something_asks_for_it(void **unused)
{
	uint64_t bytes;

	(void)unused;
	fake.events = 5000;
	fake.on_event = ask_for_it;
	option(OPT_KEEP, "256K");
	rec.file.opt.background = false; /* what is dropped when does not depend on a thread */
	option(OPT_KEEP_AT_END, NULL);
	assert_int_equal(record(in_dir("a.scap.zst")), 0);
	assert_int_equal(files_in_dir(&bytes), 3);
	assert_int_equal(rec.file.stored, bytes);
	assert_int_equal(rec.file.kept.dumps, 3);
	for (unsigned i = 1; i <= 3; i++) {
		char name[32];
		struct contents c;

		snprintf(name, sizeof(name), "a.%04u.scap.zst", i);
		c = read_back(in_dir(name));
		assert_int_equal(c.machines, 1);
		assert_int_equal(c.threads, 1);
		assert_int_equal(c.gaps, 0);
		assert_in_range(c.events, 300, 1100);
		/* All of the time before, and not much after. */
		assert_in_range(c.first_ts + c.events * fake.step_ns,
				FAKE_FIRST_TS + (i < 3 ? 2000 * i : 5000) * fake.step_ns,
				FAKE_FIRST_TS + (i < 3 ? 2000 * i + 300 : 5000) * fake.step_ns);
	}
	assert_string_equal(cli_recording_path(&rec.file), in_dir("a.0003.scap.zst"));
}

/* Asked for by the last event, when nobody looks any more. */
static void ask_at_the_end(unsigned i)
{
	if (i == 99)
		cli_recording_dump(&rec.file, "the test");
}

static void a_wish_of_the_last_moment_is_heeded(void **unused)
{
	(void)unused;
	fake.events = 100;
	fake.on_event = ask_at_the_end;
	option(OPT_KEEP, "1h");
	assert_int_equal(record(in_dir("a.scap")), 0);
	assert_int_equal(read_back(in_dir("a.0001.scap")).events, 100);
}

static void take_the_directory(unsigned i)
{
	if (i == 2000)
		assert_int_equal(rmdir(in_dir("d")), 0);
	ask_for_it(i);
}

static void what_cannot_be_written_is_told_and_recording_goes_on(void **unused)
{
	(void)unused;
	assert_int_equal(mkdir(in_dir("d"), 0700), 0);
	fake.events = 5000;
	fake.on_event = take_the_directory;
	option(OPT_KEEP, "64K");
	assert_int_equal(record(in_dir("d/a.scap.zst")), CLI_INPUT);
	assert_int_equal(fake.delivered, 5000);
	assert_int_equal(rec.file.kept.dumps, 0);
}

static void what_does_not_go_with_keep_is_refused(void **unused)
{
	static const struct {
		int id;
		const char *value;
	} cases[] = {{OPT_ROTATE, "1M"}, {OPT_MAX_SIZE, "1M"}, {OPT_FORCE, NULL}};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cli_recording_init(&rec.file);
		option(OPT_KEEP, "1s");
		option(cases[i].id, cases[i].value);
		assert_int_equal(record(in_dir("a.scap")), CLI_USAGE);
	}
	cli_recording_init(&rec.file);
	option(OPT_KEEP, "1s");
	assert_int_equal(record("-"), CLI_USAGE);
	cli_recording_init(&rec.file);
	option(OPT_KEEP_AT_END, NULL);
	assert_int_equal(record(in_dir("a.scap")), CLI_USAGE);
	assert_false(fake.open);
}

/* --- options --- */

static void what_to_keep_is_a_time_a_size_or_both(void **unused)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t ns, bytes;
	} cases[] = {
	    {"60s", true, 60000000000, SF_KEEP_BYTES_DEFAULT},
	    {"500ms", true, 500000000, SF_KEEP_BYTES_DEFAULT},
	    {"64M", true, 0, 64 << 20},
	    {"64K", true, 0, 64 << 10},
	    {"10m:1G", true, 600000000000, 1 << 30},
	    {"1h:64K", true, 3600000000000, 64 << 10},
	    {"", false, 0, 0},
	    {"60", false, 0, 0},
	    {"0s", false, 0, 0},
	    {"63K", false, 0, 0},
	    {"60s:", false, 0, 0},
	    {"60s:1K", false, 0, 0},
	    {":64M", false, 0, 0},
	    {"64M:60s", false, 0, 0},
	    {"60s:64M:", false, 0, 0},
	    {"soon", false, 0, 0},
	    {"1000000000000000000000000000000000000000s:1M", false, 0, 0},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t ns, bytes;
		bool ok = cli_parse_keep(cases[i].text, &ns, &bytes);

		if (ok != cases[i].ok || (ok && (ns != cases[i].ns || bytes != cases[i].bytes)))
			fail_msg("'%s': %d %llu %llu", cases[i].text, ok, (unsigned long long)ns,
				 (unsigned long long)bytes);
	}
}

static void rotations_are_sizes_or_times(void **unused)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t bytes, ns;
		unsigned keep;
	} cases[] = {
	    {"100M", true, 100 << 20, 0, 0},
	    {"64K:3", true, 64 << 10, 0, 3},
	    {"1G:10", true, 1 << 30, 0, 10},
	    {"10m", true, 0, 600000000000, 0},
	    {"30s:2", true, 0, 30000000000, 2},
	    {"500ms", true, 0, 500000000, 0},
	    {"1h", true, 0, 3600000000000, 0},
	    {"100", false, 0, 0, 0},
	    {"", false, 0, 0, 0},
	    {":3", false, 0, 0, 0},
	    {"10m:", false, 0, 0, 0},
	    {"10m:0", false, 0, 0, 0},
	    {"0s", false, 0, 0, 0},
	    {"0M", false, 0, 0, 0},
	    {"10x", false, 0, 0, 0},
	    {"10m:3:4", false, 0, 0, 0},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sf_rotation r;
		bool ok = cli_parse_rotation(cases[i].text, &r);

		if (ok != cases[i].ok || (ok && (r.bytes != cases[i].bytes || r.ns != cases[i].ns ||
						 r.keep != cases[i].keep)))
			fail_msg("'%s': %d %llu %llu %u", cases[i].text, ok,
				 (unsigned long long)r.bytes, (unsigned long long)r.ns, r.keep);
	}
}

static void files_are_named_after_host_and_time(void **unused)
{
	struct buf b = {0};

	(void)unused;
	cli_recording_name(&b, "web-07.example", 1795316541);
	assert_string_equal(buf_cstr(&b), "web-07.example-20261122T030221Z.scap.zst");
	buf_reset(&b);
	cli_recording_name(&b, "../a b", 1795316541);
	assert_string_equal(buf_cstr(&b), "_._a_b-20261122T030221Z.scap.zst");
	buf_reset(&b);
	cli_recording_name(&b, "", 1795316541);
	assert_string_equal(buf_cstr(&b), "capture-20261122T030221Z.scap.zst");
	buf_done(&b);
}

static void losses_are_told_by_reason(void **unused)
{
	uint64_t lost[EV_LOSS_REASONS] = {[EV_LOSS_SHED] = 1234};
	struct buf b = {0};

	(void)unused;
	cli_losses_text(&b, lost);
	assert_string_equal(buf_cstr(&b), "1,234 events: shed");
	lost[EV_LOSS_RING_FULL] = 1;
	buf_reset(&b);
	cli_losses_text(&b, lost);
	assert_string_equal(buf_cstr(&b), "1,235 events: 1 ring full, 1,234 shed");
	buf_done(&b);
}

/* --- the CPU --- */

static void pass(struct cli_pace *p, unsigned seconds, unsigned percent)
{
	for (unsigned i = 0; i < seconds; i++)
		cli_pace_step(p, p->wall + 1000000000, p->cpu + 10000000ull * percent);
}

static void less_is_recorded_while_the_limit_is_exceeded(void **unused)
{
	struct cli_pace p = {.limit = 20};

	(void)unused;
	pass(&p, 1, 90); /* what was used before says nothing */
	pass(&p, 1, 90);
	assert_int_equal(p.level, 0);
	pass(&p, 1, 90);
	assert_int_equal(p.level, 1);
	pass(&p, 4, 90);
	assert_int_equal(p.level, 3);
	pass(&p, 20, 90);
	assert_int_equal(p.level, 5);
	pass(&p, 100, 15); /* neither calm nor over */
	assert_int_equal(p.level, 5);
	pass(&p, 9, 5);
	assert_int_equal(p.level, 5);
	pass(&p, 1, 5);
	assert_int_equal(p.level, 4);
	pass(&p, 19, 5);
	assert_int_equal(p.level, 4);
	pass(&p, 1, 5);
	assert_int_equal(p.level, 3);
}

static void without_a_limit_nothing_is_left_out(void **unused)
{
	struct cli_pace p = {0};

	(void)unused;
	pass(&p, 50, 200);
	assert_int_equal(p.level, 0);
	assert_int_equal(p.percent, 200);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_recording_can_be_read_back),
	    TEST(an_existing_file_stays_unless_forced),
	    TEST(a_recorder_that_does_not_start_leaves_no_file),
	    TEST(neither_does_a_command_that_does_not_start),
	    TEST(files_are_rotated_and_each_is_complete),
	    TEST(files_are_rotated_by_time_and_the_oldest_go),
	    TEST(a_recording_stops_at_its_size),
	    TEST(with_a_count_the_oldest_make_room),
	    TEST(without_a_count_all_files_together_have_a_size),
	    TEST(a_recording_ends_after_its_duration),
	    TEST(a_time_out_is_a_partial_result),
	    TEST(a_recording_ends_with_what_it_records),
	    TEST(a_full_disk_leaves_what_was_written),
	    TEST(a_deleted_file_ends_the_recording),
	    TEST(a_renamed_file_is_written_to_its_end),
	    TEST(what_is_kept_leaves_no_file),
	    TEST(it_is_written_when_something_asks_for_it),
	    TEST(a_wish_of_the_last_moment_is_heeded),
	    TEST(what_cannot_be_written_is_told_and_recording_goes_on),
	    TEST(what_does_not_go_with_keep_is_refused),
	    cmocka_unit_test(what_to_keep_is_a_time_a_size_or_both),
	    cmocka_unit_test(rotations_are_sizes_or_times),
	    cmocka_unit_test(files_are_named_after_host_and_time),
	    cmocka_unit_test(losses_are_told_by_reason),
	    cmocka_unit_test(less_is_recorded_while_the_limit_is_exceeded),
	    cmocka_unit_test(without_a_limit_nothing_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
