/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recall.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/index.h"
#include "cli/inputs.h"
#include "regress/files.h"
#include "regress/recall.h"

#define RULE_FILE_MAX (256u << 20)
#define RULES_MAX     1000000u
#define OTHERS_MAX    8192u /* results of rules that are not asked for, for one capture */
#define OTHERS_DAYS   30

struct recalled { /* a rule, which may be known without having been loaded */
	struct reg_key key;
	bool wanted; /* its result is missing for some capture */
	bool have;   /* it is there for the present one */
};

struct recall {
	struct cli_rule_run *o;
	struct reg_recall *kept;
	struct reg_key whole;	/* all that alerts depend on, rules included */
	struct reg_key options; /* without rules */
	/* The enabled rules, in order. */
	struct arena arena;
	struct rule *rules;
	struct recalled *more;
	uint32_t *by_key; /* their numbers, sorted by key */
	uint32_t count;
	bool loaded;
	/* The rules whose results are missing somewhere. */
	struct rule_engine *engine;
	struct run *run;
	struct run_sink sink;
	struct run_sink *sinks[1];
	uint32_t *number_of; /* of the engine's rules, among @rules */
	/* One capture. */
	struct reg_findings found;
	struct reg_row_head head;
	bool has_row;
	struct buf row, new_row; /* as it was kept, and as it is to be */
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
		cli_add_counted(b, sv_of(n->items[i]));
}

static int add_file(void *arg, const char *path)
{
	struct buf *b = arg, text = {0};
	struct error err = {0};
	int rc = reg_file_read(path, RULE_FILE_MAX, &text, &err);

	if (rc == 0)
		cli_add_counted(b, buf_view(&text));
	buf_done(&text);
	if (rc ==
	    ERR_IO) /* a missing rule file is a rule problem, and told when rules are loaded */
		cli_add_counted(b, sv_of(err.msg));
	return rc == 0 || rc == ERR_IO ? 0 : cli_fail(&err);
}

