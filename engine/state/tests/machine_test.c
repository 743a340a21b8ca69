/* SPDX-License-Identifier: Apache-2.0 */
/* Identity, suppression, limits and users beyond the scenarios; sections, numbering, observers. */
#include "engine/state/internal.h"
#include "engine/state/tests/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void identity_follows_the_effective_ids(void **arg)
{
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_with_20(&w);
	t = T(&w, 20);
	EVENT(&w, 20, EV_SETREUID_X, I(0), I(7), I(-1));
	assert_int_equal(t->uid, UINT32_MAX);
	EVENT(&w, 20, EV_SETUID_X, I(0), I(9));
	assert_int_equal(t->uid, 9);
	EVENT(&w, 20, EV_SETGID_X, I(0), I(10));
	assert_int_equal(t->gid, 10);
	EVENT(&w, 20, EV_SETRESGID_X, I(0), I(1), I(2), I(3));
	assert_int_equal(t->gid, 2);
	EVENT(&w, 20, EV_SETREGID_X, I(0), I(1), I(5));
	assert_int_equal(t->gid, 5);
	world_done(&w);
}

static void a_limit_is_that_of_its_resource_and_a_namespace_of_its_kind(void **arg)
{
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_with_20(&w);
	t = T(&w, 20);
	EVENT(&w, 20, EV_CAPSET_X, I(0), I(1), I(2), I(3));
	EVENT(&w, 20, EV_UNSHARE_X, I(0), I(STATE_CL_NEWPID));
	assert_int_equal(t->cap_effective, 3);
	EVENT(&w, 20, EV_SETNS_X, I(0), I(3), I(STATE_CL_NEWUSER));
	assert_true(t->cap_effective == 0x1ffffffffff);
	EVENT(&w, 1, EV_PRLIMIT_X, I(0), I(500), I(600), I(0), I(0), I(20), I(7));
	EVENT(&w, 1, EV_PRLIMIT_X, I(0), I(-1), I(600), I(0), I(0), I(20), I(7));
	EVENT(&w, 1, EV_PRLIMIT_X, I(0), I(9), I(600), I(0), I(0), I(20), I(8));
	assert_int_equal(t->fdlimit, 500);
	EVENT(&w, 20, EV_SETRLIMIT_X, I(0), I(77), I(600), I(7));
	EVENT(&w, 20, EV_SETRLIMIT_X, I(0), I(-1), I(600), I(7));
	EVENT(&w, 60, EV_SETRLIMIT_X, I(0), I(5), I(600), I(7));
	assert_int_equal(t->fdlimit, 77);
	EVENT(&w, 20, EV_PRLIMIT_X, I(0), I(78), I(600), I(0), I(0), I(0), I(7));
	assert_int_equal(t->fdlimit, 78);
	world_done(&w);
}

static void memory_figures_come_with_many_events(void **arg)
{
	struct state_thread *t;
	struct world w;

	(void)arg;
	world_with_21(&w);
	t = T(&w, 20);
	EVENT(&w, 20, EV_BRK_4_X, I(-1), I(10), I(20), I(30), I(0));
	assert_int_equal(t->vmsize_kb, 10);
	assert_int_equal(t->vmrss_kb, 20);
	assert_int_equal(t->vmswap_kb, 30);
	EVENT(&w, 20, EV_BRK_4_X, I(-1), I(11), NONE, NONE, I(0));
	assert_int_equal(t->vmsize_kb, 11);
	assert_int_equal(t->vmrss_kb, 20);
	world_at(&w, 500);
	EVENT(&w, 20, EV_MUNMAP_X, I(0), I(1), I(2), I(3), I(0), I(0));
	EVENT(&w, 21, EV_SCHEDSWITCH_6_E, I(0), I(5), I(6), I(7), I(8), I(9));
	assert_int_equal(T(&w, 21)->pfmajor, 5);
	assert_int_equal(T(&w, 21)->pfminor, 6);
	assert_int_equal(t->vmsize_kb, 7);
	assert_int_equal(t->vmswap_kb, 9);
	/* A switch is no event of the thread. */
	assert_true(t->lastevent_ts == world_ns(500));
	assert_int_equal(T(&w, 21)->lastevent_ts, 0);
	EVENT(&w, 99, EV_SCHEDSWITCH_6_E, I(0), I(5), I(6), I(7), I(8), I(9));
	assert_null(T(&w, 99));
	world_done(&w);
}

