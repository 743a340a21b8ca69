/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "engine/filter/fields.h"
#include "engine/filter/tests/show.h"

static struct world world;

static int setup(void **state)
{
	*state = &world;
	show_init(&world);
	EVENT(&world, 3200, EV_READ_X, I(2), BYTES("ok", 2), I(3), I(100));
	return 0;
}

static int teardown(void **state)
{
	world_done(*state);
	return 0;
}

/* --- compiling
 * ----------------------------------------------------------------------------------------- */

static void refused(const char *format, const char *expected)
{
	struct flt_program *p;
	struct flt_format *f;
	struct error err = {0};

	assert_int_equal(flt_program_new(NULL, &p, NULL), 0);
	assert_int_equal(flt_format_new(p, sv_of(format), &f, &err), ERR_COMPILE);
	if (!strstr(err.msg, expected))
		fail_msg("'%s' gives '%s', which has no '%s'", format, err.msg, expected);
	flt_program_free(p);
}

static void a_percent_sign_must_start_a_field(void **state)
{
	(void)state;
	refused("%%", "unknown filter: %");
	refused("100% sure", "unknown filter:  sure");
	refused("%nosuch.field", "unknown filter: nosuch.field");
	refused("%nosuch.field", "nonexistent field nosuch.field");
	refused("%evt.arg", "unknown filter:");
	refused("%evt.arg.nosuchparameter", "unknown filter:");
	refused("%toupper(proc.name", "unknown filter:");
	refused("%toupper(proc.pid)", "unknown filter:");
	refused("%static.nosuch", "unknown filter:");
	refused("%proc", "unknown filter:");
	refused("%", "ends in '%'");
	refused("x%", "ends in '%'");
	refused("x%12", "ends in '%WIDTH'");
	refused("%99999999999999999999proc.name", "width");
	refused("", "empty format");
	refused("*", "empty format");
}

static void the_longest_name_wins(void **state)
{
	struct world *w = *state;

	assert_shows(w, "%proc.name.", "bash.");
	assert_shows(w, "%proc.nameX%proc.name)", "bashXbash)");
	assert_shows(w, "%proc.nameand more", "bashand more");
	assert_shows(w, "%evt.argsx", "res=2 data=ok fd=3(<f>/etc/ld.so.cache) size=100x");
	assert_shows(w, "%proc.aname[1]%proc.aname[x]", "sshdsshd systemd[x]");
	assert_shows(w, "%proc.name[1]", "bash[1]");
	assert_shows(w, "%evt.arg.data.%evt.arg.dataX", "ok.okX");
	assert_shows(w, "%evt.arg.res[0]", "2[0]");
	assert_shows(w, "%proc.name(x)", "bash(x)");
	assert_shows(w, "%evt.type.is.nothing", "read.is.nothing");
}

static void widths_pad_and_cut(void **state)
{
	struct world *w = *state;

	assert_shows(w, "[%8proc.name][%2proc.name][%0proc.name][%4proc.name]",
		     "[bash    ][ba][bash][bash]");
	assert_shows(w, "*[%6evt.asynctype][%1evt.asynctype]", "[<NA>  ][<]");
	assert_shows(w, "%3evt.count|", "1  |");
}

static void absent_fields_suppress_the_line_unless_it_starts_with_a_star(void **state)
{
	struct world *w = *state;

	assert_shows(w, "a %proc.name %evt.asynctype", "(suppressed)");
	assert_shows(w, "*a %proc.name %evt.asynctype", "a bash <NA>");
	assert_shows(w, "a*%proc.name", "a*bash");
	assert_json(w, "%proc.name %evt.asynctype", "(suppressed)");
	assert_json(w, "*%proc.name %evt.asynctype",
		    "\"evt.asynctype\":null,\"proc.name\":\"bash\"");
}

static void transformers_show_in_text_and_their_fields_in_json(void **state)
{
	struct world *w = *state;

	assert_shows(w, "%toupper(proc.name) %len(proc.name)", "BASH 4");
	assert_shows(w, "%join(\",\", (proc.name, evt.type))!", "bash,read!");
	assert_json(w, "%toupper(proc.name) %evt.type %join(\",\", (proc.name, evt.type))",
		    "\"evt.type\":\"read\",\"proc.name\":\"bash\"");
}

