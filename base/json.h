/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON text into a buffer. Input strings are untrusted bytes: harmful characters are
 * escaped and invalid UTF-8 becomes U+FFFD, so the output is always valid JSON.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

/* With quotes; harmless non-ASCII text is left as it is. */
void json_string(struct buf *b, struct sv s);
/* With quotes; everything above ASCII as \uXXXX. */
void json_string_ascii(struct buf *b, struct sv s);
/* The escaped text without quotes, as Falco writes its text lines. */
void json_escape(struct buf *b, struct sv s);

/*
 * Characters that may do something to a terminal or a reader other than be seen: controls, and
 * those that turn the direction of text. They never leave the program unescaped.
 */
static inline bool utf8_is_harmful(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x61c || cp == 0x200e ||
	       cp == 0x200f || (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

/* Length in bytes (1..4) and value of the UTF-8 sequence at the start of @s (not empty), or 0 if it
 * is invalid; then *bad is how many bytes to skip. */
unsigned utf8_decode(struct sv s, uint32_t *cp, unsigned *bad);

#endif
