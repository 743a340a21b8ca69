/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fnmatch.h>
#include <stdio.h>

#include "engine/filter/compare.h"
#include "engine/filter/getopt.h"
#include "engine/filter/glob.h"
#include "engine/filter/pmatch.h"
#include "engine/filter/regex.h"

static struct flt_datum text(const char *s)
{
	return (struct flt_datum){.p = s, .n = strlen(s)};
}

/* --- constants --- */

static struct flt_const constant(unsigned type, const char *s)
{
	struct error err;
	struct flt_const c;

	if (flt_const_parse(&c, type, sv_of(s), &err) < 0)
		fail_msg("type %u refuses '%s': %s", type, s, err.msg);
	return c;
}

static void refuses(unsigned type, const char *s)
{
	struct error err = {0};
	struct flt_const c;

	if (flt_const_parse(&c, type, sv_of(s), &err) != ERR_COMPILE || !err.msg[0])
		fail_msg("type %u takes '%s'", type, s);
}

static void integers_are_read_as_scanf_does(void **state)
{
	(void)state;
	assert_int_equal(constant(PT_INT64, "42").value.i, 42);
	assert_int_equal(constant(PT_INT64, " \t\v-42").value.i, -42);
	assert_int_equal(constant(PT_INT64, "+7").value.i, 7);
	assert_int_equal(constant(PT_INT64, "9223372036854775808").value.i, INT64_MAX);
	assert_int_equal(constant(PT_INT64, "-99999999999999999999").value.i, INT64_MIN);
	assert_true(constant(PT_UINT64, "-1").value.u == UINT64_MAX);
	assert_true(constant(PT_UINT64, "99999999999999999999").value.u == UINT64_MAX);
	assert_int_equal(constant(PT_UINT32, "-1").value.u, UINT32_MAX);
	assert_int_equal(constant(PT_UINT32, "4294967297").value.u, 1);
	assert_int_equal(constant(PT_INT32, "4294967295").value.i, -1);
	assert_int_equal(constant(PT_UINT8, "257").value.u, 1);
	assert_int_equal(constant(PT_INT8, "255").value.i, -1);
	assert_int_equal(constant(PT_INT16, "65537").value.i, 1);
	assert_int_equal(constant(PT_FLAGS16, "65537").value.u, 1);
	assert_int_equal(constant(PT_ERRNO, "-2").value.i, -2);
	assert_true(constant(PT_DOUBLE, "-3").value.d == -3.0);
	refuses(PT_INT64, "");
	refuses(PT_INT64, "-");
	refuses(PT_INT64, "1 ");
	refuses(PT_INT64, "0x10");
	refuses(PT_INT64, "1.5");
	refuses(PT_INT64, "1e+5");
	refuses(PT_DOUBLE, "1.5");
	refuses(PT_RELTIME, "5s");
}

static void other_constants_are_checked_by_type(void **state)
{
	struct flt_const c;
	char longest[FLT_CONSTANT_MAX + 2];
	struct error err;

	(void)state;
	assert_int_equal(constant(PT_BOOL, "true").value.u, 1);
	assert_int_equal(constant(PT_BOOL, "false").value.u, 0);
	refuses(PT_BOOL, "TRUE");
	refuses(PT_BOOL, "1");
	assert_int_equal(constant(PT_PORT, "443").value.u, 443);
	assert_int_equal(constant(PT_PORT, "").value.u, 0);
	refuses(PT_PORT, "65536");
	refuses(PT_PORT, "no-such-service");
	refuses(PT_PORT, "-1");
	assert_int_equal(constant(PT_IPADDR, "10.0.0.1").value.n, 4);
	assert_int_equal(constant(PT_IPADDR, "::1").value.n, 16);
	refuses(PT_IPADDR, "::ffff:1.2.3.4");
	refuses(PT_IPADDR, "10.0.1");
	refuses(PT_IPADDR, "010.0.0.256");
	refuses(PT_IPADDR, "localhost");
	assert_int_equal(constant(PT_IPNET, "10.0.0.1/0").prefix, 0);
	assert_int_equal(constant(PT_IPNET, "fe80::/128").prefix, 128);
	refuses(PT_IPNET, "10.0.0.0");
	refuses(PT_IPNET, "10.0.0.0/33");
	refuses(PT_IPNET, "10.0.0.0/x");
	refuses(PT_IPNET, "10.0.0.0/");
	refuses(PT_IPNET, "::/0");
	refuses(PT_IPNET, "::/129");
	refuses(PT_SOCKTUPLE, "x");
	memset(longest, 'x', sizeof(longest));
	longest[FLT_CONSTANT_MAX] = '\0';
	assert_int_equal(constant(PT_CHARBUF, longest).value.n, FLT_CONSTANT_MAX);
	longest[FLT_CONSTANT_MAX] = 'x';
	longest[FLT_CONSTANT_MAX + 1] = '\0';
	refuses(PT_CHARBUF, longest);
	refuses(PT_BYTEBUF, longest);
	assert_int_equal(flt_const_parse(&c, PT_CHARBUF, sv_make("a\0b", 3), &err), ERR_COMPILE);
	assert_int_equal(flt_const_parse(&c, PT_BYTEBUF, sv_make("a\0b", 3), &err), 0);
}

