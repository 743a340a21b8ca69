/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suites with a cache: of each test only rules are evaluated whose results are not kept (kept.h).
 * All tests are looked at before the first is run, so that what a rule set lacks is compiled once.
 * Threads: any may look at and replay different tests; nobody replays while somebody looks.
 */
#ifndef REGRESS_KEEPER_H
#define REGRESS_KEEPER_H

#include "regress/internal.h"

struct reg_keeper;

/* For the suite's options; @s is borrowed. Return: 0, or as reg_recall_open(). */
MUST_CHECK int reg_keeper_new(struct reg_suite *s, struct reg_keeper **out, struct error *err);
void reg_keeper_free(struct reg_keeper *k); /* what was found is kept; NULL is fine */
/*
 * What is there of a test of the suite? A test that cannot be run is left alone: that is told when
 * it is run. Return: 0, or an error of what is kept.
 */
MUST_CHECK int reg_keeper_look(struct reg_keeper *k, struct reg_result *r,
			       const struct run_options *limits, struct error *err);
/*
 * The alerts of a test, by evaluating what is not there. Return: 1; 0: nothing was done, as nothing
 * can be kept of it; or an error as of a replay.
 */
MUST_CHECK int reg_keeper_replay(struct reg_keeper *k, struct reg_result *r, struct error *err);
struct reg_spared reg_keeper_spared(const struct reg_keeper *k);

#endif
