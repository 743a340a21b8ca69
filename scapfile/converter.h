/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Old events become current ones (scap format, "Converting old events"), for this folder's files
 * and tests. converter.c decides what is to be done with an event, enters.c keeps enter events for
 * the exit events of their threads, steps.c walks an event through the rows of the table, and
 * plan.c has what the steps make of events of one kind, worked out once.
 */
#ifndef SCAPFILE_CONVERTER_H
#define SCAPFILE_CONVERTER_H

#include <string.h>

#include "base/archive.h"
#include "base/error.h"
#include "base/map.h"
#include "base/pool.h"
#include "scapfile/event.h"
#include "scapfile/format.h"

#define CONV_STEPS_MAX	50	    /* a chain that needs as many is refused */
#define CONV_EVENT_MAX	65536	    /* header, lengths and parameters of an event in conversion */
#define CONV_STORED_MAX 262144	    /* threads with a stored enter event; the oldest gives way */
#define CONV_BYTES_MAX	(64u << 20) /* what the stored events may take together, likewise */
#define CONV_IDLE_MAX	1024	    /* records ready for the next event of their threads, and */
#define CONV_IDLE_SHARE 4	    /* as many more as one for so many threads with an event */
#define CONV_RECENT	256	    /* records that are found at once */
#define CONV_SMALL	64	    /* bytes that are copied at once */
#define CONV_ROOM	128	    /* of the usual record; larger ones are made for one event */
#define CONV_COST	40	    /* what an event counts besides its lengths and parameters */

/* ---- the table (generated converter_table.c) ---- */

enum conv_action { CONV_STORE, CONV_STORE_AND_PASS, CONV_PASS, CONV_ADD_PARAMS, CONV_CHANGE_TYPE };

enum conv_from {
	CONV_OLD,
	CONV_ENTER_OR_DEFAULT,
	CONV_ENTER_OR_EMPTY,
	CONV_DEFAULT,
	CONV_EMPTY,
	CONV_CONTAINER_JSON,
};

struct conv_source {   /* where a parameter of the result comes from */
	uint8_t from;  /* enum conv_from */
	uint8_t index; /* of the old or stored event's parameter */
};

struct conv_row {
	uint16_t type, result;
	uint16_t first_source; /* @nparams_out sources for ADD_PARAMS and CHANGE_TYPE */
	uint8_t nparams_in, nparams_out;
	uint8_t action; /* enum conv_action */
};

extern const struct conv_source conv_sources[];
extern const struct conv_row conv_rows[]; /* ordered by type */
extern const uint16_t conv_first_row[EV_TYPE_COUNT + 1];

/* The row for @nparams parameters, or NULL. */
static inline const struct conv_row *conv_find_row(unsigned type, unsigned nparams)
{
	for (unsigned i = conv_first_row[type]; i < conv_first_row[type + 1]; i++)
		if (conv_rows[i].nparams_in == nparams)
			return &conv_rows[i];
	return NULL;
}

/* Does the step of @row take from the stored enter event? */
bool conv_row_uses_enter(const struct conv_row *row);

enum conv_fate { CONV_FATE_PASS, CONV_FATE_CONVERT, CONV_FATE_DROP, CONV_FATE_ERROR };

/* What is to be done with an event of @type with @nparams parameters. */
static inline enum conv_fate conv_judge(unsigned type, unsigned nparams)
{
	const struct ev_info *info = &ev_table[type];
	bool old = info->flags & EF_OLD_VERSION, exit_event = ev_type_is_exit(type);

	if (info->flags & EF_UNUSED)
		return CONV_FATE_DROP;
	if (!(info->flags & EF_CONVERTER_MANAGED))
		return !old ? CONV_FATE_PASS : exit_event ? CONV_FATE_ERROR : CONV_FATE_DROP;
	if (!exit_event)
		return CONV_FATE_CONVERT;
	if (nparams > info->nparams)
		return CONV_FATE_ERROR;
	return old || nparams != info->nparams ? CONV_FATE_CONVERT : CONV_FATE_PASS;
}

