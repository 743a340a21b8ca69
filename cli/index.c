/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/index_cache.h"
#include "replay/checkpoint.h"

char *cli_index_path(const char *capture)
{
	char *path;

	return asprintf(&path, "%s%s", capture, SF_INDEX_SUFFIX) < 0 ? NULL : path;
}

/* An index that cannot be used only costs time. */
static struct sf_index *open_beside(const char *path, const char *capture,
				    const struct sf_identity *id)
{
	struct sf_index *x;
	struct error err = {0};

	if (sf_index_open(path, &x, &err) < 0) {
		cli_log(CLI_WARNING, "%s; going on without, 'scapula index' makes it anew",
			err.msg);
		return NULL;
	}
	if (sf_index_is_of(x, id))
		return x;
	cli_log(CLI_WARNING,
		"'%s' is not of '%s' as it is now; going on without, 'scapula index' makes it anew",
		path, capture);
	sf_index_close(x);
	return NULL;
}

/* Nobody asked for what is in the cache: what is of no use there is as good as not there. */
static struct sf_index *open_cached(const struct sf_identity *id)
{
	char *path = cli_cache_path(id);
	struct sf_index *x = NULL;
	struct error err = {0};

	if (path && sf_index_open(path, &x, &err) == 0 && !sf_index_is_of(x, id)) {
		sf_index_close(x);
		x = NULL;
	}
	if (x)
		cli_cache_touch(path);
	else if (path && err.code == ERR_FORMAT)
		cli_log(CLI_DEBUG, "%s", err.msg);
	free(path);
	return x;
}

struct sf_index *cli_index_open(const char *capture)
{
	struct sf_index *x = NULL;
	struct sf_identity id;
	char *path;

	/* Whoever reads the capture tells why it cannot be read. */
	if (strcmp(capture, "-") == 0 || sf_identify(capture, &id, NULL) < 0)
		return NULL;
	path = cli_index_path(capture);
	if (path && access(path, F_OK) == 0)
		x = open_beside(path, capture, &id);
	free(path);
	return x ? x : open_cached(&id);
}

/* ---- making one ---- */

static bool stop(void *arg)
{
	const uint64_t *deadline_ns = arg;

	return cli_interrupted() || (*deadline_ns && clock_ns(CLOCK_MONOTONIC) > *deadline_ns);
}

static void progress(void *arg, const struct run_progress *p)
{
	(void)arg;
	cli_progress(NULL, p);
}

struct sf_index *cli_index_make(const char *capture, uint64_t deadline_ns)
{
	const struct run_index_options opt = {
	    .progress = progress, .progress_arg = &deadline_ns, .stop = stop};
	struct run_index_report report;
	struct sf_index *x = NULL;
	struct sf_identity id;
	struct error err = {0};
	char *path = NULL;
	int rc = sf_identify(capture, &id, &err);

	if (rc == 0)
		path = cli_cache_path(&id);
	if (path)
		rc = run_index_build(capture, path, &opt, &report, &err);
	cli_progress_done();
	if (path && rc == 0) {
		cli_cache_trim(path);
		rc = sf_index_open(path, &x, &err);
	}
	if (x)
		cli_log(CLI_DEBUG, "made the index %s", path);
	else if (rc < 0 && rc != ERR_INTERRUPTED)
		cli_log(CLI_DEBUG, "%s; going on without an index", err.msg);
	free(path);
	return x;
}

bool cli_index_is_possible(const char *capture)
{
	struct sf_identity id;
	char *path;

	if (strcmp(capture, "-") == 0 || sf_identify(capture, &id, NULL) < 0)
		return false;
	path = cli_cache_path(&id);
	free(path);
	return path != NULL;
}

uint64_t cli_index_patience(void)
{
	const char *text = getenv("SCAPULA_INDEX_AFTER");
	uint64_t ns;

	return text && cli_parse_duration(text, &ns) ? ns : CLI_INDEX_AFTER_NS;
}
