/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up privileges. Capabilities belong to threads: each of ours gives up its own. */
#include "capture/internal.h"

#include <errno.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#ifndef CAP_BPF
#define CAP_PERFMON 38
#define CAP_BPF	    39
#endif

/* Of @keep, those the thread has; all others go, from all its sets. */
static int keep_only(const cap_value_t *keep, int n)
{
	cap_t now = cap_get_proc(), then = cap_init();
	int rc = now && then ? 0 : -1;

	for (int i = 0; i < n && rc == 0; i++) {
		cap_flag_value_t has = CAP_CLEAR;

		if (cap_get_flag(now, keep[i], CAP_PERMITTED, &has) < 0 || has != CAP_SET)
			continue;
		if (cap_set_flag(then, CAP_PERMITTED, 1, &keep[i], CAP_SET) < 0 ||
		    cap_set_flag(then, CAP_EFFECTIVE, 1, &keep[i], CAP_SET) < 0)
			rc = -1;
	}
	if (rc == 0)
		rc = cap_set_proc(then);
	if (now)
		cap_free(now);
	if (then)
		cap_free(then);
	return rc;
}

/* Reading counters and creating rings for new CPUs. */
void caps_keep_for_drain(void)
{
	static const cap_value_t keep[] = {CAP_BPF};

	if (keep_only(keep, COUNT_OF(keep)) < 0)
		errno = 0; /* it has more than it needs, which does no harm */
}

/* Executables of others. */
void caps_keep_for_hasher(void)
{
	static const cap_value_t keep[] = {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};

	if (keep_only(keep, COUNT_OF(keep)) < 0)
		errno = 0;
}

/* Taking the state once more when a new file begins. */
int caps_keep_for_recording(bool drop, bool no_new_privs, struct error *err)
{
	static const cap_value_t keep[] = {CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE,
					   CAP_DAC_READ_SEARCH};

	if (no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_sys(err, errno, "cannot renounce new privileges");
	if (drop && keep_only(keep, COUNT_OF(keep)) < 0)
		return error_sys(err, errno, "cannot give up capabilities");
	return 0;
}