static void static_fields_come_from_the_options(void **state)
{
	static const struct flt_static statics[] = {
	    {"site", "lab \"7\""}, {"a.b", ""}, {NULL, NULL}};
	static const struct flt_options opt = {.statics = statics};
	struct world *w = *state;
	struct buf out;

	assert_shows_with(w, &opt, "%static.site|%static.a.b|%static.siteX",
			  "lab \"7\"||lab \"7\"X");
	out = shown(w, &opt, "%static.site", true);
	assert_string_equal(out.p, "kept \"static.site\":\"lab \\\"7\\\"\"");
	buf_done(&out);
}

static void field_names_come_in_key_order_and_once(void **state)
{
	const struct sv *names;
	struct flt_program *p;
	struct flt_format *f;

	(void)state;
	assert_int_equal(flt_program_new(NULL, &p, NULL), 0);
	assert_int_equal(
	    flt_format_new(p, SV_LIT("%proc.name %evt.type %proc.name %proc.env[HOME]"), &f, NULL),
	    0);
	assert_int_equal(flt_format_fields(f, &names), 3);
	assert_sv(names[0], "evt.type");
	assert_sv(names[1], "proc.env[HOME]");
	assert_sv(names[2], "proc.name");
	assert_int_equal(flt_format_new(p, SV_LIT("no fields"), &f, NULL), 0);
	assert_int_equal(flt_format_fields(f, &names), 0);
	flt_program_free(p);
}

static void a_format_without_fields_is_its_text(void **state)
{
	struct world *w = *state;

	assert_shows(w, "just text", "just text");
	assert_json(w, "just text", "");
}

static void counting_fields_count_once_per_event(void **state)
{
	struct world *w = *state;
	struct flt_program *p;
	struct flt_format *f;
	struct flt_ctx *cx;
	struct buf b = {0};

	assert_int_equal(flt_program_new(NULL, &p, NULL), 0);
	assert_int_equal(
	    flt_format_new(p,
			   SV_LIT("%util.cnt %evt.deltatime %join(\",\", (util.cnt, evt.type));"),
			   &f, NULL),
	    0);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	assert_int_equal(flt_ctx_new(p, w->st, &cx, NULL), 0);
	flt_ctx_event(cx, &w->bind);
	assert_true(flt_format_text(cx, f, &b));
	assert_int_equal(flt_format_json(cx, f, &b), 3);
	world_tick(w);
	flt_ctx_event(cx, &w->bind);
	assert_true(flt_format_text(cx, f, &b));
	assert_string_equal(buf_cstr(&b),
			    "1 0 1,read;\"evt.deltatime\":0,\"evt.type\":\"read\",\"util.cnt\":1"
			    "2 10000000 2,drop;");
	buf_done(&b);
	flt_ctx_free(cx);
	flt_program_free(p);
}

/* --- JSON
 * ---------------------------------------------------------------------------------------------- */

static void numbers_and_strings_in_json_follow_type_and_format(void **state)
{
	struct world *w = *state;

	assert_json(w, "%evt.num %evt.time %evt.rawtime.ns %evt.reltime %evt.count %evt.failed",
		    "\"evt.count\":1,\"evt.failed\":false,\"evt.num\":2,"
		    "\"evt.rawtime.ns\":20000000,\"evt.reltime\":0,"
		    "\"evt.time\":1700000000020000000");
	assert_json(w, "%fd.dev %fd.dev.major %fd.num %proc.fdusage %proc.loginshellid",
		    "\"fd.dev\":\"0\",\"fd.dev.major\":0,\"fd.num\":3,\"proc.fdusage\":0.09765625,"
		    "\"proc.loginshellid\":3200");
	assert_json(w, "%fd.types %evt.rawarg.res %evt.rawarg.data %evt.cpu %user.loginuid",
		    "\"evt.cpu\":0,\"evt.rawarg.data\":\"ok\",\"evt.rawarg.res\":2,"
		    "\"fd.types\":[\"file\"],\"user.loginuid\":-1");
	assert_shows(w, "%fd.types %proc.fdusage %evt.reltime %evt.rawtime.ns %evt.reltime.s",
		     "(file) 0.1 000000000 020000000 0");
}

static void octal_and_hexadecimal_are_strings_in_json(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_OPEN_X, I(-2), S("/x"), I(4097), I(0644), I(0xfd01), I(1));
	assert_json(w, "%evt.rawarg.flags %evt.rawarg.mode %evt.rawarg.dev %evt.rawarg.ino",
		    "\"evt.rawarg.dev\":\"FD01\",\"evt.rawarg.flags\":\"1001\","
		    "\"evt.rawarg.ino\":1,\"evt.rawarg.mode\":\"644\"");
}

