/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: full definitions, appends, overrides and the deprecated switch by `enabled` alone. */
#include "engine/rules/internal.h"

enum override_row { /* rows of overridable[] */
		    ROW_CONDITION,
		    ROW_OUTPUT,
		    ROW_DESC,
		    ROW_TAGS,
		    ROW_EXCEPTIONS,
		    ROW_PRIORITY,
		    ROW_ENABLED,
		    ROW_CAPTURE,
		    ROW_CAPTURE_DURATION,
		    ROW_WARN_EVTTYPES,
		    ROW_SKIP_UNKNOWN,
		    ROW_COUNT
};

static const struct rule_override_key overridable[ROW_COUNT + 1] = {
    [ROW_CONDITION] = {"condition", true, true},
    [ROW_OUTPUT] = {"output", true, true},
    [ROW_DESC] = {"desc", true, true},
    [ROW_TAGS] = {"tags", true, true},
    [ROW_EXCEPTIONS] = {"exceptions", true, true},
    [ROW_PRIORITY] = {"priority", false, true},
    [ROW_ENABLED] = {"enabled", false, true},
    [ROW_CAPTURE] = {"capture", false, true},
    [ROW_CAPTURE_DURATION] = {"capture_duration", false, true},
    [ROW_WARN_EVTTYPES] = {"warn_evttypes", false, true},
    [ROW_SKIP_UNKNOWN] = {"skip-if-unknown-filter", false, true},
};

struct rule_entry { /* an entry being read */
	struct rule_reader *r;
	struct rule_item it;
	struct sv name;
};

static const struct rule_where *where_of(const struct rule_entry *e, const char *type,
					 const char *key)
{
	const struct rule_yaml_node *node = rule_yaml_get(e->it.node, key);

	return node ? rule_where_node(&e->r->l->arena, e->it.where, type, sv_of(""), node) : NULL;
}

/* --- one key each; all of them leave the rule alone if the key is missing and optional --- */

static int read_condition(struct rule_entry *e, struct rule_def *d)
{
	int rc;

	d->condition = (struct rule_text){0};
	d->condition_where = where_of(e, "rule condition", "condition");
	rc = rule_item_text(e->r, &e->it, "condition", &d->condition.s);
	return rc ? rc
		  : rule_piece_add(&e->r->l->arena, &d->condition.last, 0, e->it.where,
				   rule_yaml_get(e->it.node, "condition"));
}

static int read_output(struct rule_entry *e, struct rule_def *d)
{
	struct sv text;
	int rc = rule_item_text(e->r, &e->it, "output", &text);

	d->output = (struct rule_text){0};
	d->output_where = where_of(e, "rule output", "output");
	if (rc == 0)
		d->output.s = rule_trim(text);
	return rc;
}

static int read_desc(struct rule_entry *e, struct rule_def *d)
{
	d->desc = (struct rule_text){0};
	return rule_item_text(e->r, &e->it, "desc", &d->desc.s);
}

static int read_priority(struct rule_entry *e, struct rule_def *d)
{
	struct sv text;
	int rc = rule_item_text(e->r, &e->it, "priority", &text);

	if (rc == 0 && !rule_priority_parse(text, &d->priority))
		return rule_fail(e->r->v, LOAD_ERR_YAML_VALIDATE,
				 where_of(e, "rule priority", "priority"),
				 "Invalid priority '%.*s'", RULE_SHOW(text));
	return rc;
}

/* Tags are a set: sorted, each once. */
static int add_tag(struct rule_entry *e, struct rule_texts *tags, struct sv tag)
{
	size_t low = 0, high = tags->n;
	struct sv none = SV_NONE;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sv_cmp(tags->p[middle], tag) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < tags->n && sv_eq(tags->p[low], tag))
		return 0;
	if (tags->n == RULE_TAGS_MAX)
		return rule_fail(e->r->v, LOAD_ERR_VALIDATE, e->it.where,
				 "Rule has more than %d tags", RULE_TAGS_MAX);
	if (rule_texts_add(&e->r->l->arena, tags, &none, 1))
		return ERR_NOMEM;
	memmove(tags->p + low + 1, tags->p + low, (tags->n - 1 - low) * sizeof(*tags->p));
	tags->p[low] = tag;
	return 0;
}

static int add_tags(struct rule_entry *e, struct rule_def *d)
{
	struct rule_texts more;
	int rc;

	if (!rule_item_has(&e->it, "tags"))
		return 0;
	rc = rule_item_texts(e->r, &e->it, "tags", &more);
	for (size_t i = 0; rc == 0 && i < more.n; i++)
		rc = add_tag(e, &d->tags, more.p[i]);
	return rc;
}

