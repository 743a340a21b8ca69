/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reducing a capture to what one alert needs. First the alert is looked for; then slices that end
 * with its event are cut, from one event on ever longer, until one gives the same alert; of that
 * one, processes and then single items are left out as long as the alert stays the same (delta
 * debugging, Zeller and Hildebrandt 2002; by processes first, Misherghi and Su 2006).
 * The same alert: of the same rule at the same time with equal output fields, but those that say
 * where an event is among the others (evt.num, evt.reltime, evt.deltatime and their like).
 * Units: nanoseconds. Threads: one minimiser belongs to one thread.
 */
#ifndef REGRESS_MINIMISE_H
#define REGRESS_MINIMISE_H

#include "regress/alerts.h"
#include "replay/slice.h"

#define REG_MIN_ITEMS_MAX 8000000u /* of the slice that is reduced */

struct reg_min_options {
	struct rule_engine *engine;    /* borrowed; of no other run */
	const struct run_options *run; /* which alerts there are; no window, one thread */
	const char *path;
	const struct sf_index *index; /* of @path, or NULL */
	const char *rule;
	uint64_t event;	     /* the alert's; 0: the @nth of the rule */
	uint64_t nth;	     /* from 1 */
	const char *scratch; /* a file to put slices into, in a directory of the caller's; it is
				replaced, and the caller deletes it */
	/* Asked now and then. Not 0: stop; the call returns it, which is above 1. */
	int (*tick)(void *arg);
	void *tick_arg;
};

struct reg_min_found {
	uint64_t event, ts;		/* of the alert */
	uint64_t alerts;		/* of the rule, in the whole capture */
	uint64_t events, kept_events;	/* before and after */
	uint64_t slice_events;		/* between: of the shortest slice that gives it */
	uint64_t threads, kept_threads; /* of that slice's lists, and what is left */
	uint64_t fds, kept_fds;
	uint64_t slices, replays; /* that were tried */
};

struct reg_min;

/* Seals the engine's program. Return: 0, ERR_NOMEM, or what run_new() says. */
MUST_CHECK int reg_min_new(const struct reg_min_options *opt, struct reg_min **out,
			   struct error *err);
void reg_min_free(struct reg_min *m); /* NULL is fine */
/*
 * Look for the alert, and reduce the capture. Return: 1; 0: the capture gives no such alert
 * (@found->alerts says how many the rule has); ERR_*; what tick() returned.
 * ERR_FORMAT: no slice gives it again.
 */
MUST_CHECK int reg_min_reduce(struct reg_min *m, struct error *err);
/* Write what is left to @w. Return: 0 or ERR_*. */
MUST_CHECK int reg_min_write(struct reg_min *m, struct sf_writer *w, struct error *err);
/* Replay @path, what was written, with all rules. @out: its alerts, the minimiser's. */
MUST_CHECK int reg_min_alerts(struct reg_min *m, const char *path, const struct reg_alerts **out,
			      struct error *err);
const struct reg_min_found *reg_min_found(const struct reg_min *m);

#endif
