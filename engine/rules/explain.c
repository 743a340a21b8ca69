/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule's condition once more, this time keeping what compiling drops: names of macros and lists,
 * exceptions, places. The condition is parsed twice, before and after list names are replaced by
 * their items; as that changes only what stands on the right of checks, both trees have the same
 * shape, and the first says what the second comes from.
 */
#include "engine/rules/explain.h"

#include <stdlib.h>

#include "engine/rules/internal.h"
#include "engine/rules/select.h"

struct written { /* a condition before macros are put into it */
	struct sv raw, text;
	struct flt_node
	    *raw_tree; /* lists by name; NULL: only with their items it is a condition */
	struct flt_node *tree;
};

struct source {			      /* where the nodes of a tree stand */
	const struct rule_text *text; /* NULL: all of them in one place */
	size_t shift;		      /* of positions against the bytes of @text */
	struct rule_place at;
};

struct builder {
	struct rule_explanation pub; /* first member: what callers see */
	struct arena arena;
	struct rule_compiler c;
	struct rule_verdict v;
	struct smap macros; /* name to struct written */
};

#define CHAIN_MAX 100 /* lists in lists: constants behind longer chains come from nowhere */

struct constants { /* of one check, being gathered */
	struct rule_constant *p;
	size_t n, cap;
	unsigned depth;
	bool lost;
};

static struct rule_place place_at(struct builder *b, const struct source *s, size_t index)
{
	if (!s->text)
		return s->at;
	return rule_place_in(b->c.arena, s->text, index > s->shift ? index - s->shift : 0);
}

static int write_out(struct builder *b, struct sv raw, const struct rule_where *where,
		     struct written *w)
{
	int rc;

	w->raw = raw;
	rc = rule_lists_substitute(&b->c, raw, where, &w->text);
	if (rc == 0)
		rc = rule_condition_parse(&b->c, w->text, where, &w->tree);
	if (rc == 0 && flt_parse(raw, FLT_DEPTH_RULES, b->c.arena, &w->raw_tree, NULL, NULL) < 0)
		w->raw_tree = NULL;
	return rc;
}

/* --- constants --- */

static int add_constant(struct builder *b, struct constants *to, struct sv text,
			const struct rule_list *list, struct rule_place at)
{
	struct rule_constant *p = rule_grown(b->c.arena, to->p, to->n, 1, &to->cap, sizeof(*p));

	if (!p || to->n == RULE_ITEMS_MAX)
		return ERR_NOMEM;
	to->p = p;
	p[to->n++] = (struct rule_constant){text, list ? list->name : SV_LIT(""), at};
	return 0;
}

static int spread(struct builder *b, struct constants *to, struct sv word, int64_t order,
		  const struct rule_list *in, struct rule_place at);

/* The items of a list; what those name that were there first is replaced by its own. */
static int spread_list(struct builder *b, struct constants *to, const struct rule_list *list)
{
	int rc = 0;

	for (size_t i = 0; i < list->items.n && rc == 0; i++) {
		const struct sv *item = &list->items.p[i];
		const struct rule_list *other = smap_get(&b->c.l->list_by_name, *item);

		if (!other || other->index >= list->visibility) {
			rc = spread(b, to, *item, list->order, list, rule_place_of(list->last, i));
			continue;
		}
		for (size_t k = 0; other != list && k < other->items.n && rc == 0; k++)
			rc = spread(b, to, other->items.p[k], list->order, other,
				    rule_place_of(other->last, k));
	}
	return rc;
}

/*
 * One word of a condition: itself, or the items of the list of that name. Lists are replaced in
 * their order, so that an item names a list only if that one is later.
 */
static int spread(struct builder *b, struct constants *to, struct sv word, int64_t order,
		  const struct rule_list *in, struct rule_place at)
{
	const struct rule_list *list = smap_get(&b->c.l->list_by_name, word);
	int rc;

	if (!list || list->order <= order)
		return add_constant(b, to, word, in, at);
	to->lost |= to->depth == CHAIN_MAX;
	if (to->lost)
		return 0;
	to->depth++;
	rc = spread_list(b, to, list);
	to->depth--;
	return rc;
}

static bool is_quoted(struct sv s)
{
	return s.n && (s.p[0] == '"' || s.p[0] == '\'');
}

