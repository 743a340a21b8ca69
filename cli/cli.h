/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands share: exit statuses, option tables, messages, times. Only this folder speaks
 * to people: results go to stdout, everything else to stderr, a failure is told once.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/human.h"
#include "replay/replay.h"

enum cli_exit { /* the same for every command; documented in each man page */
		CLI_OK = 0,
		CLI_FINDINGS = 1, /* what --fail-on names was found */
		CLI_RULES = 2,	  /* rules could not be loaded */
		CLI_USAGE = 3,	  /* usage or configuration */
		CLI_INPUT = 4,	  /* input or output unusable */
		CLI_PARTIAL = 5,  /* results are incomplete: damage, time or memory limit */
		CLI_INTERNAL = 6,
		CLI_SIGINT = 130,
		CLI_SIGTERM = 143,
};

/* The graver of two statuses: 6 > 4 > 2 > 3 > 5 > 1 > 0; an interruption outranks all but 6 and 4.
 */
int cli_worse(int a, int b);
/* The status for a library failure. */
int cli_exit_of(int error_code);

struct cli_command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args, *summary;
};
extern const struct cli_command cli_commands[];
const struct cli_command *cli_command_find(const char *name);

/* --- options --- */

enum { /* ids of options without a letter, shared by all tables */
       OPT_FIRST = 256,
       OPT_PROGRESS,
       OPT_LOG_FORMAT,
       OPT_MEM_LIMIT,
       OPT_TIMEOUT,
       OPT_TZ,
       OPT_COLOR,
       OPT_LOG_ACCESS,
       OPT_NO_INDEX,		/* taken by cli_parse() where a command lists it */
       OPT_COMMAND_FIRST = 512, /* each command's own */
};

struct cli_option {
	int id;		  /* a letter, or OPT_* */
	const char *name; /* NULL: just the letter */
	const char *arg;  /* NULL: takes none */
	const char *help;
};

/* For the tables of commands that an index may help. */
#define CLI_OPTION_NO_INDEX                                                                        \
	{                                                                                          \
		OPT_NO_INDEX, "no-index", NULL,                                                    \
		    "read from the start; neither use nor make an index"                           \
	}

struct cli_common { /* options every command takes */
	bool quiet;
	unsigned verbose;
	int tz_offset_s;
	uint64_t mem_limit;  /* bytes, 0: none */
	uint64_t timeout_ns; /* 0: none */
	bool no_index;	     /* --no-index, where a command has it */
	bool color;	     /* resolved against the terminal, NO_COLOR and --color */
};

struct cli_parser {
	const char *command;
	const struct cli_option *options; /* ends with a zero id */
	const char *const
	    *examples; /* command lines without the leading "scapula"; NULL-terminated */
	/* Take one option. Return: 0, or CLI_USAGE after telling what is wrong. */
	int (*take)(void *arg, int id, const char *value);
	void *arg;
};

/*
 * Parse; operands are left in argv[*first..argc). Return: 0, an exit status (told), or -1 when
 * --help was printed and the command is done.
 */
MUST_CHECK int cli_parse(const struct cli_parser *p, struct cli_common *common, int argc,
			 char **argv, int *first);
/*
 * A command: parse, and unless that was all, catch signals and let @work do the rest with @p->arg
 * and the operands. Return: its status, or that of parsing.
 */
MUST_CHECK int cli_run(const struct cli_parser *p, struct cli_common *common, int argc, char **argv,
		       int (*work)(void *arg, char **args, int count));
/*
 * Only look at the options of a command line that somebody gave once: @each receives all of them,
 * common ones, too; another value than 0 ends it. Return: were all of them options with values that
 * were taken?
 */
MUST_CHECK bool cli_walk_options(const struct cli_option *options, int argc, char **argv,
				 int (*each)(void *arg, int id, const char *value), void *arg);
/* Does @table have the option --@name? */
bool cli_option_is_in(const struct cli_option *table, const char *name);
/*
 * Until the next call, with NULL: commands that are run with --help hand their own and the common
 * options to @fn instead of printing them.
 */
typedef void cli_help_fn(void *arg, const struct cli_option *own, const struct cli_option *common);
void cli_divert_help(cli_help_fn *fn, void *arg);
void cli_print_version(void);
void cli_print_usage(FILE *f);

/* --- messages --- */

enum cli_level { CLI_ERROR, CLI_WARNING, CLI_NOTE, CLI_DEBUG };
/* One line on stderr, "scapula: COMMAND: text" or a JSON object; multi-line texts keep their lines.
 */
