/* SPDX-License-Identifier: Apache-2.0 */
/* clone, exit, reparenting: the scenarios S1 to S11 and S15 to S18, and what else the tree
 * promises. */
#include "engine/state/tests/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define THREAD_FLAGS (STATE_CL_THREAD | STATE_CL_FILES)

/* The base tree and process 20, which 1 has just cloned at 100 ms and which has reported itself. */
static void world_with_20(struct world *w)
{
	world_init_base(w);
	world_at(w, 100);
	CLONE(w, 1, .ret = 20);
	CLONE(w, 20, .ret = 0, .pid = 20, .ptid = 1);
}

/* ... and thread 21 of process 20. */
static void world_with_21(struct world *w)
{
	world_with_20(w);
	CLONE(w, 20, .ret = 21, .flags = THREAD_FLAGS);
}

/* A chain of processes 1 -> 20 -> 30 -> 31. */
static void world_with_chain(struct world *w)
{
	world_init(w, NULL);
	world_process(w, 1, 0);
	world_process(w, 20, 1);
	world_process(w, 30, 20);
	world_process(w, 31, 30);
}

static void a_failed_clone_or_exec_changes_nothing(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 1, .ret = -3);
	assert_int_equal(state_threads(w.st), 1);
	assert_int_equal(w.bind.errcode, 3);
	EXEC(&w, 1, .ret = -2, .exe = "x");
	assert_text(T(&w, 1)->exe, "init");
	world_done(&w);
}

static void a_cloned_process_gets_a_copy_of_what_its_caller_has(void **arg)
{
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_at(&w, 100);
	CLONE(&w, 1, .ret = 20);
	assert_ptr_equal(w.bind.thread, T(&w, 1));
	t = T(&w, 20);
	assert_non_null(t);
	assert_int_equal(t->pid, 20);
	assert_int_equal(t->ptid, 1);
	assert_int_equal(t->vtid, 20);
	assert_int_equal(t->vpid, 20);
	assert_text(t->comm, "bash");
	assert_true(t->clone_ts == world_ns(100));
	assert_text(F(&w, 20, 0)->name, "/dev/null");
	assert_true(F(&w, 20, 0)->flags & STATE_FD_CLONED);
	assert_false(F(&w, 1, 0)->flags & STATE_FD_CLONED);
	assert_sv(state_thread_cwd(t), "/root/");
	assert_ptr_equal(T(&w, 1)->first_child, t);
	assert_text(T(&w, 1)->comm, "init");
	CLONE(&w, 20, .ret = 0, .pid = 20, .ptid = 1);
	assert_ptr_equal(w.bind.thread, t);
	assert_true(t->clone_ts == world_ns(100));
	assert_false(t->flags & STATE_CL_INVERTED);
	world_done(&w);
}

static void a_cloned_thread_shares_the_table_of_its_process(void **arg)
{
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_with_21(&w);
	t = T(&w, 21);
	assert_int_equal(t->pid, 20);
	assert_int_equal(t->ptid, 1);
	assert_true(t->flags & STATE_CL_FILES);
	assert_null(t->fds);
	assert_ptr_equal(F(&w, 21, 0), F(&w, 20, 0));
	assert_int_equal(state_thread_count(t), 2);
	assert_int_equal(state_thread_count_children(t), 1);
	assert_ptr_equal(T(&w, 1)->first_child, t);
	assert_ptr_equal(t->next_sibling, T(&w, 20));
	assert_ptr_equal(state_thread_main(t), T(&w, 20));
	world_done(&w);
}

