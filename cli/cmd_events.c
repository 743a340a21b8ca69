/* SPDX-License-Identifier: Apache-2.0 */
/* scapula events: print events, or count them. */
#include <string.h>

#include "cli/cli.h"
#include "cli/events.h"

enum {
	OPT_COUNT = OPT_COMMAND_FIRST,
	OPT_FROM,
	OPT_TO,
	OPT_EVT,
	OPT_AROUND,
	OPT_TIME,
	OPT_BUFFERS,
	OPT_BUFFER_MAX,
	OPT_UNBUFFERED,
	OPT_CONTAINERS,
	OPT_NO_CONTAINERS,
	OPT_CORRECTED,
	OPT_NO_IO_URING,
};

static const struct cli_option events_options[] = {
    {'F', "filter", "CONDITION", "only events that pass"},
    {'p', "print", "FORMAT",
     "text with %field[arg]; leading *: <NA> for absent values; or c: containers, k: pods"},
    {'f', "format", "text|json|csv",
     "json: an object per event with the fields of the format; csv: a column per field"},
    {'n', "limit", "N", "stop after N shown events"},
    {OPT_COUNT, "count", NULL, "print only how many events pass"},
    {OPT_FROM, "from", "TIME", "events from then on: ISO 8601, @SECONDS or +DURATION"},
    {OPT_TO, "to", "TIME", "and until then"},
    {OPT_EVT, "evt", "A..B", "events with these numbers; either may be left out"},
    {OPT_AROUND, "around", "EVT[+-N|TIME]",
     "event EVT and N shown events, or those within TIME, before and after it"},
    {OPT_TIME, "time", "abs|rel|delta|epoch",
     "what evt.outputtime and the default lines show: time of day, since the start ..."},
    {OPT_BUFFERS, "buffers", "FORM", "byte buffers as dots, ascii, hex, hexascii or base64"},
    {OPT_BUFFER_MAX, "buffer-max", "N",
     "cut byte buffers in dots to N characters, 0: never; 80 in the default lines"},
    {OPT_UNBUFFERED, "unbuffered", NULL, "write each event at once"},
    {OPT_CONTAINERS, "containers", NULL,
     "tell containers apart; by default only if container.* or k8s.* fields are used"},
    {OPT_NO_CONTAINERS, "no-containers", NULL,
     "treat all processes as the host's, whatever their cgroups say"},
    {OPT_CORRECTED, "corrected", NULL,
     "true times and durations where the reference's JSON has 0 or another number"},
    {OPT_NO_IO_URING, "no-io-uring", NULL,
     "leave out operations through io_uring, which stand among the default lines"},
    CLI_OPTION_NO_INDEX,
    {0, NULL, NULL, NULL},
};

static const char *const events_examples[] = {
    "events capture.scap",
    "events -F 'evt.type = execve and proc.name = curl' capture.scap",
    "events -f json -p '*%evt.num %proc.cmdline %fd.name' -n 10 capture.scap",
    "events --around 1234±500ms --time delta capture.scap",
    NULL,
};

static int bad_value(const char *option, const char *value, const char *expected)
{
	cli_log(CLI_ERROR, "--%s %s: expected %s", option, value, expected);
	return CLI_USAGE;
}

/* Index of @value in @names, which ends with NULL, or -1. */
static int choice(const char *const *names, const char *value)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], value) == 0)
			return i;
	return -1;
}

static int take_form(struct cli_events *o, const char *value)
{
	static const char *const names[] = {"text", "json", "csv", NULL};
	int k = choice(names, value);

	if (k < 0)
		return bad_value("format", value, "text, json or csv");
	o->form = (enum cli_form)k;
	return 0;
}

static int take_buffers(struct cli_events *o, const char *value)
{
	static const char *const names[] = {"dots", "ascii", "hex", "hexascii", "base64", NULL};
	int k = choice(names, value);

	if (k < 0)
		return bad_value("buffers", value, "dots, ascii, hex, hexascii or base64");
	o->bytes = (enum flt_bytes)k;
	return 0;
}

static int take_clock(struct cli_events *o, const char *value)
{
	static const char *const names[] = {"abs", "epoch", "rel", "delta", NULL};
	static const enum flt_clock clocks[] = {FLT_CLOCK_DAY, FLT_CLOCK_EPOCH, FLT_CLOCK_RELATIVE,
						FLT_CLOCK_DELTA};
	int k = choice(names, value);

	if (k < 0)
		return bad_value("time", value, "abs, rel, delta or epoch");
	o->clock = clocks[k];
	return 0;
}

static int take_option(void *arg, int id, const char *value)
{
	struct cli_events *o = arg;

	switch (id) {
	case 'F':
		o->filter = value;
		return 0;
	case 'p':
		o->format = value;
		return 0;
	case 'f':
		return take_form(o, value);
	case 'n':
		return cli_parse_u64(value, &o->limit) && o->limit
			   ? 0
			   : bad_value("limit", value, "a number above 0");
	case OPT_COUNT:
		o->count = true;
		return 0;
	case OPT_FROM:
		return cli_take_time("from", value, &o->window.from, &o->window.from_relative);
	case OPT_TO:
		return cli_take_time("to", value, &o->window.to, &o->window.to_relative);
	case OPT_EVT:
		return cli_parse_range(value, &o->first_event, &o->last_event)
			   ? 0
			   : bad_value("evt", value,
				       "event numbers such as 100..200, 100.. or ..200");
	case OPT_AROUND:
		o->has_around = cli_parse_around(value, &o->around);
		return o->has_around ? 0
				     : bad_value("around", value,
						 "an event number and how much around it, such as "
						 "1234±20 or 1234±500ms");
	case OPT_TIME:
		return take_clock(o, value);
	case OPT_BUFFERS:
		return take_buffers(o, value);
	case OPT_BUFFER_MAX:
		o->has_bytes_max = true;
		return cli_parse_u64(value, &o->bytes_max) && (!o->bytes_max || o->bytes_max > 3)
			   ? 0
			   : bad_value("buffer-max", value, "0 or a number above 3");
	case OPT_UNBUFFERED:
		o->unbuffered = true;
		return 0;
	case OPT_CONTAINERS:
	case OPT_NO_CONTAINERS:
		o->containers = id == OPT_CONTAINERS;
		o->no_containers = id == OPT_NO_CONTAINERS;
		return 0;
	case OPT_CORRECTED:
		o->corrected = true;
		return 0;
	case OPT_NO_IO_URING:
		o->operations = false;
		return 0;
	default:
		return CLI_USAGE;
	}
}

int cmd_events(int argc, char **argv)
{
	struct cli_events o = {.filter_name = "--filter", .operations = true};
	const struct cli_parser parser = {"events", events_options, events_examples, take_option,
					  &o};
	int first;
	int status = cli_parse(&parser, &o.common, argc, argv, &first);

	if (status)
		return status < 0 ? cli_flush() : status;
	return cli_events_run(&o, argv + first, argc - first);
}