/* Is a current, complete event that needs no conversion: the common case, decided from the tables
 * alone. */
static inline bool conv_not_needed(const struct ev *ev)
{
	const struct ev_info *info = &ev_table[ev->type];
	unsigned kind = info->flags & (EF_UNUSED | EF_OLD_VERSION | EF_CONVERTER_MANAGED);

	return kind == 0 || (kind == EF_CONVERTER_MANAGED && ev_type_is_exit(ev->type) &&
			     ev->nparams == info->nparams);
}

/* Bytes of header, lengths and parameters. */
static inline size_t conv_event_size(unsigned type, unsigned nparams, size_t bytes)
{
	bool wide = ev_table[type].flags & EF_LARGE_PAYLOAD;

	return SF_HEADER_V2 + (size_t)nparams * (wide ? 4 : 2) + bytes;
}

/* ---- enter events that wait for the exit events of their threads (enters.c) ---- */

struct conv_params { /* of an event, as they lie */
	uint16_t type, nparams;
	const uint8_t *lens; /* @nparams lengths, u16: what is converted has no wide ones */
	const uint8_t *data;
};

static inline struct ev_value conv_param(const struct conv_params *p, unsigned i)
{
	const uint8_t *at = p->data;

	for (unsigned k = 0; k < i; k++)
		at += load_u16(p->lens + 2 * k);
	return (struct ev_value){at, load_u16(p->lens + 2 * i)};
}

/* Those of @ev, which is not wide. */
static inline struct conv_params conv_params_of(const struct ev *ev)
{
	return (struct conv_params){
	    .type = ev->type, .nparams = ev->nparams, .lens = ev->lens, .data = ev->data};
}

/* What a thread's enter event is kept in. The same one serves for the thread's next. */
struct conv_enter {
	struct conv_enter *older, *newer; /* by when an event was kept in them last */
	int64_t tid;
	uint32_t room, bytes;
	uint16_t type, nparams;
	bool waits;	 /* there is an event in it */
	uint8_t lying[]; /* its lengths and parameters: @bytes of @room */
};

struct conv_enters {
	struct map by_tid; /* struct conv_enter */
	struct pool pool;
	struct conv_enter *oldest, *newest;
	size_t waiting, bytes; /* how many wait, and what they count of CONV_BYTES_MAX */
	struct conv_enter *recent[CONV_RECENT]; /* by low bits of the thread's number, or NULL */
};

static inline struct conv_params conv_enter_params(const struct conv_enter *e)
{
	return (struct conv_params){.type = e->type,
				    .nparams = e->nparams,
				    .lens = e->lying,
				    .data = e->lying + 2 * e->nparams};
}

/* The slow half of conv_enters_record(). */
struct conv_enter *conv_enters_seek(struct conv_enters *s, int64_t tid);

/* What is for @tid's events, or NULL. */
static inline struct conv_enter *conv_enters_record(struct conv_enters *s, int64_t tid)
{
	struct conv_enter *e = s->recent[(uint64_t)tid % CONV_RECENT];

	return LIKELY(e && e->tid == tid) ? e : conv_enters_seek(s, tid);
}

/* The event that waits for one of @tid, or NULL. */
static inline struct conv_enter *conv_enters_find(struct conv_enters *s, int64_t tid)
{
	struct conv_enter *e = conv_enters_record(s, tid);

	return e && e->waits ? e : NULL;
}

/*
 * Keep a copy of an event for @tid, in place of any earlier one: @p, of which the parameters have
 * @n bytes. Return: 0, or ERR_NOMEM.
 */
MUST_CHECK int conv_enters_keep(struct conv_enters *s, int64_t tid, const struct conv_params *p,
				uint32_t n);

/* May an event of @need bytes be added? */
static inline bool conv_enters_has_room(const struct conv_enters *s, uint32_t need)
{
	return s->waiting < CONV_STORED_MAX && s->bytes + need + CONV_COST <= CONV_BYTES_MAX;
}

