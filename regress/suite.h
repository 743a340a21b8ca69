/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suites: all tests below the directories somebody names, run by several threads, each test's
 * alerts judged (judge.h). Results stand in the order of the tests, whichever thread was first.
 * Ownership: a suite owns its tests and results.
 * Threads: a suite belongs to one thread; reg_suite_run() starts others itself.
 */
#ifndef REGRESS_SUITE_H
#define REGRESS_SUITE_H

#include "regress/judge.h"
#include "regress/ruleset.h"

#define REG_TESTS_MAX 100000u /* of a suite */
#define REG_DEPTH_MAX 32      /* of directories below those that are named */

struct reg_suite_options {
	const char *store;	       /* where traces are found by their hash; NULL: nowhere */
	const char *filter;	       /* only tests with this in their name; or NULL */
	const struct reg_list *rules;  /* instead of those that tests name; NULL: theirs */
	const struct reg_list *failed; /* only tests in these files (real paths); NULL: all */
	unsigned jobs;		       /* threads; 0: one */
	uint64_t deadline_ns;	       /* CLOCK_MONOTONIC; 0: none */
	uint64_t memory_limit;	       /* bytes of state of one test; 0: none */
	const char *cache;	       /* directory of results that are kept; NULL: none are */
	const char *version;	       /* of the program; with @cache */
};

struct reg_result { /* of one test */
	struct reg_test test;
	struct error err;	   /* why it is broken, if it is */
	struct buf rules_text;	   /* Falco's verdict on rules that did not load */
	struct reg_ruleset *rules; /* the suite's */
	char *trace;		   /* its path */
	enum run_end end;
	uint64_t events, gaps;
	uint64_t cpu_ns; /* of the replay */
	struct reg_alerts got, baseline;
	bool has_baseline;
	struct reg_verdict verdict;
};

struct reg_spared {		   /* what a suite with a cache did not have to do */
	uint64_t evaluated, rules; /* of all rule sets, once each */
	uint64_t replayed, tests;  /* that came to a replay or its kept results */
};

struct reg_suite;

/*
 * Find the tests of @paths: directories, or files test.yaml. A test.yaml that is wrong becomes a
 * broken result. Return: 0, ERR_IO, ERR_LIMIT, ERR_NOMEM.
 */
MUST_CHECK int reg_suite_new(const char *const *paths, size_t count,
			     const struct reg_suite_options *opt, struct reg_suite **out,
			     struct error *err);
void reg_suite_free(struct reg_suite *s); /* NULL is fine */
/* Run all tests. Return: 0 or ERR_NOMEM. */
MUST_CHECK int reg_suite_run(struct reg_suite *s, struct error *err);
/* Run no more of them; async-signal-safe. Those that were not run to their end are broken. */
void reg_suite_stop(struct reg_suite *s);
/*
 * Does every enabled rule of the rule sets have a test that expects alerts of it, and one that
 * expects none? That becomes one further result, after the run. Return: 0 or ERR_NOMEM.
 */
MUST_CHECK int reg_suite_require(struct reg_suite *s, struct error *err);
struct reg_result *reg_suite_results(struct reg_suite *s, size_t *count);

/* How many results have which outcome. */
struct reg_totals {
	uint64_t outcomes[REG_OUTCOME_COUNT], alerts, events;
};
struct reg_totals reg_suite_totals(const struct reg_suite *s);

/* After the run; all 0 without a cache. */
struct reg_spared reg_suite_spared(const struct reg_suite *s);

/* The file a test has its baseline in, for the caller to free. NULL: out of memory. */
char *reg_baseline_path(const struct reg_test *t);
/* The trace of a test, for the caller to free in @out. Return: 0, ERR_IO, ERR_USAGE, ERR_NOMEM. */
MUST_CHECK int reg_trace_find(const struct reg_test *t, const char *store, char **out,
			      struct error *err);

#endif
