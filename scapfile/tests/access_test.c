/* SPDX-License-Identifier: Apache-2.0 */
/* Beginning in the middle of a stream: wherever it is entered, the bytes are those of the whole. */
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

#define SIZE  3000000u
#define SPAN  100000u
#define PIECE 70001u /* uncompressed bytes of a member or frame */

enum container { PLAIN, GZIP_ONE, GZIP_MANY, ZSTD_ONE, ZSTD_MANY, CONTAINERS };

/* Texts and numbers, so that compression finds something, but not everything. */
static uint8_t *contents(void)
{
	uint8_t *p = malloc(SIZE);
	uint32_t seed = 1;

	assert_non_null(p);
	for (size_t i = 0; i < SIZE; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = seed >> 30 ? (uint8_t) "open read /etc/passwd write"[i % 27]
				  : (uint8_t)(seed >> 20);
	}
	return p;
}

static void pack(struct buf *out, enum container c, const uint8_t *p)
{
	size_t piece = c == GZIP_MANY || c == ZSTD_MANY ? PIECE : SIZE;

	for (size_t at = 0; at < SIZE; at += piece) {
		size_t n = SIZE - at < piece ? SIZE - at : piece;

		if (c == PLAIN)
			buf_add(out, p + at, n);
		else if (c == GZIP_ONE || c == GZIP_MANY)
			cb_gzip(out, p + at, n);
		else
			cb_zstd(out, p + at, n);
	}
}

static void open_stream(struct sf_stream *s, const struct buf *file, int fd)
{
	struct error err = {0};
	static char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(fd < 0 ? sf_stream_open_memory(s, file->p, file->len, false, &err)
				: sf_stream_open(s, path, false, &err),
			 0);
}

static void read_to_end(struct sf_stream *s, const uint8_t *want, size_t at, size_t most)
{
	size_t end = most < SIZE - at ? at + most : SIZE;
	struct error err;

	while (at < end) {
		size_t n = end - at < 4000 ? end - at : 4000;

		assert_int_equal(sf_stream_offset(s), at);
		assert_int_equal(sf_stream_need(s, n, &err), 1);
		assert_memory_equal(s->at, want + at, n);
		sf_stream_skip(s, n);
		at += n;
	}
	if (end == SIZE)
		assert_int_equal(sf_stream_need(s, 1, &err), 0);
}

static const struct sf_access *before(const struct sf_access_log *log, uint64_t offset)
{
	static const struct sf_access start;
	const struct sf_access *found = &start;

	for (size_t i = 0; i < log->count && log->list[i].raw <= offset; i++)
		found = &log->list[i];
	return found;
}

static void enter_everywhere(const struct buf *file, int fd, enum container c, const uint8_t *want)
{
	struct sf_stream whole, s;
	struct error err = {0};

	open_stream(&whole, file, fd);
	whole.log.span = SPAN;
	read_to_end(&whole, want, 0, SIZE);
	assert_false(whole.log.failed);
	if (c == PLAIN || c == ZSTD_ONE)
		assert_int_equal(whole.log.count, 0);
	else
		assert_in_range(whole.log.count, SIZE / SPAN / 3, SIZE / SPAN);
	open_stream(&s, file, fd);
	for (size_t i = 0; i < 40; i++) {
		uint64_t offset = i * 2654435761u % SIZE;
		const struct sf_access *a = before(&whole.log, offset);

		assert_true(c == PLAIN || c == ZSTD_ONE || offset - a->raw < 3 * SPAN);
		assert_int_equal(sf_stream_enter(&s, a, offset, &err), 1);
		read_to_end(&s, want, offset, i % 10 ? 9000 : SIZE);
	}
	for (size_t i = 0; i < whole.log.count; i++) {
		assert_int_equal(
		    sf_stream_enter(&s, &whole.log.list[i], whole.log.list[i].raw, &err), 1);
		read_to_end(&s, want, whole.log.list[i].raw, 9000);
	}
	assert_int_equal(sf_stream_enter(&s, before(&whole.log, SIZE), SIZE + 1, &err), 0);
	sf_stream_done(&whole);
	sf_stream_done(&s);
}

static void every_container_can_be_entered_anywhere(void **state)
{
	uint8_t *want = contents();

	(void)state;
	for (enum container c = PLAIN; c < CONTAINERS; c++) {
		struct buf file = {0};
		int fd = memfd_create("access_test", MFD_CLOEXEC);

		pack(&file, c, want);
		assert_int_equal(write(fd, file.p, file.len), file.len);
		enter_everywhere(&file, -1, c, want);
		enter_everywhere(&file, fd, c, want);
		close(fd);
		buf_done(&file);
	}
	free(want);
}

static void a_pipe_cannot_be_entered(void **state)
{
	const struct sf_access a = {0};
	struct sf_stream s;
	struct error err = {0};
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "abcdefgh", 8), 8);
	open_stream(&s, NULL, ends[0]);
	close(ends[1]);
	assert_int_equal(sf_stream_enter(&s, &a, 2, &err), ERR_IO);
	sf_stream_done(&s);
	close(ends[0]);
}

/* Where the index is not of this file, what comes out is damage or other bytes, but never a crash.
 */
static void a_wrong_place_is_damage(void **state)
{
	uint8_t *want = contents();
	uint8_t window[100] = {0};

	(void)state;
	for (enum container c = GZIP_ONE; c < CONTAINERS; c++) {
		struct buf file = {0};
		struct sf_stream s;
		struct error err = {0};

		pack(&file, c, want);
		open_stream(&s, &file, -1);
		for (size_t i = 0; i < 300; i++) {
			const struct sf_access a = {
			    .stored = i * 2654435761u % (file.len + 1000),
			    .raw = i,
			    .bits = i % 8,
			    .window = i & 1 ? sv_make(window, sizeof(window)) : SV_NONE,
			};

			(void)!sf_stream_enter(&s, &a, 5000, &err);
		}
		sf_stream_done(&s);
		buf_done(&file);
	}
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_container_can_be_entered_anywhere),
	    cmocka_unit_test(a_pipe_cannot_be_entered),
	    cmocka_unit_test(a_wrong_place_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
