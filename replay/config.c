/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "replay/config_tree.h"

/* The tree being read, with what is needed to report and allocate. */
struct reader {
	struct run_config *c;
	const struct rule_yaml_node *tree;
	struct error *err;
};

/* The node at "a.b.c", or NULL. */
static const struct rule_yaml_node *at(const struct reader *r, const char *path)
{
	const struct rule_yaml_node *n = r->tree;
	char key[64];

	while (n && *path) {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(key))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		n = rule_yaml_get(n, key);
		path += len + (path[len] == '.');
	}
	return n;
}

/* A scalar with its environment variables filled in; false if absent, null or no scalar. */
static bool text_of(const struct reader *r, const struct rule_yaml_node *n, struct sv *out)
{
	if (!n || n->kind != RULE_YAML_SCALAR)
		return false;
	*out = run_tree_expand(&r->c->arena, n->text);
	return out->p != NULL;
}

/* As in the reference, a value of the wrong type silently leaves the default. */
static void read_bool(const struct reader *r, const char *path, bool *out)
{
	struct sv text;

	if (text_of(r, at(r, path), &text))
		(void)rule_yaml_bool(text, out);
}

static void read_text(const struct reader *r, const char *path, const char **out)
{
	struct sv text;

	if (text_of(r, at(r, path), &text))
		*out = text.p;
}

/* A sequence's entries, or the node itself as the only one. */
static size_t entries(const struct rule_yaml_node *n)
{
	return !n || n->kind == RULE_YAML_NULL ? 0 : n->kind == RULE_YAML_SEQUENCE ? n->count : 1;
}

static const struct rule_yaml_node *entry(const struct rule_yaml_node *n, size_t i)
{
	const struct rule_yaml_entry *e = n->first;

	if (n->kind != RULE_YAML_SEQUENCE)
		return n;
	while (e && i--)
		e = e->next;
	return e ? e->value : NULL;
}

static int bad_entry(const struct reader *r, const char *key, const char *expected)
{
	return error_set(r->err, ERR_USAGE, "configuration: %s: expected %s", key, expected);
}

/* A text array from a sequence of scalars or one scalar; NULL-terminated. */
static int read_texts(const struct reader *r, const struct rule_yaml_node *n, const char *key,
		      const char ***out, size_t *count)
{
	size_t max = entries(n);
	const char **items = arena_zalloc(&r->c->arena, max + 1, sizeof(*items));

	*count = 0;
	if (!items)
		return error_nomem(r->err);
	for (size_t i = 0; i < max; i++) {
		struct sv text;

		if (!text_of(r, entry(n, i), &text))
			return bad_entry(r, key, "a list of texts");
		items[(*count)++] = text.p;
	}
	*out = items;
	return 0;
}

static int read_rules_files(const struct reader *r)
{
	const struct rule_yaml_node *files = at(r, "rules_files"), *old = at(r, "rules_file");

	if (files && old)
		return bad_entry(r, "rules_files",
				 "either rules_files or the deprecated rules_file, not both");
	return files || old ? read_texts(r, files ? files : old, "rules_files", &r->c->rules_files,
					 &r->c->rules_count)
			    : 0;
}

/* enable and disable hold rule: PATTERN and/or tag: TAG. */
static int read_selection(const struct reader *r, const struct rule_yaml_node *n, bool enable)
{
	const struct rule_yaml_node *rule = rule_yaml_get(n, "rule"),
				    *tag = rule_yaml_get(n, "tag");
	struct rule_select *s = r->c->select;
	struct sv text;

	if (n->kind != RULE_YAML_MAP || (!rule && !tag))
		return bad_entry(r, "rules", "enable: or disable: with rule: PATTERN or tag: TAG");
	if (text_of(r, rule, &text))
		s[r->c->select_count++] =
		    (struct rule_select){enable ? RULE_ENABLE_NAME : RULE_DISABLE_NAME, text.p};
	if (text_of(r, tag, &text))
		s[r->c->select_count++] =
		    (struct rule_select){enable ? RULE_ENABLE_TAG : RULE_DISABLE_TAG, text.p};
	return 0;
}

static int read_selections(const struct reader *r)
{
	const struct rule_yaml_node *rules = at(r, "rules");
	size_t n = entries(rules);
	int rc = 0;

	r->c->select = arena_zalloc(&r->c->arena, 4 * n + 1, sizeof(*r->c->select));
	r->c->select_count = 0;
	if (!r->c->select)
		return error_nomem(r->err);
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct rule_yaml_node *e = entry(rules, i);
		const struct rule_yaml_node *enable = rule_yaml_get(e, "enable"),
					    *disable = rule_yaml_get(e, "disable");

		if (!enable && !disable)
			return bad_entry(r, "rules", "entries with enable: or disable:");
		if (enable)
			rc = read_selection(r, enable, true);
		if (disable && rc == 0)
			rc = read_selection(r, disable, false);
	}
	return rc;
}

