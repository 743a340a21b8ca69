/* SPDX-License-Identifier: Apache-2.0 */
/* How buffers are shown; and arguments that neither the samples nor the table of types have. */
#include <stdio.h>

#include "engine/filter/tests/show.h"

static void each_argument_of_an_open_can_be_shown_alone(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_OPENAT_2_X, I(5), I(EV_FD_CWD), S("rel/../x.txt"), I(20487), I(0644),
	      I(0xfd01), I(123));
	assert_shows(w, "%evt.arg.fd|%evt.arg.mode|%evt.arg.dev|%evt.arg.name|%evt.arg[1]",
		     "<f>/home/ubuntu/x.txt|0644|FD01|/home/ubuntu/x.txt|AT_FDCWD");
	assert_shows(w, "%evt.rawarg.fd|%evt.rawarg.mode|%evt.rawarg.flags|%evt.rawarg.name",
		     "5|644|5007|rel/../x.txt");
}

static void what_was_not_recorded_shows_as_na_or_null(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_RECVFROM_X, NONE);
	assert_args(w, "res=<NA> data=NULL tuple=NULL fd=<NA> size=<NA>");
	EVENT(w, 3200, EV_POLL_X, I(0));
	assert_args(w, "res=0 fds=NULL timeout=<NA>");
	assert_shows(w, "%evt.rawarg.fds|%evt.rawarg.timeout", "NULL|0");
	EVENT(w, 3200, EV_OPEN_X, I(-2), S("(NULL)"));
	assert_shows(w, "%evt.arg.name|%evt.rawarg.name|%evt.rawarg.flags|%evt.rawarg.ino",
		     "<NA>|<NA>|0|0");
}

static void bytes_that_cannot_be_printed_are_dots_or_base64(void **state)
{
	static const struct flt_options base64 = {.bytes = FLT_BYTES_BASE64};
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(8), BYTES("hel\0\xfflo~", 8), I(99), I(100));
	assert_args(w, "res=8 data=hel..lo~ fd=99 size=100");
	assert_shows(w, "%evt.arg.data|%evt.buffer", "hel..lo~|hel..lo~");
	assert_shows_with(w, &base64, "%evt.arg.data|%evt.buffer", "aGVsAP9sb34=|aGVsAP9sb34=");
	EVENT(w, 3200, EV_READ_X, I(7), BYTES("seven!!", 7), I(99), I(100));
	assert_shows_with(w, &base64, "%evt.buffer", "c2V2ZW4hIQ==");
	EVENT(w, 3200, EV_READ_X, I(0), NONE, I(99), I(100));
	assert_shows(w, "%evt.buffer", "NULL");
	EVENT(w, 3200, EV_READ_X, I(4), BYTES(" ~\x7f\x1f", 4), I(99), I(100));
	assert_shows(w, "%evt.buffer", " ~..");
}

/* Unless they are asked to. */
static void conditions_do_not_see_how_bytes_are_shown(void **state)
{
	static const struct {
		struct flt_options opt;
		const char *condition;
		bool matches;
	} rows[] = {
	    {{.bytes = FLT_BYTES_HEX}, "evt.arg.data contains plain", true},
	    {{.bytes = FLT_BYTES_BASE64}, "evt.args contains plain", true},
	    {{.bytes_max = 4}, "evt.arg.data endswith plain and evt.args contains plain", true},
	    {{.bytes = FLT_BYTES_BASE64, .conditions_see_bytes = true},
	     "evt.arg.data contains plain",
	     false},
	    {{.bytes = FLT_BYTES_BASE64, .conditions_see_bytes = true},
	     "evt.args contains 'cGxhaW4='",
	     true},
	};
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(5), BYTES("plain", 5), I(99), I(100));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena arena = {0};
		struct flt_program *p;
		struct flt_format *f;
		struct flt_node *n;
		struct flt_ctx *cx;
		struct buf out = {0};
		unsigned id;

		assert_int_equal(flt_program_new(&rows[i].opt, &p, NULL), 0);
		assert_int_equal(
		    flt_parse(sv_of(rows[i].condition), FLT_DEPTH_DEFAULT, &arena, &n, NULL, NULL),
		    0);
		assert_int_equal(flt_program_add(p, n, NULL, NULL, &id, NULL, NULL), 0);
		assert_int_equal(flt_format_new(p, SV_LIT("%evt.arg.data"), &f, NULL), 0);
		assert_int_equal(flt_program_seal(p, NULL), 0);
		assert_int_equal(flt_ctx_new(p, w->st, &cx, NULL), 0);
		flt_ctx_event(cx, &w->bind);
		if (flt_match(cx, id) != rows[i].matches)
			fail_msg("row %zu: '%s'", i, rows[i].condition);
		assert_true(flt_format_text(cx, f, &out));
		assert_false(sv_is(buf_view(&out), "plain")); /* the display keeps its form */
		buf_done(&out);
		flt_ctx_free(cx);
		flt_program_free(p);
		arena_done(&arena);
	}
}

