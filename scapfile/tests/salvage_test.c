/* SPDX-License-Identifier: Apache-2.0 */
/* Salvage of small plain captures: each way to be damaged, and what is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scapfile/internal.h"
#include "scapfile/tests/good_capture.h"
#include "scapfile/tests/salvaged.h"

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

static void a_thread_whose_leader_is_not_listed_goes_though_its_entry_could_be(void **state)
{
	struct good_capture g = {0};
	struct salvaged s;
	char *first, *second;
	uint32_t size;

	good_capture_make(&g);
	first = g.c.out.p + g.at[GOOD_THREADS] + 8;
	second = first + load_u32(first); /* thread 8 of process 7 */
	size = load_u32(second);
	assert_int_equal(load_u64(second + 12), 7);
	second[12] = 5;
	salvage(*state, &g.c.out, NULL, &s);
	assert_int_equal(s.report.by_kind[SF_DAMAGE_LIST], 1);
	assert_in_range(g.c.out.len - s.out.len, size, size + 3);
	salvaged_done(&s);
	cb_done(&g.c);
}

static void a_list_that_stands_between_events_is_put_before_them(void **state)
{
	struct good_capture g = {0};
	struct buf b = {0};
	struct salvaged s;
	size_t from, to, events;

	good_capture_make(&g);
	from = g.at[GOOD_USERS];
	to = g.at[GOOD_USERS + 1];
	events = g.at[GOOD_LSEEK];
	buf_add(&b, g.c.out.p, from);
	buf_add(&b, g.c.out.p + to, events - to);
	buf_add(&b, g.c.out.p + from, to - from);
	buf_add(&b, g.c.out.p + events, g.c.out.len - events);
	salvage(*state, &b, NULL, &s);
	assert_int_equal(s.report.by_kind[SF_DAMAGE_PLACE], 1);
	assert_int_equal(s.out.len, b.len);
	assert_non_null(memmem(s.out.p, s.out.len, g.c.out.p + from, to - from));
	assert_memory_equal(s.out.p + s.out.len - (b.len - events), b.p + events, b.len - events);
	salvaged_done(&s);
	buf_done(&b);
	cb_done(&g.c);
}

/* Of a recorder that is not known; one alone is damage. */
static void a_number_of_parameters_that_comes_again_is_a_fact(void **state)
{
	for (size_t n = 1; n <= 4; n++) {
		struct capture c = {0};
		struct salvaged s;

		make_capture(&c);
		for (size_t i = 0; i < n; i++) {
			cb_event_begin(&c, CB_EV_V2, EV_LSEEK_X, time_of(EVENTS + i), 7);
			cb_param_u64(&c, 0);
			cb_param_u64(&c, 4);
			cb_param_u64(&c, 0);
			cb_event_end(&c);
		}
		salvage_odd(*state, &c.out, NULL, &s);
		assert_int_equal(s.events, n < 3 ? EVENTS : EVENTS + n);
		assert_int_equal(s.report.events_left_out, n < 3 ? n : 0);
		salvaged_done(&s);
		cb_done(&c);
	}
}

/* Where it stands, or behind the first event. */
static void a_machine_that_most_events_contradict_is_left_out(void **state)
{
	for (size_t behind = 0; behind < 2; behind++) {
		struct capture c = {0};
		struct buf b = {0};
		struct salvaged s;
		size_t first = HEAD + behind * BLOCK;

		make_capture(&c);
		c.out.p[28 + 156 + 7] ^= 0x40; /* when it was started */
		buf_add(&b, c.out.p, 28);
		buf_add(&b, c.out.p + HEAD, first - HEAD);
		buf_add(&b, c.out.p + 28, HEAD - 28);
		buf_add(&b, c.out.p + first, c.out.len - first);
		salvage(*state, &b, NULL, &s);
		assert_int_equal(s.events, EVENTS);
		assert_int_equal(s.report.by_kind[SF_DAMAGE_LIST], 1);
		assert_int_equal(s.report.count, 1);
		assert_int_equal(s.out.len, c.out.len - (HEAD - 28));
		salvaged_done(&s);
		buf_done(&b);
		cb_done(&c);
	}
}

