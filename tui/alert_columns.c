/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alert_columns.h"

#include <string.h>

#define RIGHT	TUI_COLUMN_RIGHT
#define REST	TUI_COLUMN_REST
#define UNORDER TUI_COLUMN_NO_SORT
#define HIDDEN	(TUI_COLUMN_NO_SORT | TUI_COLUMN_HIDDEN)

/* clang-format off */
const struct tui_column tui_group_columns[TUI_GROUP_COLUMNS] = {
	[TUI_GROUP_STATE]     = {"state", "S", 1, 0, UNORDER, "* new, - seen in this session, \xe2\x9c\x93 noted or with a verdict"},
	[TUI_GROUP_PRIORITY]  = {"priority", "P", 2, 0, 0, "the worst: !! critical and above, ! error, ~ warning, . notice and below"},
	[TUI_GROUP_FIRST]     = {"first", "FIRST", 12, 60, 0, "time of the first alert"},
	[TUI_GROUP_ALERTS]    = {"alerts", "n", 6, 0, RIGHT, "how many alerts"},
	[TUI_GROUP_RULE]      = {"rule", "RULE", 18, 0, REST, "the rule; of several: that of the first alert"},
	[TUI_GROUP_WHO]       = {"who", "WHO", 11, 72, UNORDER, "user, and in parentheses who logged in"},
	[TUI_GROUP_WHAT]      = {"what", "WHAT", 12, 52, REST | UNORDER, "file, connection or command"},
	[TUI_GROUP_LAST]      = {"last", "LAST", 12, 120, 0, "time of the last alert"},
	[TUI_GROUP_VERDICT]   = {"verdict", "VERDICT", 14, 120, UNORDER, "what people say of it"},
	[TUI_GROUP_CONTAINER] = {"container", "CONTAINER", 12, 160, UNORDER, "container of the first alert's process"},
	[TUI_GROUP_TAGS]      = {"tags", "TAGS", 20, 180, UNORDER, "tags of the rule, ATT&CK among them"},
	[TUI_GROUP_HOST]      = {"host", "HOST", 12, 0, HIDDEN, "the recorded machine"},
};

const struct tui_column tui_alert_columns[TUI_ALERT_COLUMNS] = {
	[TUI_ALERT_STATE]     = {"state", "S", 1, 0, UNORDER, "* new, - seen in this session, \xe2\x9c\x93 noted or with a verdict"},
	[TUI_ALERT_PRIORITY]  = {"priority", "P", 2, 0, UNORDER, "!! critical and above, ! error, ~ warning, . notice and below"},
	[TUI_ALERT_TIME]      = {"time", "TIME", 15, 48, 0, "when"},
	[TUI_ALERT_RULE]      = {"rule", "RULE", 16, 0, REST | UNORDER, "the rule"},
	[TUI_ALERT_WHO]       = {"who", "WHO", 11, 80, UNORDER, "user, and in parentheses who logged in"},
	[TUI_ALERT_PROCESS]   = {"process", "PROCESS", 14, 100, UNORDER, "name and number of the process"},
	[TUI_ALERT_WHAT]      = {"what", "WHAT", 12, 52, REST | UNORDER, "file, connection or command"},
	[TUI_ALERT_VERDICT]   = {"verdict", "VERDICT", 14, 120, UNORDER, "what people say of it"},
	[TUI_ALERT_CONTAINER] = {"container", "CONTAINER", 12, 160, UNORDER, "container of the process"},
	[TUI_ALERT_TAGS]      = {"tags", "TAGS", 20, 180, UNORDER, "tags of the rule, ATT&CK among them"},
	[TUI_ALERT_HOST]      = {"host", "HOST", 12, 0, HIDDEN, "the recorded machine"},
	[TUI_ALERT_EVENT]     = {"event", "EVENT", 10, 0, RIGHT | HIDDEN, "number of the event"},
	[TUI_ALERT_ID]        = {"id", "ID", 8, 0, RIGHT | HIDDEN, "number of the alert, for ':goto @ID'"},
};
/* clang-format on */

uint64_t tui_seen_group(enum tui_grouping by, uint64_t key)
{
	return key * TUI_GROUPINGS + by;
}

/* --- cells */

static void put_state(struct tui_app *app, bool noted, bool seen, struct tui_rows *out)
{
	if (noted)
		tui_rows_cell(out, TUI_ROLE_GOOD, sv_of(tui_app_glyph(app, TUI_GLYPH_YES)));
	else
		tui_rows_cell(out, TUI_ROLE_NORMAL, seen ? SV_LIT("-") : SV_LIT("*"));
}

