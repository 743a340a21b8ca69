/* SPDX-License-Identifier: Apache-2.0 */
/* scapula min: the least of a capture that still gives an alert. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/index.h"
#include "cli/rule_run.h"
#include "cli/scratch.h"
#include "cli/surgery.h"
#include "regress/minimise.h"
#include "regress/new_test.h"

enum {
	OPT_RULE = OPT_AFTER_RULE_RUN,
	OPT_NTH,
	OPT_EVT,
	OPT_TEST,
};

static const struct cli_option min_options[] = {
    SURGERY_OPTIONS,
    {OPT_RULE, "rule", "NAME", "the rule whose alert is to stay"},
    {OPT_NTH, "nth", "N", "which of its alerts; default: the first"},
    {OPT_EVT, "evt", "N", "or: the alert of this event"},
    {OPT_TEST, "test", "DIR",
     "instead of --output: make DIR a test of the rules, with the capture"},
    {'r', "rules", "FILE|DIR", "rule file or directory; repeatable, in order"},
    {'c', "config", "FILE", "Falco configuration file"},
    {'O', "option", "KEY=VALUE", "override a configuration key; repeatable"},
    {OPT_MATCHING, "matching", "first|all",
     "the alerts are those of the first matching rule of an event, or of all"},
    {0, NULL, NULL, NULL},
};

static const char *const min_examples[] = {
    "min --rule 'Terminal shell in container' -r rules.yaml host.scap.zst -o trace.scap.zst",
    "min --rule 'Terminal shell in container' --evt 81244 -r rules.yaml host.scap --test "
    "tests/shell",
    NULL,
};

struct min {
	struct cli_common common;
	struct cli_rule_run rules;
	struct surgery surgery;
	struct reg_min_options opt;
	struct cli_scratch scratch;
	const char *test; /* the directory; NULL: none is asked for */
	char *trace;	  /* the capture in it */
	struct sf_index *index;
	struct reg_min *m;
	bool hashed; /* the capture; its hash is in @sha256 */
	uint8_t sha256[SF_SEAL_DIGEST];
};

static int take_number(const char *option, const char *value, uint64_t *out)
{
	if (cli_parse_u64(value, out) && *out)
		return 0;
	cli_log(CLI_ERROR, "--%s %s: expected a number above 0", option, value);
	return CLI_USAGE;
}

static int take_option(void *arg, int id, const char *value)
{
	struct min *o = arg;
	int rc = surgery_take(&o->surgery.opt, id, value);

	if (rc >= 0)
		return rc;
	switch (id) {
	case OPT_RULE:
		o->opt.rule = value;
		return 0;
	case OPT_NTH:
		return take_number("nth", value, &o->opt.nth);
	case OPT_TEST:
		o->test = value;
		return 0;
	case OPT_EVT:
		return take_number("evt", value, &o->opt.event);
	default:
		return cli_rule_run_take(&o->rules, id, value);
	}
}

static int usage(const char *what)
{
	cli_log(CLI_ERROR, "%s", what);
	return CLI_USAGE;
}

static int check(const struct min *o, char **paths, size_t n)
{
	if (n != 1)
		return usage("one capture is wanted");
	if (strcmp(paths[0], "-") == 0)
		return usage("the capture is read several times: give a file");
	if (!o->opt.rule)
		return usage("--rule: say whose alert is to stay");
	if (o->opt.nth && o->opt.event)
		return usage("--nth and --evt: only one of them");
	if (o->test && o->surgery.opt.output)
		return usage("--test and --output: only one of them");
	return 0;
}

static int tell_no_alert(const struct min *o, const struct reg_min_found *f)
{
	if (o->opt.event)
		cli_log(CLI_ERROR, "%s: rule '%s' gives no alert at event %llu, but %llu others",
			o->opt.path, o->opt.rule, (unsigned long long)o->opt.event,
			(unsigned long long)f->alerts);
	else
		cli_log(CLI_ERROR, "%s: rule '%s' gives %llu alerts; there is no number %llu",
			o->opt.path, o->opt.rule, (unsigned long long)f->alerts,
			(unsigned long long)o->opt.nth);
	return CLI_INPUT;
}

static void tell_found(struct min *o, const struct reg_min_found *f)
{
	cli_log(CLI_NOTE,
		"%llu of %llu events, %llu of %llu threads and %llu of %llu descriptors needed; "
		"%llu replays",
		(unsigned long long)f->kept_events, (unsigned long long)f->events,
		(unsigned long long)f->kept_threads, (unsigned long long)f->threads,
		(unsigned long long)f->kept_fds, (unsigned long long)f->fds,
		(unsigned long long)f->replays);
	buf_addf(&o->surgery.details, ",\"events\":%llu,\"alert\":{\"evt\":%llu,\"ts\":%llu}",
		 (unsigned long long)f->kept_events, (unsigned long long)f->event,
		 (unsigned long long)f->ts);
}

