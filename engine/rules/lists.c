/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists in lists, and list names in conditions. Substitution is textual and goes list by list in
 * definition order, so the items of one list may name a later one. To find the lists of a text
 * without trying all of them, its words are looked up; only names with separators in them, which no
 * sane rule set has, are searched for one by one.
 */
#include <stdlib.h>

#include "engine/rules/internal.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_separator(char c)
{
	return is_blank(c) || c == '(' || c == ')' || c == ',' || c == '=';
}

static bool has_separator(struct sv name)
{
	for (size_t i = 0; i < name.n; i++)
		if (is_separator(name.p[i]))
			return true;
	return false;
}

struct sv rule_quote(struct arena *a, struct sv item)
{
	size_t n = 0;
	char *p;

	if (!memchr(item.p, ' ', item.n) || item.p[0] == '"' || item.p[0] == '\'')
		return item;
	if (item.n > SIZE_MAX / 4)
		return SV_NONE;
	p = arena_alloc(a, 2 * item.n + 3);
	if (!p)
		return SV_NONE;
	p[n++] = '"';
	for (size_t i = 0; i < item.n; i++) {
		if (item.p[i] == '"' && item.p[i - 1] != '\\')
			p[n++] = '\\';
		p[n++] = item.p[i];
	}
	p[n++] = '"';
	p[n] = '\0';
	return sv_make(p, n);
}

/* --- lists in lists --- */

static int add_items(struct rule_compiler *c, struct rule_list *to, const struct sv *items,
		     size_t n)
{
	c->items += n;
	if (c->items > RULE_ITEMS_MAX)
		return rule_fail(
		    c->v, LOAD_ERR_VALIDATE, to->where,
		    "Lists have more than %u items once the lists in them are expanded",
		    RULE_ITEMS_MAX);
	return rule_texts_add(c->arena, &to->resolved, items, n);
}

/* One level: a list named by an item contributes its own items as they are written. */
static int resolve_list(struct rule_compiler *c, struct rule_list *list)
{
	list->resolved = (struct rule_texts){0};
	for (size_t i = 0; i < list->items.n; i++) {
		const struct sv *item = &list->items.p[i];
		struct rule_list *other = smap_get(&c->l->list_by_name, *item);
		int rc = 0;

		if (!other || other->index >= list->visibility) {
			rc = add_items(c, list, item, 1);
		} else if (other != list) { /* after an append a list can name itself: no news */
			other->used = true;
			rc = add_items(c, list, other->items.p, other->items.n);
		}
		if (rc)
			return rc;
	}
	return 0;
}

int rule_lists_resolve(struct rule_compiler *c)
{
	const struct rule_loader *l = c->l;

	for (size_t i = 0; i < l->lists.n; i++) {
		rule_list_at(l, i)->used = false;
		rule_list_at(l, i)->order = (uint32_t)i;
	}
	for (size_t i = 0; i < l->lists.n; i++) {
		struct rule_list *list = rule_list_at(l, i);
		int rc = resolve_list(c, list);

		if (rc == 0 && has_separator(list->name))
			rc = rule_vec_push(&c->odd_lists, list);
		if (rc)
			return rc;
	}
	return 0;
}

/* --- list names in conditions --- */

static int too_long(struct rule_compiler *c, const struct rule_where *where)
{
	return rule_fail(c->v, LOAD_ERR_COMPILE_CONDITION, where,
			 "Condition is longer than %u bytes once its lists are expanded",
			 RULE_TEXT_MAX);
}

/* Count work that is not bounded by the size of the files. */
static int charge(struct rule_compiler *c, size_t bytes, const struct rule_where *where)
{
	c->work += bytes + 1;
	if (c->work <= RULE_WORK_MAX)
		return 0;
	return rule_fail(c->v, LOAD_ERR_COMPILE_CONDITION, where,
			 "Expanding the lists of all conditions takes too long (limit: %u bytes "
			 "searched)",
			 RULE_WORK_MAX);
}

/* The next list after @order that @text has a word for. */
static struct rule_list *next_by_word(struct rule_compiler *c, struct sv text, int64_t order)
{
	struct rule_list *best = NULL;
	size_t at = 0;