static void the_times_of_the_last_two_events_are_kept(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_at(&w, 100);
	EVENT(&w, 20, EV_READ_X, I(0), NONE, I(3));
	EVENT(&w, 20, EV_READ_X, I(0), NONE, I(3));
	assert_true(T(&w, 20)->prevevent_ts == world_ns(100));
	assert_true(T(&w, 20)->lastevent_ts == world_ns(110));
	world_done(&w);
}

/* --- suppression --- */

static void an_exec_starts_suppression_as_well(void **arg)
{
	struct world w;

	(void)arg;
	world_suppressing(&w, "noisy");
	world_process(&w, 20, 1);
	EXEC(&w, 20, .pid = 20, .comm = "noisy");
	assert_int_equal(w.rc, 0);
	/* One of a suppressed thread's own passes. */
	EXEC(&w, 20, .pid = 20, .comm = "quiet");
	assert_int_equal(w.rc, 1);
	EVENT(&w, 20, EV_READ_X, I(0), NONE, I(3));
	assert_int_equal(w.rc, 0);
	world_done(&w);
}

static void suppression_reaches_down_the_initial_process_list(void **arg)
{
	const char *const comms[] = {"noisy", NULL};
	struct state_options opt = {.suppressed_comms = comms};
	struct ev_thread_entry noisy = world_entry(20, 20, 1);
	struct world w;

	(void)arg;
	world_init(&w, &opt);
	world_process(&w, 31, 30);
	world_process(&w, 25, 30);
	world_process(&w, 40, 1);
	world_process(&w, 30, 20);
	world_process(&w, 26, 25);
	noisy.comm = SV_LIT("noisy");
	world_add(&w, &noisy);
	world_process(&w, 1, 0);
	world_tick(&w);
	assert_null(T(&w, 20));
	assert_non_null(T(&w, 31));
	EVENT(&w, 31, EV_READ_X, I(0), NONE, I(3));
	assert_int_equal(w.rc, 0);
	EVENT(&w, 25, EV_READ_X, I(0), NONE, I(3));
	assert_int_equal(w.rc, 0);
	/* A child of a parent that was passed before is missed, as in the reference. */
	EVENT(&w, 26, EV_READ_X, I(0), NONE, I(3));
	assert_int_equal(w.rc, 1);
	EVENT(&w, 40, EV_READ_X, I(0), NONE, I(3));
	assert_int_equal(w.rc, 1);
	EVENT(&w, 1, EV_READ_X, I(0), NONE, I(3));
	assert_int_equal(w.rc, 1);
	world_done(&w);
}

/* --- limits --- */

static void the_number_of_users_is_limited(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	for (int64_t i = 0; i < STATE_USERS_MAX + 5; i++)
		EVENT(&w, -1, EV_USER_ADDED_E, I(i), I(0), S("u"), S(""), S(""), S(""));
	assert_non_null(state_user_find(w.st, NULL, STATE_USERS_MAX - 1));
	assert_null(state_user_find(w.st, NULL, STATE_USERS_MAX));
	EVENT(&w, -1, EV_USER_DELETED_E, I(5), I(0), S("u"), S(""), S(""), S(""));
	EVENT(&w, -1, EV_USER_ADDED_E, I(-2), I(0), S("late"), S(""), S(""), S(""));
	assert_text(state_user_find(w.st, NULL, UINT32_MAX - 1)->name, "late");
	world_done(&w);
}

