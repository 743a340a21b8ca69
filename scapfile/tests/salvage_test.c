/* SPDX-License-Identifier: Apache-2.0 */
/* Salvage of small captures: each way to be damaged, and what is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "scapfile/internal.h"
#include "scapfile/salvage.h"
#include "scapfile/strict.h"
#include "scapfile/tests/good_capture.h"
#include "scapfile/tests/place.h"

#define EVENTS	 40
#define FIRST_TS 1700000001000000000ull
#define STEP_NS	 1000000u
#define HEAD	 (28 + 192) /* section header and machine */
#define BLOCK	 56	    /* of an event */

struct salvaged {
	struct sf_salvage_report report;
	struct buf out; /* the new capture */
	uint64_t times[2 * EVENTS];
	size_t events, marks;
};

static uint64_t time_of(size_t i)
{
	return FIRST_TS + i * STEP_NS;
}

static void make_capture(struct capture *c)
{
	cb_section(c);
	cb_machine(c, 2, "box");
	for (size_t i = 0; i < EVENTS; i++)
		cb_stat(c, time_of(i), 7);
}

static char *event_at(struct buf *b, size_t i)
{
	return b->p + HEAD + i * BLOCK;
}

/* Times of the events, and how many marks there are between them. */
static void look_at(struct salvaged *s)
{
	for (size_t at = 0; at < s->out.len; at += load_u32(s->out.p + at + 4)) {
		const char *p = s->out.p + at;

		if (sf_block_info(load_u32(p))->kind != SF_KIND_EVENT)
			continue;
		assert_true(s->events < COUNT_OF(s->times));
		if (load_u16(p + 30) == EV_TYPE_LOSS)
			s->marks++;
		else
			s->times[s->events++] = load_u64(p + 10);
	}
}

static void expect_strict(const struct buf *capture)
{
	struct sf_strict_report r;
	struct error err = {0};

	assert_int_equal(sf_strict_check_memory(capture->p, capture->len, &r, &err), 0);
	if (r.count)
		fail_msg("%s", r.list[0].what);
	sf_strict_done(&r);
}

static void salvage(struct place *place, const struct buf *damaged,
		    const struct sf_salvage_options *opt, struct salvaged *s)
{
	const struct sf_writer_options writing = {.raw = true, .replace = true};
	const char *path = in_place(place, "out", suffix[SF_PLAIN]);
	struct sf_writer *w = open_writer(path, &writing);
	struct error err = {0};

	*s = (struct salvaged){0};
	assert_int_equal(sf_salvage_memory(damaged->p, damaged->len, opt, w, &s->report, &err), 0);
	close_writer(w);
	slurp(&s->out, path);
	look_at(s);
	if (s->events)
		expect_strict(&s->out);
}

static void salvaged_done(struct salvaged *s)
{
	sf_salvage_done(&s->report);
	buf_done(&s->out);
}

/* The events [@from, @to) of the clean capture, in order, from position @at on. */
static void expect_events(const struct salvaged *s, size_t at, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		assert_int_equal(s->times[at + i - from], time_of(i));
}

static void what_is_whole_is_copied_byte_for_byte(void **state)
{
	struct good_capture g = {0};
	struct salvaged s;

	good_capture_make(&g);
	salvage(*state, &g.c.out, NULL, &s);
	assert_int_equal(s.out.len, g.c.out.len);
	assert_memory_equal(s.out.p, g.c.out.p, g.c.out.len);
	assert_int_equal(s.report.count, 0);
	salvaged_done(&s);
	cb_done(&g.c);
}

static void a_cut_anywhere_keeps_the_events_before_it_and_is_told(void **state)
{
	struct capture c = {0};
	struct salvaged s;

	make_capture(&c);
	for (size_t n = HEAD + BLOCK; n < HEAD + 4 * BLOCK; n++) {
		const struct buf cut = {.p = c.out.p, .len = n};
		bool inside = (n - HEAD) % BLOCK != 0;

		salvage(*state, &cut, NULL, &s);
		assert_int_equal(s.events, (n - HEAD) / BLOCK);
		expect_events(&s, 0, 0, s.events);
		assert_int_equal(s.report.count, inside);
		assert_int_equal(s.marks, inside);
		assert_int_equal(s.report.by_kind[SF_DAMAGE_TRUNCATED], inside);
		salvaged_done(&s);
	}
	cb_done(&c);
}

