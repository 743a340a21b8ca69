/* SPDX-License-Identifier: Apache-2.0 */
/* A condition as rows, and what is said of its parts. */
#include <stdlib.h>
#include <string.h>

#include "tui/explain.h"

#define NODES_MAX 100000 /* of one condition */

/* --- the tree */

/* What the rows below a part are kids of: of a macro, what it stands for if that has several. */
static const struct rule_part *body_of(const struct rule_part *p)
{
	const struct rule_part *s = rule_part_subject(p);

	if (s->kind == RULE_PART_MACRO && s->count == 1 &&
	    (s->kids[0]->kind == RULE_PART_AND || s->kids[0]->kind == RULE_PART_OR))
		return s->kids[0];
	return s;
}

/* Return: its number, UINT32_MAX: no memory. */
static uint32_t add(struct tui_explain_tree *t, const struct rule_part *p, unsigned depth,
		    uint32_t parent)
{
	const struct rule_part *s = body_of(p);
	uint32_t i = t->count;

	if (i == t->cap) {
		uint32_t cap = t->cap ? 2 * t->cap : 64;
		struct tui_explain_node *nodes = realloc(t->nodes, cap * sizeof(*nodes));

		if (!nodes || i >= NODES_MAX)
			return UINT32_MAX;
		t->nodes = nodes;
		t->cap = cap;
	}
	t->nodes[t->count++] =
	    (struct tui_explain_node){.part = p, .depth = depth, .parent = parent};
	for (uint32_t k = 0; k < s->count; k++)
		if (add(t, s->kids[k], depth + 1, i) == UINT32_MAX)
			return UINT32_MAX;
	t->nodes[i].behind = t->count;
	return i;
}

int tui_explain_tree_of(struct tui_explain_tree *t, const struct rule_explanation *x,
			struct error *err)
{
	t->count = 0;
	if (add(t, x->root, 0, UINT32_MAX) != UINT32_MAX)
		return 0;
	t->count = 0;
	return error_nomem(err);
}

void tui_explain_tree_judge(struct tui_explain_tree *t, const struct tui_judged *j)
{
	t->matches = j->matches;
	for (uint32_t i = 0; i < t->count; i++) {
		struct tui_explain_node *n = &t->nodes[i];
		const struct rule_part *above;

		n->truth = rule_part_truth(n->part, j->findings);
		n->decides = n->parent == UINT32_MAX;
		if (n->decides)
			continue;
		above = body_of(t->nodes[n->parent].part);
		n->decides =
		    t->nodes[n->parent].decides &&
		    rule_part_decides(above, rule_part_truth(above, j->findings), n->truth);
	}
}

bool tui_explain_is_open(const struct tui_explain_tree *t, uint32_t i)
{
	const struct tui_explain_node *n = &t->nodes[i];
	const struct rule_part *s = rule_part_subject(n->part);

	if (!s->count)
		return false;
	if (n->fold)
		return n->fold > 0;
	/* What excludes an event that is not excluded needs no more words. */
	if (t->matches && (s != n->part || s->kind == RULE_PART_EXCEPTION))
		return false;
	return n->decides;
}

uint32_t tui_explain_next(const struct tui_explain_tree *t, uint32_t i)
{
	uint32_t next = tui_explain_is_open(t, i) ? i + 1 : t->nodes[i].behind;

	return next < t->count ? next : UINT32_MAX;
}

/* Open all of them, or fold them if all are open. */
static void fold_all(struct tui_explain_tree *t)
{
	bool open = true;

	for (uint32_t i = 0; i < t->count; i++)
		open &= !rule_part_subject(t->nodes[i].part)->count || tui_explain_is_open(t, i);
	for (uint32_t i = 0; i < t->count; i++)
		t->nodes[i].fold = open && i ? -1 : 1;
}

bool tui_explain_fold(struct tui_explain_tree *t, uint32_t i, enum tui_action action)
{
	switch (action) {
	case TUI_DO_ENTER:
		t->nodes[i].fold = tui_explain_is_open(t, i) ? -1 : 1;
		return true;
	case TUI_DO_EXPAND:
		t->nodes[i].fold = 1;
		return true;
	case TUI_DO_COLLAPSE:
		t->nodes[i].fold = -1;
		return true;
	case TUI_DO_EXPAND_ALL:
		fold_all(t);
		return true;
	default:
		return false;
	}
}

