/* SPDX-License-Identifier: Apache-2.0 */
/* Tests: how an operand's value satisfies operator, modifier and constants. */
#include "engine/filter/pmatch.h"
#include "engine/filter/program.h"

#define SET_LINEAR_MAX                                                                             \
	4 /* up to here looking at each constant is faster than hashing the value                  \
	   */

static bool is_membership(enum flt_op op)
{
	return op == FLT_OP_IN || op == FLT_OP_INTERSECTS;
}

/* --- sets --- */

/* The bytes by which a value of @class is looked up; valid as long as @d. */
static struct sv set_key(enum flt_class class, const struct flt_datum *d)
{
	switch (class) {
	case FLT_CLASS_SIGNED:
	case FLT_CLASS_UNSIGNED:
	case FLT_CLASS_BOOL:
		return sv_make(&d->u, sizeof(d->u));
	case FLT_CLASS_TEXT:
		return flt_whole_text(d);
	default:
		return sv_make(d->p, d->n);
	}
}

static bool is_set_class(enum flt_class class)
{
	return class != FLT_CLASS_DOUBLE && class != FLT_CLASS_NET;
}

static int build_set(struct flt_test *t, struct error *err)
{
	for (uint32_t i = 0; i < t->count; i++) {
		struct sv key = set_key(t->class, &t->consts[i].value);

		t->set.lengths |= 1ull << key.n % 64;
		if (smap_put(&t->set.map, key, &t->consts[i]) < 0)
			return error_nomem(err);
	}
	return 0;
}

static bool is_in_set(struct flt_ctx *cx, const struct flt_test *t, unsigned type,
		      const struct flt_datum *d)
{
	struct sv key = set_key(t->class, d);

	(void)cx;
	(void)type;
	if (!(t->set.lengths >> key.n % 64 & 1))
		return false;
	if (t->count > SET_LINEAR_MAX)
		return smap_get(&t->set.map, key) != NULL;
	for (uint32_t i = 0; i < t->count; i++)
		if (sv_eq(key, set_key(t->class, &t->consts[i].value)))
			return true;
	return false;
}

static int build_paths(struct flt_program *p, struct flt_test *t, struct error *err)
{
	t->paths = flt_path_tree_new(&p->arena);
	for (uint32_t i = 0; i < t->count && t->paths; i++) {
		const struct flt_datum *d = &t->consts[i].value;

		if (!flt_path_tree_add(t->paths, sv_make(d->p, d->n), &p->arena))
			return error_nomem(err);
	}
	return t->paths ? 0 : error_nomem(err);
}

static bool is_below_paths(struct flt_ctx *cx, const struct flt_test *t, unsigned type,
			   const struct flt_datum *d)
{
	(void)cx;
	(void)type;
	return flt_path_tree_matches(t->paths, sv_make(d->p, d->n ? strnlen(d->p, d->n) : 0));
}

/* --- one after the other --- */

static bool satisfies_first(struct flt_ctx *cx, const struct flt_test *t, unsigned type,
			    const struct flt_datum *d)
{
	(void)type;
	return t->compare(cx, d, t->consts);
}

static bool satisfies_any(struct flt_ctx *cx, const struct flt_test *t, unsigned type,
			  const struct flt_datum *d)
{
	(void)type;
	for (uint32_t i = 0; i < t->count; i++)
		if (t->compare(cx, d, &t->consts[i]))
			return true;
	return false;
}

static bool satisfies_all(struct flt_ctx *cx, const struct flt_test *t, unsigned type,
			  const struct flt_datum *d)
{
	(void)type;
	for (uint32_t i = 0; i < t->count; i++)
		if (!t->compare(cx, d, &t->consts[i]))
			return false;
	return t->count != 0;
}

static bool satisfies_exactly_one(struct flt_ctx *cx, const struct flt_test *t, unsigned type,
				  const struct flt_datum *d)
{
	uint32_t n = 0;

	(void)type;
	for (uint32_t i = 0; i < t->count && n < 2; i++)
		n += t->compare(cx, d, &t->consts[i]);
	return n == 1;
}

