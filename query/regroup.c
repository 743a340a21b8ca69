/* SPDX-License-Identifier: Apache-2.0 */
#include "query/regroup.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "archive/archive.h"
#include "query/alert_scan.h"
#include "query/ask.h"
#include "query/grouping.h"
#include "query/internal.h"
#include "query/json_field.h"
#include "query/tally_sql.h"

#define PARTS_EACH 32 /* of a thread: so that none waits long for the others in the end */
#define TRIES	   3  /* to see the same state of a case that somebody fills */

struct job { /* the rows of one statement; all threads take parts of it */
	int64_t first;
	uint64_t rows, part; /* numbers of rows; those of a part */
	atomic_uint_fast64_t next;
	atomic_bool over; /* all taken, or one failed */
};

struct lane { /* a connection, and the thread that uses it while groups are gathered */
	struct qry_regroup *r;
	sqlite3 *db;
	struct qry_tallies *tallies;
	struct qry_alert_scan *scan;
	int64_t from, to; /* the part at hand */
	/* For the statement at hand: */
	sqlite3_stmt *stmt;
	struct qry_tally *tally;
	pthread_t thread;
	bool runs, good;
};

struct qry_regroup {
	struct qry_regroup_options opt;
	struct lane lanes[QRY_REGROUP_THREADS]; /* the first is the caller's */
	unsigned lane_count, threads;
	bool tried;    /* further ones were opened, or cannot be */
	bool hopeless; /* the statement at hand */
	uint64_t seed;
	struct job job;
};

static bool is_stopped(const struct qry_regroup *r)
{
	return r->opt.tally.stop && r->opt.tally.stop(r->opt.tally.arg);
}

/* --- connections */

static void give_from(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n, (void)v;
	sqlite3_result_int64(ctx, ((const struct lane *)sqlite3_user_data(ctx))->from);
}

static void give_to(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n, (void)v;
	sqlite3_result_int64(ctx, ((const struct lane *)sqlite3_user_data(ctx))->to);
}

static int prepare_lane(struct qry_regroup *r, struct lane *l, struct error *err)
{
	const int how = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
	int rc;

	l->r = r;
	rc = qry_tallies_register(l->db, &l->tallies, err);
	if (rc == 0)
		rc = qry_alert_scan_register(l->db, &l->scan, err);
	if (rc == 0)
		rc = qry_json_field_register(l->db, err);
	/* The same while a statement runs, which is what it means to SQLite. */
	if (rc == 0 && (sqlite3_create_function(l->db, "scapula_from", 0, how, l, give_from, NULL,
						NULL) != SQLITE_OK ||
			sqlite3_create_function(l->db, "scapula_to", 0, how, l, give_to, NULL,
						NULL) != SQLITE_OK))
		rc = error_set(err, ERR_DB, "%s", sqlite3_errmsg(l->db));
	return rc;
}

static void close_lane(struct lane *l)
{
	qry_alert_scan_end(l->scan);
	sqlite3_close(l->db);
	*l = (struct lane){0};
}

/* As many as there can be: what fails would make it slower, nothing else. */
static void open_lanes(struct qry_regroup *r)
{
	unsigned most = r->opt.threads < QRY_REGROUP_THREADS ? r->opt.threads : QRY_REGROUP_THREADS;

	if (r->tried || !r->opt.path || arc_is_inside(r->opt.path))
		return;
	r->tried = true;
	while (r->lane_count < most) {
		struct lane *l = &r->lanes[r->lane_count];
		struct error err;

		if (qry_ask_open(r->opt.path, r->opt.ask, &l->db, &err) < 0)
			return;
		if (prepare_lane(r, l, &err) < 0) {
			close_lane(l);
			return;
		}
		qry_ask_guard(l->db, r->opt.ask);
		r->lane_count++;
	}
}

/* --- the same state for all */

static bool run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Return: false: none. */
static bool number(sqlite3 *db, const char *sql, int column, int64_t *out)
{
	sqlite3_stmt *stmt = NULL;
	bool good = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
		    sqlite3_step(stmt) == SQLITE_ROW &&
		    sqlite3_column_type(stmt, column) == SQLITE_INTEGER;

	if (good)
		*out = sqlite3_column_int64(stmt, column);
	sqlite3_finalize(stmt);
	return good;
}

static void let_go(struct qry_regroup *r)
{
	for (unsigned i = 0; i < r->lane_count; i++)
		if (!sqlite3_get_autocommit(r->lanes[i].db))
			run(r->lanes[i].db, "COMMIT");
}

