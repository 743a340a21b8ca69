/* SPDX-License-Identifier: Apache-2.0 */
/* scapula record: this host, or one command, into a capture. */
#include <string.h>

#include "cli/child.h"
#include "cli/custody.h"
#include "cli/inputs.h"
#include "cli/recorder.h"
#include "cli/rule_run.h"

enum {
	OPT_FOR_RULES = OPT_COMMAND_FIRST,
	OPT_STATS_FILE,
	OPT_CHECK,
};

static const struct cli_option record_options[] = {
    {'o', "output", "FILE", ".scap, .scap.gz or .scap.zst; default HOST-TIME.scap.zst; -: stdout"},
    {OPT_DURATION, "duration", "TIME", "record so long"},
    CLI_RECORDING_OPTIONS,
    CLI_SELECTION_OPTIONS,
    {OPT_FOR_RULES, "for-rules", "FILE|DIR", "record what these rules need; repeatable"},
    {'F', "filter", "CONDITION", "record the calls that events passing it can come from"},
    {OPT_STATS_FILE, "stats", "FILE", "append numbers as a line of JSON each second"},
    {OPT_CHECK, "check", NULL, "say what this host can do, and record nothing"},
    {0, NULL, NULL, NULL},
};

static const char *const record_examples[] = {
    "record -o host7.scap.zst --duration 1m",
    "record -o build.scap.zst -- make -j2",
    "record --rotate 100M:10 --for-rules rules.yaml",
    "record --check",
    NULL,
};

struct record {
	struct cli_common common;
	struct cli_recorder recorder;
	struct cli_names rules;
	const char *filter, *stats_path;
	bool check;
	char **command; /* NULL: the host */
	struct cli_child child;
};

static int take_option(void *arg, int id, const char *value)
{
	struct record *o = arg;

	switch (id) {
	case OPT_FOR_RULES:
		return cli_names_add(&o->rules, value);
	case 'F':
		o->filter = value;
		return 0;
	case OPT_STATS_FILE:
		o->stats_path = value;
		return 0;
	case OPT_CHECK:
		o->check = true;
		return 0;
	default:
		return cli_recorder_take(&o->recorder, id, value);
	}
}

/* --- what to record --- */

/* Their rules are loaded as replay does, without a configuration. */
static int add_rules(struct record *o)
{
	struct cli_rule_run rules;
	int rc = 0;

	cli_rule_run_init(&rules, &o->common);
	for (size_t i = 0; i < o->rules.count && !rc; i++)
		rc = cli_rule_run_take(&rules, 'r', o->rules.items[i]);
	if (!rc)
		rc = cli_rule_run_load(&rules);
	if (!rc)
		cli_selection_add_rules(&o->recorder.selection, rules.engine);
	return cli_rule_run_done(&rules, rc);
}

static int add_filter(struct record *o)
{
	const struct flt_options opt = {0};
	struct flt_program *program = NULL;
	struct flt_node *node;
	struct flt_types types;
	struct arena arena = {0};
	struct error err = {0};
	unsigned id;
	int rc;

	if (flt_program_new(&opt, &program, &err) < 0)
		return cli_fail(&err);
	rc = cli_add_condition(program, "--filter", o->filter, &arena, &node, &id);
	if (!rc && flt_types_of(node, &types, &err) < 0)
		rc = cli_fail(&err);
	if (!rc)
		cli_selection_add_types(&o->recorder.selection, &types);
	arena_done(&arena);
	flt_program_free(program);
	return rc;
}

static int select_events(struct record *o)
{
	int rc = 0;

	if (o->rules.count)
		rc = add_rules(o);
	if (!rc && o->filter)
		rc = add_filter(o);
	return rc ? rc : cli_selection_finish(&o->recorder.selection);
}

/* --- --check --- */

static int check_host(const struct record *o)
{
	struct rec_feature features[REC_FEATURES_MAX];
	const struct rec_feature *lacking = NULL;
	unsigned n = rec_check(features);
	struct buf b = {0};
	int rc;

	buf_addf(&b, "%-28s %-10s %s\n", "FEATURE", "STATE", "NEEDED FOR");
	for (unsigned i = 0; i < n; i++) {
		const struct rec_feature *f = &features[i];

		buf_addf(&b, "%-28s %-10s %s%s", f->name, f->present ? "present" : "missing",
			 f->needed_for, !f->present && f->required ? " (required)" : "");
		if (!f->present && f->why[0]) {
			buf_lit(&b, ": ");
			cli_safe(&b, sv_of(f->why));
		}
		buf_char(&b, '\n');
		if (f->required && !f->present && !lacking)
			lacking = f;
	}
	buf_addf(&b, "\nRecording %s here%s%s.\n", lacking ? "does not work" : "works",
		 lacking ? ": this is missing: " : "", lacking ? lacking->name : "");
	rc = cli_write(&b);
	buf_done(&b);
	(void)o;
	if (!rc)
		rc = cli_flush();
	return rc ? rc : lacking ? CLI_INPUT : CLI_OK;
}

