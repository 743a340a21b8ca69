/* SPDX-License-Identifier: Apache-2.0 */
/* The recorder without memory, and without asking for more of it per event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/tests/alloc_wrap.h"
#include "capture/internal.h"
#include "capture/tests/recording.h"

static void every_allocation_of_opening_may_fail(void **state)
{
	struct rec_options opt = recording_options("procexit");
	unsigned long calls;
	struct rec *r;

	(void)state;
	opt.exact_set = true;
	alloc = (struct alloc_wrap){.counting = true};
	r = recording_open(&opt);
	calls = alloc.calls;
	alloc.counting = false;
	rec_close(r);
	assert_in_range(calls, 5, 200);
	for (unsigned long at = 1; at <= calls; at++) {
		struct error err = {0};
		int rc;

		alloc = (struct alloc_wrap){.counting = true, .fail_at = at, .once = true};
		rc = rec_open(&opt, &r, &err);
		alloc.counting = false;
		if (rc != ERR_NOMEM)
			fail_msg("allocation %lu of %lu: %d %s", at, calls, rc, err.msg);
	}
}

static void losses_and_the_queue_fail_cleanly(void **state)
{
	struct error err = {0};
	struct segments s;
	struct losses l;

	(void)state;
	alloc = (struct alloc_wrap){.counting = true, .fail_at = 1};
	assert_int_equal(segments_init(&s, 0, &err), ERR_NOMEM);
	segments_done(&s);
	assert_int_equal(losses_init(&l, 2, 0, &err), ERR_NOMEM);
	alloc = (struct alloc_wrap){.counting = true, .fail_at = 2};
	assert_int_equal(losses_init(&l, 2, 0, &err), ERR_NOMEM);
	alloc = (struct alloc_wrap){0};
	/* Without memory for another segment it is as if the budget were used up. */
	assert_int_equal(segments_init(&s, 64 << 20, &err), 0);
	alloc = (struct alloc_wrap){.counting = true, .fail_at = 1};
	assert_non_null(segments_room(&s, SEGMENT_BYTES / 2, false));
	assert_null(segments_room(&s, SEGMENT_BYTES / 2, false));
	alloc = (struct alloc_wrap){0};
	assert_non_null(segments_room(&s, SEGMENT_BYTES / 2, false));
	segments_done(&s);
}

static void events_cost_no_allocation_once_segments_are_there(void **state)
{
	struct error err = {0};
	const struct queued *q;
	struct segments s;

	(void)state;
	assert_int_equal(segments_init(&s, 64 << 20, &err), 0);
	alloc = (struct alloc_wrap){.counting = true};
	for (unsigned i = 0; i < 100000; i++) {
		assert_non_null(segments_room(&s, 100, false));
		segments_publish(&s);
		assert_int_equal(segments_next(&s, &q, 0), 1);
	}
	alloc.counting = false;
	assert_in_range(alloc.calls, 0, 2);
	segments_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_allocation_of_opening_may_fail),
	    cmocka_unit_test(losses_and_the_queue_fail_cleanly),
	    cmocka_unit_test(events_cost_no_allocation_once_segments_are_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