/* In @e waits an event of @need bytes, of which there was none. */
static inline void conv_enters_begin(struct conv_enters *s, struct conv_enter *e, uint32_t need)
{
	e->waits = true;
	e->bytes = need;
	s->waiting++;
	s->bytes += CONV_COST + need;
}

static inline void conv_enters_end(struct conv_enters *s, struct conv_enter *e)
{
	if (!e->waits)
		return;
	e->waits = false;
	s->waiting--;
	s->bytes -= CONV_COST + e->bytes;
}

/* The record for an event of @tid that takes @need bytes, waiting from now on. NULL: no memory. */
struct conv_enter *conv_enters_take(struct conv_enters *s, int64_t tid, uint32_t need);

/*
 * As conv_enters_keep() for an event whose parameters lie behind their lengths: @need bytes in all,
 * at most CONV_SMALL, as many as can be read there in any case.
 */
MUST_CHECK static ALWAYS_INLINE int conv_enters_keep_small(struct conv_enters *s, int64_t tid,
							   const struct conv_params *p,
							   uint32_t need)
{
	struct conv_enter *e = s->recent[(uint64_t)tid % CONV_RECENT];

	_Static_assert(CONV_SMALL <= CONV_ROOM, "small events are kept in usual records");
	if (LIKELY(e && e->tid == tid && e == s->newest && !e->waits && e->room == CONV_ROOM &&
		   conv_enters_has_room(s, need)))
		conv_enters_begin(s, e, need);
	else if (!(e = conv_enters_take(s, tid, need)))
		return ERR_NOMEM;
	e->type = p->type;
	e->nparams = p->nparams;
	memcpy(e->lying, p->lens, CONV_SMALL);
	return 0;
}

/* What cannot stay as it is when nothing waits in @e any more. */
void conv_enters_tidy(struct conv_enters *s, struct conv_enter *e);

/* @e waits no longer, and what it holds may be gone. */
static inline void conv_enters_use(struct conv_enters *s, struct conv_enter *e)
{
	conv_enters_end(s, e);
	if (UNLIKELY(e->room > CONV_ROOM || s->by_tid.count > CONV_IDLE_MAX))
		conv_enters_tidy(s, e);
}

void conv_enters_reset(struct conv_enters *s);
void conv_enters_done(struct conv_enters *s);

/* ---- steps (steps.c) ---- */

enum conv_result {
	CONV_DELIVER,
	CONV_DROP,	  /* not wanted in this form */
	CONV_DROP_STORED, /* kept for the exit event */
	CONV_ERROR,
};

struct conv_work { /* an event in conversion: its parameters are only pointed to */
	unsigned type, nparams;
	struct ev_value params[EV_PARAMS_MAX];
	const struct conv_params *enter; /* the event stored for the thread, or NULL */
	unsigned steps;			 /* made */
	bool used;			 /* @enter, by a step; those behind it find none */
	bool stores;			 /* the result is to be kept for the exit event */
	bool depends_on_bytes;		 /* on what is in the parameters */
	char *json;			 /* CONV_EVENT_MAX bytes to write in */
};

/* Walk @w through the rows of the table. Return: enum conv_result; @why: for CONV_ERROR. */
enum conv_result conv_walk(struct conv_work *w, const char **why);

/* What defaults are made of: zeros, and the id that means "none". */
#define CONV_ZEROS 31
#define CONV_ID	   4
extern const uint8_t conv_defaults[CONV_ZEROS + CONV_ID];

/* ---- plans (plan.c) ---- */

enum conv_origin { CONV_FROM_OLD, CONV_FROM_ENTER, CONV_FROM_DEFAULTS, CONV_ORIGINS };

struct conv_run { /* parameters of the result that lie one behind the other where they come from */
	uint8_t origin; /* enum conv_origin */
	uint8_t first, count;
};

struct conv_form { /* what the steps make of an event */
	bool known;
	bool uses_enter;
	uint16_t type;
	uint8_t nparams, nruns;
	struct conv_run runs[EV_PARAMS_MAX];
	struct conv_place { /* the same for each parameter */
		uint8_t origin, index;
	} places[EV_PARAMS_MAX];
	uint16_t most[EV_PARAMS_MAX]; /* bytes of a parameter that is not cut */
};

