/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/fake_ring.h"

/* Take the head, which must be of time @ts. */
static void expect(struct fake_ring *f, uint64_t ts)
{
	const struct ring_record *rec = ring_head(&f->ring);

	assert_non_null(rec);
	assert_int_equal(rec->ts, ts);
	ring_take(&f->ring);
}

static void records_come_in_order_and_the_kernel_learns_it_when_told(void **state)
{
	struct fake_ring f;

	(void)state;
	fake_ring_init(&f, 0, 0);
	for (uint64_t ts = 1; ts <= 3; ts++)
		assert_true(fake_ring_put(&f, ts, 46));
	assert_null(ring_head(&f.ring)); /* not looked yet */
	ring_look(&f.ring, 10);
	expect(&f, 1);
	expect(&f, 2);
	assert_int_equal(atomic_load(&f.consumer), 0);
	ring_release(&f.ring);
	assert_int_equal(atomic_load(&f.consumer), 2 * 56); /* not beyond what was looked at */
	expect(&f, 3);
	assert_null(ring_head(&f.ring));
	ring_release(&f.ring);
	assert_int_equal(atomic_load(&f.consumer), 3 * 56);
	fake_ring_done(&f);
}

static void a_busy_record_holds_back_those_behind_it(void **state)
{
	struct fake_ring f;
	uint8_t *busy;
	uint64_t ts = 2;

	(void)state;
	fake_ring_init(&f, 0, 0);
	fake_ring_put(&f, 1, 40);
	busy = fake_ring_reserve(&f, 40);
	fake_ring_put(&f, 3, 40);
	ring_look(&f.ring, 10);
	assert_true(f.ring.busy);
	expect(&f, 1);
	assert_null(ring_head(&f.ring));
	memcpy(busy + 8, &ts, 8);
	fake_ring_commit(busy, false);
	ring_look(&f.ring, 11);
	assert_false(f.ring.busy);
	expect(&f, 2);
	expect(&f, 3);
	fake_ring_done(&f);
}

static void discarded_records_are_skipped_and_released(void **state)
{
	struct fake_ring f;

	(void)state;
	fake_ring_init(&f, 0, 0);
	fake_ring_commit(fake_ring_reserve(&f, 100), true);
	fake_ring_put(&f, 5, 40);
	fake_ring_commit(fake_ring_reserve(&f, 1), true);
	ring_look(&f.ring, 10);
	expect(&f, 5);
	assert_null(ring_head(&f.ring));
	ring_release(&f.ring);
	assert_int_equal(atomic_load(&f.consumer), atomic_load(&f.producer));
	fake_ring_done(&f);
}

static void records_across_the_end_of_the_ring_are_whole(void **state)
{
	struct fake_ring f;
	uint64_t ts = 0;

	(void)state;
	/* Positions beyond 32 bits, and a record that begins 16 bytes before the end. */
	fake_ring_init(&f, (5ull << 32) - 16, 0);
	for (unsigned round = 0; round < 500; round++) {
		uint32_t len = 8 + round * 37 % 3000;
		const struct ring_record *rec;

		assert_true(fake_ring_put(&f, ++ts, len));
		ring_look(&f.ring, ts);
		rec = ring_head(&f.ring);
		assert_non_null(rec);
		assert_int_equal(rec->len, len);
		expect(&f, ts);
		ring_release(&f.ring);
	}
	assert_int_equal(ring_fill(&f.ring), 0);
	fake_ring_done(&f);
}

static void records_out_of_order_are_put_in_order(void **state)
{
	static const uint64_t came[] = {5, 3, 4, 9, 7, 7, 1};
	static const uint64_t go[] = {1, 3, 4, 5, 7, 7, 9};
	static const uint32_t lens[] = {56, 51, 52, 50, 54, 55, 53}; /* equals as they came */
	struct fake_ring f;

	(void)state;
	fake_ring_init(&f, 0, -1);
	for (size_t i = 0; i < COUNT_OF(came); i++)
		fake_ring_put(&f, came[i], 50 + (uint32_t)i);
	ring_look(&f.ring, 20);
	for (size_t i = 0; i < COUNT_OF(go); i++) {
		assert_int_equal(ring_head(&f.ring)->len, lens[i]);
		expect(&f, go[i]);
		ring_release(&f.ring);
		/* The first record goes fourth: until then nothing may be overwritten. */
		assert_int_equal(atomic_load(&f.consumer) != 0, i >= 3);
	}
	fake_ring_done(&f);
}