void tui_explain_tree_done(struct tui_explain_tree *t)
{
	free(t->nodes);
	*t = (struct tui_explain_tree){0};
}

/* --- texts */

const char *tui_truth_word(enum flt_truth t)
{
	static const char *const words[] = {
	    [FLT_NO] = "no", [FLT_YES] = "yes", [FLT_GONE] = "absent", [FLT_UNASKED] = "unasked"};

	return words[t];
}

const char *tui_truth_glyph(const struct tui_screen *s, enum flt_truth t)
{
	return t == FLT_YES    ? tui_glyph(s, TUI_GLYPH_YES)
	       : t == FLT_NO   ? tui_glyph(s, TUI_GLYPH_NO)
	       : t == FLT_GONE ? "-"
			       : "?";
}

enum tui_role tui_truth_role(enum flt_truth t)
{
	return t == FLT_YES    ? TUI_ROLE_GOOD
	       : t == FLT_NO   ? TUI_ROLE_ERROR
	       : t == FLT_GONE ? TUI_ROLE_WARNING
			       : TUI_ROLE_DIM;
}

void tui_explain_part(struct buf *out, const struct rule_part *p)
{
	const struct rule_part *body = body_of(p);

	for (; p->kind == RULE_PART_NOT; p = p->kids[0])
		buf_lit(out, "not ");
	buf_str(out, rule_part_word(p->kind));
	buf_sv(out, p->text);
	if (body != p)
		buf_addf(out, ": %s", rule_part_word(body->kind));
}

void tui_explain_brief(struct buf *out, const struct rule_part *p)
{
	const struct rule_part *first = rule_part_subject(p);

	for (; p->kind == RULE_PART_NOT; p = p->kids[0])
		buf_lit(out, "not ");
	while (first->kind == RULE_PART_AND || first->kind == RULE_PART_OR)
		first = rule_part_subject(first->kids[0]);
	if (first != p)
		buf_addf(out, "%s: ", rule_part_word(p->kind));
	buf_str(out, rule_part_word(first->kind));
	buf_sv(out, first->text);
	if (first != p)
		buf_lit(out, ", ...");
}

void tui_explain_place(struct buf *out, struct rule_place at)
{
	const char *slash = at.file ? strrchr(at.file, '/') : NULL;

	if (at.file && strcmp(at.file, TUI_RULES_KEPT) != 0)
		buf_addf(out, "%s:%u", slash ? slash + 1 : at.file, at.line);
}

void tui_explain_value(struct buf *out, const struct rule_part *p, const struct flt_finding *f)
{
	const char *why = rule_reason_words(f->reason, false);

	(void)p;
	if (f->truth == FLT_UNASKED) {
		buf_lit(out, "its value depends on when it is asked");
		return;
	}
	if (f->left.p)
		buf_addf(out, "%.*s", (int)f->left.n, f->left.p);
	if (f->right.p)
		buf_addf(out, " against %.*s", (int)f->right.n, f->right.p);
	if (*why)
		buf_addf(out, "%s%s", f->left.p ? ", " : "", why);
}

void tui_explain_item(struct buf *out, const struct rule_part *p, const struct flt_finding *f)
{
	const struct rule_constant *k;

	if (f->item < 0 || (uint32_t)f->item >= p->constant_count)
		return;
	k = &p->constants[f->item];
	if (p->constant_count < 2 && !k->list.n)
		return;
	buf_addf(out, "item %.*s", (int)k->text.n, k->text.p);
	if (k->list.n)
		buf_addf(out, " of list %.*s", (int)k->list.n, k->list.p);
	if (k->at.file) {
		buf_lit(out, ", ");
		tui_explain_place(out, k->at);
	}
}

void tui_explain_row(struct buf *out, const struct tui_explain_tree *t, uint32_t i,
		     const struct tui_screen *glyphs)
{
	const struct tui_explain_node *n = &t->nodes[i];
	enum tui_glyph mark = tui_explain_is_open(t, i) ? TUI_GLYPH_OPEN : TUI_GLYPH_FOLDED;

	for (unsigned k = 0; k < n->depth; k++)
		buf_lit(out, "  ");
	buf_addf(out, "%s ", rule_part_subject(n->part)->count ? tui_glyph(glyphs, mark) : " ");
	tui_explain_part(out, n->part);
}

