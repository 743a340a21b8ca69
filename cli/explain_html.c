/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation as a page that needs nothing else: no script, no link, nothing from outside. */
#include "cli/explain.h"

static const char style[] =
    "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;"
    "color:#1b1b1b;background:#fff}"
    "code{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}"
    "ul{list-style:none;margin:0;padding-left:1.2rem;border-left:1px solid #ccc}"
    "li{margin:.15rem 0}.t{display:inline-block;min-width:5.2rem;font-weight:600}"
    ".true{color:#14632b}.false{color:#a11212}.absent{color:#7a5200}.unasked{color:#555}"
    ".at,.why{color:#555;font-size:13px}section{border-top:2px solid #ccc;margin-top:1.5rem}"
    "@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}"
    ".true{color:#7fd894}.false{color:#ff9a9a}.absent{color:#e5bd6a}.unasked,.at,.why{color:#aaa}}";

static void place(struct buf *b, struct rule_place at)
{
	if (!at.file)
		return;
	buf_lit(b, " <span class=\"at\">");
	escape_html(b, sv_of(at.file));
	buf_addf(b, ":%u</span>", at.line);
}

static void code(struct buf *b, struct sv s)
{
	buf_lit(b, "<code>");
	escape_html(b, s);
	buf_lit(b, "</code>");
}

static void truth(struct buf *b, enum flt_truth t)
{
	static const char *const classes[] = {[FLT_NO] = "false",
					      [FLT_YES] = "true",
					      [FLT_GONE] = "absent",
					      [FLT_UNASKED] = "unasked"};

	buf_addf(b, "<span class=\"t %s\">%s</span> ", classes[t], cli_truth_name(t));
}

static void finding(struct buf *b, const struct rule_part *p, const struct flt_finding *f)
{
	if (f->left.p) {
		buf_lit(b, " is ");
		code(b, f->left);
	}
	if (f->right.p) {
		buf_lit(b, ", on the right ");
		code(b, f->right);
	}
	if (f->item >= 0 && (uint32_t)f->item < p->constant_count) {
		const struct rule_constant *k = &p->constants[f->item];

		buf_lit(b, ", item ");
		code(b, k->text);
		if (k->list.n) {
			buf_lit(b, " of list ");
			code(b, k->list);
		}
		place(b, k->at);
	}
	if (f->reason != FLT_BY_VALUE)
		buf_addf(b, " <span class=\"why\">(%s)</span>", flt_reason_name(f->reason));
}

static void part(struct buf *b, const struct explained_event *e, const struct rule_part *p)
{
	static const char *const names[] = {
	    [RULE_PART_AND] = "and",
	    [RULE_PART_OR] = "or",
	    [RULE_PART_NOT] = "not",
	    [RULE_PART_CHECK] = "",
	    [RULE_PART_MACRO] = "macro",
	    [RULE_PART_EXCEPTION] = "no match of exception",
	    [RULE_PART_TUPLE] = "exception values",
	};
	enum flt_truth t = rule_part_truth(p, e->findings);

	buf_lit(b, "<li>");
	if (p->count)
		buf_addf(b, "<details%s><summary>",
			 p->kind == RULE_PART_MACRO && t == FLT_YES ? "" : " open");
	truth(b, t);
	buf_str(b, names[p->kind]);
	if (p->text.n) {
		buf_char(b, ' ');
		code(b, p->text);
	}
	if (p->kind == RULE_PART_CHECK)
		finding(b, p, &e->findings[p->check]);
	place(b, p->at);
	if (p->count) {
		buf_lit(b, "</summary><ul>");
		for (uint32_t i = 0; i < p->count; i++)
			part(b, e, p->kids[i]);
		buf_lit(b, "</ul></details>");
	}
	buf_lit(b, "</li>\n");
}

static void event(struct buf *b, const struct explained *x, const struct explained_event *e)
{
	struct buf room = {0};
	const char *text;
	unsigned at = 0;

	buf_addf(b, "<section><h3>Event %llu, ", (unsigned long long)e->num);
	cli_time(b, e->ts);
	buf_lit(b, "</h3>\n<p>");
	code(b, e->process);
	buf_addf(b, " (%lld) ", (long long)e->tid);
	code(b, e->type);
	buf_char(b, ' ');
	code(b, e->args);
	buf_lit(b, "</p>\n<p>");
	if (e->matches)
		buf_addf(b, "The condition holds: %sreported.", e->obstacles ? "not " : "");
	else
		buf_addf(b, "The condition does not hold: %u of %u parts do not.", e->failing,
			 x->x->conjunct_count);
	while ((text = cli_obstacle_text(x, e, &at, &room)) != NULL) {
		buf_lit(b, " Not reported: ");
		escape_html(b, sv_of(text));
		buf_char(b, '.');
	}
	buf_done(&room);
	if (!e->has_thread)
		buf_lit(b, " Its process is not known.");
	buf_lit(b, "</p>\n<ul>\n");
	part(b, e, x->x->root);
	buf_lit(b, "</ul></section>\n");
}

void cli_explain_html_begin(struct buf *b, const struct rule *rule)
{
	buf_lit(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		   "style-src 'unsafe-inline'\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		   "<title>");
	escape_html(b, rule->name);
	buf_lit(b, "</title>\n<style>");
	buf_str(b, style);
	buf_lit(b, "</style>\n</head>\n<body>\n<h1>");
	escape_html(b, rule->name);
	buf_addf(b, "</h1>\n<p>%s,", rule_priority_name(rule->priority));
	place(b, (struct rule_place){rule->file, rule->line});
	buf_lit(b, "</p>\n<p>");
	code(b, rule->condition);
	buf_lit(b, "</p>\n");
}

void cli_explain_html(struct buf *b, const struct explained *x)
{
	buf_lit(b, "<h2>");
	escape_html(b, sv_of(x->path));
	buf_lit(b, "</h2>\n");
	if (x->other) {
		buf_lit(b, "<p>Of the events that match the rule ");
		code(b, x->other->name);
		buf_addf(b, ", %llu, the condition holds for %llu, reported %llu.</p>\n",
			 (unsigned long long)x->of_types, (unsigned long long)x->matching,
			 (unsigned long long)x->reported);
	} else if (!x->wanted)
		buf_addf(b,
			 "<p>%llu of %llu events are of the types the rule is about; the condition "
			 "holds for %llu, reported %llu.</p>\n",
			 (unsigned long long)x->of_types, (unsigned long long)x->events,
			 (unsigned long long)x->matching, (unsigned long long)x->reported);
	if (x->gaps)
		buf_addf(b, "<p>Places where the capture lost or lacks something: %zu.</p>\n",
			 x->gaps);
	for (size_t i = 0; i < x->count; i++)
		event(b, x, &x->shown[i]);
}

void cli_explain_html_end(struct buf *b)
{
	buf_lit(b, "</body>\n</html>\n");
}
