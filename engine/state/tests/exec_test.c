/* SPDX-License-Identifier: Apache-2.0 */
/* exec: the rules of the attributes it sets, and when they count as changed. */
#include "engine/state/tests/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void an_exec_of_an_unknown_thread_repairs_it(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	EXEC(&w, 50, .pid = 50, .comm = "new");
	assert_int_equal(T(&w, 50)->pid, 50);
	assert_int_equal(T(&w, 50)->ptid, 1);
	assert_int_equal(T(&w, 50)->vtid, 50);
	assert_int_equal(T(&w, 50)->vpid, 50);
	assert_ptr_equal(T(&w, 50)->linked_parent, T(&w, 1));
	assert_sv(state_thread_cmdline(T(&w, 50)), "new");
	world_done(&w);
}

static void an_enter_event_serves_one_exit_only(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_EXECVE_19_E, S("/first"));
	EXEC(&w, 20, .ret = -2);
	EXEC(&w, 20, .ret = 0);
	assert_null(T(&w, 20)->exepath);
	/* Another kind of event in between does as well. */
	EVENT(&w, 20, EV_EXECVE_19_E, S("/second"));
	EVENT(&w, 20, EV_READ_X, I(1), NONE, I(3));
	EXEC(&w, 20, .ret = 0);
	assert_null(T(&w, 20)->exepath);
	world_done(&w);
}

static void only_one_deleted_suffix_is_dropped_and_never_all_of_a_path(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	EXEC(&w, 20, .trusted = "/x (deleted) (deleted)");
	assert_text(T(&w, 20)->exepath, "/x (deleted)");
	EXEC(&w, 20, .trusted = " (deleted)");
	assert_text(T(&w, 20)->exepath, " (deleted)");
	world_done(&w);
}

static void argument_blocks_lose_one_nul_and_are_split(void **arg)
{
	static const struct {
		const char *block;
		size_t n;
		const char *cmdline;
		unsigned count;
	} cases[] = {
	    {"", 0, "bash", 0},		  {"\0", 1, "bash", 0},
	    {"a\0", 2, "bash a", 1},	  {"a", 1, "bash a", 1},
	    {"a\0b\0", 4, "bash a b", 2}, {"a\0\0", 3, "bash a ", 2},
	    {"\0\0", 2, "bash  ", 2},	  {"a\0\0b\0", 5, "bash a  b", 3},
	};
	struct world w;
	struct sv item;

	(void)arg;
	world_with_20(&w);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		EXEC(&w, 20, .args = cases[i].block, .args_len = cases[i].n);
		assert_int_equal(T(&w, 20)->args.count, cases[i].count);
		assert_sv(state_thread_cmdline(T(&w, 20)), cases[i].cmdline);
	}
	assert_true(state_list_get(&T(&w, 20)->args, 2, &item));
	assert_sv(item, "b");
	assert_true(state_list_get(&T(&w, 20)->args, 1, &item));
	assert_sv(item, "");
	assert_false(state_list_get(&T(&w, 20)->args, 3, &item));
	world_done(&w);
}

static void a_variable_is_the_first_of_its_name_with_a_value(void **arg)
{
	static const char env[] = "HOMER=x\0EMPTY=\0HOME= /h \0HOME=/other";
	struct world w;
	struct sv value;

	(void)arg;
	world_with_20(&w);
	EXEC(&w, 20, .env = env, .env_len = sizeof(env));
	assert_true(state_thread_env(T(&w, 20), SV_LIT("HOME"), &value));
	assert_sv(value, "/h");
	assert_false(state_thread_env(T(&w, 20), SV_LIT("EMPTY"), &value));
	assert_false(state_thread_env(T(&w, 20), SV_LIT("HOM"), &value));
	/* Threads show the environment of their process. */
	CLONE(&w, 20, .ret = 21, .flags = THREAD_FLAGS);
	assert_true(state_thread_env(T(&w, 21), SV_LIT("HOME"), &value));
	/* An exec that recorded none keeps what was known. */
	EXEC(&w, 20, .ret = 0);
	assert_true(state_thread_env(T(&w, 20), SV_LIT("HOME"), &value));
	world_done(&w);
}

