/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replay/index_cache.h"

char *run_index_path(const char *capture)
{
	char *path;

	return asprintf(&path, "%s%s", capture, SF_INDEX_SUFFIX) < 0 ? NULL : path;
}

static int open_beside(const char *capture, const struct sf_identity *id, struct sf_index **out,
		       struct error *err)
{
	char *path = run_index_path(capture);
	int rc = 0;

	if (path && access(path, F_OK) == 0)
		rc = sf_index_open(path, out, err);
	if (*out && !sf_index_is_of(*out, id)) {
		sf_index_close(*out);
		*out = NULL;
		rc = error_set(err, ERR_FORMAT, "'%s' is not of '%s' as it is now", path, capture);
	}
	free(path);
	return rc;
}

/* Nobody asked for what is in the cache: what is of no use there is as good as not there. */
static struct sf_index *open_cached(const struct sf_identity *id)
{
	char *path = run_cache_path(id);
	struct sf_index *x = NULL;

	if (path && sf_index_open(path, &x, NULL) == 0 && !sf_index_is_of(x, id)) {
		sf_index_close(x);
		x = NULL;
	}
	if (x)
		(void)utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
	free(path);
	return x;
}

int run_index_find(const char *capture, struct sf_index **out, struct error *err)
{
	struct sf_identity id;
	int rc;

	*out = NULL;
	/* Whoever reads the capture tells why it cannot be read. */
	if (strcmp(capture, "-") == 0 || sf_identify(capture, &id, NULL) < 0)
		return 0;
	rc = open_beside(capture, &id, out, err);
	if (!*out)
		*out = open_cached(&id);
	return *out ? 0 : rc;
}
