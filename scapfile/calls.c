/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/calls.h"

#include <string.h>

#include "base/map.h"

static struct sf_call *find(struct sf_call *set, int64_t tid)
{
	for (unsigned i = 0; i < SF_CALLS_WAYS; i++)
		if (set[i].end && set[i].tid == tid)
			return &set[i];
	return NULL;
}

/* Where the next one goes: the place of the thread's last one, of none, or of the oldest. */
static struct sf_call *place_of(struct sf_call *set, int64_t tid)
{
	struct sf_call *place = find(set, tid);

	for (unsigned i = 0; !place && i < SF_CALLS_WAYS; i++)
		if (!set[i].end)
			place = &set[i];
	if (place)
		return place;
	place = &set[0];
	for (unsigned i = 1; i < SF_CALLS_WAYS; i++)
		if (set[i].ts < place->ts)
			place = &set[i];
	return place;
}

static void begin(struct sf_calls *c, struct sf_call *set, unsigned type, int64_t tid, uint64_t ts)
{
	struct sf_call *place = place_of(set, tid);

	c->count += !place->end;
	*place = (struct sf_call){.tid = tid, .ts = ts, .end = (uint16_t)(type + 1)};
}

static bool ends(const struct sf_call *call, unsigned type, uint64_t ts)
{
	return (call->end == type || (call->end == EV_EXECVEAT_X && type == EV_EXECVE_19_X)) &&
	       ts >= call->ts;
}

uint64_t sf_calls_look(struct sf_calls *c, unsigned type, int64_t tid, uint64_t ts)
{
	/* Who bears the number next has begun nothing yet. */
	bool over = type == EV_PROCEXIT_E || type == EV_PROCEXIT_1_E;
	struct sf_call *set, *call;
	uint64_t began;

	if (!over && !(ev_table[type].category & EC_SYSCALL))
		return 0;
	set = c->sets[hash_u64((uint64_t)tid) & (SF_CALLS_SETS - 1)];
	if (!over && !ev_type_is_exit(type)) {
		begin(c, set, type, tid, ts);
		return 0;
	}
	call = find(set, tid);
	if (!call)
		return 0;
	began = ends(call, type, ts) ? call->ts : 0;
	call->end = 0;
	c->count--;
	return began;
}

void sf_calls_forget(struct sf_calls *c)
{
	if (c->count)
		memset(c, 0, sizeof(*c));
}
