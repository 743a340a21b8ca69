/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation: what is known about the current event, and running conditions over it. */
#include "engine/filter/program.h"

#include <stdlib.h>

#define THREAD_SLOTS_MAX 4096 /* a power of two */
#define THREAD_SLOTS_MIN 16
#define THREAD_MEMORY	 (8 << 20) /* bytes of slots, as long as there are more than the least */

/*
 * Results by test, valid if stored with the current epoch. Those of tests on process attributes
 * hold as long as the thread's record does not change: bits in a slot chosen by the record's
 * generation.
 */
struct flt_tests {
	uint64_t *results; /* epoch << 1 | result */
	uint64_t *slots;   /* each: key, known bits, result bits */
	size_t slot_count, slot_words, bit_words;
	uint64_t *slot; /* of the current event's thread; NULL: not looked up yet */
	unsigned *hits; /* positions in an agenda */
	struct ev bare; /* of which only type and thread are known */
	struct state_binding bare_bind;
	/* The program's: */
	uint32_t thread_tests;
	const struct flt_step *steps;
};

/* --- contexts --- */

static int make_tests(struct flt_ctx *cx, struct error *err)
{
	const struct flt_program *p = cx->program;
	struct flt_tests *tests = calloc(1, sizeof(*tests));

	cx->tests = tests;
	if (!tests)
		return error_nomem(err);
	tests->thread_tests = p->thread_tests;
	tests->steps = (const struct flt_step *)(const void *)p->steps.p;
	tests->bit_words = (p->thread_tests + 63) / 64;
	tests->slot_words = 1 + 2 * tests->bit_words;
	tests->results = calloc(p->numbered_count + 1, sizeof(*tests->results));
	tests->slot_count = THREAD_SLOTS_MAX;
	while (tests->slot_count > THREAD_SLOTS_MIN &&
	       tests->slot_count * tests->slot_words > THREAD_MEMORY / sizeof(*tests->slots))
		tests->slot_count /= 2;
	tests->slots = calloc(tests->slot_count * tests->slot_words, sizeof(*tests->slots));
	tests->hits = calloc((size_t)p->agenda_max + 1, sizeof(*tests->hits));
	if (!tests->results || !tests->slots || !tests->hits)
		return error_nomem(err);
	return 0;
}

int flt_ctx_make(const struct flt_program *p, const struct state *st, struct flt_ctx **out,
		 struct error *err)
{
	struct flt_ctx *cx = calloc(1, sizeof(*cx));
	int rc;

	if (!cx)
		return error_nomem(err);
	cx->program = p;
	cx->options = &p->options;
	cx->condition_options = &p->condition_options;
	cx->st = st;
	cx->memos = calloc(p->field_count + 1, sizeof(*cx->memos));
	cx->privates = calloc(p->field_count + 1, sizeof(*cx->privates));
	cx->naive_privates = calloc(p->field_count + 1, sizeof(*cx->naive_privates));
	rc = make_tests(cx, err);
	if (rc == 0 && (!cx->memos || !cx->privates || !cx->naive_privates))
		rc = error_nomem(err);
	if (rc < 0) {
		flt_ctx_free(cx);
		return rc;
	}
	*out = cx;
	return 0;
}

int flt_ctx_new(const struct flt_program *p, const struct state *st, struct flt_ctx **out,
		struct error *err)
{
	if (!p->sealed)
		return error_set(err, ERR_USAGE, "a context needs a sealed program");
	return flt_ctx_make(p, st, out, err);
}

void flt_ctx_free(struct flt_ctx *cx)
{
	if (!cx)
		return;
	if (cx->tests) {
		free(cx->tests->results);
		free(cx->tests->slots);
		free(cx->tests->hits);
		free(cx->tests);
	}
	free(cx->memos);
	free(cx->privates);
	free(cx->naive_privates);
	arena_done(&cx->scratch);
	arena_done(&cx->lasting);
	buf_done(&cx->text);
	free(cx);
}

/* --- the current event --- */

void flt_ctx_event(struct flt_ctx *cx, const struct state_binding *b)
{
	cx->bind = b;
	cx->ev = b->ev;
	cx->bound_thread = b->thread;
	cx->thread_known = b->thread != NULL;
	cx->bound_fd = b->fd;
	cx->fd_known = b->fd != NULL;
	cx->epoch++;
	cx->tests->slot = NULL;
	if (cx->scratch.used || cx->scratch.at != cx->scratch.first)
		arena_reset(&cx->scratch);
}

unsigned flt_ctx_type(const struct flt_ctx *cx)
{
	return cx->ev ? cx->ev->type : EV_TYPE_COUNT;
}

