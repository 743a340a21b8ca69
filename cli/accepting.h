/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing baselines of tests up to date, at once or by asking somebody. */
#ifndef CLI_ACCEPTING_H
#define CLI_ACCEPTING_H

#include "cli/cli.h"
#include "regress/suite.h"

/*
 * Update the baselines of @s; @ask: each difference is shown on standard output and standard input
 * is asked what to do. Tells what was written. Return: 0 or an exit status.
 */
int cli_accept(struct reg_suite *s, bool ask, const struct cli_common *common);

#endif
