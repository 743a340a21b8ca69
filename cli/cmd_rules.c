/* SPDX-License-Identifier: Apache-2.0 */
/* scapula rules: check rule files or one condition, list rules. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/inputs.h"

enum {
	OPT_JSON = OPT_COMMAND_FIRST,
	OPT_CONDITION,
	OPT_PARSE_ONLY,
};

static const struct cli_option rules_options[] = {
    {OPT_JSON, "json", NULL,
     "check: verdicts in Falco's JSON form; list: one JSON object per rule"},
    {OPT_CONDITION, "condition", "CONDITION", "check: compile one condition instead of files"},
    {OPT_PARSE_ONLY, "parse-only", NULL, "with --condition: check only the syntax"},
    {0, NULL, NULL, NULL},
};

static const char *const rules_examples[] = {
    "rules check rules.yaml",
    "rules check --condition 'evt.type = open and fd.name startswith /etc'",
    "rules list rules.yaml",
    NULL,
};

struct rules {
	struct cli_common common;
	bool json, parse_only;
	const char *condition;
};

static int take_option(void *arg, int id, const char *value)
{
	struct rules *o = arg;

	switch (id) {
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_CONDITION:
		o->condition = value;
		return 0;
	case OPT_PARSE_ONLY:
		o->parse_only = true;
		return 0;
	default:
		return CLI_USAGE;
	}
}

/* --- one condition --- */

static void tell_warning(void *arg, enum flt_warning_kind kind, struct flt_pos pos,
			 const char *text)
{
	(void)arg;
	(void)kind;
	cli_log(CLI_WARNING, "line %u, column %u: %s", pos.line, pos.column, text);
}

static int compile_condition(const struct flt_node *node, struct flt_pos *pos, struct error *err)
{
	const struct flt_options opt = {0};
	struct flt_program *program;
	struct flt_types types;
	unsigned id;
	int rc;

	rc = flt_program_new(&opt, &program, err);
	if (rc < 0)
		return rc;
	rc = flt_program_add(program, node, tell_warning, NULL, &id, pos, err);
	if (rc == 0)
		rc = flt_types_of(node, &types, err);
	flt_program_free(program);
	return rc;
}

static int check_condition(const struct rules *o)
{
	struct arena arena = {0};
	struct flt_pos pos = {0, 1, 1};
	struct error err = {0};
	struct flt_node *node;
	int rc;

	rc = flt_parse(sv_of(o->condition), FLT_DEPTH_DEFAULT, &arena, &node, &pos, &err);
	if (rc == 0 && !o->parse_only)
		rc = compile_condition(node, &pos, &err);
	arena_done(&arena);
	if (rc == 0)
		return 0;
	cli_tell_condition("condition", o->condition, pos, err.msg);
	return rc == ERR_NOMEM ? CLI_INTERNAL : CLI_RULES;
}

/* --- files --- */

struct file_list {
	char **paths;
	size_t count;
};

static void file_list_done(struct file_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->paths[i]);
	free(l->paths);
}

/* Directories spread out. */
static int file_list_init(struct file_list *l, char **args, int count)
{
	int status = 0;

	*l = (struct file_list){0};
	for (int i = 0; i < count && !status; i++) {
		char **files, **all;
		size_t n;

		status = cli_rule_paths(args[i], &files, &n);
		all = realloc(l->paths, (l->count + n + 1) * sizeof(*all));
		if (all) {
			l->paths = all;
			for (size_t k = 0; k < n; k++)
				l->paths[l->count++] = files[k];
		}
		free(files);
		if (!all)
			status = CLI_INTERNAL;
	}
	return status;
}

static void print_verdicts(const struct rules *o, const struct rule_loader *l, struct buf *b)
{
	size_t n;
	const struct rule_result *r = rule_loader_results(l, &n);

	if (o->json)
		buf_lit(b, "{\"falco_load_results\":[");
	for (size_t i = 0; i < n; i++) {
		if (!o->json) {
			rule_result_text(b, &r[i], true);
			if (b->len && b->p[b->len - 1] != '\n')
				buf_char(b, '\n');
			continue;
		}
		if (i)
			buf_char(b, ',');
		rule_result_json(b, &r[i]);
	}
	if (o->json)
		buf_lit(b, "]}\n");
}

