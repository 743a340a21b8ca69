/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that commands make: what they may replace. Evidence is never written to, so that an output
 * is none of the inputs, by whatever name and whether --force is given or not. What is wrong is
 * told here.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>

#include "base/buf.h"

/* Is there nothing at @path, or a file that @force allows to replace? Return: 0 or CLI_INPUT. */
int cli_output_check(const char *path, bool force);
/* Is @output another file than @input, and than the archive that @input is in? Return: 0 or
 * CLI_USAGE. */
int cli_output_is_no_input(const char *output, const char *input);
/* Give the complete file @partial the name @path, where without @force nothing may have come into
 * being meanwhile. Return: 0 or CLI_INPUT; then @partial is still there. */
int cli_output_place(const char *partial, const char *path, bool force);

/* Write all of @text to @path: NULL or "-" is standard output, otherwise the file is made as above.
 * Return: 0 or an exit status. */
int cli_output_text(const char *path, bool force, struct buf *text);

#endif
