/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts, by rule: what looks alike, each one, and its details. */
#include <inttypes.h>

#include "report/html.h"

/* --- details of one alert */

static void fields(struct html *h, const struct rep_alert *a)
{
	struct rep_json j;
	bool any = false;

	rep_json_open(&j, a->fields);
	while (j.object && rep_json_next(&j)) {
		if (!any)
			buf_lit(h->b, "<h4>Fields</h4>\n<table class=\"pairs\"><caption>Fields of "
				      "the output</caption><tbody>\n");
		any = true;
		buf_lit(h->b, "<tr><th scope=\"row\">");
		html_text(h, j.name);
		buf_lit(h->b, "</th><td>");
		if (j.kind == REP_JSON_NULL)
			buf_lit(h->b, "<span class=\"soft\">not known</span>");
		else
			html_code(h, j.value);
		buf_lit(h->b, "</td></tr>\n");
	}
	if (any)
		buf_lit(h->b, "</tbody></table>\n");
	rep_json_done(&j);
}

static void ancestor(struct html *h, const struct rep_process *p)
{
	buf_addf(h->b, "<li><a href=\"#process-%" PRId64 "\">%" PRId64 "</a> <b>", p->process_id,
		 p->pid);
	html_bdi(h, p->comm);
	buf_lit(h->b, "</b> ");
	html_code(h, p->cmdline);
	buf_addf(h->b, " <span class=\"soft\">user ");
	if (p->user.n)
		html_bdi(h, p->user);
	else
		buf_addf(h->b, "%" PRId64, p->uid);
	if (p->cwd.n) {
		buf_lit(h->b, ", in ");
		html_code(h, p->cwd);
	}
	buf_lit(h->b, "</span></li>\n");
}

static int lineage(struct html *h, const struct rep_alert *a)
{
	struct rep_process line[REP_LINEAGE_MAX];
	int n = rep_lineage(h->c, a->process_id, a->evt_num, line, COUNT_OF(line), h->err);

	if (n <= 0)
		return n;
	buf_lit(h->b, "<h4>Process, and who started it, as they were then</h4>\n"
		      "<ol class=\"line\">\n");
	for (int i = 0; i < n; i++)
		ancestor(h, &line[i]);
	buf_lit(h->b, "</ol>\n");
	if (n == REP_LINEAGE_MAX && line[n - 1].parent_id)
		buf_lit(h->b, "<p class=\"note\">There are more ancestors.</p>\n");
	return 0;
}

static void end_point(struct html *h, struct sv ip, int64_t port, struct sv name)
{
	html_code(h, ip.n ? ip : SV_LIT("?"));
	if (port >= 0)
		buf_addf(h->b, " port %" PRId64, port);
	if (name.n) {
		buf_lit(h->b, " (");
		html_bdi(h, name);
		buf_char(h->b, ')');
	}
}

static int connection(struct html *h, const struct rep_alert *a)
{
	struct rep_connection n;
	int rc = rep_alert_connection(h->c, a, &n, h->err);

	if (rc <= 0)
		return rc;
	buf_lit(h->b, "<h4>Connection</h4>\n<p>");
	end_point(h, n.local_ip, n.local_port, SV_NONE);
	buf_str(h->b, sv_is(n.direction, "in") ? " ← " : " → ");
	end_point(h, n.remote_ip, n.remote_port, n.remote_name);
	if (n.proto.n) {
		buf_lit(h->b, ", ");
		html_text(h, n.proto);
		buf_lit(h->b, ", ");
		html_text(h, n.state);
		buf_lit(h->b, ", sent ");
		html_bytes(h, n.bytes_out);
		buf_lit(h->b, ", received ");
		html_bytes(h, n.bytes_in);
	}
	buf_lit(h->b, "</p>\n");
	return 0;
}

static void place(struct html *h, const struct rep_alert *a)
{
	buf_lit(h->b, "<h4>Where it is</h4>\n<table class=\"pairs\"><caption>Where the event is in "
		      "the evidence</caption><tbody>\n<tr><th scope=\"row\">Time</th><td>");
	html_exact_time(h, a->ts);
	buf_lit(h->b, " UTC</td></tr>\n");
	html_pair(h, "Capture", a->capture);
	html_pair(h, "SHA-256", a->capture_sha256);
	html_pair_number(h, "Event", a->evt_num);
	html_pair_number(h, "Offset", a->evt_offset);
	html_pair_number(h, "Alert of the case", a->alert_id);
	html_pair_number(h, "Run", a->run_id);
	html_pair(h, "Looks like", sv_of(a->fingerprint));
	html_pair(h, "Container", a->container_id);
	buf_lit(h->b, "</tbody></table>\n");
}

static int details(struct html *h, const struct rep_alert *a)
{
	int rc;

	buf_lit(h->b, "<details><summary>Details</summary><div class=\"inner\">\n");
	fields(h, a);
	rc = lineage(h, a);
	if (rc == 0)
		rc = connection(h, a);
	place(h, a);
	buf_lit(h->b, "</div></details>");
	return rc;
}

static int alert(struct html *h, const struct rep_alert *a)
{
	int rc;

	buf_addf(h->b, "<tr class=\"alert\" id=\"alert-%" PRId64 "\">", a->alert_id);
	html_time_cell(h, a->ts);
	html_cell(h, a->hostname);
	buf_addf(h->b, "<td class=\"p\" data-v=\"%" PRId64 "\">", a->pid);
	if (a->pid >= 0)
		buf_addf(h->b, "%" PRId64 " ", a->pid);
	html_bdi(h, a->comm);
	buf_lit(h->b, "</td><td><bdi>");
	html_text(h, a->output);
	buf_lit(h->b, "</bdi>\n");
	rc = details(h, a);
	buf_lit(h->b, "</td>");
	html_cell(h, a->verdict);
	buf_lit(h->b, "</tr>\n");
	return rc < 0 ? rc : html_row(h);
}

