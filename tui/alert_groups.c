/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alert_groups.h"

#include <stdlib.h>

#include "base/clock.h"

#define SCAN_STEP   4096	 /* numbers of alerts between two looks at the clock */
#define ROWS_STEP   256		 /* rows of counts */
#define SETTLE_NS   100000000ull /* rows are put in order so often while they come ... */
#define SETTLE_PART 10		 /* ... or when that takes a tenth of the time */
#define GROUPS_MAX  (1u << 29)

const char *const tui_grouping_names[TUI_GROUPINGS] = {"fingerprint", "rule", "process", "host",
						       "none"};

/* clang-format off */
/* Groups as the case counts them, with the columns of v_alert that they have. */
#define GROUP_ROWS \
	"(SELECT g.fingerprint AS fingerprint_key, printf('%016x', g.fingerprint) AS fingerprint, g.alerts - g.repeated AS alerts," \
	" g.first_ts, g.last_ts, g.run_capture_id, g.rule_id, u.name AS rule, u.priority AS severity, u.tags, u.source," \
	" c.capture_id, c.hostname, c.path AS capture, NULL AS capture_sha256, NULL AS evt_offset," \
	" (SELECT s.verdict FROM verdicts s WHERE s.fingerprint = printf('%016x', g.fingerprint)" \
	"  ORDER BY s.verdict_id DESC LIMIT 1) AS verdict" \
	" FROM alert_groups g JOIN rules u USING (rule_id) JOIN run_captures r USING (run_capture_id)" \
	" JOIN captures c USING (capture_id) WHERE g.alerts > g.repeated" \
	" AND (r.state = 'done' OR c.reading_id = r.run_capture_id)) v"
/* One row for each of these. */
static const char counts_sql[] =
	"SELECT v.fingerprint_key, v.alerts, v.first_ts, v.last_ts, v.run_capture_id, v.rule_id, v.severity, v.capture_id, 0, 0"
	" FROM " GROUP_ROWS " WHERE (";
static const char scan_sql[] =
	"SELECT v.fingerprint_key, 1, v.ts, v.ts, v.run_capture_id, v.rule_id, v.severity, v.capture_id, v.process_id, v.alert_id"
	" FROM v_alert v WHERE v.alert_id > ?1 AND v.alert_id <= ?2 AND (";
static const char example_sql[] =
	"SELECT alert_id FROM alerts WHERE fingerprint = ?1 AND run_capture_id = ?2 AND repeats IS NULL ORDER BY ts LIMIT 1";
/* What decides which alerts count, and what is said of single ones. */
static const char signature_sql[] =
	"SELECT (SELECT group_concat(run_capture_id || state) FROM run_captures),"
	" (SELECT group_concat(reading_id) FROM captures), (SELECT max(verdict_id) FROM verdicts), (SELECT max(note_id) FROM notes)";
static const char single_sql[] =
	"SELECT EXISTS (SELECT 1 FROM verdicts WHERE capture_sha256 IS NOT NULL)"
	" OR EXISTS (SELECT 1 FROM notes WHERE evt_offset IS NOT NULL)";
/* clang-format on */

/* --- groups */

static void store_done(struct tui_group_store *s)
{
	free(s->list);
	map_done(&s->index);
	*s = (struct tui_group_store){0};
}

static void store_clear(struct tui_group_store *s)
{
	s->count = 0;
	map_clear(&s->index);
}

static void *number_of(size_t i)
{
	return (void *)(uintptr_t)(i +
				   1); /* NOLINT(performance-no-int-to-ptr): a number in a map */
}

static int add_group(struct tui_group_store *s, const struct tui_alert_group *g, struct error *err)
{
	size_t cap = s->cap ? 2 * s->cap : 256;

	if (s->count == s->cap) {
		struct tui_alert_group *list = NULL;

		if (cap <= GROUPS_MAX)
			list = reallocarray(s->list, cap, sizeof(*list));
		if (!list)
			return error_nomem(err);
		s->list = list;
		s->cap = cap;
	}
	if (map_put(&s->index, g->key, number_of(s->count)) < 0)
		return error_nomem(err);
	s->list[s->count++] = *g;
	return 0;
}

