/* SPDX-License-Identifier: Apache-2.0 */
/* Why a rule matches an event, or does not; without a rule: which ones come closest. */
#include "tui/explain.h"

#include <stdlib.h>
#include <string.h>

#include "tui/command_line.h"
#include "tui/table.h"

#define HEAD_LINES   3
#define DETAIL_LINES 5	/* about the part under the cursor */
#define DETAIL_FROM  16 /* lower bodies have none */

struct near { /* a rule about events of this type */
	const struct rule *rule;
	bool matches, first;
	uint32_t failing, of;
	const struct rule_part *part; /* the first that does not hold */
};

struct explain {
	struct tui_view base;
	struct tui_app *app;
	struct tui_ruleset *rules;
	char *name;   /* of the rule; NULL: all of them */
	uint64_t num; /* of the event; 0: the last one at T */
	uint64_t shown;
	/* One rule: */
	const struct rule *rule;
	const struct rule_explanation *x;
	struct tui_explain_tree tree;
	struct tui_judged judged;
	uint32_t *rows; /* nodes that are shown */
	/* All of them: */
	struct near *near;
	size_t near_count;
	bool ready;
	struct buf what, verdict, obstacles;
	struct tui_list list;
	struct tui_table *table;
	struct tui_screen glyphs; /* without cells: what tui_glyph() is asked with */
};

static const struct tui_column part_columns[] = {
    {"holds", "HOLDS", 9, 0, TUI_COLUMN_NO_SORT, "does this part hold for the event"},
    {"part", "CONDITION", 24, 0, TUI_COLUMN_REST | TUI_COLUMN_NO_SORT,
     "a part of the condition, as written"},
    {"value", "VALUE", 28, 60, TUI_COLUMN_NO_SORT, "what the event has, or why it has nothing"},
    {"item", "ITEM", 36, 160, TUI_COLUMN_NO_SORT, "the constant that decided, and its list"},
    {"place", "WHERE", 24, 120, TUI_COLUMN_NO_SORT | TUI_COLUMN_PATH, "file and line"},
};

static const struct tui_column near_columns[] = {
    {"holds", "HOLDS", 10, 0, 0, "does it match, or how many parts that must hold do not"},
    {"rule", "RULE", 26, 0, TUI_COLUMN_REST, "name of the rule"},
    {"priority", "PRIO", 7, 100, 0, "priority of the rule"},
    {"fails", "FIRST PART THAT FAILS", 36, 60, 0, "the first part that does not hold"},
    {"place", "WHERE", 24, 120, TUI_COLUMN_PATH, "file and line of that part"},
};

static struct explain *of(struct tui_view *v)
{
	return (struct explain *)v;
}

/* --- rows: parts */

static struct tui_row_key part_key(void *arg, size_t i)
{
	return (struct tui_row_key){((struct explain *)arg)->rows[i], 1};
}

static void part_row(void *arg, size_t i, struct tui_rows *out)
{
	struct explain *e = arg;
	const struct tui_explain_node *n = &e->tree.nodes[e->rows[i]];
	const struct rule_part *s = rule_part_subject(n->part);
	const struct flt_finding *f =
	    s->kind == RULE_PART_CHECK ? &e->judged.findings[s->check] : NULL;
	struct buf *b;

	if (tui_rows_add(out, part_key(arg, i), n->decides ? TUI_ROLE_NORMAL : TUI_ROLE_DIM) < 0)
		return;
	b = tui_rows_begin_cell(out);
	buf_addf(b, "%s %s", tui_truth_glyph(&e->glyphs, n->truth), tui_truth_word(n->truth));
	tui_rows_end_cell(out, tui_truth_role(n->truth));
	tui_explain_row(tui_rows_begin_cell(out), &e->tree, e->rows[i], &e->glyphs);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	b = tui_rows_begin_cell(out);
	if (f)
		tui_explain_value(b, s, f);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	b = tui_rows_begin_cell(out);
	if (f)
		tui_explain_item(b, s, f);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	tui_explain_place(tui_rows_begin_cell(out), n->part->at);
	tui_rows_end_cell(out, TUI_ROLE_DIM);
}

/* --- rows: rules */

static struct tui_row_key near_key(void *arg, size_t i)
{
	return (struct tui_row_key){((struct explain *)arg)->near[i].rule->index, 0};
}

