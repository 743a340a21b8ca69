/* SPDX-License-Identifier: Apache-2.0 */
/* Seals as files: beside which captures they are, and when; keys, clocks, and seals made later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "scapfile/output.h"
#include "scapfile/tests/place.h"

#define SECOND 1000000000ull

static const struct sf_seal_options written = {.origin = SF_SEAL_WRITING, .tool = "test"};
static const struct sf_seal_options recorded = {.origin = SF_SEAL_RECORDING, .tool = "test"};

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static const char *seal_of(char out[256], const char *path)
{
	snprintf(out, 256, "%s.seal", path);
	return out;
}

static void check_with(const char *path, const char *key, struct sf_seal_report *r)
{
	const struct sf_seal_check_options opt = {.key_path = key};
	struct error err = {0};

	if (sf_seal_check(path, &opt, r, &err) < 0)
		fail_msg("%s", err.msg);
	sf_seal_report_done(r);
}

static enum sf_seal_verdict verdict_of(const char *path)
{
	struct sf_seal_report r;
	struct sf_seal_status s;

	check_with(path, NULL, &r);
	assert_int_equal(sf_seal_status(path, &s, NULL), 0);
	if (s.verdict != r.verdict) /* it does not see what is in the middle */
		assert_int_equal(s.verdict, SF_SEAL_INTACT);
	return r.verdict;
}

static void write_events(const char *path, const struct sf_writer_options *opt, uint64_t n)
{
	struct sf_writer *w = open_writer(path, opt);

	add_stats(w, 1, n);
	close_writer(w);
}

/* ---- which seal is beside which capture ---- */

static void a_capture_that_is_replaced_takes_its_seal_with_it(void **state)
{
	struct sf_writer_options opt = {.seal = &written, .replace = true};
	const char *path = in_place(*state, "a", ".scap.zst");
	struct place *p = *state;
	struct sf_writer *w;
	char seal[256], command[256];
	struct stat was, is;

	write_events(path, &opt, 5);
	assert_int_equal(verdict_of(path), SF_SEAL_INTACT);
	assert_int_equal(stat(seal_of(seal, path), &was), 0);
	assert_int_equal(was.st_mode & 07777, 0600);
	/* Until the new one is complete, the old pair stays. */
	w = open_writer(path, &opt);
	add_stats(w, 1, 7);
	assert_int_equal(verdict_of(path), SF_SEAL_INTACT);
	sf_writer_abandon(w);
	assert_int_equal(stat(seal, &is), 0);
	assert_int_equal(was.st_ino, is.st_ino);
	write_events(path, &opt, 9);
	assert_int_equal(verdict_of(path), SF_SEAL_INTACT);
	assert_int_equal(stat(seal, &is), 0);
	assert_int_not_equal(was.st_size == is.st_size && was.st_ino == is.st_ino, 1);
	/* One that is not sealed must not inherit the seal of the one before. */
	opt.seal = NULL;
	write_events(path, &opt, 11);
	assert_false(exists(seal));
	assert_int_equal(verdict_of(path), SF_SEAL_NONE);
	snprintf(command, sizeof(command), "test $(ls '%s' | wc -l) = 1", p->dir);
	assert_int_equal(system(command), 0);
}

static void a_new_capture_does_not_move_in_beside_another_ones_seal(void **state)
{
	const struct sf_writer_options sealed = {.seal = &written};
	const struct sf_writer_options *const opts[] = {NULL, &sealed};
	const char *path = in_place(*state, "a", ".scap");
	struct sf_writer *w = NULL;
	struct error err = {0};
	char seal[256];

	fclose(fopen(seal_of(seal, path), "w"));
	for (size_t i = 0; i < COUNT_OF(opts); i++) {
		assert_int_equal(sf_writer_open(path, opts[i], &w, &err), ERR_IO);
		assert_int_equal(err.sys, EEXIST);
		assert_non_null(strstr(err.msg, seal));
		assert_false(exists(path));
	}
	assert_null(w);
}

