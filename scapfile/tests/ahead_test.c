/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding ahead changes nothing but who does the work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scapfile/stream.h"
#include "scapfile/tests/capture_builder.h"

#define SIZE  6000000u /* more than is decoded before there is a thread, and than fits ahead */
#define PIECE 150001u

static uint8_t *contents;

static int make_contents(void **state)
{
	uint32_t seed = 1;

	(void)state;
	contents = malloc(SIZE);
	for (size_t i = 0; contents && i < SIZE; i++) {
		seed = seed * 1664525 + 1013904223;
		contents[i] = seed >> 30 ? (uint8_t) "openat /etc/hosts O_RDONLY"[i % 26]
					 : (uint8_t)(seed >> 20);
	}
	return contents ? 0 : -1;
}

static int free_contents(void **state)
{
	(void)state;
	free(contents);
	return 0;
}

static void pack(struct buf *out, bool zstd, size_t piece)
{
	for (size_t at = 0; at < SIZE; at += piece) {
		size_t n = SIZE - at < piece ? SIZE - at : piece;

		if (zstd)
			cb_zstd(out, contents + at, n);
		else
			cb_gzip(out, contents + at, n);
	}
}

static void open_stream(struct sf_stream *s, const struct buf *file, bool hash, bool ahead)
{
	int fd = memfd_create("capture", 0);
	struct error err = {0};
	char path[32];

	assert_int_equal(write(fd, file->p, file->len), file->len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(sf_stream_open(s, path, hash, &err), 0);
	close(fd);
	if (ahead) {
		assert_true(sf_stream_need(s, 1, &err) >= 0); /* as readers do */
		sf_stream_read_ahead(s);
	}
}

struct digest { /* of all that a stream gives */
	uint64_t bytes, size;
	unsigned resumes, corrupt;
	enum sf_flow flow;
	uint8_t sha256[32], stored_sha256[32];
};

/* Read in steps of @step to the end, behind damage, too. */
static void read_all(struct sf_stream *s, size_t step, struct digest *d)
{
	struct sf_hash *hash;
	struct error err;

	memset(d, 0, sizeof(*d));
	assert_int_equal(sf_hash_new(&hash, &err), 0);
	for (;;) {
		int rc = sf_stream_need(s, step, &err);
		size_t n = rc ? step : sf_stream_left(s);

		assert_in_range(rc, 0, 1);
		sf_hash_add(hash, s->at, n);
		sf_stream_skip(s, n);
		d->bytes += n;
		if (rc)
			continue;
		if (s->flow != SF_FLOW_CORRUPT)
			break;
		d->corrupt++;
		assert_non_null(s->codec->trouble);
		rc = sf_stream_resume(s, &err);
		assert_in_range(rc, 0, 1);
		if (!rc)
			break;
	}
	assert_true(sf_hash_end(hash, d->sha256));
	sf_hash_free(hash);
	d->flow = s->flow;
	d->resumes = s->resumes;
	assert_int_equal(sf_stream_drain(s, &err), 0);
	d->size = s->in.size;
	(void)sf_stream_hash(s, d->stored_sha256);
}

static void compare(const struct buf *file, size_t step)
{
	struct digest alone, ahead;
	struct sf_stream s;

	open_stream(&s, file, true, false);
	read_all(&s, step, &alone);
	sf_stream_done(&s);
	open_stream(&s, file, true, true);
	read_all(&s, step, &ahead);
	sf_stream_done(&s);
	assert_memory_equal(&alone, &ahead, sizeof(alone));
}

static void the_bytes_their_end_and_the_hash_are_the_same(void **state)
{
	static const size_t steps[] = {1000, 70000, 3000000};

	(void)state;
	for (unsigned form = 0; form < 4; form++) {
		struct buf file = {0};

		pack(&file, form & 1, form & 2 ? PIECE : SIZE);
		for (size_t i = 0; i < COUNT_OF(steps); i++)
			compare(&file, steps[i]);
		file.len -= file.len / 3; /* cut */
		compare(&file, 1000);
		buf_done(&file);
	}
}

/* More is left in the window than there is room for before what was decoded ahead. */
static void what_is_left_may_be_long(void **state)
{
	static const size_t needs[] = {30000, 60000, 70000, 120000, 300000, 700000};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(needs); i++) {
		struct buf file = {0};
		struct sf_stream s;
		struct error err;

		pack(&file, true, PIECE);
		open_stream(&s, &file, false, true);
		for (size_t at = 0; at + needs[i] <= SIZE; at += 8000) {
			assert_int_equal(sf_stream_need(&s, needs[i], &err), 1);
			assert_memory_equal(s.at, contents + at, needs[i]);
			sf_stream_skip(&s, 8000);
		}
		sf_stream_done(&s);
		buf_done(&file);
	}
}