static void near_row(void *arg, size_t i, struct tui_rows *out)
{
	struct explain *e = arg;
	const struct near *n = &e->near[i];
	enum flt_truth t = n->matches ? FLT_YES : FLT_NO;
	struct buf *b;

	if (tui_rows_add(out, near_key(arg, i), TUI_ROLE_NORMAL) < 0)
		return;
	b = tui_rows_begin_cell(out);
	buf_addf(b, "%s ", tui_truth_glyph(&e->glyphs, t));
	if (n->matches)
		buf_str(b, n->first ? "1st" : "yes");
	else
		buf_addf(b, "%u of %u", n->failing, n->of);
	tui_rows_end_cell(out, n->matches ? TUI_ROLE_GOOD : TUI_ROLE_DIM);
	tui_rows_cell(out, TUI_ROLE_NORMAL, n->rule->name);
	tui_rows_cell(out, tui_severity_role((int)n->rule->priority),
		      sv_of(tui_severity((int)n->rule->priority)));
	b = tui_rows_begin_cell(out);
	if (n->part)
		tui_explain_brief(b, n->part);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	b = tui_rows_begin_cell(out);
	if (n->part)
		tui_explain_place(b, n->part->at);
	tui_rows_end_cell(out, TUI_ROLE_DIM);
}

/* --- opening */

static void close_explain(struct tui_view *v)
{
	struct explain *e = of(v);

	tui_table_free(e->table);
	tui_list_done(&e->list);
	tui_explain_tree_done(&e->tree);
	free(e->rows);
	free(e->near);
	free(e->name);
	buf_done(&e->what);
	buf_done(&e->verdict);
	buf_done(&e->obstacles);
	free(e);
}

static int open_explain(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
			struct error *err)
{
	struct explain *e = calloc(1, sizeof(*e));
	int rc = 0;

	if (!e)
		return error_nomem(err);
	e->app = app;
	e->num = t->num;
	e->glyphs.ascii = tui_app_is_ascii(app);
	if (t->text.n) {
		e->name = strndup(t->text.p, t->text.n);
		rc = e->name ? 0 : error_nomem(err);
	}
	e->list = e->name ? (struct tui_list){.row = part_row, .key = part_key, .arg = e}
			  : (struct tui_list){.row = near_row, .key = near_key, .arg = e};
	if (rc == 0 && e->name)
		rc = tui_table_new(app, part_columns, COUNT_OF(part_columns), &tui_list_ops,
				   &e->list, &e->table, err);
	else if (rc == 0)
		rc = tui_table_new(app, near_columns, COUNT_OF(near_columns), &tui_list_ops,
				   &e->list, &e->table, err);
	if (rc < 0) {
		close_explain(&e->base);
		return rc;
	}
	*out = &e->base;
	return 0;
}

/* --- one rule */

static void list_parts(struct explain *e)
{
	e->list.count = 0;
	for (uint32_t i = 0; e->tree.count && i != UINT32_MAX; i = tui_explain_next(&e->tree, i))
		e->rows[e->list.count++] = i;
}

/* Part of a name will do if no other rule has it. */
static const struct rule *find_rule(struct explain *e, struct error *err)
{
	const struct rule *r = tui_ruleset_find(e->rules, sv_of(e->name)), *found = NULL;
	size_t n, similar = 0;
	const struct rule *rules = tui_ruleset_rules(e->rules, &n);

	for (size_t i = 0; i < n && !r; i++)
		if (sv_contains(rules[i].name, sv_of(e->name))) {
			found = &rules[i];
			similar++;
		}
	if (r || similar == 1)
		return r ? r : found;
	(void)error_set(err, ERR_USAGE, "%s the name '%s'",
			similar ? "several rules have that in their names:" : "no rule has",
			e->name);
	return NULL;
}

