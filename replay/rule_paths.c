/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/rule_paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/archive.h"
#include "base/sv.h"
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

static int make_room(struct run_paths *out, size_t n, struct error *err)
{
	out->items = calloc(n + 1, sizeof(*out->items));
	return out->items ? 0 : error_nomem(err);
}

static int one_path(const char *path, struct run_paths *out, struct error *err)
{
	int rc = make_room(out, 1, err);

	if (rc < 0)
		return rc;
	out->items[0] = strdup(path);
	out->count = out->items[0] != NULL;
	return out->count ? 0 : error_nomem(err);
}

static int by_name(const void *a, const void *b)
{
	const struct arc_member *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* "A.tar//DIRECTORY/FILE.yaml" for each rule file of a directory inside of an archive. */
static int paths_inside(const char *path, struct arc_list *l, struct run_paths *out,
			struct error *err)
{
	const char *last = path, *at = path;
	int rc = make_room(out, l->count, err);

	while ((at = strstr(at, ARC_SEPARATOR)))
		last = at += strlen(ARC_SEPARATOR);
	qsort(l->members, l->count, sizeof(*l->members), by_name);
	for (size_t i = 0; i < l->count && rc == 0; i++) {
		const char *name = l->members[i].name;

		if (l->members[i].kind != ARC_FILE || !is_rule_name(sf_file_base(name)))
			continue;
		if (asprintf(&out->items[out->count], "%.*s%s", (int)(last - path), path, name) < 0)
			rc = error_nomem(err);
		else
			out->count++;
	}
	return rc;
}

static int paths_of_archive(const char *path, struct run_paths *out, struct error *err)
{
	struct error inner = {0};
	struct arc_list l;
	int rc = arc_list_directory(path, &l, &inner);

	if (rc == 0)
		return one_path(path, out, err);
	if (rc < 0)
		return error_set(err, rc, "cannot read rules '%s': %s", path, inner.msg);
	rc = paths_inside(path, &l, out, err);
	arc_list_done(&l);
	return rc;
}

static int paths_of_directory(const char *path, struct run_paths *out, struct error *err)
{
	struct dirent **names;
	int n = scandir(path, &names, is_rule_file, alphasort);
	int rc;

	if (n < 0)
		return error_sys(err, errno, "cannot read the directory '%s'", path);
	rc = make_room(out, (size_t)n, err);
	for (int i = 0; i < n; i++) {
		if (rc == 0 &&
		    asprintf(&out->items[out->count], "%s/%s", path, names[i]->d_name) < 0)
			rc = error_nomem(err);
		out->count += rc == 0;
		free(names[i]);
	}
	free(names);
	return rc;
}

int run_rule_paths(const char *path, struct run_paths *out, struct error *err)
{
	struct stat sb;
	int rc;

	*out = (struct run_paths){0};
	if (arc_is_inside(path))
		rc = paths_of_archive(path, out, err);
	else if (stat(path, &sb) != 0)
		rc = error_sys(err, errno, "cannot read rules '%s'", path);
	else if (S_ISDIR(sb.st_mode))
		rc = paths_of_directory(path, out, err);
	else
		rc = one_path(path, out, err);
	if (rc < 0)
		run_paths_done(out);
	return rc;
}

void run_paths_done(struct run_paths *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->items[i]);
	free(p->items);
	*p = (struct run_paths){0};
}
