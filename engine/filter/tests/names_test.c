/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of errors and signals, all numbers of them, beside those of the C library; and results
 * of system calls, which show them.
 */
#include <stdio.h>

#include "engine/filter/tests/show.h"

#define LAST_SHARED 125 /* ENOKEY (126) and later have no name in the reference */
#define CODES_MAX   600

/* Only inside the kernel, but tracers see them. */
static const struct {
	int code;
	const char *name;
} kernel_only[] = {
    {512, "ERESTARTSYS"},
    {513, "ERESTARTNOINTR"},
    {514, "ERESTARTNOHAND"},
    {515, "ENOIOCTLCMD"},
    {516, "ERESTART_RESTARTBLOCK"},
    {521, "EBADHANDLE"},
    {522, "ENOTSYNC"},
    {523, "EBADCOOKIE"},
    {524, "ENOTSUPP"},
    {525, "ETOOSMALL"},
    {526, "ESERVERFAULT"},
    {527, "EBADTYPE"},
    {528, "EJUKEBOX"},
    {529, "EIOCBQUEUED"},
    {530, "EIOCBRETRY"},
};

/* What @code is called; NULL: nothing. */
static const char *name_of(int code)
{
	if (code >= 1 && code <= LAST_SHARED)
		return strerrorname_np(code);
	for (size_t i = 0; i < COUNT_OF(kernel_only); i++)
		if (kernel_only[i].code == code)
			return kernel_only[i].name;
	return NULL;
}

static void check_same(const char *what, int number, const char *is, const char *should)
{
	if (!is || !should ? is != should : strcmp(is, should) != 0)
		fail_msg("%s %d is '%s', not '%s'", what, number, is ? is : "",
			 should ? should : "");
}

static void all_error_numbers_have_the_names_of_the_c_library(void **state)
{
	unsigned named = 0;

	(void)state;
	for (int code = -CODES_MAX; code < CODES_MAX; code++) {
		check_same("error", code, flt_errno_name(code), name_of(code));
		named += flt_errno_name(code) != NULL;
	}
	assert_int_equal(named, 123 + COUNT_OF(kernel_only));
	/* Where one number has two names. */
	assert_string_equal(flt_errno_name(11), "EAGAIN");
	assert_string_equal(flt_errno_name(35), "EDEADLK");
	assert_string_equal(flt_errno_name(95), "EOPNOTSUPP");
	assert_null(flt_errno_name(41));
	assert_null(flt_errno_name(58));
	assert_null(flt_errno_name(INT32_MIN));
	assert_null(flt_errno_name(INT32_MAX));
}

static void all_signal_numbers_have_the_names_of_the_c_library(void **state)
{
	char name[32];

	(void)state;
	for (int number = -5; number < 130; number++) {
		const char *abbreviated = number >= 1 && number <= 31 ? sigabbrev_np(number) : NULL;

		snprintf(name, sizeof(name), "SIG%s", abbreviated ? abbreviated : "");
		if (number == 29) /* SIGIO and SIGPOLL are one */
			snprintf(name, sizeof(name), "SIGIO");
		check_same("signal", number, flt_signal_name(number), abbreviated ? name : NULL);
	}
}

struct result { /* the fields that tell how a call ended */
	struct flt_program *program;
	struct flt_format *format;
	struct flt_ctx *cx;
	struct buf text;
};

static void check_result(struct world *w, struct result *r, const char *want)
{
	flt_ctx_event(r->cx, &w->bind);
	buf_reset(&r->text);
	assert_true(flt_format_text(r->cx, r->format, &r->text));
	assert_string_equal(buf_cstr(&r->text), want);
}

