/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which event types a condition can match, so that it need not be looked at for others. A safe
 * over-estimate: checks that say nothing about the type are neutral, all types, also under "not".
 */
#include "engine/filter/filter.h"

/* Names of asynchronous events that are known without plugins: those of the container engine. */
static const char *const async_names[] = {"container", "container_removed"};

static const struct flt_types no_types;

static struct flt_types complement(struct flt_types t)
{
	const size_t last = COUNT_OF(t.bits) - 1;

	for (size_t i = 0; i <= last; i++)
		t.bits[i] = ~t.bits[i];
	if (EV_TYPE_COUNT % 64)
		t.bits[last] &= (1ull << EV_TYPE_COUNT % 64) - 1;
	return t;
}

static struct flt_types all_types(void)
{
	return complement(no_types);
}

static void unite(struct flt_types *t, const struct flt_types *other)
{
	for (size_t i = 0; i < COUNT_OF(t->bits); i++)
		t->bits[i] |= other->bits[i];
}

static void intersect(struct flt_types *t, const struct flt_types *other)
{
	for (size_t i = 0; i < COUNT_OF(t->bits); i++)
		t->bits[i] &= other->bits[i];
}

static void add(struct flt_types *t, unsigned type)
{
	t->bits[type / 64] |= 1ull << type % 64;
}

unsigned flt_types_count(const struct flt_types *t)
{
	unsigned n = 0;

	for (size_t i = 0; i < COUNT_OF(t->bits); i++)
		n += (unsigned)__builtin_popcountll(t->bits[i]);
	return n;
}

/* --- names --- */

/* sv_is(); most names differ in the first byte already. */
static inline bool is_name(struct sv name, const char *known)
{
	return name.n && name.p[0] == known[0] && sv_is(name, known);
}

static bool add_events_named(struct sv name, struct flt_types *t)
{
	bool found = false;

	for (unsigned i = 0; i < EV_TYPE_COUNT; i++) {
		if (is_name(name, ev_table[i].name)) {
			add(t, i);
			found = true;
		}
	}
	return found;
}

/* System calls without an event of their own are reported as generic ones. */
static bool add_events_of_syscall(struct sv name, struct flt_types *t)
{
	for (unsigned i = 0; i < EV_SYSCALL_COUNT; i++) {
		const struct ev_syscall *sc = &ev_syscalls[i];

		if (!is_name(name, sc->name))
			continue;
		add(t, sc->enter_type);
		if (sc->enter_type == EV_GENERIC_E || sc->exit_type != EV_GENERIC_X)
			add(t, sc->exit_type);
		return true;
	}
	return false;
}

bool flt_types_named(struct sv name, struct flt_types *out)
{
	bool found;

	*out = no_types;
	found = add_events_named(name, out) || add_events_of_syscall(name, out);
	for (size_t i = 0; i < COUNT_OF(async_names); i++) {
		if (sv_is(name, async_names[i])) {
			add(out, EV_ASYNCEVENT_E);
			found = true;
		}
	}
	return found;
}

/* --- checks --- */

static bool is_plain_field(const struct flt_expr *e, const char *name)
{
	return e->kind == FLT_EXPR_FIELD && !e->has_arg && sv_is(e->text, name);
}

static bool is_type_field(const struct flt_expr *e)
{
	return is_plain_field(e, "evt.type") || is_plain_field(e, "syscall.type");
}

/* The operators by which a check on the type decides about types. */
static bool decides(const struct flt_node *n)
{
	return n->modifier == FLT_MOD_NONE && (n->op == FLT_OP_EXISTS || n->op == FLT_OP_EQ ||
					       n->op == FLT_OP_NE || n->op == FLT_OP_IN);
}

static int types_of_names(const struct flt_node *n, struct flt_types *out, struct error *err)
{
	const struct flt_expr *right = n->right;
	struct flt_types named;

	*out = no_types;
	switch (right->kind) {
	case FLT_EXPR_VALUE:
		flt_types_named(right->text, out);
		return 0;
	case FLT_EXPR_LIST:
		for (uint32_t i = 0; i < right->count; i++) {
			flt_types_named(right->items[i]->text, &named);
			unite(out, &named);
		}
		return 0;
	default:
		return error_set(err, ERR_COMPILE, "'%.*s' cannot be compared with a field",
				 (int)n->left->text.n, n->left->text.p);
	}
}

