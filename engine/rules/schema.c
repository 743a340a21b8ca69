/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The informational check of a rule file against the item schema: which keys there are and what
 * type their values have. Scalars are typed by their text. Its verdict never fails a load.
 */
#include "engine/rules/internal.h"

#define PATH_DEPTH 8 /* levels of the schema */

enum type {
	TYPE_TEXT,  /* any scalar */
	TYPE_BOOL,  /* true or false */
	TYPE_WHOLE, /* digits */
	TYPE_PRIORITY,
	TYPE_OVERRIDE_OP,
	TYPE_TEXTS,  /* a sequence of scalars */
	TYPE_SHAPES, /* a scalar or a sequence of anything */
	TYPE_ITEMS,  /* a sequence of objects */
	TYPE_OBJECT,
};

struct key {
	const char *name; /* NULL ends an object */
	enum type type;
	const struct key *keys; /* ITEMS, OBJECT */
	bool required;
};

static const struct key override_keys[] = {
    {"append", TYPE_OVERRIDE_OP, NULL, false},
    {"capture", TYPE_OVERRIDE_OP, NULL, false},
    {"capture_duration", TYPE_OVERRIDE_OP, NULL, false},
    {"condition", TYPE_OVERRIDE_OP, NULL, false},
    {"desc", TYPE_OVERRIDE_OP, NULL, false},
    {"enabled", TYPE_OVERRIDE_OP, NULL, false},
    {"exceptions", TYPE_OVERRIDE_OP, NULL, false},
    {"items", TYPE_OVERRIDE_OP, NULL, false},
    {"output", TYPE_OVERRIDE_OP, NULL, false},
    {"priority", TYPE_OVERRIDE_OP, NULL, false},
    {"skip-if-unknown-filter", TYPE_OVERRIDE_OP, NULL, false},
    {"source", TYPE_OVERRIDE_OP, NULL, false},
    {"tags", TYPE_OVERRIDE_OP, NULL, false},
    {"warn_evttypes", TYPE_OVERRIDE_OP, NULL, false},
    {0},
};

static const struct key exception_keys[] = {
    {"name", TYPE_TEXT, NULL, true},
    {"fields", TYPE_SHAPES, NULL, false},
    {"comps", TYPE_SHAPES, NULL, false},
    {"values", TYPE_SHAPES, NULL, false},
    {0},
};

static const struct key alternative_keys[] = {
    {"name", TYPE_TEXT, NULL, false},
    {"version", TYPE_TEXT, NULL, true},
    {0},
};

static const struct key plugin_keys[] = {
    {"name", TYPE_TEXT, NULL, false},
    {"version", TYPE_TEXT, NULL, true},
    {"alternatives", TYPE_ITEMS, alternative_keys, false},
    {0},
};

static const struct key item_keys[] = {
    {"required_engine_version", TYPE_TEXT, NULL, false},
    {"required_plugin_versions", TYPE_ITEMS, plugin_keys, false},
    {"list", TYPE_TEXT, NULL, false},
    {"items", TYPE_TEXTS, NULL, false},
    {"macro", TYPE_TEXT, NULL, false},
    {"rule", TYPE_TEXT, NULL, false},
    {"condition", TYPE_TEXT, NULL, false},
    {"output", TYPE_TEXT, NULL, false},
    {"desc", TYPE_TEXT, NULL, false},
    {"priority", TYPE_PRIORITY, NULL, false},
    {"source", TYPE_TEXT, NULL, false},
    {"enabled", TYPE_BOOL, NULL, false},
    {"capture", TYPE_BOOL, NULL, false},
    {"capture_duration", TYPE_WHOLE, NULL, false},
    {"warn_evttypes", TYPE_BOOL, NULL, false},
    {"skip-if-unknown-filter", TYPE_BOOL, NULL, false},
    {"tags", TYPE_TEXTS, NULL, false},
    {"exceptions", TYPE_ITEMS, exception_keys, false},
    {"override", TYPE_OBJECT, override_keys, false},
    {"append", TYPE_BOOL, NULL, false},
    {0},
};

struct step { /* of the way to the node being looked at: [index] or [key] */
	const char *key;
	size_t index;
};

struct check {
	struct step path[PATH_DEPTH];
	unsigned depth;
	struct buf *out;
};

