/* SPDX-License-Identifier: Apache-2.0 */
/* clone, exit, reparenting: what the tree of processes promises beyond the scenarios. */
#include "engine/state/tests/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_start_of_a_namespace_is_that_of_who_is_inside(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 33, .pid = 33, .ptid = 1, .vtid = 2, .vpid = 2, .pidns_start = 6000);
	assert_int_equal(T(&w, 33)->pidns_init_start_ts, 6000);
	CLONE(&w, 34, .pid = 34, .ptid = 1, .pidns_start = 6000);
	assert_int_equal(T(&w, 34)->pidns_init_start_ts, 0);
	world_done(&w);
}

static void the_first_of_a_namespace_reaps_in_it(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 30, .pid = 30, .ptid = 1, .vtid = 1, .vpid = 1, .flags = STATE_CL_NEWPID);
	CLONE(&w, 31, .pid = 31, .ptid = 30, .vtid = 7, .vpid = 7,
	      .flags = STATE_CL_CHILD_IN_PIDNS);
	CLONE(&w, 32, .pid = 32, .ptid = 31, .vtid = 8, .vpid = 8,
	      .flags = STATE_CL_CHILD_IN_PIDNS);
	world_exit(&w, 31);
	world_tick(&w);
	assert_int_equal(T(&w, 32)->ptid, 30);
	world_done(&w);
}

static void a_caller_without_recorded_virtual_ids_gets_its_real_one(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 50, .ret = 51, .pid = 50, .ptid = 1, .no_vpid = true);
	assert_int_equal(T(&w, 50)->vtid, 50);
	assert_int_equal(T(&w, 50)->vpid, -1);
	world_done(&w);
}

static void a_scanned_record_is_overwritten_and_still_counted(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_process(&w, 20, 1);
	CLONE(&w, 20, .pid = 20, .ptid = 1, .comm = "again");
	assert_text(T(&w, 20)->comm, "again");
	assert_int_equal(state_thread_count(T(&w, 20)), 2);
	world_done(&w);
}

static void the_exit_of_an_unknown_thread_is_nothing(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_exit(&w, 99);
	assert_null(w.bind.thread);
	assert_int_equal(state_threads(w.st), 1);
	world_done(&w);
}

static void asking_for_the_subreaper_state_also_tells_it(void **arg)
{
	struct world w;

	(void)arg;
	world_with_chain(&w);
	EVENT(&w, 20, EV_PRCTL_X, I(0), I(37), NONE, I(1));
	world_exit(&w, 30);
	world_tick(&w);
	assert_int_equal(T(&w, 31)->ptid, 20);
	world_done(&w);
}

static void being_announced_once_makes_a_reaper(void **arg)
{
	struct world w;

	(void)arg;
	world_with_chain(&w);
	world_process(&w, 40, 20);
	world_process(&w, 41, 40);
	world_exit_reaper(&w, 30, 20);
	world_exit(&w, 40);
	world_tick(&w);
	assert_int_equal(T(&w, 41)->ptid, 20);
	world_done(&w);
}

static void without_any_reaper_orphans_have_no_parent(void **arg)
{
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	world_process(&w, 20, 5);
	world_process(&w, 30, 20);
	world_exit(&w, 20);
	world_tick(&w);
	assert_int_equal(T(&w, 30)->ptid, 0);
	world_done(&w);
}

static void ancestors_are_main_threads(void **arg)
{
	struct ev_thread_entry helper = world_entry(21, 20, 1);
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	helper.flags = THREAD_FLAGS;
	world_process(&w, 1, 0);
	world_process(&w, 20, 1);
	world_add(&w, &helper);
	world_process(&w, 30, 21);
	world_tick(&w);
	assert_int_equal(T(&w, 30)->ptid, 21);
	assert_ptr_equal(state_thread_ancestor(w.st, T(&w, 30), 0), T(&w, 30));
	assert_ptr_equal(state_thread_ancestor(w.st, T(&w, 30), 1), T(&w, 20));
	assert_ptr_equal(state_thread_ancestor(w.st, T(&w, 30), 2), T(&w, 1));
	assert_null(state_thread_ancestor(w.st, T(&w, 30), 3));
	assert_null(state_thread_ancestor(w.st, T(&w, 30), UINT32_MAX));
	world_done(&w);
}

static unsigned count_climb(const struct world *w, int64_t tid)
{
	struct state_climb c = state_climb_start(w->st, T(w, tid));
	unsigned n = 0;

	while (state_climb_next(&c))
		assert_true(++n < 100);
	return n;
}