static void hex_constants_have_an_even_number_of_digits(void **state)
{
	struct arena arena = {0};
	struct flt_const c;
	struct error err;

	(void)state;
	assert_int_equal(flt_const_parse_hex(&c, SV_LIT("00fFA1"), &arena, &err), 0);
	assert_int_equal(c.value.n, 3);
	assert_memory_equal(c.value.p, "\x00\xff\xa1", 3);
	assert_int_equal(flt_const_parse_hex(&c, SV_LIT(""), &arena, &err), 0);
	assert_int_equal(flt_const_parse_hex(&c, SV_LIT("123"), &arena, &err), ERR_COMPILE);
	assert_int_equal(flt_const_parse_hex(&c, SV_LIT("12zz"), &arena, &err), ERR_COMPILE);
	arena_done(&arena);
}

/* --- comparing --- */

static bool compare_datum(unsigned type, struct flt_datum v, enum flt_op op, const char *want,
			  bool whole)
{
	flt_compare_fn fn = flt_compare_find(flt_type_class(type), op, whole);
	struct flt_const c = {.value = text(want), .text = sv_of(want)};
	struct flt_ctx cx = {.epoch = 1};
	struct flt_const converted;
	bool result;
	char why[64];

	assert_non_null(fn);
	if (op == FLT_OP_REGEX) {
		struct flt_regex *re = flt_regex_new(want, strlen(want), why, sizeof(why));

		assert_non_null(re);
		c.regex = re;
		result = fn(&cx, &v, &c);
		flt_regex_free(re);
	} else if (flt_const_parse(&converted, type, sv_of(want), NULL) == 0) {
		result = fn(&cx, &v, &converted);
	} else {
		result = fn(&cx, &v, &c);
	}
	buf_done(&cx.text);
	return result;
}

static bool compare_text(const char *value, enum flt_op op, const char *want)
{
	return compare_datum(PT_CHARBUF, text(value), op, want, false);
}

static void texts_compare_as_c_strings(void **state)
{
	(void)state;
	assert_true(compare_text("abc", FLT_OP_EQ, "abc"));
	assert_false(compare_text("abc", FLT_OP_EQ, "ab"));
	assert_false(compare_text("ab", FLT_OP_EQ, "abc"));
	assert_false(compare_text("abc", FLT_OP_EQ, "ABC"));
	assert_true(compare_text("", FLT_OP_EQ, ""));
	assert_true(compare_text("abc", FLT_OP_NE, "abd"));
	assert_true(compare_text("10", FLT_OP_LT, "9"));
	assert_true(compare_text("a", FLT_OP_LE, "a"));
	assert_true(compare_text("b", FLT_OP_GT, "a"));
	assert_false(compare_text("a", FLT_OP_GE, "b"));
	assert_true(compare_text("abcd", FLT_OP_CONTAINS, "bc"));
	assert_true(compare_text("abcd", FLT_OP_CONTAINS, ""));
	assert_true(compare_text("/a/.ssh/b", FLT_OP_CONTAINS, "/.ssh/"));
	assert_true(compare_text("/.ssh/", FLT_OP_CONTAINS, "/.ssh/"));
	assert_false(compare_text("x.ssh/.ss", FLT_OP_CONTAINS, "/.ssh/"));
	assert_true(compare_text("a/", FLT_OP_CONTAINS, "/"));
	assert_false(compare_text("abcd", FLT_OP_CONTAINS, "BC"));
	assert_false(compare_text("", FLT_OP_CONTAINS, "a"));
	assert_true(compare_text("aBCd", FLT_OP_ICONTAINS, "bcD"));
	assert_true(compare_text("", FLT_OP_ICONTAINS, ""));
	assert_false(compare_text("aBC", FLT_OP_ICONTAINS, "bcd"));
	assert_false(compare_text("a\xc4z", FLT_OP_ICONTAINS, "\xe4"));
	assert_true(compare_text("abc", FLT_OP_STARTSWITH, "ab"));
	assert_true(compare_text("abc", FLT_OP_STARTSWITH, ""));
	assert_false(compare_text("ab", FLT_OP_STARTSWITH, "abc"));
	assert_true(compare_text("abc", FLT_OP_ENDSWITH, "bc"));
	assert_true(compare_text("abc", FLT_OP_ENDSWITH, ""));
	assert_false(compare_text("abc", FLT_OP_ENDSWITH, "ab"));
}

