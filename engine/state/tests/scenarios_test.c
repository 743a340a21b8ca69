/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenarios of the state engine about processes, S1 to S18, step by step. Their numbers are
 * those of tests/state_index.py.
 */
#include "engine/state/internal.h"
#include "engine/state/tests/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BOOT 1690000000000000000u

static void s01_a_failed_clone_or_exec_changes_nothing(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 1, .ret = -3);
	assert_int_equal(state_threads(w.st), 1);
	assert_int_equal(w.bind.errcode, 3);
	EXEC(&w, 1, .ret = -2, .exe = "x");
	assert_text(T(&w, 1)->exe, "init");
	assert_text(T(&w, 1)->comm, "init");
	world_done(&w);
}

static void s02_the_callers_event_makes_the_child_and_the_childs_own_leaves_it(void **arg)
{
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_with_20(&w);
	assert_ptr_equal(w.bind.thread, T(&w, 1));
	t = T(&w, 20);
	assert_true(t->pid == 20 && t->ptid == 1 && t->vtid == 20 && t->vpid == 20);
	assert_text(t->comm, "bash");
	assert_true(t->clone_ts == world_ns(100));
	assert_text(F(&w, 20, 0)->name, "/dev/null");
	assert_true(F(&w, 20, 0)->flags & STATE_FD_CLONED);
	assert_false(F(&w, 1, 0)->flags & STATE_FD_CLONED);
	assert_sv(state_thread_cwd(t), "/root/");
	assert_ptr_equal(T(&w, 1)->first_child, t);
	assert_null(t->next_sibling);
	assert_text(T(&w, 1)->comm, "init");
	world_at(&w, 110);
	CLONE(&w, 20, .ret = 0, .pid = 20, .ptid = 1);
	assert_ptr_equal(w.bind.thread, T(&w, 20));
	assert_ptr_equal(T(&w, 20), t);
	assert_true(t->clone_ts == world_ns(100));
	assert_false(t->flags & STATE_CL_INVERTED);
	world_done(&w);
}

static void s03_a_thread_joins_its_group_and_shares_the_table(void **arg)
{
	struct world w;

	(void)arg;
	world_with_21(&w);
	assert_true(T(&w, 21)->pid == 20 && T(&w, 21)->ptid == 1);
	assert_true(T(&w, 21)->flags & STATE_CL_FILES);
	assert_null(T(&w, 21)->fds);
	assert_text(F(&w, 21, 0)->name, "/dev/null");
	assert_ptr_equal(F(&w, 21, 0), F(&w, 20, 0));
	assert_int_equal(state_thread_count(T(&w, 20)), 2);
	assert_int_equal(state_thread_count_children(T(&w, 21)), 1);
	assert_ptr_equal(T(&w, 1)->first_child, T(&w, 21));
	assert_ptr_equal(T(&w, 21)->next_sibling, T(&w, 20));
	assert_null(T(&w, 20)->next_sibling);
	assert_ptr_equal(state_thread_main(T(&w, 21)), T(&w, 20));
	world_done(&w);
}

static void s04_only_its_own_event_makes_a_child_in_a_namespace(void **arg)
{
	struct ev_machine machine = {.boot_ts = BOOT};
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	world_item(&w, &(struct ev_item){.kind = EV_ITEM_MACHINE, .machine = &machine});
	world_process(&w, 1, 0);
	CLONE(&w, 1, .ret = 2, .flags = STATE_CL_NEWPID);
	assert_null(T(&w, 2));
	CLONE(&w, 30, .pid = 30, .ptid = 1, .vtid = 1, .vpid = 1, .flags = STATE_CL_NEWPID,
	      .pidns_start = 5000);
	t = T(&w, 30);
	assert_true(t->ptid == 1 && t->vpid == 1);
	assert_true(t->group->reaper);
	assert_true(state_thread_in_pidns(t));
	assert_true(t->flags & STATE_CL_INVERTED);
	/* As recorded, relative to the boot: the reference adds no boot time when it replays. */
	assert_true(t->pidns_init_start_ts == 5000);
	CLONE(&w, 30, .ret = 7, .vtid = 1, .vpid = 1, .flags = STATE_CL_CHILD_IN_PIDNS);
	assert_null(T(&w, 7));
	CLONE(&w, 31, .pid = 31, .ptid = 30, .vtid = 7, .vpid = 7,
	      .flags = STATE_CL_CHILD_IN_PIDNS);
	assert_int_equal(T(&w, 31)->ptid, 30);
	CLONE(&w, 1, .ret = 40);
	assert_true(T(&w, 40)->pidns_init_start_ts == 0);
	world_done(&w);
}

