/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usual old events in brief, as they lie in a reader's window, for who wants little of most of
 * them: what an old event becomes is told without making it, and enter events that their exit
 * events wait for are kept on the way. An old event is usual if it is small, has as many parameters
 * as the last one of its type, which was looked at closely, and there is nothing to complain of: as
 * with rows (scapfile/row.h), all checks of framing and decoding are made here once more, in one
 * go. What is not usual ends them; the reader's source delivers it.
 * Between sf_briefs_begin() and sf_briefs_end() or sf_briefs_deliver() nothing else is asked of the
 * reader.
 */
#ifndef SCAPFILE_BRIEF_H
#define SCAPFILE_BRIEF_H

#include <string.h>

#include "scapfile/calls.h"
#include "scapfile/converter.h"
#include "scapfile/row.h"

#define SF_BRIEF_LEFT (SF_ROW_LENS + CONV_SMALL) /* bytes in the window that a look may read */
_Static_assert(SF_BRIEF_LEFT >= SF_ROW_LENS + 2 * SF_ROW_ATONCE, "lengths that are added at once");

struct sf_briefs {
	const uint8_t *at, *end; /* the next block; the end of the window */
	uint64_t end_offset;
	struct converter *conv;
	uint64_t stored, passed; /* events */
};

struct sf_seen {	  /* a usual old event */
	const uint8_t *p; /* its block */
	const struct conv_usual *usual;
};

struct sf_brief { /* the next event that is not kept */
	struct sf_seen own;
	const struct conv_form *form; /* what becomes of it; NULL: it is delivered as it is */
	struct sf_seen enter;	      /* its enter event, if that lies before it: not kept then */
	struct conv_enter *record;    /* what the event is kept in that waits for it, or NULL */
};

/* Return: false if @r is not between two events of a section, or has not converted any. */
bool sf_briefs_begin(struct sf_reader *r, struct sf_briefs *b);
/* Go on behind what was passed. */
void sf_briefs_end(struct sf_reader *r, const struct sf_briefs *b);
/* Let @e, which is passed, be @ev, but for its number. */
void sf_brief_make(struct sf_briefs *b, const struct sf_brief *e, struct ev *ev);
/* End them with @e, delivered: as by ev_source_next(). */
void sf_briefs_deliver(struct sf_reader *r, struct sf_briefs *b, const struct sf_brief *e,
		       struct ev_item *item);

/* Is what begins at @p, of the type that @usual is for, usual, if it is not as the last one? */
bool sf_brief_look_closely(struct conv_usual *usual, const uint8_t *p, size_t left);

/* Is the block at @p a usual old event? Return: what is to be done with it, or NULL. */
static ALWAYS_INLINE const struct conv_plan *sf_brief_look(const struct sf_briefs *b,
							   const uint8_t *p, struct sf_seen *e)
{
	const uint8_t *len = p + SF_ROW_HEADER + 16;
	size_t left = (size_t)(b->end - p);
	struct conv_usual *usual;
	unsigned type;

	if (UNLIKELY(left < SF_BRIEF_LEFT))
		return NULL;
	type = load_u16(p + SF_ROW_HEADER + 20);
	if (UNLIKELY(type >= EV_TYPE_COUNT))
		return NULL;
	usual = &b->conv->plans->usual[type];
	_Static_assert(COUNT_OF(usual->words) == 3, "each is compared");
	if ((load_u64(p) != usual->start ||
	     (((load_u64(len) ^ usual->words[0]) & usual->masks[0]) |
	      ((load_u64(len + 8) ^ usual->words[1]) & usual->masks[1]) |
	      ((load_u64(len + 16) ^ usual->words[2]) & usual->masks[2]))) &&
	    !sf_brief_look_closely(usual, p, left))
		return NULL;
	if (UNLIKELY(!usual->plan || usual->total > left ||
		     load_u32(p + usual->total - 4) != usual->total))
		return NULL;
	*e = (struct sf_seen){p, usual};
	return usual->plan;
}

static inline uint64_t sf_seen_time(const struct sf_seen *e)
{
	return load_u64(e->p + SF_ROW_HEADER);
}

static inline uint64_t sf_brief_time(const struct sf_brief *e)
{
	return sf_seen_time(&e->own);
}

static inline int64_t sf_seen_tid(const struct sf_seen *e)
{
	return (int64_t)load_u64(e->p + SF_ROW_HEADER + 8);
}

static inline int64_t sf_brief_tid(const struct sf_brief *e)
{
	return sf_seen_tid(&e->own);
}

static inline uint64_t sf_brief_offset(const struct sf_briefs *b, const struct sf_brief *e)
{
	return b->end_offset - (uint64_t)(b->end - e->own.p);
}

/* Of today. */
static inline unsigned sf_brief_type(const struct sf_brief *e)
{
	return e->form ? e->form->type : e->own.usual->type;
}

static inline struct conv_params sf_seen_params(const struct sf_seen *e)
{
	return (struct conv_params){.type = e->usual->type,
				    .nparams = e->usual->nparams,
				    .lens = e->p + e->usual->lens_at,
				    .data = e->p + e->usual->data_at};
}

/* Of the enter event, if there is one. */
static inline struct conv_params sf_brief_enter(const struct sf_brief *e)
{
	return e->record ? conv_enter_params(e->record) : sf_seen_params(&e->enter);
}

static ALWAYS_INLINE int sf_brief_keep(struct sf_briefs *b, const struct sf_seen *e)
{
	struct conv_enters *s = &b->conv->enters;
	struct conv_params p = sf_seen_params(e);

	if (LIKELY(e->usual->need <= CONV_SMALL))
		return conv_enters_keep_small(s, sf_seen_tid(e), &p, e->usual->need);
	return conv_enters_keep(s, sf_seen_tid(e), &p, e->usual->need - 2u * p.nparams);
}