void cli_log(enum cli_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
void cli_log_setup(const char *command, bool json, bool quiet, unsigned verbose);
#define CLI_HELD_MAX 65536 /* bytes */
/* Keep messages while something else has the terminal; they are told when it is over. */
void cli_log_hold(bool hold);
/* Tell @err and return the exit status for it. */
int cli_fail(const struct error *err);

/* --- progress --- */

enum cli_progress_mode {
	CLI_PROGRESS_AUTO,
	CLI_PROGRESS_NEVER,
	CLI_PROGRESS_PLAIN,
	CLI_PROGRESS_JSON
};
void cli_progress_setup(enum cli_progress_mode mode);
void cli_progress(void *arg, const struct run_progress *p); /* for run_options.progress */
/*
 * For other progress than that of a run, about once a second: @line replaces the one before on a
 * terminal (if @automatic, unless asked for), or is one of many; @json is an object.
 */
void cli_progress_text(bool automatic, struct buf *line, struct buf *json);
void cli_progress_done(void); /* take the bar away before other output */

/* --- values --- */

/* As base/human.h has them. */
static inline bool cli_parse_u64(const char *text, uint64_t *out)
{
	return human_u64(text, out);
}
static inline bool cli_parse_size(const char *text, uint64_t *bytes)
{
	return human_size(text, bytes);
}
static inline bool cli_parse_duration(const char *text, uint64_t *ns)
{
	return human_duration(text, ns);
}
static inline bool cli_parse_time(const char *text, uint64_t *ns, bool *relative)
{
	return human_time(text, ns, relative);
}
/* A duration that is not 0; tells what is wrong. Return: 0 or CLI_USAGE. */
int cli_take_duration(const char *option, const char *value, uint64_t *ns);
/* Event numbers "A..B", "A..", "..B" or "A"; *last is 0 for no end. */
bool cli_parse_range(const char *text, uint64_t *first, uint64_t *last);
bool cli_parse_zone(const char *text, int *offset_s); /* UTC, local, +HH:MM */
/* The value of a time option; tells what is wrong. Return: 0 or CLI_USAGE. */
int cli_take_time(const char *option, const char *value, uint64_t *ns, bool *relative);
/* When something is made, as SOURCE_DATE_EPOCH has it: seconds since 1970; -1: it does not tell.
 * Return: 0 or CLI_USAGE (told). */
int cli_source_date(int64_t *out);
/* "2026-11-22T03:02:21.542518211Z"; "-" for 0. */
void cli_time(struct buf *b, uint64_t ts);
/* "1,234,567" */
void cli_grouped(struct buf *b, uint64_t n);
/* "339.3 MB" */
void cli_bytes(struct buf *b, uint64_t n);
/* Text of a capture made harmless for a terminal. */
static inline void cli_safe(struct buf *b, struct sv s)
{
	escape_text(b, s);
}
/* The same for what was appended to @b since it had @start bytes; @scratch is overwritten. */
void cli_safe_tail(struct buf *b, size_t start, struct buf *scratch);
/*
 * Text that may have several lines: line ends stay, and each further line starts with a tab, so
 * that none can pass for a line of ours. @fresh is for texts that follow each other: false at
 * first.
 */
void cli_safe_lines(struct buf *b, struct sv s, bool *fresh);
void cli_safe_lines_tail(struct buf *b, size_t start, struct buf *scratch);
/* Write all of @b to stdout; on failure (closed pipe, full disk) tell it. Return: 0 or CLI_INPUT.
 */
int cli_write(struct buf *b);
int cli_flush(void);

/* --- shared by the commands that read captures --- */

/* Tell the gaps of a capture (the first ones, then a count). Return: CLI_PARTIAL if there are any,
 * else 0. */
int cli_tell_gaps(const char *path, const struct sf_gap *gaps, size_t n, uint64_t total);
/* Tell what the state had to leave out. */
void cli_tell_state(const char *path, const struct state_stats *ss);
/* A closed pipe or a file size limit is a write error with a message, not a silent end. */
void cli_ignore_signals(void);
/* As this program was given them; for programs that are started. */
void cli_restore_signals(void);
/* SIGINT and SIGTERM call run_stop() or set the flag; a second one ends the process. */
void cli_catch_signals(void);
/*
 * --timeout, if it was given, ends the command like a signal, from now on. For commands whose work
 * asks for no time limit of its own.
 */
void cli_catch_timeout(const struct cli_common *common);
/* Has that happened? */
bool cli_timed_out(void);
/* 0, or CLI_SIGINT or CLI_SIGTERM once one arrived, or CLI_PARTIAL after cli_catch_timeout(). */
int cli_interrupted(void);
/* Called from the handler, if set. */
void cli_on_interrupt(void (*fn)(void *arg), void *arg);

/* The commands. */
#define COMMAND(name, fn, args, summary) int fn(int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND

#endif
