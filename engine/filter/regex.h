/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions as conditions have them: RE2 in POSIX egrep mode, matching whole values in linear time. "." does
 * not match a line feed, "^" and "$" also match at line breaks.
 * Threads: a compiled expression may be shared.
 */
#ifndef ENGINE_FILTER_REGEX_H
#define ENGINE_FILTER_REGEX_H

#include "base/buf.h"
#include "base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct flt_regex;

/* Return: 0, ERR_COMPILE with the reason, ERR_NOMEM. */
MUST_CHECK int flt_regex_new(struct sv pattern, struct flt_regex **out, struct error *err);
void flt_regex_free(struct flt_regex *re); /* NULL is fine */
/* @text must be valid UTF-8, see flt_utf8_repair(). */
bool flt_regex_matches(const struct flt_regex *re, struct sv text);

#ifdef __cplusplus
}
#endif

#endif