static void standard_output_has_no_seal(void **state)
{
	const struct sf_writer_options opt = {.seal = &written};
	struct sf_output o;
	struct sf_sealer k;

	(void)state;
	assert_int_equal(sf_sealer_init(&k, opt.seal, NULL), 0);
	assert_int_equal(sf_output_open(&o, "-", SF_PLACE_NEW, SF_PLAIN, &k, NULL), 0);
	assert_null(o.seal.sealer);
	assert_int_equal(sf_output_clock(&o, SF_CLOCK_START, NULL), 0);
	sf_output_done(&o);
	sf_sealer_done(&k);
	assert_false(exists("-.seal"));
}

static void files_of_a_set_refer_to_the_one_before(void **state)
{
	struct sf_writer_options opt = {.seal = &written, .rotation = {.events = 3, .keep = 2}};
	const char *path = in_place(*state, "a", ".scap.gz");
	struct sf_writer *w = open_writer(path, &opt);
	struct sf_seal_report r[5];

	for (unsigned i = 1; i <= 4; i++) {
		char name[256];

		add_stats(w, i * 10, 3);
		snprintf(name, sizeof(name), "%s", sf_writer_path(w));
		if (i < 4)
			assert_int_equal(sf_writer_rotate(w, NULL), 0);
		else
			close_writer(w);
		check_with(name, NULL, &r[i]);
		assert_int_equal(r[i].verdict, SF_SEAL_INTACT);
		assert_int_equal(r[i].rotated, i < 4);
		if (i > 1)
			assert_memory_equal(r[i].facts.previous_hash, r[i - 1].last_hash,
					    SF_SEAL_DIGEST);
	}
	for (unsigned i = 1; i <= 4; i++) { /* old files go with their seals */
		char end[32];

		snprintf(end, sizeof(end), ".%04u.scap.gz.seal", i);
		assert_int_equal(exists(in_place(*state, "a", end)), i > 2);
	}
}

static void dumps_of_what_is_kept_are_sealed(void **state)
{
	struct sf_writer_options opt = {.seal = &recorded, .keep_bytes = 1 << 20};
	const char *path = in_place(*state, "a", ".scap");
	struct sf_writer *w;
	struct sf_dump d;
	char first[256];

	/* The first number is taken by a capture, the second by a seal. */
	fclose(fopen(in_place(*state, "a", ".0001.scap"), "w"));
	fclose(fopen(in_place(*state, "a", ".0002.scap.seal"), "w"));
	path = in_place(*state, "a", ".scap");
	for (int background = 0; background < 2; background++) {
		struct sf_seal_report r;

		opt.background = background;
		w = open_writer(path, &opt);
		add_stats(w, 1, 20);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(sf_writer_dump(w, NULL), 0);
			assert_int_equal(sf_writer_flush(w, NULL), 0);
			assert_int_equal(sf_writer_dumped(w, &d, NULL), 1);
			check_with(d.path, NULL, &r);
			assert_int_equal(r.verdict, SF_SEAL_INTACT);
			assert_int_equal(r.events, 20);
			assert_int_equal(r.clocks, 2); /* the start, and when it was written */
			if (i)
				assert_string_equal(sv_is(sv_of(first), d.path) ? "same" : "other",
						    "other");
			snprintf(first, sizeof(first), "%s", d.path);
		}
		close_writer(w);
	}
	assert_false(exists(in_place(*state, "a", ".0001.scap.seal")));
	assert_true(exists(in_place(*state, "a", ".0006.scap.seal")));
}

