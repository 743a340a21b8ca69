/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule that is new matters to a capture if it matches anything there. Replaying the new rules
 * alone tells, and costs little: nothing is stored, and most events are passed. Which rules are
 * looked for may be too many, never too few.
 */
#include "cli/shard_reuse.h"

#include <stdlib.h>
#include <string.h>

#include "cli/index.h"
#include "replay/skip.h"

static void stop_run(void *arg)
{
	run_stop(arg);
}

/* --- an engine of the new rules */

/* Everything off, then those on: a name with a * in it may switch on more. */
static int make_engine(struct cli_reuse *u, struct arena *names, struct error *err)
{
	size_t count, all;
	const uint32_t *places = qry_reuse_new_rules(u->r, &count);
	const struct rule *rules = rule_engine_rules(u->rules->engine, &all);
	struct rule_select *select = calloc(count + 1, sizeof(*select));
	int rc = select ? 0 : error_nomem(err);

	if (rc == 0)
		select[0] = (struct rule_select){RULE_DISABLE_NAME, "*"};
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct sv name = places[i] < all ? rules[places[i]].name : SV_NONE;

		select[i + 1] =
		    (struct rule_select){RULE_ENABLE_NAME, arena_strndup(names, name.p, name.n)};
		rc = select[i + 1].text ? 0 : error_nomem(err);
	}
	if (rc == 0)
		rc = rule_engine_new(u->rules->loader, select, count + 1, &u->engine, err);
	free(select);
	return rc;
}

static int make_probe(struct cli_reuse *u, struct error *err)
{
	struct run_options opt = u->rules->run;
	struct arena names = {0};
	size_t count;
	int rc;

	qry_reuse_new_rules(u->r, &count);
	if (!count)
		return 0;
	opt.writer = NULL;
	opt.match_all = true;
	opt.want_hash = true;
	rc = make_engine(u, &names, err);
	arena_done(&names);
	return rc < 0 ? rc : run_new(u->engine, &opt, NULL, 0, &u->probe, err);
}

int cli_reuse_open(struct cli_reuse *u, const char *path, struct cli_rule_run *rules,
		   struct qry_part *into, const struct qry_job *job)
{
	struct error err = {0};
	int rc;

	*u = (struct cli_reuse){.rules = rules};
	if (!path)
		return 0;
	rc = qry_reuse_open(path, into, job, &u->r, &err);
	if (rc == ERR_UNSUPPORTED) {
		cli_log(CLI_WARNING, "nothing is taken over: %s", err.msg);
		return 0;
	}
	if (rc == 0)
		rc = make_probe(u, &err);
	return rc < 0 ? cli_fail(&err) : 0;
}

void cli_reuse_done(struct cli_reuse *u)
{
	run_free(u->probe);
	rule_engine_free(u->engine);
	qry_reuse_close(u->r);
	*u = (struct cli_reuse){0};
}

/* --- one capture */

/* Its index says that none of the new rules can match. */
static bool is_out_of_question(const struct cli_reuse *u, const char *path)
{
	struct sf_index *x = cli_index_open(path);
	size_t all, count, chunk_count;
	const struct rule *rules = rule_engine_rules(u->rules->engine, &all);
	const uint32_t *places = qry_reuse_new_rules(u->r, &count);
	const struct sf_chunk *chunks = x ? sf_index_chunks(x, &chunk_count) : NULL;
	bool none = chunks != NULL;

	for (size_t i = 0; i < count && none; i++) {
		struct run_skip skip = {0};

		if (places[i] >= all || !rules[places[i]].types)
			continue;
		skip.types = *rules[places[i]].types;
		for (size_t k = 0; k < chunk_count && none; k++)
			none = !run_skip_may_pass(&skip, &chunks[k]);
	}
	sf_index_close(x);
	if (none)
		cli_log(CLI_DEBUG, "%s: its index has no event that new rules match", path);
	return none;
}

/* Does none of the new rules match? What is wrong with the capture is told when it is replayed. */
static bool probe(struct cli_reuse *u, const struct reg_trace *t)
{
	uint64_t before = run_totals(u->probe)->alerts;
	struct run_capture_report rep = {0};
	struct error err;
	char hex[REG_HEX + 1];
	int rc;

	cli_on_interrupt(stop_run, u->probe);
	rc = run_capture(u->probe, t->path, NULL, &rep, &err);
	cli_on_interrupt(stop_run, u->rules->r);
	if (rc < 0 || !rep.stats || rep.end != RUN_END_CLEAN || !rep.stats->sha256_valid)
		return false;
	for (unsigned i = 0; i < REG_HEX / 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", rep.stats->sha256[i]);
	return run_totals(u->probe)->alerts == before && strcmp(hex, t->sha256) == 0;
}

/* As if it had been replayed now. */
static int judge(struct cli_reuse *u, struct qry_trace_result *out, struct error *err)
{
	const struct cli_rule_run *o = u->rules;
	int severity = o->fail_alerts ? RULE_PRIORITY_COUNT - 1 : o->fail_priority;
	int64_t alerts = severity >= 0 ? qry_reuse_alerts(u->r, severity, err) : 0;

	if (alerts < 0)
		return (int)alerts;
	out->exit_status = alerts ? CLI_FINDINGS : 0;
	if (out->status == QRY_TRACE_DAMAGED)
		out->exit_status = CLI_PARTIAL;
	return 0;
}

int cli_reuse_trace(struct cli_reuse *u, const struct reg_trace *t, struct qry_trace_result *out,
		    struct error *err)
{
	int rc = u->r ? qry_reuse_find(u->r, t->sha256, out, err) : 0;

	if (rc > 0 && u->probe && !is_out_of_question(u, t->path) && !probe(u, t))
		rc = 0;
	if (rc > 0)
		rc = judge(u, out, err);
	else if (rc == 0)
		return 0;
	if (rc == 0) {
		rc = qry_reuse_take(u->r, t->path, err);
		if (rc < 0 && rc != ERR_FORMAT)
			return rc; /* it is the part that failed */
	}
	if (rc == 0 || rc == ERR_NOMEM)
		return rc < 0 ? rc : 1;
	cli_log(CLI_WARNING, "%s is replayed: %s", t->path, err->msg);
	return 0;
}
