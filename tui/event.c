/* SPDX-License-Identifier: Apache-2.0 */
/* One event, that of T: everything about it, line by line. */
#include <stdlib.h>
#include <string.h>

#include "engine/activity/words.h"
#include "tui/app.h"
#include "tui/command_line.h"
#include "tui/lines.h"
#include "tui/payload.h"
#include "tui/step.h"

#define NAME_WIDTH  12
#define CHAIN_MAX   24	/* ancestors that are shown */
#define ALERTS_MAX  50	/* of an event */
#define FIRST_ALERT 100 /* keys of rows: alerts from here on */
#define FIRST_PARAM 200

enum leads_to { NOWHERE, EVENT, PROCESS, FD, DATA };

static const struct fact {
	enum leads_to key;
	const char *name, *format;
} facts[] = {
#define FACT(key, name, format) {key, name, format},
#include "tui/event_facts.def"
#undef FACT
};

struct event_view {
	struct tui_view v;
	struct tui_app *app;
	uint64_t alone; /* an event to go to first; 0: T */
	struct flt_program *program;
	struct flt_format *formats[COUNT_OF(facts)];
	struct tui_lines lines;
	struct tui_table *table;
	struct tui_step step;
	uint64_t num; /* that is shown; 0: none */
	int64_t pid;  /* of it; -1: none */
	int64_t fd;
	bool has_fd;
	int64_t alerts[ALERTS_MAX];
	size_t alert_count;
	int width; /* of the screen when lines were made */
};

static struct event_view *of(struct tui_view *v)
{
	return (struct event_view *)(void *)v;
}

/* --- lines --- */

static void section(struct event_view *e, uint64_t key, const char *title)
{
	tui_lines_add(&e->lines, key, TUI_ROLE_HEADER, sv_of(title), TUI_ROLE_NORMAL, SV_NONE);
}

static void add(struct event_view *e, uint64_t key, const char *name, enum tui_role role,
		struct sv text)
{
	tui_lines_add(&e->lines, key, TUI_ROLE_DIM, sv_of(name), role, text);
}

/* "0.112s after the start of the capture, at byte 1234" */
static void add_place(struct event_view *e, const struct ev *ev)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(e->app));
	struct buf b = {0};

	tui_time_full(e->app, &b, ev->ts, 9);
	if (c && c->first_ts && ev->ts >= c->first_ts) {
		buf_lit(&b, "  +");
		tui_duration(&b, ev->ts - c->first_ts);
	}
	add(e, EVENT, "time", TUI_ROLE_TIME, buf_view(&b));
	buf_reset(&b);
	buf_addf(&b, "0x%llx", (unsigned long long)ev->offset);
	add(e, EVENT, "offset", TUI_ROLE_NORMAL, buf_view(&b));
	buf_done(&b);
}

static void add_result(struct event_view *e, const struct state_binding *b)
{
	const char *name = flt_errno_name(b->errcode);
	const char *meaning = strerrordesc_np(b->errcode);
	struct buf text = {0};

	if (!b->errcode)
		return;
	if (name)
		buf_str(&text, name);
	else
		buf_addf(&text, "error %d", b->errcode);
	if (meaning)
		buf_addf(&text, ": %s", meaning);
	add(e, EVENT, "failed", TUI_ROLE_ERROR, buf_view(&text));
	buf_done(&text);
}

/* sshd(811) > bash(2210) > sh(2232) */
static void add_chain(struct event_view *e, const struct state *st, const struct state_thread *t)
{
	const struct state_thread *all[CHAIN_MAX];
	struct state_climb c = state_climb_start(st, t);
	const struct state_thread *a;
	struct buf b = {0};
	size_t n = 0;

	while (n < CHAIN_MAX && (a = state_climb_next(&c)) != NULL)
		all[n++] = a;
	while (n--) {
		buf_sv(&b, state_sv(all[n]->comm));
		buf_addf(&b, "(%lld) > ", (long long)act_pid(all[n]));
	}
	buf_sv(&b, state_sv(t->comm));
	add(e, PROCESS, "chain", TUI_ROLE_NORMAL, buf_view(&b));
	buf_done(&b);
}

static void add_facts(struct event_view *e, struct flt_ctx *cx, enum leads_to key)
{
	struct buf b = {0};

	for (size_t i = 0; i < COUNT_OF(facts); i++) {
		buf_reset(&b);
		if (facts[i].key == key && flt_format_text(cx, e->formats[i], &b) &&
		    !sv_ends(buf_view(&b), SV_LIT("(-1)"))) /* the number of none */
			add(e, key, facts[i].name, key == EVENT ? TUI_ROLE_NORMAL : TUI_ROLE_LINK,
			    buf_view(&b));
	}
	buf_done(&b);
}

/* Texts with a NUL behind each: arguments, environment, control groups. */
static void add_texts(struct event_view *e, uint64_t key, const char *name, struct sv all)
{
	while (all.n) {
		struct sv one = sv_make(all.p, strnlen(all.p, all.n));

		add(e, key, name, TUI_ROLE_NORMAL, one);
		all = sv_drop(all, one.n + 1);
		name = "";
	}
}