static void a_namespaced_child_is_only_created_by_its_own_event(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 1, .ret = 2, .flags = STATE_CL_NEWPID);
	assert_null(T(&w, 2));
	CLONE(&w, 30, .pid = 30, .ptid = 1, .vtid = 1, .vpid = 1, .flags = STATE_CL_NEWPID,
	      .pidns_start = 5000);
	assert_int_equal(T(&w, 30)->ptid, 1);
	assert_int_equal(T(&w, 30)->vpid, 1);
	assert_true(state_thread_in_pidns(T(&w, 30)));
	assert_true(T(&w, 30)->flags & STATE_CL_INVERTED);
	assert_int_equal(T(&w, 30)->pidns_init_start_ts, 5000);
	CLONE(&w, 33, .pid = 33, .ptid = 1, .vtid = 2, .vpid = 2, .pidns_start = 6000);
	assert_int_equal(T(&w, 33)->pidns_init_start_ts, 6000);
	CLONE(&w, 34, .pid = 34, .ptid = 1, .pidns_start = 6000);
	assert_int_equal(T(&w, 34)->pidns_init_start_ts, 0);
	CLONE(&w, 30, .ret = 7, .flags = STATE_CL_CHILD_IN_PIDNS, .vtid = 1, .vpid = 1);
	assert_null(T(&w, 7));
	CLONE(&w, 31, .pid = 31, .ptid = 30, .vtid = 7, .vpid = 7,
	      .flags = STATE_CL_CHILD_IN_PIDNS);
	assert_int_equal(T(&w, 31)->ptid, 30);
	/* 30 reaps in its namespace: the orphan of 31 goes to it. */
	CLONE(&w, 32, .pid = 32, .ptid = 31, .vtid = 8, .vpid = 8,
	      .flags = STATE_CL_CHILD_IN_PIDNS);
	world_exit(&w, 31);
	world_tick(&w);
	assert_int_equal(T(&w, 32)->ptid, 30);
	world_done(&w);
}

static void the_childs_event_may_come_first(void **arg)
{
	struct ev_thread_entry init = world_entry(1, 1, 0);
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	init.exepath = SV_LIT("/sbin/init");
	init.cap_permitted = 77;
	init.sid = 5;
	world_add(&w, &init);
	world_at(&w, 100);
	CLONE(&w, 20, .pid = 20, .ptid = 1, .comm = "first");
	t = T(&w, 20);
	assert_true(t->flags & STATE_CL_INVERTED);
	assert_text(t->exepath, "/sbin/init");
	assert_int_equal(t->cap_permitted, 77);
	assert_int_equal(t->sid, 5);
	CLONE(&w, 1, .ret = 20, .comm = "second");
	assert_ptr_equal(T(&w, 20), t);
	assert_text(t->comm, "first");
	assert_true(t->clone_ts == world_ns(100));
	world_done(&w);
}

static void a_new_child_replaces_one_whose_exit_was_lost(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_at(&w, 5000);
	CLONE(&w, 1, .ret = 20, .comm = "new");
	assert_ptr_equal(w.bind.thread, T(&w, 1));
	assert_text(T(&w, 20)->comm, "new");
	assert_true(T(&w, 20)->clone_ts == world_ns(5000));
	assert_int_equal(state_thread_count(T(&w, 20)), 1);
	assert_ptr_equal(T(&w, 1)->first_child, T(&w, 20));
	assert_null(T(&w, 20)->next_sibling);
	world_done(&w);
}

static void a_child_that_reported_itself_is_not_replaced_by_its_caller(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 20, .pid = 20, .ptid = 1, .comm = "old");
	world_at(&w, 5000);
	CLONE(&w, 1, .ret = 20, .comm = "new");
	assert_text(T(&w, 20)->comm, "old");
	world_done(&w);
}

static void a_childs_event_counts_as_stale_for_two_seconds(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_at(&w, 2099);
	CLONE(&w, 20, .pid = 20, .ptid = 1, .comm = "x");
	assert_text(T(&w, 20)->comm, "bash");
	world_at(&w, 2100);
	CLONE(&w, 20, .pid = 20, .ptid = 1, .comm = "y");
	assert_text(T(&w, 20)->comm, "y");
	assert_true(T(&w, 20)->flags & STATE_CL_INVERTED);
	assert_ptr_equal(w.bind.thread, T(&w, 20));
	world_done(&w);
}

static void a_late_caller_does_not_revive_its_child(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_at(&w, 100);
	CLONE(&w, 20, .pid = 20, .ptid = 1);
	world_exit(&w, 20);
	CLONE(&w, 1, .ret = 20);
	assert_null(T(&w, 20));
	world_at(&w, 2200);
	CLONE(&w, 1, .ret = 20);
	assert_non_null(T(&w, 20));
	world_done(&w);
}