/* --- short lines */

struct telling {
	struct buf *text;
	struct tui_explain_line *lines;
	size_t ends[TUI_EXPLAIN_LINES_MAX];
	int count;
};

static void end_line(struct telling *t, enum tui_role role)
{
	t->lines[t->count].role = role;
	t->ends[t->count++] = t->text->len;
}

static void tell_node(struct telling *t, const struct tui_screen *glyphs,
		      const struct tui_explain_node *n, const struct flt_finding *findings)
{
	const struct rule_part *s = rule_part_subject(n->part);

	if (t->count + 3 > TUI_EXPLAIN_LINES_MAX)
		return;
	for (unsigned i = 1; i < n->depth; i++)
		buf_lit(t->text, "  ");
	buf_addf(t->text, "%s ", tui_truth_glyph(glyphs, n->truth));
	tui_explain_part(t->text, n->part);
	end_line(t, tui_truth_role(n->truth));
	if (s->kind != RULE_PART_CHECK)
		return;
	for (unsigned i = 0; i <= n->depth; i++)
		buf_lit(t->text, "  ");
	buf_str(t->text, findings[s->check].left.p ? "= " : "");
	tui_explain_value(t->text, s, &findings[s->check]);
	end_line(t, TUI_ROLE_NORMAL);
	if (findings[s->check].item < 0)
		return;
	for (unsigned i = 0; i <= n->depth; i++)
		buf_lit(t->text, "  ");
	tui_explain_item(t->text, s, &findings[s->check]);
	if (t->text->len > t->ends[t->count - 1] + 2 * (n->depth + 1))
		end_line(t, TUI_ROLE_DIM);
	else
		t->text->len = t->ends[t->count - 1];
}

static int tell(struct telling *t, struct tui_app *app, struct tui_ruleset *s, const struct rule *r,
		struct error *err)
{
	const struct tui_screen glyphs = {.ascii = tui_app_is_ascii(app)};
	struct tui_explain_tree tree = {0};
	struct tui_judged j;
	unsigned at = 0;
	int rc = tui_ruleset_judge(s, r, FLT_VALUES, &j, err);

	if (rc == 0)
		rc = tui_explain_tree_of(&tree, j.x, err);
	if (rc < 0)
		return rc;
	tui_explain_tree_judge(&tree, &j);
	for (size_t before = 0; t->count < TUI_EXPLAIN_LINES_MAX / 2; before = t->text->len) {
		if (!tui_ruleset_obstacle(s, r, j.matches, &at, t->text))
			break;
		if (t->text->len > before)
			end_line(t, TUI_ROLE_WARNING);
	}
	for (uint32_t i = 0; i != UINT32_MAX; i = tui_explain_next(&tree, i)) {
		const struct tui_explain_node *n = &tree.nodes[i];

		if (n->decides && (n->depth || tree.count == 1))
			tell_node(t, &glyphs, n, j.findings);
	}
	tui_explain_tree_done(&tree);
	return t->text->failed ? error_nomem(err) : 0;
}

int tui_explain_lines(struct tui_app *app, struct sv rule, uint64_t num, struct buf *text,
		      struct tui_explain_line lines[TUI_EXPLAIN_LINES_MAX], struct error *err)
{
	struct telling t = {.text = text, .lines = lines};
	struct tui_ruleset *s;
	const struct rule *r;
	int rc = tui_app_rules(app, &s, err);
	size_t from = 0;

	buf_reset(text);
	if (rc == 0)
		rc = tui_ruleset_look(s, num, err);
	if (rc < 0)
		return rc;
	r = tui_ruleset_find(s, rule);
	if (!r)
		return error_set(err, ERR_USAGE, "the rule is none of those that are known now");
	rc = tell(&t, app, s, r, err);
	for (int i = 0; rc == 0 && i < t.count; i++) {
		lines[i].text = sv_make(text->p + from, t.ends[i] - from);
		from = t.ends[i];
	}
	return rc < 0 ? rc : t.count;
}
