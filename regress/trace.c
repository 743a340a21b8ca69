/* SPDX-License-Identifier: Apache-2.0 */
/* Where the capture of a test is. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "regress/files.h"
#include "regress/internal.h"

#define HASH_PREFIX "sha256:"
#define HASH_DIGITS 64u

static const char *const suffixes[] = {"", ".scap", ".scap.gz", ".scap.zst"};

static bool exists(const char *path)
{
	struct stat sb;

	return stat(path, &sb) == 0 && !S_ISDIR(sb.st_mode);
}

/* *@out: the path if there is such a file, else as it was. Return: 0 or ERR_NOMEM. */
static int try_path(char **out, struct error *err, const char *fmt, ...) PRINTF_LIKE(3, 4);

static int try_path(char **out, struct error *err, const char *fmt, ...)
{
	va_list ap;
	char *path;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&path, fmt, ap);
	va_end(ap);
	if (n < 0)
		return error_nomem(err);
	if (!*out && exists(path))
		*out = path;
	else
		free(path);
	return 0;
}

/* sha256/AB/..., with all digits or those that are left; or flat. */
static int find_stored(const char *store, const char *hash, char **out, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < COUNT_OF(suffixes) && rc == 0 && !*out; i++) {
		const char *end = suffixes[i];

		rc = try_path(out, err, "%s/sha256/%.2s/%s%s", store, hash, hash, end);
		if (rc == 0)
			rc = try_path(out, err, "%s/sha256/%.2s/%s%s", store, hash, hash + 2, end);
		if (rc == 0)
			rc = try_path(out, err, "%s/%s%s", store, hash, end);
	}
	if (rc == 0 && !*out)
		return error_set(err, ERR_IO, "'%s' holds no trace with the hash %s", store, hash);
	return rc;
}

static int find_beside(const struct reg_test *t, char **out, struct error *err)
{
	size_t found = 0;
	int rc = 0;

	for (size_t i = 1; i < COUNT_OF(suffixes) && rc == 0; i++) {
		char *one = NULL;

		rc = try_path(&one, err, "%s/trace%s", t->dir, suffixes[i]);
		found += one != NULL;
		if (one && !*out)
			*out = one;
		else
			free(one);
	}
	if (rc == 0 && found > 1)
		rc = error_set(err, ERR_USAGE, "%s: there are several traces beside it", t->path);
	else if (rc == 0 && !found)
		rc = error_set(err, ERR_IO,
			       "%s: there is no trace.scap, trace.scap.gz or trace.scap.zst "
			       "beside it",
			       t->path);
	return rc;
}

static bool is_hash(const char *text)
{
	return strlen(text) == HASH_DIGITS && strspn(text, "0123456789abcdef") == HASH_DIGITS;
}

int reg_trace_find(const struct reg_test *t, const char *store, char **out, struct error *err)
{
	char *found = NULL;
	int rc = 0;

	if (!t->trace) {
		rc = find_beside(t, &found, err);
	} else if (!sv_starts(sv_of(t->trace), SV_LIT(HASH_PREFIX))) {
		found = reg_path_in(t->dir, sv_of(t->trace));
		rc = found ? 0 : error_nomem(err);
	} else if (!is_hash(t->trace + strlen(HASH_PREFIX))) {
		rc = error_set(err, ERR_USAGE, "%s:%u: trace: expected sha256: and 64 digits",
			       t->path, t->trace_line);
	} else if (!store) {
		rc = error_set(err, ERR_USAGE,
			       "%s:%u: the trace is named by its hash, and no store is given",
			       t->path, t->trace_line);
	} else {
		rc = find_stored(store, t->trace + strlen(HASH_PREFIX), &found, err);
	}
	if (rc < 0)
		free(found);
	else
		*out = found;
	return rc;
}