static void bytes_can_be_shown_as_lines(void **state)
{
	static const struct flt_options lines = {.bytes = FLT_BYTES_LINES};
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(8), BYTES("\na\r\nb\n\0\tc\rd\x80~\n\r", 15), I(99), I(100));
	assert_shows_with(w, &lines, "[%evt.buffer]", "[\na\nb\nc\nd~\n\n]");
	assert_shows_with(w, &lines, "%evt.args", "res=8 data=\na\nb\nc\nd~\n\n fd=99 size=100");
	EVENT(w, 3200, EV_READ_X, I(0), NONE, I(99), I(100));
	assert_shows_with(w, &lines, "%evt.arg.data", "NULL");
}

/* The rows that sysdig 0.29.3 prints. */
static void bytes_can_be_shown_in_hexadecimal(void **state)
{
	static const struct flt_options hex = {.bytes = FLT_BYTES_HEX},
					both = {.bytes = FLT_BYTES_HEX_ASCII};
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(10), BYTES("/dev/null\0", 10), I(99), I(100));
	assert_shows_with(w, &hex, "%evt.buffer|", "\n\t0x0000: 2f64 6576 2f6e 756c 6c00\n|");
	assert_shows_with(
	    w, &both, "%evt.args",
	    "res=10 data=\n\t0x0000: 2f64 6576 2f6e 756c 6c00                 /dev/null.\n "
	    "fd=99 size=100");
	EVENT(w, 3200, EV_READ_X, I(19), BYTES("0123456789abcdefg\xff\x01", 19), I(99), I(100));
	assert_shows_with(w, &both, "%evt.arg.data",
			  "\n\t0x0000: 3031 3233 3435 3637 3839 6162 6364 6566  0123456789abcdef"
			  "\n\t0x0010: 67ff 01                                g..\n");
}

static void buffers_are_cut_where_the_options_say_but_only_in_dots(void **state)
{
	static const struct flt_options cut = {.bytes_max = 8},
					encoded = {.bytes_max = 8, .bytes = FLT_BYTES_BASE64};
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(9), BYTES("123456789", 9), I(99), I(100));
	assert_shows_with(w, &cut, "%evt.arg.data %evt.buffer", "12345... 12345...");
	assert_shows_with(w, &encoded, "%evt.arg.data", "MTIzNDU2Nzg5");
	EVENT(w, 3200, EV_READ_X, I(8), BYTES("12345678", 8), I(99), I(100));
	assert_shows_with(w, &cut, "%evt.arg.data", "12345678");
}

static void long_buffers_are_cut_as_fields_but_not_in_arguments(void **state)
{
	struct world *w = *state;
	char data[3000];
	struct buf out;

	memset(data, 'x', sizeof(data));
	EVENT(w, 3200, EV_READ_X, I(3000), BYTES(data, sizeof(data)), I(99), I(100));
	out = shown(w, NULL, "%evt.buffer", false);
	assert_int_equal(out.len, strlen("kept ") + 1021);
	buf_done(&out);
	out = shown(w, NULL, "%evt.arg.data", false);
	assert_int_equal(out.len, strlen("kept ") + 3000);
	buf_done(&out);
}

