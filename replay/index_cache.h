/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which index belongs to a capture: the one beside it, else one in the cache, where programs that
 * begin in the middle of a large capture leave theirs: $XDG_CACHE_HOME/scapula, bounded, the index
 * that was used longest ago goes first.
 * Threads: any; the cache is shared with other processes.
 */
#ifndef REPLAY_INDEX_CACHE_H
#define REPLAY_INDEX_CACHE_H

#include "scapfile/index.h"

#define RUN_CACHE_MAX (2ull << 30) /* bytes; $SCAPULA_CACHE_SIZE is another limit */

/* Where an index beside @capture is; the caller frees it. NULL when out of memory. */
char *run_index_path(const char *capture);
/*
 * The index of @capture as it is now: *@out is NULL if there is none.
 * Return: 0, or ERR_*: there is one beside it, which cannot be used (@err says why), and none in
 * the cache.
 */
MUST_CHECK int run_index_find(const char *capture, struct sf_index **out, struct error *err);

/* --- the cache --- */

/* Its directory, made if need be; the caller frees it. NULL: there is no cache, because the user
 * has no home, did not want it ($SCAPULA_CACHE_SIZE is 0), or others may write there. */
char *run_cache_dir(void);

/*
 * Where the index of the capture that looks like @id is or would be; the caller frees it. The
 * directory is made if need be. NULL: there is no cache.
 */
char *run_cache_path(const struct sf_identity *id);
/* Remove what was used longest ago until the limit holds, and what writers left; but not @keep. */
void run_cache_trim(const char *keep);

struct run_cached { /* one index of it */
	char *path;
	uint64_t size, used_ns; /* bytes; when it was used last, since the epoch */
};

/* All of them, used last first; freed by run_cache_free(). @dir: the cache's path, which the caller
 * frees, too. Return: how many, or ERR_* (told by whoever wants it). */
MUST_CHECK int run_cache_list(struct run_cached **out, char **dir, struct error *err);
void run_cache_free(struct run_cached *all, int n);

#endif
