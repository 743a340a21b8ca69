/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing: tests get their final numbers, and each condition becomes steps with jump targets,
 * "and", "or" and "not" compiled away. What depends on the event's type only is answered here: a
 * condition has one version of its steps for each set of types on which those tests agree.
 */
#include "engine/filter/program.h"

#include <stdlib.h>

#include "engine/filter/grow.h"

/* Events of these types have names of their own, so that their type decides nothing. */
static bool type_is_open(unsigned type)
{
	return type == EV_GENERIC_E || type == EV_GENERIC_X || type == EV_ASYNCEVENT_E ||
	       type == EV_ASYNCEVENT_X;
}

/* --- tests that the type decides -----------------------------------------------------------------
 */

static bool depends_on_type_only(const struct flt_test *t)
{
	const struct flt_operand *o = t->left;

	if (t->stateful || (t->op != FLT_OP_EXISTS && t->run == flt_is_around))
		return false;
	if (t->flags & FLT_FIELD_TYPE_ONLY)
		return true;
	return !t->right && o->kind == FLT_OPERAND_FIELD &&
	       (strcmp(o->field->info->name, "evt.type") == 0 ||
		strcmp(o->field->info->name, "syscall.type") == 0);
}

/* Run the tests that depend on the type only on a bare event of each type. */
static int fold_tests(struct flt_program *p, struct error *err)
{
	struct state_binding bind = {0};
	struct flt_ctx *cx;
	int rc = flt_ctx_make(p, NULL, &cx, err);

	if (rc < 0)
		return rc;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		struct ev ev = {.tid = -1, .type = (uint16_t)type};

		if (type_is_open(type))
			continue;
		bind.ev = &ev;
		flt_ctx_event(cx, &bind);
		for (uint32_t i = 0; i < p->test_count; i++) {
			struct flt_test *t = p->tests[i];

			if (t->folds && t->run(cx, t))
				t->types.bits[type / 64] |= 1ull << type % 64;
		}
	}
	flt_ctx_free(cx);
	return 0;
}

/* --- numbering -----------------------------------------------------------------------------------
 */

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

/* --- steps ---------------------------------------------------------------------------------------
 */

struct emitter {
	struct flt_program *p;
	unsigned type;
};

static uint32_t step_count(const struct flt_program *p)
{
	return (uint32_t)(p->steps.len / sizeof(struct flt_step));
}

/*
 * Emit the steps of @l, last ones first, so that the targets are known.
 * Return: where they start; a target itself if there is nothing to test.
 */
static uint32_t emit(const struct emitter *e, const struct flt_logic *l, uint32_t on_true,
		     uint32_t on_false)
{
	struct flt_step step = {.on_true = on_true, .on_false = on_false};
	const struct flt_test *t = l->test;

	switch (l->kind) {
	case FLT_NOT:
		return emit(e, l->kids[0], on_false, on_true);
	case FLT_AND:
		for (uint32_t i = l->count; i; i--)
			on_true = emit(e, l->kids[i - 1], on_true, on_false);
		return on_true;
	case FLT_OR:
		for (uint32_t i = l->count; i; i--)
			on_false = emit(e, l->kids[i - 1], on_true, on_false);
		return on_false;
	default:
		break;
	}
	if (t->folds && !type_is_open(e->type))
		return flt_types_has(&t->types, e->type) ? on_true : on_false;
	if (on_true == on_false && !t->stateful)
		return on_true;
	step.test = t->id;
	buf_add(&e->p->steps, &step, sizeof(step));
	return step_count(e->p) - 1;
}

static void add_folding(const struct flt_logic *l, unsigned type, struct buf *key)
{
	if (l->test && l->test->folds)
		buf_char(key, flt_types_has(&l->test->types, type) ? '1' : '0');
	for (uint32_t i = 0; i < l->count; i++)
		add_folding(l->kids[i], type, key);
}

/* Emit condition @c for each type, once for types that agree on its folded tests. */
static int emit_condition(struct flt_program *p, uint32_t c, struct smap *versions, struct buf *key,
			  struct error *err)
{
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		uint32_t *start = &p->starts[(size_t)type * p->condition_count + c];
		const struct emitter e = {p, type};
		const uint32_t *same;
		struct sv kept;

		buf_reset(key);
		if (type_is_open(type))
			buf_char(key, '?');
		else
			add_folding(p->conditions[c], type, key);
		same = smap_get(versions, buf_view(key));
		if (same) {
			*start = *same;
			continue;
		}
		*start = emit(&e, p->conditions[c], FLT_STEP_TRUE, FLT_STEP_FALSE);
		kept = arena_sv(&p->arena, buf_view(key));
		if (key->failed || !kept.p || smap_put(versions, kept, start) < 0)
			return error_nomem(err);
	}
	return 0;
}

static int emit_conditions(struct flt_program *p, struct error *err)
{
	struct smap versions = {0};
	struct buf key = {0};
	int rc = 0;

	p->starts = calloc((size_t)EV_TYPE_COUNT * p->condition_count + 1, sizeof(*p->starts));
	if (!p->starts)
		return error_nomem(err);
	for (uint32_t c = 0; c < p->condition_count && rc == 0; c++) {
		smap_clear(&versions);
		rc = emit_condition(p, c, &versions, &key, err);
	}
	smap_done(&versions);
	buf_done(&key);
	return p->steps.failed ? error_nomem(err) : rc;
}

int flt_program_link(struct flt_program *p, struct error *err)
{
	int rc = number_tests(p, err);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < p->test_count; i++)
		p->tests[i]->folds = depends_on_type_only(p->tests[i]);
	rc = fold_tests(p, err);
	return rc < 0 ? rc : emit_conditions(p, err);
}
