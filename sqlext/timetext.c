/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which times have a text that compares so to a given one. Texts of times are of one length, so
 * their order is that of the times.
 */
#include "sqlext/internal.h"

/* Is the text of @ts greater than @s, or with @equal the same? */
static bool is_behind(struct buf *text, uint64_t ts, struct sv s, bool equal)
{
	int order;

	buf_reset(text);
	vtab_time_text(text, ts);
	order = sv_cmp(buf_view(text), s);
	return order > 0 || (equal && order == 0);
}

/* The first time of which that is so. Return: 1, 0 if there is none, or ERR_NOMEM. */
static int first_behind(struct sv s, bool equal, uint64_t *ts)
{
	uint64_t low = 0, high = UINT64_MAX;
	struct buf text = {0};
	bool found, failed;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (is_behind(&text, mid, s, equal))
			high = mid;
		else
			low = mid + 1;
	}
	*ts = low;
	found = is_behind(&text, low, s, equal);
	failed = text.failed;
	buf_done(&text);
	return failed ? ERR_NOMEM : found;
}

bool vtab_time_is_ordered(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

int vtab_time_range(struct sv s, int op, uint64_t *from, uint64_t *to)
{
	bool less = op == SQLITE_INDEX_CONSTRAINT_LT, greater = op == SQLITE_INDEX_CONSTRAINT_GT;
	uint64_t end;
	int rc;

	*from = 0;
	*to = UINT64_MAX;
	if (!less && op != SQLITE_INDEX_CONSTRAINT_LE) {
		rc = first_behind(s, !greater, from);
		if (rc <= 0)
			return rc;
	}
	if (!greater && op != SQLITE_INDEX_CONSTRAINT_GE) {
		rc = first_behind(s, less, &end);
		if (rc < 0 || (rc > 0 && end <= *from))
			return rc < 0 ? rc : 0;
		if (rc > 0)
			*to = end - 1;
	}
	return 1;
}
