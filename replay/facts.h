/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a capture holds, in one answer: gathered on one pass over it, by 'scapula info' or while its
 * index is made, which keeps it.
 * Units: nanoseconds since the epoch, 0: not known; bytes. Ownership: everything belongs to the
 * facts, until run_facts_done(). Threads: one thread at a time.
 */
#ifndef REPLAY_FACTS_H
#define REPLAY_FACTS_H

#include "base/archive.h"
#include "base/arena.h"
#include "engine/state/state.h"
#include "scapfile/scapfile.h"

#define RUN_FACTS_CONTAINERS_MAX 1000 /* described; further ones are only counted */
#define RUN_FACTS_USERS_MAX	 1000
#define RUN_FACTS_EXEC		 (-1)
#define RUN_FACTS_SAMPLE	 16	  /* of so many buffers one is looked at */
#define RUN_FACTS_STEP_NS	 10000000 /* a clock that goes back so far was set */

enum run_capability {
#define CAPABILITY(sym, name, param, list, count, fields, what) RUN_CAPABILITY_##sym,
#include "replay/capabilities.def"
#undef CAPABILITY
	RUN_CAPABILITIES
};

struct run_capability_info {
	const char *name, *fields, *what; /* @fields: names, a blank between them */
	const char *param;		  /* of executions; "": none */
};
extern const struct run_capability_info run_capabilities[RUN_CAPABILITIES];

struct run_capability_count {
	uint64_t of, have; /* processes and executions that could tell, and do; @of 0: none could */
};

struct run_losses { /* what the recorder says it lost */
	uint64_t records, events;
	uint64_t from, to; /* from the first to the last */
	uint64_t by_reason[EV_LOSS_REASONS];
	uint64_t by_type[EV_TYPE_COUNT];
	uint64_t of_other_types; /* or of types the record does not name */
};

struct run_fact_container {
	struct sv id, name, image, type; /* all but @id may be empty */
};

struct run_fact_user { /* whose processes were there, or who executed something */
	uint32_t uid;
	struct sv name; /* "": not known */
};

struct run_facts {
	struct sf_stats stats;
	struct state_stats state;
	uint64_t visible;		 /* events that are shown */
	uint64_t by_type[EV_TYPE_COUNT]; /* visible ones */
	struct run_losses losses;
	bool machine_known;
	struct sv hostname;
	uint32_t num_cpus;
	uint64_t memory_bytes, boot_ts;
	uint64_t threads, processes, fds, interfaces, users, groups; /* at the start */
	struct run_capability_count capabilities[RUN_CAPABILITIES];
	uint64_t buffers, buffers_cut; /* looked at; shorter than what was read or written */
	uint64_t buffer_max;	       /* bytes of the longest */
	uint64_t steps, step_max;      /* of times that go back; the widest, ns */
	struct run_fact_container *containers;
	size_t container_count;
	uint64_t containers_more; /* not described */
	struct run_fact_user *people;
	size_t people_count;
	uint64_t people_more;
	struct sv *comments;
	size_t comment_count;
	struct sf_gap *gaps; /* the first ones; all: stats.gaps */
	size_t gap_count;
	/* While they are gathered: */
	struct arena arena;
	struct smap known_containers;
	struct map known_users;
	uint64_t last_ts;	      /* of the last visible event */
	int8_t closer[EV_TYPE_COUNT]; /* 0, the buffer of a type that has one, or RUN_FACTS_EXEC */
	int8_t exec_param[RUN_CAPABILITIES];
	uint32_t to_sample;
	bool began, nomem;
};

void run_facts_init(struct run_facts *f);
void run_facts_done(struct run_facts *f);
/* Each item, before the state takes it. */
void run_facts_item(struct run_facts *f, const struct ev_item *item);
/* For run_facts_event(). */
void run_facts_begin(struct run_facts *f, const struct state *st);
void run_facts_step_back(struct run_facts *f, unsigned type, uint64_t ts);
void run_facts_look(struct run_facts *f, const struct state_binding *b);
/* What run_facts_look() makes of a call that gave @ret and has a buffer of @n bytes. */
void run_facts_buffer(struct run_facts *f, size_t n, int64_t ret);
/* When a visible event was. */
static inline void run_facts_time(struct run_facts *f, unsigned type, uint64_t ts)
{
	if (LIKELY(ts >= f->last_ts && ts != UINT64_MAX))
		f->last_ts = ts;
	else
		run_facts_step_back(f, type, ts);
}
/* A visible event, of which no more is known yet. Return: whether run_facts_look() wants to see it.
 */
static inline bool run_facts_count(struct run_facts *f, unsigned type, uint64_t ts)
{
	int8_t closer = f->closer[type];

	f->by_type[type]++;
	run_facts_time(f, type, ts);
	return closer && (closer == RUN_FACTS_EXEC || --f->to_sample == 0);
}
/* After each state_feed() or state_pass() that returned 1. */
static inline void run_facts_event(struct run_facts *f, const struct state *st,
				   const struct state_binding *b)
{
	if (UNLIKELY(!f->began))
		run_facts_begin(f, st);
	if (LIKELY(b->visible) && run_facts_count(f, b->ev->type, b->ev->ts))
		run_facts_look(f, b);
}
/* The capture is over. Return: 0 or ERR_NOMEM. */
MUST_CHECK int run_facts_end(struct run_facts *f, const struct sf_reader *r, const struct state *st,
			     struct error *err);
/* To bytes; or from them, into facts that are new. What makes no sense is trouble of the archive,
 * texts are copied. Return: 0 or ERR_NOMEM. */
MUST_CHECK int run_facts_archive(struct run_facts *f, struct archive *a);

#endif
