/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify_deep.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/case_report.h"
#include "cli/custody.h"
#include "cli/index.h"
#include "cli/rule_run.h"
#include "cli/scratch.h"
#include "cli/verify.h"
#include "scapfile/files.h"
#include "scapfile/stream.h"

#define ARGUMENTS_MAX 4096 /* of a command line of a case */
#define WHY_MAX	      20u  /* lines about what could not be repeated */

/* ---- what is not repeated ---- */

/* @what of run @run could not be repeated. */
static void skip(struct cli_deep *d, const struct bag_run *run, const char *what, const char *why)
{
	d->status = cli_verdict_worse(d->status, CLI_PARTIAL);
	if (d->skipped++ >= WHY_MAX)
		return;
	buf_addf(&d->why, "run %" PRId64 ": ", run->id);
	cli_safe(&d->why, sv_of(what));
	buf_addf(&d->why, "%s%s\n", *what ? " " : "", why);
}

/* ---- the command line, as cli_quote_command() wrote it ---- */

/* The next word of @text, unquoted in place. Return: NULL at the end. */
static char *next_word(char **text)
{
	char *at = *text, *to, *word;
	bool quoted = false;

	while (*at == ' ')
		at++;
	if (!*at)
		return NULL;
	word = to = at;
	for (; *at && (quoted || *at != ' '); at++) {
		if (*at == '\'')
			quoted = !quoted;
		else if (*at == '\\' && !quoted && at[1])
			*to++ = *++at;
		else
			*to++ = *at;
	}
	*text = *at ? at + 1 : at;
	*to = '\0';
	return word;
}

/* Return: number of words, or -1 if there are too many. */
static int split(char *text, char **words)
{
	int n = 0;

	while (n < ARGUMENTS_MAX && (words[n] = next_word(&text)))
		n++;
	return n < ARGUMENTS_MAX ? n : -1;
}

/* ---- one run ---- */

struct again { /* a run that is repeated */
	struct cli_deep *deep;
	const struct cli_bundle *bundle;
	const char *path; /* of the case */
	const struct bag_run *run;
	struct cli_common common;
	struct cli_rule_run rules;
	struct cli_scratch scratch;
	char *command;
	char **words;
	char **files; /* of rules and captures, in the bundle */
	size_t nfiles;
	const struct bag_reading *
	    *readings; /* that are replayed, in this order; NULL: not to its end */
	size_t nreadings;
};

/* Has the member this hash as it is stored; or else, with @inside, what xz or the like compressed?
 */
static bool is_the_one(const struct again *a, const struct bag_file *m,
		       const struct bag_case_file *f, bool inside)
{
	struct custody_file file = {0};
	char *path;
	bool is;

	if (!inside)
		return memcmp(m->sha256, f->sha256, BAG_DIGEST) == 0;
	path = cli_bundle_member(a->bundle, m->name);
	file.name = path;
	is = path && cli_custody_hash(&file) == 0 && file.hashed &&
	     memcmp(file.sha256, f->sha256, BAG_DIGEST) == 0;
	free(path);
	return is;
}

/* The member under @dir that has this hash: its path, for @a to free; or NULL. */
static const char *find_file(struct again *a, const struct bag_case_file *f, const char *dir)
{
	const struct bag_report *r = &a->bundle->report;

	for (size_t i = 0; i < 2 * r->count && f->hashed; i++) {
		const struct bag_file *m = &r->list[i % r->count];
		char *path;

		if (!m->whole || !sv_starts(sv_of(m->name), sv_of(dir)) ||
		    !is_the_one(a, m, f, i >= r->count))
			continue;
		path = cli_bundle_member(a->bundle, m->name);
		if (path)
			a->files[a->nfiles++] = path;
		return path;
	}
	return NULL;
}

static bool find_rules(struct again *a)
{
	const struct bag_run *run = a->run;

	for (size_t i = 0; i < run->nrules; i++) {
		const char *path = find_file(a, &run->rules[i], BAG_RULES);

		if (!path) {
			skip(a->deep, run, run->rules[i].path, "(rules) is not in the bundle");
			return false;
		}
		if (cli_names_add(&a->rules.rules, path))
			return false;
	}
	if (!run->nrules)
		skip(a->deep, run, "", "it had no rules");
	return run->nrules > 0;
}

