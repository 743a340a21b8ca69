/* SPDX-License-Identifier: Apache-2.0 */
/* The exceptions of rules: reading, defaults, and what is allowed in fields and comparisons. */
#include "engine/rules/internal.h"

struct entries { /* the `exceptions` of one entry being read */
	struct rule_reader *r;
	struct rule_def *def;
	enum rule_exception_mode mode;
	const struct rule_where *where;
};

static bool takes_modifier(enum flt_op op)
{
	switch (op) {
	case FLT_OP_EQ:
	case FLT_OP_NE:
	case FLT_OP_CONTAINS:
	case FLT_OP_ICONTAINS:
	case FLT_OP_BCONTAINS:
	case FLT_OP_STARTSWITH:
	case FLT_OP_BSTARTSWITH:
	case FLT_OP_ENDSWITH:
	case FLT_OP_GLOB:
	case FLT_OP_IGLOB:
	case FLT_OP_REGEX:
		return true;
	default:
		return false;
	}
}

static bool is_list_op(enum flt_op op)
{
	return op == FLT_OP_IN || op == FLT_OP_INTERSECTS || op == FLT_OP_PMATCH;
}

static bool parse_comp(struct sv comp, enum flt_op *op, enum flt_modifier *mod)
{
	return flt_op_parse(comp, op, mod) && (*mod == FLT_MOD_NONE || takes_modifier(*op));
}

bool rule_comp_takes_list(struct sv comp)
{
	enum flt_modifier mod;
	enum flt_op op;

	return parse_comp(comp, &op, &mod) && (mod != FLT_MOD_NONE || is_list_op(op));
}

/* --- shape --- */

/* A scalar, or a sequence of scalars. */
static int read_texts(struct rule_reader *r, const struct rule_item *it, const char *key,
		      bool *scalar, struct rule_texts *out)
{
	const struct rule_yaml_node *node = rule_yaml_get(it->node, key);
	struct sv text;
	int rc;

	*scalar = node && node->kind != RULE_YAML_SEQUENCE;
	if (!*scalar)
		return rule_item_texts(r, it, key, out);
	rc = rule_item_text(r, it, key, &text);
	return rc ? rc : rule_texts_add(&r->l->arena, out, &text, 1);
}

static bool is_cell(const struct rule_yaml_node *n)
{
	if (n->kind == RULE_YAML_SCALAR)
		return true;
	for (const struct rule_yaml_entry *e = n->first; e; e = e->next)
		if (e->value->kind != RULE_YAML_SCALAR)
			return false;
	return n->kind == RULE_YAML_SEQUENCE;
}

/* A row of `values`: a scalar, or a sequence whose cells are scalars or sequences of scalars. */
static bool is_row(const struct rule_yaml_node *n)
{
	if (n->kind == RULE_YAML_SCALAR)
		return true;
	for (const struct rule_yaml_entry *e = n->first; e; e = e->next)
		if (!is_cell(e->value))
			return false;
	return n->kind == RULE_YAML_SEQUENCE;
}

static int read_values(struct rule_reader *r, const struct rule_item *it, struct rule_exception *x)
{
	const struct rule_yaml_node *node = rule_yaml_get(it->node, "values");
	struct arena *a = &r->l->arena;
	const struct rule_where *where;

	if (!node)
		return 0;
	x->has_values = true;
	where = rule_where_node(a, it->where, "exception values", sv_of(""), node);
	if (node->kind != RULE_YAML_SEQUENCE)
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, where,
				 "Values of an exception are not a sequence");
	x->values = rule_grown(a, NULL, 0, node->count, &x->value_cap, sizeof(*x->values));
	if (!x->values)
		return ERR_NOMEM;
	for (const struct rule_yaml_entry *e = node->first; e; e = e->next) {
		if (!is_row(e->value))
			return rule_fail(
			    r->v, LOAD_ERR_YAML_VALIDATE,
			    rule_where_node(a, where, "exception value", sv_of(""), e->value),
			    "Exception value is neither a scalar nor a sequence of scalars and "
			    "sequences of scalars");
		x->values[x->value_count++] = e->value;
	}
	return rule_piece_add(a, &x->last, 0, where, node);
}

static int read_exception(struct entries *s, const struct rule_yaml_node *node,
			  struct rule_exception *x, bool *comps_scalar)
{
	struct rule_reader *r = s->r;
	struct rule_item it = {
	    node, rule_where_node(&r->l->arena, s->where, "exception", sv_of(""), node)};
	int rc;

