/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "capture/internal.h"

#define LARGE 60000u

static bool put(struct segments *s, uint32_t len, uint64_t mark, bool essential)
{
	struct queued *q = segments_room(s, len, essential);

	if (!q)
		return false;
	memset(q->body, (int)(mark & 0xff), len);
	memcpy(q->body, &mark, sizeof(mark));
	q->cpu = (int16_t)(mark % 100);
	q->kind = QUEUED_EVENT;
	return true;
}

static void expect(struct segments *s, uint32_t len, uint64_t mark)
{
	const struct queued *q;
	uint64_t found;

	assert_int_equal(segments_next(s, &q, 0), 1);
	assert_int_equal(q->len, len);
	assert_int_equal(q->cpu, mark % 100);
	memcpy(&found, q->body, sizeof(found));
	assert_int_equal(found, mark);
	assert_int_equal(q->body[len - 1], len > 8 ? mark & 0xff : found >> 56);
	assert_int_equal((uintptr_t)q->body % 8, 0);
}

static void what_is_put_comes_out_once_it_is_published(void **state)
{
	struct segments s;
	const struct queued *q;

	(void)state;
	assert_int_equal(segments_init(&s, 0, NULL), 0);
	assert_true(put(&s, 46, 1, false));
	assert_int_equal(segments_next(&s, &q, 0), REC_IDLE);
	segments_publish(&s);
	assert_true(put(&s, 47, 2, false));
	expect(&s, 46, 1);
	assert_int_equal(segments_next(&s, &q, 0), REC_IDLE);
	segments_publish(&s);
	expect(&s, 47, 2);
	segments_end(&s);
	assert_int_equal(segments_next(&s, &q, 0), 0);
	assert_int_equal(segments_next(&s, &q, 0), 0);
	segments_done(&s);
}

static void segments_are_reused_for_more_than_the_budget_in_all(void **state)
{
	struct segments s;
	uint64_t put_mark = 0, mark = 0;

	(void)state;
	assert_int_equal(segments_init(&s, 4 << 20, NULL), 0);
	for (unsigned round = 0; round < 40; round++) {
		for (unsigned i = 0; i < 30; i++) /* 1.8 MB */
			assert_true(put(&s, LARGE - i, put_mark++, false));
		segments_publish(&s);
		for (unsigned i = 0; i < 30; i++)
			expect(&s, LARGE - i, mark++);
	}
	assert_true(s.used <= 2);
	assert_true(s.nspare <= 3);
	assert_int_equal(s.put, atomic_load(&s.taken));
	segments_done(&s);
}

static void over_the_budget_only_what_is_essential_still_has_room(void **state)
{
	struct segments s;
	uint64_t n = 0, essential = 0;

	(void)state;
	assert_int_equal(segments_init(&s, 8 << 20, NULL), 0);
	while (put(&s, LARGE, n, false))
		n++;
	assert_int_equal(n, 8 * (SEGMENT_BYTES / (LARGE + 8)));
	assert_in_range(segments_fill(&s), 87, 100);
	assert_true(put(&s, 40, n, false)); /* the last segment has room for little */
	while (put(&s, LARGE, n + 1 + essential, true))
		essential++;
	assert_int_equal(essential, 2 * (SEGMENT_BYTES / (LARGE + 8)));
	segments_publish(&s);
	for (uint64_t i = 0; i < n; i++)
		expect(&s, LARGE, i);
	expect(&s, 40, n);
	for (uint64_t i = 0; i < essential; i++)
		expect(&s, LARGE, n + 1 + i);
	assert_true(put(&s, LARGE, 7, false)); /* room again */
	segments_done(&s);
}

static void what_was_never_taken_is_freed(void **state)
{
	struct segments s;

	(void)state;
	assert_int_equal(segments_init(&s, 16 << 20, NULL), 0);
	for (unsigned i = 0; i < 100; i++)
		assert_true(put(&s, LARGE, i, false));
	segments_publish(&s);
	expect(&s, LARGE, 0);
	segments_done(&s);
}

#define THREADED 300000u

static void *put_many(void *arg)
{
	struct segments *s = arg;

	for (uint64_t i = 0; i < THREADED;) {
		bool done = put(s, 16 + (uint32_t)(i % 200), i, false);

		i += done;
		if (i % 100 == 0 || !done)
			segments_publish(s);
	}
	segments_end(s);
	return NULL;
}

static void one_thread_may_put_while_another_takes(void **state)
{
	struct segments s;
	const struct queued *q;
	pthread_t thread;
	uint64_t n = 0;
	int rc;

	(void)state;
	assert_int_equal(segments_init(&s, 4 << 20, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, put_many, &s), 0);
	while ((rc = segments_next(&s, &q, 1000)) == 1) {
		uint64_t found;

		memcpy(&found, q->body, sizeof(found));
		assert_int_equal(found, n);
		assert_int_equal(q->len, 16 + n % 200);
		n++;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(n, THREADED);
	pthread_join(thread, NULL);
	segments_done(&s);
}

static void shedding_begins_in_steps_and_ends_only_well_below(void **state)
{
	(void)state;
	assert_int_equal(shed_level(WIRE_SHED_NOTHING, 49), WIRE_SHED_NOTHING);
	assert_int_equal(shed_level(WIRE_SHED_NOTHING, 50), WIRE_SHED_SCHEDULER);
	assert_int_equal(shed_level(WIRE_SHED_NOTHING, 100), WIRE_SHED_ALL);
	assert_int_equal(shed_level(WIRE_SHED_SCHEDULER, 49), WIRE_SHED_SCHEDULER);
	assert_int_equal(shed_level(WIRE_SHED_SCHEDULER, 25), WIRE_SHED_SCHEDULER);
	assert_int_equal(shed_level(WIRE_SHED_SCHEDULER, 24), WIRE_SHED_NOTHING);
	assert_int_equal(shed_level(WIRE_SHED_ALL, 70), WIRE_SHED_ALL);
	assert_int_equal(shed_level(WIRE_SHED_ALL, 69), WIRE_SHED_IO);
	assert_int_equal(shed_level(WIRE_SHED_ALL, 0), WIRE_SHED_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_put_comes_out_once_it_is_published),
	    cmocka_unit_test(segments_are_reused_for_more_than_the_budget_in_all),
	    cmocka_unit_test(over_the_budget_only_what_is_essential_still_has_room),
	    cmocka_unit_test(what_was_never_taken_is_freed),
	    cmocka_unit_test(one_thread_may_put_while_another_takes),
	    cmocka_unit_test(shedding_begins_in_steps_and_ends_only_well_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
