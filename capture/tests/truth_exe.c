/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exec event tells of the executable and of its user: may the task write it, on which layer
 * of an overlay it is, which capabilities and which cgroups the task has.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/truth_calls.h"
#include "capture/tests/truth_task.h"

#define CALLS	   "execve"
#define MANY	   40 /* supplementary groups */
#define USER	   1001
#define GROUP	   2001
#define CAP(name)  (1ull << CAP_##name)
#define DEEP	   12
#define TOO_DEEP   20
#define SHOWN	   16 /* levels of cgroups in events */
#define CGROUP_DIR "/sys/fs/cgroup/cpuacct"

/* --- may the task write it? --- */

struct owner { /* of the file, and who runs it */
	const char *what;
	unsigned mode;
	uint32_t file_uid, file_gid, uid, gid;
	uint64_t without; /* capabilities */
	unsigned groups;  /* supplementary ones: GROUP and some around it */
	enum { ORDINARY, READ_ONLY, IMMUTABLE } fs;
	const char *flags;
};

static const struct owner owners[] = {
    {"the owner may", 0755, USER, 0, USER, USER, 0, 0, ORDINARY, "EXE_WRITABLE"},
    {"the owner may change the mode", 0555, USER, 0, USER, USER, 0, 0, ORDINARY, "EXE_WRITABLE"},
    {"others may not", 0755, 0, 0, USER, USER, 0, 0, ORDINARY, ""},
    {"others may if the mode says so", 0757, 0, 0, USER, USER, 0, 0, ORDINARY, "EXE_WRITABLE"},
    {"the group may", 0775, 0, GROUP, USER, GROUP, 0, 0, ORDINARY, "EXE_WRITABLE"},
    {"the group may not", 0755, 0, GROUP, USER, GROUP, 0, 0, ORDINARY, ""},
    {"another group may not", 0775, 0, GROUP, USER, USER, 0, 0, ORDINARY, ""},
    {"one of many groups may", 0775, 0, GROUP, USER, USER, 0, MANY, ORDINARY, "EXE_WRITABLE"},
    {"none of many groups may", 0775, 0, 9, USER, USER, 0, MANY, ORDINARY, ""},
    {"root may", 0555, USER, GROUP, 0, 0, 0, 0, ORDINARY, "EXE_WRITABLE"},
    {"root may without one capability", 0555, USER, GROUP, 0, 0, CAP(FOWNER), 0, ORDINARY,
     "EXE_WRITABLE"},
    {"root may without the other", 0555, USER, GROUP, 0, 0, CAP(DAC_OVERRIDE), 0, ORDINARY,
     "EXE_WRITABLE"},
    {"root without both may not", 0555, USER, GROUP, 0, 0, CAP(FOWNER) | CAP(DAC_OVERRIDE), 0,
     ORDINARY, ""},
    {"nobody may where all is read-only", 0777, 0, 0, 0, 0, 0, 0, READ_ONLY, ""},
    {"nobody may what cannot be changed", 0777, 0, 0, 0, 0, 0, 0, IMMUTABLE, ""},
};

static const struct owner *owner; /* the child's */

static void drop_capabilities(uint64_t without)
{
	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (without >> cap & 1)
			LIVE_NEED(!prctl(PR_CAPBSET_DROP, cap));
}

static void become(const struct owner *o)
{
	gid_t groups[MANY];

	for (unsigned i = 0; i < o->groups; i++)
		groups[i] = GROUP + 3 * (MANY / 2 - i);
	LIVE_NEED(!setgroups(o->groups, groups));
	LIVE_NEED(!setresgid(o->gid, o->gid, o->gid) && !setresuid(o->uid, o->uid, o->uid));
}

