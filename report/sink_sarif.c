/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log in the Static Analysis Results Interchange Format: each replay is a run of it, with the
 * rules that gave alerts, the captures as artifacts, and the alerts as results whose place is an
 * offset in a capture. A capture that was replayed twice has its alerts in both runs, as a run is
 * what a replay found. What comes first in a run is limited by the number of rules and captures;
 * results are written one by one. So that only numbers of rules and captures are remembered.
 * Source: SARIF 2.1.0 (OASIS), sections 3.11 (messages), 3.14 (run), 3.24 (artifact), 3.27
 * (result), 3.30 (region), 3.49 (reportingDescriptor), and its JSON schema.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "report/sarif_text.h"
#include "report/subject.h"

struct sarif {
	struct rep_case *c;
	const struct rep_options *opt;
	struct rep_out *out;
	struct rep_js js;
	struct map rules, captures; /* their place in the run, from 1 on */
	struct arena arena;	    /* of these maps' values */
	struct buf text;
	int64_t *runs;
	size_t run_count;
};

/* --- places in arrays */

static int place(struct sarif *s, struct map *in, int64_t id, struct error *err)
{
	size_t *n = arena_alloc(&s->arena, sizeof(*n));

	if (!n)
		return error_nomem(err);
	*n = in->count;
	return map_put(in, (uint64_t)id, n) < 0 ? error_nomem(err) : 0;
}

/* -1: it is not there. */
static int64_t place_of(const struct map *in, int64_t id)
{
	const size_t *n = map_get(in, (uint64_t)id);

	return n ? (int64_t)*n : -1;
}

/* --- texts */

/* Words of our own, such as descriptions of a rule: nothing is replaced in them. */
static void put_words(struct rep_js *j, const char *key, struct sv text)
{
	if (!text.n)
		return;
	rep_js_object(j, key);
	rep_js_text(j, "text", text);
	rep_js_end(j);
}

static void put_artifact_location(struct sarif *s, const char *key, struct sv path, int64_t index)
{
	rep_js_object(&s->js, key);
	rep_sarif_uri(&s->js, &s->text, "uri", path);
	rep_js_known(&s->js, "index", index);
	rep_js_end(&s->js);
}

static void put_physical_location(struct sarif *s, struct sv path, int64_t index, int64_t offset,
				  int64_t length)
{
	struct rep_js *j = &s->js;

	rep_js_object(j, "physicalLocation");
	put_artifact_location(s, "artifactLocation", path, index);
	rep_js_object(j, "region");
	rep_js_known(j, "byteOffset", offset);
	if (offset >= 0)
		rep_js_known(j, "byteLength", length);
	rep_js_close(j);
	rep_js_end(j);
}

/* --- rules */

static void put_rule(struct sarif *s, const struct rep_rule *r)
{
	const struct rep_grade *grade = &rep_grades[r->severity];
	struct rep_js *j = &s->js;

	rep_js_object(j, NULL);
	rep_js_text(j, "id", r->name.n ? r->name : SV_LIT("-"));
	put_words(j, "shortDescription", r->name);
	put_words(j, "fullDescription", r->description);
	put_words(j, "help", r->condition);
	rep_js_object(j, "defaultConfiguration");
	rep_js_str(j, "level", grade->sarif);
	rep_js_bool(j, "enabled", r->enabled);
	rep_js_end(j);
	rep_js_object(j, "properties");
	rep_js_copy(j, "tags", r->tags, true);
	rep_js_some(j, "priority", r->priority);
	rep_js_str(j, "security-severity", grade->security);
	rep_js_str(j, "precision", "high");
	rep_js_some(j, "digest", r->digest);
	rep_js_some(j, "file", r->file);
	rep_js_known(j, "line", r->line);
	rep_js_some(j, "source", r->source);
	rep_js_some(j, "output", r->output);
	rep_js_end(j);
	rep_js_end(j);
}

static int put_rules(struct sarif *s, struct error *err)
{
	struct rep_rows *rows = NULL;
	struct rep_rule r;
	int rc = rep_rules_open(s->c, false, &rows, err);

	rep_js_array(&s->js, "rules");
	while (rc >= 0 && (rc = rep_rule_next(rows, &r, err)) == 1) {
		rc = place(s, &s->rules, r.rule_id, err);
		put_rule(s, &r);
		if (rc == 0)
			rc = rep_out_row(s->out, err);
	}
	rep_js_end(&s->js);
	rep_rows_close(rows);
	return rc;
}

/* --- artifacts: captures, then files of rules */