/* Text operators on values of full length: see compare.h. */
static flt_compare_fn find_compare(const struct flt_test *t, enum flt_class class)
{
	return flt_compare_find(class, t->op, t->modifier != FLT_MOD_NONE);
}

/*
 * Constant @i for values of @type, which may be another than the compile-time one (evt.rawarg):
 * then it is converted again into @room. NULL: it makes no sense for @type.
 */
static const struct flt_const *constant_for(const struct flt_test *t, unsigned type, uint32_t i,
					    struct flt_const *room)
{
	if (flt_type_class(type) == t->class)
		return &t->consts[i];
	return flt_const_parse(room, type, t->consts[i].text, NULL) == 0 ? room : NULL;
}

bool flt_satisfies_slowly(struct flt_ctx *cx, const struct flt_test *t, unsigned type,
			  const struct flt_datum *d)
{
	flt_compare_fn compare = find_compare(t, flt_type_class(type));
	uint32_t satisfied = 0;

	if (!compare || (t->op == FLT_OP_REGEX && flt_type_class(type) != t->class))
		return false;
	for (uint32_t i = 0; i < t->count; i++) {
		struct flt_const room;
		const struct flt_const *c = constant_for(t, type, i, &room);

		satisfied += c && compare(cx, d, c);
	}
	switch (t->modifier) {
	case FLT_MOD_ONEOF:
		return satisfied == 1;
	case FLT_MOD_ALLOF:
		return satisfied == t->count && t->count != 0;
	case FLT_MOD_ANYOF:
	case FLT_MOD_NONE:
		break;
	}
	return satisfied != 0;
}

/* --- whole values --- */

bool flt_value_satisfies(struct flt_ctx *cx, const struct flt_test *t, const struct flt_value *v,
			 flt_satisfies_fn satisfies)
{
	bool all = (v->match == FLT_MATCH_LIST && t->op == FLT_OP_IN) ||
		   (v->match == FLT_MATCH_EITHER && t->op == FLT_OP_NE);

	/*
	 * proc.apid: the reference never finds an ancestor's number in a list, and its alerts are
	 * what ours are measured by (docs/deviations.md).
	 */
	if (v->match == FLT_MATCH_ANY && is_membership(t->op) && v->type == PT_INT64)
		return false;
	for (uint32_t i = 0; i < v->count; i++)
		if (satisfies(cx, t, v->type, &v->items[i]) != all)
			return !all;
	/* An empty list is in everything; without candidates nothing is satisfied. */
	return all && (v->count || v->match == FLT_MATCH_LIST);
}

/* One element on the left against the value, or the list, on the right. */
static bool satisfies_field(struct flt_ctx *cx, const struct flt_test *t, const struct flt_datum *d,
			    const struct flt_value *right)
{
	for (uint32_t i = 0; i < right->count; i++) {
		struct flt_const c = {.value = right->items[i]};

		/* As a constant it must not contain NULs. */
		if (t->class == FLT_CLASS_TEXT && c.value.n)
			c.value.n = is_membership(t->op) ? flt_whole_text(&c.value).n
							 : strnlen(c.value.p, c.value.n);
		if (t->compare(cx, d, &c))
			return true;
	}
	return false;
}

bool flt_value_satisfies_field(struct flt_ctx *cx, const struct flt_test *t,
			       const struct flt_value *left, const struct flt_value *right)
{
	bool all = left->match == FLT_MATCH_LIST && t->op == FLT_OP_IN;

	for (uint32_t i = 0; i < left->count; i++)
		if (satisfies_field(cx, t, &left->items[i], right) != all)
			return !all;
	return all;
}

bool flt_is_around(struct flt_ctx *cx, const struct flt_test *t)
{
	uint64_t distance = t->consts->value.u * 1000000u, ts = cx->ev->ts;
	uint64_t middle = (uint64_t)t->left->field->index;

	return ts - distance <= middle && middle <= ts + distance;
}

/* --- running --- */

