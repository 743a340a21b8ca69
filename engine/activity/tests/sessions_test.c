/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine/activity/tests/story.h"

static const struct act_sessions_options with_all = {.without_tty = true, .all_execs = true};

static const struct act_session *session_of(const struct outcome *o, int64_t leader)
{
	for (const struct act_session *s = act_sessions_first(o->sessions); s; s = s->next)
		if (s->leader == leader)
			return s;
	return NULL;
}

static const struct act_command *command_of(const struct act_session *s, int64_t pid)
{
	for (const struct act_command *c = s->first_command; c; c = c->next)
		if (c->pid == pid)
			return c;
	return NULL;
}

/* "sudo,whoami": names of what was typed, in order. */
static const char *typed(const struct act_session *s)
{
	static char text[256];

	text[0] = '\0';
	for (const struct act_command *c = s->first_command; c; c = c->next) {
		if (!act_command_typed(c))
			continue;
		if (text[0])
			strcat(text, ",");
		strncat(text, c->comm.p, c->comm.n);
	}
	return text;
}

static size_t with_terminal(const struct outcome *o)
{
	size_t n = 0;

	for (const struct act_session *s = act_sessions_first(o->sessions); s; s = s->next)
		n += s->tty != 0;
	return n;
}

#define assert_sv(view, text) assert_true(sv_is((view), (text)))

/* systemd, sshd, and a container whose first process is nginx. */
static void machine(struct story *s)
{
	story_begin(s);
	LIST(s, {.tid = 1, .sid = 1, .pgid = 1, .comm = "systemd"},
	     {.tid = 700, .ptid = 1, .sid = 700, .pgid = 700, .comm = "sshd"},
	     {.tid = 900, .ptid = 1, .sid = 900, .pgid = 900, .comm = "containerd-shim"},
	     {.tid = 950,
	      .ptid = 900,
	      .sid = 950,
	      .pgid = 950,
	      .comm = "nginx",
	      .cgroups = WEB,
	      .cgroups_len = sizeof(WEB) - 1});
}

/* docker exec -it web bash: process 30 of the container, and session 30. */
static void enter_container(struct story *s, int64_t pid)
{
	FORK(s, 900, .pid = pid, .vpid = 30, .comm = "runc");
	story_setsid(s, pid, 30);
	EXEC(s, .pid = pid, .ptid = 900, .vpid = 30, .comm = "bash", .cgroups = WEB,
	     .cgroups_len = sizeof(WEB) - 1, .tty = PTS(0), .pgid = 30);
}

static void run_in_container(struct story *s, int64_t shell, int64_t pid, const char *what)
{
	RUN(s, shell, .pid = pid, .vpid = 31, .comm = what, .cgroups = WEB,
	    .cgroups_len = sizeof(WEB) - 1, .tty = PTS(0));
	story_exit(s, pid, 0);
}

static void a_second_visit_to_a_container_keeps_its_commands(void **state)
{
	const struct act_session *first, *second;
	struct outcome o;
	struct story s;

	(void)state;
	machine(&s);
	enter_container(&s, 2000);
	run_in_container(&s, 2000, 2001, "ls");
	story_exit(&s, 2000, 0);
	enter_container(&s, 2100);
	run_in_container(&s, 2100, 2101, "cat");
	run_in_container(&s, 2100, 2102, "id");
	o = story_follow(&s, NULL, NULL);
	first = session_of(&o, 2000);
	second = session_of(&o, 2100);
	assert_non_null(first);
	assert_non_null(second);
	assert_int_equal(with_terminal(&o), 2);
	assert_int_equal(first->sid, second->sid);
	assert_string_equal(typed(first), "ls");
	assert_string_equal(typed(second), "cat,id");
	assert_sv(second->container, WEB_ID);
	assert_int_equal(second->origin, ACT_ORIGIN_CONTAINER_ENTRY);
	assert_sv(second->by, "containerd-shim");
	assert_true(first->end_ts > first->start_ts);
	assert_int_equal(second->end_ts, 0);
	assert_int_equal(second->processes, 1);
	outcome_done(&o);
	story_done(&s);
}

