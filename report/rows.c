/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a case: captures, runs, rules, alerts and what people say. */
#include "report/internal.h"

#include <stdio.h>

/* The number of selected alerts of each @key ("rule_id", "capture_id"): key, n, first and last. */
static char *counts_sql(struct rep_case *c, const char *key)
{
	if (!c->by_counts)
		return sqlite3_mprintf("SELECT %s AS id, count(*) AS n, min(a.ts) AS first, "
				       "max(a.ts) AS last " REP_ALERTS "WHERE 1%s GROUP BY %s",
				       key, c->alerts, key);
	return sqlite3_mprintf(
	    "SELECT %s AS id, sum(n.alerts%s) AS n, min(n.first_ts) AS first, "
	    "max(n.last_ts) AS last FROM alert_counts n JOIN rules u USING (rule_id) "
	    "JOIN run_captures r USING (run_capture_id) JOIN captures c USING (capture_id) "
	    "WHERE 1%s GROUP BY %s",
	    key, c->select.run_id ? "" : " - n.repeated", c->counts, key);
}

/* --- captures */

int rep_captures_open(struct rep_case *c, struct rep_rows **out, struct error *err)
{
	char *counts = counts_sql(c, "capture_id");
	int rc;

	if (!counts)
		return error_nomem(err);
	rc = rep_rows_open(
	    c, "captures", out, err,
	    "SELECT c.capture_id, c.path, c.hostname, c.sha256, c.compression, "
	    "c.format_major || '.' || c.format_minor, c.first_ts, c.last_ts, c.boot_ts, "
	    "c.num_cpus, c.file_size, c.stream_size, c.events, c.events_unknown, "
	    "c.unknown_blocks, c.gaps, c.lost_events, (SELECT r.cut_values FROM run_captures r "
	    "WHERE r.run_capture_id = c.reading_id), c.seal, c.seal_origin, c.seal_sha256, "
	    "c.seal_made_ts, c.interrupted, c.reading_id, n.n "
	    "FROM captures c LEFT JOIN (%s) n ON n.id = c.capture_id WHERE 1%s "
	    "ORDER BY c.first_ts, c.capture_id",
	    counts, c->captures);
	sqlite3_free(counts);
	return rc;
}

int rep_capture_next(struct rep_rows *r, struct rep_capture *out, struct error *err)
{
	static const struct rep_field fields[] = {
	    REP_INT(rep_capture, capture_id),	  REP_TEXT(rep_capture, path),
	    REP_TEXT(rep_capture, hostname),	  REP_TEXT(rep_capture, sha256),
	    REP_TEXT(rep_capture, compression),	  REP_TEXT(rep_capture, format),
	    REP_ZERO(rep_capture, first_ts),	  REP_ZERO(rep_capture, last_ts),
	    REP_ZERO(rep_capture, boot_ts),	  REP_INT(rep_capture, num_cpus),
	    REP_INT(rep_capture, file_size),	  REP_INT(rep_capture, stream_size),
	    REP_INT(rep_capture, events),	  REP_INT(rep_capture, events_unknown),
	    REP_INT(rep_capture, unknown_blocks), REP_INT(rep_capture, gaps),
	    REP_INT(rep_capture, lost_events),	  REP_INT(rep_capture, cut_values),
	    REP_TEXT(rep_capture, seal),	  REP_TEXT(rep_capture, seal_origin),
	    REP_TEXT(rep_capture, seal_sha256),	  REP_ZERO(rep_capture, seal_made_ts),
	    REP_ZERO(rep_capture, interrupted),	  REP_ZERO(rep_capture, reading_id),
	    REP_ZERO(rep_capture, alerts),
	};

	return rep_rows_next(r, fields, COUNT_OF(fields), out, err);
}

