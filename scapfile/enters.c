/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enter events that wait for the exit events of their threads. A thread's next call finds the
 * record of its last one: nothing is allocated, and nothing put into the table or taken out of it,
 * from call to call.
 */
#include "scapfile/converter.h"

#include <string.h>

/* Of the usual record: lengths and parameters of most calls. Larger ones are made for one event. */
#define ROOM_USUAL 128
/* What an event counts besides its offsets and parameters. */
#define COST_RECORD 40

static void append(struct conv_list *l, struct conv_enter *e)
{
	e->newer = NULL;
	e->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = e;
	l->newest = e;
	l->count++;
}

static void take_out(struct conv_list *l, struct conv_enter *e)
{
	*(e->older ? &e->older->newer : &l->oldest) = e->newer;
	*(e->newer ? &e->newer->older : &l->newest) = e->older;
	l->count--;
}

/* Out of the list it is in. */
static void unlist(struct conv_enters *s, struct conv_enter *e)
{
	take_out(e->waits ? &s->waiting : &s->idle, e);
	if (e->waits)
		s->bytes -= e->cost;
	e->waits = false;
}

/* @e is in no list. */
static void release(struct conv_enters *s, struct conv_enter *e)
{
	map_take(&s->by_tid, (uint64_t)e->tid);
	pool_release(&s->pool, e, sizeof(*e) + e->room);
}

static void forget(struct conv_enters *s, struct conv_enter *e)
{
	unlist(s, e);
	release(s, e);
}

void conv_enters_reset(struct conv_enters *s)
{
	while (s->waiting.oldest)
		forget(s, s->waiting.oldest);
	while (s->idle.oldest)
		forget(s, s->idle.oldest);
}

void conv_enters_done(struct conv_enters *s)
{
	map_done(&s->by_tid);
	pool_done(&s->pool);
	*s = (struct conv_enters){0};
}

static struct conv_enter *new_record(struct conv_enters *s, int64_t tid, uint32_t room)
{
	struct conv_enter *e = pool_alloc(&s->pool, sizeof(*e) + room);

	if (!e)
		return NULL;
	*e = (struct conv_enter){.tid = tid, .room = room};
	if (map_put(&s->by_tid, (uint64_t)tid, e) < 0) {
		pool_release(&s->pool, e, sizeof(*e) + room);
		return NULL;
	}
	return e;
}

int conv_enters_keep(struct conv_enters *s, const struct ev *ev)
{
	uint32_t offsets = (ev->nparams + 1u) * sizeof(uint32_t), bytes = ev->at[ev->nparams];
	uint32_t need = offsets + bytes, room = need > ROOM_USUAL ? need : ROOM_USUAL;
	struct conv_enter *e = map_get(&s->by_tid, (uint64_t)ev->tid);
	size_t cost = COST_RECORD + need;

	if (e)
		unlist(s, e);
	while (UNLIKELY(s->waiting.oldest &&
			(s->waiting.count >= CONV_STORED_MAX || s->bytes + cost > CONV_BYTES_MAX)))
		forget(s, s->waiting.oldest);
	if (UNLIKELY(e && e->room != room)) {
		release(s, e);
		e = NULL;
	}
	if (UNLIKELY(!e)) {
		e = new_record(s, ev->tid, room);
		if (!e)
			return ERR_NOMEM;
	}
	e->cost = cost;
	e->type = ev->type;
	e->nparams = ev->nparams;
	memcpy(e->at, ev->at, offsets);
	if (bytes)
		memcpy((uint8_t *)e->at + offsets, ev->data, bytes);
	e->waits = true;
	append(&s->waiting, e);
	s->bytes += cost;
	return 0;
}

void conv_enters_use(struct conv_enters *s, struct conv_enter *e)
{
	unlist(s, e);
	if (UNLIKELY(e->room > ROOM_USUAL)) {
		release(s, e);
		return;
	}
	append(&s->idle, e);
	if (UNLIKELY(s->idle.count > CONV_IDLE_MAX))
		forget(s, s->idle.oldest);
}
