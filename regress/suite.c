/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the tests of a suite, and the rule sets they share. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "regress/files.h"
#include "regress/internal.h"
#include "regress/keeper.h"
#include "scapfile/files.h"

/* --- tests --- */

static bool is_wanted(const struct reg_suite *s, const char *path, const char *name)
{
	char *real;
	bool found = false;

	if (s->opt.filter && !sv_contains(sv_of(name), sv_of(s->opt.filter)))
		return false;
	if (!s->opt.failed)
		return true;
	real = realpath(path, NULL);
	for (size_t i = 0; real && i < s->opt.failed->count && !found; i++)
		found = strcmp(real, s->opt.failed->items[i]) == 0;
	free(real);
	return found;
}

struct reg_result *reg_suite_add(struct reg_suite *s)
{
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct reg_result *more = realloc(s->results, room * sizeof(*more));

		if (!more)
			return NULL;
		s->results = more;
		s->room = room;
	}
	s->results[s->count] = (struct reg_result){0};
	return &s->results[s->count++];
}

static int add_test(struct reg_suite *s, const char *path, const char *name, struct error *err)
{
	struct reg_result *r;
	int rc;

	if (!is_wanted(s, path, name))
		return 0;
	if (s->count >= REG_TESTS_MAX)
		return error_set(err, ERR_LIMIT, "more than %u tests", REG_TESTS_MAX);
	r = reg_suite_add(s);
	if (!r)
		return error_nomem(err);
	rc = reg_test_read(&r->test, path, name, &r->err);
	if (rc == ERR_NOMEM)
		return error_nomem(err);
	if (rc < 0) { /* what it is called is known, at least */
		r->test.path = arena_strdup(&r->test.arena, path);
		r->test.name = arena_strdup(&r->test.arena, name);
		r->verdict.outcome = REG_BROKEN;
		if (rc != ERR_IO)
			r->err.code = ERR_USAGE;
	}
	return r->test.path && r->test.name ? 0 : error_nomem(err);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dots(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int look_into(struct reg_suite *s, const char *dir, unsigned depth, struct error *err);

/* Links are not followed: a suite is finite. */
static int look_at(struct reg_suite *s, const char *dir, const char *name, unsigned depth,
		   struct error *err)
{
	struct stat sb;
	char *path;
	int rc = 0;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return error_nomem(err);
	if (lstat(path, &sb) == 0 && S_ISDIR(sb.st_mode))
		rc = look_into(s, path, depth + 1, err);
	else if (strcmp(name, REG_TEST_NAME) == 0)
		rc = add_test(s, path, dir, err);
	free(path);
	return rc;
}

static int look_into(struct reg_suite *s, const char *dir, unsigned depth, struct error *err)
{
	struct dirent **names;
	int n, rc = 0;

	if (depth > REG_DEPTH_MAX)
		return error_set(err, ERR_LIMIT, "'%s': more than %d directories in each other",
				 dir, REG_DEPTH_MAX);
	n = scandir(dir, &names, no_dots, by_name);
	if (n < 0)
		return error_sys(err, errno, "cannot read the directory '%s'", dir);
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = look_at(s, dir, names[i]->d_name, depth, err);
		free(names[i]);
	}
	free(names);
	return rc;
}

/* "DIRECTORY" without slashes at its end; a file test.yaml stands for its directory. */
static int add_path(struct reg_suite *s, const char *given, struct error *err)
{
	char *path = strdup(given);
	struct stat sb;
	size_t n;
	int rc;

	if (!path)
		return error_nomem(err);
	n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	if (stat(path, &sb) != 0) {
		rc = error_sys(err, errno, "cannot read '%s'", given);
	} else if (S_ISDIR(sb.st_mode)) {
		rc = look_into(s, path, 0, err);
	} else if (strcmp(sf_file_base(path), REG_TEST_NAME) == 0) {
		const char *base = sf_file_base(path);
		struct sv name =
		    base == path ? SV_LIT(".") : sv_make(path, (size_t)(base - path - 1));
		char *dir = strndup(name.p, name.n);

		rc = dir ? add_test(s, path, dir, err) : error_nomem(err);
		free(dir);
	} else {
		rc = error_set(err, ERR_IO, "'%s' is no directory and no %s", given, REG_TEST_NAME);
	}
	free(path);
	return rc;
}

/* --- rule sets --- */

static int share_rules(struct reg_suite *s, struct reg_result *r, struct error *err)
{
	const char *dir = r->test.dir;
	struct reg_ruleset *own;

	if (s->opt.rules) { /* given by somebody who is elsewhere */
		r->test.rules.paths = *s->opt.rules;
		dir = ".";
	}
	own = reg_ruleset_new(&r->test.rules, dir);
	if (!own)
		return error_nomem(err);
	for (size_t i = 0; i < s->set_count; i++) {
		if (sv_eq(reg_ruleset_key(own), reg_ruleset_key(s->sets[i]))) {
			reg_ruleset_free(own);
			r->rules = s->sets[i];
			return 0;
		}
	}
	s->sets[s->set_count++] = r->rules = own;
	return 0;
}

static int share_all(struct reg_suite *s, struct error *err)
{
	int rc = 0;

	s->sets = calloc(s->count + 1, sizeof(*s->sets));
	if (!s->sets)
		return error_nomem(err);
	for (size_t i = 0; i < s->count && rc == 0; i++)
		if (s->results[i].verdict.outcome != REG_BROKEN)
			rc = share_rules(s, &s->results[i], err);
	return rc;
}

int reg_suite_new(const char *const *paths, size_t count, const struct reg_suite_options *opt,
		  struct reg_suite **out, struct error *err)
{
	struct reg_suite *s = calloc(1, sizeof(*s));
	int rc = 0;

	if (!s)
		return error_nomem(err);
	s->opt = *opt;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = add_path(s, paths[i], err);
	if (rc == 0)
		rc = share_all(s, err);
	if (rc == 0 && opt->cache)
		rc = reg_keeper_new(s, &s->keeper, err);
	if (rc < 0)
		reg_suite_free(s);
	else
		*out = s;
	return rc;
}

static void free_result(struct reg_result *r)
{
	reg_verdict_done(&r->verdict);
	reg_alerts_done(&r->got);
	reg_alerts_done(&r->baseline);
	buf_done(&r->rules_text);
	reg_test_done(&r->test);
	free(r->trace);
}

void reg_suite_free(struct reg_suite *s)
{
	if (!s)
		return;
	reg_keeper_free(s->keeper);
	for (size_t i = 0; i < s->count; i++)
		free_result(&s->results[i]);
	for (size_t i = 0; i < s->set_count; i++)
		reg_ruleset_free(s->sets[i]);
	free(s->results);
	free(s->sets);
	free(s);
}

/* --- results --- */

struct reg_result *reg_suite_results(struct reg_suite *s, size_t *count)
{
	*count = s->count;
	return s->results;
}

struct reg_totals reg_suite_totals(const struct reg_suite *s)
{
	struct reg_totals t = {0};

	for (size_t i = 0; i < s->count; i++) {
		const struct reg_result *r = &s->results[i];

		t.outcomes[r->verdict.outcome]++;
		t.alerts += r->got.count + r->got.dropped;
		t.events += r->events;
	}
	return t;
}