static void tell_verdict(struct explain *e)
{
	unsigned at = 0;
	bool reported;

	buf_reset(&e->obstacles);
	for (size_t before = 0;
	     tui_ruleset_obstacle(e->rules, e->rule, e->judged.matches, &at, &e->obstacles);
	     before = e->obstacles.len)
		if (e->obstacles.len > before)
			buf_lit(&e->obstacles, "; ");
	if (e->obstacles.len)
		e->obstacles.len -= 2;
	reported = e->judged.matches && !e->obstacles.len;
	buf_reset(&e->verdict);
	buf_addf(&e->verdict, "%s ",
		 tui_truth_glyph(&e->glyphs, e->judged.matches ? FLT_YES : FLT_NO));
	if (e->judged.matches)
		buf_str(&e->verdict, reported ? "MATCHES, reported" : "MATCHES, not reported: ");
	else
		buf_addf(&e->verdict, "DOES NOT MATCH: %u of %u parts that must hold do not%s",
			 e->judged.failing, e->x->conjunct_count, e->obstacles.len ? "; " : "");
	buf_sv(&e->verdict, buf_view(&e->obstacles));
}

static int explain_one(struct explain *e, struct error *err)
{
	const struct rule *r = find_rule(e, err);
	int rc = r ? tui_ruleset_judge(e->rules, r, FLT_VALUES, &e->judged, err) : ERR_USAGE;

	if (rc < 0)
		return rc;
	e->rule = r;
	if (e->x != e->judged.x) {
		rc = tui_explain_tree_of(&e->tree, e->judged.x, err);
		free(e->rows);
		e->rows = calloc(e->tree.count + 1, sizeof(*e->rows));
		if (rc == 0 && !e->rows)
			rc = error_nomem(err);
		if (rc < 0)
			return rc;
		e->x = e->judged.x;
	}
	tui_explain_tree_judge(&e->tree, &e->judged);
	tell_verdict(e);
	list_parts(e);
	return 0;
}

/* --- all rules */

static int by_distance(const void *a, const void *b)
{
	const struct near *x = a, *y = b;

	if (x->failing != y->failing)
		return x->failing < y->failing ? -1 : 1;
	return x->rule->index < y->rule->index ? -1 : x->rule->index > y->rule->index;
}

static int judge_all(struct explain *e, struct error *err)
{
	const struct state_binding *b = tui_ruleset_event(e->rules);
	const struct rule *first = tui_ruleset_first(e->rules);
	size_t n;
	const struct rule *rules = tui_ruleset_rules(e->rules, &n);
	struct tui_judged j;
	int rc = 0;

	free(e->near);
	e->near_count = e->list.count = 0;
	e->near = calloc(n + 1, sizeof(*e->near));
	if (!e->near)
		return error_nomem(err);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct near *k = &e->near[e->near_count];

		if (!rules[i].types || !flt_types_has(rules[i].types, b->ev->type))
			continue;
		rc = tui_ruleset_judge(e->rules, &rules[i], FLT_TRUTHS, &j, err);
		if (rc < 0)
			return rc;
		*k = (struct near){.rule = &rules[i],
				   .matches = j.matches,
				   .first = &rules[i] == first,
				   .failing = j.failing,
				   .of = j.x->conjunct_count};
		for (uint32_t c = 0; c < j.x->conjunct_count && !k->part; c++)
			if (rule_part_truth(j.x->conjuncts[c], j.findings) != FLT_YES)
				k->part = j.x->conjuncts[c];
		e->near_count++;
	}
	if (e->near_count)
		qsort(e->near, e->near_count, sizeof(*e->near), by_distance);
	e->list.count = e->near_count;
	buf_reset(&e->verdict);
	buf_addf(&e->verdict, "%zu rule%s about events of this type; those that come closest first",
		 e->near_count, e->near_count == 1 ? " is" : "s are");
	return rc;
}

/* --- the view */

/* The first check that decided: what is asked for first. */
static void seek_decisive(struct explain *e)
{
	for (size_t i = 0; i < e->list.count; i++) {
		const struct tui_explain_node *n = &e->tree.nodes[e->rows[i]];

		if (n->decides && rule_part_subject(n->part)->kind == RULE_PART_CHECK &&
		    (e->judged.matches || n->truth != FLT_YES)) {
			tui_table_seek(e->table, part_key(e, i));
			return;
		}
	}
}

