/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "engine/filter/fields.h"
#include "engine/filter/tests/show.h"

static int setup(void **state)
{
	show_setup(state);
	EVENT((struct world *)*state, 3200, EV_READ_X, I(2), BYTES("ok", 2), I(3), I(100));
	return 0;
}

/* --- compiling --- */

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

/* Text, JSON and text of the next event by a format of counting fields. */
static void assert_counts(struct world *w, const struct flt_options *opt, const char *expected)
{
	struct flt_program *p;
	struct flt_format *f;
	struct flt_ctx *cx;
	struct buf b = {0};

	assert_int_equal(flt_program_new(opt, &p, NULL), 0);
	assert_int_equal(
	    flt_format_new(p,
			   SV_LIT("%util.cnt %evt.deltatime %join(\",\", (util.cnt, evt.type));"),
			   &f, NULL),
	    0);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	assert_int_equal(flt_ctx_new(p, w->st, &cx, NULL), 0);
	for (int i = 0; i < 2; i++) {
		flt_ctx_event(cx, &w->bind);
		assert_true(flt_format_text(cx, f, &b));
		assert_int_equal(flt_format_json(cx, f, &b), 3);
		world_tick(w);
	}
	assert_string_equal(buf_cstr(&b), expected);
	buf_done(&b);
	flt_ctx_free(cx);
	flt_program_free(p);
}

static void counting_fields_count_once_in_text_and_twice_in_json(void **state)
{
	assert_counts(*state, NULL,
		      "1 0 1,read;\"evt.deltatime\":0,\"evt.type\":\"read\",\"util.cnt\":2"
		      "3 10000000 2,drop;\"evt.deltatime\":0,\"evt.type\":\"drop\",\"util.cnt\":4");
}

static void corrected_counting_fields_count_once_per_event(void **state)
{
	static const struct flt_options corrected = {.corrected = true};

	assert_counts(*state, &corrected,
		      "1 0 1,read;\"evt.deltatime\":0,\"evt.type\":\"read\",\"util.cnt\":1"
		      "2 10000000 2,drop;\"evt.deltatime\":10000000,\"evt.type\":\"drop\","
		      "\"util.cnt\":2");
}

static void a_program_knows_of_which_class_its_fields_are(void **state)
{
	struct flt_program *p;
	struct flt_format *f;

	(void)state;
	assert_int_equal(flt_program_new(NULL, &p, NULL), 0);
	assert_int_equal(flt_format_new(p, SV_LIT("%proc.name"), &f, NULL), 0);
	assert_true(flt_program_asks(p, "process"));
	assert_false(flt_program_asks(p, "container"));
	assert_int_equal(flt_format_new(p, SV_LIT("%toupper(k8s.pod.name)"), &f, NULL), 0);
	assert_true(flt_program_asks(p, "container"));
	flt_program_free(p);
}

/* --- JSON --- */

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
		    "\"evt.arg.name\":\"/\\\"\\\\\\n\\u0001\\u007f\xc3\xa4\xef\xbf\xbd\"");
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

/* All bits set, and ten: the same for all types of one width, but for the sign. */
static const struct {
	unsigned width;
	const char *dec, *hex, *oct, *padded_ten;
} number_texts[] = {
    {1, "255", "FF", "377", "10"},
    {2, "65535", "FFFF", "177777", "10"},
    {4, "4294967295", "FFFFFFFF", "37777777777", "10"},
    {8, "18446744073709551615", "FFFFFFFFFFFFFFFF", "1777777777777777777777", "000000010"},
};

static const struct {
	unsigned type, width;
	bool is_signed;
} number_types[] = {
    {PT_INT8, 1, true},		{PT_INT16, 2, true},	    {PT_INT32, 4, true},
    {PT_INT64, 8, true},	{PT_UINT8, 1, false},	    {PT_UINT16, 2, false},
    {PT_UINT32, 4, false},	{PT_UINT64, 8, false},	    {PT_ERRNO, 8, true},
    {PT_FD, 8, true},		{PT_PID, 8, true},	    {PT_FD32, 4, true},
    {PT_PID32, 4, true},	{PT_SYSCALLID, 2, false},   {PT_SIGTYPE, 1, false},
    {PT_RELTIME, 8, false},	{PT_ABSTIME, 8, false},	    {PT_PORT, 2, false},
    {PT_L4PROTO, 1, false},	{PT_SOCKFAMILY, 1, false},  {PT_FLAGS8, 1, false},
    {PT_FLAGS16, 2, false},	{PT_FLAGS32, 4, false},	    {PT_ENUMFLAGS8, 1, false},
    {PT_ENUMFLAGS16, 2, false}, {PT_ENUMFLAGS32, 4, false}, {PT_UID, 4, false},
    {PT_GID, 4, false},		{PT_MODE, 4, false},	    {PT_SIGSET, 4, false},
};

