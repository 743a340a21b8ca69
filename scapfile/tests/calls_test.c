/* SPDX-License-Identifier: Apache-2.0 */
/* When calls began: pairs of enter and exit events, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/map.h"
#include "scapfile/calls.h"
#include "scapfile/scapfile.h"
#include "scapfile/tests/capture_builder.h"
#include "scapfile/tests/describe.h"

static void enter_read(struct capture *c, uint64_t ts, int64_t tid)
{
	cb_event_begin(c, CB_EV_V2, EV_READ_E, ts, tid);
	cb_param_u64(c, 3);
	cb_param_u32(c, 100);
	cb_event_end(c);
}

static void exit_read(struct capture *c, uint64_t ts, int64_t tid)
{
	cb_event_begin(c, CB_EV_V2, EV_READ_X, ts, tid);
	cb_param_u64(c, 5);
	cb_param(c, "hello", 5);
	cb_event_end(c);
}

/* A switch: of no call, and nothing that ends or begins one. */
static void switch_away(struct capture *c, uint64_t ts, int64_t tid)
{
	cb_event_begin(c, CB_EV_V2, EV_SCHEDSWITCH_6_E, ts, tid);
	cb_param_u64(c, 1);
	cb_param_u64(c, 0);
	cb_param_u64(c, 0);
	for (int i = 0; i < 3; i++)
		cb_param_u32(c, 0);
	cb_event_end(c);
}

static void thread_ends(struct capture *c, uint64_t ts, int64_t tid)
{
	cb_event_begin(c, CB_EV_V2, EV_PROCEXIT_1_E, ts, tid);
	cb_param_u64(c, 0);
	cb_event_end(c);
}

static void loss(struct capture *c, uint64_t ts)
{
	cb_event_begin(c, CB_EV_V2, EV_TYPE_LOSS, ts, -1);
	cb_param_u64(c, 7);
	cb_event_end(c);
}

struct reading {
	uint64_t exits, known; /* reads that ended, and those of them whose beginning is known */
	uint64_t took;	       /* the last of them */
};

static struct reading read_all(struct capture *c, bool timed)
{
	const struct sf_options opt = {.call_times = timed};
	struct reading got = {0};
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	int rc;

	assert_int_equal(sf_reader_open_memory(c->out.p, c->out.len, &opt, &r, &err), 0);
	while ((rc = ev_source_next(sf_reader_source(r), &item, &err)) > 0) {
		uint64_t began = sf_reader_call_began(r);

		if (item.kind != EV_ITEM_EVENT)
			continue;
		if (item.ev->type != EV_READ_X) {
			assert_int_equal(began, 0);
			continue;
		}
		got.exits++;
		got.known += began != 0;
		if (began)
			got.took = item.ev->ts - began;
	}
	assert_int_equal(rc, 0);
	sf_reader_close(r);
	cb_done(c);
	return got;
}

static void expect(struct capture *c, uint64_t exits, uint64_t known, uint64_t took)
{
	struct reading got = read_all(c, true);

	assert_int_equal(got.exits, exits);
	assert_int_equal(got.known, known);
	assert_int_equal(got.took, took);
}

static void a_call_began_with_its_enter_event(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	for (uint64_t i = 0; i < 20; i++) { /* also of kinds of events that were seen before */
		enter_read(&c, 1000 + 100 * i, 5);
		enter_read(&c, 1001 + 100 * i, 6);
		switch_away(&c, 1002 + 100 * i, 5);
		exit_read(&c, 1010 + 100 * i, 6);
		exit_read(&c, 1037 + 100 * i, 5);
	}
	expect(&c, 40, 40, 37);
}

static void nobody_who_does_not_ask_is_told(void **state)
{
	struct capture c = {0};
	struct reading got;

	(void)state;
	cb_section(&c);
	enter_read(&c, 1000, 5);
	exit_read(&c, 1010, 5);
	got = read_all(&c, false);
	assert_int_equal(got.exits, 1);
	assert_int_equal(got.known, 0);
}

static void who_asks_reads_the_same(void **state)
{
	const struct sf_options opt = {.call_times = true};
	struct capture c = {0};
	struct buf out = {0};
	const char *wanted = cb_mixed(&c);

	(void)state;
	describe_capture(&out, c.out.p, c.out.len, &opt);
	assert_string_equal(buf_cstr(&out), wanted);
	buf_done(&out);
	cb_done(&c);
}

static void what_is_no_pair_has_no_beginning(void **state)
{
	struct capture c = {0};

	(void)state;
	/* No enter event; that of another thread. */
	cb_section(&c);
	enter_read(&c, 1000, 6);
	exit_read(&c, 1010, 5);
	expect(&c, 1, 0, 0);
	/* The exit event is missing: the later enter event counts, once. */
	cb_section(&c);
	enter_read(&c, 1000, 5);
	enter_read(&c, 1050, 5);
	exit_read(&c, 1060, 5);
	exit_read(&c, 1070, 5);
	expect(&c, 2, 1, 10);
	/* Time went back. */
	cb_section(&c);
	enter_read(&c, 1000, 5);
	exit_read(&c, 999, 5);
	expect(&c, 1, 0, 0);
	/* No time at all. */
	cb_section(&c);
	enter_read(&c, 1000, 5);
	exit_read(&c, 1000, 5);
	expect(&c, 1, 1, 0);
}

