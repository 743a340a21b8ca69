/* SPDX-License-Identifier: Apache-2.0 */
/* The list of alerts: groups, or one by one; the selected one in a few lines below. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tui/alert_columns.h"
#include "tui/alert_list.h"
#include "tui/alert_preview.h"
#include "tui/alert_say.h"

#define WIDE	       60	   /* what groups are by is told there */
#define FIRST_NS       10000000ull /* of making groups before the first screen */
#define FACTS_MAX      2000	   /* alerts whose facts are kept */
#define PREVIEW_WIDTH  60	   /* narrower and lower screens have no preview */
#define PREVIEW_HEIGHT 13
#define PREVIEW_LINES  7

struct alerts_view {
	struct tui_view base;
	struct tui_data *d;
	struct tui_alert_filter filter; /* both of these */
	struct buf within_text, filter_text;
	bool has_fingerprint;
	int64_t fingerprint;
	enum tui_grouping by;
	struct tui_alert_groups groups;
	struct tui_list order; /* of groups */
	struct tui_alert_list list;
	struct tui_table *tables[2]; /* of groups, of alerts */
	struct tui_alert_reader *reader;
	struct arena texts;
	struct map facts; /* of alerts, by number; in @texts */
	struct tui_alert_preview preview;
	uint64_t total; /* alerts of the case, or the group */
	bool begun;
	bool moved; /* by the user, or all rows are there: until then the cursor stays at the top */
};

static bool grouped(const struct alerts_view *v)
{
	return v->by != TUI_BY_NOTHING;
}

static struct tui_table *table_of(const struct alerts_view *v)
{
	return v->tables[!grouped(v)];
}

/* --- facts of alerts */

static void forget_facts(struct alerts_view *v)
{
	map_clear(&v->facts);
	arena_reset(&v->texts);
}

/* NULL: @err says why. Borrowed until the next call. */
static const struct tui_alert_facts *facts_of(struct alerts_view *v, int64_t id, struct error *err)
{
	struct tui_alert_facts *f = map_get(&v->facts, (uint64_t)id);

	if (f)
		return f;
	if (v->facts.count >= FACTS_MAX)
		forget_facts(v);
	f = arena_zalloc(&v->texts, 1, sizeof(*f));
	if (!f || map_put(&v->facts, (uint64_t)id, f) < 0) {
		(void)error_nomem(err);
		return NULL;
	}
	if (tui_alert_read(v->reader, id, &v->texts, f, err) < 0) {
		(void)map_take(&v->facts, (uint64_t)id);
		return NULL;
	}
	return f;
}

/* --- rows */

static struct tui_alert_group *group_at(struct alerts_view *v, size_t i)
{
	return &v->groups.shown->list[i];
}

static void group_row(void *arg, size_t i, struct tui_rows *out)
{
	static const struct tui_alert_facts nothing;
	struct alerts_view *v = arg;
	struct tui_alert_group *g = group_at(v, i);
	const struct tui_alert_facts *f = NULL;
	struct error err;

	if (tui_groups_example(&v->groups, g, &err) == 0 && g->alert_id)
		f = facts_of(v, g->alert_id, &err);
	if (tui_group_row(v->base.app, &v->groups, g, f ? f : &nothing, out) < 0)
		return; /* @out knows that memory ran out */
}

static struct tui_row_key group_key(void *arg, size_t i)
{
	struct alerts_view *v = arg;

	return (struct tui_row_key){group_at(v, i)->key, v->by};
}

static int compare_groups(void *arg, size_t i, size_t j, int column)
{
	struct alerts_view *v = arg;

	return tui_group_compare(&v->groups, group_at(v, i), group_at(v, j), column);
}

static int alert_row(void *arg, const struct qry_place *p, struct tui_rows *out, struct error *err)
{
	struct alerts_view *v = arg;
	const struct tui_alert_facts *f = facts_of(v, p->alert_id, err);

	return f ? tui_alert_row(v->base.app, tui_alert_key(p), f, out) : err->code;
}

/* --- what is selected */

static struct tui_alert_group *selected_group(struct alerts_view *v)
{
	struct tui_row_key key;
	uintptr_t i;

