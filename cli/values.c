/* SPDX-License-Identifier: Apache-2.0 */
/* Option values read and results printed: numbers, sizes, times. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

#define NS_PER_S 1000000000ull

/* Decimal digits at *p as a number; false without digits or on overflow. */
static bool take_digits(const char **p, uint64_t *out)
{
	uint64_t v = 0;
	const char *s = *p;

	if (!isdigit((unsigned char)*s))
		return false;
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return false;
	*p = s;
	*out = v;
	return true;
}

/* ".5" as nanoseconds of a second; no point: 0. */
static bool take_fraction(const char **p, uint64_t *ns)
{
	uint64_t unit = NS_PER_S;

	*ns = 0;
	if (**p != '.')
		return true;
	(*p)++;
	if (!isdigit((unsigned char)**p))
		return false;
	for (; isdigit((unsigned char)**p); (*p)++) {
		unit /= 10;
		*ns += unit * (uint64_t)(**p - '0');
	}
	return true;
}

bool cli_parse_u64(const char *text, uint64_t *out)
{
	return take_digits(&text, out) && !*text;
}

bool cli_parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	const char *unit;

	if (!take_digits(&text, bytes))
		return false;
	if (!*text)
		return true;
	unit = strchr(units, toupper((unsigned char)*text));
	if (!unit || (text[1] && strcmp(text + 1, "B") != 0 && strcmp(text + 1, "iB") != 0))
		return false;
	return !__builtin_mul_overflow(*bytes, 1ull << 10 * (unit - units + 1), bytes);
}

bool cli_parse_duration(const char *text, uint64_t *ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {{"", NS_PER_S}, {"s", NS_PER_S},	   {"ms", 1000000},	  {"us", 1000},
		     {"ns", 1},	     {"m", 60 * NS_PER_S}, {"h", 3600 * NS_PER_S}};
	uint64_t whole, fraction, scaled;

	if (!take_digits(&text, &whole) || !take_fraction(&text, &fraction))
		return false;
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		scaled = (uint64_t)((double)fraction / (double)NS_PER_S * (double)units[i].ns);
		return !__builtin_mul_overflow(whole, units[i].ns, ns) &&
		       !__builtin_add_overflow(*ns, scaled, ns);
	}
	return false;
}

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

static bool parse_iso(const char *text, uint64_t *ns)
{
	struct tm tm = {0};
	const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	uint64_t fraction;
	int64_t s;

	if (!p)
		p = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
	if (!p || !take_fraction(&p, &fraction))
		return false;
	if (*p == 'Z')
		p++;
	s = timegm(&tm);
	if (*p || s < 0 || (uint64_t)s > UINT64_MAX / NS_PER_S - 1)
		return false;
	*ns = (uint64_t)s * NS_PER_S + fraction;
	return true;
}

bool cli_parse_time(const char *text, uint64_t *ns, bool *relative)
{
	uint64_t whole, fraction;
	const char *p = text;

	*relative = text[0] == '+';
	if (*relative)
		return cli_parse_duration(text + 1, ns);
	if (text[0] == '@') {
		p++;
		if (!take_digits(&p, &whole) || !take_fraction(&p, &fraction) || *p ||
		    whole > UINT64_MAX / NS_PER_S - 1)
			return false;
		*ns = whole * NS_PER_S + fraction;
		return true;
	}
	if (strlen(text) > 10 && cli_parse_u64(text, ns))
		return true;
	return parse_iso(text, ns);
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
