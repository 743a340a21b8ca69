/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/human.h"
#include "tui/ruleset.h"

#define ALL_NEWS (~0u)

const struct tui_view_ops *const tui_roots[TUI_ROOTS] = {
    &tui_overview_ops, &tui_alerts_ops,	  &tui_tree_ops,     &tui_events_ops, &tui_files_ops,
    &tui_net_ops,      &tui_sessions_ops, &tui_timeline_ops, &tui_rules_ops,
};

/* --- what views ask --- */

struct tui_data *tui_app_data(struct tui_app *app)
{
	return app->data;
}

const struct tui_keymap *tui_app_keymap(const struct tui_app *app)
{
	return app->keymap;
}

bool tui_app_is_ascii(const struct tui_app *app)
{
	return app->screen.ascii;
}

enum tui_time_form tui_app_time_form(const struct tui_app *app)
{
	return app->time_form;
}

const char *tui_app_glyph(const struct tui_app *app, enum tui_glyph g)
{
	return tui_glyph(&app->screen, g);
}

void tui_app_see(struct tui_app *app, uint64_t kind, uint64_t name)
{
	const struct tui_row_key key = {kind, name};

	if (!tui_app_is_seen(app, kind, name) && tui_keys_add(&app->seen, key) < 0)
		return; /* it stays new */
}

bool tui_app_is_seen(const struct tui_app *app, uint64_t kind, uint64_t name)
{
	return tui_keys_find(&app->seen, (struct tui_row_key){kind, name}) != SIZE_MAX;
}

