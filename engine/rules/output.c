/* SPDX-License-Identifier: Apache-2.0 */
/* The output of a rule: what append_output adds to it, and compiling the whole as a format. */
#include "engine/rules/internal.h"

static bool has_tags(const struct rule_def *d, const char *const *tags)
{
	for (; tags && *tags; tags++) {
		size_t i = 0;

		while (i < d->tags.n && !sv_is(d->tags.p[i], *tags))
			i++;
		if (i == d->tags.n)
			return false;
	}
	return true;
}

static bool is_for(const struct rule_append_output *a, const struct rule_def *d)
{
	return (!a->source || !*a->source || sv_is(d->source, a->source)) &&
	       (!a->rule || !*a->rule || sv_is(d->name, a->rule)) && has_tags(d, a->tags);
}

/* " container_id=%container.id" */
static void add_suggestion(struct buf *b, const char *name, const char *more)
{
	size_t start = b->len;

	buf_char(b, ' ');
	buf_str(b, name);
	buf_str(b, more);
	for (size_t i = start; !b->failed && i < b->len; i++)
		if (b->p[i] == '.')
			b->p[i] = '_';
	buf_lit(b, "=%");
	buf_str(b, name);
	buf_str(b, more);
}

static void add_suggestions(struct buf *b, const struct rule_options *opt)
{
	for (size_t i = 0; i < flt_field_count; i++)
		if (flt_field_table[i].flags & FLT_FIELD_SUGGESTED)
			add_suggestion(b, flt_field_table[i].name, "");
	for (const struct flt_static *s = opt->filter.statics; s && s->name; s++)
		add_suggestion(b, "static.", s->name);
}

static void add_appended(struct buf *b, const struct rule_options *opt, const struct rule_def *d)
{
	for (size_t i = 0; i < opt->append_count; i++) {
		const struct rule_append_output *a = &opt->append_output[i];

		if (!is_for(a, d))
			continue;
		if (a->extra_output && *a->extra_output) {
			buf_char(b, ' ');
			buf_str(b, a->extra_output);
		}
		if (a->suggested)
			add_suggestions(b, opt);
	}
}

/* A placeholder of old rules that stands for nothing any more. */
static int drop_container_info(struct rule_compiler *c, const struct rule_def *d, struct buf *b)
{
	static const char old[] = "%container.info";
	const size_t n = sizeof(old) - 1;
	bool found = false;
	char *hit;

	while (b->len && (hit = memmem(b->p, b->len, old, n))) {
		memmove(hit, hit + n, b->len - (size_t)(hit - b->p) - n);
		b->len -= n;
		found = true;
	}
	if (!found)
		return 0;
	return rule_warn_deprecated(c->v, d->output_where, NULL,
				    "The output contains %%container.info, which is deprecated and "
				    "stands for nothing; name the fields you want");
}

static int warn_deprecated_fields(struct rule_compiler *c, const struct rule_def *d,
				  struct sv output)
{
	for (size_t i = 0; rule_deprecated_fields[i]; i++) {
		const char *field = rule_deprecated_fields[i];
		int rc = 0;

		if (rule_mentions_field(output, field))
			rc = rule_warn_deprecated(c->v, d->output_where, field,
						  "The output uses the deprecated field '%s'",
						  field);
		if (rc)
			return rc;
	}
	return 0;
}

static int compile_format(struct rule_compiler *c, const struct rule_def *d, struct rule *rule,
			  bool *skip)
{
	const struct flt_pos start = {0, 1, 1};
	struct flt_format *format = NULL;
	const struct rule_where *where;
	struct error why;
	struct sv text;
	int rc;

	/* Absent values never suppress an alert. */
	buf_reset(&c->other);
	buf_char(&c->other, '*');
	buf_sv(&c->other, rule->output);
	if (c->other.failed)
		return ERR_NOMEM;
	text = buf_view(&c->other);
	rc = flt_format_new(c->program, text, &format, &why);
	rule->format = format;
	if (rc == 0 || rc == ERR_NOMEM)
		return rc;
	where = rule_where_expr(c->v->arena, d->output_where, "rule output expression",
				rule->output, start);
	*skip = d->skip_unknown && rule_is_unknown_filter(why.msg);
	return *skip ? rule_warn(c->v, LOAD_UNKNOWN_FILTER, where, "%s", why.msg)
		     : rule_fail(c->v, LOAD_ERR_COMPILE_OUTPUT, where, "%s", why.msg);
}

int rule_output_compile(struct rule_compiler *c, const struct rule_def *def, struct rule *rule,
			bool *skip)
{
	int rc;

	buf_reset(&c->text);
	buf_sv(&c->text, def->output.s);
	add_appended(&c->text, &c->l->opt, def);
	if (c->text.failed)
		return ERR_NOMEM;
	rc = drop_container_info(c, def, &c->text);
	if (rc)
		return rc;
	rule->output = arena_sv(c->arena, buf_view(&c->text));
	if (!rule->output.p)
		return ERR_NOMEM;
	rc = compile_format(c, def, rule, skip);
	if (rc || *skip)
		return rc;
	return warn_deprecated_fields(c, def, rule->output);
}
