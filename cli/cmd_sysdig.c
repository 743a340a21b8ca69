/* SPDX-License-Identifier: Apache-2.0 */
/* scapula sysdig: 'scapula events' with the letters of sysdig. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/events.h"

enum {
	SYS_UNBUFFERED = OPT_COMMAND_FIRST,
	SYS_MARKDOWN,
	SYS_VERSION,
	SYS_LIBS_VERSION,
	SYS_PROCLIST,
	SYS_PAGE_FAULTS,
	SYS_ENVIRONMENT,
	SYS_CRI,
	SYS_CRI_TIMEOUT,
	SYS_NODE,
	SYS_CHISELS,
	SYS_INPUTS,
	SYS_PLUGIN_CONFIG,
};

enum policy { HONOURED, IGNORED, REFUSED };

#define HELP_HONOURED
#define HELP_IGNORED "ignored: "
#define HELP_REFUSED "not here: "

static const struct cli_option sysdig_options[] = {
#define OPTION(id, name, arg, policy, text) {id, name, arg, HELP_##policy text},
#include "cli/sysdig.def"
#undef OPTION
    {0, NULL, NULL, NULL},
};

static const struct policy_row {
	int id;
	enum policy policy;
	const char *text;
} policies[] = {
#define OPTION(id, name, arg, policy, text) {id, policy, text},
#include "cli/sysdig.def"
#undef OPTION
};

static const char *const sysdig_examples[] = {
    "sysdig -r capture.scap evt.type=execve and proc.name=curl",
    "sysdig -r capture.scap -pc -n 10",
    "sysdig -r capture.scap -A -p '%proc.name %evt.buffer' evt.is_io_write=true",
    NULL,
};

struct sysdig {
	struct cli_events events;
	char **captures;
	int capture_count;
	const char **suppressed;
	size_t suppressed_count;
	bool ignored[COUNT_OF(policies)];
	int list; /* the option that asks for a list instead of events, or 0 */
};

/* --- what cannot be had --- */

/* What is to be used instead: a command of this program if it has it, with what it does. */
static const struct {
	const char *option; /* "c" or "i" with a chisel's name; or the letter alone */
	const char *command, *what;
} instead_table[] = {
    {"w", "slice", "cuts captures"},
    {"w", "convert", "rewrites them"},
    {"w", "record", "records new ones"},
    {"B", "record", "records this machine"},
    {"r", "record", "records this machine"},
    {"c lsof", "fds", "lists open files"},
    {"c fdcount_by", "fds", "lists open files"},
    {"c netstat", "net", "lists connections"},
    {"c spy_ip", "net", "lists connections"},
    {"c spy_port", "net", "lists connections"},
    {"c ps", "tree", "shows processes"},
    {"c spy_users", "sessions", "shows what users ran"},
    {"c list_login_shells", "sessions", "shows what users ran"},
    {"c around", "events", "has --around"},
    {"c echo_fds", "events", "has --buffers ascii"},
    {"c stdout", "events", "has --buffers ascii, with 'fd.num = 1'"},
    {"c stderr", "events", "has --buffers ascii, with 'fd.num = 2'"},
    {"c stdin", "events", "has --buffers ascii, with 'fd.num = 0'"},
    {"c spy_file", "events", "has -F, for instance with 'fd.type = file and evt.is_io = true'"},
    {"c spy_syslog", "events", "has -F, with 'evt.is_syslog = true'"},
};

/* Append what to use instead of @option; with @all, of everything that starts like it. */
static bool suggest(struct buf *b, const char *option, bool all)
{
	size_t n = strlen(option), found = 0;

	for (size_t i = 0; i < COUNT_OF(instead_table); i++) {
		const char *row = instead_table[i].option;

		if (strncmp(row, option, n) != 0 || (!all && row[n]) ||
		    !cli_command_find(instead_table[i].command))
			continue;
		buf_str(b, all ? "\n  " : found ? ", " : "; ");
		if (all)
			buf_addf(b, "%-20s ", row + n);
		buf_addf(b, "'scapula %s' %s", instead_table[i].command, instead_table[i].what);
		found++;
	}
	return found > 0;
}

static const char *long_name(int id)
{
	for (const struct cli_option *o = sysdig_options; o->id; o++)
		if (o->id == id)
			return o->name;
	return NULL;
}