void tui_app_say(struct tui_app *app, enum tui_role role, const char *fmt, ...)
{
	char text[ERROR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_reset(&app->message);
	buf_str(&app->message, text);
	app->message_role = role;
}

void tui_app_fail(struct tui_app *app, const struct error *err)
{
	tui_app_say(app, TUI_ROLE_ERROR, "%s", err->msg[0] ? err->msg : error_code_text(err->code));
}

int tui_app_rules(struct tui_app *app, struct tui_ruleset **out, struct error *err)
{
	int rc = app->rules ? 0 : tui_ruleset_new(app->data, &app->rules, err);

	if (rc == 0)
		*out = app->rules;
	return rc;
}

uint64_t tui_app_step(const struct tui_app *app)
{
	struct tui_span all;
	uint64_t length =
	    tui_data_span(app->data, &all) && all.to > all.from ? all.to - all.from : 0;
	uint64_t step = (length / 10) >> app->zoom;

	return step > 10 ? step : 10;
}

/* --- the stack --- */

struct tui_view *tui_app_top(const struct tui_app *app)
{
	return app->depth ? app->stack[app->depth - 1] : app->roots[app->root];
}

struct tui_view *tui_app_below(const struct tui_app *app, const struct tui_view *v)
{
	for (size_t i = app->depth; i-- > 0;)
		if (app->stack[i] == v)
			return i ? app->stack[i - 1] : app->roots[app->root];
	return NULL;
}

static void close_view(struct tui_view *v)
{
	if (!v)
		return;
	buf_done(&v->filter);
	v->ops->close(v);
}

static int open_view(struct tui_app *app, const struct tui_view_ops *ops,
		     const struct tui_target *t, struct tui_view **out, struct error *err)
{
	struct tui_view *v = NULL;
	int rc = ops->open(app, t, &v, err);

	if (rc < 0)
		return rc;
	v->ops = ops;
	v->app = app;
	v->news = ALL_NEWS;
	*out = v;
	return 0;
}

void tui_app_push(struct tui_app *app, const struct tui_view_ops *ops, const struct tui_target *t)
{
	const struct tui_target none = {0};
	struct error err = {0};

	if (app->depth == TUI_STACK_MAX) {
		tui_app_say(app, TUI_ROLE_ERROR,
			    "%d views over each other are the most there can be", TUI_STACK_MAX);
		return;
	}
	if (open_view(app, ops, t ? t : &none, &app->stack[app->depth], &err) < 0)
		tui_app_fail(app, &err);
	else
		app->depth++;
}

static void pop(struct tui_app *app)
{
	close_view(app->stack[--app->depth]);
}

void tui_app_switch(struct tui_app *app, const struct tui_view_ops *ops)
{
	const struct tui_target none = {0};
	struct error err = {0};
	size_t i = 0;

	while (i + 1 < TUI_ROOTS && tui_roots[i] != ops)
		i++;
	if (!app->roots[i] && open_view(app, tui_roots[i], &none, &app->roots[i], &err) < 0) {
		tui_app_fail(app, &err);
		return;
	}
	while (app->depth)
		pop(app);
	app->root = i;
}

static void tell_all(struct tui_app *app, unsigned news)
{
	for (size_t i = 0; i < TUI_ROOTS; i++)
		if (app->roots[i])
			app->roots[i]->news |= news;
	for (size_t i = 0; i < app->depth; i++)
		app->stack[i]->news |= news;
}

/* --- the moment --- */

void tui_app_goto_event(struct tui_app *app, uint64_t num)
{
	tui_data_goto_event(app->data, num);
	tell_all(app, TUI_NEWS_TIME);
}

void tui_app_goto_time(struct tui_app *app, uint64_t ts)
{
	tui_data_goto_time(app->data, ts);
	tell_all(app, TUI_NEWS_TIME);
}

static void step(struct tui_app *app, bool back, uint64_t ns)
{
	uint64_t num, ts = tui_data_time(app->data, &num);

	tui_app_goto_time(app, !back ? ts + ns : ts > ns ? ts - ns : 1);
}

static void step_event(struct tui_app *app, bool back)
{
	uint64_t num, last;

	(void)tui_data_time(app->data, &num);
	if (!back)
		tui_app_goto_event(app, num + 1);
	else if (num > 1)
		tui_app_goto_event(app, num - 1);
	else if (tui_data_before(app->data, &last))
		tui_app_goto_event(app, last);
	else
		tui_app_say(app, TUI_ROLE_NOTICE, "this is the first event");
}

/* To the event of @a, which is of the current capture, or, live, of any that is kept. */
static void go_to_alert(struct tui_app *app, const struct qry_listed *a, bool live)
{
	size_t i = live ? tui_data_capture_of(app->data, (int64_t)a->capture_id) : 0;

	if (i == SIZE_MAX) {
		tui_app_say(app, TUI_ROLE_NOTICE, "the capture of that alert is not kept any more");
		return;
	}
	tui_app_say(app, tui_severity_role(a->severity), "%s %s: %s", tui_severity(a->severity),
		    a->rule ? a->rule : "?", a->output ? a->output : "");
	tui_app_goto_event(app, live ? tui_key(i, a->evt_num) : a->evt_num);
}

static void step_alert(struct tui_app *app, bool back)
{
	const struct tui_capture *c = tui_data_capture(app->data);
	struct tui_live_now now;
	const bool live = tui_data_live(app->data, &now);
	struct qry_alert_filter f = {.capture_id = c && !live ? c->capture_id : 0};
	struct qry_place at = {0};
	struct qry_page page;
	struct error err = {0};
	uint64_t num;

	at.ts = (int64_t)tui_data_time(app->data, &num);
	at.alert_id = back ? 0 : INT64_MAX;
	if (!f.capture_id && !live) {
		tui_app_say(app, TUI_ROLE_NOTICE, "no alerts of this capture are known yet");
		return;
	}
	if (qry_browse_page(tui_data_alerts(app->data), &f, &at, back, 1, &page, &err) < 0) {
		tui_app_fail(app, &err);
		return;
	}
	if (!page.count) {
		tui_app_say(app, TUI_ROLE_NOTICE,
			    back ? "no alert before this moment" : "no alert after this moment");
		return;
	}
	go_to_alert(app, page.alerts, live);
}

static void zoom(struct tui_app *app, bool in)
{
	struct buf b = {0};

	if (in && app->zoom < 40 && tui_app_step(app) > 10)
		app->zoom++;
	else if (!in && app->zoom)
		app->zoom--;
	tell_all(app, TUI_NEWS_TIME);
	tui_duration(&b, tui_app_step(app));
	tui_app_say(app, TUI_ROLE_NORMAL, "one step is %s", buf_cstr(&b));
	buf_done(&b);
}

static void play(struct tui_app *app, struct sv arg)
{
	struct tui_live_now now;
	uint64_t speed = 1;

	if (!arg.n && tui_data_live(app->data, &now)) {
		tui_data_follow(app->data, !now.follows);
		tui_app_say(app, TUI_ROLE_NORMAL,
			    now.follows ? "frozen: time goes on, T stays" : "following");
		return;
	}
	if (arg.n && (!tui_number(arg, &speed) || speed == 0 || speed > 1000000)) {
		tui_app_say(app, TUI_ROLE_ERROR, "play: expected a speed such as 1, 10 or 1000");
		return;
	}
	if (!arg.n && app->playing && app->speed < 1000) {
		app->speed *= 10; /* the next key is faster, until it stops */
	} else if (!arg.n && app->playing) {
		app->playing = false;
		tui_app_say(app, TUI_ROLE_NORMAL, "time stands still");
		return;
	} else {
		app->speed = (unsigned)speed;
	}
	app->playing = true;
	app->played_ns = clock_ns(CLOCK_MONOTONIC);
	tui_app_say(app, TUI_ROLE_NORMAL, "time passes %u times as fast", app->speed);
}

/* --- actions of the program itself --- */

static void set_time_form(struct tui_app *app, struct sv arg)
{
	static const char *const names[] = {"utc", "relative", "delta", "epoch"};

	if (!arg.n) {
		app->time_form = (app->time_form + 1) % COUNT_OF(names);
	} else {
		size_t i = 0;

		while (i < COUNT_OF(names) && !sv_is(arg, names[i]))
			i++;
		if (i == COUNT_OF(names)) {
			tui_app_say(app, TUI_ROLE_ERROR,
				    "time-form: expected utc, relative, delta or epoch");
			return;
		}
		app->time_form = (enum tui_time_form)i;
	}
	tell_all(app, TUI_NEWS_TIME);
	tui_app_say(app, TUI_ROLE_NORMAL, "times are shown as %s", names[app->time_form]);
}

static void set_theme(struct tui_app *app, struct sv arg)
{
	if (!tui_theme_find(arg, &app->theme))
		tui_app_say(app, TUI_ROLE_ERROR,
			    "theme: expected default, mono, high-contrast or deuter");
	else if (app->term)
		tui_term_theme(app->term, app->theme);
}

static void set_mouse(struct tui_app *app, struct sv arg)
{
	app->mouse = arg.n ? sv_is(arg, "on") : !app->mouse;
	if (app->term)
		tui_term_mouse(app->term, app->mouse);
	tui_app_say(app, TUI_ROLE_NORMAL,
		    app->mouse ? "the mouse is ours"
			       : "the mouse is the terminal's: it can select text");
}

static void show_command(struct tui_app *app)
{
	struct tui_view *v = tui_app_top(app);
	struct buf b = {0};

	if (v->ops->command)
		v->ops->command(v, &b);
	if (b.len) {
		if (app->term)
			tui_term_copy(app->term, buf_view(&b));
		tui_app_say(app, TUI_ROLE_NORMAL, "%s", buf_cstr(&b));
	} else {
		tui_app_say(app, TUI_ROLE_NOTICE, "no single command shows this");
	}
	buf_done(&b);
}

static void use_capture(struct tui_app *app, struct sv arg)
{
	struct error err = {0};
	uint64_t n;
	int rc;
	struct buf path = {0};

	if (!arg.n) {
		size_t count = tui_data_captures(app->data, NULL);

		tui_app_say(app, TUI_ROLE_NORMAL, "%zu captures; ':capture N' looks at another one",
			    count);
		return;
	}
	buf_sv(&path, arg);
	if (human_u64(buf_cstr(&path), &n))
		rc = n ? tui_data_use(app->data, (size_t)n - 1, &err)
		       : error_set(&err, ERR_USAGE, "captures are numbered from 1");
	else
		rc = tui_data_locate(app->data, buf_cstr(&path), &err);
	buf_done(&path);
	if (rc < 0)
		tui_app_fail(app, &err);
	else
		tell_all(app, ALL_NEWS);
}

static void go(struct tui_app *app, struct sv text)
{
	struct error err = {0};

	if (tui_app_goto_text(app, text, &err) < 0)
		tui_app_fail(app, &err);
}

static void add_mark(struct tui_app *app, enum tui_action what, struct sv text)
{
	const struct tui_moment *m;
	struct error err = {0};
	struct buf label = {0};
	int rc = tui_data_moment(app->data, &m, &err);

	if (rc == 0 && !text.n) { /* of a bookmark, which has to have one */
		tui_time_full(app, &label, m->ts, 9);
		text = buf_view(&label);
	}
	if (rc == 0)
		rc = what == TUI_DO_NOTE
			 ? tui_data_add_note(app->data, m->offset, m->ts, text, &err)
			 : tui_data_add_bookmark(app->data, m->offset, m->ts, text, &err);
	buf_done(&label);
	if (rc < 0) {
		tui_app_fail(app, &err);
		return;
	}
	tell_all(app, TUI_NEWS_CASE);
	tui_app_say(app, TUI_ROLE_GOOD, "%s %s", what == TUI_DO_NOTE ? "noted" : "remembered",
		    tui_data_case_path(app->data)
			? "in the case"
			: "until the program ends: the case has no name (start with --db)");
}

static void save_log(struct tui_app *app, struct sv path)
{
	struct error err = {0};
	struct buf name = {0};

	buf_sv(&name, path);
	if (tui_log_save(app, buf_cstr(&name), &err) < 0)
		tui_app_fail(app, &err);
	else
		tui_app_say(app, TUI_ROLE_GOOD, "%zu commands written to %s", app->logged,
			    buf_cstr(&name));
	buf_done(&name);
}

static void save_window(struct tui_app *app, struct sv path)
{
	struct error err = {0};

	if (tui_data_save_window(app->data, path, &err) < 0)
		tui_app_fail(app, &err);
}

static void leave(struct tui_app *app)
{
	struct buf key = {0};

	if (app->depth) {
		pop(app);
		return;
	}
	tui_keymap_key(app->keymap, TUI_DO_QUIT, &key);
	tui_app_say(app, TUI_ROLE_NOTICE, "%s leaves the program", buf_cstr(&key));
	buf_done(&key);
}

/* What no view has to do with. */
static bool do_program(struct tui_app *app, const struct tui_command *c)
{
	if (c->action >= TUI_DO_OVERVIEW && c->action < TUI_DO_OVERVIEW + TUI_ROOTS) {
		tui_app_switch(app, tui_roots[c->action - TUI_DO_OVERVIEW]);
		return true;
	}
	switch (c->action) {
	case TUI_DO_QUIT:
		app->quit = true;
		return true;
	case TUI_DO_HELP:
		tui_app_push(app, &tui_help_ops, NULL);
		return true;
	case TUI_DO_KEYS:
		tui_app_push(app, &tui_keys_ops, NULL);
		return true;
	case TUI_DO_PALETTE:
		tui_app_run_line(app, c->arg);
		return true;
	case TUI_DO_REDRAW:
		if (app->term)
			tui_term_redraw(app->term);
		tell_all(app, ALL_NEWS);
		return true;
	case TUI_DO_SUSPEND:
		if (app->term)
			tui_term_suspend(app->term);
		return true;
	case TUI_DO_THEME:
		set_theme(app, c->arg);
		return true;
	case TUI_DO_MOUSE:
		set_mouse(app, c->arg);
		return true;
	case TUI_DO_TIME_FORM:
		set_time_form(app, c->arg);
		return true;
	case TUI_DO_SAVE_LOG:
		save_log(app, c->arg);
		return true;
	case TUI_DO_SAVE_WINDOW:
		save_window(app, c->arg);
		return true;
	case TUI_DO_CAPTURE:
		use_capture(app, c->arg);
		return true;
	case TUI_DO_COMMAND:
		show_command(app);
		return true;
	default:
		return false;
	}
}

/* What is done if no view has done it its own way. */
static bool do_common(struct tui_app *app, const struct tui_command *c)
{
	switch (c->action) {
	case TUI_DO_BACK:
		leave(app);
		return true;
	case TUI_DO_CANCEL:
		tui_data_cancel(app->data);
		return true;
	case TUI_DO_GOTO:
		go(app, c->arg);
		return true;
	case TUI_DO_NEXT_EVENT:
	case TUI_DO_PREV_EVENT:
		step_event(app, c->action == TUI_DO_PREV_EVENT);
		return true;
	case TUI_DO_NEXT_ALERT:
	case TUI_DO_PREV_ALERT:
		step_alert(app, c->action == TUI_DO_PREV_ALERT);
		return true;
	case TUI_DO_STEP_ON:
	case TUI_DO_STEP_BACK:
		step(app, c->action == TUI_DO_STEP_BACK, tui_app_step(app));
		return true;
	case TUI_DO_TENTH_ON:
	case TUI_DO_TENTH_BACK:
		step(app, c->action == TUI_DO_TENTH_BACK, tui_app_step(app) / 10);
		return true;
	case TUI_DO_ZOOM_IN:
	case TUI_DO_ZOOM_OUT:
		zoom(app, c->action == TUI_DO_ZOOM_IN);
		return true;
	case TUI_DO_PLAY:
		play(app, c->arg);
		return true;
	case TUI_DO_FILTER:
		tui_app_filter(app, c->arg);
		return true;
	case TUI_DO_NOTE:
	case TUI_DO_BOOKMARK:
		add_mark(app, c->action, c->arg);
		return true;
	case TUI_DO_BOOKMARKS:
		tui_app_push(app, &tui_marks_ops, NULL);
		return true;
	case TUI_DO_EXPLAIN:
		tui_app_push(app, &tui_explain_ops, &(struct tui_target){.text = c->arg});
		return true;
	default:
		return tui_app_filter_act(app, c);
	}
}

static void hint(struct tui_app *app, enum tui_action a)
{
	struct buf key = {0};

	tui_keymap_key(app->keymap, TUI_DO_HELP, &key);
	tui_app_say(app, TUI_ROLE_NOTICE, "'%s' does nothing here; %s shows what does",
		    tui_actions[a].name, buf_cstr(&key));
	buf_done(&key);
}

void tui_app_do(struct tui_app *app, const struct tui_command *c)
{
	struct tui_view *v = tui_app_top(app);
	enum tui_result r = TUI_NOT_MINE;
	struct tui_table *t;

	t = v->ops->table && v->trouble.code == 0 ? v->ops->table(v) : NULL;
	if (t && tui_table_is_asking(t))
		r = tui_table_act(t, c);
	else if (do_program(app, c))
		return;
	else if (v->ops->act && v->trouble.code == 0)
		r = v->ops->act(v, c);
	if (r == TUI_NOT_MINE && t && !tui_table_is_asking(t))
		r = tui_table_act(t, c);
	if (r == TUI_LEAVE)
		leave(app);
	else if (r == TUI_NOT_MINE && !do_common(app, c))
		hint(app, c->action);
}

void tui_app_command(struct tui_app *app, const struct tui_command *c)
{
	tui_log_command(app, c);
	tui_app_do(app, c);
}

void tui_app_run_line(struct tui_app *app, struct sv line)
{
	struct tui_command c = {.count = 1};
	size_t n = 0;

	while (line.n && (*line.p == ' ' || *line.p == ':'))
		line = sv_drop(line, 1);
	while (line.n && line.p[line.n - 1] == ' ')
		line.n--;
	if (!line.n)
		return;
	while (n < line.n && line.p[n] != ' ')
		n++;
	c.action = tui_action_find(sv_make(line.p, n));
	c.arg = sv_drop(line, n);
	while (c.arg.n && *c.arg.p == ' ')
		c.arg = sv_drop(c.arg, 1);
	if (!c.action || c.action == TUI_DO_PALETTE)
		tui_app_say(app, TUI_ROLE_ERROR, "there is no command '%.*s'; Tab completes names",
			    (int)n, line.p);
	else if (!c.arg.n && tui_action_needs_argument(c.action))
		tui_app_say(app, TUI_ROLE_ERROR, "%s %s: %s", tui_actions[c.action].name,
			    tui_actions[c.action].arg, tui_actions[c.action].help);
	else
		tui_app_do(app, &c);
}

/* --- bringing things up to date --- */

static void tick(struct tui_app *app)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), num, ts;
	const struct tui_capture *c = tui_data_capture(app->data);

	if (!app->playing || !c || !app->term)
		return;
	ts = tui_data_time(app->data, &num);
	ts += (now - app->played_ns) * app->speed;
	app->played_ns = now;
	tui_app_goto_time(app, ts);
	if (c->last_ts && ts >= c->last_ts)
		app->playing = false;
}

