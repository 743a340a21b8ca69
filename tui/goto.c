/* SPDX-License-Identifier: Apache-2.0 */
/* Where ':goto' leads. */
#include <string.h>

#include "base/human.h"
#include "tui/internal.h"

#define NS_PER_S   1000000000ull
#define NS_PER_DAY (86400ull * NS_PER_S)
#define TEXT_MAX   64

static int go_to_alert(struct tui_app *app, uint64_t id, struct error *err)
{
	struct qry_page page;
	size_t i;
	int rc = qry_browse_alert(tui_data_alerts(app->data), (int64_t)id, &page, err);

	if (rc < 0)
		return rc;
	i = tui_data_capture_of(app->data, (int64_t)page.alerts->capture_id);
	if (i == SIZE_MAX)
		return error_set(err, ERR_USAGE, "the capture of alert %llu is not here",
				 (unsigned long long)id);
	rc = tui_data_use(app->data, i, err);
	if (rc == 0)
		tui_app_goto_event(app, page.alerts->evt_num);
	return rc;
}

static int go_by(struct tui_app *app, const char *text, uint64_t now, struct error *err)
{
	uint64_t ns;

	if (!human_duration(text + 1, &ns))
		return error_set(err, ERR_USAGE,
				 "'%s': expected a duration such as +5s, -200ms or +2m", text);
	tui_app_goto_time(app, *text == '+' ? now + ns : now > ns ? now - ns : 1);
	return 0;
}

static int go_to_number(struct tui_app *app, const char *text, struct error *err)
{
	uint64_t n;

	if (!human_u64(text + 1, &n))
		return error_set(err, ERR_USAGE, "'%s': expected a number behind '%c'", text,
				 *text);
	if (*text == '@')
		return go_to_alert(app, n, err);
	tui_app_goto_event(app, n);
	return 0;
}

int tui_app_goto_text(struct tui_app *app, struct sv arg, struct error *err)
{
	const struct tui_capture *c = tui_data_capture(app->data);
	char text[TEXT_MAX];
	uint64_t num, ns, now = tui_data_time(app->data, &num);
	int64_t zone = (int64_t)app->opt->tz_offset_s * (int64_t)NS_PER_S;
	bool relative;

	if (arg.n >= sizeof(text))
		return error_set(err, ERR_USAGE, "that is too long for a time");
	if (arg.n)
		memcpy(text, arg.p, arg.n);
	text[arg.n] = '\0';
	if (strcmp(text, "start") == 0) {
		tui_app_goto_event(app, 0);
		return 0;
	}
	if (strcmp(text, "end") == 0) {
		tui_app_goto_event(app, UINT64_MAX);
		return 0;
	}
	if (*text == '+' || *text == '-')
		return go_by(app, text, now, err);
	if (*text == '#' || *text == '@')
		return go_to_number(app, text, err);
	if (tui_time_of_day(text, &ns)) {
		uint64_t day = (uint64_t)((int64_t)(now ? now
						    : c ? c->first_ts
							: 0) +
					  zone) /
			       NS_PER_DAY;

		tui_app_goto_time(app, (uint64_t)((int64_t)(day * NS_PER_DAY + ns) - zone));
		return 0;
	}
	if (human_time(text, &ns, &relative) && !relative) {
		tui_app_goto_time(app, ns);
		return 0;
	}
	return error_set(err, ERR_USAGE,
			 "'%s': expected a time such as 11:04:17.2, 2026-03-02T11:04:17Z, +5s or "
			 "-200ms, #EVENT, "
			 "@ALERT, start or end",
			 text);
}
