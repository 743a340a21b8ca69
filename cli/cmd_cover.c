/* SPDX-License-Identifier: Apache-2.0 */
/* scapula cover: what of rules captures put to the test. */
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cover.h"
#include "cli/rule_run.h"
#include "cli/walk.h"

#define PATHS_MAX 1000000

enum {
	OPT_RULE = OPT_AFTER_RULE_RUN,
	OPT_STORE,
	OPT_ORDER,
};

static const struct cli_option cover_options[] = {
    {OPT_RULE, "rule", "NAME", "text: this rule alone, check by check"},
    {'f', "format", "text|json|navigator",
     "json: every check and item of all rules; navigator: a layer for ATT&CK Navigator"},
    {OPT_FAIL_ON, "fail-on", "WHAT,...",
     "status 1 if a rule is unmatched, unevaluated or untested; none: never"},
    {OPT_ORDER, "order", NULL,
     "also orders in which conditions would be decided with fewer checks; json: only these"},
    {OPT_STORE, "store", "DIR", "where captures are that tests name by their hash"},
    CLI_OPTIONS_RULE_FILES,
    CLI_OPTIONS_SELECTION,
    CLI_OPTION_MIN_PRIORITY,
    {0, NULL, NULL, NULL},
};

static const char *const cover_examples[] = {
    "cover -r rules.yaml capture.scap",
    "cover -r rules.yaml --rule 'Search for private keys' capture.scap",
    "cover -r rules.yaml -f navigator suite/ > layer.json",
    "cover -r rules.yaml --fail-on untested suite/",
    NULL,
};

enum form { FORM_TEXT, FORM_JSON, FORM_NAVIGATOR };

struct covering {
	struct cli_common common;
	struct cli_rule_run rules;
	const char *name;
	enum form form;
	bool fail_unmatched, fail_unevaluated, fail_untested;
	const char *store;
	bool order;
	/* at work */
	struct cover c;
	struct flt_types types; /* that any rule is about */
	char **paths;
	size_t count, cap;
	struct reg_suite *suite; /* tests of rules below the directories */
	struct buf text;
};

/* --- options --- */

static int take_form(struct covering *o, const char *value)
{
	static const char *const names[] = {"text", "json", "navigator"};
	unsigned form = 0;
	int status = cli_take_word("format", value, names, COUNT_OF(names), &form);

	if (!status)
		o->form = (enum form)form;
	return status;
}

static int take_fail_on(struct covering *o, const char *value)
{
	while (*value) {
		size_t n = strcspn(value, ",");
		struct sv word = sv_make(value, n);

		if (sv_is(word, "unmatched")) {
			o->fail_unmatched = true;
		} else if (sv_is(word, "unevaluated")) {
			o->fail_unevaluated = true;
		} else if (sv_is(word, "untested")) {
			o->fail_untested = true;
		} else if (sv_is(word, "none")) {
			o->fail_unmatched = o->fail_unevaluated = o->fail_untested = false;
		} else {
			cli_log(CLI_ERROR,
				"--fail-on %.*s: expected unmatched, unevaluated, untested "
				"or none",
				(int)n, value);
			return CLI_USAGE;
		}
		value += n + (value[n] == ',');
	}
	return 0;
}

static int take_option(void *arg, int id, const char *value)
{
	struct covering *o = arg;

	switch (id) {
	case OPT_RULE:
		o->name = value;
		return 0;
	case OPT_ORDER:
		o->order = true;
		return 0;
	case OPT_STORE:
		o->store = value;
		return 0;
	case 'f':
		return take_form(o, value);
	case OPT_FAIL_ON:
		return take_fail_on(o, value);
	default:
		return cli_rule_run_take(&o->rules, id, value);
	}
}

/* --- captures --- */

static int add_path(struct covering *o, const char *path)
{
	if (o->count == PATHS_MAX) {
		cli_log(CLI_ERROR, "more than %d captures", PATHS_MAX);
		return CLI_INPUT;
	}
	if (o->count == o->cap) {
		size_t cap = o->cap ? 2 * o->cap : 16;
		char **p = realloc(o->paths, cap * sizeof(*p));

		if (!p)
			goto no_memory;
		o->paths = p;
		o->cap = cap;
	}
	o->paths[o->count] = strdup(path);
	if (!o->paths[o->count])
		goto no_memory;
	o->count++;
	return 0;
no_memory:
	cli_log(CLI_ERROR, "out of memory");
	return CLI_INTERNAL;
}

