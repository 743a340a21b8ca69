/* SPDX-License-Identifier: Apache-2.0 */
/* Sections, the order of blocks and containers. */
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
#include "scapfile/tests/describe.h"

#define EVENT_SIZE 56 /* of what cb_stat() writes */
#define SHB_SIZE   28

static void expect(const struct buf *capture, const char *wanted)
{
	struct buf out = {0};

	describe_capture(&out, capture->p, capture->len, NULL);
	assert_string_equal(buf_cstr(&out), wanted);
	buf_done(&out);
}

static void an_uninterpreted_event_has_the_bytes_of_the_smallest_accepted_file(void **state)
{
	static const uint8_t smallest[] = {
	    0x0a, 0x0d, 0x0d, 0x0a, 0x1c, 0,	0,    0,    0x4d, 0x3c, 0x2b, 0x1a, 1,	  0,
	    2,	  0,	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1c, 0,    0,	  0,
	    0x16, 2,	0,    0,    0x38, 0,	0,    0,    0,	  0,	0,    0xe8, 0xa0, 0x7e,
	    0x15, 0x9d, 0x97, 0x17, 0x64, 0,	0,    0,    0,	  0,	0,    0,    0x29, 0,
	    0,	  0,	0x43, 0,    2,	  0,	0,    0,    8,	  0,	3,    0,    0,	  0,
	    0,	  0,	0,    0,    0,	  0,	0x2f, 0x78, 0,	  0,	0x38, 0,    0,	  0};
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_stat(&c, 1700000100000000000, 100);
	assert_int_equal(c.out.len, sizeof(smallest));
	assert_memory_equal(c.out.p, smallest, sizeof(smallest));
	expect(&c.out, "section @0\n"
		       "event 67 ts=1700000100000000000 tid=100 cpu=0 0000000000000000 2f7800\n");
	cb_done(&c);
}

static void every_container_gives_the_same_items(void **state)
{
	struct capture c = {0};
	struct buf packed = {0};
	const char *wanted = cb_mixed(&c);

	(void)state;
	expect(&c.out, wanted);
	cb_gzip(&packed, c.out.p, c.out.len);
	expect(&packed, wanted);
	buf_reset(&packed);
	cb_zstd(&packed, c.out.p, c.out.len);
	expect(&packed, wanted);
	buf_done(&packed);
	cb_done(&c);
}

static void members_and_frames_may_be_split_anywhere(void **state)
{
	struct capture c = {0};
	struct buf packed = {0};
	const char *wanted = cb_mixed(&c);

	(void)state;
	for (size_t at = 0; at <= c.out.len; at += 7) {
		buf_reset(&packed);
		cb_gzip(&packed, c.out.p, at);
		cb_gzip(&packed, c.out.p + at, c.out.len - at);
		expect(&packed, wanted);
		buf_reset(&packed);
		cb_zstd(&packed, c.out.p, at);
		buf_add(&packed, "\x5e\x2a\x4d\x18\x03\0\0\0abc", 11); /* a skippable frame */
		cb_zstd(&packed, c.out.p + at, c.out.len - at);
		expect(&packed, wanted);
	}
	buf_done(&packed);
	cb_done(&c);
}

static void bytes_behind_the_last_gzip_member_are_ignored(void **state)
{
	struct capture c = {0};
	struct buf packed = {0};
	const char *wanted = cb_mixed(&c);

	(void)state;
	cb_gzip(&packed, c.out.p, c.out.len);
	buf_add(&packed, "\0\0garbage", 9);
	expect(&packed, wanted);
	buf_done(&packed);
	cb_done(&c);
}

