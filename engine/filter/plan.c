/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans: how a condition is evaluated. "not" is pushed down to the tests, nested "and" and "or"
 * become one, alternatives on the same operand become one test, and what is cheap and decides
 * often comes first. Stateful tests must be reached exactly as written, so what contains one is
 * left in order.
 */
#include "engine/filter/program.h"

#include "engine/filter/grow.h"
#include "engine/filter/ops.h"

#define PLAN_KIDS_MAX                                                                              \
	1000 /* with more, "and" and "or" are left as written: planning would take too long */

struct planner {
	struct flt_program *program;
	struct error *err;
};

/* --- estimates --- */

/* Texts that are put together when asked for, and look-ups along the ancestors. */
static bool is_costly_field(const struct flt_field *f)
{
	static const char *const names[] = {"evt.arg", "evt.info", "proc.a", "proc.env", "fdlist."};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strncmp(f->info->name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static float operand_cost(const struct flt_operand *o)
{
	float cost = o->kind == FLT_OPERAND_CALL ? 10 : 1;

	if (o->field && is_costly_field(o->field))
		cost += 10;
	for (uint32_t i = 0; i < o->count; i++)
		cost += operand_cost(o->items[i]);
	return cost;
}

static float operator_cost(const struct flt_test *t)
{
	switch (t->op) {
	case FLT_OP_CONTAINS:
	case FLT_OP_BCONTAINS:
	case FLT_OP_ICONTAINS:
	case FLT_OP_GLOB:
	case FLT_OP_IGLOB:
	case FLT_OP_PMATCH:
		return 5;
	case FLT_OP_REGEX:
		return 20;
	default:
		return t->class == FLT_CLASS_TEXT ? 2 : 1;
	}
}

static float test_cost(const struct flt_test *t)
{
	float each = operator_cost(t);

	if (t->flags & FLT_FIELD_PROCESS) /* mostly remembered */
		return 1;
	if (!t->set.lengths && !t->paths && t->count > 1) /* one after the other */
		each *= (float)t->count;
	return operand_cost(t->left) + (t->right ? operand_cost(t->right) : 0) + each;
}

/* How often a test on these is true, whatever it compares with, on ordinary systems. */
static const struct {
	const char *field;
	float truth;
} common[] = {
    {"fd.typechar", 0.7f},
    {"evt.is_open_read", 0.7f},
    {"container.id", 0.5f},
    {"fd.type", 0.5f},
};

/* What a rule looks for is rare otherwise. */
static float test_truth(const struct flt_test *t)
{
	for (size_t i = 0; i < COUNT_OF(common); i++)
		if (t->left->field && strcmp(t->left->field->info->name, common[i].field) == 0)
			return common[i].truth;
	switch (t->op) {
	case FLT_OP_EXISTS:
	case FLT_OP_NE:
		return 0.8f;
	case FLT_OP_LT:
	case FLT_OP_LE:
	case FLT_OP_GT:
	case FLT_OP_GE:
		return 0.5f;
	default:
		if (t->class == FLT_CLASS_BOOL)
			return 0.25f;
		return t->count > 1 ? 0.1f : 0.05f;
	}
}

/* The lower, the earlier: what it costs per decision. */
static float rank(enum flt_node_kind kind, const struct flt_plan *kid)
{
	float decides = kind == FLT_AND ? 1 - kid->truth : kid->truth;

	return kid->cost / (decides + 0.01f);
}

void flt_plan_sort(enum flt_node_kind kind, struct flt_plan **kids, uint32_t count)
{
	for (uint32_t i = 1; i < count && count <= PLAN_KIDS_MAX; i++) {
		struct flt_plan *kid = kids[i];
		uint32_t at = i;

		for (; at && rank(kind, kids[at - 1]) > rank(kind, kid); at--)
			kids[at] = kids[at - 1];
		kids[at] = kid;
	}
}

static void estimate(struct flt_plan *plan)
{
	bool is_and = plan->kind == FLT_AND;
	float reached = 1; /* how often a kid is */

	for (uint32_t i = 0; i < plan->count; i++) {
		const struct flt_plan *kid = plan->kids[i];

		plan->cost += reached * kid->cost;
		reached *= is_and ? kid->truth : 1 - kid->truth;
	}
	plan->truth = is_and ? reached : 1 - reached;
}

/* --- trees --- */

static struct flt_plan *new_plan(struct planner *pl, enum flt_node_kind kind)
{
	struct flt_plan *plan = arena_zalloc(&pl->program->arena, 1, sizeof(*plan));

	if (plan)
		plan->kind = kind;
	return plan;
}

static struct flt_plan *plan_test(struct planner *pl, struct flt_test *t, bool negated)
{
	struct flt_plan *plan = new_plan(pl, FLT_CHECK);

	if (!plan)
		return NULL;
	plan->test = t;
	plan->negated = negated;
	plan->stateful = t->stateful;
	plan->cost = test_cost(t);
	plan->truth = negated ? 1 - test_truth(t) : test_truth(t);
	return plan;
}

static bool add_kid(struct planner *pl, struct flt_plan *plan, struct flt_plan *kid)
{
	if (!kid || !grow_pointers(&pl->program->arena, &plan->kids, plan->count))
		return false;
	plan->kids[plan->count++] = kid;
	plan->stateful |= kid->stateful;
	return true;
}

static struct flt_plan *plan_logic(struct planner *pl, const struct flt_logic *l, bool negated);

/* Add the kids of @l to @plan, those of kids of the same kind directly. */
static bool add_kids(struct planner *pl, struct flt_plan *plan, const struct flt_logic *l,
		     bool negated)
{
	for (uint32_t i = 0; i < l->count; i++) {
		struct flt_plan *kid = plan_logic(pl, l->kids[i], negated);

		if (!kid)
			return false;
		if (kid->kind != plan->kind) {
			if (!add_kid(pl, plan, kid))
				return false;
			continue;
		}
		for (uint32_t k = 0; k < kid->count; k++)
			if (!add_kid(pl, plan, kid->kids[k]))
				return false;
	}
	return true;
}

/* --- merging --- */

/* In an "or", tests; in an "and", negated ones: not (a or b) is (not a) and (not b). */
static bool is_alternative(const struct flt_plan *parent, const struct flt_plan *kid)
{
	return kid->kind == FLT_CHECK && kid->negated == (parent->kind == FLT_AND);
}

/*
 * Merge kid @first with the later ones it can be merged with, which become NULL. Return: false
 * when out of memory.
 */
static bool merge_with_later(struct planner *pl, struct flt_plan *plan, uint32_t first)
{
	struct flt_test **same = NULL, *merged, *t = plan->kids[first]->test;
	uint32_t n = 0;

	for (uint32_t i = first; i < plan->count; i++) {
		struct flt_plan *kid = plan->kids[i];

		if (!kid || !is_alternative(plan, kid) || !flt_test_can_merge(t, kid->test))
			continue;
		if (!grow_pointers(&pl->program->arena, &same, n))
			return false;
		same[n++] = kid->test;
		if (i != first)
			plan->kids[i] = NULL;
	}
	if (n < 2)
		return true;
	if (flt_test_merge(pl->program, same, n, &merged, pl->err) < 0)
		return false;
	plan->kids[first] = plan_test(pl, merged, plan->kids[first]->negated);
	return plan->kids[first] != NULL;
}

static bool merge_kids(struct planner *pl, struct flt_plan *plan)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < plan->count; i++)
		if (plan->kids[i] && is_alternative(plan, plan->kids[i]) &&
		    !merge_with_later(pl, plan, i))
			return false;
	for (uint32_t i = 0; i < plan->count; i++)
		if (plan->kids[i])
			plan->kids[kept++] = plan->kids[i];
	plan->count = kept;
	return true;
}

/* NULL: out of memory. */
static struct flt_plan *plan_logic(struct planner *pl, const struct flt_logic *l, bool negated)
{
	struct flt_plan *plan;

	if (l->kind == FLT_NOT)
		return plan_logic(pl, l->kids[0], !negated);
	if (l->kind == FLT_CHECK)
		return plan_test(pl, l->test, negated);
	plan = new_plan(pl, (l->kind == FLT_AND) != negated ? FLT_AND : FLT_OR);
	if (!plan || !add_kids(pl, plan, l, negated))
		return NULL;
	if (!plan->stateful && plan->count <= PLAN_KIDS_MAX) {
		if (!merge_kids(pl, plan))
			return NULL;
		flt_plan_sort(plan->kind, plan->kids, plan->count);
	}
	estimate(plan);
	return plan;
}

int flt_plan_condition(struct flt_program *p, const struct flt_logic *l, struct flt_plan **out,
		       struct error *err)
{
	struct planner pl = {.program = p, .err = err};

	*out = plan_logic(&pl, l, false);
	return *out ? 0 : error_nomem(err);
}
