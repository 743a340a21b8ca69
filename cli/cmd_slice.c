/* SPDX-License-Identifier: Apache-2.0 */
/* scapula slice: a part of captures as a capture. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/index.h"
#include "cli/inputs.h"
#include "cli/slicing.h"
#include "cli/surgery.h"
#include "cli/walk.h"
#include "replay/slice.h"

enum {
	OPT_FROM = OPT_AFTER_RULE_RUN,
	OPT_TO,
	OPT_EVT,
	OPT_PID,
	OPT_TREE,
	OPT_AT,
	OPT_CONTAINER,
	OPT_ALERT,
	OPT_RULE,
	OPT_NTH,
	OPT_UP,
	OPT_GROUP,
	OPT_AROUND,
};

static const struct cli_option slice_options[] = {
    SURGERY_OPTIONS,
    {OPT_FROM, "from", "TIME", "events from then on: ISO 8601, @SECONDS or +DURATION"},
    {OPT_TO, "to", "TIME", "and until then"},
    {OPT_EVT, "evt", "A..B", "events with these numbers; either may be left out"},
    {OPT_PID, "pid", "PID", "events of this process"},
    {OPT_TREE, "tree", "PID", "of this process and all that descend from it"},
    {OPT_AT, "at", "TIME|evt:N", "when the process had that number; default: at first"},
    {OPT_CONTAINER, "container", "ID|NAME", "of the processes of this container"},
    {'F', "filter", "CONDITION", "events that pass"},
    {OPT_ALERT, "alert", "ID", "the process tree of this alert of --db"},
    {OPT_DB, "db", "CASE", "the case that holds it"},
    {OPT_RULE, "rule", "NAME", "the process tree of an alert of this rule of --rules"},
    {OPT_NTH, "nth", "N", "which of its alerts; default: the first"},
    {'r', "rules", "FILE|DIR", "rule file or directory; repeatable, in order"},
    {OPT_UP, "up", "N", "the tree of the Nth ancestor instead of that of the process"},
    {OPT_GROUP, "group", NULL, "and those of the other processes of its process group"},
    {OPT_AROUND, "around", "N|TIME", "with an alert: so many events, or that long, around it"},
    {0, NULL, NULL, NULL},
};

static const char *const slice_examples[] = {
    "slice --from +30s --to +40s host.scap.zst -o part.scap.zst",
    "slice --tree 1234 --at evt:9000 host.scap -o tree.scap",
    "slice --alert 17 --db host.case.db host.scap -o alert.scap",
    "slice --rule 'Terminal shell in container' -r rules.yaml host.scap -o alert.scap",
    NULL,
};

struct slice {
	struct cli_common common;
	struct surgery surgery;
	struct run_slice_options opt;
	struct slice_alert alert;
	const char *subject; /* the option that says of what; NULL: of all */
	const char *filter;
	struct run_moment at;
	bool around_time;
	uint64_t around; /* events or nanoseconds; 0: all */
	struct flt_program *program;
	/* At work: */
	uint64_t events, state_only;
};

/* --- options --- */

static int bad_value(const char *option, const char *value, const char *expected)
{
	cli_log(CLI_ERROR, "--%s %s: expected %s", option, value, expected);
	return CLI_USAGE;
}

static int take_number(const char *option, const char *value, uint64_t *out)
{
	return cli_parse_u64(value, out) && *out ? 0 : bad_value(option, value, "a number above 0");
}

static int take_subject(struct slice *o, const char *option, enum run_subject subject)
{
	if (o->subject && strcmp(o->subject, option) != 0) {
		cli_log(CLI_ERROR, "--%s and --%s: only one of them", o->subject, option);
		return CLI_USAGE;
	}
	o->subject = option;
	o->opt.subject = subject;
	return 0;
}

static int take_pid(struct slice *o, const char *option, const char *value)
{
	uint64_t pid;
	int rc = take_number(option, value, &pid);

	if (!rc && pid > INT32_MAX)
		rc = bad_value(option, value, "the number of a process");
	o->opt.pid = (int64_t)pid;
	o->opt.descendants = strcmp(option, "tree") == 0;
	return rc ? rc : take_subject(o, option, RUN_OF_PROCESS);
}

static int take_around(struct slice *o, const char *value)
{
	o->around_time = !cli_parse_u64(value, &o->around);
	if (o->around_time ? cli_parse_duration(value, &o->around) && o->around : o->around)
		return 0;
	return bad_value("around", value, "a number of events or a time such as 5s");
}

/* The process tree of an alert: that of its event's process. */
static int take_alert(struct slice *o, const char *option)
{
	o->opt.descendants = true;
	return take_subject(o, option, RUN_OF_EVENT);
}

static int take_up(struct slice *o, const char *value)
{
	uint64_t n;

	if (take_number("up", value, &n) || n > STATE_CLIMB_MAX)
		return CLI_USAGE;
	o->opt.up = (unsigned)n;
	return 0;
}

