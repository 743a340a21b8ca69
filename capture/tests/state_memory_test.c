/* SPDX-License-Identifier: Apache-2.0 */
/* The first state without memory: each allocation fails once, and nothing is lost silently. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/tests/alloc_wrap.h"
#include "capture/tests/fake_proc.h"

static void fill(struct fake_proc *f)
{
	for (int pid = 50; pid < 90; pid++)
		fake_process(f, pid);
	fake_thread(f, 50, 500);
	fake_fd(f, 50, 4, "socket:[77]");
	fake_fd(f, 51, 4, "socket:[78]");
	fake_file(f,
		  SV_LIT("head\n00000000a9a0df28: 00000002 00000000 00010000 0001 01 77 /a name\n"),
		  "proc/50/net/unix");
	fake_file(f, SV_LIT("29 1 8:1 / / rw - ext4 /dev/sda rw\n"), "proc/50/mountinfo");
	fake_file(f, SV_LIT("29 1 8:1 / /cg rw - cgroup2 cgroup2 rw\n"), "proc/1/mountinfo");
	fake_file(f, SV_LIT("cpu memory\n"), "cg/cgroup.controllers");
	fake_file(f, SV_LIT("root:x:0:0:root:/root:/bin/sh\n"), "etc/passwd");
	fake_file(f, SV_LIT("root:x:0:\n"), "etc/group");
}

static int open_and_take(struct fake_proc *f, struct rec_state **s, struct error *err)
{
	struct rec_state_reader *reader = NULL;
	int rc = rec_state_open(&f->opt, &reader, err);

	if (!rc)
		rc = rec_state_take(reader, s, err);
	rec_state_close(reader);
	return rc;
}

static void each_allocation_may_fail(void **state)
{
	struct fake_proc f;
	unsigned long calls, failures = 0;
	uint64_t bytes;
	struct error err;
	struct rec_state *s;

	(void)state;
	assert_int_equal(fake_proc_make(&f), 0);
	fill(&f);
	alloc = (struct alloc_wrap){.counting = true};
	assert_int_equal(open_and_take(&f, &s, &err), 0);
	calls = alloc.calls;
	alloc.counting = false;
	assert_int_equal(rec_state_stats(s)->threads, 41);
	bytes = rec_state_stats(s)->bytes;
	rec_state_free(s);
	assert_true(calls > 10);
	for (unsigned long i = 1; i <= calls; i++) {
		int rc;

		s = NULL;
		alloc = (struct alloc_wrap){.counting = true, .once = true, .fail_at = i};
		rc = open_and_take(&f, &s, &err);
		alloc.counting = false;
		if (rc == 0) {
			/* The C library could do without; nothing of ours is missing. */
			if (rec_state_stats(s)->threads != 41 || rec_state_stats(s)->bytes != bytes)
				fail_msg("allocation %lu failed and something is missing", i);
			rec_state_free(s);
			continue;
		}
		assert_int_equal(rc, ERR_NOMEM);
		assert_null(s);
		failures++;
	}
	assert_true(failures > 10);
	fake_proc_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
