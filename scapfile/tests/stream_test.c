/* SPDX-License-Identifier: Apache-2.0 */
/* The window over the uncompressed bytes: what it holds, how far it grows, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scapfile/stream.h"
#include "scapfile/tests/capture_builder.h"

struct temp_file {
	int fd;
	char path[32];
};

/* A file without a name that holds @n bytes. */
static struct temp_file temp_file(const void *p, size_t n)
{
	struct temp_file f = {.fd = memfd_create("stream_test", MFD_CLOEXEC)};

	assert_true(f.fd >= 0);
	assert_int_equal(write(f.fd, p, n), n);
	snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

static uint8_t pattern(uint64_t offset)
{
	return (uint8_t)(offset * 2654435761u >> 13);
}

static void fill_pattern(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = pattern(i);
}

/* Take the whole stream in pieces of changing size, up to @most bytes, and check each byte. */
static void expect_pattern(struct sf_stream *s, size_t total, size_t most)
{
	struct error err;
	size_t piece = 1;
	uint64_t at = 0;

	while (at < total) {
		size_t n = piece < total - at ? piece : total - at;

		assert_int_equal(sf_stream_need(s, n, &err), 1);
		assert_int_equal(sf_stream_offset(s), at);
		for (size_t i = 0; i < n; i++)
			if (s->at[i] != pattern(at + i))
				fail_msg("byte %llu differs", (unsigned long long)(at + i));
		sf_stream_skip(s, n);
		at += n;
		piece = piece * 3 % most + 1;
	}
	assert_int_equal(sf_stream_need(s, 1, &err), 0);
	assert_int_equal(s->flow, SF_FLOW_END);
	assert_int_equal(s->end_offset, total);
}

static void pieces_of_any_size_come_out_of_every_container(void **state)
{
	static uint8_t plain[3 << 20];
	struct buf stored[3] = {0};

	(void)state;
	fill_pattern(plain, sizeof(plain));
	buf_add(&stored[0], plain, sizeof(plain));
	cb_gzip(&stored[1], plain, sizeof(plain));
	cb_zstd(&stored[2], plain, sizeof(plain));
	for (size_t i = 0; i < 3; i++) {
		struct temp_file f = temp_file(stored[i].p, stored[i].len);

		for (size_t most = 1000; most < sizeof(plain); most *= 30) {
			struct sf_stream s;
			struct error err;

			assert_int_equal(sf_stream_open(&s, f.path, false, &err), 0);
			assert_int_equal(s.compression, i);
			expect_pattern(&s, sizeof(plain), most);
			assert_int_equal(s.in.size, stored[i].len);
			sf_stream_done(&s);
			assert_int_equal(
			    sf_stream_open_memory(&s, stored[i].p, stored[i].len, false, &err), 0);
			expect_pattern(&s, sizeof(plain), most);
			sf_stream_done(&s);
		}
		close(f.fd);
		buf_done(&stored[i]);
	}
}

/* Bytes are hashed while they are in the window, which moves and grows. */
static void a_hash_made_aside_is_that_of_the_file(void **state)
{
	static uint8_t plain[3 << 20];
	struct buf stored[3] = {0};
	uint8_t want[32], got[32];

	(void)state;
	fill_pattern(plain, sizeof(plain));
	for (uint32_t i = 0, x = 1; i < sizeof(plain) / 2; i++)
		plain[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
	buf_add(&stored[0], plain, sizeof(plain));
	cb_gzip(&stored[1], plain, sizeof(plain));
	cb_zstd(&stored[2], plain, sizeof(plain));
	for (size_t i = 0; i < 3; i++) {
		struct temp_file f = temp_file(stored[i].p, stored[i].len);

		assert_true(sf_hash_once(stored[i].p, stored[i].len, want));
		for (size_t most = 1000; most < sizeof(plain); most *= 30) {
			struct sf_stream s;
			struct error err;

			assert_int_equal(sf_stream_open(&s, f.path, true, &err), 0);
			sf_hash_aside(s.in.hash);
			while (sf_stream_need(&s, most, &err) == 1)
				sf_stream_skip(&s, most);
			assert_int_equal(sf_stream_drain(&s, &err), 0);
			assert_true(sf_stream_hash(&s, got));
			assert_memory_equal(got, want, sizeof(want));
			sf_stream_done(&s);
			/* Closed while it may be at work. */
			assert_int_equal(sf_stream_open(&s, f.path, true, &err), 0);
			sf_hash_aside(s.in.hash);
			assert_int_equal(sf_stream_need(&s, sizeof(plain) / 2, &err), 1);
			sf_stream_done(&s);
		}
		close(f.fd);
		buf_done(&stored[i]);
	}
}

static void asking_for_more_than_there_is_allocates_little(void **state)
{
	static uint8_t bytes[100000];
	struct temp_file f = temp_file(bytes, sizeof(bytes));
	struct sf_stream s;
	struct error err;

	(void)state;
	assert_int_equal(sf_stream_open(&s, f.path, false, &err), 0);
	assert_int_equal(sf_stream_need(&s, 1u << 30, &err), 0);
	assert_int_equal(sf_stream_left(&s), sizeof(bytes));
	assert_true(s.cap <= 4 * SF_WINDOW_FIRST);
	sf_stream_done(&s);
	close(f.fd);
}

static void the_window_shrinks_behind_a_huge_block(void **state)
{
	static uint8_t zeros[20 << 20];
	struct buf packed = {0};
	struct sf_stream s;
	struct error err;
	size_t grown;

	(void)state;
	cb_gzip(&packed, zeros, sizeof(zeros));
	cb_gzip(&packed, zeros, sizeof(zeros));
	assert_int_equal(sf_stream_open_memory(&s, packed.p, packed.len, false, &err), 0);
	assert_int_equal(sf_stream_need(&s, sizeof(zeros), &err), 1);
	grown = s.cap;
	assert_true(grown >= sizeof(zeros) && grown <= 4 * sizeof(zeros));
	sf_stream_skip(&s, sizeof(zeros));
	for (int i = 0; i < 20; i++) {
		assert_int_equal(sf_stream_need(&s, 1 << 20, &err), 1);
		sf_stream_skip(&s, 1 << 20);
	}
	assert_true(s.cap <= SF_WINDOW_KEEP);
	sf_stream_done(&s);
	buf_done(&packed);
}

static void a_pipe_that_delivers_single_bytes_is_recognised(void **state)
{
	struct buf packed = {0};
	struct sf_stream s;
	struct error err;
	char path[32];
	pid_t child;
	int fds[2];

	(void)state;
	cb_zstd(&packed, "hello", 5);
	assert_int_equal(pipe(fds), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	/* One byte now; the rest comes from a child after the first read can have begun. */
	assert_int_equal(write(fds[1], packed.p, 1), 1);
	child = fork();
	if (child == 0) {
		for (size_t i = 1; i < packed.len; i++)
			if (write(fds[1], packed.p + i, 1) != 1)
				_exit(1);
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(sf_stream_open(&s, path, false, &err), 0);
	assert_int_equal(s.compression, SF_ZSTD);
	assert_int_equal(sf_stream_need(&s, 5, &err), 1);
	assert_memory_equal(s.at, "hello", 5);
	sf_stream_skip(&s, 5);
	assert_int_equal(sf_stream_need(&s, 1, &err), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	sf_stream_done(&s);
	close(fds[0]);
	buf_done(&packed);
}

static void draining_reads_what_decompression_left(void **state)
{
	static const char garbage[300000];
	struct buf packed = {0};
	struct temp_file f;
	struct sf_stream s;
	struct error err;

	(void)state;
	cb_gzip(&packed, "hello", 5);
	buf_add(&packed, garbage, sizeof(garbage));
	f = temp_file(packed.p, packed.len);
	assert_int_equal(sf_stream_open(&s, f.path, true, &err), 0);
	assert_int_equal(sf_stream_need(&s, 6, &err), 0);
	assert_int_equal(s.flow, SF_FLOW_END);
	assert_true(s.in.size < packed.len);
	assert_int_equal(sf_stream_drain(&s, &err), 0);
	assert_int_equal(s.in.size, packed.len);
	sf_stream_done(&s);
	close(f.fd);
	buf_done(&packed);
}

/* A frame header after frame header, each damaged behind it: resuming is tried a bounded number of
 * times. */
static void resuming_gives_up_on_a_file_of_false_starts(void **state)
{
	struct buf packed = {0};
	struct sf_stream s;
	struct error err;
	unsigned resumes = 0;
	int rc;

	(void)state;
	for (int i = 0; i < 20000; i++)
		buf_add(&packed, "\x28\xb5\x2f\xfd\xff\xff\xff", 7);
	assert_int_equal(sf_stream_open_memory(&s, packed.p, packed.len, false, &err), 0);
	for (;;) {
		assert_int_equal(sf_stream_need(&s, 1, &err), 0);
		rc = sf_stream_resume(&s, &err);
		assert_true(rc >= 0);
		if (rc == 0)
			break;
		resumes++;
	}
	assert_int_equal(resumes, SF_RESUMES_MAX);
	sf_stream_done(&s);
	buf_done(&packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_of_any_size_come_out_of_every_container),
	    cmocka_unit_test(asking_for_more_than_there_is_allocates_little),
	    cmocka_unit_test(a_hash_made_aside_is_that_of_the_file),
	    cmocka_unit_test(the_window_shrinks_behind_a_huge_block),
	    cmocka_unit_test(a_pipe_that_delivers_single_bytes_is_recognised),
	    cmocka_unit_test(draining_reads_what_decompression_left),
	    cmocka_unit_test(resuming_gives_up_on_a_file_of_false_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