static void parameters_of_wrong_width_change_nothing(void **arg)
{
	const uint8_t bytes[3] = {1, 2, 3};
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_OPEN_X, I(3), S("/a"), BYTES(bytes, 3), I(0));
	assert_null(F(&w, 20, 3));
	EVENT(&w, 20, EV_SETRESUID_X, I(0), I(1), BYTES(bytes, 3), I(3));
	assert_int_equal(T(&w, 20)->uid, 0);
	EVENT(&w, 20, EV_READ_X, I(1), NONE, BYTES(bytes, 3));
	assert_null(w.bind.fd);
	EVENT(&w, 20, EV_PIPE_X, I(0), I(7), BYTES(bytes, 3), I(1));
	assert_null(F(&w, 20, 7));
	EVENT(&w, 20, EV_EXECVE_19_X, I(0), S("x"), NONE, I(20), BYTES(bytes, 3));
	assert_text(T(&w, 20)->exe, "bash");
	EVENT(&w, 20, EV_OPEN_X, I(3), S("/a"), NONE, I(0));
	assert_null(F(&w, 20, 3));
	assert_int_equal(state_stats(w.st)->malformed, 6);
	assert_int_equal(w.rc, 1);
	world_done(&w);
}

/* --- users --- */

static const char *user_name(const struct world *w, uint32_t uid)
{
	const struct state_user *u = state_user_find(w->st, NULL, uid);

	return u && u->name ? u->name->text : NULL;
}

static void groups_come_and_go_and_users_of_a_network_do_not(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_tick(&w);
	EVENT(&w, -1, EV_USER_ADDED_E, I(1), I(1), S("+nis"), S(""), S(""), S(""));
	assert_null(state_user_find(w.st, NULL, 1));
	EVENT(&w, -1, EV_GROUP_ADDED_E, I(5), S("five"), S(""));
	assert_text(state_group_find(w.st, NULL, 5)->name, "five");
	EVENT(&w, -1, EV_GROUP_DELETED_E, I(5), S("five"), S(""));
	assert_null(state_group_find(w.st, NULL, 5));
	world_done(&w);
}

static void containers_have_users_of_their_own(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	EXEC(&w, 40, .pid = 40, CGROUPS("cpu=/ns/box"));
	EVENT(&w, -1, EV_USER_ADDED_E, I(5), I(5), S("inside"), S("/"), S("sh"), S("box"));
	assert_null(state_user_find(w.st, NULL, 5));
	assert_text(state_user_find(w.st, T(&w, 40)->container_id, 5)->name, "inside");
	EVENT(&w, -1, EV_USER_DELETED_E, I(5), I(5), S("inside"), S("/"), S("sh"), S("box"));
	assert_null(state_user_find(w.st, T(&w, 40)->container_id, 5));
	world_done(&w);
}

static void the_captures_list_wins_over_events_at_its_head(void **arg)
{
	struct ev_user u = {.uid = 7, .gid = 8, .name = SV_LIT("listed"), .home = SV_LIT("/h")};
	struct ev_user g = {.gid = 8, .name = SV_LIT("group")};
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_item(&w, &(struct ev_item){.kind = EV_ITEM_USER, .user = &u});
	world_item(&w, &(struct ev_item){.kind = EV_ITEM_GROUP, .user = &g});
	EVENT(&w, -1, EV_USER_ADDED_E, I(7), I(8), S("head"), S("/x"), S("sh"), S(""));
	assert_false(w.bind.visible);
	world_tick(&w);
	assert_string_equal(user_name(&w, 7), "listed");
	assert_text(state_group_find(w.st, NULL, 8)->name, "group");
	EVENT(&w, -1, EV_USER_ADDED_E, I(7), I(8), S("later"), S("/x"), S("sh"), S(""));
	assert_true(w.bind.visible);
	assert_string_equal(user_name(&w, 7), "later");
	world_item(&w, &(struct ev_item){.kind = EV_ITEM_LISTS_RESET, .list = EV_LIST_USERS});
	assert_null(state_user_find(w.st, NULL, 7));
	world_done(&w);
}

/* --- the stream as a whole --- */

