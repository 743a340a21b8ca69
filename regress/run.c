/* SPDX-License-Identifier: Apache-2.0 */
/* Running the tests of a suite: threads take one after the other. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/escape.h"
#include "regress/files.h"
#include "regress/internal.h"
#include "regress/keeper.h"

#define HASH_TEXT "sha256:"

struct work {
	struct reg_suite *suite;
	int (*do_one)(struct work *w, struct reg_result *r, struct error *err);
	atomic_size_t next;
};

/* --- one test --- */

char *reg_baseline_path(const struct reg_test *t)
{
	return reg_path_in(t->dir, SV_LIT(REG_BASELINE_NAME));
}

static int read_baseline(struct reg_result *r, struct error *err)
{
	char *path = reg_baseline_path(&r->test);
	struct error inner = {0};
	int rc = path ? reg_alerts_read(&r->baseline, path, &inner) : error_nomem(&inner);

	r->has_baseline = rc == 0;
	if (rc == ERR_IO && inner.sys == ENOENT)
		rc = 0;
	else if (rc < 0)
		*err = inner;
	free(path);
	return rc == ERR_FORMAT ? ERR_USAGE : rc;
}

/* A requirement that is not met: the test is skipped, with the reason as its only check. */
static int skip(struct reg_result *r, const char *why, const char *what)
{
	struct reg_verdict *v = &r->verdict;
	struct buf b = {0};

	v->checks = arena_zalloc(&v->arena, 1, sizeof(*v->checks));
	buf_str(&b, why);
	escape_text(&b, sv_of(what));
	if (v->checks) {
		*v->checks = (struct reg_check){
		    .kind = REG_CHECK_NEEDS,
		    .outcome = REG_SKIPPED,
		    .name = SV_LIT("requirements"),
		    .text = arena_sv(&v->arena, buf_view(&b)),
		};
		v->count = 1;
		v->outcome = REG_SKIPPED;
	}
	buf_done(&b);
	return v->checks && v->checks->text.p ? 1 : ERR_NOMEM;
}

/* Return: 1 if the test is skipped, 0, or ERR_NOMEM. */
static int check_requirements(struct reg_result *r)
{
	const struct reg_test *t = &r->test;

	if (t->engine && !reg_version_meets(RULE_ENGINE_VERSION, t->engine))
		return skip(r, "it requires engine ", t->engine);
	for (size_t i = 0; i < t->fields.count; i++)
		if (!flt_field_find(sv_of(t->fields.items[i])))
			return skip(r, "it requires the field ", t->fields.items[i]);
	return 0;
}

/* An expectation of no alerts of a rule that is not there would always hold. */
static int check_rule_names(const struct reg_result *r, struct error *err)
{
	size_t n;
	const struct rule *rules = reg_ruleset_rules(r->rules, &n);

	for (size_t i = 0; i < r->test.expect_count; i++) {
		const struct reg_expect *e = &r->test.expect[i];
		size_t k = 0;

		while (k < n && !(sv_eq(rules[k].name, e->rule) && rules[k].enabled))
			k++;
		if (k == n)
			return error_set(err, ERR_USAGE, "%s:%u: there is no enabled rule '%.*s'",
					 r->test.path, e->line,
					 e->rule.n > 200 ? 200 : (int)e->rule.n, e->rule.p);
	}
	return 0;
}

/* Is it the trace that was asked for? */
int reg_check_hash(const struct reg_result *r, const uint8_t *sha256, struct error *err)
{
	char have[2 * REG_KEY_BYTES + 1];

	if (!r->test.trace || strncmp(r->test.trace, HASH_TEXT, strlen(HASH_TEXT)) != 0)
		return 0;
	for (size_t i = 0; sha256 && i < REG_KEY_BYTES; i++)
		snprintf(have + 2 * i, 3, "%02x", sha256[i]);
	if (sha256 && strcmp(have, r->test.trace + strlen(HASH_TEXT)) == 0)
		return 0;
	return error_set(err, ERR_FORMAT, "'%s' has another hash: %s", r->trace,
			 sha256 ? have : "it was not read to its end");
}

static int check_end(const struct reg_result *r, struct error *err)
{
	switch (r->end) {
	case RUN_END_INTERRUPTED:
		return error_set(err, ERR_INTERRUPTED, "interrupted");
	case RUN_END_TIMEOUT:
		return error_set(err, ERR_LIMIT, "stopped by the time limit");
	case RUN_END_MEMORY:
		return error_set(err, ERR_LIMIT, "stopped by the limit of memory");
	default:
		return 0;
	}
}

int reg_check_replay(struct reg_result *r, const struct run_capture_report *rep, struct error *err)
{
	int rc;

	r->end = rep->end;
	r->events = rep->state->events;
	r->gaps = rep->stats->gaps;
	rc = check_end(r, err);
	return rc < 0
		   ? rc
		   : reg_check_hash(r, rep->stats->sha256_valid ? rep->stats->sha256 : NULL, err);
}

