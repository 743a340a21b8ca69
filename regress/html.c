/* SPDX-License-Identifier: Apache-2.0 */
/* A page for a browser: the style is in it, nothing is loaded from anywhere. */
#include "base/escape.h"
#include "regress/output.h"
#include "report/assets.h"
#include "report/html_policy.h"

static const char *const card_class[REG_OUTCOME_COUNT] = {
    [REG_PASSED] = "good", [REG_SKIPPED] = "",	 [REG_WARNED] = "warn",
    [REG_FAILED] = "bad",  [REG_BROKEN] = "bad",
};

static void head(struct buf *b)
{
	buf_lit(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	if (!rep_html_policy(b, false))
		b->failed = true;
	buf_lit(b, "<meta name=\"referrer\" content=\"no-referrer\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		   "<title>Tests of rules</title>\n<style>");
	buf_add(b, embedded_style_css, embedded_style_css_length);
	buf_lit(b, "</style>\n</head>\n<body>\n<header>\n<h1>Tests of rules</h1>\n");
}

static void add_checks(struct buf *b, const struct reg_verdict *v)
{
	for (size_t i = 0; i < v->count; i++) {
		const struct reg_check *c = &v->checks[i];

		if (c->outcome == REG_PASSED)
			continue;
		buf_addf(b, "<h3>%s: ", reg_outcome_names[c->outcome]);
		escape_html(b, c->name);
		if (c->line)
			buf_addf(b, " <span class=\"soft\">line %u</span>", c->line);
		buf_lit(b, "</h3>\n<pre>");
		reg_lines(b, c->text, "", escape_html);
		buf_lit(b, "</pre>\n");
	}
}

static void add_failed(struct buf *b, const struct reg_result *r)
{
	if (r->verdict.outcome == REG_PASSED)
		return;
	buf_lit(b, "<h2>");
	escape_html(b, sv_of(r->test.name));
	buf_lit(b, "</h2>\n");
	if (r->verdict.outcome == REG_BROKEN) {
		buf_lit(b, "<p>It could not be run.</p>\n<pre>");
		reg_lines(b, sv_of(r->err.msg), "", escape_html);
		buf_lit(b, "</pre>\n");
		return;
	}
	add_checks(b, &r->verdict);
}

static void add_row(struct buf *b, const struct reg_result *r, const struct reg_output_options *opt)
{
	buf_lit(b, "<tr><td>");
	escape_html(b, sv_of(r->test.name));
	buf_addf(b, "</td><td>%s</td><td class=\"n\">%llu</td><td class=\"n\">%llu</td>",
		 reg_outcome_names[r->verdict.outcome], (unsigned long long)r->events,
		 (unsigned long long)(r->got.count + r->got.dropped));
	if (opt->timing)
		buf_addf(b, "<td class=\"n\">%.3f</td>", (double)r->cpu_ns / 1e6);
	buf_lit(b, "</tr>\n");
}

void reg_html(struct buf *b, struct reg_suite *s, const struct reg_output_options *opt)
{
	const struct reg_totals t = reg_suite_totals(s);
	struct reg_result *all;
	size_t n;

	all = reg_suite_results(s, &n);
	head(b);
	buf_addf(b,
		 "<p>%zu tests, %llu alerts in %llu events; Scapula %s</p>\n</header>\n<main>\n"
		 "<div class=\"cards\">\n",
		 n, (unsigned long long)t.alerts, (unsigned long long)t.events, opt->version);
	for (int i = 0; i < REG_OUTCOME_COUNT; i++)
		if (t.outcomes[i])
			buf_addf(b,
				 "<div class=\"card %s\"><h3>%s</h3><p class=\"word\">%llu</p>"
				 "</div>\n",
				 card_class[i], reg_outcome_names[i],
				 (unsigned long long)t.outcomes[i]);
	buf_lit(b, "</div>\n");
	for (size_t i = 0; i < n; i++)
		add_failed(b, &all[i]);
	buf_lit(b, "<h2>All tests</h2>\n<table>\n<thead><tr><th>test</th><th>outcome</th>"
		   "<th class=\"n\">events</th><th class=\"n\">alerts</th>");
	if (opt->timing)
		buf_lit(b, "<th class=\"n\">CPU ms</th>");
	buf_lit(b, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < n; i++)
		add_row(b, &all[i], opt);
	buf_lit(b, "</tbody>\n</table>\n</main>\n</body>\n</html>\n");
}