/*
 * The first connection looks before the others begin and after it has begun itself: if nothing was
 * changed between, nothing was for any of them.
 */
static bool see_the_same(struct qry_regroup *r)
{
	static const char version[] = "PRAGMA main.data_version",
			  touch[] = "BEGIN; SELECT 1 FROM main.sqlite_schema LIMIT 1";
	sqlite3 *first = r->lanes[0].db;
	int64_t before = 0, after = 0;

	for (unsigned i = 0; i < TRIES; i++) {
		bool good = number(first, version, 0, &before);

		for (unsigned k = r->lane_count; good && k-- > 0;)
			good = run(r->lanes[k].db, touch);
		good = good && number(first, version, 0, &after);
		if (good && before == after)
			return true;
		let_go(r);
		if (!good)
			break;
	}
	return false;
}

/* --- gathering */

static bool next_part(struct lane *l)
{
	struct job *j = &l->r->job;
	uint64_t at = atomic_fetch_add(&j->next, 1), begin;

	/* Whether there are so many parts is asked first: a product could be too large. */
	if (atomic_load(&j->over) || at > j->rows / j->part)
		return false;
	begin = at * j->part;
	l->from = (int64_t)((uint64_t)j->first + begin);
	l->to = (int64_t)((uint64_t)l->from +
			  (j->rows - begin < j->part ? j->rows - begin : j->part - 1));
	return true;
}

static bool run_statement(struct lane *l)
{
	int rc;

	while ((rc = sqlite3_step(l->stmt)) == SQLITE_ROW)
		;
	sqlite3_reset(l->stmt);
	return rc == SQLITE_DONE;
}

static void *take_parts(void *arg)
{
	struct lane *l = arg;

	l->good = true;
	while (l->good && next_part(l))
		l->good = run_statement(l);
	if (!l->good)
		atomic_store(&l->r->job.over, true);
	return NULL;
}

struct binding {
	int (*bind)(void *arg, sqlite3_stmt *stmt);
	void *arg;
};

static bool begin_lane(struct lane *l, const struct qry_grouping *g, const char *sql, bool at_once,
		       const struct binding *b)
{
	struct qry_tally_options opt = l->r->opt.tally;
	struct qry_tally_shape shape = g->shape;
	unsigned others = l->r->lane_count - 1;

	/* In parts, what the first gathers is half of all; in the end it has everything. */
	if (!opt.memory)
		opt.memory = QRY_TALLY_MEMORY;
	if (!at_once)
		opt.memory /= l == l->r->lanes ? 2 : 2 * (uint64_t)others;
	shape.in_order = at_once && shape.in_order;
	l->stmt = qry_grouping_prepare(l->db, sql);
	if (!l->stmt || b->bind(b->arg, l->stmt) != 0)
		return false;
	l->tally = qry_tally_new(&opt, &shape, l->r->seed);
	qry_tallies_direct(l->tallies, l->tally);
	return l->tally != NULL;
}

static void end_lane(struct lane *l)
{
	qry_tallies_direct(l->tallies, NULL);
	sqlite3_finalize(l->stmt);
	qry_tally_free(l->tally);
	l->stmt = NULL;
	l->tally = NULL;
	l->runs = l->good = false;
}

static bool find_rows(struct qry_regroup *r, const struct qry_grouping *g)
{
	const uint64_t many = r->opt.many ? r->opt.many : QRY_REGROUP_MANY;
	const char *sql = buf_cstr((struct buf *)&g->bounds);
	struct job *j = &r->job;
	int64_t last = 0;

	if (!number(r->lanes[0].db, sql, 0, &j->first) || !number(r->lanes[0].db, sql, 1, &last))
		return false;
	j->rows = (uint64_t)last - (uint64_t)j->first; /* but one */
	j->part = j->rows / ((uint64_t)r->lane_count * PARTS_EACH) + 1;
	atomic_store(&j->next, 0);
	atomic_store(&j->over, false);
	return j->rows >= many;
}

/* All lanes take parts. Return: are they all in the tally of the first? */
static bool take_all_parts(struct qry_regroup *r)
{
	bool good;

	for (unsigned i = 1; i < r->lane_count; i++) {
		struct lane *l = &r->lanes[i];

		l->runs = pthread_create(&l->thread, NULL, take_parts, l) == 0;
	}
	take_parts(&r->lanes[0]);
	good = r->lanes[0].good;
	for (unsigned i = 1; i < r->lane_count; i++) {
		struct lane *l = &r->lanes[i];

		if (!l->runs)
			continue;
		pthread_join(l->thread, NULL);
		good = good && l->good && qry_tally_merge(r->lanes[0].tally, l->tally);
	}
	return good;
}