static void the_caller_of_vfork_never_creates(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 1, .type = EV_VFORK_20_X, .ret = 20);
	assert_null(T(&w, 20));
	CLONE(&w, 1, .ret = 21, .flags = STATE_CL_VFORK);
	assert_null(T(&w, 21));
	CLONE(&w, 20, .type = EV_VFORK_20_X, .pid = 20, .ptid = 1);
	assert_non_null(T(&w, 20));
	world_done(&w);
}

static void an_unknown_caller_is_repaired_by_its_clone(void **arg)
{
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 50, .ret = 51, .pid = 50, .ptid = 1, .args = "-x", .args_len = 3);
	t = T(&w, 50);
	assert_int_equal(t->pid, 50);
	assert_int_equal(t->ptid, 1);
	assert_text(t->comm, "bash");
	assert_sv(state_thread_cmdline(t), "bash -x");
	assert_int_equal(t->args.count, 1);
	assert_ptr_equal(t->linked_parent, T(&w, 1));
	assert_int_equal(T(&w, 51)->ptid, 50);
	assert_int_equal(state_fd_count(T(&w, 51)), 0);
	assert_sv(state_thread_cwd(T(&w, 51)), "");
	assert_null(T(&w, 51)->exepath);
	EVENT(&w, 60, EV_READ_X, I(1), NONE, I(3));
	t = T(&w, 60);
	assert_text(t->comm, "<NA>");
	assert_int_equal(t->pid, -1);
	assert_true(state_thread_is_invalid(t));
	assert_null(w.bind.fd);
	assert_int_equal(t->lastevent_fd, 3);
	assert_sv(state_thread_cwd(t), "./");
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

static void an_unknown_parent_gets_a_placeholder_and_no_child(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 70, .pid = 70, .ptid = 69);
	assert_true(state_thread_is_invalid(T(&w, 69)));
	assert_int_equal(T(&w, 70)->ptid, 0);
	assert_null(state_thread_ancestor(w.st, T(&w, 70), 1));
	world_done(&w);
}

static void an_unknown_leader_is_repaired_by_its_thread(void **arg)
{
	struct state_thread *leader;
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 81, .pid = 80, .ptid = 1, .flags = STATE_CL_THREAD);
	leader = T(&w, 80);
	assert_int_equal(leader->pid, 80);
	assert_int_equal(leader->ptid, 1);
	assert_int_equal(leader->vtid, 80);
	assert_int_equal(leader->vpid, 80);
	assert_text(leader->comm, "bash");
	assert_int_equal(state_thread_count(leader), 2);
	assert_ptr_equal(state_thread_main(T(&w, 81)), leader);
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