static void put_artifact(struct sarif *s, struct sv path, const char *role, struct sv sha256,
			 int64_t length)
{
	struct rep_js *j = &s->js;

	rep_js_object(j, NULL);
	rep_js_object(j, "location");
	rep_sarif_uri(&s->js, &s->text, "uri", path);
	rep_js_end(j);
	rep_js_known(j, "length", length);
	rep_js_array(j, "roles");
	rep_js_str(j, NULL, role);
	rep_js_end(j);
	rep_js_object(j, "hashes");
	if (sha256.n)
		rep_js_some(j, "sha-256", sha256);
	rep_js_close(j);
}

static void put_capture(struct sarif *s, const struct rep_capture *c)
{
	struct rep_js *j = &s->js;

	put_artifact(s, c->path, "analysisTarget", c->sha256, c->file_size);
	rep_js_object(j, "properties");
	rep_js_some(j, "path", c->path);
	rep_js_some(j, "hostname", c->hostname);
	rep_js_time(j, "firstEvent", c->first_ts);
	rep_js_time(j, "lastEvent", c->last_ts);
	rep_js_known(j, "events", c->events);
	rep_js_known(j, "gaps", c->gaps);
	rep_js_known(j, "lostEvents", c->lost_events);
	rep_js_some(j, "compression", c->compression);
	rep_js_known(j, "uncompressedLength", c->stream_size);
	rep_js_some(j, "seal", c->seal);
	rep_js_end(j);
	rep_js_end(j);
}

static int put_captures(struct sarif *s, struct error *err)
{
	struct rep_rows *rows = NULL;
	struct rep_capture c;
	int rc = rep_captures_open(s->c, &rows, err);

	while (rc >= 0 && (rc = rep_capture_next(rows, &c, err)) == 1) {
		rc = place(s, &s->captures, c.capture_id, err);
		put_capture(s, &c);
		if (rc == 0)
			rc = rep_out_row(s->out, err);
	}
	rep_rows_close(rows);
	return rc;
}

static int put_rule_files(struct sarif *s, struct error *err)
{
	struct rep_rows *rows = NULL;
	struct rep_rule_file f;
	int rc = rep_rule_files_open(s->c, &rows, err);

	while (rc >= 0 && (rc = rep_rule_file_next(rows, &f, err)) == 1) {
		put_artifact(s, f.name, "userSpecifiedConfiguration", f.sha256, -1);
		rep_js_end(&s->js);
		rc = rep_out_row(s->out, err);
	}
	rep_rows_close(rows);
	return rc;
}

/* --- the invocation, and what the replay could not see */

static int put_gaps(struct sarif *s, struct error *err)
{
	struct rep_js *j = &s->js;
	struct rep_rows *rows = NULL;
	struct rep_gap g;
	int rc = rep_gaps_open(s->c, &rows, err);

	while (rc >= 0 && (rc = rep_gap_next(rows, &g, err)) == 1) {
		rep_js_object(j, NULL);
		rep_sarif_message(&s->js, &s->text, "message",
				  g.description.n ? g.description : g.reason);
		rep_js_str(j, "level", "warning");
		rep_js_array(j, "locations");
		rep_js_object(j, NULL);
		put_physical_location(s, g.path, place_of(&s->captures, g.capture_id),
				      g.stream_offset, g.bytes);
		rep_js_end(j);
		rep_js_end(j);
		rep_js_end(j);
		rc = rep_out_row(s->out, err);
	}
	rep_rows_close(rows);
	return rc;
}

static int put_losses(struct sarif *s, struct error *err)
{
	struct rep_js *j = &s->js;
	struct rep_rows *rows = NULL;
	struct rep_loss l;
	int rc = rep_losses_open(s->c, &rows, err);

	while (rc >= 0 && (rc = rep_loss_next(rows, &l, err)) == 1) {
		rep_js_object(j, NULL);
		rep_sarif_message(&s->js, &s->text, "message",
				  l.description.n ? l.description : l.what);
		rep_js_str(j, "level", "warning");
		rep_js_object(j, "properties");
		rep_js_some(j, "capture", l.path);
		rep_js_some(j, "what", l.what);
		rep_js_known(j, "count", l.count);
		rep_js_end(j);
		rep_js_end(j);
		rc = rep_out_row(s->out, err);
	}
	rep_rows_close(rows);
	return rc;
}

/* 0: all went well, 1: there are alerts, 5: parts of captures are missing. */
static bool went_well(const struct rep_run *r)
{
	return r->finished && (r->exit_status == 0 || r->exit_status == 1 || r->exit_status == 5);
}