	if (!grouped(v) || !tui_table_cursor(table_of(v), &key))
		return NULL;
	i = (uintptr_t)map_get(&v->groups.shown->index, key.a);
	return i ? group_at(v, i - 1) : NULL;
}

/* The alert under the cursor, or one of the group; 0: none. */
static int64_t selected_alert(struct alerts_view *v)
{
	struct tui_alert_group *g = selected_group(v);
	struct tui_row_key key;
	struct error err;

	if (g)
		return tui_groups_example(&v->groups, g, &err) == 0 ? g->alert_id : 0;
	if (!grouped(v) && tui_table_cursor(table_of(v), &key))
		return (int64_t)key.b;
	return 0;
}

static void follow_cursor(struct alerts_view *v)
{
	int64_t id = selected_alert(v);
	struct error err;

	if (id != v->preview.facts.alert_id &&
	    tui_preview_set(&v->preview, v->d, v->reader, id, &err) < 0)
		tui_app_fail(v->base.app, &err);
}

/* --- beginning and end */

static void close_alerts(struct tui_view *base)
{
	struct alerts_view *v = (struct alerts_view *)base;

	tui_table_free(v->tables[0]);
	tui_table_free(v->tables[1]);
	tui_list_done(&v->order);
	tui_groups_done(&v->groups);
	tui_alert_filter_done(&v->filter);
	buf_done(&v->within_text);
	buf_done(&v->filter_text);
	tui_alert_reader_free(v->reader);
	tui_preview_done(&v->preview);
	map_done(&v->facts);
	arena_done(&v->texts);
	free(v);
}

static int make_tables(struct alerts_view *v, struct tui_app *app, struct error *err)
{
	int rc = tui_table_new(app, tui_group_columns, TUI_GROUP_COLUMNS, &tui_list_ops, &v->order,
			       &v->tables[0], err);

	if (rc == 0)
		rc = tui_table_new(app, tui_alert_columns, TUI_ALERT_COLUMNS, &tui_alert_list_ops,
				   &v->list, &v->tables[1], err);
	return rc == 0 ? tui_alert_reader_new(v->d, &v->reader, err) : rc;
}

/* The group's condition and the filter's, as one. */
static int take_filters(struct alerts_view *v, struct error *err)
{
	size_t pos;
	int rc;

	tui_alert_filter_done(&v->filter);
	rc = tui_alert_filter_add(&v->filter, buf_view(&v->within_text), &pos, err);
	return rc == 0 ? tui_alert_filter_add(&v->filter, buf_view(&v->filter_text), &pos, err)
		       : rc;
}

static int take_target(struct alerts_view *v, const struct tui_target *t, struct error *err)
{
	v->has_fingerprint = t->has_fingerprint;
	v->fingerprint = t->fingerprint;
	buf_sv(&v->within_text, t->within);
	buf_sv(&v->filter_text, t->text);
	buf_sv(&v->base.filter, t->text);
	if (t->has_fingerprint || t->within.n)
		v->by = TUI_BY_NOTHING;
	return take_filters(v, err);
}

static int open_alerts(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		       struct error *err)
{
	struct alerts_view *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return error_nomem(err);
	v->d = tui_app_data(app);
	tui_groups_init(&v->groups, v->d, &v->filter);
	v->order = (struct tui_list){
	    .row = group_row, .key = group_key, .compare = compare_groups, .arg = v};
	v->list = (struct tui_alert_list){.d = v->d, .row = alert_row, .arg = v};
	rc = make_tables(v, app, err);
	if (rc == 0)
		rc = take_target(v, t, err);
	if (rc < 0) {
		buf_done(&v->base.filter);
		close_alerts(&v->base);
		return rc;
	}
	*out = &v->base;
	return 0;
}

/* --- bringing it up to date */

static int count_total(struct alerts_view *v, struct error *err)
{
	struct qry_alert_filter f = {.has_fingerprint = v->has_fingerprint,
				     .fingerprint = v->fingerprint};
	bool exact;

	return qry_browse_count(tui_data_alerts(v->d), &f, UINT64_MAX, &v->total, &exact, err);
}

