/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions as conditions have them: RE2 in POSIX egrep mode, matching whole values in
 * linear time. "." does not match a line feed, "^" and "$" also match at line breaks.
 * Plain types only: the implementation is C++. Threads: a compiled expression may be shared.
 */
#ifndef ENGINE_FILTER_REGEX_H
#define ENGINE_FILTER_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct flt_regex;

/* NULL: @why, of @size bytes, says what is wrong with the pattern; it is empty when out of memory.
 */
struct flt_regex *flt_regex_new(const char *pattern, size_t n, char *why, size_t size);
void flt_regex_free(struct flt_regex *re); /* NULL is fine */
/* @text must be valid UTF-8, see flt_utf8_repair(). */
bool flt_regex_matches(const struct flt_regex *re, const char *text, size_t n);

#ifdef __cplusplus
}
#endif

#endif
