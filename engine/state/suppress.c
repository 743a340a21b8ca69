/* SPDX-License-Identifier: Apache-2.0 */
/* Commands whose events are ignored, together with those of their children. */
#include "engine/state/internal.h"

#include <stdlib.h>
#include <string.h>

static const char present; /* what the sets map to */

static void *mark(void)
{
	return (void *)&present;
}

int state_suppress_init(struct state *st, const char *const *comms)
{
	int rc = 0;

	for (; comms && *comms && rc == 0; comms++) {
		struct state_str *text;

		if (smap_get(&st->suppressed_comms, sv_of(*comms)))
			continue;
		text = state_str_new(st, sv_of(*comms));
		if (!text)
			continue;
		rc = smap_put(&st->suppressed_comms, state_sv(text), mark());
	}
	return st->nomem ? ERR_NOMEM : rc;
}

void state_suppress_tid(struct state *st, int64_t tid)
{
	if (tid == 0 || st->suppressed_tids.count >= STATE_SUPPRESSED_MAX)
		return;
	st->nomem |= map_put(&st->suppressed_tids, (uint64_t)tid, mark()) < 0;
}

static bool is_suppressed(const struct state *st, int64_t tid)
{
	return tid != 0 && map_get(&st->suppressed_tids, (uint64_t)tid);
}

/* --- the initial process list --- */

void state_suppress_clear(struct state *st)
{
	map_clear(&st->suppressed_tids);
	free(st->scanned);
	st->scanned = NULL;
	st->scanned_count = st->scanned_cap = 0;
}

void state_suppress_done(struct state *st)
{
	state_suppress_clear(st);
	map_done(&st->suppressed_tids);
	smap_done(&st->suppressed_comms);
}

static bool remember_scanned(struct state *st, const struct ev_thread_entry *t)
{
	if (st->scanned_count == st->scanned_cap) {
		uint32_t cap = st->scanned_cap ? st->scanned_cap * 2 : 256;
		struct state_pid_pair *new;

		if (cap > STATE_SUPPRESSED_MAX)
			return true;
		new = realloc(st->scanned, cap * sizeof(*new));
		if (!new)
			return false;
		st->scanned = new;
		st->scanned_cap = cap;
	}
	st->scanned[st->scanned_count++] = (struct state_pid_pair){t->tid, t->ptid};
	return true;
}

/* Return: whether the entry itself is to be ignored. */
bool state_suppress_scanned(struct state *st, const struct ev_thread_entry *t)
{
	if (st->suppressed_comms.count == 0)
		return false;
	st->nomem |= !remember_scanned(st, t);
	if (!smap_get(&st->suppressed_comms, t->comm))
		return false;
	state_suppress_tid(st, t->tid);
	return true;
}

static int by_tid(const void *a, const void *b)
{
	const struct state_pid_pair *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

static int by_ptid(const void *a, const void *b)
{
	const struct state_pid_pair *x = a, *y = b;

	return (x->ptid > y->ptid) - (x->ptid < y->ptid);
}

/* @p is in order of the parents. */
static void suppress_children(struct state *st, const struct state_pid_pair *p, int64_t parent)
{
	uint32_t lo = 0, hi = st->scanned_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (p[mid].ptid < parent)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < st->scanned_count && p[lo].ptid == parent; lo++)
		state_suppress_tid(st, p[lo].tid);
}

/* One pass in the order of the ids, as the reference does: not all late descendants are found. */
void state_suppress_propagate(struct state *st)
{
	size_t n = st->scanned_count;
	struct state_pid_pair *children;

	if (st->suppressed_tids.count == 0 || n == 0)
		return;
	children = malloc(n * sizeof(*children));
	if (!children) {
		st->nomem = true;
		return;
	}
	qsort(st->scanned, n, sizeof(*children), by_tid);
	memcpy(children, st->scanned, n * sizeof(*children));
	qsort(children, n, sizeof(*children), by_ptid);
	for (size_t i = 0; i < n; i++)
		if (is_suppressed(st, st->scanned[i].tid))
			suppress_children(st, children, st->scanned[i].tid);
	free(children);
}

/* --- events --- */

/* clone and exec: does the new process fall under suppression, by its parent or its command? */
static bool starts_suppressed(struct state *st, struct ev *ev)
{
	int64_t ptid = 0;

	if (ev->nparams < 14)
		return false;
	ev_i64(ev, 5, &ptid);
	if (!is_suppressed(st, ptid) && !smap_get(&st->suppressed_comms, ev_str(ev, 13)))
		return false;
	state_suppress_tid(st, ev->tid);
	return true;
}

/* Return: whether the event is to be ignored. */
bool state_suppress_event(struct state *st, struct ev *ev)
{
	if (st->suppressed_comms.count == 0 && st->suppressed_tids.count == 0)
		return false;
	switch (ev->type) {
	case EV_CLONE_20_X:
	case EV_FORK_20_X:
	case EV_VFORK_20_X:
	case EV_CLONE3_X:
	case EV_EXECVE_19_X:
	case EV_EXECVEAT_X:
		return starts_suppressed(st, ev);
	case EV_PROCEXIT_1_E:
		map_take(&st->suppressed_tids, (uint64_t)ev->tid);
		return false;
	default:
		return is_suppressed(st, ev->tid);
	}
}