static void cgroup_names_are_normalised(void **arg)
{
	static const struct {
		const char *name, *path;
	} cases[] = {{"cpu", "/a"},    {"perf_event", "/b"}, {"memory", "/c"}, {"blkio", "/d"},
		     {"pids", "/e=f"}, {"a_b", "/g"},	     {"x", ""}};
	struct world w;
	struct sv path;

	(void)arg;
	world_with_20(&w);
	EXEC(&w, 20,
	     CGROUPS("a_cgroup_b=/g\0cpu_cgroup=/a\0perf=/b\0mem=/c\0io=/d\0pids=/e=f\0x="));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_true(state_thread_cgroup(T(&w, 20), sv_of(cases[i].name), &path));
		assert_sv(path, cases[i].path);
	}
	assert_int_equal(T(&w, 20)->cgroups.count, COUNT_OF(cases));
	assert_false(state_thread_cgroup(T(&w, 20), SV_LIT("cp"), &path));
	/* One element that is not "subsys=path" and the whole update is dropped. */
	EXEC(&w, 20, CGROUPS("cpu=/z\0broken"));
	assert_true(state_thread_cgroup(T(&w, 20), SV_LIT("cpu"), &path));
	assert_sv(path, "/a");
	world_done(&w);
}

static void the_executables_age_is_computed_at_exec(void **arg)
{
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_with_20(&w);
	t = T(&w, 20);
	EXEC(&w, 20, .ino = 5, .ctime = world_ns(40), .mtime = 9);
	assert_int_equal(t->exe_ino, 5);
	assert_int_equal(t->exe_ino_mtime, 9);
	assert_int_equal(t->exe_ino_ctime_duration_clone_ts, 60 * 1000000);
	assert_int_equal(t->exe_ino_ctime_duration_pidns_start, 0);
	world_alone(&w);
	t->pidns_init_start_ts = world_ns(30);
	EXEC(&w, 20, .ino = 5, .ctime = world_ns(40), .mtime = 9);
	assert_int_equal(t->exe_ino_ctime_duration_pidns_start, 10 * 1000000);
	/* Children inherit the one and not the other. */
	CLONE(&w, 20, .ret = 30);
	assert_int_equal(T(&w, 30)->exe_ino_ctime_duration_clone_ts, 60 * 1000000);
	assert_int_equal(T(&w, 30)->exe_ino_ctime_duration_pidns_start, 0);
	world_done(&w);
}

static void the_generation_changes_with_what_fields_show(void **arg)
{
	static const struct {
		unsigned type;
		struct arg args[8];
		size_t n;
		bool changes;
	} cases[] = {
	    {EV_READ_X, {I(1), NONE, I(3)}, 3, false},
	    {EV_OPEN_X, {I(3), S("/a"), I(0), I(0)}, 4, false},
	    {EV_BRK_4_X, {I(1), I(2), I(3), I(4), I(5)}, 5, false},
	    {EV_CHDIR_X, {I(0), S("/tmp")}, 2, true},
	    {EV_CHDIR_X, {I(0), S("/tmp")}, 2, false},
	    {EV_CHROOT_X, {I(0), S("/tmp")}, 2, true},
	    {EV_SETUID_X, {I(0), I(7)}, 2, true},
	    {EV_SETREGID_X, {I(0), I(7), I(8)}, 3, true},
	    {EV_SETRESUID_X, {I(-1), I(7), I(8), I(9)}, 4, false},
	    {EV_CAPSET_X, {I(0), I(1), I(2), I(3)}, 4, true},
	    {EV_UNSHARE_X, {I(0), I(STATE_CL_NEWUSER)}, 2, true},
	    {EV_SETSID_X, {I(9)}, 1, true},
	    {EV_PRLIMIT_X, {I(0), I(9), I(9), I(9), I(9), I(0), I(7)}, 7, true},
	};
	uint64_t before;
	struct world w;

	(void)arg;
	world_with_20(&w);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		before = T(&w, 20)->generation;
		world_event(&w, 20, cases[i].type, cases[i].args, cases[i].n);
		if ((T(&w, 20)->generation != before) != cases[i].changes)
			fail_msg("case %zu, %s", i, ev_table[cases[i].type].enum_name);
	}
	before = T(&w, 20)->generation;
	EXEC(&w, 20, .ret = 0);
	assert_true(T(&w, 20)->generation > before);
	world_done(&w);
}

