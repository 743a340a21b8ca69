/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/events.h"

#include <string.h>

#include "cli/inputs.h"
#include "cli/operations.h"

#define FORMAT_START "*%evt.num %evt.outputtime %evt.cpu "
#define FORMAT_END   " %evt.dir %evt.type %evt.info"
#define IN_CONTAINER " (%container.id) %proc.name (%thread.tid:%thread.vtid)"

#define OUTPUT_FLUSH_BYTES 65536

/* Before each line of text around an event, and before the event itself. */
#define GUTTER	    "   "
#define GUTTER_HERE "=> "

static const struct named_format {
	const char *name, *format, *operation;
} named_formats[] = {
#define NAMED(name, who)                                                                           \
	{                                                                                          \
		name, FORMAT_START who FORMAT_END, CLI_OPERATION_START who CLI_OPERATION_END       \
	}
    NAMED("p", "%proc.name (%thread.tid)"),
    NAMED("c", "%container.name" IN_CONTAINER),
    NAMED("container", "%container.name" IN_CONTAINER),
    NAMED("k", "%k8s.pod.name" IN_CONTAINER),
    NAMED("kubernetes", "%k8s.pod.name" IN_CONTAINER),
#undef NAMED
};

static const struct named_format *named_format(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(named_formats); i++)
		if (!name || strcmp(name, named_formats[i].name) == 0)
			return &named_formats[i];
	return NULL;
}

const char *cli_events_format(const char *name)
{
	const struct named_format *f = named_format(name);

	return f ? f->format : NULL;
}

/* --- one event --- */

/* Put what was collected on stdout. Return: 0, or minus an exit status to end the walk. */
static int flush(struct cli_events *o)
{
	int status = cli_write(&o->out);

	if (!status && o->unbuffered)
		status = cli_flush();
	o->broken = status;
	return -status;
}

static int out_of_memory(void)
{
	cli_log(CLI_ERROR, "out of memory");
	return -CLI_INTERNAL;
}

static bool passes(struct cli_events *o, struct cli_walk *w)
{
	return !o->has_filter || flt_match(w->ctx, o->filter_id);
}

/* An event that passed. Return: as cli_walk.event. */
static int take(struct cli_events *o, struct cli_walk *w, const struct state_binding *b)
{
	int rc = 0;

	if (!o->silent && !o->count && !cli_show_event(&o->show, w->ctx, false, &o->out))
		return 0;
	o->shown++;
	if (o->summary && cli_summary_add(&o->by_type, b->ev) < 0)
		return out_of_memory();
	if (o->out.len >= OUTPUT_FLUSH_BYTES || o->unbuffered)
		rc = flush(o);
	return rc ? rc : o->limit && o->shown >= o->limit;
}

/* --- around one event --- */

static bool show_beside(struct cli_events *o, struct cli_walk *w, struct buf *out)
{
	size_t start = out->len;

	if (o->show.form == CLI_FORM_TEXT)
		buf_lit(out, GUTTER);
	if (cli_show_event(&o->show, w->ctx, false, out))
		return true;
	out->len = start;
	return false;
}

static int take_before(struct cli_events *o, struct cli_walk *w, const struct state_binding *b)
{
	buf_reset(&o->line);
	if (!passes(o, w) || !show_beside(o, w, &o->line))
		return 0;
	if (o->line.failed || cli_around_wait(&o->ring, b->ev->ts, buf_view(&o->line)) < 0)
		return out_of_memory();
	return 0;
}

static int take_here(struct cli_events *o, struct cli_walk *w, const struct state_binding *b)
{
	struct buf why = {0};

	if (!cli_around_found(&o->ring, b->ev->ts, &o->out, &why)) {
		cli_log(CLI_WARNING, "--around: %s", buf_cstr(&why));
		o->partial = CLI_PARTIAL;
	}
	buf_done(&why);
	if (o->show.form == CLI_FORM_TEXT)
		buf_lit(&o->out, GUTTER_HERE);
	cli_show_event(&o->show, w->ctx, true, &o->out);
	return !cli_around_goes_on(&o->ring, b->ev->ts);
}

