/* SPDX-License-Identifier: Apache-2.0 */
/* scapula test: tests of rules: captures, and the alerts they are to give. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/accepting.h"
#include "cli/output.h"
#include "cli/rule_run.h"
#include "regress/failed.h"
#include "regress/output.h"
#include "replay/index_cache.h"

#define FILES_MAX 8 /* --junit FILE and the like, and -o FILE */

enum {
	OPT_STORE = OPT_COMMAND_FIRST,
	OPT_FILTER,
	OPT_TIMING,
	OPT_UPDATE,
	OPT_REQUIRE,
	OPT_RERUN,
	OPT_STATE,
	OPT_CACHE,
	OPT_FORCE,
	OPT_JUNIT, /* and the other formats that can be written beside */
	OPT_TAP,
	OPT_SARIF,
	OPT_JSON,
	OPT_MARKDOWN,
	OPT_HTML,
};

static const struct cli_option test_options[] = {
    {'f', "format", "FORMAT", "terminal, junit, tap, sarif, json, markdown or html"},
    {'o', "output", "FILE", "results in that format; -, or without: standard output"},
    {OPT_JUNIT, "junit", "FILE", "the results as JUnit XML, too"},
    {OPT_TAP, "tap", "FILE", "and as TAP"},
    {OPT_SARIF, "sarif", "FILE", "and as SARIF, with what became of each alert"},
    {OPT_JSON, "json", "FILE", "and as JSON"},
    {OPT_MARKDOWN, "markdown", "FILE", "and as a summary for tickets"},
    {OPT_HTML, "html", "FILE", "and as a page"},
    {OPT_FORCE, "force", NULL, "replace FILE if there is one"},
    {'r', "rules", "FILE|DIR", "these rules instead of those that tests name; repeatable"},
    {OPT_STORE, "store", "DIR", "where traces are that tests name by their hash"},
    {OPT_FILTER, "filter", "SUBSTRING", "only tests with this in their name"},
    {OPT_RERUN, "rerun", NULL, "only tests that failed when they were run last"},
    {OPT_STATE, "state", "FILE", "where that is kept; default: in the cache directory"},
    {OPT_CACHE, "cache", "DIR",
     "keep what each rule finds, and evaluate only what is not there yet"},
    {OPT_REQUIRE, "require-tests", NULL,
     "each rule must have a test that fires it and one that does not"},
    {OPT_UPDATE, "update", NULL, "write what tests give into their baselines"},
    {'i', "interactive", NULL, "ask for each difference whether the baseline is to have it"},
    {OPT_TIMING, "timing", NULL, "CPU time of each test, too"},
    {'j', "jobs", "N", "tests at the same time; the results are the same"},
    {0, NULL, NULL, NULL},
};

static const char *const test_examples[] = {
    "test rules/tests",
    "test --junit results.xml --sarif results.sarif rules/tests",
    "test -i --rerun rules/tests",
    NULL,
};

struct file { /* one output beside */
	const struct reg_format *format;
	const char *path;
};

struct test {
	struct cli_common common;
	struct reg_suite_options opt;
	struct reg_output_options out;
	struct cli_names rules;
	struct reg_list rule_list;
	struct file main, files[FILES_MAX];
	size_t file_count;
	bool update, ask, require, rerun, force;
	const char *state;
	char *own_state; /* the same, if nobody gave one */
	struct reg_failed failed;
	struct reg_suite *suite;
};

static int take_file(struct test *o, int id, const char *path)
{
	const char *name = NULL;

	for (const struct cli_option *p = test_options; p->id; p++)
		if (p->id == id)
			name = p->name;
	if (o->file_count == FILES_MAX) {
		cli_log(CLI_ERROR, "--%s: too many files", name);
		return CLI_USAGE;
	}
	o->files[o->file_count++] = (struct file){reg_format_find(name), path};
	return 0;
}

static int take_option(void *arg, int id, const char *value)
{
	struct test *o = arg;
	const void *row = NULL;
	int status;

	switch (id) {
	case 'f':
		status = cli_take_row("format", value, reg_formats, sizeof(*reg_formats), &row);
		if (!status)
			o->main.format = row;
		return status;
	case 'o':
		o->main.path = value;
		return 0;
	case 'r':
		return cli_names_add(&o->rules, value);
	case 'j':
		return cli_take_jobs(value, &o->opt.jobs);
	case 'i':
		o->ask = true;
		return 0;
	case OPT_STORE:
		o->opt.store = value;
		return 0;
	case OPT_FILTER:
		o->opt.filter = value;
		return 0;
	case OPT_STATE:
		o->state = value;
		return 0;
	case OPT_CACHE:
		o->opt.cache = value;
		return 0;
	case OPT_RERUN:
		o->rerun = true;
		return 0;
	case OPT_REQUIRE:
		o->require = true;
		return 0;
	case OPT_UPDATE:
		o->update = true;
		return 0;
	case OPT_FORCE:
		o->force = true;
		return 0;
	case OPT_TIMING:
		o->out.timing = true;
		return 0;
	default:
		return take_file(o, id, value);
	}
}

/* --- what failed last --- */

static int open_state(struct test *o)
{
	struct error err = {0};

	if (!o->state) {
		char *dir = run_cache_dir();

		if (dir && asprintf(&o->own_state, "%s/%s", dir, REG_FAILED_NAME) < 0)
			o->own_state = NULL;
		free(dir);
		o->state = o->own_state;
	}
	if (!o->state && o->rerun) {
		cli_log(CLI_ERROR, "--rerun: there is no cache directory; --state names a file");
		return CLI_USAGE;
	}
	if (o->state && reg_failed_read(&o->failed, o->state, &err) < 0)
		return cli_fail(&err);
	if (o->rerun)
		o->opt.failed = &o->failed.list;
	return 0;
}