static int update_rows(struct alerts_view *v, struct error *err)
{
	const struct tui_command top = {.action = TUI_DO_FIRST, .count = 1};
	int rc = 0;

	if (grouped(v)) {
		v->order.count = v->groups.shown->count;
		rc = tui_list_update(&v->order, err);
	}
	if (rc == 0)
		rc = tui_table_refresh(table_of(v), err);
	if (rc == 0 && !v->moved)
		(void)tui_table_act(table_of(v), &top);
	v->moved |= grouped(v) && v->groups.done;
	return rc;
}

/* Grouping or filter are others: nothing of the old ones is asked for any more. */
static int begin_anew(struct alerts_view *v, struct error *err)
{
	int rc;

	v->list.query = (struct qry_alert_filter){.has_fingerprint = v->has_fingerprint,
						  .fingerprint = v->fingerprint};
	tui_alert_filter_apply(&v->filter, &v->list.query);
	tui_alert_list_update(&v->list);
	v->begun = true;
	v->moved = false;
	rc = grouped(v) ? tui_groups_begin(&v->groups, v->by, err) : 0;
	return rc == 0 ? update_rows(v, err) : rc;
}

static int sync_alerts(struct tui_view *base, unsigned news, struct error *err)
{
	struct alerts_view *v = (struct alerts_view *)base;
	bool changed;
	int rc = 0;

	if (v->begun && !(news & (TUI_NEWS_CASE | TUI_NEWS_CAPTURE | TUI_NEWS_TIME)))
		return 0;
	if (news & TUI_NEWS_CASE) {
		forget_facts(v);
		v->preview.facts.alert_id = 0;
		tui_alert_list_update(&v->list);
		rc = count_total(v, err);
	}
	if (rc == 0 && !v->begun)
		rc = begin_anew(v, err);
	else if (rc == 0 && grouped(v) && news & TUI_NEWS_CASE)
		rc = tui_groups_update(&v->groups, err);
	if (rc == 0 && grouped(v))
		rc = tui_groups_work(&v->groups, clock_ns(CLOCK_MONOTONIC) + FIRST_NS, &changed,
				     err);
	else if (rc == 0)
		rc = tui_alert_list_count(&v->list, err);
	return rc < 0 ? rc : update_rows(v, err);
}

static bool work_alerts(struct tui_view *base, uint64_t deadline_ns)
{
	struct alerts_view *v = (struct alerts_view *)base;
	bool changed = false, more = false;
	struct error err;
	int rc;

	if (grouped(v)) {
		rc = tui_groups_work(&v->groups, deadline_ns, &changed, &err);
		if (rc >= 0 && changed) {
			int updated = update_rows(v, &err);

			rc = updated < 0 ? updated : rc;
		}
		if (rc < 0)
			tui_app_fail(base->app, &err);
		more = rc > 0;
	}
	follow_cursor(v);
	return tui_near_work(&v->preview.near, v->d, deadline_ns) || more;
}

/* --- drawing */

/* "4 groups by rule   68 of 308 alerts". */
static void draw_counts(struct alerts_view *v, const struct tui_area *a)
{
	struct buf b = {0}, at = {0};
	bool sure = grouped(v) ? v->groups.done : v->list.counted && v->list.exact;

	if (grouped(v)) {
		tui_count(&b, v->groups.shown->count);
		buf_str(&b, v->groups.shown->count == 1 ? " group" : " groups");
		if (a->width >= WIDE)
			buf_addf(&b, " by %s", tui_grouping_names[v->by]);
		buf_lit(&b, "   ");
	}
	buf_str(&b, sure ? "" : "at least ");
	tui_count(&b, grouped(v) ? v->groups.alerts : v->list.count);
	buf_lit(&b, " of ");
	tui_count(&b, v->total);
	buf_str(&b, v->total == 1 ? " alert" : " alerts");
	if (grouped(v) && !v->groups.done && v->groups.scans && v->groups.end)
		buf_addf(&b, "  looking at alerts, %u %%",
			 (unsigned)((double)v->groups.at * 100 / (double)v->groups.end));
	tui_put(a, 0, 1, a->width - 12, TUI_ROLE_NORMAL, buf_view(&b));
	if (grouped(v))
		tui_table_position(table_of(v), &at);
	tui_put_right(a, 0, a->width - 11, 10, TUI_ROLE_DIM, buf_view(&at));
	buf_done(&b);
	buf_done(&at);
}

