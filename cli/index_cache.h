/* SPDX-License-Identifier: Apache-2.0 */
/* The directory indexes are kept in that nobody asked for by name. For cli/index*.c only. */
#ifndef CLI_INDEX_CACHE_H
#define CLI_INDEX_CACHE_H

#include "cli/index.h"

/*
 * Where the index of the capture that looks like @id is or would be; the caller frees it. The
 * directory is made if need be. NULL: there is no cache, because the user has no home, did not want
 * it ($SCAPULA_CACHE_SIZE is 0), or others may write there.
 */
char *cli_cache_path(const struct sf_identity *id);
void cli_cache_touch(const char *path); /* it is in use */
/* Remove what was used longest ago until the limit holds, and what writers left; but not @keep. */
void cli_cache_trim(const char *keep);

#endif
