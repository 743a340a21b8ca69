/* SPDX-License-Identifier: Apache-2.0 */
#include "query/find_internal.h"

#include <stdlib.h>
#include <string.h>

#define NEAR_MAX   1000000 /* alerts of a process that are counted to compare it with others */
#define GROUPS_MAX 20000   /* fingerprints without a verdict that a list is put together from */
#define FEW	   50	   /* one alert in so many */
#define NAMED_MAX  1000	   /* processes that a list is put together from */
#define NAMED_NEAR 100000  /* alerts of these that are counted to compare them with others */
#define LOOKED_MAX 200000  /* processes among which such are looked for */

static const char *const verdicts[] = {
    [QRY_VERDICT_TRUE_POSITIVE] = "true positive",
    [QRY_VERDICT_FALSE_POSITIVE] = "false positive",
    [QRY_VERDICT_BENIGN] = "benign",
    [QRY_VERDICT_UNDECIDED] = "undecided",
};

/* --- small things */

int find_fail(struct qry_browse *b, int rc, struct error *err)
{
	if ((rc & 0xff) == SQLITE_INTERRUPT)
		return error_set(err, ERR_INTERRUPTED, "interrupted");
	return qry_db_error(b->db, b->path, rc, "looking for alerts", err);
}

static int add_key(struct find_keys *k, int64_t key, struct error *err)
{
	size_t cap = k->cap ? 2 * k->cap : 64;
	int64_t *list = k->list;

	if (k->count == k->cap) {
		list = reallocarray(k->list, cap, sizeof(*list));
		if (!list)
			return error_nomem(err);
		k->list = list;
		k->cap = cap;
	}
	list[k->count++] = key;
	return 0;
}

