/* SPDX-License-Identifier: Apache-2.0 */
/* Executing programs, and failing to: every parameter, and where it comes from. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/truth_calls.h"
#include "capture/tests/truth_task.h"

#define PARAM_MAX 4096
#define CALLS	  "execve,execveat"

struct exec_facts { /* in the shared bytes */
	struct truth_task task;
	struct stat exe; /* of what will run, or runs */
	char path[PATH_MAX];
	long ret;
	int fd;
};

static char *const args[] = {"argv-zero", "one", "two words", "", "last", NULL};
static char *const env[] = {"A=1", "B=two words", NULL};
static const char args_bytes[] = "one\0two words\0\0last";
static const char env_bytes[] = "A=1\0B=two words";

static uint64_t ns(struct timespec t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Of the program that runs now. */
static void own_exe(struct exec_facts *f)
{
	ssize_t n = readlink("/proc/self/exe", f->path, sizeof(f->path) - 1);

	LIVE_NEED(n > 0 && !stat("/proc/self/exe", &f->exe));
	f->path[n] = 0;
}

/* Of a program in the working directory, which is about to run under the name @comm. */
static void next_exe(struct exec_facts *f, const char *name, const char *comm)
{
	char cwd[PATH_MAX - 256];

	truth_task(&f->task);
	LIVE_NEED(!stat(name, &f->exe) && getcwd(cwd, sizeof(cwd)));
	snprintf(f->path, sizeof(f->path), "%s/%s", cwd, name);
	memset(f->task.comm, 0, sizeof(f->task.comm));
	snprintf(f->task.comm, sizeof(f->task.comm), "%s", comm);
}

static void expect_exe_file(struct live_event *e, const struct exec_facts *f)
{
	expect_i64(e, "exe_ino", f->exe.st_ino);
	expect_i64(e, "exe_ino_ctime", ns(f->exe.st_ctim));
	expect_i64(e, "exe_ino_mtime", ns(f->exe.st_mtim));
	expect_str(e, "trusted_exepath", f->path);
}

/* --- success --- */

static void run_program(void *shared)
{
	live_pause();
	truth_enter_directory();
	truth_make_program("program", 0755);
	next_exe(shared, "program", "program");
	live_resume();
	live_call(SYS_execve, "./program", args, env);
}

static void a_program_that_starts_is_told_with_all_its_parameters(void **state)
{
	struct live *l = *state;
	struct exec_facts *f = live_run(l, CALLS, run_program);
	struct live_event *e = expect_event(l, EV_EXECVE_19_X);

	expect_i64(e, "res", 0);
	expect_str(e, "exe", "argv-zero");
	expect_bytes(e, "args", args_bytes, sizeof(args_bytes));
	expect_bytes(e, "env", env_bytes, sizeof(env_bytes));
	expect_task(e, &f->task, false);
	expect_exec_task(e, &f->task);
	expect_flags(e, "flags", "EXE_WRITABLE");
	expect_exe_file(e, f);
	expect_str(e, "filename", "./program");
	expect_end(l);
}

static char *huge[3000];
static char long_arg[6000];

static void run_with_long_arguments(void *shared)
{
	live_pause();
	truth_enter_directory();
	truth_make_program("program", 0755);
	next_exe(shared, "program", "program");
	for (size_t i = 0; i < 2999; i++)
		huge[i] = i % 2 ? "abc" : "12";
	live_resume();
	live_call(SYS_execve, "program", huge, huge);
}

static void arguments_and_environment_end_at_4096_bytes_with_a_nul(void **state)
{
	struct live *l = *state;
	struct live_event *e;
	char want[PARAM_MAX + 4] = "";

	for (size_t at = 0, i = 0; at < PARAM_MAX; i++) {
		memcpy(want + at, i % 2 ? "abc" : "12", i % 2 ? 4 : 3);
		at += i % 2 ? 4 : 3;
	}
	live_run(l, CALLS, run_with_long_arguments);
	e = expect_event(l, EV_EXECVE_19_X);
	expect_str(e, "exe", "12");
	want[PARAM_MAX - 1] = 0;
	expect_bytes(e, "args", want + 3, PARAM_MAX - 3);
	expect_bytes(e, "env", want, PARAM_MAX);
}

static void run_with_a_long_name(void *shared)
{
	char *const argv[] = {long_arg, "unseen", NULL};

	live_pause();
	truth_enter_directory();
	truth_make_program("program", 0755);
	memset(long_arg, 'x', sizeof(long_arg) - 1);
	next_exe(shared, "program", "program");
	live_resume();
	live_call(SYS_execve, "program", argv, NULL);
}

static void a_first_argument_of_4096_bytes_leaves_no_room_for_others(void **state)
{
	struct live *l = *state;
	struct live_event *e;
	char want[PARAM_MAX];

	memset(want, 'x', sizeof(want));
	want[PARAM_MAX - 1] = 0;
	live_run(l, CALLS, run_with_a_long_name);
	e = expect_event(l, EV_EXECVE_19_X);
	expect_bytes(e, "exe", want, PARAM_MAX);
	expect_empty(e, "args");
	expect_empty(e, "env");
}

static void run_script(void *shared)
{
	static const char script[] = "#!/tmp/interpreter -x\n";
	int fd;

	live_pause();
	truth_enter_directory();
	truth_make_program("interpreter", 0755);
	fd = open("script", O_CREAT | O_WRONLY, 0755);
	LIVE_NEED(write(fd, script, sizeof(script) - 1) == sizeof(script) - 1);
	close(fd);
	next_exe(shared, "interpreter", "script");
	live_resume();
	live_call(SYS_execve, "/tmp/script", args, env);
}

static void a_script_runs_as_its_interpreter(void **state)
{
	static const char want[] = "-x\0/tmp/script\0one\0two words\0\0last";
	struct live *l = *state;
	struct exec_facts *f = live_run(l, CALLS, run_script);
	struct live_event *e = expect_event(l, EV_EXECVE_19_X);

	expect_str(e, "exe", "/tmp/interpreter");
	expect_bytes(e, "args", want, sizeof(want));
	expect_str(e, "comm", "script");
	expect_exe_file(e, f);
	expect_str(e, "filename", "/tmp/script");
	expect_end(l);
}

static void run_memfd(void *shared)
{
	struct exec_facts *f = shared;

	live_pause();
	truth_task(&f->task);
	f->fd = (int)syscall(SYS_memfd_create, "secret", 0);
	LIVE_NEED(!fstat(truth_write_program(f->fd), &f->exe));
	live_resume();
	live_call(SYS_execveat, f->fd, "", args, env, AT_EMPTY_PATH);
}

static void a_program_without_a_file_is_marked(void **state)
{
	struct live *l = *state;
	struct exec_facts *f = live_run(l, CALLS, run_memfd);
	struct live_event *e = expect_event(l, EV_EXECVE_19_X);
	char name[32];

	snprintf(name, sizeof(name), "/dev/fd/%d", f->fd);
	expect_flags(e, "flags", "EXE_WRITABLE|EXE_FROM_MEMFD");
	expect_str(e, "filename", name);
	expect_str(e, "trusted_exepath", "memfd:secret");
	expect_i64(e, "exe_ino", f->exe.st_ino);
	expect_end(l);
}

static void run_below_a_descriptor(void *shared)
{
	struct exec_facts *f = shared;

	live_pause();
	truth_enter_directory();
	LIVE_NEED(!mkdir("dir", 0755));
	truth_make_program("dir/program", 0755);
	next_exe(f, "dir/program", "program");
	f->fd = open("dir", O_PATH);
	live_resume();
	live_call(SYS_execveat, f->fd, "program", args, env, 0);
}

static void a_name_below_a_descriptor_is_told_as_the_kernel_makes_it(void **state)
{
	struct live *l = *state;
	struct exec_facts *f = live_run(l, CALLS, run_below_a_descriptor);
	struct live_event *e = expect_event(l, EV_EXECVE_19_X);
	char name[64];

	snprintf(name, sizeof(name), "/dev/fd/%d/program", f->fd);
	expect_str(e, "filename", name);
	expect_exe_file(e, f);
	expect_str(e, "exe", "argv-zero");
	expect_end(l);
}

static void *exec_in_thread(void *name)
{
	live_resume();
	live_call(SYS_execve, name, args, env);
	return NULL;
}

static void run_from_a_thread(void *shared)
{
	pthread_t thread;

	live_pause();
	truth_enter_directory();
	truth_make_program("program", 0755);
	next_exe(shared, "program", "program");
	LIVE_NEED(!pthread_create(&thread, NULL, exec_in_thread, "program"));
	pthread_join(thread, NULL);
}

static void a_thread_that_starts_a_program_becomes_the_process(void **state)
{
	struct live *l = *state;
	struct exec_facts *f = live_run(l, CALLS, run_from_a_thread);
	struct live_event *e = expect_event(l, EV_EXECVE_19_X);

	expect_i64(e, "tid", live_tid(l));
	expect_i64(e, "pid", live_tid(l));
	expect_i64(e, "ptid", f->task.ptid);
	expect_end(l);
}

static void run_in_chroot(void *shared)
{
	live_pause();
	truth_enter_directory();
	LIVE_NEED(!mkdir("root", 0755) && !mkdir("root/bin", 0755));
	truth_make_program("root/bin/program", 0755);
	next_exe(shared, "root/bin/program", "program");
	LIVE_NEED(!chroot("root"));
	live_resume();
	live_call(SYS_execve, "/bin/program", args, env);
}

static void a_changed_root_does_not_hide_where_a_program_is(void **state)
{
	struct live *l = *state;
	struct exec_facts *f = live_run(l, CALLS, run_in_chroot);
	struct live_event *e = expect_event(l, EV_EXECVE_19_X);

	expect_str(e, "filename", "/bin/program");
	expect_str(e, "trusted_exepath", f->path);
	expect_str(e, "trusted_exepath", "/tmp/root/bin/program");
	expect_end(l);
}

static void run_on_a_terminal(void *shared)
{
	struct exec_facts *f = shared;
	int master;

	live_pause();
	truth_enter_directory();
	truth_make_program("program", 0755);
	LIVE_NEED(setsid() > 0);
	master = posix_openpt(O_RDWR);
	LIVE_NEED(master >= 0 && !grantpt(master) && !unlockpt(master));
	LIVE_NEED(open(ptsname(master), O_RDWR) >= 0);
	f->fd = open("/proc/self/loginuid", O_WRONLY);
	if (f->fd >= 0)
		(void)!write(f->fd, "1234", 4);
	next_exe(f, "program", "program");
	live_resume();
	live_call(SYS_execve, "program", args, env);
}

static void terminal_session_and_login_are_those_of_the_task(void **state)
{
	struct live *l = *state;
	struct exec_facts *f = live_run(l, CALLS, run_on_a_terminal);
	struct live_event *e = expect_event(l, EV_EXECVE_19_X);

	assert_int_not_equal(f->task.tty, 0);
	assert_int_equal(f->task.pgid, live_tid(l));
	expect_exec_task(e, &f->task);
	if (f->fd >= 0)
		expect_i64(e, "loginuid", 1234);
	expect_end(l);
}

/* --- failure --- */

static void fail_to_run(void *shared)
{
	struct exec_facts *f = shared;

	live_pause();
	own_exe(f);
	truth_task(&f->task);
	live_resume();
	f->ret = live_call(SYS_execve, "/no/such/program", args, env);
}

/* Of the image that goes on running. */
static void expect_own_exe(struct live_event *e, const struct exec_facts *f)
{
	expect_exe_file(e, f);
	expect_flags(e, "flags", f->exe.st_uid == f->task.uid ? "EXE_WRITABLE" : "");
}

static void a_program_that_is_not_there_leaves_the_old_one(void **state)
{
	struct live *l = *state;
	struct exec_facts *f = live_run(l, CALLS, fail_to_run);
	struct live_event *e = expect_event(l, EV_EXECVE_19_X);

	expect_i64(e, "res", -ENOENT);
	assert_int_equal(f->ret, -ENOENT);
	expect_str(e, "exe", "argv-zero");
	expect_bytes(e, "args", args_bytes, sizeof(args_bytes));
	expect_bytes(e, "env", env_bytes, sizeof(env_bytes));
	expect_task(e, &f->task, true);
	expect_exec_task(e, &f->task);
	expect_own_exe(e, f);
	expect_str(e, "filename", "/no/such/program");
	expect_end(l);
}

static void fail_to_run_below_a_descriptor(void *shared)
{
	struct exec_facts *f = shared;

	live_pause();
	own_exe(f);
	truth_task(&f->task);
	live_resume();
	f->ret = live_call(SYS_execveat, -7, "program", args, env, AT_EMPTY_PATH);
}

static void a_failing_execveat_is_told_as_itself(void **state)
{
	struct live *l = *state;
	struct exec_facts *f = live_run(l, CALLS, fail_to_run_below_a_descriptor);
	struct live_event *e = expect_event(l, EV_EXECVEAT_X);

	expect_i64(e, "res", -EBADF);
	expect_str(e, "exe", "argv-zero");
	expect_bytes(e, "args", args_bytes, sizeof(args_bytes));
	expect_bytes(e, "env", env_bytes, sizeof(env_bytes));
	expect_task(e, &f->task, true);
	expect_exec_task(e, &f->task);
	expect_own_exe(e, f);
	expect_end(l);
}

static void fail_in_many_ways(void *shared)
{
	long *ret = shared;
	char *many[40], *const unreadable[] = {(char *)16, "one", NULL};
	char *const gap[] = {"zero", "one", (char *)16, "three", NULL}, *const none[] = {NULL};
	char *const two_long[] = {"zero", long_arg, "unseen", NULL};
	char *pages;

	live_pause();
	truth_enter_directory();
	close(open("plain", O_CREAT | O_WRONLY, 0644));
	for (size_t i = 0; i < 39; i++)
		many[i] = i % 2 ? "odd" : "even";
	many[39] = NULL;
	memset(long_arg, 'y', sizeof(long_arg) - 1);
	pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	LIVE_NEED(pages != MAP_FAILED && !munmap(pages + 4096, 4096));
	((char **)(pages + 4096))[-2] = "before";
	((char **)(pages + 4096))[-1] = "the border";
	live_resume();
	ret[0] = live_call(SYS_execve, "plain", many, many);
	ret[1] = live_call(SYS_execve, "", NULL, NULL);
	ret[2] = live_call(SYS_execve, NULL, none, none);
	ret[3] = live_call(SYS_execve, "nothing", unreadable, gap);
	ret[4] = live_call(SYS_execve, "nothing", gap, unreadable);
	ret[5] = live_call(SYS_execve, "nothing", two_long, two_long);
	ret[6] = live_call(SYS_execve, "nothing", pages + 4096 - 16, 16);
	ret[7] = live_call(SYS_execve, "nothing", 16, args);
	ret[8] = live_call(SYS_execve, "/tmp", args, NULL);
}

static void expect_strings(struct live *l, long ret, const char *exe, size_t exe_len,
			   const char *argv, size_t argv_len, const char *envp, size_t envp_len)
{
	struct live_event *e = expect_event(l, EV_EXECVE_19_X);

	expect_i64(e, "res", ret);
	expect_bytes(e, "exe", exe, exe_len);
	expect_bytes(e, "args", argv, argv_len);
	expect_bytes(e, "env", envp, envp_len);
}

static void what_a_failing_exec_was_given_is_told_as_far_as_it_is_there(void **state)
{
	static const char fifteen[] =
	    "odd\0even\0odd\0even\0odd\0even\0odd\0even\0odd\0even\0odd\0even\0odd\0even\0odd";
	struct live *l = *state;
	long *ret = live_run(l, CALLS, fail_in_many_ways);
	char sixteen[5 + sizeof(fifteen)] = "even";
	char args_full[PARAM_MAX - 5], env_full[PARAM_MAX] = "zero";

	assert_int_equal(ret[0], -EACCES);
	memcpy(sixteen + 5, fifteen, sizeof(fifteen));
	expect_strings(l, ret[0], "even", 5, fifteen, sizeof(fifteen), sixteen, sizeof(sixteen));
	expect_strings(l, ret[1], "", 1, "", 0, "", 0);
	expect_strings(l, ret[2], "", 0, "", 0, "", 0);
	expect_strings(l, ret[3], "", 0, "one", 4, "zero\0one", 9);
	expect_strings(l, ret[4], "zero", 5, "one", 4, "", 0);
	memset(args_full, 'y', sizeof(args_full));
	memset(env_full + 5, 'y', sizeof(env_full) - 5);
	args_full[sizeof(args_full) - 1] = env_full[sizeof(env_full) - 1] = 0;
	expect_strings(l, ret[5], "zero", 5, args_full, sizeof(args_full), env_full,
		       sizeof(env_full));
	expect_strings(l, ret[6], "before", 7, "the border", 11, "", 0);
	expect_strings(l, ret[7], "", 0, "", 0, "argv-zero\0one\0two words\0\0last", 30);
	expect_strings(l, ret[8], "argv-zero", 10, args_bytes, sizeof(args_bytes), "", 0);
	expect_end(l);
}

LIVE_MAIN("truth_exec", CALLS,
	  cmocka_unit_test(a_program_that_starts_is_told_with_all_its_parameters),
	  cmocka_unit_test(arguments_and_environment_end_at_4096_bytes_with_a_nul),
	  cmocka_unit_test(a_first_argument_of_4096_bytes_leaves_no_room_for_others),
	  cmocka_unit_test(a_script_runs_as_its_interpreter),
	  cmocka_unit_test(a_program_without_a_file_is_marked),
	  cmocka_unit_test(a_name_below_a_descriptor_is_told_as_the_kernel_makes_it),
	  cmocka_unit_test(a_thread_that_starts_a_program_becomes_the_process),
	  cmocka_unit_test(a_changed_root_does_not_hide_where_a_program_is),
	  cmocka_unit_test(terminal_session_and_login_are_those_of_the_task),
	  cmocka_unit_test(a_program_that_is_not_there_leaves_the_old_one),
	  cmocka_unit_test(a_failing_execveat_is_told_as_itself),
	  cmocka_unit_test(what_a_failing_exec_was_given_is_told_as_far_as_it_is_there))