static int set_exceptions(struct rule_entry *e, struct rule_def *d)
{
	d->exceptions = NULL;
	d->exception_count = d->exception_cap = 0;
	return rule_collect_exceptions(e->r, &e->it, d, RULE_EXCEPTIONS_DEFINE);
}

static int set_tags(struct rule_entry *e, struct rule_def *d)
{
	d->tags = (struct rule_texts){0};
	return add_tags(e, d);
}

/* --- full definition --- */

static int read_switches(struct rule_entry *e, struct rule_def *d)
{
	int rc = rule_item_bool(e->r, &e->it, "enabled", &d->enabled);

	if (rc == 0)
		rc = rule_item_bool(e->r, &e->it, "capture", &d->capture);
	if (rc == 0)
		rc = rule_item_u32(e->r, &e->it, "capture_duration", &d->capture_duration);
	if (rc == 0)
		rc = rule_item_bool(e->r, &e->it, "warn_evttypes", &d->warn_evttypes);
	if (rc == 0)
		rc = rule_item_bool(e->r, &e->it, "skip-if-unknown-filter", &d->skip_unknown);
	return rc;
}

static int read_definition(struct rule_entry *e, struct rule_def *d)
{
	int rc;

	d->name = e->name;
	d->where = e->it.where;
	d->source = SV_LIT("syscall");
	d->enabled = d->warn_evttypes = true;
	rc = read_condition(e, d);
	if (rc == 0)
		rc = read_output(e, d);
	if (rc == 0)
		rc = read_desc(e, d);
	if (rc == 0)
		rc = read_priority(e, d);
	if (rc == 0 && rule_item_has(&e->it, "source"))
		rc = rule_item_text(e->r, &e->it, "source", &d->source);
	if (rc == 0)
		rc = read_switches(e, d);
	if (rc == 0)
		rc = add_tags(e, d);
	if (rc)
		return rc;
	d->unknown_source = !sv_is(d->source, "syscall");
	return rule_collect_exceptions(e->r, &e->it, d, RULE_EXCEPTIONS_DEFINE);
}

static int other_source(struct rule_entry *e, const struct rule_def *d, struct sv source)
{
	return rule_fail(e->r->v, LOAD_ERR_VALIDATE, e->it.where,
			 "Rule has been re-defined with a different source: '%.*s' instead of "
			 "'%.*s'",
			 RULE_SHOW(source), RULE_SHOW(d->source));
}

static int store_definition(struct rule_entry *e, const struct rule_def *as)
{
	struct rule_loader *l = e->r->l;
	struct rule_def *d = smap_get(&l->rule_by_name, e->name);

	if (d && !sv_eq(d->source, as->source))
		return other_source(e, d, as->source);
	if (!d) {
		d = arena_zalloc(&l->arena, 1, sizeof(*d));
		if (!d || rule_vec_push(&l->rules, d) || smap_put(&l->rule_by_name, e->name, d))
			return ERR_NOMEM;
	}
	*d = *as;
	return 0;
}

static int define(struct rule_entry *e)
{
	struct rule_def d = {0};
	int rc = read_definition(e, &d);

	if (rc == 0)
		rc = store_definition(e, &d);
	if (rc == 0 && d.unknown_source)
		rc = rule_warn(e->r->v, LOAD_UNKNOWN_SOURCE, e->it.where,
			       "Unknown source %.*s, skipping", RULE_SHOW(d.source));
	return rc;
}

/* --- changing an earlier rule --- */

static struct rule_def *earlier(const struct rule_entry *e)
{
	return smap_get(&e->r->l->rule_by_name, e->name);
}

/* The source may be repeated; null and empty ones say nothing. */
static int check_source(struct rule_entry *e, const struct rule_def *d)
{
	const struct rule_yaml_node *node = rule_yaml_get(e->it.node, "source");

	if (node && node->kind == RULE_YAML_SCALAR && node->text.n && !sv_eq(node->text, d->source))
		return other_source(e, d, node->text);
	return 0;
}

static int append_text(struct rule_entry *e, struct rule_text *to, const char *key)
{
	struct sv more;
	int rc = rule_item_text(e->r, &e->it, key, &more);

	return rc ? rc : rule_join(e->r, e->it.where, rule_yaml_get(e->it.node, key), to, more);
}

static int append(struct rule_entry *e)
{
	struct rule_def *d = earlier(e);
	bool condition = rule_item_has(&e->it, "condition");
	int rc;

	if (!condition && !rule_item_has(&e->it, "exceptions"))
		return rule_fail(
		    e->r->v, LOAD_ERR_VALIDATE, e->it.where,
		    "Rule has 'append: true' but neither condition nor exceptions to append");
	if (!d)
		return rule_fail(e->r->v, LOAD_ERR_VALIDATE, e->it.where,
				 "Rule uses 'append' or 'override.<key>: append' but no rule by "
				 "that name already exists");
	rc = check_source(e, d);
	if (rc == 0 && condition)
		rc = append_text(e, &d->condition, "condition");
	if (rc == 0)
		rc = rule_collect_exceptions(e->r, &e->it, d, RULE_EXCEPTIONS_APPEND);
	return rc;
}

