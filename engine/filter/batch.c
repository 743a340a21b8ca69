/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches: the conditions looked at for one event type. Most of them need what others need, too ("a
 * file was opened for writing"), or a name that begins in a certain way. Before any condition is
 * evaluated, such tests and the screens of fields (screen.c) rule out many at once; those that are
 * left are evaluated one by one. Which ones are used is a matter of time, never of results.
 */
#include "engine/filter/program.h"

#include <stdlib.h>

#include "engine/filter/grow.h"

#define SIEVES_MAX     32   /* in a batch */
#define SCREENINGS_MAX 16   /* sets of fields in a batch */
#define SCREEN_COST    5.0f /* in units of flt_plan.cost */
#define WORTH_MIN      0.1f /* how many conditions a sieve rules out, presumably */
#define GATE_OPEN_MAX  0.5f /* how often a gate is open, at most */

struct part { /* what must hold for a member */
	struct flt_plan *plan;
	struct flt_screened screened; /* it does not, unless the screens say that it may */
};

struct member { /* a condition in a batch */
	uint32_t index, count;
	struct part **parts;
	float left; /* how likely it is not ruled out by then */
};

struct weight {	     /* of what a sieve would do */
	float saved; /* how many members it would rule out */
	uint32_t members;
};

struct batcher {
	struct flt_emitter emitter;
	struct arena arena; /* of the batch being prepared */
	struct member **members;
	uint32_t count;
	struct weight *by_test;
	struct { /* sieves by screens that may be made */
		struct flt_screened screened;
		struct weight weight;
	} by_screens[SCREENINGS_MAX];
	uint32_t screenings;
	struct flt_gate *gate;
	bool failed; /* out of memory */
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

/* Is @plan known not to hold if all those screens say so? False: there is no room for them. */
static bool add_screens(struct flt_screened *to, const struct flt_screened *from)
{
	for (uint32_t i = 0; i < from->count; i++) {
		uint32_t at = 0;

		while (at < to->count && to->fields[at]->id < from->fields[i]->id)
			at++;
		if (at < to->count && to->fields[at] == from->fields[i]) {
			to->bits[at] |= from->bits[i];
			continue;
		}
		if (to->count == FLT_SCREENED_MAX)
			return false;
		for (uint32_t k = to->count++; k > at; k--) {
			to->fields[k] = to->fields[k - 1];
			to->bits[k] = to->bits[k - 1];
		}
		to->fields[at] = from->fields[i];
		to->bits[at] = from->bits[i];
	}
	return true;
}

/*
 * Find screens that tell when @plan cannot hold: of an "or" all alternatives must have some, of an
 * "and" any. False: there are none.
 */
static bool find_screens(const struct batcher *b, const struct flt_plan *plan,
			 struct flt_screened *out)
{
	*out = (struct flt_screened){0};
	if (plan->kind == FLT_CHECK) {
		if (plan->negated || !plan->test->screen_bit)
			return false;
		out->count = 1;
		out->fields[0] = plan->test->left->field;
		out->bits[0] = plan->test->screen_bit;
		return true;
	}
	for (uint32_t i = 0; i < plan->count; i++) {
		struct flt_screened of_kid;
		bool found;

		if (flt_emit_verdict(&b->emitter, plan->kids[i]))
			continue;
		found = find_screens(b, plan->kids[i], &of_kid);
		if (plan->kind == FLT_AND && found) {
			*out = of_kid;
			return true;
		}
		if (plan->kind == FLT_OR && (!found || !add_screens(out, &of_kid)))
			return false;
	}
	return out->count;
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

static bool add_part(struct batcher *b, struct member *m, struct flt_plan *plan)
{
	struct part *part = arena_zalloc(&b->arena, 1, sizeof(*part));

	if (!add_pointer(b, &m->parts, &m->count, part))
		return false;
	part->plan = plan;
	if (!find_screens(b, plan, &part->screened))
		part->screened.count = 0;
	return true;
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
	return only ? collect_parts(b, m, only) : add_part(b, m, plan);
}

static void collect_members(struct batcher *b, const unsigned *conditions, uint32_t count)
{
	b->members = NULL;
	b->count = 0;
	for (uint32_t i = 0; i < count && !b->failed; i++) {
		struct member *m = arena_zalloc(&b->arena, 1, sizeof(*m));

		if (!m) {
			b->failed = true;
			return;
		}
		m->index = i;
		m->left = 1;
		if (collect_parts(b, m, b->emitter.program->plans[conditions[i]]))
			add_pointer(b, &b->members, &b->count, m);
	}
}

/* --- gates --- */

/*
 * Add tests on the thread to @bits such that @plan does not hold if none of them does. Return: how
 * often one does, presumably; 1 if there are no such tests.
 */
static float add_thread_tests(const struct batcher *b, const struct flt_plan *plan, uint64_t *bits)
{
	float truth = 0;

	if (plan->kind == FLT_AND)
		return 1; /* one within an "or": rare */
	if (plan->kind == FLT_CHECK) {
		uint32_t id = plan->test->id;

		if (plan->negated || id >= b->emitter.program->thread_tests)
			return 1;
		bits[id / 64] |= 1ull << id % 64;
		return plan->truth;
	}
	for (uint32_t i = 0; i < plan->count; i++)
		if (!flt_emit_verdict(&b->emitter, plan->kids[i]))
			truth += add_thread_tests(b, plan->kids[i], bits);
	return truth;
}

/* The same for what @m needs, by the part that holds least often. */
static float add_member(const struct batcher *b, const struct member *m, uint64_t *bits,
			uint64_t *scratch, size_t words)
{
	const struct flt_plan *best = NULL;
	float least = 1;

	for (uint32_t i = 0; i < m->count; i++) {
		float truth = add_thread_tests(b, m->parts[i]->plan, scratch);

		if (truth < least) {
			least = truth;
			best = m->parts[i]->plan;
		}
	}
	memset(scratch, 0, words * sizeof(*scratch));
	return best ? add_thread_tests(b, best, bits) : 1;
}

static struct flt_gate *gate_of(struct batcher *b, const uint64_t *bits, size_t words)
{
	struct flt_gate *g;
	uint32_t n = 0;

	for (size_t i = 0; i < words; i++)
		n += bits[i] != 0;
	g = arena_alloc(&b->emitter.program->arena, sizeof(*g) + n * sizeof(g->tests[0]));
	if (!g) {
		b->failed = true;
		return NULL;
	}
	g->count = 0;
	for (uint32_t i = 0; i < words; i++) {
		if (!bits[i])
			continue;
		g->tests[g->count].word = i;
		g->tests[g->count++].bits = bits[i];
	}
	return g;
}

/* A gate that is open most of the time costs more than it saves. */
static struct flt_gate *make_gate(struct batcher *b)
{
	size_t words = b->emitter.program->thread_tests / 64 + 1;
	uint64_t *bits = arena_zalloc(&b->arena, 2 * words, sizeof(*bits));
	float open = 0;

	b->failed |= !bits;
	for (uint32_t i = 0; i < b->count && open < GATE_OPEN_MAX && !b->failed; i++)
		open += add_member(b, b->members[i], bits, bits + words, words);
	return open < GATE_OPEN_MAX && !b->failed ? gate_of(b, bits, words) : NULL;
}

/* --- choosing sieves --- */

static bool is_test(const struct part *part)
{
	return part->plan->kind == FLT_CHECK;
}

static bool has_same_fields(const struct flt_screened *a, const struct flt_screened *b)
{
	return a->count == b->count &&
	       memcmp(a->fields, b->fields, a->count * sizeof(*a->fields)) == 0;
}

/* Where the weight of a sieve for @part is; NULL: there is no such sieve. */
static struct weight *weight_of(struct batcher *b, const struct part *part)
{
	uint32_t at = 0;

	if (!part->screened.count)
		return is_test(part) ? &b->by_test[part->plan->test->id] : NULL;
	while (at < b->screenings && !has_same_fields(&b->by_screens[at].screened, &part->screened))
		at++;
	if (at == SCREENINGS_MAX)
		return NULL;
	if (at == b->screenings)
		b->by_screens[b->screenings++].screened = part->screened;
	return &b->by_screens[at].weight;
}

static void weigh(struct batcher *b)
{
	memset(b->by_test, 0, b->emitter.program->numbered_count * sizeof(*b->by_test));
	for (uint32_t i = 0; i < SCREENINGS_MAX; i++)
		b->by_screens[i].weight = (struct weight){0};
	for (uint32_t i = 0; i < b->count; i++) {
		const struct member *m = b->members[i];

		for (uint32_t k = 0; k < m->count; k++) {
			struct weight *w = weight_of(b, m->parts[k]);

			if (!w)
				continue;
			w->saved += m->left * (1 - m->parts[k]->plan->truth);
			w->members++;
		}
	}
}

/* Choose what rules out most for its cost; NULL: nothing is worth it. */
static const struct part *best_part(struct batcher *b)
{
	const struct part *best = NULL;
	float most = 0;

	weigh(b);
	for (uint32_t i = 0; i < b->count; i++) {
		for (uint32_t k = 0; k < b->members[i]->count; k++) {
			const struct part *part = b->members[i]->parts[k];
			const struct weight *w = weight_of(b, part);
			float cost = part->plan->cost;

			if (part->screened.count)
				cost = SCREEN_COST * (float)part->screened.count;
			if (!w || w->members < 2 || w->saved < WORTH_MIN || w->saved / cost <= most)
				continue;
			most = w->saved / cost;
			best = part;
		}
	}
	return best;
}

/* @m needs @part: take note in @s of what rules it out. */
static void apply_test(struct flt_sieve *s, struct member *m, const struct part *part)
{
	uint64_t bit = 1ull << m->index;

	s->affected |= bit;
	if (part->plan->negated)
		s->if_true &= ~bit;
	else
		s->if_false &= ~bit;
	m->left *= part->plan->truth;
}

static void apply_screens(struct flt_sieve *s, struct member *m, const struct part *part)
{
	s->affected |= 1ull << m->index;
	for (uint32_t i = 0; i < part->screened.count; i++) {
		s->screened.bits[i] |= part->screened.bits[i];
		for (uint64_t bits = part->screened.bits[i]; bits; bits &= bits - 1)
			s->rows[i][__builtin_ctzll(bits)] |= 1ull << m->index;
	}
	m->left *= part->plan->truth;
}

/* Does the sieve for @chosen rule out members with @part? */
static bool serves(const struct part *chosen, const struct part *part)
{
	if (chosen->screened.count)
		return has_same_fields(&chosen->screened, &part->screened);
	return !part->screened.count && is_test(part) && part->plan->test == chosen->plan->test;
}

/*
 * Let members that have parts like @chosen be ruled out by it. For those that are not, a test is
 * known to hold, while screens only say that a part may.
 */
static void apply(struct batcher *b, struct flt_sieve *s, const struct part *chosen)
{
	for (uint32_t i = 0; i < b->count; i++) {
		struct member *m = b->members[i];

		for (uint32_t k = 0; k < m->count; k++) {
			struct part *part = m->parts[k];

			if (!serves(chosen, part))
				continue;
			if (part->screened.count) {
				apply_screens(s, m, part);
				part->screened.count = 0;
				break; /* another would need rows of its own */
			}
			apply_test(s, m, part);
			m->parts[k--] = m->parts[--m->count];
		}
	}
}

static void add_sieve(struct batcher *b, struct flt_batch *batch, const struct part *chosen)
{
	struct flt_sieve *s = &batch->sieves[batch->sieve_count++];
	struct part copy = *chosen; /* which changes when it is applied */

	s->if_true = s->if_false = UINT64_MAX;
	s->test = copy.plan->test ? copy.plan->test->id : 0;
	s->screened = copy.screened;
	for (uint32_t i = 0; i < copy.screened.count; i++)
		copy.screened.fields[i]->screen->used = true;
	memset(s->screened.bits, 0, sizeof(s->screened.bits));
	s->rows = arena_zalloc(&b->emitter.program->arena, copy.screened.count, sizeof(*s->rows));
	if (s->rows)
		apply(b, s, &copy);
	else
		b->failed = true;
}

/* Steps for what is left to be looked at of @m. */
static uint32_t emit_rest(struct batcher *b, const struct member *m)
{
	struct flt_plan **plans = arena_zalloc(&b->arena, m->count, sizeof(struct flt_plan *));
	uint32_t at = FLT_STEP_TRUE;

	if (!plans) {
		b->failed = true;
		return at;
	}
	for (uint32_t i = 0; i < m->count; i++)
		plans[i] = m->parts[i]->plan;
	flt_plan_sort(FLT_AND, plans, m->count);
	for (uint32_t i = m->count; i; i--)
		at = flt_emit(&b->emitter, plans[i - 1], at, FLT_STEP_FALSE);
	return at;
}

static void prepare_batch(struct batcher *b, struct flt_batch *batch, const unsigned *conditions,
			  uint32_t count)
{
	struct arena *arena = &b->emitter.program->arena;
	const struct part *chosen;

	arena_reset(&b->arena);
	b->screenings = 0;
	collect_members(b, conditions, count);
	b->gate = make_gate(b);
	batch->starts = arena_zalloc(arena, count, sizeof(*batch->starts));
	batch->sieves = arena_zalloc(arena, SIEVES_MAX, sizeof(*batch->sieves));
	b->failed |= !batch->starts || !batch->sieves;
	while (!b->failed && batch->sieve_count < SIEVES_MAX && (chosen = best_part(b)))
		add_sieve(b, batch, chosen);
	for (uint32_t i = 0; i < b->count && !b->failed; i++) {
		batch->all |= 1ull << b->members[i]->index;
		batch->starts[b->members[i]->index] = emit_rest(b, b->members[i]);
	}
}

static void prepare_agenda(struct batcher *b, struct flt_agenda *agenda)
{
	agenda->batch_count = (agenda->count + FLT_BATCH_MAX - 1) / FLT_BATCH_MAX;
	agenda->batches =
	    arena_zalloc(&b->emitter.program->arena, agenda->batch_count, sizeof(*agenda->batches));
	b->failed |= !agenda->batches;
	for (uint32_t i = 0; i < agenda->batch_count && !b->failed; i++) {
		uint32_t first = i * FLT_BATCH_MAX, rest = agenda->count - first;

		agenda->batches[i].first = first;
		prepare_batch(b, &agenda->batches[i], agenda->conditions + first,
			      rest < FLT_BATCH_MAX ? rest : FLT_BATCH_MAX);
		if (agenda->batch_count == 1)
			agenda->gate = b->gate;
	}
}

/* --- all types --- */

/* Equal keys, equal batches: most types have the same few conditions. */
static void agenda_key(const struct flt_program *p, const struct flt_agenda *agenda, unsigned type,
		       struct buf *key)
{
	buf_reset(key);
	buf_u64(key, p->like[type]);
	buf_char(key, ' ');
	buf_add(key, agenda->conditions, agenda->count * sizeof(*agenda->conditions));
}

static int prepare_agendas(struct batcher *b, struct smap *versions, struct buf *key,
			   struct error *err)
{
	struct flt_program *p = b->emitter.program;

	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		struct flt_agenda *agenda = &p->agendas[type];
		const struct flt_agenda *same;
		struct sv kept;

		for (uint32_t i = 0; i < agenda->count; i++)
			agenda->in_order |= p->plans[agenda->conditions[i]]->stateful;
		if (agenda->in_order || !agenda->count)
			continue;
		agenda_key(p, agenda, type, key);
		if (key->failed)
			return error_nomem(err);
		same = smap_get(versions, buf_view(key));
		if (same) {
			agenda->gate = same->gate;
			agenda->batches = same->batches;
			agenda->batch_count = same->batch_count;
			continue;
		}
		b->emitter.type = type;
		prepare_agenda(b, agenda);
		if (flt_emit_check_size(p, err) < 0)
			return ERR_LIMIT;
		kept = arena_sv(&p->arena, buf_view(key));
		if (b->failed || !kept.p || smap_put(versions, kept, agenda) < 0)
			return error_nomem(err);
	}
	return 0;
}

int flt_prepare_batches(struct flt_program *p, struct error *err)
{
	struct batcher b = {.emitter = {.program = p}};
	struct smap versions = {0};
	struct buf key = {0};
	int rc;

	b.by_test = calloc((size_t)p->numbered_count + 1, sizeof(*b.by_test));
	if (b.by_test)
		rc = prepare_agendas(&b, &versions, &key, err);
	else
		rc = error_nomem(err);
	free(b.by_test);
	arena_done(&b.arena);
	smap_done(&versions);
	buf_done(&key);
	return rc == 0 && p->steps.failed ? error_nomem(err) : rc;
}
