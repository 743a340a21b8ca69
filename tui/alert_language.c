/* SPDX-License-Identifier: Apache-2.0 */
/* The language of filters of alerts, for the filter bar: they become SQL, and have short forms of
 * their own. */
#include "tui/alert_filter.h"
#include "tui/filter.h"

static int check_alerts(struct sv text, size_t *pos, struct error *err)
{
	struct tui_alert_filter f = {0};
	struct error why = {0};
	int rc = text.n ? tui_alert_filter_add(&f, text, pos, &why) : 0;

	tui_alert_filter_done(&f);
	if (rc == 0)
		return 0;
	if (tui_filter_is_unfinished(text, *pos))
		return error_set(err, ERR_TRUNCATED, "not finished: %s", why.msg);
	return error_set(err, rc, "%s", why.msg);
}

#define TEXT	 "string"
#define PRIORITY "priority"
#define TAGS	 "string"
#define FLAG	 "bool"
#define NUMBER	 "number"
#define TIME	 "time"
#define FIELD(name, short_name, kind, about, sql, help)                                            \
	{name, kind, help}, {short_name, kind, help},
static const struct tui_filter_field alert_fields[] = {
#include "tui/alert_fields.def"
};
#undef FIELD

const struct tui_filter_language tui_alerts_language = {
    .own = alert_fields, .own_count = COUNT_OF(alert_fields), .check = check_alerts};