	if (node->kind != RULE_YAML_MAP)
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, it.where,
				 "Exception is not a map of keys to values");
	rc = rule_item_text(r, &it, "name", &x->name);
	if (rc)
		return rc;
	it.where = rule_where_node(&r->l->arena, s->where, "exception", x->name, node);
	x->where = it.where;
	x->has_fields = rule_item_has(&it, "fields");
	x->has_comps = rule_item_has(&it, "comps");
	if (x->has_fields || s->mode == RULE_EXCEPTIONS_DEFINE)
		rc = read_texts(r, &it, "fields", &x->scalar, &x->fields);
	if (rc == 0 && x->has_comps)
		rc = read_texts(r, &it, "comps", comps_scalar, &x->comps);
	return rc ? rc : read_values(r, &it, x);
}

/* --- meaning --- */

static int check_scalar_comp(struct entries *s, struct rule_exception *x, bool comps_scalar)
{
	enum flt_modifier mod;
	enum flt_op op;
	struct sv in = SV_LIT("in");

	if (!x->has_comps)
		return rule_texts_add(&s->r->l->arena, &x->comps, &in, 1);
	if (!comps_scalar)
		return rule_fail(s->r->v, LOAD_ERR_VALIDATE, x->where,
				 "Rule exception with one field must have one comparison, not a "
				 "list of them");
	x->comps.p[0] = rule_trim(x->comps.p[0]);
	if (!parse_comp(x->comps.p[0], &op, &mod) || (mod == FLT_MOD_NONE && !is_list_op(op)))
		return rule_fail(s->r->v, LOAD_ERR_VALIDATE, x->where,
				 "Rule exception with one field: comps must be one of in, pmatch, "
				 "intersects, or a string operator with oneof, anyof or allof; not "
				 "'%.*s'",
				 RULE_SHOW(x->comps.p[0]));
	return 0;
}

static int check_comps(struct entries *s, struct rule_exception *x, bool comps_scalar)
{
	struct sv equals = SV_LIT("=");
	enum flt_modifier mod;
	enum flt_op op;

	for (size_t i = 0; !x->has_comps && i < x->fields.n; i++)
		if (rule_texts_add(&s->r->l->arena, &x->comps, &equals, 1))
			return ERR_NOMEM;
	if (x->comps.n != x->fields.n || comps_scalar)
		return rule_fail(s->r->v, LOAD_ERR_VALIDATE, x->where,
				 "Rule exception fields and comps lists must have equal length");
	for (size_t i = 0; i < x->comps.n; i++) {
		x->comps.p[i] = rule_trim(x->comps.p[i]);
		if (!parse_comp(x->comps.p[i], &op, &mod))
			return rule_fail(s->r->v, LOAD_ERR_VALIDATE, x->where,
					 "Rule exception comparison: '%.*s' is not a supported "
					 "comparison operator",
					 RULE_SHOW(x->comps.p[i]));
	}
	return 0;
}

static int check_fields(struct entries *s, const struct rule_exception *x)
{
	struct rule_loader *l = s->r->l;
	struct error why;
	int rc;

	if (s->def->unknown_source)
		return 0;
	if (!l->checker && flt_program_new(&l->opt.filter, &l->checker, NULL))
		return ERR_NOMEM;
	for (size_t i = 0; i < x->fields.n; i++) {
		rc = flt_check_operand(l->checker, x->fields.p[i], &why);
		if (rc == ERR_NOMEM)
			return rc;
		if (rc)
			return rule_fail(s->r->v, LOAD_ERR_VALIDATE, x->where,
					 "Rule exception field: '%.*s' is not a supported filter "
					 "field: %s",
					 RULE_SHOW(x->fields.p[i]), why.msg);
	}
	return 0;
}

static int check_exception(struct entries *s, struct rule_exception *x, bool comps_scalar)
{
	int rc;

	if (x->fields.n == 0)
		return rule_fail(s->r->v, LOAD_ERR_VALIDATE, x->where,
				 "Rule exception must have fields property with a list of fields");
	rc = x->scalar ? check_scalar_comp(s, x, comps_scalar) : check_comps(s, x, comps_scalar);
	return rc ? rc : check_fields(s, x);
}

/* --- into the rule --- */

