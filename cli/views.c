/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/views.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/inputs.h"
#include "replay/checkpoint.h"

/* --- options --- */

static int take_format(struct view *v, const char *value)
{
	static const char *const names[] = {"text", "json", "csv"};

	for (unsigned i = 0; i < COUNT_OF(names); i++)
		if (strcmp(value, names[i]) == 0) {
			v->format = (enum table_format)i;
			return 0;
		}
	cli_log(CLI_ERROR, "--format %s: expected text, json or csv", value);
	return CLI_USAGE;
}

static int take_pid(struct view *v, const char *value)
{
	uint64_t n;

	if (cli_parse_u64(value, &n) && n <= INT64_MAX) {
		v->pid = (int64_t)n;
		return 0;
	}
	cli_log(CLI_ERROR, "--pid %s: expected a process number", value);
	return CLI_USAGE;
}

int view_take(struct view *v, int id, const char *value)
{
	switch (id) {
	case 'f':
		return take_format(v, value);
	case 'F':
		v->filter = value;
		return 0;
	case OPT_AT:
		return cli_take_moment("at", value, &v->at);
	case OPT_PID:
		return take_pid(v, value);
	case OPT_NO_CONTAINERS:
		v->no_containers = true;
		return 0;
	default:
		return -1;
	}
}

/* --- the filter --- */

static int add_filter(struct view *v, struct arena *arena)
{
	struct flt_node *node;
	const struct flt_expr *bad;
	struct buf b = {0};
	int status;

	status = cli_add_condition(v->program, "--filter", v->filter, arena, &node, &v->filter_id);
	if (status)
		return status;
	bad = act_foreign_field(node, v->filter_classes); /* there is no event to be asked */
	if (!bad)
		return 0;
	buf_addf(&b, "'%.*s' is not about what this view shows; fields of these classes are: %s",
		 (int)bad->text.n, bad->text.p, v->filter_classes);
	cli_tell_condition("--filter", v->filter, bad->pos, buf_cstr(&b));
	buf_done(&b);
	return CLI_USAGE;
}

static int compile_filter(struct view *v)
{
	const struct flt_options opt = {.tz_offset_s = v->common.tz_offset_s};
	struct arena arena = {0};
	struct error err = {0};
	int rc;

	if (!v->filter)
		return 0;
	if (flt_program_new(&opt, &v->program, &err) < 0)
		return cli_fail(&err);
	rc = add_filter(v, &arena);
	arena_done(&arena);
	if (rc)
		return rc;
	return flt_program_seal(v->program, &err) < 0 ? cli_fail(&err) : 0;
}

struct act_question view_question(const struct view *v, const struct cli_walk *w)
{
	return (struct act_question){
	    .cx = w->ctx, .condition = v->filter_id, .st = w->state, .ts = w->moment};
}

bool view_match(const struct view *v, struct cli_walk *w, struct state_thread *t,
		struct state_fd *fd)
{
	struct act_question q;

	if (!v->filter)
		return true;
	q = view_question(v, w);
	return act_passes(&q, t, fd);
}

/* --- running --- */

static unsigned terminal_width(void)
{
	struct winsize ws;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) != 0)
		return 0;
	return ws.ws_col;
}

static int new_table(struct view *v)
{
	struct table_look look = {
	    .format = v->format,
	    .color = v->common.color && v->format == TABLE_TEXT,
	    .width = v->format == TABLE_TEXT ? terminal_width() : 0,
	    .tz_offset_s = v->common.tz_offset_s,
	};

	v->table = table_new(v->columns, &look);
	if (v->table) {
		/* The first column names the capture: in text the heading does. */
		table_show(v->table, 0, v->many ? IN_DATA : 0);
		return 0;
	}
	cli_log(CLI_ERROR, "out of memory");
	return CLI_INTERNAL;
}

static int on_begin(void *arg, struct cli_walk *w, struct error *err)
{
	struct view *v = arg;
	int rc = 0;

	if (v->sockets) {
		act_net_free(v->net);
		v->net = NULL;
		rc = w->chunk ? run_index_net(w->index, w->chunk, v->sockets, &v->net, err)
			      : act_net_new(v->sockets, &v->net, err);
	}
	return rc == 0 && v->begin ? v->begin(v->arg, w, err) : rc;
}

static void on_item(void *arg, struct cli_walk *w, const struct ev_item *item)
{
	struct view *v = arg;

	if (v->net && item->kind == EV_ITEM_SECTION)
		act_net_section(v->net);
	if (v->item)
		v->item(v->arg, w, item);
}

