/* SPDX-License-Identifier: Apache-2.0 */
/* Cut, damaged and lying captures: what is still delivered, and what is noted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

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

/* How many lines of @text start with @start. */
static unsigned count_lines(const char *text, const char *start)
{
	unsigned n = 0;

	for (const char *p = text; p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
		n += strncmp(p, start, strlen(start)) == 0;
	return n;
}

/* Does a block end at @n? */
static bool is_boundary(const struct buf *capture, size_t n)
{
	size_t at = 0;

	while (at < n)
		at += load_u32(capture->p + at + 4);
	return at == n;
}

static void a_cut_anywhere_delivers_every_whole_event_and_one_gap(void **state)
{
	struct capture c = {0};
	struct buf out = {0};
	size_t first;

	(void)state;
	cb_mixed(&c);
	first = c.out.len - 2 * EVENT_SIZE;
	for (size_t n = SHB_SIZE; n < c.out.len; n++) {
		bool boundary = is_boundary(&c.out, n);
		unsigned events = n >= first + EVENT_SIZE ? 1 : 0;
		char *copy =
		    malloc(n); /* of exact size: reading behind it is an error under ASan */

		assert_non_null(copy);
		memcpy(copy, c.out.p, n);
		buf_reset(&out);
		describe_capture(&out, copy, n, NULL);
		free(copy);
		if (count_lines(buf_cstr(&out), "gap truncated") != !boundary ||
		    count_lines(buf_cstr(&out), "gap") != !boundary ||
		    count_lines(buf_cstr(&out), "event") != events)
			fail_msg("cut at %zu:\n%s", n, buf_cstr(&out));
	}
	buf_done(&out);
	cb_done(&c);
}

static void a_cut_compressed_stream_delivers_what_can_be_decoded(void **state)
{
	struct buf packed = {0}, out = {0};
	struct capture c = {0};
	unsigned last[2] = {0};

	(void)state;
	cb_section(&c);
	for (unsigned i = 0; i < 2000; i++)
		cb_stat(&c, i * 7919u * 104729u, (int)(i * 31 % 977));
	for (int zstd = 0; zstd < 2; zstd++) {
		buf_reset(&packed);
		if (zstd) {
			/* A frame is decoded in blocks: only several frames let a cut one yield
			 * something. */
			for (size_t at = 0; at < c.out.len; at += 11200)
				cb_zstd(&packed, c.out.p + at,
					c.out.len - at < 11200 ? c.out.len - at : 11200);
		} else {
			cb_gzip(&packed, c.out.p, c.out.len);
		}
		for (size_t n = packed.len / 2; n < packed.len; n += 97) {
			unsigned events;

			buf_reset(&out);
			describe_capture(&out, packed.p, n, NULL);
			events = count_lines(buf_cstr(&out), "event");
			if (events < last[zstd] || events < 300 ||
			    count_lines(buf_cstr(&out), "gap") != 1 ||
			    count_lines(buf_cstr(&out), "gap truncated") != 1)
				fail_msg("cut at %zu: %u events\n%s", n, events,
					 strstr(buf_cstr(&out), "gap"));
			last[zstd] = events;
		}
		assert_true(last[zstd] > 1500);
	}
	buf_done(&packed);
	buf_done(&out);
	cb_done(&c);
}

/* Three events; the middle one is damaged by writing @v to 4 bytes at @at of its block. */
static void expect_damaged_middle(size_t at, uint32_t v, const char *gap)
{
	struct capture c = {0};
	struct buf wanted = {0};

	cb_section(&c);
	cb_stat(&c, 1, 1);
	cb_stat(&c, 2, 1);
	cb_stat(&c, 3, 1);
	for (unsigned i = 0; i < 4; i++)
		c.out.p[SHB_SIZE + EVENT_SIZE + at + i] = (char)(v >> (8 * i));
	buf_addf(&wanted,
		 "section @0\n"
		 "event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
		 "event 67 ts=3 tid=1 cpu=0 0000000000000000 2f7800\n"
		 "gap %s\n",
		 gap);
	expect(&c.out, buf_cstr(&wanted));
	buf_done(&wanted);
	cb_done(&c);
}

static void damage_to_one_event_costs_that_event_only(void **state)
{
	(void)state;
	expect_damaged_middle(0, 0x999, "framing @84+56");	/* block type: an unknown one */
	expect_damaged_middle(0, 0x202, "framing @84+56");	/* a known one, but not here */
	expect_damaged_middle(4, 0, "framing @84+56");		/* length too small */
	expect_damaged_middle(4, 11, "framing @84+56");		/* likewise */
	expect_damaged_middle(4, 52, "framing @84+56");		/* leads astray */
	expect_damaged_middle(4, 60, "framing @84+56");		/* leads astray */
	expect_damaged_middle(4, 0x7fffffff, "framing @84+56"); /* over the limit */
	expect_damaged_middle(4, 4000, "framing @84+56");	/* beyond the end of the data */
	expect_damaged_middle(26, 25, "event @84+56");		/* event length */
	expect_damaged_middle(26, 45, "event @84+56");
	expect_damaged_middle(26, UINT32_MAX, "event @84+56");
	expect_damaged_middle(32, 9, "event @84+56"); /* parameter count */
	expect_damaged_middle(32, UINT32_MAX, "event @84+56");
	expect_damaged_middle(36, 0x00040008, "event @84+56"); /* parameter length */
}

static void a_wrong_trailer_of_an_event_does_not_matter(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	c.out.p[24] ^= 1; /* the section's trailer as well */
	cb_stat(&c, 1, 1);
	c.out.p[SHB_SIZE + EVENT_SIZE - 4] ^= 1;
	cb_stat(&c, 2, 1);
	c.out.p[SHB_SIZE + 2 * EVENT_SIZE - 4] ^= 1;
	expect(&c.out, "section @0\n"
		       "event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
		       "event 67 ts=2 tid=1 cpu=0 0000000000000000 2f7800\n");
	cb_done(&c);
}

static void a_wrong_trailer_of_a_list_is_noted_and_the_list_used(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_machine(&c, 3, "h");
	c.out.p[SHB_SIZE + 188] ^= 1;
	cb_stat(&c, 1, 1);
	expect(&c.out,
	       "section @0\n"
	       "machine cpus=3 mem=1073741824 maxpid=32768 boot=1700000000000000000 host=h\n"
	       "event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
	       "gap framing @216+4\n");
	cb_done(&c);
}

static void a_lying_list_length_does_not_cost_the_events_behind(void **state)
{
	static const uint32_t lies[] = {64, 0x1000, 0x3fffffff, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lies); i++) {
		struct capture c = {0};

		cb_section(&c);
		cb_machine(&c, 3, "h");
		memcpy(c.out.p + SHB_SIZE + 4, &lies[i], 4);
		cb_stat(&c, 1, 1);
		expect(&c.out, "section @0\n"
			       "event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
			       "gap framing @28+192\n");
		cb_done(&c);
	}
}