static void events_are_numbered_and_some_are_hidden(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	EVENT(&w, -1, EV_USER_ADDED_E, I(7), I(8), S("head"), S("/x"), S("sh"), S(""));
	assert_int_equal(w.bind.ev->num, 1);
	assert_false(w.bind.visible);
	assert_int_equal(state_stats(w.st)->first_event_ts, 0);
	EVENT(&w, 1, EV_OPEN_E, S("/a"), I(0), I(0));
	assert_int_equal(w.bind.ev->num, 2);
	assert_false(w.bind.visible);
	assert_true(state_stats(w.st)->first_event_ts == world_ns(20));
	world_tick(&w);
	assert_int_equal(w.bind.ev->num, 3);
	assert_true(w.bind.visible);
	assert_int_equal(state_stats(w.st)->events, 3);
	world_done(&w);
}

static void a_state_only_event_is_applied_and_hidden(void **arg)
{
	const uint8_t lens[2] = {8, 0};
	const uint8_t data[8] = {30};
	struct ev ev = {
	    .ts = world_ns(20),
	    .tid = 1,
	    .lens = lens,
	    .data = data,
	    .nparams = 1,
	    .type = EV_SETSID_X,
	    .block_flags = EV_STATE_ONLY,
	};
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_tick(&w);
	world_item(&w, &(struct ev_item){.kind = EV_ITEM_EVENT, .ev = &ev});
	assert_false(w.bind.visible);
	assert_int_equal(T(&w, 1)->sid, 30);
	world_done(&w);
}

static void a_new_section_forgets_all_but_the_counters(void **arg)
{
	struct ev_machine machine = {.num_cpus = 4, .hostname = SV_LIT("box")};
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_item(&w, &(struct ev_item){.kind = EV_ITEM_MACHINE, .machine = &machine});
	EVENT(&w, 1, EV_OPEN_X, I(3), S("/a"), I(0), I(0));
	EVENT(&w, -1, EV_USER_ADDED_E, I(7), I(8), S("u"), S("/x"), S("sh"), S(""));
	EVENT(&w, -1, EV_CONTAINER_JSON_2_E, S("{\"container\":{\"id\":\"abc\"}}"));
	assert_text(state_machine(w.st)->hostname, "box");
	assert_true(state_machine(w.st)->known);
	assert_int_equal(state_machine(w.st)->num_cpus, 4);
	world_item(&w, &(struct ev_item){.kind = EV_ITEM_SECTION});
	world_check(&w);
	assert_int_equal(state_threads(w.st), 0);
	assert_false(state_machine(w.st)->known);
	assert_null(state_user_find(w.st, NULL, 7));
	assert_null(state_container_find(w.st, SV_LIT("abc")));
	world_process(&w, 1, 0);
	EVENT(&w, -1, EV_USER_ADDED_E, I(7), I(8), S("u"), S("/x"), S("sh"), S(""));
	assert_false(w.bind.visible);
	assert_int_equal(w.bind.ev->num, 4);
	assert_true(state_stats(w.st)->first_event_ts == world_ns(10));
	world_done(&w);
}

static void meta_events_bind_no_thread(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_DROP_E, I(1));
	assert_null(w.bind.thread);
	EVENT(&w, 20, EV_PROCINFO_E, I(1), I(2));
	assert_ptr_equal(w.bind.thread, T(&w, 20));
	EVENT(&w, 55, EV_PROCINFO_E, I(1), I(2));
	assert_null(w.bind.thread);
	EVENT(&w, 20, EV_ASYNCEVENT_E, I(0), S("x"), NONE);
	assert_null(w.bind.thread);
	EVENT(&w, 20, EV_PAGE_FAULT_E, I(1), I(2), I(0));
	assert_null(w.bind.thread);
	EVENT(&w, 20, EV_GENERIC_X, I(1), I(2));
	assert_ptr_equal(w.bind.thread, T(&w, 20));
	assert_int_equal(w.bind.errcode, 0);
	world_done(&w);
}

/* --- observers --- */

struct seen {
	char log[512];
};

static void note(struct seen *s, char what, int64_t tid)
{
	size_t n = strlen(s->log);

	snprintf(s->log + n, sizeof(s->log) - n, "%c%lld ", what, (long long)tid);
}

static void on_added(void *arg, const struct state *st, const struct state_thread *t,
		     const struct ev *ev)
{
	(void)st;
	note(arg, ev ? '+' : '*', t->tid);
}