static int take_after(struct cli_events *o, struct cli_walk *w, const struct state_binding *b)
{
	if (!o->ring.found || !cli_around_goes_on(&o->ring, b->ev->ts))
		return 1; /* the event cannot come any more, or nothing more belongs to it */
	if (passes(o, w) && show_beside(o, w, &o->out))
		o->ring.after++;
	if (o->out.len >= OUTPUT_FLUSH_BYTES) {
		int rc = flush(o);

		if (rc)
			return rc;
	}
	return !cli_around_goes_on(&o->ring, b->ev->ts);
}

static int take_around(struct cli_events *o, struct cli_walk *w, const struct state_binding *b,
		       uint64_t number)
{
	if (number < o->ring.spec.event)
		return take_before(o, w, b);
	return number == o->ring.spec.event ? take_here(o, w, b) : take_after(o, w, b);
}

/* Tell why the event that was asked for did not come. */
static int not_found(const struct cli_events *o, const char *path)
{
	unsigned long long event = o->ring.spec.event;

	if (event > o->last_number)
		cli_log(CLI_ERROR, "--around: %s has no event %llu; its last one is %llu", path,
			event, (unsigned long long)o->last_number);
	else if (o->window.from || o->window.to)
		cli_log(CLI_ERROR, "--around: event %llu is not between --from and --to", event);
	else
		cli_log(CLI_ERROR,
			"--around: event %llu only describes the state and cannot be shown", event);
	return CLI_INPUT;
}

/* --- operations through io_uring --- */

/* Only beside the default lines of all events: who asks for less asks for events. */
static bool shows_operations(const struct cli_events *o)
{
	return o->operations && !o->filter && !o->has_around && !o->count && !o->silent &&
	       o->form != CLI_FORM_CSV && named_format(o->format);
}

/* Does it stand between the events that are shown? */
static bool is_within(const struct cli_events *o, const struct cli_walk *w, uint64_t ts)
{
	uint64_t events = state_stats(w->state)->events;
	struct run_span span = w->span;

	if (events < o->first_event || (o->last_event && events >= o->last_event))
		return false;
	if (!span.known && w->window.from_relative)
		return false;
	if (!span.known)
		span = run_window_from(&w->window, ts);
	return run_span_has(&span, ts);
}

static void on_operation(void *arg, struct cli_walk *w, const struct state_binding *b)
{
	struct cli_events *o = arg;

	if (o->broken || !is_within(o, w, b->ev->ts))
		return;
	cli_show_operation(&o->operation, w->ctx, w->state, b->ev, &o->out);
	if (o->out.len >= OUTPUT_FLUSH_BYTES || o->unbuffered)
		flush(o);
}

/* --- the walk --- */

static int on_event(void *arg, struct cli_walk *w, const struct state_binding *b)
{
	struct cli_events *o = arg;
	uint64_t number;

	if (UNLIKELY(o->broken)) /* by an operation before */
		return -o->broken;
	if (o->hide_internal && (ev_info(b->ev)->category & EC_LOW_MASK) == EC_INTERNAL)
		return 0;
	if (o->first_event | o->last_event | o->has_around) {
		number = state_stats(w->state)->events;
		if (number < o->first_event)
			return 0;
		if (o->last_event && number > o->last_event)
			return 1;
	}
	flt_ctx_event(w->ctx, b);
	if (o->has_around)
		return take_around(o, w, b, number);
	return passes(o, w) ? take(o, w, b) : 0;
}

static void on_end(void *arg, struct cli_walk *w)
{
	struct cli_events *o = arg;

	o->last_number = state_stats(w->state)->events;
	cli_log(CLI_DEBUG, "%llu events read, %llu shown", (unsigned long long)o->last_number,
		(unsigned long long)o->shown);
}

