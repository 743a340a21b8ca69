/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the list of events: windows of the capture, with what the case says about them. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tui/events_view.h"

#define PAGE_NS	      20000000u /* for one page; what is not found then is asked for again */
#define PAGE_MAX      1000
#define TIME_DECIMALS 6

/* --- columns --- */

void events_model_init(struct events_model *m, struct tui_app *app)
{
	static const struct tui_column columns[] = {
#define COLUMN(sym, field, title, width, from, flags, help)                                        \
	{field, title, width, from, (flags) | TUI_COLUMN_NO_SORT, help},
#include "tui/events_columns.def"
#undef COLUMN
	};

	m->app = app;
	m->pid = -1;
	memcpy(m->columns, columns, sizeof(columns));
	m->column_count = EVENTS_COLUMN_COUNT;
}

void events_model_done(struct events_model *m)
{
	tui_events_close(m->events);
	for (size_t i = 0; i < EVENTS_COLUMNS_MAX; i++)
		free(m->fields[i]);
	buf_done(&m->condition);
}

/* "%NAME" of a column, whose name is a part of it if it was added. */
static int name_field(struct events_model *m, size_t i, struct sv name, struct error *err)
{
	if (m->fields[i])
		return 0;
	m->fields[i] = malloc(name.n + 2);
	if (!m->fields[i])
		return error_nomem(err);
	m->fields[i][0] = '%';
	memcpy(m->fields[i] + 1, name.p, name.n);
	m->fields[i][name.n + 1] = '\0';
	return 0;
}

int events_model_add(struct events_model *m, struct sv name, struct error *err)
{
	const struct flt_field_info *f = flt_field_find(name);
	size_t i = m->column_count;
	bool number;
	int rc;

	for (size_t k = 0; k < i; k++)
		if (sv_is(name, m->columns[k].name))
			return 0;
	if (!f || f->flags & FLT_FIELD_FILTER_ONLY)
		return error_set(err, ERR_USAGE,
				 "'%.*s' is neither a column nor a field that can be shown",
				 (int)(name.n < 64 ? name.n : 64), name.p);
	if (i == EVENTS_COLUMNS_MAX)
		return error_set(err, ERR_USAGE, "there are %d columns at most",
				 EVENTS_COLUMNS_MAX);
	rc = name_field(m, i, name, err);
	if (rc < 0)
		return rc;
	number = f->type != PT_CHARBUF && f->type != PT_FSPATH && f->type != PT_BYTEBUF;
	m->columns[i] = (struct tui_column){
	    .name = m->fields[i] + 1,
	    .title = m->fields[i] + 1,
	    .width = (int)name.n > (number ? 8 : 16) ? (int)name.n
		     : number			     ? 8
						     : 16,
	    .flags = TUI_COLUMN_NO_SORT | TUI_COLUMN_HIDDEN | (number ? TUI_COLUMN_RIGHT : 0),
	    .help = f->help,
	};
	m->column_count++;
	return 1;
}

/* --- opening --- */

int events_model_open(struct events_model *m, struct sv condition, int64_t pid, struct flt_pos *pos,
		      struct error *err)
{
	struct tui_events_options opt = {.pid = pid, .through_all = true};
	struct tui_events *events;
	struct buf text = {0};
	int rc = 0;

	for (size_t i = EVENTS_OWN; i < m->column_count && rc == 0; i++)
		rc = name_field(m, i, sv_of(m->columns[i].name), err);
	buf_sv(&text, condition);
	if (rc == 0) {
		opt.filter = text.len ? buf_cstr(&text) : NULL;
		opt.columns = (const char *const *)m->fields + EVENTS_OWN;
		opt.column_count = m->column_count - EVENTS_OWN;
		rc = text.failed ? error_nomem(err)
				 : tui_events_open(tui_app_data(m->app), &opt, &events, pos, err);
	}
	if (rc < 0) {
		buf_done(&text);
		return rc;
	}
	tui_events_close(m->events);
	buf_done(&m->condition);
	m->events = events;
	m->condition = text;
	m->pid = pid;
	return 0;
}

/* --- rows --- */

/* Alerts about the events of a page, which are in the same order. */
struct marks {
	struct qry_page page;
	size_t at;
};

/* Of the @n events those that are of the capture of the first one. Return: how many that are. */
static size_t find_marks(struct events_model *m, const struct tui_event *ev, size_t n,
			 struct marks *out)
{
	struct tui_data *d = tui_app_data(m->app);
	size_t i = tui_key_capture(d, ev->num), same = 1;
	const struct tui_capture *captures;
	struct qry_alert_filter f = {0};

	while (same < n && tui_key_capture(d, ev[same].num) == i)
		same++;
	*out = (struct marks){0};
	if (i < tui_data_captures(d, &captures))
		f.capture_id = captures[i].capture_id;
	if (!f.capture_id)
		return same;
	f.from = ev[0].ts;
	f.to = ev[same - 1].ts;
	if (qry_browse_page(tui_data_alerts(tui_app_data(m->app)), &f, &(struct qry_place){0},
			    false, QRY_PAGE_MAX, &out->page, NULL) < 0)
		out->page.count = 0;
	return same;
}

/* The worst severity about event @num; -1: none. */
static int mark_of(struct marks *k, uint64_t num)
{
	int worst = -1;

	while (k->at < k->page.count && k->page.alerts[k->at].evt_num < num)
		k->at++;
	for (size_t i = k->at; i < k->page.count && k->page.alerts[i].evt_num == num; i++)
		if (worst < 0 || k->page.alerts[i].severity < worst)
			worst = k->page.alerts[i].severity;
	return worst;
}