static int put_invocation(struct sarif *s, const struct rep_run *r, struct error *err)
{
	struct rep_js *j = &s->js;
	int rc;

	rep_js_array(j, "invocations");
	rep_js_object(j, NULL);
	rep_js_some(j, "commandLine", r->command);
	rep_js_bool(j, "executionSuccessful", went_well(r));
	rep_js_known(j, "exitCode", r->exit_status);
	rep_js_time(j, "startTimeUtc", r->started_ts);
	rep_js_time(j, "endTimeUtc", r->finished_ts);
	rep_js_array(j, "toolExecutionNotifications");
	rc = put_gaps(s, err);
	if (rc >= 0)
		rc = put_losses(s, err);
	rep_js_end(j);
	rep_js_end(j);
	rep_js_end(j);
	return rc;
}

/* --- results */

static void put_logical_location(struct rep_js *j, const struct rep_subject *sub)
{
	struct buf line = {0};

	if (!sub->count)
		return;
	for (size_t i = sub->count; i-- > 0;) {
		buf_sv(&line, sub->line[i].comm);
		if (sub->line[i].pid >= 0)
			buf_addf(&line, "(%lld)", (long long)sub->line[i].pid);
		if (i)
			buf_char(&line, '>');
	}
	rep_js_array(j, "logicalLocations");
	rep_js_object(j, NULL);
	rep_js_text(j, "name", sub->line[0].comm);
	rep_js_some(j, "fullyQualifiedName", buf_view(&line));
	rep_js_str(j, "kind", "process");
	rep_js_end(j);
	rep_js_end(j);
	if (line.failed)
		j->b->failed = true;
	buf_done(&line);
}

static void put_suppression(struct rep_js *j, struct sv verdict)
{
	if (!sv_is(verdict, "false positive") && !sv_is(verdict, "benign"))
		return;
	rep_js_array(j, "suppressions");
	rep_js_object(j, NULL);
	rep_js_str(j, "kind", "external");
	rep_js_str(j, "status", "accepted");
	rep_js_some(j, "justification", verdict);
	rep_js_end(j);
	rep_js_end(j);
}

static void put_result_properties(struct rep_js *j, const struct rep_subject *sub)
{
	const struct rep_alert *a = sub->alert;

	rep_js_object(j, "properties");
	rep_js_array(j, "tags");
	for (size_t i = 0; i < sub->attack.techniques; i++)
		rep_js_str(j, NULL, sub->attack.technique[i]);
	rep_js_close(j);
	rep_js_time(j, "time", a->ts);
	rep_js_some(j, "priority", a->priority);
	rep_js_some(j, "output", a->output);
	rep_js_known(j, "evtNum", a->evt_num);
	rep_js_some(j, "hostname", a->hostname);
	rep_js_known(j, "pid", a->pid);
	rep_js_known(j, "tid", a->tid);
	rep_js_some(j, "comm", a->comm);
	rep_js_some(j, "exepath", a->exepath);
	rep_js_some(j, "cmdline", a->cmdline);
	if (sub->count) {
		rep_js_some(j, "processUid", sub->line[0].uid_text);
		rep_js_some(j, "user", sub->line[0].user);
	}
	rep_js_some(j, "containerId", sub->container_id);
	rep_js_some(j, "containerName", sub->container_name);
	rep_js_some(j, "containerImage", sub->container_image);
	rep_js_some(j, "verdict", a->verdict);
	rep_js_int(j, "gapsBefore", (int64_t)sub->gaps_before);
	rep_js_copy(j, "outputFields", a->fields, false);
	rep_js_end(j);
}

/* The walk begins its own writer for each row; results belong into the open array of this one. */
static void put_result(struct rep_walk *w, const struct rep_subject *sub)
{
	struct sarif *s = w->arg;
	const struct rep_alert *a = sub->alert;
	struct rep_js *j = &s->js;

	rep_js_object(j, NULL);
	rep_js_text(j, "ruleId", a->rule);
	rep_js_known(j, "ruleIndex", place_of(&s->rules, a->rule_id));
	rep_js_str(j, "level", rep_grades[a->severity].sarif);
	rep_sarif_message(&s->js, &s->text, "message", a->output.n ? a->output : a->rule);
	rep_js_array(j, "locations");
	rep_js_object(j, NULL);
	put_physical_location(s, a->capture, place_of(&s->captures, a->capture_id), a->evt_offset,
			      -1);
	put_logical_location(j, sub);
	rep_js_end(j);
	rep_js_end(j);
	rep_js_object(j, "fingerprints");
	rep_js_some(j, "scapulaAlert/v1", sub->id);
	rep_js_end(j);
	rep_js_object(j, "partialFingerprints");
	rep_js_str(j, "scapulaFingerprint/v1", a->fingerprint);
	rep_js_end(j);
	put_suppression(j, a->verdict);
	put_result_properties(j, sub);
	rep_js_end(j);
}

