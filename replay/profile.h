/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules cost. How often each is evaluated is counted; of every RUN_PROFILE_STRIDEth event that
 * is shown to rules, one rule, in turn, is evaluated once more by itself, and timed. Its cost is
 * what it would take alone: rules share tests, so that all of them together take less than the sum;
 * that is timed, too. Without a profile nothing of this runs.
 * Units: nanoseconds. Threads: a profile belongs to one run of one thread.
 */
#ifndef REPLAY_PROFILE_H
#define REPLAY_PROFILE_H

#include "engine/rules/rules.h"

#define RUN_PROFILE_STRIDE 64

struct run_profile;

struct run_rule_cost {
	const struct rule *rule;
	uint64_t evaluated; /* events it was shown: counted, the same in each replay */
	uint64_t sampled;   /* times it was timed; the rest is estimated from these */
	double tests;	    /* looked at per evaluation: the same in each replay */
	double ns, ns_max;  /* of one evaluation: average, largest */
	double ns_all;	    /* of all: the average by how many; 0 if none was sampled */
};

struct run_profile_sums {
	uint64_t shown;	  /* events shown to rules */
	uint64_t sampled; /* of them */
	double ns_alone;  /* of all rules, each by itself */
	double ns;	  /* of all rules as they are evaluated */
};

/* @e is borrowed. Return: 0 or ERR_NOMEM. */
MUST_CHECK int run_profile_new(const struct rule_engine *e, struct run_profile **out,
			       struct error *err);
void run_profile_free(struct run_profile *p); /* NULL is fine */
/* Before a run: may conditions be evaluated more often than they are? Else there are no times. */
void run_profile_begin(struct run_profile *p, bool timed);
/* An event that @cx was set to; afterwards it is again, with nothing remembered. */
void run_profile_event(struct run_profile *p, struct flt_ctx *cx, const struct state_binding *b);

/* Costs of all rules that were evaluated, the most expensive first; borrowed. Return: how many. */
size_t run_profile_costs(struct run_profile *p, const struct run_rule_cost **out);
struct run_profile_sums run_profile_sums(struct run_profile *p);

#endif
