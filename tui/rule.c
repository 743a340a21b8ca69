/* SPDX-License-Identifier: Apache-2.0 */
/* One rule: its condition with how often each check held, its alerts, its text. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "tui/command_line.h"
#include "tui/explain.h"
#include "tui/known.h"
#include "tui/rule_alerts.h"
#include "tui/rules_pass.h"

#define COUNT_AT_ONCE 2000000 /* events of a capture that is counted without being asked */
#define SPLIT_FROM    18      /* lower bodies show one pane at a time */
#define HEAD_LINES    2
#define LINES_MAX     2000
#define UNMET_MAX     12 /* items that are named */
#define HEAT	      8

enum pane { CONDITION, ALERTS, TEXT, PANES };

struct rule_view {
	struct tui_view base;
	struct tui_app *app;
	char *name;
	struct tui_ruleset *rules;
	const struct rule *rule; /* NULL: only the case knows it */
	uint64_t fired;
	bool known;
	/* The condition: */
	struct rule_explanation *x;
	struct tui_explain_tree tree;
	uint32_t *rows; /* nodes that are shown */
	struct tui_rules_pass *pass;
	const char *path; /* of the capture @pass is about */
	bool counted, stopped;
	struct error why; /* there is no condition */
	struct rule_alerts alerts;
	struct buf text;
	struct sv *lines;
	struct tui_list parts, texts;
	struct tui_table *tables[PANES];
	enum pane focus;
	bool alone;
	struct tui_screen glyphs; /* without cells: what tui_glyph() is asked with */
};

static const struct tui_column part_columns[] = {
    {"true", "TRUE", 7, 0, TUI_COLUMN_RIGHT | TUI_COLUMN_NO_SORT, "events for which it held"},
    {"false", "FALSE", 7, 0, TUI_COLUMN_RIGHT | TUI_COLUMN_NO_SORT, "events for which not"},
    {"absent", "ABSENT", 7, 60, TUI_COLUMN_RIGHT | TUI_COLUMN_NO_SORT,
     "events that had no such value"},
    {"heat", "HEAT", HEAT, 80, TUI_COLUMN_DRAWN | TUI_COLUMN_NO_SORT, "share of true"},
    {"part", "CONDITION", 20, 0, TUI_COLUMN_REST | TUI_COLUMN_NO_SORT,
     "a part of the condition, as written"},
    {"unmet", "NEVER MET", 40, 160, TUI_COLUMN_NO_SORT, "items of lists that no event had"},
    {"place", "WHERE", 24, 120, TUI_COLUMN_NO_SORT | TUI_COLUMN_PATH, "file and line"},
};

static const struct tui_column text_columns[] = {
    {"text", "TEXT", 20, 0, TUI_COLUMN_REST | TUI_COLUMN_NO_SORT, "the rule as it is written"},
};

static struct rule_view *of(struct tui_view *v)
{
	return (struct rule_view *)v;
}

/* --- rows */

static struct tui_row_key part_key(void *arg, size_t i)
{
	return (struct tui_row_key){((struct rule_view *)arg)->rows[i], 0};
}

static void heat_cell(struct rule_view *v, struct tui_rows *out, uint64_t yes, uint64_t all)
{
	int n = all ? (int)((double)yes / (double)all * HEAT + 0.5) : 0;
	struct buf *b = tui_rows_begin_cell(out);

	if (yes && !n) /* any count shows */
		buf_str(b, tui_glyph(&v->glyphs, TUI_GLYPH_EDGE_LEFT));
	for (int i = 0; i < n; i++)
		buf_str(b, tui_bar(&v->glyphs, 8));
	tui_rows_end_cell(out, TUI_ROLE_BAR);
}

static void unmet(struct buf *b, const struct rule_part *p, const struct cover_check *k)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < k->count; i++) {
		if (k->met[i])
			continue;
		if (n++ < UNMET_MAX)
			buf_addf(b, "%s%.*s", n > 1 ? ", " : "", (int)p->constants[i].text.n,
				 p->constants[i].text.p);
	}
	if (n > UNMET_MAX)
		buf_addf(b, " and %u more", n - UNMET_MAX);
}

static bool is_negated(const struct rule_part *p)
{
	bool negated = false;

	for (; p->kind == RULE_PART_NOT; p = p->kids[0])
		negated = !negated;
	return negated;
}