/* Are these the constants of @right? Then they get its texts, which are unescaped. */
static bool take_texts(const struct flt_expr *right, struct constants *k)
{
	struct flt_expr *const *values = right->kind == FLT_EXPR_LIST ? right->items : NULL;
	size_t n = values ? right->count : 1;

	if (k->lost || k->n != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct sv text = values ? values[i]->text : right->text;

		if (!is_quoted(k->p[i].text) && !sv_eq(k->p[i].text, text))
			return false;
		k->p[i].text = text;
	}
	return true;
}

static bool has_constants(const struct flt_node *n)
{
	return n->right && (n->right->kind == FLT_EXPR_VALUE || n->right->kind == FLT_EXPR_LIST);
}

static int find_constants(struct builder *b, const struct flt_node *n, const struct flt_node *raw,
			  struct rule_part *part)
{
	const struct flt_expr *right = raw->right;
	struct constants k = {0};
	int rc = 0;

	if (!has_constants(n) || !has_constants(raw))
		return 0;
	if (right->kind == FLT_EXPR_VALUE)
		rc = spread(b, &k, right->text, -1, NULL, part->at);
	for (uint32_t i = 0; right->kind == FLT_EXPR_LIST && i < right->count && rc == 0; i++)
		rc = spread(b, &k, right->items[i]->text, -1, NULL, part->at);
	if (rc == 0 && take_texts(n->right, &k)) {
		part->constants = k.p;
		part->constant_count = (uint32_t)k.n;
	}
	return rc;
}

/* --- parts --- */

static int part_of(struct builder *b, const struct source *s, const struct flt_node *n,
		   const struct flt_node *raw, const struct rule_part **out);

static struct rule_part *new_part(struct builder *b, enum rule_part_kind kind, struct rule_place at,
				  uint32_t kids)
{
	struct rule_part *p = arena_zalloc(b->c.arena, 1, sizeof(*p));

	if (!p)
		return NULL;
	p->kind = kind;
	p->at = at;
	p->kids = arena_zalloc(b->c.arena, kids, sizeof(*p->kids));
	p->count = kids;
	return p->kids ? p : NULL;
}

static bool same_check(const struct flt_node *a, const struct flt_node *b)
{
	return a->kind == FLT_CHECK && b->kind == FLT_CHECK && a->op == b->op &&
	       a->modifier == b->modifier && a->left->kind == b->left->kind &&
	       sv_eq(a->left->text, b->left->text) && sv_eq(a->left->arg, b->left->arg);
}

static int check_part(struct builder *b, const struct flt_node *n, const struct flt_node *raw,
		      struct rule_part *part)
{
	struct buf text = {0};
	int rc = 0;

	part->check = b->pub.checks++;
	raw = raw && same_check(n, raw) ? raw : NULL;
	flt_print(&text, raw ? raw : n);
	part->text = text.failed ? SV_NONE : arena_sv(b->c.arena, buf_view(&text));
	buf_done(&text);
	if (!part->text.p)
		return ERR_NOMEM;
	if (raw)
		rc = find_constants(b, n, raw, part);
	return rc;
}

static int find_macro(struct builder *b, const struct rule_macro *m, struct written **out)
{
	struct written *w = smap_get(&b->macros, m->name);
	int rc;

	*out = w;
	if (w)
		return 0;
	w = arena_zalloc(b->c.arena, 1, sizeof(*w));
	if (!w)
		return ERR_NOMEM;
	rc = write_out(b, m->condition.s, m->condition_where, w);
	*out = w;
	return rc ? rc : smap_put(&b->macros, m->name, w);
}

static int macro_part(struct builder *b, const struct flt_node *n, struct rule_part *part)
{
	const struct rule_macro *m = smap_get(&b->c.l->macro_by_name, n->name);
	struct written *w;
	struct source s;
	int rc;

	if (!m)
		return ERR_RULES;
	rc = find_macro(b, m, &w);
	if (rc)
		return rc;
	s = (struct source){.text = &m->condition};
	part->text = m->name;
	part->defined = rule_place_where(m->where);
	return part_of(b, &s, w->tree, w->raw_tree, &part->kids[0]);
}

