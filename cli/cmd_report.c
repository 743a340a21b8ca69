/* SPDX-License-Identifier: Apache-2.0 */
/* scapula report: what a case says, for people and for other programs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/custody.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/rule_run.h"
#include "report/report.h"
#include "scapfile/files.h"

enum {
	OPT_FORCE = OPT_COMMAND_FIRST,
	OPT_RUN,
	OPT_CAPTURE,
	OPT_HOST,
	OPT_RULE,
	OPT_FINGERPRINT,
	OPT_PRIORITY,
	OPT_FROM,
	OPT_TO,
	OPT_VERDICT,
	OPT_LIMIT,
	OPT_TITLE,
	OPT_QUESTION,
	OPT_AUTHOR,
	OPT_EVERYTHING,
	OPT_ALERTS_ONLY,
	OPT_RAW_CELLS,
};

static const struct cli_option report_options[] = {
    {'f', "format", "FORMAT", NULL}, /* its help lists the sinks */
    {'o', "output", "FILE", "the report; -, or without: standard output"},
    {OPT_FORCE, "force", NULL, "replace FILE if there is one"},
    {OPT_RUN, "run", "N", "alerts of this run; default: of all, each once"},
    {OPT_CAPTURE, "capture", "CAPTURE",
     "of this capture: its path, number, or the beginning of its hash; repeatable"},
    {OPT_HOST, "host", "NAME", "of captures of this host; repeatable"},
    {OPT_RULE, "rule", "PATTERN", "of rules with such names, with * and ?; repeatable"},
    {OPT_FINGERPRINT, "fingerprint", "HEX", "alerts that look like this; repeatable"},
    {OPT_PRIORITY, "min-priority", "PRIORITY", "leave out less severe ones"},
    {OPT_FROM, "from", "TIME", "alerts from then on"},
    {OPT_TO, "to", "TIME", "alerts before then"},
    {OPT_VERDICT, "verdict", "WHAT,...",
     "true-positive, false-positive, benign, undecided, none (nobody said anything)"},
    {OPT_LIMIT, "limit", "N", "tell at most so many alerts; what is left out is counted"},
    {OPT_TITLE, "title", "TEXT", "of the report"},
    {OPT_QUESTION, "question", "TEXT", "what it is to answer"},
    {OPT_AUTHOR, "author", "TEXT", "who it is by"},
    {OPT_EVERYTHING, "everything", NULL, "also what happened besides alerts, if FORMAT can"},
    {OPT_ALERTS_ONLY, "alerts-only", NULL, "only alerts, where FORMAT has everything by itself"},
    {OPT_RAW_CELLS, "raw-cells", NULL, "CSV: leave cells that look like formulas as they are"},
    {0, NULL, NULL, NULL},
};

static const char *const report_examples[] = {
    "report host7.case.db -o host7.html",
    "report host7.case.db -f md --min-priority warning",
    "report host7.case.db -f sarif --run 2 -o host7.sarif",
    NULL,
};

struct report {
	struct cli_common common;
	struct rep_options opt;
	struct cli_names captures, hosts, rules, fingerprints;
	const struct rep_sink *sink;
	const char *output;
	bool force, everything, alerts_only;
	uint64_t deadline; /* CLOCK_MONOTONIC; 0: none */
	struct buf command;
	int argc;
	char **argv;
};

/* --- options */

static int take_format(struct report *o, const char *value)
{
	struct buf names = {0};

	o->sink = rep_sink_find(value);
	if (o->sink)
		return 0;
	for (const struct rep_sink *s = rep_sinks; s->name; s++)
		buf_addf(&names, "%s%s", s == rep_sinks ? "" : s[1].name ? ", " : " or ", s->name);
	cli_log(CLI_ERROR, "--format %s: expected %s", value, buf_cstr(&names));
	buf_done(&names);
	return CLI_USAGE;
}

static int take_priority(struct report *o, const char *value)
{
	enum rule_priority p;
	int status = cli_take_priority("min-priority", value, &p);

	if (status)
		return status;
	o->opt.select.has_severity = true;
	o->opt.select.severity = (int)p;
	return 0;
}

static int take_time(const char *option, const char *value, int64_t *out)
{
	uint64_t ns;
	bool relative;

	if (cli_parse_time(value, &ns, &relative) && !relative && ns && ns <= INT64_MAX) {
		*out = (int64_t)ns;
		return 0;
	}
	cli_log(CLI_ERROR, "--%s %s: expected a time such as 2026-11-22T03:02:21Z", option, value);
	return CLI_USAGE;
}