struct state_thread *flt_find_thread(struct flt_ctx *cx)
{
	cx->thread_known = true;
	cx->bound_thread = cx->st ? state_thread_find(cx->st, cx->ev->tid) : NULL;
	return cx->bound_thread;
}

struct state_fd *flt_find_fd(struct flt_ctx *cx)
{
	const unsigned on_fds = EF_CREATES_FD | EF_USES_FD | EF_DESTROYS_FD;
	const struct state_thread *t;

	cx->fd_known = true;
	if (!(ev_info(cx->ev)->flags & on_fds))
		return NULL;
	t = flt_thread(cx);
	if (t && t->lastevent_fd != -1)
		cx->bound_fd = state_fd_find(t, t->lastevent_fd);
	return cx->bound_fd;
}

/* --- fields --- */

static bool extract(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	out->type = f->type;
	out->format = f->format;
	out->match = f->is_list ? FLT_MATCH_LIST : FLT_MATCH_SCALAR;
	out->count = 1;
	out->items = &out->one;
	return f->extract(cx, f, out);
}

static NOINLINE void fill_memo(struct flt_ctx *cx, const struct flt_field *f, struct flt_memo *m)
{
	m->present = extract(cx, f, &m->value);
	m->epoch = cx->epoch;
	if (f->screen)
		m->may = m->present ? flt_screen_value(f->screen, &m->value) : 0;
}

const struct flt_value *flt_field_value(struct flt_ctx *cx, const struct flt_field *f)
{
	struct flt_memo *m = &cx->memos[f->id];

	if (m->epoch != cx->epoch)
		fill_memo(cx, f, m);
	return m->present ? &m->value : NULL;
}

const struct flt_value *flt_field_again(struct flt_ctx *cx, const struct flt_field *f,
					struct flt_value *room)
{
	return extract(cx, f, room) ? room : NULL;
}

bool flt_field_get(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct flt_value *v;

	/* In output all uses of a field are to show the same, JSON's second look aside. */
	if (f->purpose == FLT_FOR_FILTER && flt_field_is_stateful(f))
		return extract(cx, f, out);
	v = flt_field_value(cx, f);
	if (!v)
		return false;
	*out = *v;
	if (v->items == &v->one)
		out->items = &out->one;
	return true;
}

/* --- tests --- */

static inline uint64_t *slot_for(const struct flt_tests *tests, uint64_t key)
{
	return &tests->slots[(key & (tests->slot_count - 1)) * tests->slot_words];
}

/* The slot for the thread's present state; key 0 stands for events without thread. */
static NOINLINE uint64_t *find_slot(struct flt_ctx *cx)
{
	const struct state_thread *t = flt_thread(cx);
	struct flt_tests *tests = cx->tests;
	uint64_t key = t ? t->generation + 1 : 0;
	uint64_t *slot = slot_for(tests, key);

	if (slot[0] != key) {
		memset(slot, 0, tests->slot_words * sizeof(*slot));
		slot[0] = key;
	}
	tests->slot = slot;
	return slot;
}

/* A test on process attributes. */
static bool thread_result(struct flt_ctx *cx, uint32_t id)
{
	struct flt_tests *tests = cx->tests;
	uint64_t *slot = tests->slot ? tests->slot : find_slot(cx);
	uint64_t bit = 1ull << id % 64, *known = slot + 1 + id / 64;
	uint64_t *result = known + tests->bit_words;

	if (UNLIKELY(!(*known & bit))) {
		const struct flt_test *t = cx->program->numbered[id];

		if (t->run(cx, t))
			*result |= bit;
		*known |= bit;
	}
	return *result & bit;
}

/* A test whose result is not remembered yet. */
static bool event_result(struct flt_ctx *cx, uint32_t id)
{
	const struct flt_test *t = cx->program->numbered[id];
	bool result = t->run(cx, t);

	if (LIKELY(!t->stateful))
		cx->tests->results[id] = cx->epoch << 1 | result;
	return result;
}

static inline bool test_result(struct flt_ctx *cx, uint32_t id)
{
	uint64_t no = cx->epoch << 1, known;

	if (id < cx->tests->thread_tests)
		return thread_result(cx, id);
	known = cx->tests->results[id];
	return known >= no ? known != no : event_result(cx, id);
}

/* Go from step @at to what is no step. @tests: counts them; NULL: nobody asks. */
static ALWAYS_INLINE uint32_t run_steps(struct flt_ctx *cx, uint32_t at, unsigned *tests)
{
	const struct flt_step *steps = cx->tests->steps;

	while (at < FLT_STEP_END) {
		const struct flt_step *step = &steps[at];

		at = test_result(cx, step->test) ? step->on_true : step->on_false;
		if (tests)
			++*tests;
	}
	return at;
}

