/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement of scapula info --strict. */
#ifndef CLI_STRICT_H
#define CLI_STRICT_H

#include "base/buf.h"

/*
 * Judge the capture at @path and append the report to @out. Return: CLI_OK, CLI_FINDINGS, or the
 * status of a failure that has been told.
 */
int cli_strict(const char *path, bool json, struct buf *out);

#endif