static int by_number(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

/* Each once. */
static void settle_keys(struct find_keys *k)
{
	size_t n = 0;

	if (k->count)
		qsort(k->list, k->count, sizeof(*k->list), by_number);
	for (size_t i = 0; i < k->count; i++)
		if (!n || k->list[n - 1] != k->list[i])
			k->list[n++] = k->list[i];
	k->count = n;
}

void find_add_list(struct buf *sql, const char *column, const struct find_keys *k)
{
	buf_addf(sql, " AND %s IN (", column);
	for (size_t i = 0; i < k->count; i++)
		buf_addf(sql, "%s%lld", i ? "," : "", (long long)k->list[i]);
	buf_char(sql, ')');
}

static int copy_keys(struct find_keys *to, const struct find_keys *from, struct error *err)
{
	int rc = 0;

	to->count = 0;
	for (size_t i = 0; i < from->count && rc == 0; i++)
		rc = add_key(to, from->list[i], err);
	return rc;
}

int find_prepare(struct qry_browse *b, const char *sql, sqlite3_stmt **out, struct error *err)
{
	int rc = sqlite3_prepare_v2(b->db, sql, -1, out, NULL);

	return rc == SQLITE_OK ? 0 : find_fail(b, rc, err);
}

/* A number, or a fingerprint as people see it. */
static int64_t key_of(sqlite3_stmt *stmt)
{
	if (sqlite3_column_type(stmt, 0) != SQLITE_TEXT)
		return sqlite3_column_int64(stmt, 0);
	return (int64_t)strtoull((const char *)sqlite3_column_text(stmt, 0), NULL, 16);
}

/*
 * The first column of all rows of @sql, at most @most of them (0: all), whose parameters are @text
 * and
 * @number. Return: 0 or ERR_*.
 */
static int collect(struct qry_browse *b, struct find_keys *k, const char *sql, const char *text,
		   int64_t number, size_t most, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = find_prepare(b, sql, &stmt, err), step = SQLITE_DONE;

	if (rc < 0)
		return rc;
	if (sqlite3_bind_parameter_count(stmt) > 0)
		sqlite3_bind_text(stmt, 1, text, -1, SQLITE_STATIC);
	if (sqlite3_bind_parameter_count(stmt) > 1)
		sqlite3_bind_int64(stmt, 2, number);
	while (rc == 0 && (!most || k->count < most) && (step = sqlite3_step(stmt)) == SQLITE_ROW)
		rc = add_key(k, key_of(stmt), err);
	sqlite3_finalize(stmt);
	if (rc == 0 && step != SQLITE_DONE && step != SQLITE_ROW)
		rc = find_fail(b, step, err);
	return rc;
}

int find_number(struct qry_browse *b, const char *sql, int64_t *out, struct error *err)
{
	struct find_keys one = {0};
	int rc = collect(b, &one, sql, NULL, 0, 1, err);

	*out = one.count ? one.list[0] : 0;
	free(one.list);
	return rc;
}

/* --- what a filter leaves: rules, processes, and a condition on rows */

static int find_rules(struct qry_browse *b, const struct qry_alert_filter *f, struct error *err)
{
	struct buf sql = {0};
	int rc = 0;

	b->some_rules = f->rule || f->text || f->severities;
	if (!b->some_rules)
		return 0;
	buf_str(&sql, "SELECT rule_id FROM rules WHERE ?2 IS NOT NULL AND ");
	if (f->rule)
		buf_str(&sql, "name = ?1");
	else
		buf_str(&sql, "?1 IS NULL");
	for (unsigned i = 0, n = 0; f->severities && i <= RULE_PRIORITY_COUNT; i++) {
		if (i == RULE_PRIORITY_COUNT)
			buf_str(&sql, n ? ")" : " AND 0");
		else if (f->severities & 1u << i)
			buf_addf(&sql, "%s%u", n++ ? "," : " AND priority IN (", i);
	}
	rc = sql.failed ? error_nomem(err)
			: collect(b, &b->rules, buf_cstr(&sql), f->rule, 0, 0, err);
	buf_done(&sql);
	return rc;
}

/* Of the rules found so far those that have the text in their name. */
static int match_text(struct qry_browse *b, const struct qry_alert_filter *f, struct error *err)
{
	struct find_keys named = {0};
	size_t n = 0;
	int rc;

	if (!f->text)
		return 0;
	rc = collect(
	    b, &named,
	    "SELECT rule_id FROM rules WHERE instr(lower(name), lower(?1)) ORDER BY rule_id",
	    f->text, 0, 0, err);
	for (size_t i = 0; rc == 0 && i < b->rules.count; i++)
		if (named.count && bsearch(&b->rules.list[i], named.list, named.count,
					   sizeof(*named.list), by_number))
			b->rules.list[n++] = b->rules.list[i];
	b->rules.count = n;
	free(named.list);
	return rc;
}

/*
 * Processes that ever had the name, or are in the container, in all readings of their captures: if
 * they are few, no other alerts need to be looked at.
 */
static int find_named(struct qry_browse *b, const struct qry_alert_filter *f, struct error *err)
{
	struct buf sql = {0};
	int64_t all = 0;
	int rc;

	buf_addf(&sql, "SELECT count(*) FROM (SELECT 1 FROM processes LIMIT %d)", LOOKED_MAX);
	rc = sql.failed ? error_nomem(err) : find_number(b, buf_cstr(&sql), &all, err);
	buf_reset(&sql);
	buf_addf(&sql,
		 "SELECT (n.run_capture_id << 32) | (p.process_id & %u) FROM (%s) p"
		 " JOIN run_captures r ON r.run_capture_id = p.process_id >> 32"
		 " JOIN run_captures n USING (capture_id)",
		 UINT32_MAX,
		 f->comm ? "SELECT process_id FROM processes WHERE comm = ?1"
			   " UNION SELECT process_id FROM execs WHERE comm = ?1"
			 : "SELECT process_id FROM processes WHERE container_id = ?1");
	if (rc == 0 && all < LOOKED_MAX)
		rc = sql.failed ? error_nomem(err)
				: collect(b, &b->processes, buf_cstr(&sql),
					  f->comm ? f->comm : f->container, 0, NAMED_MAX, err);
	b->some_processes = all < LOOKED_MAX && b->processes.count < NAMED_MAX;
	settle_keys(&b->processes);
	buf_done(&sql);
	return rc;
}

/* A process has a number, which is the same in all readings of its capture. */
static int find_processes(struct qry_browse *b, const struct qry_alert_filter *f, struct error *err)
{
	int64_t number_in = f->process_id & UINT32_MAX;
	int rc;

	b->some_processes = f->process_id != 0;
	if (!b->some_processes)
		return f->comm || f->container ? find_named(b, f, err) : 0;
	rc = collect(b, &b->processes,
		     "SELECT n.run_capture_id FROM run_captures r JOIN run_captures n"
		     " USING (capture_id) WHERE ?1 IS NULL AND r.run_capture_id = ?2",
		     NULL, f->process_id >> 32, 0, err);
	for (size_t i = 0; i < b->processes.count; i++)
		b->processes.list[i] = b->processes.list[i] << 32 | number_in;
	return rc;
}

/* Readings whose alerts are not shown, and those of other captures. */
static int leave_out(struct qry_browse *b, const struct qry_alert_filter *f, struct error *err)
{
	struct find_keys hidden = {0};
	int rc = collect(b, &hidden,
			 "SELECT r.run_capture_id FROM run_captures r JOIN captures c"
			 " USING (capture_id) WHERE (r.state <> 'done'"
			 "  AND c.reading_id IS NOT r.run_capture_id)"
			 " OR (?1 IS NULL AND ?2 <> 0 AND r.capture_id <> ?2)",
			 NULL, f->capture_id, 0, err);

	if (rc == 0 && hidden.count)
		find_add_list(&b->residue, "a.run_capture_id NOT", &hidden);
	free(hidden.list);
	return rc;
}

/* Where nobody says anything of alerts, they need not be asked one by one. */
static int ask_verdict(struct qry_browse *b, const struct qry_alert_filter *f, struct error *err)
{
	static const char sql[] = QRY_VERDICT_SQL(
	    "(SELECT c.sha256 FROM run_captures r JOIN captures c USING (capture_id)"
	    " WHERE r.run_capture_id = a.run_capture_id)",
	    "(SELECT u.name FROM rules u WHERE u.rule_id = a.rule_id)");
	int64_t any = 0;
	int rc =
	    f->verdict ? find_number(b, "SELECT EXISTS (SELECT 1 FROM verdicts)", &any, err) : 0;

	b->some_verdicts = f->verdict && (any || f->verdict != QRY_VERDICT_NONE);
	if (rc < 0 || !b->some_verdicts)
		return rc;
	buf_addf(&b->residue, " AND %s", sql);
	if (f->verdict == QRY_VERDICT_NONE)
		buf_str(&b->residue, " IS NULL");
	else
		buf_addf(&b->residue, " = '%s'", verdicts[f->verdict]);
	return 0;
}

/* What each row is searched for. */
static void search_for(struct qry_browse *b, const struct qry_alert_filter *f)
{
	if (f->output) {
		buf_char(&b->pattern, '%');
		for (const char *p = f->output; *p; p++) {
			if (strchr("%_\\", *p))
				buf_char(&b->pattern, '\\');
			buf_char(&b->pattern, *p);
		}
		buf_char(&b->pattern, '%');
		buf_lit(&b->residue, " AND a.output LIKE ?7 ESCAPE '\\'");
	}
	if (!f->comm && !f->container && !f->condition)
		return;
	buf_lit(&b->residue, " AND EXISTS (SELECT 1 FROM v_alert v WHERE v.alert_id = a.alert_id");
	if (f->comm)
		buf_lit(&b->residue, " AND v.comm = ?8");
	if (f->container)
		buf_lit(&b->residue, " AND v.container_id = ?9");
	if (f->condition)
		buf_addf(&b->residue, " AND (%s)", f->condition);
	buf_char(&b->residue, ')');
}

bool find_searches(const struct qry_alert_filter *f)
{
	return f->output || f->comm || f->container || f->condition;
}

static void forget_list(struct qry_browse *b)
{
	buf_reset(&b->pattern);
	b->rules.count = b->processes.count = 0;
	for (unsigned i = 0; i < FIND_WAYS; i++)
		b->source[i].count = 0;
	buf_reset(&b->residue);
}

int find_resolve(struct qry_browse *b, const struct qry_alert_filter *f, struct error *err)
{
	int rc;

	forget_list(b);
	b->filter = f;
	rc = find_rules(b, f, err);
	if (rc == 0)
		rc = match_text(b, f, err);
	if (rc == 0)
		rc = find_processes(b, f, err);
	if (rc < 0)
		return rc;
	buf_str(&b->residue, " AND a.repeats IS NULL");
	if (b->some_rules)
		find_add_list(&b->residue, "+a.rule_id", &b->rules);
	if (b->some_processes)
		find_add_list(&b->residue, "+a.process_id", &b->processes);
	if (f->has_fingerprint)
		buf_addf(&b->residue, " AND +a.fingerprint = %lld", (long long)f->fingerprint);
	rc = leave_out(b, f, err);
	if (rc == 0)
		rc = ask_verdict(b, f, err);
	search_for(b, f);
	return rc == 0 && (b->residue.failed || b->pattern.failed) ? error_nomem(err) : rc;
}

/* --- which streams */

struct choice {
	enum find_way way;
	int64_t alerts; /* so many are on the way */
};

static void consider(struct choice *best, enum find_way way, int64_t alerts)
{
	if (alerts < best->alerts)
		*best = (struct choice){way, alerts};
}

static int count_of_rules(struct qry_browse *b, int64_t *out, struct error *err)
{
	struct buf sql = {0};
	int rc;

	buf_str(&sql, "SELECT sum(alerts) FROM alert_counts a WHERE 1");
	find_add_list(&sql, "a.rule_id", &b->rules);
	rc = sql.failed ? error_nomem(err) : find_number(b, buf_cstr(&sql), out, err);
	buf_done(&sql);
	return rc;
}

static int count_of_processes(struct qry_browse *b, int64_t most, int64_t *out, struct error *err)
{
	struct buf sql = {0};
	int rc;

	buf_str(&sql, "SELECT count(*) FROM (SELECT 1 FROM alerts a WHERE 1");
	find_add_list(&sql, "a.process_id", &b->processes);
	buf_addf(&sql, " LIMIT %lld)", (long long)most);
	rc = sql.failed ? error_nomem(err) : find_number(b, buf_cstr(&sql), out, err);
	buf_done(&sql);
	return rc;
}

/* Of alerts that look like one of @k; not much more than @most are counted. */
static int count_of_fingerprints(struct qry_browse *b, const struct find_keys *k, int64_t most,
				 int64_t *out, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = find_prepare(b, "SELECT sum(alerts) FROM alert_groups WHERE fingerprint = ?1",
			      &stmt, err);

	*out = 0;
	for (size_t i = 0; i < k->count && *out < most && rc == 0; i++) {
		int step;

		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, k->list[i]);
		step = sqlite3_step(stmt);
		if (step == SQLITE_ROW)
			*out += sqlite3_column_int64(stmt, 0);
		else
			rc = find_fail(b, step, err);
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* The fingerprints and alerts of which @verdict was ever said. Return: 1, or ERR_*. */
static int find_judged(struct qry_browse *b, const char *verdict, int64_t most, int64_t *out,
		       struct error *err)
{
	struct find_keys *groups = &b->source[BY_FINGERPRINT], *alone = &b->source[BY_ALERT];
	int rc = collect(b, groups,
			 "SELECT fingerprint FROM verdicts WHERE verdict = ?1"
			 " AND fingerprint IS NOT NULL",
			 verdict, 0, 0, err);

	if (rc == 0)
		rc = collect(b, alone,
			     /* in this order */
			     "SELECT a.alert_id FROM verdicts v CROSS JOIN captures c"
			     " CROSS JOIN run_captures r CROSS JOIN alerts a"
			     " WHERE v.verdict = ?1 AND v.capture_sha256 IS NOT NULL"
			     " AND c.sha256 = v.capture_sha256 AND r.capture_id = c.capture_id"
			     " AND a.run_capture_id = r.run_capture_id"
			     " AND a.evt_offset = v.evt_offset",
			     verdict, 0, 0, err);
	settle_keys(groups);
	settle_keys(alone);
	if (rc == 0)
		rc = count_of_fingerprints(b, groups, most, out, err);
	*out += (int64_t)alone->count;
	return rc < 0 ? rc : 1;
}

/*
 * The fingerprints of which nobody said anything, if they are few of @all alerts: else such alerts
 * are met soon wherever one looks. Return: 1, 0 if there are many, or ERR_*.
 */
static int find_unjudged(struct qry_browse *b, int64_t all, int64_t *out, struct error *err)
{
	struct find_keys *groups = &b->source[BY_FINGERPRINT];
	struct buf sql = {0};
	int64_t judged = 0;
	int rc =
	    collect(b, groups, "SELECT fingerprint FROM verdicts WHERE fingerprint IS NOT NULL",
		    NULL, 0, 0, err);

	settle_keys(groups);
	if (rc == 0)
		rc = count_of_fingerprints(b, groups, all, &judged, err);
	groups->count = 0;
	if (rc < 0 || all - judged > all / FEW)
		return rc;
	buf_str(&sql, "SELECT g.fingerprint FROM alert_groups g WHERE NOT EXISTS"
		      " (SELECT 1 FROM verdicts v WHERE v.fingerprint ="
		      " " QRY_FINGERPRINT_SQL("g.fingerprint") ")");
	if (b->some_rules)
		find_add_list(&sql, "g.rule_id", &b->rules);
	rc = sql.failed ? error_nomem(err)
			: collect(b, groups, buf_cstr(&sql), NULL, 0, GROUPS_MAX, err);
	buf_done(&sql);
	if (rc < 0 || groups->count >= GROUPS_MAX) {
		groups->count = 0;
		return rc;
	}
	settle_keys(groups);
	rc = count_of_fingerprints(b, groups, all, out, err);
	return rc < 0 ? rc : 1;
}

static int consider_verdict(struct qry_browse *b, const struct qry_alert_filter *f,
			    struct choice *best, struct error *err)
{
	int64_t n = 0;
	int rc;

	if (f->verdict == QRY_VERDICT_NONE)
		rc = find_unjudged(b, best->alerts, &n, err);
	else
		rc = find_judged(b, verdicts[f->verdict], best->alerts, &n, err);
	if (rc > 0)
		consider(best, BY_FINGERPRINT, n);
	return rc < 0 ? rc : 0;
}

static int consider_process(struct qry_browse *b, struct choice *best, struct error *err)
{
	const int64_t near = b->filter->process_id ? NEAR_MAX : NAMED_NEAR;
	int64_t n = 0, most = best->alerts < near ? best->alerts : near;
	int rc = count_of_processes(b, most, &n, err);

	if (n < most)
		consider(best, BY_PROCESS, n);
	return rc;
}

static int take_streams(struct qry_browse *b, enum find_way way, const struct qry_alert_filter *f,
			struct error *err)
{
	if (way == BY_FINGERPRINT && !f->has_fingerprint)
		return 0; /* they are there */
	b->source[BY_FINGERPRINT].count = b->source[BY_ALERT].count = 0;
	switch (way) {
	case BY_RULE:
		return copy_keys(&b->source[way], &b->rules, err);
	case BY_PROCESS:
		return copy_keys(&b->source[way], &b->processes, err);
	case BY_FINGERPRINT:
		return add_key(&b->source[way], f->fingerprint, err);
	default:
		return add_key(&b->source[BY_TIME], 0, err);
	}
}

int find_choose(struct qry_browse *b, struct error *err)
{
	const struct qry_alert_filter *f = b->filter;
	struct choice best = {BY_TIME, 0};
	struct find_keys one = {.list = (int64_t[]){f->fingerprint}, .count = 1};
	int64_t n = 0;
	int rc = find_number(b, "SELECT sum(alerts) FROM alert_counts", &best.alerts, err);

	b->all = best.alerts++; /* whatever is there is better than everything */
	if (rc == 0 && b->some_rules) {
		rc = count_of_rules(b, &n, err);
		consider(&best, BY_RULE, n);
	}
	if (rc == 0 && f->has_fingerprint) {
		rc = count_of_fingerprints(b, &one, best.alerts, &n, err);
		consider(&best, BY_FINGERPRINT, n);
	} else if (rc == 0 && b->some_verdicts) {
		rc = consider_verdict(b, f, &best, err);
	}
	if (rc == 0 && b->some_processes)
		rc = consider_process(b, &best, err);
	b->alerts = best.alerts;
	return rc < 0 ? rc : take_streams(b, best.way, f, err);
}
