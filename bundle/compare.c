/* SPDX-License-Identifier: Apache-2.0 */
/* The alerts of two readings of a capture, held against each other in the order of their events. */
#include <inttypes.h>
#include <sqlite3.h>
#include <string.h>

#include "bundle/internal.h"

#define TOLD_MAX 200 /* bytes of a text in a difference */

struct side { /* one reading */
	const char *path;
	sqlite3 *db;
	sqlite3_stmt *stmt;
	bool more; /* the statement is at a row */
};

enum { OFFSET, NUMBER, RULE, TIME, PRIORITY, OUTPUT, FIELDS };

static int step(struct side *s, struct error *err)
{
	int rc = sqlite3_step(s->stmt);

	s->more = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE
		   ? 0
		   : bag_case_failed(s->db, s->path, "reading its alerts", err);
}

static int side_open(struct side *s, const char *path, int64_t reading,
		     const struct bag_checking *opt, struct error *err)
{
	int rc = bag_case_open(path, opt, &s->db, err);

	s->path = path;
	if (rc == 0 && (sqlite3_prepare_v2(s->db,
					   "SELECT a.evt_offset, a.evt_num, r.name, a.ts, "
					   "a.priority, a.output, a.output_fields "
					   "FROM alerts a JOIN rules r USING (rule_id) "
					   "WHERE a.run_capture_id = ?1 ORDER BY 1, 2, 3",
					   -1, &s->stmt, NULL) != SQLITE_OK ||
			sqlite3_bind_int64(s->stmt, 1, reading) != SQLITE_OK))
		rc = bag_case_failed(s->db, path, "reading its alerts", err);
	return rc == 0 ? step(s, err) : rc;
}

static void side_close(struct side *s)
{
	sqlite3_finalize(s->stmt);
	sqlite3_close(s->db);
}

static struct sv column(const struct side *s, int i)
{
	const char *text = (const char *)sqlite3_column_text(s->stmt, i);

	return sv_make(text ? text : "", (size_t)sqlite3_column_bytes(s->stmt, i));
}

static int compare_numbers(const struct side *a, const struct side *b, int i)
{
	int64_t x = sqlite3_column_int64(a->stmt, i), y = sqlite3_column_int64(b->stmt, i);

	return x < y ? -1 : x > y;
}

/* Which alert comes first? One that is not there comes last. */
static int order(const struct side *a, const struct side *b)
{
	struct sv x, y;
	int d;

	if (!a->more || !b->more)
		return a->more ? -1 : 1;
	d = compare_numbers(a, b, OFFSET);
	if (!d)
		d = compare_numbers(a, b, NUMBER);
	if (d)
		return d;
	x = column(a, RULE);
	y = column(b, RULE);
	d = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
	return d ? d : (x.n > y.n) - (x.n < y.n);
}

static bool says_the_same(const struct side *a, const struct side *b)
{
	return !compare_numbers(a, b, TIME) && !compare_numbers(a, b, PRIORITY) &&
	       sv_eq(column(a, OUTPUT), column(b, OUTPUT)) &&
	       sv_eq(column(a, FIELDS), column(b, FIELDS));
}

static const char *beginning(struct bag_comparison *c, struct sv text)
{
	return arena_strndup(&c->arena, text.p, text.n < TOLD_MAX ? text.n : TOLD_MAX);
}

static int tell(struct bag_comparison *c, enum bag_difference_kind kind, const struct side *s,
		struct error *err)
{
	struct bag_difference *d;

	if (c->ntold == BAG_DIFFERENCES_MAX)
		return 0;
	d = &c->first[c->ntold++];
	*d = (struct bag_difference){.kind = kind,
				     .evt_num = (uint64_t)sqlite3_column_int64(s->stmt, NUMBER),
				     .rule = beginning(c, column(s, RULE)),
				     .what = beginning(c, column(s, OUTPUT))};
	return d->rule && d->what ? 0 : error_nomem(err);
}

/* Take what comes next off one side or both. */
static int take_next(struct side *a, struct side *b, struct bag_comparison *c, struct error *err)
{
	int d = order(a, b), rc = 0;

	if (d < 0) {
		c->missing++;
		rc = tell(c, BAG_ALERT_MISSING, a, err);
	} else if (d > 0) {
		c->added++;
		rc = tell(c, BAG_ALERT_ADDED, b, err);
	} else if (says_the_same(a, b)) {
		c->same++;
	} else {
		c->changed++;
		rc = tell(c, BAG_ALERT_CHANGED, a, err);
	}
	if (rc == 0 && d <= 0)
		rc = step(a, err);
	if (rc == 0 && d >= 0)
		rc = step(b, err);
	return rc;
}

int bag_compare(const char *path, int64_t reading, const char *other_path, int64_t other_reading,
		const struct bag_checking *opt, struct bag_comparison *out, struct error *err)
{
	struct side a = {0}, b = {0};
	int rc = side_open(&a, path, reading, opt, err);

	if (rc == 0)
		rc = side_open(&b, other_path, other_reading, opt, err);
	while (rc == 0 && (a.more || b.more))
		rc = take_next(&a, &b, out, err);
	side_close(&a);
	side_close(&b);
	return rc;
}

void bag_comparison_done(struct bag_comparison *c)
{
	arena_done(&c->arena);
}