static int types_of_type_check(const struct flt_node *n, bool negated, struct flt_types *out,
			       struct error *err)
{
	int rc;

	if (n->op == FLT_OP_EXISTS) {
		*out = negated ? no_types : all_types();
		return 0;
	}
	rc = types_of_names(n, out, err);
	if (rc == 0 && negated != (n->op == FLT_OP_NE))
		*out = complement(*out);
	return rc;
}

/* A decimal number that fits 64 bits, without sign. */
static bool parse_u64(struct sv s, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(*out, 10u, out) ||
		    __builtin_add_overflow(*out, (unsigned)(s.p[i] - '0'), out))
			return false;
	}
	return s.n != 0;
}

static bool only_zeros(const struct flt_expr *right)
{
	uint64_t u;

	if (right->kind == FLT_EXPR_VALUE)
		return parse_u64(right->text, &u) && u == 0;
	for (uint32_t i = 0; i < right->count; i++)
		if (!parse_u64(right->items[i]->text, &u) || u != 0)
			return false;
	return right->kind == FLT_EXPR_LIST;
}

enum verdict { SOMETIMES, ALWAYS, NEVER };

/* What a check on evt.num, which is at least 1, comes to. */
static enum verdict judge_number(const struct flt_node *n)
{
	uint64_t u;

	if (n->modifier != FLT_MOD_NONE || !n->right)
		return SOMETIMES;
	if (n->op == FLT_OP_IN)
		return only_zeros(n->right) ? NEVER : SOMETIMES;
	if (n->right->kind != FLT_EXPR_VALUE || !parse_u64(n->right->text, &u))
		return SOMETIMES;
	switch (n->op) {
	case FLT_OP_EQ:
	case FLT_OP_LE:
		return u == 0 ? NEVER : SOMETIMES;
	case FLT_OP_LT:
		return u <= 1 ? NEVER : SOMETIMES;
	case FLT_OP_NE:
	case FLT_OP_GT:
		return u == 0 ? ALWAYS : SOMETIMES;
	case FLT_OP_GE:
		return u <= 1 ? ALWAYS : SOMETIMES;
	default:
		return SOMETIMES;
	}
}

static int types_of_check(const struct flt_node *n, bool negated, struct flt_types *out,
			  struct error *err)
{
	const struct flt_expr *left = n->left;

	if (is_type_field(left) && decides(n))
		return types_of_type_check(n, negated, out, err);
	if (left->kind == FLT_EXPR_TRANSFORM && left->count == 1 && is_type_field(left->items[0]) &&
	    decides(n))
		return error_set(err, ERR_COMPILE, "'%.*s' cannot be transformed in a comparison",
				 (int)left->items[0]->text.n, left->items[0]->text.p);
	if (is_plain_field(left, "evt.num")) {
		enum verdict verdict = judge_number(n);

		if (verdict != SOMETIMES) {
			*out = (verdict == NEVER) == negated ? all_types() : no_types;
			return 0;
		}
	}
	*out = all_types();
	return 0;
}

/* --- trees --- */

static int types_of(const struct flt_node *n, bool negated, struct flt_types *out,
		    struct error *err)
{
	struct flt_types kid;
	int rc = 0;

	switch (n->kind) {
	case FLT_NOT:
		return types_of(n->kids[0], !negated, out, err);
	case FLT_CHECK:
		return types_of_check(n, negated, out, err);
	case FLT_MACRO:
		*out = all_types();
		return 0;
	case FLT_AND:
	case FLT_OR:
		break;
	}
	rc = types_of(n->kids[0], negated, out, err);
	for (uint32_t i = 1; i < n->count && rc == 0; i++) {
		rc = types_of(n->kids[i], negated, &kid, err);
		if (rc < 0)
			break;
		if ((n->kind == FLT_AND) != negated)
			intersect(out, &kid);
		else
			unite(out, &kid);
	}
	return rc;
}

int flt_types_of(const struct flt_node *n, struct flt_types *out, struct error *err)
{
	return types_of(n, false, out, err);
}
