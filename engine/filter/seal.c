/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing: conditions become plans (plan.c), the tests these use get numbers, those that the
 * event's type decides are answered for each type, and the rest becomes steps (emit.c, batch.c).
 */
#include "engine/filter/program.h"

#include <stdlib.h>

/* --- what is known beforehand --- */

/* What has to be known of an event to know a test's result. */
enum need {
	NEEDS_NOTHING,
	NEEDS_TYPE,
	NEEDS_NAME, /* the type's name, unless its events have names of their own */
	NEEDS_EVENT,
};

static bool is_field(const struct flt_test *t, const char *name)
{
	return t->left->kind == FLT_OPERAND_FIELD && strcmp(t->left->field->info->name, name) == 0;
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

static enum need need_of(const struct flt_test *t)
{
	if (t->stateful || t->run == flt_is_around)
		return NEEDS_EVENT;
	if (holds_for_all_numbers(t))
		return NEEDS_NOTHING;
	/* Transformers may run out of memory; that must not decide anything for good. */
	if (t->flags & FLT_FIELD_TYPE_ONLY && t->left->kind == FLT_OPERAND_FIELD && !t->right)
		return NEEDS_TYPE;
	if (!t->right && (is_field(t, "evt.type") || is_field(t, "syscall.type")))
		return NEEDS_NAME;
	return NEEDS_EVENT;
}

/* Without the field on the left, a test fails. */
static void decide_by_absence(struct flt_test *t)
{
	struct flt_types absent;

	if (t->left->kind != FLT_OPERAND_FIELD || t->stateful || t->run == flt_is_around)
		return;
	absent = flt_field_absent(t->left->field);
	for (size_t i = 0; i < COUNT_OF(absent.bits); i++)
		t->decided.bits[i] |= absent.bits[i];
}

/* Run @t on a bare event of each type that decides it. */
static void decide_test(struct flt_ctx *cx, struct flt_test *t)
{
	enum need need = need_of(t);

	decide_by_absence(t);

	for (unsigned type = 0; type < EV_TYPE_COUNT && need != NEEDS_EVENT; type++) {
		struct ev ev = {.num = 1, .tid = -1, .type = (uint16_t)type};
		struct state_binding bind = {.ev = &ev};
		uint64_t bit = 1ull << type % 64;

		if (need == NEEDS_NAME && (type == EV_GENERIC_E || type == EV_GENERIC_X ||
					   type == EV_ASYNCEVENT_E || type == EV_ASYNCEVENT_X))
			continue;
		flt_ctx_event(cx, &bind);
		t->decided.bits[type / 64] |= bit;
		if (t->run(cx, t))
			t->yes.bits[type / 64] |= bit;
	}
}

static int decide_tests(struct flt_program *p, struct error *err)
{
	struct flt_ctx *cx;
	int rc = flt_ctx_make(p, NULL, &cx, err);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < p->numbered_count; i++)
		decide_test(cx, p->numbered[i]);
	flt_ctx_free(cx);
	return 0;
}

/* --- types of a kind --- */

/* By test, whether its result is known for a type, and which it is: a string of bits per type. */
static uint64_t *describe_types(struct flt_program *p, size_t words)
{
	uint64_t *rows = calloc(EV_TYPE_COUNT * words, sizeof(*rows));

	for (uint32_t i = 0; i < p->numbered_count && rows; i++) {
		const struct flt_test *t = p->numbered[i];

		for (size_t k = 0; k < COUNT_OF(t->decided.bits); k++) {
			for (uint64_t bits = t->decided.bits[k]; bits; bits &= bits - 1) {
				unsigned at = (unsigned)__builtin_ctzll(bits);
				uint64_t what = 1 + (t->yes.bits[k] >> at & 1);

				rows[(k * 64 + at) * words + i / 32] |= what << i % 32 * 2;
			}
		}
	}
	return rows;
}

/* Find for each type the first one for which the same is known. */
static int find_like(struct flt_program *p, struct error *err)
{
	size_t words = p->numbered_count / 32 + 1;
	uint64_t *rows = describe_types(p, words);
	struct smap known = {0};
	bool failed = !rows;

	for (unsigned type = 0; type < EV_TYPE_COUNT && !failed; type++) {
		struct sv row = sv_make(rows + type * words, words * sizeof(*rows));
		const unsigned *first = smap_get(&known, row);

		p->like[type] = first ? *first : type;
		failed = !first && smap_put(&known, row, &p->like[type]) < 0;
	}
	smap_done(&known);
	free(rows);
	return failed ? error_nomem(err) : 0;
}

/* --- numbers --- */

static bool is_thread_test(const struct flt_test *t)
{
	return t->flags & FLT_FIELD_PROCESS && !t->stateful;
}

static void mark_used(const struct flt_plan *plan)
{
	if (plan->test)
		plan->test->numbered = true;
	for (uint32_t i = 0; i < plan->count; i++)
		mark_used(plan->kids[i]);
}

/* Tests remembered per thread come first. */
static int number_tests(struct flt_program *p, struct error *err)
{
	uint32_t n = 0;

	p->numbered = arena_zalloc(&p->arena, p->test_count, sizeof(struct flt_test *));
	if (!p->numbered)
		return error_nomem(err);
	for (uint32_t i = 0; i < p->condition_count; i++)
		mark_used(p->plans[i]);
	for (uint32_t i = 0; i < p->test_count; i++)
		if (p->tests[i]->numbered && is_thread_test(p->tests[i]))
			p->numbered[n++] = p->tests[i];
	p->thread_tests = n;
	for (uint32_t i = 0; i < p->test_count; i++)
		if (p->tests[i]->numbered && !is_thread_test(p->tests[i]))
			p->numbered[n++] = p->tests[i];
	for (uint32_t i = 0; i < n; i++)
		p->numbered[i]->id = i;
	p->numbered_count = n;
	return 0;
}

static int plan_conditions(struct flt_program *p, struct error *err)
{
	int rc = 0;

	p->plans = arena_zalloc(&p->arena, p->condition_count, sizeof(struct flt_plan *));
	if (!p->plans)
		return error_nomem(err);
	for (uint32_t i = 0; i < p->condition_count && rc == 0; i++)
		rc = flt_plan_condition(p, p->conditions[i], &p->plans[i], err);
	return rc;
}

int flt_program_seal(struct flt_program *p, struct error *err)
{
	int rc = plan_conditions(p, err);

	if (rc == 0)
		rc = number_tests(p, err);
	if (rc == 0)
		rc = flt_make_screens(p, err);
	if (rc == 0)
		rc = decide_tests(p, err);
	if (rc == 0)
		rc = find_like(p, err);
	if (rc == 0)
		rc = flt_emit_conditions(p, err);
	if (rc == 0)
		rc = flt_prepare_batches(p, err);
	flt_drop_screens(p);
	p->sealed = rc == 0;
	return rc;
}
