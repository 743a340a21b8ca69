/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "replay/checkpoint.h"
#include "replay/index_cache.h"

struct sf_index *cli_index_open(const char *capture)
{
	struct error err = {0};
	struct sf_index *x;

	/* An index that cannot be used only costs time. */
	if (run_index_find(capture, &x, &err) < 0)
		cli_log(CLI_WARNING, "%s; going on without, 'scapula index' makes it anew",
			err.msg);
	return x;
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
		path = run_cache_path(&id);
	if (path)
		rc = run_index_build(capture, path, &opt, &report, &err);
	cli_progress_done();
	if (path && rc == 0) {
		run_cache_trim(path);
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
	path = run_cache_path(&id);
	free(path);
	return path != NULL;
}

uint64_t cli_index_patience(void)
{
	const char *text = getenv("SCAPULA_INDEX_AFTER");
	uint64_t ns;

	return text && cli_parse_duration(text, &ns) ? ns : CLI_INDEX_AFTER_NS;
}
