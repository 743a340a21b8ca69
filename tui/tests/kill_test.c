/* SPDX-License-Identifier: Apache-2.0 */
/* Signals: never to processes of recordings, and only to the one that is meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "tui/kill.h"
#include "tui/tests/data_place.h"

static void what_is_typed(void **unused)
{
	struct tui_kill k;
	struct error err;

	(void)unused;
	assert_int_equal(tui_kill_parse(SV_LIT(""), &k, &err), 0);
	assert_true(k.pid == 0 && k.signal == SIGTERM);
	assert_int_equal(tui_kill_parse(SV_LIT("1234"), &k, &err), 0);
	assert_true(k.pid == 1234 && k.signal == SIGTERM);
	assert_int_equal(tui_kill_parse(SV_LIT("1234  HUP"), &k, &err), 0);
	assert_true(k.pid == 1234 && k.signal == SIGHUP);
	assert_int_equal(tui_kill_parse(SV_LIT("1234 SIGKILL"), &k, &err), 0);
	assert_true(k.signal == SIGKILL);
	assert_int_equal(tui_kill_parse(SV_LIT("1234 9"), &k, &err), 0);
	assert_true(k.signal == SIGKILL);
	assert_int_equal(tui_kill_parse(SV_LIT("KILL"), &k, &err), ERR_USAGE);
	assert_int_equal(tui_kill_parse(SV_LIT("0"), &k, &err), ERR_USAGE);
	assert_int_equal(tui_kill_parse(SV_LIT("-1"), &k, &err), ERR_USAGE);
	assert_int_equal(tui_kill_parse(SV_LIT("99999999999999999999"), &k, &err), ERR_USAGE);
	assert_int_equal(tui_kill_parse(SV_LIT("1234 0"), &k, &err), ERR_USAGE);
	assert_int_equal(tui_kill_parse(SV_LIT("1234 NONE"), &k, &err), ERR_USAGE);
	assert_int_equal(tui_kill_parse(SV_LIT("1234 65"), &k, &err), ERR_USAGE);
}

static void never_of_recordings(void **unused)
{
	struct tui_data *d;
	struct place p;
	struct error err;

	(void)unused;
	make_place(&p, "intrusion.scap", 0);
	d = open_wait(&p);
	assert_int_equal(tui_kill_allowed(d, true, &err), ERR_USAGE);
	assert_non_null(strstr(err.msg, "recording"));
	assert_int_equal(tui_kill_allowed(d, false, &err), ERR_USAGE);
	tui_data_close(d);
	drop_place(&p);
}

/* A process that waits; its name is this program's. */
static pid_t start(uint64_t *began)
{
	pid_t child;

	*began = clock_ns(CLOCK_REALTIME);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(60); /* whatever becomes of the test */
		for (;;)
			pause();
	}
	return child;
}

static bool is_there(pid_t child)
{
	return waitpid(child, NULL, WNOHANG) == 0;
}

static void only_who_is_meant(void **unused)
{
	const uint64_t minute = 60000000000ull;
	const struct sv name = SV_LIT("tui_kill_test"); /* as /proc has it: 15 bytes at most */
	struct error err;
	uint64_t began;
	pid_t child = start(&began);
	int status;

	(void)unused;
	assert_int_equal(tui_kill_send(child, SV_LIT("another"), began, false, SIGKILL, &err),
			 ERR_USAGE);
	assert_int_equal(tui_kill_send(child, name, began - minute, false, SIGKILL, &err),
			 ERR_USAGE);
	assert_int_equal(tui_kill_send(child, name, began + minute, false, SIGKILL, &err),
			 ERR_USAGE);
	assert_int_equal(tui_kill_send(1, name, began, false, SIGTERM, &err), ERR_USAGE);
	assert_int_equal(tui_kill_send(getpid(), name, began, false, SIGTERM, &err), ERR_USAGE);
	assert_int_equal(tui_kill_send(child, name, began - minute, true, SIGKILL, &err),
			 ERR_USAGE);
	assert_true(is_there(child));
	assert_int_equal(tui_kill_send(child, name, began + minute, true, SIGCONT, &err), 0);
	if (tui_kill_send(child, name, began, false, SIGTERM, &err) != 0)
		fail_msg("%s", err.msg);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_true(tui_kill_send(child, name, began, false, SIGTERM, &err) < 0); /* it is gone */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_typed),
	    cmocka_unit_test(never_of_recordings),
	    cmocka_unit_test(only_who_is_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
