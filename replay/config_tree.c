/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/config_tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "replay/config.h"

#define TREE_STEPS_MAX 32

/* --- nodes --- */

static struct rule_yaml_node *new_node(struct arena *a, enum rule_yaml_kind kind)
{
	struct rule_yaml_node *n = arena_zalloc(a, 1, sizeof(*n));

	if (n)
		n->kind = kind;
	return n;
}

static struct rule_yaml_node *new_scalar(struct arena *a, struct sv text)
{
	struct rule_yaml_node *n = new_node(a, RULE_YAML_SCALAR);

	if (n)
		n->text = arena_sv(a, text);
	return n && n->text.p ? n : NULL;
}

static bool append_entry(struct arena *a, struct rule_yaml_node *n,
			 const struct rule_yaml_node *key, const struct rule_yaml_node *value)
{
	struct rule_yaml_entry **at = &n->first;
	struct rule_yaml_entry *e = arena_zalloc(a, 1, sizeof(*e));

	if (!e)
		return false;
	while (*at)
		at = &(*at)->next;
	e->key = key;
	e->value = value;
	*at = e;
	n->count++;
	return true;
}

/* A copy of @old (NULL or another kind: empty) whose entries can be changed. */
static struct rule_yaml_node *copy_node(struct arena *a, const struct rule_yaml_node *old,
					enum rule_yaml_kind kind)
{
	struct rule_yaml_node *n = new_node(a, kind);

	if (!n || !old || old->kind != kind)
		return n;
	for (const struct rule_yaml_entry *e = old->first; e; e = e->next)
		if (!append_entry(a, n, e->key, e->value))
			return NULL;
	return n;
}

static struct rule_yaml_entry *map_entry(const struct rule_yaml_node *map, struct sv key)
{
	for (struct rule_yaml_entry *e = map->first; e; e = e->next)
		if (e->key && e->key->kind == RULE_YAML_SCALAR && sv_eq(e->key->text, key))
			return e;
	return NULL;
}

/* --- overrides --- */

enum step_kind { STEP_KEY, STEP_INDEX, STEP_APPEND };

struct step {
	enum step_kind kind;
	struct sv key;
	uint64_t index;
};

/* "[3]" or "[]" at *p. */
static bool take_index(const char **p, struct step *s)
{
	const char *digits = *p + 1;
	char *end;

	s->kind = STEP_APPEND;
	if (*digits != ']') {
		s->kind = STEP_INDEX;
		s->index = strtoull(digits, &end, 10);
		if (end == digits || *end != ']')
			return false;
		digits = end;
	}
	*p = digits + 1;
	return true;
}

/* A key up to '.', '[' or '='; a backslash takes the next character as it is. */
static bool take_key(struct arena *a, const char **p, struct step *s)
{
	struct buf b = {0};

	while (**p && !strchr(".[=", **p)) {
		if (**p == '\\' && (*p)[1])
			(*p)++;
		buf_char(&b, *(*p)++);
	}
	*s = (struct step){.kind = STEP_KEY, .key = arena_sv(a, buf_view(&b))};
	buf_done(&b);
	return s->key.n > 0;
}

/* Return: number of steps with *value after the '=', or 0 if the text is no assignment. */
static size_t parse_path(struct arena *a, const char *text, struct step *steps, const char **value)
{
	const char *p = text;
	size_t n = 0;

	while (n < TREE_STEPS_MAX) {
		if (*p == '[' ? !take_index(&p, &steps[n]) : !take_key(a, &p, &steps[n]))
			return 0;
		n++;
		if (*p == '=') {
			*value = p + 1;
			return n;
		}
		if (*p == '.')
			p++;
		else if (*p != '[')
			return 0;
	}
	return 0;
}

/* @old with @value put at the end of the path. NULL: out of memory. Depth is bounded by
 * TREE_STEPS_MAX. */
static const struct rule_yaml_node *put(struct arena *a, const struct rule_yaml_node *old,
					const struct step *steps, size_t n,
					const struct rule_yaml_node *value)
{
	struct rule_yaml_entry *e = NULL;
	struct rule_yaml_node *node;

	if (n == 0)
		return value;
	node = copy_node(a, old, steps->kind == STEP_KEY ? RULE_YAML_MAP : RULE_YAML_SEQUENCE);
	if (!node)
		return NULL;
	if (steps->kind == STEP_KEY) {
		e = map_entry(node, steps->key);
	} else if (steps->kind == STEP_INDEX) {
		e = node->first;
		for (uint64_t i = 0; e && i < steps->index; i++)
			e = e->next;
	}
	value = put(a, e ? e->value : NULL, steps + 1, n - 1, value);
	if (!value)
		return NULL;
	if (e) {
		e->value = value;
		return node;
	}
	if (!append_entry(a, node, steps->kind == STEP_KEY ? new_scalar(a, steps->key) : NULL,
			  value))
		return NULL;
	return node;
}

