/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/lives.h"

#include <stdlib.h>
#include <string.h>

/* An edge leads from who is shown to whom that takes; parents are needed by everybody. */
#define EDGE_PARENT 1u

/* --- which parameters are numbers of processes --- */

static void find_pid_params(uint32_t *masks)
{
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		const struct ev_info *info = &ev_table[type];

		for (unsigned i = 0; i < info->nparams; i++)
			if (info->params[i].type == PT_PID || info->params[i].type == PT_PID32)
				masks[type] |= 1u << i;
	}
}

int run_lives_init(struct run_lives *l, struct error *err)
{
	*l = (struct run_lives){.pid_params = calloc(EV_TYPE_COUNT, sizeof(*l->pid_params))};
	if (!l->pid_params)
		return error_nomem(err);
	find_pid_params(l->pid_params);
	return 0;
}

void run_lives_done(struct run_lives *l)
{
	map_done(&l->by_pid);
	map_done(&l->edges);
	free(l->pid_params);
	free(l->list);
	*l = (struct run_lives){0};
}

/* --- lives --- */

void run_lives_rewind(struct run_lives *l)
{
	map_clear(&l->by_pid);
	map_clear(&l->edges);
	l->next = l->section = 0;
	l->enumerated = false;
}

static bool room_for_life(struct run_lives *l)
{
	uint32_t cap = l->cap ? l->cap * 2 : 256;
	struct run_life *list;

	if (l->next < l->cap)
		return true;
	list = cap <= RUN_LIVES_MAX ? reallocarray(l->list, cap, sizeof(*list)) : NULL;
	if (!list)
		return false;
	l->list = list;
	l->cap = cap;
	return true;
}

static uint32_t begin_life(struct run_lives *l, int64_t pid)
{
	const struct run_life fresh = {.pid = pid, .parent = RUN_NO_LIFE, .section = l->section};

	if (!room_for_life(l) ||
	    map_put(&l->by_pid, (uint64_t)pid, (void *)(uintptr_t)(l->next + 1)) < 0) {
		l->nomem = true;
		return RUN_NO_LIFE;
	}
	if (l->next == l->count)
		l->list[l->count++] = fresh;
	return l->next++;
}

uint32_t run_lives_find(const struct run_lives *l, int64_t pid)
{
	uintptr_t found = (uintptr_t)map_get(&l->by_pid, (uint64_t)pid);

	return found ? (uint32_t)(found - 1) : RUN_NO_LIFE;
}

/* The number a thread's process goes by; a thread that nothing is known of stands for itself. */
static int64_t pid_of(const struct state_thread *t)
{
	const struct state_thread *main = state_thread_main(t);

	return main ? main->tid : t->pid > 0 ? t->pid : t->tid;
}

uint32_t run_lives_of(const struct run_lives *l, const struct state_thread *t)
{
	uint32_t found = run_lives_find(l, pid_of(t));

	return found != RUN_NO_LIFE ? found : run_lives_find(l, t->tid);
}

static uint32_t parent_of(const struct run_lives *l, const struct state *st,
			  const struct state_thread *t)
{
	const struct state_thread *parent = t->ptid > 0 ? state_thread_find(st, t->ptid) : NULL;

	return parent ? run_lives_of(l, parent) : RUN_NO_LIFE;
}

/* --- who refers to whom --- */

static void add_edge(struct run_lives *l, uint32_t from, uint32_t to, unsigned kind)
{
	uint64_t key = (uint64_t)from << 32 | (uint64_t)to << 1 | kind;

	if (from == RUN_NO_LIFE || to == RUN_NO_LIFE || from == to || map_get(&l->edges, key))
		return;
	l->nomem |= map_put(&l->edges, key, l) < 0;
}

/* All threads there are, by id, for the caller to free; NULL: none, or no memory. */
static struct map_slot *all_threads(struct run_lives *l, const struct state *st, size_t *n)
{
	struct map_slot *all = state_threads_sorted(st, n);

	l->nomem |= !all && state_threads(st);
	return all;
}

void run_lives_note_parents(struct run_lives *l, const struct state *st)
{
	struct map_slot *all;
	size_t n;

	all = all_threads(l, st, &n);
	for (size_t i = 0; i < n; i++)
		add_edge(l, run_lives_of(l, all[i].value), parent_of(l, st, all[i].value),
			 EDGE_PARENT);
	free(all);
}

static void note_leaders(struct run_lives *l, const struct state *st, const struct state_thread *t,
			 uint32_t life)
{
	static const enum state_leader kinds[] = {STATE_LEADER_SESSION, STATE_LEADER_VPGID,
						  STATE_LEADER_PGID};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const struct state_thread *leader = state_thread_leader(st, t, kinds[i]);

		if (leader)
			add_edge(l, life, run_lives_of(l, leader), 0);
	}
}

/* Processes that parameters name are shown with their names. */
static void note_params(struct run_lives *l, const struct state *st, struct ev *ev, uint32_t life)
{
	uint32_t mask = ev->type < EV_TYPE_COUNT ? l->pid_params[ev->type] : 0;

	for (unsigned i = 0; mask; i++, mask >>= 1) {
		struct ev_value v = mask & 1 ? ev_param(ev, i) : (struct ev_value){NULL, 0};
		const struct state_thread *t;

		if (v.n != 8 && v.n != 4)
			continue;
		t = state_thread_find(st,
				      v.n == 8 ? (int64_t)load_u64(v.p) : (int32_t)load_u32(v.p));
		if (t)
			add_edge(l, life, run_lives_of(l, t), 0);
	}
}

