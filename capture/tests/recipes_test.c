/* SPDX-License-Identifier: Apache-2.0 */
/* The generator of BPF programs: what it makes of recipes, and which it refuses. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HEADING "event\tprogram\tcondition\tparameter\trecipe\n"
#define CLOSE	"close\tclose\t-\tres\tret\nclose\tclose\t-\tfd\ts32(arg0)\n"

static char dir[PATH_MAX]; /* tables by link, recipes.tsv as the test wants it, the output */

static int make_dir(void **state)
{
	static const char *const tables[] = {"syscalls.tsv", "flag-mappings.tsv"};
	char from[2 * PATH_MAX], to[2 * PATH_MAX];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/recipes_testXXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		snprintf(from, sizeof(from), SOURCE_DIR "/capture/schema/%s", tables[i]);
		snprintf(to, sizeof(to), "%s/%s", dir, tables[i]);
		if (symlink(from, to))
			return -1;
	}
	return 0;
}

static int remove_dir(void **state)
{
	char command[2 * PATH_MAX];

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	return system(command);
}

/* Runs the generator over @recipes. Return: its exit status; @said is what it wrote. */
static int generate(const char *recipes, char *said, size_t room)
{
	char text[3 * PATH_MAX];
	FILE *f;
	size_t n;

	snprintf(text, sizeof(text), "%s/recipes.tsv", dir);
	f = fopen(text, "w");
	assert_non_null(f);
	fputs(recipes, f);
	fclose(f);
	snprintf(text, sizeof(text), "%s %s/scapfile/schema %s %s recipes.tsv 2>&1", GENERATOR,
		 SOURCE_DIR, dir, dir);
	f = popen(text, "r");
	assert_non_null(f);
	n = fread(said, 1, room - 1, f);
	said[n] = '\0';
	return WEXITSTATUS(pclose(f));
}

static void refused(const char *rows, const char *because)
{
	char recipes[4096], said[1024];

	snprintf(recipes, sizeof(recipes), HEADING "%s", rows);
	assert_int_equal(generate(recipes, said, sizeof(said)), 1);
	if (!strstr(said, because))
		fail_msg("expected '%s' in: %s", because, said);
}

static void parameters_must_be_those_of_the_event(void **state)
{
	(void)state;
	refused("close\tclose\t-\tres\tret\n", "parameter 2 is missing, but the event has fd");
	refused("close\tclose\t-\tfd\targ0\nclose\tclose\t-\tres\tret\n",
		"parameter 1 is fd, but the event has res");
	refused(CLOSE "close\tclose\t-\tmore\t0\n", "parameter more is not one of the event");
	refused("closed\tclose\t-\tres\tret\n", "no event by this name");
	refused("close\tclose\t-\tres\n", "4 columns instead of 5");
}

static void values_of_varying_size_need_a_hook_that_is_not_inside_others(void **state)
{
	(void)state;
	refused("chdir\t@switch\t-\tres\t0\nchdir\t@switch\t-\tpath\tempty()\n",
		"only numbers may be recorded here");
	refused("close\t@sometime\t-\tres\t0\nclose\t@sometime\t-\tfd\t0\n",
		"no tracepoint is known by this name");
	refused("chdir\tchdir\t-\tres\tret\nchdir\tchdir\t-\tpath\targ0\n",
		"a parameter of variable size needs a call");
	refused("chdir\tchdir\t-\tres\tret\nchdir\tchdir\t-\tpath\toptional(ret, arg0)\n",
		"only numbers can be optional");
}

static void pointers_are_not_followed_by_typed_loads(void **state)
{
	(void)state;
	refused("close\tclose\t-\tres\ttask->mm->flags\nclose\tclose\t-\tfd\t0\n",
		"a chain of pointers");
	refused("close\tclose\t-\tlet\tu64 x = task->a.b->c\n" CLOSE, "a chain of pointers");
	refused("close\tclose\t-\tres\ttask->loginuid.val + task->pid\nclose\tclose\t-\tfd\t0\n",
		"has no recipe"); /* of the other calls: these rows are fine */
}

static void families_of_flags_must_exist(void **state)
{
	(void)state;
	refused("close\tclose\t-\tres\tmap_none_such(ret)\nclose\tclose\t-\tfd\t0\n",
		"no family of flags by this name");
	refused("close\tclose\t-\tres\tmap_prctl_option(ret)\nclose\tclose\t-\tfd\t0\n",
		"no family of flags by this name"); /* it is stored as it is */
}

static void a_call_has_one_program_and_a_program_one_name(void **state)
{
	(void)state;
	refused(CLOSE "read\tread\t-\thand\t\n" CLOSE, "there is one by this name already");
	refused(CLOSE "close\tother\t-\tcalls\tclose\nclose\tother\t-\tres\tret\n"
		      "close\tother\t-\tfd\targ0\n",
		"another program serves the same call");
	refused("close\tshut\t-\tres\tret\nclose\tshut\t-\tfd\targ0\n",
		"no system call is named shut");
	refused("close\tread\t-\tres\tret\nclose\tread\t-\tfd\targ0\n",
		"its event is not that of the call");
	refused(CLOSE, "has no recipe");
}

/* The text of program @name among the generated ones. */
static const char *program_text(const char *name, char *out, size_t room)
{
	char path[2 * PATH_MAX], line[512], head[128];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/programs.h", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	snprintf(head, sizeof(head), "int BPF_PROG(%s,", name);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, head, strlen(head)))
			break;
	while (fgets(line, sizeof(line), f) && line[0] != '}')
		n += (size_t)snprintf(out + n, room - n, "%s", line);
	fclose(f);
	return out;
}

static void numbers_are_stored_in_the_width_of_their_type(void **state)
{
	char said[1024], text[4096];

	(void)state;
	generate(HEADING CLOSE, said, sizeof(said));
	program_text("exit_close", text, sizeof(text));
	/* header 26, two lengths, 8 + 8 bytes */
	assert_non_null(strstr(text, "reserve(&slot, 46, EV_CLOSE_X, 2)"));
	assert_non_null(strstr(text, "STORE(u64, e + 30, ret)"));
	assert_non_null(strstr(text, "STORE(u64, e + 38, s32(a.v[0]))"));
	generate(HEADING "socket\tsocket\t-\tfd\tret\nsocket\tsocket\t-\tdomain\t1\n"
			 "socket\tsocket\t-\ttype\t2\nsocket\tsocket\t-\tproto\t3\n"
			 "socket\tsocket\t-\tflags\toptional(arg1, f(arg1, arg12))\n",
		 said, sizeof(said));
	program_text("exit_socket", text, sizeof(text));
	assert_non_null(strstr(text, "scratch_begin(EV_SOCKET_X, 5)"));
	assert_non_null(strstr(text, "STORE(u32, s->data + 44, 1)"));
	assert_non_null(strstr(text, "if (a.v[1])\n\t\tput_num(u32, s, 4, f(a.v[1], arg12));"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parameters_must_be_those_of_the_event),
	    cmocka_unit_test(values_of_varying_size_need_a_hook_that_is_not_inside_others),
	    cmocka_unit_test(pointers_are_not_followed_by_typed_loads),
	    cmocka_unit_test(families_of_flags_must_exist),
	    cmocka_unit_test(a_call_has_one_program_and_a_program_one_name),
	    cmocka_unit_test(numbers_are_stored_in_the_width_of_their_type),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