static void add_own(struct events_model *m, const struct tui_event *ev, uint64_t before, int worst,
		    struct tui_rows *out)
{
	const struct tui_screen screen = {.ascii = tui_app_is_ascii(m->app)};

	tui_rows_printf(out, "%llu", (unsigned long long)tui_key_num(ev->num));
	tui_app_time(m->app, tui_rows_begin_cell(out), ev->ts, before, TIME_DECIMALS);
	tui_rows_end_cell(out, TUI_ROLE_DIM);
	if (ev->gap || ev->damaged)
		tui_rows_cell(out, TUI_ROLE_LOSS, sv_of(tui_glyph(&screen, TUI_GLYPH_GAP)));
	else if (worst >= 0)
		tui_rows_cell(out, tui_severity_role(worst), sv_of(tui_severity_glyph(worst)));
	else
		tui_rows_cell(out, TUI_ROLE_ERROR,
			      ev->failed ? sv_of(tui_glyph(&screen, TUI_GLYPH_NO)) : SV_NONE);
}

/* What was lost right before the event stands in front of its arguments. */
static void add_gap(struct tui_rows *out, const struct tui_event *ev, struct sv args)
{
	struct buf *b = tui_rows_begin_cell(out);

	if (ev->lost)
		buf_addf(b, "[%llu events lost before] ", (unsigned long long)ev->lost);
	else if (ev->gap)
		buf_lit(b, "[events lost before] ");
	if (ev->skipped)
		buf_addf(b, "[damaged: %llu bytes skipped before] ",
			 (unsigned long long)ev->skipped);
	else if (ev->damaged)
		buf_lit(b, "[damaged before] ");
	buf_sv(b, args);
	tui_rows_end_cell(out, TUI_ROLE_LOSS);
}

static int add_row(struct events_model *m, const struct tui_event *ev, uint64_t before, int worst,
		   struct tui_rows *out)
{
	int rc = tui_rows_add(out, (struct tui_row_key){.a = ev->num}, TUI_ROLE_NORMAL);

	if (rc < 0)
		return rc;
	add_own(m, ev, before, worst, out);
	for (size_t i = EVENTS_OWN; i < m->column_count; i++) {
		struct sv text = ev->cells[i - EVENTS_OWN];

		if (i == EVENTS_ARGS && (ev->gap || ev->damaged))
			add_gap(out, ev, text);
		else if (i == EVENTS_RES) /* that it went well is no news */
			tui_rows_cell(out, TUI_ROLE_ERROR, ev->failed ? text : SV_NONE);
		else if (i == EVENTS_TYPE && ev->failed)
			tui_rows_cell(out, TUI_ROLE_ERROR, text);
		else
			tui_rows_cell(out, TUI_ROLE_NORMAL, text);
	}
	return 0;
}

/* @before: the time of the event before the first one, for differences; 0: not needed. */
static int add_rows(struct events_model *m, const struct tui_event *ev, size_t n, uint64_t before,
		    struct tui_rows *out)
{
	struct marks marks;
	int rc = 0;

	for (size_t i = 0, same = 0; i < n && rc == 0; i++) {
		if (i == same)
			same += find_marks(m, ev + i, n - i, &marks);
		rc = add_row(m, &ev[i], before, mark_of(&marks, tui_key_num(ev[i].num)), out);
		before = ev[i].ts;
	}
	return rc;
}

/* Time of the event shown before @num, if that is needed and at hand. */
static uint64_t time_before(struct events_model *m, uint64_t num, uint64_t deadline_ns)
{
	const struct tui_event *ev;
	uint64_t at;
	bool more;

	if (tui_app_time_form(m->app) != TUI_TIME_DELTA ||
	    tui_events_window(m->events, num, true, 1, deadline_ns, &ev, &more, &at, NULL) != 1)
		return 0;
	return ev->ts;
}

static int page(void *model, enum tui_where where, struct tui_row_key key, size_t n,
		struct tui_rows *out, struct error *err)
{
	struct events_model *m = model;
	const bool back = where == TUI_FROM_LAST || where == TUI_BEFORE_KEY;
	const uint64_t deadline = clock_ns(CLOCK_MONOTONIC) + PAGE_NS;
	uint64_t num = where == TUI_FROM_FIRST	? 0
		       : where == TUI_FROM_LAST ? UINT64_MAX
		       : where == TUI_AFTER_KEY ? key.a + (key.a < UINT64_MAX)
						: key.a;
	const size_t asked = n < PAGE_MAX ? n : PAGE_MAX;
	const struct tui_event *ev;
	uint64_t at, before = 0;
	bool more;
	int got, rc;

	m->late = false;
	if (!m->events)
		return 0;
	got = tui_events_window(m->events, num, back, asked, deadline, &ev, &more, &at, err);
	if (got > 0 && tui_app_time_form(m->app) == TUI_TIME_DELTA) {
		before = time_before(m, ev[0].num, deadline);
		got =
		    tui_events_window(m->events, num, back, asked, deadline, &ev, &more, &at, err);
	}
	if (got < 0)
		return got;
	rc = add_rows(m, ev, (size_t)got, before, out);
	if (rc < 0)
		return error_nomem(err);
	m->late = more && (size_t)got < asked;
	return m->late || (more && asked < n);
}

static uint64_t count(void *model, bool *exact)
{
	struct events_model *m = model;
	const struct tui_capture *c = tui_data_capture(tui_app_data(m->app));

	*exact = false;
	return c ? c->events : 0;
}

static uint64_t before(void *model, struct tui_row_key key)
{
	uint64_t num = tui_key_num(key.a);

	(void)model;
	return num ? num - 1 : 0;
}

const struct tui_model_ops events_model_ops = {.page = page, .count = count, .before = before};
