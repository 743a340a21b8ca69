/* SPDX-License-Identifier: Apache-2.0 */
/* What a path of rules stands for: a file, or the rule files of a directory. */
#ifndef REPLAY_RULE_PATHS_H
#define REPLAY_RULE_PATHS_H

#include <stddef.h>

#include "base/error.h"

struct run_paths {
	char **items; /* @count of them, each its own */
	size_t count;
};

/*
 * @out receives the files @path stands for: itself, or, of a directory, its .yaml and .yml files,
 * sorted, not those of directories in it; either may be inside of an archive. Return: 0 with
 * @out for run_paths_done() (a directory may hold none), or ERR_IO, ERR_NOMEM and what reading an
 * archive gives.
 */
MUST_CHECK int run_rule_paths(const char *path, struct run_paths *out, struct error *err);
void run_paths_done(struct run_paths *p);

#endif
