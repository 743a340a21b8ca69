/* SPDX-License-Identifier: Apache-2.0 */
/* What people say of alerts, and the command lines that show the same alerts. Threads: that of the
 * program. */
#ifndef TUI_ALERT_SAY_H
#define TUI_ALERT_SAY_H

#include "tui/alert_groups.h"
#include "tui/app.h"

/* ':verdict STATE REASON' of one alert, or of all that look like it; told in the footer. False: it
 * was not said. */
bool tui_say_verdict(struct tui_app *app, int64_t alert_id, bool whole_group, struct sv arg);
/* A note or a bookmark at the event of the alert, in its capture; told in the footer. */
void tui_mark_alert(struct tui_app *app, const struct tui_alert_facts *f, enum tui_action what,
		    struct sv text);
/* "scapula query CASE ..." for groups, or (TUI_BY_NOTHING) alerts, that pass; of one fingerprint
 * only if @fingerprint is given. */
void tui_alerts_command(struct tui_data *d, enum tui_grouping by, const struct tui_alert_filter *f,
			const int64_t *fingerprint, struct buf *out);

#endif