static void what_may_be_another_is_forgotten(void **state)
{
	struct capture c = {0};

	(void)state;
	/* A new thread of the same number. */
	cb_section(&c);
	enter_read(&c, 1000, 5);
	thread_ends(&c, 1005, 5);
	exit_read(&c, 1010, 5);
	expect(&c, 1, 0, 0);
	/* Events were lost. */
	cb_section(&c);
	enter_read(&c, 1000, 5);
	loss(&c, 1005);
	exit_read(&c, 1010, 5);
	expect(&c, 1, 0, 0);
	/* Another recording. */
	cb_section(&c);
	enter_read(&c, 1000, 5);
	cb_section(&c);
	exit_read(&c, 1010, 5);
	expect(&c, 1, 0, 0);
}

static void an_exit_event_is_of_the_call_that_began_last(void **state)
{
	struct sf_calls *calls = calloc(1, sizeof(*calls));

	(void)state;
	assert_non_null(calls);
	assert_int_equal(sf_calls_see(calls, EV_READ_E, 5, 10), 0);
	assert_int_equal(sf_calls_see(calls, EV_WRITE_E, 5, 20), 0);
	assert_int_equal(sf_calls_see(calls, EV_READ_X, 5, 30), 0);
	assert_int_equal(sf_calls_see(calls, EV_WRITE_X, 5, 40),
			 0); /* there was another end before */
	assert_int_equal(sf_calls_see(calls, EV_READ_E, 5, 50), 0);
	assert_int_equal(sf_calls_see(calls, EV_READ_X, 5, 60), 50);
	assert_int_equal(sf_calls_see(calls, EV_READ_X, 5, 70), 0);
	/* What became a program has an event of another type. */
	assert_int_equal(sf_calls_see(calls, EV_EXECVEAT_E, 5, 80), 0);
	assert_int_equal(sf_calls_see(calls, EV_EXECVE_19_X, 5, 90), 80);
	assert_int_equal(calls->count, 0);
	free(calls);
}

static void the_table_is_bounded(void **state)
{
	struct sf_calls *calls = calloc(1, sizeof(*calls));
	const uint64_t threads = SF_CALLS_SETS * SF_CALLS_WAYS * 2;
	uint64_t known = 0;

	(void)state;
	assert_non_null(calls);
	for (uint64_t i = 1; i <= threads; i++)
		assert_int_equal(sf_calls_see(calls, EV_READ_E, (int64_t)i, i), 0);
	assert_true(calls->count <= SF_CALLS_SETS * SF_CALLS_WAYS);
	assert_true(calls->count > threads / 3);
	for (uint64_t i = 1; i <= threads; i++) {
		uint64_t began = sf_calls_see(calls, EV_READ_X, (int64_t)i, threads + 1);

		assert_true(!began || began == i);
		known += began != 0;
	}
	assert_int_equal(calls->count, 0);
	assert_true(known > threads / 3);
	free(calls);
}

static void who_has_waited_longest_is_forgotten(void **state)
{
	const uint64_t set = hash_u64(1) & (SF_CALLS_SETS - 1);
	struct sf_calls *calls = calloc(1, sizeof(*calls));
	int64_t tids[SF_CALLS_WAYS + 1];
	unsigned n = 0;

	(void)state;
	assert_non_null(calls);
	for (uint64_t tid = 1; n < COUNT_OF(tids); tid++)
		if ((hash_u64(tid) & (SF_CALLS_SETS - 1)) == set)
			tids[n++] = (int64_t)tid;
	/* The second is the oldest, the last comes in its place. */
	assert_int_equal(sf_calls_see(calls, EV_READ_E, tids[0], 100), 0);
	for (unsigned i = 1; i < n; i++)
		assert_int_equal(sf_calls_see(calls, EV_READ_E, tids[i], 10 * i), 0);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(sf_calls_see(calls, EV_READ_X, tids[i], 1000), i == 0	 ? 100
										: i == 1 ? 0
											 : 10 * i);
	free(calls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_call_began_with_its_enter_event),
	    cmocka_unit_test(nobody_who_does_not_ask_is_told),
	    cmocka_unit_test(who_asks_reads_the_same),
	    cmocka_unit_test(what_is_no_pair_has_no_beginning),
	    cmocka_unit_test(what_may_be_another_is_forgotten),
	    cmocka_unit_test(an_exit_event_is_of_the_call_that_began_last),
	    cmocka_unit_test(the_table_is_bounded),
	    cmocka_unit_test(who_has_waited_longest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
