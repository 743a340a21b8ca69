/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of lists of alerts, and of groups of them. Internal to tui/alert*.c. */
#ifndef TUI_ALERT_COLUMNS_H
#define TUI_ALERT_COLUMNS_H

#include "tui/alert_groups.h"
#include "tui/app.h"

enum tui_group_column {
	TUI_GROUP_STATE,
	TUI_GROUP_PRIORITY,
	TUI_GROUP_FIRST,
	TUI_GROUP_ALERTS,
	TUI_GROUP_RULE,
	TUI_GROUP_WHO,
	TUI_GROUP_WHAT,
	TUI_GROUP_LAST,
	TUI_GROUP_VERDICT,
	TUI_GROUP_CONTAINER,
	TUI_GROUP_TAGS,
	TUI_GROUP_HOST,
	TUI_GROUP_COLUMNS
};
extern const struct tui_column tui_group_columns[TUI_GROUP_COLUMNS];

enum tui_alert_column {
	TUI_ALERT_STATE,
	TUI_ALERT_PRIORITY,
	TUI_ALERT_TIME,
	TUI_ALERT_RULE,
	TUI_ALERT_WHO,
	TUI_ALERT_PROCESS,
	TUI_ALERT_WHAT,
	TUI_ALERT_VERDICT,
	TUI_ALERT_CONTAINER,
	TUI_ALERT_TAGS,
	TUI_ALERT_HOST,
	TUI_ALERT_EVENT,
	TUI_ALERT_ID,
	TUI_ALERT_COLUMNS
};
extern const struct tui_column tui_alert_columns[TUI_ALERT_COLUMNS];

/* What was looked at in this session (tui_app_see()). */
enum { TUI_SEEN_ALERT = 1, TUI_SEEN_GROUP };
uint64_t tui_seen_group(enum tui_grouping by, uint64_t key);

/* A row for the group, of which @f is an alert. */
MUST_CHECK int tui_group_row(struct tui_app *app, const struct tui_alert_groups *groups,
			     const struct tui_alert_group *g, const struct tui_alert_facts *f,
			     struct tui_rows *out);
MUST_CHECK int tui_alert_row(struct tui_app *app, struct tui_row_key key,
			     const struct tui_alert_facts *f, struct tui_rows *out);
/* The order of groups by a column: below 0, 0, above. */
int tui_group_compare(const struct tui_alert_groups *groups, const struct tui_alert_group *a,
		      const struct tui_alert_group *b, int column);

#endif