static int part_of(struct builder *b, const struct source *s, const struct flt_node *n,
		   const struct flt_node *raw, const struct rule_part **out)
{
	static const enum rule_part_kind kinds[] = {
	    [FLT_AND] = RULE_PART_AND,	   [FLT_OR] = RULE_PART_OR,	  [FLT_NOT] = RULE_PART_NOT,
	    [FLT_CHECK] = RULE_PART_CHECK, [FLT_MACRO] = RULE_PART_MACRO,
	};
	struct rule_part *part;
	int rc = 0;

	if (raw && (raw->kind != n->kind || raw->count != n->count))
		raw = NULL;
	/* Without the lists' names the place is about the same: items take more room. */
	part = new_part(b, kinds[n->kind], place_at(b, s, (raw ? raw : n)->pos.index),
			n->kind == FLT_MACRO ? 1 : n->count);
	if (!part)
		return ERR_NOMEM;
	*out = part;
	if (n->kind == FLT_CHECK)
		return check_part(b, n, raw, part);
	if (n->kind == FLT_MACRO)
		return macro_part(b, n, part);
	for (uint32_t i = 0; i < n->count && rc == 0; i++)
		rc = part_of(b, s, n->kids[i], raw ? raw->kids[i] : NULL, &part->kids[i]);
	return rc;
}

/* --- exceptions: "(condition) and not (tuple or tuple) and not ..." --- */

static int tuple_part(struct builder *b, struct rule_place at, const struct flt_node *n,
		      const struct flt_node *raw, const struct rule_part **out)
{
	const struct source s = {.at = at};
	bool one = n->kind != FLT_AND;
	struct rule_part *part = new_part(b, RULE_PART_TUPLE, at, one ? 1 : n->count);
	int rc = 0;

	if (!part)
		return ERR_NOMEM;
	*out = part;
	if (one)
		return part_of(b, &s, n, raw, &part->kids[0]);
	if (raw && (raw->kind != n->kind || raw->count != n->count))
		raw = NULL;
	for (uint32_t i = 0; i < n->count && rc == 0; i++)
		rc = part_of(b, &s, n->kids[i], raw ? raw->kids[i] : NULL, &part->kids[i]);
	return rc;
}

/* The values of an exception with one field are constants of one check. */
static void place_values(const struct rule_exception *x, struct rule_part *tuple)
{
	struct rule_part *check = (struct rule_part *)tuple->kids[0];
	struct rule_constant *k = (struct rule_constant *)check->constants;

	for (uint32_t i = 0; k && check->constant_count == x->value_count && i < x->value_count;
	     i++)
		k[i].at = rule_place_of(x->last, i);
}

/* @n is below the "not". */
static int exception_part(struct builder *b, const struct rule_exception *x,
			  const struct flt_node *n, const struct flt_node *raw,
			  const struct rule_part **out)
{
	bool many = n->kind == FLT_OR && n->count == x->value_count && !x->scalar;
	struct rule_part *part =
	    new_part(b, RULE_PART_EXCEPTION, rule_place_where(x->where), many ? n->count : 1);
	int rc = 0;

	if (!part)
		return ERR_NOMEM;
	*out = part;
	part->text = x->name;
	if (raw && (raw->kind != n->kind || raw->count != n->count))
		raw = NULL;
	if (!many)
		rc = tuple_part(b, rule_place_of(x->last, 0), n, raw, &part->kids[0]);
	for (uint32_t i = 0; many && i < n->count && rc == 0; i++)
		rc = tuple_part(b, rule_place_of(x->last, i), n->kids[i], raw ? raw->kids[i] : NULL,
				&part->kids[i]);
	if (rc == 0 && x->scalar && part->kids[0]->kids[0]->kind == RULE_PART_CHECK)
		place_values(x, (struct rule_part *)part->kids[0]);
	return rc;
}

static uint32_t count_used(const struct rule_def *d)
{
	uint32_t n = 0;

	for (size_t i = 0; i < d->exception_count; i++)
		n += d->exceptions[i].value_count != 0;
	return n;
}

/* What kid @i of @raw negates, or NULL. */
static const struct flt_node *below_not(const struct flt_node *raw, uint32_t i)
{
	return raw && raw->kids[i]->kind == FLT_NOT ? raw->kids[i]->kids[0] : NULL;
}

