/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bundle/bundle.h"

static char dir[] = "/tmp/bundle_test.XXXXXX";
static char input[64], output[64];
static char bytes[1 << 16];

static void write_input(const char *text)
{
	FILE *f = fopen(input, "w");

	fputs(text, f);
	fclose(f);
}

static const struct bag_making making = {
    .tool = "scapula test", .description = "two\nlines", .made = -1};

static void make_in(enum arc_container c, struct bag_made *made)
{
	int fd = open(output, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct bag_maker *m;
	struct error err = {0};

	assert_int_equal(bag_maker_new(&making, &m, NULL), 0);
	assert_int_equal(bag_maker_file(m, "data/captures/a.scap", input, NULL), 0);
	assert_int_equal(bag_maker_text(m, "data/rules/1.yaml", sv_of("- rule: x\n"), NULL), 0);
	assert_int_equal(bag_maker_text(m, "meta/custody.jsonl", sv_of(""), NULL), 0);
	if (bag_maker_write(m, fd, c, made, &err) < 0)
		fail_msg("%s", err.msg);
	bag_maker_free(m);
	close(fd);
}

static size_t make(enum arc_container c, struct bag_made *made)
{
	FILE *f;
	size_t n;

	make_in(c, made);
	f = fopen(output, "r");
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	return n;
}

static void a_bundle_is_what_was_put_into_it(void **state)
{
	struct bag_report r;
	struct bag_made made, again;
	struct error err = {0};

	(void)state;
	for (int c = ARC_TAR; c <= ARC_ZIP; c++) {
		make((enum arc_container)c, &made);
		assert_int_equal(bag_is_bundle(output, NULL), 1);
		if (bag_check(output, NULL, &r, &err) < 0)
			fail_msg("%s", err.msg);
		assert_int_equal(r.verdict, BAG_INTACT);
		assert_int_equal(r.files, 2);
		assert_int_equal(r.good, 2);
		assert_int_equal(r.bytes, made.bytes);
		assert_memory_equal(r.root, made.root, BAG_DIGEST);
		assert_non_null(strstr(r.info, "External-Description: two lines\n"));
		assert_non_null(strstr(r.info, "Payload-Oxum: 21.2\n"));
		bag_report_done(&r);
		make_in((enum arc_container)c, &again);
		assert_memory_equal(again.root, made.root, BAG_DIGEST);
	}
}

/* Where the data of a tar's member begins; its size in *size. */
static size_t member_at(const char *name, size_t n, size_t *size)
{
	for (size_t at = 0; at + 512 <= n; at += 512) {
		if (strcmp(bytes + at, name) != 0 || memcmp(bytes + at + 257, "ustar", 5) != 0)
			continue;
		*size = strtoull(bytes + at + 124, NULL, 8);
		return at + 512;
	}
	fail_msg("no member %s", name);
	return 0;
}

static enum bag_verdict verdict(size_t n)
{
	struct bag_report r;
	enum bag_verdict v = BAG_BAD;
	int rc = bag_check_memory(bytes, n, &r, NULL);

	if (rc == 0)
		v = r.verdict;
	bag_report_done(&r);
	return v;
}

/* Bytes that only a descriptor leads to. */
static int nameless(const char *text)
{
	int fd = arc_nameless(NULL);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void files_made_from_the_case_need_no_name_and_are_listed(void **state)
{
	struct bag_report r;
	struct bag_made made;
	struct bag_maker *m;
	int fd = open(output, O_RDWR | O_CREAT | O_TRUNC, 0600);

	(void)state;
	assert_int_equal(bag_maker_new(&making, &m, NULL), 0);
	assert_int_equal(bag_maker_from_case(m, BAG_RESULTS "a", nameless("one"), NULL), 0);
	assert_int_equal(bag_maker_from_case(m, BAG_RESULTS "b", nameless(""), NULL), 0);
	assert_int_equal(bag_maker_from_case(m, BAG_RESULTS "a", nameless("two"), NULL), ERR_USAGE);
	assert_int_equal(bag_maker_text(m, BAG_RESULTS "c", sv_of("three"), NULL), 0);
	assert_int_equal(bag_maker_write(m, fd, ARC_TAR, &made, NULL), 0);
	bag_maker_free(m);
	close(fd);
	assert_int_equal(bag_check(output, NULL, &r, NULL), 0);
	assert_int_equal(r.verdict, BAG_INTACT);
	assert_int_equal(r.good, 3);
	assert_int_equal(r.bytes, 8);
	assert_true(bag_info_has(r.info, BAG_FROM_CASE, BAG_RESULTS "a"));
	assert_true(bag_info_has(r.info, BAG_FROM_CASE, BAG_RESULTS "b"));
	assert_false(bag_info_has(r.info, BAG_FROM_CASE, BAG_RESULTS "c"));
	assert_false(bag_info_has(r.info, BAG_FROM_CASE, BAG_RESULTS));
	assert_true(bag_info_has(r.info, BAG_AGENT, making.tool));
	assert_false(bag_info_has("", BAG_AGENT, making.tool));
	bag_report_done(&r);
}

static void every_changed_byte_of_every_member_is_found(void **state)
{
	static const char *const names[] = {
	    "bagit.txt",	"bag-info.txt",	    "manifest-sha256.txt", "tagmanifest-sha256.txt",
	    "meta/mtree",	"meta/case.jsonld", "meta/env.json",	   "data/captures/a.scap",
	    "data/rules/1.yaml"};
	struct bag_made made;
	size_t n = make(ARC_TAR, &made);

	(void)state;
	assert_int_equal(verdict(n), BAG_INTACT);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t size, at = member_at(names[i], n, &size);

		for (size_t k = 0; k < size; k++) {
			for (unsigned bit = 1; bit < 256; bit <<= 1) {
				bytes[at + k] ^= (char)bit;
				if (verdict(n) == BAG_INTACT)
					fail_msg("%s, byte %zu, bit %u was changed unseen",
						 names[i], k, bit);
				bytes[at + k] ^= (char)bit;
				if (size > 400)
					break;
			}
		}
	}
}

static void a_bundle_that_is_cut_is_incomplete_and_says_what_is_there(void **state)
{
	struct bag_made made;
	size_t n = make(ARC_TAR, &made), size, at = member_at("data/rules/1.yaml", n, &size);
	struct bag_report r;

	(void)state;
	for (size_t cut = at - 511; cut < at + size; cut++) {
		assert_int_equal(bag_check_memory(bytes, cut, &r, NULL), 0);
		if (r.verdict != BAG_INCOMPLETE)
			fail_msg("cut at %zu: %s", cut, bag_verdict_name(r.verdict));
		assert_int_equal(r.good, 1);
		assert_int_equal(r.nfaults, 1);
		assert_string_equal(r.faults[0].name, "data/rules/1.yaml");
		assert_int_equal(r.faults[0].kind, BAG_MISSING);
		bag_report_done(&r);
	}
}

static void members_that_no_manifest_has_are_found(void **state)
{
	struct arc_writer *w;
	struct bag_report r;
	struct bag_made made;
	struct error err = {0};
	size_t n = make(ARC_TAR, &made), size, at = member_at("bagit.txt", n, &size);
	int fd = open(output, O_RDWR | O_CREAT | O_TRUNC, 0600);

	(void)state;
	assert_int_equal(arc_writer_open(fd, ARC_TAR, 0, &w, NULL), 0);
	assert_int_equal(arc_writer_member(w, "bag/bagit.txt", size, NULL), 0);
	assert_int_equal(arc_writer_add(w, bytes + at, size, NULL), 0);
	at = member_at(BAG_MANIFEST, n, &size);
	assert_int_equal(arc_writer_member(w, "bag/" BAG_MANIFEST, size, NULL), 0);
	assert_int_equal(arc_writer_add(w, bytes + at, size, NULL), 0);
	at = member_at("data/rules/1.yaml", n, &size);
	assert_int_equal(arc_writer_member(w, "bag/data/rules/1.yaml", size, NULL), 0);
	assert_int_equal(arc_writer_add(w, bytes + at, size, NULL), 0);
	assert_int_equal(arc_writer_member(w, "bag/data/x", 0, NULL), 0);
	assert_int_equal(arc_writer_member(w, "outside", 0, NULL), 0);
	assert_int_equal(arc_writer_end(w, NULL), 0);
	arc_writer_free(w);
	close(fd);
	if (bag_check(output, NULL, &r, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(r.prefix, "bag/");
	assert_int_equal(r.verdict, BAG_BAD);
	assert_int_equal(r.good, 1);
	assert_int_equal(r.nfaults, 4); /* outside; no tagmanifest; a.scap is missing; data/x */
	bag_report_done(&r);
}

static void names_for_members_are_made_unique_and_harmless(void **state)
{
	struct bag_maker *m;

	(void)state;
	assert_int_equal(bag_maker_new(&making, &m, NULL), 0);
	assert_string_equal(bag_maker_name(m, BAG_CAPTURES, "/x/a b%c.scap"),
			    "data/captures/a b_c.scap");
	assert_string_equal(bag_maker_name(m, BAG_CAPTURES, "/x/\xff.scap"),
			    "data/captures/_.scap");
	assert_int_equal(bag_maker_text(m, "data/captures/a.scap", sv_of(""), NULL), 0);
	assert_string_equal(bag_maker_name(m, BAG_CAPTURES, "/y/a.scap"), "data/captures/2/a.scap");
	assert_int_equal(bag_maker_text(m, "data/captures/a.scap", sv_of(""), NULL), ERR_USAGE);
	assert_int_equal(bag_maker_text(m, "../a.scap", sv_of(""), NULL), ERR_USAGE);
	bag_maker_free(m);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(input, sizeof(input), "%s/input", dir);
	snprintf(output, sizeof(output), "%s/output", dir);
	write_input("the capture");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(input);
	unlink(output);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_bundle_is_what_was_put_into_it),
	    cmocka_unit_test(files_made_from_the_case_need_no_name_and_are_listed),
	    cmocka_unit_test(every_changed_byte_of_every_member_is_found),
	    cmocka_unit_test(a_bundle_that_is_cut_is_incomplete_and_says_what_is_there),
	    cmocka_unit_test(members_that_no_manifest_has_are_found),
	    cmocka_unit_test(names_for_members_are_made_unique_and_harmless),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