static int append_row(struct rule_entry *e, struct rule_def *d, enum override_row row)
{
	switch (row) {
	case ROW_CONDITION:
		return append_text(e, &d->condition, "condition");
	case ROW_OUTPUT:
		return append_text(e, &d->output, "output");
	case ROW_DESC:
		return append_text(e, &d->desc, "desc");
	case ROW_TAGS:
		return add_tags(e, d);
	default:
		return rule_collect_exceptions(e->r, &e->it, d, RULE_EXCEPTIONS_APPEND);
	}
}

static int replace_row(struct rule_entry *e, struct rule_def *d, enum override_row row)
{
	switch (row) {
	case ROW_CONDITION:
		return read_condition(e, d);
	case ROW_OUTPUT:
		return read_output(e, d);
	case ROW_DESC:
		return read_desc(e, d);
	case ROW_TAGS:
		return set_tags(e, d);
	case ROW_EXCEPTIONS:
		return set_exceptions(e, d);
	case ROW_PRIORITY:
		return read_priority(e, d);
	case ROW_ENABLED:
		return rule_item_bool(e->r, &e->it, "enabled", &d->enabled);
	case ROW_CAPTURE:
		return rule_item_bool(e->r, &e->it, "capture", &d->capture);
	case ROW_CAPTURE_DURATION:
		return rule_item_u32(e->r, &e->it, "capture_duration", &d->capture_duration);
	case ROW_WARN_EVTTYPES:
		return rule_item_bool(e->r, &e->it, "warn_evttypes", &d->warn_evttypes);
	default:
		return rule_item_bool(e->r, &e->it, "skip-if-unknown-filter", &d->skip_unknown);
	}
}

/* All appends first, then all replacements. */
static int override(struct rule_entry *e, const struct rule_overrides *over)
{
	struct rule_def *d = earlier(e);
	int rc;

	if (!d)
		return rule_fail(e->r->v, LOAD_ERR_VALIDATE, e->it.where,
				 "An 'override.<key>: %s' to a rule was requested but no rule by "
				 "that name already exists",
				 over->append ? "append" : "replace");
	rc = check_source(e, d);
	for (unsigned row = 0; row < ROW_COUNT && rc == 0; row++)
		if (over->append >> row & 1)
			rc = append_row(e, d, row);
	for (unsigned row = 0; row < ROW_COUNT && rc == 0; row++)
		if (over->replace >> row & 1)
			rc = replace_row(e, d, row);
	return rc;
}

static int switch_rule(struct rule_entry *e)
{
	struct rule_def *d = earlier(e);
	struct sv text;
	int rc;

	rc = rule_item_text(e->r, &e->it, "enabled", &text);
	if (rc == 0)
		rc = rule_warn_deprecated(
		    e->r->v, e->it.where, NULL,
		    "'enabled' on its own is deprecated. Add 'enabled: replace' under "
		    "'override' instead.");
	if (rc)
		return rc;
	if (!d)
		return rule_fail(
		    e->r->v, LOAD_ERR_VALIDATE, e->it.where,
		    "Rule only sets 'enabled', but no rule by that name already exists");
	return rule_item_bool(e->r, &e->it, "enabled", &d->enabled);
}

static bool is_switch(const struct rule_item *it)
{
	return !rule_item_has(it, "condition") && !rule_item_has(it, "output") &&
	       !rule_item_has(it, "desc") && !rule_item_has(it, "priority");
}

int rule_collect_rule(struct rule_reader *r, const struct rule_yaml_node *node,
		      const struct rule_where *up)
{
	static const char *const keys[] = {"rule",
					   "condition",
					   "output",
					   "desc",
					   "priority",
					   "source",
					   "enabled",
					   "capture",
					   "capture_duration",
					   "warn_evttypes",
					   "skip-if-unknown-filter",
					   "tags",
					   "exceptions",
					   "override",
					   "append",
					   NULL};
	struct rule_overrides over;
	struct rule_entry e = {.r = r};
	bool appends;
	int rc;

	rc = rule_open_item(r, node, "rule", up, &e.it, &e.name);
	if (rc == 0)
		rc = rule_item_keys(r, &e.it, keys);
	if (rc == 0)
		rc = rule_item_overrides(r, &e.it, overridable, &appends, &over);
	if (rc)
		return rc;
	if (over.append | over.replace)
		return override(&e, &over);
	if (appends)
		return append(&e);
	return is_switch(&e.it) ? switch_rule(&e) : define(&e);
}