enum rep_seal rep_seal_of(const struct rep_capture *k)
{
	if (sv_is(k->seal, "altered") || sv_is(k->seal, "broken") ||
	    (k->seal_sha256.p && !sv_eq(k->seal_sha256, k->sha256)))
		return REP_SEAL_ALTERED;
	if (sv_is(k->seal, "intact"))
		return REP_SEAL_INTACT;
	return sv_is(k->seal, "prefix") ? REP_SEAL_PREFIX : REP_SEAL_NONE;
}

static uint64_t known(int64_t n)
{
	return n > 0 ? (uint64_t)n : 0;
}

int rep_totals_of(struct rep_case *c, struct rep_totals *t, struct error *err)
{
	struct rep_rows *r = NULL;
	struct rep_capture k;
	int rc = rep_captures_open(c, &r, err);

	*t = (struct rep_totals){0};
	while (rc >= 0 && (rc = rep_capture_next(r, &k, err)) > 0) {
		enum rep_seal seal = rep_seal_of(&k);

		t->captures++;
		t->gaps += known(k.gaps);
		t->lost += known(k.lost_events);
		t->unread += k.interrupted != 0;
		t->cut += known(k.cut_values);
		t->altered += seal == REP_SEAL_ALTERED;
		t->unsealed += seal == REP_SEAL_NONE || seal == REP_SEAL_PREFIX;
		if (k.first_ts && (!t->first_ts || k.first_ts < t->first_ts))
			t->first_ts = k.first_ts;
		if (k.last_ts > t->last_ts)
			t->last_ts = k.last_ts;
	}
	rep_rows_close(r);
	return rc;
}

int rep_hosts_open(struct rep_case *c, struct rep_rows **out, struct error *err)
{
	return rep_rows_open(c, "hosts", out, err,
			     "SELECT DISTINCT c.hostname FROM captures c "
			     "WHERE c.hostname IS NOT NULL%s ORDER BY 1",
			     c->captures);
}

int rep_host_next(struct rep_rows *r, struct sv *out, struct error *err)
{
	struct rep_columns k = {.stmt = r->stmt};
	int rc = rep_rows_step(r, err);

	if (rc > 0)
		*out = rep_text(&k);
	return rc;
}

int rep_gaps_open(struct rep_case *c, struct rep_rows **out, struct error *err)
{
	return rep_rows_open(c, "damage", out, err,
			     "SELECT c.capture_id, c.path, d.stream_offset, d.bytes, d.reason, "
			     "d.description FROM damage d JOIN captures c "
			     "ON c.reading_id = d.run_capture_id WHERE 1%s "
			     "ORDER BY c.first_ts, c.capture_id, d.seq",
			     c->captures);
}

int rep_gap_next(struct rep_rows *r, struct rep_gap *out, struct error *err)
{
	static const struct rep_field fields[] = {
	    REP_INT(rep_gap, capture_id),    REP_TEXT(rep_gap, path),
	    REP_INT(rep_gap, stream_offset), REP_INT(rep_gap, bytes),
	    REP_TEXT(rep_gap, reason),	     REP_TEXT(rep_gap, description),
	};

	return rep_rows_next(r, fields, COUNT_OF(fields), out, err);
}

int rep_losses_open(struct rep_case *c, struct rep_rows **out, struct error *err)
{
	return rep_rows_open(c, "losses", out, err,
			     "SELECT c.capture_id, c.path, l.count, l.what, l.description "
			     "FROM losses l JOIN captures c ON c.reading_id = l.run_capture_id "
			     "WHERE 1%s ORDER BY c.first_ts, c.capture_id, l.what",
			     c->captures);
}

int rep_loss_next(struct rep_rows *r, struct rep_loss *out, struct error *err)
{
	static const struct rep_field fields[] = {
	    REP_INT(rep_loss, capture_id),   REP_TEXT(rep_loss, path),
	    REP_INT(rep_loss, count),	     REP_TEXT(rep_loss, what),
	    REP_TEXT(rep_loss, description),
	};

	return rep_rows_next(r, fields, COUNT_OF(fields), out, err);
}

