/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recall.h"

#include <stdlib.h>

#include "cli/index.h"
#include "cli/inputs.h"
#include "regress/files.h"
#include "regress/kept.h"

#define RULE_FILE_MAX (256u << 20)

struct recall {
	struct cli_rule_run *o;
	struct reg_recall *kept;
	struct reg_key whole; /* all that alerts depend on, rules included */
	struct arena arena;   /* of rules that are known without having been loaded */
	struct reg_kept_rules set;
	bool loaded;
	/* The rules whose results are missing somewhere. */
	struct rule_engine *engine;
	struct run *run;
	struct run_sink *sinks[1];
	struct reg_kept one; /* capture */
	struct buf text;
	/* Counts. */
	struct run_totals totals;
	uint32_t evaluated;
	uint64_t captures, opened, lacking, recalled;
};

static int no_memory(void)
{
	struct error err = {0};

	error_nomem(&err);
	return cli_fail(&err);
}

/* --- keys --- */

static void add_names(struct buf *b, const struct cli_names *n)
{
	buf_u64(b, n->count);
	buf_char(b, ':');
	for (size_t i = 0; i < n->count; i++)
		buf_counted(b, sv_of(n->items[i]));
}

static int add_file(void *arg, const char *path)
{
	struct buf *b = arg, text = {0};
	struct error err = {0};
	int rc = reg_file_read(path, RULE_FILE_MAX, &text, &err);

	if (rc == 0)
		buf_counted(b, buf_view(&text));
	buf_done(&text);
	if (rc ==
	    ERR_IO) /* a missing rule file is a rule problem, and told when rules are loaded */
		buf_counted(b, sv_of(err.msg));
	return rc == 0 || rc == ERR_IO ? 0 : cli_fail(&err);
}

/* What was typed, and the files that it names. */
static int find_whole_key(struct recall *k)
{
	const struct cli_rule_run *o = k->o;
	struct buf b = {0};
	int status;

	buf_counted(&b, SV_LIT(SCAPULA_VERSION));
	buf_counted(&b, SV_LIT(RULE_ENGINE_VERSION));
	cli_rule_run_describe(o, &b);
	add_names(&b, &o->overrides);
	add_names(&b, &o->selects_tag);
	for (size_t i = 0; i < o->select_count; i++) {
		buf_addf(&b, "%d", (int)o->selects[i].kind);
		buf_counted(&b, sv_of(o->selects[i].text));
	}
	status = o->config ? add_file(&b, o->config) : 0;
	if (!status)
		status =
		    o->rules.count
			? cli_each_rule_file(o->rules.items, o->rules.count, add_file, &b)
			: cli_each_rule_file(o->cfg.rules_files, o->cfg.rules_count, add_file, &b);
	if (!status && (b.failed || !reg_key_of(buf_view(&b), &k->whole)))
		status = no_memory();
	buf_done(&b);
	return status;
}

static int find_options_key(struct recall *k)
{
	struct buf b = {0};
	bool ok;

	buf_counted(&b, SV_LIT(SCAPULA_VERSION));
	buf_counted(&b, SV_LIT(RULE_ENGINE_VERSION));
	cli_rule_run_describe(k->o, &b);
	ok = !b.failed && reg_key_of(buf_view(&b), &k->set.options);
	buf_done(&b);
	return ok ? 0 : no_memory();
}

/* --- which rules there are --- */

static bool make_counts(struct recall *k, uint64_t n)
{
	k->totals.by_rule = calloc(n + 1, sizeof(*k->totals.by_rule));
	return k->totals.by_rule != NULL;
}

