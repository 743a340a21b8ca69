/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions and outputs that compile but are old-fashioned or unlikely to mean what they say. */
#include "engine/rules/internal.h"

const char *const rule_deprecated_fields[] = {
    "evt.dir",		"evt.latency", "evt.latency.s", "evt.latency.ns", "evt.latency.human",
    "evt.wait_latency", NULL};

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* Does the field name in @text that would end before @at go on there? */
static bool name_goes_on(struct sv text, size_t at)
{
	if (at < text.n && text.p[at] == '.')
		at++;
	return at < text.n && is_name_char(text.p[at]);
}

bool rule_mentions_field(struct sv text, const char *field)
{
	const size_t n = strlen(field);
	struct sv rest = text;
	const char *hit;

	while (rest.n && (hit = memmem(rest.p, rest.n, field, n))) {
		size_t at = (size_t)(hit - text.p);

		if (!name_goes_on(text, at + n) && (at == 0 || !is_name_char(text.p[at - 1])))
			return true;
		rest = sv_drop(text, at + n);
	}
	return false;
}

bool rule_is_unknown_filter(const char *message)
{
	return strstr(message, "nonexistent field") ||
	       strstr(message, "invalid formatting token") ||
	       strstr(message, "unknown event type") || strstr(message, "unknown filter:");
}

/* --- deprecated fields --- */

struct fields_seen {
	bool seen[COUNT_OF(rule_deprecated_fields)];
	struct flt_pos at[COUNT_OF(rule_deprecated_fields)];
};

static void see_field(void *arg, const struct flt_expr *field)
{
	struct fields_seen *s = arg;

	for (size_t i = 0; rule_deprecated_fields[i]; i++) {
		if (s->seen[i] || !sv_is(field->text, rule_deprecated_fields[i]))
			continue;
		s->seen[i] = true;
		s->at[i] = field->pos;
	}
}

static int warn_deprecated(struct rule_compiler *c, const struct rule_where *where,
			   const struct flt_node *tree)
{
	struct fields_seen s = {0};

	flt_visit_fields(tree, see_field, &s);
	for (size_t i = 0; rule_deprecated_fields[i]; i++) {
		int rc = 0;

		if (s.seen[i])
			rc = rule_warn_deprecated(c->v, where, rule_deprecated_fields[i],
						  "The condition uses the deprecated field '%s'",
						  rule_deprecated_fields[i]);
		if (rc)
			return rc;
	}
	return 0;
}

/* --- comparisons with <NA> --- */

static bool compares_for_equality(enum flt_op op)
{
	return op == FLT_OP_EQ || op == FLT_OP_NE || op == FLT_OP_IN || op == FLT_OP_INTERSECTS ||
	       op == FLT_OP_PMATCH;
}

static bool has_na(const struct flt_expr *e)
{
	if (e->kind == FLT_EXPR_VALUE)
		return sv_is(e->text, "<NA>");
	for (uint32_t i = 0; e->kind == FLT_EXPR_LIST && i < e->count; i++)
		if (has_na(e->items[i]))
			return true;
	return false;
}

/* The first check that compares a field of an audit source with <NA>, or NULL. */
static const struct flt_node *find_na_check(const struct flt_node *n)
{
	const struct flt_node *found = NULL;

	if (n->kind == FLT_CHECK) {
		struct sv name = n->left->text;

		if (n->left->kind == FLT_EXPR_FIELD && n->right && compares_for_equality(n->op) &&
		    (sv_starts(name, SV_LIT("ka.")) || sv_starts(name, SV_LIT("jevt."))) &&
		    has_na(n->right))
			return n;
		return NULL;
	}
	for (uint32_t i = 0; i < n->count && !found; i++)
		found = find_na_check(n->kids[i]);
	return found;
}

int rule_condition_doubts(struct rule_compiler *c, struct sv text, const struct rule_where *where,
			  const struct flt_node *tree)
{
	const struct flt_node *na = find_na_check(tree);
	const struct rule_where *whole =
	    rule_where_expr(c->v->arena, where, "condition expression", text, tree->pos);
	int rc = warn_deprecated(c, whole, tree);

	if (rc == 0 && na)
		rc = rule_warn(c->v, LOAD_UNSAFE_NA_CHECK, whole,
			       "Field '%.*s' is compared with <NA>; test with 'exists' instead",
			       RULE_SHOW(na->left->text));
	return rc;
}
