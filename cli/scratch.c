/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

int cli_scratch_make(struct cli_scratch *s)
{
	const char *dir = getenv("TMPDIR");

	*s = (struct cli_scratch){0};
	if (asprintf(&s->dir, "%s/scapula-XXXXXX", dir && *dir ? dir : "/tmp") < 0) {
		s->dir = NULL;
		return cli_exit_of(ERR_NOMEM);
	}
	if (!mkdtemp(s->dir)) {
		cli_log(CLI_ERROR, "cannot create a directory like '%s': %s", s->dir,
			strerror(errno));
		free(s->dir);
		s->dir = NULL;
		return CLI_INPUT;
	}
	if (asprintf(&s->file, "%s/case.db", s->dir) < 0) {
		s->file = NULL;
		return cli_exit_of(ERR_NOMEM);
	}
	return 0;
}

void cli_scratch_done(struct cli_scratch *s)
{
	static const char *const suffixes[] = {"", "-journal", "-wal", "-shm"};

	for (size_t i = 0; s->file && i < COUNT_OF(suffixes); i++) {
		char *name = NULL;

		if (asprintf(&name, "%s%s", s->file, suffixes[i]) < 0)
			continue;
		(void)unlink(name);
		free(name);
	}
	if (s->dir)
		(void)rmdir(s->dir);
	free(s->file);
	free(s->dir);
	*s = (struct cli_scratch){0};
}