static void texts_in_json_are_escaped(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_OPEN_X, I(-2), S("/\"\\\n\x01\x7f\xc3\xa4\xff"), I(1), I(0));
	assert_json(w, "%evt.arg.name",
		    "\"evt.arg.name\":\"/\\\"\\\\\\n\\u0001\x7f\xc3\xa4\xef\xbf\xbd\"");
}

static void an_empty_list_is_null_in_json(void **state)
{
	struct world *w = *state;

	show_thread(w, 5000, 3200, "idle", SV_LIT(""));
	EVENT(w, 5000, EV_READ_X, I(0), NONE, I(3), I(100));
	assert_json(w, "%fd.types", "\"fd.types\":null");
	assert_shows(w, "%fd.types", "()");
}

static void doubles_keep_their_precision_in_json(void **state)
{
	static const struct {
		double d;
		const char *text, *json;
	} rows[] = {{0, "0.0", "0.0"},		 {0.5859375, "0.6", "0.5859375"},
		    {100, "100.0", "100.0"},	 {1e300, NULL, "1.0000000000000001e+300"},
		    {(double)NAN, NULL, "null"}, {(double)INFINITY, NULL, "null"}};
	struct flt_ctx cx = {0};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct flt_value v = {.type = PT_DOUBLE, .count = 1, .one.d = rows[i].d};

		v.items = &v.one;
		buf_reset(&b);
		flt_value_json(&cx, NULL, &v, &b);
		assert_string_equal(buf_cstr(&b), rows[i].json);
		buf_reset(&b);
		flt_value_text(&cx, &v, &b);
		if (rows[i].text)
			assert_string_equal(buf_cstr(&b), rows[i].text);
	}
	buf_done(&b);
}

static void integers_are_printed_in_their_format_and_width(void **state)
{
	static const struct {
		unsigned type, format;
		int64_t v;
		const char *text, *json;
	} rows[] = {
	    {PT_INT64, PF_DEC, -5, "-5", "-5"},
	    {PT_INT64, PF_ID, INT64_MIN, "-9223372036854775808", "-9223372036854775808"},
	    {PT_INT64, PF_HEX, -1, "FFFFFFFFFFFFFFFF", "\"FFFFFFFFFFFFFFFF\""},
	    {PT_INT64, PF_NA, 7, "7", "\"7\""},
	    {PT_INT32, PF_HEX, -1, "FFFFFFFF", "\"FFFFFFFF\""},
	    {PT_INT8, PF_OCT, -1, "377", "\"377\""},
	    {PT_UINT32, PF_OCT, 0644, "644", "\"644\""},
	    {PT_UINT64, PF_DEC, -1, "18446744073709551615", "18446744073709551615"},
	    {PT_RELTIME, PF_10_PADDED_DEC, 1000, "000001000", "1000"},
	    {PT_UINT32, PF_10_PADDED_DEC, 1000, "1000", "1000"},
	    {PT_UID, PF_ID, UINT32_MAX, "4294967295", "4294967295"},
	    {PT_PORT, PF_DEC, 443, "443", "443"},
	    {PT_ERRNO, PF_DEC, -2, "-2", "-2"},
	    {PT_PID, PF_NA, 1, "1", "\"1\""},
	    {PT_BOOL, PF_NA, 1, "true", "true"},
	    {PT_BOOL, PF_DEC, 0, "false", "false"},
	};
	struct flt_ctx cx = {0};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct flt_value v = {.type = (uint8_t)rows[i].type,
				      .format = (uint8_t)rows[i].format,
				      .count = 1,
				      .one.i = rows[i].v};

		v.items = &v.one;
		buf_reset(&b);
		flt_value_text(&cx, &v, &b);
		assert_string_equal(buf_cstr(&b), rows[i].text);
		buf_reset(&b);
		flt_value_json(&cx, NULL, &v, &b);
		assert_string_equal(buf_cstr(&b), rows[i].json);
	}
	buf_done(&b);
}

static void addresses_and_networks_have_texts(void **state)
{
	static const char v6[16] = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x05";
	struct flt_value v = {.type = PT_IPADDR, .count = 1};
	struct flt_ctx cx = {0};
	struct buf b = {0};

	(void)state;
	v.items = &v.one;
	v.one = (struct flt_datum){.p = "\x7f\0\0\x01", .n = 4};
	flt_value_text(&cx, &v, &b);
	buf_char(&b, ' ');
	v.one = (struct flt_datum){.p = v6, .n = 16};
	flt_value_text(&cx, &v, &b);
	buf_char(&b, ' ');
	flt_value_json(&cx, NULL, &v, &b);
	buf_char(&b, ' ');
	v.one.n = 5;
	flt_value_text(&cx, &v, &b);
	v.type = PT_IPNET;
	flt_value_text(&cx, &v, &b);
	assert_string_equal(buf_cstr(&b), "127.0.0.1 2001:db8::5 \"2001:db8::5\" <IPNET>");
	buf_done(&b);
}