/* A limit on the size of files makes writing fail as a full disk does, for anyone. */
static void a_full_disk_leaves_a_seal_of_what_is_there(void **state)
{
	for (size_t i = 0; i < COUNT_OF(suffix); i++) {
		const struct sf_writer_options opt = {.frame_bytes = 28 + 56 * 40,
						      .seal = &written};
		const char *path = in_place(*state, "a", suffix[i]);
		struct rlimit old, full;
		struct sf_seal_report r;
		struct sf_writer *w;
		struct error err;
		int rc = 0;

		getrlimit(RLIMIT_FSIZE, &old);
		full = (struct rlimit){9000, old.rlim_max};
		signal(SIGXFSZ, SIG_IGN);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
		w = open_writer(path, &opt);
		for (uint64_t k = 0; k < 100000 && rc >= 0; k++)
			rc = add_stat(w, k * 7919, (int64_t)(k * k), &err);
		assert_int_equal(rc, ERR_IO);
		assert_int_equal(sf_writer_close(w, &err), ERR_IO);
		setrlimit(RLIMIT_FSIZE, &old);
		check_with(path, NULL, &r);
		/* Whichever of both files was full first: all that is sealed is there. */
		assert_int_equal(r.faults, 0);
		assert_true(r.verdict == SF_SEAL_PREFIX || (r.ended && r.cut));
		assert_false(r.torn);
		assert_true(r.proven > 1000);
	}
}

static void a_writer_that_goes_away_leaves_a_provable_prefix(void **state)
{
	const struct sf_writer_options opt = {.frame_bytes = 28 + 56 * 10, .seal = &written};
	const char *path = in_place(*state, "a", ".scap.zst");
	struct sf_writer *w = open_writer(path, &opt);
	struct sf_seal_report r;

	add_stats(w, 1, 50);
	sf_writer_abandon(w);
	check_with(path, NULL, &r);
	assert_int_equal(r.verdict, SF_SEAL_PREFIX);
	assert_int_equal(r.events, 43);
	assert_int_equal(r.proven, r.size);
	assert_int_equal(verdict_of(path), SF_SEAL_PREFIX);
}

/* ---- keys ---- */

static void tags_show_that_lines_were_made_with_the_key(void **state)
{
	struct sf_seal_options seal = written;
	struct sf_writer_options opt = {.seal = &seal, .rotation = {.events = 3}};
	char key[256], other[256];
	struct sf_seal_report r;
	struct sf_writer *w;
	struct buf text = {0};
	struct stat st;

	seal.key_path = strcpy(key, in_place(*state, "key", ""));
	w = open_writer(in_place(*state, "a", ".scap"), &opt);
	add_stats(w, 1, 3);
	assert_int_equal(sf_writer_rotate(w, NULL), 0);
	add_stats(w, 10, 3);
	close_writer(w);
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	for (int i = 1; i <= 2; i++) {
		const char *path = in_place(*state, "a", i == 1 ? ".0001.scap" : ".0002.scap");

		check_with(path, NULL, &r);
		assert_int_equal(r.tags, SF_SEAL_TAGS_UNCHECKED);
		assert_int_equal(r.verdict, SF_SEAL_INTACT);
		check_with(path, key, &r);
		assert_int_equal(r.tags, SF_SEAL_TAGS_VALID);
		assert_int_equal(r.verdict, SF_SEAL_INTACT);
	}
	/* Another key, and a seal without one. */
	slurp(&text, key);
	text.p[30] = text.p[30] == 'a' ? 'b' : 'a';
	strcpy(other, in_place(*state, "other", ""));
	w = NULL;
	{
		FILE *f = fopen(other, "w");

		fwrite(text.p, 1, text.len, f);
		fclose(f);
	}
	check_with(in_place(*state, "a", ".0001.scap"), other, &r);
	assert_int_equal(r.verdict, SF_SEAL_BROKEN);
	assert_int_equal(r.first.kind, SF_SEAL_FAULT_TAG);
	assert_int_equal(r.first.line, 1);
	write_events(in_place(*state, "b", ".scap"), &(struct sf_writer_options){.seal = &written},
		     3);
	check_with(in_place(*state, "b", ".scap"), key, &r);
	assert_int_equal(r.first.kind, SF_SEAL_FAULT_TAG);
	buf_done(&text);
}