/* Why there is nothing, and what to do. */
static void draw_nothing(struct alerts_view *v, const struct tui_area *a)
{
	const struct tui_area line = tui_area_part(a, 1, 0, 1, a->width);
	struct buf busy = {0};
	struct error err;
	int64_t rules = 0;

	tui_fill(&line, TUI_ROLE_NORMAL); /* the table says less there */
	if (v->total && v->filter.sql.len) {
		tui_printf(a, 1, 2, TUI_ROLE_NORMAL,
			   "None of %llu alerts passes the filter: '\\' changes it, empty is all.",
			   (unsigned long long)v->total);
		return;
	}
	if (tui_data_is_busy(v->d, &busy))
		tui_puts(a, 1, 2, TUI_ROLE_NORMAL,
			 "No alerts yet: they appear here while rules are run over the capture.");
	else if (tui_sql_number(v->d, "SELECT count(*) FROM run_rules WHERE enabled", &rules,
				&err) == 0 &&
		 rules)
		tui_printf(a, 1, 2, TUI_ROLE_GOOD, "None of %lld rules fired.", (long long)rules);
	else
		tui_puts(a, 1, 2, TUI_ROLE_NORMAL,
			 "No rules were run: start with --rules FILE, or open a case.");
	buf_done(&busy);
}

static struct tui_area preview_area(const struct tui_area *a)
{
	int lines = a->height / 3 < PREVIEW_LINES ? a->height / 3 : PREVIEW_LINES;

	if (a->width < PREVIEW_WIDTH || a->height < PREVIEW_HEIGHT)
		lines = 0;
	return tui_area_part(a, a->height - lines, 0, lines, a->width);
}

static struct tui_area list_area(const struct tui_area *a)
{
	return tui_area_part(a, 1, 0, a->height - 1 - preview_area(a).height, a->width);
}

static void draw_alerts(struct tui_view *base, const struct tui_area *a)
{
	struct alerts_view *v = (struct alerts_view *)base;
	struct tui_area list = list_area(a), below = preview_area(a);
	struct tui_row_key key;

	draw_counts(v, a);
	tui_table_draw(table_of(v), &list, true);
	if (!tui_table_cursor(table_of(v), &key)) {
		if ((grouped(v) ? v->groups.done : !v->list.rest.valid) &&
		    !tui_table_is_asking(table_of(v)))
			draw_nothing(v, &list);
		return;
	}
	if (!below.height)
		return;
	follow_cursor(v);
	tui_line_across(&below, 0);
	below = tui_area_part(&below, 1, 0, below.height - 1, below.width);
	tui_preview_draw(&v->preview, &below);
}

/* --- doing */

/* A condition for what is in the group, beside those by fingerprint. */
static void group_condition(struct alerts_view *v, const struct tui_alert_group *g, struct buf *out)
{
	const struct tui_alert_facts *f = NULL;
	struct error err;

	if (g->alert_id)
		f = facts_of(v, g->alert_id, &err);
	if (v->by == TUI_BY_RULE) {
		buf_lit(out, "rule = ");
		tui_filter_quote(out, sv_of(tui_groups_rule(&v->groups, g->rule_id)));
	} else if (v->by == TUI_BY_PROCESS && g->key) {
		buf_addf(out, "process = %llu", (unsigned long long)g->key);
	} else if (v->by == TUI_BY_PROCESS) {
		buf_lit(out, "not process exists");
	} else if (v->by == TUI_BY_HOST && f && f->hostname.n) {
		buf_lit(out, "host = ");
		tui_filter_quote(out, f->hostname);
	} else if (v->by == TUI_BY_HOST) {
		buf_lit(out, "not host exists");
	}
}

static void open_group(struct alerts_view *v, struct tui_alert_group *g)
{
	struct tui_app *app = v->base.app;
	struct buf within = {0};
	struct tui_target t = {.text = buf_view(&v->base.filter)};

	group_condition(v, g, &within);
	t.within = buf_view(&within);
	t.has_fingerprint = v->by == TUI_BY_FINGERPRINT;
	t.fingerprint = g->fingerprint;
	tui_app_see(app, TUI_SEEN_GROUP, tui_seen_group(v->by, g->key));
	v->base.news |= TUI_NEWS_TIME; /* it is no new one any more */
	tui_app_push(app, &tui_alerts_ops, &t);
	buf_done(&within);
}