/* Either the event is left out, or the byte makes another event that can be, of the same block. */
static void any_changed_byte_costs_at_most_the_event_it_is_in(void **state)
{
	struct capture c = {0};
	struct salvaged s;

	make_capture(&c);
	for (size_t i = 0; i < BLOCK; i++) {
		char *p = event_at(&c.out, 20) + i;

		*p ^= 0x40;
		salvage(*state, &c.out, NULL, &s);
		*p ^= 0x40;
		assert_in_range(s.events, EVENTS - 1, EVENTS);
		if (s.events == EVENTS - 1) {
			expect_events(&s, 0, 0, 20);
			expect_events(&s, 20, 21, EVENTS);
			assert_int_equal(s.marks, 1);
			assert_int_equal(s.report.list[0].before, time_of(19));
			assert_int_equal(s.report.list[0].after, time_of(21));
			assert_int_equal(s.report.list[0].stored, HEAD + 20 * BLOCK);
		} else if (i < 10 || i >= 18) { /* not its time, by which it is placed */
			expect_events(&s, 0, 0, EVENTS);
		}
		salvaged_done(&s);
	}
	cb_done(&c);
}

static void exchange(char *a, char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char x = a[i];

		a[i] = b[i];
		b[i] = x;
	}
}

static void swapped_blocks_are_put_back(void **state)
{
	static const size_t pairs[][3] = {{3, 30, 1},  {0, 39, 1},   {5, 6, 1},
					  {4, 20, 10}, {10, 20, 10}, {1, 12, 11}};
	struct capture c = {0};
	struct salvaged s;

	make_capture(&c);
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		char *a = event_at(&c.out, pairs[i][0]), *b = event_at(&c.out, pairs[i][1]);

		exchange(a, b, pairs[i][2] * BLOCK);
		salvage(*state, &c.out, NULL, &s);
		exchange(a, b, pairs[i][2] * BLOCK);
		assert_int_equal(s.out.len, c.out.len);
		assert_memory_equal(s.out.p, c.out.p, c.out.len);
		assert_true(s.report.moved > 0);
		assert_int_equal(s.report.by_kind[SF_DAMAGE_ORDER], 1);
		salvaged_done(&s);
	}
	cb_done(&c);
}

static void events_that_are_there_twice_are_kept_once(void **state)
{
	static const size_t copies[][3] = {{3, 1, 4}, {3, 1, 20}, {10, 5, 15}, {30, 5, 2}};
	struct capture c = {0};
	struct salvaged s;

	make_capture(&c);
	for (size_t i = 0; i < COUNT_OF(copies); i++) {
		size_t from = HEAD + copies[i][0] * BLOCK, n = copies[i][1] * BLOCK,
		       to = HEAD + copies[i][2] * BLOCK;
		struct buf b = {0};

		buf_add(&b, c.out.p, to);
		buf_add(&b, c.out.p + from, n);
		buf_add(&b, c.out.p + to, c.out.len - to);
		salvage(*state, &b, NULL, &s);
		assert_int_equal(s.out.len, c.out.len);
		assert_memory_equal(s.out.p, c.out.p, c.out.len);
		assert_int_equal(s.report.duplicates, copies[i][1]);
		assert_int_equal(s.marks, 0);
		salvaged_done(&s);
		buf_done(&b);
	}
	cb_done(&c);
}

static void a_lost_header_is_replaced(void **state)
{
	struct capture c = {0};
	struct salvaged s;

	make_capture(&c);
	memset(c.out.p, 0, 28);
	salvage(*state, &c.out, NULL, &s);
	assert_int_equal(s.events, EVENTS);
	assert_int_equal(s.report.new_headers, 1);
	assert_int_equal(load_u32(s.out.p), SF_SHB);
	salvaged_done(&s);
	cb_done(&c);
}

static void entries_of_lists_are_lost_one_by_one(void **state)
{
	struct good_capture g = {0};
	struct salvaged s;

	good_capture_make(&g);
	/* The first thread's comm gets a NUL: that thread goes, and with it the one it leads. */
	g.c.out.p[g.at[GOOD_THREADS] + 8 + 4 + 5 * 8 + 2] = '\0';
	salvage(*state, &g.c.out, NULL, &s);
	assert_true(s.report.by_kind[SF_DAMAGE_LIST] > 0);
	assert_int_equal(load_u32(s.out.p + g.at[GOOD_THREADS]), 0x215);
	assert_true(s.out.len < g.c.out.len - 100);
	assert_true(s.out.len > g.c.out.len / 2);
	salvaged_done(&s);
	cb_done(&g.c);
}

/* ---- compressed ---- */

/* The capture in three members or frames; the second begins at the tenth event, the third at the
 * thirtieth. */
static void pack(struct buf *out, const struct buf *raw, enum sf_compression c, size_t at[4])
{
	const size_t ends[] = {HEAD + 10 * BLOCK, HEAD + 30 * BLOCK, raw->len};
	size_t from = 0;

	for (size_t i = 0; i < 3; i++) {
		at[i] = out->len;
		(c == SF_GZIP ? cb_gzip : cb_zstd)(out, raw->p + from, ends[i] - from);
		from = ends[i];
	}
	at[3] = out->len;
}

