/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a rule matches an event, or does not, as rows and as short lines. Threads: that of the
 * program.
 */
#ifndef TUI_EXPLAIN_H
#define TUI_EXPLAIN_H

#include "tui/app.h"
#include "tui/ruleset.h"

#define TUI_EXPLAIN_LINES_MAX 48

struct tui_explain_line {
	enum tui_role role;
	struct sv text; /* of the buffer; not harmless */
};
/*
 * For a pane beside an event: the parts that decided whether rule @rule matches event @num of the
 * current capture, with their values. @text is emptied first. Return: how many lines, or ERR_*
 * (ERR_USAGE: there is no such rule now, ERR_UNSUPPORTED: no rules, or not indexed yet).
 */
MUST_CHECK int tui_explain_lines(struct tui_app *app, struct sv rule, uint64_t num,
				 struct buf *text,
				 struct tui_explain_line lines[TUI_EXPLAIN_LINES_MAX],
				 struct error *err);

/* --- the condition as a tree that can be folded */

struct tui_explain_node {
	const struct rule_part *part; /* with its negations */
	unsigned depth;
	uint32_t parent;      /* UINT32_MAX: none */
	uint32_t behind;      /* the first node that is not below it */
	enum flt_truth truth; /* of the part, for the event at hand */
	bool decides;
	int8_t fold; /* by hand: 1 open, -1 folded; 0: as it decides */
};

struct tui_explain_tree { /* zeroed: empty */
	struct tui_explain_node *nodes;
	uint32_t count, cap;
	bool matches;
};
/* Of that condition; what was folded by hand is forgotten. Return: 0 or ERR_NOMEM. */
MUST_CHECK int tui_explain_tree_of(struct tui_explain_tree *t, const struct rule_explanation *x,
				   struct error *err);
/* What was found about the event. */
void tui_explain_tree_judge(struct tui_explain_tree *t, const struct tui_judged *j);
bool tui_explain_is_open(const struct tui_explain_tree *t, uint32_t i);
/* The next row behind @i, UINT32_MAX: none. */
uint32_t tui_explain_next(const struct tui_explain_tree *t, uint32_t i);
/* ENTER, EXPAND, COLLAPSE, EXPAND_ALL on node @i. False: it is none of them. */
bool tui_explain_fold(struct tui_explain_tree *t, uint32_t i, enum tui_action action);
/* The text of its row: indented, with a mark for what can be folded. */
void tui_explain_row(struct buf *out, const struct tui_explain_tree *t, uint32_t i,
		     const struct tui_screen *glyphs);
void tui_explain_tree_done(struct tui_explain_tree *t);

/* Texts. */
void tui_explain_part(struct buf *out, const struct rule_part *p);
/* With what it begins with, if it has no text of its own. */
void tui_explain_brief(struct buf *out, const struct rule_part *p);
void tui_explain_place(struct buf *out, struct rule_place at);
void tui_explain_value(struct buf *out, const struct rule_part *p, const struct flt_finding *f);
void tui_explain_item(struct buf *out, const struct rule_part *p, const struct flt_finding *f);
const char *tui_truth_word(enum flt_truth t); /* "yes", "no", "absent", "not asked" */
const char *tui_truth_glyph(const struct tui_screen *s, enum flt_truth t);
enum tui_role tui_truth_role(enum flt_truth t);

#endif