void run_lives_note(struct run_lives *l, const struct state *st, const struct state_thread *t,
		    struct ev *ev, uint64_t offset)
{
	uint32_t i = run_lives_of(l, t);
	struct run_life *life;

	if (i == RUN_NO_LIFE)
		return;
	life = &l->list[i];
	if (!life->last)
		life->first = offset;
	life->last = offset;
	note_params(l, st, ev, i);
	if (life->generation == t->generation)
		return;
	life->generation = t->generation;
	add_edge(l, i, parent_of(l, st, t), EDGE_PARENT);
	note_leaders(l, st, t, i);
}

/* --- from the state --- */

/* Parents may come behind their children. */
static void enumerate(struct run_lives *l, const struct state *st)
{
	struct map_slot *all;
	size_t n;

	l->enumerated = true;
	all = all_threads(l, st, &n);
	for (size_t i = 0; i < n; i++)
		if (run_lives_find(l, pid_of(all[i].value)) == RUN_NO_LIFE)
			begin_life(l, pid_of(all[i].value));
	for (size_t i = 0; i < n; i++) {
		const struct state_thread *t = all[i].value;
		uint32_t life = run_lives_of(l, t), parent = parent_of(l, st, t);

		if (life != RUN_NO_LIFE && parent != life && pid_of(t) == t->tid)
			l->list[life].parent = parent;
	}
	free(all);
}

static void on_added(void *arg, const struct state *st, const struct state_thread *t,
		     const struct ev *ev)
{
	struct run_lives *l = arg;
	uint32_t life, parent;

	if (!ev) {
		if (!l->enumerated)
			enumerate(l, st);
		return;
	}
	l->enumerated = true;
	if (!state_thread_is_main(t) && !state_thread_is_invalid(t) &&
	    run_lives_of(l, t) != RUN_NO_LIFE)
		return;
	parent = parent_of(l, st, t);
	life = begin_life(l, pid_of(t));
	if (life == RUN_NO_LIFE)
		return;
	l->list[life].parent = parent;
	add_edge(l, life, parent, EDGE_PARENT);
}

void run_lives_attach(struct run_lives *l, struct state *st)
{
	const struct state_observer obs = {.arg = l, .thread_added = on_added};

	state_observe(st, &obs);
	if (state_is_complete(st))
		enumerate(l, st);
}

void run_lives_section(struct run_lives *l)
{
	map_clear(&l->by_pid);
	l->enumerated = false;
	l->section++;
}

/* --- what follows from what is wanted --- */

/* A life whose maker, or his maker ..., is wanted whole is so, too. Each is looked at once. */
static void judge(struct run_lives *l, uint32_t i)
{
	uint32_t at = i;

	while (at != RUN_NO_LIFE && !l->list[at].judged && l->list[at].want != RUN_WANT_ALL) {
		l->list[at].judged = true;
		at = l->list[at].parent;
	}
	if (at == RUN_NO_LIFE || l->list[at].want != RUN_WANT_ALL)
		return;
	for (; i != at; i = l->list[i].parent)
		l->list[i].want = RUN_WANT_ALL;
}

struct closing {
	struct run_lives *l;
	const struct map_slot *edges; /* sorted: those of one life together */
	size_t count;
	uint32_t *stack; /* each life is on it once */
	size_t depth;
};

static void want_context(struct closing *c, uint32_t i)
{
	struct run_life *life = &c->l->list[i];

	if (life->want >= RUN_WANT_CONTEXT)
		return;
	life->want = RUN_WANT_CONTEXT;
	c->stack[c->depth++] = i;
}

static size_t first_edge(const struct closing *c, uint32_t from)
{
	size_t lo = 0, hi = c->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->edges[mid].key >> 32 < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void follow(struct closing *c, uint32_t i)
{
	const struct run_life *life = &c->l->list[i];

	for (size_t k = first_edge(c, i); k < c->count && c->edges[k].key >> 32 == i; k++)
		if ((c->edges[k].key & EDGE_PARENT) || life->refers)
			want_context(c, (uint32_t)c->edges[k].key >> 1);
	if (life->parent != RUN_NO_LIFE)
		want_context(c, life->parent);
}

static void close_all(struct closing *c)
{
	struct run_lives *l = c->l;

	for (uint32_t i = 0; i < l->count; i++) {
		if (l->list[i].want < RUN_WANT_CONTEXT)
			continue;
		follow(c, i);
		while (c->depth)
			follow(c, c->stack[--c->depth]);
	}
	for (uint32_t i = 0; i < l->count; i++) {
		struct run_life *life = &l->list[i];

		if (life->want == RUN_WANT_NOTHING && life->parent != RUN_NO_LIFE &&
		    l->list[life->parent].want == RUN_WANT_ALL)
			life->want = RUN_WANT_LIFE;
	}
}

int run_lives_close(struct run_lives *l, bool descendants, struct error *err)
{
	struct map_slot *edges = map_sorted(&l->edges);
	struct closing c = {.l = l, .edges = edges, .count = edges ? l->edges.count : 0};

	c.stack = calloc(l->count + 1u, sizeof(*c.stack));
	if (l->nomem || !c.stack || (!edges && l->edges.count)) {
		free(edges);
		free(c.stack);
		return error_nomem(err);
	}
	for (uint32_t i = 0; descendants && i < l->count; i++)
		judge(l, i);
	for (uint32_t i = 0; i < l->count; i++)
		l->list[i].refers |= l->list[i].want == RUN_WANT_ALL;
	close_all(&c);
	free(edges);
	free(c.stack);
	return 0;
}