/* --- runs and rules */

/* Of runs r: the selected one, or those that read a selected capture. */
#define RUNS                                                                                       \
	"(%lld IN (0, r.run_id)) AND (EXISTS (SELECT 1 FROM run_captures q "                       \
	"JOIN captures c USING (capture_id) WHERE q.run_id = r.run_id%s) "                         \
	"OR NOT EXISTS (SELECT 1 FROM run_captures q WHERE q.run_id = r.run_id))"

int rep_runs_open(struct rep_case *c, struct rep_rows **out, struct error *err)
{
	return rep_rows_open(
	    c, "runs", out, err,
	    "SELECT r.run_id, r.started_ts, r.finished_ts, r.exit_status, "
	    "(SELECT count(*) FROM run_captures q WHERE q.run_id = r.run_id), "
	    "(SELECT count(*) FROM run_rules q WHERE q.run_id = r.run_id AND q.enabled), "
	    "(SELECT sum(n.alerts) FROM run_captures q JOIN alert_counts n "
	    "USING (run_capture_id) WHERE q.run_id = r.run_id), "
	    "r.state = 'finished', r.version, r.command, r.matching "
	    "FROM runs r WHERE " RUNS " ORDER BY r.run_id",
	    (long long)c->select.run_id, c->captures);
}

int rep_run_next(struct rep_rows *r, struct rep_run *out, struct error *err)
{
	static const struct rep_field fields[] = {
	    REP_INT(rep_run, run_id),	    REP_ZERO(rep_run, started_ts),
	    REP_ZERO(rep_run, finished_ts), REP_INT(rep_run, exit_status),
	    REP_ZERO(rep_run, captures),    REP_ZERO(rep_run, rules),
	    REP_ZERO(rep_run, alerts),	    REP_BOOL(rep_run, finished),
	    REP_TEXT(rep_run, version),	    REP_TEXT(rep_run, command),
	    REP_TEXT(rep_run, matching),
	};

	return rep_rows_next(r, fields, COUNT_OF(fields), out, err);
}

int rep_rule_files_open(struct rep_case *c, struct rep_rows **out, struct error *err)
{
	return rep_rows_open(c, "rule files", out, err,
			     "SELECT r.run_id, f.seq, f.name, f.sha256, f.ok FROM rule_files f "
			     "JOIN runs r USING (run_id) WHERE " RUNS " ORDER BY r.run_id, f.seq",
			     (long long)c->select.run_id, c->captures);
}

int rep_rule_file_next(struct rep_rows *r, struct rep_rule_file *out, struct error *err)
{
	static const struct rep_field fields[] = {
	    REP_INT(rep_rule_file, run_id), REP_INT(rep_rule_file, seq),
	    REP_TEXT(rep_rule_file, name),  REP_TEXT(rep_rule_file, sha256),
	    REP_BOOL(rep_rule_file, ok),
	};

	return rep_rows_next(r, fields, COUNT_OF(fields), out, err);
}

int rep_rules_open(struct rep_case *c, bool silent, struct rep_rows **out, struct error *err)
{
	char *counts = counts_sql(c, "rule_id");
	int rc;

	if (!counts)
		return error_nomem(err);
	rc = rep_rows_open(
	    c, "rules", out, err,
	    "SELECT u.rule_id, u.priority, u.digest, u.name, u.description, u.source, "
	    "(SELECT y.name FROM priorities y WHERE y.priority = u.priority), u.condition, "
	    "u.output, u.tags, "
	    "(SELECT d.file FROM run_rules d WHERE d.rule_id = u.rule_id "
	    "ORDER BY d.run_id DESC, d.seq LIMIT 1), "
	    "(SELECT d.line FROM run_rules d WHERE d.rule_id = u.rule_id "
	    "ORDER BY d.run_id DESC, d.seq LIMIT 1), "
	    "(SELECT max(d.enabled) FROM run_rules d WHERE d.rule_id = u.rule_id "
	    "AND %lld IN (0, d.run_id)), n.n, n.first, n.last "
	    "FROM rules u %s JOIN (%s) n ON n.id = u.rule_id WHERE 1%s%s "
	    "ORDER BY u.priority, u.name, u.rule_id",
	    (long long)c->select.run_id, silent ? "LEFT" : "", counts, c->rules,
	    silent ? "" : " AND n.n > 0");
	sqlite3_free(counts);
	return rc;
}

