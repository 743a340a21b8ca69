/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/tests/strict_expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

void check_memory(const struct buf *b, struct sf_strict_report *r)
{
	struct error err;
	uint8_t *copy = malloc(b->len ? b->len : 1);

	assert_non_null(copy);
	memcpy(copy, b->p, b->len);
	assert_int_equal(sf_strict_check_memory(copy, b->len, r, &err), 0);
	free(copy);
}

void assert_clean(struct sf_strict_report *r, const char *what)
{
	if (r->count)
		fail_msg("%s: offset %llu: %s: %s", what, (unsigned long long)r->list[0].offset,
			 sf_strict_rule_name(r->list[0].rule), r->list[0].what);
	assert_false(r->stopped);
	sf_strict_done(r);
}

void expect_clean(const struct buf *b, const char *what)
{
	struct sf_strict_report r;

	check_memory(b, &r);
	assert_clean(&r, what);
}

void expect_found(const struct buf *b, enum sf_strict_rule rule, const char *name)
{
	struct sf_strict_report r;

	check_memory(b, &r);
	if (!r.by_rule[rule])
		fail_msg("'%s' is not found by %s but by %s", name, sf_strict_rule_name(rule),
			 r.count ? sf_strict_rule_name(r.list[0].rule) : "nothing");
	for (size_t i = 0; i < r.described; i++)
		assert_true(strlen(r.list[i].what) > 10);
	sf_strict_done(&r);
}
