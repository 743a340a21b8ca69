/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/keeper.h"

#include <stdlib.h>

#include "base/clock.h"

struct kept_test {
	const struct reg_kept_rules *rules; /* NULL: nothing is kept of it */
	struct reg_key capture;
};

struct reg_keeper {
	struct reg_suite *suite;
	struct reg_recall *recall;
	struct kept_test *tests; /* of the suite's results */
	atomic_uint_least64_t replayed, known;
};

int reg_keeper_new(struct reg_suite *s, struct reg_keeper **out, struct error *err)
{
	struct reg_keeper *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		return error_nomem(err);
	k->suite = s;
	k->tests = calloc(s->count + 1, sizeof(*k->tests));
	rc = k->tests ? reg_recall_open(s->opt.cache, &k->recall, err) : error_nomem(err);
	if (rc == 0)
		*out = k;
	else
		reg_keeper_free(k);
	return rc;
}

void reg_keeper_free(struct reg_keeper *k)
{
	if (!k)
		return;
	reg_recall_close(k->recall);
	free(k->tests);
	free(k);
}

static struct kept_test *test_of(const struct reg_keeper *k, const struct reg_result *r)
{
	return &k->tests[r - k->suite->results];
}

/* --- what is there --- */

/* Time that was kept would be the time of another day: such a test is replayed. */
static bool is_timed(const struct reg_result *r)
{
	return r->test.max_ns_per_evt != UINT64_MAX;
}

static int look_for(struct reg_keeper *k, struct reg_result *r, const struct reg_kept_rules *rules,
		    const struct reg_key *capture, struct error *err)
{
	struct reg_kept one = {.rules = rules};
	int rc = reg_kept_look(&one, k->recall, capture, false, err);

	if (rc == 0)
		reg_ruleset_want(r->rules, &one);
	reg_kept_done(&one);
	return rc < 0 ? rc : 0;
}

int reg_keeper_look(struct reg_keeper *k, struct reg_result *r, const struct run_options *limits,
		    struct error *err)
{
	const struct reg_kept_rules *rules;
	struct kept_test *t = test_of(k, r);
	char *trace = NULL;
	int rc = 0;

	if (is_timed(r) || reg_trace_find(&r->test, k->suite->opt.store, &trace, NULL) < 0)
		return 0;
	if (reg_recall_capture(k->recall, trace, &t->capture, NULL) == 0 &&
	    reg_ruleset_load(r->rules, limits, NULL) == 0) {
		rc = reg_ruleset_keys(r->rules, k->suite->opt.version, &rules, err);
		if (rc == 0)
			rc = look_for(k, r, rules, &t->capture, err);
		if (rc == 0)
			t->rules = rules;
	}
	free(trace);
	return rc;
}

/* --- a test --- */

/* Is what was replayed what was looked at before? */
static bool is_same(const struct run_capture_report *rep, const struct reg_key *capture)
{
	return rep->stats->sha256_valid &&
	       memcmp(rep->stats->sha256, capture->bytes, REG_KEY_BYTES) == 0;
}

/* Return: 1, 0: more alerts than can be kept, or an error. */
static int evaluate(struct reg_keeper *k, struct reg_kept *one, struct reg_result *r,
		    struct error *err)
{
	struct run_sink *sink = reg_kept_sink(one);
	const struct reg_key *capture = &test_of(k, r)->capture;
	struct run_capture_report rep = {0};
	struct run *run = NULL;
	uint64_t start;
	int rc = reg_ruleset_run_wanted(r->rules, &sink, 1, &run, err);

	reg_kept_drop_wanted(one);
	start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	if (rc == 0)
		rc = run_capture(run, r->trace, NULL, &rep, err);
	r->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
	if (rc == ERR_LIMIT) {
		run_free(run);
		return 0;
	}
	if (rc == 0)
		rc = reg_check_replay(r, &rep, err);
	if (rc == 0) {
		reg_kept_take_state(one, rep.state);
		if (reg_kept_is_whole(&rep) && is_same(&rep, capture))
			rc = reg_kept_save(one, k->recall, capture, err);
	}
	run_free(run);
	return rc < 0 ? rc : 1;
}

static int pass_on(struct reg_kept *one, struct reg_result *r, struct error *err)
{
	struct run_sink *sink = reg_alerts_sink_new(&r->got);
	int rc = sink ? 0 : error_nomem(err);

	reg_findings_sort(&one->found, reg_ruleset_first(r->rules));
	for (size_t i = 0; i < one->found.count && rc == 0; i++) {
		const struct run_alert a = reg_kept_alert(one, &one->found.items[i]);

		rc = sink->ops->alert(sink, &a, err);
	}
	run_sink_free(sink);
	return rc;
}

int reg_keeper_replay(struct reg_keeper *k, struct reg_result *r, struct error *err)
{
	const struct kept_test *t = test_of(k, r);
	struct reg_kept one = {.rules = t->rules};
	int rc;

	atomic_fetch_add(&k->known, 1);
	if (!t->rules) {
		atomic_fetch_add(&k->replayed, 1);
		return 0;
	}
	rc = reg_kept_look(&one, k->recall, &t->capture, true, err);
	if (rc == 1) {
		r->end = RUN_END_CLEAN;
		r->events = one.head.events;
		rc = reg_check_hash(r, t->capture.bytes, err);
		rc = rc == 0 ? 1 : rc;
	} else if (rc == 0) {
		atomic_fetch_add(&k->replayed, 1);
		rc = evaluate(k, &one, r, err);
	}
	if (rc == 1) {
		rc = pass_on(&one, r, err);
		rc = rc == 0 ? 1 : rc;
	}
	reg_kept_done(&one);
	return rc;
}

struct reg_spared reg_keeper_spared(const struct reg_keeper *k)
{
	struct reg_spared s = {.replayed = atomic_load(&k->replayed),
			       .tests = atomic_load(&k->known)};

	for (size_t i = 0; i < k->suite->set_count; i++)
		reg_ruleset_spared(k->suite->sets[i], &s.evaluated, &s.rules);
	return s;
}