struct conv_plan { /* for events that a row of the table is about */
	bool made;
	bool as_is;	     /* nothing is made of it, or */
	bool stores;	     /* is kept as it is; else: */
	bool pairs;	     /* an exit event that, behind an enter event, takes from that */
	bool wants_enter;    /* a step takes from the stored enter event, */
	uint16_t enter_type; /* which has to be of this type */
	uint8_t enter_needs; /* and must have as many parameters */
	struct conv_form alone, behind_enter;
};

/* What events of a type were like last. If the next one is, too, its parameters need not be
 * walked. */
struct conv_usual {
	uint64_t start;		      /* of the last block: its type and length, */
	uint64_t words[3], masks[3];  /* and from the event's length on */
	const struct conv_plan *plan; /* NULL: nothing is known */
	uint32_t total;		      /* length of its block; UINT32_MAX: none was seen there */
	uint32_t need;		      /* of its lengths and parameters */
	uint16_t type, nparams;
	uint16_t lens_at, data_at; /* in the block */
};

struct conv_plans {
	struct conv_usual usual[EV_TYPE_COUNT];
	/* Which plan is for an event of a type with so many parameters, plus one; 0: none. */
	uint8_t which[EV_TYPE_COUNT][EV_PARAMS_MAX + 1];
	struct conv_plan list[]; /* one for each row */
};

/* As many bytes of parameters an old event and its enter event may have each for the plan to be
 * followed: no step makes such events too large. */
#define CONV_PLANNED_MAX 2000

/* Is an enter event of @type with @nparams parameters, at most CONV_PLANNED_MAX bytes, one that @p
 * is made for? */
static inline bool conv_is_planned(const struct conv_plan *p, unsigned type, unsigned nparams)
{
	return type == p->enter_type && nparams >= p->enter_needs;
}

extern const struct conv_params conv_default_params;
extern const struct conv_plan conv_plan_as_is;

/* To be freed by the caller; no plan is made yet. NULL: no memory. */
struct conv_plans *conv_plans_new(void);
void conv_plan_make(struct conv_plan *p, const struct conv_row *row);

/* ---- all of it (converter.c) ---- */

struct conv_due { /* an event whose current form is known, but has not been made */
	const struct conv_form *form; /* NULL: nothing is due */
	struct conv_enter *enter;     /* what is taken from is kept in it, or NULL */
	struct conv_params from[CONV_ORIGINS];
};

struct converter {
	struct conv_enters enters;
	struct conv_due due;
	struct conv_plans *plans; /* NULL: nothing has been converted yet */
	uint8_t lens[EV_PARAMS_MAX * 4];
	uint8_t data[CONV_EVENT_MAX];
	char json[CONV_EVENT_MAX];
};

void conv_done(struct converter *c);
/* Forget all stored events: a section starts. */
void conv_reset(struct converter *c);
/* Save what is stored, or restore it into a new converter. Return: 0, or ERR_NOMEM; see @a. */
MUST_CHECK int conv_archive(struct converter *c, struct archive *a);
/*
 * Bring @ev to its current form; its bytes then lie in the block or in @c.
 * Return: enum conv_result (@why: static text for CONV_ERROR), or ERR_NOMEM.
 */
MUST_CHECK int conv_apply(struct converter *c, struct ev *ev, const char **why);

/*
 * The same in two parts: conv_start() may leave @c->due behind an event to be delivered, and either
 * conv_finish() or conv_skip() follows, the latter if nobody wants to see the event.
 */
MUST_CHECK int conv_start(struct converter *c, struct ev *ev, const char **why);
/* Let what @form makes of @p be due. @enter: of the enter event, if @form takes from it; @e: where
 * that is kept, or NULL. */
void conv_set_due(struct converter *c, const struct conv_form *form, const struct conv_params *p,
		  const struct conv_params *enter, struct conv_enter *e);
void conv_finish(struct converter *c, struct ev *ev);
void conv_skip(struct converter *c);

#endif
