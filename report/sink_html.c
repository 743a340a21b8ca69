/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case as one page for a browser. It asks for nothing from anywhere: style and script are in it,
 * and its policy allows these two by their hashes and nothing else. Without scripts it says the
 * same.
 */
#include <string.h>

#include "report/assets.h"
#include "report/html.h"
#include "report/html_policy.h"

/* --- the head */

static void title(struct html *h)
{
	const char *name = strrchr(rep_case_name(h->c), '/');

	if (h->opt->title) {
		html_text(h, sv_of(h->opt->title));
		return;
	}
	buf_lit(h->b, "Report on ");
	html_text(h, sv_of(name ? name + 1 : rep_case_name(h->c)));
}

static int head(struct html *h)
{
	int rc;

	buf_lit(h->b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	rc = rep_html_policy(h->b, true) ? 0 : error_nomem(h->err);
	buf_lit(h->b, "<meta name=\"referrer\" content=\"no-referrer\">\n"
		      "<meta name=\"robots\" content=\"noindex, nofollow\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		      "<meta name=\"generator\" content=\"scapula\">\n<title>");
	title(h);
	buf_lit(h->b, "</title>\n<style>");
	buf_add(h->b, embedded_style_css, embedded_style_css_length);
	buf_lit(h->b, "</style>\n</head>\n");
	return rc < 0 ? rc : html_row(h);
}

static int hosts(struct html *h)
{
	struct rep_rows *r = NULL;
	struct sv name;
	unsigned n = 0;
	int rc = rep_hosts_open(h->c, &r, h->err);

	buf_lit(h->b, "<p>");
	while (rc >= 0 && (rc = rep_host_next(r, &name, h->err)) > 0) {
		if (n < 10) {
			buf_str(h->b, n ? ", " : "Recorded on ");
			html_bdi(h, name);
		}
		n++;
	}
	rep_rows_close(r);
	if (n > 10)
		buf_addf(h->b, " and %u more", n - 10);
	buf_lit(h->b, "</p>\n");
	return rc;
}

static void maker(struct html *h)
{
	buf_lit(h->b, "<p>");
	if (h->opt->author) {
		buf_lit(h->b, "By ");
		html_bdi(h, sv_of(h->opt->author));
		buf_lit(h->b, " · ");
	}
	if (h->opt->made >= 0) {
		buf_lit(h->b, "Made ");
		html_time(h, h->opt->made * 1000000000);
		buf_lit(h->b, " UTC · ");
	}
	buf_lit(h->b, "Case <bdi>");
	html_text(h, sv_of(rep_case_name(h->c)));
	buf_lit(h->b, "</bdi></p>\n");
}

static void navigation(struct html *h)
{
	buf_lit(h->b,
		"<nav aria-label=\"Sections\"><ul>\n<li><a href=\"#summary\">In short</a></li>\n");
	if (h->alerts)
		buf_lit(h->b, "<li><a href=\"#timeline\">When</a></li>\n");
	buf_lit(h->b, "<li><a href=\"#alerts\">Alerts</a></li>\n");
	if (h->tree.count)
		buf_lit(h->b, "<li><a href=\"#processes\">Processes</a></li>\n");
	if (h->opt->everything)
		buf_lit(h->b, "<li><a href=\"#events\">What else happened</a></li>\n");
	buf_lit(h->b, "<li><a href=\"#notes\">What people say</a></li>\n"
		      "<li><a href=\"#integrity\">Integrity</a></li>\n"
		      "<li><a href=\"#making\">How it was made</a></li>\n"
		      "<li><a href=\"#rules\">Rules</a></li>\n</ul></nav>\n");
}

static int banner(struct html *h)
{
	int rc;

	buf_lit(h->b, "<body>\n<a class=\"skip\" href=\"#main\">To the report</a>\n<header>\n<h1>");
	title(h);
	buf_lit(h->b, "</h1>\n");
	if (h->opt->question) {
		buf_lit(h->b, "<p class=\"question\">");
		html_text(h, sv_of(h->opt->question));
		buf_lit(h->b, "</p>\n");
	}
	rc = hosts(h);
	maker(h);
	navigation(h);
	buf_lit(h->b, "</header>\n<main id=\"main\">\n");
	return rc;
}

/* --- the page */

static int gather(struct html *h)
{
	int rc = rep_alerts_count(h->c, h->by_severity, h->err);

	for (int i = 0; i < REP_SEVERITIES; i++)
		h->alerts += h->by_severity[i];
	return rc < 0 ? rc : rep_tree_of(h->c, HTML_TREE_MAX, &h->tree, h->err);
}

static int page(struct html *h)
{
	static int (*const sections[])(struct html *) = {
	    head,	    banner,	      html_summary, html_timeline, html_alerts,
	    html_processes, html_connections, html_files,   html_events,   html_said,
	    html_integrity, html_making,      html_rules};
	int rc = gather(h);

	for (size_t i = 0; i < COUNT_OF(sections) && rc >= 0; i++) {
		rc = sections[i](h);
		if (rc >= 0)
			rc = html_row(h);
	}
	if (rc < 0)
		return rc;
	buf_lit(h->b, "</main>\n<footer><p>Made by scapula. This page loads nothing from "
		      "anywhere.</p></footer>\n<script>");
	buf_add(h->b, embedded_script_js, embedded_script_js_length);
	buf_lit(h->b, "</script>\n</body>\n</html>\n");
	return rep_out_end(h->out, h->err);
}

int rep_write_html(struct rep_case *c, const struct rep_options *opt, struct rep_out *out,
		   struct error *err)
{
	struct html h = {.c = c, .opt = opt, .out = out, .b = &out->b, .err = err};
	int rc = page(&h);

	rep_tree_done(&h.tree);
	buf_done(&h.scratch);
	return rc < 0 ? rc : 0;
}
