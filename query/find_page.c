/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of a filtered list of alerts, by time. Every index of alerts has the time behind its key:
 * the alerts of one rule, process or fingerprint, or all of them, can be had in order from any
 * place on. So a page is put together from streams: for each key of the condition that leaves the
 * fewest alerts (by the case's own counts) the next ones are asked for, and only those that are in
 * front of what the page already has. What the other conditions say is looked at row by row.
 * Nothing is sorted but a page.
 */
#include "query/find_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "query/ask.h"

#define LOOKED_AT  2000	  /* alerts, about, before the next look at the clock */
#define WINDOW_MAX 100000 /* alerts of the case among which these are */

static const struct {
	const char *index, *condition;
} ways[FIND_WAYS] = {
    [BY_TIME] = {"INDEXED BY alerts_by_time", "?1 = 0"},
    [BY_RULE] = {"INDEXED BY alerts_by_rule", "a.rule_id = ?1"},
    [BY_PROCESS] = {"INDEXED BY alerts_by_process", "a.process_id = ?1"},
    [BY_FINGERPRINT] = {"INDEXED BY alerts_by_fingerprint", "a.fingerprint = ?1"},
    [BY_ALERT] = {"NOT INDEXED", "a.alert_id = ?1"},
};

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
static int stream_sql(struct qry_browse *b, enum find_way way, bool back, const char *what,
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
		find_add_list(&sql, "a.fingerprint NOT", &b->source[BY_FINGERPRINT]);
	buf_addf(&sql, " ORDER BY a.ts%s, a.alert_id%s LIMIT ?6", order, order);
	rc = sql.failed ? error_nomem(err) : find_prepare(b, buf_cstr(&sql), out, err);
	buf_done(&sql);
	return rc;
}

int qry_bind_arguments(sqlite3_stmt *stmt, const struct qry_argument *values, size_t count)
{
	int rc = SQLITE_OK, most = sqlite3_bind_parameter_count(stmt);

	for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
		int at = QRY_FIRST_ARGUMENT + (int)i;

		if (at > most)
			break;
		rc = values[i].text ? sqlite3_bind_text(stmt, at, values[i].text, -1, SQLITE_STATIC)
				    : sqlite3_bind_int64(stmt, at, values[i].number);
	}
	return rc;
}

/* Behind @at parameters those of search_for(), as far as they are there. */
static int bind_searched(struct qry_browse *b, sqlite3_stmt *stmt, int at)
{
	const char *const texts[] = {b->filter->output ? buf_cstr(&b->pattern) : NULL,
				     b->filter->comm, b->filter->container};
	int rc = SQLITE_OK;

	for (size_t i = 0; i < COUNT_OF(texts) && rc == SQLITE_OK; i++)
		if (++at <= sqlite3_bind_parameter_count(stmt))
			rc = sqlite3_bind_text(stmt, at, texts[i], -1, SQLITE_STATIC);
	return rc == SQLITE_OK ? qry_bind_arguments(stmt, b->filter->values, b->filter->value_count)
			       : rc;
}

