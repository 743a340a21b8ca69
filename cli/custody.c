/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/custody.h"

#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "base/clock.h"
#include "cli/recording.h"
#include "scapfile/stream.h"

bool cli_custody_wanted(void)
{
	const char *log = getenv(CLI_CUSTODY_ENV);

	return log && *log;
}

int cli_custody_hash(struct custody_file *f)
{
	struct sf_stream s = {0};
	struct error err = {0};
	int rc = sf_stream_open(&s, f->name, true, &err);

	if (rc >= 0)
		rc = sf_stream_drain(&s, &err);
	f->hashed = rc >= 0 && sf_stream_hash(&s, f->sha256);
	f->size = s.in.size;
	sf_stream_done(&s);
	return rc < 0 ? cli_fail(&err) : 0;
}

static bool is_file(const char *path)
{
	enum arc_kind kind;
	uint64_t size;

	return strcmp(path, "-") != 0 && arc_look(path, &kind, &size, NULL) == 0 &&
	       kind == ARC_FILE;
}

/* A copy of the @n files of *list, with hashes; only those that an entry names are read. */
static int with_hashes(const struct custody_file **list, size_t n, struct custody_file **out)
{
	struct custody_file *own = calloc(n + 1, sizeof(*own));
	int status = own ? 0 : cli_exit_of(ERR_NOMEM);

	for (size_t i = 0; i < n && !status; i++) {
		own[i] = (*list)[i];
		if (!own[i].hashed && i < CUSTODY_FILES_MAX && is_file(own[i].name))
			status = cli_custody_hash(&own[i]);
	}
	*out = own;
	*list = own;
	return status;
}

int cli_custody_note(const char *path, struct custody_entry *e)
{
	struct custody_file *inputs = NULL, *outputs = NULL;
	struct error err = {0};
	int status;

	if (!path)
		path = getenv(CLI_CUSTODY_ENV);
	if (!path || !*path)
		return 0;
	status = with_hashes(&e->inputs, e->ninputs, &inputs);
	if (!status)
		status = with_hashes(&e->outputs, e->noutputs, &outputs);
	e->ts = clock_ns(CLOCK_REALTIME);
	e->tool = "scapula " SCAPULA_VERSION;
	if (!e->name)
		e->name = getenv(CLI_ACTOR_ENV);
	if (!status && custody_add(path, e, &err) < 0)
		status = cli_fail(&err);
	e->inputs = e->outputs = NULL;
	free(inputs);
	free(outputs);
	return status;
}

int cli_custody_made(enum custody_action action, const char *const *inputs, size_t ninputs,
		     const char *output, const char *reason, int argc, char **argv)
{
	struct custody_file *in, out = {.name = output};
	struct custody_entry e = {.action = action,
				  .reason = reason,
				  .ninputs = ninputs,
				  .outputs = &out,
				  .noutputs = output && strcmp(output, "-") != 0,
				  .argc = argc,
				  .argv = argv};
	int status;

	if (!cli_custody_wanted())
		return 0;
	in = calloc(ninputs + 1, sizeof(*in));
	if (!in)
		return cli_exit_of(ERR_NOMEM);
	for (size_t i = 0; i < ninputs; i++)
		in[i].name = inputs[i];
	e.inputs = in;
	status = cli_custody_note(NULL, &e);
	free(in);
	return status;
}

int cli_custody_recorded(const struct cli_recording *r)
{
	struct custody_file *files = calloc(r->nmade + 1, sizeof(*files));
	struct custody_entry e = {.action = CUSTODY_COLLECT,
				  .outputs = files,
				  .argc = r->sealing.argc,
				  .argv = r->sealing.argv};
	int status = files ? 0 : cli_exit_of(ERR_NOMEM);

	for (size_t i = 0; i < r->nmade && !status; i++)
		files[e.noutputs++].name = r->made[i];
	if (!status && e.noutputs)
		status = cli_custody_note(NULL, &e);
	free(files);
	return status;
}

int cli_custody_opened(int argc, char **argv, int first)
{
	const char **files;
	size_t n = 0;
	int status = 0;

	if (!cli_custody_wanted()) {
		cli_log(CLI_ERROR,
			"--log-access needs a custody log: " CLI_CUSTODY_ENV " names it");
		return CLI_USAGE;
	}
	files = calloc((size_t)(argc - first) + 1, sizeof(*files));
	if (!files)
		return cli_exit_of(ERR_NOMEM);
	for (int i = first; i < argc; i++)
		if (is_file(argv[i]))
			files[n++] = argv[i];
	if (n)
		status = cli_custody_made(CUSTODY_OPEN, files, n, NULL, NULL, argc, argv);
	free(files);
	return status;
}
