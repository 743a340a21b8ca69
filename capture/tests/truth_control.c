/* SPDX-License-Identifier: Apache-2.0 */
/* Calls whose arguments mean something else for each operation, parameter by parameter. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/quota.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/truth_calls.h"

#define CALLS(table) table, sizeof(table) / sizeof(*(table))
#define BAD	     16		/* an address where nothing is */
#define NO_KEY	     0x10000ff0 /* and no address either */

static char name[16];
static int number;

static void process_controls(void **state)
{
	const struct truth_call calls[] = {
	    {EV_PRCTL_X,
	     SYS_prctl,
	     {PR_SET_NAME, P("a new name")},
	     0,
	     {RET("res"), FLAGS("option", "PR_SET_NAME"), STR("arg2_str", "a new name"),
	      INT("arg2_int", 0)}},
	    {EV_PRCTL_X,
	     SYS_prctl,
	     {PR_GET_NAME, P(name)},
	     0,
	     {RET("res"), FLAGS("option", "PR_GET_NAME"), STR("arg2_str", "a new name"),
	      INT("arg2_int", 0)}},
	    {EV_PRCTL_X,
	     SYS_prctl,
	     {PR_SET_NAME, BAD},
	     -EFAULT,
	     {RET("res"), FLAGS("option", "PR_SET_NAME"), EMPTY("arg2_str"), INT("arg2_int", 0)}},
	    {EV_PRCTL_X,
	     SYS_prctl,
	     {PR_SET_CHILD_SUBREAPER, 1},
	     0,
	     {RET("res"), FLAGS("option", "PR_SET_CHILD_SUBREAPER"), EMPTY("arg2_str"),
	      INT("arg2_int", 1)}},
	    {EV_PRCTL_X,
	     SYS_prctl,
	     {PR_GET_CHILD_SUBREAPER, P(&number)},
	     0,
	     {RET("res"), FLAGS("option", "PR_GET_CHILD_SUBREAPER"), EMPTY("arg2_str"),
	      INT("arg2_int", 1)}},
	    {EV_PRCTL_X, /* defect 16, fixed: 0 where nothing could be read */
	     SYS_prctl,
	     {PR_GET_CHILD_SUBREAPER, BAD},
	     -EFAULT,
	     {RET("res"), FLAGS("option", "PR_GET_CHILD_SUBREAPER"), EMPTY("arg2_str"),
	      INT("arg2_int", 0)}},
	    {EV_PRCTL_X,
	     SYS_prctl,
	     {0x12345678, -9},
	     -EINVAL,
	     {RET("res"), INT("option", 0x12345678), EMPTY("arg2_str"), INT("arg2_int", -9)}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
}

/* --- keys: how each operation uses its arguments, i for a number and s for a string --- */

static const char *const key_operations[] = {
    "ii",   "s",    "iii",  "i",    "iii",  "ii",  "iii",  "i",	   "ii",   "ii", "issi", "iii",
    "iiii", "iii",  "i",    "ii",   "i",    "iii", "",	   "iiii", "iiii", "i",	 "ii",	 "iiii",
    "iis",  "isii", "isii", "isii", "isii", "iss", "iiii", "ii",   "iii",  "",
};
#define KEY_OPERATIONS (sizeof(key_operations) / sizeof(*key_operations))

static void keys(void **state)
{
	static const char *const params[] = {"arg2", "arg3", "arg4", "arg5"};
	static const char *const texts[] = {"one", "two", "three", "four"};
	struct truth_call calls[KEY_OPERATIONS] = {0};

	for (unsigned op = 0; op < KEY_OPERATIONS; op++) {
		struct truth_call *c = &calls[op];
		size_t used = strlen(key_operations[op]);

		*c = (struct truth_call){EV_KEYCTL_X,
					 SYS_keyctl,
					 {op},
					 TRUTH_EVEN_FAILED,
					 {RET("res"), INT("operation", op)}};
		for (size_t i = 0; i < 4; i++) {
			bool text = i < used && key_operations[op][i] == 's';
			long v = NO_KEY + (long)i;

			c->a[1 + i] = text ? P(texts[i]) : v;
			c->p[2 + i] =
			    text ? (struct truth_param)DYN_STR(params[i], 1, texts[i])
				 : (struct truth_param)DYN(params[i], 0, i < used ? v : 0, 8);
		}
	}
	truth_calls(*state, NULL, CALLS(calls), NULL);
}

static void keys_found_and_missing(void **state)
{
	const struct truth_call calls[] = {
	    {EV_KEYCTL_X,
	     SYS_keyctl,
	     {KEYCTL_JOIN_SESSION_KEYRING, P("of a test")},
	     TRUTH_ANY,
	     {RET("res"), FLAGS("operation", "KEYCTL_JOIN_SESSION_KEYRING"),
	      DYN_STR("arg2", 1, "of a test"), DYN("arg3", 0, 0, 8), DYN("arg4", 0, 0, 8),
	      DYN("arg5", 0, 0, 8)}},
	    {EV_KEYCTL_X,
	     SYS_keyctl,
	     {KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 7, 8},
	     TRUTH_ANY,
	     {RET("res"), FLAGS("operation", ""), DYN("arg2", 0, KEY_SPEC_SESSION_KEYRING, 8),
	      DYN("arg3", 0, 0, 8), DYN("arg4", 0, 0, 8), DYN("arg5", 0, 0, 8)}},
	    {EV_KEYCTL_X,
	     SYS_keyctl,
	     {KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, P("user"), P("of nobody"), 0},
	     -ENOKEY,
	     {RET("res"), FLAGS("operation", "KEYCTL_SEARCH"),
	      DYN("arg2", 0, KEY_SPEC_SESSION_KEYRING, 8), DYN_STR("arg3", 1, "user"),
	      DYN_STR("arg4", 1, "of nobody"), DYN("arg5", 0, 0, 8)}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
}

/* --- a process that is traced --- */

struct tracing {
	long ret[16];
	int n;
	int64_t tracee;
};

static volatile long told = 0x1122334455667788;
static long peeked;

static void trace(struct tracing *t, long request, long address, long value)
{
	t->ret[t->n++] = live_call(SYS_ptrace, request, t->tracee, address, value);
}

static _Noreturn void be_traced(void)
{
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void trace_a_process(void *shared)
{
	struct tracing *t = shared;
	pid_t pid;

	live_pause();
	pid = fork();
	LIVE_NEED(pid >= 0);
	if (!pid)
		be_traced();
	t->tracee = pid;
	live_resume();
	trace(t, PTRACE_ATTACH, 3, 4);
	LIVE_NEED(waitpid((pid_t)t->tracee, NULL, 0) == t->tracee);
	trace(t, PTRACE_PEEKDATA, P(&told), P(&peeked));
	trace(t, PTRACE_POKEDATA, P(&told), 99);
	trace(t, PTRACE_PEEKDATA, 0, P(&peeked));
	trace(t, PTRACE_CONT, 1, 0x100 + SIGWINCH);
	trace(t, 0x4f4f, 5, 6);
	trace(t, PTRACE_CONT, 8, SIGWINCH);
	kill((pid_t)t->tracee, SIGSTOP);
	LIVE_NEED(waitpid((pid_t)t->tracee, NULL, 0) == t->tracee);
	trace(t, PTRACE_DETACH, 7, SIGKILL);
	LIVE_NEED(waitpid((pid_t)t->tracee, NULL, 0) == t->tracee);
}

static struct live_event *expect_trace(struct live *l, const struct tracing *t, int i,
				       const char *request)
{
	struct live_event *e = expect_event(l, EV_PTRACE_X);

	expect_i64(e, "res", t->ret[i]);
	expect_i64(e, "pid", t->tracee);
	expect_flags(e, "request", request);
	return e;
}

static void tracing(void **state)
{
	struct live *l = *state;
	const struct tracing *t = live_run(l, "ptrace", trace_a_process);
	struct live_event *e = expect_trace(l, t, 0, "PTRACE_ATTACH");

	assert_int_equal(t->ret[0], 0);
	expect_dyn(e, "addr", 0, 3, 8);
	expect_dyn(e, "data", 0, 4, 8);
	e = expect_trace(l, t, 1, "PTRACE_PEEKDATA");
	assert_int_equal(t->ret[1], 0);
	expect_dyn(e, "addr", 0, P(&told), 8);
	expect_dyn(e, "data", 0, 0x1122334455667788, 8);
	e = expect_trace(l, t, 2, "PTRACE_POKEDATA");
	assert_int_equal(t->ret[2], 0);
	expect_dyn(e, "addr", 0, P(&told), 8);
	expect_dyn(e, "data", 0, 99, 8);
	e = expect_trace(l, t, 3, "PTRACE_PEEKDATA");
	assert_true(t->ret[3] < 0);
	expect_dyn(e, "addr", 0, 0, 8);
	expect_dyn(e, "data", 0, 0, 8);
	e = expect_trace(l, t, 4, "PTRACE_CONT"); /* no such signal: refused */
	assert_int_equal(t->ret[4], -EIO);
	expect_dyn(e, "data", 0, 0, 8);
	e = expect_trace(l, t, 5, "PTRACE_UNKNOWN");
	assert_true(t->ret[5] < 0);
	e = expect_trace(l, t, 6, "PTRACE_CONT");
	assert_int_equal(t->ret[6], 0);
	expect_dyn(e, "addr", 0, 8, 8);
	expect_dyn(e, "data", 1, SIGWINCH, 1);
	e = expect_trace(l, t, 7, "PTRACE_DETACH");
	assert_int_equal(t->ret[7], 0);
	expect_dyn(e, "addr", 0, 7, 8);
	expect_dyn(e, "data", 1, SIGKILL, 1);
	expect_end(l);
}

/* --- quotas, of no device --- */

static const struct if_dqblk block = {1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, QIF_ALL};
static const struct if_dqblk half = {1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, QIF_ILIMITS};
static const struct if_dqinfo info = {2001, 2002, 3, IIF_ALL};
static const uint32_t format = QFMT_VFS_V1;

#define BLOCK(bh, bs, cs, ih, is, bt, it)                                                          \
	INT("dqb_bhardlimit", bh), INT("dqb_bsoftlimit", bs), INT("dqb_curspace", cs),             \
	    INT("dqb_ihardlimit", ih), INT("dqb_isoftlimit", is), INT("dqb_btime", bt),            \
	    INT("dqb_itime", it)
#define INFO(b, i, f) INT("dqi_bgrace", b), INT("dqi_igrace", i), INT("dqi_flags", f)
#define REST(out, cmd, type, id, fmt)                                                              \
	FLAGS("quota_fmt_out", out), FLAGS("cmd", cmd), FLAGS("type", type), INT("id", id),        \
	    FLAGS("quota_fmt", fmt)
#define NO_BLOCK	 BLOCK(0, 0, 0, 0, 0, 0, 0)
#define NO_FMT		 "QFMT_NOT_USED"
#define QUOTA(cmd, type) ((long)((unsigned)(cmd) << 8 | (type)))
#define NOWHERE		 P("/no/such/device")

static void quotas(void **state)
{
	const struct truth_call calls[] = {
	    {EV_QUOTACTL_X,
	     SYS_quotactl,
	     {QUOTA(Q_SYNC, GRPQUOTA), 0, 5, 0},
	     0,
	     {RET("res"), EMPTY("special"), EMPTY("quotafilepath"), NO_BLOCK, INFO(0, 0, 0),
	      REST(NO_FMT, "Q_SYNC", "GRPQUOTA", 0, NO_FMT)}},
	    {EV_QUOTACTL_X,
	     SYS_quotactl,
	     {QUOTA(Q_SETQUOTA, USRQUOTA), NOWHERE, 77, P(&block)},
	     -ENOENT,
	     {RET("res"), STR("special", "/no/such/device"), EMPTY("quotafilepath"),
	      BLOCK(1001, 1002, 1003, 1004, 1005, 1007, 1008), INFO(0, 0, 0),
	      REST(NO_FMT, "Q_SETQUOTA", "USRQUOTA", 77, NO_FMT)}},
	    {EV_QUOTACTL_X, /* only what is said to be valid */
	     SYS_quotactl,
	     {QUOTA(Q_GETQUOTA, USRQUOTA), NOWHERE, 78, P(&half)},
	     -ENOENT,
	     {RET("res"), STR("special", "/no/such/device"), EMPTY("quotafilepath"),
	      BLOCK(0, 0, 0, 1004, 1005, 0, 0), INFO(0, 0, 0),
	      REST(NO_FMT, "Q_GETQUOTA", "USRQUOTA", 78, NO_FMT)}},
	    {EV_QUOTACTL_X,
	     SYS_quotactl,
	     {QUOTA(Q_SETINFO, GRPQUOTA), NOWHERE, 79, P(&info)},
	     -ENOENT,
	     {RET("res"), STR("special", "/no/such/device"), EMPTY("quotafilepath"), NO_BLOCK,
	      INFO(2001, 2002, 3), REST(NO_FMT, "Q_SETINFO", "GRPQUOTA", 0, NO_FMT)}},
	    {EV_QUOTACTL_X,
	     SYS_quotactl,
	     {QUOTA(Q_GETFMT, USRQUOTA), NOWHERE, 80, P(&format)},
	     -ENOENT,
	     {RET("res"), STR("special", "/no/such/device"), EMPTY("quotafilepath"), NO_BLOCK,
	      INFO(0, 0, 0), REST("QFMT_VFS_V1", "Q_GETFMT", "USRQUOTA", 0, NO_FMT)}},
	    {EV_QUOTACTL_X,
	     SYS_quotactl,
	     {QUOTA(Q_QUOTAON, USRQUOTA), NOWHERE, QFMT_VFS_V0, P("/no/such/file")},
	     -ENOENT,
	     {RET("res"), STR("special", "/no/such/device"), STR("quotafilepath", "/no/such/file"),
	      NO_BLOCK, INFO(0, 0, 0), REST(NO_FMT, "Q_QUOTAON", "USRQUOTA", 0, "QFMT_VFS_V0")}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
}

/* --- a file system being configured --- */

static void open_filesystem(void)
{
	truth_move_fd((int)syscall(430 /* fsopen */, "tmpfs", 0), 100);
}

static void configuring(void **state)
{
	const struct truth_call calls[] = {
	    {EV_FSCONFIG_X,
	     431,
	     {100, 1, P("size"), P("1M"), 0},
	     0,
	     {RET("res"), INT("fd", 100), FLAGS("cmd", "FSCONFIG_SET_STRING"), STR("key", "size"),
	      EMPTY("value_bytebuf"), STR("value_charbuf", "1M"), INT("aux", 0)}},
	    {EV_FSCONFIG_X,
	     431,
	     {100, 0, P("ro"), 0, 0},
	     0,
	     {RET("res"), INT("fd", 100), FLAGS("cmd", ""), STR("key", "ro"),
	      EMPTY("value_bytebuf"), EMPTY("value_charbuf"), INT("aux", 0)}},
	    {EV_FSCONFIG_X, /* nothing of one that failed */
	     431,
	     {100, 2, P("blob"), P("bytes"), 5},
	     TRUTH_EVEN_FAILED,
	     {RET("res"), INT("fd", 100), FLAGS("cmd", "FSCONFIG_SET_BINARY"), STR("key", "blob"),
	      EMPTY("value_bytebuf"), EMPTY("value_charbuf"), INT("aux", 5)}},
	    {EV_FSCONFIG_X,
	     431,
	     {-1, 0x77, 0, P("bytes"), -3},
	     -EINVAL,
	     {RET("res"), INT("fd", -1), INT("cmd", 0x77), EMPTY("key"), EMPTY("value_bytebuf"),
	      EMPTY("value_charbuf"), INT("aux", -3)}},
	    {EV_FSCONFIG_X,
	     431,
	     {100, 6, 0, 0, 0},
	     0,
	     {RET("res"), INT("fd", 100), FLAGS("cmd", "FSCONFIG_CMD_CREATE"), EMPTY("key"),
	      EMPTY("value_bytebuf"), EMPTY("value_charbuf"), INT("aux", 0)}},
	};

	truth_calls(*state, open_filesystem, CALLS(calls), NULL);
}

/* Of the common file systems only this takes a path: of a device, here one that nobody has. */
static bool has_ext4(void)
{
	FILE *f = fopen("/proc/filesystems", "r");
	char line[128];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, "\text4\n") != NULL;
	if (f)
		fclose(f);
	return found;
}

static void open_ext4(void)
{
	truth_enter_directory();
	LIVE_NEED(!mknod("journal", S_IFBLK | 0600, makedev(240, 200)));
	truth_move_fd((int)syscall(430 /* fsopen */, "ext4", 0), 100);
}

static void configuring_with_paths(void **state)
{
	const struct truth_call calls[] = {
	    {EV_FSCONFIG_X,
	     431,
	     {100, 3, P("journal_path"), P("journal"), AT_FDCWD},
	     0,
	     {RET("res"), INT("fd", 100), FLAGS("cmd", "FSCONFIG_SET_PATH"),
	      STR("key", "journal_path"), EMPTY("value_bytebuf"), STR("value_charbuf", "journal"),
	      INT("aux", AT_FDCWD)}},
	    {EV_FSCONFIG_X,
	     431,
	     {100, 3, P("journal_path"), P("nothing"), AT_FDCWD},
	     TRUTH_EVEN_FAILED,
	     {RET("res"), INT("fd", 100), FLAGS("cmd", "FSCONFIG_SET_PATH"),
	      STR("key", "journal_path"), EMPTY("value_bytebuf"), EMPTY("value_charbuf"),
	      INT("aux", AT_FDCWD)}},
	};

	if (!has_ext4())
		skip();
	truth_calls(*state, open_ext4, CALLS(calls), NULL);
}

/* --- programs for the kernel --- */

static const uint32_t action = SECCOMP_RET_ERRNO;
static const union bpf_attr map = {
    .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
static const union bpf_attr nothing;
#define TEN "0123456789"
static const char image[] = TEN TEN TEN TEN TEN TEN TEN TEN "more than is kept";

static void programs_for_the_kernel(void **state)
{
	const struct truth_call calls[] = {
	    {EV_SECCOMP_X,
	     SYS_seccomp,
	     {SECCOMP_GET_ACTION_AVAIL, 0, P(&action)},
	     0,
	     {RET("res"), INT("op", SECCOMP_GET_ACTION_AVAIL), INT("flags", 0)}},
	    {EV_SECCOMP_X,
	     SYS_seccomp,
	     {99, 0x100000007},
	     -EINVAL,
	     {RET("res"), INT("op", 99), INT("flags", 7)}},
	    {EV_BPF_2_X,
	     SYS_bpf,
	     {BPF_MAP_CREATE, P(&map), 48},
	     TRUTH_ANY,
	     {RET("fd"), FLAGS("cmd", "")}},
	    {EV_BPF_2_X,
	     SYS_bpf,
	     {BPF_OBJ_GET, P(&nothing), 16},
	     -EFAULT,
	     {RET("fd"), FLAGS("cmd", "BPF_OBJ_GET")}},
	    {EV_INIT_MODULE_X, /* defect 13, fixed: as much as of other data */
	     SYS_init_module,
	     {P(image), sizeof(image) - 1, P("option=1")},
	     TRUTH_EVEN_FAILED,
	     {RET("res"), BYTES("img", image, 80), INT("length", sizeof(image) - 1),
	      STR("uargs", "option=1")}},
	    {EV_INIT_MODULE_X,
	     SYS_init_module,
	     {0, 65536 + 3, 0},
	     TRUTH_EVEN_FAILED,
	     {RET("res"), EMPTY("img"), INT("length", 65539), EMPTY("uargs")}},
	    {EV_FINIT_MODULE_X,
	     SYS_finit_module,
	     {-1, P("x y"), 1 | 2 | 4},
	     TRUTH_EVEN_FAILED,
	     {RET("res"), INT("fd", -1), STR("uargs", "x y"),
	      FLAGS("flags", "MODULE_INIT_IGNORE_MODVERSIONS|MODULE_INIT_IGNORE_VERMAGIC|"
			     "MODULE_INIT_COMPRESSED_FILE")}},
	    {EV_DELETE_MODULE_X,
	     SYS_delete_module,
	     {P("of no name"), O_NONBLOCK | O_TRUNC},
	     TRUTH_EVEN_FAILED,
	     {RET("res"), STR("name", "of no name"), FLAGS("flags", "O_NONBLOCK|O_TRUNC")}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
}

/* --- io_uring --- */

static struct io_uring_params ring = {.flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
				      .cq_entries = 32};
static struct io_uring_params wrong = {.flags = IORING_SETUP_IOPOLL | IORING_SETUP_SQ_AFF,
				       .sq_entries = 3,
				       .cq_entries = 4,
				       .sq_thread_cpu = 5,
				       .sq_thread_idle = 6};
static char probe[4096];

static void note_ring(int64_t *fact, long ret)
{
	fact[0] = ring.sq_entries;
	fact[1] = ring.cq_entries;
	fact[2] = ring.features & 0x7ff; /* the known ones have the numbers of the kernel */
	truth_move_fd((int)ret, 100);
}

static void rings(void **state)
{
	const struct truth_call calls[] = {
	    {EV_IO_URING_SETUP_X,
	     SYS_io_uring_setup,
	     {8, P(&ring)},
	     TRUTH_ANY,
	     {RET("res"), INT("entries", 8), FACT("sq_entries", 0), FACT("cq_entries", 1),
	      FLAGS("flags", "IORING_SETUP_CQSIZE|IORING_SETUP_CLAMP"), INT("sq_thread_cpu", 0),
	      INT("sq_thread_idle", 0), FACT("features", 2), AFTER(note_ring)}},
	    {EV_IO_URING_SETUP_X, /* defect 14, kept: one bit has two names */
	     SYS_io_uring_setup,
	     {0, P(&wrong)},
	     -EINVAL,
	     {RET("res"), INT("entries", 0), INT("sq_entries", 3), INT("cq_entries", 4),
	      FLAGS("flags", "IORING_SETUP_IOPOLL|IORING_SQ_NEED_WAKEUP|IORING_SETUP_SQ_AFF"),
	      INT("sq_thread_cpu", 5), INT("sq_thread_idle", 6), FLAGS("features", "")}},
	    {EV_IO_URING_SETUP_X,
	     SYS_io_uring_setup,
	     {4, 0},
	     -EFAULT,
	     {RET("res"), INT("entries", 4), INT("sq_entries", 0), INT("cq_entries", 0),
	      FLAGS("flags", ""), INT("sq_thread_cpu", 0), INT("sq_thread_idle", 0),
	      FLAGS("features", "")}},
	    {EV_IO_URING_ENTER_X, /* defect 14, kept: the address of the signals */
	     SYS_io_uring_enter,
	     {100, 0, 0, IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP, 0x7fff12345678, 8},
	     TRUTH_EVEN_FAILED,
	     {RET("res"), INT("fd", 100), INT("to_submit", 0), INT("min_complete", 0),
	      FLAGS("flags", "IORING_ENTER_GETEVENTS|IORING_ENTER_SQ_WAKEUP"),
	      INT("sig", 0x12345678)}},
	    {EV_IO_URING_ENTER_X,
	     SYS_io_uring_enter,
	     {100, 0, 0, IORING_ENTER_GETEVENTS, 0, 0},
	     0,
	     {RET("res"), INT("fd", 100), INT("to_submit", 0), INT("min_complete", 0),
	      FLAGS("flags", "IORING_ENTER_GETEVENTS"), INT("sig", 0)}},
	    {EV_IO_URING_ENTER_X,
	     SYS_io_uring_enter,
	     {-1, 2, 3, 0, 0, 0},
	     -EBADF,
	     {RET("res"), INT("fd", -1), INT("to_submit", 2), INT("min_complete", 3),
	      FLAGS("flags", ""), INT("sig", 0)}},
	    {EV_IO_URING_REGISTER_X,
	     SYS_io_uring_register,
	     {100, 8, P(probe), 4},
	     0,
	     {RET("res"), INT("fd", 100), FLAGS("opcode", "IORING_REGISTER_PROBE"),
	      INT("arg", P(probe)), INT("nr_args", 4)}},
	    {EV_IO_URING_REGISTER_X,
	     SYS_io_uring_register,
	     {-1, 0x1234000a, -2, 0x100000005},
	     TRUTH_EVEN_FAILED,
	     {RET("res"), INT("fd", -1), INT("opcode", 10), INT("arg", -2), INT("nr_args", 5)}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
}

static void calls_without_parameters(void **state)
{
	const struct truth_call calls[] = {
	    {EV_GENERIC_X, SYS_getpid, {0}, TRUTH_ANY, {INT("ID", 16), INT("nativeID", 39)}},
	    {EV_GENERIC_X, SYS_sysinfo, {BAD}, -EFAULT, {INT("ID", 71), INT("nativeID", 99)}},
	    {EV_GENERIC_X,
	     SYS_getrandom,
	     {P(name), 4, 0},
	     4,
	     {INT("ID", 318), INT("nativeID", 318)}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
}

LIVE_MAIN("truth_control",
	  "prctl,keyctl,ptrace,quotactl,fsconfig,seccomp,bpf,init_module,finit_module,"
	  "delete_module,io_uring_setup,io_uring_enter,io_uring_register,getpid,sysinfo,getrandom",
	  cmocka_unit_test(process_controls), cmocka_unit_test(keys),
	  cmocka_unit_test(keys_found_and_missing), cmocka_unit_test(tracing),
	  cmocka_unit_test(quotas), cmocka_unit_test(configuring),
	  cmocka_unit_test(configuring_with_paths), cmocka_unit_test(programs_for_the_kernel),
	  cmocka_unit_test(rings), cmocka_unit_test(calls_without_parameters))
