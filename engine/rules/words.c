/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Macros and lists are written out as text: what comes of that can be read again, by this program
 * and by others, which a printed tree is not made for. Of rules, all but the names is parsed as
 * when they were loaded; what a person types has lists only where they can stand, so that a value
 * that happens to be called as one stays what it is.
 */
#include "engine/rules/words.h"

#include <stdlib.h>
#include <string.h>

#include "engine/rules/internal.h"

struct writer {
	struct rule_compiler c;
	struct rule_verdict v;
	struct arena arena;
	struct rule_in_full *out;
	size_t given; /* of what is being written */
	unsigned level;
	size_t *pos;
	struct error *err;
};

struct name { /* in a text */
	size_t at;
	struct rule_macro *macro;
	struct rule_list *list;
	bool alone; /* a list that is not between parentheses */
};

struct names {
	struct name *p;
	size_t n, cap;
};

/* --- what there is --- */

static struct rule_word macro_word(const struct rule_macro *m)
{
	return (struct rule_word){.name = m->name, .at = rule_place_where(m->where)};
}

static struct rule_word list_word(const struct rule_list *l)
{
	return (struct rule_word){.name = l->name,
				  .is_list = true,
				  .items = l->items.n,
				  .at = rule_place_where(l->where)};
}

bool rule_word_at(const struct rule_loader *l, size_t i, struct rule_word *out)
{
	if (i < l->macros.n)
		*out = macro_word(rule_macro_at(l, i));
	else if (i - l->macros.n < l->lists.n)
		*out = list_word(rule_list_at(l, i - l->macros.n));
	else
		return false;
	return true;
}

bool rule_has_macro(const struct rule_loader *l, struct sv name)
{
	return smap_get(&l->macro_by_name, name) != NULL;
}

/* --- names in a text --- */

static int fail(struct writer *w, int code, size_t given, const char *what, struct sv name,
		const char *why)
{
	*w->pos = given;
	return error_set(w->err, code, "%s '%.*s' %s", what, RULE_SHOW(name), why);
}

static int add_name(struct writer *w, struct names *to, struct name one)
{
	struct name *p = rule_grown(&w->arena, to->p, to->n, 1, &to->cap, sizeof(*p));

	if (!p)
		return error_nomem(w->err);
	to->p = p;
	p[to->n++] = one;
	return 0;
}

bool rule_takes_list(const struct flt_node *n)
{
	return n->modifier || n->op == FLT_OP_IN || n->op == FLT_OP_INTERSECTS ||
	       n->op == FLT_OP_PMATCH;
}

static int find_list(struct writer *w, struct sv text, const struct flt_expr *value, bool alone,
		     struct names *to)
{
	struct rule_list *list = smap_get(&w->c.l->list_by_name, value->text);
	struct name one = {.at = value->pos.index, .list = list, .alone = alone};

	if (!list || !sv_starts(sv_drop(text, value->pos.index), value->text))
		return 0; /* also what is in quotation marks */
	return add_name(w, to, one);
}

static int find_lists(struct writer *w, struct sv text, const struct flt_node *n, struct names *to)
{
	const struct flt_expr *right = n->right;
	int rc = 0;

	if (right->kind == FLT_EXPR_VALUE && rule_takes_list(n))
		return find_list(w, text, right, true, to);
	for (uint32_t i = 0; right->kind == FLT_EXPR_LIST && i < right->count && rc == 0; i++)
		rc = find_list(w, text, right->items[i], false, to);
	return rc;
}

static int find_macro(struct writer *w, const struct flt_node *n, struct names *to)
{
	struct rule_macro *m = w->c.l ? smap_get(&w->c.l->macro_by_name, n->name) : NULL;

	if (m)
		return add_name(w, to, (struct name){.at = n->pos.index, .macro = m});
	*w->pos = w->level ? w->given : n->pos.index;
	return error_set(w->err, ERR_COMPILE, "'%.*s' is neither a field nor a macro",
			 RULE_SHOW(n->name));
}

/* In the order they stand in. */
static int find_names(struct writer *w, struct sv text, const struct flt_node *n, struct names *to)
{
	int rc = 0;

	if (n->kind == FLT_MACRO)
		return find_macro(w, n, to);
	if (n->kind == FLT_CHECK && n->right && w->c.l && !w->level)
		return find_lists(w, text, n, to);
	for (uint32_t i = 0; i < n->count && rc == 0; i++)
		rc = find_names(w, text, n->kids[i], to);
	return rc;
}

/* --- writing --- */

/* From here on it is @word, which stands at byte @given. */
static int begin(struct writer *w, size_t given, struct rule_word word)
{
	struct rule_in_full *o = w->out;

	if (o->text.len > RULE_TEXT_MAX) {
		*w->pos = given;
		return error_set(w->err, ERR_LIMIT,
				 "longer than %u bytes once macros and lists are written out",
				 RULE_TEXT_MAX);
	}
	if (o->count == o->cap) {
		size_t cap = o->cap ? 2 * o->cap : 16;
		struct rule_stretch *p = realloc(o->stretches, cap * sizeof(*p));

		if (!p)
			return error_nomem(w->err);
		o->stretches = p;
		o->cap = cap;
	}
	w->given = given;
	o->stretches[o->count++] = (struct rule_stretch){o->text.len, given, word};
	return 0;
}

/* Conditions in files have lines; here a run of blanks outside quotation marks is one. */
static void put_one_line(struct buf *out, struct sv text)
{
	char quote = 0, before = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool blank = !quote && (c == ' ' || c == '\t' || c == '\r' || c == '\n');

		if (!quote && (c == '"' || c == '\''))
			quote = c;
		else if (quote && c == quote && before != '\\')
			quote = 0;
		if (!blank)
			buf_char(out, c);
		else if (out->len && !strchr(" (", out->p[out->len - 1]))
			buf_char(out, ' ');
		before = c;
	}
}

