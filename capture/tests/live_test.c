/* SPDX-License-Identifier: Apache-2.0 */
/* The harness itself: what it finds, and what it refuses. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/live.h"

static void close_and_write(void *shared)
{
	int *fd = shared;

	live_call(SYS_close, -7);
	live_pause();
	*fd = dup(2);
	live_call(SYS_close, -8);
	live_resume();
	live_call(SYS_write, -1, "twelve bytes", 12);
	live_call(SYS_close, *fd);
}

static void calls_of_the_child_come_in_order_without_what_it_prepares(void **state)
{
	struct live *l = *state;
	struct live_event *e;
	int *fd = live_run(l, "close,write", close_and_write);

	e = expect_event(l, EV_CLOSE_X);
	expect_i64(e, "res", -EBADF);
	expect_i64(e, "fd", -7);
	assert_true(e->failed);
	assert_in_range(e->ts, live_from(l) - 1000000000, live_to(l) + 1000000000);
	e = expect_event(l, EV_WRITE_X);
	expect_i64(e, "res", -EBADF);
	expect_bytes(e, "data", "twelve bytes", 12);
	expect_i64(e, "fd", -1);
	expect_i64(e, "size", 12);
	e = expect_event(l, EV_CLOSE_X);
	expect_i64(e, "res", 0);
	expect_i64(e, "fd", *fd);
	expect_end(l);
}

static void only_what_is_asked_for_is_recorded(void **state)
{
	struct live *l = *state;

	live_run(l, "write", close_and_write);
	expect_event(l, EV_WRITE_X);
	expect_end(l);
}

LIVE_MAIN("live_test", "close,write",
	  cmocka_unit_test(calls_of_the_child_come_in_order_without_what_it_prepares),
	  cmocka_unit_test(only_what_is_asked_for_is_recorded))
