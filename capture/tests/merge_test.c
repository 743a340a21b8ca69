/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/fake_ring.h"

#define RINGS 5
#define MS    1000000ull

struct fixture {
	struct fake_ring rings[RINGS];
	struct merge merge;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	for (unsigned i = 0; i < RINGS; i++) {
		fake_ring_init(&f->rings[i], 0, (int16_t)i);
		assert_int_equal(merge_add(&f->merge, &f->rings[i].ring), 0);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < RINGS; i++)
		fake_ring_done(&f->rings[i]);
	free(f->merge.rings);
	free(f->merge.heap);
	free(f);
	return 0;
}

/* Take what may go. Return: how many; they must come in order but for @late. */
static unsigned take_all(struct fixture *f, uint64_t *last, unsigned *late)
{
	unsigned n = 0;
	struct ring *r;

	while ((r = merge_next(&f->merge, UINT64_MAX))) {
		uint64_t ts = ring_head(r)->ts;

		*late += ts < *last;
		*last = ts > *last ? ts : *last;
		merge_take(&f->merge);
		n++;
	}
	for (unsigned i = 0; i < RINGS; i++)
		ring_release(&f->rings[i].ring);
	return n;
}

static void many_rings_become_one_order(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0, ts = 100 * MS, seed = 12345;
	unsigned put = 0, taken = 0, late = 0;

	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < 50; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			ts += seed >> 50;
			put += fake_ring_put(&f->rings[(seed >> 33) % RINGS], ts, 40);
		}
		merge_look(&f->merge, ts, false);
		taken += take_all(f, &last, &late);
		assert_true(last <= ts - MERGE_SLACK_NS);
	}
	merge_look(&f->merge, ts, true);
	taken += take_all(f, &last, &late);
	assert_int_equal(taken, put);
	assert_int_equal(put, 200 * 50);
	assert_int_equal(late, 0);
	assert_int_equal(f->merge.late, 0);
}

static void an_empty_ring_holds_back_only_the_last_moment(void **state)
{
	struct fixture *f = *state;
	uint64_t now = 100 * MS, last = 0;
	unsigned late = 0;

	fake_ring_put(&f->rings[0], now - 2 * MERGE_SLACK_NS, 40);
	fake_ring_put(&f->rings[0], now - MERGE_SLACK_NS, 40);
	fake_ring_put(&f->rings[0], now - MERGE_SLACK_NS + 1, 40);
	merge_look(&f->merge, now, false);
	assert_int_equal(take_all(f, &last, &late), 2);
	merge_look(&f->merge, now + 1, false);
	assert_int_equal(take_all(f, &last, &late), 1);
}

static void a_busy_ring_holds_back_the_others_until_it_is_done(void **state)
{
	struct fixture *f = *state;
	uint64_t now = 100 * MS, last = 0, ts = now + 2;
	unsigned late = 0;
	uint8_t *busy;

	merge_look(&f->merge, now, false); /* all even */
	busy = fake_ring_reserve(&f->rings[1], 40);
	fake_ring_put(&f->rings[0], now + 1, 40);
	fake_ring_put(&f->rings[2], now + 3, 40);
	merge_look(&f->merge, now + 20 * MS, false);
	assert_int_equal(take_all(f, &last, &late), 0);
	memcpy(busy + 8, &ts, 8);
	fake_ring_commit(busy, false);
	merge_look(&f->merge, now + 21 * MS, false);
	assert_int_equal(take_all(f, &last, &late), 3);
	assert_int_equal(f->merge.late, 0);
}

static void what_is_busy_too_long_comes_late_and_is_counted(void **state)
{
	struct fixture *f = *state;
	uint64_t now = 1000 * MS, last = 0, ts = now + 1;
	unsigned late = 0;
	uint8_t *busy;

	merge_look(&f->merge, now, false);
	busy = fake_ring_reserve(&f->rings[1], 40);
	fake_ring_put(&f->rings[0], now + 2, 40);
	merge_look(&f->merge, now + MERGE_HOLD_NS, false);
	assert_int_equal(take_all(f, &last, &late), 0);
	merge_look(&f->merge, now + MERGE_HOLD_NS + 2, false);
	assert_int_equal(take_all(f, &last, &late), 1);
	memcpy(busy + 8, &ts, 8);
	fake_ring_commit(busy, false);
	merge_look(&f->merge, now + 2 * MERGE_HOLD_NS, false);
	assert_int_equal(take_all(f, &last, &late), 1);
	assert_int_equal(late, 1);
	assert_int_equal(f->merge.late, 1);
}

static void nothing_goes_beyond_the_time_asked_for(void **state)
{
	struct fixture *f = *state;

	fake_ring_put(&f->rings[0], 10, 40);
	fake_ring_put(&f->rings[3], 20, 40);
	merge_look(&f->merge, 100 * MS, false);
	assert_ptr_equal(merge_next(&f->merge, 15), &f->rings[0].ring);
	merge_take(&f->merge);
	assert_null(merge_next(&f->merge, 15));
	assert_ptr_equal(merge_next(&f->merge, 20), &f->rings[3].ring);
}

static void a_full_ring_is_noticed(void **state)
{
	struct fixture *f = *state;

	while (fake_ring_put(&f->rings[2], 1, 1000))
		;
	merge_look(&f->merge, 100 * MS, false);
	assert_in_range(f->merge.fill_now, 97, 100);
	while (merge_next(&f->merge, UINT64_MAX))
		merge_take(&f->merge);
	ring_release(&f->rings[2].ring);
	merge_look(&f->merge, 101 * MS, false);
	assert_int_equal(f->merge.fill_now, 0);
	assert_in_range(f->merge.fill_max, 97, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(many_rings_become_one_order, setup, teardown),
	    cmocka_unit_test_setup_teardown(an_empty_ring_holds_back_only_the_last_moment, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_busy_ring_holds_back_the_others_until_it_is_done,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(what_is_busy_too_long_comes_late_and_is_counted, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(nothing_goes_beyond_the_time_asked_for, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_full_ring_is_noticed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