/*
 * In the reference, container fields and the containers of processes come with one plugin: who asks
 * for neither sees the host's view.
 */
static bool is_without_containers(const struct cli_events *o)
{
	return o->no_containers || (!o->containers && !flt_program_asks(o->program, "container"));
}

static bool matters(void *arg, const struct sf_chunk *c)
{
	const struct cli_events *o = arg;

	return run_skip_may_pass(&o->skip, c);
}

/* Fields that remember other events would have to see those in between. */
static bool skips(const struct cli_events *o)
{
	return o->may_skip && !o->suppressed && !o->has_around &&
	       !flt_program_has_memory(o->program);
}

/* Those of which more is asked than that they are there. */
static const struct flt_types *looked_at(const struct cli_events *o)
{
	static const struct flt_types none;
	bool by_number = o->first_event || o->last_event || o->has_around;

	if (o->has_filter)
		return skips(o) && !by_number ? &o->skip.types : NULL;
	return (o->count || o->silent) && !by_number && !o->limit && !o->summary &&
		       !o->hide_internal
		   ? &none
		   : NULL;
}

static int walk_all(struct cli_events *o, char **paths, int count)
{
	struct cli_walk w = {
	    .common = &o->common,
	    .program = o->program,
	    .window = o->window,
	    .no_containers = is_without_containers(o),
	    .internal = o->internal,
	    .suppressed = o->suppressed,
	    .may_enter = !o->suppressed && !o->has_around,
	    .first_event = o->first_event,
	    .matters = skips(o) ? matters : NULL,
	    .looked_at = looked_at(o),
	    .event = on_event,
	    .operation = shows_operations(o) ? on_operation : NULL,
	    .end = on_end,
	    .arg = o,
	};
	int status = 0;

	for (int i = 0; i < count && !cli_interrupted(); i++) {
		if (o->limit && o->shown >= o->limit)
			break;
		status = cli_worse(status, cli_walk_capture(&w, paths[i]));
		if (!o->has_filter)
			o->shown += w.unseen;
		if (o->broken)
			break;
		if (o->has_around && !o->ring.found && !cli_interrupted() && status != CLI_INPUT)
			status = cli_worse(status, not_found(o, paths[i]));
	}
	return cli_worse(status, o->partial);
}

static int print_all(struct cli_events *o, char **paths, int count)
{
	int status;

	if (!o->silent && !o->count)
		cli_show_head(&o->show, &o->out);
	status = walk_all(o, paths, count);
	if (o->broken)
		return status; /* told already */
	if (o->summary)
		cli_summary_print(&o->by_type, &o->out);
	if (o->count)
		buf_addf(&o->out, "%llu\n", (unsigned long long)o->shown);
	status = cli_worse(status, cli_write(&o->out));
	return cli_worse(status, cli_flush());
}

/* --- compiling --- */

static int compile_filter(struct cli_events *o)
{
	struct arena arena = {0};
	struct flt_node *node;
	int status;

	status =
	    cli_add_condition(o->program, o->filter_name, o->filter, &arena, &node, &o->filter_id);
	o->may_skip = !status && run_skip_of(node, &o->skip) == 0;
	arena_done(&arena);
	o->has_filter = status == 0;
	return status;
}

/* A choice that the format cannot show is probably a mistake. */
static void check_clock(const struct cli_events *o)
{
	const struct sv *names;
	size_t n = flt_format_fields(o->show.format, &names);

	if (o->clock == FLT_CLOCK_DAY || o->count)
		return;
	for (size_t i = 0; i < n; i++)
		if (sv_is(names[i], "evt.outputtime"))
			return;
	cli_log(CLI_WARNING, "--time: the format does not show evt.outputtime");
}