	while (at < text.n) {
		size_t start = at;
		struct rule_list *list;

		while (at < text.n && !is_separator(text.p[at]))
			at++;
		list = at > start
			   ? smap_get(&c->l->list_by_name, sv_make(text.p + start, at - start))
			   : NULL;
		if (list && list->order > order && (!best || list->order < best->order))
			best = list;
		at++;
	}
	return best;
}

static int next_list(struct rule_compiler *c, struct sv text, int64_t order,
		     const struct rule_where *where, struct rule_list **out)
{
	int rc = charge(c, text.n, where);

	if (rc)
		return rc;
	*out = next_by_word(c, text, order);
	for (size_t i = 0; i < c->odd_lists.n; i++) {
		struct rule_list *list = c->odd_lists.p[i];

		if (list->order <= order)
			continue;
		if (*out && (*out)->order < list->order)
			break;
		rc = charge(c, text.n, where);
		if (rc)
			return rc;
		if (sv_contains(text, list->name)) {
			*out = list;
			break;
		}
	}
	return 0;
}

/* A name counts between separators or the ends of the text. */
static bool stands_alone(struct sv text, size_t at, size_t n)
{
	return (at == 0 || is_separator(text.p[at - 1])) &&
	       (at + n == text.n || is_separator(text.p[at + n]));
}

/* Put the items in place of the name that begins at the end of @out; skip what follows it. */
static int put_items(struct rule_compiler *c, const struct rule_list *list, struct sv *rest,
		     struct buf *out, const struct rule_where *where)
{
	while (out->len && is_blank(out->p[out->len - 1]))
		out->len--;
	while (rest->n && is_blank(rest->p[0]))
		*rest = sv_drop(*rest, 1);
	if (list->resolved.n == 0) { /* an empty list takes a comma with it */
		if (out->len && out->p[out->len - 1] == ',')
			out->len--;
		else if (rest->n && rest->p[0] == ',')
			*rest = sv_drop(*rest, 1);
	}
	if (out->len)
		buf_char(out, ' ');
	for (size_t i = 0; i < list->resolved.n; i++) {
		buf_str(out, i ? ", " : "");
		buf_sv(out, list->resolved.p[i]);
		if (out->len > RULE_TEXT_MAX)
			return too_long(c, where);
	}
	buf_char(out, ' ');
	return out->failed ? ERR_NOMEM : 0;
}

/* @text with all occurrences of one list replaced, in @out. */
static int put_list(struct rule_compiler *c, struct rule_list *list, struct sv text,
		    struct buf *out, const struct rule_where *where)
{
	struct sv rest = text, name = list->name;
	const char *hit;
	int rc = charge(c, text.n, where);

	buf_reset(out);
	while (rc == 0 && (hit = memmem(rest.p, rest.n, name.p, name.n))) {
		size_t at = (size_t)(hit - text.p);

		if (!stands_alone(text, at, name.n)) {
			buf_add(out, rest.p, (size_t)(hit - rest.p) + 1);
			rest = sv_drop(rest, (size_t)(hit - rest.p) + 1);
			continue;
		}
		buf_add(out, rest.p, (size_t)(hit - rest.p));
		rest = sv_drop(rest, (size_t)(hit - rest.p) + name.n);
		list->used = true;
		rc = put_items(c, list, &rest, out, where);
	}
	if (rc)
		return rc;
	buf_sv(out, rest);
	if (out->len > RULE_TEXT_MAX)
		return too_long(c, where);
	return out->failed ? ERR_NOMEM : 0;
}

int rule_lists_substitute(struct rule_compiler *c, struct sv text, const struct rule_where *where,
			  struct sv *out)
{
	struct sv now = text;
	struct rule_list *list = NULL;
	int64_t order = -1;
	int rc;

	while ((rc = next_list(c, now, order, where, &list)) == 0 && list) {
		struct buf swap = c->text;

		rc = put_list(c, list, now, &c->other, where);
		if (rc)
			return rc;
		c->text = c->other;
		c->other = swap;
		now = buf_view(&c->text);
		order = list->order;
	}
	if (rc)
		return rc;
	*out = now.p == text.p ? text : arena_sv(c->arena, now);
	return out->p ? 0 : ERR_NOMEM;
}
