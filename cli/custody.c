/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/custody.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "scapfile/stream.h"

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

int cli_custody_note(const char *path, struct custody_entry *e)
{
	struct custody_file *outputs;
	struct error err = {0};
	int status = 0;

	if (!path)
		path = getenv(CLI_CUSTODY_ENV);
	if (!path || !*path)
		return 0;
	outputs = calloc(e->noutputs + 1, sizeof(*outputs));
	if (!outputs)
		return cli_exit_of(ERR_NOMEM);
	for (size_t i = 0; i < e->noutputs && !status; i++) {
		outputs[i] = e->outputs[i];
		if (!outputs[i].hashed)
			status = cli_custody_hash(&outputs[i]);
	}
	e->outputs = outputs;
	e->ts = clock_ns(CLOCK_REALTIME);
	e->tool = "scapula " SCAPULA_VERSION;
	if (!e->name)
		e->name = getenv(CLI_ACTOR_ENV);
	if (!status && custody_add(path, e, &err) < 0)
		status = cli_fail(&err);
	e->outputs = NULL;
	free(outputs);
	return status;
}