/* The alerts of @g belong to its group. */
static int join(struct tui_group_store *s, const struct tui_alert_group *g, struct error *err)
{
	uintptr_t i = (uintptr_t)map_get(&s->index, g->key);
	struct tui_alert_group *to;

	if (!i)
		return add_group(s, g, err);
	to = &s->list[i - 1];
	to->count += g->count;
	to->distinct |= to->rule_id != g->rule_id;
	if (g->last_ts > to->last_ts)
		to->last_ts = g->last_ts;
	if (g->severity < to->severity)
		to->severity = g->severity;
	if (g->first_ts < to->first_ts) {
		to->first_ts = g->first_ts;
		to->fingerprint = g->fingerprint;
		to->reading = g->reading;
		to->alert_id = g->alert_id;
		to->rule_id = g->rule_id;
		to->capture_id = g->capture_id;
	}
	return 0;
}

static int by_severity(const void *x, const void *y)
{
	const struct tui_alert_group *a = x, *b = y;

	if (a->severity != b->severity)
		return a->severity < b->severity ? -1 : 1;
	if (a->first_ts != b->first_ts)
		return a->first_ts < b->first_ts ? -1 : 1;
	return (a->key > b->key) - (a->key < b->key);
}

/* The worst first, then as they came. */
static int settle(struct tui_alert_groups *g, struct error *err)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC);
	struct tui_group_store *s = g->made;

	if (s->count)
		qsort(s->list, s->count, sizeof(*s->list), by_severity);
	for (size_t i = 0; i < s->count; i++) /* the keys are there: nothing can fail */
		if (map_put(&s->index, s->list[i].key, number_of(i)) < 0)
			return error_nomem(err);
	g->settled_ns = clock_ns(CLOCK_MONOTONIC);
	g->settle_ns = g->settled_ns - start;
	return 0;
}

/* --- names */

const char *tui_groups_rule(const struct tui_alert_groups *g, int64_t rule_id)
{
	size_t from = 0, to = g->rule_count;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (g->rules[mid].rule_id == rule_id)
			return g->rules[mid].name;
		if (g->rules[mid].rule_id < rule_id)
			from = mid + 1;
		else
			to = mid;
	}
	return "?";
}

static int64_t rule_of_name(const struct tui_alert_groups *g, int64_t rule_id)
{
	size_t from = 0, to = g->rule_count;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (g->rules[mid].rule_id == rule_id)
			return g->rules[mid].first;
		if (g->rules[mid].rule_id < rule_id)
			from = mid + 1;
		else
			to = mid;
	}
	return rule_id;
}

