/* SPDX-License-Identifier: Apache-2.0 */
#include "base/human.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "base/defs.h"

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

bool human_u64(const char *text, uint64_t *out)
{
	return take_digits(&text, out) && !*text;
}

bool human_size(const char *text, uint64_t *bytes)
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

bool human_duration(const char *text, uint64_t *ns)
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

bool human_time(const char *text, uint64_t *ns, bool *relative)
{
	uint64_t whole, fraction;
	const char *p = text;

	*relative = text[0] == '+';
	if (*relative)
		return human_duration(text + 1, ns);
	if (text[0] == '@') {
		p++;
		if (!take_digits(&p, &whole) || !take_fraction(&p, &fraction) || *p ||
		    whole > UINT64_MAX / NS_PER_S - 1)
			return false;
		*ns = whole * NS_PER_S + fraction;
		return true;
	}
	if (strlen(text) > 10 && human_u64(text, ns))
		return true;
	return parse_iso(text, ns);
}
