/* SPDX-License-Identifier: Apache-2.0 */
/* A reader that begins in the middle delivers what one that began at the start does from there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scapfile/internal.h"
#include "scapfile/tests/capture_builder.h"

#define CORPUS SOURCE_DIR "/../shared/corpus/"
#define OWN    SOURCE_DIR "/tests/captures/"
#define SPAN   4000

/* A capture, and how many events are between two places it is entered at. Old ones have events that
 * wait for others. */
static const struct {
	const char *path;
	unsigned every;
} captures[] = {
    {OWN "intrusion.scap", 991},
    {OWN "uring.scap", 7},
    {CORPUS "public/sample.scap", 7},
    {CORPUS "public/connect_localhost.scap", 7},
    {CORPUS "public/curl_google.scap", 31},
    {CORPUS "recorded/network.scap", 97},
};

/* The uncompressed bytes of the capture at @path. */
static void slurp(struct buf *out, const char *path)
{
	struct sf_stream s;
	struct error err;

	assert_int_equal(sf_stream_open(&s, path, false, &err), 0);
	while (sf_stream_need(&s, 1, &err) == 1) {
		buf_add(out, s.at, sf_stream_left(&s));
		sf_stream_skip(&s, sf_stream_left(&s));
	}
	sf_stream_done(&s);
}

/* In members or frames of some 9000 bytes each, or all in one. */
static void pack(struct buf *out, enum sf_compression c, const struct buf *plain, size_t piece)
{
	for (size_t at = 0; at < plain->len; at += piece) {
		size_t n = plain->len - at < piece ? plain->len - at : piece;

		if (c == SF_PLAIN)
			buf_add(out, plain->p + at, n);
		else if (c == SF_GZIP)
			cb_gzip(out, plain->p + at, n);
		else
			cb_zstd(out, plain->p + at, n);
	}
}

static void mix(uint64_t *sum, const struct ev_item *item)
{
	struct ev *ev = item->ev;

	*sum = hash_u64(*sum ^ (uint64_t)item->kind ^ item->offset);
	if (item->kind != EV_ITEM_EVENT)
		return;
	*sum = hash_u64(*sum ^ ev->ts) ^ ev->type ^ (uint64_t)ev->tid << 32;
	for (unsigned i = 0; i < ev->nparams; i++)
		*sum = hash_bytes(ev_param(ev, i).p, ev_param(ev, i).n, *sum);
}

/* What stands for all items from here to the end. */
static uint64_t rest_of(struct sf_reader *r)
{
	struct ev_item item;
	struct error err;
	uint64_t sum = 0;

	while (ev_source_next(sf_reader_source(r), &item, &err) == 1)
		mix(&sum, &item);
	return sum;
}

/* What stands for the next item; 0: there is none. */
static uint64_t next_of(struct sf_reader *r)
{
	struct ev_item item;
	struct error err;
	uint64_t sum = 0;

	if (ev_source_next(sf_reader_source(r), &item, &err) == 1)
		mix(&sum, &item);
	return sum;
}

static struct sf_reader *open_reader(const struct buf *file)
{
	const struct sf_options opt = {.access_span = SPAN};
	struct sf_reader *r = NULL;
	struct error err = {0};

	if (sf_reader_open_memory(file->p, file->len, &opt, &r, &err) < 0)
		fail_msg("%s", err.msg);
	return r;
}

static const struct sf_access *before(const struct sf_reader *whole, uint64_t offset)
{
	static const struct sf_access start;
	const struct sf_access *found = &start, *all;
	size_t n;

	all = sf_reader_access(whole, &n);
	for (size_t i = 0; i < n && all[i].raw <= offset; i++)
		found = &all[i];
	return found;
}