/* Take the options that the run was given. */
static bool take_command(struct again *a)
{
	bool configured = false;
	int n;

	a->command = strdup(a->run->command);
	a->words = calloc(ARGUMENTS_MAX + 1, sizeof(*a->words));
	if (!a->command || !a->words) {
		a->deep->status = cli_verdict_worse(a->deep->status, cli_exit_of(ERR_NOMEM));
		return false;
	}
	n = split(a->command, a->words);
	if (n < 2 || strcmp(a->words[0], "scapula") != 0 || strcmp(a->words[1], "replay") != 0) {
		skip(a->deep, a->run, "", "it was no replay");
		return false;
	}
	if (!cli_replay_again(&a->rules, &a->common, n - 1, a->words + 1, &configured)) {
		skip(a->deep, a->run, "", "its options make no sense to this version");
		return false;
	}
	a->rules.config = configured ? a->deep->opt->config : NULL;
	if (!configured || a->rules.config)
		return true;
	skip(a->deep, a->run, "",
	     "it had a configuration file, which is not in the bundle: give it with --config");
	return false;
}

static void stop_run(void *arg)
{
	run_stop(arg);
}

/* Return: 0 or an exit status (told). */
static int replay_one(struct again *a, const struct bag_reading *reading, const char *path)
{
	struct run_capture_report rep = {0};
	struct error err = {0};
	struct sf_index *x = a->rules.run.jobs > 1 ? cli_index_open(path) : NULL;
	int rc = run_capture(a->rules.r, path, x, &rep, &err);

	sf_index_close(x);
	if (rc < 0)
		return cli_fail(&err);
	if (rep.end == RUN_END_INTERRUPTED)
		return cli_interrupted();
	a->deep->events += rep.state->events;
	if (rep.end == RUN_END_MEMORY) {
		skip(a->deep, a->run, reading->capture.path, "needs more memory than --mem-limit");
		a->readings[a->nreadings++] = NULL;
		return 0;
	}
	a->readings[a->nreadings++] = reading;
	a->deep->miscounted += rep.state->events != reading->events;
	return 0;
}

static int replay_all(struct again *a)
{
	int status = 0;

	cli_on_interrupt(stop_run, a->rules.r);
	for (size_t i = 0; i < a->run->nreadings && !status && !cli_interrupted(); i++) {
		const struct bag_reading *reading = &a->run->readings[i];
		const char *path = find_file(a, &reading->capture, BAG_CAPTURES);

		if (!reading->complete)
			skip(a->deep, a->run, reading->capture.path, "was not read to its end");
		else if (!path)
			skip(a->deep, a->run, reading->capture.path, "is not in the bundle");
		else
			status = replay_one(a, reading, path);
	}
	cli_on_interrupt(NULL, NULL);
	return status;
}

static int replay(struct again *a)
{
	int status = cli_scratch_make(&a->scratch);

	a->rules.db = a->scratch.file;
	a->rules.only_case = true;
	a->rules.no_custody = true;
	a->rules.run.progress = cli_progress;
	a->rules.run.jobs = a->deep->opt->jobs;
	a->common.mem_limit = a->deep->opt->common->mem_limit;
	if (!status)
		status = cli_rule_run_load(&a->rules);
	if (!status)
		status = cli_rule_run_start(&a->rules, a->run->command ? 1 : 0, a->words + 1);
	if (!status)
		status = replay_all(a);
	return status;
}

static bool stop(void *arg)
{
	(void)arg;
	return cli_interrupted() != 0;
}

/* The case that was made now against the one of the bundle. Return: 0 or an exit status (told). */
static int compare(struct again *a)
{
	const struct bag_checking how = {.stop = stop};
	struct bag_runs made;
	struct error err = {0};
	int rc = bag_runs_read(a->scratch.file, &how, &made, &err);

	for (size_t i = 0; rc == 0 && made.count && i < made.list[0].nreadings; i++) {
		if (i >= a->nreadings)
			break;
		if (!a->readings[i])
			continue;
		rc = bag_compare(a->path, a->readings[i]->id, a->scratch.file,
				 made.list[0].readings[i].id, &how, &a->deep->alerts, &err);
		a->deep->readings++;
	}
	bag_runs_done(&made);
	if (rc == ERR_INTERRUPTED)
		return cli_interrupted();
	return rc < 0 ? cli_fail(&err) : 0;
}

