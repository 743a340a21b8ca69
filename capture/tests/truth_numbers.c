/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every system call there is, none of them carried out: a seccomp filter refuses them all, and what
 * is recorded are their numbers and arguments. So each can be tried, with arguments that would do
 * harm. Which event must come is in scapfile/schema/syscalls.tsv; what its parameters must hold is
 * read from the specification, where that says no more than "this argument, so wide".
 */
#include <ctype.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/defs.h"
#include "capture/tests/live.h"

#define REFUSED	 (-EXDEV) /* no call says so of itself without being asked */
#define NUMBERS	 496	  /* those behind are the recorder's own, for 32-bit calls */
#define PARAMS	 (SOURCE_DIR "/../shared/spec/capture-params.tsv")
#define AT_LEAST 300 /* parameters that the specification says so simply */

/* Different in every byte that a program might take, and no addresses. */
static long argument(unsigned i)
{
	return (long)(0x5a5a5a00f1e2d300 + 0x0101010101 * i);
}

/* --- making the calls --- */

/* Only for code that the kernel itself puts into programs: no filter sees them, they kill others.
 */
static bool is_trap(long nr)
{
	return nr == 335 /* uretprobe */ || nr == 336 /* uprobe */;
}

/* All calls fail but the last, exit_group(0). */
static void refuse_everything(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 2),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | -REFUSED),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

	LIVE_NEED(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	LIVE_NEED(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void call_everything(void *shared)
{
	long *ret = shared;

	live_pause();
	refuse_everything();
	live_resume();
	for (long nr = 0; nr < NUMBERS; nr++)
		if (!is_trap(nr))
			ret[nr] = live_call_(nr, argument(0), argument(1), argument(2), argument(3),
					     argument(4), argument(5));
}

static unsigned code_of(long nr)
{
	for (unsigned code = 1; code < EV_SYSCALL_COUNT; code++)
		if (ev_syscalls[code].x86_64 == nr)
			return code;
	return 0;
}

/* --- what must come --- */

static void expect_generic(struct live_event *e, unsigned code, long nr)
{
	expect_i64(e, "ID", code);
	expect_i64(e, "nativeID", nr);
}

static void every_number_is_reported_as_its_event(void **state)
{
	struct live *l = *state;
	const long *ret = live_run(l, "all", call_everything);

	for (long nr = 0; nr < NUMBERS; nr++) {
		unsigned code = code_of(nr);
		unsigned type = code ? ev_syscalls[code].exit_type : EV_GENERIC_X;
		char where[32];
		struct live_event *e;

		if (is_trap(nr))
			continue;
		snprintf(where, sizeof(where), "number %ld", nr);
		assert_int_equal(ret[nr], REFUSED);
		e = live_expect_(l, live_tid(l), type, where, 0);
		if (type == EV_GENERIC_X)
			expect_generic(e, code, nr);
	}
	expect_end(l);
}

/* --- the specification's simple parameters --- */

struct rule { /* a parameter's source as the specification puts it */
	char event[64], hook[64], param[40], source[256], otherwise[256];
};

static bool next_rule(FILE *f, struct rule *r)
{
	char line[2048], *cell[11];

	if (!fgets(line, sizeof(line), f))
		return false;
	if (live_split(line, cell, 11) < 10)
		return false;
	snprintf(r->event, sizeof(r->event), "%s", cell[1]);
	snprintf(r->hook, sizeof(r->hook), "%s", cell[3]);
	snprintf(r->param, sizeof(r->param), "%s", cell[5]);
	snprintf(r->source, sizeof(r->source), "%s", cell[8]);
	snprintf(r->otherwise, sizeof(r->otherwise), "%s", cell[9]);
	return true;
}

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

enum verdict { NOT_SIMPLE, NUMBER, NOTHING };

/* "argN as s32, sign-extended to s64" and the like. */
static enum verdict of_argument(const char *source, int64_t *v)
{
	const char *rest = source + 4;
	long a;

	if (!isdigit((unsigned char)source[3]) || source[3] > '5')
		return NOT_SIMPLE;
	a = argument((unsigned)source[3] - '0');
	if (strstr(source, "treated as") || strstr(source, "truncated to u16") ||
	    strstr(source, "high half") || strstr(source, "then as u32"))
		return NOT_SIMPLE;
	if (starts(rest, " as s32"))
		*v = (int32_t)a;
	else if (starts(rest, " as u32"))
		*v = (uint32_t)a;
	else if (starts(rest, " as u8"))
		*v = (uint8_t)a;
	else if (starts(rest, " as u64"))
		*v = a;
	else
		return NOT_SIMPLE;
	return NUMBER;
}

static enum verdict apply(const struct rule *r, int64_t *v)
{
	const char *source = r->source + (starts(r->source, "net ") ? strlen("net ") : 0);

	if (strstr(r->otherwise, "unless"))
		return NOT_SIMPLE;
	if (starts(source, "syscall return value"))
		*v = REFUSED;
	else if (starts(source, "return value as u32"))
		*v = (uint32_t)REFUSED;
	else if (starts(source, "constant 0"))
		*v = 0;
	else if (starts(source, "user string at pointer arg"))
		return NOTHING;
	else if (starts(source, "arg"))
		return of_argument(source, v);
	else
		return NOT_SIMPLE;
	return NUMBER;
}

static unsigned width_of(unsigned type, const char *param)
{
	int i = ev_param_index(type, param);

	return i < 0 ? 0 : ev_ptype_width(ev_table[type].params[i].type);
}

/* Return: how many of the parameters of @type's events were compared. */
static unsigned compare_events(struct live *l, unsigned type, const struct rule *r)
{
	struct live_event *all;
	unsigned n = live_events(l, &all), compared = 0;
	enum verdict verdict;
	int64_t v = 0;

	verdict = apply(r, &v);
	for (unsigned i = 0; i < n && verdict != NOT_SIMPLE; i++) {
		if (all[i].tid != live_tid(l) || all[i].type != type)
			continue;
		if (verdict == NOTHING)
			live_bytes_(&all[i], r->param, "", 0, r->source, 0);
		else
			live_bytes_(&all[i], r->param, &v, width_of(type, r->param), r->source, 0);
		compared++;
	}
	return compared;
}

static void simple_parameters_are_what_the_specification_says(void **state)
{
	FILE *f = fopen(PARAMS, "r");
	struct live *l = *state;
	unsigned compared = 0;
	struct rule r;

	if (!f)
		skip();
	live_run(l, "all", call_everything);
	while (next_rule(f, &r))
		for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
			if (starts(r.hook, "sys_exit") &&
			    !strcmp(ev_table[type].enum_name, r.event))
				compared += compare_events(l, type, &r);
	fclose(f);
	print_message("%u parameters compared\n", compared);
	assert_true(compared >= AT_LEAST);
}

LIVE_MAIN("truth_numbers", "all", cmocka_unit_test(every_number_is_reported_as_its_event),
	  cmocka_unit_test(simple_parameters_are_what_the_specification_says))
