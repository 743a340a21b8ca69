/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables: one row feeds getopt_long(), --help and the messages. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive.h"
#include "cli/cli.h"
#include "cli/custody.h"

#define OPTIONS_MAX 96

static const struct cli_option common_options[] = {
    {'q', "quiet", NULL, "errors only on stderr"},
    {'v', "verbose", NULL, "more on stderr; twice for debugging"},
    {OPT_PROGRESS, "progress", "auto|never|plain|json",
     "progress on stderr; auto: a bar on a terminal"},
    {OPT_LOG_FORMAT, "log-format", "text|json", "form of the messages on stderr"},
    {OPT_MEM_LIMIT, "mem-limit", "SIZE", "stop with status 5 when the rebuilt state outgrows SIZE"},
    {OPT_TIMEOUT, "timeout", "DURATION", "stop with status 5 after that long"},
    {OPT_LOG_ACCESS, "log-access", NULL,
     "add an entry about what is read to the log that SCAPULA_CUSTODY names"},
    {OPT_TZ, "tz", "UTC|local|+HH:MM", "time zone of displayed times; default UTC"},
    {OPT_COLOR, "color", "auto|always|never",
     "colours; auto: on a terminal, unless NO_COLOR is set"},
    {'h', "help", NULL, "print this help"},
    {0, NULL, NULL, NULL},
};

bool cli_option_is_in(const struct cli_option *table, const char *name)
{
	for (const struct cli_option *o = table; o->id; o++)
		if (o->name && name && strcmp(o->name, name) == 0)
			return true;
	return false;
}

/* Those that @other explains are left out; it may be NULL. */
static void print_options(FILE *f, const struct cli_option *table, const struct cli_option *other)
{
	for (const struct cli_option *o = table; o->id; o++) {
		char left[80];
		int n = 0;

		if (other && cli_option_is_in(other, o->name))
			continue;
		if (o->id < OPT_FIRST)
			n = snprintf(left, sizeof(left), "-%c%s", o->id, o->name ? ", " : "");
		else
			n = snprintf(left, sizeof(left), "    ");
		snprintf(left + n, sizeof(left) - (size_t)n, "%s%s%s%s", o->name ? "--" : "",
			 o->name ? o->name : "", o->arg ? " " : "", o->arg ? o->arg : "");
		fprintf(f, "  %-34s %s\n", left, o->help);
	}
}

static struct {
	cli_help_fn *fn;
	void *arg;
} divert;

void cli_divert_help(cli_help_fn *fn, void *arg)
{
	divert.fn = fn;
	divert.arg = arg;
}

static void print_help(const struct cli_parser *p)
{
	const struct cli_command *c = cli_command_find(p->command);

	if (divert.fn) {
		divert.fn(divert.arg, p->options, common_options);
		return;
	}
	printf("usage: scapula %s %s\n\n%s\n", c->name, c->args, c->summary);
	if (p->examples) {
		puts("\nexamples:");
		for (size_t i = 0; p->examples[i]; i++)
			printf("  scapula %s\n", p->examples[i]);
	}
	puts("\noptions:");
	print_options(stdout, p->options, NULL);
	puts("\nevery command:");
	print_options(stdout, common_options, p->options);
}

/* Index of @value among the '|'-separated @choices, or -1. */
static int choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	for (int i = 0;; i++) {
		size_t n = strcspn(choices, "|");

		if (n == len && memcmp(choices, value, n) == 0)
			return i;
		if (!choices[n])
			return -1;
		choices += n + 1;
	}
}

static int bad_value(const char *option, const char *value, const char *expected)
{
	cli_log(CLI_ERROR, "--%s %s: expected %s", option, value, expected);
	return CLI_USAGE;
}

struct common_state {
	struct cli_common *common;
	const char *command;
	bool json_log, log_access;
	int color; /* 0 auto, 1 always, 2 never */
};

