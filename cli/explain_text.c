/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation for people: first what decided, then every part with its truth. */
#include <string.h>

#include "cli/explain.h"
#include "cli/table.h"

#define VALUE_MAX 200 /* bytes of a value on a line */
#define CHECK_MAX 160

struct page {
	struct buf *b;
	const struct explained *x;
	const struct explained_event *e;
	bool color;
};

static void begin_color(struct page *p, enum flt_truth t)
{
	static const enum table_style styles[] = {[FLT_NO] = STYLE_BAD,
						  [FLT_YES] = STYLE_GOOD,
						  [FLT_GONE] = STYLE_WARN,
						  [FLT_UNASKED] = STYLE_DIM};

	table_style_begin(p->b, p->color, styles[t]);
}

static void end_color(struct page *p)
{
	table_style_end(p->b, p->color, STYLE_GOOD);
}

/* About @max bytes of @s, and no part of a character. */
static void clipped(struct buf *b, struct sv s, size_t max)
{
	size_t n = s.n < max ? s.n : max;

	while (n && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	cli_safe(b, sv_make(s.p, n));
	if (n < s.n)
		buf_addf(b, "... (%zu bytes)", s.n);
}

/* Files are named where they are not the rule's own. */
static void place(struct page *p, struct rule_place at)
{
	if (!at.file) {
		buf_lit(p->b, "place not known");
		return;
	}
	if (strcmp(at.file, p->x->x->rule->file) == 0) {
		buf_addf(p->b, "line %u", at.line);
		return;
	}
	cli_safe(p->b, sv_of(at.file));
	buf_addf(p->b, ":%u", at.line);
}

static void bracketed_place(struct page *p, struct rule_place at)
{
	buf_lit(p->b, "  [");
	place(p, at);
	buf_lit(p->b, "]\n");
}

static void item(struct page *p, const struct rule_part *part, const struct flt_finding *f)
{
	const struct rule_constant *k;

	if (f->item < 0)
		return;
	if ((uint32_t)f->item >= part->constant_count) {
		buf_addf(p->b, ", constant %d", f->item + 1);
		return;
	}
	k = &part->constants[f->item];
	buf_lit(p->b, ", item ");
	clipped(p->b, k->text, VALUE_MAX);
	if (k->list.n) {
		buf_lit(p->b, " of list ");
		cli_safe(p->b, k->list);
	}
	buf_lit(p->b, " (");
	place(p, k->at);
	buf_char(p->b, ')');
}

static void reason(struct page *p, const struct rule_part *part, const struct flt_finding *f)
{
	if (f->left.p && f->reason != FLT_BY_VALUE)
		buf_lit(p->b, ", ");
	buf_str(p->b, rule_reason_words(f->reason, cli_never_present(p->x, part->check)));
}

/* What was compared, and how it ended. */
static void finding(struct page *p, const struct rule_part *part)
{
	const struct flt_finding *f = &p->e->findings[part->check];

	buf_lit(p->b, "  -- ");
	if (f->truth == FLT_UNASKED) {
		buf_lit(p->b, "not asked: its value depends on when it is asked");
		return;
	}
	if (f->left.p) {
		buf_char(p->b, '"');
		clipped(p->b, f->left, VALUE_MAX);
		buf_char(p->b, '"');
	}
	if (f->right.p) {
		buf_lit(p->b, ", on the right \"");
		clipped(p->b, f->right, VALUE_MAX);
		buf_char(p->b, '"');
	}
	item(p, part, f);
	reason(p, part, f);
}

static void name_of(struct page *p, const struct rule_part *part)
{
	buf_str(p->b, rule_part_word(part->kind));
	clipped(p->b, part->text, CHECK_MAX);
	if (part->kind == RULE_PART_MACRO) {
		buf_lit(p->b, "  (macro, ");
		place(p, part->defined);
		buf_char(p->b, ')');
	}
}

static void part_line(struct page *p, const struct rule_part *part, unsigned level)
{
	enum flt_truth t = rule_part_truth(part, p->e->findings);

	buf_lit(p->b, "  ");
	begin_color(p, t);
	buf_addf(p->b, "%-9s", cli_truth_name(t));
	end_color(p);
	for (unsigned i = 0; i < level; i++)
		buf_lit(p->b, "  ");
	for (; part->kind == RULE_PART_NOT; part = part->kids[0])
		buf_lit(p->b, "not ");
	name_of(p, part);
	if (part->kind == RULE_PART_CHECK)
		finding(p, part);
	bracketed_place(p, part->at);
}

static void tree(struct page *p, const struct rule_part *part, unsigned level)
{
	const struct rule_part *s = rule_part_subject(part);

	part_line(p, part, level);
	for (uint32_t i = 0; i < s->count; i++)
		tree(p, s->kids[i], level + 1);
}

/* --- what decided --- */

static void decisive(struct page *p, const struct rule_part *part, unsigned level)
{
	const struct rule_part *s = rule_part_subject(part);
	enum flt_truth t = rule_part_truth(s, p->e->findings);

	part_line(p, part, level);
	/* What excludes an event that is not excluded needs no more words. */
	if (p->e->matches && (s != part || s->kind == RULE_PART_EXCEPTION))
		return;
	for (uint32_t i = 0; i < s->count; i++)
		if (rule_part_decides(s, t, rule_part_truth(s->kids[i], p->e->findings)))
			decisive(p, s->kids[i], level + 1);
}

/* --- around the condition --- */

static void obstacles(struct page *p)
{
	struct buf room = {0};
	const char *text;
	unsigned at = 0;

	while ((text = cli_obstacle_text(p->x, p->e, &at, &room)) != NULL) {
		buf_lit(p->b, "  not reported: ");
		buf_str(p->b, text);
		buf_char(p->b, '\n');
	}
	buf_done(&room);
}

static void event(struct page *p, bool brief)
{
	const struct explained_event *e = p->e;

	buf_addf(p->b, "\nevent %llu  ", (unsigned long long)e->num);
	cli_time(p->b, e->ts);
	buf_lit(p->b, "  ");
	cli_safe(p->b, e->process);
	buf_addf(p->b, " (%lld)  ", (long long)e->tid);
	cli_safe(p->b, e->type);
	buf_lit(p->b, "\n  ");
	clipped(p->b, e->args, 2 * VALUE_MAX);
	buf_char(p->b, '\n');
	if (!e->has_thread)
		buf_lit(p->b, "  its process is not known: it began before the capture, or its "
			      "beginning is lost; fields of processes are absent\n");
	begin_color(p, e->matches ? FLT_YES : FLT_NO);
	buf_addf(p->b, "  %s", e->matches ? "MATCHES" : "DOES NOT MATCH");
	end_color(p);
	if (e->matches)
		buf_str(p->b, e->obstacles ? ", not reported\n" : ", reported\n");
	else
		buf_addf(p->b, ": %u of %u parts that must hold do not\n", e->failing,
			 p->x->x->conjunct_count);
	obstacles(p);
	for (uint32_t i = 0; (brief || !e->matches) && i < p->x->x->conjunct_count; i++) {
		const struct rule_part *c = p->x->x->conjuncts[i];

		if (e->matches || rule_part_truth(c, e->findings) != FLT_YES)
			decisive(p, c, 0);
	}
	if (brief)
		return;
	buf_str(p->b, e->matches ? "" : "\n  the whole condition:\n");
	tree(p, p->x->x->root, 0);
}

static void gaps(struct page *p)
{
	const struct explained *x = p->x;

	if (!x->gaps)
		return;
	buf_addf(p->b, "%zu place%s where the capture lost or lacks something", x->gaps,
		 x->gaps == 1 ? "" : "s");
	if (x->wanted)
		buf_addf(p->b, ", %zu of them before the event", x->gaps_before);
	if (x->gaps_before) {
		buf_addf(p->b,
			 "; the last one at offset %llu: ", (unsigned long long)x->last_gap.offset);
		cli_safe(p->b, sv_of(x->last_gap.what));
	}
	buf_lit(p->b, "\n");
}

static void survey(struct page *p)
{
	const struct explained *x = p->x;

	cli_grouped(p->b, x->of_types);
	buf_lit(p->b, " of ");
	cli_grouped(p->b, x->events);
	if (x->other) {
		buf_lit(p->b, " events match the rule \"");
		cli_safe(p->b, x->other->name);
		buf_lit(p->b, "\"; of these the condition holds for ");
	} else {
		buf_lit(p->b,
			" events are of the types the rule is about; the condition holds for ");
	}
	cli_grouped(p->b, x->matching);
	buf_lit(p->b, ", reported ");
	cli_grouped(p->b, x->reported);
	if (x->shadowed) {
		buf_lit(p->b, "; for ");
		cli_grouped(p->b, x->shadowed);
		buf_lit(p->b, " an earlier rule is reported instead");
	}
	if (x->filtered) {
		buf_lit(p->b, "; --filter hides ");
		cli_grouped(p->b, x->filtered);
	}
	buf_char(p->b, '\n');
	if (!x->of_types && !x->other)
		buf_lit(p->b, "no event of these types is in the capture\n");
	for (uint32_t i = 0; x->of_types && !x->matching && i < x->x->conjunct_count; i++) {
		const struct rule_part *c = x->x->conjuncts[i];

		if (c->kind != RULE_PART_CHECK || !cli_never_present(x, c->check))
			continue;
		buf_lit(p->b, "none of them has a value for ");
		clipped(p->b, c->text, CHECK_MAX);
		bracketed_place(p, c->at);
	}
}

void cli_explain_text(struct buf *b, const struct explained *x, bool color, bool brief)
{
	struct page p = {.b = b, .x = x, .color = color};
	const struct rule *r = x->x->rule;

	buf_lit(b, "rule \"");
	cli_safe(b, r->name);
	buf_addf(b, "\" (%s), ", rule_priority_name(r->priority));
	cli_safe(b, sv_of(r->file));
	buf_addf(b, ":%u\n", r->line);
	cli_safe(b, sv_of(x->path));
	buf_lit(b, ": ");
	if (!x->wanted)
		survey(&p);
	else
		buf_addf(b, "event %llu\n", (unsigned long long)x->wanted);
	gaps(&p);
	if (!x->count && !x->wanted && x->of_types && !x->matching)
		buf_lit(b, "--near N shows the events that come closest\n");
	for (size_t i = 0; i < x->count; i++) {
		p.e = &x->shown[i];
		event(&p, brief);
	}
	buf_char(b, '\n');
}