static int start(struct qry_browse *b, sqlite3_stmt *stmt, int64_t key, const struct span *s,
		 int64_t most, struct error *err)
{
	const int64_t v[] = {key, s->from.ts, s->from.alert_id, s->to.ts, s->to.alert_id, most};
	int rc = sqlite3_reset(stmt);

	if (atomic_load(&b->stop))
		return find_fail(b, SQLITE_INTERRUPT, err);
	for (int i = 0; i < (int)COUNT_OF(v) && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_int64(stmt, i + 1, v[i]);
	if (rc == SQLITE_OK)
		rc = bind_searched(b, stmt, (int)COUNT_OF(v));
	return rc == SQLITE_OK ? 0 : find_fail(b, rc, err);
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
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : find_fail(b, rc, err);
}

static int find_places(struct qry_browse *b, struct span s, bool back, size_t most, size_t *count,
		       struct error *err)
{
	int rc = 0;

	for (unsigned way = 0; way < FIND_WAYS && rc == 0; way++) {
		const struct find_keys *k = &b->source[way];
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

/* --- searching: one window after the other, in the order of the list, until time is over */

struct search {
	struct span left; /* what was not looked at yet */
	uint64_t window;  /* alerts of the case in the next one; 0: everything at once */
	uint64_t end;	  /* CLOCK_MONOTONIC */
	bool back, begun, over;
};

static struct search search_of(const struct qry_browse *b, struct span s, bool back)
{
	bool slow = find_searches(b->filter) && b->alerts > LOOKED_AT;
	int64_t window = slow ? b->all / (b->alerts / LOOKED_AT) : 0;

	return (struct search){.left = s,
			       .window = (uint64_t)(window < WINDOW_MAX ? window : WINDOW_MAX),
			       .end = clock_ns(CLOCK_MONOTONIC) + b->search_ns,
			       .back = back};
}

/* The last place of the next window. Return: 1, 0 if there is no place behind it, or ERR_*. */
static int find_edge(struct qry_browse *b, const struct search *s, struct qry_place *out,
		     struct error *err)
{
	const int64_t v[] = {s->left.from.ts, s->left.from.alert_id, s->left.to.ts,
			     s->left.to.alert_id, (int64_t)s->window};
	const char *order = s->back ? " DESC" : "";
	sqlite3_stmt *stmt = NULL;
	char sql[256];
	int rc, step;

	snprintf(sql, sizeof(sql),
		 "SELECT ts, alert_id FROM alerts INDEXED BY alerts_by_time WHERE"
		 " (ts, alert_id) > (?1, ?2) AND (ts, alert_id) < (?3, ?4)"
		 " ORDER BY ts%s, alert_id%s LIMIT 1 OFFSET ?5",
		 order, order);
	rc = find_prepare(b, sql, &stmt, err);
	if (rc < 0)
		return rc;
	for (int i = 0; i < (int)COUNT_OF(v); i++)
		sqlite3_bind_int64(stmt, i + 1, v[i]);
	step = sqlite3_step(stmt);
	if (step == SQLITE_ROW)
		*out = (struct qry_place){sqlite3_column_int64(stmt, 0),
					  sqlite3_column_int64(stmt, 1)};
	sqlite3_finalize(stmt);
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		return find_fail(b, step, err);
	return step == SQLITE_ROW;
}

/* Return: 1 with the next part to look at, 0 if none is left or time is over, or ERR_*. */
static int next_window(struct qry_browse *b, struct search *s, struct span *out, struct error *err)
{
	const struct span left = s->left;
	struct qry_place edge;
	int rc = 0;

	if (s->over || (s->begun && clock_ns(CLOCK_MONOTONIC) >= s->end))
		return 0;
	s->begun = true;
	*out = left;
	if (s->window)
		rc = find_edge(b, s, &edge, err);
	s->over = rc == 0;
	if (rc <= 0)
		return rc < 0 ? rc : 1;
	if (s->back) {
		s->left.to = edge;
		out->from = (struct qry_place){edge.ts, edge.alert_id - 1};
	} else {
		s->left.from = edge;
		out->to = (struct qry_place){edge.ts, edge.alert_id + 1};
	}
	return 1;
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

static const char row_sql[] =
    "SELECT alert_id, ts, rule_id, fingerprint_key, process_id, pid, tid,"
    " evt_num, evt_offset, capture_id, severity, rule, output, comm, exepath,"
    " hostname, verdict FROM v_alert WHERE alert_id = ?1";

static int fetch(struct qry_browse *b, size_t count, bool back, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = find_prepare(b, row_sql, &stmt, err);

	for (size_t i = 0; i < count && rc == 0; i++) {
		struct qry_listed *row = &b->rows[back ? count - 1 - i : i];
		int step;

		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, b->places[i].alert_id);
		step = sqlite3_step(stmt);
		if (step != SQLITE_ROW)
			rc = find_fail(b, step, err);
		else if (!take_row(b, stmt, row))
			rc = error_nomem(err);
	}
	sqlite3_finalize(stmt);
	return rc;
}

int qry_browse_alert(struct qry_browse *b, int64_t alert_id, struct qry_page *out,
		     struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int step, rc;

	arena_reset(&b->texts);
	rc = find_prepare(b, row_sql, &stmt, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(stmt, 1, alert_id);
	step = sqlite3_step(stmt);
	if (step == SQLITE_DONE)
		rc = error_set(err, ERR_USAGE, "the case has no alert %lld", (long long)alert_id);
	else if (step != SQLITE_ROW)
		rc = find_fail(b, step, err);
	else if (!take_row(b, stmt, &b->rows[0]))
		rc = error_nomem(err);
	sqlite3_finalize(stmt);
	if (rc == 0)
		*out = (struct qry_page){.count = 1, .alerts = b->rows};
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
	struct search s = {0};
	struct span window;
	size_t count = 0;
	int rc;

	if (n == 0 || n > QRY_PAGE_MAX)
		return error_set(err, ERR_LIMIT, "a page of %zu alerts, expected 1 to %d", n,
				 QRY_PAGE_MAX);
	arena_reset(&b->texts);
	rc = begin(b, err);
	if (rc < 0)
		return rc;
	rc = find_resolve(b, f, err);
	if (rc == 0)
		rc = find_choose(b, err);
	if (rc == 0) {
		s = search_of(b, span_of(f, after, back), back);
		while (count < n && (rc = next_window(b, &s, &window, err)) > 0) {
			rc = find_places(b, window, back, n, &count, err);
			if (rc < 0)
				break;
		}
	}
	if (rc == 0)
		rc = fetch(b, count, back, err);
	end(b);
	if (rc == 0)
		*out = (struct qry_page){count, b->rows, count < n && !s.over,
					 back ? s.left.to : s.left.from};
	return rc;
}

/* --- counts */

/* What the case has counted itself: is there nothing else to look at? */
static bool is_counted(const struct qry_alert_filter *f)
{
	return !f->process_id && !f->from && !f->to && !f->verdict && !find_searches(f);
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
		find_add_list(&sql, "a.rule_id", &b->rules);
	if (f->capture_id)
		buf_addf(&sql, " AND c.capture_id = %lld", (long long)f->capture_id);
	if (f->has_fingerprint)
		buf_addf(&sql, " AND a.fingerprint = %lld", (long long)f->fingerprint);
	rc = sql.failed ? error_nomem(err) : find_number(b, buf_cstr(&sql), &n, err);
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
	return rc == 0 && step != SQLITE_ROW && step != SQLITE_DONE ? find_fail(b, step, err) : rc;
}

static int count_rows(struct qry_browse *b, const struct span *s, uint64_t most, uint64_t *out,
		      struct error *err)
{
	int rc = 0;

	for (unsigned way = 0; way < FIND_WAYS && rc == 0; way++) {
		const struct find_keys *k = &b->source[way];
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
	struct search s = {0};
	struct span window;
	int rc = begin(b, err);

	if (rc < 0)
		return rc;
	*exact = true;
	*out = 0;
	rc = find_resolve(b, f, err);
	if (rc == 0 && is_counted(f)) {
		rc = count_kept(b, f, out, err);
	} else if (rc == 0) {
		rc = find_choose(b, err);
		s = search_of(b, span_of(f, NULL, false), false);
		while (rc == 0 && *out < most && (rc = next_window(b, &s, &window, err)) > 0)
			rc = count_rows(b, &window, most, out, err);
		*exact = *out < most && s.over;
	}
	end(b);
	return rc;
}

/* --- how it is found, for tests */

int qry_browse_plan(struct qry_browse *b, const struct qry_alert_filter *f, bool back,
		    struct buf *out, struct error *err)
{
	int rc = find_resolve(b, f, err);

	if (rc == 0)
		rc = find_choose(b, err);
	for (unsigned way = 0; way < FIND_WAYS && rc == 0; way++) {
		sqlite3_stmt *stmt = NULL;

		if (!b->source[way].count)
			continue;
		rc = stream_sql(b, way, back, "EXPLAIN QUERY PLAN SELECT a.alert_id, a.ts", &stmt,
				err);
		while (rc == 0 && sqlite3_step(stmt) == SQLITE_ROW) {
			buf_str(out, sqlite3_column_int(stmt, 1) ? "  " : "");
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
	b->search_ns = QRY_SEARCH_MS * 1000000ull;
	*out = b;
	return 0;
}

void qry_browse_close(struct qry_browse *b)
{
	if (!b)
		return;
	sqlite3_close(b->db);
	for (unsigned i = 0; i < FIND_WAYS; i++)
		free(b->source[i].list);
	free(b->rules.list);
	free(b->processes.list);
	buf_done(&b->residue);
	buf_done(&b->pattern);
	arena_done(&b->texts);
	free(b->path);
	free(b);
}

void qry_browse_stop(struct qry_browse *b)
{
	atomic_store(&b->stop, true);
	sqlite3_interrupt(b->db);
}