/* NULL: absent. @room is used if the value is not remembered. */
static const struct flt_value *value_of(struct flt_ctx *cx, const struct flt_operand *o,
					struct flt_value *room)
{
	if (LIKELY(o->kind == FLT_OPERAND_FIELD && !o->stateful))
		return flt_field_value(cx, o->field);
	return flt_operand_eval(cx, o, room) ? room : NULL;
}

static bool run_exists(struct flt_ctx *cx, const struct flt_test *t)
{
	struct flt_value room;

	return value_of(cx, t->left, &room) != NULL;
}

static NOINLINE bool satisfied_by(struct flt_ctx *cx, const struct flt_test *t,
				  const struct flt_value *v)
{
	if (v->type != t->left->type && flt_type_class(v->type) != t->class)
		return flt_value_satisfies(cx, t, v, flt_satisfies_slowly);
	return flt_value_satisfies(cx, t, v, t->satisfies);
}

static bool run_constants(struct flt_ctx *cx, const struct flt_test *t)
{
	struct flt_value room;
	const struct flt_value *v = value_of(cx, t->left, &room);

	return v && satisfied_by(cx, t, v);
}

/* The same for a plain field, which most tests are about. */
static bool run_field_constants(struct flt_ctx *cx, const struct flt_test *t)
{
	const struct flt_value *v = flt_field_value(cx, t->left->field);

	if (!v)
		return false;
	if (UNLIKELY(v->type != t->left->type || v->match != FLT_MATCH_SCALAR))
		return satisfied_by(cx, t, v);
	return t->satisfies(cx, t, v->type, v->items);
}

/* The same for one comparison of a number. */
static bool run_range(struct flt_ctx *cx, const struct flt_test *t)
{
	const struct flt_value *v = flt_field_value(cx, t->left->field);

	if (!v)
		return false;
	if (UNLIKELY(v->type != t->left->type || v->match != FLT_MATCH_SCALAR))
		return satisfied_by(cx, t, v);
	return (v->items->u - t->low <= t->span) != t->outside;
}

/*
 * Set the range of @t. Signed numbers wrap around like unsigned ones, so that a difference tells
 * for both. False: it is no comparison of numbers.
 */
static bool find_range(struct flt_test *t)
{
	bool is_signed = t->class == FLT_CLASS_SIGNED;
	uint64_t least = is_signed ? (uint64_t)INT64_MIN : 0, most = least - 1, bound;

	if ((!is_signed && t->class != FLT_CLASS_UNSIGNED && t->class != FLT_CLASS_BOOL) ||
	    t->count != 1 || t->modifier != FLT_MOD_NONE || !t->compare)
		return false;
	bound = t->consts->value.u;
	t->outside = t->op == FLT_OP_NE || t->op == FLT_OP_LT || t->op == FLT_OP_GT;
	switch (t->op) {
	case FLT_OP_EQ:
	case FLT_OP_NE:
	case FLT_OP_IN:
		t->low = bound;
		t->span = 0;
		return true;
	case FLT_OP_GE:
	case FLT_OP_LT:
		t->low = bound;
		t->span = most - bound;
		return true;
	case FLT_OP_LE:
	case FLT_OP_GT:
		t->low = least;
		t->span = bound - least;
		return true;
	default:
		return false;
	}
}

static bool run_fields(struct flt_ctx *cx, const struct flt_test *t)
{
	struct flt_value left_room, right_room;
	const struct flt_value *left = value_of(cx, t->left, &left_room);
	const struct flt_value *right = left ? value_of(cx, t->right, &right_room) : NULL;

	return right && flt_value_satisfies_field(cx, t, left, right);
}

/* "== anyof" on what fits a set is "in". */
static bool uses_set(const struct flt_test *t)
{
	return is_set_class(t->class) &&
	       (is_membership(t->op) || (t->op == FLT_OP_EQ && t->modifier == FLT_MOD_ANYOF));
}

