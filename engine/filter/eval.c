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
	uint64_t *slot;	 /* of the current event's thread; NULL: not looked up yet */
	uint64_t *marks; /* bit per position of a batch; clear between calls */
	unsigned *hits;	 /* positions in a batch */
};

/* --- contexts --- */

static int make_tests(struct flt_ctx *cx, struct error *err)
{
	const struct flt_program *p = cx->program;
	struct flt_tests *tests = calloc(1, sizeof(*tests));

	cx->tests = tests;
	if (!tests)
		return error_nomem(err);
	tests->bit_words = (p->thread_tests + 63) / 64;
	tests->slot_words = 1 + 2 * tests->bit_words;
	tests->results = calloc(p->numbered_count + 1, sizeof(*tests->results));
	tests->slot_count = THREAD_SLOTS_MAX;
	while (tests->slot_count > THREAD_SLOTS_MIN &&
	       tests->slot_count * tests->slot_words > THREAD_MEMORY / sizeof(*tests->slots))
		tests->slot_count /= 2;
	tests->slots = calloc(tests->slot_count * tests->slot_words, sizeof(*tests->slots));
	tests->marks = calloc(p->batch_max / 64 + 1, sizeof(*tests->marks));
	tests->hits = calloc((size_t)p->batch_max + 1, sizeof(*tests->hits));
	if (!tests->results || !tests->slots || !tests->marks || !tests->hits)
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
		free(cx->tests->marks);
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

const struct flt_value *flt_field_value(struct flt_ctx *cx, const struct flt_field *f)
{
	struct flt_memo *m = &cx->memos[f->id];

	if (m->epoch != cx->epoch) {
		m->present = extract(cx, f, &m->value);
		m->epoch = cx->epoch;
	}
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

/* The slot for the thread's present state; key 0 stands for events without thread. */
static NOINLINE uint64_t *find_slot(struct flt_ctx *cx)
{
	const struct state_thread *t = flt_thread(cx);
	struct flt_tests *tests = cx->tests;
	uint64_t key = t ? t->generation + 1 : 0;
	uint64_t *slot = &tests->slots[(key & (tests->slot_count - 1)) * tests->slot_words];

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

/* Go from step @at to what is no step. */
static uint32_t run_steps(struct flt_ctx *cx, uint32_t at)
{
	const struct flt_step *steps = (const struct flt_step *)(const void *)cx->program->steps.p;
	const uint64_t *results = cx->tests->results, no = cx->epoch << 1, yes = no | 1;
	const uint32_t thread_tests = cx->program->thread_tests;

	while (at < FLT_STEP_END) {
		const struct flt_step *step = &steps[at];
		uint32_t id = step->test;
		bool result;

		if (id < thread_tests)
			result = thread_result(cx, id);
		else if (results[id] == no || results[id] == yes)
			result = results[id] == yes;
		else
			result = event_result(cx, id);
		at = result ? step->on_true : step->on_false;
	}
	return at;
}

bool flt_match(struct flt_ctx *cx, unsigned condition)
{
	const struct flt_program *p = cx->program;
	size_t start = (size_t)cx->ev->type * p->condition_count + condition;

	return run_steps(cx, p->starts[start]) == FLT_STEP_TRUE;
}

/* --- batches --- */

static size_t match_in_order(struct flt_ctx *cx, const struct flt_batch *b, bool all)
{
	size_t n = 0;

	for (uint32_t i = 0; i < b->count && (all || !n); i++)
		if (flt_match(cx, b->conditions[i]))
			cx->tests->hits[n++] = i;
	return n;
}

/* Turn the marked positions into a list, ascending, and clear the marks. */
static size_t take_marks(struct flt_tests *tests, uint32_t count)
{
	size_t n = 0;

	for (uint32_t word = 0; word <= count / 64; word++) {
		uint64_t *marks = &tests->marks[word];

		for (; *marks; *marks &= *marks - 1)
			tests->hits[n++] = word * 64 + (unsigned)__builtin_ctzll(*marks);
	}
	return n;
}

size_t flt_match_batch(struct flt_ctx *cx, bool all, const unsigned **hits)
{
	const struct flt_program *p = cx->program;
	const struct flt_batch *b = &p->batches[cx->ev->type];
	const struct flt_hit *found = (const struct flt_hit *)(const void *)p->hits.p;
	uint32_t at;
	size_t n;

	*hits = cx->tests->hits;
	if (UNLIKELY(b->in_order))
		return match_in_order(cx, b, all);
	at = b->count ? run_steps(cx, b->start) : FLT_STEP_DONE;
	if (LIKELY(at == FLT_STEP_DONE))
		return 0;
	do {
		const struct flt_hit *hit = &found[at - FLT_STEP_END];

		cx->tests->marks[hit->position / 64] |= 1ull << hit->position % 64;
		at = run_steps(cx, hit->next);
	} while (at != FLT_STEP_DONE);
	n = take_marks(cx->tests, b->count);
	return all || !n ? n : 1;
}
