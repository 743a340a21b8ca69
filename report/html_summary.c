/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of the page: can the data be trusted, is it bad, where to look first. */
#include <inttypes.h>
#include <stdlib.h>

#include "report/html.h"

/* --- can it be trusted? */

static void trust_item(struct html *h, uint64_t n, const char *one, const char *many)
{
	if (!n)
		return;
	buf_lit(h->b, "<li>");
	html_count(h, n, one, many);
	buf_lit(h->b, "</li>\n");
}

static void trust(struct html *h, const struct rep_totals *t)
{
	bool gaps = t->gaps || t->lost || t->unread;
	const char *look = t->altered				 ? "bad"
			   : gaps || t->unsealed || !t->captures ? "warn"
								 : "good";
	const char *word = t->altered	  ? "✗ A seal does not match"
			   : !t->captures ? "! There are no captures"
			   : gaps	  ? "! Not complete"
			   : t->unsealed  ? "! Complete, but nothing proves it unaltered"
					  : "✓ Complete, and as it was sealed";

	buf_addf(
	    h->b,
	    "<div class=\"card %s\"><h3>Can the data be trusted?</h3>\n<p class=\"word\">%s</p>\n"
	    "<ul>",
	    look, word);
	trust_item(h, t->captures, "capture was read", "captures were read");
	trust_item(h, t->altered, "of them does not match its seal",
		   "of them do not match their seals");
	trust_item(h, t->unread, "was not read to its end", "were not read to their end");
	trust_item(h, t->gaps, "place where something is missing or damaged",
		   "places where something is missing or damaged");
	trust_item(h, t->lost, "event lost while recording, as the recorder says",
		   "events lost while recording, as the recorder says");
	trust_item(h, t->unsealed, "has no intact seal: later changes would not show",
		   "have no intact seal: later changes would not show");
	trust_item(h, t->cut, "text was too long and is cut", "texts were too long and are cut");
	if (t->captures && !gaps)
		buf_lit(h->b, "<li>Nothing is known to be missing</li>\n");
	buf_lit(h->b, "</ul><p><a href=\"#integrity\">Integrity</a> has the details.</p></div>\n");
}

/* --- is it bad? */

static void severities(struct html *h)
{
	const char *look = "good", *word = "✓ No alerts";
	int gravest = 0;

	while (gravest < REP_SEVERITIES && !h->by_severity[gravest])
		gravest++;
	if (gravest <= 3) {
		look = "bad";
		word = "✗ Grave alerts";
	} else if (gravest < REP_SEVERITIES) {
		look = "warn";
		word = gravest == 4 ? "! Warnings" : "! Minor alerts only";
	}
	buf_addf(h->b,
		 "<div class=\"card %s\"><h3>What was found?</h3>\n<p class=\"word\">%s</p>\n<p>",
		 look, word);
	html_count(h, h->alerts, "alert", "alerts");
	buf_lit(h->b, "</p>\n");
	html_legend(h);
	buf_lit(h->b, "</div>\n");
}

/* --- where to look? */

static int top_rules(struct html *h)
{
	struct rep_rows *r = NULL;
	struct rep_rule k;
	int rc = rep_rules_open(h->c, false, &r, h->err);

	for (unsigned i = 0; rc >= 0 && i < HTML_TOP; i++) {
		rc = rep_rule_next(r, &k, h->err);
		if (rc <= 0)
			break;
		buf_addf(h->b, "<li><a href=\"#rule-%" PRId64 "\">", k.rule_id);
		html_bdi(h, k.name);
		buf_addf(h->b, "</a> <span class=\"soft\">%s, ", rep_severity_names[k.severity]);
		html_number(h, k.alerts);
		buf_lit(h->b, "×</span></li>\n");
	}
	rep_rows_close(r);
	return rc < 0 ? rc : 0;
}

static int graver(const void *a, const void *b)
{
	const struct rep_node *x = *(const struct rep_node *const *)a,
			      *y = *(const struct rep_node *const *)b;

	if (x->severity != y->severity)
		return x->severity - y->severity;
	if (x->alerts != y->alerts)
		return x->alerts > y->alerts ? -1 : 1;
	return (x->process_id > y->process_id) - (x->process_id < y->process_id);
}