static void an_exited_process_is_seen_until_the_next_event(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_exit(&w, 20);
	assert_ptr_equal(w.bind.thread, T(&w, 20));
	assert_true(T(&w, 20)->flags & STATE_CL_CLOSED);
	assert_int_equal(state_thread_count(T(&w, 20)), 0);
	assert_text(F(&w, 20, 0)->name, "/dev/null");
	world_tick(&w);
	assert_null(T(&w, 20));
	assert_null(T(&w, 1)->first_child);
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

static void orphans_go_to_the_announced_reaper(void **arg)
{
	struct world w;

	(void)arg;
	world_with_chain(&w);
	world_exit_reaper(&w, 30, 1);
	world_tick(&w);
	assert_int_equal(T(&w, 31)->ptid, 1);
	assert_null(T(&w, 30));
	world_done(&w);
}

static void orphans_climb_to_the_next_reaper(void **arg)
{
	struct world w;

	(void)arg;
	world_with_chain(&w);
	world_exit(&w, 30);
	world_tick(&w);
	assert_int_equal(T(&w, 31)->ptid, 1);
	world_done(&w);
}

static void a_subreaper_takes_the_orphans_below_it(void **arg)
{
	struct world w;

	(void)arg;
	world_with_chain(&w);
	EVENT(&w, 20, EV_PRCTL_X, I(0), I(36), NONE, I(1));
	world_exit(&w, 30);
	world_tick(&w);
	assert_int_equal(T(&w, 31)->ptid, 20);
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

static void a_living_thread_of_the_process_takes_the_orphans(void **arg)
{
	struct ev_thread_entry t = world_entry(32, 30, 20);
	struct world w;

	(void)arg;
	world_with_chain(&w);
	t.flags = THREAD_FLAGS;
	world_add(&w, &t);
	world_exit(&w, 30);
	world_tick(&w);
	assert_int_equal(T(&w, 31)->ptid, 32);
	/* That did not make the process a reaper for others. */
	assert_non_null(T(&w, 30));
	world_exit(&w, 32);
	world_tick(&w);
	assert_int_equal(T(&w, 31)->ptid, 1);
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
	world_tick(&w);
	assert_int_equal(T(&w, 31)->ptid, 20);
	world_exit(&w, 40);
	world_tick(&w);
	assert_int_equal(T(&w, 41)->ptid, 20);
	world_done(&w);
}

static void an_unknown_reaper_gets_a_placeholder_and_nothing_else(void **arg)
{
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	world_process(&w, 1, 0);
	world_process(&w, 20, 1);
	world_process(&w, 30, 20);
	world_exit_reaper(&w, 20, 77);
	world_tick(&w);
	assert_true(state_thread_is_invalid(T(&w, 77)));
	assert_int_equal(T(&w, 30)->ptid, 1);
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

static void a_dead_leader_stays_while_its_threads_live(void **arg)
{
	struct world w;

	(void)arg;
	world_with_21(&w);
	world_exit(&w, 20);
	world_tick(&w);
	assert_true(T(&w, 20)->flags & STATE_CL_CLOSED);
	assert_text(F(&w, 21, 0)->name, "/dev/null");
	assert_int_equal(state_thread_count_children(T(&w, 21)), 1);
	world_exit(&w, 21);
	world_tick(&w);
	assert_null(T(&w, 20));
	assert_null(T(&w, 21));
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
	    cmocka_unit_test(a_failed_clone_or_exec_changes_nothing),
	    cmocka_unit_test(a_cloned_process_gets_a_copy_of_what_its_caller_has),
	    cmocka_unit_test(a_cloned_thread_shares_the_table_of_its_process),
	    cmocka_unit_test(a_namespaced_child_is_only_created_by_its_own_event),
	    cmocka_unit_test(the_childs_event_may_come_first),
	    cmocka_unit_test(a_new_child_replaces_one_whose_exit_was_lost),
	    cmocka_unit_test(a_child_that_reported_itself_is_not_replaced_by_its_caller),
	    cmocka_unit_test(a_childs_event_counts_as_stale_for_two_seconds),
	    cmocka_unit_test(a_late_caller_does_not_revive_its_child),
	    cmocka_unit_test(the_caller_of_vfork_never_creates),
	    cmocka_unit_test(an_unknown_caller_is_repaired_by_its_clone),
	    cmocka_unit_test(a_caller_without_recorded_virtual_ids_gets_its_real_one),
	    cmocka_unit_test(an_unknown_parent_gets_a_placeholder_and_no_child),
	    cmocka_unit_test(an_unknown_leader_is_repaired_by_its_thread),
	    cmocka_unit_test(a_scanned_record_is_overwritten_and_still_counted),
	    cmocka_unit_test(an_exited_process_is_seen_until_the_next_event),
	    cmocka_unit_test(the_exit_of_an_unknown_thread_is_nothing),
	    cmocka_unit_test(orphans_go_to_the_announced_reaper),
	    cmocka_unit_test(orphans_climb_to_the_next_reaper),
	    cmocka_unit_test(a_subreaper_takes_the_orphans_below_it),
	    cmocka_unit_test(asking_for_the_subreaper_state_also_tells_it),
	    cmocka_unit_test(a_living_thread_of_the_process_takes_the_orphans),
	    cmocka_unit_test(being_announced_once_makes_a_reaper),
	    cmocka_unit_test(an_unknown_reaper_gets_a_placeholder_and_nothing_else),
	    cmocka_unit_test(without_any_reaper_orphans_have_no_parent),
	    cmocka_unit_test(a_dead_leader_stays_while_its_threads_live),
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
