/* SPDX-License-Identifier: Apache-2.0 */
/* From the documents of a file to its entries; and the two short kinds of them, lists and macros.
 */
#include "engine/rules/internal.h"

typedef int (*collect_fn)(struct rule_reader *r, const struct rule_yaml_node *node,
			  const struct rule_where *up);

static int collect_item(struct rule_reader *r, const struct rule_yaml_node *node,
			const struct rule_where *up)
{
	/* The first key that is there decides. */
	static const struct {
		const char *key;
		collect_fn collect;
	} kinds[] = {
	    {"required_engine_version", rule_collect_engine},
	    {"required_plugin_versions", rule_collect_plugins},
	    {"list", rule_collect_list},
	    {"macro", rule_collect_macro},
	    {"rule", rule_collect_rule},
	};
	const struct rule_where *where;

	for (size_t i = 0; node->kind == RULE_YAML_MAP && i < COUNT_OF(kinds); i++)
		if (rule_yaml_get(node, kinds[i].key))
			return kinds[i].collect(r, node, up);
	where = rule_where_node(&r->l->arena, up, "rules content item", sv_of(""), node);
	if (node->kind != RULE_YAML_MAP)
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, where,
				 "Entry of the rules content is not a map of keys to values");
	return rule_warn(r->v, LOAD_UNKNOWN_ITEM, where,
			 "No key says whether this is a rule, a macro, a list or a version "
			 "requirement; it is ignored");
}

static int collect_document(struct rule_reader *r, const struct rule_yaml_node *doc,
			    const struct rule_where *root)
{
	if (doc->kind == RULE_YAML_NULL)
		return 0;
	if (doc->kind == RULE_YAML_SCALAR)
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, root, "Rules content is not yaml");
	if (doc->kind != RULE_YAML_SEQUENCE)
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, root,
				 "Rules content is not yaml array of objects");
	for (const struct rule_yaml_entry *e = doc->first; e; e = e->next) {
		int rc = e->value->kind == RULE_YAML_NULL ? 0 : collect_item(r, e->value, root);

		if (rc)
			return rc;
	}
	return 0;
}

int rule_collect(struct rule_reader *r, const struct rule_yaml_node *docs)
{
	const struct rule_where *root = rule_where_root(&r->l->arena, r->src);

	for (const struct rule_yaml_entry *e = docs->first; e; e = e->next) {
		int rc = collect_document(r, e->value, root);

		if (rc)
			return rc;
	}
	return 0;
}

/* --- lists --- */

static int quote_items(struct arena *a, struct rule_texts *items)
{
	for (size_t i = 0; i < items->n; i++) {
		items->p[i] = rule_quote(a, items->p[i]);
		if (!items->p[i].p)
			return ERR_NOMEM;
	}
	return 0;
}

static int add_list(struct rule_loader *l, const struct rule_list *as, struct rule_list **out)
{
	struct rule_list *list = arena_zalloc(&l->arena, 1, sizeof(*list));

	if (!list || rule_vec_push(&l->lists, list))
		return ERR_NOMEM;
	*list = *as;
	list->index = l->counter;
	*out = list;
	return smap_put(&l->list_by_name, list->name, list);
}

static int define_list(struct rule_reader *r, const struct rule_list *as, bool append)
{
	struct rule_loader *l = r->l;
	struct rule_list *list = smap_get(&l->list_by_name, as->name);
	int rc = 0;

	if (!list && append)
		return rule_fail(r->v, LOAD_ERR_VALIDATE, as->where,
				 "List uses 'append' or 'override.items: append' but no list by "
				 "that name already exists");
	if (!list) {
		rc = add_list(l, as, &list);
	} else if (append) {
		rc = rule_piece_add(&l->arena, &list->last, list->items.n, as->where,
				    as->last->node);
		if (rc == 0)
			rc = rule_texts_add(&l->arena, &list->items, as->items.p, as->items.n);
	} else {
		list->items = as->items;
		list->last = as->last;
		list->where = as->where;
	}
	if (rc == 0)
		list->visibility = l->counter++;
	return rc;
}