static int cannot_use(struct writer *w, int rc)
{
	*w->pos = w->given;
	return rc == ERR_RULES ? rule_verdict_error(&w->v, w->err) : error_nomem(w->err);
}

static void cut_blanks(struct buf *out)
{
	while (out->len && out->p[out->len - 1] == ' ')
		out->len--;
}

/* An empty list takes a comma with it, the one before it if there is one. */
static void put_nothing(struct buf *out, struct sv *rest)
{
	cut_blanks(out);
	if (out->len && out->p[out->len - 1] == ',') {
		out->len--;
		return;
	}
	while (rest->n && *rest->p == ' ')
		*rest = sv_drop(*rest, 1);
	if (rest->n && *rest->p == ',')
		*rest = sv_drop(*rest, 1);
}

static int put_list(struct writer *w, const struct rule_list *list, bool alone, struct sv *rest)
{
	struct sv items;
	int rc = rule_lists_substitute(&w->c, list->name, list->where, &items);

	if (rc)
		return cannot_use(w, rc);
	while (items.n && *items.p == ' ')
		items = sv_drop(items, 1);
	if (alone)
		buf_char(&w->out->text, '(');
	if (!items.n && !alone) {
		put_nothing(&w->out->text, rest);
		w->out->stretches[w->out->count - 1].from = w->out->text.len;
		return 0;
	}
	put_one_line(&w->out->text, items);
	cut_blanks(&w->out->text);
	if (alone)
		buf_char(&w->out->text, ')');
	return 0;
}

static int put_text(struct writer *w, struct sv text, struct rule_word in);

static int put_macro(struct writer *w, struct rule_macro *m)
{
	struct sv text;
	int rc;

	if (m->on_path)
		return fail(w, ERR_RULES, w->given, "macro", m->name, "names itself");
	if (w->level == RULE_TREE_DEPTH)
		return fail(w, ERR_LIMIT, w->given, "macro", m->name, "is too deep");
	rc = rule_lists_substitute(&w->c, m->condition.s, m->condition_where, &text);
	if (rc)
		return cannot_use(w, rc);
	m->on_path = true;
	w->level++;
	buf_char(&w->out->text, '(');
	rc = put_text(w, text, macro_word(m));
	cut_blanks(&w->out->text);
	buf_char(&w->out->text, ')');
	w->level--;
	m->on_path = false;
	return rc;
}

static int put_name(struct writer *w, const struct name *n, size_t given, struct sv *rest)
{
	struct rule_word word = n->macro ? macro_word(n->macro) : list_word(n->list);
	int rc = begin(w, given, word);

	*rest = sv_drop(*rest, word.name.n);
	if (rc < 0)
		return rc;
	return n->macro ? put_macro(w, n->macro) : put_list(w, n->list, n->alone, rest);
}

static void put_between(struct writer *w, struct sv text)
{
	if (w->level)
		put_one_line(&w->out->text, text);
	else
		buf_sv(&w->out->text, text);
}

/* @in: the macro it belongs to; no name: it is what was given. */
static int put_text(struct writer *w, struct sv text, struct rule_word in)
{
	struct flt_pos at = {0};
	struct names names = {0};
	struct flt_node *tree;
	struct sv rest = text;
	size_t given = w->given;
	int rc = flt_parse(text, w->level ? FLT_DEPTH_RULES : FLT_DEPTH_DEFAULT, &w->arena, &tree,
			   &at, w->err);

	if (rc < 0) {
		*w->pos = w->level ? given : at.index;
		return rc;
	}
	rc = find_names(w, text, tree, &names);
	for (size_t i = 0; i <= names.n && rc == 0; i++) {
		size_t done = text.n - rest.n, to = i < names.n ? names.p[i].at : text.n;

		rc = begin(w, w->level ? given : done, in);
		if (rc < 0)
			break;
		put_between(w, sv_make(rest.p, to - done));
		rest = sv_drop(text, to);
		if (i < names.n)
			rc = put_name(w, &names.p[i], w->level ? given : to, &rest);
	}
	return rc;
}

static void forget_paths(struct rule_loader *l)
{
	for (size_t i = 0; l && i < l->macros.n; i++)
		rule_macro_at(l, i)->on_path = false;
}

int rule_write_in_full(struct rule_loader *l, struct sv text, struct rule_in_full *out, size_t *pos,
		       struct error *err)
{
	struct writer w = {.out = out, .pos = pos, .err = err};
	int rc;

	*out = (struct rule_in_full){0};
	*pos = 0;
	w.v.arena = w.c.arena = &w.arena;
	w.c.v = &w.v;
	w.c.l = l;
	forget_paths(l);
	rc = l ? rule_lists_resolve(&w.c) : 0;
	rc = rc ? cannot_use(&w, rc) : put_text(&w, text, (struct rule_word){0});
	if (rc == 0 && out->text.failed)
		rc = error_nomem(err);
	rule_vec_done(&w.c.odd_lists);
	buf_done(&w.c.text);
	buf_done(&w.c.other);
	arena_done(&w.arena);
	if (rc < 0)
		rule_in_full_done(out);
	return rc;
}

void rule_in_full_done(struct rule_in_full *f)
{
	buf_done(&f->text);
	free(f->stretches);
	*f = (struct rule_in_full){0};
}

const struct rule_stretch *rule_in_full_at(const struct rule_in_full *f, size_t at)
{
	size_t i = f->count - 1;

	while (i && f->stretches[i].from > at)
		i--;
	return &f->stretches[i];
}
