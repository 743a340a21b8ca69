/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing: tests get their final numbers, those that the event's type decides are answered for each
 * type, and what remains becomes steps (emit.c, batch.c).
 */
#include "engine/filter/program.h"

#include <stdlib.h>

#include "engine/filter/ops.h"

/* --- what is known beforehand --- */

static bool is_field(const struct flt_test *t, const char *name)
{
	return t->left->kind == FLT_OPERAND_FIELD && strcmp(t->left->field->info->name, name) == 0;
}

/* Events of these types have names of their own. */
static bool type_names_its_events(unsigned type)
{
	return type != EV_GENERIC_E && type != EV_GENERIC_X && type != EV_ASYNCEVENT_E &&
	       type != EV_ASYNCEVENT_X;
}

/* evt.num is at least 1: is the result for 1 that for all? */
static bool holds_for_all_numbers(const struct flt_test *t)
{
	uint64_t most = t->op == FLT_OP_LT || t->op == FLT_OP_GE ? 1 : 0;

	if (!is_field(t, "evt.num") || t->right || t->modifier != FLT_MOD_NONE)
		return false;
	for (uint32_t i = 0; i < t->count; i++)
		if (t->consts[i].value.u > most)
			return false;
	return true;
}

static bool is_decided(const struct flt_test *t, unsigned type)
{
	if (t->stateful || t->run == flt_is_around)
		return false;
	if (t->flags & FLT_FIELD_TYPE_ONLY || holds_for_all_numbers(t))
		return true;
	return !t->right && type_names_its_events(type) &&
	       (is_field(t, "evt.type") || is_field(t, "syscall.type"));
}

/* Run what the type decides on a bare event of each type. */
static int decide_tests(struct flt_program *p, struct error *err)
{
	struct state_binding bind = {0};
	struct flt_ctx *cx;
	int rc = flt_ctx_make(p, NULL, &cx, err);

	if (rc < 0)
		return rc;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		struct ev ev = {.num = 1, .tid = -1, .type = (uint16_t)type};
		uint64_t bit = 1ull << type % 64;

		bind.ev = &ev;
		flt_ctx_event(cx, &bind);
		for (uint32_t i = 0; i < p->test_count; i++) {
			struct flt_test *t = p->tests[i];

			if (!is_decided(t, type))
				continue;
			t->decided.bits[type / 64] |= bit;
			if (t->run(cx, t))
				t->truth.bits[type / 64] |= bit;
		}
	}
	flt_ctx_free(cx);
	return 0;
}

/* --- numbers --- */

static unsigned memory_of(const struct flt_test *t)
{
	if (t->stateful)
		return 2;
	return t->flags & FLT_FIELD_PROCESS ? 0 : 1;
}

/* Tests remembered per thread first, stateful ones last. */
static int number_tests(struct flt_program *p, struct error *err)
{
	struct flt_test **sorted =
	    arena_zalloc(&p->arena, p->test_count, sizeof(struct flt_test *));
	uint32_t n = 0, ends[3];

	if (!sorted)
		return error_nomem(err);
	for (unsigned memory = 0; memory < 3; memory++) {
		for (uint32_t i = 0; i < p->test_count; i++)
			if (memory_of(p->tests[i]) == memory)
				sorted[n++] = p->tests[i];
		ends[memory] = n;
	}
	for (uint32_t i = 0; i < n; i++)
		sorted[i]->id = i;
	p->tests = sorted;
	p->thread_tests = ends[0];
	p->remembered_tests = ends[1];
	return 0;
}

/* --- costs --- */

/* Texts that are put together when asked for, and look-ups along the ancestors. */
static bool is_costly_field(const struct flt_field *f)
{
	static const char *const names[] = {"evt.arg", "evt.info", "proc.a", "proc.env", "fdlist."};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strncmp(f->info->name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static unsigned operand_cost(const struct flt_operand *o)
{
	unsigned cost = o->kind == FLT_OPERAND_CALL ? 10 : 1;

	if (o->field && is_costly_field(o->field))
		cost += 10;
	for (uint32_t i = 0; i < o->count; i++)
		cost += operand_cost(o->items[i]);
	return cost;
}

static unsigned operator_cost(const struct flt_test *t)
{
	switch (t->op) {
	case FLT_OP_EXISTS:
		return 0;
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

static uint16_t test_cost(const struct flt_test *t)
{
	unsigned cost = operator_cost(t), most = UINT16_MAX;

	if (memory_of(t) == 0)
		return 1;
	if (t->modifier != FLT_MOD_NONE)
		cost *= t->count + 1;
	cost += operand_cost(t->left) + (t->right ? operand_cost(t->right) : 0);
	return (uint16_t)(cost < most ? cost : most);
}

/* Insertion keeps equal ones in order. */
static void sort_by_cost(struct flt_logic **kids, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		struct flt_logic *kid = kids[i];
		uint32_t at = i;

		for (; at && kids[at - 1]->cost > kid->cost; at--)
			kids[at] = kids[at - 1];
		kids[at] = kid;
	}
}

static int judge_costs(struct flt_program *p, struct flt_logic *l, struct error *err)
{
	if (l->kind == FLT_CHECK) {
		l->cost = l->test->cost;
		l->stateful = l->test->stateful;
		return 0;
	}
	l->by_cost = arena_zalloc(&p->arena, l->count, sizeof(struct flt_logic *));
	if (!l->by_cost)
		return error_nomem(err);
	for (uint32_t i = 0; i < l->count; i++) {
		if (judge_costs(p, l->kids[i], err) < 0)
			return ERR_NOMEM;
		l->by_cost[i] = l->kids[i];
		l->stateful |= l->kids[i]->stateful;
		l->cost += l->kids[i]->cost;
	}
	if (!l->stateful)
		sort_by_cost(l->by_cost, l->count);
	return 0;
}

int flt_program_seal(struct flt_program *p, struct error *err)
{
	int rc = number_tests(p, err);

	for (uint32_t i = 0; i < p->test_count; i++)
		p->tests[i]->cost = test_cost(p->tests[i]);
	for (uint32_t i = 0; i < p->condition_count && rc == 0; i++)
		rc = judge_costs(p, p->conditions[i], err);
	if (rc == 0)
		rc = decide_tests(p, err);
	if (rc == 0)
		rc = flt_emit_conditions(p, err);
	if (rc == 0)
		rc = flt_emit_batches(p, err);
	p->sealed = rc == 0;
	return rc;
}