static void an_unspecified_end_of_a_mapped_connection_is_ipv4(void **state)
{
	struct bytes mapped = tuple6("::ffff:10.0.0.1", 1, "::", 2);
	struct world *w = *state;

	EVENT(w, 3200, EV_CONNECT_X, I(-2), RAW(mapped), I(77));
	assert_shows(w, "%evt.arg.tuple", "10.0.0.1:1->0.0.0.0:2");
}

static void addresses_cut_short_show_their_family_only(void **state)
{
	static const struct {
		unsigned family;
		size_t addr, tuple; /* smallest sizes that are whole */
	} rows[] = {{1, 2, 17}, {2, 7, 13}, {10, 19, 37}};
	struct world *w = *state;
	uint8_t bytes[40] = {0};
	char expected[32];

	for (size_t r = 0; r < COUNT_OF(rows); r++)
		for (size_t n = 1; n < rows[r].tuple; n++) {
			bytes[0] = (uint8_t)rows[r].family;
			snprintf(expected, sizeof(expected), "family %u", rows[r].family);
			EVENT(w, 3200, EV_CONNECT_X, I(-2), BYTES(bytes, n), I(77));
			assert_shows(w, "%evt.arg.tuple", expected);
			EVENT(w, 3200, EV_BIND_X, I(-2), BYTES(bytes, n), I(77));
			if (n < rows[r].addr)
				assert_shows(w, "%evt.arg.addr", expected);
		}
}

static void results_without_a_name_show_their_number(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_CLOSE_X, I(-126), I(77));
	assert_args(w, "res=-126 fd=77");
	EVENT(w, 3200, EV_CLOSE_X, I(INT64_MIN), I(INT64_MIN));
	assert_args(w, "res=-9223372036854775808 fd=-9223372036854775808");
}

static void numbers_follow_their_print_format(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_BRK_4_X, I(0x7FA69774E000), I(536), I(4), I(0), I(0));
	assert_args(w, "res=7FA69774E000 vm_size=536 vm_rss=4 vm_swap=0 addr=0");
	EVENT(w, 3200, EV_GETRLIMIT_X, I(0), I(8388608), I(-1), I(3));
	assert_args(w, "res=0 cur=8388608 max=-1 resource=3(RLIMIT_STACK)");
	assert_shows(w, "%evt.rawarg.max", "-1");
}

static void generic_events_have_no_arguments_but_a_name(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_GENERIC_X, I(1), I(219));
	assert_shows(w, "*[%evt.args] %evt.type %evt.arg[0] %evt.arg[1] %evt.res %evt.failed",
		     "[] restart_syscall restart_syscall 219 <NA> <NA>");
	/* The name of a number that the table does not have comes from the native one. */
	EVENT(w, 3200, EV_GENERIC_X, I(0), I(219));
	assert_shows(w, "%evt.type", "restart_syscall");
	EVENT(w, 3200, EV_GENERIC_X, I(60000), I(60000));
	assert_shows(w, "%evt.type", "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SHOW_TEST(each_argument_of_an_open_can_be_shown_alone),
	    SHOW_TEST(what_was_not_recorded_shows_as_na_or_null),
	    SHOW_TEST(bytes_that_cannot_be_printed_are_dots_or_base64),
	    SHOW_TEST(conditions_do_not_see_how_bytes_are_shown),
	    SHOW_TEST(bytes_can_be_shown_as_lines),
	    SHOW_TEST(bytes_can_be_shown_in_hexadecimal),
	    SHOW_TEST(buffers_are_cut_where_the_options_say_but_only_in_dots),
	    SHOW_TEST(long_buffers_are_cut_as_fields_but_not_in_arguments),
	    SHOW_TEST(an_unspecified_end_of_a_mapped_connection_is_ipv4),
	    SHOW_TEST(addresses_cut_short_show_their_family_only),
	    SHOW_TEST(results_without_a_name_show_their_number),
	    SHOW_TEST(numbers_follow_their_print_format),
	    SHOW_TEST(generic_events_have_no_arguments_but_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