static void parts_are_found_anywhere_in_long_texts(void **state)
{
	char long_text[2 * 300 + 1];

	(void)state;
	for (size_t n = 1; n < sizeof(long_text); n += 37) {
		memset(long_text, 'a', n);
		long_text[n] = '\0';
		assert_false(compare_text(long_text, FLT_OP_CONTAINS, "ab"));
		for (size_t at = 0; at < n; at += 5) {
			long_text[at] = 'b';
			assert_true(compare_text(long_text, FLT_OP_CONTAINS, "b"));
			assert_int_equal(compare_text(long_text, FLT_OP_CONTAINS, "ab"), at > 0);
			assert_int_equal(compare_text(long_text, FLT_OP_CONTAINS, "ba"),
					 at + 1 < n);
			long_text[at] = 'a';
		}
	}
}

static void a_nul_byte_ends_a_text_for_most_operators(void **state)
{
	struct flt_datum v = {.p = "ab\0cd", .n = 5}, padded = {.p = "ab\0\0", .n = 4};

	(void)state;
	assert_true(compare_datum(PT_CHARBUF, v, FLT_OP_EQ, "ab", false));
	assert_false(compare_datum(PT_CHARBUF, v, FLT_OP_NE, "ab", false));
	assert_false(compare_datum(PT_CHARBUF, v, FLT_OP_CONTAINS, "cd", false));
	assert_false(compare_datum(PT_CHARBUF, v, FLT_OP_ICONTAINS, "cd", false));
	assert_true(compare_datum(PT_CHARBUF, v, FLT_OP_ENDSWITH, "b", false));
	assert_false(compare_datum(PT_CHARBUF, v, FLT_OP_ENDSWITH, "cd", false));
	assert_true(compare_datum(PT_CHARBUF, v, FLT_OP_GLOB, "?b", false));
	assert_true(compare_datum(PT_CHARBUF, v, FLT_OP_LE, "ab", false));
	assert_false(compare_datum(PT_CHARBUF, v, FLT_OP_IN, "ab", false));
	assert_false(compare_datum(PT_CHARBUF, v, FLT_OP_EQ, "ab", true));
	assert_true(compare_datum(PT_CHARBUF, v, FLT_OP_NE, "ab", true));
	assert_false(compare_datum(PT_CHARBUF, v, FLT_OP_REGEX, "ab", false));
	assert_true(compare_datum(PT_CHARBUF, padded, FLT_OP_IN, "ab", false));
	assert_true(compare_datum(PT_CHARBUF, padded, FLT_OP_EQ, "ab", true));
	assert_true(compare_datum(PT_CHARBUF, padded, FLT_OP_REGEX, "ab", false));
}