/* sshd 700 lets amy in: her shell is process 810 on pts/0. */
static void log_in(struct story *s)
{
	static const char env[] = "HOME=/home/amy\0SSH_CONNECTION=203.0.113.9 51234 10.0.0.5 22";

	FORK(s, 700, .pid = 800, .comm = "sshd");
	FORK(s, 800, .pid = 810, .comm = "sshd", .uid = AMY);
	story_setsid(s, 810, 810);
	EXEC(s, .pid = 810, .ptid = 800, .comm = "bash", .exe = "-bash", .uid = AMY,
	     .loginuid = AMY, .tty = PTS(0), .pgid = 810, .env = env, .env_len = sizeof(env));
}

static void sudo_su_shows_who_typed_and_as_whom(void **state)
{
	const struct act_command *sudo, *whoami;
	const struct act_session *amy;
	struct outcome o;
	struct story s;

	(void)state;
	machine(&s);
	log_in(&s);
	RUN(&s, 810, .pid = 820, .comm = "sudo", ARGS("su"), .uid = 0, .loginuid = AMY,
	    .tty = PTS(0));
	RUN(&s, 820, .pid = 830, .comm = "su", .loginuid = AMY, .tty = PTS(0), .pgid = 820);
	RUN(&s, 830, .pid = 840, .comm = "bash", .loginuid = AMY, .tty = PTS(0), .pgid = 820);
	RUN(&s, 840, .pid = 850, .comm = "whoami", .loginuid = AMY, .tty = PTS(0));
	story_exit(&s, 850, 0);
	RUN(&s, 840, .pid = 851, .comm = "kd", .uid = 4711, .loginuid = AMY, .tty = PTS(0));
	RUN(&s, 851, .pid = 852, .comm = "sub", .uid = 4711, .loginuid = AMY, .tty = PTS(0));
	o = story_follow(&s, NULL, NULL);
	assert_int_equal(with_terminal(&o), 1);
	amy = session_of(&o, 810);
	assert_non_null(amy);
	assert_sv(amy->login_user, "amy");
	assert_string_equal(typed(amy), "sudo,whoami,kd,sub");
	sudo = command_of(amy, 820);
	assert_sv(sudo->user, "amy");
	assert_sv(sudo->euser, "root");
	assert_int_equal(sudo->loginuid, AMY);
	whoami = command_of(amy, 850);
	assert_sv(whoami->user, "root");
	assert_int_equal(whoami->uid, 0);
	assert_int_equal(whoami->loginuid, AMY);
	/* Nobody of that number is known: the number it is, never nothing. */
	assert_sv(command_of(amy, 851)->euser, "4711");
	assert_sv(command_of(amy, 852)->user, "4711");
	outcome_done(&o);
	story_done(&s);
}

static void sudo_with_a_terminal_of_its_own_belongs_under_the_session_it_came_from(void **state)
{
	const struct act_session *amy, *root;
	struct outcome o;
	struct story s;

	(void)state;
	machine(&s);
	log_in(&s);
	RUN(&s, 810, .pid = 820, .comm = "sudo", ARGS("-s"), .loginuid = AMY, .tty = PTS(0));
	FORK(&s, 820, .pid = 830, .comm = "sudo");
	story_setsid(&s, 830, 830);
	RUN(&s, 830, .pid = 840, .comm = "bash", .loginuid = AMY, .tty = PTS(1));
	RUN(&s, 840, .pid = 850, .comm = "curl", .loginuid = AMY, .tty = PTS(1));
	story_exit(&s, 850, 7 << 8);
	story_exit(&s, 840, 0);
	story_exit(&s, 830, 0);
	story_exit(&s, 820, 0);
	story_tick(&s);
	o = story_follow(&s, NULL, NULL);
	amy = session_of(&o, 810);
	root = session_of(&o, 830);
	assert_non_null(root);
	assert_ptr_equal(root->parent, amy);
	assert_int_equal(root->via->pid, 820);
	assert_sv(root->user, "root");
	assert_int_equal(root->tty, PTS(1));
	assert_string_equal(typed(root), "bash,curl");
	assert_string_equal(typed(amy), "sudo");
	assert_int_equal(command_of(root, 850)->status, 7 << 8);
	assert_int_equal(command_of(root, 850)->loginuid, AMY);
	assert_true(root->end_ts != 0);
	assert_int_equal(root->processes, 0);
	outcome_done(&o);
	story_done(&s);
}