/* --- one rule */

/* The largest groups of alerts that look alike, where that is fewer than there are alerts. */
static int groups(struct html *h, const struct rep_rule *k)
{
	struct rep_rows *r = NULL;
	struct rep_group g;
	uint64_t n = 0;
	int rc = rep_groups_open(h->c, k->rule_id, HTML_GROUPS_MAX + 1, &r, h->err);

	buf_lit(h->b, "<details class=\"box\"><summary>Alerts that look alike</summary>\n");
	html_table(h, " class=\"sortable\"",
		   "Alerts whose fields differ in no more than numbers and times",
		   "#Alerts|First (UTC)|Last (UTC)|One of them|Looks like");
	while (rc >= 0 && (rc = rep_group_next(r, &g, h->err)) > 0) {
		if (n++ == HTML_GROUPS_MAX)
			continue;
		buf_lit(h->b, "<tr>");
		html_number_cell(h, g.alerts);
		html_time_cell(h, g.first_ts);
		html_time_cell(h, g.last_ts);
		html_cell(h, g.example);
		html_code_cell(h, sv_of(g.fingerprint));
		buf_lit(h->b, "</tr>\n");
		rc = html_row(h);
	}
	rep_rows_close(r);
	html_table_end(h);
	if (n > HTML_GROUPS_MAX)
		buf_addf(h->b,
			 "<p class=\"left-out\">Only the first %u groups are shown; "
			 "there are more.</p>\n",
			 HTML_GROUPS_MAX);
	buf_lit(h->b, "</details>\n");
	return rc;
}

static void heading(struct html *h, const struct rep_rule *k)
{
	struct rep_json j;

	buf_addf(h->b,
		 "<section class=\"rule\" aria-labelledby=\"rule-%" PRId64
		 "\">\n<h3 id=\"rule-%" PRId64 "\">",
		 k->rule_id, k->rule_id);
	html_badge(h, k->severity);
	buf_char(h->b, ' ');
	html_bdi(h, k->name);
	buf_lit(h->b, "</h3>\n");
	html_paragraph(h, k->description);
	buf_lit(h->b, "<p class=\"note\">");
	html_count(h, (uint64_t)k->alerts, "alert", "alerts");
	buf_lit(h->b, ", ");
	html_time(h, k->first_ts);
	if (k->last_ts != k->first_ts) {
		buf_lit(h->b, " to ");
		html_time(h, k->last_ts);
	}
	buf_addf(h->b, " · <a href=\"#text-%" PRId64 "\">text of the rule</a> ", k->rule_id);
	rep_json_open(&j, k->tags);
	while (rep_json_next(&j)) {
		buf_lit(h->b, "<span class=\"tag\">");
		html_text(h, j.value);
		buf_lit(h->b, "</span>");
	}
	rep_json_done(&j);
	buf_lit(h->b, "</p>\n");
}

static int list(struct html *h, const struct rep_rule *k, uint64_t *shown)
{
	uint64_t most =
	    h->opt->has_limit || h->left < HTML_ALERTS_RULE_MAX ? h->left : HTML_ALERTS_RULE_MAX;
	struct rep_rows *r = NULL;
	struct rep_alert a;
	int rc;

	*shown = 0;
	if (!most)
		return 0;
	rc = rep_alerts_open(h->c, k->rule_id, most, &r, h->err);
	html_table(h, " class=\"sortable\"", "The alerts in order of time",
		   "Time (UTC)|Host|Process|What|Verdict");
	while (rc >= 0 && (rc = rep_alert_next(r, &a, h->err)) > 0) {
		rc = alert(h, &a);
		++*shown;
	}
	rep_rows_close(r);
	html_table_end(h);
	h->left -= *shown;
	h->out->told += *shown;
	return rc;
}

static int rule(struct html *h, const struct rep_rule *k)
{
	uint64_t shown = 0, all = k->alerts > 0 ? (uint64_t)k->alerts : 0;
	int rc = 0;

	heading(h, k);
	if (all > 1)
		rc = groups(h, k);
	if (rc == 0)
		rc = list(h, k, &shown);
	html_left_out(h, shown, all, "alerts of this rule");
	buf_lit(h->b, "</section>\n");
	return rc;
}

static int rules(struct html *h)
{
	struct rep_rows *r = NULL;
	struct rep_rule k;
	uint64_t n = 0;
	int rc = rep_rules_open(h->c, false, &r, h->err);

	while (rc >= 0 && (rc = rep_rule_next(r, &k, h->err)) > 0)
		if (n++ < HTML_RULES_MAX)
			rc = rule(h, &k);
	rep_rows_close(r);
	html_left_out(h, n < HTML_RULES_MAX ? n : HTML_RULES_MAX, n, "rules with alerts");
	return rc;
}

int html_alerts(struct html *h)
{
	int rc;

	buf_lit(h->b, "<section aria-labelledby=\"alerts\">\n<h2 id=\"alerts\">Alerts</h2>\n"
		      "<div id=\"tools\" class=\"tools\" role=\"search\" aria-label=\"Alerts\" "
		      "hidden></div>\n");
	if (!h->alerts)
		buf_lit(h->b, "<p>There are none.</p>\n");
	h->left = h->opt->has_limit ? h->opt->limit : HTML_ALERTS_MAX;
	rc = rules(h);
	if (h->alerts > h->out->told)
		h->out->left_out = h->alerts - h->out->told;
	buf_lit(h->b, "</section>\n");
	return rc;
}