static int top_processes(struct html *h)
{
	const struct rep_node **nodes = calloc(h->tree.count + 1, sizeof(*nodes));
	size_t n = 0;
	int rc = nodes ? 0 : error_nomem(h->err);

	for (size_t i = 0; nodes && i < h->tree.count; i++)
		if (h->tree.nodes[i].alerts)
			nodes[n++] = &h->tree.nodes[i];
	if (nodes)
		qsort(nodes, n, sizeof(*nodes), graver);
	for (size_t i = 0; i < n && i < HTML_TOP && rc >= 0; i++) {
		struct rep_process p;

		rc = rep_lineage(h->c, nodes[i]->process_id, 0, &p, 1, h->err);
		if (rc <= 0)
			continue;
		buf_addf(h->b, "<li><a href=\"#process-%" PRId64 "\">%" PRId64 " ", p.process_id,
			 p.pid);
		html_bdi(h, p.comm);
		buf_addf(h->b, "</a> <span class=\"soft\">%s, ",
			 rep_severity_names[nodes[i]->severity]);
		html_count(h, (uint64_t)nodes[i]->alerts, "alert", "alerts");
		buf_lit(h->b, "</span></li>\n");
	}
	free(nodes);
	return rc < 0 ? rc : 0;
}

static int where(struct html *h)
{
	int rc;

	buf_lit(h->b, "<div class=\"card\"><h3>Where to look first?</h3>\n");
	if (!h->alerts) {
		buf_lit(h->b, "<p>Nowhere: no alert was selected.</p></div>\n");
		return 0;
	}
	buf_lit(h->b, "<p>Gravest rules:</p><ol>\n");
	rc = top_rules(h);
	buf_lit(h->b, "</ol><p>Processes with the gravest alerts:</p><ol>\n");
	if (rc == 0)
		rc = top_processes(h);
	buf_lit(h->b, "</ol></div>\n");
	return rc;
}

/* --- rules that fired */

static void rule_row(struct html *h, const struct rep_rule *k)
{
	struct rep_attack attack;

	rep_attack_of(k->tags, &attack);
	buf_addf(h->b, "<tr><td data-v=\"%d\">", k->severity);
	html_badge(h, k->severity);
	buf_addf(h->b, "</td><th scope=\"row\"><a href=\"#rule-%" PRId64 "\">", k->rule_id);
	html_bdi(h, k->name);
	buf_lit(h->b, "</a></th>");
	html_number_cell(h, k->alerts);
	html_time_cell(h, k->first_ts);
	html_time_cell(h, k->last_ts);
	buf_lit(h->b, "<td>");
	for (size_t i = 0; i < attack.techniques; i++)
		buf_addf(h->b, "<span class=\"tag\">%s</span>", attack.technique[i]);
	for (size_t i = 0; i < attack.tactics; i++)
		buf_addf(h->b, "<span class=\"tag\">%s</span>", attack.tactic[i]->name);
	buf_lit(h->b, "</td></tr>\n");
}

static int rules_table(struct html *h)
{
	struct rep_rows *r = NULL;
	struct rep_rule k;
	uint64_t n = 0, all = 0;
	int rc = rep_rules_open(h->c, false, &r, h->err);

	html_table(h, " class=\"sortable\"", "Rules that gave alerts, gravest first",
		   "Severity|Rule|#Alerts|First (UTC)|Last (UTC)|ATT&amp;CK");
	while (rc >= 0 && (rc = rep_rule_next(r, &k, h->err)) > 0) {
		all++;
		if (n == HTML_RULES_MAX)
			continue;
		n++;
		rule_row(h, &k);
		rc = html_row(h);
	}
	rep_rows_close(r);
	html_table_end(h);
	html_left_out(h, n, all, "rules");
	return rc;
}

static void range_text(struct html *h, const struct rep_totals *t)
{
	if (!t->first_ts)
		return;
	buf_lit(h->b, "<p>The captures reach from ");
	html_time(h, t->first_ts);
	buf_lit(h->b, " to ");
	html_time(h, t->last_ts);
	buf_lit(h->b, ". All times are UTC, by the clocks of the recorded machines.</p>\n");
}

int html_summary(struct html *h)
{
	struct rep_totals t;
	int rc = rep_totals_of(h->c, &t, h->err);

	if (rc < 0)
		return rc;
	buf_lit(h->b, "<section aria-labelledby=\"summary\">\n<h2 id=\"summary\">In short</h2>\n");
	range_text(h, &t);
	buf_lit(h->b, "<div class=\"cards\">\n");
	trust(h, &t);
	severities(h);
	rc = where(h);
	buf_lit(h->b, "</div>\n");
	if (rc == 0 && h->alerts)
		rc = rules_table(h);
	buf_lit(h->b, "</section>\n");
	return rc;
}