/* Which events, by place. */
static int take_place(struct slice *o, int id, const char *value)
{
	struct run_window *w = &o->opt.window;

	switch (id) {
	case OPT_FROM:
		return cli_take_time("from", value, &w->from, &w->from_relative);
	case OPT_TO:
		return cli_take_time("to", value, &w->to, &w->to_relative);
	case OPT_EVT:
		return cli_parse_range(value, &o->opt.first_event, &o->opt.last_event)
			   ? 0
			   : bad_value("evt", value,
				       "event numbers such as 100..200, 100.. or ..200");
	case OPT_AT:
		return cli_take_moment("at", value, &o->at);
	case OPT_AROUND:
		return take_around(o, value);
	default:
		return CLI_USAGE;
	}
}

static int take_option(void *arg, int id, const char *value)
{
	struct slice *o = arg;
	int rc = surgery_take(&o->surgery.opt, id, value);

	if (rc >= 0)
		return rc;
	switch (id) {
	case OPT_PID:
		return take_pid(o, "pid", value);
	case OPT_TREE:
		return take_pid(o, "tree", value);
	case OPT_CONTAINER:
		o->opt.container = value;
		return *value ? take_subject(o, "container", RUN_OF_CONTAINER)
			      : bad_value("container", value, "an id or a name");
	case 'F':
		o->filter = value;
		return take_subject(o, "filter", RUN_OF_FILTER);
	case OPT_ALERT:
		rc = take_number("alert", value, &o->alert.id);
		return rc ? rc : take_alert(o, "alert");
	case OPT_RULE:
		o->alert.rule = value;
		return take_alert(o, "rule");
	case OPT_DB:
		o->alert.db = value;
		return 0;
	case OPT_NTH:
		return take_number("nth", value, &o->alert.nth);
	case 'r':
		return cli_names_add(&o->alert.rules, value);
	case OPT_UP:
		return take_up(o, value);
	case OPT_GROUP:
		o->opt.group = true;
		return 0;
	default:
		return take_place(o, id, value);
	}
}

/* --- what was asked for --- */

static int usage(const char *what)
{
	cli_log(CLI_ERROR, "%s", what);
	return CLI_USAGE;
}

static int check_alert(const struct slice *o)
{
	const struct slice_alert *a = &o->alert;

	if (a->id && !a->db)
		return usage("--alert: --db is missing");
	if (a->rule && !a->rules.count)
		return usage("--rule: --rules is missing");
	if (!a->id && a->db)
		return usage("--db is of use with --alert only");
	if (!a->rule && (a->rules.count || a->nth))
		return usage("--rules and --nth are of use with --rule only");
	if (o->around &&
	    (o->opt.first_event || o->opt.last_event || o->opt.window.from || o->opt.window.to))
		return usage("--around: not together with --from, --to and --evt");
	return 0;
}

static int check(struct slice *o, char **paths, size_t n)
{
	bool of_process = o->opt.subject == RUN_OF_PROCESS,
	     of_event = o->opt.subject == RUN_OF_EVENT;
	int rc = check_alert(o);

	if (rc)
		return rc;
	if (o->around && !of_event)
		return usage("--around is of use with --alert and --rule only");
	if (o->at.kind != RUN_AT_END && !of_process)
		return usage("--at is of use with --pid and --tree only");
	if ((o->opt.up || o->opt.group) && !o->opt.descendants)
		return usage("--up and --group are of use with --tree, --alert and --rule only");
	if (n > 1 && (of_process || of_event))
		return usage("a process or an alert is in one capture: several were given");
	for (size_t i = 0; i < n; i++)
		if (strcmp(paths[i], "-") == 0 && !run_slice_is_single_pass(&o->opt))
			return usage("this needs two passes, and standard input can be read once: "
				     "give a file");
	return 0;
}

static int compile_filter(struct slice *o)
{
	const struct flt_options opt = {0};
	struct arena arena = {0};
	struct error err = {0};
	int rc;

	if (!o->filter)
		return 0;
	if (flt_program_new(&opt, &o->program, &err) < 0)
		return cli_fail(&err);
	rc = cli_add_condition(o->program, "--filter", o->filter, &arena, NULL, &o->opt.filter_id);
	arena_done(&arena);
	if (rc)
		return rc;
	o->opt.program = o->program;
	return flt_program_seal(o->program, &err) < 0 ? cli_fail(&err) : 0;
}

/* The event of the alert, and what is around it. */
static int find_alert(struct slice *o, const char *path)
{
	struct run_slice_options *opt = &o->opt;
	int rc;

	if (opt->subject != RUN_OF_EVENT)
		return 0;
	if (!o->alert.nth)
		o->alert.nth = 1;
	rc = slice_find_alert(&o->alert, &o->common, path);
	if (rc)
		return rc;
	opt->event = o->alert.event;
	if (o->around && o->around_time) {
		opt->window.from = o->alert.ts > o->around ? o->alert.ts - o->around : 1;
		opt->window.to = o->alert.ts + o->around;
	} else if (o->around) {
		opt->first_event = opt->event > o->around ? opt->event - o->around : 1;
		opt->last_event = opt->event + o->around;
	}
	return 0;
}

/* --- work --- */

