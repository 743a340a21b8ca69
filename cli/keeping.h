/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings that are kept in memory, and written when something asks for it: the side of
 * --keep of cli/recording.h, for that file and its tests.
 */
#ifndef CLI_KEEPING_H
#define CLI_KEEPING_H

#include "cli/recording.h"

/* "60s", "64M", "60s:64M". Return: false if it makes no sense. */
bool cli_parse_keep(const char *text, uint64_t *ns, uint64_t *bytes);
/* Do the options go together? Return: 0 or CLI_USAGE. */
int cli_keep_check(const struct cli_recording *r);
/* What was asked for and can be begun; what became of it. */
void cli_keep_look(struct cli_recording *r);
/* The end: what is to be written still is. Return: 0, or the exit status of the dumps. */
int cli_keep_end(struct cli_recording *r);

#endif