/* What was typed, and the files that it names. */
static int find_whole_key(struct recall *k)
{
	const struct cli_rule_run *o = k->o;
	struct buf b = {0};
	int status;

	cli_add_counted(&b, SV_LIT(SCAPULA_VERSION));
	cli_add_counted(&b, SV_LIT(RULE_ENGINE_VERSION));
	cli_rule_run_describe(o, &b);
	add_names(&b, &o->overrides);
	add_names(&b, &o->selects_tag);
	for (size_t i = 0; i < o->select_count; i++) {
		buf_addf(&b, "%d", (int)o->selects[i].kind);
		cli_add_counted(&b, sv_of(o->selects[i].text));
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

	cli_add_counted(&b, SV_LIT(SCAPULA_VERSION));
	cli_add_counted(&b, SV_LIT(RULE_ENGINE_VERSION));
	cli_rule_run_describe(k->o, &b);
	ok = !b.failed && reg_key_of(buf_view(&b), &k->options);
	buf_done(&b);
	return ok ? 0 : no_memory();
}

/* What the alerts of one rule depend on besides the options; not what it is called. */
static bool find_rule_key(const struct rule *r, struct reg_key *out)
{
	struct buf b = {0};
	bool ok;

	cli_add_counted(&b, r->source);
	cli_add_counted(&b, r->compiled);
	cli_add_counted(&b, r->output);
	ok = !b.failed && reg_key_of(buf_view(&b), out);
	buf_done(&b);
	return ok;
}

/* --- which rules there are --- */

static bool make_room(struct recall *k, uint64_t n)
{
	k->rules = calloc(n + 1, sizeof(*k->rules));
	k->more = calloc(n + 1, sizeof(*k->more));
	k->by_key = calloc(n + 1, sizeof(*k->by_key));
	k->totals.by_rule = calloc(n + 1, sizeof(*k->totals.by_rule));
	return k->rules && k->more && k->by_key && k->totals.by_rule;
}

static void archive_rule(struct archive *a, struct recall *k, uint32_t i)
{
	struct rule *r = &k->rules[i];
	uint64_t priority = archive_u64(a, r->priority);
	struct sv *tags = NULL;

	r->name = archive_text(a, r->name);
	r->source = archive_text(a, r->source);
	archive_bytes(a, k->more[i].key.bytes, sizeof(k->more[i].key.bytes));
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

static int compare_keys(const void *a, const void *b, void *arg)
{
	const struct recall *k = arg;
	const uint32_t *x = a, *y = b;

	return memcmp(k->more[*x].key.bytes, k->more[*y].key.bytes, REG_KEY_BYTES);
}

static void sort_rules(struct recall *k)
{
	for (uint32_t i = 0; i < k->count; i++)
		k->by_key[i] = i;
	qsort_r(k->by_key, k->count, sizeof(*k->by_key), compare_keys, k);
}

/* The first place in by_key whose key is not below @key. */
static uint32_t find_rule(const struct recall *k, const struct reg_key *key)
{
	uint32_t low = 0, high = k->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (memcmp(k->more[k->by_key[mid]].key.bytes, key->bytes, REG_KEY_BYTES) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Rules that are equal but for their names have one key; @at goes through them. */
static bool has_key(const struct recall *k, uint32_t at, const struct reg_key *key)
{
	return at < k->count &&
	       memcmp(k->more[k->by_key[at]].key.bytes, key->bytes, REG_KEY_BYTES) == 0;
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
	if (n > RULES_MAX || !make_room(k, n))
		return false;
	for (uint32_t i = 0; i < n; i++)
		archive_rule(&a, k, i);
	k->count = (uint32_t)n;
	sort_rules(k);
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
	archive_count(&a, k->count);
	for (uint32_t i = 0; i < k->count; i++)
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
	free(k->rules);
	free(k->more);
	free(k->by_key);
	free(k->totals.by_rule);
	free(k->number_of);
	k->rules = NULL;
	k->more = NULL;
	k->by_key = NULL;
	k->totals.by_rule = NULL;
	k->number_of = NULL;
	k->count = 0;
}

/* Load them. Warnings are told by that, so rules with some are loaded each time. */
static int load_rules(struct recall *k)
{
	const struct rule *all;
	size_t n;
	int status = cli_rule_run_compile(k->o);

	if (status)
		return status;
	forget_rules(k);
	k->loaded = true;
	all = rule_engine_rules(k->o->engine, &n);
	k->number_of = calloc(n + 1, sizeof(*k->number_of));
	if (n > RULES_MAX || !make_room(k, n) || !k->number_of)
		return no_memory();
	for (size_t i = 0; i < n; i++) {
		k->number_of[i] = k->count;
		if (!all[i].enabled || !all[i].format)
			continue;
		k->rules[k->count] = all[i];
		k->rules[k->count].index = k->count;
		if (!find_rule_key(&all[i], &k->more[k->count].key))
			return no_memory();
		k->count++;
	}
	sort_rules(k);
	return has_warnings(k->o) ? 0 : keep_rules(k);
}

/* --- replaying what is missing --- */

static int take_alert(struct run_sink *base, const struct run_alert *a, struct error *err)
{
	struct recall *k = CONTAINER_OF(base, struct recall, sink);
	const struct reg_finding one = {
	    .rule = k->number_of[a->rule->index],
	    .evt = a->evt_num,
	    .offset = a->evt_offset,
	    .ts = a->ts,
	    .tid = a->tid,
	    .pid = a->pid,
	    .message = a->message,
	    .fields = a->fields,
	};

	if (!k->head.hostname.n)
		k->head.hostname = arena_sv(&k->found.arena, a->hostname);
	return reg_findings_add(&k->found, &one, err);
}

static const struct run_sink_ops collector = {.alert = take_alert};

/* An engine of the wanted rules alone. */
static int compile_wanted(struct recall *k)
{
	struct rule_select *select = calloc(k->count + 1u, sizeof(*select));
	struct run_options opt = k->o->run;
	struct error err = {0};
	size_t n = 0;
	int rc;

	if (!select)
		return no_memory();
	select[n++] = (struct rule_select){RULE_DISABLE_NAME, "*"};
	for (uint32_t i = 0; i < k->count; i++) {
		if (!k->more[i].wanted)
			continue;
		k->evaluated++;
		select[n].kind = RULE_ENABLE_NAME;
		select[n].text = arena_strndup(&k->arena, k->rules[i].name.p, k->rules[i].name.n);
		if (!select[n++].text)
			break;
	}
	opt.match_all = true;
	k->sink.ops = &collector;
	k->sinks[0] = &k->sink;
	rc = rule_engine_new(k->o->loader, select, n, &k->engine, &err);
	free(select);
	if (rc == 0)
		rc = run_new(k->engine, &opt, k->sinks, COUNT_OF(k->sinks), &k->run, &err);
	return rc < 0 ? cli_fail(&err) : 0;
}

/* Has the capture events of a type that a wanted rule is about? */
static bool may_match(const struct recall *k, const struct sf_index *x)
{
	size_t n;
	const struct sf_chunk *chunks = sf_index_chunks(x, &n);

	for (uint32_t i = 0; i < k->count; i++) {
		if (!k->more[i].wanted)
			continue;
		for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
			for (size_t c = 0; flt_types_has(k->rules[i].types, type) && c < n; c++)
				if (sf_chunk_has_type(&chunks[c], type))
					return true;
	}
	return false;
}

static bool is_whole(const struct run_capture_report *rep)
{
	return rep->stats && rep->end == RUN_END_CLEAN && !rep->stats->gaps && rep->stats->events;
}

static void take_state(struct reg_row_head *h, const struct state_stats *ss)
{
	h->events = ss->events;
	h->malformed = ss->malformed;
	h->threads_dropped = ss->threads_dropped;
	h->fds_dropped = ss->fds_dropped;
}

/* What a replay would warn of. */
static void tell_state(const struct recall *k, const char *path)
{
	const struct state_stats ss = {
	    .malformed = k->head.malformed,
	    .threads_dropped = k->head.threads_dropped,
	    .fds_dropped = k->head.fds_dropped,
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
	*whole = rc == 0 && is_whole(&rep);
	if (rep.state)
		take_state(&k->head, rep.state);
	k->totals.gaps += rep.stats ? rep.stats->gaps : 0;
	return rc < 0 ? cli_worse(status, cli_fail(&err)) : status;
}

/* --- one capture --- */

/* One result that is there. */
static int take_entry(struct recall *k, const struct reg_row_entry *e, bool load, struct error *err)
{
	int rc = 0;

	for (uint32_t at = find_rule(k, &e->rule); rc == 0 && has_key(k, at, &e->rule); at++) {
		k->more[k->by_key[at]].have = true;
		if (load)
			rc = reg_findings_load(&k->found, e->findings, k->by_key[at], err);
	}
	return rc;
}

static int read_row(struct recall *k, const struct reg_key *capture, bool load, struct error *err)
{
	struct reg_row_entry e;
	struct reg_row row;
	int rc = reg_recall_get(k->kept, REG_RECALL_CAPTURE, &k->options, capture, &k->row, err);

	if (rc <= 0)
		return rc;
	row = reg_row_read(buf_view(&k->row));
	k->head = row.head;
	k->has_row = !row.a.trouble;
	while ((rc = reg_row_next(&row, &e, err)) > 0) {
		rc = take_entry(k, &e, load, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static void start_capture(struct recall *k)
{
	reg_findings_clear(&k->found);
	k->head = (struct reg_row_head){0};
	k->has_row = false;
	buf_reset(&k->row);
	for (uint32_t i = 0; i < k->count; i++)
		k->more[i].have = false;
}

/*
 * The results that are there of a capture; with @load, into @found. What is damaged is not there.
 * Return: 1 if there are all, 0, or ERR_*.
 */
static int recall_capture(struct recall *k, const struct reg_key *capture, bool load,
			  struct error *err)
{
	int rc;

	start_capture(k);
	rc = read_row(k, capture, load, err);
	if (rc == ERR_FORMAT)
		start_capture(k);
	else if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < k->count; i++)
		if (!k->more[i].have)
			return 0;
	return 1;
}

/* Those of rules that are evaluated once more for this capture. */
static void drop_wanted(struct recall *k)
{
	size_t kept = 0;

	for (size_t i = 0; i < k->found.count; i++)
		if (!k->more[k->found.items[i].rule].wanted)
			k->found.items[kept++] = k->found.items[i];
	k->found.count = kept;
}

/* Entries of rules that are not asked for now may be asked for again. */
static void keep_others(struct recall *k, struct reg_row *out, uint64_t today)
{
	struct reg_row old = reg_row_read(buf_view(&k->row));
	struct reg_row_entry e;
	unsigned n = 0;

	while (k->row.len && n < OTHERS_MAX && reg_row_next(&old, &e, NULL) > 0)
		if (!has_key(k, find_rule(k, &e.rule), &e.rule) && e.day + OTHERS_DAYS >= today) {
			reg_row_add(out, &e);
			n++;
		}
}

static int keep_row(struct recall *k, const struct reg_key *capture)
{
	uint64_t today = (uint64_t)time(NULL) / 86400;
	struct error err = {0};
	struct reg_row out;

	buf_reset(&k->new_row);
	out = reg_row_write(&k->new_row, &k->head);
	for (uint32_t i = 0; i < k->count; i++) {
		uint32_t rule = k->by_key[i];

		if (i && has_key(k, i - 1, &k->more[rule].key))
			continue; /* equal to the one before */
		buf_reset(&k->text);
		reg_findings_save(&k->found, rule, &k->text);
		if (k->text.failed)
			return no_memory();
		reg_row_add(&out,
			    &(struct reg_row_entry){k->more[rule].key, today, buf_view(&k->text)});
	}
	keep_others(k, &out, today);
	if (k->new_row.failed)
		return no_memory();
	return reg_recall_put(k->kept, REG_RECALL_CAPTURE, &k->options, capture,
			      buf_view(&k->new_row), &err) < 0
		   ? cli_fail(&err)
		   : 0;
}

static int tell_one(struct recall *k, const struct reg_finding *f, struct error *err)
{
	const struct rule *rule = &k->rules[f->rule];
	struct run_alert a = {
	    .rule = rule,
	    .ts = f->ts,
	    .evt_num = f->evt,
	    .evt_offset = f->offset,
	    .tid = f->tid,
	    .pid = f->pid,
	    .source = rule->source,
	    .hostname = k->head.hostname,
	    .message = f->message,
	    .fields = f->fields,
	};
	int rc = 0;

	buf_reset(&k->text);
	run_alert_line(&k->text, &k->o->run, rule, a.ts, a.message);
	a.line = buf_view(&k->text);
	if (k->text.failed)
		return error_nomem(err);
	k->totals.alerts++;
	k->totals.by_priority[rule->priority]++;
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

	for (size_t i = 0; i < k->found.count && rc == 0; i++)
		rc = tell_one(k, &k->found.items[i], &err);
	for (size_t i = 0; i < k->o->sink_count && rc == 0; i++)
		rc = k->o->sinks[i]->ops->flush(k->o->sinks[i], &err);
	k->totals.events += k->head.events;
	return rc < 0 ? cli_fail(&err) : 0;
}

/* Some results are missing. */
static int complete(struct recall *k, const char *path, const struct reg_key *capture)
{
	struct sf_index *x = cli_index_open(path);
	bool whole = true;
	int status = 0;

	drop_wanted(k);
	if (x && k->has_row && !may_match(k, x)) {
		k->lacking++;
		tell_state(k, path);
	} else {
		status = replay_missing(k, path, k->o->run.jobs > 1 ? x : NULL, &whole);
	}
	sf_index_close(x);
	if (whole && !status)
		status = keep_row(k, capture);
	return status;
}

static int replay_one(struct recall *k, const char *path, const struct reg_key *capture)
{
	struct error err = {0};
	int rc = recall_capture(k, capture, true, &err), status = 0;

	k->captures++;
	if (rc < 0)
		return cli_fail(&err);
	if (rc == 0) {
		status = complete(k, path, capture);
	} else {
		k->recalled++;
		tell_state(k, path);
	}
	reg_findings_sort(&k->found, !k->o->run.match_all);
	return cli_worse(status, tell_all(k));
}

/* --- all --- */

/* Which rules are missing for any capture, before the first is replayed: they are compiled once. */
static int find_wanted(struct recall *k, const struct reg_key *captures, size_t count)
{
	struct error err = {0};
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		int rc = recall_capture(k, &captures[i], false, &err), status;

		if (rc == 0 && !k->loaded) {
			status = load_rules(k);
			if (status)
				return status;
			rc = recall_capture(k, &captures[i], false, &err);
		}
		if (rc < 0)
			return cli_fail(&err);
		any |= rc == 0;
		for (uint32_t r = 0; r < k->count && rc == 0; r++)
			k->more[r].wanted |= !k->more[r].have;
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
	    k->evaluated, k->count, (unsigned long long)k->opened, (unsigned long long)k->captures,
	    (unsigned long long)k->lacking, (unsigned long long)k->recalled);
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
	k->o->told = k->rules;
	k->o->told_count = k->count;
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
	int status = captures ? work(&k, dir, paths, captures, count, argc, argv) : no_memory();

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
	reg_findings_done(&k.found);
	forget_rules(&k);
	arena_done(&k.arena);
	buf_done(&k.row);
	buf_done(&k.new_row);
	buf_done(&k.text);
	free(captures);
	return status;
}