/* "-c lsof", "--list-chisels" */
static void name_option(struct buf *b, int id, const char *value)
{
	if (id < OPT_FIRST)
		buf_addf(b, "-%c", id);
	else
		buf_addf(b, "--%s", long_name(id));
	if (value)
		buf_addf(b, " %s", value);
}

static bool is_chisel_list(int id, const char *value)
{
	return id == SYS_CHISELS || (id == 'c' && strcmp(value, "l") == 0);
}

static int refuse(int id, const char *value, const char *why)
{
	struct buf b = {0}, key = {0};

	name_option(&b, id, value);
	buf_addf(&b, ": %s", why);
	if (is_chisel_list(id, value)) {
		buf_lit(&b, ". Instead of");
		suggest(&b, "c ", true);
	} else {
		buf_char(&key, id == 'i' ? 'c' : (char)id);
		if (id == 'c' || id == 'i')
			buf_addf(&key, " %s", value);
		if (id < OPT_FIRST && !suggest(&b, buf_cstr(&key), false) && key.len > 2)
			buf_lit(&b, "; 'scapula events' and 'scapula info' work on the same data");
	}
	cli_log(CLI_ERROR, "%s", buf_cstr(&b));
	buf_done(&key);
	buf_done(&b);
	return CLI_USAGE;
}

/* --- options --- */

static int bad_value(const char *option, const char *value, const char *expected)
{
	cli_log(CLI_ERROR, "%s %s: expected %s", option, value, expected);
	return CLI_USAGE;
}

static int take_clock(struct cli_events *o, const char *value)
{
	static const char letters[] = "hardD";
	static const enum flt_clock clocks[] = {FLT_CLOCK_DAY, FLT_CLOCK_EPOCH, FLT_CLOCK_RELATIVE,
						FLT_CLOCK_SINCE_ENTER, FLT_CLOCK_DELTA};
	const char *at = value[0] && !value[1] ? strchr(letters, value[0]) : NULL;

	if (!at)
		return bad_value("-t", value, "h, a, r, d or D");
	o->clock = clocks[at - letters];
	return 0;
}

static int take_seconds(struct run_window *w, const char *value)
{
	if (!cli_parse_u64(value, &w->to) || __builtin_mul_overflow(w->to, 1000000000u, &w->to))
		return bad_value("-M", value, "a number of seconds");
	w->to_relative = true;
	return 0;
}

static int take_honoured(struct sysdig *s, int id, const char *value)
{
	struct cli_events *o = &s->events;

	switch (id) {
	case 'r':
		s->captures[s->capture_count++] = (char *)value;
		return 0;
	case 'p':
		o->format = value;
		return 0;
	case 'j':
		o->form = CLI_FORM_JSON;
		return 0;
	case 'n':
		return cli_parse_u64(value, &o->limit) && o->limit
			   ? 0
			   : bad_value("-n", value, "a number above 0");
	case 'M':
		return take_seconds(&o->window, value);
	case 't':
		return take_clock(o, value);
	case 'A':
		o->bytes = FLT_BYTES_LINES;
		return 0;
	case 'x':
		o->bytes = FLT_BYTES_HEX;
		return 0;
	case 'X':
		o->bytes = FLT_BYTES_HEX_ASCII;
		return 0;
	case 'b':
		o->bytes = FLT_BYTES_BASE64;
		return 0;
	case 'S':
		o->summary = true;
		return 0;
	case 'P':
		cli_progress_setup(CLI_PROGRESS_PLAIN);
		return 0;
	case 'U':
		s->suppressed[s->suppressed_count++] = value;
		return 0;
	case 'D':
		o->internal = true;
		o->hide_internal = false;
		return 0;
	case SYS_UNBUFFERED:
		o->unbuffered = true;
		return 0;
	default: /* a list */
		s->list = id;
		return 0;
	}
}

static int take_option(void *arg, int id, const char *value)
{
	struct sysdig *s = arg;

	for (size_t i = 0; i < COUNT_OF(policies); i++) {
		if (policies[i].id != id)
			continue;
		if (policies[i].policy == REFUSED)
			return refuse(id, value, policies[i].text);
		if (policies[i].policy == HONOURED)
			return take_honoured(s, id, value);
		s->ignored[i] = true;
		return 0;
	}
	return CLI_USAGE;
}

/* --- lists --- */