static int prepare_constants(struct flt_program *p, struct flt_test *t, struct error *err)
{
	static const flt_satisfies_fn by_modifier[] = {
	    [FLT_MOD_NONE] = satisfies_any, /* merged */
	    [FLT_MOD_ONEOF] = satisfies_exactly_one,
	    [FLT_MOD_ANYOF] = satisfies_any,
	    [FLT_MOD_ALLOF] = satisfies_all,
	};

	t->plain = t->left->kind == FLT_OPERAND_FIELD && !t->left->stateful;
	t->run = t->plain ? run_field_constants : run_constants;
	if (t->plain && find_range(t))
		t->run = run_range;
	if (uses_set(t)) {
		t->satisfies = is_in_set;
		return build_set(t, err);
	}
	if (t->op == FLT_OP_PMATCH) {
		t->satisfies = is_below_paths;
		return build_paths(p, t, err);
	}
	t->satisfies = by_modifier[t->modifier];
	if (t->modifier == FLT_MOD_NONE && t->count == 1)
		t->satisfies = satisfies_first;
	return 0;
}

int flt_test_prepare(struct flt_program *p, struct flt_test *t, struct error *err)
{
	t->compare = find_compare(t, t->class);
	if (t->op == FLT_OP_EXISTS) {
		t->run = run_exists;
		return 0;
	}
	if (t->right) {
		t->run = run_fields;
		return 0;
	}
	if (t->left->kind == FLT_OPERAND_FIELD &&
	    strcmp(t->left->field->info->name, "evt.around") == 0) {
		t->run = flt_is_around;
		return 0;
	}
	return prepare_constants(p, t, err);
}

void flt_test_done(struct flt_test *t)
{
	smap_done(&t->set.map);
	flt_path_tree_done(t->paths);
	t->paths = NULL;
}

/* --- merging --- */

static bool is_alternative_op(enum flt_op op)
{
	switch (op) {
	case FLT_OP_EXISTS:
	case FLT_OP_NE:
	case FLT_OP_LT:
	case FLT_OP_LE:
	case FLT_OP_GT:
	case FLT_OP_GE:
		return false;
	default:
		return true;
	}
}

bool flt_test_can_merge(const struct flt_test *a, const struct flt_test *b)
{
	return a->plain && b->plain && a->op == b->op && is_alternative_op(a->op) &&
	       a->modifier == FLT_MOD_NONE && b->modifier == FLT_MOD_NONE &&
	       a->left->kind == FLT_OPERAND_FIELD && a->left->field == b->left->field &&
	       !a->left->is_list && !a->stateful;
}

static int merge_constants(struct flt_program *p, struct flt_test *t, struct flt_test *const *tests,
			   uint32_t count, struct error *err)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
		t->count += tests[i]->count;
	t->consts = arena_zalloc(&p->arena, t->count, sizeof(*t->consts));
	if (!t->consts)
		return error_nomem(err);
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t k = 0; k < tests[i]->count; k++) {
			struct flt_const *c = &t->consts[n++];

			*c = tests[i]->consts[k];
			if (t->class == FLT_CLASS_ADDR || t->class == FLT_CLASS_NET)
				c->value.p = (const char *)c->addr;
		}
	}
	return 0;
}

int flt_test_merge(struct flt_program *p, struct flt_test *const *tests, uint32_t count,
		   struct flt_test **out, struct error *err)
{
	struct buf key = {0};
	struct flt_test *t = NULL;
	int rc = 0;

	for (uint32_t i = 0; i < count; i++) {
		buf_char(&key, '|'); /* no key of a check starts like this */
		buf_u64(&key, tests[i]->id);
	}
	*out = key.failed ? NULL : smap_get(&p->test_map, buf_view(&key));
	if (*out)
		goto out;
	t = arena_zalloc(&p->arena, 1, sizeof(*t));
	if (!t || key.failed) {
		rc = error_nomem(err);
		goto out;
	}
	t->left = tests[0]->left;
	t->op = tests[0]->op;
	t->class = tests[0]->class;
	t->flags = tests[0]->flags;
	rc = merge_constants(p, t, tests, count, err);
	if (rc == 0)
		rc = flt_test_prepare(p, t, err);
	if (rc == 0)
		rc = flt_program_share(p, t, buf_view(&key), err);
	if (rc < 0)
		flt_test_done(t);
	*out = t;
out:
	buf_done(&key);
	return rc;
}
