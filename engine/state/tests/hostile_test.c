/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences of events no machine produces: they may cost some time, never the process or its
 * memory. */
#include "engine/state/tests/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 20000

static void ever_new_threads_stop_at_the_limit(void **arg)
{
	struct state_options opt = {.threads_max = 5000};
	struct world w;

	(void)arg;
	world_init(&w, &opt);
	for (int64_t tid = 1; tid <= MANY; tid++)
		EVENT(&w, tid * 7919, EV_READ_X, I(1), NONE, I(3));
	assert_int_equal(state_threads(w.st), 5000);
	assert_int_equal(state_stats(w.st)->threads_dropped, MANY - 5000);
	assert_null(w.bind.thread);
	world_done(&w);
}

static void climbing_a_very_long_chain_ends(void **arg)
{
	struct state_climb climb;
	unsigned n = 0;
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	for (int64_t tid = 2; tid < MANY; tid++)
		world_process(&w, tid, tid - 1);
	world_tick(&w);
	climb = state_climb_start(w.st, T(&w, MANY - 1));
	while (state_climb_next(&climb))
		n++;
	assert_int_equal(n, STATE_CLIMB_MAX);
	assert_null(state_thread_ancestor(w.st, T(&w, MANY - 1), MANY - 5));
	assert_non_null(state_thread_ancestor(w.st, T(&w, MANY - 1), STATE_CLIMB_MAX));
	/* Nobody reaps up there. */
	world_exit(&w, MANY - 2);
	world_tick(&w);
	assert_int_equal(T(&w, MANY - 1)->ptid, 0);
	world_done(&w);
}

static void an_exec_ends_any_number_of_threads(void **arg)
{
	struct ev_thread_entry t;
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	world_process(&w, 1, 0);
	for (int64_t tid = 2; tid < MANY; tid++) {
		t = world_entry(tid, 1, 0);
		/* Half of them claim to be main threads. */
		t.flags = tid % 2 ? THREAD_FLAGS : STATE_CL_IS_MAIN_THREAD;
		world_add(&w, &t);
	}
	world_tick(&w);
	EXEC(&w, 1, .ret = 0, .pid = 1);
	assert_int_equal(state_threads(w.st), MANY / 2);
	assert_null(T(&w, 3));
	assert_non_null(T(&w, 4));
	world_done(&w);
}

static void descriptors_are_limited_over_all_tables(void **arg)
{
	struct state_options opt = {.fds_total_max = 100};
	struct world w;

	(void)arg;
	world_init(&w, &opt);
	world_process(&w, 1, 0);
	for (int i = 0; i < 30; i++)
		EVENT(&w, 1, EV_OPEN_X, I(i), S("/a"), I(0), I(0));
	for (int i = 0; i < 30; i++)
		CLONE(&w, 1, .ret = 100 + i);
	assert_int_equal(state_stats(w.st)->fds_dropped, 31 * 30 - 100);
	/* What goes makes room. */
	world_exit(&w, 100);
	EVENT(&w, 129, EV_OPEN_X, I(3), S("/b"), I(0), I(0));
	assert_text(F(&w, 129, 3)->name, "/b");
	world_done(&w);
}

static void counts_gone_wrong_take_the_group_with_them(void **arg)
{
	struct ev_thread_entry dead = world_entry(21, 20, 1);
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	world_process(&w, 1, 0);
	world_process(&w, 20, 1);
	dead.flags = THREAD_FLAGS;
	world_add(&w, &dead);
	dead.tid = 22;
	world_add(&w, &dead);
	world_tick(&w);
	/* The leader claims another process, then execs: its siblings' group is not its own. */
	EXEC(&w, 20, .ret = 0, .pid = 22);
	EXEC(&w, 22, .ret = 0, .pid = 20);
	EXEC(&w, 21, .ret = 0, .pid = 21);
	world_exit(&w, 20);
	world_exit(&w, 21);
	world_exit(&w, 22);
	world_tick(&w);
	world_done(&w);
}

static void a_thread_may_be_its_own_parent_and_reaper(void **arg)
{
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	world_process(&w, 5, 5);
	world_process(&w, 6, 5);
	world_tick(&w);
	CLONE(&w, 7, .pid = 7, .ptid = 7);
	CLONE(&w, 8, .pid = 8, .ptid = 1, .flags = STATE_CL_THREAD);
	world_exit_reaper(&w, 5, 5);
	world_tick(&w);
	assert_null(T(&w, 5));
	assert_int_equal(T(&w, 6)->ptid, 0);
	/* The reaper is among the children it is to take. */
	world_process(&w, 9, 6);
	world_exit_reaper(&w, 6, 9);
	world_tick(&w);
	assert_int_equal(T(&w, 9)->ptid, 9);
	world_exit(&w, 9);
	world_tick(&w);
	assert_null(T(&w, 9));
	world_done(&w);
}

static void extreme_numbers_are_just_numbers(void **arg)
{
	static const int64_t odd[] = {INT64_MIN, INT64_MAX, -1, -100, 0, INT64_C(1) << 32};
	struct world w;

	(void)arg;
	world_init_base(&w);
	for (size_t i = 0; i < COUNT_OF(odd); i++) {
		for (size_t k = 0; k < COUNT_OF(odd); k++) {
			CLONE(&w, odd[i], .ret = odd[k], .pid = odd[k], .ptid = odd[i]);
			EVENT(&w, odd[i], EV_OPEN_X, I(odd[k]), S("/a"), I(0), I(0));
			EVENT(&w, odd[i], EV_DUP2_X, I(odd[i]), I(odd[k]), I(odd[i]));
			EVENT(&w, odd[i], EV_CLOSE_X, I(0), I(odd[k]));
			EVENT(&w, odd[i], EV_SETSID_X, I(odd[k]));
			world_exit_reaper(&w, odd[k], odd[i]);
			world_check(&w);
		}
	}
	EVENT(&w, 1, EV_READ_X, I(INT64_MIN), NONE, I(0));
	assert_int_equal(w.bind.errcode, INT32_MAX);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ever_new_threads_stop_at_the_limit),
	    cmocka_unit_test(climbing_a_very_long_chain_ends),
	    cmocka_unit_test(an_exec_ends_any_number_of_threads),
	    cmocka_unit_test(descriptors_are_limited_over_all_tables),
	    cmocka_unit_test(counts_gone_wrong_take_the_group_with_them),
	    cmocka_unit_test(a_thread_may_be_its_own_parent_and_reaper),
	    cmocka_unit_test(extreme_numbers_are_just_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