static void many_damages_are_all_told(void **state)
{
	struct capture c = {0};
	struct salvaged s;

	cb_section(&c);
	cb_machine(&c, 2, "box");
	cb_bytes(&c, "no block", 8);
	for (size_t i = 0; i < EVENTS; i++) {
		for (size_t k = 0; k < 4; k++)
			cb_stat(&c, time_of(i), 7);
		cb_bytes(&c, "no block", 8);
	}
	salvage(*state, &c.out, NULL, &s);
	assert_int_equal(s.events, EVENTS);
	assert_int_equal(s.report.duplicates, 3 * EVENTS);
	assert_int_equal(s.report.by_kind[SF_DAMAGE_DUPLICATE], EVENTS);
	assert_int_equal(s.report.by_kind[SF_DAMAGE_FRAMING] +
			     s.report.by_kind[SF_DAMAGE_TRUNCATED],
			 EVENTS + 1);
	for (size_t i = 0; i < s.report.described; i++)
		if (s.report.list[i].kind == SF_DAMAGE_DUPLICATE)
			assert_int_equal(s.report.list[i].events, 3);
	salvaged_done(&s);
	cb_done(&c);
}

/* What the first copy lost is in the second one, and is not put among later events. */
static void a_section_again_gives_what_the_first_one_lost(void **state)
{
	struct capture c = {0};
	struct buf twice = {0};
	struct salvaged s;

	cb_section(&c);
	cb_machine(&c, 2, "box");
	for (size_t i = 0; i < EVENTS; i++)
		cb_stat(&c, time_of(10 * i), 7);
	buf_add(&twice, c.out.p, c.out.len);
	buf_add(&twice, c.out.p, c.out.len);
	salvage(*state, &twice, NULL, &s);
	assert_int_equal(s.out.len, c.out.len);
	assert_memory_equal(s.out.p, c.out.p, c.out.len);
	salvaged_done(&s);
	memset(event_at(&twice, 20), 0, BLOCK);
	salvage(*state, &twice, NULL, &s);
	assert_int_equal(s.events, EVENTS);
	assert_int_equal(s.report.duplicates, EVENTS - 1);
	assert_int_equal(s.times[EVENTS - 1], time_of(200));
	assert_int_equal(s.report.sections, 2);
	salvaged_done(&s);
	buf_done(&twice);
	cb_done(&c);
}

static void sections_stay_sections(void **state)
{
	struct capture c = {0};
	struct salvaged s;
	size_t second;

	make_capture(&c);
	second = c.out.len;
	cb_section(&c);
	cb_machine(&c, 4, "other");
	for (size_t i = 0; i < 5; i++)
		cb_stat(&c, time_of(i), 8); /* of another machine: earlier does not matter */
	salvage(*state, &c.out, NULL, &s);
	assert_int_equal(s.report.sections, 2);
	assert_int_equal(s.report.count, 0);
	assert_int_equal(s.out.len, c.out.len);
	assert_memory_equal(s.out.p, c.out.p, c.out.len);
	salvaged_done(&s);
	memset(c.out.p + second - BLOCK, 0, BLOCK); /* the first one's last event */
	salvage(*state, &c.out, NULL, &s);
	assert_int_equal(s.report.sections, 2);
	assert_int_equal(s.events, EVENTS - 1 + 5);
	expect_events(&s, 0, 0, EVENTS - 1);
	expect_events(&s, EVENTS - 1, 0, 5);
	salvaged_done(&s);
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
	    in_a_place(a_thread_whose_leader_is_not_listed_goes_though_its_entry_could_be),
	    in_a_place(a_list_that_stands_between_events_is_put_before_them),
	    in_a_place(a_number_of_parameters_that_comes_again_is_a_fact),
	    in_a_place(a_machine_that_most_events_contradict_is_left_out),
	    in_a_place(many_damages_are_all_told),
	    in_a_place(a_section_again_gives_what_the_first_one_lost),
	    in_a_place(sections_stay_sections),
	    in_a_place(bytes_that_are_no_capture_give_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
