/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Old events become current ones (scap format, "Converting old events"), for this folder's files
 * and tests. converter.c decides what is to be done with an event, enters.c keeps enter events for
 * the exit events of their threads, steps.c walks an event through the rows of the table, and
 * plan.c has what the steps make of events of one kind, worked out once.
 */
#ifndef SCAPFILE_CONVERTER_H
#define SCAPFILE_CONVERTER_H

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

struct conv_params { /* of an event */
	uint16_t type, nparams;
	const uint32_t *at; /* @nparams + 1 offsets in @data */
	const uint8_t *data;
};

static inline struct ev_value conv_param(const struct conv_params *p, unsigned i)
{
	return (struct ev_value){p->data + p->at[i], p->at[i + 1] - p->at[i]};
}

/* What a thread's enter event is kept in. The same one serves for the thread's next. */
struct conv_enter {
	struct conv_enter *older, *newer; /* by when an event was kept in them last */
	int64_t tid;
	size_t cost; /* what it counts of CONV_BYTES_MAX */
	uint32_t room;
	uint16_t type, nparams;
	bool waits;    /* there is an event in it */
	uint32_t at[]; /* @nparams + 1 offsets, then the parameters: @room bytes */
};

struct conv_enters {
	struct map by_tid; /* struct conv_enter */
	struct pool pool;
	struct conv_enter *oldest, *newest;
	size_t waiting, bytes; /* how many wait, and their cost */
};

static inline struct conv_params conv_enter_params(const struct conv_enter *e)
{
	return (struct conv_params){.type = e->type,
				    .nparams = e->nparams,
				    .at = e->at,
				    .data = (const uint8_t *)(e->at + e->nparams + 1)};
}

/* The event that waits for one of @tid, or NULL. */
static inline struct conv_enter *conv_enters_find(const struct conv_enters *s, int64_t tid)
{
	struct conv_enter *e = map_get(&s->by_tid, (uint64_t)tid);

	return e && e->waits ? e : NULL;
}

/* Keep a copy of @ev, whose parameters are located, for its thread, in place of any earlier one.
 * Return: 0, or ERR_NOMEM. */
MUST_CHECK int conv_enters_keep(struct conv_enters *s, const struct ev *ev);
/* @e waits no longer, and what it holds may be gone. */
void conv_enters_use(struct conv_enters *s, struct conv_enter *e);
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
	uint16_t most[EV_PARAMS_MAX]; /* bytes of a parameter that is not cut */
};

struct conv_plan { /* for events that a row of the table is about */
	bool made;
	bool stores;	     /* is kept as it is; else: */
	bool wants_enter;    /* a step takes from the stored enter event, */
	uint16_t enter_type; /* which has to be of this type */
	uint8_t enter_needs; /* and must have as many parameters */
	struct conv_form alone, behind_enter;
};

struct conv_plans {
	/* Which plan is for an event of a type with so many parameters, plus one; 0: none. */
	uint8_t which[EV_TYPE_COUNT][EV_PARAMS_MAX + 1];
	struct conv_plan list[]; /* one for each row */
};

/* As many bytes of parameters an old event and its enter event may have each for the plan to be
 * followed: no step makes such events too large. */
#define CONV_PLANNED_MAX 2000

extern const struct conv_params conv_default_params;

/* To be freed by the caller; no plan is made yet. NULL: no memory. */
struct conv_plans *conv_plans_new(void);
void conv_plan_make(struct conv_plan *p, const struct conv_row *row);

/* ---- all of it (converter.c) ---- */

struct conv_due { /* an event whose current form is known, but has not been made */
	const struct conv_form *form; /* NULL: nothing is due */
	struct conv_enter *enter;     /* or NULL */
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
void conv_finish(struct converter *c, struct ev *ev);
void conv_skip(struct converter *c);
/* Parameter @i of the event that is due, if it is 8 bytes. Return: false if it is not. */
bool conv_due_i64(const struct conv_due *due, unsigned i, int64_t *out);

#endif