static void make_owned(const struct owner *o)
{
	int flags = FS_IMMUTABLE_FL, fd;

	truth_make_program("program", 0755);
	LIVE_NEED(!chown("program", o->file_uid, o->file_gid) && !chmod("program", o->mode));
	if (o->fs == READ_ONLY)
		LIVE_NEED(!mount(NULL, "/tmp", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	if (o->fs == IMMUTABLE) {
		fd = open("program", O_RDONLY);
		LIVE_NEED(fd >= 0);
		if (ioctl(fd, FS_IOC_SETFLAGS, &flags))
			live_call(SYS_exit_group, 33); /* not on this kernel's tmpfs */
		close(fd);
	}
}

static void run_owned(void *shared)
{
	struct truth_task *t = shared;

	live_pause();
	truth_enter_directory();
	make_owned(owner);
	drop_capabilities(owner->without);
	become(owner);
	truth_task(t);
	t->cap_permitted = owner->uid ? 0 : (uint64_t)truth_status("CapBnd:", 0, 16);
	live_resume();
	live_call(SYS_execve, "program", NULL, NULL);
}

static void whether_the_program_could_be_written_is_told(void **state)
{
	struct live *l = *state;

	for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++) {
		struct truth_task *t;
		struct live_event *e;

		owner = &owners[i];
		t = live_run(l, CALLS, run_owned);
		if (WEXITSTATUS(live_status(l)) == 33)
			continue;
		e = expect_event(l, EV_EXECVE_19_X);
		if (live_number(e, "flags") != !!*owner->flags)
			print_error("%s\n", owner->what);
		expect_i64(e, "res", 0);
		expect_flags(e, "flags", owner->flags);
		expect_i64(e, "uid", owner->uid);
		expect_i64(e, "gid", owner->gid);
		expect_i64(e, "cap_inheritable", 0);
		expect_i64(e, "cap_permitted", t->cap_permitted);
		expect_i64(e, "cap_effective", t->cap_permitted);
		expect_end(l);
	}
}

/* In a user namespace of its own, whose ids are these of the host: */
struct mapping {
	const char *what;
	const char *map; /* of uids and of gids */
	uint32_t file_uid, file_gid;
	const char *flags;
};

static const struct mapping mappings[] = {
    {"both ids are known", "0 1000 500\n", 1003, 1005, "EXE_WRITABLE"},
    {"the last one is known", "0 1000 500\n", 1499, 1499, "EXE_WRITABLE"},
    {"the user is not known", "0 1000 500\n", 1500, 1005, ""},
    {"the user is not known, below", "0 1000 500\n", 999, 1005, ""},
    {"the group is not known, the owner's right is enough", "0 1000 500\n", 1003, 7,
     "EXE_WRITABLE"},
    {"one of three ranges", "0 1000 1\n1 5000 10\n20 3000 10\n", 3009, 5000, "EXE_WRITABLE"},
    {"none of three ranges", "0 1000 1\n1 5000 10\n20 3000 10\n", 3010, 5000, ""},
    {"one of seven ranges",
     "0 1000 1\n1 7000 5\n6 6000 5\n11 5000 5\n16 4000 5\n21 3000 5\n26 2000 5\n", 4004, 7000,
     "EXE_WRITABLE"},
    {"none of seven ranges",
     "0 1000 1\n1 7000 5\n6 6000 5\n11 5000 5\n16 4000 5\n21 3000 5\n26 2000 5\n", 4005, 7000, ""},
};

static const struct mapping *mapping; /* the child's */

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	LIVE_NEED(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void run_mapped(void *shared)
{
	int in[2], out[2];
	char path[64], c;
	pid_t parent = getpid(), helper;

	(void)shared;
	live_pause();
	truth_enter_directory();
	truth_make_program("program", 0555);
	LIVE_NEED(!chown("program", mapping->file_uid, mapping->file_gid));
	LIVE_NEED(!pipe(in) && !pipe(out));
	helper = fork(); /* maps may be written from outside only */
	if (!helper) {
		LIVE_NEED(read(in[0], &c, 1) == 1);
		snprintf(path, sizeof(path), "/proc/%d/uid_map", parent);
		write_text(path, mapping->map);
		snprintf(path, sizeof(path), "/proc/%d/gid_map", parent);
		write_text(path, mapping->map);
		live_call(SYS_exit_group, 0);
	}
	LIVE_NEED(!unshare(CLONE_NEWUSER) && write(in[1], "", 1) == 1);
	LIVE_NEED(waitpid(helper, &(int){0}, 0) == helper);
	LIVE_NEED(!setresgid(0, 0, 0) && !setresuid(0, 0, 0));
	live_resume();
	live_call(SYS_execve, "program", NULL, NULL);
}

static void capabilities_count_for_ids_that_the_user_namespace_knows(void **state)
{
	struct live *l = *state;

	for (size_t i = 0; i < sizeof(mappings) / sizeof(*mappings); i++) {
		struct live_event *e;

		mapping = &mappings[i];
		live_run(l, CALLS, run_mapped);
		e = expect_event(l, EV_EXECVE_19_X);
		if (live_number(e, "flags") != !!*mapping->flags)
			print_error("%s\n", mapping->what);
		expect_i64(e, "res", 0);
		expect_i64(e, "uid", 1000); /* as the host knows it */
		expect_i64(e, "gid", 1000);
		expect_flags(e, "flags", mapping->flags);
		expect_end(l);
	}
}

/* --- overlays --- */

enum { NO_OVERLAY = 34 };

static void run_on_overlay(const char *name)
{
	live_pause();
	truth_enter_directory();
	LIVE_NEED(!mkdir("low", 0755) && !mkdir("up", 0755) && !mkdir("work", 0755));
	LIVE_NEED(!mkdir("all", 0755));
	truth_make_program("low/below", 0755);
	truth_make_program("low/touched", 0755);
	truth_make_program("up/above", 0755);
	if (mount("none", "all", "overlay", 0,
		  "lowerdir=/tmp/low,upperdir=/tmp/up,workdir=/tmp/work"))
		live_call(SYS_exit_group, NO_OVERLAY);
	LIVE_NEED(!chmod("all/touched", 0711)); /* copied up */
	live_resume();
	live_call(SYS_execve, name, NULL, NULL);
}

static void run_below(void *shared)
{
	(void)shared;
	run_on_overlay("all/below");
}

static void run_above(void *shared)
{
	(void)shared;
	run_on_overlay("all/above");
}

static void run_touched(void *shared)
{
	(void)shared;
	run_on_overlay("all/touched");
}

static void layers_of_an_overlay_are_told(void **state)
{
	static const struct {
		void (*run)(void *);
		const char *flags, *path;
	} rows[] = {
	    {run_below, "EXE_WRITABLE|EXE_LOWER_LAYER", "/tmp/all/below"},
	    {run_above, "EXE_WRITABLE|EXE_UPPER_LAYER", "/tmp/all/above"},
	    {run_touched, "EXE_WRITABLE|EXE_UPPER_LAYER", "/tmp/all/touched"},
	};
	struct live *l = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct live_event *e;

		live_run(l, CALLS, rows[i].run);
		if (WEXITSTATUS(live_status(l)) == NO_OVERLAY)
			skip();
		e = expect_event(l, EV_EXECVE_19_X);
		expect_flags(e, "flags", rows[i].flags);
		expect_str(e, "trusted_exepath", rows[i].path);
		expect_end(l);
	}
}

/* --- cgroups --- */

static int cgroup_levels;

static void run_in_deep_cgroup(void *shared)
{
	struct truth_task *t = shared;
	char path[1024] = CGROUP_DIR, procs[1100];
	size_t n = strlen(path);

	live_pause();
	truth_enter_directory();
	truth_make_program("program", 0755);
	for (int i = 0; i < cgroup_levels; i++) {
		n += (size_t)snprintf(path + n, sizeof(path) - n, "/scapula-test-level-%d", i);
		if (mkdir(path, 0755) && errno != EEXIST)
			live_call(SYS_exit_group, 35);
	}
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	write_text(procs, "0");
	truth_task(t);
	live_resume();
	live_call(SYS_execve, "program", NULL, NULL);
}

static void remove_cgroups(int levels)
{
	char path[1024] = CGROUP_DIR;
	size_t n = strlen(path);

	for (int i = 0; i < levels; i++)
		n += (size_t)snprintf(path + n, sizeof(path) - n, "/scapula-test-level-%d", i);
	for (; n > sizeof(CGROUP_DIR); n = (size_t)(strrchr(path, '/') - path), path[n] = 0)
		rmdir(path);
}

/* The same list with only the last SHOWN levels of each. */
static size_t cut_levels(char *out, const char *list, size_t len)
{
	size_t n = 0;

	for (const char *s = list; s < list + len; s += strlen(s) + 1) {
		const char *path = strchr(s, '='), *at = s + strlen(s);
		int levels = 0;

		while (at > path + 1 && levels < SHOWN)
			levels += *--at == '/';
		memcpy(out + n, s, (size_t)(path + 1 - s));
		n += (size_t)(path + 1 - s);
		memcpy(out + n, at, strlen(at) + 1);
		n += strlen(at) + 1;
	}
	return n;
}

static void cgroups_are_told_from_the_leaf_up(void **state)
{
	static const int levels[] = {DEEP, TOO_DEEP};
	struct live *l = *state;
	char want[TRUTH_CGROUPS_MAX];

	for (size_t i = 0; i < 2; i++) {
		struct truth_task *t;
		struct live_event *e;

		cgroup_levels = levels[i];
		t = live_run(l, CALLS, run_in_deep_cgroup);
		remove_cgroups(levels[i]);
		if (WEXITSTATUS(live_status(l)) == 35)
			skip();
		e = expect_event(l, EV_EXECVE_19_X);
		expect_bytes(e, "cgroups", want, cut_levels(want, t->cgroups, t->cgroups_len));
		expect_end(l);
	}
}

LIVE_MAIN("truth_exe", CALLS, cmocka_unit_test(whether_the_program_could_be_written_is_told),
	  cmocka_unit_test(capabilities_count_for_ids_that_the_user_namespace_knows),
	  cmocka_unit_test(layers_of_an_overlay_are_told),
	  cmocka_unit_test(cgroups_are_told_from_the_leaf_up))