static void inserted_bytes_are_stepped_over(void **state)
{
	(void)state;
	for (size_t n = 1; n < 40; n++) {
		struct capture c = {0};
		struct buf wanted = {0};

		cb_section(&c);
		cb_stat(&c, 1, 1);
		cb_fill(&c, 0xab, n);
		cb_stat(&c, 2, 1);
		buf_addf(&wanted,
			 "section @0\n"
			 "event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
			 "event 67 ts=2 tid=1 cpu=0 0000000000000000 2f7800\n"
			 "gap framing @84+%zu\n",
			 n);
		expect(&c.out, buf_cstr(&wanted));
		buf_done(&wanted);
		cb_done(&c);
	}
}

static void reading_goes_on_behind_a_corrupt_frame(void **state)
{
	(void)state;
	for (int zstd = 0; zstd < 2; zstd++) {
		struct capture part[3] = {0};
		struct buf packed = {0}, out = {0};

		for (unsigned i = 0; i < 3; i++) {
			size_t start = packed.len;

			if (i == 0)
				cb_section(&part[i]);
			for (unsigned k = 0; k < 100; k++)
				cb_stat(&part[i], i * 1000 + k * 7919u % 97, (int)k);
			(zstd ? cb_zstd : cb_gzip)(&packed, part[i].out.p, part[i].out.len);
			if (i == 1)
				memset(packed.p + start + (packed.len - start) / 2, 0xa5, 40);
			cb_done(&part[i]);
		}
		describe_capture(&out, packed.p, packed.len, NULL);
		assert_true(count_lines(buf_cstr(&out), "event 67 ts=2") >= 100);
		assert_non_null(strstr(buf_cstr(&out), "event 67 ts=2009"));
		assert_int_equal(count_lines(buf_cstr(&out), "gap compression"), 1);
		buf_done(&packed);
		buf_done(&out);
	}
}