int rep_rule_next(struct rep_rows *r, struct rep_rule *out, struct error *err)
{
	static const struct rep_field fields[] = {
	    REP_INT(rep_rule, rule_id),	     REP_SEVERITY(rep_rule, severity),
	    REP_TEXT(rep_rule, digest),	     REP_TEXT(rep_rule, name),
	    REP_TEXT(rep_rule, description), REP_TEXT(rep_rule, source),
	    REP_TEXT(rep_rule, priority),    REP_TEXT(rep_rule, condition),
	    REP_TEXT(rep_rule, output),	     REP_TEXT(rep_rule, tags),
	    REP_TEXT(rep_rule, file),	     REP_INT(rep_rule, line),
	    REP_BOOL(rep_rule, enabled),     REP_ZERO(rep_rule, alerts),
	    REP_ZERO(rep_rule, first_ts),    REP_ZERO(rep_rule, last_ts),
	};

	return rep_rows_next(r, fields, COUNT_OF(fields), out, err);
}

/* --- alerts */

#define EXEC_OF_ALERT                                                                              \
	"LEFT JOIN execs x ON x.process_id = p.process_id AND x.seq = (SELECT max(n.seq) "         \
	"FROM execs n WHERE n.process_id = p.process_id AND n.evt_num <= a.evt_num) "

int rep_alerts_open(struct rep_case *c, int64_t rule_id, uint64_t limit, struct rep_rows **out,
		    struct error *err)
{
	char of_rule[48] = "";

	if (rule_id)
		snprintf(of_rule, sizeof(of_rule), " AND a.rule_id = %lld", (long long)rule_id);
	return rep_rows_open(
	    c, "alerts", out, err,
	    "SELECT a.alert_id, r.run_id, r.capture_id, a.run_capture_id, a.seq, a.rule_id, a.ts, "
	    "a.evt_num, a.evt_offset, a.tid, a.pid, p.process_id, a.priority, "
	    "(SELECT y.name FROM priorities y WHERE y.priority = a.priority), "
	    "u.name, u.digest, u.description, u.condition, u.tags, a.source, a.output, "
	    "a.output_fields, " REP_IMAGE("comm") ", " REP_IMAGE("exepath") ", " REP_IMAGE(
		"cmdline") ", p.container_id, c.path, c.sha256, c.hostname, "
			   "a.fingerprint, " REP_VERDICT " " REP_ALERTS
			   "LEFT JOIN processes p ON p.process_id = " REP_SHOWN_PROCESS
			   " AND p.pid IS a.pid " EXEC_OF_ALERT
			   "WHERE 1%s%s ORDER BY a.ts, a.alert_id LIMIT %lld",
	    of_rule, c->alerts, (long long)(limit > INT64_MAX ? INT64_MAX : (int64_t)limit));
}