static void numbers_compare_in_their_own_signedness(void **state)
{
	static const struct {
		enum flt_op op;
		bool less, equal, greater;
	} ops[] = {
	    {FLT_OP_EQ, false, true, false}, {FLT_OP_NE, true, false, true},
	    {FLT_OP_LT, true, false, false}, {FLT_OP_LE, true, true, false},
	    {FLT_OP_GT, false, false, true}, {FLT_OP_GE, false, true, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ops); i++) {
		enum flt_op op = ops[i].op;

		assert_int_equal(
		    compare_datum(PT_INT64, (struct flt_datum){.i = -1}, op, "0", false),
		    ops[i].less);
		assert_int_equal(compare_datum(PT_FD, (struct flt_datum){.i = -1}, op, "-1", false),
				 ops[i].equal);
		assert_int_equal(
		    compare_datum(PT_UINT64, (struct flt_datum){.u = UINT64_MAX}, op, "0", false),
		    ops[i].greater);
		assert_int_equal(
		    compare_datum(PT_UINT32, (struct flt_datum){.u = UINT32_MAX}, op, "-1", false),
		    ops[i].equal);
		assert_int_equal(
		    compare_datum(PT_DOUBLE, (struct flt_datum){.d = 0.5}, op, "1", false),
		    ops[i].less);
	}
	assert_true(compare_datum(PT_BOOL, (struct flt_datum){.u = 1}, FLT_OP_EQ, "true", false));
	assert_true(compare_datum(PT_BOOL, (struct flt_datum){.u = 0}, FLT_OP_NE, "true", false));
	assert_null(flt_compare_find(FLT_CLASS_BOOL, FLT_OP_LT, false));
}

static void buffers_know_their_length(void **state)
{
	struct flt_datum v = {.p = "a\0b", .n = 3};

	(void)state;
	assert_false(compare_datum(PT_BYTEBUF, v, FLT_OP_EQ, "a", false));
	assert_true(compare_datum(PT_BYTEBUF, v, FLT_OP_NE, "a", false));
	assert_true(compare_datum(PT_BYTEBUF, v, FLT_OP_CONTAINS, "b", false));
	assert_true(compare_datum(PT_BYTEBUF, v, FLT_OP_BCONTAINS, "b", false));
	assert_true(compare_datum(PT_BYTEBUF, v, FLT_OP_STARTSWITH, "a", false));
	assert_false(compare_datum(PT_BYTEBUF, v, FLT_OP_BSTARTSWITH, "b", false));
	assert_null(flt_compare_find(FLT_CLASS_BYTES, FLT_OP_ENDSWITH, false));
}

static void addresses_of_different_families_never_match(void **state)
{
	static const char v4[] = {10, 0, 0, 1},
			  v6[16] = {[10] = -1, [11] = -1, [12] = 10, [15] = 1};
	struct flt_datum a = {.p = v4, .n = 4}, b = {.p = v6, .n = 16};

	(void)state;
	assert_true(compare_datum(PT_IPADDR, a, FLT_OP_EQ, "10.0.0.1", false));
	assert_false(compare_datum(PT_IPADDR, b, FLT_OP_EQ, "10.0.0.1", false));
	assert_true(compare_datum(PT_IPADDR, b, FLT_OP_NE, "10.0.0.1", false));
	assert_true(compare_datum(PT_IPADDR, b, FLT_OP_IN, "::ffff:a00:1", false));
	assert_true(compare_datum(PT_IPNET, a, FLT_OP_EQ, "10.9.9.9/8", false));
	assert_true(compare_datum(PT_IPNET, a, FLT_OP_EQ, "0.0.0.0/0", false));
	assert_true(compare_datum(PT_IPNET, a, FLT_OP_EQ, "10.0.0.0/31", false));
	assert_false(compare_datum(PT_IPNET, a, FLT_OP_EQ, "10.0.0.0/32", false));
	assert_true(compare_datum(PT_IPNET, a, FLT_OP_NE, "10.0.0.2/31", false));
	assert_true(compare_datum(PT_IPNET, a, FLT_OP_NE, "::/1", false));
	assert_true(compare_datum(PT_IPNET, b, FLT_OP_IN, "::ffff:0:0/96", false));
	assert_false(compare_datum(PT_IPNET, b, FLT_OP_IN, "::ffff:b00:0/104", false));
}

/* --- glob --- */

static bool glob(const char *pattern, const char *s)
{
	return flt_glob_matches(sv_of(pattern), sv_of(s), false);
}

