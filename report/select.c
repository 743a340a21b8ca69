/* SPDX-License-Identifier: Apache-2.0 */
/* What the options select, as conditions in SQL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"

#define HASH_DIGITS_MIN 8 /* of the beginning of a hash that names a capture */

/* The text, kept in the case's arena. */
static int keep(struct rep_case *c, sqlite3_str *s, const char **out, struct error *err)
{
	char *text = sqlite3_str_finish(s);

	*out = text ? arena_strdup(&c->arena, text) : arena_strdup(&c->arena, "");
	sqlite3_free(text);
	return *out ? 0 : error_nomem(err);
}

static bool is_digits(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n && n < 19 && !s[n];
}

static bool is_hash_start(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return n >= HASH_DIGITS_MIN && n <= 64 && !s[n];
}

static void one_capture(sqlite3_str *s, const char *name)
{
	sqlite3_str_appendf(s, "c.path = %Q", name);
	if (is_digits(name))
		sqlite3_str_appendf(s, " OR c.capture_id = %s", name);
	if (is_hash_start(name))
		sqlite3_str_appendf(s, " OR c.sha256 GLOB '%q*'", name);
}

static void one_rule(sqlite3_str *s, const char *name)
{
	sqlite3_str_appendf(s, "u.name GLOB %Q", name);
}

static void one_host(sqlite3_str *s, const char *name)
{
	sqlite3_str_appendf(s, "c.hostname = %Q", name);
}

static void one_fingerprint(sqlite3_str *s, const char *name)
{
	sqlite3_str_appendf(s, "a.fingerprint = %lld", (long long)strtoull(name, NULL, 16));
}

static void any_of(sqlite3_str *s, const struct rep_names *names,
		   void (*one)(sqlite3_str *, const char *))
{
	for (size_t i = 0; i < names->count; i++) {
		sqlite3_str_appendall(s, i ? " OR " : " AND (");
		one(s, names->items[i]);
	}
	if (names->count)
		sqlite3_str_appendall(s, ")");
}

/* Each of @names is to be there: a name that was mistyped must not give an empty report. */
static int check_names(struct rep_case *c, const char *what, const char *table,
		       const struct rep_names *names, void (*one)(sqlite3_str *, const char *),
		       struct error *err)
{
	for (size_t i = 0; i < names->count; i++) {
		sqlite3_str *s = sqlite3_str_new(c->db);
		struct rep_rows *r = NULL;
		char *sql;
		int rc;

		sqlite3_str_appendf(s, "SELECT 1 FROM %s WHERE ", table);
		one(s, names->items[i]);
		sql = sqlite3_str_finish(s);
		rc = sql ? rep_rows_open(c, what, &r, err, "%s LIMIT 1", sql) : error_nomem(err);
		sqlite3_free(sql);
		if (rc == 0)
			rc = rep_rows_step(r, err);
		rep_rows_close(r);
		if (rc == 0)
			return error_set(err, ERR_USAGE, "case '%s' has no %s '%.200s'", c->name,
					 what, names->items[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void one_run(sqlite3_str *s, const char *name)
{
	sqlite3_str_appendf(s, "run_id = %s", name);
}

static int check_all(struct rep_case *c, struct error *err)
{
	const struct rep_select *s = &c->select;
	char run[24];
	struct rep_names runs = {(const char *const[]){run}, s->run_id != 0};
	int rc = check_names(c, "capture", "captures c", &s->captures, one_capture, err);

	if (rc == 0)
		rc = check_names(c, "rule that matches", "rules u", &s->rules, one_rule, err);
	if (rc == 0)
		rc = check_names(c, "host", "captures c", &s->hosts, one_host, err);
	if (rc == 0)
		rc = check_names(c, "alert with the fingerprint", "alerts a", &s->fingerprints,
				 one_fingerprint, err);
	snprintf(run, sizeof(run), "%lld", (long long)s->run_id);
	if (rc == 0)
		rc = check_names(c, "run", "runs", &runs, one_run, err);
	return rc;
}

static void verdicts(sqlite3_str *s, unsigned bits)
{
	static const char *const names[] = {"", "true positive", "false positive", "benign",
					    "undecided"};
	const char *between = "";

	sqlite3_str_appendall(s, " AND ifnull(" REP_VERDICT ", '') IN (");
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (bits & 1u << i) {
			sqlite3_str_appendf(s, "%s%Q", between, names[i]);
			between = ", ";
		}
	}
	sqlite3_str_appendall(s, ")");
}

static int build_captures(struct rep_case *c, struct error *err)
{
	const struct rep_select *o = &c->select;
	sqlite3_str *s = sqlite3_str_new(c->db);

	any_of(s, &o->captures, one_capture);
	any_of(s, &o->hosts, one_host);
	if (o->run_id)
		sqlite3_str_appendf(s,
				    " AND EXISTS (SELECT 1 FROM run_captures q "
				    "WHERE q.capture_id = c.capture_id AND q.run_id = %lld)",
				    (long long)o->run_id);
	return keep(c, s, &c->captures, err);
}

static int build_rules(struct rep_case *c, struct error *err)
{
	const struct rep_select *o = &c->select;
	sqlite3_str *s = sqlite3_str_new(c->db);

	any_of(s, &o->rules, one_rule);
	if (o->has_severity)
		sqlite3_str_appendf(s, " AND u.priority <= %d", o->severity);
	return keep(c, s, &c->rules, err);
}

/* Which readings count: those of one run, or each alert once, whichever run found it first. */
static void readings(sqlite3_str *s, int64_t run_id)
{
	if (run_id)
		sqlite3_str_appendf(s, " AND r.run_id = %lld", (long long)run_id);
	else
		sqlite3_str_appendall(s, " AND (r.state = 'done' OR c.reading_id = "
					 "r.run_capture_id)");
}

static int build_alerts(struct rep_case *c, struct error *err)
{
	const struct rep_select *o = &c->select;
	sqlite3_str *s = sqlite3_str_new(c->db);
	const char *before;
	int rc;

	readings(s, o->run_id);
	any_of(s, &o->captures, one_capture);
	any_of(s, &o->hosts, one_host);
	sqlite3_str_appendall(s, c->rules);
	rc = keep(c, s, &before, err);
	if (rc < 0)
		return rc;
	c->counts = before;
	s = sqlite3_str_new(c->db);
	sqlite3_str_appendall(s, before);
	if (!o->run_id)
		sqlite3_str_appendall(s, " AND a.repeats IS NULL");
	any_of(s, &o->fingerprints, one_fingerprint);
	if (o->from)
		sqlite3_str_appendf(s, " AND a.ts >= %lld", (long long)o->from);
	if (o->to)
		sqlite3_str_appendf(s, " AND a.ts < %lld", (long long)o->to);
	if (o->verdicts)
		verdicts(s, o->verdicts);
	c->by_counts = !o->fingerprints.count && !o->from && !o->to && !o->verdicts;
	return keep(c, s, &c->alerts, err);
}

int rep_select_build(struct rep_case *c, struct error *err)
{
	int rc = check_all(c, err);

	if (rc == 0)
		rc = build_captures(c, err);
	if (rc == 0)
		rc = build_rules(c, err);
	if (rc == 0)
		rc = build_alerts(c, err);
	return rc;
}
