/* SPDX-License-Identifier: Apache-2.0 */
/* From the collection to compiled rules: everything that was read so far, in definition order. */
#include "engine/rules/internal.h"

#define EVENT_CODES_MAX 100 /* a rule for more of them says too little about evt.type */

struct condition { /* a rule's condition on its way */
	struct rule_compiler *c;
	const struct rule_def *def;
	struct sv text; /* after exceptions and lists */
	struct flt_node *tree;
	int rc; /* of warnings */
};

static const struct rule_where *where_in(const struct condition *k, struct flt_pos at)
{
	return rule_where_expr(k->c->v->arena, k->def->condition_where, "condition expression",
			       k->text, at);
}

static void on_warning(void *arg, enum flt_warning_kind kind, struct flt_pos pos, const char *text)
{
	static const char *const what[] = {
	    [FLT_WARN_REGEX_NOT_NEEDED] =
		"needs no regular expression: a plain string operator does the same",
	    [FLT_WARN_VALUE_IS_FIELD] = "may be a valid field misused as a const string value",
	    [FLT_WARN_VALUE_IS_TRANSFORMER] =
		"may be a valid field transformer misused as a const string value",
	};
	struct condition *k = arg;
	struct sv value = sv_of(text);

	if (k->rc == 0)
		k->rc = rule_warn(k->c->v, LOAD_COMPILE_CONDITION, where_in(k, pos), "'%.*s' %s",
				  RULE_SHOW(value), what[kind]);
}

static int condition_error(struct condition *k, struct flt_pos pos, const char *why, bool *skip)
{
	*skip = k->def->skip_unknown && rule_is_unknown_filter(why);
	return *skip ? rule_warn(k->c->v, LOAD_UNKNOWN_FILTER, where_in(k, pos), "%s", why)
		     : rule_fail(k->c->v, LOAD_ERR_COMPILE_CONDITION, where_in(k, pos), "%s", why);
}

/* The condition as a tree without lists and macros. */
static int build_condition(struct condition *k)
{
	const struct rule_where *where = k->def->condition_where;
	struct flt_node *written;
	int rc;

	rc = rule_lists_substitute(k->c, k->text, where, &k->text);
	if (rc == 0)
		rc = rule_condition_parse(k->c, k->text, where, &written);
	if (rc == 0)
		rc = rule_macros_apply(k->c, k->text, where, written, &k->tree);
	return rc ? rc : rule_condition_doubts(k->c, k->text, where, k->tree);
}

static int find_types(struct condition *k, struct rule *rule, bool *skip)
{
	struct flt_types *types = arena_zalloc(k->c->arena, 1, sizeof(*types));
	struct error why;
	int rc;

	if (!types)
		return ERR_NOMEM;
	rc = flt_types_of(k->tree, types, &why);
	if (rc)
		return rc == ERR_NOMEM ? rc : condition_error(k, k->tree->pos, why.msg, skip);
	rule->types = types;
	if (!k->def->warn_evttypes || flt_types_count(types) <= EVENT_CODES_MAX)
		return 0;
	return rule_warn(k->c->v, LOAD_NO_EVTTYPE, where_in(k, k->tree->pos),
			 "Rule matches too many evt.type values (%u event types, more than %d): it "
			 "is evaluated for most events",
			 flt_types_count(types), EVENT_CODES_MAX);
}

static int compile_condition(struct condition *k, struct rule *rule, bool *skip)
{
	struct flt_pos pos = k->tree->pos;
	struct error why;
	int rc;

	rc =
	    flt_program_add(k->c->program, k->tree, on_warning, k, &rule->condition_id, &pos, &why);
	if (k->rc)
		return k->rc;
	if (rc)
		return rc == ERR_NOMEM ? rc : condition_error(k, pos, why.msg, skip);
	rc = find_types(k, rule, skip);
	if (rc)
		return rc;
	buf_reset(&k->c->text);
	flt_print(&k->c->text, k->tree);
	if (k->c->text.failed)
		return ERR_NOMEM;
	rule->compiled = arena_sv(k->c->arena, buf_view(&k->c->text));
	return rule->compiled.p ? 0 : ERR_NOMEM;
}

static bool copy_text(struct arena *a, struct sv from, struct sv *to)
{
	*to = arena_sv(a, from);
	return to->p != NULL;
}