/* Of the row: what its check finds, or the opposite of that. */
static void counts(struct rule_view *v, const struct rule_part *p, const struct cover_check *k,
		   struct tui_rows *out)
{
	bool negated = is_negated(p), both = k && k->yes && (k->no || k->absent);
	const uint64_t n[] = {!k	? 0
			      : negated ? k->no
					: k->yes,
			      !k	? 0
			      : negated ? k->yes
					: k->no,
			      k ? k->absent : 0};

	for (size_t i = 0; i < COUNT_OF(n); i++) {
		struct buf *b = tui_rows_begin_cell(out);

		if (k)
			tui_count(b, n[i]);
		tui_rows_end_cell(out, both ? TUI_ROLE_GOOD : TUI_ROLE_WARNING);
	}
	heat_cell(v, out, n[0], n[0] + n[1] + n[2]);
}

static const struct cover_check *check_of(const struct rule_view *v, const struct rule_part *p)
{
	const struct cover_rule *c = v->pass ? tui_rules_pass_cover(v->pass) : NULL;

	return c && p->kind == RULE_PART_CHECK ? &c->checks[p->check] : NULL;
}

static void part_row(void *arg, size_t i, struct tui_rows *out)
{
	struct rule_view *v = arg;
	const struct tui_explain_node *n = &v->tree.nodes[v->rows[i]];
	const struct rule_part *s = rule_part_subject(n->part);
	const struct cover_check *k = check_of(v, s);
	struct buf *b;

	if (tui_rows_add(out, part_key(arg, i), TUI_ROLE_NORMAL) < 0)
		return;
	counts(v, n->part, k, out);
	tui_explain_row(tui_rows_begin_cell(out), &v->tree, v->rows[i], &v->glyphs);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	b = tui_rows_begin_cell(out);
	if (k && v->counted)
		unmet(b, s, k);
	tui_rows_end_cell(out, TUI_ROLE_DIM);
	tui_explain_place(tui_rows_begin_cell(out), n->part->at);
	tui_rows_end_cell(out, TUI_ROLE_DIM);
}

static struct tui_row_key text_key(void *arg, size_t i)
{
	(void)arg;
	return (struct tui_row_key){i, 0};
}

static void text_row(void *arg, size_t i, struct tui_rows *out)
{
	const struct rule_view *v = arg;

	if (tui_rows_add(out, text_key(arg, i), TUI_ROLE_NORMAL) < 0)
		return;
	tui_rows_cell(out, TUI_ROLE_NORMAL, v->lines[i]);
}

/* --- opening */

static void close_rule(struct tui_view *base)
{
	struct rule_view *v = of(base);

	for (int i = 0; i < PANES; i++)
		tui_table_free(v->tables[i]);
	tui_list_done(&v->parts);
	tui_list_done(&v->texts);
	tui_rules_pass_free(v->pass);
	tui_explain_tree_done(&v->tree);
	rule_explanation_free(v->x);
	free(v->rows);
	free(v->lines);
	free(v->name);
	buf_done(&v->text);
	free(v);
}

static int open_rule(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		     struct error *err)
{
	struct rule_view *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return error_nomem(err);
	v->app = v->alerts.app = app;
	v->glyphs.ascii = tui_app_is_ascii(app);
	v->name = strndup(t->text.n ? t->text.p : "", t->text.n);
	v->alerts.rule = v->name;
	v->parts = (struct tui_list){.row = part_row, .key = part_key, .arg = v};
	v->texts = (struct tui_list){.row = text_row, .key = text_key, .arg = v};
	rc = v->name ? tui_table_new(app, part_columns, COUNT_OF(part_columns), &tui_list_ops,
				     &v->parts, &v->tables[CONDITION], err)
		     : error_nomem(err);
	if (rc == 0)
		rc = tui_table_new(app, rule_alerts_columns, RULE_ALERTS_COLUMNS, &rule_alerts_ops,
				   &v->alerts, &v->tables[ALERTS], err);
	if (rc == 0)
		rc = tui_table_new(app, text_columns, COUNT_OF(text_columns), &tui_list_ops,
				   &v->texts, &v->tables[TEXT], err);
	if (rc < 0) {
		close_rule(&v->base);
		return rc;
	}
	*out = &v->base;
	return 0;
}

/* --- what there is */