static void s05_the_childs_event_may_come_before_its_callers(void **arg)
{
	struct ev_thread_entry init = world_entry(1, 1, 0);
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	init.exepath = SV_LIT("/sbin/init");
	init.cap_effective = 9;
	init.sid = 4;
	world_add(&w, &init);
	world_at(&w, 100);
	CLONE(&w, 20, .pid = 20, .ptid = 1);
	t = T(&w, 20);
	assert_true(t->flags & STATE_CL_INVERTED);
	assert_text(t->exepath, "/sbin/init");
	assert_int_equal(t->cap_effective, 9);
	assert_int_equal(t->sid, 4);
	CLONE(&w, 1, .ret = 20, .comm = "other");
	assert_ptr_equal(T(&w, 20), t);
	assert_text(t->comm, "bash");
	assert_true(t->clone_ts == world_ns(100));
	assert_true(t->flags & STATE_CL_INVERTED);
	world_done(&w);
}

static void s06_a_number_used_again_replaces_a_child_that_never_reported_itself(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_at(&w, 5000);
	CLONE(&w, 1, .ret = 20, .comm = "new");
	assert_ptr_equal(w.bind.thread, T(&w, 1));
	assert_text(T(&w, 20)->comm, "new");
	assert_true(T(&w, 20)->clone_ts == world_ns(5000));
	assert_false(T(&w, 20)->flags & STATE_CL_INVERTED);
	assert_ptr_equal(T(&w, 1)->first_child, T(&w, 20));
	assert_null(T(&w, 20)->next_sibling);
	assert_int_equal(T(&w, 20)->group->alive, 1);
	world_done(&w);
	/* So is one whose report came after its caller's. */
	world_with_20(&w);
	CLONE(&w, 20, .pid = 20, .ptid = 1);
	world_at(&w, 5000);
	CLONE(&w, 1, .ret = 20, .comm = "new");
	assert_text(T(&w, 20)->comm, "new");
	world_done(&w);
	/* One whose report came first stays. */
	world_init_base(&w);
	CLONE(&w, 20, .pid = 20, .ptid = 1);
	world_at(&w, 5000);
	CLONE(&w, 1, .ret = 20, .comm = "new");
	assert_text(T(&w, 20)->comm, "bash");
	world_done(&w);
}

static void s07_a_childs_own_event_counts_after_two_seconds_only(void **arg)
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

static void s08_a_caller_that_comes_late_does_not_make_the_dead_child(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_at(&w, 100);
	CLONE(&w, 20, .pid = 20, .ptid = 1);
	world_at(&w, 110);
	world_exit(&w, 20);
	world_at(&w, 120);
	CLONE(&w, 1, .ret = 20);
	assert_null(T(&w, 20));
	world_at(&w, 2119);
	CLONE(&w, 1, .ret = 20);
	assert_null(T(&w, 20));
	world_at(&w, 2200);
	CLONE(&w, 1, .ret = 20);
	assert_non_null(T(&w, 20));
	world_done(&w);
}

