/* SPDX-License-Identifier: Apache-2.0 */
/* All rules: what found something, what did not and why, what they cost. */
#include <stdlib.h>
#include <string.h>

#include "tui/command_line.h"
#include "tui/explain.h"
#include "tui/filter.h"
#include "tui/rules_model.h"
#include "tui/table.h"

struct rules_view {
	struct tui_view base;
	struct rules_model model;
	struct tui_list list;
	struct tui_table *table;
};

enum { PRIORITY, RULE, FIRED, SHADOWED, STATE, LAST, COST, NS, EVALUATED, JUDGED, TAGS, PLACE };

static const struct tui_column columns[] = {
    {"priority", "PRIO", 7, 0, 0, "priority of the rule"},
    {"rule", "RULE", 20, 0, TUI_COLUMN_REST, "name of the rule"},
    {"fired", "FIRED", 6, 0, TUI_COLUMN_RIGHT, "alerts in the case, each once"},
    {"shadowed", "SHADOW", 6, 60, TUI_COLUMN_RIGHT,
     "matches where an earlier rule was reported instead; ':cost' counts them"},
    {"state", "STATE", 14, 50, 0, "did it find something; if not, why"},
    {"last", "LAST", 12, 100, 0, "when it fired last"},
    {"cost", "COST%", 5, 70, TUI_COLUMN_RIGHT, "of the time of all rules; ':cost' measures it"},
    {"ns", "NS", 6, 120, TUI_COLUMN_RIGHT, "nanoseconds of one evaluation"},
    {"evaluated", "EVALS", 7, 160, TUI_COLUMN_RIGHT, "events it was shown"},
    {"judged", "JUDGED", 10, 140, 0, "verdicts: t true, f false positive, b benign, u undecided"},
    {"tags", "TAGS", 30, 200, 0, "tags of the rule"},
    {"place", "WHERE", 22, 120, TUI_COLUMN_PATH, "file and line where it is defined"},
};

static struct rules_view *of(struct tui_view *v)
{
	return (struct rules_view *)v;
}

static struct tui_row_key key_of(void *arg, size_t i)
{
	const struct rules_row *r = &((struct rules_model *)arg)->rows[i];

	return (struct tui_row_key){hash_bytes(r->name, strlen(r->name), 0), 0};
}

static void count_cell(struct tui_rows *out, bool known, uint64_t n, enum tui_role role)
{
	struct buf *b = tui_rows_begin_cell(out);

	if (known)
		tui_count(b, n);
	else
		buf_char(b, '-');
	tui_rows_end_cell(out, known && n ? role : TUI_ROLE_DIM);
}

static void judged_cell(struct tui_rows *out, const struct rules_row *r)
{
	struct buf *b = tui_rows_begin_cell(out);
	const char *gap = "";

	for (unsigned i = 0; i < RULES_VERDICTS; i++)
		if (r->verdicts[i]) {
			buf_addf(b, "%s%c%u", gap, "tfbu"[i], r -> verdicts[i]);
			gap = " ";
		}
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
}

static void row(void *arg, size_t i, struct tui_rows *out)
{
	const struct rules_model *m = arg;
	const struct rules_row *r = &m->rows[i];
	enum rules_state s = rules_state_of(m, r);
	struct buf *b;

	if (tui_rows_add(out, key_of(arg, i), s == RULES_FIRED ? TUI_ROLE_NORMAL : TUI_ROLE_DIM) <
	    0)
		return;
	tui_rows_cell(out, s == RULES_FIRED ? tui_severity_role(r->severity) : TUI_ROLE_DIM,
		      sv_of(tui_severity(r->severity)));
	tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(r->name));
	count_cell(out, true, r->fired, TUI_ROLE_NORMAL);
	count_cell(out, m->pass && r->rule, r->shadowed, TUI_ROLE_WARNING);
	tui_rows_cell(out, s == RULES_SHADOWED ? TUI_ROLE_WARNING : TUI_ROLE_NORMAL,
		      sv_of(rules_state_word(s)));
	b = tui_rows_begin_cell(out);
	if (r->last_ts)
		tui_app_time(m->app, b, r->last_ts, 0, 3);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	if (m->timed && r->sampled) {
		tui_rows_printf(out, "%.1f", r->share);
		tui_rows_printf(out, "%.0f", r->ns);
	} else {
		tui_rows_printf(out, "-");
		tui_rows_printf(out, "-");
	}
	count_cell(out, m->counted, r->evaluated, TUI_ROLE_NORMAL);
	judged_cell(out, r);
	tui_rows_cell(out, TUI_ROLE_DIM, sv_of(r->tags ? r->tags : ""));
	b = tui_rows_begin_cell(out);
	if (r->file && *r->file)
		tui_explain_place(b, (struct rule_place){r->file, r->line});
	tui_rows_end_cell(out, TUI_ROLE_DIM);
}