/* The lines of the rule in its file: up to the next item. */
static void text_of_file(struct rule_view *v)
{
	size_t n = 0;
	const struct rule_result *files = rule_loader_results(tui_ruleset_loader(v->rules), &n);
	struct sv rest = SV_NONE;
	uint32_t line = 1;

	for (size_t i = 0; i < n; i++)
		if (strcmp(files[i].name, v->rule->file) == 0)
			rest = files[i].text;
	while (rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t len = end ? (size_t)(end - rest.p) : rest.n;

		if (line > v->rule->line && *rest.p == '-')
			break;
		if (line++ >= v->rule->line) {
			buf_sv(&v->text, sv_make(rest.p, len));
			buf_char(&v->text, '\n');
		}
		rest = sv_drop(rest, len < rest.n ? len + 1 : len);
	}
}

static void text_of_case(struct rule_view *v, sqlite3_stmt *q)
{
	static const char *const labels[] = {
	    "desc: ", "condition: ", "output: ", "tags: ", "source: "};

	for (int i = 0; i < (int)COUNT_OF(labels); i++) {
		buf_str(&v->text, labels[i]);
		buf_sv(&v->text, tui_ask_text(q, i));
		buf_char(&v->text, '\n');
	}
}

static int split_text(struct rule_view *v, struct error *err)
{
	struct sv rest = buf_view(&v->text);

	free(v->lines);
	v->texts.count = 0;
	v->lines = calloc(LINES_MAX, sizeof(*v->lines));
	if (!v->lines || v->text.failed)
		return error_nomem(err);
	while (rest.n && v->texts.count < LINES_MAX) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t len = end ? (size_t)(end - rest.p) : rest.n;

		v->lines[v->texts.count++] = sv_make(rest.p, len);
		rest = sv_drop(rest, len < rest.n ? len + 1 : len);
	}
	while (v->texts.count && !v->lines[v->texts.count - 1].n)
		v->texts.count--;
	return 0;
}

static int load_text(struct rule_view *v, struct error *err)
{
	sqlite3_stmt *q;

	buf_reset(&v->text);
	if (v->rule && strcmp(v->rule->file, TUI_RULES_KEPT) != 0)
		text_of_file(v);
	if (v->text.len)
		return split_text(v, err);
	q = tui_ask(tui_app_data(v->app),
		    "SELECT description, condition, output, coalesce(tags, ''), source FROM rules "
		    "WHERE name = ?1 ORDER BY rule_id DESC LIMIT 1",
		    err);
	if (!q)
		return ERR_DB;
	sqlite3_bind_text(q, 1, v->name, -1, SQLITE_STATIC);
	if (tui_ask_next(q))
		text_of_case(v, q);
	sqlite3_finalize(q);
	return split_text(v, err);
}

static int load_condition(struct rule_view *v, struct error *err)
{
	if (!v->rule) {
		(void)error_set(&v->why, ERR_UNSUPPORTED,
				"the rule is none of those that are known now: give its file with "
				"-r");
		return 0;
	}
	if (v->x || rule_explanation_new(tui_ruleset_loader(v->rules), v->rule, &v->x, &v->why) < 0)
		return 0;
	if (tui_explain_tree_of(&v->tree, v->x, err) < 0)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < v->tree.count; i++)
		v->tree.nodes[i].fold = 1;
	v->rows = calloc(v->tree.count + 1, sizeof(*v->rows));
	return v->rows ? 0 : error_nomem(err);
}

static int refresh(struct rule_view *v, struct error *err)
{
	int rc;

	v->parts.count = 0;
	for (uint32_t i = 0; v->rows && i != UINT32_MAX; i = tui_explain_next(&v->tree, i))
		v->rows[v->parts.count++] = i;
	rc = tui_list_update(&v->parts, err);
	if (rc == 0)
		rc = tui_list_update(&v->texts, err);
	for (int i = 0; i < PANES && rc == 0; i++)
		rc = tui_table_refresh(v->tables[i], err);
	return rc;
}

static void end_pass(struct rule_view *v)
{
	tui_rules_pass_free(v->pass);
	v->pass = NULL;
	v->counted = false;
}

/* Count what the checks find in the current capture, if that is soon done or @asked for. */
static int begin_pass(struct rule_view *v, bool asked, struct error *err)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(v->app));

	if (v->pass && (!c || c->path != v->path || asked))
		end_pass(v);
	if (v->pass || !v->x || !c || !c->there)
		return 0;
	if (!asked && (v->stopped || c->events > COUNT_AT_ONCE || !c->index))
		return 0;
	v->stopped = false;
	v->path = c->path;
	return tui_rules_pass_new(tui_app_data(v->app), v->rules, v->rule, &v->pass, err);
}

