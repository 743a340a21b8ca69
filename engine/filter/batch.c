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

#define GATE_DEPTH_MAX	16 /* gates within gates */
#define GATES_MAX	64 /* side by side */
#define WEIGHT_POSITIVE 4  /* "x = y" decides more often than "x != y" */

struct part { /* one of the things that must all hold for a condition */
	const struct flt_logic *logic;
	bool negated;
};

struct member { /* a condition in a batch */
	uint32_t position;
	uint32_t count;
	struct part **parts; /* cheap ones first */
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
	uint32_t *wanted;   /* by test: how many members want it to be true [0] or false [1] */
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

/* Add what must hold for @l, or its negation. False: it cannot hold for events of the type. */
static bool collect_parts(struct batcher *b, struct member *m, const struct flt_logic *l,
			  bool negated)
{
	struct part *part;

	while (l->kind == FLT_NOT) {
		l = l->kids[0];
		negated = !negated;
	}
	if (l->kind == (negated ? FLT_OR : FLT_AND)) {
		for (uint32_t i = 0; i < l->count; i++)
			if (!collect_parts(b, m, l->by_cost[i], negated))
				return false;
		return true;
	}
	if (l->kind == FLT_CHECK && flt_emit_verdict(&b->emitter, l->test))
		return (flt_emit_verdict(&b->emitter, l->test) > 0) != negated;
	part = arena_alloc(&b->arena, sizeof(*part));
	if (part)
		*part = (struct part){l, negated};
	return add_pointer(b, &m->parts, &m->count, part);
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
		if (collect_parts(b, m, b->emitter.program->conditions[batch->conditions[i]],
				  false))
			add_pointer(b, &out->members, &out->count, m);
	}
}

/* --- choosing gates --- */

/* The test a part consists of, unless its result is known already. */
static const struct flt_test *open_test(const struct batcher *b, const struct part *part)
{
	const struct flt_test *t = part->logic->test;

	return t && !flt_emit_verdict(&b->emitter, t) ? t : NULL;
}

static uint32_t *wanted(struct batcher *b, const struct flt_test *t, bool negated)
{
	return &b->wanted[2 * (size_t)t->id + negated];
}

static bool needs(const struct batcher *b, const struct member *m, const struct group *gate)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (open_test(b, m->parts[i]) == gate->test &&
		    m->parts[i]->negated == gate->negated)
			return true;
	return false;
}

static uint32_t score(uint32_t members, const struct flt_test *t, bool negated)
{
	bool positive = (t->op == FLT_OP_NE) == negated;

	return members < 2 ? 0 : (members - 1) * (positive ? WEIGHT_POSITIVE : 1);
}

/* The gate that saves most; without test if no two members share one. */
static struct group best_gate(struct batcher *b, const struct group *g)
{
	struct group best = {.test = NULL};
	uint32_t most = 0;

	for (uint32_t i = 0; i < g->count; i++) {
		const struct member *m = g->members[i];

		for (uint32_t k = 0; k < m->count; k++) {
			const struct flt_test *t = open_test(b, m->parts[k]);
			bool negated = m->parts[k]->negated;
			uint32_t points;

			if (!t)
				continue;
			points = score(++*wanted(b, t, negated), t, negated);
			if (points > most) {
				most = points;
				best = (struct group){.test = t, .negated = negated};
			}
		}
	}
	for (uint32_t i = 0; i < g->count; i++)
		for (uint32_t k = 0; k < g->members[i]->count; k++)
			if (g->members[i]->parts[k]->logic->test)
				*wanted(b, g->members[i]->parts[k]->logic->test,
					g->members[i]->parts[k]->negated) = 0;
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
		at = flt_emit(&b->emitter, m->parts[i - 1]->logic, m->parts[i - 1]->negated, at,
			      next);
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
		flt_emit_key(p->conditions[batch->conditions[i]], type, key);
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
			batch->in_order |= p->conditions[batch->conditions[i]]->stateful;
		if (batch->in_order)
			continue;
		batch_key(p, batch, type, key);
		same = smap_get(versions, buf_view(key));
		if (same) {
			batch->start = same->start;
			continue;
		}
		b->emitter.type = type;
		batch->start = emit_batch(b, batch);
		kept = arena_sv(&p->arena, buf_view(key));
		if (b->failed || key->failed || !kept.p || smap_put(versions, kept, batch) < 0)
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

	b.emitter.known = calloc(p->test_count + 1, sizeof(*b.emitter.known));
	b.wanted = calloc(2 * (size_t)p->test_count + 1, sizeof(*b.wanted));
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
