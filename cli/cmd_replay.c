/* SPDX-License-Identifier: Apache-2.0 */
/* scapula replay: rules over captures. */
#include <string.h>

#include "cli/index.h"
#include "cli/profile.h"
#include "cli/recall.h"
#include "cli/rule_run.h"
#include "cli/shard_run.h"

enum {
	OPT_FROM = OPT_AFTER_RULE_RUN,
	OPT_TO,
	OPT_CACHE,
	OPT_SHARD,
	OPT_PROFILE,
	OPT_REUSE,
};

static const struct cli_option replay_options[] = {
    CLI_RULE_RUN_OPTIONS,
    {OPT_FROM, "from", "TIME", "rules see events from then on: ISO 8601, @SECONDS or +DURATION"},
    {OPT_TO, "to", "TIME", "and until then"},
    {OPT_SHARD, "shard", "LIST", "the captures of a list of 'scapula shard', into a part"},
    {OPT_CACHE, "cache", "DIR",
     "keep what each rule finds, and evaluate only what is not there yet"},
    {OPT_REUSE, "reuse", "CASE",
     "with --shard: take over what an earlier case has and rules leave as it is"},
    {OPT_STATS, "stats", NULL, "time, rate and memory at the end"},
    {OPT_PROFILE, "profile", "FILE",
     "what each rule cost; .json: as JSON, -: on stderr; by one thread"},
    CLI_OPTION_JOBS,
    {0, NULL, NULL, NULL},
};

static const char *const replay_examples[] = {
    "replay --rules rules.yaml capture.scap",
    "replay --rules rules.yaml --format json --matching all capture.scap",
    "replay --rules rules.yaml --db host7.case.db --fail-on 'prio>=warning' capture.scap",
    "replay --rules rules.yaml --shard job/shard-0007.lst --db part-0007.db",
    NULL,
};

struct replay {
	struct cli_common common;
	struct cli_rule_run rules;
	bool stats;
	const char *cache;   /* directory, or NULL */
	const char *shard;   /* a list instead of captures */
	const char *profile; /* where it goes, or NULL */
	struct run_profile *costs;
	const char *reuse; /* a case that was made of parts */
};

static int take_option(void *arg, int id, const char *value)
{
	struct replay *o = arg;
	struct run_window *window = &o->rules.run.window;

	switch (id) {
	case OPT_FROM:
		return cli_take_time("from", value, &window->from, &window->from_relative);
	case OPT_TO:
		return cli_take_time("to", value, &window->to, &window->to_relative);
	case OPT_SHARD:
		o->shard = value;
		return 0;
	case OPT_CACHE:
		o->cache = value;
		return 0;
	case OPT_REUSE:
		o->reuse = value;
		return 0;
	case OPT_STATS:
		o->stats = true;
		return 0;
	case OPT_PROFILE:
		o->profile = value;
		return 0;
	case 'j':
		return cli_take_jobs(value, &o->rules.run.jobs);
	default:
		return cli_rule_run_take(&o->rules, id, value);
	}
}

static void note_replayed(const struct run_capture_report *rep, struct cli_replayed *out)
{
	*out = (struct cli_replayed){.read = true,
				     .end = rep->end,
				     .events = rep->state->events,
				     .hashed = rep->stats->sha256_valid};
	memcpy(out->sha256, rep->stats->sha256, sizeof(out->sha256));
}

static int replay_one(void *arg, const char *path, struct cli_replayed *out)
{
	struct replay *o = arg;
	struct run_capture_report rep = {0};
	int status = 0;
	struct error err = {0};
	struct sf_index *x = o->rules.run.jobs > 1 ? cli_index_open(path) : NULL;
	int rc = run_capture(o->rules.r, path, x, &rep, &err);

	cli_progress_done();
	if (rep.index_failed)
		cli_log(CLI_WARNING,
			"the index of '%s' cannot be used; 'scapula index' makes it anew", path);
	if (rep.alone)
		cli_log(CLI_DEBUG, "%s: one thread: %s", path, rep.alone);
	if (rep.stats) {
		note_replayed(&rep, out);
		status = cli_rule_run_report(&o->rules, path, &rep);
	}
	sf_index_close(x);
	return rc < 0 ? cli_worse(status, cli_fail(&err)) : status;
}

static void stop_run(void *arg)
{
	run_stop(arg);
}

static int replay_all(struct replay *o, char **paths, size_t count)
{
	struct run *r = o->rules.r;
	struct cli_replayed rep;
	int status = 0;

	cli_on_interrupt(stop_run, r);
	for (size_t i = 0; i < count && !run_is_broken(r) && !cli_interrupted(); i++)
		status = cli_worse(status, replay_one(o, paths[i], &rep));
	cli_on_interrupt(NULL, NULL);
	cli_rule_run_tell(&o->rules);
	if (o->stats)
		cli_rule_run_effort(&o->rules);
	if (o->costs)
		status = cli_worse(status, cli_profile_write(o->profile, o->costs, run_totals(r)));
	return status;
}

