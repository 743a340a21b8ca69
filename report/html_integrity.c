/* SPDX-License-Identifier: Apache-2.0 */
/* What the page stands on: captures with hashes, seals and damage; runs with commands; rules. */
#include <inttypes.h>

#include "report/html.h"

/* --- captures */

static void state(struct html *h, const char *look, const char *text)
{
	buf_addf(h->b, "<span class=\"state %s\">%s</span>", look, text);
}

static void seal(struct html *h, const struct rep_capture *k)
{
	switch (rep_seal_of(k)) {
	case REP_SEAL_INTACT:
		state(h, "ok", "✓ intact, and its hash is that of the capture");
		break;
	case REP_SEAL_PREFIX:
		state(h, "meh", "! covers a beginning of the capture");
		break;
	case REP_SEAL_ALTERED:
		state(h, "no", "✗ does not match: capture or seal was changed");
		break;
	case REP_SEAL_NONE:
		state(h, "meh", "! none: a later change of the capture would not show");
		break;
	}
	if (k->seal_origin.n) {
		buf_lit(h->b, ", made by ");
		html_bdi(h, k->seal_origin);
	}
	if (k->seal_made_ts) {
		buf_lit(h->b, ", begun ");
		html_exact_time(h, k->seal_made_ts);
	}
}

static void pair_text(struct html *h, const char *name)
{
	buf_addf(h->b, "<tr><th scope=\"row\">%s</th><td>", name);
}

static void missing(struct html *h, const struct rep_capture *k)
{
	pair_text(h, "Complete");
	if (k->interrupted)
		state(h, "no", "✗ not read to its end");
	else if (k->gaps > 0 || k->lost_events > 0)
		state(h, "meh", "! something is missing");
	else
		state(h, "ok", "✓ nothing is known to be missing");
	buf_lit(h->b, "</td></tr>\n");
	pair_text(h, "Missing");
	html_count(h, k->gaps > 0 ? (uint64_t)k->gaps : 0, "gap", "gaps");
	buf_lit(h->b, "; ");
	html_count(h, k->lost_events > 0 ? (uint64_t)k->lost_events : 0,
		   "event lost while recording", "events lost while recording");
	buf_lit(h->b, "; ");
	html_count(h, k->events_unknown > 0 ? (uint64_t)k->events_unknown : 0,
		   "event of an unknown type", "events of unknown types");
	buf_lit(h->b, "; ");
	html_count(h, k->unknown_blocks > 0 ? (uint64_t)k->unknown_blocks : 0, "unknown block",
		   "unknown blocks");
	buf_lit(h->b, "</td></tr>\n");
}

static void clocks(struct html *h, const struct rep_capture *k)
{
	pair_text(h, "Events");
	html_number(h, k->events);
	buf_lit(h->b, ", from ");
	html_exact_time(h, k->first_ts);
	buf_lit(h->b, " to ");
	html_exact_time(h, k->last_ts);
	buf_lit(h->b, " UTC</td></tr>\n");
	if (k->boot_ts) {
		pair_text(h, "Machine started");
		html_exact_time(h, k->boot_ts);
		buf_lit(h->b, " UTC, by its clock</td></tr>\n");
	}
}

static void capture(struct html *h, const struct rep_capture *k)
{
	buf_addf(h->b, "<h3 id=\"capture-%" PRId64 "\">Capture %" PRId64 ": ", k->capture_id,
		 k->capture_id);
	html_code(h, k->path);
	buf_lit(h->b, "</h3>\n<table class=\"pairs\"><caption>Facts about the capture</caption>"
		      "<tbody>\n");
	if (k->sha256.p) {
		html_pair(h, "SHA-256", k->sha256);
	} else {
		pair_text(h, "SHA-256");
		buf_lit(h->b, "not known: it was never read to its end</td></tr>\n");
	}
	pair_text(h, "Seal");
	seal(h, k);
	buf_lit(h->b, "</td></tr>\n");
	missing(h, k);
	html_pair(h, "Host", k->hostname);
	clocks(h, k);
	pair_text(h, "Size");
	html_number(h, k->file_size);
	buf_lit(h->b, " bytes as stored (");
	html_text(h, k->compression);
	buf_lit(h->b, "), ");
	html_number(h, k->stream_size);
	buf_lit(h->b, " bytes of format ");
	html_text(h, k->format);
	buf_lit(h->b, "</td></tr>\n");
	if (k->cut_values > 0)
		html_pair_number(h, "Texts that were cut", k->cut_values);
	html_pair_number(h, "Alerts", k->alerts);
	buf_lit(h->b, "</tbody></table>\n");
}

