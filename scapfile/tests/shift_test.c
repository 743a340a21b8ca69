/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/shift.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "scapfile/build.h"

#define IDS 5000000
#define NS  1000
#define TS  1700000000000000000ull

struct fixture {
	struct sf_shift_plan plan;
	struct sf_shift shift;
	struct ev_build build;
};

static int set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){0};
	sf_shift_plan_init(&f.plan);
	f.shift = (struct sf_shift){.plan = &f.plan, .ids = IDS, .ns = NS, .boot_ns = 50};
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	sf_shift_done(&f->shift);
	ev_build_done(&f->build);
	return 0;
}

/* An event all of whose numbers are @value, shifted; the original stays as it was. */
static struct ev *shifted(struct fixture *f, unsigned type, int64_t value)
{
	struct ev_item item = {.kind = EV_ITEM_EVENT, .ev = &f->build.ev};

	ev_build_begin(&f->build, type, TS, value);
	for (unsigned i = 0; i < ev_table[type].nparams; i++)
		if (ev_ptype_width(ev_table[type].params[i].type))
			ev_build_int(&f->build, (uint64_t)value);
		else
			ev_build_text(&f->build, SV_LIT("text"));
	assert_int_equal(ev_build_end(&f->build, NULL), 0);
	assert_int_equal(sf_shift_item(&f->shift, &item, NULL), 0);
	assert_ptr_not_equal(item.ev, &f->build.ev);
	return item.ev;
}

static int64_t number(struct ev *ev, const char *name)
{
	int64_t v;

	assert_true(ev_i64(ev, (unsigned)ev_param_index(ev->type, name), &v));
	return v;
}

static void ids_of_the_host_are_shifted_and_those_of_a_namespace_stay(void **state)
{
	struct ev *ev = shifted(*state, EV_CLONE_20_X, 77);

	assert_int_equal(ev->tid, 77 + IDS);
	assert_int_equal(ev->ts, TS + NS);
	assert_int_equal(number(ev, "res"), 77 + IDS);
	assert_int_equal(number(ev, "tid"), 77 + IDS);
	assert_int_equal(number(ev, "pid"), 77 + IDS);
	assert_int_equal(number(ev, "ptid"), 77 + IDS);
	assert_int_equal(number(ev, "vtid"), 77);
	assert_int_equal(number(ev, "vpid"), 77);
	assert_int_equal(number(ev, "pidns_init_start_ts"), 77 + 50);
	ev = shifted(*state, EV_EXECVE_19_X, 77);
	assert_int_equal(number(ev, "vpgid"), 77);
	assert_int_equal(number(ev, "pgid"), 77 + IDS);
	assert_int_equal(number(ev, "exe_ino_ctime"), 77 + NS);
	assert_int_equal(number(ev, "exe_ino"), 77);
}

static void ids_of_32_bits_are_shifted_likewise(void **state)
{
	struct ev *ev = shifted(*state, EV_ITER_TASK_E, 77);
	unsigned ppid = (unsigned)ev_param_index(ev->type, "ppid");
	unsigned vpid = (unsigned)ev_param_index(ev->type, "vpid");

	ev_locate(ev, ev->nparams - 1u);
	assert_int_equal(load_u32(ev->data + ev->at[ppid]), 77 + IDS);
	assert_int_equal(load_u32(ev->data + ev->at[vpid]), 77);
}

static void what_is_no_id_stays(void **state)
{
	static const int64_t values[] = {0, -1, -2, INT64_MIN};

	for (size_t i = 0; i < COUNT_OF(values); i++) {
		struct ev *ev = shifted(*state, EV_CLONE_20_X, values[i]);

		assert_int_equal(ev->tid, values[i]);
		assert_int_equal(number(ev, "res"), values[i]);
		assert_int_equal(number(ev, "ptid"), values[i]);
	}
	assert_int_equal(number(shifted(*state, EV_SETSID_X, 9), "res"), 9);
	assert_int_equal(number(shifted(*state, EV_SETPGID_X, 9), "pgid"), 9);
	assert_int_equal(number(shifted(*state, EV_PRLIMIT_X, 9), "pid"), 9 + IDS);
	assert_int_equal(number(shifted(*state, EV_OPENAT_2_X, 9), "fd"), 9);
}

static void a_capture_that_is_not_shifted_is_not_copied(void **state)
{
	struct fixture *f = *state;
	struct ev *ev;

	f->shift.ids = f->shift.ns = f->shift.boot_ns = 0;
	ev = shifted(f, EV_CLONE_20_X, 77);
	assert_ptr_equal(ev->data, f->build.ev.data);
	assert_int_equal(ev->tid, 77);
}

static void lists_are_shifted_like_events(void **state)
{
	struct fixture *f = *state;
	const struct ev_thread_entry t = {.tid = 5,
					  .pid = 5,
					  .ptid = 4,
					  .sid = 5,
					  .pgid = 5,
					  .vpgid = 5,
					  .vtid = 5,
					  .vpid = 5,
					  .exe_ino_ctime = 8,
					  .clone_ts = 8,
					  .pidns_init_start_ts = 8};
	const struct ev_fd_entry fd = {.tid = 5, .fd = 3};
	const struct ev_loss loss = {.from = 5, .to = UINT64_MAX};
	struct ev_item item = {.kind = EV_ITEM_THREAD, .thread = &t};

	assert_int_equal(sf_shift_item(&f->shift, &item, NULL), 0);
	assert_int_equal(item.thread->tid, 5 + IDS);
	assert_int_equal(item.thread->pid, 5 + IDS);
	assert_int_equal(item.thread->pgid, 5 + IDS);
	assert_int_equal(item.thread->ptid, 4 + IDS);
	assert_int_equal(item.thread->sid + item.thread->vpgid + item.thread->vtid, 15);
	assert_int_equal(item.thread->exe_ino_ctime, 8 + NS);
	assert_int_equal(item.thread->clone_ts, 8 + NS);
	assert_int_equal(item.thread->pidns_init_start_ts, 8 + NS);
	assert_int_equal(item.thread->exe_ino_mtime, 0);
	item = (struct ev_item){.kind = EV_ITEM_FD, .fd = &fd};
	assert_int_equal(sf_shift_item(&f->shift, &item, NULL), 0);
	assert_int_equal(item.fd->tid, 5 + IDS);
	assert_int_equal(item.fd->fd, 3);
	item = (struct ev_item){.kind = EV_ITEM_LOSS, .loss = &loss};
	assert_int_equal(sf_shift_item(&f->shift, &item, NULL), 0);
	assert_int_equal(item.loss->from, 5 + NS);
	assert_true(item.loss->to == UINT64_MAX);
}

static void times_that_would_leave_the_range_stay(void **state)
{
	struct fixture *f = *state;

	f->shift.ns = -2 * (int64_t)TS;
	assert_int_equal(shifted(f, EV_OPENAT_2_X, 5)->ts, TS);
	f->shift.ns = -1000;
	assert_int_equal(shifted(f, EV_OPENAT_2_X, 5)->ts, TS - 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(ids_of_the_host_are_shifted_and_those_of_a_namespace_stay),
	    TEST(ids_of_32_bits_are_shifted_likewise),
	    TEST(what_is_no_id_stays),
	    TEST(a_capture_that_is_not_shifted_is_not_copied),
	    TEST(lists_are_shifted_like_events),
	    TEST(times_that_would_leave_the_range_stay),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