/* @whole is read to its end; @saved is where @serial is. */
static void enter(const struct buf *file, const struct sf_reader *whole, struct sf_reader *serial,
		  const struct buf *saved)
{
	struct sf_reader *r = open_reader(file), *s = open_reader(file);
	struct buf again = {0};
	struct error err = {0};
	uint64_t offset = sf_reader_offset(serial);

	assert_int_equal(sf_reader_enter(r, before(whole, offset), saved->p, saved->len, &err), 0);
	assert_int_equal(sf_reader_enter(s, &(struct sf_access){0}, saved->p, saved->len, &err), 0);
	assert_int_equal(sf_reader_offset(r), offset);
	assert_int_equal(sf_reader_save(r, &again, &err), 0);
	assert_true(sv_eq(buf_view(&again), buf_view(saved)));
	assert_true(rest_of(r) == rest_of(s));
	assert_int_equal(sf_reader_stats(r)->events, sf_reader_stats(whole)->events);
	assert_int_equal(sf_reader_stats(r)->blocks, sf_reader_stats(whole)->blocks);
	assert_int_equal(sf_reader_stats(r)->gaps, sf_reader_stats(whole)->gaps);
	assert_int_equal(sf_reader_stats(r)->stream_size, sf_reader_stats(whole)->stream_size);
	sf_reader_close(r);
	sf_reader_close(s);
	buf_done(&again);
}

/* The sums of what follows each event, by a reader that began at the start. */
static void enter_everywhere(const struct buf *file, unsigned every)
{
	struct sf_reader *whole = open_reader(file), *serial = open_reader(file);
	struct ev_item item;
	struct error err;
	uint64_t n = 0;

	(void)rest_of(whole);
	while (ev_source_next(sf_reader_source(serial), &item, &err) == 1) {
		struct buf saved = {0};
		struct sf_reader *r;

		if (item.kind != EV_ITEM_EVENT || ++n % every)
			continue;
		assert_int_equal(sf_reader_save(serial, &saved, &err), 0);
		enter(file, whole, serial, &saved);
		r = open_reader(file);
		assert_int_equal(sf_reader_enter(r, before(whole, sf_reader_offset(serial)),
						 saved.p, saved.len, &err),
				 0);
		assert_true(next_of(r) == next_of(serial));
		n++;
		sf_reader_close(r);
		buf_done(&saved);
	}
	assert_true(n > 0);
	sf_reader_close(whole);
	sf_reader_close(serial);
}

static void captures_can_be_entered_behind_any_event(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(captures); i++) {
		struct buf plain = {0};

		if (access(captures[i].path, R_OK) != 0)
			continue;
		slurp(&plain, captures[i].path);
		for (enum sf_compression c = SF_PLAIN; c <= SF_ZSTD; c++) {
			struct buf file = {0};

			pack(&file, c, &plain, 9000);
			enter_everywhere(&file, captures[i].every);
			buf_done(&file);
		}
		buf_done(&plain);
	}
}

static void what_is_no_place_is_refused(void **state)
{
	const struct sf_access far = {.stored = 1, .raw = 1u << 20};
	struct buf file = {0}, saved = {0};
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	uint64_t behind;

	(void)state;
	slurp(&file, OWN "network.scap");
	r = open_reader(&file);
	assert_int_equal(sf_reader_save(r, &saved, &err), ERR_USAGE);
	while (ev_source_next(sf_reader_source(r), &item, &err) == 1 && item.kind != EV_ITEM_EVENT)
		;
	assert_int_equal(sf_reader_save(r, &saved, &err), 0);
	behind = sf_reader_offset(r);
	sf_reader_close(r);
	r = open_reader(&file);
	assert_int_equal(sf_reader_enter(r, &far, saved.p, saved.len, &err), ERR_FORMAT);
	for (size_t n = 0; n < saved.len; n++)
		assert_int_equal(sf_reader_enter(r, &(struct sf_access){0}, saved.p, n, &err),
				 ERR_FORMAT);
	sf_reader_close(r);
	file.len = behind - 1;
	r = open_reader(&file);
	assert_int_equal(sf_reader_enter(r, &(struct sf_access){0}, saved.p, saved.len, &err),
			 ERR_TRUNCATED);
	sf_reader_close(r);
	buf_done(&file);
	buf_done(&saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(captures_can_be_entered_behind_any_event),
	    cmocka_unit_test(what_is_no_place_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
