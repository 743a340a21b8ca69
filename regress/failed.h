/* SPDX-License-Identifier: Apache-2.0 */
/* Which tests failed when they were run last: real paths of their files, one per line. */
#ifndef REGRESS_FAILED_H
#define REGRESS_FAILED_H

#include "regress/suite.h"

#define REG_FAILED_NAME "failed-tests" /* in the directory of the cache */

struct reg_failed {
	struct arena arena;
	struct reg_list list;
};

/* A file that is not there names none. Return: 0, ERR_IO, ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int reg_failed_read(struct reg_failed *f, const char *path, struct error *err);
void reg_failed_done(struct reg_failed *f);
/*
 * Write what failed now, and of those in @f what was not run. Return: 0, ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int reg_failed_write(const struct reg_failed *f, const char *path, struct reg_suite *s,
				struct error *err);

#endif