static int sync_rule(struct tui_view *base, unsigned news, struct error *err)
{
	struct rule_view *v = of(base);
	bool exact;
	int rc = 0;

	v->why = (struct error){0};
	if (!v->known && tui_app_rules(v->app, &v->rules, &v->why) == 0)
		v->rule = tui_ruleset_find(v->rules, sv_of(v->name));
	if (!v->why.code)
		rc = load_condition(v, err);
	if (rc == 0 && (!v->known || (!v->rule && news & TUI_NEWS_CASE)))
		rc = load_text(v, err);
	v->known = true;
	if (rc == 0)
		rc = begin_pass(v, false, err);
	v->fired = rule_alerts_ops.count(&v->alerts, &exact);
	return rc == 0 ? refresh(v, err) : rc;
}

static bool work_rule(struct tui_view *base, uint64_t deadline_ns)
{
	struct rule_view *v = of(base);
	struct error err = {0};
	int rc;

	if (!v->pass || v->counted)
		return false;
	rc = tui_rules_pass_work(v->pass, deadline_ns, &err);
	v->counted = rc == 0;
	if (rc < 0)
		end_pass(v);
	if (rc >= 0)
		rc = refresh(v, &err) < 0 ? -1 : rc;
	if (rc < 0)
		tui_app_fail(v->app, &err);
	return rc > 0;
}

/* --- drawing */

static void draw_head(struct rule_view *v, const struct tui_area *a)
{
	const struct cover_rule *k = v->pass ? tui_rules_pass_cover(v->pass) : NULL;
	const struct rule *r = v->rule;
	struct buf b = {0};
	int x = 1;

	if (r)
		x += tui_puts(a, 0, x, tui_severity_role((int)r->priority),
			      tui_severity((int)r->priority)) +
		     1;
	x += tui_put(a, 0, x, a->width - x, TUI_ROLE_TITLE, sv_of(v->name)) + 2;
	if (r) {
		tui_explain_place(&b, (struct rule_place){r->file, r->line});
		if (!tui_ruleset_is_on(v->rules, r))
			buf_lit(&b, "  disabled");
		for (size_t i = 0; i < r->tag_count; i++)
			buf_addf(&b, "%s%.*s", i ? " " : "  ", (int)r->tags[i].n, r->tags[i].p);
		tui_put(a, 0, x, a->width - x - 1, TUI_ROLE_DIM, buf_view(&b));
	}
	buf_reset(&b);
	tui_count(&b, v->fired);
	buf_lit(&b, " alerts");
	if (k) {
		buf_lit(&b, "   matches ");
		tui_count(&b, k->matched);
		buf_lit(&b, " of ");
		tui_count(&b, k->evaluated);
		buf_lit(&b, " events of its types");
	}
	x = 1 + tui_put(a, 1, 1, a->width - 2, TUI_ROLE_NORMAL, buf_view(&b)) + 3;
	if (v->pass && !v->counted)
		tui_printf(a, 1, x, TUI_ROLE_WARNING, "counting %d %%",
			   (int)(tui_rules_pass_done(v->pass) * 100));
	else if (!v->pass && v->x)
		tui_puts(a, 1, x, TUI_ROLE_DIM, "':cost' counts what its checks find");
	buf_done(&b);
}

static void draw_pane(struct rule_view *v, enum pane p, const struct tui_area *a)
{
	if (p == CONDITION && !v->x)
		tui_put(a, 0, 1, a->width - 2, TUI_ROLE_DIM,
			sv_of(v->why.msg[0] ? v->why.msg : "the condition is not known"));
	else if (p == ALERTS && !v->fired)
		tui_puts(a, 0, 1, TUI_ROLE_DIM, "it gave no alerts");
	else
		tui_table_draw(v->tables[p], a, v->focus == p);
}

