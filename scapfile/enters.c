/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enter events that wait for the exit events of their threads. A thread's next call finds the
 * record of its last one: nothing is allocated, and nothing put into the table or taken out of it,
 * from call to call.
 */
#include "scapfile/converter.h"

#include <string.h>

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

static struct conv_enter **recent(struct conv_enters *s, int64_t tid)
{
	return &s->recent[(uint64_t)tid % CONV_RECENT];
}

struct conv_enter *conv_enters_seek(struct conv_enters *s, int64_t tid)
{
	struct conv_enter *e = map_get(&s->by_tid, (uint64_t)tid);

	if (e)
		*recent(s, tid) = e;
	return e;
}

static void forget(struct conv_enters *s, struct conv_enter *e)
{
	conv_enters_end(s, e);
	take_out(s, e);
	map_take(&s->by_tid, (uint64_t)e->tid);
	if (*recent(s, e->tid) == e)
		*recent(s, e->tid) = NULL;
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
	*recent(s, tid) = e;
	return e;
}

struct conv_enter *conv_enters_take(struct conv_enters *s, int64_t tid, uint32_t need)
{
	uint32_t room = need > CONV_ROOM ? need : CONV_ROOM;
	struct conv_enter *e = conv_enters_record(s, tid);

	if (LIKELY(e))
		conv_enters_end(s, e);
	if (UNLIKELY(e && e->room != room)) {
		forget(s, e);
		e = NULL;
	}
	if (UNLIKELY(!e)) {
		e = new_record(s, tid, room);
		if (!e)
			return NULL;
	} else if (e != s->newest) {
		take_out(s, e);
		append(s, e);
	}
	while (UNLIKELY(!conv_enters_has_room(s, need)))
		forget(s, s->oldest);
	conv_enters_begin(s, e, need);
	return e;
}

int conv_enters_keep(struct conv_enters *s, int64_t tid, const struct conv_params *p, uint32_t n)
{
	uint32_t lens = 2u * p->nparams;
	struct conv_enter *e = conv_enters_take(s, tid, lens + n);

	if (!e)
		return ERR_NOMEM;
	e->type = p->type;
	e->nparams = p->nparams;
	memcpy(e->lying, p->lens, lens);
	if (n)
		memcpy(e->lying + lens, p->data, n);
	return 0;
}

void conv_enters_tidy(struct conv_enters *s, struct conv_enter *e)
{
	if (e->room > CONV_ROOM)
		forget(s, e);
	else if (s->by_tid.count > s->waiting + s->waiting / CONV_IDLE_SHARE + CONV_IDLE_MAX)
		forget_idle(s);
}