static void archive_rule(struct archive *a, struct recall *k, uint32_t i)
{
	struct rule *r = &k->set.rules[i];
	uint64_t priority = archive_u64(a, r->priority);
	struct sv *tags = NULL;

	r->name = archive_text(a, r->name);
	r->source = archive_text(a, r->source);
	archive_bytes(a, k->set.keys[i].bytes, sizeof(k->set.keys[i].bytes));
	r->tag_count = (size_t)archive_count(a, r->tag_count);
	if (archive_saves(a)) {
		for (size_t t = 0; t < r->tag_count; t++)
			archive_text(a, r->tags[t]);
		return;
	}
	if (priority >= RULE_PRIORITY_COUNT)
		archive_complain(a, "a priority that there is not");
	r->priority = (enum rule_priority)priority;
	r->index = i;
	tags = arena_zalloc(&k->arena, r->tag_count + 1, sizeof(*tags));
	if (!tags)
		archive_complain(a, "out of memory");
	for (size_t t = 0; tags && t < r->tag_count; t++)
		tags[t] = arena_sv(&k->arena, archive_text(a, SV_NONE));
	r->tags = tags;
	r->name = arena_sv(&k->arena, r->name);
	r->source = arena_sv(&k->arena, r->source);
}

/* As they were loaded for the same key. Return: are they known? */
static bool recall_rules(struct recall *k)
{
	struct archive a;
	uint64_t n;

	if (reg_recall_get(k->kept, REG_RECALL_RULES, &k->whole, NULL, &k->text, NULL) != 1)
		return false;
	a = archive_from(k->text.p, k->text.len);
	n = archive_count(&a, 0);
	if (!reg_kept_rules_room(&k->set, n) || !make_counts(k, n))
		return false;
	for (uint32_t i = 0; i < n; i++)
		archive_rule(&a, k, i);
	k->set.count = (uint32_t)n;
	reg_kept_rules_sort(&k->set);
	return !a.trouble && !a.in.left;
}

static bool has_warnings(const struct cli_rule_run *o)
{
	size_t n;
	const struct rule_result *r = rule_loader_results(o->loader, &n);

	for (size_t i = 0; i < n; i++)
		if (r[i].warning_count || r[i].schema_warning_count)
			return true;
	return false;
}

static int keep_rules(struct recall *k)
{
	struct archive a = archive_to(&k->text);
	struct error err = {0};

	buf_reset(&k->text);
	archive_count(&a, k->set.count);
	for (uint32_t i = 0; i < k->set.count; i++)
		archive_rule(&a, k, i);
	if (k->text.failed)
		return no_memory();
	return reg_recall_put(k->kept, REG_RECALL_RULES, &k->whole, NULL, buf_view(&k->text),
			      &err) < 0
		   ? cli_fail(&err)
		   : 0;
}

static void forget_rules(struct recall *k)
{
	reg_kept_rules_done(&k->set);
	free(k->totals.by_rule);
	k->totals.by_rule = NULL;
}

/* Load them. Warnings are told by that, so rules with some are loaded each time. */
static int load_rules(struct recall *k)
{
	struct error err = {0};
	int status = cli_rule_run_compile(k->o);

	if (status)
		return status;
	forget_rules(k);
	k->loaded = true;
	if (reg_kept_rules_of(&k->set, k->o->engine, &err) < 0)
		return cli_fail(&err);
	if (!make_counts(k, k->set.count))
		return no_memory();
	return has_warnings(k->o) ? 0 : keep_rules(k);
}

/* --- replaying what is missing --- */

/* An engine of the wanted rules alone. */
static int compile_wanted(struct recall *k)
{
	struct run_options opt = k->o->run;
	struct error err = {0};
	int rc = reg_kept_rules_engine(&k->set, k->o->loader, &k->evaluated, &k->engine, &err);

	opt.match_all = true;
	k->sinks[0] = reg_kept_sink(&k->one);
	if (rc == 0)
		rc = run_new(k->engine, &opt, k->sinks, COUNT_OF(k->sinks), &k->run, &err);
	return rc < 0 ? cli_fail(&err) : 0;
}