static int take_common(struct common_state *s, int id, const char *value)
{
	int k;

	switch (id) {
	case 'q':
		s->common->quiet = true;
		return 0;
	case 'v':
		s->common->verbose++;
		return 0;
	case OPT_PROGRESS:
		k = choice("auto|never|plain|json", value);
		if (k < 0)
			return bad_value("progress", value, "auto, never, plain or json");
		cli_progress_setup((enum cli_progress_mode)k);
		return 0;
	case OPT_LOG_FORMAT:
		k = choice("text|json", value);
		s->json_log = k == 1;
		return k < 0 ? bad_value("log-format", value, "text or json") : 0;
	case OPT_MEM_LIMIT:
		return cli_parse_size(value, &s->common->mem_limit)
			   ? 0
			   : bad_value("mem-limit", value, "a size such as 512M or 2G");
	case OPT_TIMEOUT:
		return cli_parse_duration(value, &s->common->timeout_ns)
			   ? 0
			   : bad_value("timeout", value, "a duration such as 30s, 5m or 250ms");
	case OPT_TZ:
		return cli_parse_zone(value, &s->common->tz_offset_s)
			   ? 0
			   : bad_value("tz", value, "UTC, local or an offset such as +02:00");
	case OPT_LOG_ACCESS:
		s->log_access = true;
		return 0;
	case OPT_NO_INDEX:
		s->common->no_index = true;
		return 0;
	case OPT_COLOR:
		s->color = choice("auto|always|never", value);
		return s->color < 0 ? bad_value("color", value, "auto, always or never") : 0;
	default:
		return -1;
	}
}

static bool want_color(int mode)
{
	const char *no_color = getenv("NO_COLOR");

	if (mode != 0)
		return mode == 1;
	return isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

/* Both tables in getopt's form. */
static size_t add_options(const struct cli_option *table, struct option *longs, size_t n,
			  char *shorts)
{
	for (const struct cli_option *o = table; o->id && n < OPTIONS_MAX; o++) {
		if (o->name)
			longs[n++] = (struct option){
			    o->name, o->arg ? required_argument : no_argument, NULL, o->id};
		if (o->id < OPT_FIRST) {
			size_t len = strlen(shorts);

			snprintf(shorts + len, 4, "%c%s", o->id, o->arg ? ":" : "");
		}
	}
	return n;
}

/* What getopt_long() needs to know. */
struct tables {
	struct option longs[2 * OPTIONS_MAX + 1];
	char shorts[4 * OPTIONS_MAX];
};

static void make_tables(struct tables *t, const struct cli_option *options)
{
	size_t n;

	*t = (struct tables){.shorts = ":"};
	n = add_options(options, t->longs, 0, t->shorts);
	add_options(common_options, t->longs, n, t->shorts);
	opterr = 0;
	optind = 0; /* begin anew, whatever was parsed before */
}

int cli_parse(const struct cli_parser *p, struct cli_common *common, int argc, char **argv,
	      int *first)
{
	struct common_state s = {.common = common, .command = p->command};
	struct tables t;
	int id, rc;

	*common = (struct cli_common){0};
	cli_log_setup(p->command, false, false, 0);
	make_tables(&t, p->options);
	while ((id = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1) {
		if (id == 'h') {
			print_help(p);
			return -1;
		}
		if (id == '?' || id == ':') {
			cli_log(CLI_ERROR, "%s '%s'; 'scapula %s --help' lists the options",
				id == ':' ? "a value is missing after" : "there is no option",
				argv[optind - 1], p->command);
			return CLI_USAGE;
		}
		rc = take_common(&s, id, optarg);
		if (rc < 0)
			rc = p->take(p->arg, id, optarg);
		if (rc)
			return rc;
	}
	common->color = want_color(s.color);
	cli_log_setup(p->command, s.json_log, common->quiet, common->verbose);
	*first = optind;
	if (common->mem_limit)
		arc_set_memory(common->mem_limit);
	return s.log_access ? cli_custody_opened(argc, argv, optind) : 0;
}

int cli_run(const struct cli_parser *p, struct cli_common *common, int argc, char **argv,
	    int (*work)(void *arg, char **args, int count))
{
	int first, status = cli_parse(p, common, argc, argv, &first);

	if (status < 0)
		return cli_flush();
	if (status)
		return status;
	cli_catch_signals();
	return work(p->arg, argv + first, argc - first);
}

bool cli_walk_options(const struct cli_option *options, int argc, char **argv,
		      int (*each)(void *arg, int id, const char *value), void *arg)
{
	struct tables t;
	int id;

	make_tables(&t, options);
	while ((id = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1)
		if (id == '?' || id == ':' || each(arg, id, optarg) != 0)
			return false;
	return true;
}