static void on_fed(void *arg, struct cli_walk *w, const struct state_binding *b)
{
	struct view *v = arg;

	if (v->net)
		act_net_event(v->net, w->state, b);
	if (v->fed)
		v->fed(v->arg, w, b);
}

static void on_end(void *arg, struct cli_walk *w)
{
	struct view *v = arg;

	if (v->net)
		act_net_settle(v->net, w->state);
	table_set_day(v->table, w->moment);
	v->at_moment = true;
	v->show(v->arg, w);
	table_print(v->table, &v->out);
}

/* Trackers of checkpoints know containers. */
static bool may_enter(struct view *v, unsigned *parts)
{
	*parts = v->sockets ? 1u << RUN_PART_NET : 0;
	if (v->parts && !v->parts(v->arg, parts))
		return false;
	return !v->no_containers || !*parts;
}

static int run_all(struct view *v, int argc, char **argv, int first)
{
	struct cli_walk w = {
	    .common = &v->common,
	    .program = v->program,
	    .no_containers = v->no_containers,
	    .at = &v->at,
	    .begin = on_begin,
	    .item = v->sockets || v->item ? on_item : NULL,
	    .fed = v->sockets || v->fed ? on_fed : NULL,
	    .end = on_end,
	    .arg = v,
	};
	int status = 0;

	w.may_enter = may_enter(v, &w.parts);
	for (int i = first; i < argc && !cli_interrupted(); i++) {
		v->path = argv[i];
		v->at_moment = false;
		if (i > first && v->format == TABLE_TEXT && !v->out.failed)
			buf_char(&v->out, '\n');
		status = cli_worse(status, cli_walk_capture(&w, argv[i]));
		if (v->out.failed) {
			cli_log(CLI_ERROR, "out of memory");
			status = cli_worse(status, CLI_INTERNAL);
			break;
		}
		status = cli_worse(status, cli_write(&v->out));
	}
	return cli_worse(status, cli_flush());
}

static int view_run(struct view *v, int argc, char **argv, int first)
{
	int status;

	cli_catch_signals();
	if (first == argc) {
		cli_log(CLI_ERROR, "no capture given; '-' reads standard input");
		return CLI_USAGE;
	}
	setlocale(LC_CTYPE, "");
	v->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	v->many = argc - first > 1;
	status = compile_filter(v);
	if (!status)
		status = new_table(v);
	if (!status)
		status = run_all(v, argc, argv, first);
	table_free(v->table);
	flt_program_free(v->program);
	act_net_free(v->net);
	buf_done(&v->out);
	buf_done(&v->scratch);
	return cli_worse(status, v->status);
}

int view_main(struct view *v, const struct cli_parser *p, int argc, char **argv)
{
	int first, status;

	v->arg = p->arg;
	status = cli_parse(p, &v->common, argc, argv, &first);
	if (status)
		return status < 0 ? cli_flush() : status;
	status = view_run(v, argc, argv, first);
	if (v->done)
		v->done(v->arg);
	return status;
}

void view_out_of_memory(struct view *v)
{
	cli_log(CLI_ERROR, "out of memory");
	v->status = CLI_INTERNAL;
}

static void zone_text(struct buf *b, int offset_s)
{
	unsigned minutes = (unsigned)(offset_s < 0 ? -offset_s : offset_s) / 60;

	if (offset_s == 0)
		buf_char(b, 'Z');
	else
		buf_addf(b, "%c%02u:%02u", offset_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

void view_heading(struct view *v, struct cli_walk *w, const char *what)
{
	const struct state_machine *m = state_machine(w->state);
	struct buf *b = &v->out;

	if (v->format != TABLE_TEXT)
		return;
	table_style_begin(b, v->common.color, STYLE_BOLD);
	if (v->many) {
		cli_safe(b, sv_of(v->path));
		buf_lit(b, ": ");
	}
	if (m->known)
		cli_safe(b, state_sv(m->hostname));
	else
		buf_lit(b, "unnamed host");
	buf_lit(b, " at ");
	if (w->moment) {
		flt_time_iso8601(b, w->moment +
					(uint64_t)((int64_t)v->common.tz_offset_s * 1000000000));
		zone_text(b, v->common.tz_offset_s);
	} else {
		buf_lit(b, "an unknown time");
	}
	buf_addf(b, w->past ? ", event %llu" : ", the end (event %llu)",
		 (unsigned long long)state_stats(w->state)->events);
	buf_addf(b, ": %s", what);
	table_style_end(b, v->common.color, STYLE_BOLD);
	buf_char(b, '\n');
}