static void any_changed_byte_costs_at_most_its_frame(void **state)
{
	struct capture c = {0};

	make_capture(&c);
	for (enum sf_compression kind = SF_GZIP; kind <= SF_ZSTD; kind++) {
		struct buf b = {0};
		size_t at[4];

		pack(&b, &c.out, kind, at);
		for (size_t i = at[1]; i < at[2]; i++) {
			struct salvaged s;

			b.p[i] ^= 0x10;
			salvage(*state, &b, NULL, &s);
			b.p[i] ^= 0x10;
			if (s.report.count) {
				assert_in_range(s.events, 20, EVENTS);
				assert_int_equal(s.marks, s.events < EVENTS);
			}
			expect_events(&s, 0, 0, 10);
			expect_events(&s, s.events - 10, 30, EVENTS);
			for (size_t k = 1; k < s.events; k++)
				assert_true(s.times[k] > s.times[k - 1]);
			salvaged_done(&s);
		}
		buf_done(&b);
	}
	cb_done(&c);
}

static void frames_that_are_there_twice_or_swapped_are_put_right(void **state)
{
	static const unsigned orders[][4] = {
	    {0, 1, 1, 2}, {0, 2, 1, 9}, {0, 1, 2, 1}, {1, 0, 2, 9}};
	struct capture c = {0};

	make_capture(&c);
	for (enum sf_compression kind = SF_GZIP; kind <= SF_ZSTD; kind++) {
		for (size_t i = 0; i < COUNT_OF(orders); i++) {
			struct buf b = {0}, other = {0};
			struct salvaged s;
			size_t at[4];

			pack(&b, &c.out, kind, at);
			for (size_t k = 0; k < 4 && orders[i][k] < 3; k++)
				buf_add(&other, b.p + at[orders[i][k]],
					at[orders[i][k] + 1] - at[orders[i][k]]);
			salvage(*state, &other, NULL, &s);
			assert_int_equal(s.events, EVENTS);
			expect_events(&s, 0, 0, EVENTS);
			assert_true(s.report.count > 0);
			salvaged_done(&s);
			buf_done(&b);
			buf_done(&other);
		}
	}
	cb_done(&c);
}

static void options_say_what_becomes_of_what_is_not_proven(void **state)
{
	const struct sf_salvage_options keep = {.keep_doubtful = true, .no_marks = true},
					strict = {.proven_only = true};
	struct capture c = {0};
	struct buf b = {0};
	struct salvaged s;
	size_t at[4];

	make_capture(&c);
	pack(&b, &c.out, SF_ZSTD, at);
	b.p[at[2] - 1] ^= 1; /* the second frame's checksum */
	salvage(*state, &b, &keep, &s);
	assert_int_equal(s.events, EVENTS);
	assert_int_equal(s.report.events_unproven, 20);
	assert_int_equal(s.marks, 0);
	salvaged_done(&s);
	salvage(*state, &b, NULL, &s);
	assert_int_equal(s.events, 20);
	salvaged_done(&s);
	b.len = at[3] - 5; /* the last one is cut: used, or not */
	salvage(*state, &b, &strict, &s);
	assert_int_equal(s.events, 10);
	assert_int_equal(s.report.frames, 3);
	assert_int_equal(s.report.proven, 1);
	salvaged_done(&s);
	buf_done(&b);
	cb_done(&c);
}

static void bytes_that_are_no_capture_give_none(void **state)
{
	char noise[3000];
	struct buf b = {.p = noise, .len = sizeof(noise)};
	struct salvaged s;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)(i * i % 251);
	salvage(*state, &b, NULL, &s);
	assert_int_equal(s.events, 0);
	assert_true(s.report.count > 0);
	salvaged_done(&s);
	b.len = 0;
	salvage(*state, &b, NULL, &s);
	assert_int_equal(s.out.len, 0);
	salvaged_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(what_is_whole_is_copied_byte_for_byte),
	    in_a_place(a_cut_anywhere_keeps_the_events_before_it_and_is_told),
	    in_a_place(any_changed_byte_costs_at_most_the_event_it_is_in),
	    in_a_place(swapped_blocks_are_put_back),
	    in_a_place(events_that_are_there_twice_are_kept_once),
	    in_a_place(a_lost_header_is_replaced),
	    in_a_place(entries_of_lists_are_lost_one_by_one),
	    in_a_place(any_changed_byte_costs_at_most_its_frame),
	    in_a_place(frames_that_are_there_twice_or_swapped_are_put_right),
	    in_a_place(options_say_what_becomes_of_what_is_not_proven),
	    in_a_place(bytes_that_are_no_capture_give_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
