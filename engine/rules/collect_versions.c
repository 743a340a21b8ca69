/* SPDX-License-Identifier: Apache-2.0 */
/* Entries that say which engine and which plugins a file needs, and whether they are there. */
#include "engine/rules/internal.h"

/* Fields that the container plugin provides elsewhere are part of this engine. */
static const struct rule_plugin builtin = {"container", "0.7.0"};

/* A plain number N stands for 0.N.0. */
static bool parse_engine_version(struct sv text, struct rule_version *out)
{
	uint64_t n;

	if (!rule_yaml_u64(text, &n))
		return rule_version_parse(text, out);
	if (n > UINT32_MAX)
		return false;
	*out = (struct rule_version){0, (uint32_t)n, 0};
	return true;
}

int rule_collect_engine(struct rule_reader *r, const struct rule_yaml_node *node,
			const struct rule_where *up)
{
	static const char key[] = "required_engine_version";
	static const char *const keys[] = {key, NULL};
	struct rule_item it = {node, rule_where_node(&r->l->arena, up, key, sv_of(""), node)};
	struct rule_version need, have;
	struct sv text;
	int rc;

	rc = rule_item_keys(r, &it, keys);
	if (rc == 0)
		rc = rule_item_text(r, &it, key, &text);
	if (rc)
		return rc;
	if (!parse_engine_version(text, &need))
		return rule_fail(
		    r->v, LOAD_ERR_YAML_VALIDATE, it.where,
		    "Unable to parse engine version '%.*s': expected a number or x.y.z",
		    RULE_SHOW(text));
	if (!rule_version_parse(SV_LIT(RULE_ENGINE_VERSION), &have) ||
	    !rule_version_serves(have, need))
		return rule_fail(r->v, LOAD_ERR_VALIDATE, it.where,
				 "Rules require engine version %u.%u.%u, but engine version is %s",
				 need.major, need.minor, need.patch, RULE_ENGINE_VERSION);
	if (rule_version_cmp(need, r->l->needs_engine) > 0)
		r->l->needs_engine = need;
	return 0;
}

/* --- plugins --- */

static int read_plugin(struct rule_reader *r, const struct rule_yaml_node *node, const char *type,
		       const struct rule_where *up, struct rule_plugin_need *need,
		       struct rule_item *it)
{
	static const char *const keys[] = {"name", "version", "alternatives", NULL};
	struct sv name, version;
	int rc;

	it->node = node;
	it->where = rule_where_node(&r->l->arena, up, type, sv_of(""), node);
	if (node->kind != RULE_YAML_MAP)
		return rule_fail(
		    r->v, LOAD_ERR_YAML_VALIDATE, it->where,
		    "Plugin version requirement is not a map with 'name' and 'version'");
	rc = rule_item_text(r, it, "name", &name);
	if (rc)
		return rc;
	it->where = rule_where_node(&r->l->arena, up, type, name, node);
	rc = rule_item_keys(r, it, keys);
	if (rc == 0)
		rc = rule_item_text(r, it, "version", &version);
	if (rc)
		return rc;
	if (!rule_version_parse(version, &need->any[need->count].version))
		return rule_fail(r->v, LOAD_ERR_VALIDATE, it->where,
				 "Plugin version '%.*s' is not of the form x.y.z",
				 RULE_SHOW(version));
	for (size_t i = 0; i < need->count; i++)
		if (sv_eq(need->any[i].name, name))
			return rule_fail(
			    r->v, LOAD_ERR_VALIDATE, it->where,
			    "Plugin '%.*s' is named twice among the alternatives of one "
			    "requirement",
			    RULE_SHOW(name));
	need->any[need->count++].name = name;
	return 0;
}

static int read_need(struct rule_reader *r, const struct rule_yaml_node *node,
		     const struct rule_where *up)
{
	const struct rule_yaml_node *others = rule_yaml_get(node, "alternatives");
	struct rule_plugin_need *need = arena_zalloc(&r->l->arena, 1, sizeof(*need));
	size_t room = others ? RULE_ALTERNATIVES_MAX : 0;
	struct rule_item it, other;
	int rc;

	if (!need)
		return ERR_NOMEM;
	if (others && others->count < RULE_ALTERNATIVES_MAX)
		room = others->count;
	need->any = arena_zalloc(&r->l->arena, 1 + room, sizeof(*need->any));
	if (!need->any)
		return ERR_NOMEM;
	rc = read_plugin(r, node, "required plugin versions entry", up, need, &it);
	if (rc)
		return rc;
	if (others && others->kind != RULE_YAML_SEQUENCE)
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, it.where,
				 "Value of key 'alternatives' is not a sequence");
	if (others && others->count > RULE_ALTERNATIVES_MAX)
		return rule_fail(r->v, LOAD_ERR_VALIDATE, it.where,
				 "Plugin version requirement has more than %d alternatives",
				 RULE_ALTERNATIVES_MAX);
	for (const struct rule_yaml_entry *e = others ? others->first : NULL; e; e = e->next) {
		rc = read_plugin(r, e->value, "required plugin versions alternative", it.where,
				 need, &other);
		if (rc)
			return rc;
	}
	return rule_vec_push(&r->l->needs_plugins, need);
}

int rule_collect_plugins(struct rule_reader *r, const struct rule_yaml_node *node,
			 const struct rule_where *up)
{
	static const char key[] = "required_plugin_versions";
	static const char *const keys[] = {key, NULL};
	const struct rule_yaml_node *entries = rule_yaml_get(node, key);
	struct rule_item it = {
	    node, rule_where_node(&r->l->arena, up, "required plugin versions", sv_of(""), node)};
	int rc;

	rc = rule_item_keys(r, &it, keys);
	if (rc)
		return rc;
	if (entries->kind != RULE_YAML_SEQUENCE)
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, it.where,
				 "Value of key '%s' is not a sequence", key);
	for (const struct rule_yaml_entry *e = entries->first; e && rc == 0; e = e->next)
		rc = read_need(r, e->value, it.where);
	return rc;
}

/* --- are they there? --- */

/* Return: 1 if @p serves @need, 0 if it is named there but does not, -1 if it is not named. */
static int plugin_serves(const struct rule_plugin *p, const struct rule_plugin_need *need)
{
	struct rule_version have;

	for (size_t i = 0; i < need->count; i++)
		if (sv_is(need->any[i].name, p->name))
			return rule_version_parse(sv_of(p->version), &have) &&
			       rule_version_serves(have, need->any[i].version);
	return -1;
}

/* The first loaded plugin that the requirement names decides. */
static bool is_served(const struct rule_options *opt, const struct rule_plugin_need *need)
{
	for (size_t i = 0; i < opt->plugin_count; i++) {
		int serves = plugin_serves(&opt->plugins[i], need);

		if (serves >= 0)
			return serves;
	}
	return plugin_serves(&builtin, need) > 0;
}

int rule_loader_check_plugins(const struct rule_loader *l, struct error *err)
{
	for (size_t i = 0; i < l->needs_plugins.n; i++) {
		const struct rule_plugin_need *need = l->needs_plugins.p[i];

		if (is_served(&l->opt, need))
			continue;
		return error_set(err, ERR_RULES,
				 "plugin requirement not satisfied: no loaded plugin is %.*s "
				 "%u.%u.%u or compatible%s",
				 RULE_SHOW(need->any[0].name), need->any[0].version.major,
				 need->any[0].version.minor, need->any[0].version.patch,
				 need->count > 1 ? ", nor one of its alternatives" : "");
	}
	return 0;
}
