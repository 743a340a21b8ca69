/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions as steps with jump targets: "and", "or" and "not" are compiled away, and so are tests
 * whose results are known. A condition has one version of its steps for each set of event types
 * that agree on what is known.
 */
#include "engine/filter/program.h"

#include <stdlib.h>

#include "engine/filter/grow.h"

static int test_verdict(const struct flt_emitter *e, const struct flt_test *t)
{
	if (!flt_types_has(&t->decided, e->type))
		return 0;
	return flt_types_has(&t->yes, e->type) ? 1 : -1;
}

int flt_emit_verdict(const struct flt_emitter *e, const struct flt_plan *plan)
{
	int decisive = plan->kind == FLT_OR ? 1 : -1, verdict = -decisive;

	if (plan->kind == FLT_CHECK)
		return plan->negated ? -test_verdict(e, plan->test) : test_verdict(e, plan->test);
	for (uint32_t i = 0; i < plan->count; i++) {
		int kid = flt_emit_verdict(e, plan->kids[i]);

		if (kid == decisive)
			return decisive;
		if (!kid)
			verdict = 0;
	}
	return verdict;
}

/* Return: where the steps of @t start; a target itself if nothing is to be run. */
static uint32_t emit_test(const struct flt_emitter *e, const struct flt_test *t, uint32_t on_true,
			  uint32_t on_false)
{
	struct flt_step step = {.test = t->id, .on_true = on_true, .on_false = on_false};
	int verdict = test_verdict(e, t);

	if (verdict)
		return verdict > 0 ? on_true : on_false;
	if (on_true == on_false && !t->stateful)
		return on_true;
	buf_add(&e->program->steps, &step, sizeof(step));
	return (uint32_t)(e->program->steps.len / sizeof(step)) - 1;
}

/*
 * Last steps are emitted first, so that the targets are known. A kid that
 * decides makes those after it unreachable: their steps are dropped again.
 */
uint32_t flt_emit(const struct flt_emitter *e, const struct flt_plan *plan, uint32_t on_true,
		  uint32_t on_false)
{
	struct buf *steps = &e->program->steps;
	size_t before = steps->len;

	if (plan->kind == FLT_CHECK && plan->negated)
		return emit_test(e, plan->test, on_false, on_true);
	if (plan->kind == FLT_CHECK)
		return emit_test(e, plan->test, on_true, on_false);
	for (uint32_t i = plan->count; i; i--) {
		uint32_t start = flt_emit(e, plan->kids[i - 1], on_true, on_false);

		if (start == (plan->kind == FLT_AND ? on_false : on_true))
			steps->len = before;
		if (plan->kind == FLT_AND)
			on_true = start;
		else
			on_false = start;
	}
	return plan->kind == FLT_AND ? on_true : on_false;
}

int flt_emit_check_size(const struct flt_program *p, struct error *err)
{
	if (p->steps.len / sizeof(struct flt_step) > FLT_STEPS_MAX)
		return error_set(err, ERR_LIMIT, "the conditions need more than %u steps",
				 FLT_STEPS_MAX);
	return 0;
}

/* The tests of @plan on which types differ, into @out. */
static bool add_typed_tests(struct flt_program *p, const struct flt_plan *plan,
			    struct flt_typed *out)
{
	if (plan->test && flt_types_count(&plan->test->decided)) {
		if (!grow_pointers(&p->arena, &out->tests, out->count))
			return false;
		out->tests[out->count++] = plan->test;
	}
	for (uint32_t i = 0; i < plan->count; i++)
		if (!add_typed_tests(p, plan->kids[i], out))
			return false;
	return true;
}

void flt_emit_key(const struct flt_program *p, uint32_t condition, unsigned type, struct buf *key)
{
	const struct flt_typed *typed = &p->typed[condition];

	for (uint32_t i = 0; i < typed->count; i++) {
		const struct flt_test *t = typed->tests[i];

		buf_char(key, !flt_types_has(&t->decided, type) ? '?'
			      : flt_types_has(&t->yes, type)	? '1'
								: '0');
	}
}

/* Emit condition @c for each type, once for types with the same key. */
static int emit_condition(struct flt_emitter *e, uint32_t c, struct smap *versions, struct buf *key,
			  struct error *err)
{
	struct flt_program *p = e->program;

	for (e->type = 0; e->type < EV_TYPE_COUNT; e->type++) {
		uint32_t *start = &p->starts[(size_t)e->type * p->condition_count + c];
		const uint32_t *same;
		struct sv kept;

		if (p->like[e->type] != e->type) {
			*start = p->starts[(size_t)p->like[e->type] * p->condition_count + c];
			continue;
		}
		buf_reset(key);
		flt_emit_key(p, c, e->type, key);
		if (key->failed)
			return error_nomem(err);
		same = smap_get(versions, buf_view(key));
		if (same) {
			*start = *same;
			continue;
		}
		*start = flt_emit(e, p->plans[c], FLT_STEP_TRUE, FLT_STEP_FALSE);
		if (flt_emit_check_size(p, err) < 0)
			return ERR_LIMIT;
		kept = arena_sv(&p->arena, buf_view(key));
		if (!kept.p || smap_put(versions, kept, start) < 0)
			return error_nomem(err);
	}
	return 0;
}

int flt_emit_conditions(struct flt_program *p, struct error *err)
{
	struct flt_emitter e = {.program = p};
	struct smap versions = {0};
	struct buf key = {0};
	int rc = 0;

	p->starts = calloc((size_t)EV_TYPE_COUNT * p->condition_count + 1, sizeof(*p->starts));
	p->typed = arena_zalloc(&p->arena, p->condition_count, sizeof(*p->typed));
	if (!p->starts || !p->typed)
		rc = error_nomem(err);
	for (uint32_t c = 0; c < p->condition_count && rc == 0; c++) {
		smap_clear(&versions);
		if (add_typed_tests(p, p->plans[c], &p->typed[c]))
			rc = emit_condition(&e, c, &versions, &key, err);
		else
			rc = error_nomem(err);
	}
	smap_done(&versions);
	buf_done(&key);
	return rc == 0 && p->steps.failed ? error_nomem(err) : rc;
}
