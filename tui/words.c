/* SPDX-License-Identifier: Apache-2.0 */
/* Times, counts and severities as the screen has them. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/human.h"
#include "engine/activity/words.h"
#include "engine/rules/rules.h"
#include "tui/internal.h"

#define NS_PER_S 1000000000ull

static void add_zone(struct buf *out, int offset_s)
{
	int minutes = offset_s / 60;

	if (!offset_s)
		buf_char(out, 'Z');
	else
		buf_addf(out, "%c%02d:%02d", offset_s < 0 ? '-' : '+',
			 (minutes < 0 ? -minutes : minutes) / 60,
			 (minutes < 0 ? -minutes : minutes) % 60);
}

static void add_fraction(struct buf *out, uint64_t ns, int decimals)
{
	char digits[16];

	if (decimals <= 0)
		return;
	snprintf(digits, sizeof(digits), "%09u", (unsigned)(ns % NS_PER_S));
	buf_char(out, '.');
	buf_add(out, digits, (size_t)(decimals > 9 ? 9 : decimals));
}

static void add_date_and_time(struct buf *out, uint64_t ts, int offset_s, bool date, int decimals)
{
	time_t s = (time_t)(ts / NS_PER_S) + offset_s;
	struct tm tm;

	gmtime_r(&s, &tm);
	if (date)
		buf_addf(out, "%04d-%02d-%02dT", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	buf_addf(out, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
	add_fraction(out, ts, decimals);
}

void tui_time_full(const struct tui_app *app, struct buf *out, uint64_t ts, int decimals)
{
	if (!ts) {
		buf_char(out, '-');
		return;
	}
	add_date_and_time(out, ts, app->opt->tz_offset_s, true, decimals);
	add_zone(out, app->opt->tz_offset_s);
}

static void add_difference(struct buf *out, uint64_t ts, uint64_t from, int decimals)
{
	uint64_t ns = ts >= from ? ts - from : from - ts;

	buf_addf(out, "%c%llu", ts >= from ? '+' : '-', (unsigned long long)(ns / NS_PER_S));
	add_fraction(out, ns, decimals);
}

void tui_app_time(const struct tui_app *app, struct buf *out, uint64_t ts, uint64_t before,
		  int decimals)
{
	const struct tui_capture *c = tui_data_capture(app->data);

	if (!ts) {
		buf_char(out, '-');
		return;
	}
	switch (app->time_form) {
	case TUI_TIME_RELATIVE:
		add_difference(out, ts, c ? c->first_ts : 0, decimals);
		break;
	case TUI_TIME_DELTA:
		add_difference(out, ts, before ? before : ts, decimals);
		break;
	case TUI_TIME_EPOCH:
		buf_u64(out, ts / NS_PER_S);
		add_fraction(out, ts, decimals);
		break;
	default:
		add_date_and_time(out, ts, app->opt->tz_offset_s, false, decimals);
	}
}

void tui_duration(struct buf *out, uint64_t ns)
{
	act_duration_text(out, ns);
}

void tui_count(struct buf *out, uint64_t n)
{
	if (n < 1000)
		buf_u64(out, n);
	else if (n < 100000)
		buf_addf(out, "%u,%03u", (unsigned)(n / 1000), (unsigned)(n % 1000));
	else
		act_size_text(out, n);
}

bool tui_number(struct sv text, uint64_t *out)
{
	char digits[32];

	if (text.n >= sizeof(digits))
		return false;
	if (text.n)
		memcpy(digits, text.p, text.n);
	digits[text.n] = '\0';
	return human_u64(digits, out);
}

bool tui_time_of_day(const char *text, uint64_t *ns)
{
	unsigned h, m, s = 0;
	int used = 0;
	uint64_t unit = NS_PER_S;

	if (sscanf(text, "%2u:%2u%n", &h, &m, &used) != 2 || h > 23 || m > 59)
		return false;
	text += used;
	if (*text == ':') {
		if (!isdigit((unsigned char)text[1]) || sscanf(text, ":%2u%n", &s, &used) != 1 ||
		    s > 60)
			return false;
		text += used;
	}
	*ns = (h * 3600ull + m * 60ull + s) * NS_PER_S;
	if (*text == '.')
		for (text++; isdigit((unsigned char)*text); text++) {
			unit /= 10;
			*ns += unit * (uint64_t)(*text - '0');
		}
	return *text == '\0';
}

const char *tui_severity(int priority)
{
	static const char *const names[] = {"!!EMERG", "!!ALERT", "!!CRIT", "!ERR",
					    "~WARN",   ".NOTICE", ".INFO",  ".DEBUG"};

	return priority >= 0 && priority < (int)COUNT_OF(names) ? names[priority] : "?";
}

const char *tui_severity_glyph(int priority)
{
	static const char *const glyphs[] = {"!!", "!!", "!!", "!", "~", ".", ".", "."};

	return priority >= 0 && priority < (int)COUNT_OF(glyphs) ? glyphs[priority] : "?";
}

enum tui_role tui_severity_role(int priority)
{
	if (priority < 0)
		return TUI_ROLE_NORMAL;
	if (priority <= RULE_CRITICAL)
		return TUI_ROLE_CRITICAL;
	if (priority == RULE_ERROR)
		return TUI_ROLE_ERROR;
	return priority == RULE_WARNING ? TUI_ROLE_WARNING : TUI_ROLE_NOTICE;
}
