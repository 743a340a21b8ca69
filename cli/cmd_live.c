/* SPDX-License-Identifier: Apache-2.0 */
/* scapula live: rules over what happens on this host now. */
#include "cli/custody.h"
#include "cli/recorder.h"
#include "cli/rule_run.h"

static const struct cli_option live_options[] = {
    CLI_RULE_RUN_OPTIONS,
    CLI_SELECTION_OPTIONS,
    {'o', "output", "FILE", "record into a capture, too"},
    CLI_RECORDING_OPTIONS,
    {OPT_DURATION, "duration", "TIME", "watch so long"},
    {OPT_STATS, "stats", NULL, "time, rate and memory at the end"},
    {0, NULL, NULL, NULL},
};

static const char *const live_examples[] = {
    "live --rules rules.yaml",
    "live --rules rules.yaml --format json --db host7.case.db --duration 1h",
    "live --rules rules.yaml -o evidence.scap.zst --syscalls all",
    NULL,
};

struct live {
	struct ev_source source; /* what the rules see: items on their way into the file */
	struct cli_common common;
	struct cli_rule_run rules;
	struct cli_recorder recorder;
	struct ev_source *inner;
	bool stats;
	bool repeats; /* the state once more, for a new file: rules know it */
	int status;
};

static int take_option(void *arg, int id, const char *value)
{
	struct live *o = arg;
	int rc;

	if (id == OPT_STATS) {
		o->stats = true;
		return 0;
	}
	rc = cli_rule_run_take(&o->rules, id, value);
	return rc >= 0 ? rc : cli_recorder_take(&o->recorder, id, value);
}

/* --- the source --- */

static bool ends_repetition(const struct ev_item *item)
{
	return item->kind == EV_ITEM_EVENT || item->kind == EV_ITEM_URING ||
	       item->kind == EV_ITEM_HASH || item->kind == EV_ITEM_LOSS;
}

static int live_next(struct ev_source *s, struct ev_item *item, struct error *err)
{
	struct live *o = (struct live *)s;
	int rc;

	for (;;) {
		rc = ev_source_next(o->inner, item, err);
		if (rc <= 0)
			return rc;
		cli_recorder_item(&o->recorder, item);
		if (item->kind == EV_ITEM_SECTION)
			o->repeats = true;
		else if (ends_repetition(item))
			o->repeats = false;
		if (!o->repeats)
			return 1;
	}
}

static const struct ev_source_ops live_ops = {.next = live_next};

/* Between items, and when there are none. */
static void idle(void *arg)
{
	struct live *o = arg;
	struct error err = {0};

	cli_recorder_look(&o->recorder);
	if (run_flush(o->rules.r, &err) < 0) {
		o->status = cli_fail(&err);
		rec_stop(o->recorder.rec);
	}
}

/* --- the run --- */

static int watch(struct live *o)
{
	const struct cli_recording *file = &o->recorder.file;
	bool one_file = !o->recorder.no_file && !cli_recording_needs_more_files(file);
	/* Numbers of events are those of the capture, if there is just one. */
	const char *name = one_file ? file->path : "live";
	struct run_capture_report rep = {0};
	struct error err = {0};
	int rc;

	o->source.ops = &live_ops;
	o->inner = rec_source(o->recorder.rec, idle, o);
	if (!o->inner) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	rc = run_source(o->rules.r, name, &o->source, &rep, &err);
	if (rc < 0 && !o->status)
		o->status = cli_fail(&err);
	ev_source_close(o->inner);
	o->status = cli_worse(o->status, cli_recorder_end(&o->recorder));
	if (rep.state)
		o->status = cli_worse(o->status, cli_rule_run_ended(name, &rep));
	cli_rule_run_tell(&o->rules);
	if (o->stats)
		cli_rule_run_effort(&o->rules);
	return o->status;
}

/* Rules first: a mistake in them should not cost the loading of programs. */
static int work(struct live *o, int argc, char **argv, int first)
{
	struct cli_recorder *r = &o->recorder;
	int rc;

	if (first < argc) {
		cli_log(CLI_ERROR, "'%s' is no option; live reads no captures, replay does",
			argv[first]);
		return CLI_USAGE;
	}
	if (r->file.path && strcmp(r->file.path, "-") == 0) {
		cli_log(CLI_ERROR, "alerts go to standard output; --output needs a file");
		return CLI_USAGE;
	}
	r->no_file = !r->file.path && !cli_recording_keeps(&r->file);
	r->timeout_ns = o->common.timeout_ns;
	/* SQLite creates files beside the case. */
	r->selection.rec.no_new_privs = true;
	r->selection.rec.drop_privileges =
	    !o->rules.db && !cli_recording_needs_more_files(&r->file) && !cli_custody_wanted();
	rc = cli_rule_run_check_case(&o->rules, &r->file.path, r->file.path != NULL);
	if (!rc)
		rc = cli_rule_run_load(&o->rules);
	if (rc)
		return rc;
	cli_selection_add_rules(&r->selection, o->rules.engine);
	rc = cli_selection_finish(&r->selection);
	if (!rc)
		rc = cli_rule_run_start(&o->rules, argc, argv);
	if (!rc)
		rc = cli_recorder_open(r, NULL);
	return rc ? rc : watch(o);
}

int cmd_live(int argc, char **argv)
{
	struct live o = {0};
	const struct cli_parser parser = {"live", live_options, live_examples, take_option, &o};
	int first, status;

	cli_rule_run_init(&o.rules, &o.common);
	cli_recorder_init(&o.recorder);
	o.recorder.file.sealing.argc = argc;
	o.recorder.file.sealing.argv = argv;
	status = cli_parse(&parser, &o.common, argc, argv, &first);
	if (status < 0) {
		status = cli_flush();
	} else if (status == 0) {
		status = work(&o, argc, argv, first);
		status = cli_worse(status, cli_custody_recorded(&o.recorder.file));
	}
	cli_recorder_done(&o.recorder);
	return cli_rule_run_done(&o.rules, status);
}