static int by_number(double a, double b)
{
	return (a > b) - (a < b);
}

static int compare(void *arg, size_t i, size_t j, int column)
{
	const struct rules_model *m = arg;
	const struct rules_row *a = &m->rows[i], *b = &m->rows[j];

	switch (column) {
	case PRIORITY:
		return a->severity - b->severity;
	case FIRED:
		return by_number((double)a->fired, (double)b->fired);
	case SHADOWED:
		return by_number((double)a->shadowed, (double)b->shadowed);
	case STATE:
		return (int)rules_state_of(m, a) - (int)rules_state_of(m, b);
	case LAST:
		return (a->last_ts > b->last_ts) - (a->last_ts < b->last_ts);
	case COST:
		return by_number(a->share, b->share);
	case NS:
		return by_number(a->ns, b->ns);
	case EVALUATED:
		return by_number((double)a->evaluated, (double)b->evaluated);
	case JUDGED:
		return (int)(a->verdicts[RULES_TRUE] + a->verdicts[RULES_FALSE]) -
		       (int)(b->verdicts[RULES_TRUE] + b->verdicts[RULES_FALSE]);
	case TAGS:
		return strcmp(a->tags ? a->tags : "", b->tags ? b->tags : "");
	case PLACE:
		return strcmp(a->file ? a->file : "", b->file ? b->file : "") != 0
			   ? strcmp(a->file ? a->file : "", b->file ? b->file : "")
			   : (a->line > b->line) - (a->line < b->line);
	default:
		return strcmp(a->name, b->name);
	}
}

static bool passes(void *arg, size_t i)
{
	const struct rules_model *m = arg;

	return rules_pass_filter(m, &m->rows[i]);
}

/* --- opening */

static void close_rules(struct tui_view *v)
{
	struct rules_view *r = of(v);

	tui_table_free(r->table);
	tui_list_done(&r->list);
	rules_done(&r->model);
	free(r);
}

static int open_rules(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		      struct error *err)
{
	struct rules_view *r = calloc(1, sizeof(*r));
	int rc;

	(void)t;
	if (!r)
		return error_nomem(err);
	r->model.app = app;
	r->list = (struct tui_list){
	    .row = row, .key = key_of, .compare = compare, .passes = passes, .arg = &r->model};
	rc =
	    tui_table_new(app, columns, COUNT_OF(columns), &tui_list_ops, &r->list, &r->table, err);
	if (rc < 0) {
		close_rules(&r->base);
		return rc;
	}
	*out = &r->base;
	return 0;
}

static int refresh(struct rules_view *r, struct error *err)
{
	int rc;

	r->list.count = r->model.count;
	rc = tui_list_update(&r->list, err);
	return rc == 0 ? tui_table_refresh(r->table, err) : rc;
}

static int sync_rules(struct tui_view *v, unsigned news, struct error *err)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(v->app));
	struct rules_view *r = of(v);
	int rc = 0;

	if (r->model.pass && (!c || c->path != r->model.path))
		rules_end_pass(&r->model); /* it was about another one */
	if (news & (TUI_NEWS_CASE | TUI_NEWS_CAPTURE | TUI_NEWS_INDEX) || !r->model.rows)
		rc = rules_load(&r->model, err);
	return rc == 0 ? refresh(r, err) : rc;
}

static bool work_rules(struct tui_view *v, uint64_t deadline_ns)
{
	struct rules_view *r = of(v);
	bool was = r->model.counted, more = rules_work(&r->model, deadline_ns);
	struct error err = {0};

	if ((more || was != r->model.counted) && refresh(r, &err) < 0)
		tui_app_fail(v->app, &err);
	return more;
}

/* --- drawing */

static void draw_head(const struct rules_view *r, const struct tui_area *a)
{
	const struct rules_model *m = &r->model;
	const char *doubt = m->rules ? tui_ruleset_doubt(m->rules) : m->why.msg;
	size_t fired = 0, silent = 0, off = 0;
	struct buf b = {0};
	int x;

	for (size_t i = 0; i < m->count; i++) {
		enum rules_state s = rules_state_of(m, &m->rows[i]);

		fired += s == RULES_FIRED;
		off += s == RULES_DISABLED || s == RULES_FOREIGN;
		silent += s != RULES_FIRED && s != RULES_DISABLED && s != RULES_FOREIGN;
	}
	buf_addf(&b, "%zu rules: %zu fired, %zu silent, %zu off", m->count, fired, silent, off);
	x = 1 + tui_put(a, 0, 1, a->width - 12, TUI_ROLE_NORMAL, buf_view(&b)) + 2;
	buf_reset(&b);
	if (m->pass && !m->counted)
		buf_addf(&b, "counting %d %%", (int)(tui_rules_pass_done(m->pass) * 100));
	else if (!m->pass && m->count && m->rules && tui_ruleset_engine(m->rules))
		buf_lit(&b, "':cost' measures them");
	x += tui_put(a, 0, x, a->width - x - 10, m->pass ? TUI_ROLE_WARNING : TUI_ROLE_DIM,
		     buf_view(&b)) +
	     (b.len ? 2 : 0);
	tui_put(a, 0, x, a->width - x - 10, TUI_ROLE_WARNING, sv_of(doubt));
	buf_reset(&b);
	tui_table_position(r->table, &b);
	tui_put_right(a, 0, a->width - 10, 9, TUI_ROLE_DIM, buf_view(&b));
	buf_done(&b);
}