static int sync_explain(struct tui_view *v, unsigned news, struct error *err)
{
	struct explain *e = of(v);
	uint64_t num = e->num;
	int rc = tui_app_rules(e->app, &e->rules, err);

	bool first = !e->x;

	(void)news;
	if (!num)
		(void)tui_data_time(tui_app_data(e->app), &num);
	if (rc == 0)
		rc = tui_ruleset_look(e->rules, num, err);
	e->shown = num;
	buf_reset(&e->what);
	if (rc == 0)
		tui_ruleset_describe(e->rules, &e->what);
	if (rc == 0)
		rc = e->name ? explain_one(e, err) : judge_all(e, err);
	e->ready = rc == 0;
	if (rc < 0)
		e->list.count = 0;
	if (rc < 0)
		return rc;
	rc = tui_list_update(&e->list, err);
	if (rc == 0)
		rc = tui_table_refresh(e->table, err);
	if (rc == 0 && e->name && first)
		seek_decisive(e);
	return rc;
}

static uint32_t under_cursor(const struct explain *e)
{
	struct tui_row_key key;

	if (!e->name || !e->tree.count || !tui_table_cursor(e->table, &key))
		return UINT32_MAX;
	return key.a < e->tree.count ? (uint32_t)key.a : UINT32_MAX;
}

static void draw_head(struct explain *e, const struct tui_area *a)
{
	const char *doubt = tui_ruleset_doubt(e->rules);
	struct buf b = {0};
	int x = 1;

	if (e->name) {
		x += tui_puts(a, 0, x, tui_severity_role((int)e->rule->priority),
			      tui_severity((int)e->rule->priority)) +
		     1;
		x += tui_put(a, 0, x, a->width - x, TUI_ROLE_TITLE, e->rule->name) + 2;
		tui_explain_place(&b, (struct rule_place){e->rule->file, e->rule->line});
		x += tui_put(a, 0, x, a->width - x, TUI_ROLE_DIM, buf_view(&b)) + 2;
	} else {
		x += tui_puts(a, 0, x, TUI_ROLE_TITLE, "All rules against one event") + 2;
	}
	if (*doubt)
		tui_puts(a, 0, x, TUI_ROLE_WARNING, doubt);
	buf_reset(&b);
	buf_addf(&b, "event %llu  ", (unsigned long long)e->shown);
	tui_app_time(e->app, &b, tui_ruleset_event(e->rules)->ev->ts, 0, 6);
	x = 1 + tui_put(a, 1, 1, a->width - 1, TUI_ROLE_TIME, buf_view(&b)) + 2;
	tui_put(a, 1, x, a->width - x - 1, TUI_ROLE_NORMAL, buf_view(&e->what));
	tui_put(a, 2, 1, a->width - 2,
		!e->name	     ? TUI_ROLE_DIM
		: !e->judged.matches ? TUI_ROLE_ERROR
		: e->obstacles.len   ? TUI_ROLE_WARNING
				     : TUI_ROLE_GOOD,
		buf_view(&e->verdict));
	buf_done(&b);
}

static void put_line(const struct tui_area *a, int *y, const char *label, struct buf *b)
{
	if (!b->len || *y >= a->height)
		return;
	tui_puts(a, *y, 1, TUI_ROLE_DIM, label);
	tui_put(a, (*y)++, 8, a->width - 9, TUI_ROLE_NORMAL, buf_view(b));
	buf_reset(b);
}

static void draw_detail(struct explain *e, const struct tui_area *a)
{
	uint32_t i = under_cursor(e);
	const struct rule_part *p, *s;
	struct buf b = {0};
	int y = 1;

	tui_line_across(a, 0);
	if (i == UINT32_MAX)
		return;
	p = e->tree.nodes[i].part;
	s = rule_part_subject(p);
	tui_explain_part(&b, p);
	put_line(a, &y, "part", &b);
	if (s->kind == RULE_PART_CHECK) {
		tui_explain_value(&b, s, &e->judged.findings[s->check]);
		put_line(a, &y, "value", &b);
		tui_explain_item(&b, s, &e->judged.findings[s->check]);
		put_line(a, &y, "item", &b);
	}
	tui_explain_place(&b, p->at);
	if (s->kind == RULE_PART_MACRO && s->defined.file) {
		buf_lit(&b, ", macro of ");
		tui_explain_place(&b, s->defined);
	}
	put_line(a, &y, "at", &b);
	buf_done(&b);
}

