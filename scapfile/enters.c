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

static void append(struct conv_enters *s, struct conv_enter *e)
{
	e->newer = NULL;
	e->older = s->newest;
	*(s->newest ? &s->newest->newer : &s->oldest) = e;
	s->newest = e;
}

static void take_out(struct conv_enters *s, struct conv_enter *e)
{
	*(e->older ? &e->older->newer : &s->oldest) = e->newer;
	*(e->newer ? &e->newer->older : &s->newest) = e->older;
}

static void end_waiting(struct conv_enters *s, struct conv_enter *e)
{
	if (!e->waits)
		return;
	e->waits = false;
	s->waiting--;
	s->bytes -= e->cost;
}

static void forget(struct conv_enters *s, struct conv_enter *e)
{
	end_waiting(s, e);
	take_out(s, e);
	map_take(&s->by_tid, (uint64_t)e->tid);
	pool_release(&s->pool, e, sizeof(*e) + e->room);
}

/* The records of threads that may have ended: all without an event. */
static NOINLINE void forget_idle(struct conv_enters *s)
{
	for (struct conv_enter *e = s->oldest, *next; e; e = next) {
		next = e->newer;
		if (!e->waits)
			forget(s, e);
	}
}

void conv_enters_reset(struct conv_enters *s)
{
	while (s->oldest)
		forget(s, s->oldest);
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
	append(s, e);
	return e;
}

/* May an event of @cost be added? */
static inline bool has_room(const struct conv_enters *s, size_t cost)
{
	return s->waiting < CONV_STORED_MAX && s->bytes + cost <= CONV_BYTES_MAX;
}

int conv_enters_keep(struct conv_enters *s, const struct ev *ev)
{
	uint32_t offsets = (ev->nparams + 1u) * sizeof(uint32_t), bytes = ev->at[ev->nparams];
	uint32_t need = offsets + bytes, room = need > ROOM_USUAL ? need : ROOM_USUAL;
	struct conv_enter *e = map_get(&s->by_tid, (uint64_t)ev->tid);
	size_t cost = COST_RECORD + need;

	if (e)
		end_waiting(s, e);
	if (UNLIKELY(e && e->room != room)) {
		forget(s, e);
		e = NULL;
	}
	if (UNLIKELY(!e)) {
		e = new_record(s, ev->tid, room);
		if (!e)
			return ERR_NOMEM;
	} else if (e != s->newest) {
		take_out(s, e);
		append(s, e);
	}
	while (UNLIKELY(!has_room(s, cost)))
		forget(s, s->oldest);
	e->waits = true;
	e->cost = cost;
	s->waiting++;
	s->bytes += cost;
	e->type = ev->type;
	e->nparams = ev->nparams;
	memcpy(e->at, ev->at, offsets);
	if (bytes)
		memcpy((uint8_t *)e->at + offsets, ev->data, bytes);
	return 0;
}

void conv_enters_use(struct conv_enters *s, struct conv_enter *e)
{
	end_waiting(s, e);
	if (UNLIKELY(e->room > ROOM_USUAL))
		forget(s, e);
	else if (UNLIKELY(s->by_tid.count >
			  s->waiting + s->waiting / CONV_IDLE_SHARE + CONV_IDLE_MAX))
		forget_idle(s);
}
