/* SPDX-License-Identifier: Apache-2.0 */
/* The list of events. Its cursor is T: where one goes, the other follows. */
#include "tui/events_view.h"

#include <stdlib.h>
#include <string.h>

#include "tui/command_line.h"
#include "tui/step.h"

struct events_view {
	struct tui_view v;
	struct events_model model;
	struct tui_table *table;
	struct tui_row_key known; /* where the cursor was put or last seen */
	bool has_known, seeking;  /* @seeking: rows around T are not there yet */
	enum tui_time_form time_form;
	uint64_t alone;	      /* an event to begin at, of the target; 0: T */
	struct tui_step step; /* to the next event of a process */
};

static struct events_view *of(struct tui_view *v)
{
	return (struct events_view *)(void *)v;
}

/* --- T and the cursor --- */

/* The cursor was moved by keys: T goes there. */
static void follow(struct events_view *e)
{
	struct tui_row_key key;

	if (!tui_table_cursor(e->table, &key) || (e->has_known && key.a == e->known.a))
		return;
	e->known = key;
	e->has_known = true;
	tui_app_goto_event(e->v.app, key.a);
}

/* T was moved: the cursor goes there, or to what passes next. */
static void seek(struct events_view *e)
{
	uint64_t t = tui_data_time_key(tui_app_data(e->v.app));

	if (e->has_known && e->known.a == t && tui_table_cursor(e->table, &e->known))
		return;
	tui_table_seek(e->table, (struct tui_row_key){.a = t ? t : 1});
	e->has_known = tui_table_cursor(e->table, &e->known);
	e->seeking = e->model.late;
}

/* --- beginning, end --- */

static int new_table(struct events_view *e, struct error *err)
{
	struct tui_table *table;
	int rc = tui_table_new(e->model.app, e->model.columns, e->model.column_count,
			       &events_model_ops, &e->model, &table, err);

	if (rc < 0)
		return rc;
	tui_table_free(e->table);
	e->table = table;
	e->has_known = false;
	return 0;
}

static void close_events(struct tui_view *v)
{
	struct events_view *e = of(v);

	tui_step_end(&e->step);
	tui_table_free(e->table);
	events_model_done(&e->model);
	free(e);
}

static int open_events(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		       struct error *err)
{
	struct events_view *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return error_nomem(err);
	events_model_init(&e->model, app);
	e->alone = t->num;
	e->model.pid = t->pid ? t->pid : -1;
	buf_sv(&e->model.condition, t->text);
	buf_sv(&e->v.filter, t->text);
	rc = new_table(e, err);
	if (rc < 0) {
		buf_done(&e->v.filter);
		close_events(&e->v);
		return rc;
	}
	*out = &e->v;
	return 0;
}

/* --- bringing it up to date --- */

static int sync_events(struct tui_view *v, unsigned news, struct error *err)
{
	struct events_view *e = of(v);
	struct tui_live_now now;
	int rc = 0;

	/* Of what happens now, they lead through all captures. */
	if (!e->model.events ||
	    (news & TUI_NEWS_CAPTURE && !tui_data_live(tui_app_data(v->app), &now))) {
		struct buf condition = e->model.condition;

		e->model.condition = (struct buf){0};
		rc = events_model_open(&e->model, buf_view(&condition), e->model.pid, NULL, err);
		if (rc < 0)
			e->model.condition = condition;
		else
			buf_done(&condition);
		e->has_known = false;
	}
	if (rc < 0)
		return rc;
	if (e->alone) {
		tui_app_goto_event(v->app, e->alone);
		e->alone = 0;
	}
	if (!e->has_known || news & (TUI_NEWS_CASE | TUI_NEWS_CAPTURE | TUI_NEWS_INDEX) ||
	    e->time_form != tui_app_time_form(v->app)) {
		e->time_form = tui_app_time_form(v->app);
		rc = tui_table_refresh(e->table, err);
	}
	if (rc == 0)
		seek(e);
	return rc;
}

/* Another condition, another process, other columns: rows are asked for anew around T. */
static int reopen(struct events_view *e, struct sv condition, int64_t pid, size_t *pos,
		  struct error *err)
{
	struct flt_pos at = {0};
	int rc = events_model_open(&e->model, condition, pid, &at, err);

	if (pos)
		*pos = at.index;
	if (rc == 0) {
		e->has_known = false;
		rc = tui_table_refresh(e->table, err);
	}
	if (rc == 0)
		seek(e);
	return rc;
}

static int filter_events(struct tui_view *v, struct sv text, size_t *pos, struct error *err)
{
	struct events_view *e = of(v);

	return reopen(e, text, e->model.pid, pos, err);
}