static int put_results(struct sarif *s, struct error *err)
{
	struct rep_walk w = {.c = s->c,
			     .opt = s->opt,
			     .out = s->out,
			     .with = REP_WITH_LINEAGE | REP_WITH_GAPS,
			     .alert = put_result,
			     .arg = s};
	int rc;

	rep_js_array(&s->js, "results");
	rc = rep_walk(&w, err);
	rep_js_end(&s->js);
	return rc;
}

/* --- runs */

static int put_tool(struct sarif *s, const struct rep_run *r, struct error *err)
{
	struct rep_js *j = &s->js;
	int rc;

	rep_js_object(j, "tool");
	rep_js_object(j, "driver");
	rep_js_str(j, "name", "Scapula");
	rep_js_some(j, "version", r->version);
	rc = put_rules(s, err);
	rep_js_end(j);
	rep_js_end(j);
	return rc;
}

static int put_run(struct sarif *s, const struct rep_run *r, struct error *err)
{
	struct rep_js *j = &s->js;
	int rc;

	map_clear(&s->rules);
	map_clear(&s->captures);
	arena_reset(&s->arena);
	rep_js_object(j, NULL);
	rc = put_tool(s, r, err);
	rep_js_array(j, "artifacts");
	if (rc >= 0)
		rc = put_captures(s, err);
	if (rc >= 0)
		rc = put_rule_files(s, err);
	rep_js_end(j);
	if (rc >= 0)
		rc = put_invocation(s, r, err);
	rep_js_object(j, "automationDetails");
	buf_reset(&s->text);
	buf_addf(&s->text, "scapula/run/%lld", (long long)r->run_id);
	rep_js_text(j, "id", buf_view(&s->text));
	rep_js_end(j);
	rep_js_str(j, "columnKind", "unicodeCodePoints");
	if (rc >= 0)
		rc = put_results(s, err);
	rep_js_object(j, "properties");
	rep_js_int(j, "run", r->run_id);
	rep_js_some(j, "matching", r->matching);
	rep_js_end(j);
	rep_js_end(j);
	return rc;
}

static int add_run(struct sarif *s, int64_t id, struct error *err)
{
	size_t n = s->run_count;

	if ((n & (n - 1)) == 0) { /* room doubles */
		int64_t *more = realloc(s->runs, (n ? 2 * n : 1) * sizeof(*more));

		if (!more)
			return error_nomem(err);
		s->runs = more;
	}
	s->runs[s->run_count++] = id;
	return 0;
}

/* Which runs there are: to go through one by one, rows of all of them must not be open. */
static int list_runs(struct sarif *s, struct error *err)
{
	struct rep_rows *rows = NULL;
	struct rep_run r;
	int rc = rep_runs_open(s->c, &rows, err);

	while (rc >= 0 && (rc = rep_run_next(rows, &r, err)) == 1)
		rc = add_run(s, r.run_id, err);
	rep_rows_close(rows);
	return rc;
}

static int put_runs(struct sarif *s, struct error *err)
{
	int rc = list_runs(s, err);

	for (size_t i = 0; rc >= 0 && i < s->run_count; i++) {
		struct rep_rows *rows = NULL;
		struct rep_run r;

		rc = rep_case_narrow(s->c, s->runs[i], err);
		if (rc >= 0)
			rc = rep_runs_open(s->c, &rows, err);
		if (rc >= 0)
			rc = rep_run_next(rows, &r, err);
		if (rc == 1)
			rc = put_run(s, &r, err);
		rep_rows_close(rows);
	}
	return rc;
}

int rep_write_sarif(struct rep_case *c, const struct rep_options *opt, struct rep_out *out,
		    struct error *err)
{
	struct sarif s = {.c = c, .opt = opt, .out = out};
	bool failed;
	int rc;

	rep_js_begin(&s.js, &out->b);
	rep_js_object(&s.js, NULL);
	rep_js_str(&s.js, "$schema", REP_SARIF_SCHEMA);
	rep_js_str(&s.js, "version", "2.1.0");
	rep_js_array(&s.js, "runs");
	rc = put_runs(&s, err);
	if (rc >= 0)
		rc = rep_case_narrow(c, 0, err);
	rep_js_end(&s.js);
	rep_js_end(&s.js);
	buf_char(&out->b, '\n');
	failed = s.text.failed;
	map_done(&s.rules);
	map_done(&s.captures);
	arena_done(&s.arena);
	buf_done(&s.text);
	free(s.runs);
	if (rc >= 0 && failed)
		rc = error_nomem(err);
	return rc < 0 ? rc : rep_out_end(out, err);
}