static int captures(struct html *h)
{
	struct rep_rows *r = NULL;
	struct rep_capture k;
	int rc = rep_captures_open(h->c, &r, h->err);

	while (rc >= 0 && (rc = rep_capture_next(r, &k, h->err)) > 0) {
		capture(h, &k);
		rc = html_row(h);
	}
	rep_rows_close(r);
	return rc;
}

static int gaps(struct html *h)
{
	struct rep_rows *r = NULL;
	struct rep_gap g;
	uint64_t n = 0;
	int rc = rep_gaps_open(h->c, &r, h->err);

	while (rc >= 0 && (rc = rep_gap_next(r, &g, h->err)) > 0) {
		if (n++ == 0)
			html_table(h, "", "Places where something is missing or damaged",
				   "Capture|#Offset|#Bytes|Reason|What was found");
		if (n > HTML_GAPS_MAX)
			continue;
		buf_lit(h->b, "<tr>");
		html_code_cell(h, g.path);
		html_number_cell(h, g.stream_offset);
		html_number_cell(h, g.bytes);
		html_cell(h, g.reason);
		html_cell(h, g.description);
		buf_lit(h->b, "</tr>\n");
		rc = html_row(h);
	}
	rep_rows_close(r);
	if (n)
		html_table_end(h);
	html_left_out(h, n < HTML_GAPS_MAX ? n : HTML_GAPS_MAX, n, "places");
	return rc;
}

static int losses(struct html *h)
{
	struct rep_rows *r = NULL;
	struct rep_loss l;
	uint64_t n = 0;
	int rc = rep_losses_open(h->c, &r, h->err);

	while (rc >= 0 && (rc = rep_loss_next(r, &l, h->err)) > 0) {
		if (n++ == 0)
			html_table(h, "", "What happened, but is not in the case",
				   "Capture|What|#Count|Why");
		buf_lit(h->b, "<tr>");
		html_code_cell(h, l.path);
		html_cell(h, l.what);
		html_number_cell(h, l.count);
		html_cell(h, l.description);
		buf_lit(h->b, "</tr>\n");
		rc = html_row(h);
	}
	rep_rows_close(r);
	if (n)
		html_table_end(h);
	return rc;
}

int html_integrity(struct html *h)
{
	int rc;

	buf_lit(h->b,
		"<section aria-labelledby=\"integrity\">\n<h2 id=\"integrity\">Integrity</h2>\n"
		"<p>What is said here is derived; the captures are the evidence. Whoever has a "
		"capture can check that it is the one that was read: <code>sha256sum</code> must "
		"give the hash below. <code>scapula verify</code> compares every byte with its "
		"seal. A seal proves that nothing changed since it was begun, not who recorded."
		"</p>\n");
	rc = captures(h);
	if (rc == 0)
		rc = gaps(h);
	if (rc == 0)
		rc = losses(h);
	buf_lit(h->b, "</section>\n");
	return rc;
}

/* --- runs */

static void run(struct html *h, const struct rep_run *k)
{
	buf_addf(h->b, "<h3 id=\"run-%" PRId64 "\">Run %" PRId64 "</h3>\n", k->run_id, k->run_id);
	html_pre(h, k->command);
	buf_lit(h->b, "<table class=\"pairs\"><caption>Facts about the run</caption>"
		      "<tbody>\n");
	html_pair(h, "Version", k->version);
	pair_text(h, "Started");
	html_exact_time(h, k->started_ts);
	buf_lit(h->b, " UTC</td></tr>\n");
	pair_text(h, "Ended");
	if (k->finished) {
		html_exact_time(h, k->finished_ts);
		buf_addf(h->b, " UTC, exit status %" PRId64 "</td></tr>\n", k->exit_status);
	} else {
		state(h, "no", "✗ it did not: its results are a beginning of what there would be");
		buf_lit(h->b, "</td></tr>\n");
	}
	pair_text(h, "Rules per event");
	buf_str(h->b, sv_is(k->matching, "all") ? "all that match" : "the first that matches");
	buf_lit(h->b, "</td></tr>\n");
	html_pair_number(h, "Rules switched on", k->rules);
	html_pair_number(h, "Captures read", k->captures);
	html_pair_number(h, "Alerts found", k->alerts);
	buf_lit(h->b, "</tbody></table>\n");
}

static int runs(struct html *h)
{
	struct rep_rows *r = NULL;
	struct rep_run k;
	int rc = rep_runs_open(h->c, &r, h->err);

	while (rc >= 0 && (rc = rep_run_next(r, &k, h->err)) > 0) {
		run(h, &k);
		rc = html_row(h);
	}
	rep_rows_close(r);
	return rc;
}

