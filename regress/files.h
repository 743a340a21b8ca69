/* SPDX-License-Identifier: Apache-2.0 */
/* Files of tests: read whole, within a limit; written so that they are there whole or not at all.
 */
#ifndef REGRESS_FILES_H
#define REGRESS_FILES_H

#include "base/buf.h"
#include "base/error.h"

#define REG_TEST_FILE_MAX  (1u << 20)	/* bytes of a test.yaml, or of the list of failed tests */
#define REG_ALERT_FILE_MAX (1ull << 30) /* bytes of a file of alerts */

/* Append what is in it; gzip and zstd are undone, and it may be inside of an archive. Return: 0,
 * ERR_IO (err->sys is ENOENT if there is none), ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int reg_file_read(const char *path, uint64_t max, struct buf *out, struct error *err);
/* Replace or make it. Return: 0, ERR_IO, ERR_NOMEM. */
MUST_CHECK int reg_file_write(const char *path, struct sv text, struct error *err);
/* "DIRECTORY/NAME", without "x/.." in it where that is the same file; @name alone where it is
 * absolute. NULL: out of memory. */
char *reg_path_in(const char *directory, struct sv name);

#endif