/* Would another attempt, with all memory or in order, end better? */
static bool is_hopeless(const struct qry_regroup *r)
{
	for (unsigned i = 0; i < r->lane_count; i++) {
		const struct qry_tally *t = r->lanes[i].tally;
		enum qry_tally_fault fault = t ? qry_tally_fault(t) : QRY_TALLY_FINE;

		if (fault == QRY_TALLY_ORDER || fault == QRY_TALLY_MEMORY_OUT)
			return false;
	}
	return true;
}

/* Return: the settled tally, or NULL. */
static struct qry_tally *gather_in_parts(struct qry_regroup *r, const struct qry_grouping *g,
					 const struct binding *b)
{
	const char *sql = buf_cstr((struct buf *)&g->part);
	struct qry_tally *t = NULL;
	bool good;

	if (!g->part.len || !sqlite3_get_autocommit(r->lanes[0].db))
		return NULL;
	open_lanes(r);
	if (r->lane_count < 2 || !see_the_same(r))
		return NULL;
	good = find_rows(r, g);
	for (unsigned i = 0; i < r->lane_count && good; i++)
		good = begin_lane(&r->lanes[i], g, sql, false, b);
	if (good && take_all_parts(r) && qry_tally_settle(r->lanes[0].tally)) {
		t = r->lanes[0].tally;
		r->lanes[0].tally = NULL;
		r->threads = r->lane_count;
	} else if (good) {
		r->hopeless = is_hopeless(r);
	}
	for (unsigned i = 0; i < r->lane_count; i++)
		end_lane(&r->lanes[i]);
	let_go(r);
	return t;
}

/* Likewise, by the caller's thread alone. */
static struct qry_tally *gather_at_once(struct qry_regroup *r, const struct qry_grouping *g,
					const struct binding *b)
{
	struct lane *l = &r->lanes[0];
	struct qry_tally *t = NULL;

	if (begin_lane(l, g, buf_cstr((struct buf *)&g->all), true, b) && run_statement(l) &&
	    qry_tally_settle(l->tally)) {
		t = l->tally;
		l->tally = NULL;
		r->threads = 1;
	}
	end_lane(l);
	return t;
}

sqlite3_stmt *qry_regroup(struct qry_regroup *r, sqlite3_stmt *stmt,
			  int (*bind)(void *arg, sqlite3_stmt *stmt), void *arg)
{
	const struct binding b = {bind, arg};
	struct qry_tally *t = NULL;
	struct qry_grouping g;
	sqlite3_stmt *out = NULL;

	for (unsigned i = 0; i < r->lane_count; i++)
		qry_alert_scan_forget(r->lanes[i].scan);
	if (qry_grouping_of(r->lanes[0].db, sqlite3_sql(stmt), &g)) {
		r->hopeless = false;
		t = gather_in_parts(r, &g, &b);
		if (!t && !r->hopeless && !is_stopped(r))
			t = gather_at_once(r, &g, &b);
	}
	if (t) {
		buf_addf(&g.before_id, "%lld)",
			 (long long)qry_tallies_offer_take(r->lanes[0].tallies, t));
		buf_sv(&g.before_id, buf_view(&g.behind_id));
		if (!g.before_id.failed)
			out = qry_grouping_prepare(r->lanes[0].db, buf_cstr(&g.before_id));
	}
	qry_grouping_done(&g);
	return out;
}

unsigned qry_regroup_threads(const struct qry_regroup *r)
{
	return r->threads;
}

/* --- life */

int qry_regroup_new(sqlite3 *db, const struct qry_regroup_options *opt, struct qry_regroup **out,
		    struct error *err)
{
	struct qry_regroup *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return error_nomem(err);
	r->opt = *opt;
	sqlite3_randomness(sizeof(r->seed), &r->seed);
	r->lanes[0].db = db;
	r->lane_count = 1;
	rc = prepare_lane(r, &r->lanes[0], err);
	if (rc < 0) {
		qry_regroup_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void qry_regroup_free(struct qry_regroup *r)
{
	if (!r)
		return;
	qry_alert_scan_end(r->lanes[0].scan);
	for (unsigned i = 1; i < r->lane_count; i++)
		close_lane(&r->lanes[i]);
	free(r);
}
