/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are created: never an existing one, never through a link, for their owner only. */
#ifndef SCAPFILE_FILES_H
#define SCAPFILE_FILES_H

#include <stddef.h>

#include "base/defs.h"
#include "base/error.h"

/* Return: a descriptor, or -1 with errno set. */
int sf_file_create(const char *path);
/*
 * A file beside @path that is to have its name later, so that the rename stays within one file
 * system. *partial receives its name, which the caller owns. Return: a descriptor, or ERR_*.
 */
MUST_CHECK int sf_file_create_partial(const char *path, char **partial, struct error *err);
/* Rename, unless there is a file of that name. Return: 0, or -1 with errno set. */
MUST_CHECK int sf_file_rename_to_new(const char *from, const char *to);
/* All of it. Return: bytes written; fewer than @n: errno is set. */
MUST_CHECK size_t sf_file_write(int fd, const void *p, size_t n);
/* What follows the last slash. */
const char *sf_file_base(const char *path);

#endif