static void the_far_end_of_a_login_is_told(void **state)
{
	const struct bytes tuple = tuple4("198.51.100.7", 40000, "10.0.0.5", 22);
	const struct act_session *amy;
	struct outcome o;
	struct story s;

	(void)state;
	machine(&s);
	log_in(&s);
	o = story_follow(&s, NULL, NULL);
	amy = session_of(&o, 810);
	assert_int_equal(amy->origin, ACT_ORIGIN_REMOTE);
	assert_sv(amy->from, "203.0.113.9:51234"); /* of the environment */
	assert_int_equal(amy->by_pid, 800);
	outcome_done(&o);
	story_done(&s);

	machine(&s);
	EVENT(&s, 700, EV_ACCEPT_5_X, I(4), B(tuple));
	FORK(&s, 700, .pid = 800, .comm = "sshd");
	EVENT(&s, 700, EV_CLOSE_X, I(0), I(4));
	FORK(&s, 800, .pid = 810, .comm = "sshd", .uid = AMY);
	story_setsid(&s, 810, 810);
	EVENT(&s, 810, EV_CLOSE_X, I(0), I(4));
	EXEC(&s, .pid = 810, .ptid = 800, .comm = "bash", .uid = AMY, .tty = PTS(3), .pgid = 810);
	o = story_follow(&s, NULL, NULL);
	amy = session_of(&o, 810);
	assert_int_equal(amy->origin, ACT_ORIGIN_REMOTE);
	assert_sv(amy->from, "198.51.100.7:40000"); /* of the connection sshd holds */
	assert_sv(amy->by, "sshd");
	outcome_done(&o);
	story_done(&s);
}

static void what_a_shell_runs_before_its_first_job_was_not_typed(void **state)
{
	const struct act_session *amy;
	struct outcome o;
	struct story s;

	(void)state;
	machine(&s);
	log_in(&s);
	RUN(&s, 810, .pid = 811, .comm = "dircolors", .uid = AMY, .tty = PTS(0), .pgid = 810);
	story_exit(&s, 811, 0);
	o = story_follow(&s, NULL, NULL);
	assert_string_equal(typed(session_of(&o, 810)), "dircolors");
	outcome_done(&o);
	RUN(&s, 810, .pid = 812, .comm = "ls", .uid = AMY, .tty = PTS(0));
	o = story_follow(&s, NULL, NULL);
	amy = session_of(&o, 810);
	assert_string_equal(typed(amy), "ls");
	assert_int_equal(command_of(amy, 811)->kind, ACT_BELOW);
	outcome_done(&o);
	story_done(&s);
}

static void what_a_command_runs_is_below_it(void **state)
{
	const struct act_session *amy;
	struct outcome o;
	struct story s;

	(void)state;
	machine(&s);
	log_in(&s);
	RUN(&s, 810, .pid = 820, .comm = "make", .uid = AMY, .tty = PTS(0));
	RUN(&s, 820, .pid = 821, .comm = "cc", .uid = AMY, .tty = PTS(0), .pgid = 820);
	/* A subshell forks without an image of its own: what it runs was typed. */
	FORK(&s, 810, .pid = 830, .comm = "bash", .uid = AMY);
	EVENT(&s, 830, EV_SETPGID_X, I(0), I(0), I(0));
	RUN(&s, 830, .pid = 831, .comm = "true", .uid = AMY, .tty = PTS(0), .pgid = 830);
	o = story_follow(&s, NULL, NULL);
	assert_string_equal(typed(session_of(&o, 810)), "make,true");
	assert_null(command_of(session_of(&o, 810), 821));
	outcome_done(&o);
	o = story_follow(&s, NULL, &with_all);
	amy = session_of(&o, 810);
	assert_string_equal(typed(amy), "make,true");
	assert_int_equal(command_of(amy, 821)->kind, ACT_BELOW);
	assert_ptr_equal(command_of(amy, 821)->parent, command_of(amy, 820));
	outcome_done(&o);
	story_done(&s);
}

