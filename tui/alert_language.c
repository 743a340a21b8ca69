/* SPDX-License-Identifier: Apache-2.0 */
/* What the filter bar is told of filters of alerts. */
#include "tui/alert_filter.h"

#define TYPE_TEXT     "text"
#define TYPE_NUMBER   "number"
#define TYPE_PRIORITY "priority"
#define TYPE_TIME     "time"
#define TYPE_TAGS     "list"
#define TYPE_FLAG     "bool"

static const struct tui_filter_field fields[] = {
#define FIELD(name, words, kind, level, sql, help) {name, TYPE_##kind, help},
#include "tui/alert_fields.def"
#undef FIELD
};

/* What is missing at the end may still come. */
static int check(struct sv text, size_t *pos, struct error *err)
{
	struct tui_alert_filter f = {0};
	struct error why = {0};
	int rc = tui_alert_filter_add(&f, text, pos, &why);

	tui_alert_filter_done(&f);
	if (rc < 0 && tui_filter_is_unfinished(text, *pos))
		return error_set(err, ERR_TRUNCATED, "not finished: %s", why.msg);
	return rc < 0 ? error_set(err, rc, "%s", why.msg) : 0;
}

const struct tui_filter_language tui_alert_language = {
    .own = fields, .own_count = COUNT_OF(fields), .check = check};
