/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the keys of one entry of a rule file. */
#include <stdlib.h>

#include "engine/rules/internal.h"

int rule_vec_push(struct rule_vec *v, void *item)
{
	if (v->n == v->cap) {
		size_t cap = v->cap ? v->cap * 2 : 16;
		void **p = realloc(v->p, cap * sizeof(*p));

		if (!p)
			return ERR_NOMEM;
		v->p = p;
		v->cap = cap;
	}
	v->p[v->n++] = item;
	return 0;
}

void rule_vec_done(struct rule_vec *v)
{
	free(v->p);
	*v = (struct rule_vec){0};
}

void *rule_grown(struct arena *a, void *p, size_t n, size_t more, size_t *cap, size_t size)
{
	size_t room = *cap ? *cap : 4;
	void *grown;

	if (p && n + more <= *cap)
		return p;
	while (room < n + more)
		room *= 2;
	grown = arena_zalloc(a, room, size);
	if (grown && n)
		memcpy(grown, p, n * size);
	if (grown)
		*cap = room;
	return grown;
}

struct sv rule_trim(struct sv s)
{
	while (s.n && strchr(" \t\r\n\v\f", s.p[0]))
		s = sv_drop(s, 1);
	while (s.n && strchr(" \t\r\n\v\f", s.p[s.n - 1]))
		s.n--;
	return s;
}

int rule_join(struct rule_reader *r, const struct rule_where *where,
	      const struct rule_yaml_node *node, struct rule_text *to, struct sv more)
{
	struct arena *a = &r->l->arena;
	char *p;

	if (to->s.n + 1 + more.n > RULE_TEXT_MAX)
		return rule_fail(r->v, LOAD_ERR_VALIDATE, where,
				 "Text with everything appended is longer than %u bytes",
				 RULE_TEXT_MAX);
	p = rule_grown(a, to->own, to->own ? to->s.n : 0, (to->own ? 0 : to->s.n) + 1 + more.n,
		       &to->cap, 1);
	if (!p)
		return ERR_NOMEM;
	if (!to->own && to->s.n)
		memcpy(p, to->s.p, to->s.n);
	/* Views of the shorter text stay valid: the bytes they cover do not change. */
	p[to->s.n] = ' ';
	if (more.n)
		memcpy(p + to->s.n + 1, more.p, more.n);
	to->own = p;
	to->s = sv_make(p, to->s.n + 1 + more.n);
	return rule_piece_add(a, &to->last, to->s.n - more.n, where, node);
}

int rule_piece_add(struct arena *a, const struct rule_piece **last, size_t first,
		   const struct rule_where *where, const struct rule_yaml_node *node)
{
	struct rule_piece *p = where ? arena_zalloc(a, 1, sizeof(*p)) : NULL;

	if (!p)
		return ERR_NOMEM;
	*p = (struct rule_piece){*last, first, where->src, node};
	*last = p;
	return 0;
}

int rule_texts_add(struct arena *a, struct rule_texts *to, const struct sv *more, size_t n)
{
	struct sv *p = rule_grown(a, to->p, to->n, n, &to->cap, sizeof(*p));

	if (!p)
		return ERR_NOMEM;
	if (n)
		memcpy(p + to->n, more, n * sizeof(*p));
	to->p = p;
	to->n += n;
	return 0;
}

static const struct rule_where *where_value(struct rule_reader *r, const struct rule_where *up,
					    const char *key, const struct rule_yaml_node *node)
{
	return rule_where_node(&r->l->arena, up, "value for", sv_of(key), node);
}

/* A scalar that is there and not empty. */
static int scalar_of(struct rule_reader *r, const struct rule_item *it, const char *key,
		     const struct rule_yaml_node *node, struct sv *out)
{
	const char *before = "Value of key", *after = "must be non-empty";

	if (!node)
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, it->where,
				 "Item has no mapping for key '%s'", key);
	if (node->kind == RULE_YAML_SCALAR && node->text.n) {
		*out = node->text;
		return 0;
	}
	if (node->kind == RULE_YAML_NULL) {
		before = "Mapping for key";
		after = "is empty";
	} else if (node->kind != RULE_YAML_SCALAR) {
		after = "is not a scalar";
	}
	return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, where_value(r, it->where, key, node),
			 "%s '%s' %s", before, key, after);
}

