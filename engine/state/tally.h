/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of events that are passed where they lie (state_pass_on()): of most of them a count
 * and that they came in order of time and from a thread that was there before. The few that say
 * more are told, one by one.
 * Units: nanoseconds since the epoch. Ownership: the caller's storage. Threads: as the state.
 */
#ifndef ENGINE_STATE_TALLY_H
#define ENGINE_STATE_TALLY_H

#include <string.h>

#include "engine/state/state.h"

#define STATE_TALLY_THREADS 256

/* Which events of a type are told, because of what they are. */
enum state_tell {
	STATE_TELL_ALL = 1,
	STATE_TELL_SOCKETS = 2, /* those about an IP or UNIX socket */
	STATE_TELL_MARKED = 4,	/* those about a descriptor with a mark */
	STATE_TELL_DEVICES = 8, /* those about a file in /dev */
	STATE_TELL_SAMPLE = 16, /* visible ones now and then: see state_tally.to_sample */
};
#define STATE_TELL_BY_FD (STATE_TELL_SOCKETS | STATE_TELL_MARKED | STATE_TELL_DEVICES)

/* Why one is told: one or more of */
enum state_why {
	STATE_WHY_ASKED = 1,
	STATE_WHY_SAMPLE = 2, /* it is the one that @to_sample counted down to */
	STATE_WHY_THREAD = 4, /* it is not known whether its thread was there before */
	STATE_WHY_TIME =
	    8, /* it is not later than what lies before state_tally.after, which stays */
	STATE_WHY_HIDDEN = 16, /* it is not visible: neither counts nor @after include it */
};

struct state_tally {
	/*
	 * Is told of an event for @why, once the state took it. It may change the tally. NULL:
	 * nobody.
	 */
	void (*told)(void *arg, const struct state_passed *e, unsigned why);
	void *arg;
	uint8_t tell[EV_TYPE_COUNT];	/* bits of enum state_tell */
	uint64_t after;			/* visible events are later than what lies before this */
	uint64_t counts[EV_TYPE_COUNT]; /* of visible events */
	uint32_t to_sample;
	int64_t threads[STATE_TALLY_THREADS]; /* that were there, by the low bits of their ids */
};

/* An event of @tid is there. Return: whether that was known. */
static inline bool state_tally_thread(struct state_tally *t, int64_t tid)
{
	int64_t *known = &t->threads[(uint64_t)tid % STATE_TALLY_THREADS];

	if (LIKELY(*known == tid))
		return true;
	*known = tid;
	return false;
}

static inline void state_tally_forget_threads(struct state_tally *t)
{
	for (unsigned i = 0; i < STATE_TALLY_THREADS; i++)
		t->threads[i] = INT64_MIN;
}

/* From now on events later than @ts are in order; UINT64_MAX: none. */
static inline void state_tally_go_on(struct state_tally *t, uint64_t ts)
{
	t->after = ts == UINT64_MAX ? ts : ts + 1;
}

/* Is an event's descriptor of interest: to whoever is told, or to decide that? */
static inline bool state_tally_needs_fd(const struct state_tally *t, unsigned type)
{
	return t->tell[type] & (STATE_TELL_ALL | STATE_TELL_BY_FD);
}

/* Is @fd what STATE_TELL_BY_FD of @tell asks for? */
static inline bool state_tally_asks_for(unsigned tell, const struct state_fd *fd)
{
	switch ((enum ev_fd_type)fd->type) {
	case EV_FD_IPV4_SOCK:
	case EV_FD_IPV6_SOCK:
	case EV_FD_IPV4_SERVSOCK:
	case EV_FD_IPV6_SERVSOCK:
	case EV_FD_UNIX_SOCK:
		if (tell & STATE_TELL_SOCKETS)
			return true;
		break;
	case EV_FD_FILE:
	case EV_FD_FILE_V2:
		if (tell & STATE_TELL_DEVICES && fd->name && fd->name->len > 5 &&
		    memcmp(fd->name->text, "/dev/", 5) == 0)
			return true;
		break;
	default:
		break;
	}
	return tell & STATE_TELL_MARKED && fd->mark;
}

/* Why an event is told, as far as it decides. @fd: may be NULL if it does not. */
static inline unsigned state_tally_asks(struct state_tally *t, unsigned tell,
					const struct state_fd *fd, bool visible)
{
	unsigned why = tell & STATE_TELL_ALL ? STATE_WHY_ASKED : 0;

	if (tell & STATE_TELL_SAMPLE && visible && --t->to_sample == 0)
		why |= STATE_WHY_SAMPLE;
	if (tell & STATE_TELL_BY_FD && fd && state_tally_asks_for(tell, fd))
		why |= STATE_WHY_ASKED;
	return why;
}

/* An event was passed. Return: why it is to be told, 0: it is not. */
static ALWAYS_INLINE unsigned state_tally_add(struct state_tally *t, unsigned type, uint64_t ts,
					      int64_t tid, const struct state_fd *fd, bool visible)
{
	unsigned why = state_tally_thread(t, tid) ? 0 : STATE_WHY_THREAD;

	if (LIKELY(visible)) {
		t->counts[type]++;
		if (LIKELY(ts + 1 > t->after))
			t->after = ts + 1;
		else
			why |= STATE_WHY_TIME;
	} else {
		why |= STATE_WHY_HIDDEN;
	}
	if (UNLIKELY(t->tell[type]))
		why |= state_tally_asks(t, t->tell[type], fd, visible);
	return why;
}

#endif