static void on_exec(void *arg, const struct state *st, const struct state_thread *t,
		    const struct ev *ev)
{
	(void)st;
	assert_non_null(ev);
	note(arg, 'x', t->tid);
}

static void on_exit_seen(void *arg, const struct state *st, const struct state_thread *t,
			 const struct ev *ev, int64_t status)
{
	(void)st;
	(void)ev;
	assert_int_equal(status, 0);
	note(arg, 'e', t->tid);
}

static void on_removed(void *arg, const struct state *st, const struct state_thread *t)
{
	(void)st;
	note(arg, '-', t->tid);
}

static void an_observer_hears_of_every_thread(void **arg)
{
	struct seen seen = {""};
	const struct state_observer obs = {&seen, on_added, on_exec, on_exit_seen, on_removed};
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	state_observe(w.st, &obs);
	world_process(&w, 5, 1);
	world_process(&w, 1, 0);
	world_tick(&w);
	CLONE(&w, 1, .ret = 20);
	EXEC(&w, 20, .ret = -1);
	EXEC(&w, 20, .ret = 0);
	EVENT(&w, 60, EV_READ_X, I(0), NONE, I(3));
	world_exit(&w, 20);
	world_tick(&w);
	assert_string_equal(seen.log, "*1 *5 +20 x20 +60 e20 -20 ");
	seen.log[0] = '\0';
	/* A replaced record goes at once; the new one is announced when its event is through. */
	CLONE(&w, 5, .pid = 5, .ptid = 1);
	assert_string_equal(seen.log, "-5 +5 ");
	seen.log[0] = '\0';
	world_item(&w, &(struct ev_item){.kind = EV_ITEM_SECTION});
	assert_non_null(strstr(seen.log, "-60 "));
	state_observe(w.st, NULL);
	seen.log[0] = '\0';
	world_process(&w, 1, 0);
	world_tick(&w);
	assert_string_equal(seen.log, "");
	world_done(&w);
}

static void an_observer_may_leave_hooks_out(void **arg)
{
	const struct state_observer none = {0};
	struct world w;

	(void)arg;
	world_init_base(&w);
	state_observe(w.st, &none);
	CLONE(&w, 1, .ret = 20);
	EXEC(&w, 20, .ret = 0);
	world_exit(&w, 20);
	world_tick(&w);
	world_done(&w);
}

static void metadata_between_events_takes_effect_at_once(void **arg)
{
	static const char cgroups[] = "cpu=/ns/box";
	struct ev_thread_entry t = world_entry(40, 40, 1);
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_tick(&w);
	t.cgroups = sv_make(cgroups, sizeof(cgroups));
	world_add(&w, &t);
	assert_ptr_equal(T(&w, 40)->linked_parent, T(&w, 1));
	assert_text(T(&w, 40)->container_id, "box");
	assert_int_equal(state_thread_count(T(&w, 40)), 1);
	world_done(&w);
}