/* The capture was read by others: once more, for its hash and its damage. */
static int hash_input(struct min *o)
{
	struct sf_reader *r = NULL;
	int rc = surgery_open_input(&o->surgery, 0, NULL, &r);

	if (rc)
		return rc;
	surgery_close_input(&o->surgery, 0, r);
	o->hashed = o->surgery.parents[0].hashed;
	memcpy(o->sha256, o->surgery.parents[0].sha256, sizeof(o->sha256));
	return 0;
}

static int write_rest(struct min *o)
{
	struct error err = {0};
	int rc = surgery_create(&o->surgery);

	if (!rc && reg_min_write(o->m, o->surgery.writer, &err) < 0)
		rc = cli_fail(&err);
	return rc ? rc : hash_input(o);
}

static int minimise(struct min *o)
{
	struct error err = {0};
	int rc = reg_min_new(&o->opt, &o->m, &err);

	if (rc == 0)
		rc = reg_min_reduce(o->m, &err);
	cli_progress_done();
	if (rc < 0)
		return cli_fail(&err);
	if (rc == 0)
		return tell_no_alert(o, reg_min_found(o->m));
	if (rc > 1)
		return rc;
	tell_found(o, reg_min_found(o->m));
	return write_rest(o);
}

/* --- a test of it --- */

#define TRACE_NAME "trace.scap.zst"

static int make_directory(struct min *o)
{
	if (mkdir(o->test, 0777) < 0 && errno != EEXIST) {
		cli_log(CLI_ERROR, "cannot make '%s': %s", o->test, strerror(errno));
		return CLI_INPUT;
	}
	if (asprintf(&o->trace, "%s/" TRACE_NAME, o->test) < 0) {
		o->trace = NULL;
		return cli_exit_of(ERR_NOMEM);
	}
	o->surgery.opt.output = o->trace;
	return 0;
}

/* What the capture gives as it was written is what the test is to give. */
static int make_test(struct min *o)
{
	const struct cli_rule_run *rules = &o->rules;
	const struct reg_alerts *alerts;
	struct reg_new_test t = {
	    .dir = o->test,
	    .rules = rules->rules.items,
	    .rule_count = rules->rules.count,
	    .config = rules->config,
	    .options = rules->overrides.items,
	    .option_count = rules->overrides.count,
	    .match_all = rules->match_all,
	    .how = "scapula min",
	    .min_of = o->hashed ? o->sha256 : NULL,
	};
	struct error err = {0};

	if (reg_min_alerts(o->m, o->trace, &alerts, &err) < 0)
		return cli_fail(&err);
	t.alerts = alerts;
	if (reg_new_test(&t, &err) < 0)
		return cli_fail(&err);
	cli_log(CLI_NOTE, "%s is a test now: scapula test %s", o->test, o->test);
	return 0;
}

/* --- the command --- */

static int tick(void *arg)
{
	(void)arg;
	return cli_interrupted();
}

static int work(struct min *o, const char *path)
{
	int rc = cli_rule_run_load(&o->rules);

	if (!rc)
		rc = cli_rule_run_check_rule(&o->rules, o->opt.rule);
	if (!rc)
		rc = cli_scratch_make(&o->scratch);
	if (rc)
		return rc;
	o->index = cli_index_open(path);
	o->rules.run.progress = cli_progress;
	o->opt.engine = o->rules.engine;
	o->opt.run = &o->rules.run;
	o->opt.path = path;
	o->opt.index = o->index;
	o->opt.scratch = o->scratch.file;
	o->opt.tick = tick;
	if (!o->opt.nth)
		o->opt.nth = 1;
	return minimise(o);
}

static int run_all(struct min *o, char **paths, size_t n)
{
	int rc = check(o, paths, n), status;

	cli_catch_timeout(&o->common);
	if (!rc && o->test)
		rc = make_directory(o);
	if (!rc)
		rc = surgery_begin(&o->surgery, paths, n);
	if (!rc)
		rc = work(o, paths[0]);
	status = surgery_end(&o->surgery, rc);
	if (o->test && (!status || status == CLI_PARTIAL))
		status = cli_worse(status, make_test(o));
	return status;
}

int cmd_min(int argc, char **argv)
{
	struct min o = {.surgery = {.operation = "min", .argc = argc, .argv = argv}};
	const struct cli_parser parser = {"min", min_options, min_examples, take_option, &o};
	int first, rc;

	cli_rule_run_init(&o.rules, &o.common);
	o.surgery.common = &o.common;
	rc = cli_parse(&parser, &o.common, argc, argv, &first);
	if (rc < 0)
		rc = cli_flush();
	else if (rc == 0)
		rc = run_all(&o, argv + first, (size_t)(argc - first));
	reg_min_free(o.m);
	sf_index_close(o.index);
	cli_scratch_done(&o.scratch);
	free(o.trace);
	return cli_rule_run_done(&o.rules, rc);
}