static bool work_events(struct tui_view *v, uint64_t deadline_ns)
{
	struct events_view *e = of(v);
	/* Before the cursor is looked at: rows that come late, and searches, move it. */
	bool more = tui_table_work(e->table, deadline_ns);

	if (!e->seeking) {
		follow(e);
	} else {
		e->has_known = tui_table_cursor(e->table, &e->known);
		e->seeking = e->model.late;
	}
	return tui_step_work(&e->step, v->app, deadline_ns) || more;
}

/* --- keys --- */

static void descend(struct events_view *e, const struct tui_view_ops *ops)
{
	struct tui_target t = {0};
	struct tui_row_key key;

	if (!tui_table_cursor(e->table, &key))
		return;
	t.num = key.a;
	tui_app_push(e->v.app, ops, &t);
}

/* Only the process under the cursor, or all of them again. */
static void one_process(struct events_view *e)
{
	struct error err = {0};
	int64_t pid = -1;
	uint64_t n;

	if (e->model.pid < 0 && tui_number(tui_table_cell(e->table, EVENTS_PID), &n))
		pid = (int64_t)n;
	if (reopen(e, sv_make(e->model.condition.p, e->model.condition.len), pid, NULL, &err) < 0)
		tui_app_fail(e->v.app, &err);
	else if (pid >= 0)
		tui_app_say(e->v.app, TUI_ROLE_NORMAL, "events of process %lld only",
			    (long long)pid);
	else
		tui_app_say(e->v.app, TUI_ROLE_NORMAL, "events of all processes");
}

/* Names that are no columns yet become some, if they are fields. False: they can not, which was
 * told. */
static bool add_columns(struct events_view *e, struct sv names)
{
	struct error err = {0};
	bool added = false;
	int rc = 0;

	while (names.n && rc >= 0) {
		const char *comma = memchr(names.p, ',', names.n);
		struct sv name = sv_make(names.p, comma ? (size_t)(comma - names.p) : names.n);

		names = sv_drop(names, name.n + 1);
		while (name.n && *name.p == ' ')
			name = sv_drop(name, 1);
		rc = name.n ? events_model_add(&e->model, name, &err) : 0;
		added |= rc > 0;
	}
	if (rc >= 0 && added)
		rc = new_table(e, &err);
	if (rc >= 0 && added)
		rc = reopen(e, sv_make(e->model.condition.p, e->model.condition.len), e->model.pid,
			    NULL, &err);
	if (rc < 0)
		tui_app_fail(e->v.app, &err);
	return rc >= 0;
}

/* One event on or back among those that pass: as the cursor goes. */
static void step(struct events_view *e, bool back)
{
	const struct tui_command c = {.action = back ? TUI_DO_UP : TUI_DO_DOWN, .count = 1};

	(void)tui_table_act(e->table, &c);
}

/* To the next event of the process that passes, or the one before. */
static void of_process(struct events_view *e, bool back)
{
	struct tui_row_key key;
	uint64_t pid;

	if (!tui_table_cursor(e->table, &key) ||
	    !tui_number(tui_table_cell(e->table, EVENTS_PID), &pid))
		tui_app_say(e->v.app, TUI_ROLE_NOTICE, "this event is of no process");
	else
		tui_step_begin(&e->step, e->v.app, (int64_t)pid,
			       e->model.condition.len ? buf_cstr(&e->model.condition) : NULL, key.a,
			       back);
}