static void everything_the_process_list_says_is_kept(void **arg)
{
	static const char args[] = "-a\0b", env[] = "A=1", cgroups[] = "cpu=/x";
	const struct state_thread *t;
	struct ev_fd_entry file;
	struct ev_thread_entry e = {
	    .tid = 1,
	    .pid = 1,
	    .ptid = 0,
	    .sid = 3,
	    .vpgid = 4,
	    .pgid = 5,
	    .vtid = 6,
	    .vpid = 7,
	    .comm = SV_LIT("comm"),
	    .exe = SV_LIT("exe"),
	    .exepath = SV_LIT("/exe (deleted)"),
	    .cwd = SV_LIT("/cwd"),
	    .root = SV_LIT("/root"),
	    .args = {args, sizeof(args)},
	    .env = {env, sizeof(env)},
	    .cgroups = {cgroups, sizeof(cgroups)},
	    .fdlimit = 8,
	    .flags = STATE_CL_VFORK,
	    .uid = 9,
	    .gid = 10,
	    .loginuid = 11,
	    .vmsize_kb = 12,
	    .vmrss_kb = 13,
	    .vmswap_kb = 14,
	    .tty = 15,
	    .pfmajor = 16,
	    .pfminor = 17,
	    .pidns_init_start_ts = 18,
	    .cap_inheritable = 19,
	    .cap_permitted = 20,
	    .cap_effective = 21,
	    .exe_ino = 22,
	    .exe_ino_ctime = 23,
	    .exe_ino_mtime = 24,
	    .exe_writable = true,
	    .exe_lower_layer = true,
	    .has_clone_ts = true,
	    .clone_ts = 25,
	};
	struct world w;

	(void)arg;
	world_init(&w, NULL);
	world_add(&w, &e);
	file = (struct ev_fd_entry){.tid = 1,
				    .fd = 3,
				    .type = EV_FD_FILE_V2,
				    .dev = 1,
				    .openflags = 2,
				    .ino = 3,
				    .name = SV_LIT("/f")};
	world_fd(&w, &file);
	world_tick(&w);
	t = T(&w, 1);
	assert_true(t->pid == 1 && t->ptid == 0 && t->sid == 3 && t->vpgid == 4 && t->pgid == 5);
	assert_true(t->vtid == 6 && t->vpid == 7 && t->fdlimit == 8);
	assert_true(t->uid == 9 && t->gid == 10 && t->loginuid == 11);
	assert_true(t->vmsize_kb == 12 && t->vmrss_kb == 13 && t->vmswap_kb == 14);
	assert_true(t->tty == 15 && t->pfmajor == 16 && t->pfminor == 17);
	assert_true(t->pidns_init_start_ts == 18 && t->cap_inheritable == 19);
	assert_true(t->cap_permitted == 20 && t->cap_effective == 21 && t->exe_ino == 22);
	assert_true(t->exe_ino_ctime == 23 && t->exe_ino_mtime == 24 && t->clone_ts == 25);
	assert_true(t->exe_writable && t->exe_lower_layer);
	assert_false(t->exe_upper_layer || t->exe_from_memfd);
	assert_int_equal(t->flags, STATE_CL_VFORK | STATE_CL_ACTIVE | STATE_CL_NAME_CHANGED);
	assert_text(t->comm, "comm");
	assert_text(t->exe, "exe");
	assert_text(t->exepath, "/exe");
	assert_text(t->root, "/root");
	assert_sv(state_thread_cwd(t), "/cwd/");
	assert_sv(state_thread_cmdline(t), "comm -a b");
	assert_int_equal(t->env.count, 1);
	assert_int_equal(t->cgroups.count, 1);
	assert_int_equal(F(&w, 1, 3)->dev, 1);
	assert_int_equal(F(&w, 1, 3)->openflags, 2);
	assert_int_equal(F(&w, 1, 3)->ino, 3);
	assert_int_equal(F(&w, 1, 3)->flags, STATE_FD_FROM_PROC);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(identity_follows_the_effective_ids),
	    cmocka_unit_test(a_limit_is_that_of_its_resource_and_a_namespace_of_its_kind),
	    cmocka_unit_test(memory_figures_come_with_many_events),
	    cmocka_unit_test(the_times_of_the_last_two_events_are_kept),
	    cmocka_unit_test(an_exec_starts_suppression_as_well),
	    cmocka_unit_test(suppression_reaches_down_the_initial_process_list),
	    cmocka_unit_test(the_number_of_users_is_limited),
	    cmocka_unit_test(parameters_of_wrong_width_change_nothing),
	    cmocka_unit_test(groups_come_and_go_and_users_of_a_network_do_not),
	    cmocka_unit_test(containers_have_users_of_their_own),
	    cmocka_unit_test(the_captures_list_wins_over_events_at_its_head),
	    cmocka_unit_test(events_are_numbered_and_some_are_hidden),
	    cmocka_unit_test(a_state_only_event_is_applied_and_hidden),
	    cmocka_unit_test(a_new_section_forgets_all_but_the_counters),
	    cmocka_unit_test(metadata_between_events_takes_effect_at_once),
	    cmocka_unit_test(everything_the_process_list_says_is_kept),
	    cmocka_unit_test(meta_events_bind_no_thread),
	    cmocka_unit_test(an_observer_hears_of_every_thread),
	    cmocka_unit_test(an_observer_may_leave_hooks_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