static void globs_match_as_fnmatch_without_flags(void **state)
{
	(void)state;
	assert_true(glob("*.log", "/var/.x/a.log"));
	assert_true(glob("/var/?ib", "/var/lib"));
	assert_true(glob("a?c", "a/c"));
	assert_true(glob("*", ""));
	assert_false(glob("?", ""));
	assert_false(glob("abc", "abcd"));
	assert_true(glob("[!a-c]x", "dx"));
	assert_false(glob("[^a-c]x", "bx"));
	assert_true(glob("[[:digit:][:upper:]]", "Q"));
	assert_true(glob("[]a]", "]"));
	assert_true(glob("[a", "[a"));
	assert_true(glob("\\*", "*"));
	assert_false(glob("\\*", "x"));
	assert_false(glob("x\\", "x\\"));
	assert_true(flt_glob_matches(SV_LIT("*.LOG"), SV_LIT("a.log"), true));
	assert_true(flt_glob_matches(SV_LIT("[A-C]"), SV_LIT("b"), true));
	assert_false(flt_glob_matches(SV_LIT("*.LOG"), SV_LIT("a.log"), false));
}

/* Concatenate up to five random ones of @parts. */
static void random_words(uint32_t *rng, const char *const *parts, size_t count, char *out)
{
	out[0] = '\0';
	*rng = *rng * 1664525 + 1013904223;
	for (uint32_t n = (*rng >> 24) % 6; n; n--) {
		*rng = *rng * 1664525 + 1013904223;
		strcat(out, parts[(*rng >> 16) % count]);
	}
}

static void globs_agree_with_the_c_library_on_random_patterns(void **state)
{
	static const char *const patterns[] = {
	    "*",
	    "*",
	    "*",
	    "?",
	    "a",
	    "B",
	    "/",
	    ".",
	    "-",
	    "]",
	    "!",
	    "\\*",
	    "\\a",
	    "[ab]",
	    "[!ab]",
	    "[^B]",
	    "[a-c]",
	    "[]a]",
	    "[!]a]",
	    "[a-]",
	    "[-a]",
	    "[\\]]",
	    "[\\--/]",
	    "[[:alpha:]]",
	    "[[:punct:]x]",
	    "[![:upper:]]",
	    "[[.-.]]",
	    "[[=a=]B]",
	    "[*?]",
	    "[b-a]",
	    "[/]",
	};
	static const char *const texts[] = {"a", "b", "B", "c", "/",  ".",
					    "-", "]", "[", "*", "\\", "!"};
	char pattern[128], value[128];
	uint32_t rng = 7;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		int flags = i % 2 ? FNM_CASEFOLD : 0;

		random_words(&rng, patterns, COUNT_OF(patterns), pattern);
		random_words(&rng, texts, COUNT_OF(texts), value);
		if (flt_glob_matches(sv_of(pattern), sv_of(value), flags != 0) !=
		    (fnmatch(pattern, value, flags) == 0))
			fail_msg("pattern '%s', text '%s', flags %d: the C library says %d",
				 pattern, value, flags, fnmatch(pattern, value, flags) == 0);
	}
}

static void hostile_globs_take_little_time(void **state)
{
	struct buf pattern = {0}, value = {0};

	(void)state;
	for (int i = 0; i < 60; i++)
		buf_lit(&pattern, "*a");
	buf_lit(&pattern, "b");
	for (int i = 0; i < 60000; i++)
		buf_lit(&value, "a");
	assert_false(flt_glob_matches(buf_view(&pattern), buf_view(&value), false));
	buf_done(&pattern);
	buf_done(&value);
}

/* --- regex --- */

static bool regex(const char *pattern, const char *s)
{
	return compare_text(s, FLT_OP_REGEX, pattern);
}

static void no_regex(const char *pattern)
{
	char why[128];

	if (flt_regex_new(pattern, strlen(pattern), why, sizeof(why)) || !why[0])
		fail_msg("'%s' compiles", pattern);
}

static void regular_expressions_are_posix_and_match_whole_values(void **state)
{
	(void)state;
	assert_true(regex("a.c", "abc"));
	assert_false(regex("b", "abc"));
	assert_true(regex(".*b.*", "abc"));
	assert_true(regex("(foo|bar){2}", "foobar"));
	assert_true(regex("[[:alpha:]]+", "abc"));
	assert_false(regex("a.c", "a\nc"));
	assert_true(regex("a[^x]c", "a\nc"));
	assert_true(regex("a\n^b$", "a\nb"));
	assert_true(regex("a*?", ""));
	assert_true(regex("a\\tb\\x41", "a\tbA"));
	assert_true(regex("a\\.b\\/", "a.b/"));
	assert_true(regex("a{1000}|x", "x"));
	no_regex("\\d");
	no_regex("\\w");
	no_regex("\\s");
	no_regex("\\bx");
	no_regex("\\Ax");
	no_regex("\\pL");
	no_regex("(?i)x");
	no_regex("(?:x)");
	no_regex("a{1001}");
	no_regex("(");
	no_regex("a\xff");
}