static void pipelines_and_background_jobs_are_told_apart(void **state)
{
	const struct act_session *amy;
	struct outcome o;
	struct story s;

	(void)state;
	machine(&s);
	log_in(&s);
	RUN(&s, 810, .pid = 820, .comm = "tail", .uid = AMY, .tty = PTS(0), .pgid = 820);
	RUN(&s, 810, .pid = 821, .comm = "grep", .uid = AMY, .tty = PTS(0), .pgid = 820);
	story_exit(&s, 821, 1 << 8);
	story_exit(&s, 820, 13);
	RUN(&s, 810, .pid = 830, .comm = "sleep", .uid = AMY, .tty = PTS(0));
	RUN(&s, 810, .pid = 840, .comm = "ls", .uid = AMY, .tty = PTS(0));
	story_exit(&s, 840, 0);
	RUN(&s, 810, .pid = 850, .comm = "top", .uid = AMY, .tty = PTS(0));
	o = story_follow(&s, NULL, NULL);
	amy = session_of(&o, 810);
	assert_string_equal(typed(amy), "tail,grep,sleep,ls,top");
	assert_false(command_of(amy, 820)->background);
	assert_int_equal(command_of(amy, 820)->status, 13);
	assert_int_equal(command_of(amy, 821)->status, 1 << 8);
	assert_true(command_of(amy, 830)->background);
	assert_false(command_of(amy, 830)->ended);
	assert_false(command_of(amy, 840)->background);
	assert_true(command_of(amy, 840)->ended);
	assert_false(command_of(amy, 850)->background);
	outcome_done(&o);
	story_exit(&s, 810, 0);
	story_tick(&s);
	o = story_follow(&s, NULL, NULL);
	amy = session_of(&o, 810);
	assert_true(command_of(amy, 850)->background); /* its shell is gone */
	assert_true(amy->end_ts != 0);
	assert_int_equal(amy->processes, 2);
	outcome_done(&o);
	story_done(&s);
}

static void a_command_that_leaves_for_a_session_of_its_own_still_ends(void **state)
{
	const struct act_session *amy;
	struct outcome o;
	struct story s;

	(void)state;
	machine(&s);
	log_in(&s);
	RUN(&s, 810, .pid = 820, .comm = "daemonize", .uid = AMY, .tty = PTS(0));
	story_setsid(&s, 820, 820);
	RUN(&s, 820, .pid = 830, .comm = "worker", .uid = AMY);
	story_exit(&s, 820, 5 << 8);
	story_tick(&s);
	o = story_follow(&s, NULL, &with_all);
	amy = session_of(&o, 810);
	assert_string_equal(typed(amy), "daemonize");
	assert_int_equal(command_of(amy, 820)->status, 5 << 8);
	assert_ptr_equal(session_of(&o, 820)->via, command_of(amy, 820));
	assert_string_equal(typed(session_of(&o, 820)), "worker");
	outcome_done(&o);
	story_done(&s);
}

static void without_recorded_groups_children_of_the_leader_count(void **state)
{
	struct outcome o;
	struct story s;

	(void)state;
	machine(&s);
	FORK(&s, 700, .pid = 810, .comm = "sshd", .uid = AMY);
	story_setsid(&s, 810, 810);
	EXEC(&s, .pid = 810, .ptid = 700, .comm = "bash", .uid = AMY, .tty = PTS(0));
	FORK(&s, 810, .pid = 820, .comm = "bash", .uid = AMY);
	EXEC(&s, .pid = 820, .ptid = 810, .comm = "sh", .uid = AMY, .tty = PTS(0));
	FORK(&s, 820, .pid = 821, .comm = "sh", .uid = AMY);
	EXEC(&s, .pid = 821, .ptid = 820, .comm = "ls", .uid = AMY, .tty = PTS(0));
	/* The second shell reads what is typed: from then on its children count, too. */
	EVENT(&s, 820, EV_OPENAT_2_X, I(0), I(-100), S("/dev/pts/0"), I(1), I(0), I(0), I(0));
	EVENT(&s, 820, EV_READ_X, I(3), S("id"), I(0), I(100));
	FORK(&s, 820, .pid = 822, .comm = "sh", .uid = AMY);
	EXEC(&s, .pid = 822, .ptid = 820, .comm = "id", .uid = AMY, .tty = PTS(0));
	o = story_follow(&s, NULL, NULL);
	assert_string_equal(typed(session_of(&o, 810)), "sh,id");
	outcome_done(&o);
	story_done(&s);
}

