/* SPDX-License-Identifier: Apache-2.0 */
/* scapula diff: the alerts of two runs, what became of them, and why. */
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/rule_run.h"
#include "query/query.h"
#include "regress/costs.h"
#include "regress/diff.h"

enum {
	OPT_FAIL_WHAT = OPT_COMMAND_FIRST,
	OPT_RULES_FROM,
	OPT_IGNORE,
	OPT_FORCE,
	OPT_COST_BEFORE,
	OPT_COST_AFTER,
};

static const struct cli_option diff_options[] = {
    {'f', "format", "FORMAT", "text, json, markdown or sarif"},
    {'o', "output", "FILE", "where to; -, or without: standard output"},
    {OPT_FORCE, "force", NULL, "replace FILE if there is one"},
    {OPT_IGNORE, "ignore", "PATTERN",
     "fields that are not compared, with * for any text; repeatable"},
    {OPT_RULES_FROM, "rules-from", "FILE|DIR",
     "where to look for rule files of the runs, by their hash; repeatable"},
    {OPT_FAIL_WHAT, "fail-on", "WHAT,...",
     "status 1 on missing, new, changed, moved, each also :prio>=P, cost>+N%; none: never"},
    {OPT_COST_BEFORE, "cost-before", "FILE", "profile of the first run, for cost>+N%"},
    {OPT_COST_AFTER, "cost-after", "FILE", "and of the second: 'replay --profile FILE.json'"},
    {0, NULL, NULL, NULL},
};

static const char *const diff_examples[] = {
    "diff before.case.db after.case.db",
    "diff --fail-on 'missing,new:prio>=warning' nightly.case.db#12 nightly.case.db#13",
    "diff --fail-on 'cost>+20%' --cost-before old.json --cost-after new.json old.case.db "
    "new.case.db",
    "diff -f json rules/tests/cron/baseline.jsonl alerts.jsonl",
    NULL,
};

#define COST_PERCENT_MAX 1000000u

struct diff {
	struct cli_common common;
	const struct reg_diff_format *format;
	const char *output;
	struct cli_names rules_from, ignore;
	bool force;
	int fail[REG_TIER_COUNT]; /* the least severe priority that counts; -1: none */
	double fail_cost;	  /* so many per cent more; negative: none */
	const char *cost_before, *cost_after;
};

/* --- options --- */

static void fail_on_nothing(struct diff *o)
{
	for (int i = 0; i < REG_TIER_COUNT; i++)
		o->fail[i] = -1;
	o->fail_cost = -1;
}

/* "cost>+20%" */
static bool take_cost(struct diff *o, struct sv word)
{
	struct sv digits = sv_drop(word, strlen("cost>+"));
	uint64_t percent = 0;

	if (!sv_starts(word, SV_LIT("cost>+")) || !sv_ends(digits, SV_LIT("%")) || digits.n < 2)
		return false;
	for (size_t i = 0; i + 1 < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9' || percent > COST_PERCENT_MAX)
			return false;
		percent = 10 * percent + (uint64_t)(digits.p[i] - '0');
	}
	o->fail_cost = (double)percent;
	return true;
}

/* "missing", "new:prio>=warning" */
static bool take_word(struct diff *o, struct sv word)
{
	const char *colon = memchr(word.p, ':', word.n);
	struct sv tier = sv_make(word.p, colon ? (size_t)(colon - word.p) : word.n);
	struct sv least = sv_drop(word, tier.n + 1);
	enum rule_priority p = RULE_DEBUG;

	if (sv_is(word, "none")) {
		fail_on_nothing(o);
		return true;
	}
	if (take_cost(o, word))
		return true;
	if (colon &&
	    (!sv_starts(least, SV_LIT("prio>=")) || !rule_priority_parse(sv_drop(least, 6), &p)))
		return false;
	for (int i = REG_CHANGED; i < REG_TIER_COUNT; i++) {
		if (!sv_is(tier, reg_tier_names[i]))
			continue;
		o->fail[i] = (int)p;
		return true;
	}
	return false;
}

static int take_fail_on(struct diff *o, const char *value)
{
	fail_on_nothing(o);
	for (const char *at = value;; at++) {
		size_t n = strcspn(at, ",");

		if (!take_word(o, sv_make(at, n))) {
			cli_log(CLI_ERROR,
				"--fail-on %s: expected missing, new, changed or moved, each with "
				":prio>=PRIORITY or without, cost>+N%%, or none",
				value);
			return CLI_USAGE;
		}
		at += n;
		if (!*at)
			return 0;
	}
}

static int take_option(void *arg, int id, const char *value)
{
	struct diff *o = arg;
	const void *row = NULL;
	int status;

	switch (id) {
	case 'f':
		status = cli_take_row("format", value, reg_diff_formats, sizeof(*reg_diff_formats),
				      &row);
		if (!status)
			o->format = row;
		return status;
	case 'o':
		o->output = value;
		return 0;
	case OPT_IGNORE:
		return cli_names_add(&o->ignore, value);
	case OPT_RULES_FROM:
		return cli_names_add(&o->rules_from, value);
	case OPT_FAIL_WHAT:
		return take_fail_on(o, value);
	case OPT_COST_BEFORE:
		o->cost_before = value;
		return 0;
	case OPT_COST_AFTER:
		o->cost_after = value;
		return 0;
	case OPT_FORCE:
		o->force = true;
		return 0;
	default:
		return CLI_USAGE;
	}
}