static void again_done(struct again *a)
{
	cli_scratch_done(&a->scratch);
	for (size_t i = 0; i < a->nfiles; i++)
		free(a->files[i]);
	free(a->files);
	free(a->readings);
	free(a->words);
	free(a->command);
}

static int repeat(struct cli_deep *d, const char *path, const struct cli_bundle *b,
		  const struct bag_run *run)
{
	struct again a = {.deep = d, .bundle = b, .path = path, .run = run};
	int status = 0;

	cli_rule_run_init(&a.rules, &a.common);
	a.files = calloc(run->nrules + run->nreadings + 1, sizeof(*a.files));
	a.readings = calloc(run->nreadings + 1, sizeof(*a.readings));
	if (!a.files || !a.readings)
		status = cli_exit_of(ERR_NOMEM);
	else if (!take_command(&a) || !find_rules(&a))
		run = NULL;
	else
		status = replay(&a);
	status = cli_rule_run_done(&a.rules, status);
	if (!status)
		status = cli_interrupted();
	if (run && !status)
		status = compare(&a);
	if (run && !status) {
		d->runs++;
		d->other_version |= strcmp(run->version, SCAPULA_VERSION) != 0;
	}
	again_done(&a);
	return status;
}

static int check_streams(struct cli_deep *d, const struct cli_bundle *b)
{
	const struct bag_checking how = {.stop = stop};
	struct error err = {0};
	char *root = cli_bundle_member(b, "");
	int rc =
	    root ? bag_check_streams(root, &b->report, &how, &d->streams, &err) : error_nomem(&err);

	free(root);
	if (rc == ERR_INTERRUPTED)
		return cli_interrupted();
	return rc < 0 ? cli_fail(&err) : d->streams.other ? CLI_FINDINGS : 0;
}

static int repeat_all(struct cli_deep *d, const char *path, const struct cli_bundle *b)
{
	const struct bag_checking how = {.stop = stop};
	struct bag_runs runs;
	struct error err = {0};
	int status = 0;

	if (bag_runs_read(path, &how, &runs, &err) < 0)
		status = cli_interrupted() ? cli_interrupted() : cli_fail(&err);
	for (size_t i = 0; i < runs.count && !status && !cli_interrupted(); i++) {
		if (runs.list[i].finished)
			status = repeat(d, path, b, &runs.list[i]);
		else
			skip(d, &runs.list[i], "", "it was never finished");
		if (cli_timed_out())
			skip(d, &runs.list[i], "", "the time that --timeout gave was up");
	}
	cli_progress_done();
	bag_runs_done(&runs);
	if (d->alerts.missing || d->alerts.added || d->alerts.changed || d->miscounted)
		status = cli_verdict_worse(status, CLI_FINDINGS);
	return status;
}

/* ---- reports that were made of the case ---- */

static int put(void *arg, const void *p, size_t n, struct error *err)
{
	(void)err;
	sf_hash_add(arg, p, n);
	return 0;
}

/* The report that the case gives now. */
static int hash_report(const struct cli_case_report *r, const struct cli_case_source *source,
		       uint8_t sha256[BAG_DIGEST], struct error *err)
{
	struct sf_hash *h = NULL;
	int rc = sf_hash_new(&h, err);

	if (rc == 0)
		rc = cli_case_report_write(r, source, put, h, err);
	if (rc == 0 && !sf_hash_end(h, sha256))
		rc = error_nomem(err);
	sf_hash_free(h);
	return rc;
}

/* Why what is made now need not be what was made then; or NULL. */
static const char *incomparable(const struct cli_bundle *b)
{
	if (!bag_info_has(b->report.info, BAG_AGENT, CLI_AGENT))
		return "it was made by another version than " SCAPULA_VERSION;
	return b->cases == 1 ? NULL : "there are several cases";
}

