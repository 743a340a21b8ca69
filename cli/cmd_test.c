/* SPDX-License-Identifier: Apache-2.0 */
/* scapula test: tests of rules: captures, and the alerts they are to give. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/accepting.h"
#include "cli/rule_run.h"
#include "regress/output.h"

enum {
	OPT_STORE = OPT_COMMAND_FIRST,
	OPT_FILTER,
	OPT_TIMING,
	OPT_UPDATE,
};

static const struct cli_option test_options[] = {
    {'f', "format", "FORMAT", "of the results: terminal"},
    {'r', "rules", "FILE|DIR", "these rules instead of those that tests name; repeatable"},
    {OPT_STORE, "store", "DIR", "where traces are that tests name by their hash"},
    {OPT_FILTER, "filter", "SUBSTRING", "only tests with this in their name"},
    {OPT_UPDATE, "update", NULL, "write what tests give into their baselines"},
    {'i', "interactive", NULL, "ask for each difference whether the baseline is to have it"},
    {OPT_TIMING, "timing", NULL, "CPU time of each test, too"},
    {'j', "jobs", "N", "tests at the same time; the results are the same"},
    {0, NULL, NULL, NULL},
};

static const char *const test_examples[] = {
    "test tests/suites/starter",
    "test --update --filter intrusion tests/suites/starter",
    NULL,
};

struct test {
	struct cli_common common;
	struct reg_suite_options opt;
	struct reg_output_options out;
	struct cli_names rules;
	struct reg_list rule_list;
	const struct reg_format *format;
	struct reg_suite *suite;
	bool update, ask;
};

static int take_format(struct test *o, const char *value)
{
	struct buf names = {0};

	o->format = reg_format_find(value);
	if (o->format)
		return 0;
	for (const struct reg_format *f = reg_formats; f->name; f++)
		buf_addf(&names, "%s%s",
			 f == reg_formats ? ""
			 : f[1].name	  ? ", "
					  : " or ",
			 f->name);
	cli_log(CLI_ERROR, "--format %s: expected %s", value, buf_cstr(&names));
	buf_done(&names);
	return CLI_USAGE;
}

static int take_option(void *arg, int id, const char *value)
{
	struct test *o = arg;

	switch (id) {
	case 'f':
		return take_format(o, value);
	case 'r':
		return cli_names_add(&o->rules, value);
	case 'j':
		return cli_take_jobs(value, &o->opt.jobs);
	case OPT_STORE:
		o->opt.store = value;
		return 0;
	case OPT_FILTER:
		o->opt.filter = value;
		return 0;
	case OPT_UPDATE:
		o->update = true;
		return 0;
	case 'i':
		o->ask = true;
		return 0;
	case OPT_TIMING:
		o->out.timing = true;
		return 0;
	default:
		return CLI_USAGE;
	}
}

static void stop_suite(void *arg)
{
	reg_suite_stop(arg);
}

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

static int write_results(struct test *o)
{
	struct buf b = {0};
	int status;

	o->out.brief = o->common.quiet;
	o->out.color = o->common.color;
	o->format->write(&b, o->suite, &o->out);
	status = cli_write(&b);
	buf_done(&b);
	return status;
}

static int work(struct test *o, char **argv, int argc, int first)
{
	struct error err = {0};
	struct reg_result *all;
	int status = 0;
	size_t n;

	if (first == argc) {
		cli_log(CLI_ERROR, "no tests given: name directories");
		return CLI_USAGE;
	}
	if (o->common.timeout_ns)
		o->opt.deadline_ns = clock_ns(CLOCK_MONOTONIC) + o->common.timeout_ns;
	o->opt.memory_limit = o->common.mem_limit;
	if (!o->opt.jobs)
		o->opt.jobs = cli_jobs_default();
	o->rule_list = (struct reg_list){o->rules.items, o->rules.count};
	if (o->rules.count)
		o->opt.rules = &o->rule_list;
	if (reg_suite_new((const char *const *)argv + first, (size_t)(argc - first), &o->opt,
			  &o->suite, &err) < 0)
		return cli_fail(&err);
	all = reg_suite_results(o->suite, &n);
	if (!n) {
		cli_log(CLI_ERROR, "no tests found: no file %s", REG_TEST_NAME);
		return CLI_USAGE;
	}
	cli_on_interrupt(stop_suite, o->suite);
	if (reg_suite_run(o->suite, &err) < 0)
		status = cli_fail(&err);
	cli_on_interrupt(NULL, NULL);
	if (!status && !cli_interrupted() && (o->update || o->ask))
		status = cli_accept(o->suite, o->ask, &o->common);
	for (size_t i = 0; i < n; i++)
		status = cli_worse(status, status_of(&all[i]));
	tell_rules(o->suite);
	status = cli_worse(status, write_results(o));
	return cli_worse(status, cli_interrupted());
}

int cmd_test(int argc, char **argv)
{
	struct test o = {.format = &reg_formats[0]};
	const struct cli_parser parser = {"test", test_options, test_examples, take_option, &o};
	int first, status;

	status = cli_parse(&parser, &o.common, argc, argv, &first);
	if (status < 0) {
		status = cli_flush();
	} else if (status == 0) {
		cli_catch_signals();
		status = work(&o, argv, argc, first);
	}
	reg_suite_free(o.suite);
	cli_names_done(&o.rules);
	return status;
}
