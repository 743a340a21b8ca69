/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a command that waits, and learning how it and its descendants ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/child.h"
#include "cli/cli.h"

static char *const *shell(const char *script)
{
	static char *argv[4];

	argv[0] = (char *)"sh";
	argv[1] = (char *)"-c";
	argv[2] = (char *)script;
	return argv;
}

/* Until nobody is left; each round waits for somebody to end. */
static void wait_for_all(struct cli_child *c)
{
	siginfo_t info;

	while (!cli_child_look(c))
		(void)waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
}

/* A command that ran to the end of its last descendant. */
static struct cli_child ran(const char *script)
{
	struct cli_child c;

	assert_int_equal(cli_child_start(&c, (char **)shell(script)), 0);
	assert_false(cli_child_look(&c));
	assert_int_equal(cli_child_go(&c, "sh"), 0);
	wait_for_all(&c);
	cli_child_done(&c);
	return c;
}

static void the_status_is_that_of_a_shell(void **unused)
{
	static const struct {
		const char *script;
		int status;
	} cases[] = {{"exit 0", 0},	     {"exit 1", 1},	     {"exit 255", 255},
		     {"kill -TERM $$", 143}, {"kill -KILL $$", 137}, {"kill -SEGV $$", 139}};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cli_child c = ran(cases[i].script);

		if (cli_child_status(&c) != cases[i].status)
			fail_msg("'%s': %d", cases[i].script, cli_child_status(&c));
	}
}

static void it_does_nothing_before_it_is_let_go(void **unused)
{
	struct cli_child c;

	(void)unused;
	unlink("child-test-ran");
	assert_int_equal(cli_child_start(&c, (char **)shell("echo > child-test-ran")), 0);
	cli_child_done(&c);
	assert_true(c.ended);
	assert_int_equal(cli_child_status(&c), CHILD_RECORDER_FAILED);
	assert_int_equal(access("child-test-ran", F_OK), -1);
}

static void everything_has_ended_when_orphans_have(void **unused)
{
	int fds[2];
	char script[128];
	struct cli_child c;

	(void)unused;
	/* The orphan lives until the pipe is closed. */
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fcntl(fds[0], F_SETFD, 0), 0);
	snprintf(script, sizeof(script), "(setsid sh -c 'read x <&%d' &) ; exit 4", fds[0]);
	assert_int_equal(cli_child_start(&c, (char **)shell(script)), 0);
	assert_int_equal(cli_child_go(&c, "sh"), 0);
	cli_child_wait(&c);
	assert_true(c.ended);
	assert_int_equal(cli_child_status(&c), 4);
	for (int i = 0; i < 20; i++)
		assert_false(cli_child_look(&c));
	assert_int_equal(write(fds[1], "\n", 1), 1);
	wait_for_all(&c);
	close(fds[0]);
	close(fds[1]);
	cli_child_done(&c);
}

static void what_cannot_be_run_is_known_before(void **unused)
{
	(void)unused;
	assert_int_equal(cli_child_find("sh"), 0);
	assert_int_equal(cli_child_find("/bin/sh"), 0);
	assert_int_equal(cli_child_find("no-such-command-at-all"), CHILD_NOT_FOUND);
	assert_int_equal(cli_child_find("/no/such/dir/sh"), CHILD_NOT_FOUND);
	assert_int_equal(cli_child_find(""), CHILD_NOT_FOUND);
	assert_int_equal(cli_child_find("/"), CHILD_CANNOT_RUN);
	assert_int_equal(cli_child_find("/etc/passwd"), CHILD_CANNOT_RUN);
	assert_int_equal(cli_child_find("/bin/sh/x"), CHILD_NOT_FOUND);
}

static void what_fails_to_run_nevertheless_is_told(void **unused)
{
	char *argv[] = {(char *)"/etc/passwd", NULL};
	struct cli_child c;

	(void)unused;
	assert_int_equal(cli_child_start(&c, argv), 0);
	assert_int_equal(cli_child_go(&c, argv[0]), CHILD_CANNOT_RUN);
	wait_for_all(&c);
	cli_child_done(&c);
	argv[0] = (char *)"/no/such/program";
	assert_int_equal(cli_child_start(&c, argv), 0);
	assert_int_equal(cli_child_go(&c, argv[0]), CHILD_NOT_FOUND);
	cli_child_wait(&c);
	cli_child_done(&c);
}

/* It gets the signals as the recorder got them, not as it uses them. */
static void ignored_signals_are_not_inherited(void **unused)
{
	struct cli_child c;

	(void)unused;
	cli_ignore_signals();
	c = ran("kill -PIPE $$; exit 7");
	assert_int_equal(cli_child_status(&c), 128 + SIGPIPE);
	cli_restore_signals();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_status_is_that_of_a_shell),
	    cmocka_unit_test(it_does_nothing_before_it_is_let_go),
	    cmocka_unit_test(everything_has_ended_when_orphans_have),
	    cmocka_unit_test(what_cannot_be_run_is_known_before),
	    cmocka_unit_test(what_fails_to_run_nevertheless_is_told),
	    cmocka_unit_test(ignored_signals_are_not_inherited),
	};

	cli_log_setup("record", false, true, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
