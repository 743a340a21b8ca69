/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of a filtered list of alerts, by time. Every index of alerts has the time behind its key:
 * the alerts of one rule, process or fingerprint, or all of them, can be had in order from any
 * place on. So a page is put together from streams: for each key of the condition that leaves the
 * fewest alerts (by the case's own counts) the next ones are asked for, and only those that are in
 * front of what the page already has. What the other conditions say is looked at row by row.
 * Nothing is sorted but a page.
 */
#include "query/find.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "query/ask.h"
#include "query/internal.h"

#define NEAR_MAX   1000000 /* alerts of a process that are counted to compare it with others */
#define GROUPS_MAX 20000   /* fingerprints without a verdict that a list is put together from */
#define FEW	   50	   /* one alert in so many */

enum way { BY_TIME, BY_RULE, BY_PROCESS, BY_FINGERPRINT, BY_ALERT, WAYS };

static const struct {
	const char *index, *condition;
} ways[WAYS] = {
    [BY_TIME] = {"INDEXED BY alerts_by_time", "?1 = 0"},
    [BY_RULE] = {"INDEXED BY alerts_by_rule", "a.rule_id = ?1"},
    [BY_PROCESS] = {"INDEXED BY alerts_by_process", "a.process_id = ?1"},
    [BY_FINGERPRINT] = {"INDEXED BY alerts_by_fingerprint", "a.fingerprint = ?1"},
    [BY_ALERT] = {"NOT INDEXED", "a.alert_id = ?1"},
};

static const char *const verdicts[] = {
    [QRY_VERDICT_TRUE_POSITIVE] = "true positive",
    [QRY_VERDICT_FALSE_POSITIVE] = "false positive",
    [QRY_VERDICT_BENIGN] = "benign",
    [QRY_VERDICT_UNDECIDED] = "undecided",
};

struct keys {
	int64_t *list;
	size_t count, cap;
};

struct qry_browse {
	sqlite3 *db;
	char *path;
	atomic_bool stop;
	struct arena texts;
	struct qry_listed rows[QRY_PAGE_MAX];
	struct qry_place places[QRY_PAGE_MAX];
	/* Of the list at hand: */
	struct keys rules, processes; /* the only ones that pass */
	bool some_rules, some_processes, some_verdicts;
	struct keys source[WAYS]; /* the streams */
	struct buf residue;	  /* SQL: what each row is asked for */
};

/* --- small things */

static int fail(struct qry_browse *b, int rc, struct error *err)
{
	if ((rc & 0xff) == SQLITE_INTERRUPT)
		return error_set(err, ERR_INTERRUPTED, "interrupted");
	return qry_db_error(b->db, b->path, rc, "looking for alerts", err);
}

static int add_key(struct keys *k, int64_t key, struct error *err)
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
static void settle_keys(struct keys *k)
{
	size_t n = 0;

	if (k->count)
		qsort(k->list, k->count, sizeof(*k->list), by_number);
	for (size_t i = 0; i < k->count; i++)
		if (!n || k->list[n - 1] != k->list[i])
			k->list[n++] = k->list[i];
	k->count = n;
}

/* " AND COLUMN IN (1, 2)" */
static void add_list(struct buf *sql, const char *column, const struct keys *k)
{
	buf_addf(sql, " AND %s IN (", column);
	for (size_t i = 0; i < k->count; i++)
		buf_addf(sql, "%s%lld", i ? "," : "", (long long)k->list[i]);
	buf_char(sql, ')');
}

static int copy_keys(struct keys *to, const struct keys *from, struct error *err)
{
	int rc = 0;

	to->count = 0;
	for (size_t i = 0; i < from->count && rc == 0; i++)
		rc = add_key(to, from->list[i], err);
	return rc;
}

static int prepare(struct qry_browse *b, const char *sql, sqlite3_stmt **out, struct error *err)
{
	int rc = sqlite3_prepare_v2(b->db, sql, -1, out, NULL);

	return rc == SQLITE_OK ? 0 : fail(b, rc, err);
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
static int collect(struct qry_browse *b, struct keys *k, const char *sql, const char *text,
		   int64_t number, size_t most, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = prepare(b, sql, &stmt, err), step = SQLITE_DONE;

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
		rc = fail(b, step, err);
	return rc;
}

/* The number that @sql yields. */
static int number(struct qry_browse *b, const char *sql, int64_t *out, struct error *err)
{
	struct keys one = {0};
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
	struct keys named = {0};
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

/* A process has a number, which is the same in all readings of its capture. */
static int find_processes(struct qry_browse *b, const struct qry_alert_filter *f, struct error *err)
{
	int64_t number_in = f->process_id & UINT32_MAX;
	int rc;

	b->some_processes = f->process_id != 0;
	if (!b->some_processes)
		return 0;
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
	struct keys hidden = {0};
	int rc = collect(b, &hidden,
			 "SELECT r.run_capture_id FROM run_captures r JOIN captures c"
			 " USING (capture_id) WHERE (r.state <> 'done'"
			 "  AND c.reading_id IS NOT r.run_capture_id)"
			 " OR (?1 IS NULL AND ?2 <> 0 AND r.capture_id <> ?2)",
			 NULL, f->capture_id, 0, err);

	if (rc == 0 && hidden.count)
		add_list(&b->residue, "a.run_capture_id NOT", &hidden);
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
	int rc = f->verdict ? number(b, "SELECT EXISTS (SELECT 1 FROM verdicts)", &any, err) : 0;

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

static void forget_list(struct qry_browse *b)
{
	b->rules.count = b->processes.count = 0;
	for (unsigned i = 0; i < WAYS; i++)
		b->source[i].count = 0;
	buf_reset(&b->residue);
}

static int resolve(struct qry_browse *b, const struct qry_alert_filter *f, struct error *err)
{
	int rc;

	forget_list(b);
	rc = find_rules(b, f, err);
	if (rc == 0)
		rc = match_text(b, f, err);
	if (rc == 0)
		rc = find_processes(b, f, err);
	if (rc < 0)
		return rc;
	buf_str(&b->residue, " AND a.repeats IS NULL");
	if (b->some_rules)
		add_list(&b->residue, "+a.rule_id", &b->rules);
	if (b->some_processes)
		add_list(&b->residue, "+a.process_id", &b->processes);
	if (f->has_fingerprint)
		buf_addf(&b->residue, " AND +a.fingerprint = %lld", (long long)f->fingerprint);
	rc = leave_out(b, f, err);
	if (rc == 0)
		rc = ask_verdict(b, f, err);
	return rc == 0 && b->residue.failed ? error_nomem(err) : rc;
}

/* --- which streams */

struct choice {
	enum way way;
	int64_t alerts; /* so many are on the way */
};

static void consider(struct choice *best, enum way way, int64_t alerts)
{
	if (alerts < best->alerts)
		*best = (struct choice){way, alerts};
}

static int count_of_rules(struct qry_browse *b, int64_t *out, struct error *err)
{
	struct buf sql = {0};
	int rc;

	buf_str(&sql, "SELECT sum(alerts) FROM alert_counts a WHERE 1");
	add_list(&sql, "a.rule_id", &b->rules);
	rc = sql.failed ? error_nomem(err) : number(b, buf_cstr(&sql), out, err);
	buf_done(&sql);
	return rc;
}

static int count_of_processes(struct qry_browse *b, int64_t most, int64_t *out, struct error *err)
{
	struct buf sql = {0};
	int rc;

	buf_str(&sql, "SELECT count(*) FROM (SELECT 1 FROM alerts a WHERE 1");
	add_list(&sql, "a.process_id", &b->processes);
	buf_addf(&sql, " LIMIT %lld)", (long long)most);
	rc = sql.failed ? error_nomem(err) : number(b, buf_cstr(&sql), out, err);
	buf_done(&sql);
	return rc;
}

/* Of alerts that look like one of @k; not much more than @most are counted. */
static int count_of_fingerprints(struct qry_browse *b, const struct keys *k, int64_t most,
				 int64_t *out, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc =
	    prepare(b, "SELECT sum(alerts) FROM alert_groups WHERE fingerprint = ?1", &stmt, err);

	*out = 0;
	for (size_t i = 0; i < k->count && *out < most && rc == 0; i++) {
		int step;

		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, k->list[i]);
		step = sqlite3_step(stmt);
		if (step == SQLITE_ROW)
			*out += sqlite3_column_int64(stmt, 0);
		else
			rc = fail(b, step, err);
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* The fingerprints and alerts of which @verdict was ever said. Return: 1, or ERR_*. */
static int find_judged(struct qry_browse *b, const char *verdict, int64_t most, int64_t *out,
		       struct error *err)
{
	struct keys *groups = &b->source[BY_FINGERPRINT], *alone = &b->source[BY_ALERT];
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
	struct keys *groups = &b->source[BY_FINGERPRINT];
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
		add_list(&sql, "g.rule_id", &b->rules);
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
	int64_t n = 0, most = best->alerts < NEAR_MAX ? best->alerts : NEAR_MAX;
	int rc = count_of_processes(b, most, &n, err);

	if (n < most)
		consider(best, BY_PROCESS, n);
	return rc;
}

static int take_streams(struct qry_browse *b, enum way way, const struct qry_alert_filter *f,
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

static int choose(struct qry_browse *b, const struct qry_alert_filter *f, struct error *err)
{
	struct choice best = {BY_TIME, 0};
	struct keys one = {.list = (int64_t[]){f->fingerprint}, .count = 1};
	int64_t n = 0;
	int rc = number(b, "SELECT sum(alerts) FROM alert_counts", &best.alerts, err);

	best.alerts++; /* whatever is there is better than everything */
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
	return rc < 0 ? rc : take_streams(b, best.way, f, err);
}

/* --- streams */

struct span { /* both ends excluded */
	struct qry_place from, to;
};

static bool comes_before(const struct qry_place *a, const struct qry_place *b)
{
	return a->ts != b->ts ? a->ts < b->ts : a->alert_id < b->alert_id;
}

static int64_t clip(uint64_t ts)
{
	return ts > INT64_MAX ? INT64_MAX : (int64_t)ts;
}

static struct span span_of(const struct qry_alert_filter *f, const struct qry_place *at, bool back)
{
	struct span s = {.from = {clip(f->from) - 1, INT64_MAX},
			 .to = {f->to ? clip(f->to) : INT64_MAX, INT64_MAX}};
	bool given = at && (at->ts || at->alert_id);

	if (given && !back && comes_before(&s.from, at))
		s.from = *at;
	if (given && back && comes_before(at, &s.to))
		s.to = *at;
	return s;
}

/* The best @most so far, in the order in which they are wanted. Return: false if @p is none. */
static bool keep(struct qry_browse *b, size_t *count, size_t most, const struct qry_place *p,
		 bool back)
{
	size_t at = *count;

	while (at &&
	       (back ? comes_before(&b->places[at - 1], p) : comes_before(p, &b->places[at - 1])))
		at--;
	if (at == most)
		return false;
	if (*count < most)
		++*count;
	memmove(&b->places[at + 1], &b->places[at], (*count - at - 1) * sizeof(*b->places));
	b->places[at] = *p;
	return true;
}

/* @what begins the statement. */
static int stream_sql(struct qry_browse *b, enum way way, bool back, const char *what,
		      sqlite3_stmt **out, struct error *err)
{
	const char *order = back ? " DESC" : "";
	struct buf sql = {0};
	int rc;

	buf_addf(&sql,
		 "%s FROM alerts a %s WHERE %s"
		 " AND (a.ts, a.alert_id) > (?2, ?3) AND (a.ts, a.alert_id) < (?4, ?5)",
		 what, ways[way].index, ways[way].condition);
	buf_sv(&sql, buf_view(&b->residue));
	if (way == BY_ALERT) /* those of the other streams come with them */
		add_list(&sql, "a.fingerprint NOT", &b->source[BY_FINGERPRINT]);
	buf_addf(&sql, " ORDER BY a.ts%s, a.alert_id%s LIMIT ?6", order, order);
	rc = sql.failed ? error_nomem(err) : prepare(b, buf_cstr(&sql), out, err);
	buf_done(&sql);
	return rc;
}

static int start(struct qry_browse *b, sqlite3_stmt *stmt, int64_t key, const struct span *s,
		 int64_t most, struct error *err)
{
	const int64_t v[] = {key, s->from.ts, s->from.alert_id, s->to.ts, s->to.alert_id, most};
	int rc = sqlite3_reset(stmt);

	if (atomic_load(&b->stop))
		return fail(b, SQLITE_INTERRUPT, err);
	for (int i = 0; i < (int)COUNT_OF(v) && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_int64(stmt, i + 1, v[i]);
	return rc == SQLITE_OK ? 0 : fail(b, rc, err);
}

static int take_stream(struct qry_browse *b, sqlite3_stmt *stmt, int64_t key, struct span *s,
		       bool back, size_t most, size_t *count, struct error *err)
{
	struct qry_place *bound = back ? &s->from : &s->to;
	int rc = start(b, stmt, key, s, (int64_t)most, err);

	if (rc < 0)
		return rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct qry_place p = {sqlite3_column_int64(stmt, 1), sqlite3_column_int64(stmt, 0)};

		if (!keep(b, count, most, &p, back))
			break;
	}
	if (*count == most) /* the others must be in front of the last one */
		*bound = b->places[most - 1];
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : fail(b, rc, err);
}

static int find_places(struct qry_browse *b, struct span s, bool back, size_t most, size_t *count,
		       struct error *err)
{
	int rc = 0;

	*count = 0;
	for (unsigned way = 0; way < WAYS && rc == 0; way++) {
		const struct keys *k = &b->source[way];
		sqlite3_stmt *stmt = NULL;

		if (!k->count)
			continue;
		rc = stream_sql(b, way, back, "SELECT a.alert_id, a.ts", &stmt, err);
		for (size_t i = 0; i < k->count && rc == 0; i++)
			rc = take_stream(b, stmt, k->list[i], &s, back, most, count, err);
		sqlite3_finalize(stmt);
	}
	return rc;
}

/* --- a page */

static int64_t known(sqlite3_stmt *stmt, int column, int64_t otherwise)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL
		   ? otherwise
		   : sqlite3_column_int64(stmt, column);
}

static const char *text(struct qry_browse *b, sqlite3_stmt *stmt, int column, bool *failed)
{
	const unsigned char *s = sqlite3_column_text(stmt, column);
	const char *own;

	if (!s)
		return NULL;
	own = arena_strndup(&b->texts, (const char *)s, (size_t)sqlite3_column_bytes(stmt, column));
	*failed |= !own;
	return own;
}

static bool take_row(struct qry_browse *b, sqlite3_stmt *stmt, struct qry_listed *out)
{
	bool failed = false;

	*out = (struct qry_listed){
	    .place = {sqlite3_column_int64(stmt, 1), sqlite3_column_int64(stmt, 0)},
	    .rule_id = sqlite3_column_int64(stmt, 2),
	    .fingerprint = sqlite3_column_int64(stmt, 3),
	    .process_id = known(stmt, 4, 0),
	    .pid = known(stmt, 5, -1),
	    .tid = known(stmt, 6, -1),
	    .evt_num = (uint64_t)sqlite3_column_int64(stmt, 7),
	    .evt_offset = (uint64_t)sqlite3_column_int64(stmt, 8),
	    .capture_id = (uint64_t)sqlite3_column_int64(stmt, 9),
	    .severity = sqlite3_column_int(stmt, 10),
	    .rule = text(b, stmt, 11, &failed),
	    .output = text(b, stmt, 12, &failed),
	    .comm = text(b, stmt, 13, &failed),
	    .exepath = text(b, stmt, 14, &failed),
	    .hostname = text(b, stmt, 15, &failed),
	    .verdict = text(b, stmt, 16, &failed),
	};
	return !failed;
}

static int fetch(struct qry_browse *b, size_t count, bool back, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = prepare(b,
			 "SELECT alert_id, ts, rule_id, fingerprint_key, process_id, pid, tid,"
			 " evt_num, evt_offset, capture_id, severity, rule, output, comm, exepath,"
			 " hostname, verdict FROM v_alert WHERE alert_id = ?1",
			 &stmt, err);

	for (size_t i = 0; i < count && rc == 0; i++) {
		struct qry_listed *row = &b->rows[back ? count - 1 - i : i];
		int step;

		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, b->places[i].alert_id);
		step = sqlite3_step(stmt);
		if (step != SQLITE_ROW)
			rc = fail(b, step, err);
		else if (!take_row(b, stmt, row))
			rc = error_nomem(err);
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* All that is looked at belongs together. */
static int begin(struct qry_browse *b, struct error *err)
{
	atomic_store(&b->stop, false);
	return qry_db_exec(b->db, b->path, "BEGIN", err);
}

static void end(struct qry_browse *b)
{
	sqlite3_exec(b->db, "COMMIT", NULL, NULL, NULL);
}

int qry_browse_page(struct qry_browse *b, const struct qry_alert_filter *f,
		    const struct qry_place *after, bool back, size_t n, struct qry_page *out,
		    struct error *err)
{
	size_t count = 0;
	int rc;

	if (n == 0 || n > QRY_PAGE_MAX)
		return error_set(err, ERR_LIMIT, "a page of %zu alerts, expected 1 to %d", n,
				 QRY_PAGE_MAX);
	arena_reset(&b->texts);
	rc = begin(b, err);
	if (rc < 0)
		return rc;
	rc = resolve(b, f, err);
	if (rc == 0)
		rc = choose(b, f, err);
	if (rc == 0)
		rc = find_places(b, span_of(f, after, back), back, n, &count, err);
	if (rc == 0)
		rc = fetch(b, count, back, err);
	end(b);
	if (rc == 0)
		*out = (struct qry_page){count, b->rows};
	return rc;
}

/* --- counts */

/* What the case has counted itself: is there nothing else to look at? */
static bool is_counted(const struct qry_alert_filter *f)
{
	return !f->process_id && !f->from && !f->to && !f->verdict;
}

static int count_kept(struct qry_browse *b, const struct qry_alert_filter *f, uint64_t *out,
		      struct error *err)
{
	struct buf sql = {0};
	int64_t n = 0;
	int rc;

	buf_addf(&sql,
		 "SELECT sum(a.alerts - a.repeated) FROM %s a JOIN run_captures r"
		 " USING (run_capture_id) JOIN captures c USING (capture_id)"
		 " WHERE (r.state = 'done' OR c.reading_id = r.run_capture_id)",
		 f->has_fingerprint ? "alert_groups" : "alert_counts");
	if (b->some_rules)
		add_list(&sql, "a.rule_id", &b->rules);
	if (f->capture_id)
		buf_addf(&sql, " AND c.capture_id = %lld", (long long)f->capture_id);
	if (f->has_fingerprint)
		buf_addf(&sql, " AND a.fingerprint = %lld", (long long)f->fingerprint);
	rc = sql.failed ? error_nomem(err) : number(b, buf_cstr(&sql), &n, err);
	*out = n > 0 ? (uint64_t)n : 0;
	buf_done(&sql);
	return rc;
}

static int count_stream(struct qry_browse *b, sqlite3_stmt *stmt, int64_t key, const struct span *s,
			uint64_t most, uint64_t *out, struct error *err)
{
	int rc = start(b, stmt, key, s, INT64_MAX, err), step = SQLITE_DONE;

	while (rc == 0 && *out < most && (step = sqlite3_step(stmt)) == SQLITE_ROW)
		++*out;
	return rc == 0 && step != SQLITE_ROW && step != SQLITE_DONE ? fail(b, step, err) : rc;
}

static int count_rows(struct qry_browse *b, const struct span *s, uint64_t most, uint64_t *out,
		      struct error *err)
{
	int rc = 0;

	*out = 0;
	for (unsigned way = 0; way < WAYS && rc == 0; way++) {
		const struct keys *k = &b->source[way];
		sqlite3_stmt *stmt = NULL;

		if (!k->count)
			continue;
		rc = stream_sql(b, way, false, "SELECT 1", &stmt, err);
		for (size_t i = 0; i < k->count && rc == 0 && *out < most; i++)
			rc = count_stream(b, stmt, k->list[i], s, most, out, err);
		sqlite3_finalize(stmt);
	}
	return rc;
}

int qry_browse_count(struct qry_browse *b, const struct qry_alert_filter *f, uint64_t most,
		     uint64_t *out, bool *exact, struct error *err)
{
	const struct span s = span_of(f, NULL, false);
	int rc = begin(b, err);

	if (rc < 0)
		return rc;
	*exact = true;
	rc = resolve(b, f, err);
	if (rc == 0 && is_counted(f)) {
		rc = count_kept(b, f, out, err);
	} else if (rc == 0) {
		rc = choose(b, f, err);
		if (rc == 0)
			rc = count_rows(b, &s, most, out, err);
		*exact = *out < most;
	}
	end(b);
	return rc;
}

/* --- how it is found, for tests */

int qry_browse_plan(struct qry_browse *b, const struct qry_alert_filter *f, bool back,
		    struct buf *out, struct error *err)
{
	int rc = resolve(b, f, err);

	if (rc == 0)
		rc = choose(b, f, err);
	for (unsigned way = 0; way < WAYS && rc == 0; way++) {
		sqlite3_stmt *stmt = NULL;

		if (!b->source[way].count)
			continue;
		rc = stream_sql(b, way, back, "EXPLAIN QUERY PLAN SELECT a.alert_id, a.ts", &stmt,
				err);
		while (rc == 0 && sqlite3_step(stmt) == SQLITE_ROW) {
			buf_str(out, (const char *)sqlite3_column_text(stmt, 3));
			buf_char(out, '\n');
		}
		sqlite3_finalize(stmt);
	}
	return rc;
}

/* --- life */

int qry_browse_open(const char *path, struct qry_browse **out, struct error *err)
{
	struct qry_browse *b = calloc(1, sizeof(*b));
	int rc, version = 0;

	if (!b)
		return error_nomem(err);
	b->path = strdup(path);
	rc = b->path ? qry_db_open_readonly(path, &b->db, err) : error_nomem(err);
	if (rc == 0)
		rc = qry_ask_version(b->db, path, &version, err);
	if (rc == 0 && version != QRY_SCHEMA_VERSION)
		rc = error_set(err, ERR_DB,
			       version
				   ? "case '%s' has schema version %d, expected %d: 'scapula query "
				     "--write' brings an older one up to date"
				   : "'%s' is not a case",
			       path, version, QRY_SCHEMA_VERSION);
	if (rc < 0) {
		qry_browse_close(b);
		return rc;
	}
	sqlite3_busy_timeout(b->db, QRY_BUSY_MS);
	*out = b;
	return 0;
}

void qry_browse_close(struct qry_browse *b)
{
	if (!b)
		return;
	sqlite3_close(b->db);
	for (unsigned i = 0; i < WAYS; i++)
		free(b->source[i].list);
	free(b->rules.list);
	free(b->processes.list);
	buf_done(&b->residue);
	arena_done(&b->texts);
	free(b->path);
	free(b);
}

void qry_browse_stop(struct qry_browse *b)
{
	atomic_store(&b->stop, true);
	sqlite3_interrupt(b->db);
}