/* Whoever has no key can compute a chain, but no tags. */
static void a_chain_that_was_made_up_lacks_the_tags(void **state)
{
	struct sf_seal_options seal = written;
	struct sf_writer_options opt = {.seal = &seal};
	const char *path = in_place(*state, "a", ".scap");
	struct sf_seal_check_options check = {0};
	struct buf capture = {0}, forged = {0};
	struct sf_seal_report r;
	char key[256], name[256];

	opt.seal = &written;
	write_events(path, &opt, 4); /* what the forger would like to have been sealed */
	slurp(&capture, path);
	slurp(&forged, seal_of(name, path));
	seal.key_path = check.key_path = strcpy(key, in_place(*state, "key", ""));
	opt.seal = &seal;
	write_events(in_place(*state, "b", ".scap"), &opt, 3);
	assert_int_equal(
	    sf_seal_check_memory(buf_view(&capture), buf_view(&forged), NULL, &r, NULL), 0);
	assert_int_equal(r.verdict, SF_SEAL_INTACT);
	sf_seal_report_done(&r);
	assert_int_equal(
	    sf_seal_check_memory(buf_view(&capture), buf_view(&forged), &check, &r, NULL), 0);
	assert_int_equal(r.verdict, SF_SEAL_BROKEN);
	sf_seal_report_done(&r);
	buf_done(&capture);
	buf_done(&forged);
}

static void a_key_is_never_replaced_and_does_not_stay_without_a_capture(void **state)
{
	struct sf_seal_options seal = written;
	const struct sf_writer_options opt = {.seal = &seal};
	struct sf_writer *w = NULL;
	struct sf_seal_report r;
	struct error err = {0};
	char key[256], path[256];
	struct sf_seal_check_options check = {.key_path = path};

	strcpy(path, in_place(*state, "a", ".scap"));
	seal.key_path = strcpy(key, in_place(*state, "key", ""));
	fclose(fopen(path, "w"));
	assert_int_equal(sf_writer_open(path, &opt, &w, &err), ERR_IO);
	assert_false(exists(key));
	unlink(path);
	fclose(fopen(key, "w"));
	assert_int_equal(sf_writer_open(path, &opt, &w, &err), ERR_IO);
	assert_non_null(strstr(err.msg, "no key is ever replaced"));
	assert_true(exists(key));
	assert_false(exists(path));
	unlink(key);
	write_events(path, &opt, 3);
	assert_int_equal(sf_seal_check(path, &check, &r, &err), ERR_FORMAT);
	sf_seal_report_done(&r);
}

static void heads_go_where_somebody_else_keeps_them(void **state)
{
	struct sf_seal_options seal = written;
	const struct sf_writer_options opt = {.seal = &seal};
	const char *path = in_place(*state, "a", ".scap");
	struct place other = *(struct place *)*state;
	struct buf heads = {0}, text = {0};
	char name[256];

	seal.heads_path = in_place(&other, "heads", "");
	write_events(path, &opt, 3);
	slurp(&heads, other.path);
	slurp(&text, seal_of(name, path));
	/* The first line's hash and the last one's. */
	buf_cstr(&heads);
	assert_non_null(strstr(heads.p, "\"seal\":\"a.scap.seal\""));
	for (const char *h = heads.p; (h = strstr(h, "\"hash\":\"")); h++)
		assert_non_null(memmem(text.p, text.len, h, 8 + 64));
	assert_non_null(memmem(heads.p, heads.len, text.p + text.len - 67, 64));
	buf_done(&heads);
	buf_done(&text);
}

/* ---- clocks ---- */

static struct sf_clock clock_at(uint64_t realtime, uint64_t monotonic, uint64_t boottime)
{
	return (struct sf_clock){.why = SF_CLOCK_INTERVAL,
				 .realtime = realtime * SECOND,
				 .monotonic = monotonic * SECOND,
				 .boottime = boottime * SECOND,
				 .disciplined = true,
				 .synchronized = realtime % 2,
				 .maxerror_us = (int64_t)realtime};
}

