/* SPDX-License-Identifier: Apache-2.0 */
/* The event tables and the views of an event's parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scapfile/source.h"

static void the_tables_hold_what_the_format_says(void **state)
{
	(void)state;
	assert_string_equal(ev_table[EV_OPEN_X].name, "open");
	assert_string_equal(ev_table[EV_OPEN_X].enum_name, "PPME_SYSCALL_OPEN_X");
	assert_int_equal(EV_PROCEXIT_1_E, 186);
	assert_int_equal(EV_EXECVE_19_X, 293);
	assert_int_equal(EV_TYPE_COUNT, 454);
	assert_string_equal(ev_syscall_name(1), "restart_syscall");
	assert_string_equal(ev_syscall_name(60000), "unknown");
	assert_int_equal(ev_param_index(EV_OPEN_X, "flags"), 2);
	assert_int_equal(ev_param_index(EV_OPEN_X, "nothing"), -1);
	assert_string_equal(ev_flag_set("socket_families")[0].name, "AF_NFC");
	assert_int_equal(ev_flag_set("socket_families")[0].value, 39);
	assert_null(ev_flag_set("no_such_set"));
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		assert_true(ev_table[type].nparams <= EV_PARAMS_MAX);
}

/* OPEN_X has fd, name, flags, mode, dev, ino: of 8, any, 4, 4, 4 and 8 bytes. */
static struct ev *next_event(struct ev_synth *s)
{
	struct ev_item item;

	assert_int_equal(ev_source_next(ev_synth_source(s), &item, NULL), 1);
	return item.ev;
}

static void strings_end_at_their_first_nul_and_null_is_not_a_name(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *text;
	} cases[] = {{"/a\0b", 5, "/a"},    {"/abc", 4, "/abc"}, {"", 1, ""},
		     {"(NULL)", 7, "<NA>"}, {NULL, 0, "<NA>"},	 {"(NULL)x", 8, "(NULL)x"}};
	struct ev_synth *s = ev_synth_new();

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		ev_synth_begin(s, EV_OPEN_X, 1, 1);
		ev_synth_int(s, 3);
		ev_synth_bytes(s, cases[i].bytes, cases[i].n);
		assert_int_equal(ev_synth_end(s), 0);
		assert_true(sv_is(ev_str(next_event(s), 1), cases[i].text));
	}
	ev_source_close(ev_synth_source(s));
}

static void numbers_must_be_exactly_as_wide_as_asked_for(void **state)
{
	struct ev_synth *s = ev_synth_new();
	uint8_t u8 = 7;
	uint16_t u16 = 7;
	uint32_t u32 = 7;
	uint64_t u64 = 7;
	int64_t i64 = 7;
	struct ev *ev;

	(void)state;
	assert_non_null(s);
	ev_synth_begin(s, EV_OPEN_X, 1, 1);
	ev_synth_int(s, -2);
	ev_synth_bytes(s, "\x81", 1);
	ev_synth_int(s, 0x81828384);
	ev_synth_bytes(s, "\x81\x82", 2);
	ev_synth_empty(s);
	assert_int_equal(ev_synth_end(s), 0);
	ev = next_event(s);
	assert_false(ev_u8(ev, 0, &u8) || ev_u16(ev, 1, &u16) || ev_u32(ev, 3, &u32) ||
		     ev_u64(ev, 2, &u64));
	assert_false(ev_u32(ev, 4, &u32) || ev_i64(ev, 5, &i64) || ev_u8(ev, 200, &u8));
	assert_int_equal(u8 + u16 + u32 + u64 + (uint64_t)i64, 35);
	assert_true(ev_i64(ev, 0, &i64) && ev_u8(ev, 1, &u8) && ev_u32(ev, 2, &u32) &&
		    ev_u16(ev, 3, &u16));
	assert_int_equal(i64, -2);
	assert_int_equal(u8, 0x81);
	assert_int_equal(u32, 0x81828384);
	assert_int_equal(u16, 0x8281);
	ev_source_close(ev_synth_source(s));
}

static void only_exits_of_system_calls_have_a_return_value(void **state)
{
	static const struct {
		unsigned type;
		bool has;
	} cases[] = {{EV_OPEN_X, true},
		     {EV_OPEN_E, false},
		     {EV_GENERIC_X, false},
		     {EV_PROCEXIT_1_E, false},
		     {EV_BRK_4_X, true}};
	struct ev_synth *s = ev_synth_new();

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t ret = 5;

		for (int width = 0; width <= 8; width += 4) {
			struct ev *ev;

			ev_synth_begin(s, cases[i].type, 1, 1);
			ev_synth_bytes(s, "\xfe\xff\xff\xff\xff\xff\xff\xff", (size_t)width);
			assert_int_equal(ev_synth_end(s), 0);
			ev = next_event(s);
			assert_int_equal(ev_return_value(ev, &ret), cases[i].has);
			assert_int_equal(ret, !cases[i].has ? 5 : width ? -2 : 0);
		}
	}
	ev_source_close(ev_synth_source(s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_tables_hold_what_the_format_says),
	    cmocka_unit_test(strings_end_at_their_first_nul_and_null_is_not_a_name),
	    cmocka_unit_test(numbers_must_be_exactly_as_wide_as_asked_for),
	    cmocka_unit_test(only_exits_of_system_calls_have_a_return_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