int rep_alert_next(struct rep_rows *r, struct rep_alert *out, struct error *err)
{
	static const struct rep_field fields[] = {
	    REP_INT(rep_alert, alert_id),
	    REP_INT(rep_alert, run_id),
	    REP_INT(rep_alert, capture_id),
	    REP_INT(rep_alert, run_capture_id),
	    REP_INT(rep_alert, seq),
	    REP_INT(rep_alert, rule_id),
	    REP_ZERO(rep_alert, ts),
	    REP_INT(rep_alert, evt_num),
	    REP_INT(rep_alert, evt_offset),
	    REP_INT(rep_alert, tid),
	    REP_INT(rep_alert, pid),
	    REP_ZERO(rep_alert, process_id),
	    REP_SEVERITY(rep_alert, severity),
	    REP_TEXT(rep_alert, priority),
	    REP_TEXT(rep_alert, rule),
	    REP_TEXT(rep_alert, rule_digest),
	    REP_TEXT(rep_alert, rule_description),
	    REP_TEXT(rep_alert, rule_condition),
	    REP_TEXT(rep_alert, rule_tags),
	    REP_TEXT(rep_alert, source),
	    REP_TEXT(rep_alert, output),
	    REP_TEXT(rep_alert, fields),
	    REP_TEXT(rep_alert, comm),
	    REP_TEXT(rep_alert, exepath),
	    REP_TEXT(rep_alert, cmdline),
	    REP_TEXT(rep_alert, container_id),
	    REP_TEXT(rep_alert, capture),
	    REP_TEXT(rep_alert, capture_sha256),
	    REP_TEXT(rep_alert, hostname),
	    REP_FINGERPRINT(rep_alert, fingerprint),
	    REP_TEXT(rep_alert, verdict),
	};

	return rep_rows_next(r, fields, COUNT_OF(fields), out, err);
}

static char *severity_sql(struct rep_case *c)
{
	if (!c->by_counts)
		return sqlite3_mprintf("SELECT a.priority, count(*) " REP_ALERTS
				       "WHERE 1%s GROUP BY a.priority",
				       c->alerts);
	return sqlite3_mprintf(
	    "SELECT u.priority, sum(n.alerts%s) FROM alert_counts n JOIN rules u USING (rule_id) "
	    "JOIN run_captures r USING (run_capture_id) JOIN captures c USING (capture_id) "
	    "WHERE 1%s GROUP BY u.priority",
	    c->select.run_id ? "" : " - n.repeated", c->counts);
}

int rep_alerts_count(struct rep_case *c, uint64_t by_severity[REP_SEVERITIES], struct error *err)
{
	char *sql = severity_sql(c);
	struct rep_rows *r = NULL;
	int rc = sql ? rep_rows_open(c, "counts of alerts", &r, err, "%s", sql) : error_nomem(err);

	sqlite3_free(sql);
	for (int i = 0; i < REP_SEVERITIES; i++)
		by_severity[i] = 0;
	if (rc < 0)
		return rc;
	while ((rc = rep_rows_step(r, err)) > 0) {
		struct rep_columns k = {.stmt = r->stmt};
		int severity = rep_severity(&k);
		int64_t n = rep_zero(&k);

		by_severity[severity] += n > 0 ? (uint64_t)n : 0;
	}
	rep_rows_close(r);
	return rc;
}

static char *groups_sql(struct rep_case *c)
{
	if (!c->by_counts)
		return sqlite3_mprintf(
		    "SELECT a.rule_id, r.run_capture_id, a.fingerprint, count(*) AS n, "
		    "min(a.ts) AS first, max(a.ts) AS last, min(a.seq) AS seq " REP_ALERTS
		    "WHERE 1%s GROUP BY a.rule_id, r.run_capture_id, a.fingerprint",
		    c->alerts);
	return sqlite3_mprintf(
	    "SELECT n.rule_id, n.run_capture_id, n.fingerprint, n.alerts%s AS n, "
	    "n.first_ts AS first, n.last_ts AS last, n.first_seq AS seq FROM alert_groups n "
	    "JOIN rules u USING (rule_id) JOIN run_captures r USING (run_capture_id) "
	    "JOIN captures c USING (capture_id) WHERE 1%s",
	    c->select.run_id ? "" : " - n.repeated", c->counts);
}

int rep_groups_open(struct rep_case *c, int64_t rule_id, uint64_t limit, struct rep_rows **out,
		    struct error *err)
{
	char *sql = groups_sql(c);
	int rc;

