/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter/ast.h"

struct resolver {
	flt_macro_fn resolve;
	void *arg;
	struct arena *arena;
	struct error *err;
	unsigned depth;
	uint64_t count; /* nodes and operands made */
	int rc;
};

static struct flt_node *copy_node(struct resolver *r, const struct flt_node *n);

/* Zeroed memory for @count things, @made of which count towards the limit; NULL: rc says why. */
static void *make(struct resolver *r, size_t count, size_t size, size_t made)
{
	void *p;

	r->count += made;
	if (r->count > FLT_TREE_NODES) {
		r->rc =
		    error_set(r->err, ERR_LIMIT,
			      "the condition has more than %d parts once its macros are expanded",
			      FLT_TREE_NODES);
		return NULL;
	}
	p = arena_zalloc(r->arena, count, size);
	if (!p)
		r->rc = error_nomem(r->err);
	return p;
}

static bool copy_text(struct resolver *r, struct sv *text)
{
	if (!text->p)
		return true;
	*text = arena_sv(r->arena, *text);
	if (!text->p)
		r->rc = error_nomem(r->err);
	return text->p != NULL;
}

/* Operands nest no deeper than the parser allowed. */
static struct flt_expr *copy_expr(struct resolver *r, const struct flt_expr *e)
{
	struct flt_expr *copy = make(r, 1, sizeof(*copy), 1);

	if (!copy)
		return NULL;
	*copy = *e;
	if (!copy_text(r, &copy->text) || !copy_text(r, &copy->arg))
		return NULL;
	if (!e->count)
		return copy;
	copy->items = make(r, e->count, sizeof(struct flt_expr *), 0);
	if (!copy->items)
		return NULL;
	for (uint32_t i = 0; i < e->count; i++) {
		copy->items[i] = copy_expr(r, e->items[i]);
		if (!copy->items[i])
			return NULL;
	}
	return copy;
}

static bool copy_kids(struct resolver *r, const struct flt_node *n, struct flt_node *copy)
{
	copy->kids = make(r, n->count, sizeof(struct flt_node *), 0);
	if (!copy->kids)
		return false;
	for (uint32_t i = 0; i < n->count; i++) {
		copy->kids[i] = copy_node(r, n->kids[i]);
		if (!copy->kids[i])
			return false;
	}
	return true;
}

static bool copy_check(struct resolver *r, const struct flt_node *n, struct flt_node *copy)
{
	copy->left = copy_expr(r, n->left);
	if (!copy->left)
		return false;
	if (n->right)
		copy->right = copy_expr(r, n->right);
	return copy->right || !n->right;
}

static struct flt_node *expand_macro(struct resolver *r, const struct flt_node *n)
{
	const struct flt_node *body;

	if (r->err)
		r->err->code = 0;
	body = r->resolve(r->arg, n, r->err);
	if (body)
		return copy_node(r, body);
	r->rc = r->err && r->err->code < 0 ? r->err->code : ERR_COMPILE;
	return NULL;
}

static struct flt_node *copy_inner(struct resolver *r, const struct flt_node *n)
{
	struct flt_node *copy;

	if (n->kind == FLT_MACRO)
		return expand_macro(r, n);
	copy = make(r, 1, sizeof(*copy), 1);
	if (!copy)
		return NULL;
	*copy = *n;
	if (n->kind == FLT_CHECK)
		return copy_check(r, n, copy) ? copy : NULL;
	return copy_kids(r, n, copy) ? copy : NULL;
}

static struct flt_node *copy_node(struct resolver *r, const struct flt_node *n)
{
	struct flt_node *copy;

	if (r->depth == FLT_TREE_DEPTH) {
		r->rc = error_set(r->err, ERR_LIMIT,
				  "the condition nests deeper than %d once its macros are expanded",
				  FLT_TREE_DEPTH);
		return NULL;
	}
	r->depth++;
	copy = copy_inner(r, n);
	r->depth--;
	return copy;
}

int flt_resolve_macros(const struct flt_node *n, flt_macro_fn resolve, void *arg,
		       struct arena *arena, struct flt_node **out, struct error *err)
{
	struct error own;
	struct resolver r = {
	    .resolve = resolve, .arg = arg, .arena = arena, .err = err ? err : &own};
	struct flt_node *copy = copy_node(&r, n);

	if (!copy)
		return r.rc;
	*out = copy;
	return 0;
}

static void visit_expr(const struct flt_expr *e, void (*fn)(void *, const struct flt_expr *),
		       void *arg)
{
	if (e->kind == FLT_EXPR_FIELD)
		fn(arg, e);
	for (uint32_t i = 0; i < e->count; i++)
		visit_expr(e->items[i], fn, arg);
}

void flt_visit_fields(const struct flt_node *n, void (*fn)(void *arg, const struct flt_expr *field),
		      void *arg)
{
	if (n->left)
		visit_expr(n->left, fn, arg);
	if (n->right)
		visit_expr(n->right, fn, arg);
	for (uint32_t i = 0; i < n->count; i++)
		flt_visit_fields(n->kids[i], fn, arg);
}

static bool expr_equal(const struct flt_expr *a, const struct flt_expr *b)
{
	if (!a || !b)
		return a == b;
	if (a->kind != b->kind || a->has_arg != b->has_arg || a->count != b->count)
		return false;
	if (!sv_eq(a->text, b->text) || !sv_eq(a->arg, b->arg))
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (!expr_equal(a->items[i], b->items[i]))
			return false;
	return true;
}

bool flt_tree_equal(const struct flt_node *a, const struct flt_node *b)
{
	if (a->kind != b->kind || a->count != b->count || !sv_eq(a->name, b->name))
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (!flt_tree_equal(a->kids[i], b->kids[i]))
			return false;
	return a->op == b->op && a->modifier == b->modifier &&
	       a->double_equals == b->double_equals && expr_equal(a->left, b->left) &&
	       expr_equal(a->right, b->right);
}