/* Behind damage only a block whose every number agrees is believed to be one. */
static void what_merely_looks_like_a_block_is_not_taken_for_one(void **state)
{
	struct capture c = {0};
	size_t at;

	(void)state;
	cb_section(&c);
	cb_stat(&c, 1, 1);
	cb_fill(&c, 0xee, 4);
	cb_stat(&c, 91, 1);
	c.out.p[c.out.len - 1] ^= 1; /* the trailing length differs */
	cb_stat(&c, 92, 1);
	at = c.out.len - EVENT_SIZE;
	c.out.p[at + 31] = 0x7f; /* an event type that does not exist */
	cb_stat(&c, 93, 1);
	at = c.out.len - EVENT_SIZE;
	c.out.p[at + 26] = 100; /* an event longer than its block */
	cb_stat(&c, 2, 1);
	expect(&c.out, "section @0\n"
		       "event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
		       "event 67 ts=2 tid=1 cpu=0 0000000000000000 2f7800\n"
		       "gap framing @84+172\n");
	cb_done(&c);
}

/* Whoever can write into a captured buffer must not be able to make up events in a capture that was
 * cut. */
static void blocks_inside_the_data_of_a_cut_event_are_not_delivered(void **state)
{
	struct capture c = {0}, fake = {0};

	(void)state;
	for (int i = 0; i < 3; i++)
		cb_stat(&fake, 666, 666);
	cb_section(&c);
	cb_stat(&c, 1, 1);
	cb_event_begin(&c, CB_EV_V2, EV_STAT_X, 2, 1);
	cb_param_u64(&c, 0);
	cb_param(&c, fake.out.p, fake.out.len);
	cb_event_end(&c);
	c.out.len -= 5;
	expect(&c.out, "section @0\n"
		       "event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
		       "gap truncated @84+215\n");
	cb_done(&c);
	cb_done(&fake);
}

static void the_way_back_may_end_at_a_new_section(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_stat(&c, 1, 1);
	cb_fill(&c, 0x55, 20);
	cb_section(&c);
	cb_stat(&c, 2, 1);
	cb_section(&c); /* its magic gets damaged: its length is right, but it is no section */
	c.out.p[188 + 8] ^= 1;
	cb_stat(&c, 3, 1);
	expect(&c.out, "section @0\n"
		       "event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
		       "section @104\n"
		       "event 67 ts=2 tid=1 cpu=0 0000000000000000 2f7800\n"
		       "event 67 ts=3 tid=1 cpu=0 0000000000000000 2f7800\n"
		       "gap framing @84+20\n"
		       "gap framing @188+28\n");
	cb_done(&c);
}

static void an_event_cut_off_by_a_damaged_frame_is_not_joined_with_the_next_frame(void **state)
{
	(void)state;
	for (int zstd = 0; zstd < 2; zstd++) {
		void (*pack)(struct buf *, const void *, size_t) = zstd ? cb_zstd : cb_gzip;
		struct buf packed = {0}, out = {0};
		struct capture c = {0};
		size_t checksum;

		cb_section(&c);
		cb_stat(&c, 1, 1);
		cb_stat(&c, 2, 1);
		cb_stat(&c, 3, 1);
		pack(&packed, c.out.p, SHB_SIZE + EVENT_SIZE);
		pack(&packed, c.out.p + SHB_SIZE + EVENT_SIZE, 30); /* the start of event 2 */
		checksum = packed.len - (zstd ? 4 : 8);
		packed.p[checksum] ^= 1;
		pack(&packed, c.out.p + SHB_SIZE + EVENT_SIZE + 30,
		     c.out.len - SHB_SIZE - EVENT_SIZE - 30);
		describe_capture(&out, packed.p, packed.len, NULL);
		assert_int_equal(count_lines(buf_cstr(&out), "event"), 2);
		assert_int_equal(count_lines(buf_cstr(&out), "event 67 ts=3"), 1);
		assert_int_equal(count_lines(buf_cstr(&out), "gap compression"), 1);
		assert_int_equal(count_lines(buf_cstr(&out), "gap framing"), 1);
		buf_done(&packed);
		buf_done(&out);
		cb_done(&c);
	}
}