/* --- the recording --- */

static bool has_ended(void *arg)
{
	struct record *o = arg;
	bool gone = cli_child_look(&o->child);

	/* What the command leaves behind is ours to end. */
	if (o->child.ended)
		cli_ending_passes_to(0);
	return gone;
}

static int begin(void *arg)
{
	struct record *o = arg;

	cli_ending_passes_to(o->child.pid);
	return cli_child_go(&o->child, o->command[0]);
}

static int record_host(struct record *o)
{
	int rc = cli_recorder_open(&o->recorder, o->stats_path);

	if (!rc)
		rc = cli_recorder_run(&o->recorder);
	return rc;
}

/* However the recording ends, the command is not disturbed, and its status is the result. */
static int record_command(struct record *o)
{
	struct cli_recorder *r = &o->recorder;
	int rc = cli_child_find(o->command[0]);

	if (rc)
		return rc;
	rc = cli_child_start(&o->child, o->command);
	if (rc)
		return rc;
	r->selection.rec.pids[r->selection.rec.npids++] = o->child.pid;
	r->begin = begin;
	r->has_ended = has_ended;
	r->arg = o;
	rc = record_host(o);
	if (rc == CHILD_CANNOT_RUN || rc == CHILD_NOT_FOUND)
		return rc;
	rc = rc && rc != CLI_PARTIAL ? CHILD_RECORDER_FAILED : 0;
	if (cli_ending_signal() && !o->child.ended)
		return rc ? rc : 128 + cli_ending_signal();
	if (o->child.go < 0)
		cli_child_wait(&o->child);
	return rc ? rc : cli_child_status(&o->child);
}

static int check_arguments(const struct record *o)
{
	const struct cli_recorder *r = &o->recorder;

	if (o->common.mem_limit) {
		cli_log(CLI_ERROR,
			"--mem-limit is for rebuilt state; --memory limits the events that wait");
		return CLI_USAGE;
	}
	if (o->command && r->file.path && strcmp(r->file.path, "-") == 0) {
		cli_log(CLI_ERROR, "standard output belongs to the command; --output needs a file");
		return CLI_USAGE;
	}
	if (o->command && r->selection.rec.npids == REC_FILTER_MAX) {
		cli_log(CLI_ERROR, "too many --pid options beside a command");
		return CLI_USAGE;
	}
	return 0;
}

static int work(struct record *o)
{
	int rc = check_arguments(o);

	if (rc)
		return rc;
	if (o->check)
		return check_host(o);
	rc = select_events(o);
	if (rc)
		return rc;
	o->recorder.timeout_ns = o->common.timeout_ns;
	o->recorder.shows_line = !o->command;
	/* Files that are created later, and signals to the command, may need what root may. */
	o->recorder.selection.rec.no_new_privs = true;
	o->recorder.selection.rec.drop_privileges =
	    !o->command && !cli_recording_needs_more_files(&o->recorder.file) &&
	    !cli_custody_wanted();
	return o->command ? record_command(o) : record_host(o);
}

/* Where a command starts, before getopt moves things about: behind "--". NULL: nowhere. */
static char **find_command(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return argv + i + 1;
	return NULL;
}

static int check_command(const struct record *o, char **rest)
{
	if (o->command == rest && *rest)
		return 0;
	if (!*rest && !o->command)
		return 0;
	if (*rest)
		cli_log(CLI_ERROR, "'%s' is no option; a command to record follows '--'", *rest);
	else
		cli_log(CLI_ERROR, "there is no command after '--'");
	return CLI_USAGE;
}

int cmd_record(int argc, char **argv)
{
	struct record o = {.command = find_command(argc, argv)};
	const struct cli_parser parser = {"record", record_options, record_examples, take_option,
					  &o};
	int first, status, noted;

	cli_recorder_init(&o.recorder);
	o.recorder.file.sealing.argc = argc;
	o.recorder.file.sealing.argv = argv;
	status = cli_parse(&parser, &o.common, argc, argv, &first);
	if (status < 0) {
		status = cli_flush();
	} else if (status == 0) {
		status = check_command(&o, argv + first);
		if (!status)
			status = work(&o);
		noted = cli_custody_recorded(&o.recorder.file);
		status = status ? status : noted; /* it may be the command's, which is any number */
	}
	cli_recorder_done(&o.recorder);
	cli_child_done(&o.child);
	cli_names_done(&o.rules);
	return status;
}