static void long_lists_are_cut(void **state)
{
	struct flt_datum items[300];
	struct flt_value v = {
	    .type = PT_CHARBUF, .match = FLT_MATCH_LIST, .count = COUNT_OF(items), .items = items};
	struct flt_ctx cx = {0};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(items); i++)
		items[i] = (struct flt_datum){.p = "abcd\0x", .n = 6};
	flt_value_text(&cx, &v, &b);
	assert_int_equal(b.len, 1023);
	assert_memory_equal(b.p, "(abcd,abcd,", 11);
	buf_done(&b);
}

/* --- times
 * --------------------------------------------------------------------------------------------- */

static void times_are_shown_in_the_zone_asked_for(void **state)
{
	static const struct flt_options berlin = {.tz_offset_s = 7200},
					west = {.tz_offset_s = -45000};
	struct world *w = *state;

	assert_shows(w, "%evt.time|%evt.time.s|%evt.datetime|%evt.datetime.s|%evt.outputtime",
		     "22:13:20.020000000|22:13:20|2023-11-14 22:13:20.020000000|2023-11-14 "
		     "22:13:20|22:13:20.020000000");
	assert_shows(w, "%evt.time.iso8601", "2023-11-14T22:13:20.020000000+0000");
	assert_shows_with(
	    w, &berlin, "%evt.time|%evt.datetime.s|%evt.time.iso8601",
	    "00:13:20.020000000|2023-11-15 00:13:20|2023-11-14T22:13:20.020000000+0000");
	assert_shows_with(w, &west, "%evt.datetime", "2023-11-14 09:43:20.020000000");
}

static void dates_are_right_at_the_edges(void **state)
{
	static const struct {
		uint64_t s;
		const char *text;
	} rows[] = {
	    {0, "1970-01-01T00:00:00.000000007"},
	    {951782399, "2000-02-28T23:59:59.000000007"},
	    {951782400, "2000-02-29T00:00:00.000000007"},
	    {951868800, "2000-03-01T00:00:00.000000007"},
	    {1709164800, "2024-02-29T00:00:00.000000007"},
	    {1735689599, "2024-12-31T23:59:59.000000007"},
	    {4107542400, "2100-03-01T00:00:00.000000007"},
	    {18446744073, "2554-07-21T23:34:33.000000007"},
	};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		buf_reset(&b);
		flt_time_iso8601(&b, rows[i].s * 1000000000u + 7);
		assert_string_equal(buf_cstr(&b), rows[i].text);
	}
	buf_reset(&b);
	flt_time_of_day(&b, 1, -1);
	assert_string_equal(buf_cstr(&b), "23:59:59.000000001");
	buf_reset(&b);
	flt_time_date(&b, 1, -1);
	assert_string_equal(buf_cstr(&b), "1969-12-31 23:59:59");
	buf_done(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_percent_sign_must_start_a_field),
	    TEST(the_longest_name_wins),
	    TEST(widths_pad_and_cut),
	    TEST(absent_fields_suppress_the_line_unless_it_starts_with_a_star),
	    TEST(transformers_show_in_text_and_their_fields_in_json),
	    TEST(static_fields_come_from_the_options),
	    cmocka_unit_test(field_names_come_in_key_order_and_once),
	    TEST(a_format_without_fields_is_its_text),
	    TEST(counting_fields_count_once_per_event),
	    TEST(numbers_and_strings_in_json_follow_type_and_format),
	    TEST(octal_and_hexadecimal_are_strings_in_json),
	    TEST(texts_in_json_are_escaped),
	    TEST(an_empty_list_is_null_in_json),
	    cmocka_unit_test(doubles_keep_their_precision_in_json),
	    cmocka_unit_test(integers_are_printed_in_their_format_and_width),
	    cmocka_unit_test(addresses_and_networks_have_texts),
	    cmocka_unit_test(long_lists_are_cut),
	    TEST(times_are_shown_in_the_zone_asked_for),
	    cmocka_unit_test(dates_are_right_at_the_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
