/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/state/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct vector {
	const char *base, *path, *joined;
} vectors[] = {
    {"", "", ""},
    {"", "../", ""},
    {"", "..", ""},
    {"/", "", ""},
    {"", "/", "/"},
    {"", "./", ""},
    {"/", "../", "/"},
    {"/", "../..", "/"},
    {"/root/", "../x", "/x"},
    {"/root", "../x", "/root../x"},
    {"a", "../", "a.."},
    {"a/", "../", ""},
    {"", "/foo", "/foo"},
    {"foo/", "", ""},
    {"foo/", "../..//a", "a"},
    {"foo/", "..//a", "a"},
    {"/foo/", "..//a", "/a"},
    {"heolo", "w////////////..//////.////////r.|", "r.|"},
    {"", "/app/custom/dir/../a", "/app/custom/a"},
    {"/app/", "custom/term", "/app/custom/term"},
    {"./app", "custom/term", "./appcustom/term"},
    {"app/////", "custom////term", "app/////custom/term"},
    {"", "//dir/term", "/dir/term"},
    {"../.../", "dir/././././../../.../term/", "../.../term"},
    {"/a/b/", "./c/./d/", "/a/b/c/d"},
    {"/x", "/y/../z", "/z"},
    {"", "a/..//b", "/b"},
};

static void paths_join_as_the_vectors_say(void **arg)
{
	char out[STATE_PATH_MAX];

	(void)arg;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct sv got = state_path_concat(out, sv_of(v->base), sv_of(v->path));

		if (!sv_is(got, v->joined))
			fail_msg("('%s', '%s') gave '%.*s', not '%s'", v->base, v->path, (int)got.n,
				 got.p, v->joined);
	}
}

/* Byte by byte, as the rules are written down: slow and obviously right. */
static size_t join_slowly(char *out, const char *base, const char *path)
{
	size_t len = 0, i = 0, n = strlen(path);
	bool had_base, edge;

	if (n && path[0] != '/')
		len = strlen(strcpy(out, base));
	had_base = len > 0;
	while (i < n) {
		edge = len == 0 || out[len - 1] == '/';
		if (edge && path[i] == '.' && i + 1 < n && path[i + 1] == '.' &&
		    (i + 2 == n || path[i + 2] == '/')) {
			i += i + 2 == n ? 2 : 3;
			if (len >= 2)
				for (len--; len && out[len - 1] != '/'; len--)
					;
		} else if (edge && path[i] == '.' && (i + 1 == n || path[i + 1] == '/')) {
			i += i + 1 == n ? 1 : 2;
		} else if (path[i] == '/' && ((len && out[len - 1] == '/') || (!len && had_base))) {
			i++;
		} else {
			out[len++] = path[i++];
		}
	}
	if (len >= 2 && out[len - 1] == '/')
		len--;
	return len;
}

/* The text number @n over four characters. */
static const char *nth_text(char *text, unsigned n)
{
	size_t len = 0;

	for (; n; n = (n - 1) / 4)
		text[len++] = "/.ab"[(n - 1) % 4];
	text[len] = '\0';
	return text;
}

static void every_short_path_joins_by_the_rules(void **arg)
{
	char base[16], path[16], expected[64], out[STATE_PATH_MAX];

	(void)arg;
	for (unsigned b = 0; b < 100; b++) {
		for (unsigned p = 0; p < 6000; p++) {
			size_t n = join_slowly(expected, nth_text(base, b), nth_text(path, p));
			struct sv got = state_path_concat(out, sv_of(base), sv_of(path));

			if (!sv_eq(got, sv_make(expected, n)))
				fail_msg("('%s', '%s') gave '%.*s', not '%.*s'", base, path,
					 (int)got.n, got.p, (int)n, expected);
		}
	}
}

static void the_limit_counts_both_parts(void **arg)
{
	char text[2 * STATE_PATH_MAX], out[STATE_PATH_MAX];
	struct sv got;

	(void)arg;
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	for (size_t base = 0; base <= STATE_PATH_MAX; base += 64) {
		for (size_t n = 0; n < STATE_PATH_MAX + 2; n++) {
			got = state_path_concat(out, sv_make(text, base), sv_make(text, n));
			if (base + n + 1 > STATE_PATH_MAX)
				assert_true(sv_is(got, "/DIR_TOO_LONG/FILENAME_TOO_LONG"));
			else
				assert_true(sv_eq(got, sv_make(text, n)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths_join_as_the_vectors_say),
	    cmocka_unit_test(every_short_path_joins_by_the_rules),
	    cmocka_unit_test(the_limit_counts_both_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