static int read_append(const struct reader *r)
{
	const struct rule_yaml_node *list = at(r, "append_output");
	size_t n = entries(list);

	if (!list)
		return 0;
	r->c->append = arena_zalloc(&r->c->arena, n + 1, sizeof(*r->c->append));
	r->c->append_count = n;
	if (!r->c->append)
		return error_nomem(r->err);
	for (size_t i = 0; i < n; i++) {
		const struct rule_yaml_node *e = entry(list, i), *match = rule_yaml_get(e, "match");
		struct rule_append_output *out = &r->c->append[i];
		const char **tags;
		struct sv text;
		size_t tag_count;
		int rc;

		if (text_of(r, rule_yaml_get(match, "source"), &text))
			out->source = text.p;
		if (text_of(r, rule_yaml_get(match, "rule"), &text))
			out->rule = text.p;
		if (text_of(r, rule_yaml_get(e, "extra_output"), &text))
			out->extra_output = text.p;
		if (text_of(r, rule_yaml_get(e, "suggested_output"), &text))
			(void)rule_yaml_bool(text, &out->suggested);
		if (!rule_yaml_get(match, "tags"))
			continue;
		rc =
		    read_texts(r, rule_yaml_get(match, "tags"), "append_output", &tags, &tag_count);
		if (rc < 0)
			return rc;
		out->tags = tags;
	}
	return 0;
}

static int read_statics(const struct reader *r)
{
	const struct rule_yaml_node *map = at(r, "static_fields");
	size_t n = 0;

	if (!map || map->kind != RULE_YAML_MAP)
		return 0;
	r->c->statics = arena_zalloc(&r->c->arena, map->count + 1, sizeof(*r->c->statics));
	if (!r->c->statics)
		return error_nomem(r->err);
	for (const struct rule_yaml_entry *e = map->first; e; e = e->next) {
		struct sv key, value;

		if (!text_of(r, e->key, &key) || !text_of(r, e->value, &value))
			return bad_entry(r, "static_fields", "a map of texts");
		r->c->statics[n++] = (struct flt_static){key.p, value.p};
	}
	r->c->static_count = n;
	return 0;
}

static int read_choices(const struct reader *r)
{
	struct sv text;

	if (text_of(r, at(r, "priority"), &text) && !rule_priority_parse(text, &r->c->priority))
		return bad_entry(
		    r, "priority",
		    "emergency, alert, critical, error, warning, notice, info or debug");
	if (!text_of(r, at(r, "rule_matching"), &text))
		return 0;
	r->c->match_all = text.n == 3 && strncasecmp(text.p, "all", 3) == 0;
	if (!r->c->match_all && strcasecmp(text.p, "first") != 0)
		return bad_entry(r, "rule_matching", "first or all");
	return 0;
}

static void read_unused(const struct reader *r)
{
	static const char *const channels[] = {"syslog_output", "program_output", "http_output"};
	size_t n = 0;

	for (size_t i = 0; i < COUNT_OF(channels); i++) {
		char path[64];
		bool enabled = false;

		snprintf(path, sizeof(path), "%s.enabled", channels[i]);
		read_bool(r, path, &enabled);
		if (enabled)
			r->c->unused[n++] = channels[i];
	}
	r->c->unused[n] = NULL;
}

static void read_switches(const struct reader *r)
{
	struct run_config *c = r->c;
	bool output = true, tags = true, fields = true;

	read_bool(r, "json_output", &c->json_output);
	read_bool(r, "time_format_iso_8601", &c->format.iso_time);
	read_bool(r, "json_include_message_property", &c->format.include_message);
	read_bool(r, "json_include_output_property", &output);
	read_bool(r, "json_include_tags_property", &tags);
	read_bool(r, "json_include_output_fields_property", &fields);
	c->format.no_output = !output;
	c->format.no_tags = !tags;
	c->format.no_fields = !fields;
	read_bool(r, "buffer_format_base64", &c->base64_buffers);
	read_bool(r, "stdout_output.enabled", &c->stdout_enabled);
	read_bool(r, "file_output.enabled", &c->file_enabled);
	read_text(r, "file_output.filename", &c->file_name);
}

static int read_all(const struct reader *r)
{
	int rc = read_rules_files(r);

	read_switches(r);
	read_unused(r);
	if (rc == 0)
		rc = read_selections(r);
	if (rc == 0)
		rc = read_append(r);
	if (rc == 0)
		rc = read_statics(r);
	if (rc == 0)
		rc = read_choices(r);
	if (rc == 0 && r->c->file_enabled && !(r->c->file_name && *r->c->file_name))
		rc = bad_entry(r, "file_output.filename",
			       "a file name, since file_output is enabled");
	return rc;
}

int run_config_init(struct run_config *c, struct error *err)
{
	*c = (struct run_config){.priority = RULE_DEBUG, .stdout_enabled = true};
	c->append = arena_zalloc(&c->arena, 1, sizeof(*c->append));
	c->statics = arena_zalloc(&c->arena, 1, sizeof(*c->statics));
	if (!c->append || !c->statics)
		return error_nomem(err);
	c->append[0].suggested = true;
	c->append_count = 1;
	return 0;
}

void run_config_done(struct run_config *c)
{
	arena_done(&c->arena);
}

int run_config_load(struct run_config *c, const char *path, const char *const *overrides,
		    size_t count, struct error *err)
{
	struct reader r = {.c = c, .err = err};
	int rc = 0;

	if (path)
		rc = run_tree_read(path, &c->arena, &r.tree, err);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = run_tree_override(overrides[i], &c->arena, r.tree, &r.tree, err);
	return rc == 0 && r.tree ? read_all(&r) : rc;
}

void run_config_describe(const struct run_config *c, struct buf *b)
{
	buf_str(b, c->format.iso_time ? " iso-time" : "");
	buf_str(b, c->base64_buffers ? " base64" : "");
	for (size_t i = 0; i < c->static_count; i++) {
		buf_lit(b, " static=");
		buf_counted(b, sv_of(c->statics[i].name));
		buf_counted(b, sv_of(c->statics[i].value));
	}
}