static int rule_files(struct html *h)
{
	struct rep_rows *r = NULL;
	struct rep_rule_file f;
	uint64_t n = 0;
	int rc = rep_rule_files_open(h->c, &r, h->err);

	while (rc >= 0 && (rc = rep_rule_file_next(r, &f, h->err)) > 0) {
		if (n++ == 0)
			html_table(h, "", "Rule files, as they were read",
				   "#Run|#Order|File|SHA-256|Loaded");
		buf_lit(h->b, "<tr>");
		html_number_cell(h, f.run_id);
		html_number_cell(h, f.seq);
		html_code_cell(h, f.name);
		buf_lit(h->b, "<td class=\"h\">");
		html_text(h, f.sha256);
		buf_lit(h->b, "</td><td>");
		state(h, f.ok ? "ok" : "no", f.ok ? "✓ yes" : "✗ with errors");
		buf_lit(h->b, "</td></tr>\n");
		rc = html_row(h);
	}
	rep_rows_close(r);
	if (n)
		html_table_end(h);
	return rc;
}

static void this_report(struct html *h)
{
	buf_lit(h->b, "<h3>This report</h3>\n");
	if (h->opt->command)
		html_pre(h, sv_of(h->opt->command));
	buf_lit(h->b, "<p>Made by scapula ");
	html_text(h, sv_of(h->opt->version ? h->opt->version : ""));
	buf_lit(h->b, ". The same case and the same command give the same bytes.</p>\n");
}

int html_making(struct html *h)
{
	int rc;

	buf_lit(h->b,
		"<section aria-labelledby=\"making\">\n<h2 id=\"making\">How it was made</h2>\n");
	rc = runs(h);
	if (rc == 0)
		rc = rule_files(h);
	this_report(h);
	buf_lit(h->b, "</section>\n");
	return rc;
}

/* --- rules */

static void rule(struct html *h, const struct rep_rule *k)
{
	buf_addf(h->b, "<h3 id=\"text-%" PRId64 "\">", k->rule_id);
	html_badge(h, k->severity);
	buf_char(h->b, ' ');
	html_bdi(h, k->name);
	buf_lit(h->b, "</h3>\n");
	html_paragraph(h, k->description);
	buf_lit(h->b, "<h4>Condition</h4>\n");
	html_pre(h, k->condition);
	buf_lit(h->b, "<h4>Output</h4>\n");
	html_pre(h, k->output);
	buf_lit(h->b, "<table class=\"pairs\"><caption>Facts about the rule</caption>"
		      "<tbody>\n");
	html_pair(h, "Digest", k->digest);
	html_pair(h, "Source", k->source);
	html_pair(h, "File", k->file);
	html_pair_number(h, "Line", k->line);
	html_pair(h, "Tags", k->tags);
	buf_lit(h->b, "</tbody></table>\n");
}

static void silent(struct html *h, const struct rep_rule *k)
{
	buf_lit(h->b, "<tr>");
	html_cell(h, k->name);
	buf_lit(h->b, "<td>");
	html_badge(h, k->severity);
	buf_addf(h->b, "</td><td>%s</td><td class=\"h\">", k->enabled ? "on" : "off");
	html_text(h, k->digest);
	buf_lit(h->b, "</td></tr>\n");
}

/* Rules that gave alerts with their texts, or a table of the others. */
static int list(struct html *h, bool fired)
{
	struct rep_rows *r = NULL;
	struct rep_rule k;
	uint64_t n = 0;
	int rc = rep_rules_open(h->c, !fired, &r, h->err);

	while (rc >= 0 && (rc = rep_rule_next(r, &k, h->err)) > 0) {
		if (!fired && k.alerts > 0)
			continue;
		if (n++ == 0 && !fired) {
			buf_lit(h->b, "<details><summary>Rules without alerts</summary>\n");
			html_table(h, " class=\"sortable\"", "Rules that gave no alert",
				   "Rule|Severity|Switched|Digest");
		}
		if (n > HTML_RULES_MAX)
			continue;
		if (fired)
			rule(h, &k);
		else
			silent(h, &k);
		rc = html_row(h);
	}
	rep_rows_close(r);
	if (n && !fired) {
		html_table_end(h);
		buf_lit(h->b, "</details>\n");
	}
	html_left_out(h, n < HTML_RULES_MAX ? n : HTML_RULES_MAX, n, "rules");
	return rc;
}

int html_rules(struct html *h)
{
	int rc;

	buf_lit(h->b, "<section aria-labelledby=\"rules\">\n<h2 id=\"rules\">Rules</h2>\n"
		      "<p class=\"note\">The digest is a SHA-256 over all that makes up the rule: "
		      "equal digests, equal rules.</p>\n");
	rc = list(h, true);
	if (rc == 0)
		rc = list(h, false);
	buf_lit(h->b, "</section>\n");
	return rc;
}
