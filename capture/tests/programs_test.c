/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/syscall.h>

#include "capture/internal.h"

static struct rec_options options(const char *set)
{
	struct rec_options opt;

	rec_options_init(&opt);
	memset(&opt.set, 0, sizeof(opt.set));
	assert_int_equal(rec_set_parse(&opt.set, sv_of(set), NULL), 0);
	return opt;
}

static bool bit(const __u64 *bits, unsigned i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static void only_the_programs_of_the_set_are_needed(void **state)
{
	struct rec_options opt = options("openat,getppid");

	(void)state;
	assert_true(program_wanted(&opt, "dispatch"));
	assert_true(program_wanted(&opt, "exit_openat"));
	assert_true(program_wanted(&opt, "exit_generic"));
	assert_false(program_wanted(&opt, "exit_close"));
	assert_false(program_wanted(&opt, "exit_generic_ia32"));
	assert_false(program_wanted(&opt, "enter_openat"));
	assert_false(program_wanted(&opt, "dispatch_enter"));
	assert_false(program_wanted(&opt, "on_exec"));
	assert_false(program_wanted(&opt, "follow_exit"));
	opt = options("procexit,execveat");
	assert_true(program_wanted(&opt, "on_exit"));
	assert_true(program_wanted(&opt, "on_exec"));
	opt = options("procexit");
	assert_false(program_wanted(&opt, "dispatch"));
	opt = options("all");
	assert_true(program_wanted(&opt, "exit_generic_ia32"));
	assert_false(program_wanted(&opt, "on_switch"));
	assert_false(program_wanted(&opt, "on_fault_user"));
	assert_false(program_wanted(&opt, "no_such_program"));
}

static void options_add_programs(void **state)
{
	struct rec_options opt = options("openat");

	(void)state;
	opt.entry_copies = true;
	assert_false(program_wanted(&opt, "on_uring_submit"));
	opt.io_uring = true;
	assert_true(program_wanted(&opt, "on_uring_submit"));
	assert_false(program_wanted(&opt, "on_clone_flags"));
	opt.pids[opt.npids++] = 1;
	assert_true(program_wanted(&opt, "enter_openat"));
	assert_true(program_wanted(&opt, "dispatch_enter"));
	assert_false(program_wanted(&opt, "enter_connect"));
	assert_true(program_wanted(&opt, "follow_newtask"));
	assert_false(program_is_attached("follow_newtask")); /* in its own order */
	assert_false(program_is_attached("exit_openat"));
	assert_false(program_is_attached("enter_openat"));
	assert_true(program_is_attached("dispatch"));
	assert_true(program_is_attached("on_exec"));
}

static void the_programs_look_for_the_calls_of_the_set(void **state)
{
	struct rec_options opt = options("openat,procexit");
	struct wire_settings s = {0};

	(void)state;
	programs_interest(&opt, &s);
	for (unsigned nr = 0; nr < WIRE_SYSCALLS; nr++) {
		assert_int_equal(bit(s.interesting, nr), nr == SYS_openat);
		assert_false(bit(s.interesting_entries, nr));
	}
	assert_true(bit(s.interesting_events, EV_PROCEXIT_1_E));
	assert_true(bit(s.interesting_events, EV_OPENAT_2_X));
	assert_false(bit(s.interesting_events, EV_EXECVE_19_X));
	opt.entry_copies = true;
	programs_interest(&opt, &s);
	assert_true(bit(s.interesting_entries, SYS_openat));
	assert_string_equal(program_for(&opt, true, SYS_openat), "enter_openat");
	assert_string_equal(program_for(&opt, false, SYS_openat), "exit_openat");
	assert_null(program_for(&opt, false, SYS_close));
}

static void every_call_of_this_machine_has_a_program_and_a_class(void **state)
{
	struct rec_options opt = options("all");
	__u16 types[WIRE_SYSCALLS] = {0};
	__u64 io[WIRE_SYSCALLS / 64] = {0};

	(void)state;
	programs_classify(types, io);
	for (unsigned code = 1; code < EV_SYSCALL_COUNT; code++) {
		int nr = ev_syscalls[code].x86_64;

#ifdef __aarch64__
		nr = ev_syscalls[code].aarch64;
#endif
		if (nr < 0)
			continue;
		if (!program_for(&opt, false, nr))
			fail_msg("%s has no program", ev_syscalls[code].name);
		assert_int_equal(types[nr], ev_syscalls[code].exit_type);
	}
	assert_true(bit(io, SYS_read) && bit(io, SYS_sendto) && bit(io, SYS_writev));
	assert_false(bit(io, SYS_openat) || bit(io, SYS_connect) || bit(io, SYS_close));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_the_programs_of_the_set_are_needed),
	    cmocka_unit_test(options_add_programs),
	    cmocka_unit_test(the_programs_look_for_the_calls_of_the_set),
	    cmocka_unit_test(every_call_of_this_machine_has_a_program_and_a_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
