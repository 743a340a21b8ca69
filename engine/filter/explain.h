/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a condition holds for an event, or does not: each of its checks is looked at, also those that
 * could not change the result any more. The second evaluator of the same checked conditions; its
 * verdict is flt_match()'s. Checks are numbered from 0 in the order in which they are written.
 * Threads: as contexts.
 */
#ifndef ENGINE_FILTER_EXPLAIN_H
#define ENGINE_FILTER_EXPLAIN_H

#include "engine/filter/filter.h"

#define FLT_SHOWN_MAX 8192 /* bytes of a value that are shown */

enum flt_truth {
	FLT_NO,
	FLT_YES,
	FLT_GONE,    /* does not hold, for want of a value */
	FLT_UNASKED, /* not decided: its fields remember when they are asked, and they were not */
};

enum flt_reason { /* of a check's truth */
		  FLT_BY_VALUE,
		  FLT_BY_ABSENCE, /* the event, or its process, has no such value */
		  FLT_BY_EVENT,	  /* events of this type never have it */
		  FLT_BY_PROCESS, /* the event's process is not known: it began before the capture
				   */
		  FLT_BY_FD,	  /* nor is the descriptor it is about */
		  FLT_BY_RIGHT,	  /* the field it is compared with has no value */
		  FLT_BY_TYPE, /* the value is of another type than elsewhere, and compared as such
				*/
		  FLT_BY_CASE, /* with the same letters in one case it would hold */
		  FLT_BY_SNAPLEN, /* the capture holds only the beginning of the bytes */
		  FLT_REASON_COUNT
};
const char *flt_reason_name(enum flt_reason r); /* "value", "absent", ... */

enum flt_detail { /* what is wanted of findings; each with all before it */
		  FLT_TRUTHS,
		  FLT_ITEMS,  /* which constant decided */
		  FLT_VALUES, /* values and reasons */
};

struct flt_finding { /* about one check */
	enum flt_truth truth;
	enum flt_reason reason;
	/* The constant that decided, by its position on the right: for what holds the first that is
	 * satisfied, for "allof" that does not the first that is not; -1: none in particular. */
	int32_t item;
	/* Values as output shows them; of several candidates all, in parentheses. SV_NONE: none, or
	 * not asked for. */
	struct sv left, right;
};

struct flt_explainer; /* of one condition */

/*
 * @cx is borrowed; @condition as flt_program_add() numbered it. Return: 0 or ERR_NOMEM.
 */
MUST_CHECK int flt_explainer_new(struct flt_ctx *cx, unsigned condition, struct flt_explainer **out,
				 struct error *err);
void flt_explainer_free(struct flt_explainer *x); /* NULL is fine */
size_t flt_explainer_checks(const struct flt_explainer *x);
/* Does a value depend on the events that were explained before? Then all of them should be. */
bool flt_explainer_has_memory(const struct flt_explainer *x);
/**
 * flt_explain() - look at the event the context is set to
 * @detail: what is wanted
 * @out: receives flt_explainer_checks() findings, borrowed until the next call; may be NULL
 * Return: does the condition hold?
 */
bool flt_explain(struct flt_explainer *x, enum flt_detail detail, const struct flt_finding **out);

#endif