static void a_thread_notices_that_its_process_changed(void **arg)
{
	struct state_thread *t;
	uint64_t before;
	struct world w;

	(void)arg;
	world_with_21(&w);
	EVENT(&w, 21, EV_READ_X, I(1), NONE, I(3));
	t = T(&w, 21);
	before = t->generation;
	EVENT(&w, 21, EV_READ_X, I(1), NONE, I(3));
	assert_int_equal(t->generation, before);
	EVENT(&w, 20, EV_CHDIR_X, I(0), S("/tmp"));
	EVENT(&w, 21, EV_READ_X, I(1), NONE, I(3));
	assert_true(t->generation > before);
	before = t->generation;
	EVENT(&w, 21, EV_CHDIR_X, I(0), S("/var"));
	assert_true(t->generation > before);
	world_done(&w);
}

static void an_exec_sets_identity_where_it_is_recorded(void **arg)
{
	const struct state_thread *t;
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_EXECVE_19_X, I(0), S("x"), NONE, I(20), I(20), I(1), S(""), I(77), I(1),
	      I(2), I(3), I(4), I(5), S("x"), NONE, NONE, I(34816), I(8), I(9), I(5), I(10), I(11),
	      I(12), I(0), I(0), I(0), I(13), S("/x"), I(14), I(15), S("x"));
	t = T(&w, 20);
	assert_int_equal(t->fdlimit, 77);
	assert_int_equal(t->pfmajor, 1);
	assert_int_equal(t->pfminor, 2);
	assert_int_equal(t->vmsize_kb, 3);
	assert_int_equal(t->vmrss_kb, 4);
	assert_int_equal(t->vmswap_kb, 5);
	assert_int_equal(t->tty, 34816);
	assert_int_equal(t->vpgid, 8);
	assert_int_equal(t->loginuid, 9);
	assert_true(t->exe_writable && t->exe_from_memfd);
	assert_false(t->exe_upper_layer || t->exe_lower_layer);
	assert_int_equal(t->cap_inheritable, 10);
	assert_int_equal(t->cap_permitted, 11);
	assert_int_equal(t->cap_effective, 12);
	assert_int_equal(t->uid, 13);
	assert_int_equal(t->pgid, 14);
	assert_int_equal(t->gid, 15);
	/* What is not recorded stays, but for the process group. */
	EXEC(&w, 20, .ret = 0);
	assert_int_equal(t->uid, 13);
	assert_int_equal(t->tty, 34816);
	assert_int_equal(t->cap_effective, 12);
	assert_int_equal(t->vmsize_kb, 3);
	assert_true(t->exe_writable);
	assert_int_equal(t->pgid, -1);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_exec_of_an_unknown_thread_repairs_it),
	    cmocka_unit_test(an_enter_event_serves_one_exit_only),
	    cmocka_unit_test(only_one_deleted_suffix_is_dropped_and_never_all_of_a_path),
	    cmocka_unit_test(argument_blocks_lose_one_nul_and_are_split),
	    cmocka_unit_test(a_variable_is_the_first_of_its_name_with_a_value),
	    cmocka_unit_test(cgroup_names_are_normalised),
	    cmocka_unit_test(the_executables_age_is_computed_at_exec),
	    cmocka_unit_test(the_generation_changes_with_what_fields_show),
	    cmocka_unit_test(a_thread_notices_that_its_process_changed),
	    cmocka_unit_test(an_exec_sets_identity_where_it_is_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