static int tick(void *arg, const struct sf_reader *r)
{
	return surgery_tick(arg, r);
}

/* @rc: of the survey or the writing. Return: 0 or an exit status. */
static int result(int rc, const struct error *err)
{
	if (rc < 0)
		return cli_fail(err);
	return rc > 1 ? rc : 0;
}

static int copy_part(struct slice *o, struct run_slice *s, size_t i, const struct sf_index *x)
{
	struct surgery *y = &o->surgery;
	struct sf_reader *r = NULL;
	struct error err = {0};
	int rc = surgery_open_input(y, i, NULL, &r);

	if (!rc && !y->writer)
		rc = surgery_create(y);
	if (!rc)
		rc = result(run_slice_write(s, r, x, y->writer, &err), &err);
	surgery_close_input(y, i, r);
	if (!rc && y->parents[i].hashed)
		rc = slice_check_capture(&o->alert, y->parents[i].path, y->parents[i].sha256);
	o->events += run_slice_found(s)->events;
	o->state_only += run_slice_found(s)->state_only;
	return rc;
}

static void tell_found(const struct slice *o, const struct run_slice_found *f)
{
	if (o->opt.subject == RUN_OF_ALL)
		return;
	cli_log(CLI_NOTE, "%llu processes, and %llu that they come from or refer to",
		(unsigned long long)f->processes, (unsigned long long)f->context);
	if (f->others)
		cli_log(CLI_WARNING,
			"%llu later processes had the same number, and are not in it: --at says "
			"which one is meant",
			(unsigned long long)f->others);
}

static int slice_with(struct slice *o, struct run_slice *s, size_t i, const struct sf_index *x)
{
	const char *path = o->surgery.parents[i].path;
	struct error err = {0};
	int rc = 1;

	if (!run_slice_is_single_pass(&o->opt))
		rc = run_slice_survey(s, path, x, &err);
	if (rc == 0) {
		cli_log(CLI_WARNING, "%s: nothing of it is asked for", path);
		return 0;
	}
	if (rc != 1)
		return result(rc, &err);
	tell_found(o, run_slice_found(s));
	return copy_part(o, s, i, x);
}

static int slice_one(struct slice *o, size_t i)
{
	struct sf_index *x = cli_index_open(o->surgery.parents[i].path);
	struct run_slice *s = NULL;
	struct error err = {0};
	int rc = run_slice_new(&o->opt, &s, &err);

	rc = rc < 0 ? cli_fail(&err) : slice_with(o, s, i, x);
	run_slice_free(s);
	sf_index_close(x);
	return rc;
}

static void set_details(struct slice *o)
{
	struct buf *b = &o->surgery.details;

	buf_addf(b, ",\"events\":%llu,\"state_only\":%llu", (unsigned long long)o->events,
		 (unsigned long long)o->state_only);
	if (o->opt.subject == RUN_OF_EVENT)
		buf_addf(b, ",\"alert\":{\"evt\":%llu,\"ts\":%llu}",
			 (unsigned long long)o->alert.event, (unsigned long long)o->alert.ts);
}

static int slice_all(struct slice *o, char **paths, size_t n)
{
	int rc = compile_filter(o);

	if (!rc)
		rc = find_alert(o, paths[0]);
	for (size_t i = 0; !rc && i < n; i++)
		rc = slice_one(o, i);
	if (rc)
		return rc;
	if (!o->events) {
		cli_log(CLI_ERROR, "nothing of what was given is asked for; no output is left");
		return CLI_INPUT;
	}
	if (o->state_only)
		cli_log(CLI_NOTE, "%llu events are there for the state only, and not shown",
			(unsigned long long)o->state_only);
	set_details(o);
	return 0;
}

static void set_up(struct slice *o)
{
	struct run_slice_options *opt = &o->opt;

	opt->tick = tick;
	opt->tick_arg = &o->surgery;
	opt->memory_limit = o->common.mem_limit;
	if (o->at.kind == RUN_AT_EVENT)
		opt->at_event = o->at.value;
	if (o->at.kind == RUN_AT_TIME)
		opt->at_ts = o->at.value;
	opt->at_relative = o->at.kind == RUN_AT_TIME && o->at.relative;
}

int cmd_slice(int argc, char **argv)
{
	struct slice o = {.surgery = {.operation = "slice", .argc = argc, .argv = argv}};
	const struct cli_parser parser = {"slice", slice_options, slice_examples, take_option, &o};
	int first, rc;
	size_t n;

	o.surgery.common = &o.common;
	rc = cli_parse(&parser, &o.common, argc, argv, &first);
	if (rc == 0) {
		n = (size_t)(argc - first);
		set_up(&o);
		rc = check(&o, argv + first, n);
		if (!rc)
			rc = surgery_begin(&o.surgery, argv + first, n);
		if (!rc)
			rc = slice_all(&o, argv + first, n);
		rc = surgery_end(&o.surgery, rc);
	}
	flt_program_free(o.program);
	cli_names_done(&o.alert.rules);
	return rc < 0 ? cli_flush() : rc;
}