bool tui_app_sync(struct tui_app *app)
{
	struct tui_view *v = tui_app_top(app);
	struct buf trouble = {0};
	const char *saved;
	unsigned news;

	tick(app);
	tell_all(app, tui_data_poll(app->data));
	tui_data_trouble(app->data, &trouble);
	if (trouble.len)
		tui_app_say(app, TUI_ROLE_ERROR, "%s", buf_cstr(&trouble));
	buf_done(&trouble);
	saved = tui_data_saved(app->data);
	if (saved)
		tui_app_say(app, TUI_ROLE_GOOD, "what is kept was written to %s", saved);
	news = v->news;
	if (!news)
		return false;
	v->news = 0;
	v->trouble = (struct error){0};
	if (v->ops->sync(v, news, &v->trouble) < 0 && !v->trouble.code)
		v->trouble.code = ERR_NOMEM;
	return true;
}

/* T was an estimate for the first screen after a jump that asked for no state. */
static void make_time_exact(struct tui_app *app)
{
	const struct tui_moment *m;

	if (!tui_data_time_is_exact(app->data))
		(void)!tui_data_moment(app->data, &m, NULL); /* then it stays an estimate */
}

bool tui_app_work(struct tui_app *app, uint64_t deadline_ns)
{
	struct tui_view *v = tui_app_top(app);
	struct tui_table *t;
	bool more = false;

	make_time_exact(app);
	if (v->trouble.code)
		return false;
	if (v->ops->work)
		more = v->ops->work(v, deadline_ns);
	if (v->ops->table && (t = v->ops->table(v)) != NULL)
		more |= tui_table_work(t, deadline_ns);
	return more;
}

