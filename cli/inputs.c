/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/inputs.h"

#include <stdlib.h>

#include "base/escape.h"
#include "replay/rule_paths.h"

int cli_rule_paths(const char *path, char ***files, size_t *count)
{
	struct run_paths found = {0};
	struct error err = {0};
	int rc = run_rule_paths(path, &found, &err);

	*files = found.items;
	*count = found.count;
	if (rc < 0) {
		cli_log(CLI_ERROR, "%s", err.msg);
		return rc == ERR_NOMEM ? CLI_INTERNAL : CLI_RULES;
	}
	if (!found.count)
		cli_log(CLI_WARNING, "'%s' holds no .yaml or .yml file", path);
	return 0;
}

static void tell_verdict(const struct rule_loader *l)
{
	size_t n;
	const struct rule_result *r = rule_loader_results(l, &n);
	struct buf b = {0};

	if (!n)
		return;
	r = &r[n - 1];
	if (r->ok && !r->warning_count)
		return;
	rule_result_text(&b, r, true);
	while (b.len && b.p[b.len - 1] == '\n')
		b.len--;
	cli_log(r->ok ? CLI_WARNING : CLI_ERROR, "%s", buf_cstr(&b));
	buf_done(&b);
}

static int load_one(void *arg, const char *path)
{
	struct rule_loader *l = arg;
	struct error err = {0};
	int rc = rule_loader_file(l, path, &err);

	if (rc == ERR_RULES || rc == 0) {
		tell_verdict(l);
		return rc ? CLI_RULES : 0;
	}
	cli_log(CLI_ERROR, "%s", err.msg);
	return rc == ERR_IO ? CLI_RULES
			    : cli_exit_of(rc); /* a missing rule file is a rule problem */
}

int cli_each_rule_file(const char *const *paths, size_t count,
		       int (*each)(void *arg, const char *path), void *arg)
{
	int status = 0;

	for (size_t i = 0; i < count && !status; i++) {
		char **files;
		size_t n;

		status = cli_rule_paths(paths[i], &files, &n);
		for (size_t k = 0; k < n; k++) {
			if (!status)
				status = each(arg, files[k]);
			free(files[k]);
		}
		free(files);
	}
	return status;
}

int cli_load_rules(struct rule_loader *l, const char *const *paths, size_t count)
{
	return cli_each_rule_file(paths, count, load_one, l);
}

void cli_quote_command(struct buf *b, int argc, char **argv)
{
	buf_lit(b, "scapula");
	for (int i = 0; i < argc; i++) {
		buf_char(b, ' ');
		escape_shell(b, sv_of(argv[i]));
	}
}

void cli_tell_condition(const char *name, const char *text, struct flt_pos pos, const char *message)
{
	struct buf b = {0};

	flt_error_context(&b, sv_of(text), pos);
	while (b.len && b.p[b.len - 1] == '\n')
		b.len--;
	cli_log(CLI_ERROR, "%s: line %u, column %u: %s\n%s", name, pos.line, pos.column, message,
		buf_cstr(&b));
	buf_done(&b);
}

int cli_add_condition(struct flt_program *p, const char *name, const char *text,
		      struct arena *arena, struct flt_node **node, unsigned *id)
{
	struct flt_pos pos = {0, 1, 1};
	struct error err = {0};
	struct flt_node *parsed;
	int rc = flt_parse(sv_of(text), FLT_DEPTH_DEFAULT, arena, &parsed, &pos, &err);

	if (rc == 0)
		rc = flt_program_add(p, parsed, NULL, NULL, id, &pos, &err);
	if (rc == ERR_NOMEM)
		return cli_fail(&err);
	if (rc < 0) {
		cli_tell_condition(name, text, pos, err.msg);
		return CLI_USAGE;
	}
	if (node)
		*node = parsed;
	return 0;
}