static int check_files(const struct rules *o, const struct file_list *files)
{
	const struct rule_options opt = {.min_priority = RULE_DEBUG};
	struct rule_loader *l;
	struct error err = {0};
	struct buf b = {0};
	int status = 0;

	if (rule_loader_new(&opt, &l, &err) < 0)
		return cli_fail(&err);
	for (size_t i = 0; i < files->count; i++) {
		int rc = rule_loader_file(l, files->paths[i], &err);

		if (rc == ERR_IO)
			cli_log(CLI_ERROR, "%s", err.msg);
		if (rc < 0)
			status = cli_worse(status, rc == ERR_NOMEM ? CLI_INTERNAL : CLI_RULES);
	}
	if (rule_loader_check_plugins(l, &err) < 0) {
		cli_log(CLI_ERROR, "%s", err.msg);
		status = cli_worse(status, CLI_RULES);
	}
	print_verdicts(o, l, &b);
	rule_loader_free(l);
	status = cli_worse(status, cli_write(&b));
	buf_done(&b);
	return cli_worse(status, cli_flush());
}

/* --- listing --- */

static void list_rule_json(struct buf *b, const struct rule *r)
{
	buf_lit(b, "{\"condition\":");
	json_string(b, r->condition);
	buf_lit(b, ",\"condition_compiled\":");
	json_string(b, r->compiled);
	buf_lit(b, ",\"desc\":");
	json_string(b, r->desc);
	buf_addf(b, ",\"enabled\":%s,\"file\":", r->enabled ? "true" : "false");
	json_string(b, sv_of(r->file ? r->file : ""));
	buf_addf(b, ",\"line\":%u,\"name\":", r->line);
	json_string(b, r->name);
	buf_lit(b, ",\"output\":");
	json_string(b, r->output);
	buf_addf(b, ",\"priority\":\"%s\",\"source\":", rule_priority_name(r->priority));
	json_string(b, r->source);
	buf_lit(b, ",\"tags\":[");
	for (size_t i = 0; i < r->tag_count; i++) {
		if (i)
			buf_char(b, ',');
		json_string(b, r->tags[i]);
	}
	buf_lit(b, "]}\n");
}

static void list_rule_text(struct buf *b, const struct rule *r)
{
	buf_addf(b, "%-13s %s ", rule_priority_name(r->priority), r->enabled ? "on " : "off");
	cli_safe(b, r->name);
	buf_lit(b, "  [");
	for (size_t i = 0; i < r->tag_count; i++) {
		if (i)
			buf_lit(b, ", ");
		cli_safe(b, r->tags[i]);
	}
	buf_lit(b, "]\n");
}

static int list_files(const struct rules *o, const struct file_list *files)
{
	const struct rule_options opt = {.min_priority = RULE_DEBUG};
	struct rule_engine *engine = NULL;
	struct rule_loader *l;
	struct error err = {0};
	struct buf b = {0};
	int status;

	if (rule_loader_new(&opt, &l, &err) < 0)
		return cli_fail(&err);
	status = cli_load_rules(l, (const char *const *)files->paths, files->count);
	if (!status && rule_engine_new(l, NULL, 0, &engine, &err) < 0)
		status = cli_fail(&err);
	if (engine) {
		size_t n;
		const struct rule *rules = rule_engine_rules(engine, &n);

		for (size_t i = 0; i < n; i++)
			(o->json ? list_rule_json : list_rule_text)(&b, &rules[i]);
	}
	status = cli_worse(status, cli_write(&b));
	buf_done(&b);
	rule_engine_free(engine);
	rule_loader_free(l);
	return cli_worse(status, cli_flush());
}

static int with_files(const struct rules *o, const char *verb, char **args, int count)
{
	int (*work)(const struct rules *, const struct file_list *);
	struct file_list files;
	int status;

	if (strcmp(verb, "check") == 0) {
		work = check_files;
	} else if (strcmp(verb, "list") == 0) {
		work = list_files;
	} else {
		cli_log(CLI_ERROR, "'%s': expected check or list", verb);
		return CLI_USAGE;
	}
	if (!count) {
		cli_log(CLI_ERROR, "%s: no rule file given", verb);
		return CLI_USAGE;
	}
	status = file_list_init(&files, args, count);
	if (!status)
		status = work(o, &files);
	file_list_done(&files);
	return status;
}

int cmd_rules(int argc, char **argv)
{
	struct rules o = {0};
	const struct cli_parser parser = {"rules", rules_options, rules_examples, take_option, &o};
	int first;
	int status = cli_parse(&parser, &o.common, argc, argv, &first);

	if (status)
		return status < 0 ? cli_flush() : status;
	if (first == argc) {
		cli_log(CLI_ERROR, "expected check or list");
		return CLI_USAGE;
	}
	if (!o.condition)
		return with_files(&o, argv[first], argv + first + 1, argc - first - 1);
	if (strcmp(argv[first], "check") != 0 || first + 1 != argc) {
		cli_log(CLI_ERROR, "--condition goes with 'check' and without files");
		return CLI_USAGE;
	}
	return check_condition(&o);
}
