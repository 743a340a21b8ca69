/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files that write the HTML report. All that comes from a case goes through
 * html_text() and its kin; ids, links and values of attributes are made of numbers alone.
 */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "report/report.h"

#define HTML_TEXT_MAX	     4096u  /* bytes of one text that are shown */
#define HTML_LONG_MAX	     65536u /* of a condition or a command line of a run */
#define HTML_ALERTS_MAX	     2000u  /* alerts told, unless a limit is given */
#define HTML_ALERTS_RULE_MAX 100u   /* of them, of one rule */
#define HTML_GROUPS_MAX	     20u    /* groups of alerts that look alike, of one rule */
#define HTML_TREE_MAX	     3000u  /* processes in trees */
#define HTML_DEPTH_MAX	     64u    /* of trees; what is deeper stands beside */
#define HTML_CONNECTIONS_MAX 200u
#define HTML_FILES_MAX	     500u
#define HTML_EVENTS_MAX	     5000u
#define HTML_GAPS_MAX	     200u
#define HTML_RULES_MAX	     2000u /* rules whose text is shown */
#define HTML_TOP	     5u	   /* where to look first */

struct html {
	struct rep_case *c;
	const struct rep_options *opt;
	struct rep_out *out;
	struct buf *b; /* of @out */
	struct buf scratch;
	struct error *err;
	struct rep_tree tree;
	uint64_t by_severity[REP_SEVERITIES], alerts;
	uint64_t left; /* alerts that may still be told */
};

/* --- pieces (html_parts.c) */

/* Up to @max bytes; what is left out is counted. */
void html_clipped(struct html *h, struct sv s, size_t max);
void html_text(struct html *h, struct sv s);
/* The same in an element of its own, so that its direction is its own matter; "-" for SV_NONE. */
void html_bdi(struct html *h, struct sv s);
void html_code(struct html *h, struct sv s);
/* In <pre>: a text of several lines, up to HTML_LONG_MAX bytes of it. */
void html_pre(struct html *h, struct sv s);
/* The same as prose, in <p>; nothing if it is empty. */
void html_paragraph(struct html *h, struct sv s);
void html_number(struct html *h, int64_t n); /* grouped by thousands; "-" below 0 */
void html_bytes(struct html *h, int64_t n);
void html_time(struct html *h, int64_t ts);	  /* with milliseconds, exact in its attribute */
void html_exact_time(struct html *h, int64_t ts); /* all digits */
void html_badge(struct html *h, int severity);
void html_legend(struct html *h); /* how many alerts there are of each severity that has any */

/* Cells of a table. */
void html_cell(struct html *h, struct sv s);
void html_code_cell(struct html *h, struct sv s);
void html_number_cell(struct html *h, int64_t n);
void html_bytes_cell(struct html *h, int64_t n);
void html_time_cell(struct html *h, int64_t ts);
/* A row "name: value" of a table of pairs; nothing if there is no value. */
void html_pair(struct html *h, const char *name, struct sv s);
void html_pair_number(struct html *h, const char *name, int64_t n);
/* A table with heads; @heads are separated by '|', those of numbers begin with '#'. */
void html_table(struct html *h, const char *attributes, const char *caption, const char *heads);
void html_table_end(struct html *h);
/* "1 alert", "2 alerts" */
void html_count(struct html *h, uint64_t n, const char *one, const char *many);
/* A visible sentence about what a limit left out. */
void html_left_out(struct html *h, uint64_t shown, uint64_t all, const char *what);
/* After each row. Return: 0 or ERR_*. */
MUST_CHECK int html_row(struct html *h);

/* --- sections; each returns 0 or ERR_* */

MUST_CHECK int html_summary(struct html *h);   /* html_summary.c */
MUST_CHECK int html_timeline(struct html *h);  /* html_timeline.c */
MUST_CHECK int html_alerts(struct html *h);    /* html_alerts.c */
MUST_CHECK int html_processes(struct html *h); /* html_facts.c */
MUST_CHECK int html_connections(struct html *h);
MUST_CHECK int html_files(struct html *h);
MUST_CHECK int html_events(struct html *h);
MUST_CHECK int html_said(struct html *h);
MUST_CHECK int html_integrity(struct html *h); /* html_integrity.c */
MUST_CHECK int html_making(struct html *h);
MUST_CHECK int html_rules(struct html *h);

#endif
