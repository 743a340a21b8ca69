/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches: the conditions looked at for one event type, as one piece of steps. Most of them begin
 * with something that others want, too ("a file was opened for writing"). A test that several
 * conditions need becomes a gate: it is run once, and if it fails none of them is looked at.
 * Inside, its result is known.
 */
#include "engine/filter/program.h"

#include <stdlib.h>

#include "engine/filter/grow.h"

#define GATE_DEPTH_MAX 16 /* gates within gates */
#define GATES_MAX      64 /* side by side */

struct member { /* a condition in a batch */
	uint32_t position;
	uint32_t count;
	struct flt_plan **parts; /* what must all hold; best first */
};

struct group { /* members behind a gate; without test: those without one */
	const struct flt_test *test;
	bool negated;
	struct member **members;
	uint32_t count;
};

struct batcher {
	struct flt_emitter emitter;
	struct arena arena; /* of the batch being emitted */
	uint32_t *wanted;   /* by test: how many members want it to be true [0] or false
			       [1] */
	bool failed;	    /* out of memory */
};

/* --- what conditions need --- */

static bool add_pointer(struct batcher *b, void *items, uint32_t *count, void *item)
{
	void **array;

	if (!item || !grow_pointers(&b->arena, items, *count)) {
		b->failed = true;
		return false;
	}
	memcpy(&array, items, sizeof(array));
	array[(*count)++] = item;
	return true;
}

/* The only alternative that is left for events of the type; NULL: there are more. */
static struct flt_plan *only_alternative(const struct batcher *b, const struct flt_plan *plan)
{
	struct flt_plan *only = NULL;

	for (uint32_t i = 0; i < plan->count; i++) {
		if (flt_emit_verdict(&b->emitter, plan->kids[i]))
			continue;
		if (only)
			return NULL;
		only = plan->kids[i];
	}
	return only;
}

/* Add what must hold for @plan. False: it cannot hold for events of the type. */
static bool collect_parts(struct batcher *b, struct member *m, struct flt_plan *plan)
{
	int verdict = flt_emit_verdict(&b->emitter, plan);
	struct flt_plan *only;

	if (verdict)
		return verdict > 0;
	if (plan->kind == FLT_AND) {
		for (uint32_t i = 0; i < plan->count; i++)
			if (!collect_parts(b, m, plan->kids[i]))
				return false;
		return true;
	}
	only = plan->kind == FLT_OR ? only_alternative(b, plan) : NULL;
	if (only)
		return collect_parts(b, m, only);
	return add_pointer(b, &m->parts, &m->count, plan);
}

static void collect_members(struct batcher *b, const struct flt_batch *batch, struct group *out)
{
	for (uint32_t i = 0; i < batch->count && !b->failed; i++) {
		struct member *m = arena_zalloc(&b->arena, 1, sizeof(*m));

		if (!m) {
			b->failed = true;
			return;
		}
		m->position = i;
		if (collect_parts(b, m, b->emitter.program->plans[batch->conditions[i]])) {
			flt_plan_sort(FLT_AND, m->parts, m->count);
			add_pointer(b, &out->members, &out->count, m);
		}
	}
}

/* --- choosing gates --- */

/* The test a part consists of, unless its result is known already. */
static const struct flt_test *open_test(const struct batcher *b, const struct flt_plan *part)
{
	const struct flt_test *t = part->test;

	return t && !flt_emit_verdict(&b->emitter, part) ? t : NULL;
}

static uint32_t *wanted(struct batcher *b, const struct flt_plan *part)
{
	return &b->wanted[2 * (size_t)part->test->id + part->negated];
}

static bool needs(const struct batcher *b, const struct member *m, const struct group *gate)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (open_test(b, m->parts[i]) == gate->test &&
		    m->parts[i]->negated == gate->negated)
			return true;
	return false;
}

/*
 * What is saved: members that need not be looked at if the gate fails, which it does presumably.
 */
static float score(uint32_t members, const struct flt_plan *part)
{
	return (float)(members - 1) * (1 - part->truth) / part->cost;
}

/* The gate that saves most; without test if no two members share one. */
static struct group best_gate(struct batcher *b, const struct group *g)
{
	struct group best = {.test = NULL};
	float most = 0;

	for (uint32_t i = 0; i < g->count; i++) {
		const struct member *m = g->members[i];

		for (uint32_t k = 0; k < m->count; k++) {
			const struct flt_plan *part = m->parts[k];
			float saved;

			if (!open_test(b, part))
				continue;
			saved = score(++*wanted(b, part), part);
			if (saved > most) {
				most = saved;
				best = (struct group){.test = part->test, .negated = part->negated};
			}
		}
	}
	for (uint32_t i = 0; i < g->count; i++)
		for (uint32_t k = 0; k < g->members[i]->count; k++)
			if (g->members[i]->parts[k]->test)
				*wanted(b, g->members[i]->parts[k]) = 0;
	return best;
}

