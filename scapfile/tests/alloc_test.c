/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: every allocation may fail, and reading events makes none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/tests/alloc_wrap.h"
#include "scapfile/scapfile.h"
#include "scapfile/tests/capture_builder.h"

/* Read all of @file. Return: how many events there were, or the error. */
static int64_t drain(const struct buf *file)
{
	struct sf_options opt = {.want_hash = true};
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	int64_t events = 0;
	int rc;

	rc = sf_reader_open_memory(file->p, file->len, &opt, &r, &err);
	if (rc < 0)
		return rc;
	while ((rc = ev_source_next(sf_reader_source(r), &item, &err)) > 0)
		events += item.kind == EV_ITEM_EVENT;
	if (rc < 0)
		assert_int_equal(err.code, rc);
	sf_reader_close(r);
	return rc < 0 ? rc : events;
}

/* Old enter and exit events of @threads threads, @rounds times. */
static void add_old_events(struct capture *c, int threads, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		for (int tid = 1; tid <= threads; tid++) {
			cb_event_begin(c, CB_EV_V2, EV_READ_E, 1, tid);
			cb_param_u64(c, 3);
			cb_param_u32(c, 100);
			cb_event_end(c);
		}
		for (int tid = 1; tid <= threads; tid++) {
			cb_event_begin(c, CB_EV_V2, EV_READ_X, 2, tid);
			cb_param_u64(c, 5);
			cb_param(c, "hello", 5);
			cb_event_end(c);
		}
	}
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		struct buf file = {0};
		struct capture c = {0};
		unsigned long n = 0, failed = 0;
		int64_t rc;

		cb_mixed(&c);
		add_old_events(&c, 30, 1);
		cb_fill(&c, 0x66, 7); /* a gap */
		if (kind == 0)
			buf_add(&file, c.out.p, c.out.len);
		else
			(kind == 1 ? cb_gzip : cb_zstd)(&file, c.out.p, c.out.len);
		do {
			n++;
			alloc.calls = 0;
			alloc.fail_at = n;
			rc = drain(&file);
			alloc.fail_at = 0;
			if (rc < 0)
				assert_int_equal(rc, ERR_NOMEM);
			failed += rc < 0;
		} while (alloc.calls >= n); /* else the n-th was not needed, and nothing failed */
		assert_int_equal(rc, 32);
		assert_true(failed >= 3);
		alloc.calls = 0;
		buf_done(&file);
		cb_done(&c);
	}
}

/* How many allocations it takes to read a capture of so many events. */
static unsigned long count_allocations(int current, int old)
{
	struct capture c = {0};
	unsigned long count;

	cb_section(&c);
	for (int i = 0; i < current; i++)
		cb_stat(&c, 1, i);
	add_old_events(&c, 20, old / 20);
	alloc.calls = 0;
	assert_int_equal(drain(&c.out), current + old);
	count = alloc.calls;
	cb_done(&c);
	return count;
}

static void more_events_take_no_more_allocations(void **state)
{
	(void)state;
	assert_int_equal(count_allocations(100, 100), count_allocations(20000, 20000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_allocation_may_fail),
	    cmocka_unit_test(more_events_take_no_more_allocations),
	};

	alloc.counting = alloc.once = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
