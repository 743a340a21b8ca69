/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/rule_alerts.h"

#define COUNTED_MAX 100000 /* alerts, one by one */

/* A key is the time and the id of the alert. */
const struct tui_column rule_alerts_columns[RULE_ALERTS_COLUMNS] = {
    {"time", "TIME", 15, 0, TUI_COLUMN_NO_SORT, "time of the event"},
    {"who", "WHO", 14, 0, TUI_COLUMN_NO_SORT, "process at that moment"},
    {"what", "WHAT", 20, 0, TUI_COLUMN_REST | TUI_COLUMN_NO_SORT, "the message"},
    {"verdict", "VERDICT", 14, 100, TUI_COLUMN_NO_SORT, "what people think of it"},
};

static struct qry_alert_filter filter_of(const struct rule_alerts *m)
{
	return (struct qry_alert_filter){.rule = m->rule};
}

static int add(const struct rule_alerts *m, const struct qry_listed *a, struct tui_rows *out)
{
	const struct tui_row_key key = {(uint64_t)a->place.ts, (uint64_t)a->place.alert_id};

	if (tui_rows_add(out, key, TUI_ROLE_NORMAL) < 0)
		return ERR_NOMEM;
	tui_app_time(m->app, tui_rows_begin_cell(out), (uint64_t)a->place.ts, 0, 6);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	tui_rows_printf(out, "%s (%lld)", a->comm ? a->comm : "?", (long long)a->pid);
	tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(a->output ? a->output : ""));
	tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(a->verdict ? a->verdict : ""));
	return 0;
}

static int page(void *model, enum tui_where where, struct tui_row_key key, size_t n,
		struct tui_rows *out, struct error *err)
{
	const struct rule_alerts *m = model;
	bool back = where == TUI_FROM_LAST || where == TUI_BEFORE_KEY;
	struct qry_place at = {(int64_t)key.a, (int64_t)key.b};
	struct qry_alert_filter f = filter_of(m);
	struct qry_page found;
	int rc;

	if (where == TUI_FROM_FIRST || where == TUI_FROM_LAST)
		at = (struct qry_place){0};
	else if (where == TUI_FROM_KEY)
		at.alert_id--;
	n = n < QRY_PAGE_MAX ? n : QRY_PAGE_MAX;
	rc = qry_browse_page(tui_data_alerts(tui_app_data(m->app)), &f, &at, back, n, &found, err);
	for (size_t i = 0; i < found.count && rc == 0; i++)
		rc = add(m, &found.alerts[i], out);
	return rc == ERR_NOMEM ? error_nomem(err) : rc;
}

static uint64_t count(void *model, bool *exact)
{
	const struct rule_alerts *m = model;
	struct qry_alert_filter f = filter_of(m);
	uint64_t n = 0;

	*exact = false;
	if (qry_browse_count(tui_data_alerts(tui_app_data(m->app)), &f, COUNTED_MAX, &n, exact,
			     NULL) < 0)
		n = 0;
	return n;
}

static uint64_t before(void *model, struct tui_row_key key)
{
	const struct rule_alerts *m = model;
	struct qry_alert_filter f = filter_of(m);
	uint64_t n = 0;
	bool exact;

	f.to = key.a;
	if (qry_browse_count(tui_data_alerts(tui_app_data(m->app)), &f, COUNTED_MAX, &n, &exact,
			     NULL) < 0)
		n = 0;
	return n;
}

const struct tui_model_ops rule_alerts_ops = {.page = page, .count = count, .before = before};

void rule_alerts_enter(struct rule_alerts *m, struct tui_table *t)
{
	struct tui_data *d = tui_app_data(m->app);
	struct tui_row_key key;
	struct error err = {0};
	struct qry_page found;
	size_t capture;
	uint64_t num;

	if (!tui_table_cursor(t, &key))
		return;
	if (qry_browse_alert(tui_data_alerts(d), (int64_t)key.b, &found, &err) < 0) {
		tui_app_fail(m->app, &err);
		return;
	}
	num = found.alerts->evt_num;
	capture = tui_data_capture_of(d, (int64_t)found.alerts->capture_id);
	if (capture != SIZE_MAX && tui_data_use(d, capture, &err) < 0) {
		tui_app_fail(m->app, &err);
		return;
	}
	tui_app_goto_event(m->app, num);
	tui_app_push(m->app, &tui_alert_ops,
		     &(struct tui_target){.alert_id = (int64_t)key.b, .num = num});
}
