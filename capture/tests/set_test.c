/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/set.h"

static unsigned code_of(const char *name)
{
	for (unsigned code = 1; code < EV_SYSCALL_COUNT; code++)
		if (!strcmp(ev_syscalls[code].name, name))
			return code;
	fail_msg("no code is called %s", name);
	return 0;
}

static bool has(const struct rec_set *s, const char *name)
{
	return rec_set_has(s, code_of(name));
}

static struct rec_set preset(enum rec_preset p)
{
	struct rec_set s = {0};

	rec_set_add_preset(&s, p);
	return s;
}

static struct rec_set parsed(const char *list)
{
	struct rec_set s = {0};
	struct error err = {0};

	if (rec_set_parse(&s, sv_of(list), &err) < 0)
		fail_msg("%s: %s", list, err.msg);
	return s;
}

static void every_preset_has_all_that_changes_state_and_the_end_of_processes(void **state)
{
	(void)state;
	for (int p = REC_SET_STATE; p <= REC_SET_ALL; p++) {
		struct rec_set s = preset((enum rec_preset)p);

		for (unsigned code = 1; code < EV_SYSCALL_COUNT; code++)
			if (ev_table[ev_syscalls[code].exit_type].flags & EF_MODIFIES_STATE &&
			    !rec_set_has(&s, code))
				fail_msg("preset %d lacks %s", p, ev_syscalls[code].name);
		assert_true(has(&s, "sched_process_exit"));
		assert_true(has(&s, "prlimit64"));
		assert_true(has(&s, "setrlimit"));
		assert_false(has(&s, "sched_switch"));
		assert_false(has(&s, "page_fault_user"));
	}
}

static void presets_differ_in_files_and_sockets(void **state)
{
	struct rec_set base = preset(REC_SET_STATE), files = preset(REC_SET_FILES);
	struct rec_set net = preset(REC_SET_NET), all = preset(REC_SET_ALL);

	(void)state;
	assert_false(has(&base, "unlinkat"));
	assert_true(has(&files, "unlinkat") && has(&files, "mknodat") && has(&files, "utimensat"));
	assert_true(has(&files, "read") && !has(&files, "listen"));
	assert_true(has(&net, "listen") && has(&net, "sendto") && !has(&net, "unlinkat"));
	assert_true(has(&all, "getpid") && has(&all, "signal_deliver"));
	for (unsigned code = 1; code < EV_SYSCALL_COUNT; code++)
		if (ev_syscalls[code].x86_64 >= 0 && !rec_set_has(&all, code))
			fail_msg("all lacks %s", ev_syscalls[code].name);
	assert_true(rec_set_count(&base) < rec_set_count(&net));
	assert_true(rec_set_count(&net) < rec_set_count(&all));
}

static void lists_add_and_remove_in_order(void **state)
{
	struct rec_set s = parsed("openat, close ,!close");

	(void)state;
	assert_int_equal(rec_set_count(&s), 1);
	assert_true(has(&s, "openat"));
	s = parsed("all,!read,!page_fault");
	assert_true(!has(&s, "read") && has(&s, "write"));
	s = parsed("page_fault,procexit,switch,signaldeliver");
	assert_int_equal(rec_set_count(&s), 5); /* faults of both kinds */
	s = parsed("all,none,kill");
	assert_int_equal(rec_set_count(&s), 1);
	s = parsed("files,!state");
	assert_true(has(&s, "unlink") && !has(&s, "open"));
}

static void a_list_that_is_wrong_changes_nothing_and_names_the_word(void **state)
{
	static const char *const wrong[] = {
	    "openat,opennat", "!", "", "read,,write", "!none", "PPME_OPEN", "unknown word"};
	struct rec_set s = {0};

	(void)state;
	rec_set_add(&s, code_of("dup"));
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct error err = {0};

		if (!*wrong[i])
			continue;
		assert_int_equal(rec_set_parse(&s, sv_of(wrong[i]), &err), ERR_USAGE);
		assert_non_null(strstr(err.msg, "is not a system call"));
		assert_int_equal(rec_set_count(&s), 1);
	}
	{
		struct error err = {0};

		assert_int_equal(rec_set_parse(&s, sv_of("openat,opennat"), &err), ERR_USAGE);
		assert_non_null(strstr(err.msg, "'opennat'"));
	}
}

static void an_event_stands_for_all_calls_reported_as_it(void **state)
{
	struct rec_set s = {0};

	(void)state;
	rec_set_add_event(&s, EV_OPENAT_2_X);
	assert_int_equal(rec_set_count(&s), 1);
	assert_true(has(&s, "openat"));
	rec_set_add_event(&s, EV_EXECVE_19_X);
	assert_true(has(&s, "execve") && has(&s, "execveat"));
	rec_set_add_event(&s, EV_PROCEXIT_1_E);
	assert_true(has(&s, "sched_process_exit"));
	rec_set_add_event(&s, EV_GENERIC_X);
	assert_true(has(&s, "getpid") && !has(&s, "read"));
}

static void every_name_in_the_presets_is_known(void **state)
{
	struct rec_set s = preset(REC_SET_FILES);

	(void)state;
	/* One of each list whose last entries would be lost by a misspelling. */
	assert_true(has(&s, "splice") && has(&s, "setxattrat") && has(&s, "file_getattr"));
	assert_false(rec_set_has(&s, REC_SET_CODES));
	rec_set_add(&s, 100000); /* is ignored */
	assert_false(rec_set_has(&s, 100000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_preset_has_all_that_changes_state_and_the_end_of_processes),
	    cmocka_unit_test(presets_differ_in_files_and_sockets),
	    cmocka_unit_test(lists_add_and_remove_in_order),
	    cmocka_unit_test(a_list_that_is_wrong_changes_nothing_and_names_the_word),
	    cmocka_unit_test(an_event_stands_for_all_calls_reported_as_it),
	    cmocka_unit_test(every_name_in_the_presets_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