static void steps_of_the_clock_are_told_and_suspension_is_none(void **state)
{
	const struct sf_clock clocks[] = {
	    clock_at(1001, 11, 11),  clock_at(1011, 21, 21),
	    clock_at(975, 22, 22),   /* set back by 37 s */
	    clock_at(1075, 23, 122), /* suspended for 99 s, and set by nothing */
	    clock_at(5075, 24, 123), /* set by 3999 s */
	};
	const char *path = in_place(*state, "a", ".scap");
	struct sf_sealer k;
	struct sf_seal_report r;
	struct sf_seal_status status;
	struct sf_seal s;

	fclose(fopen(path, "w"));
	assert_int_equal(sf_sealer_init(&k, &recorded, NULL), 0);
	assert_int_equal(sf_seal_begin(&s, &k, path, SF_PLACE_NEW, SF_PLAIN, NULL), 0);
	for (size_t i = 0; i < COUNT_OF(clocks); i++)
		assert_int_equal(sf_seal_clock(&s, &clocks[i], NULL), 0);
	assert_int_equal(sf_seal_end(&s, NULL), 0);
	sf_seal_done(&s);
	sf_sealer_done(&k);
	check_with(path, NULL, &r);
	assert_int_equal(r.verdict, SF_SEAL_INTACT);
	assert_int_equal(r.clocks, 5);
	assert_int_equal(r.nsteps, 2);
	assert_true(r.steps[0].ns == -37 * (int64_t)SECOND);
	assert_int_equal(r.steps[0].before, 1011 * SECOND);
	assert_int_equal(r.steps[0].after, 975 * SECOND);
	assert_int_equal(r.steps[1].ns, 3999 * SECOND);
	assert_int_equal(r.slept_ns, 99 * SECOND);
	assert_int_equal(r.unsynchronized, 0);
	assert_int_equal(r.maxerror_us, 5075);
	assert_int_equal(sf_seal_status(path, &status, NULL), 0);
	assert_int_equal(status.clocks, 5);
	assert_int_equal(status.nsteps, 2);
}

static void a_recording_notes_the_clocks_at_its_start_and_end(void **state)
{
	const struct sf_writer_options opt = {.seal = &recorded};
	const char *path = in_place(*state, "a", ".scap");
	struct sf_seal_report r;

	write_events(path, &opt, 3);
	check_with(path, NULL, &r);
	assert_int_equal(r.clocks, 2);
	assert_int_equal(r.nsteps, 0);
}

static void a_watch_asks_for_a_reading_when_time_has_passed_or_a_clock_was_set(void **state)
{
	struct sf_clock_watch w;

	(void)state;
	sf_clock_watch_start(&w);
	assert_int_equal(sf_clock_watch_look(&w), SF_CLOCK_NONE);
	w.looked.monotonic -= SF_CLOCK_LOOK_NS; /* as if it was a second ago, on all clocks */
	w.looked.realtime -= SF_CLOCK_LOOK_NS;
	w.looked.boottime -= SF_CLOCK_LOOK_NS;
	assert_int_equal(sf_clock_watch_look(&w), SF_CLOCK_NONE);
	w.looked.monotonic -= SF_CLOCK_LOOK_NS;
	w.looked.realtime -= SF_CLOCK_LOOK_NS + 1000 * SECOND;
	w.looked.boottime -= SF_CLOCK_LOOK_NS;
	assert_int_equal(sf_clock_watch_look(&w), SF_CLOCK_STEP);
	assert_int_equal(sf_clock_watch_look(&w), SF_CLOCK_NONE);
	w.next -= SF_CLOCK_EVERY_NS;
	w.looked.monotonic -= SF_CLOCK_LOOK_NS;
	w.looked.realtime -= SF_CLOCK_LOOK_NS;
	w.looked.boottime -= SF_CLOCK_LOOK_NS;
	assert_int_equal(sf_clock_watch_look(&w), SF_CLOCK_INTERVAL);
}

/* ---- later ---- */

static void copy_file(const char *from, const char *to)
{
	struct buf b = {0};
	FILE *f = fopen(to, "w");

	assert_non_null(f);
	slurp(&b, from);
	assert_int_equal(fwrite(b.p, 1, b.len, f), b.len);
	fclose(f);
	buf_done(&b);
}