static void climbing_ends_in_loops(void **arg)
{
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	world_process(&w, 10, 12);
	world_process(&w, 11, 10);
	world_process(&w, 12, 11);
	world_process(&w, 13, 13);
	world_process(&w, 14, 12);
	world_tick(&w);
	assert_true(count_climb(&w, 14) >= 2);
	assert_true(count_climb(&w, 13) <= 1);
	assert_true(count_climb(&w, 10) >= 2);
	/* Their exits find no reaper and terminate, too. */
	world_exit(&w, 11);
	world_exit(&w, 13);
	world_exit(&w, 12);
	world_tick(&w);
	assert_null(T(&w, 12));
	world_done(&w);
}

static void leaders_are_found_by_id_or_by_climbing(void **arg)
{
	struct ev_thread_entry t;
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	world_process(&w, 1, 0);
	t = world_entry(20, 20, 1);
	t.sid = 20;
	t.pgid = 20;
	world_add(&w, &t);
	t = world_entry(30, 30, 20);
	t.sid = 20;
	t.pgid = 99;
	world_add(&w, &t);
	t = world_entry(40, 40, 30);
	t.sid = 7;
	t.vtid = 2;
	t.vpid = 2;
	world_add(&w, &t);
	t = world_entry(41, 41, 40);
	t.sid = 7;
	t.vtid = 3;
	world_add(&w, &t);
	world_tick(&w);
	assert_ptr_equal(state_thread_leader(w.st, T(&w, 30), STATE_LEADER_SESSION), T(&w, 20));
	assert_null(state_thread_leader(w.st, T(&w, 30), STATE_LEADER_PGID));
	assert_null(state_thread_leader(w.st, T(&w, 30), STATE_LEADER_VPGID));
	/* In a pid namespace the session's number means nothing outside. */
	assert_ptr_equal(state_thread_leader(w.st, T(&w, 41), STATE_LEADER_SESSION), T(&w, 40));
	assert_null(state_thread_leader(w.st, T(&w, 40), STATE_LEADER_SESSION));
	world_done(&w);
}

static void gone_children_still_count(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	CLONE(&w, 20, .ret = 30);
	world_exit(&w, 30);
	/* 30 is gone, yet 20 leaves "children": its announced reaper is looked up. */
	world_exit_reaper(&w, 20, 77);
	world_tick(&w);
	assert_non_null(T(&w, 77));
	world_done(&w);
}

static void the_ring_of_exited_threads_forgets_the_oldest(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_exit(&w, 20);
	for (int i = 0; i < 8200; i++) {
		world_at(&w, 200);
		CLONE(&w, 100 + i, .pid = 100 + i, .ptid = 1);
		world_exit(&w, 100 + i);
	}
	world_at(&w, 210);
	CLONE(&w, 1, .ret = 20);
	assert_non_null(T(&w, 20));
	CLONE(&w, 1, .ret = 8298);
	assert_null(T(&w, 8298));
	world_done(&w);
}

static void a_child_of_an_unknown_directory_starts_nowhere(void **arg)
{
	struct ev_thread_entry lone = world_entry(21, 20, 1);
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	world_process(&w, 1, 0);
	world_add(&w, &lone);
	CLONE(&w, 21, .ret = 30, .pid = 20);
	assert_sv(state_thread_cwd(T(&w, 30)), "./");
	world_done(&w);
}

static void threads_inherit_the_time_of_the_last_exec(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_at(&w, 300);
	EXEC(&w, 20, .ret = 0);
	CLONE(&w, 20, .ret = 21, .flags = THREAD_FLAGS);
	CLONE(&w, 22, .pid = 20, .ptid = 1, .flags = THREAD_FLAGS);
	CLONE(&w, 20, .ret = 30);
	assert_true(T(&w, 21)->lastexec_ts == world_ns(300));
	assert_true(T(&w, 22)->lastexec_ts == world_ns(300));
	assert_int_equal(T(&w, 30)->lastexec_ts, 0);
	world_done(&w);
}

static void a_caller_that_goes_with_its_stale_child_creates_nothing(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	CLONE(&w, 20, .ret = 20);
	assert_null(w.bind.thread);
	assert_null(T(&w, 20));
	world_done(&w);
}

static void a_thread_id_may_be_used_again(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_exit(&w, 20);
	world_tick(&w);
	world_at(&w, 5000);
	CLONE(&w, 1, .ret = 20, .comm = "again");
	world_tick(&w);
	world_tick(&w);
	assert_text(T(&w, 20)->comm, "again");
	world_done(&w);
}