/* Move the members of @g that need the gate into @gate. */
static void split(struct batcher *b, struct group *g, struct group *gate)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < g->count; i++) {
		if (needs(b, g->members[i], gate))
			add_pointer(b, &gate->members, &gate->count, g->members[i]);
		else
			g->members[kept++] = g->members[i];
	}
	g->count = kept;
}

/* --- emitting --- */

static uint32_t emit_member(struct batcher *b, const struct member *m, uint32_t next)
{
	struct flt_program *p = b->emitter.program;
	struct flt_hit hit = {.position = m->position, .next = next};
	uint32_t at = FLT_STEP_END + (uint32_t)(p->hits.len / sizeof(hit));

	buf_add(&p->hits, &hit, sizeof(hit));
	for (uint32_t i = m->count; i; i--)
		at = flt_emit(&b->emitter, m->parts[i - 1], at, next);
	return at;
}

/* Return: where the steps for the members of @g start, which all end at @next. */
static uint32_t emit_group(struct batcher *b, struct group *g, unsigned depth, uint32_t next)
{
	struct group gates[GATES_MAX];
	unsigned n = 0;

	while (n < GATES_MAX && depth < GATE_DEPTH_MAX && !b->failed) {
		gates[n] = best_gate(b, g);
		if (!gates[n].test)
			break;
		split(b, g, &gates[n++]);
	}
	for (uint32_t i = g->count; i; i--)
		next = emit_member(b, g->members[i - 1], next);
	while (n) {
		struct group *gate = &gates[--n];
		uint32_t inside;

		b->emitter.known[gate->test->id] = gate->negated ? -1 : 1;
		inside = emit_group(b, gate, depth + 1, next);
		b->emitter.known[gate->test->id] = 0;
		next = flt_emit_test(&b->emitter, gate->test, gate->negated ? next : inside,
				     gate->negated ? inside : next);
	}
	return next;
}

static uint32_t emit_batch(struct batcher *b, const struct flt_batch *batch)
{
	struct group all = {.test = NULL};

	arena_reset(&b->arena);
	collect_members(b, batch, &all);
	return emit_group(b, &all, 0, FLT_STEP_DONE);
}

/* Equal keys, equal steps: most types have the same few conditions. */
static void batch_key(const struct flt_program *p, const struct flt_batch *batch, unsigned type,
		      struct buf *key)
{
	buf_reset(key);
	for (uint32_t i = 0; i < batch->count; i++) {
		buf_u64(key, batch->conditions[i]);
		flt_emit_key(p, batch->conditions[i], type, key);
		buf_char(key, ' ');
	}
}

static int emit_batches(struct batcher *b, struct smap *versions, struct buf *key,
			struct error *err)
{
	struct flt_program *p = b->emitter.program;

	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		struct flt_batch *batch = &p->batches[type];
		const struct flt_batch *same;
		struct sv kept;

		for (uint32_t i = 0; i < batch->count; i++)
			batch->in_order |= p->plans[batch->conditions[i]]->stateful;
		if (batch->in_order)
			continue;
		batch_key(p, batch, type, key);
		if (key->failed)
			return error_nomem(err);
		same = smap_get(versions, buf_view(key));
		if (same) {
			batch->start = same->start;
			continue;
		}
		b->emitter.type = type;
		batch->start = emit_batch(b, batch);
		if (flt_emit_check_size(p, err) < 0)
			return ERR_LIMIT;
		kept = arena_sv(&p->arena, buf_view(key));
		if (b->failed || !kept.p || smap_put(versions, kept, batch) < 0)
			return error_nomem(err);
	}
	return 0;
}

int flt_emit_batches(struct flt_program *p, struct error *err)
{
	struct batcher b = {.emitter = {.program = p}};
	struct smap versions = {0};
	struct buf key = {0};
	int rc;

	b.emitter.known = calloc(p->numbered_count + 1, sizeof(*b.emitter.known));
	b.wanted = calloc(2 * (size_t)p->numbered_count + 1, sizeof(*b.wanted));
	if (b.emitter.known && b.wanted)
		rc = emit_batches(&b, &versions, &key, err);
	else
		rc = error_nomem(err);
	free(b.emitter.known);
	free(b.wanted);
	arena_done(&b.arena);
	smap_done(&versions);
	buf_done(&key);
	return rc == 0 && (p->steps.failed || p->hits.failed) ? error_nomem(err) : rc;
}
