/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on identities, limits, signals and namespaces, parameter by parameter. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/truth_calls.h"

#define CALLS(table) table, sizeof(table) / sizeof(*(table))
#define NOBODY	     65534
#define NO_ID	     0xffffffff
#define BAD	     16 /* an address where nothing is */

static uint32_t ids[3] = {91, 92, 93};

static void become_nobody(void)
{
	LIVE_NEED(!setgroups(0, NULL));
	LIVE_NEED(!setresgid(NOBODY, NOBODY, NOBODY));
	LIVE_NEED(!setresuid(NOBODY, NOBODY, NOBODY));
}

static void setting_ids(void **state)
{
	const struct truth_call calls[] = {
	    {EV_SETRESGID_X,
	     SYS_setresgid,
	     {11, 12, 13},
	     0,
	     {RET("res"), INT("rgid", 11), INT("egid", 12), INT("sgid", 13)}},
	    {EV_SETREGID_X,
	     SYS_setregid,
	     {14, NO_ID},
	     0,
	     {RET("res"), INT("rgid", 14), INT("egid", NO_ID)}},
	    {EV_SETGID_X, SYS_setgid, {15}, 0, {RET("res"), INT("gid", 15)}},
	    {EV_SETRESUID_X,
	     SYS_setresuid,
	     {21, NO_ID, 0x1000000ff},
	     0,
	     {RET("res"), INT("ruid", 21), INT("euid", NO_ID), INT("suid", 255)}},
	    {EV_SETREUID_X,
	     SYS_setreuid,
	     {23, NO_ID},
	     0,
	     {RET("res"), INT("ruid", 23), INT("euid", NO_ID)}},
	    {EV_SETUID_X, SYS_setuid, {24}, 0, {RET("res"), INT("uid", 24)}},
	};
	const struct truth_call failures[] = {
	    {EV_SETUID_X, SYS_setuid, {1}, -EPERM, {RET("res"), INT("uid", 1)}},
	    {EV_SETGID_X, SYS_setgid, {2}, -EPERM, {RET("res"), INT("gid", 2)}},
	    {EV_SETREUID_X,
	     SYS_setreuid,
	     {3, 4},
	     -EPERM,
	     {RET("res"), INT("ruid", 3), INT("euid", 4)}},
	    {EV_SETREGID_X,
	     SYS_setregid,
	     {5, 6},
	     -EPERM,
	     {RET("res"), INT("rgid", 5), INT("egid", 6)}},
	    {EV_SETRESUID_X,
	     SYS_setresuid,
	     {7, 8, 9},
	     -EPERM,
	     {RET("res"), INT("ruid", 7), INT("euid", 8), INT("suid", 9)}},
	    {EV_SETRESGID_X,
	     SYS_setresgid,
	     {10, 11, 12},
	     -EPERM,
	     {RET("res"), INT("rgid", 10), INT("egid", 11), INT("sgid", 12)}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
	truth_calls(*state, become_nobody, CALLS(failures), NULL);
}

static void different_ids(void)
{
	LIVE_NEED(!setresgid(31, 32, 33));
	LIVE_NEED(!setresuid(41, 42, 43));
}

static void getting_ids(void **state)
{
	const struct truth_call calls[] = {
	    {EV_GETUID_X, SYS_getuid, {0}, 41, {INT("uid", 41)}},
	    {EV_GETEUID_X, SYS_geteuid, {0}, 42, {INT("euid", 42)}},
	    {EV_GETGID_X, SYS_getgid, {0}, 31, {INT("gid", 31)}},
	    {EV_GETEGID_X, SYS_getegid, {0}, 32, {INT("egid", 32)}},
	    {EV_GETRESUID_X,
	     SYS_getresuid,
	     {P(&ids[0]), P(&ids[1]), P(&ids[2])},
	     0,
	     {RET("res"), INT("ruid", 41), INT("euid", 42), INT("suid", 43)}},
	    {EV_GETRESUID_X,
	     SYS_getresuid,
	     {P(&ids[0]), BAD, P(&ids[2])},
	     -EFAULT,
	     {RET("res"), INT("ruid", 41), INT("euid", 0), INT("suid", 43)}},
	    {EV_GETRESGID_X,
	     SYS_getresgid,
	     {P(&ids[0]), P(&ids[1]), P(&ids[2])},
	     0,
	     {RET("res"), INT("rgid", 31), INT("egid", 32), INT("sgid", 33)}},
	    {EV_GETRESGID_X,
	     SYS_getresgid,
	     {BAD, P(&ids[1]), P(&ids[2])},
	     -EFAULT,
	     {RET("res"), INT("rgid", 0), INT("egid", 32), INT("sgid", 33)}},
	};

	truth_calls(*state, different_ids, CALLS(calls), NULL);
}

static void note_own(int64_t *fact, const long *ret)
{
	(void)ret;
	fact[0] = getpid();
}

static void groups_and_sessions(void **state)
{
	const struct truth_call calls[] = {
	    {EV_SETPGID_X, SYS_setpgid, {0, 0}, 0, {RET("res"), INT("pid", 0), INT("pgid", 0)}},
	    {EV_SETPGID_X,
	     SYS_setpgid,
	     {1, -2},
	     -EINVAL,
	     {RET("res"), INT("pid", 1), INT("pgid", -2)}},
	    {EV_SETSID_X, SYS_setsid, {0}, -EPERM, {RET("res")}},
	};
	const struct truth_call alone[] = {
	    {EV_SETSID_X, SYS_setsid, {0}, TRUTH_ANY, {FACT("res", 0)}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
	truth_calls(*state, NULL, CALLS(alone), note_own);
}

static void open_namespace(void)
{
	truth_move_fd(open("/proc/self/ns/uts", O_RDONLY), 100);
}

static void namespaces(void **state)
{
	const struct truth_call calls[] = {
	    {EV_UNSHARE_X,
	     SYS_unshare,
	     {CLONE_NEWUTS | CLONE_NEWNS | CLONE_FS},
	     0,
	     {RET("res"), FLAGS("flags", "CLONE_NEWUTS|CLONE_NEWNS|CLONE_FS")}},
	    {EV_UNSHARE_X,
	     SYS_unshare,
	     {CLONE_SETTLS | CLONE_NEWUSER},
	     -EINVAL,
	     {RET("res"), FLAGS("flags", "CLONE_SETTLS|CLONE_NEWUSER")}},
	    {EV_SETNS_X,
	     SYS_setns,
	     {100, CLONE_NEWUTS},
	     0,
	     {RET("res"), INT("fd", 100), FLAGS("nstype", "CLONE_NEWUTS")}},
	    {EV_SETNS_X,
	     SYS_setns,
	     {100, CLONE_NEWNET},
	     -EINVAL,
	     {RET("res"), INT("fd", 100), FLAGS("nstype", "CLONE_NEWNET")}},
	    {EV_SETNS_X,
	     SYS_setns,
	     {-1, 0},
	     -EBADF,
	     {RET("res"), INT("fd", -1), FLAGS("nstype", "")}},
	};

	truth_calls(*state, open_namespace, CALLS(calls), NULL);
}

static struct __user_cap_header_struct cap_head = {_LINUX_CAPABILITY_VERSION_3, 0};
static struct __user_cap_data_struct caps[2] = {{0x00000021, 0x00200421, 0x00000400},
						{0x00000000, 0x00000001, 0x00000000}};
static struct __user_cap_data_struct more[2] = {{0, 0, 0x40000}, {0, 0x00000001, 0}};

static void capabilities(void **state)
{
	const int64_t eff = 0x400, perm = 0x100200421;
	const struct truth_call calls[] = {
	    {EV_CAPSET_X,
	     SYS_capset,
	     {P(&cap_head), P(caps)},
	     0,
	     {RET("res"), INT("cap_inheritable", eff), INT("cap_permitted", perm),
	      INT("cap_effective", 0x21)}},
	    {EV_CAPSET_X, /* what was before stays */
	     SYS_capset,
	     {P(&cap_head), P(more)},
	     -EPERM,
	     {RET("res"), INT("cap_inheritable", eff), INT("cap_permitted", perm),
	      INT("cap_effective", 0x21)}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
}

static struct rlimit limit = {321, 654}, got, lower = {99, 600},
		     wider = {0x123456789, RLIM_INFINITY};

static void limits(void **state)
{
	const struct truth_call calls[] = {
	    {EV_SETRLIMIT_X,
	     SYS_setrlimit,
	     {RLIMIT_NOFILE, P(&limit)},
	     0,
	     {RET("res"), INT("cur", 321), INT("max", 654), FLAGS("resource", "RLIMIT_NOFILE")}},
	    {EV_SETRLIMIT_X,
	     SYS_setrlimit,
	     {77, P(&wider)},
	     -EINVAL,
	     {RET("res"), INT("cur", 0x123456789), INT("max", -1),
	      FLAGS("resource", "RLIMIT_UNKNOWN")}},
	    {EV_SETRLIMIT_X,
	     SYS_setrlimit,
	     {RLIMIT_CORE, BAD},
	     -EFAULT,
	     {RET("res"), INT("cur", 0), INT("max", 0), FLAGS("resource", "RLIMIT_CORE")}},
	    {EV_GETRLIMIT_X,
	     SYS_getrlimit,
	     {RLIMIT_NOFILE, P(&got)},
	     0,
	     {RET("res"), INT("cur", 321), INT("max", 654), FLAGS("resource", "RLIMIT_NOFILE")}},
	    {EV_GETRLIMIT_X,
	     SYS_getrlimit,
	     {99, P(&got)},
	     -EINVAL,
	     {RET("res"), INT("cur", -1), INT("max", -1), FLAGS("resource", "RLIMIT_UNKNOWN")}},
	    {EV_PRLIMIT_X,
	     SYS_prlimit64,
	     {0, RLIMIT_NOFILE, P(&lower), P(&got)},
	     0,
	     {RET("res"), INT("newcur", 99), INT("newmax", 600), INT("oldcur", 321),
	      INT("oldmax", 654), INT("pid", 0), FLAGS("resource", "RLIMIT_NOFILE")}},
	    {EV_PRLIMIT_X,
	     SYS_prlimit64,
	     {0, RLIMIT_NPROC, 0, 0},
	     0,
	     {RET("res"), INT("newcur", 0), INT("newmax", 0), INT("oldcur", 0), INT("oldmax", 0),
	      INT("pid", 0), FLAGS("resource", "RLIMIT_NPROC")}},
	    {EV_PRLIMIT_X,
	     SYS_prlimit64,
	     {-5, RLIMIT_AS, P(&wider), P(&got)},
	     -ESRCH,
	     {RET("res"), INT("newcur", 0x123456789), INT("newmax", -1), INT("oldcur", -1),
	      INT("oldmax", -1), INT("pid", -5), FLAGS("resource", "RLIMIT_AS")}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
}

static const struct timespec moment = {0, 1000}, wrong = {1, 1000000000};

static void signals_and_sleep(void **state)
{
	const struct truth_call calls[] = {
	    {EV_KILL_X, SYS_kill, {0, 0}, 0, {RET("res"), INT("pid", 0), INT("sig", 0)}},
	    {EV_KILL_X, /* only the low byte of the signal is told */
	     SYS_kill,
	     {0x7ffffff0, 0x109},
	     -ESRCH,
	     {RET("res"), INT("pid", 0x7ffffff0), INT("sig", 9)}},
	    {EV_TKILL_X, SYS_tkill, {1, 0}, 0, {RET("res"), INT("tid", 1), INT("sig", 0)}},
	    {EV_TKILL_X, SYS_tkill, {-3, 7}, -EINVAL, {RET("res"), INT("tid", -3), INT("sig", 7)}},
	    {EV_TGKILL_X,
	     SYS_tgkill,
	     {1, 1, 0},
	     0,
	     {RET("res"), INT("pid", 1), INT("tid", 1), INT("sig", 0)}},
	    {EV_TGKILL_X,
	     SYS_tgkill,
	     {-3, -4, 64},
	     -EINVAL,
	     {RET("res"), INT("pid", -3), INT("tid", -4), INT("sig", 64)}},
	    {EV_NANOSLEEP_X,
	     SYS_nanosleep,
	     {P(&moment), 0},
	     0,
	     {RET("res"), INT("interval", 1000)}},
	    {EV_NANOSLEEP_X,
	     SYS_nanosleep,
	     {P(&wrong), 0},
	     -EINVAL,
	     {RET("res"), INT("interval", 2000000000)}},
	    {EV_NANOSLEEP_X, SYS_nanosleep, {BAD, 0}, -EFAULT, {RET("res"), INT("interval", 0)}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
}

LIVE_MAIN("truth_ids",
	  "setuid,setgid,setreuid,setregid,setresuid,setresgid,getuid,geteuid,getgid,getegid,"
	  "getresuid,getresgid,setpgid,setsid,unshare,setns,capset,setrlimit,getrlimit,prlimit64,"
	  "kill,tkill,tgkill,nanosleep",
	  cmocka_unit_test(setting_ids), cmocka_unit_test(getting_ids),
	  cmocka_unit_test(groups_and_sessions), cmocka_unit_test(namespaces),
	  cmocka_unit_test(capabilities), cmocka_unit_test(limits),
	  cmocka_unit_test(signals_and_sleep))