static void invalid_utf8_in_values_becomes_replacement_characters(void **state)
{
	struct buf tmp = {0};
	struct sv s;

	(void)state;
	assert_true(regex("/p./q.", "/p\xff/q\xc3\xa4"));
	assert_true(regex("..", "\xe4\xb8x")); /* a cut sequence is one */
	assert_true(regex("...", "\xf0\x80x"));
	s = flt_utf8_repair(SV_LIT("\xffok\xc3"), &tmp);
	assert_true(sv_is(s, "\xef\xbf\xbdok\xef\xbf\xbd"));
	s = flt_utf8_repair(SV_LIT("\xe2\x82\xac"), &tmp);
	assert_true(sv_is(s, "\xe2\x82\xac"));
	buf_done(&tmp);
}

/* --- pmatch --- */

static bool pmatch(const char *const *prefixes, size_t n, const char *path)
{
	struct arena arena = {0};
	struct flt_path_tree *tree = flt_path_tree_new(&arena);
	bool result, direct = false;

	for (size_t i = 0; i < n; i++) {
		assert_true(flt_path_tree_add(tree, sv_of(prefixes[i]), &arena));
		direct |= flt_path_matches(sv_of(prefixes[i]), sv_of(path));
	}
	result = flt_path_tree_matches(tree, sv_of(path));
	assert_int_equal(result, direct);
	flt_path_tree_done(tree);
	arena_done(&arena);
	return result;
}

static bool pmatch_one(const char *prefix, const char *path)
{
	return pmatch(&prefix, 1, path);
}

static void path_prefixes_match_part_by_part(void **state)
{
	const char *const many[] = {"/var/run", "/etc/", "/usr/*/lib", "/usr/x*/a", "/usr/xy/b"};

	(void)state;
	assert_true(pmatch_one("/var/run", "/var/run"));
	assert_true(pmatch_one("/var/run", "/var/run/a/b"));
	assert_false(pmatch_one("/var/ru", "/var/run"));
	assert_false(pmatch_one("/var/run", "/var"));
	assert_true(pmatch_one("var//run/", "/var/run/x"));
	assert_true(pmatch_one("/", "/anything"));
	assert_true(pmatch_one("", ""));
	assert_false(pmatch_one("/opt/*", "/opt"));
	assert_true(pmatch_one("/opt/*", "/opt/a/b"));
	assert_false(pmatch_one("/opt/*b", "/opt/a/b"));
	assert_true(pmatch_one("/opt/[a-c]?/x", "/opt/bz/x"));
	assert_true(pmatch(many, COUNT_OF(many), "/etc"));
	assert_true(pmatch(many, COUNT_OF(many), "/usr/xy/b/c"));
	assert_true(pmatch(many, COUNT_OF(many), "/usr/xy/a"));
	assert_true(pmatch(many, COUNT_OF(many), "/usr/xy/lib"));
	assert_false(pmatch(many, COUNT_OF(many), "/usr/xy/c"));
	assert_false(pmatch(many, 0, "/"));
}

static void many_path_prefixes_are_found_as_few_are(void **state)
{
	char texts[100][32];
	const char *prefixes[100];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(texts[i], sizeof(texts[i]), i % 10 ? "/d%d/x" : "/d%d*/x", i);
		prefixes[i] = texts[i];
	}
	for (size_t n = 1; n <= 100; n += 3) {
		for (int i = 0; i < 100; i++) {
			char path[32];

			snprintf(path, sizeof(path), "/d%d/x/y", i);
			if ((size_t)i < n)
				assert_true(pmatch(prefixes, n, path));
			else
				pmatch(prefixes, n, path); /* tree and direct search agree */
			snprintf(path, sizeof(path), "/d%d/z", i);
			assert_false(pmatch(prefixes, n, path));
		}
	}
}

/* --- getopt --- */

