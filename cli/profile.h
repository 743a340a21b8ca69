/* SPDX-License-Identifier: Apache-2.0 */
/* What rules cost, as a table or JSON. */
#ifndef CLI_PROFILE_H
#define CLI_PROFILE_H

#include "replay/replay.h"

/* May a profile go to @path, which is no file so far? "-" is standard error. Return: 0 or an exit
 * status (told). */
int cli_profile_check(const char *path);
/* Write it there, as JSON if @path ends in .json. Return: 0 or CLI_INPUT (told). */
int cli_profile_write(const char *path, struct run_profile *p, const struct run_totals *t);

#endif