static void a_seal_made_later_has_the_frames_of_one_made_meanwhile(void **state)
{
	const struct sf_seal_options later = {.origin = SF_SEAL_LATER, .tool = "test"};

	for (size_t i = 1; i < COUNT_OF(suffix); i++) {
		const struct sf_writer_options opt = {.frame_bytes = 28 + 56 * 10,
						      .seal = &written};
		struct place other = *(struct place *)*state;
		const char *path = in_place(*state, "a", suffix[i]);
		const char *copy = in_place(&other, "b", suffix[i]);
		struct sf_seal_report a, b;
		struct sf_seal_made made;
		struct error err;

		write_events(path, &opt, 95);
		copy_file(path, copy);
		assert_int_equal(sf_seal_capture(copy, &later, NULL, "why", &made, &err), 0);
		assert_false(made.damaged);
		check_with(path, NULL, &a);
		check_with(copy, NULL, &b);
		assert_int_equal(b.verdict, SF_SEAL_INTACT);
		assert_int_equal(b.facts.origin, SF_SEAL_LATER);
		assert_int_equal(a.frames, b.frames);
		assert_int_equal(a.events, b.events);
		assert_int_equal(a.sealed, b.sealed);
		assert_int_equal(a.lines, b.lines);
		assert_memory_equal(a.sha256, made.sha256, SF_SEAL_DIGEST);
		assert_int_equal(sf_seal_capture(copy, &later, NULL, NULL, &made, &err), ERR_IO);
		assert_int_equal(err.sys, EEXIST);
	}
}

static void a_damaged_capture_is_sealed_as_it_is(void **state)
{
	const struct sf_seal_options later = {.origin = SF_SEAL_LATER, .tool = "test"};

	for (size_t i = 1; i < COUNT_OF(suffix); i++) {
		const struct sf_writer_options opt = {.frame_bytes = 28 + 56 * 10};
		const char *path = in_place(*state, "a", suffix[i]);
		struct sf_seal_report r;
		struct sf_seal_made made;
		struct stat st;
		FILE *f;

		write_events(path, &opt, 95);
		assert_int_equal(stat(path, &st), 0);
		f = fopen(path, "r+");
		fseek(f, st.st_size / 2, SEEK_SET);
		fwrite("\xff\xff\xff\xff\xff\xff\xff\xff", 1, 8, f);
		fclose(f);
		assert_int_equal(sf_seal_capture(path, &later, NULL, NULL, &made, NULL), 0);
		assert_true(made.damaged);
		assert_int_equal(made.size, st.st_size);
		check_with(path, NULL, &r);
		assert_int_equal(r.verdict, SF_SEAL_INTACT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(a_capture_that_is_replaced_takes_its_seal_with_it),
	    in_a_place(a_new_capture_does_not_move_in_beside_another_ones_seal),
	    in_a_place(standard_output_has_no_seal),
	    in_a_place(files_of_a_set_refer_to_the_one_before),
	    in_a_place(dumps_of_what_is_kept_are_sealed),
	    in_a_place(a_full_disk_leaves_a_seal_of_what_is_there),
	    in_a_place(a_writer_that_goes_away_leaves_a_provable_prefix),
	    in_a_place(tags_show_that_lines_were_made_with_the_key),
	    in_a_place(a_chain_that_was_made_up_lacks_the_tags),
	    in_a_place(a_key_is_never_replaced_and_does_not_stay_without_a_capture),
	    in_a_place(heads_go_where_somebody_else_keeps_them),
	    in_a_place(steps_of_the_clock_are_told_and_suspension_is_none),
	    in_a_place(a_recording_notes_the_clocks_at_its_start_and_end),
	    in_a_place(a_watch_asks_for_a_reading_when_time_has_passed_or_a_clock_was_set),
	    in_a_place(a_seal_made_later_has_the_frames_of_one_made_meanwhile),
	    in_a_place(a_damaged_capture_is_sealed_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
