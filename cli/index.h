/* SPDX-License-Identifier: Apache-2.0 */
/* The index of a capture (replay/index_cache.h), for commands: what is wrong is told. */
#ifndef CLI_INDEX_H
#define CLI_INDEX_H

#include "cli/cli.h"
#include "scapfile/index.h"

/* How long a command reads from the start before it makes an index instead; $SCAPULA_INDEX_AFTER.
 */
#define CLI_INDEX_AFTER_NS 1000000000ull

/*
 * The index of @capture, or NULL: there is none, or none of it as it is now (told if it is the one
 * beside the capture).
 */
struct sf_index *cli_index_open(const char *capture);
/*
 * Make the index of @capture in the cache, and open it: one pass, with progress. @deadline_ns:
 * CLOCK_MONOTONIC, 0: none. NULL: it cannot be had, and the command goes on without.
 */
struct sf_index *cli_index_make(const char *capture, uint64_t deadline_ns);
/* Is @capture a file that cli_index_make() may help with, and has the cache room for it? */
bool cli_index_is_possible(const char *capture);
/* How long to read before cli_index_make(), nanoseconds. */
uint64_t cli_index_patience(void);

#endif