/* What was read or written has lines of its own. */
static void add_params(struct event_view *e, struct flt_ctx *cx, struct ev *ev)
{
	const struct ev_info *info = ev_info(ev);
	struct buf b = {0};

	for (unsigned i = 0; i < ev->nparams && i < info->nparams; i++) {
		const struct ev_param_info *param = &info->params[i];
		struct ev_value v = ev_param(ev, i);
		bool bytes = param->type == PT_BYTEBUF && v.n;

		buf_reset(&b);
		if (bytes && strcmp(param->name, "data") != 0) {
			add_texts(e, FIRST_PARAM + i, param->name, sv_make(v.p, v.n));
			continue;
		}
		if (bytes)
			tui_recorded_bytes(&b, ev, v.n);
		else
			flt_render_arg(cx, ev, i, &b); /* "name=value" */
		add(e, FIRST_PARAM + i, param->name, TUI_ROLE_NORMAL,
		    sv_drop(buf_view(&b), bytes ? 0 : strlen(param->name) + 1));
		if (bytes)
			tui_lines_add_hex(&e->lines, FIRST_PARAM + i, TUI_ROLE_NORMAL, SV_NONE,
					  sv_make(v.p, v.n));
	}
	buf_done(&b);
}

static void add_alerts(struct event_view *e, const struct ev *ev)
{
	struct tui_data *d = tui_app_data(e->app);
	const struct tui_capture *c = tui_data_capture(d);
	struct qry_alert_filter f = {
	    .capture_id = c ? c->capture_id : 0, .from = ev->ts, .to = ev->ts};
	struct qry_page page;
	struct buf b = {0};

	if (!f.capture_id || qry_browse_page(tui_data_alerts(d), &f, &(struct qry_place){0}, false,
					     QRY_PAGE_MAX, &page, NULL) < 0)
		return;
	for (size_t i = 0; i < page.count && e->alert_count < ALERTS_MAX; i++) {
		const struct qry_listed *a = &page.alerts[i];

		if (a->evt_num != ev->num)
			continue;
		if (!e->alert_count)
			section(e, NOWHERE, "ALERTS");
		buf_reset(&b);
		buf_addf(&b, "%s: %s", a->rule ? a->rule : "?", a->output ? a->output : "");
		add(e, FIRST_ALERT + e->alert_count, tui_severity(a->severity),
		    tui_severity_role(a->severity), buf_view(&b));
		e->alerts[e->alert_count++] = a->place.alert_id;
	}
	buf_done(&b);
}

static void look(void *arg, const struct state *st, const struct state_binding *b)
{
	struct event_view *e = arg;
	struct flt_ctx *cx;

	if (flt_ctx_new(e->program, st, &cx, NULL) < 0) {
		e->lines.failed = true;
		return;
	}
	flt_ctx_event(cx, b);
	e->num = b->ev->num;
	e->pid = b->thread ? b->thread->pid : -1;
	e->has_fd = b->fd != NULL;
	e->fd = b->fd ? b->fd->num : -1;
	add_facts(e, cx, EVENT);
	add_place(e, b->ev);
	add_result(e, b);
	add_alerts(e, b->ev);
	section(e, DATA, "ARGUMENTS");
	add_params(e, cx, b->ev);
	if (b->fd)
		add_facts(e, cx, FD);
	if (b->thread) {
		section(e, DATA + 1, "PROCESS");
		add_facts(e, cx, PROCESS);
		add_chain(e, st, b->thread);
	}
	flt_ctx_free(cx);
}

/* --- beginning, end --- */

static int make_program(struct event_view *e, struct error *err)
{
	int rc = flt_program_new(NULL, &e->program, err);

	for (size_t i = 0; i < COUNT_OF(facts) && rc == 0; i++)
		rc = flt_format_new(e->program, sv_of(facts[i].format), &e->formats[i], err);
	return rc < 0 ? rc : flt_program_seal(e->program, err);
}

static void close_event(struct tui_view *v)
{
	struct event_view *e = of(v);

	tui_step_end(&e->step);
	tui_table_free(e->table);
	tui_lines_done(&e->lines);
	flt_program_free(e->program);
	free(e);
}

static int open_event(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		      struct error *err)
{
	static const struct tui_column columns[] = {
	    {"name", "NAME", NAME_WIDTH, 0, TUI_COLUMN_NO_SORT, "what it is"},
	    {"value", "VALUE", 20, 0, TUI_COLUMN_NO_SORT | TUI_COLUMN_REST, "all of it"},
	};
	struct event_view *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return error_nomem(err);
	e->app = app;
	e->alone = t->num;
	e->pid = -1;
	e->width = 80;
	tui_lines_init(&e->lines);
	rc = make_program(e, err);
	if (rc == 0)
		rc = tui_table_new(app, columns, COUNT_OF(columns), &tui_list_ops, &e->lines.list,
				   &e->table, err);
	if (rc < 0)
		close_event(&e->v);
	else
		*out = &e->v;
	return rc;
}

