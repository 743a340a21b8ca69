/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/archive.h"
#include "scapfile/files.h"

static bool is_rule_name(const char *file)
{
	struct sv name = sv_of(file);

	return file[0] != '.' && (sv_ends(name, SV_LIT(".yaml")) || sv_ends(name, SV_LIT(".yml")));
}

static int is_rule_file(const struct dirent *d)
{
	return is_rule_name(d->d_name);
}

static int one_path(const char *path, char ***files, size_t *count)
{
	*files = calloc(1, sizeof(**files));
	if (!*files)
		return CLI_INTERNAL;
	(*files)[0] = strdup(path);
	*count = (*files)[0] != NULL;
	return *count ? 0 : CLI_INTERNAL;
}

static int by_name(const void *a, const void *b)
{
	const struct arc_member *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* "A.tar//DIRECTORY/FILE.yaml" for each rule file of a directory inside of an archive. */
static int paths_inside(const char *path, struct arc_list *l, char ***files, size_t *count)
{
	const char *last = path, *at = path;
	bool complete = true;

	while ((at = strstr(at, ARC_SEPARATOR)))
		last = at += strlen(ARC_SEPARATOR);
	qsort(l->members, l->count, sizeof(*l->members), by_name);
	*files = calloc(l->count + 1, sizeof(**files));
	for (size_t i = 0; *files && i < l->count && complete; i++) {
		const char *name = l->members[i].name;

		if (l->members[i].kind != ARC_FILE || !is_rule_name(sf_file_base(name)))
			continue;
		complete =
		    asprintf(&(*files)[*count], "%.*s%s", (int)(last - path), path, name) >= 0;
		*count += complete;
	}
	if (*files && complete) {
		if (!*count)
			cli_log(CLI_WARNING, "'%s' holds no .yaml or .yml file", path);
		return 0;
	}
	cli_log(CLI_ERROR, "out of memory");
	return CLI_INTERNAL;
}

/* Return: an exit status, or -1: it is no directory inside of an archive. */
static int directory_inside(const char *path, char ***files, size_t *count)
{
	struct error err = {0};
	struct arc_list l;
	int rc;

	if (!arc_is_inside(path))
		return -1;
	rc = arc_list_directory(path, &l, &err);
	if (rc == 0)
		return one_path(path, files, count);
	if (rc < 0) {
		cli_log(CLI_ERROR, "cannot read rules '%s': %s", path, err.msg);
		return CLI_RULES;
	}
	rc = paths_inside(path, &l, files, count);
	arc_list_done(&l);
	return rc;
}

int cli_rule_paths(const char *path, char ***files, size_t *count)
{
	struct dirent **names;
	struct stat sb;
	int n;

	*files = NULL;
	*count = 0;
	n = directory_inside(path, files, count);
	if (n >= 0)
		return n;
	if (stat(path, &sb) != 0) {
		cli_log(CLI_ERROR, "cannot read rules '%s': %s", path, strerror(errno));
		return CLI_RULES;
	}
	if (!S_ISDIR(sb.st_mode))
		return one_path(path, files, count);
	n = scandir(path, &names, is_rule_file, alphasort);
	if (n < 0) {
		cli_log(CLI_ERROR, "cannot read the directory '%s': %s", path, strerror(errno));
		return CLI_RULES;
	}
	*files = calloc((size_t)n + 1, sizeof(**files));
	for (int i = 0; i < n; i++) {
		if (*files && asprintf(&(*files)[*count], "%s/%s", path, names[i]->d_name) >= 0)
			++*count;
		free(names[i]);
	}
	free(names);
	if (*count == (size_t)n && *files) {
		if (n == 0)
			cli_log(CLI_WARNING, "the directory '%s' holds no .yaml or .yml file",
				path);
		return 0;
	}
	cli_log(CLI_ERROR, "out of memory");
	return CLI_INTERNAL;
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

static int load_one(struct rule_loader *l, const char *path)
{
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

int cli_load_rules(struct rule_loader *l, const char *const *paths, size_t count)
{
	int status = 0;

	for (size_t i = 0; i < count && !status; i++) {
		char **files;
		size_t n;

		status = cli_rule_paths(paths[i], &files, &n);
		for (size_t k = 0; k < n; k++) {
			if (!status)
				status = load_one(l, files[k]);
			free(files[k]);
		}
		free(files);
	}
	return status;
}

void cli_quote_command(struct buf *b, int argc, char **argv)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";

	buf_lit(b, "scapula");
	for (int i = 0; i < argc; i++) {
		buf_char(b, ' ');
		if (argv[i][0] && argv[i][strspn(argv[i], plain)] == '\0') {
			buf_str(b, argv[i]);
			continue;
		}
		buf_char(b, '\'');
		for (const char *p = argv[i]; *p; p++) {
			if (*p == '\'')
				buf_lit(b, "'\\''");
			else
				buf_char(b, *p);
		}
		buf_char(b, '\'');
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
