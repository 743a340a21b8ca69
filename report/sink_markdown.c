/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case as a summary in Markdown, for tickets: at most about 200 lines unless more alerts are
 * asked for, and where to find what is left out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "report/report.h"

#define MARKDOWN_TEXT_MAX 600u /* bytes of one text */
#define ALERTS_MAX	  50u  /* unless a limit is given */
#define RULES_MAX	  40u
#define TREE_MAX	  25u
#define SAID_MAX	  20u
#define CAPTURES_MAX	  20u
#define RUNS_MAX	  10u
#define INDENT_MAX	  12u /* of the tree */

struct markdown {
	struct rep_case *c;
	const struct rep_options *opt;
	struct rep_out *out;
	struct buf *b;
	struct error *err;
	uint64_t by_severity[REP_SEVERITIES], alerts;
};

/* --- pieces */

static void text(struct markdown *m, struct sv s)
{
	size_t n = s.n < MARKDOWN_TEXT_MAX ? s.n : MARKDOWN_TEXT_MAX;

	while (n < s.n && n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	escape_markdown(m->b, sv_make(s.p, n));
	if (n < s.n)
		buf_addf(m->b, " … %zu bytes more", s.n - n);
}

/* A cell and the bar behind it. */
static void cell(struct markdown *m, struct sv s)
{
	buf_char(m->b, ' ');
	if (s.n)
		text(m, s);
	else
		buf_char(m->b, '-');
	buf_lit(m->b, " |");
}

static void number(struct markdown *m, int64_t n)
{
	if (n < 0)
		buf_lit(m->b, " - |");
	else
		buf_addf(m->b, " %" PRId64 " |", n);
}

static void time_cell(struct markdown *m, int64_t ts)
{
	buf_char(m->b, ' ');
	rep_time(m->b, ts);
	buf_lit(m->b, " |");
}

/* @heads: "A | B"; a column of numbers ends with ':'. */
static void table(struct markdown *m, const char *heads)
{
	buf_lit(m->b, "\n| ");
	for (const char *p = heads; *p; p++)
		if (*p != ':')
			buf_char(m->b, *p);
	buf_lit(m->b, " |\n|");
	while (*heads) {
		size_t n = strcspn(heads, "|");
		bool right = memchr(heads, ':', n) != NULL;

		buf_str(m->b, right ? " ---: |" : " --- |");
		heads += n + (heads[n] == '|');
	}
	buf_char(m->b, '\n');
}

static void heading(struct markdown *m, const char *title)
{
	buf_addf(m->b, "\n## %s\n", title);
}

static void left_out(struct markdown *m, uint64_t shown, uint64_t all, const char *what)
{
	if (shown < all)
		buf_addf(m->b,
			 "\n**Not everything is shown:** %" PRIu64 " of %" PRIu64
			 " %s are here, %" PRIu64 " are left out.\n",
			 shown, all, what, all - shown);
}

static void some_left_out(struct markdown *m, uint64_t shown, uint64_t max, const char *what)
{
	if (shown > max)
		buf_addf(m->b,
			 "\n**Not everything is shown:** %" PRIu64 " %s are here, more are left "
			 "out.\n",
			 max, what);
}

/* --- in short */

static void title(struct markdown *m)
{
	const char *name = rep_case_name(m->c), *slash = strrchr(name, '/');

	buf_lit(m->b, "# ");
	if (m->opt->title) {
		text(m, sv_of(m->opt->title));
	} else {
		buf_lit(m->b, "Report on ");
		text(m, sv_of(slash ? slash + 1 : name));
	}
	buf_char(m->b, '\n');
	if (m->opt->question) {
		buf_lit(m->b, "\n> ");
		text(m, sv_of(m->opt->question));
		buf_char(m->b, '\n');
	}
	if (m->opt->author) {
		buf_lit(m->b, "\nBy ");
		text(m, sv_of(m->opt->author));
		buf_char(m->b, '\n');
	}
	if (m->opt->made >= 0) {
		buf_lit(m->b, "\nMade ");
		rep_time(m->b, m->opt->made * 1000000000);
		buf_char(m->b, '\n');
	}
}

static void item(struct markdown *m, uint64_t n, const char *what)
{
	if (n)
		buf_addf(m->b, "; %" PRIu64 " %s", n, what);
}

static void trust(struct markdown *m, const struct rep_totals *t)
{
	bool gaps = t->gaps || t->lost || t->unread;

	buf_addf(m->b, "- **Data:** %s. Captures read: %" PRIu64,
		 t->altered	? "**a seal does not match**"
		 : !t->captures ? "**there are no captures**"
		 : gaps		? "**not complete**"
				: "nothing is known to be missing",
		 t->captures);
	item(m, t->altered, "do not match their seals");
	item(m, t->unread, "were not read to their end");
	item(m, t->gaps, "gaps");
	item(m, t->lost, "events lost while recording");
	item(m, t->unsealed, "without an intact seal");
	item(m, t->cut, "texts cut");
	buf_char(m->b, '\n');
}

static void found(struct markdown *m)
{
	const char *between = ": ";

	buf_addf(m->b, "- **Found:** %" PRIu64 " alert%s", m->alerts, m->alerts == 1 ? "" : "s");
	for (int i = 0; i < REP_SEVERITIES; i++) {
		if (!m->by_severity[i])
			continue;
		buf_addf(m->b, "%s%" PRIu64 " %s", between, m->by_severity[i],
			 rep_severity_names[i]);
		between = ", ";
	}
	buf_char(m->b, '\n');
}

static int hosts(struct markdown *m)
{
	struct rep_rows *r = NULL;
	struct sv name;
	unsigned n = 0;
	int rc = rep_hosts_open(m->c, &r, m->err);

	while (rc >= 0 && (rc = rep_host_next(r, &name, m->err)) > 0) {
		if (n < CAPTURES_MAX) {
			buf_str(m->b, n ? ", " : "- **Hosts:** ");
			text(m, name);
		}
		n++;
	}
	rep_rows_close(r);
	if (n > CAPTURES_MAX)
		buf_addf(m->b, " and %u more", n - CAPTURES_MAX);
	if (n)
		buf_char(m->b, '\n');
	return rc;
}

static int summary(struct markdown *m)
{
	struct rep_totals t;
	int rc = rep_totals_of(m->c, &t, m->err);

	if (rc == 0)
		rc = rep_alerts_count(m->c, m->by_severity, m->err);
	if (rc < 0)
		return rc;
	for (int i = 0; i < REP_SEVERITIES; i++)
		m->alerts += m->by_severity[i];
	title(m);
	heading(m, "In short");
	buf_char(m->b, '\n');
	trust(m, &t);
	found(m);
	rc = hosts(m);
	if (t.first_ts) {
		buf_lit(m->b, "- **Time of the captures:** ");
		rep_time(m->b, t.first_ts);
		buf_lit(m->b, " to ");
		rep_time(m->b, t.last_ts);
		buf_lit(m->b, ", by the clocks of the recorded machines\n");
	}
	return rc;
}

/* --- rules and alerts */

static void techniques(struct markdown *m, struct sv tags)
{
	struct rep_attack attack;

	rep_attack_of(tags, &attack);
	for (size_t i = 0; i < attack.techniques; i++)
		buf_addf(m->b, " %s", attack.technique[i]);
	buf_lit(m->b, " |\n");
}

static int rules(struct markdown *m)
{
	struct rep_rows *r = NULL;
	struct rep_rule k;
	uint64_t n = 0;
	int rc;

	if (!m->alerts)
		return 0;
	heading(m, "Rules that gave alerts");
	table(m, "Severity | Rule | Alerts: | First | Last | ATT\\&CK");
	rc = rep_rules_open(m->c, false, &r, m->err);
	while (rc >= 0 && (rc = rep_rule_next(r, &k, m->err)) > 0) {
		if (n++ >= RULES_MAX)
			continue;
		buf_addf(m->b, "| %s |", rep_severity_names[k.severity]);
		cell(m, k.name);
		number(m, k.alerts);
		time_cell(m, k.first_ts);
		time_cell(m, k.last_ts);
		techniques(m, k.tags);
		rc = rep_out_row(m->out, m->err);
	}
	rep_rows_close(r);
	left_out(m, n < RULES_MAX ? n : RULES_MAX, n, "rules");
	return rc;
}

static void alert(struct markdown *m, const struct rep_alert *a)
{
	buf_lit(m->b, "|");
	time_cell(m, a->ts);
	buf_addf(m->b, " %s |", rep_severity_names[a->severity]);
	cell(m, a->rule);
	cell(m, a->hostname);
	buf_lit(m->b, " ");
	if (a->pid >= 0)
		buf_addf(m->b, "%" PRId64 " ", a->pid);
	text(m, a->comm);
	buf_lit(m->b, " |");
	cell(m, a->output);
	cell(m, a->verdict);
	buf_addf(m->b, " %" PRId64 " | %" PRId64 " | %" PRId64 " |\n", a->alert_id, a->capture_id,
		 a->evt_num);
}

/* The alerts of one rule, as many as may still be told. */
static int alerts_of(struct markdown *m, int64_t rule_id, uint64_t *left)
{
	struct rep_rows *r = NULL;
	struct rep_alert a;
	int rc = *left ? rep_alerts_open(m->c, rule_id, *left, &r, m->err) : 0;

	while (r && rc >= 0 && (rc = rep_alert_next(r, &a, m->err)) > 0) {
		alert(m, &a);
		--*left;
		m->out->told++;
		rc = rep_out_row(m->out, m->err);
	}
	rep_rows_close(r);
	return rc;
}

static int alerts(struct markdown *m)
{
	uint64_t left = m->opt->has_limit ? m->opt->limit : ALERTS_MAX;
	struct rep_rows *r = NULL;
	struct rep_rule k;
	int rc;

	heading(m, "Alerts, gravest first");
	if (!m->alerts)
		buf_lit(m->b, "\nThere are none.\n");
	else
		table(m, "Time | Severity | Rule | Host | Process | What | Verdict | Alert: | "
			 "Capture: | Event:");
	rc = rep_rules_open(m->c, false, &r, m->err);
	while (rc >= 0 && left && (rc = rep_rule_next(r, &k, m->err)) > 0)
		rc = alerts_of(m, k.rule_id, &left);
	rep_rows_close(r);
	if (m->alerts > m->out->told)
		m->out->left_out = m->alerts - m->out->told;
	left_out(m, m->out->told, m->alerts, "alerts");
	return rc < 0 ? rc : 0;
}

/* --- processes */

static void process(struct markdown *m, const struct rep_node *n, const struct rep_process *p)
{
	unsigned depth = n->depth < INDENT_MAX ? n->depth : INDENT_MAX;

	buf_addf(m->b, "%*s- %s%" PRId64 " ", (int)(2 * depth), "", n->alerts ? "**" : "", p->pid);
	text(m, p->comm);
	buf_str(m->b, n->alerts ? "**: " : ": ");
	text(m, p->cmdline);
	buf_addf(m->b, " (user ");
	if (p->user.n)
		text(m, p->user);
	else
		buf_addf(m->b, "%" PRId64, p->uid);
	if (n->alerts)
		buf_addf(m->b, ", %" PRId64 " alert%s, %s", n->alerts, n->alerts == 1 ? "" : "s",
			 rep_severity_names[n->severity]);
	buf_lit(m->b, ")\n");
}

static int processes(struct markdown *m)
{
	struct rep_tree t;
	int rc = rep_tree_of(m->c, TREE_MAX, &t, m->err);

	if (rc < 0)
		return rc;
	if (t.count)
		heading(m, "Processes with alerts, and their ancestors");
	if (t.count)
		buf_char(m->b, '\n');
	for (size_t i = 0; i < t.count && rc >= 0; i++) {
		struct rep_process p;

		rc = rep_lineage(m->c, t.nodes[i].process_id, 0, &p, 1, m->err);
		if (rc > 0)
			process(m, &t.nodes[i], &p);
	}
	left_out(m, t.count, t.count + t.left_out, "processes");
	rep_tree_done(&t);
	return rc < 0 ? rc : 0;
}

/* --- what people say */

static int said(struct markdown *m)
{
	static const char *const kinds[] = {"note", "bookmark", "verdict"};
	struct rep_rows *r = NULL;
	struct rep_said s;
	uint64_t n = 0;
	int rc = rep_said_open(m->c, &r, m->err);

	while (rc >= 0 && (rc = rep_said_next(r, &s, m->err)) > 0) {
		if (n++ == 0) {
			heading(m, "What people say");
			table(m, "When | Who | What | Text | Rule | Looks like");
		}
		if (n > SAID_MAX)
			break;
		buf_lit(m->b, "|");
		cell(m, s.written);
		cell(m, s.author);
		buf_addf(m->b, " %s |", kinds[s.kind]);
		buf_char(m->b, ' ');
		if (s.verdict.n) {
			text(m, s.verdict);
			buf_str(m->b, s.text.n ? ": " : "");
		}
		text(m, s.text);
		buf_lit(m->b, " |");
		cell(m, s.rule);
		cell(m, s.fingerprint);
		buf_char(m->b, '\n');
		rc = rep_out_row(m->out, m->err);
	}
	rep_rows_close(r);
	some_left_out(m, n, SAID_MAX, "statements");
	return rc < 0 ? rc : 0;
}

/* --- what it stands on */

static int captures(struct markdown *m)
{
	static const char *const seals[] = {"none", "intact", "of a beginning", "does not match"};
	struct rep_rows *r = NULL;
	struct rep_capture k;
	uint64_t n = 0;
	int rc = rep_captures_open(m->c, &r, m->err);

	heading(m, "Integrity");
	table(m, "Capture: | Path | SHA-256 | Host | Events: | Gaps: | Lost: | Read to its end | "
		 "Seal");
	while (rc >= 0 && (rc = rep_capture_next(r, &k, m->err)) > 0) {
		if (n++ >= CAPTURES_MAX)
			continue;
		buf_lit(m->b, "|");
		number(m, k.capture_id);
		cell(m, k.path);
		cell(m, k.sha256);
		cell(m, k.hostname);
		number(m, k.events);
		number(m, k.gaps);
		number(m, k.lost_events);
		buf_addf(m->b, " %s | %s |\n", k.interrupted ? "**no**" : "yes",
			 seals[rep_seal_of(&k)]);
		rc = rep_out_row(m->out, m->err);
	}
	rep_rows_close(r);
	left_out(m, n < CAPTURES_MAX ? n : CAPTURES_MAX, n, "captures");
	return rc;
}

static int runs(struct markdown *m)
{
	struct rep_rows *r = NULL;
	struct rep_run k;
	uint64_t n = 0;
	int rc = rep_runs_open(m->c, &r, m->err);

	heading(m, "How it was made");
	table(m, "Run: | Command | Version | Started | Ended | Status:");
	while (rc >= 0 && (rc = rep_run_next(r, &k, m->err)) > 0) {
		if (n++ >= RUNS_MAX)
			continue;
		buf_lit(m->b, "|");
		number(m, k.run_id);
		cell(m, k.command);
		cell(m, k.version);
		time_cell(m, k.started_ts);
		if (k.finished)
			time_cell(m, k.finished_ts);
		else
			buf_lit(m->b, " **it did not** |");
		number(m, k.exit_status);
		buf_char(m->b, '\n');
		rc = rep_out_row(m->out, m->err);
	}
	rep_rows_close(r);
	left_out(m, n < RUNS_MAX ? n : RUNS_MAX, n, "runs");
	if (m->opt->command) {
		buf_lit(m->b, "\nThis report: ");
		text(m, sv_of(m->opt->command));
		buf_lit(m->b, ", scapula ");
		text(m, sv_of(m->opt->version ? m->opt->version : ""));
		buf_char(m->b, '\n');
	}
	return rc;
}

int rep_write_markdown(struct rep_case *c, const struct rep_options *opt, struct rep_out *out,
		       struct error *err)
{
	static int (*const sections[])(struct markdown *) = {summary, rules,	alerts, processes,
							     said,    captures, runs};
	struct markdown m = {.c = c, .opt = opt, .out = out, .b = &out->b, .err = err};
	int rc = 0;

	for (size_t i = 0; i < COUNT_OF(sections) && rc >= 0; i++) {
		rc = sections[i](&m);
		if (rc >= 0)
			rc = rep_out_row(out, err);
	}
	return rc < 0 ? rc : rep_out_end(out, err);
}