static int compile_format(struct cli_events *o)
{
	const char *named = cli_events_format(o->format);
	const char *format = named ? named : o->format;
	const struct sv *names;
	struct error err = {0};

	o->show.form = o->form;
	o->show.color = o->common.color;
	o->show.lines = o->bytes == FLT_BYTES_LINES || o->bytes == FLT_BYTES_HEX ||
			o->bytes == FLT_BYTES_HEX_ASCII;
	if (cli_show_compile(&o->show, o->program, format, &err) < 0) {
		cli_log(CLI_ERROR, "--print: %s", err.msg);
		return err.code == ERR_NOMEM ? CLI_INTERNAL : CLI_USAGE;
	}
	if (o->form == CLI_FORM_CSV && flt_format_fields(o->show.format, &names) == 0) {
		cli_log(CLI_ERROR, "--format csv: there are no fields in the format '%s'", format);
		return CLI_USAGE;
	}
	check_clock(o);
	return 0;
}

static int compile_operation(struct cli_events *o)
{
	struct error err = {0};

	o->operation.form = o->form;
	o->operation.color = o->common.color;
	if (shows_operations(o) && cli_show_compile(&o->operation, o->program,
						    named_format(o->format)->operation, &err) < 0)
		return cli_fail(&err);
	return 0;
}

/* The default lines are for reading: they cut long buffers. Data is never cut unasked. */
static uint32_t bytes_max(const struct cli_events *o)
{
	if (o->has_bytes_max)
		return o->bytes_max < UINT32_MAX ? (uint32_t)o->bytes_max : UINT32_MAX;
	return o->form == CLI_FORM_TEXT && cli_events_format(o->format) ? CLI_EVENTS_BYTES_MAX : 0;
}

static int compile(struct cli_events *o)
{
	const struct flt_options opt = {
	    .tz_offset_s = o->common.tz_offset_s,
	    .bytes = o->bytes,
	    .bytes_max = bytes_max(o),
	    .output_time = o->clock,
	    .corrected = o->corrected,
	};
	struct error err = {0};
	int status;

	if (flt_program_new(&opt, &o->program, &err) < 0)
		return cli_fail(&err);
	status = o->filter ? compile_filter(o) : 0;
	if (!status)
		status = compile_format(o);
	if (!status)
		status = compile_operation(o);
	if (status)
		return status;
	return flt_program_seal(o->program, &err) < 0 ? cli_fail(&err) : 0;
}

/* --- options --- */

static int bad_options(const char *why)
{
	cli_log(CLI_ERROR, "%s", why);
	return CLI_USAGE;
}

static int check_around(struct cli_events *o, int count)
{
	uint64_t event = o->around.event;

	if (count > 1)
		return bad_options("--around: an event number names an event of one capture, but "
				   "several are given");
	if (o->limit)
		return bad_options("--around and --limit: EVT±N says how many events to show");
	if (o->count || o->summary)
		return bad_options("--around shows events, it does not count them");
	if (event < o->first_event || (o->last_event && event > o->last_event))
		return bad_options("--around: the event is outside of --evt");
	o->ring.spec = o->around;
	return 0;
}

static int check_options(struct cli_events *o, int count)
{
	const struct run_window *w = &o->window;

	if (count == 0)
		return bad_options("no capture given; '-' reads standard input");
	if (o->format && (strcmp(o->format, "m") == 0 || strcmp(o->format, "mesos") == 0))
		return bad_options("--print m: there are no Mesos fields; c shows containers, k "
				   "pods");
	if (w->from && w->to && w->from_relative == w->to_relative && w->to < w->from)
		return bad_options("--to lies before --from");
	return o->has_around ? check_around(o, count) : 0;
}

int cli_events_run(struct cli_events *o, char **paths, int count)
{
	int status = check_options(o, count);

	cli_catch_signals();
	if (!status)
		status = compile(o);
	if (!status)
		status = print_all(o, paths, count);
	flt_program_free(o->program);
	cli_show_done(&o->show);
	cli_show_done(&o->operation);
	cli_around_done(&o->ring);
	cli_summary_done(&o->by_type);
	buf_done(&o->line);
	buf_done(&o->out);
	return status;
}