static int parts_with_exceptions(struct builder *b, const struct rule_def *d,
				 const struct written *w)
{
	const struct source s = {.text = &d->condition, .shift = 1};
	const struct flt_node *n = w->tree, *raw = w->raw_tree;
	struct rule_part *root =
	    new_part(b, RULE_PART_AND, place_at(b, &s, n->pos.index), n->count);
	uint32_t at = 1;
	int rc;

	if (!root)
		return ERR_NOMEM;
	if (raw && (raw->kind != n->kind || raw->count != n->count))
		raw = NULL;
	b->pub.root = root;
	rc = part_of(b, &s, n->kids[0], raw ? raw->kids[0] : NULL, &root->kids[0]);
	for (size_t i = 0; i < d->exception_count && rc == 0; i++) {
		const struct rule_exception *x = &d->exceptions[i];

		if (!x->value_count)
			continue;
		rc =
		    exception_part(b, x, n->kids[at]->kids[0], below_not(raw, at), &root->kids[at]);
		at++;
	}
	return rc;
}

/* Did the text that exceptions made of the condition parse as it was meant? */
static bool has_exceptions(const struct rule_def *d, const struct flt_node *n)
{
	uint32_t used = count_used(d);

	if (!used || n->kind != FLT_AND || n->count != used + 1)
		return false;
	for (uint32_t i = 1; i <= used; i++)
		if (n->kids[i]->kind != FLT_NOT)
			return false;
	return true;
}

/* --- the whole --- */

static int gather_conjuncts(struct builder *b, const struct rule_part *p, size_t *cap)
{
	const struct rule_part **grown, *inner = p;
	int rc = 0;

	while (inner->kind == RULE_PART_MACRO)
		inner = inner->kids[0];
	if (inner->kind == RULE_PART_AND) {
		for (uint32_t i = 0; i < inner->count && rc == 0; i++)
			rc = gather_conjuncts(b, inner->kids[i], cap);
		return rc;
	}
	grown =
	    rule_grown(b->c.arena, b->pub.conjuncts, b->pub.conjunct_count, 1, cap, sizeof(*grown));
	if (!grown)
		return ERR_NOMEM;
	b->pub.conjuncts = grown;
	grown[b->pub.conjunct_count++] = p;
	return 0;
}

static int build(struct builder *b, const struct rule_def *d)
{
	const struct source s = {.text = &d->condition, .shift = count_used(d) ? 1 : 0};
	struct written w = {0};
	struct sv raw;
	size_t cap = 0;
	int rc;

	rc = rule_lists_resolve(&b->c);
	if (rc == 0)
		rc = rule_exceptions_expand(&b->c, d, &raw);
	if (rc == 0)
		rc = write_out(b, raw, d->condition_where, &w);
	if (rc)
		return rc;
	rc = has_exceptions(d, w.tree) ? parts_with_exceptions(b, d, &w)
				       : part_of(b, &s, w.tree, w.raw_tree, &b->pub.root);
	return rc ? rc : gather_conjuncts(b, b->pub.root, &cap);
}

int rule_explanation_new(struct rule_loader *l, const struct rule *rule,
			 struct rule_explanation **out, struct error *err)
{
	const struct rule_def *d = smap_get(&l->rule_by_name, rule->name);
	struct builder *b;
	int rc;

	if (!d || !rule->types)
		return error_set(err, ERR_RULES, "'%.*s' is a rule for events of %.*s",
				 RULE_SHOW(rule->name), RULE_SHOW(rule->source));
	b = calloc(1, sizeof(*b));
	if (!b)
		return error_nomem(err);
	b->v.arena = b->c.arena = &b->arena;
	b->c.v = &b->v;
	b->c.l = l;
	b->pub.rule = rule;
	rc = build(b, d);
	if (rc == 0) {
		*out = &b->pub;
		return 0;
	}
	if (rc == ERR_RULES && b->v.pub.error_count)
		rule_verdict_error(&b->v, err);
	else
		rc = error_nomem(err);
	rule_explanation_free(&b->pub);
	return rc;
}

void rule_explanation_free(struct rule_explanation *x)
{
	struct builder *b;

	if (!x)
		return;
	b = CONTAINER_OF(x, struct builder, pub);
	rule_vec_done(&b->c.odd_lists);
	buf_done(&b->c.text);
	buf_done(&b->c.other);
	smap_done(&b->macros);
	arena_done(&b->arena);
	free(b);
}

/* --- truth --- */

static enum flt_truth negated(enum flt_truth t)
{
	if (t == FLT_UNASKED)
		return t;
	return t == FLT_YES ? FLT_NO : FLT_YES;
}