/* --- beginning and end --- */

int tui_app_new(const struct tui_options *opt, struct tui_app **out, struct error *err)
{
	struct tui_app *app = calloc(1, sizeof(*app));
	int rc;

	if (!app)
		return error_nomem(err);
	app->opt = opt;
	app->theme = opt->theme;
	app->mouse = opt->mouse;
	app->screen.ascii = opt->ascii;
	app->cursor_y = app->cursor_x = -1;
	rc = tui_keymap_new(&app->keymap, err);
	if (rc == 0 && opt->keymap)
		rc = tui_keymap_load(app->keymap, opt->keymap, err);
	if (rc == 0)
		rc = tui_data_open(&opt->data, &app->data, err);
	if (rc < 0) {
		tui_app_free(app);
		return rc;
	}
	*out = app;
	return 0;
}

void tui_app_free(struct tui_app *app)
{
	if (!app)
		return;
	while (app->depth)
		pop(app);
	for (size_t i = 0; i < TUI_ROOTS; i++)
		close_view(app->roots[i]);
	tui_term_close(app->term);
	tui_ruleset_free(app->rules);
	tui_data_close(app->data);
	tui_keymap_free(app->keymap);
	tui_screen_done(&app->screen);
	tui_prompt_done(&app->prompt);
	buf_done(&app->message);
	buf_done(&app->log);
	tui_keys_done(&app->seen);
	free(app);
}