static void children_inherit_every_attribute_of_the_image(void **arg)
{
	struct ev_thread_entry init = world_entry(1, 1, 0);
	const int64_t children[] = {20, 30};
	struct world w;

	(void)arg;
	init.sid = 2;
	init.vpgid = 3;
	init.pgid = 4;
	init.tty = 5;
	init.loginuid = 6;
	init.cap_inheritable = 7;
	init.cap_permitted = 8;
	init.cap_effective = 9;
	init.exe_ino = 10;
	init.exe_ino_ctime = 11;
	init.exe_ino_mtime = 12;
	init.exe_writable = init.exe_upper_layer = true;
	init.exe_lower_layer = init.exe_from_memfd = true;
	init.exepath = SV_LIT("/sbin/init");
	init.root = SV_LIT("/jail");
	init.uid = 99;
	world_init(&w, NULL);
	world_add(&w, &init);
	CLONE(&w, 1, .ret = 20, .uid = 13);
	CLONE(&w, 30, .pid = 30, .ptid = 1, .uid = 13);
	for (size_t i = 0; i < COUNT_OF(children); i++) {
		const struct state_thread *t = T(&w, children[i]);

		assert_int_equal(t->sid, 2);
		assert_int_equal(t->vpgid, 3);
		assert_int_equal(t->pgid, 4);
		assert_int_equal(t->tty, 5);
		assert_int_equal(t->loginuid, 6);
		assert_int_equal(t->cap_inheritable, 7);
		assert_int_equal(t->cap_permitted, 8);
		assert_int_equal(t->cap_effective, 9);
		assert_int_equal(t->exe_ino, 10);
		assert_int_equal(t->exe_ino_ctime, 11);
		assert_int_equal(t->exe_ino_mtime, 12);
		assert_true(t->exe_writable && t->exe_upper_layer);
		assert_true(t->exe_lower_layer && t->exe_from_memfd);
		assert_text(t->exepath, "/sbin/init");
		assert_text(t->root, "/jail");
		assert_int_equal(t->uid, 13);
		assert_int_equal(t->fdlimit, 1024);
		assert_int_equal(t->exec_count, 0);
	}
	world_done(&w);
}

static void a_placeholder_knows_nothing_but_its_number(void **arg)
{
	const struct state_thread *t;
	struct world w;

	(void)arg;
	world_init_base(&w);
	EVENT(&w, 60, EV_READ_X, I(1), NONE, I(3));
	t = T(&w, 60);
	assert_text(t->exe, "<NA>");
	assert_sv(state_thread_cmdline(t), "<NA>");
	assert_true(t->pid == -1 && t->ptid == -1 && t->vtid == -1 && t->vpid == -1);
	assert_true(t->sid == -1 && t->vpgid == -1 && t->pgid == -1 && t->fdlimit == -1);
	assert_true(t->uid == EV_NO_ID && t->gid == EV_NO_ID && t->loginuid == EV_NO_ID);
	assert_int_equal(t->flags, STATE_CL_NAME_CHANGED | STATE_CL_ACTIVE);
	assert_int_equal(state_thread_count(t), 0);
	assert_int_equal(state_fd_count(t), 0);
	assert_null(state_thread_main(t));
	world_done(&w);
}

static void the_dead_take_no_orphans(void **arg)
{
	struct world w;

	(void)arg;
	world_with_21(&w);
	CLONE(&w, 20, .ret = 22, .flags = THREAD_FLAGS);
	CLONE(&w, 21, .ret = 30, .pid = 20);
	assert_int_equal(T(&w, 30)->ptid, 21);
	world_exit(&w, 20);
	world_exit(&w, 21);
	world_tick(&w);
	assert_non_null(T(&w, 20));
	assert_int_equal(T(&w, 30)->ptid, 22);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_start_of_a_namespace_is_that_of_who_is_inside),
	    cmocka_unit_test(the_first_of_a_namespace_reaps_in_it),
	    cmocka_unit_test(a_caller_without_recorded_virtual_ids_gets_its_real_one),
	    cmocka_unit_test(a_scanned_record_is_overwritten_and_still_counted),
	    cmocka_unit_test(the_exit_of_an_unknown_thread_is_nothing),
	    cmocka_unit_test(asking_for_the_subreaper_state_also_tells_it),
	    cmocka_unit_test(being_announced_once_makes_a_reaper),
	    cmocka_unit_test(without_any_reaper_orphans_have_no_parent),
	    cmocka_unit_test(ancestors_are_main_threads),
	    cmocka_unit_test(climbing_ends_in_loops),
	    cmocka_unit_test(leaders_are_found_by_id_or_by_climbing),
	    cmocka_unit_test(gone_children_still_count),
	    cmocka_unit_test(a_thread_id_may_be_used_again),
	    cmocka_unit_test(the_dead_take_no_orphans),
	    cmocka_unit_test(a_placeholder_knows_nothing_but_its_number),
	    cmocka_unit_test(children_inherit_every_attribute_of_the_image),
	    cmocka_unit_test(the_ring_of_exited_threads_forgets_the_oldest),
	    cmocka_unit_test(a_child_of_an_unknown_directory_starts_nowhere),
	    cmocka_unit_test(threads_inherit_the_time_of_the_last_exec),
	    cmocka_unit_test(a_caller_that_goes_with_its_stale_child_creates_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