static struct rule_exception *find_exception(const struct rule_def *d, struct sv name)
{
	for (size_t i = 0; i < d->exception_count; i++)
		if (sv_eq(d->exceptions[i].name, name))
			return &d->exceptions[i];
	return NULL;
}

static int add_exception(struct entries *s, const struct rule_exception *x)
{
	struct rule_def *d = s->def;
	struct rule_exception *p;

	if (d->exception_count == RULE_EXCEPTIONS_MAX)
		return rule_fail(s->r->v, LOAD_ERR_VALIDATE, x->where,
				 "Rule has more than %d exceptions", RULE_EXCEPTIONS_MAX);
	p = rule_grown(&s->r->l->arena, d->exceptions, d->exception_count, 1, &d->exception_cap,
		       sizeof(*p));
	if (!p)
		return ERR_NOMEM;
	d->exceptions = p;
	p[d->exception_count++] = *x;
	return 0;
}

static int define_exception(struct entries *s, struct rule_exception *x, bool comps_scalar)
{
	int rc = check_exception(s, x, comps_scalar);

	if (rc == 0 && find_exception(s->def, x->name))
		rc = rule_warn(s->r->v, LOAD_EXCEPTION_NAME_NOT_UNIQUE, x->where,
			       "Rule has more than one exception with the name '%.*s'",
			       RULE_SHOW(x->name));
	return rc ? rc : add_exception(s, x);
}

static int extend_exception(struct entries *s, struct rule_exception *old,
			    const struct rule_exception *x)
{
	const struct rule_yaml_node **p;

	if (x->has_fields || x->has_comps)
		return rule_fail(s->r->v, LOAD_ERR_VALIDATE, x->where,
				 "Only values can be appended to an exception that exists, not %s",
				 x->has_fields ? "fields" : "comps");
	if (!x->value_count)
		return 0;
	p = rule_grown(&s->r->l->arena, old->values, old->value_count, x->value_count,
		       &old->value_cap, sizeof(const struct rule_yaml_node *));
	if (!p)
		return ERR_NOMEM;
	if (rule_piece_add(&s->r->l->arena, &old->last, old->value_count, x->where, x->last->node))
		return ERR_NOMEM;
	memcpy(p + old->value_count, x->values, x->value_count * sizeof(*p));
	old->values = p;
	old->value_count += x->value_count;
	old->has_values = true;
	return 0;
}

static int append_exception(struct entries *s, struct rule_exception *x, bool comps_scalar)
{
	struct rule_exception *old = find_exception(s->def, x->name);
	int rc = 0;

	if (!x->has_values)
		rc = rule_warn(s->r->v, LOAD_APPEND_NO_VALUES, x->where,
			       "Overriding/appending exception with no values");
	if (rc)
		return rc;
	if (old)
		return extend_exception(s, old, x);
	rc = check_exception(s, x, comps_scalar);
	if (rc == 0 && !x->value_count)
		return rule_fail(s->r->v, LOAD_ERR_VALIDATE, x->where,
				 "Rule exception that is new here must have values");
	return rc ? rc : add_exception(s, x);
}

static int collect(struct entries *s, const struct rule_yaml_node *node)
{
	struct rule_exception x = {0};
	bool comps_scalar = false;
	int rc = read_exception(s, node, &x, &comps_scalar);

	if (rc)
		return rc;
	return s->mode == RULE_EXCEPTIONS_APPEND ? append_exception(s, &x, comps_scalar)
						 : define_exception(s, &x, comps_scalar);
}

int rule_collect_exceptions(struct rule_reader *r, const struct rule_item *it, struct rule_def *def,
			    enum rule_exception_mode mode)
{
	const struct rule_yaml_node *node = rule_yaml_get(it->node, "exceptions");
	struct entries s = {.r = r, .def = def, .mode = mode};
	int rc = 0;

	if (!node || node->kind == RULE_YAML_NULL)
		return 0;
	s.where = rule_where_node(&r->l->arena, it->where, "exceptions", sv_of(""), node);
	if (node->kind != RULE_YAML_SEQUENCE)
		return rule_fail(r->v, LOAD_ERR_YAML_VALIDATE, s.where,
				 "Exceptions of a rule are not a sequence");
	for (const struct rule_yaml_entry *e = node->first; e && rc == 0; e = e->next)
		rc = collect(&s, e->value);
	return rc;
}