/* Has the capture events of a type that a wanted rule is about? */
static bool may_match(const struct recall *k, const struct sf_index *x)
{
	size_t n;
	const struct sf_chunk *chunks = sf_index_chunks(x, &n);

	for (uint32_t i = 0; i < k->set.count; i++) {
		if (!k->set.wanted[i])
			continue;
		for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
			for (size_t c = 0; flt_types_has(k->set.rules[i].types, type) && c < n; c++)
				if (sf_chunk_has_type(&chunks[c], type))
					return true;
	}
	return false;
}

/* What a replay would warn of. */
static void tell_state(const struct recall *k, const char *path)
{
	const struct state_stats ss = {
	    .malformed = k->one.head.malformed,
	    .threads_dropped = k->one.head.threads_dropped,
	    .fds_dropped = k->one.head.fds_dropped,
	};

	cli_tell_state(path, &ss);
}

/* Return: an exit status; *@whole: are the results all that there are? */
static int replay_missing(struct recall *k, const char *path, const struct sf_index *x, bool *whole)
{
	struct run_capture_report rep = {0};
	struct error err = {0};
	int rc, status = 0;

	k->opened++;
	rc = run_capture(k->run, path, x, &rep, &err);
	cli_progress_done();
	if (rep.stats)
		status = cli_rule_run_report(k->o, path, &rep);
	*whole = rc == 0 && reg_kept_is_whole(&rep);
	if (rep.state)
		reg_kept_take_state(&k->one, rep.state);
	k->totals.gaps += rep.stats ? rep.stats->gaps : 0;
	return rc < 0 ? cli_worse(status, cli_fail(&err)) : status;
}

/* --- one capture --- */

static int tell_one(struct recall *k, const struct reg_finding *f, struct error *err)
{
	struct run_alert a = reg_kept_alert(&k->one, f);
	int rc = 0;

	buf_reset(&k->text);
	run_alert_line(&k->text, &k->o->run, a.rule, a.ts, a.message);
	a.line = buf_view(&k->text);
	if (k->text.failed)
		return error_nomem(err);
	k->totals.alerts++;
	k->totals.by_priority[a.rule->priority]++;
	k->totals.by_rule[f->rule]++;
	for (size_t i = 0; i < k->o->sink_count && rc == 0; i++)
		rc = k->o->sinks[i]->ops->alert(k->o->sinks[i], &a, err);
	return rc;
}

/* Pass on what was found, as a replay does. */
static int tell_all(struct recall *k)
{
	struct error err = {0};
	int rc = 0;

	for (size_t i = 0; i < k->one.found.count && rc == 0; i++)
		rc = tell_one(k, &k->one.found.items[i], &err);
	for (size_t i = 0; i < k->o->sink_count && rc == 0; i++)
		rc = k->o->sinks[i]->ops->flush(k->o->sinks[i], &err);
	k->totals.events += k->one.head.events;
	return rc < 0 ? cli_fail(&err) : 0;
}

/* Some results are missing. */
static int complete(struct recall *k, const char *path, const struct reg_key *capture)
{
	struct sf_index *x = cli_index_open(path);
	struct error err = {0};
	bool whole = true;
	int status = 0;

	reg_kept_drop_wanted(&k->one);
	if (x && k->one.has_row && !may_match(k, x)) {
		k->lacking++;
		tell_state(k, path);
	} else {
		status = replay_missing(k, path, k->o->run.jobs > 1 ? x : NULL, &whole);
	}
	sf_index_close(x);
	if (whole && !status && reg_kept_save(&k->one, k->kept, capture, &err) < 0)
		status = cli_fail(&err);
	return status;
}

static int replay_one(struct recall *k, const char *path, const struct reg_key *capture)
{
	struct error err = {0};
	int rc = reg_kept_look(&k->one, k->kept, capture, true, &err), status = 0;

	k->captures++;
	if (rc < 0)
		return cli_fail(&err);
	if (rc == 0) {
		status = complete(k, path, capture);
	} else {
		k->recalled++;
		tell_state(k, path);
	}
	reg_findings_sort(&k->one.found, !k->o->run.match_all);
	return cli_worse(status, tell_all(k));
}

