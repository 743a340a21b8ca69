/* SPDX-License-Identifier: Apache-2.0 */
/* The strict check of how captures are stored, and of what the writer and real recorders wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scapfile/strict.h"
#include "scapfile/tests/good_capture.h"
#include "scapfile/tests/place.h"
#include "scapfile/tests/strict_expect.h"

#define CORPUS SOURCE_DIR "/../shared/corpus/"

/* ---- what is written here ---- */

/* The good capture through the writer, in frames of @frame_bytes. */
static const char *write_good(struct place *p, const char *end, uint32_t frame_bytes)
{
	const struct sf_writer_options opt = {.frame_bytes = frame_bytes, .background = true};
	const char *path = in_place(p, "good", end);
	struct sf_writer *w = open_writer(path, &opt);
	struct good_capture g = {0};

	good_capture_make(&g);
	copy_items(w, g.c.out.p, g.c.out.len);
	close_writer(w);
	cb_done(&g.c);
	return path;
}

static void what_the_writer_writes_is_clean(void **state)
{
	for (size_t i = 0; i < COUNT_OF(suffix); i++) {
		const char *path = write_good(*state, suffix[i], 200);
		struct sf_strict_report r;
		struct error err;

		assert_int_equal(sf_strict_check(path, &r, &err), 0);
		assert_int_equal(r.compression, i);
		assert_int_equal(r.events, GOOD_BLOCKS - GOOD_STAT);
		assert_int_equal(r.losses, 2);
		assert_clean(&r, path);
	}
}

/* Numbers that would be faults in a result are none in what a program may pass. */
static void arguments_may_be_any_number(void **state)
{
	struct good_capture g = {0};

	(void)state;
	good_capture_make(&g);
	cb_event_begin(&g.c, CB_EV_V2, EV_EPOLLWAIT_X, GOOD_TS + 1000000, 7);
	cb_param_u64(&g.c, (uint64_t)-22);
	cb_param_u64(&g.c, 1ull << 63);
	cb_event_end(&g.c);
	cb_event_begin(&g.c, CB_EV_V2, EV_PROCESS_VM_READV_X, GOOD_TS + 1000001, 7);
	cb_param_u64(&g.c, (uint64_t)-3);
	cb_param_u64(&g.c, 1ull << 40);
	cb_param(&g.c, "", 0);
	cb_event_end(&g.c);
	expect_clean(&g.c.out, "arguments");
	cb_event_begin(&g.c, CB_EV_V2, EV_EPOLLWAIT_X, GOOD_TS + 1000002, 7);
	cb_param_u64(&g.c, 1ull << 63); /* but no result is like that */
	cb_param_u64(&g.c, 1);
	cb_event_end(&g.c);
	expect_found(&g.c.out, SF_STRICT_PARAM_VALUE, "a result");
	cb_done(&g.c);
}

/* Old recorders wrote fewer parameters of some types, which readers deliver as they are: procexit
 * with 1 (cat_write, curl_google, psp_run...), getsockopt and setsockopt without (curl_google). */
static void real_captures_are_clean_however_old(void **state)
{
	static const char *const captures[] = {
	    "recorded/build.scap",
	    "recorded/container.scap",
	    "recorded/intrusion.scap",
	    "recorded/network.scap",
	    "recorded/persist.scap",
	    "public/cat_write.scap",
	    "public/connect_localhost.scap",
	    "public/curl_google.scap",
	    "public/curl_google_comments.scap",
	    "public/ping_sendto.scap",
	    "public/psp_run_as_user_0_container.scap",
	    "public/sample.scap",
	    "public/single_ipv6_conn.scap",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(captures); i++) {
		struct sf_strict_report r;
		struct error err;
		char path[256];

		snprintf(path, sizeof(path), CORPUS "%s", captures[i]);
		if (access(path, R_OK) < 0)
			skip();
		assert_int_equal(sf_strict_check(path, &r, &err), 0);
		assert_true(r.events > 300);
		assert_clean(&r, captures[i]);
	}
}

static void what_cannot_be_read_is_an_error(void **state)
{
	struct sf_strict_report r;
	struct error err;

	assert_int_equal(sf_strict_check(in_place(*state, "none", ""), &r, &err), ERR_IO);
	assert_int_equal(err.sys, ENOENT);
	assert_int_equal(sf_strict_check(((struct place *)*state)->dir, &r, &err), ERR_IO);
	assert_int_equal(err.sys, EISDIR);
}

