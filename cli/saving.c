/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/saving.h"

#include <stdlib.h>

#include "cli/merge.h"

static int merge_all(struct merge *m, char **paths, size_t n)
{
	int status = surgery_begin(&m->surgery, paths, n);

	if (status)
		return status;
	m->inputs = calloc(n, sizeof(*m->inputs));
	if (!m->inputs)
		return CLI_INTERNAL;
	for (size_t i = 0; i < n; i++)
		m->inputs[m->ninputs++].path = paths[i];
	status = cli_merge_plan(m);
	return status ? status : cli_merge_write(m);
}

int cli_save_window(const struct cli_common *common, char **paths, size_t n, const char *out,
		    struct error *err)
{
	char words[][16] = {"scapula", "tui", "--live"}; /* what made it, for its lineage */
	char *argv[] = {words[0], words[1], words[2], NULL};
	struct merge m = {.surgery = {.operation = "merge",
				      .common = common,
				      .opt = {.output = out},
				      .argc = COUNT_OF(argv) - 1,
				      .argv = argv}};
	int status = surgery_end(&m.surgery, merge_all(&m, paths, n));

	cli_merge_done(&m);
	if (status == 0 || status == CLI_PARTIAL)
		return 0;
	return error_set(err, ERR_IO, "'%s' was not written; leave the program to see why", out);
}
