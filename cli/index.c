/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *cli_index_path(const char *capture)
{
	char *path;

	return asprintf(&path, "%s%s", capture, SF_INDEX_SUFFIX) < 0 ? NULL : path;
}

/* An index that cannot be used only costs time. */
static struct sf_index *open_path(const char *path, const char *capture)
{
	struct sf_identity id;
	struct sf_index *x;
	struct error err = {0};

	if (sf_identify(capture, &id, &err) < 0)
		return NULL; /* whoever reads the capture tells why */
	if (sf_index_open(path, &x, &err) < 0) {
		cli_log(CLI_WARNING, "%s; going on without, 'scapula index' makes it anew",
			err.msg);
		return NULL;
	}
	if (sf_index_is_of(x, &id))
		return x;
	cli_log(CLI_WARNING,
		"'%s' is not of '%s' as it is now; going on without, 'scapula index' makes it anew",
		path, capture);
	sf_index_close(x);
	return NULL;
}

struct sf_index *cli_index_open(const char *capture)
{
	struct sf_index *x = NULL;
	char *path;

	if (strcmp(capture, "-") == 0)
		return NULL;
	path = cli_index_path(capture);
	if (path && access(path, F_OK) == 0)
		x = open_path(path, capture);
	free(path);
	return x;
}
