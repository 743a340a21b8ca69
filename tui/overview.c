/* SPDX-License-Identifier: Apache-2.0 */
/* The first screen: is it trustworthy, is it bad, where to look. */
#include <stdlib.h>
#include <string.h>

#include "tui/command_line.h"
#include "tui/overview_model.h"
#include "tui/table.h"

#define GRAPH_LABEL  16 /* columns behind a graph */
#define GRAPH_HEIGHT 10 /* lower bodies have no graphs */
#define BOTH_WIDTH   72 /* narrower bodies show one list at a time */
#define PART_GAP     2	/* columns between what is counted in the lines above */

enum list { RULES, CHAINS, LISTS };

struct overview {
	struct tui_view base;
	struct overview_model model;
	struct tui_list lists[LISTS];
	struct tui_table *tables[LISTS];
	enum list focus;
	bool alone; /* the list in focus, without the other */
	struct tui_counts kept;
	const struct tui_counts *counts; /* those, or NULL: there are none */
	size_t buckets;
};

static const struct tui_column rule_columns[] = {
    {"severity", "", 7, 0, 0, "priority of the rule"},
    {"rule", "TOP RULES", 12, 0, TUI_COLUMN_REST, "name of the rule"},
    {"alerts", "n", 6, 0, TUI_COLUMN_RIGHT, "how many alerts"},
};
static const struct tui_column chain_columns[] = {
    {"severity", "", 3, 0, 0, "the worst alert"},
    {"chain", "TOP PROCESS CHAINS", 12, 0, TUI_COLUMN_REST,
     "the process and its nearest ancestors"},
    {"alerts", "n", 6, 0, TUI_COLUMN_RIGHT, "how many alerts"},
};

static struct tui_row_key rule_key(void *arg, size_t i)
{
	const struct overview_rule *r = &((struct overview_model *)arg)->rules[i];

	return (struct tui_row_key){hash_bytes(r->name, strlen(r->name), 0), 0};
}

static struct tui_row_key chain_key(void *arg, size_t i)
{
	const struct overview_chain *c = &((struct overview_model *)arg)->chains[i];

	return (struct tui_row_key){hash_bytes(c->names, strlen(c->names), 0), 0};
}

static void rule_row(void *arg, size_t i, struct tui_rows *out)
{
	const struct overview_rule *r = &((struct overview_model *)arg)->rules[i];

	if (tui_rows_add(out, rule_key(arg, i), TUI_ROLE_NORMAL) < 0)
		return;
	tui_rows_cell(out, tui_severity_role(r->severity), sv_of(tui_severity(r->severity)));
	tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(r->name));
	tui_count(tui_rows_begin_cell(out), r->count);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
}

static void chain_row(void *arg, size_t i, struct tui_rows *out)
{
	const struct overview_chain *c = &((struct overview_model *)arg)->chains[i];

	if (tui_rows_add(out, chain_key(arg, i), TUI_ROLE_NORMAL) < 0)
		return;
	tui_rows_cell(out, tui_severity_role(c->severity), sv_of(tui_severity_glyph(c->severity)));
	tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(c->names));
	tui_count(tui_rows_begin_cell(out), c->count);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
}