static void s09_the_caller_of_vfork_makes_no_child(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 1, .type = EV_VFORK_20_X, .ret = 20);
	assert_null(T(&w, 20));
	CLONE(&w, 1, .ret = 21, .flags = STATE_CL_VFORK);
	assert_null(T(&w, 21));
	CLONE(&w, 20, .type = EV_VFORK_20_X, .pid = 20, .ptid = 1);
	CLONE(&w, 21, .pid = 21, .ptid = 1, .flags = STATE_CL_VFORK);
	assert_int_equal(T(&w, 20)->ptid, 1);
	assert_int_equal(T(&w, 21)->ptid, 1);
	world_done(&w);
}

static void s10_a_caller_nobody_knew_is_repaired(void **arg)
{
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 50, .ret = 51, .pid = 50, .ptid = 1, ARGS("-x"));
	t = T(&w, 50);
	assert_true(t->pid == 50 && t->ptid == 1);
	assert_text(t->comm, "bash");
	assert_sv(state_thread_cmdline(t), "bash -x");
	assert_int_equal(t->args.count, 1);
	assert_ptr_equal(t->linked_parent, T(&w, 1));
	assert_ptr_equal(T(&w, 1)->first_child, t);
	assert_int_equal(T(&w, 51)->ptid, 50);
	assert_int_equal(state_fd_count(T(&w, 51)), 0);
	assert_null(T(&w, 51)->cwd);
	assert_sv(state_thread_cwd(T(&w, 51)), "");
	assert_null(T(&w, 51)->exepath);
	EVENT(&w, 60, EV_READ_X, I(1), NONE, I(3));
	assert_text(T(&w, 60)->comm, "<NA>");
	assert_int_equal(T(&w, 60)->pid, -1);
	assert_true(state_thread_is_invalid(T(&w, 60)));
	assert_null(w.bind.fd);
	assert_int_equal(T(&w, 60)->lastevent_fd, 3);
	world_done(&w);
}

static void s11_a_parent_or_leader_nobody_knew_gets_a_record(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 70, .pid = 70, .ptid = 69);
	assert_true(state_thread_is_invalid(T(&w, 69)));
	assert_int_equal(T(&w, 70)->ptid, 0);
	CLONE(&w, 81, .pid = 80, .ptid = 1, .flags = STATE_CL_THREAD);
	assert_true(T(&w, 80)->pid == 80 && T(&w, 80)->ptid == 1);
	assert_true(T(&w, 80)->vtid == 80 && T(&w, 80)->vpid == 80);
	assert_text(T(&w, 80)->comm, "bash");
	assert_int_equal(T(&w, 80)->group->alive, 2);
	assert_int_equal(state_thread_count(T(&w, 80)), 2);
	assert_ptr_equal(state_thread_main(T(&w, 81)), T(&w, 80));
	world_done(&w);
}

static void s12_an_exec_replaces_image_and_flags(void **arg)
{
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_init_base(&w);
	CLONE(&w, 20, .pid = 20, .ptid = 1, .flags = STATE_CL_CHILD_IN_PIDNS);
	EVENT(&w, 20, EV_OPEN_X, I(4), S("/a"), I(STATE_O_CLOEXEC), I(0));
	EVENT(&w, 20, EV_OPEN_X, I(5), S("/b"), I(STATE_O_RDONLY), I(0));
	EVENT(&w, 20, EV_SETSID_X, I(9));
	world_at(&w, 200);
	t = T(&w, 20);
	EXEC(&w, 20, .exe = "/bin/ls", .comm = "ls", ARGS("-l"), .trusted = "/usr/bin/ls (deleted)",
	     .vpgid = 20);
	assert_ptr_equal(T(&w, 20), t);
	assert_text(t->exe, "/bin/ls");
	assert_text(t->comm, "ls");
	assert_sv(state_thread_cmdline(t), "ls -l");
	assert_text(t->exepath, "/usr/bin/ls");
	assert_int_equal(t->flags, STATE_CL_ACTIVE | STATE_CL_NAME_CHANGED | STATE_CL_INVERTED);
	assert_null(F(&w, 20, 4));
	assert_text(F(&w, 20, 5)->name, "/b");
	assert_true(t->vpgid == 20 && t->pgid == -1);
	assert_sv(state_thread_cwd(t), "/root/");
	assert_true(t->sid == 9 && t->ptid == 1);
	assert_true(t->lastexec_ts == world_ns(200));
	assert_int_equal(t->exec_count, 1);
	world_done(&w);
}

