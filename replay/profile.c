/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/profile.h"

#include <stdlib.h>

#include "base/clock.h"

#define OVERHEAD_ROUNDS 1000

struct sample { /* of one rule, in ticks */
	uint64_t count, ticks, most, tests;
};

struct run_profile {
	const struct rule_engine *engine;
	struct sample *samples; /* by rule */
	struct run_rule_cost *costs;
	bool timed;
	uint64_t shown[EV_TYPE_COUNT];
	uint64_t turn[EV_TYPE_COUNT]; /* samples of the type: whose turn it is */
	uint64_t all, sampled, together;
	/* The clock. */
	uint64_t overhead; /* ticks of looking at it */
	uint64_t start_ticks, start_ns;
};

static inline uint64_t ticks_now(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return clock_ns(CLOCK_MONOTONIC);
#endif
}

static uint64_t since(const struct run_profile *p, uint64_t start)
{
	uint64_t ticks = ticks_now() - start;

	return ticks > p->overhead ? ticks - p->overhead : 0;
}

int run_profile_new(const struct rule_engine *e, struct run_profile **out, struct error *err)
{
	struct run_profile *p = calloc(1, sizeof(*p));
	size_t n;

	if (!p)
		return error_nomem(err);
	p->engine = e;
	(void)rule_engine_rules(e, &n);
	p->samples = calloc(n + 1, sizeof(*p->samples));
	p->costs = calloc(n + 1, sizeof(*p->costs));
	if (!p->samples || !p->costs) {
		run_profile_free(p);
		return error_nomem(err);
	}
	*out = p;
	return 0;
}

void run_profile_free(struct run_profile *p)
{
	if (!p)
		return;
	free(p->samples);
	free(p->costs);
	free(p);
}

void run_profile_begin(struct run_profile *p, bool timed)
{
	p->timed = timed;
	p->overhead = UINT64_MAX;
	for (int i = 0; i < OVERHEAD_ROUNDS; i++) {
		uint64_t start = ticks_now(), ticks = ticks_now() - start;

		if (ticks < p->overhead)
			p->overhead = ticks;
	}
	p->start_ns = clock_ns(CLOCK_MONOTONIC);
	p->start_ticks = ticks_now();
}

/* --- events --- */

static void time_rule(struct run_profile *p, struct flt_ctx *cx, const struct state_binding *b,
		      const struct rule *r)
{
	struct sample *s = &p->samples[r->index];
	uint64_t start, ticks;
	unsigned tests;

	flt_ctx_event(cx, b);
	start = ticks_now();
	(void)flt_match(cx, r->condition_id);
	ticks = since(p, start);
	flt_ctx_event(cx, b);
	(void)flt_match_counted(cx, r->condition_id, &tests);
	s->count++;
	s->ticks += ticks;
	s->tests += tests;
	if (ticks > s->most)
		s->most = ticks;
}

static NOINLINE void time_event(struct run_profile *p, struct flt_ctx *cx,
				const struct state_binding *b)
{
	unsigned type = b->ev->type;
	size_t n = rule_engine_count(p->engine, type);
	const struct rule *hit;
	uint64_t start;

	if (!n)
		return;
	p->sampled++;
	start = ticks_now();
	(void)rule_engine_match(p->engine, cx, false, &hit, 1);
	p->together += since(p, start);
	time_rule(p, cx, b, rule_engine_at(p->engine, type, p->turn[type]++ % n));
	flt_ctx_event(cx, b);
}

void run_profile_event(struct run_profile *p, struct flt_ctx *cx, const struct state_binding *b)
{
	p->shown[b->ev->type]++;
	if (p->all++ % RUN_PROFILE_STRIDE == 0 && p->timed)
		time_event(p, cx, b);
}

/* --- results --- */

static double ns_per_tick(const struct run_profile *p)
{
	uint64_t ticks = ticks_now() - p->start_ticks;
	uint64_t ns = clock_ns(CLOCK_MONOTONIC) - p->start_ns;

	return ticks ? (double)ns / (double)ticks : 0;
}

static int by_cost(const void *a, const void *b)
{
	const struct run_rule_cost *x = a, *y = b;

	if (x->ns_all != y->ns_all)
		return x->ns_all < y->ns_all ? 1 : -1;
	return x->rule->index < y->rule->index ? -1 : x->rule->index > y->rule->index;
}

static uint64_t evaluations(const struct run_profile *p, const struct rule *r)
{
	uint64_t sum = 0;

	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		for (size_t i = 0; i < rule_engine_count(p->engine, type) && p->shown[type]; i++)
			if (rule_engine_at(p->engine, type, i) == r)
				sum += p->shown[type];
	return sum;
}

size_t run_profile_costs(struct run_profile *p, const struct run_rule_cost **out)
{
	double scale = ns_per_tick(p);
	size_t n, found = 0;
	const struct rule *rules = rule_engine_rules(p->engine, &n);

	for (size_t i = 0; i < n; i++) {
		const struct sample *s = &p->samples[i];
		double count = s->count ? (double)s->count : 1;
		struct run_rule_cost c = {
		    .rule = &rules[i],
		    .evaluated = evaluations(p, &rules[i]),
		    .sampled = s->count,
		    .tests = (double)s->tests / count,
		    .ns = (double)s->ticks / count * scale,
		    .ns_max = (double)s->most * scale,
		};

		c.ns_all = c.ns * (double)c.evaluated;
		if (c.evaluated)
			p->costs[found++] = c;
	}
	if (found)
		qsort(p->costs, found, sizeof(*p->costs), by_cost);
	*out = p->costs;
	return found;
}

struct run_profile_sums run_profile_sums(struct run_profile *p)
{
	struct run_profile_sums s = {.shown = p->all, .sampled = p->sampled};
	const struct run_rule_cost *costs;
	size_t n = run_profile_costs(p, &costs);

	for (size_t i = 0; i < n; i++)
		s.ns_alone += costs[i].ns_all;
	s.ns = (double)p->together * RUN_PROFILE_STRIDE * ns_per_tick(p);
	return s;
}