static int by_count(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_rules(void *arg, size_t i, size_t j, int column)
{
	const struct overview_rule *r = ((struct overview_model *)arg)->rules;

	if (column == 0)
		return r[i].severity - r[j].severity;
	return column == 1 ? strcmp(r[i].name, r[j].name) : by_count(r[i].count, r[j].count);
}

static int compare_chains(void *arg, size_t i, size_t j, int column)
{
	const struct overview_chain *c = ((struct overview_model *)arg)->chains;

	if (column == 0)
		return c[i].severity - c[j].severity;
	return column == 1 ? strcmp(c[i].names, c[j].names) : by_count(c[i].count, c[j].count);
}

/* --- opening, closing */

static void close_overview(struct tui_view *v)
{
	struct overview *o = (struct overview *)v;

	for (int i = 0; i < LISTS; i++) {
		tui_table_free(o->tables[i]);
		tui_list_done(&o->lists[i]);
	}
	overview_done(&o->model);
	tui_counts_done(&o->kept);
	free(o);
}

static int open_overview(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
			 struct error *err)
{
	struct overview *o = calloc(1, sizeof(*o));
	int rc;

	(void)t;
	if (!o)
		return error_nomem(err);
	o->model.app = app;
	o->lists[RULES] = (struct tui_list){
	    .row = rule_row, .key = rule_key, .compare = compare_rules, .arg = &o->model};
	o->lists[CHAINS] = (struct tui_list){
	    .row = chain_row, .key = chain_key, .compare = compare_chains, .arg = &o->model};
	rc = tui_table_new(app, rule_columns, COUNT_OF(rule_columns), &tui_list_ops,
			   &o->lists[RULES], &o->tables[RULES], err);
	if (rc == 0)
		rc = tui_table_new(app, chain_columns, COUNT_OF(chain_columns), &tui_list_ops,
				   &o->lists[CHAINS], &o->tables[CHAINS], err);
	if (rc < 0) {
		close_overview(&o->base);
		return rc;
	}
	*out = &o->base;
	return 0;
}

static int refresh_lists(struct overview *o, struct error *err)
{
	int rc = 0;

	o->lists[RULES].count = o->model.rule_count;
	o->lists[CHAINS].count = o->model.chain_count;
	for (int i = 0; i < LISTS && rc == 0; i++) {
		rc = tui_list_update(&o->lists[i], err);
		if (rc == 0)
			rc = tui_table_refresh(o->tables[i], err);
	}
	return rc;
}

static int load_counts(struct overview *o, uint64_t deadline_ns, struct error *err)
{
	struct tui_data *d = tui_app_data(o->base.app);
	const struct tui_capture *c = tui_data_capture(d);
	const struct tui_counts *counts;
	struct tui_span all;
	int rc;

	o->counts = NULL;
	if (!c || !c->there || !o->buckets || !tui_data_span(d, &all) || all.to <= all.from)
		return 0;
	rc = tui_data_counts(d, all.from, all.to, o->buckets, deadline_ns, &counts, err);
	if (rc == 0)
		rc = tui_counts_copy(&o->kept, counts, err);
	if (rc == 0)
		o->counts = &o->kept;
	return rc;
}

static int sync_overview(struct tui_view *v, unsigned news, struct error *err)
{
	struct overview *o = (struct overview *)v;
	int rc = 0;

	if (news & (TUI_NEWS_CASE | TUI_NEWS_CAPTURE))
		rc = overview_load(&o->model, err);
	if (rc == 0 && news & (TUI_NEWS_CASE | TUI_NEWS_CAPTURE))
		rc = refresh_lists(o, err);
	if (rc == 0)
		rc = load_counts(o, 1, err);
	overview_watch(&o->model, o->counts);
	return rc;
}

static bool work_overview(struct tui_view *v, uint64_t deadline_ns)
{
	struct overview *o = (struct overview *)v;
	bool chains = !o->model.chains_done, more = overview_work(&o->model, deadline_ns);
	struct error err = {0};

	if (chains && !more && refresh_lists(o, &err) < 0)
		tui_app_fail(v->app, &err);
	if (!more && (!o->counts || !o->counts->complete)) {
		if (load_counts(o, deadline_ns, &err) < 0)
			tui_app_fail(v->app, &err);
		overview_watch(&o->model, o->counts);
		more = o->counts && !o->counts->complete;
	}
	return more;
}

/* --- drawing */

/* The next part of a line, whole, where it has room. False: it has none, and nothing is drawn. */
static bool put_part(const struct tui_area *a, int y, int *x, enum tui_role role, struct sv text)
{
	if (*x + tui_width(text) >= a->width)
		return false;
	*x += tui_put(a, y, *x, a->width - *x, role, text) + PART_GAP;
	return true;
}

static bool put_count(const struct tui_area *a, int y, int *x, enum tui_role role, const char *word,
		      uint64_t n, bool at_least)
{
	struct buf b = {0};
	bool put;

	buf_addf(&b, "%s ", word);
	tui_count(&b, n);
	if (at_least)
		buf_char(&b, '+');
	put = put_part(a, y, x, role, buf_view(&b));
	buf_done(&b);
	return put;
}

static bool put_some(const struct tui_area *a, int y, int *x, const char *word, uint64_t n)
{
	return put_count(a, y, x, TUI_ROLE_NORMAL, word,
			 n > OVERVIEW_COUNT_MAX ? OVERVIEW_COUNT_MAX : n, n > OVERVIEW_COUNT_MAX);
}

/* Of several captures, which one is this, and what is of all of them? Return: lines. */
static int draw_which(const struct overview *o, const struct tui_area *a)
{
	const struct tui_data *d = tui_app_data(o->base.app);
	const struct tui_capture *captures, *c = tui_data_capture(d);
	size_t count = tui_data_captures(d, &captures), here;
	struct tui_live_now now;

	if (count < 2 || !c || tui_data_live(d, &now))
		return 0;
	here = (size_t)(c - captures) + 1;
	tui_printf(a, 0, 1, TUI_ROLE_HEADER,
		   "capture %zu of %zu   alerts, rules, chains: of all   "
		   "':capture %zu' shows the next",
		   here, count, here % count + 1);
	return 1;
}

static void draw_span(const struct overview *o, const struct tui_area *a)
{
	struct tui_data *d = tui_app_data(o->base.app);
	struct tui_span all;
	struct buf b = {0};
	int x = 1;

	if (!tui_data_capture(d)) {
		tui_puts(a, 0, 1, TUI_ROLE_DIM, "the case holds no capture yet");
		return;
	}
	(void)tui_data_span(d, &all);
	buf_lit(&b, "span ");
	tui_app_time(o->base.app, &b, all.from, 0, 0);
	if (all.to > all.from) {
		buf_lit(&b, " +");
		tui_duration(&b, all.to - all.from);
	}
	x += tui_put(a, 0, x, a->width - x, TUI_ROLE_NORMAL, buf_view(&b)) + PART_GAP;
	buf_done(&b);
	(void)(put_count(a, 0, &x, TUI_ROLE_NORMAL, "events", all.events, false) &&
	       put_some(a, 0, &x, "procs", o->model.processes) &&
	       put_some(a, 0, &x, "execs", o->model.execs) &&
	       put_some(a, 0, &x, "conns", o->model.connections));
}

/* Alerts by severity; the least severe ones are left out where there is no room for them. */
static int put_severities(const struct overview_model *m, const struct tui_area *a, int x)
{
	bool room = true;

	for (int i = 0; i < RULE_PRIORITY_COUNT && room; i++)
		if (m->by_severity[i])
			room = put_count(a, 1, &x, tui_severity_role(i), tui_severity(i),
					 m->by_severity[i], false);
	if (!room)
		tui_puts(a, 1, x < a->width ? x : a->width - 1, TUI_ROLE_DIM,
			 tui_glyph(a->screen, TUI_GLYPH_ELLIPSIS));
	return room ? x : a->width;
}

static void draw_severities(const struct overview *o, const struct tui_area *a)
{
	const struct overview_model *m = &o->model;
	int x = 1 + tui_puts(a, 1, 1, TUI_ROLE_NORMAL, "alerts ");

	if (m->alerts)
		x = put_severities(m, a, x);
	else
		(void)put_part(a, 1, &x, TUI_ROLE_DIM,
			       sv_of(m->rule_count ? "none" : "none; rules are given with -r"));
	/* What somebody did comes first, then what other views show as well. */
	if (m->verdicts)
		(void)put_count(a, 1, &x, TUI_ROLE_DIM, "judged", m->verdicts, false);
	if (m->notes)
		(void)put_count(a, 1, &x, TUI_ROLE_DIM, "noted", m->notes, false);
	if (m->groups)
		(void)put_count(a, 1, &x, TUI_ROLE_DIM, "alike", m->groups, false);
}

static void draw_graph(const struct overview *o, const struct tui_area *a, int y,
		       enum tui_lane lane, enum tui_role role, const char *label)
{
	const struct tui_counts *c = o->counts;
	const uint64_t *lost = c->lanes[TUI_LANE_LOST];

	tui_sparkline(a, y, 1, role, c->lanes[lane], c->buckets);
	for (size_t i = 0; i < c->buckets; i++)
		if (lost[i])
			tui_puts(a, y, 1 + (int)i, TUI_ROLE_LOSS,
				 tui_glyph(a->screen, TUI_GLYPH_GAP));
	tui_puts(a, y, 2 + (int)c->buckets, TUI_ROLE_DIM, label);
}

static void draw_graphs(struct overview *o, const struct tui_area *a)
{
	const struct tui_counts *c = o->counts;
	uint64_t num, ts = tui_data_time(tui_app_data(o->base.app), &num);
	int at;

	draw_graph(o, a, 0, TUI_LANE_ALERTS, TUI_ROLE_WARNING, "alerts");
	draw_graph(o, a, 1, TUI_LANE_EVENTS, TUI_ROLE_BAR, "events");
	if (!c->complete)
		tui_printf(a, 2, 2 + (int)c->buckets, TUI_ROLE_DIM, "counting %d %%",
			   (int)(c->done * 100));
	if (ts < c->from || ts > c->to || c->to <= c->from)
		return;
	at = (int)((double)(ts - c->from) / (double)(c->to - c->from) * (double)c->buckets);
	at = at >= (int)c->buckets ? (int)c->buckets - 1 : at;
	tui_puts(a, 2, 1 + at, TUI_ROLE_TIME, "^");
	if (at + 3 < (int)c->buckets)
		tui_puts(a, 2, 2 + at, TUI_ROLE_TIME, "T");
	else if (at > 1)
		tui_puts(a, 2, at, TUI_ROLE_TIME, "T");
}

static int draw_watch(const struct overview *o, const struct tui_area *a)
{
	struct sv rest = buf_view(&o->model.watch);
	int lines = 0, y;

	for (size_t i = 0; i < rest.n; i++)
		lines += rest.p[i] == '\n';
	lines = lines > a->height / 3 ? a->height / 3 : lines;
	y = a->height - lines;
	for (int i = 0; i < lines; i++) {
		size_t n = (size_t)((const char *)memchr(rest.p, '\n', rest.n) - rest.p);

		tui_puts(a, y + i, 1, TUI_ROLE_HEADER, i ? "" : "WATCH");
		tui_put(a, y + i, 8, a->width - 9, TUI_ROLE_LOSS, sv_make(rest.p, n));
		rest = sv_drop(rest, n + 1);
	}
	return lines;
}

static void draw_lists(struct overview *o, const struct tui_area *a)
{
	struct tui_area left = tui_area_part(a, 0, 0, a->height, a->width / 2 - 1),
			right = tui_area_part(a, 0, a->width / 2 + 1, a->height,
					      a->width - a->width / 2 - 1);

	if (a->width < BOTH_WIDTH || o->alone) {
		tui_table_draw(o->tables[o->focus], a, true);
	} else {
		tui_table_draw(o->tables[RULES], &left, o->focus == RULES);
		tui_table_draw(o->tables[CHAINS], &right, o->focus == CHAINS);
	}
}

static void draw_overview(struct tui_view *v, const struct tui_area *all)
{
	struct overview *o = (struct overview *)v;
	int used = draw_which(o, all);
	const struct tui_area below = tui_area_part(all, used, 0, all->height - used, all->width),
			      *a = &below;
	bool graphs = a->height >= GRAPH_HEIGHT;
	size_t buckets =
	    graphs && a->width > GRAPH_LABEL + 10 ? (size_t)(a->width - GRAPH_LABEL) : 0;
	struct tui_area part;
	int y = 3;

	if (buckets !=
	    o->buckets) { /* the screen has another size: counted anew with the next sync */
		o->buckets = buckets;
		o->counts = NULL;
		v->news |= TUI_NEWS_PROGRESS;
	}
	draw_span(o, a);
	draw_severities(o, a);
	if (graphs && o->counts) {
		part = tui_area_part(a, 2, 0, 3, a->width);
		draw_graphs(o, &part);
	}
	y = graphs ? 5 : 2;
	part = tui_area_part(a, y, 0, a->height - y, a->width);
	part = tui_area_part(&part, 0, 0, part.height - draw_watch(o, &part), part.width);
	draw_lists(o, &part);
}

/* --- commands */

static void enter_rule(struct overview *o)
{
	struct tui_target t = {.text = tui_table_cell(o->tables[RULES], 1)};
	struct buf filter = {0};

	buf_lit(&filter, "rule=\"");
	buf_sv(&filter, t.text);
	buf_char(&filter, '"');
	t.text = buf_view(&filter);
	tui_app_push(o->base.app, &tui_alerts_ops, &t);
	buf_done(&filter);
}

static void enter_chain(struct overview *o)
{
	struct tui_app *app = o->base.app;
	struct tui_row_key key;
	struct tui_row_key here;
	struct error err = {0};
	size_t i = 0, capture;

	if (!tui_table_cursor(o->tables[CHAINS], &key))
		return;
	for (; i < o->model.chain_count; i++) {
		here = chain_key(&o->model, i);
		if (here.a == key.a)
			break;
	}
	if (i == o->model.chain_count)
		return;
	capture = tui_data_capture_of(tui_app_data(app), o->model.chains[i].capture_id);
	if (capture != SIZE_MAX && tui_data_use(tui_app_data(app), capture, &err) < 0) {
		tui_app_fail(app, &err);
		return;
	}
	tui_app_goto_event(app, o->model.chains[i].evt_num);
	tui_app_push(app, &tui_tree_ops,
		     &(struct tui_target){.num = o->model.chains[i].evt_num, .text = SV_NONE});
}

static enum tui_result act_overview(struct tui_view *v, const struct tui_command *c)
{
	struct overview *o = (struct overview *)v;

	switch (c->action) {
	case TUI_DO_NEXT_PANE:
	case TUI_DO_PREV_PANE:
		o->focus = (enum list)((o->focus + 1) % LISTS);
		return TUI_DONE;
	case TUI_DO_MAXIMISE:
		o->alone = !o->alone;
		return TUI_DONE;
	case TUI_DO_ENTER:
		if (o->focus == RULES && o->model.rule_count)
			enter_rule(o);
		else if (o->focus == CHAINS)
			enter_chain(o);
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

static struct tui_table *table_of_overview(struct tui_view *v)
{
	struct overview *o = (struct overview *)v;

	return o->tables[o->focus];
}

static void command_of_overview(struct tui_view *v, struct buf *out)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(v->app));

	if (!c)
		return;
	buf_lit(out, "scapula info");
	tui_command_word(out, sv_of(c->path));
}

const struct tui_view_ops tui_overview_ops = {
    .name = "overview",
    .title = "Overview",
    .help =
	"Is the capture trustworthy, is something bad in it, where to look: what was recorded, "
	"alerts by severity, alerts and events over the "
	"whole time with the places where events were lost, the rules with the worst alerts "
	"and the processes they are about. Enter on a rule "
	"shows its alerts, on a chain the process at its worst moment. WATCH lists what "
	"weakens any conclusion. Of a case with several captures one is looked at, whose times, "
	"graphs and losses these are; alerts are of all of them, 'capture N' goes to another.",
    .open = open_overview,
    .close = close_overview,
    .sync = sync_overview,
    .work = work_overview,
    .draw = draw_overview,
    .act = act_overview,
    .command = command_of_overview,
    .table = table_of_overview,
};
