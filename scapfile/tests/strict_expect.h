/* SPDX-License-Identifier: Apache-2.0 */
/* What tests expect the strict check to say of a capture in memory. */
#ifndef SCAPFILE_TESTS_STRICT_EXPECT_H
#define SCAPFILE_TESTS_STRICT_EXPECT_H

#include "base/buf.h"
#include "scapfile/strict.h"

/* Checks a copy of exactly that size: reading behind it is noticed. */
void check_memory(const struct buf *b, struct sf_strict_report *r);
/* Nothing was found; the report is done with. */
void assert_clean(struct sf_strict_report *r, const char *what);
void expect_clean(const struct buf *b, const char *what);
/* The fault called @name must be found by @rule. */
void expect_found(const struct buf *b, enum sf_strict_rule rule, const char *name);

#endif