static void check_number(unsigned type, unsigned format, uint64_t u, const char *text)
{
	const bool plain = format == PF_DEC || format == PF_ID || format == PF_10_PADDED_DEC;
	const bool based = format == PF_HEX || format == PF_OCT;
	const bool quoted =
	    based || (!plain && (type == PT_INT64 || type == PT_PID || type == PT_FD));
	struct flt_value v = {
	    .type = (uint8_t)type, .format = (uint8_t)format, .count = 1, .one.u = u};
	struct flt_ctx cx = {0};
	struct buf b = {0};
	char json[64];

	v.items = &v.one;
	flt_value_text(&cx, &v, &b);
	if (strcmp(buf_cstr(&b), text) != 0)
		fail_msg("type %u in format %u: '%s', not '%s'", type, format, b.p, text);
	/* A padded number has no zeros in JSON. */
	snprintf(json, sizeof(json), quoted ? "\"%s\"" : "%s",
		 format == PF_10_PADDED_DEC ? "10" : text);
	buf_reset(&b);
	flt_value_json(&cx, NULL, &v, &b);
	if (strcmp(buf_cstr(&b), json) != 0)
		fail_msg("type %u in format %u: JSON %s, not %s", type, format, b.p, json);
	buf_done(&b);
}

static void every_numeric_type_prints_in_every_format(void **state)
{
	static const unsigned decimal[] = {PF_NA, PF_DEC, PF_ID, PF_DIR};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(number_types); i++) {
		const unsigned type = number_types[i].type, width = number_types[i].width;
		const uint64_t ones =
		    number_types[i].is_signed || width == 8 ? UINT64_MAX : (1ull << 8 * width) - 1;

		for (size_t k = 0; k < COUNT_OF(number_texts); k++) {
			if (number_texts[k].width != width)
				continue;
			for (size_t n = 0; n < COUNT_OF(decimal); n++)
				check_number(type, decimal[n], ones,
					     number_types[i].is_signed ? "-1"
								       : number_texts[k].dec);
			check_number(type, PF_HEX, ones, number_texts[k].hex);
			check_number(type, PF_OCT, ones, number_texts[k].oct);
			check_number(type, PF_10_PADDED_DEC, 10, number_texts[k].padded_ten);
			check_number(type, PF_HEX, 0, "0");
			check_number(type, PF_OCT, 0, "0");
			check_number(type, PF_DEC, 0, "0");
		}
	}
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

/* --- part by part --- */

static int parts_of(struct world *w, const char *format, struct buf *names, struct buf *texts)
{
	struct flt_program *p;
	struct flt_format *f;
	struct flt_ctx *cx;
	struct flt_part part;
	int rc = 0, absent = 0;

	assert_int_equal(flt_program_new(NULL, &p, NULL), 0);
	assert_int_equal(flt_format_new(p, sv_of(format), &f, NULL), 0);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	assert_int_equal(flt_ctx_new(p, w->st, &cx, NULL), 0);
	flt_ctx_event(cx, &w->bind);
	for (size_t i = 0; rc >= 0 && flt_format_part(f, i, &part); i++) {
		buf_addf(names, "%s%.*s,%u;", part.is_value ? "%" : "", (int)part.text.n,
			 part.text.p, part.width);
		rc = flt_format_part_text(cx, f, i, texts);
		absent += rc == 0;
	}
	assert_false(flt_format_part(f, 1000, &part));
	flt_ctx_free(cx);
	flt_program_free(p);
	return rc < 0 ? rc : absent;
}

