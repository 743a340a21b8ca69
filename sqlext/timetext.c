/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which times have a text that compares so to a given one. Texts of times are of one length, so
 * their order is that of the times, and a beginning that looks like theirs bounds them.
 */
#include <string.h>

#include "base/human.h"
#include "sqlext/internal.h"

#define TEXT_LEN 30 /* of a time */
#define MONTH	 7  /* and of its beginning up to the month */
#define DAY_NS	 86400000000000ull

/* How much of @s can be the beginning of a time's text, as far as digits and signs go. */
static size_t like_time(struct sv s)
{
	static const char pattern[] = "0000-00-00T00:00:00.000000000Z";
	size_t i;

	for (i = 0; i < s.n && i < TEXT_LEN; i++) {
		bool digit = s.p[i] >= '0' && s.p[i] <= '9';

		if (pattern[i] == '0' ? !digit : s.p[i] != pattern[i])
			break;
	}
	return i;
}

/* The time of the first @n bytes of @s, completed from @rest; false: there is no such time. */
static bool complete(struct sv s, size_t n, const char *rest, uint64_t *out)
{
	char text[TEXT_LEN + 1];
	struct buf again = {0};
	bool relative, same;

	memcpy(text, rest, sizeof(text));
	memcpy(text, s.p, n);
	if (!human_time(text, out, &relative))
		return false;
	flt_time_iso8601(&again, *out); /* the 31st of February is another day */
	same = again.len >= n - (n == TEXT_LEN) && memcmp(again.p, text, n - (n == TEXT_LEN)) == 0;
	buf_done(&again);
	return same;
}

void vtab_time_range(struct sv s, uint64_t *from, uint64_t *to)
{
	static const size_t parts[] = {TEXT_LEN, 19, 16, 13, 10, MONTH, 4};
	size_t n = like_time(s);
	uint64_t first, last;

	*from = 0;
	*to = UINT64_MAX;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (parts[i] > n ||
		    !complete(s, parts[i], "0000-01-01T00:00:00.000000000Z", &first) ||
		    !complete(s, parts[i], "0000-12-28T23:59:59.999999999Z", &last))
			continue;
		if (parts[i] <= MONTH) /* which ends up to three days later */
			last = last < UINT64_MAX - 3 * DAY_NS ? last + 3 * DAY_NS : UINT64_MAX;
		*from = first;
		*to = last;
		return;
	}
}
