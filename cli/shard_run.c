/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/shard_run.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/custody.h"
#include "cli/shard_reuse.h"
#include "cli/worklist.h"
#include "query/part.h"

#define UNFINISHED ".tmp" /* behind the name of the part until it is complete */
#define NODE_MAX   256

struct work {
	struct cli_worker *w;
	struct reg_list list;
	struct qry_job job;
	char ruleset[REG_HEX + 1];
	struct buf options;
	struct buf unfinished; /* path */
	const char *part;      /* path */
	char node[NODE_MAX];
	struct qry_part *p;
	struct cli_reuse reuse;
	size_t replayed, kept, taken;
	bool stopped;
};

int cli_worst_of(unsigned exits)
{
	int status = 0;

	for (int i = 0; exits >> i; i++)
		if (exits >> i & 1)
			status = cli_worse(status, i);
	return status;
}

static void hex_of(char hex[REG_HEX + 1], const uint8_t digest[REG_HEX / 2])
{
	for (unsigned i = 0; i < REG_HEX / 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* --- what results depend on */

/* The files as read, and the rules as they came out. */
static int digest_rules(struct work *k)
{
	struct cli_rule_run *o = k->w->rules;
	const struct rule_result *results;
	const struct rule *rules;
	struct buf text = {0};
	uint8_t digest[REG_HEX / 2];
	size_t n;
	bool ok;

	results = rule_loader_results(o->loader, &n);
	for (size_t i = 0; i < n; i++) {
		rule_result_digest(&results[i], digest);
		buf_add(&text, digest, sizeof(digest));
	}
	rules = rule_engine_rules(o->engine, &n);
	for (size_t i = 0; i < n; i++) {
		buf_counted(&text, rules[i].name);
		buf_counted(&text, rules[i].source);
		buf_counted(&text, rules[i].compiled);
		buf_counted(&text, rules[i].output);
		buf_addf(&text, "%d %d;", (int)rules[i].priority, rules[i].enabled);
	}
	ok = !text.failed && EVP_Digest(text.p, text.len, digest, NULL, EVP_sha256(), NULL) == 1;
	buf_done(&text);
	if (!ok) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	hex_of(k->ruleset, digest);
	return 0;
}

static int describe_job(struct work *k)
{
	int status = digest_rules(k);

	if (status)
		return status;
	cli_rule_run_describe(k->w->rules, &k->options);
	k->job = (struct qry_job){
	    .job = k->list.job,
	    .shard = (uint32_t)k->list.shard,
	    .shards = k->list.shards,
	    .traces = k->list.traces,
	    .holds = k->list.count,
	    .version = SCAPULA_VERSION,
	    .ruleset = k->ruleset,
	    .options = buf_cstr(&k->options),
	};
	return 0;
}

/* --- the part that may be there */

static int differs(const struct work *k, const struct qry_part_facts *f)
{
	const char *other = qry_job_difference(&f->job, &k->job);

	if (!other && f->job.shard != k->job.shard)
		other = "shard";
	if (!other)
		return 0;
	cli_log(CLI_ERROR, "'%s' is a part that differs in: %s; remove it, or choose another name",
		k->part, other);
	return CLI_USAGE;
}

/* Return: 0 with *@done and *@status of the part that is there, or an exit status (told). */
static int look_at_part(struct work *k, bool *done, int *status)
{
	struct qry_part_facts f = {0};
	struct error err = {0};
	int rc;

	*done = false;
	if (access(k->part, F_OK) != 0)
		return 0;
	if (qry_part_look(k->part, &f, &err) < 0)
		return cli_fail(&err);
	rc = differs(k, &f);
	if (!rc && f.complete && !f.lost) {
		cli_log(CLI_NOTE, "'%s' is complete: nothing is done", k->part);
		*done = true;
		*status = cli_worst_of(f.exits);
	} else if (!rc) {
		cli_log(CLI_NOTE, "'%s': %llu captures are tried again", k->part,
			(unsigned long long)f.lost);
		if (rename(k->part, buf_cstr(&k->unfinished)) != 0) {
			cli_log(CLI_ERROR, "cannot rename '%s': %s", k->part, strerror(errno));
			rc = CLI_INPUT;
		}
	}
	qry_part_facts_done(&f);
	return rc;
}

static int check_names(struct work *k)
{
	const char **paths = calloc(k->list.count + 1, sizeof(*paths));
	int status = 0;

	if (!paths) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	for (size_t i = 0; i < k->list.count; i++)
		paths[i] = k->list.trace[i].path;
	paths[k->list.count] = k->w->list;
	status = cli_rule_run_check_case(k->w->rules, paths, k->list.count + 1);
	free(paths);
	return status;
}

/* --- captures */

/* Is it the capture that the list means? */
static bool is_the_one(const struct reg_trace *t, struct cli_replayed *r)
{
	char hex[REG_HEX + 1];

	if (!r->hashed) {
		struct custody_file f = {.name = t->path};

		if (cli_custody_hash(&f))
			return false;
		memcpy(r->sha256, f.sha256, sizeof(r->sha256));
	}
	hex_of(hex, r->sha256);
	return strcmp(hex, t->sha256) == 0;
}

static enum qry_trace_status judge(const struct reg_trace *t, struct cli_replayed *r, int *status)
{
	if (cli_interrupted() || r->end == RUN_END_INTERRUPTED || r->end == RUN_END_TIMEOUT)
		return QRY_TRACE_INTERRUPTED;
	if (!r->read)
		return QRY_TRACE_UNREADABLE;
	if (!is_the_one(t, r)) {
		cli_log(CLI_WARNING,
			"%s is not the capture of the list (SHA-256 %.12s...): left out", t->path,
			t->sha256);
		*status = CLI_PARTIAL;
		return QRY_TRACE_MISMATCH;
	}
	if (r->end == RUN_END_MEMORY)
		return QRY_TRACE_PARTIAL;
	return *status == CLI_PARTIAL ? QRY_TRACE_DAMAGED : QRY_TRACE_DONE;
}

static void measure(struct qry_trace_result *r, uint64_t wall, uint64_t cpu)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	r->wall_ms = (clock_ns(CLOCK_MONOTONIC) - wall) / 1000000;
	r->cpu_ms = (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1000000;
	r->rss_kb = (uint64_t)usage.ru_maxrss;
}

/* Return: an exit status, or ERR_*: the database failed. */
static int try_trace(struct work *k, const struct reg_trace *t, struct qry_trace_result *r,
		     struct error *err)
{
	struct cli_rule_run *o = k->w->rules;
	struct cli_found before = cli_rule_run_found(o);
	struct cli_replayed rep = {0};
	int status = k->w->replay(k->w->arg, t->path, &rep), rc = qry_writer_flush(o->writer, err);

	if (rc < 0 || run_is_broken(o->r))
		return rc < 0 ? rc : status;
	r->status = judge(t, &rep, &status);
	if (qry_trace_is_kept(r->status))
		status = cli_worse(status, cli_rule_run_findings(o, &before));
	r->exit_status = status;
	r->events = rep.events;
	k->stopped = r->status == QRY_TRACE_INTERRUPTED;
	k->replayed += !k->stopped;
	return status;
}

/* Return: likewise. */
static int take_or_try(struct work *k, const struct reg_trace *t, struct error *err)
{
	uint64_t wall = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	struct qry_trace_result r = {0};
	int status, rc = cli_reuse_trace(&k->reuse, t, &r, err);

	if (rc < 0)
		return rc;
	k->taken += rc > 0;
	status = rc > 0 ? r.exit_status : try_trace(k, t, &r, err);
	if (status < 0 || run_is_broken(k->w->rules->r))
		return status;
	measure(&r, wall, cpu);
	rc = qry_part_end(k->p, t->seq, &r, err);
	return rc < 0 ? rc : status;
}

/* Return: an exit status (told), or ERR_* with @err. */
static int replay_trace(struct work *k, const struct reg_trace *t, struct error *err)
{
	int rc = qry_part_wants(k->p, t->seq, err);

	if (rc <= 0) {
		k->kept += rc == 0;
		return rc;
	}
	rc = qry_part_begin(k->p, t->seq, t->sha256, t->path, k->node, err);
	return rc < 0 ? rc : take_or_try(k, t, err);
}

static void stop_run(void *arg)
{
	run_stop(arg);
}

static int replay_all(struct work *k)
{
	struct run *r = k->w->rules->r;
	struct error err = {0};
	int status = 0, rc = qry_writer_flush(k->w->rules->writer, &err);

	if (rc == 0)
		rc = qry_part_claim(k->p, &err);
	if (rc == 0) {
		status = cli_reuse_open(&k->reuse, k->w->reuse, k->w->rules, k->p, &k->job);
		k->stopped = status != 0;
	}
	cli_on_interrupt(stop_run, r);
	for (size_t i = 0; i < k->list.count && rc >= 0 && !k->stopped; i++) {
		if (cli_interrupted() || run_is_broken(r))
			break;
		rc = replay_trace(k, &k->list.trace[i], &err);
		status = rc < 0 ? status : cli_worse(status, rc);
	}
	cli_on_interrupt(NULL, NULL);
	cli_reuse_done(&k->reuse);
	if (rc < 0)
		status = cli_worse(status, cli_fail(&err));
	k->stopped |= rc < 0 || run_is_broken(r) || cli_interrupted();
	return cli_worse(status, cli_interrupted());
}

/* --- the end */

static int complete(struct work *k, int status)
{
	const char *unfinished = buf_cstr(&k->unfinished);
	struct error err = {0};
	unsigned exits = 0;
	int rc = qry_part_finish(k->p, &exits, &err);

	k->p = NULL;
	if (rc < 0)
		return cli_worse(status, cli_fail(&err));
	if (rename(unfinished, k->part) != 0) {
		cli_log(CLI_ERROR, "cannot rename '%s' to '%s': %s", unfinished, k->part,
			strerror(errno));
		return cli_worse(status, CLI_INPUT);
	}
	k->w->rules->db = k->part;
	cli_log(CLI_NOTE,
		"shard %u of %u: %zu captures replayed, %zu were, %zu taken over; '%s' is complete",
		k->job.shard, k->job.shards, k->replayed, k->kept, k->taken, k->part);
	return cli_worse(status, cli_worst_of(exits));
}

static int replay_list(struct work *k, int argc, char **argv)
{
	struct cli_rule_run *o = k->w->rules;
	struct error err = {0};
	int status;

	if (qry_part_open(o->db, &k->job, &k->p, &err) < 0)
		return cli_fail(&err);
	status = cli_rule_run_start(o, argc, argv);
	if (status)
		return status;
	status = cli_rule_run_close(o, replay_all(k));
	if (!k->stopped)
		return complete(k, status);
	o->no_custody = true; /* nothing that stays was made */
	cli_log(CLI_NOTE, "'%s' is not complete; the same command goes on with it",
		buf_cstr(&k->unfinished));
	return status;
}

static int begin(struct work *k, int argc, char **argv)
{
	bool done;
	int status = 0, rc;

	if (k->list.shard == REG_MANIFEST) {
		cli_log(CLI_ERROR, "'%s' lists the whole job; give the list of a shard",
			k->w->list);
		return CLI_USAGE;
	}
	rc = check_names(k);
	if (!rc)
		rc = cli_rule_run_load(k->w->rules);
	if (!rc)
		rc = describe_job(k);
	if (!rc)
		rc = look_at_part(k, &done, &status);
	if (rc || done)
		return rc ? rc : status;
	k->w->rules->db = buf_cstr(&k->unfinished);
	return replay_list(k, argc, argv);
}

int cli_worker_run(struct cli_worker *w, int argc, char **argv)
{
	struct work k = {.w = w, .part = w->rules->db};
	int status;

	if (!k.part) {
		cli_log(CLI_ERROR, "--shard needs --db PART, where the results go");
		return cli_rule_run_done(w->rules, CLI_USAGE);
	}
	w->rules->only_case = true;
	if (gethostname(k.node, sizeof(k.node) - 1) != 0)
		k.node[0] = '\0';
	buf_addf(&k.unfinished, "%s" UNFINISHED, k.part);
	status = cli_read_worklist(w->list, &k.list);
	if (!status)
		status = begin(&k, argc, argv);
	qry_part_close(k.p);
	status = cli_rule_run_done(w->rules, status);
	reg_list_done(&k.list);
	buf_done(&k.unfinished);
	buf_done(&k.options);
	return status;
}
