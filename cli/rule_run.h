/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules over a stream of events, as options say: what replay and live have in common, from the
 * options to the counts at the end. Everything that goes wrong is told here.
 */
#ifndef CLI_RULE_RUN_H
#define CLI_RULE_RUN_H

#include "bundle/custody.h"
#include "cli/cli.h"
#include "replay/config.h"

enum { /* ids of the options below */
       OPT_DB = OPT_COMMAND_FIRST,
       OPT_MATCHING,
       OPT_MIN_PRIORITY,
       OPT_FAIL_ON,
       OPT_STATS,
       OPT_CORRECTED,
       OPT_AFTER_RULE_RUN, /* the first that a command may use for its own */
};

/* clang-format off */
#define CLI_OPTIONS_RULE_FILES \
	{'r', "rules", "FILE|DIR", \
	 "rule file, or directory of .yaml and .yml files; repeatable, in order"}, \
	{'c', "config", "FILE", "Falco configuration file"}, \
	{'O', "option", "KEY=VALUE", "override a configuration key; repeatable"}
#define CLI_OPTIONS_SELECTION \
	{'D', "disable", "SUBSTRING", "disable rules whose name contains it; repeatable"}, \
	{'t', "tag", "TAG", "run only rules with this tag; repeatable"}, \
	{'T', "disable-tag", "TAG", "disable rules with this tag; repeatable"}
#define CLI_OPTION_FILTER \
	{'F', "filter", "CONDITION", "show only events that pass to the rules"}
#define CLI_OPTION_MATCHING \
	{OPT_MATCHING, "matching", "first|all", \
	 "report the first matching rule of an event, or all"}
#define CLI_OPTION_MIN_PRIORITY \
	{OPT_MIN_PRIORITY, "min-priority", "PRIORITY", "leave out less severe rules"}
#define CLI_RULE_RUN_OPTIONS \
	CLI_OPTIONS_RULE_FILES, \
	{'f', "format", "text|json", "alert lines; json: Falco's keys and types"}, \
	{OPT_DB, "db", "CASE", "store results in a case (SQLite); created or added to"}, \
	CLI_OPTION_FILTER, \
	CLI_OPTIONS_SELECTION, \
	CLI_OPTION_MATCHING, \
	CLI_OPTION_MIN_PRIORITY, \
	{OPT_FAIL_ON, "fail-on", "WHAT,...", "status 1 on alerts, prio>=P, gaps; none: never"}, \
	{OPT_CORRECTED, "corrected", NULL, \
	 "true times and durations where Falco's fields have another number"}
/* clang-format on */

#define CLI_OPTION_JOBS                                                                            \
	{                                                                                          \
		'j', "jobs", "N",                                                                  \
		    "threads, as many as processors if not given; results do not depend on it"     \
	}

struct cli_names { /* a growing list of borrowed texts */
	const char **items;
	size_t count;
};

/* Return: 0, or CLI_INTERNAL (told). */
int cli_names_add(struct cli_names *n, const char *text);
void cli_names_done(struct cli_names *n);
/* The value of an option; tells what is wrong. Return: 0 or CLI_USAGE. */
int cli_take_priority(const char *option, const char *value, enum rule_priority *out);

/* The value of CLI_OPTION_JOBS; tells what is wrong. Return: 0 or CLI_USAGE. */
int cli_take_jobs(const char *value, unsigned *out);
unsigned cli_jobs_default(void);

struct cli_rule_run {
	const struct cli_common *common;
	struct cli_names rules, overrides, selects_tag;
	struct rule_select *selects;
	size_t select_count;
	const char *config, *db, *format;
	bool only_case;	  /* alerts go nowhere else */
	bool no_custody;  /* no custody log hears of it */
	bool no_rules;	  /* is fine: the case has what needs none */
	int match_all;	  /* -1: as configured */
	int min_priority; /* -1: as configured */
	struct run_options run;
	bool corrected;
	bool fail_alerts, fail_gaps;
	int fail_priority; /* -1: none */
	/* at work */
	struct run_config cfg;
	struct rule_loader *loader;
	struct rule_engine *engine;
	struct qry_writer *writer;
	bool wrote; /* the case is complete */
	struct run_sink *sinks[3];
	size_t sink_count;
	int file_fd;
	struct run *r;
	/* Without @r: what was found, and by which rules. */
	const struct run_totals *totals;
	const struct rule *told;
	size_t told_count;
	uint64_t started;
	int argc;
	char **argv;
	struct custody_file *inputs; /* of the case: rules and captures, for the custody log */
	size_t ninputs;
};