bool flt_match(struct flt_ctx *cx, unsigned condition)
{
	const struct flt_program *p = cx->program;
	size_t start = (size_t)cx->ev->type * p->condition_count + condition;

	return run_steps(cx, p->starts[start], NULL) == FLT_STEP_TRUE;
}

bool flt_match_counted(struct flt_ctx *cx, unsigned condition, unsigned *tests)
{
	const struct flt_program *p = cx->program;
	size_t start = (size_t)cx->ev->type * p->condition_count + condition;

	*tests = 0;
	return run_steps(cx, p->starts[start], tests) == FLT_STEP_TRUE;
}

/* Run those tests of @g that were not run on @t as it is. */
static NOINLINE bool passes_gate(struct flt_ctx *cx, const struct flt_gate *g, unsigned type,
				 struct state_thread *t)
{
	struct flt_tests *tests = cx->tests;
	bool passes = false;

	tests->bare.type = (uint16_t)type;
	tests->bare.tid = t->tid;
	tests->bare_bind = (struct state_binding){.ev = &tests->bare, .thread = t};
	flt_ctx_event(cx, &tests->bare_bind);
	for (uint32_t i = 0; i < g->count; i++)
		for (uint64_t left = g->tests[i].bits; left; left &= left - 1)
			passes |= thread_result(cx, 64 * g->tests[i].word +
							(uint32_t)__builtin_ctzll(left));
	return passes;
}

bool flt_program_has_gate(const struct flt_program *p, unsigned type)
{
	return type < EV_TYPE_COUNT && p->agendas[type].gate;
}

bool flt_may_match(struct flt_ctx *cx, unsigned type, struct state_thread *t)
{
	const struct flt_gate *g = cx->program->agendas[type].gate;
	const uint64_t *slot, *known, *results;

	if (!g)
		return true;
	slot = slot_for(cx->tests, t->generation + 1);
	known = slot + 1;
	results = known + cx->tests->bit_words;
	for (uint32_t i = 0; i < g->count; i++) {
		uint32_t word = g->tests[i].word;
		uint64_t bits = g->tests[i].bits;

		if (slot[0] != t->generation + 1 || (known[word] & bits) != bits)
			return passes_gate(cx, g, type, t);
		if (results[word] & bits)
			return true;
	}
	return false;
}

/* --- batches --- */

static size_t match_in_order(struct flt_ctx *cx, const struct flt_agenda *b, bool all)
{
	size_t n = 0;

	for (uint32_t i = 0; i < b->count && (all || !n); i++)
		if (flt_match(cx, b->conditions[i]))
			cx->tests->hits[n++] = i;
	return n;
}

/* Bits of tests that the value of @f may satisfy. */
static inline uint64_t screen_of(struct flt_ctx *cx, const struct flt_field *f)
{
	struct flt_memo *m = &cx->memos[f->id];

	if (m->epoch != cx->epoch)
		fill_memo(cx, f, m);
	return m->may;
}

/* The members of a batch that the screens of @s let pass. */
static inline uint64_t pass_screens(struct flt_ctx *cx, const struct flt_sieve *s)
{
	uint64_t passed = ~s->affected;

	for (uint32_t i = 0; i < s->screened.count; i++) {
		uint64_t may = screen_of(cx, s->screened.fields[i]) & s->screened.bits[i];

		for (; may; may &= may - 1)
			passed |= s->rows[i][__builtin_ctzll(may)];
	}
	return passed;
}

/* The members that no sieve rules out. */
static uint64_t sift(struct flt_ctx *cx, const struct flt_batch *b)
{
	const struct flt_sieve *end = b->sieves + b->sieve_count;
	uint64_t left = b->all;

	for (const struct flt_sieve *s = b->sieves; s < end && left; s++) {
		if (!(left & s->affected))
			continue;
		if (s->screened.count)
			left &= pass_screens(cx, s);
		else
			left &= test_result(cx, s->test) ? s->if_true : s->if_false;
	}
	return left;
}

NOINLINE size_t flt_match_batch(struct flt_ctx *cx, bool all, const unsigned **hits)
{
	const struct flt_agenda *agenda = &cx->program->agendas[cx->ev->type];
	unsigned *found = cx->tests->hits;
	size_t n = 0;

	*hits = found;
	if (UNLIKELY(agenda->in_order))
		return match_in_order(cx, agenda, all);
	for (uint32_t i = 0; i < agenda->batch_count; i++) {
		const struct flt_batch *b = &agenda->batches[i];

		for (uint64_t left = sift(cx, b); left; left &= left - 1) {
			unsigned index = (unsigned)__builtin_ctzll(left);

			if (LIKELY(run_steps(cx, b->starts[index], NULL) != FLT_STEP_TRUE))
				continue;
			found[n++] = b->first + index;
			if (!all)
				return n;
		}
	}
	return n;
}