static enum tui_result act_alone(struct events_view *e, const struct tui_command *c)
{
	switch (c->action) {
	case TUI_DO_ENTER:
		descend(e, &tui_event_ops);
		return TUI_DONE;
	case TUI_DO_FOLLOW_FD:
		descend(e, &tui_follow_ops);
		return TUI_DONE;
	case TUI_DO_EVIDENCE:
		one_process(e);
		return TUI_DONE;
	case TUI_DO_NEXT_EVENT:
	case TUI_DO_PREV_EVENT:
		step(e, c->action == TUI_DO_PREV_EVENT);
		return TUI_DONE;
	case TUI_DO_NEXT_OF_PROCESS:
	case TUI_DO_PREV_OF_PROCESS:
		of_process(e, c->action == TUI_DO_PREV_OF_PROCESS);
		return TUI_DONE;
	case TUI_DO_CANCEL:
		tui_step_end(&e->step);
		return TUI_NOT_MINE;
	case TUI_DO_COLUMNS:
		return add_columns(e, c->arg) ? TUI_NOT_MINE : TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

static enum tui_result act_events(struct tui_view *v, const struct tui_command *c)
{
	struct events_view *e = of(v);
	enum tui_result r = TUI_NOT_MINE;

	if (!tui_table_is_asking(e->table))
		r = act_alone(e, c);
	if (r == TUI_NOT_MINE)
		r = tui_table_act(e->table, c);
	if (!e->seeking)
		follow(e);
	return r;
}

static void click_events(struct tui_view *v, const struct tui_input *in, const struct tui_area *a)
{
	struct events_view *e = of(v);
	struct tui_area below = tui_area_part(a, 1, 0, a->height - 1, a->width);

	tui_table_click(e->table, in, &below);
	follow(e);
}

/* --- drawing --- */

static void add_grouped(struct buf *b, uint64_t n)
{
	if (n >= 1000) {
		add_grouped(b, n / 1000);
		buf_char(b, ',');
		buf_u64_padded(b, n % 1000, 3);
	} else {
		buf_u64(b, n);
	}
}

/* "812,441 / 41.2M  2%" */
static void draw_position(struct events_view *e, const struct tui_area *a)
{
	struct tui_data *d = tui_app_data(e->v.app);
	const struct tui_capture *captures;
	struct tui_row_key key;
	struct buf b = {0};
	uint64_t num, events;
	size_t i;
	int x = 1;

	if (!tui_table_cursor(e->table, &key)) {
		tui_puts(a, 0, x, TUI_ROLE_DIM,
			 e->model.late ? "looking for events that pass" : "");
		return;
	}
	num = tui_key_num(key.a);
	add_grouped(&b, num);
	i = tui_key_capture(d, key.a);
	events = i < tui_data_captures(d, &captures) ? captures[i].events : 0;
	if (events >= num) {
		buf_lit(&b, " / ");
		tui_count(&b, events);
		buf_addf(&b, "  %u%%", (unsigned)(100.0 * (double)num / (double)events));
	}
	x += tui_put(a, 0, x, a->width - 2, TUI_ROLE_NORMAL, buf_view(&b)) + 2;
	buf_done(&b);
	if (e->model.pid >= 0)
		tui_printf(a, 0, x, TUI_ROLE_CHIP, "process %lld", (long long)e->model.pid);
}

static void draw_empty(struct events_view *e, const struct tui_area *a)
{
	if (!e->model.late)
		tui_table_draw_why(
		    e->table, a,
		    e->model.condition.len || e->model.pid >= 0
			? "No event passes the filter. '\\' and Enter on an empty line shows all."
			: "There are no events in this capture.");
}

static void draw_events(struct tui_view *v, const struct tui_area *a)
{
	struct events_view *e = of(v);
	struct tui_area below = tui_area_part(a, 1, 0, a->height - 1, a->width);
	struct tui_row_key key;

	draw_position(e, a);
	tui_table_draw(e->table, &below, true);
	if (!tui_table_cursor(e->table, &key))
		draw_empty(e, &below);
}

/* --- words --- */

static void command_events(struct tui_view *v, struct buf *out)
{
	struct events_view *e = of(v);
	struct buf condition = {0};

	buf_lit(out, "scapula events");
	if (e->model.pid >= 0)
		buf_addf(&condition, "proc.pid = %lld%s", (long long)e->model.pid,
			 e->model.condition.len ? " and (" : "");
	buf_sv(&condition, sv_make(e->model.condition.p, e->model.condition.len));
	if (e->model.pid >= 0 && e->model.condition.len)
		buf_char(&condition, ')');
	if (condition.len) {
		buf_lit(out, " -F");
		tui_command_word(out, buf_view(&condition));
	}
	tui_command_capture(v->app, out);
	buf_done(&condition);
}

static struct tui_table *table_of(struct tui_view *v)
{
	return of(v)->table;
}

static const uint8_t actions[] = {TUI_DO_ENTER,		  TUI_DO_FILTER,    TUI_DO_FOLLOW_FD,
				  TUI_DO_EVIDENCE,	  TUI_DO_EXPLAIN,   TUI_DO_NEXT_OF_PROCESS,
				  TUI_DO_PREV_OF_PROCESS, TUI_DO_TIME_FORM, TUI_DO_COLUMNS,
				  TUI_DO_FREQUENCY,	  TUI_DO_SEARCH,    TUI_NO_ACTION};

static const struct tui_filter_language language = {
    .word = "(proc.name icontains $ or proc.cmdline icontains $ or fd.name icontains $)",
};

const struct tui_view_ops tui_events_ops = {
    .name = "events",
    .title = "Events",
    .help =
	"The events of the capture, around T: the cursor is T, and goes where T goes. Enter shows "
	"all "
	"of an event. The column without a title has the worst alert about the event, or that it "
	"failed. 'columns' takes any field of the language of rules, such as evt.num,proc.name,"
	"fd.name; a plain word in the filter is looked for in names of processes, command lines "
	"and "
	"names of descriptors.",
    .actions = actions,
    .open = open_events,
    .close = close_events,
    .sync = sync_events,
    .draw = draw_events,
    .act = act_events,
    .work = work_events,
    .command = command_events,
    .click = click_events,
    .table = table_of,
    .filter = filter_events,
    .language = &language,
};