static int take_verdicts(struct report *o, const char *value)
{
	static const struct {
		const char *name;
		enum rep_verdict verdict;
	} names[] = {{"none", REP_VERDICT_NONE},
		     {"true-positive", REP_TRUE_POSITIVE},
		     {"false-positive", REP_FALSE_POSITIVE},
		     {"benign", REP_BENIGN},
		     {"undecided", REP_UNDECIDED}};
	struct sv left = sv_of(value);

	while (left.n || left.p == value) {
		const char *comma = memchr(left.p, ',', left.n);
		struct sv word = sv_make(left.p, comma ? (size_t)(comma - left.p) : left.n);
		size_t i = 0;

		while (i < COUNT_OF(names) && !sv_is(word, names[i].name))
			i++;
		if (i == COUNT_OF(names)) {
			cli_log(CLI_ERROR,
				"--verdict %s: expected true-positive, false-positive, benign, "
				"undecided or none, with commas between",
				value);
			return CLI_USAGE;
		}
		o->opt.select.verdicts |= 1u << names[i].verdict;
		left = sv_drop(left, word.n + (comma ? 1 : 0));
		if (!comma)
			break;
	}
	return 0;
}

static int take_number(const char *option, const char *value, uint64_t min, uint64_t *out)
{
	if (cli_parse_u64(value, out) && *out >= min && *out <= INT64_MAX)
		return 0;
	cli_log(CLI_ERROR, "--%s %s: expected a number", option, value);
	return CLI_USAGE;
}

static int take_fingerprint(struct report *o, const char *value)
{
	if (strlen(value) == 16 && strspn(value, "0123456789abcdef") == 16)
		return cli_names_add(&o->fingerprints, value);
	cli_log(CLI_ERROR, "--fingerprint %s: expected 16 hexadecimal digits, in small letters",
		value);
	return CLI_USAGE;
}

static int take_selection(struct report *o, int id, const char *value)
{
	uint64_t n = 0;
	int status;

	switch (id) {
	case OPT_RUN:
		status = take_number("run", value, 1, &n);
		o->opt.select.run_id = (int64_t)n;
		return status;
	case OPT_CAPTURE:
		return cli_names_add(&o->captures, value);
	case OPT_HOST:
		return cli_names_add(&o->hosts, value);
	case OPT_RULE:
		return cli_names_add(&o->rules, value);
	case OPT_FINGERPRINT:
		return take_fingerprint(o, value);
	case OPT_PRIORITY:
		return take_priority(o, value);
	case OPT_FROM:
		return take_time("from", value, &o->opt.select.from);
	case OPT_TO:
		return take_time("to", value, &o->opt.select.to);
	default:
		return take_verdicts(o, value);
	}
}

static int take_option(void *arg, int id, const char *value)
{
	struct report *o = arg;

	switch (id) {
	case 'f':
		return take_format(o, value);
	case 'o':
		o->output = value;
		return 0;
	case OPT_FORCE:
		o->force = true;
		return 0;
	case OPT_LIMIT:
		o->opt.has_limit = true;
		return take_number("limit", value, 0, &o->opt.limit);
	case OPT_TITLE:
		o->opt.title = value;
		return 0;
	case OPT_QUESTION:
		o->opt.question = value;
		return 0;
	case OPT_AUTHOR:
		o->opt.author = value;
		return 0;
	case OPT_EVERYTHING:
		o->everything = true;
		return 0;
	case OPT_ALERTS_ONLY:
		o->alerts_only = true;
		return 0;
	case OPT_RAW_CELLS:
		o->opt.raw_cells = true;
		return 0;
	default:
		return take_selection(o, id, value);
	}
}

/* Without --format, what the name of the file promises; else a page. */
static const struct rep_sink *sink_of_name(const char *output)
{
	const char *dot = output ? strrchr(sf_file_base(output), '.') : NULL;
	const struct rep_sink *s = dot ? rep_sink_find(dot + 1) : NULL;

	return s ? s : rep_sink_find("html");
}

static bool stop(void *arg)
{
	const struct report *o = arg;

	return cli_interrupted() || (o->deadline && clock_ns(CLOCK_MONOTONIC) > o->deadline);
}

static struct rep_names names_of(const struct cli_names *n)
{
	return (struct rep_names){.items = (const char *const *)n->items, .count = n->count};
}

static int settle_options(struct report *o)
{
	if (!o->sink)
		o->sink = sink_of_name(o->output);
	if (o->everything && o->alerts_only) {
		cli_log(CLI_ERROR, "--everything and --alerts-only exclude each other");
		return CLI_USAGE;
	}
	o->opt.everything = o->everything || (o->sink->everything && !o->alerts_only);
	o->opt.select.captures = names_of(&o->captures);
	o->opt.select.hosts = names_of(&o->hosts);
	o->opt.select.rules = names_of(&o->rules);
	o->opt.select.fingerprints = names_of(&o->fingerprints);
	cli_quote_command(&o->command, o->argc, o->argv);
	o->opt.command = buf_cstr(&o->command);
	o->opt.version = SCAPULA_VERSION;
	o->opt.stop = stop;
	o->opt.arg = o;
	if (o->common.timeout_ns)
		o->deadline = clock_ns(CLOCK_MONOTONIC) + o->common.timeout_ns;
	return cli_source_date(&o->opt.made);
}

