/* SPDX-License-Identifier: Apache-2.0 */
/* scapula index: one pass over a capture, so that later ones can begin anywhere. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/index.h"
#include "replay/checkpoint.h"
#include "replay/index_cache.h"

enum {
	OPT_EVERY = OPT_COMMAND_FIRST,
	OPT_LIST,
	OPT_CLEAR,
};

#define EVERY_MIN 100 /* events: a checkpoint must not cost more than what it spares */

static const struct cli_option index_options[] = {
    {'o', "output", "FILE", "write the index there instead of beside the capture"},
    {OPT_EVERY, "every", "N", "a place to begin at every N events; default 262144"},
    {OPT_LIST, "list", NULL, "the indexes that commands left in the cache"},
    {OPT_CLEAR, "clear", NULL, "remove these"},
    {0, NULL, NULL, NULL},
};

static const char *const index_examples[] = {"index host.scap.zst", "index --list", NULL};

struct index {
	struct cli_common common;
	const char *output;
	uint64_t every;
	bool list, clear;
};

static int take_option(void *arg, int id, const char *value)
{
	struct index *o = arg;

	switch (id) {
	case 'o':
		o->output = value;
		return 0;
	case OPT_LIST:
		o->list = true;
		return 0;
	case OPT_CLEAR:
		o->clear = true;
		return 0;
	default:
		break;
	}
	if (cli_parse_u64(value, &o->every) && o->every >= EVERY_MIN)
		return 0;
	cli_log(CLI_ERROR, "--every %s: expected a number of events, at least %d", value,
		EVERY_MIN);
	return CLI_USAGE;
}

static bool stop(void *arg)
{
	(void)arg;
	return cli_interrupted() != 0;
}

static void tell(const char *path, const struct run_index_report *r)
{
	struct buf b = {0};

	cli_grouped(&b, r->events);
	buf_lit(&b, " events in ");
	cli_grouped(&b, r->chunks);
	buf_addf(&b, " chunk%s: %s, ", r->chunks == 1 ? "" : "s", path);
	cli_bytes(&b, r->index_size);
	if (r->raw_size)
		buf_addf(&b, " (%.2f %% of the uncompressed capture)",
			 100.0 * (double)r->index_size / (double)r->raw_size);
	cli_log(CLI_NOTE, "%s", buf_cstr(&b));
	buf_done(&b);
}

static int index_one(struct index *o, const char *capture)
{
	const struct run_index_options opt = {
	    .chunk_events = o->every, .progress = cli_progress, .stop = stop};
	struct run_index_report report;
	struct error err = {0};
	char *path = o->output ? strdup(o->output) : run_index_path(capture);
	int rc, status;

	if (!path) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	rc = run_index_build(capture, path, &opt, &report, &err);
	cli_progress_done();
	if (rc == 0)
		tell(path, &report);
	status = rc == ERR_INTERRUPTED ? cli_interrupted() : rc < 0 ? cli_fail(&err) : 0;
	if (rc == 0 && report.gaps) {
		cli_log(CLI_WARNING, "%s: %llu gaps; 'scapula info' names them", capture,
			(unsigned long long)report.gaps);
		status = CLI_PARTIAL;
	}
	free(path);
	return status;
}

/* --- the cache --- */

static int list_cache(const struct run_cached *all, int n)
{
	struct buf b = {0};
	int status;

	for (int i = 0; i < n; i++) {
		cli_time(&b, all[i].used_ns);
		buf_char(&b, ' ');
		cli_bytes(&b, all[i].size);
		buf_char(&b, ' ');
		cli_safe(&b, sv_of(all[i].path));
		buf_char(&b, '\n');
	}
	status = cli_write(&b);
	buf_done(&b);
	return cli_worse(status, cli_flush());
}

static int clear_cache(const struct run_cached *all, int n)
{
	int status = 0;

	for (int i = 0; i < n; i++)
		if (unlink(all[i].path) < 0 && errno != ENOENT) {
			cli_log(CLI_ERROR, "cannot remove '%s': %s", all[i].path, strerror(errno));
			status = CLI_INPUT;
		}
	return status;
}

static int treat_cache(const struct index *o)
{
	struct run_cached *all;
	struct error err = {0};
	char *dir;
	int n = run_cache_list(&all, &dir, &err), status;

	if (n < 0)
		status = cli_fail(&err);
	else
		status = o->list ? list_cache(all, n) : 0;
	if (n >= 0 && o->clear)
		status = cli_worse(status, clear_cache(all, n));
	run_cache_free(all, n);
	free(dir);
	return status;
}

int cmd_index(int argc, char **argv)
{
	struct index o = {0};
	const struct cli_parser parser = {"index", index_options, index_examples, take_option, &o};
	int first;
	int status = cli_parse(&parser, &o.common, argc, argv, &first);

	if (status)
		return status < 0 ? cli_flush() : status;
	cli_catch_signals();
	if (o.list || o.clear)
		status = treat_cache(&o);
	if (first == argc && (o.list || o.clear))
		return status;
	if (first == argc) {
		cli_log(CLI_ERROR, "no capture given");
		return CLI_USAGE;
	}
	if (o.output && argc - first > 1) {
		cli_log(CLI_ERROR, "--output is for one capture");
		return CLI_USAGE;
	}
	for (int i = first; i < argc && !cli_interrupted(); i++)
		status = cli_worse(status, index_one(&o, argv[i]));
	return status;
}