/* Workers are many: one thread each, unless more are asked for. */
static int work_on_shard(struct replay *o, int argc, char **argv, int first)
{
	struct cli_worker w = {

	    .list = o->shard,
	    .reuse = o->reuse,
	    .rules = &o->rules,
	    .replay = replay_one,
	    .arg = o};

	if (!o->shard) {
		cli_log(CLI_ERROR, "--reuse goes with --shard");
		return cli_rule_run_done(&o->rules, CLI_USAGE);
	}
	if (first < argc) {
		cli_log(CLI_ERROR, "--shard names the captures; '%s' is one more", argv[first]);
		return cli_rule_run_done(&o->rules, CLI_USAGE);
	}
	if (o->cache || o->profile) {
		cli_log(CLI_ERROR, "--shard fills a part: not with --cache or --profile");
		return cli_rule_run_done(&o->rules, CLI_USAGE);
	}
	o->rules.run.progress = cli_progress;
	return cli_worker_run(&w, argc, argv);
}

static int recall(struct replay *o, int argc, char **argv, int first)
{
	if (o->rules.db) {
		cli_log(CLI_ERROR,
			"--cache keeps alerts, and a case has more in it: not with --db");
		return CLI_USAGE;
	}
	if (o->profile) {
		cli_log(CLI_ERROR,
			"--profile is about all rules and events, of which --cache spares "
			"most: not together");
		return CLI_USAGE;
	}
	return cli_recall_replay(&o->rules, o->cache, argv + first, (size_t)(argc - first),
				 o->stats, argc, argv);
}

static int begin_profile(struct replay *o)
{
	struct error err = {0};

	if (!o->profile)
		return 0;
	if (run_profile_new(o->rules.engine, &o->costs, &err) < 0)
		return cli_fail(&err);
	o->rules.run.profile = o->costs;
	return 0;
}

static int work(struct replay *o, int argc, char **argv, int first)
{
	int rc;

	if (first == argc) {
		cli_log(CLI_ERROR, "no capture given; '-' reads standard input");
		return CLI_USAGE;
	}
	o->rules.run.progress = cli_progress;
	if (!o->rules.run.jobs)
		o->rules.run.jobs = cli_jobs_default();
	rc = cli_rule_run_check_case(&o->rules, (const char *const *)argv + first,
				     (size_t)(argc - first));
	if (!rc && o->cache)
		return recall(o, argc, argv, first);
	if (!rc && o->profile)
		rc = cli_profile_check(o->profile);
	if (!rc)
		rc = cli_rule_run_load(&o->rules);
	if (!rc)
		rc = begin_profile(o);
	if (!rc)
		rc = cli_rule_run_start(&o->rules, argc, argv);
	return rc ? rc : replay_all(o, argv + first, (size_t)(argc - first));
}

/* ---- once more ---- */

struct repeat {
	struct cli_rule_run *rules;
	struct cli_common *common;
	bool *configured;
};

/* What says which alerts there are, and what they say. */
static int take_again(void *arg, int id, const char *value)
{
	struct repeat *r = arg;

	switch (id) {
	case 'O':
	case 'F':
	case 'D':
	case 't':
	case 'T':
	case OPT_MATCHING:
	case OPT_MIN_PRIORITY:
	case OPT_CORRECTED:
		return cli_rule_run_take(r->rules, id, value);
	case OPT_FROM:
		return cli_take_time("from", value, &r->rules->run.window.from,
				     &r->rules->run.window.from_relative);
	case OPT_TO:
		return cli_take_time("to", value, &r->rules->run.window.to,
				     &r->rules->run.window.to_relative);
	case OPT_TZ:
		return cli_parse_zone(value, &r->common->tz_offset_s) ? 0 : CLI_USAGE;
	case 'c':
		*r->configured = true;
		return 0;
	default:
		return 0;
	}
}

bool cli_replay_again(struct cli_rule_run *o, struct cli_common *common, int argc, char **argv,
		      bool *configured)
{
	struct repeat r = {.rules = o, .common = common, .configured = configured};

	return cli_walk_options(replay_options, argc, argv, take_again, &r);
}

int cmd_replay(int argc, char **argv)
{
	struct replay o = {0};
	const struct cli_parser parser = {"replay", replay_options, replay_examples, take_option,
					  &o};
	int first, status;

	cli_rule_run_init(&o.rules, &o.common);
	status = cli_parse(&parser, &o.common, argc, argv, &first);
	if (status < 0) {
		status = cli_flush();
	} else if (status == 0) {
		cli_catch_signals();
		if (o.shard || o.reuse)
			return work_on_shard(&o, argc, argv, first);
		status = work(&o, argc, argv, first);
	}
	status = cli_rule_run_done(&o.rules, status);
	run_profile_free(o.costs);
	return status;
}