int rule_collect_list(struct rule_reader *r, const struct rule_yaml_node *node,
		      const struct rule_where *up)
{
	static const char *const keys[] = {"list", "items", "append", "override", NULL};
	static const struct rule_override_key overrides[] = {{"items", true, true}, {0}};
	struct rule_overrides over;
	struct rule_list list = {0};
	struct rule_item it;
	bool append;
	int rc;

	rc = rule_open_item(r, node, "list", up, &it, &list.name);
	if (rc)
		return rc;
	list.where = it.where;
	rc = rule_item_keys(r, &it, keys);
	if (rc == 0 && !flt_is_bare(list.name))
		rc = rule_warn(r->v, LOAD_INVALID_LIST_NAME, it.where,
			       "List has an invalid name. List names should match a regular "
			       "expression for plain words: no blanks, parentheses, quotes, '=' "
			       "or ','");
	if (rc == 0)
		rc = rule_item_texts(r, &it, "items", &list.items);
	if (rc == 0)
		rc = rule_piece_add(&r->l->arena, &list.last, 0, it.where,
				    rule_yaml_get(node, "items"));
	if (rc == 0)
		rc = quote_items(&r->l->arena, &list.items);
	if (rc == 0)
		rc = rule_item_overrides(r, &it, overrides, &append, &over);
	return rc ? rc : define_list(r, &list, append || over.append);
}

/* --- macros --- */

static int add_macro(struct rule_loader *l, const struct rule_macro *as, struct rule_macro **out)
{
	struct rule_macro *macro = arena_zalloc(&l->arena, 1, sizeof(*macro));

	if (!macro || rule_vec_push(&l->macros, macro))
		return ERR_NOMEM;
	*macro = *as;
	macro->index = l->counter;
	*out = macro;
	return smap_put(&l->macro_by_name, macro->name, macro);
}

static int define_macro(struct rule_reader *r, const struct rule_macro *as, bool append)
{
	struct rule_loader *l = r->l;
	struct rule_macro *macro = smap_get(&l->macro_by_name, as->name);
	int rc = 0;

	if (!macro && append)
		return rule_fail(r->v, LOAD_ERR_VALIDATE, as->where,
				 "Macro uses 'append' or 'override.condition: append' but no macro "
				 "by that name already exists");
	if (!macro) {
		rc = add_macro(l, as, &macro);
	} else if (append) {
		rc = rule_join(r, as->condition_where, as->condition.last->node, &macro->condition,
			       as->condition.s);
	} else {
		macro->condition = as->condition;
		macro->where = as->where;
		macro->condition_where = as->condition_where;
	}
	if (rc == 0)
		macro->visibility = l->counter++;
	return rc;
}

int rule_collect_macro(struct rule_reader *r, const struct rule_yaml_node *node,
		       const struct rule_where *up)
{
	static const char *const keys[] = {"macro", "condition", "append", "override", NULL};
	static const struct rule_override_key overrides[] = {{"condition", true, true}, {0}};
	struct rule_overrides over;
	struct rule_macro macro = {0};
	struct rule_item it;
	bool append;
	int rc;

	rc = rule_open_item(r, node, "macro", up, &it, &macro.name);
	if (rc)
		return rc;
	macro.where = it.where;
	rc = rule_item_keys(r, &it, keys);
	if (rc == 0 && !flt_is_identifier(macro.name))
		rc = rule_warn(r->v, LOAD_INVALID_MACRO_NAME, it.where,
			       "Macro has an invalid name. Macro names should match a regular "
			       "expression for identifiers: a letter, then letters, digits and "
			       "underscores");
	if (rc == 0)
		rc = rule_item_text(r, &it, "condition", &macro.condition.s);
	if (rc == 0)
		rc = rule_piece_add(&r->l->arena, &macro.condition.last, 0, it.where,
				    rule_yaml_get(node, "condition"));
	if (rc)
		return rc;
	macro.condition_where = rule_where_node(&r->l->arena, it.where, "macro condition",
						sv_of(""), rule_yaml_get(node, "condition"));
	rc = rule_item_overrides(r, &it, overrides, &append, &over);
	return rc ? rc : define_macro(r, &macro, append || over.append);
}
