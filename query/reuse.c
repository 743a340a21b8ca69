/* SPDX-License-Identifier: Apache-2.0 */
#include "query/reuse.h"

#include <stdlib.h>

#include "query/assemble.h"

/* Above what any run numbers its own readings by: places in a run are there once. */
#define SEQ_BASE (1ll << 32)

struct rule_at {
	char *digest;
	int64_t rule_id, place;
	bool common; /* the other case has it, too */
};

struct rule_list { /* those of a run that were enabled, in order */
	struct rule_at *at;
	size_t count, room;
};

struct qry_reuse {
	struct qry_copying c;
	char *path;
	struct rule_list old, new;
	uint32_t *new_rules;
	size_t new_rule_count;
	struct qry_plan plans[QRY_PLANS_MAX];
	size_t plan_count;
	struct qry_trace found;
};

/* --- rules */

static void list_done(struct rule_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->at[i].digest);
	free(l->at);
}

static int add_rule(struct rule_list *l, sqlite3_stmt *stmt, struct error *err)
{
	const char *digest = (const char *)sqlite3_column_text(stmt, 2);
	struct rule_at *at = l->at;

	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 64;

		at = reallocarray(l->at, room, sizeof(*at));
		if (!at)
			return error_nomem(err);
		l->at = at;
		l->room = room;
	}
	at += l->count;
	*at = (struct rule_at){.place = sqlite3_column_int64(stmt, 0),
			       .rule_id = sqlite3_column_int64(stmt, 1),
			       .digest = strdup(digest ? digest : "")};
	if (!at->digest)
		return error_nomem(err);
	l->count++;
	return 0;
}

static int read_rules(sqlite3 *db, const char *path, struct rule_list *l, struct error *err)
{
	static const char sql[] = "SELECT u.seq, u.rule_id, r.digest FROM run_rules u"
				  " JOIN rules r USING (rule_id) WHERE u.enabled"
				  " AND u.run_id = (SELECT max(run_id) FROM runs) ORDER BY u.seq";
	sqlite3_stmt *stmt = NULL;
	int rc = 0, step = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (step == SQLITE_OK)
		while (rc == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW)
			rc = add_rule(l, stmt, err);
	sqlite3_finalize(stmt);
	return rc == 0 && step != SQLITE_DONE ? qry_db_error(db, path, step, "reading rules", err)
					      : rc;
}

static int mark_common(struct rule_list *l, const struct rule_list *other, struct error *err)
{
	struct smap known = {0};
	int rc = 0;

	for (size_t i = 0; i < other->count && rc == 0; i++)
		rc = smap_put(&known, sv_of(other->at[i].digest), &other->at[i]);
	for (size_t i = 0; i < l->count && rc == 0; i++)
		l->at[i].common = smap_get(&known, sv_of(l->at[i].digest)) != NULL;
	smap_done(&known);
	return rc < 0 ? error_nomem(err) : 0;
}

/* An event raises the first of its rules, and alerts of one event stand in the order of rules. */
static bool same_order(const struct rule_list *a, const struct rule_list *b)
{
	size_t k = 0;

	for (size_t i = 0; i < a->count; i++) {
		if (!a->at[i].common)
			continue;
		while (k < b->count && !b->at[k].common)
			k++;
		if (k == b->count || strcmp(a->at[i].digest, b->at[k].digest) != 0)
			return false;
		k++;
	}
	while (k < b->count && !b->at[k].common)
		k++;
	return k == b->count;
}

static int compare_rules(struct qry_reuse *r, struct error *err)
{
	int rc = read_rules(r->c.from, r->path, &r->old, err);

	if (rc == 0)
		rc = read_rules(r->c.to, r->c.to_path, &r->new, err);
	if (rc == 0)
		rc = mark_common(&r->old, &r->new, err);
	if (rc == 0)
		rc = mark_common(&r->new, &r->old, err);
	if (rc < 0)
		return rc;
	if (!same_order(&r->old, &r->new))
		return error_set(err, ERR_UNSUPPORTED, "the rules stand in another order in '%s'",
				 r->path);
	r->new_rules = calloc(r->new.count + 1, sizeof(*r->new_rules));
	if (!r->new_rules)
		return error_nomem(err);
	for (size_t i = 0; i < r->new.count; i++)
		if (!r->new.at[i].common)
			r->new_rules[r->new_rule_count++] = (uint32_t)r->new.at[i].place;
	return qry_copy_map_rules(&r->c, false, err);
}

/* --- the earlier case */