static int copy_tags(struct arena *a, const struct rule_texts *from, struct rule *rule)
{
	struct sv *tags = arena_zalloc(a, from->n, sizeof(*tags));

	if (!tags)
		return ERR_NOMEM;
	for (size_t i = 0; i < from->n; i++)
		if (!copy_text(a, from->p[i], &tags[i]))
			return ERR_NOMEM;
	rule->tags = tags;
	rule->tag_count = from->n;
	return 0;
}

/* What needs no compiling. The rule outlives the collection, so texts are copied. */
static int describe(struct rule_compiler *c, const struct rule_def *d, struct rule *rule)
{
	struct arena *a = c->arena;

	rule->file = arena_strdup(a, d->where->label);
	if (!rule->file || !copy_text(a, d->name, &rule->name) ||
	    !copy_text(a, d->desc.s, &rule->desc) || !copy_text(a, d->source, &rule->source) ||
	    !copy_text(a, d->output.s, &rule->output) ||
	    !copy_text(a, d->condition.s, &rule->condition))
		return ERR_NOMEM;
	rule->line = d->where->pos.line + 1;
	rule->priority = d->priority;
	rule->enabled = d->enabled;
	rule->capture = d->capture;
	rule->capture_duration_ms = d->capture_duration;
	return copy_tags(a, &d->tags, rule);
}

static int compile_rule(struct rule_compiler *c, const struct rule_def *d, struct rule *rule,
			bool *skip)
{
	struct condition k = {.c = c, .def = d};
	int rc = rule_exceptions_expand(c, d, &k.text);

	if (rc == 0)
		rc = rule_output_compile(c, d, rule, skip);
	if (rc || *skip)
		return rc;
	rc = build_condition(&k);
	return rc ? rc : compile_condition(&k, rule, skip);
}

static int add_rule(struct rule_compiler *c, const struct rule_def *d)
{
	struct rule *rule = arena_zalloc(c->arena, 1, sizeof(*rule));
	bool skip = false;
	int rc;

	if (!rule)
		return ERR_NOMEM;
	rc = describe(c, d, rule);
	if (rc == 0 && !d->unknown_source)
		rc = compile_rule(c, d, rule, &skip);
	if (rc || skip)
		return rc;
	rule->index = (uint32_t)c->rules.n;
	return rule_vec_push(&c->rules, rule);
}

static int warn_unused(struct rule_compiler *c)
{
	const struct rule_loader *l = c->l;
	int rc = 0;

	for (size_t i = 0; i < l->macros.n && rc == 0; i++)
		if (!rule_macro_at(l, i)->used)
			rc = rule_warn(c->v, LOAD_UNUSED_MACRO, rule_macro_at(l, i)->where,
				       "No rule and no other macro uses this macro");
	for (size_t i = 0; i < l->lists.n && rc == 0; i++)
		if (!rule_list_at(l, i)->used)
			rc = rule_warn(c->v, LOAD_UNUSED_LIST, rule_list_at(l, i)->where,
				       "No rule, macro or other list uses this list");
	return rc;
}

static int compile_all(struct rule_compiler *c)
{
	int rc = rule_lists_resolve(c);

	if (rc == 0)
		rc = rule_macros_compile(c);
	for (size_t i = 0; i < c->l->rules.n && rc == 0; i++)
		rc = add_rule(c, rule_def_at(c->l, i));
	return rc ? rc : warn_unused(c);
}

/* The rules side by side, in the order of their numbers. */
static int take_rules(struct rule_compiled *to, const struct rule_vec *rules)
{
	to->rules = arena_zalloc(&to->arena, rules->n, sizeof(*to->rules));
	if (!to->rules)
		return ERR_NOMEM;
	for (size_t i = 0; i < rules->n; i++)
		to->rules[i] = *(const struct rule *)rules->p[i];
	to->count = rules->n;
	return 0;
}

int rule_compile(struct rule_loader *l, struct rule_verdict *v, struct rule_compiled *out)
{
	struct rule_compiler c = {.l = l, .v = v, .arena = &out->arena};
	int rc = flt_program_new(&l->opt.filter, &out->program, NULL);

	c.program = out->program;
	if (rc == 0)
		rc = compile_all(&c);
	if (rc == 0)
		rc = take_rules(out, &c.rules);
	rule_vec_done(&c.rules);
	rule_vec_done(&c.odd_lists);
	buf_done(&c.text);
	buf_done(&c.other);
	if (rc)
		rule_compiled_done(out);
	return rc;
}

void rule_compiled_done(struct rule_compiled *rc)
{
	flt_program_free(rc->program);
	arena_done(&rc->arena);
	*rc = (struct rule_compiled){0};
}
