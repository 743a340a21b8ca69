/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions as steps with jump targets: "and", "or" and "not" are compiled away, and so are tests
 * whose results are known. A condition has one version of its steps for each set of event types
 * that agree on what is known.
 */
#include "engine/filter/program.h"

#include <stdlib.h>

int flt_emit_verdict(const struct flt_emitter *e, const struct flt_test *t)
{
	if (flt_types_has(&t->decided, e->type))
		return flt_types_has(&t->truth, e->type) ? 1 : -1;
	return e->known[t->id];
}

uint32_t flt_emit_test(const struct flt_emitter *e, const struct flt_test *t, uint32_t on_true,
		       uint32_t on_false)
{
	struct flt_step step = {.test = t->id, .on_true = on_true, .on_false = on_false};
	int verdict = flt_emit_verdict(e, t);

	if (verdict)
		return verdict > 0 ? on_true : on_false;
	if (on_true == on_false && !t->stateful)
		return on_true;
	buf_add(&e->program->steps, &step, sizeof(step));
	return (uint32_t)(e->program->steps.len / sizeof(step)) - 1;
}

/* Last steps are emitted first, so that the targets are known. */
uint32_t flt_emit(const struct flt_emitter *e, const struct flt_logic *l, bool negated,
		  uint32_t on_true, uint32_t on_false)
{
	if (l->kind == FLT_NOT)
		return flt_emit(e, l->kids[0], !negated, on_true, on_false);
	if (negated) {
		uint32_t swap = on_true;

		on_true = on_false;
		on_false = swap;
	}
	if (l->kind == FLT_CHECK)
		return flt_emit_test(e, l->test, on_true, on_false);
	for (uint32_t i = l->count; i; i--) {
		uint32_t start = flt_emit(e, l->by_cost[i - 1], false, on_true, on_false);

		if (l->kind == FLT_AND)
			on_true = start;
		else
			on_false = start;
	}
	return l->kind == FLT_AND ? on_true : on_false;
}

void flt_emit_key(const struct flt_logic *l, unsigned type, struct buf *key)
{
	const struct flt_test *t = l->test;

	if (t)
		buf_char(key, !flt_types_has(&t->decided, type) ? '?'
			      : flt_types_has(&t->truth, type)	? '1'
								: '0');
	for (uint32_t i = 0; i < l->count; i++)
		flt_emit_key(l->kids[i], type, key);
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

		buf_reset(key);
		flt_emit_key(p->conditions[c], e->type, key);
		same = smap_get(versions, buf_view(key));
		if (same) {
			*start = *same;
			continue;
		}
		*start = flt_emit(e, p->conditions[c], false, FLT_STEP_TRUE, FLT_STEP_FALSE);
		kept = arena_sv(&p->arena, buf_view(key));
		if (key->failed || !kept.p || smap_put(versions, kept, start) < 0)
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

	e.known = calloc(p->test_count + 1, sizeof(*e.known));
	p->starts = calloc((size_t)EV_TYPE_COUNT * p->condition_count + 1, sizeof(*p->starts));
	if (!p->starts || !e.known)
		rc = error_nomem(err);
	for (uint32_t c = 0; c < p->condition_count && rc == 0; c++) {
		smap_clear(&versions);
		rc = emit_condition(&e, c, &versions, &key, err);
	}
	smap_done(&versions);
	buf_done(&key);
	free(e.known);
	return rc == 0 && p->steps.failed ? error_nomem(err) : rc;
}
