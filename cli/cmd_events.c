/* SPDX-License-Identifier: Apache-2.0 */
/* scapula events: print events, or count them. */
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/walk.h"

#define DEFAULT_FORMAT                                                                             \
	"*%evt.num %evt.time %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info"
#define OUTPUT_FLUSH_BYTES 65536

enum {
	OPT_COUNT = OPT_COMMAND_FIRST,
	OPT_FROM,
	OPT_TO,
	OPT_NO_CONTAINERS,
};

static const struct cli_option events_options[] = {
    {'F', "filter", "CONDITION", "only events that pass"},
    {'p', "print", "FORMAT",
     "output format: text with %field[arg]; a leading * shows absent values as <NA>"},
    {'f', "format", "text|json", "json: one object per event with the fields of the format"},
    {'n', "limit", "N", "stop after N shown events"},
    {OPT_COUNT, "count", NULL, "print only how many events pass"},
    {OPT_FROM, "from", "TIME", "events from then on: ISO 8601, @SECONDS or +DURATION"},
    {OPT_TO, "to", "TIME", "and until then"},
    {OPT_NO_CONTAINERS, "no-containers", NULL,
     "treat all processes as the host's, whatever their cgroups say"},
    {0, NULL, NULL, NULL},
};

static const char *const events_examples[] = {
    "events capture.scap",
    "events -F 'evt.type = execve and proc.name = curl' capture.scap",
    "events -f json -p '*%evt.num %proc.cmdline %fd.name' -n 10 capture.scap",
    NULL,
};

struct events {
	struct cli_common common;
	const char *filter, *format;
	bool json, count, no_containers;
	uint64_t limit; /* 0: none */
	struct run_window window;
	/* at work */
	struct flt_program *program;
	struct flt_format *compiled;
	bool has_filter;
	unsigned filter_id;
	uint64_t shown;
	struct buf out, scratch;
	int status;
};

static int take_option(void *arg, int id, const char *value)
{
	struct events *o = arg;

	switch (id) {
	case 'F':
		o->filter = value;
		return 0;
	case 'p':
		o->format = value;
		return 0;
	case 'f':
		o->json = strcmp(value, "json") == 0;
		if (o->json || strcmp(value, "text") == 0)
			return 0;
		cli_log(CLI_ERROR, "--format %s: expected text or json", value);
		return CLI_USAGE;
	case 'n':
		if (cli_parse_u64(value, &o->limit) && o->limit)
			return 0;
		cli_log(CLI_ERROR, "--limit %s: expected a number above 0", value);
		return CLI_USAGE;
	case OPT_COUNT:
		o->count = true;
		return 0;
	case OPT_FROM:
		return cli_take_time("from", value, &o->window.from, &o->window.from_relative);
	case OPT_TO:
		return cli_take_time("to", value, &o->window.to, &o->window.to_relative);
	case OPT_NO_CONTAINERS:
		o->no_containers = true;
		return 0;
	default:
		return CLI_USAGE;
	}
}

/* Put what was collected on stdout. Return: 0, or minus an exit status to end the walk. */
static int flush(struct events *o)
{
	int rc = cli_write(&o->out);

	return rc ? -rc : 0;
}

static void render(struct events *o, struct cli_walk *w)
{
	size_t start = o->out.len;
	int members;

	if (o->json) {
		buf_char(&o->out, '{');
		members = flt_format_json(w->ctx, o->compiled, &o->out);
		if (members <= 0)
			o->out.len = start;
		if (members < 0)
			return;
		buf_str(&o->out, members ? "}\n" : "null\n");
	} else {
		if (!flt_format_text(w->ctx, o->compiled, &o->out))
			return;
		cli_safe_tail(&o->out, start, &o->scratch);
		buf_char(&o->out, '\n');
	}
	o->shown++;
}

static int on_event(void *arg, struct cli_walk *w, const struct state_binding *b)
{
	struct events *o = arg;
	int rc;

	if (o->has_filter || !o->count) {
		flt_ctx_event(w->ctx, b);
		if (o->has_filter && !flt_match(w->ctx, o->filter_id))
			return 0;
	}
	if (o->count) {
		o->shown++;
	} else {
		render(o, w);
		if (o->out.len >= OUTPUT_FLUSH_BYTES) {
			rc = flush(o);
			if (rc)
				return rc;
		}
	}
	return o->limit && o->shown >= o->limit;
}

/* Tell a bad condition with the line and a caret under the place. */
static int bad_condition(const struct events *o, struct flt_pos pos, const struct error *err)
{
	struct buf b = {0};

	flt_error_context(&b, sv_of(o->filter), pos);
	while (b.len && b.p[b.len - 1] == '\n')
		b.len--;
	cli_log(CLI_ERROR, "--filter: line %u, column %u: %s\n%s", pos.line, pos.column, err->msg,
		buf_cstr(&b));
	buf_done(&b);
	return CLI_USAGE;
}

static int compile_filter(struct events *o, struct arena *arena)
{
	struct flt_pos pos = {0};
	struct error err = {0};
	struct flt_node *node;
	int rc;

	rc = flt_parse(sv_of(o->filter), FLT_DEPTH_DEFAULT, arena, &node, &pos, &err);
	if (rc == 0)
		rc = flt_program_add(o->program, node, NULL, NULL, &o->filter_id, &pos, &err);
	o->has_filter = rc == 0;
	return rc < 0 ? bad_condition(o, pos, &err) : 0;
}

static int compile(struct events *o)
{
	const struct flt_options opt = {.tz_offset_s = o->common.tz_offset_s};
	struct arena arena = {0};
	struct error err = {0};
	int rc;

	if (flt_program_new(&opt, &o->program, &err) < 0)
		return cli_fail(&err);
	rc = o->filter ? compile_filter(o, &arena) : 0;
	arena_done(&arena);
	if (rc)
		return rc;
	if (flt_format_new(o->program, sv_of(o->format ? o->format : DEFAULT_FORMAT), &o->compiled,
			   &err) < 0) {
		cli_log(CLI_ERROR, "--print: %s", err.msg);
		return CLI_USAGE;
	}
	return flt_program_seal(o->program, &err) < 0 ? cli_fail(&err) : 0;
}

static int print_all(struct events *o, char **paths, int count)
{
	struct cli_walk w = {
	    .common = &o->common,
	    .program = o->program,
	    .window = o->window,
	    .no_containers = o->no_containers,
	    .event = on_event,
	    .arg = o,
	};
	int status = 0;

	for (int i = 0; i < count && !cli_interrupted() && !(o->limit && o->shown >= o->limit);
	     i++) {
		status = cli_worse(status, cli_walk_capture(&w, paths[i]));
		if (o->out.failed)
			break;
	}
	if (o->count)
		buf_addf(&o->out, "%llu\n", (unsigned long long)o->shown);
	status = cli_worse(status, cli_write(&o->out));
	return cli_worse(status, cli_flush());
}

int cmd_events(int argc, char **argv)
{
	struct events o = {0};
	const struct cli_parser parser = {"events", events_options, events_examples, take_option,
					  &o};
	int first, status;

	status = cli_parse(&parser, &o.common, argc, argv, &first);
	if (status)
		return status < 0 ? cli_flush() : status;
	cli_catch_signals();
	if (first == argc) {
		cli_log(CLI_ERROR, "no capture given; '-' reads standard input");
		return CLI_USAGE;
	}
	status = compile(&o);
	if (!status)
		status = print_all(&o, argv + first, argc - first);
	flt_program_free(o.program);
	buf_done(&o.scratch);
	buf_done(&o.out);
	return status;
}