static void gaps_are_in_file_order_and_counted_beyond_those_described(void **state)
{
	struct capture c = {0};
	const struct sf_gap *gaps;
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	size_t n;

	(void)state;
	cb_section(&c);
	cb_stat(&c, 1, 1);
	cb_section(&c);
	c.out.p[84 + 12] = 2; /* this section is skipped, which is known only at its end */
	cb_stat(&c, 1, 1);
	cb_fill(&c, 0xbb, 5);
	cb_section(&c);
	for (int i = 0; i < SF_GAPS_MAX + 500; i++) {
		cb_event_begin(&c, CB_EV_V2, EV_STAT_X, 1, 1);
		cb_event_end_as(&c, false, -1);
	}
	assert_int_equal(sf_reader_open_memory(c.out.p, c.out.len, NULL, &r, &err), 0);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		;
	gaps = sf_reader_gaps(r, &n);
	assert_int_equal(n, SF_GAPS_MAX);
	assert_int_equal(sf_reader_stats(r)->gaps, SF_GAPS_MAX + 502);
	for (size_t i = 1; i < n; i++)
		assert_true(gaps[i - 1].offset < gaps[i].offset);
	assert_int_equal(gaps[0].offset, 84);
	assert_int_equal(gaps[0].bytes, 89);
	assert_int_equal(gaps[0].reason, SF_GAP_BLOCK);
	assert_int_equal(gaps[1].offset, 168);
	sf_reader_close(r);
	cb_done(&c);
}

/* Candidates for a block start everywhere, each claiming much: the work must stay proportional to
 * the file. */
static void looking_for_the_next_block_takes_linear_time(void **state)
{
	struct sf_options opt = {.memory_limit = 64u << 20};
	struct capture c = {0};
	struct sf_reader *r;
	struct ev_item item;
	struct error err;

	(void)state;
	cb_section(&c);
	for (uint32_t i = 0; i < 500000; i++) {
		cb_u32(&c, cb_thread_block(9));
		cb_u32(&c, (SF_RESYNC_MAX / 2) - i);
	}
	assert_int_equal(sf_reader_open_memory(c.out.p, c.out.len, &opt, &r, &err), 0);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		;
	assert_int_equal(sf_reader_stats(r)->gaps, 1);
	sf_reader_close(r);
	cb_done(&c);
}

static void blocks_over_the_memory_limit_are_stepped_over(void **state)
{
	struct sf_options opt = {.memory_limit = 100000};
	struct buf out = {0};
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_begin(&c, CB_UL_V2);
	cb_fill(&c, 0xf0, 100000);
	cb_end(&c);
	cb_stat(&c, 1, 1);
	describe_capture(&out, c.out.p, c.out.len, &opt);
	assert_string_equal(buf_cstr(&out), "section @0\n"
					    "event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
					    "gap framing @28+100012\n");
	buf_done(&out);
	cb_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_cut_anywhere_delivers_every_whole_event_and_one_gap),
	    cmocka_unit_test(a_cut_compressed_stream_delivers_what_can_be_decoded),
	    cmocka_unit_test(damage_to_one_event_costs_that_event_only),
	    cmocka_unit_test(a_wrong_trailer_of_an_event_does_not_matter),
	    cmocka_unit_test(a_wrong_trailer_of_a_list_is_noted_and_the_list_used),
	    cmocka_unit_test(a_lying_list_length_does_not_cost_the_events_behind),
	    cmocka_unit_test(inserted_bytes_are_stepped_over),
	    cmocka_unit_test(reading_goes_on_behind_a_corrupt_frame),
	    cmocka_unit_test(what_merely_looks_like_a_block_is_not_taken_for_one),
	    cmocka_unit_test(blocks_inside_the_data_of_a_cut_event_are_not_delivered),
	    cmocka_unit_test(the_way_back_may_end_at_a_new_section),
	    cmocka_unit_test(an_event_cut_off_by_a_damaged_frame_is_not_joined_with_the_next_frame),
	    cmocka_unit_test(gaps_are_in_file_order_and_counted_beyond_those_described),
	    cmocka_unit_test(looking_for_the_next_block_takes_linear_time),
	    cmocka_unit_test(blocks_over_the_memory_limit_are_stepped_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
