/* SPDX-License-Identifier: Apache-2.0 */
/* Option values read and results printed: numbers, sizes, times. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

#define NS_PER_S 1000000000ull

int cli_take_duration(const char *option, const char *value, uint64_t *ns)
{
	if (cli_parse_duration(value, ns) && *ns)
		return 0;
	cli_log(CLI_ERROR, "--%s %s: expected a duration such as 30s, 5m or 1h", option, value);
	return CLI_USAGE;
}

bool cli_parse_zone(const char *text, int *offset_s)
{
	unsigned h, m;
	char end;

	if (strcmp(text, "UTC") == 0 || strcmp(text, "Z") == 0) {
		*offset_s = 0;
		return true;
	}
	if (strcmp(text, "local") == 0) {
		time_t now = time(NULL);
		struct tm tm;

		localtime_r(&now, &tm);
		*offset_s = (int)tm.tm_gmtoff;
		return true;
	}
	if ((text[0] != '+' && text[0] != '-') ||
	    sscanf(text + 1, "%2u:%2u%c", &h, &m, &end) != 2 || h > 14 || m > 59)
		return false;
	*offset_s = (int)(h * 3600 + m * 60) * (text[0] == '-' ? -1 : 1);
	return true;
}

int cli_take_time(const char *option, const char *value, uint64_t *ns, bool *relative)
{
	if (cli_parse_time(value, ns, relative))
		return 0;
	cli_log(CLI_ERROR,
		"--%s %s: expected a time such as 2026-11-22T03:02:21Z, @1795316541.5 or +30s",
		option, value);
	return CLI_USAGE;
}

int cli_source_date(int64_t *out)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t made;

	*out = -1;
	if (!epoch || !*epoch)
		return 0;
	if (!cli_parse_u64(epoch, &made) || made > UINT32_MAX) {
		cli_log(CLI_ERROR, "SOURCE_DATE_EPOCH=%s: expected seconds since 1970", epoch);
		return CLI_USAGE;
	}
	*out = (int64_t)made;
	return 0;
}

void cli_time(struct buf *b, uint64_t ts)
{
	if (ts == 0 || ts == UINT64_MAX) {
		buf_char(b, '-');
		return;
	}
	flt_time_iso8601(b, ts);
	buf_char(b, 'Z');
}

void cli_grouped(struct buf *b, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf_char(b, ',');
		buf_char(b, digits[i]);
	}
}

void cli_bytes(struct buf *b, uint64_t n)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double v = (double)n;
	size_t u = 0;

	for (; v >= 1000 && u + 1 < COUNT_OF(units); u++)
		v /= 1000;
	buf_addf(b, u ? "%.1f %s" : "%.0f %s", v, units[u]);
}

bool cli_parse_range(const char *text, uint64_t *first, uint64_t *last)
{
	const char *dots = strstr(text, "..");
	char number[24] = "";

	*first = 1;
	*last = 0;
	if (!dots)
		return cli_parse_u64(text, first) && (*last = *first) > 0;
	if ((size_t)(dots - text) >= sizeof(number) || (dots == text && !dots[2]))
		return false;
	memcpy(number, text, (size_t)(dots - text));
	return (!*number || (cli_parse_u64(number, first) && *first)) &&
	       (!dots[2] || (cli_parse_u64(dots + 2, last) && *last >= *first));
}