static int keep_state(struct test *o)
{
	struct error err = {0};

	if (!o->state || reg_failed_write(&o->failed, o->state, o->suite, &err) == 0)
		return 0;
	return cli_fail(&err);
}

/* --- results --- */

/* What one test makes of the command's status. */
static int status_of(const struct reg_result *r)
{
	if (r->verdict.outcome == REG_FAILED)
		return CLI_FINDINGS;
	if (r->verdict.outcome != REG_BROKEN)
		return 0;
	if (r->end == RUN_END_TIMEOUT || r->end == RUN_END_MEMORY)
		return CLI_PARTIAL;
	return r->err.code == ERR_INTERRUPTED ? 0 : cli_exit_of(r->err.code);
}

/* Falco's verdicts on rules that did not load, once for each set of rules. */
static void tell_rules(struct reg_suite *s)
{
	size_t n;
	struct reg_result *all = reg_suite_results(s, &n);

	for (size_t i = 0; i < n; i++) {
		const struct reg_ruleset *set = all[i].rules;
		size_t k = 0;

		while (k < i && all[k].rules != set)
			k++;
		if (!set || k < i || !reg_ruleset_text(set).n)
			continue;
		cli_log(all[i].err.code == ERR_RULES ? CLI_ERROR : CLI_WARNING, "%.*s",
			(int)reg_ruleset_text(set).n, reg_ruleset_text(set).p);
	}
}

static int write_file(struct test *o, const struct file *f)
{
	struct buf b = {0};
	int status;

	f->format->write(&b, o->suite, &o->out);
	status = cli_output_text(f->path, o->force, &b);
	buf_done(&b);
	return status;
}

static int write_results(struct test *o)
{
	int status;

	o->out.version = SCAPULA_VERSION;
	o->out.brief = o->common.quiet;
	o->out.color = o->common.color && !o->main.path;
	status = write_file(o, &o->main);
	for (size_t i = 0; i < o->file_count; i++)
		status = cli_worse(status, write_file(o, &o->files[i]));
	return status;
}

/* What a cache was good for, on standard error: results do not depend on it. */
static void tell_spared(const struct test *o)
{
	struct reg_spared s = reg_suite_spared(o->suite);

	cli_log(CLI_NOTE, "cache: %llu of %llu rules evaluated; %llu of %llu traces replayed",
		(unsigned long long)s.evaluated, (unsigned long long)s.rules,
		(unsigned long long)s.replayed, (unsigned long long)s.tests);
}

/* --- the command --- */

static void stop_suite(void *arg)
{
	reg_suite_stop(arg);
}

static int find_tests(struct test *o, char **paths, size_t count)
{
	struct error err = {0};
	size_t n;

	if (o->common.timeout_ns)
		o->opt.deadline_ns = clock_ns(CLOCK_MONOTONIC) + o->common.timeout_ns;
	o->opt.memory_limit = o->common.mem_limit;
	o->opt.version = SCAPULA_VERSION;
	if (!o->opt.jobs)
		o->opt.jobs = cli_jobs_default();
	o->rule_list = (struct reg_list){o->rules.items, o->rules.count};
	if (o->rules.count)
		o->opt.rules = &o->rule_list;
	if (reg_suite_new((const char *const *)paths, count, &o->opt, &o->suite, &err) < 0)
		return cli_fail(&err);
	reg_suite_results(o->suite, &n);
	if (n || o->rerun)
		return 0;
	cli_log(CLI_ERROR, "no tests found: no directory with a file %s%s", REG_TEST_NAME,
		o->opt.filter ? " whose name fits" : "");
	return CLI_USAGE;
}

static int run_tests(struct test *o)
{
	struct error err = {0};
	struct reg_result *all;
	int status = 0;
	size_t n;

	cli_on_interrupt(stop_suite, o->suite);
	if (reg_suite_run(o->suite, &err) < 0)
		status = cli_fail(&err);
	cli_on_interrupt(NULL, NULL);
	if (status || cli_interrupted())
		return cli_worse(status, cli_interrupted());
	if (o->update || o->ask)
		status = cli_accept(o->suite, o->ask, &o->common);
	if (o->require && reg_suite_require(o->suite, &err) < 0)
		return cli_fail(&err);
	all = reg_suite_results(o->suite, &n);
	for (size_t i = 0; i < n; i++)
		status = cli_worse(status, status_of(&all[i]));
	return status;
}

static int work(void *arg, char **args, int count)
{
	struct test *o = arg;
	int status;

	if (!count) {
		cli_log(CLI_ERROR, "no tests given: name directories");
		return CLI_USAGE;
	}
	status = open_state(o);
	if (!status)
		status = find_tests(o, args, (size_t)count);
	if (status)
		return status;
	status = run_tests(o);
	tell_rules(o->suite);
	if (o->opt.cache)
		tell_spared(o);
	status = cli_worse(status, write_results(o));
	return cli_interrupted() ? status : cli_worse(status, keep_state(o));
}

int cmd_test(int argc, char **argv)
{
	struct test o = {.main = {reg_formats, NULL}};
	const struct cli_parser parser = {"test", test_options, test_examples, take_option, &o};
	int status = cli_run(&parser, &o.common, argc, argv, work);

	reg_suite_free(o.suite);
	reg_failed_done(&o.failed);
	cli_names_done(&o.rules);
	free(o.own_state);
	return status;
}
