/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rule_run.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/clock.h"
#include "cli/custody.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "scapfile/index.h"
#include "scapfile/seal.h"

#define JOBS_MAX     1024
#define JOBS_DEFAULT 16 /* at most: each thread has a state of its own */
#define ROWS_MAX     32 /* of a table that options choose from */

static int out_of_memory(void)
{
	cli_log(CLI_ERROR, "out of memory");
	return CLI_INTERNAL;
}

int cli_names_add(struct cli_names *n, const char *text)
{
	const char **items = realloc(n->items, (n->count + 1) * sizeof(*items));

	if (!items)
		return out_of_memory();
	n->items = items;
	n->items[n->count++] = text;
	return 0;
}

void cli_names_done(struct cli_names *n)
{
	free(n->items);
	*n = (struct cli_names){0};
}

static int select_add(struct cli_rule_run *o, enum rule_select_kind kind, const char *text)
{
	struct rule_select *s = realloc(o->selects, (o->select_count + 1) * sizeof(*s));

	if (!s)
		return out_of_memory();
	o->selects = s;
	o->selects[o->select_count++] = (struct rule_select){kind, text};
	return 0;
}

/* --- options --- */

static int take_fail_on(struct cli_rule_run *o, const char *value)
{
	while (*value) {
		size_t n = strcspn(value, ",");
		struct sv word = sv_make(value, n);
		enum rule_priority p;

		if (sv_is(word, "alerts")) {
			o->fail_alerts = true;
		} else if (sv_is(word, "gaps")) {
			o->fail_gaps = true;
		} else if (sv_starts(word, SV_LIT("prio>=")) &&
			   rule_priority_parse(sv_drop(word, 6), &p)) {
			o->fail_priority = (int)p > o->fail_priority ? (int)p : o->fail_priority;
		} else if (sv_is(word, "none")) {
			o->fail_alerts = o->fail_gaps = false;
			o->fail_priority = -1;
		} else {
			cli_log(CLI_ERROR,
				"--fail-on %.*s: expected alerts, prio>=PRIORITY, gaps or none",
				(int)n, value);
			return CLI_USAGE;
		}
		value += n + (value[n] == ',');
	}
	return 0;
}

int cli_take_choice(const char *option, const char *value, const char *no, const char *yes,
		    int *out)
{
	if (strcmp(value, no) == 0 || strcmp(value, yes) == 0) {
		*out = strcmp(value, yes) == 0;
		return 0;
	}
	cli_log(CLI_ERROR, "--%s %s: expected %s or %s", option, value, no, yes);
	return CLI_USAGE;
}