/* Deliver @text's bytes through a pipe in tiny pieces. */
static void a_capture_is_read_through_a_pipe(void **state)
{
	struct capture c = {0};
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	struct buf out = {0};
	const char *wanted = cb_mixed(&c);
	char path[32];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], c.out.p, c.out.len), c.out.len);
	close(fds[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	assert_int_equal(sf_reader_open(path, NULL, &r, &err), 0);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		describe_item(&out, &item);
	assert_string_equal(buf_cstr(&out), wanted);
	ev_source_close(sf_reader_source(r));
	close(fds[0]);
	buf_done(&out);
	cb_done(&c);
}

static void concatenated_captures_are_sections(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_stat(&c, 1, 1);
	cb_section(&c);
	cb_machine(&c, 1, "b");
	cb_stat(&c, 2, 2);
	expect(&c.out,
	       "section @0\n"
	       "event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
	       "section @84\n"
	       "machine cpus=1 mem=1073741824 maxpid=32768 boot=1700000000000000000 host=b\n"
	       "event 67 ts=2 tid=2 cpu=0 0000000000000000 2f7800\n");
	cb_done(&c);
}

static void section_comments_are_kept(void **state)
{
	struct capture c = {0};
	struct sf_reader *r;
	struct ev_item item;
	struct error err;

	(void)state;
	cb_begin(&c, CB_SHB);
	cb_u32(&c, 0x1a2b3c4d);
	cb_u16(&c, 0);
	cb_u16(&c, 99);
	cb_u64(&c, 0);
	for (int code = 1; code <= 4; code += 3) {
		cb_u16(&c, (unsigned)code); /* 1: a comment, 4: somebody's name */
		cb_str16(&c, code == 1 ? "hello" : "me");
		cb_fill(&c, 0, code == 1 ? 3 : 2);
	}
	cb_u16(&c, 1);
	cb_str16(&c, "again!!!");
	cb_u32(&c, 0);
	cb_end(&c);
	cb_stat(&c, 1, 1);
	assert_int_equal(sf_reader_open_memory(c.out.p, c.out.len, NULL, &r, &err), 0);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		;
	assert_string_equal(sf_reader_comment(r, 0), "hello");
	assert_string_equal(sf_reader_comment(r, 1), "again!!!");
	assert_null(sf_reader_comment(r, 2));
	assert_int_equal(sf_reader_stats(r)->version_minor, 99);
	assert_int_equal(sf_reader_stats(r)->gaps, 0);
	sf_reader_close(r);
	cb_done(&c);
}

static void open_refuses(const void *p, size_t n, int code, const char *part)
{
	struct sf_reader *r;
	struct error err = {0};

	assert_int_equal(sf_reader_open_memory(p, n, NULL, &r, &err), code);
	assert_int_equal(err.code, code);
	if (!strstr(err.msg, part))
		fail_msg("'%s' is not in '%s'", part, err.msg);
}

static void what_is_no_capture_is_refused_with_a_reason(void **state)
{
	struct capture c = {0};
	struct buf packed = {0};
	struct sf_reader *r;
	struct error err;

	(void)state;
	cb_section(&c);
	for (size_t n = 0; n < SHB_SIZE; n++)
		open_refuses(c.out.p, n, ERR_TRUNCATED, n ? "section header" : "empty");
	open_refuses("hello, world", 12, ERR_FORMAT, "found 68 65 6c 6c");
	open_refuses("h", 1, ERR_FORMAT, "expected 0a 0d 0d 0a");
	c.out.p[12] = 2;
	open_refuses(c.out.p, SHB_SIZE, ERR_UNSUPPORTED, "version 2.2");
	c.out.p[8] = 0;
	open_refuses(c.out.p, SHB_SIZE, ERR_FORMAT, "magic");
	memcpy(c.out.p + 8, "\x1a\x2b\x3c\x4d", 4);
	open_refuses(c.out.p, SHB_SIZE, ERR_UNSUPPORTED, "byte order");
	cb_gzip(&packed, "nothing of interest here, really", 32);
	open_refuses(packed.p, packed.len, ERR_FORMAT, "uncompressed data");
	packed.p[12] ^= 0x55;
	open_refuses(packed.p, packed.len, ERR_FORMAT, "corrupt");
	assert_int_equal(sf_reader_open("/nonexistent/x.scap", NULL, &r, &err), ERR_IO);
	assert_non_null(strstr(err.msg, "/nonexistent/x.scap"));
	assert_int_equal(sf_reader_open("/", NULL, &r, &err), ERR_IO);
	buf_done(&packed);
	cb_done(&c);
}

static void a_section_without_events_is_read(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	expect(&c.out, "section @0\n");
	cb_done(&c);
}

static void unknown_blocks_are_skipped_and_between_events_noted(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	for (int i = 0; i < 2; i++) {
		cb_begin(&c, 0x1234);
		cb_fill(&c, 'x', 9);
		cb_end(&c);
		cb_stat(&c, (uint64_t)i, 1);
	}
	cb_machine(&c, 1, "late");
	cb_stat(&c, 2, 1);
	expect(&c.out, "section @0\n"
		       "event 67 ts=0 tid=1 cpu=0 0000000000000000 2f7800\n"
		       "event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
		       "event 67 ts=2 tid=1 cpu=0 0000000000000000 2f7800\n"
		       "gap framing @108+24\n"
		       "gap framing @188+192\n");
	cb_done(&c);
}

static void a_section_of_a_newer_version_is_skipped_and_noted(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_stat(&c, 0, 1);
	cb_section(&c);
	c.out.p[84 + 12] = 3;
	cb_stat(&c, 1, 1);
	cb_section(&c);
	cb_stat(&c, 2, 1);
	expect(&c.out, "section @0\n"
		       "event 67 ts=0 tid=1 cpu=0 0000000000000000 2f7800\n"
		       "section @84\n"
		       "section @168\n"
		       "event 67 ts=2 tid=1 cpu=0 0000000000000000 2f7800\n"
		       "gap block @84+84\n");
	cb_done(&c);
}

/* Read to the end with a hash wanted and compare it with @digest. */
static void expect_hash(const struct buf *file, const char *digest)
{
	struct sf_options opt = {.want_hash = true};
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	char hex[65];

	assert_int_equal(sf_reader_open_memory(file->p, file->len, &opt, &r, &err), 0);
	assert_false(sf_reader_stats(r)->sha256_valid);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		;
	assert_true(sf_reader_stats(r)->sha256_valid);
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", sf_reader_stats(r)->sha256[i]);
	assert_string_equal(hex, digest);
	assert_int_equal(sf_reader_stats(r)->file_size, file->len);
	sf_reader_close(r);
}

static void the_hash_is_that_of_the_file_as_stored_even_if_damaged(void **state)
{
	struct buf stored = {0};
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_stat(&c, 1, 1);
	expect_hash(
	    &c.out,
	    "5dc332ee0a47b65786b1c4ebdaaec3244c32669cf35d8fd4e1169ccd3086f457"); /* by sha256sum */
	cb_fill(&c, 0x77, 11);
	expect_hash(&c.out, "20bffb7055a069e23f757fec2608860c076a063a117b0f0ecac49dd925c80fd1");
	/* A stored gzip member by hand, so that no zlib version can change it, and garbage behind
	 * it. */
	buf_add(&stored, "\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x1c\0\xe3\xff", 15);
	buf_add(&stored, c.out.p, SHB_SIZE);
	buf_add(&stored, "\x11\x22\x33\x44\x1c\0\0\0garbage", 15); /* the checksum is wrong, too */
	expect_hash(&stored, "f98debfc3830947023feb2b5b16a8e60daac33bef4090dc11f419b55997ef06f");
	buf_done(&stored);
	cb_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_uninterpreted_event_has_the_bytes_of_the_smallest_accepted_file),
	    cmocka_unit_test(every_container_gives_the_same_items),
	    cmocka_unit_test(members_and_frames_may_be_split_anywhere),
	    cmocka_unit_test(bytes_behind_the_last_gzip_member_are_ignored),
	    cmocka_unit_test(a_capture_is_read_through_a_pipe),
	    cmocka_unit_test(concatenated_captures_are_sections),
	    cmocka_unit_test(section_comments_are_kept),
	    cmocka_unit_test(what_is_no_capture_is_refused_with_a_reason),
	    cmocka_unit_test(a_section_without_events_is_read),
	    cmocka_unit_test(unknown_blocks_are_skipped_and_between_events_noted),
	    cmocka_unit_test(a_section_of_a_newer_version_is_skipped_and_noted),
	    cmocka_unit_test(the_hash_is_that_of_the_file_as_stored_even_if_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