static void s13_an_exec_leaves_no_thread_but_the_leader(void **arg)
{
	struct world w;

	(void)arg;
	world_with_21(&w);
	CLONE(&w, 20, .ret = 22, .flags = THREAD_FLAGS);
	CLONE(&w, 21, .ret = 25, .pid = 20);
	assert_int_equal(T(&w, 25)->ptid, 21);
	EXEC(&w, 20, .pid = 20);
	assert_null(T(&w, 21));
	assert_null(T(&w, 22));
	assert_int_equal(T(&w, 20)->group->alive, 1);
	assert_int_equal(T(&w, 25)->ptid, 20);
	world_done(&w);
	world_with_21(&w);
	world_exit(&w, 20);
	world_tick(&w);
	assert_true(T(&w, 20)->flags & STATE_CL_CLOSED);
	EXEC(&w, 20, .pid = 20);
	assert_false(T(&w, 20)->flags & STATE_CL_CLOSED);
	assert_null(T(&w, 21));
	assert_int_equal(T(&w, 20)->group->alive, 1);
	world_done(&w);
}

static void s14_old_captures_give_the_path_of_the_image_at_enter(void **arg)
{
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_with_20(&w);
	t = T(&w, 20);
	EVENT(&w, 20, EV_CHDIR_X, I(0), S("/home/u"));
	EVENT(&w, 20, EV_EXECVE_19_E, S("./a.out"));
	assert_false(w.bind.visible);
	EXEC(&w, 20, .ret = 0);
	assert_true(w.bind.visible);
	assert_text(t->exepath, "/home/u/a.out");
	EVENT(&w, 20, EV_EXECVEAT_E, I(EV_FD_CWD), S("sub/b"), I(0));
	assert_false(w.bind.visible);
	EXEC(&w, 20, .ret = 0);
	assert_text(t->exepath, "/home/u/sub/b");
	EVENT(&w, 20, EV_OPEN_X, I(6), S("/opt/bin/x"), I(0), I(0));
	EVENT(&w, 20, EV_EXECVEAT_E, I(6), S(""), I(1));
	EXEC(&w, 20, .ret = 0);
	assert_text(t->exepath, "/opt/bin/x");
	EXEC(&w, 20, .ret = 0);
	assert_text(t->exepath, "/opt/bin/x");
	EVENT(&w, 20, EV_EXECVEAT_E, I(99), S("b"), I(0));
	EXEC(&w, 20, .ret = 0);
	assert_text(t->exepath, "<NA>");
	EXEC(&w, 20, .ret = 0);
	assert_text(t->exepath, "<NA>");
	/* The exit may be that of execveat as well. */
	EVENT(&w, 20, EV_EXECVEAT_E, I(EV_FD_CWD), S("c"), I(0));
	EXEC(&w, 20, .type = EV_EXECVEAT_X);
	assert_text(t->exepath, "/home/u/c");
	/* A trusted path is better. */
	EVENT(&w, 20, EV_EXECVE_19_E, S("/x"));
	EXEC(&w, 20, .trusted = "/y");
	assert_text(t->exepath, "/y");
	EXEC(&w, 20, .ret = 0);
	assert_text(t->exepath, "/y");
	world_done(&w);
}

static void s15_who_exited_is_seen_until_the_next_event(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_PROCEXIT_1_E, I(0), I(0), I(0), I(0), NONE);
	assert_ptr_equal(w.bind.thread, T(&w, 20));
	assert_true(T(&w, 20)->flags & STATE_CL_CLOSED);
	assert_int_equal(T(&w, 20)->group->alive, 0);
	assert_int_equal(state_thread_count(T(&w, 20)), 0);
	assert_text(F(&w, 20, 0)->name, "/dev/null");
	world_tick(&w);
	assert_null(T(&w, 20));
	assert_null(T(&w, 1)->first_child);
	world_done(&w);
}