int cli_take_word(const char *option, const char *value, const char *const *words, unsigned n,
		  unsigned *out)
{
	struct buf all = {0};

	for (*out = 0; *out < n; (*out)++)
		if (strcmp(value, words[*out]) == 0)
			return 0;
	for (unsigned i = 0; i < n; i++)
		buf_addf(&all, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", words[i]);
	cli_log(CLI_ERROR, "--%s %s: expected %s", option, value, buf_cstr(&all));
	buf_done(&all);
	return CLI_USAGE;
}

int cli_take_row(const char *option, const char *value, const void *table, size_t size,
		 const void **out)
{
	const char *names[ROWS_MAX];
	unsigned n = 0, found;
	int status;

	while (n < ROWS_MAX && *(const char *const *)((const char *)table + n * size)) {
		names[n] = *(const char *const *)((const char *)table + n * size);
		n++;
	}
	status = cli_take_word(option, value, names, n, &found);
	if (!status)
		*out = (const char *)table + found * size;
	return status;
}

int cli_take_priority(const char *option, const char *value, enum rule_priority *out)
{
	if (rule_priority_parse(sv_of(value), out))
		return 0;
	cli_log(CLI_ERROR,
		"--%s %s: expected emergency, alert, critical, error, warning, notice, "
		"informational or debug",
		option, value);
	return CLI_USAGE;
}

int cli_take_jobs(const char *value, unsigned *out)
{
	uint64_t n;

	if (cli_parse_u64(value, &n) && n >= 1 && n <= JOBS_MAX) {
		*out = (unsigned)n;
		return 0;
	}
	cli_log(CLI_ERROR, "--jobs %s: expected a number from 1 to %d", value, JOBS_MAX);
	return CLI_USAGE;
}

unsigned cli_jobs_default(void)
{
	cpu_set_t cpus;
	int n = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;

	return n < JOBS_DEFAULT ? (unsigned)n : JOBS_DEFAULT;
}

static int take_priority(struct cli_rule_run *o, const char *value)
{
	enum rule_priority p;
	int status = cli_take_priority("min-priority", value, &p);

	if (!status)
		o->min_priority = (int)p;
	return status;
}

int cli_rule_run_take(struct cli_rule_run *o, int id, const char *value)
{
	int yes;

	switch (id) {
	case 'r':
		return cli_names_add(&o->rules, value);
	case 'c':
		o->config = value;
		return 0;
	case 'O':
		return cli_names_add(&o->overrides, value);
	case 'f':
		o->format = value;
		return cli_take_choice("format", value, "text", "json", &yes);
	case OPT_DB:
		o->db = value;
		return 0;
	case 'F':
		o->run.filter = value;
		return 0;
	case 'D':
		return select_add(o, RULE_DISABLE_SUBSTRING, value);
	case 't':
		return cli_names_add(&o->selects_tag, value);
	case 'T':
		return select_add(o, RULE_DISABLE_TAG, value);
	case OPT_MATCHING:
		return cli_take_choice("matching", value, "first", "all", &o->match_all);
	case OPT_MIN_PRIORITY:
		return take_priority(o, value);
	case OPT_FAIL_ON:
		return take_fail_on(o, value);
	case OPT_CORRECTED:
		o->corrected = true;
		return 0;
	default:
		return -1;
	}
}

/* --- rules --- */

/* A configured rule file that does not exist is left out, as the reference does. */
static size_t keep_existing(const char **paths, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (access(paths[i], F_OK) == 0)
			paths[kept++] = paths[i];
	return kept;
}

static int load_rules(struct cli_rule_run *o)
{
	const struct rule_options opt = {
	    .filter = {.tz_offset_s = o->common->tz_offset_s,
		       .bytes = o->cfg.base64_buffers ? FLT_BYTES_BASE64 : FLT_BYTES_DOTS,
		       .conditions_see_bytes = true,
		       .corrected = o->corrected,
		       .statics = o->cfg.statics},
	    .append_output = o->cfg.append,
	    .append_count = o->cfg.append_count,
	    .min_priority =
		o->min_priority >= 0 ? (enum rule_priority)o->min_priority : o->cfg.priority,
	};
	const char *const *paths = o->rules.items;
	size_t count = o->rules.count;
	struct error err = {0};
	int rc;

	if (!count) {
		count = keep_existing(o->cfg.rules_files, o->cfg.rules_count);
		paths = o->cfg.rules_files;
	}
	if (!count && !o->no_rules) {
		cli_log(CLI_ERROR, "no rules: give at least one --rules FILE, or a configuration "
				   "with rules_files");
		return CLI_USAGE;
	}
	rc = rule_loader_new(&opt, &o->loader, &err);
	if (rc < 0)
		return cli_fail(&err);
	rc = cli_load_rules(o->loader, paths, count);
	if (rc)
		return rc;
	/* -t runs only what carries one of the tags: everything off, then those on; -D and -T come
	 * last. */
	if (o->selects_tag.count) {
		struct cli_rule_run with = {0};

		rc = select_add(&with, RULE_DISABLE_NAME, "*");
		for (size_t i = 0; i < o->selects_tag.count && !rc; i++)
			rc = select_add(&with, RULE_ENABLE_TAG, o->selects_tag.items[i]);
		for (size_t i = 0; i < o->select_count && !rc; i++)
			rc = select_add(&with, o->selects[i].kind, o->selects[i].text);
		free(o->selects);
		o->selects = with.selects;
		o->select_count = with.select_count;
		if (rc)
			return rc;
	}
	return 0;
}

/* Configured selection first, then the command line's. */
static int build_engine(struct cli_rule_run *o)
{
	size_t n = o->cfg.select_count + o->select_count;
	struct rule_select *all = calloc(n + 1, sizeof(*all));
	struct error err = {0};
	int rc;

	if (!all)
		return out_of_memory();
	if (o->cfg.select_count)
		memcpy(all, o->cfg.select, o->cfg.select_count * sizeof(*all));
	if (o->select_count)
		memcpy(all + o->cfg.select_count, o->selects, o->select_count * sizeof(*all));
	rc = rule_engine_new(o->loader, all, n, &o->engine, &err);
	free(all);
	return rc < 0 ? cli_fail(&err) : 0;
}

/* --- sinks --- */

static int add_sink(struct cli_rule_run *o, struct run_sink *s)
{
	if (!s)
		return out_of_memory();
	o->sinks[o->sink_count++] = s;
	return 0;
}

static int open_file_sink(struct cli_rule_run *o, const struct run_alert_format *f)
{
	o->file_fd = open(o->cfg.file_name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (o->file_fd < 0) {
		cli_log(CLI_ERROR, "cannot open '%s' for alerts: %s", o->cfg.file_name,
			strerror(errno));
		return CLI_INPUT;
	}
	return add_sink(o, run_lines_sink_new(o->file_fd, o->cfg.file_name, f));
}

/* What the name of a case would make it pass for, or NULL. */
static const char *other_kind(const char *db)
{
	if (strcmp(db, "-") == 0)
		return "standard output, where no database fits";
	if (sv_ends(sv_of(db), SV_LIT(SF_SEAL_SUFFIX)))
		return "the seal of a capture";
	return sv_ends(sv_of(db), SV_LIT(SF_INDEX_SUFFIX)) ? "the index of a capture" : NULL;
}

int cli_rule_run_check_case(const struct cli_rule_run *o, const char *const *paths, size_t count)
{
	const char *other = o->db ? other_kind(o->db) : NULL;
	int status = 0;

	if (other) {
		cli_log(CLI_ERROR, "--db %s: that is the name of %s; choose another", o->db, other);
		return CLI_USAGE;
	}
	for (size_t i = 0; i < count && o->db && !status; i++)
		status = cli_output_is_no_input(o->db, paths[i]);
	for (size_t i = 0; i < o->rules.count && o->db && !status; i++)
		status = cli_output_is_no_input(o->db, o->rules.items[i]);
	return status;
}

static int open_case(struct cli_rule_run *o, int argc, char **argv)
{
	struct buf command = {0};
	struct error err = {0};
	struct qry_run run = {
	    .version = SCAPULA_VERSION,
	    .matching = o->run.match_all ? "all" : "first",
	    .started_ts = (uint64_t)time(NULL) * 1000000000u,
	};
	const struct rule_result *results;
	const struct rule *rules;
	size_t n;
	int rc;

	qry_setup();
	cli_quote_command(&command, argc, argv);
	run.command = buf_cstr(&command);
	rc = qry_writer_open(o->db, &run, &o->writer, &err);
	buf_done(&command);
	if (rc < 0)
		return cli_fail(&err);
	results = rule_loader_results(o->loader, &n);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = qry_add_rule_file(o->writer, &results[i], &err);
	rules = rule_engine_rules(o->engine, &n);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = qry_add_rule(o->writer, &rules[i], &err);
	if (rc < 0)
		return cli_fail(&err);
	o->run.writer = o->writer;
	o->run.want_hash = true;
	return add_sink(o, run_case_sink_new(o->writer));
}

static int open_sinks(struct cli_rule_run *o, int argc, char **argv)
{
	struct run_alert_format f = o->cfg.format;
	int rc = 0;

	f.json = o->format ? strcmp(o->format, "json") == 0 : o->cfg.json_output;
	f.tz_offset_s = o->common->tz_offset_s;
	f.color = o->common->color;
	if (o->cfg.stdout_enabled && !o->only_case)
		rc = add_sink(o, run_lines_sink_new(STDOUT_FILENO, "standard output", &f));
	f.color = false;
	if (!rc && o->cfg.file_enabled && !o->only_case)
		rc = open_file_sink(o, &f);
	if (!rc && o->db)
		rc = open_case(o, argc, argv);
	return rc;
}

/* --- statistics --- */

static const struct run_totals *totals_of(const struct cli_rule_run *o)
{
	return o->r ? run_totals(o->r) : o->totals;
}

void cli_rule_run_tell(const struct cli_rule_run *o)
{
	const struct run_totals *t = totals_of(o);
	const struct rule *rules;
	struct buf b = {0};
	size_t n;

	buf_addf(&b, "Events detected: %llu\nRule counts by severity:\n",
		 (unsigned long long)t->alerts);
	for (int p = 0; p < RULE_PRIORITY_COUNT; p++)
		if (t->by_priority[p])
			buf_addf(&b, "   %s: %llu\n", rule_priority_upper((enum rule_priority)p),
				 (unsigned long long)t->by_priority[p]);
	buf_lit(&b, "Triggered rules by rule name:\n");
	rules = o->r ? rule_engine_rules(o->engine, &n) : o->told;
	if (!o->r)
		n = o->told_count;
	for (size_t i = 0; i < n; i++) {
		if (!t->by_rule[i])
			continue;
		buf_lit(&b, "   ");
		cli_safe(&b, rules[i].name);
		buf_addf(&b, ": %llu\n", (unsigned long long)t->by_rule[i]);
	}
	if (!o->common->quiet)
		fputs(buf_cstr(&b), stderr);
	buf_done(&b);
}

void cli_rule_run_effort(const struct cli_rule_run *o)
{
	const struct run_totals *t = totals_of(o);
	double wall = (double)(clock_ns(CLOCK_MONOTONIC) - o->started) / 1e9;
	double cpu = (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9;
	struct rusage usage;
	struct buf b = {0};

	getrusage(RUSAGE_SELF, &usage);
	buf_lit(&b, "Events: ");
	cli_grouped(&b, t->events);
	buf_addf(&b, " in %.3f s wall, %.3f s CPU: %.2f M events/s\nPeak memory: ", wall, cpu,
		 wall > 0 ? (double)t->events / wall / 1e6 : 0);
	cli_bytes(&b, (uint64_t)usage.ru_maxrss * 1024);
	buf_lit(&b, ", of it rebuilt state: ");
	cli_bytes(&b, t->peak_state_memory);
	buf_addf(&b, "\nGaps: %llu, malformed events: %llu, records not kept (tables full): %llu\n",
		 (unsigned long long)t->gaps, (unsigned long long)t->malformed,
		 (unsigned long long)t->suppressed_limits);
	fputs(buf_cstr(&b), stderr);
	buf_done(&b);
}

/* --- what its alerts depend on --- */

static void add_time(struct buf *b, const char *name, uint64_t ns, bool relative)
{
	if (ns)
		buf_addf(b, " %s=%s%llu", name, relative ? "+" : "@", (unsigned long long)ns);
}

void cli_rule_run_describe(const struct cli_rule_run *o, struct buf *b)
{
	const struct run_window *win = &o->run.window;

	buf_addf(b, "matching=%s", o->run.match_all ? "all" : "first");
	if (o->min_priority >= 0 || o->cfg.priority != RULE_PRIORITY_COUNT - 1)
		buf_addf(b, " min-priority=%d",
			 o->min_priority >= 0 ? o->min_priority : (int)o->cfg.priority);
	add_time(b, "from", win->from, win->from_relative);
	add_time(b, "to", win->to, win->to_relative);
	if (o->common->tz_offset_s)
		buf_addf(b, " tz=%d", o->common->tz_offset_s);
	if (o->common->mem_limit)
		buf_addf(b, " mem-limit=%llu", (unsigned long long)o->common->mem_limit);
	buf_str(b, o->corrected ? " corrected" : "");
	run_config_describe(&o->cfg, b);
	if (o->run.filter) {
		buf_lit(b, " filter=");
		buf_counted(b, sv_of(o->run.filter));
	}
}

/* --- the run --- */

static int load(struct cli_rule_run *o, struct error *err)
{
	int rc = run_config_init(&o->cfg, err);

	if (rc == 0)
		rc = run_config_load(&o->cfg, o->config, o->overrides.items, o->overrides.count,
				     err);
	return rc;
}

int cli_rule_run_configure(struct cli_rule_run *o)
{
	struct error err = {0};

	if (load(o, &err) < 0)
		return cli_fail(&err);
	for (size_t i = 0; o->cfg.unused[i]; i++)
		cli_log(CLI_WARNING, "%s is enabled in the configuration but not served by scapula",
			o->cfg.unused[i]);
	o->run.match_all = o->match_all >= 0 ? o->match_all : o->cfg.match_all;
	return 0;
}

int cli_rule_run_compile(struct cli_rule_run *o)
{
	int rc = load_rules(o);

	return rc ? rc : build_engine(o);
}

int cli_rule_run_load(struct cli_rule_run *o)
{
	int rc = cli_rule_run_configure(o);

	return rc ? rc : cli_rule_run_compile(o);
}

int cli_rule_run_check_rule(const struct cli_rule_run *o, const char *name)
{
	size_t n;
	const struct rule *rules = rule_engine_rules(o->engine, &n);

	for (size_t i = 0; i < n; i++)
		if (sv_is(rules[i].name, name))
			return 0;
	cli_log(CLI_ERROR, "no rule '%s' is loaded; 'scapula rules list' names those of a file",
		name);
	return CLI_USAGE;
}

int cli_rule_run_open(struct cli_rule_run *o, int argc, char **argv)
{
	o->argc = argc;
	o->argv = argv;
	if (o->common->timeout_ns)
		o->run.deadline_ns = clock_ns(CLOCK_MONOTONIC) + o->common->timeout_ns;
	o->run.memory_limit = o->common->mem_limit;
	o->run.tz_offset_s = o->common->tz_offset_s;
	o->run.iso_time = o->cfg.format.iso_time;
	return open_sinks(o, argc, argv);
}

int cli_rule_run_start(struct cli_rule_run *o, int argc, char **argv)
{
	struct error err = {0};
	int rc = cli_rule_run_open(o, argc, argv);

	if (rc)
		return rc;
	if (run_new(o->engine, &o->run, o->sinks, o->sink_count, &o->r, &err) == 0)
		return 0;
	cli_log(CLI_ERROR, "--filter: %s", err.msg);
	return CLI_USAGE;
}

void cli_rule_run_init(struct cli_rule_run *o, const struct cli_common *common)
{
	*o = (struct cli_rule_run){
	    .common = common,
	    .match_all = -1,
	    .min_priority = -1,
	    .fail_priority = -1,
	    .file_fd = -1,
	    .started = clock_ns(CLOCK_MONOTONIC),
	};
}

int cli_rule_run_ended(const char *path, const struct run_capture_report *rep)
{
	unsigned long long events = rep->state->events;

	switch (rep->end) {
	case RUN_END_INTERRUPTED:
		cli_log(CLI_WARNING, "%s: interrupted after %llu events; results so far are kept",
			path, events);
		return cli_interrupted();
	case RUN_END_TIMEOUT:
		cli_log(CLI_WARNING, "%s: stopped by --timeout after %llu events", path, events);
		return CLI_PARTIAL;
	case RUN_END_MEMORY:
		cli_log(CLI_WARNING,
			"%s: stopped by --mem-limit after %llu events: the state holds %zu bytes",
			path, events, rep->state->memory);
		return CLI_PARTIAL;
	default:
		break;
	}
	cli_tell_state(path, rep->state);
	return 0;
}

static int tell_end(const char *path, const struct run_capture_report *rep)
{
	int status = cli_rule_run_ended(path, rep);

	if (status == 0 && rep->end == RUN_END_CLEAN && rep->stats->events == 0 &&
	    rep->stats->gaps == 0) {
		cli_log(CLI_WARNING, "%s: holds no events", path);
		return CLI_PARTIAL;
	}
	return status;
}

int cli_rule_run_report(struct cli_rule_run *o, const char *path,
			const struct run_capture_report *rep)
{
	int status = cli_rule_run_note(o, path, rep->stats);

	status = cli_worse(status, tell_end(path, rep));
	return cli_worse(status, cli_tell_gaps(path, rep->gaps, rep->gap_count, rep->stats->gaps));
}

struct cli_found cli_rule_run_found(const struct cli_rule_run *o)
{
	const struct run_totals *t = totals_of(o);
	struct cli_found f = {.alerts = t->alerts, .gaps = t->gaps};

	memcpy(f.by_priority, t->by_priority, sizeof(f.by_priority));
	return f;
}

int cli_rule_run_findings(const struct cli_rule_run *o, const struct cli_found *since)
{
	struct cli_found now = cli_rule_run_found(o);

	if ((o->fail_alerts && now.alerts > since->alerts) ||
	    (o->fail_gaps && now.gaps > since->gaps))
		return CLI_FINDINGS;
	for (int p = 0; p <= o->fail_priority; p++)
		if (now.by_priority[p] > since->by_priority[p])
			return CLI_FINDINGS;
	return 0;
}

static void cleanup(struct cli_rule_run *o)
{
	run_free(o->r);
	for (size_t i = 0; i < o->sink_count; i++)
		run_sink_free(o->sinks[i]);
	if (o->file_fd >= 0)
		close(o->file_fd);
	rule_engine_free(o->engine);
	rule_loader_free(o->loader);
	run_config_done(&o->cfg);
	cli_names_done(&o->rules);
	cli_names_done(&o->overrides);
	cli_names_done(&o->selects_tag);
	free(o->selects);
	free(o->inputs);
}

/* --- the custody log */

static int note_input(struct cli_rule_run *o, const char *name, uint64_t size,
		      const uint8_t sha256[CUSTODY_DIGEST])
{
	struct custody_file *list = realloc(o->inputs, (o->ninputs + 1) * sizeof(*list));

	if (!list)
		return out_of_memory();
	o->inputs = list;
	list[o->ninputs] = (struct custody_file){.name = name, .size = size};
	list[o->ninputs].hashed = sha256 != NULL;
	if (sha256)
		memcpy(list[o->ninputs].sha256, sha256, CUSTODY_DIGEST);
	o->ninputs++;
	return 0;
}

int cli_rule_run_note(struct cli_rule_run *o, const char *path, const struct sf_stats *stats)
{
	return o->writer && cli_custody_wanted()
		   ? note_input(o, path, stats->file_size,
				stats->sha256_valid ? stats->sha256 : NULL)
		   : 0;
}

/* The case is what it is to be now. */
static int note_custody(struct cli_rule_run *o)
{
	struct custody_file out = {.name = o->db};
	struct custody_entry e = {.action = CUSTODY_OPEN_RW,
				  .outputs = &out,
				  .noutputs = 1,
				  .argc = o->argc,
				  .argv = o->argv};
	const struct rule_result *results;
	uint8_t digest[CUSTODY_DIGEST];
	enum arc_kind kind;
	uint64_t size;
	size_t n;
	int status = 0;

	if (!cli_custody_wanted())
		return 0;
	results = rule_loader_results(o->loader, &n);
	for (size_t i = 0; i < n && !status; i++) {
		if (arc_look(results[i].name, &kind, &size, NULL) < 0)
			size = 0;
		rule_result_digest(&results[i], digest);
		status = note_input(o, results[i].name, size, digest);
	}
	e.inputs = o->inputs;
	e.ninputs = o->ninputs;
	return status ? status : cli_custody_note(NULL, &e);
}

int cli_rule_run_close(struct cli_rule_run *o, int status)
{
	const struct cli_found nothing = {0};
	struct error err = {0};

	if (o->r)
		status = cli_worse(status, cli_rule_run_findings(o, &nothing));
	o->wrote |= o->writer != NULL;
	if (qry_writer_close(o->writer, status, &err) < 0)
		status = cli_worse(status, cli_fail(&err));
	o->writer = NULL;
	return status;
}

int cli_rule_run_done(struct cli_rule_run *o, int status)
{
	status = cli_rule_run_close(o, status);
	if (o->wrote && !o->no_custody)
		status = cli_worse(status, note_custody(o));
	cleanup(o);
	return status;
}