static void draw_explain(struct tui_view *v, const struct tui_area *a)
{
	struct explain *e = of(v);
	int detail = e->name && a->height >= DETAIL_FROM ? DETAIL_LINES : 0;
	struct tui_area part;

	if (!e->ready)
		return;
	draw_head(e, a);
	part = tui_area_part(a, HEAD_LINES, 0, a->height - HEAD_LINES - detail, a->width);
	if (e->list.count)
		tui_table_draw(e->table, &part, true);
	else
		tui_puts(&part, 1, 2, TUI_ROLE_DIM,
			 "no rule is about events of this type: '[' and ']' go to others");
	part = tui_area_part(a, a->height - detail, 0, detail, a->width);
	if (detail)
		draw_detail(e, &part);
}

/* --- commands */

static enum tui_result folded(struct explain *e)
{
	struct error err = {0};

	list_parts(e);
	if (tui_list_update(&e->list, &err) < 0 || tui_table_refresh(e->table, &err) < 0)
		tui_app_fail(e->app, &err);
	return TUI_DONE;
}

static enum tui_result act_part(struct explain *e, const struct tui_command *c, uint32_t i)
{
	const struct tui_explain_node *n = &e->tree.nodes[i];

	if (c->action == TUI_DO_PARENT ||
	    (c->action == TUI_DO_COLLAPSE && !tui_explain_is_open(&e->tree, i))) {
		if (n->parent != UINT32_MAX)
			tui_table_seek(e->table, (struct tui_row_key){n->parent, 1});
		return TUI_DONE;
	}
	return tui_explain_fold(&e->tree, i, c->action) ? folded(e) : TUI_NOT_MINE;
}

static enum tui_result act_explain(struct tui_view *v, const struct tui_command *c)
{
	struct explain *e = of(v);
	uint32_t i = under_cursor(e);
	struct tui_row_key key;
	size_t n;

	if (tui_table_is_asking(e->table))
		return TUI_NOT_MINE;
	if (i != UINT32_MAX)
		return act_part(e, c, i);
	if (!e->name && (c->action == TUI_DO_ENTER || c->action == TUI_DO_EXPLAIN) &&
	    tui_table_cursor(e->table, &key)) {
		const struct rule *rules = tui_ruleset_rules(e->rules, &n);

		if (key.a < n)
			tui_app_push(
			    e->app, &tui_explain_ops,
			    &(struct tui_target){.text = rules[key.a].name, .num = e->num});
		return TUI_DONE;
	}
	return TUI_NOT_MINE;
}

static void crumb_explain(struct tui_view *v, struct buf *out)
{
	struct explain *e = of(v);

	const struct tui_view *below = tui_app_below(e->app, v);

	if (!below || below->ops != &tui_explain_ops)
		buf_str(out, e->name ? "Explain " : "Explain");
	buf_str(out, e->name ? e->name : "");
}

static void command_explain(struct tui_view *v, struct buf *out)
{
	struct explain *e = of(v);

	tui_command_explain(e->app, e->rule ? e->rule->name : SV_NONE, e->shown, out);
}

static struct tui_table *table_of_explain(struct tui_view *v)
{
	return of(v)->table;
}

static const uint8_t actions[] = {
    TUI_DO_ENTER,      TUI_DO_EXPAND,	  TUI_DO_COLLAPSE,   TUI_DO_EXPAND_ALL,
    TUI_DO_NEXT_EVENT, TUI_DO_PREV_EVENT, TUI_DO_NEXT_ALERT, TUI_NO_ACTION,
};

const struct tui_view_ops tui_explain_ops = {
    .name = "explain",
    .title = "Explain",
    .help = "Why a rule matches an event, or does not: each part of its condition, with the value "
	    "that the event has, the item of a list that decided, and the file and line where the "
	    "part stands. What decided is open and bright, the rest is folded and dim; Enter opens "
	    "and folds, '*' all of it. Without a rule: all rules about events of this type, those "
	    "that come closest first; Enter explains one. The event is the last one at T, unless "
	    "this was opened from an event or an alert.",
    .actions = actions,
    .open = open_explain,
    .close = close_explain,
    .sync = sync_explain,
    .draw = draw_explain,
    .act = act_explain,
    .crumb = crumb_explain,
    .command = command_explain,
    .table = table_of_explain,
};
