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
#include "scapfile/row.h"

#define STATE_TALLY_THREADS 256

/* Which events of a type are told, because of what they are. */
enum state_tell {
	STATE_TELL_ALL = 1,
	STATE_TELL_SOCKETS = 2, /* those about an IP or UNIX socket */
	STATE_TELL_MARKED = 4,	/* those about a descriptor with a mark */
	STATE_TELL_DEVICES = 8, /* those about a file in /dev */
	STATE_TELL_SAMPLE = 16, /* visible ones now and then: see state_tally.to_sample */
	STATE_TELL_FILES = 32,	/* those about a file */
	STATE_TELL_NUMBER = 64, /* by state_tally.told_number, if it takes them */
};
#define STATE_TELL_BY_FD                                                                           \
	(STATE_TELL_SOCKETS | STATE_TELL_MARKED | STATE_TELL_DEVICES | STATE_TELL_FILES)

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
	/*
	 * Is told instead of a visible event of a type with STATE_TELL_NUMBER that was only asked
	 * for: @value is the parameter that state_way_tells_number() was given. Return: false:
	 * @told is to be told of it.
	 */
	bool (*told_number)(void *arg, unsigned type, const struct state_thread *t,
			    const struct state_fd *fd, uint64_t ts, int64_t value);
	void *arg;
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

/* Events on @way are told by parameter @i, of the first four, if all up to it are numbers. */
static inline void state_way_tells_number(struct state_way *way, unsigned i)
{
	way->tell |= STATE_TELL_NUMBER;
	way->number = (uint16_t)(way->start + 8u * i);
	way->numbers = sf_row_numbers(i + 1);
}

/* Is an event's descriptor of interest to whoever is told @tell, or to decide that? */
static inline bool state_tally_needs_fd(unsigned tell)
{
	return tell & (STATE_TELL_ALL | STATE_TELL_BY_FD);
}

static inline bool state_tally_is_device(const struct state_fd *fd)
{
	static const char dev[] = "/dev/";
	const struct state_str *name = fd->name;

	/* Four bytes are compared at once, five by a call. */
	return name && name->len > 5 && memcmp(name->text, dev, 4) == 0 && name->text[4] == dev[4];
}

/* Which bits of STATE_TELL_BY_FD a descriptor of @type can fulfil. */
static inline unsigned state_tally_by_type(int8_t type)
{
	enum { TYPES = 32, FILES = STATE_TELL_FILES | STATE_TELL_DEVICES };
	static const uint8_t of[TYPES] = {
	    [EV_FD_IPV4_SOCK] = STATE_TELL_SOCKETS,
	    [EV_FD_IPV6_SOCK] = STATE_TELL_SOCKETS,
	    [EV_FD_IPV4_SERVSOCK] = STATE_TELL_SOCKETS,
	    [EV_FD_IPV6_SERVSOCK] = STATE_TELL_SOCKETS,
	    [EV_FD_UNIX_SOCK] = STATE_TELL_SOCKETS,
	    [EV_FD_FILE] = FILES,
	    [EV_FD_FILE_V2] = FILES,
	};

	return of[(uint8_t)type % TYPES] | STATE_TELL_MARKED; /* EV_FD_UNINITIALIZED is negative */
}

/* Does @fd, which may be NULL, or the type as such decide that an event is told? */
static ALWAYS_INLINE bool state_tally_is_asked_for(unsigned tell, const struct state_fd *fd)
{
	unsigned by_fd = fd ? tell & state_tally_by_type(fd->type) : 0;

	if (tell & STATE_TELL_ALL)
		return true;
	return by_fd && (by_fd & (STATE_TELL_SOCKETS | STATE_TELL_FILES) ||
			 (by_fd & STATE_TELL_MARKED && fd->mark) ||
			 (by_fd & STATE_TELL_DEVICES && state_tally_is_device(fd)));
}

/* An event whose type is to be told as @tell says was passed. Return: why it is, 0: it is not. */
static ALWAYS_INLINE unsigned state_tally_add(struct state_tally *t, unsigned type, unsigned tell,
					      uint64_t ts, int64_t tid, const struct state_fd *fd,
					      bool visible)
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
	if (!tell)
		return why;
	if (tell & STATE_TELL_SAMPLE && visible && --t->to_sample == 0)
		why |= STATE_WHY_SAMPLE;
	if (state_tally_is_asked_for(tell, fd))
		why |= STATE_WHY_ASKED;
	return why;
}

#endif