static void sessions_without_terminal_wait_to_be_asked_for(void **state)
{
	const struct act_session *cron;
	struct outcome o;
	struct story s;

	(void)state;
	machine(&s);
	FORK(&s, 1, .pid = 600, .comm = "cron");
	story_setsid(&s, 600, 600);
	EXEC(&s, .pid = 600, .ptid = 1, .comm = "sh", .loginuid = AMY);
	FORK(&s, 600, .pid = 601, .comm = "sh");
	EXEC(&s, .pid = 601, .ptid = 600, .comm = "backup", .loginuid = AMY);
	o = story_follow(&s, NULL, NULL);
	cron = session_of(&o, 600);
	assert_non_null(cron);
	assert_int_equal(cron->commands, 0);
	outcome_done(&o);
	o = story_follow(&s, NULL, &with_all);
	cron = session_of(&o, 600);
	assert_string_equal(typed(cron), "backup");
	assert_sv(cron->login_user, "amy");
	outcome_done(&o);
	story_exit(&s, 601, 0);
	story_exit(&s, 600, 0);
	story_tick(&s);
	o = story_follow(&s, NULL, NULL);
	assert_null(session_of(&o, 600)); /* nothing to tell: forgotten */
	outcome_done(&o);
	story_done(&s);
}

static void sessions_of_the_initial_list_are_told_apart_by_container(void **state)
{
	const struct act_session *host, *web;
	struct outcome o;
	struct story s;

	(void)state;
	story_begin(&s);
	LIST(&s, {.tid = 1, .sid = 1, .pgid = 1, .comm = "systemd"},
	     {.tid = 40, .ptid = 1, .sid = 40, .pgid = 40, .comm = "bash", .tty = PTS(2)},
	     {.tid = 41, .ptid = 40, .sid = 40, .pgid = 41, .comm = "vim", .tty = PTS(2)},
	     {.tid = 50,
	      .ptid = 1,
	      .sid = 40,
	      .pgid = 50,
	      .comm = "ash",
	      .tty = PTS(0),
	      .cgroups = WEB,
	      .cgroups_len = sizeof(WEB) - 1});
	story_tick(&s);
	o = story_follow(&s, NULL, NULL);
	host = session_of(&o, 40);
	assert_non_null(host);
	assert_true(host->from_start);
	assert_int_equal(host->processes, 2);
	assert_string_equal(typed(host), "vim");
	assert_true(command_of(host, 41)->from_start);
	for (web = act_sessions_first(o.sessions); web; web = web->next)
		if (web->tty == PTS(0))
			break;
	assert_non_null(web);
	assert_ptr_not_equal(web, host);
	assert_int_equal(web->processes, 1);
	outcome_done(&o);
	story_done(&s);
}

static void another_terminal_is_another_session_even_if_setsid_was_lost(void **state)
{
	const struct act_session *other;
	struct outcome o;
	struct story s;

	(void)state;
	machine(&s);
	log_in(&s);
	RUN(&s, 810, .pid = 820, .comm = "script", .uid = AMY, .tty = PTS(0));
	RUN(&s, 820, .pid = 830, .comm = "bash", .uid = AMY, .tty = PTS(5));
	RUN(&s, 830, .pid = 840, .comm = "date", .uid = AMY, .tty = PTS(5));
	o = story_follow(&s, NULL, NULL);
	other = session_of(&o, 830);
	assert_non_null(other);
	assert_true(other->implied);
	assert_string_equal(typed(other), "date");
	assert_ptr_equal(other->parent, session_of(&o, 810));
	outcome_done(&o);
	story_done(&s);
}