static void what_is_no_capture_has_one_finding(void **state)
{
	struct sf_strict_report r;
	struct buf text = {0};

	(void)state;
	buf_str(&text, "Nothing of this is a capture, however long it may go on to be text.");
	check_memory(&text, &r);
	assert_int_equal(r.count, 1);
	assert_true(r.stopped);
	sf_strict_done(&r);
	buf_reset(&text);
	check_memory(&text, &r);
	assert_int_equal(r.count, 1);
	assert_int_equal(r.by_rule[SF_STRICT_TRUNCATED], 1);
	sf_strict_done(&r);
	buf_done(&text);
}

/* ---- gzip ---- */

static void gzip_members_end_with_the_file(void **state)
{
	struct good_capture g = {0};
	struct buf b = {0};

	(void)state;
	good_capture_make(&g);
	cb_gzip(&b, g.c.out.p, 700); /* members may end inside a block */
	cb_gzip(&b, g.c.out.p + 700, g.c.out.len - 700);
	expect_clean(&b, "two members");
	for (size_t n = 4; n < b.len; n += 7) {
		struct buf cut = {.p = b.p, .len = n};
		struct sf_strict_report r;

		check_memory(&cut, &r);
		assert_true(r.count > 0);
		sf_strict_done(&r);
	}
	b.len -= 3;
	expect_found(&b, SF_STRICT_CONTAINER_CUT, "a cut member");
	b.len += 3;
	b.p[b.len - 6] = (char)(b.p[b.len - 6] ^ 1);
	expect_found(&b, SF_STRICT_CONTAINER_CORRUPT, "a checksum");
	b.p[b.len - 6] = (char)(b.p[b.len - 6] ^ 1);
	b.p[b.len / 2] = (char)~b.p[b.len / 2];
	expect_found(&b, SF_STRICT_CONTAINER_CORRUPT, "a changed byte");
	b.p[b.len / 2] = (char)~b.p[b.len / 2];
	buf_char(&b, '\0');
	expect_found(&b, SF_STRICT_CONTAINER_TAIL, "a zero behind the last member");
	b.p[b.len - 1] = 0x1f;
	expect_found(&b, SF_STRICT_CONTAINER_TAIL, "half a magic number behind the last member");
	buf_done(&b);
	cb_done(&g.c);
}

/* ---- zstd ---- */

static void put_u32_at_end(struct buf *b, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		buf_char(b, (char)(v >> (8 * i)));
}

static void set_u32(struct buf *b, size_t at, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		b->p[at + i] = (char)(v >> (8 * i));
}

/* @b: the bytes at @p as two frames, the first of @first bytes, and the table of both. */
static void two_frames(struct buf *b, const char *p, size_t n, size_t first, unsigned width)
{
	size_t sizes[2], content[2] = {first, n - first};

	buf_reset(b);
	cb_zstd(b, p, first);
	sizes[0] = b->len;
	cb_zstd(b, p + first, n - first);
	sizes[1] = b->len - sizes[0];
	put_u32_at_end(b, 0x184d2a5e);
	put_u32_at_end(b, 2 * width + 9);
	for (unsigned i = 0; i < 2; i++) {
		put_u32_at_end(b, (uint32_t)sizes[i]);
		put_u32_at_end(b, (uint32_t)content[i]);
		if (width == 12)
			put_u32_at_end(b, 0x12345678);
	}
	put_u32_at_end(b, 2);
	buf_char(b, width == 12 ? (char)0x80 : 0);
	put_u32_at_end(b, 0x8f92eab1);
}

