/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.exectime, thread.totexectime and thread.cpu*: differences to what was seen before, by CPU
 * or by thread. Each use of such a field remembers on its own. A second look at an event finds that
 * no time has passed, and replaces what the first one added to a sum.
 */
#include "base/map.h"
#include "engine/filter/fields.h"

#define SUMS_FIRST 256
#define SUMS_MAX   (1u << 20) /* threads remembered by one field; then it forgets all */

struct sum {
	int64_t tid;
	uint64_t born; /* clone time: thread ids are used again */
	uint64_t value;
	bool used;
};

struct memory {
	uint64_t *switched; /* per CPU: time of the last switch, 0 if none */
	uint32_t cpus;
	struct sum *sums; /* open addressing, a power of two slots */
	uint32_t slots, count;
	uint64_t seed;	/* so that hostile thread ids cannot be made to collide */
	uint64_t epoch; /* the event looked at last, */
	uint64_t added; /* and what it added to a sum */
};

static struct memory *memory_of(struct flt_ctx *cx, const struct flt_field *f)
{
	struct flt_private *p = &cx->privates[f->id];

	struct memory *m = p->p;

	if (!m) {
		p->p = m = arena_zalloc(&cx->lasting, 1, sizeof(*m));
		if (m)
			m->seed = hash_u64((uintptr_t)m);
	}
	return m;
}

static bool know_cpu(struct flt_ctx *cx, struct memory *m, uint32_t cpu)
{
	uint32_t n = m->cpus ? m->cpus : 64;
	uint64_t *more;

	if (cpu < m->cpus)
		return true;
	while (n <= cpu)
		n *= 2;
	more = arena_zalloc(&cx->lasting, n, sizeof(*more));
	if (!more)
		return false;
	if (m->cpus)
		memcpy(more, m->switched, m->cpus * sizeof(*more));
	m->switched = more;
	m->cpus = n;
	return true;
}

/* Time since the last switch on this CPU, on switch events; 0 otherwise. */
static uint64_t time_on_cpu(struct flt_ctx *cx, struct memory *m)
{
	uint64_t last;
	uint16_t cpu = (uint16_t)cx->ev->cpu;

	if (cx->ev->type != EV_SCHEDSWITCH_6_E || !know_cpu(cx, m, cpu))
		return 0;
	last = m->switched[cpu];
	m->switched[cpu] = cx->ev->ts;
	return last ? cx->ev->ts - last : 0;
}

static struct sum *slot_of(const struct memory *m, int64_t tid)
{
	uint32_t i = (uint32_t)hash_u64((uint64_t)tid ^ m->seed) & (m->slots - 1);

	while (m->sums[i].used && m->sums[i].tid != tid)
		i = (i + 1) & (m->slots - 1);
	return &m->sums[i];
}

static bool grow_sums(struct flt_ctx *cx, struct memory *m)
{
	struct memory more = *m;

	if (m->slots && m->count < m->slots / 2)
		return true;
	if (m->count >= SUMS_MAX) {
		memset(m->sums, 0, m->slots * sizeof(*m->sums));
		m->count = 0;
		return true;
	}
	more.slots = m->slots ? m->slots * 2 : SUMS_FIRST;
	more.sums = arena_zalloc(&cx->lasting, more.slots, sizeof(*more.sums));
	if (!more.sums)
		return false;
	for (uint32_t i = 0; i < m->slots; i++)
		if (m->sums[i].used)
			*slot_of(&more, m->sums[i].tid) = m->sums[i];
	*m = more;
	return true;
}

/* What is remembered of @t; *fresh: nothing yet. NULL when out of memory. */
static struct sum *sum_of(struct flt_ctx *cx, struct memory *m, const struct state_thread *t,
			  bool *fresh)
{
	struct sum *s;

	if (!grow_sums(cx, m))
		return NULL;
	s = slot_of(m, t->tid);
	*fresh = !s->used || s->born != t->clone_ts;
	m->count += !s->used;
	if (*fresh)
		*s = (struct sum){.tid = t->tid, .born = t->clone_ts, .used = true};
	return s;
}

bool flt_x_exectime(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	struct memory *m = memory_of(cx, f);

	return m && flt_yield_u64(out, time_on_cpu(cx, m));
}

bool flt_x_totexectime(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	struct memory *m = memory_of(cx, f);
	uint64_t time;
	struct sum *s;
	bool fresh;

	if (!m)
		return false;
	time = time_on_cpu(cx, m); /* the CPU was in use whether or not its thread is known */
	s = t ? sum_of(cx, m, t, &fresh) : NULL;
	if (!s)
		return false;
	if (m->epoch == cx->epoch && !fresh)
		s->value -= m->added;
	s->value += time;
	m->epoch = cx->epoch;
	m->added = time;
	return flt_yield_u64(out, s->value);
}

bool flt_x_cpu_percent(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	struct memory *m = memory_of(cx, f);
	uint64_t user = 0, system = 0, now, spent;
	struct sum *s;
	bool fresh;

	if (cx->ev->type != EV_PROCINFO_E || !t || !m)
		return false;
	if (f->code & CPU_USER)
		ev_u64(cx->ev, 0, &user);
	if (f->code & CPU_SYSTEM)
		ev_u64(cx->ev, 1, &system);
	s = sum_of(cx, m, t, &fresh);
	if (!s)
		return false;
	now = user + system;
	spent = fresh || now < s->value ? 0 : now - s->value;
	s->value = now;
	out->one = (struct flt_datum){0};
	out->one.d = spent > 100 ? 100 : (double)spent;
	return true;
}
