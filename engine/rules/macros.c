/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Macros: each is parsed on its own and then put, as a tree, in place of its name. A macro sees the
 * macros whose first definition is older than its own latest one; a rule sees all. How large a tree
 * becomes is measured before it is built, so that a few short macros cannot fill the memory.
 */
#include "engine/rules/internal.h"

struct walk {
	struct rule_compiler *c;
	uint32_t visibility;
	const struct rule_where *where; /* of the condition */
	struct sv text;
	struct flt_pos at;  /* of the macro reference in @text that leads here */
	unsigned expanding; /* how many macros deep */
	uint32_t nodes, depth;
};

int rule_condition_parse(struct rule_compiler *c, struct sv text, const struct rule_where *where,
			 struct flt_node **out)
{
	struct flt_pos pos = {0, 1, 1};
	struct error why;
	int rc = flt_parse(text, FLT_DEPTH_RULES, c->arena, out, &pos, &why);

	if (rc == 0 || rc == ERR_NOMEM)
		return rc;
	return rule_fail(c->v, LOAD_ERR_COMPILE_CONDITION,
			 rule_where_expr(c->v->arena, where, "condition expression", text, pos),
			 "%s", why.msg);
}

static int fail_here(struct walk *w, enum rule_code code, const char *before, struct sv name,
		     const char *after)
{
	return rule_fail(
	    w->c->v, code,
	    rule_where_expr(w->c->v->arena, w->where, "condition expression", w->text, w->at),
	    "%s '%.*s'%s", before, RULE_SHOW(name), after);
}

static int too_large(struct walk *w)
{
	return rule_fail(
	    w->c->v, LOAD_ERR_COMPILE_CONDITION,
	    rule_where_expr(w->c->v->arena, w->where, "condition expression", w->text, w->at),
	    "Condition is too large once its macros are expanded (limits: %d levels, "
	    "%u parts in all conditions together)",
	    RULE_TREE_DEPTH, RULE_TREE_NODES);
}

static int walk_node(struct walk *w, const struct flt_node *n, unsigned level);

static int walk_macro(struct walk *w, struct sv name, unsigned level)
{
	struct rule_macro *m = smap_get(&w->c->l->macro_by_name, name);
	int rc;

	if (!m || m->index >= w->visibility)
		return fail_here(w, LOAD_ERR_VALIDATE, "Undefined macro", name, " used in filter.");
	m->used = true;
	if (m->on_path)
		return fail_here(w, LOAD_ERR_VALIDATE, "reference loop in macro", name, "");
	if (m->resolved) {
		w->nodes += m->nodes;
		if (level + m->depth > w->depth)
			w->depth = level + m->depth;
		return 0;
	}
	m->on_path = true;
	w->expanding++;
	rc = walk_node(w, m->tree, level + 1);
	w->expanding--;
	m->on_path = false;
	return rc;
}

static int walk_node(struct walk *w, const struct flt_node *n, unsigned level)
{
	int rc = 0;

	if (!w->expanding)
		w->at = n->pos;
	w->nodes += 1 + (n->right ? 1 + n->right->count : 0);
	if (level > w->depth)
		w->depth = level;
	if (w->depth <= RULE_TREE_DEPTH && n->kind == FLT_MACRO)
		rc = walk_macro(w, n->name, level);
	if (rc)
		return rc;
	if (w->depth > RULE_TREE_DEPTH || w->c->nodes + w->nodes > RULE_TREE_NODES)
		return too_large(w);
	for (uint32_t i = 0; i < n->count && rc == 0; i++)
		rc = walk_node(w, n->kids[i], level + 1);
	return rc;
}

static const struct flt_node *body_of(void *arg, const struct flt_node *macro, struct error *err)
{
	const struct rule_macro *m =
	    smap_get(&((struct walk *)arg)->c->l->macro_by_name, macro->name);

	if (!m)
		error_set(err, ERR_COMPILE, "no macro of that name");
	return m ? m->tree : NULL;
}

/* Check and measure @tree, then build it anew with all macros in place. */
static int expand(struct walk *w, const struct flt_node *tree, struct flt_node **out)
{
	struct error why;
	int rc = walk_node(w, tree, 1);

	if (rc)
		return rc;
	w->c->nodes += w->nodes;
	rc = flt_resolve_macros(tree, body_of, w, w->c->arena, out, &why);
	if (rc == 0 || rc == ERR_NOMEM)
		return rc;
	return rule_fail(w->c->v, LOAD_ERR_COMPILE_CONDITION, w->where, "%s", why.msg);
}

int rule_macros_apply(struct rule_compiler *c, struct sv text, const struct rule_where *where,
		      const struct flt_node *tree, struct flt_node **out)
{
	struct walk w = {.c = c, .visibility = UINT32_MAX, .where = where, .text = text};

	return expand(&w, tree, out);
}

static int parse_macro(struct rule_compiler *c, struct rule_macro *m)
{
	int rc;

	m->used = m->resolved = m->on_path = false;
	rc = rule_lists_substitute(c, m->condition.s, m->condition_where, &m->text);
	return rc ? rc : rule_condition_parse(c, m->text, m->condition_where, &m->tree);
}

static int resolve_macro(struct rule_compiler *c, struct rule_macro *m)
{
	struct walk w = {
	    .c = c, .visibility = m->visibility, .where = m->condition_where, .text = m->text};
	struct flt_node *tree;
	int rc;

	m->on_path = true;
	rc = expand(&w, m->tree, &tree);
	m->on_path = false;
	if (rc)
		return rc;
	m->tree = tree;
	m->nodes = w.nodes;
	m->depth = w.depth;
	m->resolved = true;
	return 0;
}

int rule_macros_compile(struct rule_compiler *c)
{
	int rc = 0;

	for (size_t i = 0; i < c->l->macros.n && rc == 0; i++)
		rc = parse_macro(c, rule_macro_at(c->l, i));
	for (size_t i = 0; i < c->l->macros.n && rc == 0; i++)
		rc = resolve_macro(c, rule_macro_at(c->l, i));
	return rc;
}