static bool fail(struct check *c, const char *why, struct sv value)
{
	buf_lit(c->out, "failed for <root>");
	for (unsigned i = 0; i < c->depth; i++) {
		if (c->path[i].key)
			buf_addf(c->out, "[%s]", c->path[i].key);
		else
			buf_addf(c->out, "[%zu]", c->path[i].index);
	}
	buf_addf(c->out, ": %s", why);
	if (value.p)
		buf_addf(c->out, ": '%.*s'", RULE_SHOW(value));
	return false;
}

static bool is_whole(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

static bool is_priority(struct sv s)
{
	static const char *const names[] = {"EMERGENCY", "ALERT",	  "CRITICAL",
					    "ERROR",	 "WARNING",	  "NOTICE",
					    "INFO",	 "INFORMATIONAL", "DEBUG"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (sv_is(s, names[i]))
			return true;
	return false;
}

static bool check_scalar(struct check *c, const struct rule_yaml_node *n, enum type type)
{
	struct sv s = n->text;

	if (n->kind != RULE_YAML_SCALAR)
		return fail(c, "expected a scalar", SV_NONE);
	switch (type) {
	case TYPE_BOOL:
		return sv_is(s, "true") || sv_is(s, "false") ||
		       fail(c, "expected true or false", s);
	case TYPE_WHOLE:
		return is_whole(s) || fail(c, "expected a whole number", s);
	case TYPE_PRIORITY:
		return is_priority(s) || fail(c, "expected a priority in capital letters", s);
	case TYPE_OVERRIDE_OP:
		return sv_is(s, "append") || sv_is(s, "replace") ||
		       fail(c, "expected append or replace", s);
	default:
		return true;
	}
}

static bool check_object(struct check *c, const struct rule_yaml_node *n, const struct key *keys);

/* Sequences of scalars, or of objects with @keys. */
static bool check_sequence(struct check *c, const struct rule_yaml_node *n, const struct key *keys)
{
	struct step *step = &c->path[c->depth];
	bool ok = true;

	if (n->kind != RULE_YAML_SEQUENCE)
		return fail(c, "expected a sequence", SV_NONE);
	*step = (struct step){0};
	c->depth++;
	for (const struct rule_yaml_entry *e = n->first; e && ok; e = e->next, step->index++)
		ok = keys ? check_object(c, e->value, keys) : check_scalar(c, e->value, TYPE_TEXT);
	c->depth--;
	return ok;
}

static bool check_value(struct check *c, const struct rule_yaml_node *n, const struct key *key)
{
	switch (key->type) {
	case TYPE_OBJECT:
		return check_object(c, n, key->keys);
	case TYPE_ITEMS:
	case TYPE_TEXTS:
		return check_sequence(c, n, key->keys);
	case TYPE_SHAPES:
		return n->kind == RULE_YAML_SCALAR || n->kind == RULE_YAML_SEQUENCE ||
		       fail(c, "expected a scalar or a sequence", SV_NONE);
	default:
		return check_scalar(c, n, key->type);
	}
}

static bool check_entry(struct check *c, const struct rule_yaml_entry *e, const struct key *keys)
{
	const struct key *key = keys;
	bool ok;

	while (key->name && !(e->key->kind == RULE_YAML_SCALAR && sv_is(e->key->text, key->name)))
		key++;
	if (!key->name)
		return fail(c, "the key is not known", e->key->text);
	c->path[c->depth++] = (struct step){.key = key->name};
	ok = check_value(c, e->value, key);
	c->depth--;
	return ok;
}

static bool check_object(struct check *c, const struct rule_yaml_node *n, const struct key *keys)
{
	if (n->kind != RULE_YAML_MAP)
		return fail(c, "expected a map", SV_NONE);
	for (const struct rule_yaml_entry *e = n->first; e; e = e->next)
		if (!check_entry(c, e, keys))
			return false;
	for (const struct key *key = keys; key->name; key++)
		if (key->required && !rule_yaml_get(n, key->name))
			return fail(c, "a required key is missing", sv_of(key->name));
	return true;
}

void rule_schema_check(const struct rule_yaml_node *docs, struct buf *out)
{
	for (const struct rule_yaml_entry *e = docs->first; e; e = e->next) {
		struct check c = {.out = out};

		if (e->value->kind != RULE_YAML_NULL && !check_sequence(&c, e->value, item_keys))
			return;
	}
}