/* --- the command --- */

static bool is_finding(const struct diff *o, const struct reg_pair *p)
{
	const struct reg_alert *a = p->b ? p->b : p->a;

	return p->tier != REG_UNCHANGED && (int)a->priority <= o->fail[p->tier];
}

static int write_diff(const struct diff *o, const struct reg_diff *d)
{
	struct buf b = {0};
	int status;

	o->format->write(&b, d, SCAPULA_VERSION);
	status = cli_output_text(o->output, o->force, &b);
	buf_done(&b);
	for (size_t i = 0; i < d->pairs.count; i++)
		if (is_finding(o, &d->pairs.pairs[i]))
			return cli_worse(status, CLI_FINDINGS);
	return status;
}

/* A run that was cut short, or capture, makes the result incomplete. */
static int completeness(const struct reg_side *s)
{
	struct buf path = {0};
	int status = 0;

	if (s->is_case && !s->finished) {
		cli_log(CLI_WARNING, "%s: run %lld did not finish", s->name, (long long)s->run_id);
		status = CLI_PARTIAL;
	}
	for (size_t i = 0; i < s->trace_count; i++) {
		if (s->traces[i].shared)
			continue;
		buf_reset(&path);
		cli_safe(&path, s->traces[i].path);
		cli_log(CLI_WARNING, "%s: '%s' is in no reading of the other run", s->name,
			buf_cstr(&path));
		status = CLI_PARTIAL;
	}
	buf_done(&path);
	return status;
}

static int compare(struct diff *o, struct reg_side *a, struct reg_side *b)
{
	struct sv *patterns = calloc(o->ignore.count + 1, sizeof(*patterns));
	struct reg_ignore ignore = {patterns, o->ignore.count};
	struct error err = {0};
	struct reg_diff d;
	int status;

	if (!patterns)
		return cli_exit_of(ERR_NOMEM);
	for (size_t i = 0; i < o->ignore.count; i++)
		patterns[i] = sv_of(o->ignore.items[i]);
	if (reg_diff(a, b, &ignore, &d, &err) == 0) {
		status = cli_worse(completeness(a), completeness(b));
		status = cli_worse(status, write_diff(o, &d));
		reg_diff_done(&d);
	} else {
		status = cli_fail(&err);
	}
	free(patterns);
	return status;
}

/* Do rules cost more? Told on standard error, whatever the format. */
static int compare_costs(const struct diff *o)
{
	struct reg_costs a = {0}, b = {0};
	struct error err = {0};
	struct buf grown = {0};
	int status = 0;

	if (o->fail_cost < 0)
		return 0;
	if (reg_costs_read(o->cost_before, &a, &err) < 0 ||
	    reg_costs_read(o->cost_after, &b, &err) < 0)
		status = cli_fail(&err);
	else if (reg_costs_grown(&grown, &a, &b, o->fail_cost)) {
		cli_log(CLI_WARNING, "over %.0f %% more work:\n%.*s", o->fail_cost,
			(int)(grown.len - 1), grown.p);
		status = CLI_FINDINGS;
	}
	buf_done(&grown);
	reg_costs_done(&a);
	reg_costs_done(&b);
	return status;
}

static int check_costs(const struct diff *o)
{
	if ((o->fail_cost >= 0) == (o->cost_before && o->cost_after) &&
	    !o->cost_before == !o->cost_after)
		return 0;
	cli_log(CLI_ERROR, "--fail-on cost>+N%%, --cost-before and --cost-after go together");
	return CLI_USAGE;
}

static int work(void *arg, char **args, int count)
{
	struct diff *o = arg;
	const struct reg_paths where = {o->rules_from.items, o->rules_from.count};
	struct reg_side a = {0}, b = {0};
	struct error err = {0};
	int status = 0;

	if (count != 2) {
		cli_log(CLI_ERROR, "expected two runs: cases, CASE#RUN, or files of alerts");
		return CLI_USAGE;
	}
	status = check_costs(o);
	if (status)
		return status;
	qry_setup();
	if (reg_side_open(&a, args[0], &where, &err) < 0 ||
	    reg_side_open(&b, args[1], &where, &err) < 0)
		status = cli_fail(&err);
	else
		status = cli_worse(compare(o, &a, &b), compare_costs(o));
	reg_side_done(&a);
	reg_side_done(&b);
	return status;
}

int cmd_diff(int argc, char **argv)
{
	struct diff o = {.format = reg_diff_formats, .fail_cost = -1};
	const struct cli_parser parser = {"diff", diff_options, diff_examples, take_option, &o};
	int status;

	for (int i = 0; i < REG_TIER_COUNT; i++)
		o.fail[i] = i == REG_MOVED ? -1 : RULE_DEBUG;
	status = cli_run(&parser, &o.common, argc, argv, work);
	cli_names_done(&o.rules_from);
	cli_names_done(&o.ignore);
	return status;
}
