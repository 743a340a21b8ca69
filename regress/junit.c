/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JUnit XML: a test is a testsuite, each of its checks a testcase. Source: the schema that Jenkins
 * and GitLab read (junit-10.xsd of the JUnit plugin).
 */
#include "base/escape.h"
#include "base/json.h"
#include "regress/output.h"

/* U+FFFE and U+FFFF are no characters of XML. */
static void xml_text(struct buf *b, struct sv s)
{
	size_t start = 0;

	for (size_t i = 0; i + 2 < s.n; i++) {
		const unsigned char *p = (const unsigned char *)s.p + i;

		if (p[0] != 0xef || p[1] != 0xbf || p[2] < 0xbe)
			continue;
		escape_html(b, sv_make(s.p + start, i - start));
		buf_addf(b, "\\u{ff%02x}", p[2] | 0xc0u);
		start = i + 3;
		i += 2;
	}
	escape_html(b, sv_drop(s, start));
}

static void attribute(struct buf *b, const char *name, struct sv value)
{
	buf_addf(b, " %s=\"", name);
	xml_text(b, value);
	buf_char(b, '"');
}

static void seconds(struct buf *b, const struct reg_output_options *opt, uint64_t ns)
{
	if (opt->timing)
		buf_addf(b, " time=\"%.6f\"", (double)ns / 1e9);
}

/* <@element message="...">text</@element> */
static void message(struct buf *b, const char *element, struct sv name, struct sv text)
{
	struct sv first = reg_first_line(text);

	buf_addf(b, "      <%s", element);
	attribute(b, "message", first.n ? first : name);
	buf_lit(b, ">\n");
	reg_lines(b, text, "", xml_text);
	buf_addf(b, "      </%s>\n", element);
}

static void add_check(struct buf *b, const struct reg_result *r, const struct reg_check *c)
{
	buf_lit(b, "    <testcase");
	attribute(b, "name", c->name);
	attribute(b, "classname", sv_of(r->test.name));
	if (c->outcome == REG_PASSED) {
		buf_lit(b, "/>\n");
		return;
	}
	buf_lit(b, ">\n");
	if (c->outcome == REG_FAILED) {
		message(b, "failure", c->name, c->text);
	} else if (c->outcome == REG_SKIPPED) {
		buf_lit(b, "      <skipped");
		attribute(b, "message", c->text);
		buf_lit(b, "/>\n");
	} else {
		buf_lit(b, "      <system-out>\n");
		reg_lines(b, c->text, "warning: ", xml_text);
		buf_lit(b, "      </system-out>\n");
	}
	buf_lit(b, "    </testcase>\n");
}

struct counts {
	uint64_t tests, failures, errors, skipped;
};

static struct counts counts_of(const struct reg_result *r)
{
	struct counts n = {.tests = r->verdict.count};

	if (r->verdict.outcome == REG_BROKEN)
		return (struct counts){.tests = 1, .errors = 1};
	for (size_t i = 0; i < r->verdict.count; i++) {
		n.failures += r->verdict.checks[i].outcome == REG_FAILED;
		n.skipped += r->verdict.checks[i].outcome == REG_SKIPPED;
	}
	return n;
}

static void add_counts(struct buf *b, const struct counts *n)
{
	buf_addf(b, " tests=\"%llu\" failures=\"%llu\" errors=\"%llu\" skipped=\"%llu\"",
		 (unsigned long long)n->tests, (unsigned long long)n->failures,
		 (unsigned long long)n->errors, (unsigned long long)n->skipped);
}

static void add_result(struct buf *b, const struct reg_result *r,
		       const struct reg_output_options *opt)
{
	struct counts n = counts_of(r);

	buf_lit(b, "  <testsuite");
	attribute(b, "name", sv_of(r->test.name));
	add_counts(b, &n);
	seconds(b, opt, r->cpu_ns);
	buf_lit(b, ">\n");
	if (r->verdict.outcome == REG_BROKEN) {
		buf_lit(b, "    <testcase name=\"run\"");
		attribute(b, "classname", sv_of(r->test.name));
		buf_lit(b, ">\n");
		message(b, "error", SV_LIT("broken"), sv_of(r->err.msg));
		buf_lit(b, "    </testcase>\n");
	}
	for (size_t i = 0; r->verdict.outcome != REG_BROKEN && i < r->verdict.count; i++)
		add_check(b, r, &r->verdict.checks[i]);
	buf_lit(b, "  </testsuite>\n");
}

void reg_junit(struct buf *b, struct reg_suite *s, const struct reg_output_options *opt)
{
	struct counts all = {0};
	struct reg_result *results;
	uint64_t cpu = 0;
	size_t n;

	results = reg_suite_results(s, &n);
	for (size_t i = 0; i < n; i++) {
		struct counts one = counts_of(&results[i]);

		all.tests += one.tests;
		all.failures += one.failures;
		all.errors += one.errors;
		all.skipped += one.skipped;
		cpu += results[i].cpu_ns;
	}
	buf_lit(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"scapula test\"");
	add_counts(b, &all);
	seconds(b, opt, cpu);
	buf_lit(b, ">\n");
	for (size_t i = 0; i < n; i++)
		add_result(b, &results[i], opt);
	buf_lit(b, "</testsuites>\n");
}