static void a_shell_on_a_connection_says_so(void **state)
{
	const struct bytes tuple = tuple4("10.0.0.5", 51000, "10.9.8.7", 4444);
	const struct act_session *shell;
	struct outcome o;
	struct story s;

	(void)state;
	machine(&s);
	FORK(&s, 1, .pid = 660, .comm = "kd", .uid = 33);
	story_setsid(&s, 660, 660);
	EVENT(&s, 660, EV_SOCKET_X, I(0), I(2), I(1), I(6), I(0));
	EVENT(&s, 660, EV_CONNECT_X, I(0), B(tuple), I(0));
	EXEC(&s, .pid = 660, .ptid = 1, .comm = "sh", .uid = 33);
	FORK(&s, 660, .pid = 661, .comm = "sh", .uid = 33);
	EXEC(&s, .pid = 661, .ptid = 660, .comm = "id", .uid = 33);
	o = story_follow(&s, NULL, &with_all);
	shell = session_of(&o, 660);
	assert_int_equal(shell->origin, ACT_ORIGIN_SOCKET);
	assert_sv(shell->from, "10.9.8.7:4444");
	assert_sv(shell->user, "www");
	assert_string_equal(typed(shell), "id");
	outcome_done(&o);
	story_done(&s);
}

static void parents_that_go_round_in_circles_end(void **state)
{
	struct outcome o;
	struct story s;

	(void)state;
	story_begin(&s);
	LIST(&s, {.tid = 10, .ptid = 12, .sid = 10, .pgid = 10, .comm = "a", .tty = PTS(1)},
	     {.tid = 11, .ptid = 10, .sid = 11, .pgid = 11, .comm = "b", .tty = PTS(2)},
	     {.tid = 12, .ptid = 11, .sid = 12, .pgid = 12, .comm = "c", .tty = PTS(3)},
	     {.tid = 13, .ptid = 13, .sid = 13, .pgid = 13, .comm = "d", .tty = PTS(4)});
	RUN(&s, 11, .pid = 20, .comm = "e", .tty = PTS(2));
	o = story_follow(&s, NULL, &with_all);
	for (const struct act_session *a = act_sessions_first(o.sessions); a; a = a->next) {
		unsigned steps = 0;

		for (const struct act_session *up = a->parent; up; up = up->parent)
			assert_true(steps++ < 10);
	}
	assert_int_equal(with_terminal(&o), 4);
	outcome_done(&o);
	story_done(&s);
}

static void a_new_section_is_another_machine(void **state)
{
	size_t listed = 0;
	struct outcome o;
	struct story s;

	(void)state;
	machine(&s);
	log_in(&s);
	cb_section(&s.c);
	LIST(&s, {.tid = 1, .sid = 1, .pgid = 1, .comm = "systemd"},
	     {.tid = 810, .ptid = 1, .sid = 810, .pgid = 810, .comm = "zsh", .tty = PTS(0)});
	RUN(&s, 810, .pid = 820, .comm = "ls", .tty = PTS(0));
	o = story_follow(&s, NULL, NULL);
	assert_int_equal(with_terminal(&o), 2);
	assert_string_equal(typed(act_sessions_first(o.sessions)), "");
	for (const struct act_session *x = act_sessions_first(o.sessions); x; x = x->next) {
		listed += x->from_start;
		if (x->from_start && x->tty)
			assert_string_equal(typed(x), "ls");
	}
	assert_int_equal(listed, 4 + 2);
	outcome_done(&o);
	story_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_second_visit_to_a_container_keeps_its_commands),
	    cmocka_unit_test(sudo_su_shows_who_typed_and_as_whom),
	    cmocka_unit_test(
		sudo_with_a_terminal_of_its_own_belongs_under_the_session_it_came_from),
	    cmocka_unit_test(the_far_end_of_a_login_is_told),
	    cmocka_unit_test(what_a_shell_runs_before_its_first_job_was_not_typed),
	    cmocka_unit_test(what_a_command_runs_is_below_it),
	    cmocka_unit_test(pipelines_and_background_jobs_are_told_apart),
	    cmocka_unit_test(a_command_that_leaves_for_a_session_of_its_own_still_ends),
	    cmocka_unit_test(without_recorded_groups_children_of_the_leader_count),
	    cmocka_unit_test(sessions_without_terminal_wait_to_be_asked_for),
	    cmocka_unit_test(sessions_of_the_initial_list_are_told_apart_by_container),
	    cmocka_unit_test(another_terminal_is_another_session_even_if_setsid_was_lost),
	    cmocka_unit_test(a_shell_on_a_connection_says_so),
	    cmocka_unit_test(parents_that_go_round_in_circles_end),
	    cmocka_unit_test(a_new_section_is_another_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