static int make_lines(struct event_view *e, struct error *err)
{
	struct tui_data *d = tui_app_data(e->app);
	uint64_t num;
	int rc;

	(void)tui_data_time(d, &num);
	tui_lines_reset(&e->lines);
	e->lines.width = e->width - NAME_WIDTH - 3;
	e->num = 0;
	e->alert_count = 0;
	rc = tui_data_event(d, num ? num : 1, look, e, err);
	if (rc == 0)
		rc = tui_lines_end(&e->lines, err);
	return rc < 0 ? rc : tui_table_refresh(e->table, err);
}

static int sync_event(struct tui_view *v, unsigned news, struct error *err)
{
	struct event_view *e = of(v);

	if (e->alone)
		tui_app_goto_event(v->app, e->alone);
	e->alone = 0;
	if (e->num && !(news & ~(unsigned)TUI_NEWS_PROGRESS))
		return 0;
	return make_lines(e, err);
}

/* --- keys --- */

static void enter(struct event_view *e)
{
	struct tui_target t = {.num = e->num, .pid = e->pid};
	struct tui_row_key key;

	if (!tui_table_cursor(e->table, &key))
		return;
	t.fd = e->fd;
	t.has_fd = e->has_fd;
	if (key.a >= FIRST_ALERT && key.a < FIRST_ALERT + e->alert_count) {
		t.alert_id = e->alerts[key.a - FIRST_ALERT];
		tui_app_push(e->app, &tui_alert_ops, &t);
	} else if (key.a == PROCESS && e->pid >= 0) {
		tui_app_push(e->app, &tui_process_ops, &t);
	} else if (key.a == FD && e->has_fd) {
		tui_app_push(e->app, &tui_follow_ops, &t);
	} else {
		tui_app_say(e->app, TUI_ROLE_NOTICE,
			    "Enter leads on from lines about the process, the descriptor and "
			    "alerts");
	}
}

static enum tui_result act_event(struct tui_view *v, const struct tui_command *c)
{
	struct event_view *e = of(v);
	struct tui_target t = {.num = e->num, .pid = e->pid, .fd = e->fd, .has_fd = e->has_fd};

	switch (c->action) {
	case TUI_DO_ENTER:
		enter(e);
		return TUI_DONE;
	case TUI_DO_FOLLOW_FD:
		if (e->has_fd)
			tui_app_push(v->app, &tui_follow_ops, &t);
		else
			tui_app_say(v->app, TUI_ROLE_NOTICE, "this event is about no descriptor");
		return TUI_DONE;
	case TUI_DO_NEXT_OF_PROCESS:
	case TUI_DO_PREV_OF_PROCESS:
		if (e->pid >= 0)
			tui_step_begin(&e->step, v->app, e->pid, NULL, e->num,
				       c->action == TUI_DO_PREV_OF_PROCESS);
		else
			tui_app_say(v->app, TUI_ROLE_NOTICE, "this event is of no process");
		return TUI_DONE;
	case TUI_DO_CANCEL:
		tui_step_end(&e->step);
		return TUI_NOT_MINE;
	default:
		return TUI_NOT_MINE;
	}
}

static bool work_event(struct tui_view *v, uint64_t deadline_ns)
{
	struct event_view *e = of(v);

	return tui_step_work(&e->step, v->app, deadline_ns);
}

/* --- drawing, words --- */

static void draw_event(struct tui_view *v, const struct tui_area *a)
{
	struct event_view *e = of(v);
	struct error err = {0};

	if (a->width != e->width) {
		e->width = a->width;
		if (make_lines(e, &err) < 0) {
			tui_put(a, 0, 1, a->width - 2, TUI_ROLE_ERROR, sv_of(err.msg));
			return;
		}
	}
	tui_table_draw(e->table, a, true);
}

static void crumb_event(struct tui_view *v, struct buf *out)
{
	buf_addf(out, "Event %llu", (unsigned long long)of(v)->num);
}

static void command_event(struct tui_view *v, struct buf *out)
{
	buf_addf(out, "scapula events --evt %llu..%llu --buffers hexascii",
		 (unsigned long long)of(v)->num, (unsigned long long)of(v)->num);
	tui_command_capture(v->app, out);
}

static struct tui_table *table_of(struct tui_view *v)
{
	return of(v)->table;
}

static const uint8_t actions[] = {TUI_DO_NEXT_EVENT, TUI_DO_PREV_EVENT,	     TUI_DO_FOLLOW_FD,
				  TUI_DO_EXPLAIN,    TUI_DO_NEXT_OF_PROCESS, TUI_DO_PREV_OF_PROCESS,
				  TUI_DO_SEARCH,     TUI_DO_EXPORT,	     TUI_NO_ACTION};

const struct tui_view_ops tui_event_ops = {
    .name = "event",
    .title = "Event",
    .help = "All of the event at T: its arguments in full, buffers in hex, the descriptor and the "
	    "process as they were then, and the alerts about it. Enter on a line about a process, "
	    "a descriptor or an alert leads there.",
    .actions = actions,
    .open = open_event,
    .close = close_event,
    .sync = sync_event,
    .draw = draw_event,
    .act = act_event,
    .work = work_event,
    .crumb = crumb_event,
    .command = command_event,
    .table = table_of,
};