static void s16_orphans_go_to_who_reaps(void **arg)
{
	struct ev_thread_entry sibling = world_entry(32, 30, 20);
	struct world w;

	(void)arg;
	world_with_chain(&w);
	world_exit_reaper(&w, 30, 1);
	world_tick(&w);
	assert_int_equal(T(&w, 31)->ptid, 1);
	assert_null(T(&w, 30));
	world_done(&w);
	world_with_chain(&w);
	EVENT(&w, 30, EV_PROCEXIT_1_E, I(0), I(0), I(0), I(0), NONE);
	world_tick(&w);
	assert_int_equal(T(&w, 31)->ptid, 1);
	world_done(&w);
	world_with_chain(&w);
	EVENT(&w, 20, EV_PRCTL_X, I(0), I(36), NONE, I(1));
	world_exit(&w, 30);
	world_tick(&w);
	assert_int_equal(T(&w, 31)->ptid, 20);
	world_done(&w);
	world_with_chain(&w);
	sibling.flags = THREAD_FLAGS;
	world_add(&w, &sibling);
	world_exit(&w, 30);
	world_tick(&w);
	assert_int_equal(T(&w, 31)->ptid, 32);
	assert_false(T(&w, 32)->group->reaper);
	assert_non_null(T(&w, 30));
	world_exit(&w, 32);
	world_tick(&w);
	assert_int_equal(T(&w, 31)->ptid, 1);
	world_done(&w);
	world_with_chain(&w);
	assert_false(T(&w, 20)->group->reaper);
	world_exit_reaper(&w, 30, 20);
	world_tick(&w);
	assert_int_equal(T(&w, 31)->ptid, 20);
	assert_true(T(&w, 20)->group->reaper);
	world_done(&w);
}

static void s17_a_reaper_nobody_knew_gets_a_record_but_no_orphans(void **arg)
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

static void s18_a_dead_leader_stays_while_its_threads_live(void **arg)
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
	assert_null(map_get(&w.st->groups, 20));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(s01_a_failed_clone_or_exec_changes_nothing),
	    cmocka_unit_test(s02_the_callers_event_makes_the_child_and_the_childs_own_leaves_it),
	    cmocka_unit_test(s03_a_thread_joins_its_group_and_shares_the_table),
	    cmocka_unit_test(s04_only_its_own_event_makes_a_child_in_a_namespace),
	    cmocka_unit_test(s05_the_childs_event_may_come_before_its_callers),
	    cmocka_unit_test(s06_a_number_used_again_replaces_a_child_that_never_reported_itself),
	    cmocka_unit_test(s07_a_childs_own_event_counts_after_two_seconds_only),
	    cmocka_unit_test(s08_a_caller_that_comes_late_does_not_make_the_dead_child),
	    cmocka_unit_test(s09_the_caller_of_vfork_makes_no_child),
	    cmocka_unit_test(s10_a_caller_nobody_knew_is_repaired),
	    cmocka_unit_test(s11_a_parent_or_leader_nobody_knew_gets_a_record),
	    cmocka_unit_test(s12_an_exec_replaces_image_and_flags),
	    cmocka_unit_test(s13_an_exec_leaves_no_thread_but_the_leader),
	    cmocka_unit_test(s14_old_captures_give_the_path_of_the_image_at_enter),
	    cmocka_unit_test(s15_who_exited_is_seen_until_the_next_event),
	    cmocka_unit_test(s16_orphans_go_to_who_reaps),
	    cmocka_unit_test(s17_a_reaper_nobody_knew_gets_a_record_but_no_orphans),
	    cmocka_unit_test(s18_a_dead_leader_stays_while_its_threads_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