/* All parts that are in it are of this program, with these options. */
static int check_parts(struct qry_reuse *r, const struct qry_job *job, struct error *err)
{
	char *sql = sqlite3_mprintf("SELECT count(*) = sum(version = %Q AND options = %Q AND"
				    " complete = 1) FROM job_parts",
				    job->version, job->options);
	int64_t same = 0, there = 0;
	int rc = qry_db_int(r->c.from, r->path,
			    "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
			    " AND name IN ('job_parts', 'jobs')",
			    &there, err);

	if (rc == 0 && there != 2)
		rc =
		    error_set(err, ERR_UNSUPPORTED, "'%s' is no case of 'scapula gather'", r->path);
	if (rc == 0)
		rc = sql ? qry_db_int(r->c.from, r->path, sql, &same, err) : error_nomem(err);
	if (rc == 0 && !same)
		rc = error_set(err, ERR_UNSUPPORTED,
			       "'%s' was made with another version of the program or other options",
			       r->path);
	sqlite3_free(sql);
	return rc;
}

int qry_reuse_open(const char *path, struct qry_part *into, const struct qry_job *job,
		   struct qry_reuse **out, struct error *err)
{
	struct qry_reuse *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return error_nomem(err);
	r->c.to = qry_part_db(into, &r->c.to_path);
	r->c.numbers.seq_base = SEQ_BASE;
	r->path = strdup(path);
	r->c.from_path = r->path;
	rc = r->path ? qry_db_open_readonly(path, &r->c.from, err) : error_nomem(err);
	if (rc == 0)
		rc = check_parts(r, job, err);
	if (rc == 0)
		rc = qry_plan_all(r->c.to, r->c.to_path, r->plans, &r->plan_count, err);
	if (rc == 0)
		rc = compare_rules(r, err);
	if (rc < 0) {
		qry_reuse_close(r);
		return rc;
	}
	*out = r;
	return 0;
}

void qry_reuse_close(struct qry_reuse *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->plan_count; i++)
		qry_plan_done(&r->plans[i]);
	qry_numbers_done(&r->c.numbers);
	sqlite3_close(r->c.from);
	list_done(&r->old);
	list_done(&r->new);
	free(r->new_rules);
	free(r->path);
	free(r);
}

const uint32_t *qry_reuse_new_rules(const struct qry_reuse *r, size_t *count)
{
	*count = r->new_rule_count;
	return r->new_rules;
}

/* --- one capture */

/* Return: 1: a rule that is gone raised an alert there, 0, or ERR_*. */
static int has_gone_rules(struct qry_reuse *r, struct error *err)
{
	int64_t alerts = 0;
	int rc = 0;

	for (size_t i = 0; i < r->old.count && rc == 0 && !alerts; i++) {
		char *sql;

		if (r->old.at[i].common)
			continue;
		sql = sqlite3_mprintf("SELECT count(*) FROM alert_counts WHERE run_capture_id ="
				      " %lld AND rule_id = %lld",
				      (long long)r->found.reading, (long long)r->old.at[i].rule_id);
		rc = sql ? qry_db_int(r->c.from, r->path, sql, &alerts, err) : error_nomem(err);
		sqlite3_free(sql);
	}
	return rc < 0 ? rc : alerts != 0;
}

/* Of captures that were read to their end only. */
static int find(struct qry_reuse *r, const char *sha256, struct qry_trace_result *out,
		struct error *err)
{
	char *sql = sqlite3_mprintf(
	    "SELECT j.run_capture_id, c.capture_id, ifnull(j.events, 0), j.status = 'damaged',"
	    " (SELECT ifnull(sum(k.alerts), 0) FROM alert_counts k"
	    "  WHERE k.run_capture_id = j.run_capture_id),"
	    " (SELECT count(*) FROM execs x WHERE x.process_id >= j.run_capture_id << 32"
	    "  AND x.process_id < (j.run_capture_id + 1) << 32),"
	    " (SELECT ifnull(min(x.rowid), 0) FROM execs x"
	    "  WHERE x.process_id >= j.run_capture_id << 32"
	    "  AND x.process_id < (j.run_capture_id + 1) << 32)"
	    " FROM captures p JOIN run_captures c USING (capture_id)"
	    " JOIN jobs j USING (run_capture_id)"
	    " WHERE p.sha256 = %Q AND j.status IN ('done', 'damaged') LIMIT 1",
	    sha256);
	sqlite3_stmt *stmt = NULL;
	int step = sql ? sqlite3_prepare_v2(r->c.from, sql, -1, &stmt, NULL) : SQLITE_NOMEM, rc = 0;

	if (step == SQLITE_OK && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
		r->found = (struct qry_trace){
		    .reading = sqlite3_column_int64(stmt, 0),
		    .capture = sqlite3_column_int64(stmt, 1),
		    .alerts = sqlite3_column_int64(stmt, 4),
		    .execs = sqlite3_column_int64(stmt, 5),
		    .first_exec = sqlite3_column_int64(stmt, 6),
		};
		out->events = (uint64_t)sqlite3_column_int64(stmt, 2);
		out->status = sqlite3_column_int(stmt, 3) ? QRY_TRACE_DAMAGED : QRY_TRACE_DONE;
		rc = 1;
	} else if (step != SQLITE_DONE) {
		rc = qry_copy_part_failed(&r->c, step, err);
	}
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
	return rc;
}

