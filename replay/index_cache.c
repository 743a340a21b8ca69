/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/index_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/human.h"

#define CACHED_MAX   100000	       /* indexes looked at */
#define LEFT_OVER_NS 86400000000000ull /* what a writer began so long ago, it will not finish */

static uint64_t size_limit(void)
{
	const char *text = getenv("SCAPULA_CACHE_SIZE");
	uint64_t n;

	return text && human_size(text, &n) ? n : RUN_CACHE_MAX;
}

/* ---- the directory ---- */

static char *cache_dir(void)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *path;

	if (base && *base == '/')
		return asprintf(&path, "%s/scapula", base) < 0 ? NULL : path;
	if (home && *home == '/')
		return asprintf(&path, "%s/.cache/scapula", home) < 0 ? NULL : path;
	return NULL;
}

/* Nobody else may put an index there: it would decide what is shown. */
static bool is_ours(const char *dir)
{
	struct stat sb;

	return lstat(dir, &sb) == 0 && S_ISDIR(sb.st_mode) && sb.st_uid == geteuid() &&
	       !(sb.st_mode & (S_IWGRP | S_IWOTH)) && access(dir, W_OK | X_OK) == 0;
}

/* With its parent, which is the user's in general. */
static bool make_dir(char *dir)
{
	char *slash = strrchr(dir, '/');

	if (mkdir(dir, 0700) == 0 || errno == EEXIST)
		return true;
	if (errno != ENOENT || slash == dir)
		return false;
	*slash = '\0';
	(void)mkdir(dir, 0700);
	*slash = '/';
	return mkdir(dir, 0700) == 0 || errno == EEXIST;
}

char *run_cache_dir(void)
{
	char *dir = size_limit() ? cache_dir() : NULL;

	if (dir && make_dir(dir) && is_ours(dir))
		return dir;
	free(dir);
	return NULL;
}

char *run_cache_path(const struct sf_identity *id)
{
	char *dir = run_cache_dir(), hex[2 * sizeof(id->ends) + 1], *path = NULL;

	if (!dir)
		return NULL;
	for (size_t i = 0; i < sizeof(id->ends); i++)
		snprintf(hex + 2 * i, 3, "%02x", id->ends[i]);
	if (asprintf(&path, "%s/%s-%llx-%llx%s", dir, hex, (unsigned long long)id->size,
		     (unsigned long long)id->mtime_ns, SF_INDEX_SUFFIX) < 0)
		path = NULL;
	free(dir);
	return path;
}

/* ---- what is in it ---- */

static int used_last_first(const void *a, const void *b)
{
	const struct run_cached *x = a, *y = b;

	if (x->used_ns != y->used_ns)
		return x->used_ns < y->used_ns ? 1 : -1;
	return strcmp(x->path, y->path);
}

static int add(struct run_cached **all, int *n, const char *dir, const char *name,
	       const struct stat *sb)
{
	struct run_cached *more = reallocarray(*all, (size_t)*n + 1, sizeof(*more));

	if (!more)
		return ERR_NOMEM;
	*all = more;
	more[*n] = (struct run_cached){
	    .size = (uint64_t)sb->st_size,
	    .used_ns = (uint64_t)sb->st_mtim.tv_sec * 1000000000u + (uint64_t)sb->st_mtim.tv_nsec,
	};
	if (asprintf(&more[*n].path, "%s/%s", dir, name) < 0)
		return ERR_NOMEM;
	++*n;
	return 0;
}

/* Indexes, or (@partial) what their writers work at. */
static bool is_wanted(const char *name, bool partial)
{
	const char *suffix = strstr(name, SF_INDEX_SUFFIX);

	if (!suffix || *name == '.')
		return false;
	suffix += strlen(SF_INDEX_SUFFIX);
	return partial ? strncmp(suffix, ".partial-", 9) == 0 : !*suffix;
}

static int list(const char *dir, bool partial, struct run_cached **out)
{
	DIR *d = opendir(dir);
	struct run_cached *all = NULL;
	const struct dirent *e;
	struct stat sb;
	int n = 0, rc = 0;

	while (d && rc == 0 && n < CACHED_MAX && (e = readdir(d)))
		if (is_wanted(e->d_name, partial) &&
		    fstatat(dirfd(d), e->d_name, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(sb.st_mode))
			rc = add(&all, &n, dir, e->d_name, &sb);
	if (d)
		closedir(d);
	if (rc < 0) {
		run_cache_free(all, n);
		return rc;
	}
	if (n)
		qsort(all, (size_t)n, sizeof(*all), used_last_first);
	*out = all;
	return n;
}

int run_cache_list(struct run_cached **out, char **dir, struct error *err)
{
	int n;

	*out = NULL;
	*dir = run_cache_dir();
	if (!*dir)
		return error_set(err, ERR_IO,
				 "there is no cache: neither XDG_CACHE_HOME nor HOME names a "
				 "directory of yours, or SCAPULA_CACHE_SIZE is 0");
	n = list(*dir, false, out);
	return n < 0 ? error_nomem(err) : n;
}

void run_cache_free(struct run_cached *all, int n)
{
	for (int i = 0; i < n; i++)
		free(all[i].path);
	free(all);
}

/* ---- its limit ---- */

static void remove_left_overs(const char *dir)
{
	uint64_t now = clock_ns(CLOCK_REALTIME);
	struct run_cached *all = NULL;
	int n = list(dir, true, &all);

	for (int i = 0; i < n; i++)
		if (now > all[i].used_ns && now - all[i].used_ns > LEFT_OVER_NS)
			(void)unlink(all[i].path);
	run_cache_free(all, n);
}

void run_cache_trim(const char *keep)
{
	uint64_t total = 0, limit = size_limit();
	struct run_cached *all = NULL;
	char *dir = run_cache_dir();
	int n = dir ? list(dir, false, &all) : 0;

	if (dir)
		remove_left_overs(dir);
	for (int i = 0; i < n; i++) {
		total += all[i].size;
		if (total > limit && strcmp(all[i].path, keep) != 0 && unlink(all[i].path) == 0)
			total -= all[i].size;
	}
	run_cache_free(all, n);
	free(dir);
}
