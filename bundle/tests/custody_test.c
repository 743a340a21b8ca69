/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bundle/custody.h"

static char path[] = "/tmp/custody_test.XXXXXX";
static char log_text[1 << 16];

static size_t read_log(void)
{
	FILE *f = fopen(path, "r");
	size_t n = fread(log_text, 1, sizeof(log_text) - 1, f);

	fclose(f);
	log_text[n] = '\0';
	return n;
}

static void write_log(size_t n)
{
	FILE *f = fopen(path, "w");

	assert_int_equal(fwrite(log_text, 1, n, f), n);
	fclose(f);
}

static void add(const char *reason)
{
	static char arg0[] = "bundle", arg1[] = "it's";
	char *argv[] = {arg0, arg1};
	const struct custody_file in = {.name = "a.scap", .size = 7, .hashed = true};
	const struct custody_entry e = {.action = CUSTODY_NOTE,
					.ts = 1772449457220481093,
					.name = "A. Person \"x\"\n",
					.tool = "scapula 0",
					.reason = reason,
					.inputs = &in,
					.ninputs = 1,
					.argc = 2,
					.argv = argv};
	struct error err = {0};

	if (custody_add(path, &e, &err) < 0)
		fail_msg("%s", err.msg);
}

static size_t three_entries(void)
{
	assert_int_equal(truncate(path, 0), 0);
	add("first");
	add("second");
	add("third");
	return read_log();
}

static int count(void *arg, const struct custody_line *l)
{
	int *seen = arg;

	assert_int_equal(l->n, (uint64_t)(*seen)++);
	assert_string_equal(l->action, "note");
	assert_string_equal(l->name, "A. Person \"x\"\n");
	assert_string_equal(l->ts, "2026-03-02T11:04:17.220481093Z");
	assert_int_equal(l->inputs.count, 1);
	assert_string_equal(l->inputs.list[0].name, "a.scap");
	assert_int_equal(l->inputs.list[0].size, 7);
	assert_true(l->inputs.list[0].hashed);
	assert_int_equal(l->outputs.count, 0);
	return 0;
}

static void entries_are_read_as_they_were_added(void **state)
{
	struct custody_report r;
	int seen = 0;

	(void)state;
	three_entries();
	assert_true(custody_is_log(path));
	assert_int_equal(custody_check(path, count, &seen, &r, NULL), 0);
	assert_false(r.broken || r.torn);
	assert_int_equal(seen, 3);
	assert_int_equal(r.lines, 3);
}

static void every_changed_byte_but_those_of_the_last_line_is_found(void **state)
{
	struct custody_report whole, r;
	size_t n = three_entries();
	const char *last = strstr(log_text, "{\"custody\":1,\"n\":2");

	(void)state;
	assert_int_equal(custody_check_memory(sv_make(log_text, n), &whole, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		log_text[i] ^= 1;
		assert_int_equal(custody_check_memory(sv_make(log_text, n), &r, NULL), 0);
		/* What stands in the last line is vouched for by its hash, kept elsewhere. */
		if (log_text + i < last && !r.broken)
			fail_msg("byte %zu was changed unseen", i);
		if (!r.broken && !r.torn &&
		    memcmp(r.last_hash, whole.last_hash, sizeof(r.last_hash)) == 0)
			fail_msg("byte %zu was changed, and the last hash is the same", i);
		log_text[i] ^= 1;
	}
}

static void lines_cannot_be_taken_out_or_swapped(void **state)
{
	struct custody_report r;
	size_t n = three_entries();
	char *second = strstr(log_text, "{\"custody\":1,\"n\":1");
	char *third = strstr(log_text, "{\"custody\":1,\"n\":2");

	(void)state;
	assert_int_equal(
	    custody_check_memory(sv_make(second, n - (size_t)(second - log_text)), &r, NULL), 0);
	assert_true(r.broken);
	memmove(second, third, n - (size_t)(third - log_text));
	assert_int_equal(
	    custody_check_memory(sv_make(log_text, n - (size_t)(third - second)), &r, NULL), 0);
	assert_true(r.broken);
	assert_int_equal(r.lines, 1);
}

static void nothing_is_added_to_a_log_that_is_not_whole(void **state)
{
	const struct custody_entry e = {.action = CUSTODY_SEAL, .reason = "x"};
	struct custody_report r;
	struct error err = {0};
	size_t n = three_entries();

	(void)state;
	write_log(n - 1);
	assert_int_equal(custody_check(path, NULL, NULL, &r, NULL), 0);
	assert_true(r.torn);
	assert_int_equal(r.lines, 2);
	assert_int_equal(custody_add(path, &e, &err), ERR_FORMAT);
	log_text[30] ^= 1;
	write_log(n);
	assert_int_equal(custody_add(path, &e, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "line 2"));
	assert_int_equal(read_log(), n);
}

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(entries_are_read_as_they_were_added),
	    cmocka_unit_test(every_changed_byte_but_those_of_the_last_line_is_found),
	    cmocka_unit_test(lines_cannot_be_taken_out_or_swapped),
	    cmocka_unit_test(nothing_is_added_to_a_log_that_is_not_whole),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