/* @args and @expected: texts separated by blanks; "_" stands for an empty one. */
static size_t split(const char *s, struct flt_datum *out)
{
	size_t n = 0;

	while (*s) {
		size_t len = strcspn(s, " ");

		out[n++] = (struct flt_datum){.p = s, .n = len == 1 && *s == '_' ? 0 : len};
		s += len;
		while (*s == ' ')
			s++;
	}
	return n;
}

static void expect_options(const char *args, const char *options, const char *expected)
{
	struct flt_datum in[16], want[32], got[32], opts = text(options);
	size_t n = split(args, in), wanted = split(expected, want);
	uint32_t count = flt_getopt_list(in, (uint32_t)n, &opts, NULL);

	if (count != wanted)
		fail_msg("'%s' with '%s': %u results", args, options, count);
	assert_int_equal(flt_getopt_list(in, (uint32_t)n, &opts, got), count);
	for (size_t i = 0; i < wanted; i++)
		if (!sv_eq(sv_make(got[i].p, got[i].n), sv_make(want[i].p, want[i].n)))
			fail_msg("'%s' with '%s': result %zu is '%.*s'", args, options, i,
				 (int)got[i].n, got[i].p);
}

static void options_are_found_as_getopt_does(void **state)
{
	(void)state;
	expect_options("-nt hello", "nt:", "n t hello");
	expect_options("-thello", "t:", "t hello");
	expect_options("-n -- -t", "nt:", "n");
	expect_options("--exec -n", "n", "n");
	expect_options("-x -n", "n", "? n");
	expect_options("- -n", "n", "");
	expect_options("_ -n", "n", "");
	expect_options("file -f x", "f:", "");
	expect_options("-t", "t:", "_");
	expect_options("-t", ":t:", "_");
	expect_options("-t --", "t:", "t --");
	expect_options("-t -n", "nt:", "t -n");
	expect_options("-a:b", "ab", "a ? b");
	expect_options("-xzf file", "xzf:", "x z f file");
	expect_options("-p 22 -i key user@host -v", "p:i:v", "p 22 i key");
	expect_options("-abc", "", "? ? ?");
}

static void expect_last(const char *args, const char *options, char option, const char *expected)
{
	struct flt_datum in[16], opts = text(options), got;
	size_t n = split(args, in);
	bool found = flt_getopt_last(in, (uint32_t)n, &opts, option, &got);

	assert_int_equal(found, expected != NULL);
	if (found)
		assert_true(sv_is(sv_make(got.p, got.n), expected));
}

static void the_last_occurrence_of_an_option_counts(void **state)
{
	(void)state;
	expect_last("-t v1 -t v2", "t:", 't', "v2");
	expect_last("-t v1 -t", "t:", 't', "");
	expect_last("-n", "n", 'n', "n");
	expect_last("-n", "nt:", 't', NULL);
	expect_last("-x", "n", '?', NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(integers_are_read_as_scanf_does),
	    cmocka_unit_test(other_constants_are_checked_by_type),
	    cmocka_unit_test(hex_constants_have_an_even_number_of_digits),
	    cmocka_unit_test(texts_compare_as_c_strings),
	    cmocka_unit_test(parts_are_found_anywhere_in_long_texts),
	    cmocka_unit_test(a_nul_byte_ends_a_text_for_most_operators),
	    cmocka_unit_test(numbers_compare_in_their_own_signedness),
	    cmocka_unit_test(buffers_know_their_length),
	    cmocka_unit_test(addresses_of_different_families_never_match),
	    cmocka_unit_test(globs_match_as_fnmatch_without_flags),
	    cmocka_unit_test(globs_agree_with_the_c_library_on_random_patterns),
	    cmocka_unit_test(hostile_globs_take_little_time),
	    cmocka_unit_test(regular_expressions_are_posix_and_match_whole_values),
	    cmocka_unit_test(invalid_utf8_in_values_becomes_replacement_characters),
	    cmocka_unit_test(path_prefixes_match_part_by_part),
	    cmocka_unit_test(many_path_prefixes_are_found_as_few_are),
	    cmocka_unit_test(options_are_found_as_getopt_does),
	    cmocka_unit_test(the_last_occurrence_of_an_option_counts),
	};

	return cmocka_run_group_tests_name("operators", tests, NULL, NULL);
}