static void the_parts_of_a_format_make_up_its_text(void **state)
{
	struct buf names = {0}, texts = {0};
	struct world *w = *state;

	assert_int_equal(
	    parts_of(w, "*a %10proc.name%toupper(proc.name)-%evt.arg.flags.", &names, &texts), 1);
	assert_string_equal(buf_cstr(&names),
			    "a ,0;%proc.name,10;%toupper(proc.name),0;-,0;%evt.arg.flags,0;.,0;");
	assert_string_equal(buf_cstr(&texts), "a bashBASH-.");
	buf_reset(&names);
	buf_reset(&texts);
	assert_int_equal(parts_of(w, "%proc.name %evt.arg.flags", &names, &texts), -1);
	assert_string_equal(buf_cstr(&texts), "bash ");
	buf_done(&names);
	buf_done(&texts);
}

/* --- times --- */

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

static void output_times_are_shown_in_the_form_asked_for(void **state)
{
	static const struct flt_options epoch = {.output_time = FLT_CLOCK_EPOCH},
					relative = {.output_time = FLT_CLOCK_RELATIVE},
					enter = {.output_time = FLT_CLOCK_SINCE_ENTER},
					day = {.tz_offset_s = -3600};
	struct world *w = *state;

	assert_shows_with(w, &day, "%evt.outputtime", "21:13:20.020000000");
	assert_shows_with(w, &epoch, "%evt.outputtime", "1700000000.020000000");
	assert_shows_with(w, &enter, "%evt.outputtime", "0.000000000");
	EVENT(w, 3200, EV_READ_X, I(2), BYTES("ok", 2), I(3), I(100));
	w->bind.ev->ts = state_stats(w->st)->first_event_ts + 12000000345u;
	assert_shows_with(w, &relative, "%evt.outputtime %evt.reltime", "12.000000345 12000000345");
	w->bind.ev->ts = state_stats(w->st)->first_event_ts - 1;
	assert_shows_with(w, &relative, "%evt.outputtime", "-0.000000001");
}

/* Of the events that are shown, wherever they come from. */
static void differences_of_output_times_count_from_the_event_shown_before(void **state)
{
	static const struct flt_options delta = {.output_time = FLT_CLOCK_DELTA};
	static const char *const want[] = {"0.000000000 0.000000000", "1.500000000 1.500000000",
					   "-0.250000000 -0.250000000"};
	static const int64_t steps[] = {0, 1500000000, -250000000};
	struct world *w = *state;
	struct flt_program *p;
	struct flt_format *f;
	struct flt_ctx *cx;
	struct buf out = {0};

	assert_int_equal(flt_program_new(&delta, &p, NULL), 0);
	assert_int_equal(flt_format_new(p, SV_LIT("%evt.outputtime %evt.outputtime"), &f, NULL), 0);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	assert_int_equal(flt_ctx_new(p, w->st, &cx, NULL), 0);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		w->bind.ev->ts += (uint64_t)steps[i];
		flt_ctx_event(cx, &w->bind);
		buf_reset(&out);
		assert_true(flt_format_text(cx, f, &out));
		assert_string_equal(buf_cstr(&out), want[i]);
	}
	buf_done(&out);
	flt_ctx_free(cx);
	flt_program_free(p);
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, show_teardown)

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
	    TEST(counting_fields_count_once_in_text_and_twice_in_json),
	    TEST(corrected_counting_fields_count_once_per_event),
	    cmocka_unit_test(a_program_knows_of_which_class_its_fields_are),
	    TEST(numbers_and_strings_in_json_follow_type_and_format),
	    TEST(octal_and_hexadecimal_are_strings_in_json),
	    TEST(texts_in_json_are_escaped),
	    TEST(an_empty_list_is_null_in_json),
	    cmocka_unit_test(doubles_keep_their_precision_in_json),
	    cmocka_unit_test(integers_are_printed_in_their_format_and_width),
	    cmocka_unit_test(every_numeric_type_prints_in_every_format),
	    cmocka_unit_test(addresses_and_networks_have_texts),
	    cmocka_unit_test(long_lists_are_cut),
	    TEST(times_are_shown_in_the_zone_asked_for),
	    TEST(output_times_are_shown_in_the_form_asked_for),
	    TEST(differences_of_output_times_count_from_the_event_shown_before),
	    TEST(the_parts_of_a_format_make_up_its_text),
	    cmocka_unit_test(dates_are_right_at_the_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