static void open_alert(struct alerts_view *v, int64_t id)
{
	const struct tui_target t = {.alert_id = id};

	tui_app_see(v->base.app, TUI_SEEN_ALERT, (uint64_t)id);
	v->base.news |= TUI_NEWS_TIME;
	tui_app_push(v->base.app, &tui_alert_ops, &t);
}

static enum tui_result enter(struct alerts_view *v)
{
	struct tui_alert_group *g = selected_group(v);
	int64_t id = selected_alert(v);

	if (!id)
		return TUI_NOT_MINE;
	if (g && (g->count > 1 || v->by != TUI_BY_FINGERPRINT)) {
		open_group(v, g);
		return TUI_DONE;
	}
	if (g)
		tui_app_see(v->base.app, TUI_SEEN_GROUP, tui_seen_group(v->by, g->key));
	open_alert(v, id);
	return TUI_DONE;
}

static void regroup(struct alerts_view *v, struct sv by)
{
	struct error err = {0};
	unsigned i = 0;

	if (!by.n) {
		i = (v->by + 1) % TUI_GROUPINGS;
	} else {
		while (i < TUI_GROUPINGS && !sv_is(by, tui_grouping_names[i]))
			i++;
		if (i == TUI_GROUPINGS) {
			tui_app_say(v->base.app, TUI_ROLE_ERROR,
				    "regroup: expected fingerprint, rule, process, host or none");
			return;
		}
	}
	v->by = (enum tui_grouping)i;
	v->base.news |= TUI_NEWS_TIME;
	if (begin_anew(v, &err) < 0)
		tui_app_fail(v->base.app, &err);
	else
		tui_app_say(v->base.app, TUI_ROLE_NORMAL,
			    grouped(v) ? "grouped by %s"
				       : "grouped by nothing: alerts one by one, %s",
			    grouped(v) ? tui_grouping_names[i] : "by time");
}

/* Of what is tagged, else of what is selected. */
static void say_verdict(struct alerts_view *v, struct sv arg)
{
	struct tui_table *t = table_of(v);
	struct tui_row_key key;
	size_t at = 0, done = 0;
	bool ok = true;

	if (grouped(v) && v->by != TUI_BY_FINGERPRINT) {
		tui_app_say(v->base.app, TUI_ROLE_NOTICE,
			    "verdicts are about alerts that look the same: group by fingerprint, "
			    "or enter the group");
		return;
	}
	while (ok && tui_table_next_tag(t, &at, &key)) {
		uintptr_t i = (uintptr_t)map_get(&v->groups.shown->index, key.a);
		struct tui_alert_group *g = grouped(v) && i ? group_at(v, i - 1) : NULL;
		struct error err;

		if (g && tui_groups_example(&v->groups, g, &err) < 0)
			continue;
		ok =
		    tui_say_verdict(v->base.app, g ? g->alert_id : (int64_t)key.b, grouped(v), arg);
		done++;
	}
	if (!done && selected_alert(v))
		ok = tui_say_verdict(v->base.app, selected_alert(v), grouped(v), arg);
	v->base.news |= TUI_NEWS_CASE;
	if (ok && done > 1)
		tui_app_say(v->base.app, TUI_ROLE_GOOD, "said of %zu rows", done);
}

static enum tui_result act_alerts(struct tui_view *base, const struct tui_command *c)
{
	struct alerts_view *v = (struct alerts_view *)base;
	struct tui_target t = {0};

