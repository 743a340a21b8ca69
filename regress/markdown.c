/* SPDX-License-Identifier: Apache-2.0 */
/* A summary for tickets: what did not pass, in at most REG_MARKDOWN_LINES lines of details. */
#include "base/escape.h"
#include "regress/output.h"

#define REG_MARKDOWN_LINES 150u

/* Text of several lines as a block of code: no line of it can end the block. */
static void code(struct buf *b, struct sv text, unsigned *lines)
{
	struct buf safe = {0};

	buf_lit(b, "\n");
	while (text.n && *lines) {
		struct sv line = reg_first_line(text);

		text = sv_drop(text, line.n + 1);
		buf_reset(&safe);
		escape_text(&safe, line);
		buf_lit(b, "      ");
		buf_sv(b, buf_view(&safe));
		buf_char(b, '\n');
		--*lines;
	}
	if (text.n)
		buf_lit(b, "      ...\n");
	buf_lit(b, "\n");
	b->failed |= safe.failed;
	buf_done(&safe);
}

static void add_result(struct buf *b, const struct reg_result *r, unsigned *lines)
{
	const struct reg_verdict *v = &r->verdict;

	if (v->outcome == REG_PASSED)
		return;
	buf_addf(b, "\n## %s: ", reg_outcome_names[v->outcome]);
	escape_markdown(b, sv_of(r->test.name));
	buf_lit(b, "\n\n");
	if (v->outcome == REG_BROKEN) {
		buf_lit(b, "- it could not be run\n");
		code(b, sv_of(r->err.msg), lines);
	}
	for (size_t i = 0; v->outcome != REG_BROKEN && i < v->count; i++) {
		const struct reg_check *c = &v->checks[i];

		if (c->outcome == REG_PASSED)
			continue;
		buf_addf(b, "- %s: ", reg_outcome_names[c->outcome]);
		escape_markdown(b, c->name);
		if (c->line)
			buf_addf(b, " (line %u)", c->line);
		buf_char(b, '\n');
		code(b, c->text, lines);
	}
}

void reg_markdown(struct buf *b, struct reg_suite *s, const struct reg_output_options *opt)
{
	const struct reg_totals t = reg_suite_totals(s);
	unsigned lines = REG_MARKDOWN_LINES;
	struct reg_result *all;
	size_t n;

	all = reg_suite_results(s, &n);
	buf_lit(b, "# Tests of rules\n\n| outcome | tests |\n| --- | ---: |\n");
	for (int i = 0; i < REG_OUTCOME_COUNT; i++)
		if (t.outcomes[i])
			buf_addf(b, "| %s | %llu |\n", reg_outcome_names[i],
				 (unsigned long long)t.outcomes[i]);
	buf_addf(b, "\n%llu alerts in %llu events; Scapula %s\n", (unsigned long long)t.alerts,
		 (unsigned long long)t.events, opt->version);
	for (size_t i = 0; i < n && lines; i++)
		add_result(b, &all[i], &lines);
	if (!lines)
		buf_lit(b, "\nMore is left out here.\n");
}
