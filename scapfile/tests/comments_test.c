/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/comments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scapfile/scapfile.h"

/* A section header with an option that is no comment, and the one that ends them. */
static const uint8_t header[] = {
    0x0a, 0x0d, 0x0d, 0x0a, 36 + 4, 0,	  0,	0,    0x4d,   0x3c, 0x2b, 0x1a, 1, 0,
    2,	  0,	0xff, 0xff, 0xff,   0xff, 0xff, 0xff, 0xff,   0xff, 2,	  0,	3, 0,
    'a',  'b',	'c',  0,    0,	    0,	  0,	0,    36 + 4, 0,    0,	  0,
};

/* Comments of what @b holds, as a reader finds them, with '|' between. */
static void expect_comments(const struct buf *b, const char *want)
{
	struct buf got = {0};
	struct sf_reader *r;
	struct ev_item item;
	const char *text;

	assert_int_equal(sf_reader_open_memory(b->p, b->len, NULL, &r, NULL), 0);
	assert_int_equal(ev_source_next(sf_reader_source(r), &item, NULL), 1);
	for (size_t i = 0; (text = sf_reader_comment(r, i)); i++)
		buf_addf(&got, "%s|", text);
	assert_string_equal(buf_cstr(&got), want);
	buf_done(&got);
	sf_reader_close(r);
}

static void comments_come_behind_the_options_that_are_there(void **state)
{
	struct sf_comments c = {0};
	struct buf once = {0}, twice = {0};

	(void)state;
	assert_int_equal(sf_comments_add(&c, "one", NULL), 0);
	assert_int_equal(sf_comments_add(&c, "four", NULL), 0);
	assert_int_equal(sf_comments_put(&once, header, sizeof(header), &c, NULL), 0);
	expect_comments(&once, "one|four|");
	assert_int_equal(once.len, sizeof(header) + 8 + 8);
	assert_memory_equal(once.p + 24, header + 24, 8);
	assert_int_equal(sf_comments_put(&twice, (const uint8_t *)once.p, once.len, &c, NULL), 0);
	expect_comments(&twice, "one|four|one|four|");
	buf_done(&once);
	buf_done(&twice);
}

static void any_length_of_a_comment_keeps_the_block_whole(void **state)
{
	char text[64];

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		struct sf_comments c = {0};
		struct buf b = {0};
		char want[sizeof(text) + 2];

		memset(text, 'x', n);
		text[n] = '\0';
		snprintf(want, sizeof(want), "%s|", text);
		assert_int_equal(sf_comments_add(&c, text, NULL), 0);
		assert_int_equal(sf_comments_put(&b, header, sizeof(header), &c, NULL), 0);
		assert_int_equal(b.len % 4, 0);
		expect_comments(&b, want);
		buf_done(&b);
	}
}

static void too_many_comments_are_refused(void **state)
{
	struct sf_comments c = {0};
	char *long_one = malloc(SF_COMMENT_BYTES_MAX + 2);

	(void)state;
	assert_non_null(long_one);
	memset(long_one, 'x', SF_COMMENT_BYTES_MAX + 1);
	long_one[SF_COMMENT_BYTES_MAX + 1] = '\0';
	assert_int_equal(sf_comments_add(&c, long_one, NULL), ERR_LIMIT);
	long_one[SF_COMMENT_BYTES_MAX] = '\0';
	assert_int_equal(sf_comments_add(&c, long_one, NULL), 0);
	assert_int_equal(sf_comments_add(&c, "x", NULL), ERR_LIMIT);
	c.count = 0;
	for (unsigned i = 0; i < SF_COMMENTS_MAX; i++)
		assert_int_equal(sf_comments_add(&c, "x", NULL), 0);
	assert_int_equal(sf_comments_add(&c, "x", NULL), ERR_LIMIT);
	free(long_one);
}

static void what_is_no_section_header_is_refused(void **state)
{
	const struct sf_comments c = {.texts = {"x"}, .count = 1};
	struct buf b = {0};

	(void)state;
	assert_int_equal(sf_comments_put(&b, header, 27, &c, NULL), ERR_FORMAT);
	assert_int_equal(sf_comments_put(&b, header + 4, 28, &c, NULL), ERR_FORMAT);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comments_come_behind_the_options_that_are_there),
	    cmocka_unit_test(any_length_of_a_comment_keeps_the_block_whole),
	    cmocka_unit_test(too_many_comments_are_refused),
	    cmocka_unit_test(what_is_no_section_header_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