static bool is_capture_name(const char *name)
{
	struct sv s = sv_of(name);

	return sv_ends(s, SV_LIT(".scap")) || sv_ends(s, SV_LIT(".scap.gz")) ||
	       sv_ends(s, SV_LIT(".scap.zst"));
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* The captures below a directory, in order; links are not followed. */
static int add_directory(struct covering *o, char *path)
{
	char *roots[] = {path, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	size_t before = o->count;
	int status = 0;
	FTSENT *e;

	while (tree && !status && (e = fts_read(tree))) {
		if (e->fts_info == FTS_F && is_capture_name(e->fts_name))
			status = add_path(o, e->fts_path);
		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) {
			cli_log(CLI_ERROR, "cannot read '%s': %s", e->fts_path,
				strerror(e->fts_errno));
			status = CLI_INPUT;
		}
	}
	if (tree)
		fts_close(tree);
	if (!status && o->count == before)
		cli_log(CLI_WARNING, "'%s' holds no .scap, .scap.gz or .scap.zst file", path);
	return status;
}

/* --- tests of rules --- */

/* The capture of a test, unless it lies below the directory and was found there. */
static int add_trace(struct covering *o, const struct reg_test *t)
{
	struct error err = {0};
	char *path = NULL;
	int status = 0;

	if (!t->trace)
		return 0;
	if (reg_trace_find(t, o->store, &path, &err) < 0)
		return cli_fail(&err);
	for (size_t i = 0; path && i < o->count; i++) {
		if (is_same_file(path, o->paths[i])) {
			free(path);
			return 0;
		}
	}
	status = add_path(o, path);
	free(path);
	return status;
}

static int find_tests(struct covering *o, const char *const *dirs, size_t count)
{
	const struct reg_suite_options opt = {.store = o->store};
	const struct reg_result *all;
	struct error err = {0};
	int status = 0;
	size_t n;

	if (reg_suite_new(dirs, count, &opt, &o->suite, &err) < 0)
		return cli_fail(&err);
	all = reg_suite_results(o->suite, &n);
	for (size_t i = 0; i < n; i++)
		status = cli_worse(status, all[i].verdict.outcome == REG_BROKEN
					       ? cli_fail(&all[i].err)
					       : add_trace(o, &all[i].test));
	return status;
}

static int find_captures(struct covering *o, char **args, int count)
{
	const char **dirs = calloc((size_t)count + 1, sizeof(*dirs));
	struct stat sb;
	int status = dirs ? 0 : cli_exit_of(ERR_NOMEM);
	size_t n = 0;

	for (int i = 0; i < count && !status; i++) {
		if (stat(args[i], &sb) == 0 && S_ISDIR(sb.st_mode)) {
			status = add_directory(o, args[i]);
			dirs[n++] = args[i];
		} else {
			status = add_path(o, args[i]);
		}
	}
	if (!status && n)
		status = find_tests(o, dirs, n);
	free(dirs);
	if (!status && !o->count) {
		cli_log(CLI_ERROR, "no capture given");
		return CLI_USAGE;
	}
	return status;
}

/* --- walking --- */

static int begin(void *arg, struct cli_walk *w, struct error *err)
{
	struct covering *o = arg;

	return cover_begin(&o->c, w->ctx, err);
}

static int on_event(void *arg, struct cli_walk *w, const struct state_binding *b)
{
	struct covering *o = arg;

	flt_ctx_event(w->ctx, b);
	cover_event(&o->c, b->ev->type);
	return 0;
}

static void on_end(void *arg, struct cli_walk *w)
{
	struct covering *o = arg;

	o->c.events += state_stats(w->state)->events;
}

static int walk_all(struct covering *o)
{
	struct cli_walk w = {
	    .common = &o->common,
	    .program = rule_engine_program(o->rules.engine),
	    .as_rules = true,
	    .looked_at = &o->types,
	    .begin = begin,
	    .event = on_event,
	    .end = on_end,
	    .arg = o,
	};
	int status = 0;

	for (size_t i = 0; i < o->count && !cli_interrupted(); i++)
		status = cli_worse(status, cli_walk_capture(&w, o->paths[i]));
	o->c.captures = o->count;
	o->c.paths = (const char *const *)o->paths;
	return status;
}

/* --- results --- */

static int one_rule(struct covering *o)
{
	const struct cover_rule *found = NULL;

	for (size_t i = 0; i < o->c.count; i++) {
		struct sv name = o->c.rules[i].rule->name;

		if (sv_eq(name, sv_of(o->name)) || (!found && sv_contains(name, sv_of(o->name))))
			found = &o->c.rules[i];
	}
	if (!found) {
		cli_log(CLI_ERROR, "--rule %s: there is no such rule", o->name);
		return CLI_USAGE;
	}
	cover_rule_text(&o->text, found, o->common.color);
	return 0;
}

static int tell(struct covering *o)
{
	struct error err = {0};

	switch (o->form) {
	case FORM_JSON:
		if (o->order)
			return cover_orders_json(&o->text, &o->c, &err) < 0 ? cli_fail(&err) : 0;
		cover_json(&o->text, &o->c);
		return 0;
	case FORM_NAVIGATOR:
		return cover_navigator(&o->text, &o->c, &err) < 0 ? cli_fail(&err) : 0;
	default:
		break;
	}
	if (o->name)
		return one_rule(o);
	cover_text(&o->text, &o->c, o->common.color);
	return o->order && cover_orders_text(&o->text, &o->c, &err) < 0 ? cli_fail(&err) : 0;
}

static int findings(const struct covering *o)
{
	for (size_t i = 0; i < o->c.count; i++) {
		enum cover_state s = cover_state_of(&o->c.rules[i]);

		if (s == COVER_UNEVALUATED && (o->fail_unevaluated || o->fail_unmatched))
			return CLI_FINDINGS;
		if (s == COVER_UNMATCHED && o->fail_unmatched)
			return CLI_FINDINGS;
		if (o->fail_untested && cover_is_untested(&o->c.rules[i]))
			return CLI_FINDINGS;
	}
	return 0;
}

static int prepare(struct covering *o)
{
	struct error err = {0};
	int status = cli_rule_run_load(&o->rules);

	if (status)
		return status;
	if (rule_engine_seal(o->rules.engine, &err) < 0 ||
	    cover_init(&o->c, o->rules.loader, o->rules.engine,
		       o->rules.min_priority >= 0 ? (enum rule_priority)o->rules.min_priority
						  : o->rules.cfg.priority,
		       &err) < 0 ||
	    (o->order && cover_order_init(&o->c, &err) < 0))
		return cli_fail(&err);
	for (size_t i = 0; i < o->c.count; i++)
		for (unsigned t = 0; o->c.rules[i].x && t < EV_TYPE_COUNT; t++)
			if (flt_types_has(o->c.rules[i].rule->types, t))
				o->types.bits[t / 64] |= 1ull << t % 64;
	return 0;
}

static int work(void *arg, char **args, int count)
{
	struct covering *o = arg;
	int status = find_captures(o, args, count);

	if (!status)
		status = prepare(o);
	if (status)
		return status;
	if (o->suite)
		cover_tests(&o->c, o->suite);
	status = walk_all(o);
	if (!cli_interrupted())
		status = cli_worse(status, cli_worse(tell(o), findings(o)));
	status = cli_worse(status, cli_write(&o->text));
	return cli_worse(status, cli_flush());
}

int cmd_cover(int argc, char **argv)
{
	struct covering o = {0};
	const struct cli_parser parser = {"cover", cover_options, cover_examples, take_option, &o};
	int status;

	cli_rule_run_init(&o.rules, &o.common);
	status = cli_run(&parser, &o.common, argc, argv, work);
	cover_done(&o.c);
	reg_suite_free(o.suite);
	for (size_t i = 0; i < o.count; i++)
		free(o.paths[i]);
	free(o.paths);
	buf_done(&o.text);
	return cli_rule_run_done(&o.rules, status);
}
