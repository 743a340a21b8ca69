/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alert_say.h"

#include <string.h>

/* --- verdicts, notes, bookmarks */

/* The first word of "true_positive because ..." as the case writes it. */
static struct sv take_state(struct sv *arg, struct buf *room)
{
	size_t n = 0;

	while (n < arg->n && arg->p[n] != ' ')
		n++;
	for (size_t i = 0; i < n; i++)
		buf_char(room, arg->p[i] == '_' || arg->p[i] == '-' ? ' ' : arg->p[i]);
	*arg = sv_drop(*arg, n);
	while (arg->n && *arg->p == ' ')
		*arg = sv_drop(*arg, 1);
	return buf_view(room);
}

static const char *kept(struct tui_app *app)
{
	return tui_data_case_path(tui_app_data(app))
		   ? "in the case"
		   : "until the program ends: the case has no name (start with --db)";
}

bool tui_say_verdict(struct tui_app *app, int64_t alert_id, bool whole_group, struct sv arg)
{
	struct error err = {0};
	struct buf state = {0};
	struct sv word = take_state(&arg, &state);
	int rc = tui_data_add_verdict(tui_app_data(app), alert_id, whole_group, word, arg, &err);

	if (rc < 0)
		tui_app_fail(app, &err);
	else
		tui_app_say(app, TUI_ROLE_GOOD, "%s, of %s, %s", buf_cstr(&state),
			    whole_group ? "all that look like this" : "this alert", kept(app));
	buf_done(&state);
	return rc == 0;
}

void tui_mark_alert(struct tui_app *app, const struct tui_alert_facts *f, enum tui_action what,
		    struct sv text)
{
	struct tui_data *d = tui_app_data(app);
	const struct tui_capture *c = tui_data_capture(d);
	const bool here = c && c->capture_id == f->capture_id;
	struct error err = {0};
	size_t i = tui_data_capture_of(d, f->capture_id);
	int rc = 0;

	if (!here)
		rc = i == SIZE_MAX
			 ? error_set(&err, ERR_USAGE, "the case does not know that capture")
			 : tui_data_use(d, i, &err);
	if (rc == 0 && what == TUI_DO_NOTE)
		rc = tui_data_add_note(d, f->offset, f->ts, text, &err);
	else if (rc == 0)
		rc = tui_data_add_bookmark(d, f->offset, f->ts, text.n ? text : f->rule, &err);
	if (rc < 0)
		tui_app_fail(app, &err);
	else
		tui_app_say(app, TUI_ROLE_GOOD, "%s %s",
			    what == TUI_DO_NOTE ? "noted" : "remembered", kept(app));
}

/* --- commands */

/* @condition: the filter and the fingerprint, or nothing. */
static void add_sql(enum tui_grouping by, const char *condition, struct buf *sql)
{
	static const char *const keys[TUI_GROUPINGS] = {"fingerprint", "rule", "process_id",
							"hostname"};

	if (by == TUI_BY_NOTHING)
		buf_addf(sql,
			 "SELECT time, priority, rule, output FROM v_alert v%s ORDER BY ts, "
			 "alert_id",
			 condition);
	else if (by == TUI_BY_FINGERPRINT && !*condition)
		buf_lit(sql, "SELECT first_time, alerts, priority, rule, example FROM v_group "
			     "ORDER BY severity, first_ts");
	else if (by == TUI_BY_RULE && !*condition)
		buf_lit(sql, "SELECT first_time, alerts, priority, rule FROM v_rule_count "
			     "ORDER BY severity, first_time");
	else
		buf_addf(sql,
			 "SELECT min(time) AS first_time, count(*) AS alerts, priority, rule, %s "
			 "FROM v_alert v%s GROUP BY %s ORDER BY min(severity), first_time",
			 keys[by], condition, keys[by]);
}

void tui_alerts_command(struct tui_data *d, enum tui_grouping by, const struct tui_alert_filter *f,
			const int64_t *fingerprint, struct buf *out)
{
	struct buf condition = {0}, sql = {0};
	sqlite3_stmt *stmt = NULL;
	struct error err;

	if (f->sql.len || fingerprint)
		buf_lit(&condition, " WHERE ");
	if (fingerprint)
		buf_addf(&condition, "v.fingerprint = '%016llx'", (unsigned long long)*fingerprint);
	if (f->sql.len)
		buf_addf(&condition, "%s(%s)", fingerprint ? " AND " : "", f->sql.p);
	add_sql(by, buf_cstr(&condition), &sql);
	if (!sql.failed && !condition.failed &&
	    tui_sql_prepare(d, buf_cstr(&sql), &stmt, &err) == 0 &&
	    qry_bind_arguments(stmt, f->values, f->value_count) == SQLITE_OK)
		tui_sql_command(d, stmt, out);
	sqlite3_finalize(stmt);
	buf_done(&condition);
	buf_done(&sql);
}
