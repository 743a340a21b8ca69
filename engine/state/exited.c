/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that exited lately: a ring with hash chains through it. The parent's clone event may
 * arrive after its short-lived child is gone and must then not create it anew.
 */
#include "engine/state/internal.h"

uint32_t state_exited_bucket(uint32_t ptid, uint32_t tid)
{
	return hash_u64((uint64_t)ptid << 32 | tid) % STATE_EXITED_BUCKETS;
}

static uint16_t *bucket_of(struct state_exited *x, uint32_t ptid, uint32_t tid)
{
	return &x->buckets[state_exited_bucket(ptid, tid)];
}

static void unchain(struct state_exited *x, struct state_exited_entry *e)
{
	if (e->prev)
		x->ring[e->prev - 1].next = e->next;
	else
		*bucket_of(x, e->ptid, e->tid) = e->next;
	if (e->next)
		x->ring[e->next - 1].prev = e->prev;
}

void state_exited_push(struct state_exited *x, int64_t ptid, int64_t tid, uint64_t ts)
{
	struct state_exited_entry *e = &x->ring[x->at];
	uint16_t self = (uint16_t)(x->at + 1);
	uint16_t *bucket = bucket_of(x, (uint32_t)ptid, (uint32_t)tid);

	if (x->used == STATE_EXITED_MAX)
		unchain(x, e);
	else
		x->used++;
	*e = (struct state_exited_entry){
	    .ptid = (uint32_t)ptid,
	    .tid = (uint32_t)tid,
	    .ts = ts,
	    .next = *bucket,
	};
	if (*bucket)
		x->ring[*bucket - 1].prev = self;
	*bucket = self;
	x->at = (x->at + 1) % STATE_EXITED_MAX;
}

bool state_exited_recently(const struct state_exited *x, int64_t ptid, int64_t tid, uint64_t now)
{
	const struct state_exited_entry *e;
	uint16_t i = *bucket_of((struct state_exited *)x, (uint32_t)ptid, (uint32_t)tid);

	for (; i; i = e->next) {
		e = &x->ring[i - 1];
		if (e->ptid == (uint32_t)ptid && e->tid == (uint32_t)tid && e->ts <= now)
			return now - e->ts < STATE_STALE_CLONE_NS;
	}
	return false;
}