static void draw_rule(struct tui_view *base, const struct tui_area *a)
{
	struct rule_view *v = of(base);
	struct tui_area part,
	    rest = tui_area_part(a, HEAD_LINES, 0, a->height - HEAD_LINES, a->width);
	bool split = a->height >= SPLIT_FROM && !v->alone && v->focus != TEXT;
	int upper;

	draw_head(v, a);
	if (!split) {
		draw_pane(v, v->focus, &rest);
		return;
	}
	upper = rest.height * 3 / 5;
	if ((int)v->parts.count + 2 < upper)
		upper = (int)v->parts.count + 2;
	upper = upper < 4 ? 4 : upper;
	part = tui_area_part(&rest, 0, 0, upper - 1, rest.width);
	draw_pane(v, CONDITION, &part);
	tui_line_across(&rest, upper - 1);
	part = tui_area_part(&rest, upper, 0, rest.height - upper, rest.width);
	draw_pane(v, ALERTS, &part);
}

/* --- commands */

static enum tui_result act_on_part(struct rule_view *v, const struct tui_command *c)
{
	struct tui_row_key key;
	struct error err = {0};

	if (v->focus != CONDITION || !v->x || !tui_table_cursor(v->tables[CONDITION], &key) ||
	    key.a >= v->tree.count)
		return TUI_NOT_MINE;
	if (!tui_explain_fold(&v->tree, (uint32_t)key.a, c->action))
		return TUI_NOT_MINE;
	if (refresh(v, &err) < 0)
		tui_app_fail(v->app, &err);
	return TUI_DONE;
}

static enum tui_result act_rule(struct tui_view *base, const struct tui_command *c)
{
	struct rule_view *v = of(base);
	struct error err = {0};

	if (tui_table_is_asking(v->tables[v->focus]))
		return TUI_NOT_MINE;
	switch (c->action) {
	case TUI_DO_NEXT_PANE:
		v->focus = (enum pane)((v->focus + 1) % PANES);
		return TUI_DONE;
	case TUI_DO_PREV_PANE:
		v->focus = (enum pane)((v->focus + PANES - 1) % PANES);
		return TUI_DONE;
	case TUI_DO_MAXIMISE:
		v->alone = !v->alone;
		return TUI_DONE;
	case TUI_DO_ENTER:
		if (v->focus != ALERTS)
			return act_on_part(v, c);
		rule_alerts_enter(&v->alerts, v->tables[ALERTS]);
		return TUI_DONE;
	case TUI_DO_EXPLAIN:
		if (c->arg.n)
			return TUI_NOT_MINE;
		tui_app_push(v->app, &tui_explain_ops,
			     &(struct tui_target){.text = sv_of(v->name)});
		return TUI_DONE;
	case TUI_DO_COST:
		if (begin_pass(v, true, &err) < 0)
			tui_app_fail(v->app, &err);
		return TUI_DONE;
	case TUI_DO_CANCEL:
		if (!v->pass || v->counted)
			return TUI_NOT_MINE;
		end_pass(v);
		v->stopped = true;
		return TUI_DONE;
	default:
		return act_on_part(v, c);
	}
}

static void crumb_rule(struct tui_view *base, struct buf *out)
{
	buf_str(out, of(base)->name);
}

static void command_rule(struct tui_view *base, struct buf *out)
{
	struct rule_view *v = of(base);

	buf_lit(out, "scapula cover --rule");
	tui_command_word(out, sv_of(v->name));
	if (v->rule && tui_command_rules(v->app, out))
		tui_command_capture(v->app, out);
	else
		buf_reset(out);
}

static struct tui_table *table_of_rule(struct tui_view *base)
{
	struct rule_view *v = of(base);

	return v->tables[v->focus];
}

static const uint8_t actions[] = {
    TUI_DO_NEXT_PANE, TUI_DO_ENTER, TUI_DO_EXPLAIN,    TUI_DO_EXPAND,
    TUI_DO_COLLAPSE,  TUI_DO_COST,  TUI_DO_EXPAND_ALL, TUI_NO_ACTION,
};

const struct tui_view_ops tui_rule_ops = {
    .name = "rule",
    .title = "Rule",
    .help = "One rule: its condition, with how many events of its types each check held for, did "
	    "not, or had no value (green: both were seen; else the capture does not test it); "
	    "below the alerts it gave, Enter opens one; with Tab its text. E explains the rule "
	    "against the event at T. Captures of up to two million events are counted at once, "
	    "others with ':cost'.",
    .actions = actions,
    .open = open_rule,
    .close = close_rule,
    .sync = sync_rule,
    .draw = draw_rule,
    .act = act_rule,
    .work = work_rule,
    .crumb = crumb_rule,
    .command = command_rule,
    .table = table_of_rule,
};
