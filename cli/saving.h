/* SPDX-License-Identifier: Apache-2.0 */
/* The segments of a recording that goes on, as one capture. */
#ifndef CLI_SAVING_H
#define CLI_SAVING_H

#include "cli/cli.h"

/* @out: a new file. What is to be known is told, too. Return: 0 or ERR_*; then there is no @out. */
MUST_CHECK int cli_save_window(const struct cli_common *common, char **paths, size_t n,
			       const char *out, struct error *err);

#endif