static int parse_value(struct arena *a, const char *text, const struct rule_yaml_node **out,
		       struct error *err)
{
	const struct rule_yaml_node *docs;
	int rc;

	if (text[0] != '{') {
		*out = new_scalar(a, sv_of(text));
		return *out ? 0 : error_nomem(err);
	}
	rc = rule_yaml_read(sv_of(text), a, &docs, NULL, err);
	if (rc < 0)
		return rc;
	if (!docs->first)
		return error_set(err, ERR_USAGE, "empty value");
	*out = docs->first->value;
	return 0;
}

int run_tree_override(const char *assignment, struct arena *arena,
		      const struct rule_yaml_node *tree, const struct rule_yaml_node **out,
		      struct error *err)
{
	struct step steps[TREE_STEPS_MAX];
	const struct rule_yaml_node *node;
	struct error inner = {0};
	const char *value;
	size_t n = parse_path(arena, assignment, steps, &value);

	if (!n)
		return error_set(err, ERR_USAGE,
				 "option '%s': expected KEY=VALUE, such as json_output=true",
				 assignment);
	if (parse_value(arena, value, &node, &inner) < 0)
		return error_set(err, ERR_USAGE, "option '%s': %s", assignment, inner.msg);
	*out = put(arena, tree, steps, n, node);
	return *out ? 0 : error_nomem(err);
}

/* --- files --- */

struct sv run_tree_expand(struct arena *arena, struct sv text)
{
	struct buf b = {0};
	struct sv out;

	while (text.n) {
		bool literal = sv_starts(text, SV_LIT("$${"));
		const char *end =
		    sv_starts(text, SV_LIT("${")) ? memchr(text.p, '}', text.n) : NULL;

		if (literal) {
			buf_lit(&b, "${");
			text = sv_drop(text, 3);
		} else if (end) {
			char *name = arena_strndup(arena, text.p + 2, (size_t)(end - text.p) - 2);
			const char *value = name ? getenv(name) : NULL;

			buf_str(&b, value ? value : "");
			text = sv_drop(text, (size_t)(end - text.p) + 1);
		} else {
			buf_char(&b, *text.p);
			text = sv_drop(text, 1);
		}
	}
	out = arena_sv(arena, buf_view(&b));
	buf_done(&b);
	return out;
}

static int read_text(const char *path, struct arena *arena, struct sv *out, struct error *err)
{
	FILE *f = fopen(path, "re");
	char *text;
	size_t n;
	int rc = 0;

	if (!f)
		return error_sys(err, errno, "cannot read configuration '%s'", path);
	text = arena_alloc(arena, RUN_CONFIG_BYTES_MAX + 1);
	n = text ? fread(text, 1, RUN_CONFIG_BYTES_MAX + 1, f) : 0;
	if (!text)
		rc = error_nomem(err);
	else if (ferror(f))
		rc = error_sys(err, errno, "cannot read configuration '%s'", path);
	else if (n > RUN_CONFIG_BYTES_MAX)
		rc = error_set(err, ERR_USAGE, "configuration '%s' is larger than %u bytes", path,
			       RUN_CONFIG_BYTES_MAX);
	fclose(f);
	*out = sv_make(text, n);
	return rc;
}

static int read_one(const char *path, struct arena *arena, const struct rule_yaml_node **out,
		    struct error *err)
{
	const struct rule_yaml_node *docs;
	struct error inner = {0};
	struct rule_pos pos = {0};
	struct sv text;
	int rc = read_text(path, arena, &text, err);

	if (rc < 0)
		return rc;
	if (rule_yaml_read(text, arena, &docs, &pos, &inner) < 0)
		return error_set(err, ERR_USAGE, "%s:%u:%u: %s", path, pos.line + 1, pos.column + 1,
				 inner.msg);
	*out = docs->first ? docs->first->value : new_node(arena, RULE_YAML_MAP);
	if (!*out)
		return error_nomem(err);
	if ((*out)->kind == RULE_YAML_NULL)
		*out = new_node(arena, RULE_YAML_MAP);
	if (!*out || (*out)->kind != RULE_YAML_MAP)
		return error_set(err, ERR_USAGE, "%s:1:1: expected a map of configuration keys",
				 path);
	return 0;
}