static int check_report(struct cli_deep *d, const struct cli_case_report *r,
			const struct cli_case_source *source, const struct bag_file *f,
			const struct cli_bundle *b)
{
	uint8_t sha256[BAG_DIGEST];
	struct error err = {0};
	int rc = hash_report(r, source, sha256, &err);

	if (rc < 0)
		return rc == ERR_INTERRUPTED ? cli_interrupted() : cli_fail(&err);
	if (memcmp(sha256, f->sha256, BAG_DIGEST) == 0) {
		d->reports_same++;
		return 0;
	}
	d->report_why = incomparable(b);
	if (d->report_why) {
		d->reports_skipped++;
		return CLI_PARTIAL;
	}
	if (!d->reports_other++)
		snprintf(d->report, sizeof(d->report), "%s", f->name);
	return CLI_FINDINGS;
}

static const struct cli_case_report *report_of(const struct bag_file *f, const struct cli_bundle *b)
{
	const struct cli_case_report *r = cli_case_reports;

	if (!f->seen || !f->whole || !bag_info_has(b->report.info, BAG_FROM_CASE, f->name))
		return NULL;
	while (r->file && strcmp(sf_file_base(f->name), r->file) != 0)
		r++;
	return r->file ? r : NULL;
}

static int check_reports(struct cli_deep *d, const char *path, const struct cli_bundle *b)
{
	char *root = cli_bundle_member(b, "");
	struct cli_case_source source = {.path = path};
	int status = root ? 0 : cli_exit_of(ERR_NOMEM);

	for (size_t i = 0; root && i < b->report.count && !cli_interrupted(); i++) {
		const struct bag_file *f = &b->report.list[i];
		const struct cli_case_report *r = report_of(f, b);

		source.member = path + strlen(root);
		if (r)
			status = cli_verdict_worse(status, check_report(d, r, &source, f, b));
	}
	free(root);
	return status;
}

void cli_check_deep(struct cli_deep *d, const char *path, const struct cli_bundle *b)
{
	int status = check_streams(d, b);

	/* Without a case there is nothing to compare with. */
	status = cli_verdict_worse(status, path ? repeat_all(d, path, b) : CLI_PARTIAL);
	if (path)
		status = cli_verdict_worse(status, check_reports(d, path, b));
	d->status = cli_verdict_worse(d->status, cli_verdict_worse(status, cli_interrupted()));
}

void cli_deep_done(struct cli_deep *d)
{
	bag_comparison_done(&d->alerts);
	buf_done(&d->why);
}

/* ---- reports ---- */

static const char *const kinds[] = {
    [BAG_ALERT_MISSING] = "missing", [BAG_ALERT_ADDED] = "added", [BAG_ALERT_CHANGED] = "changed"};

static const char *const told[] = {
    [BAG_ALERT_MISSING] = "the case has it, the captures do not give it",
    [BAG_ALERT_ADDED] = "the captures give it, the case has it not",
    [BAG_ALERT_CHANGED] = "it says something else in the case",
};

static void row(struct buf *b, const char *name)
{
	buf_addf(b, "%-14s", name);
}

static void count(struct buf *b, uint64_t n, const char *what)
{
	cli_grouped(b, n);
	buf_addf(b, " %s%s", what, n == 1 ? "" : "s");
}

static void text_difference(struct buf *b, const struct bag_difference *d)
{
	row(b, kinds[d->kind]);
	buf_addf(b, "event %" PRIu64 ", ", d->evt_num);
	cli_safe(b, sv_of(d->rule));
	buf_addf(b, ": %s:\n%14s", told[d->kind], "");
	cli_safe(b, sv_of(d->what));
	buf_char(b, '\n');
}

static void text_skipped(struct buf *b, const struct cli_deep *d)
{
	struct sv rest = buf_view((struct buf *)(uintptr_t)&d->why);

	while (rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		struct sv line = sv_make(rest.p, end ? (size_t)(end - rest.p) : rest.n);

		row(b, "not repeated");
		buf_sv(b, line);
		buf_char(b, '\n');
		rest = sv_drop(rest, line.n + 1);
	}
	if (d->skipped > WHY_MAX)
		buf_addf(b, "%14sand %" PRIu64 " more\n", "", d->skipped - WHY_MAX);
}

