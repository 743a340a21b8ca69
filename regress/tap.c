/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Test Anything Protocol, version 13, which version 14 contains: each check is a test point,
 * what is wrong with it a YAML block. Source: testanything.org, specifications 13 and 14.
 */
#include "base/escape.h"
#include "regress/output.h"

/* In descriptions '#' begins a directive, and a backslash escapes. */
static void description(struct buf *b, struct sv s)
{
	struct buf safe = {0};

	escape_text(&safe, s);
	for (size_t i = 0; i < safe.len; i++) {
		if (safe.p[i] == '#' || safe.p[i] == '\\')
			buf_char(b, '\\');
		buf_char(b, safe.p[i]);
	}
	b->failed |= safe.failed;
	buf_done(&safe);
}

static void point(struct buf *b, bool ok, unsigned long long number, const struct reg_result *r,
		  struct sv name)
{
	buf_addf(b, "%sok %llu - ", ok ? "" : "not ", number);
	description(b, sv_of(r->test.name));
	buf_lit(b, ": ");
	description(b, name);
}

static void block(struct buf *b, const char *severity, struct sv text)
{
	buf_addf(b, "\n  ---\n  severity: %s\n  message: |\n", severity);
	reg_lines(b, text.n ? text : SV_LIT("-"), "    ", escape_text);
	buf_lit(b, "  ...\n");
}

static void add_check(struct buf *b, unsigned long long number, const struct reg_result *r,
		      const struct reg_check *c)
{
	point(b, c->outcome != REG_FAILED, number, r, c->name);
	if (c->outcome == REG_SKIPPED) {
		buf_lit(b, " # SKIP ");
		description(b, c->text);
		buf_char(b, '\n');
	} else if (c->outcome == REG_PASSED) {
		buf_char(b, '\n');
	} else {
		block(b, c->outcome == REG_FAILED ? "fail" : "comment", c->text);
	}
}

void reg_tap(struct buf *b, struct reg_suite *s, const struct reg_output_options *opt)
{
	unsigned long long number = 0, points = 0;
	struct reg_result *all;
	size_t n;

	(void)opt;
	all = reg_suite_results(s, &n);
	for (size_t i = 0; i < n; i++)
		points += all[i].verdict.outcome == REG_BROKEN ? 1 : all[i].verdict.count;
	buf_addf(b, "TAP version 13\n1..%llu\n", points);
	for (size_t i = 0; i < n; i++) {
		const struct reg_result *r = &all[i];

		if (r->verdict.outcome == REG_BROKEN) {
			point(b, false, ++number, r, SV_LIT("run"));
			block(b, "error", sv_of(r->err.msg));
			continue;
		}
		for (size_t k = 0; k < r->verdict.count; k++)
			add_check(b, ++number, r, &r->verdict.checks[k]);
	}
}
