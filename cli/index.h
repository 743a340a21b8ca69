/* SPDX-License-Identifier: Apache-2.0 */
/* Which index belongs to a capture: the one beside it. */
#ifndef CLI_INDEX_H
#define CLI_INDEX_H

#include "cli/cli.h"
#include "scapfile/index.h"

/* Where the index of @capture is written; the caller frees it. NULL when out of memory. */
char *cli_index_path(const char *capture);
/* The index of @capture, or NULL: there is none, or none of it as it is now (told). */
struct sf_index *cli_index_open(const char *capture);

#endif