/* --- the output */

struct target {
	int fd;
	const char *name;
};

static int put(void *arg, const void *p, size_t n, struct error *err)
{
	const struct target *t = arg;

	return sf_file_write(t->fd, p, n) == n
		   ? 0
		   : error_sys(err, errno, "cannot write '%s'", t->name);
}

static bool to_stdout(const struct report *o)
{
	return !o->output || strcmp(o->output, "-") == 0;
}

static int check_output(const struct report *o, const char *path)
{
	int status = to_stdout(o) ? 0 : cli_output_is_no_input(o->output, path);

	return status || to_stdout(o) ? status : cli_output_check(o->output, o->force);
}

/* Tell why there is no report. */
static int tell_failure(const struct report *o, const struct error *err)
{
	if (err->code == ERR_INTERRUPTED && cli_interrupted())
		return cli_interrupted();
	if (err->code == ERR_INTERRUPTED) {
		cli_log(CLI_ERROR, "stopped by --timeout: there is no report");
		return CLI_PARTIAL;
	}
	if (err->code == ERR_NOMEM && o->common.mem_limit) {
		cli_log(CLI_ERROR, "stopped by --mem-limit: the report needs more memory");
		return CLI_PARTIAL;
	}
	return cli_fail(err);
}

static int write_rows(struct report *o, const char *path, int fd, struct rep_out *out,
		      struct error *err)
{
	struct target t = {fd, to_stdout(o) ? "standard output" : o->output};
	struct rep_case *c = NULL;
	int rc = rep_case_open(path, &o->opt, o->common.mem_limit, &c, err);

	*out = (struct rep_out){.write = put, .arg = &t};
	if (rc == 0)
		rc = o->sink->write(c, &o->opt, out, err);
	rep_case_close(c);
	buf_done(&out->b);
	return rc;
}

static int write_file(struct report *o, const char *path, struct rep_out *out)
{
	struct error err = {0};
	char *partial = NULL;
	int status = 0, rc, fd;

	if (to_stdout(o)) {
		rc = write_rows(o, path, STDOUT_FILENO, out, &err);
		return rc < 0 ? tell_failure(o, &err) : 0;
	}
	fd = sf_file_create_partial(o->output, &partial, &err);
	if (fd < 0)
		return cli_fail(&err);
	rc = write_rows(o, path, fd, out, &err);
	if (rc == 0 && fsync(fd) < 0)
		rc = error_sys(&err, errno, "cannot write '%s'", partial);
	close(fd);
	status = rc < 0 ? tell_failure(o, &err) : cli_output_place(partial, o->output, o->force);
	if (status)
		unlink(partial);
	free(partial);
	return status;
}

/* --- the command */

static int report(struct report *o, const char *path)
{
	struct rep_out out = {0};
	int status = settle_options(o);

	if (!status)
		status = check_output(o, path);
	if (!status)
		status = write_file(o, path, &out);
	if (!status && out.left_out) {
		struct buf b = {0};

		cli_grouped(&b, out.told);
		buf_lit(&b, " alerts are told, ");
		cli_grouped(&b, out.left_out);
		buf_lit(&b, " more are counted only; --limit sets how many");
		cli_log(CLI_NOTE, "%s", buf_cstr(&b));
		buf_done(&b);
	}
	return status ? status
		      : cli_custody_made(CUSTODY_EXPORT, &path, 1, o->output,
					 o->opt.question ? o->opt.question : o->opt.title, o->argc,
					 o->argv);
}

int cmd_report(int argc, char **argv)
{
	struct report o = {.argc = argc, .argv = argv};
	struct cli_option options[COUNT_OF(report_options)];
	const struct cli_parser parser = {"report", options, report_examples, take_option, &o};
	struct buf formats = {0};
	int first, status;

	for (const struct rep_sink *s = rep_sinks; s->name; s++)
		buf_addf(&formats, "%s%s", s == rep_sinks ? "" : ", ", s->name);
	buf_lit(&formats, "; default: by the suffix of FILE, else html");
	memcpy(options, report_options, sizeof(options));
	options[0].help = buf_cstr(&formats);
	status = cli_parse(&parser, &o.common, argc, argv, &first);
	if (status < 0) {
		status = cli_flush();
	} else if (!status && first + 1 != argc) {
		cli_log(CLI_ERROR, "expected one case; see 'scapula report --help'");
		status = CLI_USAGE;
	} else if (!status) {
		cli_ignore_signals();
		cli_catch_signals();
		status = report(&o, argv[first]);
	}
	cli_names_done(&o.captures);
	cli_names_done(&o.hosts);
	cli_names_done(&o.rules);
	cli_names_done(&o.fingerprints);
	buf_done(&o.command);
	buf_done(&formats);
	return status;
}