static void a_seek_table_tells_the_frames_there_are(void **state)
{
	struct good_capture g = {0};
	struct buf b = {0};
	size_t foot, table;

	(void)state;
	good_capture_make(&g);
	cb_zstd(&b, g.c.out.p, g.c.out.len);
	expect_clean(&b, "no table");
	two_frames(&b, g.c.out.p, g.c.out.len, g.at[GOOD_STAT], 12);
	expect_clean(&b, "a table with checksums");
	two_frames(&b, g.c.out.p, g.c.out.len, g.at[GOOD_STAT] + 10, 8);
	expect_found(&b, SF_STRICT_FRAME_START, "a frame that begins in a block");
	two_frames(&b, g.c.out.p, g.c.out.len, g.at[GOOD_STAT], 8);
	expect_clean(&b, "a table");
	foot = b.len - 9;
	table = foot - 16;
	for (size_t at = table; at < b.len; at++) {
		/* bit 0 of the descriptor means nothing */
		b.p[at] = (char)(b.p[at] ^ 4);
		expect_found(&b, SF_STRICT_SEEK_TABLE, "a changed bit of the table");
		b.p[at] = (char)(b.p[at] ^ 4);
	}
	set_u32(&b, table - 4, 8 + 9);
	expect_found(&b, SF_STRICT_SEEK_TABLE, "a table of one frame");
	set_u32(&b, table - 4, 16 + 9);
	for (size_t n = table - 4; n < b.len; n++) {
		struct buf cut = {.p = b.p, .len = n};
		struct sf_strict_report r;

		check_memory(&cut, &r);
		if (!r.by_rule[SF_STRICT_SEEK_TABLE] && !r.by_rule[SF_STRICT_CONTAINER_CUT])
			fail_msg("a table of %zu bytes is fine", n - table);
		sf_strict_done(&r);
	}
	buf_char(&b, 'x');
	expect_found(&b, SF_STRICT_SEEK_TABLE, "a byte behind the table");
	buf_done(&b);
	cb_done(&g.c);
}

static void zstd_frames_end_with_the_file(void **state)
{
	struct good_capture g = {0};
	struct buf b = {0};
	size_t first;

	(void)state;
	good_capture_make(&g);
	cb_zstd(&b, g.c.out.p, g.at[GOOD_STAT]);
	first = b.len;
	cb_zstd(&b, g.c.out.p + g.at[GOOD_STAT], g.c.out.len - g.at[GOOD_STAT]);
	b.len -= 5;
	expect_found(&b, SF_STRICT_CONTAINER_CUT, "a cut frame");
	b.len += 5;
	b.p[b.len - 1] = (char)~b.p[b.len - 1];
	expect_found(&b, SF_STRICT_CONTAINER_CORRUPT, "a checksum");
	b.p[b.len - 1] = (char)~b.p[b.len - 1];
	b.p[first] = 'x';
	expect_found(&b, SF_STRICT_CONTAINER_TAIL, "a frame without its magic number");
	b.p[first] = 0x28;
	expect_clean(&b, "two frames");
	put_u32_at_end(&b, 0x184d2a50);
	expect_found(&b, SF_STRICT_CONTAINER_CUT, "a skippable frame without its length");
	put_u32_at_end(&b, 4);
	buf_str(&b, "abc");
	expect_found(&b, SF_STRICT_CONTAINER_CUT, "a cut skippable frame");
	buf_char(&b, 'd');
	expect_clean(&b, "a skippable frame of somebody else");
	buf_char(&b, 'x');
	expect_found(&b, SF_STRICT_CONTAINER_TAIL, "a byte behind the last frame");
	buf_done(&b);
	cb_done(&g.c);
}

/* ---- all three ---- */

static void no_changed_byte_of_a_stored_file_does_harm(void **state)
{
	struct buf b = {0};

	for (size_t i = 0; i < COUNT_OF(suffix); i++) {
		slurp(&b, write_good(*state, suffix[i], 300));
		for (size_t at = 0; at < b.len; at++) {
			struct sf_strict_report r;

			b.p[at] = (char)~b.p[at];
			check_memory(&b, &r);
			sf_strict_done(&r);
			b.p[at] = (char)~b.p[at];
		}
		expect_clean(&b, suffix[i]);
	}
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(what_the_writer_writes_is_clean),
	    cmocka_unit_test(arguments_may_be_any_number),
	    cmocka_unit_test(real_captures_are_clean_however_old),
	    in_a_place(what_cannot_be_read_is_an_error),
	    cmocka_unit_test(what_is_no_capture_has_one_finding),
	    cmocka_unit_test(gzip_members_end_with_the_file),
	    cmocka_unit_test(a_seek_table_tells_the_frames_there_are),
	    cmocka_unit_test(zstd_frames_end_with_the_file),
	    in_a_place(no_changed_byte_of_a_stored_file_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
