/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which index belongs to a capture: the one beside it, else one in the cache, where commands that
 * begin in the middle of a large capture leave theirs: $XDG_CACHE_HOME/scapula, bounded, the index
 * that was used longest ago goes first.
 */
#ifndef CLI_INDEX_H
#define CLI_INDEX_H

#include "cli/cli.h"
#include "scapfile/index.h"

#define CLI_INDEX_CACHE_MAX (2ull << 30) /* bytes; $SCAPULA_CACHE_SIZE is another limit */
/* How long a command reads from the start before it makes an index instead; $SCAPULA_INDEX_AFTER.
 */
#define CLI_INDEX_AFTER_NS 1000000000ull

/* Where 'scapula index' writes the index of @capture; the caller frees it. NULL when out of memory.
 */
char *cli_index_path(const char *capture);
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

/* ---- the cache ---- */

struct cli_cached { /* one index of it */
	char *path;
	uint64_t size, used_ns; /* bytes; when it was used last, since the epoch */
};

/* All of them, used last first; freed by cli_cache_free(). @dir: the cache's path, which the caller
 * frees, too. Return: how many, or ERR_* (told by whoever wants it). */
MUST_CHECK int cli_cache_list(struct cli_cached **out, char **dir, struct error *err);
void cli_cache_free(struct cli_cached *all, int n);

#endif