static int replay(struct reg_result *r, struct error *err)
{
	struct run_sink *sink = reg_alerts_sink_new(&r->got);
	struct run_capture_report rep = {0};
	struct run *run = NULL;
	uint64_t start;
	int rc = sink ? reg_ruleset_run(r->rules, &sink, 1, &run, err) : error_nomem(err);

	start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	if (rc == 0)
		rc = run_capture(run, r->trace, NULL, &rep, err);
	r->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
	if (rc == 0)
		rc = reg_check_replay(r, &rep, err);
	run_free(run);
	run_sink_free(sink);
	return rc;
}

int reg_judge_result(struct reg_result *r, struct error *err)
{
	const struct reg_run_facts facts = {
	    .got = &r->got,
	    .baseline = r->has_baseline ? &r->baseline : NULL,
	    .events = r->events,
	    .gaps = r->gaps,
	    .cpu_ns = r->cpu_ns,
	};

	return reg_judge(&r->test, &facts, &r->verdict, err);
}

static struct run_options limits_of(struct reg_suite *s)
{
	return (struct run_options){.deadline_ns = s->opt.deadline_ns,
				    .memory_limit = s->opt.memory_limit,
				    .stop = &s->stop};
}

/* Is there still time for a test? */
static enum run_end end_of(struct reg_suite *s)
{
	if (atomic_load_explicit(&s->stop, memory_order_relaxed))
		return RUN_END_INTERRUPTED;
	return s->opt.deadline_ns && clock_ns(CLOCK_MONOTONIC) > s->opt.deadline_ns
		   ? RUN_END_TIMEOUT
		   : RUN_END_CLEAN;
}

static int run_test(struct work *w, struct reg_result *r, struct error *err)
{
	const struct reg_suite_options *opt = &w->suite->opt;
	const struct run_options limits = limits_of(w->suite);
	int rc;

	r->end = end_of(w->suite);
	rc = check_end(r, err);
	if (rc < 0)
		return rc;
	if (r->verdict.outcome == REG_SKIPPED) /* when it was looked at */
		return 0;
	rc = check_requirements(r);
	if (rc)
		return rc < 0 ? error_nomem(err) : 0;
	rc = read_baseline(r, err);
	if (rc == 0)
		rc = reg_trace_find(&r->test, opt->store, &r->trace, err);
	if (rc == 0)
		rc = reg_ruleset_load(r->rules, &limits, err);
	if (rc < 0)
		return rc;
	rc = check_rule_names(r, err);
	if (rc == 0)
		rc = w->suite->keeper ? reg_keeper_replay(w->suite->keeper, r, err) : 0;
	if (rc == 0)
		rc = replay(r, err);
	return rc < 0 ? rc : reg_judge_result(r, err);
}

/* Before the first test is run: what has to be evaluated for any of them? */
static int look_at_test(struct work *w, struct reg_result *r, struct error *err)
{
	const struct run_options limits = limits_of(w->suite);
	int rc;

	if (end_of(w->suite) != RUN_END_CLEAN)
		return 0; /* told when it is its turn */
	rc = check_requirements(r);
	if (rc)
		return rc < 0 ? error_nomem(err) : 0;
	return reg_keeper_look(w->suite->keeper, r, &limits, err);
}

/* --- all of them --- */

static void *take_tests(void *arg)
{
	struct work *w = arg;
	size_t i;
	int rc;

	while ((i = atomic_fetch_add(&w->next, 1)) < w->suite->count) {
		struct reg_result *r = &w->suite->results[i];

		if (r->verdict.outcome == REG_BROKEN)
			continue; /* no test at all */
		rc = w->do_one(w, r, &r->err);
		if (rc < 0) {
			r->err.code = rc;
			r->verdict.outcome = REG_BROKEN;
		}
	}
	return NULL;
}

static int do_all(struct work w, struct error *err)
{
	const struct reg_suite *s = w.suite;
	unsigned jobs = s->opt.jobs ? s->opt.jobs : 1;
	pthread_t *threads;
	unsigned started = 0;

	if (jobs > s->count)
		jobs = s->count ? (unsigned)s->count : 1;
	threads = calloc(jobs, sizeof(*threads));
	if (!threads)
		return error_nomem(err);
	/* this thread is one of them, and goes on alone where no other can be had */
	while (started + 1 < jobs && pthread_create(&threads[started], NULL, take_tests, &w) == 0)
		started++;
	take_tests(&w);
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return 0;
}

int reg_suite_run(struct reg_suite *s, struct error *err)
{
	int rc = s->keeper ? do_all((struct work){.suite = s, .do_one = look_at_test}, err) : 0;

	return rc < 0 ? rc : do_all((struct work){.suite = s, .do_one = run_test}, err);
}

struct reg_spared reg_suite_spared(const struct reg_suite *s)
{
	return s->keeper ? reg_keeper_spared(s->keeper) : (struct reg_spared){0};
}

void reg_suite_stop(struct reg_suite *s)
{
	atomic_store_explicit(&s->stop, true, memory_order_relaxed);
}