/* Have what @plan makes of @e. Return: false if it has to be worked out step by step. */
static ALWAYS_INLINE bool sf_brief_plan(struct sf_briefs *b, const struct conv_plan *plan,
					struct sf_brief *e)
{
	e->form = NULL;
	e->record = NULL;
	if (plan->as_is)
		return true;
	e->form = &plan->alone;
	if (plan->wants_enter)
		e->record = conv_enters_find(&b->conv->enters, sf_brief_tid(e));
	if (e->record) {
		if (UNLIKELY(!conv_is_planned(plan, e->record->type, e->record->nparams) ||
			     e->record->bytes > CONV_PLANNED_MAX))
			return false;
		e->form = &plan->behind_enter;
	}
	return e->form->known;
}

/*
 * Behind most enter events is the exit event that takes from it. Then it need not be kept: if
 * nothing waits for its thread that it would take the place of, nothing is left of it. Return: is
 * it so with @enter? @e is the exit event then.
 */
static ALWAYS_INLINE bool sf_brief_pair(struct sf_briefs *b, const struct sf_seen *enter,
					struct sf_brief *e)
{
	const uint8_t *next = enter->p + enter->usual->total;
	int64_t tid = sf_seen_tid(enter);
	const struct conv_enter *record = b->conv->enters.recent[(uint64_t)tid % CONV_RECENT];
	const struct conv_plan *plan;

	if (UNLIKELY(!record || record->tid != tid || record->waits))
		return false;
	if (UNLIKELY((size_t)(b->end - next) < SF_BRIEF_LEFT ||
		     load_u16(next + SF_ROW_HEADER + 20) == enter->usual->type))
		return false; /* a look at another one would change what is usual */
	plan = sf_brief_look(b, next, &e->own);
	if (UNLIKELY(!plan || !plan->pairs || sf_brief_tid(e) != tid ||
		     !conv_is_planned(plan, enter->usual->type, enter->usual->nparams)))
		return false;
	e->enter = *enter;
	e->record = NULL;
	e->form = &plan->behind_enter;
	return true;
}

/* When the call began that @e ends. */
static inline uint64_t sf_seen_began(struct sf_calls *calls, const struct sf_seen *e)
{
	return sf_calls_see(calls, e->usual->type, sf_seen_tid(e), sf_seen_time(e));
}

/*
 * Keep enter events up to the next event of another kind. @calls: sees them all, and *@began is
 * what it says of @e; NULL: none does. Return: 1 with @e, 0 if what comes then is not usual, or
 * ERR_NOMEM.
 */
MUST_CHECK static ALWAYS_INLINE int sf_briefs_next_timed(struct sf_briefs *b, struct sf_brief *e,
							 struct sf_calls *calls, uint64_t *began)
{
	const struct conv_plan *plan;
	struct sf_seen seen;

	while ((plan = sf_brief_look(b, b->at, &seen))) {
		if (plan->stores && !calls && LIKELY(sf_brief_pair(b, &seen, e)))
			return 1;
		if (!plan->stores) {
			e->own = seen;
			if (!sf_brief_plan(b, plan, e))
				return 0;
			if (calls)
				*began = sf_seen_began(calls, &seen);
			return 1;
		}
		if (calls)
			(void)sf_seen_began(calls, &seen);
		if (UNLIKELY(sf_brief_keep(b, &seen) < 0))
			return ERR_NOMEM;
		b->at += seen.usual->total;
		b->stored++;
	}
	return 0;
}

MUST_CHECK static ALWAYS_INLINE int sf_briefs_next(struct sf_briefs *b, struct sf_brief *e)
{
	return sf_briefs_next_timed(b, e, NULL, NULL);
}

/* Go on behind @e. */
static ALWAYS_INLINE void sf_brief_skip(struct sf_briefs *b, const struct sf_brief *e)
{
	b->stored += e->own.p != b->at;
	b->passed++;
	b->at = e->own.p + e->own.usual->total;
}

/* The same without it. */
static ALWAYS_INLINE void sf_brief_pass(struct sf_briefs *b, const struct sf_brief *e)
{
	if (e->record && e->form->uses_enter)
		conv_enters_use(&b->conv->enters, e->record);
	sf_brief_skip(b, e);
}

/* Parameter @i of @e, if it is as recorded. Return: false if it may not be. */
static ALWAYS_INLINE bool sf_brief_param(const struct sf_brief *e, unsigned i, struct ev_value *out)
{
	struct conv_params from = sf_seen_params(&e->own);
	const struct conv_form *form = e->form;

	if (UNLIKELY(i >= (form ? form->nparams : from.nparams)))
		return false;
	if (!form) {
		*out = conv_param(&from, i);
		return true;
	}
	if (form->places[i].origin == CONV_FROM_ENTER)
		from = sf_brief_enter(e);
	else if (form->places[i].origin == CONV_FROM_DEFAULTS)
		from = conv_default_params;
	*out = conv_param(&from, form->places[i].index);
	return out->n <= form->most[i];
}

/* The same, if it is 8 bytes. */
static ALWAYS_INLINE bool sf_brief_i64(const struct sf_brief *e, unsigned i, int64_t *out)
{
	struct ev_value v;

	if (UNLIKELY(!sf_brief_param(e, i, &v) || v.n != 8))
		return false;
	*out = (int64_t)load_u64(v.p);
	return true;
}

#endif
