/* SPDX-License-Identifier: Apache-2.0 */
/* Results as lines for people: one for each test, and what is wrong below it. */
#include "base/escape.h"
#include "regress/output.h"

static const struct {
	const char *word, *color;
} words[REG_OUTCOME_COUNT] = {
    [REG_PASSED] = {"ok    ", "\033[32m"},   [REG_SKIPPED] = {"skip  ", "\033[36m"},
    [REG_WARNED] = {"warn  ", "\033[33m"},   [REG_FAILED] = {"FAIL  ", "\033[1;31m"},
    [REG_BROKEN] = {"BROKEN", "\033[1;31m"},
};

static void add_check(struct buf *b, const struct reg_check *c)
{
	buf_lit(b, "        ");
	if (c->outcome == REG_WARNED)
		buf_lit(b, "warning: ");
	buf_sv(b, c->name);
	if (c->line) {
		buf_lit(b, " (");
		escape_text(b, sv_of(c->file));
		buf_addf(b, ":%u)", c->line);
	}
	buf_char(b, '\n');
	reg_lines(b, c->text, "          ", buf_sv);
}

static void add_result(struct buf *b, const struct reg_result *r,
		       const struct reg_output_options *opt)
{
	enum reg_outcome o = r->verdict.outcome;

	if (opt->brief && o == REG_PASSED)
		return;
	buf_addf(b, "%s%s%s  ", opt->color ? words[o].color : "", words[o].word,
		 opt->color ? "\033[0m" : "");
	escape_text(b, sv_of(r->test.name));
	if (opt->timing && r->events)
		buf_addf(b, "  (%llu events, %.3f ms, %llu ns/event)",
			 (unsigned long long)r->events, (double)r->cpu_ns / 1e6,
			 (unsigned long long)(r->cpu_ns / r->events));
	buf_char(b, '\n');
	if (o == REG_BROKEN) {
		reg_lines(b, sv_of(r->err.msg), "        ", escape_text);
		return;
	}
	for (size_t i = 0; i < r->verdict.count; i++)
		if (r->verdict.checks[i].outcome != REG_PASSED)
			add_check(b, &r->verdict.checks[i]);
}

static void add_count(struct buf *b, uint64_t n, const char *what, bool *any)
{
	if (!n)
		return;
	buf_addf(b, "%s%llu %s", *any ? ", " : "", (unsigned long long)n, what);
	*any = true;
}

void reg_terminal(struct buf *b, struct reg_suite *s, const struct reg_output_options *opt)
{
	const struct reg_totals t = reg_suite_totals(s);
	struct reg_result *all;
	bool any = false;
	size_t n;

	all = reg_suite_results(s, &n);
	for (size_t i = 0; i < n; i++)
		add_result(b, &all[i], opt);
	buf_addf(b, "%zu test%s: ", n, n == 1 ? "" : "s");
	add_count(b, t.outcomes[REG_PASSED], "passed", &any);
	add_count(b, t.outcomes[REG_WARNED], "with warnings", &any);
	add_count(b, t.outcomes[REG_FAILED], "failed", &any);
	add_count(b, t.outcomes[REG_BROKEN], "broken", &any);
	add_count(b, t.outcomes[REG_SKIPPED], "skipped", &any);
	buf_str(b, any ? "\n" : "none\n");
}