static void damage_is_met_at_the_same_places(void **state)
{
	uint32_t seed = 5;

	(void)state;
	for (unsigned round = 0; round < 16; round++) {
		struct buf file = {0};

		pack(&file, round & 1, round & 2 ? PIECE : SIZE);
		for (unsigned i = 0; i < 1 + round / 4; i++) {
			seed = seed * 1664525 + 1013904223;
			file.p[file.len / 4 + seed % (file.len / 2)] ^= 0x10;
		}
		if (round > 12) /* before there is a thread */
			file.p[300] ^= 0x7f;
		compare(&file, round & 4 ? 999 : 50000);
		buf_done(&file);
	}
}

/* Far enough for the thread to be at work. */
static void read_some(struct sf_stream *s)
{
	struct error err;

	for (size_t at = 0; at < SIZE / 2; at += 1000) {
		assert_int_equal(sf_stream_need(s, 1000, &err), 1);
		assert_memory_equal(s->at, contents + at, 1000);
		sf_stream_skip(s, 1000);
	}
}

static void a_stream_can_be_left_at_any_time(void **state)
{
	(void)state;
	for (unsigned zstd = 0; zstd < 2; zstd++) {
		const struct sf_access start = {0};
		uint8_t whole[32], drained[32];
		struct buf file = {0};
		struct sf_hash *hash;
		struct sf_stream s;
		struct error err;

		pack(&file, zstd, PIECE);
		assert_int_equal(sf_hash_new(&hash, &err), 0);
		sf_hash_add(hash, file.p, file.len);
		assert_true(sf_hash_end(hash, whole));
		sf_hash_free(hash);

		open_stream(&s, &file, true, true);
		read_some(&s);
		sf_stream_done(&s); /* closed */

		open_stream(&s, &file, true, true);
		read_some(&s);
		assert_int_equal(sf_stream_drain(&s, &err), 0);
		assert_int_equal(s.in.size, file.len);
		assert_true(sf_stream_hash(&s, drained));
		assert_memory_equal(drained, whole, sizeof(whole));
		sf_stream_done(&s);

		open_stream(&s, &file, false, true);
		read_some(&s);
		assert_int_equal(sf_stream_enter(&s, &start, 1000, &err), 1); /* begun anew */
		assert_int_equal(sf_stream_offset(&s), 1000);
		assert_int_equal(sf_stream_need(&s, 500000, &err), 1);
		assert_memory_equal(s.at, contents + 1000, 500000);
		sf_stream_done(&s);
		buf_done(&file);
	}
}

static void places_to_enter_at_are_the_same(void **state)
{
	(void)state;
	for (unsigned zstd = 0; zstd < 2; zstd++) {
		struct sf_stream alone, ahead;
		struct buf file = {0};
		struct digest d;

		pack(&file, zstd, PIECE);
		open_stream(&alone, &file, false, false);
		open_stream(&ahead, &file, false, false);
		alone.log.span = ahead.log.span = 200000;
		sf_stream_read_ahead(&ahead);
		read_all(&alone, 1000, &d);
		read_all(&ahead, 1000, &d);
		assert_true(alone.log.count > 10);
		assert_int_equal(alone.log.count, ahead.log.count);
		for (size_t i = 0; i < alone.log.count; i++) {
			assert_int_equal(alone.log.list[i].stored, ahead.log.list[i].stored);
			assert_int_equal(alone.log.list[i].raw, ahead.log.list[i].raw);
		}
		sf_stream_done(&alone);
		sf_stream_done(&ahead);
		buf_done(&file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_bytes_their_end_and_the_hash_are_the_same),
	    cmocka_unit_test(what_is_left_may_be_long),
	    cmocka_unit_test(damage_is_met_at_the_same_places),
	    cmocka_unit_test(a_stream_can_be_left_at_any_time),
	    cmocka_unit_test(places_to_enter_at_are_the_same),
	};

	return cmocka_run_group_tests(tests, make_contents, free_contents);
}