static void draw_rules(struct tui_view *v, const struct tui_area *a)
{
	struct rules_view *r = of(v);
	struct tui_area rest = tui_area_part(a, 1, 0, a->height - 1, a->width);

	draw_head(r, a);
	if (r->list.shown) {
		tui_table_draw(r->table, &rest, true);
	} else if (r->model.count) {
		tui_puts(&rest, 1, 2, TUI_ROLE_DIM, "no rule passes the filter");
	} else {
		tui_puts(&rest, 1, 2, TUI_ROLE_DIM, "no rules are known");
		tui_puts(&rest, 2, 2, TUI_ROLE_DIM,
			 "give them with -r FILE, or open a case that was made with some");
	}
}

/* --- commands */

static const struct rules_row *under_cursor(struct rules_view *r)
{
	struct tui_row_key key;

	if (!tui_table_cursor(r->table, &key))
		return NULL;
	for (size_t i = 0; i < r->model.count; i++)
		if (key_of(&r->model, i).a == key.a)
			return &r->model.rows[i];
	return NULL;
}

static enum tui_result act_rules(struct tui_view *v, const struct tui_command *c)
{
	struct rules_view *r = of(v);
	const struct rules_row *row = under_cursor(r);
	struct error err = {0};

	if (tui_table_is_asking(r->table))
		return TUI_NOT_MINE;
	switch (c->action) {
	case TUI_DO_ENTER:
		if (row)
			tui_app_push(v->app, &tui_rule_ops,
				     &(struct tui_target){.text = sv_of(row->name)});
		return TUI_DONE;
	case TUI_DO_EXPLAIN:
		if (c->arg.n || !row)
			return TUI_NOT_MINE;
		tui_app_push(v->app, &tui_explain_ops,
			     &(struct tui_target){.text = sv_of(row->name)});
		return TUI_DONE;
	case TUI_DO_COST:
		if (rules_begin_pass(&r->model, &err) < 0)
			tui_app_fail(v->app, &err);
		return TUI_DONE;
	case TUI_DO_CANCEL:
		if (!r->model.pass || r->model.counted)
			return TUI_NOT_MINE;
		rules_end_pass(&r->model);
		tui_app_say(v->app, TUI_ROLE_NOTICE, "no longer counting");
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

static int filter_rules(struct tui_view *v, struct sv text, size_t *pos, struct error *err)
{
	struct rules_view *r = of(v);

	(void)pos;
	buf_reset(&r->model.filter);
	buf_sv(&r->model.filter, text);
	return r->model.filter.failed ? error_nomem(err) : 0;
}

/* Any words will do. */
static int check_words(struct sv text, size_t *pos, struct error *err)
{
	(void)text, (void)pos, (void)err;
	return 0;
}

static void command_rules(struct tui_view *v, struct buf *out)
{
	buf_lit(out, "scapula cover");
	if (tui_command_rules(v->app, out))
		tui_command_capture(v->app, out);
	else
		buf_reset(out);
}

static struct tui_table *table_of_rules(struct tui_view *v)
{
	return of(v)->table;
}

static const uint8_t actions[] = {
    TUI_DO_ENTER, TUI_DO_EXPLAIN,   TUI_DO_FILTER, TUI_DO_SORT,
    TUI_DO_COST,  TUI_DO_FREQUENCY, TUI_NO_ACTION,
};

static const struct tui_filter_language language = {.check = check_words};

const struct tui_view_ops tui_rules_ops = {
    .name = "rules",
    .title = "Rules",
    .help = "The rules of the case and those that were given with -r: how many alerts each gave, "
	    "and why the others gave none: they never matched, no event of their types was "
	    "recorded, they are switched off, or an earlier rule was reported each time. ':cost' "
	    "goes through the capture once and adds what each rule costs and how often it was "
	    "shadowed. Enter shows a rule with its condition and its alerts, E explains it against "
	    "the event at T. A filter is words: of name, tags, state, file.",
    .actions = actions,
    .open = open_rules,
    .close = close_rules,
    .sync = sync_rules,
    .draw = draw_rules,
    .act = act_rules,
    .work = work_rules,
    .command = command_rules,
    .table = table_of_rules,
    .filter = filter_rules,
    .language = &language,
};
