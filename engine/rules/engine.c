/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled rules, indexed by event type, and matching one event against them. */
#include <stdlib.h>

#include "engine/rules/internal.h"
#include "engine/rules/select.h"

struct entry { /* a rule under one event type */
	const struct rule *rule;
	unsigned condition;
};

struct rule_engine {
	struct arena arena;
	struct flt_program *program;
	struct rule *rules; /* in definition order */
	size_t rule_count;
	enum rule_priority min_priority;
	struct entry *entries;		   /* by type, then in definition order */
	bool wanted[EV_TYPE_COUNT];	   /* has entries */
	uint32_t start[EV_TYPE_COUNT + 1]; /* entries of a type: [start[type], start[type + 1]) */
};

bool rule_engine_uses(const struct rule_engine *e, const struct rule *r)
{
	return r->enabled && r->types && r->priority <= e->min_priority;
}

static int make_index(struct rule_engine *e)
{
	size_t total = 0;
	uint32_t at = 0;

	for (size_t i = 0; i < e->rule_count; i++)
		if (rule_engine_uses(e, &e->rules[i]))
			total += flt_types_count(e->rules[i].types);
	e->entries = arena_zalloc(&e->arena, total, sizeof(*e->entries));
	if (!e->entries)
		return ERR_NOMEM;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		e->start[type] = at;
		for (size_t i = 0; i < e->rule_count; i++) {
			const struct rule *r = &e->rules[i];

			if (rule_engine_uses(e, r) && flt_types_has(r->types, type))
				e->entries[at++] = (struct entry){r, r->condition_id};
		}
		e->wanted[type] = at != e->start[type];
	}
	e->start[EV_TYPE_COUNT] = at;
	return 0;
}

/* What was compiled for the last file's verdict, or the same once more for another engine. */
static int compile(struct rule_engine *e, struct rule_loader *l, struct error *err)
{
	struct arena messages = {0};
	struct rule_verdict v = {.arena = &messages};
	int rc = l->compiled.program ? 0 : rule_compile(l, &v, &l->compiled);

	if (rc == ERR_RULES)
		rule_verdict_error(&v, err);
	arena_done(&messages);
	if (rc)
		return rc;
	e->arena = l->compiled.arena;
	e->program = l->compiled.program;
	e->rules = l->compiled.rules;
	e->rule_count = l->compiled.count;
	l->compiled = (struct rule_compiled){0};
	return 0;
}

int rule_engine_new(struct rule_loader *l, const struct rule_select *select, size_t select_count,
		    struct rule_engine **out, struct error *err)
{
	struct rule_engine *e;
	int rc;

	rc = rule_loader_check_plugins(l, err);
	if (rc)
		return rc;
	if (!l->last_ok)
		return error_set(err, ERR_RULES, "the last rule file did not load");
	e = calloc(1, sizeof(*e));
	if (!e)
		return error_nomem(err);
	rc = compile(e, l, err);
	for (size_t i = 0; rc == 0 && i < e->rule_count; i++)
		for (size_t k = 0; k < select_count; k++)
			rule_select_apply(&e->rules[i], &select[k]);
	e->min_priority = l->opt.min_priority;
	if (rc == 0)
		rc = make_index(e);
	if (rc) {
		rule_engine_free(e);
		return rc == ERR_NOMEM ? error_nomem(err) : rc;
	}
	*out = e;
	return 0;
}

void rule_engine_free(struct rule_engine *e)
{
	if (!e)
		return;
	flt_program_free(e->program);
	arena_done(&e->arena);
	free(e);
}

struct flt_program *rule_engine_program(struct rule_engine *e)
{
	return e->program;
}

/* Tell the program which conditions each type has, so that it can look at them together. */
static int make_batches(struct rule_engine *e, struct error *err)
{
	unsigned *conditions = arena_zalloc(&e->arena, e->rule_count, sizeof(*conditions));
	int rc = conditions ? 0 : error_nomem(err);

	for (unsigned type = 0; type < EV_TYPE_COUNT && rc == 0; type++) {
		size_t n = 0;

		for (uint32_t i = e->start[type]; i < e->start[type + 1]; i++)
			conditions[n++] = e->entries[i].condition;
		rc = flt_program_batch(e->program, type, conditions, n, err);
	}
	return rc;
}

int rule_engine_seal(struct rule_engine *e, struct error *err)
{
	int rc = make_batches(e, err);

	return rc < 0 ? rc : flt_program_seal(e->program, err);
}

const struct rule *rule_engine_rules(const struct rule_engine *e, size_t *count)
{
	*count = e->rule_count;
	return e->rules;
}

bool rule_engine_wants(const struct rule_engine *e, unsigned type)
{
	return type < EV_TYPE_COUNT && e->wanted[type];
}

size_t rule_engine_count(const struct rule_engine *e, unsigned type)
{
	return type < EV_TYPE_COUNT ? e->start[type + 1] - e->start[type] : 0;
}

const struct rule *rule_engine_at(const struct rule_engine *e, unsigned type, size_t i)
{
	return e->entries[e->start[type] + i].rule;
}

bool rule_engine_may_match(const struct rule_engine *e, struct flt_ctx *cx, unsigned type,
			   struct state_thread *t)
{
	return rule_engine_wants(e, type) && flt_may_match(cx, type, t);
}

bool rule_engine_looks_at_thread(const struct rule_engine *e, unsigned type)
{
	return rule_engine_wants(e, type) && flt_program_has_gate(e->program, type);
}

size_t rule_engine_match(const struct rule_engine *e, struct flt_ctx *cx, bool all,
			 const struct rule **hits, size_t max)
{
	unsigned type = flt_ctx_type(cx);
	const unsigned *positions;
	size_t count;

	if (UNLIKELY(type >= EV_TYPE_COUNT))
		return 0;
	count = flt_match_batch(cx, all, &positions);
	for (size_t i = 0; i < count && i < max; i++)
		hits[i] = e->entries[e->start[type] + positions[i]].rule;
	return count;
}