/*
 * Take from the command line of a replay, argv[0] is "replay", what its alerts depend on, but no
 * files and no limits; *@configured: it had a configuration file. What is taken is borrowed from
 * @argv. Return: false if it makes no sense.
 */
MUST_CHECK bool cli_replay_again(struct cli_rule_run *o, struct cli_common *common, int argc,
				 char **argv, bool *configured);
void cli_rule_run_init(struct cli_rule_run *o, const struct cli_common *common);
/* Take one of CLI_RULE_RUN_OPTIONS. Return: 0, an exit status, or -1 if it is none of them. */
int cli_rule_run_take(struct cli_rule_run *o, int id, const char *value);
/* "first" or "all" and the like: 0 with *@out = is it @yes?, or CLI_USAGE. */
int cli_take_choice(const char *option, const char *value, const char *no, const char *yes,
		    int *out);

/* Which of @words (@n of them) it is: 0 with *@out, or CLI_USAGE. */
int cli_take_word(const char *option, const char *value, const char *const *words, unsigned n,
		  unsigned *out);
/*
 * The row of a table whose name is @value: each of @size bytes, with the name as its first member;
 * a NULL name ends it. Return: 0 with *@out, or CLI_USAGE.
 */
int cli_take_row(const char *option, const char *value, const void *table, size_t size,
		 const void **out);
/* May --db have its name, which must be none of the captures @paths? Return: 0 or CLI_USAGE. */
int cli_rule_run_check_case(const struct cli_rule_run *o, const char *const *paths, size_t count);
/* Load configuration and rules, and build the engine. Return: 0 or an exit status. */
int cli_rule_run_load(struct cli_rule_run *o);
/* The two halves of it: configuration, then rules. */
int cli_rule_run_configure(struct cli_rule_run *o);
int cli_rule_run_compile(struct cli_rule_run *o);
/* Is there a rule of this name? A misspelt one has no alerts either, but for another reason.
 * Return: 0 or CLI_USAGE (told). */
int cli_rule_run_check_rule(const struct cli_rule_run *o, const char *name);
/* Open the sinks, for who has a run of his own. Return: 0 or an exit status. */
int cli_rule_run_open(struct cli_rule_run *o, int argc, char **argv);
/* Open the sinks and make the run; @argc, @argv: the command line, for the case. Return: 0 or an
 * exit status. */
int cli_rule_run_start(struct cli_rule_run *o, int argc, char **argv);
/*
 * Append what alerts depend on besides the rules, as text; what is as it is without being asked for
 * is not mentioned.
 */
void cli_rule_run_describe(const struct cli_rule_run *o, struct buf *b);
/* Note a capture that was replayed into the case. */
int cli_rule_run_note(struct cli_rule_run *o, const char *path, const struct sf_stats *stats);
/* Tell how the run over @path ended. Return: an exit status. */
int cli_rule_run_ended(const char *path, const struct run_capture_report *rep);
/* Note a capture, and tell how the run over it ended and what of it is damaged. Return: an exit
 * status. */
int cli_rule_run_report(struct cli_rule_run *o, const char *path,
			const struct run_capture_report *rep);
/* The counts of alerts on stderr. */
void cli_rule_run_tell(const struct cli_rule_run *o);
/* Time, rate and memory on stderr. */
void cli_rule_run_effort(const struct cli_rule_run *o);
struct cli_found { /* what --fail-on may name */
	uint64_t alerts, gaps, by_priority[RULE_PRIORITY_COUNT];
};
/* So far. */
struct cli_found cli_rule_run_found(const struct cli_rule_run *o);
/* Was anything that --fail-on names found since? Return: 0 or CLI_FINDINGS. */
int cli_rule_run_findings(const struct cli_rule_run *o, const struct cli_found *since);
/* Complete the case. Return: as cli_rule_run_done(), which is still to be called. */
int cli_rule_run_close(struct cli_rule_run *o, int status);
/* Complete the case and free everything. Return: @status, or what --fail-on or a failure makes of
 * it. */
int cli_rule_run_done(struct cli_rule_run *o, int status);

#endif