static int list_events(void)
{
	struct buf b = {0};
	int status;

	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		const struct ev_info *info = &ev_table[type];

		if (info->flags & (EF_OLD_VERSION | EF_UNUSED))
			continue;
		buf_addf(&b, "%c %s(", ev_type_is_exit(type) ? '<' : '>', info->name);
		for (unsigned i = 0; i < info->nparams; i++)
			buf_addf(&b, "%s%s", i ? ", " : "", info->params[i].name);
		buf_lit(&b, ")\n");
	}
	status = cli_write(&b);
	buf_done(&b);
	return cli_worse(status, cli_flush());
}

static int list(int what)
{
	char *const plain[] = {(char *)"fields", NULL};
	char *const markdown[] = {(char *)"fields", (char *)"--format", (char *)"md", NULL};

	switch (what) {
	case 'l':
		return cmd_fields(1, (char **)plain);
	case SYS_MARKDOWN:
		return cmd_fields(3, (char **)markdown);
	case 'L':
		return list_events();
	case 'p':
		puts(cli_events_format(NULL));
		return cli_flush();
	default:
		cli_print_version();
		return cli_flush();
	}
}

/* --- the command --- */

/* Does the filter ask for the enter half of calls? */
static bool asks_for_enter(const char *filter)
{
	for (const char *p = filter; (p = strstr(p, "evt.dir"));) {
		p += strlen("evt.dir");
		p += strspn(p, " \t\n=");
		if (*p == '\'' || *p == '"')
			p++;
		if (*p == '>')
			return true;
	}
	return false;
}

static void tell_notes(const struct sysdig *s)
{
	struct buf b = {0};

	for (size_t i = 0; i < COUNT_OF(policies); i++) {
		if (!s->ignored[i])
			continue;
		buf_reset(&b);
		name_option(&b, policies[i].id, NULL);
		cli_log(CLI_NOTE, "%s is ignored: %s", buf_cstr(&b), policies[i].text);
	}
	if (s->events.clock == FLT_CLOCK_SINCE_ENTER)
		cli_log(CLI_NOTE, "-t d shows 0: enter and exit of a call are one event here");
	if (s->events.filter && asks_for_enter(s->events.filter))
		cli_log(CLI_NOTE, "evt.dir is nearly always < here: enter and exit of a call are "
				  "one event, the exit");
	buf_done(&b);
}

static void join(struct buf *b, char **words, int count)
{
	for (int i = 0; i < count; i++) {
		if (i)
			buf_char(b, ' ');
		buf_str(b, words[i]);
	}
}

static int no_capture(void)
{
	struct buf b = {0};

	buf_lit(&b, "no capture given with -r: this command does not look at the running system");
	suggest(&b, "r", false);
	cli_log(CLI_ERROR, "%s", buf_cstr(&b));
	buf_done(&b);
	return CLI_USAGE;
}

static int run(struct sysdig *s, char **words, int count)
{
	struct cli_events *o = &s->events;
	struct buf filter = {0};
	int status;

	o->silent = o->common.quiet;
	o->has_bytes_max = true; /* there also in lines of one's own */
	o->bytes_max = o->common.verbose || o->form == CLI_FORM_JSON ? 0 : CLI_EVENTS_BYTES_MAX;
	if (o->format && strcmp(o->format, "p") == 0)
		s->list = 'p';
	if (s->list)
		return list(s->list);
	if (!s->capture_count)
		return no_capture();
	join(&filter, words, count);
	o->filter = count ? buf_cstr(&filter) : NULL;
	o->suppressed = s->suppressed_count ? s->suppressed : NULL;
	tell_notes(s);
	status = cli_events_run(o, s->captures, s->capture_count);
	buf_done(&filter);
	return status;
}

int cmd_sysdig(int argc, char **argv)
{
	struct sysdig s = {.events = {.filter_name = "the filter", .hide_internal = true}};
	const struct cli_parser parser = {"sysdig", sysdig_options, sysdig_examples, take_option,
					  &s};
	int first, status;

	s.captures = calloc((size_t)argc + 1, sizeof(*s.captures));
	s.suppressed = calloc((size_t)argc + 1, sizeof(*s.suppressed));
	if (!s.captures || !s.suppressed) {
		cli_log(CLI_ERROR, "out of memory");
		status = CLI_INTERNAL;
	} else {
		status = cli_parse(&parser, &s.events.common, argc, argv, &first);
		if (!status)
			status = run(&s, argv + first, argc - first);
		else if (status < 0)
			status = cli_flush();
	}
	free(s.captures);
	free(s.suppressed);
	return status;
}