/* Of kids that must all hold, or one of which must: what decides, else whether all were asked. */
static enum flt_truth joined(const struct rule_part *p, const struct flt_finding *findings,
			     bool is_or)
{
	enum flt_truth decisive = is_or ? FLT_YES : FLT_NO, result = negated(decisive);

	for (uint32_t i = 0; i < p->count; i++) {
		enum flt_truth t = rule_part_truth(p->kids[i], findings);

		if (t == FLT_GONE)
			t = FLT_NO;
		if (t == decisive)
			return decisive;
		if (t == FLT_UNASKED)
			result = t;
	}
	return result;
}

enum flt_truth rule_part_truth(const struct rule_part *p, const struct flt_finding *findings)
{
	switch (p->kind) {
	case RULE_PART_CHECK:
		return findings[p->check].truth;
	case RULE_PART_MACRO:
		return joined(p, findings, false);
	case RULE_PART_NOT:
		return negated(rule_part_truth(p->kids[0], findings));
	case RULE_PART_OR:
		return joined(p, findings, true);
	case RULE_PART_EXCEPTION:
		return negated(joined(p, findings, true));
	case RULE_PART_AND:
	case RULE_PART_TUPLE:
		break;
	}
	return joined(p, findings, false);
}

uint32_t rule_failing(const struct rule_explanation *x, const struct flt_finding *findings)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < x->conjunct_count; i++)
		n += rule_part_truth(x->conjuncts[i], findings) != FLT_YES;
	return n;
}

/* --- outside the condition --- */

const struct rule_select *rule_decided_by(const struct rule *r, const struct rule_select *select,
					  size_t count)
{
	const struct rule_select *by = NULL;

	for (size_t i = 0; i < count; i++) {
		struct rule on = *r, off = *r;

		on.enabled = true;
		off.enabled = false;
		rule_select_apply(&on, &select[i]);
		rule_select_apply(&off, &select[i]);
		if (on.enabled == off.enabled)
			by = &select[i];
	}
	return by;
}

bool rule_is_left_out(const struct rule_loader *l, const struct rule_engine *e, struct sv name)
{
	size_t n;
	const struct rule *rules = rule_engine_rules(e, &n);

	for (size_t i = 0; i < n; i++)
		if (sv_eq(rules[i].name, name))
			return false;
	return smap_get(&l->rule_by_name, name) != NULL;
}

/* --- for people --- */

const struct rule_part *rule_part_subject(const struct rule_part *p)
{
	while (p->kind == RULE_PART_NOT)
		p = p->kids[0];
	return p;
}

bool rule_part_decides(const struct rule_part *p, enum flt_truth t, enum flt_truth kid)
{
	bool yes = kid == FLT_YES;

	switch (p->kind) {
	case RULE_PART_EXCEPTION: /* "not" and "or" */
		return t == FLT_YES || yes;
	case RULE_PART_OR:
		return t != FLT_YES || yes;
	case RULE_PART_AND:
	case RULE_PART_MACRO:
	case RULE_PART_TUPLE:
		return t == FLT_YES || !yes;
	default:
		return true;
	}
}

const char *rule_part_word(enum rule_part_kind kind)
{
	static const char *const words[] = {
	    [RULE_PART_AND] = "all of",
	    [RULE_PART_OR] = "any of",
	    [RULE_PART_NOT] = "not",
	    [RULE_PART_CHECK] = "",
	    [RULE_PART_MACRO] = "",
	    [RULE_PART_EXCEPTION] = "no match of exception ",
	    [RULE_PART_TUPLE] = "exception values",
	};

	return words[kind];
}

const char *rule_reason_words(enum flt_reason r, bool never)
{
	switch (r) {
	case FLT_BY_EVENT:
		return "events of this type never have it";
	case FLT_BY_PROCESS:
		return "the event's process is not known";
	case FLT_BY_FD:
		return "the event's descriptor is not known: it was opened before the capture, or "
		       "that is lost";
	case FLT_BY_ABSENCE:
		return never ? "absent in all events looked at in this capture"
			     : "the event has no such value";
	case FLT_BY_RIGHT:
		return "the field on the right has no value";
	case FLT_BY_TYPE:
		return "of another type than in other events, and compared as such";
	case FLT_BY_CASE:
		return "differs only in upper and lower case";
	case FLT_BY_SNAPLEN:
		return "cut by the recorder: only the first bytes are there";
	default:
		return "";
	}
}
