/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/table_internal.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "12", "3,410,000" */
static size_t whole(struct sv s, long double *v)
{
	size_t i = 0, group = 0;
	bool grouped = false;

	for (; i < s.n && (is_digit(s.p[i]) || (s.p[i] == ',' && i)); i++) {
		if (s.p[i] != ',') {
			*v = *v * 10 + (s.p[i] - '0');
			group++;
			continue;
		}
		if (grouped ? group != 3 : group > 3)
			return 0;
		grouped = true;
		group = 0;
	}
	return grouped && group != 3 ? 0 : i;
}

static long double factor(char c)
{
	static const char units[] = "KMGTPE";
	const char *at = c ? strchr(units, c == 'k' ? 'K' : c) : NULL;
	long double f = 1;

	for (const char *u = units; at && u <= at; u++)
		f *= 1000;
	return f;
}

bool table_number(struct sv text, long double *out)
{
	const bool minus = text.n && text.p[0] == '-';
	long double v = 0, place = 1;
	size_t n;

	if (minus || (text.n && text.p[0] == '+'))
		text = sv_drop(text, 1);
	n = whole(text, &v);
	if (!n)
		return false;
	text = sv_drop(text, n);
	if (text.n > 1 && text.p[0] == '.' && is_digit(text.p[1])) {
		for (text = sv_drop(text, 1); text.n && is_digit(text.p[0]);
		     text = sv_drop(text, 1)) {
			place /= 10;
			v += place * (text.p[0] - '0');
		}
	}
	if (text.n && text.p[0] == '%') {
		text = sv_drop(text, 1);
	} else if (text.n && factor(text.p[0]) > 1) {
		v *= factor(text.p[0]);
		text = sv_drop(text, 1);
	}
	*out = minus ? -v : v;
	return text.n == 0;
}