void cli_deep_text(struct buf *b, const struct cli_deep *d, bool has_case)
{
	const struct bag_comparison *a = &d->alerts;
	uint64_t differ = a->missing + a->added + a->changed;

	if (d->streams.same) {
		row(b, "uncompressed");
		count(b, d->streams.same, "capture");
		buf_lit(b, " as they were\n");
	}
	if (d->streams.other) {
		row(b, "UNCOMPRESSED");
		count(b, d->streams.other, "capture");
		buf_lit(b, " NOT as they were; first: ");
		cli_safe(b, sv_of(d->streams.first));
		buf_char(b, '\n');
	}
	if (d->reports_same) {
		row(b, "reports");
		count(b, d->reports_same, "file");
		buf_lit(b, " as the case gives them\n");
	}
	if (d->reports_skipped) {
		row(b, "not compared");
		count(b, d->reports_skipped, "report");
		buf_addf(b, ": %s\n", d->report_why);
	}
	if (d->reports_other) {
		row(b, "REPORTS");
		count(b, d->reports_other, "file");
		buf_lit(b, " NOT as the case gives them; first: ");
		cli_safe(b, sv_of(d->report));
		buf_char(b, '\n');
	}
	row(b, "replayed");
	if (!has_case) {
		buf_lit(b, "nothing: there is no case to compare with\n");
		return;
	}
	count(b, d->runs, "run");
	buf_lit(b, ", ");
	count(b, d->readings, "capture");
	buf_lit(b, ", ");
	count(b, d->events, "event");
	buf_lit(b, ": ");
	count(b, a->same, "alert");
	buf_str(b, differ ? " as the case has them, but not all\n" : " as the case has them\n");
	for (size_t i = 0; i < a->ntold; i++)
		text_difference(b, &a->first[i]);
	if (differ > a->ntold)
		buf_addf(b, "%14sand %" PRIu64 " more that differ\n", "", differ - a->ntold);
	if (d->miscounted) {
		row(b, "events");
		count(b, d->miscounted, "capture");
		buf_lit(b, " with another number of events than the case has\n");
	}
	if (differ && d->other_version)
		buf_addf(b, "%14sthe case was made by another version than " SCAPULA_VERSION "\n",
			 "");
	text_skipped(b, d);
}

void cli_deep_json(struct buf *b, const struct cli_deep *d)
{
	const struct bag_comparison *a = &d->alerts;

	buf_addf(b,
		 ",\"deep\":{\"runs\":%" PRIu64 ",\"readings\":%" PRIu64 ",\"events\":%" PRIu64
		 ",\"alerts_same\":%" PRIu64 ",\"alerts_missing\":%" PRIu64
		 ",\"alerts_added\":%" PRIu64 ",\"alerts_changed\":%" PRIu64
		 ",\"readings_miscounted\":%" PRIu64 ",\"not_repeated\":%" PRIu64
		 ",\"streams_same\":%" PRIu64 ",\"streams_other\":%" PRIu64
		 ",\"reports_same\":%" PRIu64 ",\"reports_other\":%" PRIu64
		 ",\"reports_skipped\":%" PRIu64 ",\"other_version\":%s,\"differences\":[",
		 d->runs, d->readings, d->events, a->same, a->missing, a->added, a->changed,
		 d->miscounted, d->skipped, d->streams.same, d->streams.other, d->reports_same,
		 d->reports_other, d->reports_skipped, d->other_version ? "true" : "false");
	for (size_t i = 0; i < a->ntold; i++) {
		buf_addf(b, "%s{\"kind\":\"%s\",\"evt_num\":%" PRIu64 ",\"rule\":", i ? "," : "",
			 kinds[a->first[i].kind], a->first[i].evt_num);
		json_string(b, sv_of(a->first[i].rule));
		buf_lit(b, ",\"output\":");
		json_string(b, sv_of(a->first[i].what));
		buf_char(b, '}');
	}
	buf_lit(b, "]}");
}