enum strategy { MERGE_APPEND, MERGE_OVERRIDE, MERGE_ADD_ONLY };

static const struct rule_yaml_node *merge(struct arena *a, const struct rule_yaml_node *base,
					  const struct rule_yaml_node *extra, enum strategy how)
{
	struct rule_yaml_node *out = copy_node(a, base, RULE_YAML_MAP);

	for (const struct rule_yaml_entry *e = extra->first; out && e; e = e->next) {
		struct rule_yaml_entry *old =
		    e->key->kind == RULE_YAML_SCALAR ? map_entry(out, e->key->text) : NULL;

		if (!old) {
			if (!append_entry(a, out, e->key, e->value))
				return NULL;
		} else if (how == MERGE_APPEND && old->value->kind == RULE_YAML_SEQUENCE &&
			   e->value->kind == RULE_YAML_SEQUENCE) {
			struct rule_yaml_node *both = copy_node(a, old->value, RULE_YAML_SEQUENCE);

			for (const struct rule_yaml_entry *i = e->value->first; both && i;
			     i = i->next)
				if (!append_entry(a, both, NULL, i->value))
					return NULL;
			if (!both)
				return NULL;
			old->value = both;
		} else if (how != MERGE_ADD_ONLY) {
			old->value = e->value;
		}
	}
	return out;
}

static int merge_file(const char *path, enum strategy how, struct arena *a,
		      const struct rule_yaml_node **tree, struct error *err)
{
	const struct rule_yaml_node *extra;
	int rc = read_one(path, a, &extra, err);

	if (rc < 0)
		return rc;
	*tree = merge(a, *tree, extra, how);
	return *tree ? 0 : error_nomem(err);
}

static int merge_directory(const char *path, enum strategy how, struct arena *a,
			   const struct rule_yaml_node **tree, struct error *err)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);
	int rc = 0;

	if (n < 0)
		return error_sys(err, errno, "cannot read the configuration directory '%s'", path);
	for (int i = 0; i < n; i++) {
		char file[4096];
		struct stat sb;

		if (rc == 0 &&
		    snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name) <
			(int)sizeof(file) &&
		    stat(file, &sb) == 0 && S_ISREG(sb.st_mode))
			rc = merge_file(file, how, a, tree, err);
		free(names[i]);
	}
	free(names);
	return rc;
}

/* One entry of config_files: a path, or a map with path and strategy. A missing one is skipped. */
static int include(const struct rule_yaml_node *entry, struct arena *a,
		   const struct rule_yaml_node **tree, struct error *err)
{
	const struct rule_yaml_node *path = entry, *strategy = NULL;
	enum strategy how = MERGE_APPEND;
	struct stat sb;
	struct sv text;

	if (entry->kind == RULE_YAML_MAP) {
		path = rule_yaml_get(entry, "path");
		strategy = rule_yaml_get(entry, "strategy");
	}
	if (!path || path->kind != RULE_YAML_SCALAR)
		return error_set(err, ERR_USAGE,
				 "config_files: expected a path, or a map with path and strategy");
	if (strategy && sv_is(strategy->text, "override"))
		how = MERGE_OVERRIDE;
	else if (strategy && sv_is(strategy->text, "add-only"))
		how = MERGE_ADD_ONLY;
	else if (strategy && !sv_is(strategy->text, "append"))
		return error_set(
		    err, ERR_USAGE,
		    "config_files: strategy '%.*s': expected append, override or add-only",
		    (int)strategy->text.n, strategy->text.p);
	text = run_tree_expand(a, path->text);
	if (!text.p)
		return error_nomem(err);
	if (stat(text.p, &sb) != 0)
		return 0;
	return S_ISDIR(sb.st_mode) ? merge_directory(text.p, how, a, tree, err)
				   : merge_file(text.p, how, a, tree, err);
}

int run_tree_read(const char *path, struct arena *arena, const struct rule_yaml_node **out,
		  struct error *err)
{
	const struct rule_yaml_node *tree, *files;
	int rc = read_one(path, arena, &tree, err);

	if (rc < 0)
		return rc;
	files = rule_yaml_get(tree, "config_files");
	if (files && files->kind == RULE_YAML_SCALAR)
		rc = include(files, arena, &tree, err);
	else if (files && files->kind == RULE_YAML_SEQUENCE)
		for (const struct rule_yaml_entry *e = files->first; e && rc == 0; e = e->next)
			rc = include(e->value, arena, &tree, err);
	*out = tree;
	return rc;
}