int qry_reuse_find(struct qry_reuse *r, const char *sha256, struct qry_trace_result *out,
		   struct error *err)
{
	int rc = find(r, sha256, out, err), gone;

	if (rc <= 0)
		return rc;
	gone = has_gone_rules(r, err);
	return gone < 0 ? gone : !gone;
}

int64_t qry_reuse_alerts(struct qry_reuse *r, int severity, struct error *err)
{
	char *sql = sqlite3_mprintf("SELECT count(*) FROM alerts WHERE run_capture_id = %lld AND"
				    " priority <= %d",
				    (long long)r->found.reading, severity);
	int64_t n = 0;
	int rc = sql ? qry_db_int(r->c.from, r->path, sql, &n, err) : error_nomem(err);

	sqlite3_free(sql);
	return rc < 0 ? rc : n;
}

/* The numbers that follow those which the part has. */
static int give_numbers(struct qry_reuse *r, struct error *err)
{
	const struct {
		const char *sql;
		int64_t *to;
		int64_t more;
	} next[] = {
	    {"SELECT ifnull(max(run_capture_id), 0) FROM run_captures", &r->found.new_reading, 1},
	    {"SELECT ifnull(max(capture_id), 0) FROM captures", &r->found.new_capture, 1},
	    {"SELECT ifnull(max(alert_id), 0) FROM alerts", &r->found.alerts_before, 0},
	    {"SELECT ifnull(max(rowid), 0) FROM execs", &r->found.execs_before, 0},
	    {"SELECT max(run_id) FROM runs", &r->c.numbers.run, 0},
	};
	int rc = 0;

	for (size_t i = 0; i < COUNT_OF(next) && rc == 0; i++) {
		rc = qry_db_int(r->c.to, r->c.to_path, next[i].sql, next[i].to, err);
		*next[i].to += next[i].more;
	}
	map_clear(&r->c.numbers.readings);
	map_clear(&r->c.numbers.captures);
	if (rc == 0 &&
	    (map_put(&r->c.numbers.readings, (uint64_t)r->found.reading, &r->found) < 0 ||
	     map_put(&r->c.numbers.captures, (uint64_t)r->found.capture, &r->found) < 0))
		rc = error_nomem(err);
	return rc;
}

static int name_capture(struct qry_reuse *r, const char *path, struct error *err)
{
	struct buf scratch = {0};
	struct sv clean = qry_clean_text(sv_of(path), &scratch);
	char *sql =
	    sqlite3_mprintf("UPDATE captures SET path = '%.*q' WHERE capture_id = %lld;"
			    "UPDATE run_captures SET path = '%.*q' WHERE run_capture_id = %lld",
			    (int)clean.n, clean.p, (long long)r->found.new_capture, (int)clean.n,
			    clean.p, (long long)r->found.new_reading);
	int rc = sql && !scratch.failed ? qry_db_exec(r->c.to, r->c.to_path, sql, err)
					: error_nomem(err);

	sqlite3_free(sql);
	buf_done(&scratch);
	return rc;
}

static bool is_about_workers(const struct qry_plan *p)
{
	return strstr(p->insert, " jobs ") || strstr(p->insert, " job_parts ");
}

static int take(struct qry_reuse *r, const char *path, struct error *err)
{
	int rc = give_numbers(r, err);

	r->c.broken = rc < 0;
	for (size_t i = 0; i < r->plan_count && rc == 0; i++) {
		const struct qry_plan *p = &r->plans[i];
		char *select;

		if (is_about_workers(p))
			continue;
		select = sqlite3_mprintf("%s WHERE %s", p->select, p->of_reading);
		rc = select
			 ? qry_copy_rows(&r->c, p, select, r->found.reading, r->found.capture, err)
			 : error_nomem(err);
		sqlite3_free(select);
	}
	if (rc < 0)
		return r->c.broken || rc == ERR_NOMEM ? rc : ERR_FORMAT;
	return name_capture(r, path, err);
}

int qry_reuse_take(struct qry_reuse *r, const char *path, struct error *err)
{
	int rc = qry_db_exec(r->c.to, r->c.to_path,
			     "BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON", err);

	if (rc < 0)
		return rc;
	rc = take(r, path, err);
	if (rc == 0)
		rc = qry_db_exec(r->c.to, r->c.to_path, "COMMIT", err);
	if (rc < 0)
		sqlite3_exec(r->c.to, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