	v->moved = true;
	if (tui_table_is_asking(table_of(v)))
		return TUI_NOT_MINE;
	switch (c->action) {
	case TUI_DO_ENTER:
		return enter(v);
	case TUI_DO_REGROUP:
		regroup(v, c->arg);
		return TUI_DONE;
	case TUI_DO_VERDICT:
		say_verdict(v, c->arg);
		return TUI_DONE;
	case TUI_DO_NOTE:
	case TUI_DO_BOOKMARK:
		follow_cursor(v);
		if (!v->preview.facts.alert_id)
			return TUI_NOT_MINE;
		tui_mark_alert(base->app, &v->preview.facts, c->action, c->arg);
		v->base.news |= TUI_NEWS_CASE;
		return TUI_DONE;
	case TUI_DO_EVIDENCE:
		if (!selected_alert(v))
			return TUI_NOT_MINE;
		open_alert(v, selected_alert(v));
		return TUI_DONE;
	case TUI_DO_EXPLAIN:
		follow_cursor(v);
		if (!v->preview.facts.alert_id)
			return TUI_NOT_MINE;
		t = (struct tui_target){.alert_id = v->preview.facts.alert_id,
					.num = v->preview.facts.num,
					.text = v->preview.facts.rule};
		tui_app_push(base->app, &tui_explain_ops, &t);
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

static void click_alerts(struct tui_view *base, const struct tui_input *in,
			 const struct tui_area *a)
{
	struct alerts_view *v = (struct alerts_view *)base;
	struct tui_area list = list_area(a);

	v->moved = true;
	tui_table_click(table_of(v), in, &list);
}

static struct tui_table *alerts_table(struct tui_view *base)
{
	return table_of((struct alerts_view *)base);
}

static int filter_alerts(struct tui_view *base, struct sv text, size_t *pos, struct error *err)
{
	struct alerts_view *v = (struct alerts_view *)base;
	struct tui_alert_filter f = {0};
	int rc = tui_alert_filter_add(&f, text, pos, err);

	tui_alert_filter_done(&f);
	if (rc < 0)
		return rc;
	buf_reset(&v->filter_text);
	buf_sv(&v->filter_text, text);
	rc = take_filters(v, err);
	return rc < 0 ? rc : begin_anew(v, err);
}

static void crumb_alerts(struct tui_view *base, struct buf *out)
{
	struct alerts_view *v = (struct alerts_view *)base;
	const struct tui_alert_facts *f = &v->preview.facts;
	const struct sv within = buf_view(&v->within_text);

	if (!v->has_fingerprint && !within.n)
		buf_lit(out, "Alerts");
	else if (f->alert_id && (v->has_fingerprint || sv_starts(within, SV_LIT("rule"))))
		buf_sv(out, f->rule);
	else if (f->alert_id && sv_starts(within, SV_LIT("process")))
		buf_addf(out, "%.*s(%lld)", (int)f->comm.n, f->comm.p, (long long)f->pid);
	else if (within.n)
		buf_sv(out, within);
	else
		buf_addf(out, "group %016llx", (unsigned long long)v->fingerprint);
}

static void command_alerts(struct tui_view *base, struct buf *out)
{
	struct alerts_view *v = (struct alerts_view *)base;

	tui_alerts_command(v->d, v->by, &v->filter, v->has_fingerprint ? &v->fingerprint : NULL,
			   out);
}

static const uint8_t alerts_actions[] = {TUI_DO_ENTER,	 TUI_DO_REGROUP, TUI_DO_FILTER,
					 TUI_DO_VERDICT, TUI_DO_NOTE,	 TUI_DO_EVIDENCE,
					 TUI_DO_EXPLAIN, TUI_NO_ACTION};

const struct tui_view_ops tui_alerts_ops = {
    .name = "alerts",
    .title = "Alerts",
    .help =
	"Alerts, those that look the same as one row: first time, how many, rule, who (and who "
	"logged in) and what it is about. No alert is left out. Enter opens a group, then the "
	"alert. 'regroup' groups by rule, process, host or nothing. A filter is a condition over "
	"rule, prio, tags, host, verdict, noted, time and any field of the output, such as "
	"prio >= warning and not noted; plain words are searched for in rules and messages. "
	"S: * new, - seen in this session, a tick: noted, or with a verdict. Below: the processes "
	"the selected alert comes from, its facts, what was lost near it, its message.",
    .actions = alerts_actions,
    .open = open_alerts,
    .close = close_alerts,
    .sync = sync_alerts,
    .draw = draw_alerts,
    .act = act_alerts,
    .work = work_alerts,
    .crumb = crumb_alerts,
    .command = command_alerts,
    .click = click_alerts,
    .table = alerts_table,
    .filter = filter_alerts,
    .language = &tui_alert_language,
};