/* --- all --- */

/* Which rules are missing for any capture, before the first is replayed: they are compiled once. */
static int find_wanted(struct recall *k, const struct reg_key *captures, size_t count)
{
	struct error err = {0};
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		int rc = reg_kept_look(&k->one, k->kept, &captures[i], false, &err), status;

		if (rc == 0 && !k->loaded) {
			status = load_rules(k);
			if (status)
				return status;
			rc = reg_kept_look(&k->one, k->kept, &captures[i], false, &err);
		}
		if (rc < 0)
			return cli_fail(&err);
		any |= rc == 0;
		reg_kept_want(&k->one, k->set.wanted);
	}
	return any ? compile_wanted(k) : 0;
}

static void stop_run(void *arg)
{
	struct recall *k = arg;

	if (k->run)
		run_stop(k->run);
}

static void tell_spared(const struct recall *k)
{
	fprintf(
	    stderr,
	    "Cache: %u of %u rules evaluated; %llu of %llu captures opened, %llu others lack the "
	    "events, of %llu all results were there\n",
	    k->evaluated, k->set.count, (unsigned long long)k->opened,
	    (unsigned long long)k->captures, (unsigned long long)k->lacking,
	    (unsigned long long)k->recalled);
}

static int replay_captures(struct recall *k, char **paths, const struct reg_key *captures,
			   size_t count)
{
	int status = 0;

	cli_on_interrupt(stop_run, k);
	for (size_t i = 0; i < count && !cli_interrupted(); i++)
		status = cli_worse(status, replay_one(k, paths[i], &captures[i]));
	cli_on_interrupt(NULL, NULL);
	k->o->totals = &k->totals;
	k->o->told = k->set.rules;
	k->o->told_count = k->set.count;
	cli_rule_run_tell(k->o);
	return cli_interrupted() ? cli_worse(status, cli_interrupted()) : status;
}

static int identify(struct recall *k, char **paths, struct reg_key *captures, size_t count)
{
	struct error err = {0};

	for (size_t i = 0; i < count; i++)
		if (reg_recall_capture(k->kept, paths[i], &captures[i], &err) < 0)
			return cli_fail(&err);
	return 0;
}

static int work(struct recall *k, const char *dir, char **paths, struct reg_key *captures,
		size_t count, int argc, char **argv)
{
	struct error err = {0};
	int status = cli_rule_run_configure(k->o);

	if (!status)
		status = cli_rule_run_open(k->o, argc, argv);
	if (!status && reg_recall_open(dir, &k->kept, &err) < 0)
		status = cli_fail(&err);
	if (!status)
		status = find_whole_key(k);
	if (!status)
		status = find_options_key(k);
	if (!status)
		status = identify(k, paths, captures, count);
	if (!status && !recall_rules(k))
		status = load_rules(k);
	if (!status)
		status = find_wanted(k, captures, count);
	return status ? status : replay_captures(k, paths, captures, count);
}

int cli_recall_replay(struct cli_rule_run *o, const char *dir, char **paths, size_t count,
		      bool stats, int argc, char **argv)
{
	struct recall k = {.o = o};
	struct reg_key *captures = calloc(count + 1, sizeof(*captures));
	struct cli_found nothing = {0};
	int status;

	k.one.rules = &k.set;
	status = captures ? work(&k, dir, paths, captures, count, argc, argv) : no_memory();

	if (stats) {
		tell_spared(&k);
		cli_rule_run_effort(o);
	}
	if (o->totals)
		status = cli_worse(status, cli_rule_run_findings(o, &nothing));
	o->totals = NULL;
	run_free(k.run);
	rule_engine_free(k.engine);
	reg_recall_close(k.kept);
	reg_kept_done(&k.one);
	forget_rules(&k);
	arena_done(&k.arena);
	buf_done(&k.text);
	free(captures);
	return status;
}
