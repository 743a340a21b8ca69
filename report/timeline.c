/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts over time, in buckets whose width is a round one. */
#include "report/internal.h"

#define S INT64_C(1000000000)

/* Widths that people count in. */
static const int64_t widths[] = {
    1000,	 10000,	       100000,	  1000000,   2000000,	5000000,   10000000,   20000000,
    50000000,	 100000000,    200000000, 500000000, S,		2 * S,	   5 * S,      10 * S,
    15 * S,	 30 * S,       60 * S,	  120 * S,   300 * S,	600 * S,   900 * S,    1800 * S,
    3600 * S,	 7200 * S,     10800 * S, 21600 * S, 43200 * S, 86400 * S, 172800 * S, 604800 * S,
    2592000 * S, 31536000 * S,
};

/* The time of the first selected alert, or of the last; 0: there is none. */
static int end_of(struct rep_case *c, const char *order, int64_t *out, struct error *err)
{
	struct rep_rows *r;
	int rc = rep_rows_open(c, "times of alerts", &r, err,
			       "SELECT a.ts " REP_ALERTS "WHERE 1%s ORDER BY a.ts %s LIMIT 1",
			       c->alerts, order);

	*out = 0;
	if (rc < 0)
		return rc;
	rc = rep_rows_step(r, err);
	if (rc > 0)
		*out = sqlite3_column_int64(r->stmt, 0);
	rep_rows_close(r);
	return rc < 0 ? rc : 0;
}

/* At most @buckets of them from @first to @last, the first one at a multiple of its width. */
static void lay_out(struct rep_timeline *t, int64_t first, int64_t last, unsigned buckets)
{
	int64_t width = widths[0];

	for (size_t i = 0; i < COUNT_OF(widths); i++) {
		width = widths[i];
		if (last / width - first / width < buckets)
			break;
	}
	while (last / width - first / width >= buckets)
		width *= 2;
	t->width = width;
	t->first_ts = first - first % width;
	t->count = (unsigned)(last / width - first / width + 1);
}

/* Counted here rather than by SQLite, which would sort all of them first. */
static int fill(struct rep_case *c, struct rep_timeline *t, struct error *err)
{
	struct rep_rows *r;
	int rc = rep_rows_open(c, "the time line", &r, err,
			       "SELECT a.ts, a.priority " REP_ALERTS "WHERE 1%s", c->alerts);

	if (rc < 0)
		return rc;
	while ((rc = rep_rows_step(r, err)) > 0) {
		struct rep_columns k = {.stmt = r->stmt};
		int64_t ts = rep_zero(&k);
		int severity = rep_severity(&k);

		if (ts >= t->first_ts && (ts - t->first_ts) / t->width < t->count)
			t->alerts[(ts - t->first_ts) / t->width][severity]++;
	}
	rep_rows_close(r);
	return rc;
}

int rep_timeline_of(struct rep_case *c, unsigned buckets, struct rep_timeline *out,
		    struct error *err)
{
	int64_t first, last;
	int rc = end_of(c, "ASC", &first, err);

	if (rc == 0)
		rc = end_of(c, "DESC", &last, err);
	*out = (struct rep_timeline){0};
	if (rc < 0 || first <= 0 || last < first)
		return rc;
	if (buckets < 1 || buckets > REP_BUCKETS_MAX)
		buckets = REP_BUCKETS_MAX;
	lay_out(out, first, last, buckets);
	return fill(c, out, err);
}