int rule_item_text(struct rule_reader *r, const struct rule_item *it, const char *key,
		   struct sv *out)
{
	return scalar_of(r, it, key, rule_yaml_get(it->node, key), out);
}

static int cannot_decode(struct rule_reader *r, const struct rule_item *it, const char *key,
			 struct sv text, const char *expected)
{
	const struct rule_yaml_node *node = rule_yaml_get(it->node, key);

	return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, where_value(r, it->where, key, node),
			 "Value of key '%s': can't decode '%.*s' as %s", key, RULE_SHOW(text),
			 expected);
}

int rule_item_bool(struct rule_reader *r, const struct rule_item *it, const char *key, bool *out)
{
	struct sv text;
	int rc;

	if (!rule_item_has(it, key))
		return 0;
	rc = rule_item_text(r, it, key, &text);
	if (rc)
		return rc;
	if (!rule_yaml_bool(text, out))
		return cannot_decode(r, it, key, text, "a boolean");
	return 0;
}

int rule_item_u32(struct rule_reader *r, const struct rule_item *it, const char *key, uint64_t *out)
{
	struct sv text;
	int rc;

	if (!rule_item_has(it, key))
		return 0;
	rc = rule_item_text(r, it, key, &text);
	if (rc)
		return rc;
	if (!rule_yaml_u64(text, out) || *out > UINT32_MAX)
		return cannot_decode(r, it, key, text, "a whole number of 32 bits");
	return 0;
}

int rule_node_texts(struct rule_reader *r, const struct rule_yaml_node *node, const char *key,
		    const struct rule_where *where, struct rule_texts *out)
{
	if (node->kind != RULE_YAML_SEQUENCE)
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, where_value(r, where, key, node),
				 "Value of key '%s' is not a sequence", key);
	*out = (struct rule_texts){0};
	out->p = rule_grown(&r->l->arena, NULL, 0, node->count, &out->cap, sizeof(*out->p));
	if (!out->p)
		return ERR_NOMEM;
	for (const struct rule_yaml_entry *e = node->first; e; e = e->next) {
		if (e->value->kind != RULE_YAML_SCALAR)
			return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE,
					 where_value(r, where, key, e->value),
					 "Entry of sequence '%s' is not a scalar", key);
		out->p[out->n++] = e->value->text;
	}
	return 0;
}

int rule_item_texts(struct rule_reader *r, const struct rule_item *it, const char *key,
		    struct rule_texts *out)
{
	const struct rule_yaml_node *node = rule_yaml_get(it->node, key);

	if (!node)
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, it->where,
				 "Item has no mapping for key '%s'", key);
	if (node->kind == RULE_YAML_NULL)
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, where_value(r, it->where, key, node),
				 "Mapping for key '%s' is empty", key);
	return rule_node_texts(r, node, key, it->where, out);
}

int rule_open_item(struct rule_reader *r, const struct rule_yaml_node *node, const char *type,
		   const struct rule_where *up, struct rule_item *it, struct sv *name)
{
	int rc;

	it->node = node;
	it->where = rule_where_node(&r->l->arena, up, type, sv_of(""), node);
	rc = rule_item_text(r, it, type, name);
	if (rc == 0)
		it->where = rule_where_node(&r->l->arena, up, type, *name, node);
	return rc;
}

/* --- keys --- */

/* @seen: bit per known key. */
static int check_key(struct rule_reader *r, const struct rule_item *it,
		     const struct rule_yaml_node *key, const char *const *known, uint32_t *seen)
{
	struct arena *a = &r->l->arena;
	unsigned i = 0;

	if (key->kind != RULE_YAML_SCALAR)
		return rule_warn(r->v, LOAD_UNKNOWN_KEY, where_value(r, it->where, "", key),
				 "Unknown key that is not a scalar");
	while (known[i] && !sv_is(key->text, known[i]))
		i++;
	if (!known[i])
		return rule_warn(r->v, LOAD_UNKNOWN_KEY,
				 rule_where_node(a, it->where, "value for", key->text, key),
				 "Unknown key '%.*s' is ignored", RULE_SHOW(key->text));
	if (*seen >> i & 1)
		return rule_warn(r->v, LOAD_UNKNOWN_KEY, where_value(r, it->where, known[i], key),
				 "Key '%s' is given twice; the first value counts", known[i]);
	*seen |= 1u << i;
	return 0;
}

