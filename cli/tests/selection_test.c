/* SPDX-License-Identifier: Apache-2.0 */
/* What options make of the set of system calls, and of the filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "cli/selection.h"

static unsigned code_of(const char *name)
{
	for (unsigned i = 1; i < EV_SYSCALL_COUNT; i++)
		if (ev_syscalls[i].name && strcmp(ev_syscalls[i].name, name) == 0)
			return i;
	fail_msg("no call '%s'", name);
	return 0;
}

static bool has(const struct cli_selection *s, const char *name)
{
	return rec_set_has(&s->rec.set, code_of(name));
}

static struct cli_selection selected(const char *list, const char *type)
{
	struct cli_selection s;
	struct flt_types types = {0};

	cli_selection_init(&s);
	if (list)
		assert_int_equal(cli_selection_take(&s, OPT_SYSCALLS, list), 0);
	if (type) {
		assert_true(flt_types_named(sv_of(type), &types));
		cli_selection_add_types(&s, &types);
	}
	assert_int_equal(cli_selection_finish(&s), 0);
	return s;
}

static void without_options_every_call_is_recorded(void **unused)
{
	struct cli_selection s = selected(NULL, NULL);

	(void)unused;
	assert_true(has(&s, "read"));
	assert_true(has(&s, "execve"));
	assert_true(has(&s, "sync"));
}

static void named_calls_are_added_to_the_state(void **unused)
{
	struct cli_selection s = selected("read,sync", NULL);

	(void)unused;
	assert_true(has(&s, "read"));
	assert_true(has(&s, "sync"));
	assert_true(has(&s, "execve"));
	assert_false(has(&s, "write"));
}

static void a_list_that_removes_starts_from_everything(void **unused)
{
	struct cli_selection s = selected("!read,!sync", NULL);

	(void)unused;
	assert_false(has(&s, "read"));
	assert_false(has(&s, "sync"));
	assert_true(has(&s, "write"));
	assert_true(has(&s, "execve"));
}

static void what_is_removed_is_gone_even_from_the_state(void **unused)
{
	struct cli_selection s = selected("!close", NULL);

	(void)unused;
	assert_false(has(&s, "close"));
	assert_true(s.rec.exact_set);
}

static void none_empties_the_set(void **unused)
{
	struct cli_selection s = selected("none,mkdir", NULL);

	(void)unused;
	assert_int_equal(rec_set_count(&s.rec.set), 1);
}

static void conditions_need_their_types_and_the_state(void **unused)
{
	struct cli_selection s = selected(NULL, "mkdir");

	(void)unused;
	assert_true(has(&s, "mkdir"));
	assert_true(has(&s, "execve"));
	assert_false(has(&s, "read"));
	s = selected("read", "mkdir");
	assert_true(has(&s, "mkdir"));
	assert_true(has(&s, "read"));
	assert_false(has(&s, "write"));
	s = selected("!mkdir", "mkdir");
	assert_false(has(&s, "mkdir"));
	assert_false(has(&s, "write"));
}

static void nothing_at_all_is_a_mistake(void **unused)
{
	struct cli_selection s;

	(void)unused;
	cli_selection_init(&s);
	s.syscalls = "none";
	assert_int_equal(cli_selection_finish(&s), CLI_USAGE);
	s.syscalls = "opne";
	assert_int_equal(cli_selection_finish(&s), CLI_USAGE);
}

static void values_are_checked(void **unused)
{
	static const struct {
		int id;
		const char *value;
		int rc;
	} cases[] = {
	    {'s', "0", 0},
	    {'s', "65000", 0},
	    {'s', "65001", CLI_USAGE},
	    {'s', "", CLI_USAGE},
	    {OPT_PORT, "1", 0},
	    {OPT_PORT, "65535", 0},
	    {OPT_PORT, "65536", CLI_USAGE},
	    {OPT_PORT, "0", CLI_USAGE},
	    {OPT_PORT, "", CLI_USAGE},
	    {OPT_PORT, "8x", CLI_USAGE},
	    {OPT_PORT, "99999999999999999999", CLI_USAGE},
	    {OPT_FULL_PORTS, "80", 0},
	    {OPT_FULL_PORTS, "80-90", 0},
	    {OPT_FULL_PORTS, "90-80", CLI_USAGE},
	    {OPT_FULL_PORTS, "80-", CLI_USAGE},
	    {OPT_FULL_PORTS, "-80", CLI_USAGE},
	    {OPT_FULL_PORTS, "1-2-3", CLI_USAGE},
	    {OPT_COMM, "sshd", 0},
	    {OPT_COMM, "fifteen-bytes-l", 0},
	    {OPT_COMM, "sixteen-bytes-lo", CLI_USAGE},
	    {OPT_COMM, "", CLI_USAGE},
	    {OPT_PID, "1", 0},
	    {OPT_PID, "0", CLI_USAGE},
	    {OPT_PID, "x", CLI_USAGE},
	    {OPT_PID, "2147483647", CLI_INPUT},
	    {OPT_PID, "4294967297", CLI_USAGE},
	    {OPT_CGROUP, "1234", 0},
	    {OPT_CGROUP, "/etc", CLI_INPUT},
	    {OPT_CGROUP, "no/such/group", CLI_INPUT},
	    {OPT_RING_SIZE, "64K", 0},
	    {OPT_RING_SIZE, "1G", 0},
	    {OPT_RING_SIZE, "63K", CLI_USAGE},
	    {OPT_RING_SIZE, "2G", CLI_USAGE},
	    {OPT_MAX_CPU, "20", 0},
	    {OPT_MAX_CPU, "20%", 0},
	    {OPT_MAX_CPU, "0", CLI_USAGE},
	    {OPT_MAX_CPU, "%", CLI_USAGE},
	    {OPT_MAX_CPU, "1001", CLI_USAGE},
	    {OPT_MAX_CPU, "10000000000", CLI_USAGE},
	    {OPT_MEMORY, "64M", 0},
	    {OPT_MEMORY, "lots", CLI_USAGE},
	    {'z', "", -1},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cli_selection s;
		int rc;

		cli_selection_init(&s);
		rc = cli_selection_take(&s, cases[i].id, cases[i].value);
		if (rc != cases[i].rc)
			fail_msg("option %d, '%s': %d", cases[i].id, cases[i].value, rc);
	}
}

static void values_arrive(void **unused)
{
	struct cli_selection s;

	(void)unused;
	cli_selection_init(&s);
	assert_int_equal(s.rec.snaplen, REC_SNAPLEN_DEFAULT);
	assert_int_equal(cli_selection_take(&s, OPT_RING_SIZE, "100K"), 0);
	assert_int_equal(s.rec.ring_bytes, 128 << 10);
	assert_int_equal(cli_selection_take(&s, OPT_FULL_PORTS, "80-90"), 0);
	assert_int_equal(s.rec.full_ports[0], 80);
	assert_int_equal(s.rec.full_ports[1], 90);
	assert_int_equal(cli_selection_take(&s, OPT_PORT, "443"), 0);
	assert_int_equal(cli_selection_take(&s, OPT_PORT, "53"), 0);
	assert_int_equal(s.rec.nports, 2);
	assert_int_equal(s.rec.ports[1], 53);
	assert_int_equal(cli_selection_take(&s, OPT_COMM, "sshd"), 0);
	assert_string_equal(s.rec.comms[0], "sshd");
	for (int i = s.rec.nports; i < REC_FILTER_MAX; i++)
		assert_int_equal(cli_selection_take(&s, OPT_PORT, "1"), 0);
	assert_int_equal(cli_selection_take(&s, OPT_PORT, "1"), CLI_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_options_every_call_is_recorded),
	    cmocka_unit_test(named_calls_are_added_to_the_state),
	    cmocka_unit_test(a_list_that_removes_starts_from_everything),
	    cmocka_unit_test(what_is_removed_is_gone_even_from_the_state),
	    cmocka_unit_test(none_empties_the_set),
	    cmocka_unit_test(conditions_need_their_types_and_the_state),
	    cmocka_unit_test(nothing_at_all_is_a_mistake),
	    cmocka_unit_test(values_are_checked),
	    cmocka_unit_test(values_arrive),
	};

	cli_log_setup("record", false, true, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