static void more_records_than_are_remembered_all_come(void **state)
{
	struct fake_ring f;
	uint64_t put = 0, taken = 0;

	(void)state;
	fake_ring_init(&f, 0, 0);
	while (fake_ring_put(&f, put + 1, 40))
		put++;
	assert_true(put > 4 * RING_AHEAD);
	ring_look(&f.ring, 1);
	assert_int_equal(ring_fill(&f.ring), 99);
	while (ring_head(&f.ring))
		expect(&f, ++taken);
	assert_int_equal(taken, put);
	fake_ring_done(&f);
}

static void the_position_is_released_after_so_many_bytes(void **state)
{
	struct fake_ring f;
	unsigned moves = 0;
	uint64_t last = 0;

	(void)state;
	fake_ring_init(&f, 0, 0);
	for (uint64_t ts = 1; ts <= 4000; ts++) {
		fake_ring_put(&f, ts, 56);
		ring_look(&f.ring, ts);
		expect(&f, ts);
		moves += atomic_load(&f.consumer) != last;
		last = atomic_load(&f.consumer);
	}
	assert_in_range(moves, 1, 4000 * 64 / RING_RELEASE_BYTES);
	fake_ring_done(&f);
}

static void a_length_that_cannot_be_loses_what_is_there_and_no_more(void **state)
{
	struct fake_ring f;
	uint32_t wrong = FAKE_RING_SIZE;
	uint8_t *p;

	(void)state;
	fake_ring_init(&f, 0, 0);
	fake_ring_put(&f, 1, 40);
	p = fake_ring_reserve(&f, 40);
	memcpy(p, &wrong, sizeof(wrong));
	fake_ring_put(&f, 2, 40);
	ring_look(&f.ring, 1);
	expect(&f, 1);
	assert_null(ring_head(&f.ring));
	fake_ring_put(&f, 3, 40);
	ring_look(&f.ring, 2);
	expect(&f, 3);
	fake_ring_done(&f);
}

static void the_bound_of_what_is_to_come_depends_on_what_was_seen(void **state)
{
	const uint64_t t = 1000 * MERGE_SLACK_NS;
	struct fake_ring f;

	(void)state;
	fake_ring_init(&f, 0, 0);
	ring_look(&f.ring, t); /* empty: nothing earlier than now, but for the slack */
	assert_int_equal(ring_bound(&f.ring, t), t - MERGE_SLACK_NS);
	fake_ring_reserve(&f, 40);
	ring_look(&f.ring, 2 * t); /* it was begun since */
	assert_int_equal(ring_bound(&f.ring, 2 * t), t - MERGE_SLACK_NS);
	fake_ring_done(&f);
	fake_ring_init(&f, 0, 0);
	for (unsigned i = 0; i < RING_AHEAD + 1; i++)
		fake_ring_put(&f, t + i, 40);
	ring_look(&f.ring, 2 * t); /* there is more than was looked at: it is later than that */
	assert_true(ring_bound(&f.ring, 2 * t) == UINT64_MAX);
	fake_ring_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_come_in_order_and_the_kernel_learns_it_when_told),
	    cmocka_unit_test(a_busy_record_holds_back_those_behind_it),
	    cmocka_unit_test(discarded_records_are_skipped_and_released),
	    cmocka_unit_test(records_across_the_end_of_the_ring_are_whole),
	    cmocka_unit_test(records_out_of_order_are_put_in_order),
	    cmocka_unit_test(more_records_than_are_remembered_all_come),
	    cmocka_unit_test(the_position_is_released_after_so_many_bytes),
	    cmocka_unit_test(a_length_that_cannot_be_loses_what_is_there_and_no_more),
	    cmocka_unit_test(the_bound_of_what_is_to_come_depends_on_what_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
