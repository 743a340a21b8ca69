/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shell patterns with the meaning of POSIX fnmatch() without flags in the C locale: bytes are
 * characters, "*" and "?" also match "/" and a leading dot. Our own, because texts are not
 * NUL-terminated, a terminal interface sets a locale, and hostile patterns must not take
 * exponential time.
 */
#ifndef ENGINE_FILTER_GLOB_H
#define ENGINE_FILTER_GLOB_H

#include "base/sv.h"

/* Does the whole of @text match? Time is at most proportional to the product of the lengths. */
bool flt_glob_matches(struct sv pattern, struct sv text, bool ignore_case);
/* What every text begins with that matches, case not ignored. */
struct sv flt_glob_beginning(struct sv pattern);
/* Does @text contain "*", "?" or "["? */
bool flt_glob_is_pattern(struct sv text);

#endif