int rule_item_keys(struct rule_reader *r, const struct rule_item *it, const char *const *known)
{
	uint32_t seen = 0;
	int rc = 0;

	for (const struct rule_yaml_entry *e = it->node->first; e && rc == 0; e = e->next)
		rc = check_key(r, it, e->key, known, &seen);
	return rc;
}

/* --- append and override --- */

static int read_override(struct rule_reader *r, const struct rule_item *it,
			 const struct rule_yaml_entry *e, const struct rule_override_key *table,
			 const struct rule_where *where, struct rule_overrides *out)
{
	bool append = sv_is(e->value->text, "append");
	const struct rule_override_key *k = table;
	struct sv key = e->key->text;

	if (e->key->kind != RULE_YAML_SCALAR || e->value->kind != RULE_YAML_SCALAR)
		return rule_fail(r->v, LOAD_ERR_VALIDATE, where,
				 "Entries of 'override' map a key to 'append' or 'replace'");
	if (!append && !sv_is(e->value->text, "replace"))
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, where,
				 "Invalid override operation for key '%.*s': '%.*s' is neither "
				 "'append' nor 'replace'",
				 RULE_SHOW(key), RULE_SHOW(e->value->text));
	while (k->key && !sv_is(key, k->key))
		k++;
	if (append && (!k->key || !k->append))
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, where,
				 "Key '%.*s' cannot be appended to%s", RULE_SHOW(key),
				 k->key ? ", use 'replace' instead" : "");
	if (!append && (!k->key || !k->replace))
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, where,
				 "Key '%.*s' cannot be replaced", RULE_SHOW(key));
	if (!rule_item_has(it, k->key))
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, where,
				 "An override for '%s' was specified but '%s' is not defined",
				 k->key, k->key);
	*(append ? &out->append : &out->replace) |= 1u << (k - table);
	return 0;
}

static int read_overrides(struct rule_reader *r, const struct rule_item *it,
			  const struct rule_override_key *table, struct rule_overrides *out)
{
	const struct rule_yaml_node *node = rule_yaml_get(it->node, "override");
	const struct rule_where *where;

	if (!node || node->kind == RULE_YAML_NULL)
		return 0;
	where = rule_where_node(&r->l->arena, it->where, "overrides", sv_of(""), node);
	if (node->kind != RULE_YAML_MAP)
		return rule_fail(r->v, LOAD_ERR_VALIDATE, where,
				 "'override' is not a map from keys to 'append' or 'replace'");
	for (const struct rule_yaml_entry *e = node->first; e; e = e->next) {
		int rc = read_override(r, it, e, table, where, out);

		if (rc)
			return rc;
	}
	for (const struct rule_override_key *k = table; k->key; k++) {
		uint32_t bit = 1u << (k - table);

		if (node->count && rule_item_has(it, k->key) &&
		    !((out->append | out->replace) & bit))
			return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, where,
					 "Unexpected key '%s': it is not listed under 'override'",
					 k->key);
	}
	return 0;
}

int rule_item_overrides(struct rule_reader *r, const struct rule_item *it,
			const struct rule_override_key *table, bool *append,
			struct rule_overrides *out)
{
	const struct rule_yaml_node *node = rule_yaml_get(it->node, "override");
	const char *first = table->key;
	int rc;

	*append = false;
	*out = (struct rule_overrides){0};
	rc = rule_item_bool(r, it, "append", append);
	if (rc)
		return rc;
	if (*append) {
		rc = rule_warn_deprecated(r->v, it->where, NULL,
					  "'append' key is deprecated. Add an 'append' entry (e.g. "
					  "'%s: append') under 'override' instead.",
					  first);
		if (rc)
			return rc;
	}
	if (*append && node && node->kind == RULE_YAML_MAP && node->count)
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, it->where,
				 "Keys 'override' and 'append: true' cannot be used together. Add "
				 "an 'append' entry (e.g. '%s: append') under 'override' instead.",
				 first);
	return read_overrides(r, it, table, out);
}