static void check_code(struct world *w, struct result *r, int64_t code)
{
	const char *name = code < CODES_MAX ? name_of((int)code) : NULL;
	char number[32], want[256];

	snprintf(number, sizeof(number), "-%lld", (long long)code);
	EVENT(w, 3200, EV_CLOSE_X, I(-code), I(77));
	snprintf(want, sizeof(want), "%s %s true 1 res=%s%s%s%s fd=77", name ? name : number,
		 number, number, name ? "(" : "", name ? name : "", name ? ")" : "");
	check_result(w, r, want);
	/* A descriptor that is an error; -100 means the current directory wherever it stands. */
	if (code == -EV_FD_CWD)
		name = "AT_FDCWD";
	EVENT(w, 3200, EV_DUP_1_X, I(-code), I(77));
	snprintf(want, sizeof(want), "%s %s true 1 res=%s%s%s%s oldfd=77", name ? name : number,
		 number, number, name ? "(" : "", name ? name : "", name ? ")" : "");
	check_result(w, r, want);
}

static void every_error_shows_in_result_and_arguments(void **state)
{
	static const int64_t far[] = {4095, 32767, 32768, 65536 + 2, 0x100000002, INT64_MAX};
	struct result r = {0};
	struct world w;

	(void)state;
	show_init(&w);
	assert_int_equal(flt_program_new(NULL, &r.program, NULL), 0);
	assert_int_equal(flt_format_new(r.program,
					SV_LIT("*%evt.res %evt.rawres %evt.failed %evt.count.error "
					       "%evt.args"),
					&r.format, NULL),
			 0);
	assert_int_equal(flt_program_seal(r.program, NULL), 0);
	assert_int_equal(flt_ctx_new(r.program, w.st, &r.cx, NULL), 0);
	for (int code = 1; code < CODES_MAX; code++)
		check_code(&w, &r, code);
	for (size_t i = 0; i < COUNT_OF(far); i++)
		check_code(&w, &r, far[i]);
	flt_ctx_free(r.cx);
	flt_program_free(r.program);
	buf_done(&r.text);
	world_done(&w);
}

static void results_are_those_of_exits_with_a_result(void **state)
{
	static const char format[] = "*%evt.res|%evt.rawres|%evt.failed|%evt.count.error";
	struct world w;

	(void)state;
	show_init(&w);
	EVENT(&w, 3200, EV_CLOSE_X, I(0), I(77));
	assert_shows(&w, format, "SUCCESS|0|false|0");
	EVENT(&w, 3200, EV_READ_X, I(4096), NONE, I(3), I(1));
	assert_shows(&w, format, "SUCCESS|4096|false|0");
	/* A number of a process is not an error's. */
	CLONE(&w, 3200, .ret = -11);
	assert_shows(&w, format, "-11|-11|true|1");
	EVENT(&w, 3200, EV_CONNECT_X, I(-115), NONE, I(3));
	assert_shows(&w, format, "EINPROGRESS|-115|true|1");
	/* Four bytes count with their sign, another width as 0. */
	EVENT(&w, 3200, EV_GETUID_X, I(1000));
	assert_shows(&w, format, "SUCCESS|1000|false|0");
	EVENT(&w, 3200, EV_CLOSE_X, BYTES("\xfe\xff", 2), I(77));
	assert_shows(&w, format, "SUCCESS|0|false|0");
	EVENT(&w, 3200, EV_CLOSE_X, NONE, I(77));
	assert_shows(&w, format, "SUCCESS|0|false|0");
	EVENT(&w, 3200, EV_GENERIC_X, I(1), I(219));
	assert_shows(&w, format, "<NA>|<NA>|<NA>|<NA>");
	EVENT(&w, 3200, EV_SIGNALDELIVER_E, I(1), I(2), I(9));
	assert_shows(&w, format, "<NA>|<NA>|<NA>|<NA>");
	world_event(&w, 3200, EV_GETSOCKNAME_X, NULL, 0);
	assert_shows(&w, format, "<NA>|<NA>|<NA>|<NA>");
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_error_numbers_have_the_names_of_the_c_library),
	    cmocka_unit_test(all_signal_numbers_have_the_names_of_the_c_library),
	    cmocka_unit_test(every_error_shows_in_result_and_arguments),
	    cmocka_unit_test(results_are_those_of_exits_with_a_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