	if (!sql)
		return error_nomem(err);
	rc = rep_rows_open(
	    c, "groups of alerts", out, err,
	    "SELECT g.rule_id, r.capture_id, g.n, g.first, g.last, u.priority, g.fingerprint, "
	    "u.name, (SELECT y.name FROM priorities y WHERE y.priority = u.priority), c.hostname, "
	    "(SELECT a.output FROM alerts a WHERE a.run_capture_id = g.run_capture_id "
	    "AND a.seq = g.seq) FROM (%s) g JOIN rules u USING (rule_id) "
	    "JOIN run_captures r USING (run_capture_id) JOIN captures c USING (capture_id) "
	    "WHERE g.n > 0 AND %lld IN (0, g.rule_id) "
	    "ORDER BY u.priority, u.name, u.rule_id, g.first, g.run_capture_id, g.fingerprint "
	    "LIMIT %lld",
	    sql, (long long)rule_id, (long long)(limit > INT64_MAX ? INT64_MAX : (int64_t)limit));
	sqlite3_free(sql);
	return rc;
}

int rep_group_next(struct rep_rows *r, struct rep_group *out, struct error *err)
{
	static const struct rep_field fields[] = {
	    REP_INT(rep_group, rule_id),
	    REP_INT(rep_group, capture_id),
	    REP_ZERO(rep_group, alerts),
	    REP_ZERO(rep_group, first_ts),
	    REP_ZERO(rep_group, last_ts),
	    REP_SEVERITY(rep_group, severity),
	    REP_FINGERPRINT(rep_group, fingerprint),
	    REP_TEXT(rep_group, rule),
	    REP_TEXT(rep_group, priority),
	    REP_TEXT(rep_group, hostname),
	    REP_TEXT(rep_group, example),
	};

	return rep_rows_next(r, fields, COUNT_OF(fields), out, err);
}

/* --- what people say */

int rep_said_open(struct rep_case *c, struct rep_rows **out, struct error *err)
{
	return rep_rows_open(
	    c, "notes", out, err,
	    "SELECT %d AS kind, note_id AS id, written, author, capture_sha256, rule, "
	    "NULL AS fingerprint, process_uid, evt_offset, NULL AS ts, NULL AS verdict, text "
	    "FROM notes n WHERE NOT EXISTS (SELECT 1 FROM notes m WHERE m.replaces = n.note_id) "
	    "UNION ALL SELECT %d, bookmark_id, written, author, capture_sha256, NULL, NULL, NULL, "
	    "evt_offset, ts, NULL, label FROM bookmarks b WHERE removes IS NULL "
	    "AND NOT EXISTS (SELECT 1 FROM bookmarks m WHERE m.removes = b.bookmark_id) "
	    "UNION ALL SELECT %d, verdict_id, written, author, capture_sha256, rule, fingerprint, "
	    "NULL, evt_offset, NULL, verdict, reason FROM v_verdict "
	    "ORDER BY written, kind, id",
	    REP_NOTE, REP_BOOKMARK, REP_VERDICT_GIVEN);
}

int rep_said_next(struct rep_rows *r, struct rep_said *out, struct error *err)
{
	struct rep_columns k = {.stmt = r->stmt};
	int rc = rep_rows_step(r, err);

	if (rc <= 0)
		return rc;
	out->kind = (enum rep_said_kind)rep_int(&k);
	out->id = rep_int(&k);
	out->written = rep_text(&k);
	out->author = rep_text(&k);
	out->capture_sha256 = rep_text(&k);
	out->rule = rep_text(&k);
	out->fingerprint = rep_text(&k);
	out->process_uid = rep_text(&k);
	out->evt_offset = rep_int(&k);
	out->ts = rep_zero(&k);
	out->verdict = rep_text(&k);
	out->text = rep_text(&k);
	return 1;
}