static int read_rules(struct tui_alert_groups *g, struct error *err)
{
	static const char sql[] = "SELECT rule_id, name, (SELECT min(o.rule_id) FROM rules o"
				  " WHERE o.name = u.name) FROM rules u ORDER BY rule_id";
	sqlite3_stmt *stmt = NULL;
	bool failed = false;
	int64_t n = 0;
	int rc = tui_sql_number(g->d, "SELECT count(*) FROM rules", &n, err);

	free(g->rules);
	g->rules = NULL;
	g->rule_count = 0;
	if (rc < 0 || n <= 0)
		return rc;
	g->rules = calloc((size_t)n, sizeof(*g->rules));
	rc = g->rules ? tui_sql_prepare(g->d, sql, &stmt, err) : error_nomem(err);
	while (rc == 0 && g->rule_count < (size_t)n && (rc = tui_sql_step(g->d, stmt, err)) > 0) {
		struct tui_group_rule *r = &g->rules[g->rule_count++];

		r->rule_id = tui_sql_int(stmt, 0, 0);
		r->name = tui_sql_text(stmt, 1, &g->names, &failed).p;
		r->first = tui_sql_int(stmt, 2, 0);
		rc = failed || !r->name ? error_nomem(err) : 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int read_hosts(struct tui_alert_groups *g, struct error *err)
{
	static const char sql[] = "SELECT capture_id, (SELECT min(o.capture_id) FROM captures o"
				  " WHERE o.hostname IS c.hostname) FROM captures c";
	sqlite3_stmt *stmt = NULL;
	int rc = tui_sql_prepare(g->d, sql, &stmt, err);

	map_clear(&g->hosts);
	while (rc == 0 && (rc = tui_sql_step(g->d, stmt, err)) > 0)
		rc = map_put(&g->hosts, (uint64_t)tui_sql_int(stmt, 0, 0),
			     number_of((size_t)tui_sql_int(stmt, 1, 0))) < 0
			 ? error_nomem(err)
			 : 0;
	sqlite3_finalize(stmt);
	return rc;
}

/* --- where they come from */

static int take_signature(struct tui_alert_groups *g, struct buf *out, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = tui_sql_prepare(g->d, signature_sql, &stmt, err);

	if (rc == 0)
		rc = tui_sql_step(g->d, stmt, err);
	for (int i = 0; rc > 0 && i < sqlite3_column_count(stmt); i++) {
		buf_sv(out, tui_sql_view(stmt, i));
		buf_char(out, ';');
	}
	sqlite3_finalize(stmt);
	if (rc >= 0 && out->failed)
		rc = error_nomem(err);
	return rc < 0 ? rc : 0;
}

/* Can the case's counts tell? Return: 1, 0, or ERR_*. */
static int is_counted(struct tui_alert_groups *g, struct error *err)
{
	int64_t single = 0;
	int rc;

	if (g->by == TUI_BY_PROCESS || g->filter->asks_alerts)
		return 0;
	if (!g->filter->asks_said)
		return 1;
	rc = tui_sql_number(g->d, single_sql, &single, err);
	return rc < 0 ? rc : !single;
}

/* @begin, and the filter as its last condition. */
static int prepare(struct tui_alert_groups *g, const char *begin, struct error *err)
{
	const struct tui_alert_filter *f = g->filter;
	struct buf sql = {0};
	int rc;

	buf_addf(&sql, "%s%s)", begin, f->sql.len ? f->sql.p : "1");
	rc = sql.failed ? error_nomem(err) : tui_sql_prepare(g->d, buf_cstr(&sql), &g->stmt, err);
	buf_done(&sql);
	if (rc == 0) {
		int sys = qry_bind_arguments(g->stmt, f->values, f->value_count);

		rc = sys == SQLITE_OK ? 0 : tui_sql_fail(g->d, sys, err);
	}
	return rc;
}

static int find_end(struct tui_alert_groups *g, struct error *err)
{
	return tui_sql_number(g->d, "SELECT ifnull(max(alert_id), 0) FROM alerts", &g->end, err);
}

/* All groups anew, into @into. */
static int start(struct tui_alert_groups *g, struct tui_group_store *into, struct error *err)
{
	int rc, counted;

	sqlite3_finalize(g->stmt);
	g->stmt = NULL;
	store_clear(into);
	g->made = into;
	g->at = g->end = 0;
	g->alerts = 0;
	g->done = false;
	g->settled_ns = clock_ns(CLOCK_MONOTONIC);
	arena_reset(&g->names);
	rc = read_rules(g, err);
	if (rc == 0)
		rc = read_hosts(g, err);
	if (rc < 0)
		return rc;
	counted = is_counted(g, err);
	if (counted < 0)
		return counted;
	g->scans = !counted;
	rc = prepare(g, counted ? counts_sql : scan_sql, err);
	return rc == 0 && g->scans ? find_end(g, err) : rc;
}

void tui_groups_init(struct tui_alert_groups *g, struct tui_data *d,
		     const struct tui_alert_filter *filter)
{
	*g = (struct tui_alert_groups){.d = d, .filter = filter, .done = true};
	g->shown = g->made = &g->stores[0];
}

void tui_groups_done(struct tui_alert_groups *g)
{
	sqlite3_finalize(g->stmt);
	store_done(&g->stores[0]);
	store_done(&g->stores[1]);
	buf_done(&g->signature);
	arena_done(&g->names);
	map_done(&g->hosts);
	free(g->rules);
}

int tui_groups_begin(struct tui_alert_groups *g, enum tui_grouping by, struct error *err)
{
	int rc;

	g->by = by;
	g->shown = &g->stores[0];
	store_clear(&g->stores[1]);
	buf_reset(&g->signature);
	rc = take_signature(g, &g->signature, err);
	return rc < 0 ? rc : start(g, g->shown, err);
}

int tui_groups_update(struct tui_alert_groups *g, struct error *err)
{
	struct buf now = {0};
	int rc = take_signature(g, &now, err);
	bool same = rc == 0 && sv_eq(buf_view(&now), buf_view(&g->signature));

	if (rc == 0) {
		buf_reset(&g->signature);
		buf_sv(&g->signature, buf_view(&now));
	}
	buf_done(&now);
	if (rc < 0)
		return rc;
	if (same && g->scans) { /* alerts are added behind the others */
		rc = find_end(g, err);
		g->done = g->done && g->at >= g->end;
		return rc;
	}
	if (!g->done && g->made == g->shown)
		return start(g, g->shown, err);
	return start(g, g->shown == &g->stores[0] ? &g->stores[1] : &g->stores[0], err);
}

/* --- work */

static uint64_t key_of(const struct tui_alert_groups *g, const struct tui_alert_group *row,
		       int64_t process_id)
{
	uintptr_t host;

	switch (g->by) {
	case TUI_BY_RULE:
		return (uint64_t)rule_of_name(g, row->rule_id);
	case TUI_BY_PROCESS:
		return (uint64_t)process_id;
	case TUI_BY_HOST:
		host = (uintptr_t)map_get(&g->hosts, (uint64_t)row->capture_id);
		return host ? host - 1 : (uint64_t)row->capture_id;
	default:
		return (uint64_t)row->fingerprint;
	}
}

static int take_row(struct tui_alert_groups *g, struct error *err)
{
	struct tui_alert_group row = {
	    .fingerprint = sqlite3_column_int64(g->stmt, 0),
	    .count = (uint64_t)sqlite3_column_int64(g->stmt, 1),
	    .first_ts = (uint64_t)sqlite3_column_int64(g->stmt, 2),
	    .last_ts = (uint64_t)sqlite3_column_int64(g->stmt, 3),
	    .reading = sqlite3_column_int64(g->stmt, 4),
	    .rule_id = sqlite3_column_int64(g->stmt, 5),
	    .severity = sqlite3_column_int(g->stmt, 6),
	    .capture_id = sqlite3_column_int64(g->stmt, 7),
	    .alert_id = sqlite3_column_int64(g->stmt, 9),
	};

	row.key = key_of(g, &row, sqlite3_column_int64(g->stmt, 8));
	g->alerts += row.count;
	return join(g->made, &row, err);
}

/* Up to @most rows. Return: 1 (more), 0, or ERR_*. */
static int take_rows(struct tui_alert_groups *g, size_t most, struct error *err)
{
	int rc = 1;

	for (size_t i = 0; i < most && rc > 0; i++) {
		rc = tui_sql_step(g->d, g->stmt, err);
		if (rc > 0) {
			int added = take_row(g, err);

			rc = added < 0 ? added : 1;
		}
	}
	return rc;
}

/* The next alerts by number. Return: 1 (more), 0, or ERR_*. */
static int scan(struct tui_alert_groups *g, struct error *err)
{
	const int64_t range[] = {g->at, g->end - g->at > SCAN_STEP ? g->at + SCAN_STEP : g->end};
	int rc;

	if (g->at >= g->end)
		return 0;
	rc = tui_sql_begin(g->d, g->stmt, range, COUNT_OF(range), err);
	if (rc == 0)
		rc = take_rows(g, SIZE_MAX, err);
	(void)sqlite3_reset(g->stmt);
	if (rc < 0)
		return rc;
	g->at = range[1];
	return g->at < g->end;
}

int tui_groups_work(struct tui_alert_groups *g, uint64_t deadline_ns, bool *changed,
		    struct error *err)
{
	uint64_t now = 0, quiet;
	int rc = 1;

	*changed = false;
	if (g->done)
		return 0;
	do {
		rc = g->scans ? scan(g, err) : take_rows(g, ROWS_STEP, err);
		now = clock_ns(CLOCK_MONOTONIC);
	} while (rc > 0 && (!deadline_ns || now < deadline_ns));
	if (rc < 0)
		return rc;
	if (rc == 0) {
		g->done = true;
		if (!g->scans)
			(void)sqlite3_reset(g->stmt);
	}
	quiet = g->settle_ns * SETTLE_PART > SETTLE_NS ? g->settle_ns * SETTLE_PART : SETTLE_NS;
	if (g->done || (g->made == g->shown && now - g->settled_ns > quiet)) {
		int settled = settle(g, err);

		if (settled < 0)
			return settled;
		*changed = true;
		g->shown = g->made;
	}
	return rc;
}

int tui_groups_example(struct tui_alert_groups *g, struct tui_alert_group *group, struct error *err)
{
	const int64_t keys[] = {group->fingerprint, group->reading};
	sqlite3_stmt *stmt = NULL;
	int rc;

	if (group->alert_id)
		return 0;
	rc = tui_sql_prepare(g->d, example_sql, &stmt, err);
	if (rc == 0)
		rc = tui_sql_begin(g->d, stmt, keys, COUNT_OF(keys), err);
	if (rc == 0)
		rc = tui_sql_step(g->d, stmt, err);
	if (rc > 0)
		group->alert_id = tui_sql_int(stmt, 0, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}