static void put_time(struct tui_app *app, uint64_t ts, uint64_t before, int decimals,
		     struct tui_rows *out)
{
	tui_app_time(app, tui_rows_begin_cell(out), ts, before, decimals);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
}

static void put_who(const struct tui_alert_facts *f, struct tui_rows *out)
{
	tui_alert_who(f, tui_rows_begin_cell(out));
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
}

static void put_tags(struct sv tags, struct tui_rows *out)
{
	tui_tags_text(tags, tui_rows_begin_cell(out));
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
}

static void put_process(const struct tui_alert_facts *f, struct tui_rows *out)
{
	struct buf *b = tui_rows_begin_cell(out);

	buf_sv(b, f->comm);
	if (f->pid >= 0)
		buf_addf(b, "(%lld)", (long long)f->pid);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
}

/* Under a group of processes, each is what the alerts are about. */
static void put_what(const struct tui_alert_groups *groups, const struct tui_alert_facts *f,
		     struct tui_rows *out)
{
	if (groups->by == TUI_BY_PROCESS)
		put_process(f, out);
	else if (groups->by == TUI_BY_HOST)
		tui_rows_cell(out, TUI_ROLE_NORMAL, f->hostname.n ? f->hostname : SV_LIT("-"));
	else
		tui_rows_cell(out, TUI_ROLE_NORMAL, f->what);
}

int tui_group_row(struct tui_app *app, const struct tui_alert_groups *groups,
		  const struct tui_alert_group *g, const struct tui_alert_facts *f,
		  struct tui_rows *out)
{
	const bool one = groups->by == TUI_BY_FINGERPRINT;
	const bool seen = tui_app_is_seen(app, TUI_SEEN_GROUP, tui_seen_group(groups->by, g->key));
	int rc = tui_rows_add(out, (struct tui_row_key){g->key, groups->by}, TUI_ROLE_NORMAL);

	if (rc < 0)
		return rc;
	put_state(app, one && f->noted, seen, out);
	tui_rows_cell(out, tui_severity_role(g->severity), sv_of(tui_severity_glyph(g->severity)));
	put_time(app, g->first_ts, 0, 3, out);
	tui_count(tui_rows_begin_cell(out), g->count);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	if (g->distinct)
		tui_rows_printf(out, "%s, others", tui_groups_rule(groups, g->rule_id));
	else
		tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(tui_groups_rule(groups, g->rule_id)));
	put_who(f, out);
	put_what(groups, f, out);
	put_time(app, g->last_ts, g->first_ts, 3, out);
	tui_rows_cell(out, TUI_ROLE_NORMAL, one ? f->verdict : SV_NONE);
	tui_rows_cell(out, TUI_ROLE_NORMAL, f->container);
	put_tags(f->tags, out);
	tui_rows_cell(out, TUI_ROLE_NORMAL, f->hostname);
	return 0;
}

int tui_alert_row(struct tui_app *app, struct tui_row_key key, const struct tui_alert_facts *f,
		  struct tui_rows *out)
{
	const bool seen = tui_app_is_seen(app, TUI_SEEN_ALERT, (uint64_t)f->alert_id);
	int rc = tui_rows_add(out, key, TUI_ROLE_NORMAL);

	if (rc < 0)
		return rc;
	put_state(app, f->noted, seen, out);
	tui_rows_cell(out, tui_severity_role(f->severity), sv_of(tui_severity_glyph(f->severity)));
	put_time(app, f->ts, 0, 6, out);
	tui_rows_cell(out, TUI_ROLE_NORMAL, f->rule);
	put_who(f, out);
	put_process(f, out);
	tui_rows_cell(out, TUI_ROLE_NORMAL, f->what);
	tui_rows_cell(out, TUI_ROLE_NORMAL, f->verdict);
	tui_rows_cell(out, TUI_ROLE_NORMAL, f->container);
	put_tags(f->tags, out);
	tui_rows_cell(out, TUI_ROLE_NORMAL, f->hostname);
	tui_rows_printf(out, "%llu", (unsigned long long)f->num);
	tui_rows_printf(out, "%lld", (long long)f->alert_id);
	return 0;
}

static int by_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int tui_group_compare(const struct tui_alert_groups *groups, const struct tui_alert_group *a,
		      const struct tui_alert_group *b, int column)
{
	switch (column) {
	case TUI_GROUP_PRIORITY:
		return a->severity - b->severity;
	case TUI_GROUP_ALERTS:
		return by_number(a->count, b->count);
	case TUI_GROUP_LAST:
		return by_number(a->last_ts, b->last_ts);
	case TUI_GROUP_RULE:
		return strcmp(tui_groups_rule(groups, a->rule_id),
			      tui_groups_rule(groups, b->rule_id));
	default:
		return by_number(a->first_ts, b->first_ts);
	}
}
